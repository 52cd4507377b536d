// SPDX-License-Identifier: GPL-2.0
/*
 * kmalloc and kfree: memory by size, from the caches that slab_common.c has made.
 * Requests above kmalloc_max= get whole pages.
 *
 * SLAB takes arrays and off-slab freelists from kmalloc, and kmalloc takes objects
 * from SLAB's caches. So the files of both call each other, which is in the nature
 * of SLAB. Nowhere else in the slab layer do files call each other in a circle.
 */
#include <linux/string.h>

#include "slab/slab_fast.h"

/* kmalloc_type(), Linux 6.1, without accounting: DMA comes before reclaimable. */
static enum mmbox_kmalloc_cache_type mmbox_kmalloc_type(gfp_t gfp)
{
	if (gfp & __GFP_DMA)
		return MMBOX_KMALLOC_DMA;
	return gfp & __GFP_RECLAIMABLE ? MMBOX_KMALLOC_RECLAIM : MMBOX_KMALLOC_NORMAL;
}

/* Size 0 wraps to ULONG_MAX, so it gets no cache, like an oversized request. */
static __always_inline struct mmbox_kmem_cache *
kmalloc_cache(const struct mmbox *box, size_t size, enum mmbox_kmalloc_cache_type type)
{
	if (size - 1 < MMBOX_NR_KMALLOC_SMALL * 8)
		return box->slab.kmalloc_small[type][(size - 1) / 8];
	if (likely(size - 1 < 1UL << MMBOX_KMALLOC_SHIFT_HIGH))
		return box->slab.kmalloc_caches[type][fls64(size - 1)];
	return NULL;
}

/**
 * mmbox_kmalloc_slab() - the cache that kmalloc takes a size from
 * @box: the box
 * @size: bytes
 * @gfp: GFP flags
 *
 * Context: any.
 * Return: the cache, or NULL where there is none (yet): size 0 or larger than
 * kmalloc_max=.
 */
struct mmbox_kmem_cache *mmbox_kmalloc_slab(struct mmbox *box, size_t size,
					    gfp_t gfp)
{
	return kmalloc_cache(box, size, mmbox_kmalloc_type(gfp));
}
MMBOX_EXPORT_INTERNAL(mmbox_kmalloc_slab);

/* Pages that no cache has, by node, as 6.1 adds them to NR_SLAB_UNRECLAIMABLE_B. */
static void account_large_pages(struct mmbox *box, const struct mmbox_page *page, long nr)
{
	int nid = mmbox_page_zone(box, page)->zone_pgdat->node_id;

	atomic_long_add(nr, &box->slab.nr_large_pages[nid]);
}

static noinline void *mmbox_kmalloc_large(struct mmbox *box, size_t size, gfp_t gfp,
					  int nid)
{
	struct mmbox_page *page;

	mmbox_might_alloc(gfp);
	if (!size)
		return ZERO_SIZE_PTR;
	if (get_order(size) >= box->pages.max_order)
		return NULL;
	/* As GFP_SLAB_BUG_MASK: the memory must have a kernel address. */
	gfp &= ~(__GFP_HIGHMEM | __GFP_DMA32);
	page = mmbox_alloc_typed(box, nid, gfp, get_order(size), MMBOX_PAGE_KMALLOC);
	if (!page)
		return NULL;
	account_large_pages(box, page, 1L << get_order(size));
	return __mmbox_page_address(box, page);
}

/* Allocate whole pages, or from the DMA or reclaimable caches. */
static noinline void *do_kmalloc_rare(struct mmbox *box, size_t size, gfp_t gfp, int nid)
{
	struct mmbox_kmem_cache *cachep = kmalloc_cache(box, size, mmbox_kmalloc_type(gfp));

	if (!cachep)
		return mmbox_kmalloc_large(box, size, gfp, nid);
	return mmbox_kmem_cache_alloc_node(cachep, gfp, nid);
}

