// SPDX-License-Identifier: GPL-2.0
/*
 * The files of a box in the formats of /proc of Linux 6.1, for programs that read
 * those.
 */
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/percpu.h>
#include <linux/pfn.h>
#include <linux/seq_file.h>

#include "faces/faces.h"
#include "pages/buddy.h"
#include "faces/debugfs.h"

static void walk_zones(struct seq_file *m, struct mmbox *box, bool populated,
		       void (*print)(struct seq_file *m, struct mmbox *box,
				     struct mmbox_zone *zone))
{
	int nid, zid;

	for (nid = 0; nid < MMBOX_MAX_NUMNODES; nid++) {
		if (!box->node[nid])
			continue;
		for (zid = 0; zid < MMBOX_MAX_NR_ZONES; zid++) {
			struct mmbox_zone *zone = &box->node[nid]->node_zones[zid];

			if (!populated || mmbox_populated_zone(zone))
				print(m, box, zone);
		}
	}
}

/* slabinfo: version 2.1, newest cache first */

static unsigned long counter(const atomic_long_t *value)
{
	return atomic_long_read(value);
}

static void stats_show(struct seq_file *m, const struct mmbox_cache_stats *s)
{
	seq_printf(m, " : globalstat %7lu %6lu %5lu %4lu %4lu %4lu %4lu %4lu %4lu",
		   counter(&s->num_allocations), counter(&s->high_mark), counter(&s->grown),
		   counter(&s->reaped), counter(&s->errors), counter(&s->max_freeable),
		   counter(&s->node_allocs), counter(&s->node_frees), counter(&s->node_overflow));
	seq_printf(m, " : cpustat %6lu %6lu %6lu %6lu", counter(&s->allochit),
		   counter(&s->allocmiss), counter(&s->freehit), counter(&s->freemiss));
}

static void cache_show(struct seq_file *m, struct mmbox_kmem_cache *cachep)
{
	struct mmbox_slabinfo sinfo = {};

	mmbox_get_slabinfo(cachep, &sinfo);
	seq_printf(m, "%-17s %6lu %6lu %6u %4u %4d", cachep->name,
		   sinfo.active_objs, sinfo.num_objs, cachep->size,
		   sinfo.objects_per_slab, 1 << sinfo.cache_order);
	seq_printf(m, " : tunables %4u %4u %4u", sinfo.limit, sinfo.batchcount,
		   sinfo.shared);
	seq_printf(m, " : slabdata %6lu %6lu %6lu", sinfo.active_slabs,
		   sinfo.num_slabs, sinfo.shared_avail);
	if (sinfo.stats)
		stats_show(m, sinfo.stats);
	seq_putc(m, '\n');
}

static void slabinfo_show(struct seq_file *m, struct mmbox *box,
			  unsigned long id)
{
	struct mmbox_kmem_cache *cachep;
	bool stats = box->cfg.slab_stats;

	seq_printf(m, "slabinfo - version: 2.1%s\n", stats ? " (statistics)" : "");
	seq_puts(m, "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>");
	seq_puts(m, " : tunables <limit> <batchcount> <sharedfactor>");
	seq_puts(m, " : slabdata <active_slabs> <num_slabs> <sharedavail>");
	if (stats) {
		seq_puts(m, " : globalstat <listallocs> <maxobjs> <grown> <reaped> <error> <maxfreeable> <nodeallocs> <remotefrees> <alienoverflow>");
		seq_puts(m, " : cpustat <allochit> <allocmiss> <freehit> <freemiss>");
	}
	seq_putc(m, '\n');

	list_for_each_entry(cachep, &box->slab.caches, list)
		cache_show(m, cachep);
}

static char *next_word(char **text)
{
	char *word;

	do
		word = strsep(text, " \t");
	while (word && !*word);
	return word;
}

/*
 * NAME LIMIT BATCHCOUNT SHARED. Unlike 6.1, which ignores numbers out of range and text
 * behind the last number, this refuses both.
 */
