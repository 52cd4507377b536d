/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whose allocators a session uses: those of the box or, to compare, those of the
 * host. Each target is a file, target_*.c, behind this table.
 */
#ifndef _MMBOX_TARGET_H
#define _MMBOX_TARGET_H

#include <linux/gfp.h>
#include <linux/slab.h>
#include <linux/types.h>

#include <uapi/mmbox.h>

struct mmbox;
struct mmbox_batch_run;
struct mmbox_session;
struct mmbox_session_cache;

struct mmbox_target_ops {
	enum mmbox_target id;

	/* ---- what may be asked for ---- */
	/* The most that one kmalloc can ask for, in bytes. */
	size_t (*kmalloc_limit)(const struct mmbox *box);
	/* Orders of pages there are: the largest plus one. */
	unsigned int (*nr_orders)(const struct mmbox *box);
	/* @nid is not negative. */
	bool (*node_exists)(const struct mmbox *box, int nid);
	/* The caller's flags, without what it may not use and with what it must. */
	gfp_t (*limit_gfp)(gfp_t gfp);
	/* Bytes that may be taken for objects of so many bytes. */
	size_t (*object_bytes)(size_t bytes);

	/* ---- a chunk of a batch; session->sem is held ---- */
	/* Reserves memory for it; returns how many bytes it may take, for end(). */
	size_t (*begin)(struct mmbox *box);
	void (*end)(struct mmbox *box, size_t room);
	/* A single allocation that needs more than begin() returned fails. */
	bool room_is_strict;
	/* Returns how many commands were carried out: all, or those before a bad one. */
	unsigned int (*run)(struct mmbox_batch_run *run);
	/* The same with a result for each. */
	unsigned int (*run_detailed)(struct mmbox_batch_run *run);
	/* Returns false if there is no memory, and then nothing was allocated. */
	bool (*alloc_bulk)(void *cachep, gfp_t gfp, unsigned int nr, void **objs);
	void (*free_bulk)(void *cachep, unsigned int nr, void **objs);
	/* Physical address in the box. NULL: it lies elsewhere. */
	phys_addr_t (*phys)(const struct mmbox *box, const void *ptr, bool is_page);
	/* Order of the block that a failed allocation needed. NULL: the log says nothing. */
	unsigned int (*failed_order)(const struct mmbox_batch_run *run,
				     const struct mmbox_op *op);

	/* ---- single frees, when a session ends ---- */
	void (*free_object)(struct mmbox *box, void *ptr);
	void (*free_pages)(struct mmbox *box, void *ptr, unsigned int order);
	void (*cache_free)(void *cachep, void *ptr);

	/* ---- caches; session->sem is held for writing ---- */
	/* Fills in @cache->name. Returns the cache or an ERR_PTR(). */
	void *(*cache_create)(struct mmbox_session *session, struct mmbox_session_cache *cache,
			      const char *name, unsigned int size, unsigned int align,
			      slab_flags_t flags);
	/* Returns 0 or why it stays. */
	int (*cache_destroy)(struct mmbox *box, void *cachep);
	void (*cache_shrink)(void *cachep);

	/* ---- figures ---- */
	/* Pages in slabs. */
	long (*slab_pages)(const struct mmbox *box);
	/* Pages in use, of which @slab_pages are in slabs. Under session->stat_lock. */
	long (*used_pages)(const struct mmbox_session *session, long slab_pages);
};

extern const struct mmbox_target_ops mmbox_target_box;
extern const struct mmbox_target_ops mmbox_target_host;

#endif /* _MMBOX_TARGET_H */
