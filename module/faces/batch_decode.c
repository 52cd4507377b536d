// SPDX-License-Identifier: GPL-2.0
/*
 * Decode the records of a batch into commands: check every field, and translate
 * handles, caches and flags into pointers and values for the allocators.
 */
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/numa.h>

#include "faces/batch.h"
#include "faces/target.h"

#define FIELD_ORDER	BIT(0)
#define FIELD_CACHE	BIT(1)
#define FIELD_HANDLE	BIT(2)
#define FIELD_FLAGS	BIT(3)
#define FIELD_NID	BIT(4)
#define FIELD_SIZE	BIT(5)
#define FIELD_NR	BIT(6)
#define FIELD_NAME	BIT(7)

static const u8 op_fields[] = {
	[MMBOX_OP_KMALLOC]	= FIELD_HANDLE | FIELD_SIZE | FIELD_FLAGS | FIELD_NID,
	[MMBOX_OP_KFREE]	= FIELD_HANDLE,
	[MMBOX_OP_CACHE_ALLOC]	= FIELD_HANDLE | FIELD_CACHE | FIELD_FLAGS | FIELD_NID,
	[MMBOX_OP_CACHE_FREE]	= FIELD_HANDLE | FIELD_CACHE,
	[MMBOX_OP_PAGES_ALLOC]	= FIELD_HANDLE | FIELD_ORDER | FIELD_FLAGS | FIELD_NID,
	[MMBOX_OP_PAGES_FREE]	= FIELD_HANDLE | FIELD_ORDER,
	[MMBOX_OP_BULK_ALLOC]	= FIELD_HANDLE | FIELD_CACHE | FIELD_FLAGS | FIELD_NR,
	[MMBOX_OP_BULK_FREE]	= FIELD_HANDLE | FIELD_CACHE | FIELD_NR,
	[MMBOX_OP_CACHE_CREATE]	= FIELD_CACHE | FIELD_SIZE | FIELD_NR | FIELD_FLAGS |
				  FIELD_NAME,
	[MMBOX_OP_CACHE_DESTROY] = FIELD_CACHE,
	[MMBOX_OP_CACHE_SHRINK]	= FIELD_CACHE,
};

static const struct {
	u32 user;
	gfp_t gfp;
} gfp_bits[] = {
	{ MMBOX_GFP_DMA,		__GFP_DMA },
	{ MMBOX_GFP_HIGHMEM,		__GFP_HIGHMEM },
	{ MMBOX_GFP_DMA32,		__GFP_DMA32 },
	{ MMBOX_GFP_MOVABLE,		__GFP_MOVABLE },
	{ MMBOX_GFP_RECLAIMABLE,	__GFP_RECLAIMABLE },
	{ MMBOX_GFP_HIGH,		__GFP_HIGH },
	{ MMBOX_GFP_IO,			__GFP_IO },
	{ MMBOX_GFP_FS,			__GFP_FS },
	{ MMBOX_GFP_ZERO,		__GFP_ZERO },
	{ MMBOX_GFP_DIRECT_RECLAIM,	__GFP_DIRECT_RECLAIM },
	{ MMBOX_GFP_KSWAPD_RECLAIM,	__GFP_KSWAPD_RECLAIM },
	{ MMBOX_GFP_WRITE,		__GFP_WRITE },
	{ MMBOX_GFP_NOWARN,		__GFP_NOWARN },
	{ MMBOX_GFP_RETRY_MAYFAIL,	__GFP_RETRY_MAYFAIL },
	{ MMBOX_GFP_NORETRY,		__GFP_NORETRY },
	{ MMBOX_GFP_COMP,		__GFP_COMP },
	{ MMBOX_GFP_NOMEMALLOC,		__GFP_NOMEMALLOC },
	{ MMBOX_GFP_HARDWALL,		__GFP_HARDWALL },
	{ MMBOX_GFP_THISNODE,		__GFP_THISNODE },
};

/* GFP flags that make no sense for objects, on either target. */
#define OBJECT_GFP_NEVER (__GFP_DMA32 | __GFP_HIGHMEM | __GFP_MOVABLE |	\
			  __GFP_COMP)

/**
 * mmbox_decode_gfp() - translate GFP flags for the target
 * @run: the batch
 * @user: MMBOX_GFP_*, valid
 *
 * Context: any, session->sem held.
 * Return: the flags, within what the target allows.
 */
