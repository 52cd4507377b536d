// SPDX-License-Identifier: GPL-2.0
/*
 * Check that a box is consistent: walk over all caches, slabs, arrays and pages, under
 * the locks that protect them, while the box is in use.
 *
 * Free objects are checked where nobody can allocate them meanwhile: those on freelists
 * and in shared arrays under list_lock, those in a CPU's array on that CPU with the
 * array marked busy.
 */
#include <linux/bitmap.h>
#include <linux/cpu.h>
#include <linux/hash.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/seq_file.h>

#include "faces/faces.h"
#include "pages/buddy.h"
#include "slab/slab_object.h"

#define WALKS		4	/* most walks over a zone or node that keeps changing */

struct walk {
	struct seq_file *m;		/* where problems go, or NULL */
	struct mmbox_verify *sums;
	struct mmbox_kmem_cache *cachep;
	unsigned long *seen;		/* bits: indices on a freelist */
	const struct mmbox_page *slab;	/* the slab whose freelist is walked */
	unsigned long slabs, free_slabs, free_objects;	/* found on the lists of a node */
	unsigned long unsettled;	/* nodes of the cache that changed during the walk */
	raw_spinlock_t lock;		/* @m and @sums, which all CPUs use for their arrays */
	unsigned int longest;		/* limit of any array of the cache */
	raw_spinlock_t table_lock;	/* @table, of the same CPUs */
	const void **table;		/* hash table: entries of one array */
	unsigned long table_size;	/* entries of @table, a power of two */
};

static __printf(2, 3) void problem(struct walk *w, const char *fmt, ...)
{
	unsigned long flags;
	va_list args;

	raw_spin_lock_irqsave(&w->lock, flags);
	w->sums->problems++;
	if (w->m) {
		seq_puts(w->m, "problem: ");
		if (w->cachep)
			seq_printf(w->m, "cache %s: ", w->cachep->name);
		va_start(args, fmt);
		seq_vprintf(w->m, fmt, args);
		va_end(args);
		seq_putc(w->m, '\n');
	}
	raw_spin_unlock_irqrestore(&w->lock, flags);
}

static void count_array(struct walk *w)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&w->lock, flags);
	w->sums->arrays++;
	raw_spin_unlock_irqrestore(&w->lock, flags);
}

static unsigned long phys_of(const struct walk *w, const void *addr)
{
	return mmbox_virt_to_phys(w->cachep->box, addr);
}

/* ---- objects ---- */

static void check_free_object(struct walk *w, const struct mmbox_page *slab,
			      const void *base, unsigned int idx)
{
	struct mmbox_slab_fault fault;

	if (!mmbox_slab_debugged(w->cachep)) {
		if (mmbox_obj_in_use(w->cachep, slab, base, idx))
			problem(w, "free object at %#lx is not marked free", phys_of(w, base));
	} else if (mmbox_slab_debug_fault(w->cachep, base, MMBOX_OBJECT_FREE, &fault)) {
		problem(w, "free object at %#lx: %s", phys_of(w, base), fault.what);
	}
}

/* The object's user may be freeing it at this moment. */
static void check_used_object(struct walk *w, const void *base)
{
	struct mmbox_slab_fault fault;

	if (mmbox_slab_debug_fault(w->cachep, base, MMBOX_OBJECT_EITHER, &fault))
		problem(w, "object at %#lx: %s", phys_of(w, base), fault.what);
}

/* ---- arrays ---- */

static void note_limit(void *arg, const struct mmbox_object_stack *stack)
{
	struct walk *w = arg;

	w->longest = max(w->longest, stack->limit);
}

/* A table in which each array of the cache fills half at most. They keep their limits. */
static int make_table(struct walk *w)
{
	static const struct mmbox_slab_walker walker = { .stack = note_limit };
	struct mmbox_host *host = &w->cachep->box->host;
	unsigned long size;

	lockdep_assert_held(&w->cachep->box->slab.mutex);
	w->longest = 1;
	mmbox_slab_ops(w->cachep)->walk(w->cachep, &walker, w);
	mmbox_slab_ops(w->cachep)->peek_cpus(w->cachep, &walker, w);
	size = roundup_pow_of_two(2UL * w->longest);
	if (size <= w->table_size)
		return 0;
	mmbox_host_free(host, w->table, w->table_size * sizeof(*w->table));
	w->table_size = 0;
	w->table = mmbox_host_zalloc(host, size * sizeof(*w->table), "verify");
	if (!w->table)
		return -ENOMEM;
	w->table_size = size;
	return 0;
}

