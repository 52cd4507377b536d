// SPDX-License-Identifier: GPL-2.0
/*
 * What is freed after a grace period of RCU: objects given to mmbox_kfree_rcu(), and
 * slabs of SLAB_TYPESAFE_BY_RCU caches.
 *
 *	pending --(the batch before is freed)--> waiting --(grace period)--> freed
 *
 * While one batch waits for its grace period, the next one gathers. After the grace
 * period a work item frees the batch. It calls cond_resched() from time to time, as a
 * batch may be long. Objects and slabs are counted as they come, so a barrier can wait
 * for those that came before it.
 */
#include <linux/export.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "slab/slab.h"

#define FREE_AT_ONCE	64	/* between two looks whether others need the CPU */

/* WQ_MEM_RECLAIM: reclaim may wait for the memory that is freed here. */
static struct workqueue_struct *rcu_wq __ro_after_init;

/* ---- numbers ---- */

/* Count @nr more. Returns true if no batch is under way: call begin_batch() then. */
static bool note_pending(struct mmbox_rcu_queue *q, unsigned long nr)
{
	lockdep_assert_held(&q->lock);
	q->nr_queued += nr;
	if (q->armed)
		return false;
	q->armed = true;
	return true;
}

/* The batch starts to wait for a grace period. */
static void begin_batch(struct mmbox_rcu_queue *q)
{
	lockdep_assert_held(&q->lock);
	q->nr_waiting = q->nr_queued;
	queue_rcu_work(rcu_wq, &q->rwork);
}

/* The batch is freed. Returns true if more is pending: call begin_batch() then. */
static bool batch_is_freed(struct mmbox_rcu_queue *q)
{
	lockdep_assert_held(&q->lock);
	WRITE_ONCE(q->nr_freed, q->nr_waiting);
	q->armed = q->nr_queued != q->nr_freed;
	return q->armed;
}

/* Wait for all that has come before this call, and for nothing that comes later. */
static void wait_until_freed(struct mmbox_rcu_queue *q)
{
	unsigned long flags, nr;

	raw_spin_lock_irqsave(&q->lock, flags);
	nr = q->nr_queued;
	raw_spin_unlock_irqrestore(&q->lock, flags);
	wait_event(q->wait, (long)(READ_ONCE(q->nr_freed) - nr) >= 0);
}

static void queue_init(struct mmbox_rcu_queue *q, work_func_t fn)
{
	raw_spin_lock_init(&q->lock);
	init_waitqueue_head(&q->wait);
	INIT_RCU_WORK(&q->rwork, fn);
}

/* ---- objects: mmbox_kfree_rcu() ---- */

/*
 * Objects are linked by their heads. The distance from object to head is kept in
 * func, xored with the address of the head and a secret. So a head that is on the
 * list already can be told, which would otherwise make the list a ring.
 */
static rcu_callback_t kfree_rcu_note(const struct mmbox *box, const struct rcu_head *head,
				     unsigned long offset)
{
	return (rcu_callback_t)(offset ^ (unsigned long)head ^ box->slab.secret);
}

/* The object of a head. NULL if the head was overwritten. */
static void *kfree_rcu_object(const struct mmbox *box, struct rcu_head *head)
{
	unsigned long offset;

	if (!IS_ALIGNED((unsigned long)head, sizeof(void *)) ||
	    !mmbox_virt_valid(box, head) || !mmbox_virt_valid(box, &head->func))
		return NULL;
	offset = (unsigned long)head->func ^ (unsigned long)head ^ box->slab.secret;
	return offset < PAGE_SIZE << box->pages.max_order ? (void *)head - offset : NULL;
}

/* Free a batch, up to the first object whose head was overwritten. */
static void free_objects(struct mmbox *box, struct rcu_head *head)
{
	struct rcu_head *next;
	unsigned int nr = 0;
	void *objp;

	for (; head; head = next) {
		objp = kfree_rcu_object(box, head);
		if (!objp) {
			box->observer->bad_kfree_rcu(box, head);
			return;
		}
		next = head->next;
		/* Another object may use this memory as a head at once. */
		head->func = NULL;
		mmbox_kfree(box, objp);
		if (++nr % FREE_AT_ONCE == 0)
			cond_resched();
	}
}

static void kfree_rcu_work(struct work_struct *work)
{
	struct mmbox_kfree_rcu *k = container_of(to_rcu_work(work), struct mmbox_kfree_rcu,
						 queue.rwork);
	struct mmbox *box = container_of(k, struct mmbox, slab.kfree_rcu);
	unsigned long flags;

	/* Nobody else has @waiting while the queue is armed. */
	free_objects(box, k->waiting);
	raw_spin_lock_irqsave(&k->queue.lock, flags);
	k->waiting = k->pending;
	k->pending = NULL;
	if (batch_is_freed(&k->queue))
		begin_batch(&k->queue);
	raw_spin_unlock_irqrestore(&k->queue.lock, flags);
	wake_up_all(&k->queue.wait);
}

