// SPDX-License-Identifier: GPL-2.0
/*
 * Batches of operations from user space, on the box or on the host.
 *
 * Records are copied in, checked and decoded a chunk at a time; what comes out
 * is an array of commands in which handles, caches and flags have become the
 * pointers and values that the allocators want. Only then does the clock
 * start, and the chunk is carried out by run_cmds(), of which the compiler
 * makes one copy for the box and one for the host: the two differ in nothing but the
 * functions called. Caches come and go between chunks.
 *
 * Several threads may be in here for one session. A slot belongs to whoever
 * put MMBOX_TAG_BUSY there; caches stay as long as session->sem is held. User
 * space is reached into only without it: an access may wait for ever.
 */
#include <linux/bitmap.h>
#include <linux/compiler.h>
#include <linux/ctype.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/nodemask.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "faces/faces.h"
#include "faces/session.h"

/* Allocations below CMD_SPECIAL, frees above: one comparison tells. */
enum cmd_code {
	CMD_KMALLOC,
	CMD_CACHE_ALLOC,
	CMD_PAGES_ALLOC,
	CMD_KMALLOC_NODE,
	CMD_CACHE_ALLOC_NODE,
	CMD_SPECIAL,		/* enum cmd_special says what */
	CMD_KFREE,
	CMD_CACHE_FREE,
	CMD_PAGES_FREE,
};

enum cmd_special {
	CMD_END,		/* behind the last command of a chunk */
	CMD_NO_MEMORY,		/* an allocation that the host is not asked for */
	CMD_BULK_ALLOC,
	CMD_BULK_FREE,
};

/* A record that has been checked, ready to be carried out. */
struct cmd {
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
	u8 code;			/* enum cmd_code */
	u8 special;			/* enum cmd_special */
};

/* A batch on its way, and room for a chunk of it in every form. */
struct mmbox_batch_run {
	struct mmbox_session *session;
	struct mmbox *box;
	bool allow_empty;
	bool latency;
	bool want_results;
	const struct mmbox_op *chunk;	/* the records of @cmds */
	const struct mmbox_op *failed;	/* the first of them that failed and is to be told of */
	u32 user_gfp;			/* what @gfp was made from */
	gfp_t gfp;
	size_t kmalloc_limit;		/* bytes, of the target */
	unsigned int nr_orders;		/* of the target */
	size_t room;			/* bytes that the chunk may take */
	unsigned int nr_cmds;
	struct mmbox_tally tally;	/* of the chunk */
	DECLARE_BITMAP(touched, MMBOX_NR_CACHE_HANDLES);	/* that @held is of */
	s32 held[MMBOX_NR_CACHE_HANDLES];	/* objects: allocated less freed */
	struct cmd cmds[MMBOX_CHUNK + 1];	/* with CMD_END */
	struct mmbox_op ops[MMBOX_CHUNK];
	struct mmbox_result results[MMBOX_CHUNK + 1];
	struct mmbox_slot *bulk_slots[MMBOX_BULK_MAX];
	void *bulk_objs[MMBOX_BULK_MAX];
};

/* ---- checking and decoding ---- */

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

/*
 * On the host a replay keeps its hands off what is scarce: low zones, movable
 * memory (what a session holds cannot be moved) and the reserves; what it takes
 * is charged to the memory cgroup of whoever replays; and it would rather fail
 * than see the OOM killer (see also mmbox_session_host_begin()).
 */
#define HOST_GFP_NEVER	(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM |	\
			 __GFP_MOVABLE | __GFP_HIGH)
#define HOST_GFP_ALWAYS	(__GFP_NOWARN | __GFP_NORETRY | __GFP_ACCOUNT)

/* What has no meaning for objects, on either side. */
#define OBJECT_GFP_NEVER (__GFP_DMA32 | __GFP_HIGHMEM | __GFP_MOVABLE |	\
			  __GFP_COMP)

