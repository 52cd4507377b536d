// SPDX-License-Identifier: GPL-2.0
/*
 * The page allocator against a model of it: who holds which page.
 *
 * Random operations of every kind, of several orders, zones, nodes and rights,
 * on both generations of the buddy allocator. The model knows the pages that
 * are held; what is handed out must be none of them, lie where the request may
 * go, and leave its zone what the request has no right to. Every now and then
 * all lists, bits and descriptors are checked. mmbox_kunit's ops= says how many
 * operations.
 */
#include <linux/bitmap.h>
#include <linux/sched/rt.h>
#include <linux/string.h>

#include "churn.h"

#define MAX_HELD	3000
#define MAX_BULK	40
#define CHECK_EVERY	5000

struct held {
	struct mmbox_page *page;
	unsigned int order;
};

struct model {
	struct kunit *test;
	struct mmbox *box;
	unsigned long *pages;		/* bitmap of pfns that are held */
	struct held *held;
	unsigned int nr;
	unsigned long nr_pages;		/* held in all blocks */
	unsigned long failed;		/* requests that got nothing */
	u32 seed;
};

static const gfp_t gfps[] = {
	GFP_KERNEL, GFP_KERNEL, GFP_ATOMIC, GFP_NOWAIT, GFP_HIGHUSER_MOVABLE,
	GFP_HIGHUSER_MOVABLE, GFP_KERNEL | __GFP_RECLAIMABLE, GFP_KERNEL | __GFP_DMA,
	GFP_KERNEL | __GFP_DMA32, GFP_KERNEL | __GFP_HIGH, GFP_KERNEL | __GFP_MEMALLOC,
	GFP_KERNEL | __GFP_THISNODE, GFP_KERNEL | __GFP_NORETRY, GFP_KERNEL | __GFP_ZERO,
	GFP_KERNEL | __GFP_RETRY_MAYFAIL, GFP_ATOMIC | __GFP_NOMEMALLOC,
};

static unsigned int next(struct model *m, unsigned int below)
{
	return test_random(&m->seed) % below;
}

static int highest_zone(gfp_t gfp)
{
	if (gfp & __GFP_DMA)
		return MMBOX_ZONE_DMA;
	if (gfp & __GFP_DMA32)
		return MMBOX_ZONE_DMA32;
	return gfp & __GFP_MOVABLE && gfp & __GFP_HIGHMEM ? MMBOX_ZONE_MOVABLE :
							    MMBOX_ZONE_NORMAL;
}

/* The least that a zone must still have, for this request. */
static long least_left(const struct mmbox_zone *zone, gfp_t gfp)
{
	long min = zone->_watermark[MMBOX_WMARK_MIN];

	if (gfp & __GFP_MEMALLOC)
		return 0;
	if (gfp & __GFP_HIGH || rt_task(current)) {
		min -= min / 2;
		if (!(gfp & (__GFP_DIRECT_RECLAIM | __GFP_NOMEMALLOC)))
			min -= min / 4;
	}
	return min + zone->lowmem_reserve[highest_zone(gfp)];
}

/* A block was handed out: may it be, and is it nobody else's? */
static void take(struct model *m, struct mmbox_page *page, unsigned int order, gfp_t gfp,
		 int nid)
{
	unsigned long pfn = mmbox_page_to_pfn(m->box, page), i;
	struct mmbox_zone *zone = mmbox_page_zone(m->box, page);
	struct kunit *test = m->test;
	long left = zone->nr_free_pages + mmbox_nr_pcp_pages(zone);

	KUNIT_ASSERT_LT(test, m->nr, MAX_HELD);
	for (i = 0; i < 1UL << order; i++)
		if (__test_and_set_bit(pfn + i, m->pages))
			KUNIT_FAIL(test, "pfn %lx is handed out twice", pfn + i);
	if (!IS_ALIGNED(pfn, 1UL << order))
		KUNIT_FAIL(test, "pfn %lx is not aligned to order %u", pfn, order);
	if (mmbox_zone_idx(zone) > highest_zone(gfp))
		KUNIT_FAIL(test, "gfp %#x got a page of zone %s", (__force int)gfp, zone->name);
	if (gfp & __GFP_THISNODE && zone->zone_pgdat->node_id != nid)
		KUNIT_FAIL(test, "gfp %#x of node %d got one of node %d", (__force int)gfp, nid,
			   zone->zone_pgdat->node_id);
	if (left < least_left(zone, gfp))
		KUNIT_FAIL(test, "gfp %#x left zone %s %ld pages of %ld", (__force int)gfp,
			   zone->name, left, least_left(zone, gfp));
	if (gfp & __GFP_ZERO && memchr_inv(mmbox_page_address(m->box, page), 0,
					   PAGE_SIZE << order))
		KUNIT_FAIL(test, "pfn %lx is not clear", pfn);
	*(unsigned long *)mmbox_page_address(m->box, page) = pfn;
	m->held[m->nr++] = (struct held){ page, order };
	m->nr_pages += 1UL << order;
}

