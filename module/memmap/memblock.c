// SPDX-License-Identifier: GPL-2.0
/*
 * The boot allocator of the box.
 *
 * It keeps two sorted arrays of ranges: memory (the banks) and reserved. An
 * allocation reserves the highest free range of a node, as in the kernel, which
 * leaves low memory to ZONE_DMA; with bottom_up it reserves the lowest. At the
 * end of boot mm_init.c frees all memory that is not reserved to the buddy
 * allocator. The arrays do not change after that.
 *
 * No lock is needed: only the task that creates the box changes the arrays.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/numa.h>
#include <linux/pfn.h>
#include <linux/string.h>

#include "memmap/memmap.h"

static phys_addr_t region_end(const struct mmbox_memblock_region *r)
{
	return r->base + r->size;
}

/* Insert a range, keeping the array sorted. Refuse a range that overlaps another. */
static int memblock_insert(struct mmbox_memblock_type *type,
			   const struct mmbox_memblock_region *new)
{
	unsigned int i;

	if (!new->size || region_end(new) < new->base)
		return -EINVAL;
	if (type->cnt == MMBOX_MEMBLOCK_REGIONS)
		return -ENOSPC;
	for (i = 0; i < type->cnt; i++)
		if (type->regions[i].base >= new->base)
			break;
	if (i && region_end(&type->regions[i - 1]) > new->base)
		return -EEXIST;
	if (i < type->cnt && region_end(new) > type->regions[i].base)
		return -EEXIST;
	memmove(&type->regions[i + 1], &type->regions[i],
		(type->cnt - i) * sizeof(*new));
	type->regions[i] = *new;
	type->cnt++;
	return 0;
}

/**
 * mmbox_memblock_add() - add a bank of memory
 * @mb: the boot allocator
 * @base: first byte, box physical address
 * @size: bytes
 * @nid: node the bank belongs to
 *
 * Context: while the box boots.
 * Return: 0, -EINVAL if the range is empty or wraps, -EEXIST if it overlaps
 * another bank, -ENOSPC if there are too many banks.
 */
int mmbox_memblock_add(struct mmbox_memblock *mb, phys_addr_t base,
		       phys_addr_t size, int nid)
{
	struct mmbox_memblock_region new = {
		.base = base, .size = size, .nid = nid, .name = "System RAM",
	};

	return memblock_insert(&mb->memory, &new);
}
MMBOX_EXPORT_INTERNAL(mmbox_memblock_add);

/* The bank that contains all of [base, base + size), or NULL. */
static const struct mmbox_memblock_region *
memblock_bank(const struct mmbox_memblock *mb, phys_addr_t base, phys_addr_t size)
{
	unsigned int i;

	for (i = 0; i < mb->memory.cnt; i++) {
		const struct mmbox_memblock_region *bank = &mb->memory.regions[i];

		if (bank->base <= base && size <= bank->size &&
		    base - bank->base <= bank->size - size)
			return bank;
	}
	return NULL;
}

static struct mmbox_memblock_region *
region_ending_at(struct mmbox_memblock_type *type, phys_addr_t end)
{
	unsigned int i;

	for (i = 0; i < type->cnt; i++)
		if (region_end(&type->regions[i]) == end)
			return &type->regions[i];
	return NULL;
}

static bool region_is_free(const struct mmbox_memblock_type *type, phys_addr_t base,
			   phys_addr_t size)
{
	unsigned int i;

	for (i = 0; i < type->cnt; i++)
		if (type->regions[i].base < base + size &&
		    region_end(&type->regions[i]) > base)
			return false;
	return size;
}

