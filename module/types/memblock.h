/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The boot allocator: which physical ranges are memory, and which of them are taken.
 * In charge from the first bank until the buddy allocator has been given the rest.
 */
#ifndef _MMBOX_TYPES_MEMBLOCK_H
#define _MMBOX_TYPES_MEMBLOCK_H

#include <linux/types.h>

#define MMBOX_MEMBLOCK_REGIONS	64

struct mmbox_memblock_region {
	phys_addr_t base;	/* box physical address */
	phys_addr_t size;	/* bytes */
	int nid;
	const char *name;	/* what reserved it, for iomem */
};

struct mmbox_memblock_type {
	unsigned int cnt;
	struct mmbox_memblock_region regions[MMBOX_MEMBLOCK_REGIONS];	/* by base */
};

struct mmbox_memblock {
	struct mmbox_memblock_type memory;	/* banks */
	struct mmbox_memblock_type reserved;	/* taken, never two overlapping */
	bool bottom_up;				/* allocate lowest address first */
	unsigned long nr_allocs;		/* asked for so far, those that failed too */
	unsigned long fail_nth;			/* which of them fails, 0: none */
	const char *missed;			/* what there was no room for last, or NULL */
	unsigned long missed_bytes;		/* of that */
};

#define MMBOX_MEMBLOCK_NONE	((phys_addr_t)-1)

#endif /* _MMBOX_TYPES_MEMBLOCK_H */
