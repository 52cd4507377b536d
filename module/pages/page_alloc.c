// SPDX-License-Identifier: GPL-2.0
/*
 * Allocating pages: the API, and the fast path.
 *
 * A request goes to the zones of its node's zonelist, best first, and takes from the first
 * that stays above its watermark. Small blocks come from lists of the CPU, which are
 * filled from the zone in batches. Larger ones come from the zone at once. How a zone
 * keeps its free blocks is behind buddy.h.
 *
 *	mmbox_alloc_pages_node()		the CPU's list of the first zone, no lock
 *	  mmbox_get_page_from_freelist()	page_freelist.c: all zones, above low
 *	  mmbox_alloc_pages_slowpath()		page_slowpath.c: kswapd, reserves, reclaim
 *
 * page_free.c frees; pagesets.c fills and empties the lists of CPUs.
 *
 * The decisions (sizes of batches, watermarks, which requests may go below them) are
 * those of mm/page_alloc.c, Linux 6.1.
 */
#include <linux/preempt.h>

#include "pages/page_alloc.h"
#include "pages/pcp.h"

/* ---- GFP flags ---- */

/*
 * The low five bits of the GFP flags determine the highest zone that a request may use
 * and its migrate type. If a caller sets bits that exclude each other, the lower zone
 * wins, and movable wins.
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

/* ---- requests ---- */

/*
 * In ZONE_NORMAL, first try not to mix migrate types (ALLOC_NOFRAGMENT), because
 * ZONE_DMA32 may serve the request instead. alloc_flags_nofragment(), Linux 6.1.
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

static noinline struct mmbox_page *zero_block(struct mmbox *box, struct mmbox_page *page,
					      unsigned int order)
{
	mmbox_clear_words(__mmbox_page_address(box, page), PAGE_SIZE << order);
	return page;
}

static bool alloc_context_init(struct mmbox_alloc_context *ac, struct mmbox *box, int nid,
			       gfp_t gfp)
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

/* Handle all requests that the fast path does not. */
static noinline struct mmbox_page *alloc_pages_zonelist(struct mmbox *box, int nid, gfp_t gfp,
							unsigned int order,
							enum mmbox_page_type type)
{
	struct mmbox_page *page = NULL;
	struct mmbox_alloc_context ac;

	if (unlikely(order >= box->pages.max_order) || !alloc_context_init(&ac, box, nid, gfp))
		return NULL;
	page = mmbox_get_page_from_freelist(&ac, gfp, order, MMBOX_WMARK_LOW |
				      alloc_flags_nofragment(ac.preferred, gfp));
	if (unlikely(!page)) {
		page = mmbox_alloc_pages_slowpath(&ac, gfp, order);
		if (!page)
			return NULL;
	}
	page->type_order = MMBOX_TYPE_ORDER(type, order);
	return gfp & __GFP_ZERO ? zero_block(box, page, order) : page;
}

/* The fast path ends in these calls. They are entered with preemption off. */
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
 * Has the zone enough free pages for a request that may not use reserves? This is
 * mmbox_watermark_ok() for the low watermark, without the search for a large enough block.
 */
static __always_inline bool zone_has_pages(const struct mmbox_zone *zone, unsigned int order,
					   int highest)
{
	/* data_race: an estimate in any case, as in Linux */
	long keep = data_race(zone->_watermark[MMBOX_WMARK_LOW] + zone->watermark_boost +
			      zone->lowmem_reserve[highest] + zone->nr_reserved_highatomic);
	/* data_race: as above */
	long free = data_race(zone->nr_free_pages);

	return likely(free - ((1L << order) - 1) > keep);
}

/* As zone_has_pages(), with that search. Also false if the search would take long. */
static __always_inline bool zone_above_low(const struct mmbox_zone *zone, unsigned int order,
					   int highest)
{
	const struct mmbox_free_area *area;

	if (!zone_has_pages(zone, order, highest))
		return false;
	if (!order)
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
 * Allocate from this CPU's list for the first zone, if that zone is above its low
 * watermark and the list is not empty. All else is done by tail calls, so that this
 * needs no stack frame.
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
	/* Read it once: it may change, and the lists must be those of the zone tested. */
	zone = READ_ONCE(this_cpu_ptr(box->pages.cpu)->first[kind_zone(kind)]);
	pcp = this_cpu_ptr(zone->per_cpu_pageset);
	if (unlikely(!mmbox_pcp_enter(pcp)))
		return alloc_pages_slow(box, gfp, order, type);
	list = mmbox_pcp_list(pcp, order, kind_type(box, kind));
	entry = list->next;
	if (unlikely(!zone_above_low(zone, order, kind_zone(kind)) || entry == list)) {
		mmbox_pcp_leave(pcp);
		return alloc_pages_slow(box, gfp, order, type);
	}
	pcp->free_factor >>= 1;
	page = mmbox_pcp_pop(pcp, entry, order);
	mmbox_pcp_leave(pcp);
	page->type_order = MMBOX_TYPE_ORDER(type, order);
	if (unlikely(gfp & __GFP_ZERO))
		return alloc_pages_zero(box, page, order);
	if (unlikely(mmbox_preempt_enable_test()))
		return alloc_pages_resched(page);
	return page;
}

