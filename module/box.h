/* SPDX-License-Identifier: GPL-2.0 */
/*
 * struct mmbox: one box, and all there is of it.
 */
#ifndef _MMBOX_BOX_H
#define _MMBOX_BOX_H

#include <linux/atomic.h>
#include <linux/jump_label.h>
#include <linux/mutex.h>
#include <linux/ratelimit_types.h>
#include <linux/rwsem.h>
#include <linux/seqlock.h>
#include <linux/string.h>
#include <linux/types.h>

#include <mmbox/mmbox.h>

#include "host/compat.h"
#include "host/host.h"
#include "memmap/memblock.h"
#include "memmap/memmap.h"
#include "pages/memory_hotplug.h"
#include "pages/mmzone.h"
#include "host/region.h"
#include "faces/report.h"
#include "slab/slab.h"
#include "pages/vmstat.h"

#define MMBOX_NAME_LEN		16
#define MMBOX_SIZE_MIN		(4UL << 20)	/* bytes */
/* Slab pages name a freelist by a 32-bit count of 32-byte units. */
#define MMBOX_SIZE_MAX		(128UL << 30)	/* bytes */

#define MMBOX_MAX_BANKS		32

struct mmbox_account;
struct mmbox_face_dir;

/* Memory at a place of the box's physical address space. */
struct mmbox_bank {
	phys_addr_t base;		/* first byte */
	phys_addr_t size;		/* bytes */
	int nid;			/* node it belongs to */
	bool hot;			/* a hole that may be filled later */
};

/* What a box is made from; mmbox_config_init() gives the defaults. */
struct mmbox_config {
	const char *name;
	unsigned long size;		/* bytes */
	struct mmbox_bank banks[MMBOX_MAX_BANKS];	/* where, by base */
	unsigned int nr_banks;		/* 0: one bank of @size at 0 on node 0 */
	const char *distance;		/* "10,20/20,10", NULL: 20 to other nodes */
	const char *node_cpus;		/* "0-1/2-3", NULL: shared out in equal parts */
	enum mmbox_memory_model model;
	unsigned long section_size;	/* bytes */
	unsigned long fail_boot_nth;	/* boot allocation to fail, 0: none */
	enum mmbox_region_type region;
	enum mmbox_buddy_type buddy;	/* which generation */
	unsigned int orders;		/* length of free_area[] in use */
	unsigned long kmalloc_min;	/* bytes */
	unsigned long kmalloc_max;	/* bytes */
	unsigned long zone_dma;		/* bytes from physical 0 in ZONE_DMA */
	unsigned long zone_dma32;	/* end of ZONE_DMA32, physical address */
	unsigned long kernelcore;	/* bytes that are not ZONE_MOVABLE, 0: all */
	unsigned long movablecore;	/* bytes that are ZONE_MOVABLE, at least */
	bool slab_reap;			/* idle caches are trimmed every few seconds */
	bool slab_stats;		/* slabinfo has statistics */
	bool slab_merge;		/* caches alike are one */
	bool pcp_thp;			/* order 9 on per-CPU lists and as pageblock */
	bool stat_drift;		/* CPUs keep a part of NR_FREE_PAGES to themselves */
	bool kswapd;			/* a thread a node that reclaims */
	const char *slab_debug;		/* what to watch in which caches, as SLUB's */
	bool bottom_up;			/* boot memory from the lowest address */
	unsigned long fail_nth;		/* host request to fail, 0: none */
	bool pages_only;		/* no slab layer, to test the one below alone */
	struct mmbox_account *account;	/* filled when the box is gone, or NULL */
};

/* What a box leaves behind: the first must be 0, the next two alike. */
struct mmbox_account {
	long bytes;			/* of host memory not given back */
	unsigned long nr_taken;		/* pages of the region */
	unsigned long nr_returned;	/* pages of the region */
	long nr_requests;		/* made to the host */
};

