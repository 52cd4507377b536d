/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SLAB's own part of a cache, after <linux/slab_def.h> of Linux 6.1. Only for SLAB's
 * files; the others use struct mmbox_slab_ops, types/slab.h.
 */
#ifndef _MMBOX_TYPES_SLAB_DEF_H
#define _MMBOX_TYPES_SLAB_DEF_H

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "types/mmzone.h"

struct mmbox_host_percpu;

#define MMBOX_SLAB_MAX_ORDER	1	/* slab_max_order of a machine over 32 MiB */
#define MMBOX_FREELIST_UNIT	32	/* bytes, unit of page->freelist off-slab */
#define MMBOX_SLAB_OBJ_MIN_SIZE	16	/* smaller objects need two-byte indices */

/*
 * A stack of free objects, with the object that was freed last on top. One for each
 * CPU and cache, and one that the CPUs of a node share.
 *
 * The array of a CPU has no lock. Only its CPU works on it, with preemption off. It
 * increments @busy before it reads any other field. @busy is MMBOX_AC_IDLE, or -1,
 * while nobody is inside. So one instruction both marks the array and tells whether it
 * was idle: the result is 0. An interrupt that gets another result decrements @busy
 * again and uses the node's lists. In a cache that the fast paths cannot serve, idle
 * arrays have 0 instead of -1, so that the fast paths always take their slow path:
 * see @idle of struct mmbox_slab_cache.
 */
struct mmbox_array_cache {
	unsigned int avail;		/* objects in entry[] */
	unsigned int limit;		/* capacity of entry[] */
	u16 batchcount;			/* objects to move at once */
	u8 hinter;			/* mmbox_hinter() of the CPU */
	union {
		struct {
			u32 busy;	/* the cache's @idle; above it: the CPU is inside */
			u32 touched;	/* not 0: used since the reaper last looked */
		};
		u64 busy_touched;	/* both at once, for the fast paths */
	};
	unsigned long hint;		/* first object of the slab of the object that
					 * was freed last, or mmbox_no_hint()
					 */
	void *entry[];
};

#define MMBOX_AC_IDLE		U32_MAX	/* busy: nobody is inside */
#define MMBOX_AC_DIVERTED	0	/* busy: idle, in a diverted cache */
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
	struct list_head *walk;		/* next slab of the current walk, NULL: no walk */
	struct mmbox_array_cache *shared;	/* shared by the CPUs, or NULL */
	/* By node: what this node's CPUs have freed to it. NULL in a box of one node.
	 * Written under slab.mutex, freed after a grace period.
	 */
	struct mmbox_alien_cache **alien;
	unsigned long next_reap;	/* jiffies */
	int free_touched;		/* slabs_free was needed since the last reap */
	bool walk_changed;		/* a slab was added, removed or moved during the walk */
};

#if !defined(CONFIG_DEBUG_SPINLOCK) && !defined(CONFIG_DEBUG_LOCK_ALLOC)
/* From kmalloc-128, as in Linux 6.1: what a box has taken after its boot depends on it. */
static_assert(sizeof(struct mmbox_kmem_cache_node) <= 128);
#endif

/* Objects that CPUs of one node have freed to another node. */
struct mmbox_alien_cache {
	raw_spinlock_t lock;		/* all below; before the home node's list_lock */
	struct mmbox_array_cache ac;
};

/* Statistics in slabinfo with slab_stats=1. */
struct mmbox_cache_stats {
	atomic_long_t num_active;	/* objects not in their slabs */
	atomic_long_t num_allocations;	/* objects moved from slabs to arrays */
	atomic_long_t high_mark;	/* the most num_active was */
	atomic_long_t grown;		/* slabs made */
	atomic_long_t reaped;		/* slabs that the reaper gave back */
	atomic_long_t errors;		/* always 0, as in 6.1 */
	atomic_long_t max_freeable;	/* the most free slabs that a flush saw */
	atomic_long_t node_allocs;	/* objects allocated past the arrays */
	atomic_long_t node_frees;	/* objects freed to another node */
	atomic_long_t node_overflow;	/* of these, with the alien cache full */
	atomic_long_t allochit;		/* allocations from a CPU's array */
	atomic_long_t allocmiss;	/* allocations with it empty */
	atomic_long_t freehit;		/* frees to a CPU's array */
	atomic_long_t freemiss;		/* frees with it full */
};

/* The format of a freelist. */
enum mmbox_freelist_kind {
	MMBOX_FREELIST_BYTES,		/* one byte each */
	MMBOX_FREELIST_SPILLED,		/* bytes, the first eight in another object */
	MMBOX_FREELIST_SHORTS,		/* two bytes each */
};

/* Largest limit and shared: per-CPU allocations have a limited size. */
#define MMBOX_MAX_LIMIT		4000

/* kmem_cache->flags, not for callers of mmbox_kmem_cache_create(): where freelists are. */
#define MMBOX_CFLGS_OBJFREELIST_SLAB	((slab_flags_t __force)0x40000000U)
#define MMBOX_CFLGS_OFF_SLAB		((slab_flags_t __force)0x80000000U)

/* SLAB's part of struct mmbox_kmem_cache. */
struct mmbox_slab_cache {
	struct mmbox_host_percpu *host_cpu_cache;	/* owns cpu_cache */
	u32 idle;			/* array_cache->busy while nobody is inside */
	u8 index_size;			/* bytes a freelist index, 1 or 2 */
	u8 freelist_kind;		/* enum mmbox_freelist_kind */
	u8 freelist_offset;		/* on-object freelist: bytes into its object */
	bool stats_on;			/* slab_stats=1 */
	unsigned int freelist_size;	/* bytes of a slab's indices */
	unsigned int batchcount;	/* of the CPUs' arrays */
	unsigned int limit;		/* of the CPUs' arrays */
	unsigned int shared;		/* shared array's limit, in batchcounts */
	unsigned int colour;		/* number of colours */
	unsigned int colour_off;	/* bytes between colours */
	struct mmbox_cache_stats stats;
	struct mmbox_kmem_cache_node *node[MMBOX_MAX_NUMNODES];
};

#endif /* _MMBOX_TYPES_SLAB_DEF_H */
