// SPDX-License-Identifier: GPL-2.0
/*
 * Reclaim: who is woken when memory runs short, what is taken back from whom,
 * who may have the last pages, and who must wait.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "testing.h"

/* Wait for what another thread does; a minute is a failure, not a measure. */
static void wait_until(struct kunit *test, bool (*happened)(struct mmbox *box),
		       struct mmbox *box)
{
	int tries = 3000;

	while (!happened(box) && tries--)
		msleep(20);
	KUNIT_ASSERT_TRUE_MSG(test, happened(box), "not even after a minute");
}

/* Pages that can be given up, one after the other. */
struct stock {
	struct mmbox_shrinker shrinker;
	struct mmbox *box;
	struct mmbox_page **pages;
	unsigned long nr;		/* in pages[], by whoever reclaims */
	unsigned long nr_calls;
	unsigned long nids;		/* nodes for which it was asked */
	int nid;			/* where its pages come from */
	bool registered;
	struct completion *hold;	/* if not NULL: wait for it before freeing */
	struct completion *held;	/* told when we do */
	bool reclaimer;			/* the box knew the caller as one */
	bool got_reserve;		/* a page came though there were none to have */
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

/* Take pages into the stock, as many as there are or @nr. */
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

/* Below low, kswapd wakes; at high it sleeps; what it needs comes from shrinkers. */
static void kswapd_works_to_high(struct kunit *test)
{
	struct mmbox *box = box_of(test, true);
	struct stock *stock = stock_new(test, box), *user = stock_new(test, box);
	struct mmbox_zone *zone = the_zone(box);
	unsigned long low = zone->_watermark[MMBOX_WMARK_LOW];

	KUNIT_ASSERT_NOT_NULL(test, mmbox_node_data(box, 0)->kswapd);
	KUNIT_ASSERT_EQ(test, mmbox_register_shrinker(box, &stock->shrinker), 0);
	wait_until(test, kswapd_sleeps, box);

	/* Half of the box is in stock; a user takes the rest down to low. */
	stock_fill(stock, GFP_QUIET, zone->managed_pages / 2);
	while (pages_free(box) > low)
		if (!stock_fill(user, GFP_QUIET, 1))
			break;
	KUNIT_EXPECT_EQ_MSG(test, stat_of(test, box, MMBOX_PAGEOUTRUN), 0,
			    "kswapd was woken above low");

	/* The next ones wake it. */
	stock_fill(user, GFP_TAKE, 64);
	wait_until(test, works_no_more, box);
	KUNIT_EXPECT_GT(test, stat_of(test, box, MMBOX_PAGEOUTRUN), 0);
	KUNIT_EXPECT_GT(test, stat_of(test, box, MMBOX_SLABS_SCANNED), 0);
	KUNIT_EXPECT_EQ_MSG(test, stat_of(test, box, MMBOX_ALLOCSTALL + MMBOX_ZONE_NORMAL), 0,
			    "nobody had to reclaim for himself");
	KUNIT_EXPECT_GT_MSG(test, stock->nr, 0, "kswapd took more than it needed");
	KUNIT_EXPECT_TRUE(test, stock->reclaimer);
	KUNIT_EXPECT_FALSE(test, mmbox_is_reclaimer(box));

	mmbox_unregister_shrinker(box, &stock->shrinker);
	stock_empty(stock);
	stock_empty(user);
}

/* What CPUs and caches keep is taken back without any shrinker. */
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

	/* Ten pages' objects go to the CPU's array, five pages to its list. */
	for (i = 0; i < ARRAY_SIZE(objs); i++)
		mmbox_kmem_cache_free(cachep, objs[i]);
	for (i = 0; i < 5; i++)
		__mmbox_free_pages(box, user->pages[--user->nr], 0);
	KUNIT_EXPECT_EQ(test, pages_free(box), 0);
	KUNIT_EXPECT_EQ(test, mmbox_nr_pcp_pages(the_zone(box)), 5);

