// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz target: a trace file, whose checksums are corrected. What the reader accepts must
 * be as docs/trace-format.md says, and the same after it is written and read again.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uapi/mmbox.h>

#include "fuzz.h"
#include "trace.h"

struct trail {
	struct trace_event *events;
	size_t nr;
	size_t room;
};

static void add_event(struct trail *trail, const struct trace_event *event)
{
	if (trail->nr == trail->room) {
		trail->room = trail->room * 2 + 256;
		trail->events = xrealloc(trail->events, trail->room * sizeof(*event));
	}
	trail->events[trail->nr++] = *event;
}

static void check_event(const struct trace_reader *reader, const struct trace_event *event,
			uint64_t last_ts)
{
	fuzz_expect(event->op < TRACE_NR_OPS, "an operation there is");
	fuzz_expect(event->ts >= last_ts, "time goes on");
	fuzz_expect(event->cpu < TRACE_MAX_CPUS && event->nid < TRACE_MAX_NODES,
		    "a CPU and a node there can be");
	fuzz_expect(event->handle < reader->nr_handles &&
		    event->handle < reader->nr_events - 1 + TRACE_MAX_AHEAD,
		    "a handle not too far ahead");
	fuzz_expect(!(event->gfp & ~MMBOX_GFP_ALL), "flags that there are");
	fuzz_expect(event->op / 2 != TRACE_CACHE_ALLOC / 2 || event->cache < reader->nr_caches,
		    "a cache there is");
	fuzz_expect(event->op / 2 != TRACE_PAGES_ALLOC / 2 || event->order <= TRACE_MAX_ORDER,
		    "an order there can be");
	fuzz_expect(event->op != TRACE_KMALLOC || event->size, "kmalloc of something");
}

static void check_caches(const struct trace_reader *reader)
{
	uint32_t i, j;
	const char *c;

	for (i = 0; i < reader->nr_caches; i++) {
		const struct trace_cache *cache = &reader->caches[i];

		fuzz_expect(cache->object_size && cache->object_size <= cache->size,
			    "an object that fits");
		fuzz_expect(cache->name[0] && memchr(cache->name, 0, sizeof(cache->name)),
			    "a name");
		for (c = cache->name; *c; c++)
			fuzz_expect(*c > ' ' && *c <= '~', "a name of letters");
		for (j = 0; j < i; j++)
			fuzz_expect(strcmp(reader->caches[j].name, cache->name),
				    "a name of its own");
	}
}

/* True if the file is accepted. */
static bool read_trail(const char *path, struct trail *trail, struct trace_reader **reader)
{
	struct trace_event event;
	uint64_t last_ts = 0;
	int got;

	*reader = trace_open(path);
	if (!*reader)
		return false;
	while ((got = trace_read(*reader, &event)) > 0) {
		check_event(*reader, &event, last_ts);
		last_ts = event.ts;
		add_event(trail, &event);
	}
	check_caches(*reader);
	return !got;
}

static void write_again(const struct trace_reader *reader, const struct trail *trail,
			const char *path)
{
	struct trace_texts none = { 0 };
	struct trace_writer *writer = trace_create(path, &reader->info);
	size_t i;

	fuzz_expect(!!writer, "a file can be written");
	for (i = 0; i < reader->nr_caches; i++)
		trace_write_cache(writer, &reader->caches[i]);
	for (i = 0; i < trail->nr; i++)
		fuzz_expect(!trace_write_event(writer, &trail->events[i]), "an event is written");
	fuzz_expect(!trace_finish(writer, &none), "a file is finished");
}

static void compare(const struct trail *a, const struct trail *b)
{
	size_t i;

	fuzz_expect(a->nr == b->nr, "as many events as before");
	for (i = 0; i < a->nr; i++) {
		const struct trace_event *x = &a->events[i], *y = &b->events[i];

		fuzz_expect(x->ts == y->ts && x->op == y->op && x->implicit == y->implicit &&
			    x->cpu == y->cpu && x->nid == y->nid && x->handle == y->handle &&
			    x->gfp == y->gfp && x->cache == y->cache &&
			    x->order == y->order && x->size == y->size,
			    "an event that is as before");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct trail trail = { 0 }, again = { 0 };
	struct trace_reader *reader, *second;
	uint8_t *fixed = xmalloc(len);
	const char *output;

	fuzz_hush();
	if (len)
		memcpy(fixed, data, len);
	fuzz_fix_checksums(fixed, len);
	if (read_trail(fuzz_file(fixed, len), &trail, &reader)) {
		output = fuzz_output();
		write_again(reader, &trail, output);
		fuzz_expect(read_trail(output, &again, &second), "what is written can be read");
		compare(&trail, &again);
		trace_close(second);
		unlink(output);
	}
	if (reader)
		trace_close(reader);
	free(trail.events);
	free(again.events);
	free(fixed);
	return 0;
}
