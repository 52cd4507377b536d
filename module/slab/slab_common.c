// SPDX-License-Identifier: GPL-2.0
/*
 * Caches by name and kmalloc: what does not depend on how slabs are kept.
 *
 * kmem_cache, the cache that caches come from, lies in boot memory. The
 * kmalloc caches follow: first the one for struct kmem_cache_node, which all
 * later caches need, then the others by size. Requests above kmalloc_max= and
 * such with __GFP_DMA are met with whole pages.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/cpu.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "slab/slab_object.h"

/* Flags of mmbox_kmem_cache_create() that make a difference. */
#define CREATE_FLAGS	(SLAB_HWCACHE_ALIGN | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | \
			 SLAB_RECLAIM_ACCOUNT | SLAB_TYPESAFE_BY_RCU | \
			 SLAB_NOLEAKTRACE | SLAB_ACCOUNT | MMBOX_SLAB_DEBUG_FLAGS)

/* Such that 6.1 takes as well, and that mean nothing here; what else is refused. */
#define IGNORED_FLAGS	(MMBOX_SLAB_MEM_SPREAD | SLAB_DEBUG_OBJECTS | SLAB_NO_USER_FLAGS)

/* Caches with the first are never merged, and with the second only alike. */
#define NEVER_MERGE	(SLAB_TYPESAFE_BY_RCU | SLAB_NOLEAKTRACE | MMBOX_SLAB_DEBUG_FLAGS)
#define MERGE_SAME	(SLAB_RECLAIM_ACCOUNT | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | \
			 SLAB_ACCOUNT)

#define LEAKS_LISTED	16	/* objects in use that a refused destruction names */

struct boot_caches {
	struct mmbox_kmem_cache kmem_cache;
	/* of kmem_cache, of kmalloc's for nodes */
	struct mmbox_kmem_cache_node nodes[2][MMBOX_MAX_NUMNODES];
} __aligned(MMBOX_CACHE_ALIGN);

/* ---- kmalloc's sizes ---- */

/* 96 and 192 have the indices 1 and 2, the rest the log2 of their size. */
static unsigned int kmalloc_index_size(unsigned int idx)
{
	return idx == 1 ? 96 : idx == 2 ? 192 : 1U << idx;
}

/* The index that serves another one's size in this box: the kernel's rules. */
static unsigned int kmalloc_serving_index(const struct mmbox *box, unsigned int idx)
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
static unsigned int mmbox_kmalloc_index(size_t size)
{
	return size > 64 && size <= 96 ? 1 : size > 128 && size <= 192 ? 2 :
	       max_t(unsigned int, fls64(size - 1), MMBOX_KMALLOC_SHIFT_LOW);
}

/* kmalloc_type(), Linux 6.1, without accounting: DMA comes before reclaimable. */
static enum mmbox_kmalloc_cache_type mmbox_kmalloc_type(gfp_t gfp)
{
	if (gfp & __GFP_DMA)
		return MMBOX_KMALLOC_DMA;
	return gfp & __GFP_RECLAIMABLE ? MMBOX_KMALLOC_RECLAIM : MMBOX_KMALLOC_NORMAL;
}

/* Size 0 wraps, and is as none of these as what is too large. */
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

/* ---- kmalloc ---- */

static noinline void *mmbox_kmalloc_large(struct mmbox *box, size_t size, gfp_t gfp,
					  int nid)
{
	struct mmbox_page *page;

	mmbox_might_alloc(gfp);
	if (!size)
		return ZERO_SIZE_PTR;
	if (get_order(size) >= box->pages.max_order)
		return NULL;
	/* As GFP_SLAB_BUG_MASK: such memory has an address, and stays where it is. */
	gfp &= ~(__GFP_HIGHMEM | __GFP_DMA32);
	page = mmbox_alloc_typed(box, nid, gfp, get_order(size), MMBOX_PAGE_KMALLOC);
	return page ? __mmbox_page_address(box, page) : NULL;
}

/* From whole pages, or from a set of caches that is asked less often. */
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
 * Not an object of a slab: nothing, whole pages from mmbox_kmalloc_large(), or
 * something wrong; or the box is not one range with one array. Entered with
 * preemption off, which it enables.
 */
