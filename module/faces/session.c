// SPDX-License-Identifier: GPL-2.0
/*
 * A session: the state of an open /dev/mmbox/<box>.
 *
 * Handles index a table of slots in segments. A segment is allocated when one of its
 * handles is first used, and stays until the session ends. Caches are few and have an
 * array. Everything in a session comes from one target (target.h), which can change
 * only while the session holds nothing.
 */
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "faces/faces.h"
#include "faces/session.h"
#include "faces/target.h"

static void level_start(struct mmbox_level *level, long pages)
{
	level->start = pages;
	level->now = pages;
	level->peak = pages;
}

static void level_set(struct mmbox_level *level, long pages)
{
	level->now = pages;
	level->peak = max(level->peak, pages);
}

static void restart_figures(struct mmbox_session *session)
{
	long slab_pages;

	spin_lock(&session->stat_lock);
	session->nr_ops = 0;
	session->nr_failed = 0;
	session->nr_empty = 0;
	session->block_pages = 0;
	slab_pages = session->target->slab_pages(session->box);
	level_start(&session->slab_pages, slab_pages);
	level_start(&session->pages, session->target->used_pages(session, slab_pages));
	spin_unlock(&session->stat_lock);
}

/**
 * mmbox_session_sample() - add the statistics of a chunk to the session's
 * @session: the session
 * @tally: statistics of the chunk
 *
 * Context: process, session->sem held.
 */
void mmbox_session_sample(struct mmbox_session *session,
			  const struct mmbox_tally *tally)
{
	long slab_pages;

	spin_lock(&session->stat_lock);
	session->nr_ops += tally->nr_ops;
	session->nr_failed += tally->nr_failed;
	session->nr_empty += tally->nr_empty;
	session->block_pages += tally->pages;
	slab_pages = session->target->slab_pages(session->box);
	level_set(&session->slab_pages, slab_pages);
	level_set(&session->pages, session->target->used_pages(session, slab_pages));
	spin_unlock(&session->stat_lock);
}

/**
 * mmbox_session_stat() - report a session's statistics
 * @session: the session
 * @stat: filled in
 *
 * Context: process, may sleep.
 * Return: 0, or -EINTR if killed.
 */
int mmbox_session_stat(struct mmbox_session *session, struct mmbox_stat *stat)
{
	static const struct mmbox_tally nothing;
	struct mmbox *box = session->box;
	int i;

	memset(stat, 0, sizeof(*stat));
	if (down_read_killable(&session->sem))
		return -EINTR;
	mmbox_session_sample(session, &nothing);
	stat->target = session->target->id;
	up_read(&session->sem);

	spin_lock(&session->stat_lock);
	stat->slab_pages = session->slab_pages.now;
	stat->slab_pages_start = session->slab_pages.start;
	stat->slab_pages_peak = session->slab_pages.peak;
	stat->pages = session->pages.now;
	stat->pages_start = session->pages.start;
	stat->pages_peak = session->pages.peak;
	stat->nr_ops = session->nr_ops;
	stat->nr_failed = session->nr_failed;
	stat->nr_empty = session->nr_empty;
	spin_unlock(&session->stat_lock);

	stat->sample = MMBOX_CHUNK;
	for (i = 0; i < MMBOX_NR_BAD; i++)
		stat->nr_refused += atomic_long_read(&box->faces.bad[i]);
	stat->host_bytes = atomic_long_read(&box->host.bytes);
	return 0;
}

/**
 * mmbox_session_find_slot() - find the slot of a handle that is to be freed
 * @session: the session
 * @handle: below MMBOX_NR_HANDLES
 *
 * Allocates no memory, even for a handle that was never used.
 *
 * Context: any.
 * Return: the slot; if its segment does not exist, a slot that is always empty.
 */
struct mmbox_slot *mmbox_session_find_slot(struct mmbox_session *session, u32 handle)
{
	struct mmbox_slot *slots = READ_ONCE(session->segments[handle >> MMBOX_SLOT_SHIFT]);

