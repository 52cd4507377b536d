// SPDX-License-Identifier: GPL-2.0
/*
 * The page allocator of the box.
 *
 * A request goes to the zones of its node's zonelist, best first, as long as
 * a zone stays above its watermark. Small blocks come from and go to lists of
 * the CPU; those are filled from and emptied to the zone in batches, under
 * zone->lock. Larger ones go to the zone at once. What a zone does with free
 * blocks is behind buddy.h.
 *
 *	mmbox_alloc_pages_node()	the CPU's list of the first zone, no lock
 *	  alloc_pages_zonelist()	all zones, above low; refills lists
 *	    alloc_pages_slowpath()	wakes kswapd, down to min and below it by
 *					right, reclaims, tries again, or reports
 *
 * What fills and empties the lists of the CPUs is pagesets.c.
 *
 * The decisions (sizes of batches, watermarks, who may go below them) are those
 * of mm/page_alloc.c, Linux 6.1.
 */
#include <linux/bitops.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/rt.h>
#include <linux/string.h>

#include "pages/pages.h"
#include "pages/buddy.h"

#define MAX_RECLAIM_RETRIES	16

/* One request on its way through the zones. */
struct alloc_context {
	struct mmbox *box;
	struct mmbox_zonelist *zonelist;
	struct mmbox_zone *preferred;	/* the first zone that it may have */
	int highest;			/* enum mmbox_zone_type */
	int migratetype;
};

/* ---- what the flags of a request mean ---- */

/*
 * By the low five bits of a request: the highest zone it may have, and what
 * will be in the pages. Where a caller sets bits that exclude each other, the
 * lower zone holds, and movable.
 */
#define GFP_KIND_BITS	(___GFP_DMA | ___GFP_HIGHMEM | ___GFP_DMA32 | \
			 ___GFP_MOVABLE | ___GFP_RECLAIMABLE)

#define GFP_ZONE(f)	((f) & ___GFP_DMA ? MMBOX_ZONE_DMA :			\
			 (f) & ___GFP_DMA32 ? MMBOX_ZONE_DMA32 :		\
			 !(~(f) & (___GFP_HIGHMEM | ___GFP_MOVABLE)) ?		\
			 MMBOX_ZONE_MOVABLE : MMBOX_ZONE_NORMAL)
#define GFP_TYPE(f)	((f) & ___GFP_MOVABLE ? MMBOX_MIGRATE_MOVABLE :		\
			 (f) & ___GFP_RECLAIMABLE ? MMBOX_MIGRATE_RECLAIMABLE :	\
			 MMBOX_MIGRATE_UNMOVABLE)
#define GFP_KIND(f)	(GFP_ZONE(f) | GFP_TYPE(f) << 2)

static_assert(GFP_KIND_BITS == 0x1f);

static const u8 gfp_kinds[GFP_KIND_BITS + 1] = {
	GFP_KIND(0), GFP_KIND(1), GFP_KIND(2), GFP_KIND(3),
	GFP_KIND(4), GFP_KIND(5), GFP_KIND(6), GFP_KIND(7),
	GFP_KIND(8), GFP_KIND(9), GFP_KIND(10), GFP_KIND(11),
	GFP_KIND(12), GFP_KIND(13), GFP_KIND(14), GFP_KIND(15),
	GFP_KIND(16), GFP_KIND(17), GFP_KIND(18), GFP_KIND(19),
	GFP_KIND(20), GFP_KIND(21), GFP_KIND(22), GFP_KIND(23),
	GFP_KIND(24), GFP_KIND(25), GFP_KIND(26), GFP_KIND(27),
	GFP_KIND(28), GFP_KIND(29), GFP_KIND(30), GFP_KIND(31),
};

static __always_inline unsigned int gfp_kind(gfp_t gfp)
{
	return gfp_kinds[(__force unsigned int)gfp & GFP_KIND_BITS];
}

static __always_inline unsigned int kind_zone(unsigned int kind)
{
	return kind & 3;
}

static __always_inline unsigned int kind_type(const struct mmbox *box, unsigned int kind)
{
	return (kind >> 2) & box->pages.migratetype_mask;
}

/* ---- per-CPU lists ---- */

/*
 * Begin work on this CPU's lists. NULL if they are in use below an interrupt,
 * which we then are: go to the zone instead.
 */
static __always_inline struct mmbox_per_cpu_pages *
pcp_begin(const struct mmbox_zone *zone)
{
	struct mmbox_per_cpu_pages *pcp;

	preempt_disable();
	pcp = this_cpu_ptr(zone->per_cpu_pageset);
	if (unlikely(READ_ONCE(pcp->busy))) {
		preempt_enable();
		return NULL;
	}
	WRITE_ONCE(pcp->busy, 1);
	mmbox_cpu_barrier();
	return pcp;
}

static __always_inline void pcp_end(struct mmbox_per_cpu_pages *pcp)
{
	mmbox_cpu_barrier();
	WRITE_ONCE(pcp->busy, 0);
	mmbox_preempt_enable();
}

