// SPDX-License-Identifier: GPL-2.0
/*
 * Watermarks, lowmem reserves and the sizes of per-CPU lists. They are computed from
 * managed pages and tunables, and again whenever one of these changes, by the rules
 * of mm/page_alloc.c, Linux 6.1.
 */
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sizes.h>

#include "pages/pages.h"

/**
 * mmbox_calculate_min_free_kbytes() - compute min_free_kbytes from the size of the box
 * @box: the box
 *
 * It is sqrt(lowmem_kbytes * 16), but at least 128 KiB and at most 256 MiB.
 * lowmem_kbytes is the managed memory of all zones but ZONE_MOVABLE, less their
 * present high watermarks, which are 0 at boot. A value set by the user stays if it is
 * not lower.
 *
 * Context: process; the caller excludes other writers.
 */
void mmbox_calculate_min_free_kbytes(struct mmbox *box)
{
	unsigned long kbytes = 0;
	struct mmbox_zone *zone;

	mmbox_for_each_zone(box, zone) {
		unsigned long high = mmbox_wmark_pages(zone, MMBOX_WMARK_HIGH);

		if (mmbox_zone_idx(zone) <= MMBOX_ZONE_NORMAL && zone->managed_pages > high)
			kbytes += (zone->managed_pages - high) << (PAGE_SHIFT - 10);
	}
	kbytes = int_sqrt(kbytes * 16);
	if ((long)kbytes > box->pages.user_min_free_kbytes)
		box->pages.min_free_kbytes = clamp(kbytes, 128UL, 262144UL);
}

/* Sum up what users cannot allocate: high watermarks and the largest lowmem reserves. */
static void calculate_totalreserve_pages(struct mmbox *box)
{
	unsigned long pages = 0;
	struct mmbox_zone *zone;

	mmbox_for_each_zone(box, zone) {
		long max = 0;
		int j;

		for (j = mmbox_zone_idx(zone); j < MMBOX_MAX_NR_ZONES; j++)
			max = max(max, zone->lowmem_reserve[j]);
		max += mmbox_wmark_pages(zone, MMBOX_WMARK_HIGH);
		pages += min_t(unsigned long, max, zone->managed_pages);
	}
	box->pages.totalreserve_pages = pages;
}

/* Number of CPUs that share a zone's low watermark: those of its node, or all if none are. */
static unsigned int nr_split_cpus(const struct mmbox_zone *zone)
{
	unsigned int nr = 0;
	int cpu;

	for_each_online_cpu(cpu)
		nr += mmbox_cpu_to_node(zone->box, cpu) == zone->zone_pgdat->node_id;
	return nr ?: num_online_cpus();
}

/* Compute pcp->batch and pcp->high, as zone_batchsize() and zone_highsize() of Linux 6.1. */
static void zone_set_pageset_high_and_batch(struct mmbox_zone *zone)
{
	int fraction = zone->box->pages.percpu_pagelist_high_fraction;
	unsigned long batch, high;

	batch = min(zone->managed_pages >> 10, SZ_1M / PAGE_SIZE) / 4;
	batch = max(batch, 1UL);
	batch = rounddown_pow_of_two(batch + batch / 2) - 1;
	batch = max(batch, 1UL);

	high = mmbox_wmark_pages(zone, MMBOX_WMARK_LOW);
	if (fraction)
		high = zone->managed_pages / fraction;
	high /= nr_split_cpus(zone);
	high = max(high, batch << 2);
	mmbox_set_pageset_high_and_batch(zone, high, batch);
}

/**
 * mmbox_stat_threshold() - compute a zone's threshold for vm_stat_diff
 * @zone: the zone
 * @nr_cpus: number of CPUs online
 *
 * calculate_normal_threshold(), Linux 6.1.
 *
 * Context: any.
 * Return: pages.
 */
int mmbox_stat_threshold(const struct mmbox_zone *zone, unsigned int nr_cpus)
{
	unsigned long mem = zone->managed_pages / PHYS_PFN(SZ_128M);

	return min(2 * fls(nr_cpus) * (1 + fls(mem)), 125);
}
MMBOX_EXPORT_INTERNAL(mmbox_stat_threshold);

/**
 * mmbox_zone_pcp_update() - compute only the sizes of per-CPU lists
 * @box: the box, after CPUs went online or offline, or a tunable has changed
 *
 * Context: process; the caller excludes other writers.
 */
void mmbox_zone_pcp_update(struct mmbox *box)
{
	struct mmbox_zone *zone;

	mmbox_for_each_zone(box, zone)
		zone_set_pageset_high_and_batch(zone);
}

