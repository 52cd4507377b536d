// SPDX-License-Identifier: GPL-2.0
/*
 * The arrays in front of a cache: resized while in use, trimmed by the reaper, emptied
 * when their CPU goes offline; and objects that go home to other nodes. How many objects
 * an array has after each operation is tested in slab_reference_test.c.
 */
#include <linux/cpu.h>
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

/* A box of two nodes. The second has the second CPU only, the first all others. */
static struct mmbox *box_of_lone_cpu(struct kunit *test)
{
	struct mmbox_config cfg;

	test_needs_two_cpus(test);
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

/* Objects in use are unchanged. Objects of the old arrays can be allocated again. */
static void resize_keeps_objects(struct kunit *test)
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
			    "memory of the old arrays was not freed");
	while (nr--) {
		KUNIT_EXPECT_NULL(test, memchr_inv(objs[nr], nr, 100));
		mmbox_kmem_cache_free(cachep, objs[nr]);
	}
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

/* Bad values, and values for which there is no memory, change nothing. */
static void bad_tunables_refused(struct kunit *test)
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

/* A function called for two caches by turns, while all CPUs and interrupts use both. */
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

static void resize_in_use(struct kunit *test)
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

/* An array that was used is skipped once. Then each time a fifth of it is freed. */
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
	/* The node is not due yet: only the CPU's array is trimmed. */
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

/* slab_reap=1: an idle cache shrinks by itself. Waits for that up to a minute. */
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
	KUNIT_EXPECT_EQ_MSG(test, cachep->slab.node[0]->total_slabs, 0, "no reaper in a minute");
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
destroy:
	mmbox_destroy(box);
	KUNIT_EXPECT_EQ(test, account.bytes, 0);
}

static void reap(struct disturbance *d, struct mmbox_kmem_cache *cachep)
{
	/* Not each time: moving to another CPU lets the storm run. */
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

/* A CPU gets objects of its own node, or of the node that it asks for. */
static void objects_of_right_node(struct kunit *test)
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

/* Objects freed on another node gather in an alien array, until it is full or shrunk. */
static void alien_objects_go_home(struct kunit *test)
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
	KUNIT_EXPECT_EQ_MSG(test, alien->avail, 0, "the reaper left an object there");
	mmbox_kmem_cache_free_bulk(cachep, 27, p + 13);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_shrink(cachep));
	KUNIT_EXPECT_EQ(test, alien->avail, 0);
	KUNIT_EXPECT_EQ(test, cachep->slab.node[there]->total_slabs, 0);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

/* A node is full: others serve the request, but with __GFP_THISNODE it fails. */
static void full_node_falls_back(struct kunit *test)
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

static void nodes_shrunk_in_use(struct kunit *test)
{
	storm_on(test, box_of_nodes(test, 2, false), shrink, TEST_LEAST_OVERLAPS);
}

static void nodes_reaped_in_use(struct kunit *test)
{
	storm_on(test, box_of_nodes(test, 3, true), reap, TEST_LEAST_OVERLAPS);
}

/* Bad frees are refused on the slow path, too, whether objects have marks or not. */
static void bad_frees_on_nodes(struct kunit *test)
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

/* The test whose task the constructor moves to the other CPU, once. */
static struct kunit *mover;

static void move_to_other_cpu(void *objp)
{
	struct kunit *test = mover;

	mover = NULL;
	if (test)
		test_pin(test, 1);
}

/*
 * The task moves to a CPU of another node while a slab is created for it. It must not
 * get an object of that CPU's array, which has objects of the wrong node.
 */
static void task_moves_during_refill(struct kunit *test)
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
	KUNIT_EXPECT_NULL_MSG(test, mover, "no slab was created");
	mover = NULL;
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ_MSG(test, here, nid_of(box, p), "an object of the other node");
	test_check_box(test, box);
	mmbox_kmem_cache_free(cachep, p);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

/* ---- CPU hotplug ---- */

#ifdef CONFIG_HOTPLUG_CPU
/* Objects of a dead CPU's arrays can be allocated. The CPU works when it is back. */
static void dead_cpu_arrays_freed(struct kunit *test)
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
			kunit_skip(test, "the CPU cannot go offline: %d", err);
		KUNIT_EXPECT_EQ(test, per_cpu_ptr(cachep->cpu_cache, cpu)->avail, 0);
		KUNIT_EXPECT_NULL_MSG(test, cachep->slab.node[nid]->shared,
				      "no CPU of the node is left to use it");
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

