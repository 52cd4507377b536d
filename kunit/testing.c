// SPDX-License-Identifier: GPL-2.0
/*
 * What the suites share: boxes that are destroyed when a test ends, threads on a CPU,
 * interrupts, crowds of both, and reading the reference files.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "testing.h"

unsigned int test_ops = 20000;
module_param_named(ops, test_ops, uint, 0444);
MODULE_PARM_DESC(ops, "operations of a randomised test (default 20000)");

/* The parameter is the number of the round, from 1 on: it must not be NULL. */
MMBOX_KUNIT_GENERATOR(test_rounds)
{
	unsigned long round = (unsigned long)prev + 1;

	if (round > max(1U, DIV_ROUND_UP(test_ops, TEST_ROUND_OPS)))
		return NULL;
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "round %lu", round);
	return (void *)round;
}

unsigned int test_round(const struct kunit *test)
{
	return (unsigned long)test->param_value - 1;
}

unsigned int test_round_ops(void)
{
	return min(test_ops, TEST_ROUND_OPS);
}

int test_init(struct kunit *test)
{
	struct test_state *state = kunit_kzalloc(test, sizeof(*state), GFP_KERNEL);

	if (!state || !alloc_cpumask_var(&state->cpus, GFP_KERNEL))
		return -ENOMEM;
	test->priv = state;
	return 0;
}

void test_exit(struct kunit *test)
{
	struct test_state *state = test->priv;
	int i;

	if (!state)
		return;
	if (state->pinned)
		set_cpus_allowed_ptr(current, state->cpus);
	free_cpumask_var(state->cpus);
	for (i = 0; i < TEST_MAX_BOXES; i++) {
		if (!state->box[i])
			continue;
		test_check_box(test, state->box[i]);
		mmbox_destroy(state->box[i]);
	}
	for (i = 0; i < TEST_MAX_ALLOCS; i++)
		kvfree(state->alloc[i]);
}

/*
 * A box with this configuration, until the test ends. The test fails if it cannot be
 * created. The reaper is off: results must not depend on how long a test takes.
 */
struct mmbox *test_box(struct kunit *test, const struct mmbox_config *cfg)
{
	struct test_state *state = test->priv;
	struct mmbox_config quiet = *cfg;
	struct mmbox *box;
	int i;

	quiet.slab_reap = false;
	box = mmbox_create(&quiet);

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(box), "no box: %ld", PTR_ERR(box));
	for (i = 0; i < TEST_MAX_BOXES; i++) {
		if (!state->box[i]) {
			state->box[i] = box;
			return box;
		}
	}
	mmbox_destroy(box);
	KUNIT_ASSERT_TRUE_MSG(test, false, "too many boxes");
	return NULL;
}

/* The defaults, with a name and a size. */
void test_config(struct mmbox_config *cfg, const char *name, unsigned long size)
{
	mmbox_config_init(cfg);
	cfg->name = name;
	cfg->size = size;
}

/* A small box without kswapd: nothing changes in it but by the test. */
struct mmbox *test_small_box(struct kunit *test)
{
	struct mmbox_config cfg;

	test_config(&cfg, "test", SZ_16M);
	cfg.zone_dma = SZ_4M;
	cfg.zone_dma32 = 0;
	cfg.kswapd = false;
	return test_box(test, &cfg);
}

/* The same, with caches watched as @slab_debug says. */
struct mmbox *test_debug_box(struct kunit *test, const char *slab_debug)
{
	struct mmbox_config cfg;

	test_config(&cfg, "test", SZ_16M);
	cfg.zone_dma = SZ_4M;
	cfg.slab_debug = slab_debug;
	return test_box(test, &cfg);
}

/* Destroy a box before the test ends, without a check. */
void test_box_drop(struct kunit *test, struct mmbox *box)
{
	struct test_state *state = test->priv;
	int i;

	for (i = 0; i < TEST_MAX_BOXES; i++)
		if (state->box[i] == box)
			state->box[i] = NULL;
	mmbox_destroy(box);
}

/* Check a box that is not in use, and destroy it before the test ends. */
void test_box_end(struct kunit *test, struct mmbox *box)
{
	test_check_box(test, box);
	test_box_drop(test, box);
}

/* Zeroed memory of the host, until the test ends. */
void *test_zalloc(struct kunit *test, size_t size)
{
	struct test_state *state = test->priv;
	int i;

	for (i = 0; i < TEST_MAX_ALLOCS && state->alloc[i]; i++)
		;
	KUNIT_ASSERT_LT(test, i, TEST_MAX_ALLOCS);
	state->alloc[i] = kvzalloc(size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, state->alloc[i]);
	return state->alloc[i];
}

