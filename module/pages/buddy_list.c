// SPDX-License-Identifier: GPL-2.0
/*
 * The buddy allocator of Linux 6.1: free_area[], lists by migrate type.
 *
 * An allocation splits the smallest block that fits, and puts the upper halves on
 * the lists of their orders. A free merges the block with its buddy as long as the
 * buddy's descriptor says that it is free too. Each pageblock has a migrate type. A
 * freed block goes to the list of its pageblock's type, which keeps movable and
 * unmovable pages apart. If a type has no block that fits, the largest block of
 * another type is taken, along with the rest of its pageblock if that is worth it.
 * Some pageblocks may be reserved for atomic requests of high order.
 *
 * The decisions (which block, which end of which list, when to steal) are those
 * of mm/page_alloc.c, Linux 6.1.
 */
#include <linux/math.h>
#include <linux/minmax.h>

#include "pages/buddy.h"

/* The types that a type falls back to when it has no block that fits, in this order. */
static const u8 fallbacks[MMBOX_MIGRATE_PCPTYPES][2] = {
	[MMBOX_MIGRATE_UNMOVABLE] = { MMBOX_MIGRATE_RECLAIMABLE, MMBOX_MIGRATE_MOVABLE },
	[MMBOX_MIGRATE_MOVABLE] = { MMBOX_MIGRATE_RECLAIMABLE, MMBOX_MIGRATE_UNMOVABLE },
	[MMBOX_MIGRATE_RECLAIMABLE] = { MMBOX_MIGRATE_UNMOVABLE, MMBOX_MIGRATE_MOVABLE },
};

static struct mmbox_page *first_block(struct mmbox_free_area *area, int migratetype)
{
	return list_first_entry_or_null(&area->free_list[migratetype],
					struct mmbox_page, buddy_list);
}

/* ---- one list ---- */

static __always_inline void add_to_free_list(struct mmbox_free_area *area,
					     struct mmbox_page *page, unsigned int order,
					     int migratetype, bool to_tail)
{
	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_BUDDY, order);
	if (to_tail)
		mmbox_raw_list_add_tail(&page->buddy_list, &area->free_list[migratetype]);
	else
		mmbox_raw_list_add(&page->buddy_list, &area->free_list[migratetype]);
	area->nr_free++;
}

/* As add_to_free_list(), for callers that know that the list is empty. */
static __always_inline void add_to_empty_list(struct mmbox_free_area *area,
					      struct mmbox_page *page, unsigned int order,
					      int migratetype)
{
	struct list_head *list = &area->free_list[migratetype];

	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_BUDDY, order);
	__mmbox_raw_list_insert(&page->buddy_list, list, list);
	area->nr_free++;
}

static __always_inline void del_from_free_list(struct mmbox_free_area *area,
					       struct mmbox_page *page)
{
	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_TAIL, 0);
	mmbox_raw_list_del(&page->buddy_list);
	area->nr_free--;
}

/* Move a free block to another type's list, to the tail: it is allocated last. */
static void move_to_free_list(struct mmbox_zone *zone, struct mmbox_page *page,
			      unsigned int order, int migratetype)
{
	struct mmbox_free_area *area = &zone->free_area[order];

	lockdep_assert_held(&zone->lock);
	mmbox_raw_list_del(&page->buddy_list);
	mmbox_raw_list_add_tail(&page->buddy_list, &area->free_list[migratetype]);
}

/* ---- counting free pages ---- */

/*
 * Count in this CPU's vm_stat_diff, and add that to the zone once it exceeds a threshold,
 * so that watermarks are hit at the same moment as in Linux. Where Linux counts @nr blocks
 * one by one, so does this. __mod_zone_page_state(), Linux 6.1.
 */
static void drift_free_pages(struct mmbox_zone *zone, long pages, unsigned int nr)
{
	struct mmbox_cpu *cpu = this_cpu_ptr(zone->box->pages.cpu);
	s8 *diff = &cpu->vm_stat_diff[mmbox_zone_link(zone)];
	long x = *diff;

	lockdep_assert_held(&zone->lock);

	while (nr--) {
		x += pages;
		if (abs(x) > READ_ONCE(zone->stat_threshold)) {
			WRITE_ONCE(zone->nr_free_pages, zone->nr_free_pages + x);
			x = 0;
		}
	}
	*diff = x;
}

/* mod_free_pages() while counters drift (stat_drift=1) or the zone is watched. */
static noinline void mod_free_pages_slowly(struct mmbox_zone *zone, long pages,
					   unsigned int nr)
{
	zone->nr_changes++;
	if (READ_ONCE(zone->stat_threshold))
		drift_free_pages(zone, pages, nr);
	else
		WRITE_ONCE(zone->nr_free_pages, zone->nr_free_pages + pages * nr);
}

