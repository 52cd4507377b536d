/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SLAB's fast paths. Only files of the slab layer include this.
 *
 * The fast paths take no lock and leave interrupts on. They disable preemption and
 * mark the CPU's array busy: see struct mmbox_array_cache. Each rare case ends in a
 * tail call to a function of slab.c. That function is entered in this state and
 * leaves it. So the fast path itself needs no stack frame.
 *
 * A free checks the object. Objects that are freed one after the other often lie
 * in the same slab. The array keeps the address of the slab of the last one: the
 * hint. If the object lies in that slab, it belongs to the cache, and the check only
 * has to find that an object starts there. Otherwise it reads the page descriptor.
 */
#ifndef _MMBOX_SLAB_FAST_H
#define _MMBOX_SLAB_FAST_H

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/overflow.h>
#include <linux/percpu.h>
#include <linux/preempt.h>

#include "slab/slab_object.h"

/* slab.c: the rare ends, entered with preemption off and the array entered */
void *mmbox_cache_alloc_slow(struct mmbox_kmem_cache *cachep, gfp_t gfp, int nid,
			     struct mmbox_array_cache *ac);
void mmbox_cache_free_flush(struct mmbox_kmem_cache *cachep, void *objp,
			    struct mmbox_array_cache *ac);
void mmbox_cache_free_diverted(struct mmbox_kmem_cache *cachep, void *objp,
			       struct mmbox_array_cache *ac);
void mmbox_cache_free_bad(struct mmbox_kmem_cache *cachep, void *objp,
			  struct mmbox_array_cache *ac);
/* with the array entered, and left so */
unsigned int mmbox_cache_flusharray(struct mmbox_kmem_cache *cachep,
				    struct mmbox_array_cache *ac, unsigned int avail);
/* with preemption off, or on for the last, and the array left */
void *mmbox_cache_alloc_zero(struct mmbox_kmem_cache *cachep, gfp_t gfp, void *objp);
void *mmbox_cache_alloc_resched(void *objp);
/* in any context, without the array */
void *mmbox_do_cache_alloc(struct mmbox_kmem_cache *cachep, gfp_t gfp, int nid,
			   unsigned long caller);

/* ---- this CPU's array ---- */

/* The old array or the new one while arrays are resized: see replace_cpu_arrays(). */
static __always_inline struct mmbox_array_cache *
mmbox_this_cpu_array(const struct mmbox_kmem_cache *cachep)
{
	return this_cpu_ptr(READ_ONCE(cachep->cpu_cache));
}

/*
 * Enter the array of this CPU; preemption is off. False if this is an interrupt that
 * has found the array in use, or if the cache is diverted from the fast paths. Then
 * call mmbox_ac_undo() and take a slow path. The read-modify-write need not be
 * atomic: an interrupt in between leaves busy as it was.
 */
static __always_inline bool mmbox_ac_enter_fast(struct mmbox_array_cache *ac)
{
	return likely(mmbox_inc_and_test(&ac->busy));
}

static __always_inline void mmbox_ac_undo(struct mmbox_array_cache *ac)
{
	mmbox_cpu_barrier();
	/* data_race: an interrupt in between leaves busy as it was. */
	data_race(ac->busy--);
}

/*
 * Leave the array on a fast path, after ac->avail was written. Fast paths never run on
 * diverted caches, so the idle value is a constant.
 */
static __always_inline void mmbox_ac_leave_fast(struct mmbox_array_cache *ac)
{
	mmbox_cpu_barrier();
	WRITE_ONCE(ac->busy, MMBOX_AC_IDLE);
}

/* The same after an allocation, in one store with ac->touched. */
static __always_inline void mmbox_ac_leave_touched(struct mmbox_array_cache *ac)
{
	mmbox_cpu_barrier();
	WRITE_ONCE(ac->busy_touched, MMBOX_AC_IDLE_TOUCHED);
}

/* The same for slow paths, and for diverted caches too. If false, there is nothing to undo. */
static __always_inline bool mmbox_ac_enter(const struct mmbox_kmem_cache *cachep,
					   struct mmbox_array_cache *ac)
{
	if (unlikely(READ_ONCE(ac->busy) != cachep->slab.idle))
		return false;
	/* data_race: as above */
	data_race(ac->busy++);
	mmbox_cpu_barrier();
	return true;
}

static __always_inline void mmbox_ac_end(struct mmbox_array_cache *ac,
					 unsigned int avail)
{
	ac->avail = avail;
	mmbox_ac_undo(ac);
	mmbox_preempt_enable();
}

/*
 * Disable preemption and enter this CPU's array. NULL if this is an interrupt that
 * has found the array in use: use the node's lists instead.
 */
static __always_inline struct mmbox_array_cache *
mmbox_ac_begin(struct mmbox_kmem_cache *cachep, unsigned int *avail)
{
	struct mmbox_array_cache *ac;

	preempt_disable();
	ac = mmbox_this_cpu_array(cachep);
	if (unlikely(!mmbox_ac_enter(cachep, ac))) {
		preempt_enable();
		return NULL;
	}
	*avail = ac->avail;
	return ac;
}

/* ---- hints ---- */

/*
 * Only one CPU may keep hints of a slab: the first that asks. So when the slab ends,
 * only that CPU's hints must be looked at. slab->hinter names it in a byte. On a
 * machine with more than 255 CPUs some share a number, and all of these are looked at.
 */