static int slabinfo_write(struct mmbox *box, unsigned long id, char *text)
{
	struct mmbox_kmem_cache *cachep;
	char *name = next_word(&text), *word;
	int figures[3], i, err = -EINVAL;

	for (i = 0; i < ARRAY_SIZE(figures); i++) {
		word = next_word(&text);
		if (!word || kstrtoint(word, 10, &figures[i]))
			return -EINVAL;
	}
	if (next_word(&text))
		return -EINVAL;
	list_for_each_entry(cachep, &box->slab.caches, list) {
		if (strcmp(cachep->name, name))
			continue;
		err = mmbox_slab_tune(cachep, figures[0], figures[1], figures[2]);
		break;
	}
	return err;
}

/* buddyinfo */

static void buddyinfo_zone(struct seq_file *m, struct mmbox *box,
			   struct mmbox_zone *zone)
{
	unsigned long nr_free[MMBOX_MAX_ORDERS];
	unsigned int order;

	mmbox_free_blocks(zone, nr_free);
	seq_printf(m, "Node %d, zone %8s ", zone->zone_pgdat->node_id, zone->name);
	for (order = 0; order < box->pages.max_order; order++)
		seq_printf(m, "%6lu ", nr_free[order]);
	seq_putc(m, '\n');
}

static void buddyinfo_show(struct seq_file *m, struct mmbox *box,
			   unsigned long id)
{
	walk_zones(m, box, true, buddyinfo_zone);
}

/* pagetypeinfo */

static const char *const type_names[MMBOX_MIGRATE_TYPES] = {
	[MMBOX_MIGRATE_UNMOVABLE] = "Unmovable",
	[MMBOX_MIGRATE_MOVABLE] = "Movable",
	[MMBOX_MIGRATE_RECLAIMABLE] = "Reclaimable",
	[MMBOX_MIGRATE_HIGHATOMIC] = "HighAtomic",
	[MMBOX_MIGRATE_ISOLATE] = "Isolate",
};

#define PAGETYPE_COUNT_MAX	100000	/* blocks counted in one walk, as in Linux */

static bool count_block(struct mmbox_page *page, void *arg)
{
	unsigned long *nr = arg;

	return ++*nr < PAGETYPE_COUNT_MAX;
}

/* Count the blocks of a list, up to PAGETYPE_COUNT_MAX. */
static unsigned long count_blocks(struct mmbox_zone *zone, unsigned int order, int mt)
{
	unsigned long nr = 0;

	mmbox_buddy_walk(zone, order, mt, count_block, &nr);
	cond_resched();
	return nr;
}

static void pagetypeinfo_free(struct seq_file *m, struct mmbox_zone *zone)
{
	unsigned int order;
	int mt;

	for (mt = 0; mt < MMBOX_MIGRATE_TYPES; mt++) {
		seq_printf(m, "Node %4d, zone %8s, type %12s ",
			   zone->zone_pgdat->node_id, zone->name,
			   type_names[mt]);
		for (order = 0; order < zone->box->pages.max_order; order++) {
			unsigned long nr = count_blocks(zone, order, mt);

			seq_printf(m, "%s%6lu ", nr == PAGETYPE_COUNT_MAX ? ">" : "", nr);
		}
		seq_putc(m, '\n');
	}
}

static void pagetypeinfo_blocks(struct seq_file *m, struct mmbox_zone *zone)
{
	unsigned long end = zone->zone_start_pfn + zone->spanned_pages;
	unsigned long count[MMBOX_MIGRATE_TYPES] = {};
	struct mmbox *box = zone->box;
	unsigned long pfn;
	int mt;

	for (pfn = zone->zone_start_pfn; pfn < end; pfn += 1UL << box->pages.pageblock_shift) {
		const struct mmbox_page *page = mmbox_pfn_to_online_page(box, pfn);

		if (!page || mmbox_page_zone(box, page) != zone)
			continue;
		count[mmbox_pageblock_type(box, pfn)]++;
	}
	seq_printf(m, "Node %d, zone %8s ", zone->zone_pgdat->node_id, zone->name);
	for (mt = 0; mt < MMBOX_MIGRATE_TYPES; mt++)
		seq_printf(m, "%12lu ", count[mt]);
	seq_putc(m, '\n');
}

