/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The boot allocator: which physical ranges are memory, and which of them are reserved.
 * It is in charge until what is not reserved has been freed to the buddy allocator.
 */
#ifndef _MMBOX_TYPES_MEMBLOCK_H
#define _MMBOX_TYPES_MEMBLOCK_H

#include <linux/types.h>

#define MMBOX_MEMBLOCK_REGIONS	64

struct mmbox_memblock_region {
	phys_addr_t base;	/* box physical address */
	phys_addr_t size;	/* bytes */
	int nid;		/* node */
	const char *name;	/* what it is used for, for iomem */
};

struct mmbox_memblock_type {
	unsigned int cnt;	/* ranges in regions[] */
	struct mmbox_memblock_region regions[MMBOX_MEMBLOCK_REGIONS];	/* sorted by base */
};

struct mmbox_memblock {
	struct mmbox_memblock_type memory;	/* banks */
	struct mmbox_memblock_type reserved;	/* allocated ranges; none overlap */
	bool bottom_up;				/* allocate the lowest address first */
	unsigned long nr_allocs;		/* allocations so far, failed ones included */
	unsigned long fail_nth;			/* number of the allocation to fail, 0: none */
	const char *missed;			/* last allocation that found no room, or NULL */
	unsigned long missed_bytes;		/* its size, bytes */
};

#define MMBOX_MEMBLOCK_NONE	((phys_addr_t)-1)

#endif /* _MMBOX_TYPES_MEMBLOCK_H */