#define MMBOX_NR_HINTERS	255

static inline u8 mmbox_hinter(unsigned int cpu)
{
	return cpu % MMBOX_NR_HINTERS + 1;
}

/*
 * May the CPU whose number is @hinter keep a hint of @slab? An object of it is in
 * use and ours to free, and preemption is off: the slab stays until the object is
 * in an array or its slab.
 */
static __always_inline bool mmbox_may_hint(struct mmbox_page *slab, u8 hinter)
{
	u8 is = READ_ONCE(slab->hinter);

	if (likely(is == hinter))
		return true;
	/* Atomic: of two CPUs that ask at once, only one may get it. */
	return !is && cmpxchg(&slab->hinter, 0, hinter) == 0;
}

/* To be called when an object of @slab was found to be in use. */
static __always_inline void mmbox_ac_hint(struct mmbox_array_cache *ac,
					  struct mmbox_page *slab, unsigned long s_mem)
{
	if (mmbox_may_hint(slab, ac->hinter))
		WRITE_ONCE(ac->hint, s_mem);
}

/* ---- allocate and free ---- */

static __always_inline void *mmbox_cache_alloc(struct mmbox_kmem_cache *cachep,
					       gfp_t gfp, int nid)
{
	struct mmbox_array_cache *ac;
	unsigned long avail;
	void *objp;

	mmbox_might_alloc(gfp);
	preempt_disable();
	ac = mmbox_this_cpu_array(cachep);
	if (unlikely(!mmbox_ac_enter_fast(ac)))
		return mmbox_cache_alloc_slow(cachep, gfp, nid, ac);
	avail = ac->avail;
	if (unlikely(check_sub_overflow(avail, 1UL, &avail)))
		return mmbox_cache_alloc_slow(cachep, gfp, nid, ac);
	objp = ac->entry[avail];
	ac->avail = avail;
	mmbox_ac_leave_touched(ac);

	if (unlikely(gfp & __GFP_ZERO))
		return mmbox_cache_alloc_zero(cachep, gfp, objp);
	*(unsigned long *)objp = 0;
	if (unlikely(mmbox_preempt_enable_test()))
		return mmbox_cache_alloc_resched(objp);
	return objp;
}

/* Put an object, marked free, on the array of this CPU, which was entered. */
static __always_inline void mmbox_cache_free_marked(struct mmbox_kmem_cache *cachep,
						    void *objp,
						    struct mmbox_array_cache *ac)
{
	unsigned long avail = ac->avail;

	if (unlikely(avail >= ac->limit))
		return mmbox_cache_free_flush(cachep, objp, ac);
	ac->entry[avail] = objp;
	barrier();		/* forget avail: it is counted up in place */
	ac->avail++;
	mmbox_ac_leave_fast(ac);
	mmbox_preempt_enable();
}

static __always_inline void mmbox_cache_free(struct mmbox_kmem_cache *cachep,
					     void *objp)
{
	struct mmbox_array_cache *ac;
	unsigned long index, s_mem;
	struct mmbox_page *slab;

	preempt_disable();
	ac = mmbox_this_cpu_array(cachep);
	if (unlikely(!mmbox_ac_enter_fast(ac)))
		return mmbox_cache_free_diverted(cachep, objp, ac);
	/* data_race: forget_hints() may clear it at any time. */
	index = mmbox_obj_index(cachep, (unsigned long)objp - data_race(ac->hint));
	if (unlikely(index >= cachep->num)) {
		OPTIMIZER_HIDE_VAR(cachep);	/* keep no copies for this */
		if (unlikely(!mmbox_obj_is_ours(cachep, objp, cachep->id, &s_mem,
						&index) ||
			     !mmbox_mark_free(cachep, objp, index)))
			return mmbox_cache_free_bad(cachep, objp, ac);
		/* Only now: an object that is free already may lie in a slab that ends. */
		slab = mmbox_obj_to_slab(cachep, (unsigned long)objp - cachep->va_base);
		mmbox_ac_hint(ac, slab, s_mem);
	} else if (unlikely(!mmbox_mark_free(cachep, objp, index))) {
		return mmbox_cache_free_bad(cachep, objp, ac);
	}
	mmbox_cache_free_marked(cachep, objp, ac);
}

/*
 * The slab of the object that kfree() freed last on this CPU. Only tasks write it,
 * with preemption off. Interrupts may read it at any time, so they do not write it.
 * When the slab ends, forget_hints() in slab_pages.c clears it.
 */
struct mmbox_kfree_hint {
	unsigned long s_mem;			/* first object of the slab */
	struct mmbox_kmem_cache *cachep;	/* whose slab it is */
	u8 hinter;				/* mmbox_hinter() of the CPU */
};

/* A hint that names no slab: no valid address, and another value in each box. */
static inline unsigned long mmbox_no_hint(const struct mmbox *box)
{
	return BIT(62) | box->slab.secret >> 3;
}

/* Set up a new array of a CPU; its limits are set already. */
static inline void mmbox_ac_init(const struct mmbox_kmem_cache *cachep,
				 struct mmbox_array_cache *ac, unsigned int cpu)
{
	ac->busy = cachep->slab.idle;
	ac->hint = mmbox_no_hint(cachep->box);
	ac->hinter = mmbox_hinter(cpu);
}

#endif /* _MMBOX_SLAB_FAST_H */
