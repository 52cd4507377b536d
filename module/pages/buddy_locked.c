// SPDX-License-Identifier: GPL-2.0
/*
 * Shared by page designs that use zone->lock: functions for their
 * struct mmbox_page_design, and helpers for these.
 *
 * zone->lock is taken in this file, in buddy_list.c and in buddy_bitmap.c, and nowhere else.
 */
#include "pages/buddy.h"

/**
 * mmbox_locked_walk() - visit the free blocks of an order and type
 * @zone: the zone
 * @order: power of two of pages
 * @migratetype: enum mmbox_migratetype
 * @visit: called for each block in the order of the list; false ends the walk
 * @arg: passed to @visit
 *
 * Context: any; zone->lock is taken, and held while @visit runs.
 */
void mmbox_locked_walk(struct mmbox_zone *zone, unsigned int order, int migratetype,
		       bool (*visit)(struct mmbox_page *page, void *arg), void *arg)
{
	struct mmbox_page *page;
	unsigned long flags;

	raw_spin_lock_irqsave(&zone->lock, flags);
	list_for_each_entry(page, &zone->free_area[order].free_list[migratetype], buddy_list)
		if (!visit(page, arg))
			break;
	raw_spin_unlock_irqrestore(&zone->lock, flags);
}

/**
 * mmbox_locked_hold() - look at a zone's free blocks while they cannot change
 * @zone: the zone
 * @look: called once
 * @arg: passed to @look
 *
 * Context: any; zone->lock is taken, and held while @look runs.
 * Return: zone->nr_changes as of then.
 */
unsigned long mmbox_locked_hold(struct mmbox_zone *zone,
				void (*look)(struct mmbox_zone *zone, void *arg), void *arg)
{
	unsigned long nr_changes, flags;

	raw_spin_lock_irqsave(&zone->lock, flags);
	nr_changes = zone->nr_changes;
	look(zone, arg);
	raw_spin_unlock_irqrestore(&zone->lock, flags);
	return nr_changes;
}

/**
 * mmbox_locked_watch() - start to count every change of a zone's free blocks
 * @zone: the zone
 *
 * To look at a zone in several steps, compare what mmbox_buddy_hold() returns in each. If
 * it is the same, the zone has not changed in between.
 *
 * Context: any; zone->lock is taken.
 */
void mmbox_locked_watch(struct mmbox_zone *zone)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&zone->lock, flags);
	zone->nr_watchers++;
	raw_spin_unlock_irqrestore(&zone->lock, flags);
}

/**
 * mmbox_locked_unwatch() - undo mmbox_locked_watch()
 * @zone: the zone
 *
 * Context: any; zone->lock is taken.
 */
void mmbox_locked_unwatch(struct mmbox_zone *zone)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&zone->lock, flags);
	zone->nr_watchers--;
	raw_spin_unlock_irqrestore(&zone->lock, flags);
}

/**
 * mmbox_locked_resize() - set the page frames that a zone spans
 * @zone: the zone
 * @start: first page frame
 * @end: first page frame beyond; @start if the zone is empty
 *
 * Context: process, memory_lock held; zone->lock is taken.
 */
void mmbox_locked_resize(struct mmbox_zone *zone, unsigned long start, unsigned long end)
{
	unsigned long flags;

	lockdep_assert_held(&zone->box->pages.memory_lock);
	raw_spin_lock_irqsave(&zone->lock, flags);
	WRITE_ONCE(zone->zone_start_pfn, start);
	WRITE_ONCE(zone->spanned_pages, end - start);
	raw_spin_unlock_irqrestore(&zone->lock, flags);
}

/**
 * mmbox_locked_find_used() - find the first page that is not in a free block
 * @zone: the zone
 * @start: first page frame, where a block begins
 * @end: first page frame beyond, where a block begins
 *
 * Context: any, zone->lock held.
 * Return: its page frame, or MMBOX_NO_PFN.
 */
unsigned long mmbox_locked_find_used(struct mmbox_zone *zone, unsigned long start,
				     unsigned long end)
{
	lockdep_assert_held(&zone->lock);
	while (start < end) {
		const struct mmbox_page *page = __mmbox_pfn_to_page(zone->box, start);

		if (page->type != MMBOX_PAGE_BUDDY)
			return start;
		start += 1UL << page->order;
	}
	return MMBOX_NO_PFN;
}

/**
 * mmbox_locked_take() - take all blocks of a free range, and make their pages reserved
 * @zone: the zone
 * @start: first page frame, where a free block begins
 * @end: first page frame beyond; all pages in between are free
 * @take: takes one block off its list
 *
 * Context: any, zone->lock held.
 */
void mmbox_locked_take(struct mmbox_zone *zone, unsigned long start, unsigned long end,
		       void (*take)(struct mmbox_zone *zone, struct mmbox_page *page))
{
	struct mmbox_page *page = __mmbox_pfn_to_page(zone->box, start);
	struct mmbox_page *last = page + (end - start);

	lockdep_assert_held(&zone->lock);
	while (page < last) {
		unsigned long nr = 1UL << page->order;

		take(zone, page);
		for (; nr; nr--, page++)
			page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_RESERVED, 0);
	}
}
