// SPDX-License-Identifier: GPL-2.0
/*
 * SLAB: the slabs on the lists of a node. Objects are put back into them here. Free
 * slabs that the node may not keep are taken off.
 */
#include <linux/minmax.h>

#include "slab/slab_private.h"

DEFINE_STATIC_KEY_FALSE(mmbox_slab_stats);

/*
 * One body for indices of one byte and of two. @bytes is a constant at each call, so
 * the loop does not test it for each object.
 */
static __always_inline unsigned int
__put_free_objs(const struct mmbox_kmem_cache *cachep, void *freelist, bool bytes,
		void *s_mem, void **objpp, unsigned int nr, unsigned int *active)
{
	const unsigned long num = cachep->num;
	const unsigned int shift = cachep->shift;
	const u64 inverse = cachep->inverse;
	unsigned long nr_active = *active;
	const unsigned long end = nr_active - nr;

	while (nr_active > end) {
		unsigned long idx = mmbox_ror64((*objpp++ - s_mem) * inverse, shift);

		if (idx >= num)
			break;
		nr_active--;
		if (bytes)
			((u8 *)freelist)[nr_active] = idx;
		else
			((u16 *)freelist)[nr_active] = idx;
	}
	nr = *active - nr_active;
	*active = nr_active;
	return nr;
}

/*
 * The same for MMBOX_FREELIST_SPILLED: first the indices that the object with the
 * freelist has room for, then those in the other object.
 */
static unsigned int put_free_objs_spilled(const struct mmbox_kmem_cache *cachep,
					  const struct mmbox_page *slab, u8 *freelist,
					  void *s_mem, void **objpp, unsigned int nr,
					  unsigned int *active)
{
	unsigned int room = *active - min_t(unsigned int, *active, MMBOX_FREELIST_SPILL);
	unsigned int first = min(nr, room), done;

	done = __put_free_objs(cachep, freelist, true, s_mem, objpp, first, active);
	if (done < first || done == nr)
		return done;
	freelist = mmbox_freelist_spill(cachep, slab, freelist);
	return done + __put_free_objs(cachep, freelist, true, s_mem, objpp + done,
				      nr - done, active);
}

/*
 * Put back the objects at the start of @objpp that belong to one slab. Returns how
 * many. 0 means that the first object was freed twice: the slab has none out, or has
 * gone.
 */
static unsigned int slab_put_objs(const struct mmbox_kmem_cache *cachep,
				  struct mmbox_page *slab, void **objpp,
				  unsigned int nr)
{
	void *s_mem = mmbox_slab_s_mem(cachep, slab), *freelist;
	unsigned int active = slab->active;

	if (unlikely(!active || slab->slab_cache != cachep->id))
		return 0;
	nr = min(nr, active);
	if (mmbox_objfreelist_slab(cachep) && !slab->freelist)
		slab->freelist = mmbox_obj_to_index(cachep, slab, *objpp) + 1;
	freelist = __mmbox_slab_freelist(cachep, slab, s_mem);
	if (likely(cachep->slab.freelist_kind == MMBOX_FREELIST_BYTES))
		nr = __put_free_objs(cachep, freelist, true, s_mem, objpp, nr, &active);
	else if (cachep->slab.freelist_kind == MMBOX_FREELIST_SPILLED)
		nr = put_free_objs_spilled(cachep, slab, freelist, s_mem, objpp, nr, &active);
	else
		nr = __put_free_objs(cachep, freelist, false, s_mem, objpp, nr, &active);
	/* Not an object of this slab: it was freed twice, and its slab had another colour. */
	if (unlikely(!nr) && mmbox_objfreelist_slab(cachep) && active == cachep->num)
		slab->freelist = 0;
	slab->active = active;
	if (mmbox_slab_debugged(cachep))
		mmbox_slab_debug_put(cachep, slab, objpp, nr);
	return nr;
}

/*
 * An object in an array was freed twice, and the mark did not tell: a user has
 * overwritten it. Do not put it back, as that would corrupt a freelist.
 */
static noinline void free_block_bad(struct mmbox_kmem_cache *cachep,
				    struct mmbox_kmem_cache_node *n, const void *base)
{
	lockdep_assert_held(&n->list_lock);
	n->free_objects--;
	mmbox_slab_stat_inc(cachep, num_active);
	mmbox_tell_bad_free(cachep->box, MMBOX_BAD_DOUBLE, cachep, base + cachep->obj_offset);
}

/**
 * mmbox_free_block() - put objects back into their slabs
 * @cachep: the cache
 * @n: the node whose objects they are
 * @objpp: their addresses
 * @nr: how many
 * @destroy: gets slabs beyond what the node may hold, for mmbox_slabs_destroy()
 *	after the lock is dropped
 *
 * Context: any, under list_lock.
 */
void mmbox_free_block(struct mmbox_kmem_cache *cachep, struct mmbox_kmem_cache_node *n,
		      void **objpp, unsigned int nr, struct list_head *destroy)
{
	lockdep_assert_held(&n->list_lock);
	n->free_objects += nr;
	mmbox_slab_stat_add(cachep, num_active, -(long)nr);
	while (nr) {
		struct mmbox_page *slab = mmbox_virt_to_slab(cachep, *objpp);
		unsigned int done = slab_put_objs(cachep, slab, objpp, nr);

		if (unlikely(!done)) {
			free_block_bad(cachep, n, *objpp++);
			nr--;
			continue;
		}
		objpp += done;
		nr -= done;
		mmbox_slab_unlink(n, slab);
		if (slab->active) {
			mmbox_raw_list_add_tail(&slab->slab_list, &n->slabs_partial);
		} else {
			mmbox_raw_list_add(&slab->slab_list, &n->slabs_free);
			n->free_slabs++;
		}
	}
	while (n->free_objects > n->free_limit && !list_empty(&n->slabs_free)) {
		struct mmbox_page *slab = list_last_entry(&n->slabs_free,
							  struct mmbox_page,
							  slab_list);

		mmbox_slab_unlink(n, slab);
		mmbox_raw_list_add(&slab->slab_list, destroy);
		n->free_slabs--;
		n->total_slabs--;
		n->free_objects -= cachep->num;
	}
}

/**
 * mmbox_slabs_all_free() - is no object of a cache out of its slab?
 * @cachep: the cache
 *
 * Context: process.
 * Return: true if none is.
 */
bool mmbox_slabs_all_free(struct mmbox_kmem_cache *cachep)
{
	unsigned long flags;
	bool empty = true;
	int nid;

	mmbox_for_each_online_node(cachep->box, nid) {
		struct mmbox_kmem_cache_node *n = cachep->slab.node[nid];

		raw_spin_lock_irqsave(&n->list_lock, flags);
		empty &= list_empty(&n->slabs_full) && list_empty(&n->slabs_partial);
		raw_spin_unlock_irqrestore(&n->list_lock, flags);
	}
	return empty;
}
