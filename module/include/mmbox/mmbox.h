/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The API of mmbox for other kernel modules.
 *
 * A box is a complete memory manager with a region of its own. All memory allocated
 * here lies in that region, is accounted to the box, and is returned to the host when
 * the box is destroyed. The functions are those of <linux/gfp.h> and <linux/slab.h>
 * with a prefix and the same order of arguments. Where the kernel's function does not
 * know its allocator the box is the first argument.
 *
 * Contexts are the kernel's as well: a function that takes GFP flags sleeps only with
 * __GFP_DIRECT_RECLAIM; frees never sleep and may happen on any CPU. Process, softirq
 * and hardirq context are fine, NMI is not.
 */
#ifndef _MMBOX_MMBOX_H
#define _MMBOX_MMBOX_H

#include <linux/gfp.h>
#include <linux/mempool.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/types.h>

#define MMBOX_VERSION	"0.1"		/* of all its modules; keep dkms.conf in step */

struct mmbox;
struct mmbox_page;
struct mmbox_kmem_cache;

/* registry.c: finding a box */
struct mmbox *mmbox_get(const char *name);
void mmbox_put(struct mmbox *box);

/* page_alloc.c, page_free.c: pages. A block of order n has 2^n pages; pfns are the box's. */
struct mmbox_page *mmbox_alloc_pages_node(struct mmbox *box, int nid, gfp_t gfp,
					  unsigned int order);
struct mmbox_page *mmbox_alloc_pages_interleave(struct mmbox *box, gfp_t gfp,
						unsigned int order);
void __mmbox_free_pages(struct mmbox *box, struct mmbox_page *page,
			unsigned int order);
unsigned long __mmbox_get_free_pages(struct mmbox *box, gfp_t gfp,
				     unsigned int order);
void mmbox_free_pages(struct mmbox *box, unsigned long addr, unsigned int order);

unsigned long mmbox_alloc_pages_bulk_array_node(struct mmbox *box, gfp_t gfp, int nid,
						unsigned long nr_pages,
						struct mmbox_page **page_array);

/* page_split.c: sizes that are no power of two */
void mmbox_split_page(struct mmbox *box, struct mmbox_page *page, unsigned int order);
void *mmbox_alloc_pages_exact(struct mmbox *box, size_t size, gfp_t gfp);
void mmbox_free_pages_exact(struct mmbox *box, void *virt, size_t size);

/**
 * mmbox_alloc_pages_bulk_array() - allocate many pages near the running CPU
 * @box: the box
 * @gfp: GFP flags
 * @nr_pages: length of @page_array
 * @page_array: entries that are NULL are filled
 *
 * Context: as mmbox_alloc_pages_node().
 * Return: number of entries filled, counted from the start of the array.
 */
static inline unsigned long
mmbox_alloc_pages_bulk_array(struct mmbox *box, gfp_t gfp, unsigned long nr_pages,
			     struct mmbox_page **page_array)
{
	return mmbox_alloc_pages_bulk_array_node(box, gfp, NUMA_NO_NODE, nr_pages,
						 page_array);
}

/**
 * mmbox_alloc_pages() - allocate 2^order pages near the running CPU
 * @box: the box
 * @gfp: GFP flags; may sleep only with __GFP_DIRECT_RECLAIM
 * @order: log2 of the number of pages
 *
 * Context: as mmbox_alloc_pages_node().
 * Return: the first page's descriptor, or NULL.
 */
static inline struct mmbox_page *
mmbox_alloc_pages(struct mmbox *box, gfp_t gfp, unsigned int order)
{
	return mmbox_alloc_pages_node(box, NUMA_NO_NODE, gfp, order);
}

#define mmbox_alloc_page(box, gfp)	mmbox_alloc_pages(box, gfp, 0)
#define __mmbox_free_page(box, page)	__mmbox_free_pages(box, page, 0)
#define __mmbox_get_free_page(box, gfp)	__mmbox_get_free_pages(box, gfp, 0)
#define mmbox_get_zeroed_page(box, gfp)	\
	__mmbox_get_free_pages(box, (gfp) | __GFP_ZERO, 0)
