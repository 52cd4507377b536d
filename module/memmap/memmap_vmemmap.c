// SPDX-License-Identifier: GPL-2.0
/*
 * SPARSEMEM_VMEMMAP: the maps of all sections, virtually contiguous.
 *
 *	virtual   [ map 0 | map 1 |  dummy  | map 4 | ... ]	vmemmap + pfn
 *	              |       |    | | | |      |
 *	box memory [ map 0 | map 1 | map 4 ][page of holes]
 *
 * memblock places the maps wherever it finds room. Their pages are then mapped
 * virtually in the order of page frames, so that the arithmetic is FLATMEM's. A
 * hole takes virtual addresses only: they all map one shared page, whose
 * descriptors are reserved. If the maps are contiguous already, as in a box of
 * one bank, they are used in place.
 *
 * The mem_sections are kept in two levels, as in the kernel.
 */
#include <linux/mm.h>

#include "memmap/memmap.h"

/* The map of a section as memblock placed it, or NULL. */
static struct mmbox_page *section_map(const struct mmbox *box, unsigned long nr)
{
	const struct mmbox_mem_section *ms = mmbox_nr_to_section(box, nr);

	/* By now every present section has a map. */
	if (!mmbox_present_section(ms))
		return NULL;
	return mmbox_section_mem_map_addr(ms) + (nr << box->memmap.pfn_section_shift);
}

/* Are there maps of all sections, contiguous as they are? */
static bool side_by_side(const struct mmbox *box)
{
	void *first = section_map(box, 0);
	unsigned long nr;

	for (nr = 0; nr < box->memmap.nr_sections; nr++) {
		void *map = section_map(box, nr);

		if (!map || map != first + nr * mmbox_section_map_size(box))
			return false;
	}
	return true;
}

/* Allocate the page of descriptors that all holes share. */
static void *hole_page(struct mmbox *box)
{
	struct mmbox_page *map;

	map = mmbox_boot_alloc(box, PAGE_SIZE, PAGE_SIZE, 0, "vmemmap of holes");
	if (!map)
		return NULL;
	mmbox_init_reserved(map, PAGE_SIZE / sizeof(*map), 0, 0);
	box->memmap.sparse.map_bytes += PAGE_SIZE;
	box->memmap.sparse.hole_bytes += PAGE_SIZE;
	return map;
}

static int fill_pages(struct mmbox *box, void **pages)
{
	unsigned long per_map = mmbox_section_map_size(box) / PAGE_SIZE, nr, i;
	void *hole = NULL;

	for (nr = 0; nr < box->memmap.nr_sections; nr++) {
		void *map = section_map(box, nr);

		if (!map && !hole)
			hole = hole_page(box);
		if (!map && !hole)
			return -ENOMEM;
		for (i = 0; i < per_map; i++)
			*pages++ = map ? map + i * PAGE_SIZE : hole;
	}
	return 0;
}

static int map_virtually(struct mmbox *box)
{
	unsigned long nr = box->memmap.nr_sections * mmbox_section_map_size(box) / PAGE_SIZE;
	void **pages;
	int err;

	pages = mmbox_host_zalloc(&box->host, nr * sizeof(*pages), "pages of the vmemmap");
	if (!pages)
		return -ENOMEM;
	err = fill_pages(box, pages);
	if (!err) {
		box->memmap.map = mmbox_host_map_pages(&box->host, pages, nr, "the vmemmap");
		box->memmap.sparse.vmapped = box->memmap.map;
		box->memmap.sparse.address_bytes = nr * PAGE_SIZE;
		err = box->memmap.map ? 0 : -ENOMEM;
	}
	mmbox_host_free(&box->host, pages, nr * sizeof(*pages));
	return err;
}

/* Make the maps of all sections virtually contiguous. */
static int populate_vmemmap(struct mmbox *box)
{
	unsigned long nr;
	int err;

	if (side_by_side(box)) {
		box->memmap.map = section_map(box, 0);
	} else {
		err = map_virtually(box);
		if (err)
			return err;
		for (nr = 0; nr < box->memmap.nr_sections; nr++)
			if (section_map(box, nr))
				mmbox_sparse_set_map(box, nr, box->memmap.map +
						     (nr << box->memmap.pfn_section_shift));
	}
	box->memmap.map_size = box->memmap.max_pfn * sizeof(struct mmbox_page);
	mmbox_boot_note(box, MMBOX_BOOT_VMEMMAP, NUMA_NO_NODE, 0, box->memmap.max_pfn,
			box->memmap.sparse.address_bytes);
	return 0;
}

static void vmemmap_exit(struct mmbox *box)
{
	if (box->memmap.sparse.vmapped)
		mmbox_host_unmap_pages(box->memmap.map);
	box->memmap.sparse.vmapped = false;
	box->memmap.map = NULL;
}

static bool vmemmap_page_valid(const struct mmbox *box, const struct mmbox_page *page)
{
	unsigned long offset = (unsigned long)page - (unsigned long)box->memmap.map;

	return offset < box->memmap.map_size && !(offset % sizeof(*page)) &&
	       mmbox_sparse_pfn_valid(box, offset / sizeof(*page));
}

const struct mmbox_memmap_model mmbox_sparse_vmemmap_model = {
	.init = mmbox_sparse_init,
	.alloc_sections = mmbox_sparse_extreme_alloc,
	.index_init = mmbox_sparse_index_init,
	.populate = populate_vmemmap,
	.exit = vmemmap_exit,
	.pfn_valid = mmbox_sparse_pfn_valid,
	.page_valid = vmemmap_page_valid,
	.usage = mmbox_sparse_usage,
};
