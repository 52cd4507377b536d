// SPDX-License-Identifier: GPL-2.0
/*
 * mmbox replay: a trace through the box, or through the host's allocators.
 *
 * The file is read twice, first to check it and to see what it needs. Then each event
 * becomes an operation of the worker for its CPU (schedule.c). The summary has what the
 * kernel measures and counts.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "commands.h"
#include "device.h"
#include "schedule.h"
#include "util.h"

#define MAX_CPUS	CPU_SETSIZE
#define HOST_NODES	"/sys/devices/system/node"

struct replay {
	const char *path;
	const char *unit;
	const char *box;
	const char *then;		/* command to run before the session ends */
	enum mmbox_target target;
	bool json;
	bool strict;			/* fail if anything is missing, or the box is not fresh */
	struct trace_reader *reader;
	struct mmbox_info info;
	int fd;
	cpu_set_t cpus;			/* to replay on */
	unsigned int nr_cpus;

	/* of the file */
	struct trace_cache *caches;
	bool *cache_is_usable;
	uint32_t nr_caches;
	uint32_t nr_handles;
	uint64_t nr_events;
	uint64_t nr_lost;		/* as the recording says */
	uint64_t nr_gaps;
	unsigned int nr_recorded_cpus;	/* largest, plus one */
	bool has_node[TRACE_MAX_NODES];	/* by node: the target has it */
	bool *is_left_out;		/* by handle: the target has no such sizes */

	/* results */
	uint32_t nr_users;		/* that the box had before */
	struct schedule_sums sums;
	uint64_t by_op[TRACE_NR_OPS];	/* handed to the kernel */
	uint64_t nr_left_out;
	uint64_t nr_implicit;
	struct mmbox_stat stat;
	struct mmbox_checksum checksum;
	bool has_checksum;
};

/* False if the target cannot allocate such a thing. */
static bool fill_op(const struct replay *replay, const struct trace_event *event,
		    struct mmbox_op *op)
{
	*op = (struct mmbox_op){ .handle = event->handle };
	if (!trace_op_is_free(event->op)) {
		op->flags = event->gfp & MMBOX_GFP_ALL;
		op->nid = event->nid >= 0 && replay->has_node[event->nid] ?
			  event->nid : -1;
	}
	switch (event->op) {
	case TRACE_KMALLOC:
		op->code = MMBOX_OP_KMALLOC;
		op->size = event->size;
		return event->size <= replay->info.kmalloc_limit;
	case TRACE_KFREE:
		op->code = MMBOX_OP_KFREE;
		return true;
	case TRACE_CACHE_ALLOC:
		op->code = MMBOX_OP_CACHE_ALLOC;
		op->cache = event->cache;
		return replay->cache_is_usable[event->cache];
	case TRACE_CACHE_FREE:
		op->code = MMBOX_OP_CACHE_FREE;
		op->cache = event->cache;
		return true;
	case TRACE_PAGES_ALLOC:
		op->code = MMBOX_OP_PAGES_ALLOC;
		op->order = event->order;
		return event->order < replay->info.nr_orders;
	default:
		op->code = MMBOX_OP_PAGES_FREE;
		op->order = event->order;
		return true;
	}
}

static void give(struct replay *replay, struct schedule *schedule,
		 const struct trace_event *event, uint64_t number)
{
	bool is_free = trace_op_is_free(event->op);
	bool *is_left_out = &replay->is_left_out[event->handle];
	struct mmbox_op op;

	if (!is_free)
		*is_left_out = !fill_op(replay, event, &op);
	else
		fill_op(replay, event, &op);
	if (*is_left_out) {
		replay->nr_left_out++;
		return;
	}
	schedule_give(schedule, event->cpu % replay->nr_cpus, is_free, &op, number);
	replay->by_op[event->op]++;
	replay->nr_implicit += event->implicit;
}

/* The event is beyond the tables: the file has changed since the survey. */
static bool is_news(const struct replay *replay, const struct trace_event *event)
{
	return event->handle >= replay->nr_handles ||
	       (event->op == TRACE_CACHE_ALLOC && event->cache >= replay->nr_caches);
}

