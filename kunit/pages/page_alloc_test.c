// SPDX-License-Identifier: GPL-2.0
/*
 * The page allocator: splitting and merging, per-CPU lists, watermarks, verify, and the
 * contexts that it may be called from.
 */
#include <linux/console.h>
#include <linux/cpu.h>
#include <linux/kmsg_dump.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "churn.h"
#include "faces/faces.h"

#define MAX_PAGES	8192

static struct mmbox *pages_box(struct kunit *test, unsigned int orders)
{
	struct mmbox_config cfg;

	test_config(&cfg, "pages", SZ_32M);
	cfg.zone_dma = SZ_4M;
	cfg.zone_dma32 = 0;
	cfg.orders = orders;
	cfg.pages_only = true;
	cfg.kswapd = false;
	return test_box(test, &cfg);
}

static struct mmbox_zone *zone_of(struct mmbox *box, int idx)
{
	return &mmbox_node_data(box, 0)->node_zones[idx];
}

struct counts {
	unsigned long nr_free[MMBOX_MAX_NR_ZONES][MMBOX_MAX_ORDERS];
};

static void get_counts(struct mmbox *box, struct counts *counts)
{
	int i, order;

	for (i = 0; i < MMBOX_MAX_NR_ZONES; i++)
		for (order = 0; order < MMBOX_MAX_ORDERS; order++)
			counts->nr_free[i][order] = zone_of(box, i)->free_area[order].nr_free;
}

/* Everything is free again, and merged into the blocks of before. */
static void expect_as_before(struct kunit *test, struct mmbox *box,
			     const struct counts *before)
{
	int i, order;

	mmbox_drain_all_pages(box);
	for (i = 0; i < MMBOX_MAX_NR_ZONES; i++)
		for (order = 0; order < MMBOX_MAX_ORDERS; order++)
			KUNIT_EXPECT_EQ_MSG(test, zone_of(box, i)->free_area[order].nr_free,
					    before->nr_free[i][order],
					    "free blocks of zone %d order %d", i, order);
}

/* A block of order 4 out of one of order 10 leaves a free half of each order between. */
static void split_and_merge(struct kunit *test)
{
	struct mmbox *box = pages_box(test, 11);
	struct mmbox_zone *zone = zone_of(box, MMBOX_ZONE_NORMAL);
	struct counts before;
	struct mmbox_page *page;
	unsigned int order;

	/*
	 * Allocate the blocks below order 10. They are movable, as all pageblocks are
	 * after the boot.
	 */
	for (order = 4; order < 10; order++)
		while (zone->free_area[order].nr_free)
			KUNIT_ASSERT_NOT_NULL(test, mmbox_alloc_pages(box, GFP_KERNEL |
								      __GFP_MOVABLE, order));
	get_counts(box, &before);

	page = mmbox_alloc_pages(box, GFP_KERNEL | __GFP_MOVABLE, 4);
	KUNIT_ASSERT_NOT_NULL(test, page);
	for (order = 4; order < 10; order++)
		KUNIT_EXPECT_EQ_MSG(test, zone->free_area[order].nr_free, 1, "order %u", order);
	KUNIT_EXPECT_EQ(test, zone->free_area[10].nr_free,
			before.nr_free[MMBOX_ZONE_NORMAL][10] - 1);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(mmbox_page_to_pfn(box, page), 16));
	test_check_pages(test, box);

	__mmbox_free_pages(box, page, 4);
	expect_as_before(test, box, &before);
}

/* orders= limits the order of a block. All orders below can be allocated. */
static void largest_order(struct kunit *test)
{
	unsigned int orders, order;

	for (orders = 10; orders <= 11; orders++) {
		struct mmbox *box = pages_box(test, orders);
		struct mmbox_page *page;

		for (order = 0; order < orders; order++) {
			page = mmbox_alloc_pages(box, GFP_KERNEL, order);
			KUNIT_ASSERT_NOT_NULL_MSG(test, page, "order %u", order);
			KUNIT_EXPECT_EQ(test, page->order, order);
			KUNIT_EXPECT_TRUE(test, IS_ALIGNED(mmbox_page_to_pfn(box, page),
							   1UL << order));
			__mmbox_free_pages(box, page, order);
		}
		KUNIT_EXPECT_NULL(test, mmbox_alloc_pages(box, GFP_KERNEL, orders));
		KUNIT_EXPECT_NULL(test, mmbox_alloc_pages(box, GFP_KERNEL, 64));
		KUNIT_EXPECT_NULL(test, mmbox_alloc_pages_node(box, 1, GFP_KERNEL, 0));
		KUNIT_EXPECT_NULL(test, mmbox_alloc_pages_node(box, -2, GFP_KERNEL, 0));
		test_box_end(test, box);
	}
}

