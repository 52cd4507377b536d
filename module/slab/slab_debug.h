/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Debugging of slab caches: what slab_debug= turns on, cache by cache.
 *
 * What a user of the box could overwrite is not relied on: which objects are
 * whose, and who allocated and freed them, is kept in memory of the host, a
 * struct mmbox_slab_shadow for each slab of a debugged cache.
 */
#ifndef _MMBOX_SLAB_DEBUG_H
#define _MMBOX_SLAB_DEBUG_H

#include <linux/bits.h>
#include <linux/gfp.h>
#include <linux/rcupdate.h>
#include <linux/stackdepot.h>
#include <linux/types.h>

#include "faces/report.h"

#define MMBOX_SLAB_DEBUG_LEN	512	/* of slab_debug=, with the terminating zero */

/* kmem_cache->debug: the letters of slab_debug= */
#define MMBOX_DEBUG_CHECKS	BIT(0)	/* F: sanity checks */
#define MMBOX_DEBUG_RED_ZONE	BIT(1)	/* Z: around objects */
#define MMBOX_DEBUG_POISON	BIT(2)	/* P: in free objects */
#define MMBOX_DEBUG_USER	BIT(3)	/* U: who allocated and freed */
#define MMBOX_DEBUG_TRACE	BIT(4)	/* T: each allocation and free in the log */
#define MMBOX_DEBUG_DEFAULT	GENMASK(3, 0)	/* FZPU, if no letter is given */

/* The same as flags of a cache, if its maker asks for them. */
#define MMBOX_SLAB_DEBUG_FLAGS	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | \
				 SLAB_STORE_USER | SLAB_TRACE)

struct mmbox_track {
	unsigned long caller;	/* who called the box, 0: never happened */
	unsigned long when;	/* jiffies */
	depot_stack_handle_t stack;	/* in the host's stack depot, or 0 */
	unsigned int cpu;
	pid_t pid;
};

enum mmbox_track_item { MMBOX_TRACK_ALLOC, MMBOX_TRACK_FREE, MMBOX_NR_TRACKS };

/* Beside a slab of a debugged cache, in host memory; by index of the object. */
struct mmbox_slab_shadow {
	struct rcu_head rcu;		/* readers do not hold the slab */
	size_t bytes;			/* of this */
	struct mmbox_kmem_cache *cachep;	/* whose slab it is */
	unsigned int num;		/* objects */
	unsigned long *used;		/* bits: a user has it; set and cleared atomically */
	unsigned long *out;		/* bits: not on the slab's freelist, list_lock */
	unsigned long *known;		/* bits: not to be listed by `leaks` */
	struct mmbox_track (*tracks)[MMBOX_NR_TRACKS];	/* NULL without U */
};

/* struct mmbox_slab_debug: the debugging share of struct mmbox_slab */
struct mmbox_slab_debug {
	char text[MMBOX_SLAB_DEBUG_LEN];	/* slab_debug= */
	bool on;			/* some cache may be debugged */
	bool depot;			/* the host's stack depot is to be had */
	unsigned long nr_pfns;		/* length of shadow[] */
	struct mmbox_slab_shadow __rcu **shadow;	/* by pfn of the slab's head */
	unsigned long bad_freelist;	/* pfn + 1 of a slab to be reported, or 0 */
};

/* What an object is expected to look like. */
enum mmbox_object_state {
	MMBOX_OBJECT_FREE,
	MMBOX_OBJECT_USED,
	MMBOX_OBJECT_EITHER,	/* it may be on its way from one to the other */
};

/* One thing that is wrong with an object. */
struct mmbox_slab_fault {
	enum mmbox_bad why;	/* as it is counted */
	const char *what;	/* as the report names it */
	const u8 *from;		/* first byte that is not as it should be */
	const u8 *to;		/* last one */
	u8 want;		/* what *from should have been */
};

/* slab_debug.c */
int mmbox_slab_debug_check(const char *text);
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
void mmbox_slab_debug_take(struct mmbox_kmem_cache *cachep,
			   struct mmbox_page *slab, unsigned int nr);
void mmbox_slab_debug_taken(struct mmbox_kmem_cache *cachep,
			    struct mmbox_page *slab);
void mmbox_slab_debug_put(const struct mmbox_kmem_cache *cachep,
			  struct mmbox_page *slab, void **objpp, unsigned int nr);
void *mmbox_slab_debug_alloc(struct mmbox_kmem_cache *cachep, gfp_t gfp,
			     void *base, unsigned long caller);
void *mmbox_slab_debug_free(struct mmbox_kmem_cache *cachep, void *objp,
			    unsigned long caller);
bool mmbox_slab_debug_is_used(const struct mmbox_kmem_cache *cachep,
			      const struct mmbox_page *slab, unsigned int idx);
void mmbox_slab_debug_own(struct mmbox *box, const void *objp);
void mmbox_slab_debug_own_cache(const struct mmbox_kmem_cache *cachep);
void mmbox_slab_debug_forget(struct mmbox *box);
struct mmbox_slab_shadow *mmbox_slab_shadow(const struct mmbox *box,
					    const struct mmbox_page *slab);
bool mmbox_slab_debug_fault(const struct mmbox_kmem_cache *cachep,
			    const void *base, enum mmbox_object_state state,
			    struct mmbox_slab_fault *fault);

/* slab_report.c */
void mmbox_slab_report_fault(struct mmbox_kmem_cache *cachep, const void *base,
			     const struct mmbox_slab_fault *fault);
void mmbox_slab_report_double(struct mmbox_kmem_cache *cachep, const void *objp);
void mmbox_slab_report_freelist(struct mmbox_kmem_cache *cachep,
				const struct mmbox_page *slab);
void mmbox_slab_report_trace(struct mmbox_kmem_cache *cachep, const void *objp,
			     bool alloc);
void mmbox_slab_report_user(const struct mmbox_kmem_cache *cachep, const void *objp);
void mmbox_slab_report_owner(struct mmbox *box, const void *addr);

#endif /* _MMBOX_SLAB_DEBUG_H */
