// SPDX-License-Identifier: GPL-2.0
/*
 * Copies between the box and user space. Pages may be copied, and of an object the
 * usercopy region of its cache. mm/usercopy.c checks this for the kernel's own
 * copy_to_user() and copy_from_user(), which do not know the box.
 */
#include <linux/export.h>

#include "slab/slab_object.h"

/* May @n bytes from @ptr be copied to or from user space? */
static bool usercopy_allowed(struct mmbox *box, const void *ptr, unsigned long n)
{
	const struct mmbox_kmem_cache *cachep;
	const struct mmbox_page *head;
	struct mmbox_page *page;
	unsigned int offset;

	if (n > box->region.size || !mmbox_virt_valid(box, ptr + n - 1))
		return false;
	page = mmbox_virt_to_page(box, ptr);
	/* All of it must be contiguous in the box as well. */
	if (!page || mmbox_virt_to_phys(box, ptr + n - 1) -
		     mmbox_virt_to_phys(box, ptr) != n - 1)
		return false;
	/* As in the kernel: pages are not checked further, but kmalloc's end with the block. */
	if (!page->slab_cache) {
		head = mmbox_block_head(box, page);
		return head->type != MMBOX_PAGE_KMALLOC ||
		       n <= (PAGE_SIZE << head->order) -
			    (ptr - __mmbox_page_address(box, head));
	}
	cachep = mmbox_id_to_cache(box, page->slab_cache);
	if (!mmbox_in_object(cachep, ptr, &offset))
		return false;
	return offset >= cachep->useroffset &&
	       offset - cachep->useroffset <= cachep->usersize &&
	       n <= cachep->useroffset - offset + cachep->usersize;
}

static bool usercopy_check(struct mmbox *box, const void *ptr, unsigned long n)
{
	if (!n || usercopy_allowed(box, ptr, n))
		return true;
	box->observer->bad_usercopy(box, ptr, n);
	return false;
}

/**
 * mmbox_copy_to_user() - copy from the box to user space
 * @box: the box
 * @to: where to, in user space
 * @from: in the box: pages, or the usercopy region of an object
 * @n: bytes
 *
 * What is not to be copied is refused, counted and reported.
 *
 * Context: process, may sleep.
 * Return: bytes that were not copied.
 */
unsigned long mmbox_copy_to_user(struct mmbox *box, void __user *to, const void *from,
				 unsigned long n)
{
	return usercopy_check(box, from, n) ? mmbox_host_copy_to_user(to, from, n) : n;
}
EXPORT_SYMBOL_GPL(mmbox_copy_to_user);

/**
 * mmbox_copy_from_user() - copy from user space to the box
 * @box: the box
 * @to: in the box: pages, or the usercopy region of an object
 * @from: where from, in user space
 * @n: bytes
 *
 * Context: process, may sleep.
 * Return: bytes that were not copied.
 */
unsigned long mmbox_copy_from_user(struct mmbox *box, void *to, const void __user *from,
				   unsigned long n)
{
	return usercopy_check(box, to, n) ? mmbox_host_copy_from_user(to, from, n) : n;
}
EXPORT_SYMBOL_GPL(mmbox_copy_from_user);
