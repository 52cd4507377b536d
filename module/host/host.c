// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to the host kernel, counted.
 *
 * A box takes its region once and hardly anything after that: struct mmbox
 * itself, what must be per CPU, and its faces. All of it is asked for through
 * this file, so that a box can say what it costs beyond its region, and so
 * that a test can fail the n-th request on any kernel, fault injection built
 * in or not.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include "host/host.h"

/*
 * What the module takes is charged to the memory cgroup of the task that made
 * it do so. Where that, or the host, has no more, the request fails: the OOM
 * killer is left alone.
 */
#define HOST_GFP	(GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

/**
 * mmbox_host_should_fail() - count a request to the host
 * @host: the account of the box that asks
 * @what: what is asked for, as the log should name it
 *
 * To be called once before each request.
 *
 * Context: any.
 * Return: true if this request is the one that fail_nth= names, and so must
 * be treated as if the host had refused it.
 */
bool mmbox_host_should_fail(struct mmbox_host *host, const char *what)
{
	long nr = atomic_long_inc_return(&host->nr_requests);

	if (likely(nr != host->fail_nth))
		return false;
	pr_info("fail_nth=%lu: failing the request for %s\n", host->fail_nth, what);
	return true;
}

/**
 * mmbox_host_zalloc() - take zeroed host memory
 * @host: the account of the box that asks
 * @size: bytes
 * @what: what for, as the log should name it
 *
 * It is charged to the memory cgroup of the task, as all that this file takes.
 *
 * Context: process, may sleep.
 * Return: the memory, for mmbox_host_free(), or NULL.
 */
void *mmbox_host_zalloc(struct mmbox_host *host, size_t size, const char *what)
{
	void *ptr;

	if (mmbox_host_should_fail(host, what))
		return NULL;
	ptr = kvzalloc(size, HOST_GFP);
	if (ptr)
		atomic_long_add(size, &host->bytes);
	return ptr;
}

/**
 * mmbox_host_kzalloc() - take zeroed host memory where one may not sleep
 * @host: the account of the box that asks
 * @size: bytes
 * @gfp: GFP flags
 * @what: what for, as the log should name it
 *
 * Context: as @gfp says.
 * Return: the memory, or NULL. Whoever frees it, by kfree_rcu() perhaps, takes
 * @size off @host->bytes.
 */
void *mmbox_host_kzalloc(struct mmbox_host *host, size_t size, gfp_t gfp,
			 const char *what)
{
	void *ptr;

	if (mmbox_host_should_fail(host, what))
		return NULL;
	ptr = kzalloc(size, gfp | __GFP_ACCOUNT | __GFP_NOWARN);
	if (ptr)
		atomic_long_add(size, &host->bytes);
	return ptr;
}

/**
 * mmbox_host_free() - give host memory back
 * @host: the account of the box that took it
 * @ptr: from mmbox_host_zalloc(), or NULL
 * @size: bytes, as asked for
 *
 * Context: process, may sleep.
 */
void mmbox_host_free(struct mmbox_host *host, void *ptr, size_t size)
{
	if (!ptr)
		return;
	atomic_long_sub(size, &host->bytes);
	kvfree(ptr);
}

/**
 * mmbox_host_alloc_percpu() - take zeroed per-CPU host memory
 * @host: the account of the box that asks
 * @size: bytes a CPU
 * @align: bytes, a power of two
 * @what: what for, as the log should name it
 *
 * Context: process, may sleep.
 * Return: a handle for mmbox_host_free_percpu(), or NULL.
 */
struct mmbox_host_percpu *mmbox_host_alloc_percpu(struct mmbox_host *host,
						  size_t size, size_t align,
						  const char *what)
{
	struct mmbox_host_percpu *percpu;

	/* The handle and what it stands for are one request. */
	if (mmbox_host_should_fail(host, what))
		return NULL;
	percpu = kzalloc(sizeof(*percpu), HOST_GFP);
	if (!percpu)
		return NULL;
	percpu->ptr = __alloc_percpu_gfp(size, align, HOST_GFP);
	if (!percpu->ptr) {
		kfree(percpu);
		return NULL;
	}
	percpu->bytes = size * num_possible_cpus();
	atomic_long_add(sizeof(*percpu) + percpu->bytes, &host->bytes);
	INIT_LIST_HEAD(&percpu->list);
	return percpu;
}

/**
 * mmbox_host_free_percpu() - give per-CPU host memory back
 * @host: the account of the box that took it
 * @percpu: from mmbox_host_alloc_percpu(), or NULL
 *
 * Context: process, may sleep.
 */
void mmbox_host_free_percpu(struct mmbox_host *host,
			    struct mmbox_host_percpu *percpu)
{
	if (!percpu)
		return;
	list_del(&percpu->list);
	free_percpu(percpu->ptr);
	atomic_long_sub(percpu->bytes, &host->bytes);
	mmbox_host_free(host, percpu, sizeof(*percpu));
}
