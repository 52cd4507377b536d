// SPDX-License-Identifier: GPL-2.0
/*
 * Events wait in a window before they are written: a later object may show that a block
 * of pages is the slab's. Handles and the caches of the trace are assigned here.
 */
#include <stdlib.h>
#include <string.h>

#include "convert_parts.h"

/* ---- handles ---- */

void convert_handle_put(struct converter *conv, uint32_t handle)
{
	if (conv->nr_free_handles == conv->free_handles_room) {
		conv->free_handles_room = conv->free_handles_room * 2 + 1024;
		conv->free_handles = xrealloc(conv->free_handles,
					      conv->free_handles_room *
					      sizeof(*conv->free_handles));
	}
	conv->free_handles[conv->nr_free_handles++] = handle;
}

/* A free handle if there is one, so that there are only as many as are used at once. */
uint32_t convert_handle_get(struct converter *conv)
{
	if (conv->nr_free_handles)
		return conv->free_handles[--conv->nr_free_handles];
	if (conv->nr_handles < TRACE_MAX_HANDLES)
		return conv->nr_handles++;
	if (!conv->failed)
		warn("more than %u things are allocated at a time",
		     TRACE_MAX_HANDLES);
	conv->failed = true;
	return 0;
}

/* ---- the window ---- */

static void write_event(struct converter *conv, const struct trace_event *event)
{
	struct convert_counts *counts = conv->counts;
	uint64_t *const by_op[TRACE_NR_OPS] = {
		[TRACE_KMALLOC]		= &counts->kmalloc,
		[TRACE_KFREE]		= &counts->kfree,
		[TRACE_CACHE_ALLOC]	= &counts->cache_alloc,
		[TRACE_CACHE_FREE]	= &counts->cache_free,
		[TRACE_PAGES_ALLOC]	= &counts->pages_alloc,
		[TRACE_PAGES_FREE]	= &counts->pages_free,
	};

	++*by_op[event->op];
	if (!conv->failed && trace_write_event(conv->writer, event))
		conv->failed = true;
}

void convert_window_pop(struct converter *conv)
{
	uint64_t seq = conv->window_first++;
	struct waiting *waiting = &conv->window[seq % WINDOW];
	struct block *block;

	if (waiting->cancelled)
		return;
	write_event(conv, &waiting->event);
	if (waiting->event.op != TRACE_PAGES_ALLOC)
		return;
	block = table_find(&conv->blocks, waiting->block_key);
	if (block && block->state == BLOCK_WAITING && block->seq == seq)
		block->state = BLOCK_WRITTEN;
}

struct waiting *convert_window_push(struct converter *conv, const struct kmem_event *cause,
				    enum trace_op op, uint32_t handle)
{
	struct waiting *waiting;

	if (conv->window_end - conv->window_first == WINDOW)
		convert_window_pop(conv);
	/* a CPU's clock may have been set back */
	if (cause->ts - conv->start_ts > conv->last_ts && cause->ts > conv->start_ts)
		conv->last_ts = cause->ts - conv->start_ts;
	waiting = &conv->window[conv->window_end++ % WINDOW];
	*waiting = (struct waiting){
		.event = {
			.ts = conv->last_ts,
			.op = op,
			.cpu = cause->cpu,
			.nid = -1,
			.handle = handle,
		},
	};
	if (trace_op_is_free(op)) {
		convert_handle_put(conv, handle);
	} else {
		waiting->event.gfp = cause->gfp;
		if (cause->node >= 0 && cause->node < TRACE_MAX_NODES)
			waiting->event.nid = cause->node;
	}
	return waiting;
}

/* ---- the caches of the trace ---- */

static bool name_is_taken(const struct converter *conv, const char *name)
{
	uint32_t i;

	for (i = 0; i < conv->nr_caches; i++)
		if (!strcmp(conv->caches[i].name, name))
			return true;
	return false;
}

static void name_cache(const struct converter *conv, const struct site *site,
		       struct trace_cache *cache)
{
	char name[TRACE_NAME_LEN], suffix[TRACE_NAME_LEN] = "";
	size_t room = sizeof(cache->name) - 1;
	char *c;

	if (site->name)
		snprintf(name, sizeof(name), "%s", conv->names[site->name - 1]);
	else
		snprintf(name, sizeof(name), "unnamed-%u", site->bytes_req);
	/* the name becomes a file name in debugfs */
	for (c = name; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '/' || (c == name && *c == '.'))
			*c = '_';
	/* one name with several sizes: merged caches, or two caches of that name */
	if (name_is_taken(conv, name))
		room -= snprintf(suffix, sizeof(suffix), ":%u:%u", site->bytes_req,
				 site->bytes_alloc);
	if (strlen(name) > room)
		name[room] = 0;
	memcpy(stpcpy(cache->name, name), suffix, strlen(suffix) + 1);
}

/* The site's cache in the trace. Sites with the same name and size share it. */
uint32_t convert_cache_of(struct converter *conv, struct site *site)
{
	struct trace_cache *cache;
	size_t i;

	if (site->cache)
		return site->cache - 1;
	for (i = 0; i < conv->nr_sites; i++) {
		const struct site *other = &conv->sites[i];

		if (other->cache && other->name == site->name &&
		    other->bytes_req == site->bytes_req &&
		    other->bytes_alloc == site->bytes_alloc) {
			site->cache = other->cache;
			return site->cache - 1;
		}
	}
	if (conv->nr_caches == TRACE_MAX_CACHES) {
		if (!conv->failed)
			warn("more than %u caches", TRACE_MAX_CACHES);
		conv->failed = true;
		return 0;
	}
	conv->caches = xrealloc(conv->caches,
				(conv->nr_caches + 1) * sizeof(*conv->caches));
	cache = &conv->caches[conv->nr_caches];
	memset(cache, 0, sizeof(*cache));
	name_cache(conv, site, cache);
	cache->object_size = site->bytes_req;
	cache->size = site->bytes_alloc;
	if (trace_write_cache(conv->writer, cache))
		conv->failed = true;
	site->cache = ++conv->nr_caches;
	return site->cache - 1;
}
