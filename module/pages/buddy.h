/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface to page designs, which manage the free blocks of zones.
 *
 * A page design (struct mmbox_page_design) is a generation of the page allocator. There
 * are two, and buddy= chooses between them when a box is made. buddy_list.c is that of
 * Linux 6.1: it has lists by migrate type, and finds a free buddy by its descriptor.
 * buddy_bitmap.c is that of Linux 2.4: it finds a free buddy by a bitmap. buddy.c has the
 * table of designs, and buddy_locked.c what these two share.
 *
 * The functions below call the design of the zone's box. Do not call them with zone->lock
 * held: designs take it themselves. Hot functions of the list generation are called
 * directly, all others through a pointer.
 */
#ifndef _MMBOX_PAGES_BUDDY_H
#define _MMBOX_PAGES_BUDDY_H

#include "pages/pages.h"

/* ALLOC_* flags: the watermark that a request must observe, and what else it may use. */
#define ALLOC_WMARK_MASK	0x003	/* enum mmbox_zone_watermarks */
#define ALLOC_NO_WATERMARKS	0x004	/* down to the last page */
#define ALLOC_NON_BLOCK		0x010	/* cannot wait: may use another quarter of min */
#define ALLOC_MIN_RESERVE	0x020	/* __GFP_HIGH: may use half of min */
#define ALLOC_NOFRAGMENT	0x100	/* take from other types only whole pageblocks */
#define ALLOC_HIGHATOMIC	0x200	/* may use the high-order atomic reserve */
#define ALLOC_OWN_TYPE		0x400	/* no fallback to other types; stands alone: fast path */
#define ALLOC_KSWAPD		0x800	/* may wake kswapd */
#define ALLOC_RESERVES		(ALLOC_NON_BLOCK | ALLOC_MIN_RESERVE | ALLOC_HIGHATOMIC)

/* No page frame: this is beyond all page frames. */
#define MMBOX_NO_PFN		(-1UL)

/* buddy_list.c */
extern const struct mmbox_page_design mmbox_list_design;
struct mmbox_page *mmbox_list_alloc(struct mmbox_zone *zone, unsigned int order,
				    int migratetype, unsigned int flags);
void mmbox_list_free(struct mmbox_zone *zone, struct mmbox_page *page, unsigned int order);
void mmbox_list_free_tail(struct mmbox_zone *zone, struct mmbox_page *page,
			  unsigned int order);
unsigned int mmbox_list_alloc_bulk(struct mmbox_zone *zone, struct mmbox_per_cpu_pages *pcp,
				   unsigned int order, unsigned int count, int migratetype,
				   unsigned int flags);
void mmbox_list_free_bulk(struct mmbox_zone *zone, struct mmbox_per_cpu_pages *pcp, int count,
			  unsigned int pindex);
bool mmbox_list_has_block(const struct mmbox_zone *zone, unsigned int order,
			  unsigned int flags);

/* buddy_bitmap.c */
extern const struct mmbox_page_design mmbox_bitmap_design;
const unsigned long *mmbox_bitmap_pairs(const struct mmbox_zone *zone, unsigned int order,
					unsigned long *start_pfn, unsigned long *nr);

/* buddy_locked.c: for designs with a zone->lock */
void mmbox_locked_walk(struct mmbox_zone *zone, unsigned int order, int migratetype,
		       bool (*visit)(struct mmbox_page *page, void *arg), void *arg);
unsigned long mmbox_locked_hold(struct mmbox_zone *zone,
				void (*look)(struct mmbox_zone *zone, void *arg), void *arg);
void mmbox_locked_watch(struct mmbox_zone *zone);
void mmbox_locked_unwatch(struct mmbox_zone *zone);
void mmbox_locked_resize(struct mmbox_zone *zone, unsigned long start, unsigned long end);
/* with zone->lock held */
unsigned long mmbox_locked_find_used(struct mmbox_zone *zone, unsigned long start,
				     unsigned long end);
void mmbox_locked_take(struct mmbox_zone *zone, unsigned long start, unsigned long end,
		       void (*take)(struct mmbox_zone *zone, struct mmbox_page *page));

/* ---- the interface ---- */

/* buddy.c */
int mmbox_buddy_init(struct mmbox *box);
void mmbox_buddy_exit(struct mmbox *box);
void mmbox_buddy_add(struct mmbox_zone *zone, struct mmbox_page *page, unsigned int order);
void mmbox_free_blocks(struct mmbox_zone *zone, unsigned long *nr_free);

static __always_inline bool mmbox_is_list(const struct mmbox_zone *zone)
{
	return likely(zone->box->pages.design == &mmbox_list_design);
}

/* See struct mmbox_page_design for what these do. */
static inline struct mmbox_page *mmbox_buddy_alloc(struct mmbox_zone *zone, unsigned int order,
						   int migratetype, unsigned int flags)
{
	if (mmbox_is_list(zone))
		return mmbox_list_alloc(zone, order, migratetype, flags);
	return zone->box->pages.design->alloc(zone, order, migratetype, flags);
}

static inline void mmbox_buddy_free(struct mmbox_zone *zone, struct mmbox_page *page,
				    unsigned int order, bool to_tail)
{
	if (mmbox_is_list(zone))
		return to_tail ? mmbox_list_free_tail(zone, page, order) :
				 mmbox_list_free(zone, page, order);
	zone->box->pages.design->free(zone, page, order, to_tail);
}

static inline unsigned int mmbox_buddy_alloc_bulk(struct mmbox_zone *zone,
						  struct mmbox_per_cpu_pages *pcp,
						  unsigned int order, unsigned int count,
						  int migratetype, unsigned int flags)
{
	if (mmbox_is_list(zone))
		return mmbox_list_alloc_bulk(zone, pcp, order, count, migratetype, flags);
	return zone->box->pages.design->alloc_bulk(zone, pcp, order, count, migratetype, flags);
}

static inline void mmbox_buddy_free_bulk(struct mmbox_zone *zone,
					 struct mmbox_per_cpu_pages *pcp, int count,
					 unsigned int pindex)
{
	if (mmbox_is_list(zone))
		return mmbox_list_free_bulk(zone, pcp, count, pindex);
	zone->box->pages.design->free_bulk(zone, pcp, count, pindex);
}

static inline bool mmbox_buddy_has_block(const struct mmbox_zone *zone, unsigned int order,
					 unsigned int flags)
{
	if (mmbox_is_list(zone))
		return mmbox_list_has_block(zone, order, flags);
	return zone->box->pages.design->has_block(zone, order, flags);
}

static inline void mmbox_buddy_walk(struct mmbox_zone *zone, unsigned int order,
				    int migratetype,
				    bool (*visit)(struct mmbox_page *page, void *arg),
				    void *arg)
{
	zone->box->pages.design->walk(zone, order, migratetype, visit, arg);
}

static inline unsigned long mmbox_buddy_hold(struct mmbox_zone *zone,
					     void (*look)(struct mmbox_zone *zone, void *arg),
					     void *arg)
{
	return zone->box->pages.design->hold(zone, look, arg);
}

static inline void mmbox_buddy_watch(struct mmbox_zone *zone)
{
	zone->box->pages.design->watch(zone);
}

static inline void mmbox_buddy_unwatch(struct mmbox_zone *zone)
{
	zone->box->pages.design->unwatch(zone);
}

#endif /* _MMBOX_PAGES_BUDDY_H */
