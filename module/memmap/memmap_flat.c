// SPDX-License-Identifier: GPL-2.0
/*
 * FLATMEM: one array of descriptors from page frame 0 to the last.
 *
 *	pfn  0 ....... 8K ------- 16K ....... 24K
 *	map  [#########|          |###########]
 *
 * This has the simplest arithmetic. Holes have descriptors too, and they take as
 * much memory as those of pages.
 */
#include "memmap/memmap.h"

static int flat_init(struct mmbox *box)
{
	unsigned long size = box->memmap.max_pfn * sizeof(struct mmbox_page);
	struct mmbox_page *map;
	int nid;

	map = mmbox_boot_alloc(box, PAGE_ALIGN(size), PAGE_SIZE, 0, "mem_map");
	if (!map)
		return -ENOMEM;
	/* Descriptors of pages are initialised again with their zone; those of holes stay. */
	mmbox_init_reserved(map, box->memmap.max_pfn, 0, 0);
	box->memmap.map = map;
	box->memmap.map_size = size;
	mmbox_for_each_online_node(box, nid) {
		unsigned long start, end;

		mmbox_get_pfn_range_for_nid(box, nid, &start, &end);
		box->node[nid]->node_mem_map = map + start;
	}
	mmbox_boot_note(box, MMBOX_BOOT_NODE_MEM_MAP, NUMA_NO_NODE, 0, box->memmap.max_pfn, size);
	return 0;
}

static bool flat_pfn_valid(const struct mmbox *box, unsigned long pfn)
{
	return mmbox_physmap_section_there(box, pfn >> box->memmap.pfn_section_shift);
}

static bool flat_page_valid(const struct mmbox *box, const struct mmbox_page *page)
{
	unsigned long offset = (unsigned long)page - (unsigned long)box->memmap.map;

	return offset < box->memmap.map_size && !(offset % sizeof(*page)) &&
	       flat_pfn_valid(box, offset / sizeof(*page));
}

static void flat_usage(const struct mmbox *box, struct mmbox_memmap_usage *usage)
{
	unsigned long pages = mmbox_memblock_pages(&box->memblock, NUMA_NO_NODE, 0,
						   box->memmap.max_pfn);

	usage->descriptors = box->memmap.map_size;
	usage->holes = (box->memmap.max_pfn - pages) * sizeof(struct mmbox_page);
}

const struct mmbox_memmap_model mmbox_flat_model = {
	.init = flat_init,
	.pfn_valid = flat_pfn_valid,
	.page_valid = flat_page_valid,
	.usage = flat_usage,
};
