// SPDX-License-Identifier: GPL-2.0
/*
 * SLAB: caches of objects of one size, as Linux had them until 6.7.
 *
 *	array_cache (a CPU's) <-> shared array <-> slabs of kmem_cache_node <-> pages
 *
 * Each CPU allocates from an array of its own and frees to it. An empty array is
 * refilled with a batch of objects: from the shared array, else from partial slabs,
 * else from free slabs, else from a new slab. When the array is full, its oldest
 * batch goes to the shared array, or else back to the slabs. A slab that becomes
 * free goes back to the page allocator if its node holds more free objects than
 * free_limit.
 *
 * A slab is a block of pages. Its objects begin at a colour, so that the slabs of a
 * cache do not all use the same cache lines. Its freelist is an array of object
 * indices; the objects from position `active` on are free. The freelist lies at the
 * end of the slab, in a kmalloc object (off-slab) or in a free object (objfreelist).
 *
 * slab_lists.c puts objects back into slabs, slab_pages.c takes slabs from the
 * page allocator and gives them back, slab_check.c says what an address is, and
 * slab_bulk.c has the calls for many objects at once.
 *
 * All decisions are those of mm/slab.c of Linux 6.1. Two things differ. The fast
 * paths, in slab_fast.h, take no lock and leave interrupts on: see struct
 * mmbox_array_cache. And every free is checked: the object must belong to the cache
 * and must not be free. The first word of a free object is its index xor a secret of
 * the box, from the time its slab is made. A cache that promises to keep the
 * contents of free objects has no such mark: slab_used.c keeps a bit for each object.
 */
#include <linux/minmax.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "slab/slab_private.h"

#define BATCHREFILL_LIMIT	16	/* objects for a CPU that had none lately */

/* ---- a slab and its objects ---- */

/*
 * One body for indices of one byte and of two. @bytes is a constant at each call, so
 * the loop does not test it for each object.
 */
static __always_inline void __take_free_objs(const struct mmbox_kmem_cache *cachep,
					     const void *freelist, bool bytes,
					     void *s_mem, void **objpp,
					     unsigned int nr)
{
	size_t size = cachep->size;
	unsigned int i;

#pragma GCC unroll 4
	for (i = 0; i < nr; i++)
		objpp[i] = s_mem + size * __mmbox_get_free_obj(freelist, bytes, i);
}

/* The same for MMBOX_FREELIST_SPILLED: the first indices are in another object. */
static void take_free_objs_spilled(const struct mmbox_kmem_cache *cachep,
				   const struct mmbox_page *slab, const u8 *freelist,
				   void *s_mem, void **objpp, unsigned int nr)
{
	unsigned int active = slab->active;
	unsigned int room = MMBOX_FREELIST_SPILL -
			    min_t(unsigned int, active, MMBOX_FREELIST_SPILL);
	unsigned int first = min(nr, room);
	const u8 *spill;

	if (first) {
		spill = mmbox_freelist_spill(cachep, slab, freelist);
		__take_free_objs(cachep, spill + active, true, s_mem, objpp, first);
	}
	__take_free_objs(cachep, freelist + active + first, true, s_mem, objpp + first,
			 nr - first);
}

/* ---- nodes ---- */

/*
 * The node that this CPU allocates from, as numa_mem_id(). With preemption on, the
 * task may move to another CPU at any time, so read it once and keep the value.
 */
static int local_nid(const struct mmbox_kmem_cache *cachep)
{
	return mmbox_numa_node_id(cachep->box);
}

static struct mmbox_kmem_cache_node *local_node(const struct mmbox_kmem_cache *cachep)
{
	return cachep->slab.node[local_nid(cachep)];
}

/* Flags for one node only, without reclaim: gfp_exact_node(), mm/slab.c, Linux 6.1 */
static gfp_t gfp_exact_node(gfp_t gfp)
{
	return (gfp | __GFP_THISNODE | __GFP_NOWARN) & ~(__GFP_RECLAIM | __GFP_NOFAIL);
}

/* ---- kmem_cache_node: all under list_lock ---- */