#define mmbox_free_page(box, addr)	mmbox_free_pages(box, addr, 0)

/* Names of version 0.1. */
#define mmbox___free_pages		__mmbox_free_pages
#define mmbox___free_page		__mmbox_free_page
#define mmbox___get_free_pages		__mmbox_get_free_pages
#define mmbox___get_free_page		__mmbox_get_free_page

/* vmscan.c: shrinkers free memory when it is short */

#define MMBOX_SHRINKER_NODES	8	/* most nodes of a box */

/* A request to a shrinker, as struct shrink_control. */
struct mmbox_shrink_control {
	gfp_t gfp_mask;			/* of the allocation that needs memory */
	int nid;			/* node that needs memory */
	unsigned long nr_to_scan;	/* objects to scan */
	unsigned long nr_scanned;	/* nr_to_scan unless the shrinker changes it */
};

/*
 * Objects in a box that can be freed when memory is short, as struct shrinker. Both
 * functions may sleep and may allocate from the box; they may use its reserves.
 */
struct mmbox_shrinker {
	/* Returns how many objects could be freed. */
	unsigned long (*count_objects)(struct mmbox_shrinker *shrinker,
				       struct mmbox_shrink_control *sc);
	/* Frees some and returns how many, or SHRINK_STOP if none can be freed now. */
	unsigned long (*scan_objects)(struct mmbox_shrinker *shrinker,
				      struct mmbox_shrink_control *sc);
	const char *name;
	long batch;			/* objects to ask for at once, 0: 128 */
	int seeks;			/* cost of creating them again: DEFAULT_SEEKS */

	/* For the box's use. */
	struct list_head list;		/* box->shrinkers, shrinker_rwsem */
	atomic_long_t nr_deferred[MMBOX_SHRINKER_NODES];	/* objects still to be scanned */
};

int mmbox_register_shrinker(struct mmbox *box, struct mmbox_shrinker *shrinker);
void mmbox_unregister_shrinker(struct mmbox *box, struct mmbox_shrinker *shrinker);

/* physmap.c: pfn, descriptor and address of a page */
unsigned long mmbox_page_to_pfn(struct mmbox *box, const struct mmbox_page *page);
struct mmbox_page *mmbox_pfn_to_page(struct mmbox *box, unsigned long pfn);
bool mmbox_pfn_valid(struct mmbox *box, unsigned long pfn);
void *mmbox_page_address(struct mmbox *box, const struct mmbox_page *page);
struct mmbox_page *mmbox_virt_to_page(struct mmbox *box, const void *addr);

/* slab_common.c, slab.c, slab_bulk.c: caches */

/**
 * struct mmbox_kmem_cache_args - less common properties of a new cache
 * @align: alignment of objects in bytes, a power of two up to a page; 0: chosen by
 *	size and flags
 * @useroffset: first byte that mmbox_copy_to_user() and mmbox_copy_from_user() may
 *	copy of an object
 * @usersize: bytes from there that they may copy; 0: none
 * @ctor: run once for each object of a new slab, or NULL
 *
 * As struct kmem_cache_args. 0 is the default of each field.
 */
struct mmbox_kmem_cache_args {
	unsigned int align;
	unsigned int useroffset;
	unsigned int usersize;
	void (*ctor)(void *objp);
};

struct mmbox_kmem_cache *
__mmbox_kmem_cache_create_args(struct mmbox *box, const char *name, unsigned int object_size,
			       const struct mmbox_kmem_cache_args *args, slab_flags_t flags);

/**
 * mmbox_kmem_cache_create_usercopy() - create a cache with a region for user space
 * @box: the box
 * @name: shown in slabinfo; copied
 * @size: bytes an object
 * @align: see struct mmbox_kmem_cache_args
 * @flags: see __mmbox_kmem_cache_create_args()
 * @useroffset: first byte of the region in an object
 * @usersize: bytes of the region, 0 for none; it must lie within the object
 * @ctor: run once for each object of a new slab, or NULL
 *
 * Context: process, may sleep.
 * Return: the cache, or NULL.
 */