/* Add @nr blocks of @pages to nr_free_pages; @pages is negative if they were taken. */
static __always_inline void mod_free_pages(struct mmbox_zone *zone, long pages,
					   unsigned int nr)
{
	/* data_race: a new threshold may take effect at the next change only */
	if (unlikely(data_race(zone->count_slowly)))
		return mod_free_pages_slowly(zone, pages, nr);
	WRITE_ONCE(zone->nr_free_pages, zone->nr_free_pages + pages * nr);
}

/* ---- freeing: merge ---- */

static bool mergeable(int migratetype)
{
	return migratetype < MMBOX_MIGRATE_PCPTYPES;
}

/* May blocks of two pageblocks merge? Reserved and isolated ones only with their own type. */
static noinline bool pageblocks_merge(const struct mmbox_zone *zone,
				      const struct mmbox_page *buddy, int migratetype)
{
	int buddy_type;

	buddy_type = mmbox_pageblock_type(zone->box, __mmbox_page_to_pfn(zone->box, buddy));
	return migratetype == buddy_type || (mergeable(migratetype) && mergeable(buddy_type));
}

/*
 * Is @page the head of a free block of the order and zone in @identity? The zone must be
 * tested, because the spans of nodes may overlap.
 */
static __always_inline bool is_buddy(const struct mmbox_page *page, u32 identity)
{
	/*
	 * data_race: the owner of an allocated block may write this without the lock, but
	 * pages become and cease to be MMBOX_PAGE_BUDDY only under the lock.
	 */
	return (data_race(page->identity) & MMBOX_BUDDY_IDENTITY_MASK) == identity;
}

/*
 * Merge a block with its buddy as long as the buddy is free too, and put the result on its
 * list. If the block of the next order that would contain it has a free buddy, it is likely
 * to merge soon: it then goes to the tail, where it is allocated last.
 *
 * Merging never leaves the surrounding block of the highest order, @top. That block is no
 * larger than a section, so its descriptors are contiguous. @block is the first of them,
 * and @index is the page in it. Only the first @nr descriptors exist, or all if @nr is 0.
 */
static __always_inline void merge_block(struct mmbox_zone *zone, struct mmbox_page *block,
					unsigned long index, unsigned long nr,
					unsigned int order, const unsigned int top,
					int migratetype, bool to_tail)
{
	struct mmbox_free_area *area = &zone->free_area[order];
	u32 identity = MMBOX_BUDDY_IDENTITY(order, block[index].zone_link);
	unsigned long bit = 1UL << order;

	for (; order < top; order++) {
		struct mmbox_page *buddy = block + (index ^ bit);

		if ((nr && (index ^ bit) >= nr) || !is_buddy(buddy, identity))
			break;
		if (unlikely(order >= zone->box->pages.pageblock_shift) &&
		    !pageblocks_merge(zone, buddy, migratetype))
			break;
		del_from_free_list(area, buddy);
		index &= ~bit;
		bit <<= 1;
		identity += MMBOX_BUDDY_IDENTITY_ORDER;
		area++;
	}
	if (!to_tail && order + 1 < top) {
		unsigned long above = (index & ~bit) ^ bit << 1;

		to_tail = (!nr || above < nr) &&
			  is_buddy(block + above, identity + MMBOX_BUDDY_IDENTITY_ORDER);
	}
	add_to_free_list(area, block + index, order, migratetype, to_tail);
}

/* merge_block() where the zone, and maybe all memory, ends inside the surrounding block. */
static noinline void merge_last_block(struct mmbox_zone *zone, struct mmbox_page *page,
				      unsigned long index, unsigned long nr,
				      unsigned int order, int migratetype, bool to_tail)
{
	merge_block(zone, page - index, index, nr, order, zone->box->pages.max_order - 1,
		    migratetype, to_tail);
}

static __always_inline void __free_one_page(struct mmbox_zone *zone,
					    struct mmbox_page *page, unsigned long pfn,
					    unsigned int order, int migratetype, bool to_tail)
{
	const unsigned int top = zone->box->pages.max_order - 1;
	const unsigned long max_block = 1UL << top;
	unsigned long index = pfn & (max_block - 1);
	unsigned long left = zone->zone_start_pfn + zone->spanned_pages - (pfn - index);

	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_TAIL, 0);
	if (unlikely(left < max_block))
		return merge_last_block(zone, page, index, left, order, migratetype, to_tail);
	merge_block(zone, page - index, index, 0, order, top, migratetype, to_tail);
}

/* As mod_free_pages(), for isolated pageblocks: their pages do not count as free. */
static noinline void mod_free_isolated(struct mmbox_zone *zone, long pages, unsigned int nr)
{
	zone->nr_changes++;
	zone->nr_free_isolated += pages * nr;
}