/* Take up to @nr free objects of a slab. Returns how many. */
static unsigned int alloc_block(struct mmbox_kmem_cache *cachep,
				struct mmbox_page *slab, void **objpp,
				unsigned int nr)
{
	void *s_mem = mmbox_slab_s_mem(cachep, slab);
	const void *freelist = __mmbox_slab_freelist(cachep, slab, s_mem);
	unsigned int active = slab->active;

	nr = min(nr, cachep->num - active);
	if (mmbox_slab_debugged(cachep))
		mmbox_slab_debug_take(cachep, slab, nr);
	if (likely(cachep->slab.freelist_kind == MMBOX_FREELIST_BYTES))
		__take_free_objs(cachep, freelist + active, true, s_mem, objpp, nr);
	else if (cachep->slab.freelist_kind == MMBOX_FREELIST_SPILLED)
		take_free_objs_spilled(cachep, slab, freelist, s_mem, objpp, nr);
	else
		__take_free_objs(cachep, freelist + active * sizeof(u16), false,
				 s_mem, objpp, nr);
	slab->active = active + nr;
	if (mmbox_slab_debugged(cachep))
		mmbox_slab_debug_taken(cachep, slab);
	return nr;
}

/* Put a slab on the list where it belongs after objects were taken from it. */
static void fixup_slab_list(struct mmbox_kmem_cache *cachep,
			    struct mmbox_kmem_cache_node *n,
			    struct mmbox_page *slab)
{
	lockdep_assert_held(&n->list_lock);
	if (slab->active < cachep->num) {
		mmbox_raw_list_add(&slab->slab_list, &n->slabs_partial);
		return;
	}
	mmbox_raw_list_add(&slab->slab_list, &n->slabs_full);
	if (mmbox_objfreelist_slab(cachep))
		slab->freelist = 0;
}

/* Choose the slab that the next objects come from, and take it off its list. */
static struct mmbox_page *take_first_slab(struct mmbox_kmem_cache_node *n)
{
	struct mmbox_page *slab;

	lockdep_assert_held(&n->list_lock);
	slab = list_first_entry_or_null(&n->slabs_partial, struct mmbox_page,
					slab_list);
	if (!slab) {
		WRITE_ONCE(n->free_touched, 1);
		slab = list_first_entry_or_null(&n->slabs_free,
						struct mmbox_page, slab_list);
		if (!slab)
			return NULL;
		n->free_slabs--;
	}
	mmbox_slab_unlink(n, slab);
	return slab;
}

/* Move up to @nr of the most recent objects from one array to another. */
static unsigned int transfer_objects(void **to, struct mmbox_array_cache *from,
				     unsigned int nr)
{
	nr = min(nr, from->avail);
	from->avail -= nr;
	mmbox_copy_words(to, from->entry + from->avail, nr);
	return nr;
}

/* Take up to @nr objects from a node, without making a slab. Returns how many. */
static unsigned int node_alloc(struct mmbox_kmem_cache *cachep,
			       struct mmbox_kmem_cache_node *n, void **objpp,
			       unsigned int nr)
{
	struct mmbox_array_cache *shared = READ_ONCE(n->shared);
	struct mmbox_page *slab;
	unsigned int got = 0;
	unsigned long flags;

	if (!mmbox_glance(n->free_objects) && (!shared || !mmbox_glance(shared->avail)))
		return 0;

	raw_spin_lock_irqsave(&n->list_lock, flags);
	shared = n->shared;
	if (shared && shared->avail) {
		got = transfer_objects(objpp, shared, nr);
		WRITE_ONCE(shared->touched, 1);
		goto unlock;
	}
	while (got < nr) {
		slab = take_first_slab(n);
		if (!slab)
			break;
		got += alloc_block(cachep, slab, objpp + got, nr - got);
		fixup_slab_list(cachep, n, slab);
	}
	n->free_objects -= got;
	mmbox_slab_stat_allocs(cachep, got);
unlock:
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	return got;
}

/* Add a new slab to its node. Some of its objects may be out already. */
static void cache_grow_end(struct mmbox_kmem_cache *cachep, struct mmbox_page *slab)
{
	struct mmbox_kmem_cache_node *n = mmbox_slab_node(cachep, slab);
	unsigned long flags;

	raw_spin_lock_irqsave(&n->list_lock, flags);
	mmbox_slab_walk_note(n, NULL);
	n->total_slabs++;
	if (slab->active) {
		fixup_slab_list(cachep, n, slab);
	} else {
		mmbox_raw_list_add_tail(&slab->slab_list, &n->slabs_free);
		n->free_slabs++;
	}
	n->free_objects += cachep->num - slab->active;
	mmbox_slab_stat_inc(cachep, grown);
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
}

