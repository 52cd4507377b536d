// SPDX-License-Identifier: GPL-2.0
/*
 * SLAB: the layout of a cache's slabs. That is the size and alignment of an object,
 * pages a slab, objects a slab, the place of the freelist and the colours.
 *
 * All of it follows from size, alignment and flags of the cache by the rules of
 * mm/slab.c of Linux 6.1, so slabinfo has the same columns. Three places for the
 * freelist are tried in this order: in a free object, in an object of its own, at the
 * end of the slab.
 */
#include <linux/cache.h>
#include <linux/cpumask.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "slab/slab_private.h"

/* How many objects fit into 2^@gfporder pages, and what is left over. */
static unsigned int cache_estimate(const struct mmbox_kmem_cache *cachep,
				   unsigned int gfporder, unsigned int size,
				   slab_flags_t flags, size_t *left_over)
{
	size_t slab_size = PAGE_SIZE << gfporder;

	if (!(flags & (MMBOX_CFLGS_OBJFREELIST_SLAB | MMBOX_CFLGS_OFF_SLAB)))
		size += cachep->slab.index_size;
	*left_over = slab_size % size;
	return slab_size / size;
}

/*
 * Is an off-slab freelist of @num indices worth the object that it takes? As in 6.1,
 * it is compared with object_size, and not with the aligned size.
 */
static bool off_slab_pays(const struct mmbox_kmem_cache *cachep, unsigned int num)
{
	size_t freelist_size = num * cachep->slab.index_size;
	struct mmbox_kmem_cache *freelist_cache;

	freelist_cache = mmbox_kmalloc_slab(cachep->box,
					    max_t(size_t, MMBOX_FREELIST_UNIT, freelist_size),
					    0);
	/* A cache that is off-slab itself could need a freelist for its freelists. */
	if (!freelist_cache || mmbox_off_slab(freelist_cache))
		return false;
	return freelist_cache->size <= cachep->object_size / 2;
}

/*
 * Choose pages a slab and objects a slab. calculate_slab_order(), mm/slab.c,
 * Linux 6.1: the first order that wastes no more than an eighth, not above
 * order 1 unless an object needs it.
 */
static size_t calculate_slab_order(struct mmbox_kmem_cache *cachep,
				   unsigned int size, slab_flags_t flags)
{
	unsigned int max_num = cachep->slab.index_size == 1 ? U8_MAX : U16_MAX;
	size_t left_over = 0, remainder;
	unsigned int gfporder, num;

	cachep->num = 0;
	for (gfporder = 0; gfporder < cachep->box->pages.max_order; gfporder++) {
		num = cache_estimate(cachep, gfporder, size, flags, &remainder);
		if (!num)
			continue;
		if (num > max_num)
			break;
		if (flags & MMBOX_CFLGS_OFF_SLAB && !off_slab_pays(cachep, num))
			continue;

		cachep->num = num;
		cachep->gfporder = gfporder;
		left_over = remainder;

		/* As in 6.1: these mostly grow with GFP_NOFS, which can reclaim little. */
		if (flags & SLAB_RECLAIM_ACCOUNT)
			break;
		if (gfporder >= MMBOX_SLAB_MAX_ORDER)
			break;
		if (left_over * 8 <= PAGE_SIZE << gfporder)
			break;
	}
	return left_over;
}

/* Choose the first possible place for the freelist. Sets num, gfporder, colour. */
static int choose_freelist(struct mmbox_kmem_cache *cachep, unsigned int size)
{
	slab_flags_t flags = cachep->flags;
	size_t left_over;

	if (!cachep->ctor && !(cachep->flags & SLAB_TYPESAFE_BY_RCU)) {
		flags = cachep->flags | MMBOX_CFLGS_OBJFREELIST_SLAB;
		left_over = calculate_slab_order(cachep, size, flags);
		if (cachep->num &&
		    cachep->num * cachep->slab.index_size <= cachep->object_size)
			goto done;
	}

	flags = cachep->flags | MMBOX_CFLGS_OFF_SLAB;
	/* Indices that fit into the unused end of the slab go there instead. */
	if (!(cachep->flags & SLAB_NOLEAKTRACE)) {
		left_over = calculate_slab_order(cachep, size, flags);
		if (cachep->num && left_over < cachep->num * cachep->slab.index_size)
			goto done;
	}

	flags = cachep->flags;
	left_over = calculate_slab_order(cachep, size, flags);
	if (!cachep->num)
		return -E2BIG;
done:
	cachep->flags = flags;
	cachep->slab.colour = left_over / cachep->slab.colour_off;
	return 0;
}

