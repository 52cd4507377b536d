// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz target: a trace file for `mmbox replay`. A model replaces the device, and knows what
 * is held. A record that the kernel would refuse is a mistake of replay. The first byte of
 * an input chooses the number of CPUs, the size of the box, and which allocations fail.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <getopt.h>

#include "commands.h"
#include "device.h"
#include "fuzz.h"

#define NR_HANDLES	(1U << 17)
#define NR_CACHES	64U

static struct model {
	uint8_t choice;
	uint32_t held[NR_HANDLES];	/* how it was allocated + 1, 0: empty */
	bool caches[NR_CACHES];
	uint64_t nr_ops;
	pthread_mutex_t lock;		/* for all fields above */
} model = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void fill_info(struct mmbox_info *info)
{
	*info = (struct mmbox_info){
		.version = MMBOX_UAPI_VERSION,
		.box_size = 64 << 20,
		.page_size = 4096,
		.nr_nodes = 1 + (model.choice >> 2 & 1),
		.nr_orders = 11,
		.nr_handles = NR_HANDLES,
		.nr_caches = NR_CACHES,
		.bulk_max = 64,
		.kmalloc_min = 8,
		.kmalloc_max = 128 << 10,
		.kmalloc_limit = 4 << 20,
		.name = "box0",
	};
}

/* Replaces device.c. */
int device_open(const char *box, struct mmbox_info *info)
{
	(void)box;
	fill_info(info);
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static void create_cache(const struct mmbox_op *op)
{
	const char *name = (const char *)(uintptr_t)op->name;

	fuzz_expect(op->cache < NR_CACHES && !model.caches[op->cache], "a cache handle is free");
	fuzz_expect(strlen(name) && strlen(name) < MMBOX_UAPI_NAME_LEN, "a cache has a name");
	fuzz_expect(op->size >= 8, "an object has room for a pointer");
	fuzz_expect(!(op->align & (op->align - 1)) && op->align <= 4096, "an alignment");
}

/* How the operation allocates or frees, as the tag of a handle in the kernel. */
static uint32_t way_of(const struct mmbox_op *op)
{
	switch (op->code) {
	case MMBOX_OP_KMALLOC:
	case MMBOX_OP_KFREE:
		return 1;
	case MMBOX_OP_PAGES_ALLOC:
	case MMBOX_OP_PAGES_FREE:
		fuzz_expect(op->order < 11, "an order that the box has");
		return 0x10000 + op->order;
	default:
		fuzz_expect(op->cache < NR_CACHES && model.caches[op->cache], "a cache there is");
		return 0x20000 + op->cache;
	}
}

/* Returns false if the allocation fails. */
static bool allocate(const struct mmbox_op *op, uint32_t way)
{
	fuzz_expect(!(op->flags & ~MMBOX_GFP_ALL), "flags that there are");
	fuzz_expect(op->nid >= -1 && op->nid < 1 + (model.choice >> 2 & 1), "a node that there is");
	fuzz_expect(op->code != MMBOX_OP_KMALLOC || (op->size && op->size <= 4 << 20),
		    "a size that the box has");
	fuzz_expect(!model.held[op->handle], "an empty handle is filled");
	if (model.choice >> 3 && !(model.nr_ops % (model.choice >> 3)))
		return false;
	model.held[op->handle] = way;
	return true;
}

static int batch(struct mmbox_batch *batch)
{
	const struct mmbox_op *ops = (const struct mmbox_op *)(uintptr_t)batch->ops;

	for (; batch->nr_done < batch->nr; batch->nr_done++) {
		const struct mmbox_op *op = &ops[batch->nr_done];
		bool is_free = op->code == MMBOX_OP_KFREE || op->code == MMBOX_OP_CACHE_FREE ||
			       op->code == MMBOX_OP_PAGES_FREE;

		model.nr_ops++;
		if (op->code == MMBOX_OP_CACHE_CREATE) {
			create_cache(op);
			if (op->size > 128 << 10)
				return -1;
			model.caches[op->cache] = true;
			continue;
		}
		fuzz_expect(op->handle < NR_HANDLES, "a handle that there is");
		if (is_free) {
			uint32_t held = model.held[op->handle];

			fuzz_expect(!held || held == way_of(op), "a free goes with its allocation");
			fuzz_expect(held || batch->flags & MMBOX_BATCH_ALLOW_EMPTY,
				    "something is freed");
			batch->nr_empty += !held;
			model.held[op->handle] = 0;
		} else if (!allocate(op, way_of(op)) && !batch->nr_failed++) {
			batch->first_failed = batch->nr_done;
		}
	}
	return 0;
}

/* Replaces that of the C library (--wrap). */
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	int ret = 0;

	(void)fd;
	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	pthread_mutex_lock(&model.lock);
	switch (request) {
	case MMBOX_IOC_INFO:
		fill_info(arg);
		break;
	case MMBOX_IOC_BATCH:
		ret = batch(arg);
		break;
	case MMBOX_IOC_STAT:
		memset(arg, 0, sizeof(struct mmbox_stat));
		break;
	case MMBOX_IOC_CHECKSUM:
		memset(arg, 0, sizeof(struct mmbox_checksum));
		break;
	}
	pthread_mutex_unlock(&model.lock);
	return ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *argv[6];
	uint8_t *fixed;
	int argc = 0;

	fuzz_hush();
	if (!len)
		return 0;
	model.choice = data[0];
	memset(model.held, 0, sizeof(model.held));
	memset(model.caches, 0, sizeof(model.caches));
	model.nr_ops = 0;
	argv[argc++] = "replay";
	argv[argc++] = "--cpus";
	argv[argc++] = model.choice & 1 ? "2" : "1";
	if (model.choice & 2)
		argv[argc++] = "--json";
	fixed = xmalloc(len - 1);
	memcpy(fixed, data + 1, len - 1);
	fuzz_fix_checksums(fixed, len - 1);
	argv[argc++] = fuzz_file(fixed, len - 1);
	argv[argc] = NULL;
	free(fixed);
	optind = 0;
	cmd_replay(argc, (char **)argv);
	return 0;
}
