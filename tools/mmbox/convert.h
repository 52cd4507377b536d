/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a kernel's kmem events to a trace file. What the events do not say is concluded
 * from others. Each conclusion is counted.
 */
#ifndef MMBOX_CONVERT_H
#define MMBOX_CONVERT_H

#include <stdint.h>

#include "source.h"
#include "trace.h"

struct convert_counts {
	uint64_t events_read;		/* kmem events of the kernel */
	uint64_t lost;			/* known to be lost */
	uint64_t gaps;			/* where an unknown number was lost */
	uint64_t kmalloc;		/* written, by operation */
	uint64_t kfree;
	uint64_t cache_alloc;
	uint64_t cache_free;
	uint64_t pages_alloc;
	uint64_t pages_free;
	uint64_t implicit_frees;	/* written: address allocated again */
	uint64_t page_gone_frees;	/* written: the page below was given back */
	uint64_t unknown_frees;		/* dropped: objects allocated before, or in bulk */
	uint64_t unknown_page_frees;	/* dropped: pages, likewise */
	uint64_t null_frees;		/* dropped: nothing to free */
	uint64_t failed_allocs;		/* dropped: the kernel had no memory */
	uint64_t slab_page_allocs;	/* dropped: blocks taken by the slab itself */
	uint64_t slab_page_frees;	/* dropped: blocks given back by the slab itself */
	uint64_t late_slab_pages;	/* written as pages, then seen to be the slab's */
	uint64_t split_frees;		/* parts of a block; it goes with its last page */
	uint64_t mixed_frees;		/* kfree of a cache's object, or the reverse */
	uint64_t kmalloc_caches;	/* cache allocations that were kmalloc's */
	uint64_t named_by_event;	/* cache allocations: the event named the cache */
	uint64_t named_by_site;		/* learned from frees of the same call site */
	uint64_t unnamed;		/* no free named the cache */
	uint64_t misnamed;		/* a free named another cache later */
	uint64_t live_at_end;		/* never freed */
};

/* Texts for the counts, for END blocks and summaries. */
void convert_counts_add(struct trace_texts *texts,
			const struct convert_counts *counts);

/*
 * Reads the source twice: once to learn, once to write to path, with info in
 * front. 0, or -1 having said why, unless it is stop_signal().
 */
int convert(struct kmem_source *source, const char *path,
	    const struct trace_texts *info, struct convert_counts *counts);

#endif /* MMBOX_CONVERT_H */