/* Pages of one block freed in any order merge to one block again. */
static void merge_in_any_order(struct kunit *test)
{
	struct mmbox_page **pages = test_zalloc(test, MAX_PAGES * sizeof(*pages));
	struct mmbox *box = pages_box(test, 11);
	struct counts before;
	unsigned int i, j, nr, round;
	u32 seed = 3;

	get_counts(box, &before);
	for (round = 0; round < 4; round++) {
		unsigned int order = round;

		for (nr = 0; nr < MAX_PAGES >> order; nr++) {
			pages[nr] = mmbox_alloc_pages(box, GFP_KERNEL, order);
			if (!pages[nr])
				break;
		}
		KUNIT_EXPECT_GT(test, nr, 800);
		for (i = 0; i < nr; i++) {
			j = i + test_random(&seed) % (nr - i);
			swap(pages[i], pages[j]);
			__mmbox_free_pages(box, pages[i], order);
		}
		expect_as_before(test, box, &before);
	}
}

/* Allocate all pages. Returns how many @pages has then. */
static unsigned int take_all(struct mmbox *box, struct mmbox_page **pages,
			     unsigned int nr, gfp_t gfp)
{
	while (nr < MAX_PAGES) {
		pages[nr] = mmbox_alloc_pages(box, gfp, 0);
		if (!pages[nr])
			break;
		nr++;
	}
	return nr;
}

/* Free pages, in the zone or on a per-CPU list. */
static long spare(struct mmbox_zone *zone)
{
	return zone->nr_free_pages + mmbox_nr_pcp_pages(zone);
}

/*
 * Out of memory: ordinary requests stop at min plus lowmem_reserve. __GFP_HIGH goes down
 * to half of min, GFP_ATOMIC below that, but not to the last page. Then all is freed.
 */
static void watermarks_hold(struct kunit *test)
{
	struct mmbox_page **pages = test_zalloc(test, MAX_PAGES * sizeof(*pages));
	struct mmbox *box = pages_box(test, 11);
	struct mmbox_zone *dma = zone_of(box, MMBOX_ZONE_DMA);
	struct mmbox_zone *normal = zone_of(box, MMBOX_ZONE_NORMAL);
	long min = normal->_watermark[MMBOX_WMARK_MIN];
	long dma_min = dma->_watermark[MMBOX_WMARK_MIN];
	long reserve = dma->lowmem_reserve[MMBOX_ZONE_NORMAL];
	unsigned int nr, before_high, before_atomic, before_dma, i;
	struct counts before;

	test_pin(test, 0);
	box->pages.watermark_boost_factor = 0;
	get_counts(box, &before);
	nr = take_all(box, pages, 0, GFP_KERNEL);
	KUNIT_EXPECT_GT(test, nr, 6000);
	KUNIT_EXPECT_LT(test, nr, MAX_PAGES);
	KUNIT_EXPECT_LE(test, (long)normal->nr_free_pages, min);
	KUNIT_EXPECT_GE_MSG(test, spare(normal), min, "an ordinary request went below min");
	KUNIT_EXPECT_LE(test, (long)dma->nr_free_pages, dma_min + reserve);
	KUNIT_EXPECT_GE_MSG(test, spare(dma), dma_min + reserve, "lowmem_reserve was used");
	KUNIT_EXPECT_NULL(test, mmbox_alloc_pages(box, GFP_NOWAIT, 0));
	KUNIT_EXPECT_NULL(test, mmbox_alloc_pages(box, GFP_KERNEL, 5));
	test_check_pages(test, box);

	/* GFP_DMA may use what lowmem_reserve keeps from the others. */
	before_dma = nr;
	nr = take_all(box, pages, nr, GFP_KERNEL | GFP_DMA);
	if (reserve)
		KUNIT_EXPECT_GT(test, nr, before_dma);
	for (i = before_dma; i < nr; i++)
		KUNIT_EXPECT_EQ(test, (int)pages[i]->zone_id, MMBOX_ZONE_DMA);
	KUNIT_EXPECT_GE(test, spare(dma), dma_min);

	before_high = nr;
	nr = take_all(box, pages, nr, GFP_KERNEL | __GFP_HIGH);
	KUNIT_EXPECT_GT_MSG(test, nr, before_high, "__GFP_HIGH got nothing of the reserve");
	KUNIT_EXPECT_GE(test, spare(normal), min - min / 2);

	before_atomic = nr;
	nr = take_all(box, pages, nr, GFP_ATOMIC);
	KUNIT_EXPECT_GT_MSG(test, nr, before_atomic, "GFP_ATOMIC got nothing of the reserve");
	min -= min / 2;
	KUNIT_EXPECT_GE(test, spare(normal), min - min / 4);
	KUNIT_EXPECT_GT(test, spare(normal), 0);
	test_check_pages(test, box);

	while (nr)
		__mmbox_free_pages(box, pages[--nr], 0);
	expect_as_before(test, box, &before);
	KUNIT_EXPECT_NOT_NULL(test, mmbox_alloc_pages(box, GFP_KERNEL, 0));
}

