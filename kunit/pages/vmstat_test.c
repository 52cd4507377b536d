// SPDX-License-Identifier: GPL-2.0
/*
 * Counters: what a box says that it has done is what was done with it.
 */
#include <linux/atomic.h>
#include <linux/string.h>

#include "testing.h"

static unsigned long *stat_of(struct kunit *test, struct mmbox *box)
{
	unsigned long *stat = test_zalloc(test, MMBOX_NR_STATS * sizeof(long));

	mmbox_all_stat(box, stat);
	return stat;
}

/* What has changed of @item since @before. */
static long since(struct kunit *test, struct mmbox *box,
		  const unsigned long *before, int item)
{
	return stat_of(test, box)[item] - before[item];
}

/* Pages are counted as pages, of whatever order; hits are allocations. */
static void allocations(struct kunit *test)
{
	static const unsigned int orders[] = { 0, 0, 1, 3, 4, 0, 9 };
	struct mmbox *box = test_small_box(test);
	struct mmbox_page *pages[ARRAY_SIZE(orders)];
	unsigned long *before, nr_pages = 0;
	int i;

	before = stat_of(test, box);
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		pages[i] = mmbox_alloc_pages(box, GFP_KERNEL, orders[i]);
		KUNIT_ASSERT_NOT_NULL(test, pages[i]);
		nr_pages += 1UL << orders[i];
	}
	KUNIT_EXPECT_EQ(test, since(test, box, before, MMBOX_PGALLOC + MMBOX_ZONE_NORMAL) +
			since(test, box, before, MMBOX_PGALLOC + MMBOX_ZONE_DMA), nr_pages);
	KUNIT_EXPECT_EQ(test, since(test, box, before, MMBOX_PGFREE), 0);
	KUNIT_EXPECT_EQ(test, since(test, box, before, MMBOX_NUMA_HIT), ARRAY_SIZE(orders));
	KUNIT_EXPECT_EQ(test, since(test, box, before, MMBOX_NUMA_LOCAL), ARRAY_SIZE(orders));
	KUNIT_EXPECT_EQ(test, since(test, box, before, MMBOX_NUMA_MISS), 0);

	for (i = 0; i < ARRAY_SIZE(orders); i++)
		__mmbox_free_pages(box, pages[i], orders[i]);
	KUNIT_EXPECT_EQ(test, since(test, box, before, MMBOX_PGFREE), nr_pages);

	/* Moving pages from the CPUs' lists to the zones frees nothing. */
	mmbox_drain_all_pages(box);
	KUNIT_EXPECT_EQ(test, since(test, box, before, MMBOX_PGFREE), nr_pages);
}

/* Each zone has a counter of its own. */
static void by_zone(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	unsigned long *before = stat_of(test, box);
	struct mmbox_page *page = mmbox_alloc_pages(box, GFP_KERNEL | GFP_DMA, 2);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, since(test, box, before, MMBOX_PGALLOC + MMBOX_ZONE_DMA), 4);
	KUNIT_EXPECT_EQ(test, since(test, box, before, MMBOX_PGALLOC + MMBOX_ZONE_NORMAL), 0);
	__mmbox_free_pages(box, page, 2);
}

struct churn {
	struct mmbox *box;
	atomic_long_t nr;
};

static void churn_page(void *arg)
{
	struct churn *churn = arg;
	struct mmbox_page *page = mmbox_alloc_pages(churn->box, GFP_ATOMIC, 0);

	if (!page)
		return;
	atomic_long_inc(&churn->nr);
	__mmbox_free_pages(churn->box, page, 0);
}

static void churn_pages(void *arg)
{
	unsigned int i;

	for (i = 0; i < test_ops; i++)
		churn_page(arg);
}

