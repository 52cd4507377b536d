// SPDX-License-Identifier: GPL-2.0
/*
 * Reclaim: when kswapd is woken, what shrinkers and caches give back, who may use the
 * reserves, and who is throttled.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/wait.h>

#include "testing.h"

/* Wait for another thread. The test fails after a minute. */
static void wait_until(struct kunit *test, bool (*happened)(struct mmbox *box),
		       struct mmbox *box)
{
	int tries = 3000;

	while (!happened(box) && tries--)
		msleep(20);
	KUNIT_ASSERT_TRUE_MSG(test, happened(box), "not even after a minute");
}

/* Pages that a shrinker can free. */
struct stock {
	struct mmbox_shrinker shrinker;
	struct mmbox *box;
	struct mmbox_page **pages;
	unsigned long nr;		/* in pages[]; changed by reclaim */
	unsigned long nr_calls;
	unsigned long nids;		/* bitmap of nodes that were reclaimed */
	int nid;			/* node of its pages */
	bool registered;
	struct completion *hold;	/* if not NULL: wait for it before freeing */
	struct completion *held;	/* completed before that wait */
	bool reclaimer;			/* the box knew that the caller reclaims */
	bool got_reserve;		/* the shrinker got a page of the reserves */
};

static unsigned long stock_count(struct mmbox_shrinker *shrinker,
				 struct mmbox_shrink_control *sc)
{
	return container_of(shrinker, struct stock, shrinker)->nr;
}

static unsigned long stock_scan(struct mmbox_shrinker *shrinker,
				struct mmbox_shrink_control *sc)
{
	struct stock *stock = container_of(shrinker, struct stock, shrinker);
	unsigned long i;

	if (stock->hold) {
		complete(stock->held);
		wait_for_completion(stock->hold);
		stock->hold = NULL;
	}
	stock->nids |= BIT(sc->nid);
	if (!stock->nr_calls++) {
		struct mmbox_page *page = mmbox_alloc_pages(stock->box, GFP_KERNEL, 0);

		stock->reclaimer = mmbox_is_reclaimer(stock->box);
		stock->got_reserve = page;
		if (page)
			__mmbox_free_pages(stock->box, page, 0);
	}
	for (i = 0; i < sc->nr_to_scan && stock->nr; i++)
		__mmbox_free_pages(stock->box, stock->pages[--stock->nr], 0);
	return i;
}

static struct stock *stock_new(struct kunit *test, struct mmbox *box)
{
	struct stock *stock = test_zalloc(test, sizeof(*stock));

	stock->box = box;
	stock->nid = NUMA_NO_NODE;
	stock->pages = test_zalloc(test, box->memmap.max_pfn * sizeof(*stock->pages));
	stock->shrinker = (struct mmbox_shrinker){
		.count_objects = stock_count,
		.scan_objects = stock_scan,
		.name = "stock",
		.seeks = DEFAULT_SEEKS,
	};
	return stock;
}

/* Allocate up to @nr pages into the stock. Returns how many. */
static unsigned long stock_fill(struct stock *stock, gfp_t gfp, unsigned long nr)
{
	unsigned long before = stock->nr;

	while (stock->nr - before < nr) {
		struct mmbox_page *page;

		page = mmbox_alloc_pages_node(stock->box, stock->nid, gfp, 0);
		if (!page)
			break;
		stock->pages[stock->nr++] = page;
	}
	return stock->nr - before;
}

static void stock_empty(struct stock *stock)
{
	while (stock->nr)
		__mmbox_free_pages(stock->box, stock->pages[--stock->nr], 0);
}

static struct mmbox *box_of(struct kunit *test, bool kswapd)
{
	struct mmbox_config cfg;

	test_config(&cfg, "test", SZ_16M);
	cfg.zone_dma = 0;
	cfg.kswapd = kswapd;
	return test_box(test, &cfg);
}

static unsigned long stat_of(struct kunit *test, struct mmbox *box, int item)
{
	unsigned long *stat = kunit_kzalloc(test, MMBOX_NR_STATS * sizeof(long), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, stat);
	mmbox_all_stat(box, stat);
	return stat[item];
}

static struct mmbox_zone *the_zone(struct mmbox *box)
{
	return &mmbox_node_data(box, 0)->node_zones[MMBOX_ZONE_DMA32];
}

static unsigned long pages_free(struct mmbox *box)
{
	return READ_ONCE(the_zone(box)->nr_free_pages);
}

