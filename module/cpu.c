// SPDX-License-Identifier: GPL-2.0
/*
 * CPU hotplug: tells each box, layer by layer, about CPUs of the host that come and go.
 *
 * Before a CPU comes, caches prepare their arrays for it. After it has gone, the objects
 * in its arrays are returned to their slabs first, as that may free pages, and then
 * the pages of its lists to their zones.
 */
#include <linux/cpuhotplug.h>

#include "box.h"

static enum cpuhp_state cpuhp_prepare __ro_after_init;
static enum cpuhp_state cpuhp_online __ro_after_init;

static int box_cpu_prepare(unsigned int cpu, struct hlist_node *node)
{
	struct mmbox *box = hlist_entry(node, struct mmbox, cpu_prepare);

	if (!box->cfg.pages_only)
		box->slab.ops->cpu_prepare(box, cpu);
	return 0;
}

static int box_cpu_dead(unsigned int cpu, struct hlist_node *node)
{
	struct mmbox *box = hlist_entry(node, struct mmbox, cpu_prepare);

	if (!box->cfg.pages_only)
		box->slab.ops->cpu_dead(box, cpu);
	mmbox_page_alloc_cpu_dead(box, cpu);
	return 0;
}

static int box_cpu_online(unsigned int cpu, struct hlist_node *node)
{
	struct mmbox *box = hlist_entry(node, struct mmbox, cpu_online);

	mmbox_page_alloc_cpu_online(box);
	if (!box->cfg.pages_only)
		box->slab.ops->cpu_online(box, cpu);
	return 0;
}

static int box_cpu_offline(unsigned int cpu, struct hlist_node *node)
{
	struct mmbox *box = hlist_entry(node, struct mmbox, cpu_online);

	if (!box->cfg.pages_only)
		box->slab.ops->cpu_offline(box, cpu);
	return 0;
}

/**
 * mmbox_cpu_start() - tell a box about CPU hotplug from now on
 * @box: the box, booted
 *
 * Also starts the reapers of the CPUs that are online.
 *
 * Context: process, may sleep.
 * Return: 0 or -errno; mmbox_cpu_stop() undoes what was done.
 */
int mmbox_cpu_start(struct mmbox *box)
{
	int err = cpuhp_state_add_instance_nocalls(cpuhp_prepare, &box->cpu_prepare);

	return err ?: cpuhp_state_add_instance(cpuhp_online, &box->cpu_online);
}

/**
 * mmbox_cpu_stop() - undo mmbox_cpu_start(), even if it failed
 * @box: the box
 *
 * Context: process, may sleep.
 */
void mmbox_cpu_stop(struct mmbox *box)
{
	if (box->cpu_online.pprev)
		cpuhp_state_remove_instance(cpuhp_online, &box->cpu_online);
	if (box->cpu_prepare.pprev)
		cpuhp_state_remove_instance_nocalls(cpuhp_prepare, &box->cpu_prepare);
}

/**
 * mmbox_cpu_module_init() - register for CPU hotplug
 *
 * Context: when the module is loaded.
 * Return: 0 or -errno.
 */
int __init mmbox_cpu_module_init(void)
{
	int state;

	state = cpuhp_setup_state_multi(CPUHP_BP_PREPARE_DYN, "mmbox:prepare", box_cpu_prepare,
					box_cpu_dead);
	if (state < 0)
		return state;
	cpuhp_prepare = state;
	state = cpuhp_setup_state_multi(CPUHP_AP_ONLINE_DYN, "mmbox:online", box_cpu_online,
					box_cpu_offline);
	if (state < 0) {
		cpuhp_remove_multi_state(cpuhp_prepare);
		return state;
	}
	cpuhp_online = state;
	return 0;
}

/**
 * mmbox_cpu_module_exit() - undo mmbox_cpu_module_init()
 *
 * Context: when the module is unloaded, without boxes.
 */
void mmbox_cpu_module_exit(void)
{
	cpuhp_remove_multi_state(cpuhp_online);
	cpuhp_remove_multi_state(cpuhp_prepare);
}
