// SPDX-License-Identifier: GPL-2.0
/* What the fuzz targets share: files in memory, checksums, no messages. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "fuzz.h"
#include "trace_format.h"

static int real_stderr = STDERR_FILENO;

void fuzz_expect(int is_so, const char *what)
{
	if (is_so)
		return;
	dprintf(real_stderr, "not so: %s\n", what);
	abort();
}

const char *fuzz_file(const uint8_t *data, size_t len)
{
	static int fd = -1;
	static char path[32];

	if (fd < 0) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	fuzz_expect(!ftruncate(fd, 0) && pwrite(fd, data, len, 0) == (ssize_t)len,
		    "there is memory for a file");
	return path;
}

const char *fuzz_output(void)
{
	static char path[64];

	if (!path[0])
		snprintf(path, sizeof(path), "/dev/shm/mmbox-fuzz-%d", (int)getpid());
	unlink(path);
	return path;
}

void fuzz_fix_checksums(uint8_t *data, size_t len)
{
	size_t at = FILE_HEADER_LEN;

	if (len < FILE_HEADER_LEN)
		return;
	put_le32(data + 12, crc32(0, data, 12));
	while (len - at >= BLOCK_HEADER_LEN) {
		uint8_t *block = data + at;
		uint32_t block_len = get_le32(block + 4);

		if (block_len > len - at - BLOCK_HEADER_LEN)
			return;
		put_le32(block + 12, crc32(crc32(0, block, 12), block + BLOCK_HEADER_LEN,
					   block_len));
		at += BLOCK_HEADER_LEN + block_len;
	}
}

void fuzz_hush(void)
{
	static bool is_done;
	int null;

	if (is_done)
		return;
	is_done = true;
	/* sanitizers and libFuzzer write to the descriptor, messages to the stream */
	real_stderr = dup(STDERR_FILENO);
	stderr = fopen("/dev/null", "w");
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	fuzz_expect(stderr && null >= 0 && dup2(null, STDOUT_FILENO) >= 0,
		    "there is /dev/null");
}