static bool kswapd_sleeps(struct mmbox *box)
{
	return wq_has_sleeper(&mmbox_node_data(box, 0)->kswapd_wait);
}

static bool works_no_more(struct mmbox *box)
{
	return pages_free(box) > the_zone(box)->_watermark[MMBOX_WMARK_HIGH] &&
	       kswapd_sleeps(box);
}

static bool second_kswapd_sleeps(struct mmbox *box)
{
	return wq_has_sleeper(&mmbox_node_data(box, 1)->kswapd_wait);
}

static bool second_node_is_well(struct mmbox *box)
{
	struct mmbox_zone *zone;

	zone = &mmbox_node_data(box, 1)->node_zones[MMBOX_ZONE_DMA32];
	return READ_ONCE(zone->nr_free_pages) > zone->_watermark[MMBOX_WMARK_HIGH] &&
	       second_kswapd_sleeps(box);
}

static bool gave_up(struct mmbox *box)
{
	return mmbox_kswapd_hopeless(mmbox_node_data(box, 0)) && kswapd_sleeps(box);
}

static bool somebody_waits(struct mmbox *box)
{
	return wq_has_sleeper(&mmbox_node_data(box, 0)->pfmemalloc_wait);
}

#define GFP_TAKE	(GFP_NOWAIT | __GFP_NOWARN)	/* wakes kswapd, takes no reserve */
#define GFP_QUIET	(__GFP_NOWARN)			/* neither */

/* kswapd wakes below low and sleeps at high. It gets pages from shrinkers. */
static void kswapd_works_to_high(struct kunit *test)
{
	struct mmbox *box = box_of(test, true);
	struct stock *stock = stock_new(test, box), *user = stock_new(test, box);
	struct mmbox_zone *zone = the_zone(box);
	unsigned long low = zone->_watermark[MMBOX_WMARK_LOW];

	KUNIT_ASSERT_NOT_NULL(test, mmbox_node_data(box, 0)->kswapd);
	KUNIT_ASSERT_EQ(test, mmbox_register_shrinker(box, &stock->shrinker), 0);
	wait_until(test, kswapd_sleeps, box);

	/* Half of the box is in the stock. A user allocates the rest down to low. */
	stock_fill(stock, GFP_QUIET, zone->managed_pages / 2);
	while (pages_free(box) > low)
		if (!stock_fill(user, GFP_QUIET, 1))
			break;
	KUNIT_EXPECT_EQ_MSG(test, stat_of(test, box, MMBOX_PAGEOUTRUN), 0,
			    "kswapd was woken above low");

	/* The next requests wake it. */
	stock_fill(user, GFP_TAKE, 64);
	wait_until(test, works_no_more, box);
	KUNIT_EXPECT_GT(test, stat_of(test, box, MMBOX_PAGEOUTRUN), 0);
	KUNIT_EXPECT_GT(test, stat_of(test, box, MMBOX_SLABS_SCANNED), 0);
	KUNIT_EXPECT_EQ_MSG(test, stat_of(test, box, MMBOX_ALLOCSTALL + MMBOX_ZONE_NORMAL), 0,
			    "a direct reclaim was not needed");
	KUNIT_EXPECT_GT_MSG(test, stock->nr, 0, "kswapd took more than it needed");
	KUNIT_EXPECT_TRUE(test, stock->reclaimer);
	KUNIT_EXPECT_FALSE(test, mmbox_is_reclaimer(box));

	mmbox_unregister_shrinker(box, &stock->shrinker);
	stock_empty(stock);
	stock_empty(user);
}