/* The model's part of a free: what was written must still be there. */
static struct held give(struct model *m, unsigned int nr)
{
	struct held held = m->held[nr];
	unsigned long pfn = mmbox_page_to_pfn(m->box, held.page);

	if (*(unsigned long *)mmbox_page_address(m->box, held.page) != pfn)
		KUNIT_FAIL(m->test, "pfn %lx was written to by another", pfn);
	bitmap_clear(m->pages, pfn, 1U << held.order);
	m->nr_pages -= 1UL << held.order;
	m->held[nr] = m->held[--m->nr];
	return held;
}

static void free_one(struct model *m)
{
	struct held held;

	if (!m->nr)
		return;
	held = give(m, next(m, m->nr));
	mmbox___free_pages(m->box, held.page, held.order);
}

static void alloc_one(struct model *m)
{
	/* Small ones are most. */
	unsigned int order = next(m, 1 + next(m, m->box->max_order));
	gfp_t gfp = gfps[next(m, ARRAY_SIZE(gfps))] | __GFP_NOWARN;
	int nid = (int)next(m, m->box->nr_nodes + 1) - 1;
	struct mmbox_page *page;

	if (gfp & __GFP_THISNODE && nid < 0)
		nid = 0;
	page = mmbox_alloc_pages_node(m->box, nid, gfp, order);
	if (page)
		take(m, page, order, gfp, nid);
	else
		m->failed++;
}

static void alloc_bulk(struct model *m)
{
	struct mmbox_page *pages[MAX_BULK] = {};
	unsigned long nr = mmbox_alloc_pages_bulk_array(m->box, GFP_KERNEL | __GFP_NOWARN,
							1 + next(m, MAX_BULK), pages);

	while (nr)
		take(m, pages[--nr], 0, GFP_KERNEL, NUMA_NO_NODE);
}

static void alloc_exact(struct model *m)
{
	size_t nr = 1 + next(m, 20), i;
	void *p = mmbox_alloc_pages_exact(m->box, nr * PAGE_SIZE, GFP_KERNEL | __GFP_NOWARN);

	for (i = 0; p && i < nr; i++)
		take(m, mmbox_virt_to_page(m->box, p + i * PAGE_SIZE), 0, GFP_KERNEL,
		     NUMA_NO_NODE);
}

/* A block becomes single pages, as many as the model has room for. */
static void split(struct model *m)
{
	struct held held;
	unsigned int nr, i;

	if (!m->nr)
		return;
	nr = next(m, m->nr);
	if (m->held[nr].order > 5)
		return;
	held = give(m, nr);
	mmbox_split_page(m->box, held.page, held.order);
	for (i = 0; i < 1U << held.order; i++)
		take(m, held.page + i, 0, GFP_KERNEL | __GFP_MOVABLE | __GFP_HIGHMEM |
		     __GFP_MEMALLOC, NUMA_NO_NODE);
}

static void step(struct model *m)
{
	unsigned int what = next(m, 100);

	/* Full now and then, nearly empty now and then. */
	if (m->nr > MAX_HELD - 100 || what < 44)
		free_one(m);
	else if (what < 92)
		alloc_one(m);
	else if (what < 94)
		alloc_bulk(m);
	else if (what < 96)
		alloc_exact(m);
	else if (what < 98)
		split(m);
	else if (what == 98 && !next(m, 20))
		mmbox_drain_all_pages(m->box);
	else if (!next(m, 50))
		while (m->nr)
			free_one(m);
}