static noinline void kfree_other(struct mmbox *box, void *objp)
{
	struct mmbox_kmem_cache *cachep;
	struct mmbox_page *page;
	enum mmbox_bad why;

	preempt_enable();
	if (ZERO_OR_NULL_PTR(objp))
		return;
	page = mmbox_virt_to_page(box, objp);
	if (!page)
		return box->observer->bad_object(box, MMBOX_BAD_FOREIGN, NULL, objp);
	cachep = page->slab_cache ? mmbox_id_to_cache(box, page->slab_cache) : NULL;
	/*
	 * Behind a red zone it is not where kfree_cache() looks for it, and where
	 * descriptors or addresses are not in one range that does not look.
	 */
	if (cachep && (mmbox_slab_debugged(cachep) || !box->physmap.linear_size))
		return mmbox_kmem_cache_free(cachep, objp);
	if (cachep)
		return mmbox_refuse_object(cachep, objp);
	if (page->type == MMBOX_PAGE_KMALLOC && !((unsigned long)objp & ~PAGE_MASK))
		return mmbox_free_typed(box, page, page->order);
	if (mmbox_glance(mmbox_block_head(box, page)->type) == MMBOX_PAGE_KMALLOC)
		why = MMBOX_BAD_OBJECT;
	else
		why = mmbox_why_no_object(box, page);
	box->observer->bad_object(box, why, NULL, objp);
}

/* What kfree_cache() has found out about an object. */
struct kfree_object {
	unsigned long index;		/* in its slab */
	unsigned long s_mem;		/* first object of the slab */
	struct mmbox_page *slab;
};

/* The cache of which @objp is an object, as its page has it; NULL if it is none. */
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
 * The next object may be of this slab as well. To be called when this one was
 * found to be in use: what is free already may lie in a slab that is going.
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
 * kfree_by_page() of an object of a cache that is diverted, or whose array is in
 * use below us. Context: as mmbox_cache_free_diverted().
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

/* kfree() without a hint: its page leads to its cache. Entered with preemption off. */
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
		return mmbox_cache_free_refuse(cachep, objp, ac);
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
	/* data_race: both are written here alone, but for a hint that is taken away. */
	cachep = data_race(hint->cachep);
	/* data_race: as above */
	index = mmbox_obj_index(cachep, (unsigned long)objp - data_race(hint->s_mem));
	if (unlikely(index >= cachep->num))
		return kfree_by_page(cachep->box, (void *)objp, hint);	/* spares a copy of box */
	ac = mmbox_this_cpu_array(cachep);
	if (unlikely(!mmbox_ac_enter_fast(ac)))
		return mmbox_cache_free_diverted(cachep, (void *)objp, ac);
	if (unlikely(!mmbox_mark_free(cachep, (void *)objp, index)))
		return mmbox_cache_free_refuse(cachep, (void *)objp, ac);
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

/* Is it the start of what somebody has got? What kfree() would not refuse. */
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
 * What lay in the old memory is in the new one, as far as that reaches. The
 * memory stays where it is if there is room.
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
	/* Else it would be another's that is cleared, or what marks it as free. */
	if (is_allocated(box, objp))
		memzero_explicit((void *)objp, mmbox_ksize(box, objp));
	mmbox_kfree(box, objp);
}
EXPORT_SYMBOL_GPL(mmbox_kfree_sensitive);

/* ---- caches by name ---- */

/* calculate_alignment(), mm/slab_common.c, Linux 6.1 */
static unsigned int calculate_alignment(slab_flags_t flags, unsigned int align,
					unsigned int size)
{
	if (flags & SLAB_HWCACHE_ALIGN) {
		unsigned int ralign = cache_line_size();

		while (size <= ralign / 2)
			ralign /= 2;
		align = max(align, ralign);
	}
	align = max_t(unsigned int, align, __alignof__(unsigned long long));
	return ALIGN(align, sizeof(void *));
}

