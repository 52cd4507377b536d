// SPDX-License-Identifier: GPL-2.0
/*
 * Double frees: refused and counted wherever the free object lies. No object is handed
 * out twice afterwards.
 */
#include <linux/jiffies.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "faces/faces.h"
#include "slab/slab_private.h"
#include "testing.h"

#define MAX_OBJECTS	1024
#define LEAST_KINDS	5	/* that at_each_fill_of_a_slab() fills, of several objects each */

static void touch_nothing(void *objp)
{
}

/* A cache for each way to keep freelists and marks. */
static const struct kind {
	const char *name;
	unsigned int size;
	slab_flags_t flags;
	void (*ctor)(void *objp);
} kinds[] = {
	{ "indices of two bytes", 8 },	/* kmalloc-8: no other cache is that small */
	{ "indices at the end", 16 },
	{ "indices at the end, odd size", 40 },
	{ "indices fill their object", 64 },
	{ "indices in an object", 72 },
	{ "indices in an object, with room", 512 },
	{ "two pages", 1100 },
	{ "two objects", 3000 },
	{ "one object", 9000 },
	{ "constructor, at the end", 24, 0, touch_nothing },
	{ "constructor, off-slab", 700, 0, touch_nothing },
	{ "RCU", 16, SLAB_TYPESAFE_BY_RCU },
	{ "RCU, large", 2000, SLAB_TYPESAFE_BY_RCU },
	{ "RCU, constructor", 256, SLAB_TYPESAFE_BY_RCU, touch_nothing },
};

static struct mmbox_kmem_cache *new_cache(struct kunit *test, struct mmbox *box,
					  const struct kind *kind)
{
	struct mmbox_kmem_cache *cachep;

	if (kind->size == 8)
		return mmbox_kmalloc_slab(box, 8, 0);
	cachep = mmbox_kmem_cache_create(box, "test", kind->size, 0, kind->flags,
					 kind->ctor);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	return cachep;
}

static void drop_cache(struct kunit *test, struct mmbox_kmem_cache *cachep)
{
	if (!cachep->boot)
		KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

static struct mmbox_page *slab_of(struct mmbox_kmem_cache *cachep, void *objp)
{
	return mmbox_virt_to_slab(cachep, objp);
}

/* Each @way to free an object. */
static void free_wrongly(struct mmbox_kmem_cache *cachep, void *objp, unsigned int way)
{
	switch (way % 3) {
	case 0:
		mmbox_kmem_cache_free(cachep, objp);
		break;
	case 1:
		mmbox_kfree(cachep->box, objp);
		break;
	default:
		mmbox_kmem_cache_free_bulk(cachep, 1, &objp);
	}
}

static long nr_double(struct mmbox *box)
{
	return atomic_long_read(&box->faces.bad[MMBOX_BAD_DOUBLE]);
}

/* Freeing any object of a slab is refused, except for the @nr objects in @held. */
static void expect_others_refused(struct kunit *test, struct mmbox_kmem_cache *cachep,
				  struct mmbox_page *slab, void **held, unsigned int nr,
				  const char *when)
{
	struct mmbox *box = cachep->box;
	struct mmbox_verify sums;
	unsigned int i, j, way;
	long before;

	for (i = 0; i < cachep->num; i++) {
		void *objp = mmbox_index_to_obj(cachep, slab, i);

		for (j = 0; j < nr && held[j] != objp; j++)
			;
		if (j < nr)
			continue;
		for (way = 0; way < 3; way++) {
			before = nr_double(box);
			free_wrongly(cachep, objp, way);
			if (nr_double(box) != before + 1)
				KUNIT_FAIL(test, "%u bytes, %s: object %u was freed in way %u",
					   cachep->object_size, when, i, way);
		}
	}
	KUNIT_EXPECT_EQ(test, 0, mmbox_verify(box, NULL, &sums));
	KUNIT_EXPECT_EQ_MSG(test, 0, sums.problems, "%u bytes, %s", cachep->object_size, when);
}

/* Fill all objects, then compare: none was handed out twice. */
static void expect_each_once(struct kunit *test, struct mmbox_kmem_cache *cachep,
			     void **objs, unsigned int from, unsigned int nr)
{
	unsigned int i;

	for (i = from; i < nr; i++)
		objs[i] = test_alloc_one(test, cachep);
	for (i = 0; i < nr; i++)
		memset(objs[i], i, cachep->object_size);
	for (i = 0; i < nr; i++)
		if (memchr_inv(objs[i], i, cachep->object_size))
			KUNIT_FAIL(test, "%u bytes: object %u was handed out twice",
				   cachep->object_size, i);
}

/* Objects of a new slab: in the CPU's array, on the freelist, or holding the freelist. */
static void never_handed_out(struct kunit *test)
{
	void **objs = test_zalloc(test, MAX_OBJECTS * sizeof(void *));
	struct mmbox *box = test_small_box(test);
	unsigned int i, nr;

	test_pin(test, 0);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct mmbox_kmem_cache *cachep = new_cache(test, box, &kinds[i]);
		struct mmbox_page *slab;

		objs[0] = test_alloc_one(test, cachep);
		slab = slab_of(cachep, objs[0]);
		expect_others_refused(test, cachep, slab, objs, 1, "one is out");
		mmbox_kmem_cache_shrink(cachep);
		expect_others_refused(test, cachep, slab, objs, 1, "the array is empty");
		nr = min(2 * cachep->num, 1000U);
		expect_each_once(test, cachep, objs, 1, nr);
		while (nr)
			mmbox_kmem_cache_free(cachep, objs[--nr]);
		drop_cache(test, cachep);
	}
}

