// SPDX-License-Identifier: GPL-2.0
/*
 * The buddy allocator of Linux 2.4: free_area[], and a bitmap of buddy pairs.
 *
 * Each order has one list of free blocks, and in free_area.map one bit for each
 * pair of buddies. The bit is flipped whenever one of the two is put on the list or
 * taken off, so it is set while exactly one is free. A free only tests and flips
 * this bit: if it was set, the buddy is free, and the two are merged. The highest
 * order has no pairs.
 *
 *	pair:	  lower  upper	  bit
 *		  used   used	   0
 *		  free   used	   1	free the upper: merge
 *		  used   free	   1	free the lower: merge
 *		  free   free	   -	never: they are one block of the next order
 *
 * A split puts the lower half of a block on the list and goes on with the upper
 * half, so the highest address is allocated first. Blocks are added at the head of
 * their list. There are no migrate types and no per-CPU lists: allocating one page
 * and freeing it again may flip a bit of each order, both times under the zone's
 * lock. That is why Linux gave this design up.
 */
#include <linux/bitops.h>
#include <linux/math.h>
#include <linux/minmax.h>

#include "pages/buddy.h"

/* Flip the bit of a block's pair. Returns its old value, or false at the highest order. */
static bool change_map(struct mmbox_zone *zone, unsigned long pfn, unsigned int order)
{
	lockdep_assert_held(&zone->lock);
	if (order == zone->box->pages.max_order - 1)
		return false;
	return __test_and_change_bit((pfn - zone->map_start_pfn) >> (order + 1),
				     zone->free_area[order].map);
}

static void add_to_list(struct mmbox_zone *zone, struct mmbox_page *page, unsigned int order)
{
	struct mmbox_free_area *area = &zone->free_area[order];

	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_BUDDY, order);
	mmbox_raw_list_add(&page->buddy_list, &area->free_list[0]);
	area->nr_free++;
}

static void del_from_list(struct mmbox_zone *zone, struct mmbox_page *page, unsigned int order)
{
	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_TAIL, 0);
	mmbox_raw_list_del(&page->buddy_list);
	zone->free_area[order].nr_free--;
}

static void mmbox_bitmap_free(struct mmbox_zone *zone, struct mmbox_page *page,
			      unsigned int order, bool to_tail)
{
	struct mmbox *box = zone->box;
	unsigned long pfn = __mmbox_page_to_pfn(box, page), flags;

	raw_spin_lock_irqsave(&zone->lock, flags);
	zone->nr_changes++;
	WRITE_ONCE(zone->nr_free_pages, zone->nr_free_pages + (1UL << order));
	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_TAIL, 0);
	for (; change_map(zone, pfn, order); order++) {
		del_from_list(zone, __mmbox_pfn_to_page(box, pfn ^ (1UL << order)), order);
		pfn &= ~(1UL << order);
	}
	add_to_list(zone, __mmbox_pfn_to_page(box, pfn), order);
	raw_spin_unlock_irqrestore(&zone->lock, flags);
}

/* Take the first block of the lowest order that has one and is large enough, or NULL. */
static struct mmbox_page *rmqueue(struct mmbox_zone *zone, unsigned int order)
{
	struct mmbox *box = zone->box;
	struct mmbox_page *page = NULL;
	unsigned int current_order;
	unsigned long pfn;

	lockdep_assert_held(&zone->lock);
	for (current_order = order; current_order < box->pages.max_order; current_order++) {
		page = list_first_entry_or_null(&zone->free_area[current_order].free_list[0],
						struct mmbox_page, buddy_list);
		if (page)
			break;
	}
	if (!page)
		return NULL;

	zone->nr_changes++;
	pfn = __mmbox_page_to_pfn(box, page);
	del_from_list(zone, page, current_order);
	change_map(zone, pfn, current_order);
	while (current_order > order) {
		current_order--;
		add_to_list(zone, page, current_order);
		change_map(zone, pfn, current_order);
		page += 1UL << current_order;
		pfn += 1UL << current_order;
	}
	WRITE_ONCE(zone->nr_free_pages, zone->nr_free_pages - (1UL << order));
	return page;
}

static struct mmbox_page *mmbox_bitmap_alloc(struct mmbox_zone *zone, unsigned int order,
					     int migratetype, unsigned int flags)
{
	struct mmbox_page *page;
	unsigned long irqflags;

	raw_spin_lock_irqsave(&zone->lock, irqflags);
	page = rmqueue(zone, order);
	if (page) {
		/* Before the unlock, so that a walk sees the block as allocated. */
		page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_ALLOCATED, order);
		zone->nr_alloc[order]++;
	}
	raw_spin_unlock_irqrestore(&zone->lock, irqflags);
	return page;
}

static bool mmbox_bitmap_has_block(const struct mmbox_zone *zone, unsigned int order,
				   unsigned int flags)
{
	for (; order < zone->box->pages.max_order; order++)
		/* data_race: a snapshot */
		if (!data_race(list_empty(&zone->free_area[order].free_list[0])))
			return true;
	return false;
}

static void take_block(struct mmbox_zone *zone, struct mmbox_page *page)
{
	unsigned int order = page->order;

	lockdep_assert_held(&zone->lock);
	zone->nr_changes++;
	del_from_list(zone, page, order);
	change_map(zone, __mmbox_page_to_pfn(zone->box, page), order);
	WRITE_ONCE(zone->nr_free_pages, zone->nr_free_pages - (1UL << order));
	zone->nr_free_isolated += 1UL << order;
}

