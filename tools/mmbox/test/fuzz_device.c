// SPDX-License-Identifier: GPL-2.0
/*
 * test/fuzz_device DEVICE RECORDS|SECONDSs SEED...: random use of a box's device by a
 * program that keeps track of what it holds. So most of its records are valid. One in
 * some hundreds has a field changed at random. The program predicts for each record
 * whether it is carried out or refused, and compares that with the kernel's answer. With
 * SECONDS it goes on with new seeds. Prints a line a seed, and `N passed, N failed` at
 * the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <uapi/mmbox.h>

#include "ok.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define NR_HANDLES	3000
#define FIRST_HANDLE	3000	/* so that they are in two segments of the table */
#define NR_CACHES	12
#define NR_OPS		300	/* most records of a batch */
#define OBJECT_MAX	(128U << 10)

enum held { EMPTY, KMALLOC, PAGES, CACHE };

static struct {
	enum held held;
	unsigned int which;	/* order or cache */
} slots[NR_HANDLES];

static struct {
	bool there;
	unsigned int nr_held;
} caches[NR_CACHES];

static const char name[] = "fuzz", odd_name[] = "../fuzz", no_name[] = "", blank_name[] = "a b";
static struct mmbox_info info;
static unsigned int nr_held;
static unsigned long long state, nr_sent, nr_done, nr_refused, nr_no_memory, nr_wrong;

static unsigned int rnd(unsigned int below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % below;
}

static void wrong(const struct mmbox_op *op, const char *what, int got)
{
	if (nr_wrong++ > 5)
		return;
	printf("# code %u order %u cache %u handle %u flags %#x nid %d size %u nr %u: %s (%d)\n",
	       op->code, op->order, op->cache, op->handle, op->flags, op->nid, op->size, op->nr,
	       what, got);
}

/* ---- predicted results ---- */

static bool slot_is(unsigned int handle, enum held held, unsigned int which)
{
	unsigned int i = handle - FIRST_HANDLE;

	if (i >= NR_HANDLES)
		return held == EMPTY;
	return slots[i].held == held && (held == EMPTY || held == KMALLOC ||
					 slots[i].which == which);
}

static bool unused(const struct mmbox_op *op, bool order, bool cache, bool handle, bool flags,
		   bool nid, bool size, bool nr, bool with_name)
{
	return (order || !op->order) && (cache || !op->cache) && (handle || !op->handle) &&
	       (flags || !op->flags) && (nid || !op->nid) && (size || !op->size) &&
	       (nr || !op->nr) && (with_name || !op->name);
}

static bool alloc_ok(const struct mmbox_op *op)
{
	return !(op->flags & ~MMBOX_GFP_ALL) && op->handle < info.nr_handles &&
	       op->nid >= -1 && op->nid < (int)info.nr_nodes && slot_is(op->handle, EMPTY, 0);
}

static bool cache_there(const struct mmbox_op *op)
{
	return op->cache < NR_CACHES && caches[op->cache].there;
}

static bool bulk_ok(const struct mmbox_op *op)
{
	return cache_there(op) && op->handle < info.nr_handles && op->nr >= 1 &&
	       op->nr <= info.bulk_max && op->nr <= info.nr_handles - op->handle;
}

static bool free_ok(unsigned int handle, enum held held, unsigned int which, bool allow_empty)
{
	return handle < info.nr_handles &&
	       (slot_is(handle, held, which) || (allow_empty && slot_is(handle, EMPTY, 0)));
}

