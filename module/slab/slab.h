/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SLAB caches of the box, after <linux/slab_def.h> and mm/slab.h of Linux 6.1.
 */
#ifndef _MMBOX_SLAB_H
#define _MMBOX_SLAB_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/jump_label.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/reciprocal_div.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "pages/mmzone.h"
#include "slab/slab_debug.h"

struct mmbox;
struct mmbox_face_dir;
struct mmbox_kfree_hint;

#define MMBOX_SLAB_NAME_LEN	48	/* with the terminating zero */
#define MMBOX_SLAB_MAX_ORDER	1	/* slab_max_order of a machine over 32 MiB */
#define MMBOX_FREELIST_UNIT	32	/* bytes, what page->freelist counts off-slab */
#define MMBOX_S_MEM_UNIT	64	/* bytes, what page->s_mem counts */
#define MMBOX_SLAB_OBJ_MIN_SIZE	16	/* below, indices take two bytes */

/*
 * A stack of free objects, most recently freed on top: of one CPU in front of
 * a cache, or shared by the CPUs of a node.
 *
 * A CPU's own has no lock. Its CPU works on it with preemption off, and counts
 * @busy up before it reads anything else. It is MMBOX_AC_IDLE while nobody is
 * inside, so that one instruction marks it and tells; an interrupt that comes
 * to 1 or more counts down again and goes to the node's lists instead. A cache
 * whose objects need more than the fast paths do is diverted from them by
 * another value for nobody: 0, see kmem_cache->idle.
 */
struct mmbox_array_cache {
	unsigned int avail;		/* objects in entry[] */
	unsigned int limit;		/* objects entry[] may hold */
	unsigned int batchcount;	/* objects to move at once */
	union {
		struct {
			u32 busy;	/* kmem_cache->idle, more: the CPU is inside */
			u32 touched;	/* not 0: used since the reaper last looked */
		};
		u64 busy_touched;	/* both at once, for the fast paths */
	};
	unsigned long hint;		/* address of the first object of the slab
					 * freed to last, or mmbox_no_hint()
					 */
	void *entry[];
};

#define MMBOX_AC_IDLE		U32_MAX	/* busy: nobody is inside */
#define MMBOX_AC_DIVERTED	0	/* busy: nobody is, and none comes this way */
#define MMBOX_AC_IDLE_TOUCHED	U64_MAX	/* busy_touched: idle, and touched */

struct mmbox_kmem_cache_node {
	raw_spinlock_t list_lock;	/* all below, and the slabs on the lists */
	struct list_head slabs_partial;	/* some objects free */
	struct list_head slabs_full;	/* none free */
	struct list_head slabs_free;	/* all free */
	unsigned long total_slabs;	/* length of all three lists */
	unsigned long free_slabs;	/* length of slabs_free */
	unsigned long free_objects;	/* free in the slabs of the lists */
	unsigned int free_limit;	/* free_objects above which slabs go back */
	unsigned int colour_next;	/* colour of the newest slab; atomic, no lock */
	struct mmbox_array_cache *shared;	/* shared by the CPUs, or NULL */
	/* What its CPUs free to each other node; slab.mutex, and for CPUs that
	 * only look a grace period. NULL in a box of one node.
	 */
	struct mmbox_alien_cache **alien;
	unsigned long next_reap;	/* jiffies */
	int free_touched;		/* slabs_free was needed since the last reap */
};

/* Objects of another node, on their way home. */
struct mmbox_alien_cache {
	raw_spinlock_t lock;		/* all below; before the home node's list_lock */
	struct mmbox_array_cache ac;
};

/* What slabinfo shows with slab_stats=1. */
struct mmbox_cache_stats {
	atomic_long_t num_active;	/* objects not in their slabs */
	atomic_long_t num_allocations;	/* objects moved from slabs to arrays */
	atomic_long_t high_mark;	/* the most num_active was */
	atomic_long_t grown;		/* slabs made */
	atomic_long_t reaped;		/* slabs that the reaper gave back */
	atomic_long_t errors;		/* nothing counts these, in 6.1 as here */
	atomic_long_t max_freeable;	/* the most free slabs that a flush saw */
	atomic_long_t node_allocs;	/* objects taken past the arrays */
	atomic_long_t node_frees;	/* objects freed to another node */
	atomic_long_t node_overflow;	/* of these, found the alien cache full */
	atomic_long_t allochit;		/* allocations from a CPU's array */
	atomic_long_t allocmiss;	/* and with it empty */
	atomic_long_t freehit;		/* frees to a CPU's array */
	atomic_long_t freemiss;		/* and with it full */
};