	/* Who finds the zone empty wakes kswapd. That is all that there is to have. */
	KUNIT_EXPECT_EQ(test, stock_fill(more, GFP_TAKE, 1), 0);
	wait_until(test, gave_up, box);
	KUNIT_EXPECT_EQ(test, mmbox_nr_pcp_pages(the_zone(box)), 0);
	KUNIT_EXPECT_GE(test, pages_free(box), 15);
	KUNIT_EXPECT_EQ(test, stat_of(test, box, MMBOX_SLABS_SCANNED), 0);
	stock_empty(user);
	mmbox_kmem_cache_destroy(cachep);
}

/* Without kswapd, whoever may wait reclaims for himself. */
static void direct_reclaim(struct kunit *test)
{
	struct mmbox *box = box_of(test, false);
	struct stock *stock = stock_new(test, box), *user = stock_new(test, box);
	unsigned long nr;

	KUNIT_EXPECT_NULL(test, mmbox_node_data(box, 0)->kswapd);
	nr = stock_fill(stock, GFP_TAKE, ULONG_MAX);
	KUNIT_EXPECT_EQ_MSG(test, stock_fill(user, GFP_KERNEL | __GFP_NOWARN, 1), 0,
			    "where did that page come from?");
	KUNIT_EXPECT_EQ(test, mmbox_register_shrinker(box, &stock->shrinker), 0);
	KUNIT_EXPECT_EQ_MSG(test, stock_fill(user, GFP_TAKE, 1), 0,
			    "who may not wait cannot reclaim");
	KUNIT_EXPECT_EQ(test, stock->nr, nr);

	KUNIT_EXPECT_EQ(test, stock_fill(user, GFP_KERNEL, nr / 2), nr / 2);
	KUNIT_EXPECT_LE(test, stock->nr, nr - nr / 2);
	KUNIT_EXPECT_GT(test, stat_of(test, box, MMBOX_ALLOCSTALL + MMBOX_ZONE_NORMAL), 0);
	KUNIT_EXPECT_TRUE(test, stock->reclaimer);
	KUNIT_EXPECT_TRUE_MSG(test, stock->got_reserve, "the reserves are for reclaimers");

	/* When all is given up, the end is the end. */
	stock_fill(user, GFP_KERNEL | __GFP_NOWARN, ULONG_MAX);
	KUNIT_EXPECT_EQ(test, stock->nr, 0);
	mmbox_unregister_shrinker(box, &stock->shrinker);
	stock_empty(user);
}

/* Order of giving up: pages that lie alone first, the last of them in the array. */
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

/* One reclaim frees no large block; who says so goes on as long as that frees something. */
static void costly(struct kunit *test)
{
	struct mmbox *box = box_of(test, false);
	struct stock *stock = stock_new(test, box);
	struct mmbox_page *page;
	unsigned long nr;

	box->pages.watermark_boost_factor = 0;
	/* What watermarks keep has large blocks: that too. */
	stock_fill(stock, GFP_TAKE | __GFP_MEMALLOC, ULONG_MAX);
	stock_scatter(stock, test_zalloc(test, box->memmap.max_pfn * sizeof(*stock->pages)));
	KUNIT_EXPECT_EQ(test, mmbox_register_shrinker(box, &stock->shrinker), 0);
	nr = stock->nr;
	KUNIT_EXPECT_NULL(test, mmbox_alloc_pages(box, GFP_KERNEL | __GFP_NOWARN |
						  __GFP_NORETRY, 5));
	KUNIT_EXPECT_LT_MSG(test, stock->nr, nr, "it did not try");
	nr = stock->nr;
	KUNIT_EXPECT_NULL_MSG(test, mmbox_alloc_pages(box, GFP_KERNEL | __GFP_NOWARN, 5),
			      "a block that large is not worth it");
	KUNIT_EXPECT_GT_MSG(test, stock->nr, nr / 2, "so it should not have gone on");
	page = mmbox_alloc_pages(box, GFP_KERNEL | __GFP_RETRY_MAYFAIL, 5);
	KUNIT_EXPECT_NOT_NULL_MSG(test, page, "there is a lot to give up");
	if (page)
		__mmbox_free_pages(box, page, 5);
	mmbox_unregister_shrinker(box, &stock->shrinker);
	stock_empty(stock);
}