static __always_inline bool pcp_allowed_order(const struct mmbox *box, unsigned int order)
{
	if (order > MMBOX_COSTLY_ORDER)
		return box->cfg.pcp_thp && order == box->pages.pageblock_shift;
	return !mmbox_is_bitmap(box);
}

/* A list of order 3 or less, as one pointer: the compiler would make it two. */
static __always_inline struct list_head *pcp_list(struct mmbox_per_cpu_pages *pcp,
						  unsigned int order, unsigned int type)
{
	struct list_head *list = &pcp->lists[order * MMBOX_MIGRATE_PCPTYPES + type];

	OPTIMIZER_HIDE_VAR(list);
	return list;
}

/* Take the block at @entry off its list. */
static __always_inline struct mmbox_page *pcp_pop(struct mmbox_per_cpu_pages *pcp,
						  struct list_head *entry, unsigned int order)
{
	mmbox_raw_list_del(entry);
	pcp->count -= 1 << order;
	if (order < MMBOX_PCP_ORDERS)
		pcp->nr_alloc[order]++;
	else
		pcp->nr_alloc_thp++;
	return list_entry(entry, struct mmbox_page, pcp_list);
}

static noinline struct mmbox_page *rmqueue_pcplist(struct mmbox_zone *zone,
						   unsigned int order, int migratetype,
						   unsigned int flags)
{
	struct mmbox_per_cpu_pages *pcp = pcp_begin(zone);
	struct mmbox_page *page = NULL;
	struct list_head *list;

	if (unlikely(!pcp))
		return NULL;
	pcp->free_factor >>= 1;
	list = &pcp->lists[mmbox_order_to_pindex(order, migratetype)];
	if (likely(!list_empty(list)) ||
	    mmbox_rmqueue_bulk(zone, pcp, order, migratetype, flags))
		page = pcp_pop(pcp, list->next, order);
	pcp_end(pcp);
	return page;
}

/* ---- one zone ---- */

static noinline struct mmbox_page *rmqueue_buddy(struct mmbox_zone *zone,
						 unsigned int order, int migratetype,
						 unsigned int alloc_flags)
{
	struct mmbox_page *page;
	unsigned long flags;

	raw_spin_lock_irqsave(&zone->lock, flags);
	page = mmbox_buddy_rmqueue(zone, order, migratetype, alloc_flags);
	if (page) {
		/* Under the lock: who walks the zone sees a block that is taken. */
		page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_ALLOCATED, order);
		zone->nr_alloc[order]++;
		if (zone->box->nr_nodes > 1 &&
		    mmbox_numa_node_id(zone->box) != zone->zone_pgdat->node_id)
			zone->nr_numa_other++;
	}
	raw_spin_unlock_irqrestore(&zone->lock, flags);
	return page;
}

static struct mmbox_page *rmqueue(struct mmbox_zone *zone, unsigned int order,
				  int migratetype, unsigned int flags)
{
	struct mmbox_page *page = NULL;

	if (pcp_allowed_order(zone->box, order))
		page = rmqueue_pcplist(zone, order, migratetype, flags);
	if (!page)
		page = rmqueue_buddy(zone, order, migratetype, flags);
	/* A block of another type was taken: let kswapd make room for both. */
	if (unlikely(test_bit(MMBOX_ZONE_BOOSTED_WATERMARK, &zone->flags))) {
		clear_bit(MMBOX_ZONE_BOOSTED_WATERMARK, &zone->flags);
		mmbox_wakeup_kswapd(zone, 0, 0, mmbox_zone_idx(zone));
	}
	return page;
}

static bool zone_may_give(const struct mmbox_zone *zone, const struct alloc_context *ac,
			  gfp_t gfp, unsigned int order, unsigned int flags)
{
	enum mmbox_zone_watermarks wmark = flags & ALLOC_WMARK_MASK;
	long free = READ_ONCE(zone->nr_free_pages);

	if (mmbox_watermark_ok(zone, order, mmbox_wmark_pages(zone, wmark), ac->highest,
			       flags, free))
		return true;
	/* A boost is there to wake kswapd, not to refuse an atomic page. */
	return !order && zone->watermark_boost && mmbox_gfp_atomic(gfp) &&
	       wmark == MMBOX_WMARK_MIN &&
	       mmbox_watermark_ok(zone, order, zone->_watermark[MMBOX_WMARK_MIN],
				  ac->highest, flags, free);
}

/* ---- all zones ---- */

