/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Nodes, zones and free areas of the box, as in <linux/mmzone.h>; counters, as in
 * <linux/vmstat.h>; and all other state of the page allocator.
 */
#ifndef _MMBOX_TYPES_MMZONE_H
#define _MMBOX_TYPES_MMZONE_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rwsem.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "types/mm_types.h"

struct mmbox;
struct mmbox_host_percpu;

#define MMBOX_MAX_NUMNODES	8
#define MMBOX_MAX_ORDERS	11	/* orders 0 to 10, as Linux 6.1 */
#define MMBOX_MIN_ORDERS	10	/* orders 0 to 9, as Linux 2.4 */
#define MMBOX_COSTLY_ORDER	3	/* PAGE_ALLOC_COSTLY_ORDER */
#define MMBOX_MIN_PCP_HIGH_FRACTION	8	/* least percpu_pagelist_high_fraction except 0 */
#define MMBOX_THP_ORDER		9	/* pcp_thp=1: order of pageblocks and of one more list */
#define MMBOX_PCP_BATCH_SCALE_MAX	5	/* CONFIG_PCP_BATCH_SCALE_MAX */

/* Whether the pages of a block can be moved or reclaimed. */
enum mmbox_migratetype {
	MMBOX_MIGRATE_UNMOVABLE,
	MMBOX_MIGRATE_MOVABLE,
	MMBOX_MIGRATE_RECLAIMABLE,
	MMBOX_MIGRATE_PCPTYPES,		/* number of types with per-CPU lists */
	MMBOX_MIGRATE_HIGHATOMIC = MMBOX_MIGRATE_PCPTYPES,
	MMBOX_MIGRATE_ISOLATE,		/* going offline: nothing is allocated from it */
	MMBOX_MIGRATE_TYPES,
};

/* Lists of a CPU by order and migrate type; pcp_thp=1 has one more. */
#define MMBOX_PCP_ORDERS	(MMBOX_COSTLY_ORDER + 1)
#define MMBOX_PCP_THP		(MMBOX_PCP_ORDERS * MMBOX_MIGRATE_PCPTYPES)
#define MMBOX_NR_PCP_LISTS	(MMBOX_PCP_THP + 1)

enum mmbox_zone_type {
	MMBOX_ZONE_DMA,		/* below zone_dma= */
	MMBOX_ZONE_DMA32,	/* below zone_dma32= */
	MMBOX_ZONE_NORMAL,
	MMBOX_ZONE_MOVABLE,	/* the end of the highest zone above: movablecore= */
	MMBOX_MAX_NR_ZONES,
};

/* page->zone_link, zone_id and node_id combined, is below this. */
#define MMBOX_NR_ZONE_LINKS	32

/* Generations of the buddy allocator. */
enum mmbox_buddy_type {
	MMBOX_BUDDY_LIST,	/* Linux 6.1 */
	MMBOX_BUDDY_BITMAP,	/* Linux 2.4 */
	MMBOX_NR_BUDDY_TYPES,
};

enum mmbox_zone_watermarks {
	MMBOX_WMARK_MIN,
	MMBOX_WMARK_LOW,
	MMBOX_WMARK_HIGH,
	MMBOX_NR_WMARK,
};

/* Free blocks of an order. Written by the page design alone, under its lock. */
struct mmbox_free_area {
	/* First pages of free blocks; a design without migrate types uses the first list only. */
	struct list_head free_list[MMBOX_MIGRATE_TYPES];
	unsigned long nr_free;		/* free blocks; kept by every design */
	unsigned long *map;		/* buddy=bitmap: a bit for each pair, set if one is free */
};

/*
 * Free pages that a CPU keeps of a zone. They have no lock: only their own CPU uses
 * them, with preemption off and @busy set (pages/pcp.h). An interrupt that finds @busy
 * set goes to the zone instead. Where the page design has no per-CPU lists, @busy is
 * always set.
 */
struct mmbox_per_cpu_pages {
	u8 busy;			/* the lists are in use on this CPU */
	u8 free_factor;			/* log2 of the current multiple of @batch to free */
	u16 batch;			/* pages to move to or from the zone at once */
	int count;			/* pages on all lists */
	int high;			/* at this many pages a batch goes back to the zone */
	unsigned int nr_alloc_thp;	/* allocations of order 9 so far */
	unsigned long nr_alloc[MMBOX_PCP_ORDERS];	/* allocations so far, by order */
	struct list_head lists[MMBOX_NR_PCP_LISTS];	/* mmbox_order_to_pindex() */
} __aligned(256);

