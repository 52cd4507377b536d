// SPDX-License-Identifier: GPL-2.0
/*
 * Writing trace files. Events are collected in a block. A full block is written with its
 * checksum. The file has a temporary name until it is complete. A device or a pipe is
 * written to directly.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "trace_format.h"

struct trace_writer {
	FILE *file;
	char *path;
	char *part_path;	/* its name until it is finished, or @path */
	struct bytes caches;	/* contents of the next CACHES block */
	struct bytes events;	/* contents of the next EVENTS block */
	uint32_t nr_caches;	/* in that block */
	uint32_t nr_events;	/* in that block */
	uint64_t nr_all_events;
	uint32_t nr_handles;
	struct event_base base;
};

static int write_bytes(struct trace_writer *writer, const void *data, size_t len)
{
	if (!len || fwrite(data, 1, len, writer->file) == len)
		return 0;
	warn_errno("cannot write %s", writer->part_path);
	return -1;
}

static int write_block(struct trace_writer *writer, enum block_type type,
		       const struct bytes *contents, uint32_t count)
{
	uint8_t header[BLOCK_HEADER_LEN];
	uint32_t crc;

	put_le32(header, type);
	put_le32(header + 4, contents->len);
	put_le32(header + 8, count);
	crc = crc32(0, header, 12);
	if (contents->len)
		crc = crc32(crc, contents->data, contents->len);
	put_le32(header + 12, crc);
	if (write_bytes(writer, header, sizeof(header)))
		return -1;
	return write_bytes(writer, contents->data, contents->len);
}

static int flush_caches(struct trace_writer *writer)
{
	int err = 0;

	if (writer->nr_caches)
		err = write_block(writer, BLOCK_CACHES, &writer->caches,
				  writer->nr_caches);
	writer->caches.len = 0;
	writer->nr_caches = 0;
	return err;
}

static int flush_events(struct trace_writer *writer)
{
	int err = 0;

	/* caches come before the events that name them */
	if (flush_caches(writer))
		return -1;
	if (writer->nr_events)
		err = write_block(writer, BLOCK_EVENTS, &writer->events,
				  writer->nr_events);
	writer->events.len = 0;
	writer->nr_events = 0;
	writer->base = (struct event_base){ 0 };
	return err;
}

bool trace_is_no_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !S_ISREG(st.st_mode);
}

static bool has_part(const struct trace_writer *writer)
{
	return strcmp(writer->path, writer->part_path);
}

/*
 * A new file in the same folder, with a name that cannot be guessed, and the mode of any
 * new file.
 */
static int create_part(struct trace_writer *writer)
{
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	writer->part_path = xasprintf("%s.part.XXXXXX", writer->path);
	fd = mkostemp(writer->part_path, O_CLOEXEC);
	if (fd >= 0 && fchmod(fd, 0666 & ~mask)) {
		close(fd);
		unlink(writer->part_path);
		return -1;
	}
	return fd;
}

/* Opens a device or a pipe. Fails if it is a regular file by now. */
static int open_no_file(struct trace_writer *writer)
{
	struct stat st;
	int fd;

	writer->part_path = xstrdup(writer->path);
	fd = open(writer->path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) || S_ISREG(st.st_mode))) {
		close(fd);
		errno = EEXIST;
		return -1;
	}
	return fd;
}

static void free_writer(struct trace_writer *writer)
{
	bytes_free(&writer->caches);
	bytes_free(&writer->events);
	free(writer->path);
	free(writer->part_path);
	free(writer);
}

struct trace_writer *trace_create(const char *path, const struct trace_texts *info)
{
	struct trace_writer *writer = xzalloc(sizeof(*writer));
	uint8_t header[FILE_HEADER_LEN];
	int fd;

