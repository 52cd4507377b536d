// SPDX-License-Identifier: GPL-2.0
/*
 * From a kernel's kmem events to a trace file.
 *
 * The events are read twice. The first pass learns what single events do not say: which
 * cache an allocation is from (only frees name it, so it is learned by call site and
 * size), and where the kernel's direct map puts page frames (a block of pages is
 * allocated, then an object at its address), so that the page of an object is known.
 *
 * The second pass writes. Addresses and page frame numbers become handles. An object at
 * an address that is still allocated means that the event of a free is missing. So does
 * the free of a page with an object in it. Events wait in a window before they are
 * written: if an object appears in a block of pages that still waits there, the slab
 * allocated the block, and it is left out of the trace.
 *
 * Kept in memory: what is allocated, the window, and a table of call sites.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "convert_parts.h"
#include "stop.h"

static int for_each_event(struct converter *conv,
			  void (*handle)(struct converter *,
					 const struct kmem_event *))
{
	struct kmem_event event;
	int got = 0;

	while (!conv->failed && !stop_signal() &&
	       (got = conv->source->next(conv->source, &event)) > 0)
		handle(conv, &event);
	return got < 0 || conv->failed || stop_signal() ? -1 : 0;
}

static int learn(struct converter *conv)
{
	if (for_each_event(conv, convert_learn_event))
		return -1;
	conv->base = convert_elect_base(conv);
	if (conv->base == NO_BASE)
		warn("cannot tell which pages the slab took for itself: they count as pages");
	table_free(&conv->objects);
	table_init(&conv->objects, sizeof(struct object));
	return conv->source->rewind(conv->source);
}

static int write_trace(struct converter *conv, const char *path,
		       const struct trace_texts *info)
{
	struct convert_counts *counts = conv->counts;
	struct trace_texts end = { 0 };
	struct block *block = NULL;
	int err;

	conv->writer = trace_create(path, info);
	if (!conv->writer)
		return -1;
	err = for_each_event(conv, convert_conclude);
	while (!err && conv->window_first < conv->window_end)
		convert_window_pop(conv);
	if (err || conv->failed) {
		trace_abandon(conv->writer);
		return -1;
	}
	counts->lost = conv->source->nr_lost;
	counts->gaps = conv->source->nr_gaps;
	counts->live_at_end = conv->objects.nr;
	while ((block = table_next(&conv->blocks, block)))
		counts->live_at_end += block->state != BLOCK_SLAB;
	convert_counts_add(&end, counts);
	err = trace_finish(conv->writer, &end);
	bytes_free(&end.bytes);
	return err;
}

int convert(struct kmem_source *source, const char *path,
	    const struct trace_texts *info, struct convert_counts *counts)
{
	struct converter conv = {
		.source = source,
		.counts = counts,
		.page_shift = __builtin_ctz(source->page_size),
		.base = NO_BASE,
	};
	size_t i;
	int err;

	*counts = (struct convert_counts){ 0 };
	table_init(&conv.site_index, sizeof(struct index_entry));
	table_init(&conv.name_index, sizeof(struct index_entry));
	table_init(&conv.base_votes, sizeof(struct base_votes));
	table_init(&conv.objects, sizeof(struct object));
	table_init(&conv.blocks, sizeof(struct block));
	table_init(&conv.populations, sizeof(struct population));
	conv.recent = xzalloc(source->nr_cpus * sizeof(*conv.recent));
	conv.window = xzalloc(WINDOW * sizeof(*conv.window));

	err = learn(&conv);
	if (!err)
		err = write_trace(&conv, path, info);

	for (i = 0; i < conv.nr_names; i++)
		free(conv.names[i]);
	free(conv.names);
	free(conv.sites);
	free(conv.recent);
	free(conv.window);
	free(conv.caches);
	free(conv.free_handles);
	table_free(&conv.site_index);
	table_free(&conv.name_index);
	table_free(&conv.base_votes);
	table_free(&conv.objects);
	table_free(&conv.blocks);
	table_free(&conv.populations);
	return err;
}

void convert_counts_add(struct trace_texts *texts,
			const struct convert_counts *counts)
{
	const struct {
		const char *key;
		uint64_t value;
	} list[] = {
		{ "events_read", counts->events_read },
		{ "lost", counts->lost },
		{ "gaps", counts->gaps },
		{ "kmalloc", counts->kmalloc },
		{ "kfree", counts->kfree },
		{ "cache_alloc", counts->cache_alloc },
		{ "cache_free", counts->cache_free },
		{ "pages_alloc", counts->pages_alloc },
		{ "pages_free", counts->pages_free },
		{ "implicit_frees", counts->implicit_frees },
		{ "page_gone_frees", counts->page_gone_frees },
		{ "unknown_frees", counts->unknown_frees },
		{ "unknown_page_frees", counts->unknown_page_frees },
		{ "null_frees", counts->null_frees },
		{ "failed_allocs", counts->failed_allocs },
		{ "slab_page_allocs", counts->slab_page_allocs },
		{ "slab_page_frees", counts->slab_page_frees },
		{ "late_slab_pages", counts->late_slab_pages },
		{ "split_frees", counts->split_frees },
		{ "mixed_frees", counts->mixed_frees },
		{ "kmalloc_caches", counts->kmalloc_caches },
		{ "named_by_event", counts->named_by_event },
		{ "named_by_site", counts->named_by_site },
		{ "unnamed", counts->unnamed },
		{ "misnamed", counts->misnamed },
		{ "live_at_end", counts->live_at_end },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(list); i++)
		trace_texts_add(texts, list[i].key, "%" PRIu64, list[i].value);
}