static struct mmbox_page *get_page_from_freelist(const struct alloc_context *ac, gfp_t gfp,
						 unsigned int order, unsigned int flags)
{
	const struct mmbox_pglist_data *local = ac->preferred->zone_pgdat;
	struct mmbox_zoneref *zref;
	struct mmbox_zone *zone;

retry:
	mmbox_for_each_zoneref(zone, zref, ac->zonelist, ac->highest) {
		struct mmbox_page *page;

		/* Near is worth more than unfragmented. */
		if (flags & ALLOC_NOFRAGMENT && zone->zone_pgdat != local)
			break;
		if (!(flags & ALLOC_NO_WATERMARKS) &&
		    !zone_may_give(zone, ac, gfp, order, flags))
			continue;
		page = rmqueue(zone, order, ac->migratetype, flags);
		if (!page)
			continue;
		if (unlikely(flags & ALLOC_HIGHATOMIC) && !mmbox_is_bitmap(ac->box))
			mmbox_reserve_highatomic(zone, page);
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

/*
 * The first pass keeps to blocks of the right type as long as ZONE_DMA32 can
 * stand in for ZONE_NORMAL. alloc_flags_nofragment(), Linux 6.1.
 */
static unsigned int alloc_flags_nofragment(const struct mmbox_zone *zone, gfp_t gfp)
{
	unsigned int flags = gfp & __GFP_KSWAPD_RECLAIM ? ALLOC_KSWAPD : 0;

	if (mmbox_zone_idx(zone) != MMBOX_ZONE_NORMAL)
		return flags;
	if (zone->box->nr_nodes > 1 && !mmbox_populated_zone(zone - 1))
		return flags;
	return flags | ALLOC_NOFRAGMENT;
}

/* ---- the slow path ---- */

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

/* Who may have all there is: who frees memory with it. */
static bool pfmemalloc_allowed(struct mmbox *box, gfp_t gfp)
{
	if (gfp & __GFP_NOMEMALLOC)
		return false;
	return gfp & __GFP_MEMALLOC || mmbox_is_reclaimer(box);
}

static void wake_all_kswapds(const struct alloc_context *ac, gfp_t gfp, unsigned int order)
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

static bool unreserve_highatomic(const struct alloc_context *ac, bool force)
{
	struct mmbox_zoneref *zref;
	struct mmbox_zone *zone;

	mmbox_for_each_zoneref(zone, zref, ac->zonelist, ac->highest)
		if (mmbox_unreserve_highatomic(zone, ac->migratetype, force))
			return true;
	return false;
}

static struct mmbox_page *alloc_pages_direct_reclaim(const struct alloc_context *ac,
						     gfp_t gfp, unsigned int order,
						     unsigned int flags,
						     unsigned long *progress)
{
	struct mmbox_page *page;

	*progress = mmbox_try_to_free_pages(ac->box, ac->zonelist, ac->highest, order, gfp);
	page = get_page_from_freelist(ac, gfp, order, flags);
	if (page)
		return page;
	/* What was freed may lie on lists of other CPUs, or in the reserve. */
	unreserve_highatomic(ac, false);
	mmbox_drain_all_pages(ac->box);
	return get_page_from_freelist(ac, gfp, order, flags);
}

/* Would there be enough for it above min, whatever the order of blocks is now? */
static bool should_reclaim_retry(const struct alloc_context *ac, unsigned int order,
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

/*
 * No zone had it above its low watermark. Wake kswapd, go down to min and, by
 * right, deeper; reclaim and try again as long as that leads anywhere. Where
 * Linux would kill a process, a box has none: the request fails, unless it must
 * not, and then waits for somebody to free something.
 */
static noinline struct mmbox_page *alloc_pages_slowpath(const struct alloc_context *ac,
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
	page = get_page_from_freelist(ac, gfp, order, flags);
	if (page)
		return page;

retry:
	/* It must not fall asleep while we go round. */
	if (flags & ALLOC_KSWAPD)
		wake_all_kswapds(ac, gfp, order);
	if (pfmemalloc_allowed(ac->box, gfp)) {
		flags = ALLOC_NO_WATERMARKS | (flags & ALLOC_KSWAPD);
		page = get_page_from_freelist(ac, gfp, order, flags);
		if (page)
			return page;
	}
	/* A reclaimer that reclaims would go round in circles. */
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
	/* Somebody else may just have filled the zones. */
	page = get_page_from_freelist(ac, gfp, order, MMBOX_WMARK_HIGH);
	if (page)
		return page;

nopage:
	/* A zone may have been missed while the lists were written. */
	if (read_seqcount_retry(&ac->box->pages.zonelist_seq, seq))
		goto restart;
	if (gfp & __GFP_NOFAIL && can_reclaim) {
		page = get_page_from_freelist(ac, gfp, order, ALLOC_MIN_RESERVE);
		if (page)
			return page;
		schedule_timeout_uninterruptible(1);
		rounds = 0;
		goto retry;
	}
	ac->box->observer->alloc_failed(ac->box, gfp, order);
	return NULL;
}

/* ---- requests ---- */

static noinline struct mmbox_page *zero_block(struct mmbox *box, struct mmbox_page *page,
					      unsigned int order)
{
	mmbox_clear_words(__mmbox_page_address(box, page), PAGE_SIZE << order);
	return page;
}

static bool alloc_context_init(struct alloc_context *ac, struct mmbox *box, int nid, gfp_t gfp)
{
	unsigned int kind = gfp_kind(gfp);
	struct mmbox_zoneref *zref;
	struct mmbox_zone *zone;

	if (nid == NUMA_NO_NODE)
		nid = mmbox_numa_node_id(box);
	else if ((unsigned int)nid >= box->nr_nodes)
		return false;
	ac->box = box;
	ac->highest = kind_zone(kind);
	ac->migratetype = kind_type(box, kind);
	ac->preferred = NULL;
	ac->zonelist = &mmbox_node_data(box, nid)->node_zonelists[gfp & __GFP_THISNODE ?
								  MMBOX_ZONELIST_NOFALLBACK :
								  MMBOX_ZONELIST_FALLBACK];
	mmbox_for_each_zoneref(zone, zref, ac->zonelist, ac->highest) {
		ac->preferred = zone;
		return true;
	}
	return false;
}

/* Whatever the fast path does not do. */
static noinline struct mmbox_page *alloc_pages_zonelist(struct mmbox *box, int nid, gfp_t gfp,
							unsigned int order,
							enum mmbox_page_type type)
{
	struct mmbox_page *page = NULL;
	struct alloc_context ac;

	if (unlikely(order >= box->pages.max_order) || !alloc_context_init(&ac, box, nid, gfp))
		return NULL;
	page = get_page_from_freelist(&ac, gfp, order, MMBOX_WMARK_LOW |
				      alloc_flags_nofragment(ac.preferred, gfp));
	if (unlikely(!page)) {
		page = alloc_pages_slowpath(&ac, gfp, order);
		if (!page)
			return NULL;
	}
	page->type_order = MMBOX_TYPE_ORDER(type, order);
	return gfp & __GFP_ZERO ? zero_block(box, page, order) : page;
}

/* The ends of the fast path, entered with preemption off. */
static noinline struct mmbox_page *alloc_pages_slow(struct mmbox *box, gfp_t gfp,
						    unsigned int order,
						    enum mmbox_page_type type)
{
	preempt_enable();
	return alloc_pages_zonelist(box, NUMA_NO_NODE, gfp, order, type);
}

static noinline struct mmbox_page *alloc_pages_zero(struct mmbox *box, struct mmbox_page *page,
						    unsigned int order)
{
	preempt_enable();
	return zero_block(box, page, order);
}

static noinline struct mmbox_page *alloc_pages_resched(struct mmbox_page *page)
{
	mmbox_resched();
	return page;
}

/*
 * What mmbox_watermark_ok() says for a request without rights. False also
 * where that takes a look at the lists; above the orders of per-CPU lists the
 * caller finds out whether there is a block.
 */
static __always_inline bool zone_above_low(const struct mmbox_zone *zone, unsigned int order,
					   int highest)
{
	/* data_race: whichever values these have, it is a guess, as in Linux. */
	long keep = data_race(zone->_watermark[MMBOX_WMARK_LOW] + zone->watermark_boost +
			      zone->lowmem_reserve[highest] + zone->nr_reserved_highatomic);
	/* data_race: as above */
	long free = data_race(zone->nr_free_pages);
	const struct mmbox_free_area *area;

	if (!order)
		return likely(free > keep);
	if (unlikely(free - ((1L << order) - 1) <= keep))
		return false;
	if (order > MMBOX_COSTLY_ORDER)
		return true;
	/* data_race: as above */
	if (unlikely(data_race(zone->nr_reserved_highatomic | zone->nr_isolate_pageblock)))
		return false;
	for (area = &zone->free_area[order]; area < zone->free_area + MMBOX_MAX_ORDERS; area++)
		if (mmbox_glance(area->nr_free))
			return true;
	return false;
}

/*
 * From this CPU's list for the first zone, if that is above its low watermark
 * and the list is not empty. All else is a tail call, so that this needs no
 * stack frame.
 */
static __always_inline struct mmbox_page *
__mmbox_alloc_pages(struct mmbox *box, int nid, gfp_t gfp, unsigned int order,
		    enum mmbox_page_type type)
{
	unsigned int kind = gfp_kind(gfp);
	struct mmbox_per_cpu_pages *pcp;
	struct mmbox_zone *zone;
	struct mmbox_page *page;
	struct list_head *list, *entry;

	if (unlikely(order > MMBOX_COSTLY_ORDER || nid != NUMA_NO_NODE ||
		     gfp & __GFP_THISNODE))
		return alloc_pages_zonelist(box, nid, gfp, order, type);

	preempt_disable();
	/* Once, as it may change, and the lists must be those of this zone. */
	zone = READ_ONCE(this_cpu_ptr(box->pages.cpu)->first[kind_zone(kind)]);
	pcp = this_cpu_ptr(zone->per_cpu_pageset);
	if (unlikely(READ_ONCE(pcp->busy)))
		return alloc_pages_slow(box, gfp, order, type);
	WRITE_ONCE(pcp->busy, 1);
	mmbox_cpu_barrier();
	list = pcp_list(pcp, order, kind_type(box, kind));
	entry = list->next;
	if (unlikely(!zone_above_low(zone, order, kind_zone(kind)) || entry == list)) {
		WRITE_ONCE(pcp->busy, 0);
		return alloc_pages_slow(box, gfp, order, type);
	}
	pcp->free_factor >>= 1;
	page = pcp_pop(pcp, entry, order);
	mmbox_cpu_barrier();
	WRITE_ONCE(pcp->busy, 0);
	page->type_order = MMBOX_TYPE_ORDER(type, order);
	if (unlikely(gfp & __GFP_ZERO))
		return alloc_pages_zero(box, page, order);
	if (unlikely(mmbox_preempt_enable_test()))
		return alloc_pages_resched(page);
	return page;
}

/*
 * From the lists of the first zone, if that is above its low watermark and has a
 * block of the right type. All else is a tail call here as well.
 */
static noinline struct mmbox_page *alloc_pages_direct(struct mmbox *box, int nid, gfp_t gfp,
						      unsigned int order,
						      enum mmbox_page_type type)
{
	unsigned int kind = gfp_kind(gfp);
	const struct mmbox_cpu *cpu;
	struct mmbox_zone *zone;
	struct mmbox_page *page;

	if (unlikely(order >= box->pages.direct_orders || nid != NUMA_NO_NODE ||
		     gfp & __GFP_THISNODE))
		return alloc_pages_zonelist(box, nid, gfp, order, type);
	/* Whichever CPU this runs on in the end, its zone is as good. */
	cpu = raw_cpu_ptr(box->pages.cpu);
	zone = READ_ONCE(cpu->first[kind_zone(kind)]);
	if (unlikely(!zone_above_low(zone, order, kind_zone(kind)) ||
		     zone->zone_pgdat->node_id != cpu->nid))
		return alloc_pages_zonelist(box, nid, gfp, order, type);

	page = mmbox_list_rmqueue_direct(zone, order, kind_type(box, kind));
	if (unlikely(!page))
		return alloc_pages_zonelist(box, nid, gfp, order, type);
	page->type_order = MMBOX_TYPE_ORDER(type, order);
	return unlikely(gfp & __GFP_ZERO) ? zero_block(box, page, order) : page;
}

/* Apart from order 0, most of whose arithmetic is done by the compiler. */
static noinline struct mmbox_page *alloc_pages_order(struct mmbox *box, int nid, gfp_t gfp,
						     unsigned int order,
						     enum mmbox_page_type type)
{
	if (order > MMBOX_COSTLY_ORDER)
		return alloc_pages_direct(box, nid, gfp, order, type);
	return __mmbox_alloc_pages(box, nid, gfp, order, type);
}

/**
 * mmbox_alloc_pages_node() - allocate 2^order pages of a node
 * @box: the box
 * @nid: node to begin with, or NUMA_NO_NODE for that of this CPU
 * @gfp: GFP flags; __GFP_DMA and __GFP_DMA32 keep to those zones and below,
 *	__GFP_HIGHMEM with __GFP_MOVABLE may use ZONE_MOVABLE too, __GFP_THISNODE
 *	keeps to @nid, __GFP_ZERO clears; the others as <linux/gfp_types.h> says
 * @order: power of two of pages, below the box's orders=
 *
 * Context: any but NMI; may sleep only with __GFP_DIRECT_RECLAIM.
 * Return: the first page's descriptor, or NULL if there is no such block above
 * the watermark, or no such node or order.
 */
struct mmbox_page *mmbox_alloc_pages_node(struct mmbox *box, int nid, gfp_t gfp,
					  unsigned int order)
{
	mmbox_might_alloc(gfp);
	if (likely(!order))
		return __mmbox_alloc_pages(box, nid, gfp, 0, MMBOX_PAGE_ALLOCATED);
	return alloc_pages_order(box, nid, gfp, order, MMBOX_PAGE_ALLOCATED);
}
EXPORT_SYMBOL_GPL(mmbox_alloc_pages_node);

/**
 * mmbox_alloc_pages_interleave() - allocate 2^order pages of each node in turn
 * @box: the box
 * @gfp: GFP flags
 * @order: power of two of pages
 *
 * Context: as mmbox_alloc_pages_node().
 * Return: as mmbox_alloc_pages_node().
 */
struct mmbox_page *mmbox_alloc_pages_interleave(struct mmbox *box, gfp_t gfp,
						unsigned int order)
{
	int nid = (unsigned int)atomic_inc_return(&box->pages.il_next) % box->nr_nodes;
	struct mmbox_page *page = mmbox_alloc_pages_node(box, nid, gfp, order);

	if (page && page->node_id == nid)
		atomic_long_inc(&mmbox_page_zone(box, page)->nr_numa_interleave);
	return page;
}
EXPORT_SYMBOL_GPL(mmbox_alloc_pages_interleave);

/**
 * mmbox_alloc_typed() - allocate pages for another layer of the box
 * @box: the box
 * @nid: node to begin with, or NUMA_NO_NODE
 * @gfp: GFP flags
 * @order: power of two of pages
 * @type: what the descriptor of the first page shall say
 *
 * Context: as mmbox_alloc_pages_node().
 * Return: as mmbox_alloc_pages_node().
 */
struct mmbox_page *mmbox_alloc_typed(struct mmbox *box, int nid, gfp_t gfp,
				     unsigned int order, enum mmbox_page_type type)
{
	mmbox_might_alloc(gfp);
	if (likely(!order))
		return __mmbox_alloc_pages(box, nid, gfp, 0, type);
	return alloc_pages_order(box, nid, gfp, order, type);
}

/* ---- free ---- */

static void free_one_page(struct mmbox_zone *zone, struct mmbox_page *page,
			  unsigned int order, int migratetype)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&zone->lock, flags);
	mmbox_buddy_free(zone, page, order, migratetype, false);
	raw_spin_unlock_irqrestore(&zone->lock, flags);
}

/* Put a block on this CPU's list, and look whether there are too many now. */
static __always_inline bool pcp_push(struct mmbox_per_cpu_pages *pcp, struct mmbox_page *page,
				     unsigned int order, struct list_head *list,
				     unsigned int migratetype)
{
	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_PCP, order);
	page->migratetype = migratetype;
	mmbox_raw_list_add(&page->pcp_list, list);
	pcp->count += 1 << order;
	return unlikely(pcp->count >= READ_ONCE(pcp->high) || (order && pcp->free_factor));
}

