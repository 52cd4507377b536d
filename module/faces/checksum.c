// SPDX-License-Identifier: GPL-2.0
/*
 * A checksum of the whole state of a box.
 *
 * Two boxes with the same parameters that did the same operations are in the same
 * state: every page, the order of every list, the contents of every array. All of that
 * is hashed, with addresses as box physical ones. Data that differs from boot to boot
 * is left out: the secret, times, host addresses.
 *
 * If the box is in use meanwhile the result means nothing, but computing it is still
 * safe: each list is walked under its lock, and a CPU's own lists on that CPU.
 */
#include <linux/cpu.h>
#include <linux/jhash.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "faces/faces.h"
#include "pages/buddy.h"
#include "pages/pcp.h"

static u32 hash_pages(struct mmbox *box, u32 hash)
{
	unsigned long pfn;

	for (pfn = 0; pfn < box->memmap.max_pfn; pfn++) {
		const struct mmbox_page *page = mmbox_pfn_to_page(box, pfn);

		if (!(pfn % 4096)) {
			cond_resched();
			if (fatal_signal_pending(current))
				return 0;
		}
		if (!page)
			continue;
		hash = jhash_3words(mmbox_glance(page->type_order),
				    mmbox_glance(page->slab_cache), pfn, hash);
		if (mmbox_glance(page->type) == MMBOX_PAGE_SLAB)
			hash = jhash_3words(mmbox_glance(page->active),
					    mmbox_glance(page->s_mem),
					    mmbox_glance(page->freelist), hash);
	}
	return hash;
}

static u32 hash_page_list(const struct mmbox *box, const struct list_head *list,
			  u32 hash)
{
	const struct mmbox_page *page;

	list_for_each_entry(page, list, buddy_list)
		hash = jhash_1word(__mmbox_page_to_pfn(box, page), hash);
	return jhash_1word(~0, hash);
}

struct block_hash {
	const struct mmbox *box;
	u32 hash;
};

static bool hash_block(struct mmbox_page *page, void *arg)
{
	struct block_hash *h = arg;

	h->hash = jhash_1word(__mmbox_page_to_pfn(h->box, page), h->hash);
	return true;
}

static u32 hash_zone(const struct mmbox *box, struct mmbox_zone *zone, u32 hash)
{
	struct block_hash h = { .box = box, .hash = hash };
	unsigned int order, mt;

	for (order = 0; order < box->pages.max_order; order++) {
		for (mt = 0; mt < MMBOX_MIGRATE_TYPES; mt++) {
			mmbox_buddy_walk(zone, order, mt, hash_block, &h);
			h.hash = jhash_1word(~0, h.hash);
		}
	}
	return h.hash;
}

/* Hash a CPU's page lists of all zones, on that CPU or for an offline one. */
static void hash_cpu(void *arg, int cpu)
{
	struct mmbox *box = arg;
	struct mmbox_zone *zone;
	unsigned int pindex;
	u32 hash = 0;

	mmbox_for_each_zone(box, zone) {
		struct mmbox_per_cpu_pages *pcp = per_cpu_ptr(zone->per_cpu_pageset, cpu);

		preempt_disable();
		WARN_ON_ONCE(!mmbox_pcp_enter(pcp));
		hash = jhash_2words(pcp->count, pcp->free_factor, hash);
		for (pindex = 0; pindex < MMBOX_NR_PCP_LISTS; pindex++)
			hash = hash_page_list(box, &pcp->lists[pindex], hash);
		mmbox_pcp_leave(pcp);
		preempt_enable();
	}
	WRITE_ONCE(per_cpu_ptr(box->pages.cpu, cpu)->checksum, hash);
}

static u32 hash_cpus(struct mmbox *box, u32 hash)
{
	int cpu;

	if (!box->pages.design->per_cpu_lists)
		return hash;
	cpus_read_lock();
	mmbox_drain_cpus_cpuslocked(NULL, hash_cpu, box);
	for_each_possible_cpu(cpu)
		hash = jhash_1word(READ_ONCE(per_cpu_ptr(box->pages.cpu, cpu)->checksum), hash);
	cpus_read_unlock();
	return hash;
}

struct slab_hash {
	const struct mmbox *box;
	u32 hash;
};

static void hash_stack(void *arg, const struct mmbox_object_stack *stack)
{
	struct slab_hash *h = arg;
	unsigned int i;

	if (!stack->limit)
		return;
	for (i = 0; i < stack->avail && i < stack->limit; i++)
		h->hash = jhash_1word(mmbox_virt_to_phys(h->box,
							 mmbox_glance(stack->entry[i])) >> 3,
				      h->hash);
	h->hash = jhash_1word(stack->avail, h->hash);
}

static bool hash_slab(void *arg, struct mmbox_page *slab, const struct mmbox_slab_list *list)
{
	struct slab_hash *h = arg;

	h->hash = jhash_2words(__mmbox_page_to_pfn(h->box, slab), list->max, h->hash);
	return true;
}

static void hash_counts(void *arg, const struct mmbox_node_counts *counts)
{
	struct slab_hash *h = arg;

	h->hash = jhash_3words(counts->total_slabs, counts->free_objects, counts->colour_next,
			       h->hash);
}

static u32 hash_cache(const struct mmbox *box, struct mmbox_kmem_cache *cachep,
		      u32 hash)
{
	static const struct mmbox_slab_walker walker = {
		.slab = hash_slab,
		.node = hash_counts,
		.stack = hash_stack,
	};
	struct slab_hash h = { .box = box };

	h.hash = jhash(cachep->name, strlen(cachep->name), hash);
	mmbox_slab_ops(cachep)->walk(cachep, &walker, &h);
	mmbox_slab_ops(cachep)->peek_cpus(cachep, &walker, &h);
	return h.hash;
}

/**
 * mmbox_checksum() - hash the state of a box
 * @box: the box; the result is meaningful only if it is not in use meanwhile
 *
 * Context: process, may sleep.
 * Return: the hash; meaningless if the task was killed.
 */
u32 mmbox_checksum(struct mmbox *box)
{
	struct mmbox_kmem_cache *cachep;
	u32 hash = 0;
	int nid, i;

	/* Keeps all descriptors in place. */
	if (mutex_lock_killable(&box->pages.memory_lock))
		return 0;
	hash = hash_pages(box, hash);
	mmbox_for_each_online_node(box, nid)
		for (i = 0; i < box->node[nid]->nr_zones; i++)
			hash = hash_zone(box, &box->node[nid]->node_zones[i], hash);
	hash = hash_cpus(box, hash);
	mutex_unlock(&box->pages.memory_lock);
	if (mutex_lock_killable(&box->slab.mutex))
		return 0;
	list_for_each_entry(cachep, &box->slab.caches, list)
		hash = hash_cache(box, cachep, hash);
	mutex_unlock(&box->slab.mutex);
	return hash;
}
MMBOX_EXPORT_INTERNAL(mmbox_checksum);
