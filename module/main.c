// SPDX-License-Identifier: GPL-2.0
/*
 * Load and unload: parameters in, one box with its faces out.
 *
 * A parameter that makes no sense fails the load before anything is taken. A
 * face that the host has no memory for is left out with a warning; the box
 * itself works without.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "box.h"

static char *size = "";
module_param(size, charp, 0444);
MODULE_PARM_DESC(size, "bytes to take from the host, with K, M or G; at least 4M (default 64M, or what banks= come to)");

static char *banks = "";
module_param(banks, charp, 0444);
MODULE_PARM_DESC(banks, "where they lie in the box's physical address space: SIZE@ADDR[:NODE][:hot],... (default one bank at 0)");

static char *model = "sparse-vmemmap";
module_param(model, charp, 0444);
MODULE_PARM_DESC(model, "memory model: flat, discontig, sparse-static, sparse-extreme or sparse-vmemmap (default sparse-vmemmap)");

static char *section_size = "4M";
module_param(section_size, charp, 0444);
MODULE_PARM_DESC(section_size, "bytes a memory section, a power of two from the largest block to 1G (default 4M)");

static unsigned long fail_boot_nth;
module_param(fail_boot_nth, ulong, 0444);
MODULE_PARM_DESC(fail_boot_nth, "for tests: which allocation of the boot allocator fails, counted from 1 (default 0, none)");

static char *region = "auto";
module_param(region, charp, 0444);
MODULE_PARM_DESC(region, "how to take them: contig, pages, vmalloc, or auto for the first of these that works (default auto)");

static char *buddy = "list";
module_param(buddy, charp, 0444);
MODULE_PARM_DESC(buddy, "generation of the buddy allocator: list (Linux 6.1) or bitmap (Linux 2.4) (default list)");

static int orders = -1;
module_param(orders, int, 0444);
MODULE_PARM_DESC(orders, "block orders of the buddy allocator, 10 or 11 (default 11, with buddy=bitmap 10)");

static char *kmalloc_min = "8";
module_param(kmalloc_min, charp, 0444);
MODULE_PARM_DESC(kmalloc_min, "smallest kmalloc cache in bytes, a power of two from 8 to 1024 (default 8; Linux 6.1: 32)");

static char *kmalloc_max = "128K";
module_param(kmalloc_max, charp, 0444);
MODULE_PARM_DESC(kmalloc_max, "largest kmalloc cache in bytes, a power of two from 1K to 128K (default 128K; Linux 6.1: 8K)");

static char *zone_dma = "16M";
module_param(zone_dma, charp, 0444);
MODULE_PARM_DESC(zone_dma, "bytes of box physical memory from 0 that are ZONE_DMA (default 16M)");

static char *zone_dma32 = "4G";
module_param(zone_dma32, charp, 0444);
MODULE_PARM_DESC(zone_dma32, "box physical address below which memory is ZONE_DMA32, as far as it is not ZONE_DMA (default 4G)");

static char *kernelcore = "0";
module_param(kernelcore, charp, 0444);
MODULE_PARM_DESC(kernelcore, "bytes, spread over the nodes, beyond which memory is ZONE_MOVABLE (default 0: no ZONE_MOVABLE)");

static char *movablecore = "0";
module_param(movablecore, charp, 0444);
MODULE_PARM_DESC(movablecore, "bytes that are ZONE_MOVABLE, at least (default 0)");

static bool slab_reap = true;
module_param(slab_reap, bool, 0444);
MODULE_PARM_DESC(slab_reap, "trim what idle slab caches keep, every few seconds (default 1)");

static bool slab_stats;
module_param(slab_stats, bool, 0444);
MODULE_PARM_DESC(slab_stats, "statistics in slabinfo (default 0)");

static bool slab_merge;
module_param(slab_merge, bool, 0444);
MODULE_PARM_DESC(slab_merge, "merge a new cache into one that serves as well (default 0)");

#define NODES_FROM_BANKS	UINT_MAX

static unsigned int nodes = NODES_FROM_BANKS;
module_param(nodes, uint, 0444);
MODULE_PARM_DESC(nodes, "nodes to split the memory into, 1 to 8 (default 1, or what banks= says)");

static char *distance = "";
module_param(distance, charp, 0444);
MODULE_PARM_DESC(distance, "distances of nodes, a row a node: 10,20/20,10 (default 20 to any other)");

static char *node_cpus = "";
module_param(node_cpus, charp, 0444);
MODULE_PARM_DESC(node_cpus, "CPUs of nodes, a list a node: 0-1/2,3 (default shared out in order)");

static bool pcp_thp;
module_param(pcp_thp, bool, 0444);
MODULE_PARM_DESC(pcp_thp, "per-CPU lists have blocks of order 9 too, and pageblocks are of that order (default 0)");

static bool stat_drift;
module_param(stat_drift, bool, 0444);
MODULE_PARM_DESC(stat_drift, "CPUs keep a part of the count of free pages to themselves, as Linux's do (default 0)");

static bool kswapd = true;
module_param(kswapd, bool, 0444);
MODULE_PARM_DESC(kswapd, "a thread a node that reclaims when memory is short; without it, the same operations always give the same box (default 1)");

static char *slab_debug = "-";
module_param(slab_debug, charp, 0444);
MODULE_PARM_DESC(slab_debug, "what to watch in slab caches: letters F Z P U T, then possibly caches, as SLUB's slab_debug= (default -, nothing)");

static unsigned long fail_nth;
module_param(fail_nth, ulong, 0444);
MODULE_PARM_DESC(fail_nth, "for tests: which request to the host fails, counted from 1 (default 0, none)");

static struct mmbox *box0;

static int parse_size(const char *name, const char *text, unsigned long *value)
{
	phys_addr_t bytes;
	const char *end = mmbox_parse_bytes(text, &bytes);

	if (!end || *end || bytes > ULONG_MAX) {
		pr_err("%s=%s: must be a number of bytes, with K, M or G\n", name, text);
		return -EINVAL;
	}
	*value = bytes;
	return 0;
}

static int parse_config(struct mmbox_config *cfg)
{
	int err, type;

	mmbox_config_init(cfg);
	err = *size ? parse_size("size", size, &cfg->size) : 0;
	if (!err)
		err = parse_size("kmalloc_min", kmalloc_min, &cfg->kmalloc_min);
	if (!err)
		err = parse_size("kmalloc_max", kmalloc_max, &cfg->kmalloc_max);
	if (!err)
		err = parse_size("zone_dma", zone_dma, &cfg->zone_dma);
	if (!err)
		err = parse_size("zone_dma32", zone_dma32, &cfg->zone_dma32);
	if (!err)
		err = parse_size("kernelcore", kernelcore, &cfg->kernelcore);
	if (!err)
		err = parse_size("movablecore", movablecore, &cfg->movablecore);
	if (!err)
		err = parse_size("section_size", section_size, &cfg->section_size);
	if (!err)
		err = mmbox_banks_parse(cfg, banks);
	if (err)
		return err;
	if (cfg->nr_banks && !*size)
		cfg->size = mmbox_banks_sum(cfg);

	type = match_string(mmbox_region_names, MMBOX_NR_REGION_TYPES, region);
	if (type < 0) {
		pr_err("region=%s: must be auto, contig, pages or vmalloc\n", region);
		return -EINVAL;
	}
	cfg->region = type;
	type = match_string(mmbox_buddy_names, MMBOX_NR_BUDDY_TYPES, buddy);
	if (type < 0) {
		pr_err("buddy=%s: must be list or bitmap\n", buddy);
		return -EINVAL;
	}
	cfg->buddy = type;
	if (orders >= 0)
		cfg->orders = orders;
	else if (cfg->buddy == MMBOX_BUDDY_BITMAP)
		cfg->orders = MMBOX_MIN_ORDERS;
	type = match_string(mmbox_model_names, MMBOX_NR_MODELS, model);
	if (type < 0) {
		pr_err("model=%s: must be flat, discontig, sparse-static, sparse-extreme or sparse-vmemmap\n",
		       model);
		return -EINVAL;
	}
	cfg->model = type;
	cfg->fail_boot_nth = fail_boot_nth;
	cfg->slab_reap = slab_reap;
	cfg->slab_stats = slab_stats;
	cfg->slab_merge = slab_merge;
	cfg->pcp_thp = pcp_thp;
	cfg->stat_drift = stat_drift;
	cfg->kswapd = kswapd;
	cfg->slab_debug = slab_debug;
	cfg->distance = distance;
	cfg->node_cpus = node_cpus;
	if (nodes != NODES_FROM_BANKS) {
		err = mmbox_nodes_split(cfg, nodes);
		if (err)
			return err;
	}
	cfg->fail_nth = fail_nth;
	return 0;
}

static void log_box(struct mmbox *box)
{
	const struct mmbox_region *r = &box->region;
	char range[64];

	/* Pages of vmalloc are all over the host; their address is not for the log. */
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

/* What all boxes share: work queues, and one place that hears of CPUs. */
static int __init init_shared(void)
{
	int err;

	err = mmbox_percpu_module_init();
	if (err)
		return err;
	err = mmbox_slab_rcu_module_init();
	if (err)
		goto exit_percpu;
	err = mmbox_cpu_module_init();
	if (err)
		goto exit_slab_rcu;
	return 0;

exit_slab_rcu:
	mmbox_slab_rcu_module_exit();
exit_percpu:
	mmbox_percpu_module_exit();
	return err;
}

static void exit_shared(void)
{
	mmbox_cpu_module_exit();
	mmbox_slab_rcu_module_exit();
	mmbox_percpu_module_exit();
}

static int __init mmbox_init(void)
{
	struct mmbox_config cfg;
	struct mmbox *box;
	int err;

	err = parse_config(&cfg);
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
	/* The text of callbacks that have done their work, but not returned. */
	rcu_barrier();
}

module_init(mmbox_init);
module_exit(mmbox_exit);

MODULE_DESCRIPTION("A Linux memory manager in a box");
MODULE_LICENSE("GPL");