/* Per-CPU lists are drained and caches reaped without any shrinker. */
static void kswapd_drains_and_reaps(struct kunit *test)
{
	struct mmbox *box = box_of(test, true);
	struct stock *user = stock_new(test, box), *more = stock_new(test, box);
	struct mmbox_kmem_cache *cachep;
	void *objs[20];
	int i;

	cachep = mmbox_kmem_cache_create(box, "objects", 2048, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	for (i = 0; i < ARRAY_SIZE(objs); i++)
		objs[i] = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
	wait_until(test, kswapd_sleeps, box);
	test_pin(test, 0);
	stock_fill(user, GFP_QUIET | __GFP_MEMALLOC, ULONG_MAX);
	KUNIT_EXPECT_EQ(test, pages_free(box), 0);

	/* Objects of ten pages go to the CPU's array, five pages to its list. */
	for (i = 0; i < ARRAY_SIZE(objs); i++)
		mmbox_kmem_cache_free(cachep, objs[i]);
	for (i = 0; i < 5; i++)
		__mmbox_free_pages(box, user->pages[--user->nr], 0);
	KUNIT_EXPECT_EQ(test, pages_free(box), 0);
	KUNIT_EXPECT_EQ(test, mmbox_nr_pcp_pages(the_zone(box)), 5);

	/* The zone is empty: this request wakes kswapd, and fails. */
	KUNIT_EXPECT_EQ(test, stock_fill(more, GFP_TAKE, 1), 0);
	wait_until(test, gave_up, box);
	KUNIT_EXPECT_EQ(test, mmbox_nr_pcp_pages(the_zone(box)), 0);
	KUNIT_EXPECT_GE(test, pages_free(box), 15);
	KUNIT_EXPECT_EQ(test, stat_of(test, box, MMBOX_SLABS_SCANNED), 0);
	stock_empty(user);
	mmbox_kmem_cache_destroy(cachep);
}

/* Without kswapd, requests that may wait reclaim directly. */
static void direct_reclaim(struct kunit *test)
{
	struct mmbox *box = box_of(test, false);
	struct stock *stock = stock_new(test, box), *user = stock_new(test, box);
	unsigned long nr;

	KUNIT_EXPECT_NULL(test, mmbox_node_data(box, 0)->kswapd);
	nr = stock_fill(stock, GFP_TAKE, ULONG_MAX);
	KUNIT_EXPECT_EQ_MSG(test, stock_fill(user, GFP_KERNEL | __GFP_NOWARN, 1), 0,
			    "no page was free");
	KUNIT_EXPECT_EQ(test, mmbox_register_shrinker(box, &stock->shrinker), 0);
	KUNIT_EXPECT_EQ_MSG(test, stock_fill(user, GFP_TAKE, 1), 0,
			    "a request that may not wait reclaimed");
	KUNIT_EXPECT_EQ(test, stock->nr, nr);

	KUNIT_EXPECT_EQ(test, stock_fill(user, GFP_KERNEL, nr / 2), nr / 2);
	KUNIT_EXPECT_LE(test, stock->nr, nr - nr / 2);
	KUNIT_EXPECT_GT(test, stat_of(test, box, MMBOX_ALLOCSTALL + MMBOX_ZONE_NORMAL), 0);
	KUNIT_EXPECT_TRUE(test, stock->reclaimer);
	KUNIT_EXPECT_TRUE_MSG(test, stock->got_reserve, "the shrinker could not use the reserves");

	/* When the stock is empty, requests fail. */
	stock_fill(user, GFP_KERNEL | __GFP_NOWARN, ULONG_MAX);
	KUNIT_EXPECT_EQ(test, stock->nr, 0);
	mmbox_unregister_shrinker(box, &stock->shrinker);
	stock_empty(user);
}

/* Isolated pages are at the end of the stock, so that they are freed first. */
static void stock_scatter(struct stock *stock, struct mmbox_page **alone)
{
	unsigned long nr = 0, kept = 0, i;

	for (i = 0; i < stock->nr; i++) {
		struct mmbox_page *page = stock->pages[i];

		if (mmbox_page_to_pfn(stock->box, page) % 4 == 1)
			alone[nr++] = page;
		else
			stock->pages[kept++] = page;
	}
	for (i = 0; i < nr; i++)
		stock->pages[kept++] = alone[i];
}

/* One reclaim gives no large block. __GFP_RETRY_MAYFAIL goes on while it frees pages. */
static void costly_orders_give_up(struct kunit *test)
{
	struct mmbox *box = box_of(test, false);
	struct stock *stock = stock_new(test, box);
	struct mmbox_page *page;
	unsigned long nr;

	box->pages.watermark_boost_factor = 0;
	/* The reserves have large blocks: allocate them as well. */
	stock_fill(stock, GFP_TAKE | __GFP_MEMALLOC, ULONG_MAX);
	stock_scatter(stock, test_zalloc(test, box->memmap.max_pfn * sizeof(*stock->pages)));
	KUNIT_EXPECT_EQ(test, mmbox_register_shrinker(box, &stock->shrinker), 0);
	nr = stock->nr;
	KUNIT_EXPECT_NULL(test, mmbox_alloc_pages(box, GFP_KERNEL | __GFP_NOWARN |
						  __GFP_NORETRY, 5));
	KUNIT_EXPECT_LT_MSG(test, stock->nr, nr, "it did not try");
	nr = stock->nr;
	KUNIT_EXPECT_NULL_MSG(test, mmbox_alloc_pages(box, GFP_KERNEL | __GFP_NOWARN, 5),
			      "a costly order was tried too long");
	KUNIT_EXPECT_GT_MSG(test, stock->nr, nr / 2, "reclaim should have stopped");
	page = mmbox_alloc_pages(box, GFP_KERNEL | __GFP_RETRY_MAYFAIL, 5);
	KUNIT_EXPECT_NOT_NULL_MSG(test, page, "the stock is not empty");
	if (page)
		__mmbox_free_pages(box, page, 5);
	mmbox_unregister_shrinker(box, &stock->shrinker);
	stock_empty(stock);
}

/* Reclaim frees the pages of free slabs. */
static void free_slabs_reaped(struct kunit *test)
{
	struct mmbox *box = box_of(test, false);
	struct stock *user = stock_new(test, box);
	struct mmbox_kmem_cache *cachep;
	void *objs[16];
	int i;

	cachep = mmbox_kmem_cache_create(box, "objects", 4096, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	for (i = 0; i < ARRAY_SIZE(objs); i++)
		objs[i] = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
	stock_fill(user, GFP_KERNEL | __GFP_NOWARN, ULONG_MAX);
	for (i = 0; i < ARRAY_SIZE(objs); i++)
		mmbox_kmem_cache_free(cachep, objs[i]);
	KUNIT_EXPECT_GE_MSG(test, stock_fill(user, GFP_KERNEL | __GFP_NOWARN, 16), 16,
			    "pages of free slabs were not taken back");
	stock_empty(user);
	mmbox_kmem_cache_destroy(cachep);
}

/* How many objects a shrinker is asked for at each priority, as in Linux 6.1. */
struct probe {
	struct mmbox_shrinker shrinker;
	unsigned long freeable;
	unsigned long asked[64];
	unsigned int nr;
};

static unsigned long probe_count(struct mmbox_shrinker *shrinker,
				 struct mmbox_shrink_control *sc)
{
	return container_of(shrinker, struct probe, shrinker)->freeable;
}

static unsigned long probe_scan(struct mmbox_shrinker *shrinker,
				struct mmbox_shrink_control *sc)
{
	struct probe *probe = container_of(shrinker, struct probe, shrinker);

	if (probe->nr < ARRAY_SIZE(probe->asked))
		probe->asked[probe->nr] = sc->nr_to_scan;
	probe->nr++;
	return 0;
}

/*
 * 1,000 objects, two seeks, batches of 128. Calculated by hand: priority 12 to 0 ask for
 * 2 * (1000 >> priority), which is 0 0 0 2 6 14 30 62 124 250 500 1000 2000. Less than a
 * batch is deferred, and is added, shifted by the priority, the next time. This gives 1
 * batch at priority 4, then 2, 4, 8 and 15.
 */
#define PROBE_CALLS	30
#define PROBE_DEFERRED	148

static void shrinker_pressure_as_linux_6_1(struct kunit *test)
{
	struct mmbox *box = box_of(test, false);
	struct stock *user = stock_new(test, box);
	struct probe *probe = test_zalloc(test, sizeof(*probe));
	unsigned long asked = 0;
	unsigned int i;

	probe->freeable = 1000;
	probe->shrinker.count_objects = probe_count;
	probe->shrinker.scan_objects = probe_scan;
	probe->shrinker.name = "probe";
	probe->shrinker.seeks = DEFAULT_SEEKS;
	KUNIT_ASSERT_EQ(test, mmbox_register_shrinker(box, &probe->shrinker), 0);
	stock_fill(user, GFP_TAKE, ULONG_MAX);
	KUNIT_EXPECT_EQ(test, stock_fill(user, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY, 1), 0);

	for (i = 0; i < min_t(unsigned int, probe->nr, ARRAY_SIZE(probe->asked)); i++) {
		KUNIT_EXPECT_EQ_MSG(test, probe->asked[i], 128, "call %u", i);
		asked += probe->asked[i];
	}
	KUNIT_EXPECT_EQ(test, probe->nr, PROBE_CALLS);
	KUNIT_EXPECT_EQ(test, stat_of(test, box, MMBOX_SLABS_SCANNED), asked);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&probe->shrinker.nr_deferred[0]), PROBE_DEFERRED);
	mmbox_unregister_shrinker(box, &probe->shrinker);
	stock_empty(user);
}