static int check_create(struct mmbox *box, const char *name, unsigned int size,
			unsigned int align, slab_flags_t flags, unsigned int useroffset,
			unsigned int usersize)
{
	unsigned long max = PAGE_SIZE << (box->pages.max_order - 1);
	const char *p;

	if (!name || !*name || strnlen(name, MMBOX_SLAB_NAME_LEN) == MMBOX_SLAB_NAME_LEN) {
		pr_err("%s: cache name must have 1 to %d characters\n", box->name,
		       MMBOX_SLAB_NAME_LEN - 1);
		return -EINVAL;
	}
	for (p = name; *p; p++) {
		if (isgraph(*p))
			continue;
		pr_err("%s: cache name must have no spaces or control characters\n",
		       box->name);
		return -EINVAL;
	}
	if (!size || size > max) {
		pr_err("%s: cache %s: size %u must be 1 to %lu bytes\n", box->name,
		       name, size, max);
		return -EINVAL;
	}
	if (align > PAGE_SIZE || (align && !is_power_of_2(align))) {
		pr_err("%s: cache %s: align %u must be 0 or a power of two up to %lu bytes\n",
		       box->name, name, align, PAGE_SIZE);
		return -EINVAL;
	}
	if (flags & ~(CREATE_FLAGS | IGNORED_FLAGS)) {
		pr_err("%s: cache %s: flags %#x, only %#x are possible\n", box->name,
		       name, (__force unsigned int)flags,
		       (__force unsigned int)(CREATE_FLAGS | IGNORED_FLAGS));
		return -EINVAL;
	}
	if (usersize > size || useroffset > size - usersize || (useroffset && !usersize)) {
		pr_err("%s: cache %s: usercopy region of %u bytes at %u must lie in the %u of an object\n",
		       box->name, name, usersize, useroffset, size);
		return -EINVAL;
	}
	return 0;
}

/* find_mergeable(), mm/slab_common.c, Linux 6.1: oldest first */
static struct mmbox_kmem_cache *find_mergeable(struct mmbox *box, unsigned int size,
					       unsigned int align, slab_flags_t flags)
{
	struct mmbox_kmem_cache *cachep;

	size = ALIGN(size, sizeof(void *));
	align = calculate_alignment(flags, align, size);
	size = ALIGN(size, align);
	list_for_each_entry_reverse(cachep, &box->slab.caches, list) {
		if (cachep->flags & NEVER_MERGE || cachep->ctor || cachep->usersize ||
		    cachep->debug || cachep == box->slab.kmem_cache)
			continue;
		if ((flags & MERGE_SAME) != (cachep->flags & MERGE_SAME))
			continue;
		if (cachep->size < size || cachep->size - size >= sizeof(void *))
			continue;
		if (cachep->size % align || align > cachep->align || cachep->align % align)
			continue;
		return cachep;
	}
	return NULL;
}

/* A cache there is already that serves as well, if that is wanted. */
static struct mmbox_kmem_cache *create_alias(struct mmbox *box, unsigned int size,
					     unsigned int align, slab_flags_t flags)
{
	struct mmbox_kmem_cache *cachep;

	if (!box->cfg.slab_merge || flags & NEVER_MERGE)
		return NULL;
	cachep = find_mergeable(box, size, align, flags);
	if (cachep) {
		cachep->refcount++;
		/* All of it is cleared when that is asked for. */
		cachep->object_size = max(cachep->object_size, size);
	}
	return cachep;
}

static void init_cache(struct mmbox_kmem_cache *cachep, struct mmbox *box,
		       const char *name, unsigned int size, unsigned int align,
		       slab_flags_t flags)
{
	cachep->box = box;
	strscpy(cachep->name, name, sizeof(cachep->name));
	cachep->object_size = size;
	cachep->align = calculate_alignment(flags, align, size);
	cachep->flags = flags;
	cachep->index_size = 1;
	cachep->refcount = 1;
}

/**
 * mmbox_kmem_cache_try_create_usercopy() - create a cache, or say why not
 * @box: the box
 * @name: shown in slabinfo; copied
 * @size: bytes an object
 * @align: bytes, a power of two, or 0
 * @flags: SLAB_HWCACHE_ALIGN, SLAB_CACHE_DMA, SLAB_CACHE_DMA32,
 *	SLAB_RECLAIM_ACCOUNT, SLAB_TYPESAFE_BY_RCU, SLAB_NOLEAKTRACE (never an
 *	off-slab freelist), SLAB_ACCOUNT (only merged alike); with slab_debug=
 *	also SLAB_CONSISTENCY_CHECKS, SLAB_RED_ZONE, SLAB_POISON, SLAB_STORE_USER
 *	and SLAB_TRACE, as its letters; others that 6.1 takes are ignored
 * @useroffset: first byte that mmbox_copy_to_user() and its like may copy
 * @usersize: bytes that they may
 * @ctor: run once for each object of a new slab, or NULL
 *
 * Context: process, may sleep.
 * Return: the cache, or an ERR_PTR(): -EINVAL for a bad argument, -E2BIG,
 * -ENOMEM.
 */
