// SPDX-License-Identifier: GPL-2.0
/*
 * Allocate a region from the host kernel and return it.
 *
 * There are three ways to get a region, best first: a contiguous range of host pages,
 * found by a walk over the host's page frames and allocated by alloc_contig_range();
 * one block of the page allocator; virtually contiguous memory. A region has exactly
 * the requested size. Its pages are counted when they are taken and when they are
 * returned.
 *
 * kmemleak does not scan the first two, as they are plain pages, and is told not to
 * scan the third: stale addresses in box memory must not hide a leak of the host. So
 * the box keeps each host pointer that it owns in host memory as well (see host.h).
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/align.h>
#include <linux/kmemleak.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/page-flags.h>
#include <linux/pageblock-flags.h>
#include <linux/pfn.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/topology.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>

#include "host/host.h"

/*
 * Reclaim as long as it helps, without the OOM killer and without a warning: the
 * module reports the failure itself, in one line.
 */
#define REGION_GFP	(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

const char *const mmbox_region_names[MMBOX_NR_REGION_TYPES] = {
	[MMBOX_REGION_AUTO]	= "auto",
	[MMBOX_REGION_CONTIG]	= "contig",
	[MMBOX_REGION_PAGES]	= "pages",
	[MMBOX_REGION_VMALLOC]	= "vmalloc",
};
MMBOX_EXPORT_INTERNAL(mmbox_region_names);

/* Available pages that only movable allocations can use. */
static unsigned long host_movable_pages(void)
{
	unsigned long pages = global_zone_page_state(NR_FREE_CMA_PAGES);
	int nid;

	for_each_node_state(nid, N_MEMORY) {
		struct zone *zone = &NODE_DATA(nid)->node_zones[ZONE_MOVABLE];

		if (!populated_zone(zone))
			continue;
		pages += zone_page_state(zone, NR_FREE_PAGES);
		pages += zone_page_state(zone, NR_ZONE_INACTIVE_FILE);
		pages += zone_page_state(zone, NR_ZONE_ACTIVE_FILE);
	}
	return pages;
}

/*
 * Pages that the host can spare. alloc_contig_range() ignores watermarks, and vmalloc
 * would reclaim everything before it fails. So the host's share is set aside first.
 */
static unsigned long host_spare_pages(void)
{
	long share = max(PHYS_PFN(SZ_16M), totalram_pages() / 64);
	long available = si_mem_available() - host_movable_pages();

	return available > share ? available - share : 0;
}

/* Count the pages of a part of the region to which only the box has a reference. */
static unsigned long region_count_pages(const struct mmbox_region *region,
					size_t offset, size_t size)
{
	size_t end = offset + size;
	unsigned long count = 0;

	for (; offset < end; offset += PAGE_SIZE) {
		const void *addr = region->addr + offset;
		struct page *page;

		if (region->type == MMBOX_REGION_VMALLOC)
			page = vmalloc_to_page(addr);
		else
			page = virt_to_page(addr);
		if (page && page_count(page) == 1)
			count++;
		if (IS_ALIGNED(offset, SZ_4M))
			cond_resched();
	}
	return count;
}

#ifdef CONFIG_CONTIG_ALLOC

struct contig_search {
	unsigned long nr;	/* pages wanted */
	unsigned long align;	/* pages, a power of two */
	bool migrate;		/* take ranges that must be emptied first */
	unsigned long longest;	/* pages in the longest range seen */
	unsigned long pfn;	/* the range taken */
};

/*
 * Estimate how many page frames from @pfn on can be allocated, judging by the first
 * one; 0 if none. No lock is held, so this is a guess that alloc_contig_range()
 * verifies. It also refuses CMA areas, which a module cannot recognize.
 */
