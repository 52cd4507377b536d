// SPDX-License-Identifier: GPL-2.0
/*
 * The buddy allocator of Linux 6.1: free_area[], lists by migrate type.
 *
 * The smallest block that fits is split, its upper halves going to the head of
 * their lists; a block that is freed is merged with its buddy as long as that
 * is free too, which the buddy's descriptor says. Each pageblock has a migrate
 * type, and a block goes back to the list of its pageblock's type, so that what
 * can be moved and what cannot stay apart. Where a type has run out, the largest
 * block of another type is taken, with the rest of its pageblock if that is
 * worth it. A part of the pageblocks may be set aside for atomic requests of
 * high order.
 *
 * The decisions (which block, which end of which list, when to steal) are those
 * of mm/page_alloc.c, Linux 6.1.
 */
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "pages/buddy.h"

/* Where a type goes when its own lists are empty, in this order. */
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

/* The same, where the caller knows that nothing is on the list. */
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

/* To another type, at the end: it is not to be handed out at once. */
static void move_to_free_list(struct mmbox_zone *zone, struct mmbox_page *page,
			      unsigned int order, int migratetype)
{
	struct mmbox_free_area *area = &zone->free_area[order];

	lockdep_assert_held(&zone->lock);
	mmbox_raw_list_del(&page->buddy_list);
	mmbox_raw_list_add_tail(&page->buddy_list, &area->free_list[migratetype]);
}

/* ---- how many pages are free ---- */

/*
 * As Linux counts, so that a watermark is met as early or late as there: this CPU
 * keeps to itself what it has changed, up to a threshold. Where Linux counts
 * @nr blocks one by one, so does this. __mod_zone_page_state(), Linux 6.1.
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

/* Counters drift, or the zone is watched. */
static noinline void mod_free_pages_slowly(struct mmbox_zone *zone, long pages,
					   unsigned int nr)
{
	zone->nr_changes++;
	if (READ_ONCE(zone->stat_threshold))
		drift_free_pages(zone, pages, nr);
	else
		WRITE_ONCE(zone->nr_free_pages, zone->nr_free_pages + pages * nr);
}

/* @nr blocks of so many pages are free now, or, below 0, not any more. */
static __always_inline void mod_free_pages(struct mmbox_zone *zone, long pages,
					   unsigned int nr)
{
	/* data_race: a threshold that has just been set holds from the next change on */
	if (unlikely(data_race(zone->count_slowly)))
		return mod_free_pages_slowly(zone, pages, nr);
	WRITE_ONCE(zone->nr_free_pages, zone->nr_free_pages + pages * nr);
}

/* ---- freeing: merge ---- */

static bool mergeable(int migratetype)
{
	return migratetype < MMBOX_MIGRATE_PCPTYPES;
}

/* Pageblocks that are set aside, or that go offline, do not merge with others. */
static noinline bool pageblocks_merge(const struct mmbox_zone *zone,
				      const struct mmbox_page *buddy, int migratetype)
{
	int buddy_type;

	buddy_type = mmbox_pageblock_type(zone->box, __mmbox_page_to_pfn(zone->box, buddy));
	return migratetype == buddy_type || (mergeable(migratetype) && mergeable(buddy_type));
}

/*
 * Is it a block that is free as a whole, of the order and in the zone that
 * @identity says? (Zones of nodes that take turns span each other.)
 */
static __always_inline bool is_buddy(const struct mmbox_page *page, u32 identity)
{
	/*
	 * data_race: whoever else has the block may write this without the lock,
	 * but as long as it is locked nothing becomes MMBOX_PAGE_BUDDY or ceases to be.
	 */
	return (data_race(page->identity) & MMBOX_BUDDY_IDENTITY_MASK) == identity;
}

/*
 * Merge the block with its buddy as long as that is free too. If then the block
 * of the next order up has a free buddy, this one is likely to merge soon: it
 * goes to the tail, where it is handed out last.
 *
 * No merge leads out of the block of the highest order that this one lies in.
 * @block is the descriptor with which that begins, @index counts pages from
 * there. It is no larger than a section, so its descriptors are one array, of
 * which only the first @nr are there, or all if that is 0. @top is the highest order.
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

/* In a block of the highest order in which the zone, and maybe all memory, ends. */
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

/* The same where pageblocks are isolated: what is free of those does not count. */
static noinline void mod_free_isolated(struct mmbox_zone *zone, long pages, unsigned int nr)
{
	zone->nr_changes++;
	zone->nr_free_isolated += pages * nr;
}

/* Take back 2^@shift neighbours of @order as the one block that they are. */
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
 * mmbox_list_free() - give a block back
 * @zone: its zone
 * @page: its first page
 * @order: power of two of pages
 *
 * It goes to the list of its pageblock's type. That is read under zone->lock, so it
 * cannot be isolated or released in between.
 *
 * Context: any; zone->lock is taken.
 */
void mmbox_list_free(struct mmbox_zone *zone, struct mmbox_page *page, unsigned int order)
{
	lock_and_free(zone, page, order, false);
}

/**
 * mmbox_list_free_tail() - give a block back, to be the last to be handed out again
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

/* The entry before this one, which is the next to be freed. */
static __always_inline struct mmbox_page *prev_page(struct mmbox_page *page)
{
	return list_prev_entry(page, pcp_list);
}

/*
 * The type to give a block from a per-CPU list back to: the one it came with, unless its
 * pageblock may have been isolated since.
 */
static __always_inline int pcp_type(struct mmbox_zone *zone, const struct mmbox_page *page)
{
	if (unlikely(zone->nr_isolate_pageblock))
		return mmbox_pageblock_type(zone->box, __mmbox_page_to_pfn(zone->box, page));
	return page->migratetype;
}

