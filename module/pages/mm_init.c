// SPDX-License-Identifier: GPL-2.0
/*
 * Boot of a box: from a region to a working page allocator.
 *
 *	banks -> memblock -> page descriptors -> nodes and zones -> buddy
 *
 * The banks divide the region. memblock allocates the page descriptors from it, so
 * `managed` is less than `present`, as on a real machine. Then nodes and zones are
 * laid out, memory that is not reserved is freed to the buddy allocator in ascending
 * order, zonelists are built, and watermarks are computed from the managed pages.
 */
#include <linux/align.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>

#include "pages/buddy.h"

/* Add the banks to memblock. They also determine max_pfn and the number of nodes. */
static int add_banks(struct mmbox *box)
{
	const struct mmbox_config *cfg = &box->cfg;
	unsigned int i;
	int err = 0;

	box->nr_nodes = 1;
	box->memmap.max_pfn = PHYS_PFN(box->region.size);
	if (!cfg->nr_banks)
		err = mmbox_memblock_add(&box->memblock, 0, box->region.size, 0);
	for (i = 0; i < cfg->nr_banks && !err; i++) {
		const struct mmbox_bank *bank = &cfg->banks[i];

		box->memmap.max_pfn = PHYS_PFN(bank->base + bank->size);
		if (bank->hot) {
			mmbox_boot_note(box, MMBOX_BOOT_HOT_BANK, bank->nid, bank->base,
					bank->base + bank->size, 0);
			continue;
		}
		err = mmbox_memblock_add(&box->memblock, bank->base, bank->size,
					 bank->nid);
		box->nr_nodes = max(box->nr_nodes, bank->nid + 1);
	}
	box->memmap.nr_sections = DIV_ROUND_UP(box->memmap.max_pfn,
					       1UL << box->memmap.pfn_section_shift);
	for (i = 0; i < box->memblock.memory.cnt; i++) {
		const struct mmbox_memblock_region *bank = &box->memblock.memory.regions[i];

		mmbox_boot_note(box, MMBOX_BOOT_BANK, bank->nid, bank->base,
				bank->base + bank->size, bank->size);
	}
	return err;
}

/* Compute the span and the present pages of each zone. Empty ones start at 0. */
static void calculate_node_totalpages(struct mmbox *box, mmbox_pg_data_t *pgdat)
{
	int i;

	pgdat->node_spanned_pages = 0;
	for (i = 0; i < MMBOX_MAX_NR_ZONES; i++) {
		struct mmbox_zone *zone = &pgdat->node_zones[i];
		unsigned long start, end;

		mmbox_zone_range(box, pgdat->node_id, i, &start, &end);
		zone->spanned_pages = end - start;
		zone->present_pages = mmbox_memblock_pages(&box->memblock,
							   pgdat->node_id,
							   start, end);
		if (zone->spanned_pages) {
			zone->zone_start_pfn = start;
			if (!pgdat->node_spanned_pages)
				pgdat->node_start_pfn = start;
			pgdat->nr_zones = i + 1;
		}
		pgdat->node_spanned_pages += zone->spanned_pages;
		pgdat->node_present_pages += zone->present_pages;
		if (zone->spanned_pages)
			mmbox_boot_note_zone(box, MMBOX_BOOT_ZONE, pgdat->node_id, i,
					     zone->zone_start_pfn,
					     zone->zone_start_pfn + zone->spanned_pages,
					     (u64)zone->present_pages << PAGE_SHIFT);
	}
}

static void zone_init_internals(struct mmbox *box, mmbox_pg_data_t *pgdat, int idx)
{
	struct mmbox_zone *zone = &pgdat->node_zones[idx];

	/* zone_link has 2 bits for the zone and 6 for the node, of which 3 are used. */
	BUILD_BUG_ON(MMBOX_MAX_NR_ZONES != 4 ||
		     MMBOX_MAX_NUMNODES * MMBOX_MAX_NR_ZONES > MMBOX_NR_ZONE_LINKS);
	zone->idx = idx;
	zone->name = mmbox_zone_names[idx];
	zone->box = box;
	zone->zone_pgdat = pgdat;
	box->pages.zone_table[mmbox_zone_link(zone)] = zone;
	raw_spin_lock_init(&zone->marks_lock);
}

