// SPDX-License-Identifier: GPL-2.0
/*
 * Checks of a box that is not in use. Everything is counted in two ways: by walking
 * the lists from their heads, and by walking all page descriptors.
 */
#include <linux/bitmap.h>

#include "pages/buddy.h"
#include "slab/slab_object.h"
#include "testing.h"

/* What the walk over descriptors is compared with. */
struct census {
	unsigned long *listed;		/* pfns that head a listed block */
	unsigned long nr[MMBOX_NR_PAGE_TYPES];	/* pages by type of their block */
};

static struct mmbox_page *page_of(struct mmbox *box, struct list_head *entry)
{
	return list_entry(entry, struct mmbox_page, buddy_list);
}

/* A block on a free list has that list's type and order, and is on no other list. */
static bool check_listed(struct kunit *test, struct mmbox_zone *zone,
			 struct census *census, struct list_head *entry,
			 enum mmbox_page_type type, unsigned int order)
{
	struct mmbox_page *page = page_of(zone->box, entry);
	unsigned long pfn = __mmbox_page_to_pfn(zone->box, page);

	if (pfn >= zone->box->memmap.max_pfn) {
		KUNIT_FAIL(test, "a list of zone %s leads out of the box", zone->name);
		return false;
	}
	if (page->type != type || page->order != order)
		KUNIT_FAIL(test, "pfn %lx is type %u order %u on a list of type %u order %u",
			   pfn, page->type, page->order, type, order);
	if (mmbox_page_zone(zone->box, page) != zone)
		KUNIT_FAIL(test, "pfn %lx is on a list of zone %s, not its own", pfn,
			   zone->name);
	if (!IS_ALIGNED(pfn, 1UL << order))
		KUNIT_FAIL(test, "pfn %lx is not aligned to order %u", pfn, order);
	if (__test_and_set_bit(pfn, census->listed)) {
		KUNIT_FAIL(test, "pfn %lx is on two lists, or twice on one", pfn);
		return false;
	}
	return true;
}

/* No block and its buddy are both free: they would have been merged. */
static void check_merged(struct kunit *test, struct mmbox_zone *zone,
			 struct mmbox_page *page, unsigned int order)
{
	unsigned long pfn = __mmbox_page_to_pfn(zone->box, page);
	unsigned long buddy = pfn ^ (1UL << order);
	struct mmbox_page *other;

	if (order == zone->box->pages.max_order - 1 || buddy < zone->zone_start_pfn ||
	    buddy >= zone->zone_start_pfn + zone->spanned_pages)
		return;
	/* Whole pageblocks of different types are not merged when a type changes. */
	if (zone->box->pages.design->migrate_types && order >= zone->box->pages.pageblock_shift)
		return;
	other = __mmbox_pfn_to_page(zone->box, buddy);
	if (other->type == MMBOX_PAGE_BUDDY && other->order == order)
		KUNIT_FAIL(test, "pfns %lx and %lx are free buddies of order %u", pfn,
			   buddy, order);
}

/* A list of free blocks of an order and type, as the page design walks it. */
struct free_list {
	struct kunit *test;
	struct mmbox_zone *zone;
	struct census *census;
	unsigned int order;
	long nr;			/* blocks, or -1 if the list is broken */
};

static bool check_free_block(struct mmbox_page *page, void *arg)
{
	struct free_list *list = arg;

	if (!check_listed(list->test, list->zone, list->census, &page->buddy_list,
			  MMBOX_PAGE_BUDDY, list->order)) {
		list->nr = -1;
		return false;
	}
	check_merged(list->test, list->zone, page, list->order);
	list->nr++;
	return true;
}

/* The blocks of one list of an order. Returns how many, or -1 if it is broken. */
static long check_free_list(struct kunit *test, struct mmbox_zone *zone,
			    struct census *census, unsigned int order, int mt)
{
	struct free_list list = {
		.test = test, .zone = zone, .census = census, .order = order,
	};

	mmbox_buddy_walk(zone, order, mt, check_free_block, &list);
	return list.nr;
}

static bool is_free_block(struct mmbox_zone *zone, unsigned long pfn, unsigned int order)
{
	struct mmbox_page *page;

	if (pfn - zone->zone_start_pfn >= zone->spanned_pages)
		return false;
	page = mmbox_pfn_to_online_page(zone->box, pfn);
	return page && page->type == MMBOX_PAGE_BUDDY && page->order == order &&
	       mmbox_page_zone(zone->box, page) == zone;
}