/* ---- array_cache: with preemption off, and marked busy ---- */

/* Take one object from the slabs of a node. NULL if none is free. */
static void *node_first_object(struct mmbox_kmem_cache *cachep,
			       struct mmbox_kmem_cache_node *n)
{
	struct mmbox_page *slab;
	void *objp = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&n->list_lock, flags);
	slab = take_first_slab(n);
	if (slab) {
		alloc_block(cachep, slab, &objp, 1);
		n->free_objects--;
		fixup_slab_list(cachep, n, slab);
		mmbox_slab_stat_inc(cachep, node_allocs);
		mmbox_slab_stat_active(cachep);
	}
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	return objp;
}

/*
 * Allocate an object from the slabs of one node, without the arrays. If none is free,
 * make a new slab on that node.
 */
static void *node_alloc_one(struct mmbox_kmem_cache *cachep, gfp_t gfp, int nid)
{
	void *objp = node_first_object(cachep, cachep->slab.node[nid]);
	struct mmbox_page *slab;

	if (objp)
		return objp;
	slab = mmbox_cache_grow_begin(cachep, gfp_exact_node(gfp), nid);
	if (!slab)
		return NULL;
	/* 6.1 does not count this object as active either. */
	alloc_block(cachep, slab, &objp, 1);
	cache_grow_end(cachep, slab);
	return objp;
}

/*
 * The local node has no memory. Take a free object of another node, nearest first.
 * If there is none, make a slab on any node, with all the effort that @gfp allows.
 */
static void *fallback_alloc(struct mmbox_kmem_cache *cachep, gfp_t gfp)
{
	mmbox_pg_data_t *pgdat = mmbox_node_data(cachep->box, local_nid(cachep));
	struct mmbox_zoneref *zref;
	struct mmbox_zone *zone;
	struct mmbox_page *slab;
	void *objp;
	int nid;

	if (gfp & __GFP_THISNODE)
		return NULL;
	for (;;) {
		mmbox_for_each_zoneref(zone, zref,
				       &pgdat->node_zonelists[MMBOX_ZONELIST_FALLBACK],
				       MMBOX_MAX_NR_ZONES - 1) {
			nid = zone->zone_pgdat->node_id;
			if (!mmbox_glance(cachep->slab.node[nid]->free_objects))
				continue;
			objp = node_alloc_one(cachep, gfp, nid);
			if (objp)
				return objp;
		}
		slab = mmbox_cache_grow_begin(cachep, gfp, local_nid(cachep));
		if (!slab)
			return NULL;
		nid = slab->node_id;
		cache_grow_end(cachep, slab);
		objp = node_alloc_one(cachep, gfp, nid);
		if (objp)
			return objp;
		/* Others have taken all of its objects: try again. */
	}
}

/*
 * Enter this CPU's array. NULL if it is in use, or if the CPU is not of node @nid.
 * Inline, else @avail lies on the stack, and each allocation pays for its protector.
 */
static __always_inline struct mmbox_array_cache *
ac_begin_on_node(struct mmbox_kmem_cache *cachep, int nid, unsigned int *avail)
{
	struct mmbox_array_cache *ac = mmbox_ac_begin(cachep, avail);

	if (ac && unlikely(local_nid(cachep) != nid)) {
		mmbox_ac_end(ac, *avail);
		ac = NULL;
	}
	return ac;
}

/*
 * Allocate an object of node @nid from this CPU's array, and refill the array if it
 * is empty. NULL if this is an interrupt that has found the array in use, if there is
 * no memory, or if the task has moved to a CPU of another node.
 */
