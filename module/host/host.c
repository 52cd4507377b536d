// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations from the host kernel, all of them counted.
 *
 * A box takes its region once and little else: struct mmbox, per-CPU data, its files
 * and its device. All of that is allocated here. So a box knows what it costs beyond
 * its region, and a test can fail the n-th request on any kernel, even one without
 * fault injection.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include "host/host.h"

/*
 * Charge the memory cgroup of the current task. If the cgroup or the host is out of
 * memory, the request fails without the OOM killer.
 */
#define HOST_GFP	(GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

/**
 * mmbox_host_should_fail() - count a request to the host
 * @host: the account of the box that asks
 * @what: the request's name in the log
 *
 * Call this once before each request.
 *
 * Context: any.
 * Return: true if fail_nth= names this request. The caller then acts as if the
 * host had refused it.
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
 * mmbox_host_zalloc() - allocate zeroed host memory
 * @host: the account of the box that asks
 * @size: bytes
 * @what: the request's name in the log
 *
 * Charges the memory cgroup of the current task, as all functions of this file do.
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
 * mmbox_host_kzalloc() - allocate zeroed host memory in any context
 * @host: the account of the box that asks
 * @size: bytes
 * @gfp: GFP flags
 * @what: the request's name in the log
 *
 * Context: as @gfp says.
 * Return: the memory, or NULL. The caller frees it, e.g. by kfree_rcu(), and
 * subtracts @size from @host->bytes.
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
 * mmbox_host_free() - free host memory
 * @host: the account of the box that took it
 * @ptr: from mmbox_host_zalloc(), or NULL
 * @size: bytes, as allocated
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
 * mmbox_host_alloc_percpu() - allocate zeroed per-CPU host memory
 * @host: the account of the box that asks
 * @size: bytes per CPU
 * @align: bytes, a power of two
 * @what: the request's name in the log
 *
 * Context: process, may sleep.
 * Return: a handle for mmbox_host_free_percpu(), or NULL.
 */
struct mmbox_host_percpu *mmbox_host_alloc_percpu(struct mmbox_host *host,
						  size_t size, size_t align,
						  const char *what)
{
	struct mmbox_host_percpu *percpu;

	/* The handle and the per-CPU memory count as one request. */
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
 * mmbox_host_free_percpu() - free per-CPU host memory
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