struct mmbox {
	struct mmbox_page *memmap;	/* descriptor of pfn 0, NULL: not one array */
	unsigned long memmap_size;	/* bytes, 0 if not one array */
	unsigned long va_base;		/* kernel address of physical 0 */
	unsigned long va_size;		/* bytes, 0: not one range, see physmap */
	unsigned long linear_size;	/* va_size if there is a memmap too, else 0 */
	unsigned int pfn_section_shift;	/* log2 of pages a section */
	unsigned int section_shift;	/* log2 of bytes a section */
	unsigned int max_order;		/* orders there are: cfg.orders */
	unsigned int direct_orders;	/* costly orders below it are on no per-CPU list */
	unsigned long max_pfn;		/* first pfn beyond the last */
	unsigned int pageblock_shift;	/* pages of one migrate type, power of two */
	u8 *pageblock_flags;		/* enum mmbox_migratetype, by pfn >> that order */
	struct mmbox_cpu __percpu *cpu;	/* where a CPU's requests begin */
	mmbox_pg_data_t *node[MMBOX_MAX_NUMNODES];
	int nr_nodes;			/* nodes there are, from 0 on */
	u8 distance[MMBOX_MAX_NUMNODES][MMBOX_MAX_NUMNODES];	/* 10: the node itself */
	atomic_t il_next;		/* counts interleaved allocations */
	struct mmbox_zone *zone_table[MMBOX_NR_ZONE_LINKS];	/* by page->zone_link */
	unsigned long zone_movable_pfn[MMBOX_MAX_NUMNODES];	/* first of ZONE_MOVABLE, 0: none */
	struct mmbox_slab slab;

	struct mmbox_config cfg;
	char name[MMBOX_NAME_LEN];
	const struct mmbox_memmap_model *model;
	unsigned long nr_sections;	/* from 0 to the last that can be */
	u8 *discontig_nid;		/* model discontig: node by section */
	struct mmbox_sparse sparse;	/* sparse models */
	struct mmbox_physmap physmap;	/* where va_size is 0 */
	bool nonlinear;			/* counted in mmbox_nonlinear_key */
	bool scattered;			/* counted in mmbox_scattered_key */
	struct mmbox_boot_log *boot;	/* how the boot went, or NULL */
	struct mmbox_region region;
	struct list_head hot_sections;	/* memory that came later, memory_lock */
	enum mmbox_mmop auto_online;	/* what becomes of that at once */
	struct mmbox_memblock memblock;
	struct mmbox_host host;
	struct mmbox_host_percpu *pagesets;	/* what @cpu and all zones have a CPU */
	struct hlist_node cpu_dead;	/* told when a CPU has gone, pagesets.c */
	struct hlist_node cpu_online;	/* and when one has come */
	unsigned long secret;		/* random, for the mark of freed objects */
	struct mutex memory_lock;	/* sections on and off, spans of zones, zonelists */
	unsigned long going_offline;	/* section that is going offline, plus 1 */
	seqcount_t zonelist_seq;	/* odd while zonelists are written */
	struct mutex tunables_lock;	/* the next ones, and what follows from them */
	unsigned long min_free_kbytes;
	long user_min_free_kbytes;	/* what was set by hand, -1: nothing */
	unsigned long totalreserve_pages;	/* out of users' reach, for meminfo */
	unsigned int watermark_scale_factor;	/* in 1/10000 of a zone */
	int percpu_pagelist_high_fraction;	/* CPUs keep this part of a zone; 0: by watermark */
	unsigned int watermark_boost_factor;	/* in 1/10000 of high, 0: never */
	bool page_group_by_mobility_disabled;	/* too few pageblocks for all types */
	u8 migratetype_mask;		/* all ones, or 0 where that is so */
	int lowmem_reserve_ratio[MMBOX_MAX_NR_ZONES];
	struct rw_semaphore shrinker_rwsem;	/* shrinkers */
	struct list_head shrinkers;	/* struct mmbox_shrinker, oldest first */
	raw_spinlock_t reclaimers_lock;	/* reclaimers */
	struct list_head reclaimers;	/* tasks that reclaim now, vmscan.c */
	unsigned long whatis;		/* address that was asked about last, or 0 */
	u64 boot_ns;			/* time the box's own boot took */
	atomic_long_t vm_events[MMBOX_NR_STATS];	/* those that are not derived */
	atomic_long_t bad[MMBOX_NR_BAD];	/* mistakes of users, by kind */
	struct ratelimit_state bad_limit;	/* how often these are told */
	struct ratelimit_state alloc_limit;	/* how often a failed allocation is */

