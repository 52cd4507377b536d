// SPDX-License-Identifier: GPL-2.0
/*
 * The interface to page designs, with a design that is like neither of the module's: first
 * fit over a bitmap an order, under a lock of its own, with per-CPU lists and without
 * migrate types. The lists of free_area[] are broken in each of its boxes, so whatever
 * follows them outside of the two designs that have them crashes.
 */
#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/spinlock.h>

#include "faces/faces.h"
#include "pages/buddy.h"
#include "testing.h"

/* ---- the design ---- */

/* A zone's own part. One box at a time has this design. */
struct fit_zone {
	raw_spinlock_t lock;
	unsigned long start, end;	/* page frames, whole blocks of the highest order */
	unsigned long *map[MMBOX_MAX_ORDERS];	/* a bit for each free block, @lock */
};

static struct fit_zone fit_zones[MMBOX_NR_ZONE_LINKS];

static struct fit_zone *fit_zone(const struct mmbox_zone *zone)
{
	return &fit_zones[mmbox_zone_link(zone)];
}

static unsigned long nr_bits(const struct fit_zone *fit, unsigned int order)
{
	return (fit->end - fit->start) >> order;
}

static void set_free(struct mmbox_zone *zone, struct fit_zone *fit, unsigned long pfn,
		     unsigned int order, bool is_free)
{
	struct mmbox_page *page = __mmbox_pfn_to_page(zone->box, pfn);

	lockdep_assert_held(&fit->lock);
	page->type_order = is_free ? MMBOX_TYPE_ORDER(MMBOX_PAGE_BUDDY, order) :
				     MMBOX_TYPE_ORDER(MMBOX_PAGE_TAIL, 0);
	__assign_bit((pfn - fit->start) >> order, fit->map[order], is_free);
	WRITE_ONCE(zone->free_area[order].nr_free,
		   zone->free_area[order].nr_free + (is_free ? 1 : -1));
}

static void add_free_pages(struct mmbox_zone *zone, long nr)
{
	zone->nr_changes++;
	WRITE_ONCE(zone->nr_free_pages, zone->nr_free_pages + nr);
}

static void put_block(struct mmbox_zone *zone, struct fit_zone *fit, unsigned long pfn,
		      unsigned int order)
{
	add_free_pages(zone, 1L << order);
	__mmbox_pfn_to_page(zone->box, pfn)->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_TAIL, 0);
	for (; order < zone->box->pages.max_order - 1; order++) {
		unsigned long buddy = pfn ^ (1UL << order);

		if (!test_bit((buddy - fit->start) >> order, fit->map[order]))
			break;
		set_free(zone, fit, buddy, order, false);
		pfn &= ~(1UL << order);
	}
	set_free(zone, fit, pfn, order, true);
}

/* The block at the lowest address that is large enough, or NULL. */
static struct mmbox_page *get_block(struct mmbox_zone *zone, struct fit_zone *fit,
				    unsigned int order, enum mmbox_page_type type)
{
	unsigned int from = 0, i;
	unsigned long pfn = MMBOX_NO_PFN;
	struct mmbox_page *page;

	for (i = order; i < zone->box->pages.max_order; i++) {
		unsigned long bit = find_first_bit(fit->map[i], nr_bits(fit, i));

		if (bit < nr_bits(fit, i) && fit->start + (bit << i) < pfn) {
			pfn = fit->start + (bit << i);
			from = i;
		}
	}
	if (pfn == MMBOX_NO_PFN)
		return NULL;
	set_free(zone, fit, pfn, from, false);
	while (from-- > order)
		set_free(zone, fit, pfn + (1UL << from), from, true);
	add_free_pages(zone, -(1L << order));
	page = __mmbox_pfn_to_page(zone->box, pfn);
	page->type_order = MMBOX_TYPE_ORDER(type, order);
	return page;
}

static struct mmbox_page *fit_alloc(struct mmbox_zone *zone, unsigned int order,
				    int migratetype, unsigned int flags)
{
	struct fit_zone *fit = fit_zone(zone);
	struct mmbox_page *page;
	unsigned long irqflags;

	raw_spin_lock_irqsave(&fit->lock, irqflags);
	page = get_block(zone, fit, order, MMBOX_PAGE_ALLOCATED);
	if (page)
		zone->nr_alloc[order]++;
	raw_spin_unlock_irqrestore(&fit->lock, irqflags);
	return page;
}

