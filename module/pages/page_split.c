// SPDX-License-Identifier: GPL-2.0
/*
 * Splitting blocks: pages of a block that are freed one by one, and allocations of any
 * number of pages.
 */
#include <linux/math.h>
#include <linux/mm.h>

#include "pages/buddy.h"

struct split {
	struct mmbox_page *page;
	unsigned int order;
};

static void make_single(struct mmbox_zone *zone, void *arg)
{
	const struct split *split = arg;
	unsigned long i;

	for (i = 0; i < 1UL << split->order; i++)
		split->page[i].type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_ALLOCATED, 0);
}

/**
 * mmbox_split_page() - split an allocated block into pages of order 0
 * @box: the box
 * @page: what mmbox_alloc_pages() returned
 * @order: the order it was called with
 *
 * From now on each page is freed alone, with order 0. If @page is not the first page of
 * an allocated block of this order, it is refused, counted and reported.
 *
 * Context: any but NMI.
 */
void mmbox_split_page(struct mmbox *box, struct mmbox_page *page, unsigned int order)
{
	struct split split = { .page = page, .order = order };

	if (!mmbox_page_is_allocated(box, page, order))
		return mmbox_refuse_page(box, page, order);
	/* With the zone held, so that a walk sees either one block or single pages. */
	mmbox_buddy_hold(mmbox_page_zone(box, page), make_single, &split);
}
EXPORT_SYMBOL_GPL(mmbox_split_page);

/**
 * mmbox_alloc_pages_exact() - allocate whole pages for a number of bytes
 * @box: the box
 * @size: bytes, more than 0
 * @gfp: GFP flags
 *
 * Pages of the block beyond @size are freed at once, to the tail of their list, so that
 * they are likely to be still free, and to merge, when the rest is freed.
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
		mmbox_buddy_free(mmbox_page_zone(box, page), page + i, 0, true);
	return mmbox_page_address(box, page);
}
EXPORT_SYMBOL_GPL(mmbox_alloc_pages_exact);

/**
 * mmbox_free_pages_exact() - free what mmbox_alloc_pages_exact() returned
 * @box: the box
 * @virt: address of the first page; NULL is ignored
 * @size: bytes, as passed to mmbox_alloc_pages_exact()
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