struct mmbox_kmem_cache *
mmbox_kmem_cache_try_create_usercopy(struct mmbox *box, const char *name,
				     unsigned int size, unsigned int align,
				     slab_flags_t flags, unsigned int useroffset,
				     unsigned int usersize, void (*ctor)(void *))
{
	struct mmbox_kmem_cache *cachep = NULL;
	int err;

	err = check_create(box, name, size, align, flags, useroffset, usersize);
	if (err)
		return ERR_PTR(err);
	flags &= CREATE_FLAGS;
	/* As without CONFIG_DEBUG_SLAB, unless slab_debug= has caches watched. */
	if (!box->slab.debug.on)
		flags &= ~MMBOX_SLAB_DEBUG_FLAGS;

	mutex_lock(&box->slab.mutex);
	if (!usersize && !ctor && !mmbox_slab_debug_letters(box, name))
		cachep = create_alias(box, size, align, flags);
	if (cachep)
		goto unlock;
	cachep = mmbox_kmem_cache_zalloc(box->slab.kmem_cache, GFP_KERNEL);
	if (!cachep) {
		err = -ENOMEM;
		goto unlock;
	}
	init_cache(cachep, box, name, size, align, flags);
	cachep->useroffset = useroffset;
	cachep->usersize = usersize;
	cachep->ctor = ctor;
	err = mmbox___kmem_cache_create(cachep, NULL);
	if (err) {
		mmbox_kmem_cache_free(box->slab.kmem_cache, cachep);
		goto unlock;
	}
	list_add(&cachep->list, &box->slab.caches);
	mmbox_slab_debug_own_cache(cachep);
	box->observer->cache_added(box, cachep);
unlock:
	mutex_unlock(&box->slab.mutex);
	return err ? ERR_PTR(err) : cachep;
}

/**
 * mmbox_kmem_cache_try_create() - create a cache without usercopy region
 * @box: the box
 * @name: shown in slabinfo; copied
 * @size: bytes an object
 * @align: bytes, a power of two, or 0
 * @flags: as mmbox_kmem_cache_try_create_usercopy()
 * @ctor: run once for each object of a new slab, or NULL
 *
 * Context: process, may sleep.
 * Return: as mmbox_kmem_cache_try_create_usercopy().
 */
struct mmbox_kmem_cache *
mmbox_kmem_cache_try_create(struct mmbox *box, const char *name,
			    unsigned int size, unsigned int align,
			    slab_flags_t flags, void (*ctor)(void *))
{
	return mmbox_kmem_cache_try_create_usercopy(box, name, size, align, flags, 0, 0,
						    ctor);
}
MMBOX_EXPORT_INTERNAL(mmbox_kmem_cache_try_create);

/**
 * mmbox_kmem_cache_create_usercopy() - create a cache with a region for user space
 * @box: the box
 * @name: shown in slabinfo; copied
 * @size: bytes an object
 * @align: bytes, a power of two, or 0
 * @flags: see mmbox_kmem_cache_try_create_usercopy(); SLAB_PANIC is refused
 * @useroffset: first byte of the region in an object
 * @usersize: bytes of the region, 0 for none; not in the object: refused
 * @ctor: run once for each object of a new slab, or NULL
 *
 * Context: process, may sleep.
 * Return: the cache, or NULL.
 */
struct mmbox_kmem_cache *
mmbox_kmem_cache_create_usercopy(struct mmbox *box, const char *name,
				 unsigned int size, unsigned int align,
				 slab_flags_t flags, unsigned int useroffset,
				 unsigned int usersize, void (*ctor)(void *))
{
	struct mmbox_kmem_cache *cachep;

	cachep = mmbox_kmem_cache_try_create_usercopy(box, name, size, align, flags,
						      useroffset, usersize, ctor);
	return IS_ERR(cachep) ? NULL : cachep;
}
EXPORT_SYMBOL_GPL(mmbox_kmem_cache_create_usercopy);