static inline struct mmbox_kmem_cache *
mmbox_kmem_cache_create_usercopy(struct mmbox *box, const char *name, unsigned int size,
				 unsigned int align, slab_flags_t flags,
				 unsigned int useroffset, unsigned int usersize,
				 void (*ctor)(void *))
{
	const struct mmbox_kmem_cache_args args = {
		.align = align,
		.useroffset = useroffset,
		.usersize = usersize,
		.ctor = ctor,
	};

	return __mmbox_kmem_cache_create_args(box, name, size, &args, flags);
}

/**
 * mmbox_kmem_cache_create() - create a cache
 * @box: the box
 * @name: shown in slabinfo; copied
 * @size: bytes an object
 * @align: see struct mmbox_kmem_cache_args
 * @flags: see __mmbox_kmem_cache_create_args()
 * @ctor: run once for each object of a new slab, or NULL
 *
 * Context: process, may sleep.
 * Return: the cache, or NULL.
 */
static inline struct mmbox_kmem_cache *
mmbox_kmem_cache_create(struct mmbox *box, const char *name, unsigned int size,
			unsigned int align, slab_flags_t flags, void (*ctor)(void *))
{
	return mmbox_kmem_cache_create_usercopy(box, name, size, align, flags, 0, 0, ctor);
}

int mmbox_kmem_cache_destroy(struct mmbox_kmem_cache *cachep);
int mmbox_kmem_cache_shrink(struct mmbox_kmem_cache *cachep);
unsigned int mmbox_kmem_cache_size(struct mmbox_kmem_cache *cachep);
void *mmbox_kmem_cache_alloc(struct mmbox_kmem_cache *cachep, gfp_t gfp);
void *mmbox_kmem_cache_alloc_node(struct mmbox_kmem_cache *cachep, gfp_t gfp,
				  int nid);
void mmbox_kmem_cache_free(struct mmbox_kmem_cache *cachep, void *objp);
int mmbox_kmem_cache_alloc_bulk(struct mmbox_kmem_cache *cachep, gfp_t gfp,
				size_t nr, void **p);
void mmbox_kmem_cache_free_bulk(struct mmbox_kmem_cache *cachep, size_t nr,
				void **p);

/**
 * mmbox_kmem_cache_zalloc() - allocate a zeroed object
 * @cachep: the cache
 * @gfp: GFP flags
 *
 * Context: as mmbox_kmem_cache_alloc().
 * Return: the object, or NULL.
 */
static inline void *mmbox_kmem_cache_zalloc(struct mmbox_kmem_cache *cachep,
					    gfp_t gfp)
{
	return mmbox_kmem_cache_alloc(cachep, gfp | __GFP_ZERO);
}

/* kmalloc.c: memory by size */
void *mmbox_kmalloc_size(struct mmbox *box, size_t size, gfp_t gfp);
void *mmbox_kmalloc_small(struct mmbox *box, gfp_t gfp, unsigned long eighths);
void *mmbox_kmalloc_node(struct mmbox *box, size_t size, gfp_t gfp, int nid);
void mmbox_kfree(struct mmbox *box, const void *objp);
size_t mmbox_ksize(struct mmbox *box, const void *objp);
size_t mmbox_kmalloc_size_roundup(struct mmbox *box, size_t size);
void *mmbox_krealloc(struct mmbox *box, const void *objp, size_t new_size, gfp_t gfp);
void mmbox_kfree_sensitive(struct mmbox *box, const void *objp);

#define MMBOX_NR_KMALLOC_SMALL	(192 / 8)	/* entries of the table from size to cache */

/**
 * mmbox_kmalloc() - allocate memory
 * @box: the box
 * @size: bytes; for 0 the result is ZERO_SIZE_PTR
 * @gfp: GFP flags; __GFP_ZERO clears
 *
 * As in the kernel, the cache is chosen by the compiler where it knows the
 * size and the flags.
 *
 * Context: any but NMI; may sleep only with __GFP_DIRECT_RECLAIM.
 * Return: the memory, aligned to 8 bytes or, if @size is a power of two, to
 * @size up to a page; or NULL.
 */
