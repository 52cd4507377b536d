// SPDX-License-Identifier: GPL-2.0
/*
 * What the layers above need of the running kernel besides memory and CPUs: time,
 * random numbers, threads, stacks, mappings, and access to user space.
 *
 * To run in user space, replace this folder and provide the kernel API that
 * tools/kernel-symbols lists. The layers above need nothing else.
 */
#include <linux/freezer.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "host/host.h"

/**
 * mmbox_host_ns() - read a monotonic clock
 *
 * Context: any.
 * Return: nanoseconds since an arbitrary start.
 */
u64 mmbox_host_ns(void)
{
	return ktime_get_ns();
}

/**
 * mmbox_host_random() - get a random number that users cannot guess
 *
 * Context: process.
 * Return: the number.
 */
unsigned long mmbox_host_random(void)
{
	return get_random_long();
}

/**
 * mmbox_host_map_pages() - map pages virtually contiguously
 * @host: the account of the box that asks
 * @pages: kernel addresses of the pages, within the region; overwritten
 * @nr: number of pages
 * @what: the request's name in the log
 *
 * Context: process, may sleep.
 * Return: address of the first page, for mmbox_host_unmap_pages(), or NULL.
 */
void *mmbox_host_map_pages(struct mmbox_host *host, void **pages, unsigned long nr,
			   const char *what)
{
	unsigned long i;

	if (mmbox_host_should_fail(host, what))
		return NULL;
	for (i = 0; i < nr; i++)
		pages[i] = is_vmalloc_addr(pages[i]) ? vmalloc_to_page(pages[i]) :
						       virt_to_page(pages[i]);
	return vmap((struct page **)pages, nr, VM_MAP, PAGE_KERNEL);
}

/**
 * mmbox_host_unmap_pages() - undo mmbox_host_map_pages()
 * @addr: what it returned, or NULL
 *
 * Context: process, may sleep.
 */
void mmbox_host_unmap_pages(const void *addr)
{
	vunmap(addr);
}

/**
 * mmbox_host_thread_create() - create a thread without starting it
 * @host: the account of the box that asks
 * @fn: what it runs, until mmbox_host_thread_should_stop()
 * @arg: passed to @fn
 * @cpus: where it may run; empty: anywhere
 * @name: as ps shows it
 *
 * wake_up_process() starts it.
 *
 * Context: process, may sleep.
 * Return: the thread, for mmbox_host_thread_stop(), or an ERR_PTR().
 */
struct task_struct *mmbox_host_thread_create(struct mmbox_host *host, int (*fn)(void *arg),
					     void *arg, const struct cpumask *cpus,
					     const char *name)
{
	struct task_struct *task;

	if (mmbox_host_should_fail(host, name))
		return ERR_PTR(-ENOMEM);
	task = kthread_create(fn, arg, "%s", name);
	if (!IS_ERR(task) && !cpumask_empty(cpus))
		set_cpus_allowed_ptr(task, cpus);
	return task;
}

/**
 * mmbox_host_thread_stop() - ask a thread to end and wait until it has
 * @task: from mmbox_host_thread_create()
 *
 * Context: process, may sleep.
 */
void mmbox_host_thread_stop(struct task_struct *task)
{
	kthread_stop(task);
}

/**
 * mmbox_host_thread_should_stop() - should the current thread end?
 *
 * Context: a thread of mmbox_host_thread_create().
 * Return: true once mmbox_host_thread_stop() waits for it.
 */
bool mmbox_host_thread_should_stop(void)
{
	return kthread_should_stop();
}

/**
 * mmbox_host_thread_may_freeze() - let the current thread be frozen for suspend
 *
 * Context: a thread of mmbox_host_thread_create(), when it begins.
 */
void mmbox_host_thread_may_freeze(void)
{
	set_freezable();
}

/**
 * mmbox_host_thread_freezing() - should the current thread freeze?
 *
 * Context: a thread of mmbox_host_thread_create().
 * Return: true if mmbox_host_thread_freeze() would freeze it.
 */
bool mmbox_host_thread_freezing(void)
{
	return freezing(current);
}

/**
 * mmbox_host_thread_freeze() - freeze while the host is suspended
 *
 * Context: a thread of mmbox_host_thread_create(), may sleep.
 * Return: true if it was frozen.
 */
bool mmbox_host_thread_freeze(void)
{
	return try_to_freeze();
}

/**
 * mmbox_host_stacks_init() - prepare the stack depot
 * @host: the account of the box that asks
 *
 * Context: process, may sleep.
 * Return: false if the host has no stack depot.
 */
bool mmbox_host_stacks_init(struct mmbox_host *host)
{
#if MMBOX_HAVE_STACKDEPOT
	return !mmbox_host_should_fail(host, "the stack depot") && !stack_depot_init();
#else
	return false;
#endif
}

/**
 * mmbox_host_copy_to_user() - copy_to_user() from box memory
 * @to: user address
 * @from: kernel address
 * @n: bytes
 *
 * Context: process, may sleep.
 * Return: bytes that were not copied.
 */
unsigned long mmbox_host_copy_to_user(void __user *to, const void *from, unsigned long n)
{
	return copy_to_user(to, from, n);
}

/**
 * mmbox_host_copy_from_user() - copy_from_user() to box memory
 * @to: kernel address
 * @from: user address
 * @n: bytes
 *
 * Context: process, may sleep.
 * Return: bytes that were not copied.
 */
unsigned long mmbox_host_copy_from_user(void *to, const void __user *from, unsigned long n)
{
	return copy_from_user(to, from, n);
}
