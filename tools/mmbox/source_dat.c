// SPDX-License-Identifier: GPL-2.0
/* The events in a trace.dat of trace-cmd, by its own library. */
#include <stdlib.h>
#include <string.h>

#include <event-parse.h>
#include <trace-cmd.h>

#include "source_lanes.h"
#include "util.h"

struct dat_source {
	struct kmem_source source;
	struct lanes lanes;
	struct tracecmd_input *input;
	struct tep_record **records;	/* in the lanes */
	bool at_start;
};

static int fill(struct kmem_source *source, unsigned int cpu)
{
	struct dat_source *dat = (struct dat_source *)source;
	struct lane *lane = &dat->lanes.lanes[cpu];
	struct tep_record *record;

	if (dat->records[cpu])
		tracecmd_free_record(dat->records[cpu]);
	if (dat->at_start)
		record = tracecmd_read_cpu_first(dat->input, cpu);
	else
		record = tracecmd_read_data(dat->input, cpu);
	dat->records[cpu] = record;
	lane->data = NULL;
	if (!record)
		return 0;
	lane->ts = record->ts;
	lane->data = record->data;
	lane->size = record->size;
	if (record->missed_events > 0)
		source->nr_lost += record->missed_events;
	else if (record->missed_events < 0)
		source->nr_gaps++;
	return 0;
}

static int start(struct kmem_source *source)
{
	struct dat_source *dat = (struct dat_source *)source;
	int err;

	source->nr_lost = 0;
	source->nr_gaps = 0;
	dat->at_start = true;
	err = lanes_start(source, &dat->lanes);
	dat->at_start = false;
	return err;
}

static int next(struct kmem_source *source, struct kmem_event *event)
{
	return lanes_next(source, &((struct dat_source *)source)->lanes, event);
}

static void close_dat(struct kmem_source *source)
{
	struct dat_source *dat = (struct dat_source *)source;
	unsigned int cpu;

	for (cpu = 0; cpu < source->nr_cpus; cpu++)
		if (dat->records[cpu])
			tracecmd_free_record(dat->records[cpu]);
	if (dat->lanes.decoder)
		decoder_destroy(dat->lanes.decoder);
	tracecmd_close(dat->input);
	free(dat->records);
	free(dat->lanes.lanes);
	free(dat);
}

/*
 * The library does not tell the page size, but the file begins with it: magic,
 * "tracing", a version ending in 0, byte order, size of a long, page size.
 */
static unsigned int read_page_size(FILE *file)
{
	unsigned char head[32] = { 0 };
	const unsigned char *end;
	uint32_t size;

	if (fread(head, 1, sizeof(head), file) < sizeof(head) ||
	    memcmp(head, "\x17\x08\x44tracing", 10))
		return 0;
	end = memchr(head + 10, 0, 8);
	if (!end)
		return 0;
	memcpy(&size, end + 3, sizeof(size));
	return size && !(size & (size - 1)) ? size : 0;
}

struct kmem_source *source_dat_open(const char *path)
{
	unsigned int page_size;
	struct tracecmd_input *input;
	struct dat_source *dat;
	struct tep_handle *tep;
	FILE *file;

	/* what cannot be opened is better told by errno than by the library */
	file = fopen(path, "rb");
	if (!file) {
		warn_errno("cannot open %s", path);
		return NULL;
	}
	page_size = read_page_size(file);
	fclose(file);
	input = page_size ? tracecmd_open(path, TRACECMD_FL_LOAD_NO_PLUGINS) : NULL;
	if (!input) {
		warn("%s: not a trace.dat of trace-cmd, or damaged", path);
		return NULL;
	}
	dat = xzalloc(sizeof(*dat));
	dat->input = input;
	tep = tracecmd_get_tep(input);
	dat->source.page_size = page_size;
	dat->source.nr_cpus = tep_get_cpus(tep);
	dat->source.next = next;
	dat->source.rewind = start;
	dat->source.close = close_dat;
	dat->records = xzalloc(dat->source.nr_cpus * sizeof(*dat->records));
	dat->lanes.lanes = xzalloc(dat->source.nr_cpus * sizeof(*dat->lanes.lanes));
	dat->lanes.fill = fill;
	dat->lanes.decoder = decoder_create(tep);
	if (!dat->lanes.decoder || start(&dat->source)) {
		close_dat(&dat->source);
		return NULL;
	}
	return &dat->source;
}
