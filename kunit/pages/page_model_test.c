// SPDX-License-Identifier: GPL-2.0
/*
 * The page allocator against a model of it: who holds which page.
 *
 * Random operations with several orders, zones, nodes and GFP flags, on both generations
 * of the buddy allocator. There is one actor, or several at once: a thread on each CPU,
 * and interrupts there. The model knows which pages are held. A page that is handed out
 * must not be one of them, must be of a zone and node that the request may use, and must
 * not come from a reserve that is closed to it. Now and then all actors stop, and all
 * lists, bits and descriptors are checked. mmbox_kunit's ops= says how many operations.
 */
#include <linux/bitmap.h>
#include <linux/sched/rt.h>
#include <linux/stdarg.h>
#include <linux/string.h>

#include "pages/buddy.h"
#include "testing.h"

#define MAX_HELD	3000
#define MAX_BULK	40
#define ROOM		100	/* most blocks that one operation may add */
#define CHECK_EVERY	5000U
#define MOST_STEPS	100000U	/* by which the box has run out, however few ops= are */

struct held {
	struct mmbox_page *page;
	unsigned int order;
};

/* What all actors of a box hold. */
struct model {
	struct mmbox *box;
	unsigned long *pages;		/* bitmap of pfns that are held */
	long slack;			/* pages that other actors may be about to allocate */
	atomic_t nr_faults;
	char fault[128];		/* text of the first */
};

struct actor {
	struct model *model;
	struct held *held;
	unsigned int nr, max;
	unsigned int max_order;
	unsigned int max_bulk;
	gfp_t bulk_gfp;
	const gfp_t *gfps;		/* flags of its requests */
	unsigned int nr_gfps;
	bool may_sleep;			/* and may use all other calls */
	unsigned int frees;		/* percent of steps that free a block */
	bool frees_all;			/* sometimes, all its blocks */
	unsigned long nr_pages;		/* in all blocks it holds */
	unsigned long failed;		/* requests that returned NULL */
	u32 seed;
};

static const gfp_t gfps[] = {
	GFP_KERNEL, GFP_KERNEL, GFP_ATOMIC, GFP_NOWAIT, GFP_HIGHUSER_MOVABLE,
	GFP_HIGHUSER_MOVABLE, GFP_KERNEL | __GFP_RECLAIMABLE, GFP_KERNEL | __GFP_DMA,
	GFP_KERNEL | __GFP_DMA32, GFP_KERNEL | __GFP_HIGH, GFP_KERNEL | __GFP_MEMALLOC,
	GFP_KERNEL | __GFP_THISNODE, GFP_KERNEL | __GFP_NORETRY, GFP_KERNEL | __GFP_ZERO,
	GFP_KERNEL | __GFP_RETRY_MAYFAIL, GFP_ATOMIC | __GFP_NOMEMALLOC,
};

/*
 * Flags for several actors. None may go below min, so that a zone below min is a fault.
 * Few requests reclaim: the box is full most of the time, and reclaim drains all CPUs.
 */
static const gfp_t modest_gfps[] = {
	GFP_NOWAIT, GFP_NOWAIT, GFP_NOWAIT | __GFP_MOVABLE | __GFP_HIGHMEM,
	GFP_NOWAIT | __GFP_MOVABLE | __GFP_HIGHMEM, GFP_NOWAIT | __GFP_RECLAIMABLE,
	GFP_NOWAIT | __GFP_DMA, GFP_NOWAIT | __GFP_DMA32, GFP_NOWAIT | __GFP_THISNODE,
	GFP_NOWAIT | __GFP_ZERO, GFP_NOWAIT, GFP_NOWAIT, GFP_NOWAIT, GFP_NOWAIT, GFP_NOWAIT,
	GFP_NOWAIT, GFP_KERNEL | __GFP_NORETRY,
};

static const gfp_t interrupt_gfps[] = {
	GFP_NOWAIT, GFP_NOWAIT, GFP_NOWAIT | __GFP_MOVABLE | __GFP_HIGHMEM,
	GFP_NOWAIT | __GFP_RECLAIMABLE, GFP_NOWAIT | __GFP_DMA, GFP_NOWAIT | __GFP_ZERO,
	GFP_NOWAIT | __GFP_THISNODE,
};

