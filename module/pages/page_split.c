// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks cut to size: pages that are freed one by one, and allocations of a
 * number of bytes that is no power of two of pages.
 */
#include <linux/math.h>
#include <linux/mm.h>

#include "pages/pages.h"

/**
 * mmbox_split_page() - make a block of pages so many single ones
 * @box: the box
 * @page: what mmbox_alloc_pages() returned
 * @order: the order it was called with
 *
 * From now on each page is freed alone, with order 0. What is not an allocated
 * block of this order is refused, counted and reported.
 *
 * Context: any but NMI.
 */
void mmbox_split_page(struct mmbox *box, struct mmbox_page *page, unsigned int order)
{
	struct mmbox_zone *zone;
	unsigned long flags, i;

	if (!mmbox_page_is_allocated(box, page, order))
		return mmbox_refuse_page(box, page, order);
	zone = mmbox_page_zone(box, page);
	/* Who walks the zone sees one block or all pages. */
	raw_spin_lock_irqsave(&zone->lock, flags);
	for (i = 0; i < 1UL << order; i++)
		page[i].type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_ALLOCATED, 0);
	raw_spin_unlock_irqrestore(&zone->lock, flags);
}
EXPORT_SYMBOL_GPL(mmbox_split_page);

/**
 * mmbox_alloc_pages_exact() - allocate whole pages for a number of bytes
 * @box: the box
 * @size: bytes, more than 0
 * @gfp: GFP flags
 *
 * Of the block that is large enough, the pages beyond @size go back at once, to
 * the end of their list: they are wanted again when the rest comes back.
 *
 * Context: as mmbox_alloc_pages_node().
 * Return: address of the first page, for mmbox_free_pages_exact(), or NULL.
 */
void *mmbox_alloc_pages_exact(struct mmbox *box, size_t size, gfp_t gfp)
{
	unsigned long nr = DIV_ROUND_UP(size, PAGE_SIZE), i;
	unsigned int order = size ? get_order(size) : 0;
	struct mmbox_page *page;

	if (!size)
		return NULL;
	page = mmbox_alloc_pages(box, gfp, order);
	if (!page)
		return NULL;
	mmbox_split_page(box, page, order);
	for (i = nr; i < 1UL << order; i++)
		mmbox_free_to_tail(box, page + i);
	return mmbox_page_address(box, page);
}
EXPORT_SYMBOL_GPL(mmbox_alloc_pages_exact);

/**
 * mmbox_free_pages_exact() - free what mmbox_alloc_pages_exact() returned
 * @box: the box
 * @virt: address of the first page; NULL is ignored
 * @size: bytes, as asked for
 *
 * Context: any but NMI, any CPU; never sleeps.
 */
void mmbox_free_pages_exact(struct mmbox *box, void *virt, size_t size)
{
	unsigned long addr = (unsigned long)virt, end = addr + PAGE_ALIGN(size);

	for (; virt && addr < end; addr += PAGE_SIZE)
		mmbox_free_pages(box, addr, 0);
}
EXPORT_SYMBOL_GPL(mmbox_free_pages_exact);
