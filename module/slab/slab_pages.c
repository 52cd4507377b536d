// SPDX-License-Identifier: GPL-2.0
/*
 * SLAB: slabs are made from pages here, and become pages again. slab.c and
 * slab_arrays.c decide when. The end of a slab of a SLAB_TYPESAFE_BY_RCU cache waits
 * for a grace period: see slab_rcu.c.
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/minmax.h>

#include "slab/slab_private.h"

static void account_slab_pages(struct mmbox_slab *s, long nr)
{
	long now = atomic_long_add_return(nr, &s->nr_slab_pages);
	long peak = atomic_long_read(&s->peak_slab_pages);

	while (now > peak &&
	       !atomic_long_try_cmpxchg(&s->peak_slab_pages, &peak, now))
		;
}

static void set_slab_cache(struct mmbox_page *slab, unsigned int order, u32 id)
{
	unsigned int i;

	for (i = 0; i < 1U << order; i++)
		slab[i].slab_cache = id;
}

static unsigned int next_colour_offset(struct mmbox_kmem_cache *cachep,
				       struct mmbox_kmem_cache_node *n)
{
	unsigned int old = READ_ONCE(n->colour_next), colour;

	do {
		colour = old + 1 < cachep->slab.colour ? old + 1 : 0;
	} while (!try_cmpxchg(&n->colour_next, &old, colour));
	return colour * cachep->slab.colour_off;
}

/* Write indices 0, 1, 2, ... to a freelist, eight at once. */
static void init_freelist_bytes(u8 *freelist, unsigned int num)
{
	u64 eight = 0x0706050403020100ULL;	/* little-endian, see mm_types.h */
	unsigned int i;

	for (; num >= 8; num -= 8, freelist += 8) {
		put_unaligned(eight, (u64 *)freelist);
		eight += 0x0808080808080808ULL;
	}
	for (i = 0; i < num; i++)
		freelist[i] = (u8)eight + i;
}

/*
 * Mark all objects of a new slab free. The low bits of the secret are 0, so the mark
 * of an index can be counted up instead of xored.
 */
static void mark_objs(const struct mmbox_kmem_cache *cachep, void *objp)
{
	unsigned long mark = mmbox_free_mark(cachep, 0), end = mark + cachep->num;
	const size_t size = cachep->size;

#pragma GCC unroll 8
	for (; mark < end; mark++, objp += size)
		*(unsigned long *)objp = mark;
}

static void cache_init_objs(struct mmbox_kmem_cache *cachep,
			    struct mmbox_page *slab)
{
	void *s_mem = mmbox_slab_s_mem(cachep, slab), *freelist;
	unsigned int i, num = cachep->num;

	if (mmbox_slab_debugged(cachep))
		mmbox_slab_debug_grown(cachep, slab);
	if (mmbox_objfreelist_slab(cachep))
		slab->freelist = num;
	freelist = __mmbox_slab_freelist(cachep, slab, s_mem);
	if (likely(cachep->slab.index_size == 1))
		init_freelist_bytes(freelist, num);
	else
		for (i = 0; i < num; i++)
			((u16 *)freelist)[i] = i;
	if (unlikely(cachep->slab.freelist_kind == MMBOX_FREELIST_SPILLED))
		init_freelist_bytes(mmbox_freelist_spill(cachep, slab, freelist),
				    MMBOX_FREELIST_SPILL);
	if (likely(!cachep->no_mark))
		return mark_objs(cachep, s_mem);
	if (!cachep->ctor || mmbox_slab_debugged(cachep))
		return;
	for (i = 0; i < num; i++)
		cachep->ctor(s_mem + (size_t)cachep->size * i);
}

/* Get host memory that says which objects are in use, as they carry no mark. */
static int grow_beside(struct mmbox_kmem_cache *cachep, struct mmbox_page *slab, gfp_t gfp)
{
	return mmbox_slab_debugged(cachep) ? mmbox_slab_debug_grow(cachep, slab, gfp) :
					     mmbox_slab_used_grow(cachep, slab, gfp);
}

/**
 * mmbox_cache_grow_begin() - make a slab
 * @cachep: the cache
 * @gfp: GFP flags of the caller
 * @nid: node to begin with
 *
 * Context: any but NMI; may sleep only with __GFP_DIRECT_RECLAIM.
 * Return: the slab, on no list of a node yet and all of it free, or NULL.
 */