static void pagetypeinfo_node(struct seq_file *m, mmbox_pg_data_t *pgdat)
{
	const struct mmbox *box = pgdat->node_zones[0].box;
	unsigned int order;
	int i, mt;

	if (!pgdat->node_present_pages)
		return;
	seq_printf(m, "Page block order: %u\n", box->pages.pageblock_shift);
	seq_printf(m, "Pages per block:  %lu\n\n", 1UL << box->pages.pageblock_shift);
	seq_printf(m, "%-43s ", "Free pages count per migrate type at order");
	for (order = 0; order < box->pages.max_order; order++)
		seq_printf(m, "%6u ", order);
	seq_putc(m, '\n');
	for (i = 0; i < pgdat->nr_zones; i++)
		if (mmbox_populated_zone(&pgdat->node_zones[i]))
			pagetypeinfo_free(m, &pgdat->node_zones[i]);

	seq_printf(m, "\n%-23s", "Number of blocks type ");
	for (mt = 0; mt < MMBOX_MIGRATE_TYPES; mt++)
		seq_printf(m, "%12s ", type_names[mt]);
	seq_putc(m, '\n');
	for (i = 0; i < pgdat->nr_zones; i++)
		if (mmbox_populated_zone(&pgdat->node_zones[i]))
			pagetypeinfo_blocks(m, &pgdat->node_zones[i]);
}

static void pagetypeinfo_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	int nid;

	mmbox_for_each_online_node(box, nid)
		pagetypeinfo_node(m, box->node[nid]);
}

/* zoneinfo */

/**
 * mmbox_stat_take() - allocate an array of counters
 * @box: the box
 *
 * Context: process, may sleep.
 * Return: zeroes, by enum mmbox_stat_item, for mmbox_stat_give(); or NULL, and then
 * the file stays empty.
 */
unsigned long *mmbox_stat_take(struct mmbox *box)
{
	return mmbox_host_zalloc(&box->host, MMBOX_NR_STATS * sizeof(long),
				 "counters to show");
}

/**
 * mmbox_stat_give() - free an array of counters
 * @box: the box
 * @stat: from mmbox_stat_take()
 *
 * Context: process, may sleep.
 */
void mmbox_stat_give(struct mmbox *box, unsigned long *stat)
{
	mmbox_host_free(&box->host, stat, MMBOX_NR_STATS * sizeof(long));
}

static void zoneinfo_stats(struct seq_file *m, const struct mmbox_stat_name *name,
			   const unsigned long *stat)
{
	for (; name->name; name++)
		seq_printf(m, "\n      %-12s %lu", name->name, stat[name->item]);
}

static bool zone_is_first_populated(const struct mmbox_zone *zone)
{
	const struct mmbox_zone *first = zone->zone_pgdat->node_zones;

	while (first < zone && !mmbox_populated_zone(first))
		first++;
	return first == zone && mmbox_populated_zone(zone);
}

static void zoneinfo_pagesets(struct seq_file *m, const struct mmbox_zone *zone)
{
	int cpu;

	seq_puts(m, "\n  pagesets");
	for_each_online_cpu(cpu) {
		const struct mmbox_per_cpu_pages *pcp;

		/* Its CPU may be changing them: any of their values will do. */
		pcp = per_cpu_ptr(zone->per_cpu_pageset, cpu);
		seq_printf(m, "\n    cpu: %i", cpu);
		seq_printf(m, "\n              count: %i", mmbox_glance(pcp->count));
		seq_printf(m, "\n              high:  %i", READ_ONCE(pcp->high));
		seq_printf(m, "\n              batch: %i", READ_ONCE(pcp->batch));
		seq_printf(m, "\n  vm stats threshold: %d", READ_ONCE(zone->stat_threshold));
	}
}

static void zoneinfo_pages(struct seq_file *m, const char *name,
			   unsigned long pages)
{
	seq_printf(m, "\n        %-8s %lu", name, pages);
}

static void zoneinfo_zone(struct seq_file *m, struct mmbox *box,
			  struct mmbox_zone *zone)
{
	int nid = zone->zone_pgdat->node_id, i;
	unsigned long *stat = mmbox_stat_take(box);

