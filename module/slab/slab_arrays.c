// SPDX-License-Identifier: GPL-2.0
/*
 * SLAB's arrays in front of the slabs of a cache: one for each CPU, one that the CPUs
 * of a node share, and the alien caches. In an alien cache the CPUs of a node gather
 * objects that they free to another node.
 *
 * This file makes the arrays with their cache, and resizes them after a write to
 * slabinfo. It empties them for a shrink and when a CPU goes. The reaper runs on each
 * CPU every two seconds: from an array that nobody has used since its last run it
 * frees some objects, and it frees some of the free slabs if none was needed.
 *
 * All amounts and times are those of mm/slab.c of Linux 6.1. slab.c moves objects
 * between arrays and slabs when a cache is used.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "slab/slab_private.h"

#define REAPTIMEOUT_AC		(2 * HZ)
#define REAPTIMEOUT_NODE	(4 * HZ)
#define ALIEN_LIMIT		12	/* objects in an alien cache, or 1 */

/* ---- making arrays ---- */

static struct mmbox_array_cache *alloc_shared(struct mmbox *box, int nid,
					      unsigned int limit, gfp_t gfp)
{
	struct mmbox_array_cache *shared;

	shared = mmbox_kmalloc_node(box, struct_size(shared, entry, limit),
				    gfp | __GFP_ZERO, nid);
	if (shared)
		shared->limit = limit;
	return shared;
}

static void free_alien(struct mmbox *box, struct mmbox_alien_cache **alien)
{
	int nid;

	if (!alien)
		return;
	mmbox_for_each_online_node(box, nid)
		mmbox_kfree(box, alien[nid]);
	mmbox_kfree(box, alien);
}

/* The alien caches of node @nid: one for each other node. */
static struct mmbox_alien_cache **alloc_alien(struct mmbox *box, int nid,
					      unsigned int limit, gfp_t gfp)
{
	struct mmbox_alien_cache **alien;
	int other;

	limit = limit > 1 ? ALIEN_LIMIT : limit;
	alien = mmbox_kmalloc_node(box, box->nr_nodes * sizeof(*alien),
				   gfp | __GFP_ZERO, nid);
	if (!alien)
		return NULL;
	mmbox_for_each_online_node(box, other) {
		struct mmbox_alien_cache *alc;

		if (other == nid)
			continue;
		alc = mmbox_kmalloc_node(box, struct_size(alc, ac.entry, limit),
					 gfp | __GFP_ZERO, nid);
		if (!alc) {
			free_alien(box, alien);
			return NULL;
		}
		raw_spin_lock_init(&alc->lock);
		alc->ac.limit = limit;
		alien[other] = alc;
	}
	return alien;
}

static struct mmbox_host_percpu *alloc_cpu_arrays(struct mmbox_kmem_cache *cachep,
						  unsigned int limit,
						  unsigned int batchcount)
{
	struct mmbox_array_cache __percpu *cpu_cache;
	struct mmbox_host_percpu *percpu;
	int cpu;

	percpu = mmbox_host_alloc_percpu(&cachep->box->host,
					 struct_size(cachep->cpu_cache, entry, limit),
					 sizeof(void *), "per-CPU array caches");
	if (!percpu)
		return NULL;
	cpu_cache = (struct mmbox_array_cache __percpu *)percpu->ptr;
	for_each_possible_cpu(cpu) {
		struct mmbox_array_cache *ac = per_cpu_ptr(cpu_cache, cpu);

		ac->limit = limit;
		ac->batchcount = batchcount;
		mmbox_ac_init(cachep, ac, cpu);
	}
	return percpu;
}

/**
 * mmbox_alloc_cpu_cache() - give a new cache the arrays of its CPUs
 * @cachep: the cache; limit, batchcount and idle are set
 *
 * Context: process, may sleep, slab.mutex held.
 * Return: 0 or -ENOMEM.
 */
int mmbox_alloc_cpu_cache(struct mmbox_kmem_cache *cachep)
{
	struct mmbox_host_percpu *percpu;

	lockdep_assert_held(&cachep->box->slab.mutex);
	percpu = alloc_cpu_arrays(cachep, cachep->slab.limit, cachep->slab.batchcount);
	if (!percpu)
		return -ENOMEM;
	cachep->slab.host_cpu_cache = percpu;
	cachep->cpu_cache = (struct mmbox_array_cache __percpu *)percpu->ptr;
	list_add(&percpu->list, &cachep->box->slab.percpus);
	return 0;
}