/* Per-CPU data of a box. The CPU's page lists of all zones follow it. */
struct mmbox_cpu {
	/* First zone of the node's zonelist, by the highest zone allowed; read it once */
	struct mmbox_zone *first[MMBOX_MAX_NR_ZONES];
	int nid;				/* node of this CPU */
	/* Share of each zone's nr_free_pages not yet added to it, pages; under zone->lock */
	s8 vm_stat_diff[MMBOX_MAX_NUMNODES * MMBOX_MAX_NR_ZONES];
	u32 checksum;				/* checksum of this CPU's lists, last computed */
} __aligned(256);

/* zone->flags */
enum mmbox_zone_flags {
	MMBOX_ZONE_BOOSTED_WATERMARK,	/* watermark boosted: wake kswapd */
	MMBOX_ZONE_RECLAIM_ACTIVE,	/* kswapd is reclaiming: keep per-CPU lists short */
};

struct mmbox_zone {
	/* Read by every allocation. Written at boot and by the tunables. */
	unsigned long _watermark[MMBOX_NR_WMARK];	/* pages; marks_lock */
	unsigned long watermark_boost;	/* pages added to the marks for a while; marks_lock */
	/* Pages kept from requests that may use higher zones, by their highest zone. */
	long lowmem_reserve[MMBOX_MAX_NR_ZONES];
	unsigned long nr_reserved_highatomic;	/* pages of HIGHATOMIC pageblocks; the design's */
	unsigned long nr_isolate_pageblock;	/* isolated pageblocks; the design's */
	unsigned long flags;		/* enum mmbox_zone_flags, atomic bits */
	int idx;			/* index in node_zones[] */
	struct mmbox_per_cpu_pages __percpu *per_cpu_pageset;
	struct mmbox_pglist_data *zone_pgdat;
	struct mmbox *box;
	const char *name;
	/* The span, in pages. Under memory_lock, written by the page design. */
	unsigned long zone_start_pfn;
	unsigned long spanned_pages;	/* holes included */
	/* Under memory_lock, read without. */
	unsigned long managed_pages;	/* pages that the page allocator manages */
	unsigned long present_pages;	/* pages without holes and offline sections */

	/*
	 * Protects the marks above and the sizes below. A leaf: taken inside the lock of a
	 * page design, with interrupts off.
	 */
	raw_spinlock_t marks_lock;
	int pageset_high;		/* pages, pcp->high while kswapd is not reclaiming */
	int pageset_batch;		/* pages, pcp->batch */

	/* Counted by slow paths only. */
	atomic_long_t nr_numa_miss;	/* allocations from here, meant for another node */
	atomic_long_t nr_numa_foreign;	/* allocations meant for here, from another node */
	atomic_long_t nr_numa_interleave;	/* interleaved allocations from the intended node */
	atomic_long_t nr_numa_other;	/* allocations past per-CPU lists by CPUs of other nodes */

	/*
	 * From here on the zone belongs to the page design. @lock is its own: list and
	 * bitmap protect with it what follows and the descriptors of free blocks. The
	 * counters are kept by every design and read by others without a lock.
	 */
	raw_spinlock_t lock ____cacheline_aligned_in_smp;
	unsigned long nr_free_pages;	/* NR_FREE_PAGES: pages in free_area[], less vm_stat_diff */
	unsigned long nr_free_isolated;	/* pages kept out of it by isolation, offline ones too */
	unsigned long map_start_pfn;	/* first page frame of free_area[].map; buddy=bitmap */
	unsigned long map_end_pfn;	/* first page frame beyond it */
	struct mmbox_free_area free_area[MMBOX_MAX_ORDERS];
	unsigned long nr_alloc[MMBOX_MAX_ORDERS];	/* allocations past the per-CPU lists */
	unsigned long nr_changes;	/* blocks freed and taken; exact while nr_watchers > 0 */
	union {
		struct {
			int stat_threshold;	/* limit of |vm_stat_diff|, pages; marks_lock */
			unsigned int nr_watchers;	/* see mmbox_buddy_watch() */
		};
		u64 count_slowly;	/* both at once: 0 on the fast path */
	};
};

struct mmbox_zoneref {
	struct mmbox_zone *zone;	/* NULL ends the list */
	int zone_idx;			/* zone's index in node_zones[]; only tests read it */
};