/* Bitmap generation: a pair's bit says whether just one of the two is free. */
static void check_map(struct kunit *test, struct mmbox_zone *zone, unsigned int order)
{
	unsigned long block = 1UL << order, base, pfn, end;

	if (!zone->free_area[order].map)
		return;
	base = zone->map_start_pfn;
	end = zone->map_end_pfn;
	for (pfn = base; pfn < end; pfn += 2 * block) {
		bool one = is_free_block(zone, pfn, order) ^
			   is_free_block(zone, pfn + block, order);

		if (test_bit((pfn - base) / (2 * block), zone->free_area[order].map) != one)
			KUNIT_FAIL(test, "pfn %lx order %u: the bit of the pair is %u", pfn,
				   order, !one);
	}
}

static unsigned long check_free_area(struct kunit *test, struct mmbox_zone *zone,
				     struct census *census)
{
	unsigned long pages = 0;
	unsigned int order;

	for (order = 0; order < zone->box->pages.max_order; order++) {
		unsigned long nr = 0;
		int mt;

		for (mt = 0; mt < MMBOX_MIGRATE_TYPES; mt++) {
			long found = check_free_list(test, zone, census, order, mt);

			if (found < 0)
				return pages;
			nr += found;
			if (mt != MMBOX_MIGRATE_ISOLATE)
				pages += found << order;
		}
		check_map(test, zone, order);
		KUNIT_EXPECT_EQ_MSG(test, nr, zone->free_area[order].nr_free, "zone %s order %u",
				    zone->name, order);
	}
	KUNIT_EXPECT_EQ_MSG(test, pages, mmbox_nr_free_pages(zone), "zone %s", zone->name);
	for (; order < MMBOX_MAX_ORDERS; order++)
		KUNIT_EXPECT_EQ_MSG(test, zone->free_area[order].nr_free, 0UL,
				    "zone %s has blocks of order %u", zone->name, order);
	return pages;
}

/* Blocks on a per-CPU list have its type. The highatomic reserve uses the movable one. */
static void check_pcp_type(struct kunit *test, const struct mmbox_page *page, unsigned int i)
{
	unsigned int type = i % MMBOX_MIGRATE_PCPTYPES;

	if (i == MMBOX_PCP_THP || page->migratetype == type ||
	    (type == MMBOX_MIGRATE_MOVABLE && page->migratetype == MMBOX_MIGRATE_HIGHATOMIC))
		return;
	KUNIT_FAIL(test, "a block of type %u is on a CPU's list %u", page->migratetype, i);
}

static unsigned long check_pcps(struct kunit *test, struct mmbox_zone *zone,
				struct census *census)
{
	unsigned long pages = 0;
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct mmbox_per_cpu_pages *pcp = per_cpu_ptr(zone->per_cpu_pageset, cpu);
		int count = 0;

		KUNIT_EXPECT_EQ_MSG(test, pcp->busy,
				    !zone->box->pages.design->per_cpu_lists,
				    "zone %s cpu %d", zone->name, cpu);
		for (i = 0; i < MMBOX_NR_PCP_LISTS; i++) {
			unsigned int order = i / MMBOX_MIGRATE_PCPTYPES;
			struct list_head *entry;

			if (i == MMBOX_PCP_THP)
				order = zone->box->pages.pageblock_shift;
			list_for_each(entry, &pcp->lists[i]) {
				if (!check_listed(test, zone, census, entry,
						  MMBOX_PAGE_PCP, order))
					return pages;
				check_pcp_type(test, page_of(zone->box, entry), i);
				count += 1 << order;
			}
		}
		KUNIT_EXPECT_EQ_MSG(test, count, pcp->count, "zone %s cpu %d", zone->name,
				    cpu);
		pages += count;
	}
	return pages;
}

/* Every page belongs to exactly one block. */
static void check_descriptors(struct kunit *test, struct mmbox *box,
			      struct census *census)
{
	unsigned long pfn = 0, i;

