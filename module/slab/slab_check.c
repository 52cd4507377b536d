// SPDX-License-Identifier: GPL-2.0
/*
 * What does an address name: an object of a cache, and if not, what else? And the
 * one way of a bad free from where it is found to where it is told.
 *
 * Each path that frees checks the object. What it refuses comes here:
 * mmbox_bad_free() and mmbox_bad_kfree() find out what is wrong with it, and
 * mmbox_tell_bad_free() takes it from whoever knows that already. The observer
 * then counts and reports it: mmbox_report_bad_object() in faces/slab_report.c.
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

/* ---- bad frees ---- */

/* The page is not part of a slab. If it is free, the first free may have freed its slab. */
static enum mmbox_bad why_no_slab(const struct mmbox *box, struct mmbox_page *page)
{
	u8 type = mmbox_glance(mmbox_block_head(box, page)->type);

	return type == MMBOX_PAGE_BUDDY || type == MMBOX_PAGE_PCP ? MMBOX_BAD_DOUBLE :
								    MMBOX_BAD_CACHE;
}

static enum mmbox_bad why_bad_free(const struct mmbox_kmem_cache *cachep, const void *objp)
{
	struct mmbox *box = cachep->box;
	unsigned long s_mem, index;
	struct mmbox_page *page;

	if (mmbox_any_obj_is_ours(cachep, objp - cachep->obj_offset, cachep->id, &s_mem,
				  &index))
		return MMBOX_BAD_DOUBLE;
	if (!mmbox_virt_valid(box, objp))
		return MMBOX_BAD_FOREIGN;
	page = mmbox_virt_to_page(box, objp);
	if (!page)
		return MMBOX_BAD_CACHE;
	if (page->slab_cache)
		return page->slab_cache == cachep->id ? MMBOX_BAD_OBJECT : MMBOX_BAD_CACHE;
	return why_no_slab(box, page);
}

static enum mmbox_bad why_bad_kfree(struct mmbox *box, const void *objp)
{
	struct mmbox_page *page = mmbox_virt_to_page(box, objp);

	if (!page)
		return MMBOX_BAD_FOREIGN;
	if (mmbox_glance(mmbox_block_head(box, page)->type) == MMBOX_PAGE_KMALLOC)
		return MMBOX_BAD_OBJECT;
	return why_no_slab(box, page);
}

/**
 * mmbox_tell_bad_free() - tell the observer of a free that was refused
 * @box: the box
 * @why: what is wrong with it
 * @cachep: the cache to which it was to be freed, or NULL for kfree
 * @objp: what was to be freed
 *
 * Nothing else in the slab layer tells of bad frees.
 *
 * Context: any but NMI; a list_lock may be held.
 */
void mmbox_tell_bad_free(struct mmbox *box, enum mmbox_bad why,
			 const struct mmbox_kmem_cache *cachep, const void *objp)
{
	box->observer->bad_object(box, why, cachep, objp);
}

/**
 * mmbox_bad_free() - find out why a free to a cache is refused, and tell it
 * @cachep: the cache to which it was to be freed
 * @objp: what was to be freed
 *
 * Context: any but NMI.
 */
noinline void mmbox_bad_free(const struct mmbox_kmem_cache *cachep, const void *objp)
{
	mmbox_tell_bad_free(cachep->box, why_bad_free(cachep, objp), cachep, objp);
}

/**
 * mmbox_bad_kfree() - find out why a kfree() is refused, and tell it
 * @box: the box
 * @objp: what was to be freed, in no slab
 *
 * Context: any but NMI.
 */
void mmbox_bad_kfree(struct mmbox *box, const void *objp)
{
	mmbox_tell_bad_free(box, why_bad_kfree(box, objp), NULL, objp);
}

/* ---- addresses ---- */

/**
 * mmbox_in_object() - where in an object of a cache does an address lie?
 * @cachep: the cache, to which the address's page belongs
 * @ptr: the address
 * @offset: bytes from the start of the object
 *
 * Context: any.
 * Return: false if it lies in none.
 */
bool mmbox_in_object(const struct mmbox_kmem_cache *cachep, const void *ptr,
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