	if (!stat)
		return;
	mmbox_zone_stat(zone, stat);

	seq_printf(m, "Node %d, zone %8s", nid, zone->name);
	if (zone_is_first_populated(zone)) {
		mmbox_node_stat(box, nid, stat);
		seq_puts(m, "\n  per-node stats");
		zoneinfo_stats(m, mmbox_node_stats, stat);
	}
	/* "cma" is always 0: a box has no CMA. */
	seq_printf(m, "\n  pages %-8s %lu", "free", stat[MMBOX_NR_FREE_PAGES]);
	zoneinfo_pages(m, "boost", READ_ONCE(zone->watermark_boost));
	zoneinfo_pages(m, "min", mmbox_wmark_pages(zone, MMBOX_WMARK_MIN));
	zoneinfo_pages(m, "low", mmbox_wmark_pages(zone, MMBOX_WMARK_LOW));
	zoneinfo_pages(m, "high", mmbox_wmark_pages(zone, MMBOX_WMARK_HIGH));
	zoneinfo_pages(m, "spanned", zone->spanned_pages);
	zoneinfo_pages(m, "present", zone->present_pages);
	zoneinfo_pages(m, "managed", zone->managed_pages);
	zoneinfo_pages(m, "cma", 0);
	seq_printf(m, "\n        protection: (%ld", zone->lowmem_reserve[0]);
	for (i = 1; i < MMBOX_MAX_NR_ZONES; i++)
		seq_printf(m, ", %ld", zone->lowmem_reserve[i]);
	seq_putc(m, ')');

	if (mmbox_populated_zone(zone)) {
		zoneinfo_stats(m, mmbox_zone_stats, stat);
		zoneinfo_stats(m, mmbox_numa_stats, stat);
		zoneinfo_pagesets(m, zone);
		seq_printf(m, "\n  node_unreclaimable:  %u",
			   mmbox_kswapd_hopeless(zone->zone_pgdat));
		seq_printf(m, "\n  start_pfn:           %lu", zone->zone_start_pfn);
	}
	seq_putc(m, '\n');
	mmbox_stat_give(box, stat);
}

/* All zones, populated or not, as the kernel does. */
static void zoneinfo_show(struct seq_file *m, struct mmbox *box,
			  unsigned long id)
{
	walk_zones(m, box, false, zoneinfo_zone);
}

/* vmstat */

/**
 * mmbox_stat_lines() - show counters as /proc/vmstat does
 * @m: the file
 * @name: table of their names
 * @stat: their values, by enum mmbox_stat_item
 *
 * Context: process.
 */
void mmbox_stat_lines(struct seq_file *m, const struct mmbox_stat_name *name,
		      const unsigned long *stat)
{
	for (; name->name; name++)
		seq_printf(m, "%s %lu\n", name->name, stat[name->item]);
}

static void vmstat_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	unsigned long *stat = mmbox_stat_take(box);

	if (!stat)
		return;
	mmbox_all_stat(box, stat);
	mmbox_stat_lines(m, mmbox_zone_stats, stat);
	mmbox_stat_lines(m, mmbox_numa_stats, stat);
	mmbox_stat_lines(m, mmbox_node_stats, stat);
	mmbox_stat_lines(m, mmbox_event_stats, stat);
	mmbox_stat_give(box, stat);
}

/* meminfo: memory of kinds that a box does not have is 0 */

static void meminfo_kb(struct seq_file *m, const char *name, unsigned long pages)
{
	seq_printf(m, "%-15s %8lu kB\n", name, pages << (PAGE_SHIFT - 10));
}

static void meminfo_none(struct seq_file *m, const char *const *names)
{
	for (; *names; names++)
		meminfo_kb(m, *names, 0);
}

static const char *const meminfo_user[] = {
	"Buffers:", "Cached:", "SwapCached:", "Active:", "Inactive:",
	"Active(anon):", "Inactive(anon):", "Active(file):", "Inactive(file):",
	"Unevictable:", "Mlocked:", "SwapTotal:", "SwapFree:", "Zswap:",
	"Zswapped:", "Dirty:", "Writeback:", "AnonPages:", "Mapped:", "Shmem:",
	NULL
};

