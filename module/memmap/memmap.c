// SPDX-License-Identifier: GPL-2.0
/*
 * The memory model of a box: which it is, and what all of them share.
 *
 * A model is a file of its own behind struct mmbox_memmap_model. What leads
 * from a page frame number to its descriptor and back is no part of that, as it
 * must not be called through a pointer: memmap.h does it inline, by a branch.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/ktime.h>
#include <linux/printk.h>

#include "memmap/memmap.h"

/*
 * Counts the boxes whose addresses or descriptors are not in one range. While
 * there is none, the fast paths do not even look.
 */
DEFINE_STATIC_KEY_FALSE(mmbox_nonlinear_key);
MMBOX_EXPORT_INTERNAL(mmbox_nonlinear_key);

/* Counts those of them whose descriptors are not one array. */
DEFINE_STATIC_KEY_FALSE(mmbox_scattered_key);
MMBOX_EXPORT_INTERNAL(mmbox_scattered_key);

static const struct mmbox_memmap_model *const models[MMBOX_NR_MODELS] = {
	[MMBOX_FLAT]		= &mmbox_flat_model,
	[MMBOX_DISCONTIG]	= &mmbox_discontig_model,
	[MMBOX_SPARSE_STATIC]	= &mmbox_sparse_static_model,
	[MMBOX_SPARSE_EXTREME]	= &mmbox_sparse_extreme_model,
	[MMBOX_SPARSE_VMEMMAP]	= &mmbox_sparse_vmemmap_model,
};

const char *const mmbox_model_names[MMBOX_NR_MODELS] = {
	[MMBOX_FLAT]		= "flat",
	[MMBOX_DISCONTIG]	= "discontig",
	[MMBOX_SPARSE_STATIC]	= "sparse-static",
	[MMBOX_SPARSE_EXTREME]	= "sparse-extreme",
	[MMBOX_SPARSE_VMEMMAP]	= "sparse-vmemmap",
};
MMBOX_EXPORT_INTERNAL(mmbox_model_names);

/**
 * mmbox_boot_alloc() - take boot memory, of a node if it has some left
 * @box: the box; memblock is in charge
 * @size: bytes
 * @align: bytes, a power of two
 * @nid: the best node
 * @name: what for, kept by reference
 *
 * Context: while the box boots.
 * Return: its address, or NULL.
 */
void *mmbox_boot_alloc(struct mmbox *box, unsigned long size, unsigned long align,
		       int nid, const char *name)
{
	phys_addr_t phys;
	int i;

	if (mmbox_memblock_should_fail(&box->memblock))
		return NULL;
	for (i = 0; i < box->nr_nodes; i++) {
		phys = mmbox_memblock_phys_alloc(&box->memblock, size, align,
						 (nid + i) % box->nr_nodes, name);
		if (phys != MMBOX_MEMBLOCK_NONE)
			return mmbox_phys_to_virt(box, phys);
	}
	return NULL;
}

/**
 * mmbox_init_reserved() - make descriptors say that there is no page to be had
 * @page: the first
 * @nr: how many
 * @nid: node of their pages
 * @idx: zone of that node, or 0 while that is not known
 *
 * Context: any.
 */
void mmbox_init_reserved(struct mmbox_page *page, unsigned long nr, int nid, int idx)
{
	const struct mmbox_page proto = {
		.type = MMBOX_PAGE_RESERVED,
		.zone_id = idx,
		.node_id = nid,
	};

	while (nr--)
		*page++ = proto;
}

/**
 * mmbox_memmap_init() - set up physmap and memory model
 * @box: the box, whose banks are known to memblock
 *
 * On failure mmbox_memmap_exit() cleans up.
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int mmbox_memmap_init(struct mmbox *box)
{
	int err;

	err = mmbox_physmap_init(box);
	if (err)
		return err;
	box->memmap.model = models[box->cfg.model];
	err = box->memmap.model->init(box);
	if (err)
		return err;
	/* What the fast paths may do without asking needs both to be linear. */
	box->physmap.linear_size = box->memmap.map ? box->physmap.va_size : 0;
	if (!box->physmap.linear_size && !box->physmap.nonlinear) {
		box->physmap.nonlinear = true;
		static_branch_inc(&mmbox_nonlinear_key);
	}
	if (!box->memmap.map) {
		box->memmap.scattered = true;
		static_branch_inc(&mmbox_scattered_key);
	}
	return 0;
}