/* Initialise descriptors. Those of a section are contiguous, so look each section up once. */
static void init_zone_range(struct mmbox *box, const struct mmbox_zone *zone,
			    unsigned long pfn, unsigned long end)
{
	unsigned long nr;

	for (; pfn < end; pfn += nr) {
		nr = min(ALIGN(pfn + 1, 1UL << box->memmap.pfn_section_shift), end) - pfn;
		mmbox_init_reserved(__mmbox_pfn_to_page(box, pfn), nr,
				    zone->zone_pgdat->node_id, mmbox_zone_idx(zone));
	}
}

static void memmap_init_zone(struct mmbox *box, struct mmbox_zone *zone)
{
	const struct mmbox_memblock_type *memory = &box->memblock.memory;
	unsigned long zone_end = zone->zone_start_pfn + zone->spanned_pages;
	unsigned int i;

	/* Spans of nodes may overlap, so initialise only the node's own banks. */
	for (i = 0; i < memory->cnt; i++) {
		const struct mmbox_memblock_region *bank = &memory->regions[i];
		unsigned long start = PFN_UP(bank->base), end;

		if (bank->nid != zone->zone_pgdat->node_id)
			continue;
		end = min_t(unsigned long, PFN_DOWN(bank->base + bank->size), zone_end);
		init_zone_range(box, zone, max(start, zone->zone_start_pfn), end);
	}
}

/* Free [start, end) to the buddy allocator, in the largest aligned blocks. */
static void free_pages_memory(struct mmbox *box, unsigned long start,
			      unsigned long end)
{
	while (start < end) {
		unsigned int order = box->pages.max_order - 1;
		struct mmbox_page *page = __mmbox_pfn_to_page(box, start);
		struct mmbox_zone *zone = mmbox_page_zone(box, page);
		unsigned long zone_end = zone->zone_start_pfn + zone->spanned_pages;

		if (start)
			order = min_t(unsigned int, order, __ffs(start));
		while (start + (1UL << order) > min(end, zone_end))
			order--;
		mmbox_buddy_add(zone, page, order);
		start += 1UL << order;
	}
}

/* Free all memory that memblock has not reserved. This ends memblock's use. */
static void memblock_free_all(struct mmbox *box)
{
	phys_addr_t base = 0, end;
	int nid;

	while (mmbox_memblock_next_free(&box->memblock, &base, &end, &nid)) {
		unsigned long start_pfn = PFN_UP(base), end_pfn = PFN_DOWN(end);

		free_pages_memory(box, start_pfn, end_pfn);
		if (start_pfn < end_pfn)
			mmbox_boot_note(box, MMBOX_BOOT_FREE, nid, PFN_PHYS(start_pfn),
					PFN_PHYS(end_pfn),
					PFN_PHYS(end_pfn - start_pfn));
		base = end;
	}
	mmbox_for_each_online_node(box, nid)
		box->node[nid]->bdata = NULL;
}

static int take_node_data(struct mmbox *box)
{
	int nid;

	mmbox_for_each_online_node(box, nid) {
		mmbox_pg_data_t *pgdat;

		pgdat = mmbox_host_zalloc(&box->host, sizeof(*pgdat), "pg_data_t");
		if (!pgdat)
			return -ENOMEM;
		pgdat->node_id = nid;
		spin_lock_init(&pgdat->node_size_lock);
		mmbox_kswapd_init(pgdat);
		pgdat->bdata = &box->memblock;
		box->node[nid] = pgdat;
	}
	return 0;
}

/* Lay out a node and its zones, and initialise the descriptors of their pages. */
static void free_area_init_node(struct mmbox *box, mmbox_pg_data_t *pgdat)
{
	int i;

	calculate_node_totalpages(box, pgdat);
	for (i = 0; i < MMBOX_MAX_NR_ZONES; i++) {
		zone_init_internals(box, pgdat, i);
		memmap_init_zone(box, &pgdat->node_zones[i]);
	}
}

/**
 * mmbox_pages_setup() - initialise box->pages for boot
 * @box: the box, new
 *
 * Allocates nothing, so there is nothing to undo.
 *
 * Context: process.
 */
