/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of the box, after <linux/vmstat.h> and <linux/vm_event_item.h>.
 */
#ifndef _MMBOX_VMSTAT_H
#define _MMBOX_VMSTAT_H

#include "pages/mmzone.h"

struct mmbox;

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

/* vmstat.c */
extern const struct mmbox_stat_name mmbox_zone_stats[];
extern const struct mmbox_stat_name mmbox_numa_stats[];
extern const struct mmbox_stat_name mmbox_node_stats[];
extern const struct mmbox_stat_name mmbox_event_stats[];

void mmbox_count_vm_events(struct mmbox *box, enum mmbox_stat_item item, long nr);
void mmbox_count_numa_miss(struct mmbox_zone *preferred, struct mmbox_zone *zone);
void mmbox_zone_stat(struct mmbox_zone *zone, unsigned long *stat);
void mmbox_node_stat(struct mmbox *box, int nid, unsigned long *stat);
void mmbox_all_stat(struct mmbox *box, unsigned long *stat);
unsigned long mmbox_nr_free_pages(const struct mmbox_zone *zone);
unsigned long mmbox_nr_used_pages(struct mmbox *box);
unsigned long mmbox_mem_available(struct mmbox *box, const unsigned long *stat);

#endif /* _MMBOX_VMSTAT_H */
