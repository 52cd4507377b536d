// SPDX-License-Identifier: GPL-2.0
/*
 * Queues of what is freed after a grace period of RCU: kfree_rcu.c has one of objects,
 * slab_rcu.c one of slabs.
 *
 *	pending --(the batch before is freed)--> waiting --(grace period)--> freed
 *
 * While one batch waits for its grace period, the next one gathers. After the grace
 * period a work item frees the batch. It calls cond_resched() from time to time, as a
 * batch may be long. Each item is counted as it comes, so a barrier can wait for those
 * that came before it. The lists are those of the users; this file only counts.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "slab/slab.h"

/* WQ_MEM_RECLAIM: reclaim may wait for the memory that is freed here. */
static struct workqueue_struct *rcu_wq __ro_after_init;

/**
 * mmbox_rcu_queue_add() - count what is added to the pending ones
 * @q: the queue
 * @nr: how many are added
 *
 * Context: any but NMI, q->lock held.
 * Return: true if no batch is under way: then the caller makes these the waiting batch
 * and calls mmbox_rcu_queue_begin().
 */
bool mmbox_rcu_queue_add(struct mmbox_rcu_queue *q, unsigned long nr)
{
	lockdep_assert_held(&q->lock);
	q->nr_queued += nr;
	if (q->armed)
		return false;
	q->armed = true;
	return true;
}

/**
 * mmbox_rcu_queue_begin() - let the waiting batch wait for a grace period
 * @q: the queue
 *
 * Context: any but NMI, q->lock held.
 */
void mmbox_rcu_queue_begin(struct mmbox_rcu_queue *q)
{
	lockdep_assert_held(&q->lock);
	q->nr_waiting = q->nr_queued;
	queue_rcu_work(rcu_wq, &q->rwork);
}

/**
 * mmbox_rcu_queue_freed() - the waiting batch is freed
 * @q: the queue; those pending are the waiting batch now
 *
 * Begins the next batch if there is one. Afterwards, without the lock, the caller wakes
 * up q->wait.
 *
 * Context: work of the queue, q->lock held.
 */
void mmbox_rcu_queue_freed(struct mmbox_rcu_queue *q)
{
	lockdep_assert_held(&q->lock);
	WRITE_ONCE(q->nr_freed, q->nr_waiting);
	q->armed = q->nr_queued != q->nr_freed;
	if (q->armed)
		mmbox_rcu_queue_begin(q);
}

/**
 * mmbox_rcu_queue_wait() - wait until all that has come before is freed
 * @q: the queue
 *
 * Does not wait for what comes later.
 *
 * Context: process, may sleep.
 */
void mmbox_rcu_queue_wait(struct mmbox_rcu_queue *q)
{
	unsigned long flags, nr;

	might_sleep();
	raw_spin_lock_irqsave(&q->lock, flags);
	nr = q->nr_queued;
	raw_spin_unlock_irqrestore(&q->lock, flags);
	wait_event(q->wait, (long)(READ_ONCE(q->nr_freed) - nr) >= 0);
}

/**
 * mmbox_rcu_queue_init() - make a queue ready
 * @q: the queue, zeroed
 * @fn: frees the waiting batch, then calls mmbox_rcu_queue_freed()
 *
 * Context: any.
 */
void mmbox_rcu_queue_init(struct mmbox_rcu_queue *q, work_func_t fn)
{
	raw_spin_lock_init(&q->lock);
	init_waitqueue_head(&q->wait);
	INIT_RCU_WORK(&q->rwork, fn);
}

/**
 * mmbox_rcu_queue_exit() - wait until a queue is empty and its work has ended
 * @q: the queue; nothing is added to it any more
 *
 * Context: process, may sleep.
 */
void mmbox_rcu_queue_exit(struct mmbox_rcu_queue *q)
{
	mmbox_rcu_queue_wait(q);
	flush_work(&q->rwork.work);
}

/**
 * mmbox_rcu_queue_module_init() - make ready for boxes
 *
 * Context: when the module is loaded.
 * Return: 0 or -ENOMEM.
 */
int __init mmbox_rcu_queue_module_init(void)
{
	rcu_wq = alloc_workqueue("mmbox_rcu", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return rcu_wq ? 0 : -ENOMEM;
}

/**
 * mmbox_rcu_queue_module_exit() - undo mmbox_rcu_queue_module_init()
 *
 * Context: when the module is unloaded, without boxes.
 */
void mmbox_rcu_queue_module_exit(void)
{
	destroy_workqueue(rcu_wq);
}
