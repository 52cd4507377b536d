// SPDX-License-Identifier: GPL-2.0
/*
 * SLAB: many objects of a cache at once.
 *
 * As in slab_fast.h, no lock is taken and interrupts stay on. The CPU's array is
 * marked busy once for all objects, which move in unrolled loops. What this CPU's
 * array cannot do alone is done object by object.
 */
#include <linux/compiler.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/preempt.h>

#include "slab/slab_private.h"

#define BULK_UNROLL	16	/* objects a turn of the loops, which are short */

/* Take the object at @p, and clear its mark. */
static __always_inline void *bulk_take_one(void **p)
{
	void *objp = *p;

	*(unsigned long *)objp = 0;
	return objp;
}

/* Take the @nr objects below @entry, from the top down. */
static __always_inline void bulk_take(void **entry, size_t nr, void **p)
{
	unsigned int i;

	for (; nr >= BULK_UNROLL; nr -= BULK_UNROLL) {
#pragma GCC unroll 16
		for (i = 0; i < BULK_UNROLL; i++)
			p[i] = bulk_take_one(&entry[-1 - (int)i]);
		p += BULK_UNROLL;
		entry -= BULK_UNROLL;
		/* Otherwise the compiler computes them anew for the loop below. */
		OPTIMIZER_HIDE_VAR(p);
		OPTIMIZER_HIDE_VAR(entry);
	}
	for (; nr; nr--)
		*p++ = bulk_take_one(--entry);
}

/* What bulk_put() needs of a cache, in locals: its stores might alias the cache. */
struct bulk_slab {
	unsigned long s_mem_neg;	/* address of the first object, negated */
	u64 inverse;
	unsigned int shift;
	unsigned long num;
	unsigned long secret;
};

/* Mark an object free; false if it is none of the slab, or free already. */
static __always_inline bool bulk_mark(const struct bulk_slab *b, void *objp)
{
	unsigned long mark = mmbox_ror64(((unsigned long)objp + b->s_mem_neg) *
					 b->inverse, b->shift);

	if (unlikely(mark >= b->num))
		return false;
	mark ^= b->secret;
	if (unlikely(*(unsigned long *)objp == mark))
		return false;
	*(unsigned long *)objp = mark;
	return true;
}

/*
 * Check @nr objects of the slab that begins at @s_mem, mark them free and copy
 * their addresses, up to one that is none or free already. All three are moved
 * on by as many as that were.
 */
static __always_inline void bulk_put(const struct mmbox_kmem_cache *cachep,
				     unsigned long s_mem, void ***p, size_t *nr,
				     void ***entry)
{
	struct bulk_slab b = {
		.s_mem_neg = -s_mem,
		.inverse = cachep->inverse,
		.shift = cachep->shift,
		.num = cachep->num,
		.secret = cachep->secret,
	};
	size_t i;

	OPTIMIZER_HIDE_VAR(b.s_mem_neg);	/* an addition keeps objp in its register */
	for (; *nr >= BULK_UNROLL; *nr -= i, *p += i, *entry += i) {
#pragma GCC unroll 16
		for (i = 0; i < BULK_UNROLL; i++) {
			void *objp = (*p)[i];

			if (unlikely(!bulk_mark(&b, objp))) {
				size_t done = i;

				/* Otherwise the compiler updates it in each turn. */
				OPTIMIZER_HIDE_VAR(done);
				*nr -= done;
				*p += done;
				*entry += done;
				return;
			}
			(*entry)[i] = objp;
		}
		OPTIMIZER_HIDE_VAR(*p);
		OPTIMIZER_HIDE_VAR(*entry);
	}
	for (; *nr; --*nr, ++*p) {
		void *objp = **p;

		if (unlikely(!bulk_mark(&b, objp)))
			break;
		*(*entry)++ = objp;
	}
}

/* Take up to @nr objects of this CPU's array. Returns how many. */
static size_t bulk_from_array(struct mmbox_kmem_cache *cachep, size_t nr, void **p)
{
	struct mmbox_array_cache *ac;
	unsigned int avail;

	ac = mmbox_ac_begin(cachep, &avail);
	if (!ac)
		return 0;
	nr = min_t(size_t, nr, avail);
	if (nr)
		ac->touched = 1;
	if (mmbox_slab_debugged(cachep)) {
		nr = 0;		/* each is to be checked */
	} else if (cachep->no_mark) {
		size_t i;

		for (i = 0; i < nr; i++) {
			p[i] = ac->entry[avail - 1 - i];
			mmbox_set_used(cachep, p[i]);
		}
	} else {
		bulk_take(ac->entry + avail, nr, p);
	}
	mmbox_slab_stat_add(cachep, allochit, nr);
	mmbox_ac_end(ac, avail - nr);
	return nr;
}

/*
 * End a bulk allocation that this CPU's array cannot serve alone. Entered with
 * preemption off, and what mmbox_ac_enter_fast() did; leaves both.
 */
