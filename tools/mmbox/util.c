// SPDX-License-Identifier: GPL-2.0
/* Messages, memory, the hash table, variable-length integers. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* Decodes a UTF-8 sequence. Returns its length in bytes, 0 if it is invalid. */
static size_t decode_utf8(const uint8_t *bytes, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = bytes[0] < 0x80 ? 1 : bytes[0] < 0xc0 ? 0 : bytes[0] < 0xe0 ? 2 :
		     bytes[0] < 0xf0 ? 3 : bytes[0] < 0xf8 ? 4 : 0;
	size_t i;

	*code = len > 1 ? bytes[0] & (0x7f >> len) : bytes[0];
	for (i = 1; i < len; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (bytes[i] & 0x3f);
	}
	return len && *code >= least[len] ? len : 0;
}

/* Control characters, changes of writing direction, and non-characters. */
static bool is_control(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0, 0x1f }, { 0x7f, 0x9f }, { 0x61c, 0x61c }, { 0x200b, 0x200f },
		{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xd800, 0xf8ff }, { 0xfeff, 0xfeff },
		{ 0xfff0, 0xffff }, { 0xe0000, UINT32_MAX },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

size_t printable_len(const char *text)
{
	uint32_t code;
	size_t len = decode_utf8((const uint8_t *)text, &code);

	return len && !is_control(code) ? len : 0;
}

/* Each byte becomes up to 4 bytes. */
static char *escape(char *to, const char *text)
{
	while (*text) {
		size_t len = *text == '\\' ? 0 : printable_len(text);

		if (len)
			to = mempcpy(to, text, len);
		else if (*text == '\\')
			to = stpcpy(to, "\\\\");
		else
			to += sprintf(to, "\\x%02x", (uint8_t)*text);
		text += len ?: 1;
	}
	*to = 0;
	return to;
}

void print_escaped(FILE *file, const char *text)
{
	char *escaped = xmalloc(4 * strlen(text) + 1);

	escape(escaped, text);
	fputs(escaped, file);
	free(escaped);
}

static void vwarn(const char *fmt, va_list args, const char *after)
{
	char text[4096], escaped[4 * sizeof(text)];

	vsnprintf(text, sizeof(text), fmt, args);
	escape(escaped, text);
	/* a single write, so that messages of threads do not mix */
	fprintf(stderr, "mmbox: %s%s%s\n", escaped, after ? ": " : "", after ?: "");
}

void warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vwarn(fmt, args, NULL);
	va_end(args);
}

void warn_errno(const char *fmt, ...)
{
	const char *text = strerror(errno);
	va_list args;

	va_start(args, fmt);
	vwarn(fmt, args, text);
	va_end(args);
}

void usage_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vwarn(fmt, args, NULL);
	va_end(args);
	fputs("mmbox: `mmbox --help` says more\n", stderr);
	exit(EXIT_USAGE);
}

void bad_option(int opt, char **argv)
{
	const char *word = argv[optind - 1];
	char letter[3] = { '-', optopt, 0 };
	bool is_long = !strncmp(word, "--", 2);

	/* in a cluster of letters, optind moves on only after the last one */
	if (!is_long && optopt > 0 && optopt < 256)
		word = letter;
	if (opt == ':')
		usage_error("%s: option %s needs a value", argv[0], word);
	if (is_long && optopt)
		usage_error("%s: option %s takes no value", argv[0], word);
	usage_error("%s: there is no option %s, or more than one that begins so", argv[0], word);
}

void one_file(int argc, char **argv, const char *kind)
{
	if (optind == argc)
		usage_error("%s: a %s is needed", argv[0], kind);
	if (optind < argc - 1)
		usage_error("%s: one %s is needed, and `%s' is one more", argv[0], kind,
			    argv[optind + 1]);
}

static void *or_exit(void *ptr)
{
	if (!ptr) {
		warn("out of memory");
		exit(EXIT_FAILURE);
	}
	return ptr;
}

void *xmalloc(size_t size)
{
	return or_exit(malloc(size ?: 1));
}

void *xzalloc(size_t size)
{
	return or_exit(calloc(1, size ?: 1));
}

void *xrealloc(void *ptr, size_t size)
{
	return or_exit(realloc(ptr, size ?: 1));
}

char *xstrdup(const char *str)
{
	return or_exit(strdup(str));
}

char *xasprintf(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	return or_exit(text);
}

long parse_number(const char *text, long min, long max)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < min || value > max)
		return -1;
	return value;
}

