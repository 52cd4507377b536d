// SPDX-License-Identifier: GPL-2.0
/*
 * Conclusions from each event and from what is allocated: frees without an event, objects
 * whose page was freed, pages that the slab allocated for itself.
 */
#include <string.h>

#include "convert_parts.h"

/* ---- objects and the pages they lie in ---- */

/* False if the address is not in the direct map, or that is not known. */
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

	waiting = convert_window_push(conv, cause,
				      object->site ? TRACE_CACHE_FREE : TRACE_KFREE,
				      object->handle);
	waiting->event.implicit = implicit;
	populate(conv, object->addr, -1);
	table_delete(&conv->objects, object);
}

/* The pages are freed or allocated again: objects in them were freed without an event. */
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

/* An object is in this block, so the slab has allocated it. */
static void block_is_slabs(struct converter *conv, const struct kmem_event *cause,
			   struct block *block)
{
	struct waiting *waiting;

	if (block->state == BLOCK_WAITING) {
		conv->window[block->seq % WINDOW].cancelled = true;
		convert_handle_put(conv, block->handle);
	} else {
		waiting = convert_window_push(conv, cause, TRACE_PAGES_FREE, block->handle);
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

		waiting = convert_window_push(conv, cause, TRACE_PAGES_FREE, block->handle);
		waiting->event.order = block->order;
		waiting->event.implicit = implicit;
		conv->counts->implicit_frees += implicit;
	}
	table_delete(&conv->blocks, block);
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

/* ---- second pass: writing ---- */

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

	if (convert_is_nothing(event)) {
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
		site = &conv->sites[convert_site_index(conv, event)];
		count_naming(conv, site);
		if (is_kmallocs(conv, site))
			site = NULL;
	}
	handle = convert_handle_get(conv);
	object = table_insert(&conv->objects, event->ptr, &is_new);
	object->handle = handle;
	populate(conv, event->ptr, 1);
	if (site) {
		object->site = site - conv->sites + 1;
		waiting = convert_window_push(conv, event, TRACE_CACHE_ALLOC, handle);
		waiting->event.cache = convert_cache_of(conv, site);
	} else {
		waiting = convert_window_push(conv, event, TRACE_KMALLOC, handle);
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
	handle = convert_handle_get(conv);
	waiting = convert_window_push(conv, event, TRACE_PAGES_ALLOC, handle);
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

void convert_conclude(struct converter *conv, const struct kmem_event *event)
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