/* A test cannot fail in an interrupt. The first fault is reported at the end. */
static __printf(2, 3) void fault(struct model *m, const char *fmt, ...)
{
	va_list args;

	if (atomic_inc_return(&m->nr_faults) != 1)
		return;
	va_start(args, fmt);
	vsnprintf(m->fault, sizeof(m->fault), fmt, args);
	va_end(args);
}

static unsigned int next(struct actor *a, unsigned int below)
{
	return test_random(&a->seed) % below;
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

/* Free pages that this request must leave in the zone. */
static long least_left(const struct model *m, const struct mmbox_zone *zone, gfp_t gfp)
{
	long min = zone->_watermark[MMBOX_WMARK_MIN];

	/* Other actors may have used part of these pages. */
	if (m->slack)
		return min - m->slack;
	if (gfp & __GFP_MEMALLOC)
		return 0;
	if (gfp & __GFP_HIGH || rt_task(current)) {
		min -= min / 2;
		if (!(gfp & (__GFP_DIRECT_RECLAIM | __GFP_NOMEMALLOC)))
			min -= min / 4;
	}
	return min + zone->lowmem_reserve[highest_zone(gfp)];
}

static void count_left(struct mmbox_zone *zone, void *arg)
{
	long *left = arg;

	*left = zone->nr_free_pages + mmbox_nr_pcp_pages(zone);
}

/* zone->lock is held: no batch may be on its way between the zone and a per-CPU list. */
static long pages_left(struct mmbox_zone *zone)
{
	long left;

	mmbox_buddy_hold(zone, count_left, &left);
	return left;
}

/* A block was handed out: check that the request may have it, and that nobody holds it. */
static void take(struct actor *a, struct mmbox_page *page, unsigned int order, gfp_t gfp,
		 int nid)
{
	struct model *m = a->model;
	unsigned long pfn = mmbox_page_to_pfn(m->box, page), i;
	struct mmbox_zone *zone = mmbox_page_zone(m->box, page);
	long left = pages_left(zone);

	for (i = 0; i < 1UL << order; i++)
		if (test_and_set_bit(pfn + i, m->pages))
			fault(m, "pfn %lx is handed out twice", pfn + i);
	if (!IS_ALIGNED(pfn, 1UL << order))
		fault(m, "pfn %lx is not aligned to order %u", pfn, order);
	if (mmbox_zone_idx(zone) > highest_zone(gfp))
		fault(m, "gfp %#x got a page of zone %s", (__force int)gfp, zone->name);
	if (gfp & __GFP_THISNODE && zone->zone_pgdat->node_id != nid)
		fault(m, "gfp %#x of node %d got one of node %d", (__force int)gfp, nid,
		      zone->zone_pgdat->node_id);
	if (left < least_left(m, zone, gfp))
		fault(m, "gfp %#x left zone %s %ld pages of %ld", (__force int)gfp,
		      zone->name, left, least_left(m, zone, gfp));
	if (gfp & __GFP_ZERO && memchr_inv(mmbox_page_address(m->box, page), 0,
					   PAGE_SIZE << order))
		fault(m, "pfn %lx is not clear", pfn);
	*(unsigned long *)mmbox_page_address(m->box, page) = pfn;
	a->held[a->nr++] = (struct held){ page, order };
	a->nr_pages += 1UL << order;
}

/* The model's part of a free: the pattern must still be there. */
static struct held give(struct actor *a, unsigned int nr)
{
	struct model *m = a->model;
	struct held held = a->held[nr];
	unsigned long pfn = mmbox_page_to_pfn(m->box, held.page), i;

	if (*(unsigned long *)mmbox_page_address(m->box, held.page) != pfn)
		fault(m, "pfn %lx was written to by another", pfn);
	for (i = 0; i < 1UL << held.order; i++)
		if (!test_and_clear_bit(pfn + i, m->pages))
			fault(m, "pfn %lx was held by nobody", pfn + i);
	a->nr_pages -= 1UL << held.order;
	a->held[nr] = a->held[--a->nr];
	return held;
}

static void free_one(struct actor *a)
{
	struct held held;

	if (!a->nr)
		return;
	held = give(a, next(a, a->nr));
	__mmbox_free_pages(a->model->box, held.page, held.order);
}

static void alloc_one(struct actor *a)
{
	struct mmbox *box = a->model->box;
	/* Small orders are more likely. */
	unsigned int order = next(a, 1 + next(a, a->max_order));
	gfp_t gfp = a->gfps[next(a, a->nr_gfps)] | __GFP_NOWARN;
	int nid = (int)next(a, box->nr_nodes + 1) - 1;
	struct mmbox_page *page;

	if (gfp & __GFP_THISNODE && nid < 0)
		nid = 0;
	page = mmbox_alloc_pages_node(box, nid, gfp, order);
	if (page)
		take(a, page, order, gfp, nid);
	else
		a->failed++;
}

static void alloc_bulk(struct actor *a)
{
	struct mmbox_page *pages[MAX_BULK] = {};
	unsigned long nr = mmbox_alloc_pages_bulk_array(a->model->box, a->bulk_gfp,
							1 + next(a, a->max_bulk), pages);

	while (nr)
		take(a, pages[--nr], 0, GFP_KERNEL, NUMA_NO_NODE);
}

static void alloc_exact(struct actor *a)
{
	struct mmbox *box = a->model->box;
	size_t nr = 1 + next(a, min(20U, a->max_bulk)), i;
	void *p = mmbox_alloc_pages_exact(box, nr * PAGE_SIZE, a->bulk_gfp);

	for (i = 0; p && i < nr; i++)
		take(a, mmbox_virt_to_page(box, p + i * PAGE_SIZE), 0, GFP_KERNEL,
		     NUMA_NO_NODE);
}

/* Split a block into single pages, if there is room for them. */
static void split(struct actor *a)
{
	struct held held;
	unsigned int nr, i;

	if (!a->nr)
		return;
	nr = next(a, a->nr);
	if (a->held[nr].order > 5)
		return;
	held = give(a, nr);
	mmbox_split_page(a->model->box, held.page, held.order);
	for (i = 0; i < 1U << held.order; i++)
		take(a, held.page + i, 0, GFP_KERNEL | __GFP_MOVABLE | __GFP_HIGHMEM |
		     __GFP_MEMALLOC, NUMA_NO_NODE);
}

static void free_all(struct actor *a)
{
	while (a->nr)
		free_one(a);
}

static void step(void *arg)
{
	struct actor *a = arg;
	unsigned int what = next(a, 100);

	/* Alternate between nearly full and nearly empty. */
	if (a->nr > a->max - ROOM || what < a->frees)
		free_one(a);
	else if (what < 92 || !a->may_sleep)
		alloc_one(a);
	else if (what < 94)
		alloc_bulk(a);
	else if (what < 96)
		alloc_exact(a);
	else if (what < 98)
		split(a);
	else if (what == 98 && !next(a, 20))
		mmbox_drain_all_pages(a->model->box);
	else if (a->frees_all && !next(a, 50))
		free_all(a);
}

static void model_init(struct kunit *test, struct model *m, const struct mmbox_config *cfg)
{
	*m = (struct model){ .box = test_box(test, cfg) };
	m->box->pages.watermark_boost_factor = 0;
	m->pages = test_zalloc(test, BITS_TO_LONGS(m->box->memmap.max_pfn) * sizeof(long));
}

/* All actors have freed everything: the box must be as it was. */
static void model_end(struct kunit *test, struct model *m, unsigned long failed)
{
	struct mmbox_zone *zone;

	mmbox_drain_all_pages(m->box);
	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&m->nr_faults), 0, "first: %s", m->fault);
	KUNIT_EXPECT_EQ(test, test_nr_bad(m->box), 0);
	KUNIT_EXPECT_GT_MSG(test, failed, 0, "the box never ran out");
	mmbox_for_each_zone(m->box, zone)
		KUNIT_EXPECT_EQ(test, zone->nr_free_pages, zone->managed_pages);
	test_box_end(test, m->box);
}