/*
 * Interrupts are off, and a shared array may have half a million entries: each is looked
 * up among those before it, in a hash table with linear probing.
 */
static void check_twice(struct walk *w, const struct mmbox_object_stack *stack)
{
	unsigned int i, bits = ilog2(roundup_pow_of_two(2UL * stack->avail));
	unsigned long flags, slot;

	raw_spin_lock_irqsave(&w->table_lock, flags);
	memset(w->table, 0, sizeof(*w->table) << bits);
	for (i = 0; i < stack->avail; i++) {
		const void *base = stack->entry[i];

		if (!base)
			continue;
		slot = hash_ptr(base, bits);
		while (w->table[slot] && w->table[slot] != base)
			slot = (slot + 1) & ((1UL << bits) - 1);
		if (w->table[slot])
			problem(w, "%s %d holds the object at %#lx twice", stack->what,
				stack->nr, phys_of(w, base));
		w->table[slot] = base;
	}
	raw_spin_unlock_irqrestore(&w->table_lock, flags);
}

/* A stack must hold free objects of this cache, each at most once. */
static void check_stack(void *arg, const struct mmbox_object_stack *stack)
{
	struct walk *w = arg;
	const struct mmbox_kmem_cache *cachep = w->cachep;
	const char *what = stack->what;
	unsigned int i, idx;
	int nr = stack->nr;

	if (!stack->limit)
		return;
	count_array(w);
	if (stack->avail > stack->limit || stack->limit > w->longest) {
		problem(w, "%s %d has %u objects, but room for %u", what, nr, stack->avail,
			min(stack->limit, w->longest));
		return;
	}
	if (stack->avail > 1)
		check_twice(w, stack);
	for (i = 0; i < stack->avail; i++) {
		const struct mmbox_slab_shadow *shadow;
		const void *base = stack->entry[i];
		struct mmbox_page *slab;

		slab = mmbox_slab_of_object(cachep, base, &idx);
		if (!slab) {
			problem(w, "%s %d holds %#lx, which is no object of the cache", what,
				nr, phys_of(w, base));
			continue;
		}
		if (!mmbox_slab_debugged(cachep)) {
			check_free_object(w, slab, base, idx);
			continue;
		}
		shadow = mmbox_slab_shadow(cachep->box, slab);
		if (test_bit(idx, shadow->used) || !test_bit(idx, shadow->out))
			problem(w, "%s %d holds the object at %#lx, which is %s", what, nr,
				phys_of(w, base), test_bit(idx, shadow->used) ?
				"in use" : "on its slab's freelist");
		else
			check_free_object(w, slab, base, idx);
	}
}

/* ---- slabs: under list_lock ---- */

/* An index on a freelist must be in range and occur once. */
static void check_index(void *arg, unsigned int pos, unsigned int idx)
{
	struct walk *w = arg;
	const struct mmbox_kmem_cache *cachep = w->cachep;
	unsigned long pfn = __mmbox_page_to_pfn(cachep->box, w->slab);
	const struct mmbox_slab_shadow *shadow;

	if (idx >= cachep->num || __test_and_set_bit(idx, w->seen)) {
		problem(w, "slab at pfn %#lx: index %u of its freelist is %u", pfn, pos, idx);
		return;
	}
	if (!mmbox_slab_debugged(cachep)) {
		check_free_object(w, w->slab, mmbox_index_to_obj(cachep, w->slab, idx), idx);
		return;
	}
	shadow = mmbox_slab_shadow(cachep->box, w->slab);
	if (shadow && (test_bit(idx, shadow->out) || test_bit(idx, shadow->used)))
		problem(w, "slab at pfn %#lx: object %u is on its freelist, but out", pfn, idx);
}

/* Collects the indices in w->seen. */
static void check_freelist(struct walk *w, const struct mmbox_page *slab)
{
	bitmap_zero(w->seen, w->cachep->num);
	w->slab = slab;
	mmbox_slab_ops(w->cachep)->walk_freelist(w->cachep, slab, check_index, w);
}