/*
 * Where does a freelist begin in the object that holds it? The first word of the
 * object is its mark, so the indices come after it. If they need the whole object (64
 * objects of 64 bytes), the first eight are in another object: see
 * mmbox_freelist_spill().
 */
static void set_freelist_kind(struct mmbox_kmem_cache *cachep, unsigned int size)
{
	cachep->slab.freelist_kind = cachep->slab.index_size == 1 ? MMBOX_FREELIST_BYTES :
							  MMBOX_FREELIST_SHORTS;
	if (!mmbox_objfreelist_slab(cachep))
		return;
	if (cachep->debug)
		cachep->slab.freelist_offset = cachep->obj_offset;
	else if (cachep->slab.freelist_size + sizeof(long) <= size)
		cachep->slab.freelist_offset = sizeof(long);
	else
		cachep->slab.freelist_kind = MMBOX_FREELIST_SPILLED;
}

/*
 * The inverse of an odd number: odd * x = 1 modulo 2^64. An odd number is its own
 * inverse modulo 8, and each step of Newton's method doubles the correct bits.
 */
static u64 inverse_of_odd(u64 odd)
{
	u64 x = odd;
	int bits;

	for (bits = 3; bits < 64; bits *= 2)
		x *= 2 - odd * x;
	return x;
}

/**
 * mmbox_slab_set_geometry() - lay out the slabs of a new cache
 * @cachep: the cache; object_size, align, flags, no_mark and index_size are set
 *
 * Context: process, slab.mutex held.
 * Return: 0, or -E2BIG if no slab can hold an object.
 */
int mmbox_slab_set_geometry(struct mmbox_kmem_cache *cachep)
{
	unsigned int size;
	int err;

	lockdep_assert_held(&cachep->box->slab.mutex);
	cachep->align = max_t(unsigned int, cachep->align, sizeof(void *));
	/* page->s_mem counts in MMBOX_S_MEM_UNIT, so a colour is a multiple of that. */
	cachep->slab.colour_off = max3((unsigned int)cache_line_size(), cachep->align,
				       (unsigned int)MMBOX_S_MEM_UNIT);
	size = ALIGN(cachep->object_size, sizeof(void *));
	/* slab_debug.c shows this layout. */
	if (cachep->flags & SLAB_RED_ZONE) {
		cachep->obj_offset = sizeof(u64);
		size += 2 * sizeof(u64);
	}
	if (cachep->flags & SLAB_STORE_USER)
		size += sizeof(u64);
	size = ALIGN(size, cachep->align);
	if (cachep->slab.index_size == 1 && size < MMBOX_SLAB_OBJ_MIN_SIZE)
		size = ALIGN(MMBOX_SLAB_OBJ_MIN_SIZE, cachep->align);

	err = choose_freelist(cachep, size);
	if (err)
		return err;
	cachep->slab.freelist_size = cachep->num * cachep->slab.index_size;
	set_freelist_kind(cachep, size);
	cachep->slab_mask = (PAGE_SIZE << cachep->gfporder) - 1;
	cachep->slab_base_mask = ~cachep->slab_mask;
	cachep->size = size;
	cachep->reciprocal_buffer_size = reciprocal_value(size);
	cachep->shift = __ffs(size);
	cachep->inverse = inverse_of_odd(size >> cachep->shift);
	return 0;
}

/**
 * mmbox_slab_set_tunables() - size the arrays of a new cache
 * @cachep: the cache, laid out
 *
 * As enable_cpucache(), mm/slab.c, Linux 6.1.
 *
 * Context: process, slab.mutex held.
 */
void mmbox_slab_set_tunables(struct mmbox_kmem_cache *cachep)
{
	lockdep_assert_held(&cachep->box->slab.mutex);
	if (cachep->size > 131072)
		cachep->slab.limit = 1;
	else if (cachep->size > PAGE_SIZE)
		cachep->slab.limit = 8;
	else if (cachep->size > 1024)
		cachep->slab.limit = 24;
	else if (cachep->size > 256)
		cachep->slab.limit = 54;
	else
		cachep->slab.limit = 120;
	/* As with CONFIG_DEBUG_SLAB. */
	if (cachep->debug)
		cachep->slab.limit = min(cachep->slab.limit, 32U);
	cachep->slab.batchcount = (cachep->slab.limit + 1) / 2;
	cachep->slab.shared = cachep->size <= PAGE_SIZE && num_possible_cpus() > 1 ? 8 : 0;
}
