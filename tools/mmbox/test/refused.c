// SPDX-License-Identifier: GPL-2.0
/*
 * Trace files that are put together byte by byte. Each has right checksums, and one fault
 * that docs/trace-format.md says is refused. Without this fault it is accepted.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <uapi/mmbox.h>

#include "ok.h"
#include "trace_format.h"
#include "unit.h"

static void add_head(struct bytes *file)
{
	uint8_t head[FILE_HEADER_LEN];

	memcpy(head, FILE_MAGIC, FILE_MAGIC_LEN);
	put_le32(head + 8, TRACE_VERSION);
	put_le32(head + 12, crc32(0, head, 12));
	bytes_add(file, head, sizeof(head));
}

static void add_block(struct bytes *file, uint32_t type, const void *data, size_t len,
		      uint32_t count)
{
	uint8_t head[BLOCK_HEADER_LEN];

	put_le32(head, type);
	put_le32(head + 4, len);
	put_le32(head + 8, count);
	put_le32(head + 12, crc32(crc32(0, head, 12), data, len));
	bytes_add(file, head, sizeof(head));
	bytes_add(file, data, len);
}

static void add_varints(struct bytes *bytes, const uint64_t *values, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		bytes_add_varint(bytes, values[i]);
}

#define ADD_VARINTS(bytes, ...) do {						\
	const uint64_t _values[] = { __VA_ARGS__ };				\
										\
	add_varints(bytes, _values, ARRAY_SIZE(_values));			\
} while (0)

/* A file of one or two EVENTS blocks, and the contents of the other blocks. */
struct contents {
	const char *info;		/* texts, */
	size_t info_len;		/* bytes of them */
	uint32_t info_count;
	struct bytes caches;
	uint32_t nr_caches;
	struct bytes events[2];
	uint32_t nr_events[2];
	const char *end;		/* texts behind events and handles */
	size_t end_len;
	uint32_t end_count;
	uint32_t nr_handles;
};

/* True if the file is accepted. If not, the message must be as expected. */
static bool accepts(struct contents *contents, const char *expected)
{
	struct trace_texts end = { 0 };
	struct bytes file = { 0 };
	char *path = path_of("refused");
	const char *text;
	bool accepted;
	int i;

	add_head(&file);
	add_block(&file, BLOCK_INFO, contents->info ?: "", contents->info_len,
		  contents->info_count);
	if (contents->caches.len)
		add_block(&file, BLOCK_CACHES, contents->caches.data, contents->caches.len,
			  contents->nr_caches);
	for (i = 0; i < 2; i++)
		if (contents->events[i].len)
			add_block(&file, BLOCK_EVENTS, contents->events[i].data,
				  contents->events[i].len, contents->nr_events[i]);
	trace_texts_add(&end, "events", "%u",
			contents->nr_events[0] + contents->nr_events[1]);
	trace_texts_add(&end, "handles", "%u", contents->nr_handles);
	bytes_add(&end.bytes, contents->end ?: "", contents->end_len);
	add_block(&file, BLOCK_END, end.bytes.data, end.bytes.len, contents->end_count);
	write_file(path, file.data, file.len);
	hush();
	accepted = !read_all(path);
	text = said();
	if (!accepted && !strstr(text, expected)) {
		printf("# nothing like `%s' in: %s", expected, text);
		accepted = true;
	}
	unlink(path);
	free(path);
	bytes_free(&file);
	bytes_free(&end.bytes);
	for (i = 0; i < 2; i++)
		bytes_free(&contents->events[i]);
	bytes_free(&contents->caches);
	return accepted;
}

static void add_cache(struct contents *contents, const char *name, size_t len)
{
	ADD_VARINTS(&contents->caches, 64, 64, len);
	bytes_add(&contents->caches, name, len);
	contents->nr_caches++;
}

#define LONG_NAME	"a_name_of_thirty_one_characters"

static void test_names(void)
{
	static const char *const bad[] = {
		"two words", "tab\tbed", "\x1b[31m", "line\n", "\x7f", "caf\xc3\xa9",
		LONG_NAME "x",
	};
	struct contents fine = { 0 }, empty = { 0 }, nul = { 0 }, twice = { 0 };
	unsigned int accepted = 0;
	size_t i;

	add_cache(&fine, LONG_NAME, strlen(LONG_NAME));
	add_cache(&fine, "a/b", 3);
	ok(accepts(&fine, ""), "names of 31 printable characters are accepted");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct contents contents = { 0 };

		add_cache(&contents, bad[i], strlen(bad[i]));
		accepted += accepts(&contents, "a cache whose name");
	}
	ok(!accepted, "names with blanks and other bytes are refused (%u were not)", accepted);
	add_cache(&nul, "nul\0nul", 7);
	ok(!accepts(&nul, "a cache whose name"), "a name with a byte 0 is refused");
	add_cache(&empty, "", 0);
	ok(!accepts(&empty, "a cache whose name"), "an empty name is refused");
	add_cache(&twice, "dentry", 6);
	add_cache(&twice, "dentry", 6);
	ok(!accepts(&twice, "a second cache dentry"), "a second cache of a name is refused");
}

