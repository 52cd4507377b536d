/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Nodes, zones and free areas of the box, after <linux/mmzone.h>.
 */
#ifndef _MMBOX_MMZONE_H
#define _MMBOX_MMZONE_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "pages/mm_types.h"

struct mmbox;

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
	struct {
		struct mmbox_zone *zone;	/* first of its node's zonelist */
		struct mmbox_per_cpu_pages *pcp;	/* of this CPU in it */
	} first[MMBOX_MAX_NR_ZONES];		/* by the highest zone allowed */
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
	int stat_threshold;		/* most pages in a vm_stat_diff, 0: without stat_drift=1 */
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

/* mmzone.c */
extern const char *const mmbox_zone_names[MMBOX_MAX_NR_ZONES];
struct mmbox_zone *mmbox_first_zone(struct mmbox *box);
struct mmbox_zone *mmbox_next_zone(struct mmbox_zone *zone);
void mmbox_get_pfn_range_for_nid(const struct mmbox *box, int nid,
				 unsigned long *start_pfn, unsigned long *end_pfn);
void mmbox_find_zone_movable_pfns(struct mmbox *box);
void mmbox_zone_range(const struct mmbox *box, int nid, int idx,
		      unsigned long *start_pfn, unsigned long *end_pfn);
void mmbox_build_zonelists(struct mmbox *box, bool booted);
void mmbox_calculate_min_free_kbytes(struct mmbox *box);
void mmbox_zone_pcp_update(struct mmbox *box);
void mmbox_setup_per_zone_wmarks(struct mmbox *box);
int mmbox_stat_threshold(const struct mmbox_zone *zone, unsigned int nr_cpus);
void mmbox_setup_per_zone_lowmem_reserve(struct mmbox *box);
void mmbox_init_per_zone_wmark_min(struct mmbox *box);
int mmbox_kernel_zone_idx(const struct mmbox *box, unsigned long start_pfn,
			  unsigned long end_pfn);

static inline int mmbox_zone_idx(const struct mmbox_zone *zone)
{
	return zone->idx;
}

static inline bool mmbox_populated_zone(const struct mmbox_zone *zone)
{
	return zone->present_pages;
}

static inline bool mmbox_managed_zone(const struct mmbox_zone *zone)
{
	return zone->managed_pages;
}

/* Behind a CPU's own part: lists of no zone, always busy, then those of zones. */
static inline struct mmbox_per_cpu_pages *mmbox_cpu_nobody(struct mmbox_cpu *cpu)
{
	return (struct mmbox_per_cpu_pages *)cpu + 1;
}

static inline struct mmbox_per_cpu_pages *mmbox_cpu_pcp(struct mmbox_cpu *cpu,
							unsigned int link)
{
	return (struct mmbox_per_cpu_pages *)cpu + 2 + link;
}

/* What a zone must keep: a mark, and what it is raised by for a while. */
static inline unsigned long mmbox_wmark_pages(const struct mmbox_zone *zone,
					      enum mmbox_zone_watermarks mark)
{
	return READ_ONCE(zone->_watermark[mark]) + READ_ONCE(zone->watermark_boost);
}

static inline unsigned int mmbox_order_to_pindex(unsigned int order, int mt)
{
	return order <= MMBOX_COSTLY_ORDER ? order * MMBOX_MIGRATE_PCPTYPES + mt :
					     MMBOX_PCP_THP;
}

/* All zones of all nodes, empty ones too. */
#define mmbox_for_each_zone(box, zone)					\
	for ((zone) = mmbox_first_zone(box); (zone);			\
	     (zone) = mmbox_next_zone(zone))

/* Nodes are numbered from 0 without a gap, and never go. */
#define mmbox_for_each_online_node(box, nid)				\
	for ((nid) = 0; (nid) < (box)->nr_nodes; (nid)++)

/*
 * Each zone of a zonelist up to a highest one. Lists are written in place when a
 * zone gets its first section or loses its last; so each entry is read once.
 */
#define mmbox_for_each_zoneref(zone_, zref, zonelist, highest)		\
	for ((zref) = (zonelist)->_zonerefs;				\
	     ((zone_) = READ_ONCE((zref)->zone)); (zref)++)		\
		if ((zone_)->idx > (highest)) {				\
		} else

#endif /* _MMBOX_MMZONE_H */
