// SPDX-License-Identifier: GPL-2.0
/*
 * From a kernel's kmem events to a trace file.
 *
 * The events are gone through twice. The first time is for learning what they
 * do not say where it is needed: which cache an allocation was from (frees
 * name it, so it is learned by call site and size) and where the kernel's
 * direct map puts page frames (from slabs: pages taken, then an object at
 * their address), so that objects and pages can be brought together.
 *
 * The second time writes. Addresses and page frame numbers become handles. An
 * object at an address that is still allocated means that a free went by
 * without an event, and so does an object whose page goes back to the page
 * allocator. Events wait in a window before they are written: when an object
 * turns up in a block of pages that still waits there, the block was taken
 * by the slab, and is none of the trace's business.
 *
 * What is kept is what is allocated, the window, and a table of call sites.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "convert.h"
#include "stop.h"
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

/* Where the direct map begins, as a page frame number, and who says so. */
struct base_votes {
	uint64_t key;		/* of the base, see base_key() */
	int64_t base;
	uint64_t nr;
};

/* The latest blocks of pages taken on a CPU, since an object was. */
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
	uint64_t block_key;	/* PAGES_ALLOC: whose */
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

	/* learned the first time */
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

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0xff51afd7ed558ccdULL;
	return hash ^ (hash >> 32);
}

/* ---- call sites and names ---- */

static uint32_t name_index(struct converter *conv, const char *name)
{
	uint64_t key = 1;
	const char *c;

	for (c = name; *c; c++)
		key = mix(key, (uint8_t)*c);
	for (;; key = mix(key, 1)) {
		struct index_entry *entry;
		bool is_new;

		entry = table_insert(&conv->name_index, key ?: 1, &is_new);
		if (is_new) {
			conv->names = xrealloc(conv->names, (conv->nr_names + 1) *
					       sizeof(*conv->names));
			conv->names[conv->nr_names] = xstrdup(name);
			entry->index = conv->nr_names++;
		}
		if (!strcmp(conv->names[entry->index], name))
			return entry->index;
	}
}

static uint32_t site_index(struct converter *conv, const struct kmem_event *event)
{
	uint32_t told = event->name ? name_index(conv, event->name) + 1 : 0;
	uint64_t key = mix(mix(mix(mix(2, event->call_site), event->bytes_req),
			       event->bytes_alloc), told);

	for (;; key = mix(key, 1)) {
		struct index_entry *entry;
		struct site *site;
		bool is_new;

		entry = table_insert(&conv->site_index, key ?: 1, &is_new);
		if (is_new) {
			conv->sites = xrealloc(conv->sites, (conv->nr_sites + 1) *
					       sizeof(*conv->sites));
			conv->sites[conv->nr_sites] = (struct site){
				.call_site = event->call_site,
				.bytes_req = event->bytes_req,
				.bytes_alloc = event->bytes_alloc,
				.told = told,
				.name = told,
			};
			entry->index = conv->nr_sites++;
		}
		site = &conv->sites[entry->index];
		if (site->call_site == event->call_site &&
		    site->bytes_req == event->bytes_req &&
		    site->bytes_alloc == event->bytes_alloc && site->told == told)
			return entry->index;
	}
}

/* The name that most frees of the site's objects tell ends up in the lead. */
static void vote_for_name(struct site *site, uint32_t name)
{
	if (site->told)
		return;
	if (!site->votes)
		site->name = name + 1;
	if (site->name == name + 1)
		site->votes++;
	else
		site->votes--;
}

/* ---- where the direct map begins ---- */

/* It begins at a multiple of this in physical memory, on every machine. */
#define BASE_ALIGN	(2UL << 20)	/* bytes */

static uint64_t base_key(int64_t base)
{
	return mix(3, base) ?: 1;
}

static void note_block(struct converter *conv, const struct kmem_event *event)
{
	struct recent *recent = &conv->recent[event->cpu];

	if (recent->nr == NR_RECENT)
		memmove(recent->blocks, recent->blocks + 1,
			--recent->nr * sizeof(recent->blocks[0]));
	recent->blocks[recent->nr].pfn = event->pfn;
	recent->blocks[recent->nr].order = event->order;
	recent->nr++;
}

/* Votes for each place where the object would lie in a block just taken. */
static void vote_for_base(struct converter *conv, const struct kmem_event *event)
{
	struct recent *recent = &conv->recent[event->cpu];
	int64_t align = BASE_ALIGN >> conv->page_shift;

	for (; recent->nr; recent->nr--) {
		uint64_t pfn = recent->blocks[recent->nr - 1].pfn;
		int64_t delta = (int64_t)((event->ptr >> conv->page_shift) - pfn);
		int64_t within = align > 1 ? delta & (align - 1) : 0;
		struct base_votes *votes;
		bool is_new;

		if (within >> recent->blocks[recent->nr - 1].order)
			continue;
		votes = table_insert(&conv->base_votes, base_key(delta - within),
				     &is_new);
		votes->base = delta - within;
		votes->nr++;
	}
}

