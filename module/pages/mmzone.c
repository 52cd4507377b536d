// SPDX-License-Identifier: GPL-2.0
/*
 * Zones: where they lie, and in which order requests use them.
 *
 * Parameters set the limits of the zones. ZONE_MOVABLE takes the end of the highest
 * other zone. A node's zonelist names the zones that a request on that node may use,
 * best first. The rules are those of mm/page_alloc.c, Linux 6.1.
 */
#include <linux/kernel.h>
#include <linux/math.h>
#include <linux/minmax.h>

#include "pages/pages.h"

const char *const mmbox_zone_names[MMBOX_MAX_NR_ZONES] = {
	[MMBOX_ZONE_DMA]	= "DMA",
	[MMBOX_ZONE_DMA32]	= "DMA32",
	[MMBOX_ZONE_NORMAL]	= "Normal",
	[MMBOX_ZONE_MOVABLE]	= "Movable",
};

static mmbox_pg_data_t *next_pgdat(struct mmbox *box, int nid)
{
	for (; nid < MMBOX_MAX_NUMNODES; nid++)
		if (box->node[nid])
			return box->node[nid];
	return NULL;
}

/**
 * mmbox_first_zone() - first zone for mmbox_for_each_zone()
 * @box: the box
 *
 * Context: any.
 * Return: the lowest zone of the first node, or NULL without nodes.
 */
struct mmbox_zone *mmbox_first_zone(struct mmbox *box)
{
	mmbox_pg_data_t *pgdat = next_pgdat(box, 0);

	return pgdat ? pgdat->node_zones : NULL;
}
MMBOX_EXPORT_INTERNAL(mmbox_first_zone);

/**
 * mmbox_next_zone() - next zone for mmbox_for_each_zone()
 * @zone: a zone
 *
 * Context: any.
 * Return: the next zone of the node, else the lowest zone of the next node, else NULL.
 */
struct mmbox_zone *mmbox_next_zone(struct mmbox_zone *zone)
{
	mmbox_pg_data_t *pgdat = zone->zone_pgdat;

	if (mmbox_zone_idx(zone) < MMBOX_MAX_NR_ZONES - 1)
		return zone + 1;
	pgdat = next_pgdat(zone->box, pgdat->node_id + 1);
	return pgdat ? pgdat->node_zones : NULL;
}
MMBOX_EXPORT_INTERNAL(mmbox_next_zone);

/* ---- where zones lie ---- */

/* Limits of a zone below ZONE_MOVABLE, over all nodes, as if there were no ZONE_MOVABLE. */
static void zone_limits(const struct mmbox *box, int idx, unsigned long *low,
			unsigned long *high)
{
	unsigned long dma = min(PHYS_PFN(box->cfg.zone_dma), box->memmap.max_pfn);
	unsigned long dma32 = clamp(PHYS_PFN(box->cfg.zone_dma32), dma, box->memmap.max_pfn);
	const unsigned long ends[MMBOX_ZONE_NORMAL + 1] = {
		[MMBOX_ZONE_DMA]	= dma,
		[MMBOX_ZONE_DMA32]	= dma32,
		[MMBOX_ZONE_NORMAL]	= box->memmap.max_pfn,
	};

	*low = idx ? ends[idx - 1] : 0;
	*high = ends[idx];
}

/**
 * mmbox_kernel_zone_idx() - find the zone below ZONE_MOVABLE for a range of page frames
 * @box: the box
 * @start_pfn: first page frame
 * @end_pfn: first page frame beyond
 *
 * The zone is chosen by address, so that ZONE_DMA has no page above its limit.
 *
 * Context: any.
 * Return: enum mmbox_zone_type: the lowest zone whose limit the range does not exceed.
 */
int mmbox_kernel_zone_idx(const struct mmbox *box, unsigned long start_pfn,
			  unsigned long end_pfn)
{
	unsigned long low, high;
	int idx;

	for (idx = 0; idx < MMBOX_ZONE_NORMAL; idx++) {
		zone_limits(box, idx, &low, &high);
		if (start_pfn < high && end_pfn <= high)
			break;
	}
	return idx;
}

/* Find the highest zone below the end of boot memory. ZONE_MOVABLE takes pages from it. */
static int find_usable_zone_for_movable(const struct mmbox *box)
{
	unsigned long low, high;
	int idx;

	for (idx = MMBOX_ZONE_NORMAL; idx > 0; idx--) {
		zone_limits(box, idx, &low, &high);
		/* Not max_pfn: hot banks may lie above the last bank with memory. */
		if (low < min(high, mmbox_memblock_end_pfn(&box->memblock)))
			break;
	}
	return idx;
}

/*
 * Keep @node_pages of a node's memory out of ZONE_MOVABLE: move the start of the node's
 * ZONE_MOVABLE up by as much, and subtract it from @required. @usable is the first page
 * frame of the zone that ZONE_MOVABLE takes its pages from.
 */