struct mmbox_kmem_cache {
	/* The fast paths read the first two lines and write nothing. */
	struct mmbox_array_cache __percpu *cpu_cache;
	u64 inverse;			/* these two divide by size: mmbox_obj_index() */
	unsigned int shift;
	unsigned int num;		/* objects a slab */
	unsigned long secret;		/* with its index, marks an object free */
	unsigned long va_base;		/* kernel address of the box's physical 0 */
	unsigned long va_size;		/* bytes from there that are the box's, 0: nonlinear */
	struct mmbox_page *memmap;	/* descriptor of pfn 0 */
	unsigned long slab_mask;	/* bytes a slab - 1 */
	unsigned long slab_base_mask;	/* ~slab_mask */
	u32 id;				/* what the pages of its slabs carry */
	u32 idle;			/* array_cache->busy while nobody is inside */
	bool no_mark;			/* no mark in free objects: ctor, RCU, or debug */
	u8 debug;			/* MMBOX_DEBUG_*, 0: not debugged */
	u8 index_size;			/* bytes a freelist index, 1 or 2 */
	slab_flags_t flags;
	unsigned int gfporder;		/* pages a slab, as an order */
	unsigned int size;		/* bytes an object, padding included */
	unsigned int object_size;	/* bytes an object as asked for */
	unsigned int obj_offset;	/* bytes of its slot before it: a red zone */
	unsigned int align;		/* bytes */
	struct reciprocal_value reciprocal_buffer_size;	/* of size */
	gfp_t allocflags;		/* added to the caller's for slab pages */
	unsigned int batchcount;	/* of the CPUs' arrays */
	unsigned int limit;		/* of the CPUs' arrays */
	unsigned int shared;		/* shared array's limit, in batchcounts */
	unsigned int colour;		/* colours there are */
	unsigned int colour_off;	/* bytes from one colour to the next */
	unsigned int freelist_size;	/* bytes of a slab's indices */
	unsigned int useroffset;	/* first byte that may be copied to user space, */
	unsigned int usersize;		/* and how many may */
	void (*ctor)(void *objp);

	struct mmbox *box;
	char name[MMBOX_SLAB_NAME_LEN];
	struct list_head list;		/* box->slab.caches, slab.mutex */
	struct mmbox_face_dir *dir;	/* its files, or NULL; slab.mutex */
	struct mmbox_host_percpu *host_cpu_cache;	/* owns cpu_cache */
	int refcount;			/* users by name, slab.mutex; merged: more than 1 */
	bool boot;			/* made with the box, goes with the box */

	/* SLAB_TYPESAFE_BY_RCU: slabs stay what they are for a grace period. */
	raw_spinlock_t rcu_lock;	/* the next three */
	struct list_head rcu_pending;	/* slabs for the next grace period */
	struct list_head rcu_waiting;	/* slabs for the one under way */
	bool rcu_armed;			/* @rcu is queued */
	struct rcu_head rcu;

	bool stats_on;
	struct mmbox_cache_stats stats;
	struct mmbox_kmem_cache_node *node[MMBOX_MAX_NUMNODES];
};

/* A CPU's array has to fit what per-CPU allocations can be; shared as many batches. */
#define MMBOX_MAX_LIMIT		4000

/* Not for callers of mmbox_kmem_cache_create(): how freelists are kept. */
#define MMBOX_CFLGS_OBJFREELIST_SLAB	((slab_flags_t __force)0x40000000U)
#define MMBOX_CFLGS_OFF_SLAB		((slab_flags_t __force)0x80000000U)

/* Caches that stand behind kmalloc: 96, 192, and powers of two. */
#define MMBOX_KMALLOC_SHIFT_LOW		3
#define MMBOX_KMALLOC_SHIFT_HIGH	17	/* 128 KiB */
#define MMBOX_NR_KMALLOC	(MMBOX_KMALLOC_SHIFT_HIGH + 1)

/* enum kmalloc_cache_type: which set of them, by the caller's GFP flags */
enum mmbox_kmalloc_cache_type {
	MMBOX_KMALLOC_NORMAL,
	MMBOX_KMALLOC_RECLAIM,		/* __GFP_RECLAIMABLE */
	MMBOX_KMALLOC_DMA,		/* __GFP_DMA */
	MMBOX_NR_KMALLOC_TYPES,
};