static int drive(struct replay *replay)
{
	struct schedule *schedule;
	struct trace_event event;
	uint64_t number = 0;
	int got = 0;

	schedule = schedule_create(replay->fd, &replay->cpus, replay->nr_handles);
	if (!schedule)
		return -1;
	while ((number % 4096 || !schedule_has_failed(schedule)) &&
	       (got = trace_read(replay->reader, &event)) > 0) {
		if (is_news(replay, &event)) {
			warn("%s was changed while it was read", replay->path);
			got = -1;
			break;
		}
		give(replay, schedule, &event, number++);
	}
	if (schedule_finish(schedule, &replay->sums) || got < 0)
		return -1;
	return 0;
}

/* ---- before and after ---- */

static uint64_t count_of(const struct trace_reader *reader, const char *key)
{
	const char *text = trace_texts_get(&reader->end, key);

	return text ? strtoull(text, NULL, 10) : 0;
}

/* Reads the whole file, so that a damaged one is refused before the replay begins. */
static int survey(struct replay *replay)
{
	struct trace_reader *reader = replay->reader;
	struct trace_event event;
	int got;

	while ((got = trace_read(reader, &event)) > 0)
		if (event.cpu >= replay->nr_recorded_cpus)
			replay->nr_recorded_cpus = event.cpu + 1;
	if (got)
		return -1;
	replay->nr_events = reader->nr_events;
	replay->nr_lost = count_of(reader, "lost");
	replay->nr_gaps = count_of(reader, "gaps");
	replay->nr_handles = reader->nr_handles;
	replay->nr_caches = reader->nr_caches;
	replay->caches = xmalloc(reader->nr_caches * sizeof(*replay->caches));
	if (reader->nr_caches)
		memcpy(replay->caches, reader->caches,
		       reader->nr_caches * sizeof(*replay->caches));
	if (replay->nr_handles > replay->info.nr_handles) {
		warn("%s: %" PRIu32 " things are allocated at a time; the module takes %u",
		     replay->path, replay->nr_handles, replay->info.nr_handles);
		return -1;
	}
	return trace_rewind(reader);
}

/* The least alignment that gives objects their recorded distance, or 0. */
static uint32_t guess_align(const struct trace_cache *cache)
{
	uint32_t align;

	for (align = 8; align <= 64; align *= 2)
		if ((cache->object_size + align - 1) / align * align == cache->size)
			return align;
	return 0;
}

static void create_caches(struct replay *replay)
{
	uint32_t i;

	replay->cache_is_usable = xzalloc(replay->nr_caches *
					  sizeof(*replay->cache_is_usable));
	for (i = 0; i < replay->nr_caches && i < replay->info.nr_caches; i++) {
		const struct trace_cache *cache = &replay->caches[i];
		struct mmbox_op op = {
			.code = MMBOX_OP_CACHE_CREATE,
			.cache = i,
			.size = cache->object_size < 8 ? 8 : cache->object_size,
			.align = guess_align(cache),
			.name = (uintptr_t)cache->name,
		};
		struct mmbox_batch arg = { .ops = (uintptr_t)&op, .nr = 1 };

		if (!ioctl(replay->fd, MMBOX_IOC_BATCH, &arg) && !arg.nr_failed)
			replay->cache_is_usable[i] = true;
		else
			warn("no cache %s with objects of %" PRIu32
			     " bytes: its operations are left out",
			     cache->name, cache->object_size);
	}
}

/* On the host only nodes that are online may be used. Their numbers may have gaps. */
static void find_nodes(struct replay *replay)
{
	unsigned int nid;

	for (nid = 0; nid < TRACE_MAX_NODES; nid++) {
		char *path;

		if (replay->target == MMBOX_TARGET_BOX) {
			replay->has_node[nid] = nid < replay->info.nr_nodes;
			continue;
		}
		path = xasprintf(HOST_NODES "/node%u", nid);
		replay->has_node[nid] = !access(path, F_OK);
		free(path);
	}
}

