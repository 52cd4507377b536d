/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A slab and its objects, whatever the design: where each object lies, whether an
 * address is the start of one, and whether it is free. An object is named by its
 * index in the slab or by the address where it begins, with its red zone.
 */
#ifndef _MMBOX_SLAB_OBJECT_H
#define _MMBOX_SLAB_OBJECT_H

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/log2.h>

#include "slab/slab.h"

/* ---- addresses and indices ---- */

/* The head of the slab that an object of this cache lies in. */
static __always_inline struct mmbox_page *
mmbox_obj_to_slab(const struct mmbox_kmem_cache *cachep, unsigned long offset)
{
	const unsigned int shift = PAGE_SHIFT - ilog2(sizeof(struct mmbox_page));

	/* The mask leaves whole pages, so this is their number of descriptors. */
	return (void *)cachep->memmap + ((offset & cachep->slab_base_mask) >> shift);
}

/* Address of the first object of a slab that @objp lies in. */
static __always_inline unsigned long
mmbox_obj_to_s_mem(const struct mmbox_kmem_cache *cachep,
		   const struct mmbox_page *slab, const void *objp)
{
	unsigned long offset = (unsigned long)objp - cachep->va_base;

	return (unsigned long)objp - (offset & cachep->slab_mask) +
	       slab->s_mem * (unsigned long)MMBOX_S_MEM_UNIT;
}

/* ror64(), but the compiler knows that @shift is below 64. */
static __always_inline u64 mmbox_ror64(u64 word, unsigned int shift)
{
	return word >> shift | word << (-shift & 63);
}

/*
 * Index of the object that begins @offset bytes after the first one, or a
 * number of at least cachep->num if none does. With size = odd * 2^shift, the
 * multiplication by the inverse of odd modulo 2^64 divides multiples of it
 * exactly, and takes all else beyond any index; the rotation divides by 2^shift,
 * and brings what remains to the top: H. S. Warren, "Hacker's Delight",
 * 2nd ed., 10-17 "Test for Zero Remainder after Division by a Constant".
 */
static __always_inline unsigned long
mmbox_obj_index(const struct mmbox_kmem_cache *cachep, unsigned long offset)
{
	return mmbox_ror64(offset * cachep->inverse, cachep->shift);
}

/*
 * Is @objp the start of an object of the cache whose slabs carry @id? If so, sets
 * @s_mem to the address of the first object of its slab, and @index to its index.
 */
static __always_inline bool mmbox_obj_is_ours(const struct mmbox_kmem_cache *cachep,
					      const void *objp, u32 id,
					      unsigned long *s_mem,
					      unsigned long *index)
{
	unsigned long offset = (unsigned long)objp - cachep->va_base;
	const struct mmbox_page *slab = mmbox_obj_to_slab(cachep, offset);

	if (unlikely(offset >= cachep->va_size || slab->slab_cache != id))
		return false;
	*s_mem = mmbox_obj_to_s_mem(cachep, slab, objp);
	*index = mmbox_obj_index(cachep, (unsigned long)objp - *s_mem);
	return likely(*index < cachep->num);
}

static inline void *mmbox_slab_address(const struct mmbox_kmem_cache *cachep,
				       const struct mmbox_page *slab)
{
	return __mmbox_page_address(cachep->box, slab);
}

static inline void *mmbox_slab_s_mem(const struct mmbox_kmem_cache *cachep,
				     const struct mmbox_page *slab)
{
	return mmbox_slab_address(cachep, slab) + slab->s_mem * MMBOX_S_MEM_UNIT;
}

static inline struct mmbox_page *mmbox_virt_to_slab(const struct mmbox_kmem_cache *cachep,
						    const void *objp)
{
	phys_addr_t phys;

	if (mmbox_nonlinear() && !cachep->va_size) {
		phys = mmbox_virt_to_phys(cachep->box, objp) & cachep->slab_base_mask;
		return __mmbox_pfn_to_page(cachep->box, PHYS_PFN(phys));
	}
	return mmbox_obj_to_slab(cachep, (unsigned long)objp - cachep->va_base);
}

/* ---- marks: which objects are free ---- */

/*
 * The mark of a free object, in its first word. An object has it from the time its
 * slab is made, unless a user has it: on the freelist, in an array, and also while the
 * object holds the freelist. Caches with no_mark have no marks.
 */
