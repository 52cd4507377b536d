// SPDX-License-Identifier: GPL-2.0
/*
 * The slow paths of the loop in batch_run.h: bulk operations, failures, frees of empty
 * handles; and the statistics of a chunk.
 */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/string.h>

#include "faces/batch_run.h"
#include "faces/target.h"

/* Count @nr slots of a tag that were filled, or emptied if @nr is negative. */
static void count_held(struct mmbox_batch_run *run, u32 tag, int nr)
{
	const u32 handle = tag & 0xffff;

	run->tally.held += nr;
	if ((tag & ~0xffffU) != MMBOX_TAG_CACHE(0))
		return;
	__set_bit(handle, run->touched);
	run->held[handle] += nr;
}

/**
 * mmbox_run_empty() - ignore the free of an empty handle if the batch allows that
 * @run: the batch
 * @cmd: the free, whose slot could not be claimed
 *
 * Context: process.
 * Return: false if the record is bad.
 */
noinline bool mmbox_run_empty(struct mmbox_batch_run *run, const struct mmbox_cmd *cmd)
{
	if (!run->allow_empty || READ_ONCE(cmd->slot->tag))
		return false;
	run->tally.nr_empty++;
	count_held(run, cmd->tag, 1);
	if (cmd->code == MMBOX_CMD_PAGES_FREE)
		run->tally.pages += 1L << cmd->order;
	if (run->want_results)
		run->results[cmd - run->cmds].error = -ENOENT;
	return true;
}

/**
 * mmbox_run_failed() - count an allocation that failed
 * @run: the batch
 * @cmd: the allocation
 *
 * Context: process.
 */
noinline void mmbox_run_failed(struct mmbox_batch_run *run, const struct mmbox_cmd *cmd)
{
	unsigned int i = cmd - run->cmds;

	if (!run->tally.nr_failed++)
		run->tally.first_failed = i;
	if (!run->failed && !(run->chunk[i].flags & MMBOX_GFP_NOWARN))
		run->failed = &run->chunk[i];
	if (cmd->code < MMBOX_CMD_SPECIAL)
		count_held(run, cmd->tag, -1);
	if (cmd->code == MMBOX_CMD_PAGES_ALLOC)
		run->tally.pages -= 1L << cmd->order;
	if (run->want_results)
		run->results[i].error = -ENOMEM;
}

/**
 * mmbox_run_note_phys() - note the physical address of an allocation
 * @run: the batch, with results
 * @cmd: the command
 * @ptr: what was allocated
 *
 * Context: process.
 */
void mmbox_run_note_phys(struct mmbox_batch_run *run, const struct mmbox_cmd *cmd, void *ptr)
{
	const struct mmbox_target_ops *target = run->session->target;

	if (target->phys)
		run->results[cmd - run->cmds].phys =
			target->phys(run->box, ptr, cmd->code == MMBOX_CMD_PAGES_ALLOC);
}

/* Returns false if the record is bad. */
static noinline bool bulk_alloc(struct mmbox_batch_run *run, const struct mmbox_cmd *cmd)
{
	struct mmbox_slot **slots = run->bulk_slots;
	void **objs = run->bulk_objs;
	unsigned int i, nr;

	for (nr = 0; nr < cmd->nr; nr++) {
		slots[nr] = mmbox_session_slot(run->session, cmd->handle + nr);
		if (!mmbox_slot_claim(slots[nr]))
			goto unclaim;
	}
	if (!run->session->target->alloc_bulk(cmd->cachep, cmd->gfp, nr, objs)) {
		mmbox_run_failed(run, cmd);
		goto unclaim;
	}
	for (i = 0; i < nr; i++)
		mmbox_slot_fill(slots[i], cmd->tag, objs[i]);
	count_held(run, cmd->tag, nr);
	if (run->want_results)
		mmbox_run_note_phys(run, cmd, objs[0]);
	return true;

unclaim:
	for (i = 0; i < nr; i++)
		mmbox_slot_empty(slots[i]);
	return nr == cmd->nr;
}