static const char *const meminfo_rest[] = {
	"KernelStack:", "PageTables:", "SecPageTables:", "NFS_Unstable:",
	"Bounce:", "WritebackTmp:", "CommitLimit:", "Committed_AS:",
	"VmallocTotal:", "VmallocUsed:", "VmallocChunk:", "Percpu:",
	NULL
};

static const char *const meminfo_huge[] = {
	"AnonHugePages:", "ShmemHugePages:", "ShmemPmdMapped:",
	"FileHugePages:", "FilePmdMapped:",
	NULL
};

static void meminfo_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	unsigned long total = 0, reclaimable, unreclaimable;
	unsigned long *stat = mmbox_stat_take(box);
	struct mmbox_zone *zone;

	if (!stat)
		return;
	mmbox_all_stat(box, stat);
	mmbox_for_each_zone(box, zone)
		total += zone->managed_pages;
	reclaimable = stat[MMBOX_NR_SLAB_RECLAIMABLE];
	unreclaimable = stat[MMBOX_NR_SLAB_UNRECLAIMABLE];

	meminfo_kb(m, "MemTotal:", total);
	meminfo_kb(m, "MemFree:", stat[MMBOX_NR_FREE_PAGES]);
	meminfo_kb(m, "MemAvailable:", mmbox_mem_available(box, stat));
	meminfo_none(m, meminfo_user);
	meminfo_kb(m, "KReclaimable:", reclaimable);
	meminfo_kb(m, "Slab:", reclaimable + unreclaimable);
	meminfo_kb(m, "SReclaimable:", reclaimable);
	meminfo_kb(m, "SUnreclaim:", unreclaimable);
	meminfo_none(m, meminfo_rest);
	seq_puts(m, "HardwareCorrupted:     0 kB\n");
	meminfo_none(m, meminfo_huge);
	seq_puts(m, "HugePages_Total:       0\n");
	seq_puts(m, "HugePages_Free:        0\n");
	seq_puts(m, "HugePages_Rsvd:        0\n");
	seq_puts(m, "HugePages_Surp:        0\n");
	meminfo_kb(m, "Hugepagesize:", 0);
	meminfo_kb(m, "Hugetlb:", 0);
	meminfo_kb(m, "DirectMap4k:", 0);
	meminfo_kb(m, "DirectMap2M:", 0);
	meminfo_kb(m, "DirectMap1G:", 0);
	mmbox_stat_give(box, stat);
}

/* extfrag_index, unusable_index: debugfs/extfrag of the kernel */

struct contig_page_info {
	unsigned long free_pages;
	unsigned long free_blocks_total;
	unsigned long free_blocks_suitable;	/* of the order asked for */
};

static void fill_contig_page_info(struct mmbox_zone *zone, unsigned int suitable,
				  struct contig_page_info *info)
{
	unsigned long nr_free[MMBOX_MAX_ORDERS];
	unsigned int order;

	*info = (struct contig_page_info){};
	mmbox_free_blocks(zone, nr_free);
	for (order = 0; order < zone->box->pages.max_order; order++) {
		unsigned long blocks = nr_free[order];

		info->free_blocks_total += blocks;
		info->free_pages += blocks << order;
		if (order >= suitable)
			info->free_blocks_suitable += blocks << (order - suitable);
	}
}

/*
 * Why would a request of this order fail? In thousandths, 0: memory is short,
 * 1000: it is in pieces. -1000: it would not. __fragmentation_index().
 */
static int fragmentation_index(struct mmbox_zone *zone, unsigned int order)
{
	struct contig_page_info info;

	fill_contig_page_info(zone, order, &info);
	if (!info.free_blocks_total)
		return 0;
	if (info.free_blocks_suitable)
		return -1000;
	return 1000 - div_u64(1000 + (info.free_pages * 1000 >> order),
			      info.free_blocks_total);
}

/* How much of the free memory is in blocks too small, in thousandths. */
static int unusable_free_index(struct mmbox_zone *zone, unsigned int order)
{
	struct contig_page_info info;

	fill_contig_page_info(zone, order, &info);
	if (!info.free_pages)
		return 1000;
	return div64_u64((info.free_pages - (info.free_blocks_suitable << order)) *
			 1000ULL, info.free_pages);
}

