// SPDX-License-Identifier: GPL-2.0
/*
 * test/device DEVICE: tests each record and request of a box's device. Nobody else may
 * use the box. Prints a line a test, and `N passed, N failed` at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uapi/mmbox.h>

#include "child.h"
#include "ok.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static const char *path;
static struct mmbox_info info;

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static int open_box(void)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die(path);
	return fd;
}

/* ---- batches ---- */

static struct mmbox_batch last;		/* as the kernel returned it */
static struct mmbox_result results[4096];

/* Returns 0 or the errno of the batch. @last is the batch as the kernel returned it. */
static int run(int fd, const struct mmbox_op *ops, unsigned int nr, unsigned int flags)
{
	last = (struct mmbox_batch){
		.ops = (uintptr_t)ops,
		.nr = nr,
		.flags = flags,
	};
	return ioctl(fd, MMBOX_IOC_BATCH, &last) ? errno : 0;
}

/* The same, with results. */
static int run_results(int fd, const struct mmbox_op *ops, unsigned int nr,
		       unsigned int flags)
{
	memset(results, 0x55, nr * sizeof(results[0]));
	last = (struct mmbox_batch){
		.ops = (uintptr_t)ops,
		.results = (uintptr_t)results,
		.nr = nr,
		.flags = flags,
	};
	return ioctl(fd, MMBOX_IOC_BATCH, &last) ? errno : 0;
}

static int one(int fd, struct mmbox_op op)
{
	return run(fd, &op, 1, 0);
}

#define KMALLOC(h, s)	{ .code = MMBOX_OP_KMALLOC, .handle = h, .size = s, \
			  .flags = MMBOX_GFP_KERNEL, .nid = -1 }
#define KFREE(h)	{ .code = MMBOX_OP_KFREE, .handle = h }
#define PALLOC(h, o)	{ .code = MMBOX_OP_PAGES_ALLOC, .handle = h, .order = o, \
			  .flags = MMBOX_GFP_KERNEL, .nid = -1 }
#define PFREE(h, o)	{ .code = MMBOX_OP_PAGES_FREE, .handle = h, .order = o }
#define CALLOC(h, c)	{ .code = MMBOX_OP_CACHE_ALLOC, .handle = h, .cache = c, \
			  .flags = MMBOX_GFP_KERNEL, .nid = -1 }
#define CFREE(h, c)	{ .code = MMBOX_OP_CACHE_FREE, .handle = h, .cache = c }
#define BALLOC(h, c, n)	{ .code = MMBOX_OP_BULK_ALLOC, .handle = h, .cache = c, \
			  .nr = n, .flags = MMBOX_GFP_KERNEL }
#define BFREE(h, c, n)	{ .code = MMBOX_OP_BULK_FREE, .handle = h, .cache = c, .nr = n }
#define CREATE(c, n, s)	{ .code = MMBOX_OP_CACHE_CREATE, .cache = c, \
			  .name = (uintptr_t)(n), .size = s }
#define DESTROY(c)	{ .code = MMBOX_OP_CACHE_DESTROY, .cache = c }
#define SHRINK(c)	{ .code = MMBOX_OP_CACHE_SHRINK, .cache = c }
#define OP(...)		((struct mmbox_op)__VA_ARGS__)

static struct mmbox_stat stat_of(int fd)
{
	struct mmbox_stat stat;

	if (ioctl(fd, MMBOX_IOC_STAT, &stat))
		die("MMBOX_IOC_STAT");
	return stat;
}

/* ---- tests ---- */

