// SPDX-License-Identifier: GPL-2.0
/*
 * Emptying what CPUs keep to themselves, and leaving it.
 *
 * The per-CPU page lists and array caches have no lock: a CPU that is inside
 * has marked them busy. So another CPU asks by an interrupt; where that falls
 * into the middle of the owner's work it leaves without having done anything,
 * and the CPU is asked again by a work item, which cannot run there while
 * the owner is inside, since the owner runs with preemption off.
 */
#include <linux/cpu.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include "box.h"

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
	bool (*drain)(void *arg, int cpu);
	void *arg;
	atomic_t nr_busy;	/* CPUs that could not be drained */
};

static void drain_ipi(void *info)
{
	struct drain_request *req = info;

	if (!req->drain(req->arg, smp_processor_id()))
		atomic_inc(&req->nr_busy);
}

static long drain_work(void *info)
{
	struct drain_request *req = info;
	bool drained;

	preempt_disable();
	drained = req->drain(req->arg, smp_processor_id());
	preempt_enable();
	WARN_ON_ONCE(!drained);
	return 0;
}

/**
 * mmbox_drain_cpus_cpuslocked() - run a drain once on every CPU, or for it if offline
 * @drain: called with preemption off on @cpu, or on any if @cpu is offline;
 *	returns false, having done nothing, if the CPU's data is busy; may be
 *	called again after it has returned true
 * @arg: passed to @drain
 *
 * Context: process, interrupts on, may sleep, cpus_read_lock() held.
 */
void mmbox_drain_cpus_cpuslocked(bool (*drain)(void *arg, int cpu), void *arg)
{
	struct drain_request req = { .drain = drain, .arg = arg };
	int cpu;

	might_sleep();
	on_each_cpu(drain_ipi, &req, 1);
	if (atomic_read(&req.nr_busy))
		for_each_online_cpu(cpu)
			work_on_cpu(cpu, drain_work, &req);
	for_each_possible_cpu(cpu) {
		if (cpu_online(cpu))
			continue;
		preempt_disable();
		drain(arg, cpu);
		preempt_enable();
	}
}

/**
 * mmbox_drain_cpus() - the same, unless a CPU comes or goes just now
 * @drain: see mmbox_drain_cpus_cpuslocked()
 * @arg: passed to @drain
 *
 * Does not wait for that CPU: who tells the slab layer of it may be waiting for
 * a lock that our caller, who is out of memory, has taken.
 *
 * Context: process, interrupts on, may sleep.
 */
void mmbox_drain_cpus(bool (*drain)(void *arg, int cpu), void *arg)
{
	if (!cpus_read_trylock())
		return;
	mmbox_drain_cpus_cpuslocked(drain, arg);
	cpus_read_unlock();
}
