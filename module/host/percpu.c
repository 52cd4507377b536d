// SPDX-License-Identifier: GPL-2.0
/*
 * Drain per-CPU data of other CPUs.
 *
 * The per-CPU page lists and array caches have no lock: only their own CPU touches
 * them, with preemption off. So another CPU queues a work item there. Once the work
 * item has disabled preemption nobody else uses the data, and it frees what it took
 * with interrupts on. Reclaim waits for these work items, so their queue has a
 * rescuer.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include "host/host.h"

/* Work items are on the stack of the waiter, which may be deep in reclaim. */
#define DRAINS_AT_ONCE	4

static struct workqueue_struct *drain_wq __ro_after_init;

/**
 * mmbox_resched() - reschedule if needed
 *
 * To be called if mmbox_preempt_enable_test() returned true.
 *
 * Context: any.
 */
noinline void mmbox_resched(void)
{
	preempt_disable();
	preempt_enable();
}

struct drain_request {
	struct work_struct work;
	void (*drain)(void *arg, int cpu);
	void *arg;
	int cpu;
};

static void drain_work(struct work_struct *work)
{
	struct drain_request *req = container_of(work, struct drain_request, work);

	req->drain(req->arg, req->cpu);
}

static void wait_for_drains(struct drain_request *reqs, unsigned int nr)
{
	while (nr--) {
		flush_work(&reqs[nr].work);
		destroy_work_on_stack(&reqs[nr].work);
	}
}

/**
 * mmbox_drain_cpus_cpuslocked() - run a drain on each CPU that holds something
 * @holds: does @cpu have anything to drain? Called on any CPU without a lock;
 *	NULL: drain all CPUs
 * @drain: called in process context, bound to @cpu, with interrupts and preemption
 *	on; disables preemption while it uses the CPU's data. Called on any CPU if
 *	@cpu is offline
 * @arg: passed to both
 *
 * CPUs for which @holds returns false are not visited. A visited CPU sees what the
 * caller wrote before; an unvisited one may not.
 *
 * Context: process, may sleep, cpus_read_lock() held.
 */
void mmbox_drain_cpus_cpuslocked(bool (*holds)(void *arg, int cpu),
				 void (*drain)(void *arg, int cpu), void *arg)
{
	struct drain_request reqs[DRAINS_AT_ONCE];
	unsigned int nr = 0;
	int cpu, own;

	might_sleep();
	migrate_disable();
	own = smp_processor_id();
	for_each_online_cpu(cpu) {
		if (cpu == own || (holds && !holds(arg, cpu)))
			continue;
		if (nr == DRAINS_AT_ONCE) {
			wait_for_drains(reqs, nr);
			nr = 0;
		}
		INIT_WORK_ONSTACK(&reqs[nr].work, drain_work);
		reqs[nr].drain = drain;
		reqs[nr].arg = arg;
		reqs[nr].cpu = cpu;
		queue_work_on(cpu, drain_wq, &reqs[nr++].work);
	}
	/* On the own CPU this task calls it directly. */
	if (!holds || holds(arg, own))
		drain(arg, own);
	migrate_enable();
	wait_for_drains(reqs, nr);
	for_each_possible_cpu(cpu)
		if (!cpu_online(cpu) && (!holds || holds(arg, cpu)))
			drain(arg, cpu);
}
MMBOX_EXPORT_INTERNAL(mmbox_drain_cpus_cpuslocked);

/**
 * mmbox_drain_cpus() - drain CPUs, but do nothing during CPU hotplug
 * @holds: see mmbox_drain_cpus_cpuslocked()
 * @drain: see mmbox_drain_cpus_cpuslocked()
 * @arg: passed to both
 *
 * Does not wait for CPU hotplug to end: its callbacks may be waiting for a lock that
 * the caller, which is in reclaim, holds.
 *
 * Context: process, may sleep.
 */
void mmbox_drain_cpus(bool (*holds)(void *arg, int cpu),
		      void (*drain)(void *arg, int cpu), void *arg)
{
	if (!cpus_read_trylock())
		return;
	mmbox_drain_cpus_cpuslocked(holds, drain, arg);
	cpus_read_unlock();
}
MMBOX_EXPORT_INTERNAL(mmbox_drain_cpus);

/**
 * mmbox_percpu_module_init() - create the work queue that all boxes share
 *
 * Context: when the module is loaded.
 * Return: 0 or -ENOMEM.
 */
int __init mmbox_percpu_module_init(void)
{
	/* WQ_HIGHPRI: the waiter is out of memory. */
	drain_wq = alloc_workqueue("mmbox_drain", WQ_MEM_RECLAIM | WQ_HIGHPRI |
				   MMBOX_WQ_PERCPU, 0);
	return drain_wq ? 0 : -ENOMEM;
}

/**
 * mmbox_percpu_module_exit() - undo mmbox_percpu_module_init()
 *
 * Context: when the module is unloaded, without boxes.
 */
void mmbox_percpu_module_exit(void)
{
	destroy_workqueue(drain_wq);
}