/* Returns false if the record is bad; then nothing has been freed. */
static noinline bool bulk_free(struct mmbox_batch_run *run, const struct mmbox_cmd *cmd)
{
	struct mmbox_slot **slots = run->bulk_slots;
	void **objs = run->bulk_objs;
	unsigned int i, nr = 0;

	for (i = 0; i < cmd->nr; i++) {
		struct mmbox_slot *slot;

		slot = mmbox_session_find_slot(run->session, cmd->handle + i);
		if (mmbox_slot_claim_filled(slot, cmd->tag)) {
			slots[nr] = slot;
			objs[nr++] = slot->ptr;
		} else if (!run->allow_empty || READ_ONCE(slot->tag)) {
			goto restore;
		}
	}
	for (i = 0; i < nr; i++)
		mmbox_slot_empty(slots[i]);
	run->tally.nr_empty += cmd->nr - nr;
	count_held(run, cmd->tag, -nr);
	if (!nr) {
		if (run->want_results)
			run->results[cmd - run->cmds].error = -ENOENT;
		return true;
	}
	run->session->target->free_bulk(cmd->cachep, nr, objs);
	return true;

restore:
	for (i = 0; i < nr; i++)
		mmbox_slot_fill(slots[i], cmd->tag, objs[i]);
	return false;
}

/*
 * Fail an allocation for which the host has no room. Returns false if its handle is in
 * use, which makes it a bad record.
 */
static noinline bool no_memory(struct mmbox_batch_run *run, const struct mmbox_cmd *cmd)
{
	if (READ_ONCE(cmd->slot->tag))
		return false;
	mmbox_run_failed(run, cmd);
	return true;
}

/**
 * mmbox_run_special() - carry out a rare command, or end the chunk
 * @run: the batch
 * @cmd: the command
 *
 * Context: process.
 * Return: false at the end, or if the record is bad.
 */
noinline bool mmbox_run_special(struct mmbox_batch_run *run, const struct mmbox_cmd *cmd)
{
	switch (cmd->special) {
	case MMBOX_CMD_BULK_ALLOC:
		return bulk_alloc(run, cmd);
	case MMBOX_CMD_BULK_FREE:
		return bulk_free(run, cmd);
	case MMBOX_CMD_NO_MEMORY:
		return no_memory(run, cmd);
	}
	return false;
}

/**
 * mmbox_tally_begin() - start the statistics of a chunk
 * @run: the batch, decoded
 *
 * Counts blocks of pages as if every command succeeded.
 *
 * Context: process.
 */
void mmbox_tally_begin(struct mmbox_batch_run *run)
{
	unsigned int i;

	memset(&run->tally, 0, sizeof(run->tally));
	for (i = 0; i < run->nr_cmds; i++) {
		const struct mmbox_cmd *cmd = &run->cmds[i];

		if (cmd->code == MMBOX_CMD_PAGES_ALLOC)
			run->tally.pages += 1L << cmd->order;
		else if (cmd->code == MMBOX_CMD_PAGES_FREE)
			run->tally.pages -= 1L << cmd->order;
	}
}

/**
 * mmbox_tally_end() - add the statistics of a chunk to the session's
 * @run: the batch
 * @nr_done: number of commands carried out
 *
 * Context: process, session->sem held.
 */
void mmbox_tally_end(struct mmbox_batch_run *run, unsigned int nr_done)
{
	struct mmbox_session *session = run->session;
	unsigned int i;

	run->tally.nr_ops = nr_done;
	/* mmbox_run_failed() subtracted failures already; bulk operations counted themselves. */
	for (i = 0; i < nr_done; i++) {
		const struct mmbox_cmd *cmd = &run->cmds[i];

		if (cmd->code != MMBOX_CMD_SPECIAL)
			count_held(run, cmd->tag, cmd->code < MMBOX_CMD_SPECIAL ? 1 : -1);
	}
	for (i = nr_done; i < run->nr_cmds; i++) {
		const struct mmbox_cmd *cmd = &run->cmds[i];

		if (cmd->code == MMBOX_CMD_PAGES_ALLOC)
			run->tally.pages -= 1L << cmd->order;
		else if (cmd->code == MMBOX_CMD_PAGES_FREE)
			run->tally.pages += 1L << cmd->order;
	}
	atomic_long_add(run->tally.held, &session->nr_held);
	for_each_set_bit(i, run->touched, MMBOX_NR_CACHE_HANDLES) {
		atomic_long_add(run->held[i], &session->caches[i].nr_held);
		run->held[i] = 0;
	}
	bitmap_zero(run->touched, MMBOX_NR_CACHE_HANDLES);
	mmbox_session_sample(run->session, &run->tally);
}
