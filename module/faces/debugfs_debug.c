// SPDX-License-Identifier: GPL-2.0
/*
 * The files for debugging: `leaks` lists objects that were not freed, `verify` checks
 * the whole box, `whatis` describes an address.
 */
#include <linux/bitmap.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/pfn.h>
#include <linux/seq_file.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "faces/debugfs.h"
#include "slab/slab_object.h"
#include "faces/faces.h"

static void stack_show(struct seq_file *m, depot_stack_handle_t stack)
{
	unsigned long *entries;
	unsigned int nr, i;

	nr = stack ? mmbox_stack_depot_fetch(stack, &entries) : 0;
	for (i = 0; i < nr; i++)
		seq_printf(m, "  %s\n", mmbox_symbol((void *)entries[i]));
}

/* ---- leaks ---- */

#define MAX_LEAKS_BITS	12
#define MAX_LEAKS	BIT(MAX_LEAKS_BITS)

/* Objects of a cache that were allocated from the same place. */
struct leak {
	const struct mmbox_kmem_cache *cachep;	/* NULL: an empty entry */
	depot_stack_handle_t stack;
	unsigned long caller;
	unsigned long nr;
	unsigned long oldest, newest;		/* jiffies */
};

struct leaks {
	unsigned long nr_more;		/* objects for which no entry was left */
	struct leak leak[MAX_LEAKS];	/* hashed, then sorted */
};

static struct leak *find_leak(struct leaks *leaks,
			      const struct mmbox_kmem_cache *cachep,
			      const struct mmbox_track *track)
{
	depot_stack_handle_t stack = READ_ONCE(track->stack);
	unsigned long caller = READ_ONCE(track->caller);
	unsigned long at = hash_long((unsigned long)cachep ^ (stack ?: caller),
				     MAX_LEAKS_BITS);
	unsigned int i;

	for (i = 0; i < MAX_LEAKS; i++) {
		struct leak *leak = &leaks->leak[(at + i) % MAX_LEAKS];

		if (!leak->cachep) {
			leak->cachep = cachep;
			leak->stack = stack;
			leak->caller = caller;
			leak->oldest = track->when;
			leak->newest = track->when;
			return leak;
		}
		if (leak->cachep == cachep && leak->stack == stack &&
		    leak->caller == caller)
			return leak;
	}
	return NULL;
}

static void count_leak(struct leaks *leaks, const struct mmbox_kmem_cache *cachep,
		       const struct mmbox_track *track)
{
	struct leak *leak = find_leak(leaks, cachep, track);

	if (!leak) {
		leaks->nr_more++;
		return;
	}
	leak->nr++;
	if (time_before(track->when, leak->oldest))
		leak->oldest = track->when;
	if (time_after(track->when, leak->newest))
		leak->newest = track->when;
}

/* Count the objects of the slab at @pfn, if that is a slab of a debugged cache. */
static void count_slab(struct leaks *leaks, struct mmbox *box, unsigned long pfn)
{
	static const struct mmbox_track nobody;
	const struct mmbox_slab_shadow *shadow;
	const struct mmbox_kmem_cache *cachep;
	unsigned int i;

	rcu_read_lock();
	shadow = rcu_dereference(box->slab.debug.shadow[pfn]);
	if (!shadow)
		goto unlock;
	cachep = shadow->cachep;
	for_each_set_bit(i, shadow->used, shadow->num)
		if (!test_bit(i, shadow->known))
			count_leak(leaks, cachep, shadow->tracks ?
				   &shadow->tracks[i][MMBOX_TRACK_ALLOC] : &nobody);
unlock:
	rcu_read_unlock();
}

static int more_first(const void *a, const void *b)
{
	const struct leak *left = a, *right = b;

	return (left->nr < right->nr) - (left->nr > right->nr);
}

static void leak_show(struct seq_file *m, const struct leak *leak)
{
	seq_printf(m, "%lu %s, %lu bytes of cache %s", leak->nr,
		   leak->nr == 1 ? "object" : "objects",
		   leak->nr * leak->cachep->size, leak->cachep->name);
	if (leak->caller)
		seq_printf(m, ", by %s, %u to %u ms ago", mmbox_symbol((void *)leak->caller),
			   jiffies_to_msecs(jiffies - leak->newest),
			   jiffies_to_msecs(jiffies - leak->oldest));
	seq_putc(m, '\n');
	stack_show(m, leak->stack);
}