/* Whatever the fast path does not do. */
static noinline void free_pages_zone(struct mmbox *box, struct mmbox_page *page,
				     unsigned int order)
{
	unsigned long pfn = __mmbox_page_to_pfn(box, page);
	struct mmbox_zone *zone = mmbox_page_zone(box, page);
	struct mmbox_per_cpu_pages *pcp = NULL;
	unsigned int pindex, migratetype;

	if (pcp_allowed_order(box, order))
		pcp = pcp_begin(zone);
	if (!pcp)
		return free_one_page(zone, page, order, mmbox_pageblock_type(box, pfn));
	/*
	 * With preemption off: who isolates a pageblock drains the lists afterwards,
	 * by a work item that cannot run here before the page is on its list.
	 */
	migratetype = mmbox_pageblock_type(box, pfn);
	if (migratetype == MMBOX_MIGRATE_ISOLATE) {
		pcp_end(pcp);
		return free_one_page(zone, page, order, migratetype);
	}
	/* A page of the reserve may be used on its way back. */
	pindex = mmbox_order_to_pindex(order, migratetype < MMBOX_MIGRATE_PCPTYPES ?
				       migratetype : MMBOX_MIGRATE_MOVABLE);
	if (pcp_push(pcp, page, order, &pcp->lists[pindex], migratetype))
		mmbox_pcp_trim(zone, pcp, order, pindex);
	pcp_end(pcp);
}

