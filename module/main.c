// SPDX-License-Identifier: GPL-2.0
/*
 * Load and unload: make one box from the parameters (params.c), with its files and its
 * device.
 *
 * A bad parameter fails the load before anything is allocated. If the host has no
 * memory for a file or for the device, that one is missing, with a warning; the box
 * works without it.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>

#include "box.h"

static struct mmbox *box0;

static void log_box(struct mmbox *box)
{
	const struct mmbox_region *r = &box->region;
	char range[64];

	/* vmalloc has no physical range to show, and its address is not for the log. */
	if (r->type == MMBOX_REGION_VMALLOC || mmbox_addresses_hidden())
		snprintf(range, sizeof(range), "%p", r->addr);
	else
		snprintf(range, sizeof(range), "host [mem %#llx-%#llx]",
			 (u64)PFN_PHYS(r->host_pfn),
			 (u64)PFN_PHYS(r->host_pfn) + r->size - 1);
	pr_info("%s: %zu KiB by %s at %s, region taken in %llu us, booted in %llu us, %ld host requests\n",
		box->name, r->size >> 10, mmbox_region_names[r->type], range,
		div_u64(r->ns, 1000), div_u64(box->boot_ns, 1000),
		atomic_long_read(&box->host.nr_requests));
}

/* Shared by all boxes: work queues and CPU hotplug callbacks. */
static int __init init_shared(void)
{
	int err;

	err = mmbox_percpu_module_init();
	if (err)
		return err;
	err = mmbox_rcu_queue_module_init();
	if (err)
		goto exit_percpu;
	err = mmbox_cpu_module_init();
	if (err)
		goto exit_rcu_queue;
	return 0;

exit_rcu_queue:
	mmbox_rcu_queue_module_exit();
exit_percpu:
	mmbox_percpu_module_exit();
	return err;
}

static void exit_shared(void)
{
	mmbox_cpu_module_exit();
	mmbox_rcu_queue_module_exit();
	mmbox_percpu_module_exit();
}

static int __init mmbox_init(void)
{
	struct mmbox_config cfg;
	struct mmbox *box;
	int err;

	err = mmbox_params_typed(&cfg);
	if (!err)
		err = init_shared();
	if (err)
		return err;
	box = mmbox_create(&cfg);
	if (IS_ERR(box)) {
		err = PTR_ERR(box);
		goto exit_shared;
	}

	mmbox_debugfs_add(box);
	mmbox_chardev_add(box);
	mmbox_publish(box);
	box0 = box;
	log_box(box);
	return 0;

exit_shared:
	exit_shared();
	return err;
}

static void __exit mmbox_exit(void)
{
	mmbox_unpublish(box0);
	mmbox_chardev_remove(box0);
	mmbox_debugfs_remove(box0);
	mmbox_destroy(box0);
	exit_shared();
	/* Callbacks may still be running in this module's text. */
	rcu_barrier();
}

module_init(mmbox_init);
module_exit(mmbox_exit);

MODULE_DESCRIPTION("A Linux memory manager in a box");
MODULE_AUTHOR("The mmbox authors");
MODULE_VERSION(MMBOX_VERSION);
MODULE_LICENSE("GPL");
