// SPDX-License-Identifier: GPL-2.0
/*
 * Caches by name: create, destroy and shrink them, whatever the design of slabs. The
 * design is behind struct mmbox_slab_ops.
 *
 * When the box boots, kmem_cache comes first, in boot memory: all other caches are
 * its objects. Then come the kmalloc caches, from which kmalloc.c allocates. The
 * first of these is the one that later caches take their own parts from.
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

#include "slab/kmalloc.h"

/* Flags that mmbox_kmem_cache_create() heeds. */
#define CREATE_FLAGS	(SLAB_HWCACHE_ALIGN | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | \
			 SLAB_RECLAIM_ACCOUNT | SLAB_TYPESAFE_BY_RCU | \
			 SLAB_NOLEAKTRACE | SLAB_ACCOUNT | MMBOX_SLAB_DEBUG_FLAGS)

/* Accepted for compatibility with 6.1 and ignored. Any other flag is refused. */
#define IGNORED_FLAGS	(MMBOX_SLAB_MEM_SPREAD | SLAB_DEBUG_OBJECTS | SLAB_NO_USER_FLAGS)

/* Caches with one of the first are never merged. The second must be the same in both. */
#define NEVER_MERGE	(SLAB_TYPESAFE_BY_RCU | SLAB_NOLEAKTRACE | MMBOX_SLAB_DEBUG_FLAGS)
#define MERGE_SAME	(SLAB_RECLAIM_ACCOUNT | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | \
			 SLAB_ACCOUNT)

#define LEAKS_LISTED	16	/* objects in use that are reported at most */

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

static int check_name(const struct mmbox *box, const char *name)
{
	const char *p;

	if (!name || !*name || strnlen(name, MMBOX_SLAB_NAME_LEN) == MMBOX_SLAB_NAME_LEN) {
		pr_err("%s: cache name must have 1 to %d characters\n", box->name,
		       MMBOX_SLAB_NAME_LEN - 1);
		return -EINVAL;
	}
	for (p = name; *p; p++) {
		if (isascii(*p) && isgraph(*p))
			continue;
		pr_err("%s: cache name must have no spaces, control characters or bytes above 0x7f\n",
		       box->name);
		return -EINVAL;
	}
	return 0;
}