static void check_objects(struct walk *w, const struct mmbox_page *slab)
{
	const struct mmbox_kmem_cache *cachep = w->cachep;
	struct mmbox_slab_shadow *shadow = mmbox_slab_shadow(cachep->box, slab);
	unsigned int i;

	for (i = 0; i < cachep->num; i++) {
		const void *base = mmbox_index_to_obj(cachep, slab, i);

		if (test_bit(i, shadow->used))
			check_used_object(w, base);
		else if (test_bit(i, w->seen) &&
			 !mmbox_slab_ops(cachep)->holds_freelist(cachep, slab, i))
			check_free_object(w, slab, base, i);
	}
}

/* A slab must belong to the cache, with as many objects in use as its list allows. */
static bool check_slab(void *arg, struct mmbox_page *slab, const struct mmbox_slab_list *list)
{
	struct walk *w = arg;
	const struct mmbox_kmem_cache *cachep = w->cachep;
	unsigned long pfn = __mmbox_page_to_pfn(cachep->box, slab);

	if (pfn >= cachep->box->memmap.max_pfn) {
		problem(w, "%s leads out of the box", list->name);
		return false;
	}
	if (slab->type != MMBOX_PAGE_SLAB || slab->order != cachep->gfporder ||
	    slab->slab_cache != cachep->id) {
		problem(w, "%s has pfn %#lx, which is no slab of the cache", list->name, pfn);
		return false;
	}
	if (slab->active < list->min || slab->active > list->max) {
		problem(w, "slab at pfn %#lx on %s has %u of %u objects out", pfn, list->name,
			slab->active, cachep->num);
		return false;
	}
	check_freelist(w, slab);
	if (mmbox_slab_debugged(cachep))
		check_objects(w, slab);
	w->sums->slabs++;
	w->sums->objects += cachep->num;
	w->slabs++;
	w->free_slabs += !list->max;
	w->free_objects += cachep->num - slab->active;
	return true;
}

/* Compare the counters of a node with its lists, unless these changed meanwhile. */
static void check_node_counts(void *arg, const struct mmbox_node_counts *counts)
{
	struct walk *w = arg;

	if (counts->changed) {
		w->unsettled++;
		goto reset;
	}
	if (counts->free_slabs != w->free_slabs || counts->total_slabs != w->slabs)
		problem(w, "node %d says %lu slabs, %lu of them free, but has %lu and %lu",
			counts->nid, counts->total_slabs, counts->free_slabs, w->slabs,
			w->free_slabs);
	if (counts->free_objects != w->free_objects)
		problem(w, "node %d says %lu free objects, but has %lu", counts->nid,
			counts->free_objects, w->free_objects);
reset:
	w->slabs = 0;
	w->free_slabs = 0;
	w->free_objects = 0;
}

static const struct mmbox_slab_walker slab_walker = {
	.slab = check_slab,
	.node = check_node_counts,
	.stack = check_stack,
};

/* Check slabs, nodes, and arrays of nodes. Repeat if a node changed meanwhile. */
static void check_nodes(struct walk *w)
{
	const struct mmbox_verify before = *w->sums;
	unsigned int walks;

	for (walks = 0; walks < WALKS; walks++) {
		/* Count everything once, not once per walk. */
		w->sums->slabs = before.slabs;
		w->sums->objects = before.objects;
		w->sums->arrays = before.arrays;
		w->unsettled = 0;
		mmbox_slab_ops(w->cachep)->walk(w->cachep, &slab_walker, w);
		if (!w->unsettled || w->sums->problems != before.problems)
			break;
	}
	w->sums->unsettled += w->unsettled;
}

/* Returns 0, or -EINTR if the task was killed while it waited. */
static int check_caches(struct walk *w, struct mmbox *box)
{
	struct mmbox_kmem_cache *cachep;
	int err = 0;

	/* A CPU that comes or goes waits for slab.mutex anyway. */
	cpus_read_lock();
	if (mutex_lock_killable(&box->slab.mutex)) {
		cpus_read_unlock();
		return -EINTR;
	}
	list_for_each_entry(cachep, &box->slab.caches, list) {
		w->cachep = cachep;
		err = make_table(w);
		if (err)
			break;
		w->sums->caches++;
		check_nodes(w);
		box->slab.ops->walk_cpus(cachep, &slab_walker, w);
		cond_resched();
	}
	w->cachep = NULL;
	mutex_unlock(&box->slab.mutex);
	cpus_read_unlock();
	mmbox_host_free(&box->host, w->table, w->table_size * sizeof(*w->table));
	return err;
}