struct mmbox_page *mmbox_cache_grow_begin(struct mmbox_kmem_cache *cachep, gfp_t gfp,
					  int nid)
{
	struct mmbox *box = cachep->box;
	struct mmbox_page *slab;

	/* The cache says which zones to use. The caller says how hard to try. */
	gfp &= ~(__GFP_ZERO | __GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM | __GFP_MOVABLE |
		 __GFP_RECLAIMABLE);
	/* With one node, spare the page allocator the choice. */
	if (box->nr_nodes == 1) {
		gfp &= ~__GFP_THISNODE;
		nid = NUMA_NO_NODE;
	}
	if (mmbox_should_failslab(box))
		return NULL;
	slab = mmbox_alloc_typed(box, nid, gfp | cachep->allocflags,
				 cachep->gfporder, MMBOX_PAGE_SLAB);
	if (!slab)
		return NULL;
	slab->freelist = 0;
	if (mmbox_off_slab(cachep)) {
		size_t size = max_t(size_t, MMBOX_FREELIST_UNIT, cachep->slab.freelist_size);
		void *freelist = NULL;

		if (!mmbox_should_failslab(box))
			freelist = mmbox_kmalloc_node(box, size, gfp & ~__GFP_THISNODE,
						      slab->node_id);
		if (!freelist)
			goto free_pages;
		mmbox_slab_debug_own(box, freelist);
		slab->freelist = mmbox_virt_to_phys(box, freelist) / MMBOX_FREELIST_UNIT;
	}
	if (unlikely(cachep->no_mark) &&
	    (mmbox_should_failslab(box) || grow_beside(cachep, slab, gfp)))
		goto free_freelist;
	slab->active = 0;
	slab->hinter = 0;
	slab->s_mem = next_colour_offset(cachep, mmbox_slab_node(cachep, slab)) / MMBOX_S_MEM_UNIT;
	set_slab_cache(slab, cachep->gfporder, cachep->id);
	cache_init_objs(cachep, slab);
	account_slab_pages(&box->slab, 1L << cachep->gfporder);
	return slab;

free_freelist:
	if (mmbox_off_slab(cachep))
		mmbox_kfree(box, mmbox_slab_freelist(cachep, slab));
free_pages:
	mmbox_free_typed(box, slab, cachep->gfporder);
	return NULL;
}

/*
 * Make sure that no CPU's hint names a slab that ends: a later free there would pass
 * for one of its objects. Only a CPU that frees an object of the slab sets a hint of
 * it, and no object of it is in use. If the CPU sets another hint at this moment,
 * that one may be lost, which costs only time.
 */
static void forget_hints(struct mmbox_kmem_cache *cachep, struct mmbox_page *slab)
{
	unsigned long s_mem = (unsigned long)mmbox_slab_s_mem(cachep, slab);
	struct mmbox *box = cachep->box;
	unsigned int cpu;

	/* With preemption off, resized arrays stay: see replace_cpu_arrays(). */
	preempt_disable();
	/* Mostly one CPU: see mmbox_may_hint(). */
	for (cpu = slab->hinter - 1; cpu < nr_cpu_ids; cpu += MMBOX_NR_HINTERS) {
		struct mmbox_array_cache *ac;
		struct mmbox_kfree_hint *hint;

		if (!cpu_possible(cpu))
			continue;
		ac = per_cpu_ptr(READ_ONCE(cachep->cpu_cache), cpu);
		hint = per_cpu_ptr(box->slab.hints, cpu);
		if (READ_ONCE(ac->hint) == s_mem)
			WRITE_ONCE(ac->hint, mmbox_no_hint(box));
		if (READ_ONCE(hint->s_mem) == s_mem)
			WRITE_ONCE(hint->s_mem, mmbox_no_hint(box));
	}
	preempt_enable();
}

/**
 * mmbox_slab_free_pages() - give the pages of a slab back
 * @cachep: the cache
 * @slab: the slab, on no list any more, of which no object is in use
 *
 * Context: any, without list_lock.
 */
void mmbox_slab_free_pages(struct mmbox_kmem_cache *cachep, struct mmbox_page *slab)
{
	struct mmbox *box = cachep->box;

	if (slab->hinter)
		forget_hints(cachep, slab);
	if (mmbox_slab_debugged(cachep))
		mmbox_slab_debug_destroy(cachep, slab);
	if (mmbox_off_slab(cachep))
		mmbox_kfree(box, mmbox_slab_freelist(cachep, slab));
	set_slab_cache(slab, cachep->gfporder, 0);
	account_slab_pages(&box->slab, -(1L << cachep->gfporder));
	mmbox_account_reclaimed_pages(box, 1UL << cachep->gfporder);
	mmbox_free_typed(box, slab, cachep->gfporder);
}

/**
 * mmbox_slabs_destroy() - free slabs, at once or after a grace period
 * @cachep: the cache
 * @list: the slabs, on no list of a node any more
 *
 * Context: any, without list_lock.
 */
void mmbox_slabs_destroy(struct mmbox_kmem_cache *cachep, struct list_head *list)
{
	struct mmbox_page *slab, *next;

	if (list_empty(list))
		return;
	if (cachep->flags & SLAB_TYPESAFE_BY_RCU)
		return mmbox_slabs_defer(cachep->box, list);
	list_for_each_entry_safe(slab, next, list, slab_list) {
		mmbox_raw_list_del(&slab->slab_list);
		mmbox_slab_free_pages(cachep, slab);
	}
}
