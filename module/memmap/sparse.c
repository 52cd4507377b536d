// SPDX-License-Identifier: GPL-2.0
/*
 * SPARSEMEM: physical memory in sections, each with its own map.
 *
 *	memblocks_present      mark sections present, and note their node
 *	sparse_init            for each run of sections of one node:
 *	  sparse_init_nid        allocate the usemaps of the run; then
 *				 for each section:
 *	    populate_section_memmap  get its descriptors, from sparse_buffer
 *	    sparse_init_one_section  note both in its mem_section
 *
 * This follows mm/sparse.c. If there is no boot memory for the map of a section,
 * it and the sections after it in the run become not present, and the box does
 * without their memory.
 *
 * section_mem_map is the address of the map less the section's first page frame
 * number, so that any pfn of the section can index it. Its low bits are flags.
 * A 32-byte descriptor has no room for its section's number. Finding the section
 * of a descriptor therefore takes a table over the region, map_section[]. The
 * model sparse-vmemmap does not need it.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/printk.h>
#include <linux/string.h>

#include "memmap/memmap.h"

/**
 * mmbox_section_map_size() - size of a section's map
 * @box: the box
 *
 * Context: any.
 * Return: bytes, a multiple of the page size.
 */
unsigned long mmbox_section_map_size(const struct mmbox *box)
{
	return sizeof(struct mmbox_page) << box->memmap.pfn_section_shift;
}

/**
 * mmbox_section_usage_size() - size of a struct mmbox_mem_section_usage
 * @box: the box
 *
 * Context: any.
 * Return: bytes: one for each pageblock.
 */
unsigned long mmbox_section_usage_size(const struct mmbox *box)
{
	return 1UL << (box->memmap.pfn_section_shift - box->pages.pageblock_shift);
}
MMBOX_EXPORT_INTERNAL(mmbox_section_usage_size);

/**
 * mmbox_nr_to_section() - find a section by its number
 * @box: the box, of a sparse model
 * @nr: number below nr_sections
 *
 * Context: any.
 * Return: the section, or NULL if its root was not allocated.
 */
struct mmbox_mem_section *mmbox_nr_to_section(const struct mmbox *box, unsigned long nr)
{
	struct mmbox_mem_section *root;

	if (box->memmap.sparse.sections)
		return &box->memmap.sparse.sections[nr];
	root = box->memmap.sparse.roots[nr / MMBOX_SECTIONS_PER_ROOT];
	return root ? &root[nr % MMBOX_SECTIONS_PER_ROOT] : NULL;
}
MMBOX_EXPORT_INTERNAL(mmbox_nr_to_section);

/* ---- present sections ---- */

static unsigned long mmbox_next_present_section_nr(const struct mmbox *box, unsigned long nr)
{
	while (++nr < box->memmap.nr_sections)
		if (mmbox_present_section(mmbox_nr_to_section(box, nr)))
			break;
	return nr;
}

static unsigned long mmbox_first_present_section_nr(const struct mmbox *box)
{
	return mmbox_next_present_section_nr(box, -1UL);
}

static unsigned long mmbox_sparse_encode_early_nid(int nid)
{
	return (unsigned long)nid << MMBOX_SECTION_NID_SHIFT;
}

static int mmbox_sparse_early_nid(const struct mmbox_mem_section *ms)
{
	return ms->section_mem_map >> MMBOX_SECTION_NID_SHIFT;
}

static int mmbox_memory_present(struct mmbox *box, int nid, phys_addr_t start,
				phys_addr_t end, unsigned long flags)
{
	unsigned long nr = start >> box->memmap.section_shift;
	unsigned long last = (end - 1) >> box->memmap.section_shift;

	for (; nr <= last; nr++) {
		struct mmbox_mem_section *ms;

		if (box->memmap.model->index_init && box->memmap.model->index_init(box, nr, nid))
			return -ENOMEM;
		ms = mmbox_nr_to_section(box, nr);
		if (!ms->section_mem_map)
			ms->section_mem_map = mmbox_sparse_encode_early_nid(nid) | flags |
					      MMBOX_SECTION_MARKED_PRESENT;
	}
	return 0;
}