static void spread_kernelcore(struct mmbox *box, int nid, unsigned long usable,
			      unsigned long node_pages, unsigned long *required)
{
	const struct mmbox_memblock_type *memory = &box->memblock.memory;
	unsigned long *movable_pfn = &box->pages.zone_movable_pfn[nid];
	unsigned long left = node_pages, pages;
	unsigned int i;

	for (i = 0; i < memory->cnt; i++) {
		const struct mmbox_memblock_region *bank = &memory->regions[i];
		unsigned long start = max_t(unsigned long, PFN_UP(bank->base), *movable_pfn);
		unsigned long end = PFN_DOWN(bank->base + bank->size);

		if (bank->nid != nid || start >= end)
			continue;
		if (start < usable) {
			/* Memory in lower zones is never movable. It counts as kernel memory. */
			pages = min(end, usable) - start;
			left -= min(pages, left);
			*required -= min(pages, *required);
			if (end <= usable) {
				*movable_pfn = end;
				continue;
			}
			start = usable;
		}
		pages = min(end - start, left);
		*movable_pfn = start + pages;
		*required -= min(pages, *required);
		left -= pages;
		if (!left)
			break;
	}
}

static unsigned int nr_nodes_with_memory(const struct mmbox *box)
{
	unsigned long start, end;
	unsigned int nr = 0;
	int nid;

	for (nid = 0; nid < MMBOX_MAX_NUMNODES; nid++) {
		mmbox_get_pfn_range_for_nid(box, nid, &start, &end);
		nr += start < end;
	}
	return nr;
}

/* Number of pages to keep out of ZONE_MOVABLE, or 0 if there is to be no such zone. */
static unsigned long required_kernelcore(const struct mmbox *box)
{
	unsigned long total = mmbox_memblock_pages(&box->memblock, NUMA_NO_NODE, 0,
						   box->memmap.max_pfn);
	unsigned long kernelcore = PHYS_PFN(box->cfg.kernelcore);
	unsigned long movablecore = PHYS_PFN(box->cfg.movablecore);

	if (movablecore) {
		movablecore = roundup(movablecore, 1UL << (box->pages.max_order - 1));
		kernelcore = max(kernelcore, total - min(total, movablecore));
	}
	return kernelcore < total ? kernelcore : 0;
}

/**
 * mmbox_find_zone_movable_pfns() - compute where ZONE_MOVABLE starts in each node
 * @box: the box; its banks are in memblock
 *
 * Memory that is not ZONE_MOVABLE is spread evenly over the nodes. If a node has
 * less than its share, the others get more, as in find_zone_movable_pfns_for_nodes().
 *
 * Context: while the box boots.
 */
void mmbox_find_zone_movable_pfns(struct mmbox *box)
{
	unsigned int nodes = nr_nodes_with_memory(box);
	unsigned long required = required_kernelcore(box);
	unsigned long usable, high, start, end;
	int nid;

	if (!required)
		return;
	zone_limits(box, find_usable_zone_for_movable(box), &usable, &high);
	for (; nodes; nodes--) {
		unsigned long node_pages = required / nodes;

		for (nid = 0; nid < MMBOX_MAX_NUMNODES; nid++) {
			mmbox_get_pfn_range_for_nid(box, nid, &start, &end);
			if (start >= end)
				continue;
			if (required < node_pages)
				node_pages = required / nodes;
			spread_kernelcore(box, nid, usable, node_pages, &required);
		}
		if (required <= nodes - 1)
			break;
	}
	for (nid = 0; nid < MMBOX_MAX_NUMNODES; nid++) {
		unsigned long *movable_pfn = &box->pages.zone_movable_pfn[nid];

		*movable_pfn = roundup(*movable_pfn, 1UL << (box->pages.max_order - 1));
		mmbox_get_pfn_range_for_nid(box, nid, &start, &end);
		if (*movable_pfn >= end)
			*movable_pfn = 0;
	}
}

/**
 * mmbox_zone_range() - find the page frames that a zone of a node spans at boot
 * @box: the box; its banks are in memblock
 * @nid: node
 * @idx: enum mmbox_zone_type
 * @start_pfn: out: first page frame
 * @end_pfn: out: first page frame beyond; @start_pfn if the zone is empty
 *
 * Context: process.
 */
void mmbox_zone_range(const struct mmbox *box, int nid, int idx,
		      unsigned long *start_pfn, unsigned long *end_pfn)
{
	unsigned long movable_pfn = box->pages.zone_movable_pfn[nid];
	unsigned long node_start, node_end, low, high;

	mmbox_get_pfn_range_for_nid(box, nid, &node_start, &node_end);
	if (idx == MMBOX_ZONE_MOVABLE) {
		low = movable_pfn ?: node_end;
		high = node_end;
	} else {
		zone_limits(box, idx, &low, &high);
		if (movable_pfn) {
			low = min(low, movable_pfn);
			high = min(high, movable_pfn);
		}
	}
	*start_pfn = clamp(low, node_start, node_end);
	*end_pfn = clamp(high, node_start, node_end);
}

/* ---- zonelists ---- */

/*
 * Append the populated zones of a node, highest first. Requests may read the list meanwhile:
 * the end is written last, so they stop no earlier than at the end of the old list or of the
 * new one. They always stop: behind the old end there are zeroes, or zones and the end of an
 * older list.
 */
