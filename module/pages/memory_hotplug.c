// SPDX-License-Identifier: GPL-2.0
/*
 * Memory hotplug: sections go offline and online while the box is in use.
 *
 *	offline		find a page in use		if there is one: EBUSY
 *			isolate the pageblocks		no page is allocated from them
 *			drain the per-CPU lists		their pages become isolated too
 *			find a page in use		if there is one: undo, EBUSY
 *			take the free blocks		the section is offline
 *	online		grow the zone and its node, then free the pages to it
 *
 *	remove		return the memory of an offline section to the host
 *	probe		allocate memory from the host for a hole; it starts offline
 *
 * Both offline and online then update what depends on the size of a zone: its span and
 * its node's, zonelists if the zone was or becomes empty, watermarks, reserves and the
 * sizes of per-CPU lists. This follows mm/memory_hotplug.c of Linux 6.1, except that no
 * page is migrated: a box does not know the user of a page.
 *
 * The bitmap generation cannot isolate pages and has no per-CPU lists. It checks a section
 * and takes its pages under one hold of its lock.
 *
 * No block is larger than a section, and offline pages are MMBOX_PAGE_RESERVED, so no
 * block merges with offline pages.
 *
 * Locking: memory_lock is held for everything here, and node_size_lock to write a node's
 * span and present pages. The page design writes the span of a zone.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/cpu.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/pfn.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>

#include "pages/buddy.h"

const char *const mmbox_mmop_names[MMBOX_NR_MMOPS] = {
	[MMBOX_MMOP_OFFLINE]		= "offline",
	[MMBOX_MMOP_ONLINE]		= "online",
	[MMBOX_MMOP_ONLINE_KERNEL]	= "online_kernel",
	[MMBOX_MMOP_ONLINE_MOVABLE]	= "online_movable",
};
MMBOX_EXPORT_INTERNAL(mmbox_mmop_names);

static unsigned long section_start(const struct mmbox *box, unsigned long nr)
{
	return nr << box->memmap.pfn_section_shift;
}

static unsigned long section_pages(const struct mmbox *box)
{
	return 1UL << box->memmap.pfn_section_shift;
}

/* Pages of a block of the highest order: sections are isolated and taken in such blocks. */
static unsigned long unit_pages(const struct mmbox *box)
{
	return 1UL << (box->pages.max_order - 1);
}

static unsigned long zone_end_of(const struct mmbox_zone *zone)
{
	return zone->zone_start_pfn + zone->spanned_pages;
}

/* ---- state of sections ---- */

/**
 * mmbox_section_state() - find the state of a section
 * @box: the box
 * @nr: number of the section, below nr_sections
 *
 * Context: any; a snapshot without memory_lock.
 * Return: the state. In models without sections it is online, or absent for a hole.
 */
enum mmbox_section_state mmbox_section_state(const struct mmbox *box, unsigned long nr)
{
	const struct mmbox_mem_section *ms;

	if (!mmbox_model_is_sparse(box->cfg.model))
		return box->memmap.model->pfn_valid(box, section_start(box, nr)) ?
		       MMBOX_SECTION_ONLINE : MMBOX_SECTION_ABSENT;
	ms = mmbox_nr_to_section(box, nr);
	if (!mmbox_valid_section(ms))
		return MMBOX_SECTION_ABSENT;
	if (READ_ONCE(box->pages.going_offline) == nr + 1)
		return MMBOX_SECTION_GOING_OFFLINE;
	return mmbox_online_section(ms) ? MMBOX_SECTION_ONLINE : MMBOX_SECTION_OFFLINE;
}
MMBOX_EXPORT_INTERNAL(mmbox_section_state);

/**
 * mmbox_pfn_to_online_page() - find the descriptor of an online page
 * @box: the box
 * @pfn: any page frame number
 *
 * Context: any; without memory_lock the page may go offline at any time.
 * Return: the descriptor, or NULL if there is no such page or if it is offline.
 */
struct mmbox_page *mmbox_pfn_to_online_page(struct mmbox *box, unsigned long pfn)
{
	unsigned long nr = pfn >> box->memmap.pfn_section_shift;