	if (!slots)
		return &session->empty_slot;
	return &slots[handle & (MMBOX_SEGMENT_SLOTS - 1)];
}

/**
 * mmbox_session_slot() - find the slot of a handle that is to be filled
 * @session: the session
 * @handle: below MMBOX_NR_HANDLES
 *
 * Context: process, may sleep.
 * Return: the slot, or NULL if there was no memory for its segment.
 */
struct mmbox_slot *mmbox_session_slot(struct mmbox_session *session, u32 handle)
{
	struct mmbox_slot **segment = &session->segments[handle >> MMBOX_SLOT_SHIFT];
	const size_t bytes = MMBOX_SEGMENT_SLOTS * sizeof(**segment);
	struct mmbox_slot *slots = READ_ONCE(*segment);

	if (unlikely(!slots)) {
		struct mmbox_slot *other;

		slots = mmbox_host_zalloc(&session->box->host, bytes,
					  "handles of a session");
		if (!slots)
			return NULL;
		other = cmpxchg(segment, NULL, slots);
		if (other) {
			mmbox_host_free(&session->box->host, slots, bytes);
			slots = other;
		}
	}
	return &slots[handle & (MMBOX_SEGMENT_SLOTS - 1)];
}

static bool any_cache(const struct mmbox_session *session)
{
	unsigned int i;

	for (i = 0; i < MMBOX_NR_CACHE_HANDLES; i++)
		if (session->caches[i].cachep)
			return true;
	return false;
}

/**
 * mmbox_session_note_use() - count a session as a user of the box
 * @session: a session about to carry out an operation
 *
 * Each session is counted once, when it first uses the box as its target.
 *
 * Context: process; session->sem held.
 */
void mmbox_session_note_use(struct mmbox_session *session)
{
	if (session->target->id == MMBOX_TARGET_BOX && !READ_ONCE(session->has_used_box) &&
	    !xchg(&session->has_used_box, true))
		atomic_inc(&session->box->faces.nr_users);
}

/**
 * mmbox_session_set_target() - choose between the box and the host
 * @session: the session
 * @target: the allocators to use from now on
 *
 * Context: process, may sleep.
 * Return: 0, -EBUSY while the session holds anything, -EINTR if killed.
 */
int mmbox_session_set_target(struct mmbox_session *session,
			     const struct mmbox_target_ops *target)
{
	int err = 0;

	if (down_write_killable(&session->sem))
		return -EINTR;
	if (any_cache(session) || atomic_long_read(&session->nr_held)) {
		err = -EBUSY;
	} else {
		session->target = target;
		restart_figures(session);
	}
	up_write(&session->sem);
	return err;
}

/**
 * mmbox_session_cache_create() - create a cache
 * @session: the session
 * @handle: its handle, below MMBOX_NR_CACHE_HANDLES
 * @name: its name, copied
 * @size: bytes per object
 * @align: bytes, a power of two, or 0
 * @flags: MMBOX_CACHE_*
 *
 * Context: process, session->sem held for writing.
 * Return: 0, -EINVAL if the handle is in use or the box refuses such a cache,
 * -ENOMEM.
 */
int mmbox_session_cache_create(struct mmbox_session *session, u16 handle,
			       const char *name, unsigned int size,
			       unsigned int align, u32 flags)
{
	struct mmbox_session_cache *cache = &session->caches[handle];
	slab_flags_t slab_flags = 0;
	void *cachep;

	if (cache->cachep)
		return -EINVAL;
	if (flags & MMBOX_CACHE_HWCACHE_ALIGN)
		slab_flags |= SLAB_HWCACHE_ALIGN;
	if (flags & MMBOX_CACHE_RECLAIM_ACCOUNT)
		slab_flags |= SLAB_RECLAIM_ACCOUNT;
	cachep = session->target->cache_create(session, cache, name, size, align, slab_flags);
	if (IS_ERR(cachep))
		return PTR_ERR(cachep) == -ENOMEM ? -ENOMEM : -EINVAL;
	cache->cachep = cachep;
	cache->size = size;
	return 0;
}