/* The ends of the fast path, entered with preemption off. */
static noinline void free_pages_slow(struct mmbox *box, struct mmbox_page *page,
				     unsigned int order)
{
	preempt_enable();
	free_pages_zone(box, page, order);
}

static noinline void free_pages_trim(struct mmbox_per_cpu_pages *pcp,
				     struct mmbox_zone *zone, unsigned int order,
				     unsigned int migratetype)
{
	mmbox_pcp_trim(zone, pcp, order, mmbox_order_to_pindex(order, migratetype));
	pcp_end(pcp);
}

static __always_inline void free_pages_ok(struct mmbox *box, struct mmbox_page *page,
					  unsigned long pfn, unsigned int order)
{
	struct mmbox_per_cpu_pages *pcp;
	unsigned int migratetype;

	if (unlikely(order > MMBOX_COSTLY_ORDER)) {
		if (unlikely(order >= box->pages.direct_orders))
			return free_pages_zone(box, page, order);
		return mmbox_list_free_direct(mmbox_page_zone(box, page), page, order,
					      mmbox_pageblock_type(box, pfn));
	}
	preempt_disable();
	pcp = mmbox_cpu_pcp(this_cpu_ptr(box->pages.cpu),
			    page->zone_link);
	/* With preemption off: see free_pages_zone(). */
	migratetype = mmbox_pageblock_type(box, pfn);
	if (unlikely(READ_ONCE(pcp->busy) || migratetype >= MMBOX_MIGRATE_PCPTYPES))
		return free_pages_slow(box, page, order);
	WRITE_ONCE(pcp->busy, 1);
	mmbox_cpu_barrier();
	if (unlikely(pcp_push(pcp, page, order, pcp_list(pcp, order, migratetype),
			      migratetype)))
		return free_pages_trim(pcp, mmbox_page_zone(box, page), order, migratetype);
	pcp_end(pcp);
}

