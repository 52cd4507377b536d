// SPDX-License-Identifier: GPL-2.0
/*
 * The slab layer against a model of it: who holds which object, and what it contains.
 *
 * - random use of many caches, on one CPU and on all, with interrupts;
 * - refills without memory: each one once, then many during random use;
 * - readers under RCU of objects that are recycled and of caches that are destroyed;
 * - thousands of caches created and destroyed while everything else uses caches.
 *
 * mmbox_kunit's ops= says how long.
 */
#include <linux/jiffies.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "slab/slab_private.h"
#include "churn.h"

#define CHECK_EVERY	5000U
#define POISON		0x5a

/* ---- caches of every kind ---- */

static void touch(void *objp)
{
	*(unsigned long *)objp = POISON;
}

static const struct kind {
	unsigned int size;
	slab_flags_t flags;
	void (*ctor)(void *objp);
} kinds[] = {
	{ 8 }, { 24 }, { 64, SLAB_HWCACHE_ALIGN }, { 100, 0, touch },
	{ 192, SLAB_TYPESAFE_BY_RCU }, { 512, SLAB_RECLAIM_ACCOUNT }, { 700, 0, touch },
	{ 1100, SLAB_HWCACHE_ALIGN }, { 2048, SLAB_TYPESAFE_BY_RCU }, { 2500, 0, touch },
	{ 3000 }, { 9000 },
};

static_assert(ARRAY_SIZE(kinds) <= CHURN_MAX_CACHES);

static struct mmbox_kmem_cache *create(struct mmbox *box, const struct kind *kind)
{
	return mmbox_kmem_cache_create(box, "model", kind->size, 0, kind->flags, kind->ctor);
}

static struct mmbox_kmem_cache *new_cache(struct kunit *test, struct mmbox *box,
					  const struct kind *kind)
{
	struct mmbox_kmem_cache *cachep = create(box, kind);

	KUNIT_ASSERT_NOT_NULL_MSG(test, cachep, "no cache of %u bytes", kind->size);
	return cachep;
}

static struct mmbox *model_box(struct kunit *test, unsigned int nr_nodes, const char *debug)
{
	struct mmbox_config cfg;

	test_config(&cfg, "model", nr_nodes * SZ_16M);
	cfg.zone_dma = SZ_4M;
	cfg.zone_dma32 = 0;
	cfg.kswapd = false;
	if (debug)
		cfg.slab_debug = debug;
	if (nr_nodes > 1)
		KUNIT_ASSERT_EQ(test, 0, mmbox_nodes_split(&cfg, nr_nodes));
	return test_box(test, &cfg);
}

struct held {
	struct mmbox_kmem_cache *cachep;
	unsigned long nr;
};

static void add_out_of_slabs(void *arg, const struct mmbox_node_counts *counts)
{
	struct held *held = arg;

	held->nr += counts->total_slabs * held->cachep->num - counts->free_objects;
}

static void subtract_stack(void *arg, const struct mmbox_object_stack *stack)
{
	struct held *held = arg;

	held->nr -= stack->avail;
}

/* Objects that users hold: neither free in a slab nor in an array. Not while in use. */
static unsigned long nr_held(struct mmbox_kmem_cache *cachep)
{
	static const struct mmbox_slab_walker walker = {
		.node = add_out_of_slabs,
		.stack = subtract_stack,
	};
	struct held held = { .cachep = cachep };

	mutex_lock(&cachep->box->slab.mutex);
	cachep->box->slab.ops->walk(cachep, &walker, &held);
	cachep->box->slab.ops->peek_cpus(cachep, &walker, &held);
	mutex_unlock(&cachep->box->slab.mutex);
	return held.nr;
}

/* ---- random use ---- */

struct model {
	struct kunit *test;
	struct mmbox *box;
	struct mmbox_kmem_cache *caches[ARRAY_SIZE(kinds)];
	struct churn *churns[2 * TEST_MAX_CROWD];
	unsigned int nr_churns;
	/* What meanwhile() did. */
	unsigned int round;
	unsigned int nr_resized;
	unsigned int nr_reaped;
};

