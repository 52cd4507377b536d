// SPDX-License-Identifier: GPL-2.0
/*
 * SPARSEMEM_STATIC: one array of mem_sections for the whole physical address space.
 *
 *	pfn -> sections[pfn / pages a section] -> section_mem_map + pfn
 *
 * The lookup takes one step. The array has an entry for every section of the span,
 * present or not.
 */
#include "memmap/memmap.h"

static int static_alloc(struct mmbox *box)
{
	unsigned long size = box->memmap.nr_sections * sizeof(struct mmbox_mem_section);

	box->memmap.sparse.sections = mmbox_boot_alloc(box, size, SMP_CACHE_BYTES, 0,
						       "mem_section");
	if (!box->memmap.sparse.sections)
		return -ENOMEM;
	memset(box->memmap.sparse.sections, 0, size);
	box->memmap.sparse.section_bytes = size;
	mmbox_boot_note(box, MMBOX_BOOT_SECTIONS, NUMA_NO_NODE, 0, box->memmap.nr_sections, size);
	return 0;
}

const struct mmbox_memmap_model mmbox_sparse_static_model = {
	.init = mmbox_sparse_init,
	.alloc_sections = static_alloc,
	.pfn_valid = mmbox_sparse_pfn_valid,
	.page_valid = mmbox_sparse_page_valid,
	.usage = mmbox_sparse_usage,
};