struct elsewhere {
	struct mmbox *box;
	struct mmbox_page **pages;
	unsigned int nr;
};

/*
 * No page is left above the watermarks: what each kind of request gets. Each of them
 * returns.
 */
static void out_of_memory_by_flags(struct kunit *test)
{
	static const struct {
		const char *what;
		gfp_t gfp;
		unsigned int order;
		bool gets_one;
	} cases[] = {
		{ "GFP_KERNEL", GFP_KERNEL, 0 },
		{ "GFP_NOWAIT", GFP_NOWAIT, 0 },
		{ "GFP_USER", GFP_USER, 2 },
		{ "GFP_HIGHUSER_MOVABLE", GFP_HIGHUSER_MOVABLE, 0 },
		{ "reclaimable", GFP_KERNEL | __GFP_RECLAIMABLE, 1 },
		{ "__GFP_NORETRY", GFP_KERNEL | __GFP_NORETRY, 0 },
		{ "__GFP_RETRY_MAYFAIL", GFP_KERNEL | __GFP_RETRY_MAYFAIL, 0 },
		{ "__GFP_RETRY_MAYFAIL, costly", GFP_KERNEL | __GFP_RETRY_MAYFAIL, 5 },
		{ "costly", GFP_KERNEL, 4 },
		{ "atomic", GFP_ATOMIC, 0, true },
		{ "atomic, not asking for all it may have", GFP_ATOMIC | __GFP_NOMEMALLOC, 0,
		  true },
		{ "atomic, larger than what is kept", GFP_ATOMIC, 10 },
		{ "__GFP_MEMALLOC", GFP_KERNEL | __GFP_MEMALLOC, 0, true },
		{ "__GFP_MEMALLOC with __GFP_NOMEMALLOC",
		  GFP_KERNEL | __GFP_MEMALLOC | __GFP_NOMEMALLOC, 0 },
		{ "__GFP_NOFAIL", GFP_KERNEL | __GFP_NOFAIL, 0, true },
	};
	struct mmbox_page **pages = test_zalloc(test, MAX_PAGES * sizeof(*pages));
	struct mmbox *box = pages_box(test, 11);
	struct counts before;
	unsigned int nr, i;

	test_pin(test, 0);
	box->pages.watermark_boost_factor = 0;
	get_counts(box, &before);
	nr = take_all(box, pages, 0, GFP_KERNEL | __GFP_NOWARN);
	mmbox_drain_all_pages(box);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mmbox_page *page;

		/* __GFP_NOFAIL may use half of min, __GFP_MEMALLOC all of it. */
		page = mmbox_alloc_pages(box, cases[i].gfp | __GFP_NOWARN, cases[i].order);
		KUNIT_EXPECT_EQ_MSG(test, !!page, cases[i].gets_one, "%s", cases[i].what);
		if (page)
			__mmbox_free_pages(box, page, cases[i].order);
		mmbox_drain_all_pages(box);
	}
	while (nr)
		__mmbox_free_pages(box, pages[--nr], 0);
	expect_as_before(test, box, &before);
}

static void free_one_later(void *arg)
{
	struct elsewhere *e = arg;

	/* By now the other thread waits, or soon will: either is right. */
	schedule_timeout_uninterruptible(HZ / 10);
	while (e->nr)
		__mmbox_free_pages(e->box, e->pages[--e->nr], 0);
}