/* ---- hash table: open addressing, linear probing ---- */

#define TABLE_SHIFT_MIN	6

static void *entry_at(const struct table *table, size_t i)
{
	return table->entries + i * table->entry_size;
}

static uint64_t key_of(const void *entry)
{
	return *(const uint64_t *)entry;
}

static size_t mask_of(const struct table *table)
{
	return ((size_t)1 << table->shift) - 1;
}

static size_t home_of(const struct table *table, uint64_t key)
{
	return (key * 0x9e3779b97f4a7c15ULL) >> (64 - table->shift);
}

/* The key's entry, or the empty entry where it belongs. */
static void *probe(const struct table *table, uint64_t key)
{
	size_t i = home_of(table, key);

	for (;; i = (i + 1) & mask_of(table)) {
		void *entry = entry_at(table, i);

		if (key_of(entry) == key || !key_of(entry))
			return entry;
	}
}

void table_init(struct table *table, size_t entry_size)
{
	table->entry_size = entry_size;
	table->nr = 0;
	table->shift = TABLE_SHIFT_MIN;
	table->entries = xzalloc(entry_size << table->shift);
}

void table_free(struct table *table)
{
	free(table->entries);
	table->entries = NULL;
}

static void grow(struct table *table)
{
	struct table bigger = *table;
	size_t i;

	bigger.shift++;
	bigger.entries = xzalloc(table->entry_size << bigger.shift);
	for (i = 0; i <= mask_of(table); i++) {
		void *entry = entry_at(table, i);

		if (key_of(entry))
			memcpy(probe(&bigger, key_of(entry)), entry,
			       table->entry_size);
	}
	free(table->entries);
	*table = bigger;
}

void *table_find(const struct table *table, uint64_t key)
{
	void *entry = probe(table, key);

	return key_of(entry) ? entry : NULL;
}

void *table_insert(struct table *table, uint64_t key, bool *is_new)
{
	void *entry = probe(table, key);

	*is_new = !key_of(entry);
	if (!*is_new)
		return entry;
	if (table->nr >= mask_of(table) / 3 * 2) {
		grow(table);
		entry = probe(table, key);
	}
	table->nr++;
	memset(entry, 0, table->entry_size);
	*(uint64_t *)entry = key;
	return entry;
}

/* Moves entries behind the gap up, but none before the place of its hash. */
void table_delete(struct table *table, void *entry)
{
	size_t mask = mask_of(table);
	size_t gap = ((char *)entry - table->entries) / table->entry_size;
	size_t i;

	for (i = (gap + 1) & mask; key_of(entry_at(table, i)); i = (i + 1) & mask) {
		size_t home = home_of(table, key_of(entry_at(table, i)));

		if (((i - home) & mask) < ((i - gap) & mask))
			continue;
		memcpy(entry_at(table, gap), entry_at(table, i), table->entry_size);
		gap = i;
	}
	memset(entry_at(table, gap), 0, table->entry_size);
	table->nr--;
}

void *table_next(const struct table *table, void *entry)
{
	size_t i = 0;

	if (entry)
		i = ((char *)entry - table->entries) / table->entry_size + 1;
	for (; i <= mask_of(table); i++)
		if (key_of(entry_at(table, i)))
			return entry_at(table, i);
	return NULL;
}

/* ---- bytes ---- */

void bytes_add(struct bytes *bytes, const void *data, size_t len)
{
	if (!len)
		return;
	if (bytes->len + len > bytes->room) {
		bytes->room = (bytes->len + len) * 2;
		bytes->data = xrealloc(bytes->data, bytes->room);
	}
	memcpy(bytes->data + bytes->len, data, len);
	bytes->len += len;
}

void bytes_add_varint(struct bytes *bytes, uint64_t value)
{
	uint8_t buf[VARINT_MAX];
	size_t len = 0;

	for (; value >= 0x80; value >>= 7)
		buf[len++] = value | 0x80;
	buf[len++] = value;
	bytes_add(bytes, buf, len);
}

void bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){ 0 };
}

bool varint_read(const uint8_t **pos, const uint8_t *end, uint64_t *value)
{
	const uint8_t *p = *pos;
	unsigned int shift;

	*value = 0;
	for (shift = 0; shift < 7 * VARINT_MAX && p < end; shift += 7) {
		uint8_t byte = *p++;

		if (shift == 63 && byte > 1)
			return false;
		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*pos = p;
			return true;
		}
	}
	return false;
}
