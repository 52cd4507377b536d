// SPDX-License-Identifier: GPL-2.0
/*
 * The memory model of a box: choosing one, and what all models share.
 *
 * Each model has its own file and a struct mmbox_memmap_model. Converting
 * between page frame numbers and descriptors is not part of that structure,
 * because a call through a pointer would be too slow: memmap.h does it inline,
 * with a branch on the model.
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
 * mmbox_memmap_setup() - initialise box->memmap and box->physmap for boot
 * @box: a new box
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
 * mmbox_memmap_init() - set up the physmap and the memory model
 * @box: the box; its banks are in memblock
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
	/* Fast paths skip all tests only if addresses and descriptors are both linear. */
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
 * mmbox_memmap_exit() - undo mmbox_memmap_init(), even if it failed half-way
 * @box: the box; it has no users left
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
 * mmbox_page_valid() - check whether a pointer is a page descriptor of the box
 * @box: the box
 * @page: any pointer; it is not dereferenced
 *
 * Context: any.
 * Return: true if it is the descriptor of an existing page.
 */
bool mmbox_page_valid(const struct mmbox *box, const struct mmbox_page *page)
{
	return box->memmap.model->page_valid(box, page);
}
MMBOX_EXPORT_INTERNAL(mmbox_page_valid);

/**
 * mmbox_memmap_usage() - how much memory the memory model uses
 * @box: the box
 * @usage: out: bytes, by purpose
 *
 * Context: process.
 */
void mmbox_memmap_usage(const struct mmbox *box, struct mmbox_memmap_usage *usage)
{
	*usage = (struct mmbox_memmap_usage){};
	box->memmap.model->usage(box, usage);
}
MMBOX_EXPORT_INTERNAL(mmbox_memmap_usage);