/* A descriptor of the box that heads an allocated block of this order? */
static __always_inline bool page_is_allocated(const struct mmbox *box,
					      const struct mmbox_page *page,
					      unsigned int order)
{
	unsigned long offset = (unsigned long)page - (unsigned long)box->memmap.map;

	return offset < box->memmap.map_size && offset % sizeof(*page) == 0 &&
	       page->type_order == MMBOX_TYPE_ORDER(MMBOX_PAGE_ALLOCATED, order);
}

/**
 * mmbox_page_is_allocated() - may this be freed with this order?
 * @box: the box
 * @page: anything
 * @order: power of two of pages
 *
 * Context: any.
 * Return: true if it is the first page of a block that was allocated so.
 */
bool mmbox_page_is_allocated(const struct mmbox *box, const struct mmbox_page *page,
			     unsigned int order)
{
	if (page_is_allocated(box, page, order))
		return true;
	return !box->memmap.map && mmbox_page_valid(box, page) &&
	       page->type_order == MMBOX_TYPE_ORDER(MMBOX_PAGE_ALLOCATED, order);
}

/**
 * mmbox_refuse_page() - count and report pages that are not allocated so
 * @box: the box
 * @page: what was passed
 * @order: with which order
 *
 * Context: any, no lock of the box held.
 */