/* Free what test_zalloc() returned, before the test ends. */
void test_free(struct kunit *test, void *p)
{
	struct test_state *state = test->priv;
	int i;

	for (i = 0; i < TEST_MAX_ALLOCS; i++)
		if (state->alloc[i] == p)
			state->alloc[i] = NULL;
	kvfree(p);
}

unsigned int test_nth_cpu(unsigned int nr)
{
	unsigned int cpu = cpumask_first(cpu_online_mask);

	while (nr--)
		cpu = cpumask_next(cpu, cpu_online_mask);
	return cpu;
}

void test_needs_two_cpus(struct kunit *test)
{
	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
}

/* Keep the test's task on one CPU, the @nr-th that is online. */
void test_pin(struct kunit *test, unsigned int nr)
{
	struct test_state *state = test->priv;

	if (!state->pinned)
		cpumask_copy(state->cpus, current->cpus_ptr);
	state->pinned = true;
	KUNIT_ASSERT_EQ(test, 0, set_cpus_allowed_ptr(current,
						      cpumask_of(test_nth_cpu(nr))));
}

/* Frees that a box has refused, for any reason. */
long test_nr_bad(struct mmbox *box)
{
	long nr = 0;
	int i;

	for (i = 0; i < MMBOX_NR_BAD; i++)
		nr += atomic_long_read(&box->faces.bad[i]);
	return nr;
}

/* ---- threads ---- */

struct test_thread {
	void (*fn)(void *arg);
	void *arg;
	struct completion done;
};

static int run_thread(void *data)
{
	struct test_thread *thread = data;

	thread->fn(thread->arg);
	complete(&thread->done);
	return 0;
}

/* Run @fn on the @nr-th CPU online. It must be waited for. */
struct test_thread *test_thread_start(struct kunit *test, unsigned int nr,
				      void (*fn)(void *arg), void *arg)
{
	struct test_thread *thread = kunit_kzalloc(test, sizeof(*thread), GFP_KERNEL);
	struct task_struct *task;

	KUNIT_ASSERT_NOT_NULL(test, thread);
	thread->fn = fn;
	thread->arg = arg;
	init_completion(&thread->done);
	task = kthread_create(run_thread, thread, "mmbox_kunit/%u", nr);
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	kthread_bind(task, test_nth_cpu(nr));
	wake_up_process(task);
	return thread;
}

bool test_thread_done(struct test_thread *thread)
{
	return completion_done(&thread->done);
}

void test_thread_wait(struct test_thread *thread)
{
	wait_for_completion(&thread->done);
}

#ifdef CONFIG_HOTPLUG_CPU
/* A call that begins while a CPU goes offline. One at a time: a callback has no argument. */
static struct going {
	void (*fn)(void *arg);
	void *arg;
	unsigned long within;		/* jiffies that the CPU waits for the call */
	struct completion go;		/* completed when the CPU goes */
	struct completion done;		/* completed by the end of the call */
	bool in_time;			/* it ended while the CPU waited */
} going;

static void call_when_told(void *arg)
{
	wait_for_completion(&going.go);
	going.fn(going.arg);
	complete(&going.done);
}

static int cpu_is_going(unsigned int cpu)
{
	complete(&going.go);
	going.in_time = wait_for_completion_timeout(&going.done, going.within);
	return 0;
}

/**
 * test_call_while_cpu_goes() - call a function while a CPU goes offline, and bring it back
 * @test: the test; two CPUs are online
 * @fn: called once on the first CPU, also if the CPU does not go
 * @arg: its argument
 * @within: jiffies that the going CPU waits for the end of the call
 * @in_time: out: did the call end within that time?
 *
 * The call begins with cpu_hotplug_lock held for writing by the task that takes the CPU off.
 *
 * Context: process, may sleep.
 * Return: 0, or why the CPU cannot go offline or come back.
 */
int test_call_while_cpu_goes(struct kunit *test, void (*fn)(void *arg), void *arg,
			     unsigned long within, bool *in_time)
{
	struct test_thread *thread;
	int cpu, state, err;

	going.fn = fn;
	going.arg = arg;
	going.within = within;
	going.in_time = false;
	init_completion(&going.go);
	init_completion(&going.done);
	state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "mmbox_kunit:going", NULL,
					  cpu_is_going);
	KUNIT_ASSERT_GT(test, state, 0);
	test_pin(test, 0);
	thread = test_thread_start(test, 0, call_when_told, NULL);
	cpu = test_nth_cpu(1);
	err = remove_cpu(cpu);
	if (!err)
		err = add_cpu(cpu);
	else
		complete(&going.go);
	cpuhp_remove_state_nocalls(state);
	test_thread_wait(thread);
	*in_time = going.in_time;
	return err;
}
#endif

