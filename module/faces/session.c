// SPDX-License-Identifier: GPL-2.0
/*
 * A session: what an open /dev/mmbox/<box> holds.
 *
 * The program's handles index a table of slots, which comes into being piece
 * by piece as handles are first used and stays until the session ends. Its
 * caches are few and sit in an array. Both kinds name memory of the box or, so
 * that the two can be compared, of the host's own allocators: the session has
 * one target at a time, and can change it only while it holds nothing.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmstat.h>

#include "faces/faces.h"
#include "faces/session.h"

/* A cache that the host merged with another would share its slabs. */
#ifdef SLAB_NO_MERGE
#define HOST_UNMERGED	SLAB_NO_MERGE
#else
/*
 * Before 6.5 there is no flag that says just this. SLUB leaves alone what has
 * SLAB_NOLEAKTRACE as well, which changes neither layout nor paths.
 */
#define HOST_UNMERGED	SLAB_NOLEAKTRACE
#endif

/* What CPUs have not folded into a counter of the host yet. */
static long host_unfolded_pages(enum node_stat_item item)
{
	long pages = 0;
#ifdef CONFIG_SMP
	int nid, cpu;

	for_each_online_node(nid)
		for_each_online_cpu(cpu)
			pages += per_cpu_ptr(NODE_DATA(nid)->per_cpu_nodestats,
					     cpu)->vm_node_stat_diff[item];
#endif
	return pages;
}

/* Pages in the host's slabs, exactly: that matters where a replay is short. */
static long host_slab_pages(void)
{
	return global_node_page_state_pages(NR_SLAB_RECLAIMABLE_B) +
	       global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B) +
	       host_unfolded_pages(NR_SLAB_RECLAIMABLE_B) +
	       host_unfolded_pages(NR_SLAB_UNRECLAIMABLE_B);
}

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

static void read_levels(struct mmbox_session *session, long *slab_pages,
			long *pages)
{
	struct mmbox *box = session->box;

	if (session->target == MMBOX_TARGET_BOX) {
		*slab_pages = atomic_long_read(&box->slab.nr_slab_pages);
		*pages = mmbox_nr_used_pages(box);
	} else {
		*slab_pages = host_slab_pages();
		*pages = *slab_pages - session->slab_pages.start +
			 session->host_pages;
	}
}

static void restart_figures(struct mmbox_session *session)
{
	long slab_pages, pages;

	spin_lock(&session->stat_lock);
	session->nr_ops = 0;
	session->nr_failed = 0;
	session->nr_empty = 0;
	session->host_pages = 0;
	read_levels(session, &slab_pages, &pages);
	level_start(&session->slab_pages, slab_pages);
	level_start(&session->pages,
		    session->target == MMBOX_TARGET_BOX ? pages : 0);
	spin_unlock(&session->stat_lock);
}

/**
 * mmbox_session_sample() - add a run of operations to a session's figures
 * @session: the session
 * @tally: what the run came to
 *
 * Context: process, session->sem held.
 */
void mmbox_session_sample(struct mmbox_session *session,
			  const struct mmbox_tally *tally)
{
	long slab_pages, pages;

	spin_lock(&session->stat_lock);
	session->nr_ops += tally->nr_ops;
	session->nr_failed += tally->nr_failed;
	session->nr_empty += tally->nr_empty;
	if (session->target == MMBOX_TARGET_HOST)
		session->host_pages += tally->pages;
	read_levels(session, &slab_pages, &pages);
	level_set(&session->slab_pages, slab_pages);
	level_set(&session->pages, pages);
	spin_unlock(&session->stat_lock);
}

/**
 * mmbox_session_stat() - report a session's figures
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
	stat->target = session->target;
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
 * mmbox_session_kmalloc_limit() - the most that one kmalloc can ask for
 * @session: the session
 *
 * Context: any, session->sem held.
 * Return: bytes.
 */
size_t mmbox_session_kmalloc_limit(const struct mmbox_session *session)
{
	if (session->target == MMBOX_TARGET_HOST)
		return KMALLOC_MAX_SIZE;
	return PAGE_SIZE << (session->box->pages.max_order - 1);
}

/**
 * mmbox_session_nr_orders() - how many orders of pages there are
 * @session: the session
 *
 * Context: any, session->sem held.
 * Return: the largest order plus one.
 */
