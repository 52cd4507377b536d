// SPDX-License-Identifier: GPL-2.0
/*
 * The memory model of a box: which it is, and what all of them share.
 *
 * A model is a file of its own behind struct mmbox_memmap_model. What leads
 * from a page frame number to its descriptor and back is no part of that, as it
 * must not be called through a pointer: memmap.h does it inline, by a branch.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/xarray.h>

#include "memmap/memmap.h"

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
 * mmbox_memmap_setup() - give box->memmap and box->physmap what a boot begins with
 * @box: the box, new
 *
 * mmbox_memmap_exit() undoes it.
 *
 * Context: process.
 */
void mmbox_memmap_setup(struct mmbox *box)
{
	box->memmap.section_shift = ilog2(box->cfg.section_size);
	box->memmap.pfn_section_shift = box->memmap.section_shift - PAGE_SHIFT;
	xa_init(&box->physmap.hot);
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