/* The reserve is empty: __GFP_NOFAIL waits until a page is freed. */
static void nofail_waits(struct kunit *test)
{
	struct elsewhere e = { .box = pages_box(test, 11) };
	struct test_thread *thread;
	struct mmbox_page *page;

	e.pages = test_zalloc(test, MAX_PAGES * sizeof(*e.pages));
	e.box->pages.watermark_boost_factor = 0;
	e.nr = take_all(e.box, e.pages, 0, GFP_KERNEL | __GFP_MEMALLOC | __GFP_NOWARN);
	KUNIT_EXPECT_NULL(test, mmbox_alloc_pages(e.box, GFP_ATOMIC | __GFP_NOWARN, 0));
	thread = test_thread_start(test, 0, free_one_later, &e);
	page = mmbox_alloc_pages(e.box, GFP_KERNEL | __GFP_NOFAIL | __GFP_NOWARN, 0);
	test_thread_wait(thread);
	KUNIT_ASSERT_NOT_NULL(test, page);
	__mmbox_free_pages(e.box, page, 0);
}

/* Half of the box is free, but no two adjacent pages. */
static void no_block_when_fragmented(struct kunit *test)
{
	struct mmbox_page **pages = test_zalloc(test, MAX_PAGES * sizeof(*pages));
	struct mmbox *box = pages_box(test, 11);
	unsigned int nr, i;

	/* Allocate the reserves as well: their pages are not fragmented. */
	for (i = 0; i < MMBOX_MAX_NR_ZONES; i++) {
		struct mmbox_zone *zone = zone_of(box, i);

		memset(zone->_watermark, 0, sizeof(zone->_watermark));
		memset(zone->lowmem_reserve, 0, sizeof(zone->lowmem_reserve));
	}
	nr = take_all(box, pages, 0, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, nr, zone_of(box, MMBOX_ZONE_DMA)->managed_pages +
				  zone_of(box, MMBOX_ZONE_NORMAL)->managed_pages);
	for (i = 0; i < nr; i++)
		if (mmbox_page_to_pfn(box, pages[i]) % 2)
			__mmbox_free_pages(box, pages[i], 0);
	mmbox_drain_all_pages(box);
	KUNIT_EXPECT_GT(test, zone_of(box, MMBOX_ZONE_NORMAL)->nr_free_pages, 2000);
	KUNIT_EXPECT_NULL(test, mmbox_alloc_pages(box, GFP_KERNEL, 1));
	KUNIT_EXPECT_NULL(test, mmbox_alloc_pages(box, GFP_KERNEL, 9));
	KUNIT_EXPECT_NOT_NULL(test, mmbox_alloc_pages(box, GFP_KERNEL, 0));
}

static void gfp_zero_clears(struct kunit *test)
{
	struct mmbox *box = pages_box(test, 11);
	unsigned int order;

	for (order = 0; order <= 6; order++) {
		struct mmbox_page *page = mmbox_alloc_pages(box, GFP_KERNEL, order);
		void *addr = mmbox_page_address(box, page);

		memset(addr, 0xa5, PAGE_SIZE << order);
		__mmbox_free_pages(box, page, order);
		page = mmbox_alloc_pages(box, GFP_KERNEL | __GFP_ZERO, order);
		addr = mmbox_page_address(box, page);
		KUNIT_EXPECT_NULL_MSG(test, memchr_inv(addr, 0, PAGE_SIZE << order),
				      "order %u is not cleared", order);
		__mmbox_free_pages(box, page, order);
	}
}

static void alloc_and_free_by_address(struct kunit *test)
{
	struct mmbox *box = pages_box(test, 11);
	unsigned long addr = __mmbox_get_free_pages(box, GFP_KERNEL, 2);

	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(addr - box->physmap.va_base, PAGE_SIZE << 2));
	memset((void *)addr, 1, PAGE_SIZE << 2);
	mmbox_free_pages(box, addr, 2);
	mmbox_free_pages(box, 0, 2);
	addr = mmbox_get_zeroed_page(box, GFP_KERNEL);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_EXPECT_NULL(test, memchr_inv((void *)addr, 0, PAGE_SIZE));
	mmbox_free_page(box, addr);
	KUNIT_EXPECT_EQ(test, mmbox_nr_used_pages(box), 0);
	KUNIT_EXPECT_EQ(test, test_nr_bad(box), 0);
}

