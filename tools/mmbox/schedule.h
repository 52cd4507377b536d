/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operations on their way to the kernel: in order on one CPU, or on several
 * with an allocation always before the free that goes with it.
 */
#ifndef MMBOX_SCHEDULE_H
#define MMBOX_SCHEDULE_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include <uapi/mmbox.h>

struct schedule;

/* What carrying out came to. */
struct schedule_sums {
	uint64_t ns;		/* as the kernel measured */
	uint64_t nr_ops;	/* carried out */
	uint64_t nr_failed;	/* of those, how many had no memory */
	uint64_t first_failed;	/* number of the event, if any */
	uint64_t nr_empty;	/* frees with nothing to free, after a failure */
};

/*
 * One worker for each CPU of the set, each staying on its CPU; a single one is
 * the caller itself. fd is the device, nr_handles those of the trace. NULL
 * having said why not.
 */
struct schedule *schedule_create(int fd, const cpu_set_t *cpus,
				 unsigned int nr_handles);
/*
 * The next operation, for the worker of this index; op->handle is the trace's.
 * Whatever goes wrong is kept for schedule_finish().
 */
void schedule_give(struct schedule *schedule, unsigned int index, bool is_free,
		   const struct mmbox_op *op, uint64_t event_number);
bool schedule_has_failed(struct schedule *schedule);
/* Waits for all of it; 0, or -1 having said why. Ends the schedule anyhow. */
int schedule_finish(struct schedule *schedule, struct schedule_sums *sums);

#endif /* MMBOX_SCHEDULE_H */