static unsigned long contig_step(struct zone *zone, unsigned long pfn,
				 bool migrate)
{
	struct page *page = pfn_to_online_page(pfn);
	unsigned long order, nr;
	struct page *head;

	if (!page || page_zone(page) != zone || PageReserved(page))
		return 0;
	if (PageBuddy(page)) {
		order = READ_ONCE(page_private(page));
		return order <= MMBOX_HOST_MAX_ORDER ? 1UL << order : 1;
	}

	head = compound_head(page);
	if (PageHuge(head) || PageSlab(head))
		return 0;
	if (PageLRU(head)) {
		if (!migrate)
			return 0;
		nr = compound_nr(head);
		if (!is_power_of_2(nr) || nr > MAX_ORDER_NR_PAGES)
			return 1;
		return ALIGN(pfn + 1, nr) - pfn;
	}
	/* On a per-CPU list of the host, or the tail of a free block. */
	return !PageCompound(page) && !page_ref_count(page);
}

/*
 * Search @zone for a range of pages that are free or movable. Returns 0, -EBUSY if
 * there is none, or another error if searching on is pointless.
 */
static int contig_search_zone(struct contig_search *search, struct zone *zone)
{
	/* Leave memory below 16 MiB to devices that can address no other. */
	unsigned long start = max(zone->zone_start_pfn, PHYS_PFN(SZ_16M));
	unsigned long end = zone_end_pfn(zone);
	unsigned long pfn, step;
	int err;

	start = ALIGN(start, max_t(unsigned long, search->align, MAX_ORDER_NR_PAGES));
	for (pfn = start; start < end && end - start >= search->nr;) {
		cond_resched();
		step = contig_step(zone, pfn, search->migrate);
		if (!step) {
			start = ALIGN(pfn + 1, max(search->align, pageblock_nr_pages));
			pfn = start;
			continue;
		}
		pfn += step;
		search->longest = max(search->longest, pfn - start);
		if (pfn - start < search->nr)
			continue;

		err = alloc_contig_range(start, start + search->nr,
					 MMBOX_CONTIG_ORDINARY, REGION_GFP);
		if (!err) {
			search->pfn = start;
			return 0;
		}
		if (err != -EBUSY)
			return err;
		/* A page in the range cannot be moved: skip a quarter of the range. */
		start = ALIGN(start + search->nr / 4 + 1,
			      max(search->align, pageblock_nr_pages));
		pfn = max(pfn, start);
	}
	return -EBUSY;
}

static int contig_search_node(struct contig_search *search, int nid)
{
	int zid, err = -EBUSY;

	/* From ZONE_NORMAL down: no highmem, movable or device memory. */
	for (zid = ZONE_NORMAL; zid >= 0 && err == -EBUSY; zid--) {
		struct zone *zone = &NODE_DATA(nid)->node_zones[zid];

		if (populated_zone(zone))
			err = contig_search_zone(search, zone);
	}
	return err;
}

/* Prefer free pages of another node to migrating pages of the local one. */
static int contig_search(struct contig_search *search)
{
	int nid, local = numa_mem_id();
	int err, migrate;

	for (migrate = 0; migrate < 2; migrate++) {
		search->migrate = migrate;
		err = contig_search_node(search, local);
		for_each_node_state(nid, N_MEMORY) {
			if (err != -EBUSY)
				return err;
			if (nid != local)
				err = contig_search_node(search, nid);
		}
	}
	return err;
}

static int region_take_contig(struct mmbox_region *region, size_t align, size_t *most)
{
	struct contig_search search = {
		.nr = PHYS_PFN(region->size),
		.align = PHYS_PFN(align),
	};
	int err;

	err = contig_search(&search);
	if (err) {
		if (search.longest < search.nr)
			*most = PFN_PHYS(search.longest);
		return err == -EINTR ? err : -ENOMEM;
	}
	region->host_pfn = search.pfn;
	region->addr = page_address(pfn_to_page(search.pfn));
	return 0;
}

static void region_return_contig(const struct mmbox_region *region, size_t offset,
				 size_t size)
{
	free_contig_range(region->host_pfn + PHYS_PFN(offset), PHYS_PFN(size));
}

#else

static int region_take_contig(struct mmbox_region *region, size_t align, size_t *most)
{
	return -EOPNOTSUPP;
}

