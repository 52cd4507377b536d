// SPDX-License-Identifier: GPL-2.0
/*
 * Converting between page frame number, page descriptor and kernel address.
 *
 * The box has its own physical address space, which starts at 0. Its page frame
 * numbers are not the host's. In a box without holes the physical address space
 * is one range of kernel addresses, and memmap.h only adds va_base. In a box with
 * holes each section has its own kernel address:
 *
 *	va[]		from section number to kernel address
 *	section[]	back, for sections of the region taken at load
 *	hot		back, for sections added later: an xarray, since
 *			they may lie anywhere
 *
 * The module itself uses the inline functions of memmap.h, which trust their
 * argument. Those exported at the end of this file check it, unless they are
 * given a descriptor.
 */

#include "memmap/memmap.h"

/*
 * Counts the boxes whose kernel addresses are not one range or whose descriptors are
 * not one array. While there are none, the fast paths make no test.
 */
DEFINE_STATIC_KEY_FALSE(mmbox_nonlinear_key);
MMBOX_EXPORT_INTERNAL(mmbox_nonlinear_key);

/* Counts the boxes whose descriptors are not one array. */
DEFINE_STATIC_KEY_FALSE(mmbox_scattered_key);
MMBOX_EXPORT_INTERNAL(mmbox_scattered_key);

/* Do the banks form one range from 0, with no hot bank behind it? */
static bool is_linear(const struct mmbox *box)
{
	const struct mmbox_memblock_type *memory = &box->memblock.memory;
	phys_addr_t end = 0;
	unsigned int i;

	for (i = 0; i < memory->cnt; i++) {
		if (memory->regions[i].base != end)
			return false;
		end += memory->regions[i].size;
	}
	return PHYS_PFN(end) == box->memmap.max_pfn;
}

static void place_banks(struct mmbox *box)
{
	const struct mmbox_memblock_type *memory = &box->memblock.memory;
	unsigned long addr = (unsigned long)box->region.addr, nr_region = 0;
	unsigned int i;

	for (i = 0; i < memory->cnt; i++) {
		const struct mmbox_memblock_region *bank = &memory->regions[i];
		unsigned long nr = bank->base >> box->memmap.section_shift;
		unsigned long end = nr + (bank->size >> box->memmap.section_shift);

		for (; nr < end; nr++) {
			box->physmap.va[nr] = addr;
			box->physmap.section[nr_region++] = nr + 1;
			addr += 1UL << box->memmap.section_shift;
		}
	}
}

/**
 * mmbox_physmap_init() - map the box's physical addresses to the region
 * @box: the box; its banks are in memblock
 *
 * On failure mmbox_physmap_exit() cleans up.
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int mmbox_physmap_init(struct mmbox *box)
{
	struct mmbox_physmap *physmap = &box->physmap;

	if (is_linear(box)) {
		box->physmap.va_base = (unsigned long)box->region.addr;
		box->physmap.va_size = box->region.size;
		return 0;
	}
	box->physmap.nonlinear = true;
	static_branch_inc(&mmbox_nonlinear_key);
	physmap->nr_region = box->region.size >> box->memmap.section_shift;
	physmap->va = mmbox_host_zalloc(&box->host, box->memmap.nr_sections * sizeof(*physmap->va),
					"addresses of sections");
	physmap->section = mmbox_host_zalloc(&box->host,
					     physmap->nr_region * sizeof(*physmap->section),
					     "sections of addresses");
	if (!physmap->va || !physmap->section)
		return -ENOMEM;
	place_banks(box);
	mmbox_boot_note(box, MMBOX_BOOT_PHYSMAP, NUMA_NO_NODE, 0, box->memmap.nr_sections,
			box->memmap.nr_sections * sizeof(*physmap->va) +
			physmap->nr_region * sizeof(*physmap->section));
	return 0;
}

/**
 * mmbox_physmap_exit() - undo mmbox_physmap_init(), even if it failed half-way
 * @box: the box
 *
 * Context: process, may sleep.
 */
void mmbox_physmap_exit(struct mmbox *box)
{
	struct mmbox_physmap *physmap = &box->physmap;

	mmbox_host_free(&box->host, physmap->va, box->memmap.nr_sections * sizeof(*physmap->va));
	mmbox_host_free(&box->host, physmap->section,
			physmap->nr_region * sizeof(*physmap->section));
	physmap->va = NULL;
	physmap->section = NULL;
	xa_destroy(&physmap->hot);
}

