// SPDX-License-Identifier: GPL-2.0
/*
 * test/files FOLDER DEVICE: opens every file below FOLDER, and DEVICE, in every mode, and
 * makes every call that takes a file descriptor. The kernel must survive, and permit no
 * more than the file's mode. Prints a line a test, and `N passed, N failed` at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ok.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define NOTHING_READ	3	/* access mode 3: neither read nor write */

static const off_t offsets[] = {
	0, 1, 7, 4095, 4096, 65537, INT_MAX, (off_t)UINT_MAX + 1, LLONG_MAX - 1,
	LLONG_MAX, -1, LLONG_MIN,
};

static const struct {
	const char *text;
	size_t len;
} texts[] = {
	{ "", 0 }, { "\n", 1 }, { "junk\n", 5 }, { "-1\n", 3 }, { "\0", 1 }, { "0\0000", 3 },
	{ "99999999999999999999999\n", 24 }, { "0x7fffffffffffffff\n", 19 },
	{ "%s%n%p\n", 7 }, { "\x1b[2J\x9b\xff\n", 8 },
};

static void *nowhere;		/* an unmapped address */
static size_t endless;		/* larger than any file */
static unsigned long nr_files, nr_opens, nr_refused, nr_calls, nr_written, nr_read;
static unsigned long nr_write_only, nr_wrong;

static void wrong(const char *path, int flags, const char *what)
{
	fprintf(stderr, "%s, open flags %#x: %s (%s)\n", path, flags, what, strerror(errno));
	nr_wrong++;
}

static void count(ssize_t rc, unsigned long *what)
{
	nr_calls++;
	if (rc > 0)
		++*what;
}

/* lseek() with each whence, valid or not, and extreme offsets. */
static void seek(int fd)
{
	unsigned int i;
	int whence;

	for (whence = SEEK_SET; whence <= SEEK_HOLE + 1; whence++)
		for (i = 0; i < ARRAY_SIZE(offsets); i++) {
			lseek(fd, offsets[i], whence);
			nr_calls++;
		}
}

static void try_reading(const char *path, int flags, int fd)
{
	static char buf[1 << 16];
	struct iovec iov[3] = {
		{ buf, 1 }, { buf + 1, 0 }, { buf + 1, sizeof(buf) - 1 },
	};
	const bool may = (flags & O_ACCMODE) == O_RDONLY || (flags & O_ACCMODE) == O_RDWR;
	int pipes[2];
	unsigned int i;

	lseek(fd, 0, SEEK_SET);
	if (read(fd, buf, sizeof(buf)) > 0) {
		nr_read++;
		if (!may)
			wrong(path, flags, "it was read");
	}
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		lseek(fd, offsets[i], SEEK_SET);
		count(read(fd, buf, 13), &nr_read);
		count(pread(fd, buf, 100, offsets[i]), &nr_read);
		count(preadv(fd, iov, ARRAY_SIZE(iov), offsets[i]), &nr_read);
	}
	lseek(fd, 0, SEEK_SET);
	count(readv(fd, iov, ARRAY_SIZE(iov)), &nr_read);
	count(read(fd, nowhere, 100), &nr_read);
	count(pread(fd, nowhere, 100, 1), &nr_read);
	if (pipe(pipes))
		exit(EXIT_FAILURE);
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	fcntl(pipes[1], F_SETFL, O_NONBLOCK);
	lseek(fd, 0, SEEK_SET);
	count(splice(fd, NULL, pipes[1], NULL, 4096, SPLICE_F_NONBLOCK), &nr_read);
	lseek(fd, 0, SEEK_SET);
	count(sendfile(pipes[1], fd, NULL, 4096), &nr_read);
	if (flags & O_WRONLY || flags & O_RDWR)
		count(splice(pipes[0], NULL, fd, NULL, 64, SPLICE_F_NONBLOCK), &nr_written);
	close(pipes[0]);
	close(pipes[1]);
}