/* Objects that nobody uses are pages that somebody can have. */
static void reap(struct kunit *test)
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

/* How much a shrinker is asked for, at which pressure: the rules of Linux 6.1. */
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
 * 1,000 objects, two seeks, batches of 128. By hand: each turn's part is 1000
 * >> priority, twice, so 0 0 0 2 6 14 30 62 124 250 500 1000 2000 from priority
 * 12 to 0; what is not a whole batch is deferred, and counts, shifted likewise,
 * the next time: 1 batch at priority 4, then 2, 4, 8 and 15.
 */
#define PROBE_CALLS	30
#define PROBE_DEFERRED	148

static void pressure(struct kunit *test)
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

/* Where nothing can be had kswapd gives up, until a direct reclaim finds some. */
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

/* While half of the reserves is gone, who may wait waits for kswapd. */
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

static void throttle(struct kunit *test)
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
			    "held back though there is plenty");
	throttled.done = false;

	stock->hold = &hold;
	stock->held = &held;
	KUNIT_ASSERT_EQ(test, mmbox_register_shrinker(box, &stock->shrinker), 0);
	wait_until(test, kswapd_sleeps, box);
	stock_fill(stock, GFP_QUIET | __GFP_MEMALLOC, ULONG_MAX);
	KUNIT_EXPECT_EQ(test, pages_free(box), 0);
	stock_fill(stock, GFP_TAKE, 1);
	/* kswapd is at work, and for as long as we want it to be. */
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

/* Where kswapd gives up nobody waits for it any longer. */
static void throttled_in_vain(struct kunit *test)
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
	/* Too few pages to do any good are all that anybody gives up. */
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
	KUNIT_EXPECT_TRUE_MSG(test, goes_on(box), "it still waits for kswapd, which sleeps");
	wake_up_all(&pgdat->pfmemalloc_wait);
	test_thread_wait(thread);
	mmbox_unregister_shrinker(box, &stock->shrinker);
	stock_empty(stock);
	stock_empty(user);
}

/* A node that runs short has its own kswapd woken, and nobody else's. */
static void each_node_its_own(struct kunit *test)
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
	KUNIT_EXPECT_EQ_MSG(test, stock->nids, BIT(1), "asked for objects of other nodes");
	mmbox_unregister_shrinker(box, &stock->shrinker);
	stock_empty(stock);
}

/* A box goes while its kswapd is at work. */
static void stop_at_work(struct kunit *test)
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

/* vm/drop_caches: all that can be given up, at once. */
static void drop_all(struct kunit *test)
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

static void bad_shrinkers(struct kunit *test)
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

/* While kswapd is at work lists are short, and a tunable does not change that. */
static void short_lists_meanwhile(struct kunit *test)
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
	KUNIT_EXPECT_EQ_MSG(test, pcp->high, batch << 2, "kswapd is at work");
	high = zone->pageset_high;
	mmbox_set_reclaim_active(zone, false);
	KUNIT_EXPECT_EQ(test, pcp->high, high);
	KUNIT_EXPECT_GT_MSG(test, high, batch << 2, "more than while it was at work");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(kswapd_works_to_high),
	KUNIT_CASE(kswapd_drains_and_reaps),
	KUNIT_CASE(short_lists_meanwhile),
	KUNIT_CASE(direct_reclaim),
	KUNIT_CASE(costly),
	KUNIT_CASE(reap),
	KUNIT_CASE(pressure),
	KUNIT_CASE(kswapd_gives_up),
	KUNIT_CASE(throttle),
	KUNIT_CASE(throttled_in_vain),
	KUNIT_CASE(each_node_its_own),
	KUNIT_CASE(stop_at_work),
	KUNIT_CASE(drop_all),
	KUNIT_CASE(bad_shrinkers),
	{}
};

struct kunit_suite vmscan_suite = {
	.name = "mmbox_vmscan",
	.init = test_init,
	.exit = test_exit,
	.test_cases = cases,
};