/* Free 2^@shift adjacent blocks of @order, which form one block, as that block. */
static __always_inline void list_free(struct mmbox_zone *zone, struct mmbox_page *page,
				      unsigned long pfn, unsigned int order,
				      unsigned int shift, int migratetype, bool to_tail)
{
	lockdep_assert_held(&zone->lock);
	if (unlikely(migratetype == MMBOX_MIGRATE_ISOLATE))
		mod_free_isolated(zone, 1L << order, 1U << shift);
	else
		mod_free_pages(zone, 1L << order, 1U << shift);
	__free_one_page(zone, page, pfn, order + shift, migratetype, to_tail);
}

static __always_inline void lock_and_free(struct mmbox_zone *zone, struct mmbox_page *page,
					  unsigned int order, bool to_tail)
{
	unsigned long pfn, flags;

	raw_spin_lock_irqsave(&zone->lock, flags);
	pfn = __mmbox_page_to_pfn(zone->box, page);
	list_free(zone, page, pfn, order, 0, mmbox_pageblock_type(zone->box, pfn), to_tail);
	raw_spin_unlock_irqrestore(&zone->lock, flags);
}

/**
 * mmbox_list_free() - free a block
 * @zone: its zone
 * @page: its first page
 * @order: power of two of pages
 *
 * It goes to the list of its pageblock's type. The type is read under zone->lock, so the
 * pageblock cannot be isolated or unisolated in between.
 *
 * Context: any; zone->lock is taken.
 */
void mmbox_list_free(struct mmbox_zone *zone, struct mmbox_page *page, unsigned int order)
{
	lock_and_free(zone, page, order, false);
}

/**
 * mmbox_list_free_tail() - free a block to the tail of its list, to be allocated last
 * @zone: its zone
 * @page: its first page
 * @order: power of two of pages
 *
 * Context: any; zone->lock is taken.
 */
void mmbox_list_free_tail(struct mmbox_zone *zone, struct mmbox_page *page,
			  unsigned int order)
{
	lock_and_free(zone, page, order, true);
}

static void list_free_either(struct mmbox_zone *zone, struct mmbox_page *page,
			     unsigned int order, bool to_tail)
{
	mmbox_buddy_free(zone, page, order, to_tail);
}

/* The previous entry of a per-CPU list. Lists are freed from the tail, so it comes next. */
static __always_inline struct mmbox_page *prev_page(struct mmbox_page *page)
{
	return list_prev_entry(page, pcp_list);
}

/*
 * The type of free list that a block on a per-CPU list returns to: its own, unless its
 * pageblock may have been isolated since it was put on the list.
 */
static __always_inline int pcp_type(struct mmbox_zone *zone, const struct mmbox_page *page)
{
	if (unlikely(zone->nr_isolate_pageblock))
		return mmbox_pageblock_type(zone->box, __mmbox_page_to_pfn(zone->box, page));
	return page->migratetype;
}

/*
 * Free up to @count blocks of @order from the tail of a per-CPU list that is not empty. The
 * result is as if each were freed alone, the last one first: adjacent blocks that form one
 * larger block are freed as that block, because merging them one by one gives the same.
 * Returns the number of blocks freed, at least 1.
 */
static unsigned int free_run(struct mmbox_zone *zone, struct list_head *list,
			     unsigned int order, unsigned int count)
{
	struct mmbox_page *page = list_last_entry(list, struct mmbox_page, pcp_list);
	struct mmbox_page *next = prev_page(page), *neighbour, *end;
	const unsigned long step = 1UL << order;
	unsigned int shift = 0, max_shift;
	unsigned long pfn;

	lockdep_assert_held(&zone->lock);
	/* Often the next block is not adjacent. */
	if (count > 1 && next == page + step) {
		pfn = __mmbox_page_to_pfn(zone->box, page) >> order;
		max_shift = min_t(unsigned int, ilog2(count),
				  zone->box->pages.pageblock_shift - order);
		if (pfn)
			max_shift = min_t(unsigned int, max_shift, __ffs(pfn));
		end = page + (step << max_shift);
		for (neighbour = page + step; neighbour < end; neighbour += step) {
			if (next != neighbour || next->migratetype != page->migratetype)
				break;
			next = prev_page(next);
		}
		shift = ilog2((neighbour - page) >> order);
		end = page + (step << shift);
		next = prev_page(end - step);
		for (neighbour = page + step; neighbour < end; neighbour += step)
			neighbour->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_TAIL, 0);
	}
	/* Remove all entries behind @next from the list. */
	next->pcp_list.next = list;
	list->prev = &next->pcp_list;
	list_free(zone, page, __mmbox_page_to_pfn(zone->box, page), order, shift,
		  pcp_type(zone, page), false);
	return 1U << shift;
}

/**
 * mmbox_list_free_bulk() - free pages from a CPU's lists to the zone
 * @zone: the zone
 * @pcp: this CPU's lists for the zone, marked busy
 * @count: number of pages, no more than the lists have; the last block may exceed it
 * @pindex: index of the list to start with
 *
 * The oldest block of a list is freed first. A list is emptied before the next one is
 * used.
 *
 * Context: preemption off; zone->lock is taken.
 */