/* Objects for mmbox_kfree() after a grace period: by their rcu_head */
struct mmbox_kfree_rcu {
	raw_spinlock_t lock;		/* all below */
	struct rcu_head *pending;	/* for the next grace period */
	struct rcu_head *waiting;	/* for the one under way */
	bool armed;			/* @rcu is queued */
	struct rcu_head rcu;
};

/* Requests of refills that tests have refused. */
struct mmbox_slab_refuse {
	unsigned long first;		/* the first, counted from 1 */
	unsigned long count;		/* in a row; 0: none, and the others mean nothing */
	unsigned long period;		/* from one row to the next, 0: only one */
	atomic_long_t nr;		/* requests since it began */
	atomic_long_t nr_refused;	/* of these */
};

/* struct mmbox_slab: the slab layer's share of struct mmbox */
struct mmbox_slab {
	struct mutex mutex;		/* caches, cache creation and destruction */
	struct list_head caches;	/* newest first, as slab_caches */
	struct list_head percpus;	/* every cache's host_cpu_cache, where kmemleak sees it */
	struct mmbox_kfree_hint __percpu *hints;	/* what kfree() saw last */
	struct mmbox_host_percpu *host_hints;	/* owns hints */
	struct mmbox_kmem_cache *kmem_cache;	/* where the others come from */
	/* By size in 8 bytes up to 192, and by index for all. Sizes below
	 * kmalloc_min= are served by the smallest cache there is.
	 */
	struct mmbox_kmem_cache *kmalloc_small[MMBOX_NR_KMALLOC_TYPES][MMBOX_NR_KMALLOC_SMALL];
	struct mmbox_kmem_cache *kmalloc_caches[MMBOX_NR_KMALLOC_TYPES][MMBOX_NR_KMALLOC];
	struct mmbox_kfree_rcu kfree_rcu;
	struct mmbox_face_dir *dir;	/* caches/, or NULL; mutex */
	struct mmbox_host_percpu *reapers;	/* NULL with slab_reap=0 */
	struct hlist_node cpu_prepare;	/* who is told of CPUs */
	struct hlist_node cpu_online;
	atomic_long_t nr_slab_pages;	/* pages in slabs now */
	atomic_long_t peak_slab_pages;	/* the most there were */
	struct mmbox_slab_debug debug;
	struct mmbox_slab_refuse refuse;
};

struct mmbox_slabinfo {
	unsigned long active_objs;
	unsigned long num_objs;
	unsigned long active_slabs;
	unsigned long num_slabs;
	unsigned long shared_avail;
	unsigned int limit;
	unsigned int batchcount;
	unsigned int shared;
	unsigned int objects_per_slab;
	unsigned int cache_order;
};

/* slab.c */
int mmbox___kmem_cache_create(struct mmbox_kmem_cache *cachep,
			      struct mmbox_kmem_cache_node *boot_nodes);
void mmbox_free_block(struct mmbox_kmem_cache *cachep, struct mmbox_kmem_cache_node *n,
		      void **objpp, unsigned int nr, struct list_head *destroy);
bool mmbox___kmem_cache_empty(struct mmbox_kmem_cache *cachep);
void mmbox___kmem_cache_release(struct mmbox_kmem_cache *cachep);
enum mmbox_bad mmbox_why_not_ours(const struct mmbox_kmem_cache *cachep, const void *objp);
enum mmbox_bad mmbox_why_no_object(const struct mmbox *box, struct mmbox_page *page);
unsigned long mmbox_used_objects(struct mmbox_kmem_cache *cachep, void **objs,
				 unsigned int nr);
bool mmbox_in_object(struct mmbox_kmem_cache *cachep, const void *ptr,
		     unsigned int *offset);
void mmbox_get_slabinfo(struct mmbox_kmem_cache *cachep,
			struct mmbox_slabinfo *sinfo);

/* slab_pages.c */
struct mmbox_page *mmbox_cache_grow_begin(struct mmbox_kmem_cache *cachep, gfp_t gfp,
					  int nid);
void mmbox_forget_cache(struct mmbox_kmem_cache *cachep);
void mmbox_slabs_destroy(struct mmbox_kmem_cache *cachep, struct list_head *list);
void mmbox_kmem_cache_rcu_barrier(struct mmbox_kmem_cache *cachep);

/* slab_arrays.c */
int mmbox_alloc_cpu_cache(struct mmbox_kmem_cache *cachep);
int mmbox_alloc_nodes(struct mmbox_kmem_cache *cachep,
		      struct mmbox_kmem_cache_node *boot_nodes);