struct test_loop {
	void (*fn)(void *arg);
	void *arg;
	struct test_thread *thread;
	unsigned long nr_calls;		/* that have returned */
	bool stop;
};

static void run_loop(void *arg)
{
	struct test_loop *loop = arg;

	do {
		loop->fn(loop->arg);
		WRITE_ONCE(loop->nr_calls, loop->nr_calls + 1);
		cond_resched();
	} while (!READ_ONCE(loop->stop));
}

/* The first call of @fn has returned when this returns. */
struct test_loop *test_loop_start(struct kunit *test, unsigned int nr,
				  void (*fn)(void *arg), void *arg)
{
	struct test_loop *loop = kunit_kzalloc(test, sizeof(*loop), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, loop);
	loop->fn = fn;
	loop->arg = arg;
	loop->thread = test_thread_start(test, nr, run_loop, loop);
	while (!test_loop_calls(loop))
		cond_resched();
	return loop;
}

unsigned long test_loop_calls(const struct test_loop *loop)
{
	return READ_ONCE(loop->nr_calls);
}

/* Returns how many calls there were. */
unsigned long test_loop_stop(struct test_loop *loop)
{
	WRITE_ONCE(loop->stop, true);
	test_thread_wait(loop->thread);
	return loop->nr_calls;
}

/* ---- caches ---- */

void *test_alloc_one(struct kunit *test, struct mmbox_kmem_cache *cachep)
{
	void *objp = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, objp);
	return objp;
}

/* What a write to slabinfo does. */
int test_tune(struct mmbox_kmem_cache *cachep, int limit, int batchcount, int shared)
{
	int err;

	mutex_lock(&cachep->box->slab.mutex);
	err = mmbox_slab_tune(cachep, limit, batchcount, shared);
	mutex_unlock(&cachep->box->slab.mutex);
	return err;
}

/* ---- interrupts ---- */

#define INTERRUPT_NS	(50 * NSEC_PER_USEC)
#define FIRST_INTERRUPT_WITHIN	(60 * HZ)	/* else the test fails */

struct test_interrupts {
	struct hrtimer timer;
	void (*fn)(void *arg);
	void *arg;
	unsigned long count;
};

static enum hrtimer_restart interrupt(struct hrtimer *timer)
{
	struct test_interrupts *interrupts = container_of(timer, struct test_interrupts,
							  timer);

	WRITE_ONCE(interrupts->count, interrupts->count + 1);
	interrupts->fn(interrupts->arg);
	hrtimer_forward_now(timer, ns_to_ktime(INTERRUPT_NS));
	return HRTIMER_RESTART;
}

/*
 * Call @fn in interrupts of this CPU from now on. The first has come when this
 * returns: under load a guest's timer may be late by more than a test takes.
 */
struct test_interrupts *test_interrupts_start(struct kunit *test,
					      void (*fn)(void *arg), void *arg)
{
	unsigned long end = jiffies + FIRST_INTERRUPT_WITHIN;
	struct test_interrupts *interrupts;

	interrupts = kunit_kzalloc(test, sizeof(*interrupts), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, interrupts);
	interrupts->fn = fn;
	interrupts->arg = arg;
	mmbox_hrtimer_setup(&interrupts->timer, interrupt, CLOCK_MONOTONIC,
			    HRTIMER_MODE_REL_PINNED_HARD);
	hrtimer_start(&interrupts->timer, ns_to_ktime(INTERRUPT_NS),
		      HRTIMER_MODE_REL_PINNED_HARD);
	while (!READ_ONCE(interrupts->count) && time_before(jiffies, end))
		cond_resched();
	KUNIT_EXPECT_GT_MSG(test, READ_ONCE(interrupts->count), 0,
			    "no timer interrupt came within a minute");
	return interrupts;
}

/* Move them to the current CPU. */
void test_interrupts_move(struct test_interrupts *interrupts)
{
	hrtimer_cancel(&interrupts->timer);
	hrtimer_start(&interrupts->timer, ns_to_ktime(INTERRUPT_NS),
		      HRTIMER_MODE_REL_PINNED_HARD);
}

/* Returns how many there were. */
unsigned long test_interrupts_stop(struct test_interrupts *interrupts)
{
	hrtimer_cancel(&interrupts->timer);
	return interrupts->count;
}

/* ---- calls while others use a box ---- */

#define MOST_CALLS	10000	/* give up: the others do not take steps */

/*
 * Call @meanwhile->fn until @ended(@others) is true. Set @stop, which ends the others,
 * when enough calls have overlapped. @nr_steps(@others) counts the others' steps.
 */
