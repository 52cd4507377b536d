// SPDX-License-Identifier: GPL-2.0
/*
 * Counters of the box: what /proc/vmstat and /proc/zoneinfo of Linux 6.1 show.
 *
 * The fast paths count only allocations by order, in a cache line that they write
 * anyway. Other counters are derived. Pages freed (pgfree) are the pages allocated so
 * far plus those that are free now. An allocation was local if its CPU belongs to the
 * zone's node, and a NUMA hit unless the slow path took it from another node. Events
 * that happen only in slow paths are counted there, in box->pages.vm_events[].
 *
 * The tables have all names of Linux 6.1, in its order. A name without a counter
 * stands for something that a box does not have, and shows 0.
 */
#include <linux/cpumask.h>
#include <linux/minmax.h>
#include <linux/percpu.h>

#include "pages/buddy.h"

/* Counters of a zone, in the order of /proc/zoneinfo. */
const struct mmbox_stat_name mmbox_zone_stats[] = {
	{ "nr_free_pages", MMBOX_NR_FREE_PAGES },
	{ "nr_zone_inactive_anon" },
	{ "nr_zone_active_anon" },
	{ "nr_zone_inactive_file" },
	{ "nr_zone_active_file" },
	{ "nr_zone_unevictable" },
	{ "nr_zone_write_pending" },
	{ "nr_mlock" },
	{ "nr_bounce" },
	{ "nr_zspages" },
	{ "nr_free_cma" },
	{}
};

/* NUMA counters of a zone. nodeN/numastat shows them under other names. */
const struct mmbox_stat_name mmbox_numa_stats[] = {
	{ "numa_hit", MMBOX_NUMA_HIT },
	{ "numa_miss", MMBOX_NUMA_MISS },
	{ "numa_foreign", MMBOX_NUMA_FOREIGN },
	{ "numa_interleave", MMBOX_NUMA_INTERLEAVE_HIT },
	{ "numa_local", MMBOX_NUMA_LOCAL },
	{ "numa_other", MMBOX_NUMA_OTHER },
	{}
};

/* Counters of a node. */
const struct mmbox_stat_name mmbox_node_stats[] = {
	{ "nr_inactive_anon" },
	{ "nr_active_anon" },
	{ "nr_inactive_file" },
	{ "nr_active_file" },
	{ "nr_unevictable" },
	{ "nr_slab_reclaimable", MMBOX_NR_SLAB_RECLAIMABLE },
	{ "nr_slab_unreclaimable", MMBOX_NR_SLAB_UNRECLAIMABLE },
	{ "nr_isolated_anon" },
	{ "nr_isolated_file" },
	{ "workingset_nodes" },
	{ "workingset_refault_anon" },
	{ "workingset_refault_file" },
	{ "workingset_activate_anon" },
	{ "workingset_activate_file" },
	{ "workingset_restore_anon" },
	{ "workingset_restore_file" },
	{ "workingset_nodereclaim" },
	{ "nr_anon_pages" },
	{ "nr_mapped" },
	{ "nr_file_pages" },
	{ "nr_dirty" },
	{ "nr_writeback" },
	{ "nr_writeback_temp" },
	{ "nr_shmem" },
	{ "nr_shmem_hugepages" },
	{ "nr_shmem_pmdmapped" },
	{ "nr_file_hugepages" },
	{ "nr_file_pmdmapped" },
	{ "nr_anon_transparent_hugepages" },
	{ "nr_vmscan_write" },
	{ "nr_vmscan_immediate_reclaim" },
	{ "nr_dirtied" },
	{ "nr_written" },
	{ "nr_throttled_written" },
	{ "nr_kernel_misc_reclaimable" },
	{ "nr_foll_pin_acquired" },
	{ "nr_foll_pin_released" },
	{ "nr_kernel_stack" },
	{ "nr_page_table_pages" },
	{ "nr_sec_page_table_pages" },
	{ "nr_swapcached" },
	{ "pgpromote_success" },
	{ "pgpromote_candidate" },
	{}
};

