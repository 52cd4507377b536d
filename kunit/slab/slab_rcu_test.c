// SPDX-License-Identifier: GPL-2.0
/*
 * Frees after a grace period: waiting for them ends even if new ones keep coming, and
 * freeing many does not keep the CPU from others.
 */
#include <linux/delay.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "slab/slab_object.h"
#include "testing.h"

#define GRACE_PERIODS	5000	/* at most; a barrier needs two, and CPU time */

struct deferred {
	unsigned long mark;		/* the box writes here, not to the head */
	struct rcu_head rcu;
	char rest[40];
};

/* ---- waiting while others free ---- */

/* A steady stream of mmbox_kfree_rcu(). */
struct stream {
	struct mmbox *box;
	unsigned long nr;		/* of calls so far */
};

static void give_one(void *arg)
{
	struct stream *s = arg;
	struct deferred *d = mmbox_kmalloc(s->box, sizeof(*d), GFP_NOWAIT | __GFP_NOWARN);

	if (d) {
		mmbox_kfree_rcu(s->box, d, rcu);
		WRITE_ONCE(s->nr, s->nr + 1);
	}
	usleep_range(50, 200);
}

struct waiter {
	struct mmbox *box;
	struct mmbox_kmem_cache *cachep;	/* to destroy, NULL: wait for the barrier */
	int err;
};

static void run_waiter(void *arg)
{
	struct waiter *w = arg;

	if (w->cachep)
		w->err = mmbox_kmem_cache_destroy(w->cachep);
	else
		mmbox_kfree_rcu_barrier(w->box);
}

static void expect_wait_ends(struct kunit *test, struct mmbox *box,
			     struct mmbox_kmem_cache *cachep)
{
	struct waiter w = { .box = box, .cachep = cachep };
	struct test_thread *waiter;
	struct stream s = { .box = box };
	struct test_loop *stream;
	unsigned long nr;
	unsigned int i;
	bool done;