void mmbox_list_free_bulk(struct mmbox_zone *zone, struct mmbox_per_cpu_pages *pcp, int count,
			  unsigned int pindex)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&zone->lock, flags);
	for (; count > 0; pindex = (pindex + 1) % MMBOX_NR_PCP_LISTS) {
		struct list_head *list = &pcp->lists[pindex];
		unsigned int order = mmbox_pindex_to_order(zone->box, pindex);

		while (count > 0 && !list_empty(list)) {
			unsigned int nr = free_run(zone, list, order,
						   DIV_ROUND_UP(count, 1 << order));

			count -= nr << order;
			pcp->count -= nr << order;
		}
	}
	raw_spin_unlock_irqrestore(&zone->lock, flags);
}

/* ---- allocating: split ---- */

/*
 * Find the smallest block of this type that fits: raise @order to its order, and set @area
 * to its free_area. Returns false if there is none. (The compiler would test a NULL twice.)
 */
static __always_inline bool smallest_area(struct mmbox_zone *zone, unsigned int *order,
					  int migratetype, struct mmbox_free_area **area)
{
	unsigned int max_order = zone->box->pages.max_order;

	for (*area = &zone->free_area[*order]; list_empty(&(*area)->free_list[migratetype]);
	     (*area)++)
		if (++*order >= max_order)
			return false;
	return true;
}

static __always_inline struct mmbox_page *first_of(const struct mmbox_free_area *area,
						   int migratetype)
{
	return list_first_entry(&area->free_list[migratetype], struct mmbox_page, buddy_list);
}

/*
 * Take the smallest block that fits, split it, and free the upper halves. Their lists are
 * empty, or there would have been a smaller block. Returns false if there is none.
 */
static __always_inline bool rmqueue_smallest(struct mmbox_zone *zone, unsigned int order,
					     int migratetype, struct mmbox_page **page)
{
	unsigned int current_order = order;
	struct mmbox_free_area *area;
	unsigned long half;

	lockdep_assert_held(&zone->lock);
	if (!smallest_area(zone, &current_order, migratetype, &area))
		return false;
	*page = first_of(area, migratetype);
	del_from_free_list(area, *page);
	for (half = 1UL << current_order; current_order > order;) {
		half >>= 1;
		add_to_empty_list(--area, *page + half, --current_order, migratetype);
	}
	(*page)->migratetype = migratetype;
	return true;
}

static noinline struct mmbox_page *__rmqueue_smallest(struct mmbox_zone *zone,
						      unsigned int order, int migratetype)
{
	struct mmbox_page *page;

	return rmqueue_smallest(zone, order, migratetype, &page) ? page : NULL;
}

/* ---- pageblocks, and stealing from another type ---- */

static void write_pageblock_type(struct mmbox *box, unsigned long pfn, int migratetype)
{
	WRITE_ONCE(box->pages.pageblock_flags[pfn >> box->pages.pageblock_shift], migratetype);
}

static void set_pageblock_type(struct mmbox *box, unsigned long pfn, int migratetype)
{
	if (box->pages.page_group_by_mobility_disabled && migratetype < MMBOX_MIGRATE_PCPTYPES)
		migratetype = MMBOX_MIGRATE_UNMOVABLE;
	write_pageblock_type(box, pfn, migratetype);
}

/*
 * Move the free blocks of a pageblock to the lists of a type; zone->lock is held. Returns
 * the number of pages moved. Moves none if the zone ends inside the pageblock.
 */
static unsigned long move_freepages_block(struct mmbox_zone *zone, unsigned long pfn,
					  int migratetype)
{
	unsigned long start = pfn & ~((1UL << zone->box->pages.pageblock_shift) - 1);
	unsigned long end = start + (1UL << zone->box->pages.pageblock_shift);
	unsigned long moved = 0;

	lockdep_assert_held(&zone->lock);
	if (start < zone->zone_start_pfn)
		start = pfn;
	if (end > zone->zone_start_pfn + zone->spanned_pages)
		return 0;
	for (pfn = start; pfn < end;) {
		struct mmbox_page *page = __mmbox_pfn_to_page(zone->box, pfn);
		unsigned int order;

		/* data_race: as in is_buddy() */
		if (data_race(page->type) != MMBOX_PAGE_BUDDY) {
			pfn++;
			continue;
		}
		order = page->order;
		move_to_free_list(zone, page, order, migratetype);
		pfn += 1UL << order;
		moved += 1UL << order;
	}
	return moved;
}

/*
 * Is it worth stealing the rest of the pageblock too? Yes for large blocks, because most of
 * the pageblock is free then. Yes for types that cannot be moved, because such pages spoil
 * the pageblock for movable ones anyhow.
 */