static int64_t elect_base(const struct converter *conv)
{
	struct base_votes *votes = NULL, *best = NULL;
	uint64_t second = 0;

	while ((votes = table_next(&conv->base_votes, votes))) {
		if (!best || votes->nr > best->nr) {
			second = best ? best->nr : 0;
			best = votes;
		} else if (votes->nr > second) {
			second = votes->nr;
		}
	}
	return best && best->nr >= 3 && best->nr >= 2 * second ? best->base : NO_BASE;
}

/*
 * The allocation failed, or was of 0 bytes. A cache that cannot be, which no
 * kernel names but a damaged file may, counts as well.
 */
static bool is_nothing(const struct kmem_event *event)
{
	if (event->ptr <= ZERO_SIZE_PTR || !event->bytes_req)
		return true;
	return event->kind == KMEM_CACHE_ALLOC &&
	       (event->bytes_req > event->bytes_alloc ||
		event->bytes_alloc > UINT32_MAX);
}

/* ---- the first time: learning ---- */

static void learn_object(struct converter *conv, const struct kmem_event *event)
{
	struct object *object;
	bool is_new;

	if (is_nothing(event))
		return;
	vote_for_base(conv, event);
	if (event->kind == KMEM_CACHE_ALLOC) {
		object = table_insert(&conv->objects, event->ptr, &is_new);
		object->site = site_index(conv, event) + 1;
	} else {
		object = table_find(&conv->objects, event->ptr);
		if (object)
			table_delete(&conv->objects, object);
	}
}

static void learn_free(struct converter *conv, const struct kmem_event *event)
{
	struct object *object = table_find(&conv->objects, event->ptr ?: UINT64_MAX);

	if (!object)
		return;
	if (event->kind == KMEM_CACHE_FREE && event->name)
		vote_for_name(&conv->sites[object->site - 1],
			      name_index(conv, event->name));
	table_delete(&conv->objects, object);
}

static void learn_event(struct converter *conv, const struct kmem_event *event)
{
	switch (event->kind) {
	case KMEM_KMALLOC:
	case KMEM_CACHE_ALLOC:
		learn_object(conv, event);
		break;
	case KMEM_KFREE:
	case KMEM_CACHE_FREE:
		learn_free(conv, event);
		break;
	case KMEM_PAGE_ALLOC:
		if (event->pfn < KMEM_MAX_PFN && event->order <= TRACE_MAX_ORDER)
			note_block(conv, event);
		break;
	case KMEM_PAGE_FREE:
		break;
	}
}

/* ---- handles ---- */

static void handle_put(struct converter *conv, uint32_t handle)
{
	if (conv->nr_free_handles == conv->free_handles_room) {
		conv->free_handles_room = conv->free_handles_room * 2 + 1024;
		conv->free_handles = xrealloc(conv->free_handles,
					      conv->free_handles_room *
					      sizeof(*conv->free_handles));
	}
	conv->free_handles[conv->nr_free_handles++] = handle;
}

/* The one freed last, so that there are never more than are needed at once. */
static uint32_t handle_get(struct converter *conv)
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

static void window_pop(struct converter *conv)
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

static struct waiting *window_push(struct converter *conv,
				   const struct kmem_event *cause, enum trace_op op,
				   uint32_t handle)
{
	struct waiting *waiting;

	if (conv->window_end - conv->window_first == WINDOW)
		window_pop(conv);
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
		handle_put(conv, handle);
	} else {
		waiting->event.gfp = cause->gfp;
		if (cause->node >= 0 && cause->node < TRACE_MAX_NODES)
			waiting->event.nid = cause->node;
	}
	return waiting;
}

/* ---- objects and the pages they lie in ---- */

/* False if it is not known, or not in the direct map. */
static bool pfn_of(const struct converter *conv, uint64_t addr, uint64_t *pfn)
{
	if (conv->base == NO_BASE)
		return false;
	*pfn = (addr >> conv->page_shift) - (uint64_t)conv->base;
	return *pfn < (uint64_t)1 << 40;
}