/*
 * Allocate an order without per-CPU lists, in the list generation: take a block of the right
 * type from the first zone, if that is above its low watermark. All else is done by tail
 * calls.
 */
static noinline struct mmbox_page *alloc_pages_large(struct mmbox *box, int nid, gfp_t gfp,
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
	/* The task may migrate after this: the first zone of any CPU will do. */
	cpu = raw_cpu_ptr(box->pages.cpu);
	zone = READ_ONCE(cpu->first[kind_zone(kind)]);
	if (unlikely(!zone_has_pages(zone, order, kind_zone(kind)) ||
		     zone->zone_pgdat->node_id != cpu->nid))
		return alloc_pages_zonelist(box, nid, gfp, order, type);

	page = mmbox_list_alloc(zone, order, kind_type(box, kind), ALLOC_OWN_TYPE);
	if (unlikely(!page))
		return alloc_pages_zonelist(box, nid, gfp, order, type);
	page->type_order = MMBOX_TYPE_ORDER(type, order);
	return unlikely(gfp & __GFP_ZERO) ? zero_block(box, page, order) : page;
}

/* Orders above 0. For order 0 the compiler computes most of the arithmetic in advance. */
static noinline struct mmbox_page *alloc_pages_order(struct mmbox *box, int nid, gfp_t gfp,
						     unsigned int order,
						     enum mmbox_page_type type)
{
	if (order > MMBOX_COSTLY_ORDER)
		return alloc_pages_large(box, nid, gfp, order, type);
	return __mmbox_alloc_pages(box, nid, gfp, order, type);
}

/**
 * mmbox_alloc_pages_node() - allocate 2^order pages of a node
 * @box: the box
 * @nid: preferred node, or NUMA_NO_NODE for that of this CPU
 * @gfp: GFP flags. __GFP_DMA and __GFP_DMA32 allow only those zones and lower ones,
 *	__GFP_HIGHMEM with __GFP_MOVABLE allows ZONE_MOVABLE too, __GFP_THISNODE
 *	allows only @nid, __GFP_ZERO zeroes the pages; others as in <linux/gfp_types.h>
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
 * @nid: preferred node, or NUMA_NO_NODE
 * @gfp: GFP flags
 * @order: power of two of pages
 * @type: type to store in the first page's descriptor
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

/* ---- many pages at once ---- */

/* Find the first zone of the node that has @nr pages above its low watermark, or NULL. */
static struct mmbox_zone *bulk_zone(const struct mmbox_alloc_context *ac, gfp_t gfp,
				    unsigned long nr)
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

/* Fill entries of @page_array that are NULL from this CPU's list. Returns how many. */
static unsigned long bulk_from_pcp(const struct mmbox_alloc_context *ac, struct mmbox_zone *zone,
				   gfp_t gfp, unsigned long nr,
				   struct mmbox_page **page_array)
{
	struct mmbox_per_cpu_pages *pcp = mmbox_pcp_begin(zone);
	struct list_head *list;
	unsigned long i, got = 0;

	if (!pcp)
		return 0;
	list = &pcp->lists[mmbox_order_to_pindex(0, ac->migratetype)];
	for (i = 0; i < nr; i++) {
		if (page_array[i])
			continue;
		if (list_empty(list) &&
		    !mmbox_pcp_refill(zone, pcp, 0, ac->migratetype, 0))
			break;
		page_array[i] = mmbox_pcp_pop(pcp, list->next, 0);
		page_array[i]->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_ALLOCATED, 0);
		if (gfp & __GFP_ZERO)
			zero_block(ac->box, page_array[i], 0);
		got++;
	}
	mmbox_pcp_end(pcp);
	return got;
}

/**
 * mmbox_alloc_pages_bulk_array_node() - allocate many pages of order 0
 * @box: the box
 * @gfp: GFP flags
 * @nid: preferred node, or NUMA_NO_NODE for that of this CPU
 * @nr_pages: length of @page_array
 * @page_array: entries that are NULL get a page, all others stay
 *
 * If a zone of the node has @nr_pages above its low watermark, this fills the array from
 * that zone, else it allocates one page. It may fill fewer entries than asked for: call
 * it again for the rest.
 *
 * Context: as mmbox_alloc_pages_node().
 * Return: number of entries before the first that is still NULL.
 */
unsigned long mmbox_alloc_pages_bulk_array_node(struct mmbox *box, gfp_t gfp, int nid,
						unsigned long nr_pages,
						struct mmbox_page **page_array)
{
	unsigned long first = 0, i, got = 0;
	struct mmbox_zone *zone = NULL;
	struct mmbox_alloc_context ac;

	mmbox_might_alloc(gfp);
	while (first < nr_pages && page_array[first])
		first++;
	if (first == nr_pages || !alloc_context_init(&ac, box, nid, gfp))
		return first;
	if (nr_pages - first > 1 && box->pages.design->per_cpu_lists)
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
