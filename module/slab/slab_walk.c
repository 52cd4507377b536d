// SPDX-License-Identifier: GPL-2.0
/*
 * What SLAB shows of a cache to those who show or check all of it: slabinfo, the
 * files of caches/, verify, the checksum. They know of slabs, nodes and stacks of
 * free objects (struct mmbox_slab_walker), and nothing of SLAB's own fields.
 */
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/string.h>

#include "slab/slab_private.h"

static void show_field(const struct mmbox_slab_walker *w, void *arg, int nid,
		       const char *name, unsigned long value)
{
	if (w->field)
		w->field(arg, nid, name, value);
}

/* ---- nodes ---- */

#define SLABS_AT_ONCE	32	/* under one hold of list_lock */

/* A list of a node, and what is said of the slabs on it. */
struct walked_list {
	struct list_head *head;
	struct mmbox_slab_list is;
};

/* Show the next slabs of a list, from n->walk on. Returns how many. */
static unsigned int walk_some(struct mmbox_kmem_cache_node *n, const struct walked_list *list,
			      const struct mmbox_slab_walker *w, void *arg)
{
	unsigned int nr = 0;

	lockdep_assert_held(&n->list_lock);
	while (n->walk != list->head && nr++ < SLABS_AT_ONCE) {
		struct mmbox_page *slab = list_entry(n->walk, struct mmbox_page, slab_list);

		if (w->slab(arg, slab, &list->is))
			n->walk = n->walk->next;
		else
			n->walk = list->head;
	}
	return nr;
}

/*
 * Show the slabs of some lists of a node. There may be any number, so list_lock is
 * dropped after some of them; whoever takes a slab off its list meanwhile moves n->walk
 * on. Slabs that come to the end of a list all the time have no end: a walk that others
 * disturb is over when it has shown as many as there were.
 */
static void walk_lists(struct mmbox_kmem_cache_node *n, const struct walked_list *lists,
		       unsigned int nr_lists, const struct mmbox_slab_walker *w, void *arg,
		       unsigned long *flags)
{
	unsigned long nr = 0, nr_slabs = n->total_slabs;
	unsigned int i;

	lockdep_assert_held(&n->list_lock);
	n->walk_changed = false;
	for (i = 0; i < nr_lists; i++) {
		n->walk = lists[i].head->next;
		while (n->walk != lists[i].head && !(n->walk_changed && nr > nr_slabs)) {
			nr += walk_some(n, &lists[i], w, arg);
			raw_spin_unlock_irqrestore(&n->list_lock, *flags);
			cond_resched();
			raw_spin_lock_irqsave(&n->list_lock, *flags);
		}
	}
	n->walk = NULL;
}

static void walk_slabs(const struct mmbox_kmem_cache *cachep,
		       struct mmbox_kmem_cache_node *n, int nid,
		       const struct mmbox_slab_walker *w, void *arg, unsigned long *flags)
{
	const unsigned int num = cachep->num;
	const struct walked_list lists[] = {
		{ &n->slabs_partial, { "slabs_partial", nid, 1, num - 1 } },
		{ &n->slabs_full, { "slabs_full", nid, num, num } },
		{ &n->slabs_free, { "slabs_free", nid, 0, 0 } },
	};

	walk_lists(n, lists, ARRAY_SIZE(lists), w, arg, flags);
}

static bool count_slab(void *arg, struct mmbox_page *slab, const struct mmbox_slab_list *list)
{
	++*(unsigned long *)arg;
	return true;
}

/*
 * How many slabs are on slabs_partial: nobody keeps count. Where others move slabs
 * meanwhile it is about as many, and no more than can be there at the end.
 */
static unsigned long count_partial(struct mmbox_kmem_cache_node *n, unsigned long *flags)
{
	static const struct mmbox_slab_walker counter = { .slab = count_slab };
	const struct walked_list list = { &n->slabs_partial, { "slabs_partial" } };
	unsigned long nr = 0;

	walk_lists(n, &list, 1, &counter, &nr, flags);
	return min(nr, n->total_slabs - n->free_slabs);
}

static void show_counts(struct mmbox_kmem_cache_node *n, int nid,
			const struct mmbox_slab_walker *w, void *arg)
{
	struct mmbox_node_counts counts = {
		.nid = nid,
		.total_slabs = n->total_slabs,
		.free_slabs = n->free_slabs,
		.free_objects = n->free_objects,
		.colour_next = READ_ONCE(n->colour_next),
		.changed = w->slab && n->walk_changed,
	};

	lockdep_assert_held(&n->list_lock);
	w->node(arg, &counts);
}

