// SPDX-License-Identifier: GPL-2.0
/*
 * Allocating a block from the zones of a zonelist: from the first one that stays above a
 * watermark, either this CPU's lists for it or its free blocks.
 *
 * The decisions are those of get_page_from_freelist(), Linux 6.1.
 */
#include <linux/bitops.h>

#include "pages/page_alloc.h"
#include "pages/pcp.h"

static noinline struct mmbox_page *rmqueue_pcplist(struct mmbox_zone *zone,
						   unsigned int order, int migratetype,
						   unsigned int flags)
{
	struct mmbox_per_cpu_pages *pcp = mmbox_pcp_begin(zone);
	struct mmbox_page *page = NULL;
	struct list_head *list;

	if (unlikely(!pcp))
		return NULL;
	pcp->free_factor >>= 1;
	list = &pcp->lists[mmbox_order_to_pindex(order, migratetype)];
	if (likely(!list_empty(list)) ||
	    mmbox_pcp_refill(zone, pcp, order, migratetype, flags))
		page = mmbox_pcp_pop(pcp, list->next, order);
	mmbox_pcp_end(pcp);
	return page;
}

static struct mmbox_page *rmqueue(struct mmbox_zone *zone, unsigned int order,
				  int migratetype, unsigned int flags)
{
	struct mmbox_page *page = NULL;

	if (mmbox_pcp_allowed_order(zone->box, order))
		page = rmqueue_pcplist(zone, order, migratetype, flags);
	if (!page) {
		page = mmbox_buddy_alloc(zone, order, migratetype, flags);
		if (page && zone->box->nr_nodes > 1 &&
		    mmbox_numa_node_id(zone->box) != zone->zone_pgdat->node_id)
			atomic_long_inc(&zone->nr_numa_other);
	}
	/* A fallback to another type has boosted the watermark: let kswapd reclaim. */
	if (unlikely(test_bit(MMBOX_ZONE_BOOSTED_WATERMARK, &zone->flags))) {
		clear_bit(MMBOX_ZONE_BOOSTED_WATERMARK, &zone->flags);
		mmbox_wakeup_kswapd(zone, 0, 0, mmbox_zone_idx(zone));
	}
	return page;
}

static bool zone_may_give(const struct mmbox_zone *zone, const struct mmbox_alloc_context *ac,
			  gfp_t gfp, unsigned int order, unsigned int flags)
{
	enum mmbox_zone_watermarks wmark = flags & ALLOC_WMARK_MASK;
	long free = READ_ONCE(zone->nr_free_pages);

	if (mmbox_watermark_ok(zone, order, mmbox_wmark_pages(zone, wmark), ac->highest,
			       flags, free))
		return true;
	/* A boost is to wake kswapd. It must not fail an atomic request for one page. */
	return !order && zone->watermark_boost && mmbox_gfp_atomic(gfp) &&
	       wmark == MMBOX_WMARK_MIN &&
	       mmbox_watermark_ok(zone, order, zone->_watermark[MMBOX_WMARK_MIN],
				  ac->highest, flags, free);
}

/**
 * mmbox_get_page_from_freelist() - allocate from the first zone that has enough free pages
 * @ac: the request
 * @gfp: GFP flags
 * @order: power of two of pages
 * @flags: ALLOC_*, including the watermark that the zone must stay above
 *
 * Context: any but NMI; never sleeps.
 * Return: the first page, or NULL.
 */
struct mmbox_page *mmbox_get_page_from_freelist(const struct mmbox_alloc_context *ac, gfp_t gfp,
						unsigned int order, unsigned int flags)
{
	const struct mmbox_pglist_data *local = ac->preferred->zone_pgdat;
	struct mmbox_zoneref *zref;
	struct mmbox_zone *zone;

retry:
	mmbox_for_each_zoneref(zone, zref, ac->zonelist, ac->highest) {
		struct mmbox_page *page;

		/* Prefer a fragmented local zone to a remote one. */
		if (flags & ALLOC_NOFRAGMENT && zone->zone_pgdat != local)
			break;
		if (!(flags & ALLOC_NO_WATERMARKS) &&
		    !zone_may_give(zone, ac, gfp, order, flags))
			continue;
		page = rmqueue(zone, order, ac->migratetype, flags);
		if (!page)
			continue;
		if (unlikely(flags & ALLOC_HIGHATOMIC) && ac->box->pages.design->reserve)
			ac->box->pages.design->reserve(zone, page);
		if (unlikely(zone->zone_pgdat != local))
			mmbox_count_numa_miss(ac->preferred, zone);
		return page;
	}
	if (flags & ALLOC_NOFRAGMENT) {
		flags &= ~ALLOC_NOFRAGMENT;
		goto retry;
	}
	return NULL;
}
