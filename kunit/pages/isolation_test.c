// SPDX-License-Identifier: GPL-2.0
/*
 * Pageblocks are isolated and released while another CPU frees pages of them. No page
 * is lost, and none stays on a per-CPU list while its pageblock is isolated.
 */
#include <linux/cpu.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "pages/buddy.h"
#include "testing.h"

#define UNIT_PAGES	1024UL		/* a block of the highest order, one pageblock */
#define MAX_PAGES	8192
#define HOLD		64		/* most blocks that the other CPU allocates at a time */
#define MIN_OVERLAPS	200		/* frees to an isolated pageblock */
#define MIN_ROUNDS	400
#define MAX_ROUNDS	20000

static struct mmbox *isolation_box(struct kunit *test)
{
	struct mmbox_config cfg;
	struct mmbox_zone *zone;
	struct mmbox *box;

	test_config(&cfg, "isolation", SZ_32M);
	cfg.zone_dma = 0;
	cfg.zone_dma32 = 0;
	cfg.pages_only = true;
	cfg.kswapd = false;
	box = test_box(test, &cfg);
	/* No reserves: each free page may be allocated. */
	mmbox_for_each_zone(box, zone) {
		memset(zone->_watermark, 0, sizeof(zone->_watermark));
		memset(zone->lowmem_reserve, 0, sizeof(zone->lowmem_reserve));
	}
	return box;
}

static unsigned long unit_of(struct mmbox *box, const struct mmbox_page *page)
{
	return __mmbox_page_to_pfn(box, page) & ~(UNIT_PAGES - 1);
}

struct find_block {
	const struct mmbox_page *page;
	bool found;
};

static bool is_block(struct mmbox_page *page, void *arg)
{
	struct find_block *find = arg;

	find->found = page == find->page;
	return !find->found;
}

/* Is a free block on the list of a type? */
static bool on_list_of(struct mmbox_zone *zone, const struct mmbox_page *page, int type)
{
	struct find_block find = { .page = page };

	mmbox_buddy_walk(zone, page->order, type, is_block, &find);
	return find.found;
}

/* A page is on a per-CPU list when its pageblock is isolated, and is drained then or later. */
static void drain_isolated_pageblock(struct kunit *test)
{
	struct mmbox *box = isolation_box(test);
	struct mmbox_page *page, *block;
	struct mmbox_zone *zone;
	unsigned long free;
	bool released;
	u8 was;

	test_pin(test, 0);
	for (released = false; ; released = true) {
		page = mmbox_alloc_pages(box, GFP_KERNEL, 0);
		KUNIT_ASSERT_NOT_NULL(test, page);
		zone = mmbox_page_zone(box, page);
		mmbox_drain_all_pages(box);
		free = zone->nr_free_pages;
		__mmbox_free_pages(box, page, 0);
		KUNIT_ASSERT_EQ(test, page->type, MMBOX_PAGE_PCP);
		box->pages.design->isolate(zone, unit_of(box, page), &was);
		if (released)
			box->pages.design->unisolate(zone, unit_of(box, page), &was);
		mmbox_drain_all_pages(box);
		block = mmbox_block_head(box, page);
		KUNIT_ASSERT_EQ(test, block->type, MMBOX_PAGE_BUDDY);
		KUNIT_EXPECT_EQ_MSG(test, on_list_of(zone, block, MMBOX_MIGRATE_ISOLATE),
				    !released, "the page went back to the wrong list");
		if (released)
			break;
		box->pages.design->unisolate(zone, unit_of(box, page), &was);
		KUNIT_EXPECT_EQ_MSG(test, zone->nr_free_pages, free + 1, "the page is lost");
		KUNIT_EXPECT_EQ(test, zone->nr_free_isolated, 0);
	}
	KUNIT_EXPECT_EQ_MSG(test, zone->nr_free_pages, free + 1, "the page is lost");
	KUNIT_EXPECT_EQ(test, zone->nr_free_isolated, 0);
}

/* A block is in use when its pageblock is isolated, and is freed then. */
static void free_to_isolated_pageblock(struct kunit *test)
{
	struct mmbox *box = isolation_box(test);
	struct mmbox_page *page = mmbox_alloc_pages(box, GFP_KERNEL, 4);
	struct mmbox_zone *zone;
	unsigned long free, left;
	u8 was;

	KUNIT_ASSERT_NOT_NULL(test, page);
	zone = mmbox_page_zone(box, page);
	free = zone->nr_free_pages;
	box->pages.design->isolate(zone, unit_of(box, page), &was);
	KUNIT_EXPECT_EQ(test, mmbox_pageblock_type(box, __mmbox_page_to_pfn(box, page)),
			MMBOX_MIGRATE_ISOLATE);
	left = zone->nr_free_pages;
	__mmbox_free_pages(box, page, 4);
	KUNIT_EXPECT_EQ_MSG(test, zone->nr_free_pages, left, "isolated pages count as free");
	KUNIT_EXPECT_TRUE_MSG(test, on_list_of(zone, mmbox_block_head(box, page),
					       MMBOX_MIGRATE_ISOLATE),
			      "the block can be handed out");
	box->pages.design->unisolate(zone, unit_of(box, page), &was);
	KUNIT_EXPECT_EQ_MSG(test, zone->nr_free_pages, free + 16, "the block is lost");
	KUNIT_EXPECT_EQ(test, zone->nr_free_isolated, 0);
	KUNIT_EXPECT_FALSE_MSG(test, on_list_of(zone, mmbox_block_head(box, page),
						MMBOX_MIGRATE_ISOLATE),
			       "the block is on the list of isolated blocks");
}