/* Pages that an interrupt takes while the CPU is busy are counted too. */
static void from_interrupts(struct kunit *test)
{
	struct churn churn = { .box = test_small_box(test) };
	unsigned long *before = stat_of(test, churn.box);
	struct test_interrupts *interrupts;
	struct test_thread *thread;
	long nr;

	test_pin(test, 0);
	interrupts = test_interrupts_start(test, churn_page, &churn);
	thread = test_thread_start(test, num_online_cpus() - 1, churn_pages, &churn);
	churn_pages(&churn);
	test_thread_wait(thread);
	test_interrupts_stop(interrupts);

	nr = atomic_long_read(&churn.nr);
	KUNIT_EXPECT_GT(test, nr, 0);
	KUNIT_EXPECT_EQ(test, since(test, churn.box, before, MMBOX_NUMA_HIT), nr);
	KUNIT_EXPECT_EQ(test, since(test, churn.box, before, MMBOX_PGFREE), nr);
}

/* Slab pages, by what their caches were made with. */
static void slabs(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	unsigned long *before;
	struct mmbox_kmem_cache *plain, *reclaimable;
	void *a, *b;

	plain = mmbox_kmem_cache_create(box, "plain", 4096, 0, 0, NULL);
	reclaimable = mmbox_kmem_cache_create(box, "reclaimable", 4096, 0,
					      SLAB_RECLAIM_ACCOUNT, NULL);
	KUNIT_ASSERT_NOT_NULL(test, plain);
	KUNIT_ASSERT_NOT_NULL(test, reclaimable);
	before = stat_of(test, box);
	a = mmbox_kmem_cache_alloc(plain, GFP_KERNEL);
	KUNIT_EXPECT_GT(test, since(test, box, before, MMBOX_NR_SLAB_UNRECLAIMABLE), 0);
	KUNIT_EXPECT_EQ(test, since(test, box, before, MMBOX_NR_SLAB_RECLAIMABLE), 0);
	b = mmbox_kmem_cache_alloc(reclaimable, GFP_KERNEL);
	KUNIT_EXPECT_GT(test, since(test, box, before, MMBOX_NR_SLAB_RECLAIMABLE), 0);
	mmbox_kmem_cache_free(plain, a);
	mmbox_kmem_cache_free(reclaimable, b);
	mmbox_kmem_cache_destroy(plain);
	mmbox_kmem_cache_destroy(reclaimable);
	KUNIT_EXPECT_EQ(test, since(test, box, before, MMBOX_NR_SLAB_RECLAIMABLE), 0);
}

/* What is available is free beyond the reserves, and half of what may go. */
static void available(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	unsigned long *stat = stat_of(test, box);
	unsigned long beyond = stat[MMBOX_NR_FREE_PAGES] - box->pages.totalreserve_pages;
	unsigned long low = 0;
	struct mmbox_zone *zone;
	int i;

	for (i = 0; i < MMBOX_MAX_NR_ZONES; i++) {
		zone = &mmbox_node_data(box, 0)->node_zones[i];
		low += zone->_watermark[MMBOX_WMARK_LOW];
	}
	stat[MMBOX_NR_SLAB_RECLAIMABLE] = 10;
	KUNIT_EXPECT_EQ(test, mmbox_mem_available(box, stat), beyond + 5);
	stat[MMBOX_NR_SLAB_RECLAIMABLE] = 10 * low;
	KUNIT_EXPECT_EQ(test, mmbox_mem_available(box, stat), beyond + 9 * low);
	stat[MMBOX_NR_FREE_PAGES] = 0;
	stat[MMBOX_NR_SLAB_RECLAIMABLE] = 0;
	KUNIT_EXPECT_EQ(test, mmbox_mem_available(box, stat), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(allocations),
	KUNIT_CASE(by_zone),
	KUNIT_CASE(from_interrupts),
	KUNIT_CASE(slabs),
	KUNIT_CASE(available),
	{}
};

struct kunit_suite vmstat_suite = {
	.name = "mmbox_vmstat",
	.init = test_init,
	.exit = test_exit,
	.test_cases = cases,
};