/* Remove [base, base + size) from the ranges. This may split a range in two. */
static void memblock_cut(struct mmbox_memblock_type *type, phys_addr_t base,
			 phys_addr_t size)
{
	phys_addr_t end = base + size;
	unsigned int i;

	for (i = 0; i < type->cnt;) {
		struct mmbox_memblock_region *r = &type->regions[i];
		struct mmbox_memblock_region rest = *r;

		if (r->base >= end || region_end(r) <= base) {
			i++;
			continue;
		}
		memmove(r, r + 1, (type->cnt - i - 1) * sizeof(*r));
		type->cnt--;
		if (rest.base < base) {
			struct mmbox_memblock_region low = rest;

			low.size = base - rest.base;
			memblock_insert(type, &low);
			i++;
		}
		if (region_end(&rest) > end) {
			rest.size = region_end(&rest) - end;
			rest.base = end;
			/* If the array is full, the upper part is lost too. */
			if (!memblock_insert(type, &rest))
				i++;
		}
	}
}

/**
 * mmbox_memblock_free() - free a reserved range, or a part of one
 * @mb: the boot allocator
 * @base: first byte
 * @size: bytes
 *
 * Context: while the box boots.
 */
void mmbox_memblock_free(struct mmbox_memblock *mb, phys_addr_t base,
			 phys_addr_t size)
{
	memblock_cut(&mb->reserved, base, size);
}
MMBOX_EXPORT_INTERNAL(mmbox_memblock_free);

/**
 * mmbox_memblock_remove() - remove a range from the banks
 * @mb: the boot allocator
 * @base: first byte
 * @size: bytes
 *
 * Reserved ranges do not change.
 *
 * Context: while the box boots.
 */
void mmbox_memblock_remove(struct mmbox_memblock *mb, phys_addr_t base,
			   phys_addr_t size)
{
	memblock_cut(&mb->memory, base, size);
}
MMBOX_EXPORT_INTERNAL(mmbox_memblock_remove);

/**
 * mmbox_memblock_should_fail() - count an allocation and inject a failure
 * @mb: the boot allocator
 *
 * Context: while the box boots.
 * Return: true if this is allocation number fail_nth, which a test wants to fail.
 */
bool mmbox_memblock_should_fail(struct mmbox_memblock *mb)
{
	return ++mb->nr_allocs == mb->fail_nth;
}

/**
 * mmbox_memblock_reserve() - reserve a range of memory
 * @mb: the boot allocator
 * @base: first byte, box physical address
 * @size: bytes
 * @name: what it is for; only the pointer is kept
 *
 * Adjacent ranges of one node with the same @name are merged.
 *
 * Context: while the box boots.
 * Return: 0, -EINVAL if the range is empty or not inside one bank, -EEXIST if
 * part of it is reserved already, -ENOSPC if there are too many ranges.
 */
int mmbox_memblock_reserve(struct mmbox_memblock *mb, phys_addr_t base,
			   phys_addr_t size, const char *name)
{
	const struct mmbox_memblock_region *bank = memblock_bank(mb, base, size);
	struct mmbox_memblock_region new = {
		.base = base, .size = size, .name = name,
	};
	struct mmbox_memblock_region *before;
	unsigned int i;

	if (!bank)
		return -EINVAL;
	new.nid = bank->nid;
	/* Merge with the range above or else the one below, if node and name agree. */
	for (i = 0; i < mb->reserved.cnt; i++) {
		struct mmbox_memblock_region *r = &mb->reserved.regions[i];

		if (r->base != base + size || r->nid != new.nid || r->name != name ||
		    !region_is_free(&mb->reserved, base, size))
			continue;
		r->base = base;
		r->size += size;
		return 0;
	}
	before = region_ending_at(&mb->reserved, base);
	if (before && before->nid == new.nid && before->name == name &&
	    region_is_free(&mb->reserved, base, size)) {
		before->size += size;
		return 0;
	}
	return memblock_insert(&mb->reserved, &new);
}
MMBOX_EXPORT_INTERNAL(mmbox_memblock_reserve);