/**
 * mmbox_kmem_cache_create() - create a cache
 * @box: the box
 * @name: shown in slabinfo; copied
 * @size: bytes an object
 * @align: bytes, a power of two, or 0
 * @flags: see mmbox_kmem_cache_try_create_usercopy(); SLAB_PANIC is refused
 * @ctor: run once for each object of a new slab, or NULL
 *
 * Context: process, may sleep.
 * Return: the cache, or NULL.
 */
struct mmbox_kmem_cache *
mmbox_kmem_cache_create(struct mmbox *box, const char *name, unsigned int size,
			unsigned int align, slab_flags_t flags,
			void (*ctor)(void *))
{
	struct mmbox_kmem_cache *cachep;

	cachep = mmbox_kmem_cache_try_create(box, name, size, align, flags, ctor);
	return IS_ERR(cachep) ? NULL : cachep;
}
EXPORT_SYMBOL_GPL(mmbox_kmem_cache_create);

static void report_leaks(struct mmbox_kmem_cache *cachep)
{
	const size_t bytes = LEAKS_LISTED * sizeof(void *);
	struct mmbox_host *host = &cachep->box->host;
	unsigned long used;
	void **objs;

	/* Without memory for the list the number of them will do. */
	objs = mmbox_host_zalloc(host, bytes, "a list of objects in use");
	used = mmbox_used_objects(cachep, objs, objs ? LEAKS_LISTED : 0);
	cachep->box->observer->cache_in_use(cachep, used, objs, objs ? LEAKS_LISTED : 0);
	mmbox_host_free(host, objs, bytes);
}

/**
 * mmbox_kmem_cache_destroy() - destroy a cache
 * @cachep: the cache, or NULL; nobody uses it any more
 *
 * A cache that others were merged into goes with the last of them. Objects in
 * use are listed in the log.
 *
 * Context: process, interrupts on, may sleep.
 * Return: 0, -EBUSY if objects of it are still in use, and it stays; -EPERM
 * for a cache that was made with the box.
 */
int mmbox_kmem_cache_destroy(struct mmbox_kmem_cache *cachep)
{
	struct mmbox *box;
	int err = 0;

	if (!cachep)
		return 0;
	box = cachep->box;
	mmbox_kfree_rcu_barrier(box);

	cpus_read_lock();
	mutex_lock(&box->slab.mutex);
	if (cachep->refcount > 1) {
		cachep->refcount--;
		goto unlock;
	}
	if (cachep->boot) {
		err = -EPERM;
		goto unlock;
	}
	if (mmbox___kmem_cache_shrink(cachep)) {
		report_leaks(cachep);
		err = -EBUSY;
		goto unlock;
	}
	list_del(&cachep->list);
	mutex_unlock(&box->slab.mutex);
	cpus_read_unlock();
	/* Readers of its files take the mutex: the observer waits for them. */
	box->observer->cache_removed(box, cachep);
	mutex_lock(&box->slab.mutex);
	mmbox___kmem_cache_release(cachep);
	mmbox_kmem_cache_free(box->slab.kmem_cache, cachep);
	mutex_unlock(&box->slab.mutex);
	return 0;
unlock:
	mutex_unlock(&box->slab.mutex);
	cpus_read_unlock();
	return err;
}
EXPORT_SYMBOL_GPL(mmbox_kmem_cache_destroy);

/**
 * mmbox_kmem_cache_shrink() - give back all that a cache does not need
 * @cachep: the cache
 *
 * A shrinker may call it, and whoever needs memory may hold what CPUs that come and
 * go wait for. So it does not wait for those: what CPUs keep stays if one comes or
 * goes just then.
 *
 * Context: process, interrupts on, may sleep.
 * Return: 0 if the cache holds no slabs any more, else 1.
 */
int mmbox_kmem_cache_shrink(struct mmbox_kmem_cache *cachep)
{
	int left;

	might_sleep();
	if (!cpus_read_trylock())
		return mmbox___kmem_cache_shrink_nodes(cachep);
	left = mmbox___kmem_cache_shrink(cachep);
	cpus_read_unlock();
	return left;
}
EXPORT_SYMBOL_GPL(mmbox_kmem_cache_shrink);