static struct actor *new_actor(struct kunit *test, struct model *m, unsigned int max,
			       const gfp_t *gfps, unsigned int nr_gfps, u32 seed)
{
	struct actor *a = test_zalloc(test, sizeof(*a));

	*a = (struct actor){
		.model = m,
		.max = max,
		.max_order = m->box->pages.max_order,
		.max_bulk = MAX_BULK,
		.bulk_gfp = GFP_KERNEL | __GFP_NOWARN,
		.gfps = gfps,
		.nr_gfps = nr_gfps,
		.may_sleep = gfps != interrupt_gfps,
		.frees = 44,
		.frees_all = true,
		.seed = seed,
		.held = test_zalloc(test, max * sizeof(*a->held)),
	};
	return a;
}

/* With one actor the number of free pages is known at any time. */
static void run_model(struct kunit *test, const struct mmbox_config *cfg, u32 seed)
{
	struct model m;
	struct actor *a;
	unsigned int i;

	model_init(test, &m, cfg);
	a = new_actor(test, &m, MAX_HELD, gfps, ARRAY_SIZE(gfps),
		      seed + 1000 * test_round(test));
	for (i = 0; i < test_round_ops() / 2 || (!a->failed && i < MOST_STEPS); i++) {
		step(a);
		if (i % CHECK_EVERY == 0) {
			test_check_pages(test, m.box);
			cond_resched();
		}
		KUNIT_ASSERT_EQ(test, a->nr_pages, mmbox_nr_used_pages(m.box));
		KUNIT_ASSERT_EQ_MSG(test, atomic_read(&m.nr_faults), 0, "%s", m.fault);
	}
	free_all(a);
	model_end(test, &m, a->failed);
}