	stream = test_loop_start(test, num_online_cpus() - 1, give_one, &s);
	while (READ_ONCE(s.nr) < 100)
		rcu_barrier();
	nr = READ_ONCE(s.nr);
	waiter = test_thread_start(test, 0, run_waiter, &w);
	for (i = 0; i < GRACE_PERIODS && !test_thread_done(waiter); i++)
		rcu_barrier();
	/* The stream must have gone on while the waiter waited. */
	while (READ_ONCE(s.nr) < nr + 10)
		rcu_barrier();
	done = test_thread_done(waiter);
	test_loop_stop(stream);
	test_thread_wait(waiter);
	KUNIT_EXPECT_TRUE_MSG(test, done, "still waiting after %u grace periods", i);
	KUNIT_EXPECT_EQ(test, 0, w.err);
	mmbox_kfree_rcu_barrier(box);
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

static void barrier_amid_new_frees(struct kunit *test)
{
	expect_wait_ends(test, test_small_box(test), NULL);
}

static void destroy_amid_new_frees(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep;

	cachep = mmbox_kmem_cache_create(box, "unrelated", 100, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	expect_wait_ends(test, box, cachep);
}

/* The barrier waits for all earlier frees, of whichever grace period. */
static void barrier_waits_for_all(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep;
	struct deferred *d;
	unsigned int i, j;

	cachep = mmbox_kmem_cache_create(box, "deferred", sizeof(*d), 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	for (i = 0; i < 20; i++) {
		for (j = 0; j < 100 * i; j++) {
			d = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, d);
			mmbox_kfree_rcu(box, d, rcu);
			if (j == 50 * i)
				synchronize_rcu();
		}
		mmbox_kfree_rcu_barrier(box);
		KUNIT_EXPECT_EQ_MSG(test, 0, mmbox_kmem_cache_shrink(cachep),
				    "of %u some were not freed", j);
	}
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

/* ---- many at once ---- */

/*
 * Every APART-th free of a batch is a mistake that the box reports. The observer then
 * checks the context, sets need_resched, and checks at the next report that the CPU was
 * given away in between.
 */
#define NR_LOOKS	20
#define APART		128		/* more than are freed without cond_resched() */

static struct looks {
	struct mmbox_observer observer;	/* replaces that of the box */
	unsigned int nr;		/* so far */
	unsigned int nr_atomic;		/* of these, in atomic context */
	unsigned int nr_yielded;	/* of these, after the CPU was given away */
} looks;

static void look(void)
{
	looks.nr++;
	if (!in_task() || irqs_disabled())
		looks.nr_atomic++;
	else if (!test_tsk_need_resched(current))
		looks.nr_yielded++;
	set_tsk_need_resched(current);
	set_preempt_need_resched();
}

static void look_at_object(struct mmbox *box, enum mmbox_bad why,
			   const struct mmbox_kmem_cache *cachep, const void *objp)
{
	if (why == MMBOX_BAD_DOUBLE)
		look();
}

static void look_at_slab(struct mmbox_kmem_cache *cachep, const void *base,
			 const struct mmbox_slab_fault *fault)
{
	look();
}

static const struct mmbox_observer *begin_looks(struct mmbox *box)
{
	const struct mmbox_observer *old = box->observer;

	memset(&looks, 0, sizeof(looks));
	looks.observer = *old;
	looks.observer.bad_object = look_at_object;
	looks.observer.slab_fault = look_at_slab;
	box->observer = &looks.observer;
	return old;
}

static void end_looks(struct kunit *test, struct mmbox *box,
		      const struct mmbox_observer *old)
{
	box->observer = old;
	KUNIT_EXPECT_GE(test, looks.nr, NR_LOOKS * 3 / 4);
	KUNIT_EXPECT_EQ_MSG(test, 0, looks.nr_atomic,
			    "objects are freed in atomic context");
	/* The timer may set need_resched again before the next report. */
	KUNIT_EXPECT_GE_MSG(test, looks.nr_yielded, looks.nr / 2, "of %u", looks.nr);
}

static void many_objects_yield_cpu(struct kunit *test)
{
	struct deferred **objs = test_zalloc(test, NR_LOOKS * APART * sizeof(*objs));
	struct mmbox *box = test_small_box(test);
	const struct mmbox_observer *old;
	struct mmbox_kmem_cache *cachep;
	unsigned int i;

	cachep = mmbox_kmem_cache_create(box, "many", sizeof(**objs), 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	for (i = 0; i < NR_LOOKS * APART; i++) {
		objs[i] = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
	}
	old = begin_looks(box);
	/* They are one batch, or two if a batch is under way. */
	rcu_read_lock();
	for (i = 0; i < NR_LOOKS * APART; i++)
		mmbox_kfree_rcu(box, objs[i], rcu);
	for (i = 0; i < NR_LOOKS * APART; i += APART)
		mmbox_kmem_cache_free(cachep, objs[i]);
	rcu_read_unlock();
	mmbox_kfree_rcu_barrier(box);
	end_looks(test, box, old);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

/* The same with slabs of one object, of a SLAB_TYPESAFE_BY_RCU cache. */
static void many_slabs_yield_cpu(struct kunit *test)
{
	void **objs = test_zalloc(test, NR_LOOKS * APART * sizeof(*objs));
	const struct mmbox_observer *old;
	struct mmbox_kmem_cache *cachep;
	struct mmbox_config cfg;
	struct mmbox *box;
	unsigned int i;

	test_config(&cfg, "many", SZ_32M);
	cfg.slab_debug = "FZ,many";
	box = test_box(test, &cfg);
	cachep = mmbox_kmem_cache_create(box, "many", 4000, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	KUNIT_ASSERT_EQ(test, 1, cachep->num);
	KUNIT_ASSERT_GT(test, cachep->obj_offset, 0);
	for (i = 0; i < NR_LOOKS * APART; i++) {
		objs[i] = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
	}
	old = begin_looks(box);
	rcu_read_lock();
	for (i = 0; i < NR_LOOKS * APART; i++)
		mmbox_kmem_cache_free(cachep, objs[i]);
	/* Overwrite the left red zone while the slab cannot be freed. */
	for (i = 0; i < NR_LOOKS * APART; i += APART)
		((u64 *)objs[i])[-1] = 0;
	rcu_read_unlock();
	mmbox_kmem_cache_shrink(cachep);
	mmbox_slabs_rcu_barrier(box);
	end_looks(test, box, old);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(barrier_waits_for_all),
	KUNIT_CASE(barrier_amid_new_frees),
	KUNIT_CASE(destroy_amid_new_frees),
	KUNIT_CASE(many_objects_yield_cpu),
	KUNIT_CASE(many_slabs_yield_cpu),
	{}
};

TEST_SUITE(slab_rcu_suite, "mmbox_slab_rcu", cases);
