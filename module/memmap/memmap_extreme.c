// SPDX-License-Identifier: GPL-2.0
/*
 * SPARSEMEM_EXTREME: mem_sections in two levels. The second is allocated on demand.
 *
 *	pfn -> roots[nr / 256] -> [nr % 256] -> section_mem_map + pfn
 *
 * A root is a page of 256 mem_sections, allocated if at least one of them is
 * present. The first level takes eight bytes for each 256 sections of the span.
 */
#include "memmap/memmap.h"

/**
 * mmbox_sparse_extreme_alloc() - allocate the first level
 * @box: the box; memblock is in charge
 *
 * Context: while the box boots.
 * Return: 0 or -ENOMEM.
 */
int mmbox_sparse_extreme_alloc(struct mmbox *box)
{
	unsigned long nr = DIV_ROUND_UP(box->memmap.nr_sections, MMBOX_SECTIONS_PER_ROOT);
	unsigned long size = nr * sizeof(*box->memmap.sparse.roots);

	box->memmap.sparse.roots = mmbox_boot_alloc(box, size, SMP_CACHE_BYTES, 0,
						    "mem_section");
	if (!box->memmap.sparse.roots)
		return -ENOMEM;
	memset(box->memmap.sparse.roots, 0, size);
	box->memmap.sparse.section_bytes = size;
	mmbox_boot_note(box, MMBOX_BOOT_SECTIONS, NUMA_NO_NODE, 0, nr, size);
	return 0;
}

/**
 * mmbox_sparse_index_init() - allocate the root of a section, unless it exists
 * @box: the box; memblock is in charge
 * @nr: number of the section
 * @nid: node of the section
 *
 * Context: while the box boots.
 * Return: 0 or -ENOMEM.
 */
int mmbox_sparse_index_init(struct mmbox *box, unsigned long nr, int nid)
{
	unsigned long root = nr / MMBOX_SECTIONS_PER_ROOT;
	struct mmbox_mem_section *sections;

	if (box->memmap.sparse.roots[root])
		return 0;
	sections = mmbox_boot_alloc(box, PAGE_SIZE, PAGE_SIZE, nid, "mem_section");
	if (!sections)
		return -ENOMEM;
	memset(sections, 0, PAGE_SIZE);
	box->memmap.sparse.roots[root] = sections;
	box->memmap.sparse.section_bytes += PAGE_SIZE;
	return 0;
}

const struct mmbox_memmap_model mmbox_sparse_extreme_model = {
	.init = mmbox_sparse_init,
	.alloc_sections = mmbox_sparse_extreme_alloc,
	.index_init = mmbox_sparse_index_init,
	.pfn_valid = mmbox_sparse_pfn_valid,
	.page_valid = mmbox_sparse_page_valid,
	.usage = mmbox_sparse_usage,
};