/* Events of the whole box. */
const struct mmbox_stat_name mmbox_event_stats[] = {
	{ "nr_dirty_threshold" },
	{ "nr_dirty_background_threshold" },
	{ "pgpgin" },
	{ "pgpgout" },
	{ "pswpin" },
	{ "pswpout" },
	{ "pgalloc_dma", MMBOX_PGALLOC + MMBOX_ZONE_DMA },
	{ "pgalloc_dma32", MMBOX_PGALLOC + MMBOX_ZONE_DMA32 },
	{ "pgalloc_normal", MMBOX_PGALLOC + MMBOX_ZONE_NORMAL },
	{ "pgalloc_movable", MMBOX_PGALLOC + MMBOX_ZONE_MOVABLE },
	{ "pgalloc_device" },
	{ "allocstall_dma", MMBOX_ALLOCSTALL + MMBOX_ZONE_DMA },
	{ "allocstall_dma32", MMBOX_ALLOCSTALL + MMBOX_ZONE_DMA32 },
	{ "allocstall_normal", MMBOX_ALLOCSTALL + MMBOX_ZONE_NORMAL },
	{ "allocstall_movable", MMBOX_ALLOCSTALL + MMBOX_ZONE_MOVABLE },
	{ "allocstall_device" },
	{ "pgskip_dma" },
	{ "pgskip_dma32" },
	{ "pgskip_normal" },
	{ "pgskip_movable" },
	{ "pgskip_device" },
	{ "pgfree", MMBOX_PGFREE },
	{ "pgactivate" },
	{ "pgdeactivate" },
	{ "pglazyfree" },
	{ "pgfault" },
	{ "pgmajfault" },
	{ "pglazyfreed" },
	{ "pgrefill" },
	{ "pgreuse" },
	{ "pgsteal_kswapd" },
	{ "pgsteal_direct" },
	{ "pgdemote_kswapd" },
	{ "pgdemote_direct" },
	{ "pgscan_kswapd" },
	{ "pgscan_direct" },
	{ "pgscan_direct_throttle", MMBOX_PGSCAN_DIRECT_THROTTLE },
	{ "pgscan_anon" },
	{ "pgscan_file" },
	{ "pgsteal_anon" },
	{ "pgsteal_file" },
	{ "zone_reclaim_failed" },
	{ "pginodesteal" },
	{ "slabs_scanned", MMBOX_SLABS_SCANNED },
	{ "kswapd_inodesteal" },
	{ "kswapd_low_wmark_hit_quickly", MMBOX_KSWAPD_LOW_WMARK_HIT_QUICKLY },
	{ "kswapd_high_wmark_hit_quickly", MMBOX_KSWAPD_HIGH_WMARK_HIT_QUICKLY },
	{ "pageoutrun", MMBOX_PAGEOUTRUN },
	{ "pgrotated" },
	{ "drop_pagecache", MMBOX_DROP_PAGECACHE },
	{ "drop_slab", MMBOX_DROP_SLAB },
	{ "oom_kill" },
	{ "numa_pte_updates" },
	{ "numa_huge_pte_updates" },
	{ "numa_hint_faults" },
	{ "numa_hint_faults_local" },
	{ "numa_pages_migrated" },
	{ "pgmigrate_success" },
	{ "pgmigrate_fail" },
	{ "thp_migration_success" },
	{ "thp_migration_fail" },
	{ "thp_migration_split" },
	{ "compact_migrate_scanned" },
	{ "compact_free_scanned" },
	{ "compact_isolated" },
	{ "compact_stall" },
	{ "compact_fail" },
	{ "compact_success" },
	{ "compact_daemon_wake" },
	{ "compact_daemon_migrate_scanned" },
	{ "compact_daemon_free_scanned" },
	{ "htlb_buddy_alloc_success" },
	{ "htlb_buddy_alloc_fail" },
	{ "unevictable_pgs_culled" },
	{ "unevictable_pgs_scanned" },
	{ "unevictable_pgs_rescued" },
	{ "unevictable_pgs_mlocked" },
	{ "unevictable_pgs_munlocked" },
	{ "unevictable_pgs_cleared" },
	{ "unevictable_pgs_stranded" },
	{ "thp_fault_alloc" },
	{ "thp_fault_fallback" },
	{ "thp_fault_fallback_charge" },
	{ "thp_collapse_alloc" },
	{ "thp_collapse_alloc_failed" },
	{ "thp_file_alloc" },
	{ "thp_file_fallback" },
	{ "thp_file_fallback_charge" },
	{ "thp_file_mapped" },
	{ "thp_split_page" },
	{ "thp_split_page_failed" },
	{ "thp_deferred_split_page" },
	{ "thp_split_pmd" },
	{ "thp_scan_exceed_none_pte" },
	{ "thp_scan_exceed_swap_pte" },
	{ "thp_scan_exceed_share_pte" },
	{ "thp_split_pud" },
	{ "thp_zero_page_alloc" },
	{ "thp_zero_page_alloc_failed" },
	{ "thp_swpout" },
	{ "thp_swpout_fallback" },
	{ "balloon_inflate" },
	{ "balloon_deflate" },
	{ "balloon_migrate" },
	{ "swap_ra" },
	{ "swap_ra_hit" },
	{ "ksm_swpin_copy" },
	{ "cow_ksm" },
	{ "zswpin" },
	{ "zswpout" },
	{ "direct_map_level2_splits" },
	{ "direct_map_level3_splits" },
	{ "nr_unstable" },
	{}
};

