// SPDX-License-Identifier: GPL-2.0
/*
 * test/hostile WHAT DEVICE: attacks on the users of the machine by a program that may open
 * a box's device. It allocates all the memory that it can get, tries to stall the kernel
 * while that holds locks, and is killed at any time. Prints a line a test, and
 * `N passed, N failed` at the end.
 *
 *   account	memory is charged to a memory cgroup, whose limit is 16 MiB
 *   host	allocates from the host until it refuses; the host must keep some
 *   stall	batches wait for memory that is never provided (userfaultfd)
 *   kill	a signal amid a batch of slow records
 *   destroy	instructions to destroy a cache while very many handles are in use; needs a
 *		machine whose clock counts instructions
 *   modes	requests to a file that is not open for writing
 *   names	names of caches that are bad in a path, or equal once made good
 *   comm	a process name with control characters, in a report
 *   locked	readers and writers of files are killed while they wait for a lock
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uapi/mmbox.h>

#include "child.h"
#include "ok.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define PAGE		4096U
#define SEGMENT		4096U	/* handles that are allocated together */
#define CGROUP_LIMIT	(16UL << 20)
#define CHUNK		512U	/* records that the kernel copies at once */

static const char *path;
static struct mmbox_op ops[8192];
static struct mmbox_result results[8192];
static struct mmbox_batch last;

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static int open_box(int mode)
{
	int fd = open(path, mode | O_CLOEXEC);

	if (fd < 0)
		die(path);
	return fd;
}

static int run(int fd, const struct mmbox_op *records, unsigned int nr, unsigned int flags,
	       struct mmbox_result *to)
{
	last = (struct mmbox_batch){
		.ops = (uintptr_t)records,
		.results = (uintptr_t)to,
		.nr = nr,
		.flags = flags,
	};
	return ioctl(fd, MMBOX_IOC_BATCH, &last) ? errno : 0;
}

static struct mmbox_op op_of(unsigned int code, __u32 handle)
{
	struct mmbox_op op = { .code = code, .handle = handle };

	if (code == MMBOX_OP_KMALLOC || code == MMBOX_OP_PAGES_ALLOC) {
		op.flags = MMBOX_GFP_KERNEL;
		op.nid = -1;
	}
	if (code == MMBOX_OP_KMALLOC)
		op.size = 8;
	return op;
}

static struct mmbox_op cache_op(unsigned int code, __u16 cache, const char *name)
{
	return (struct mmbox_op){
		.code = code,
		.cache = cache,
		.name = (uintptr_t)name,
		.size = name ? 64 : 0,
	};
}

static __u64 host_bytes(int fd)
{
	struct mmbox_stat stat;

	if (ioctl(fd, MMBOX_IOC_STAT, &stat))
		die("MMBOX_IOC_STAT");
	return stat.host_bytes;
}

/* ---- account ---- */

static void test_empties(void)
{
	int fd = open_box(O_RDWR);
	__u64 before = host_bytes(fd), after;
	unsigned int i;
	int err;

	for (i = 0; i < 4096; i++)
		ops[i] = op_of(MMBOX_OP_KFREE, i * SEGMENT);
	err = run(fd, ops, 4096, MMBOX_BATCH_ALLOW_EMPTY, NULL);
	after = host_bytes(fd);
	ok(!err && last.nr_empty == 4096 && after - before < 1 << 20,
	   "freeing what nothing was allocated under takes no memory (%llu bytes)",
	   (unsigned long long)(after - before));
	close(fd);
}

static void test_handles(void)
{
	int fd = open_box(O_RDWR);
	unsigned int i;
	int err;

	for (i = 0; i < 4096; i++)
		ops[i] = op_of(MMBOX_OP_KMALLOC, i * SEGMENT);
	err = run(fd, ops, 4096, 0, NULL);
	ok(err == ENOMEM && last.nr_done > 16 && last.nr_done < CGROUP_LIMIT / (64 << 10),
	   "handles are charged: ENOMEM behind %u pieces of the table", last.nr_done);
	for (i = 0; i < last.nr_done; i++)
		ops[i] = op_of(MMBOX_OP_KFREE, i * SEGMENT);
	ok(!run(fd, ops, last.nr_done, 0, NULL), "and what was given is there");
	close(fd);
}