/* Number of the section at @addr, plus 1, or 0 if there is none. For boxes with holes. */
static unsigned long section_of(const struct mmbox *box, const void *addr)
{
	unsigned long offset = (unsigned long)addr - (unsigned long)box->region.addr, nr = 0;
	void *entry;

	if (offset < box->region.size)
		nr = READ_ONCE(box->physmap.section[offset >> box->memmap.section_shift]);
	if (nr)
		return nr;
	/* Memory removed from the region may have been added again as another section. */
	entry = xa_load((struct xarray *)&box->physmap.hot,
			(unsigned long)addr >> box->memmap.section_shift);
	return entry ? xa_to_value(entry) : 0;
}

/**
 * mmbox_physmap_virt_valid() - mmbox_virt_valid() for a box with holes
 * @box: the box
 * @addr: any kernel address
 *
 * Context: any.
 * Return: true if @addr is memory of a box with holes; false for any other box.
 */
bool mmbox_physmap_virt_valid(const struct mmbox *box, const void *addr)
{
	return !box->physmap.va_size && section_of(box, addr);
}
MMBOX_EXPORT_INTERNAL(mmbox_physmap_virt_valid);

/**
 * mmbox_physmap_virt_to_phys() - mmbox_virt_to_phys() for a box with holes
 * @box: the box
 * @addr: a kernel address in the box's memory
 *
 * Context: any.
 * Return: the physical address, or MMBOX_MEMBLOCK_NONE if there is none.
 */
phys_addr_t mmbox_physmap_virt_to_phys(const struct mmbox *box, const void *addr)
{
	unsigned long nr = section_of(box, addr) - 1;

	/* The section was removed after the caller checked: return an address beyond all pages. */
	if (unlikely(nr == -1UL))
		return MMBOX_MEMBLOCK_NONE;
	return ((phys_addr_t)nr << box->memmap.section_shift) +
	       ((unsigned long)addr - box->physmap.va[nr]);
}
MMBOX_EXPORT_INTERNAL(mmbox_physmap_virt_to_phys);

/**
 * mmbox_physmap_phys_to_virt() - mmbox_phys_to_virt() for a box with holes
 * @box: the box
 * @phys: box physical address of existing memory
 *
 * Context: any.
 * Return: the kernel address.
 */
void *mmbox_physmap_phys_to_virt(const struct mmbox *box, phys_addr_t phys)
{
	unsigned long offset = phys & ((1UL << box->memmap.section_shift) - 1);

	return (void *)(box->physmap.va[phys >> box->memmap.section_shift] + offset);
}
MMBOX_EXPORT_INTERNAL(mmbox_physmap_phys_to_virt);

/**
 * mmbox_physmap_page_address() - __mmbox_page_address() for a box that is not linear
 * @box: the box, without one range of addresses or without one array of descriptors
 * @page: descriptor of an existing page
 *
 * Context: any.
 * Return: the kernel address of its first byte.
 */
void *mmbox_physmap_page_address(const struct mmbox *box, const struct mmbox_page *page)
{
	return mmbox_phys_to_virt(box, PFN_PHYS(__mmbox_page_to_pfn(box, page)));
}
MMBOX_EXPORT_INTERNAL(mmbox_physmap_page_address);

/**
 * mmbox_physmap_section_there() - check whether a section has memory
 * @box: the box
 * @nr: number of the section, below nr_sections
 *
 * Context: any.
 * Return: true if it has memory, false if it is a hole.
 */
bool mmbox_physmap_section_there(const struct mmbox *box, unsigned long nr)
{
	return box->physmap.va_size || READ_ONCE(box->physmap.va[nr]);
}

/**
 * mmbox_physmap_add() - give a section that was a hole its kernel address
 * @box: the box, with holes
 * @nr: number of the section
 * @addr: kernel address of its memory, a multiple of the section size
 *
 * Context: process, may sleep; memory_lock held.
 * Return: 0 or -ENOMEM.
 */
int mmbox_physmap_add(struct mmbox *box, unsigned long nr, void *addr)
{
	unsigned long key = (unsigned long)addr >> box->memmap.section_shift;

	lockdep_assert_held(&box->pages.memory_lock);
	if (mmbox_host_should_fail(&box->host, "the address of a section") ||
	    xa_err(xa_store(&box->physmap.hot, key, xa_mk_value(nr + 1),
			    GFP_KERNEL | __GFP_NOWARN)))
		return -ENOMEM;
	WRITE_ONCE(box->physmap.va[nr], (unsigned long)addr);
	return 0;
}
MMBOX_EXPORT_INTERNAL(mmbox_physmap_add);