/* kswapd gives up if it frees nothing, until a direct reclaim frees something. */
static void kswapd_gives_up(struct kunit *test)
{
	struct mmbox *box = box_of(test, true);
	mmbox_pg_data_t *pgdat = mmbox_node_data(box, 0);
	struct stock *stock = stock_new(test, box), *user = stock_new(test, box);

	wait_until(test, kswapd_sleeps, box);
	stock_fill(stock, GFP_TAKE, ULONG_MAX);
	wait_until(test, gave_up, box);
	KUNIT_EXPECT_EQ(test, stock_fill(user, GFP_TAKE, 1), 0);

	KUNIT_EXPECT_EQ(test, mmbox_register_shrinker(box, &stock->shrinker), 0);
	KUNIT_EXPECT_EQ(test, stock_fill(user, GFP_KERNEL, 1), 1);
	KUNIT_EXPECT_FALSE(test, mmbox_kswapd_hopeless(pgdat));
	mmbox_unregister_shrinker(box, &stock->shrinker);
	stock_empty(stock);
	stock_empty(user);
}

/* While less than half of the reserves is free, requests that may wait are throttled. */
struct throttled {
	mmbox_pg_data_t *pgdat;
	bool done;
};

static void be_throttled(void *arg)
{
	struct throttled *throttled = arg;

	mmbox_throttle_node(throttled->pgdat, GFP_KERNEL);
	WRITE_ONCE(throttled->done, true);
}