/**
 * mmbox_kmem_cache_size() - size of a cache's objects
 * @cachep: the cache
 *
 * Context: any.
 * Return: bytes, as asked for when it was created.
 */
unsigned int mmbox_kmem_cache_size(struct mmbox_kmem_cache *cachep)
{
	return cachep->object_size;
}
EXPORT_SYMBOL_GPL(mmbox_kmem_cache_size);

/* ---- mempools ---- */

/**
 * mmbox_mempool_alloc_slab() - mempool_alloc_t of a pool over a cache
 * @gfp: GFP flags
 * @pool_data: the cache
 *
 * Context: as mmbox_kmem_cache_alloc().
 * Return: the object, or NULL.
 */
void *mmbox_mempool_alloc_slab(gfp_t gfp, void *pool_data)
{
	return mmbox_kmem_cache_alloc(pool_data, gfp);
}
EXPORT_SYMBOL_GPL(mmbox_mempool_alloc_slab);

/**
 * mmbox_mempool_free_slab() - mempool_free_t of a pool over a cache
 * @element: the object
 * @pool_data: the cache
 *
 * Context: as mmbox_kmem_cache_free().
 */
void mmbox_mempool_free_slab(void *element, void *pool_data)
{
	mmbox_kmem_cache_free(pool_data, element);
}
EXPORT_SYMBOL_GPL(mmbox_mempool_free_slab);

/* ---- boot ---- */

static int create_boot_cache(struct mmbox_kmem_cache *cachep,
			     struct mmbox_kmem_cache_node *n)
{
	int err;

	cachep->boot = true;
	err = mmbox___kmem_cache_create(cachep, n);
	if (err)
		return err;
	list_add(&cachep->list, &cachep->box->slab.caches);
	return 0;
}

static const struct {
	const char *prefix;
	slab_flags_t flags;
} kmalloc_types[MMBOX_NR_KMALLOC_TYPES] = {
	[MMBOX_KMALLOC_NORMAL]	= { "kmalloc", 0 },
	[MMBOX_KMALLOC_RECLAIM]	= { "kmalloc-rcl", SLAB_RECLAIM_ACCOUNT },
	[MMBOX_KMALLOC_DMA]	= { "dma-kmalloc", SLAB_CACHE_DMA },
};

static int create_kmalloc_cache(struct mmbox *box, enum mmbox_kmalloc_cache_type type,
				unsigned int idx, struct mmbox_kmem_cache_node *n)
{
	unsigned int size = kmalloc_index_size(idx);
	struct mmbox_slab *s = &box->slab;
	struct mmbox_kmem_cache *cachep;
	char name[MMBOX_SLAB_NAME_LEN];
	unsigned int i;
	int err;

	snprintf(name, sizeof(name), size < 1024 ? "%s-%u" : "%s-%uk",
		 kmalloc_types[type].prefix, size < 1024 ? size : size / 1024);
	cachep = mmbox_kmem_cache_zalloc(s->kmem_cache, GFP_KERNEL);
	if (!cachep)
		return -ENOMEM;
	/* Powers of two are aligned to themselves: slab_common.c, Linux 6.1. */
	init_cache(cachep, box, name, size, is_power_of_2(size) ? size : 0,
		   SLAB_HWCACHE_ALIGN | kmalloc_types[type].flags);
	cachep->usersize = size;
	/* The lecture's kmalloc-8: more objects a page than a byte can count. */
	if (size < MMBOX_SLAB_OBJ_MIN_SIZE)
		cachep->index_size = 2;
	err = create_boot_cache(cachep, n);
	if (err)
		return err;
	for (i = 1; i < MMBOX_NR_KMALLOC; i++)
		if (kmalloc_serving_index(box, i) == idx)
			s->kmalloc_caches[type][i] = cachep;
	for (i = 0; i < MMBOX_NR_KMALLOC_SMALL; i++)
		if (kmalloc_serving_index(box, mmbox_kmalloc_index((i + 1) * 8)) == idx)
			s->kmalloc_small[type][i] = cachep;
	return 0;
}

