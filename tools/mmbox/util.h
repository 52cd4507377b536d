/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all files of the mmbox command use: messages, allocations that end the program if
 * they fail, a hash table, variable-length integers.
 */
#ifndef MMBOX_UTIL_H
#define MMBOX_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define EXIT_USAGE	2	/* exit status: bad command line */

/*
 * Text from a file or the command line may contain control sequences for a terminal. This
 * prints such bytes as \xNN, a backslash as two, and printable UTF-8 as it is. All
 * messages below are printed this way.
 */
void print_escaped(FILE *file, const char *text);
/* Length in bytes of the first character, 0 if it is not printable. */
size_t printable_len(const char *text);

/* "mmbox: ..." on stderr */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* the same with the text of errno behind it */
void warn_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* wrong usage: the message, where to find help, exit status EXIT_USAGE */
void usage_error(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/*
 * The message for a '?' or ':' of getopt_long(). It returns ':' only if the list of short
 * options begins with that (behind a '+').
 */
void bad_option(int opt, char **argv) __attribute__((noreturn));

/* Ends the program unless exactly one argument, a file of this kind, is left. */
void one_file(int argc, char **argv, const char *kind);

void *xmalloc(size_t size);
void *xzalloc(size_t size);
void *xrealloc(void *ptr, size_t size);
char *xstrdup(const char *str);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The number, if all of the text is a number from min to max, else -1. */
long parse_number(const char *text, long min, long max);

/*
 * A hash table of fixed-size entries, each beginning with its uint64_t key,
 * which is never 0. Pointers to entries last until the next insert or delete.
 */
struct table {
	char *entries;
	size_t entry_size;	/* bytes */
	size_t nr;		/* entries in use */
	unsigned int shift;	/* log2 of the entries there is room for */
};

void table_init(struct table *table, size_t entry_size);
void table_free(struct table *table);
void *table_find(const struct table *table, uint64_t key);
/* The entry of the key, zeroed but for the key if it is new. */
void *table_insert(struct table *table, uint64_t key, bool *is_new);
void table_delete(struct table *table, void *entry);
/* The entry after this one. NULL: the first. Returns NULL after the last. */
void *table_next(const struct table *table, void *entry);

/* A buffer that grows. */
struct bytes {
	uint8_t *data;
	size_t len;
	size_t room;
};

void bytes_add(struct bytes *bytes, const void *data, size_t len);
void bytes_add_varint(struct bytes *bytes, uint64_t value);
void bytes_free(struct bytes *bytes);

/* Seven bits a byte, lowest first. */
#define VARINT_MAX	10

/* Reads one and moves *pos behind it. False if it does not end before end. */
bool varint_read(const uint8_t **pos, const uint8_t *end, uint64_t *value);

static inline uint64_t zigzag(int64_t value)
{
	return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static inline int64_t unzigzag(uint64_t value)
{
	return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

#endif /* MMBOX_UTIL_H */