/* Caches are destroyed under slab.mutex, so it keeps the counted ones. */
static void leaks_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	const struct mmbox_slab_debug *d = &box->slab.debug;
	struct leaks *leaks;
	unsigned long pfn;
	unsigned int i;

	if (!d->on) {
		seq_puts(m, "no cache is watched: load with slab_debug=U\n");
		return;
	}
	leaks = mmbox_host_zalloc(&box->host, sizeof(*leaks), "leaks");
	if (!leaks) {
		seq_puts(m, "the host has no memory to count them\n");
		return;
	}
	if (mutex_lock_killable(&box->slab.mutex))
		goto free;
	for (pfn = 0; pfn < d->nr_pfns; pfn++) {
		count_slab(leaks, box, pfn);
		cond_resched();
	}
	sort(leaks->leak, MAX_LEAKS, sizeof(leaks->leak[0]), more_first, NULL);
	for (i = 0; i < MAX_LEAKS && leaks->leak[i].nr; i++)
		leak_show(m, &leaks->leak[i]);
	mutex_unlock(&box->slab.mutex);
	seq_printf(m, "places: %u", i);
	if (leaks->nr_more)
		seq_printf(m, ", and more for %lu objects", leaks->nr_more);
	seq_putc(m, '\n');
free:
	mmbox_host_free(&box->host, leaks, sizeof(*leaks));
}

static int leaks_write(struct mmbox *box, unsigned long id, char *text)
{
	if (strcmp(text, "clear"))
		return -EINVAL;
	mmbox_slab_debug_forget(box);
	return 0;
}

/* ---- verify ---- */

static void verify_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	struct mmbox_verify sums;
	int err = mmbox_verify(box, m, &sums);

	if (err == -ENOMEM)
		seq_puts(m, "the host has no memory for the walk\n");
	if (err)
		return;
	mmbox_show_figures(m, (const struct mmbox_figure[]){
		{ "caches", sums.caches },
		{ "slabs", sums.slabs },
		{ "objects", sums.objects },
		{ "arrays", sums.arrays },
		{ "pages", sums.pages },
		{ "unsettled", sums.unsettled },
		{ "problems", sums.problems },
		{ }
	});
}

/* ---- whatis ---- */

static const char *const page_types[MMBOX_NR_PAGE_TYPES] = {
	[MMBOX_PAGE_TAIL]	= "inside a block",
	[MMBOX_PAGE_RESERVED]	= "reserved",
	[MMBOX_PAGE_BUDDY]	= "free",
	[MMBOX_PAGE_PCP]	= "free, on a CPU's list",
	[MMBOX_PAGE_ALLOCATED]	= "allocated as pages",
	[MMBOX_PAGE_KMALLOC]	= "allocated by kmalloc",
	[MMBOX_PAGE_SLAB]	= "slab",
};

struct stack_search {
	const void *base;		/* start of the object's slot */
	const char *what;		/* first stack that holds it, or NULL */
	int nr;				/* CPU or node of that stack */
};

static void search_stack(void *arg, const struct mmbox_object_stack *stack)
{
	/* Its CPU may be changing it, so this is a snapshot. */
	unsigned int i, avail = min(stack->avail, stack->limit);
	struct stack_search *search = arg;

	for (i = 0; i < avail && !search->what; i++) {
		if (mmbox_glance(stack->entry[i]) != search->base)
			continue;
		search->what = stack->what;
		search->nr = stack->nr;
	}
}

/* Is the object on a stack of free objects? If so, show which one. */
static bool free_stack_show(struct seq_file *m, struct mmbox_kmem_cache *cachep,
			    const void *base)
{
	static const struct mmbox_slab_walker walker = { .stack = search_stack };
	struct stack_search search = { .base = base };

	mmbox_slab_ops(cachep)->peek_cpus(cachep, &walker, &search);
	if (!search.what)
		mmbox_slab_ops(cachep)->walk(cachep, &walker, &search);
	if (search.what)
		seq_printf(m, "state: free, in the %s %d\n", search.what, search.nr);
	return search.what;
}

static void track_show(struct seq_file *m, const char *what,
		       const struct mmbox_track *track)
{
	if (!track->caller)
		return;
	seq_printf(m, "%s: by %s, %u ms ago, cpu %u, pid %d\n", what,
		   mmbox_symbol((void *)track->caller), jiffies_to_msecs(jiffies - track->when),
		   track->cpu, track->pid);
	stack_show(m, track->stack);
}

static void object_show(struct seq_file *m, struct mmbox_kmem_cache *cachep,
			struct mmbox_page *slab, const void *addr)
{
	const struct mmbox_slab_shadow *shadow;
	unsigned int idx = mmbox_obj_to_index(cachep, slab, addr);
	const void *base, *objp;

	if (idx >= cachep->num) {
		seq_puts(m, "object: none, this is outside of its objects\n");
		return;
	}
	base = mmbox_index_to_obj(cachep, slab, idx);
	objp = base + cachep->obj_offset;
	seq_printf(m, "object: 0x%s, index %u of %u, %td bytes from its start, size %u\n",
		   mmbox_shown(objp), idx, cachep->num, addr - objp,
		   cachep->object_size);
	if (mmbox_slab_ops(cachep)->on_freelist(cachep, slab, idx))
		seq_puts(m, "state: free, in its slab\n");
	else if (!free_stack_show(m, cachep, base))
		seq_puts(m, "state: in use\n");