static void fit_free(struct mmbox_zone *zone, struct mmbox_page *page, unsigned int order,
		     bool to_tail)
{
	struct fit_zone *fit = fit_zone(zone);
	unsigned long flags;

	raw_spin_lock_irqsave(&fit->lock, flags);
	put_block(zone, fit, __mmbox_page_to_pfn(zone->box, page), order);
	raw_spin_unlock_irqrestore(&fit->lock, flags);
}

static unsigned int fit_alloc_bulk(struct mmbox_zone *zone, struct mmbox_per_cpu_pages *pcp,
				   unsigned int order, unsigned int count, int migratetype,
				   unsigned int flags)
{
	struct list_head *list = &pcp->lists[mmbox_order_to_pindex(order, migratetype)];
	struct fit_zone *fit = fit_zone(zone);
	struct mmbox_page *page;
	unsigned long irqflags;
	unsigned int got;

	raw_spin_lock_irqsave(&fit->lock, irqflags);
	for (got = 0; got < count; got++) {
		page = get_block(zone, fit, order, MMBOX_PAGE_PCP);
		if (!page)
			break;
		page->migratetype = migratetype;
		list_add_tail(&page->pcp_list, list);
	}
	pcp->count += got << order;
	raw_spin_unlock_irqrestore(&fit->lock, irqflags);
	return got;
}

static void fit_free_bulk(struct mmbox_zone *zone, struct mmbox_per_cpu_pages *pcp, int count,
			  unsigned int pindex)
{
	struct fit_zone *fit = fit_zone(zone);
	unsigned long flags;

	raw_spin_lock_irqsave(&fit->lock, flags);
	for (; count > 0; pindex = (pindex + 1) % MMBOX_NR_PCP_LISTS) {
		struct list_head *list = &pcp->lists[pindex];
		unsigned int order = mmbox_pindex_to_order(zone->box, pindex);

		while (count > 0 && !list_empty(list)) {
			struct mmbox_page *page = list_last_entry(list, struct mmbox_page,
								  pcp_list);

			list_del(&page->pcp_list);
			put_block(zone, fit, __mmbox_page_to_pfn(zone->box, page), order);
			count -= 1 << order;
			pcp->count -= 1 << order;
		}
	}
	raw_spin_unlock_irqrestore(&fit->lock, flags);
}

static bool fit_has_block(const struct mmbox_zone *zone, unsigned int order,
			  unsigned int flags)
{
	for (; order < zone->box->pages.max_order; order++)
		if (mmbox_glance(zone->free_area[order].nr_free))
			return true;
	return false;
}

static unsigned long find_used(struct mmbox_zone *zone, unsigned long start, unsigned long end)
{
	while (start < end) {
		const struct mmbox_page *page = __mmbox_pfn_to_page(zone->box, start);

		if (page->type != MMBOX_PAGE_BUDDY)
			return start;
		start += 1UL << page->order;
	}
	return MMBOX_NO_PFN;
}

static unsigned long fit_take(struct mmbox_zone *zone, unsigned long start, unsigned long end)
{
	unsigned int top = zone->box->pages.max_order - 1;
	struct fit_zone *fit = fit_zone(zone);
	unsigned long used, pfn, flags;

	raw_spin_lock_irqsave(&fit->lock, flags);
	used = find_used(zone, start, end);
	for (pfn = start; used == MMBOX_NO_PFN && pfn < end; pfn++) {
		if (IS_ALIGNED(pfn, 1UL << top))
			set_free(zone, fit, pfn, top, false);
		__mmbox_pfn_to_page(zone->box, pfn)->type_order =
			MMBOX_TYPE_ORDER(MMBOX_PAGE_RESERVED, 0);
	}
	if (used == MMBOX_NO_PFN) {
		add_free_pages(zone, start - end);
		zone->nr_free_isolated += end - start;
	}
	raw_spin_unlock_irqrestore(&fit->lock, flags);
	return used;
}

