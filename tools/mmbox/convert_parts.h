/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the conversion share: convert.c reads the events twice,
 * convert_learn.c is the first pass, convert_conclude.c the second, and
 * convert_window.c delays and writes the results.
 */
#ifndef MMBOX_CONVERT_PARTS_H
#define MMBOX_CONVERT_PARTS_H

#include "convert.h"
#include "util.h"

#define WINDOW		4096U	/* events, a power of two */
#define ZERO_SIZE_PTR	16	/* what the kernel's kmalloc(0) returns */
#define NO_BASE		INT64_MIN

/* An object that is allocated, by address. */
struct object {
	uint64_t addr;
	uint32_t handle;
	uint32_t site;		/* index + 1; 0: from kmalloc */
};

enum block_state {
	BLOCK_WAITING,		/* its allocation is in the window */
	BLOCK_WRITTEN,
	BLOCK_SLAB,		/* the slab's own */
};

/* A block of pages that is allocated, by its first pfn + 1. */
struct block {
	uint64_t key;
	uint64_t seq;		/* of its allocation in the window */
	uint32_t handle;
	uint16_t order;
	uint16_t state;		/* enum block_state */
	uint32_t left;		/* pages of it not freed on their own */
	uint32_t unused;
};

/* How many allocated objects begin in a page, by pfn + 1. */
struct population {
	uint64_t key;
	uint64_t nr;
};

/* A call site that allocates from a cache, with the sizes it gets. */
struct site {
	uint64_t call_site;
	uint32_t bytes_req;
	uint32_t bytes_alloc;
	uint32_t told;		/* name in the event itself: index + 1, or 0 */
	uint32_t name;		/* index + 1 of the name that leads, or 0 */
	uint64_t votes;		/* by which it leads */
	uint32_t cache;		/* id + 1 in the trace, or 0 */
};

/* From a hash of something to its index in an array. */
struct index_entry {
	uint64_t key;
	uint64_t index;
};

/* A candidate for the base of the direct map, and its votes. */
struct base_votes {
	uint64_t key;		/* of the base, see base_key() */
	int64_t base;
	uint64_t nr;
};

/* The latest blocks of pages allocated on a CPU since its last object. */
#define NR_RECENT	4

struct recent {
	unsigned int nr;
	struct {
		uint64_t pfn;
		unsigned int order;
	} blocks[NR_RECENT];
};

struct waiting {
	struct trace_event event;
	uint64_t block_key;	/* PAGES_ALLOC: key of its block */
	bool cancelled;
};

struct converter {
	struct kmem_source *source;
	struct trace_writer *writer;
	struct convert_counts *counts;
	unsigned int page_shift;
	uint64_t start_ts;
	uint64_t last_ts;
	bool failed;

	/* learned in the first pass */
	struct site *sites;
	size_t nr_sites;
	struct table site_index;
	char **names;
	size_t nr_names;
	struct table name_index;
	struct table base_votes;
	struct recent *recent;		/* by CPU */
	int64_t base;			/* address >> page_shift of pfn 0, NO_BASE */

	/* what is allocated */
	struct table objects;
	struct table blocks;
	struct table populations;
	unsigned int max_order;		/* largest seen */

	uint32_t *free_handles;		/* a stack */
	uint32_t nr_free_handles;
	uint32_t free_handles_room;
	uint32_t nr_handles;		/* given out so far */

	struct waiting *window;
	uint64_t window_first;		/* sequence numbers */
	uint64_t window_end;

	struct trace_cache *caches;	/* of the trace */
	uint32_t nr_caches;
};

/* ---- convert_learn.c ---- */

/* An event in the first pass. */
void convert_learn_event(struct converter *conv, const struct kmem_event *event);
/* The base of the direct map with most votes, or NO_BASE. */
int64_t convert_elect_base(const struct converter *conv);
/* The index of the event's call site, which is added if it is new. */
uint32_t convert_site_index(struct converter *conv, const struct kmem_event *event);
/* True if nothing was allocated, or the event is impossible. */
bool convert_is_nothing(const struct kmem_event *event);

/* ---- convert_conclude.c ---- */

/* An event in the second pass. */
void convert_conclude(struct converter *conv, const struct kmem_event *event);

/* ---- convert_window.c ---- */

uint32_t convert_handle_get(struct converter *conv);
void convert_handle_put(struct converter *conv, uint32_t handle);
/* Appends an event for the trace, which may be filled in further; frees its handle. */
struct waiting *convert_window_push(struct converter *conv, const struct kmem_event *cause,
				    enum trace_op op, uint32_t handle);
/* Writes the event that has waited longest. */
void convert_window_pop(struct converter *conv);
/* The number of the site's cache in the trace. The cache is added if it is new. */
uint32_t convert_cache_of(struct converter *conv, struct site *site);

#endif /* MMBOX_CONVERT_PARTS_H */
