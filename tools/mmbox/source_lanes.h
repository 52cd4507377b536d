/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Merges the records of all CPUs in order of time. A lane holds the next record of a CPU.
 * The earliest of all lanes is the next event.
 */
#ifndef MMBOX_SOURCE_LANES_H
#define MMBOX_SOURCE_LANES_H

#include "source.h"

struct lane {
	uint64_t ts;
	const void *data;	/* of the record, NULL: the CPU has no more */
	int size;		/* bytes */
};

struct lanes {
	struct lane *lanes;	/* by CPU */
	struct kmem_decoder *decoder;
	uint64_t nr_senseless;	/* invalid records of kmem events */
	/* puts the CPU's next record into its lane: 0, or -1 after a message */
	int (*fill)(struct kmem_source *source, unsigned int cpu);
};

/* Every lane from its start: 0, or -1. */
int lanes_start(struct kmem_source *source, struct lanes *lanes);
/* As kmem_source.next. */
int lanes_next(struct kmem_source *source, struct lanes *lanes,
	       struct kmem_event *event);

#endif /* MMBOX_SOURCE_LANES_H */