static struct churn *new_churn(struct kunit *test, struct model *m, gfp_t gfp,
			       unsigned int nr_items)
{
	struct churn *churn = churn_new(test, m->box, gfp | __GFP_NOWARN, nr_items,
					1 + m->nr_churns + 100 * test_round(test));

	churn_use_caches(churn, m->caches, ARRAY_SIZE(kinds));
	churn->kmalloc_classes = 11;
	churn->max_order = 2;
	m->churns[m->nr_churns++] = churn;
	return churn;
}

/* Nobody uses the box: no object was changed by others, and none is lost. */
static void expect_whole(struct kunit *test, struct model *m)
{
	unsigned int i, j;

	for (i = 0; i < m->nr_churns; i++)
		churn_expect_good(test, m->churns[i]);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		unsigned long nr = 0;

		for (j = 0; j < m->nr_churns; j++)
			nr += churn_nr_held(m->churns[j], m->caches[i]);
		KUNIT_EXPECT_EQ_MSG(test, nr, nr_held(m->caches[i]), "cache of %u bytes",
				    kinds[i].size);
	}
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(m->box));
	/* Slabs that wait for RCU are on no list. */
	mmbox_slabs_rcu_barrier(m->box);
	test_check_box(test, m->box);
}

/* Set random limits. This may fail for lack of memory. */
static void resize(struct model *m, struct mmbox_kmem_cache *cachep)
{
	int limit = 1 + m->round * 37 % 200, err;

	mutex_lock(&m->box->slab.mutex);
	err = mmbox_slab_tune(cachep, limit, 1 + limit / 2, m->nr_resized % 3);
	mutex_unlock(&m->box->slab.mutex);
	if (err && err != -ENOMEM)
		KUNIT_FAIL(m->test, "no limit of %d: %d", limit, err);
	m->nr_resized++;
}

/* Run the reaper on each CPU by turns, with all caches due. */
static void reap(struct model *m)
{
	unsigned int i;
	int nid;

	test_pin(m->test, m->nr_reaped % num_online_cpus());
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		mmbox_for_each_online_node(m->box, nid)
			WRITE_ONCE(m->caches[i]->slab.node[nid]->next_reap, jiffies - 1);
	m->nr_reaped += mmbox_cache_reap(m->box, m->round % m->box->nr_nodes);
}

/* Called again and again during random use. */
static void meanwhile(void *arg)
{
	struct model *m = arg;
	struct mmbox_kmem_cache *cachep = m->caches[m->round % ARRAY_SIZE(kinds)];

	switch (m->round++ % 5) {
	case 0:
		mmbox_kmem_cache_shrink(cachep);
		break;
	case 1:
		mmbox_drop_slab(m->box);
		break;
	case 2:
		mmbox_drain_all_pages(m->box);
		break;
	case 3:
		resize(m, cachep);
		break;
	default:
		reap(m);
	}
}

struct crowd_config {
	struct mmbox *box;
	unsigned int nr_cpus;
	unsigned int nr_items;		/* most items of a thread */
	gfp_t gfp;			/* of a thread */
	bool refuse;			/* refuse refills, sometimes several in a row */
};