/* A size that is not a power of two of pages: the rest of the block is freed. */
static void exact_size_frees_tail(struct kunit *test)
{
	static const size_t sizes[] = { 1, PAGE_SIZE, 3 * PAGE_SIZE, 5 * PAGE_SIZE + 1, SZ_1M + 1 };
	struct mmbox *box = pages_box(test, 11);
	unsigned int i;
	void *p;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = mmbox_alloc_pages_exact(box, sizes[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, mmbox_nr_used_pages(box), DIV_ROUND_UP(sizes[i], PAGE_SIZE));
		memset(p, 1, sizes[i]);
		mmbox_free_pages_exact(box, p, sizes[i]);
		KUNIT_EXPECT_EQ(test, mmbox_nr_used_pages(box), 0);
	}
	KUNIT_EXPECT_NULL(test, mmbox_alloc_pages_exact(box, 0, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, mmbox_alloc_pages_exact(box, SZ_8M, GFP_KERNEL | __GFP_NOWARN));
	mmbox_free_pages_exact(box, NULL, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, test_nr_bad(box), 0);
}

/* Freed pages stay on the CPU's list, up to high. The last one is handed out first. */
static void cpu_lists_last_freed_first(struct kunit *test)
{
	struct mmbox *box = pages_box(test, 11);
	struct mmbox_zone *zone = zone_of(box, MMBOX_ZONE_NORMAL);
	struct mmbox_page *page[64];
	int i, high = zone->pageset_high;

	test_pin(test, 0);
	KUNIT_EXPECT_EQ(test, mmbox_nr_pcp_pages(zone), 0);
	for (i = 0; i < 64; i++)
		page[i] = mmbox_alloc_pages(box, GFP_KERNEL, 0);
	__mmbox_free_pages(box, page[5], 0);
	KUNIT_EXPECT_GT(test, mmbox_nr_pcp_pages(zone), 0);
	KUNIT_EXPECT_PTR_EQ_MSG(test, mmbox_alloc_pages(box, GFP_KERNEL, 0), page[5],
				"the hottest page does not come first");
	for (i = 0; i < 64; i++) {
		__mmbox_free_pages(box, page[i], 0);
		KUNIT_EXPECT_LE(test, mmbox_nr_pcp_pages(zone), (unsigned long)high);
	}
	KUNIT_EXPECT_GT(test, mmbox_nr_pcp_pages(zone), 0);
	mmbox_drain_all_pages(box);
	KUNIT_EXPECT_EQ(test, mmbox_nr_pcp_pages(zone), 0);
	KUNIT_EXPECT_EQ(test, mmbox_nr_used_pages(box), 0);
}

static void free_elsewhere(void *arg)
{
	struct elsewhere *e = arg;

	while (e->nr)
		__mmbox_free_pages(e->box, e->pages[--e->nr], 0);
}

/* Pages are allocated on one CPU and freed on the other. */
static void free_on_other_cpu(struct kunit *test)
{
	struct elsewhere e = { .box = pages_box(test, 11) };
	struct counts before;
	int round;

	test_needs_two_cpus(test);
	e.pages = test_zalloc(test, MAX_PAGES * sizeof(*e.pages));
	get_counts(e.box, &before);
	for (round = 0; round < 4; round++) {
		test_pin(test, round % 2);
		e.nr = take_all(e.box, e.pages, 0, GFP_KERNEL);
		KUNIT_EXPECT_GT(test, e.nr, 6000);
		test_thread_wait(test_thread_start(test, !(round % 2), free_elsewhere, &e));
		expect_as_before(test, e.box, &before);
	}
}

/*
 * The other CPU's lists are drained before a request that may wait fails.
 */
static void other_cpus_drained_when_short(struct kunit *test)
{
	struct elsewhere e = { .box = pages_box(test, 11) };
	struct mmbox_zone *zone = zone_of(e.box, MMBOX_ZONE_NORMAL);
	struct mmbox_per_cpu_pages *pcp;
	unsigned int few;

	test_needs_two_cpus(test);
	e.pages = test_zalloc(test, MAX_PAGES * sizeof(*e.pages));
	pcp = per_cpu_ptr(zone->per_cpu_pageset, test_nth_cpu(1));
	test_pin(test, 0);
	e.box->pages.watermark_boost_factor = 0;
	take_all(e.box, e.pages, 0, GFP_KERNEL);
	/* The first pages are of the highest zone. */
	few = min(8, pcp->high - 1);
	e.nr = few;
	test_thread_wait(test_thread_start(test, 1, free_elsewhere, &e));
	KUNIT_EXPECT_EQ(test, pcp->count, (int)few);
	KUNIT_EXPECT_NULL(test, mmbox_alloc_pages(e.box, GFP_NOWAIT, 0));
	KUNIT_EXPECT_EQ(test, pcp->count, (int)few);
	KUNIT_EXPECT_NOT_NULL(test, mmbox_alloc_pages(e.box, GFP_KERNEL, 0));
	KUNIT_EXPECT_EQ(test, pcp->count, 0);
}

/* An interrupt that finds the CPU's lists busy uses the zone, and leaves them alone. */
static void interrupt_bypasses_busy_lists(struct kunit *test)
{
	struct mmbox *box = pages_box(test, 11);
	struct mmbox_zone *zone = zone_of(box, MMBOX_ZONE_NORMAL);
	struct mmbox_per_cpu_pages *pcp;
	struct mmbox_page *page;
	bool touched;
	int count;

	test_pin(test, 0);
	__mmbox_free_pages(box, mmbox_alloc_pages(box, GFP_KERNEL, 0), 0);
	preempt_disable();
	pcp = this_cpu_ptr(zone->per_cpu_pageset);
	pcp->busy = 1;
	count = pcp->count;
	page = mmbox_alloc_pages(box, GFP_ATOMIC, 0);
	if (page)
		__mmbox_free_pages(box, page, 0);
	touched = pcp->count != count || pcp->busy != 1;
	pcp->busy = 0;
	preempt_enable();
	KUNIT_EXPECT_FALSE_MSG(test, touched, "the lists were touched");
	KUNIT_EXPECT_NOT_NULL(test, page);
}

/* Random use of all orders. The box runs out of memory now and then. */
static void random_use(struct kunit *test)
{
	unsigned int orders;

	for (orders = 10; orders <= 11; orders++) {
		struct mmbox *box = pages_box(test, orders);
		struct churn *churn = churn_new(test, box, GFP_KERNEL, 256, orders);
		struct counts before;

		get_counts(box, &before);
		churn->max_order = orders - 1;
		churn_run(churn);
		churn_expect_good(test, churn);
		KUNIT_EXPECT_GT_MSG(test, churn->nr_failed, 0, "the box never ran out");
		expect_as_before(test, box, &before);
		test_box_end(test, box);
	}
}

/* Threads and interrupts on each CPU use one box. */
static void storm_on_all_cpus(struct kunit *test)
{
	struct mmbox *box = pages_box(test, 11);
	struct counts before;

	get_counts(box, &before);
	storm_of_pages(test, box, 0);
	expect_as_before(test, box, &before);
}

/* ---- the first zone of a CPU changes ---- */

#define MIN_FLIPS	2000

struct flips {
	struct mmbox *box;
	struct mmbox_zone *zones[2];
	unsigned long nr;
};

/* Swap the first two zones of the zonelist. */
static void flip_first_zone(void *arg)
{
	struct flips *flips = arg;
	struct mmbox_zonelist *list = &flips->box->node[0]->node_zonelists[0];
	unsigned int first = ++flips->nr % 2;

	WRITE_ONCE(list->_zonerefs[0].zone, flips->zones[first]);
	WRITE_ONCE(list->_zonerefs[1].zone, flips->zones[!first]);
	mmbox_set_first_zones(flips->box);
}

/*
 * A zone is below its watermarks, but its list on this CPU has pages. None of them may
 * be handed out, whichever of two zones comes first.
 */
static void marks_hold_as_first_zone_changes(struct kunit *test)
{
	struct mmbox *box = pages_box(test, 11);
	struct mmbox_zone *dma = zone_of(box, MMBOX_ZONE_DMA);
	struct mmbox_zone *normal = zone_of(box, MMBOX_ZONE_NORMAL);
	struct flips flips = { .box = box, .zones = { normal, dma } };
	struct test_interrupts *interrupts;
	unsigned long wrong = 0, got = 0;
	struct mmbox_page *page;
	unsigned int i;

	test_pin(test, 0);
	__mmbox_free_pages(box, mmbox_alloc_pages(box, GFP_NOWAIT, 0), 0);
	KUNIT_ASSERT_GT(test, mmbox_nr_pcp_pages(normal), 0);
	memset(dma->lowmem_reserve, 0, sizeof(dma->lowmem_reserve));
	for (i = 0; i < MMBOX_NR_WMARK; i++)
		normal->_watermark[i] = LONG_MAX / 2;

	interrupts = test_interrupts_start(test, flip_first_zone, &flips);
	while (READ_ONCE(flips.nr) < MIN_FLIPS) {
		page = mmbox_alloc_pages(box, GFP_NOWAIT | __GFP_NOWARN, 0);
		if (!page)
			continue;
		got++;
		wrong += mmbox_page_zone(box, page) == normal;
		__mmbox_free_pages(box, page, 0);
	}
	test_interrupts_stop(interrupts);
	KUNIT_EXPECT_GT(test, got, MIN_FLIPS);
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0, "pages of a zone below its watermarks");

	mutex_lock(&box->pages.memory_lock);
	mmbox_build_zonelists(box, true);
	mmbox_set_first_zones(box);
	mutex_unlock(&box->pages.memory_lock);
	mmbox_setup_per_zone_wmarks(box);
}

