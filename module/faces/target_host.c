// SPDX-License-Identifier: GPL-2.0
/*
 * The host's own allocators as the target of a session, to compare the box with.
 *
 * The host must not suffer from it. Scarce memory is left alone: low zones, movable
 * memory (pages of a session cannot be moved) and the reserves. The task's memory cgroup
 * is charged. An operation fails before it invokes the OOM killer; for this each chunk
 * reserves the memory that it may take before it begins.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/vmstat.h>

#include "faces/batch_run.h"
#include "faces/faces.h"
#include "faces/target.h"

#define HOST_GFP_NEVER	(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM |	\
			 __GFP_MOVABLE | __GFP_HIGH)
#define HOST_GFP_ALWAYS	(__GFP_NOWARN | __GFP_NORETRY | __GFP_ACCOUNT)

/* A merged cache would share slabs with others, and distort the comparison. */
#ifdef SLAB_NO_MERGE
#define HOST_UNMERGED	SLAB_NO_MERGE
#else
/*
 * There is no such flag before 6.5. But SLUB does not merge caches with
 * SLAB_NOLEAKTRACE either, and that flag changes neither layout nor paths.
 */
#define HOST_UNMERGED	SLAB_NOLEAKTRACE
#endif

/* ---- limits of requests ---- */

static size_t host_kmalloc_limit(const struct mmbox *box)
{
	return KMALLOC_MAX_SIZE;
}

static unsigned int host_nr_orders(const struct mmbox *box)
{
	return MMBOX_HOST_MAX_ORDER + 1;
}

static bool host_node_exists(const struct mmbox *box, int nid)
{
	return nid < MAX_NUMNODES && node_online(nid);
}

static gfp_t host_limit_gfp(gfp_t gfp)
{
	return (gfp & ~HOST_GFP_NEVER) | HOST_GFP_ALWAYS;
}

/* An upper bound: even a single object may take a new slab. */
static size_t host_object_bytes(size_t bytes)
{
	return 2 * bytes + 8 * PAGE_SIZE;
}

/* ---- a chunk of a batch ---- */

/*
 * Bytes that sessions may still allocate from the host, without the @promised bytes.
 * An eighth of the host's memory stays free for others: if sessions took everything,
 * the next allocation of any task would invoke the OOM killer.
 */
static size_t host_room(const struct mmbox *box, size_t promised)
{
	long pages = si_mem_available() - (long)(totalram_pages() / 8);
	size_t room = pages > 0 ? (size_t)pages << PAGE_SHIFT : 0;

	return room > promised ? room - promised : 0;
}

static size_t host_begin(struct mmbox *box)
{
	const size_t most = max(MMBOX_CHUNK_BYTES, 4 * PAGE_SIZE << MMBOX_HOST_MAX_ORDER);
	long promised = atomic_long_read(&box->faces.host_promised);
	size_t bytes;

	do {
		bytes = min(host_room(box, promised), most);
	} while (!atomic_long_try_cmpxchg(&box->faces.host_promised, &promised, promised + bytes));
	return bytes;
}

/* By now si_mem_available() reflects what the chunk has allocated. */
static void host_end(struct mmbox *box, size_t room)
{
	atomic_long_sub(room, &box->faces.host_promised);
}

/* Most frequent first. A switch may become a jump table, which costs a retpoline. */
static __always_inline void *host_alloc(struct mmbox *box, const struct mmbox_cmd *cmd)
{
	if (cmd->code == MMBOX_CMD_CACHE_ALLOC)
		return kmem_cache_alloc(cmd->cachep, cmd->gfp);
	if (cmd->code == MMBOX_CMD_KMALLOC)
		return kmalloc(cmd->size, cmd->gfp);
	if (cmd->code == MMBOX_CMD_PAGES_ALLOC)
		return alloc_pages_node(cmd->nid, cmd->gfp, cmd->order);
	if (cmd->code == MMBOX_CMD_KMALLOC_NODE)
		return kmalloc_node(cmd->size, cmd->gfp, cmd->nid);
	/* MMBOX_CMD_CACHE_ALLOC_NODE */
	return kmem_cache_alloc_node(cmd->cachep, cmd->gfp, cmd->nid);
}

