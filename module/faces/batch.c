// SPDX-License-Identifier: GPL-2.0
/*
 * Batches of operations from user space, on the box or on the host.
 *
 * Records are copied in, checked and decoded one chunk at a time (batch_decode.c). Then
 * the clock starts, and the target carries out the chunk (target_box.c,
 * target_host.c). Caches are created and destroyed between chunks.
 *
 * Several threads may run batches of one session at once. The thread that sets a slot to
 * MMBOX_TAG_BUSY owns it. session->sem keeps the caches; it is never held across an
 * access to user space, which may block forever.
 */
#include <linux/ctype.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/sched/signal.h>
#include <linux/ktime.h>
#include <linux/uaccess.h>

#include "faces/batch.h"
#include "faces/faces.h"
#include "faces/target.h"

/* ---- control records: caches ---- */

/* Copy a name that slabinfo can show: printable ASCII, not empty, no blanks. */
static int copy_cache_name(char *name, u64 user)
{
	long len = strncpy_from_user(name, u64_to_user_ptr(user),
				     MMBOX_UAPI_NAME_LEN);
	long i;

	if (len < 0)
		return len;
	if (!len || len == MMBOX_UAPI_NAME_LEN)
		return -EINVAL;
	for (i = 0; i < len; i++)
		if (!isascii(name[i]) || !isgraph(name[i]))
			return -EINVAL;
	return 0;
}

/* Check a CACHE_CREATE record as far as that needs no lock; sets @name. */
static int check_cache(const struct mmbox_op *op, char *name)
{
	if (op->flags & ~MMBOX_CACHE_ALL || op->size < sizeof(void *) ||
	    op->size > MMBOX_OBJECT_MAX || op->align > PAGE_SIZE ||
	    (op->align && !is_power_of_2(op->align)))
		return -EINVAL;
	return copy_cache_name(name, op->name);
}

static int run_control(struct mmbox_batch_run *run, const struct mmbox_op *op,
		       struct mmbox_result *result, u64 *ns)
{
	struct mmbox_session *session = run->session;
	char name[MMBOX_UAPI_NAME_LEN];
	u64 start;
	int err = 0;

	*result = (struct mmbox_result){ .phys = MMBOX_PHYS_NONE };
	memset(&run->tally, 0, sizeof(run->tally));
	if (!mmbox_fields_valid(op))
		return -EINVAL;
	if (op->code == MMBOX_OP_CACHE_CREATE)
		err = check_cache(op, name);
	if (err)
		return err;
	/* Each may take long, and the semaphore checks for signals only if it has to wait. */
	if (fatal_signal_pending(current) || down_write_killable(&session->sem))
		return -EINTR;
	mmbox_session_note_use(session);
	start = ktime_get_ns();
	if (op->code == MMBOX_OP_CACHE_CREATE)
		err = mmbox_session_cache_create(session, op->cache, name, op->size,
						 op->align, op->flags);
	else if (op->code == MMBOX_OP_CACHE_DESTROY)
		err = mmbox_session_cache_destroy(session, op->cache);
	else
		err = mmbox_session_cache_shrink(session, op->cache);
	*ns = ktime_get_ns() - start;
	if (err == -ENOMEM) {
		result->error = err;
		run->tally.nr_failed = 1;
		err = 0;
	}
	if (run->latency)
		result->ns = min_t(u64, *ns, U32_MAX);
	if (!err) {
		run->tally.nr_ops = 1;
		mmbox_session_sample(session, &run->tally);
	}
	up_write(&session->sem);
	return err;
}

/* ---- a batch ---- */

/*
 * Carry out records up to the next control record. Returns 0, or a negative errno if
 * the batch ends after run->tally.nr_ops of them.
 */
static int run_data(struct mmbox_batch_run *run, const struct mmbox_op *ops,
		    unsigned int nr, u64 *ns)
{
	struct mmbox_session *session = run->session;
	const struct mmbox_target_ops *target;
	unsigned int done, order = 0;
	bool failed;
	gfp_t gfp = 0;
	u64 start;
	int err;

	memset(&run->tally, 0, sizeof(run->tally));
	/* As above: chunks may be short, so check for signals each time. */
	if (fatal_signal_pending(current) || down_read_killable(&session->sem))
		return -EINTR;
	target = session->target;
	run->room = target->begin(run->box);
	err = mmbox_decode_chunk(run, ops, nr);
	mmbox_session_note_use(session);
	run->chunk = ops;
	run->failed = NULL;
	mmbox_tally_begin(run);

	start = ktime_get_ns();
	done = run->want_results ? target->run_detailed(run) : target->run(run);
	*ns = ktime_get_ns() - start;

	mmbox_tally_end(run, done);
	target->end(run->box, run->room);
	failed = run->failed && target->failed_order;
	if (failed) {
		order = target->failed_order(run, run->failed);
		gfp = mmbox_decode_gfp(run, run->failed->flags) & ~__GFP_NOWARN;
	}
	up_read(&session->sem);
	/* Report the failure only now, so that printing is not timed. */
	if (failed)
		run->box->observer->alloc_failed(run->box, gfp, order);
	return done < run->nr_cmds ? -EINVAL : err;
}