/* nr_cpus_node() */
static unsigned int nr_cpus_of_node(const struct mmbox *box, int nid)
{
	unsigned int nr = 0;
	int cpu;

	for_each_online_cpu(cpu)
		nr += mmbox_cpu_to_node(box, cpu) == nid;
	return nr;
}

/* How many free objects a node may hold before free slabs go back: init_cache_node() */
static void set_free_limit(struct mmbox_kmem_cache *cachep, int nid)
{
	struct mmbox_kmem_cache_node *n = cachep->slab.node[nid];
	unsigned long flags;

	raw_spin_lock_irqsave(&n->list_lock, flags);
	n->free_limit = (1 + nr_cpus_of_node(cachep->box, nid)) * cachep->slab.batchcount +
			cachep->num;
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
}

/**
 * mmbox_alloc_nodes() - give a new cache its nodes
 * @cachep: the cache
 * @boot_nodes: one for each node of the box, or NULL: from kmalloc
 *
 * Context: process, may sleep, slab.mutex held.
 * Return: 0 or -ENOMEM, and then mmbox_free_nodes() undoes what was done.
 */
int mmbox_alloc_nodes(struct mmbox_kmem_cache *cachep,
		      struct mmbox_kmem_cache_node *boot_nodes)
{
	struct mmbox *box = cachep->box;
	int nid;

	lockdep_assert_held(&box->slab.mutex);
	mmbox_for_each_online_node(box, nid) {
		struct mmbox_kmem_cache_node *n;

		n = boot_nodes ? &boot_nodes[nid] :
		    mmbox_kmalloc_node(box, sizeof(*n), GFP_KERNEL, nid);
		if (!n)
			return -ENOMEM;
		memset(n, 0, sizeof(*n));
		raw_spin_lock_init(&n->list_lock);
		INIT_LIST_HEAD(&n->slabs_partial);
		INIT_LIST_HEAD(&n->slabs_full);
		INIT_LIST_HEAD(&n->slabs_free);
		/* Spread the caches, so that they are not all due at once. */
		n->next_reap = jiffies + REAPTIMEOUT_NODE + cachep->id % REAPTIMEOUT_NODE;
		cachep->slab.node[nid] = n;
		set_free_limit(cachep, nid);
	}
	return 0;
}

/**
 * mmbox_free_nodes() - undo mmbox_alloc_nodes() and mmbox_enable_shared()
 * @cachep: a cache without slabs, not made at boot
 *
 * Context: process, may sleep, slab.mutex held.
 */
void mmbox_free_nodes(struct mmbox_kmem_cache *cachep)
{
	struct mmbox *box = cachep->box;
	int nid;

	lockdep_assert_held(&box->slab.mutex);
	mmbox_for_each_online_node(box, nid) {
		struct mmbox_kmem_cache_node *n = cachep->slab.node[nid];

		if (!n)
			continue;
		mmbox_kfree(box, n->shared);
		free_alien(box, n->alien);
		mmbox_kfree(box, n);
		cachep->slab.node[nid] = NULL;
	}
}

/**
 * mmbox_own_nodes() - keep the nodes and arrays of a cache out of `leaks`
 * @cachep: the cache
 *
 * Context: process, slab.mutex held.
 */
void mmbox_own_nodes(const struct mmbox_kmem_cache *cachep)
{
	struct mmbox *box = cachep->box;
	int nid, other;

	lockdep_assert_held(&box->slab.mutex);
	mmbox_for_each_online_node(box, nid) {
		struct mmbox_kmem_cache_node *n = cachep->slab.node[nid];

		mmbox_slab_debug_own(box, n);
		mmbox_slab_debug_own(box, n->shared);
		mmbox_slab_debug_own(box, n->alien);
		if (n->alien)
			mmbox_for_each_online_node(box, other)
				mmbox_slab_debug_own(box, n->alien[other]);
	}
}

/* New arrays of a node, allocated before they are put in place; later, the old ones. */
struct node_arrays {
	struct mmbox_array_cache *shared;
	struct mmbox_alien_cache **alien;
};

static void free_node_arrays(struct mmbox *box, struct node_arrays *arrays)
{
	int nid;

	mmbox_for_each_online_node(box, nid) {
		mmbox_kfree(box, arrays[nid].shared);
		free_alien(box, arrays[nid].alien);
	}
}

