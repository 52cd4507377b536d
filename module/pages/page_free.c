// SPDX-License-Identifier: GPL-2.0
/*
 * Freeing pages: check the page, then put the block on this CPU's list.
 *
 *	__mmbox_free_pages()	order 0 and small orders: the CPU's list, no lock
 *	  free_pages_trim()	the list is too long: a batch goes to the zone
 *	  free_pages_slow()	an interrupt, or a pageblock without per-CPU lists
 *	  mmbox_list_free()	larger orders: the zone at once
 *	  free_pages_checked()	the quick check failed: check again, maybe refuse
 *
 * Pages are checked by their descriptors: only the first page of an allocated block of
 * the given order may be freed. All else is refused, counted and reported.
 */
#include "pages/page_alloc.h"
#include "pages/pcp.h"

/* Put a block on this CPU's list. Returns true if the lists must be trimmed now. */
static __always_inline bool pcp_push(struct mmbox_per_cpu_pages *pcp, struct mmbox_page *page,
				     unsigned int order, struct list_head *list,
				     unsigned int migratetype)
{
	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_PCP, order);
	page->migratetype = migratetype;
	mmbox_raw_list_add(&page->pcp_list, list);
	pcp->count += 1 << order;
	return unlikely(pcp->count >= READ_ONCE(pcp->high) || (order && pcp->free_factor));
}

/* Handle all frees that the fast path does not. */
static noinline void free_pages_zone(struct mmbox *box, struct mmbox_page *page,
				     unsigned int order)
{
	unsigned long pfn = __mmbox_page_to_pfn(box, page);
	struct mmbox_zone *zone = mmbox_page_zone(box, page);
	struct mmbox_per_cpu_pages *pcp = NULL;
	unsigned int pindex, migratetype;

	if (mmbox_pcp_allowed_order(box, order))
		pcp = mmbox_pcp_begin(zone);
	if (!pcp)
		return mmbox_buddy_free(zone, page, order, false);
	/*
	 * Read it with preemption off. Isolating a pageblock drains the lists afterwards,
	 * by a work item. That cannot run here before the page is on its list.
	 */
	migratetype = mmbox_pageblock_type(box, pfn);
	if (migratetype == MMBOX_MIGRATE_ISOLATE) {
		mmbox_pcp_end(pcp);
		return mmbox_buddy_free(zone, page, order, false);
	}
	/* Pages of the atomic reserve are kept with the movable ones. */
	pindex = mmbox_order_to_pindex(order, migratetype < MMBOX_MIGRATE_PCPTYPES ?
				       migratetype : MMBOX_MIGRATE_MOVABLE);
	if (pcp_push(pcp, page, order, &pcp->lists[pindex], migratetype))
		mmbox_pcp_trim(zone, pcp, order, pindex);
	mmbox_pcp_end(pcp);
}

/* The fast path ends in these calls. They are entered with preemption off. */
static noinline void free_pages_slow(struct mmbox *box, struct mmbox_page *page,
				     unsigned int order)
{
	preempt_enable();
	free_pages_zone(box, page, order);
}

static noinline void free_pages_trim(struct mmbox_per_cpu_pages *pcp,
				     struct mmbox_zone *zone, unsigned int order,
				     unsigned int migratetype)
{
	mmbox_pcp_trim(zone, pcp, order, mmbox_order_to_pindex(order, migratetype));
	mmbox_pcp_end(pcp);
}

static __always_inline void free_pages_ok(struct mmbox *box, struct mmbox_page *page,
					  unsigned long pfn, unsigned int order)
{
	struct mmbox_per_cpu_pages *pcp;
	unsigned int migratetype;

	if (unlikely(order > MMBOX_COSTLY_ORDER)) {
		if (unlikely(order >= box->pages.direct_orders))
			return free_pages_zone(box, page, order);
		return mmbox_list_free(mmbox_page_zone(box, page), page, order);
	}
	preempt_disable();
	pcp = mmbox_cpu_pcp(this_cpu_ptr(box->pages.cpu),
			    page->zone_link);
	/* Read with preemption off: see free_pages_zone(). */
	migratetype = mmbox_pageblock_type(box, pfn);
	if (unlikely(migratetype >= MMBOX_MIGRATE_PCPTYPES || !mmbox_pcp_enter(pcp)))
		return free_pages_slow(box, page, order);
	if (unlikely(pcp_push(pcp, page, order, mmbox_pcp_list(pcp, order, migratetype),
			      migratetype)))
		return free_pages_trim(pcp, mmbox_page_zone(box, page), order, migratetype);
	mmbox_pcp_end(pcp);
}

/* Is @page in the box's one array of descriptors, and the head of such a block? */
static __always_inline bool page_is_allocated(const struct mmbox *box,
					      const struct mmbox_page *page,
					      unsigned int order)
{
	unsigned long offset = (unsigned long)page - (unsigned long)box->memmap.map;

	return offset < box->memmap.map_size && offset % sizeof(*page) == 0 &&
	       page->type_order == MMBOX_TYPE_ORDER(MMBOX_PAGE_ALLOCATED, order);
}

