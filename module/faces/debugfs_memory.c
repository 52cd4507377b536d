// SPDX-License-Identifier: GPL-2.0
/*
 * The files about the memory model: `boot` shows how it was set up, `memmap` what it
 * costs.
 */
#include <linux/math64.h>
#include <linux/pfn.h>
#include <linux/seq_file.h>

#include "faces/faces.h"
#include "faces/debugfs.h"

/* Unit of a step's start and end. */
enum unit { PHYS, SECTIONS, PFNS, NUMBER };

static const struct {
	const char *name;
	enum unit unit;
} whats[MMBOX_NR_BOOT_WHATS] = {
	[MMBOX_BOOT_BANK]		= { "bank", PHYS },
	[MMBOX_BOOT_HOT_BANK]		= { "hot bank", PHYS },
	[MMBOX_BOOT_PHYSMAP]		= { "physmap", SECTIONS },
	[MMBOX_BOOT_NODE_MEM_MAP]	= { "node_mem_map", PFNS },
	[MMBOX_BOOT_SECTIONS]		= { "mem_section", NUMBER },
	[MMBOX_BOOT_MEMBLOCKS_PRESENT]	= { "memblocks_present", SECTIONS },
	[MMBOX_BOOT_FIRST_PRESENT]	= { "first_present_section_nr", SECTIONS },
	[MMBOX_BOOT_INIT_NID]		= { "sparse_init_nid", SECTIONS },
	[MMBOX_BOOT_USEMAPS]		= { "sparse_early_usemaps_alloc", SECTIONS },
	[MMBOX_BOOT_BUFFER_INIT]	= { "sparse_buffer_init", PHYS },
	[MMBOX_BOOT_POPULATE]		= { "populate_section_memmap", SECTIONS },
	[MMBOX_BOOT_INIT_ONE]		= { "sparse_init_one_section", SECTIONS },
	[MMBOX_BOOT_BUFFER_FINI]	= { "sparse_buffer_fini", PHYS },
	[MMBOX_BOOT_FAILED]		= { "failed, not present", SECTIONS },
	[MMBOX_BOOT_VMEMMAP]		= { "vmemmap", PFNS },
	[MMBOX_BOOT_ZONE]		= { "zone", PFNS },
	[MMBOX_BOOT_FREE]		= { "memblock_free_all", PHYS },
};

static void boot_step(struct seq_file *m, const struct mmbox_boot_step *step)
{
	u32 ns;
	u64 us = div_u64_rem(step->ns, 1000, &ns);

	seq_printf(m, "[%6llu.%03u us] %s", us, ns, whats[step->what].name);
	if (step->idx >= 0)
		seq_printf(m, " %s", mmbox_zone_names[step->idx]);
	if (step->nid >= 0)
		seq_printf(m, " node %d", step->nid);
	switch (whats[step->what].unit) {
	case PHYS:
		if (step->start < step->end)
			seq_printf(m, " [mem %#010lx-%#010lx]", step->start, step->end - 1);
		break;
	case SECTIONS:
		seq_printf(m, " sections %lu-%lu", step->start, step->end - 1);
		break;
	case PFNS:
		seq_printf(m, " pfn %lu-%lu", step->start, step->end - 1);
		break;
	case NUMBER:
		seq_printf(m, " of %lu", step->end);
		break;
	}
	if (step->bytes)
		seq_printf(m, ", %llu bytes", step->bytes);
	seq_putc(m, '\n');
}

static void boot_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	const struct mmbox_boot_log *log = box->memmap.boot;
	unsigned int i;

	for (i = 0; i < log->nr; i++)
		boot_step(m, &log->steps[i]);
	if (log->nr_lost)
		seq_printf(m, "(%u steps more)\n", log->nr_lost);
}

/* Count sections with memory, online sections, and sections from boot. */
static void sections_show(struct seq_file *m, const struct mmbox *box)
{
	bool sparse = mmbox_model_is_sparse(box->cfg.model);
	unsigned long nr, valid = 0, online = 0, early = 0;

	for (nr = 0; nr < box->memmap.nr_sections; nr++) {
		if (mmbox_section_state(box, nr) == MMBOX_SECTION_ABSENT)
			continue;
		valid++;
		online += !sparse || mmbox_online_section(mmbox_nr_to_section(box, nr));
		early += !sparse || mmbox_early_section(mmbox_nr_to_section(box, nr));
	}
	mmbox_show_figures(m, (const struct mmbox_figure[]){
		{ "sections_with_memory", valid },
		{ "sections_online", online },
		{ "sections_early", early },
		{ }
	});
}

static void memmap_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	unsigned long present = 0;
	struct mmbox_memmap_usage usage;
	struct mmbox_zone *zone;

	mmbox_for_each_zone(box, zone)
		present += zone->present_pages;
	mmbox_memmap_usage(box, &usage);
	seq_printf(m, "model: %s\n", mmbox_model_names[box->cfg.model]);
	mmbox_show_figures(m, (const struct mmbox_figure[]){
		{ "section_size", box->cfg.section_size },
		{ "sections", box->memmap.nr_sections },
		{ }
	});
	sections_show(m, box);
	mmbox_show_figures(m, (const struct mmbox_figure[]){
		{ "sections_missing", box->memmap.sparse.nr_missing },
		{ "spanned_pages", box->memmap.max_pfn },
		{ "present_pages", present },
		{ "descriptor_size", sizeof(struct mmbox_page) },
		{ "descriptors", usage.descriptors },
		{ "descriptors_of_holes", usage.holes },
		{ "section_arrays", usage.sections },
		{ "tables", usage.tables },
		{ "usemaps", usage.usemaps },
		{ "virtual_addresses", usage.addresses },
		{ }
	});
	seq_printf(m, "physmap: %s\n", box->physmap.va_size ? "one range" : "by section");
}

const struct mmbox_face mmbox_memory_faces[] = {
	{ .name = "boot", .show = boot_show },
	{ .name = "memmap", .show = memmap_show },
	{ }
};
