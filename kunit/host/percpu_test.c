// SPDX-License-Identifier: GPL-2.0
/*
 * Draining per-CPU lists: which CPUs are visited, in which context, by which work items.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/panic.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "testing.h"

/* What a drain did on each CPU. */
struct visits {
	int only;			/* the one CPU that has something to drain, -1: all */
	unsigned int nr[NR_CPUS];
	bool bad_context[NR_CPUS];	/* not on this CPU, or in atomic context */
};

static bool holds(void *arg, int cpu)
{
	struct visits *visits = arg;

	return visits->only < 0 || visits->only == cpu;
}

static void visit(void *arg, int cpu)
{
	struct visits *visits = arg;

	visits->nr[cpu]++;
	visits->bad_context[cpu] = !in_task() || irqs_disabled() ||
				   (preempt_count() & PREEMPT_MASK) ||
				   (cpu_online(cpu) && raw_smp_processor_id() != cpu);
}

static void expect_visits(struct kunit *test, const struct visits *visits)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		bool due = visits->only < 0 || visits->only == cpu;

		KUNIT_EXPECT_EQ_MSG(test, visits->nr[cpu], due, "CPU %d", cpu);
		KUNIT_EXPECT_FALSE_MSG(test, visits->bad_context[cpu], "CPU %d", cpu);
	}
}

/* Each CPU is visited once, on itself, with interrupts and preemption on. */
static void drain_visits_each_cpu(struct kunit *test)
{
	struct visits *visits = test_zalloc(test, sizeof(*visits));

	visits->only = -1;
	cpus_read_lock();
	mmbox_drain_cpus_cpuslocked(NULL, visit, visits);
	cpus_read_unlock();
	expect_visits(test, visits);
}

/* Only the CPU that has something to drain is visited. */
static void drain_skips_empty_cpus(struct kunit *test)
{
	struct visits *visits = test_zalloc(test, sizeof(*visits));
	int cpu;

	for_each_possible_cpu(cpu) {
		memset(visits, 0, sizeof(*visits));
		visits->only = cpu;
		mmbox_drain_cpus(holds, visit, visits);
		expect_visits(test, visits);
	}
}

struct reclaimer {
	struct work_struct work;
	struct visits *visits;
};

static void drain_from_work(struct work_struct *work)
{
	struct reclaimer *reclaimer = container_of(work, struct reclaimer, work);

	mmbox_drain_cpus(holds, visit, reclaimer->visits);
}

/*
 * The caller of a drain may be a work item of a WQ_MEM_RECLAIM queue. The kernel warns if
 * that waits for a work item of a queue without a rescuer.
 */
static void drain_from_reclaim_work(struct kunit *test)
{
	struct visits *visits = test_zalloc(test, sizeof(*visits));
	struct reclaimer *reclaimer = test_zalloc(test, sizeof(*reclaimer));
	bool warned = test_taint(TAINT_WARN);
	struct workqueue_struct *wq;

	wq = alloc_workqueue("mmbox_kunit", WQ_MEM_RECLAIM | MMBOX_WQ_PERCPU, 0);
	KUNIT_ASSERT_NOT_NULL(test, wq);
	visits->only = -1;
	reclaimer->visits = visits;
	INIT_WORK(&reclaimer->work, drain_from_work);
	queue_work_on(test_nth_cpu(0), wq, &reclaimer->work);
	flush_work(&reclaimer->work);
	destroy_workqueue(wq);
	expect_visits(test, visits);
	KUNIT_EXPECT_FALSE_MSG(test, warned, "an earlier warning would hide one of this test");
	KUNIT_EXPECT_EQ(test, warned, test_taint(TAINT_WARN));
}

struct hog {
	struct completion running;
	bool stop;			/* the drain is over */
	bool gave_up;			/* the drain waited for this CPU */
};

/* Keep this CPU busy until the drain is over, for ten seconds at most. */
static void hog_cpu(void *arg)
{
	struct hog *hog = arg;
	unsigned int ms = 0;

	preempt_disable();
	complete(&hog->running);
	while (!READ_ONCE(hog->stop) && ms++ < 10000)
		mdelay(1);
	hog->gave_up = !READ_ONCE(hog->stop);
	preempt_enable();
}

/* A drain does not wait for a busy CPU that has nothing to drain. */
static void drain_leaves_busy_cpus_alone(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_zone *zone = &box->node[0]->node_zones[MMBOX_ZONE_NORMAL];
	struct test_thread *thread;
	struct hog hog = {};

	test_needs_two_cpus(test);
	test_pin(test, 0);
	mmbox_drain_all_pages(box);
	mmbox_free_page(box, mmbox_get_zeroed_page(box, GFP_KERNEL));
	KUNIT_EXPECT_GT(test, mmbox_nr_pcp_pages(zone), 0);
	init_completion(&hog.running);
	thread = test_thread_start(test, 1, hog_cpu, &hog);
	wait_for_completion(&hog.running);
	mmbox_drain_all_pages(box);
	WRITE_ONCE(hog.stop, true);
	test_thread_wait(thread);
	KUNIT_EXPECT_FALSE_MSG(test, hog.gave_up, "the drain waited for a CPU without pages");
	KUNIT_EXPECT_EQ(test, mmbox_nr_pcp_pages(zone), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(drain_visits_each_cpu),
	KUNIT_CASE(drain_skips_empty_cpus),
	KUNIT_CASE(drain_from_reclaim_work),
	KUNIT_CASE(drain_leaves_busy_cpus_alone),
	{}
};

TEST_SUITE(percpu_suite, "mmbox_percpu", cases);