/* Address of the highest free @size bytes in @bank, or MMBOX_MEMBLOCK_NONE. */
static phys_addr_t memblock_find_top_down(const struct mmbox_memblock *mb,
					  const struct mmbox_memblock_region *bank,
					  phys_addr_t size, phys_addr_t align)
{
	phys_addr_t end = region_end(bank);
	unsigned int i = mb->reserved.cnt;

	for (;;) {
		phys_addr_t floor = bank->base, base;

		/* The gap below @end begins at the end of the next lower reserved range. */
		while (i && mb->reserved.regions[i - 1].base >= end)
			i--;
		if (i)
			floor = max(floor, region_end(&mb->reserved.regions[i - 1]));
		if (end >= size) {
			base = ALIGN_DOWN(end - size, align);
			if (end > floor && base >= floor && base + size <= end)
				return base;
		}
		if (!i || mb->reserved.regions[i - 1].base <= bank->base)
			return MMBOX_MEMBLOCK_NONE;
		end = mb->reserved.regions[i - 1].base;
	}
}

/* Address of the lowest free @size bytes in @bank, or MMBOX_MEMBLOCK_NONE. */
static phys_addr_t memblock_find_bottom_up(const struct mmbox_memblock *mb,
					   const struct mmbox_memblock_region *bank,
					   phys_addr_t size, phys_addr_t align)
{
	phys_addr_t base = ALIGN(bank->base, align);
	unsigned int i;

	for (i = 0; i < mb->reserved.cnt; i++) {
		const struct mmbox_memblock_region *r = &mb->reserved.regions[i];

		if (region_end(r) <= base)
			continue;
		if (r->base >= base && r->base - base >= size)
			break;
		base = ALIGN(region_end(r), align);
	}
	if (base >= region_end(bank) || region_end(bank) - base < size)
		return MMBOX_MEMBLOCK_NONE;
	return base;
}

/**
 * mmbox_memblock_phys_alloc() - allocate boot memory
 * @mb: the boot allocator
 * @size: bytes
 * @align: bytes, a power of two
 * @nid: node to allocate from; there is no fallback to another
 * @name: what it is for; only the pointer is kept
 *
 * Allocates from the highest free address down, or from the lowest up if
 * bottom_up is set. The memory is not zeroed.
 *
 * Context: while the box boots.
 * Return: box physical address, or MMBOX_MEMBLOCK_NONE.
 */
phys_addr_t mmbox_memblock_phys_alloc(struct mmbox_memblock *mb,
				      phys_addr_t size, phys_addr_t align,
				      int nid, const char *name)
{
	unsigned int i;

	for (i = 0; size && i < mb->memory.cnt; i++) {
		unsigned int nr = mb->bottom_up ? i : mb->memory.cnt - 1 - i;
		const struct mmbox_memblock_region *bank = &mb->memory.regions[nr];
		phys_addr_t base;

		if (bank->nid != nid)
			continue;
		if (mb->bottom_up)
			base = memblock_find_bottom_up(mb, bank, size, align);
		else
			base = memblock_find_top_down(mb, bank, size, align);
		if (base == MMBOX_MEMBLOCK_NONE)
			continue;
		if (mmbox_memblock_reserve(mb, base, size, name))
			break;
		return base;
	}
	return MMBOX_MEMBLOCK_NONE;
}
MMBOX_EXPORT_INTERNAL(mmbox_memblock_phys_alloc);

/**
 * mmbox_memblock_next_free() - find the next range of memory that is not reserved
 * @mb: the boot allocator
 * @base: in: address to search from; out: first byte of the range
 * @end: out: first byte beyond the range
 * @nid: out: node of the range
 *
 * A range never crosses the end of a bank, even if the next bank is adjacent.
 *
 * Context: while the box boots.
 * Return: true if found, false if there is none at or above @base.
 */
bool mmbox_memblock_next_free(const struct mmbox_memblock *mb, phys_addr_t *base,
			      phys_addr_t *end, int *nid)
{
	unsigned int i, j;

	for (i = 0; i < mb->memory.cnt; i++) {
		const struct mmbox_memblock_region *bank = &mb->memory.regions[i];
		phys_addr_t from = max(*base, bank->base);
		phys_addr_t to = region_end(bank);

		for (j = 0; j < mb->reserved.cnt; j++) {
			const struct mmbox_memblock_region *r = &mb->reserved.regions[j];

			if (region_end(r) <= from)
				continue;
			if (r->base > from) {
				to = min(to, r->base);
				break;
			}
			from = region_end(r);
		}
		if (from >= to)
			continue;
		*base = from;
		*end = to;
		*nid = bank->nid;
		return true;
	}
	return false;
}
MMBOX_EXPORT_INTERNAL(mmbox_memblock_next_free);

