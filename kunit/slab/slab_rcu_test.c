// SPDX-License-Identifier: GPL-2.0
/*
 * What is freed after a grace period: who waits for it waits for no more than
 * that, and nobody else has to wait while many are freed.
 */
#include <linux/delay.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "slab/slab_object.h"
#include "testing.h"

#define GRACE_PERIODS	5000	/* a barrier needs two, and CPU time of its own */

struct deferred {
	unsigned long mark;		/* what is written here is not the head */
	struct rcu_head rcu;
	char rest[40];
};

/* ---- waiting while others go on ---- */

/* Somebody who calls mmbox_kfree_rcu() all the time. */
struct stream {
	struct mmbox *box;
	bool stop;
	unsigned long nr;		/* given so far */
};

static void run_stream(void *arg)
{
	struct stream *s = arg;
	struct deferred *d;

	while (!READ_ONCE(s->stop)) {
		d = mmbox_kmalloc(s->box, sizeof(*d), GFP_NOWAIT | __GFP_NOWARN);
		if (d) {
			mmbox_kfree_rcu(s->box, d, rcu);
			WRITE_ONCE(s->nr, s->nr + 1);
		}
		usleep_range(50, 200);
	}
}

struct waiter {
	struct mmbox *box;
	struct mmbox_kmem_cache *cachep;	/* destroy it, or NULL: the barrier */
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
	struct test_thread *stream, *waiter;
	struct stream s = { .box = box };
	unsigned long nr;
	unsigned int i;
	bool done;

	stream = test_thread_start(test, num_online_cpus() - 1, run_stream, &s);
	while (READ_ONCE(s.nr) < 100)
		rcu_barrier();
	nr = READ_ONCE(s.nr);
	waiter = test_thread_start(test, 0, run_waiter, &w);
	for (i = 0; i < GRACE_PERIODS && !test_thread_done(waiter); i++)
		rcu_barrier();
	/* It must have had to wait: something was on its way all the time. */
	while (READ_ONCE(s.nr) < nr + 10)
		rcu_barrier();
	done = test_thread_done(waiter);
	WRITE_ONCE(s.stop, true);
	test_thread_wait(stream);
	test_thread_wait(waiter);
	KUNIT_EXPECT_TRUE_MSG(test, done, "still waiting after %u grace periods", i);
	KUNIT_EXPECT_EQ(test, 0, w.err);
	mmbox_kfree_rcu_barrier(box);
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

static void barrier_amid_others(struct kunit *test)
{
	expect_wait_ends(test, test_small_box(test), NULL);
}

static void destroy_amid_others(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep;

	cachep = mmbox_kmem_cache_create(box, "unrelated", 100, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	expect_wait_ends(test, box, cachep);
}

/* The barrier is for all that came before, of this grace period and the next. */
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
 * Every APART-th of a batch is such that the box reports it when it is freed. There
 * we look from where that is, say that somebody else needs the CPU, and look the
 * next time whether he got it.
 */
#define NR_LOOKS	20
#define APART		128		/* more than are freed without a look */

static struct looks {
	struct mmbox_observer observer;	/* instead of the box's own */
	unsigned int nr;		/* so far */
	unsigned int nr_atomic;		/* of these, where one may not sleep */
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
			    "they are freed where nobody else gets the CPU");
	/* The timer may need the CPU again before we look. */
	KUNIT_EXPECT_GE_MSG(test, looks.nr_yielded, looks.nr / 2, "of %u", looks.nr);
}

static void objects_in_pieces(struct kunit *test)
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
	/* They are one batch, or two if one is under way. */
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

/* The same with slabs of a cache that is type-safe by RCU: one object each. */
static void slabs_in_pieces(struct kunit *test)
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
	/* The red zone before the object, while its slab cannot go. */
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
	KUNIT_CASE(barrier_amid_others),
	KUNIT_CASE(destroy_amid_others),
	KUNIT_CASE(objects_in_pieces),
	KUNIT_CASE(slabs_in_pieces),
	{}
};

struct kunit_suite slab_rcu_suite = {
	.name = "mmbox_slab_rcu",
	.init = test_init,
	.exit = test_exit,
	.test_cases = cases,
};