static int alloc_node_arrays(struct mmbox_kmem_cache *cachep, int nid,
			     unsigned int shared, unsigned int limit, gfp_t gfp,
			     struct node_arrays *arrays)
{
	struct mmbox *box = cachep->box;

	if (box->nr_nodes > 1 && !cachep->slab.node[nid]->alien) {
		arrays->alien = alloc_alien(box, nid, limit, gfp);
		if (!arrays->alien)
			return -ENOMEM;
	}
	if (shared) {
		arrays->shared = alloc_shared(box, nid, shared, gfp);
		if (!arrays->shared)
			return -ENOMEM;
	}
	return 0;
}

/*
 * Put new arrays in place. Afterwards @arrays has what the caller must free. Objects
 * in the old shared array go back to their slabs. A shared array that is there is
 * only replaced with @force.
 */
static void set_node_arrays(struct mmbox_kmem_cache *cachep, int nid,
			    struct node_arrays *arrays, bool force)
{
	struct mmbox_kmem_cache_node *n = cachep->slab.node[nid];
	LIST_HEAD(destroy);
	unsigned long flags;

	lockdep_assert_held(&cachep->box->slab.mutex);
	set_free_limit(cachep, nid);
	raw_spin_lock_irqsave(&n->list_lock, flags);
	if (!n->shared || force) {
		struct mmbox_array_cache *old = n->shared;

		if (old)
			mmbox_free_block(cachep, n, old->entry, old->avail, &destroy);
		/* CPUs read shared->avail before they take the lock. */
		smp_store_release(&n->shared, arrays->shared);
		arrays->shared = old;
	}
	if (!n->alien) {
		/* CPUs read n->alien without the lock. */
		smp_store_release(&n->alien, arrays->alien);
		arrays->alien = NULL;
	}
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	mmbox_slabs_destroy(cachep, &destroy);
}

/**
 * mmbox_enable_shared() - give a cache's nodes their shared and alien arrays
 * @cachep: the cache
 *
 * Context: process, may sleep, slab.mutex held; kmalloc must be up.
 * Return: 0 or -ENOMEM.
 */
int mmbox_enable_shared(struct mmbox_kmem_cache *cachep)
{
	int nid, err;

	lockdep_assert_held(&cachep->box->slab.mutex);
	mmbox_for_each_online_node(cachep->box, nid) {
		struct node_arrays arrays[MMBOX_MAX_NUMNODES] = {};

		err = alloc_node_arrays(cachep, nid, cachep->slab.shared * cachep->slab.batchcount,
					cachep->slab.limit, GFP_KERNEL, &arrays[nid]);
		if (!err)
			set_node_arrays(cachep, nid, &arrays[nid], false);
		free_node_arrays(cachep->box, arrays);
		if (err)
			return err;
	}
	return 0;
}

/* ---- emptying arrays ---- */

/*
 * Free the oldest objects of an array to the slabs of node @n: all of them, or a
 * fifth of the array's limit, but at most half of its objects. Under list_lock.
 */
static void drain_array_locked(struct mmbox_kmem_cache *cachep,
			       struct mmbox_kmem_cache_node *n,
			       struct mmbox_array_cache *ac, bool all,
			       struct list_head *destroy)
{
	unsigned int nr = all ? ac->avail : (ac->limit + 4) / 5;

	lockdep_assert_held(&n->list_lock);
	if (nr > ac->avail)
		nr = (ac->avail + 1) / 2;
	mmbox_free_block(cachep, n, ac->entry, nr, destroy);
	ac->avail -= nr;
	memmove(ac->entry, ac->entry + nr, ac->avail * sizeof(void *));
}

static void drain_array(struct mmbox_kmem_cache *cachep, int nid,
			struct mmbox_array_cache *ac, bool all)
{
	struct mmbox_kmem_cache_node *n = cachep->slab.node[nid];
	LIST_HEAD(destroy);
	unsigned long flags;

	raw_spin_lock_irqsave(&n->list_lock, flags);
	drain_array_locked(cachep, n, ac, all, &destroy);
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	mmbox_slabs_destroy(cachep, &destroy);
}

static void drain_shared(struct mmbox_kmem_cache *cachep, int nid)
{
	struct mmbox_kmem_cache_node *n = cachep->slab.node[nid];
	LIST_HEAD(destroy);
	unsigned long flags;

	raw_spin_lock_irqsave(&n->list_lock, flags);
	if (n->shared)
		drain_array_locked(cachep, n, n->shared, true, &destroy);
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	mmbox_slabs_destroy(cachep, &destroy);
}