/*
 * ---- pages ----
 *
 * A zone is walked in stretches, each as large as a block of the highest order, which no
 * other block crosses. The zone is held for one stretch at a time: no block in it is split
 * or merged meanwhile, so what this says of blocks is exact while the box is in use.
 *
 * The zone's counters are compared with what the walk found only if no block became free
 * or was taken from the first stretch to the last. After WALKS walks in vain the zone
 * counts as unsettled, and its counters are not judged.
 */

/* A block must begin at @pfn, and its other pages must be tails. */
static bool check_block(struct walk *w, struct mmbox *box, unsigned long pfn)
{
	const struct mmbox_page *page = __mmbox_pfn_to_page(box, pfn);
	/* Read it once: the type of a block in use may change. */
	const u16 type_order = mmbox_glance(page->type_order);
	unsigned int type = type_order & 0xff, order = type_order >> 8, i;
	u32 id;

	if (type == MMBOX_PAGE_TAIL || type >= MMBOX_NR_PAGE_TYPES ||
	    order >= box->pages.max_order || !IS_ALIGNED(pfn, 1UL << order)) {
		problem(w, "pfn %#lx: no block can begin here (type %u, order %u)", pfn,
			type, order);
		return false;
	}
	for (i = 1; i < 1U << order; i++)
		if (page[i].type != MMBOX_PAGE_TAIL)
			problem(w, "pfn %#lx, inside the block of pfn %#lx, has type %u",
				pfn + i, pfn, page[i].type);
	id = READ_ONCE(page->slab_cache);
	smp_rmb();	/* the type of a slab is set before slab_cache and cleared after it */
	if (id && mmbox_glance(page->type) != MMBOX_PAGE_SLAB && READ_ONCE(page->slab_cache) == id)
		problem(w, "pfn %#lx names a cache, but is no slab", pfn);
	return true;
}

/* The page if it belongs to @zone, or NULL. The spans of zones may overlap. */
static const struct mmbox_page *zone_page(struct walk *w, struct mmbox *box,
					  const struct mmbox_zone *zone, unsigned long pfn)
{
	const struct mmbox_page *page = mmbox_pfn_to_online_page(box, pfn);
	const struct mmbox_zone *other;

	/* A hole, an offline page, or one of another node: nodes may interleave. */
	if (!page || page->node_id != zone->zone_pgdat->node_id)
		return NULL;
	other = mmbox_page_zone(box, page);
	if (other == zone)
		return page;
	if (!other || pfn - READ_ONCE(other->zone_start_pfn) >= READ_ONCE(other->spanned_pages))
		problem(w, "pfn %#lx says that it is of another zone", pfn);
	return NULL;
}

/* Free blocks that a walk over a zone found, and the zone's own counters. */
struct free_sums {
	unsigned long pages;		/* of pageblocks that are not isolated */
	unsigned long blocks[MMBOX_MAX_ORDERS];
	unsigned long said_pages;	/* the zone's counters */
	unsigned long said_blocks[MMBOX_MAX_ORDERS];
};

/* Pages [pfn, end), which are checked while their zone is held. */
struct stretch {
	struct walk *w;
	struct free_sums *sums;
	unsigned long pfn;
	unsigned long end;
	bool broken;			/* result: corrupted, the walk cannot go on */
};

static void note_counts(const struct mmbox_zone *zone, struct free_sums *sums)
{
	unsigned int order;

	sums->said_pages = mmbox_nr_free_pages(zone);
	for (order = 0; order < zone->box->pages.max_order; order++)
		sums->said_blocks[order] = zone->free_area[order].nr_free;
}

static void check_stretch(struct mmbox_zone *zone, void *arg)
{
	struct stretch *stretch = arg;
	struct free_sums *sums = stretch->sums;
	struct walk *w = stretch->w;
	unsigned long pfn = stretch->pfn;

	note_counts(zone, sums);
	while (pfn < stretch->end) {
		const struct mmbox_page *page = zone_page(w, zone->box, zone, pfn);

		if (!page) {
			pfn++;
			continue;
		}
		if (!check_block(w, zone->box, pfn)) {
			stretch->broken = true;
			return;
		}
		if (page->type == MMBOX_PAGE_BUDDY) {
			sums->blocks[page->order]++;
			if (mmbox_pageblock_type(zone->box, pfn) != MMBOX_MIGRATE_ISOLATE)
				sums->pages += 1UL << page->order;
		}
		w->sums->pages += 1UL << page->order;
		pfn += 1UL << page->order;
	}
	w->sums->longest = max(w->sums->longest, pfn - stretch->pfn);
}