struct mmbox_zonelist {
	struct mmbox_zoneref _zonerefs[MMBOX_MAX_NUMNODES * MMBOX_MAX_NR_ZONES + 1];
};

enum {
	MMBOX_ZONELIST_FALLBACK,	/* all nodes, nearest first */
	MMBOX_ZONELIST_NOFALLBACK,	/* __GFP_THISNODE */
	MMBOX_MAX_ZONELISTS,
};

typedef struct mmbox_pglist_data {
	struct mmbox_zone node_zones[MMBOX_MAX_NR_ZONES];
	struct mmbox_zonelist node_zonelists[MMBOX_MAX_ZONELISTS];
	int nr_zones;				/* zones from this index on have no pages */
	struct mmbox_page *node_mem_map;	/* descriptor of node_start_pfn; flat, discontig */
	struct mmbox_memblock *bdata;		/* the boot allocator, during boot; then NULL */
	spinlock_t node_size_lock;		/* protects the next three against hotplug */
	unsigned long node_start_pfn;
	unsigned long node_present_pages;	/* holes excluded */
	unsigned long node_spanned_pages;	/* holes included */
	int node_id;

	struct task_struct *kswapd;		/* the node's kswapd, or NULL */
	wait_queue_head_t kswapd_wait;		/* kswapd sleeps here */
	int kswapd_max_order;			/* highest order requested since it last started */
	int classzone_idx;			/* highest zone requested; MAX_NR_ZONES: none */
	int kswapd_failures;			/* runs in a row that freed nothing */
	wait_queue_head_t pfmemalloc_wait;	/* throttled direct reclaimers wait here */
} mmbox_pg_data_t;

/* Which zone a section goes online in, if any: MMOP_* */
enum mmbox_mmop {
	MMBOX_MMOP_OFFLINE,
	MMBOX_MMOP_ONLINE,		/* ZONE_MOVABLE if only that spans it, else by address */
	MMBOX_MMOP_ONLINE_KERNEL,	/* the kernel zone that its address belongs to */
	MMBOX_MMOP_ONLINE_MOVABLE,	/* ZONE_MOVABLE */
	MMBOX_NR_MMOPS,
};

enum mmbox_section_state {
	MMBOX_SECTION_ABSENT,		/* a hole */
	MMBOX_SECTION_OFFLINE,
	MMBOX_SECTION_GOING_OFFLINE,
	MMBOX_SECTION_ONLINE,
};

/* The counters of Linux 6.1's vmstat that apply to a box. */
enum mmbox_stat_item {
	MMBOX_STAT_NONE,		/* always 0 */

	/* zones: derived, see mmbox_zone_stat() */
	MMBOX_NR_FREE_PAGES,		/* pages in free_area[] */
	MMBOX_NUMA_HIT,			/* allocations from the preferred node */
	MMBOX_NUMA_MISS,		/* allocations from here, another node was preferred */
	MMBOX_NUMA_FOREIGN,		/* allocations from another node, this one was preferred */
	MMBOX_NUMA_INTERLEAVE_HIT,	/* interleaved allocations from the intended node */
	MMBOX_NUMA_LOCAL,		/* allocations by a CPU of the node */
	MMBOX_NUMA_OTHER,		/* allocations by a CPU of another node */
	MMBOX_PGFREE,			/* pages freed, those freed at boot included */
	MMBOX_PGALLOC,			/* pages allocated: one counter for each zone */

	/* nodes: derived, see mmbox_node_stat() */
	MMBOX_NR_SLAB_RECLAIMABLE = MMBOX_PGALLOC + MMBOX_MAX_NR_ZONES,	/* pages */
	MMBOX_NR_SLAB_UNRECLAIMABLE,	/* pages */

	/* events: counted by mmbox_count_vm_events() */
	MMBOX_PGSCAN_DIRECT_THROTTLE,	/* direct reclaimers throttled */
	MMBOX_SLABS_SCANNED,		/* objects scanned by shrinkers */
	MMBOX_KSWAPD_LOW_WMARK_HIT_QUICKLY,	/* kswapd was woken from its first, short sleep */
	MMBOX_KSWAPD_HIGH_WMARK_HIT_QUICKLY,	/* kswapd could not go to sleep */
	MMBOX_PAGEOUTRUN,		/* runs of kswapd */
	MMBOX_DROP_PAGECACHE,		/* writes to vm/drop_caches that drop the page cache */
	MMBOX_DROP_SLAB,		/* writes to vm/drop_caches that drop slab objects */
	MMBOX_ALLOCSTALL,		/* direct reclaims: one counter for each zone */