	while (pfn < box->memmap.max_pfn) {
		struct mmbox_page *page = mmbox_pfn_to_page(box, pfn);
		bool listed = test_bit(pfn, census->listed);
		unsigned int order;

		if (!page) {
			pfn++;
			continue;
		}
		if (!mmbox_pfn_to_online_page(box, pfn)) {
			if (listed || page->type_order != MMBOX_PAGE_RESERVED)
				KUNIT_FAIL(test, "pfn %lx is offline, but %s, type %u", pfn,
					   listed ? "on a list" : "in use", page->type);
			pfn++;
			continue;
		}
		order = page->order;
		if (page->type == MMBOX_PAGE_TAIL || page->type >= MMBOX_NR_PAGE_TYPES) {
			KUNIT_FAIL(test, "pfn %lx is type %u where a block should begin",
				   pfn, page->type);
			return;
		}
		if (order >= box->pages.max_order || !IS_ALIGNED(pfn, 1UL << order)) {
			KUNIT_FAIL(test, "pfn %lx heads a block of order %u", pfn, order);
			return;
		}
		if (listed != (page->type == MMBOX_PAGE_BUDDY || page->type == MMBOX_PAGE_PCP))
			KUNIT_FAIL(test, "pfn %lx is type %u, but %son a list", pfn,
				   page->type, listed ? "" : "not ");
		for (i = 1; i < 1UL << order; i++) {
			if (page[i].type != MMBOX_PAGE_TAIL) {
				KUNIT_FAIL(test, "pfn %lx in the block of pfn %lx is type %u",
					   pfn + i, pfn, page[i].type);
				break;
			}
		}
		for (i = 0; i < 1UL << order; i++) {
			bool of_slab = page->type == MMBOX_PAGE_SLAB;

			if (!!page[i].slab_cache == of_slab)
				continue;
			KUNIT_FAIL(test, "pfn %lx of a block of type %u: slab_cache %u",
				   pfn + i, page->type, page[i].slab_cache);
			break;
		}
		census->nr[page->type] += 1UL << order;
		pfn += 1UL << order;
	}
}

void test_check_pages(struct kunit *test, struct mmbox *box)
{
	unsigned long free = 0, pcp = 0, managed = 0, present = 0, used;
	struct census census = {};
	int nid, i;

	census.listed = bitmap_zalloc(box->memmap.max_pfn, GFP_KERNEL);
	if (!census.listed) {
		KUNIT_FAIL(test, "no memory for the check");
		return;
	}
	mmbox_for_each_online_node(box, nid) {
		for (i = 0; i < MMBOX_MAX_NR_ZONES; i++) {
			struct mmbox_zone *zone = &box->node[nid]->node_zones[i];

			free += check_free_area(test, zone, &census);
			pcp += check_pcps(test, zone, &census);
			managed += zone->managed_pages;
			present += zone->present_pages;
		}
	}
	check_descriptors(test, box, &census);

	used = census.nr[MMBOX_PAGE_ALLOCATED] + census.nr[MMBOX_PAGE_KMALLOC] +
	       census.nr[MMBOX_PAGE_SLAB];
	KUNIT_EXPECT_EQ(test, census.nr[MMBOX_PAGE_BUDDY], free);
	KUNIT_EXPECT_EQ(test, census.nr[MMBOX_PAGE_PCP], pcp);
	KUNIT_EXPECT_EQ(test, free + pcp + used, managed);
	KUNIT_EXPECT_EQ(test, managed + census.nr[MMBOX_PAGE_RESERVED], present);
	KUNIT_EXPECT_EQ(test, used, mmbox_nr_used_pages(box));
	KUNIT_EXPECT_EQ(test, census.nr[MMBOX_PAGE_SLAB],
			(unsigned long)atomic_long_read(&box->slab.nr_slab_pages));
	bitmap_free(census.listed);
}

/* ---- slabs ---- */

/* A free object is marked as free. Otherwise a double free would be accepted. */
static void check_free(struct kunit *test, struct mmbox_kmem_cache *cachep,
		       const struct mmbox_page *slab, unsigned int idx)
{
	if (idx >= cachep->num)
		KUNIT_FAIL(test, "%s: a freelist has %u of %u objects", cachep->name, idx,
			   cachep->num);
	else if (mmbox_obj_in_use(cachep, slab, mmbox_index_to_obj(cachep, slab, idx), idx))
		KUNIT_FAIL(test, "%s: free object %u of %u is not marked", cachep->name, idx,
			   cachep->num);
}

/* What a walk over a cache has found. */
struct cache_check {
	struct kunit *test;
	struct mmbox_kmem_cache *cachep;
	const struct mmbox_page *slab;		/* whose freelist is looked at */
	unsigned long slabs, free_slabs, free_objects;	/* of a node's lists */
	unsigned long pages;			/* of all nodes' slabs */
};

static void check_index(void *arg, unsigned int pos, unsigned int idx)
{
	struct cache_check *c = arg;

	check_free(c->test, c->cachep, c->slab, idx);
}

