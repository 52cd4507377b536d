/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events that the memory manager reports to the faces: mistakes of its users, failed
 * requests, caches and sections that come and go.
 */
#ifndef _MMBOX_TYPES_OBSERVER_H
#define _MMBOX_TYPES_OBSERVER_H

#include <linux/types.h>

struct mmbox;
struct mmbox_kmem_cache;
struct mmbox_page;
struct mmbox_slab_fault;
struct rcu_head;

/*
 * Mistakes of users, which are counted and reported. The first six are refused frees,
 * USERCOPY is a refused copy, and slab_debug= finds the last three.
 */
enum mmbox_bad {
	MMBOX_BAD_FOREIGN,	/* not an address or a page of the box */
	MMBOX_BAD_CACHE,	/* an object of another cache, or no object */
	MMBOX_BAD_OBJECT,	/* not the start of an object */
	MMBOX_BAD_ORDER,	/* pages of another order */
	MMBOX_BAD_PAGE,		/* not the first page of an allocation */
	MMBOX_BAD_DOUBLE,	/* already free */
	MMBOX_BAD_USERCOPY,	/* copy outside of the object's usercopy region */
	MMBOX_BAD_OVERFLOW,	/* bytes around an object were overwritten */
	MMBOX_BAD_USE_AFTER_FREE,	/* a free object was written to */
	MMBOX_BAD_FREELIST,	/* the freelist of a slab was overwritten */
	MMBOX_NR_BAD,
};

/*
 * Callbacks for these events. box.c installs an observer before the box boots, and all
 * callbacks are set. They run in any context unless noted.
 */
struct mmbox_observer {
	/* A bad free of an object, from mmbox_tell_bad_free(). A list_lock may be held. */
	void (*bad_object)(struct mmbox *box, enum mmbox_bad why,
			   const struct mmbox_kmem_cache *cachep, const void *objp);
	void (*bad_page)(struct mmbox *box, enum mmbox_bad why,
			 const struct mmbox_page *page, unsigned int order);
	void (*bad_usercopy)(struct mmbox *box, const void *ptr, unsigned long n);
	void (*bad_kfree_rcu)(struct mmbox *box, const struct rcu_head *head);
	void (*bad_freelist)(struct mmbox_kmem_cache *cachep, const struct mmbox_page *slab);
	void (*slab_fault)(struct mmbox_kmem_cache *cachep, const void *base,
			   const struct mmbox_slab_fault *fault);
	void (*slab_trace)(struct mmbox_kmem_cache *cachep, const void *objp, bool alloc);
	/* A cache cannot be destroyed: @used objects in use, @nr of them in @objs. May sleep. */
	void (*cache_in_use)(const struct mmbox_kmem_cache *cachep, unsigned long used,
			     void **objs, unsigned int nr);
	void (*alloc_failed)(struct mmbox *box, gfp_t gfp, unsigned int order);

	/* These may sleep. Under slab.mutex: */
	void (*cache_added)(struct mmbox *box, struct mmbox_kmem_cache *cachep);
	/* Without slab.mutex: waits for readers of the cache's files. */
	void (*cache_removed)(struct mmbox *box, struct mmbox_kmem_cache *cachep);
	/* Under pages.memory_lock: */
	void (*section_added)(struct mmbox *box, unsigned long nr);
	void (*section_removed)(struct mmbox *box, unsigned long nr);
};

#endif /* _MMBOX_TYPES_OBSERVER_H */