/**
 * mmbox_page_is_allocated() - check whether a block may be freed with this order
 * @box: the box
 * @page: any pointer
 * @order: power of two of pages
 *
 * Context: any.
 * Return: true if @page is the first page of an allocated block of this order.
 */
bool mmbox_page_is_allocated(const struct mmbox *box, const struct mmbox_page *page,
			     unsigned int order)
{
	if (page_is_allocated(box, page, order))
		return true;
	return !box->memmap.map && mmbox_page_valid(box, page) &&
	       page->type_order == MMBOX_TYPE_ORDER(MMBOX_PAGE_ALLOCATED, order);
}

/**
 * mmbox_refuse_page() - count and report a bad free of pages
 * @box: the box
 * @page: the pointer that was passed
 * @order: the order that was passed
 *
 * Context: any, no lock of the box held.
 */
noinline void mmbox_refuse_page(struct mmbox *box, struct mmbox_page *page,
				unsigned int order)
{
	enum mmbox_bad why = MMBOX_BAD_PAGE;

	if (!mmbox_page_valid(box, page))
		why = MMBOX_BAD_FOREIGN;
	else if (page->type == MMBOX_PAGE_ALLOCATED)
		why = MMBOX_BAD_ORDER;
	else if (page->type == MMBOX_PAGE_BUDDY || page->type == MMBOX_PAGE_PCP)
		why = MMBOX_BAD_DOUBLE;
	box->observer->bad_page(box, why, page, order);
}

/* The quick check failed: a bad free, or the box's descriptors are not one array. */
static noinline void free_pages_checked(struct mmbox *box, struct mmbox_page *page,
					unsigned int order)
{
	if (!mmbox_page_is_allocated(box, page, order))
		return mmbox_refuse_page(box, page, order);
	free_pages_ok(box, page, __mmbox_page_to_pfn(box, page), order);
}

static noinline void free_pages_order(struct mmbox *box, struct mmbox_page *page,
				      unsigned int order)
{
	if (unlikely(!page_is_allocated(box, page, order)))
		return free_pages_checked(box, page, order);
	free_pages_ok(box, page, mmbox_linear_page_to_pfn(box, page), order);
}

/**
 * __mmbox_free_pages() - free pages, by descriptor
 * @box: the box they were allocated from
 * @page: what mmbox_alloc_pages() returned
 * @order: the order it was called with
 *
 * Anything but the first page of a block that is allocated with this order is
 * refused, counted and reported.
 *
 * Context: any but NMI, any CPU; never sleeps.
 */
void __mmbox_free_pages(struct mmbox *box, struct mmbox_page *page,
			unsigned int order)
{
	if (order)
		return free_pages_order(box, page, order);
	if (unlikely(!page_is_allocated(box, page, 0)))
		return free_pages_checked(box, page, 0);
	free_pages_ok(box, page, mmbox_linear_page_to_pfn(box, page), 0);
}
EXPORT_SYMBOL_GPL(__mmbox_free_pages);

/**
 * mmbox_free_typed() - free what mmbox_alloc_typed() returned
 * @box: the box
 * @page: descriptor of the first page; it is not checked
 * @order: power of two of pages
 *
 * Context: any but NMI, any CPU; never sleeps.
 */
void mmbox_free_typed(struct mmbox *box, struct mmbox_page *page,
		      unsigned int order)
{
	free_pages_ok(box, page, __mmbox_page_to_pfn(box, page), order);
}

/**
 * __mmbox_get_free_pages() - allocate pages, by address
 * @box: the box
 * @gfp: GFP flags
 * @order: power of two of pages
 *
 * Context: as mmbox_alloc_pages_node().
 * Return: kernel address of the first byte, or 0.
 */
unsigned long __mmbox_get_free_pages(struct mmbox *box, gfp_t gfp,
				     unsigned int order)
{
	struct mmbox_page *page = mmbox_alloc_pages(box, gfp, order);

	return page ? (unsigned long)__mmbox_page_address(box, page) : 0;
}
EXPORT_SYMBOL_GPL(__mmbox_get_free_pages);

/**
 * mmbox_free_pages() - free pages, by address
 * @box: the box they were allocated from
 * @addr: what __mmbox_get_free_pages() returned; 0 is ignored
 * @order: the order it was called with
 *
 * Context: any but NMI, any CPU; never sleeps.
 */
void mmbox_free_pages(struct mmbox *box, unsigned long addr, unsigned int order)
{
	struct mmbox_page *page;

	if (!addr)
		return;
	page = mmbox_virt_to_page(box, (void *)addr);
	if (unlikely(!page || addr & ~PAGE_MASK))
		return box->observer->bad_object(box, MMBOX_BAD_FOREIGN, NULL,
					       (void *)addr);
	__mmbox_free_pages(box, page, order);
}
EXPORT_SYMBOL_GPL(mmbox_free_pages);
