// SPDX-License-Identifier: GPL-2.0
/*
 * Failure injection: allocations that make a new slab fail when a test asks for it.
 *
 * A new slab needs pages, possibly a freelist beside it, and possibly memory of
 * the host. Each of these requests is counted here. A test names which of them
 * fail: the n-th, several in a row, or several in each period. slab.c then takes
 * the path that it takes when the box has run out of memory. host.c does the same
 * for requests to the host.
 */
#include "slab/slab.h"

DEFINE_STATIC_KEY_FALSE(mmbox_failslab_key);

/**
 * __mmbox_should_failslab() - count a request for a new slab, and say if it fails
 * @box: the box
 *
 * For mmbox_should_failslab(), which calls it while mmbox_failslab_key is on.
 *
 * Context: any.
 * Return: true if the request is to fail.
 */
bool __mmbox_should_failslab(struct mmbox *box)
{
	struct mmbox_failslab *f = &box->slab.failslab;
	unsigned long nr;

	/* Pairs with smp_store_release() in mmbox_failslab_begin(). */
	if (!smp_load_acquire(&f->count))
		return false;
	nr = atomic_long_inc_return(&f->nr);
	if (nr < f->first)
		return false;
	nr -= f->first;
	if ((f->period ? nr % f->period : nr) >= READ_ONCE(f->count))
		return false;
	atomic_long_inc(&f->nr_failed);
	return true;
}

/**
 * mmbox_failslab_begin() - let requests for new slabs fail from now on
 * @box: the box
 * @first: the first request that fails, counted from 1
 * @count: how many fail in a row
 * @period: requests from the start of one row to the start of the next; 0: one row
 *
 * Only one caller a box at a time.
 *
 * Context: process, may sleep.
 */
void mmbox_failslab_begin(struct mmbox *box, unsigned long first, unsigned long count,
			  unsigned long period)
{
	struct mmbox_failslab *f = &box->slab.failslab;

	f->first = first;
	f->period = period;
	atomic_long_set(&f->nr, 0);
	atomic_long_set(&f->nr_failed, 0);
	/* Pairs with smp_load_acquire() in __mmbox_should_failslab(). */
	smp_store_release(&f->count, count);
	static_branch_inc(&mmbox_failslab_key);
}
MMBOX_EXPORT_INTERNAL(mmbox_failslab_begin);

/**
 * mmbox_failslab_end() - undo mmbox_failslab_begin()
 * @box: the box
 * @nr_failed: out: how many requests have failed
 *
 * Context: process, may sleep.
 * Return: how many requests were counted.
 */
unsigned long mmbox_failslab_end(struct mmbox *box, unsigned long *nr_failed)
{
	struct mmbox_failslab *f = &box->slab.failslab;

	static_branch_dec(&mmbox_failslab_key);
	WRITE_ONCE(f->count, 0);
	*nr_failed = atomic_long_read(&f->nr_failed);
	return atomic_long_read(&f->nr);
}
MMBOX_EXPORT_INTERNAL(mmbox_failslab_end);
