/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which kmalloc cache serves which size.
 */
#ifndef _MMBOX_SLAB_KMALLOC_H
#define _MMBOX_SLAB_KMALLOC_H

#include <linux/log2.h>

#include "slab/slab_object.h"

/* 96 and 192 have the indices 1 and 2, the rest the log2 of their size. */
static inline unsigned int mmbox_kmalloc_index_size(unsigned int idx)
{
	return idx == 1 ? 96 : idx == 2 ? 192 : 1U << idx;
}

/* The index that serves another one's size in this box: the kernel's rules. */
static inline unsigned int mmbox_kmalloc_serving_index(const struct mmbox *box,
						       unsigned int idx)
{
	unsigned long min = box->cfg.kmalloc_min;

	/* Odd sizes only while half of the next power of two is allowed. */
	if (idx == 1)
		return min <= 32 ? 1 : max(7, ilog2(min));
	if (idx == 2)
		return min <= 64 ? 2 : max(8, ilog2(min));
	return max_t(unsigned int, idx, ilog2(min));
}

/* The index of a size up to 128 KiB. */
static inline unsigned int mmbox_kmalloc_index(size_t size)
{
	return size > 64 && size <= 96 ? 1 : size > 128 && size <= 192 ? 2 :
	       max_t(unsigned int, fls64(size - 1), MMBOX_KMALLOC_SHIFT_LOW);
}

#endif /* _MMBOX_SLAB_KMALLOC_H */
