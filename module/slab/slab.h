/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The slab layer: what its own files and the layers above may call.
 */
#ifndef _MMBOX_SLAB_SLAB_H
#define _MMBOX_SLAB_SLAB_H

#include <linux/jump_label.h>

#include "pages/pages.h"

/* slab.c */
extern const struct mmbox_slab_ops mmbox_slab_design;

/* The design of a cache's slabs: struct mmbox_slab_ops */
static inline const struct mmbox_slab_ops *mmbox_slab_ops(const struct mmbox_kmem_cache *cachep)
{
	return cachep->box->slab.ops;
}

/* For slabinfo, and a write to it. Under slab.mutex. */
static inline void mmbox_get_slabinfo(struct mmbox_kmem_cache *cachep,
				      struct mmbox_slabinfo *sinfo)
{
	mmbox_slab_ops(cachep)->get_slabinfo(cachep, sinfo);
}

static inline int mmbox_slab_tune(struct mmbox_kmem_cache *cachep, int limit, int batchcount,
				  int shared)
{
	return mmbox_slab_ops(cachep)->tune(cachep, limit, batchcount, shared);
}

/* slab_check.c */
void mmbox_tell_bad_free(struct mmbox *box, enum mmbox_bad why,
			 const struct mmbox_kmem_cache *cachep, const void *objp);
void mmbox_bad_free(const struct mmbox_kmem_cache *cachep, const void *objp);
void mmbox_bad_kfree(struct mmbox *box, const void *objp);
bool mmbox_in_object(const struct mmbox_kmem_cache *cachep, const void *ptr,
		     unsigned int *offset);

/* rcu_queue.c */
#define MMBOX_RCU_FREE_AT_ONCE	64	/* items to free between two cond_resched() */
bool mmbox_rcu_queue_add(struct mmbox_rcu_queue *q, unsigned long nr);
void mmbox_rcu_queue_begin(struct mmbox_rcu_queue *q);
void mmbox_rcu_queue_freed(struct mmbox_rcu_queue *q);
void mmbox_rcu_queue_wait(struct mmbox_rcu_queue *q);
void mmbox_rcu_queue_init(struct mmbox_rcu_queue *q, work_func_t fn);
void mmbox_rcu_queue_exit(struct mmbox_rcu_queue *q);
int mmbox_rcu_queue_module_init(void);
void mmbox_rcu_queue_module_exit(void);

/* kfree_rcu.c */
void mmbox_kfree_rcu_init(struct mmbox *box);

/* slab_rcu.c */
void mmbox_slabs_defer(struct mmbox *box, struct list_head *list);
void mmbox_slabs_rcu_barrier(struct mmbox *box);
void mmbox_slab_rcu_init(struct mmbox *box);

/* slab_used.c */
bool mmbox_obj_in_use(const struct mmbox_kmem_cache *cachep, const struct mmbox_page *slab,
		      const void *base, unsigned int index);
unsigned long mmbox_used_objects(struct mmbox_kmem_cache *cachep, void **objs,
				 unsigned int nr);
int mmbox_slab_used_init(struct mmbox *box);
void mmbox_slab_used_exit(struct mmbox *box);
int mmbox_slab_used_grow(struct mmbox_kmem_cache *cachep, const struct mmbox_page *slab,
			 gfp_t gfp);

/* failslab.c */
bool __mmbox_should_failslab(struct mmbox *box);
void mmbox_failslab_begin(struct mmbox *box, unsigned long first, unsigned long count,
			  unsigned long period);
unsigned long mmbox_failslab_end(struct mmbox *box, unsigned long *nr_failed);

/* Off, unless a test injects failures: mmbox_should_failslab() is then a patched-out jump. */
DECLARE_STATIC_KEY_FALSE(mmbox_failslab_key);

static inline bool mmbox_should_failslab(struct mmbox *box)
{
	return static_branch_unlikely(&mmbox_failslab_key) && __mmbox_should_failslab(box);
}

/* kmalloc.c */
int mmbox_kfree_init(struct mmbox *box);
void mmbox_kfree_exit(struct mmbox *box);
void mmbox_kfree_forget_cache(struct mmbox_kmem_cache *cachep);
struct mmbox_kmem_cache *mmbox_kmalloc_slab(struct mmbox *box, size_t size, gfp_t gfp);