/* A slab has as many objects in use as its list may have. */
static bool check_slab(void *arg, struct mmbox_page *slab, const struct mmbox_slab_list *list)
{
	struct cache_check *c = arg;
	struct mmbox_kmem_cache *cachep = c->cachep;
	unsigned long pfn = __mmbox_page_to_pfn(cachep->box, slab);
	struct kunit *test = c->test;

	if (pfn >= cachep->box->memmap.max_pfn) {
		KUNIT_FAIL(test, "%s: %s leads out of the box", cachep->name, list->name);
		return false;
	}
	if (slab->type != MMBOX_PAGE_SLAB || slab->order != cachep->gfporder ||
	    slab->slab_cache != cachep->id || slab->node_id != list->nid)
		KUNIT_FAIL(test, "%s: pfn %lx on %s of node %d is type %u order %u of %u",
			   cachep->name, pfn, list->name, list->nid, slab->type, slab->order,
			   slab->node_id);
	if (slab->active < list->min || slab->active > list->max)
		KUNIT_FAIL(test, "%s: slab at pfn %lx on %s has %u of %u in use",
			   cachep->name, pfn, list->name, slab->active, cachep->num);
	c->slab = slab;
	cachep->box->slab.ops->walk_freelist(cachep, slab, check_index, c);
	c->slabs++;
	c->free_slabs += !list->max;
	c->free_objects += cachep->num - slab->active;
	if (c->slabs > cachep->box->memmap.max_pfn) {
		KUNIT_FAIL(test, "%s: %s never ends", cachep->name, list->name);
		return false;
	}
	return true;
}

static void check_node(void *arg, const struct mmbox_node_counts *counts)
{
	struct cache_check *c = arg;
	struct kunit *test = c->test;

	KUNIT_EXPECT_EQ_MSG(test, counts->total_slabs, c->slabs, "%s", c->cachep->name);
	KUNIT_EXPECT_EQ_MSG(test, counts->free_slabs, c->free_slabs, "%s", c->cachep->name);
	KUNIT_EXPECT_EQ_MSG(test, counts->free_objects, c->free_objects, "%s",
			    c->cachep->name);
	c->pages += counts->total_slabs << c->cachep->gfporder;
	c->slabs = 0;
	c->free_slabs = 0;
	c->free_objects = 0;
}

/* Objects in front of slabs are of the cache and node, and none is there twice. */
static void check_stack(void *arg, const struct mmbox_object_stack *stack)
{
	struct cache_check *c = arg;
	struct mmbox_kmem_cache *cachep = c->cachep;
	struct kunit *test = c->test;
	unsigned int i, j, idx;

	KUNIT_EXPECT_TRUE_MSG(test, stack->idle, "%s: %s %d", cachep->name, stack->what,
			      stack->nr);
	if (stack->avail > stack->limit) {
		KUNIT_FAIL(test, "%s: %s %d has %u of %u", cachep->name, stack->what, stack->nr,
			   stack->avail, stack->limit);
		return;
	}
	for (i = 0; i < stack->avail; i++) {
		void *objp = stack->entry[i];

		if (!mmbox_virt_valid(cachep->box, objp) ||
		    __mmbox_virt_to_page(cachep->box, objp)->slab_cache != cachep->id)
			KUNIT_FAIL(test, "%s: %s %d holds a foreign object", cachep->name,
				   stack->what, stack->nr);
		else if (__mmbox_virt_to_page(cachep->box, objp)->node_id != stack->nid)
			KUNIT_FAIL(test, "%s: %s %d holds an object of another node than %d",
				   cachep->name, stack->what, stack->nr, stack->nid);
		else if (mmbox_slab_of_object(cachep, objp, &idx))
			check_free(test, cachep, mmbox_virt_to_slab(cachep, objp), idx);
		for (j = 0; j < i; j++)
			if (stack->entry[j] == objp)
				KUNIT_FAIL(test, "%s: %s %d holds an object twice", cachep->name,
					   stack->what, stack->nr);
	}
}

static unsigned long check_cache(struct kunit *test, struct mmbox_kmem_cache *cachep)
{
	static const struct mmbox_slab_walker walker = {
		.slab = check_slab,
		.node = check_node,
		.stack = check_stack,
	};
	struct cache_check c = { .test = test, .cachep = cachep };

	cachep->box->slab.ops->walk(cachep, &walker, &c);
	cachep->box->slab.ops->peek_cpus(cachep, &walker, &c);
	return c.pages;
}

void test_check_slab(struct kunit *test, struct mmbox *box)
{
	struct mmbox_kmem_cache *cachep;
	unsigned long pages = 0;

	mutex_lock(&box->slab.mutex);
	list_for_each_entry(cachep, &box->slab.caches, list)
		pages += check_cache(test, cachep);
	mutex_unlock(&box->slab.mutex);
	KUNIT_EXPECT_EQ(test, pages,
			(unsigned long)atomic_long_read(&box->slab.nr_slab_pages));
}

void test_check_box(struct kunit *test, struct mmbox *box)
{
	test_check_pages(test, box);
	test_check_slab(test, box);
}