/* ---- verify ---- */

/* Wrong counts are found in a zone that is checked in many steps. */
static void verify_finds_wrong_counts(struct kunit *test)
{
	struct mmbox *box = pages_box(test, 11);
	struct mmbox_zone *zone = zone_of(box, MMBOX_ZONE_NORMAL);
	struct mmbox_verify sums;

	KUNIT_ASSERT_EQ(test, 0, mmbox_verify(box, NULL, &sums));
	KUNIT_EXPECT_EQ(test, sums.problems, 0);
	KUNIT_EXPECT_EQ(test, sums.unsettled, 0);
	KUNIT_EXPECT_EQ(test, sums.pages, SZ_32M / PAGE_SIZE);
	KUNIT_EXPECT_EQ_MSG(test, sums.longest, 1024, "pages in one hold");
	zone->nr_free_pages++;
	mmbox_verify(box, NULL, &sums);
	KUNIT_EXPECT_EQ(test, sums.problems, 1);
	zone->nr_free_pages--;
	zone->free_area[3].nr_free++;
	mmbox_verify(box, NULL, &sums);
	KUNIT_EXPECT_EQ(test, sums.problems, 1);
	zone->free_area[3].nr_free--;
	KUNIT_EXPECT_EQ(test, zone->nr_watchers, 0);
}

