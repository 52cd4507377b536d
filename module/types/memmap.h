/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory models: how to find the descriptor of a page frame number, and back.
 *
 * flat and sparse-vmemmap have all descriptors in one array, box->memmap.map. The
 * other models leave it NULL, and memmap.h branches on the model.
 */
#ifndef _MMBOX_TYPES_MEMMAP_H
#define _MMBOX_TYPES_MEMMAP_H

#include <linux/bits.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct mmbox;
struct mmbox_page;

enum mmbox_memory_model {
	MMBOX_FLAT,		/* one mem_map for all nodes, holes included */
	MMBOX_DISCONTIG,	/* one node_mem_map for each node */
	MMBOX_SPARSE_STATIC,	/* one map for each section, one array of sections */
	MMBOX_SPARSE_EXTREME,	/* sections in two levels, the second on demand */
	MMBOX_SPARSE_VMEMMAP,	/* the maps of all sections are virtually contiguous */
	MMBOX_NR_MODELS,
};

/* ---- sections ---- */

/* Low bits of section_mem_map, as in the kernel. */
#define MMBOX_SECTION_MARKED_PRESENT	BIT(0)	/* has memory, or memory can be added */
#define MMBOX_SECTION_HAS_MEM_MAP	BIT(1)	/* has memory, and its map is valid */
#define MMBOX_SECTION_IS_ONLINE		BIT(2)
#define MMBOX_SECTION_IS_EARLY		BIT(3)	/* its memory is part of the region */
#define MMBOX_SECTION_MAP_LAST_BIT	BIT(4)
#define MMBOX_SECTION_MAP_MASK		(~(MMBOX_SECTION_MAP_LAST_BIT - 1))
#define MMBOX_SECTION_NID_SHIFT		4	/* bits from here: node, until the map is set */

/* The part of a section that is about its pageblocks. */
struct mmbox_mem_section_usage {
	/* While a pageblock is isolated: the migrate type that it had before. */
	DECLARE_FLEX_ARRAY(u8, pageblock_flags);
};

struct mmbox_mem_section {
	unsigned long section_mem_map;	/* map less the section's first pfn, plus flag bits */
	struct mmbox_mem_section_usage *usage;
};

#define MMBOX_SECTIONS_PER_ROOT	(PAGE_SIZE / sizeof(struct mmbox_mem_section))

struct mmbox_sparse {
	struct mmbox_mem_section *sections;	/* sparse-static: all sections; else NULL */
	struct mmbox_mem_section **roots;	/* MMBOX_SECTIONS_PER_ROOT sections each, or NULL */
	u32 *map_section;		/* by offset in region: section of the map there, plus 1 */
	unsigned int map_shift;		/* log2 of the size of a section's map, bytes */
	phys_addr_t buf;		/* sparse_buffer: start of its unused part */
	phys_addr_t buf_end;		/* sparse_buffer: end */
	bool vmapped;			/* box->memmap.map was made by vmap() */
	unsigned long section_bytes;	/* allocated for arrays of mem_section */
	unsigned long table_bytes;	/* allocated for map_section[] */
	unsigned long usemap_bytes;	/* allocated for mem_section_usage */
	unsigned long map_bytes;	/* allocated for descriptors */
	unsigned long hole_bytes;	/* part of map_bytes: descriptors of holes */
	unsigned long address_bytes;	/* virtual addresses used, if vmapped */
	unsigned long nr_missing;	/* sections dropped for want of a map */
};

/* ---- the interface to a memory model ---- */

/* Memory that the box's memory model uses, in bytes. */
struct mmbox_memmap_usage {
	unsigned long descriptors;	/* all page descriptors */
	unsigned long holes;		/* part of them: descriptors of holes */
	unsigned long sections;		/* arrays of mem_section */
	unsigned long tables;		/* other lookup tables */
	unsigned long usemaps;		/* mem_section_usage */
	unsigned long addresses;	/* virtual addresses beside the region's own */
};