static void test_face(void)
{
	int fd = open_box();
	struct mmbox_checksum checksum = { .reserved = 1 };
	bool has_info = !ioctl(fd, MMBOX_IOC_INFO, &info);
	bool has_checksum = !ioctl(fd, MMBOX_IOC_CHECKSUM, &checksum);
	struct stat st;

	ok(!stat(path, &st) && S_ISCHR(st.st_mode) && (st.st_mode & 07777) == 0600 &&
	   !st.st_uid, "the device is root's, with mode 0600");
	ok(has_info && info.version == MMBOX_UAPI_VERSION &&
	   info.target == MMBOX_TARGET_BOX && info.box_size >= 4 << 20 &&
	   (long)info.page_size == sysconf(_SC_PAGESIZE) && info.nr_nodes >= 1 &&
	   info.nr_orders >= 10 && info.kmalloc_max > info.kmalloc_min &&
	   info.kmalloc_limit >= info.kmalloc_max && !info.reserved && info.name[0],
	   "it says what it is: %s, %llu bytes", info.name,
	   (unsigned long long)info.box_size);
	ok(ioctl(fd, _IO(MMBOX_IOC_MAGIC, 99)) && errno == ENOTTY,
	   "an unknown request is refused");
	ok(ioctl(fd, MMBOX_IOC_INFO, (void *)8) && errno == EFAULT &&
	   ioctl(fd, MMBOX_IOC_BATCH, (void *)8) && errno == EFAULT &&
	   ioctl(fd, MMBOX_IOC_STAT, (void *)8) && errno == EFAULT &&
	   ioctl(fd, MMBOX_IOC_CHECKSUM, (void *)8) && errno == EFAULT,
	   "so is an address there is not");
	ok(has_checksum && !checksum.reserved,
	   "it has a checksum, %08x", checksum.crc);
	close(fd);
}