unsigned int mmbox_session_nr_orders(const struct mmbox_session *session)
{
	if (session->target == MMBOX_TARGET_HOST)
		return MMBOX_HOST_MAX_ORDER + 1;
	return session->box->pages.max_order;
}

/*
 * Bytes that the host can give to sessions, with @promised bytes of what it has
 * as good as gone. A part stays for everybody else: who takes all that there is
 * has the OOM killer woken by the next to ask, whoever that is.
 */
static size_t host_room(const struct mmbox *box, size_t promised)
{
	long pages = si_mem_available() - (long)(totalram_pages() / 8);
	size_t room = pages > 0 ? (size_t)pages << PAGE_SHIFT : 0;

	return room > promised ? room - promised : 0;
}

/**
 * mmbox_session_host_begin() - reserve memory of the host for a run of operations
 * @session: the session, whose target is the host
 *
 * Context: process, session->sem held.
 * Return: bytes that the run may take at most, for mmbox_session_host_end().
 */
size_t mmbox_session_host_begin(struct mmbox_session *session)
{
	const size_t most = max(MMBOX_CHUNK_BYTES, 4 * PAGE_SIZE << MMBOX_HOST_MAX_ORDER);
	struct mmbox *box = session->box;
	long promised = atomic_long_read(&box->faces.host_promised);
	size_t bytes;

	do {
		bytes = min(host_room(box, promised), most);
	} while (!atomic_long_try_cmpxchg(&box->faces.host_promised, &promised, promised + bytes));
	return bytes;
}

/**
 * mmbox_session_host_end() - what a run has taken shows, the rest goes back
 * @session: the session
 * @bytes: from mmbox_session_host_begin()
 *
 * Context: process, session->sem held.
 */
void mmbox_session_host_end(struct mmbox_session *session, size_t bytes)
{
	atomic_long_sub(bytes, &session->box->faces.host_promised);
}

/**
 * mmbox_session_find_slot() - find the slot of a handle that is to be freed
 * @session: the session
 * @handle: below MMBOX_NR_HANDLES
 *
 * Looking for what was never allocated takes no memory.
 *
 * Context: any.
 * Return: the slot, or if no handle near this one was ever used one that is
 * empty and stays so.
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
 * Return: the slot, or NULL if there was no memory for its piece of the table.
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
 * mmbox_session_note_use() - the box will not be as it was made any more
 * @session: a session about to carry something out
 *
 * Counts each session with the box as its target once.
 *
 * Context: process; session->sem held.
 */
void mmbox_session_note_use(struct mmbox_session *session)
{
	if (session->target == MMBOX_TARGET_BOX && !READ_ONCE(session->has_used_box) &&
	    !xchg(&session->has_used_box, true))
		atomic_inc(&session->box->faces.nr_users);
}

/**
 * mmbox_session_set_target() - choose between the box and the host
 * @session: the session
 * @target: whose allocators to use from now on
 *
 * Context: process, may sleep.
 * Return: 0, -EBUSY while the session holds anything, -EINTR if killed.
 */
int mmbox_session_set_target(struct mmbox_session *session,
			     enum mmbox_target target)
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

static void *create_for_box(struct mmbox_session *session,
			    struct mmbox_session_cache *cache, const char *name,
			    unsigned int size, unsigned int align,
			    slab_flags_t flags)
{
	strscpy(cache->name, name, sizeof(cache->name));
	return mmbox_kmem_cache_try_create(session->box, cache->name, size,
					   align, flags, NULL);
}

static void *create_for_host(struct mmbox_session *session,
			     struct mmbox_session_cache *cache, const char *name,
			     unsigned int size, unsigned int align,
			     slab_flags_t flags)
{
	struct mmbox *box = session->box;
	void *cachep;

	/*
	 * The kernel does not charge caches to anybody, and complains at length
	 * if it has no memory for one.
	 */
	if (mmbox_host_should_fail(&box->host, "cache of a session") ||
	    !host_room(box, atomic_long_read(&box->faces.host_promised)))
		return ERR_PTR(-ENOMEM);
	if (!atomic_add_unless(&box->faces.nr_host_caches, 1, MMBOX_NR_HOST_CACHES))
		return ERR_PTR(-ENOMEM);
	/* Names of the host's caches may occur once. */
	snprintf(cache->name, sizeof(cache->name), "%s:%u:%zu:%s",
		 box->name, session->id, cache - session->caches, name);
	cachep = kmem_cache_create(cache->name, size, align,
				   flags | HOST_UNMERGED, NULL);
	if (cachep)
		return cachep;
	atomic_dec(&box->faces.nr_host_caches);
	return ERR_PTR(-ENOMEM);
}

