/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A slab and its objects: where each lies. Objects are named by their index in
 * the slab, or by the address they begin at, their red zone included.
 */
#ifndef _MMBOX_SLAB_OBJECT_H
#define _MMBOX_SLAB_OBJECT_H

#include "slab/slab_fast.h"

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

static inline struct mmbox_kmem_cache_node *
mmbox_slab_node(const struct mmbox_kmem_cache *cachep, const struct mmbox_page *slab)
{
	return cachep->node[slab->node_id];
}

/* ---- which objects without a mark users have: see struct mmbox_slab_used ---- */

/* The bit of an object that begins at @base, and where it is. */
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

/* Take it away from its user. False if nobody has it: it is free already. */
static inline bool mmbox_clear_used(const struct mmbox_kmem_cache *cachep, const void *base)
{
	unsigned long *chunk, bit = mmbox_used_bit(cachep, base, &chunk);

	return test_and_clear_bit(bit, chunk);
}

/* An object goes from an array or its slab to a user; not of a debugged cache. */
static __always_inline void mmbox_give_object(const struct mmbox_kmem_cache *cachep,
					      void *objp)
{
	if (likely(!cachep->no_mark))
		*(unsigned long *)objp = 0;
	else
		mmbox_set_used(cachep, objp);
}

/* slab.c */
bool mmbox_nonlinear_obj_is_ours(const struct mmbox_kmem_cache *cachep,
				 const void *objp, u32 id, unsigned long *s_mem,
				 unsigned long *index);

/* mmbox_obj_is_ours(), whatever the box's addresses and descriptors are. */
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

/* Objects begin and end at words. */
static inline void mmbox_clear_object(const struct mmbox_kmem_cache *cachep, void *objp)
{
	mmbox_clear_words(objp, ALIGN(cachep->object_size, sizeof(long)));
}

/* Of the object that @addr lies in, or a large number before the first one. */
static inline unsigned int mmbox_obj_to_index(const struct mmbox_kmem_cache *cachep,
					      const struct mmbox_page *slab,
					      const void *addr)
{
	u32 offset = addr - mmbox_slab_s_mem(cachep, slab);

	return reciprocal_divide(offset, cachep->reciprocal_buffer_size);
}

/* The slab that an object of this cache begins in, and its index; else NULL. */
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

/*
 * Where the slab, whose first object is @s_mem, keeps its indices; never asked of
 * a full objfreelist slab.
 */
static inline void *__mmbox_slab_freelist(const struct mmbox_kmem_cache *cachep,
					  const struct mmbox_page *slab, void *s_mem)
{
	if (mmbox_off_slab(cachep))
		return mmbox_phys_to_virt(cachep->box,
					  (phys_addr_t)slab->freelist * MMBOX_FREELIST_UNIT);
	if (mmbox_objfreelist_slab(cachep))
		return s_mem + (size_t)cachep->size * (slab->freelist - 1) +
		       cachep->freelist_offset;
	return s_mem - slab->s_mem * MMBOX_S_MEM_UNIT + cachep->slab_mask + 1 -
	       cachep->freelist_size;
}

static inline void *mmbox_slab_freelist(const struct mmbox_kmem_cache *cachep,
					const struct mmbox_page *slab)
{
	return __mmbox_slab_freelist(cachep, slab, mmbox_slab_s_mem(cachep, slab));
}

static __always_inline unsigned int __mmbox_get_free_obj(const void *freelist,
							 bool bytes, unsigned int nr)
{
	return bytes ? ((const u8 *)freelist)[nr] : ((const u16 *)freelist)[nr];
}

/*
 * Where the first eight indices of MMBOX_FREELIST_SPILLED lie, as the mark of
 * the object that holds the others is in their place: behind the mark of the last
 * object but one to be taken. That is free as long as any of the eight is needed.
 */
#define MMBOX_FREELIST_SPILL	sizeof(long)

static inline u8 *mmbox_freelist_spill(const struct mmbox_kmem_cache *cachep,
				       const struct mmbox_page *slab, const void *freelist)
{
	unsigned int idx = ((const u8 *)freelist)[cachep->num - 2];

	/* Whatever a user has written there, stay in the slab. */
	return mmbox_index_to_obj(cachep, slab, min(idx, cachep->num - 1)) + sizeof(long);
}

/* Index @nr of a slab's freelist, of those that are on it: slab->active and up. */
static inline unsigned int mmbox_get_free_obj(const struct mmbox_kmem_cache *cachep,
					      const struct mmbox_page *slab,
					      unsigned int nr)
{
	const void *freelist = mmbox_slab_freelist(cachep, slab);

	if (cachep->freelist_kind == MMBOX_FREELIST_SPILLED && nr < MMBOX_FREELIST_SPILL)
		freelist = mmbox_freelist_spill(cachep, slab, freelist);
	return __mmbox_get_free_obj(freelist, cachep->index_size == 1, nr);
}

/* For debugged caches, whose freelists may have to be made anew: they never spill. */
static inline void mmbox_set_free_obj(const struct mmbox_kmem_cache *cachep,
				      void *freelist, unsigned int nr,
				      unsigned int idx)
{
	if (cachep->index_size == 1)
		((u8 *)freelist)[nr] = idx;
	else
		((u16 *)freelist)[nr] = idx;
}

#endif /* _MMBOX_SLAB_OBJECT_H */