static noinline int alloc_bulk_slow(struct mmbox_kmem_cache *cachep, gfp_t gfp,
				    size_t nr, void **p, struct mmbox_array_cache *ac)
{
	size_t i = 0, done = 0;

	mmbox_ac_undo(ac);
	preempt_enable();
	while (i < nr) {
		i += bulk_from_array(cachep, nr - i, p + i);
		for (; unlikely(gfp & __GFP_ZERO) && done < i; done++)
			mmbox_clear_object(cachep, p[done]);
		if (i == nr)
			break;
		p[i] = mmbox_do_cache_alloc(cachep, gfp, NUMA_NO_NODE, _RET_IP_);
		if (!p[i])
			goto free;
		done = ++i;
	}
	return nr;
free:
	mmbox_kmem_cache_free_bulk(cachep, i, p);
	return 0;
}

/* End a bulk allocation after which the task must reschedule. */
static noinline int alloc_bulk_resched(size_t nr)
{
	mmbox_resched();
	return nr;
}

/**
 * mmbox_kmem_cache_alloc_bulk() - allocate objects, all or none
 * @cachep: the cache
 * @gfp: GFP flags
 * @nr: objects wanted
 * @p: where their addresses go
 *
 * Context: as mmbox_kmem_cache_alloc().
 * Return: @nr, or 0.
 */
int mmbox_kmem_cache_alloc_bulk(struct mmbox_kmem_cache *cachep, gfp_t gfp,
				size_t nr, void **p)
{
	struct mmbox_array_cache *ac;
	unsigned long avail;

	mmbox_might_alloc(gfp);
	preempt_disable();
	ac = mmbox_this_cpu_array(cachep);
	if (unlikely(!mmbox_ac_enter_fast(ac)))
		return alloc_bulk_slow(cachep, gfp, nr, p, ac);
	avail = ac->avail;
	if (unlikely(avail < nr || gfp & __GFP_ZERO))
		return alloc_bulk_slow(cachep, gfp, nr, p, ac);
	bulk_take(ac->entry + avail, nr, p);
	ac->avail -= nr;
	mmbox_ac_leave_touched(ac);
	if (unlikely(mmbox_preempt_enable_test()))
		return alloc_bulk_resched(nr);
	return nr;
}
EXPORT_SYMBOL_GPL(mmbox_kmem_cache_alloc_bulk);

/*
 * Put objects from @p to @end on the array, which is entered, from the slab on
 * that the first of them lies in. Refused ones are left out. Returns how many
 * are in the array then.
 */
static unsigned int bulk_to_array(struct mmbox_kmem_cache *cachep,
				  struct mmbox_array_cache *ac, unsigned int avail,
				  void **p, void **end)
{
	while (p < end) {
		unsigned long s_mem, index;
		void **entry, **stop;
		size_t room;

		if (avail >= ac->limit)
			avail = mmbox_cache_flusharray(cachep, ac, avail);
		if (!mmbox_any_obj_is_ours(cachep, *p, cachep->id, &s_mem, &index)) {
			mmbox_bad_free(cachep, *p++);
			continue;
		}
		entry = ac->entry + avail;
		room = min_t(size_t, ac->limit - avail, end - p);
		stop = p;
		bulk_put(cachep, s_mem, &stop, &room, &entry);
		if (stop == p) {	/* it is an object, so it is free already */
			mmbox_bad_free(cachep, *p++);
			continue;
		}
		/* Only now: an object that is free already may lie in a slab that ends. */
		mmbox_ac_hint(ac, mmbox_virt_to_slab(cachep, *p), s_mem);
		avail += stop - p;
		p = stop;
	}
	return avail;
}

/*
 * End a bulk free from an object on that is of another slab than the last, or
 * refused, or finds no room. Entered with preemption off, and with what
 * mmbox_ac_enter_fast() did; leaves both.
 */
static noinline void free_bulk_slow(struct mmbox_kmem_cache *cachep, size_t nr,
				    void **p, struct mmbox_array_cache *ac)
{
	void **end = p + nr;

	if (READ_ONCE(ac->busy) != 0 || cachep->no_mark) {	/* not entered, or diverted */
		mmbox_ac_undo(ac);
		preempt_enable();
		for (; p < end; p++)
			mmbox_cache_free(cachep, *p);
		return;
	}
	mmbox_ac_end(ac, bulk_to_array(cachep, ac, ac->avail, p, end));
}

/**
 * mmbox_kmem_cache_free_bulk() - free objects
 * @cachep: the cache they were allocated from
 * @nr: how many
 * @p: their addresses
 *
 * Context: as mmbox_kmem_cache_free().
 */
void mmbox_kmem_cache_free_bulk(struct mmbox_kmem_cache *cachep, size_t nr,
				void **p)
{
	struct mmbox_array_cache *ac;
	unsigned long avail;
	void **entry;

	preempt_disable();
	ac = mmbox_this_cpu_array(cachep);
	if (unlikely(!mmbox_ac_enter_fast(ac)))
		return free_bulk_slow(cachep, nr, p, ac);
	avail = ac->avail;
	if (unlikely(avail + nr > ac->limit))
		return free_bulk_slow(cachep, nr, p, ac);
	entry = ac->entry + avail;
	/* data_race: as in mmbox_cache_free() */
	bulk_put(cachep, data_race(ac->hint), &p, &nr, &entry);
	ac->avail = entry - ac->entry;
	if (unlikely(nr))
		return free_bulk_slow(cachep, nr, p, ac);
	mmbox_ac_leave_fast(ac);
	mmbox_preempt_enable();
}
EXPORT_SYMBOL_GPL(mmbox_kmem_cache_free_bulk);