static void *array_alloc(struct mmbox_kmem_cache *cachep, gfp_t gfp, int nid)
{
	struct mmbox_array_cache *ac;
	unsigned int avail, batchcount;
	struct mmbox_page *slab;
	void *objp = NULL;

	ac = ac_begin_on_node(cachep, nid, &avail);
	if (!ac)
		return NULL;
	if (avail)
		mmbox_slab_stat_inc(cachep, allochit);
	else
		mmbox_slab_stat_inc(cachep, allocmiss);
	batchcount = ac->batchcount;
	if (!ac->touched)
		batchcount = min_t(unsigned int, batchcount, BATCHREFILL_LIMIT);
	if (!avail)
		avail = node_alloc(cachep, cachep->slab.node[nid], ac->entry, batchcount);
	if (avail) {
		ac->touched = 1;
		objp = ac->entry[--avail];
	}
	mmbox_ac_end(ac, avail);
	if (objp)
		return objp;

	slab = mmbox_cache_grow_begin(cachep, gfp_exact_node(gfp), nid);
	/* Preemption was on: this may be another CPU, and its array may have objects. */
	ac = ac_begin_on_node(cachep, nid, &avail);
	if (ac) {
		if (!avail && slab && slab->node_id == nid) {
			avail = alloc_block(cachep, slab, ac->entry,
					    min(batchcount, ac->limit));
			mmbox_slab_stat_allocs(cachep, avail);
		}
		if (avail) {
			ac->touched = 1;
			objp = ac->entry[--avail];
		}
	}
	/* Before the array is left: then others can free its objects to the slab. */
	if (slab)
		cache_grow_end(cachep, slab);
	if (ac)
		mmbox_ac_end(ac, avail);
	return objp;
}

/* __do_cache_alloc(), mm/slab.c, Linux 6.1 */
static void *cache_alloc(struct mmbox_kmem_cache *cachep, gfp_t gfp, int nid)
{
	int local = local_nid(cachep);
	void *objp = NULL;

	/* In a box of one node the fast path ignores @nid, so ignore it here too. */
	if (nid == NUMA_NO_NODE || cachep->box->nr_nodes == 1)
		nid = local;
	else if (unlikely((unsigned int)nid >= cachep->box->nr_nodes))
		return NULL;
	if (nid == local)
		objp = array_alloc(cachep, gfp, nid);
	return objp ?: node_alloc_one(cachep, gfp, nid) ?: fallback_alloc(cachep, gfp);
}

/* Free an object to its slab: this is an interrupt that has found the array in use. */
static noinline void node_free_one(struct mmbox_kmem_cache *cachep, void *objp)
{
	struct mmbox_kmem_cache_node *n = mmbox_slab_node(cachep, mmbox_virt_to_slab(cachep, objp));
	LIST_HEAD(destroy);
	unsigned long flags;

	raw_spin_lock_irqsave(&n->list_lock, flags);
	mmbox_free_block(cachep, n, &objp, 1, &destroy);
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	mmbox_slabs_destroy(cachep, &destroy);
}

/**
 * mmbox_cache_flusharray() - make room in an array that is full
 * @cachep: the cache
 * @ac: this CPU's array, entered
 * @avail: how many objects are in it
 *
 * The oldest batch goes to the shared array as far as that has room, else to
 * the slabs.
 *
 * Context: preemption off.
 * Return: how many objects are left.
 */
noinline unsigned int mmbox_cache_flusharray(struct mmbox_kmem_cache *cachep,
					     struct mmbox_array_cache *ac,
					     unsigned int avail)
{
	struct mmbox_kmem_cache_node *n = local_node(cachep);
	unsigned int batchcount = min_t(unsigned int, ac->batchcount, avail);
	struct mmbox_array_cache *shared;
	LIST_HEAD(destroy);
	unsigned long flags;

	raw_spin_lock_irqsave(&n->list_lock, flags);
	shared = n->shared;
	if (shared && shared->avail < shared->limit) {
		batchcount = min(batchcount, shared->limit - shared->avail);
		mmbox_copy_words(shared->entry + shared->avail, ac->entry, batchcount);
		shared->avail += batchcount;
	} else {
		mmbox_free_block(cachep, n, ac->entry, batchcount, &destroy);
	}
	mmbox_slab_stat_max(cachep, max_freeable, n->free_slabs);
	raw_spin_unlock_irqrestore(&n->list_lock, flags);

	avail -= batchcount;
	mmbox_copy_words(ac->entry, ac->entry + batchcount, avail);
	mmbox_slabs_destroy(cachep, &destroy);
	return avail;
}

/**
 * mmbox_cache_free_flush() - end a free that found the array full
 * @cachep: the cache
 * @objp: the object, marked free already
 * @ac: this CPU's array
 *
 * Context: entered with preemption off, once, and @ac entered; leaves both.
 */