/**
 * mmbox_memblock_end_pfn() - end of the last bank
 * @mb: the boot allocator
 *
 * Context: any.
 * Return: first page frame beyond the last bank, or 0 without banks.
 */
unsigned long mmbox_memblock_end_pfn(const struct mmbox_memblock *mb)
{
	if (!mb->memory.cnt)
		return 0;
	return PFN_DOWN(region_end(&mb->memory.regions[mb->memory.cnt - 1]));
}

/**
 * mmbox_memblock_pages() - count the pages of memory in a range, without holes
 * @mb: the boot allocator
 * @nid: node to count, or NUMA_NO_NODE for all nodes
 * @start_pfn: first page frame
 * @end_pfn: first page frame beyond
 *
 * Context: any.
 * Return: pages.
 */
unsigned long mmbox_memblock_pages(const struct mmbox_memblock *mb, int nid,
				   unsigned long start_pfn, unsigned long end_pfn)
{
	unsigned long pages = 0;
	unsigned int i;

	for (i = 0; i < mb->memory.cnt; i++) {
		const struct mmbox_memblock_region *bank = &mb->memory.regions[i];
		unsigned long from = max_t(unsigned long, start_pfn, PFN_UP(bank->base));
		unsigned long to = min_t(unsigned long, end_pfn,
					 PFN_DOWN(region_end(bank)));

		if (nid != NUMA_NO_NODE && nid != bank->nid)
			continue;
		if (from < to)
			pages += to - from;
	}
	return pages;
}
MMBOX_EXPORT_INTERNAL(mmbox_memblock_pages);

/**
 * mmbox_get_pfn_range_for_nid() - find the first and last page frame of a node
 * @box: the box; its banks are in memblock
 * @nid: node
 * @start_pfn: out: first page frame of the node
 * @end_pfn: out: first page frame beyond it; both are 0 if it has no memory
 *
 * Context: while the box boots.
 */
void mmbox_get_pfn_range_for_nid(const struct mmbox *box, int nid,
				 unsigned long *start_pfn, unsigned long *end_pfn)
{
	const struct mmbox_memblock_type *memory = &box->memblock.memory;
	unsigned int i;

	*start_pfn = ULONG_MAX;
	*end_pfn = 0;
	for (i = 0; i < memory->cnt; i++) {
		const struct mmbox_memblock_region *bank = &memory->regions[i];

		if (bank->nid != nid)
			continue;
		*start_pfn = min_t(unsigned long, *start_pfn, PFN_UP(bank->base));
		*end_pfn = max_t(unsigned long, *end_pfn,
				 PFN_DOWN(bank->base + bank->size));
	}
	*start_pfn = min(*start_pfn, *end_pfn);
}

/**
 * mmbox_boot_alloc() - allocate boot memory, from another node if need be
 * @box: the box; memblock is still in charge
 * @size: bytes
 * @align: bytes, a power of two
 * @nid: preferred node; the nodes after it are tried next
 * @name: what it is for; only the pointer is kept
 *
 * The memory is not zeroed.
 *
 * Context: while the box boots.
 * Return: kernel address, or NULL if no node has room.
 */
void *mmbox_boot_alloc(struct mmbox *box, unsigned long size, unsigned long align,
		       int nid, const char *name)
{
	phys_addr_t phys;
	int i;

	if (mmbox_memblock_should_fail(&box->memblock))
		return NULL;
	for (i = 0; i < box->nr_nodes; i++) {
		phys = mmbox_memblock_phys_alloc(&box->memblock, size, align,
						 (nid + i) % box->nr_nodes, name);
		if (phys != MMBOX_MEMBLOCK_NONE)
			return mmbox_phys_to_virt(box, phys);
	}
	box->memblock.missed = name;
	box->memblock.missed_bytes = size;
	return NULL;
}
