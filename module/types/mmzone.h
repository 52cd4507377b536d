/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Nodes, zones and free areas of the box, after <linux/mmzone.h>, its counters after
 * <linux/vmstat.h>, and all that the page allocator keeps for a box.
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
#define MMBOX_MIN_PCP_HIGH_FRACTION	8	/* of percpu_pagelist_high_fraction, but for 0 */
#define MMBOX_THP_ORDER		9	/* pcp_thp=1: pageblocks, and one more list */
#define MMBOX_PCP_BATCH_SCALE_MAX	5	/* CONFIG_PCP_BATCH_SCALE_MAX */

/* What a block of pages may be moved or given up for, by what is in it. */
enum mmbox_migratetype {
	MMBOX_MIGRATE_UNMOVABLE,
	MMBOX_MIGRATE_MOVABLE,
	MMBOX_MIGRATE_RECLAIMABLE,
	MMBOX_MIGRATE_PCPTYPES,		/* those with per-CPU lists end here */
	MMBOX_MIGRATE_HIGHATOMIC = MMBOX_MIGRATE_PCPTYPES,
	MMBOX_MIGRATE_ISOLATE,		/* handed out to nobody: going offline */
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
	MMBOX_ZONE_MOVABLE,	/* the end of the highest of these: movablecore= */
	MMBOX_MAX_NR_ZONES,
};

/* What a page's zone_id and node_id may be together. */
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

/* Free blocks of an order, of either generation; all under zone->lock. */
struct mmbox_free_area {
	/* Heads of free blocks; the bitmap generation has but the first. */
	struct list_head free_list[MMBOX_MIGRATE_TYPES];
	unsigned long nr_free;		/* blocks on them */
	unsigned long *map;		/* a bit a pair: one half free; buddy=bitmap */
};

/*
 * Free pages of a CPU in a zone. No lock: only its CPU touches it, with
 * preemption off and @busy set; an interrupt that finds @busy set goes to the
 * zone instead. So do all, always, where the generation has no such lists.
 */
struct mmbox_per_cpu_pages {
	u8 busy;			/* the CPU is inside, an interrupt keeps out */
	u8 free_factor;			/* log2 by which freeing batches have grown */
	u16 batch;			/* pages to move to or from the zone at once */
	int count;			/* pages on all lists */
	int high;			/* pages at which some go back to the zone */
	unsigned int nr_alloc_thp;	/* allocations of order 9 so far */
	unsigned long nr_alloc[MMBOX_PCP_ORDERS];	/* allocations so far, by order */
	struct list_head lists[MMBOX_NR_PCP_LISTS];	/* mmbox_order_to_pindex() */
} __aligned(256);

/* What a CPU of a box begins with; the lists of all zones follow it. */
struct mmbox_cpu {
	/* First of its node's zonelist, by the highest zone allowed; read once. */
	struct mmbox_zone *first[MMBOX_MAX_NR_ZONES];
	int nid;				/* node of this CPU */
	/* What it keeps to itself of each zone's nr_free_pages; that zone's lock. */
	s8 vm_stat_diff[MMBOX_MAX_NUMNODES * MMBOX_MAX_NR_ZONES];
	u32 checksum;				/* of its lists, when somebody asked last */
} __aligned(256);

/* zone->flags */
enum mmbox_zone_flags {
	MMBOX_ZONE_BOOSTED_WATERMARK,	/* kswapd is to be told */
	MMBOX_ZONE_RECLAIM_ACTIVE,	/* kswapd may be at work: short lists */
};

struct mmbox_zone {
	/* Read by every allocation, written at boot and by the tunables. */
	unsigned long _watermark[MMBOX_NR_WMARK];	/* pages */
	unsigned long watermark_boost;	/* pages that marks are higher for a while, lock */
	long lowmem_reserve[MMBOX_MAX_NR_ZONES];	/* pages kept from higher zones' users */
	unsigned long nr_reserved_highatomic;	/* pages in such pageblocks, lock */
	unsigned long nr_isolate_pageblock;	/* pageblocks going offline, lock */
	unsigned long flags;		/* enum mmbox_zone_flags, atomic bits */
	int idx;			/* in node_zones[] */
	struct mmbox_per_cpu_pages __percpu *per_cpu_pageset;
	struct mmbox_pglist_data *zone_pgdat;
	struct mmbox *box;
	const char *name;
	/* Written under memory_lock and lock: sections come and go. */
	unsigned long zone_start_pfn;
	unsigned long managed_pages;	/* handed to the buddy allocator */
	unsigned long spanned_pages;	/* holes included */
	unsigned long present_pages;	/* holes, and what is offline, excluded */
	int pageset_high;		/* pages, what pcp->high starts from, lock */
	int pageset_batch;		/* pages, what pcp->batch is, lock */