static void show_node_fields(struct mmbox_kmem_cache_node *n, int nid,
			     const struct mmbox_slab_walker *w, void *arg,
			     unsigned long *flags)
{
	unsigned long partial = count_partial(n, flags);

	lockdep_assert_held(&n->list_lock);
	w->field(arg, nid, "slabs_partial", partial);
	w->field(arg, nid, "slabs_full", n->total_slabs - partial - n->free_slabs);
	w->field(arg, nid, "slabs_free", n->free_slabs);
	w->field(arg, nid, "total_slabs", n->total_slabs);
	w->field(arg, nid, "free_slabs", n->free_slabs);
	w->field(arg, nid, "free_objects", n->free_objects);
	w->field(arg, nid, "free_limit", n->free_limit);
	w->field(arg, nid, "colour_next", READ_ONCE(n->colour_next));
}

/* An array that a lock protects, which is held. NULL: there is none. */
static void show_array(const struct mmbox_array_cache *ac, const char *what, int nr, int nid,
		       const struct mmbox_slab_walker *w, void *arg)
{
	struct mmbox_object_stack stack = { .what = what, .nr = nr, .nid = nid, .idle = true };

	if (ac) {
		stack.avail = ac->avail;
		stack.limit = ac->limit;
		stack.touched = READ_ONCE(ac->touched);
		stack.entry = ac->entry;
	}
	w->stack(arg, &stack);
}

/* Objects of other nodes that this one's CPUs have freed. */
static void walk_aliens(struct mmbox_kmem_cache *cachep, int nid,
			const struct mmbox_slab_walker *w, void *arg)
{
	struct mmbox_alien_cache **alien = cachep->slab.node[nid]->alien;
	unsigned long flags;
	int other;

	if (!alien)
		return;
	mmbox_for_each_online_node(cachep->box, other) {
		if (!alien[other])
			continue;
		raw_spin_lock_irqsave(&alien[other]->lock, flags);
		show_array(&alien[other]->ac, "alien cache of node", nid, other, w, arg);
		raw_spin_unlock_irqrestore(&alien[other]->lock, flags);
	}
}

static void walk_node(struct mmbox_kmem_cache *cachep, int nid,
		      const struct mmbox_slab_walker *w, void *arg)
{
	struct mmbox_kmem_cache_node *n = cachep->slab.node[nid];
	unsigned long flags;

	raw_spin_lock_irqsave(&n->list_lock, flags);
	/* First: they drop the lock, and a node's counts are of the slabs just shown. */
	if (w->field)
		show_node_fields(n, nid, w, arg, &flags);
	if (w->slab)
		walk_slabs(cachep, n, nid, w, arg, &flags);
	if (w->node)
		show_counts(n, nid, w, arg);
	if (w->stack)
		show_array(n->shared, "shared array of node", nid, nid, w, arg);
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	if (w->stack)
		walk_aliens(cachep, nid, w, arg);
	show_field(w, arg, nid, "next_reap_ms",
		   max(0L, (long)(READ_ONCE(n->next_reap) - jiffies)) * MSEC_PER_SEC / HZ);
	show_field(w, arg, nid, "free_touched", READ_ONCE(n->free_touched));
}

/**
 * mmbox_slab_walk() - show a cache's fields, nodes, slabs, and arrays of nodes
 * @cachep: the cache
 * @w: what to call for each
 * @arg: its first argument
 *
 * Slabs are shown some at a time under list_lock, a node's counts and its shared
 * array under it after the last slab, alien caches under their locks. ops->walk
 *
 * Context: process, slab.mutex held.
 */
void mmbox_slab_walk(struct mmbox_kmem_cache *cachep, const struct mmbox_slab_walker *w,
		     void *arg)
{
	int nid;

	lockdep_assert_held(&cachep->box->slab.mutex);
	show_field(w, arg, NUMA_NO_NODE, "freelist_size", cachep->slab.freelist_size);
	show_field(w, arg, NUMA_NO_NODE, "index_size", cachep->slab.index_size);
	show_field(w, arg, NUMA_NO_NODE, "colour", cachep->slab.colour);
	show_field(w, arg, NUMA_NO_NODE, "colour_off", cachep->slab.colour_off);
	mmbox_for_each_online_node(cachep->box, nid)
		walk_node(cachep, nid, w, arg);
}

/* ---- CPUs ---- */