/*
 * A full slab is freed object by object in random order, and filled again. At each step
 * every double free is refused, and the freelist is right.
 */
static void at_each_fill_of_a_slab(struct kunit *test)
{
	void **objs = test_zalloc(test, MAX_OBJECTS * sizeof(void *));
	struct mmbox *box = test_small_box(test);
	unsigned int i, j, nr, nr_kinds = 0, nr_spilled = 0;
	u32 seed = 1;

	test_pin(test, 0);
	/* Each refused free is reported, which takes time. */
	for (i = 1; i < ARRAY_SIZE(kinds); i++) {
		struct mmbox_kmem_cache *cachep = new_cache(test, box, &kinds[i]);
		struct mmbox_page *slab;

		if (cachep->num > 100 || !mmbox_objfreelist_slab(cachep)) {
			drop_cache(test, cachep);
			continue;
		}
		nr_kinds += cachep->num > 1;
		nr_spilled += cachep->slab.freelist_kind == MMBOX_FREELIST_SPILLED;
		/* With a limit of 1, objects go to and from their slab directly. */
		KUNIT_ASSERT_EQ(test, 0, test_tune(cachep, 1, 1, 0));
		nr = cachep->num;
		expect_each_once(test, cachep, objs, 0, nr);
		slab = slab_of(cachep, objs[0]);
		while (nr > 1) {
			j = test_random(&seed) % nr;
			swap(objs[j], objs[nr - 1]);
			mmbox_kmem_cache_free(cachep, objs[--nr]);
			mmbox_kmem_cache_shrink(cachep);
			expect_others_refused(test, cachep, slab, objs, nr, "it was freed");
		}
		KUNIT_EXPECT_EQ(test, slab->active, 1);
		while (nr < cachep->num) {
			expect_each_once(test, cachep, objs, nr, nr + 1);
			KUNIT_EXPECT_PTR_EQ(test, slab, slab_of(cachep, objs[nr]));
			nr++;
			mmbox_kmem_cache_shrink(cachep);
			expect_others_refused(test, cachep, slab, objs, nr, "it was taken");
		}
		while (nr)
			mmbox_kmem_cache_free(cachep, objs[--nr]);
		drop_cache(test, cachep);
	}
	KUNIT_EXPECT_GE_MSG(test, nr_kinds, LEAST_KINDS, "the others were left out");
	KUNIT_EXPECT_GE_MSG(test, nr_spilled, 1, "no freelist had indices in another object");
}

