// SPDX-License-Identifier: GPL-2.0
/*
 * The bitmap generation: which half of a block is handed out, and when a pair's bit flips.
 */
#include "testing.h"

static struct mmbox *bitmap_box(struct kunit *test)
{
	struct mmbox_config cfg;

	test_config(&cfg, "bitmap", SZ_16M);
	cfg.zone_dma = 0;
	cfg.buddy = MMBOX_BUDDY_BITMAP;
	cfg.orders = MMBOX_MIN_ORDERS;
	cfg.pages_only = true;
	return test_box(test, &cfg);
}

static struct mmbox_zone *zone_of(struct mmbox *box)
{
	return &mmbox_node_data(box, 0)->node_zones[MMBOX_ZONE_DMA32];
}

static bool bit_of(struct mmbox_zone *zone, unsigned long pfn, unsigned int order)
{
	return test_bit(pfn >> (order + 1), zone->free_area[order].map);
}

/*
 * One page of a block of the highest order:
 *
 *	|        256        |    128    | ... | 2 |1|X|
 *
 * The lower halves are free, one of each order, and the bits of their pairs are set.
 */
static void split_and_merge(struct kunit *test)
{
	struct mmbox *box = bitmap_box(test);
	struct mmbox_zone *zone = zone_of(box);
	unsigned long top = zone->free_area[9].nr_free, pfn;
	unsigned int order;
	struct mmbox_page *page;

	/* Boot memory is at the end. Allocate the rest of its block. */
	for (order = 0; order < 9; order++)
		while (zone->free_area[order].nr_free)
			KUNIT_ASSERT_NOT_NULL(test, mmbox_alloc_pages(box, GFP_KERNEL, order));
	page = list_first_entry(&zone->free_area[9].free_list[0], struct mmbox_page, buddy_list);
	pfn = mmbox_page_to_pfn(box, page);
	page = mmbox_alloc_pages(box, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ_MSG(test, mmbox_page_to_pfn(box, page), pfn + 511,
			    "not the highest page of the block");
	KUNIT_EXPECT_EQ(test, zone->free_area[9].nr_free, top - 1);
	for (order = 0; order < 9; order++) {
		KUNIT_EXPECT_EQ(test, zone->free_area[order].nr_free, 1);
		KUNIT_EXPECT_TRUE_MSG(test, bit_of(zone, pfn + 511, order), "order %u", order);
	}
	KUNIT_EXPECT_EQ_MSG(test, mmbox_nr_pcp_pages(zone), 0, "pages went to a per-CPU list");
	test_check_pages(test, box);

	__mmbox_free_pages(box, page, 0);
	KUNIT_EXPECT_EQ(test, zone->free_area[9].nr_free, top);
	for (order = 0; order < 9; order++) {
		KUNIT_EXPECT_EQ(test, zone->free_area[order].nr_free, 0);
		KUNIT_EXPECT_FALSE_MSG(test, bit_of(zone, pfn + 511, order), "order %u", order);
	}
}

/* The last block to be freed is the first to be handed out again. */
static void last_freed_first_allocated(struct kunit *test)
{
	struct mmbox *box = bitmap_box(test);
	struct mmbox_page *a, *b, *c;

	a = mmbox_alloc_pages(box, GFP_KERNEL, 9);
	b = mmbox_alloc_pages(box, GFP_KERNEL, 9);
	c = mmbox_alloc_pages(box, GFP_KERNEL, 9);
	KUNIT_ASSERT_NOT_NULL(test, c);
	__mmbox_free_pages(box, b, 9);
	__mmbox_free_pages(box, a, 9);
	KUNIT_EXPECT_PTR_EQ(test, mmbox_alloc_pages(box, GFP_KERNEL, 9), a);
	KUNIT_EXPECT_PTR_EQ(test, mmbox_alloc_pages(box, GFP_KERNEL, 9), b);
	__mmbox_free_pages(box, b, 9);
	__mmbox_free_pages(box, a, 9);
	__mmbox_free_pages(box, c, 9);
}

/* Pairs are merged by their bit, in whichever order they are freed. */
static void merge_in_any_order(struct kunit *test)
{
	struct mmbox_page **pages = test_zalloc(test, 4096 * sizeof(*pages));
	struct mmbox *box = bitmap_box(test);
	struct mmbox_zone *zone = zone_of(box);
	unsigned long before[MMBOX_MAX_ORDERS];
	unsigned int nr, i, j, order;
	u32 seed = 5;

	for (order = 0; order < box->pages.max_order; order++)
		before[order] = zone->free_area[order].nr_free;
	for (order = 0; order < 4; order++) {
		for (nr = 0; nr < 4096 >> order; nr++) {
			pages[nr] = mmbox_alloc_pages(box, GFP_KERNEL | __GFP_NOWARN, order);
			if (!pages[nr])
				break;
		}
		KUNIT_EXPECT_GT(test, nr, 400);
		for (i = 0; i < nr; i++) {
			j = i + test_random(&seed) % (nr - i);
			swap(pages[i], pages[j]);
			__mmbox_free_pages(box, pages[i], order);
		}
		test_check_pages(test, box);
		for (i = 0; i < box->pages.max_order; i++)
			KUNIT_EXPECT_EQ_MSG(test, zone->free_area[i].nr_free, before[i],
					    "order %u", i);
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(split_and_merge),
	KUNIT_CASE(last_freed_first_allocated),
	KUNIT_CASE(merge_in_any_order),
	{}
};

TEST_SUITE(buddy_bitmap_suite, "mmbox_buddy_bitmap", cases);