static void run_model(struct kunit *test, const struct mmbox_config *cfg, u32 seed,
		      unsigned int ops)
{
	struct model m = { .test = test, .seed = seed };
	struct mmbox_zone *zone;
	unsigned int i;

	m.box = test_box(test, cfg);
	m.box->watermark_boost_factor = 0;
	m.pages = test_zalloc(test, BITS_TO_LONGS(m.box->max_pfn) * sizeof(long));
	m.held = test_zalloc(test, MAX_HELD * sizeof(*m.held));
	for (i = 0; i < ops; i++) {
		step(&m);
		if (i % CHECK_EVERY == 0) {
			test_check_pages(test, m.box);
			cond_resched();
		}
		KUNIT_ASSERT_EQ(test, m.nr_pages, mmbox_nr_used_pages(m.box));
	}
	while (m.nr)
		free_one(&m);
	mmbox_drain_all_pages(m.box);
	KUNIT_EXPECT_EQ(test, test_nr_bad(m.box), 0);
	KUNIT_EXPECT_GT_MSG(test, m.failed, 0, "the box never ran out");
	mmbox_for_each_zone(m.box, zone)
		KUNIT_EXPECT_EQ(test, zone->nr_free_pages, zone->managed_pages);
	test_box_end(test, m.box);
}

static void model_config(struct mmbox_config *cfg, enum mmbox_buddy_type buddy)
{
	test_config(cfg, "model", SZ_32M);
	cfg->zone_dma = SZ_4M;
	cfg->zone_dma32 = SZ_8M;
	cfg->movablecore = SZ_8M;
	cfg->buddy = buddy;
	cfg->pages_only = true;
}

/* All zones of one node, both generations. */
static void zones(struct kunit *test)
{
	struct mmbox_config cfg;
	int buddy;

	test_pin(test, 0);
	for (buddy = 0; buddy < MMBOX_NR_BUDDY_TYPES; buddy++) {
		model_config(&cfg, buddy);
		run_model(test, &cfg, 11 + buddy, test_ops / 2);
	}
}

/* Three nodes, and per-CPU lists of order 9. */
static void nodes(struct kunit *test)
{
	struct mmbox_config cfg;
	int buddy;

	test_pin(test, 0);
	for (buddy = 0; buddy < MMBOX_NR_BUDDY_TYPES; buddy++) {
		model_config(&cfg, buddy);
		cfg.size = SZ_32M + SZ_16M;
		cfg.pcp_thp = buddy == MMBOX_BUDDY_LIST;
		KUNIT_ASSERT_EQ(test, 0, mmbox_nodes_split(&cfg, 3));
		run_model(test, &cfg, 21 + buddy, test_ops / 2);
	}
}

/* Of ten orders, in zones that do not begin at a block, and hardly any memory. */
static void odd(struct kunit *test)
{
	struct mmbox_config cfg;
	int buddy;

	test_pin(test, 0);
	for (buddy = 0; buddy < MMBOX_NR_BUDDY_TYPES; buddy++) {
		model_config(&cfg, buddy);
		cfg.size = SZ_8M + 37 * PAGE_SIZE;
		cfg.zone_dma = SZ_1M + 3 * PAGE_SIZE;
		cfg.zone_dma32 = SZ_4M + 5 * PAGE_SIZE;
		cfg.movablecore = 0;
		cfg.orders = MMBOX_MIN_ORDERS;
		run_model(test, &cfg, 31 + buddy, test_ops / 2);
	}
}

/* The bitmap generation on two CPUs, with interrupts on each of them. */
static void storm_bitmap(struct kunit *test)
{
	struct mmbox_config cfg;
	struct mmbox *box;

	model_config(&cfg, MMBOX_BUDDY_BITMAP);
	KUNIT_ASSERT_EQ(test, 0, mmbox_nodes_split(&cfg, 2));
	box = test_box(test, &cfg);
	storm_of_pages(test, box, __GFP_NOWARN);
	KUNIT_EXPECT_EQ(test, mmbox_nr_used_pages(box), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(zones),
	KUNIT_CASE(nodes),
	KUNIT_CASE(odd),
	KUNIT_CASE(storm_bitmap),
	{}
};

struct kunit_suite page_model_suite = {
	.name = "mmbox_page_model",
	.init = test_init,
	.exit = test_exit,
	.test_cases = cases,
};