	if (!mmbox_pfn_valid(box, pfn))
		return NULL;
	if (mmbox_model_is_sparse(box->cfg.model) &&
	    !mmbox_online_section(mmbox_nr_to_section(box, nr)))
		return NULL;
	return __mmbox_pfn_to_page(box, pfn);
}
MMBOX_EXPORT_INTERNAL(mmbox_pfn_to_online_page);

/**
 * mmbox_section_nid() - find the node of a section
 * @box: the box
 * @nr: number of a section that is not absent
 *
 * Context: any.
 * Return: the node.
 */
int mmbox_section_nid(const struct mmbox *box, unsigned long nr)
{
	return __mmbox_pfn_to_page(box, section_start(box, nr))->node_id;
}
MMBOX_EXPORT_INTERNAL(mmbox_section_nid);

/**
 * mmbox_section_zone() - find the zone of a section
 * @box: the box
 * @nr: number of a section that is online
 *
 * Context: any; stable under memory_lock.
 * Return: the zone, or NULL if the section has pages of two zones or reaches beyond
 * max_pfn.
 */
struct mmbox_zone *mmbox_section_zone(struct mmbox *box, unsigned long nr)
{
	unsigned long start = section_start(box, nr);
	unsigned long last = start + section_pages(box) - 1;
	const struct mmbox_page *page;

	if (last >= box->memmap.max_pfn)
		return NULL;
	page = __mmbox_pfn_to_page(box, start);
	if (page->zone_link != __mmbox_pfn_to_page(box, last)->zone_link)
		return NULL;
	return mmbox_page_zone(box, page);
}
MMBOX_EXPORT_INTERNAL(mmbox_section_zone);

static bool mmbox_zone_intersects(const struct mmbox_zone *zone, unsigned long start,
				  unsigned long end)
{
	return zone->spanned_pages && start < zone_end_of(zone) &&
	       end > zone->zone_start_pfn;
}

/**
 * mmbox_zone_for_section() - choose the zone in which a section goes online
 * @box: the box
 * @nr: number of a section that is offline
 * @how: MMBOX_MMOP_ONLINE, MMBOX_MMOP_ONLINE_KERNEL or MMBOX_MMOP_ONLINE_MOVABLE
 *
 * MMBOX_MMOP_ONLINE chooses ZONE_MOVABLE if that spans part of the section and the kernel
 * zone does not.
 *
 * Context: process, memory_lock held.
 * Return: the zone.
 */
struct mmbox_zone *mmbox_zone_for_section(struct mmbox *box, unsigned long nr,
					  enum mmbox_mmop how)
{
	unsigned long start = section_start(box, nr), end = start + section_pages(box);
	mmbox_pg_data_t *pgdat = box->node[mmbox_section_nid(box, nr)];
	struct mmbox_zone *movable = &pgdat->node_zones[MMBOX_ZONE_MOVABLE];
	struct mmbox_zone *kernel;

	lockdep_assert_held(&box->pages.memory_lock);
	kernel = &pgdat->node_zones[mmbox_kernel_zone_idx(box, start, end)];
	if (how == MMBOX_MMOP_ONLINE_MOVABLE)
		return movable;
	if (how == MMBOX_MMOP_ONLINE && mmbox_zone_intersects(movable, start, end) &&
	    !mmbox_zone_intersects(kernel, start, end))
		return movable;
	return kernel;
}
MMBOX_EXPORT_INTERNAL(mmbox_zone_for_section);

/* ---- spans ---- */

/* Make a zone span [@start, @end) too. On -ENOMEM nothing has changed. */
static int grow_zone_span(struct mmbox_zone *zone, unsigned long start, unsigned long end)
{
	if (zone->spanned_pages) {
		start = min(start, zone->zone_start_pfn);
		end = max(end, zone_end_of(zone));
	}
	return zone->box->pages.design->resize(zone, start, end);
}

static bool online_in_zone(struct mmbox *box, const struct mmbox_zone *zone,
			   unsigned long pfn)
{
	const struct mmbox_page *page = mmbox_pfn_to_online_page(box, pfn);

	return page && mmbox_page_zone(box, page) == zone;
}