static void test_sessions(void)
{
	const struct rlimit many = { 4096, 4096 };
	static int fds[4096];
	unsigned int i, nr;

	if (setrlimit(RLIMIT_NOFILE, &many))
		die("setrlimit");
	for (nr = 0; nr < 4000; nr++) {
		fds[nr] = open(path, O_RDWR | O_CLOEXEC);
		if (fds[nr] < 0)
			break;
	}
	ok(nr > 16 && nr < CGROUP_LIMIT / (64 << 10) && errno == ENOMEM,
	   "sessions are charged: ENOMEM behind %u", nr);
	for (i = 0; i < nr; i++)
		close(fds[i]);
}

/* Allocates until that fails. Returns how many bytes. */
static __u64 take(int fd, unsigned int code, unsigned int size, __u32 handle)
{
	const unsigned int nr = 4096;
	__u64 bytes = 0;
	unsigned int i;

	do {
		for (i = 0; i < nr; i++, handle++) {
			ops[i] = op_of(code, handle);
			ops[i].flags |= MMBOX_GFP_ZERO;
			if (code == MMBOX_OP_PAGES_ALLOC)
				ops[i].order = __builtin_ctz(size / PAGE);
			else
				ops[i].size = size;
		}
		if (run(fd, ops, nr, 0, NULL) && errno != ENOMEM)
			die("a batch on the host");
		bytes += (__u64)(last.nr_done - last.nr_failed) * size;
	} while (last.nr_done == nr && last.nr_failed < nr / 2);
	return bytes;
}

static const struct {
	unsigned int code, size;
} wants[] = {
	{ MMBOX_OP_PAGES_ALLOC, PAGE }, { MMBOX_OP_PAGES_ALLOC, 16 * PAGE },
	{ MMBOX_OP_KMALLOC, 4096 }, { MMBOX_OP_KMALLOC, 64 << 10 }, { MMBOX_OP_KMALLOC, 192 },
};

#define NR_WANTS	ARRAY_SIZE(wants)

static void test_target_charged(void)
{
	unsigned int i;

	for (i = 0; i < NR_WANTS; i++) {
		int fd = open_box(O_RDWR);
		__u64 bytes;

		if (ioctl(fd, MMBOX_IOC_TARGET, MMBOX_TARGET_HOST))
			die("MMBOX_IOC_TARGET");
		bytes = take(fd, wants[i].code, wants[i].size, 0);
		ok(bytes > CGROUP_LIMIT / 4 && bytes < CGROUP_LIMIT,
		   "the host's memory is charged: %llu KiB by %u bytes",
		   (unsigned long long)bytes >> 10, wants[i].size);
		close(fd);
	}
}

/* ---- host ---- */

static unsigned long kib_of(const char *key)
{
	unsigned long kib = 0;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "re");

	if (!file)
		die("/proc/meminfo");
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)))
			kib = strtoul(line + strlen(key), NULL, 10);
	fclose(file);
	return kib;
}