static void throttled_while_reserves_low(struct kunit *test)
{
	DECLARE_COMPLETION_ONSTACK(hold);
	DECLARE_COMPLETION_ONSTACK(held);
	struct mmbox *box = box_of(test, true);
	mmbox_pg_data_t *pgdat = mmbox_node_data(box, 0);
	struct stock *stock = stock_new(test, box);
	struct throttled throttled = { .pgdat = pgdat };
	struct test_thread *thread;

	be_throttled(&throttled);
	KUNIT_EXPECT_EQ_MSG(test, stat_of(test, box, MMBOX_PGSCAN_DIRECT_THROTTLE), 0,
			    "throttled with memory free");
	throttled.done = false;

	stock->hold = &hold;
	stock->held = &held;
	KUNIT_ASSERT_EQ(test, mmbox_register_shrinker(box, &stock->shrinker), 0);
	wait_until(test, kswapd_sleeps, box);
	stock_fill(stock, GFP_QUIET | __GFP_MEMALLOC, ULONG_MAX);
	KUNIT_EXPECT_EQ(test, pages_free(box), 0);
	stock_fill(stock, GFP_TAKE, 1);
	/* kswapd is in the shrinker, and stays there until it is released. */
	wait_for_completion(&held);
	thread = test_thread_start(test, 0, be_throttled, &throttled);
	wait_until(test, somebody_waits, box);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(throttled.done));

	complete(&hold);
	test_thread_wait(thread);
	KUNIT_EXPECT_TRUE(test, throttled.done);
	KUNIT_EXPECT_EQ(test, stat_of(test, box, MMBOX_PGSCAN_DIRECT_THROTTLE), 1);
	KUNIT_EXPECT_GT(test, pages_free(box), the_zone(box)->_watermark[MMBOX_WMARK_MIN] / 2);
	mmbox_unregister_shrinker(box, &stock->shrinker);
	stock_empty(stock);
}

static struct throttled *throttled_one;

static bool goes_on(struct mmbox *box)
{
	return READ_ONCE(throttled_one->done);
}