/*
 * Find the first online page of a zone in [@start, @end), or return @end. Zones may begin or
 * end within a section, so test the first and last page of each.
 */
static unsigned long first_in_zone(struct mmbox *box, const struct mmbox_zone *zone,
				   unsigned long start, unsigned long end)
{
	for (; start < end; start = ALIGN(start + 1, section_pages(box))) {
		unsigned long last = min(ALIGN(start + 1, section_pages(box)), end) - 1;

		if (online_in_zone(box, zone, start))
			return start;
		if (!online_in_zone(box, zone, last))
			continue;
		while (!online_in_zone(box, zone, start))
			start++;
		return start;
	}
	return end;
}

/* Find the end of the last online page of a zone in [@start, @end), or return @start. */
static unsigned long end_in_zone(struct mmbox *box, const struct mmbox_zone *zone,
				 unsigned long start, unsigned long end)
{
	while (end > start) {
		unsigned long first = max(ALIGN_DOWN(end - 1, section_pages(box)), start);

		if (online_in_zone(box, zone, end - 1))
			return end;
		if (online_in_zone(box, zone, first)) {
			while (!online_in_zone(box, zone, end - 1))
				end--;
			return end;
		}
		end = first;
	}
	return start;
}

/* Shrink the span of a zone that has lost pages [@start, @end). */
static void shrink_zone_span(struct mmbox_zone *zone, unsigned long start,
			     unsigned long end)
{
	unsigned long from = zone->zone_start_pfn, to = zone_end_of(zone);

	if (from >= start)
		from = first_in_zone(zone->box, zone, min(end, to), to);
	if (to <= end)
		to = end_in_zone(zone->box, zone, from, max(start, from));
	if (from >= to) {
		from = 0;
		to = 0;
	}
	/* This never fails, because the zone does not grow. */
	zone->box->pages.design->resize(zone, from, to);
}

/* Make a node span what its zones span, and add @pages to its present pages. */
static void resize_node(mmbox_pg_data_t *pgdat, long pages)
{
	unsigned long start = ULONG_MAX, end = 0, flags;
	int i;

	for (i = 0; i < MMBOX_MAX_NR_ZONES; i++) {
		const struct mmbox_zone *zone = &pgdat->node_zones[i];

		if (!zone->spanned_pages)
			continue;
		start = min(start, zone->zone_start_pfn);
		end = max(end, zone_end_of(zone));
	}
	start = min(start, end);
	spin_lock_irqsave(&pgdat->node_size_lock, flags);
	pgdat->node_start_pfn = start;
	pgdat->node_spanned_pages = end - start;
	pgdat->node_present_pages += pages;
	spin_unlock_irqrestore(&pgdat->node_size_lock, flags);
}

/* Update what depends on the size of a zone. @populated: the zone was populated before. */
static void zone_resized(struct mmbox_zone *zone, bool populated)
{
	struct mmbox *box = zone->box;

	if (populated != mmbox_populated_zone(zone)) {
		mmbox_build_zonelists(box, true);
		mmbox_set_first_zones(box);
	}
	mmbox_init_per_zone_wmark_min(box);
}

/* Set or clear one of the low bits of section_mem_map. */
static void set_section_flag(struct mmbox *box, unsigned long nr, unsigned long flag, bool set)
{
	struct mmbox_mem_section *ms = mmbox_nr_to_section(box, nr);
	unsigned long map = ms->section_mem_map;

	WRITE_ONCE(ms->section_mem_map, set ? map | flag : map & ~flag);
}

/* ---- offline ---- */

static const char *user_of(enum mmbox_page_type type)
{
	switch (type) {
	case MMBOX_PAGE_RESERVED:
		return "the boot allocator gave it out";
	case MMBOX_PAGE_KMALLOC:
		return "kmalloc gave it out";
	case MMBOX_PAGE_SLAB:
		return "it is in a slab";
	default:
		return "it is allocated";
	}
}

