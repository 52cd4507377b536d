/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of the host that a box holds: the region, and what else it asked for.
 */
#ifndef _MMBOX_TYPES_HOST_H
#define _MMBOX_TYPES_HOST_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/types.h>

struct mmbox_host {
	atomic_long_t nr_requests;	/* made so far */
	atomic_long_t bytes;		/* held now, the region not included */
	unsigned long fail_nth;		/* which request fails, 0: none */
};

/*
 * A per-CPU allocation. The handle is host memory, so that kmemleak finds the
 * pointer even where its user lives in the box.
 */
struct mmbox_host_percpu {
	void __percpu *ptr;
	size_t bytes;			/* over all CPUs */
	struct list_head list;		/* the owner's, or empty */
};

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

#endif /* _MMBOX_TYPES_HOST_H */