/**
 * mmbox_memmap_exit() - undo mmbox_memmap_init(), however far it came
 * @box: the box; nobody uses it any more
 *
 * Context: process, may sleep.
 */
void mmbox_memmap_exit(struct mmbox *box)
{
	if (box->memmap.model && box->memmap.model->exit)
		box->memmap.model->exit(box);
	box->memmap.model = NULL;
	mmbox_physmap_exit(box);
	if (box->physmap.nonlinear)
		static_branch_dec(&mmbox_nonlinear_key);
	box->physmap.nonlinear = false;
	if (box->memmap.scattered)
		static_branch_dec(&mmbox_scattered_key);
	box->memmap.scattered = false;
}

/**
 * mmbox_page_valid() - is this the descriptor of a page of the box?
 * @box: the box
 * @page: whatever it is
 *
 * Context: any.
 * Return: true if it is.
 */
bool mmbox_page_valid(const struct mmbox *box, const struct mmbox_page *page)
{
	return box->memmap.model->page_valid(box, page);
}
MMBOX_EXPORT_INTERNAL(mmbox_page_valid);

/**
 * mmbox_memmap_usage() - what the running model takes
 * @box: the box
 * @usage: where it goes
 *
 * Context: process.
 */
void mmbox_memmap_usage(const struct mmbox *box, struct mmbox_memmap_usage *usage)
{
	*usage = (struct mmbox_memmap_usage){};
	box->memmap.model->usage(box, usage);
}
MMBOX_EXPORT_INTERNAL(mmbox_memmap_usage);

/* ---- the boot, step by step ---- */

/* Sections that are treated one after the other are one step for the reader. */
static bool extends(const struct mmbox_boot_step *last, const struct mmbox_boot_step *step)
{
	return (step->what == MMBOX_BOOT_POPULATE || step->what == MMBOX_BOOT_INIT_ONE) &&
	       last->what == step->what && last->nid == step->nid && last->end == step->start;
}

/**
 * mmbox_boot_note_zone() - note a step of the boot that is about a zone
 * @box: the box; without a log nothing happens
 * @what: the step
 * @nid: node, or NUMA_NO_NODE
 * @idx: zone of that node, or -1
 * @start: first of what it is about
 * @end: first beyond
 * @bytes: taken, given, or found
 *
 * Context: while the box boots.
 */
void mmbox_boot_note_zone(struct mmbox *box, enum mmbox_boot_what what, int nid,
			  int idx, unsigned long start, unsigned long end, u64 bytes)
{
	struct mmbox_boot_log *log = box->memmap.boot;
	const struct mmbox_boot_step step = {
		.what = what, .nid = nid, .idx = idx, .start = start, .end = end,
		.bytes = bytes, .ns = log ? ktime_get_ns() - log->start_ns : 0,
	};
	unsigned int back;

	if (!log)
		return;
	/* Populating and noting a section alternate. */
	for (back = 1; back <= 2 && back <= log->nr; back++) {
		struct mmbox_boot_step *last = &log->steps[log->nr - back];

		if (!extends(last, &step))
			continue;
		last->end = end;
		last->bytes += bytes;
		last->ns = step.ns;
		return;
	}
	if (log->nr == MMBOX_BOOT_STEPS)
		log->nr_lost++;
	else
		log->steps[log->nr++] = step;
}

/**
 * mmbox_boot_note() - note a step of the boot
 * @box: the box; without a log nothing happens
 * @what: the step
 * @nid: node, or NUMA_NO_NODE
 * @start: first of what it is about
 * @end: first beyond
 * @bytes: taken, given, or found
 *
 * Context: while the box boots.
 */
void mmbox_boot_note(struct mmbox *box, enum mmbox_boot_what what, int nid,
		     unsigned long start, unsigned long end, u64 bytes)
{
	mmbox_boot_note_zone(box, what, nid, -1, start, end, bytes);
}
