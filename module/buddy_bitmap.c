// SPDX-License-Identifier: GPL-2.0
/*
 * The buddy allocator of Linux 2.4: free_area[], and a bitmap that knows pairs.
 *
 * Each order has one list of free blocks, and in free_area.map one bit for each
 * pair of buddies: the exclusive or of "this one is on the list". It is flipped
 * whenever either is put on the list or taken off; so a block that is freed
 * looks at nothing but that bit to know whether its buddy is free: if it was
 * set, the buddy is, and the two are merged. The highest order has no pairs.
 *
 *	pair:	  lower  upper	  bit
 *		  used   used	   0
 *		  free   used	   1	free the upper: merge
 *		  used   free	   1	free the lower: merge
 *		  free   free	   -	never: they are one block of the next order
 *
 * A block that is split gives its lower half to the list and goes on with the
 * upper, so that the highest address is handed out first. Blocks are put at the
 * head of their list. There are no migrate types and no per-CPU lists: whoever
 * allocates and frees one page in turn flips a bit of each order on the way up
 * and down, under the zone's lock. That is why Linux gave it up.
 */
#include <linux/bitops.h>
#include <linux/math.h>

#include "buddy.h"

/* Pairs are counted from here: blocks are aligned in the zone as in the box. */
static unsigned long base_pfn(const struct mmbox_zone *zone)
{
	return rounddown(zone->zone_start_pfn, 1UL << (zone->box->max_order - 1));
}

/* Flip the bit of a block's pair. Returns what it was; false at the highest order. */
static bool change_map(struct mmbox_zone *zone, unsigned long pfn, unsigned int order)
{
	if (order == zone->box->max_order - 1)
		return false;
	return __test_and_change_bit((pfn - base_pfn(zone)) >> (order + 1),
				     zone->free_area[order].map);
}

static void add_to_list(struct mmbox_zone *zone, struct mmbox_page *page, unsigned int order)
{
	struct mmbox_free_area *area = &zone->free_area[order];

	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_BUDDY, order);
	mmbox_list_add(&page->buddy_list, &area->free_list[0]);
	area->nr_free++;
}

static void del_from_list(struct mmbox_zone *zone, struct mmbox_page *page, unsigned int order)
{
	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_TAIL, 0);
	mmbox_list_del(&page->buddy_list);
	zone->free_area[order].nr_free--;
}

/**
 * mmbox_bitmap_free() - take a block back
 * @zone: its zone, locked
 * @page: its first page
 * @order: power of two of pages
 *
 * Context: any, zone->lock held, interrupts off.
 */
void mmbox_bitmap_free(struct mmbox_zone *zone, struct mmbox_page *page, unsigned int order)
{
	struct mmbox *box = zone->box;
	unsigned long pfn = __mmbox_page_to_pfn(box, page);

	WRITE_ONCE(zone->nr_free_pages, zone->nr_free_pages + (1UL << order));
	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_TAIL, 0);
	for (; change_map(zone, pfn, order); order++) {
		del_from_list(zone, __mmbox_pfn_to_page(box, pfn ^ (1UL << order)), order);
		pfn &= ~(1UL << order);
	}
	add_to_list(zone, __mmbox_pfn_to_page(box, pfn), order);
}

/**
 * mmbox_bitmap_rmqueue() - take one block
 * @zone: from where, locked
 * @order: power of two of pages
 *
 * Context: any, zone->lock held, interrupts off.
 * Return: its first page, or NULL if there is none.
 */
struct mmbox_page *mmbox_bitmap_rmqueue(struct mmbox_zone *zone, unsigned int order)
{
	struct mmbox *box = zone->box;
	struct mmbox_page *page = NULL;
	unsigned int current_order;
	unsigned long pfn;

	for (current_order = order; current_order < box->max_order; current_order++) {
		page = list_first_entry_or_null(&zone->free_area[current_order].free_list[0],
						struct mmbox_page, buddy_list);
		if (page)
			break;
	}
	if (!page)
		return NULL;

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

/**
 * mmbox_bitmap_has_block() - is there a block that is large enough?
 * @zone: the zone
 * @order: power of two of pages
 *
 * Context: any, without the lock: a snapshot.
 * Return: true if there is.
 */
bool mmbox_bitmap_has_block(const struct mmbox_zone *zone, unsigned int order)
{
	for (; order < zone->box->max_order; order++)
		if (!list_empty(&zone->free_area[order].free_list[0]))
			return true;
	return false;
}

/* ---- begin and end ---- */

/**
 * mmbox_bitmap_pairs() - pairs of buddies that a zone may have a part of
 * @zone: the zone
 * @order: of each buddy, below the highest
 * @start_pfn: set to where the first begins
 *
 * Context: any.
 * Return: how many: so many bits free_area.map of the order has.
 */
unsigned long mmbox_bitmap_pairs(const struct mmbox_zone *zone, unsigned int order,
				 unsigned long *start_pfn)
{
	unsigned long end = zone->zone_start_pfn + zone->spanned_pages;

	*start_pfn = base_pfn(zone);
	return (roundup(end, 1UL << (zone->box->max_order - 1)) - *start_pfn) >> (order + 1);
}

static size_t map_words(const struct mmbox_zone *zone, unsigned int order)
{
	unsigned long start_pfn;

	return BITS_TO_LONGS(mmbox_bitmap_pairs(zone, order, &start_pfn));
}

static size_t zone_map_words(const struct mmbox_zone *zone)
{
	unsigned int order;
	size_t words = 0;

	for (order = 0; order < zone->box->max_order - 1; order++)
		words += map_words(zone, order);
	return words;
}

static int zone_init(struct mmbox_zone *zone)
{
	unsigned long *map;
	unsigned int order;

	map = mmbox_host_zalloc(&zone->box->host, zone_map_words(zone) * sizeof(*map),
				"free_area maps");
	if (!map)
		return -ENOMEM;
	for (order = 0; order < zone->box->max_order - 1; order++) {
		zone->free_area[order].map = map;
		map += map_words(zone, order);
	}
	return 0;
}

/**
 * mmbox_bitmap_init() - maps for all zones of a box, nothing free
 * @box: the box, whose zones are laid out
 *
 * Context: process, may sleep.
 * Return: 0, or -ENOMEM; mmbox_bitmap_exit() cleans up in both cases.
 */
int mmbox_bitmap_init(struct mmbox *box)
{
	struct mmbox_zone *zone;
	int err;

	mmbox_for_each_zone(box, zone) {
		if (!zone->spanned_pages)
			continue;
		err = zone_init(zone);
		if (err)
			return err;
	}
	return 0;
}

/**
 * mmbox_bitmap_exit() - undo mmbox_bitmap_init()
 * @box: the box; nobody uses it any more
 *
 * Context: process, may sleep.
 */
void mmbox_bitmap_exit(struct mmbox *box)
{
	int nid, i;

	for (nid = 0; nid < MMBOX_MAX_NUMNODES; nid++) {
		/* Boot may not have come as far as zones. */
		for (i = 0; box->node[nid] && i < MMBOX_MAX_NR_ZONES; i++) {
			struct mmbox_zone *zone = &box->node[nid]->node_zones[i];

			if (!zone->free_area[0].map)
				continue;
			mmbox_host_free(&box->host, zone->free_area[0].map,
					zone_map_words(zone) * sizeof(unsigned long));
			zone->free_area[0].map = NULL;
		}
	}
}
