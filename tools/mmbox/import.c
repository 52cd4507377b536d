// SPDX-License-Identifier: GPL-2.0
/* mmbox import: a trace.dat of trace-cmd becomes a trace file. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "commands.h"
#include "stop.h"
#include "util.h"

void print_counts(const char *path, const struct convert_counts *counts)
{
	uint64_t allocs = counts->kmalloc + counts->cache_alloc + counts->pages_alloc;
	uint64_t frees = counts->kfree + counts->cache_free + counts->pages_free;

	warn("%s: %" PRIu64 " events (%" PRIu64 " read): %" PRIu64 " allocations, %" PRIu64
	     " frees, %" PRIu64 " never freed", path, allocs + frees, counts->events_read,
	     allocs, frees, counts->live_at_end);
	if (counts->lost || counts->gaps)
		warn("LOST: %" PRIu64 " events, and an unknown number in %" PRIu64 " places",
		     counts->lost, counts->gaps);
	warn("concluded: %" PRIu64 " frees (address allocated again), %" PRIu64
	     " frees (page given back); cache of %" PRIu64
	     " allocations by call site, of %" PRIu64 " not known",
	     counts->implicit_frees, counts->page_gone_frees, counts->named_by_site,
	     counts->unnamed);
	warn("left out: %" PRIu64 " blocks of pages that the slab took for itself, %" PRIu64
	     " frees of objects and %" PRIu64 " of pages not seen allocated, %" PRIu64
	     " failed allocations", counts->slab_page_allocs, counts->unknown_frees,
	     counts->unknown_page_frees, counts->failed_allocs);
}

int cmd_import(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	struct trace_texts info = { 0 };
	struct convert_counts counts;
	struct kmem_source *source;
	const char *output = NULL;
	int opt, err;

	while ((opt = getopt_long(argc, argv, ":o:", options, NULL)) != -1) {
		if (opt != 'o')
			bad_option(opt, argv);
		output = optarg;
	}
	if (!output)
		usage_error("import: -o FILE is needed");
	one_file(argc, argv, "trace.dat");
	source = source_dat_open(argv[optind]);
	if (!source)
		return EXIT_FAILURE;
	trace_texts_add(&info, "source", "mmbox import %s", argv[optind]);
	trace_texts_add(&info, "cpus", "%u", source->nr_cpus);
	trace_texts_add(&info, "page_size", "%u", source->page_size);
	stop_put_off();
	err = convert(source, output, &info, &counts);
	if (!err)
		print_counts(output, &counts);
	source->close(source);
	bytes_free(&info.bytes);
	stop_end();
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
