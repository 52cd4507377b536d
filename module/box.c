// SPDX-License-Identifier: GPL-2.0
/*
 * Create and destroy boxes.
 *
 * mmbox_create() checks the configuration, allocates the region, boots the memory
 * manager on it and returns a working box, without files or a device. mmbox_destroy()
 * undoes this in reverse order. Box memory that callers still use is gone then.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "box.h"

/**
 * mmbox_config_check() - check a configuration
 * @cfg: the configuration
 *
 * Logs one line about the first bad parameter.
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int mmbox_config_check(const struct mmbox_config *cfg)
{
	struct mmbox_param_text text;
	int err;

	if (!cfg->name || !*cfg->name || strlen(cfg->name) >= MMBOX_NAME_LEN) {
		pr_err("box name must have 1 to %d characters\n", MMBOX_NAME_LEN - 1);
		return -EINVAL;
	}
	err = mmbox_params_check(cfg);
	if (err)
		return err;
	err = mmbox_buddy_check(cfg);
	if (err)
		return err;
	if (cfg->section_size < PAGE_SIZE << (cfg->orders - 1))
		return mmbox_bad_param(cfg, MMBOX_PARAM_section_size,
				       "must be at least the largest block, which is %s with orders=%u",
				       mmbox_bytes_text(PAGE_SIZE << (cfg->orders - 1), &text),
				       cfg->orders);
	if (cfg->kernelcore > cfg->size)
		return mmbox_bad_param(cfg, MMBOX_PARAM_kernelcore, "must be at most size=%s",
				       mmbox_param_text(cfg, MMBOX_PARAM_size, &text));
	if (cfg->movablecore > cfg->size)
		return mmbox_bad_param(cfg, MMBOX_PARAM_movablecore, "must be at most size=%s",
				       mmbox_param_text(cfg, MMBOX_PARAM_size, &text));
	if (mmbox_slab_debug_check(cfg))
		return -EINVAL;
	return mmbox_banks_check(cfg) ?: mmbox_numa_check(cfg);
}
MMBOX_EXPORT_INTERNAL(mmbox_config_check);

static long boot_on_cpu(void *arg)
{
	struct mmbox *box = arg;
	u64 start = mmbox_host_ns();
	int err;

	err = mmbox_mm_early_init(box);
	if (!err)
		err = mmbox_kmem_cache_boot(box);
	if (!err)
		err = mmbox_mm_init(box);
	if (!err && !box->cfg.pages_only)
		err = mmbox_kmem_cache_init(box);
	box->boot_ns = mmbox_host_ns() - start;
	return err;
}

/*
 * The first caches leave objects in the array of the CPU that creates them. Always use
 * the same CPU, so that new boxes are identical to the last page.
 */
static int boot(struct mmbox *box)
{
	return work_on_cpu(cpumask_first(cpu_online_mask), boot_on_cpu, box);
}

/* Log why the boot failed, and which parameter helps if the box is too small. */
static void report_boot_failure(const struct mmbox *box, const struct mmbox_config *cfg, int err)
{
	const struct mmbox_memblock *mb = &box->memblock;
	bool by_banks = cfg->nr_banks && cfg->typed && !cfg->typed[MMBOX_PARAM_size];

	if (err == -ENOMEM && mb->missed)
		mmbox_bad_param(cfg, by_banks ? MMBOX_PARAM_banks : MMBOX_PARAM_size,
				"must be larger: model=%s needs %lu KiB in one piece for %s",
				mmbox_model_names[cfg->model],
				DIV_ROUND_UP(mb->missed_bytes, SZ_1K), mb->missed);
	else
		pr_err("%s: boot failed: %d\n", box->name, err);
}

/* From the top layer down; each undoes what it did, even if it failed half-way. */
static void take_down(struct mmbox *box)
{
	mmbox_cpu_stop(box);
	mmbox_pages_stop(box);
	mmbox_kmem_cache_exit(box);
	mmbox_mm_exit(box);
	mmbox_region_return(&box->region, &box->host);
}