/**
 * mmbox_physmap_del() - turn a section into a hole again
 * @box: the box
 * @nr: number of a section that is offline
 *
 * Does nothing in a box whose addresses are one range.
 *
 * Context: process, may sleep; memory_lock held.
 */
void mmbox_physmap_del(struct mmbox *box, unsigned long nr)
{
	unsigned long addr, offset, key;

	lockdep_assert_held(&box->pages.memory_lock);
	if (box->physmap.va_size)
		return;
	addr = box->physmap.va[nr];
	offset = addr - (unsigned long)box->region.addr;
	key = addr >> box->memmap.section_shift;
	if (xa_load(&box->physmap.hot, key) == xa_mk_value(nr + 1))
		xa_erase(&box->physmap.hot, key);
	else
		WRITE_ONCE(box->physmap.section[offset >> box->memmap.section_shift], 0);
	WRITE_ONCE(box->physmap.va[nr], 0);
}
MMBOX_EXPORT_INTERNAL(mmbox_physmap_del);

/**
 * mmbox_pfn_valid() - check whether a page frame number has a page
 * @box: the box
 * @pfn: any page frame number
 *
 * Context: any.
 * Return: true if the box has a page of that number.
 */
bool mmbox_pfn_valid(struct mmbox *box, unsigned long pfn)
{
	return pfn < box->memmap.max_pfn && box->memmap.model->pfn_valid(box, pfn);
}
EXPORT_SYMBOL_GPL(mmbox_pfn_valid);

/**
 * mmbox_block_head() - find the first page of the block that contains a page
 * @box: the box
 * @page: a descriptor of this box
 *
 * Context: any. It is a snapshot: blocks may be split or merged meanwhile.
 * Return: the first page, whose descriptor has type and order of the block, or @page
 * if none is found.
 */
struct mmbox_page *mmbox_block_head(const struct mmbox *box, struct mmbox_page *page)
{
	unsigned long pfn = __mmbox_page_to_pfn(box, page);
	struct mmbox_page *head;
	unsigned int order;

	for (order = 0; order < box->pages.max_order; order++) {
		head = __mmbox_pfn_to_page(box, pfn & ~((1UL << order) - 1));
		if (mmbox_glance(head->type) != MMBOX_PAGE_TAIL)
			return head;
	}
	return page;
}
MMBOX_EXPORT_INTERNAL(mmbox_block_head);

/**
 * mmbox_pfn_to_page() - find the descriptor of a page frame
 * @box: the box
 * @pfn: any page frame number
 *
 * Context: any.
 * Return: the descriptor, or NULL if @pfn is not valid.
 */
struct mmbox_page *mmbox_pfn_to_page(struct mmbox *box, unsigned long pfn)
{
	return mmbox_pfn_valid(box, pfn) ? __mmbox_pfn_to_page(box, pfn) : NULL;
}
EXPORT_SYMBOL_GPL(mmbox_pfn_to_page);

/**
 * mmbox_page_to_pfn() - find the page frame number of a descriptor
 * @box: the box
 * @page: a descriptor of this box
 *
 * Context: any.
 * Return: the page frame number in the box's own physical address space.
 */
unsigned long mmbox_page_to_pfn(struct mmbox *box, const struct mmbox_page *page)
{
	return __mmbox_page_to_pfn(box, page);
}
EXPORT_SYMBOL_GPL(mmbox_page_to_pfn);

/**
 * mmbox_page_address() - find the kernel address of a page
 * @box: the box
 * @page: a descriptor of this box
 *
 * Context: any.
 * Return: the address of the page's first byte. All pages of a block are contiguous.
 */
void *mmbox_page_address(struct mmbox *box, const struct mmbox_page *page)
{
	return __mmbox_page_address(box, page);
}
EXPORT_SYMBOL_GPL(mmbox_page_address);

/**
 * mmbox_virt_to_page() - find the descriptor of the page at a kernel address
 * @box: the box
 * @addr: any kernel address
 *
 * Context: any.
 * Return: the descriptor, or NULL if @addr does not lie in the box.
 */
struct mmbox_page *mmbox_virt_to_page(struct mmbox *box, const void *addr)
{
	unsigned long pfn;

	if (!mmbox_virt_valid(box, addr))
		return NULL;
	/* Sections that sparse_init() found no room to map have memory, but no descriptors. */
	pfn = PHYS_PFN(mmbox_virt_to_phys(box, addr));
	return mmbox_pfn_to_page(box, pfn);
}
EXPORT_SYMBOL_GPL(mmbox_virt_to_page);
