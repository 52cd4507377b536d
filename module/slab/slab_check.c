// SPDX-License-Identifier: GPL-2.0
/*
 * What an address is: an object of a cache, and if not, why not. Nothing here
 * decides what becomes of it.
 */
#include "slab/slab_object.h"

/**
 * mmbox_nonlinear_obj_is_ours() - mmbox_obj_is_ours() without one range and one array
 * @cachep: the cache
 * @objp: an address
 * @id: what the slabs of the cache carry
 * @s_mem: out: address of the slab's first object
 * @index: out: index of the object
 *
 * Context: any.
 * Return: true if @objp is the start of an object; false also where the box is
 * one range with one array, as mmbox_obj_is_ours() knows all of it then.
 */
noinline bool mmbox_nonlinear_obj_is_ours(const struct mmbox_kmem_cache *cachep,
					  const void *objp, u32 id,
					  unsigned long *s_mem, unsigned long *index)
{
	const struct mmbox_page *slab;

	if (!mmbox_nonlinear() || cachep->va_size ||
	    !mmbox_virt_to_page(cachep->box, objp))
		return false;
	slab = mmbox_virt_to_slab(cachep, objp);
	if (slab->slab_cache != id)
		return false;
	*s_mem = (unsigned long)mmbox_slab_s_mem(cachep, slab);
	*index = mmbox_obj_index(cachep, (unsigned long)objp - *s_mem);
	return *index < cachep->num;
}
MMBOX_EXPORT_INTERNAL(mmbox_nonlinear_obj_is_ours);

/**
 * mmbox_why_not_ours() - why something cannot be freed to a cache
 * @cachep: the cache
 * @objp: what is none of its objects
 *
 * Context: any.
 * Return: what it is counted as.
 */
enum mmbox_bad mmbox_why_not_ours(const struct mmbox_kmem_cache *cachep, const void *objp)
{
	struct mmbox *box = cachep->box;
	struct mmbox_page *page;

	if (!mmbox_virt_valid(box, objp))
		return MMBOX_BAD_FOREIGN;
	page = mmbox_virt_to_page(box, objp);
	if (!page)
		return MMBOX_BAD_CACHE;
	if (page->slab_cache)
		return page->slab_cache == cachep->id ? MMBOX_BAD_OBJECT : MMBOX_BAD_CACHE;
	return mmbox_why_no_object(box, page);
}

/**
 * mmbox_why_no_object() - classify a bad free whose page is not part of a slab
 * @box: the box
 * @page: the page
 *
 * Context: any.
 * Return: MMBOX_BAD_DOUBLE if the page is free, as its slab or block may have
 * gone with the first free; MMBOX_BAD_CACHE if others have it.
 */
enum mmbox_bad mmbox_why_no_object(const struct mmbox *box, struct mmbox_page *page)
{
	u8 type = mmbox_glance(mmbox_block_head(box, page)->type);

	return type == MMBOX_PAGE_BUDDY || type == MMBOX_PAGE_PCP ? MMBOX_BAD_DOUBLE :
								    MMBOX_BAD_CACHE;
}

/**
 * mmbox_in_object() - where in an object of a cache does an address lie?
 * @cachep: the cache, to which the address's page belongs
 * @ptr: the address
 * @offset: bytes from the start of the object
 *
 * Context: any.
 * Return: false if it lies in none.
 */
bool mmbox_in_object(struct mmbox_kmem_cache *cachep, const void *ptr,
		     unsigned int *offset)
{
	const struct mmbox_page *slab = mmbox_virt_to_slab(cachep, ptr);
	unsigned int idx;

	if (ptr < mmbox_slab_s_mem(cachep, slab))
		return false;
	idx = mmbox_obj_to_index(cachep, slab, ptr);
	/* In the red zone before it, that is a large number. */
	*offset = ptr - mmbox_index_to_obj(cachep, slab, idx) - cachep->obj_offset;
	return idx < cachep->num;
}