static int check_create(const struct mmbox *box, const char *name, unsigned int size,
			const struct mmbox_kmem_cache_args *args, slab_flags_t flags)
{
	unsigned long max = PAGE_SIZE << (box->pages.max_order - 1);

	if (check_name(box, name))
		return -EINVAL;
	if (!size || size > max) {
		pr_err("%s: cache %s: size %u must be 1 to %lu bytes\n", box->name,
		       name, size, max);
		return -EINVAL;
	}
	if (args->align > PAGE_SIZE || (args->align && !is_power_of_2(args->align))) {
		pr_err("%s: cache %s: align %u must be 0 or a power of two up to %lu bytes\n",
		       box->name, name, args->align, PAGE_SIZE);
		return -EINVAL;
	}
	if (flags & ~(CREATE_FLAGS | IGNORED_FLAGS)) {
		pr_err("%s: cache %s: flags %#x, only %#x are possible\n", box->name,
		       name, (__force unsigned int)flags,
		       (__force unsigned int)(CREATE_FLAGS | IGNORED_FLAGS));
		return -EINVAL;
	}
	if (args->usersize > size || args->useroffset > size - args->usersize ||
	    (args->useroffset && !args->usersize)) {
		pr_err("%s: cache %s: usercopy region of %u bytes at %u must lie in the %u of an object\n",
		       box->name, name, args->usersize, args->useroffset, size);
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

/* With slab_merge=1: use an existing cache that serves as well. NULL if there is none. */
static struct mmbox_kmem_cache *create_alias(struct mmbox *box, unsigned int size,
					     unsigned int align, slab_flags_t flags)
{
	struct mmbox_kmem_cache *cachep;

	if (!box->cfg.slab_merge || flags & NEVER_MERGE)
		return NULL;
	cachep = find_mergeable(box, size, align, flags);
	if (cachep) {
		cachep->refcount++;
		/* __GFP_ZERO must clear the larger of both sizes. */
		cachep->object_size = max(cachep->object_size, size);
	}
	return cachep;
}

static void init_cache(struct mmbox_kmem_cache *cachep, struct mmbox *box,
		       const char *name, unsigned int size,
		       const struct mmbox_kmem_cache_args *args, slab_flags_t flags)
{
	cachep->box = box;
	strscpy(cachep->name, name, sizeof(cachep->name));
	cachep->object_size = size;
	cachep->align = calculate_alignment(flags, args->align, size);
	cachep->flags = flags;
	cachep->useroffset = args->useroffset;
	cachep->usersize = args->usersize;
	cachep->ctor = args->ctor;
	cachep->refcount = 1;
}

/*
 * Make a cache work. Set before: box, name, object_size, align, flags, ctor, boot.
 */
static int create_cache(struct mmbox_kmem_cache *cachep)
{
	struct mmbox *box = cachep->box;
	int err;

	lockdep_assert_held(&box->slab.mutex);
	mmbox_slab_debug_cache(cachep);
	cachep->no_mark = cachep->ctor || cachep->flags & SLAB_TYPESAFE_BY_RCU ||
			  cachep->debug;
	if (cachep->no_mark && !cachep->debug) {
		err = mmbox_slab_used_init(box);
		if (err)
			return err;
	}
	cachep->allocflags = __GFP_COMP;
	if (cachep->flags & SLAB_CACHE_DMA)
		cachep->allocflags |= __GFP_DMA;
	if (cachep->flags & SLAB_CACHE_DMA32)
		cachep->allocflags |= __GFP_DMA32;
	if (cachep->flags & SLAB_RECLAIM_ACCOUNT)
		cachep->allocflags |= __GFP_RECLAIMABLE;
	cachep->va_base = box->physmap.va_base;
	cachep->va_size = box->physmap.linear_size;
	cachep->memmap = box->memmap.map;
	cachep->secret = box->slab.secret;
	cachep->id = mmbox_cache_to_id(box, cachep);
	return box->slab.ops->create(cachep);
}

/* Undo create_cache(). The cache has no slabs, but some may wait for a grace period. */
static void release_cache(struct mmbox_kmem_cache *cachep)
{
	lockdep_assert_held(&cachep->box->slab.mutex);
	if (cachep->flags & SLAB_TYPESAFE_BY_RCU)
		mmbox_slabs_rcu_barrier(cachep->box);
	mmbox_kfree_forget_cache(cachep);
	mmbox_slab_ops(cachep)->release(cachep);
}

/**
 * mmbox_kmem_cache_try_create_args() - create a cache, or say why not
 * @box: the box
 * @name: as __mmbox_kmem_cache_create_args()
 * @object_size: bytes
 * @args: as __mmbox_kmem_cache_create_args()
 * @flags: as __mmbox_kmem_cache_create_args()
 *
 * Context: process, may sleep.
 * Return: the cache, or an ERR_PTR(): -EINVAL for a bad argument, which the log
 * names; -E2BIG if no slab can hold an object; -ENOMEM.
 */
struct mmbox_kmem_cache *
mmbox_kmem_cache_try_create_args(struct mmbox *box, const char *name, unsigned int object_size,
				 const struct mmbox_kmem_cache_args *args, slab_flags_t flags)
{
	static const struct mmbox_kmem_cache_args defaults;
	struct mmbox_kmem_cache *cachep = NULL;
	int err;

	args = args ?: &defaults;
	err = check_create(box, name, object_size, args, flags);
	if (err)
		return ERR_PTR(err);
	flags &= CREATE_FLAGS;
	/* Unless slab_debug= watches caches, as without CONFIG_DEBUG_SLAB. */
	if (!box->slab.debug.on)
		flags &= ~MMBOX_SLAB_DEBUG_FLAGS;

	mutex_lock(&box->slab.mutex);
	if (!args->usersize && !args->ctor && !mmbox_slab_debug_letters(box, name))
		cachep = create_alias(box, object_size, args->align, flags);
	if (cachep)
		goto unlock;
	cachep = mmbox_kmem_cache_zalloc(box->slab.kmem_cache, GFP_KERNEL);
	if (!cachep) {
		err = -ENOMEM;
		goto unlock;
	}
	init_cache(cachep, box, name, object_size, args, flags);
	err = create_cache(cachep);
	if (err) {
		mmbox_kmem_cache_free(box->slab.kmem_cache, cachep);
		goto unlock;
	}
	list_add(&cachep->list, &box->slab.caches);
	mmbox_slab_debug_own(box, cachep);
	box->observer->cache_added(box, cachep);
unlock:
	mutex_unlock(&box->slab.mutex);
	return err ? ERR_PTR(err) : cachep;
}
MMBOX_EXPORT_INTERNAL(mmbox_kmem_cache_try_create_args);

/**
 * __mmbox_kmem_cache_create_args() - create a cache
 * @box: the box
 * @name: shown in slabinfo; copied; 1 to 47 characters without spaces
 * @object_size: bytes
 * @args: what else is asked for, or NULL: 0 for all of it
 * @flags: SLAB_HWCACHE_ALIGN, SLAB_CACHE_DMA, SLAB_CACHE_DMA32,
 *	SLAB_RECLAIM_ACCOUNT, SLAB_TYPESAFE_BY_RCU, SLAB_NOLEAKTRACE (never an
 *	off-slab freelist), SLAB_ACCOUNT (only merged alike); with slab_debug=
 *	also SLAB_CONSISTENCY_CHECKS, SLAB_RED_ZONE, SLAB_POISON, SLAB_STORE_USER
 *	and SLAB_TRACE, as its letters. Others that 6.1 takes are ignored. Any other
 *	flag is refused, SLAB_PANIC too
 *
 * As __kmem_cache_create_args() of Linux 6.12. A bad argument is named in the log.
 *
 * Context: process, may sleep.
 * Return: the cache, or NULL.
 */
struct mmbox_kmem_cache *
__mmbox_kmem_cache_create_args(struct mmbox *box, const char *name, unsigned int object_size,
			       const struct mmbox_kmem_cache_args *args, slab_flags_t flags)
{
	struct mmbox_kmem_cache *cachep;

	cachep = mmbox_kmem_cache_try_create_args(box, name, object_size, args, flags);
	return IS_ERR(cachep) ? NULL : cachep;
}
EXPORT_SYMBOL_GPL(__mmbox_kmem_cache_create_args);

static void report_leaks(struct mmbox_kmem_cache *cachep)
{
	const size_t bytes = LEAKS_LISTED * sizeof(void *);
	struct mmbox_host *host = &cachep->box->host;
	unsigned long used;
	void **objs;

	/* Without memory for the list, report only their number. */
	objs = mmbox_host_zalloc(host, bytes, "a list of objects in use");
	used = mmbox_used_objects(cachep, objs, objs ? LEAKS_LISTED : 0);
	cachep->box->observer->cache_in_use(cachep, used, objs, objs ? LEAKS_LISTED : 0);
	mmbox_host_free(host, objs, bytes);
}

/**
 * mmbox_kmem_cache_destroy() - destroy a cache
 * @cachep: the cache, or NULL; nobody uses it any more
 *
 * If other caches were merged into it, only the last call destroys it. If objects are
 * in use, the log lists some of them, and the cache stays.
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
	if (box->slab.ops->shrink(cachep, true)) {
		report_leaks(cachep);
		err = -EBUSY;
		goto unlock;
	}
	list_del(&cachep->list);
	mutex_unlock(&box->slab.mutex);
	cpus_read_unlock();
	/* Without the mutex: the observer waits for readers of its files, who take it. */
	box->observer->cache_removed(box, cachep);
	mutex_lock(&box->slab.mutex);
	release_cache(cachep);
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
 * A shrinker may call it during CPU hotplug, so it does not wait for that: if a CPU
 * comes or goes at this moment, the CPUs' arrays are not emptied.
 *
 * Context: process, interrupts on, may sleep.
 * Return: 0 if the cache holds no slabs any more, else 1.
 */
int mmbox_kmem_cache_shrink(struct mmbox_kmem_cache *cachep)
{
	bool cpus;
	int left;

	might_sleep();
	cpus = cpus_read_trylock();
	left = mmbox_slab_ops(cachep)->shrink(cachep, cpus);
	if (cpus)
		cpus_read_unlock();
	return left;
}
EXPORT_SYMBOL_GPL(mmbox_kmem_cache_shrink);

/*
 * The caller may hold slab.mutex already, as it may be making a cache. Or CPU hotplug
 * may be waiting for the caller. So wait for neither.
 */
static void reclaim_reap(struct mmbox *box)
{
	if (!cpus_read_trylock())
		return;
	if (mutex_trylock(&box->slab.mutex)) {
		box->slab.ops->reap(box);
		mutex_unlock(&box->slab.mutex);
	}
	cpus_read_unlock();
}

static void reclaim_count(struct mmbox *box, int nid, unsigned long *reclaimable,
			  unsigned long *unreclaimable)
{
	struct mmbox_kmem_cache *cachep;
	unsigned long pages;

	mutex_lock(&box->slab.mutex);
	list_for_each_entry(cachep, &box->slab.caches, list) {
		pages = box->slab.ops->node_slabs(cachep, nid) << cachep->gfporder;
		if (cachep->flags & SLAB_RECLAIM_ACCOUNT)
			*reclaimable += pages;
		else
			*unreclaimable += pages;
	}
	mutex_unlock(&box->slab.mutex);
	*unreclaimable += atomic_long_read(&box->slab.nr_large_pages[nid]);
}

/* What reclaim asks of the slab layer. box.c installs it. */
const struct mmbox_reclaim_source mmbox_slab_reclaim = {
	.reap = reclaim_reap,
	.count_slab_pages = reclaim_count,
};

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

static int create_boot_cache(struct mmbox_kmem_cache *cachep)
{
	int err;

	cachep->boot = true;
	err = create_cache(cachep);
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
				unsigned int idx)
{
	unsigned int size = mmbox_kmalloc_index_size(idx);
	const struct mmbox_kmem_cache_args args = {
		/* Powers of two are aligned to themselves: slab_common.c, Linux 6.1. */
		.align = is_power_of_2(size) ? size : 0,
		.usersize = size,
	};
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
	init_cache(cachep, box, name, size, &args,
		   SLAB_HWCACHE_ALIGN | kmalloc_types[type].flags);
	err = create_boot_cache(cachep);
	if (err)
		return err;
	for (i = 1; i < MMBOX_NR_KMALLOC; i++)
		if (mmbox_kmalloc_serving_index(box, i) == idx)
			s->kmalloc_caches[type][i] = cachep;
	for (i = 0; i < MMBOX_NR_KMALLOC_SMALL; i++)
		if (mmbox_kmalloc_serving_index(box, mmbox_kmalloc_index((i + 1) * 8)) == idx)
			s->kmalloc_small[type][i] = cachep;
	return 0;
}

/* By size, as each may take the freelists of its slabs from a smaller one. */
static int create_kmalloc_caches(struct mmbox *box, enum mmbox_kmalloc_cache_type type)
{
	static const u8 order[] = {
		3, 4, 5, 6, 1, 7, 2, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
	};
	int i, err;

	for (i = 0; i < ARRAY_SIZE(order); i++) {
		unsigned int idx = order[i];

		if (box->slab.kmalloc_caches[type][idx] ||
		    mmbox_kmalloc_serving_index(box, idx) != idx ||
		    mmbox_kmalloc_index_size(idx) > box->cfg.kmalloc_max)
			continue;
		err = create_kmalloc_cache(box, type, idx);
		if (err)
			return err;
	}
	return 0;
}

/* kmem_cache itself, then what the design needs for the first caches. */
static size_t boot_size(const struct mmbox *box)
{
	return ALIGN(sizeof(struct mmbox_kmem_cache) + box->slab.ops->boot_bytes,
		     MMBOX_CACHE_ALIGN);
}

/**
 * mmbox_slab_setup() - give box->slab the values that a boot begins with
 * @box: the box, new
 *
 * mmbox_kmem_cache_exit() undoes it.
 *
 * Context: process, may sleep.
 */
void mmbox_slab_setup(struct mmbox *box)
{
	struct mmbox_slab *slab = &box->slab;

	strscpy(slab->debug.text, box->cfg.slab_debug, sizeof(slab->debug.text));
	box->cfg.slab_debug = slab->debug.text;
	/* Marks of objects are counted up from it: see mark_objs(). */
	slab->secret = mmbox_host_random() & ~(unsigned long)U16_MAX;
	mutex_init(&slab->mutex);
	INIT_LIST_HEAD(&slab->caches);
	INIT_LIST_HEAD(&slab->percpus);
	slab->ops = &mmbox_slab_design;
	mmbox_kfree_rcu_init(box);
	mmbox_slab_rcu_init(box);
	if (box->cfg.slab_stats)
		static_branch_inc(&mmbox_slab_stats);
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
	box->slab.kmem_cache = mmbox_boot_alloc(box, boot_size(box), MMBOX_CACHE_ALIGN, 0,
						"kmem_cache_boot");
	return box->slab.kmem_cache ? 0 : -ENOMEM;
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
	static const struct mmbox_kmem_cache_args args = { .align = MMBOX_CACHE_ALIGN };
	struct mmbox_kmem_cache *kmem_cache = box->slab.kmem_cache, *first = NULL;
	enum mmbox_kmalloc_cache_type type;
	unsigned int idx;
	int err;

	memset(kmem_cache, 0, boot_size(box));
	box->slab.boot_mem = kmem_cache + 1;
	err = mmbox_slab_debug_init(box);
	if (err)
		return err;
	err = mmbox_kfree_init(box);
	if (err)
		return err;
	mutex_lock(&box->slab.mutex);

	init_cache(kmem_cache, box, "kmem_cache", box->slab.ops->cache_size(box->nr_nodes),
		   &args, SLAB_HWCACHE_ALIGN);
	err = create_boot_cache(kmem_cache);
	if (err)
		goto unlock;
	if (box->slab.ops->kmalloc_first) {
		idx = mmbox_kmalloc_index(box->slab.ops->kmalloc_first);
		idx = mmbox_kmalloc_serving_index(box, idx);
		err = create_kmalloc_cache(box, MMBOX_KMALLOC_NORMAL, idx);
		if (err)
			goto unlock;
		first = box->slab.kmalloc_caches[MMBOX_KMALLOC_NORMAL][idx];
	}
	for (type = 0; type < MMBOX_NR_KMALLOC_TYPES; type++) {
		err = create_kmalloc_caches(box, type);
		if (err)
			goto unlock;
	}

	/* These two came before kmalloc could give them all that they need. */
	if (first)
		err = box->slab.ops->create_late(first);
	if (!err)
		err = box->slab.ops->create_late(kmem_cache);
unlock:
	mutex_unlock(&box->slab.mutex);
	/* These objects are the box's own: do not list them in `leaks`. */
	mmbox_slab_debug_forget(box);
	return err;
}

/**
 * mmbox_kmem_cache_exit() - give back what caches took from the host
 * @box: the box; nobody uses it any more
 *
 * Memory of the box itself goes with the box.
 *
 * Context: process, may sleep.
 */
void mmbox_kmem_cache_exit(struct mmbox *box)
{
	struct mmbox_host_percpu *percpu, *next;

	box->slab.ops->stop(box);
	/* Objects first, as slabs may end with them. */
	mmbox_rcu_queue_exit(&box->slab.kfree_rcu.queue);
	mmbox_rcu_queue_exit(&box->slab.rcu_slabs.queue);
	list_for_each_entry_safe(percpu, next, &box->slab.percpus, list)
		mmbox_host_free_percpu(&box->host, percpu);
	mmbox_slab_debug_exit(box);
	mmbox_slab_used_exit(box);
	mmbox_kfree_exit(box);
	if (box->cfg.slab_stats)
		static_branch_dec(&mmbox_slab_stats);
	mutex_destroy(&box->slab.mutex);
}