/* kmalloc() of 8 bytes, that long after the event before. */
static void add_kmalloc(struct contents *contents, int block, uint64_t ts, uint64_t gfp,
			int64_t handle)
{
	ADD_VARINTS(&contents->events[block], TRACE_KMALLOC, ts, zigzag(handle), 0, gfp, 8);
	contents->nr_events[block]++;
}

static void test_times(void)
{
	struct contents fine = { .nr_handles = 2 }, wrap = { .nr_handles = 2 };
	struct contents back = { .nr_handles = 2 };

	add_kmalloc(&fine, 0, 5, 0, 0);
	add_kmalloc(&fine, 1, UINT64_MAX, 0, 1);
	ok(accepts(&fine, ""), "the last time there can be is accepted");
	add_kmalloc(&wrap, 0, 5, 0, 0);
	add_kmalloc(&wrap, 0, UINT64_MAX, 0, 1);
	ok(!accepts(&wrap, "no event"), "a time that wraps is refused");
	add_kmalloc(&back, 0, 5, 0, 0);
	add_kmalloc(&back, 1, 4, 0, 1);
	ok(!accepts(&back, "no event"), "a time before that of the block before is refused");
}

static void test_fields(void)
{
	struct contents all = { .nr_handles = 1 }, ahead = { .nr_handles = TRACE_MAX_AHEAD };
	struct contents far = { .nr_handles = TRACE_MAX_AHEAD + 1 };
	struct contents small = { .nr_handles = TRACE_MAX_HANDLES };
	unsigned int accepted = 0, bit;

	add_kmalloc(&all, 0, 0, MMBOX_GFP_ALL, 0);
	ok(accepts(&all, ""), "all GFP flags are accepted");
	for (bit = 0; bit < 64; bit++) {
		struct contents contents = { .nr_handles = 1 };

		if (bit < 32 && MMBOX_GFP_ALL >> bit & 1)
			continue;
		add_kmalloc(&contents, 0, 0, 1ULL << bit, 0);
		accepted += accepts(&contents, "no event");
	}
	ok(!accepted, "GFP flags that there are not are refused (%u were not)", accepted);
	add_kmalloc(&ahead, 0, 0, 0, TRACE_MAX_AHEAD - 1);
	ok(accepts(&ahead, ""), "handles may be some way ahead of the events");
	add_kmalloc(&far, 0, 0, 0, TRACE_MAX_AHEAD);
	ok(!accepts(&far, "no event"), "but not too far");
	add_kmalloc(&small, 0, 0, 0, TRACE_MAX_HANDLES - 1);
	ok(!accepts(&small, "no event"), "so a small file cannot ask for a large table");
}

static void test_left_over(void)
{
	struct contents info = { .info_count = 1 }, end = { .end_count = 1 };
	struct contents none = { .nr_events = { 0 } }, behind = { .nr_handles = 1 };
	struct contents caches = { 0 };

	ok(!accepts(&info, "with a count") && !accepts(&end, "with a count"),
	   "texts with a count are refused");
	bytes_add(&none.events[0], "x", 1);
	ok(!accepts(&none, "more bytes than events"),
	   "an EVENTS block of no events, but with bytes, is refused");
	add_kmalloc(&behind, 0, 0, 0, 0);
	bytes_add(&behind.events[0], "x", 1);
	ok(!accepts(&behind, "more bytes than events"), "so are bytes behind the events");
	add_cache(&caches, "dentry", 6);
	bytes_add(&caches.caches, "x", 1);
	ok(!accepts(&caches, "more bytes than caches"), "and behind the caches");
}

static bool refuses_info(const char *info, size_t len, const char *expected)
{
	struct contents contents = { .info = info, .info_len = len };

	return !accepts(&contents, expected);
}

static void test_texts(void)
{
	struct contents fine = { .info = "command=a\tb=c\x1b\xff\0date=", .info_len = 22 };
	struct contents end = { .end = "events=7", .end_len = 9 };
	struct bytes many = { 0 };
	unsigned int i;

	ok(accepts(&fine, ""), "texts of any bytes are accepted");
	ok(refuses_info("date", 5, "not KEY=VALUE") && refuses_info("=x", 3, "not KEY=VALUE") &&
	   refuses_info("", 1, "not KEY=VALUE") &&
	   refuses_info("a\x1b=x", 5, "not KEY=VALUE"), "texts without a key are refused");
	ok(refuses_info("a=1", 3, "text without an end"), "so is one without an end");
	ok(refuses_info("a=1\0b=2\0a=2", 12, "a second text a") &&
	   !accepts(&end, "a second text events"), "and a key that comes twice");
	for (i = 0; i <= TRACE_MAX_TEXTS; i++) {
		char *text = xasprintf("k%u=", i);

		bytes_add(&many, text, strlen(text) + 1);
		free(text);
	}
	ok(refuses_info((char *)many.data, many.len, "more than 128 texts"),
	   "and more texts than there may be");
	bytes_free(&many);
}

void test_refused(void)
{
	test_names();
	test_times();
	test_fields();
	test_left_over();
	test_texts();
}