static gfp_t decode_gfp(struct mmbox_batch_run *run, u32 user)
{
	gfp_t gfp = 0;
	unsigned int i;

	/* Neighbouring records mostly have the same. */
	if (user == run->user_gfp)
		return run->gfp;
	for (i = 0; i < ARRAY_SIZE(gfp_bits); i++)
		if (user & gfp_bits[i].user)
			gfp |= gfp_bits[i].gfp;
	if (run->session->target == MMBOX_TARGET_HOST)
		gfp = (gfp & ~HOST_GFP_NEVER) | HOST_GFP_ALWAYS;
	else
		gfp |= __GFP_NOWARN;	/* tell_of_failed() does, when the clock stands */
	run->user_gfp = user;
	run->gfp = gfp;
	return gfp;
}

static bool fields_ok(const struct mmbox_op *op)
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

static bool on_box(const struct mmbox_session *session)
{
	return session->target == MMBOX_TARGET_BOX;
}

static bool nid_ok(const struct mmbox_session *session, int nid)
{
	if (nid == NUMA_NO_NODE)
		return true;
	if (nid < 0)
		return false;
	if (on_box(session))
		return nid < session->box->nr_nodes;
	return nid < MAX_NUMNODES && node_online(nid);
}

static bool is_alloc(const struct mmbox_op *op)
{
	return op->code == MMBOX_OP_KMALLOC || op->code == MMBOX_OP_CACHE_ALLOC ||
	       op->code == MMBOX_OP_PAGES_ALLOC || op->code == MMBOX_OP_BULK_ALLOC;
}

static int decode_slot(struct mmbox_session *session, const struct mmbox_op *op,
		       struct cmd *cmd)
{
	if (is_alloc(op))
		cmd->slot = mmbox_session_slot(session, op->handle);
	else
		cmd->slot = mmbox_session_find_slot(session, op->handle);
	return cmd->slot ? 0 : -ENOMEM;
}

static int decode_cache(struct mmbox_session *session, const struct mmbox_op *op,
			struct cmd *cmd)
{
	cmd->cachep = session->caches[op->cache].cachep;
	cmd->tag = MMBOX_TAG_CACHE(op->cache);
	return cmd->cachep ? 0 : -EINVAL;
}

static int decode_bulk(struct mmbox_session *session, const struct mmbox_op *op,
		       struct cmd *cmd)
{
	u32 last;

	if (!op->nr || op->nr > MMBOX_BULK_MAX ||
	    op->nr > MMBOX_NR_HANDLES - op->handle)
		return -EINVAL;
	/* Handles may lie in two segments, both of which must be there. */
	last = op->handle + op->nr - 1;
	if (is_alloc(op) && !mmbox_session_slot(session, last))
		return -ENOMEM;
	cmd->handle = op->handle;
	cmd->nr = op->nr;
	return decode_cache(session, op, cmd);
}

/* 0, -EINVAL for a bad record, -ENOMEM without memory for the handle. */
static int decode_op(struct mmbox_batch_run *run, const struct mmbox_op *op,
		     struct cmd *cmd)
{
	struct mmbox_session *session = run->session;
	bool any_node;
	int err;

