// SPDX-License-Identifier: GPL-2.0
/*
 * Page designs: choosing one, and what all of them share.
 *
 * Each design has its own file and a struct mmbox_page_design.
 */
#include <linux/string.h>

#include "pages/buddy.h"

static const struct mmbox_page_design *const designs[MMBOX_NR_BUDDY_TYPES] = {
	[MMBOX_BUDDY_LIST]	= &mmbox_list_design,
	[MMBOX_BUDDY_BITMAP]	= &mmbox_bitmap_design,
};

const char *const mmbox_buddy_names[MMBOX_NR_BUDDY_TYPES] = {
	[MMBOX_BUDDY_LIST]	= "list",
	[MMBOX_BUDDY_BITMAP]	= "bitmap",
};
MMBOX_EXPORT_INTERNAL(mmbox_buddy_names);

static const struct mmbox_page_design *design_of(const struct mmbox_config *cfg)
{
	return cfg->page_design ?: designs[cfg->buddy];
}

/**
 * mmbox_buddy_orders() - number of block orders of a box whose maker names none
 * @cfg: what the box is made from
 *
 * Context: any.
 * Return: the length of free_area[] in use.
 */
unsigned int mmbox_buddy_orders(const struct mmbox_config *cfg)
{
	return design_of(cfg)->orders ?: cfg->orders;
}

/**
 * mmbox_buddy_check() - check the parameters that a page design may not support
 * @cfg: what the box is made from
 *
 * Says in one line of the log which parameter is wrong.
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int mmbox_buddy_check(const struct mmbox_config *cfg)
{
	const struct mmbox_page_design *design = design_of(cfg);
	const char *name = mmbox_buddy_names[cfg->buddy];

	if (!design->per_cpu_lists && cfg->pcp_thp)
		return mmbox_bad_param(cfg, MMBOX_PARAM_pcp_thp,
				       "must be 0 with buddy=%s, which has no per-CPU lists",
				       name);
	if (!design->stat_drift && cfg->stat_drift)
		return mmbox_bad_param(cfg, MMBOX_PARAM_stat_drift,
				       "must be 0 with buddy=%s, which counts exactly", name);
	return 0;
}

/**
 * mmbox_buddy_add() - add a block of new memory to a zone
 * @zone: the zone
 * @page: first page of an aligned block; all its pages are reserved until now
 * @order: power of two of pages
 *
 * The block goes to the tail of its list, so that memory added in ascending order is
 * allocated in ascending order.
 *
 * Context: process, memory_lock held.
 */
void mmbox_buddy_add(struct mmbox_zone *zone, struct mmbox_page *page, unsigned int order)
{
	unsigned long i;

	lockdep_assert_held(&zone->box->pages.memory_lock);
	/* Nobody else looks at reserved pages, so the design's lock is not needed yet. */
	for (i = 0; i < 1UL << order; i++)
		WRITE_ONCE(page[i].type_order, MMBOX_TYPE_ORDER(MMBOX_PAGE_TAIL, 0));
	WRITE_ONCE(zone->managed_pages, zone->managed_pages + (1UL << order));
	mmbox_buddy_free(zone, page, order, true);
}

static void copy_nr_free(struct mmbox_zone *zone, void *arg)
{
	unsigned long *nr_free = arg;
	unsigned int order;

	for (order = 0; order < MMBOX_MAX_ORDERS; order++)
		nr_free[order] = zone->free_area[order].nr_free;
}

/**
 * mmbox_free_blocks() - count the free blocks of all orders, as of one moment
 * @zone: the zone
 * @nr_free: out: number of free blocks by order, MMBOX_MAX_ORDERS entries
 *
 * Context: any.
 */
void mmbox_free_blocks(struct mmbox_zone *zone, unsigned long *nr_free)
{
	mmbox_buddy_hold(zone, copy_nr_free, nr_free);
}

/**
 * mmbox_nr_free_blocks() - count the free blocks of one order
 * @zone: the zone
 * @order: power of two of pages
 *
 * Context: any; a snapshot.
 * Return: number of blocks.
 */
unsigned long mmbox_nr_free_blocks(const struct mmbox_zone *zone, unsigned int order)
{
	return mmbox_glance(zone->free_area[order].nr_free);
}
MMBOX_EXPORT_INTERNAL(mmbox_nr_free_blocks);

/* ---- set-up and tear-down ---- */

static size_t pageblock_bytes(const struct mmbox *box)
{
	return (box->memmap.max_pfn >> box->pages.pageblock_shift) + 1;
}

/**
 * mmbox_buddy_init() - set up the page design of a box, with no free blocks
 * @box: the box; its zones are laid out
 *
 * All pageblocks are movable, or of type 0 where the design knows no types.
 * mmbox_buddy_exit() cleans up, also after a failure.
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int mmbox_buddy_init(struct mmbox *box)
{
	const struct mmbox_page_design *design;
	struct mmbox_zone *zone;
	unsigned int order, mt;

	design = design_of(&box->cfg);
	box->pages.pageblock_flags = mmbox_host_zalloc(&box->host, pageblock_bytes(box),
						       "pageblock flags");
	if (!box->pages.pageblock_flags)
		return -ENOMEM;
	memset(box->pages.pageblock_flags,
	       design->migrate_types ? MMBOX_MIGRATE_MOVABLE : 0, pageblock_bytes(box));
	mmbox_for_each_zone(box, zone) {
		raw_spin_lock_init(&zone->lock);
		for (order = 0; order < MMBOX_MAX_ORDERS; order++)
			for (mt = 0; mt < MMBOX_MIGRATE_TYPES; mt++)
				INIT_LIST_HEAD(&zone->free_area[order].free_list[mt]);
	}
	box->pages.design = design;
	return design->init(box);
}

/**
 * mmbox_buddy_exit() - undo mmbox_buddy_init(), even if it failed half-way
 * @box: the box; it has no users left
 *
 * Context: process, may sleep.
 */
void mmbox_buddy_exit(struct mmbox *box)
{
	if (box->pages.design && box->pages.design->exit)
		box->pages.design->exit(box);
	mmbox_host_free(&box->host, box->pages.pageblock_flags, pageblock_bytes(box));
	box->pages.pageblock_flags = NULL;
}