static int destroy_cache(struct mmbox_session *session, struct mmbox_session_cache *cache)
{
	int err = session->target->cache_destroy(session->box, cache->cachep);

	if (!err)
		cache->cachep = NULL;
	return err;
}

/**
 * mmbox_session_cache_destroy() - destroy a cache that has no objects
 * @session: the session
 * @handle: its handle, below MMBOX_NR_CACHE_HANDLES
 *
 * Context: process, session->sem held for writing.
 * Return: 0; -EINVAL if there is no such cache or the session has objects of it; or
 * an error of the target.
 */
int mmbox_session_cache_destroy(struct mmbox_session *session, u16 handle)
{
	struct mmbox_session_cache *cache = &session->caches[handle];

	if (!cache->cachep || atomic_long_read(&cache->nr_held))
		return -EINVAL;
	return destroy_cache(session, cache);
}

/**
 * mmbox_session_cache_shrink() - free a cache's empty slabs
 * @session: the session
 * @handle: its handle, below MMBOX_NR_CACHE_HANDLES
 *
 * Context: process, session->sem held for writing.
 * Return: 0, or -EINVAL if there is no such cache.
 */
int mmbox_session_cache_shrink(struct mmbox_session *session, u16 handle)
{
	struct mmbox_session_cache *cache = &session->caches[handle];

	if (!cache->cachep)
		return -EINVAL;
	session->target->cache_shrink(cache->cachep);
	return 0;
}

static void free_slot(struct mmbox_session *session, struct mmbox_slot *slot)
{
	const struct mmbox_target_ops *target = session->target;
	const unsigned int low = slot->tag & 0xffff;

	switch (slot->tag & ~0xffffU) {
	case 0:
		target->free_object(session->box, slot->ptr);
		break;
	case MMBOX_TAG_PAGES(0):
		target->free_pages(session->box, slot->ptr, low);
		break;
	case MMBOX_TAG_CACHE(0):
		target->cache_free(session->caches[low].cachep, slot->ptr);
		break;
	}
}

/**
 * mmbox_session_create() - create a session
 * @box: the box; the caller keeps a reference until the session is destroyed
 * @id: number, unique among the sessions of the box
 * @target: the allocators to use at first
 *
 * Context: process, may sleep.
 * Return: the session, or NULL if there is no memory for it.
 */
struct mmbox_session *mmbox_session_create(struct mmbox *box, unsigned int id,
					   const struct mmbox_target_ops *target)
{
	struct mmbox_session *session;

	session = mmbox_host_zalloc(&box->host, sizeof(*session), "session");
	if (!session)
		return NULL;
	session->box = box;
	session->id = id;
	session->target = target;
	init_rwsem(&session->sem);
	spin_lock_init(&session->stat_lock);
	restart_figures(session);
	return session;
}

/**
 * mmbox_session_destroy() - destroy a session and free everything it holds
 * @session: the session, after mmbox_batch_end()
 *
 * Context: process, may sleep; the caller has the only reference.
 */
void mmbox_session_destroy(struct mmbox_session *session)
{
	struct mmbox_host *host = &session->box->host;
	unsigned int i, j;

	for (i = 0; i < MMBOX_NR_SEGMENTS; i++) {
		struct mmbox_slot *slots = session->segments[i];

		if (!slots)
			continue;
		for (j = 0; j < MMBOX_SEGMENT_SLOTS; j++)
			if (slots[j].tag)
				free_slot(session, &slots[j]);
		mmbox_host_free(host, slots, MMBOX_SEGMENT_SLOTS * sizeof(*slots));
		cond_resched();
	}
	for (i = 0; i < MMBOX_NR_CACHE_HANDLES; i++)
		if (session->caches[i].cachep)
			destroy_cache(session, &session->caches[i]);
	mmbox_host_free(host, session, sizeof(*session));
}