static bool is_ok(const struct mmbox_op *op, bool allow_empty)
{
	const unsigned int align = op->align;
	unsigned int i;

	switch (op->code) {
	case MMBOX_OP_KMALLOC:
		return unused(op, 0, 0, 1, 1, 1, 1, 0, 0) && alloc_ok(op) && op->size &&
		       op->size <= info.kmalloc_limit;
	case MMBOX_OP_KFREE:
		return unused(op, 0, 0, 1, 0, 0, 0, 0, 0) &&
		       free_ok(op->handle, KMALLOC, 0, allow_empty);
	case MMBOX_OP_CACHE_ALLOC:
		return unused(op, 0, 1, 1, 1, 1, 0, 0, 0) && alloc_ok(op) && cache_there(op);
	case MMBOX_OP_CACHE_FREE:
		return unused(op, 0, 1, 1, 0, 0, 0, 0, 0) && cache_there(op) &&
		       free_ok(op->handle, CACHE, op->cache, allow_empty);
	case MMBOX_OP_PAGES_ALLOC:
		return unused(op, 1, 0, 1, 1, 1, 0, 0, 0) && alloc_ok(op) &&
		       op->order < info.nr_orders;
	case MMBOX_OP_PAGES_FREE:
		return unused(op, 1, 0, 1, 0, 0, 0, 0, 0) && op->order < info.nr_orders &&
		       free_ok(op->handle, PAGES, op->order, allow_empty);
	case MMBOX_OP_BULK_ALLOC:
		if (!unused(op, 0, 1, 1, 1, 0, 0, 1, 0) || !bulk_ok(op) ||
		    op->flags & ~MMBOX_GFP_ALL)
			return false;
		for (i = 0; i < op->nr; i++)
			if (!slot_is(op->handle + i, EMPTY, 0))
				return false;
		return true;
	case MMBOX_OP_BULK_FREE:
		if (!unused(op, 0, 1, 1, 0, 0, 0, 1, 0) || !bulk_ok(op))
			return false;
		for (i = 0; i < op->nr; i++)
			if (!free_ok(op->handle + i, CACHE, op->cache, allow_empty))
				return false;
		return true;
	case MMBOX_OP_CACHE_CREATE:
		return unused(op, 0, 1, 0, 1, 0, 1, 1, 1) && op->cache < info.nr_caches &&
		       !cache_there(op) && op->size >= 8 && op->size <= OBJECT_MAX &&
		       align <= info.page_size && !(align & (align - 1)) &&
		       !(op->flags & ~MMBOX_CACHE_ALL) &&
		       (op->name == (uintptr_t)name || op->name == (uintptr_t)odd_name);
	case MMBOX_OP_CACHE_DESTROY:
		return unused(op, 0, 1, 0, 0, 0, 0, 0, 0) && cache_there(op) &&
		       !caches[op->cache].nr_held;
	case MMBOX_OP_CACHE_SHRINK:
		return unused(op, 0, 1, 0, 0, 0, 0, 0, 0) && cache_there(op);
	}
	return false;
}

/* ---- what the program holds ---- */

static void fill(unsigned int handle, enum held held, unsigned int which)
{
	unsigned int i = handle - FIRST_HANDLE;

	if (slots[i].held == held)
		return;
	if (slots[i].held == CACHE)
		caches[slots[i].which].nr_held--;
	if (held == CACHE)
		caches[which].nr_held++;
	nr_held += held != EMPTY ? 1 : -1;
	slots[i].held = held;
	slots[i].which = which;
}