	if (!fields_ok(op))
		return -EINVAL;
	if (op_fields[op->code] & FIELD_NID && !nid_ok(session, op->nid))
		return -EINVAL;
	if (op_fields[op->code] & FIELD_FLAGS) {
		if (op->flags & ~MMBOX_GFP_ALL)
			return -EINVAL;
		cmd->gfp = decode_gfp(run, op->flags);
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
		cmd->code = any_node ? CMD_KMALLOC : CMD_KMALLOC_NODE;
		cmd->size = op->size;
		cmd->tag = MMBOX_TAG_KMALLOC;
		return 0;
	case MMBOX_OP_KFREE:
		cmd->code = CMD_KFREE;
		cmd->tag = MMBOX_TAG_KMALLOC;
		return 0;
	case MMBOX_OP_CACHE_ALLOC:
		cmd->code = any_node ? CMD_CACHE_ALLOC : CMD_CACHE_ALLOC_NODE;
		return decode_cache(session, op, cmd);
	case MMBOX_OP_CACHE_FREE:
		cmd->code = CMD_CACHE_FREE;
		return decode_cache(session, op, cmd);
	case MMBOX_OP_PAGES_ALLOC:
	case MMBOX_OP_PAGES_FREE:
		if (op->order >= run->nr_orders)
			return -EINVAL;
		cmd->code = op->code == MMBOX_OP_PAGES_ALLOC ? CMD_PAGES_ALLOC :
							       CMD_PAGES_FREE;
		cmd->order = op->order;
		cmd->tag = MMBOX_TAG_PAGES(op->order);
		return 0;
	case MMBOX_OP_BULK_ALLOC:
	case MMBOX_OP_BULK_FREE:
		cmd->code = CMD_SPECIAL;
		cmd->special = op->code == MMBOX_OP_BULK_ALLOC ? CMD_BULK_ALLOC :
								 CMD_BULK_FREE;
		return decode_bulk(session, op, cmd);
	}
	return -EINVAL;
}

static bool is_control(const struct mmbox_op *op)
{
	return op->code == MMBOX_OP_CACHE_CREATE ||
	       op->code == MMBOX_OP_CACHE_DESTROY ||
	       op->code == MMBOX_OP_CACHE_SHRINK;
}

/*
 * Bytes that an operation may take: on the box what it asks for; on the host
 * with all that the allocators may take besides, a slab for a single object.
 */
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
	return on_box(session) ? bytes : 2 * bytes + 8 * PAGE_SIZE;
}

/*
 * Up to the first bad or control record, and as much as there is room for; a
 * single one that there is no room for fails on the host. Returns why it ended there.
 */
static int decode_chunk(struct mmbox_batch_run *run, const struct mmbox_op *ops,
			unsigned int nr)
{
	size_t bytes = 0;
	int err = 0;

	run->user_gfp = U32_MAX;
	run->kmalloc_limit = mmbox_session_kmalloc_limit(run->session);
	run->nr_orders = mmbox_session_nr_orders(run->session);
	for (run->nr_cmds = 0; run->nr_cmds < nr; run->nr_cmds++) {
		const struct mmbox_op *op = &ops[run->nr_cmds];
		struct cmd *cmd = &run->cmds[run->nr_cmds];

		if (is_control(op))
			break;
		err = decode_op(run, op, cmd);
		if (err)
			break;
		bytes += op_bytes(run, op);
		if (bytes <= run->room)
			continue;
		if (run->nr_cmds)
			break;
		if (!on_box(run->session)) {
			cmd->code = CMD_SPECIAL;
			cmd->special = CMD_NO_MEMORY;
		}
	}
	run->cmds[run->nr_cmds].code = CMD_SPECIAL;
	run->cmds[run->nr_cmds].special = CMD_END;
	return err;
}

/* ---- slots ---- */

static __always_inline bool slot_claim(struct mmbox_slot *slot)
{
	u32 empty = 0;

	return likely(try_cmpxchg(&slot->tag, &empty, MMBOX_TAG_BUSY));
}

/* Fails unless what the slot holds was allocated in this way. */
static __always_inline bool slot_claim_filled(struct mmbox_slot *slot, u32 tag)
{
	return likely(try_cmpxchg(&slot->tag, &tag, MMBOX_TAG_BUSY));
}

static __always_inline void slot_fill(struct mmbox_slot *slot, u32 tag, void *ptr)
{
	slot->ptr = ptr;
	/* Pairs with slot_claim_filled(): whoever sees the tag sees the pointer. */
	smp_store_release(&slot->tag, tag);
}

static __always_inline void slot_empty(struct mmbox_slot *slot)
{
	/* Pairs with slot_claim(): the pointer was read before it is overwritten. */
	smp_store_release(&slot->tag, 0);
}

/* ---- carrying out ---- */