	MMBOX_NR_STATS = MMBOX_ALLOCSTALL + MMBOX_MAX_NR_ZONES,
};

/* A line of vmstat. A table of these ends with an entry whose name is NULL. */
struct mmbox_stat_name {
	const char *name;
	enum mmbox_stat_item item;
};

/*
 * A page design: a generation of the page allocator. It manages the free blocks of zones.
 * buddy= chooses it when the box is made, and box->pages.design points to it.
 *
 * Each function does its own locking: callers hold no lock of the design. Unless marked
 * "Process", a function may be called in any context, with interrupts on or off. Per-CPU
 * lists, watermarks and zonelists are above this interface, and the same for all designs.
 *
 * A design also keeps these up to date: zone->nr_free_pages, nr_alloc[],
 * free_area[].nr_free, and page->type_order. The latter is MMBOX_PAGE_BUDDY in the first
 * page of a free block, MMBOX_PAGE_ALLOCATED or MMBOX_PAGE_PCP in that of a block taken
 * from the design, and MMBOX_PAGE_TAIL in all other pages.
 */
struct mmbox_page_design {
	/* CPUs keep lists of small blocks, which alloc_bulk and free_bulk fill and empty. */
	bool per_cpu_lists;
	/* Free blocks are kept by migrate type. If false, all blocks are of type 0. */
	bool migrate_types;
	/* CPUs may keep a part of NR_FREE_PAGES to themselves: stat_drift=1. */
	bool stat_drift;
	/* Block orders if orders= is left out. 0: as many as there can be. */
	unsigned int orders;

	/* Set up the zones. Their spans are known, nothing is free. 0 or -ENOMEM. Process. */
	int (*init)(struct mmbox *box);
	/* Undo init(), even if it failed half-way. NULL: nothing to undo. Process. */
	void (*exit)(struct mmbox *box);
	/* Make the zone span [start, end). 0, or -ENOMEM, but only if it grows. Process. */
	int (*resize)(struct mmbox_zone *zone, unsigned long start, unsigned long end);

	/* Allocate a block. NULL if none is free that ALLOC_* @flags allow. */
	struct mmbox_page *(*alloc)(struct mmbox_zone *zone, unsigned int order,
				    int migratetype, unsigned int flags);
	/* Free a block. @to_tail: allocate it again as late as possible. */
	void (*free)(struct mmbox_zone *zone, struct mmbox_page *page, unsigned int order,
		     bool to_tail);
	/*
	 * Append up to @count blocks to one of this CPU's lists, which are marked busy.
	 * Returns how many.
	 */
	unsigned int (*alloc_bulk)(struct mmbox_zone *zone, struct mmbox_per_cpu_pages *pcp,
				   unsigned int order, unsigned int count, int migratetype,
				   unsigned int flags);
	/* Free @count pages from this CPU's lists, starting with the oldest of list @pindex. */
	void (*free_bulk)(struct mmbox_zone *zone, struct mmbox_per_cpu_pages *pcp, int count,
			  unsigned int pindex);
	/* Is there a block of @order or more for a request with @flags? A snapshot. */
	bool (*has_block)(const struct mmbox_zone *zone, unsigned int order, unsigned int flags);

	/*
	 * Reserve the pageblock of @page for atomic requests of high order. NULL: the design
	 * has no such reserve.
	 */
	void (*reserve)(struct mmbox_zone *zone, struct mmbox_page *page);
	/*
	 * Return one reserved pageblock to @migratetype. True if that made pages available.
	 * NULL if reserve() is NULL.
	 */
	bool (*unreserve)(struct mmbox_zone *zone, int migratetype, bool force);

	/*
	 * Stop allocating from the block of the highest order at @pfn. Store the migrate types
	 * of its pageblocks in @types. NULL: take() does not need it. Process.
	 */
	void (*isolate)(struct mmbox_zone *zone, unsigned long pfn, u8 *types);
	/* Undo isolate(). NULL if isolate() is NULL. Process. */
	void (*unisolate)(struct mmbox_zone *zone, unsigned long pfn, const u8 *types);
	/*
	 * Take pages [start, end), whole blocks of the highest order, away from the zone: they
	 * become MMBOX_PAGE_RESERVED. Returns MMBOX_NO_PFN, or the page frame of a page that
	 * is in use, and then takes nothing. Called after isolate(), if there is one. Process.
	 */
	unsigned long (*take)(struct mmbox_zone *zone, unsigned long start, unsigned long end);