/* Bad records, each behind a good one, which is carried out. */
static void test_bad_records(void)
{
	static const char blank[] = "a b", empty[] = "", fine[] = "fine";
	static char endless[MMBOX_UAPI_NAME_LEN + 1];
	const struct {
		const char *what;
		struct mmbox_op op;
	} bad[] = {
		{ "code 0", { .code = 0 } },
		{ "a code beyond the last", { .code = MMBOX_OP_CACHE_SHRINK + 1 } },
		{ "code 255", { .code = 255 } },
		{ "kmalloc of 0 bytes", KMALLOC(2, 0) },
		{ "kmalloc of too much", KMALLOC(2, info.kmalloc_limit + 1) },
		{ "kmalloc, unknown flag",
		  { .code = MMBOX_OP_KMALLOC, .handle = 2, .size = 8, .nid = -1,
		    .flags = 0x80000000 } },
		{ "kmalloc, node -2",
		  { .code = MMBOX_OP_KMALLOC, .handle = 2, .size = 8, .nid = -2 } },
		{ "kmalloc, node beyond the last",
		  { .code = MMBOX_OP_KMALLOC, .handle = 2, .size = 8,
		    .nid = info.nr_nodes } },
		{ "kmalloc, largest node",
		  { .code = MMBOX_OP_KMALLOC, .handle = 2, .size = 8,
		    .nid = 0x7fffffff } },
		{ "kmalloc with an order",
		  { .code = MMBOX_OP_KMALLOC, .handle = 2, .size = 8, .nid = -1,
		    .order = 1 } },
		{ "kmalloc with a cache",
		  { .code = MMBOX_OP_KMALLOC, .handle = 2, .size = 8, .nid = -1,
		    .cache = 1 } },
		{ "kmalloc with a name",
		  { .code = MMBOX_OP_KMALLOC, .handle = 2, .size = 8, .nid = -1,
		    .name = 1 } },
		{ "kmalloc with a number",
		  { .code = MMBOX_OP_KMALLOC, .handle = 2, .size = 8, .nid = -1,
		    .nr = 1 } },
		{ "kmalloc, handle in use", KMALLOC(1, 8) },
		{ "kmalloc, handle beyond the last", KMALLOC(info.nr_handles, 8) },
		{ "kmalloc, largest handle", KMALLOC(0xffffffff, 8) },
		{ "kfree, empty handle", KFREE(2) },
		{ "kfree, handle never used", KFREE(info.nr_handles - 1) },
		{ "kfree, handle beyond the last", KFREE(info.nr_handles) },
		{ "kfree with a size", { .code = MMBOX_OP_KFREE, .handle = 1, .size = 64 } },
		{ "kfree with flags", { .code = MMBOX_OP_KFREE, .handle = 1, .flags = 1 } },
		{ "kfree with a node", { .code = MMBOX_OP_KFREE, .handle = 1, .nid = -1 } },
		{ "kmalloc'ed memory freed as pages", PFREE(1, 0) },
		{ "kmalloc'ed memory freed to a cache", CFREE(1, 0) },
		{ "pages of too large an order", PALLOC(2, info.nr_orders) },
		{ "pages of order 255", PALLOC(2, 255) },
		{ "pages with a size",
		  { .code = MMBOX_OP_PAGES_ALLOC, .handle = 2, .nid = -1, .size = 1 } },
		{ "an object of a cache there is not", CALLOC(2, 9) },
		{ "an object of a cache beyond the last", CALLOC(2, info.nr_caches) },
		{ "an object with a size",
		  { .code = MMBOX_OP_CACHE_ALLOC, .handle = 2, .nid = -1, .size = 1 } },
		{ "a bulk of none", BALLOC(2, 0, 0) },
		{ "too large a bulk", BALLOC(2, 0, info.bulk_max + 1) },
		{ "a bulk over the last handle", BALLOC(info.nr_handles - 1, 0, 2) },
		{ "a bulk with a handle in use", BALLOC(0, 0, 2) },
		{ "a bulk free of empty handles", BFREE(2, 0, 2) },
		{ "a cache on a handle in use", CREATE(0, fine, 64) },
		{ "a cache of nothing", CREATE(1, fine, 0) },
		{ "a cache of 7 bytes", CREATE(1, fine, 7) },
		{ "a cache of 1 GiB", CREATE(1, fine, 1 << 30) },
		{ "a cache without a name", CREATE(1, empty, 64) },
		{ "a cache with a blank in its name", CREATE(1, blank, 64) },
		{ "a cache with too long a name", CREATE(1, endless, 64) },
		{ "a cache aligned to 24",
		  { .code = MMBOX_OP_CACHE_CREATE, .cache = 1, .size = 64,
		    .name = (uintptr_t)fine, .align = 24 } },
		{ "a cache aligned to two pages",
		  { .code = MMBOX_OP_CACHE_CREATE, .cache = 1, .size = 64,
		    .name = (uintptr_t)fine, .align = 2 * info.page_size } },
		{ "a cache with an unknown flag",
		  { .code = MMBOX_OP_CACHE_CREATE, .cache = 1, .size = 64,
		    .name = (uintptr_t)fine, .flags = 0x100 } },
		{ "a cache with a node",
		  { .code = MMBOX_OP_CACHE_CREATE, .cache = 1, .size = 64,
		    .name = (uintptr_t)fine, .nid = -1 } },
		{ "a cache beyond the last", CREATE(info.nr_caches, fine, 64) },
		{ "destroying a cache there is not", DESTROY(1) },
		{ "shrinking a cache there is not", SHRINK(1) },
		{ "destroying a cache with a handle",
		  { .code = MMBOX_OP_CACHE_DESTROY, .handle = 1 } },
	};
	int fd = open_box();
	size_t i;

	memset(endless, 'x', sizeof(endless));
	if (one(fd, OP(KMALLOC(1, 64))) || one(fd, OP(CREATE(0, fine, 64))))
		die("the first records");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct mmbox_op ops[3] = { KMALLOC(100, 8), bad[i].op, KMALLOC(101, 8) };
		int err = run(fd, ops, 3, 0);
		bool right = err == EINVAL && last.nr_done == 1;

		/* the record before was carried out, the one behind was not */
		right &= !one(fd, OP(KFREE(100))) && one(fd, OP(KFREE(101))) == EINVAL;
		ok(right, "refused: %s (error %d, %u done)", bad[i].what, err,
		   last.nr_done);
	}
	ok(one(fd, OP(CREATE(1, (char *)8, 64))) == EFAULT && !last.nr_done,
	   "refused: a name at an address there is not");
	ok(!one(fd, OP(KFREE(1))) && !one(fd, OP(DESTROY(0))),
	   "what was held is held still");
	close(fd);
}