/*
 * Give blocks of @order back, @count at most, from the end of a list that has as many.
 * The result is as if each were freed alone, the last first. Neighbours that are one
 * larger block are freed as that block: merging them one by one ends with the same.
 * Returns how many blocks this freed, at least 1.
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
	/* The next is often not a neighbour. */
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
	/* Cut off all from the end to before @next. */
	next->pcp_list.next = list;
	list->prev = &next->pcp_list;
	list_free(zone, page, __mmbox_page_to_pfn(zone->box, page), order, shift,
		  pcp_type(zone, page), false);
	return 1U << shift;
}

/**
 * mmbox_list_free_bulk() - give pages of a CPU's lists back to the zone
 * @zone: the zone
 * @pcp: this CPU's lists of it, marked busy
 * @count: pages, no more than there are on the lists; the last block may exceed it
 * @pindex: the list to begin with
 *
 * The oldest block of a list goes first. A list is emptied before the next one's turn.
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
 * to what has it. False if there is none: a NULL would be tested twice.
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
 * Take the smallest block that fits and give back its upper halves: to empty lists, or
 * there would have been a smaller block. False if there is none.
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
 * Give the free blocks of a pageblock to the lists of a type; zone->lock is
 * held. Returns how many pages; 0 also if the zone ends within the pageblock.
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
 * Is it worth it to take the rest of the pageblock along? For large blocks, as
 * most of it is free then; for what cannot be moved, as it spoils the pageblock.
 */
static bool can_steal_fallback(const struct mmbox *box, unsigned int order, int start_type)
{
	return order >= box->pages.pageblock_shift / 2 ||
	       start_type != MMBOX_MIGRATE_MOVABLE ||
	       box->pages.page_group_by_mobility_disabled;
}

/* Take a free block of another type, and more of its pageblock if that is worth it. */
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
	 * Nothing in a box is on an LRU list, so nothing in use counts as
	 * movable; what is in use in a movable pageblock is then all alike.
	 */
	if (start_type != MMBOX_MIGRATE_MOVABLE && old_type == MMBOX_MIGRATE_MOVABLE)
		alike = pageblock_pages - free;
	if (free + alike >= pageblock_pages / 2 || box->pages.page_group_by_mobility_disabled)
		set_pageblock_type(box, pfn, start_type);
	return;

single_block:
	move_to_free_list(zone, page, order, start_type);
}

/* Another type that has a block of this order, or -1. */
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
 * Make a block of another type one of @start_type. The largest there is: its
 * pageblock has the most free pages, most likely. Only a movable request that
 * will not get the pageblock takes the smallest that fits.
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

/* Account for a block that is taken. Before the unlock, so that a walk sees it so. */
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
	/* An order-0 page now is worth more than a high-order block later. */
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
 * mmbox_list_alloc() - take one block
 * @zone: from where
 * @order: power of two of pages
 * @migratetype: what will be in it
 * @flags: ALLOC_*; ALLOC_OWN_TYPE alone is the fast path, and only takes of this type
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
 * Give back all of a block of @block_order from @offset on, in aligned parts: no
 * two of one order, and none of an order that there was a block of.
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
 * mmbox_list_alloc_bulk() - move blocks to a CPU's list
 * @zone: from where
 * @pcp: this CPU's lists of it, marked busy
 * @order: of each block
 * @count: how many
 * @migratetype: what will be in them: which list they are appended to
 * @flags: ALLOC_*
 *
 * The result is as if each were taken alone. As they all come off the smallest block that
 * fits until that is used up, they are cut off it at once.
 *
 * Context: preemption off; zone->lock is taken.
 * Return: how many there were.
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
	/* Under the lock, so that a batch is counted either here or there. */
	pcp->count += got << order;
	raw_spin_unlock_irqrestore(&zone->lock, irqflags);
	return got;
}

/* Without the lock. */
static bool list_looks_empty(const struct list_head *list)
{
	return data_race(list_empty(list));	/* a snapshot */
}

/**
 * mmbox_list_has_block() - is there a block that is large enough?
 * @zone: the zone
 * @order: power of two of pages
 * @flags: ALLOC_HIGHATOMIC: a block of the reserve counts as well
 *
 * Context: any, without the lock: a snapshot.
 * Return: true if there is.
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

/* About one percent of a zone may be set aside, and one pageblock in any case. */
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

/* Without @force the last pageblock stays. The pageblock becomes one of @migratetype. */
static bool list_unreserve(struct mmbox_zone *zone, int migratetype, bool force)
{
	struct mmbox *box = zone->box;
	unsigned long pageblock_pages = 1UL << box->pages.pageblock_shift;
	unsigned int order;
	unsigned long flags;
	bool freed = false;

	/* With @force, look at the lists even if the count says that there is nothing. */
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
		/* A page freed late may be on this list though its pageblock is given up. */
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

/* ---- pageblocks on their way offline ---- */

/*
 * The free pages of isolated pageblocks do not count as free, and what is freed there
 * goes to lists that nothing is taken from. All pageblocks of a block of the highest order
 * are isolated at once, so that no merged block has pageblocks of both kinds. Drain the
 * per-CPU lists afterwards.
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

/* Take one block of the highest order, and end its isolation: it comes back movable. */
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

/* What is free of isolated pageblocks stays free, so the lock is held for a block at a time. */
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

/* ---- begin and end ---- */

/* Small orders are on per-CPU lists, and so is the order of a huge page with pcp_thp=1. */
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