noinline void mmbox_refuse_page(struct mmbox *box, struct mmbox_page *page,
				unsigned int order)
{
	enum mmbox_bad why = MMBOX_BAD_PAGE;

	if (!mmbox_page_valid(box, page))
		why = MMBOX_BAD_FOREIGN;
	else if (page->type == MMBOX_PAGE_ALLOCATED)
		why = MMBOX_BAD_ORDER;
	else if (page->type == MMBOX_PAGE_BUDDY || page->type == MMBOX_PAGE_PCP)
		why = MMBOX_BAD_DOUBLE;
	box->observer->bad_page(box, why, page, order);
}

/* Not a page as it should be, or the descriptors are not one array. */
static noinline void free_pages_checked(struct mmbox *box, struct mmbox_page *page,
					unsigned int order)
{
	if (!mmbox_page_is_allocated(box, page, order))
		return mmbox_refuse_page(box, page, order);
	free_pages_ok(box, page, __mmbox_page_to_pfn(box, page), order);
}

static noinline void free_pages_order(struct mmbox *box, struct mmbox_page *page,
				      unsigned int order)
{
	if (unlikely(!page_is_allocated(box, page, order)))
		return free_pages_checked(box, page, order);
	free_pages_ok(box, page, mmbox_linear_page_to_pfn(box, page), order);
}

/**
 * __mmbox_free_pages() - free pages, by descriptor
 * @box: the box they were allocated from
 * @page: what mmbox_alloc_pages() returned
 * @order: the order it was called with
 *
 * Anything but the first page of a block that is allocated with this order is
 * refused, counted and reported.
 *
 * Context: any but NMI, any CPU; never sleeps.
 */
void __mmbox_free_pages(struct mmbox *box, struct mmbox_page *page,
			unsigned int order)
{
	if (order)
		return free_pages_order(box, page, order);
	if (unlikely(!page_is_allocated(box, page, 0)))
		return free_pages_checked(box, page, 0);
	free_pages_ok(box, page, mmbox_linear_page_to_pfn(box, page), 0);
}
EXPORT_SYMBOL_GPL(__mmbox_free_pages);

/**
 * mmbox_free_typed() - free what mmbox_alloc_typed() returned
 * @box: the box
 * @page: descriptor of the first page, known to be right
 * @order: power of two of pages
 *
 * Context: any but NMI, any CPU; never sleeps.
 */
void mmbox_free_typed(struct mmbox *box, struct mmbox_page *page,
		      unsigned int order)
{
	free_pages_ok(box, page, __mmbox_page_to_pfn(box, page), order);
}

/**
 * __mmbox_get_free_pages() - allocate pages, by address
 * @box: the box
 * @gfp: GFP flags
 * @order: power of two of pages
 *
 * Context: as mmbox_alloc_pages_node().
 * Return: kernel address of the first byte, or 0.
 */
unsigned long __mmbox_get_free_pages(struct mmbox *box, gfp_t gfp,
				     unsigned int order)
{
	struct mmbox_page *page = mmbox_alloc_pages(box, gfp, order);

	return page ? (unsigned long)__mmbox_page_address(box, page) : 0;
}
EXPORT_SYMBOL_GPL(__mmbox_get_free_pages);

/**
 * mmbox_free_pages() - free pages, by address
 * @box: the box they were allocated from
 * @addr: what __mmbox_get_free_pages() returned; 0 is ignored
 * @order: the order it was called with
 *
 * Context: any but NMI, any CPU; never sleeps.
 */
void mmbox_free_pages(struct mmbox *box, unsigned long addr, unsigned int order)
{
	struct mmbox_page *page;

	if (!addr)
		return;
	page = mmbox_virt_to_page(box, (void *)addr);
	if (unlikely(!page || addr & ~PAGE_MASK))
		return box->observer->bad_object(box, MMBOX_BAD_FOREIGN, NULL,
					       (void *)addr);
	__mmbox_free_pages(box, page, order);
}
EXPORT_SYMBOL_GPL(mmbox_free_pages);

/**
 * mmbox_free_pages_core() - give memory to the buddy allocator
 * @box: the box
 * @page: descriptor of the first page of an aligned block
 * @order: power of two of pages
 *
 * Blocks go to the tail of their list, so that memory handed over in ascending
 * order is handed out in ascending order.
 *
 * Context: process; memory_lock held.
 */
