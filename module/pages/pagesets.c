// SPDX-License-Identifier: GPL-2.0
/*
 * Per-CPU page lists: each CPU has lists of free pages for each zone. This file sets
 * them up, fills them from the zone and empties them to it in batches, drains them
 * when pages are short, and keeps them short while kswapd reclaims. page_alloc.c,
 * page_freelist.c and page_free.c take blocks from the lists and put blocks on them.
 *
 * The sizes of batches are those of mm/page_alloc.c, Linux 6.1.
 */
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/percpu.h>

#include "pages/buddy.h"
#include "pages/pcp.h"

/* ---- filling and emptying ---- */

/**
 * mmbox_pcp_refill() - move a batch of blocks from a zone to an empty list
 * @zone: the zone
 * @pcp: this CPU's lists for the zone, marked busy
 * @order: order of the blocks
 * @migratetype: enum mmbox_migratetype
 * @flags: ALLOC_*
 *
 * Context: preemption off.
 * Return: true if it moved at least one block.
 */
noinline bool mmbox_pcp_refill(struct mmbox_zone *zone, struct mmbox_per_cpu_pages *pcp,
			       unsigned int order, int migratetype, unsigned int flags)
{
	int batch = READ_ONCE(pcp->batch);

	if (batch > 1)
		batch = max(batch >> order, 2);
	return mmbox_buddy_alloc_bulk(zone, pcp, order, batch, migratetype, flags);
}

static void free_pcppages_bulk(struct mmbox_zone *zone, int count,
			       struct mmbox_per_cpu_pages *pcp, unsigned int pindex)
{
	mmbox_buddy_free_bulk(zone, pcp, min(pcp->count, count), pindex);
}

/**
 * mmbox_pcp_trim() - shorten this CPU's lists after a free
 * @zone: the zone
 * @pcp: this CPU's lists for the zone, marked busy
 * @order: order of the block that was freed
 * @pindex: index of the list that it was put on
 *
 * If the lists have reached pcp->high, move a batch to the zone. The batch doubles
 * each time (free_factor). If blocks of order 1 to 3 are being freed in a row, move
 * all pages. As nr_pcp_high() and nr_pcp_free(), Linux 6.1.
 *
 * Context: preemption off.
 */
noinline void mmbox_pcp_trim(struct mmbox_zone *zone, struct mmbox_per_cpu_pages *pcp,
			     unsigned int order, unsigned int pindex)
{
	int high = READ_ONCE(pcp->high), batch = READ_ONCE(pcp->batch);
	int min_nr_free = batch, max_nr_free = high - batch;
	int nr;

	if (order && order <= MMBOX_COSTLY_ORDER && pcp->free_factor) {
		nr = pcp->count;
	} else if (pcp->count < high) {
		return;
	} else if (high < batch) {
		nr = 1;
	} else {
		nr = batch << pcp->free_factor;
		if (nr < max_nr_free && pcp->free_factor < MMBOX_PCP_BATCH_SCALE_MAX)
			pcp->free_factor++;
		nr = clamp(nr, min_nr_free, max(min_nr_free, max_nr_free));
	}
	free_pcppages_bulk(zone, nr, pcp, pindex);
}

/* ---- draining, and sizes of lists ---- */

/* Move all pages of a CPU's lists to their zone. Runs on that CPU, unless it is offline. */
static void drain_pages_zone(struct mmbox_zone *zone, int cpu)
{
	struct mmbox_per_cpu_pages *pcp = per_cpu_ptr(zone->per_cpu_pageset, cpu);

	preempt_disable();
	if (!WARN_ON_ONCE(!mmbox_pcp_enter(pcp))) {
		/* In portions, because other CPUs may wait for the zone's lock. */
		while (pcp->count)
			free_pcppages_bulk(zone, READ_ONCE(pcp->batch) <<
					   MMBOX_PCP_BATCH_SCALE_MAX, pcp, 0);
		mmbox_pcp_leave(pcp);
	}
	preempt_enable();
}

