// SPDX-License-Identifier: GPL-2.0
/*
 * Tests have what slabs are made of refused: pages, and indices beside them.
 *
 * As host.c refuses requests to the host, here a refill is refused what it asks
 * of the box, in the n-th position, in a row, or ever again; what then happens
 * in slab.c is what happens when the box has run out.
 */
#include "slab/slab.h"

DEFINE_STATIC_KEY_FALSE(mmbox_slab_refuse_key);

/**
 * mmbox_slab_refuse_this() - count a request of a refill
 * @box: the box
 *
 * To be called once before each, while mmbox_slab_refuse_key is on.
 *
 * Context: any.
 * Return: true if it is one of those that are to be refused.
 */
bool mmbox_slab_refuse_this(struct mmbox *box)
{
	struct mmbox_slab_refuse *r = &box->slab.refuse;
	unsigned long nr;

	/* Acquire: pairs with mmbox_slab_refuse_begin(). */
	if (!smp_load_acquire(&r->count))
		return false;
	nr = atomic_long_inc_return(&r->nr);
	if (nr < r->first)
		return false;
	nr -= r->first;
	if ((r->period ? nr % r->period : nr) >= READ_ONCE(r->count))
		return false;
	atomic_long_inc(&r->nr_refused);
	return true;
}

/**
 * mmbox_slab_refuse_begin() - have requests of refills refused from now on
 * @box: the box
 * @first: the first, counted from 1
 * @count: how many in a row
 * @period: requests from one row to the next; 0: there is only one row
 *
 * Context: process, may sleep; one at a time a box.
 */
void mmbox_slab_refuse_begin(struct mmbox *box, unsigned long first, unsigned long count,
			     unsigned long period)
{
	struct mmbox_slab_refuse *r = &box->slab.refuse;

	r->first = first;
	r->period = period;
	atomic_long_set(&r->nr, 0);
	atomic_long_set(&r->nr_refused, 0);
	/* Release: whoever sees it sees the others. */
	smp_store_release(&r->count, count);
	static_branch_inc(&mmbox_slab_refuse_key);
}
MMBOX_EXPORT_INTERNAL(mmbox_slab_refuse_begin);

/**
 * mmbox_slab_refuse_end() - undo mmbox_slab_refuse_begin()
 * @box: the box
 * @nr_refused: out: requests that were refused
 *
 * Context: process, may sleep.
 * Return: requests that there were.
 */
unsigned long mmbox_slab_refuse_end(struct mmbox *box, unsigned long *nr_refused)
{
	struct mmbox_slab_refuse *r = &box->slab.refuse;

	static_branch_dec(&mmbox_slab_refuse_key);
	WRITE_ONCE(r->count, 0);
	*nr_refused = atomic_long_read(&r->nr_refused);
	return atomic_long_read(&r->nr);
}
MMBOX_EXPORT_INTERNAL(mmbox_slab_refuse_end);
