/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trace files: what a kernel allocated and freed, in order. docs/trace-format.md has the
 * layout. Files are written and read sequentially, a block at a time, and only one block
 * is kept in memory.
 */
#ifndef MMBOX_TRACE_H
#define MMBOX_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "util.h"

#define TRACE_VERSION		1
#define TRACE_MAX_HANDLES	(1U << 24)
#define TRACE_MAX_CACHES	1024
#define TRACE_MAX_CPUS		8192
#define TRACE_MAX_ORDER		15
#define TRACE_MAX_NODES		1024
#define TRACE_NAME_LEN		32	/* of a cache, with its final 0 */
#define TRACE_MAX_TEXTS		128	/* of a block */
#define TRACE_MAX_AHEAD		65536U	/* handles beyond the number of events so far */

enum trace_op {
	TRACE_KMALLOC,
	TRACE_KFREE,
	TRACE_CACHE_ALLOC,
	TRACE_CACHE_FREE,
	TRACE_PAGES_ALLOC,
	TRACE_PAGES_FREE,
	TRACE_NR_OPS,
};

extern const char *const trace_op_names[TRACE_NR_OPS];

static inline bool trace_op_is_free(enum trace_op op)
{
	return op & 1;
}

/* An allocation and its free have the same kind. */
static inline unsigned int trace_op_kind(enum trace_op op)
{
	return op >> 1;
}

struct trace_event {
	uint64_t ts;		/* ns since the first event */
	enum trace_op op;
	bool implicit;		/* a free without an event of its own */
	uint16_t cpu;
	int16_t nid;		/* allocations: requested node, -1: any */
	uint32_t handle;	/* what is allocated or freed */
	uint32_t gfp;		/* allocations: MMBOX_GFP_* */
	uint32_t cache;		/* CACHE_ALLOC, CACHE_FREE */
	uint32_t order;		/* PAGES_ALLOC, PAGES_FREE */
	uint64_t size;		/* KMALLOC: bytes */
};

struct trace_cache {
	char name[TRACE_NAME_LEN];
	uint32_t object_size;	/* bytes asked for */
	uint32_t size;		/* bytes from one object to the next */
};

/* "key=value" texts, of the INFO and END blocks */
struct trace_texts {
	struct bytes bytes;
};

void trace_texts_add(struct trace_texts *texts, const char *key,
		     const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The value, or NULL. */
const char *trace_texts_get(const struct trace_texts *texts, const char *key);
/* The text after this one. NULL: the first. Returns NULL after the last. */
const char *trace_texts_next(const struct trace_texts *texts, const char *text);

/* ---- writing: functions return 0, or -1 after a message ---- */

struct trace_writer;

/* True if the path exists and is not a regular file: a device, a pipe, a folder. */
bool trace_is_no_file(const char *path);
/* The file gets its name when it is finished. */
struct trace_writer *trace_create(const char *path, const struct trace_texts *info);
int trace_write_cache(struct trace_writer *writer, const struct trace_cache *cache);
int trace_write_event(struct trace_writer *writer, const struct trace_event *event);
/* Writes the END block. Frees the writer in any case. */
int trace_finish(struct trace_writer *writer, const struct trace_texts *end);
/* Frees the writer, and removes the file. */
void trace_abandon(struct trace_writer *writer);

/* ---- reading ---- */

struct trace_reader {
	struct trace_texts info;
	struct trace_texts end;		/* once it has been reached */
	struct trace_cache *caches;	/* those met so far */
	uint32_t nr_caches;
	uint32_t nr_handles;		/* largest handle met so far, plus one */
	uint64_t nr_events;		/* events read so far */
	uint64_t nr_live;		/* allocated and not freed so far */
	struct trace_reading *state;
};

/* Returns NULL after a message if it cannot be opened or is not a trace file. */
struct trace_reader *trace_open(const char *path);
/* 1 and an event; 0 at the end; -1 after a message with the offset. */
int trace_read(struct trace_reader *reader, struct trace_event *event);
/* Back to the first event: 0, or -1 after a message. */
int trace_rewind(struct trace_reader *reader);
/* Reads to the end and back, so that a damaged file is refused as a whole. */
int trace_check(struct trace_reader *reader);
void trace_close(struct trace_reader *reader);

#endif /* MMBOX_TRACE_H */