/* Returns how many requests failed. */
static unsigned long run_crowd(struct kunit *test, const struct crowd_config *cfg)
{
	struct test_crowd crowd = { .nr_cpus = cfg->nr_cpus, .step = churn_step };
	struct model m = { .test = test, .box = cfg->box };
	struct test_meanwhile disturb = { .fn = meanwhile, .arg = &m, .least = 10 };
	unsigned long nr, nr_refused, nr_failed = 0;
	unsigned int ops = test_round_ops(), i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		m.caches[i] = new_cache(test, cfg->box, &kinds[i]);
	for (i = 0; i < cfg->nr_cpus; i++) {
		crowd.thread[i] = new_churn(test, &m, cfg->gfp, cfg->nr_items);
		crowd.interrupt[i] = new_churn(test, &m, GFP_NOWAIT, 100);
	}
	if (cfg->refuse)
		mmbox_failslab_begin(cfg->box, 5, 7, 20);
	for (; ops; ops -= min(ops, CHECK_EVERY)) {
		test_crowd_run(test, &crowd, min(ops, CHECK_EVERY), &disturb);
		expect_whole(test, &m);
	}
	if (cfg->refuse) {
		nr = mmbox_failslab_end(cfg->box, &nr_refused);
		KUNIT_EXPECT_GT_MSG(test, nr_refused, 100, "of %lu", nr);
	}
	KUNIT_EXPECT_GT_MSG(test, crowd.nr_interrupts, 0, "there were no interrupts");
	KUNIT_EXPECT_GT_MSG(test, m.nr_resized, 0, "no array was resized meanwhile");
	KUNIT_EXPECT_GT_MSG(test, m.nr_reaped, 0, "the reaper did not run meanwhile");
	for (i = 0; i < m.nr_churns; i++) {
		nr_failed += m.churns[i]->nr_failed;
		churn_free_all(m.churns[i]);
	}
	expect_whole(test, &m);
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(m.caches[i]));
	return nr_failed;
}

static void one_cpu_interrupted(struct kunit *test)
{
	struct crowd_config cfg = {
		.nr_cpus = 1,
		.box = model_box(test, 1, NULL),
		.nr_items = 2000,
		.gfp = GFP_KERNEL,
	};

	run_crowd(test, &cfg);
}

static void all_cpus_interrupted(struct kunit *test)
{
	struct crowd_config cfg = {
		.nr_cpus = test_crowd_cpus(test, 2),
		.box = model_box(test, 1, NULL),
		.nr_items = 1000,
		.gfp = GFP_KERNEL,
	};

	run_crowd(test, &cfg);
}

static void all_cpus_two_nodes(struct kunit *test)
{
	struct crowd_config cfg = {
		.nr_cpus = test_crowd_cpus(test, 2),
		.box = model_box(test, 2, NULL),
		.nr_items = 1000,
		.gfp = GFP_KERNEL,
	};

	run_crowd(test, &cfg);
}

/* Users hold so much that the box is out of memory most of the time. */
static void all_cpus_out_of_memory(struct kunit *test)
{
	struct crowd_config cfg = {
		.nr_cpus = test_crowd_cpus(test, 1),
		.box = model_box(test, 1, NULL),
		.nr_items = 16000,
		.gfp = GFP_NOWAIT,	/* with reclaim it would do nothing else */
	};

	KUNIT_EXPECT_GT_MSG(test, run_crowd(test, &cfg), 0, "the box never ran out");
}

/* Seven of twenty requests are refused. Some allocations fail, others succeed by retrying. */
static void refills_refused_in_use(struct kunit *test)
{
	struct crowd_config cfg = {
		.nr_cpus = test_crowd_cpus(test, 1),
		.box = model_box(test, 1, NULL),
		.nr_items = 500,
		.gfp = GFP_KERNEL,
		.refuse = true,
	};

	KUNIT_EXPECT_GT_MSG(test, run_crowd(test, &cfg), 0, "no request failed");
}

/* ---- refused refills ---- */

#define SCRIPT_MAX	400U	/* objects */
#define SCRIPT_BULK	20U

/* Each run does the same, so that its requests can be numbered. */
struct script {
	struct mmbox_kmem_cache *cachep;
	void **objs;
	unsigned int nr;		/* of objs[] in use */
	unsigned int failed;		/* requests that returned NULL */
	unsigned int spoiled;		/* objects changed by others */
};

static u8 pattern(const void *objp)
{
	return (unsigned long)objp >> 3 | 1;
}

static void script_add(struct script *s, void *objp)
{
	memset(objp, pattern(objp), s->cachep->object_size);
	s->objs[s->nr++] = objp;
}

static void script_alloc(struct script *s, gfp_t gfp)
{
	void *objp = mmbox_kmem_cache_alloc(s->cachep, gfp | __GFP_NOWARN);

	if (objp)
		script_add(s, objp);
	else
		s->failed++;
}