/* Chooses the first CPUs that this process may use, and keeps it on them. */
static void choose_cpus(struct replay *replay, unsigned int nr_wanted)
{
	unsigned int nr_asked = nr_wanted;
	cpu_set_t allowed;
	int cpu;

	if (!nr_wanted)
		nr_wanted = replay->nr_recorded_cpus ?: 1;
	CPU_ZERO(&replay->cpus);
	if (sched_getaffinity(0, sizeof(allowed), &allowed)) {
		CPU_ZERO(&allowed);
		CPU_SET(0, &allowed);
	}
	for (cpu = 0; cpu < MAX_CPUS && replay->nr_cpus < nr_wanted; cpu++) {
		if (!CPU_ISSET(cpu, &allowed))
			continue;
		CPU_SET(cpu, &replay->cpus);
		replay->nr_cpus++;
	}
	if (replay->nr_cpus < nr_asked)
		warn("--cpus %u: there are only %u, which are used", nr_asked, replay->nr_cpus);
	if (sched_setaffinity(0, sizeof(replay->cpus), &replay->cpus))
		warn_errno("cannot stay on the first %u CPUs", replay->nr_cpus);
}

static int replay_file(struct replay *replay, unsigned int nr_cpus)
{
	if (survey(replay))
		return -1;
	choose_cpus(replay, nr_cpus);
	replay->nr_users = replay->info.nr_users;
	if (ioctl(replay->fd, MMBOX_IOC_TARGET, replay->target) ||
	    ioctl(replay->fd, MMBOX_IOC_INFO, &replay->info)) {
		warn_errno("cannot choose what to replay on");
		return -1;
	}
	find_nodes(replay);
	create_caches(replay);
	replay->is_left_out = xzalloc(replay->nr_handles * sizeof(bool));
	if (drive(replay))
		return -1;
	if (ioctl(replay->fd, MMBOX_IOC_STAT, &replay->stat)) {
		warn_errno("cannot read the figures of the session");
		return -1;
	}
	if (replay->target == MMBOX_TARGET_BOX) {
		if (ioctl(replay->fd, MMBOX_IOC_CHECKSUM, &replay->checksum)) {
			warn_errno("cannot read the checksum of the box");
			return -1;
		}
		replay->has_checksum = true;
	}
	return 0;
}

/* ---- the summary ---- */

static const char *target_name(const struct replay *replay)
{
	return replay->target == MMBOX_TARGET_BOX ? "box" : "host";
}

static double per_op(const struct replay *replay)
{
	return replay->sums.nr_ops ? (double)replay->sums.ns / replay->sums.nr_ops : 0;
}

static void print_summary(const struct replay *replay)
{
	const struct mmbox_stat *stat = &replay->stat;
	unsigned int i;

	print_escaped(stdout, replay->path);
	printf(" on the %s", target_name(replay));
	if (replay->target == MMBOX_TARGET_BOX) {
		printf(" (");
		print_escaped(stdout, replay->box);
		printf(", %" PRIu64 " MiB)", (uint64_t)replay->info.box_size >> 20);
	}
	printf(", %u CPU%s\n", replay->nr_cpus, replay->nr_cpus > 1 ? "s" : "");
	if (replay->target == MMBOX_TARGET_BOX)
		printf("  used before          %12" PRIu32 "  %s\n", replay->nr_users,
		       replay->nr_users ? "sessions or modules: the box was not fresh" :
					  "times: the box was fresh");
	printf("  events in the file   %12" PRIu64 "\n", replay->nr_events);
	printf("  lost in recording    %12" PRIu64, replay->nr_lost);
	if (replay->nr_gaps)
		printf("  and an unknown number in %" PRIu64 " places", replay->nr_gaps);
	putchar('\n');
	for (i = 0; i < TRACE_NR_OPS; i++)
		printf("    %-18s %12" PRIu64 "\n", trace_op_names[i],
		       replay->by_op[i]);
	printf("  implicit frees       %12" PRIu64 "\n", replay->nr_implicit);
	printf("  left out             %12" PRIu64 "  the %s has no such sizes\n",
	       replay->nr_left_out, target_name(replay));
	printf("  no memory            %12" PRIu64, replay->sums.nr_failed);
	if (replay->sums.nr_failed)
		printf("  first at event %" PRIu64 "; %" PRIu64
		       " frees had nothing to free", replay->sums.first_failed,
		       replay->sums.nr_empty);
	printf("\n  time                 %12" PRIu64 "  %s, %.1f an operation\n",
	       replay->sums.ns, replay->unit, per_op(replay));
	printf("  slab pages           %12" PRId64 "  at the peak, %" PRId64
	       " at the end\n",
	       (int64_t)(stat->slab_pages_peak - stat->slab_pages_start),
	       (int64_t)(stat->slab_pages - stat->slab_pages_start));
	printf("  pages                %12" PRId64 "  at the peak, %" PRId64
	       " at the end\n",
	       (int64_t)(stat->pages_peak - stat->pages_start),
	       (int64_t)(stat->pages - stat->pages_start));
	if (replay->has_checksum)
		printf("  state of the box         %08x\n", replay->checksum.crc);
}