/* There is no isolation: check all pages and take them under one hold of the lock. */
static unsigned long mmbox_bitmap_take(struct mmbox_zone *zone, unsigned long start,
				       unsigned long end)
{
	unsigned long used, flags;

	raw_spin_lock_irqsave(&zone->lock, flags);
	used = mmbox_locked_find_used(zone, start, end);
	if (used == MMBOX_NO_PFN)
		mmbox_locked_take(zone, start, end, take_block);
	raw_spin_unlock_irqrestore(&zone->lock, flags);
	return used;
}

/**
 * mmbox_bitmap_pairs() - get the bitmap of an order
 * @zone: the zone
 * @order: order of each buddy of a pair
 * @start_pfn: out: first page frame of the first pair
 * @nr: out: number of pairs, one bit each
 *
 * Context: process, memory_lock held, so the map is not replaced. Its bits may change.
 * Return: the bitmap, or NULL in another design and for the highest order.
 */
const unsigned long *mmbox_bitmap_pairs(const struct mmbox_zone *zone, unsigned int order,
					unsigned long *start_pfn, unsigned long *nr)
{
	lockdep_assert_held(&zone->box->pages.memory_lock);
	*start_pfn = zone->map_start_pfn;
	*nr = (zone->map_end_pfn - zone->map_start_pfn) >> (order + 1);
	return zone->free_area[order].map;
}

/* ---- set-up and tear-down ---- */

/* Length of an order's map in longs. @start and @end are multiples of the largest block. */
static size_t map_words(unsigned long start, unsigned long end, unsigned int order)
{
	return BITS_TO_LONGS((end - start) >> (order + 1));
}

static size_t all_map_words(const struct mmbox *box, unsigned long start, unsigned long end)
{
	unsigned int order;
	size_t words = 0;

	for (order = 0; order < box->pages.max_order - 1; order++)
		words += map_words(start, end, order);
	return words;
}

static void free_maps(struct mmbox *box, unsigned long *map, unsigned long start,
		      unsigned long end)
{
	mmbox_host_free(&box->host, map, all_map_words(box, start, end) * sizeof(*map));
}

/*
 * Make a zone's maps cover page frames [@start_pfn, @end_pfn): replace them by longer ones
 * if they do not. Returns 0, or -ENOMEM, and then nothing has changed.
 */
static int cover(struct mmbox_zone *zone, unsigned long start_pfn, unsigned long end_pfn)
{
	const unsigned long block = 1UL << (zone->box->pages.max_order - 1);
	unsigned long start = rounddown(start_pfn, block), end = roundup(end_pfn, block);
	unsigned long old_start = zone->map_start_pfn, old_end = zone->map_end_pfn, flags;
	unsigned long *old = zone->free_area[0].map, *map, *new;
	unsigned int order;

	if (old) {
		if (start >= old_start && end <= old_end)
			return 0;
		start = min(start, old_start);
		end = max(end, old_end);
	}
	map = mmbox_host_zalloc(&zone->box->host,
				all_map_words(zone->box, start, end) * sizeof(*map),
				"free_area maps");
	if (!map)
		return -ENOMEM;
	new = map;
	raw_spin_lock_irqsave(&zone->lock, flags);
	for (order = 0; order < zone->box->pages.max_order - 1; order++) {
		struct mmbox_free_area *area = &zone->free_area[order];
		unsigned long first = (old_start - start) >> (order + 1), bit;
		unsigned long nr = old ? (old_end - old_start) >> (order + 1) : 0;

		for_each_set_bit(bit, area->map, nr)
			__set_bit(first + bit, new);
		area->map = new;
		new += map_words(start, end, order);
	}
	zone->map_start_pfn = start;
	zone->map_end_pfn = end;
	raw_spin_unlock_irqrestore(&zone->lock, flags);
	free_maps(zone->box, old, old_start, old_end);
	return 0;
}

/* Maps never shrink, because a zone that shrinks may grow again. */
static int mmbox_bitmap_resize(struct mmbox_zone *zone, unsigned long start, unsigned long end)
{
	int err = start < end ? cover(zone, start, end) : 0;

	if (!err)
		mmbox_locked_resize(zone, start, end);
	return err;
}

static int mmbox_bitmap_init(struct mmbox *box)
{
	struct mmbox_zone *zone;
	int err;

	mmbox_for_each_zone(box, zone) {
		if (!zone->spanned_pages)
			continue;
		err = cover(zone, zone->zone_start_pfn,
			    zone->zone_start_pfn + zone->spanned_pages);
		if (err)
			return err;
	}
	return 0;
}

static void mmbox_bitmap_exit(struct mmbox *box)
{
	struct mmbox_zone *zone;

	mmbox_for_each_zone(box, zone) {
		free_maps(box, zone->free_area[0].map, zone->map_start_pfn, zone->map_end_pfn);
		zone->free_area[0].map = NULL;
	}
}

const struct mmbox_page_design mmbox_bitmap_design = {
	.orders = MMBOX_MIN_ORDERS,
	.init = mmbox_bitmap_init,
	.exit = mmbox_bitmap_exit,
	.resize = mmbox_bitmap_resize,
	.alloc = mmbox_bitmap_alloc,
	.free = mmbox_bitmap_free,
	.has_block = mmbox_bitmap_has_block,
	.take = mmbox_bitmap_take,
	.walk = mmbox_locked_walk,
	.hold = mmbox_locked_hold,
	.watch = mmbox_locked_watch,
	.unwatch = mmbox_locked_unwatch,
};
MMBOX_EXPORT_INTERNAL(mmbox_bitmap_design);