static void test_bad_batches(void)
{
	struct mmbox_op op = KMALLOC(1, 8);
	int fd = open_box();

	ok(!run(fd, NULL, 0, 0) && !last.nr_done, "an empty batch is nothing");
	ok(run(fd, &op, 1, 0x80) == EINVAL && !last.nr_done,
	   "an unknown flag of a batch is refused");
	ok(run(fd, &op, 1, MMBOX_BATCH_LATENCY) == EINVAL,
	   "times without room for results are refused");
	ok(run(fd, (void *)8, 1, 0) == EFAULT && !last.nr_done,
	   "records at an address there is not");
	last = (struct mmbox_batch){
		.ops = (uintptr_t)&op, .results = 8, .nr = 1,
	};
	ok(ioctl(fd, MMBOX_IOC_BATCH, &last) && errno == EFAULT && last.nr_done == 1,
	   "results to an address there is not");
	close(fd);
}

/* Arrays of records that reach into unmapped memory. */
static void test_short_batches(void)
{
	static const unsigned int places[] = { 0, 1, 127, 511, 512, 513, 1500 };
	const size_t len = 64 << 10, page = sysconf(_SC_PAGESIZE);
	char *memory = mmap(NULL, len + page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool right = true;
	unsigned int i, k;
	int fd = open_box();

	if (memory == MAP_FAILED || mprotect(memory + len, page, PROT_NONE))
		die("mmap");
	for (k = 0; k < ARRAY_SIZE(places); k++) {
		struct mmbox_op *ops = (struct mmbox_op *)(memory + len) - places[k];

		for (i = 0; i < places[k]; i++)
			ops[i] = OP(KMALLOC(i, 64));
		right &= run(fd, ops, UINT32_MAX, 0) == EFAULT &&
			 last.nr_done == places[k] && !last.nr_failed;
		for (i = 0; i < places[k]; i++)
			ops[i] = OP(KFREE(i));
		right &= !run(fd, ops, places[k], 0) && last.nr_done == places[k];
	}
	ok(right, "records before one that is not there are carried out, and counted");
	munmap(memory, len + page);
	close(fd);
}

/* Batches of more than one chunk: results do not show where chunks begin and end. */
static void test_long_batches(void)
{
	static const unsigned int places[] = { 0, 1, 511, 512, 513, 1023, 1024, 2999 };
	enum { NR = 3000 };
	static struct mmbox_op ops[NR], frees[NR];
	bool right = true;
	int fd = open_box();
	unsigned int i, k;

	for (i = 0; i < NR; i++) {
		ops[i] = OP(KMALLOC(7 * i, 1 + i % 300));
		frees[i] = OP(KFREE(7 * i));
	}
	for (k = 0; k < ARRAY_SIZE(places); k++) {
		ops[places[k]].order = 1;
		right &= run(fd, ops, NR, 0) == EINVAL && last.nr_done == places[k];
		ops[places[k]].order = 0;
		right &= !run(fd, frees, places[k], 0) &&
			 run(fd, frees, NR, 0) == EINVAL && !last.nr_done;
		/* a record that is valid, but fails when it is carried out */
		right &= !one(fd, ops[places[k]]);
		right &= run(fd, ops, NR, 0) == EINVAL && last.nr_done == places[k];
		right &= !run(fd, frees, places[k] + 1, 0);
	}
	ok(right, "a bad record is named wherever it is in a long batch");
	ok(!run_results(fd, ops, NR, 0) && last.nr_done == NR && !last.nr_failed &&
	   !run(fd, frees, NR, 0), "a long batch is carried out");
	for (right = true, i = 0; i < NR; i++)
		right &= !results[i].error && results[i].phys < info.box_size;
	ok(right, "each of its results is there");
	close(fd);
}

static int compare(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

static void test_results(void)
{
	static struct mmbox_op ops[200];
	static __u64 phys[200];
	int fd = open_box();
	unsigned int i, nr = ARRAY_SIZE(ops);
	bool right = true;

	for (i = 0; i < nr; i++)
		ops[i] = OP(PALLOC(i, i % 4));
	right &= !run_results(fd, ops, nr, MMBOX_BATCH_LATENCY) && last.nr_done == nr;
	for (i = 0; i < nr; i++) {
		__u64 bytes = (__u64)info.page_size << (i % 4);

		right &= !results[i].error && results[i].phys % bytes == 0 &&
			 results[i].phys + bytes <= info.box_size;
		phys[i] = results[i].phys;
		ops[i] = OP(PFREE(i, i % 4));
	}
	qsort(phys, nr, sizeof(phys[0]), compare);
	for (i = 1; i < nr; i++)
		right &= phys[i] != phys[i - 1];
	ok(right, "pages lie in the box, aligned, each elsewhere");
	right = !run_results(fd, ops, nr, 0);
	for (i = 0; i < nr; i++)
		right &= !results[i].error && results[i].phys == MMBOX_PHYS_NONE &&
			 !results[i].ns;
	ok(right, "frees have results without a place");
	ok(one(fd, OP(PFREE(0, 0))) == EINVAL, "and what is freed is gone");
	close(fd);
}

static void test_ways_of_freeing(void)
{
	static const char name[] = "device_test";
	struct mmbox_op begin[] = {
		CREATE(0, name, 200), CREATE(1, name, 200),
		KMALLOC(0, 64), PALLOC(1, 2), CALLOC(2, 0),
		KMALLOC(3, 1 << 18),
	};
	struct mmbox_op wrong[] = {
		PFREE(0, 0), CFREE(0, 0), KFREE(1), PFREE(1, 1), PFREE(1, 3),
		CFREE(1, 0), KFREE(2), CFREE(2, 1), PFREE(2, 0), BFREE(2, 1, 1),
		PFREE(3, 6), DESTROY(0),
	};
	struct mmbox_op end[] = {
		KFREE(0), PFREE(1, 2), CFREE(2, 0), KFREE(3), SHRINK(0),
		DESTROY(0), DESTROY(1),
	};
	enum mmbox_target target;

	for (target = MMBOX_TARGET_BOX; target <= MMBOX_TARGET_HOST; target++) {
		int fd = open_box();
		bool right = !ioctl(fd, MMBOX_IOC_TARGET, target);
		__u64 refused = stat_of(fd).nr_refused;
		size_t i;

		right &= !run(fd, begin, ARRAY_SIZE(begin), 0);
		for (i = 0; i < ARRAY_SIZE(wrong); i++)
			right &= one(fd, wrong[i]) == EINVAL;
		right &= !run(fd, end, ARRAY_SIZE(end), 0);
		ok(right && stat_of(fd).nr_refused == refused,
		   "on the %s nothing is freed but in the way it was allocated",
		   target == MMBOX_TARGET_BOX ? "box" : "host");
		close(fd);
	}
}

static void test_bulk(void)
{
	static const char name[] = "device_bulk";
	unsigned int n = info.bulk_max, first = 4096 - 10;
	enum mmbox_target target;

	for (target = MMBOX_TARGET_BOX; target <= MMBOX_TARGET_HOST; target++) {
		int fd = open_box();
		bool right = !ioctl(fd, MMBOX_IOC_TARGET, target);

		right &= !one(fd, OP(CREATE(0, name, 128)));
		right &= !one(fd, OP(BALLOC(first, 0, n)));
		right &= one(fd, OP(CALLOC(first + n - 1, 0))) == EINVAL;
		right &= !one(fd, OP(CALLOC(first + n, 0)));
		/* one object is free already: none is freed */
		right &= !one(fd, OP(CFREE(first + 5, 0)));
		right &= one(fd, OP(BFREE(first, 0, n))) == EINVAL;
		right &= !run(fd, &OP(BFREE(first, 0, n)), 1, MMBOX_BATCH_ALLOW_EMPTY) &&
			 last.nr_empty == 1 && last.nr_done == 1;
		right &= one(fd, OP(CFREE(first, 0))) == EINVAL;
		/* one handle is in use: none is allocated */
		right &= one(fd, OP(BALLOC(first + 10, 0, n))) == EINVAL;
		right &= one(fd, OP(CFREE(first + 10, 0))) == EINVAL;
		right &= !one(fd, OP(CFREE(first + n, 0)));
		right &= !one(fd, OP(BALLOC(first + 10, 0, n)));
		right &= !one(fd, OP(BFREE(first + 10, 0, n)));
		/* all objects are free already */
		right &= !run_results(fd, &OP(BFREE(first + 10, 0, n)), 1,
				      MMBOX_BATCH_ALLOW_EMPTY) &&
			 last.nr_empty == n && results[0].error == -ENOENT;
		right &= !one(fd, OP(DESTROY(0)));
		ok(right, "bulks are whole or nothing, on the %s",
		   target == MMBOX_TARGET_BOX ? "box" : "host");
		close(fd);
	}
}

static void test_control_within(void)
{
	static const char name[] = "device_within";
	struct mmbox_op ops[] = {
		KMALLOC(0, 100), CREATE(3, name, 300), CALLOC(1, 3), CALLOC(2, 3),
		CFREE(1, 3), SHRINK(3), CFREE(2, 3), DESTROY(3), CREATE(3, name, 64),
		CALLOC(1, 3), KFREE(0), DESTROY(3), KMALLOC(5, 8),
	};
	int fd = open_box();

	ok(run(fd, ops, ARRAY_SIZE(ops), 0) == EINVAL && last.nr_done == 11,
	   "caches come and go within a batch, but not with objects in use");
	close(fd);
}

static void test_no_memory(void)
{
	enum { NR = 4096 };
	static struct mmbox_op ops[NR], frees[NR];
	unsigned int order = info.nr_orders - 1, i, nr_failed_results = 0, first = NR;
	int fd = open_box();
	struct mmbox_stat stat;
	bool right;

	/* more than the box has of each kind, then a little that fits */
	for (i = 0; i < NR; i++) {
		ops[i] = OP(PALLOC(i, i < NR / 2 ? order : 0));
		frees[i] = OP(PFREE(i, i < NR / 2 ? order : 0));
	}
	right = !run_results(fd, ops, NR, 0) && last.nr_done == NR;
	for (i = 0; i < NR; i++) {
		if (results[i].error == -ENOMEM && first == NR)
			first = i;
		nr_failed_results += results[i].error == -ENOMEM;
		right &= !results[i].error || results[i].error == -ENOMEM;
	}
	ok(right && nr_failed_results && last.nr_failed == nr_failed_results &&
	   last.first_failed == first,
	   "allocations without memory say so, the batch goes on (%u, from %u)",
	   last.nr_failed, last.first_failed);
	stat = stat_of(fd);
	ok(stat.nr_failed == nr_failed_results && stat.nr_ops == NR,
	   "the session counts them");
	ok(run(fd, frees, NR, 0) == EINVAL && last.nr_done == first,
	   "their handles are empty");
	ok(!run_results(fd, frees + first, NR - first, MMBOX_BATCH_ALLOW_EMPTY) &&
	   last.nr_empty == nr_failed_results && results[0].error == -ENOENT,
	   "which can be let pass, and is counted");
	ok(!run(fd, ops, 1, 0), "afterwards there is memory");
	close(fd);
}

static void test_target(void)
{
	static const char name[] = "device_target";
	int fd = open_box();
	struct mmbox_info now;

	ok(ioctl(fd, MMBOX_IOC_TARGET, 2) && errno == EINVAL, "there is no third target");
	ok(!one(fd, OP(KMALLOC(70000, 8))) &&
	   ioctl(fd, MMBOX_IOC_TARGET, MMBOX_TARGET_HOST) && errno == EBUSY &&
	   !one(fd, OP(KFREE(70000))), "the target stays while an object is held");
	ok(!one(fd, OP(CREATE(0, name, 8))) &&
	   ioctl(fd, MMBOX_IOC_TARGET, MMBOX_TARGET_HOST) && errno == EBUSY &&
	   !one(fd, OP(DESTROY(0))), "and while there is a cache");
	ok(!ioctl(fd, MMBOX_IOC_TARGET, MMBOX_TARGET_HOST) &&
	   !ioctl(fd, MMBOX_IOC_INFO, &now) && now.target == MMBOX_TARGET_HOST,
	   "otherwise it changes");
	ok(!run_results(fd, &OP(KMALLOC(0, 64)), 1, 0) &&
	   results[0].phys == MMBOX_PHYS_NONE, "addresses of the host are not told");
	ok(!one(fd, OP(PALLOC(1, 4))) && stat_of(fd).pages >= 16,
	   "pages of the host are counted");
	ok(!one(fd, OP(CREATE(0, name, 64))) && !one(fd, OP(CREATE(1, name, 64))),
	   "two caches of one name on the host");
	close(fd);
	fd = open_box();
	ok(!ioctl(fd, MMBOX_IOC_INFO, &now) && now.target == MMBOX_TARGET_BOX,
	   "a new session begins on the box");
	close(fd);
}

static void test_sessions(void)
{
	int a = open_box(), b = open_box();

	ok(!one(a, OP(KMALLOC(1, 8))) && one(b, OP(KFREE(1))) == EINVAL &&
	   !one(b, OP(KMALLOC(1, 8))) && !one(b, OP(KFREE(1))) &&
	   !one(a, OP(KFREE(1))), "handles are a session's own");
	close(a);
	close(b);
}

/* ---- sessions that end with objects in use ---- */

static void hold_much(int fd)
{
	static const char name[] = "device_held";
	static struct mmbox_op ops[3000];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		if (!i)
			ops[i] = OP(CREATE(0, name, 500));
		else if (i % 3 == 0)
			ops[i] = OP(KMALLOC(i, 1 + i % 5000));
		else if (i % 3 == 1)
			ops[i] = OP(CALLOC(i, 0));
		else
			ops[i] = OP(PALLOC(i, i % 2));
	}
	if (run(fd, ops, ARRAY_SIZE(ops), 0))
		die("holding much");
}

static long pages_now(void)
{
	int fd = open_box();
	long pages = stat_of(fd).pages;

	close(fd);
	return pages;
}

static void hold_and_close(void)
{
	int fd = open_box();

	hold_much(fd);
	close(fd);
}

static bool hold_in_child(void *fd)
{
	*(int *)fd = open_box();
	hold_much(*(int *)fd);
	return true;
}

static void run_batch(void *fd)
{
	static struct mmbox_op ops[100000];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		ops[i] = i % 2 ? OP(KFREE(9999)) : OP(KMALLOC(9999, 64));
	run(*(int *)fd, ops, ARRAY_SIZE(ops), 0);
}

static void hold_and_be_killed(bool in_the_middle)
{
	int fd;
	pid_t pid = child_start(hold_in_child, in_the_middle ? run_batch : NULL, &fd);

	if (in_the_middle)
		usleep(50000);
	child_kill(pid);
}

static void test_letting_go(void)
{
	long before, after;
	cpu_set_t all, single;
	int fd;

	/* on one CPU, as each CPU keeps free objects and pages */
	CPU_ZERO(&single);
	CPU_SET(sched_getcpu(), &single);
	if (sched_getaffinity(0, sizeof(all), &all) ||
	    sched_setaffinity(0, sizeof(single), &single))
		die("sched_setaffinity");
	/* the first time leaves free slabs, which the second reuses */
	hold_and_close();
	before = pages_now();
	hold_and_close();
	after = pages_now();
	ok(before == after, "closing frees all (%ld pages, then %ld)", before, after);
	hold_and_be_killed(false);
	after = pages_now();
	ok(before == after, "so does being killed (%ld pages)", after);
	hold_and_be_killed(true);
	after = pages_now();
	ok(before == after, "even in the middle of a batch (%ld pages)", after);
	fd = open_box();
	ok(!ioctl(fd, MMBOX_IOC_TARGET, MMBOX_TARGET_HOST), "a session on the host");
	hold_much(fd);
	close(fd);
	ok(pages_now() == before, "leaves no trace in the box");
	sched_setaffinity(0, sizeof(all), &all);
}

/* ---- two threads ---- */

struct racer {
	pthread_t thread;
	int fd;
	unsigned int seed;
	unsigned long nr_done, nr_refused, nr_other;
};

#define RACE_HANDLES	8
#define RACE_BATCHES	20000

/* Random records on few handles. They may be refused, but must not do harm. */
static void *race(void *arg)
{
	struct racer *racer = arg;
	unsigned int n;

	for (n = 0; n < RACE_BATCHES; n++) {
		unsigned int h = rand_r(&racer->seed) % RACE_HANDLES;
		struct mmbox_op ops[] = {
			KMALLOC(h, 200), KFREE(h), PALLOC(h, 1), PFREE(h, 1),
			CALLOC(h, 0), CFREE(h, 0), BALLOC(h, 0, 3), BFREE(h, 0, 3),
			SHRINK(0),
		};
		struct mmbox_batch batch = {
			.ops = (uintptr_t)&ops[rand_r(&racer->seed) % ARRAY_SIZE(ops)],
			.nr = 1,
		};

		if (n % 100 && ((struct mmbox_op *)batch.ops)->code == MMBOX_OP_CACHE_SHRINK)
			continue;
		if (!ioctl(racer->fd, MMBOX_IOC_BATCH, &batch))
			racer->nr_done++;
		else if (errno == EINVAL)
			racer->nr_refused++;
		else
			racer->nr_other++;
	}
	return NULL;
}

static void test_race(enum mmbox_target target)
{
	static const char name[] = "device_race";
	struct racer racers[2] = { { .seed = 1 }, { .seed = 2 } };
	long before = pages_now(), after;
	int fd = open_box();
	__u64 refused;
	unsigned int i;
	bool right;

	right = !ioctl(fd, MMBOX_IOC_TARGET, target) &&
		!one(fd, OP(CREATE(0, name, 100)));
	refused = stat_of(fd).nr_refused;
	for (i = 0; i < 2; i++) {
		racers[i].fd = fd;
		if (pthread_create(&racers[i].thread, NULL, race, &racers[i]))
			die("pthread_create");
	}
	for (i = 0; i < 2; i++) {
		pthread_join(racers[i].thread, NULL);
		right &= racers[i].nr_done && racers[i].nr_refused && !racers[i].nr_other;
	}
	ok(right, "two threads on the same handles, on the %s (%lu done, %lu refused)",
	   target == MMBOX_TARGET_BOX ? "box" : "host",
	   racers[0].nr_done + racers[1].nr_done,
	   racers[0].nr_refused + racers[1].nr_refused);
	ok(stat_of(fd).nr_refused == refused, "no wrong free came through to the box");
	/* exactly one kind of free works for each handle that is still in use */
	for (right = true, i = 0; i < RACE_HANDLES + 3; i++) {
		unsigned int ways = 0;

		ways += !one(fd, OP(KFREE(i)));
		ways += !one(fd, OP(PFREE(i, 1)));
		ways += !one(fd, OP(CFREE(i, 0)));
		right &= ways <= 1;
	}
	ok(right && !one(fd, OP(DESTROY(0))), "all of it is accounted for");
	close(fd);
	after = pages_now();
	ok(after <= before + 8, "and given back (%ld pages before, %ld after)", before,
	   after);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: device /dev/mmbox/BOX\n", stderr);
		return 2;
	}
	path = argv[1];
	test_face();
	test_bad_records();
	test_bad_batches();
	test_short_batches();
	test_long_batches();
	test_results();
	test_ways_of_freeing();
	test_bulk();
	test_control_within();
	test_no_memory();
	test_target();
	test_sessions();
	test_letting_go();
	test_race(MMBOX_TARGET_BOX);
	test_race(MMBOX_TARGET_HOST);
	return ok_sum();
}
