// SPDX-License-Identifier: GPL-2.0
/*
 * The box as the target of a session.
 */
#include <linux/mm.h>

#include "faces/batch_run.h"
#include "faces/faces.h"
#include "faces/target.h"

/* ---- limits of requests ---- */

static size_t box_kmalloc_limit(const struct mmbox *box)
{
	return PAGE_SIZE << (box->pages.max_order - 1);
}

static unsigned int box_nr_orders(const struct mmbox *box)
{
	return box->pages.max_order;
}

static bool box_node_exists(const struct mmbox *box, int nid)
{
	return nid < box->nr_nodes;
}

/* run_data() in batch.c reports a failure after the clock has stopped. */
static gfp_t box_limit_gfp(gfp_t gfp)
{
	return gfp | __GFP_NOWARN;
}

static size_t box_object_bytes(size_t bytes)
{
	return bytes;
}

/* ---- a chunk of a batch ---- */

/* Allocations from the box take nothing from the host, so reserve nothing. */
static size_t box_begin(struct mmbox *box)
{
	return MMBOX_CHUNK_BYTES;
}

static void box_end(struct mmbox *box, size_t room)
{
}

/* Most frequent first. A switch may become a jump table, which costs a retpoline. */
static __always_inline void *box_alloc(struct mmbox *box, const struct mmbox_cmd *cmd)
{
	if (cmd->code == MMBOX_CMD_CACHE_ALLOC)
		return mmbox_kmem_cache_alloc(cmd->cachep, cmd->gfp);
	if (cmd->code == MMBOX_CMD_KMALLOC)
		return mmbox_kmalloc(box, cmd->size, cmd->gfp);
	if (cmd->code == MMBOX_CMD_PAGES_ALLOC)
		return mmbox_alloc_pages_node(box, cmd->nid, cmd->gfp, cmd->order);
	if (cmd->code == MMBOX_CMD_KMALLOC_NODE)
		return mmbox_kmalloc_node(box, cmd->size, cmd->gfp, cmd->nid);
	/* MMBOX_CMD_CACHE_ALLOC_NODE */
	return mmbox_kmem_cache_alloc_node(cmd->cachep, cmd->gfp, cmd->nid);
}

static __always_inline void box_free(struct mmbox *box, const struct mmbox_cmd *cmd, void *ptr)
{
	if (cmd->code == MMBOX_CMD_CACHE_FREE)
		mmbox_kmem_cache_free(cmd->cachep, ptr);
	else if (cmd->code == MMBOX_CMD_KFREE)
		mmbox_kfree(box, ptr);
	else	/* MMBOX_CMD_PAGES_FREE */
		__mmbox_free_pages(box, ptr, cmd->order);
}

static unsigned int box_run(struct mmbox_batch_run *run)
{
	return mmbox_run_cmds(run, box_alloc, box_free);
}

static unsigned int box_run_detailed(struct mmbox_batch_run *run)
{
	return mmbox_run_cmds_detailed(run, box_alloc, box_free);
}

static bool box_alloc_bulk(void *cachep, gfp_t gfp, unsigned int nr, void **objs)
{
	return mmbox_kmem_cache_alloc_bulk(cachep, gfp, nr, objs);
}

static void box_free_bulk(void *cachep, unsigned int nr, void **objs)
{
	mmbox_kmem_cache_free_bulk(cachep, nr, objs);
}

static phys_addr_t box_phys(const struct mmbox *box, const void *ptr, bool is_page)
{
	return is_page ? PFN_PHYS(__mmbox_page_to_pfn(box, ptr)) : mmbox_virt_to_phys(box, ptr);
}

/* An object needed a slab, so this is the order of its cache's slabs. */
static unsigned int box_failed_order(const struct mmbox_batch_run *run,
				     const struct mmbox_op *op)
{
	const struct mmbox_kmem_cache *cachep = run->session->caches[op->cache].cachep;
	const struct mmbox_cmd *cmd = &run->cmds[op - run->chunk];

	if (op->code == MMBOX_OP_PAGES_ALLOC)
		return op->order;
	if (op->code == MMBOX_OP_KMALLOC && op->size > run->box->cfg.kmalloc_max)
		return get_order(op->size);
	if (op->code == MMBOX_OP_KMALLOC)
		cachep = mmbox_kmalloc_slab(run->box, op->size, cmd->gfp);
	return cachep->gfporder;
}

/* ---- single frees ---- */

static void box_free_object(struct mmbox *box, void *ptr)
{
	mmbox_kfree(box, ptr);
}

static void box_free_pages(struct mmbox *box, void *ptr, unsigned int order)
{
	__mmbox_free_pages(box, ptr, order);
}

static void box_cache_free(void *cachep, void *ptr)
{
	mmbox_kmem_cache_free(cachep, ptr);
}

/* ---- caches ---- */

static void *box_cache_create(struct mmbox_session *session, struct mmbox_session_cache *cache,
			      const char *name, unsigned int size, unsigned int align,
			      slab_flags_t flags)
{
	strscpy(cache->name, name, sizeof(cache->name));
	return mmbox_kmem_cache_try_create(session->box, cache->name, size, align, flags, NULL);
}

static int box_cache_destroy(struct mmbox *box, void *cachep)
{
	return mmbox_kmem_cache_destroy(cachep);
}

/* The return value only says whether a slab is left. */
static void box_cache_shrink(void *cachep)
{
	mmbox_kmem_cache_shrink(cachep);
}

/* ---- figures ---- */

static long box_slab_pages(const struct mmbox *box)
{
	return atomic_long_read(&box->slab.nr_slab_pages);
}

static long box_used_pages(const struct mmbox_session *session, long slab_pages)
{
	return mmbox_nr_used_pages(session->box);
}

const struct mmbox_target_ops mmbox_target_box = {
	.id = MMBOX_TARGET_BOX,
	.kmalloc_limit = box_kmalloc_limit,
	.nr_orders = box_nr_orders,
	.node_exists = box_node_exists,
	.limit_gfp = box_limit_gfp,
	.object_bytes = box_object_bytes,
	.begin = box_begin,
	.end = box_end,
	.run = box_run,
	.run_detailed = box_run_detailed,
	.alloc_bulk = box_alloc_bulk,
	.free_bulk = box_free_bulk,
	.phys = box_phys,
	.failed_order = box_failed_order,
	.free_object = box_free_object,
	.free_pages = box_free_pages,
	.cache_free = box_cache_free,
	.cache_create = box_cache_create,
	.cache_destroy = box_cache_destroy,
	.cache_shrink = box_cache_shrink,
	.slab_pages = box_slab_pages,
	.used_pages = box_used_pages,
};
