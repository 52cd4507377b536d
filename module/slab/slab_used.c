// SPDX-License-Identifier: GPL-2.0
/*
 * Which objects are in use, for caches that keep the contents of free objects: those
 * with a constructor, and SLAB_TYPESAFE_BY_RCU. Their free objects cannot carry a
 * mark, so each object has a bit instead.
 *
 * The bits are in host memory, one page for 512 KiB of the box. A page is allocated
 * when the first slab needs it, and stays until the box goes. All bits of a slab are
 * clear when it is made and when it ends, as all of its objects are free then.
 */
#include <linux/err.h>
#include <linux/gfp.h>

#include "slab/slab_object.h"

#define CHUNK_BYTES	(MMBOX_USED_CHUNK / MMBOX_USED_UNIT / BITS_PER_BYTE)

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