	/* Slow paths count: see mmbox_count_numa_miss(). */
	atomic_long_t nr_numa_miss;	/* allocations met here, asked elsewhere first */
	atomic_long_t nr_numa_foreign;	/* allocations asked here first, met elsewhere */
	atomic_long_t nr_numa_interleave;	/* met in the node whose turn it was */

	/* Protects what follows, and the descriptors of free blocks. */
	raw_spinlock_t lock ____cacheline_aligned_in_smp;
	unsigned long nr_free_pages;	/* NR_FREE_PAGES: those in free_area[], less vm_stat_diff */
	unsigned long nr_free_isolated;	/* free pages that were isolated, and maybe went */
	unsigned long map_start_pfn;	/* free_area.map begins here; buddy=bitmap */
	unsigned long map_end_pfn;	/* and ends here */
	struct mmbox_free_area free_area[MMBOX_MAX_ORDERS];
	unsigned long nr_alloc[MMBOX_MAX_ORDERS];	/* allocations past the per-CPU lists */
	unsigned long nr_numa_other;	/* of these, from CPUs of other nodes */
	unsigned long nr_changes;	/* of what is free, at least while somebody watches */
	union {
		struct {
			/* Most pages in a vm_stat_diff, 0: without stat_drift=1. */
			int stat_threshold;
			unsigned int nr_watchers;	/* see mmbox_watch_zone() */
		};
		u64 count_slowly;	/* either of them */
	};
};

struct mmbox_zoneref {
	struct mmbox_zone *zone;	/* NULL ends the list */
	int zone_idx;			/* zone's index in node_zones[], for whoever shows it */
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
	int nr_zones;				/* populated zones end here */
	struct mmbox_page *node_mem_map;	/* descriptor of node_start_pfn */
	struct mmbox_memblock *bdata;		/* the boot allocator, while in charge */
	spinlock_t node_size_lock;		/* the next three, while sections come and go */
	unsigned long node_start_pfn;
	unsigned long node_present_pages;	/* holes excluded */
	unsigned long node_spanned_pages;	/* holes included */
	int node_id;

	struct task_struct *kswapd;		/* reclaims when woken; NULL: there is none */
	wait_queue_head_t kswapd_wait;		/* where it sleeps */
	int kswapd_max_order;			/* largest block asked of it since it began */
	int classzone_idx;			/* highest zone asked of it; MAX_NR_ZONES: none */
	int kswapd_failures;			/* runs in a row that freed nothing */
	wait_queue_head_t pfmemalloc_wait;	/* where direct reclaimers are held back */
} mmbox_pg_data_t;

/* What becomes of a section: MMOP_* */
enum mmbox_mmop {
	MMBOX_MMOP_OFFLINE,
	MMBOX_MMOP_ONLINE,		/* in the zone that it fits best */
	MMBOX_MMOP_ONLINE_KERNEL,	/* for anybody: by its address */
	MMBOX_MMOP_ONLINE_MOVABLE,	/* in ZONE_MOVABLE */
	MMBOX_NR_MMOPS,
};

enum mmbox_section_state {
	MMBOX_SECTION_ABSENT,		/* a hole */
	MMBOX_SECTION_OFFLINE,
	MMBOX_SECTION_GOING_OFFLINE,
	MMBOX_SECTION_ONLINE,
};

int mmbox_memory_offline(struct mmbox *box, unsigned long nr);
int mmbox_memory_online(struct mmbox *box, unsigned long nr, enum mmbox_mmop how);
int mmbox_memory_probe(struct mmbox *box, phys_addr_t phys);
int mmbox_memory_remove(struct mmbox *box, phys_addr_t phys);
void mmbox_memory_hotplug_exit(struct mmbox *box);
enum mmbox_section_state mmbox_section_state(const struct mmbox *box, unsigned long nr);
int mmbox_section_nid(const struct mmbox *box, unsigned long nr);
struct mmbox_zone *mmbox_section_zone(struct mmbox *box, unsigned long nr);
struct mmbox_zone *mmbox_zone_for_section(struct mmbox *box, unsigned long nr,
					  enum mmbox_mmop how);
struct mmbox_page *mmbox_pfn_to_online_page(struct mmbox *box, unsigned long pfn);

/* Those of Linux 6.1 that a box has something to count for. */
enum mmbox_stat_item {
	MMBOX_STAT_NONE,		/* always 0 */

	/* zones: derived, see mmbox_zone_stat() */
	MMBOX_NR_FREE_PAGES,		/* pages in free_area[] */
	MMBOX_NUMA_HIT,			/* allocations met in the node asked first */
	MMBOX_NUMA_MISS,		/* met here, another node was asked first */
	MMBOX_NUMA_FOREIGN,		/* asked here first, met in another node */
	MMBOX_NUMA_INTERLEAVE_HIT,
	MMBOX_NUMA_LOCAL,		/* from a CPU of the node */
	MMBOX_NUMA_OTHER,		/* from a CPU of another node */
	MMBOX_PGFREE,			/* pages freed, by the boot allocator too */
	MMBOX_PGALLOC,			/* pages allocated, a counter a zone */

