/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the files of the page allocator: page_alloc.c, page_slowpath.c,
 * page_freelist.c, page_free.c, and vmscan.c for watermarks.
 */
#ifndef _MMBOX_PAGES_PAGE_ALLOC_H
#define _MMBOX_PAGES_PAGE_ALLOC_H

#include "pages/buddy.h"

/* A request, while it looks for a zone. */
struct mmbox_alloc_context {
	struct mmbox *box;
	struct mmbox_zonelist *zonelist;
	struct mmbox_zone *preferred;	/* first zone of @zonelist that it may use */
	int highest;			/* highest zone that it may use, enum mmbox_zone_type */
	int migratetype;		/* enum mmbox_migratetype */
};

/* page_freelist.c */
struct mmbox_page *mmbox_get_page_from_freelist(const struct mmbox_alloc_context *ac, gfp_t gfp,
						unsigned int order, unsigned int flags);

/* page_slowpath.c */
struct mmbox_page *mmbox_alloc_pages_slowpath(const struct mmbox_alloc_context *ac,
					      gfp_t gfp, unsigned int order);

/* Are blocks of this order kept on per-CPU lists? */
static __always_inline bool mmbox_pcp_allowed_order(const struct mmbox *box, unsigned int order)
{
	if (order > MMBOX_COSTLY_ORDER)
		return box->cfg.pcp_thp && order == box->pages.pageblock_shift;
	return box->pages.design->per_cpu_lists;
}

/* The list for an order up to 3. Hidden from the compiler, which would keep two pointers. */
static __always_inline struct list_head *mmbox_pcp_list(struct mmbox_per_cpu_pages *pcp,
							unsigned int order, unsigned int type)
{
	struct list_head *list = &pcp->lists[order * MMBOX_MIGRATE_PCPTYPES + type];

	OPTIMIZER_HIDE_VAR(list);
	return list;
}

/* Take the block at @entry off its list. */
static __always_inline struct mmbox_page *mmbox_pcp_pop(struct mmbox_per_cpu_pages *pcp,
							struct list_head *entry,
							unsigned int order)
{
	mmbox_raw_list_del(entry);
	pcp->count -= 1 << order;
	if (order < MMBOX_PCP_ORDERS)
		pcp->nr_alloc[order]++;
	else
		pcp->nr_alloc_thp++;
	return list_entry(entry, struct mmbox_page, pcp_list);
}

/*
 * Would an allocation of this order leave @free pages above @mark, and is there a block
 * that is large enough? __zone_watermark_ok(), Linux 6.1.
 */
static inline bool mmbox_watermark_ok(const struct mmbox_zone *zone, unsigned int order,
				      unsigned long mark, int highest, unsigned int flags,
				      long free)
{
	long min = mark;

	free -= (1L << order) - 1;
	if (likely(!(flags & ALLOC_RESERVES)))
		free -= READ_ONCE(zone->nr_reserved_highatomic);
	if (flags & ALLOC_MIN_RESERVE) {
		min -= min / 2;
		if (flags & ALLOC_NON_BLOCK)
			min -= min / 4;
	}
	if (free <= min + READ_ONCE(zone->lowmem_reserve[highest]))
		return false;
	return !order || mmbox_buddy_has_block(zone, order, flags);
}

#endif /* _MMBOX_PAGES_PAGE_ALLOC_H */