gfp_t mmbox_decode_gfp(struct mmbox_batch_run *run, u32 user)
{
	gfp_t gfp = 0;
	unsigned int i;

	/* Consecutive records mostly have the same flags. */
	if (user == run->user_gfp)
		return run->gfp;
	for (i = 0; i < ARRAY_SIZE(gfp_bits); i++)
		if (user & gfp_bits[i].user)
			gfp |= gfp_bits[i].gfp;
	run->user_gfp = user;
	run->gfp = run->session->target->limit_gfp(gfp);
	return run->gfp;
}

/**
 * mmbox_fields_valid() - check that a record sets only fields of its operation
 * @op: the record
 *
 * Context: any.
 * Return: false if the record is bad.
 */
bool mmbox_fields_valid(const struct mmbox_op *op)
{
	u8 fields;

	if (op->code >= ARRAY_SIZE(op_fields))
		return false;
	fields = op_fields[op->code];
	if (!fields ||
	    (!(fields & FIELD_ORDER) && op->order) ||
	    (!(fields & FIELD_CACHE) && op->cache) ||
	    (!(fields & FIELD_HANDLE) && op->handle) ||
	    (!(fields & FIELD_FLAGS) && op->flags) ||
	    (!(fields & FIELD_NID) && op->nid) ||
	    (!(fields & FIELD_SIZE) && op->size) ||
	    (!(fields & FIELD_NR) && op->nr) ||
	    (!(fields & FIELD_NAME) && op->name))
		return false;
	return op->cache < MMBOX_NR_CACHE_HANDLES && op->handle < MMBOX_NR_HANDLES;
}

static bool nid_valid(const struct mmbox_session *session, int nid)
{
	if (nid == NUMA_NO_NODE)
		return true;
	return nid >= 0 && session->target->node_exists(session->box, nid);
}

static bool is_alloc(const struct mmbox_op *op)
{
	return op->code == MMBOX_OP_KMALLOC || op->code == MMBOX_OP_CACHE_ALLOC ||
	       op->code == MMBOX_OP_PAGES_ALLOC || op->code == MMBOX_OP_BULK_ALLOC;
}

static int decode_slot(struct mmbox_session *session, const struct mmbox_op *op,
		       struct mmbox_cmd *cmd)
{
	if (is_alloc(op))
		cmd->slot = mmbox_session_slot(session, op->handle);
	else
		cmd->slot = mmbox_session_find_slot(session, op->handle);
	return cmd->slot ? 0 : -ENOMEM;
}

static int decode_cache(struct mmbox_session *session, const struct mmbox_op *op,
			struct mmbox_cmd *cmd)
{
	cmd->cachep = session->caches[op->cache].cachep;
	cmd->tag = MMBOX_TAG_CACHE(op->cache);
	return cmd->cachep ? 0 : -EINVAL;
}

static int decode_bulk(struct mmbox_session *session, const struct mmbox_op *op,
		       struct mmbox_cmd *cmd)
{
	u32 last;

	if (!op->nr || op->nr > MMBOX_BULK_MAX ||
	    op->nr > MMBOX_NR_HANDLES - op->handle)
		return -EINVAL;
	/* The handles may span two segments; both must exist. */
	last = op->handle + op->nr - 1;
	if (is_alloc(op) && !mmbox_session_slot(session, last))
		return -ENOMEM;
	cmd->handle = op->handle;
	cmd->nr = op->nr;
	return decode_cache(session, op, cmd);
}

/* Returns 0, -EINVAL for a bad record, -ENOMEM without memory for the handle. */
static int decode_op(struct mmbox_batch_run *run, const struct mmbox_op *op,
		     struct mmbox_cmd *cmd)
{
	struct mmbox_session *session = run->session;
	bool any_node;
	int err;

	if (!mmbox_fields_valid(op))
		return -EINVAL;
	if (op_fields[op->code] & FIELD_NID && !nid_valid(session, op->nid))
		return -EINVAL;
	if (op_fields[op->code] & FIELD_FLAGS) {
		if (op->flags & ~MMBOX_GFP_ALL)
			return -EINVAL;
		cmd->gfp = mmbox_decode_gfp(run, op->flags);
		if (op->code != MMBOX_OP_PAGES_ALLOC)
			cmd->gfp &= ~OBJECT_GFP_NEVER;
	}
	err = decode_slot(session, op, cmd);
	if (err)
		return err;
	cmd->nid = op->nid;
	any_node = op->nid == NUMA_NO_NODE;