static void show_cpu_array(struct mmbox_kmem_cache *cachep, int cpu, bool idle,
			   const struct mmbox_slab_walker *w, void *arg)
{
	const struct mmbox_array_cache *ac = per_cpu_ptr(cachep->cpu_cache, cpu);
	struct mmbox_object_stack stack = {
		.what = "array of CPU",
		.nr = cpu,
		.nid = mmbox_cpu_to_node(cachep->box, cpu),
		.avail = mmbox_glance(ac->avail),
		.limit = ac->limit,
		.batchcount = ac->batchcount,
		.touched = mmbox_glance(ac->touched),
		.idle = idle,
		.entry = ac->entry,
	};

	w->stack(arg, &stack);
}

struct cpus_walk {
	struct mmbox_kmem_cache *cachep;
	const struct mmbox_slab_walker *w;
	void *arg;
};

/* On @cpu, or for it if it is offline. */
static void walk_cpu(void *data, int cpu)
{
	struct cpus_walk *walk = data;
	struct mmbox_array_cache *ac = per_cpu_ptr(walk->cachep->cpu_cache, cpu);

	preempt_disable();
	if (!WARN_ON_ONCE(!mmbox_ac_enter(walk->cachep, ac))) {
		show_cpu_array(walk->cachep, cpu, true, walk->w, walk->arg);
		mmbox_ac_undo(ac);
	}
	preempt_enable();
}

/**
 * mmbox_slab_walk_cpus() - show each CPU's array on that CPU
 * @cachep: the cache
 * @w: what to call for each, possibly on several CPUs at once
 * @arg: its first argument
 *
 * Nobody works on an array while it is shown. ops->walk_cpus
 *
 * Context: process, may sleep, cpus_read_lock() and slab.mutex held.
 */
void mmbox_slab_walk_cpus(struct mmbox_kmem_cache *cachep, const struct mmbox_slab_walker *w,
			  void *arg)
{
	struct cpus_walk walk = { .cachep = cachep, .w = w, .arg = arg };

	lockdep_assert_held(&cachep->box->slab.mutex);
	mmbox_drain_cpus_cpuslocked(NULL, walk_cpu, &walk);
}

/**
 * mmbox_slab_peek_cpus() - show each CPU's array as it looks from here
 * @cachep: the cache
 * @w: what to call for each
 * @arg: its first argument
 *
 * The CPUs may change their arrays meanwhile: avail may even be above limit, and
 * an entry may have gone. ops->peek_cpus
 *
 * Context: process, slab.mutex held.
 */
void mmbox_slab_peek_cpus(struct mmbox_kmem_cache *cachep, const struct mmbox_slab_walker *w,
			  void *arg)
{
	int cpu;

	lockdep_assert_held(&cachep->box->slab.mutex);
	for_each_possible_cpu(cpu) {
		const struct mmbox_array_cache *ac = per_cpu_ptr(cachep->cpu_cache, cpu);

		show_cpu_array(cachep, cpu, mmbox_glance(ac->busy) == cachep->slab.idle, w, arg);
	}
}

/* ---- slabinfo ---- */

/**
 * mmbox_slab_get_slabinfo() - what slabinfo shows of a cache
 * @cachep: the cache
 * @sinfo: where it goes
 *
 * Objects in arrays count as active, as in the kernel. ops->get_slabinfo
 *
 * Context: any; slab.mutex held so that @cachep stays.
 */
void mmbox_slab_get_slabinfo(struct mmbox_kmem_cache *cachep,
			     struct mmbox_slabinfo *sinfo)
{
	int nid;

	memset(sinfo, 0, sizeof(*sinfo));
	mmbox_for_each_online_node(cachep->box, nid) {
		struct mmbox_kmem_cache_node *n = cachep->slab.node[nid];
		unsigned long flags;

		raw_spin_lock_irqsave(&n->list_lock, flags);
		sinfo->num_slabs += n->total_slabs;
		sinfo->active_slabs += n->total_slabs - n->free_slabs;
		sinfo->active_objs += n->total_slabs * cachep->num - n->free_objects;
		if (n->shared)
			sinfo->shared_avail += n->shared->avail;
		raw_spin_unlock_irqrestore(&n->list_lock, flags);
	}
	sinfo->num_objs = sinfo->num_slabs * cachep->num;
	sinfo->limit = cachep->slab.limit;
	sinfo->batchcount = cachep->slab.batchcount;
	sinfo->shared = cachep->slab.shared;
	sinfo->objects_per_slab = cachep->num;
	sinfo->cache_order = cachep->gfporder;
	sinfo->stats = cachep->slab.stats_on ? &cachep->slab.stats : NULL;
}