struct mmbox_memmap_model {
	/* Allocate all descriptors from memblock. 0 or -ENOMEM. */
	int (*init)(struct mmbox *box);
	/* Sparse models: allocate the array of sections, or its first level. 0 or -ENOMEM. */
	int (*alloc_sections)(struct mmbox *box);
	/* Allocate the second level for a section. 0 or -ENOMEM. NULL: there is one level. */
	int (*index_init)(struct mmbox *box, unsigned long nr, int nid);
	/* Make the maps of all sections contiguous. 0 or -ENOMEM. NULL: they stay apart. */
	int (*populate)(struct mmbox *box);
	/* Undo what init() got from the host, even if it failed. NULL: nothing to undo. */
	void (*exit)(struct mmbox *box);
	/* Has this page frame a page? Called for page frames below max_pfn only. */
	bool (*pfn_valid)(const struct mmbox *box, unsigned long pfn);
	/* Is this the descriptor of an existing page? Any pointer may be passed. */
	bool (*page_valid)(const struct mmbox *box, const struct mmbox_page *page);
	/* Fill in how much memory the model uses. @usage is zeroed. */
	void (*usage)(const struct mmbox *box, struct mmbox_memmap_usage *usage);
};

/* ---- physmap ---- */

/*
 * Where the box's physical address space lies among kernel addresses: in one range, or
 * section by section. Each section is contiguous.
 */
struct mmbox_physmap {
	unsigned long va_base;		/* kernel address of physical address 0 */
	unsigned long va_size;		/* bytes; 0: not one range, use the tables below */
	unsigned long linear_size;	/* va_size if there is one memmap too, else 0 */
	bool nonlinear;			/* this box is counted in mmbox_nonlinear_key */
	unsigned long *va;		/* by section: its kernel address, 0: a hole */
	u32 *section;			/* by section of the region: number plus 1, 0: removed */
	unsigned long nr_region;	/* length of section[] */
	struct xarray hot;		/* by address / section size: number plus 1; added later */
};

/* ---- the boot log, for the file `boot` ---- */

enum mmbox_boot_what {
	MMBOX_BOOT_BANK,
	MMBOX_BOOT_HOT_BANK,
	MMBOX_BOOT_PHYSMAP,
	MMBOX_BOOT_NODE_MEM_MAP,
	MMBOX_BOOT_SECTIONS,
	MMBOX_BOOT_MEMBLOCKS_PRESENT,
	MMBOX_BOOT_FIRST_PRESENT,
	MMBOX_BOOT_INIT_NID,
	MMBOX_BOOT_USEMAPS,
	MMBOX_BOOT_BUFFER_INIT,
	MMBOX_BOOT_POPULATE,
	MMBOX_BOOT_INIT_ONE,
	MMBOX_BOOT_BUFFER_FINI,
	MMBOX_BOOT_FAILED,
	MMBOX_BOOT_VMEMMAP,
	MMBOX_BOOT_ZONE,
	MMBOX_BOOT_FREE,
	MMBOX_NR_BOOT_WHATS,
};

struct mmbox_boot_step {
	u8 what;			/* enum mmbox_boot_what */
	s8 nid;				/* node, or NUMA_NO_NODE */
	s8 idx;				/* index of the zone in the node, or -1 */
	unsigned long start;		/* first byte, section or page frame */
	unsigned long end;		/* first one beyond */
	u64 bytes;			/* bytes allocated, freed or found */
	u64 ns;				/* time since the boot began */
};

#define MMBOX_BOOT_STEPS	192

struct mmbox_boot_log {
	u64 start_ns;
	unsigned int nr;		/* steps in steps[] */
	unsigned int nr_lost;		/* steps not logged, because steps[] was full */
	struct mmbox_boot_step steps[MMBOX_BOOT_STEPS];
};

/* The memory model's part of struct mmbox: finds a descriptor by pfn. */
struct mmbox_memmap {
	struct mmbox_page *map;		/* descriptor of pfn 0, NULL: not one array */
	unsigned long map_size;		/* bytes, 0: not one array */
	unsigned int pfn_section_shift;	/* log2 of the pages in a section */
	unsigned int section_shift;	/* log2 of the bytes in a section */
	unsigned long max_pfn;		/* first pfn beyond the last bank, hot ones included */
	unsigned long nr_sections;	/* sections below max_pfn, holes included */
	const struct mmbox_memmap_model *model;
	u8 *discontig_nid;		/* model discontig: node by section number */
	struct mmbox_sparse sparse;	/* sparse models only */
	bool scattered;			/* this box is counted in mmbox_scattered_key */
	struct mmbox_boot_log *boot;	/* the boot log, or NULL */
};

#endif /* _MMBOX_TYPES_MEMMAP_H */