static __always_inline void *do_kmalloc(struct mmbox *box, size_t size, gfp_t gfp,
					int nid)
{
	struct mmbox_kmem_cache *cachep = kmalloc_cache(box, size, MMBOX_KMALLOC_NORMAL);

	if (unlikely(!cachep || gfp & (__GFP_DMA | __GFP_RECLAIMABLE)))
		return do_kmalloc_rare(box, size, gfp, nid);
	return mmbox_cache_alloc(cachep, gfp, nid);
}

/**
 * mmbox_kmalloc_node() - allocate memory of a node
 * @box: the box
 * @size: bytes; for 0 the result is ZERO_SIZE_PTR
 * @gfp: GFP flags; __GFP_ZERO clears
 * @nid: node to begin with, or NUMA_NO_NODE
 *
 * Context: any but NMI; may sleep only with __GFP_DIRECT_RECLAIM.
 * Return: the memory, aligned to 8 bytes or, if @size is a power of two, to
 * @size up to a page; or NULL.
 */
void *mmbox_kmalloc_node(struct mmbox *box, size_t size, gfp_t gfp, int nid)
{
	return do_kmalloc(box, size, gfp, nid);
}
EXPORT_SYMBOL_GPL(mmbox_kmalloc_node);

/**
 * mmbox_kmalloc_size() - allocate memory of a size that the compiler does not know
 * @box: the box
 * @size: bytes; for 0 the result is ZERO_SIZE_PTR
 * @gfp: GFP flags; __GFP_ZERO clears
 *
 * For mmbox_kmalloc().
 *
 * Context: as mmbox_kmalloc_node().
 * Return: as mmbox_kmalloc_node().
 */
void *mmbox_kmalloc_size(struct mmbox *box, size_t size, gfp_t gfp)
{
	return do_kmalloc(box, size, gfp, NUMA_NO_NODE);
}
EXPORT_SYMBOL_GPL(mmbox_kmalloc_size);

/**
 * mmbox_kmalloc_small() - allocate memory of a small size that the compiler knows
 * @box: the box
 * @gfp: GFP flags, of which none chooses another set of caches
 * @eighths: (bytes - 1) / 8, below %MMBOX_NR_KMALLOC_SMALL
 *
 * For mmbox_kmalloc(). Each published box has caches of all small sizes.
 *
 * Context: as mmbox_kmalloc_node().
 * Return: as mmbox_kmalloc_node().
 */
void *mmbox_kmalloc_small(struct mmbox *box, gfp_t gfp, unsigned long eighths)
{
	struct mmbox_kmem_cache *const *small = box->slab.kmalloc_small[MMBOX_KMALLOC_NORMAL];

	return mmbox_cache_alloc(small[eighths], gfp, NUMA_NO_NODE);
}
EXPORT_SYMBOL_GPL(mmbox_kmalloc_small);

/*
 * kfree() of what kfree_cache() has not found to be an object: NULL, whole pages from
 * mmbox_kmalloc_large(), a bad address, an object of a debugged cache, or any object
 * in a box whose addresses or descriptors are not one range. Entered with preemption
 * off, which it enables.
 */
static noinline void kfree_other(struct mmbox *box, void *objp)
{
	struct mmbox_kmem_cache *cachep;
	struct mmbox_page *page;

	preempt_enable();
	if (ZERO_OR_NULL_PTR(objp))
		return;
	page = mmbox_virt_to_page(box, objp);
	if (!page)
		return mmbox_bad_kfree(box, objp);
	cachep = page->slab_cache ? mmbox_id_to_cache(box, page->slab_cache) : NULL;
	/*
	 * kfree_cache() does not find objects of a debugged cache, which begin behind
	 * a red zone, and none at all where addresses or descriptors are not one range.
	 */
	if (cachep && (mmbox_slab_debugged(cachep) || !box->physmap.linear_size))
		return mmbox_kmem_cache_free(cachep, objp);
	if (cachep)
		return mmbox_bad_free(cachep, objp);
	if (page->type == MMBOX_PAGE_KMALLOC && !((unsigned long)objp & ~PAGE_MASK)) {
		account_large_pages(box, page, -(1L << page->order));
		return mmbox_free_typed(box, page, page->order);
	}
	mmbox_bad_kfree(box, objp);
}