/* Can another process allocate while the session holds all that it can get? */
static bool neighbour_lives(void)
{
	const size_t bytes = 16UL << 20;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			_exit(1);
		memset(memory, 1, bytes);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static void test_host(void)
{
	const unsigned long total = kib_of("MemTotal:");
	unsigned int i;

	for (i = 0; i < NR_WANTS; i++) {
		int fd = open_box(O_RDWR);
		unsigned long left;
		__u64 bytes;

		if (ioctl(fd, MMBOX_IOC_TARGET, MMBOX_TARGET_HOST))
			die("MMBOX_IOC_TARGET");
		bytes = take(fd, wants[i].code, wants[i].size, 0);
		left = kib_of("MemAvailable:");
		ok(bytes >> 10 > total / 4 && left > total / 16 && neighbour_lives(),
		   "by %u bytes %llu MiB, and %lu of %lu are left, in which others live",
		   wants[i].size, (unsigned long long)bytes >> 20, left >> 10, total >> 10);
		close(fd);
	}
}

/* ---- stall ---- */

static long fault_page(int uffd)
{
	struct uffd_msg msg;
	struct pollfd pollfd = { .fd = uffd, .events = POLLIN };

	if (poll(&pollfd, 1, 60000) != 1 || read(uffd, &msg, sizeof(msg)) != sizeof(msg) ||
	    msg.event != UFFD_EVENT_PAGEFAULT)
		return 0;
	return msg.arg.pagefault.address & ~(long)(PAGE - 1);
}

struct stalled {
	int fd;
	struct mmbox_batch batch;
	int err;
};

static void *stalled_batch(void *arg)
{
	struct stalled *stalled = arg;

	stalled->err = ioctl(stalled->fd, MMBOX_IOC_BATCH, &stalled->batch) ? errno : 0;
	return NULL;
}

static void stop_waiting(int sig)
{
	(void)sig;
	_exit(3);
}

/*
 * Does the session answer each request within a minute? Asked by a child, so that this
 * program does not hang if it does not.
 */
static bool answers(int fd)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		struct mmbox_op op = op_of(MMBOX_OP_KMALLOC, 1);
		struct mmbox_stat stat;
		struct mmbox_info info;
		struct mmbox_checksum checksum;
		bool right;

		signal(SIGALRM, stop_waiting);
		alarm(60);
		right = !ioctl(fd, MMBOX_IOC_STAT, &stat) && !ioctl(fd, MMBOX_IOC_INFO, &info) &&
			!ioctl(fd, MMBOX_IOC_CHECKSUM, &checksum) && !run(fd, &op, 1, 0, NULL);
		op = op_of(MMBOX_OP_KFREE, 1);
		right = right && !run(fd, &op, 1, 0, NULL);
		op = cache_op(MMBOX_OP_CACHE_CREATE, 9, "other");
		right = right && !run(fd, &op, 1, 0, NULL);
		op = cache_op(MMBOX_OP_CACHE_DESTROY, 9, NULL);
		right = right && !run(fd, &op, 1, 0, NULL);
		/* EBUSY: the target cannot change while there is a cache */
		right = right && (!ioctl(fd, MMBOX_IOC_TARGET, MMBOX_TARGET_BOX) ||
				  errno == EBUSY);
		_exit(!right);
	}
	/* a child that cannot be killed hangs here, until the guest's time limit */
	usleep(1000);
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* A part of a batch is in memory that is not provided for a long time. */
static void test_stall(void)
{
	static const char *const names[] = { "the name of a cache", "the records",
					     "the results" };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		struct uffdio_api api = { .api = UFFD_API };
		struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
		struct uffdio_zeropage zero = { .mode = 0 };
		struct mmbox_op create = cache_op(MMBOX_OP_CACHE_CREATE, 0, "x");
		struct stalled stalled = { .fd = open_box(O_RDWR) };
		pthread_t thread;
		char *memory;
		int uffd;
		bool right;

		uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
		memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
		if (uffd < 0 || memory == MAP_FAILED || ioctl(uffd, UFFDIO_API, &api))
			die("userfaultfd");
		reg.range.start = (uintptr_t)memory;
		reg.range.len = PAGE;
		if (ioctl(uffd, UFFDIO_REGISTER, &reg))
			die("UFFDIO_REGISTER");
		if (i == 0)
			create.name = (uintptr_t)memory;
		stalled.batch.ops = i == 1 ? (uintptr_t)memory : (uintptr_t)&create;
		stalled.batch.results = i == 2 ? (uintptr_t)memory : 0;
		stalled.batch.nr = 1;
		if (pthread_create(&thread, NULL, stalled_batch, &stalled))
			die("pthread_create");
		right = fault_page(uffd) == (long)memory;
		ok(right && answers(stalled.fd),
		   "a session answers others while a batch waits for %s", names[i]);
		zero.range = reg.range;
		if (ioctl(uffd, UFFDIO_ZEROPAGE, &zero))
			die("UFFDIO_ZEROPAGE");
		pthread_join(thread, NULL);
		/* zeroes are not a name or a record; results overwrite them */
		ok(stalled.err == (i == 2 ? 0 : EINVAL), "and goes on when that has come (%d)",
		   stalled.err);
		munmap(memory, PAGE);
		close(uffd);
		close(stalled.fd);
	}
}