/* Mark the sections of all banks present. Those of hot banks start offline. */
static int mmbox_memblocks_present(struct mmbox *box)
{
	const struct mmbox_memblock_type *memory = &box->memblock.memory;
	unsigned int i;
	int err;

	err = box->memmap.model->alloc_sections(box);
	for (i = 0; i < memory->cnt && !err; i++) {
		const struct mmbox_memblock_region *bank = &memory->regions[i];

		err = mmbox_memory_present(box, bank->nid, bank->base, bank->base + bank->size,
					   MMBOX_SECTION_IS_ONLINE);
		mmbox_boot_note(box, MMBOX_BOOT_MEMBLOCKS_PRESENT, bank->nid,
				bank->base >> box->memmap.section_shift,
				DIV_ROUND_UP(bank->base + bank->size,
					     1UL << box->memmap.section_shift), bank->size);
	}
	for (i = 0; i < box->cfg.nr_banks && !err; i++) {
		const struct mmbox_bank *bank = &box->cfg.banks[i];

		if (!bank->hot)
			continue;
		err = mmbox_memory_present(box, bank->nid, bank->base, bank->base + bank->size,
					   0);
		mmbox_boot_note(box, MMBOX_BOOT_MEMBLOCKS_PRESENT, bank->nid,
				bank->base >> box->memmap.section_shift,
				(bank->base + bank->size) >> box->memmap.section_shift, 0);
	}
	return err;
}

/* ---- the maps ---- */

/* Try to allocate the maps of @count sections at once; else each is allocated alone. */
static void mmbox_sparse_buffer_init(struct mmbox *box, unsigned long count, int nid)
{
	unsigned long size = count * mmbox_section_map_size(box);
	phys_addr_t phys = MMBOX_MEMBLOCK_NONE;

	if (!mmbox_memblock_should_fail(&box->memblock))
		phys = mmbox_memblock_phys_alloc(&box->memblock, size,
						 mmbox_section_map_size(box), nid,
						 "mem_map");
	if (phys == MMBOX_MEMBLOCK_NONE)
		size = 0;
	box->memmap.sparse.buf = size ? phys : 0;
	box->memmap.sparse.buf_end = box->memmap.sparse.buf + size;
	mmbox_boot_note(box, MMBOX_BOOT_BUFFER_INIT, nid, box->memmap.sparse.buf,
			box->memmap.sparse.buf_end, size);
}

static void mmbox_sparse_buffer_fini(struct mmbox *box, int nid)
{
	unsigned long left = box->memmap.sparse.buf_end - box->memmap.sparse.buf;

	if (left)
		mmbox_memblock_free(&box->memblock, box->memmap.sparse.buf, left);
	mmbox_boot_note(box, MMBOX_BOOT_BUFFER_FINI, nid, box->memmap.sparse.buf,
			box->memmap.sparse.buf_end, left);
	box->memmap.sparse.buf = box->memmap.sparse.buf_end;
}

static struct mmbox_page *mmbox_populate_section_memmap(struct mmbox *box,
							unsigned long nr, int nid)
{
	unsigned long size = mmbox_section_map_size(box);
	struct mmbox_page *map;

	if (box->memmap.sparse.buf_end - box->memmap.sparse.buf >= size) {
		map = mmbox_phys_to_virt(box, box->memmap.sparse.buf);
		box->memmap.sparse.buf += size;
	} else {
		map = mmbox_boot_alloc(box, size, size, nid, "mem_map");
		if (!map)
			return NULL;
	}
	mmbox_init_reserved(map, 1UL << box->memmap.pfn_section_shift, nid, 0);
	box->memmap.sparse.map_bytes += size;
	mmbox_boot_note(box, MMBOX_BOOT_POPULATE, nid, nr, nr + 1, size);
	return map;
}

/**
 * mmbox_sparse_set_map() - set the map of a section
 * @box: the box
 * @nr: number of the section
 * @map: descriptor of its first page
 *
 * Context: process; memory_lock held.
 */
void mmbox_sparse_set_map(struct mmbox *box, unsigned long nr, struct mmbox_page *map)
{
	struct mmbox_mem_section *ms = mmbox_nr_to_section(box, nr);
	unsigned long bits = ms->section_mem_map & ~MMBOX_SECTION_MAP_MASK;

	lockdep_assert_held(&box->pages.memory_lock);
	/* A section whose memory is yet to be added has a map, but it is not valid. */
	if (mmbox_physmap_section_there(box, nr))
		bits |= MMBOX_SECTION_HAS_MEM_MAP;
	map -= nr << box->memmap.pfn_section_shift;
	WRITE_ONCE(ms->section_mem_map, (unsigned long)map | bits);
}

