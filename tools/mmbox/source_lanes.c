// SPDX-License-Identifier: GPL-2.0
/* Merges the records of all CPUs in order of time. */
#include "source_lanes.h"
#include "util.h"

int lanes_start(struct kmem_source *source, struct lanes *lanes)
{
	unsigned int cpu;

	lanes->nr_senseless = 0;
	for (cpu = 0; cpu < source->nr_cpus; cpu++)
		if (lanes->fill(source, cpu))
			return -1;
	return 0;
}

int lanes_next(struct kmem_source *source, struct lanes *lanes,
	       struct kmem_event *event)
{
	for (;;) {
		struct lane *first = NULL;
		unsigned int cpu;
		int got;

		for (cpu = 0; cpu < source->nr_cpus; cpu++) {
			struct lane *lane = &lanes->lanes[cpu];

			if (lane->data && (!first || lane->ts < first->ts))
				first = lane;
		}
		if (!first) {
			if (lanes->nr_senseless)
				warn("%llu records made no sense and were left out",
				     (unsigned long long)lanes->nr_senseless);
			return 0;
		}
		cpu = first - lanes->lanes;
		event->ts = first->ts;
		event->cpu = cpu;
		got = decoder_decode(lanes->decoder, first->data, first->size, event);
		if (lanes->fill(source, cpu))
			return -1;
		if (got > 0)
			return 1;
		if (got < 0)
			lanes->nr_senseless++;
	}
}