static void script_alloc_bulk(struct script *s)
{
	void *objs[SCRIPT_BULK];
	int nr, i;

	nr = mmbox_kmem_cache_alloc_bulk(s->cachep, GFP_KERNEL | __GFP_NOWARN, SCRIPT_BULK, objs);
	s->failed += !nr;
	for (i = 0; i < nr; i++)
		script_add(s, objs[i]);
}

static void script_free(struct script *s)
{
	void *objp = s->objs[--s->nr];

	if (memchr_inv(objp, pattern(objp), s->cachep->object_size))
		s->spoiled++;
	mmbox_kmem_cache_free(s->cachep, objp);
}

static void script_run(struct script *s)
{
	unsigned int i, nr = min(2 * s->cachep->num + 5, SCRIPT_MAX - 2 * SCRIPT_BULK);

	s->failed = 0;
	for (i = 0; i < nr; i++)
		script_alloc(s, i & 1 ? GFP_KERNEL : GFP_NOWAIT);
	script_alloc_bulk(s);
	for (i = s->nr / 2; i; i--)
		script_free(s);
	for (i = 0; i < 10; i++)
		script_alloc(s, GFP_ATOMIC);
	script_alloc_bulk(s);
	while (s->nr)
		script_free(s);
	/* The next run begins as this one did. */
	mmbox_kmem_cache_shrink(s->cachep);
}

/*
 * Refuse @row requests in a row: from the first of a run on, from the second and so on,
 * until a run has no more. If one is refused, the allocation tries again (cache_alloc()),
 * so none may fail. If three are refused in a row, one allocation may fail.
 */
static unsigned int refuse_each(struct kunit *test, struct script *s, unsigned int row)
{
	struct mmbox *box = s->cachep->box;
	unsigned long nth, nr, refused;
	unsigned int failed = 0;

	script_run(s);
	KUNIT_EXPECT_EQ(test, s->failed, 0);
	for (nth = 1; nth; nth++) {
		unsigned long pages = mmbox_nr_used_pages(box);

		mmbox_failslab_begin(box, nth, row, 0);
		script_run(s);
		nr = mmbox_failslab_end(box, &refused);
		if (!refused)
			break;
		failed += s->failed;
		KUNIT_EXPECT_LE_MSG(test, s->failed, row / 3, "size %u, %lu. of %lu refused",
				    s->cachep->object_size, nth, nr);
		KUNIT_EXPECT_EQ(test, s->spoiled, 0);
		KUNIT_EXPECT_EQ(test, nr_held(s->cachep), 0);
		/* Slabs may wait for RCU, and caches of freelists may keep a page more or less. */
		if (!(s->cachep->flags & SLAB_TYPESAFE_BY_RCU))
			KUNIT_EXPECT_LE_MSG(test, mmbox_nr_used_pages(box), pages + 4,
					    "size %u, %lu. of %lu refused",
					    s->cachep->object_size, nth, nr);
	}
	KUNIT_EXPECT_GT_MSG(test, nth, 2, "size %u needed no slabs", s->cachep->object_size);
	return failed;
}

static void refuse_in_box(struct kunit *test, struct mmbox *box, unsigned int step)
{
	void **objs = test_zalloc(test, SCRIPT_MAX * sizeof(*objs));
	unsigned int i;

	test_pin(test, 0);
	for (i = 0; i < ARRAY_SIZE(kinds); i += step) {
		struct script s = { .cachep = new_cache(test, box, &kinds[i]), .objs = objs };

		refuse_each(test, &s, 1);
		if (box->nr_nodes == 1)
			KUNIT_EXPECT_GT_MSG(test, refuse_each(test, &s, 3), 0,
					    "size %u: no allocation failed after three refusals",
					    kinds[i].size);
		mmbox_slabs_rcu_barrier(box);
		test_check_box(test, box);
		KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(s.cachep));
	}
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