static void populate(struct converter *conv, uint64_t addr, int by)
{
	struct population *population;
	uint64_t pfn;
	bool is_new;

	if (!pfn_of(conv, addr, &pfn))
		return;
	population = table_insert(&conv->populations, pfn + 1, &is_new);
	population->nr += by;
	if (!population->nr)
		table_delete(&conv->populations, population);
}

static void free_object(struct converter *conv, const struct kmem_event *cause,
			struct object *object, bool implicit)
{
	struct waiting *waiting;

	waiting = window_push(conv, cause,
			      object->site ? TRACE_CACHE_FREE : TRACE_KFREE,
			      object->handle);
	waiting->event.implicit = implicit;
	populate(conv, object->addr, -1);
	table_delete(&conv->objects, object);
}

/* The pages go to someone else: whatever was in them was freed unseen. */
static void bury_objects(struct converter *conv, const struct kmem_event *cause)
{
	uint64_t pfn, addr, end;

	if (conv->base == NO_BASE)
		return;
	for (pfn = cause->pfn; pfn < cause->pfn + (1ULL << cause->order); pfn++) {
		if (!table_find(&conv->populations, pfn + 1))
			continue;
		addr = (pfn + (uint64_t)conv->base) << conv->page_shift;
		for (end = addr + (1ULL << conv->page_shift); addr != end; addr += 8) {
			struct object *object = table_find(&conv->objects, addr);

			if (!object)
				continue;
			free_object(conv, cause, object, true);
			conv->counts->page_gone_frees++;
		}
	}
}

/* The allocated block that a page is in, or NULL. */
static struct block *find_block(struct converter *conv, uint64_t pfn)
{
	unsigned int order;

	for (order = 0; order <= conv->max_order; order++) {
		uint64_t first = pfn >> order << order;
		struct block *block = table_find(&conv->blocks, first + 1);

		if (block && pfn - first < 1ULL << block->order)
			return block;
	}
	return NULL;
}

/* An object was found in this block: the slab had taken it. */
static void block_is_slabs(struct converter *conv, const struct kmem_event *cause,
			   struct block *block)
{
	struct waiting *waiting;

	if (block->state == BLOCK_WAITING) {
		conv->window[block->seq % WINDOW].cancelled = true;
		handle_put(conv, block->handle);
	} else {
		waiting = window_push(conv, cause, TRACE_PAGES_FREE, block->handle);
		waiting->event.implicit = true;
		waiting->event.order = block->order;
		conv->counts->late_slab_pages++;
	}
	block->state = BLOCK_SLAB;
	conv->counts->slab_page_allocs++;
}

static void free_block(struct converter *conv, const struct kmem_event *cause,
		       struct block *block, bool implicit)
{
	if (block->state == BLOCK_SLAB) {
		conv->counts->slab_page_frees++;
	} else {
		struct waiting *waiting;

		waiting = window_push(conv, cause, TRACE_PAGES_FREE, block->handle);
		waiting->event.order = block->order;
		waiting->event.implicit = implicit;
		conv->counts->implicit_frees += implicit;
	}
	table_delete(&conv->blocks, block);
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
	/* it becomes the name of a file in a box */
	for (c = name; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '/' || (c == name && *c == '.'))
			*c = '_';
	/* one name, several sizes: the kernel merges caches, or had two alike */
	if (name_is_taken(conv, name))
		room -= snprintf(suffix, sizeof(suffix), ":%u:%u", site->bytes_req,
				 site->bytes_alloc);
	if (strlen(name) > room)
		name[room] = 0;
	memcpy(stpcpy(cache->name, name), suffix, strlen(suffix) + 1);
}

/* The site's cache in the trace; there is one for all sites that agree. */
static uint32_t cache_of(struct converter *conv, struct site *site)
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

/*
 * Newer kernels allocate for kmalloc() from its caches by name as well; a box
 * has kmalloc caches of its own.
 */
static bool is_kmallocs(const struct converter *conv, const struct site *site)
{
	return site->name && !strncmp(conv->names[site->name - 1], "kmalloc-", 8);
}

static void count_naming(struct converter *conv, const struct site *site)
{
	if (is_kmallocs(conv, site))
		conv->counts->kmalloc_caches++;
	else if (site->told)
		conv->counts->named_by_event++;
	else if (site->name)
		conv->counts->named_by_site++;
	else
		conv->counts->unnamed++;
}

/* ---- the second time: writing ---- */