static bool can_steal_fallback(const struct mmbox *box, unsigned int order, int start_type)
{
	return order >= box->pages.pageblock_shift / 2 ||
	       start_type != MMBOX_MIGRATE_MOVABLE ||
	       box->pages.page_group_by_mobility_disabled;
}

/* Move a free block of another type to @start_type; with @whole_block its pageblock too. */
static void steal_suitable_fallback(struct mmbox_zone *zone, struct mmbox_page *page,
				    unsigned int flags, int start_type, bool whole_block)
{
	struct mmbox *box = zone->box;
	unsigned long pfn = __mmbox_page_to_pfn(box, page);
	unsigned long pageblock_pages = 1UL << box->pages.pageblock_shift;
	int old_type = mmbox_pageblock_type(box, pfn);
	unsigned int order = page->order;
	unsigned long free, alike = 0, i;

	if (old_type == MMBOX_MIGRATE_HIGHATOMIC)
		goto single_block;
	if (order >= box->pages.pageblock_shift) {
		for (i = 0; i < 1UL << order; i += pageblock_pages)
			set_pageblock_type(box, pfn + i, start_type);
		goto single_block;
	}
	if (mmbox_boost_watermark(zone) && flags & ALLOC_KSWAPD)
		set_bit(MMBOX_ZONE_BOOSTED_WATERMARK, &zone->flags);
	if (!whole_block)
		goto single_block;

	free = move_freepages_block(zone, pfn, start_type);
	if (!free)
		goto single_block;
	/*
	 * @alike: pages in use that are compatible with @start_type. A box has no LRU
	 * lists, so no page in use counts as movable. In a movable pageblock all pages
	 * in use therefore count as alike for other types.
	 */
	if (start_type != MMBOX_MIGRATE_MOVABLE && old_type == MMBOX_MIGRATE_MOVABLE)
		alike = pageblock_pages - free;
	if (free + alike >= pageblock_pages / 2 || box->pages.page_group_by_mobility_disabled)
		set_pageblock_type(box, pfn, start_type);
	return;

single_block:
	move_to_free_list(zone, page, order, start_type);
}

/* Find another type that has a free block in this free_area, or return -1. */
static int find_suitable_fallback(const struct mmbox_free_area *area, int start_type)
{
	int i;

	if (!area->nr_free)
		return -1;
	for (i = 0; i < ARRAY_SIZE(fallbacks[0]); i++)
		if (!list_empty(&area->free_list[fallbacks[start_type][i]]))
			return fallbacks[start_type][i];
	return -1;
}

/*
 * Move a block of another type to @start_type. Choose the largest block, because its
 * pageblock most likely has the most free pages. Only a movable request that does not
 * steal the pageblock takes the smallest block that fits.
 */
static noinline bool __rmqueue_fallback(struct mmbox_zone *zone, unsigned int order,
					int start_type, unsigned int flags)
{
	struct mmbox *box = zone->box;
	unsigned int current_order, min_order = order;
	bool can_steal;
	int type = -1;

	lockdep_assert_held(&zone->lock);
	if (start_type >= MMBOX_MIGRATE_PCPTYPES)
		return false;
	if (flags & ALLOC_NOFRAGMENT)
		min_order = max(order, box->pages.pageblock_shift);

	for (current_order = box->pages.max_order; current_order > min_order;) {
		type = find_suitable_fallback(&zone->free_area[--current_order], start_type);
		if (type >= 0)
			break;
	}
	if (type < 0)
		return false;

	can_steal = can_steal_fallback(box, current_order, start_type);
	if (!can_steal && current_order > order) {
		for (current_order = order; ; current_order++) {
			type = find_suitable_fallback(&zone->free_area[current_order],
						      start_type);
			if (type >= 0)
				break;
		}
		can_steal = can_steal_fallback(box, current_order, start_type);
	}
	steal_suitable_fallback(zone, first_block(&zone->free_area[current_order], type),
				flags, start_type, can_steal);
	return true;
}

/* Account for an allocated block. Before the unlock, so that a walk sees it as allocated. */
static __always_inline void mark_allocated(struct mmbox_zone *zone, struct mmbox_page *page,
					   unsigned int order)
{
	lockdep_assert_held(&zone->lock);
	mod_free_pages(zone, -(1L << order), 1);
	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_ALLOCATED, order);
	zone->nr_alloc[order]++;
}

static struct mmbox_page *rmqueue_by_flags(struct mmbox_zone *zone, unsigned int order,
					   int migratetype, unsigned int flags)
{
	struct mmbox_page *page = NULL;

	if (flags & ALLOC_HIGHATOMIC)
		page = __rmqueue_smallest(zone, order, MMBOX_MIGRATE_HIGHATOMIC);
	while (!page) {
		page = __rmqueue_smallest(zone, order, migratetype);
		if (page || !__rmqueue_fallback(zone, order, migratetype, flags))
			break;
	}
	/* Failing a request that cannot wait is worse than using up the reserve. */
	if (!page && flags & ALLOC_NON_BLOCK)
		page = __rmqueue_smallest(zone, order, MMBOX_MIGRATE_HIGHATOMIC);
	return page;
}