void mmbox_free_pages_core(struct mmbox *box, struct mmbox_page *page,
			   unsigned int order)
{
	struct mmbox_zone *zone = mmbox_page_zone(box, page);
	unsigned long flags, i;

	lockdep_assert_held(&box->pages.memory_lock);
	raw_spin_lock_irqsave(&zone->lock, flags);
	for (i = 0; i < 1UL << order; i++)
		page[i].type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_TAIL, 0);
	WRITE_ONCE(zone->managed_pages, zone->managed_pages + (1UL << order));
	mmbox_buddy_free(zone, page, order,
			 mmbox_pageblock_type(box, __mmbox_page_to_pfn(box, page)), true);
	raw_spin_unlock_irqrestore(&zone->lock, flags);
}

/**
 * mmbox_free_to_tail() - free a page past the per-CPU lists
 * @box: the box
 * @page: an allocated page of order 0
 *
 * To the end of its list, where it is handed out last.
 *
 * Context: any but NMI; never sleeps.
 */
void mmbox_free_to_tail(struct mmbox *box, struct mmbox_page *page)
{
	struct mmbox_zone *zone = mmbox_page_zone(box, page);
	unsigned long pfn = __mmbox_page_to_pfn(box, page), flags;

	raw_spin_lock_irqsave(&zone->lock, flags);
	mmbox_buddy_free(zone, page, 0, mmbox_pageblock_type(box, pfn), true);
	raw_spin_unlock_irqrestore(&zone->lock, flags);
}

/* ---- many pages at once ---- */

/* The first zone of the node that stays above low by @nr pages, or NULL. */
static struct mmbox_zone *bulk_zone(const struct alloc_context *ac, gfp_t gfp, unsigned long nr)
{
	struct mmbox_zoneref *zref;
	struct mmbox_zone *zone;

	mmbox_for_each_zoneref(zone, zref, ac->zonelist, ac->highest) {
		unsigned long mark = mmbox_wmark_pages(zone, MMBOX_WMARK_LOW) + nr;

		if (zone->zone_pgdat != ac->preferred->zone_pgdat)
			break;
		if (mmbox_watermark_ok(zone, 0, mark, mmbox_zone_idx(ac->preferred), 0,
				       READ_ONCE(zone->nr_free_pages)))
			return zone;
	}
	return NULL;
}

/* Fill what is NULL in @page_array from this CPU's list. Returns how many it filled. */
static unsigned long bulk_from_pcp(const struct alloc_context *ac, struct mmbox_zone *zone,
				   gfp_t gfp, unsigned long nr,
				   struct mmbox_page **page_array)
{
	struct mmbox_per_cpu_pages *pcp = pcp_begin(zone);
	struct list_head *list;
	unsigned long i, got = 0;

	if (!pcp)
		return 0;
	list = &pcp->lists[mmbox_order_to_pindex(0, ac->migratetype)];
	for (i = 0; i < nr; i++) {
		if (page_array[i])
			continue;
		if (list_empty(list) &&
		    !mmbox_rmqueue_bulk(zone, pcp, 0, ac->migratetype, 0))
			break;
		page_array[i] = pcp_pop(pcp, list->next, 0);
		page_array[i]->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_ALLOCATED, 0);
		if (gfp & __GFP_ZERO)
			zero_block(ac->box, page_array[i], 0);
		got++;
	}
	pcp_end(pcp);
	return got;
}

/**
 * mmbox_alloc_pages_bulk_array_node() - allocate many pages of order 0
 * @box: the box
 * @gfp: GFP flags
 * @nid: node to begin with, or NUMA_NO_NODE for that of this CPU
 * @nr_pages: length of @page_array
 * @page_array: pages go where it is NULL; what is there already counts
 *
 * As many as the zone has above its low watermark, and one at least if there is
 * any at all: call again for more.
 *
 * Context: as mmbox_alloc_pages_node().
 * Return: how many of the array are filled, from its begin.
 */
unsigned long mmbox_alloc_pages_bulk_array_node(struct mmbox *box, gfp_t gfp, int nid,
						unsigned long nr_pages,
						struct mmbox_page **page_array)
{
	unsigned long first = 0, i, got = 0;
	struct mmbox_zone *zone = NULL;
	struct alloc_context ac;

	mmbox_might_alloc(gfp);
	while (first < nr_pages && page_array[first])
		first++;
	if (first == nr_pages || !alloc_context_init(&ac, box, nid, gfp))
		return first;
	if (nr_pages - first > 1 && !mmbox_is_bitmap(box))
		zone = bulk_zone(&ac, gfp, nr_pages);
	if (zone)
		got = bulk_from_pcp(&ac, zone, gfp, nr_pages - first, page_array + first);
	if (!got)
		page_array[first] = mmbox_alloc_pages_node(box, nid, gfp, 0);

	for (i = first; i < nr_pages && page_array[i]; i++)
		;
	return i;
}
EXPORT_SYMBOL_GPL(mmbox_alloc_pages_bulk_array_node);
