// SPDX-License-Identifier: GPL-2.0
/*
 * Counters: a box counts exactly what was done.
 */
#include <linux/atomic.h>

#include "testing.h"

static unsigned long *stat_of(struct kunit *test, struct mmbox *box)
{
	unsigned long *stat = test_zalloc(test, MMBOX_NR_STATS * sizeof(long));

	mmbox_all_stat(box, stat);
	return stat;
}

/* The change of @item since @before. */
static long since(struct kunit *test, struct mmbox *box,
		  const unsigned long *before, int item)
{
	return stat_of(test, box)[item] - before[item];
}

/* Allocations and frees count pages. numa_hit counts blocks. */
static void pages_and_hits_counted(struct kunit *test)
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

	/* A drain does not count as a free. */
	mmbox_drain_all_pages(box);
	KUNIT_EXPECT_EQ(test, since(test, box, before, MMBOX_PGFREE), nr_pages);
}

/* Each zone has a counter of its own. */
static void counted_by_zone(struct kunit *test)
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

/* Allocations in interrupts are counted, also while the CPU's lists are busy. */
static void counted_in_interrupts(struct kunit *test)
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

/* Slab pages count as reclaimable or not, by the flags of their cache. */
static void slab_pages_counted(struct kunit *test)
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

/* Pages that kmalloc takes past its caches count as slab pages, of their own node. */
static void large_kmalloc_counted(struct kunit *test)
{
	struct mmbox_config cfg;
	unsigned long before, after;
	unsigned long *stat;
	struct mmbox *box;
	void *large;
	int nid;

	test_config(&cfg, "large", SZ_32M);
	KUNIT_ASSERT_EQ(test, 0, mmbox_nodes_split(&cfg, 2));
	box = test_box(test, &cfg);
	for (nid = 0; nid < 2; nid++) {
		stat = test_zalloc(test, MMBOX_NR_STATS * sizeof(*stat));
		mmbox_node_stat(box, nid, stat);
		before = stat[MMBOX_NR_SLAB_UNRECLAIMABLE];
		large = mmbox_kmalloc_node(box, SZ_256K, GFP_KERNEL | __GFP_THISNODE, nid);
		KUNIT_ASSERT_NOT_NULL(test, large);
		memset(stat, 0, MMBOX_NR_STATS * sizeof(*stat));
		mmbox_node_stat(box, nid, stat);
		after = stat[MMBOX_NR_SLAB_UNRECLAIMABLE];
		KUNIT_EXPECT_EQ(test, after - before, (unsigned long)(SZ_256K >> PAGE_SHIFT));
		mmbox_kfree(box, large);
		memset(stat, 0, MMBOX_NR_STATS * sizeof(*stat));
		mmbox_node_stat(box, nid, stat);
		KUNIT_EXPECT_EQ(test, stat[MMBOX_NR_SLAB_UNRECLAIMABLE], before);
	}
}

/* Available: free pages above the reserves, and half of the reclaimable ones. */
static void available_estimate(struct kunit *test)
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
	KUNIT_CASE(pages_and_hits_counted),
	KUNIT_CASE(counted_by_zone),
	KUNIT_CASE(counted_in_interrupts),
	KUNIT_CASE(slab_pages_counted),
	KUNIT_CASE(large_kmalloc_counted),
	KUNIT_CASE(available_estimate),
	{}
};

TEST_SUITE(vmstat_suite, "mmbox_vmstat", cases);