static void region_return_contig(const struct mmbox_region *region, size_t offset,
				 size_t size)
{
}

#endif /* CONFIG_CONTIG_ALLOC */

static int region_take_pages(struct mmbox_region *region)
{
	if (get_order(region->size) > MMBOX_HOST_MAX_ORDER)
		return -ENOMEM;
	region->addr = alloc_pages_exact(region->size, REGION_GFP);
	if (!region->addr)
		return -ENOMEM;
	region->host_pfn = page_to_pfn(virt_to_page(region->addr));
	return 0;
}

static int region_take_vmalloc(struct mmbox_region *region)
{
	region->addr = vmalloc_huge(region->size, REGION_GFP);
	if (!region->addr)
		return fatal_signal_pending(current) ? -EINTR : -ENOMEM;
	kmemleak_no_scan(region->addr);
	return 0;
}

static int region_try(struct mmbox_region *region, struct mmbox_host *host,
		      enum mmbox_region_type type, size_t align, size_t *most)
{
	*most = 0;
	region->type = type;
	switch (type) {
	case MMBOX_REGION_CONTIG:
		if (mmbox_host_should_fail(host, "a contiguous range"))
			return -ENOMEM;
		return region_take_contig(region, align, most);
	case MMBOX_REGION_PAGES:
		if (mmbox_host_should_fail(host, "a block of pages"))
			return -ENOMEM;
		return region_take_pages(region);
	case MMBOX_REGION_VMALLOC:
		if (mmbox_host_should_fail(host, "virtually contiguous memory"))
			return -ENOMEM;
		return region_take_vmalloc(region);
	default:
		return -EINVAL;
	}
}

/* Rate limited, because a write to memory/probe can trigger it. */
static void region_report(const struct mmbox_region *region, const char *asked, int err,
			  size_t most)
{
	const char *name = mmbox_region_names[region->type];

	if (err == -EOPNOTSUPP)
		pr_err_ratelimited("region=%s: this kernel is built without CONFIG_CONTIG_ALLOC\n",
				   name);
	else if (err == -EINTR)
		pr_err_ratelimited("%s: interrupted\n", asked);
	else if (most)
		pr_err_ratelimited("%s: the host can give %zuK at most by region=%s\n",
				   asked, most / SZ_1K, name);
	else
		pr_err_ratelimited("%s: the host cannot give that much by region=%s\n",
				   asked, name);
}

/* Try the types from @type to @last until one works. */
static int region_take(struct mmbox_region *region, struct mmbox_host *host,
		       enum mmbox_region_type type, enum mmbox_region_type last,
		       size_t size, size_t align, const char *asked)
{
	u64 start = ktime_get_ns();
	unsigned long spare = host_spare_pages();
	size_t most;
	int err;

	*region = (struct mmbox_region){ .type = type, .size = size };
	if (!size || !PAGE_ALIGNED(size)) {
		pr_err("%s: not a multiple of %lu\n", asked, PAGE_SIZE);
		return -EINVAL;
	}
	if (type == MMBOX_REGION_PAGES)
		spare = min(spare, 1UL << MMBOX_HOST_MAX_ORDER);
	if (PHYS_PFN(size) > spare) {
		region_report(region, asked, -ENOMEM, PFN_PHYS(spare));
		return -ENOMEM;
	}

	do {
		err = region_try(region, host, type, align, &most);
	} while (err && err != -EINTR && type++ != last);
	if (err) {
		region_report(region, asked, err, most);
		return err;
	}
	region->ns = ktime_get_ns() - start;
	region->nr_taken = region_count_pages(region, 0, size);
	return 0;
}

/**
 * mmbox_region_take() - allocate a region from the host
 * @region: the region, overwritten
 * @host: the account of the box that asks
 * @type: its type, or MMBOX_REGION_AUTO for the first that works
 * @size: bytes, a multiple of the page size
 * @asked: the request's name in messages, e.g. "size=64M"
 *
 * Logs one line on failure.
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno; nothing is allocated then.
 */