/* Take each CPU but the first offline and back, by turns. */
static void turn_off_and_on(struct disturbance *d, struct mmbox_kmem_cache *cachep)
{
	unsigned int cpu = test_nth_cpu(1 + d->round % (num_online_cpus() - 1));

	KUNIT_EXPECT_EQ(d->test, 0, remove_cpu(cpu));
	KUNIT_EXPECT_EQ(d->test, 0, add_cpu(cpu));
}

static void cpus_go_and_come_in_use(struct kunit *test)
{
	unsigned long nr_returns = 0;
	struct storm *storm;
	unsigned int i;
	int err;

	test_needs_two_cpus(test);
	test_pin(test, 0);
	i = test_nth_cpu(1);
	err = remove_cpu(i);
	if (err)
		kunit_skip(test, "the CPU cannot go offline: %d", err);
	KUNIT_ASSERT_EQ(test, 0, add_cpu(i));
	storm = storm_on(test, box_of_nodes(test, 2, false), turn_off_and_on, 6);
	for (i = 0; i < storm->nr_cpus; i++)
		nr_returns += storm->cpu[i].nr_returns;
	KUNIT_EXPECT_GT_MSG(test, nr_returns, 3, "the storm never used a CPU that came back");
}

/* A CPU can come back even if the box has no memory. */
static void cpu_comes_without_memory(struct kunit *test)
{
	struct mmbox *box = box_of_lone_cpu(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 64, 0);
	struct mmbox_page *page, *pages = NULL;
	int cpu, nid, err;

	cpu = test_nth_cpu(1);
	nid = mmbox_cpu_to_node(box, cpu);
	err = remove_cpu(cpu);
	if (err)
		kunit_skip(test, "the CPU cannot go offline: %d", err);
	KUNIT_EXPECT_NULL(test, cachep->slab.node[nid]->alien);
	for (;;) {
		page = mmbox_alloc_pages(box, GFP_KERNEL | __GFP_NOWARN, 0);
		if (!page)
			break;
		*(struct mmbox_page **)mmbox_page_address(box, page) = pages;
		pages = page;
	}
	/* Allocate the objects that are free in slabs. */
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

static void shrink_cache(void *arg)
{
	mmbox_kmem_cache_shrink(arg);
}

/*
 * A shrinker may run in a task that holds a lock that CPU hotplug waits for. So a
 * shrink must not wait until the CPU is offline.
 */
static void shrink_while_cpu_goes(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 64, 0);
	bool in_time;
	int err;

	test_needs_two_cpus(test);
	mmbox_kmem_cache_free(cachep, mmbox_kmem_cache_alloc(cachep, GFP_KERNEL));
	err = test_call_while_cpu_goes(test, shrink_cache, cachep, 20 * HZ, &in_time);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	if (err)
		kunit_skip(test, "the CPU cannot go offline or come back: %d", err);
	KUNIT_EXPECT_TRUE_MSG(test, in_time, "the shrink waited for the CPU");
}
#endif

static struct kunit_case cases[] = {
	KUNIT_CASE(resize_keeps_objects),
	KUNIT_CASE(bad_tunables_refused),
	KUNIT_CASE(resize_in_use),
	KUNIT_CASE(reaper_trims),
	KUNIT_CASE(reaper_runs),
	KUNIT_CASE(reaper_in_use),
	KUNIT_CASE(objects_of_right_node),
	KUNIT_CASE(alien_objects_go_home),
	KUNIT_CASE(full_node_falls_back),
	KUNIT_CASE(nodes_shrunk_in_use),
	KUNIT_CASE(nodes_reaped_in_use),
	KUNIT_CASE(bad_frees_on_nodes),
	KUNIT_CASE(task_moves_during_refill),
#ifdef CONFIG_HOTPLUG_CPU
	KUNIT_CASE(dead_cpu_arrays_freed),
	KUNIT_CASE(cpus_go_and_come_in_use),
	KUNIT_CASE(cpu_comes_without_memory),
	KUNIT_CASE(shrink_while_cpu_goes),
#endif
	{}
};

TEST_SUITE(slab_arrays_suite, "mmbox_slab_arrays", cases);