static void model_config(struct mmbox_config *cfg, enum mmbox_buddy_type buddy)
{
	test_config(cfg, "model", SZ_32M);
	cfg->zone_dma = SZ_4M;
	cfg->zone_dma32 = SZ_8M;
	cfg->movablecore = SZ_8M;
	cfg->buddy = buddy;
	cfg->pages_only = true;
	/* kswapd would drain per-CPU lists while pages are counted. */
	cfg->kswapd = false;
}

/* All zones of one node. */
static void one_node_all_zones(struct kunit *test)
{
	struct mmbox_config cfg;
	int buddy;

	test_pin(test, 0);
	for (buddy = 0; buddy < MMBOX_NR_BUDDY_TYPES; buddy++) {
		model_config(&cfg, buddy);
		run_model(test, &cfg, 11 + buddy);
	}
}

/* Three nodes, and per-CPU lists of order 9. */
static void three_nodes(struct kunit *test)
{
	struct mmbox_config cfg;
	int buddy;

	test_pin(test, 0);
	for (buddy = 0; buddy < MMBOX_NR_BUDDY_TYPES; buddy++) {
		model_config(&cfg, buddy);
		cfg.size = SZ_32M + SZ_16M;
		cfg.pcp_thp = buddy == MMBOX_BUDDY_LIST;
		KUNIT_ASSERT_EQ(test, 0, mmbox_nodes_split(&cfg, 3));
		run_model(test, &cfg, 21 + buddy);
	}
}

/* Ten orders, zones that do not begin at a largest block, and little memory. */
static void ten_orders_unaligned_zones(struct kunit *test)
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
		run_model(test, &cfg, 31 + buddy);
	}
}

/*
 * One actor of several. Its blocks have order 3 at most, so it must hold many of them
 * before the box is full.
 */
static struct actor *new_member(struct kunit *test, struct model *m, bool interrupt, u32 seed)
{
	struct actor *a;

	if (interrupt)
		a = new_actor(test, m, ROOM + 100, interrupt_gfps, ARRAY_SIZE(interrupt_gfps),
			      seed);
	else
		a = new_actor(test, m, MAX_HELD, modest_gfps, ARRAY_SIZE(modest_gfps), seed);
	a->max_order = MMBOX_COSTLY_ORDER + 1;
	a->max_bulk = 1 << MMBOX_COSTLY_ORDER;
	a->bulk_gfp = GFP_NOWAIT | __GFP_NOWARN;
	a->frees = interrupt ? 44 : 36;
	a->frees_all = false;
	return a;
}