/* Slots of that tag that were filled, or emptied if @nr is negative. */
static void count_held(struct mmbox_batch_run *run, u32 tag, int nr)
{
	const u32 handle = tag & 0xffff;

	run->tally.held += nr;
	if ((tag & ~0xffffU) != MMBOX_TAG_CACHE(0))
		return;
	__set_bit(handle, run->touched);
	run->held[handle] += nr;
}

static noinline bool let_pass_empty(struct mmbox_batch_run *run, const struct cmd *cmd)
{
	if (!run->allow_empty || READ_ONCE(cmd->slot->tag))
		return false;
	run->tally.nr_empty++;
	count_held(run, cmd->tag, 1);
	if (cmd->code == CMD_PAGES_FREE)
		run->tally.pages += 1L << cmd->order;
	if (run->want_results)
		run->results[cmd - run->cmds].error = -ENOENT;
	return true;
}

static noinline void note_failed(struct mmbox_batch_run *run, const struct cmd *cmd)
{
	unsigned int i = cmd - run->cmds;

	if (!run->tally.nr_failed++)
		run->tally.first_failed = i;
	if (!run->failed && !(run->chunk[i].flags & MMBOX_GFP_NOWARN))
		run->failed = &run->chunk[i];
	if (cmd->code < CMD_SPECIAL)
		count_held(run, cmd->tag, -1);
	if (cmd->code == CMD_PAGES_ALLOC)
		run->tally.pages -= 1L << cmd->order;
	if (run->want_results)
		run->results[i].error = -ENOMEM;
}

static void note_phys(struct mmbox_batch_run *run, const struct cmd *cmd, void *ptr)
{
	struct mmbox *box = run->box;
	u64 *phys = &run->results[cmd - run->cmds].phys;

	if (!on_box(run->session))
		return;
	if (cmd->code == CMD_PAGES_ALLOC)
		*phys = PFN_PHYS(__mmbox_page_to_pfn(box, ptr));
	else
		*phys = mmbox_virt_to_phys(box, ptr);
}

/* Returns false if the record is bad. */
static noinline bool bulk_alloc(struct mmbox_batch_run *run, const struct cmd *cmd)
{
	struct mmbox_slot **slots = run->bulk_slots;
	void **objs = run->bulk_objs;
	unsigned int i, nr;

	for (nr = 0; nr < cmd->nr; nr++) {
		slots[nr] = mmbox_session_slot(run->session, cmd->handle + nr);
		if (!slot_claim(slots[nr]))
			goto unclaim;
	}
	if (on_box(run->session))
		i = mmbox_kmem_cache_alloc_bulk(cmd->cachep, cmd->gfp, nr, objs);
	else
		i = kmem_cache_alloc_bulk(cmd->cachep, cmd->gfp, nr, objs);
	if (!i) {
		note_failed(run, cmd);
		goto unclaim;
	}
	for (i = 0; i < nr; i++)
		slot_fill(slots[i], cmd->tag, objs[i]);
	count_held(run, cmd->tag, nr);
	if (run->want_results)
		note_phys(run, cmd, objs[0]);
	return true;

unclaim:
	for (i = 0; i < nr; i++)
		slot_empty(slots[i]);
	return nr == cmd->nr;
}

/* Returns false if the record is bad; then nothing has been freed. */
static noinline bool bulk_free(struct mmbox_batch_run *run, const struct cmd *cmd)
{
	struct mmbox_slot **slots = run->bulk_slots;
	void **objs = run->bulk_objs;
	unsigned int i, nr = 0;

	for (i = 0; i < cmd->nr; i++) {
		struct mmbox_slot *slot;

		slot = mmbox_session_find_slot(run->session, cmd->handle + i);
		if (slot_claim_filled(slot, cmd->tag)) {
			slots[nr] = slot;
			objs[nr++] = slot->ptr;
		} else if (!run->allow_empty || READ_ONCE(slot->tag)) {
			goto restore;
		}
	}
	for (i = 0; i < nr; i++)
		slot_empty(slots[i]);
	run->tally.nr_empty += cmd->nr - nr;
	count_held(run, cmd->tag, -nr);
	if (!nr) {
		if (run->want_results)
			run->results[cmd - run->cmds].error = -ENOENT;
		return true;
	}
	if (on_box(run->session))
		mmbox_kmem_cache_free_bulk(cmd->cachep, nr, objs);
	else
		kmem_cache_free_bulk(cmd->cachep, nr, objs);
	return true;

restore:
	for (i = 0; i < nr; i++)
		slot_fill(slots[i], cmd->tag, objs[i]);
	return false;
}