/**
 * mmbox_drain_pages() - move all pages on a CPU's lists to their zones
 * @box: the box
 * @cpu: the CPU: this one, or one that is offline
 *
 * Context: process, may sleep.
 */
void mmbox_drain_pages(struct mmbox *box, int cpu)
{
	struct mmbox_zone *zone;

	if (!box->pages.design->per_cpu_lists)
		return;
	mmbox_for_each_zone(box, zone)
		drain_pages_zone(zone, cpu);
}

static void drain_pages(void *box, int cpu)
{
	mmbox_drain_pages(box, cpu);
}

static bool has_pages(void *arg, int cpu)
{
	struct mmbox *box = arg;
	struct mmbox_zone *zone;

	mmbox_for_each_zone(box, zone)
		if (mmbox_glance(per_cpu_ptr(zone->per_cpu_pageset, cpu)->count))
			return true;
	return false;
}

/**
 * mmbox_drain_all_pages() - move the pages on all per-CPU lists to their zones
 * @box: the box
 *
 * Does nothing while a CPU goes online or offline. It may miss a CPU that puts its
 * first page on a list at the same time.
 *
 * Context: process, may sleep.
 */
void mmbox_drain_all_pages(struct mmbox *box)
{
	mmbox_drain_cpus(has_pages, drain_pages, box);
}
MMBOX_EXPORT_INTERNAL(mmbox_drain_all_pages);

/**
 * mmbox_drain_all_pages_cpuslocked() - drain the lists of all CPUs, empty ones too
 * @box: the box
 *
 * It runs on every CPU that is online. After it, all CPUs see the pageblock types that
 * the caller wrote before, so no page of an isolated pageblock goes on a list any more.
 *
 * Context: process, may sleep, cpus_read_lock() held.
 */
void mmbox_drain_all_pages_cpuslocked(struct mmbox *box)
{
	mmbox_drain_cpus_cpuslocked(NULL, drain_pages, box);
}
MMBOX_EXPORT_INTERNAL(mmbox_drain_all_pages_cpuslocked);

/**
 * mmbox_nr_pcp_pages() - count the pages on a zone's per-CPU lists
 * @zone: the zone
 *
 * Context: any; a snapshot while other CPUs allocate.
 * Return: pages.
 */
unsigned long mmbox_nr_pcp_pages(const struct mmbox_zone *zone)
{
	unsigned long pages = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		pages += mmbox_glance(per_cpu_ptr(zone->per_cpu_pageset, cpu)->count);
	return pages;
}
MMBOX_EXPORT_INTERNAL(mmbox_nr_pcp_pages);

/* Set high and batch of all CPUs. While kswapd reclaims, lists are 4 batches long at most. */
static void pageset_update(struct mmbox_zone *zone)
{
	int batch = zone->pageset_batch, high = zone->pageset_high, cpu;

	lockdep_assert_held(&zone->marks_lock);
	if (test_bit(MMBOX_ZONE_RECLAIM_ACTIVE, &zone->flags))
		high = min(batch << 2, high);
	for_each_possible_cpu(cpu) {
		struct mmbox_per_cpu_pages *pcp;

		pcp = per_cpu_ptr(zone->per_cpu_pageset, cpu);
		WRITE_ONCE(pcp->batch, batch);
		WRITE_ONCE(pcp->high, high);
	}
}

/**
 * mmbox_set_pageset_high_and_batch() - set the sizes of a zone's per-CPU lists
 * @zone: the zone
 * @high: number of pages at which a batch goes back to the zone
 * @batch: number of pages to move at once
 *
 * If kswapd is reclaiming, the lists stay short until it has finished.
 *
 * Context: process, marks_lock is taken.
 */
void mmbox_set_pageset_high_and_batch(struct mmbox_zone *zone, int high, int batch)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&zone->marks_lock, flags);
	zone->pageset_high = high;
	zone->pageset_batch = batch;
	pageset_update(zone);
	raw_spin_unlock_irqrestore(&zone->marks_lock, flags);
}

