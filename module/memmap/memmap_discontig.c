// SPDX-License-Identifier: GPL-2.0
/*
 * DISCONTIGMEM: one array of descriptors for each node, from its first page to its last.
 *
 *	pfn -> node of its section -> node_mem_map[pfn - node_start_pfn]
 *
 * A hole between nodes costs one byte for each section, in discontig_nid[]. A hole
 * inside a node has descriptors, as in FLATMEM.
 */
#include "memmap/memmap.h"

#define NO_NODE		U8_MAX

static int take_nid_table(struct mmbox *box)
{
	const struct mmbox_memblock_type *memory = &box->memblock.memory;
	unsigned int i;

	box->memmap.discontig_nid = mmbox_boot_alloc(box, box->memmap.nr_sections,
						     SMP_CACHE_BYTES, 0, "node_map");
	if (!box->memmap.discontig_nid)
		return -ENOMEM;
	memset(box->memmap.discontig_nid, NO_NODE, box->memmap.nr_sections);
	for (i = 0; i < memory->cnt; i++) {
		const struct mmbox_memblock_region *bank = &memory->regions[i];
		unsigned long nr = bank->base >> box->memmap.section_shift;
		unsigned long last = (bank->base + bank->size - 1) >> box->memmap.section_shift;

		for (; nr <= last; nr++)
			box->memmap.discontig_nid[nr] = bank->nid;
	}
	return 0;
}

static int discontig_init(struct mmbox *box)
{
	int nid, err;

	err = take_nid_table(box);
	if (err)
		return err;
	mmbox_for_each_online_node(box, nid) {
		mmbox_pg_data_t *pgdat = box->node[nid];
		unsigned long start, end, size;
		struct mmbox_page *map;

		mmbox_get_pfn_range_for_nid(box, nid, &start, &end);
		if (start == end)
			continue;
		size = (end - start) * sizeof(*map);
		map = mmbox_boot_alloc(box, PAGE_ALIGN(size), PAGE_SIZE, nid,
				       "node_mem_map");
		if (!map)
			return -ENOMEM;
		mmbox_init_reserved(map, end - start, nid, 0);
		pgdat->node_start_pfn = start;
		pgdat->node_spanned_pages = end - start;
		pgdat->node_mem_map = map;
		mmbox_boot_note(box, MMBOX_BOOT_NODE_MEM_MAP, nid, start, end, size);
	}
	return 0;
}

static bool discontig_pfn_valid(const struct mmbox *box, unsigned long pfn)
{
	return box->memmap.discontig_nid[pfn >> box->memmap.pfn_section_shift] != NO_NODE;
}

static bool discontig_page_valid(const struct mmbox *box, const struct mmbox_page *page)
{
	int nid;

	mmbox_for_each_online_node(box, nid) {
		const mmbox_pg_data_t *pgdat = box->node[nid];
		unsigned long offset = (unsigned long)page -
				       (unsigned long)pgdat->node_mem_map;
		unsigned long pfn = pgdat->node_start_pfn + offset / sizeof(*page);

		if (offset >= pgdat->node_spanned_pages * sizeof(*page))
			continue;
		return !(offset % sizeof(*page)) &&
		       box->memmap.discontig_nid[pfn >> box->memmap.pfn_section_shift] == nid;
	}
	return false;
}

static void discontig_usage(const struct mmbox *box, struct mmbox_memmap_usage *usage)
{
	int nid;

	mmbox_for_each_online_node(box, nid) {
		const mmbox_pg_data_t *pgdat = box->node[nid];

		usage->descriptors += pgdat->node_spanned_pages * sizeof(struct mmbox_page);
		usage->holes += (pgdat->node_spanned_pages - pgdat->node_present_pages) *
				sizeof(struct mmbox_page);
	}
	usage->tables = box->memmap.nr_sections;
}

const struct mmbox_memmap_model mmbox_discontig_model = {
	.init = discontig_init,
	.pfn_valid = discontig_pfn_valid,
	.page_valid = discontig_page_valid,
	.usage = discontig_usage,
};
