// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the mmbox command without a module: the trace format, with every kind of
 * damage, and what is concluded from a kernel's events. For tests of the command line,
 * `unit sample FILE` writes a small trace, and `unit odd FILE` one with control
 * characters in its texts.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <uapi/mmbox.h>

#include "convert.h"
#include "ok.h"
#include "trace.h"
#include "unit.h"
#include "util.h"

static char *dir;	/* of temporary files */

/* The same numbers in every run. */
static uint64_t random_state = 1;

static uint64_t rnd(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

char *path_of(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

/* ---- messages on stderr ---- */

static int saved_stderr;

void hush(void)
{
	char *path = path_of("stderr");

	fflush(stderr);
	saved_stderr = dup(STDERR_FILENO);
	if (!freopen(path, "w+", stderr))
		abort();
	free(path);
}

const char *said(void)
{
	static char text[4096];
	char *path = path_of("stderr");
	size_t len;
	FILE *file;

	fflush(stderr);
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	file = fopen(path, "r");
	len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	text[len] = 0;
	if (file)
		fclose(file);
	free(path);
	return text;
}

/* The offset that a message names, or -1. */
static long said_byte(const char *text)
{
	const char *at = strstr(text, "byte ");

	return at ? strtol(at + 5, NULL, 10) : -1;
}

/* ---- util ---- */

static void test_varints(void)
{
	bool same = true;
	unsigned int i;

	for (i = 0; i < 100000; i++) {
		uint64_t value = rnd() >> (rnd() % 64), back;
		struct bytes bytes = { 0 };
		const uint8_t *pos;

		bytes_add_varint(&bytes, value);
		pos = bytes.data;
		same &= varint_read(&pos, bytes.data + bytes.len, &back) &&
			back == value && pos == bytes.data + bytes.len;
		pos = bytes.data;
		same &= !varint_read(&pos, bytes.data + bytes.len - 1, &back);
		same &= unzigzag(zigzag((int64_t)value)) == (int64_t)value;
		bytes_free(&bytes);
	}
	ok(same, "variable-length integers come back as they were");
}

static void test_texts(void)
{
	struct trace_texts texts = { 0 };
	bool none = !trace_texts_next(&texts, NULL) && !trace_texts_get(&texts, "a");
	const char *text;

	trace_texts_add(&texts, "a", "%d", 1);
	trace_texts_add(&texts, "b", "%s", "");
	text = trace_texts_next(&texts, NULL);
	ok(none && text && !strcmp(text, "a=1") &&
	   !strcmp(trace_texts_get(&texts, "b"), "") &&
	   !trace_texts_next(&texts, trace_texts_next(&texts, text)),
	   "texts are found, and none where there are none");
	bytes_free(&texts.bytes);
}

/* Messages escape what is not printable in a file. */
static void test_escapes(void)
{
	static const struct {
		const char *text, *shown;
	} texts[] = {
		{ "plain", "plain" }, { "\x1b]0;x\a", "\\x1b]0;x\\x07" },
		{ "a\nb\tc\\", "a\\x0ab\\x09c\\\\" }, { "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "\xe6\x97\xa5", "\xe6\x97\xa5" }, { "\xf0\x9f\x90\xa7", "\xf0\x9f\x90\xa7" },
		/* cut short, overlong, a surrogate, C1, beyond Unicode */
		{ "\xc3", "\\xc3" }, { "\xc0\xaf", "\\xc0\\xaf" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, { "\xc2\x9b", "\\xc2\\x9b" },
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		/* text from right to left */
		{ "\xe2\x80\xae", "\\xe2\\x80\\xae" }, { "\xd8\x9c", "\\xd8\\x9c" },
		{ "\xe2\x80\x8f", "\\xe2\\x80\\x8f" }, { "\xe2\x81\xa6", "\\xe2\\x81\\xa6" },
	};
	unsigned int wrong = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		char *expected = xasprintf("mmbox: %s\n", texts[i].shown);

		hush();
		warn("%s", texts[i].text);
		wrong += strcmp(said(), expected) != 0;
		free(expected);
	}
	ok(!wrong, "what a terminal would obey is escaped (%u times not)", wrong);
}

struct counted {
	uint64_t key;
	uint64_t value;
};

static void test_table(void)
{
	enum { KEYS = 5000 };
	static uint64_t model[KEYS];
	struct counted *entry;
	struct table table;
	size_t nr = 0, seen = 0;
	bool same = true;
	unsigned int i;

	memset(model, 0, sizeof(model));
	table_init(&table, sizeof(struct counted));
	for (i = 0; i < 400000; i++) {
		unsigned int key = rnd() % KEYS;
		bool is_new;

		entry = table_find(&table, key + 1);
		same &= (entry ? entry->value : 0) == model[key];
		if (rnd() % 2) {
			entry = table_insert(&table, key + 1, &is_new);
			same &= is_new == !model[key];
			nr += is_new;
			entry->value = i + 1;
			model[key] = entry->value;
		} else if (entry) {
			table_delete(&table, entry);
			model[key] = 0;
			nr--;
		}
	}
	entry = NULL;
	while ((entry = table_next(&table, entry))) {
		same &= model[entry->key - 1] == entry->value;
		seen++;
	}
	ok(same && seen == nr && table.nr == nr,
	   "hash table agrees with an array through 400,000 operations");
	table_free(&table);
}

/* ---- the format ---- */

static struct trace_event random_event(uint64_t *ts, bool *live, uint8_t *kinds,
				       uint32_t *values, unsigned int nr)
{
	struct trace_event event = { .nid = -1 };

	event.handle = rnd() % nr;
	*ts += rnd() % 3 ? rnd() % 1000 : rnd() % 100000000;
	event.ts = *ts;
	event.cpu = rnd() % 4 ? 0 : rnd() % 300;
	if (live[event.handle]) {
		event.op = 2 * kinds[event.handle] + 1;
		event.implicit = !(rnd() % 5);
		event.cache = values[event.handle];
		event.order = values[event.handle];
		live[event.handle] = false;
		return event;
	}
	event.op = 2 * (rnd() % 3);
	event.gfp = rnd() % 4 ? MMBOX_GFP_KERNEL : rnd() & MMBOX_GFP_ALL;
	event.nid = rnd() % 4 ? -1 : (int16_t)(rnd() % TRACE_MAX_NODES);
	if (event.op == TRACE_KMALLOC)
		event.size = 1 + (rnd() >> (rnd() % 64)) % 4194304;
	else if (event.op == TRACE_CACHE_ALLOC)
		event.cache = rnd() % 2;
	else
		event.order = rnd() % (TRACE_MAX_ORDER + 1);
	live[event.handle] = true;
	kinds[event.handle] = event.op / 2;
	values[event.handle] = event.op == TRACE_CACHE_ALLOC ? event.cache :
			       event.order;
	return event;
}

static const struct trace_cache sample_caches[] = {
	{ .name = "dentry", .object_size = 192, .size = 192 },
	{ .name = "inode_cache", .object_size = 632, .size = 640 },
};

static void write_sample(const char *path, struct trace_event *events,
			 unsigned int nr)
{
	enum { HANDLES = 50 };
	static bool live[HANDLES];
	static uint8_t kinds[HANDLES];
	static uint32_t values[HANDLES];
	struct trace_texts info = { 0 }, end = { 0 };
	struct trace_writer *writer;
	uint64_t ts = 0;
	unsigned int i;

	memset(live, 0, sizeof(live));
	trace_texts_add(&info, "source", "a test");
	writer = trace_create(path, &info);
	if (!writer)
		abort();
	for (i = 0; i < ARRAY_SIZE(sample_caches); i++)
		trace_write_cache(writer, &sample_caches[i]);
	for (i = 0; i < nr; i++) {
		events[i] = random_event(&ts, live, kinds, values, HANDLES);
		if (trace_write_event(writer, &events[i]))
			abort();
	}
	trace_texts_add(&end, "lost", "3");
	if (trace_finish(writer, &end))
		abort();
	bytes_free(&info.bytes);
	bytes_free(&end.bytes);
}

static bool same_event(const struct trace_event *a, const struct trace_event *b)
{
	bool is_free = trace_op_is_free(a->op);

	return a->ts == b->ts && a->op == b->op && a->implicit == b->implicit &&
	       a->cpu == b->cpu && a->handle == b->handle &&
	       (is_free || (a->gfp == b->gfp && a->nid == b->nid)) &&
	       (a->op != TRACE_KMALLOC || a->size == b->size) &&
	       (a->op / 2 != 1 || a->cache == b->cache) &&
	       (a->op / 2 != 2 || a->order == b->order);
}

static void test_round_trip(void)
{
	enum { NR = 100000 };
	struct trace_event *events = xmalloc(NR * sizeof(*events)), event;
	char *path = path_of("round");
	struct trace_reader *reader;
	unsigned int i, round;
	bool same = true;
	int got = -1;

	write_sample(path, events, NR);
	reader = trace_open(path);
	for (round = 0; round < 2; round++) {
		for (i = 0; (got = trace_read(reader, &event)) > 0; i++)
			same &= i < NR && same_event(&event, &events[i]);
		same &= got == 0 && i == NR && reader->nr_events == NR;
		same &= trace_read(reader, &event) == 0;
		same &= reader->nr_caches == 2 &&
			!strcmp(reader->caches[1].name, "inode_cache") &&
			reader->caches[1].size == 640;
		same &= !strcmp(trace_texts_get(&reader->info, "source"), "a test") &&
			!strcmp(trace_texts_get(&reader->end, "lost"), "3") &&
			!trace_texts_get(&reader->end, "los");
		if (!round)
			same &= !trace_rewind(reader);
	}
	ok(same, "%d events of many blocks come back as they were, twice", NR);
	trace_close(reader);
	unlink(path);
	free(path);
	free(events);
}

int read_all(const char *path)
{
	struct trace_reader *reader = trace_open(path);
	struct trace_event event;
	int got;

	if (!reader)
		return -1;
	while ((got = trace_read(reader, &event)) > 0)
		;
	trace_close(reader);
	return got;
}

void write_file(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(data, 1, len, file) != len || fclose(file))
		abort();
}

static size_t read_file(const char *path, uint8_t *data, size_t room)
{
	FILE *file = fopen(path, "rb");
	size_t len = file ? fread(data, 1, room, file) : 0;

	if (file)
		fclose(file);
	return len;
}

/* A symbolic link that an attacker has put where the file is written is not followed. */
static void test_planted(void)
{
	struct trace_event events[10];
	char *path = path_of("planted"), *part = path_of("planted.part");
	char *victim = path_of("victim");
	uint8_t data[8];
	size_t len;

	write_file(victim, "victim", 6);
	if (symlink(victim, part))
		abort();
	write_sample(path, events, ARRAY_SIZE(events));
	len = read_file(victim, data, sizeof(data));
	ok(len == 6 && !memcmp(data, "victim", 6) && !read_all(path),
	   "a link that is laid beside the file is not followed");
	unlink(path);
	unlink(part);
	unlink(victim);
	free(path);
	free(part);
	free(victim);
}

/* Offset of the END block. A block has a header of 16 bytes; bytes 4 to 7 are its length. */
static size_t last_block(const uint8_t *data, size_t len)
{
	size_t at = 16;
	uint32_t block_len;

	for (;; at += 16 + block_len) {
		memcpy(&block_len, data + at + 4, sizeof(block_len));
		if (at + 16 + block_len >= len)
			return at;
	}
}

static void fix_checksum(uint8_t *block, size_t len)
{
	uint32_t crc = crc32(crc32(0, block, 12), block + 16, len - 16);

	memcpy(block + 12, &crc, sizeof(crc));
}

static void test_damage(void)
{
	static const uint32_t types[] = { 0, 1, 5, INT32_MAX, UINT32_MAX };
	static struct trace_event events[100];
	static uint8_t data[4096], damaged[4096];
	char *path = path_of("damage");
	unsigned int accepted = 0, misplaced = 0, bit;
	size_t len, i;

	write_sample(path, events, ARRAY_SIZE(events));
	len = read_file(path, data, sizeof(data));
	ok(len > 200 && len < sizeof(data) && !read_all(path),
	   "the undamaged file of %zu bytes is accepted", len);

	for (i = 0; i < len; i++) {
		long byte;

		write_file(path, data, i);
		hush();
		accepted += !read_all(path);
		byte = said_byte(said());
		misplaced += byte < 0 || byte > (long)i;
	}
	ok(!accepted, "cut short at any byte it is refused (%u were not)", accepted);
	ok(!misplaced, "where it was cut is told (%u times not)", misplaced);

	accepted = 0;
	misplaced = 0;
	for (i = 0; i < len; i++) {
		for (bit = 0; bit < 8; bit++) {
			long byte;

			memcpy(damaged, data, len);
			damaged[i] ^= 1 << bit;
			write_file(path, damaged, len);
			hush();
			accepted += !read_all(path);
			byte = said_byte(said());
			/* a checksum cannot tell where in its block; a length misleads */
			misplaced += byte < 0 || byte > (long)len;
		}
	}
	ok(!accepted, "with any bit flipped it is refused (%u were not)", accepted);
	ok(!misplaced, "where it is damaged is told (%u times not)", misplaced);

	/* types that do not exist, or not as the last block; all else is right */
	accepted = 0;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		size_t at = last_block(data, len);

		memcpy(damaged, data, len);
		memcpy(damaged + at, &types[i], sizeof(types[i]));
		fix_checksum(damaged + at, len - at);
		write_file(path, damaged, len);
		hush();
		accepted += !read_all(path) || said_byte(said()) != (long)at;
	}
	ok(!accepted, "a block of a type there is not is refused, and named (%u were not)",
	   accepted);

	memcpy(damaged, data, len);
	damaged[len] = 0;
	write_file(path, damaged, len + 1);
	hush();
	ok(read_all(path) && said_byte(said()) == (long)len,
	   "a byte too many is refused, and named");
	unlink(path);
	free(path);
}

/* A valid file with impossible events. */
static void test_impossible(const char *what, const struct trace_event *events,
			    unsigned int nr)
{
	struct trace_texts nothing = { 0 };
	char *path = path_of("impossible");
	struct trace_writer *writer = trace_create(path, &nothing);
	bool refused;
	unsigned int i;

	trace_write_cache(writer, &sample_caches[0]);
	for (i = 0; i < nr; i++)
		trace_write_event(writer, &events[i]);
	trace_finish(writer, &nothing);
	hush();
	refused = read_all(path);
	ok(refused && said_byte(said()) > 0, "refused: %s", what);
	unlink(path);
	free(path);
}

static void test_impossibles(void)
{
	static const struct trace_event twice[] = {
		{ .op = TRACE_KMALLOC, .handle = 5, .size = 8, .nid = -1 },
		{ .op = TRACE_PAGES_ALLOC, .handle = 5, .nid = -1 },
	};
	static const struct trace_event otherwise[] = {
		{ .op = TRACE_KMALLOC, .handle = 5, .size = 8, .nid = -1 },
		{ .op = TRACE_CACHE_FREE, .handle = 5 },
	};
	static const struct trace_event unknown[] = {
		{ .op = TRACE_KFREE, .handle = 5 },
	};
	static const struct trace_event no_cache[] = {
		{ .op = TRACE_CACHE_ALLOC, .handle = 5, .cache = 1, .nid = -1 },
	};
	static const struct trace_event nothing[] = {
		{ .op = TRACE_KMALLOC, .handle = 5, .size = 0, .nid = -1 },
	};
	static const struct trace_event large[] = {
		{ .op = TRACE_PAGES_ALLOC, .order = TRACE_MAX_ORDER + 1, .nid = -1 },
	};
	static const struct trace_event high[] = {
		{ .op = TRACE_KMALLOC, .handle = TRACE_MAX_HANDLES, .size = 8, .nid = -1 },
	};

	test_impossible("a handle allocated twice", twice, ARRAY_SIZE(twice));
	test_impossible("an object freed in another way", otherwise, ARRAY_SIZE(otherwise));
	test_impossible("a free of nothing", unknown, ARRAY_SIZE(unknown));
	test_impossible("a cache there is not", no_cache, ARRAY_SIZE(no_cache));
	test_impossible("kmalloc of nothing", nothing, ARRAY_SIZE(nothing));
	test_impossible("an order too large", large, ARRAY_SIZE(large));
	test_impossible("a handle too large", high, ARRAY_SIZE(high));
}

/* ---- conclusions ---- */

/* A source that reads an array. */
struct list_source {
	struct kmem_source source;
	const struct kmem_event *events;
	unsigned int nr, next;
};

static int list_next(struct kmem_source *source, struct kmem_event *event)
{
	struct list_source *list = (struct list_source *)source;

	if (list->next == list->nr)
		return 0;
	*event = list->events[list->next];
	if (!event->ts)
		event->ts = 1000 + list->next;
	list->next++;
	return 1;
}

static int list_rewind(struct kmem_source *source)
{
	((struct list_source *)source)->next = 0;
	return 0;
}

static void add_text(struct bytes *bytes, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add_text(struct bytes *bytes, const char *fmt, ...)
{
	char text[128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	bytes_add(bytes, text, strlen(text));
}

/* What a trace holds, in words: "kmalloc 0 64; kfree 0". */
static char *describe(const char *path)
{
	struct trace_reader *reader = trace_open(path);
	struct bytes bytes = { 0 };
	struct trace_event event;

	while (reader && trace_read(reader, &event) > 0) {
		add_text(&bytes, "%s%s %" PRIu32, bytes.len ? "; " : "",
			 trace_op_names[event.op], event.handle);
		if (event.op == TRACE_KMALLOC)
			add_text(&bytes, " %" PRIu64, event.size);
		if (event.op == TRACE_CACHE_ALLOC)
			add_text(&bytes, " %s", reader->caches[event.cache].name);
		if (event.op == TRACE_PAGES_ALLOC)
			add_text(&bytes, " %" PRIu32, event.order);
		if (event.implicit)
			add_text(&bytes, "!");
	}
	bytes_add(&bytes, "", 1);
	trace_close(reader);
	return (char *)bytes.data;
}

static struct convert_counts counts;

/*
 * Converts the events; true if the trace is as expected, in describe()'s
 * words. NULL expects nothing in particular.
 */
static bool converts(const struct kmem_event *events, unsigned int nr,
		     const char *expected)
{
	struct list_source list = {
		.source = {
			.page_size = 4096,
			.nr_cpus = 4,
			.next = list_next,
			.rewind = list_rewind,
		},
		.events = events,
		.nr = nr,
	};
	struct trace_texts info = { 0 };
	char *path = path_of("converted");
	char *found = NULL;
	bool same = false;

	hush();
	if (!convert(&list.source, path, &info, &counts))
		found = describe(path);
	said();
	same = found && (!expected || !strcmp(found, expected));
	if (!same)
		printf("# expected %s\n# found    %s\n", expected, found ?: "nothing");
	free(found);
	unlink(path);
	free(path);
	return same;
}

#define CONVERTS(events, expected) converts(events, ARRAY_SIZE(events), expected)

#define DIRECT_MAP	0xffff888000000000ULL
#define ADDR(pfn, offset) (DIRECT_MAP + (uint64_t)(pfn) * 4096 + (offset))

#define KMALLOC(p, size) \
	{ .kind = KMEM_KMALLOC, .ptr = p, .bytes_req = size, .bytes_alloc = size, \
	  .call_site = 1, .node = -1 }
#define KFREE(p) { .kind = KMEM_KFREE, .ptr = p, .node = -1 }
#define CALLOC(p, site, size, dist) \
	{ .kind = KMEM_CACHE_ALLOC, .ptr = p, .call_site = site, \
	  .bytes_req = size, .bytes_alloc = dist, .node = -1 }
#define CFREE(p, cache) \
	{ .kind = KMEM_CACHE_FREE, .ptr = p, .name = cache, .node = -1 }
#define PALLOC(p, o) \
	{ .kind = KMEM_PAGE_ALLOC, .pfn = p, .order = o, .node = -1 }
#define PFREE(p, o) \
	{ .kind = KMEM_PAGE_FREE, .pfn = p, .order = o, .node = -1 }

/* Three new slabs: enough to learn where the direct map begins. */
#define LEARN \
	PALLOC(0x1000, 0), KMALLOC(ADDR(0x1000, 64), 64), \
	PALLOC(0x1010, 3), KMALLOC(ADDR(0x1011, 0), 64), \
	PALLOC(0x1008, 1), KMALLOC(ADDR(0x1009, 8), 64)
#define LEARNT "kmalloc 0 64; kmalloc 1 64; kmalloc 2 64"

static void test_objects(void)
{
	static const struct kmem_event plain[] = {
		KMALLOC(0x100, 64), KMALLOC(0x200, 100), KFREE(0x100),
		KMALLOC(0x300, 8), KFREE(0x200), KFREE(0x300),
	};
	static const struct kmem_event again[] = {
		KMALLOC(0x100, 64), KMALLOC(0x100, 32), KFREE(0x100),
	};
	static const struct kmem_event strays[] = {
		KFREE(0x100), KFREE(0), KFREE(16), KMALLOC(0, 64), KMALLOC(16, 0),
		CFREE(0x500, "dentry"), PFREE(7, 0), PALLOC(KMEM_NO_PFN, 0),
		KMALLOC(0x100, 1), KFREE(0x100), KFREE(0x100),
	};
	static const struct kmem_event mixed[] = {
		CALLOC(0x100, 7, 40, 40), KFREE(0x100),
		KMALLOC(0x200, 64), CFREE(0x200, "kmalloc-64"),
	};

	/* events that a kernel never writes */
	static const struct kmem_event senseless[] = {
		CALLOC(0x100, 7, 1ULL << 32, 1ULL << 33), CALLOC(0x100, 7, 64, 32),
		PALLOC(KMEM_NO_PFN - 4, 3), PALLOC(KMEM_NO_PFN - 4, 0),
		PALLOC(1, TRACE_MAX_ORDER + 1), PALLOC(1, 200), KMALLOC(0x100, 1),
	};

	ok(CONVERTS(plain, "kmalloc 0 64; kmalloc 1 100; kfree 0; kmalloc 0 8; kfree 1; kfree 0"),
	   "allocations and frees, handles used again");
	ok(CONVERTS(again, "kmalloc 0 64; kfree 0!; kmalloc 0 32; kfree 0") &&
	   counts.implicit_frees == 1,
	   "a second allocation of a live address frees the first");
	ok(CONVERTS(strays, "kmalloc 0 1; kfree 0") && counts.unknown_frees == 3 &&
	   counts.null_frees == 2 && counts.failed_allocs == 3 &&
	   counts.unknown_page_frees == 1,
	   "frees of what is not known and failed allocations are left out, counted");
	ok(CONVERTS(senseless, "kmalloc 0 1") && counts.failed_allocs == 6,
	   "sizes, pages and orders that cannot be are left out, counted");
	ok(CONVERTS(mixed, "cache_alloc 0 unnamed-40; cache_free 0; kmalloc 0 64; kfree 0") &&
	   counts.mixed_frees == 2 && counts.unnamed == 1,
	   "an object is freed in the way it was allocated");
}

static void test_names(void)
{
	static const struct kmem_event learned[] = {
		CALLOC(0x100, 7, 192, 192), CALLOC(0x200, 7, 192, 192),
		CALLOC(0x300, 8, 192, 192), CFREE(0x200, "dentry"),
	};
	static const struct kmem_event majority[] = {
		CALLOC(0x100, 7, 64, 64), CFREE(0x100, "other"),
		CALLOC(0x100, 7, 64, 64), CFREE(0x100, "bio"),
		CALLOC(0x100, 7, 64, 64), CFREE(0x100, "bio"),
	};
	static const struct kmem_event sizes[] = {
		CALLOC(0x100, 7, 64, 64), CFREE(0x100, "bio"),
		CALLOC(0x200, 7, 80, 96), CFREE(0x200, "bio"),
	};
	static const struct kmem_event sites[] = {
		CALLOC(0x100, 7, 64, 64), CFREE(0x100, "bio"),
		CALLOC(0x200, 9, 64, 64), CFREE(0x200, "bio"),
	};
	static struct kmem_event told[] = {
		CALLOC(0x100, 7, 64, 64), CALLOC(0x200, 7, 64, 64),
	};
	static struct kmem_event of_kmalloc[] = {
		CALLOC(0x100, 7, 64, 64), KFREE(0x100),
	};
	static const struct kmem_event odd[] = {
		CALLOC(0x100, 7, 64, 64),
		CFREE(0x100, "a name with blanks, and far too long for it"),
	};

	ok(CONVERTS(learned, "cache_alloc 0 dentry; cache_alloc 1 dentry; "
			     "cache_alloc 2 unnamed-192; cache_free 1") &&
	   counts.named_by_site == 2 && counts.unnamed == 1,
	   "the cache's name is learned from later frees, by call site");
	ok(CONVERTS(majority, "cache_alloc 0 bio; cache_free 0; cache_alloc 0 bio; "
			      "cache_free 0; cache_alloc 0 bio; cache_free 0") &&
	   counts.misnamed == 1,
	   "of two names the more frequent is taken, the other counted");
	ok(CONVERTS(sizes, "cache_alloc 0 bio; cache_free 0; "
			   "cache_alloc 0 bio:80:96; cache_free 0"),
	   "caches of one name and two sizes stay apart");
	ok(CONVERTS(sites, "cache_alloc 0 bio; cache_free 0; cache_alloc 0 bio; cache_free 0"),
	   "two call sites may share a cache");
	told[0].name = "one";
	told[1].name = "two";
	ok(CONVERTS(told, "cache_alloc 0 one; cache_alloc 1 two") &&
	   counts.named_by_event == 2, "a name in the event itself is believed");
	of_kmalloc[0].name = "kmalloc-64";
	ok(CONVERTS(of_kmalloc, "kmalloc 0 64; kfree 0") && counts.kmalloc_caches == 1 &&
	   !counts.mixed_frees, "an object of a kmalloc cache is kmalloc's");
	ok(CONVERTS(odd, "cache_alloc 0 a_name_with_blanks,_and_far_too; cache_free 0"),
	   "names are made fit for slabinfo");
}

static void test_pages(void)
{
	static const struct kmem_event plain[] = {
		PALLOC(8, 3), PALLOC(16, 0), PFREE(8, 3), PFREE(16, 0),
	};
	static const struct kmem_event again[] = {
		PALLOC(8, 0), PALLOC(8, 0), PFREE(8, 0),
	};
	static const struct kmem_event inside[] = {
		PALLOC(8, 1), PALLOC(9, 0), PALLOC(10, 0), PALLOC(11, 0), PALLOC(8, 2),
	};
	static const struct kmem_event split[] = {
		PALLOC(8, 2), PFREE(9, 0), PFREE(10, 1), PFREE(8, 0), PFREE(8, 0),
	};

	ok(CONVERTS(plain, "pages_alloc 0 3; pages_alloc 1 0; pages_free 0; pages_free 1"),
	   "pages allocated and freed");
	ok(CONVERTS(again, "pages_alloc 0 0; pages_free 0!; pages_alloc 0 0; pages_free 0") &&
	   counts.implicit_frees == 1, "pages allocated again were freed unseen");
	ok(CONVERTS(inside, "pages_alloc 0 1; pages_free 0!; pages_alloc 0 0; "
			    "pages_alloc 1 0; pages_alloc 2 0; pages_free 0!; "
			    "pages_free 1!; pages_free 2!; pages_alloc 2 2") &&
	   counts.implicit_frees == 4, "so were blocks that overlap a new one");
	ok(CONVERTS(split, "pages_alloc 0 2; pages_free 0") && counts.split_frees == 3 &&
	   counts.unknown_page_frees == 1,
	   "a block freed in parts goes with its last page");
}

static void test_slab_pages(void)
{
	static const struct kmem_event slabs[] = {
		LEARN, PALLOC(0x2000, 0), KFREE(ADDR(0x1000, 64)), PFREE(0x1000, 0),
		PFREE(0x2000, 0),
	};
	static const struct kmem_event buried[] = {
		LEARN, PFREE(0x1010, 3), KFREE(ADDR(0x1011, 0)),
	};
	static const struct kmem_event reused[] = {
		LEARN, PALLOC(0x1000, 0),
	};
	static struct kmem_event late[6 + 1 + 2 * 5000 + 1 + 1] = {
		LEARN, PALLOC(0x3000, 0),
	};
	static const struct kmem_event too_few[] = {
		PALLOC(0x1000, 0), KMALLOC(ADDR(0x1000, 0), 64),
	};
	unsigned int i, n = 7;

	ok(CONVERTS(slabs, LEARNT "; pages_alloc 3 0; kfree 0; pages_free 3") &&
	   counts.slab_page_allocs == 3 && counts.slab_page_frees == 1,
	   "pages that objects turn up in are the slab's, and left out");
	ok(CONVERTS(buried, LEARNT "; kfree 1!") && counts.page_gone_frees == 1 &&
	   counts.unknown_frees == 1, "objects do not outlive their page");
	ok(CONVERTS(reused, LEARNT "; kfree 0!; pages_alloc 0 0") &&
	   counts.page_gone_frees == 1,
	   "nor a page that someone else was given");
	ok(CONVERTS(too_few, "pages_alloc 0 0; kmalloc 1 64") &&
	   !counts.slab_page_allocs, "one coincidence proves nothing");

	/* the object appears after its block was written */
	for (i = 0; i < 5000; i++) {
		late[n++] = (struct kmem_event)KMALLOC(0x100, 8);
		late[n++] = (struct kmem_event)KFREE(0x100);
	}
	late[n++] = (struct kmem_event)KMALLOC(ADDR(0x3000, 512), 512);
	late[n++] = (struct kmem_event)PFREE(0x3000, 0);
	ok(converts(late, n, NULL) && counts.late_slab_pages == 1 &&
	   counts.pages_alloc == 1 && counts.pages_free == 1 &&
	   counts.slab_page_frees == 1,
	   "a block written before its first object showed is freed there");
}

static void test_clock(void)
{
	static const struct kmem_event back[] = {
		{ .kind = KMEM_KMALLOC, .ts = 5000, .ptr = 0x100, .bytes_req = 8,
		  .bytes_alloc = 8, .node = -1 },
		{ .kind = KMEM_KFREE, .ts = 4000, .ptr = 0x100 },
		{ .kind = KMEM_KMALLOC, .ts = 6000, .ptr = 0x100, .bytes_req = 8,
		  .bytes_alloc = 8, .node = 3 },
	};

	ok(CONVERTS(back, "kmalloc 0 8; kfree 0; kmalloc 0 8"),
	   "a clock that is set back does no harm");
	ok(CONVERTS(((struct kmem_event[]){ KMALLOC(0x100, 8) }), "kmalloc 0 8") &&
	   counts.live_at_end == 1, "what is never freed is counted");
}

/* ---- many events ---- */

#define MANY		10000000ULL
#define MANY_LIVE	20000U
#define MANY_RSS_KIB	(48 * 1024)

/* Generates events, the same ones after each rewind. */
struct endless_source {
	struct kmem_source source;
	uint64_t nr;
	uint64_t random;
	bool live[MANY_LIVE];
};

static int endless_next(struct kmem_source *source, struct kmem_event *event)
{
	struct endless_source *endless = (struct endless_source *)source;
	unsigned int i;

	if (endless->nr == MANY)
		return 0;
	endless->random = endless->random * 6364136223846793005ULL + 1442695040888963407ULL;
	i = (endless->random >> 33) % MANY_LIVE;
	*event = (struct kmem_event){
		.ts = 100 * ++endless->nr,
		.kind = i % 3 ? KMEM_CACHE_ALLOC : KMEM_KMALLOC,
		.cpu = i % 4,
		.ptr = 0x1000 + 64ULL * i,
		.call_site = i % 100,
		.bytes_req = 8 * (1 + i % 100),
		.bytes_alloc = 8 * (1 + i % 100),
		.gfp = MMBOX_GFP_KERNEL,
		.node = -1,
	};
	if (endless->live[i]) {
		event->kind++;
		if (i % 3)
			event->name = "some_cache";
	}
	endless->live[i] = !endless->live[i];
	return 1;
}

static int endless_rewind(struct kmem_source *source)
{
	struct endless_source *endless = (struct endless_source *)source;

	endless->nr = 0;
	endless->random = 1;
	memset(endless->live, 0, sizeof(endless->live));
	return 0;
}

/* In a child, whose maximum resident size is then known. */
static void test_many(void)
{
	char *path = path_of("many");
	struct rusage usage;
	struct stat st = { 0 };
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		struct endless_source *endless = xzalloc(sizeof(*endless));
		struct trace_texts info = { 0 };
		struct trace_reader *reader;
		struct trace_event event;
		int got;

		endless->source.page_size = 4096;
		endless->source.nr_cpus = 4;
		endless->source.next = endless_next;
		endless->source.rewind = endless_rewind;
		endless_rewind(&endless->source);
		hush();
		if (convert(&endless->source, path, &info, &counts))
			_exit(1);
		free(endless);
		reader = trace_open(path);
		while (reader && (got = trace_read(reader, &event)) > 0)
			;
		_exit(!reader || got || reader->nr_events != MANY ||
		      reader->nr_handles > MANY_LIVE);
	}
	if (wait4(pid, &status, 0, &usage) < 0)
		status = -1;
	stat(path, &st);
	ok(!status, "%llu events are converted and read back (%.1f bytes each)", MANY,
	   (double)st.st_size / MANY);
	/* sanitizers use memory themselves */
#ifndef SANITIZED
	ok(usage.ru_maxrss < MANY_RSS_KIB,
	   "that took %ld KiB of memory, less than %d", usage.ru_maxrss, MANY_RSS_KIB);
#endif
	unlink(path);
	free(path);
}

/* A trace with control sequences for a terminal in its texts. */
static void write_odd(const char *path)
{
	struct trace_texts info = { 0 }, end = { 0 };
	struct trace_writer *writer;

	trace_texts_add(&info, "command", "%s", "\x1b[31mred\x1b]0;title\a");
	writer = trace_create(path, &info);
	if (!writer || trace_finish(writer, &end))
		abort();
	bytes_free(&info.bytes);
}

int main(int argc, char **argv)
{
	static char template[] = "/tmp/mmbox-unit-XXXXXX";
	char *path;

	if (argc == 3 && !strcmp(argv[1], "sample")) {
		static struct trace_event events[1000];

		write_sample(argv[2], events, ARRAY_SIZE(events));
		return EXIT_SUCCESS;
	}
	if (argc == 3 && !strcmp(argv[1], "odd")) {
		write_odd(argv[2]);
		return EXIT_SUCCESS;
	}
	if (argc != 1) {
		fputs("usage: unit [sample|odd FILE]\n", stderr);
		return EXIT_USAGE;
	}
	dir = mkdtemp(template);
	if (!dir) {
		warn_errno("cannot make a folder for the tests");
		return EXIT_FAILURE;
	}
	test_varints();
	test_table();
	test_texts();
	test_escapes();
	test_refused();
	test_planted();
	test_round_trip();
	test_damage();
	test_impossibles();
	test_objects();
	test_names();
	test_pages();
	test_slab_pages();
	test_clock();
	test_decode();
	test_many();
	path = path_of("stderr");
	unlink(path);
	free(path);
	rmdir(dir);
	return ok_sum();
}