static int report_busy(const struct mmbox *box, unsigned long nr, unsigned long pfn)
{
	pr_info_ratelimited("%s: section %lu stays online: pfn %#lx is in use, %s\n", box->name, nr,
			    pfn, user_of(__mmbox_pfn_to_page(box, pfn)->type));
	return -EBUSY;
}

/*
 * Find a page that is neither free nor on a per-CPU list, or return MMBOX_NO_PFN. This is a
 * cheap first check. It takes no lock and may miss pages.
 */
static unsigned long find_used(struct mmbox *box, unsigned long start, unsigned long end)
{
	unsigned long pfn = start;

	while (pfn < end) {
		const struct mmbox_page *page = __mmbox_pfn_to_page(box, pfn);
		u16 type_order = READ_ONCE(page->type_order);
		unsigned int order = type_order >> 8;

		switch (type_order & 0xff) {
		case MMBOX_PAGE_BUDDY:
		case MMBOX_PAGE_PCP:
			pfn += order < box->pages.max_order ? 1UL << order : 1;
			break;
		case MMBOX_PAGE_TAIL:	/* being split, merged or allocated */
			pfn++;
			break;
		default:
			return pfn;
		}
	}
	return MMBOX_NO_PFN;
}

/* Where to keep the migrate types of pageblocks while they are isolated. */
static u8 *types_of(const struct mmbox *box, unsigned long start, unsigned long pfn)
{
	const struct mmbox_mem_section *ms;

	ms = mmbox_nr_to_section(box, start >> box->memmap.pfn_section_shift);
	return ms->usage->pageblock_flags + ((pfn - start) >> box->pages.pageblock_shift);
}

static void isolate(struct mmbox_zone *zone, unsigned long start, unsigned long end)
{
	struct mmbox *box = zone->box;
	unsigned long pfn;

	for (pfn = start; pfn < end; pfn += unit_pages(box))
		box->pages.design->isolate(zone, pfn, types_of(box, start, pfn));
}

static void unisolate(struct mmbox_zone *zone, unsigned long start, unsigned long end)
{
	struct mmbox *box = zone->box;
	unsigned long pfn;

	for (pfn = start; pfn < end; pfn += unit_pages(box))
		box->pages.design->unisolate(zone, pfn, types_of(box, start, pfn));
}

/* Take [@start, @end) from a zone. Returns MMBOX_NO_PFN, or a page in use and takes nothing. */
static unsigned long take_pages(struct mmbox_zone *zone, unsigned long start, unsigned long end)
{
	const struct mmbox_page_design *design = zone->box->pages.design;
	unsigned long used;

	if (design->isolate)
		isolate(zone, start, end);
	/* Free pages may lie on lists of CPUs, where the design does not find them. */
	if (design->per_cpu_lists) {
		cpus_read_lock();
		mmbox_drain_all_pages_cpuslocked(zone->box);
		cpus_read_unlock();
	}
	used = design->take(zone, start, end);
	if (used != MMBOX_NO_PFN && design->unisolate)
		unisolate(zone, start, end);
	return used;
}

static int mmbox_offline_pages(struct mmbox *box, unsigned long nr)
{
	unsigned long start = section_start(box, nr), end = start + section_pages(box);
	struct mmbox_zone *zone = mmbox_section_zone(box, nr);
	unsigned long busy;

	if (!zone) {
		pr_err_ratelimited("%s: section %lu stays online: it has pages of two zones, or is incomplete\n",
				   box->name, nr);
		return -EINVAL;
	}
	busy = find_used(box, start, end);
	if (busy == MMBOX_NO_PFN)
		busy = take_pages(zone, start, end);
	if (busy != MMBOX_NO_PFN)
		return report_busy(box, nr, busy);

	set_section_flag(box, nr, MMBOX_SECTION_IS_ONLINE, false);
	WRITE_ONCE(zone->managed_pages, zone->managed_pages - section_pages(box));
	WRITE_ONCE(zone->present_pages, zone->present_pages - section_pages(box));
	shrink_zone_span(zone, start, end);
	resize_node(zone->zone_pgdat, -(long)section_pages(box));
	zone_resized(zone, true);
	if (!zone->zone_pgdat->node_present_pages)
		mmbox_kswapd_stop(zone->zone_pgdat);
	return 0;
}

