/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Host memory that a box holds: the region, and everything else it allocated.
 */
#ifndef _MMBOX_TYPES_HOST_H
#define _MMBOX_TYPES_HOST_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/types.h>

struct mmbox_host {
	atomic_long_t nr_requests;	/* requests so far */
	atomic_long_t bytes;		/* held now, without the region */
	unsigned long fail_nth;		/* number of the request to fail, 0: none */
};

/*
 * A per-CPU allocation. This handle is in host memory, so kmemleak finds the pointer
 * even if its user is in box memory, which kmemleak does not scan.
 */
struct mmbox_host_percpu {
	void __percpu *ptr;
	size_t bytes;			/* over all CPUs */
	struct list_head list;		/* for the owner's use */
};

enum mmbox_region_type {
	MMBOX_REGION_AUTO,	/* the first of the others that works */
	MMBOX_REGION_CONTIG,	/* alloc_contig_range() */
	MMBOX_REGION_PAGES,	/* one block of the host's page allocator */
	MMBOX_REGION_VMALLOC,	/* virtually contiguous */
	MMBOX_NR_REGION_TYPES,
};

struct mmbox_region {
	enum mmbox_region_type type;	/* the type that was used, never AUTO */
	void *addr;			/* host kernel address of the first byte */
	size_t size;			/* bytes */
	unsigned long host_pfn;		/* host's first pfn, if contiguous there */
	unsigned long nr_taken;		/* host pages taken */
	unsigned long nr_returned;	/* host pages given back */
	unsigned long *gone;		/* bitmap of parts already returned, NULL: none */
	size_t part;			/* bytes of one such part */
	u64 ns;				/* how long it took to get the region */
};

#endif /* _MMBOX_TYPES_HOST_H */