	struct list_head list;		/* boxes that mmbox_get() finds */
	struct mmbox_debugfs *debugfs;	/* faces, NULL where there is none */
	struct mmbox_face_dir *memory_dir;	/* its folder memory/, or NULL */
	struct mmbox_face_dir **section_dirs;	/* memory/memoryN, or NULL; memory_lock */
	struct mmbox_chardev *chardev;
};

/* box.c */
void mmbox_config_init(struct mmbox_config *cfg);
int mmbox_config_check(const struct mmbox_config *cfg);
struct mmbox *mmbox_create(const struct mmbox_config *cfg);
void mmbox_destroy(struct mmbox *box);
void mmbox_publish(struct mmbox *box);
void mmbox_unpublish(struct mmbox *box);

/* banks.c */
const char *mmbox_parse_bytes(const char *text, phys_addr_t *value);
int mmbox_banks_parse(struct mmbox_config *cfg, const char *text);
int mmbox_banks_check(const struct mmbox_config *cfg);
unsigned long mmbox_banks_sum(const struct mmbox_config *cfg);

/* numa.c */
int mmbox_nodes_split(struct mmbox_config *cfg, unsigned int nodes);
int mmbox_numa_check(const struct mmbox_config *cfg);
void mmbox_numa_init(struct mmbox *box);
int mmbox_node_order(const struct mmbox *box, int nid, bool booted, int *order,
		     unsigned int *node_load);

/* checksum.c */
u32 mmbox_checksum(struct mmbox *box);

/* mm_init.c */
int mmbox_mm_init(struct mmbox *box);
void mmbox_mm_exit(struct mmbox *box);

/* buddy_list.c */
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
bool mmbox_rmqueue_bulk(struct mmbox_zone *zone, struct mmbox_per_cpu_pages *pcp,
			unsigned int order, int migratetype, unsigned int alloc_flags);
void mmbox_pcp_trim(struct mmbox_zone *zone, struct mmbox_per_cpu_pages *pcp,
		    unsigned int order, unsigned int pindex);
int mmbox_pagesets_init(struct mmbox *box);
int mmbox_pagesets_start(struct mmbox *box);
void mmbox_pagesets_exit(struct mmbox *box);
int mmbox_pagesets_module_init(void);
void mmbox_pagesets_module_exit(void);
void mmbox_set_first_zones(struct mmbox *box);
void mmbox_set_pageset_high_and_batch(struct mmbox_zone *zone, int high, int batch);
void mmbox_set_reclaim_active(struct mmbox_zone *zone, bool active);
void mmbox_drain_all_pages(struct mmbox *box);
void mmbox_drain_all_pages_cpuslocked(struct mmbox *box);
unsigned long mmbox_nr_pcp_pages(const struct mmbox_zone *zone);

/* page_alloc.c */
void mmbox_free_pages_core(struct mmbox *box, struct mmbox_page *page,
			   unsigned int order);
struct mmbox_page *mmbox_alloc_typed(struct mmbox *box, int nid, gfp_t gfp,
				     unsigned int order,
				     enum mmbox_page_type type);
bool mmbox_page_is_allocated(const struct mmbox *box, const struct mmbox_page *page,
			     unsigned int order);
void mmbox_refuse_page(struct mmbox *box, struct mmbox_page *page, unsigned int order);
void mmbox_free_to_tail(struct mmbox *box, struct mmbox_page *page);
void mmbox_free_typed(struct mmbox *box, struct mmbox_page *page,
		      unsigned int order);
bool mmbox_zone_watermark_ok(const struct mmbox_zone *zone, unsigned int order,
			     unsigned long mark, int highest);

