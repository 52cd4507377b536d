// SPDX-License-Identifier: GPL-2.0
/*
 * Which objects users have, for caches whose contents must survive: those with
 * a constructor and SLAB_TYPESAFE_BY_RCU. A free object cannot carry a mark
 * there, so a bit beside it says what the mark says elsewhere.
 *
 * The bits are host memory, a page of it for 512 KiB of the box, made when the
 * first slab of such a cache needs it, and kept until the box goes. A slab
 * that begins or ends with all of its objects free has all of its bits clear.
 */
#include <linux/err.h>
#include <linux/gfp.h>

#include "slab/slab_object.h"

#define CHUNK_BYTES	(MMBOX_USED_CHUNK / MMBOX_USED_UNIT / BITS_PER_BYTE)

/**
 * mmbox_slab_used_init() - make ready for a cache whose objects carry no mark
 * @box: the box
 *
 * Does nothing if there is one already.
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

	/* The host's reserves are not for this. */
	gfp &= __GFP_RECLAIM | __GFP_IO | __GFP_FS;
	for (i = first / MMBOX_USED_CHUNK; i <= last; i++) {
		if (likely(READ_ONCE(chunk[i])))
			continue;
		bits = mmbox_host_kzalloc(host, CHUNK_BYTES, gfp, "which objects are used");
		if (!bits)
			return -ENOMEM;
		/* Others may need it as well just now: who comes first makes it. */
		if (cmpxchg(&chunk[i], NULL, bits)) {
			atomic_long_sub(CHUNK_BYTES, &host->bytes);
			kfree(bits);
		}
	}
	return 0;
}