static void each_refill_refused(struct kunit *test)
{
	refuse_in_box(test, model_box(test, 1, NULL), 1);
}

static void each_refill_refused_on_nodes(struct kunit *test)
{
	refuse_in_box(test, model_box(test, 2, NULL), 1);
}

static void each_refill_refused_debugged(struct kunit *test)
{
	refuse_in_box(test, model_box(test, 1, "FZP"), 3);
}

/* ---- readers under RCU ---- */

#define NR_SLOTS	16
#define TYPE		0x74797065UL

/* Begins each object, in caches of all sizes. The test is whether @type ever changes. */
struct shelved {
	unsigned long type;		/* written by the constructor only */
	atomic_t ref;			/* 0: free, or not ready yet */
	unsigned int key;
	unsigned long value;		/* of the key; constant while a reference is held */
	struct mmbox_kmem_cache *cachep;
};

struct shelf {
	struct shelved __rcu *slot[NR_SLOTS];
	atomic_t nr_live;		/* objects in use */
	bool stop;
};

/* Looks objects up, in a thread or in interrupts. */
struct reader {
	struct shelf *shelf;
	u32 seed;
	unsigned long nr_found;
	unsigned long nr_late;		/* found, but freed or recycled since */
	unsigned long nr_wrong_type;
	unsigned long nr_wrong_value;
};

static unsigned long type_of(const struct shelved *obj)
{
	return TYPE ^ (unsigned long)obj;
}

static unsigned long value_of(unsigned int key)
{
	return key * 0x9e3779b97f4a7c15UL;
}

static void construct(void *objp)
{
	struct shelved *obj = objp;

	obj->type = type_of(obj);
	atomic_set(&obj->ref, 0);
}

static void put_shelved(struct shelf *shelf, struct shelved *obj)
{
	struct mmbox_kmem_cache *cachep = obj->cachep;

	if (!atomic_dec_and_test(&obj->ref))
		return;
	mmbox_kmem_cache_free(cachep, obj);
	/* Last: after this the cache may be destroyed. */
	smp_mb__before_atomic();
	atomic_dec(&shelf->nr_live);
}

static void read_step(void *arg)
{
	struct reader *r = arg;
	struct shelved *obj;
	unsigned int key;

	rcu_read_lock();
	obj = rcu_dereference(r->shelf->slot[test_random(&r->seed) % NR_SLOTS]);
	if (!obj)
		goto unlock;
	if (obj->type != type_of(obj)) {
		r->nr_wrong_type++;
		goto unlock;
	}
	if (atomic_inc_not_zero(&obj->ref)) {
		key = obj->key;
		if (obj->value != value_of(key))
			r->nr_wrong_value++;
		r->nr_found++;
		put_shelved(r->shelf, obj);
	} else {
		r->nr_late++;
	}
	/* Freed, recycled or its cache destroyed: until rcu_read_unlock() it is such an object. */
	if (obj->type != type_of(obj))
		r->nr_wrong_type++;
unlock:
	rcu_read_unlock();
}

static void put_slot(struct shelf *shelf, unsigned int nr, struct shelved *new)
{
	struct shelved *old = unrcu_pointer(xchg(&shelf->slot[nr], RCU_INITIALIZER(new)));

	if (old)
		put_shelved(shelf, old);
}

/*
 * Fill all slots from a cache, recycle their objects, and empty them. No assertions
 * here: the test must not end while its readers run.
 */
static void use_shelf(struct kunit *test, struct shelf *shelf, struct mmbox_kmem_cache *cachep,
		      u32 *seed)
{
	unsigned int i;

	for (i = 0; i < 6 * NR_SLOTS; i++) {
		struct shelved *obj = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);

		KUNIT_EXPECT_NOT_NULL(test, obj);
		if (!obj)
			break;
		KUNIT_EXPECT_EQ_MSG(test, atomic_read(&obj->ref), 0, "it was in use");
		atomic_inc(&shelf->nr_live);
		obj->cachep = cachep;
		obj->key = test_random(seed);
		obj->value = value_of(obj->key);
		atomic_set_release(&obj->ref, 1);
		put_slot(shelf, test_random(seed) % NR_SLOTS, obj);
	}
	for (i = 0; i < NR_SLOTS; i++)
		put_slot(shelf, i, NULL);
	while (atomic_read_acquire(&shelf->nr_live))
		cond_resched();
}