/* percpu.c */
void mmbox_drain_cpus_cpuslocked(bool (*holds)(void *arg, int cpu),
				 void (*drain)(void *arg, int cpu), void *arg);
void mmbox_drain_cpus(bool (*holds)(void *arg, int cpu),
		      void (*drain)(void *arg, int cpu), void *arg);
int mmbox_percpu_module_init(void);
void mmbox_percpu_module_exit(void);

/* debugfs.c, chardev.c: 0, or why this face is missing */
int mmbox_debugfs_add(struct mmbox *box);
void mmbox_debugfs_remove(struct mmbox *box);
void mmbox_debugfs_section_add(struct mmbox *box, unsigned long nr);
void mmbox_debugfs_section_del(struct mmbox *box, unsigned long nr);
int mmbox_chardev_add(struct mmbox *box);
void mmbox_chardev_remove(struct mmbox *box);

/*
 * physmap and memmap, inline: mostly one range of host addresses stands for
 * the whole of the box's physical address space, and one array describes it.
 * What is otherwise is left to physmap.c and memmap.c.
 */
DECLARE_STATIC_KEY_FALSE(mmbox_nonlinear_key);
DECLARE_STATIC_KEY_FALSE(mmbox_scattered_key);

/* Is there any box that is not? Costs nothing while there is none. */
static __always_inline bool mmbox_nonlinear(void)
{
	return static_branch_unlikely(&mmbox_nonlinear_key);
}

/* The same for descriptors alone: holes do not scatter those of flat and vmemmap. */
static __always_inline bool mmbox_scattered(void)
{
	return static_branch_unlikely(&mmbox_scattered_key);
}

static inline void *mmbox_phys_to_virt(const struct mmbox *box, phys_addr_t phys)
{
	if (mmbox_nonlinear() && !box->va_size)
		return mmbox_physmap_phys_to_virt(box, phys);
	return (void *)(box->va_base + (unsigned long)phys);
}

static inline phys_addr_t mmbox_virt_to_phys(const struct mmbox *box,
					     const void *addr)
{
	if (mmbox_nonlinear() && !box->va_size)
		return mmbox_physmap_virt_to_phys(box, addr);
	return (unsigned long)addr - box->va_base;
}

static inline bool mmbox_virt_valid(const struct mmbox *box, const void *addr)
{
	return (unsigned long)addr - box->va_base < box->va_size ||
	       (mmbox_nonlinear() && mmbox_physmap_virt_valid(box, addr));
}

/*
 * DISCONTIGMEM: the node of the section, and the page's place in the node's
 * array.
 */
static inline struct mmbox_page *mmbox_discontig_pfn_to_page(const struct mmbox *box,
							     unsigned long pfn)
{
	const mmbox_pg_data_t *pgdat;

	pgdat = box->node[box->discontig_nid[pfn >> box->pfn_section_shift]];
	return pgdat->node_mem_map + (pfn - pgdat->node_start_pfn);
}

static inline unsigned long mmbox_discontig_page_to_pfn(const struct mmbox *box,
							const struct mmbox_page *page)
{
	const mmbox_pg_data_t *pgdat = box->node[page->node_id];

	return page - pgdat->node_mem_map + pgdat->node_start_pfn;
}

/* SPARSEMEM: the section, in one step or two, and the map that it is biased for. */
static inline struct mmbox_page *mmbox_sparse_static_pfn_to_page(const struct mmbox *box,
								 unsigned long pfn)
{
	return mmbox_section_mem_map_addr(&box->sparse.sections[pfn >> box->pfn_section_shift]) +
	       pfn;
}

static inline struct mmbox_mem_section *mmbox_extreme_section(const struct mmbox *box,
							      unsigned long nr)
{
	return &box->sparse.roots[nr / MMBOX_SECTIONS_PER_ROOT][nr % MMBOX_SECTIONS_PER_ROOT];
}

static inline struct mmbox_page *mmbox_sparse_extreme_pfn_to_page(const struct mmbox *box,
								  unsigned long pfn)
{
	return mmbox_section_mem_map_addr(mmbox_extreme_section(box,
						pfn >> box->pfn_section_shift)) + pfn;
}