static void print_json_string(const char *text)
{
	putchar('"');
	while (*text) {
		size_t len = printable_len(text);

		if (*text == '"' || *text == '\\')
			putchar('\\');
		if (len)
			printf("%.*s", (int)len, text);
		else
			printf("\\u%04x", (unsigned char)*text);
		text += len ?: 1;
	}
	putchar('"');
}

static void print_json(const struct replay *replay)
{
	const struct mmbox_stat *stat = &replay->stat;
	unsigned int i;

	printf("{\n  \"file\": ");
	print_json_string(replay->path);
	printf(",\n  \"on\": \"%s\",\n  \"box\": ", target_name(replay));
	print_json_string(replay->box);
	printf(",\n  \"box_size\": %" PRIu64 ",\n", (uint64_t)replay->info.box_size);
	printf("  \"cpus\": %u,\n  \"events\": %" PRIu64 ",\n  \"operations\": %"
	       PRIu64 ",\n", replay->nr_cpus, replay->nr_events, replay->sums.nr_ops);
	if (replay->target == MMBOX_TARGET_BOX)
		printf("  \"used_before\": %" PRIu32 ",\n", replay->nr_users);
	printf("  \"lost\": %" PRIu64 ",\n  \"gaps\": %" PRIu64 ",\n", replay->nr_lost,
	       replay->nr_gaps);
	for (i = 0; i < TRACE_NR_OPS; i++)
		printf("  \"%s\": %" PRIu64 ",\n", trace_op_names[i],
		       replay->by_op[i]);
	printf("  \"implicit_frees\": %" PRIu64 ",\n", replay->nr_implicit);
	printf("  \"left_out\": %" PRIu64 ",\n", replay->nr_left_out);
	printf("  \"no_memory\": %" PRIu64 ",\n", replay->sums.nr_failed);
	if (replay->sums.nr_failed)
		printf("  \"first_no_memory_event\": %" PRIu64 ",\n",
		       replay->sums.first_failed);
	printf("  \"empty_frees\": %" PRIu64 ",\n", replay->sums.nr_empty);
	printf("  \"unit\": ");
	print_json_string(replay->unit);
	printf(",\n  \"time\": %" PRIu64 ",\n  \"time_per_operation\": %.3f,\n",
	       replay->sums.ns, per_op(replay));
	printf("  \"slab_pages_peak\": %" PRId64 ",\n  \"slab_pages_end\": %" PRId64 ",\n",
	       (int64_t)(stat->slab_pages_peak - stat->slab_pages_start),
	       (int64_t)(stat->slab_pages - stat->slab_pages_start));
	printf("  \"pages_peak\": %" PRId64 ",\n  \"pages_end\": %" PRId64,
	       (int64_t)(stat->pages_peak - stat->pages_start),
	       (int64_t)(stat->pages - stat->pages_start));
	if (replay->has_checksum)
		printf(",\n  \"checksum\": \"%08x\"", replay->checksum.crc);
	printf("\n}\n");
}