/* What is most frequent is asked for first; a jump table costs a retpoline. */
static __always_inline void *do_alloc(struct mmbox *box, const struct cmd *cmd,
				      const bool on_box)
{
	if (cmd->code == CMD_CACHE_ALLOC)
		return on_box ? mmbox_kmem_cache_alloc(cmd->cachep, cmd->gfp) :
				kmem_cache_alloc(cmd->cachep, cmd->gfp);
	if (cmd->code == CMD_KMALLOC)
		return on_box ? mmbox_kmalloc(box, cmd->size, cmd->gfp) :
				kmalloc(cmd->size, cmd->gfp);
	if (cmd->code == CMD_PAGES_ALLOC)
		return on_box ?
			(void *)mmbox_alloc_pages_node(box, cmd->nid, cmd->gfp,
						       cmd->order) :
			(void *)alloc_pages_node(cmd->nid, cmd->gfp, cmd->order);
	if (cmd->code == CMD_KMALLOC_NODE)
		return on_box ?
			mmbox_kmalloc_node(box, cmd->size, cmd->gfp, cmd->nid) :
			kmalloc_node(cmd->size, cmd->gfp, cmd->nid);
	/* CMD_CACHE_ALLOC_NODE */
	return on_box ?
		mmbox_kmem_cache_alloc_node(cmd->cachep, cmd->gfp, cmd->nid) :
		kmem_cache_alloc_node(cmd->cachep, cmd->gfp, cmd->nid);
}

static __always_inline void do_free(struct mmbox *box, const struct cmd *cmd,
				    void *ptr, const bool on_box)
{
	if (cmd->code == CMD_CACHE_FREE) {
		if (on_box)
			mmbox_kmem_cache_free(cmd->cachep, ptr);
		else
			kmem_cache_free(cmd->cachep, ptr);
	} else if (cmd->code == CMD_KFREE) {
		if (on_box)
			mmbox_kfree(box, ptr);
		else
			kfree(ptr);
	} else {	/* CMD_PAGES_FREE */
		if (on_box)
			__mmbox_free_pages(box, ptr, cmd->order);
		else
			__free_pages(ptr, cmd->order);
	}
}

/*
 * An allocation that the host has no room for; yet a handle in use makes it a bad
 * record. Returns false then.
 */
static noinline bool no_memory(struct mmbox_batch_run *run, const struct cmd *cmd)
{
	if (READ_ONCE(cmd->slot->tag))
		return false;
	note_failed(run, cmd);
	return true;
}

/* Returns false at the end, or if the record is bad. */
static noinline bool special(struct mmbox_batch_run *run, const struct cmd *cmd)
{
	switch (cmd->special) {
	case CMD_BULK_ALLOC:
		return bulk_alloc(run, cmd);
	case CMD_BULK_FREE:
		return bulk_free(run, cmd);
	case CMD_NO_MEMORY:
		return no_memory(run, cmd);
	}
	return false;
}

