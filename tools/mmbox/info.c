// SPDX-License-Identifier: GPL-2.0
/* mmbox info and mmbox dump: what is in a trace file, in short and in full. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <uapi/mmbox.h>

#include "commands.h"
#include "util.h"

static const struct {
	uint32_t gfp;
	const char *name;
} gfp_names[] = {
	{ MMBOX_GFP_DMA,		"DMA" },
	{ MMBOX_GFP_HIGHMEM,		"HIGHMEM" },
	{ MMBOX_GFP_DMA32,		"DMA32" },
	{ MMBOX_GFP_MOVABLE,		"MOVABLE" },
	{ MMBOX_GFP_RECLAIMABLE,	"RECLAIMABLE" },
	{ MMBOX_GFP_HIGH,		"HIGH" },
	{ MMBOX_GFP_IO,			"IO" },
	{ MMBOX_GFP_FS,			"FS" },
	{ MMBOX_GFP_ZERO,		"ZERO" },
	{ MMBOX_GFP_DIRECT_RECLAIM,	"DIRECT_RECLAIM" },
	{ MMBOX_GFP_KSWAPD_RECLAIM,	"KSWAPD_RECLAIM" },
	{ MMBOX_GFP_WRITE,		"WRITE" },
	{ MMBOX_GFP_NOWARN,		"NOWARN" },
	{ MMBOX_GFP_RETRY_MAYFAIL,	"RETRY_MAYFAIL" },
	{ MMBOX_GFP_NORETRY,		"NORETRY" },
	{ MMBOX_GFP_COMP,		"COMP" },
	{ MMBOX_GFP_NOMEMALLOC,		"NOMEMALLOC" },
	{ MMBOX_GFP_HARDWALL,		"HARDWALL" },
	{ MMBOX_GFP_THISNODE,		"THISNODE" },
};

static struct trace_reader *open_only(int argc, char **argv)
{
	static const struct option options[] = { { NULL, 0, NULL, 0 } };
	int opt = getopt_long(argc, argv, ":", options, NULL);
	struct trace_reader *reader;

	if (opt != -1)
		bad_option(opt, argv);
	one_file(argc, argv, "trace file");
	reader = trace_open(argv[optind]);
	if (!reader)
		exit(EXIT_FAILURE);
	return reader;
}

static void print_texts(const struct trace_texts *texts)
{
	const char *text = NULL;

	while ((text = trace_texts_next(texts, text))) {
		int len = strcspn(text, "=");

		printf("%-20.*s ", len, text);
		print_escaped(stdout, text + len + 1);
		putchar('\n');
	}
}

/* The most that is allocated at once. */
struct peaks {
	uint64_t live;
	uint64_t pages, peak_pages;
	uint64_t ts;
	uint64_t *by_cache;	/* allocations */
	uint64_t by_order[TRACE_MAX_ORDER + 1];
};

static int gather(struct trace_reader *reader, struct peaks *peaks)
{
	struct trace_event event;
	int got;

	peaks->by_cache = xzalloc(TRACE_MAX_CACHES * sizeof(*peaks->by_cache));
	while ((got = trace_read(reader, &event)) > 0) {
		peaks->ts = event.ts;
		if (reader->nr_live > peaks->live)
			peaks->live = reader->nr_live;
		if (event.op == TRACE_CACHE_ALLOC) {
			peaks->by_cache[event.cache]++;
		} else if (event.op == TRACE_PAGES_ALLOC) {
			peaks->by_order[event.order]++;
			peaks->pages += 1ULL << event.order;
		} else if (event.op == TRACE_PAGES_FREE) {
			peaks->pages -= 1ULL << event.order;
		}
		if (peaks->pages > peaks->peak_pages)
			peaks->peak_pages = peaks->pages;
	}
	return got;
}

int cmd_info(int argc, char **argv)
{
	struct trace_reader *reader = open_only(argc, argv);
	struct peaks peaks = { 0 };
	const char *clock;
	uint32_t i;
	int err;

	err = gather(reader, &peaks);
	if (!err) {
		print_texts(&reader->info);
		print_texts(&reader->end);
		clock = trace_texts_get(&reader->info, "clock");
		if (!clock || strcmp(clock, "counter"))
			printf("%-20s %.6f\n", "seconds", peaks.ts / 1e9);
		printf("%-20s %" PRIu64 "\n", "peak_live", peaks.live);
		printf("%-20s %" PRIu64 "\n", "peak_pages", peaks.peak_pages);
		for (i = 0; i <= TRACE_MAX_ORDER; i++)
			if (peaks.by_order[i])
				printf("order %-14" PRIu32 " %" PRIu64 " allocations\n",
				       i, peaks.by_order[i]);
		printf("%-31s %8s %8s %12s\n", "cache", "object", "size",
		       "allocations");
		for (i = 0; i < reader->nr_caches; i++)
			printf("%-31s %8" PRIu32 " %8" PRIu32 " %12" PRIu64 "\n",
			       reader->caches[i].name,
			       reader->caches[i].object_size,
			       reader->caches[i].size, peaks.by_cache[i]);
	}
	free(peaks.by_cache);
	trace_close(reader);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void print_gfp(uint32_t gfp)
{
	const char *before = " gfp=";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(gfp_names); i++) {
		if (!(gfp & gfp_names[i].gfp))
			continue;
		printf("%s%s", before, gfp_names[i].name);
		before = "|";
	}
}

static void print_event(const struct trace_reader *reader,
			const struct trace_event *event)
{
	printf("%5" PRIu64 ".%09" PRIu64 " [%03u] %-11s %8" PRIu32,
	       event->ts / 1000000000, event->ts % 1000000000, event->cpu,
	       trace_op_names[event->op], event->handle);
	if (event->op == TRACE_KMALLOC)
		printf(" size=%" PRIu64, event->size);
	else if (trace_op_kind(event->op) == trace_op_kind(TRACE_CACHE_ALLOC))
		printf(" cache=%s", reader->caches[event->cache].name);
	else if (trace_op_kind(event->op) == trace_op_kind(TRACE_PAGES_ALLOC))
		printf(" order=%" PRIu32, event->order);
	if (event->nid >= 0)
		printf(" node=%d", event->nid);
	print_gfp(event->gfp);
	puts(event->implicit ? " implicit" : "");
}

int cmd_dump(int argc, char **argv)
{
	struct trace_reader *reader = open_only(argc, argv);
	struct trace_event event;
	int got;

	while ((got = trace_read(reader, &event)) > 0 && !ferror(stdout))
		print_event(reader, &event);
	trace_close(reader);
	return got ? EXIT_FAILURE : EXIT_SUCCESS;
}
