// SPDX-License-Identifier: GPL-2.0
/*
 * A log of the steps of a box's boot, which the file `boot` shows.
 */
#include "memmap/memmap.h"

/**
 * mmbox_boot_log_init() - start the boot log
 * @box: the box
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int mmbox_boot_log_init(struct mmbox *box)
{
	struct mmbox_boot_log *log;

	log = mmbox_host_zalloc(&box->host, sizeof(*log), "the log of the boot");
	if (!log)
		return -ENOMEM;
	log->start_ns = mmbox_host_ns();
	box->memmap.boot = log;
	return 0;
}

/**
 * mmbox_boot_log_exit() - undo mmbox_boot_log_init(), if it was called
 * @box: the box
 *
 * Context: process, may sleep.
 */
void mmbox_boot_log_exit(struct mmbox *box)
{
	mmbox_host_free(&box->host, box->memmap.boot, sizeof(*box->memmap.boot));
	box->memmap.boot = NULL;
}

/* Show the same step of adjacent sections as one step. Is @step the next section of @last? */
static bool extends(const struct mmbox_boot_step *last, const struct mmbox_boot_step *step)
{
	return (step->what == MMBOX_BOOT_POPULATE || step->what == MMBOX_BOOT_INIT_ONE) &&
	       last->what == step->what && last->nid == step->nid && last->end == step->start;
}

/**
 * mmbox_boot_note_zone() - log a boot step that concerns a zone
 * @box: the box; does nothing if it has no boot log
 * @what: the step
 * @nid: node, or NUMA_NO_NODE
 * @idx: index of the zone in the node, or -1
 * @start: first byte, section or page frame, depending on @what
 * @end: first one beyond
 * @bytes: bytes that the step allocated, freed or found
 *
 * Context: while the box boots.
 */
void mmbox_boot_note_zone(struct mmbox *box, enum mmbox_boot_what what, int nid,
			  int idx, unsigned long start, unsigned long end, u64 bytes)
{
	struct mmbox_boot_log *log = box->memmap.boot;
	const struct mmbox_boot_step step = {
		.what = what, .nid = nid, .idx = idx, .start = start, .end = end,
		.bytes = bytes, .ns = log ? mmbox_host_ns() - log->start_ns : 0,
	};
	unsigned int back;

	if (!log)
		return;
	/* POPULATE and INIT_ONE alternate, so look at the last two steps. */
	for (back = 1; back <= 2 && back <= log->nr; back++) {
		struct mmbox_boot_step *last = &log->steps[log->nr - back];

		if (!extends(last, &step))
			continue;
		last->end = end;
		last->bytes += bytes;
		last->ns = step.ns;
		return;
	}
	if (log->nr == MMBOX_BOOT_STEPS)
		log->nr_lost++;
	else
		log->steps[log->nr++] = step;
}

/**
 * mmbox_boot_note() - log a boot step
 * @box: the box; does nothing if it has no boot log
 * @what: the step
 * @nid: node, or NUMA_NO_NODE
 * @start: first byte, section or page frame, depending on @what
 * @end: first one beyond
 * @bytes: bytes that the step allocated, freed or found
 *
 * Context: while the box boots.
 */
void mmbox_boot_note(struct mmbox *box, enum mmbox_boot_what what, int nid,
		     unsigned long start, unsigned long end, u64 bytes)
{
	mmbox_boot_note_zone(box, what, nid, -1, start, end, bytes);
}
