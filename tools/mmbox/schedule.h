/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Passes operations to the kernel: in order on one CPU, or on several CPUs, with each
 * allocation before its free.
 */
#ifndef MMBOX_SCHEDULE_H
#define MMBOX_SCHEDULE_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include <uapi/mmbox.h>

struct schedule;

/* Results of all operations. */
struct schedule_sums {
	uint64_t ns;		/* measured by the kernel */
	uint64_t nr_ops;	/* carried out */
	uint64_t nr_failed;	/* of those, failed for lack of memory */
	uint64_t first_failed;	/* number of the event, if any */
	uint64_t nr_empty;	/* frees with nothing to free, after a failure */
};

/*
 * One worker for each CPU of the set, bound to it. A single worker is the caller itself.
 * fd is the device, nr_handles the number in the trace. Returns NULL after a message.
 */
struct schedule *schedule_create(int fd, const cpu_set_t *cpus,
				 unsigned int nr_handles);
/*
 * Adds an operation for the worker of this index. op->handle is the trace's. Failures
 * are returned by schedule_finish().
 */
void schedule_give(struct schedule *schedule, unsigned int index, bool is_free,
		   const struct mmbox_op *op, uint64_t event_number);
bool schedule_has_failed(struct schedule *schedule);
/* Waits for all operations, and frees the schedule. 0, or -1 after a message. */
int schedule_finish(struct schedule *schedule, struct schedule_sums *sums);

#endif /* MMBOX_SCHEDULE_H */
