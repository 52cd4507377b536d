/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An open /dev/mmbox/<box> is a session: it has handles for what it has allocated, and
 * statistics.
 */
#ifndef _MMBOX_SESSION_H
#define _MMBOX_SESSION_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <uapi/mmbox.h>

struct mmbox;
struct mmbox_batch_run;
struct mmbox_target_ops;

#define MMBOX_NR_CACHE_HANDLES	1024
#define MMBOX_SLOT_SHIFT	12	/* slots of a segment, log2 */
#define MMBOX_SEGMENT_SLOTS	BIT(MMBOX_SLOT_SHIFT)
#define MMBOX_NR_SEGMENTS	4096U
#define MMBOX_NR_HANDLES	(MMBOX_NR_SEGMENTS * MMBOX_SEGMENT_SLOTS)
#define MMBOX_BULK_MAX		64U
#define MMBOX_OBJECT_MAX	(128U << 10)	/* bytes, of a session's caches */
#define MMBOX_CHUNK		512U	/* most operations of a chunk, */
#define MMBOX_CHUNK_BYTES	(32UL << 20)	/* and most bytes, except for a single operation */
#define MMBOX_NR_HOST_CACHES	4096	/* in all sessions together */

/*
 * What a handle refers to. @tag says how it was allocated, and so how it may be freed:
 * a wrong free never reaches an allocator. The thread that sets @tag to MMBOX_TAG_BUSY
 * owns the slot.
 */
struct mmbox_slot {
	void *ptr;		/* object, or descriptor of the first page */
	u32 tag;		/* MMBOX_TAG_*, 0: empty */
};

#define MMBOX_TAG_KMALLOC	1U
#define MMBOX_TAG_PAGES(order)	(0x10000U | (order))
#define MMBOX_TAG_CACHE(handle)	(0x20000U | (handle))
#define MMBOX_TAG_BUSY		U32_MAX

struct mmbox_session_cache {
	void *cachep;		/* of the target; NULL: the handle is free */
	atomic_long_t nr_held;	/* objects; exact while session->sem is not held */
	unsigned int size;	/* bytes, of an object */
	char name[MMBOX_UAPI_NAME_LEN + 32];	/* names in the host have a prefix */
};

/* Pages of the target, at the start of the session and since. */
struct mmbox_level {
	long start;
	long now;
	long peak;
};

struct mmbox_session {
	struct mmbox *box;
	unsigned int id;		/* unique among the sessions of the box */

	/*
	 * Held for reading while operations run, for writing while caches or the target
	 * change. It is always taken killably, and never held across an access to user
	 * space, which may block forever.
	 */
	struct rw_semaphore sem;
	const struct mmbox_target_ops *target;	/* sem */
	struct mmbox_session_cache caches[MMBOX_NR_CACHE_HANDLES];	/* sem */
	atomic_long_t nr_held;		/* slots filled; exact while sem is not held */
	struct mmbox_slot *segments[MMBOX_NR_SEGMENTS];	/* set once, by cmpxchg */
	struct mmbox_slot empty_slot;	/* stands for all slots of missing segments, never filled */
	bool has_used_box;		/* counted in faces.nr_users; xchg */
	struct mmbox_batch_run *spare_run;	/* buffer for the next batch; xchg */

	spinlock_t stat_lock;		/* all below */
	struct mmbox_level slab_pages;
	struct mmbox_level pages;
	long block_pages;		/* pages in the blocks that it holds */
	u64 nr_ops;
	u64 nr_failed;
	u64 nr_empty;
};

/* Statistics of one chunk of operations. */
struct mmbox_tally {
	unsigned int nr_ops;
	unsigned int nr_failed;		/* allocations without memory */
	unsigned int first_failed;	/* index in the chunk, if any */
	unsigned int nr_empty;		/* frees of empty handles that were ignored */
	long pages;			/* pages in blocks: allocated minus freed */
	long held;			/* slots: filled minus emptied */
};

/* session.c */
struct mmbox_session *mmbox_session_create(struct mmbox *box, unsigned int id,
					   const struct mmbox_target_ops *target);
void mmbox_session_destroy(struct mmbox_session *session);
void mmbox_session_note_use(struct mmbox_session *session);
int mmbox_session_set_target(struct mmbox_session *session,
			     const struct mmbox_target_ops *target);
struct mmbox_slot *mmbox_session_slot(struct mmbox_session *session, u32 handle);
struct mmbox_slot *mmbox_session_find_slot(struct mmbox_session *session, u32 handle);
int mmbox_session_cache_create(struct mmbox_session *session, u16 handle,
			       const char *name, unsigned int size,
			       unsigned int align, u32 flags);
int mmbox_session_cache_destroy(struct mmbox_session *session, u16 handle);
int mmbox_session_cache_shrink(struct mmbox_session *session, u16 handle);
void mmbox_session_sample(struct mmbox_session *session,
			  const struct mmbox_tally *tally);
int mmbox_session_stat(struct mmbox_session *session, struct mmbox_stat *stat);

#endif /* _MMBOX_SESSION_H */