/* Allocates and frees blocks of one unit, on another CPU. */
struct unit_user {
	struct mmbox *box;
	unsigned int order;
	unsigned long nr_overlaps;	/* frees to the unit while it is isolated */
	unsigned long nr_rounds;	/* with at least one block */
};

static void use_unit(void *arg)
{
	struct mmbox_page *held[HOLD];
	struct unit_user *user = arg;
	unsigned int nr;

	for (nr = 0; nr < HOLD; nr++) {
		held[nr] = mmbox_alloc_pages(user->box, GFP_NOWAIT | __GFP_NOWARN, user->order);
		if (!held[nr])
			break;
	}
	if (nr)
		WRITE_ONCE(user->nr_rounds, user->nr_rounds + 1);
	while (nr--) {
		unsigned long pfn = __mmbox_page_to_pfn(user->box, held[nr]);

		if (mmbox_pageblock_type(user->box, pfn) == MMBOX_MIGRATE_ISOLATE)
			WRITE_ONCE(user->nr_overlaps, user->nr_overlaps + 1);
		__mmbox_free_pages(user->box, held[nr], user->order);
	}
}

/* Pages of a unit that are on a per-CPU list. */
static unsigned long on_lists(struct mmbox *box, unsigned long unit)
{
	unsigned long pfn, nr = 0;

	for (pfn = unit; pfn < unit + UNIT_PAGES; pfn++)
		nr += mmbox_glance(__mmbox_pfn_to_page(box, pfn)->type) == MMBOX_PAGE_PCP;
	return nr;
}

/* All pages but one unit are allocated, so that the other CPU gets pages of this unit. */
static void isolate_in_use(struct kunit *test, unsigned int order)
{
	struct mmbox_page **pages = test_zalloc(test, MAX_PAGES * sizeof(*pages));
	struct mmbox *box = isolation_box(test);
	struct unit_user user = { .box = box, .order = order };
	unsigned long free, unit, kept = 0, seen;
	unsigned int nr, i, rounds;
	struct test_loop *loop;
	struct mmbox_zone *zone;
	u8 was;

	test_needs_two_cpus(test);
	test_pin(test, 0);
	zone = &box->node[0]->node_zones[MMBOX_ZONE_NORMAL];
	free = zone->nr_free_pages;
	for (nr = 0; nr < MAX_PAGES; nr++) {
		pages[nr] = mmbox_alloc_pages(box, GFP_KERNEL | __GFP_NOWARN, 0);
		if (!pages[nr])
			break;
	}
	KUNIT_ASSERT_EQ(test, nr, free);
	/* The first page handed out is of a unit that was wholly free. */
	unit = unit_of(box, pages[0]);
	for (i = 0; i < nr; i++) {
		if (unit_of(box, pages[i]) != unit)
			continue;
		__mmbox_free_pages(box, pages[i], 0);
		pages[i] = NULL;
	}
	mmbox_drain_all_pages(box);
	KUNIT_ASSERT_EQ(test, zone->nr_free_pages, UNIT_PAGES);

	loop = test_loop_start(test, 1, use_unit, &user);
	for (rounds = 0; rounds < MAX_ROUNDS; rounds++) {
		if (READ_ONCE(user.nr_overlaps) >= MIN_OVERLAPS && rounds >= MIN_ROUNDS)
			break;
		if (READ_ONCE(zone->nr_free_isolated))
			break;
		/* Wait for a round of the other CPU, which cannot come if pages are lost. */
		seen = READ_ONCE(user.nr_rounds);
		while (READ_ONCE(user.nr_rounds) == seen && !READ_ONCE(zone->nr_free_isolated))
			cond_resched();
		box->pages.design->isolate(zone, unit, &was);
		if (!order) {
			cpus_read_lock();
			mmbox_drain_all_pages_cpuslocked(box);
			cpus_read_unlock();
			kept += on_lists(box, unit);
		}
		box->pages.design->unisolate(zone, unit, &was);
	}
	test_loop_stop(loop);
	kunit_info(test, "order %u: %u isolations, %lu frees meanwhile", order, rounds,
		   user.nr_overlaps);
	KUNIT_EXPECT_GE_MSG(test, user.nr_overlaps, MIN_OVERLAPS, "too few frees met an isolation");
	KUNIT_EXPECT_EQ_MSG(test, kept, 0, "a page of an isolated pageblock is on a list");

	for (i = 0; i < nr; i++)
		if (pages[i])
			__mmbox_free_pages(box, pages[i], 0);
	mmbox_drain_all_pages(box);
	KUNIT_EXPECT_EQ_MSG(test, zone->nr_free_pages, free, "pages are lost");
	KUNIT_EXPECT_EQ(test, zone->nr_free_isolated, 0);
	KUNIT_EXPECT_EQ(test, zone->nr_isolate_pageblock, 0);
}

/* Blocks that bypass the per-CPU lists: the type is read before zone->lock is taken. */
static void isolate_amid_large_frees(struct kunit *test)
{
	isolate_in_use(test, 4);
}

/* Pages go to a per-CPU list: the type is read before the page is put there. */
static void isolate_amid_page_frees(struct kunit *test)
{
	isolate_in_use(test, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(drain_isolated_pageblock),
	KUNIT_CASE(free_to_isolated_pageblock),
	KUNIT_CASE(isolate_amid_large_frees),
	KUNIT_CASE(isolate_amid_page_frees),
	{}
};

TEST_SUITE(isolation_suite, "mmbox_isolation", cases);