noinline void mmbox_cache_free_flush(struct mmbox_kmem_cache *cachep, void *objp,
				     struct mmbox_array_cache *ac)
{
	unsigned int avail = mmbox_cache_flusharray(cachep, ac, ac->avail);

	ac->entry[avail++] = objp;
	mmbox_ac_end(ac, avail);
}

/**
 * mmbox_cache_free_bad() - end a free that the fast path takes for a bad one
 * @cachep: the cache to which it was to be freed
 * @objp: what was to be freed
 * @ac: this CPU's array
 *
 * Context: entered with preemption off, once, and @ac entered; leaves both.
 */
noinline void mmbox_cache_free_bad(struct mmbox_kmem_cache *cachep, void *objp,
				   struct mmbox_array_cache *ac)
{
	unsigned long s_mem, index;

	if (mmbox_nonlinear_obj_is_ours(cachep, objp, cachep->id, &s_mem, &index) &&
	    mmbox_mark_free(cachep, objp, index)) {
		mmbox_ac_hint(ac, mmbox_virt_to_slab(cachep, objp), s_mem);
		return mmbox_cache_free_marked(cachep, objp, ac);
	}
	mmbox_ac_undo(ac);
	preempt_enable();
	mmbox_bad_free(cachep, objp);
}

/*
 * Put an object on this CPU's array, which is entered. An object of another node
 * goes to the alien cache for that node instead.
 */
static void array_free(struct mmbox_kmem_cache *cachep, struct mmbox_array_cache *ac,
		       void *objp)
{
	int nid = local_nid(cachep), slab_nid = mmbox_virt_to_slab(cachep, objp)->node_id;
	unsigned int avail = ac->avail;

	if (nid != slab_nid)
		return mmbox_cache_free_alien(cachep, objp, nid, slab_nid);
	if (avail < ac->limit) {
		mmbox_slab_stat_inc(cachep, freehit);
	} else {
		mmbox_slab_stat_inc(cachep, freemiss);
		avail = mmbox_cache_flusharray(cachep, ac, avail);
	}
	ac->entry[avail++] = objp;
	ac->avail = avail;
}

/* Take an object of this cache away from its user. False if it is free already. */
static bool take_from_user(const struct mmbox_kmem_cache *cachep, void *objp,
			   unsigned long index)
{
	return cachep->no_mark ? mmbox_clear_used(cachep, objp) :
				 mmbox_mark_free(cachep, objp, index);
}

/**
 * mmbox_cache_free_diverted() - free past the fast path
 * @cachep: the cache to which it is to be freed
 * @objp: what is to be freed
 * @ac: this CPU's array
 *
 * This is an interrupt that has found the array in use, or the cache is diverted from
 * the fast paths: see struct mmbox_array_cache.
 *
 * Context: entered with preemption off, once, and what mmbox_ac_enter_fast()
 * did; leaves both.
 */
noinline void mmbox_cache_free_diverted(struct mmbox_kmem_cache *cachep,
					void *objp, struct mmbox_array_cache *ac)
{
	unsigned long s_mem, index;
	unsigned int avail;

	mmbox_ac_undo(ac);
	preempt_enable();
	if (mmbox_slab_debugged(cachep)) {
		objp = mmbox_slab_debug_free(cachep, objp, _RET_IP_);
		if (!objp)
			return;
	} else if (!mmbox_any_obj_is_ours(cachep, objp, cachep->id, &s_mem, &index) ||
		   !take_from_user(cachep, objp, index)) {
		return mmbox_bad_free(cachep, objp);
	}
	ac = mmbox_ac_begin(cachep, &avail);
	if (!ac)
		return node_free_one(cachep, objp);
	array_free(cachep, ac, objp);
	mmbox_ac_end(ac, ac->avail);
}

/* ---- allocation and free ---- */

/* Give out @objp if its checks pass. Otherwise take objects until one passes. */
static noinline void *alloc_debugged(struct mmbox_kmem_cache *cachep, gfp_t gfp,
				     int nid, void *objp, unsigned long caller)
{
	void *checked;

	while (objp) {
		checked = mmbox_slab_debug_alloc(cachep, gfp, objp, caller);
		if (checked)
			return checked;
		objp = cache_alloc(cachep, gfp, nid);
	}
	return NULL;
}