/* Runs on @cpu, or elsewhere if that is offline. The array is empty then: dead_cpu(). */
static void drain_cpu(void *arg, int cpu)
{
	struct mmbox_kmem_cache *cachep = arg;
	struct mmbox_array_cache *ac;

	if (!cpu_online(cpu))
		return;
	preempt_disable();
	ac = mmbox_this_cpu_array(cachep);
	if (!WARN_ON_ONCE(!mmbox_ac_enter(cachep, ac))) {
		drain_array(cachep, mmbox_cpu_to_node(cachep->box, cpu), ac, true);
		mmbox_ac_undo(ac);
	}
	preempt_enable();
}

/* Does the array of a CPU have objects? */
static bool cpu_has_spare(void *arg, int cpu)
{
	struct mmbox_kmem_cache *cachep = arg;

	return mmbox_glance(per_cpu_ptr(READ_ONCE(cachep->cpu_cache), cpu)->avail);
}

/*
 * Move objects of node @nid from an alien cache to their own node: to its shared
 * array as far as that has room, the others to their slabs. Under the alien cache's
 * lock.
 */
static void drain_alien_locked(struct mmbox_kmem_cache *cachep, int nid,
			       struct mmbox_array_cache *ac, struct list_head *destroy)
{
	struct mmbox_kmem_cache_node *n = cachep->slab.node[nid];
	struct mmbox_array_cache *shared;
	unsigned long flags;

	lockdep_assert_held(&container_of(ac, struct mmbox_alien_cache, ac)->lock);
	if (!ac->avail)
		return;
	raw_spin_lock_irqsave(&n->list_lock, flags);
	shared = n->shared;
	if (shared) {
		unsigned int nr = min(ac->avail, shared->limit - shared->avail);

		memcpy(shared->entry + shared->avail, ac->entry + ac->avail - nr,
		       nr * sizeof(void *));
		shared->avail += nr;
		ac->avail -= nr;
	}
	mmbox_free_block(cachep, n, ac->entry, ac->avail, destroy);
	ac->avail = 0;
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
}

static void drain_alien(struct mmbox_kmem_cache *cachep, struct mmbox_alien_cache **alien)
{
	int nid;

	mmbox_for_each_online_node(cachep->box, nid) {
		LIST_HEAD(destroy);
		unsigned long flags;

		if (!alien[nid])
			continue;
		raw_spin_lock_irqsave(&alien[nid]->lock, flags);
		drain_alien_locked(cachep, nid, &alien[nid]->ac, &destroy);
		raw_spin_unlock_irqrestore(&alien[nid]->lock, flags);
		mmbox_slabs_destroy(cachep, &destroy);
	}
}

/**
 * mmbox_cache_free_alien() - free an object to another node than this CPU's
 * @cachep: the cache
 * @objp: the object, checked
 * @nid: the CPU's node
 * @slab_nid: the object's
 *
 * Context: preemption off.
 */
void mmbox_cache_free_alien(struct mmbox_kmem_cache *cachep, void *objp, int nid,
			    int slab_nid)
{
	struct mmbox_alien_cache **aliens = READ_ONCE(cachep->slab.node[nid]->alien), *alien;
	struct mmbox_kmem_cache_node *n = cachep->slab.node[slab_nid];
	LIST_HEAD(destroy);
	unsigned long flags;

	mmbox_slab_stat_inc(cachep, node_frees);
	alien = aliens ? aliens[slab_nid] : NULL;
	if (alien) {
		raw_spin_lock_irqsave(&alien->lock, flags);
		if (alien->ac.avail == alien->ac.limit) {
			mmbox_slab_stat_inc(cachep, node_overflow);
			drain_alien_locked(cachep, slab_nid, &alien->ac, &destroy);
		}
		alien->ac.entry[alien->ac.avail++] = objp;
		raw_spin_unlock_irqrestore(&alien->lock, flags);
	} else {
		raw_spin_lock_irqsave(&n->list_lock, flags);
		mmbox_free_block(cachep, n, &objp, 1, &destroy);
		raw_spin_unlock_irqrestore(&n->list_lock, flags);
	}
	mmbox_slabs_destroy(cachep, &destroy);
}