static void mmbox_sparse_init_one_section(struct mmbox *box, unsigned long nr,
					  struct mmbox_page *map,
					  struct mmbox_mem_section_usage *usage, int nid)
{
	struct mmbox_mem_section *ms = mmbox_nr_to_section(box, nr);
	unsigned long offset = (unsigned long)map - (unsigned long)box->region.addr;

	ms->usage = usage;
	if (mmbox_physmap_section_there(box, nr))
		ms->section_mem_map |= MMBOX_SECTION_IS_EARLY;
	mmbox_sparse_set_map(box, nr, map);
	if (box->memmap.sparse.map_section)
		box->memmap.sparse.map_section[offset >> box->memmap.sparse.map_shift] = nr + 1;
	mmbox_boot_note(box, MMBOX_BOOT_INIT_ONE, nid, nr, nr + 1, 0);
}

/* Make the present sections in [@begin, @end) of a node absent, for want of a map. */
static void drop_sections(struct mmbox *box, int nid, unsigned long begin,
			  unsigned long end)
{
	unsigned long nr, dropped = 0;

	for (nr = begin; nr < end; nr = mmbox_next_present_section_nr(box, nr)) {
		/* A hot bank's section without a map: memory can no longer be added to it. */
		if (!mmbox_physmap_section_there(box, nr)) {
			mmbox_nr_to_section(box, nr)->section_mem_map = 0;
			continue;
		}
		mmbox_memblock_remove(&box->memblock, (phys_addr_t)nr << box->memmap.section_shift,
				      1UL << box->memmap.section_shift);
		mmbox_nr_to_section(box, nr)->section_mem_map = 0;
		dropped++;
	}
	box->memmap.sparse.nr_missing += dropped;
	mmbox_boot_note(box, MMBOX_BOOT_FAILED, nid, begin, end,
			(u64)dropped << box->memmap.section_shift);
	pr_err("%s: node %d: sections %lu to %lu are not available, %lu KiB\n", box->name, nid,
	       begin, end - 1, dropped << (box->memmap.section_shift - 10));
}

/* Initialise one run of a node's sections: @count present ones in [@begin, @end). */
static void mmbox_sparse_init_nid(struct mmbox *box, int nid, unsigned long begin,
				  unsigned long end, unsigned long count)
{
	unsigned long size = count * mmbox_section_usage_size(box), nr;
	void *usage;

	mmbox_boot_note(box, MMBOX_BOOT_INIT_NID, nid, begin, end,
			(u64)count << box->memmap.section_shift);
	usage = mmbox_boot_alloc(box, size, SMP_CACHE_BYTES, nid, "usemap");
	if (!usage) {
		pr_err("%s: node[%d] usemap allocation failed\n", box->name, nid);
		drop_sections(box, nid, begin, end);
		return;
	}
	memset(usage, 0, size);
	box->memmap.sparse.usemap_bytes += size;
	mmbox_boot_note(box, MMBOX_BOOT_USEMAPS, nid, begin, end, size);

	mmbox_sparse_buffer_init(box, count, nid);
	for (nr = begin; nr < end; nr = mmbox_next_present_section_nr(box, nr)) {
		struct mmbox_page *map = mmbox_populate_section_memmap(box, nr, nid);

		if (!map) {
			pr_err("%s: node[%d] memory map backing failed. Some memory will not be available.\n",
			       box->name, nid);
			break;
		}
		mmbox_sparse_init_one_section(box, nr, map, usage, nid);
		usage += mmbox_section_usage_size(box);
	}
	mmbox_sparse_buffer_fini(box, nid);
	if (nr < end)
		drop_sections(box, nid, nr, end);
}

static int take_map_section(struct mmbox *box)
{
	unsigned long nr, size;

	box->memmap.sparse.map_shift = box->memmap.pfn_section_shift +
				       ilog2(sizeof(struct mmbox_page));
	if (box->cfg.model == MMBOX_SPARSE_VMEMMAP)
		return 0;
	nr = DIV_ROUND_UP(box->region.size, mmbox_section_map_size(box));
	size = nr * sizeof(*box->memmap.sparse.map_section);
	box->memmap.sparse.map_section = mmbox_boot_alloc(box, size, SMP_CACHE_BYTES, 0,
							  "map_section");
	if (!box->memmap.sparse.map_section)
		return -ENOMEM;
	memset(box->memmap.sparse.map_section, 0, size);
	box->memmap.sparse.table_bytes = size;
	return 0;
}