static void add_up(struct mmbox_batch *batch, const struct mmbox_tally *tally,
		   u64 ns)
{
	if (tally->nr_failed && !batch->nr_failed)
		batch->first_failed = batch->nr_done + tally->first_failed;
	batch->nr_failed += tally->nr_failed;
	batch->nr_empty += tally->nr_empty;
	batch->nr_done += tally->nr_ops;
	batch->ns += ns;
}

static int run_chunk(struct mmbox_batch_run *run, struct mmbox_batch *batch,
		     unsigned int nr)
{
	unsigned int at = 0;
	int err = 0;

	while (at < nr && !err) {
		u64 ns = 0;

		if (mmbox_is_control(&run->ops[at]))
			err = run_control(run, &run->ops[at], &run->results[0], &ns);
		else
			err = run_data(run, &run->ops[at], nr - at, &ns);
		if (run->want_results &&
		    copy_to_user(u64_to_user_ptr(batch->results) +
				 batch->nr_done * sizeof(run->results[0]),
				 run->results,
				 run->tally.nr_ops * sizeof(run->results[0])))
			err = -EFAULT;
		at += run->tally.nr_ops;
		add_up(batch, &run->tally, ns);
	}
	return err;
}

/* Copy in the next @nr records. Returns how many could be copied. */
static unsigned int copy_records(struct mmbox_batch_run *run,
				 const struct mmbox_batch *batch, unsigned int nr)
{
	const size_t size = sizeof(run->ops[0]);
	size_t left = copy_from_user(run->ops, u64_to_user_ptr(batch->ops) +
				     batch->nr_done * size, nr * size);

	return nr - DIV_ROUND_UP(left, size);
}

static void free_run(struct mmbox_session *session, struct mmbox_batch_run *run)
{
	mmbox_host_free(&session->box->host, run, sizeof(*run));
}

/**
 * mmbox_batch_end() - free the buffer that a session keeps for its next batch
 * @session: the session; it runs no batch any more
 *
 * Context: process, may sleep.
 */
void mmbox_batch_end(struct mmbox_session *session)
{
	free_run(session, xchg(&session->spare_run, NULL));
}

/* Small batches are frequent and a run is large, so a session keeps one for reuse. */
static struct mmbox_batch_run *get_run(struct mmbox_session *session)
{
	struct mmbox_batch_run *run = xchg(&session->spare_run, NULL);

	return run ?: mmbox_host_zalloc(&session->box->host, sizeof(*run), "batch");
}

static void put_run(struct mmbox_session *session, struct mmbox_batch_run *run)
{
	free_run(session, xchg(&session->spare_run, run));
}

/**
 * mmbox_session_batch() - carry out a batch of operations
 * @session: the session
 * @batch: the program's request; its output fields are filled in
 *
 * Context: process, may sleep.
 * Return: 0 if all operations were carried out; -EINVAL at a bad record; -EFAULT at
 * unreadable records or results; -EINTR if killed; -ENOMEM without memory for handles.
 * @batch->nr_done is the number of operations carried out.
 */
int mmbox_session_batch(struct mmbox_session *session, struct mmbox_batch *batch)
{
	struct mmbox_batch_run *run;
	int err = 0;

	batch->nr_done = 0;
	batch->nr_failed = 0;
	batch->first_failed = 0;
	batch->nr_empty = 0;
	batch->ns = 0;
	if (batch->flags & ~MMBOX_BATCH_ALL ||
	    (batch->flags & MMBOX_BATCH_LATENCY && !batch->results))
		return -EINVAL;

	run = get_run(session);
	if (!run)
		return -ENOMEM;
	run->session = session;
	run->box = session->box;
	run->allow_empty = batch->flags & MMBOX_BATCH_ALLOW_EMPTY;
	run->latency = batch->flags & MMBOX_BATCH_LATENCY;
	run->want_results = batch->results;

	while (batch->nr_done < batch->nr && !err) {
		unsigned int nr = min(batch->nr - batch->nr_done, MMBOX_CHUNK);
		unsigned int there = copy_records(run, batch, nr);

		err = run_chunk(run, batch, there);
		if (there < nr)
			err = err ?: -EFAULT;
		if (fatal_signal_pending(current))
			err = err ?: -EINTR;
		cond_resched();
	}
	put_run(session, run);
	return err;
}