/* Free up to @nr free slabs of a node. Returns how many. */
static unsigned int drain_freelist(struct mmbox_kmem_cache *cachep, int nid,
				   unsigned long nr)
{
	struct mmbox_kmem_cache_node *n = cachep->slab.node[nid];
	struct mmbox_page *slab;
	unsigned int freed = 0;
	LIST_HEAD(destroy);
	unsigned long flags;

	raw_spin_lock_irqsave(&n->list_lock, flags);
	while (freed < nr && !list_empty(&n->slabs_free)) {
		slab = list_last_entry(&n->slabs_free, struct mmbox_page, slab_list);
		mmbox_slab_unlink(n, slab);
		mmbox_raw_list_add(&slab->slab_list, &destroy);
		n->free_slabs--;
		n->total_slabs--;
		n->free_objects -= cachep->num;
		freed++;
	}
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	mmbox_slabs_destroy(cachep, &destroy);
	return freed;
}

/* Empty what the CPUs of each node share, then free the free slabs. */
static void drain_nodes(struct mmbox_kmem_cache *cachep)
{
	struct mmbox *box = cachep->box;
	struct mmbox_alien_cache **alien;
	int nid;

	mmbox_for_each_online_node(box, nid) {
		/* dead_cpu() frees alien caches after a grace period. */
		rcu_read_lock();
		alien = READ_ONCE(cachep->slab.node[nid]->alien);
		if (alien)
			drain_alien(cachep, alien);
		rcu_read_unlock();
	}
	mmbox_for_each_online_node(box, nid)
		drain_shared(cachep, nid);
	mmbox_for_each_online_node(box, nid)
		drain_freelist(cachep, nid, ULONG_MAX);
}

/**
 * mmbox_slab_shrink() - free all that a cache does not need
 * @cachep: the cache
 * @cpus: empty the CPUs' arrays as well
 *
 * Empties the arrays, then gives all free slabs back. ops->shrink
 *
 * Context: process, may sleep; with @cpus cpus_read_lock() held, which comes before
 * slab.mutex.
 * Return: 0 if no object of the cache is out of its slab now, else 1.
 */
int mmbox_slab_shrink(struct mmbox_kmem_cache *cachep, bool cpus)
{
	if (cpus)
		mmbox_drain_cpus_cpuslocked(cpu_has_spare, drain_cpu, cachep);
	drain_nodes(cachep);
	return !mmbox_slabs_all_free(cachep);
}

/* Under slab.mutex, which mmbox_slab_reap() is called with. */
static void drain_cpu_of_all(void *arg, int cpu)
{
	struct mmbox_kmem_cache *cachep;
	struct mmbox *box = arg;

	list_for_each_entry(cachep, &box->slab.caches, list) {
		if (!cpu_has_spare(cachep, cpu))
			continue;
		drain_cpu(cachep, cpu);
		cond_resched();
	}
}

/* Does the array of a CPU have objects, in any cache? Under slab.mutex. */
static bool cpu_has_any_spare(void *arg, int cpu)
{
	struct mmbox_kmem_cache *cachep;
	struct mmbox *box = arg;

	list_for_each_entry(cachep, &box->slab.caches, list)
		if (cpu_has_spare(cachep, cpu))
			return true;
	return false;
}

/**
 * mmbox_slab_reap() - free all that no cache of a box needs
 * @box: the box
 *
 * ops->reap
 *
 * Context: process, may sleep, slab.mutex and cpus_read_lock() held.
 */
void mmbox_slab_reap(struct mmbox *box)
{
	struct mmbox_kmem_cache *cachep;

	lockdep_assert_held(&box->slab.mutex);
	mmbox_drain_cpus_cpuslocked(cpu_has_any_spare, drain_cpu_of_all, box);
	list_for_each_entry(cachep, &box->slab.caches, list)
		drain_nodes(cachep);
}

/* ---- other sizes ---- */

/* Nobody uses the old arrays after a grace period, as they are used with preemption off. */
static void replace_cpu_arrays(struct mmbox_kmem_cache *cachep,
			       struct mmbox_host_percpu *percpu)
{
	struct mmbox_host_percpu *old = cachep->slab.host_cpu_cache;
	struct mmbox *box = cachep->box;
	int cpu;