/**
 * mmbox_sparse_init() - find all sections and allocate their maps
 * @box: the box; its banks are in memblock
 *
 * Context: while the box boots.
 * Return: 0, or -ENOMEM. If only some maps can be allocated, this returns 0 and the
 * box has less memory than it was asked to have.
 */
int mmbox_sparse_init(struct mmbox *box)
{
	unsigned long nr_begin, nr_end, map_count = 1;
	int nid_begin, err;

	err = take_map_section(box) ?: mmbox_memblocks_present(box);
	if (err)
		return err;
	nr_begin = mmbox_first_present_section_nr(box);
	nid_begin = mmbox_sparse_early_nid(mmbox_nr_to_section(box, nr_begin));
	mmbox_boot_note(box, MMBOX_BOOT_FIRST_PRESENT, nid_begin, nr_begin, nr_begin + 1, 0);

	for (nr_end = mmbox_next_present_section_nr(box, nr_begin);
	     nr_end < box->memmap.nr_sections;
	     nr_end = mmbox_next_present_section_nr(box, nr_end)) {
		int nid = mmbox_sparse_early_nid(mmbox_nr_to_section(box, nr_end));

		if (nid == nid_begin) {
			map_count++;
			continue;
		}
		mmbox_sparse_init_nid(box, nid_begin, nr_begin, nr_end, map_count);
		nid_begin = nid;
		nr_begin = nr_end;
		map_count = 1;
	}
	/* Cover the last node. */
	mmbox_sparse_init_nid(box, nid_begin, nr_begin, nr_end, map_count);

	if (mmbox_first_present_section_nr(box) == box->memmap.nr_sections)
		return -ENOMEM;
	return box->memmap.model->populate ? box->memmap.model->populate(box) : 0;
}

/* ---- shared by all sparse models ---- */

/**
 * mmbox_sparse_pfn_valid() - check whether a page frame number has a page
 * @box: the box
 * @pfn: page frame number below max_pfn
 *
 * Context: any.
 * Return: true if its section has memory and a map.
 */
bool mmbox_sparse_pfn_valid(const struct mmbox *box, unsigned long pfn)
{
	return mmbox_valid_section(mmbox_nr_to_section(box, pfn >> box->memmap.pfn_section_shift));
}

/**
 * mmbox_sparse_page_valid() - check whether a pointer is a page descriptor of the box
 * @box: the box, of model sparse-static or sparse-extreme
 * @page: any pointer; it is not dereferenced
 *
 * Context: any.
 * Return: true if it is the descriptor of an existing page.
 */
bool mmbox_sparse_page_valid(const struct mmbox *box, const struct mmbox_page *page)
{
	unsigned long offset = (unsigned long)page - (unsigned long)box->region.addr;
	unsigned long nr;

	if (offset >= box->region.size || offset % sizeof(*page))
		return false;
	nr = mmbox_sparse_map_section(box, page);
	return nr < box->memmap.nr_sections &&
	       mmbox_valid_section(mmbox_nr_to_section(box, nr)) &&
	       mmbox_memmap_page_to_pfn(box, page) < box->memmap.max_pfn;
}

/**
 * mmbox_sparse_usage() - how much memory a sparse model uses
 * @box: the box
 * @usage: out: bytes, by purpose; zeroed by the caller
 *
 * Context: any.
 */
void mmbox_sparse_usage(const struct mmbox *box, struct mmbox_memmap_usage *usage)
{
	unsigned long nr;

	usage->descriptors = box->memmap.sparse.map_bytes;
	usage->holes = box->memmap.sparse.hole_bytes;
	/* Maps of sections whose memory was removed or is yet to be added. */
	for (nr = 0; nr < box->memmap.nr_sections; nr++) {
		const struct mmbox_mem_section *ms = mmbox_nr_to_section(box, nr);

		if (mmbox_present_section(ms) && !mmbox_valid_section(ms))
			usage->holes += mmbox_section_map_size(box);
	}
	usage->sections = box->memmap.sparse.section_bytes;
	usage->tables = box->memmap.sparse.table_bytes;
	usage->usemaps = box->memmap.sparse.usemap_bytes;
	usage->addresses = box->memmap.sparse.address_bytes;
}