/* Another cache gets pages of the destroyed one, and overwrites them. */
static void spoil_pages(struct kunit *test, struct mmbox *box, unsigned int size)
{
	struct mmbox_kmem_cache *cachep;
	void *objs[32];

	cachep = mmbox_kmem_cache_create(box, "spoil", size, 0, 0, NULL);
	KUNIT_EXPECT_NOT_NULL(test, cachep);
	if (cachep && mmbox_kmem_cache_alloc_bulk(cachep, GFP_KERNEL, ARRAY_SIZE(objs), objs)) {
		unsigned int i;

		for (i = 0; i < ARRAY_SIZE(objs); i++)
			memset(objs[i], POISON, size);
		mmbox_kmem_cache_free_bulk(cachep, ARRAY_SIZE(objs), objs);
	}
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

struct read_thread {
	struct kunit *test;
	struct reader *reader, *interrupt;
	unsigned long nr_interrupts;
	bool reads;
};

static void read_thread(void *arg)
{
	struct test_interrupts *interrupts;
	struct read_thread *t = arg;

	interrupts = test_interrupts_start(t->test, read_step, t->interrupt);
	WRITE_ONCE(t->reads, true);
	do {
		read_step(t->reader);
		cond_resched();
	} while (!READ_ONCE(t->reader->shelf->stop));
	t->nr_interrupts = test_interrupts_stop(interrupts);
}

static void expect_read(struct kunit *test, const struct reader *r)
{
	KUNIT_EXPECT_EQ_MSG(test, r->nr_wrong_type, 0, "an object became something else");
	KUNIT_EXPECT_EQ_MSG(test, r->nr_wrong_value, 0, "an object was recycled while in use");
}

/*
 * One of twenty caches is SLAB_TYPESAFE_BY_RCU, and is read during its life. The others
 * take its pages as soon as they are free.
 */
static void typesafe_readers(struct kunit *test)
{
	unsigned int nr_cpus = test_crowd_cpus(test, 1);
	unsigned int nr = test_round_ops() / 50, i;
	struct shelf *shelf = test_zalloc(test, sizeof(*shelf));
	struct read_thread readers[TEST_MAX_CROWD] = {};
	struct mmbox *box = test_small_box(test);
	struct test_thread *threads[TEST_MAX_CROWD];
	unsigned long found = 0;
	u32 seed = 7 + test_round(test);
	long bytes = 0;

	for (i = 0; i < nr_cpus; i++) {
		struct reader *r = test_zalloc(test, 2 * sizeof(*r));

		r[0] = (struct reader){ .shelf = shelf, .seed = seed + 100 * i };
		r[1] = (struct reader){ .shelf = shelf, .seed = seed + 100 * i + 50 };
		readers[i] = (struct read_thread){ test, &r[0], &r[1] };
		threads[i] = test_thread_start(test, i, read_thread, &readers[i]);
	}
	for (i = 0; i < nr_cpus; i++)
		while (!READ_ONCE(readers[i].reads))
			schedule_timeout_uninterruptible(1);
	for (i = 0; i < nr; i++) {
		unsigned int size = sizeof(struct shelved) + test_random(&seed) % 900;
		struct mmbox_kmem_cache *cachep;

		if (i % 20) {
			spoil_pages(test, box, size);
			continue;
		}
		cachep = mmbox_kmem_cache_create(box, "typesafe", size, 0, SLAB_TYPESAFE_BY_RCU,
						 construct);
		if (!cachep) {
			KUNIT_FAIL(test, "no cache of %u bytes", size);
			break;
		}
		use_shelf(test, shelf, cachep, &seed);
		KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
		if (!bytes)
			bytes = atomic_long_read(&box->host.bytes);
	}
	WRITE_ONCE(shelf->stop, true);
	for (i = 0; i < nr_cpus; i++) {
		test_thread_wait(threads[i]);
		expect_read(test, readers[i].reader);
		expect_read(test, readers[i].interrupt);
		found += readers[i].reader->nr_found + readers[i].interrupt->nr_found;
		kunit_info(test, "CPU %u: %lu found, %lu late, %lu interrupts", i,
			   readers[i].reader->nr_found + readers[i].interrupt->nr_found,
			   readers[i].reader->nr_late + readers[i].interrupt->nr_late,
			   readers[i].nr_interrupts);
	}
	KUNIT_EXPECT_GT_MSG(test, found, 0, "nothing was read");
	KUNIT_EXPECT_EQ_MSG(test, bytes, atomic_long_read(&box->host.bytes),
			    "caches left something behind");
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

/* ---- caches destroyed while others are used ---- */

#define NR_LENT		48

/* Walks over all caches: reaper, reclaim, shrinking, slabinfo, tuning. */
struct busybody {
	struct mmbox *box;
	struct mmbox_kmem_cache *own;	/* a cache that is not destroyed */
	u32 seed;
	bool *stop;
};

static void busybody_step(struct busybody *b)
{
	struct mmbox_kmem_cache *cachep;
	struct mmbox_slabinfo sinfo;
	void *objs[20];
	unsigned int what = test_random(&b->seed) % 500;

	/* Tuning is rare: it makes all others wait. */
	switch (what ? 1 + what % 5 : 0) {
	case 1:
		mmbox_cache_reap(b->box, 0);
		break;
	case 2:
		mmbox_drop_slab(b->box);
		break;
	case 3:
		mmbox_kmem_cache_shrink(b->own);
		break;
	case 4:
		mutex_lock(&b->box->slab.mutex);
		list_for_each_entry(cachep, &b->box->slab.caches, list)
			mmbox_get_slabinfo(cachep, &sinfo);
		mutex_unlock(&b->box->slab.mutex);
		break;
	case 0:
		mutex_lock(&b->box->slab.mutex);
		cachep = list_first_entry(&b->box->slab.caches, struct mmbox_kmem_cache, list);
		mmbox_slab_tune(cachep, 1 + test_random(&b->seed) % 100, 1,
				test_random(&b->seed) % 3);
		mutex_unlock(&b->box->slab.mutex);
		break;
	default:
		if (mmbox_kmem_cache_alloc_bulk(b->own, GFP_KERNEL, ARRAY_SIZE(objs), objs))
			mmbox_kmem_cache_free_bulk(b->own, ARRAY_SIZE(objs), objs);
	}
}

static void busybody_run(void *arg)
{
	struct busybody *b = arg;

	while (!READ_ONCE(*b->stop)) {
		busybody_step(b);
		cond_resched();
	}
}

/* Objects of a cache, used by interrupts of another CPU. */
struct lent {
	struct mmbox_kmem_cache *cachep;
	void *objs[NR_LENT];
	unsigned int nr;		/* objects in objs[] */
	unsigned int keep;		/* how many of them to keep */
};

static void give_back(void *arg)
{
	struct lent *lent = arg;

	while (lent->nr > lent->keep)
		mmbox_kmem_cache_free(lent->cachep, lent->objs[--lent->nr]);
}

static void exchange(void *arg)
{
	struct lent *lent = arg;

	while (lent->nr < NR_LENT) {
		void *objp = mmbox_kmem_cache_alloc(lent->cachep, GFP_NOWAIT);

		if (!objp)
			break;
		memset(objp, pattern(objp), lent->cachep->object_size);
		lent->objs[lent->nr++] = objp;
	}
	give_back(lent);
}

struct deferred {
	struct rcu_head rcu;
};

/* Create a cache, lend objects to the other CPUs, and destroy it once they are back. */
static void live_and_end(struct kunit *test, struct mmbox *box, struct lent *lent,
			 unsigned int i, unsigned int nr_cpus)
{
	const struct kind *kind = &kinds[i % ARRAY_SIZE(kinds)];
	unsigned int keep;
	void *objp;

	lent->nr = 0;
	lent->cachep = create(box, kind);
	KUNIT_EXPECT_NOT_NULL_MSG(test, lent->cachep, "no cache of %u bytes", kind->size);
	if (!lent->cachep)
		return;
	for (keep = 31; keep; keep /= 2) {
		lent->keep = keep;
		smp_call_function_single(test_nth_cpu(i++ % nr_cpus), exchange, lent, 1);
	}
	KUNIT_EXPECT_EQ(test, lent->nr, 1);
	/* Not each time: a refused destruction is reported in the log. */
	if (lent->nr && i % 16 == 0)
		KUNIT_EXPECT_EQ(test, -EBUSY, mmbox_kmem_cache_destroy(lent->cachep));
	objp = lent->objs[0];
	if (lent->nr && memchr_inv(objp, pattern(objp), kind->size))
		KUNIT_FAIL(test, "an object of %u bytes was written by another", kind->size);
	if (lent->nr && kind->size >= sizeof(struct deferred) && i % 8 == 0) {
		struct deferred *d = objp;

		mmbox_kfree_rcu(box, d, rcu);
	} else if (lent->nr) {
		lent->keep = 0;
		smp_call_function_single(test_nth_cpu(i % nr_cpus), give_back, lent, 1);
	}
	KUNIT_EXPECT_EQ_MSG(test, 0, mmbox_kmem_cache_destroy(lent->cachep), "size %u",
			    kind->size);
}

static void destroy_amid_use(struct kunit *test)
{
	unsigned int nr_cpus = test_crowd_cpus(test, 1);
	unsigned int nr = test_round_ops() / 400, i;
	static const struct kind own = { 128 };
	struct lent *lent = test_zalloc(test, sizeof(*lent));
	struct mmbox *box = test_small_box(test);
	struct test_thread *threads[TEST_MAX_CROWD];
	struct busybody busybodies[TEST_MAX_CROWD];
	bool stop = false;
	long bytes;

	for (i = 0; i < nr_cpus; i++) {
		busybodies[i] = (struct busybody){
			.box = box,
			.own = new_cache(test, box, &own),
			.seed = 1 + i + 10 * test_round(test),
			.stop = &stop,
		};
	}
	for (i = 0; i < nr_cpus; i++)
		threads[i] = test_thread_start(test, i, busybody_run, &busybodies[i]);
	for (i = 0; i < nr; i++)
		live_and_end(test, box, lent, i, nr_cpus);
	WRITE_ONCE(stop, true);
	for (i = 0; i < nr_cpus; i++)
		test_thread_wait(threads[i]);

	/* Tuning may have resized their arrays: destroying them frees that memory. */
	for (i = 0; i < nr_cpus; i++)
		KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(busybodies[i].own));
	bytes = atomic_long_read(&box->host.bytes);
	live_and_end(test, box, lent, 0, nr_cpus);
	KUNIT_EXPECT_EQ_MSG(test, bytes, atomic_long_read(&box->host.bytes),
			    "destroyed caches left memory behind");
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(one_cpu_interrupted, test_rounds),
	KUNIT_CASE_PARAM(all_cpus_interrupted, test_rounds),
	KUNIT_CASE_PARAM(all_cpus_two_nodes, test_rounds),
	KUNIT_CASE_PARAM(all_cpus_out_of_memory, test_rounds),
	KUNIT_CASE(each_refill_refused),
	KUNIT_CASE(each_refill_refused_on_nodes),
	KUNIT_CASE(each_refill_refused_debugged),
	KUNIT_CASE_PARAM(refills_refused_in_use, test_rounds),
	KUNIT_CASE_PARAM(typesafe_readers, test_rounds),
	KUNIT_CASE_PARAM(destroy_amid_use, test_rounds),
	{}
};

TEST_SUITE(slab_model_suite, "mmbox_slab_model", cases);
