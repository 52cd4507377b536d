/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory models: how a page frame number leads to its descriptor and back.
 *
 * flat and sparse-vmemmap have all descriptors in one array, box->memmap.map; the
 * others leave it NULL and are asked through memmap.c.
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
	MMBOX_FLAT,		/* one node_mem_map over everything, holes included */
	MMBOX_DISCONTIG,	/* a node_mem_map a node */
	MMBOX_SPARSE_STATIC,	/* a map a section, one array of sections */
	MMBOX_SPARSE_EXTREME,	/* the same, in two levels, the second on demand */
	MMBOX_SPARSE_VMEMMAP,	/* maps of sections, virtually contiguous */
	MMBOX_NR_MODELS,
};

/* ---- sections ---- */

/* Low bits of section_mem_map, as in the kernel. */
#define MMBOX_SECTION_MARKED_PRESENT	BIT(0)	/* memory is there, or may come */
#define MMBOX_SECTION_HAS_MEM_MAP	BIT(1)
#define MMBOX_SECTION_IS_ONLINE		BIT(2)
#define MMBOX_SECTION_IS_EARLY		BIT(3)	/* its memory is the boot's */
#define MMBOX_SECTION_MAP_LAST_BIT	BIT(4)
#define MMBOX_SECTION_MAP_MASK		(~(MMBOX_SECTION_MAP_LAST_BIT - 1))
#define MMBOX_SECTION_NID_SHIFT		4	/* the node, until there is a map */

/* What a section keeps of its pageblocks. */
struct mmbox_mem_section_usage {
	/* What each pageblock is when it is not isolated, as long as it is. */
	DECLARE_FLEX_ARRAY(u8, pageblock_flags);
};

struct mmbox_mem_section {
	unsigned long section_mem_map;	/* map less the section's first pfn, and bits */
	struct mmbox_mem_section_usage *usage;
};

#define MMBOX_SECTIONS_PER_ROOT	(PAGE_SIZE / sizeof(struct mmbox_mem_section))

struct mmbox_sparse {
	struct mmbox_mem_section *sections;	/* sparse-static: all; else NULL */
	struct mmbox_mem_section **roots;	/* MMBOX_SECTIONS_PER_ROOT each, or NULL */
	u32 *map_section;		/* whose map an address of the region is, plus 1 */
	unsigned int map_shift;		/* log2 of the bytes of a section's map */
	phys_addr_t buf;		/* sparse_buffer: what is left of it */
	phys_addr_t buf_end;
	bool vmapped;			/* box->memmap is of vmap() */
	unsigned long section_bytes;	/* spent on arrays of sections */
	unsigned long table_bytes;	/* spent on map_section[] */
	unsigned long usemap_bytes;
	unsigned long map_bytes;	/* spent on descriptors */
	unsigned long hole_bytes;	/* of those, on what is no memory */
	unsigned long address_bytes;	/* of virtual addresses, if vmapped */
	unsigned long nr_missing;	/* sections that had to be left out */
};

/* ---- what a model is ---- */

/* Bytes that the running model takes. */
struct mmbox_memmap_usage {
	unsigned long descriptors;	/* in all */
	unsigned long holes;		/* of those, for page frames that are not there */
	unsigned long sections;		/* arrays of mem_section */
	unsigned long tables;		/* other tables that lead to a descriptor or back */
	unsigned long usemaps;		/* mem_section_usage */
	unsigned long addresses;	/* virtual ones, beyond the region's own */
};

struct mmbox_memmap_model {
	/* Sets up all descriptors, out of memblock. 0 or -ENOMEM. */
	int (*init)(struct mmbox *box);
	/* Sparse models: takes the array of sections, or its first level. 0 or -ENOMEM. */
	int (*alloc_sections)(struct mmbox *box);
	/* Gives a section its entry in the second level. 0 or -ENOMEM. NULL: there is one level. */
	int (*index_init)(struct mmbox *box, unsigned long nr, int nid);
	/* Brings the maps of all sections side by side. 0 or -ENOMEM. NULL: they stay apart. */
	int (*populate)(struct mmbox *box);
	/* Gives back what came from the host, also after a failed init(). NULL: nothing did. */
	void (*exit)(struct mmbox *box);
	/* Is there a page? Asked of page frames below max_pfn only. */
	bool (*pfn_valid)(const struct mmbox *box, unsigned long pfn);
	/* Is it the descriptor of a page that there is? */
	bool (*page_valid)(const struct mmbox *box, const struct mmbox_page *page);
	void (*usage)(const struct mmbox *box, struct mmbox_memmap_usage *usage);
};

/* ---- physmap ---- */

/*
 * Where the box's physical address space lies in the host's: in one range, or
 * section by section. Sections are then never cut.
 */
struct mmbox_physmap {
	unsigned long va_base;		/* kernel address of physical 0 */
	unsigned long va_size;		/* bytes, 0: not one range, see below */
	unsigned long linear_size;	/* va_size if there is one memmap too, else 0 */
	bool nonlinear;			/* counted in mmbox_nonlinear_key */
	unsigned long *va;		/* by section: its address, 0: not there */
	u32 *section;			/* by section of the region, plus 1; 0: given back */
	unsigned long nr_region;	/* length of section[] */
	struct xarray hot;		/* by address / section size: added later, plus 1 */
};

/* ---- boot as it happened, for the file of that name ---- */

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
	s8 nid;				/* node, or -1 */
	s8 idx;				/* zone, or -1 */
	unsigned long start;		/* first byte, section or page frame */
	unsigned long end;		/* first beyond */
	u64 bytes;			/* taken or given */
	u64 ns;				/* since the boot began */
};

#define MMBOX_BOOT_STEPS	192

struct mmbox_boot_log {
	u64 start_ns;
	unsigned int nr;		/* steps, never more than there is room for */
	unsigned int nr_lost;
	struct mmbox_boot_step steps[MMBOX_BOOT_STEPS];
};

/* struct mmbox_memmap: the share of struct mmbox that leads from pfn to descriptor */
struct mmbox_memmap {
	struct mmbox_page *map;		/* descriptor of pfn 0, NULL: not one array */
	unsigned long map_size;		/* bytes, 0 if not one array */
	unsigned int pfn_section_shift;	/* log2 of pages a section */
	unsigned int section_shift;	/* log2 of bytes a section */
	unsigned long max_pfn;		/* first pfn beyond the last */
	unsigned long nr_sections;	/* from 0 to the last that can be */
	const struct mmbox_memmap_model *model;
	u8 *discontig_nid;		/* model discontig: node by section */
	struct mmbox_sparse sparse;	/* sparse models */
	bool scattered;			/* counted in mmbox_scattered_key */
	struct mmbox_boot_log *boot;	/* how the boot went, or NULL */
};

#endif /* _MMBOX_TYPES_MEMMAP_H */
