// SPDX-License-Identifier: GPL-2.0
/* Events from saved pages of the ring buffers. */
#include <stdlib.h>
#include <unistd.h>

#include <event-parse.h>
#include <kbuffer.h>

#include "source_lanes.h"
#include "source_raw.h"
#include "util.h"

struct raw_cpu {
	struct kbuffer *kbuf;
	void *subbuf;
	off_t offset;		/* in the file, of the next page */
	bool in_page;
};

struct raw_source {
	struct kmem_source source;
	struct lanes lanes;
	struct raw_cpu *cpus;
	const int *fds;
	unsigned int subbuf_size;
};

/* 1 if there was another page, 0 at the end, -1 after a message. */
static int next_page(struct raw_source *raw, unsigned int cpu)
{
	struct raw_cpu *this = &raw->cpus[cpu];
	ssize_t got = pread(raw->fds[cpu], this->subbuf, raw->subbuf_size,
			    this->offset);
	int missed;

	if (!got)
		return 0;
	if (got != (ssize_t)raw->subbuf_size) {
		warn_errno("cannot read back what was recorded");
		return -1;
	}
	this->offset += got;
	if (kbuffer_load_subbuffer(this->kbuf, this->subbuf)) {
		warn("the kernel's buffer page makes no sense");
		return -1;
	}
	missed = kbuffer_missed_events(this->kbuf);
	if (missed > 0 && !raw->source.lost_is_told)
		raw->source.nr_lost += missed;
	else if (missed < 0)
		raw->source.nr_gaps++;
	return 1;
}

static int fill(struct kmem_source *source, unsigned int cpu)
{
	struct raw_source *raw = (struct raw_source *)source;
	struct raw_cpu *this = &raw->cpus[cpu];
	struct lane *lane = &raw->lanes.lanes[cpu];
	unsigned long long ts;

	lane->data = NULL;
	for (;;) {
		if (this->in_page) {
			lane->data = kbuffer_next_event(this->kbuf, &ts);
		} else {
			int got = next_page(raw, cpu);

			if (got <= 0)
				return got;
			this->in_page = true;
			lane->data = kbuffer_read_event(this->kbuf, &ts);
		}
		if (lane->data)
			break;
		this->in_page = false;
	}
	lane->ts = ts;
	lane->size = kbuffer_event_size(this->kbuf);
	return 0;
}

static int start(struct kmem_source *source)
{
	struct raw_source *raw = (struct raw_source *)source;
	unsigned int cpu;

	if (!source->lost_is_told)
		source->nr_lost = 0;
	source->nr_gaps = 0;
	for (cpu = 0; cpu < source->nr_cpus; cpu++) {
		raw->cpus[cpu].offset = 0;
		raw->cpus[cpu].in_page = false;
	}
	return lanes_start(source, &raw->lanes);
}

static int next(struct kmem_source *source, struct kmem_event *event)
{
	return lanes_next(source, &((struct raw_source *)source)->lanes, event);
}

static void close_raw(struct kmem_source *source)
{
	struct raw_source *raw = (struct raw_source *)source;
	unsigned int cpu;

	for (cpu = 0; cpu < source->nr_cpus; cpu++) {
		kbuffer_free(raw->cpus[cpu].kbuf);
		free(raw->cpus[cpu].subbuf);
	}
	if (raw->lanes.decoder)
		decoder_destroy(raw->lanes.decoder);
	free(raw->cpus);
	free(raw->lanes.lanes);
	free(raw);
}

struct kmem_source *source_raw_open(struct tep_handle *tep, const int *fds,
				    unsigned int nr_cpus, unsigned int subbuf_size)
{
	struct raw_source *raw = xzalloc(sizeof(*raw));
	unsigned int cpu;

	raw->fds = fds;
	raw->subbuf_size = subbuf_size;
	raw->source.page_size = sysconf(_SC_PAGESIZE);
	raw->source.nr_cpus = nr_cpus;
	raw->source.next = next;
	raw->source.rewind = start;
	raw->source.close = close_raw;
	raw->cpus = xzalloc(nr_cpus * sizeof(*raw->cpus));
	raw->lanes.lanes = xzalloc(nr_cpus * sizeof(*raw->lanes.lanes));
	raw->lanes.fill = fill;
	for (cpu = 0; cpu < nr_cpus; cpu++) {
		raw->cpus[cpu].kbuf = kbuffer_alloc(KBUFFER_LSIZE_SAME_AS_HOST,
						    KBUFFER_ENDIAN_SAME_AS_HOST);
		raw->cpus[cpu].subbuf = xmalloc(subbuf_size);
		if (!raw->cpus[cpu].kbuf) {
			warn("out of memory");
			exit(EXIT_FAILURE);
		}
	}
	raw->lanes.decoder = decoder_create(tep);
	if (!raw->lanes.decoder || start(&raw->source)) {
		close_raw(&raw->source);
		return NULL;
	}
	return &raw->source;
}