/**
 * mmbox_kvfree_call_rcu() - what mmbox_kfree_rcu() calls
 * @box: the box
 * @head: the rcu_head in the object
 * @objp: the object, from kmalloc or a cache
 *
 * What is not in the box, or was given to mmbox_kfree_rcu() before and waits, is
 * refused, counted and reported.
 *
 * Context: any but NMI.
 */
void mmbox_kvfree_call_rcu(struct mmbox *box, struct rcu_head *head, void *objp)
{
	rcu_callback_t note = kfree_rcu_note(box, head, (void *)head - objp);
	struct mmbox_kfree_rcu *k = &box->slab.kfree_rcu;
	unsigned long flags;

	if (!mmbox_virt_valid(box, head))
		return mmbox_tell_bad_free(box, MMBOX_BAD_FOREIGN, NULL, objp);
	raw_spin_lock_irqsave(&k->queue.lock, flags);
	if (head->func == note) {
		raw_spin_unlock_irqrestore(&k->queue.lock, flags);
		return mmbox_tell_bad_free(box, MMBOX_BAD_DOUBLE, NULL, objp);
	}
	head->func = note;
	if (note_pending(&k->queue, 1)) {
		head->next = NULL;
		k->waiting = head;
		begin_batch(&k->queue);
	} else {
		head->next = k->pending;
		k->pending = head;
	}
	raw_spin_unlock_irqrestore(&k->queue.lock, flags);
}
EXPORT_SYMBOL_GPL(mmbox_kvfree_call_rcu);

/**
 * mmbox_kfree_rcu_mightsleep() - free after a grace period, without an rcu_head
 * @box: the box
 * @objp: from kmalloc, or NULL
 *
 * Context: process, may sleep.
 */
void mmbox_kfree_rcu_mightsleep(struct mmbox *box, const void *objp)
{
	might_sleep();
	if (ZERO_OR_NULL_PTR(objp))
		return;
	synchronize_rcu();
	mmbox_kfree(box, objp);
}
EXPORT_SYMBOL_GPL(mmbox_kfree_rcu_mightsleep);

/**
 * mmbox_kfree_rcu_barrier() - wait until what mmbox_kfree_rcu() was given is freed
 * @box: the box
 *
 * Waits for what came before the call: at most for the batch that is on its way
 * and the one after it, however much others go on to give.
 *
 * Context: process, may sleep.
 */
void mmbox_kfree_rcu_barrier(struct mmbox *box)
{
	might_sleep();
	wait_until_freed(&box->slab.kfree_rcu.queue);
}
EXPORT_SYMBOL_GPL(mmbox_kfree_rcu_barrier);

/* ---- slabs: SLAB_TYPESAFE_BY_RCU ---- */

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
		mmbox_list_del(&slab->slab_list);
		box->slab.ops->free_slab(mmbox_id_to_cache(box, slab->slab_cache), slab);
		if (++nr % FREE_AT_ONCE == 0)
			cond_resched();
	}
	raw_spin_lock_irqsave(&r->queue.lock, flags);
	INIT_LIST_HEAD(&r->waiting);
	list_splice_init(&r->pending, &r->waiting);
	if (batch_is_freed(&r->queue))
		begin_batch(&r->queue);
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
	if (note_pending(&r->queue, nr)) {
		list_splice_init(&r->pending, &r->waiting);
		begin_batch(&r->queue);
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
	might_sleep();
	wait_until_freed(&box->slab.rcu_slabs.queue);
}
MMBOX_EXPORT_INTERNAL(mmbox_slabs_rcu_barrier);

/* ---- set-up and tear-down ---- */

/**
 * mmbox_slab_rcu_init() - make a box's queues ready
 * @box: the box
 *
 * Context: any.
 */
void mmbox_slab_rcu_init(struct mmbox *box)
{
	struct mmbox_rcu_slabs *r = &box->slab.rcu_slabs;

	queue_init(&box->slab.kfree_rcu.queue, kfree_rcu_work);
	queue_init(&r->queue, rcu_slabs_work);
	INIT_LIST_HEAD(&r->pending);
	INIT_LIST_HEAD(&r->waiting);
}

/**
 * mmbox_slab_rcu_exit() - wait for all that is still to be freed
 * @box: the box; nobody uses it any more
 *
 * Context: process, may sleep.
 */
void mmbox_slab_rcu_exit(struct mmbox *box)
{
	/* Objects first: with them slabs may go. Then, who freed has left the queue. */
	mmbox_kfree_rcu_barrier(box);
	flush_work(&box->slab.kfree_rcu.queue.rwork.work);
	mmbox_slabs_rcu_barrier(box);
	flush_work(&box->slab.rcu_slabs.queue.rwork.work);
}

/**
 * mmbox_slab_rcu_module_init() - make ready for boxes
 *
 * Context: when the module is loaded.
 * Return: 0 or -ENOMEM.
 */
int __init mmbox_slab_rcu_module_init(void)
{
	rcu_wq = alloc_workqueue("mmbox_rcu", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return rcu_wq ? 0 : -ENOMEM;
}

/**
 * mmbox_slab_rcu_module_exit() - undo mmbox_slab_rcu_module_init()
 *
 * Context: when the module is unloaded, without boxes.
 */
void mmbox_slab_rcu_module_exit(void)
{
	destroy_workqueue(rcu_wq);
}
