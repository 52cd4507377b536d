// SPDX-License-Identifier: GPL-2.0
/*
 * The files of a box that have no counterpart in /proc. Most consist of lines
 * `key: value`.
 */
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/pfn.h>
#include <linux/seq_file.h>

#include "faces/faces.h"
#include "pages/buddy.h"
#include "faces/debugfs.h"

static void region_show(struct seq_file *m, struct mmbox *box,
			unsigned long id)
{
	const struct mmbox_region *region = &box->region;
	unsigned long addr = (unsigned long)region->addr;
	phys_addr_t phys = PFN_PHYS(region->host_pfn);

	seq_printf(m, "type: %s\n", mmbox_region_names[region->type]);
	seq_printf(m, "size: %zu\n", region->size);
	if (mmbox_addresses_hidden())
		seq_puts(m, "host_address: hidden\n");
	else
		seq_printf(m, "host_address: 0x%lx-0x%lx\n", addr,
			   addr + region->size - 1);
	if (region->type != MMBOX_REGION_VMALLOC && mmbox_addresses_hidden())
		seq_puts(m, "host_physical: hidden\n");
	else if (region->type != MMBOX_REGION_VMALLOC)
		seq_printf(m, "host_physical: 0x%llx-0x%llx\n",
			   (unsigned long long)phys,
			   (unsigned long long)phys + region->size - 1);
	seq_printf(m, "host_pages: %lu\n", region->nr_taken - region->nr_returned);
	seq_printf(m, "region_ns: %llu\n", region->ns);
	seq_printf(m, "boot_ns: %llu\n", box->boot_ns);
	seq_printf(m, "host_bytes: %ld\n", atomic_long_read(&box->host.bytes));
	seq_printf(m, "host_requests: %ld\n",
		   atomic_long_read(&box->host.nr_requests));
}

/* buddy=bitmap: the pairs of buddies of an order of which exactly one is free. */
static void pairs_show(struct seq_file *m, const struct mmbox_zone *zone, unsigned int order)
{
	unsigned long start_pfn, pairs;
	const unsigned long *map = mmbox_bitmap_pairs(zone, order, &start_pfn, &pairs);

	if (!map)
		return;
	/* Not under zone->lock: the map may be long, and this is a snapshot. */
	seq_printf(m, ", map from pfn %lu, %lu pairs: ", start_pfn, pairs);
	if (bitmap_empty(map, pairs))
		seq_puts(m, "none");
	else
		seq_printf(m, "%*pbl", (int)pairs, map);
}

/* memory_lock is held, so the zones' maps are not replaced meanwhile. */
static void free_area_show(struct seq_file *m, struct mmbox *box,
			   unsigned long id)
{
	struct mmbox_zone *zone;
	unsigned int order;

	mmbox_for_each_zone(box, zone) {
		if (!mmbox_populated_zone(zone))
			continue;
		for (order = 0; order < box->pages.max_order; order++) {
			seq_printf(m, "Node %d, zone %8s, order %2u: nr_free %lu",
				   zone->zone_pgdat->node_id, zone->name, order,
				   mmbox_nr_free_blocks(zone, order));
			pairs_show(m, zone, order);
			seq_putc(m, '\n');
		}
	}
}

static void errors_show(struct seq_file *m, struct mmbox *box,
			unsigned long id)
{
	int why;

	for (why = 0; why < MMBOX_NR_BAD; why++)
		seq_printf(m, "%s: %ld\n", mmbox_bad_names[why],
			   atomic_long_read(&box->faces.bad[why]));
}

static void checksum_show(struct seq_file *m, struct mmbox *box,
			  unsigned long id)
{
	seq_printf(m, "%08x\n", mmbox_checksum(box));
}

const struct mmbox_face mmbox_box_faces[] = {
	{ .name = "region", .show = region_show },
	{ .name = "free_area", .lock = MMBOX_FACE_MEMORY_LOCK, .show = free_area_show },
	{ .name = "errors", .show = errors_show },
	{ .name = "checksum", .show = checksum_show },
	{}
};