/* What kfree_cache() has found out about an object. */
struct kfree_object {
	unsigned long index;		/* in its slab */
	unsigned long s_mem;		/* first object of the slab */
	struct mmbox_page *slab;
};

/* The cache that @objp is an object of, by its page. NULL if it is no object. */
static __always_inline struct mmbox_kmem_cache *
kfree_cache(struct mmbox *box, void *objp, struct kfree_object *obj)
{
	struct mmbox_kmem_cache *cachep;
	struct mmbox_page *page;

	if (unlikely((unsigned long)objp - box->physmap.va_base >= box->physmap.linear_size))
		return NULL;
	page = mmbox_linear_virt_to_page(box, objp);
	if (unlikely(!page->slab_cache))
		return NULL;
	cachep = mmbox_linear_id_to_cache(box, page->slab_cache);
	obj->slab = mmbox_obj_to_slab(cachep, (unsigned long)objp - cachep->va_base);
	obj->s_mem = mmbox_obj_to_s_mem(cachep, obj->slab, objp);
	obj->index = mmbox_obj_index(cachep, (unsigned long)objp - obj->s_mem);
	return likely(obj->index < cachep->num) ? cachep : NULL;
}

/*
 * Note the slab for the next kfree(). Call it only when the object was found to be in
 * use: the slab of an object that is free already may be ending.
 */
static __always_inline void kfree_set_hint(struct mmbox_kfree_hint *hint,
					   struct mmbox_kmem_cache *cachep,
					   const struct kfree_object *obj)
{
	if (unlikely(!in_task()) || !mmbox_may_hint(obj->slab, hint->hinter))
		return;
	WRITE_ONCE(hint->s_mem, mmbox_no_hint(cachep->box));
	barrier();
	WRITE_ONCE(hint->cachep, cachep);
	barrier();
	WRITE_ONCE(hint->s_mem, obj->s_mem);
}

/*
 * kfree_by_page() for a diverted cache, or in an interrupt that has found the array
 * in use. Context: as mmbox_cache_free_diverted().
 */
static noinline void kfree_diverted(struct mmbox_kmem_cache *cachep, void *objp,
				    struct mmbox_array_cache *ac, unsigned long s_mem)
{
	struct kfree_object obj = { .s_mem = s_mem };

	obj.slab = mmbox_obj_to_slab(cachep, (unsigned long)objp - cachep->va_base);
	obj.index = mmbox_obj_index(cachep, (unsigned long)objp - s_mem);
	if (mmbox_obj_in_use(cachep, obj.slab, objp, obj.index))
		kfree_set_hint(this_cpu_ptr(cachep->box->slab.hints), cachep, &obj);
	mmbox_cache_free_diverted(cachep, objp, ac);
}

/* kfree() of an object that is not in the hint's slab. Entered with preemption off. */
static noinline void kfree_by_page(struct mmbox *box, void *objp,
				   struct mmbox_kfree_hint *hint)
{
	struct mmbox_kmem_cache *cachep;
	struct mmbox_array_cache *ac;
	struct kfree_object obj;

	cachep = kfree_cache(box, objp, &obj);
	if (unlikely(!cachep))
		return kfree_other(box, objp);
	ac = mmbox_this_cpu_array(cachep);
	if (unlikely(!mmbox_ac_enter_fast(ac)))
		return kfree_diverted(cachep, objp, ac, obj.s_mem);
	if (unlikely(!mmbox_mark_free(cachep, objp, obj.index)))
		return mmbox_cache_free_bad(cachep, objp, ac);
	kfree_set_hint(hint, cachep, &obj);
	mmbox_cache_free_marked(cachep, objp, ac);
}