/**
 * mmbox_session_cache_create() - create a cache
 * @session: the session
 * @handle: its handle, below MMBOX_NR_CACHE_HANDLES
 * @name: its name, copied
 * @size: bytes an object
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
	if (session->target == MMBOX_TARGET_BOX)
		cachep = create_for_box(session, cache, name, size, align,
					slab_flags);
	else
		cachep = create_for_host(session, cache, name, size, align,
					 slab_flags);
	if (IS_ERR(cachep))
		return PTR_ERR(cachep) == -ENOMEM ? -ENOMEM : -EINVAL;
	cache->cachep = cachep;
	cache->size = size;
	return 0;
}

static int destroy_cache(struct mmbox_session *session,
			 struct mmbox_session_cache *cache)
{
	if (session->target == MMBOX_TARGET_BOX) {
		int err = mmbox_kmem_cache_destroy(cache->cachep);

		if (err)
			return err;
	} else {
		kmem_cache_destroy(cache->cachep);
		atomic_dec(&session->box->faces.nr_host_caches);
	}
	cache->cachep = NULL;
	return 0;
}

/**
 * mmbox_session_cache_destroy() - destroy a cache that has no objects
 * @session: the session
 * @handle: its handle, below MMBOX_NR_CACHE_HANDLES
 *
 * Context: process, session->sem held for writing.
 * Return: 0, -EINVAL if there is no such cache or the session has objects of
 * it, or the error of the box.
 */
int mmbox_session_cache_destroy(struct mmbox_session *session, u16 handle)
{
	struct mmbox_session_cache *cache = &session->caches[handle];

	if (!cache->cachep || atomic_long_read(&cache->nr_held))
		return -EINVAL;
	return destroy_cache(session, cache);
}

/**
 * mmbox_session_cache_shrink() - give a cache's empty slabs back
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
	/* What they return is whether anything is left, and no error. */
	if (session->target == MMBOX_TARGET_BOX)
		mmbox_kmem_cache_shrink(cache->cachep);
	else
		kmem_cache_shrink(cache->cachep);
	return 0;
}

static void free_slot(struct mmbox_session *session, struct mmbox_slot *slot)
{
	const bool on_box = session->target == MMBOX_TARGET_BOX;
	const unsigned int low = slot->tag & 0xffff;

	switch (slot->tag & ~0xffffU) {
	case 0:
		if (on_box)
			mmbox_kfree(session->box, slot->ptr);
		else
			kfree(slot->ptr);
		break;
	case MMBOX_TAG_PAGES(0):
		if (on_box)
			__mmbox_free_pages(session->box, slot->ptr, low);
		else
			__free_pages(slot->ptr, low);
		break;
	case MMBOX_TAG_CACHE(0):
		if (on_box)
			mmbox_kmem_cache_free(session->caches[low].cachep,
					      slot->ptr);
		else
			kmem_cache_free(session->caches[low].cachep, slot->ptr);
		break;
	}
}

/**
 * mmbox_session_create() - begin a session on the box
 * @box: the box; the caller's reference lasts as long as the session
 * @id: a number that no other session of the box has
 *
 * Context: process, may sleep.
 * Return: the session, or NULL if there is no memory for it.
 */
struct mmbox_session *mmbox_session_create(struct mmbox *box, unsigned int id)
{
	struct mmbox_session *session;

	session = mmbox_host_zalloc(&box->host, sizeof(*session), "session");
	if (!session)
		return NULL;
	session->box = box;
	session->id = id;
	session->target = MMBOX_TARGET_BOX;
	init_rwsem(&session->sem);
	spin_lock_init(&session->stat_lock);
	restart_figures(session);
	return session;
}

/**
 * mmbox_session_destroy() - free all that a session holds, and end it
 * @session: the session, after mmbox_batch_end()
 *
 * Context: process, may sleep; nobody else uses the session any more.
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
