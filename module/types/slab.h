/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SLAB caches of the box, after <linux/slab_def.h> and mm/slab.h of Linux 6.1, and their debugging.
 */
#ifndef _MMBOX_TYPES_SLAB_H
#define _MMBOX_TYPES_SLAB_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/gfp.h>
#include <linux/limits.h>
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
	u16 batchcount;			/* objects to move at once */
	u8 hinter;			/* mmbox_hinter() of the CPU */
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
	u8 freelist_kind;		/* enum mmbox_freelist_kind */
	u8 freelist_offset;		/* on-object freelist: bytes into its object */
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
	struct mmbox_face_dir *dir;	/* the observer's: its files, or NULL; slab.mutex */
	struct mmbox_host_percpu *host_cpu_cache;	/* owns cpu_cache */
	int refcount;			/* users by name, slab.mutex; merged: more than 1 */
	bool boot;			/* made with the box, goes with the box */

	bool stats_on;
	struct mmbox_cache_stats stats;
	struct mmbox_kmem_cache_node *node[MMBOX_MAX_NUMNODES];
};

/* How a slab's indices are read and written. */
enum mmbox_freelist_kind {
	MMBOX_FREELIST_BYTES,		/* one byte each */
	MMBOX_FREELIST_SPILLED,		/* bytes, the first eight in another object */
	MMBOX_FREELIST_SHORTS,		/* two bytes each */
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

/* How many wait for a grace period; numbers count from the making of the box. */
struct mmbox_rcu_queue {
	raw_spinlock_t lock;		/* all below, and the lists */
	unsigned long nr_queued;	/* that have come */
	unsigned long nr_waiting;	/* of these, up to the end of the batch under way */
	unsigned long nr_freed;		/* of these; read without the lock */
	bool armed;			/* a batch is under way */
	struct rcu_work rwork;		/* frees it */
	wait_queue_head_t wait;		/* who waits for nr_freed */
};

/* Objects for mmbox_kfree() after a grace period: by their rcu_head */
struct mmbox_kfree_rcu {
	struct mmbox_rcu_queue queue;
	struct rcu_head *pending;	/* the next batch */
	struct rcu_head *waiting;	/* the batch under way */
};

/* SLAB_TYPESAFE_BY_RCU: slabs stay what they are for a grace period. */
struct mmbox_rcu_slabs {
	struct mmbox_rcu_queue queue;
	struct list_head pending;	/* the next batch, of all caches */
	struct list_head waiting;	/* the batch under way */
};

/*
 * Objects without a mark that users have, for caches that promise that contents
 * survive: a bit for each 16 bytes of the box, set where such an object begins.
 * Bits are made when a slab needs them, a page of the host for 512 KiB of the box.
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

/* struct mmbox_slab: the slab layer's share of struct mmbox */
struct mmbox_slab {
	unsigned long secret;		/* random, but for 16 low bits, which are 0 */
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
	struct mmbox_slab_used used;	/* made under mutex, bits are atomic */
	struct mmbox_kfree_rcu kfree_rcu;
	struct mmbox_rcu_slabs rcu_slabs;
	struct mmbox_host_percpu *reapers;	/* NULL with slab_reap=0 */
	atomic_long_t nr_slab_pages;	/* pages in slabs now */
	atomic_long_t peak_slab_pages;	/* the most there were */
	struct mmbox_slab_debug debug;
	struct mmbox_failslab failslab;
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

#endif /* _MMBOX_TYPES_SLAB_H */
