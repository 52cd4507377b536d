/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SLAB: what its own files share, and nobody else includes. They are slab.c,
 * slab_arrays.c, slab_lists.c, slab_pages.c, slab_freelist.c, slab_geometry.c,
 * slab_bulk.c and slab_walk.c. Suites that test these include it as well.
 */
#ifndef _MMBOX_SLAB_SLAB_PRIVATE_H
#define _MMBOX_SLAB_SLAB_PRIVATE_H

#include <linux/jump_label.h>

#include "slab/slab_fast.h"

/* Tell a walk over a node's slabs, which drops list_lock on its way, what changes. */
static inline void mmbox_slab_walk_note(struct mmbox_kmem_cache_node *n,
					const struct mmbox_page *unlinked)
{
	if (likely(!n->walk))
		return;
	n->walk_changed = true;
	if (unlinked && n->walk == &unlinked->slab_list)
		n->walk = n->walk->next;
}

/* Take a slab off the list of its node that it is on; under list_lock. */
static inline void mmbox_slab_unlink(struct mmbox_kmem_cache_node *n, struct mmbox_page *slab)
{
	mmbox_slab_walk_note(n, slab);
	mmbox_raw_list_del(&slab->slab_list);
}

/* slab_lists.c */
void mmbox_free_block(struct mmbox_kmem_cache *cachep, struct mmbox_kmem_cache_node *n,
		      void **objpp, unsigned int nr, struct list_head *destroy);
bool mmbox_slabs_all_free(struct mmbox_kmem_cache *cachep);

/* slab_pages.c */
struct mmbox_page *mmbox_cache_grow_begin(struct mmbox_kmem_cache *cachep, gfp_t gfp,
					  int nid);
void mmbox_slab_free_pages(struct mmbox_kmem_cache *cachep, struct mmbox_page *slab);
void mmbox_slabs_destroy(struct mmbox_kmem_cache *cachep, struct list_head *list);

/* slab_freelist.c */
void mmbox_slab_debug_take(struct mmbox_kmem_cache *cachep,
			   struct mmbox_page *slab, unsigned int nr);
void mmbox_slab_debug_taken(struct mmbox_kmem_cache *cachep,
			    struct mmbox_page *slab);
void mmbox_slab_debug_put(const struct mmbox_kmem_cache *cachep,
			  struct mmbox_page *slab, void **objpp, unsigned int nr);
bool mmbox_slab_holds_freelist(const struct mmbox_kmem_cache *cachep,
			       const struct mmbox_page *slab, unsigned int idx);
bool mmbox_slab_on_freelist(struct mmbox_kmem_cache *cachep, struct mmbox_page *slab,
			    unsigned int idx);
void mmbox_slab_walk_freelist(const struct mmbox_kmem_cache *cachep,
			      const struct mmbox_page *slab,
			      void (*fn)(void *arg, unsigned int pos, unsigned int idx),
			      void *arg);

/* slab_geometry.c */
int mmbox_slab_set_geometry(struct mmbox_kmem_cache *cachep);
void mmbox_slab_set_tunables(struct mmbox_kmem_cache *cachep);

/* slab_walk.c */
void mmbox_slab_get_slabinfo(struct mmbox_kmem_cache *cachep,
			     struct mmbox_slabinfo *sinfo);
void mmbox_slab_walk(struct mmbox_kmem_cache *cachep, const struct mmbox_slab_walker *w,
		     void *arg);
void mmbox_slab_walk_cpus(struct mmbox_kmem_cache *cachep, const struct mmbox_slab_walker *w,
			  void *arg);
void mmbox_slab_peek_cpus(struct mmbox_kmem_cache *cachep, const struct mmbox_slab_walker *w,
			  void *arg);

/* slab_arrays.c */
int mmbox_alloc_cpu_cache(struct mmbox_kmem_cache *cachep);
int mmbox_alloc_nodes(struct mmbox_kmem_cache *cachep,
		      struct mmbox_kmem_cache_node *boot_nodes);
void mmbox_free_nodes(struct mmbox_kmem_cache *cachep);
int mmbox_enable_shared(struct mmbox_kmem_cache *cachep);
void mmbox_own_nodes(const struct mmbox_kmem_cache *cachep);
void mmbox_cache_free_alien(struct mmbox_kmem_cache *cachep, void *objp, int nid,
			    int slab_nid);
int mmbox_slab_shrink(struct mmbox_kmem_cache *cachep, bool cpus);
void mmbox_slab_reap(struct mmbox *box);
bool mmbox_cache_reap(struct mmbox *box, int alien);
int mmbox_do_tune_cpucache(struct mmbox_kmem_cache *cachep, int limit, int batchcount,
			   int shared);
int mmbox_slab_start_reapers(struct mmbox *box);
void mmbox_slab_stop_reapers(struct mmbox *box);
void mmbox_slab_prepare_cpu(struct mmbox *box, unsigned int cpu);
void mmbox_slab_dead_cpu(struct mmbox *box, unsigned int cpu);
void mmbox_slab_online_cpu(struct mmbox *box, unsigned int cpu);
void mmbox_slab_offline_cpu(struct mmbox *box, unsigned int cpu);

#define mmbox_slab_stat_add(cachep, item, nr)					\
do {										\
	if (static_branch_unlikely(&mmbox_slab_stats) && (cachep)->slab.stats_on)	\
		atomic_long_add(nr, &(cachep)->slab.stats.item);			\
} while (0)