/* Free struct mmbox itself, and fill in the account. */
static void free_box(struct mmbox *box)
{
	struct mmbox_account *account = box->cfg.account;
	struct mmbox_region region = box->region;
	struct mmbox_host host = box->host;
	long bytes;

	mmbox_host_free(&host, box, sizeof(*box));
	bytes = atomic_long_read(&host.bytes);
	if (bytes)
		pr_warn("%ld bytes of host memory were not given back\n", bytes);
	if (account)
		*account = (struct mmbox_account){
			.bytes = bytes,
			.nr_taken = region.nr_taken,
			.nr_returned = region.nr_returned,
			.nr_requests = atomic_long_read(&host.nr_requests),
		};
}

/* Allocate struct mmbox with its configuration. NULL without memory. */
static struct mmbox *alloc_box(const struct mmbox_config *cfg)
{
	struct mmbox_host host = { .fail_nth = cfg->fail_nth };
	struct mmbox *box;

	box = mmbox_host_zalloc(&host, sizeof(*box), "struct mmbox");
	if (!box)
		return NULL;
	box->host = host;
	box->cfg = *cfg;
	strscpy(box->name, cfg->name, sizeof(box->name));
	box->cfg.name = box->name;
	return box;
}

/* Initialize each layer's part of struct mmbox. Allocates nothing and cannot fail. */
static void set_up(struct mmbox *box)
{
	mmbox_memmap_setup(box);
	mmbox_pages_setup(box);
	mmbox_slab_setup(box);
	mmbox_faces_setup(box);
	box->observer = &mmbox_faces_observer;
	if (!box->cfg.pages_only)
		box->pages.reclaim = &mmbox_slab_reclaim;
}

/* These texts belong to the caller, who may free them. */
static void forget_texts(struct mmbox_config *cfg)
{
	cfg->distance = NULL;
	cfg->node_cpus = NULL;
	cfg->banks_text = NULL;
	cfg->typed = NULL;
}

/**
 * mmbox_create() - create a box
 * @cfg: its configuration, which is copied
 *
 * Logs one line if it fails.
 *
 * Context: process, may sleep.
 * Return: a working box, not published yet, for mmbox_destroy(); or an ERR_PTR():
 * -EINVAL for a bad configuration, -ENOMEM if the host has not enough memory.
 */
struct mmbox *mmbox_create(const struct mmbox_config *cfg)
{
	char asked[sizeof(struct mmbox_param_text) + 8];
	struct mmbox_param_text text;
	struct mmbox *box;
	int err;

	err = mmbox_config_check(cfg);
	if (err)
		return ERR_PTR(err);
	box = alloc_box(cfg);
	if (!box) {
		pr_err("the host has no memory for struct mmbox\n");
		return ERR_PTR(-ENOMEM);
	}
	snprintf(asked, sizeof(asked), "size=%s", mmbox_param_text(cfg, MMBOX_PARAM_size, &text));
	err = mmbox_region_take(&box->region, &box->host, cfg->region, cfg->size, asked);
	if (err)
		goto free_box;
	set_up(box);
	err = boot(box);
	forget_texts(&box->cfg);
	if (!err && !cfg->pages_only)
		err = box->slab.ops->start(box);
	if (!err)
		err = mmbox_cpu_start(box);
	if (err) {
		report_boot_failure(box, cfg, err);
		goto take_down;
	}
	mmbox_pages_start(box);
	return box;

take_down:
	take_down(box);
free_box:
	free_box(box);
	return ERR_PTR(err);
}
MMBOX_EXPORT_INTERNAL(mmbox_create);

/**
 * mmbox_destroy() - destroy a box
 * @box: from mmbox_create(), not published, without files or a device, and not in use
 *
 * Every page of the region is returned to the host, allocated or not.
 *
 * Context: process, may sleep.
 */
void mmbox_destroy(struct mmbox *box)
{
	take_down(box);
	free_box(box);
}
MMBOX_EXPORT_INTERNAL(mmbox_destroy);