/* Check that the box has sections, and that section @nr is in @state. memory_lock held. */
static int check_section(const struct mmbox *box, unsigned long nr,
			 enum mmbox_section_state state)
{
	lockdep_assert_held(&box->pages.memory_lock);
	if (!mmbox_model_is_sparse(box->cfg.model)) {
		pr_err_ratelimited("%s: model=%s has no sections: hotplug needs a sparse model\n",
				   box->name, mmbox_model_names[box->cfg.model]);
		return -EOPNOTSUPP;
	}
	if (nr >= box->memmap.nr_sections || mmbox_section_state(box, nr) == MMBOX_SECTION_ABSENT)
		return -ENXIO;
	return mmbox_section_state(box, nr) == state ? 0 : -EINVAL;
}

/**
 * mmbox_memory_offline() - take a section offline
 * @box: the box; it may be in use
 * @nr: number of the section
 *
 * On failure the section is online as before.
 *
 * Context: process, may sleep.
 * Return: 0; -EBUSY if a page is in use, and then the log says which one; -EINVAL if it
 * is not online, has pages of two zones or is incomplete; -ENXIO if it is a hole;
 * -EOPNOTSUPP in models without sections.
 */
int mmbox_memory_offline(struct mmbox *box, unsigned long nr)
{
	int err;

	mutex_lock(&box->pages.memory_lock);
	err = check_section(box, nr, MMBOX_SECTION_ONLINE);
	if (!err) {
		WRITE_ONCE(box->pages.going_offline, nr + 1);
		err = mmbox_offline_pages(box, nr);
		WRITE_ONCE(box->pages.going_offline, 0);
	}
	mutex_unlock(&box->pages.memory_lock);
	return err;
}
MMBOX_EXPORT_INTERNAL(mmbox_memory_offline);

/* ---- online ---- */

static int mmbox_online_pages(struct mmbox *box, unsigned long nr, enum mmbox_mmop how)
{
	unsigned long start = section_start(box, nr), end = start + section_pages(box);
	struct mmbox_zone *zone = mmbox_zone_for_section(box, nr, how);
	mmbox_pg_data_t *pgdat = zone->zone_pgdat;
	bool populated = mmbox_populated_zone(zone);
	unsigned long pfn;
	int err;

	err = grow_zone_span(zone, start, end);
	if (err) {
		pr_err_ratelimited("%s: section %lu stays offline: the host has no memory for zone %s's maps\n",
				   box->name, nr, zone->name);
		return err;
	}
	/* The zone may be another one than before. */
	mmbox_init_reserved(__mmbox_pfn_to_page(box, start), end - start, pgdat->node_id,
			    mmbox_zone_idx(zone));
	WRITE_ONCE(zone->present_pages, zone->present_pages + section_pages(box));
	pgdat->nr_zones = max(pgdat->nr_zones, mmbox_zone_idx(zone) + 1);
	resize_node(pgdat, section_pages(box));
	set_section_flag(box, nr, MMBOX_SECTION_IS_ONLINE, true);
	for (pfn = start; pfn < end; pfn += unit_pages(box)) {
		mmbox_buddy_add(zone, __mmbox_pfn_to_page(box, pfn), box->pages.max_order - 1);
		cond_resched();
	}
	zone_resized(zone, populated);
	mmbox_kswapd_run(pgdat);
	return 0;
}

/**
 * mmbox_memory_online() - bring a section online
 * @box: the box; it may be in use
 * @nr: number of the section
 * @how: MMBOX_MMOP_ONLINE, MMBOX_MMOP_ONLINE_KERNEL or MMBOX_MMOP_ONLINE_MOVABLE
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL if it is not offline; -ENXIO if it is a hole; -ENOMEM if the page
 * design gets no memory from the host for the larger zone; -EOPNOTSUPP in models without
 * sections.
 */