#define mmbox_slab_stat_inc(cachep, item)	mmbox_slab_stat_add(cachep, item, 1)

#define mmbox_slab_stat_max(cachep, item, nr)					\
do {										\
	if (static_branch_unlikely(&mmbox_slab_stats) && (cachep)->slab.stats_on)	\
		mmbox_stat_max(&(cachep)->slab.stats.item, nr);			\
} while (0)

/* Raise a maximum. Compares unsigned as 6.1 does, as num_active may be negative. */
static inline void mmbox_stat_max(atomic_long_t *max, unsigned long nr)
{
	long old = atomic_long_read(max);

	while (nr > (unsigned long)old && !atomic_long_try_cmpxchg(max, &old, nr))
		;
}

static inline void mmbox_slab_stat_active(struct mmbox_kmem_cache *cachep)
{
	if (static_branch_unlikely(&mmbox_slab_stats) && cachep->slab.stats_on)
		mmbox_stat_max(&cachep->slab.stats.high_mark,
			       atomic_long_inc_return(&cachep->slab.stats.num_active));
}

/* Count @nr objects that went from slabs to an array. */
static inline void mmbox_slab_stat_allocs(struct mmbox_kmem_cache *cachep,
					  unsigned int nr)
{
	if (!static_branch_unlikely(&mmbox_slab_stats))
		return;
	mmbox_slab_stat_add(cachep, num_allocations, nr);
	while (nr--)
		mmbox_slab_stat_active(cachep);
}

static inline bool mmbox_off_slab(const struct mmbox_kmem_cache *cachep)
{
	return cachep->flags & MMBOX_CFLGS_OFF_SLAB;
}

static inline bool mmbox_objfreelist_slab(const struct mmbox_kmem_cache *cachep)
{
	return cachep->flags & MMBOX_CFLGS_OBJFREELIST_SLAB;
}

/* ---- a slab's freelist ---- */

static inline struct mmbox_kmem_cache_node *
mmbox_slab_node(const struct mmbox_kmem_cache *cachep, const struct mmbox_page *slab)
{
	return cachep->slab.node[slab->node_id];
}

/*
 * The freelist of a slab whose first object is at @s_mem. Not for an objfreelist slab
 * with all objects out: it has none.
 */
static inline void *__mmbox_slab_freelist(const struct mmbox_kmem_cache *cachep,
					  const struct mmbox_page *slab, void *s_mem)
{
	if (mmbox_off_slab(cachep))
		return mmbox_phys_to_virt(cachep->box,
					  (phys_addr_t)slab->freelist * MMBOX_FREELIST_UNIT);
	if (mmbox_objfreelist_slab(cachep))
		return s_mem + (size_t)cachep->size * (slab->freelist - 1) +
		       cachep->slab.freelist_offset;
	return s_mem - slab->s_mem * MMBOX_S_MEM_UNIT + cachep->slab_mask + 1 -
	       cachep->slab.freelist_size;
}

static inline void *mmbox_slab_freelist(const struct mmbox_kmem_cache *cachep,
					const struct mmbox_page *slab)
{
	return __mmbox_slab_freelist(cachep, slab, mmbox_slab_s_mem(cachep, slab));
}

static __always_inline unsigned int __mmbox_get_free_obj(const void *freelist,
							 bool bytes, unsigned int nr)
{
	return bytes ? ((const u8 *)freelist)[nr] : ((const u16 *)freelist)[nr];
}

/*
 * The first eight indices of MMBOX_FREELIST_SPILLED. Their place in the object that
 * holds the freelist is taken by its mark. So they are in another object, after its
 * mark: the last but one to be taken, which is free as long as the eight are needed.
 */
#define MMBOX_FREELIST_SPILL	sizeof(long)

static inline u8 *mmbox_freelist_spill(const struct mmbox_kmem_cache *cachep,
				       const struct mmbox_page *slab, const void *freelist)
{
	unsigned int idx = ((const u8 *)freelist)[cachep->num - 2];

	/* A user may have overwritten the index: stay in the slab. */
	return mmbox_index_to_obj(cachep, slab, min(idx, cachep->num - 1)) + sizeof(long);
}

/* The index at position @nr of a freelist. Valid positions begin at slab->active. */
static inline unsigned int mmbox_get_free_obj(const struct mmbox_kmem_cache *cachep,
					      const struct mmbox_page *slab,
					      unsigned int nr)
{
	const void *freelist = mmbox_slab_freelist(cachep, slab);

	if (cachep->slab.freelist_kind == MMBOX_FREELIST_SPILLED && nr < MMBOX_FREELIST_SPILL)
		freelist = mmbox_freelist_spill(cachep, slab, freelist);
	return __mmbox_get_free_obj(freelist, cachep->slab.index_size == 1, nr);
}

/* To write a freelist anew. Only debugged caches need that, and theirs never spill. */
static inline void mmbox_set_free_obj(const struct mmbox_kmem_cache *cachep,
				      void *freelist, unsigned int nr,
				      unsigned int idx)
{
	if (cachep->slab.index_size == 1)
		((u8 *)freelist)[nr] = idx;
	else
		((u16 *)freelist)[nr] = idx;
}

#endif /* _MMBOX_SLAB_SLAB_PRIVATE_H */
