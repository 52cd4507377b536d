/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The region: memory taken from the host kernel for a box, whole, and given
 * back whole.
 */
#ifndef _MMBOX_REGION_H
#define _MMBOX_REGION_H

#include <linux/types.h>

struct mmbox_host;
struct page;

enum mmbox_region_type {
	MMBOX_REGION_AUTO,	/* the first of the others that works */
	MMBOX_REGION_CONTIG,	/* alloc_contig_range() */
	MMBOX_REGION_PAGES,	/* one block of the host's page allocator */
	MMBOX_REGION_VMALLOC,	/* virtually contiguous */
	MMBOX_NR_REGION_TYPES,
};

struct mmbox_region {
	enum mmbox_region_type type;	/* which was used, never AUTO */
	void *addr;			/* host kernel address of the first byte */
	size_t size;			/* bytes */
	unsigned long host_pfn;		/* host's first pfn, if contiguous there */
	unsigned long nr_taken;		/* host pages taken */
	unsigned long nr_returned;	/* host pages given back */
	unsigned long *gone;		/* parts given back before the rest, NULL: none */
	size_t part;			/* bytes of such a part */
	u64 ns;				/* time the taking took */
};

extern const char *const mmbox_region_names[MMBOX_NR_REGION_TYPES];

int mmbox_region_take(struct mmbox_region *region, struct mmbox_host *host,
		      enum mmbox_region_type type, size_t size);
int mmbox_region_take_aligned(struct mmbox_region *region, struct mmbox_host *host, size_t size);
int mmbox_region_return_part(struct mmbox_region *region, struct mmbox_host *host,
			     size_t offset, size_t size);
void mmbox_region_return(struct mmbox_region *region, struct mmbox_host *host);

#endif /* _MMBOX_REGION_H */
