// SPDX-License-Identifier: GPL-2.0
/*
 * kfree_rcu(): objects that are freed after a grace period. rcu_queue.c says when.
 */
#include <linux/export.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "slab/slab.h"

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
		if (++nr % MMBOX_RCU_FREE_AT_ONCE == 0)
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
	mmbox_rcu_queue_freed(&k->queue);
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
	if (mmbox_rcu_queue_add(&k->queue, 1)) {
		head->next = NULL;
		k->waiting = head;
		mmbox_rcu_queue_begin(&k->queue);
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
	mmbox_rcu_queue_wait(&box->slab.kfree_rcu.queue);
}
EXPORT_SYMBOL_GPL(mmbox_kfree_rcu_barrier);

/**
 * mmbox_kfree_rcu_init() - make a box ready for mmbox_kfree_rcu()
 * @box: the box
 *
 * Context: any.
 */
void mmbox_kfree_rcu_init(struct mmbox *box)
{
	mmbox_rcu_queue_init(&box->slab.kfree_rcu.queue, kfree_rcu_work);
}
