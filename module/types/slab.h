/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slab caches, after mm/slab.h of Linux 6.1: the fields that all designs of slabs need,
 * the interface of a design, and debugging. SLAB's own fields: types/slab_def.h.
 */
#ifndef _MMBOX_TYPES_SLAB_H
#define _MMBOX_TYPES_SLAB_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/reciprocal_div.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/stackdepot.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "types/mmzone.h"
#include "types/observer.h"
#include "types/slab_def.h"

struct mmbox;
struct mmbox_face_dir;
struct mmbox_kfree_hint;

#define MMBOX_SLAB_NAME_LEN	48	/* with the terminating zero */
#define MMBOX_S_MEM_UNIT	64	/* bytes, what page->s_mem counts */

/*
 * A cache, after struct kmem_cache. These fields serve every design of slabs. @slab has
 * SLAB's own fields, which only SLAB's files use; the others call struct
 * mmbox_slab_ops.
 */
struct mmbox_kmem_cache {
	/* The fast paths read the first two lines and write nothing. */
	struct mmbox_array_cache __percpu *cpu_cache;	/* SLAB's: arrays of the CPUs */
	u64 inverse;			/* these two divide by size: mmbox_obj_index() */
	unsigned int shift;
	unsigned int num;		/* objects per slab */
	unsigned long secret;		/* with its index, marks an object free */
	unsigned long va_base;		/* kernel address of the box's physical 0 */
	unsigned long va_size;		/* bytes from there that belong to the box, 0: nonlinear */
	struct mmbox_page *memmap;	/* descriptor of pfn 0 */
	unsigned long slab_mask;	/* bytes a slab - 1 */
	unsigned long slab_base_mask;	/* ~slab_mask */
	u32 id;				/* identifies the cache in the pages of its slabs */
	bool no_mark;			/* no mark in free objects: ctor, RCU, or debug */
	u8 debug;			/* MMBOX_DEBUG_*, 0: not debugged */
	bool boot;			/* made at boot, cannot be destroyed */
	slab_flags_t flags;
	unsigned int gfporder;		/* order of a slab */
	unsigned int size;		/* bytes per object, padding included */
	unsigned int object_size;	/* bytes per object as requested */
	unsigned int obj_offset;	/* bytes before an object in its slot: a red zone */
	unsigned int align;		/* bytes */
	struct reciprocal_value reciprocal_buffer_size;	/* of size */
	gfp_t allocflags;		/* added to the caller's for slab pages */
	unsigned int useroffset;	/* first byte that may be copied to user space */
	unsigned int usersize;		/* bytes from there that may be copied */
	int refcount;			/* users by name, slab.mutex; merged: more than 1 */
	void (*ctor)(void *objp);

	struct mmbox *box;
	char name[MMBOX_SLAB_NAME_LEN];
	struct list_head list;		/* box->slab.caches, slab.mutex */
	struct mmbox_face_dir *dir;	/* the observer's: its files, or NULL; slab.mutex */

	struct mmbox_slab_cache slab;	/* SLAB's own; last, as its length depends on nr_nodes */
};

/* What slabinfo shows of a cache. */
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
	const struct mmbox_cache_stats *stats;	/* NULL without slab_stats=1 */
};

/* ---- walks over all parts of a cache ---- */

/* A list of slabs that a walk visits. */
struct mmbox_slab_list {
	const char *name;		/* name of the field */
	int nid;			/* node of the list */
	unsigned int min, max;		/* allowed number of objects in use in its slabs */
};

/* Counters of a node, passed after a walk has visited its slabs. */
struct mmbox_node_counts {
	int nid;
	unsigned long total_slabs;
	unsigned long free_slabs;	/* with all objects free */
	unsigned long free_objects;	/* in slabs */
	unsigned int colour_next;	/* SLAB's */
	bool changed;			/* during the walk, so the counters need not match it */
};