	lockdep_assert_held(&box->slab.mutex);
	/* Pairs with READ_ONCE() in mmbox_this_cpu_array(): the arrays are set up before. */
	smp_store_release(&cachep->cpu_cache,
			  (struct mmbox_array_cache __percpu *)percpu->ptr);
	cachep->slab.host_cpu_cache = percpu;
	list_add(&percpu->list, &box->slab.percpus);
	synchronize_rcu();
	for_each_possible_cpu(cpu)
		drain_array(cachep, mmbox_cpu_to_node(box, cpu),
			    per_cpu_ptr((struct mmbox_array_cache __percpu *)old->ptr, cpu),
			    true);
	mmbox_host_free_percpu(&box->host, old);
}

/**
 * mmbox_do_tune_cpucache() - resize the arrays of a cache, possibly in use
 * @cachep: the cache
 * @limit: objects a CPU's array may hold
 * @batchcount: objects to move at once
 * @shared: limit of the shared array, in batchcounts; 0: none
 *
 * Context: process, may sleep, slab.mutex held.
 * Return: 0, -EINVAL for figures that make no sense, -ENOMEM; then nothing has
 * changed.
 */
int mmbox_do_tune_cpucache(struct mmbox_kmem_cache *cachep, int limit, int batchcount,
			   int shared)
{
	struct node_arrays arrays[MMBOX_MAX_NUMNODES] = {};
	struct mmbox *box = cachep->box;
	struct mmbox_host_percpu *percpu;
	unsigned int shared_limit;
	int nid, err = -ENOMEM;

	lockdep_assert_held(&box->slab.mutex);
	if (limit < 1 || batchcount < 1 || batchcount > limit || shared < 0 ||
	    limit > MMBOX_MAX_LIMIT || shared > MMBOX_MAX_LIMIT)
		return -EINVAL;
	shared_limit = shared * batchcount;
	percpu = alloc_cpu_arrays(cachep, limit, batchcount);
	if (!percpu)
		return -ENOMEM;
	mmbox_for_each_online_node(box, nid) {
		err = alloc_node_arrays(cachep, nid, shared_limit, limit, GFP_KERNEL,
					&arrays[nid]);
		if (err)
			goto free;
	}

	replace_cpu_arrays(cachep, percpu);
	percpu = NULL;
	WRITE_ONCE(cachep->slab.batchcount, batchcount);
	WRITE_ONCE(cachep->slab.limit, limit);
	WRITE_ONCE(cachep->slab.shared, shared);
	mmbox_for_each_online_node(box, nid)
		set_node_arrays(cachep, nid, &arrays[nid], true);
	mmbox_own_nodes(cachep);
	/* CPUs read avail of a shared array before they take the lock: see node_alloc(). */
	synchronize_rcu();
free:
	free_node_arrays(box, arrays);
	mmbox_host_free_percpu(&box->host, percpu);
	return err;
}

/* ---- the reaper ---- */

struct mmbox_reaper {
	struct delayed_work work;
	struct mmbox *box;
	int nid;			/* whose objects are sent home next */
};

/* Free some objects of an array if nobody has used it since the last look. */
static void reap_array(struct mmbox_kmem_cache *cachep, int nid,
		       struct mmbox_array_cache *ac)
{
	if (!mmbox_glance(ac->avail))
		return;
	if (READ_ONCE(ac->touched))
		WRITE_ONCE(ac->touched, 0);
	else
		drain_array(cachep, nid, ac, false);
}

/* The reaper runs on this CPU, so nobody else is inside this CPU's array. */
static void reap_cpu_array(struct mmbox_kmem_cache *cachep, int nid)
{
	struct mmbox_array_cache *ac;

	preempt_disable();
	ac = mmbox_this_cpu_array(cachep);
	if (!WARN_ON_ONCE(!mmbox_ac_enter(cachep, ac))) {
		reap_array(cachep, nid, ac);
		mmbox_ac_undo(ac);
	}
	preempt_enable();
}

static void reap_alien(struct mmbox_kmem_cache *cachep,
		       struct mmbox_kmem_cache_node *n, int nid)
{
	struct mmbox_alien_cache *alc = n->alien ? n->alien[nid] : NULL;
	LIST_HEAD(destroy);
	unsigned long flags;

	if (!alc || !mmbox_glance(alc->ac.avail) ||
	    !raw_spin_trylock_irqsave(&alc->lock, flags))
		return;
	drain_alien_locked(cachep, nid, &alc->ac, &destroy);
	raw_spin_unlock_irqrestore(&alc->lock, flags);
	mmbox_slabs_destroy(cachep, &destroy);
}

