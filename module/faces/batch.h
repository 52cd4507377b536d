/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A batch of operations on its way from records to results.
 *
 *	batch.c -> batch_decode.c: records become commands
 *		-> target_*.c: commands are carried out by the loop in batch_run.h
 *		-> batch_run.c: the slow paths of that loop
 */
#ifndef _MMBOX_BATCH_H
#define _MMBOX_BATCH_H

#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/types.h>

#include "faces/session.h"

/* Allocations are below MMBOX_CMD_SPECIAL and frees above, for one comparison. */
enum mmbox_cmd_code {
	MMBOX_CMD_KMALLOC,
	MMBOX_CMD_CACHE_ALLOC,
	MMBOX_CMD_PAGES_ALLOC,
	MMBOX_CMD_KMALLOC_NODE,
	MMBOX_CMD_CACHE_ALLOC_NODE,
	MMBOX_CMD_SPECIAL,		/* see enum mmbox_cmd_special */
	MMBOX_CMD_KFREE,
	MMBOX_CMD_CACHE_FREE,
	MMBOX_CMD_PAGES_FREE,
};

enum mmbox_cmd_special {
	MMBOX_CMD_END,			/* behind the last command of a chunk */
	MMBOX_CMD_NO_MEMORY,		/* an allocation that fails without being tried */
	MMBOX_CMD_BULK_ALLOC,
	MMBOX_CMD_BULK_FREE,
};

/* A checked record, ready to be carried out. */
struct mmbox_cmd {
	struct mmbox_slot *slot;
	union {
		size_t size;		/* kmalloc */
		void *cachep;		/* of the target */
		unsigned long order;	/* pages */
	};
	union {
		int nid;
		u32 handle;		/* bulk: of the first slot */
	};
	gfp_t gfp;
	u32 tag;			/* of the slot while it is filled */
	u16 nr;				/* bulk: objects */
	u8 code;			/* enum mmbox_cmd_code */
	u8 special;			/* enum mmbox_cmd_special */
};

/* A batch on its way, and room for a chunk of it in every form. */
struct mmbox_batch_run {
	struct mmbox_session *session;
	struct mmbox *box;
	bool allow_empty;
	bool latency;
	bool want_results;
	const struct mmbox_op *chunk;	/* the records of @cmds */
	const struct mmbox_op *failed;	/* the first that failed and that the log is to name */
	u32 user_gfp;			/* what @gfp was made from */
	gfp_t gfp;
	size_t kmalloc_limit;		/* bytes, of the target */
	unsigned int nr_orders;		/* of the target */
	size_t room;			/* bytes that the chunk may take */
	unsigned int nr_cmds;
	struct mmbox_tally tally;	/* of the chunk */
	DECLARE_BITMAP(touched, MMBOX_NR_CACHE_HANDLES);	/* that @held is of */
	s32 held[MMBOX_NR_CACHE_HANDLES];	/* objects: allocated less freed */
	struct mmbox_cmd cmds[MMBOX_CHUNK + 1];	/* with MMBOX_CMD_END */
	struct mmbox_op ops[MMBOX_CHUNK];
	struct mmbox_result results[MMBOX_CHUNK + 1];
	struct mmbox_slot *bulk_slots[MMBOX_BULK_MAX];
	void *bulk_objs[MMBOX_BULK_MAX];
};

/* batch.c */
int mmbox_session_batch(struct mmbox_session *session, struct mmbox_batch *batch);
void mmbox_batch_end(struct mmbox_session *session);

/* batch_decode.c */
bool mmbox_fields_valid(const struct mmbox_op *op);
bool mmbox_is_control(const struct mmbox_op *op);
gfp_t mmbox_decode_gfp(struct mmbox_batch_run *run, u32 user);
int mmbox_decode_chunk(struct mmbox_batch_run *run, const struct mmbox_op *ops,
		       unsigned int nr);

/* batch_run.c */
bool mmbox_run_empty(struct mmbox_batch_run *run, const struct mmbox_cmd *cmd);
void mmbox_run_failed(struct mmbox_batch_run *run, const struct mmbox_cmd *cmd);
void mmbox_run_note_phys(struct mmbox_batch_run *run, const struct mmbox_cmd *cmd, void *ptr);
bool mmbox_run_special(struct mmbox_batch_run *run, const struct mmbox_cmd *cmd);
void mmbox_tally_begin(struct mmbox_batch_run *run);
void mmbox_tally_end(struct mmbox_batch_run *run, unsigned int nr_done);

#endif /* _MMBOX_BATCH_H */