static void fit_walk(struct mmbox_zone *zone, unsigned int order, int migratetype,
		     bool (*visit)(struct mmbox_page *page, void *arg), void *arg)
{
	struct fit_zone *fit = fit_zone(zone);
	unsigned long bit, flags;

	if (migratetype)
		return;
	raw_spin_lock_irqsave(&fit->lock, flags);
	for_each_set_bit(bit, fit->map[order], nr_bits(fit, order))
		if (!visit(__mmbox_pfn_to_page(zone->box, fit->start + (bit << order)), arg))
			break;
	raw_spin_unlock_irqrestore(&fit->lock, flags);
}

static unsigned long fit_hold(struct mmbox_zone *zone,
			      void (*look)(struct mmbox_zone *zone, void *arg), void *arg)
{
	struct fit_zone *fit = fit_zone(zone);
	unsigned long nr_changes, flags;

	raw_spin_lock_irqsave(&fit->lock, flags);
	nr_changes = zone->nr_changes;
	look(zone, arg);
	raw_spin_unlock_irqrestore(&fit->lock, flags);
	return nr_changes;
}

/* Changes are always counted. */
static void fit_watch(struct mmbox_zone *zone)
{
}

/* A zone that grows keeps its maps only as long as they are long enough: enough for here. */
static int fit_resize(struct mmbox_zone *zone, unsigned long start, unsigned long end)
{
	struct fit_zone *fit = fit_zone(zone);

	if (start < end && (start < fit->start || end > fit->end))
		return -ENOMEM;
	WRITE_ONCE(zone->zone_start_pfn, start);
	WRITE_ONCE(zone->spanned_pages, end - start);
	return 0;
}

static int fit_init(struct mmbox *box)
{
	unsigned long block = 1UL << (box->pages.max_order - 1);
	struct mmbox_zone *zone;
	unsigned int order, mt;

	mmbox_for_each_zone(box, zone) {
		struct fit_zone *fit = fit_zone(zone);

		*fit = (struct fit_zone){};
		raw_spin_lock_init(&fit->lock);
		for (order = 0; order < MMBOX_MAX_ORDERS; order++)
			for (mt = 0; mt < MMBOX_MIGRATE_TYPES; mt++)
				zone->free_area[order].free_list[mt] = (struct list_head){};
		if (!zone->spanned_pages)
			continue;
		fit->start = rounddown(zone->zone_start_pfn, block);
		fit->end = roundup(zone->zone_start_pfn + zone->spanned_pages, block);
		for (order = 0; order < box->pages.max_order; order++) {
			fit->map[order] = bitmap_zalloc(nr_bits(fit, order), GFP_KERNEL);
			if (!fit->map[order])
				return -ENOMEM;
		}
	}
	return 0;
}

static void fit_exit(struct mmbox *box)
{
	struct mmbox_zone *zone;
	unsigned int order;

	mmbox_for_each_zone(box, zone)
		for (order = 0; order < MMBOX_MAX_ORDERS; order++)
			bitmap_free(fit_zone(zone)->map[order]);
}

static const struct mmbox_page_design fit_design = {
	.per_cpu_lists = true,
	.init = fit_init,
	.exit = fit_exit,
	.resize = fit_resize,
	.alloc = fit_alloc,
	.free = fit_free,
	.alloc_bulk = fit_alloc_bulk,
	.free_bulk = fit_free_bulk,
	.has_block = fit_has_block,
	.take = fit_take,
	.walk = fit_walk,
	.hold = fit_hold,
	.watch = fit_watch,
	.unwatch = fit_watch,
};

/* ---- the tests ---- */

#define SECTION_PAGES	1024
#define MAX_PAGES	8192

static struct mmbox *fit_box(struct kunit *test)
{
	struct mmbox_config cfg;

	test_config(&cfg, "first-fit", SZ_32M);
	cfg.zone_dma = SZ_4M;
	cfg.zone_dma32 = SZ_8M;
	cfg.page_design = &fit_design;
	cfg.kswapd = false;
	return test_box(test, &cfg);
}

static void check_all(struct kunit *test, struct mmbox *box)
{
	struct mmbox_verify sums = {};

	KUNIT_EXPECT_EQ(test, 0, mmbox_verify(box, NULL, &sums));
	KUNIT_EXPECT_EQ(test, sums.problems, 0);
	KUNIT_EXPECT_EQ(test, mmbox_checksum(box), mmbox_checksum(box));
	test_check_pages(test, box);
}