	/* Call @visit for each free block of an order and type until it returns false. */
	void (*walk)(struct mmbox_zone *zone, unsigned int order, int migratetype,
		     bool (*visit)(struct mmbox_page *page, void *arg), void *arg);
	/*
	 * Call @look once, while nobody frees blocks to the zone or takes blocks from it,
	 * per-CPU lists included. Returns zone->nr_changes as of then. A design without a lock
	 * has to exclude others only while the zone is watched.
	 */
	unsigned long (*hold)(struct mmbox_zone *zone,
			      void (*look)(struct mmbox_zone *zone, void *arg), void *arg);
	/* Count every change in zone->nr_changes from now on, until unwatch(). Process. */
	void (*watch)(struct mmbox_zone *zone);
	void (*unwatch)(struct mmbox_zone *zone);
};

/* Memory of the layers above that the page allocator can reclaim. */
struct mmbox_reclaim_source {
	/* Free what is cached but not in use: objects in per-CPU arrays, free slabs. */
	void (*reap)(struct mmbox *box);
	/* Add the number of a node's slab pages to both sums. May sleep. */
	void (*count_slab_pages)(struct mmbox *box, int nid, unsigned long *reclaimable,
				 unsigned long *unreclaimable);
};

/* The page allocator's part of struct mmbox. */
struct mmbox_pages {
	unsigned int max_order;		/* number of orders, cfg.orders */
	const struct mmbox_page_design *design;	/* how zones keep free blocks */
	unsigned int direct_orders;	/* costly orders below this call buddy_list.c directly */
	unsigned int pageblock_shift;	/* log2 of the pages in a pageblock */
	u8 *pageblock_flags;		/* enum mmbox_migratetype, by pfn >> pageblock_shift */
	struct mmbox_cpu __percpu *cpu;	/* per-CPU data; the CPU's page lists follow it */
	struct mmbox_zone *zone_table[MMBOX_NR_ZONE_LINKS];	/* by page->zone_link */
	bool page_group_by_mobility_disabled;	/* too few pageblocks for all types */
	u8 migratetype_mask;		/* all ones, or 0 if grouping is disabled */
	u8 distance[MMBOX_MAX_NUMNODES][MMBOX_MAX_NUMNODES];	/* 10: the node itself */
	atomic_t il_next;		/* counts interleaved allocations */
	unsigned long zone_movable_pfn[MMBOX_MAX_NUMNODES];	/* first of ZONE_MOVABLE, 0: none */
	struct mmbox_host_percpu *pagesets;	/* the memory of @cpu and of all page lists */

	struct mutex memory_lock;	/* state of sections, spans of zones, zonelists */
	struct list_head hot_sections;	/* struct mmbox_hot_section, memory_lock */
	enum mmbox_mmop auto_online;	/* what to do with a section that was just added */
	unsigned long going_offline;	/* section that is going offline, plus 1 */
	seqcount_t zonelist_seq;	/* odd while zonelists are written */

	struct mutex tunables_lock;	/* the tunables below, and what is computed from them */
	unsigned long min_free_kbytes;
	long user_min_free_kbytes;	/* min_free_kbytes as set by the user, -1: never set */
	unsigned long totalreserve_pages;	/* pages not available to users, for meminfo */
	unsigned int watermark_scale_factor;	/* gap between watermarks, 1/10000 of a zone */
	int percpu_pagelist_high_fraction;	/* CPUs keep 1/n of a zone; 0: by watermark */
	unsigned int watermark_boost_factor;	/* limit of boosts, 1/10000 of high; 0: none */
	int lowmem_reserve_ratio[MMBOX_MAX_NR_ZONES];

	const struct mmbox_reclaim_source *reclaim;	/* set by box.c, or NULL */
	struct rw_semaphore shrinker_rwsem;	/* shrinkers */
	struct list_head shrinkers;	/* struct mmbox_shrinker, oldest first */
	raw_spinlock_t reclaimers_lock;	/* reclaimers */
	struct list_head reclaimers;	/* tasks that reclaim now, vmscan.c */
	atomic_long_t vm_events[MMBOX_NR_STATS];	/* counters that are not derived */
};

#endif /* _MMBOX_TYPES_MMZONE_H */