/* Compare a zone's counters with the walk. The zone did not change during it. */
static void check_counts(struct walk *w, const struct mmbox_zone *zone,
			 const struct free_sums *sums)
{
	unsigned int order;

	for (order = 0; order < zone->box->pages.max_order; order++)
		if (sums->blocks[order] != sums->said_blocks[order])
			problem(w, "zone %s says %lu free blocks of order %u, but has %lu",
				zone->name, sums->said_blocks[order], order,
				sums->blocks[order]);
	if (sums->pages != sums->said_pages)
		problem(w, "zone %s says %lu free pages, but has %lu", zone->name,
			sums->said_pages, sums->pages);
}

/* One walk over a watched zone. False if its counts could not be compared. */
static bool walk_zone(struct walk *w, struct mmbox *box, struct mmbox_zone *zone)
{
	const unsigned long longest = 1UL << (box->pages.max_order - 1);
	unsigned long pfn = zone->zone_start_pfn, end = pfn + zone->spanned_pages;
	unsigned long changes = 0, now;
	struct free_sums sums = {};
	struct stretch stretch = { .w = w, .sums = &sums };
	bool first = true, same = true;

	for (; pfn < end; pfn = stretch.end) {
		stretch.pfn = pfn;
		stretch.end = min(ALIGN(pfn + 1, longest), end);
		now = mmbox_buddy_hold(zone, check_stretch, &stretch);
		if (first)
			changes = now;
		first = false;
		same = same && now == changes;
		/* Corruption was reported already; the counts cannot match. */
		if (stretch.broken)
			return true;
		cond_resched();
	}
	if (same)
		check_counts(w, zone, &sums);
	return same;
}

/* memory_lock is held, so no section comes or goes. */
static void check_zone(struct walk *w, struct mmbox *box, struct mmbox_zone *zone)
{
	unsigned long pages = w->sums->pages, problems = w->sums->problems;
	unsigned int walks;
	bool settled;

	lockdep_assert_held(&box->pages.memory_lock);
	if (!zone->spanned_pages)
		return;
	mmbox_buddy_watch(zone);
	for (walks = 0; walks < WALKS; walks++) {
		/* Count each page once, not once per walk. */
		w->sums->pages = pages;
		settled = walk_zone(w, box, zone);
		if (settled || w->sums->problems != problems)
			break;
	}
	mmbox_buddy_unwatch(zone);
	w->sums->unsettled += !settled;
}

/* Returns 0, or -EINTR if the task was killed while it waited. */
static int check_zones(struct walk *w, struct mmbox *box)
{
	struct mmbox_zone *zone;

	if (mutex_lock_killable(&box->pages.memory_lock))
		return -EINTR;
	mmbox_for_each_zone(box, zone)
		check_zone(w, box, zone);
	mutex_unlock(&box->pages.memory_lock);
	return 0;
}

/**
 * mmbox_verify() - check that a box is consistent
 * @box: the box; it may be in use
 * @m: gets a line for each problem; or NULL
 * @sums: number of things checked, and of problems
 *
 * Checks blocks, slabs and arrays under their locks. The counters of a zone or node that
 * keeps changing are not compared, see @sums->unsettled.
 *
 * Context: process, may sleep; cpus_read_lock(), memory_lock and slab.mutex not held.
 * Return: 0; -ENOMEM if the host has no memory for the walk; -EINTR if the task was
 * killed while it waited for a lock.
 */
int mmbox_verify(struct mmbox *box, struct seq_file *m, struct mmbox_verify *sums)
{
	const size_t bytes = BITS_TO_LONGS(U16_MAX + 1) * sizeof(long);
	struct walk w = { .m = m, .sums = sums };
	int err = 0;

	memset(sums, 0, sizeof(*sums));
	raw_spin_lock_init(&w.lock);
	raw_spin_lock_init(&w.table_lock);
	w.seen = mmbox_host_zalloc(&box->host, bytes, "verify");
	if (!w.seen)
		return -ENOMEM;
	if (!box->cfg.pages_only)
		err = check_caches(&w, box);
	if (!err)
		err = check_zones(&w, box);
	mmbox_host_free(&box->host, w.seen, bytes);
	return err;
}
MMBOX_EXPORT_INTERNAL(mmbox_verify);