/**
 * mmbox_setup_per_zone_wmarks() - compute watermarks and the sizes of per-CPU lists
 * @box: the box
 *
 * They follow from managed pages, min_free_kbytes and watermark_scale_factor. All
 * boosts end.
 *
 * Context: process; the caller excludes other writers.
 */
void mmbox_setup_per_zone_wmarks(struct mmbox *box)
{
	unsigned long pages_min = box->pages.min_free_kbytes >> (PAGE_SHIFT - 10);
	unsigned long lowmem_pages = 0;
	struct mmbox_zone *zone;

	mmbox_for_each_zone(box, zone)
		lowmem_pages += zone->managed_pages;

	mmbox_for_each_zone(box, zone) {
		unsigned long min, gap, flags;

		raw_spin_lock_irqsave(&zone->marks_lock, flags);
		min = lowmem_pages ? div64_u64((u64)pages_min * zone->managed_pages,
					       lowmem_pages) : 0;
		gap = max(min >> 2, mult_frac(zone->managed_pages,
					      box->pages.watermark_scale_factor, 10000UL));
		WRITE_ONCE(zone->watermark_boost, 0);
		WRITE_ONCE(zone->_watermark[MMBOX_WMARK_MIN], min);
		WRITE_ONCE(zone->_watermark[MMBOX_WMARK_LOW], min + gap);
		WRITE_ONCE(zone->_watermark[MMBOX_WMARK_HIGH], min + 2 * gap);
		if (box->cfg.stat_drift)
			WRITE_ONCE(zone->stat_threshold,
				   mmbox_stat_threshold(zone, num_online_cpus()));
		raw_spin_unlock_irqrestore(&zone->marks_lock, flags);
		zone_set_pageset_high_and_batch(zone);
	}
	calculate_totalreserve_pages(box);
}
MMBOX_EXPORT_INTERNAL(mmbox_setup_per_zone_wmarks);

/**
 * mmbox_setup_per_zone_lowmem_reserve() - compute lowmem_reserve[] of all zones
 * @box: the box
 *
 * A zone keeps these pages from requests that could use a higher zone of its node.
 *
 * Context: process; the caller excludes other writers.
 */
void mmbox_setup_per_zone_lowmem_reserve(struct mmbox *box)
{
	struct mmbox_zone *zone;

	mmbox_for_each_zone(box, zone) {
		const struct mmbox_zone *zones = zone->zone_pgdat->node_zones;
		int i = mmbox_zone_idx(zone), j;
		int ratio = box->pages.lowmem_reserve_ratio[i];
		unsigned long managed = 0;

		for (j = i + 1; j < MMBOX_MAX_NR_ZONES; j++) {
			managed += zones[j].managed_pages;
			if (!ratio || !mmbox_managed_zone(zone))
				WRITE_ONCE(zone->lowmem_reserve[j], 0);
			else
				WRITE_ONCE(zone->lowmem_reserve[j], managed / ratio);
		}
	}
	calculate_totalreserve_pages(box);
}
MMBOX_EXPORT_INTERNAL(mmbox_setup_per_zone_lowmem_reserve);

/**
 * mmbox_init_per_zone_wmark_min() - compute everything that depends on managed pages
 * @box: the box, after zones have grown or shrunk
 *
 * Context: process, may sleep; tunables_lock not held.
 */
void mmbox_init_per_zone_wmark_min(struct mmbox *box)
{
	mutex_lock(&box->pages.tunables_lock);
	mmbox_calculate_min_free_kbytes(box);
	mmbox_setup_per_zone_wmarks(box);
	mmbox_setup_per_zone_lowmem_reserve(box);
	mutex_unlock(&box->pages.tunables_lock);
}

/* The CPUs that are online share the low watermark: compute the sizes of lists again. */
static void update_pagesets(struct mmbox *box)
{
	mutex_lock(&box->pages.tunables_lock);
	mmbox_zone_pcp_update(box);
	mutex_unlock(&box->pages.tunables_lock);
}

/**
 * mmbox_page_alloc_cpu_dead() - a CPU went offline: drain its page lists
 * @box: the box
 * @cpu: the CPU
 *
 * Drains by other CPUs hold cpus_read_lock(), so none of them runs meanwhile. Later ones
 * find these lists empty, so that concurrent drains never touch the same lists.
 *
 * Context: process, may sleep, as a callback of CPU hotplug.
 */
void mmbox_page_alloc_cpu_dead(struct mmbox *box, unsigned int cpu)
{
	mmbox_drain_pages(box, cpu);
	update_pagesets(box);
}

/**
 * mmbox_page_alloc_cpu_online() - a CPU went online
 * @box: the box
 *
 * Context: process, may sleep, as a callback of CPU hotplug.
 */
void mmbox_page_alloc_cpu_online(struct mmbox *box)
{
	update_pagesets(box);
}
