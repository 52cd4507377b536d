// SPDX-License-Identifier: GPL-2.0
/*
 * The first pass over the events learns what single events do not say: which cache an
 * allocation is from, by its call site, and where the kernel's direct map puts page
 * frames.
 */
#include <stdlib.h>
#include <string.h>

#include "convert_parts.h"

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

uint32_t convert_site_index(struct converter *conv, const struct kmem_event *event)
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

/* The name that most frees of the site's objects have wins. */
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

/* On every machine it begins at a multiple of this. */
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

/* Votes for each base that puts the object into a block allocated just before. */
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

int64_t convert_elect_base(const struct converter *conv)
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
 * The allocation failed, or had 0 bytes, or its cache is impossible, as in a damaged
 * file.
 */
bool convert_is_nothing(const struct kmem_event *event)
{
	if (event->ptr <= ZERO_SIZE_PTR || !event->bytes_req)
		return true;
	return event->kind == KMEM_CACHE_ALLOC &&
	       (event->bytes_req > event->bytes_alloc ||
		event->bytes_alloc > UINT32_MAX);
}

/* ---- first pass: learning ---- */

static void learn_object(struct converter *conv, const struct kmem_event *event)
{
	struct object *object;
	bool is_new;

	if (convert_is_nothing(event))
		return;
	vote_for_base(conv, event);
	if (event->kind == KMEM_CACHE_ALLOC) {
		object = table_insert(&conv->objects, event->ptr, &is_new);
		object->site = convert_site_index(conv, event) + 1;
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

void convert_learn_event(struct converter *conv, const struct kmem_event *event)
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