void mmbox_free_nodes(struct mmbox_kmem_cache *cachep);
int mmbox_enable_shared(struct mmbox_kmem_cache *cachep);
void mmbox_cache_free_alien(struct mmbox_kmem_cache *cachep, void *objp, int nid,
			    int slab_nid);
int mmbox___kmem_cache_shrink(struct mmbox_kmem_cache *cachep);
void mmbox___kmem_caches_reap(struct mmbox *box);
int mmbox_do_tune_cpucache(struct mmbox_kmem_cache *cachep, int limit, int batchcount,
			   int shared);
bool mmbox_cache_reap(struct mmbox *box, int alien);
int mmbox_slab_start(struct mmbox *box);
void mmbox_slab_stop(struct mmbox *box);
int mmbox_slab_module_init(void);
void mmbox_slab_module_exit(void);

/* slab_geometry.c */
int mmbox_slab_set_geometry(struct mmbox_kmem_cache *cachep);
void mmbox_slab_set_tunables(struct mmbox_kmem_cache *cachep);

/* slab_refuse.c */
bool mmbox_slab_refuse_this(struct mmbox *box);
void mmbox_slab_refuse_begin(struct mmbox *box, unsigned long first, unsigned long count,
			     unsigned long period);
unsigned long mmbox_slab_refuse_end(struct mmbox *box, unsigned long *nr_refused);

/* Costs a patched-out jump while no test wants it. */
DECLARE_STATIC_KEY_FALSE(mmbox_slab_refuse_key);

static inline bool mmbox_slab_refused(struct mmbox *box)
{
	return static_branch_unlikely(&mmbox_slab_refuse_key) && mmbox_slab_refuse_this(box);
}

/* slab_common.c */
void mmbox_wait_until_disarmed(raw_spinlock_t *lock, const bool *armed);
int mmbox_kmem_cache_boot(struct mmbox *box);
int mmbox_kmem_cache_init(struct mmbox *box);
void mmbox_kmem_cache_exit(struct mmbox *box);
struct mmbox_kmem_cache *
mmbox_kmem_cache_try_create(struct mmbox *box, const char *name,
			    unsigned int size, unsigned int align,
			    slab_flags_t flags, void (*ctor)(void *));
struct mmbox_kmem_cache *
mmbox_kmem_cache_try_create_usercopy(struct mmbox *box, const char *name,
				     unsigned int size, unsigned int align,
				     slab_flags_t flags, unsigned int useroffset,
				     unsigned int usersize, void (*ctor)(void *));
struct mmbox_kmem_cache *mmbox_kmalloc_slab(struct mmbox *box, size_t size,
					    gfp_t gfp);

/*
 * Statistics are counted on the slow paths alone, on which caches that have
 * them are kept, and there for a patched-out jump while no box has them.
 */
DECLARE_STATIC_KEY_FALSE(mmbox_slab_stats);

#define mmbox_slab_stat_add(cachep, item, nr)					\
do {										\
	if (static_branch_unlikely(&mmbox_slab_stats) && (cachep)->stats_on)	\
		atomic_long_add(nr, &(cachep)->stats.item);			\
} while (0)

#define mmbox_slab_stat_inc(cachep, item)	mmbox_slab_stat_add(cachep, item, 1)

#define mmbox_slab_stat_max(cachep, item, nr)					\
do {										\
	if (static_branch_unlikely(&mmbox_slab_stats) && (cachep)->stats_on)	\
		mmbox_stat_max(&(cachep)->stats.item, nr);			\
} while (0)

/* Unsigned, as 6.1 compares them: see node_alloc_one(). */
static inline void mmbox_stat_max(atomic_long_t *max, unsigned long nr)
{
	long old = atomic_long_read(max);

	while (nr > (unsigned long)old && !atomic_long_try_cmpxchg(max, &old, nr))
		;
}

static inline void mmbox_slab_stat_active(struct mmbox_kmem_cache *cachep)
{
	if (static_branch_unlikely(&mmbox_slab_stats) && cachep->stats_on)
		mmbox_stat_max(&cachep->stats.high_mark,
			       atomic_long_inc_return(&cachep->stats.num_active));
}

/* @nr objects went from slabs to an array. */
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

/* Does each allocation and free pass slab_debug.c? */
static inline bool mmbox_slab_debugged(const struct mmbox_kmem_cache *cachep)
{
	return unlikely(cachep->debug);
}

#endif /* _MMBOX_SLAB_H */