	rcu_read_lock();
	shadow = mmbox_slab_debugged(cachep) ? mmbox_slab_shadow(cachep->box, slab) : NULL;
	if (shadow && shadow->tracks && idx < shadow->num) {
		track_show(m, "allocated", &shadow->tracks[idx][MMBOX_TRACK_ALLOC]);
		track_show(m, "freed", &shadow->tracks[idx][MMBOX_TRACK_FREE]);
	}
	rcu_read_unlock();
}

static void slab_show(struct seq_file *m, struct mmbox *box,
		      const struct mmbox_page *page, const void *addr)
{
	struct mmbox_kmem_cache *cachep;
	struct mmbox_page *slab;

	if (mutex_lock_killable(&box->slab.mutex))
		return;
	list_for_each_entry(cachep, &box->slab.caches, list) {
		if (cachep->id != mmbox_glance(page->slab_cache))
			continue;
		slab = mmbox_virt_to_slab(cachep, addr);
		seq_printf(m, "cache: %s\n", cachep->name);
		seq_printf(m, "slab: 0x%s, %u of %u objects out\n",
			   mmbox_shown(mmbox_slab_address(cachep, slab)),
			   mmbox_glance(slab->active), cachep->num);
		object_show(m, cachep, slab, addr);
		break;
	}
	mutex_unlock(&box->slab.mutex);
}

static void reserved_show(struct seq_file *m, const struct mmbox *box,
			  phys_addr_t phys)
{
	const struct mmbox_memblock_type *reserved = &box->memblock.reserved;
	unsigned int i;

	for (i = 0; i < reserved->cnt; i++) {
		const struct mmbox_memblock_region *r = &reserved->regions[i];

		if (phys - r->base < r->size)
			seq_printf(m, "reserved: %s\n", r->name ?: "Reserved");
	}
}

static void page_show(struct seq_file *m, struct mmbox *box, unsigned long pfn,
		      const void *addr)
{
	const struct mmbox_page *page = mmbox_block_head(box, __mmbox_pfn_to_page(box, pfn));
	const struct mmbox_zone *zone = mmbox_page_zone(box, page);
	enum mmbox_page_type type = mmbox_glance(page->type);

	seq_printf(m, "pfn: %lu, node %d, zone %s\n", pfn, page->node_id, zone->name);
	seq_printf(m, "page: %s, order %u, the first of them is pfn %lu\n",
		   type < MMBOX_NR_PAGE_TYPES ? page_types[type] : "unknown",
		   page->order, __mmbox_page_to_pfn(box, page));
	if (type == MMBOX_PAGE_RESERVED)
		reserved_show(m, box, PFN_PHYS(pfn));
	if (type == MMBOX_PAGE_SLAB)
		slab_show(m, box, __mmbox_pfn_to_page(box, pfn), addr);
}

static void whatis_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	phys_addr_t phys;
	unsigned long addr;

	/* Pairs with smp_store_release() in whatis_write(): the address was stored before. */
	if (!smp_load_acquire(&box->faces.whatis_asked)) {
		seq_puts(m, "write an address, then read what lies there\n");
		return;
	}
	addr = READ_ONCE(box->faces.whatis);
	/* Accept both kinds: box physical addresses are below all kernel addresses. */
	if (mmbox_virt_valid(box, (void *)addr))
		phys = mmbox_virt_to_phys(box, (void *)addr);
	else
		phys = addr;
	if (phys == addr)
		seq_printf(m, "address: 0x%lx\n", addr);
	else
		seq_printf(m, "address: 0x%s\n", mmbox_shown((void *)addr));
	if (!mmbox_pfn_valid(box, PHYS_PFN(phys))) {
		seq_puts(m, "page: none, this is not in the box\n");
		return;
	}
	seq_printf(m, "physical: 0x%llx\n", (unsigned long long)phys);
	page_show(m, box, PHYS_PFN(phys), mmbox_phys_to_virt(box, phys));
}

static int whatis_write(struct mmbox *box, unsigned long id, char *text)
{
	unsigned long addr;
	int err = kstrtoul(text, 16, &addr);

	if (err)
		return err;
	WRITE_ONCE(box->faces.whatis, addr);
	/* Pairs with whatis_show(): whoever sees this sees an address. */
	smp_store_release(&box->faces.whatis_asked, true);
	return 0;
}

const struct mmbox_face mmbox_debug_faces[] = {
	{ .name = "leaks", .show = leaks_show, .write = leaks_write },
	{ .name = "verify", .show = verify_show },
	{ .name = "whatis", .show = whatis_show, .write = whatis_write },
	{}
};
MMBOX_EXPORT_INTERNAL(mmbox_debug_faces);