/**
 * mmbox_set_reclaim_active() - keep per-CPU lists short while kswapd reclaims
 * @zone: the zone
 * @active: true when kswapd begins, false when it has finished
 *
 * Context: process, marks_lock is taken.
 */
void mmbox_set_reclaim_active(struct mmbox_zone *zone, bool active)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&zone->marks_lock, flags);
	assign_bit(MMBOX_ZONE_RECLAIM_ACTIVE, &zone->flags, active);
	pageset_update(zone);
	raw_spin_unlock_irqrestore(&zone->marks_lock, flags);
}
MMBOX_EXPORT_INTERNAL(mmbox_set_reclaim_active);

/* ---- set-up and tear-down ---- */

static void pcp_init(struct mmbox *box, struct mmbox_per_cpu_pages *pcp)
{
	unsigned int i;

	for (i = 0; i < MMBOX_NR_PCP_LISTS; i++)
		INIT_LIST_HEAD(&pcp->lists[i]);
	pcp->batch = 1;
	pcp->busy = !box->pages.design->per_cpu_lists;
}

/**
 * mmbox_pagesets_init() - allocate the per-CPU data and page lists of a box
 * @box: the box; its nodes are allocated
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int mmbox_pagesets_init(struct mmbox *box)
{
	unsigned int nr_zones = box->nr_nodes * MMBOX_MAX_NR_ZONES;
	struct mmbox_zone *zone;
	int cpu;

	static_assert(sizeof(struct mmbox_cpu) == sizeof(struct mmbox_per_cpu_pages));
	box->pages.pagesets = mmbox_host_alloc_percpu(&box->host, (1 + nr_zones) *
						sizeof(struct mmbox_per_cpu_pages),
						__alignof__(struct mmbox_per_cpu_pages),
						"per-CPU page lists");
	if (!box->pages.pagesets)
		return -ENOMEM;
	box->pages.cpu = (struct mmbox_cpu __percpu *)box->pages.pagesets->ptr;
	mmbox_for_each_zone(box, zone) {
		zone->per_cpu_pageset = (struct mmbox_per_cpu_pages __percpu *)
					box->pages.pagesets->ptr + 1 + mmbox_zone_link(zone);
		for_each_possible_cpu(cpu)
			pcp_init(box, per_cpu_ptr(zone->per_cpu_pageset, cpu));
	}
	return 0;
}

/**
 * mmbox_pagesets_exit() - undo mmbox_pagesets_init()
 * @box: the box; it has no users left
 *
 * Context: process, may sleep.
 */
void mmbox_pagesets_exit(struct mmbox *box)
{
	mmbox_host_free_percpu(&box->host, box->pages.pagesets);
	box->pages.pagesets = NULL;
	box->pages.cpu = NULL;
}

/**
 * mmbox_set_first_zones() - store the first zone of each CPU's zonelist
 * @box: the box; its zonelists are built
 *
 * Context: process. Concurrent requests may still use the old zone.
 */
void mmbox_set_first_zones(struct mmbox *box)
{
	int cpu, highest;

	for_each_possible_cpu(cpu) {
		struct mmbox_cpu *c = per_cpu_ptr(box->pages.cpu, cpu);
		mmbox_pg_data_t *pgdat = mmbox_node_data(box, c->nid);

		for (highest = 0; highest < MMBOX_MAX_NR_ZONES; highest++) {
			/* If the zonelist has no such zone, use an empty one. */
			struct mmbox_zone *first = &pgdat->node_zones[highest];
			struct mmbox_zoneref *zref;
			struct mmbox_zone *zone;

			mmbox_for_each_zoneref(zone, zref, &pgdat->node_zonelists[0],
					       highest) {
				first = zone;
				break;
			}
			WRITE_ONCE(c->first[highest], first);
		}
	}
}
MMBOX_EXPORT_INTERNAL(mmbox_set_first_zones);
