/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The loop that carries out the commands of a batch, for the targets.
 *
 * Each target passes its own functions that allocate and free. Everything is inlined,
 * so each target has its own copy of the loop that calls its allocators directly, and
 * the copies differ in nothing else. @alloc carries out an allocating command and
 * returns NULL if that fails; @free carries out a freeing one.
 */
#ifndef _MMBOX_BATCH_RUN_H
#define _MMBOX_BATCH_RUN_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/ktime.h>

#include "faces/batch.h"

static __always_inline bool mmbox_slot_claim(struct mmbox_slot *slot)
{
	u32 empty = 0;

	return likely(try_cmpxchg(&slot->tag, &empty, MMBOX_TAG_BUSY));
}

/* Fails unless the slot was filled with the same tag. */
static __always_inline bool mmbox_slot_claim_filled(struct mmbox_slot *slot, u32 tag)
{
	return likely(try_cmpxchg(&slot->tag, &tag, MMBOX_TAG_BUSY));
}

static __always_inline void mmbox_slot_fill(struct mmbox_slot *slot, u32 tag, void *ptr)
{
	slot->ptr = ptr;
	/* Pairs with mmbox_slot_claim_filled(): if it sees the tag it sees the pointer. */
	smp_store_release(&slot->tag, tag);
}

static __always_inline void mmbox_slot_empty(struct mmbox_slot *slot)
{
	/* Pairs with mmbox_slot_claim(): the pointer is read before it is overwritten. */
	smp_store_release(&slot->tag, 0);
}

/* Returns false at the end, or if the record is bad. */
static __always_inline bool
mmbox_carry_out(struct mmbox_batch_run *run, const struct mmbox_cmd *cmd,
		void *(*alloc)(struct mmbox *box, const struct mmbox_cmd *cmd),
		void (*free)(struct mmbox *box, const struct mmbox_cmd *cmd, void *ptr),
		const bool detailed)
{
	struct mmbox_slot *slot = cmd->slot;
	void *ptr;

	if (cmd->code > MMBOX_CMD_SPECIAL) {
		if (!mmbox_slot_claim_filled(slot, cmd->tag))
			return mmbox_run_empty(run, cmd);
		ptr = slot->ptr;
		mmbox_slot_empty(slot);
		free(run->box, cmd, ptr);
		return true;
	}
	if (unlikely(cmd->code == MMBOX_CMD_SPECIAL))
		return mmbox_run_special(run, cmd);
	if (!mmbox_slot_claim(slot))
		return false;
	ptr = alloc(run->box, cmd);
	if (unlikely(!ptr)) {
		mmbox_slot_empty(slot);
		mmbox_run_failed(run, cmd);
		return true;
	}
	if (detailed)
		mmbox_run_note_phys(run, cmd, ptr);
	mmbox_slot_fill(slot, cmd->tag, ptr);
	return true;
}

/* Returns how many commands were carried out: all, or those before a bad one. */
static __always_inline unsigned int
mmbox_run_cmds(struct mmbox_batch_run *run,
	       void *(*alloc)(struct mmbox *box, const struct mmbox_cmd *cmd),
	       void (*free)(struct mmbox *box, const struct mmbox_cmd *cmd, void *ptr))
{
	const struct mmbox_cmd *cmd = run->cmds;

	while (likely(mmbox_carry_out(run, cmd, alloc, free, false)))
		cmd++;
	return cmd - run->cmds;
}

/* The same, with a result for each command, and its time if requested. */
static __always_inline unsigned int
mmbox_run_cmds_detailed(struct mmbox_batch_run *run,
			void *(*alloc)(struct mmbox *box, const struct mmbox_cmd *cmd),
			void (*free)(struct mmbox *box, const struct mmbox_cmd *cmd, void *ptr))
{
	unsigned int i;

	for (i = 0; ; i++) {
		struct mmbox_result *result = &run->results[i];
		u64 ns = 0;

		*result = (struct mmbox_result){ .phys = MMBOX_PHYS_NONE };
		if (run->latency)
			ns = ktime_get_ns();
		if (!mmbox_carry_out(run, &run->cmds[i], alloc, free, true))
			return i;
		if (run->latency)
			result->ns = min_t(u64, ktime_get_ns() - ns, U32_MAX);
	}
}

#endif /* _MMBOX_BATCH_RUN_H */
