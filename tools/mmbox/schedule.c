// SPDX-License-Identifier: GPL-2.0
/*
 * Operations on their way to the kernel.
 *
 * A worker collects operations into batches and passes these to the kernel, which
 * measures the time: collecting, waiting and system calls do not count. A single worker
 * runs in the caller's thread, and uses the handles of the trace.
 *
 * If there are several workers, each has a thread on its own CPU. A CPU may free what
 * another has allocated, and must wait for that allocation. Workers wait for whole
 * batches: such a free is deferred to the start of the worker's next batch, and that
 * batch begins when the other workers have come far enough. A batch only waits for
 * batches that were queued before it was begun, so there is no deadlock. Handles are
 * assigned anew, so that no worker waits for an empty one: it reuses those that it
 * emptied itself, or that another worker emptied long ago.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "schedule.h"
#include "util.h"

#define BATCH_OPS	1024U
#define QUEUE_LEN	32U	/* batches handed out to a worker and not yet begun */

struct batch {
	struct mmbox_op ops[BATCH_OPS];
	uint64_t events[BATCH_OPS];	/* number of each in the trace */
	unsigned int nr;
	uint64_t wait_for[];		/* by worker: operations it must have done */
};

/* A free that waits for another worker's allocation. */
struct put_off {
	struct mmbox_op op;
	uint64_t event;
	unsigned int worker;
	uint64_t seq;
};

/* A handle of the kernel that is empty once an operation is done. */
struct empty_handle {
	uint32_t handle;
	uint64_t seq;			/* the worker's operation that empties it */
};

/* What a handle of the trace stands for. */
struct held {
	uint32_t handle;		/* of the kernel */
	unsigned int worker;		/* that allocated it, in its operation */
	uint64_t seq;
};

struct worker {
	struct schedule *schedule;
	unsigned int index;
	int cpu;
	pthread_t thread;
	struct batch *batch;		/* being filled */
	uint64_t nr_given;		/* operations, including those in @batch */

	struct put_off *put_off;
	size_t nr_put_off, put_off_room;
	struct empty_handle *empty;	/* a ring, oldest first */
	size_t empty_first, nr_empty, empty_room;

	uint64_t nr_done;		/* operations; read without the lock */

	/* schedule->lock */
	struct batch *queue[QUEUE_LEN];
	unsigned int queue_first, nr_queued;
	bool is_last;			/* nothing more comes */
};

struct schedule {
	int fd;
	unsigned int nr_workers;
	unsigned int nr_started;
	struct worker *workers;
	struct held *held;		/* by the trace's handle */
	uint32_t nr_handles;		/* of the kernel's in use so far */

	pthread_mutex_t lock;
	pthread_cond_t changed;		/* a queue, or a worker's nr_done */
	bool failed;			/* lock */
	struct schedule_sums sums;	/* lock */
};

/* ---- batches ---- */

static struct batch *batch_new(const struct schedule *schedule)
{
	struct batch *batch;
	size_t bytes = schedule->nr_workers * sizeof(batch->wait_for[0]);

	batch = xmalloc(sizeof(*batch) + bytes);
	batch->nr = 0;
	memset(batch->wait_for, 0, bytes);
	return batch;
}

/* Passes a batch to the kernel and adds up the results. */
static void carry_out(struct schedule *schedule, struct worker *worker,
		      const struct batch *batch)
{
	struct schedule_sums *sums = &schedule->sums;
	struct mmbox_batch arg = {
		.ops = (uintptr_t)batch->ops,
		.nr = batch->nr,
		.flags = MMBOX_BATCH_ALLOW_EMPTY,
	};
	int err = ioctl(schedule->fd, MMBOX_IOC_BATCH, &arg);

	if (err)
		warn_errno("the kernel stopped at event %" PRIu64,
			   batch->events[arg.nr_done < batch->nr ? arg.nr_done : 0]);
	pthread_mutex_lock(&schedule->lock);
	if (err)
		schedule->failed = true;
	if (arg.nr_failed) {
		uint64_t first = batch->events[arg.first_failed];

		if (!sums->nr_failed || first < sums->first_failed)
			sums->first_failed = first;
	}
	sums->ns += arg.ns;
	sums->nr_ops += arg.nr_done;
	sums->nr_failed += arg.nr_failed;
	sums->nr_empty += arg.nr_empty;
	__atomic_store_n(&worker->nr_done, worker->nr_done + batch->nr,
			 __ATOMIC_RELEASE);
	pthread_cond_broadcast(&schedule->changed);
	pthread_mutex_unlock(&schedule->lock);
}

static bool has_done(const struct worker *worker, uint64_t seq)
{
	return __atomic_load_n(&worker->nr_done, __ATOMIC_ACQUIRE) >= seq;
}

/* ---- a worker's thread ---- */

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		warn_errno("cannot stay on CPU %d", cpu);
}

static bool must_wait(const struct schedule *schedule, const struct batch *batch)
{
	unsigned int i;

	for (i = 0; i < schedule->nr_workers; i++)
		if (!has_done(&schedule->workers[i], batch->wait_for[i]))
			return true;
	return false;
}