static __always_inline void *mmbox_kmalloc(struct mmbox *box, size_t size,
					   gfp_t gfp)
{
	if (__builtin_constant_p(size) && size &&
	    size <= MMBOX_NR_KMALLOC_SMALL * 8 && __builtin_constant_p(gfp) &&
	    !(gfp & (__GFP_DMA | __GFP_RECLAIMABLE | __GFP_ACCOUNT)))
		return mmbox_kmalloc_small(box, gfp, (size - 1) / 8);
	return mmbox_kmalloc_size(box, size, gfp);
}

/**
 * mmbox_kzalloc() - allocate zeroed memory
 * @box: the box
 * @size: bytes; for 0 the result is ZERO_SIZE_PTR
 * @gfp: GFP flags
 *
 * Context: as mmbox_kmalloc().
 * Return: as mmbox_kmalloc().
 */
static __always_inline void *mmbox_kzalloc(struct mmbox *box, size_t size, gfp_t gfp)
{
	return mmbox_kmalloc(box, size, gfp | __GFP_ZERO);
}

/**
 * mmbox_kmalloc_array() - allocate memory for an array
 * @box: the box
 * @n: elements
 * @size: bytes an element
 * @gfp: GFP flags; __GFP_ZERO clears
 *
 * Context: as mmbox_kmalloc().
 * Return: as mmbox_kmalloc(); NULL also if the product overflows.
 */
static inline void *mmbox_kmalloc_array(struct mmbox *box, size_t n, size_t size,
					gfp_t gfp)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(n, size, &bytes)))
		return NULL;
	return mmbox_kmalloc(box, bytes, gfp);
}

/**
 * mmbox_kcalloc() - allocate zeroed memory for an array
 * @box: the box
 * @n: elements
 * @size: bytes an element
 * @gfp: GFP flags
 *
 * Context: as mmbox_kmalloc().
 * Return: as mmbox_kmalloc_array().
 */
static inline void *mmbox_kcalloc(struct mmbox *box, size_t n, size_t size, gfp_t gfp)
{
	return mmbox_kmalloc_array(box, n, size, gfp | __GFP_ZERO);
}

/* kfree_rcu.c: freed after a grace period of RCU */
void mmbox_kvfree_call_rcu(struct mmbox *box, struct rcu_head *head, void *objp);
void mmbox_kfree_rcu_mightsleep(struct mmbox *box, const void *objp);
void mmbox_kfree_rcu_barrier(struct mmbox *box);

/**
 * mmbox_kfree_rcu() - free an object after a grace period
 * @box: the box
 * @ptr: the object, or NULL
 * @rhf: its member of type struct rcu_head
 *
 * Context: any but NMI.
 */
#define mmbox_kfree_rcu(box, ptr, rhf)						\
do {										\
	typeof(ptr) ___objp = (ptr);						\
										\
	if (___objp)								\
		mmbox_kvfree_call_rcu(box, &___objp->rhf, ___objp);		\
} while (0)

/* usercopy.c: only the usercopy region of an object can be copied */
unsigned long mmbox_copy_to_user(struct mmbox *box, void __user *to, const void *from,
				 unsigned long n);
unsigned long mmbox_copy_from_user(struct mmbox *box, void *to, const void __user *from,
				   unsigned long n);

/* slab_common.c: the kernel's mempools on top of a cache */
void *mmbox_mempool_alloc_slab(gfp_t gfp, void *pool_data);
void mmbox_mempool_free_slab(void *element, void *pool_data);

/**
 * mmbox_mempool_create_slab_pool() - make a mempool of objects of a cache
 * @min_nr: objects that it keeps in reserve
 * @cachep: the cache; it must outlive the pool
 *
 * The pool itself is allocated from the host.
 *
 * Context: process, may sleep.
 * Return: the pool, for mempool_destroy(), or NULL.
 */
static inline mempool_t *mmbox_mempool_create_slab_pool(int min_nr,
							struct mmbox_kmem_cache *cachep)
{
	return mempool_create(min_nr, mmbox_mempool_alloc_slab, mmbox_mempool_free_slab,
			      cachep);
}

#endif /* _MMBOX_MMBOX_H */
