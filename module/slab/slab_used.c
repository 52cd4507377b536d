// SPDX-License-Identifier: GPL-2.0
/*
 * Which objects are in use.
 *
 * In most caches a free object carries a mark: mmbox_free_mark(). Debugged caches have
 * the shadow of the slab instead. Caches that keep the contents of free objects are
 * those with a constructor, and SLAB_TYPESAFE_BY_RCU. They have a bit for each object.
 *
 * The bits are in host memory, one page for 512 KiB of the box. A page is allocated
 * when the first slab needs it, and stays until the box goes. All bits of a slab are
 * clear when it is made and when it ends, as all of its objects are free then.
 */
#include <linux/bitmap.h>
#include <linux/gfp.h>

#include "slab/slab_object.h"

#define CHUNK_BYTES	(MMBOX_USED_CHUNK / MMBOX_USED_UNIT / BITS_PER_BYTE)

/* ---- bits ---- */

/**
 * mmbox_slab_used_init() - make ready for a cache whose objects carry no mark
 * @box: the box
 *
 * Does nothing if it was called for another cache before.
 *
 * Context: process, may sleep, slab.mutex held.
 * Return: 0 or -ENOMEM.
 */
int mmbox_slab_used_init(struct mmbox *box)
{
	struct mmbox_slab_used *used = &box->slab.used;

	lockdep_assert_held(&box->slab.mutex);
	if (used->chunk)
		return 0;
	used->nr_chunks = DIV_ROUND_UP(PFN_PHYS(box->memmap.max_pfn), MMBOX_USED_CHUNK);
	used->chunk = mmbox_host_zalloc(&box->host, used->nr_chunks * sizeof(*used->chunk),
					"which objects are used");
	return used->chunk ? 0 : -ENOMEM;
}

/**
 * mmbox_slab_used_exit() - undo mmbox_slab_used_init() and mmbox_slab_used_grow()
 * @box: the box; nobody uses it any more, nor do slabs wait for RCU
 *
 * Context: process, may sleep.
 */
void mmbox_slab_used_exit(struct mmbox *box)
{
	struct mmbox_slab_used *used = &box->slab.used;
	unsigned long i;

	if (!used->chunk)
		return;
	for (i = 0; i < used->nr_chunks; i++)
		mmbox_host_free(&box->host, used->chunk[i], CHUNK_BYTES);
	mmbox_host_free(&box->host, used->chunk, used->nr_chunks * sizeof(*used->chunk));
	used->chunk = NULL;
}

/**
 * mmbox_slab_used_grow() - have a bit for each object of a new slab
 * @cachep: a cache whose objects carry no mark, and that is not debugged
 * @slab: its new slab
 * @gfp: GFP flags of who needs it
 *
 * Context: as @gfp says.
 * Return: 0 or -ENOMEM.
 */
int mmbox_slab_used_grow(struct mmbox_kmem_cache *cachep, const struct mmbox_page *slab,
			 gfp_t gfp)
{
	phys_addr_t first = PFN_PHYS(__mmbox_page_to_pfn(cachep->box, slab));
	unsigned long i, last = (first + cachep->slab_mask) / MMBOX_USED_CHUNK;
	struct mmbox_host *host = &cachep->box->host;
	unsigned long **chunk = cachep->box->slab.used.chunk, *bits;

	/* Never use the host's reserves. */
	gfp &= __GFP_RECLAIM | __GFP_IO | __GFP_FS;
	for (i = first / MMBOX_USED_CHUNK; i <= last; i++) {
		if (likely(READ_ONCE(chunk[i])))
			continue;
		bits = mmbox_host_kzalloc(host, CHUNK_BYTES, gfp, "which objects are used");
		if (!bits)
			return -ENOMEM;
		/* Another CPU may have made it meanwhile: keep the first. */
		if (cmpxchg(&chunk[i], NULL, bits)) {
			atomic_long_sub(CHUNK_BYTES, &host->bytes);
			kfree(bits);
		}
	}
	return 0;
}

/* ---- whatever says it ---- */

/**
 * mmbox_obj_in_use() - has a user got this object?
 * @cachep: a cache
 * @slab: a slab of it
 * @base: where an object of the slab begins
 * @index: its index
 *
 * Context: any; where the slab might go, the answer may be of what comes after it.
 * Return: true if one has.
 */
bool mmbox_obj_in_use(const struct mmbox_kmem_cache *cachep, const struct mmbox_page *slab,
		      const void *base, unsigned int index)
{
	if (mmbox_slab_debugged(cachep))
		return mmbox_slab_debug_is_used(cachep, slab, index);
	if (cachep->no_mark)
		return mmbox_is_used(cachep, base);
	return mmbox_glance(*(unsigned long *)base) != mmbox_free_mark(cachep, index);
}
MMBOX_EXPORT_INTERNAL(mmbox_obj_in_use);

/* A walk that collects objects that are out of their slabs. */
struct used_walk {
	const struct mmbox_kmem_cache *cachep;
	unsigned long *free;		/* bits: on the slab's freelist */
	void **objs;			/* where they go */
	unsigned int nr;		/* room there */
	unsigned int taken;		/* how many are there */
	unsigned long used;		/* how many there are at all */
};

static void note_free(void *arg, unsigned int pos, unsigned int idx)
{
	struct used_walk *u = arg;

	if (idx < u->cachep->num)
		__set_bit(idx, u->free);
}

static bool take_used(void *arg, struct mmbox_page *slab, const struct mmbox_slab_list *list)
{
	struct used_walk *u = arg;
	unsigned int i;

	u->used += slab->active;
	if (u->taken == u->nr || !slab->active)
		return true;
	bitmap_zero(u->free, u->cachep->num);
	mmbox_slab_ops(u->cachep)->walk_freelist(u->cachep, slab, note_free, u);
	for_each_clear_bit(i, u->free, u->cachep->num) {
		if (u->taken == u->nr)
			break;
		u->objs[u->taken++] = mmbox_index_to_obj(u->cachep, slab, i) +
				      u->cachep->obj_offset;
	}
	return true;
}

/**
 * mmbox_used_objects() - list objects of a cache that are out of their slabs
 * @cachep: the cache; shrink it before, as objects in arrays are out as well
 * @objs: where the addresses of the first go
 * @nr: room there
 *
 * Without memory for the list the objects are only counted.
 *
 * Context: process, may sleep, slab.mutex held.
 * Return: how many there are, possibly more than @nr.
 */
unsigned long mmbox_used_objects(struct mmbox_kmem_cache *cachep, void **objs,
				 unsigned int nr)
{
	static const struct mmbox_slab_walker walker = { .slab = take_used };
	const size_t bytes = BITS_TO_LONGS(cachep->num) * sizeof(long);
	struct used_walk u = { .cachep = cachep, .objs = objs, .nr = nr };

	u.free = mmbox_host_zalloc(&cachep->box->host, bytes, "a list of objects in use");
	if (!u.free)
		u.nr = 0;
	mmbox_slab_ops(cachep)->walk(cachep, &walker, &u);
	mmbox_host_free(&cachep->box->host, u.free, bytes);
	return u.used;
}
MMBOX_EXPORT_INTERNAL(mmbox_used_objects);