/* The section in whose map a descriptor lies, by where in the region that is. */
static inline unsigned long mmbox_sparse_map_section(const struct mmbox *box,
						     const struct mmbox_page *page)
{
	unsigned long offset = (unsigned long)page - (unsigned long)box->region.addr;

	return box->sparse.map_section[offset >> box->sparse.map_shift] - 1UL;
}

static inline unsigned long mmbox_sparse_static_page_to_pfn(const struct mmbox *box,
							    const struct mmbox_page *page)
{
	unsigned long nr = mmbox_sparse_map_section(box, page);

	return page - mmbox_section_mem_map_addr(&box->sparse.sections[nr]);
}

static inline unsigned long mmbox_sparse_extreme_page_to_pfn(const struct mmbox *box,
							     const struct mmbox_page *page)
{
	unsigned long nr = mmbox_sparse_map_section(box, page);

	return page - mmbox_section_mem_map_addr(mmbox_extreme_section(box, nr));
}

/* All without a call: where one could happen the fast paths would save registers. */
static inline struct mmbox_page *mmbox_memmap_pfn_to_page(const struct mmbox *box,
							  unsigned long pfn)
{
	switch (box->cfg.model) {
	case MMBOX_DISCONTIG:
		return mmbox_discontig_pfn_to_page(box, pfn);
	case MMBOX_SPARSE_STATIC:
		return mmbox_sparse_static_pfn_to_page(box, pfn);
	default:
		return mmbox_sparse_extreme_pfn_to_page(box, pfn);
	}
}

static inline unsigned long mmbox_memmap_page_to_pfn(const struct mmbox *box,
						     const struct mmbox_page *page)
{
	switch (box->cfg.model) {
	case MMBOX_DISCONTIG:
		return mmbox_discontig_page_to_pfn(box, page);
	case MMBOX_SPARSE_STATIC:
		return mmbox_sparse_static_page_to_pfn(box, page);
	default:
		return mmbox_sparse_extreme_page_to_pfn(box, page);
	}
}

/*
 * Where the caller knows that the box has one array, as a free finds out when it
 * looks whether a page or an address is within that array's bounds.
 */
static inline struct mmbox_page *mmbox_linear_pfn_to_page(const struct mmbox *box,
							  unsigned long pfn)
{
	return box->memmap + pfn;
}

static inline unsigned long mmbox_linear_page_to_pfn(const struct mmbox *box,
						     const struct mmbox_page *page)
{
	return page - box->memmap;
}

static inline struct mmbox_page *mmbox_linear_virt_to_page(const struct mmbox *box,
							   const void *addr)
{
	return mmbox_linear_pfn_to_page(box, ((unsigned long)addr - box->va_base) >> PAGE_SHIFT);
}

/* And where not. Of the size: a look at memmap would be made apart from its use. */
static inline bool mmbox_no_memmap(const struct mmbox *box)
{
	return !box->memmap_size;
}

static inline struct mmbox_page *__mmbox_pfn_to_page(const struct mmbox *box,
						     unsigned long pfn)
{
	if (mmbox_scattered() && mmbox_no_memmap(box))
		return mmbox_memmap_pfn_to_page(box, pfn);
	return mmbox_linear_pfn_to_page(box, pfn);
}

static inline unsigned long __mmbox_page_to_pfn(const struct mmbox *box,
						const struct mmbox_page *page)
{
	if (mmbox_scattered() && mmbox_no_memmap(box))
		return mmbox_memmap_page_to_pfn(box, page);
	return mmbox_linear_page_to_pfn(box, page);
}

static inline struct mmbox_page *__mmbox_virt_to_page(const struct mmbox *box,
						      const void *addr)
{
	if (mmbox_nonlinear() && !box->linear_size)
		return __mmbox_pfn_to_page(box, PHYS_PFN(mmbox_virt_to_phys(box, addr)));
	return mmbox_linear_virt_to_page(box, addr);
}