static __always_inline void host_free(struct mmbox *box, const struct mmbox_cmd *cmd, void *ptr)
{
	if (cmd->code == MMBOX_CMD_CACHE_FREE)
		kmem_cache_free(cmd->cachep, ptr);
	else if (cmd->code == MMBOX_CMD_KFREE)
		kfree(ptr);
	else	/* MMBOX_CMD_PAGES_FREE */
		__free_pages(ptr, cmd->order);
}

static unsigned int host_run(struct mmbox_batch_run *run)
{
	return mmbox_run_cmds(run, host_alloc, host_free);
}

static unsigned int host_run_detailed(struct mmbox_batch_run *run)
{
	return mmbox_run_cmds_detailed(run, host_alloc, host_free);
}

static bool host_alloc_bulk(void *cachep, gfp_t gfp, unsigned int nr, void **objs)
{
	return kmem_cache_alloc_bulk(cachep, gfp, nr, objs);
}

static void host_free_bulk(void *cachep, unsigned int nr, void **objs)
{
	kmem_cache_free_bulk(cachep, nr, objs);
}

/* ---- single frees ---- */

static void host_free_object(struct mmbox *box, void *ptr)
{
	kfree(ptr);
}

static void host_free_pages(struct mmbox *box, void *ptr, unsigned int order)
{
	__free_pages(ptr, order);
}

static void host_cache_free(void *cachep, void *ptr)
{
	kmem_cache_free(cachep, ptr);
}

/* ---- caches ---- */

/* Caches are not charged to a cgroup, and a failure makes the kernel dump a stack. */
static void *host_cache_create(struct mmbox_session *session, struct mmbox_session_cache *cache,
			       const char *name, unsigned int size, unsigned int align,
			       slab_flags_t flags)
{
	struct mmbox *box = session->box;
	void *cachep;

	if (mmbox_host_should_fail(&box->host, "cache of a session") ||
	    !host_room(box, atomic_long_read(&box->faces.host_promised)))
		return ERR_PTR(-ENOMEM);
	if (!atomic_add_unless(&box->faces.nr_host_caches, 1, MMBOX_NR_HOST_CACHES))
		return ERR_PTR(-ENOMEM);
	/* Names of the host's caches must be unique. */
	snprintf(cache->name, sizeof(cache->name), "%s:%u:%zu:%s",
		 box->name, session->id, cache - session->caches, name);
	cachep = kmem_cache_create(cache->name, size, align, flags | HOST_UNMERGED, NULL);
	if (cachep)
		return cachep;
	atomic_dec(&box->faces.nr_host_caches);
	return ERR_PTR(-ENOMEM);
}

static int host_cache_destroy(struct mmbox *box, void *cachep)
{
	kmem_cache_destroy(cachep);
	atomic_dec(&box->faces.nr_host_caches);
	return 0;
}

static void host_cache_shrink(void *cachep)
{
	kmem_cache_shrink(cachep);
}

/* ---- figures ---- */

/* Per-CPU deltas that are not folded into the host's counter yet. */
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

/* Exact, because the drift of the counters would show in a short replay. */
static long host_slab_pages(const struct mmbox *box)
{
	return global_node_page_state_pages(NR_SLAB_RECLAIMABLE_B) +
	       global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B) +
	       host_unfolded_pages(NR_SLAB_RECLAIMABLE_B) +
	       host_unfolded_pages(NR_SLAB_UNRECLAIMABLE_B);
}

/* The host has other users, so count only the growth since the session began. */
static long host_used_pages(const struct mmbox_session *session, long slab_pages)
{
	return slab_pages - session->slab_pages.start + session->block_pages;
}

const struct mmbox_target_ops mmbox_target_host = {
	.id = MMBOX_TARGET_HOST,
	.kmalloc_limit = host_kmalloc_limit,
	.nr_orders = host_nr_orders,
	.node_exists = host_node_exists,
	.limit_gfp = host_limit_gfp,
	.object_bytes = host_object_bytes,
	.begin = host_begin,
	.end = host_end,
	.room_is_strict = true,
	.run = host_run,
	.run_detailed = host_run_detailed,
	.alloc_bulk = host_alloc_bulk,
	.free_bulk = host_free_bulk,
	.free_object = host_free_object,
	.free_pages = host_free_pages,
	.cache_free = host_cache_free,
	.cache_create = host_cache_create,
	.cache_destroy = host_cache_destroy,
	.cache_shrink = host_cache_shrink,
	.slab_pages = host_slab_pages,
	.used_pages = host_used_pages,
};