/**
 * mmbox_kfree() - free what kmalloc, or any cache of the box, gave
 * @box: the box
 * @objp: the memory; NULL and ZERO_SIZE_PTR are ignored
 *
 * What is refused, counted and reported: see mmbox_kmem_cache_free().
 *
 * Context: any but NMI, any CPU; never sleeps.
 */
void mmbox_kfree(struct mmbox *box, const void *objp)
{
	struct mmbox_kmem_cache *cachep;
	struct mmbox_kfree_hint *hint;
	struct mmbox_array_cache *ac;
	unsigned long index;

	preempt_disable();
	hint = this_cpu_ptr(box->slab.hints);
	/* data_race: only this CPU writes both, but forget_hints() may clear s_mem. */
	cachep = data_race(hint->cachep);
	/* data_race: as above */
	index = mmbox_obj_index(cachep, (unsigned long)objp - data_race(hint->s_mem));
	if (unlikely(index >= cachep->num))
		return kfree_by_page(cachep->box, (void *)objp, hint);	/* spares a copy of box */
	ac = mmbox_this_cpu_array(cachep);
	if (unlikely(!mmbox_ac_enter_fast(ac)))
		return mmbox_cache_free_diverted(cachep, (void *)objp, ac);
	if (unlikely(!mmbox_mark_free(cachep, (void *)objp, index)))
		return mmbox_cache_free_bad(cachep, (void *)objp, ac);
	mmbox_cache_free_marked(cachep, (void *)objp, ac);
}
EXPORT_SYMBOL_GPL(mmbox_kfree);

/**
 * mmbox_ksize() - bytes that are really there behind an allocation
 * @box: the box
 * @objp: from kmalloc or any cache of the box
 *
 * Context: any.
 * Return: bytes, 0 for NULL, ZERO_SIZE_PTR and what the box never gave.
 */
size_t mmbox_ksize(struct mmbox *box, const void *objp)
{
	struct mmbox_page *page;

	if (ZERO_OR_NULL_PTR(objp))
		return 0;
	page = mmbox_virt_to_page(box, objp);
	if (!page)
		return 0;
	if (page->slab_cache)
		return mmbox_id_to_cache(box, page->slab_cache)->object_size;
	return page->type == MMBOX_PAGE_KMALLOC ? PAGE_SIZE << page->order : 0;
}
EXPORT_SYMBOL_GPL(mmbox_ksize);

/**
 * mmbox_kmalloc_size_roundup() - bytes that kmalloc would really give
 * @box: the box
 * @size: bytes
 *
 * Context: any.
 * Return: bytes; 0 for 0, and SIZE_MAX for what no block could hold.
 */
size_t mmbox_kmalloc_size_roundup(struct mmbox *box, size_t size)
{
	struct mmbox_kmem_cache *cachep = kmalloc_cache(box, size, MMBOX_KMALLOC_NORMAL);

	if (!size)
		return 0;
	if (cachep)
		return cachep->object_size;
	return get_order(size) < box->pages.max_order ? PAGE_SIZE << get_order(size) : SIZE_MAX;
}
EXPORT_SYMBOL_GPL(mmbox_kmalloc_size_roundup);

/* Is it the start of an allocation, so that kfree() would take it? */
static bool is_allocated(struct mmbox *box, const void *objp)
{
	struct mmbox_page *page = mmbox_virt_to_page(box, objp), *slab;
	struct mmbox_kmem_cache *cachep;
	unsigned int idx;

	if (!page)
		return false;
	if (!page->slab_cache)
		return page->type == MMBOX_PAGE_KMALLOC && !offset_in_page(objp);
	cachep = mmbox_id_to_cache(box, page->slab_cache);
	slab = mmbox_slab_of_object(cachep, objp - cachep->obj_offset, &idx);
	if (!slab)
		return false;
	return mmbox_obj_in_use(cachep, slab, objp - cachep->obj_offset, idx);
}

