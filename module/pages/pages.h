/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Nodes, zones and the page allocator of the box: the functions for the layers above.
 */
#ifndef _MMBOX_PAGES_PAGES_H
#define _MMBOX_PAGES_PAGES_H

#include "memmap/memmap.h"

/* mmzone.c */
extern const char *const mmbox_zone_names[MMBOX_MAX_NR_ZONES];
struct mmbox_zone *mmbox_first_zone(struct mmbox *box);
struct mmbox_zone *mmbox_next_zone(struct mmbox_zone *zone);
void mmbox_find_zone_movable_pfns(struct mmbox *box);
void mmbox_zone_range(const struct mmbox *box, int nid, int idx,
		      unsigned long *start_pfn, unsigned long *end_pfn);
void mmbox_build_zonelists(struct mmbox *box, bool booted);
int mmbox_kernel_zone_idx(const struct mmbox *box, unsigned long start_pfn,
			  unsigned long end_pfn);
bool mmbox_boost_watermark(struct mmbox_zone *zone);
void mmbox_unboost_watermark(struct mmbox_zone *zone, unsigned long pages);

/* numa.c */
int mmbox_nodes_split(struct mmbox_config *cfg, unsigned int nodes);
int mmbox_numa_check(const struct mmbox_config *cfg);
void mmbox_numa_init(struct mmbox *box);
int mmbox_node_order(const struct mmbox *box, int nid, bool booted, int *order,
		     unsigned int *node_load);

/* mm_init.c */
void mmbox_pages_setup(struct mmbox *box);
int mmbox_mm_early_init(struct mmbox *box);
int mmbox_mm_init(struct mmbox *box);
void mmbox_pages_start(struct mmbox *box);
void mmbox_pages_stop(struct mmbox *box);
void mmbox_mm_exit(struct mmbox *box);

/* buddy.c; buddy.h has the rest */
unsigned int mmbox_buddy_orders(const struct mmbox_config *cfg);
int mmbox_buddy_check(const struct mmbox_config *cfg);
extern const char *const mmbox_buddy_names[MMBOX_NR_BUDDY_TYPES];
unsigned long mmbox_nr_free_blocks(const struct mmbox_zone *zone, unsigned int order);

/* vmscan.c */
void mmbox_wakeup_kswapd(struct mmbox_zone *zone, gfp_t gfp, unsigned int order,
			 int highest);
unsigned long mmbox_try_to_free_pages(struct mmbox *box,
				      struct mmbox_zonelist *zonelist, int highest,
				      unsigned int order, gfp_t gfp);
bool mmbox_throttle_node(mmbox_pg_data_t *pgdat, gfp_t gfp);
bool mmbox_is_reclaimer(struct mmbox *box);
void mmbox_account_reclaimed_pages(struct mmbox *box, unsigned long pages);
bool mmbox_kswapd_hopeless(const mmbox_pg_data_t *pgdat);
void mmbox_drop_slab(struct mmbox *box);
void mmbox_kswapd_init(mmbox_pg_data_t *pgdat);
void mmbox_kswapd_run(mmbox_pg_data_t *pgdat);
void mmbox_kswapd_stop(mmbox_pg_data_t *pgdat);

/* pagesets.c; the first two with the CPU's lists marked busy */
bool mmbox_pcp_refill(struct mmbox_zone *zone, struct mmbox_per_cpu_pages *pcp,
		      unsigned int order, int migratetype, unsigned int flags);
void mmbox_pcp_trim(struct mmbox_zone *zone, struct mmbox_per_cpu_pages *pcp,
		    unsigned int order, unsigned int pindex);
int mmbox_pagesets_init(struct mmbox *box);
void mmbox_pagesets_exit(struct mmbox *box);
void mmbox_set_first_zones(struct mmbox *box);
void mmbox_set_pageset_high_and_batch(struct mmbox_zone *zone, int high, int batch);
void mmbox_set_reclaim_active(struct mmbox_zone *zone, bool active);
void mmbox_drain_pages(struct mmbox *box, int cpu);
void mmbox_drain_all_pages(struct mmbox *box);
void mmbox_drain_all_pages_cpuslocked(struct mmbox *box);
unsigned long mmbox_nr_pcp_pages(const struct mmbox_zone *zone);

