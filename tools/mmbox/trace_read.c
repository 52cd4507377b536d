// SPDX-License-Identifier: GPL-2.0
/*
 * Reading trace files. A block is read whole, its checksum is compared, then its events
 * are returned one by one. Each event is checked against what is allocated at that
 * moment, so a caller never sees a free of an empty handle, or an allocation to a handle
 * in use. Errors are reported with the offset in the file.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <uapi/mmbox.h>

#include "trace_format.h"

/* What a handle stands for. */
struct held {
	uint16_t value;		/* cache, or order */
	uint8_t kind;		/* trace_op_kind() + 1, 0: nothing */
};

struct trace_reading {
	FILE *file;
	char *path;
	uint64_t offset;	/* in the file, of the next byte to be read */
	uint64_t block_offset;	/* of the contents of the block */
	uint8_t *block;
	uint32_t block_len;
	uint32_t block_events;	/* not yet handed out */
	const uint8_t *pos;	/* in the block, of the next event */
	struct event_base base;
	uint64_t last_ts;	/* of the event before, in whichever block */
	struct held *held;	/* by handle */
	uint32_t held_room;
	uint32_t cache_room;
	bool ended;
	bool failed;
};

/* ---- errors ---- */

static int bad(struct trace_reader *reader, uint64_t offset, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int bad(struct trace_reader *reader, uint64_t offset, const char *fmt, ...)
{
	char what[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	warn("%s: damaged at byte %" PRIu64 ": %s", reader->state->path, offset, what);
	reader->state->failed = true;
	return -1;
}

/* 1 if that many bytes came, 0 at the end of the file, -1 in between. */
static int read_bytes(struct trace_reader *reader, void *data, size_t len,
		      const char *what)
{
	struct trace_reading *state = reader->state;
	size_t got = fread(data, 1, len, state->file);

	if (ferror(state->file)) {
		warn_errno("cannot read %s at byte %" PRIu64, state->path,
			   state->offset + got);
		state->failed = true;
		return -1;
	}
	if (!got && len)
		return 0;
	if (got < len)
		return bad(reader, state->offset + got, "ends in the middle of %s",
			   what);
	state->offset += len;
	return 1;
}

/* ---- blocks ---- */

/* Length of the key at the start of the text, 0 if it has none. */
static size_t key_len(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return text[len] == '=' ? len : 0;
}

static int check_texts(struct trace_reader *reader, const struct trace_texts *texts)
{
	const struct bytes *bytes = &texts->bytes;
	const char *seen[TRACE_MAX_TEXTS], *text = NULL;
	unsigned int nr = 0, i;

	if (bytes->len && bytes->data[bytes->len - 1])
		return bad(reader, reader->state->block_offset,
			   "text without an end");
	while ((text = trace_texts_next(texts, text))) {
		uint64_t at = reader->state->block_offset +
			      (text - (const char *)bytes->data);
		size_t len = key_len(text);

		if (!len)
			return bad(reader, at, "a text that is not KEY=VALUE");
		if (nr == TRACE_MAX_TEXTS)
			return bad(reader, at, "more than %u texts", TRACE_MAX_TEXTS);
		for (i = 0; i < nr; i++)
			if (!strncmp(seen[i], text, len + 1))
				return bad(reader, at, "a second text %.*s", (int)len, text);
		seen[nr++] = text;
	}
	return 0;
}

static int take_texts(struct trace_reader *reader, struct trace_texts *texts)
{
	struct trace_reading *state = reader->state;

	texts->bytes.len = 0;
	bytes_add(&texts->bytes, state->block, state->block_len);
	return check_texts(reader, texts);
}

/* A name for slabinfo and terminals: printable, not empty, without blanks. */
static bool is_name(const uint8_t *name, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return false;
	return len && len < TRACE_NAME_LEN;
}

static bool is_taken(const struct trace_reader *reader, const char *name)
{
	uint32_t i;

	for (i = 0; i < reader->nr_caches; i++)
		if (!strcmp(reader->caches[i].name, name))
			return true;
	return false;
}

static int take_caches(struct trace_reader *reader, uint32_t count)
{
	struct trace_reading *state = reader->state;
	const uint8_t *pos = state->block, *end = pos + state->block_len;

	for (; count; count--) {
		uint64_t at = state->block_offset + (pos - state->block);
		struct trace_cache cache = { 0 };
		uint64_t object_size, size, len;

		if (!varint_read(&pos, end, &object_size) ||
		    !varint_read(&pos, end, &size) ||
		    !varint_read(&pos, end, &len) ||
		    !object_size || object_size > size || size > UINT32_MAX ||
		    len > (size_t)(end - pos))
			return bad(reader, at, "no cache");
		if (!is_name(pos, len))
			return bad(reader, at, "a cache whose name is not 1 to 31 letters");
		if (reader->nr_caches == TRACE_MAX_CACHES)
			return bad(reader, at, "more than %u caches",
				   TRACE_MAX_CACHES);
		cache.object_size = object_size;
		cache.size = size;
		memcpy(cache.name, pos, len);
		if (is_taken(reader, cache.name))
			return bad(reader, at, "a second cache %s", cache.name);
		pos += len;
		if (reader->nr_caches == state->cache_room) {
			state->cache_room = state->cache_room * 2 + 64;
			reader->caches = xrealloc(reader->caches,
						  state->cache_room * sizeof(cache));
		}
		reader->caches[reader->nr_caches++] = cache;
	}
	if (pos != end)
		return bad(reader, state->block_offset + (pos - state->block),
			   "more bytes than caches");
	return 0;
}

static bool text_is(const struct trace_texts *texts, const char *key, uint64_t value)
{
	const char *text = trace_texts_get(texts, key);
	char expected[24];

	snprintf(expected, sizeof(expected), "%" PRIu64, value);
	return text && !strcmp(text, expected);
}

/* The END block has the totals, and is the last one. */
static int take_end(struct trace_reader *reader)
{
	struct trace_reading *state = reader->state;
	uint64_t at = state->block_offset;
	uint8_t byte;

	if (take_texts(reader, &reader->end))
		return -1;
	if (!text_is(&reader->end, "events", reader->nr_events) ||
	    !text_is(&reader->end, "handles", reader->nr_handles))
		return bad(reader, at, "other numbers of events or handles than there were");
	at = state->offset;
	switch (read_bytes(reader, &byte, 1, "")) {
	case 0:
		state->ended = true;
		return 0;
	case 1:
		return bad(reader, at, "more bytes after the end");
	}
	return -1;
}

/* Returns its type, or -1 after a message. */
static int read_block(struct trace_reader *reader, uint32_t *count)
{
	struct trace_reading *state = reader->state;
	uint8_t header[BLOCK_HEADER_LEN];
	uint64_t at = state->offset;
	uint32_t crc, type;
	int got;

	got = read_bytes(reader, header, sizeof(header), "the head of a block");
	if (!got)
		return bad(reader, at, "ends without an END block");
	if (got < 0)
		return -1;
	state->block_len = get_le32(header + 4);
	*count = get_le32(header + 8);
	if (state->block_len > BLOCK_LEN_MAX)
		return bad(reader, at, "a block of %" PRIu32 " bytes",
			   state->block_len);
	state->block_offset = state->offset;
	got = read_bytes(reader, state->block, state->block_len, "a block");
	if (got < 0)
		return -1;
	if (!got && state->block_len)
		return bad(reader, state->offset, "ends in the middle of a block");
	crc = crc32(0, header, 12);
	if (state->block_len)
		crc = crc32(crc, state->block, state->block_len);
	if (crc != get_le32(header + 12))
		return bad(reader, at, "wrong checksum of a block");
	type = get_le32(header);
	if (type < BLOCK_INFO || type > BLOCK_END)
		return bad(reader, at, "a block of unknown type %" PRIu32, type);
	if ((type == BLOCK_INFO || type == BLOCK_END) && *count)
		return bad(reader, at, "a block of texts with a count, %" PRIu32, *count);
	return type;
}

/* 1: the next block with events was read; 0: end of the file. */
static int next_events(struct trace_reader *reader)
{
	struct trace_reading *state = reader->state;

	for (;;) {
		uint64_t at = state->offset;
		uint32_t count;
		int type = read_block(reader, &count);

		switch (type) {
		case -1:
			return -1;
		case BLOCK_CACHES:
			if (take_caches(reader, count))
				return -1;
			break;
		case BLOCK_EVENTS:
			state->pos = state->block;
			state->block_events = count;
			state->base = (struct event_base){ 0 };
			if (count)
				return 1;
			if (state->block_len)
				return bad(reader, state->block_offset,
					   "more bytes than events in the block");
			break;
		case BLOCK_END:
			return take_end(reader);
		default:
			return bad(reader, at, "another INFO block");
		}
	}
}

static int read_start(struct trace_reader *reader)
{
	struct trace_reading *state = reader->state;
	uint8_t header[FILE_HEADER_LEN];
	uint32_t count;
	int got;

	got = read_bytes(reader, header, sizeof(header), "the head of the file");
	if (!got)
		return bad(reader, 0, "the file is empty");
	if (got < 0)
		return -1;
	if (memcmp(header, FILE_MAGIC, FILE_MAGIC_LEN)) {
		warn("%s: not a trace file of mmbox (byte 0)", state->path);
		return -1;
	}
	if (crc32(0, header, 12) != get_le32(header + 12))
		return bad(reader, 0, "wrong checksum of the head of the file");
	if (get_le32(header + 8) != TRACE_VERSION) {
		warn("%s: version %" PRIu32 " of the format (byte 8); this mmbox reads version %d",
		     state->path, get_le32(header + 8), TRACE_VERSION);
		return -1;
	}
	got = read_block(reader, &count);
	if (got < 0)
		return -1;
	if (got != BLOCK_INFO)
		return bad(reader, FILE_HEADER_LEN, "no INFO block");
	return take_texts(reader, &reader->info);
}

/* ---- events ---- */

static struct held *held_of(struct trace_reader *reader, uint32_t handle)
{
	struct trace_reading *state = reader->state;

	if (handle >= state->held_room) {
		uint32_t room = (handle + 1) * 2;

		state->held = xrealloc(state->held, room * sizeof(*state->held));
		memset(state->held + state->held_room, 0,
		       (room - state->held_room) * sizeof(*state->held));
		state->held_room = room;
	}
	return &state->held[handle];
}

/* The fields of an allocation. False if they are invalid. */
static bool read_alloc(struct trace_reader *reader, uint8_t first,
		       struct trace_event *event)
{
	struct trace_reading *state = reader->state;
	const uint8_t *end = state->block + state->block_len;
	uint64_t gfp = state->base.gfp, nid = 0, what;

	if (!(first & EVENT_SAME_GFP) && !varint_read(&state->pos, end, &gfp))
		return false;
	if (first & EVENT_NODE && !varint_read(&state->pos, end, &nid))
		return false;
	if (!varint_read(&state->pos, end, &what) || gfp & ~(uint64_t)MMBOX_GFP_ALL ||
	    nid >= TRACE_MAX_NODES)
		return false;
	event->gfp = gfp;
	event->nid = first & EVENT_NODE ? (int16_t)nid : -1;
	switch (event->op) {
	case TRACE_KMALLOC:
		event->size = what;
		return what;
	case TRACE_CACHE_ALLOC:
		event->cache = what;
		return what < reader->nr_caches;
	default:
		event->order = what;
		return what <= TRACE_MAX_ORDER;
	}
}

static bool read_fields(struct trace_reader *reader, struct trace_event *event)
{
	struct trace_reading *state = reader->state;
	const uint8_t *end = state->block + state->block_len;
	uint64_t ts, zigzag_handle, cpu = state->base.cpu;
	int64_t handle;
	uint8_t first;

	if (state->pos == end)
		return false;
	first = *state->pos++;
	event->op = first & EVENT_OP;
	event->implicit = first & EVENT_IMPLICIT;
	if (event->op >= TRACE_NR_OPS || first & 0x80)
		return false;
	if (trace_op_is_free(event->op) ? first & (EVENT_SAME_GFP | EVENT_NODE) :
					  event->implicit)
		return false;
	if (!varint_read(&state->pos, end, &ts) ||
	    !varint_read(&state->pos, end, &zigzag_handle))
		return false;
	if (!(first & EVENT_SAME_CPU) && !varint_read(&state->pos, end, &cpu))
		return false;
	handle = (int64_t)((uint64_t)unzigzag(zigzag_handle) + state->base.handle);
	/* tables by handle are no larger than the file is long */
	if (cpu >= TRACE_MAX_CPUS || handle < 0 || handle >= TRACE_MAX_HANDLES ||
	    (uint64_t)handle >= reader->nr_events + TRACE_MAX_AHEAD)
		return false;
	/* time does not wrap, nor go back from one block to the next */
	if (__builtin_add_overflow(state->base.ts, ts, &event->ts) ||
	    event->ts < state->last_ts)
		return false;
	event->cpu = cpu;
	event->handle = handle;
	return trace_op_is_free(event->op) || read_alloc(reader, first, event);
}

/* Fills or empties the handle. False if it is full or empty already. */
static bool account(struct trace_reader *reader, struct trace_event *event)
{
	struct held *held = held_of(reader, event->handle);
	uint8_t kind = trace_op_kind(event->op) + 1;

	if (trace_op_is_free(event->op)) {
		if (held->kind != kind)
			return false;
		event->cache = held->value;
		event->order = held->value;
		held->kind = 0;
		reader->nr_live--;
		return true;
	}
	if (held->kind)
		return false;
	held->kind = kind;
	held->value = event->op == TRACE_CACHE_ALLOC ? event->cache : event->order;
	reader->nr_live++;
	if (event->handle >= reader->nr_handles)
		reader->nr_handles = event->handle + 1;
	return true;
}

int trace_read(struct trace_reader *reader, struct trace_event *event)
{
	struct trace_reading *state = reader->state;
	uint64_t at;

	if (state->failed)
		return -1;
	if (state->ended)
		return 0;
	if (!state->block_events) {
		int got = next_events(reader);

		if (got <= 0)
			return got;
	}
	at = state->block_offset + (state->pos - state->block);
	*event = (struct trace_event){ .nid = -1 };
	if (!read_fields(reader, event))
		return bad(reader, at, "no event");
	if (!account(reader, event))
		return bad(reader, at, "%s of handle %" PRIu32 ", which is %s",
			   trace_op_names[event->op], event->handle,
			   trace_op_is_free(event->op) ? "not so allocated" :
							 "in use");
	state->base.ts = event->ts;
	state->last_ts = event->ts;
	state->base.cpu = event->cpu;
	state->base.handle = event->handle;
	if (!trace_op_is_free(event->op))
		state->base.gfp = event->gfp;
	state->block_events--;
	reader->nr_events++;
	if (!state->block_events && state->pos != state->block + state->block_len)
		return bad(reader, at, "more bytes than events in the block");
	return 1;
}

struct trace_reader *trace_open(const char *path)
{
	struct trace_reader *reader = xzalloc(sizeof(*reader));
	struct trace_reading *state = xzalloc(sizeof(*state));

	reader->state = state;
	state->path = xstrdup(path);
	state->block = xmalloc(BLOCK_LEN_MAX);
	state->file = fopen(path, "rb");
	if (!state->file)
		warn_errno("cannot open %s", path);
	if (!state->file || read_start(reader)) {
		trace_close(reader);
		return NULL;
	}
	return reader;
}

int trace_rewind(struct trace_reader *reader)
{
	struct trace_reading *state = reader->state;

	if (fseeko(state->file, 0, SEEK_SET)) {
		warn_errno("cannot go back to the start of %s", state->path);
		return -1;
	}
	clearerr(state->file);
	state->offset = 0;
	state->block_events = 0;
	state->last_ts = 0;
	state->failed = false;
	state->ended = false;
	if (state->held)
		memset(state->held, 0, state->held_room * sizeof(*state->held));
	reader->nr_caches = 0;
	reader->nr_handles = 0;
	reader->nr_events = 0;
	reader->nr_live = 0;
	return read_start(reader);
}

int trace_check(struct trace_reader *reader)
{
	struct trace_event event;
	int got;

	while ((got = trace_read(reader, &event)) > 0)
		;
	return got ? -1 : trace_rewind(reader);
}

void trace_close(struct trace_reader *reader)
{
	struct trace_reading *state = reader->state;

	if (state->file)
		fclose(state->file);
	free(state->path);
	free(state->block);
	free(state->held);
	free(state);
	bytes_free(&reader->info.bytes);
	bytes_free(&reader->end.bytes);
	free(reader->caches);
	free(reader);
}