static struct mmbox_zoneref *build_zonerefs_node(mmbox_pg_data_t *pgdat,
						 struct mmbox_zoneref *zref)
{
	int i;

	for (i = pgdat->nr_zones - 1; i >= 0; i--) {
		struct mmbox_zone *zone = &pgdat->node_zones[i];

		if (!mmbox_populated_zone(zone))
			continue;
		WRITE_ONCE(zref->zone, zone);
		WRITE_ONCE(zref->zone_idx, i);
		zref++;
	}
	return zref;
}

static void end_zonerefs(struct mmbox_zoneref *zref)
{
	WRITE_ONCE(zref->zone, NULL);
	WRITE_ONCE(zref->zone_idx, 0);
}

/*
 * Grouping pages by migrate type needs more pageblocks than types. Disable it if there are
 * fewer. Pageblocks stay movable until an allocation changes them.
 */
static void group_by_mobility(struct mmbox *box)
{
	unsigned long pages = 0;
	struct mmbox_zone *zone;

	mmbox_for_each_zone(box, zone)
		pages += zone->managed_pages;
	box->pages.page_group_by_mobility_disabled = !box->pages.design->migrate_types ||
		pages < (unsigned long)MMBOX_MIGRATE_TYPES << box->pages.pageblock_shift;
	box->pages.migratetype_mask = box->pages.page_group_by_mobility_disabled ? 0 : U8_MAX;
}

/**
 * mmbox_build_zonelists() - build the zonelists of all nodes
 * @box: the box
 * @booted: false at boot, true when the lists are rebuilt
 *
 * Concurrent requests may miss a zone or see one twice. Those that fail check
 * zonelist_seq and try again.
 *
 * Context: process; memory_lock held.
 */
void mmbox_build_zonelists(struct mmbox *box, bool booted)
{
	unsigned int node_load[MMBOX_MAX_NUMNODES] = {};
	unsigned long flags;
	int nid;

	lockdep_assert_held(&box->pages.memory_lock);
	local_irq_save(flags);
	write_seqcount_begin(&box->pages.zonelist_seq);
	mmbox_for_each_online_node(box, nid) {
		struct mmbox_zonelist *lists = mmbox_node_data(box, nid)->node_zonelists;
		int node_order[MMBOX_MAX_NUMNODES], nr, i;
		struct mmbox_zoneref *zref;

		nr = mmbox_node_order(box, nid, booted, node_order, node_load);
		zref = lists[MMBOX_ZONELIST_FALLBACK]._zonerefs;
		for (i = 0; i < nr; i++)
			zref = build_zonerefs_node(mmbox_node_data(box, node_order[i]), zref);
		end_zonerefs(zref);
		zref = lists[MMBOX_ZONELIST_NOFALLBACK]._zonerefs;
		end_zonerefs(build_zonerefs_node(mmbox_node_data(box, nid), zref));
	}
	group_by_mobility(box);
	write_seqcount_end(&box->pages.zonelist_seq);
	local_irq_restore(flags);
}
MMBOX_EXPORT_INTERNAL(mmbox_build_zonelists);

/* ---- watermark boosts ---- */

/**
 * mmbox_boost_watermark() - raise the watermarks of a zone for a while
 * @zone: the zone, in which an allocation fell back to another migrate type
 *
 * kswapd then frees more pages, which makes further fallbacks less likely.
 * boost_watermark(), Linux 6.1.
 *
 * Context: any, also with zone->lock held; marks_lock is taken.
 * Return: true if the zone is boosted.
 */
bool mmbox_boost_watermark(struct mmbox_zone *zone)
{
	unsigned long pageblock_pages = 1UL << zone->box->pages.pageblock_shift;
	unsigned long factor = READ_ONCE(zone->box->pages.watermark_boost_factor);
	unsigned long max_boost = 0, flags;

	if (!factor || pageblock_pages * 4 > READ_ONCE(zone->managed_pages))
		return false;
	raw_spin_lock_irqsave(&zone->marks_lock, flags);
	max_boost = mult_frac(zone->_watermark[MMBOX_WMARK_HIGH], factor, 10000UL);
	if (max_boost) {
		max_boost = max(pageblock_pages, max_boost);
		WRITE_ONCE(zone->watermark_boost,
			   min(zone->watermark_boost + pageblock_pages, max_boost));
	}
	raw_spin_unlock_irqrestore(&zone->marks_lock, flags);
	return max_boost;
}

/**
 * mmbox_unboost_watermark() - undo boosts that kswapd has reclaimed for
 * @zone: the zone
 * @pages: the boost when that run of kswapd began
 *
 * Context: any; marks_lock is taken.
 */
void mmbox_unboost_watermark(struct mmbox_zone *zone, unsigned long pages)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&zone->marks_lock, flags);
	WRITE_ONCE(zone->watermark_boost,
		   zone->watermark_boost - min(zone->watermark_boost, pages));
	raw_spin_unlock_irqrestore(&zone->marks_lock, flags);
}