/**
 * mmbox_krealloc() - change the size of an allocation
 * @box: the box
 * @objp: from kmalloc; NULL is as mmbox_kmalloc()
 * @new_size: bytes wanted; 0 frees
 * @gfp: GFP flags; __GFP_ZERO clears what is beyond the old memory
 *
 * The contents are kept up to the smaller of both sizes. The memory stays where it is
 * if the new size fits there.
 *
 * Context: as mmbox_kmalloc().
 * Return: the memory, ZERO_SIZE_PTR for size 0, or NULL: then @objp is as it
 * was. What mmbox_kfree() would refuse is reported, and NULL returned.
 */
void *mmbox_krealloc(struct mmbox *box, const void *objp, size_t new_size, gfp_t gfp)
{
	size_t size = mmbox_ksize(box, objp);
	void *new;

	mmbox_might_alloc(gfp);
	if (!new_size) {
		mmbox_kfree(box, objp);
		return ZERO_SIZE_PTR;
	}
	if (!ZERO_OR_NULL_PTR(objp) && !is_allocated(box, objp)) {
		mmbox_kfree(box, objp);		/* which says what is wrong with it */
		return NULL;
	}
	if (new_size <= size) {
		if (gfp & __GFP_ZERO)
			memset((void *)objp + new_size, 0, size - new_size);
		return (void *)objp;
	}
	new = mmbox_kmalloc(box, new_size, gfp);
	if (!new || !size)
		return new;
	memcpy(new, objp, size);
	mmbox_kfree(box, objp);
	return new;
}
EXPORT_SYMBOL_GPL(mmbox_krealloc);

/**
 * mmbox_kfree_sensitive() - clear, then free
 * @box: the box
 * @objp: from kmalloc
 *
 * Context: as mmbox_kfree().
 */
void mmbox_kfree_sensitive(struct mmbox *box, const void *objp)
{
	/* Otherwise this would clear memory of somebody else, or the mark of a free object. */
	if (is_allocated(box, objp))
		memzero_explicit((void *)objp, mmbox_ksize(box, objp));
	mmbox_kfree(box, objp);
}
EXPORT_SYMBOL_GPL(mmbox_kfree_sensitive);

/* ---- hints ---- */

/**
 * mmbox_kfree_init() - give each CPU its hint for mmbox_kfree()
 * @box: the box; kmem_cache is set
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int mmbox_kfree_init(struct mmbox *box)
{
	struct mmbox_host_percpu *percpu;
	int cpu;

	percpu = mmbox_host_alloc_percpu(&box->host, sizeof(*box->slab.hints),
					 __alignof__(*box->slab.hints), "kfree hints");
	if (!percpu)
		return -ENOMEM;
	box->slab.host_hints = percpu;
	box->slab.hints = (struct mmbox_kfree_hint __percpu *)percpu->ptr;
	for_each_possible_cpu(cpu) {
		struct mmbox_kfree_hint *hint = per_cpu_ptr(box->slab.hints, cpu);

		hint->cachep = box->slab.kmem_cache;
		hint->s_mem = mmbox_no_hint(box);
		hint->hinter = mmbox_hinter(cpu);
	}
	return 0;
}

/**
 * mmbox_kfree_exit() - undo mmbox_kfree_init()
 * @box: the box; nobody uses it any more
 *
 * Context: process, may sleep.
 */
void mmbox_kfree_exit(struct mmbox *box)
{
	mmbox_host_free_percpu(&box->host, box->slab.host_hints);
	box->slab.host_hints = NULL;
}

/**
 * mmbox_kfree_forget_cache() - no CPU's hint leads to a cache from now on
 * @cachep: the cache, all of whose slabs have gone
 *
 * kfree() reads the cache that its hint names.
 *
 * Context: process, may sleep.
 */
void mmbox_kfree_forget_cache(struct mmbox_kmem_cache *cachep)
{
	struct mmbox_slab *s = &cachep->box->slab;
	bool found = false;
	int cpu;

	for_each_possible_cpu(cpu)
		found |= cmpxchg(&per_cpu_ptr(s->hints, cpu)->cachep, cachep,
				 s->kmem_cache) == cachep;
	/* kfree() reads it with preemption off. */
	if (found)
		synchronize_rcu();
}
