// SPDX-License-Identifier: GPL-2.0
/*
 * Is a box in order? A walk over all that a box that nobody uses now keeps,
 * each thing counted in two ways: the lists from their heads, and the page
 * descriptors from the first to the last.
 */
#include <linux/bitmap.h>

#include "pages/buddy.h"
#include "slab/slab_object.h"
#include "testing.h"

/* What a walk over descriptors finds, against what the lists say. */
struct census {
	unsigned long *listed;		/* pfns that head a listed block */
	unsigned long nr[MMBOX_NR_PAGE_TYPES];	/* pages by type of their block */
};

static struct mmbox_page *page_of(struct mmbox *box, struct list_head *entry)
{
	return list_entry(entry, struct mmbox_page, buddy_list);
}

/* A head of a free block on a list: right type and order, and nowhere else. */
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

/* No two free buddies, or they would have been merged. */
static void check_merged(struct kunit *test, struct mmbox_zone *zone,
			 struct mmbox_page *page, unsigned int order)
{
	unsigned long pfn = __mmbox_page_to_pfn(zone->box, page);
	unsigned long buddy = pfn ^ (1UL << order);
	struct mmbox_page *other;

	if (order == zone->box->pages.max_order - 1 || buddy < zone->zone_start_pfn ||
	    buddy >= zone->zone_start_pfn + zone->spanned_pages)
		return;
	/* Whole pageblocks of types that do not mix stay apart when a type changes. */
	if (!mmbox_is_bitmap(zone->box) && order >= zone->box->pages.pageblock_shift)
		return;
	other = __mmbox_pfn_to_page(zone->box, buddy);
	if (other->type == MMBOX_PAGE_BUDDY && other->order == order)
		KUNIT_FAIL(test, "pfns %lx and %lx are free buddies of order %u", pfn,
			   buddy, order);
}

/* The blocks of one list of an order. Returns how many, or -1 if it is broken. */
static long check_free_list(struct kunit *test, struct mmbox_zone *zone,
			    struct census *census, unsigned int order, int mt)
{
	struct list_head *entry;
	long nr = 0;

	list_for_each(entry, &zone->free_area[order].free_list[mt]) {
		if (!check_listed(test, zone, census, entry, MMBOX_PAGE_BUDDY, order))
			return -1;
		check_merged(test, zone, page_of(zone->box, entry), order);
		nr++;
	}
	return nr;
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

/* What is on a list of a type belongs there; the reserve is among the movable. */
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
				    zone->box->cfg.buddy == MMBOX_BUDDY_BITMAP,
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

/* From the first page to the last: every page belongs to exactly one block. */
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

struct slab_sums {
	unsigned long slabs;
	unsigned long free_objects;
};

/* What is free says so, or a second free of it would be taken. */
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

/* A list of slabs, of which each has from @min to @max objects in use. */
static void check_slabs(struct kunit *test, struct mmbox_kmem_cache *cachep, int nid,
			struct list_head *list, unsigned int min, unsigned int max,
			struct slab_sums *sums, const char *what)
{
	struct mmbox_page *slab;
	unsigned int i;

	list_for_each_entry(slab, list, slab_list) {
		unsigned long pfn = __mmbox_page_to_pfn(cachep->box, slab);

		if (pfn >= cachep->box->memmap.max_pfn) {
			KUNIT_FAIL(test, "%s: %s leads out of the box", cachep->name, what);
			return;
		}
		if (slab->type != MMBOX_PAGE_SLAB || slab->order != cachep->gfporder ||
		    slab->slab_cache != cachep->id || slab->node_id != nid)
			KUNIT_FAIL(test, "%s: pfn %lx on %s of node %d is type %u order %u of %u",
				   cachep->name, pfn, what, nid, slab->type, slab->order,
				   slab->node_id);
		if (slab->active < min || slab->active > max)
			KUNIT_FAIL(test, "%s: slab at pfn %lx on %s has %u of %u in use",
				   cachep->name, pfn, what, slab->active, cachep->num);
		for (i = slab->active; i < cachep->num; i++)
			check_free(test, cachep, slab, mmbox_get_free_obj(cachep, slab, i));
		sums->slabs++;
		sums->free_objects += cachep->num - slab->active;
		if (sums->slabs > cachep->box->memmap.max_pfn) {
			KUNIT_FAIL(test, "%s: %s never ends", cachep->name, what);
			return;
		}
	}
}

/* Objects of an array lie in slabs of the cache and node, and none is there twice. */
static void check_array(struct kunit *test, struct mmbox_kmem_cache *cachep, int nid,
			struct mmbox_array_cache *ac)
{
	unsigned int i, j, idx;