static __always_inline unsigned long mmbox_free_mark(const struct mmbox_kmem_cache *cachep,
						     unsigned long index)
{
	return index ^ cachep->secret;
}

/* Mark an object free. False if it has the mark already. */
static __always_inline bool mmbox_mark_free(const struct mmbox_kmem_cache *cachep,
					    void *objp, unsigned long index)
{
	unsigned long mark = mmbox_free_mark(cachep, index);

	if (unlikely(*(unsigned long *)objp == mark))
		return false;
	*(unsigned long *)objp = mark;
	return true;
}

/* ---- bits instead of marks: see struct mmbox_slab_used ---- */

/* The number of the bit of the object that begins at @base; @chunk: where it is. */
static inline unsigned long mmbox_used_bit(const struct mmbox_kmem_cache *cachep,
					   const void *base, unsigned long **chunk)
{
	phys_addr_t phys = mmbox_virt_to_phys(cachep->box, base);

	*chunk = READ_ONCE(cachep->box->slab.used.chunk[phys / MMBOX_USED_CHUNK]);
	return phys % MMBOX_USED_CHUNK / MMBOX_USED_UNIT;
}

static inline void mmbox_set_used(const struct mmbox_kmem_cache *cachep, const void *base)
{
	unsigned long *chunk, bit = mmbox_used_bit(cachep, base, &chunk);

	set_bit(bit, chunk);
}

static inline bool mmbox_is_used(const struct mmbox_kmem_cache *cachep, const void *base)
{
	unsigned long *chunk, bit = mmbox_used_bit(cachep, base, &chunk);

	return test_bit(bit, chunk);
}

/* Take an object away from its user. False if it is free already. */
static inline bool mmbox_clear_used(const struct mmbox_kmem_cache *cachep, const void *base)
{
	unsigned long *chunk, bit = mmbox_used_bit(cachep, base, &chunk);

	return test_and_clear_bit(bit, chunk);
}

/* Give an object to a user. Not for debugged caches. */
static __always_inline void mmbox_give_object(const struct mmbox_kmem_cache *cachep,
					      void *objp)
{
	if (likely(!cachep->no_mark))
		*(unsigned long *)objp = 0;
	else
		mmbox_set_used(cachep, objp);
}

/* slab_check.c */
bool mmbox_nonlinear_obj_is_ours(const struct mmbox_kmem_cache *cachep,
				 const void *objp, u32 id, unsigned long *s_mem,
				 unsigned long *index);

/* mmbox_obj_is_ours() for any box: addresses and descriptors may be scattered. */
static inline bool mmbox_any_obj_is_ours(const struct mmbox_kmem_cache *cachep,
					 const void *objp, u32 id,
					 unsigned long *s_mem, unsigned long *index)
{
	return mmbox_obj_is_ours(cachep, objp, id, s_mem, index) ||
	       mmbox_nonlinear_obj_is_ours(cachep, objp, id, s_mem, index);
}

static inline void *mmbox_index_to_obj(const struct mmbox_kmem_cache *cachep,
				       const struct mmbox_page *slab, unsigned int idx)
{
	return mmbox_slab_s_mem(cachep, slab) + (size_t)cachep->size * idx;
}

/* Whole words: objects are aligned to words, and so is what follows them. */
static inline void mmbox_clear_object(const struct mmbox_kmem_cache *cachep, void *objp)
{
	mmbox_clear_words(objp, ALIGN(cachep->object_size, sizeof(long)));
}

/* Index of the object that @addr lies in. Before the first one: a large number. */
static inline unsigned int mmbox_obj_to_index(const struct mmbox_kmem_cache *cachep,
					      const struct mmbox_page *slab,
					      const void *addr)
{
	u32 offset = addr - mmbox_slab_s_mem(cachep, slab);

	return reciprocal_divide(offset, cachep->reciprocal_buffer_size);
}

/* The slab of the object that begins at @base, and its index. NULL if none begins there. */
static inline struct mmbox_page *
mmbox_slab_of_object(const struct mmbox_kmem_cache *cachep, const void *base,
		     unsigned int *idx)
{
	unsigned long s_mem, index;

	if (!mmbox_any_obj_is_ours(cachep, base, cachep->id, &s_mem, &index))
		return NULL;
	*idx = index;
	return mmbox_virt_to_slab(cachep, base);
}

#endif /* _MMBOX_SLAB_OBJECT_H */
