// SPDX-License-Identifier: GPL-2.0
/* The events in a trace.dat of trace-cmd, by its own library. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event-parse.h>
#include <event-utils.h>
#include <trace-cmd.h>

#include "source_lanes.h"
#include "trace.h"
#include "util.h"

#define PAGE_SIZE_MIN	4096U
#define PAGE_SIZE_MAX	(1U << 20)	/* no kernel has larger ones */
#define MESSAGES_MAX	20		/* of the libraries */

struct dat_source {
	struct kmem_source source;
	struct lanes lanes;
	struct tracecmd_input *file;	/* and its first buffer */
	struct tracecmd_input *input;	/* the buffer that is read */
	struct tep_record **records;	/* in the lanes */
	bool at_start;
};

/*
 * Replaces the libraries' function for messages. Theirs would print bytes of the file
 * unescaped, and without a limit.
 */
int tep_vprint(const char *name, enum tep_loglevel level, bool print_err,
	       const char *fmt, va_list ap)
{
	static unsigned int nr;
	char text[512];
	size_t len;

	if (level > TEP_LOG_WARNING || nr++ >= MESSAGES_MAX)
		return 0;
	vsnprintf(text, sizeof(text), fmt, ap);
	for (len = strlen(text); len && text[len - 1] == '\n'; len--)
		text[len - 1] = 0;
	if (print_err && errno)
		warn_errno("%s: %s", name, text);
	else
		warn("%s: %s", name, text);
	return 0;
}

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

static void free_records(struct dat_source *dat)
{
	unsigned int cpu;

	for (cpu = 0; cpu < dat->source.nr_cpus; cpu++) {
		if (dat->records[cpu])
			tracecmd_free_record(dat->records[cpu]);
		dat->records[cpu] = NULL;
	}
}

/* Makes this the buffer that is read. */
static void choose_buffer(struct dat_source *dat, struct tracecmd_input *input)
{
	free_records(dat);
	if (dat->input != dat->file && dat->input != input)
		tracecmd_close(dat->input);
	dat->input = input;
}

static void close_dat(struct kmem_source *source)
{
	struct dat_source *dat = (struct dat_source *)source;

	choose_buffer(dat, dat->file);
	if (dat->lanes.decoder)
		decoder_destroy(dat->lanes.decoder);
	tracecmd_close(dat->file);
	free(dat->records);
	free(dat->lanes.lanes);
	free(dat);
}

/* 1 if there is a kmem event in the buffer, 0 if not, -1 after a message. */
static int has_events(struct dat_source *dat)
{
	struct kmem_event event;

	return start(&dat->source) ? -1 : next(&dat->source, &event);
}

/*
 * A file has several buffers if it was recorded with -B. Only the first one with kmem
 * events is read: another might have the same events.
 */
static int find_buffer(struct dat_source *dat, const char *path)
{
	int i, nr = tracecmd_buffer_instances(dat->file);
	int got = nr > 0 ? has_events(dat) : 1;

	for (i = 0; !got && i < nr; i++) {
		struct tracecmd_input *input;

		input = tracecmd_buffer_instance_handle(dat->file, i);
		if (!input)
			continue;
		choose_buffer(dat, input);
		got = has_events(dat);
		if (got > 0)
			warn("%s: of its buffers, %s is read", path,
			     tracecmd_buffer_instance_name(dat->file, i));
	}
	return got < 0 ? -1 : start(&dat->source);
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
	return size >= PAGE_SIZE_MIN && size <= PAGE_SIZE_MAX && !(size & (size - 1)) ? size : 0;
}

static struct kmem_source *open_dat(const char *path, unsigned int page_size)
{
	struct tracecmd_input *input;
	struct dat_source *dat;
	struct tep_handle *tep;
	int nr_cpus;

	input = page_size ? tracecmd_open(path, TRACECMD_FL_LOAD_NO_PLUGINS) : NULL;
	if (!input) {
		warn("%s: not a trace.dat of trace-cmd, or damaged", path);
		return NULL;
	}
	tep = tracecmd_get_tep(input);
	nr_cpus = tep_get_cpus(tep);
	if (nr_cpus < 1 || nr_cpus > TRACE_MAX_CPUS) {
		warn("%s: recorded on %d CPUs; from 1 to %d can be told", path, nr_cpus,
		     TRACE_MAX_CPUS);
		tracecmd_close(input);
		return NULL;
	}
	dat = xzalloc(sizeof(*dat));
	dat->file = input;
	dat->input = input;
	dat->source.page_size = page_size;
	dat->source.nr_cpus = nr_cpus;
	dat->source.next = next;
	dat->source.rewind = start;
	dat->source.close = close_dat;
	dat->records = xzalloc(dat->source.nr_cpus * sizeof(*dat->records));
	dat->lanes.lanes = xzalloc(dat->source.nr_cpus * sizeof(*dat->lanes.lanes));
	dat->lanes.fill = fill;
	dat->lanes.decoder = decoder_create(tep);
	if (!dat->lanes.decoder || find_buffer(dat, path)) {
		close_dat(&dat->source);
		return NULL;
	}
	return &dat->source;
}

/* Runs in a child without stderr: read the whole file. */
static void try_all(const char *path, unsigned int page_size)
{
	struct rlimit no_core = { 0 };
	struct kmem_source *source;
	struct kmem_event event;

	setrlimit(RLIMIT_CORE, &no_core);
	if (!freopen("/dev/null", "w", stderr))
		_exit(EXIT_FAILURE);
	source = open_dat(path, page_size);
	while (source && source->next(source, &event) > 0)
		;
	if (source)
		source->close(source);
	_exit(EXIT_SUCCESS);
}

/*
 * A damaged file can crash trace-cmd's library (1.3.1 crashes if a file is cut short). So
 * a child reads the whole file first. True if the child does not crash.
 */
static bool library_bears(const char *path, unsigned int page_size)
{
	pid_t pid;
	int status;

	fflush(NULL);
	pid = fork();
	if (!pid)
		try_all(path, page_size);
	if (pid < 0) {
		warn_errno("cannot fork");
		return false;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
		return true;
	warn("%s: damaged: trace-cmd's library, which is to read it, crashes", path);
	return false;
}

struct kmem_source *source_dat_open(const char *path)
{
	unsigned int page_size;
	FILE *file;

	/* if it cannot be opened, errno says more than the library */
	file = fopen(path, "rb");
	if (!file) {
		warn_errno("cannot open %s", path);
		return NULL;
	}
	page_size = read_page_size(file);
	fclose(file);
	if (page_size && !library_bears(path, page_size))
		return NULL;
	return open_dat(path, page_size);
}