/* Waits until the next batch may begin. NULL if there are no more. */
static struct batch *next_batch(struct schedule *schedule, struct worker *worker)
{
	struct batch *batch = NULL;

	pthread_mutex_lock(&schedule->lock);
	while (!schedule->failed && !worker->nr_queued && !worker->is_last)
		pthread_cond_wait(&schedule->changed, &schedule->lock);
	if (!schedule->failed && worker->nr_queued) {
		batch = worker->queue[worker->queue_first];
		worker->queue_first = (worker->queue_first + 1) % QUEUE_LEN;
		worker->nr_queued--;
		pthread_cond_broadcast(&schedule->changed);
		while (!schedule->failed && must_wait(schedule, batch))
			pthread_cond_wait(&schedule->changed, &schedule->lock);
	}
	pthread_mutex_unlock(&schedule->lock);
	return batch;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct batch *batch;

	stay_on(worker->cpu);
	while ((batch = next_batch(worker->schedule, worker))) {
		if (!schedule_has_failed(worker->schedule))
			carry_out(worker->schedule, worker, batch);
		free(batch);
	}
	return NULL;
}

/* ---- handles ---- */

static void put_empty(struct worker *worker, uint32_t handle, uint64_t seq)
{
	if (worker->nr_empty == worker->empty_room) {
		size_t room = worker->empty_room * 2 + 256, i;
		struct empty_handle *ring = xmalloc(room * sizeof(*ring));

		for (i = 0; i < worker->nr_empty; i++)
			ring[i] = worker->empty[(worker->empty_first + i) %
						worker->empty_room];
		free(worker->empty);
		worker->empty = ring;
		worker->empty_first = 0;
		worker->empty_room = room;
	}
	worker->empty[(worker->empty_first + worker->nr_empty++) %
		      worker->empty_room] = (struct empty_handle){ handle, seq };
}

static struct worker *richest(const struct schedule *schedule)
{
	struct worker *best = &schedule->workers[0];
	unsigned int i;

	for (i = 1; i < schedule->nr_workers; i++)
		if (schedule->workers[i].nr_empty > best->nr_empty)
			best = &schedule->workers[i];
	return best;
}

static uint32_t take_empty(struct schedule *schedule, struct worker *worker)
{
	struct worker *other;

	/* the one it emptied last: its own operations are in order */
	if (worker->nr_empty)
		return worker->empty[(worker->empty_first + --worker->nr_empty) %
				     worker->empty_room].handle;
	other = richest(schedule);
	if (other->nr_empty &&
	    has_done(other, other->empty[other->empty_first].seq)) {
		uint32_t handle = other->empty[other->empty_first].handle;

		other->empty_first = (other->empty_first + 1) % other->empty_room;
		other->nr_empty--;
		return handle;
	}
	return schedule->nr_handles++;
}

/* ---- filling batches ---- */

static void hand_out(struct schedule *schedule, struct worker *worker);

static void append(struct worker *worker, const struct mmbox_op *op, uint64_t event)
{
	struct batch *batch = worker->batch;

	batch->ops[batch->nr] = *op;
	batch->events[batch->nr] = event;
	batch->nr++;
	worker->nr_given++;
}

/* Begins a batch with as many deferred frees as fit. */
static void begin_batch(struct schedule *schedule, struct worker *worker)
{
	size_t nr = worker->nr_put_off < BATCH_OPS / 2 ? worker->nr_put_off :
							 BATCH_OPS / 2;
	size_t i;

	worker->batch = batch_new(schedule);
	for (i = 0; i < nr; i++) {
		struct put_off *put_off = &worker->put_off[i];
		struct worker *other = &schedule->workers[put_off->worker];

		if (put_off->seq > other->nr_given - other->batch->nr)
			hand_out(schedule, other);
		if (worker->batch->wait_for[other->index] < put_off->seq)
			worker->batch->wait_for[other->index] = put_off->seq;
		append(worker, &put_off->op, put_off->event);
		put_empty(worker, put_off->op.handle, worker->nr_given);
	}
	worker->nr_put_off -= nr;
	if (worker->nr_put_off)
		memmove(worker->put_off, worker->put_off + nr,
			worker->nr_put_off * sizeof(*worker->put_off));
}

/* Queues the batch for the worker's thread. A single worker carries it out now. */
static void hand_out(struct schedule *schedule, struct worker *worker)
{
	struct batch *batch = worker->batch;

	if (schedule->nr_workers == 1) {
		if (batch->nr && !schedule_has_failed(schedule))
			carry_out(schedule, worker, batch);
		batch->nr = 0;
		return;
	}
	pthread_mutex_lock(&schedule->lock);
	while (!schedule->failed && worker->nr_queued == QUEUE_LEN)
		pthread_cond_wait(&schedule->changed, &schedule->lock);
	if (schedule->failed) {
		free(batch);
	} else {
		worker->queue[(worker->queue_first + worker->nr_queued++) %
			      QUEUE_LEN] = batch;
		pthread_cond_broadcast(&schedule->changed);
	}
	pthread_mutex_unlock(&schedule->lock);
	begin_batch(schedule, worker);
}