/* In the order of sizes, as each may need a smaller one for its indices. */
static int create_kmalloc_caches(struct mmbox *box, enum mmbox_kmalloc_cache_type type)
{
	static const u8 order[] = {
		3, 4, 5, 6, 1, 7, 2, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
	};
	int i, err;

	for (i = 0; i < ARRAY_SIZE(order); i++) {
		unsigned int idx = order[i];

		if (box->slab.kmalloc_caches[type][idx] ||
		    kmalloc_serving_index(box, idx) != idx ||
		    kmalloc_index_size(idx) > box->cfg.kmalloc_max)
			continue;
		err = create_kmalloc_cache(box, type, idx, NULL);
		if (err)
			return err;
	}
	return 0;
}

/**
 * mmbox_kmem_cache_boot() - set boot memory aside for the first caches
 * @box: the box; memblock is in charge
 *
 * Context: while the box boots.
 * Return: 0 or -ENOMEM.
 */
int mmbox_kmem_cache_boot(struct mmbox *box)
{
	mutex_init(&box->slab.mutex);
	INIT_LIST_HEAD(&box->slab.caches);
	INIT_LIST_HEAD(&box->slab.percpus);
	mmbox_slab_rcu_init(box);
	box->slab.kmem_cache = mmbox_boot_alloc(box, sizeof(struct boot_caches),
						MMBOX_CACHE_ALIGN, 0, "kmem_cache_boot");
	return box->slab.kmem_cache ? 0 : -ENOMEM;
}

static int alloc_hints(struct mmbox *box)
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
 * mmbox_kmem_cache_init() - create kmem_cache and the kmalloc caches
 * @box: the box; pages can be allocated
 *
 * On failure mmbox_kmem_cache_exit() cleans up.
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int mmbox_kmem_cache_init(struct mmbox *box)
{
	struct boot_caches *boot = container_of(box->slab.kmem_cache,
						struct boot_caches, kmem_cache);
	enum mmbox_kmalloc_cache_type type;
	struct mmbox_kmem_cache *cachep;
	unsigned int node_idx;
	int err;

	memset(boot, 0, sizeof(*boot));
	err = mmbox_slab_debug_init(box);
	if (err)
		return err;
	err = alloc_hints(box);
	if (err)
		return err;
	mutex_lock(&box->slab.mutex);

	init_cache(&boot->kmem_cache, box, "kmem_cache",
		   offsetof(struct mmbox_kmem_cache, node[box->nr_nodes]),
		   MMBOX_CACHE_ALIGN,
		   SLAB_HWCACHE_ALIGN);
	err = create_boot_cache(&boot->kmem_cache, boot->nodes[0]);
	if (err)
		goto unlock;
	node_idx = kmalloc_serving_index(box, mmbox_kmalloc_index(sizeof(boot->nodes[0][0])));
	err = create_kmalloc_cache(box, MMBOX_KMALLOC_NORMAL, node_idx, boot->nodes[1]);
	if (err)
		goto unlock;
	for (type = 0; type < MMBOX_NR_KMALLOC_TYPES; type++) {
		err = create_kmalloc_caches(box, type);
		if (err)
			goto unlock;
	}

	/* These two came before kmalloc could give them shared arrays. */
	cachep = box->slab.kmalloc_caches[MMBOX_KMALLOC_NORMAL][node_idx];
	err = mmbox_enable_shared(cachep) ?: mmbox_enable_shared(box->slab.kmem_cache);
unlock:
	mutex_unlock(&box->slab.mutex);
	return err;
}

/**
 * mmbox_kmem_cache_exit() - give back what caches took from the host
 * @box: the box; nobody uses it any more
 *
 * What they hold of the box's own memory goes with the box.
 *
 * Context: process, may sleep.
 */
void mmbox_kmem_cache_exit(struct mmbox *box)
{
	struct mmbox_host_percpu *percpu, *next;

	/* The boot may have failed before there was a list. */
	if (!box->slab.kmem_cache)
		return;
	mmbox_slab_stop(box);
	mmbox_slab_rcu_exit(box);
	list_for_each_entry_safe(percpu, next, &box->slab.percpus, list)
		mmbox_host_free_percpu(&box->host, percpu);
	mmbox_slab_debug_exit(box);
	mmbox_slab_used_exit(box);
	mmbox_host_free_percpu(&box->host, box->slab.host_hints);
	box->slab.host_hints = NULL;
	mutex_destroy(&box->slab.mutex);
}