static inline void *__mmbox_page_address(const struct mmbox *box,
					 const struct mmbox_page *page)
{
	if (mmbox_nonlinear() && !box->linear_size)
		return mmbox_phys_to_virt(box, PFN_PHYS(__mmbox_page_to_pfn(box, page)));
	return (void *)(box->va_base + PFN_PHYS(mmbox_linear_page_to_pfn(box, page)));
}

/*
 * Clear whole words. Where the CPU says that strings are fast, memset() stores
 * bytes; words are an eighth of the steps where instructions are counted.
 * Which of the two takes less time has not been measured.
 */
static __always_inline void mmbox_clear_words(void *addr, size_t bytes)
{
#if defined(CONFIG_X86_64) && !defined(CONFIG_KASAN) && !defined(CONFIG_KCSAN)
	size_t words = bytes / sizeof(long);

	asm volatile("rep stosq" : "+c" (words), "+D" (addr) : "a" (0L) : "memory");
#else
	memset(addr, 0, bytes);
#endif
}

/*
 * Count up, and tell whether that made 0. One instruction where the compiler
 * needs four; not atomic for other CPUs, which have no business here.
 */
static __always_inline bool mmbox_inc_and_test(u32 *counter)
{
#ifdef CONFIG_X86_64
	bool zero;

	asm volatile("incl %0" : "+m" (*counter), "=@ccz" (zero) : : "memory");
	return zero;
#else
	bool zero = !++*counter;

	barrier();
	return zero;
#endif
}

/* Copy whole words, to where they do not overlap or to a lower address. */
static __always_inline void mmbox_copy_words(void *to, const void *from, size_t words)
{
#if defined(CONFIG_X86_64) && !defined(CONFIG_KASAN) && !defined(CONFIG_KCSAN)
	asm volatile("rep movsq" : "+c" (words), "+D" (to), "+S" (from) : : "memory");
#else
	memmove(to, from, words * sizeof(long));
#endif
}

static inline struct mmbox_zone *mmbox_page_zone(const struct mmbox *box,
						 const struct mmbox_page *page)
{
	return box->zone_table[page->zone_link];
}

static inline unsigned int mmbox_zone_link(const struct mmbox_zone *zone)
{
	return zone->zone_pgdat->node_id * MMBOX_MAX_NR_ZONES + mmbox_zone_idx(zone);
}

static inline unsigned int mmbox_pageblock_type(const struct mmbox *box, unsigned long pfn)
{
	return READ_ONCE(box->pageblock_flags[pfn >> box->pageblock_shift]);
}

/*
 * A page of a slab names its cache by where that lies in the box: caches are
 * aligned to 64 bytes, and 0 is no cache.
 */
#define MMBOX_CACHE_ALIGN	64

static inline u32 mmbox_cache_to_id(const struct mmbox *box,
				    const struct mmbox_kmem_cache *cachep)
{
	return mmbox_virt_to_phys(box, cachep) / MMBOX_CACHE_ALIGN + 1;
}

static inline struct mmbox_kmem_cache *mmbox_id_to_cache(const struct mmbox *box,
							 u32 id)
{
	return mmbox_phys_to_virt(box, (u64)id * MMBOX_CACHE_ALIGN - MMBOX_CACHE_ALIGN);
}

static inline struct mmbox_kmem_cache *mmbox_linear_id_to_cache(const struct mmbox *box,
								u32 id)
{
	return (struct mmbox_kmem_cache *)(box->va_base + (u64)id * MMBOX_CACHE_ALIGN -
					   MMBOX_CACHE_ALIGN);
}

static inline int mmbox_node_distance(const struct mmbox *box, int from, int to)
{
	return box->distance[from][to];
}

static inline int mmbox_cpu_to_node(const struct mmbox *box, int cpu)
{
	return per_cpu_ptr(box->cpu, cpu)->nid;
}

/* The node of the CPU that this runs on. */
static inline int mmbox_numa_node_id(const struct mmbox *box)
{
	return this_cpu_read(box->cpu->nid);
}

static inline mmbox_pg_data_t *mmbox_node_data(const struct mmbox *box, int nid)
{
	return box->node[nid];
}

#endif /* _MMBOX_BOX_H */