/**
 * mmbox_do_cache_alloc() - allocate past the fast path
 * @cachep: the cache
 * @gfp: GFP flags of the caller
 * @nid: node to begin with, or NUMA_NO_NODE
 * @caller: who asks, for a debugged cache
 *
 * Context: as mmbox_kmem_cache_alloc().
 * Return: the object, or NULL.
 */
void *mmbox_do_cache_alloc(struct mmbox_kmem_cache *cachep, gfp_t gfp, int nid,
			   unsigned long caller)
{
	void *objp = cache_alloc(cachep, gfp, nid);

	if (mmbox_slab_debugged(cachep))
		return alloc_debugged(cachep, gfp, nid, objp, caller);
	if (!objp)
		return NULL;
	mmbox_give_object(cachep, objp);
	if (gfp & __GFP_ZERO)
		mmbox_clear_object(cachep, objp);
	return objp;
}

/**
 * mmbox_cache_alloc_slow() - allocate where the array is empty, in use, or diverted
 * @cachep: the cache
 * @gfp: GFP flags of the caller
 * @nid: node for new slabs
 * @ac: this CPU's array
 *
 * Context: entered with preemption off, once, and what mmbox_ac_enter_fast()
 * did; leaves both, then as mmbox_kmem_cache_alloc().
 * Return: the object, or NULL.
 */
noinline void *mmbox_cache_alloc_slow(struct mmbox_kmem_cache *cachep, gfp_t gfp,
				      int nid, struct mmbox_array_cache *ac)
{
	mmbox_ac_undo(ac);
	preempt_enable();
	return mmbox_do_cache_alloc(cachep, gfp, nid, _RET_IP_);
}

/**
 * mmbox_cache_alloc_zero() - end an allocation that clears the object
 * @cachep: the cache
 * @gfp: GFP flags of the caller
 * @objp: the object, taken from the array
 *
 * Context: entered with preemption off, once, which it enables.
 * Return: @objp.
 */
noinline void *mmbox_cache_alloc_zero(struct mmbox_kmem_cache *cachep, gfp_t gfp,
				       void *objp)
{
	preempt_enable();
	mmbox_clear_object(cachep, objp);
	return objp;
}

/**
 * mmbox_cache_alloc_resched() - end an allocation during which the scheduler was needed
 * @objp: the object
 *
 * Context: preemption enabled already, but the call for the scheduler is due.
 * Return: @objp.
 */
noinline void *mmbox_cache_alloc_resched(void *objp)
{
	mmbox_resched();
	return objp;
}

/**
 * mmbox_kmem_cache_alloc() - allocate an object
 * @cachep: the cache
 * @gfp: GFP flags; __GFP_ZERO clears the object
 *
 * Context: any but NMI; may sleep only with __GFP_DIRECT_RECLAIM.
 * Return: the object, or NULL.
 */
void *mmbox_kmem_cache_alloc(struct mmbox_kmem_cache *cachep, gfp_t gfp)
{
	return mmbox_cache_alloc(cachep, gfp, NUMA_NO_NODE);
}
EXPORT_SYMBOL_GPL(mmbox_kmem_cache_alloc);

/**
 * mmbox_kmem_cache_alloc_node() - allocate an object of a node
 * @cachep: the cache
 * @gfp: GFP flags; __GFP_ZERO clears the object
 * @nid: node to begin with, or NUMA_NO_NODE
 *
 * Context: any but NMI; may sleep only with __GFP_DIRECT_RECLAIM.
 * Return: the object, or NULL.
 */
void *mmbox_kmem_cache_alloc_node(struct mmbox_kmem_cache *cachep, gfp_t gfp,
				  int nid)
{
	return mmbox_cache_alloc(cachep, gfp, nid);
}
EXPORT_SYMBOL_GPL(mmbox_kmem_cache_alloc_node);

/**
 * mmbox_kmem_cache_free() - free an object
 * @cachep: the cache it was allocated from
 * @objp: the object
 *
 * An address outside the box, an object of another cache, an address inside
 * an object and an object that is free are refused, counted and reported.
 *
 * Context: any but NMI, any CPU; never sleeps.
 */
void mmbox_kmem_cache_free(struct mmbox_kmem_cache *cachep, void *objp)
{
	mmbox_cache_free(cachep, objp);
}
EXPORT_SYMBOL_GPL(mmbox_kmem_cache_free);

/* ---- set-up and tear-down ---- */