int mmbox_memory_online(struct mmbox *box, unsigned long nr, enum mmbox_mmop how)
{
	int err;

	mutex_lock(&box->pages.memory_lock);
	err = check_section(box, nr, MMBOX_SECTION_OFFLINE);
	if (!err)
		err = mmbox_online_pages(box, nr, how);
	mutex_unlock(&box->pages.memory_lock);
	return err;
}
MMBOX_EXPORT_INTERNAL(mmbox_memory_online);

/* ---- probe and remove: memory from the host ---- */

/* A section whose memory was added after the boot. */
struct mmbox_hot_section {
	struct list_head list;		/* box->pages.hot_sections, memory_lock */
	unsigned long nr;		/* number of the section */
	struct mmbox_region region;	/* its memory */
};

static struct mmbox_hot_section *find_hot(const struct mmbox *box, unsigned long nr)
{
	struct mmbox_hot_section *hot;

	list_for_each_entry(hot, &box->pages.hot_sections, list)
		if (hot->nr == nr)
			return hot;
	return NULL;
}

/* Number of the section that begins at @phys; -1 if none does, or if no bank covers it. */
static long section_at(const struct mmbox *box, phys_addr_t phys)
{
	unsigned long nr = phys >> box->memmap.section_shift;

	if (!IS_ALIGNED(phys, box->cfg.section_size) || nr >= box->memmap.nr_sections ||
	    !mmbox_present_section(mmbox_nr_to_section(box, nr)))
		return -1;
	return nr;
}

static int check_address(const struct mmbox *box, phys_addr_t phys)
{
	if (!mmbox_model_is_sparse(box->cfg.model)) {
		pr_err_ratelimited("%s: model=%s has no sections: hotplug needs a sparse model\n",
				   box->name, mmbox_model_names[box->cfg.model]);
		return -EOPNOTSUPP;
	}
	if (section_at(box, phys) < 0) {
		pr_err_ratelimited("%s: %#llx: must be the start of a section of a bank, hot or not\n",
				   box->name, (unsigned long long)phys);
		return -EINVAL;
	}
	return 0;
}

static void free_hot(struct mmbox *box, struct mmbox_hot_section *hot)
{
	mmbox_region_return(&hot->region, &box->host);
	box->region.nr_returned += hot->region.nr_returned;
	mmbox_host_free(&box->host, hot, sizeof(*hot));
}

static int add_section(struct mmbox *box, unsigned long nr)
{
	struct mmbox_param_text text;
	struct mmbox_hot_section *hot;
	char asked[64];
	int err;

	if (mmbox_section_state(box, nr) != MMBOX_SECTION_ABSENT)
		return -EEXIST;
	if (box->physmap.va_size) {
		pr_err_ratelimited("%s: cannot add memory: the box is one contiguous range; load it with a :hot bank\n",
				   box->name);
		return -EOPNOTSUPP;
	}
	hot = mmbox_host_zalloc(&box->host, sizeof(*hot), "the record of a section's memory");
	if (!hot)
		return -ENOMEM;
	hot->nr = nr;
	snprintf(asked, sizeof(asked), "section_size=%s",
		 mmbox_param_text(&box->cfg, MMBOX_PARAM_section_size, &text));
	err = mmbox_region_take_aligned(&hot->region, &box->host, box->cfg.section_size, asked);
	if (err)
		goto free_hot;
	box->region.nr_taken += hot->region.nr_taken;
	err = mmbox_physmap_add(box, nr, hot->region.addr);
	if (err)
		goto return_region;
	list_add(&hot->list, &box->pages.hot_sections);
	set_section_flag(box, nr, MMBOX_SECTION_HAS_MEM_MAP, true);
	return 0;

return_region:
	free_hot(box, hot);
	return err;
free_hot:
	mmbox_host_free(&box->host, hot, sizeof(*hot));
	return err;
}

/**
 * mmbox_memory_probe() - allocate memory from the host for a section without memory
 * @box: the box; it may be in use
 * @phys: start of the section, box physical address
 *
 * The section goes online if auto_online_blocks says so. Otherwise, or if that fails,
 * it is offline.
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL if no bank has a section there; -EEXIST if it has memory already;
 * -ENOMEM if the host has no memory; -EOPNOTSUPP in models without sections, and in a box
 * whose addresses are one range.
 */