/* Returns false at the end, or if the record is bad. */
static __always_inline bool carry_out(struct mmbox_batch_run *run,
				      const struct cmd *cmd, const bool on_box,
				      const bool detailed)
{
	struct mmbox_slot *slot = cmd->slot;
	void *ptr;

	if (cmd->code > CMD_SPECIAL) {
		if (!slot_claim_filled(slot, cmd->tag))
			return let_pass_empty(run, cmd);
		ptr = slot->ptr;
		slot_empty(slot);
		do_free(run->box, cmd, ptr, on_box);
		return true;
	}
	if (unlikely(cmd->code == CMD_SPECIAL))
		return special(run, cmd);
	if (!slot_claim(slot))
		return false;
	ptr = do_alloc(run->box, cmd, on_box);
	if (unlikely(!ptr)) {
		slot_empty(slot);
		note_failed(run, cmd);
		return true;
	}
	if (detailed)
		note_phys(run, cmd, ptr);
	slot_fill(slot, cmd->tag, ptr);
	return true;
}

/* Returns how many commands were carried out: all, or those before a bad one. */
static __always_inline unsigned int run_cmds(struct mmbox_batch_run *run,
					     const bool on_box)
{
	const struct cmd *cmd = run->cmds;

	while (likely(carry_out(run, cmd, on_box, false)))
		cmd++;
	return cmd - run->cmds;
}

static noinline unsigned int run_on_box(struct mmbox_batch_run *run)
{
	return run_cmds(run, true);
}

static noinline unsigned int run_on_host(struct mmbox_batch_run *run)
{
	return run_cmds(run, false);
}

/* The same with a result for each, and its time if asked for. */
static noinline unsigned int run_detailed(struct mmbox_batch_run *run)
{
	unsigned int i;

	for (i = 0; ; i++) {
		struct mmbox_result *result = &run->results[i];
		u64 ns = 0;
		bool done;

		*result = (struct mmbox_result){ .phys = MMBOX_PHYS_NONE };
		if (run->latency)
			ns = ktime_get_ns();
		if (on_box(run->session))
			done = carry_out(run, &run->cmds[i], true, true);
		else
			done = carry_out(run, &run->cmds[i], false, true);
		if (!done)
			break;
		if (run->latency)
			result->ns = min_t(u64, ktime_get_ns() - ns, U32_MAX);
	}
	return i;
}

/* Pages in blocks that the chunk's commands come to, if none fails. */
static void tally_begin(struct mmbox_batch_run *run)
{
	unsigned int i;

	memset(&run->tally, 0, sizeof(run->tally));
	for (i = 0; i < run->nr_cmds; i++) {
		const struct cmd *cmd = &run->cmds[i];

		if (cmd->code == CMD_PAGES_ALLOC)
			run->tally.pages += 1L << cmd->order;
		else if (cmd->code == CMD_PAGES_FREE)
			run->tally.pages -= 1L << cmd->order;
	}
}