static noinline struct mmbox_page *alloc_by_flags(struct mmbox_zone *zone, unsigned int order,
						  int migratetype, unsigned int flags)
{
	struct mmbox_page *page;
	unsigned long irqflags;

	raw_spin_lock_irqsave(&zone->lock, irqflags);
	page = rmqueue_by_flags(zone, order, migratetype, flags);
	if (page)
		mark_allocated(zone, page, order);
	raw_spin_unlock_irqrestore(&zone->lock, irqflags);
	return page;
}

/**
 * mmbox_list_alloc() - allocate a block
 * @zone: the zone
 * @order: power of two of pages
 * @migratetype: enum mmbox_migratetype of the request
 * @flags: ALLOC_*; with ALLOC_OWN_TYPE, which stands alone, this is the fast path, which
 *	does not fall back to other types
 *
 * Context: any; zone->lock is taken.
 * Return: its first page, or NULL if no type that @flags allow has such a block.
 */
struct mmbox_page *mmbox_list_alloc(struct mmbox_zone *zone, unsigned int order,
				    int migratetype, unsigned int flags)
{
	struct mmbox_page *page;
	unsigned long irqflags;

	if (unlikely(flags != ALLOC_OWN_TYPE))
		return alloc_by_flags(zone, order, migratetype, flags);
	raw_spin_lock_irqsave(&zone->lock, irqflags);
	if (likely(rmqueue_smallest(zone, order, migratetype, &page)))
		mark_allocated(zone, page, order);
	else
		page = NULL;
	raw_spin_unlock_irqrestore(&zone->lock, irqflags);
	return page;
}
MMBOX_EXPORT_INTERNAL(mmbox_list_alloc);

/*
 * Free the rest of a block of @block_order, from page @offset on, in aligned blocks. There
 * is at most one of each order, and their lists are empty, as in rmqueue_smallest().
 */
static void give_back(struct mmbox_zone *zone, struct mmbox_page *page, int migratetype,
		      unsigned long offset, unsigned int block_order)
{
	while (offset < 1UL << block_order) {
		unsigned int order = __ffs(offset);

		add_to_empty_list(&zone->free_area[order], page + offset, order, migratetype);
		offset += 1UL << order;
	}
}

/**
 * mmbox_list_alloc_bulk() - move blocks from the zone to one of a CPU's lists
 * @zone: the zone
 * @pcp: this CPU's lists for the zone, marked busy
 * @order: order of the blocks
 * @count: number of blocks wanted
 * @migratetype: enum mmbox_migratetype; with @order it selects the list to append to
 * @flags: ALLOC_*
 *
 * The result is as if each block were allocated alone. Those would all be split off the
 * smallest block that fits until it is used up, so this takes them from it in one go.
 *
 * Context: preemption off; zone->lock is taken.
 * Return: number of blocks moved.
 */
unsigned int mmbox_list_alloc_bulk(struct mmbox_zone *zone, struct mmbox_per_cpu_pages *pcp,
				   unsigned int order, unsigned int count, int migratetype,
				   unsigned int flags)
{
	struct list_head *list = &pcp->lists[mmbox_order_to_pindex(order, migratetype)];
	const unsigned long step = 1UL << order;
	struct list_head *prev = list->prev;
	unsigned int got = 0;
	unsigned long irqflags;

	raw_spin_lock_irqsave(&zone->lock, irqflags);
	while (got < count) {
		unsigned int block_order = order;
		struct mmbox_page *block, *page, *end;
		struct mmbox_free_area *area;
		unsigned int nr;

		if (!smallest_area(zone, &block_order, migratetype, &area)) {
			if (!__rmqueue_fallback(zone, order, migratetype, flags))
				break;
			continue;
		}
		block = first_of(area, migratetype);
		del_from_free_list(area, block);
		nr = min(count - got, 1U << (block_order - order));
		end = block + (nr << order);
		for (page = block; page < end; page += step) {
			page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_PCP, order);
			page->migratetype = migratetype;
			page->pcp_list.prev = prev;
			prev->next = &page->pcp_list;
			prev = &page->pcp_list;
		}
		give_back(zone, block, migratetype, nr << order, block_order);
		got += nr;
	}
	prev->next = list;
	list->prev = prev;
	mod_free_pages(zone, -((long)got << order), 1);
	/* Under the lock, so that a batch counts either for the zone or for the CPU. */
	pcp->count += got << order;
	raw_spin_unlock_irqrestore(&zone->lock, irqflags);
	return got;
}

/* list_empty() without the lock */
static bool list_looks_empty(const struct list_head *list)
{
	return data_race(list_empty(list));	/* a snapshot */
}