/* A stack of free objects that are not in their slabs, e.g. a CPU's array. */
struct mmbox_object_stack {
	const char *what;		/* "array of CPU", completed by @nr */
	int nr;				/* CPU or node */
	int nid;			/* node of the objects */
	unsigned int avail;		/* objects in @entry */
	unsigned int limit;		/* capacity; 0: there is no such stack */
	unsigned int batchcount;	/* objects to move at once */
	bool touched;			/* used since the last reap */
	bool idle;			/* no CPU is at work on it */
	void *const *entry;		/* start of each object's slot, i.e. of its red zone */
};

/* Callbacks of a walk over a cache; NULL for parts to be skipped. */
struct mmbox_slab_walker {
	/* A slab. Returns false if the list is corrupted and the walk must leave it. */
	bool (*slab)(void *arg, struct mmbox_page *slab, const struct mmbox_slab_list *list);
	/* A node, after its slabs. */
	void (*node)(void *arg, const struct mmbox_node_counts *counts);
	void (*stack)(void *arg, const struct mmbox_object_stack *stack);
	/* A field of the design; @nid is NUMA_NO_NODE if it belongs to the whole cache. */
	void (*field)(void *arg, int nid, const char *name, unsigned long value);
};

/*
 * The interface of a design of slabs, for slab_common.c, kmalloc.c, slab_rcu.c,
 * slab_debug.c and the layers above. Fast paths are not here, as they are never called
 * through pointers: see docs/development.md. Unless noted otherwise these functions run
 * in process context and may sleep.
 */
struct mmbox_slab_ops {
	const char *name;

	/* Bytes of a struct mmbox_kmem_cache with the design's part for @nr_nodes nodes. */
	unsigned int (*cache_size)(int nr_nodes);
	/* Boot memory for the first caches' parts, as kmalloc does not work yet. */
	size_t boot_bytes;
	/* kmalloc size of a cache's parts: the cache of this size is created first. 0: none. */
	size_t kmalloc_first;

	/*
	 * Compute the layout of slabs and set up the design's part of a new cache. Generic
	 * fields are set except num, gfporder, size, obj_offset and the masks. Under
	 * slab.mutex.
	 */
	int (*create)(struct mmbox_kmem_cache *cachep);
	/* Complete create() of the first two caches once kmalloc works. */
	int (*create_late)(struct mmbox_kmem_cache *cachep);
	/* Free the design's part of a cache without slabs. Under slab.mutex. */
	void (*release)(struct mmbox_kmem_cache *cachep);
	/*
	 * Return cached objects to their slabs and free empty slabs. With @cpus also
	 * drain the CPUs; cpus_read_lock() is held then. Returns 0 if no slab is left.
	 */
	int (*shrink)(struct mmbox_kmem_cache *cachep, bool cpus);
	/* The same for all caches, for reclaim. Under slab.mutex and cpus_read_lock(). */
	void (*reap)(struct mmbox *box);
	/* Free a slab after its grace period. */
	void (*free_slab)(struct mmbox_kmem_cache *cachep, struct mmbox_page *slab);
	/* A write to slabinfo. Under slab.mutex. 0, -EINVAL or -ENOMEM. */
	int (*tune)(struct mmbox_kmem_cache *cachep, int limit, int batchcount, int shared);

	/* Background work and CPU hotplug, see cpu.c. */
	int (*start)(struct mmbox *box);
	void (*stop)(struct mmbox *box);
	void (*cpu_prepare)(struct mmbox *box, unsigned int cpu);
	void (*cpu_online)(struct mmbox *box, unsigned int cpu);
	void (*cpu_offline)(struct mmbox *box, unsigned int cpu);
	void (*cpu_dead)(struct mmbox *box, unsigned int cpu);