	/* nodes: derived, see mmbox_node_stat() */
	MMBOX_NR_SLAB_RECLAIMABLE = MMBOX_PGALLOC + MMBOX_MAX_NR_ZONES,	/* pages */
	MMBOX_NR_SLAB_UNRECLAIMABLE,	/* pages */

	/* events: counted by mmbox_count_vm_events() */
	MMBOX_PGSCAN_DIRECT_THROTTLE,	/* direct reclaimers that were held back */
	MMBOX_SLABS_SCANNED,		/* objects that shrinkers looked at */
	MMBOX_KSWAPD_LOW_WMARK_HIT_QUICKLY,	/* kswapd was woken within its nap */
	MMBOX_KSWAPD_HIGH_WMARK_HIT_QUICKLY,	/* kswapd could not go to sleep */
	MMBOX_PAGEOUTRUN,		/* kswapd began to balance its node */
	MMBOX_DROP_PAGECACHE,		/* vm/drop_caches was written, for pages of files */
	MMBOX_DROP_SLAB,		/* and for objects */
	MMBOX_ALLOCSTALL,		/* direct reclaims, a counter a zone */

	MMBOX_NR_STATS = MMBOX_ALLOCSTALL + MMBOX_MAX_NR_ZONES,
};

/* A line of /proc/vmstat. A table of them ends with one that has no name. */
struct mmbox_stat_name {
	const char *name;
	enum mmbox_stat_item item;
};

/* Memory that is not in use and could be given back, above the page allocator. */
struct mmbox_reclaim_source {
	/* Give back what is cached without an owner: free slabs, objects in arrays. */
	void (*reap)(struct mmbox *box);
	/* Add the pages that a node has in slabs. May sleep. */
	void (*count_slab_pages)(struct mmbox *box, int nid, unsigned long *reclaimable,
				 unsigned long *unreclaimable);
};

/* struct mmbox_pages: the page allocator's share of struct mmbox */
struct mmbox_pages {
	unsigned int max_order;		/* orders there are: cfg.orders */
	unsigned int direct_orders;	/* costly orders below it are on no per-CPU list */
	unsigned int pageblock_shift;	/* pages of one migrate type, power of two */
	u8 *pageblock_flags;		/* enum mmbox_migratetype, by pfn >> that order */
	struct mmbox_cpu __percpu *cpu;	/* where a CPU's requests begin */
	struct mmbox_zone *zone_table[MMBOX_NR_ZONE_LINKS];	/* by page->zone_link */
	bool page_group_by_mobility_disabled;	/* too few pageblocks for all types */
	u8 migratetype_mask;		/* all ones, or 0 where that is so */
	u8 distance[MMBOX_MAX_NUMNODES][MMBOX_MAX_NUMNODES];	/* 10: the node itself */
	atomic_t il_next;		/* counts interleaved allocations */
	unsigned long zone_movable_pfn[MMBOX_MAX_NUMNODES];	/* first of ZONE_MOVABLE, 0: none */
	struct mmbox_host_percpu *pagesets;	/* what @cpu and all zones have a CPU */

	struct mutex memory_lock;	/* sections on and off, spans of zones, zonelists */
	struct list_head hot_sections;	/* memory that came later, memory_lock */
	enum mmbox_mmop auto_online;	/* what becomes of that at once */
	unsigned long going_offline;	/* section that is going offline, plus 1 */
	seqcount_t zonelist_seq;	/* odd while zonelists are written */

	struct mutex tunables_lock;	/* the next ones, and what follows from them */
	unsigned long min_free_kbytes;
	long user_min_free_kbytes;	/* what was set by hand, -1: nothing */
	unsigned long totalreserve_pages;	/* out of users' reach, for meminfo */
	unsigned int watermark_scale_factor;	/* in 1/10000 of a zone */
	int percpu_pagelist_high_fraction;	/* CPUs keep this part of a zone; 0: by watermark */
	unsigned int watermark_boost_factor;	/* in 1/10000 of high, 0: never */
	int lowmem_reserve_ratio[MMBOX_MAX_NR_ZONES];

	const struct mmbox_reclaim_source *reclaim;	/* set by box.c, or NULL */
	struct rw_semaphore shrinker_rwsem;	/* shrinkers */
	struct list_head shrinkers;	/* struct mmbox_shrinker, oldest first */
	raw_spinlock_t reclaimers_lock;	/* reclaimers */
	struct list_head reclaimers;	/* tasks that reclaim now, vmscan.c */
	atomic_long_t vm_events[MMBOX_NR_STATS];	/* those that are not derived */
};

#endif /* _MMBOX_TYPES_MMZONE_H */