/* In a child: a batch whose record names a cache in memory that nobody provides. */
static bool prepare_stall(void *session)
{
	static struct mmbox_op create;
	static struct stalled stalled;
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	pthread_t thread;

	reg.range.start = (uintptr_t)memory;
	reg.range.len = PAGE;
	if (uffd < 0 || memory == MAP_FAILED || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &reg))
		return false;
	create = cache_op(MMBOX_OP_CACHE_CREATE, 0, memory);
	stalled.fd = *(int *)session;
	stalled.batch.ops = (uintptr_t)&create;
	stalled.batch.nr = 1;
	return !pthread_create(&thread, NULL, stalled_batch, &stalled) && fault_page(uffd);
}

static void test_stall_killed(void)
{
	int fd = open_box(O_RDWR);
	pid_t pid = child_start(prepare_stall, NULL, &fd);

	ok(child_kill(pid) && answers(fd),
	   "a program whose batch waits there can be killed; the session still answers");
	close(fd);
}

/* ---- kill ---- */

/*
 * Results are in shared memory, which shows how far the batch of a killed program came.
 * Records that only allocate or free are carried out by the chunk. Those that create,
 * shrink or destroy a cache may take long, so a signal must end the batch between two.
 */
static void test_kill(void)
{
	enum { ROUNDS = 8, NR = 1 << 16 };
	struct mmbox_op *records = mmap(NULL, NR * sizeof(*records), PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct mmbox_result *shared = mmap(NULL, NR * sizeof(*shared), PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct mmbox_op create = cache_op(MMBOX_OP_CACHE_CREATE, 0, "killed");
	unsigned int i, nr, round, within = 0, at_end = 0;

	if (records == MAP_FAILED || shared == MAP_FAILED)
		die("mmap");
	for (i = 0; i < NR; i++)
		records[i] = cache_op(MMBOX_OP_CACHE_SHRINK, 0, NULL);
	for (round = 0; round < ROUNDS; round++) {
		int fd = open_box(O_RDWR), status;
		pid_t pid;

		if (run(fd, &create, 1, 0, NULL))
			die("a cache");
		memset(shared, 0x55, NR * sizeof(*shared));
		pid = fork();
		if (pid < 0)
			die("fork");
		if (!pid) {
			run(fd, records, NR, 0, shared);
			_exit(0);
		}
		while (__atomic_load_n(&shared[5].error, __ATOMIC_RELAXED) &&
		       !waitpid(pid, &status, WNOHANG))
			sched_yield();
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		for (nr = 0; nr < NR && !shared[nr].error; nr++)
			;
		within += nr % CHUNK != 0;
		at_end += nr == NR;
		close(fd);
	}
	ok(within >= ROUNDS / 2 && !at_end,
	   "a signal ends a batch of slow records at the next of them (%u of %u did)", within,
	   ROUNDS);
	munmap(records, NR * sizeof(*records));
	munmap(shared, NR * sizeof(*shared));
}

/* ---- destroy ---- */

/* One instruction takes a nanosecond. The least of nine, to leave out interrupts. */
static __u64 destroy_cost(int fd)
{
	struct mmbox_op create = cache_op(MMBOX_OP_CACHE_CREATE, 0, "timed");
	struct mmbox_op destroy = cache_op(MMBOX_OP_CACHE_DESTROY, 0, NULL);
	__u64 least = ~0ULL;
	unsigned int i;

	for (i = 0; i < 9; i++) {
		if (run(fd, &create, 1, 0, NULL) || run(fd, &destroy, 1, 0, NULL))
			die("a cache");
		if (last.ns < least)
			least = last.ns;
	}
	return least;
}

static void test_destroy(void)
{
	static const char name[] = "held";
	struct mmbox_op two[] = {
		cache_op(MMBOX_OP_CACHE_CREATE, 1, name),
		{ .code = MMBOX_OP_CACHE_ALLOC, .cache = 1, .handle = 77, .nid = -1,
		  .flags = MMBOX_GFP_KERNEL },
		cache_op(MMBOX_OP_CACHE_DESTROY, 1, NULL),
	};
	int fd = open_box(O_RDWR);
	__u64 few = destroy_cost(fd), many;
	unsigned int i;

	for (i = 0; i < 4096; i++)
		ops[i] = op_of(MMBOX_OP_KMALLOC, i * SEGMENT);
	if (run(fd, ops, 4096, 0, NULL))
		die("handles");
	many = destroy_cost(fd);
	/* A scan of 16 million slots costs a thousand times as much. */
	ok(many < 2 * few,
	   "a cache goes as cheaply with 16 million slots as with none (%llu and %llu instructions)",
	   (unsigned long long)many, (unsigned long long)few);
	ok(run(fd, two, 3, 0, results) == EINVAL && last.nr_done == 2,
	   "but not with an object in use");
	close(fd);
}

/* ---- modes ---- */

static void test_modes(void)
{
	struct mmbox_op op = op_of(MMBOX_OP_KMALLOC, 1);
	int read_only = open_box(O_RDONLY), neither = open_box(3), write_only = open_box(O_WRONLY);
	struct mmbox_stat stat;
	struct mmbox_info info;

	ok(run(read_only, &op, 1, 0, NULL) == EBADF && run(neither, &op, 1, 0, NULL) == EBADF,
	   "a batch needs a file open for writing");
	ok(ioctl(read_only, MMBOX_IOC_TARGET, MMBOX_TARGET_HOST) && errno == EBADF &&
	   ioctl(neither, MMBOX_IOC_TARGET, MMBOX_TARGET_HOST) && errno == EBADF,
	   "so does another target");
	ok(!ioctl(read_only, MMBOX_IOC_STAT, &stat) && !ioctl(read_only, MMBOX_IOC_INFO, &info) &&
	   !stat.nr_ops && info.target == MMBOX_TARGET_BOX,
	   "figures can be read without, and say that nothing was done");
	ok(!run(write_only, &op, 1, 0, NULL), "a batch needs no more");
	close(read_only);
	close(neither);
	close(write_only);
}

/* ---- names ---- */

#define FILES	"/sys/kernel/debug/mmbox/box0/"

static unsigned int nr_folders(void)
{
	unsigned int nr = 0;
	struct dirent *entry;
	DIR *dir = opendir(FILES "caches");

	if (!dir)
		die(FILES "caches");
	while ((entry = readdir(dir)))
		nr += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(dir);
	return nr;
}

static unsigned int nr_lines(void)
{
	unsigned int nr = 0;
	FILE *file = fopen(FILES "slabinfo", "re");
	int c;

	if (!file)
		die(FILES "slabinfo");
	while ((c = getc(file)) != EOF)
		nr += c == '\n';
	fclose(file);
	return nr - 2;
}

static void test_names(void)
{
	static const char *const names[] = {
		".", "..", "a/b", "a!b", "a/b", "/", "!", "!!", "../../vm", "...", "!:1", "a!b:2",
		"%s%n", "slabinfo", "kmalloc-64",
	};
	const unsigned int nr = ARRAY_SIZE(names);
	static const char escape[] = "a\x1b[2Jb", high[] = "a\x9b;", line[] = "a\nb";
	int fd = open_box(O_RDWR);
	unsigned int i, round;
	bool right = true;

	for (round = 0; round < 100; round++) {
		for (i = 0; i < nr; i++)
			ops[i] = cache_op(MMBOX_OP_CACHE_CREATE, i, names[i]);
		right = right && !run(fd, ops, nr, 0, NULL) && nr_folders() == nr_lines();
		for (i = 0; i < nr; i++)
			ops[i] = cache_op(MMBOX_OP_CACHE_DESTROY, i, NULL);
		right = right && !run(fd, ops, nr, 0, NULL);
	}
	ok(right && nr_folders() == nr_lines(), "each cache has its folder, whatever its name");
	ops[0] = cache_op(MMBOX_OP_CACHE_CREATE, 0, escape);
	ops[1] = cache_op(MMBOX_OP_CACHE_CREATE, 0, high);
	ops[2] = cache_op(MMBOX_OP_CACHE_CREATE, 0, line);
	for (i = 0; i < 3; i++)
		right = right && run(fd, &ops[i], 1, 0, NULL) == EINVAL;
	ok(right, "names that a terminal would act on are refused");
	close(fd);
}

/* The report of a failed allocation says who asked for it. */
static void test_comm(void)
{
	int fd = open_box(O_RDWR);
	unsigned int i;
	bool right;

	if (prctl(PR_SET_NAME, "a\nb\x1b[2J\xa1"))
		die("PR_SET_NAME");
	for (i = 0; i < 64; i++) {
		ops[i] = op_of(MMBOX_OP_PAGES_ALLOC, i);
		ops[i].order = 10;
		ops[i].flags = MMBOX_GFP_KERNEL;
		ops[i].nid = -1;
	}
	right = !run(fd, ops, 64, 0, NULL);
	ok(right && last.nr_failed, "%u of 64 blocks of order 10 are not there",
	   last.nr_failed);
	close(fd);
}

/* ---- locked ---- */

struct locked_file {
	const char *name;
	const char *text;		/* to be written, NULL: the file is read */
};

static const struct locked_file slab_mutex_files[] = {
	{ "slabinfo", NULL }, { "slabinfo", "kmalloc-64 8 4 2" },
	{ "caches/kmalloc-64/cache", NULL }, { "caches/kmalloc-64/cpu_cache", NULL },
	{ "caches/kmalloc-64/node", NULL },
	{ "leaks", NULL }, { "whatis", NULL }, { "verify", NULL }, { "checksum", NULL },
};

static const struct locked_file memory_lock_files[] = {
	{ "free_area", NULL }, { "pgdat", NULL }, { "iomem", NULL },
	{ "memory/memory0/valid_zones", NULL }, { "verify", NULL }, { "checksum", NULL },
};

/* Reads all of a file, or writes @text to it. */
static bool use_file(const char *name, const char *text)
{
	char file[128], buf[PAGE];
	ssize_t bytes;
	int fd;

	snprintf(file, sizeof(file), FILES "%s", name);
	fd = open(file, (text ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (text)
		bytes = write(fd, text, strlen(text));
	else
		while ((bytes = read(fd, buf, sizeof(buf))) > 0)
			;
	close(fd);
	return bytes >= 0;
}

/* Waits until a child sleeps as one that waits for a mutex does. False if it ends first. */
static bool waits_for_lock(pid_t pid)
{
	char file[64], stat[256], *state;
	unsigned int nr = 0;
	siginfo_t info;
	FILE *proc;

	snprintf(file, sizeof(file), "/proc/%d/stat", pid);
	while (nr < 20) {
		info.si_pid = 0;
		if (waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid)
			return false;
		proc = fopen(file, "re");
		state = proc && fgets(stat, sizeof(stat), proc) ? strrchr(stat, ')') : NULL;
		nr = state && state[2] == 'D' ? nr + 1 : 0;
		if (proc)
			fclose(proc);
		usleep(1000);
	}
	return true;
}

/* Has a killed child died, within what is left of a minute for all of them? */
static bool died(pid_t pid)
{
	static unsigned int polls = 6000;

	while (waitpid(pid, NULL, WNOHANG) != pid) {
		if (!polls)
			return false;
		polls--;
		usleep(10000);
	}
	return true;
}

#define MAX_FILES	16

/* Kills readers and writers of @files, each when it waits for a lock. */
static void kill_waiters(const char *lock, const struct locked_file *files, unsigned int nr)
{
	bool waits[MAX_FILES];
	pid_t pids[MAX_FILES];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			die("fork");
		if (!pids[i])
			_exit(!use_file(files[i].name, files[i].text));
		waits[i] = waits_for_lock(pids[i]);
		kill(pids[i], SIGKILL);
	}
	for (i = 0; i < nr; i++)
		ok(died(pids[i]) && waits[i], "who waits for %s to %s %s can be killed", lock,
		   files[i].text ? "write" : "read", files[i].name);
}

struct listing {
	int fd;
	void *memory;
};

static void *list_folder(void *arg)
{
	struct listing *listing = arg;

	return (void *)syscall(SYS_getdents64, listing->fd, listing->memory, PAGE);
}

/*
 * A thread lists a folder into memory that nobody provides. The folder's inode is
 * locked meanwhile, so that what adds an entry to the folder waits, with a lock of the
 * box held. @add does that in a child, and returns whether it was added.
 */
static void test_locked(const char *lock, const char *folder, bool (*add)(int fd),
			const struct locked_file *files, unsigned int nr)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_zeropage zero = { .mode = 0 };
	int fd = open_box(O_RDWR), uffd, status;
	struct listing listing;
	pthread_t thread;
	pid_t adder;
	void *got;

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	listing.fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	listing.memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
	if (uffd < 0 || listing.fd < 0 || listing.memory == MAP_FAILED ||
	    ioctl(uffd, UFFDIO_API, &api))
		die("userfaultfd");
	reg.range.start = (uintptr_t)listing.memory;
	reg.range.len = PAGE;
	if (ioctl(uffd, UFFDIO_REGISTER, &reg))
		die("UFFDIO_REGISTER");
	if (pthread_create(&thread, NULL, list_folder, &listing))
		die("pthread_create");
	if (fault_page(uffd) != (long)listing.memory)
		die("a folder listed to nowhere");
	adder = fork();
	if (adder < 0)
		die("fork");
	if (!adder)
		_exit(!add(fd));
	ok(waits_for_lock(adder), "somebody holds %s and waits", lock);
	kill_waiters(lock, files, nr);

	zero.range = reg.range;
	if (ioctl(uffd, UFFDIO_ZEROPAGE, &zero))
		die("UFFDIO_ZEROPAGE");
	pthread_join(thread, &got);
	ok((long)got > 0 && waitpid(adder, &status, 0) == adder && WIFEXITED(status) &&
	   !WEXITSTATUS(status), "and goes on when it can");
	munmap(listing.memory, PAGE);
	close(listing.fd);
	close(uffd);
	close(fd);
}

static bool add_cache(int fd)
{
	struct mmbox_op create = cache_op(MMBOX_OP_CACHE_CREATE, 0, "added");

	return !run(fd, &create, 1, 0, NULL);
}

static bool add_section(int fd)
{
	(void)fd;
	return use_file("memory/probe", "0x100000000");
}

static void test_files_locked(void)
{
	struct mmbox_op op = op_of(MMBOX_OP_KMALLOC, 1);
	int fd = open_box(O_RDWR);
	char address[32];

	/* whatis takes the lock where there is an object */
	if (run(fd, &op, 1, 0, results))
		die("an object");
	snprintf(address, sizeof(address), "%llx", (unsigned long long)results[0].phys);
	if (!use_file("whatis", address))
		die(FILES "whatis");
	test_locked("slab.mutex", FILES "caches", add_cache, slab_mutex_files,
		    ARRAY_SIZE(slab_mutex_files));
	test_locked("memory_lock", FILES "memory", add_section, memory_lock_files,
		    ARRAY_SIZE(memory_lock_files));
	close(fd);
}

int main(int argc, char **argv)
{
	const char *what = argc == 3 ? argv[1] : "";

	path = argv[2];
	if (!strcmp(what, "account")) {
		test_empties();
		test_handles();
		test_sessions();
		test_target_charged();
	} else if (!strcmp(what, "host")) {
		test_host();
	} else if (!strcmp(what, "stall")) {
		test_stall();
		test_stall_killed();
	} else if (!strcmp(what, "kill")) {
		test_kill();
	} else if (!strcmp(what, "destroy")) {
		test_destroy();
	} else if (!strcmp(what, "modes")) {
		test_modes();
	} else if (!strcmp(what, "names")) {
		test_names();
	} else if (!strcmp(what, "comm")) {
		test_comm();
	} else if (!strcmp(what, "locked")) {
		test_files_locked();
	} else {
		fputs("usage: hostile WHAT DEVICE\n", stderr);
		return 2;
	}
	return ok_sum();
}
