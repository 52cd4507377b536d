/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The buddy allocator of a zone: free blocks in, free blocks out.
 *
 * Two generations of it live behind these calls, each in a room of its own,
 * chosen by buddy= when a box is made: buddy_list.c is Linux 6.1's, with lists
 * by migrate type and descriptors that say whether a buddy is free;
 * buddy_bitmap.c is Linux 2.4's, where a bitmap says so. Above them, in
 * page_alloc.c and pagesets.c, are per-CPU lists, watermarks and zonelists.
 *
 * Calls that name a zone are made with its lock held, but for those that end in
 * _direct and those that ask.
 */
#ifndef _MMBOX_BUDDY_H
#define _MMBOX_BUDDY_H

#include "pages/pages.h"

/* What a request may do beyond waiting for free > watermark. */
#define ALLOC_WMARK_MASK	0x003	/* enum mmbox_zone_watermarks */
#define ALLOC_NO_WATERMARKS	0x004	/* to the last page */
#define ALLOC_NON_BLOCK		0x010	/* cannot wait: a quarter more of min is yours */
#define ALLOC_MIN_RESERVE	0x020	/* __GFP_HIGH: half of min is yours */
#define ALLOC_NOFRAGMENT	0x100	/* keep pageblocks of one type */
#define ALLOC_HIGHATOMIC	0x200	/* the high-order atomic reserve is yours */
#define ALLOC_KSWAPD		0x800	/* may wake kswapd */
#define ALLOC_RESERVES		(ALLOC_NON_BLOCK | ALLOC_MIN_RESERVE | ALLOC_HIGHATOMIC)

/* buddy_list.c */
int mmbox_list_init(struct mmbox *box);
void mmbox_list_exit(struct mmbox *box);
struct mmbox_page *mmbox_list_rmqueue(struct mmbox_zone *zone, unsigned int order,
				      int migratetype, unsigned int flags);
struct mmbox_page *mmbox_list_rmqueue_direct(struct mmbox_zone *zone, unsigned int order,
					     int migratetype);
unsigned int mmbox_list_rmqueue_bulk(struct mmbox_zone *zone, unsigned int order,
				     unsigned int count, int migratetype,
				     unsigned int flags, struct list_head *list);
void mmbox_list_free(struct mmbox_zone *zone, struct mmbox_page *page,
		     unsigned int order, int migratetype, bool to_tail);
void mmbox_list_free_direct(struct mmbox_zone *zone, struct mmbox_page *page,
			    unsigned int order, int migratetype);
unsigned int mmbox_list_free_bulk(struct mmbox_zone *zone, struct list_head *list,
				  unsigned int order, unsigned int count);
bool mmbox_list_has_block(const struct mmbox_zone *zone, unsigned int order,
			  unsigned int flags);
void mmbox_reserve_highatomic(struct mmbox_zone *zone, struct mmbox_page *page);
bool mmbox_unreserve_highatomic(struct mmbox_zone *zone, int migratetype, bool force);
void mmbox_list_isolate(struct mmbox_zone *zone, unsigned long pfn, u8 *types);
void mmbox_list_unisolate(struct mmbox_zone *zone, unsigned long pfn, const u8 *types);
void mmbox_list_take(struct mmbox_zone *zone, struct mmbox_page *page);
void mmbox_list_end_isolation(struct mmbox_zone *zone, unsigned long pfn);

/* buddy_bitmap.c */
int mmbox_bitmap_init(struct mmbox *box);
void mmbox_bitmap_exit(struct mmbox *box);
struct mmbox_page *mmbox_bitmap_rmqueue(struct mmbox_zone *zone, unsigned int order);
void mmbox_bitmap_free(struct mmbox_zone *zone, struct mmbox_page *page, unsigned int order);
bool mmbox_bitmap_has_block(const struct mmbox_zone *zone, unsigned int order);
unsigned long mmbox_bitmap_pairs(const struct mmbox_zone *zone, unsigned int order,
				 unsigned long *start_pfn);
void mmbox_bitmap_take(struct mmbox_zone *zone, struct mmbox_page *page);
int mmbox_bitmap_cover(struct mmbox_zone *zone, unsigned long start_pfn,
		       unsigned long end_pfn);

static inline bool mmbox_is_bitmap(const struct mmbox *box)
{
	return box->cfg.buddy == MMBOX_BUDDY_BITMAP;
}

/* Pageblocks and lists are there in both generations; the map in one. */
static inline int mmbox_buddy_init(struct mmbox *box)
{
	int err = mmbox_list_init(box);

	return err || !mmbox_is_bitmap(box) ? err : mmbox_bitmap_init(box);
}

static inline void mmbox_buddy_exit(struct mmbox *box)
{
	mmbox_bitmap_exit(box);
	mmbox_list_exit(box);
}

/* Is there a block of @order or more that a request with @flags may have? */
static inline bool mmbox_buddy_has_block(const struct mmbox_zone *zone,
					 unsigned int order, unsigned int flags)
{
	if (unlikely(mmbox_is_bitmap(zone->box)))
		return mmbox_bitmap_has_block(zone, order);
	return mmbox_list_has_block(zone, order, flags);
}

/*
 * Would an allocation of this order leave @free pages above @mark? Asked for
 * the pages first, then, above order 0, for a block that is large enough.
 * __zone_watermark_ok(), Linux 6.1.
 */
static inline bool mmbox_watermark_ok(const struct mmbox_zone *zone, unsigned int order,
				      unsigned long mark, int highest, unsigned int flags,
				      long free)
{
	long min = mark;

	free -= (1L << order) - 1;
	if (likely(!(flags & ALLOC_RESERVES)))
		free -= READ_ONCE(zone->nr_reserved_highatomic);
	if (flags & ALLOC_MIN_RESERVE) {
		min -= min / 2;
		if (flags & ALLOC_NON_BLOCK)
			min -= min / 4;
	}
	if (free <= min + READ_ONCE(zone->lowmem_reserve[highest]))
		return false;
	return !order || mmbox_buddy_has_block(zone, order, flags);
}

/* One block, or NULL. */
static inline struct mmbox_page *
mmbox_buddy_rmqueue(struct mmbox_zone *zone, unsigned int order, int migratetype,
		    unsigned int flags)
{
	if (unlikely(mmbox_is_bitmap(zone->box)))
		return mmbox_bitmap_rmqueue(zone, order);
	return mmbox_list_rmqueue(zone, order, migratetype, flags);
}

/* A block back, merged as far as it goes. */
static inline void mmbox_buddy_free(struct mmbox_zone *zone, struct mmbox_page *page,
				    unsigned int order, int migratetype, bool to_tail)
{
	if (unlikely(mmbox_is_bitmap(zone->box)))
		return mmbox_bitmap_free(zone, page, order);
	mmbox_list_free(zone, page, order, migratetype, to_tail);
}

#endif /* _MMBOX_BUDDY_H */