/* slab_common.c */
extern const struct mmbox_reclaim_source mmbox_slab_reclaim;
void mmbox_slab_setup(struct mmbox *box);
int mmbox_kmem_cache_boot(struct mmbox *box);
int mmbox_kmem_cache_init(struct mmbox *box);
void mmbox_kmem_cache_exit(struct mmbox *box);
struct mmbox_kmem_cache *
mmbox_kmem_cache_try_create_args(struct mmbox *box, const char *name, unsigned int object_size,
				 const struct mmbox_kmem_cache_args *args, slab_flags_t flags);

/* mmbox_kmem_cache_create(), but the error comes as an ERR_PTR(). */
static inline struct mmbox_kmem_cache *
mmbox_kmem_cache_try_create(struct mmbox *box, const char *name, unsigned int size,
			    unsigned int align, slab_flags_t flags, void (*ctor)(void *))
{
	const struct mmbox_kmem_cache_args args = { .align = align, .ctor = ctor };

	return mmbox_kmem_cache_try_create_args(box, name, size, &args, flags);
}

/*
 * On while a box has slab_stats=1. Its caches are diverted from the fast paths, so
 * only slow paths count. They cost a patched-out jump while no box has statistics.
 */
DECLARE_STATIC_KEY_FALSE(mmbox_slab_stats);

/* Does each allocation and free pass slab_debug.c? */
static inline bool mmbox_slab_debugged(const struct mmbox_kmem_cache *cachep)
{
	return unlikely(cachep->debug);
}

/* slab_debug.c */
int mmbox_slab_debug_check(const struct mmbox_config *cfg);
int mmbox_slab_debug_init(struct mmbox *box);
void mmbox_slab_debug_exit(struct mmbox *box);
u8 mmbox_slab_debug_letters(const struct mmbox *box, const char *name);
void mmbox_slab_debug_cache(struct mmbox_kmem_cache *cachep);
int mmbox_slab_debug_grow(struct mmbox_kmem_cache *cachep,
			  struct mmbox_page *slab, gfp_t gfp);
void mmbox_slab_debug_grown(struct mmbox_kmem_cache *cachep,
			    struct mmbox_page *slab);
void mmbox_slab_debug_destroy(struct mmbox_kmem_cache *cachep,
			      struct mmbox_page *slab);
void mmbox_slab_debug_poison(const struct mmbox_kmem_cache *cachep, void *base);
void *mmbox_slab_debug_alloc(struct mmbox_kmem_cache *cachep, gfp_t gfp,
			     void *base, unsigned long caller);
void *mmbox_slab_debug_free(struct mmbox_kmem_cache *cachep, void *objp,
			    unsigned long caller);
bool mmbox_slab_debug_is_used(const struct mmbox_kmem_cache *cachep,
			      const struct mmbox_page *slab, unsigned int idx);
void mmbox_slab_debug_own(struct mmbox *box, const void *objp);
void mmbox_slab_debug_forget(struct mmbox *box);
struct mmbox_slab_shadow *mmbox_slab_shadow(const struct mmbox *box,
					    const struct mmbox_page *slab);
bool mmbox_slab_debug_fault(const struct mmbox_kmem_cache *cachep,
			    const void *base, enum mmbox_object_state state,
			    struct mmbox_slab_fault *fault);

/*
 * The id of a cache, which the pages of its slabs carry, says where the cache lies in
 * the box, in units of 64 bytes. 0 is no cache.
 */
#define MMBOX_CACHE_ALIGN	64

static inline u32 mmbox_cache_to_id(const struct mmbox *box,
				    const struct mmbox_kmem_cache *cachep)
{
	return mmbox_virt_to_phys(box, cachep) / MMBOX_CACHE_ALIGN + 1;
}

static inline struct mmbox_kmem_cache *mmbox_id_to_cache(const struct mmbox *box,
							 u32 id)
{
	return mmbox_phys_to_virt(box, (u64)id * MMBOX_CACHE_ALIGN - MMBOX_CACHE_ALIGN);
}

static inline struct mmbox_kmem_cache *mmbox_linear_id_to_cache(const struct mmbox *box,
								u32 id)
{
	return (struct mmbox_kmem_cache *)(box->physmap.va_base + (u64)id * MMBOX_CACHE_ALIGN -
					   MMBOX_CACHE_ALIGN);
}

#endif /* _MMBOX_SLAB_SLAB_H */
