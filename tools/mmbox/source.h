/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a kernel's kmem events come from: the ring buffers of the running
 * kernel as they were saved (source_raw.c), or a trace.dat (source_dat.c).
 */
#ifndef MMBOX_SOURCE_H
#define MMBOX_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

struct tep_handle;
struct tep_event;

enum kmem_kind {
	KMEM_KMALLOC,
	KMEM_KFREE,
	KMEM_CACHE_ALLOC,
	KMEM_CACHE_FREE,
	KMEM_PAGE_ALLOC,
	KMEM_PAGE_FREE,
};

/* An event of the kernel. */
struct kmem_event {
	uint64_t ts;		/* ns */
	enum kmem_kind kind;
	unsigned int cpu;
	uint64_t ptr;		/* of the object */
	uint64_t call_site;
	uint64_t bytes_req;
	uint64_t bytes_alloc;
	uint64_t pfn;
	unsigned int order;
	uint32_t gfp;		/* MMBOX_GFP_* */
	int node;		/* asked for, -1: any */
	const char *name;	/* of the cache, NULL: not in the event; valid until the next one */
};

#define KMEM_NO_PFN	UINT64_MAX	/* the allocation failed */
#define KMEM_MAX_PFN	(1ULL << 52)	/* no page frame has such a number */

struct kmem_source {
	unsigned int page_size;		/* bytes, of the kernel recorded */
	unsigned int nr_cpus;
	uint64_t nr_lost;		/* events known to be lost, so far */
	uint64_t nr_gaps;		/* places where an unknown number was lost */
	bool lost_is_told;		/* nr_lost is the kernel's own count */
	/* 1 and the next event in order of time; 0 at the end; -1 after a message */
	int (*next)(struct kmem_source *source, struct kmem_event *event);
	/* back to the first event: 0, or -1 after a message */
	int (*rewind)(struct kmem_source *source);
	void (*close)(struct kmem_source *source);
};

/* A trace.dat of trace-cmd. Returns NULL after a message. */
struct kmem_source *source_dat_open(const char *path);

/* ---- source_decode.c: what both kinds of source need ---- */

/* How to read the kmem events of one kernel. */
struct kmem_decoder;

/* Returns NULL after a message that says what is missing. */
struct kmem_decoder *decoder_create(struct tep_handle *tep);
void decoder_destroy(struct kmem_decoder *decoder);
/* 1: a kmem event; 0: another event; -1: an invalid kmem event. */
int decoder_decode(struct kmem_decoder *decoder, const void *data, int size,
		   struct kmem_event *event);
/* The kmem events that are read, also those of older kernels. Ended by NULL. */
extern const char *const kmem_event_names[];

#endif /* MMBOX_SOURCE_H */