int mmbox_region_take(struct mmbox_region *region, struct mmbox_host *host,
		      enum mmbox_region_type type, size_t size, const char *asked)
{
	if (type == MMBOX_REGION_AUTO)
		return region_take(region, host, MMBOX_REGION_CONTIG, MMBOX_REGION_VMALLOC,
				   size, 0, asked);
	return region_take(region, host, type, type, size, 0, asked);
}

/**
 * mmbox_region_take_aligned() - allocate a region aligned to its size
 * @region: the region, overwritten
 * @host: the account of the box that asks
 * @size: bytes, a power of two of at least a page
 * @asked: the request's name in messages, e.g. "section_size=4M"
 *
 * The region is contiguous in the host's memory. Logs one line on failure.
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno; nothing is allocated then.
 */
int mmbox_region_take_aligned(struct mmbox_region *region, struct mmbox_host *host, size_t size,
			      const char *asked)
{
	int err;

	err = region_take(region, host, MMBOX_REGION_CONTIG, MMBOX_REGION_PAGES, size, size,
			  asked);
	if (err || IS_ALIGNED((unsigned long)region->addr, size))
		return err;
	pr_err_ratelimited("%s: cannot be aligned to that at the host's addresses\n", asked);
	mmbox_region_return(region, host);
	return -ENOMEM;
}

static void return_range(struct mmbox_region *region, size_t offset, size_t size)
{
	region->nr_returned += region_count_pages(region, offset, size);
	if (region->type == MMBOX_REGION_CONTIG)
		region_return_contig(region, offset, size);
	else if (region->type == MMBOX_REGION_PAGES)
		free_pages_exact(region->addr + offset, size);
	else
		vfree(region->addr);
}

/**
 * mmbox_region_return_part() - return a part of a region before the rest
 * @region: from mmbox_region_take()
 * @host: the account of the box that took it
 * @offset: start of the part, a multiple of @size
 * @size: bytes, a multiple of the page size, the same for all parts
 *
 * Context: process, may sleep.
 * Return: 0; -EOPNOTSUPP if the type allows no partial return; -ENOMEM.
 */
int mmbox_region_return_part(struct mmbox_region *region, struct mmbox_host *host,
			     size_t offset, size_t size)
{
	size_t words = BITS_TO_LONGS(region->size / size);

	if (region->type == MMBOX_REGION_VMALLOC)
		return -EOPNOTSUPP;
	if (!region->gone) {
		region->gone = mmbox_host_zalloc(host, words * sizeof(long),
						 "parts of the region");
		region->part = size;
	}
	if (!region->gone)
		return -ENOMEM;
	__set_bit(offset / size, region->gone);
	return_range(region, offset, size);
	return 0;
}

/* Return the parts that are still there, and the rest behind the last whole part. */
static void return_rest(struct mmbox_region *region, struct mmbox_host *host)
{
	size_t nr = region->size / region->part, i;

	for (i = 0; i < nr; i++)
		if (!test_bit(i, region->gone))
			return_range(region, i * region->part, region->part);
	if (region->size % region->part)
		return_range(region, nr * region->part, region->size % region->part);
	mmbox_host_free(host, region->gone, BITS_TO_LONGS(nr) * sizeof(long));
	region->gone = NULL;
}

/**
 * mmbox_region_return() - return a region to the host
 * @region: from mmbox_region_take(), or all zero
 * @host: the account of the box that took it
 *
 * @region keeps its type and its page counts.
 *
 * Context: process, may sleep.
 */
void mmbox_region_return(struct mmbox_region *region, struct mmbox_host *host)
{
	if (!region->addr)
		return;
	if (region->gone)
		return_rest(region, host);
	else
		return_range(region, 0, region->size);
	region->addr = NULL;
	if (region->nr_returned != region->nr_taken)
		pr_err("took %lu pages from the host, but returned %lu\n",
		       region->nr_taken, region->nr_returned);
}