static void carried_out(const struct mmbox_op *op, bool allow_empty, int error)
{
	bool was_empty = slot_is(op->handle, EMPTY, 0);
	unsigned int i;

	if (!is_ok(op, allow_empty)) {
		wrong(op, "it was carried out", error);
		return;
	}
	if (error == -ENOMEM) {
		nr_no_memory++;
		return;
	}
	switch (op->code) {
	case MMBOX_OP_KMALLOC:
		fill(op->handle, KMALLOC, 0);
		break;
	case MMBOX_OP_PAGES_ALLOC:
		fill(op->handle, PAGES, op->order);
		break;
	case MMBOX_OP_CACHE_ALLOC:
		fill(op->handle, CACHE, op->cache);
		break;
	case MMBOX_OP_BULK_ALLOC:
		for (i = 0; i < op->nr; i++)
			fill(op->handle + i, CACHE, op->cache);
		break;
	case MMBOX_OP_BULK_FREE:
		for (i = 0, was_empty = true; i < op->nr; i++)
			was_empty = was_empty && slot_is(op->handle + i, EMPTY, 0);
		for (i = 0; i < op->nr; i++)
			if (!slot_is(op->handle + i, EMPTY, 0))
				fill(op->handle + i, EMPTY, 0);
		break;
	case MMBOX_OP_CACHE_CREATE:
		caches[op->cache].there = true;
		was_empty = false;
		break;
	case MMBOX_OP_CACHE_DESTROY:
		caches[op->cache].there = false;
		was_empty = false;
		break;
	case MMBOX_OP_CACHE_SHRINK:
		was_empty = false;
		break;
	default:
		if (!was_empty)
			fill(op->handle, EMPTY, 0);
	}
	if (op->code == MMBOX_OP_KMALLOC || op->code == MMBOX_OP_PAGES_ALLOC ||
	    op->code == MMBOX_OP_CACHE_ALLOC || op->code == MMBOX_OP_BULK_ALLOC)
		was_empty = false;
	if (error != (was_empty ? -ENOENT : 0))
		wrong(op, "its result", error);
}

/* ---- records ---- */

static __u32 some_gfp(void)
{
	return rnd(4) ? MMBOX_GFP_KERNEL : rnd(2) ? MMBOX_GFP_ATOMIC :
	       (rnd(1 << 22) & MMBOX_GFP_ALL) | MMBOX_GFP_NOWARN;
}

/* How many handles from that one on are in the same state, up to 20. */
static unsigned int run_of(unsigned int handle, enum held held, unsigned int which)
{
	unsigned int nr = 1;

	while (nr < 20 && handle + nr < FIRST_HANDLE + NR_HANDLES &&
	       slot_is(handle + nr, held, which))
		nr++;
	return nr;
}

/* A record that is valid if those before it in the batch are carried out. */
static struct mmbox_op make_op(void)
{
	unsigned int i = rnd(NR_HANDLES), cache = rnd(NR_CACHES);
	struct mmbox_op op = { .handle = FIRST_HANDLE + i };

	if (!rnd(40) || !caches[cache].there) {
		op = (struct mmbox_op){ .code = MMBOX_OP_CACHE_SHRINK, .cache = cache };
		if (!caches[cache].there) {
			op.code = MMBOX_OP_CACHE_CREATE;
			op.size = rnd(4) ? 8 + rnd(1000) : 8 + rnd(OBJECT_MAX - 8);
			op.align = rnd(3) ? 0 : 1U << rnd(13);
			op.flags = rnd(MMBOX_CACHE_ALL + 1);
			op.name = (uintptr_t)(rnd(2) ? name : odd_name);
		} else if (!caches[cache].nr_held) {
			op.code = MMBOX_OP_CACHE_DESTROY;
		}
		return op;
	}
	switch (slots[i].held) {
	case KMALLOC:
		op.code = MMBOX_OP_KFREE;
		return op;
	case PAGES:
		op.code = MMBOX_OP_PAGES_FREE;
		op.order = slots[i].which;
		return op;
	case CACHE:
		op.code = MMBOX_OP_CACHE_FREE;
		op.cache = slots[i].which;
		op.nr = run_of(op.handle, CACHE, op.cache);
		if (op.nr > 1 && rnd(4))
			op.code = MMBOX_OP_BULK_FREE;
		else
			op.nr = 0;
		return op;
	default:
		break;
	}
	op.flags = some_gfp();
	op.nid = rnd(4) ? -1 : (int)rnd(info.nr_nodes);
	switch (rnd(4)) {
	case 0:
		op.code = MMBOX_OP_KMALLOC;
		op.size = rnd(50) ? 1 + rnd(3000) : 1 + rnd(info.kmalloc_limit);
		break;
	case 1:
		op.code = MMBOX_OP_PAGES_ALLOC;
		op.order = rnd(50) ? rnd(3) : rnd(info.nr_orders);
		break;
	case 2:
		op.code = MMBOX_OP_CACHE_ALLOC;
		op.cache = cache;
		break;
	default:
		op.code = MMBOX_OP_BULK_ALLOC;
		op.cache = cache;
		op.nid = 0;
		op.nr = run_of(op.handle, EMPTY, 0);
	}
	return op;
}

