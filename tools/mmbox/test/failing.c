// SPDX-License-Identifier: GPL-2.0
/*
 * test/failing DEVICE: the cost of allocations that fail, with and without a report in the
 * log. For a machine whose time counts instructions, and a small box that nobody else
 * uses.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <uapi/mmbox.h>

#include "ok.h"

#define NR_OPS	16U

/* Time of a batch of allocations of the largest block; all of them must fail. */
static uint64_t fail(int fd, uint32_t flags)
{
	struct mmbox_op ops[NR_OPS];
	struct mmbox_batch batch = { .ops = (uintptr_t)ops, .nr = NR_OPS };
	unsigned int i;

	for (i = 0; i < NR_OPS; i++)
		ops[i] = (struct mmbox_op){
			.code = MMBOX_OP_PAGES_ALLOC,
			.handle = i,
			.order = 10,
			.flags = MMBOX_GFP_KERNEL | MMBOX_GFP_NORETRY | flags,
			.nid = -1,
		};
	if (ioctl(fd, MMBOX_IOC_BATCH, &batch) || batch.nr_failed != NR_OPS) {
		fprintf(stderr, "%u of %u failed\n", batch.nr_failed, NR_OPS);
		exit(EXIT_FAILURE);
	}
	return batch.ns;
}

/* Allocates all blocks of that order. */
static void fill(int fd)
{
	struct mmbox_batch batch;
	uint32_t handle = 1000;

	do {
		struct mmbox_op op = {
			.code = MMBOX_OP_PAGES_ALLOC,
			.handle = handle++,
			.order = 10,
			.flags = MMBOX_GFP_KERNEL | MMBOX_GFP_NORETRY | MMBOX_GFP_NOWARN,
			.nid = -1,
		};

		batch = (struct mmbox_batch){ .ops = (uintptr_t)&op, .nr = 1 };
		if (ioctl(fd, MMBOX_IOC_BATCH, &batch)) {
			perror("MMBOX_IOC_BATCH");
			exit(EXIT_FAILURE);
		}
	} while (!batch.nr_failed);
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;
	uint64_t silent, told;

	if (fd < 0) {
		perror(argc == 2 ? argv[1] : "usage: failing DEVICE");
		return EXIT_FAILURE;
	}
	fill(fd);
	fail(fd, MMBOX_GFP_NOWARN);
	silent = fail(fd, MMBOX_GFP_NOWARN);
	told = fail(fd, 0);
	ok(told < silent + silent / 4,
	   "%u allocations that fail and are told take %llu instructions, silent ones %llu",
	   NR_OPS, (unsigned long long)told, (unsigned long long)silent);
	return ok_sum();
}