int mmbox_memory_probe(struct mmbox *box, phys_addr_t phys)
{
	long nr;
	int err;

	mutex_lock(&box->pages.memory_lock);
	err = check_address(box, phys);
	if (err)
		goto unlock;
	nr = section_at(box, phys);
	err = add_section(box, nr);
	if (err)
		goto unlock;
	box->observer->section_added(box, nr);
	/* If going online fails, it logs an error, and the section stays offline. */
	if (box->pages.auto_online != MMBOX_MMOP_OFFLINE)
		mmbox_online_pages(box, nr, box->pages.auto_online);
unlock:
	mutex_unlock(&box->pages.memory_lock);
	return err;
}
MMBOX_EXPORT_INTERNAL(mmbox_memory_probe);

/* Return the memory of a section to the host. Early sections are part of box->region. */
static int return_section(struct mmbox *box, unsigned long nr)
{
	struct mmbox_hot_section *hot;
	unsigned long addr;

	if (!mmbox_early_section(mmbox_nr_to_section(box, nr))) {
		hot = find_hot(box, nr);
		list_del(&hot->list);
		free_hot(box, hot);
		return 0;
	}
	addr = (unsigned long)mmbox_phys_to_virt(box, (phys_addr_t)nr << box->memmap.section_shift);
	return mmbox_region_return_part(&box->region, &box->host,
					addr - (unsigned long)box->region.addr,
					box->cfg.section_size);
}

static int remove_section(struct mmbox *box, unsigned long nr)
{
	int err;

	if (mmbox_section_state(box, nr) == MMBOX_SECTION_ABSENT)
		return -ENXIO;
	if (mmbox_section_state(box, nr) != MMBOX_SECTION_OFFLINE) {
		pr_info_ratelimited("%s: section %lu stays: it is online\n", box->name, nr);
		return -EBUSY;
	}
	set_section_flag(box, nr, MMBOX_SECTION_HAS_MEM_MAP, false);
	err = return_section(box, nr);
	if (err) {
		set_section_flag(box, nr, MMBOX_SECTION_HAS_MEM_MAP, true);
		pr_err_ratelimited("%s: section %lu stays: %s\n", box->name, nr,
				   err == -EOPNOTSUPP ?
				   "region=vmalloc can be returned to the host only as a whole" :
				   "the host has no memory to record its removal");
		return err;
	}
	set_section_flag(box, nr, MMBOX_SECTION_IS_EARLY, false);
	mmbox_physmap_del(box, nr);
	box->observer->section_removed(box, nr);
	return 0;
}

/**
 * mmbox_memory_remove() - return the memory of a section to the host
 * @box: the box; it may be in use
 * @phys: start of the section, box physical address
 *
 * The section becomes a hole. Its descriptors stay.
 *
 * Context: process, may sleep.
 * Return: 0; -EBUSY if it is online; -ENXIO if it has no memory; -EINVAL if no bank has a
 * section there; -EOPNOTSUPP if parts of the region cannot be returned, and in models
 * without sections; -ENOMEM.
 */
int mmbox_memory_remove(struct mmbox *box, phys_addr_t phys)
{
	int err;

	mutex_lock(&box->pages.memory_lock);
	err = check_address(box, phys) ?: remove_section(box, section_at(box, phys));
	mutex_unlock(&box->pages.memory_lock);
	return err;
}
MMBOX_EXPORT_INTERNAL(mmbox_memory_remove);

/**
 * mmbox_memory_hotplug_exit() - return all memory that was added after the boot
 * @box: the box; it has no users left
 *
 * Context: process, may sleep.
 */
void mmbox_memory_hotplug_exit(struct mmbox *box)
{
	struct mmbox_hot_section *hot, *next;

	list_for_each_entry_safe(hot, next, &box->pages.hot_sections, list)
		free_hot(box, hot);
	INIT_LIST_HEAD(&box->pages.hot_sections);
}