/**
 * mmbox_list_has_block() - check for a free block that is large enough
 * @zone: the zone
 * @order: power of two of pages
 * @flags: with ALLOC_HIGHATOMIC, blocks of the atomic reserve count too
 *
 * Context: any, without the lock: a snapshot.
 * Return: true if there is one.
 */
bool mmbox_list_has_block(const struct mmbox_zone *zone, unsigned int order,
			  unsigned int flags)
{
	bool all = !READ_ONCE(zone->nr_reserved_highatomic) &&
		   !READ_ONCE(zone->nr_isolate_pageblock);

	for (; order < zone->box->pages.max_order; order++) {
		const struct mmbox_free_area *area = &zone->free_area[order];
		int mt;

		if (!mmbox_glance(area->nr_free))
			continue;
		if (likely(all))
			return true;
		for (mt = 0; mt < MMBOX_MIGRATE_PCPTYPES; mt++)
			if (!list_looks_empty(&area->free_list[mt]))
				return true;
		if (flags & ALLOC_HIGHATOMIC &&
		    !list_looks_empty(&area->free_list[MMBOX_MIGRATE_HIGHATOMIC]))
			return true;
	}
	return false;
}

/* ---- the reserve for atomic requests of high order ---- */

/* Reserve the pageblock of @page. About one percent of the zone is the limit, plus one block. */
static void list_reserve(struct mmbox_zone *zone, struct mmbox_page *page)
{
	unsigned long pfn = __mmbox_page_to_pfn(zone->box, page);
	unsigned long pageblock_pages = 1UL << zone->box->pages.pageblock_shift;
	unsigned long max = READ_ONCE(zone->managed_pages) / 100 + pageblock_pages;
	unsigned long flags;

	if (READ_ONCE(zone->nr_reserved_highatomic) >= max)
		return;
	raw_spin_lock_irqsave(&zone->lock, flags);
	if (zone->nr_reserved_highatomic < max &&
	    mergeable(mmbox_pageblock_type(zone->box, pfn))) {
		WRITE_ONCE(zone->nr_reserved_highatomic,
			   zone->nr_reserved_highatomic + pageblock_pages);
		set_pageblock_type(zone->box, pfn, MMBOX_MIGRATE_HIGHATOMIC);
		move_freepages_block(zone, pfn, MMBOX_MIGRATE_HIGHATOMIC);
	}
	raw_spin_unlock_irqrestore(&zone->lock, flags);
}

/* Return a reserved pageblock to @migratetype. Without @force, one stays reserved. */
static bool list_unreserve(struct mmbox_zone *zone, int migratetype, bool force)
{
	struct mmbox *box = zone->box;
	unsigned long pageblock_pages = 1UL << box->pages.pageblock_shift;
	unsigned int order;
	unsigned long flags;
	bool freed = false;

	/* With @force, search the lists even if the count says that there is nothing. */
	if (!force && READ_ONCE(zone->nr_reserved_highatomic) <= pageblock_pages)
		return false;
	raw_spin_lock_irqsave(&zone->lock, flags);
	for (order = 0; order < box->pages.max_order && !freed; order++) {
		struct mmbox_page *page;
		unsigned long pfn;

		page = first_block(&zone->free_area[order], MMBOX_MIGRATE_HIGHATOMIC);
		if (!page)
			continue;
		pfn = __mmbox_page_to_pfn(box, page);
		/* A page freed late may be here after its pageblock has been unreserved. */
		if (mmbox_pageblock_type(box, pfn) == MMBOX_MIGRATE_HIGHATOMIC)
			WRITE_ONCE(zone->nr_reserved_highatomic,
				   zone->nr_reserved_highatomic -
				   min(pageblock_pages, zone->nr_reserved_highatomic));
		set_pageblock_type(box, pfn, migratetype);
		freed = move_freepages_block(zone, pfn, migratetype);
	}
	raw_spin_unlock_irqrestore(&zone->lock, flags);
	return freed;
}

/* ---- isolating pageblocks, to take them offline ---- */

/*
 * Free pages of isolated pageblocks do not count as free. Pages freed there go to lists
 * that nothing is allocated from. All pageblocks of a block of the highest order are
 * isolated at once, so that no block contains both isolated and other pageblocks. The
 * caller drains the per-CPU lists afterwards.
 */
static void list_isolate(struct mmbox_zone *zone, unsigned long pfn, u8 *types)
{
	struct mmbox *box = zone->box;
	const unsigned long pageblock_pages = 1UL << box->pages.pageblock_shift;
	unsigned long end = pfn + (1UL << (box->pages.max_order - 1)), at, moved = 0, flags;

	raw_spin_lock_irqsave(&zone->lock, flags);
	for (at = pfn; at < end; at += pageblock_pages) {
		int type = mmbox_pageblock_type(box, at);

		if (type == MMBOX_MIGRATE_HIGHATOMIC)
			WRITE_ONCE(zone->nr_reserved_highatomic,
				   zone->nr_reserved_highatomic -
				   min(pageblock_pages, zone->nr_reserved_highatomic));
		*types++ = type;
		write_pageblock_type(box, at, MMBOX_MIGRATE_ISOLATE);
		WRITE_ONCE(zone->nr_isolate_pageblock, zone->nr_isolate_pageblock + 1);
	}
	for (at = pfn; at < end; at += pageblock_pages)
		moved += move_freepages_block(zone, at, MMBOX_MIGRATE_ISOLATE);
	mod_free_pages(zone, -(long)moved, 1);
	zone->nr_free_isolated += moved;
	raw_spin_unlock_irqrestore(&zone->lock, flags);
}