/* Past the per-CPU lists: each call changes the zone's free blocks twice. */
static void alloc_and_free_block(void *arg)
{
	struct mmbox_page *page = mmbox_alloc_pages(arg, GFP_NOWAIT | __GFP_NOWARN, 5);

	if (page)
		__mmbox_free_pages(arg, page, 5);
}

/* In a zone that is in use verify finds no problem, and reports what it could not check. */
static void verify_in_use_finds_nothing(struct kunit *test)
{
	unsigned long problems = 0, unsettled = 0, nr_blocks;
	struct mmbox *box = pages_box(test, 11);
	struct mmbox_verify sums;
	struct test_loop *loop;
	unsigned int rounds;

	test_needs_two_cpus(test);
	test_pin(test, 0);
	loop = test_loop_start(test, 1, alloc_and_free_block, box);
	for (rounds = 0; rounds < 10000 && (rounds < 50 || unsettled < 5); rounds++) {
		mmbox_verify(box, NULL, &sums);
		problems += sums.problems;
		unsettled += sums.unsettled;
		KUNIT_EXPECT_LE(test, sums.longest, 1024);
	}
	nr_blocks = test_loop_stop(loop);
	kunit_info(test, "%u walks, %lu zones unsettled, %lu blocks taken", rounds, unsettled,
		   nr_blocks);
	KUNIT_EXPECT_EQ(test, problems, 0);
	KUNIT_EXPECT_GE_MSG(test, unsettled, 5, "the zone did not change between two steps");
	mmbox_verify(box, NULL, &sums);
	KUNIT_EXPECT_EQ(test, sums.problems, 0);
	KUNIT_EXPECT_EQ(test, sums.unsettled, 0);
}

/* ---- atomic context ---- */

#ifdef CONFIG_DEBUG_ATOMIC_SLEEP
static unsigned int count_log(struct kunit *test, const char *what)
{
	char *line = test_zalloc(test, 1024);
	struct kmsg_dump_iter iter;
	unsigned int nr = 0;
	size_t len;

	kmsg_dump_rewind(&iter);
	while (kmsg_dump_get_line(&iter, false, line, 1023, &len)) {
		line[len] = 0;
		nr += !!strstr(line, what);
	}
	test_free(test, line);
	return nr;
}

/* With preemption off. Each @way is another call. */
static void alloc_atomically(struct mmbox *box, unsigned int way, gfp_t gfp)
{
	struct mmbox_page *page = NULL;

	preempt_disable();
	switch (way) {
	case 0:
		page = mmbox_alloc_pages_node(box, 0, gfp, 0);
		break;
	case 1:
		page = mmbox_alloc_pages_interleave(box, gfp, 0);
		break;
	case 2:
		mmbox_alloc_pages_bulk_array_node(box, gfp, 0, 1, &page);
		break;
	default:
		page = mmbox_virt_to_page(box, (void *)__mmbox_get_free_pages(box, gfp, 0));
	}
	preempt_enable();
	if (page)
		__mmbox_free_pages(box, page, 0);
}