/**
 * mmbox_count_vm_events() - count events of a slow path
 * @box: the box
 * @item: the event; not a counter that is derived
 * @nr: number of events
 *
 * Context: any.
 */
void mmbox_count_vm_events(struct mmbox *box, enum mmbox_stat_item item, long nr)
{
	atomic_long_add(nr, &box->pages.vm_events[item]);
}

/**
 * mmbox_count_numa_miss() - count an allocation from another node than preferred
 * @preferred: the preferred zone
 * @zone: the zone of another node that was used
 *
 * Context: any.
 */
void mmbox_count_numa_miss(struct mmbox_zone *preferred, struct mmbox_zone *zone)
{
	atomic_long_inc(&zone->nr_numa_miss);
	atomic_long_inc(&preferred->nr_numa_foreign);
}

static bool cpu_is_local(const struct mmbox_zone *zone, int cpu)
{
	return mmbox_cpu_to_node(zone->box, cpu) == zone->zone_pgdat->node_id;
}

/* Counters of a zone, as of one moment. */
struct zone_sums {
	unsigned long nr_free_pages;	/* NR_FREE_PAGES */
	unsigned long free;		/* pages free in the zone and on per-CPU lists */
	unsigned long pages;		/* pages allocated so far */
	unsigned long nr_allocs;	/* allocations so far */
	unsigned long nr_other;		/* of these, by CPUs of other nodes */
};

/* Called while no batch moves between the zone and a CPU: each page is in one place. */
static void sum_zone(struct mmbox_zone *zone, void *arg)
{
	struct zone_sums *sums = arg;
	unsigned int order;
	int cpu;

	sums->nr_free_pages = zone->nr_free_pages;
	sums->free = mmbox_nr_free_pages(zone);
	sums->nr_other = atomic_long_read(&zone->nr_numa_other);
	for (order = 0; order < MMBOX_MAX_ORDERS; order++) {
		sums->nr_allocs += zone->nr_alloc[order];
		sums->pages += zone->nr_alloc[order] << order;
	}
	for_each_possible_cpu(cpu) {
		const struct mmbox_per_cpu_pages *pcp;
		unsigned long nr;

		pcp = per_cpu_ptr(zone->per_cpu_pageset, cpu);
		nr = mmbox_glance(pcp->nr_alloc_thp);
		sums->pages += nr << MMBOX_THP_ORDER;
		for (order = 0; order < MMBOX_PCP_ORDERS; order++) {
			unsigned long n = mmbox_glance(pcp->nr_alloc[order]);

			nr += n;
			sums->pages += n << order;
		}
		sums->free += mmbox_glance(pcp->count);
		sums->nr_allocs += nr;
		if (!cpu_is_local(zone, cpu))
			sums->nr_other += nr;
	}
}

/**
 * mmbox_zone_stat() - add the counters of a zone to an array
 * @zone: the zone
 * @stat: the array, indexed by enum mmbox_stat_item
 *
 * A snapshot: allocations that other CPUs make meanwhile may be counted in part.
 *
 * Context: any.
 */
void mmbox_zone_stat(struct mmbox_zone *zone, unsigned long *stat)
{
	unsigned long nr_miss = atomic_long_read(&zone->nr_numa_miss);
	struct zone_sums sums = {};

	mmbox_buddy_hold(zone, sum_zone, &sums);
	stat[MMBOX_NR_FREE_PAGES] += sums.nr_free_pages;
	stat[MMBOX_PGALLOC + mmbox_zone_idx(zone)] += sums.pages;
	stat[MMBOX_PGFREE] += sums.pages + sums.free;
	stat[MMBOX_NUMA_HIT] += sums.nr_allocs - min(nr_miss, sums.nr_allocs);
	stat[MMBOX_NUMA_MISS] += nr_miss;
	stat[MMBOX_NUMA_FOREIGN] += atomic_long_read(&zone->nr_numa_foreign);
	stat[MMBOX_NUMA_INTERLEAVE_HIT] += atomic_long_read(&zone->nr_numa_interleave);
	stat[MMBOX_NUMA_LOCAL] += sums.nr_allocs - min(sums.nr_other, sums.nr_allocs);
	stat[MMBOX_NUMA_OTHER] += sums.nr_other;
}
MMBOX_EXPORT_INTERNAL(mmbox_zone_stat);