/* Many objects were freed since. The contents are those that the user left. */
static void freed_long_ago(struct kunit *test)
{
	void **objs = test_zalloc(test, MAX_OBJECTS * sizeof(void *));
	struct mmbox *box = test_small_box(test);
	unsigned int i, j, way;
	long before;

	test_pin(test, 0);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct mmbox_kmem_cache *cachep = new_cache(test, box, &kinds[i]);
		unsigned int nr = min(cachep->slab.limit + cachep->num + 2, 300U);

		expect_each_once(test, cachep, objs, 0, nr);
		/* The first object stays in use, so that the slab is not freed. */
		for (j = 1; j < nr; j++)
			mmbox_kmem_cache_free(cachep, objs[j]);
		for (way = 0; way < 3; way++) {
			before = nr_double(box);
			for (j = 1; j < nr; j++)
				if (slab_of(cachep, objs[j]) == slab_of(cachep, objs[0]))
					free_wrongly(cachep, objs[j], way);
			if (cachep->num > 1)
				KUNIT_EXPECT_GT_MSG(test, nr_double(box), before, "%s",
						    kinds[i].name);
			test_check_box(test, box);
		}
		expect_each_once(test, cachep, objs, 1, nr);
		while (nr)
			mmbox_kmem_cache_free(cachep, objs[--nr]);
		drop_cache(test, cachep);
	}
}

/* The same in caches that never use the fast path: several nodes, statistics. */
static void with_nodes_and_statistics(struct kunit *test)
{
	static const struct kind some[] = {
		{ "marked", 64 }, { "RCU", 100, SLAB_TYPESAFE_BY_RCU },
	};
	void **objs = test_zalloc(test, MAX_OBJECTS * sizeof(void *));
	struct mmbox_kmem_cache *cachep;
	struct mmbox_config cfg;
	struct mmbox *box;
	unsigned int i, nr;

	test_config(&cfg, "diverted", 2 * SZ_16M);
	cfg.zone_dma = SZ_4M;
	cfg.slab_stats = true;
	KUNIT_ASSERT_EQ(test, 0, mmbox_nodes_split(&cfg, 2));
	box = test_box(test, &cfg);
	test_pin(test, 0);
	for (i = 0; i < ARRAY_SIZE(some); i++) {
		cachep = new_cache(test, box, &some[i]);
		objs[0] = test_alloc_one(test, cachep);
		expect_others_refused(test, cachep, slab_of(cachep, objs[0]), objs, 1,
				      "two nodes");
		nr = 2 * cachep->num;
		expect_each_once(test, cachep, objs, 1, nr);
		while (nr)
			mmbox_kmem_cache_free(cachep, objs[--nr]);
		drop_cache(test, cachep);
	}
}