/* watermark.c */
void mmbox_calculate_min_free_kbytes(struct mmbox *box);
void mmbox_zone_pcp_update(struct mmbox *box);
void mmbox_setup_per_zone_wmarks(struct mmbox *box);
int mmbox_stat_threshold(const struct mmbox_zone *zone, unsigned int nr_cpus);
void mmbox_setup_per_zone_lowmem_reserve(struct mmbox *box);
void mmbox_init_per_zone_wmark_min(struct mmbox *box);
void mmbox_page_alloc_cpu_dead(struct mmbox *box, unsigned int cpu);
void mmbox_page_alloc_cpu_online(struct mmbox *box);

/* page_alloc.c */
struct mmbox_page *mmbox_alloc_typed(struct mmbox *box, int nid, gfp_t gfp,
				     unsigned int order,
				     enum mmbox_page_type type);

/* page_free.c */
bool mmbox_page_is_allocated(const struct mmbox *box, const struct mmbox_page *page,
			     unsigned int order);
void mmbox_refuse_page(struct mmbox *box, struct mmbox_page *page, unsigned int order);
void mmbox_free_typed(struct mmbox *box, struct mmbox_page *page,
		      unsigned int order);

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

/* memory_hotplug.c */
extern const char *const mmbox_mmop_names[MMBOX_NR_MMOPS];
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

/* A CPU's lists for a zone. They follow its struct mmbox_cpu, in the order of zone_link. */
static inline struct mmbox_per_cpu_pages *mmbox_cpu_pcp(struct mmbox_cpu *cpu,
							unsigned int link)
{
	return (struct mmbox_per_cpu_pages *)cpu + 1 + link;
}

/* A watermark of a zone, with its present boost. */
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

/* The order of the blocks on a per-CPU list. */
static __always_inline unsigned int mmbox_pindex_to_order(const struct mmbox *box,
							  unsigned int pindex)
{
	return pindex == MMBOX_PCP_THP ? box->pages.pageblock_shift :
					 pindex / MMBOX_MIGRATE_PCPTYPES;
}

/* All zones of all nodes, empty ones too. */
#define mmbox_for_each_zone(box, zone)					\
	for ((zone) = mmbox_first_zone(box); (zone);			\
	     (zone) = mmbox_next_zone(zone))

/*
 * Each zone of a zonelist up to a highest one. Zonelists are rewritten in place when a
 * zone gets its first section or loses its last, so each entry is read only once.
 */
#define mmbox_for_each_zoneref(zone_, zref, zonelist, highest)		\
	for ((zref) = (zonelist)->_zonerefs;				\
	     ((zone_) = READ_ONCE((zref)->zone)); (zref)++)		\
		if ((zone_)->idx > (highest)) {				\
		} else

static inline struct mmbox_zone *mmbox_page_zone(const struct mmbox *box,
						 const struct mmbox_page *page)
{
	return box->pages.zone_table[page->zone_link];
}

static inline unsigned int mmbox_zone_link(const struct mmbox_zone *zone)
{
	return zone->zone_pgdat->node_id * MMBOX_MAX_NR_ZONES + mmbox_zone_idx(zone);
}

static inline unsigned int mmbox_pageblock_type(const struct mmbox *box, unsigned long pfn)
{
	return READ_ONCE(box->pages.pageblock_flags[pfn >> box->pages.pageblock_shift]);
}

static inline int mmbox_node_distance(const struct mmbox *box, int from, int to)
{
	return box->pages.distance[from][to];
}

static inline int mmbox_cpu_to_node(const struct mmbox *box, int cpu)
{
	return per_cpu_ptr(box->pages.cpu, cpu)->nid;
}

/* The node of the CPU that this runs on. */
static inline int mmbox_numa_node_id(const struct mmbox *box)
{
	return this_cpu_read(box->pages.cpu->nid);
}

static inline mmbox_pg_data_t *mmbox_node_data(const struct mmbox *box, int nid)
{
	return box->node[nid];
}

#endif /* _MMBOX_PAGES_PAGES_H */