void mmbox_pages_setup(struct mmbox *box)
{
	const struct mmbox_config *cfg = &box->cfg;
	struct mmbox_pages *pages = &box->pages;

	pages->max_order = cfg->orders;
	pages->pageblock_shift = cfg->pcp_thp ? MMBOX_THP_ORDER : cfg->orders - 1;
	pages->watermark_scale_factor = 10;
	pages->watermark_boost_factor = 15000;
	pages->lowmem_reserve_ratio[MMBOX_ZONE_DMA] = 256;
	pages->lowmem_reserve_ratio[MMBOX_ZONE_DMA32] = 256;
	pages->lowmem_reserve_ratio[MMBOX_ZONE_NORMAL] = 32;
	pages->user_min_free_kbytes = -1;
	mutex_init(&pages->memory_lock);
	mutex_init(&pages->tunables_lock);
	seqcount_init(&pages->zonelist_seq);
	init_rwsem(&pages->shrinker_rwsem);
	INIT_LIST_HEAD(&pages->shrinkers);
	raw_spin_lock_init(&pages->reclaimers_lock);
	INIT_LIST_HEAD(&pages->reclaimers);
	INIT_LIST_HEAD(&pages->hot_sections);
}

/**
 * mmbox_mm_early_init() - start the boot: set up memblock and page descriptors
 * @box: the box; its region has been allocated
 *
 * On success memblock is in charge, and all pages have descriptors. On failure
 * mmbox_mm_exit() cleans up.
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int mmbox_mm_early_init(struct mmbox *box)
{
	int err;

	box->memblock.bottom_up = box->cfg.bottom_up;
	box->memblock.fail_nth = box->cfg.fail_boot_nth;

	mutex_lock(&box->pages.memory_lock);
	err = mmbox_boot_log_init(box);
	if (!err)
		err = add_banks(box);
	if (!err)
		err = take_node_data(box);
	if (!err)
		err = mmbox_memmap_init(box);
	mutex_unlock(&box->pages.memory_lock);
	return err;
}

/**
 * mmbox_mm_init() - finish the boot: set up zones and the page allocator
 * @box: the box, after mmbox_mm_early_init()
 *
 * On success pages can be allocated. On failure mmbox_mm_exit() cleans up.
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int mmbox_mm_init(struct mmbox *box)
{
	int nid, err;

	mutex_lock(&box->pages.memory_lock);
	mmbox_find_zone_movable_pfns(box);
	mmbox_for_each_online_node(box, nid)
		free_area_init_node(box, box->node[nid]);
	err = mmbox_buddy_init(box);
	if (!err)
		err = mmbox_pagesets_init(box);
	if (err)
		goto unlock;
	mmbox_numa_init(box);
	memblock_free_all(box);
	mmbox_build_zonelists(box, false);
	mmbox_set_first_zones(box);
	mmbox_calculate_min_free_kbytes(box);
	mmbox_setup_per_zone_wmarks(box);
	mmbox_setup_per_zone_lowmem_reserve(box);
unlock:
	mutex_unlock(&box->pages.memory_lock);
	return err;
}

/**
 * mmbox_pages_start() - start kswapd on each node that has memory
 * @box: the box, booted
 *
 * A box works without a kswapd. If one cannot be started, this logs a warning.
 *
 * Context: process, may sleep.
 */
void mmbox_pages_start(struct mmbox *box)
{
	int nid;

	mutex_lock(&box->pages.memory_lock);
	mmbox_for_each_online_node(box, nid)
		if (box->node[nid]->node_present_pages)
			mmbox_kswapd_run(box->node[nid]);
	mutex_unlock(&box->pages.memory_lock);
}

/**
 * mmbox_pages_stop() - stop kswapd on all nodes, where it runs
 * @box: the box; its boot may have failed half-way
 *
 * Context: process, may sleep.
 */
void mmbox_pages_stop(struct mmbox *box)
{
	int nid;

	mutex_lock(&box->pages.memory_lock);
	mmbox_for_each_online_node(box, nid)
		if (box->node[nid] && box->node[nid]->kswapd)
			mmbox_kswapd_stop(box->node[nid]);
	mutex_unlock(&box->pages.memory_lock);
}

/**
 * mmbox_mm_exit() - undo the boot, even if it failed half-way
 * @box: the box; it has no users left
 *
 * Context: process, may sleep.
 */
void mmbox_mm_exit(struct mmbox *box)
{
	int nid;

	mmbox_pagesets_exit(box);
	mmbox_buddy_exit(box);
	for (nid = 0; nid < MMBOX_MAX_NUMNODES; nid++) {
		mmbox_host_free(&box->host, box->node[nid], sizeof(*box->node[nid]));
		box->node[nid] = NULL;
	}
	mmbox_memmap_exit(box);
	mmbox_boot_log_exit(box);
	mmbox_memory_hotplug_exit(box);
}