static void list_unisolate(struct mmbox_zone *zone, unsigned long pfn, const u8 *types)
{
	struct mmbox *box = zone->box;
	const unsigned long pageblock_pages = 1UL << box->pages.pageblock_shift;
	unsigned long end = pfn + (1UL << (box->pages.max_order - 1)), at, moved = 0, flags;

	raw_spin_lock_irqsave(&zone->lock, flags);
	for (at = pfn; at < end; at += pageblock_pages) {
		int type = *types++;

		if (type == MMBOX_MIGRATE_HIGHATOMIC)
			WRITE_ONCE(zone->nr_reserved_highatomic,
				   zone->nr_reserved_highatomic + pageblock_pages);
		write_pageblock_type(box, at, type);
		WRITE_ONCE(zone->nr_isolate_pageblock, zone->nr_isolate_pageblock - 1);
	}
	for (at = pfn; at < end; at += pageblock_pages)
		moved += move_freepages_block(zone, at, mmbox_pageblock_type(box, at));
	mod_free_pages(zone, moved, 1);
	zone->nr_free_isolated -= moved;
	raw_spin_unlock_irqrestore(&zone->lock, flags);
}

static void take_block(struct mmbox_zone *zone, struct mmbox_page *page)
{
	zone->nr_changes++;
	del_from_free_list(&zone->free_area[page->order], page);
}

/* Take a block of the highest order and end its isolation: it is movable when it returns. */
static void take_unit(struct mmbox_zone *zone, unsigned long pfn, unsigned long end)
{
	struct mmbox *box = zone->box;
	unsigned long flags;

	raw_spin_lock_irqsave(&zone->lock, flags);
	mmbox_locked_take(zone, pfn, end, take_block);
	for (; pfn < end; pfn += 1UL << box->pages.pageblock_shift) {
		write_pageblock_type(box, pfn, MMBOX_MIGRATE_MOVABLE);
		WRITE_ONCE(zone->nr_isolate_pageblock, zone->nr_isolate_pageblock - 1);
	}
	raw_spin_unlock_irqrestore(&zone->lock, flags);
}

/* Free pages of isolated pageblocks stay free, so the lock may be dropped in between. */
static unsigned long list_take(struct mmbox_zone *zone, unsigned long start, unsigned long end)
{
	const unsigned long unit = 1UL << (zone->box->pages.max_order - 1);
	unsigned long pfn, used, flags;

	for (pfn = start; pfn < end; pfn += unit) {
		raw_spin_lock_irqsave(&zone->lock, flags);
		used = mmbox_locked_find_used(zone, pfn, pfn + unit);
		raw_spin_unlock_irqrestore(&zone->lock, flags);
		if (used != MMBOX_NO_PFN)
			return used;
	}
	for (pfn = start; pfn < end; pfn += unit) {
		take_unit(zone, pfn, pfn + unit);
		cond_resched();
	}
	return MMBOX_NO_PFN;
}

/* ---- set-up ---- */

/* All costly orders are taken directly; with pcp_thp=1, only those below a huge page's. */
static int list_init(struct mmbox *box)
{
	box->pages.direct_orders = box->cfg.pcp_thp ? MMBOX_THP_ORDER : box->pages.max_order;
	return 0;
}

static int list_resize(struct mmbox_zone *zone, unsigned long start, unsigned long end)
{
	mmbox_locked_resize(zone, start, end);
	return 0;
}

const struct mmbox_page_design mmbox_list_design = {
	.per_cpu_lists = true,
	.migrate_types = true,
	.stat_drift = true,
	.init = list_init,
	.resize = list_resize,
	.alloc = mmbox_list_alloc,
	.free = list_free_either,
	.alloc_bulk = mmbox_list_alloc_bulk,
	.free_bulk = mmbox_list_free_bulk,
	.has_block = mmbox_list_has_block,
	.reserve = list_reserve,
	.unreserve = list_unreserve,
	.isolate = list_isolate,
	.unisolate = list_unisolate,
	.take = list_take,
	.walk = mmbox_locked_walk,
	.hold = mmbox_locked_hold,
	.watch = mmbox_locked_watch,
	.unwatch = mmbox_locked_unwatch,
};
MMBOX_EXPORT_INTERNAL(mmbox_list_design);
