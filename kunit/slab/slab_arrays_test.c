// SPDX-License-Identifier: GPL-2.0
/*
 * The arrays in front of a cache: resized while in use, trimmed by the reaper,
 * taken from CPUs that go, and objects on their way home to other nodes. How
 * many objects lie where after what is slab_reference_test.c's.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/string.h>

#include "slab/slab_private.h"
#include "churn.h"

#define MAX_OBJECTS	4096

static struct mmbox_kmem_cache *new_cache(struct kunit *test, struct mmbox *box,
					  unsigned int size, slab_flags_t flags)
{
	struct mmbox_kmem_cache *cachep;

	cachep = mmbox_kmem_cache_create(box, "test", size, 0, flags, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	return cachep;
}

static struct mmbox *box_of_nodes(struct kunit *test, unsigned int nr_nodes, bool stats)
{
	struct mmbox_config cfg;

	test_config(&cfg, "nodes", nr_nodes * SZ_16M);
	cfg.zone_dma = SZ_4M;
	cfg.slab_stats = stats;
	KUNIT_ASSERT_EQ(test, 0, mmbox_nodes_split(&cfg, nr_nodes));
	return test_box(test, &cfg);
}

/* Of two nodes, the second with the second CPU alone, the first with all others. */
static struct mmbox *box_of_lone_cpu(struct kunit *test)
{
	struct mmbox_config cfg;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	test_config(&cfg, "lone", 2 * SZ_16M);
	cfg.zone_dma = SZ_4M;
	cfg.node_cpus = "0/1";
	KUNIT_ASSERT_EQ(test, 1, test_nth_cpu(1));
	KUNIT_ASSERT_EQ(test, 0, mmbox_nodes_split(&cfg, 2));
	return test_box(test, &cfg);
}

static int nid_of(struct mmbox *box, const void *objp)
{
	return mmbox_virt_to_page(box, objp)->node_id;
}

/* ---- tunables ---- */

/* Objects in use stay whole, those that lay in arrays are there to be had. */
static void tunables(struct kunit *test)
{
	static const int figures[][3] = {
		{ 1, 1, 0 }, { 2, 1, 1 }, { 120, 60, 8 }, { 120, 120, 0 }, { 4000, 100, 3 },
		{ 60, 1, 100 }, { 120, 60, 8 },
	};
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 100, 0);
	void **objs = test_zalloc(test, MAX_OBJECTS * sizeof(void *));
	long bytes = atomic_long_read(&box->host.bytes);
	unsigned int i, j, nr = 0;

	for (i = 0; i < ARRAY_SIZE(figures); i++) {
		for (j = 0; j < 300; j++, nr++) {
			objs[nr] = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, objs[nr]);
			memset(objs[nr], nr, 100);
		}
		for (j = 0; j < 150; j++)
			mmbox_kmem_cache_free(cachep, objs[--nr]);
		KUNIT_EXPECT_EQ(test, 0, test_tune(cachep, figures[i][0], figures[i][1],
						   figures[i][2]));
		KUNIT_EXPECT_EQ(test, cachep->slab.limit, figures[i][0]);
		KUNIT_EXPECT_EQ(test, cachep->slab.batchcount, figures[i][1]);
		KUNIT_EXPECT_EQ(test, cachep->slab.shared, figures[i][2]);
		KUNIT_EXPECT_EQ(test, !!cachep->slab.node[0]->shared, !!figures[i][2]);
		test_check_box(test, box);
	}
	KUNIT_EXPECT_EQ_MSG(test, bytes, atomic_long_read(&box->host.bytes),
			    "old arrays were not given back");
	while (nr--) {
		KUNIT_EXPECT_NULL(test, memchr_inv(objs[nr], nr, 100));
		mmbox_kmem_cache_free(cachep, objs[nr]);
	}
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