/* Writes bad values, then the original contents, so that nothing is changed. */
static void try_writing(const char *path, int flags, int fd)
{
	const bool may = (flags & O_ACCMODE) == O_WRONLY || (flags & O_ACCMODE) == O_RDWR;
	const unsigned long before = nr_written;
	static char longer[4096];
	unsigned int i, k;

	memset(longer, '1', sizeof(longer));
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *text = texts[i].text;
		const size_t len = texts[i].len;
		struct iovec iov[3] = {
			{ (void *)text, len / 2 }, { (void *)text, 0 },
			{ (void *)text + len / 2, len - len / 2 },
		};

		lseek(fd, 0, SEEK_SET);
		count(write(fd, text, len), &nr_written);
		count(writev(fd, iov, ARRAY_SIZE(iov)), &nr_written);
		for (k = 0; k < ARRAY_SIZE(offsets); k++) {
			lseek(fd, offsets[k], SEEK_SET);
			count(write(fd, text, len), &nr_written);
			count(pwrite(fd, text, len, offsets[k]), &nr_written);
			count(pwritev(fd, iov, ARRAY_SIZE(iov), offsets[k]), &nr_written);
		}
	}
	for (i = 127; i <= sizeof(longer); i += i < 130 ? 1 : sizeof(longer) - 130) {
		count(write(fd, longer, i), &nr_written);
		count(pwrite(fd, longer, i, 1), &nr_written);
	}
	count(write(fd, nowhere, 5), &nr_written);
	count(write(fd, longer, endless), &nr_written);
	if (!may && nr_written != before)
		wrong(path, flags, "it was written to");
}

static void try_rest(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN | POLLOUT };
	void *map;
	int bytes;

	poll(&pollfd, 1, 0);
	if (ftruncate(fd, 0) && ftruncate(fd, 1))
		nr_calls += 2;
	fsync(fd);
	ioctl(fd, FIONREAD, &bytes);
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED)
		munmap(map, 4096);
	nr_calls += 4;
}

static void try_file(const char *path, mode_t mode)
{
	static const int more[] = { 0, O_APPEND, O_TRUNC, O_NONBLOCK, O_DIRECT, O_SYNC };
	unsigned int i;
	int acc;

	for (acc = O_RDONLY; acc <= NOTHING_READ; acc++) {
		bool permitted = acc == O_RDONLY ? mode & 0400 : acc == O_WRONLY ? mode & 0200 :
				 (mode & 0600) == 0600;

		for (i = 0; i < ARRAY_SIZE(more); i++) {
			int fd = open(path, acc | more[i] | O_CLOEXEC);

			if (fd < 0) {
				nr_refused++;
				/* not every file accepts every flag */
				if (permitted && !more[i])
					wrong(path, acc, "it may be opened so, and is not");
				continue;
			}
			nr_opens++;
			if (!permitted && acc != NOTHING_READ)
				wrong(path, acc | more[i], "it may not be opened so, and is");
			seek(fd);
			if (!more[i]) {
				try_reading(path, acc, fd);
				try_writing(path, acc, fd);
				try_rest(fd);
			}
			close(fd);
		}
	}
	nr_files++;
	nr_write_only += !(mode & 0400);
}

/* The contents of a text file, to be restored after the tests. */
struct kept {
	char text[128];
	ssize_t len;
};

static void keep(const char *path, mode_t mode, struct kept *kept)
{
	int fd;

	kept->len = 0;
	if ((mode & 0600) != 0600)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	kept->len = read(fd, kept->text, sizeof(kept->text));
	close(fd);
}

static void put_back(const char *path, const struct kept *kept)
{
	int fd;

	if (kept->len <= 0 || kept->len == sizeof(kept->text))
		return;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* If the file is a report and not a value, this may be refused. */
	if (write(fd, kept->text, kept->len) < 0)
		nr_refused++;
	close(fd);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct kept kept;

	(void)ftw;
	if (type != FTW_F)
		return 0;
	keep(path, st->st_mode, &kept);
	try_file(path, st->st_mode);
	put_back(path, &kept);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long in_folder;
	struct stat st;

	if (argc != 3) {
		fputs("usage: files FOLDER DEVICE\n", stderr);
		return 2;
	}
	nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	endless = LONG_MAX;
	if (nowhere == MAP_FAILED)
		return EXIT_FAILURE;
	if (nftw(argv[1], visit, 16, FTW_PHYS)) {
		perror(argv[1]);
		return EXIT_FAILURE;
	}
	in_folder = nr_files;
	ok(in_folder > 50, "every file below %s in every mode (%lu)", argv[1], in_folder);
	ok(nr_write_only >= 3, "files that can only be written are among them (%lu)",
	   nr_write_only);
	if (stat(argv[2], &st)) {
		perror(argv[2]);
		return EXIT_FAILURE;
	}
	try_file(argv[2], st.st_mode);
	ok(nr_files == in_folder + 1, "and the device");
	ok(!nr_wrong, "nothing opens, is read or is written to but as its mode says (%lu do)",
	   nr_wrong);
	ok(nr_opens >= 6 * nr_files && nr_read > 8 * nr_files && nr_written > 60,
	   "%lu opened, %lu refused, %lu calls, of which %lu read something and %lu wrote",
	   nr_opens, nr_refused, nr_calls, nr_read, nr_written);
	return ok_sum();
}
