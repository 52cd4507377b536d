/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites share.
 *
 * A suite is declared by TEST_SUITE(). Boxes and memory that a test gets from the
 * functions below are freed when it ends, however it ends. Each box that is left
 * then is checked first: see check.c.
 */
#ifndef _MMBOX_KUNIT_TESTING_H
#define _MMBOX_KUNIT_TESTING_H

#include <kunit/test.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "box.h"

#define TEST_MAX_BOXES	4
#define TEST_MAX_ALLOCS	256
#define TEST_MAX_CROWD	8
#define TEST_ROUND_OPS	20000U

#define TEST_SUITE(suite, title, list)					\
struct kunit_suite suite = {						\
	.name = title,							\
	.init = test_init,						\
	.exit = test_exit,						\
	.test_cases = list,						\
}

struct test_state {
	struct mmbox *box[TEST_MAX_BOXES];
	void *alloc[TEST_MAX_ALLOCS];
	cpumask_var_t cpus;		/* where the task may run, if pinned */
	bool pinned;
};

/* testing.c: boxes, memory, CPUs */
extern unsigned int test_ops;
int test_init(struct kunit *test);
void test_exit(struct kunit *test);
void test_config(struct mmbox_config *cfg, const char *name, unsigned long size);
struct mmbox *test_box(struct kunit *test, const struct mmbox_config *cfg);
struct mmbox *test_small_box(struct kunit *test);
struct mmbox *test_debug_box(struct kunit *test, const char *slab_debug);
void test_box_drop(struct kunit *test, struct mmbox *box);
void test_box_end(struct kunit *test, struct mmbox *box);
void *test_zalloc(struct kunit *test, size_t size);
void test_free(struct kunit *test, void *p);
void test_pin(struct kunit *test, unsigned int nr);
unsigned int test_nth_cpu(unsigned int nr);
void test_needs_two_cpus(struct kunit *test);
long test_nr_bad(struct mmbox *box);
void *test_alloc_one(struct kunit *test, struct mmbox_kmem_cache *cachep);
int test_tune(struct mmbox_kmem_cache *cachep, int limit, int batchcount, int shared);

/*
 * For KUNIT_CASE_PARAM(): as many rounds as ops= operations need, with at most
 * TEST_ROUND_OPS in each. KUnit gives each round five minutes.
 */
MMBOX_KUNIT_GENERATOR(test_rounds);
unsigned int test_round(const struct kunit *test);	/* from 0 on */
unsigned int test_round_ops(void);

/* Threads, each bound to the @nr-th CPU that is online. */
struct test_thread;
struct test_thread *test_thread_start(struct kunit *test, unsigned int nr,
				      void (*fn)(void *arg), void *arg);
bool test_thread_done(struct test_thread *thread);
void test_thread_wait(struct test_thread *thread);

#ifdef CONFIG_HOTPLUG_CPU
int test_call_while_cpu_goes(struct kunit *test, void (*fn)(void *arg), void *arg,
			     unsigned long within, bool *in_time);
#endif

/* A thread that calls @fn again and again until it is stopped. */
struct test_loop;
struct test_loop *test_loop_start(struct kunit *test, unsigned int nr,
				  void (*fn)(void *arg), void *arg);
unsigned long test_loop_calls(const struct test_loop *loop);
unsigned long test_loop_stop(struct test_loop *loop);

/* Hard interrupts on the CPU it is started on, each of which calls @fn. */
struct test_interrupts;
struct test_interrupts *test_interrupts_start(struct kunit *test,
					      void (*fn)(void *arg), void *arg);
void test_interrupts_move(struct test_interrupts *interrupts);
unsigned long test_interrupts_stop(struct test_interrupts *interrupts);

/*
 * A function that is called again and again while others use a box. A call overlaps
 * if the others took a step between its begin and its end. The others go on until
 * @least calls have overlapped. Then they stop, and the calls with them.
 */
struct test_meanwhile {
	void (*fn)(void *arg);
	void *arg;
	unsigned int least;		/* calls that must overlap */
	unsigned long nr_calls;		/* result */
	unsigned long nr_overlaps;	/* of these, calls that overlapped */
};

#define TEST_LEAST_OVERLAPS	40

void test_meanwhile_run(struct kunit *test, struct test_meanwhile *meanwhile,
			unsigned long (*nr_steps)(const void *others),
			bool (*ended)(void *others), void *others, bool *stop);

/* The same steps on several CPUs: in a thread on each, and in interrupts there. */
struct test_crowd {
	unsigned int nr_cpus;
	void (*step)(void *arg);
	void *thread[TEST_MAX_CROWD];		/* argument of step() in the thread */
	void *interrupt[TEST_MAX_CROWD];	/* argument of step() in interrupts, NULL: none */
	unsigned long nr_interrupts;		/* result */
};

unsigned int test_crowd_cpus(struct kunit *test, unsigned int least);
void test_crowd_run(struct kunit *test, struct test_crowd *crowd, unsigned int steps,
		    struct test_meanwhile *meanwhile);

/* The generator that the reference sequences were made with. */
static inline u32 test_random(u32 *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* check.c: checks of a box that is not in use */
void test_check_pages(struct kunit *test, struct mmbox *box);
void test_check_slab(struct kunit *test, struct mmbox *box);
void test_check_box(struct kunit *test, struct mmbox *box);

/* Files of kunit/reference/, ended by an entry without a name. */
struct mmbox_reference {
	const char *name;
	const char *text;	/* ends in 0 */
};

extern const struct mmbox_reference mmbox_references[];

/* Each file whose name begins with @prefix. */
#define for_each_reference(ref, prefix)					\
	for ((ref) = mmbox_references; (ref)->name; (ref)++)		\
		if (strncmp((ref)->name, prefix, strlen(prefix))) {	\
		} else

/* Copies the next line that is not empty and moves past it. False at the end. */
bool test_next_line(const char **text, char *line, size_t size);

/* suites.c: the suites, from the lowest layer up */
extern struct kunit_suite params_suite;
extern struct kunit_suite memblock_suite, mm_init_suite, numa_suite, memmap_suite,
			  percpu_suite, isolation_suite, memory_hotplug_suite,
			  memory_probe_suite,
			  page_alloc_suite, buddy_bitmap_suite, page_design_suite,
			  page_model_suite,
			  page_reference_suite, vmscan_suite,
			  vmstat_suite, slab_suite, slab_common_suite,
			  slab_arrays_suite, slab_reference_suite, slab_debug_suite,
			  slab_free_suite, slab_rcu_suite,
			  slab_model_suite, report_suite, debugfs_debug_suite, box_suite;

#endif /* _MMBOX_KUNIT_TESTING_H */