	switch (op->code) {
	case MMBOX_OP_KMALLOC:
		if (!op->size || op->size > run->kmalloc_limit)
			return -EINVAL;
		cmd->code = any_node ? MMBOX_CMD_KMALLOC : MMBOX_CMD_KMALLOC_NODE;
		cmd->size = op->size;
		cmd->tag = MMBOX_TAG_KMALLOC;
		return 0;
	case MMBOX_OP_KFREE:
		cmd->code = MMBOX_CMD_KFREE;
		cmd->tag = MMBOX_TAG_KMALLOC;
		return 0;
	case MMBOX_OP_CACHE_ALLOC:
		cmd->code = any_node ? MMBOX_CMD_CACHE_ALLOC : MMBOX_CMD_CACHE_ALLOC_NODE;
		return decode_cache(session, op, cmd);
	case MMBOX_OP_CACHE_FREE:
		cmd->code = MMBOX_CMD_CACHE_FREE;
		return decode_cache(session, op, cmd);
	case MMBOX_OP_PAGES_ALLOC:
	case MMBOX_OP_PAGES_FREE:
		if (op->order >= run->nr_orders)
			return -EINVAL;
		cmd->code = op->code == MMBOX_OP_PAGES_ALLOC ? MMBOX_CMD_PAGES_ALLOC :
							       MMBOX_CMD_PAGES_FREE;
		cmd->order = op->order;
		cmd->tag = MMBOX_TAG_PAGES(op->order);
		return 0;
	case MMBOX_OP_BULK_ALLOC:
	case MMBOX_OP_BULK_FREE:
		cmd->code = MMBOX_CMD_SPECIAL;
		cmd->special = op->code == MMBOX_OP_BULK_ALLOC ? MMBOX_CMD_BULK_ALLOC :
								 MMBOX_CMD_BULK_FREE;
		return decode_bulk(session, op, cmd);
	}
	return -EINVAL;
}

/**
 * mmbox_is_control() - is a record about a cache itself?
 * @op: the record, not checked yet
 *
 * Context: any.
 * Return: true for records that batch.c carries out itself, one at a time.
 */
bool mmbox_is_control(const struct mmbox_op *op)
{
	return op->code == MMBOX_OP_CACHE_CREATE ||
	       op->code == MMBOX_OP_CACHE_DESTROY ||
	       op->code == MMBOX_OP_CACHE_SHRINK;
}

/* Bytes that an operation may allocate from the target, 0 for none. */
static size_t op_bytes(const struct mmbox_batch_run *run, const struct mmbox_op *op)
{
	const struct mmbox_session *session = run->session;
	size_t bytes;

	switch (op->code) {
	case MMBOX_OP_PAGES_ALLOC:
		return PAGE_SIZE << op->order;
	case MMBOX_OP_KMALLOC:
		bytes = op->size;
		break;
	case MMBOX_OP_CACHE_ALLOC:
		bytes = session->caches[op->cache].size;
		break;
	case MMBOX_OP_BULK_ALLOC:
		bytes = (size_t)session->caches[op->cache].size * op->nr;
		break;
	default:
		return 0;
	}
	return session->target->object_bytes(bytes);
}

/**
 * mmbox_decode_chunk() - decode records into commands
 * @run: the batch; run->cmds and run->nr_cmds are filled in
 * @ops: the records
 * @nr: number of records
 *
 * Stops at a bad record, at a control record, and when the commands would need more
 * than run->room bytes. If the first record alone needs more than that and the
 * target's room is strict, it becomes a command that fails.
 *
 * Context: process, session->sem held; may sleep.
 * Return: 0, -EINVAL at a bad record, -ENOMEM without memory for a handle.
 */
int mmbox_decode_chunk(struct mmbox_batch_run *run, const struct mmbox_op *ops,
		       unsigned int nr)
{
	const struct mmbox_target_ops *target = run->session->target;
	size_t bytes = 0;
	int err = 0;

	run->user_gfp = U32_MAX;
	run->kmalloc_limit = target->kmalloc_limit(run->box);
	run->nr_orders = target->nr_orders(run->box);
	for (run->nr_cmds = 0; run->nr_cmds < nr; run->nr_cmds++) {
		const struct mmbox_op *op = &ops[run->nr_cmds];
		struct mmbox_cmd *cmd = &run->cmds[run->nr_cmds];

		if (mmbox_is_control(op))
			break;
		err = decode_op(run, op, cmd);
		if (err)
			break;
		bytes += op_bytes(run, op);
		if (bytes <= run->room)
			continue;
		if (run->nr_cmds)
			break;
		if (target->room_is_strict) {
			cmd->code = MMBOX_CMD_SPECIAL;
			cmd->special = MMBOX_CMD_NO_MEMORY;
		}
	}
	run->cmds[run->nr_cmds].code = MMBOX_CMD_SPECIAL;
	run->cmds[run->nr_cmds].special = MMBOX_CMD_END;
	return err;
}