void test_meanwhile_run(struct kunit *test, struct test_meanwhile *meanwhile,
			unsigned long (*nr_steps)(const void *others),
			bool (*ended)(void *others), void *others, bool *stop)
{
	unsigned long before = meanwhile->nr_overlaps, end = meanwhile->nr_calls + MOST_CALLS;

	while (!ended(others)) {
		unsigned long steps = nr_steps(others);

		meanwhile->fn(meanwhile->arg);
		meanwhile->nr_calls++;
		meanwhile->nr_overlaps += nr_steps(others) != steps;
		if (meanwhile->nr_overlaps - before >= meanwhile->least ||
		    meanwhile->nr_calls == end)
			WRITE_ONCE(*stop, true);
		schedule_timeout_uninterruptible(1);
	}
	KUNIT_EXPECT_GE_MSG(test, meanwhile->nr_overlaps - before, meanwhile->least,
			    "of %lu calls", meanwhile->nr_calls);
}

/* ---- crowds ---- */

struct crowd_run {
	struct kunit *test;
	struct test_crowd *crowd;
	unsigned int steps;
	bool stop;			/* end when the steps are done */
	struct crowd_member {
		struct crowd_run *run;
		unsigned int nr;
		struct test_thread *thread;
		unsigned long nr_steps;	/* taken by the thread */
		unsigned long nr_interrupts;
	} members[TEST_MAX_CROWD];
};

static void crowd_member_run(void *arg)
{
	struct test_interrupts *interrupts = NULL;
	struct crowd_member *member = arg;
	struct crowd_run *run = member->run;
	struct test_crowd *crowd = run->crowd;

	if (crowd->interrupt[member->nr])
		interrupts = test_interrupts_start(run->test, crowd->step,
						   crowd->interrupt[member->nr]);
	while (member->nr_steps < run->steps || !READ_ONCE(run->stop)) {
		crowd->step(crowd->thread[member->nr]);
		WRITE_ONCE(member->nr_steps, member->nr_steps + 1);
		if (member->nr_steps % 64 == 0)
			cond_resched();
	}
	if (interrupts)
		member->nr_interrupts = test_interrupts_stop(interrupts);
}

static unsigned long crowd_nr_steps(const void *arg)
{
	const struct crowd_run *run = arg;
	unsigned long nr = 0;
	unsigned int i;

	for (i = 0; i < run->crowd->nr_cpus; i++)
		nr += READ_ONCE(run->members[i].nr_steps);
	return nr;
}

static bool crowd_ended(void *arg)
{
	struct crowd_run *run = arg;
	unsigned int i;

	for (i = 0; i < run->crowd->nr_cpus; i++)
		if (!test_thread_done(run->members[i].thread))
			return false;
	return true;
}

/* As many CPUs as a crowd may have. Skips the test if fewer than @least are online. */
unsigned int test_crowd_cpus(struct kunit *test, unsigned int least)
{
	if (least > 1)
		test_needs_two_cpus(test);
	return min_t(unsigned int, num_online_cpus(), TEST_MAX_CROWD);
}

/*
 * Each thread takes at least @steps, with interrupts in between. @meanwhile, if not
 * NULL, is called at the same time. All threads have ended when this returns.
 */
void test_crowd_run(struct kunit *test, struct test_crowd *crowd, unsigned int steps,
		    struct test_meanwhile *meanwhile)
{
	struct crowd_run *run = test_zalloc(test, sizeof(*run));
	unsigned int i;

	*run = (struct crowd_run){
		.test = test,
		.crowd = crowd,
		.steps = steps,
		.stop = !meanwhile,
	};
	for (i = 0; i < crowd->nr_cpus; i++) {
		run->members[i].run = run;
		run->members[i].nr = i;
		run->members[i].thread = test_thread_start(test, i, crowd_member_run,
							   &run->members[i]);
	}
	if (meanwhile)
		test_meanwhile_run(test, meanwhile, crowd_nr_steps, crowd_ended, run,
				   &run->stop);
	for (i = 0; i < crowd->nr_cpus; i++) {
		test_thread_wait(run->members[i].thread);
		crowd->nr_interrupts += run->members[i].nr_interrupts;
	}
	test_free(test, run);
}

/* ---- reference files ---- */

bool test_next_line(const char **text, char *line, size_t size)
{
	const char *end;
	size_t len;

	*text += strspn(*text, "\r\n");
	if (!**text)
		return false;
	end = *text + strcspn(*text, "\r\n");
	len = min_t(size_t, end - *text, size - 1);
	memcpy(line, *text, len);
	line[len] = 0;
	*text = end;
	return true;
}

MODULE_DESCRIPTION("Tests of mmbox");
MODULE_AUTHOR("The mmbox authors");
MODULE_VERSION(MMBOX_VERSION);
MODULE_LICENSE("GPL");
MMBOX_IMPORT_INTERNAL();