	/* For files and checks. Under slab.mutex. */
	void (*get_slabinfo)(struct mmbox_kmem_cache *cachep, struct mmbox_slabinfo *sinfo);
	unsigned long (*node_slabs)(const struct mmbox_kmem_cache *cachep, int nid);
	/* Visit fields and nodes with slabs and stacks, under their locks: in atomic context. */
	void (*walk)(struct mmbox_kmem_cache *cachep, const struct mmbox_slab_walker *w,
		     void *arg);
	/* Visit each CPU's stacks on that CPU, while nobody uses them. Under cpus_read_lock(). */
	void (*walk_cpus)(struct mmbox_kmem_cache *cachep, const struct mmbox_slab_walker *w,
			  void *arg);
	/* Visit them from this CPU, while their CPUs may use them. */
	void (*peek_cpus)(struct mmbox_kmem_cache *cachep, const struct mmbox_slab_walker *w,
			  void *arg);
	/* Visit the indices on a slab's freelist and their positions; list_lock is held. */
	void (*walk_freelist)(const struct mmbox_kmem_cache *cachep,
			      const struct mmbox_page *slab,
			      void (*fn)(void *arg, unsigned int pos, unsigned int idx),
			      void *arg);
	/* Is an object on its slab's freelist? Any context; the slab may have gone. */
	bool (*on_freelist)(struct mmbox_kmem_cache *cachep, struct mmbox_page *slab,
			    unsigned int idx);
	/* Does the object hold the freelist of its slab? */
	bool (*holds_freelist)(const struct mmbox_kmem_cache *cachep,
			       const struct mmbox_page *slab, unsigned int idx);
};

/* Caches of kmalloc: 96, 192, and powers of two. */
#define MMBOX_KMALLOC_SHIFT_LOW		3
#define MMBOX_KMALLOC_SHIFT_HIGH	17	/* 128 KiB */
#define MMBOX_NR_KMALLOC	(MMBOX_KMALLOC_SHIFT_HIGH + 1)

/* enum kmalloc_cache_type: sets of kmalloc caches, chosen by GFP flags */
enum mmbox_kmalloc_cache_type {
	MMBOX_KMALLOC_NORMAL,
	MMBOX_KMALLOC_RECLAIM,		/* __GFP_RECLAIMABLE */
	MMBOX_KMALLOC_DMA,		/* __GFP_DMA */
	MMBOX_NR_KMALLOC_TYPES,
};

/* What waits for a grace period, counted since the box was made. */
struct mmbox_rcu_queue {
	raw_spinlock_t lock;		/* all below, and the lists */
	unsigned long nr_queued;	/* given to the queue */
	unsigned long nr_waiting;	/* of these, up to the end of the batch under way */
	unsigned long nr_freed;		/* of these; read without the lock */
	bool armed;			/* a batch is under way */
	struct rcu_work rwork;		/* frees it */
	wait_queue_head_t wait;		/* who waits for nr_freed */
};

/* Objects that mmbox_kfree_rcu() was given, linked by their rcu_head. */
struct mmbox_kfree_rcu {
	struct mmbox_rcu_queue queue;
	struct rcu_head *pending;	/* the next batch */
	struct rcu_head *waiting;	/* the batch under way */
};

/* Slabs of SLAB_TYPESAFE_BY_RCU caches, which end after a grace period. */
struct mmbox_rcu_slabs {
	struct mmbox_rcu_queue queue;
	struct list_head pending;	/* the next batch, of all caches */
	struct list_head waiting;	/* the batch under way */
};

/*
 * Which objects are in use, for caches whose free objects carry no mark: a bit for
 * each 16 bytes of the box, set where an object in use begins. The bits for 512 KiB of
 * the box are a page of the host, made when a slab there needs them.
 */
#define MMBOX_USED_UNIT		16	/* bytes a bit; objects are no smaller */
#define MMBOX_USED_CHUNK	SZ_512K	/* bytes that bits are made for at once */

struct mmbox_slab_used {
	unsigned long **chunk;		/* by physical address, NULL: none needed yet */
	unsigned long nr_chunks;	/* length of chunk[] */
};

/* Failure injection for tests: which requests for new slabs fail. */
struct mmbox_failslab {
	unsigned long first;		/* the first that fails, counted from 1 */
	unsigned long count;		/* fail in a row; 0: injection is off */
	unsigned long period;		/* from row to row, in requests; 0: one row */
	atomic_long_t nr;		/* requests counted so far */
	atomic_long_t nr_failed;	/* of these, made to fail */
};

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