static unsigned long nr_failed(struct actor *const *actors, unsigned int nr)
{
	unsigned long failed = 0;

	while (nr--)
		failed += actors[nr]->failed;
	return failed;
}

/*
 * Several actors at once. None may go below min, so a zone is never below it by more
 * than the requests that are under way.
 * How many interrupts come depends on time, so all go on until the box has run out.
 */
static void run_crowd(struct kunit *test, const struct mmbox_config *cfg,
		      unsigned int nr_cpus, u32 seed)
{
	struct test_crowd crowd = { .nr_cpus = nr_cpus, .step = step };
	unsigned int ops = test_round_ops() / 2, nr = 2 * nr_cpus, steps, done = 0, i;
	struct actor *actors[2 * TEST_MAX_CROWD];
	unsigned long failed, nr_pages;
	struct model m;

	model_init(test, &m, cfg);
	m.slack = nr << MMBOX_COSTLY_ORDER;
	seed += 1000 * test_round(test);
	for (i = 0; i < nr_cpus; i++) {
		actors[2 * i] = new_member(test, &m, false, seed++);
		actors[2 * i + 1] = new_member(test, &m, true, seed++);
		crowd.thread[i] = actors[2 * i];
		crowd.interrupt[i] = actors[2 * i + 1];
	}
	for (; done < ops || (!nr_failed(actors, nr) && done < MOST_STEPS); done += steps) {
		steps = done < ops ? min(ops - done, CHECK_EVERY) : CHECK_EVERY;
		test_crowd_run(test, &crowd, steps, NULL);
		for (i = 0, nr_pages = 0; i < nr; i++)
			nr_pages += actors[i]->nr_pages;
		KUNIT_ASSERT_EQ_MSG(test, atomic_read(&m.nr_faults), 0, "%s", m.fault);
		KUNIT_ASSERT_EQ(test, nr_pages, mmbox_nr_used_pages(m.box));
		test_check_pages(test, m.box);
	}
	failed = nr_failed(actors, nr);
	for (i = 0; i < nr; i++)
		free_all(actors[i]);
	KUNIT_EXPECT_GT_MSG(test, crowd.nr_interrupts, 0, "there were no interrupts");
	model_end(test, &m, failed);
}

static void crowd_config(struct mmbox_config *cfg, enum mmbox_buddy_type buddy)
{
	model_config(cfg, buddy);
	cfg->size = SZ_16M;
	cfg->zone_dma = SZ_2M;
	cfg->zone_dma32 = SZ_4M;
	cfg->movablecore = SZ_4M;
}

/* Both generations, in a box of @nr_nodes. */
static void run_crowds(struct kunit *test, unsigned int nr_cpus, unsigned int nr_nodes,
		       u32 seed)
{
	struct mmbox_config cfg;
	int buddy;

	for (buddy = 0; buddy < MMBOX_NR_BUDDY_TYPES; buddy++) {
		crowd_config(&cfg, buddy);
		KUNIT_ASSERT_EQ(test, 0, mmbox_nodes_split(&cfg, nr_nodes));
		run_crowd(test, &cfg, nr_cpus, seed + 10 * buddy);
	}
}

/* One CPU with interrupts, in a box of one node. */
static void one_cpu_interrupted(struct kunit *test)
{
	run_crowds(test, 1, 1, 41);
}

/* All CPUs, with interrupts on each. */
static void all_cpus_interrupted(struct kunit *test)
{
	run_crowds(test, test_crowd_cpus(test, 2), 1, 61);
}

/* The same, in a box of two nodes. */
static void all_cpus_two_nodes(struct kunit *test)
{
	run_crowds(test, test_crowd_cpus(test, 2), 2, 81);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(one_node_all_zones, test_rounds),
	KUNIT_CASE_PARAM(three_nodes, test_rounds),
	KUNIT_CASE_PARAM(ten_orders_unaligned_zones, test_rounds),
	KUNIT_CASE_PARAM(one_cpu_interrupted, test_rounds),
	KUNIT_CASE_PARAM(all_cpus_interrupted, test_rounds),
	KUNIT_CASE_PARAM(all_cpus_two_nodes, test_rounds),
	{}
};

TEST_SUITE(page_model_suite, "mmbox_page_model", cases);