/*
 * The first two caches have their nodes in boot memory: kmem_cache, and the kmalloc
 * cache from which all later caches take their nodes. NULL for those.
 */
static struct mmbox_kmem_cache_node *boot_nodes(struct mmbox_kmem_cache *cachep)
{
	struct mmbox_slab *s = &cachep->box->slab;
	struct mmbox_kmem_cache_node (*nodes)[MMBOX_MAX_NUMNODES] = s->boot_mem;

	if (list_empty(&s->caches))
		return nodes[0];
	return list_is_singular(&s->caches) ? nodes[1] : NULL;
}

/* ops->create */
static int slab_create(struct mmbox_kmem_cache *cachep)
{
	struct mmbox_kmem_cache_node *nodes = boot_nodes(cachep);
	struct mmbox *box = cachep->box;
	int err;

	lockdep_assert_held(&box->slab.mutex);
	/* kmalloc-8 of the lecture: more objects a page than a byte can count. */
	cachep->slab.index_size = cachep->boot &&
				  cachep->object_size < MMBOX_SLAB_OBJ_MIN_SIZE ? 2 : 1;
	err = mmbox_slab_set_geometry(cachep);
	if (err)
		return err;
	mmbox_slab_set_tunables(cachep);
	cachep->slab.stats_on = box->cfg.slab_stats;
	cachep->slab.idle = cachep->no_mark || cachep->slab.stats_on || box->nr_nodes > 1 ?
			    MMBOX_AC_DIVERTED : MMBOX_AC_IDLE;

	err = mmbox_alloc_cpu_cache(cachep);
	if (err)
		return err;
	err = mmbox_alloc_nodes(cachep, nodes);
	if (err)
		goto free_nodes;
	if (!nodes) {
		err = mmbox_enable_shared(cachep);
		if (err)
			goto free_nodes;
		mmbox_own_nodes(cachep);
	}
	return 0;

free_nodes:
	if (!nodes)
		mmbox_free_nodes(cachep);
	mmbox_host_free_percpu(&box->host, cachep->slab.host_cpu_cache);
	return err;
}

/* ops->release */
static void slab_release(struct mmbox_kmem_cache *cachep)
{
	lockdep_assert_held(&cachep->box->slab.mutex);
	mmbox_free_nodes(cachep);
	mmbox_host_free_percpu(&cachep->box->host, cachep->slab.host_cpu_cache);
}

/* ops->cache_size */
static unsigned int slab_cache_size(int nr_nodes)
{
	return offsetof(struct mmbox_kmem_cache, slab.node[nr_nodes]);
}

/* ops->node_slabs */
static unsigned long slab_node_slabs(const struct mmbox_kmem_cache *cachep, int nid)
{
	const struct mmbox_kmem_cache_node *n = cachep->slab.node[nid];

	return n ? mmbox_glance(n->total_slabs) : 0;
}

/* mmbox_slab_setup() installs it. */
const struct mmbox_slab_ops mmbox_slab_design = {
	.name = "slab",
	.cache_size = slab_cache_size,
	.boot_bytes = 2 * MMBOX_MAX_NUMNODES * sizeof(struct mmbox_kmem_cache_node),
	.kmalloc_first = sizeof(struct mmbox_kmem_cache_node),
	.create = slab_create,
	.create_late = mmbox_enable_shared,
	.release = slab_release,
	.shrink = mmbox_slab_shrink,
	.reap = mmbox_slab_reap,
	.free_slab = mmbox_slab_free_pages,
	.tune = mmbox_do_tune_cpucache,
	.start = mmbox_slab_start_reapers,
	.stop = mmbox_slab_stop_reapers,
	.cpu_prepare = mmbox_slab_prepare_cpu,
	.cpu_online = mmbox_slab_online_cpu,
	.cpu_offline = mmbox_slab_offline_cpu,
	.cpu_dead = mmbox_slab_dead_cpu,
	.get_slabinfo = mmbox_slab_get_slabinfo,
	.node_slabs = slab_node_slabs,
	.walk = mmbox_slab_walk,
	.walk_cpus = mmbox_slab_walk_cpus,
	.peek_cpus = mmbox_slab_peek_cpus,
	.walk_freelist = mmbox_slab_walk_freelist,
	.on_freelist = mmbox_slab_on_freelist,
	.holds_freelist = mmbox_slab_holds_freelist,
};