/* If kswapd gives up, throttled requests go on. */
static void throttle_ends_if_kswapd_gives_up(struct kunit *test)
{
	DECLARE_COMPLETION_ONSTACK(hold);
	DECLARE_COMPLETION_ONSTACK(held);
	struct mmbox *box = box_of(test, true);
	mmbox_pg_data_t *pgdat = mmbox_node_data(box, 0);
	struct stock *stock = stock_new(test, box), *user = stock_new(test, box);
	struct throttled throttled = { .pgdat = pgdat };
	struct test_thread *thread;
	int tries = 3000;

	throttled_one = &throttled;
	stock->hold = &hold;
	stock->held = &held;
	wait_until(test, kswapd_sleeps, box);
	/* The shrinker has too few pages to help. */
	stock_fill(stock, GFP_QUIET, 20);
	KUNIT_ASSERT_EQ(test, mmbox_register_shrinker(box, &stock->shrinker), 0);
	stock_fill(user, GFP_QUIET | __GFP_MEMALLOC, ULONG_MAX);
	stock_fill(user, GFP_TAKE, 1);
	wait_for_completion(&held);
	thread = test_thread_start(test, 0, be_throttled, &throttled);
	wait_until(test, somebody_waits, box);
	complete(&hold);
	wait_until(test, gave_up, box);
	while (!goes_on(box) && tries--)
		msleep(20);
	KUNIT_EXPECT_TRUE_MSG(test, goes_on(box), "still waits for a kswapd that sleeps");
	wake_up_all(&pgdat->pfmemalloc_wait);
	test_thread_wait(thread);
	mmbox_unregister_shrinker(box, &stock->shrinker);
	stock_empty(stock);
	stock_empty(user);
}

static void stop_kswapd(void *arg)
{
	struct mmbox *box = arg;

	mutex_lock(&box->pages.memory_lock);
	mmbox_kswapd_stop(mmbox_node_data(box, 0));
	mutex_unlock(&box->pages.memory_lock);
}

/* Where kswapd is to stop nobody waits for it any longer, though it has not ended yet. */
static void throttle_ends_if_kswapd_stops(struct kunit *test)
{
	DECLARE_COMPLETION_ONSTACK(hold);
	DECLARE_COMPLETION_ONSTACK(held);
	struct mmbox *box = box_of(test, true);
	struct stock *stock = stock_new(test, box);
	struct throttled throttled = { .pgdat = mmbox_node_data(box, 0) };
	struct test_thread *waiter, *stopper;
	int tries = 3000;

	throttled_one = &throttled;
	stock->hold = &hold;
	stock->held = &held;
	KUNIT_ASSERT_EQ(test, mmbox_register_shrinker(box, &stock->shrinker), 0);
	wait_until(test, kswapd_sleeps, box);
	stock_fill(stock, GFP_QUIET | __GFP_MEMALLOC, ULONG_MAX);
	stock_fill(stock, GFP_TAKE, 1);
	wait_for_completion(&held);
	waiter = test_thread_start(test, 0, be_throttled, &throttled);
	wait_until(test, somebody_waits, box);
	KUNIT_EXPECT_FALSE(test, goes_on(box));

	stopper = test_thread_start(test, 0, stop_kswapd, box);
	while (!goes_on(box) && tries--)
		msleep(20);
	KUNIT_EXPECT_TRUE_MSG(test, goes_on(box), "it still waits for kswapd, which is to stop");
	KUNIT_EXPECT_FALSE_MSG(test, test_thread_done(stopper), "kswapd has not held it back");
	complete(&hold);
	test_thread_wait(stopper);
	test_thread_wait(waiter);
	mmbox_unregister_shrinker(box, &stock->shrinker);
	stock_empty(stock);
}

/* A node that is short of memory wakes its own kswapd only. */
static void kswapd_of_own_node_only(struct kunit *test)
{
	struct mmbox_config cfg;
	struct stock *stock;
	struct mmbox *box;
	struct mmbox_zone *zone;
	unsigned long near_free;

	test_config(&cfg, "test", SZ_32M);
	cfg.zone_dma = 0;
	cfg.banks[0] = (struct mmbox_bank){ .base = 0, .size = SZ_16M, .nid = 0 };
	cfg.banks[1] = (struct mmbox_bank){ .base = SZ_16M, .size = SZ_16M, .nid = 1 };
	cfg.nr_banks = 2;
	box = test_box(test, &cfg);
	stock = stock_new(test, box);
	KUNIT_ASSERT_NOT_NULL(test, mmbox_node_data(box, 0)->kswapd);
	KUNIT_ASSERT_NOT_NULL(test, mmbox_node_data(box, 1)->kswapd);
	wait_until(test, kswapd_sleeps, box);
	wait_until(test, second_kswapd_sleeps, box);
	near_free = pages_free(box);

	KUNIT_ASSERT_EQ(test, mmbox_register_shrinker(box, &stock->shrinker), 0);
	stock->nid = 1;
	stock_fill(stock, GFP_TAKE | __GFP_THISNODE, ULONG_MAX);
	wait_until(test, second_node_is_well, box);
	zone = &mmbox_node_data(box, 1)->node_zones[MMBOX_ZONE_DMA32];
	KUNIT_EXPECT_GT(test, READ_ONCE(zone->nr_free_pages),
			zone->_watermark[MMBOX_WMARK_HIGH]);
	KUNIT_EXPECT_EQ(test, pages_free(box), near_free);
	KUNIT_EXPECT_EQ_MSG(test, stock->nids, BIT(1), "the shrinker was called for other nodes");
	mmbox_unregister_shrinker(box, &stock->shrinker);
	stock_empty(stock);
}