	if (ac->avail > ac->limit) {
		KUNIT_FAIL(test, "%s: an array has %u of %u", cachep->name, ac->avail,
			   ac->limit);
		return;
	}
	for (i = 0; i < ac->avail; i++) {
		void *objp = ac->entry[i];

		if (!mmbox_virt_valid(cachep->box, objp) ||
		    __mmbox_virt_to_page(cachep->box, objp)->slab_cache != cachep->id)
			KUNIT_FAIL(test, "%s: an array holds a foreign object", cachep->name);
		else if (__mmbox_virt_to_page(cachep->box, objp)->node_id != nid)
			KUNIT_FAIL(test, "%s: an array of node %d holds another's object",
				   cachep->name, nid);
		else if (mmbox_slab_of_object(cachep, objp, &idx))
			check_free(test, cachep, mmbox_virt_to_slab(cachep, objp), idx);
		for (j = 0; j < i; j++)
			if (ac->entry[j] == objp)
				KUNIT_FAIL(test, "%s: an array holds an object twice",
					   cachep->name);
	}
}

static unsigned long check_cache_node(struct kunit *test, struct mmbox_kmem_cache *cachep,
				      int nid)
{
	struct mmbox_kmem_cache_node *n = cachep->node[nid];
	struct slab_sums sums = {}, free_slabs = {};
	int other;

	check_slabs(test, cachep, nid, &n->slabs_full, cachep->num, cachep->num, &sums,
		    "slabs_full");
	check_slabs(test, cachep, nid, &n->slabs_partial, 1, cachep->num - 1, &sums,
		    "slabs_partial");
	check_slabs(test, cachep, nid, &n->slabs_free, 0, 0, &free_slabs, "slabs_free");
	KUNIT_EXPECT_EQ_MSG(test, n->total_slabs, sums.slabs + free_slabs.slabs, "%s",
			    cachep->name);
	KUNIT_EXPECT_EQ_MSG(test, n->free_slabs, free_slabs.slabs, "%s", cachep->name);
	KUNIT_EXPECT_EQ_MSG(test, n->free_objects,
			    sums.free_objects + free_slabs.free_objects, "%s",
			    cachep->name);
	if (n->shared)
		check_array(test, cachep, nid, n->shared);
	if (n->alien)
		mmbox_for_each_online_node(cachep->box, other)
			if (n->alien[other])
				check_array(test, cachep, other, &n->alien[other]->ac);
	return n->total_slabs << cachep->gfporder;
}

static unsigned long check_cache(struct kunit *test, struct mmbox_kmem_cache *cachep)
{
	unsigned long pages = 0;
	int nid, cpu;

	mmbox_for_each_online_node(cachep->box, nid)
		pages += check_cache_node(test, cachep, nid);
	for_each_possible_cpu(cpu) {
		struct mmbox_array_cache *ac = per_cpu_ptr(cachep->cpu_cache, cpu);

		KUNIT_EXPECT_EQ_MSG(test, ac->busy, cachep->idle, "%s cpu %d", cachep->name, cpu);
		check_array(test, cachep, mmbox_cpu_to_node(cachep->box, cpu), ac);
	}
	return pages;
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