static void spoil(struct mmbox_op *op)
{
	static const __u32 odd[] = {
		0, 1, 2, 7, 63, 64, 65, 255, 4095, 4097, 1U << 16, 1U << 24, 0x7fffffff,
		0x80000000, 0xfffffffe, 0xffffffff,
	};
	static const char *const names[] = { name, no_name, blank_name, (char *)8, NULL };
	const __u32 value = rnd(2) ? odd[rnd(ARRAY_SIZE(odd))] : 1U << rnd(32);

	switch (rnd(8)) {
	case 0:
		op->code = value;
		break;
	case 1:
		op->order = value;
		break;
	case 2:
		op->cache = value;
		break;
	case 3:
		op->handle = value;
		break;
	case 4:
		op->flags = value;
		break;
	case 5:
		op->nid = value;
		break;
	case 6:
		op->size = value;
		break;
	default:
		if (rnd(2))
			op->nr = value;
		else
			op->name = (uintptr_t)names[rnd(ARRAY_SIZE(names))];
	}
	/* the program keeps track of its own handles and caches only */
	if (op->handle < info.nr_handles && op->handle + 64 > FIRST_HANDLE &&
	    op->handle < FIRST_HANDLE)
		op->handle = 0xffffffff;
	if ((op->handle >= FIRST_HANDLE + NR_HANDLES - 64 || op->handle < FIRST_HANDLE) &&
	    op->handle < info.nr_handles)
		op->handle = info.nr_handles;
	if (op->cache >= NR_CACHES && op->cache < info.nr_caches)
		op->cache = info.nr_caches;
}

static void batch(int fd)
{
	static struct mmbox_op ops[NR_OPS];
	static struct mmbox_result results[NR_OPS];
	const bool allow_empty = rnd(4) == 0;
	struct mmbox_batch batch = {
		.ops = (uintptr_t)ops,
		.results = (uintptr_t)results,
		.nr = 1 + rnd(rnd(8) ? 8 : NR_OPS),
		.flags = (allow_empty ? MMBOX_BATCH_ALLOW_EMPTY : 0) |
			 (rnd(2) ? MMBOX_BATCH_LATENCY : 0),
	};
	unsigned char used[NR_HANDLES] = {}, used_cache[NR_CACHES] = {};
	unsigned int i, k, nr = 0;
	int err;

	/* Each batch changes a handle or cache only once, so that its state is known. */
	while (nr < batch.nr) {
		struct mmbox_op op = make_op();
		const bool control = op.code >= MMBOX_OP_CACHE_CREATE;
		unsigned int last = op.nr && !control ? op.nr : 1;
		bool again = false;

		for (k = 0; !control && k < last; k++)
			again |= used[op.handle - FIRST_HANDLE + k];
		if (control && used_cache[op.cache])
			again = true;
		if (!control && op.cache < NR_CACHES && used_cache[op.cache] == 2)
			again = true;
		if (again) {
			batch.nr--;
			continue;
		}
		for (k = 0; !control && k < last; k++)
			used[op.handle - FIRST_HANDLE + k] = 1;
		used_cache[op.cache] |= control ? 2 : 1;
		if (!rnd(400))
			spoil(&op);
		ops[nr++] = op;
	}
	memset(results, 0x55, sizeof(results));
	err = ioctl(fd, MMBOX_IOC_BATCH, &batch) ? errno : 0;
	nr_sent += batch.nr;
	nr_done += batch.nr_done;
	if (batch.nr_done > batch.nr) {
		wrong(&ops[0], "more were done than there are", batch.nr_done);
		return;
	}
	for (i = 0; i < batch.nr_done; i++)
		carried_out(&ops[i], allow_empty, results[i].error);
	if (batch.nr_done == batch.nr) {
		if (err)
			wrong(&ops[0], "all were done, and yet there is an error", err);
		return;
	}
	nr_refused++;
	if (is_ok(&ops[i], allow_empty))
		wrong(&ops[i], "it was refused", err);
	else if (err != EINVAL && !(err == EFAULT && ops[i].code == MMBOX_OP_CACHE_CREATE))
		wrong(&ops[i], "it was refused otherwise", err);
}

