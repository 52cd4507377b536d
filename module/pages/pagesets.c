// SPDX-License-Identifier: GPL-2.0
/*
 * The lists of free pages that each CPU has for each zone, from their making
 * to their end: filled from the zone and emptied to it in batches, drained when
 * pages are short, kept short while kswapd is at work. What takes blocks from
 * them and puts blocks on them, and marks them busy meanwhile, is page_alloc.c.
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
 * mmbox_pcp_refill() - move a batch from a zone to an empty list
 * @zone: the zone
 * @pcp: this CPU's lists of it, marked busy
 * @order: power of two of pages a block
 * @migratetype: enum mmbox_migratetype
 * @flags: ALLOC_*
 *
 * Context: preemption off.
 * Return: false if there was nothing.
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
 * mmbox_pcp_trim() - shorten lists that a free found too long
 * @zone: the zone
 * @pcp: this CPU's lists of it, marked busy
 * @order: of the block that was freed
 * @pindex: the list that it went to
 *
 * The lists have reached pcp->high, or a run of frees of one order is seen to
 * go on (free_factor): give back a batch that doubles from one time to the
 * next, or all of it. nr_pcp_high() and nr_pcp_free(), Linux 6.1.
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

/* ---- draining, and how long they may be ---- */

/* Bring the pages of a CPU's lists to their zone: on that CPU, or it is offline. */
static void drain_pages_zone(struct mmbox_zone *zone, int cpu)
{
	struct mmbox_per_cpu_pages *pcp = per_cpu_ptr(zone->per_cpu_pageset, cpu);

	preempt_disable();
	if (!WARN_ON_ONCE(!mmbox_pcp_enter(pcp))) {
		/* In portions: other CPUs may wait for the zone. */
		while (pcp->count)
			free_pcppages_bulk(zone, READ_ONCE(pcp->batch) <<
					   MMBOX_PCP_BATCH_SCALE_MAX, pcp, 0);
		mmbox_pcp_leave(pcp);
	}
	preempt_enable();
}

/**
 * mmbox_drain_pages() - bring the pages of a CPU's lists to the zones
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
 * mmbox_drain_all_pages() - bring the pages of all per-CPU lists to the zones
 * @box: the box
 *
 * Not while a CPU comes or goes. A CPU that puts its first page on a list just
 * now may be missed.
 *
 * Context: process, may sleep.
 */
void mmbox_drain_all_pages(struct mmbox *box)
{
	mmbox_drain_cpus(has_pages, drain_pages, box);
}
MMBOX_EXPORT_INTERNAL(mmbox_drain_all_pages);

/**
 * mmbox_drain_all_pages_cpuslocked() - the same of all CPUs, in any case
 * @box: the box
 *
 * Each CPU has left its lists once since this was called: what it puts on them
 * afterwards it does by pageblock types that were written before.
 *
 * Context: process, may sleep, cpus_read_lock() held.
 */
void mmbox_drain_all_pages_cpuslocked(struct mmbox *box)
{
	mmbox_drain_cpus_cpuslocked(NULL, drain_pages, box);
}
MMBOX_EXPORT_INTERNAL(mmbox_drain_all_pages_cpuslocked);

/**
 * mmbox_nr_pcp_pages() - pages on a zone's per-CPU lists
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

/* Tell all CPUs the sizes that were set. */
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
 * mmbox_set_pageset_high_and_batch() - say how long per-CPU lists may be
 * @zone: the zone
 * @high: pages at which some go back to the zone
 * @batch: pages to move at once
 *
 * While kswapd is at work they are shorter, and get that long when it has ended.
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
 * mmbox_set_reclaim_active() - keep per-CPU lists short while kswapd is at work
 * @zone: the zone
 * @active: kswapd begins; otherwise it has ended
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

/* ---- begin and end ---- */

static void pcp_init(struct mmbox *box, struct mmbox_per_cpu_pages *pcp)
{
	unsigned int i;

	for (i = 0; i < MMBOX_NR_PCP_LISTS; i++)
		INIT_LIST_HEAD(&pcp->lists[i]);
	pcp->batch = 1;
	pcp->busy = !box->pages.design->per_cpu_lists;
}

/**
 * mmbox_pagesets_init() - make the per-CPU part of a box
 * @box: the box, whose nodes are there
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
 * @box: the box; nobody uses it any more
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
 * mmbox_set_first_zones() - tell each CPU where its requests begin
 * @box: the box, whose zonelists are built
 *
 * Context: process. Requests on their way may still use what was before.
 */
void mmbox_set_first_zones(struct mmbox *box)
{
	int cpu, highest;

	for_each_possible_cpu(cpu) {
		struct mmbox_cpu *c = per_cpu_ptr(box->pages.cpu, cpu);
		mmbox_pg_data_t *pgdat = mmbox_node_data(box, c->nid);

		for (highest = 0; highest < MMBOX_MAX_NR_ZONES; highest++) {
			/* Where there is none, one that has nothing. */
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