static void on_object_alloc(struct converter *conv, const struct kmem_event *event)
{
	struct convert_counts *counts = conv->counts;
	struct site *site = NULL;	/* from kmalloc */
	struct waiting *waiting;
	struct object *object;
	struct block *block;
	uint32_t handle;
	uint64_t pfn;
	bool is_new;

	if (is_nothing(event)) {
		counts->failed_allocs++;
		return;
	}
	object = table_find(&conv->objects, event->ptr);
	if (object) {
		free_object(conv, event, object, true);
		counts->implicit_frees++;
	}
	if (pfn_of(conv, event->ptr, &pfn)) {
		block = find_block(conv, pfn);
		if (block && block->state != BLOCK_SLAB)
			block_is_slabs(conv, event, block);
	}
	if (event->kind == KMEM_CACHE_ALLOC) {
		site = &conv->sites[site_index(conv, event)];
		count_naming(conv, site);
		if (is_kmallocs(conv, site))
			site = NULL;
	}
	handle = handle_get(conv);
	object = table_insert(&conv->objects, event->ptr, &is_new);
	object->handle = handle;
	populate(conv, event->ptr, 1);
	if (site) {
		object->site = site - conv->sites + 1;
		waiting = window_push(conv, event, TRACE_CACHE_ALLOC, handle);
		waiting->event.cache = cache_of(conv, site);
	} else {
		waiting = window_push(conv, event, TRACE_KMALLOC, handle);
		waiting->event.size = event->bytes_req;
	}
}

static void on_object_free(struct converter *conv, const struct kmem_event *event)
{
	struct convert_counts *counts = conv->counts;
	struct object *object;

	if (event->ptr <= ZERO_SIZE_PTR) {
		counts->null_frees++;
		return;
	}
	object = table_find(&conv->objects, event->ptr);
	if (!object) {
		counts->unknown_frees++;
		return;
	}
	if (event->kind == KMEM_KFREE ? object->site : !object->site)
		counts->mixed_frees++;
	if (object->site && event->name) {
		const struct site *site = &conv->sites[object->site - 1];

		if (site->name && strcmp(conv->names[site->name - 1], event->name))
			counts->misnamed++;
	}
	free_object(conv, event, object, false);
}

static void on_page_alloc(struct converter *conv, const struct kmem_event *event)
{
	struct waiting *waiting;
	struct block *block;
	uint32_t handle;
	uint64_t pfn;
	bool is_new;

	if (event->pfn >= KMEM_MAX_PFN || event->order > TRACE_MAX_ORDER) {
		conv->counts->failed_allocs++;
		return;
	}
	if (event->order > conv->max_order)
		conv->max_order = event->order;
	bury_objects(conv, event);
	for (pfn = event->pfn; pfn < event->pfn + (1ULL << event->order); pfn++) {
		block = pfn == event->pfn ? find_block(conv, pfn) :
					    table_find(&conv->blocks, pfn + 1);
		if (block)
			free_block(conv, event, block, true);
	}
	handle = handle_get(conv);
	waiting = window_push(conv, event, TRACE_PAGES_ALLOC, handle);
	waiting->event.order = event->order;
	waiting->block_key = event->pfn + 1;
	block = table_insert(&conv->blocks, event->pfn + 1, &is_new);
	block->seq = conv->window_end - 1;
	block->handle = handle;
	block->order = event->order;
	block->state = BLOCK_WAITING;
	block->left = 1U << event->order;
}

static void on_page_free(struct converter *conv, const struct kmem_event *event)
{
	uint32_t pages;
	struct block *block;

	if (event->pfn >= KMEM_MAX_PFN || event->order > TRACE_MAX_ORDER)
		return;
	bury_objects(conv, event);
	block = find_block(conv, event->pfn);
	if (!block) {
		conv->counts->unknown_page_frees++;
		return;
	}
	pages = 1U << event->order;
	if (pages < block->left) {
		block->left -= pages;
		conv->counts->split_frees++;
		return;
	}
	if (event->order < block->order)
		conv->counts->split_frees++;
	free_block(conv, event, block, false);
}

static void write_converted(struct converter *conv, const struct kmem_event *event)
{
	if (!conv->counts->events_read++)
		conv->start_ts = event->ts;
	switch (event->kind) {
	case KMEM_KMALLOC:
	case KMEM_CACHE_ALLOC:
		on_object_alloc(conv, event);
		break;
	case KMEM_KFREE:
	case KMEM_CACHE_FREE:
		on_object_free(conv, event);
		break;
	case KMEM_PAGE_ALLOC:
		on_page_alloc(conv, event);
		break;
	case KMEM_PAGE_FREE:
		on_page_free(conv, event);
		break;
	}
}

/* ---- both times ---- */

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
	if (for_each_event(conv, learn_event))
		return -1;
	conv->base = elect_base(conv);
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
	err = for_each_event(conv, write_converted);
	while (!err && conv->window_first < conv->window_end)
		window_pop(conv);
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