/* The shadow of a slab of a debugged cache, in host memory. By index of the object. */
struct mmbox_slab_shadow {
	struct rcu_head rcu;		/* readers may come while the slab ends */
	size_t bytes;			/* of this */
	struct mmbox_kmem_cache *cachep;	/* whose slab it is */
	unsigned int num;		/* objects */
	unsigned long *used;		/* bits: in use; set and cleared atomically */
	unsigned long *out;		/* bits: not on the slab's freelist, list_lock */
	unsigned long *known;		/* bits: not to be listed by `leaks` */
	struct mmbox_track (*tracks)[MMBOX_NR_TRACKS];	/* NULL without U */
};

/* struct mmbox_slab_debug: the debugging share of struct mmbox_slab */
struct mmbox_slab_debug {
	char text[MMBOX_SLAB_DEBUG_LEN];	/* slab_debug= */
	bool on;			/* some cache may be debugged */
	bool depot;			/* the host's stack depot can be used */
	unsigned long nr_pfns;		/* length of shadow[] */
	struct mmbox_slab_shadow __rcu **shadow;	/* by pfn of the slab's head */
	unsigned long bad_freelist;	/* pfn + 1 of a slab to be reported, or 0 */
};

/* The state in which an object is checked. */
enum mmbox_object_state {
	MMBOX_OBJECT_FREE,
	MMBOX_OBJECT_USED,
	MMBOX_OBJECT_EITHER,	/* its user may be freeing it at this moment */
};

/* One thing that is wrong with an object. */
struct mmbox_slab_fault {
	enum mmbox_bad why;	/* as it is counted */
	const char *what;	/* as the report names it */
	const u8 *from;		/* first byte that is not as it should be */
	const u8 *to;		/* last one */
	u8 want;		/* what *from should have been */
};

/* struct mmbox_slab: the slab layer's share of struct mmbox */
struct mmbox_slab {
	unsigned long secret;		/* random, but for 16 low bits, which are 0 */
	struct mutex mutex;		/* caches, cache creation and destruction */
	struct list_head caches;	/* newest first, as slab_caches */
	struct list_head percpus;	/* every cache's host_cpu_cache, for kmemleak to see */
	struct mmbox_kfree_hint __percpu *hints;	/* what kfree() saw last */
	struct mmbox_host_percpu *host_hints;	/* owns hints */
	struct mmbox_kmem_cache *kmem_cache;	/* the cache of all caches */
	const struct mmbox_slab_ops *ops;	/* the design of its slabs */
	void *boot_mem;			/* ops->boot_bytes for the first caches */
	/* The kmalloc caches: by size in 8 bytes up to 192 bytes, and all by index.
	 * Sizes below kmalloc_min= have the smallest cache.
	 */
	struct mmbox_kmem_cache *kmalloc_small[MMBOX_NR_KMALLOC_TYPES][MMBOX_NR_KMALLOC_SMALL];
	struct mmbox_kmem_cache *kmalloc_caches[MMBOX_NR_KMALLOC_TYPES][MMBOX_NR_KMALLOC];
	struct mmbox_slab_used used;	/* made under mutex, bits are atomic */
	struct mmbox_kfree_rcu kfree_rcu;
	struct mmbox_rcu_slabs rcu_slabs;
	struct mmbox_host_percpu *reapers;	/* SLAB's; NULL with slab_reap=0 */
	atomic_long_t nr_slab_pages;	/* pages in slabs now */
	atomic_long_t peak_slab_pages;	/* the most that nr_slab_pages was */
	atomic_long_t nr_large_pages[MMBOX_MAX_NUMNODES];	/* of kmalloc without a cache */
	struct mmbox_slab_debug debug;
	struct mmbox_failslab failslab;
};

#endif /* _MMBOX_TYPES_SLAB_H */