static void ask(int fd)
{
	struct mmbox_checksum checksum;
	struct mmbox_stat stat;

	switch (rnd(4)) {
	case 0:
		if (ioctl(fd, MMBOX_IOC_STAT, &stat))
			nr_wrong++;
		break;
	case 1:
		if (ioctl(fd, MMBOX_IOC_CHECKSUM, &checksum))
			nr_wrong++;
		break;
	case 2:
		if (ioctl(fd, rnd(0xffffffff), NULL) != -1)
			nr_wrong++;
		break;
	default:
		/* the target cannot change while anything is held */
		if (!ioctl(fd, MMBOX_IOC_TARGET, 2 + rnd(1 << 30)) || errno != EINVAL)
			nr_wrong++;
		if (nr_held && (!ioctl(fd, MMBOX_IOC_TARGET, MMBOX_TARGET_HOST) ||
				errno != EBUSY))
			nr_wrong++;
	}
}

/* One session, on the box or on the host, from its beginning to its end. */
static void session(const char *path, unsigned long long until, time_t end)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || (!rnd(4) && ioctl(fd, MMBOX_IOC_TARGET, MMBOX_TARGET_HOST)) ||
	    ioctl(fd, MMBOX_IOC_INFO, &info)) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	/* The host's nodes are not known here. A guest has one. */
	if (info.target == MMBOX_TARGET_HOST)
		info.nr_nodes = 1;
	memset(slots, 0, sizeof(slots));
	memset(caches, 0, sizeof(caches));
	nr_held = 0;
	while (nr_sent < until && (!end || time(NULL) < end) && rnd(3000)) {
		batch(fd);
		if (!rnd(100))
			ask(fd);
	}
	close(fd);
}

static void run_seed(const char *path, unsigned long long seed, unsigned long long records,
		     time_t end)
{
	state = seed * 0x9e3779b97f4a7c15ULL + 1;
	nr_sent = 0;
	nr_done = 0;
	nr_refused = 0;
	nr_no_memory = 0;
	nr_wrong = 0;
	while (nr_sent < records && (!end || time(NULL) < end))
		session(path, records, end);
	ok(!nr_wrong && nr_done * 10 > nr_sent * 8 && nr_refused,
	   "seed %llu: %llu records, %llu carried out, %llu batches refused, %llu without memory, %llu wrong",
	   seed, nr_sent, nr_done, nr_refused, nr_no_memory, nr_wrong);
}

int main(int argc, char **argv)
{
	unsigned long long records = 30000, seed = time(NULL);
	time_t end = 0;
	int i;

	if (argc < 4) {
		fputs("usage: fuzz_device DEVICE RECORDS|SECONDSs SEED...\n", stderr);
		return 2;
	}
	if (argv[2][strlen(argv[2]) - 1] == 's')
		end = time(NULL) + strtoul(argv[2], NULL, 10);
	else
		records = strtoull(argv[2], NULL, 10);
	for (i = 3; i < argc; i++)
		run_seed(argv[1], strtoull(argv[i], NULL, 10), records, 0);
	while (end && time(NULL) < end - 5)
		run_seed(argv[1], seed++, records, end);
	return ok_sum();
}