/**
 * mmbox_node_stat() - add the counters of a node, without its zones', to an array
 * @box: the box
 * @nid: node
 * @stat: the array, indexed by enum mmbox_stat_item
 *
 * Context: process, may sleep; slab.mutex not held.
 */
void mmbox_node_stat(struct mmbox *box, int nid, unsigned long *stat)
{
	if (box->pages.reclaim)
		box->pages.reclaim->count_slab_pages(box, nid, &stat[MMBOX_NR_SLAB_RECLAIMABLE],
						     &stat[MMBOX_NR_SLAB_UNRECLAIMABLE]);
}
MMBOX_EXPORT_INTERNAL(mmbox_node_stat);

/**
 * mmbox_all_stat() - read all counters of a box
 * @box: the box
 * @stat: out: the counters, indexed by enum mmbox_stat_item
 *
 * Context: process, may sleep; slab.mutex not held.
 */
void mmbox_all_stat(struct mmbox *box, unsigned long *stat)
{
	struct mmbox_zone *zone;
	int i, nid;

	for (i = 0; i < MMBOX_NR_STATS; i++)
		stat[i] = atomic_long_read(&box->pages.vm_events[i]);
	mmbox_for_each_zone(box, zone)
		mmbox_zone_stat(zone, stat);
	mmbox_for_each_online_node(box, nid)
		mmbox_node_stat(box, nid, stat);
}
MMBOX_EXPORT_INTERNAL(mmbox_all_stat);

/**
 * mmbox_nr_free_pages() - free pages of a zone, with all vm_stat_diff added
 * @zone: the zone
 *
 * zone_page_state_snapshot(), Linux 6.1.
 *
 * Context: any; exact within mmbox_buddy_hold(), else a snapshot.
 * Return: pages.
 */
unsigned long mmbox_nr_free_pages(const struct mmbox_zone *zone)
{
	const unsigned int link = mmbox_zone_link(zone);
	long pages = READ_ONCE(zone->nr_free_pages);
	int cpu;

	if (READ_ONCE(zone->stat_threshold))
		for_each_possible_cpu(cpu)
			pages += mmbox_glance(per_cpu_ptr(zone->box->pages.cpu,
							  cpu)->vm_stat_diff[link]);
	return max(pages, 0L);
}
MMBOX_EXPORT_INTERNAL(mmbox_nr_free_pages);

/**
 * mmbox_nr_used_pages() - count the pages in use, by callers and by slabs
 * @box: the box
 *
 * Context: any; a snapshot while other CPUs allocate.
 * Return: pages.
 */
unsigned long mmbox_nr_used_pages(struct mmbox *box)
{
	struct mmbox_zone *zone;
	long pages = 0;

	mmbox_for_each_zone(box, zone) {
		pages += zone->managed_pages;
		pages -= mmbox_nr_free_pages(zone);
		pages -= mmbox_nr_pcp_pages(zone);
	}
	return max(pages, 0L);
}
MMBOX_EXPORT_INTERNAL(mmbox_nr_used_pages);

/**
 * mmbox_mem_available() - estimate how many pages can be allocated without shortage
 * @box: the box
 * @stat: its counters, from mmbox_all_stat()
 *
 * MemAvailable of /proc/meminfo: free pages beyond the reserves, plus what reclaim is
 * expected to free. As si_mem_available().
 *
 * Context: any.
 * Return: pages.
 */
unsigned long mmbox_mem_available(struct mmbox *box, const unsigned long *stat)
{
	unsigned long reclaimable = stat[MMBOX_NR_SLAB_RECLAIMABLE];
	unsigned long wmark_low = 0;
	struct mmbox_zone *zone;
	long available;

	mmbox_for_each_zone(box, zone)
		wmark_low += mmbox_wmark_pages(zone, MMBOX_WMARK_LOW);
	available = stat[MMBOX_NR_FREE_PAGES] - box->pages.totalreserve_pages;
	available += reclaimable - min(reclaimable / 2, wmark_low);
	return max(available, 0L);
}
MMBOX_EXPORT_INTERNAL(mmbox_mem_available);