static void reap_shared(struct mmbox_kmem_cache *cachep, int nid)
{
	struct mmbox_array_cache *shared = cachep->slab.node[nid]->shared;

	if (shared)
		reap_array(cachep, nid, shared);
}

/* What a node's CPUs share is due every four seconds. The first CPU to come does it. */
static void reap_node(struct mmbox_kmem_cache *cachep, int nid)
{
	struct mmbox_kmem_cache_node *n = cachep->slab.node[nid];
	unsigned int slabs, per_slab = 5 * cachep->num;

	if (time_after(READ_ONCE(n->next_reap), jiffies))
		return;
	WRITE_ONCE(n->next_reap, jiffies + REAPTIMEOUT_NODE);
	reap_shared(cachep, nid);
	if (READ_ONCE(n->free_touched)) {
		WRITE_ONCE(n->free_touched, 0);
		return;
	}
	slabs = (n->free_limit + per_slab - 1) / per_slab;
	slabs = drain_freelist(cachep, nid, slabs);
	mmbox_slab_stat_add(cachep, reaped, slabs);
}

/**
 * mmbox_cache_reap() - trim what this CPU's node keeps, as the reaper does
 * @box: the box
 * @alien: the node whose objects are sent home from here
 *
 * Context: process, kept on one CPU, may sleep.
 * Return: false if a cache is being made or destroyed; nothing was done then.
 */
bool mmbox_cache_reap(struct mmbox *box, int alien)
{
	int nid = mmbox_cpu_to_node(box, raw_smp_processor_id());
	struct mmbox_kmem_cache *cachep;

	if (!mutex_trylock(&box->slab.mutex))
		return false;
	list_for_each_entry(cachep, &box->slab.caches, list) {
		reap_alien(cachep, cachep->slab.node[nid], alien);
		reap_cpu_array(cachep, nid);
		reap_node(cachep, nid);
		cond_resched();
	}
	mutex_unlock(&box->slab.mutex);
	return true;
}
MMBOX_EXPORT_INTERNAL(mmbox_cache_reap);

static void reap_work(struct work_struct *work)
{
	struct mmbox_reaper *reaper = container_of(to_delayed_work(work),
						   struct mmbox_reaper, work);

	if (mmbox_cache_reap(reaper->box, reaper->nid))
		reaper->nid = (reaper->nid + 1) % reaper->box->nr_nodes;
	schedule_delayed_work_on(raw_smp_processor_id(), &reaper->work, REAPTIMEOUT_AC);
}

static struct mmbox_reaper *reaper_of(struct mmbox *box, int cpu)
{
	return per_cpu_ptr((struct mmbox_reaper __percpu *)box->slab.reapers->ptr, cpu);
}

/* ---- CPUs that come and go ---- */

/*
 * Empty the array of a CPU that has gone. After the last CPU of a node, free the
 * arrays that the node's CPUs shared.
 */
static void dead_cpu(struct mmbox_kmem_cache *cachep, int cpu)
{
	struct mmbox *box = cachep->box;
	int nid = mmbox_cpu_to_node(box, cpu);
	struct mmbox_kmem_cache_node *n = cachep->slab.node[nid];
	struct node_arrays arrays[MMBOX_MAX_NUMNODES] = {};
	LIST_HEAD(destroy);
	unsigned long flags;

	lockdep_assert_held(&box->slab.mutex);
	raw_spin_lock_irqsave(&n->list_lock, flags);
	n->free_limit -= cachep->slab.batchcount;
	drain_array_locked(cachep, n, per_cpu_ptr(cachep->cpu_cache, cpu), true, &destroy);
	if (!nr_cpus_of_node(box, nid)) {
		if (n->shared)
			drain_array_locked(cachep, n, n->shared, true, &destroy);
		arrays[nid].shared = n->shared;
		arrays[nid].alien = n->alien;
		WRITE_ONCE(n->shared, NULL);
		WRITE_ONCE(n->alien, NULL);
	}
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	mmbox_slabs_destroy(cachep, &destroy);

	if (arrays[nid].shared || arrays[nid].alien)
		synchronize_rcu();
	if (arrays[nid].alien)
		drain_alien(cachep, arrays[nid].alien);
	free_node_arrays(box, arrays);
	drain_freelist(cachep, nid, ULONG_MAX);
}

/**
 * mmbox_slab_dead_cpu() - a CPU has gone
 * @box: the box
 * @cpu: the CPU
 *
 * What its arrays hold goes back to the slabs.
 *
 * Context: process, may sleep, as a callback of CPU hotplug.
 */