/* Tells by the exit status, for scripts, what the summary says as well. */
static int check_strict(const struct replay *replay)
{
	const struct {
		uint64_t nr;
		const char *what;
	} list[] = {
		{ replay->sums.nr_failed, "allocations had no memory" },
		{ replay->nr_left_out, "operations were left out, as there are no such sizes" },
		{ replay->nr_lost, "events were lost in recording" },
		{ replay->nr_gaps, "places in the recording lack an unknown number of events" },
		{ replay->target == MMBOX_TARGET_BOX ? replay->nr_users : 0,
		  "sessions or modules used the box before" },
	};
	int err = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(list); i++) {
		if (!list[i].nr)
			continue;
		warn("--strict: %" PRIu64 " %s", list[i].nr, list[i].what);
		err = -1;
	}
	return err;
}

enum { OPT_ON = 256, OPT_CPUS, OPT_JSON, OPT_BOX, OPT_UNIT, OPT_THEN, OPT_STRICT };

static unsigned int parse_options(struct replay *replay, int argc, char **argv)
{
	static const struct option options[] = {
		{ "on", required_argument, NULL, OPT_ON },
		{ "cpus", required_argument, NULL, OPT_CPUS },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "box", required_argument, NULL, OPT_BOX },
		{ "unit", required_argument, NULL, OPT_UNIT },
		{ "then", required_argument, NULL, OPT_THEN },
		{ "strict", no_argument, NULL, OPT_STRICT },
		{ NULL, 0, NULL, 0 },
	};
	long nr_cpus = 0;
	int opt;

	while ((opt = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (opt) {
		case OPT_ON:
			if (!strcmp(optarg, "host"))
				replay->target = MMBOX_TARGET_HOST;
			else if (strcmp(optarg, "box"))
				usage_error("--on %s: may be box or host", optarg);
			break;
		case OPT_CPUS:
			nr_cpus = parse_number(optarg, 1, MAX_CPUS);
			if (nr_cpus < 0)
				usage_error("--cpus %s: a number from 1 to %d is needed",
					    optarg, MAX_CPUS);
			break;
		case OPT_JSON:
			replay->json = true;
			break;
		case OPT_BOX:
			replay->box = optarg;
			break;
		case OPT_UNIT:
			replay->unit = optarg;
			break;
		case OPT_STRICT:
			replay->strict = true;
			break;
		case OPT_THEN:
			replay->then = optarg;
			break;
		default:
			bad_option(opt, argv);
		}
	}
	one_file(argc, argv, "trace file");
	replay->path = argv[optind];
	return nr_cpus;
}

/* Runs the user's command (--then) while the box still holds everything. */
static int run_then(const char *command)
{
	int status;

	fflush(stdout);
	status = system(command);
	if (status) {
		warn("the command after the replay failed: %s", command);
		return -1;
	}
	return 0;
}

int cmd_replay(int argc, char **argv)
{
	struct replay replay = {
		.box = "box0",
		.unit = "ns",
		.target = MMBOX_TARGET_BOX,
	};
	unsigned int nr_cpus = parse_options(&replay, argc, argv);
	int err = -1;

	replay.reader = trace_open(replay.path);
	if (!replay.reader)
		return EXIT_FAILURE;
	replay.fd = device_open(replay.box, &replay.info);
	if (replay.fd >= 0) {
		err = replay_file(&replay, nr_cpus);
		if (!err && replay.json)
			print_json(&replay);
		else if (!err)
			print_summary(&replay);
		if (!err && replay.then)
			err = run_then(replay.then);
		if (!err && replay.strict)
			err = check_strict(&replay);
		close(replay.fd);
	}
	free(replay.caches);
	free(replay.is_left_out);
	free(replay.cache_is_usable);
	trace_close(replay.reader);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