/* Print an index per order, in thousandths, with @width columns before the point. */
static void index_line(struct seq_file *m, struct mmbox_zone *zone, int width,
		       int (*index_of)(struct mmbox_zone *zone, unsigned int order))
{
	unsigned int order;

	seq_printf(m, "Node %d, zone %8s ", zone->zone_pgdat->node_id, zone->name);
	for (order = 0; order < zone->box->pages.max_order; order++) {
		int index = index_of(zone, order);

		seq_printf(m, "%*d.%03d ", width, index / 1000, index % 1000);
	}
	seq_putc(m, '\n');
}

static void extfrag_zone(struct seq_file *m, struct mmbox *box,
			 struct mmbox_zone *zone)
{
	index_line(m, zone, 2, fragmentation_index);
}

static void extfrag_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	walk_zones(m, box, true, extfrag_zone);
}

static void unusable_zone(struct seq_file *m, struct mmbox *box,
			  struct mmbox_zone *zone)
{
	index_line(m, zone, 1, unusable_free_index);
}

static void unusable_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	walk_zones(m, box, true, unusable_zone);
}

/* iomem: the box's physical addresses */

static void iomem_line(struct seq_file *m, int depth, phys_addr_t base, phys_addr_t end,
		       const char *name)
{
	seq_printf(m, "%*s%08llx-%08llx : %s\n", depth * 2, "", (unsigned long long)base,
		   (unsigned long long)end - 1, name);
}

static void iomem_reserved(struct seq_file *m, const struct mmbox_memblock_type *reserved,
			   phys_addr_t base, phys_addr_t end)
{
	unsigned int i;

	for (i = 0; i < reserved->cnt; i++) {
		const struct mmbox_memblock_region *r = &reserved->regions[i];

		if (r->base >= base && r->base < end)
			iomem_line(m, 1, r->base, r->base + r->size, r->name ?: "Reserved");
	}
}

/* Find the end of the contiguous memory of @nid that begins with section @nr. */
static unsigned long end_of_memory(const struct mmbox *box, unsigned long nr, int nid)
{
	while (nr < box->memmap.nr_sections &&
	       mmbox_section_state(box, nr) != MMBOX_SECTION_ABSENT &&
	       mmbox_section_nid(box, nr) == nid)
		nr++;
	return nr;
}

/* Memory is added and removed by section. The last section may be partial. */
static void iomem_show(struct seq_file *m, struct mmbox *box,
		       unsigned long id)
{
	unsigned long nr, next;

	for (nr = 0; nr < box->memmap.nr_sections; nr = next) {
		phys_addr_t base = (phys_addr_t)nr << box->memmap.section_shift, end;

		next = nr + 1;
		if (mmbox_section_state(box, nr) == MMBOX_SECTION_ABSENT)
			continue;
		next = end_of_memory(box, nr, mmbox_section_nid(box, nr));
		end = min_t(phys_addr_t, (phys_addr_t)next << box->memmap.section_shift,
			    PFN_PHYS(box->memmap.max_pfn));
		iomem_line(m, 0, base, end, "System RAM");
		iomem_reserved(m, &box->memblock.reserved, base, end);
	}
}

const struct mmbox_face mmbox_proc_faces[] = {
	{ .name = "slabinfo",
	  .lock = MMBOX_FACE_SLAB_MUTEX,
	  .show = slabinfo_show,
	  .write = slabinfo_write },
	{ .name = "buddyinfo", .show = buddyinfo_show },
	{ .name = "pagetypeinfo", .show = pagetypeinfo_show },
	{ .name = "zoneinfo", .show = zoneinfo_show },
	{ .name = "vmstat", .show = vmstat_show },
	{ .name = "meminfo", .show = meminfo_show },
	{ .name = "extfrag_index", .show = extfrag_show },
	{ .name = "unusable_index", .show = unusable_show },
	{ .name = "iomem", .lock = MMBOX_FACE_MEMORY_LOCK, .show = iomem_show },
	{}
};