/* Figures that make no sense, and such as there is no memory for: no change. */
static void tunables_refused(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 100, 0);
	struct mmbox_array_cache *shared = cachep->slab.node[0]->shared;
	unsigned long limit = cachep->slab.node[0]->free_limit;

	KUNIT_EXPECT_EQ(test, -EINVAL, test_tune(cachep, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, test_tune(cachep, -1, 1, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, test_tune(cachep, 10, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, test_tune(cachep, 10, 11, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, test_tune(cachep, 10, 5, -1));
	KUNIT_EXPECT_EQ(test, -EINVAL, test_tune(cachep, INT_MAX, 5, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, test_tune(cachep, 10, 10, INT_MAX));
	KUNIT_EXPECT_EQ(test, -ENOMEM, test_tune(cachep, 4000, 4000, 4000));
	box->host.fail_nth = atomic_long_read(&box->host.nr_requests) + 1;
	KUNIT_EXPECT_EQ(test, -ENOMEM, test_tune(cachep, 10, 5, 1));
	KUNIT_EXPECT_EQ(test, cachep->slab.limit, 120);
	KUNIT_EXPECT_EQ(test, cachep->slab.batchcount, 60);
	KUNIT_EXPECT_PTR_EQ(test, cachep->slab.node[0]->shared, shared);
	KUNIT_EXPECT_EQ(test, cachep->slab.node[0]->free_limit, limit);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

/* What is done to two caches while all CPUs, and interrupts on them, use both. */
struct disturbance {
	struct kunit *test;
	void (*fn)(struct disturbance *d, struct mmbox_kmem_cache *cachep);
	struct mmbox_kmem_cache *cachep[2];
	unsigned int round;
};

static void disturb(void *arg)
{
	struct disturbance *d = arg;

	d->fn(d, d->cachep[d->round % 2]);
	d->round++;
}

static struct storm *storm_on(struct kunit *test, struct mmbox *box,
			      void (*fn)(struct disturbance *d, struct mmbox_kmem_cache *cachep),
			      unsigned int least)
{
	struct storm *storm = storm_new(test, box, 0, 400, 60);
	struct disturbance d = { .test = test, .fn = fn };
	struct test_meanwhile meanwhile = { .fn = disturb, .arg = &d, .least = least };
	unsigned int i;

	d.cachep[0] = new_cache(test, box, 64, 0);
	d.cachep[1] = new_cache(test, box, 700, SLAB_TYPESAFE_BY_RCU);
	for (i = 0; i < storm->nr_cpus; i++) {
		churn_use_caches(storm->cpu[i].thread, d.cachep, 2);
		churn_use_caches(storm->cpu[i].interrupt, d.cachep, 2);
		storm->cpu[i].thread->kmalloc_classes = 8;
	}
	storm_meanwhile(test, storm, &meanwhile);
	storm_expect_good(test, storm);
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(d.cachep[0]));
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(d.cachep[1]));
	return storm;
}

static void resize(struct disturbance *d, struct mmbox_kmem_cache *cachep)
{
	int limit = 1 + d->round * 37 % 200;

	KUNIT_EXPECT_EQ(d->test, 0, test_tune(cachep, limit, 1 + limit / 2, d->round % 4));
}

static void tunables_in_use(struct kunit *test)
{
	storm_on(test, test_small_box(test), resize, TEST_LEAST_OVERLAPS);
}

/* ---- the reaper ---- */

static unsigned int own_array(struct mmbox_kmem_cache *cachep)
{
	return per_cpu_ptr(cachep->cpu_cache, test_nth_cpu(0))->avail;
}

static void reap_now(struct mmbox_kmem_cache *cachep)
{
	cachep->slab.node[0]->next_reap = jiffies - 1;
	while (!mmbox_cache_reap(cachep->box, 0))
		cond_resched();
}

/* An array that was used is left alone once; then it goes fifth by fifth. */
static void reaper_trims(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 256, 0);
	struct mmbox_kmem_cache_node *n = cachep->slab.node[0];
	int i, nr = 200;
	void **p = kunit_kcalloc(test, nr, sizeof(*p), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	test_pin(test, 0);
	KUNIT_ASSERT_EQ(test, nr, mmbox_kmem_cache_alloc_bulk(cachep, GFP_KERNEL, nr, p));
	while (own_array(cachep) < 120)
		mmbox_kmem_cache_free(cachep, p[--nr]);
	reap_now(cachep);
	KUNIT_EXPECT_EQ_MSG(test, own_array(cachep), 120, "it had just been used");
	reap_now(cachep);
	KUNIT_EXPECT_EQ(test, own_array(cachep), 96);
	for (i = 0; i < 3; i++)
		reap_now(cachep);
	KUNIT_EXPECT_EQ(test, own_array(cachep), 24);
	reap_now(cachep);
	KUNIT_EXPECT_EQ(test, own_array(cachep), 0);

	while (nr)
		mmbox_kmem_cache_free(cachep, p[--nr]);
	/* The node's turn has not come: only the CPU's array. */
	n->next_reap = jiffies + 1000 * HZ;
	for (i = 0; i < 8; i++)
		mmbox_cache_reap(box, 0);
	KUNIT_EXPECT_EQ(test, own_array(cachep), 0);
	KUNIT_EXPECT_GT(test, n->free_slabs, 0);
	n->free_touched = 1;
	reap_now(cachep);
	KUNIT_EXPECT_EQ(test, n->free_touched, 0);
	KUNIT_EXPECT_GT_MSG(test, n->free_slabs, 0, "they had just been needed");
	for (i = 0; i < 30 && n->total_slabs; i++)
		reap_now(cachep);
	KUNIT_EXPECT_EQ(test, n->total_slabs, 0);
	KUNIT_EXPECT_TRUE_MSG(test, time_after(n->next_reap, jiffies), "not due at once");
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

/* slab_reap=1: what is left idle shrinks by itself. Waits as long as it takes. */
static void reaper_runs(struct kunit *test)
{
	struct mmbox_kmem_cache *cachep;
	struct mmbox_account account;
	struct mmbox_config cfg;
	struct mmbox *box;
	void **p = kunit_kcalloc(test, 100, sizeof(*p), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, p);
	mmbox_config_init(&cfg);
	cfg.size = SZ_16M;
	cfg.slab_reap = true;
	cfg.account = &account;
	box = mmbox_create(&cfg);
	KUNIT_ASSERT_FALSE(test, IS_ERR(box));
	cachep = mmbox_kmem_cache_create(box, "idle", 1024, 0, 0, NULL);
	KUNIT_EXPECT_NOT_NULL(test, cachep);
	if (!cachep)
		goto destroy;
	KUNIT_EXPECT_EQ(test, 100, mmbox_kmem_cache_alloc_bulk(cachep, GFP_KERNEL, 100, p));
	mmbox_kmem_cache_free_bulk(cachep, 100, p);
	for (i = 0; i < 600 && READ_ONCE(cachep->slab.node[0]->total_slabs); i++)
		msleep(100);
	KUNIT_EXPECT_EQ_MSG(test, cachep->slab.node[0]->total_slabs, 0, "nobody came for a minute");
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
destroy:
	mmbox_destroy(box);
	KUNIT_EXPECT_EQ(test, account.bytes, 0);
}

static void reap(struct disturbance *d, struct mmbox_kmem_cache *cachep)
{
	/* Not each time: to move is to let the storm go on. */
	if (d->round % 8 == 0)
		test_pin(d->test, d->round / 8 % num_online_cpus());
	WRITE_ONCE(cachep->slab.node[0]->next_reap, jiffies - 1);
	mmbox_cache_reap(cachep->box, d->round % cachep->box->nr_nodes);
}

static void reaper_in_use(struct kunit *test)
{
	storm_on(test, test_small_box(test), reap, TEST_LEAST_OVERLAPS);
}

/* ---- nodes ---- */

/* Each CPU gets its own node's objects, and any node's that it asks for. */
static void of_nodes(struct kunit *test)
{
	struct mmbox *box = box_of_nodes(test, 3, false);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 200, 0);
	unsigned int cpu;
	void *p;
	int nid;

	for (cpu = 0; cpu < num_online_cpus(); cpu++) {
		test_pin(test, cpu);
		p = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, nid_of(box, p),
				mmbox_cpu_to_node(box, test_nth_cpu(cpu)));
		mmbox_kmem_cache_free(cachep, p);
		mmbox_for_each_online_node(box, nid) {
			p = mmbox_kmem_cache_alloc_node(cachep, GFP_KERNEL, nid);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_EQ(test, nid_of(box, p), nid);
			mmbox_kmem_cache_free(cachep, p);
			p = mmbox_kmalloc_node(box, 3000, GFP_KERNEL, nid);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_EQ(test, nid_of(box, p), nid);
			mmbox_kfree(box, p);
		}
	}
	KUNIT_EXPECT_NULL(test, mmbox_kmem_cache_alloc_node(cachep, GFP_KERNEL, 3));
	KUNIT_EXPECT_NULL(test, mmbox_kmem_cache_alloc_node(cachep, GFP_KERNEL, -2));
	test_check_box(test, box);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

/* What is freed to another node gathers, goes home when it is too many, and by a shrink. */
static void alien_caches(struct kunit *test)
{
	struct mmbox *box = box_of_nodes(test, 2, true);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 200, 0);
	struct mmbox_array_cache *alien, *shared;
	void *p[40];
	int here, there, i;

	test_pin(test, 0);
	here = mmbox_cpu_to_node(box, test_nth_cpu(0));
	there = !here;
	alien = &cachep->slab.node[here]->alien[there]->ac;
	KUNIT_EXPECT_NULL(test, cachep->slab.node[here]->alien[here]);
	KUNIT_EXPECT_EQ(test, alien->limit, 12);
	for (i = 0; i < 40; i++) {
		p[i] = mmbox_kmem_cache_alloc_node(cachep, GFP_KERNEL, there);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		KUNIT_ASSERT_EQ(test, nid_of(box, p[i]), there);
	}
	for (i = 0; i < 12; i++)
		mmbox_kmem_cache_free(cachep, p[i]);
	KUNIT_EXPECT_EQ(test, alien->avail, 12);
	mmbox_kmem_cache_free(cachep, p[12]);
	KUNIT_EXPECT_EQ(test, alien->avail, 1);
	shared = cachep->slab.node[there]->shared;
	if (shared)
		KUNIT_EXPECT_EQ(test, shared->avail, 12);
	KUNIT_EXPECT_EQ(test, 1, atomic_long_read(&cachep->slab.stats.node_overflow));
	KUNIT_EXPECT_EQ(test, 13, atomic_long_read(&cachep->slab.stats.node_frees));
	test_check_box(test, box);
	while (!mmbox_cache_reap(box, there))
		cond_resched();
	KUNIT_EXPECT_EQ_MSG(test, alien->avail, 0, "the reaper left it");
	mmbox_kmem_cache_free_bulk(cachep, 27, p + 13);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_shrink(cachep));
	KUNIT_EXPECT_EQ(test, alien->avail, 0);
	KUNIT_EXPECT_EQ(test, cachep->slab.node[there]->total_slabs, 0);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

/* A node that is full: from others, unless the caller says this one. */
static void node_is_full(struct kunit *test)
{
	void **objs = test_zalloc(test, 2 * MAX_OBJECTS * sizeof(void *));
	struct mmbox *box = box_of_nodes(test, 2, false);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 4096, 0);
	unsigned int nr = 0, of[2] = {};

	while (nr < 2 * MAX_OBJECTS) {
		objs[nr] = mmbox_kmem_cache_alloc_node(cachep, GFP_KERNEL | __GFP_THISNODE, 1);
		if (!objs[nr])
			break;
		of[nid_of(box, objs[nr++])]++;
	}
	KUNIT_EXPECT_EQ(test, of[0], 0);
	KUNIT_EXPECT_GT(test, of[1], 3000);
	while (nr < 2 * MAX_OBJECTS) {
		objs[nr] = mmbox_kmem_cache_alloc_node(cachep, GFP_KERNEL, 1);
		if (!objs[nr])
			break;
		of[nid_of(box, objs[nr++])]++;
	}
	KUNIT_EXPECT_GT(test, of[0], 2000);
	test_check_box(test, box);
	while (nr)
		mmbox_kmem_cache_free(cachep, objs[--nr]);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

static void shrink(struct disturbance *d, struct mmbox_kmem_cache *cachep)
{
	mmbox_kmem_cache_shrink(cachep);
}

static void nodes_in_use(struct kunit *test)
{
	storm_on(test, box_of_nodes(test, 2, false), shrink, TEST_LEAST_OVERLAPS);
}

static void nodes_reaped(struct kunit *test)
{
	storm_on(test, box_of_nodes(test, 3, true), reap, TEST_LEAST_OVERLAPS);
}

/* Mark or no mark: what is free already is noticed on the slow path as well. */
static void refused_on_nodes(struct kunit *test)
{
	struct mmbox *box = box_of_nodes(test, 2, false);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 64, 0);
	void *p = mmbox_kmem_cache_alloc_node(cachep, GFP_KERNEL, 1);

	KUNIT_ASSERT_NOT_NULL(test, p);
	mmbox_kmem_cache_free(cachep, p + 8);
	KUNIT_EXPECT_EQ(test, 1, atomic_long_read(&box->faces.bad[MMBOX_BAD_OBJECT]));
	mmbox_kmem_cache_free(cachep, p);
	mmbox_kmem_cache_free(cachep, p);
	KUNIT_EXPECT_EQ(test, 1, atomic_long_read(&box->faces.bad[MMBOX_BAD_DOUBLE]));
	mmbox_kmem_cache_free(cachep, box);
	KUNIT_EXPECT_EQ(test, 1, atomic_long_read(&box->faces.bad[MMBOX_BAD_FOREIGN]));
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

/* Where the constructor moves the task to, once. */
static struct kunit *mover;

static void move_to_other_cpu(void *objp)
{
	struct kunit *test = mover;

	mover = NULL;
	if (test)
		test_pin(test, 1);
}

/*
 * The task moves to a CPU of another node while a slab is made for it: what lies in
 * the array there is of that node, and not what was asked for.
 */
static void moved_amid(struct kunit *test)
{
	struct mmbox *box = box_of_lone_cpu(test);
	struct mmbox_kmem_cache *cachep;
	int here, there;
	void *p;

	here = mmbox_cpu_to_node(box, test_nth_cpu(0));
	there = mmbox_cpu_to_node(box, test_nth_cpu(1));
	KUNIT_ASSERT_NE(test, here, there);
	cachep = mmbox_kmem_cache_create(box, "test", 200, 0, 0, move_to_other_cpu);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	test_pin(test, 1);
	p = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_EQ(test, there, nid_of(box, p));
	mmbox_kmem_cache_free(cachep, p);
	test_pin(test, 0);
	mover = test;
	p = mmbox_kmem_cache_alloc_node(cachep, GFP_KERNEL | __GFP_THISNODE, here);
	KUNIT_EXPECT_NULL_MSG(test, mover, "no slab was made");
	mover = NULL;
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ_MSG(test, here, nid_of(box, p), "the other node's");
	test_check_box(test, box);
	mmbox_kmem_cache_free(cachep, p);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

/* ---- CPUs that go and come ---- */

#ifdef CONFIG_HOTPLUG_CPU
/* What the other CPU's arrays held is there to be had, and it works again after. */
static void cpu_goes(struct kunit *test)
{
	struct mmbox *box = box_of_lone_cpu(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 64, 0);
	int round, cpu, nid, err;
	void *p[50];

	for (round = 0; round < 2; round++) {
		test_pin(test, 1);
		cpu = test_nth_cpu(1);
		nid = mmbox_cpu_to_node(box, cpu);
		KUNIT_ASSERT_EQ(test, 50, mmbox_kmem_cache_alloc_bulk(cachep, GFP_KERNEL,
								      50, p));
		mmbox_kmem_cache_free_bulk(cachep, 50, p);
		KUNIT_EXPECT_GT(test, per_cpu_ptr(cachep->cpu_cache, cpu)->avail, 0);
		test_pin(test, 0);
		err = remove_cpu(cpu);
		if (err)
			kunit_skip(test, "the CPU does not go: %d", err);
		KUNIT_EXPECT_EQ(test, per_cpu_ptr(cachep->cpu_cache, cpu)->avail, 0);
		KUNIT_EXPECT_NULL_MSG(test, cachep->slab.node[nid]->shared,
				      "no CPU of the node is left to share it");
		KUNIT_EXPECT_NULL(test, cachep->slab.node[nid]->alien);
		test_check_box(test, box);
		p[0] = mmbox_kmem_cache_alloc_node(cachep, GFP_KERNEL, nid);
		KUNIT_EXPECT_NOT_NULL(test, p[0]);
		if (p[0])
			mmbox_kmem_cache_free(cachep, p[0]);
		KUNIT_EXPECT_EQ(test, 0, add_cpu(cpu));
		KUNIT_EXPECT_NOT_NULL(test, cachep->slab.node[nid]->alien);
		KUNIT_EXPECT_EQ(test, !!cachep->slab.node[nid]->shared, !!cachep->slab.shared);
	}
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

/* All CPUs but the first go and come by turns. */
static void turn_off_and_on(struct disturbance *d, struct mmbox_kmem_cache *cachep)
{
	unsigned int cpu = test_nth_cpu(1 + d->round % (num_online_cpus() - 1));

	KUNIT_EXPECT_EQ(d->test, 0, remove_cpu(cpu));
	KUNIT_EXPECT_EQ(d->test, 0, add_cpu(cpu));
}

static void cpus_go_in_use(struct kunit *test)
{
	unsigned long nr_returns = 0;
	struct storm *storm;
	unsigned int i;
	int err;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	test_pin(test, 0);
	i = test_nth_cpu(1);
	err = remove_cpu(i);
	if (err)
		kunit_skip(test, "the CPU does not go: %d", err);
	KUNIT_ASSERT_EQ(test, 0, add_cpu(i));
	storm = storm_on(test, box_of_nodes(test, 2, false), turn_off_and_on, 6);
	for (i = 0; i < storm->nr_cpus; i++)
		nr_returns += storm->cpu[i].nr_returns;
	KUNIT_EXPECT_GT_MSG(test, nr_returns, 3, "no storm on CPUs that came again");
}

/* A box that is full does not keep the host's CPU from coming back. */
static void cpu_comes_to_no_memory(struct kunit *test)
{
	struct mmbox *box = box_of_lone_cpu(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 64, 0);
	struct mmbox_page *page, *pages = NULL;
	int cpu, nid, err;

	cpu = test_nth_cpu(1);
	nid = mmbox_cpu_to_node(box, cpu);
	err = remove_cpu(cpu);
	if (err)
		kunit_skip(test, "the CPU does not go: %d", err);
	KUNIT_EXPECT_NULL(test, cachep->slab.node[nid]->alien);
	for (;;) {
		page = mmbox_alloc_pages(box, GFP_KERNEL | __GFP_NOWARN, 0);
		if (!page)
			break;
		*(struct mmbox_page **)mmbox_page_address(box, page) = pages;
		pages = page;
	}
	/* What slabs have free. */
	while (mmbox_kmalloc(box, 4096, GFP_NOWAIT | __GFP_NOWARN))
		;
	KUNIT_EXPECT_EQ(test, 0, add_cpu(cpu));
	while (pages) {
		page = pages;
		pages = *(struct mmbox_page **)mmbox_page_address(box, page);
		__mmbox_free_pages(box, page, 0);
	}
	test_pin(test, 1);
	mmbox_kmem_cache_free(cachep, mmbox_kmem_cache_alloc_node(cachep, GFP_KERNEL, !nid));
	KUNIT_EXPECT_EQ(test, 0, test_tune(cachep, 120, 60, 8));
	KUNIT_EXPECT_NOT_NULL(test, cachep->slab.node[nid]->alien);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

#define SHRINK_WITHIN	(20 * HZ)	/* or it waits for the CPU that goes */

/* A cache that is shrunk while a CPU goes. */
static struct going {
	struct mmbox_kmem_cache *cachep;
	struct completion go;		/* the CPU is going */
	struct completion shrunk;
	bool in_time;
} going;

static void shrink_when_told(void *arg)
{
	wait_for_completion(&going.go);
	mmbox_kmem_cache_shrink(going.cachep);
	complete(&going.shrunk);
}

static int cpu_is_going(unsigned int cpu)
{
	complete(&going.go);
	going.in_time = wait_for_completion_timeout(&going.shrunk, SHRINK_WITHIN);
	return 0;
}

/*
 * A shrinker may shrink a cache on behalf of somebody who holds what a CPU that
 * goes waits for. So a shrink ends before the CPU has gone.
 */
static void shrink_while_cpu_goes(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 64, 0);
	struct test_thread *thread;
	int cpu, state, err;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	mmbox_kmem_cache_free(cachep, mmbox_kmem_cache_alloc(cachep, GFP_KERNEL));
	going.cachep = cachep;
	going.in_time = false;
	init_completion(&going.go);
	init_completion(&going.shrunk);
	state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "mmbox_kunit:going", NULL,
					  cpu_is_going);
	KUNIT_ASSERT_GT(test, state, 0);
	test_pin(test, 0);
	thread = test_thread_start(test, 0, shrink_when_told, NULL);
	cpu = test_nth_cpu(1);
	err = remove_cpu(cpu);
	if (!err)
		err = add_cpu(cpu);
	else
		complete(&going.go);
	cpuhp_remove_state_nocalls(state);
	test_thread_wait(thread);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	if (err)
		kunit_skip(test, "the CPU does not go, or not come back: %d", err);
	KUNIT_EXPECT_TRUE_MSG(test, going.in_time, "the shrink waited for the CPU");
}
#endif

static struct kunit_case cases[] = {
	KUNIT_CASE(tunables),
	KUNIT_CASE(tunables_refused),
	KUNIT_CASE(tunables_in_use),
	KUNIT_CASE(reaper_trims),
	KUNIT_CASE(reaper_runs),
	KUNIT_CASE(reaper_in_use),
	KUNIT_CASE(of_nodes),
	KUNIT_CASE(alien_caches),
	KUNIT_CASE(node_is_full),
	KUNIT_CASE(nodes_in_use),
	KUNIT_CASE(nodes_reaped),
	KUNIT_CASE(refused_on_nodes),
	KUNIT_CASE(moved_amid),
#ifdef CONFIG_HOTPLUG_CPU
	KUNIT_CASE(cpu_goes),
	KUNIT_CASE(cpus_go_in_use),
	KUNIT_CASE(cpu_comes_to_no_memory),
	KUNIT_CASE(shrink_while_cpu_goes),
#endif
	{}
};

struct kunit_suite slab_arrays_suite = {
	.name = "mmbox_slab_arrays",
	.init = test_init,
	.exit = test_exit,
	.test_cases = cases,
};
