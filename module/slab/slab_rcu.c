// SPDX-License-Identifier: GPL-2.0
/*
 * SLAB_TYPESAFE_BY_RCU: slabs that end after a grace period. rcu_queue.c says when, and
 * free_slab() of the design ends them.
 */
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "slab/slab.h"

static void rcu_slabs_work(struct work_struct *work)
{
	struct mmbox_rcu_slabs *r = container_of(to_rcu_work(work), struct mmbox_rcu_slabs,
						 queue.rwork);
	struct mmbox *box = container_of(r, struct mmbox, slab.rcu_slabs);
	struct mmbox_page *slab, *next;
	unsigned long flags;
	unsigned int nr = 0;

	/* Nobody else has @waiting while the queue is armed. */
	list_for_each_entry_safe(slab, next, &r->waiting, slab_list) {
		mmbox_raw_list_del(&slab->slab_list);
		box->slab.ops->free_slab(mmbox_id_to_cache(box, slab->slab_cache), slab);
		if (++nr % MMBOX_RCU_FREE_AT_ONCE == 0)
			cond_resched();
	}
	raw_spin_lock_irqsave(&r->queue.lock, flags);
	INIT_LIST_HEAD(&r->waiting);
	list_splice_init(&r->pending, &r->waiting);
	mmbox_rcu_queue_freed(&r->queue);
	raw_spin_unlock_irqrestore(&r->queue.lock, flags);
	wake_up_all(&r->queue.wait);
}

/**
 * mmbox_slabs_defer() - free slabs after a grace period
 * @box: the box
 * @list: the slabs, which may be of several caches, on no list of a node any more
 *
 * Context: any, without list_lock.
 */
void mmbox_slabs_defer(struct mmbox *box, struct list_head *list)
{
	struct mmbox_rcu_slabs *r = &box->slab.rcu_slabs;
	unsigned long flags, nr = 0;
	struct list_head *entry;

	list_for_each(entry, list)
		nr++;
	raw_spin_lock_irqsave(&r->queue.lock, flags);
	list_splice_tail_init(list, &r->pending);
	if (mmbox_rcu_queue_add(&r->queue, nr)) {
		list_splice_init(&r->pending, &r->waiting);
		mmbox_rcu_queue_begin(&r->queue);
	}
	raw_spin_unlock_irqrestore(&r->queue.lock, flags);
}

/**
 * mmbox_slabs_rcu_barrier() - wait until slabs that wait for RCU have gone
 * @box: the box
 *
 * Of all caches of the box, but only for those that wait now.
 *
 * Context: process, may sleep.
 */
void mmbox_slabs_rcu_barrier(struct mmbox *box)
{
	mmbox_rcu_queue_wait(&box->slab.rcu_slabs.queue);
}
MMBOX_EXPORT_INTERNAL(mmbox_slabs_rcu_barrier);

/**
 * mmbox_slab_rcu_init() - make a box ready for slabs that end after a grace period
 * @box: the box
 *
 * Context: any.
 */
void mmbox_slab_rcu_init(struct mmbox *box)
{
	struct mmbox_rcu_slabs *r = &box->slab.rcu_slabs;

	mmbox_rcu_queue_init(&r->queue, rcu_slabs_work);
	INIT_LIST_HEAD(&r->pending);
	INIT_LIST_HEAD(&r->waiting);
}