	writer->path = xstrdup(path);
	fd = trace_is_no_file(path) ? open_no_file(writer) : create_part(writer);
	if (fd < 0) {
		warn_errno("cannot create %s", writer->part_path);
		free_writer(writer);
		return NULL;
	}
	writer->file = fdopen(fd, "wb");
	if (!writer->file) {
		warn("out of memory");
		exit(EXIT_FAILURE);
	}
	memcpy(header, FILE_MAGIC, FILE_MAGIC_LEN);
	put_le32(header + 8, TRACE_VERSION);
	put_le32(header + 12, crc32(0, header, 12));
	if (write_bytes(writer, header, sizeof(header)) ||
	    write_block(writer, BLOCK_INFO, &info->bytes, 0)) {
		trace_abandon(writer);
		return NULL;
	}
	return writer;
}

int trace_write_cache(struct trace_writer *writer, const struct trace_cache *cache)
{
	size_t len = strlen(cache->name);

	bytes_add_varint(&writer->caches, cache->object_size);
	bytes_add_varint(&writer->caches, cache->size);
	bytes_add_varint(&writer->caches, len);
	bytes_add(&writer->caches, cache->name, len);
	writer->nr_caches++;
	return 0;
}

int trace_write_event(struct trace_writer *writer, const struct trace_event *event)
{
	struct event_base *base = &writer->base;
	struct bytes *out = &writer->events;
	bool is_free = trace_op_is_free(event->op);
	uint8_t first = event->op;

	if (event->cpu == base->cpu)
		first |= EVENT_SAME_CPU;
	if (!is_free && event->gfp == base->gfp)
		first |= EVENT_SAME_GFP;
	if (!is_free && event->nid >= 0)
		first |= EVENT_NODE;
	if (event->implicit)
		first |= EVENT_IMPLICIT;

	bytes_add(out, &first, 1);
	bytes_add_varint(out, event->ts - base->ts);
	bytes_add_varint(out, zigzag((int64_t)event->handle - base->handle));
	if (!(first & EVENT_SAME_CPU))
		bytes_add_varint(out, event->cpu);
	if (!is_free && !(first & EVENT_SAME_GFP))
		bytes_add_varint(out, event->gfp);
	if (first & EVENT_NODE)
		bytes_add_varint(out, event->nid);
	if (event->op == TRACE_KMALLOC)
		bytes_add_varint(out, event->size);
	else if (event->op == TRACE_CACHE_ALLOC)
		bytes_add_varint(out, event->cache);
	else if (event->op == TRACE_PAGES_ALLOC)
		bytes_add_varint(out, event->order);

	base->ts = event->ts;
	base->cpu = event->cpu;
	base->handle = event->handle;
	if (!is_free)
		base->gfp = event->gfp;
	if (event->handle >= writer->nr_handles)
		writer->nr_handles = event->handle + 1;
	writer->nr_all_events++;
	writer->nr_events++;
	return out->len >= BLOCK_LEN_FULL ? flush_events(writer) : 0;
}

int trace_finish(struct trace_writer *writer, const struct trace_texts *end)
{
	struct trace_texts texts = { 0 };

	trace_texts_add(&texts, "events", "%llu",
			(unsigned long long)writer->nr_all_events);
	trace_texts_add(&texts, "handles", "%u", writer->nr_handles);
	bytes_add(&texts.bytes, end->bytes.data, end->bytes.len);

	if (flush_events(writer) ||
	    write_block(writer, BLOCK_END, &texts.bytes, 0))
		goto abandon;
	if (fflush(writer->file) ||
	    (has_part(writer) && fsync(fileno(writer->file)))) {
		warn_errno("cannot write %s", writer->part_path);
		goto abandon;
	}
	if (has_part(writer) && rename(writer->part_path, writer->path)) {
		warn_errno("cannot rename %s to %s", writer->part_path,
			   writer->path);
		goto abandon;
	}
	fclose(writer->file);
	bytes_free(&texts.bytes);
	free_writer(writer);
	return 0;

abandon:
	bytes_free(&texts.bytes);
	trace_abandon(writer);
	return -1;
}

void trace_abandon(struct trace_writer *writer)
{
	fclose(writer->file);
	if (has_part(writer))
		unlink(writer->part_path);
	free_writer(writer);
}