/* Pages come from the lowest address. Blocks of all orders merge when they are freed. */
static void lowest_address_first(struct kunit *test)
{
	struct mmbox *box = fit_box(test);
	unsigned long before = mmbox_nr_used_pages(box), last = 0;
	struct mmbox_page *page[4];
	unsigned int order, i;

	for (order = MMBOX_PCP_ORDERS; order < box->pages.max_order; order++) {
		for (i = 0; i < ARRAY_SIZE(page); i++) {
			page[i] = mmbox_alloc_pages(box, GFP_KERNEL | __GFP_NOWARN, order);
			if (!page[i])
				break;
			if (i)
				KUNIT_EXPECT_GT(test, mmbox_page_to_pfn(box, page[i]), last);
			last = mmbox_page_to_pfn(box, page[i]);
		}
		KUNIT_EXPECT_GT_MSG(test, i, 0, "order %u", order);
		check_all(test, box);
		while (i--)
			__mmbox_free_pages(box, page[i], order);
	}
	KUNIT_EXPECT_EQ(test, before, mmbox_nr_used_pages(box));
	check_all(test, box);
}

/* What was freed lies on the CPU's list that the next request looks at. */
static void freed_page_allocated_next(struct kunit *test)
{
	static const gfp_t gfps[] = {
		GFP_KERNEL, GFP_KERNEL | __GFP_RECLAIMABLE, GFP_HIGHUSER_MOVABLE,
	};
	struct mmbox *box = fit_box(test);
	struct mmbox_page *page, *other;
	unsigned int order, i;

	test_pin(test, 0);
	for (order = 0; order < MMBOX_PCP_ORDERS; order++) {
		for (i = 0; i < ARRAY_SIZE(gfps); i++) {
			page = mmbox_alloc_pages(box, gfps[i], order);
			KUNIT_ASSERT_NOT_NULL(test, page);
			__mmbox_free_pages(box, page, order);
			other = mmbox_alloc_pages(box, gfps[i], order);
			KUNIT_EXPECT_PTR_EQ_MSG(test, page, other, "order %u", order);
			if (other)
				__mmbox_free_pages(box, other, order);
		}
	}
	check_all(test, box);
}

/* A section goes offline though its pages lie on lists of CPUs, and comes back. */
static void section_on_cpu_lists_goes(struct kunit *test)
{
	struct mmbox *box = fit_box(test);
	struct mmbox_page **pages = test_zalloc(test, MAX_PAGES * sizeof(*pages));
	unsigned long nr, pfn, gone = 0, on_lists = 0;
	unsigned int got = 0;

	test_pin(test, 0);
	for (; got < MAX_PAGES; got++) {
		pages[got] = mmbox_alloc_pages(box, GFP_KERNEL | __GFP_NOWARN, 0);
		if (!pages[got])
			break;
	}
	while (got--)
		__mmbox_free_pages(box, pages[got], 0);
	for (nr = 0; nr < box->memmap.nr_sections; nr++) {
		bool reserved = false, slab = false, listed = false;

		for (pfn = nr * SECTION_PAGES; pfn < (nr + 1) * SECTION_PAGES; pfn++) {
			enum mmbox_page_type type = mmbox_pfn_to_page(box, pfn)->type;

			reserved |= type == MMBOX_PAGE_RESERVED;
			slab |= type == MMBOX_PAGE_SLAB || type == MMBOX_PAGE_KMALLOC;
			listed |= type == MMBOX_PAGE_PCP;
		}
		if (reserved || slab || !listed)
			continue;
		on_lists++;
		KUNIT_EXPECT_EQ_MSG(test, 0, mmbox_memory_offline(box, nr), "section %lu", nr);
		if (mmbox_section_state(box, nr) != MMBOX_SECTION_OFFLINE)
			continue;
		gone++;
		check_all(test, box);
		KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, nr,
							     MMBOX_MMOP_ONLINE_KERNEL));
	}
	KUNIT_EXPECT_GT(test, on_lists, 0);
	KUNIT_EXPECT_EQ(test, gone, on_lists);
	check_all(test, box);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(lowest_address_first),
	KUNIT_CASE(freed_page_allocated_next),
	KUNIT_CASE(section_on_cpu_lists_goes),
	{}
};

TEST_SUITE(page_design_suite, "mmbox_page_design", cases);