/* A box is destroyed while its kswapd works. */
static void destroy_while_kswapd_works(struct kunit *test)
{
	int i;

	for (i = 0; i < 20; i++) {
		struct mmbox *box = box_of(test, true);
		struct stock *user = stock_new(test, box);

		stock_fill(user, GFP_TAKE, ULONG_MAX);
		stock_empty(user);
		test_box_drop(test, box);
	}
}

/* vm/drop_caches: shrinkers free all they can. */
static void drop_caches(struct kunit *test)
{
	struct mmbox *box = box_of(test, false);
	struct stock *stock = stock_new(test, box);

	stock_fill(stock, GFP_KERNEL, 1000);
	KUNIT_ASSERT_EQ(test, mmbox_register_shrinker(box, &stock->shrinker), 0);
	mmbox_drop_slab(box);
	KUNIT_EXPECT_EQ(test, stock->nr, 0);
	KUNIT_EXPECT_EQ(test, stat_of(test, box, MMBOX_DROP_SLAB), 1);
	mmbox_unregister_shrinker(box, &stock->shrinker);
}

static void bad_shrinkers_refused(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_shrinker shrinker = {
		.count_objects = stock_count,
		.scan_objects = stock_scan,
	};

	KUNIT_EXPECT_EQ(test, mmbox_register_shrinker(box, &shrinker), -EINVAL);
	shrinker.name = "name";
	shrinker.scan_objects = NULL;
	KUNIT_EXPECT_EQ(test, mmbox_register_shrinker(box, &shrinker), -EINVAL);
	KUNIT_EXPECT_TRUE(test, list_empty(&box->pages.shrinkers));
}

/* Per-CPU lists are short while kswapd works, also if their limit is changed then. */
static void short_lists_while_kswapd_works(struct kunit *test)
{
	struct mmbox *box = box_of(test, false);
	struct mmbox_zone *zone = the_zone(box);
	const struct mmbox_per_cpu_pages *pcp;
	int high, batch;

	pcp = per_cpu_ptr(zone->per_cpu_pageset, test_nth_cpu(0));
	batch = pcp->batch;
	KUNIT_ASSERT_GT(test, pcp->high, batch << 2);
	mmbox_set_reclaim_active(zone, true);
	KUNIT_EXPECT_EQ(test, pcp->high, batch << 2);
	box->pages.min_free_kbytes *= 2;
	mmbox_setup_per_zone_wmarks(box);
	KUNIT_EXPECT_EQ_MSG(test, pcp->high, batch << 2, "the list is long while kswapd works");
	high = zone->pageset_high;
	mmbox_set_reclaim_active(zone, false);
	KUNIT_EXPECT_EQ(test, pcp->high, high);
	KUNIT_EXPECT_GT_MSG(test, high, batch << 2, "the list is still short");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(kswapd_works_to_high),
	KUNIT_CASE(kswapd_drains_and_reaps),
	KUNIT_CASE(short_lists_while_kswapd_works),
	KUNIT_CASE(direct_reclaim),
	KUNIT_CASE(costly_orders_give_up),
	KUNIT_CASE(free_slabs_reaped),
	KUNIT_CASE(shrinker_pressure_as_linux_6_1),
	KUNIT_CASE(kswapd_gives_up),
	KUNIT_CASE(throttled_while_reserves_low),
	KUNIT_CASE(throttle_ends_if_kswapd_gives_up),
	KUNIT_CASE(throttle_ends_if_kswapd_stops),
	KUNIT_CASE(kswapd_of_own_node_only),
	KUNIT_CASE(destroy_while_kswapd_works),
	KUNIT_CASE(drop_caches),
	KUNIT_CASE(bad_shrinkers_refused),
	{}
};

TEST_SUITE(vmscan_suite, "mmbox_vmscan", cases);