static void tally_end(struct mmbox_batch_run *run, unsigned int nr_done)
{
	struct mmbox_session *session = run->session;
	unsigned int i;

	run->tally.nr_ops = nr_done;
	/* Those that failed have been taken off already, bulks counted as they went. */
	for (i = 0; i < nr_done; i++) {
		const struct cmd *cmd = &run->cmds[i];

		if (cmd->code != CMD_SPECIAL)
			count_held(run, cmd->tag, cmd->code < CMD_SPECIAL ? 1 : -1);
	}
	for (i = nr_done; i < run->nr_cmds; i++) {
		const struct cmd *cmd = &run->cmds[i];

		if (cmd->code == CMD_PAGES_ALLOC)
			run->tally.pages -= 1L << cmd->order;
		else if (cmd->code == CMD_PAGES_FREE)
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

/* ---- control records: caches ---- */

/* A name that slabinfo can show: something, and no blanks in it. */
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

/* What can be told of a cache to be without the session; @name is filled in. */
static int check_cache(const struct mmbox_op *op, char *name)
{
	if (op->flags & ~MMBOX_CACHE_ALL || op->size < sizeof(void *) ||
	    op->size > MMBOX_OBJECT_MAX || op->align > PAGE_SIZE ||
	    (op->align && !is_power_of_2(op->align)))
		return -EINVAL;
	return copy_cache_name(name, op->name);
}

static int control(struct mmbox_batch_run *run, const struct mmbox_op *op,
		   struct mmbox_result *result, u64 *ns)
{
	struct mmbox_session *session = run->session;
	char name[MMBOX_UAPI_NAME_LEN];
	u64 start;
	int err = 0;

	*result = (struct mmbox_result){ .phys = MMBOX_PHYS_NONE };
	memset(&run->tally, 0, sizeof(run->tally));
	if (!fields_ok(op))
		return -EINVAL;
	if (op->code == MMBOX_OP_CACHE_CREATE)
		err = check_cache(op, name);
	if (err)
		return err;
	/* Each may take long, and the semaphore minds signals only if it waits. */
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

/* The order of the blocks that such an allocation takes. Under session->sem. */
static unsigned int block_order(struct mmbox_batch_run *run, const struct mmbox_op *op)
{
	const struct mmbox_kmem_cache *cachep = run->session->caches[op->cache].cachep;

	if (op->code == MMBOX_OP_PAGES_ALLOC)
		return op->order;
	if (op->code == MMBOX_OP_KMALLOC && op->size > run->box->cfg.kmalloc_max)
		return get_order(op->size);
	if (op->code == MMBOX_OP_KMALLOC)
		cachep = mmbox_kmalloc_slab(run->box, op->size, decode_gfp(run, op->flags));
	return cachep->gfporder;
}

/*
 * Printing takes longer than many an allocation, so a chunk's first failure is told
 * when its time has been taken.
 */
static noinline void tell_of_failed(struct mmbox_batch_run *run, unsigned int order)
{
	gfp_t gfp = decode_gfp(run, run->failed->flags) & ~__GFP_NOWARN;

	run->box->observer->alloc_failed(run->box, gfp, order);
}

/*
 * Carry out the longest run of records that needs no change of caches.
 * Returns 0 or why the batch ends after run->tally.nr_ops of them.
 */
static int data(struct mmbox_batch_run *run, const struct mmbox_op *ops,
		unsigned int nr, u64 *ns)
{
	struct mmbox_session *session = run->session;
	unsigned int order = 0;
	size_t promised = 0;
	unsigned int done;
	u64 start;
	int err;

	memset(&run->tally, 0, sizeof(run->tally));
	/* As above: a chunk may be cut short. */
	if (fatal_signal_pending(current) || down_read_killable(&session->sem))
		return -EINTR;
	if (!on_box(session))
		promised = mmbox_session_host_begin(session);
	run->room = on_box(session) ? MMBOX_CHUNK_BYTES : promised;
	err = decode_chunk(run, ops, nr);
	mmbox_session_note_use(session);
	run->chunk = ops;
	run->failed = NULL;
	tally_begin(run);

	start = ktime_get_ns();
	if (run->want_results)
		done = run_detailed(run);
	else if (on_box(session))
		done = run_on_box(run);
	else
		done = run_on_host(run);
	*ns = ktime_get_ns() - start;

	tally_end(run, done);
	if (promised)
		mmbox_session_host_end(session, promised);
	if (!on_box(session))
		run->failed = NULL;
	if (run->failed)
		order = block_order(run, run->failed);
	up_read(&session->sem);
	if (run->failed)
		tell_of_failed(run, order);
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

		if (is_control(&run->ops[at]))
			err = control(run, &run->ops[at], &run->results[0], &ns);
		else
			err = data(run, &run->ops[at], nr - at, &ns);
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

/* Returns how many of the next @nr records there are. */
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
 * mmbox_batch_end() - free what a session keeps for its next batch
 * @session: the session, which has no more batches
 *
 * Context: process, may sleep.
 */
void mmbox_batch_end(struct mmbox_session *session)
{
	free_run(session, xchg(&session->spare_run, NULL));
}

/* Small batches are frequent, and a run is large: one waits for the next batch. */
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
 * @batch: as given by the program; what is written back to it is filled in
 *
 * Context: process, may sleep.
 * Return: 0 if all were carried out; -EINVAL at a bad record; -EFAULT, -EINTR
 * (killed) or -ENOMEM (none for handles). @batch->nr_done says how far it came.
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