/*
 * GFP_KERNEL in atomic context: the kernel complains even if there is plenty of memory.
 * It does so once a second at most. This test keeps the complaint off the console.
 */
static void sleeping_request_reported(struct kunit *test)
{
	static const char complaint[] = "sleeping function called from invalid context";
	struct mmbox *box = pages_box(test, 11);
	int level = console_loglevel;
	unsigned int before, way;

	for (way = 0; way < 4; way++) {
		before = count_log(test, complaint);
		alloc_atomically(box, way, GFP_NOWAIT);
		KUNIT_EXPECT_EQ_MSG(test, count_log(test, complaint), before, "way %u", way);
		schedule_timeout_uninterruptible(HZ + 1);
		console_loglevel = CONSOLE_LOGLEVEL_SILENT;
		alloc_atomically(box, way, GFP_KERNEL);
		/* Flush it before the console is switched on again. */
		console_lock();
		console_unlock();
		console_loglevel = level;
		KUNIT_EXPECT_EQ_MSG(test, count_log(test, complaint), before + 1, "way %u", way);
	}
}
#endif

#ifdef CONFIG_HOTPLUG_CPU
/* The lists of a dead CPU are drained. The high limit follows the number of CPUs. */
static void dead_cpu_lists_drained(struct kunit *test)
{
	struct mmbox *box = pages_box(test, 11);
	struct mmbox_zone *zone = zone_of(box, MMBOX_ZONE_NORMAL);
	int round, cpu, err, high = zone->pageset_high;
	unsigned long free;

	if (num_online_cpus() != 2)
		kunit_skip(test, "needs two CPUs");
	free = zone->nr_free_pages;
	for (round = 0; round < 2; round++) {
		test_pin(test, 1);
		cpu = test_nth_cpu(1);
		__mmbox_free_pages(box, mmbox_alloc_pages(box, GFP_KERNEL, 0), 0);
		KUNIT_EXPECT_GT(test, per_cpu_ptr(zone->per_cpu_pageset, cpu)->count, 0);
		test_pin(test, 0);
		err = remove_cpu(cpu);
		if (err)
			kunit_skip(test, "the CPU cannot go offline: %d", err);
		KUNIT_EXPECT_EQ_MSG(test, 0, per_cpu_ptr(zone->per_cpu_pageset, cpu)->count,
				    "pages are left on the lists of a dead CPU");
		KUNIT_EXPECT_EQ(test, free, zone->nr_free_pages);
		/* The only CPU left may keep all of the low watermark. */
		KUNIT_EXPECT_EQ(test, zone->pageset_high,
				max_t(int, zone->_watermark[MMBOX_WMARK_LOW],
				      zone->pageset_batch << 2));
		KUNIT_EXPECT_EQ(test, 0, add_cpu(cpu));
		KUNIT_EXPECT_EQ(test, zone->pageset_high, high);
	}
}
#endif

static struct kunit_case cases[] = {
	KUNIT_CASE(split_and_merge),
	KUNIT_CASE(largest_order),
	KUNIT_CASE(merge_in_any_order),
	KUNIT_CASE(watermarks_hold),
	KUNIT_CASE(out_of_memory_by_flags),
	KUNIT_CASE(nofail_waits),
	KUNIT_CASE(no_block_when_fragmented),
	KUNIT_CASE(gfp_zero_clears),
	KUNIT_CASE(alloc_and_free_by_address),
	KUNIT_CASE(exact_size_frees_tail),
	KUNIT_CASE(cpu_lists_last_freed_first),
	KUNIT_CASE(free_on_other_cpu),
	KUNIT_CASE(other_cpus_drained_when_short),
#ifdef CONFIG_HOTPLUG_CPU
	KUNIT_CASE(dead_cpu_lists_drained),
#endif
	KUNIT_CASE(interrupt_bypasses_busy_lists),
	KUNIT_CASE(marks_hold_as_first_zone_changes),
	KUNIT_CASE(verify_finds_wrong_counts),
	KUNIT_CASE(verify_in_use_finds_nothing),
#ifdef CONFIG_DEBUG_ATOMIC_SLEEP
	KUNIT_CASE(sleeping_request_reported),
#endif
	KUNIT_CASE(random_use),
	KUNIT_CASE(storm_on_all_cpus),
	{}
};

TEST_SUITE(page_alloc_suite, "mmbox_page_alloc", cases);
