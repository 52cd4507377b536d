// SPDX-License-Identifier: GPL-2.0
/*
 * Emptying what CPUs keep to themselves, and leaving it.
 *
 * The per-CPU page lists and array caches have no lock: only their own CPU
 * touches them, with preemption off. So another CPU queues a work item there. A
 * work item that turns preemption off finds nobody inside, and what it takes
 * away it can free with interrupts on. As reclaim waits for these work items,
 * their queue has a rescuer.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include "host/host.h"

/* Work items on the stack of whoever waits, perhaps deep in reclaim. */
#define DRAINS_AT_ONCE	4

static struct workqueue_struct *drain_wq __ro_after_init;

/**
 * mmbox_resched() - what mmbox_preempt_enable_test() asks for
 *
 * Called with preemption enabled again, when a reschedule may be due.
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
 * mmbox_drain_cpus_cpuslocked() - run a drain once for each CPU that holds something
 * @holds: whether @cpu has anything to drain, asked on any CPU without a lock;
 *	NULL: visit all CPUs
 * @drain: called in process context on @cpu, which it stays on, with interrupts
 *	and preemption on; turns preemption off while it is inside the CPU's data.
 *	For an offline CPU it is called on any
 * @arg: passed to both
 *
 * A CPU that @holds denies is left alone. It is not made to see what its caller
 * has written before, as one is that is visited.
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
	/* This task is on its own CPU, and inside nothing. */
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
 * mmbox_drain_cpus() - the same, unless a CPU comes or goes just now
 * @holds: see mmbox_drain_cpus_cpuslocked()
 * @drain: see mmbox_drain_cpus_cpuslocked()
 * @arg: passed to both
 *
 * Does not wait for that CPU: who tells the slab layer of it may be waiting for
 * a lock that our caller, who is out of memory, has taken.
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
 * mmbox_percpu_module_init() - make ready for boxes
 *
 * Context: when the module is loaded.
 * Return: 0 or -ENOMEM.
 */
int __init mmbox_percpu_module_init(void)
{
	/* WQ_HIGHPRI: whoever waits is out of memory. */
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
