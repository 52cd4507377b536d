// SPDX-License-Identifier: GPL-2.0
/*
 * The slow path of a page allocation: kswapd, reserves, direct reclaim, retries.
 *
 * The decisions are those of __alloc_pages_slowpath(), Linux 6.1.
 */
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/rt.h>

#include "pages/page_alloc.h"

#define MAX_RECLAIM_RETRIES	16

static unsigned int request_flags(gfp_t gfp, unsigned int order)
{
	unsigned int flags = MMBOX_WMARK_MIN;

	if (gfp & __GFP_KSWAPD_RECLAIM)
		flags |= ALLOC_KSWAPD;
	if (gfp & __GFP_HIGH)
		flags |= ALLOC_MIN_RESERVE;
	if (!(gfp & __GFP_DIRECT_RECLAIM)) {
		if (!(gfp & __GFP_NOMEMALLOC)) {
			flags |= ALLOC_NON_BLOCK;
			if (order && flags & ALLOC_MIN_RESERVE)
				flags |= ALLOC_HIGHATOMIC;
		}
	} else if (rt_task(current) && in_task()) {
		flags |= ALLOC_MIN_RESERVE;
	}
	return flags;
}

/* May the request use all reserves? Tasks that free memory may, to do so. */
static bool pfmemalloc_allowed(struct mmbox *box, gfp_t gfp)
{
	if (gfp & __GFP_NOMEMALLOC)
		return false;
	return gfp & __GFP_MEMALLOC || mmbox_is_reclaimer(box);
}

static void wake_all_kswapds(const struct mmbox_alloc_context *ac, gfp_t gfp, unsigned int order)
{
	const struct mmbox_pglist_data *last = NULL;
	struct mmbox_zoneref *zref;
	struct mmbox_zone *zone;

	mmbox_for_each_zoneref(zone, zref, ac->zonelist, ac->highest) {
		if (last == zone->zone_pgdat || !mmbox_managed_zone(zone))
			continue;
		mmbox_wakeup_kswapd(zone, gfp, order, ac->highest);
		last = zone->zone_pgdat;
	}
}

static bool unreserve_highatomic(const struct mmbox_alloc_context *ac, bool force)
{
	struct mmbox_zoneref *zref;
	struct mmbox_zone *zone;

	if (!ac->box->pages.design->unreserve)
		return false;
	mmbox_for_each_zoneref(zone, zref, ac->zonelist, ac->highest)
		if (ac->box->pages.design->unreserve(zone, ac->migratetype, force))
			return true;
	return false;
}

static struct mmbox_page *alloc_pages_direct_reclaim(const struct mmbox_alloc_context *ac,
						     gfp_t gfp, unsigned int order,
						     unsigned int flags,
						     unsigned long *progress)
{
	struct mmbox_page *page;

	*progress = mmbox_try_to_free_pages(ac->box, ac->zonelist, ac->highest, order, gfp);
	page = mmbox_get_page_from_freelist(ac, gfp, order, flags);
	if (page)
		return page;
	/* The pages may be on lists of other CPUs, or in the atomic reserve. */
	unreserve_highatomic(ac, false);
	mmbox_drain_all_pages(ac->box);
	return mmbox_get_page_from_freelist(ac, gfp, order, flags);
}

/* Is another round worth it? Yes if a zone has enough pages above its min watermark by now. */
static bool should_reclaim_retry(const struct mmbox_alloc_context *ac, unsigned int order,
				 unsigned int flags, bool progress, int *no_progress_loops)
{
	struct mmbox_zoneref *zref;
	struct mmbox_zone *zone;

	if (progress && order <= MMBOX_COSTLY_ORDER)
		*no_progress_loops = 0;
	else
		(*no_progress_loops)++;
	if (*no_progress_loops <= MAX_RECLAIM_RETRIES) {
		mmbox_for_each_zoneref(zone, zref, ac->zonelist, ac->highest) {
			if (mmbox_watermark_ok(zone, order,
					       mmbox_wmark_pages(zone, MMBOX_WMARK_MIN),
					       ac->highest, flags,
					       READ_ONCE(zone->nr_free_pages)))
				return true;
		}
	}
	return unreserve_highatomic(ac, true);
}

/**
 * mmbox_alloc_pages_slowpath() - allocate when no zone is above its low watermark
 * @ac: the request
 * @gfp: GFP flags
 * @order: power of two of pages
 *
 * Wakes kswapd, uses pages down to the min watermark and, if the flags allow it, below,
 * reclaims, and tries again as long as reclaim makes progress. Linux would kill a process
 * in the end. A box has no processes, so the request fails, or with __GFP_NOFAIL waits for
 * others to free pages.
 *
 * Context: any but NMI; may sleep only with __GFP_DIRECT_RECLAIM.
 * Return: the first page, or NULL. A failure is reported to the observer.
 */
struct mmbox_page *mmbox_alloc_pages_slowpath(const struct mmbox_alloc_context *ac,
					      gfp_t gfp, unsigned int order)
{
	bool can_reclaim = gfp & __GFP_DIRECT_RECLAIM;
	bool costly = order > MMBOX_COSTLY_ORDER;
	int no_progress_loops, rounds;
	unsigned int flags;
	unsigned long progress;
	struct mmbox_page *page;
	unsigned int seq;

restart:
	flags = request_flags(gfp, order);
	no_progress_loops = 0;
	rounds = 0;
	seq = read_seqcount_begin(&ac->box->pages.zonelist_seq);
	if (flags & ALLOC_KSWAPD)
		wake_all_kswapds(ac, gfp, order);
	page = mmbox_get_page_from_freelist(ac, gfp, order, flags);
	if (page)
		return page;

retry:
	/* Make sure that kswapd does not go to sleep while this loops. */
	if (flags & ALLOC_KSWAPD)
		wake_all_kswapds(ac, gfp, order);
	if (pfmemalloc_allowed(ac->box, gfp)) {
		flags = ALLOC_NO_WATERMARKS | (flags & ALLOC_KSWAPD);
		page = mmbox_get_page_from_freelist(ac, gfp, order, flags);
		if (page)
			return page;
	}
	/* A reclaimer must not reclaim again: that would recurse. */
	if (!can_reclaim || mmbox_is_reclaimer(ac->box))
		goto nopage;

	page = alloc_pages_direct_reclaim(ac, gfp, order, flags, &progress);
	if (page)
		return page;
	if (gfp & __GFP_NORETRY || (costly && !(gfp & __GFP_RETRY_MAYFAIL)))
		goto nopage;
	if (++rounds <= MAX_RECLAIM_RETRIES) {
		cond_resched();
		if (should_reclaim_retry(ac, order, flags, progress, &no_progress_loops) ||
		    progress)
			goto retry;
	}
	/* Another task may have freed enough meanwhile. */
	page = mmbox_get_page_from_freelist(ac, gfp, order, MMBOX_WMARK_HIGH);
	if (page)
		return page;

nopage:
	/* If the zonelists have changed meanwhile, a zone may have been missed. */
	if (read_seqcount_retry(&ac->box->pages.zonelist_seq, seq))
		goto restart;
	if (gfp & __GFP_NOFAIL && can_reclaim) {
		page = mmbox_get_page_from_freelist(ac, gfp, order, ALLOC_MIN_RESERVE);
		if (page)
			return page;
		schedule_timeout_uninterruptible(1);
		rounds = 0;
		goto retry;
	}
	ac->box->observer->alloc_failed(ac->box, gfp, order);
	return NULL;
}