/* The host refuses the page for the bits of a slab: no slab, and no leak. */
static void no_memory_for_bits(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	unsigned long pages = mmbox_nr_used_pages(box);
	struct mmbox_kmem_cache *cachep;
	void *objp;

	box->host.fail_nth = atomic_long_read(&box->host.nr_requests) + 1;
	KUNIT_EXPECT_NULL_MSG(test, mmbox_kmem_cache_create(box, "test", 64, 0,
							    SLAB_TYPESAFE_BY_RCU, NULL),
			      "there is no table of bits");
	cachep = mmbox_kmem_cache_create(box, "test", 64, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	/* The next request would be for another slab, which may need no page of bits. */
	box->host.fail_nth = atomic_long_read(&box->host.nr_requests) + 1;
	objp = mmbox_kmem_cache_alloc(cachep, GFP_NOWAIT);
	if (objp)
		mmbox_kmem_cache_free(cachep, objp);
	objp = test_alloc_one(test, cachep);
	mmbox_kmem_cache_free(cachep, objp);
	mmbox_kmem_cache_free(cachep, objp);
	KUNIT_EXPECT_EQ(test, 1, nr_double(box));
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	mmbox_kmem_cache_shrink(box->slab.kmem_cache);
	KUNIT_EXPECT_LE(test, mmbox_nr_used_pages(box), pages + 2);
}

/* ---- hints ---- */

/* Two objects of one cache, in different slabs. */
static void two_slabs(struct kunit *test, struct mmbox_kmem_cache *cachep, void **objs)
{
	unsigned int i;

	for (i = 0; i <= cachep->num; i++)
		objs[i] = test_alloc_one(test, cachep);
	KUNIT_ASSERT_PTR_NE(test, slab_of(cachep, objs[0]), slab_of(cachep, objs[cachep->num]));
}

static unsigned long s_mem_of(struct mmbox_kmem_cache *cachep, void *objp)
{
	return (unsigned long)mmbox_slab_s_mem(cachep, slab_of(cachep, objp));
}

/*
 * A refused free must not set a hint: the slab may have no object in use, and may be
 * freed before the hint is written.
 */
static void refused_free_sets_no_hint(struct kunit *test)
{
	void **objs = test_zalloc(test, MAX_OBJECTS * sizeof(void *));
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, &(struct kind){ .size = 256 });
	struct mmbox_kfree_hint *hint;
	struct mmbox_array_cache *ac;
	unsigned int way, nr = cachep->num;

	test_pin(test, 0);
	ac = per_cpu_ptr(cachep->cpu_cache, test_nth_cpu(0));
	hint = per_cpu_ptr(box->slab.hints, test_nth_cpu(0));
	two_slabs(test, cachep, objs);
	for (way = 0; way < 3; way++) {
		unsigned long s_mem = s_mem_of(cachep, objs[1]);

		free_wrongly(cachep, objs[0], way);		/* accepted: it is in use */
		free_wrongly(cachep, objs[nr], way);
		KUNIT_EXPECT_EQ(test, nr_double(box), way);
		KUNIT_EXPECT_NE(test, way == 1 ? hint->s_mem : ac->hint, s_mem);
		free_wrongly(cachep, objs[0], way);
		KUNIT_EXPECT_EQ(test, nr_double(box), way + 1);
		KUNIT_EXPECT_NE_MSG(test, way == 1 ? hint->s_mem : ac->hint, s_mem,
				    "way %u: the refused free set the hint", way);
		objs[nr] = test_alloc_one(test, cachep);
		objs[0] = test_alloc_one(test, cachep);
		if (s_mem_of(cachep, objs[0]) != s_mem)
			swap(objs[0], objs[nr]);
	}
	mmbox_kmem_cache_free_bulk(cachep, nr + 1, objs);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

struct two_frees {
	struct mmbox_kmem_cache *cachep;
	void *objp[2];
};

static void free_two(void *arg)
{
	struct two_frees *f = arg;

	mmbox_kmem_cache_free(f->cachep, f->objp[0]);
	mmbox_kfree(f->cachep->box, f->objp[1]);
}

/* Only one CPU keeps hints of a slab, so that freeing the slab visits no other CPU. */
static void one_cpu_keeps_hints(struct kunit *test)
{
	void **objs = test_zalloc(test, MAX_OBJECTS * sizeof(void *));
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, &(struct kind){ .size = 256 });
	struct two_frees f = { .cachep = cachep };
	struct mmbox_array_cache *ac[2];
	struct mmbox_kfree_hint *hint[2];
	unsigned long s_mem;
	unsigned int i;

	test_needs_two_cpus(test);
	test_pin(test, 0);
	for (i = 0; i < 2; i++) {
		ac[i] = per_cpu_ptr(cachep->cpu_cache, test_nth_cpu(i));
		hint[i] = per_cpu_ptr(box->slab.hints, test_nth_cpu(i));
	}
	for (i = 0; i < cachep->num; i++)
		objs[i] = test_alloc_one(test, cachep);
	s_mem = s_mem_of(cachep, objs[0]);

	/* The other CPU is the first to free to the slab. */
	f.objp[0] = objs[0];
	f.objp[1] = objs[1];
	test_thread_wait(test_thread_start(test, 1, free_two, &f));
	KUNIT_EXPECT_EQ(test, ac[1]->hint, s_mem);
	KUNIT_EXPECT_EQ(test, hint[1]->s_mem, s_mem);
	mmbox_kmem_cache_free(cachep, objs[2]);
	mmbox_kfree(box, objs[3]);
	KUNIT_EXPECT_NE_MSG(test, ac[0]->hint, s_mem, "both CPUs have a hint of the slab");
	KUNIT_EXPECT_NE_MSG(test, hint[0]->s_mem, s_mem, "both CPUs have a hint of the slab");

	/* A wrong hint, which a visit of this CPU would remove. */
	WRITE_ONCE(ac[0]->hint, s_mem);
	for (i = 4; i < cachep->num; i++)
		mmbox_kmem_cache_free_bulk(cachep, 1, &objs[i]);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_shrink(cachep));
	KUNIT_EXPECT_NE_MSG(test, ac[1]->hint, s_mem, "the slab has gone");
	KUNIT_EXPECT_NE_MSG(test, hint[1]->s_mem, s_mem, "the slab has gone");
	KUNIT_EXPECT_EQ_MSG(test, ac[0]->hint, s_mem, "a CPU without a hint was visited");
	WRITE_ONCE(ac[0]->hint, mmbox_no_hint(box));
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