void mmbox_slab_dead_cpu(struct mmbox *box, unsigned int cpu)
{
	struct mmbox_kmem_cache *cachep;

	mutex_lock(&box->slab.mutex);
	list_for_each_entry(cachep, &box->slab.caches, list)
		dead_cpu(cachep, cpu);
	mutex_unlock(&box->slab.mutex);
}

/**
 * mmbox_slab_prepare_cpu() - a CPU is about to come
 * @box: the box
 * @cpu: the CPU
 *
 * Makes the shared and alien arrays of its node again if they went with the node's
 * last CPU. Without memory the node does without them. In 6.1 the CPU would not come;
 * here it is a CPU of the host, and the memory is the box's.
 *
 * Context: process, may sleep, as a callback of CPU hotplug.
 */
void mmbox_slab_prepare_cpu(struct mmbox *box, unsigned int cpu)
{
	int nid = mmbox_cpu_to_node(box, cpu), err = 0;
	struct mmbox_kmem_cache *cachep;

	mutex_lock(&box->slab.mutex);
	list_for_each_entry(cachep, &box->slab.caches, list) {
		struct node_arrays arrays[MMBOX_MAX_NUMNODES] = {};
		unsigned int shared = 0;

		if (!cachep->slab.node[nid]->shared)
			shared = cachep->slab.shared * cachep->slab.batchcount;
		/* Not GFP_KERNEL: reclaim drains all CPUs, which waits for CPU hotplug. */
		if (alloc_node_arrays(cachep, nid, shared, cachep->slab.limit, GFP_NOWAIT,
				      &arrays[nid]))
			err = -ENOMEM;
		set_node_arrays(cachep, nid, &arrays[nid], false);
		mmbox_own_nodes(cachep);
		free_node_arrays(box, arrays);
	}
	mutex_unlock(&box->slab.mutex);
	if (err)
		pr_warn("%s: CPU %u comes, but node %d has no memory for shared and alien arrays\n",
			box->name, cpu, nid);
}

/**
 * mmbox_slab_online_cpu() - start the reaper of a CPU, if the box has reapers
 * @box: the box
 * @cpu: the CPU, online
 *
 * Context: process, may sleep, as a callback of CPU hotplug.
 */
void mmbox_slab_online_cpu(struct mmbox *box, unsigned int cpu)
{
	struct mmbox_reaper *reaper;

	if (!box->slab.reapers)
		return;
	reaper = reaper_of(box, cpu);
	reaper->nid = (mmbox_cpu_to_node(box, cpu) + 1) % box->nr_nodes;
	/* At different times, so that CPUs do not wait for the mutex together. */
	schedule_delayed_work_on(cpu, &reaper->work, HZ + 3 * cpu);
}

/**
 * mmbox_slab_offline_cpu() - stop the reaper of a CPU
 * @box: the box
 * @cpu: the CPU
 *
 * Context: process, may sleep, as a callback of CPU hotplug.
 */
void mmbox_slab_offline_cpu(struct mmbox *box, unsigned int cpu)
{
	if (box->slab.reapers)
		cancel_delayed_work_sync(&reaper_of(box, cpu)->work);
}

/**
 * mmbox_slab_start_reapers() - make the reapers of a box, if slab_reap=1
 * @box: the box, booted; nobody tells it of CPUs yet
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM; mmbox_slab_stop_reapers() undoes it.
 */
int mmbox_slab_start_reapers(struct mmbox *box)
{
	int cpu;

	if (!box->cfg.slab_reap)
		return 0;
	box->slab.reapers = mmbox_host_alloc_percpu(&box->host, sizeof(struct mmbox_reaper),
						    __alignof__(struct mmbox_reaper),
						    "slab reapers");
	if (!box->slab.reapers)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct mmbox_reaper *reaper = reaper_of(box, cpu);

		reaper->box = box;
		INIT_DEFERRABLE_WORK(&reaper->work, reap_work);
	}
	return 0;
}

/**
 * mmbox_slab_stop_reapers() - undo mmbox_slab_start_reapers()
 * @box: the box; nobody tells it of CPUs any more
 *
 * Context: process, may sleep.
 */
void mmbox_slab_stop_reapers(struct mmbox *box)
{
	mmbox_host_free_percpu(&box->host, box->slab.reapers);
	box->slab.reapers = NULL;
}
