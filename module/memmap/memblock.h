/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The boot allocator of the box: which physical ranges are memory, and which
 * of them are taken. In charge from the first bank to the moment the buddy
 * allocator has been given what is left.
 */
#ifndef _MMBOX_MEMBLOCK_H
#define _MMBOX_MEMBLOCK_H

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
};

int mmbox_memblock_add(struct mmbox_memblock *mb, phys_addr_t base,
		       phys_addr_t size, int nid);
int mmbox_memblock_reserve(struct mmbox_memblock *mb, phys_addr_t base,
			   phys_addr_t size, const char *name);
phys_addr_t mmbox_memblock_phys_alloc(struct mmbox_memblock *mb,
				      phys_addr_t size, phys_addr_t align,
				      int nid, const char *name);
bool mmbox_memblock_should_fail(struct mmbox_memblock *mb);
void mmbox_memblock_free(struct mmbox_memblock *mb, phys_addr_t base,
			 phys_addr_t size);
void mmbox_memblock_remove(struct mmbox_memblock *mb, phys_addr_t base,
			   phys_addr_t size);
bool mmbox_memblock_next_free(const struct mmbox_memblock *mb, phys_addr_t *base,
			      phys_addr_t *end, int *nid);
unsigned long mmbox_memblock_end_pfn(const struct mmbox_memblock *mb);
unsigned long mmbox_memblock_pages(const struct mmbox_memblock *mb, int nid,
				   unsigned long start_pfn, unsigned long end_pfn);

#define MMBOX_MEMBLOCK_NONE	((phys_addr_t)-1)

#endif /* _MMBOX_MEMBLOCK_H */