/* Somebody whose kfree() has read which cache its hint names, and goes on slowly. */
struct slow_kfree {
	bool entered;
	bool destroyed;			/* the cache has gone */
	bool too_early;			/* it had while we were inside */
};

static void kfree_slowly(void *arg)
{
	struct slow_kfree *slow = arg;
	unsigned long end = jiffies + HZ;

	preempt_disable();
	WRITE_ONCE(slow->entered, true);
	while (time_before(jiffies, end) && !READ_ONCE(slow->destroyed))
		cpu_relax();
	slow->too_early = READ_ONCE(slow->destroyed);
	preempt_enable();
}

/* A cache that a hint has named ends when nobody can be reading it any more. */
static void cache_outlives_its_hint(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, &(struct kind){ .size = 256 });
	struct slow_kfree slow = {};
	struct mmbox_kfree_hint *hint;
	struct test_thread *thread;
	int err;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	test_pin(test, 0);
	hint = per_cpu_ptr(box->slab.hints, test_nth_cpu(0));
	mmbox_kfree(box, test_alloc_one(test, cachep));
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_shrink(cachep));
	KUNIT_ASSERT_PTR_EQ(test, hint->cachep, cachep);
	thread = test_thread_start(test, 1, kfree_slowly, &slow);
	while (!READ_ONCE(slow.entered))
		cond_resched();
	err = mmbox_kmem_cache_destroy(cachep);
	WRITE_ONCE(slow.destroyed, true);
	test_thread_wait(thread);
	KUNIT_EXPECT_EQ(test, 0, err);
	KUNIT_EXPECT_PTR_NE(test, hint->cachep, cachep);
	KUNIT_EXPECT_FALSE_MSG(test, slow.too_early, "kfree() may still be reading the cache");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(never_handed_out),
	KUNIT_CASE(at_each_fill_of_a_slab),
	KUNIT_CASE(freed_long_ago),
	KUNIT_CASE(with_nodes_and_statistics),
	KUNIT_CASE(no_memory_for_bits),
	KUNIT_CASE(refused_free_sets_no_hint),
	KUNIT_CASE(one_cpu_keeps_hints),
	KUNIT_CASE(cache_outlives_its_hint),
	{}
};

TEST_SUITE(slab_free_suite, "mmbox_slab_free", cases);