static void give_alloc(struct schedule *schedule, struct worker *worker,
		       struct mmbox_op *op, uint64_t event)
{
	struct held *held = &schedule->held[op->handle];

	op->handle = take_empty(schedule, worker);
	append(worker, op, event);
	*held = (struct held){ op->handle, worker->index, worker->nr_given };
}

static void give_free(struct schedule *schedule, struct worker *worker,
		      struct mmbox_op *op, uint64_t event)
{
	const struct held *held = &schedule->held[op->handle];

	op->handle = held->handle;
	if (held->worker == worker->index ||
	    has_done(&schedule->workers[held->worker], held->seq)) {
		append(worker, op, event);
		put_empty(worker, op->handle, worker->nr_given);
		return;
	}
	if (worker->nr_put_off == worker->put_off_room) {
		worker->put_off_room = worker->put_off_room * 2 + 256;
		worker->put_off = xrealloc(worker->put_off, worker->put_off_room *
					   sizeof(*worker->put_off));
	}
	worker->put_off[worker->nr_put_off++] =
		(struct put_off){ *op, event, held->worker, held->seq };
}

void schedule_give(struct schedule *schedule, unsigned int index, bool is_free,
		   const struct mmbox_op *op, uint64_t event_number)
{
	struct worker *worker = &schedule->workers[index];
	struct mmbox_op own = *op;

	if (schedule->nr_workers == 1)
		append(worker, op, event_number);
	else if (is_free)
		give_free(schedule, worker, &own, event_number);
	else
		give_alloc(schedule, worker, &own, event_number);
	if (worker->batch->nr == BATCH_OPS)
		hand_out(schedule, worker);
}

bool schedule_has_failed(struct schedule *schedule)
{
	bool failed;

	pthread_mutex_lock(&schedule->lock);
	failed = schedule->failed;
	pthread_mutex_unlock(&schedule->lock);
	return failed;
}

/* ---- begin and end ---- */

static bool anything_left(const struct schedule *schedule)
{
	unsigned int i;

	for (i = 0; i < schedule->nr_workers; i++)
		if (schedule->workers[i].batch->nr || schedule->workers[i].nr_put_off)
			return true;
	return false;
}

int schedule_finish(struct schedule *schedule, struct schedule_sums *sums)
{
	unsigned int i;
	int err;

	while (anything_left(schedule))
		for (i = 0; i < schedule->nr_workers; i++)
			hand_out(schedule, &schedule->workers[i]);
	pthread_mutex_lock(&schedule->lock);
	for (i = 0; i < schedule->nr_workers; i++)
		schedule->workers[i].is_last = true;
	pthread_cond_broadcast(&schedule->changed);
	pthread_mutex_unlock(&schedule->lock);
	for (i = 0; i < schedule->nr_started; i++)
		pthread_join(schedule->workers[i].thread, NULL);

	*sums = schedule->sums;
	err = schedule->failed ? -1 : 0;
	for (i = 0; i < schedule->nr_workers; i++) {
		struct worker *worker = &schedule->workers[i];

		for (; worker->nr_queued; worker->nr_queued--) {
			free(worker->queue[worker->queue_first]);
			worker->queue_first = (worker->queue_first + 1) % QUEUE_LEN;
		}
		free(worker->batch);
		free(worker->put_off);
		free(worker->empty);
	}
	pthread_mutex_destroy(&schedule->lock);
	pthread_cond_destroy(&schedule->changed);
	free(schedule->workers);
	free(schedule->held);
	free(schedule);
	return err;
}

struct schedule *schedule_create(int fd, const cpu_set_t *cpus,
				 unsigned int nr_handles)
{
	struct schedule *schedule = xzalloc(sizeof(*schedule));
	unsigned int i;
	int cpu = -1;

	schedule->fd = fd;
	schedule->nr_workers = CPU_COUNT(cpus);
	schedule->workers = xzalloc(schedule->nr_workers *
				    sizeof(*schedule->workers));
	pthread_mutex_init(&schedule->lock, NULL);
	pthread_cond_init(&schedule->changed, NULL);
	for (i = 0; i < schedule->nr_workers; i++) {
		struct worker *worker = &schedule->workers[i];

		do
			cpu++;
		while (!CPU_ISSET(cpu, cpus));
		worker->schedule = schedule;
		worker->index = i;
		worker->cpu = cpu;
		worker->batch = batch_new(schedule);
	}
	if (schedule->nr_workers == 1)
		return schedule;

	schedule->held = xzalloc((nr_handles + 1ULL) * sizeof(*schedule->held));
	for (i = 0; i < schedule->nr_workers; i++) {
		struct worker *worker = &schedule->workers[i];
		struct schedule_sums sums;

		errno = pthread_create(&worker->thread, NULL, work, worker);
		if (errno) {
			warn_errno("cannot start a thread");
			schedule->failed = true;
			schedule_finish(schedule, &sums);
			return NULL;
		}
		schedule->nr_started++;
	}
	return schedule;
}
