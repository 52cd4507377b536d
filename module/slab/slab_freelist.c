// SPDX-License-Identifier: GPL-2.0
/*
 * SLAB's freelists: which objects are on them, and for debugged caches, whether a user
 * has overwritten them. slab_debug.c has all other checks of debugged caches.
 */
#include <linux/bitmap.h>

#include "slab/slab_private.h"

/**
 * mmbox_slab_holds_freelist() - does an object hold the freelist of its slab?
 * @cachep: the cache
 * @slab: a slab of it
 * @idx: index of an object
 *
 * ops->holds_freelist
 *
 * Context: list_lock held, or @slab on no list.
 * Return: true if it does.
 */
bool mmbox_slab_holds_freelist(const struct mmbox_kmem_cache *cachep,
			       const struct mmbox_page *slab, unsigned int idx)
{
	return mmbox_objfreelist_slab(cachep) && slab->freelist == idx + 1;
}

/**
 * mmbox_slab_walk_freelist() - look at the indices on a slab's freelist
 * @cachep: the cache
 * @slab: a slab of it
 * @fn: called with @arg, the position and the index there, which may be anything
 * @arg: for @fn
 *
 * ops->walk_freelist
 *
 * Context: list_lock held.
 */
void mmbox_slab_walk_freelist(const struct mmbox_kmem_cache *cachep,
			      const struct mmbox_page *slab,
			      void (*fn)(void *arg, unsigned int pos, unsigned int idx),
			      void *arg)
{
	unsigned int i;

	for (i = slab->active; i < cachep->num; i++)
		fn(arg, i, mmbox_get_free_obj(cachep, slab, i));
}

/*
 * Can the descriptor of @slab be trusted to say where the freelist is? If the slab
 * has gone meanwhile, the descriptor may hold anything.
 */
static bool freelist_there(struct mmbox_kmem_cache *cachep, const struct mmbox_page *slab)
{
	phys_addr_t phys = (phys_addr_t)slab->freelist * MMBOX_FREELIST_UNIT;

	if (slab->slab_cache != cachep->id || slab->active >= cachep->num)
		return false;
	if (mmbox_off_slab(cachep))
		return mmbox_pfn_valid(cachep->box, PHYS_PFN(phys)) &&
		       mmbox_pfn_valid(cachep->box,
				       PHYS_PFN(phys + cachep->slab.freelist_size - 1));
	return !mmbox_objfreelist_slab(cachep) || slab->freelist - 1 < cachep->num;
}

/**
 * mmbox_slab_on_freelist() - is an object on the freelist of its slab?
 * @cachep: the cache
 * @slab: the slab, which may have gone since
 * @idx: index of the object
 *
 * ops->on_freelist
 *
 * Context: any but NMI.
 * Return: true if it is.
 */
bool mmbox_slab_on_freelist(struct mmbox_kmem_cache *cachep, struct mmbox_page *slab,
			    unsigned int idx)
{
	struct mmbox_kmem_cache_node *n = cachep->slab.node[slab->node_id];
	unsigned long flags;
	bool found = false;
	unsigned int i;

	raw_spin_lock_irqsave(&n->list_lock, flags);
	if (freelist_there(cachep, slab)) {
		for (i = slab->active; i < cachep->num && !found; i++)
			found = mmbox_get_free_obj(cachep, slab, i) == idx;
	}
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	return found;
}

/* ---- debugged caches ---- */

/* Mark the next @nr objects of the freelist as out. Returns how many indices are good. */
static unsigned int mark_out(const struct mmbox_kmem_cache *cachep,
			     const struct mmbox_page *slab,
			     struct mmbox_slab_shadow *shadow, unsigned int nr)
{
	unsigned int i, idx;

	for (i = 0; i < nr; i++) {
		idx = mmbox_get_free_obj(cachep, slab, slab->active + i);
		if (idx >= cachep->num || __test_and_set_bit(idx, shadow->out))
			break;
	}
	return i;
}

/* Write a freelist anew from the shadow: all objects that are not out. */
static void rebuild_freelist(struct mmbox_kmem_cache *cachep,
			     struct mmbox_page *slab,
			     struct mmbox_slab_shadow *shadow)
{
	void *freelist = mmbox_slab_freelist(cachep, slab);
	unsigned int nr = slab->active, idx, last = cachep->num;

	/* The object that holds the freelist must be taken last. */
	if (mmbox_objfreelist_slab(cachep))
		last = slab->freelist - 1;
	for_each_clear_bit(idx, shadow->out, cachep->num)
		if (idx != last && nr < cachep->num)
			mmbox_set_free_obj(cachep, freelist, nr++, idx);
	if (last < cachep->num && nr < cachep->num)
		mmbox_set_free_obj(cachep, freelist, nr, last);
}

/**
 * mmbox_slab_debug_take() - check the indices of objects before they are taken
 * @cachep: the cache
 * @slab: its slab
 * @nr: objects, not more than are free
 *
 * A freelist that was overwritten is written anew. The next allocation reports it,
 * as that does not hold the lock.
 *
 * Context: list_lock held, or @slab on no list.
 */
void mmbox_slab_debug_take(struct mmbox_kmem_cache *cachep,
			   struct mmbox_page *slab, unsigned int nr)
{
	struct mmbox_slab_shadow *shadow = mmbox_slab_shadow(cachep->box, slab);
	unsigned int good = mark_out(cachep, slab, shadow, nr);

	if (likely(good == nr))
		return;
	while (good--)
		__clear_bit(mmbox_get_free_obj(cachep, slab, slab->active + good),
			    shadow->out);
	rebuild_freelist(cachep, slab, shadow);
	mark_out(cachep, slab, shadow, nr);
	WRITE_ONCE(cachep->box->slab.debug.bad_freelist,
		   __mmbox_page_to_pfn(cachep->box, slab) + 1);
}

/**
 * mmbox_slab_debug_taken() - objects were taken from a slab
 * @cachep: the cache
 * @slab: its slab
 *
 * If the last one was taken, poison the object that held the freelist.
 *
 * Context: list_lock held, or @slab on no list.
 */
void mmbox_slab_debug_taken(struct mmbox_kmem_cache *cachep,
			    struct mmbox_page *slab)
{
	if (mmbox_objfreelist_slab(cachep) && slab->active == cachep->num)
		mmbox_slab_debug_poison(cachep, mmbox_index_to_obj(cachep, slab,
								   slab->freelist - 1));
}

/**
 * mmbox_slab_debug_put() - objects are put back into their slab
 * @cachep: the cache
 * @slab: the slab
 * @objpp: the objects
 * @nr: how many
 *
 * Context: list_lock held.
 */
void mmbox_slab_debug_put(const struct mmbox_kmem_cache *cachep,
			  struct mmbox_page *slab, void **objpp, unsigned int nr)
{
	struct mmbox_slab_shadow *shadow = mmbox_slab_shadow(cachep->box, slab);

	lockdep_assert_held(&mmbox_slab_node(cachep, slab)->list_lock);
	while (nr--)
		__clear_bit(mmbox_obj_to_index(cachep, slab, *objpp++), shadow->out);
}
