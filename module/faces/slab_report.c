// SPDX-License-Identifier: GPL-2.0
/*
 * Reports about slab objects, in the style of the kernel's own: bad frees, and faults
 * that slab_debug.c has found. A report says what is wrong, who allocated and freed the
 * object, dumps its bytes and those around it, and ends with the current stack. This
 * file decides nothing.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/bitmap.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/printk.h>

#include "faces/report.h"
#include "slab/slab_object.h"

#define MAX_DUMP	256	/* bytes of an object, at most */

static void print_track(const char *what, const struct mmbox_track *track)
{
	unsigned long *entries;
	unsigned int nr, i;

	if (!track->caller)
		return;
	pr_err("%s in %s age=%u ms cpu=%u pid=%d\n", what, mmbox_symbol((void *)track->caller),
	       jiffies_to_msecs(jiffies - track->when), track->cpu, track->pid);
	if (!track->stack)
		return;
	nr = mmbox_stack_depot_fetch(track->stack, &entries);
	for (i = 0; i < nr; i++)
		pr_err("  %s\n", mmbox_symbol((void *)entries[i]));
}

static void print_tracks(const struct mmbox_slab_shadow *shadow, unsigned int idx)
{
	if (!shadow || idx >= shadow->num || !shadow->tracks)
		return;
	print_track("Allocated", &shadow->tracks[idx][MMBOX_TRACK_ALLOC]);
	print_track("Freed", &shadow->tracks[idx][MMBOX_TRACK_FREE]);
}

static void print_bytes(const char *what, const void *from, size_t bytes)
{
	if (bytes)
		print_hex_dump(KERN_ERR, what, DUMP_PREFIX_OFFSET, 16, 1, from, bytes,
			       true);
}

/* Print what is known of an object and its slab. */
static void print_object(struct mmbox_kmem_cache *cachep, const struct mmbox_page *slab,
			 const void *base, unsigned int idx)
{
	const struct mmbox_slab_shadow *shadow = mmbox_slab_shadow(cachep->box, slab);
	const void *slab_addr = __mmbox_page_address(cachep->box, slab);
	const void *objp = base + cachep->obj_offset;
	const void *end = objp + cachep->object_size;

	print_tracks(shadow, idx);
	pr_err("Slab 0x%s objects=%u inuse=%u, cache %s size=%u object_size=%u\n",
	       mmbox_shown(slab_addr), cachep->num,
	       shadow ? bitmap_weight(shadow->used, shadow->num) : 0,
	       cachep->name, cachep->size, cachep->object_size);
	pr_err("Object 0x%s @offset=%td index=%u\n", mmbox_shown(objp),
	       objp - slab_addr, idx);
	print_bytes("mmbox: Before ", base, cachep->obj_offset);
	print_bytes("mmbox: Object ", objp, min_t(size_t, cachep->object_size, MAX_DUMP));
	print_bytes("mmbox: Behind ", end, base + cachep->size - end);
}

static void print_header(const struct mmbox_kmem_cache *cachep, const char *what)
{
	pr_err("=============================================================================\n");
	pr_err("%s: slab error in cache `%s': %s\n", cachep->box->name, cachep->name, what);
	pr_err("-----------------------------------------------------------------------------\n");
}

/**
 * mmbox_slab_report_fault() - count and report that a user overwrote an object
 * @cachep: the cache
 * @base: start of the object's slot
 * @fault: from mmbox_slab_debug_fault()
 *
 * Context: any.
 */
void mmbox_slab_report_fault(struct mmbox_kmem_cache *cachep, const void *base,
			     const struct mmbox_slab_fault *fault)
{
	const void *objp = base + cachep->obj_offset;
	struct mmbox_page *slab;
	unsigned int idx;

	if (!mmbox_report_count(cachep->box, fault->why))
		return;
	slab = mmbox_slab_of_object(cachep, base, &idx);
	print_header(cachep, fault->what);
	pr_err("0x%s-0x%s @offset=%td of the object. First byte 0x%x instead of 0x%x\n",
	       mmbox_shown(fault->from), mmbox_shown(fault->to),
	       (void *)fault->from - objp, *fault->from, fault->want);
	if (slab)
		print_object(cachep, slab, base, idx);
	dump_stack();
	pr_err("%s: cache `%s': restored the overwritten bytes\n", cachep->box->name,
	       cachep->name);
}

/**
 * mmbox_slab_report_freelist() - count and report an overwritten freelist
 * @cachep: the cache
 * @slab: the slab of the freelist, or NULL if it was an array
 *
 * Context: any.
 */
void mmbox_slab_report_freelist(struct mmbox_kmem_cache *cachep,
				const struct mmbox_page *slab)
{
	if (!mmbox_report_count(cachep->box, MMBOX_BAD_FREELIST))
		return;
	print_header(cachep, slab ? "freelist of a slab was overwritten" :
				    "array held an entry that is not a free object");
	if (slab)
		pr_err("Slab 0x%s\n",
		       mmbox_shown(__mmbox_page_address(cachep->box, slab)));
	dump_stack();
	pr_err("%s: cache `%s': rebuilt the freelist\n", cachep->box->name,
	       cachep->name);
}

/**
 * mmbox_slab_report_trace() - log an allocation or a free, for letter T
 * @cachep: the cache
 * @objp: the object, as its user has it
 * @alloc: true for an allocation, false for a free
 *
 * Context: any.
 */
void mmbox_slab_report_trace(struct mmbox_kmem_cache *cachep, const void *objp,
			     bool alloc)
{
	pr_info("%s: TRACE %s %s 0x%s\n", cachep->box->name, cachep->name,
		alloc ? "alloc" : "free", mmbox_shown(objp));
	dump_stack();
}

/**
 * mmbox_slab_report_user() - report who allocated an object
 * @cachep: the cache
 * @objp: an object of it that is in use, as its user has it
 *
 * Logs nothing if that is not known.
 *
 * Context: any.
 */
void mmbox_slab_report_user(const struct mmbox_kmem_cache *cachep, const void *objp)
{
	const struct mmbox_slab_shadow *shadow = NULL;
	struct mmbox_page *slab;
	unsigned int idx;

	if (!mmbox_slab_debugged(cachep))
		return;
	slab = mmbox_slab_of_object(cachep, objp - cachep->obj_offset, &idx);
	rcu_read_lock();
	if (slab)
		shadow = mmbox_slab_shadow(cachep->box, slab);
	if (shadow && shadow->tracks && idx < shadow->num)
		print_track("Allocated", &shadow->tracks[idx][MMBOX_TRACK_ALLOC]);
	rcu_read_unlock();
}

/**
 * mmbox_slab_report_owner() - report who allocated and freed the object at an address
 * @box: the box
 * @addr: any address
 *
 * Logs nothing if @addr is not in a slab of a debugged cache.
 *
 * Context: any.
 */
void mmbox_slab_report_owner(struct mmbox *box, const void *addr)
{
	struct mmbox_kmem_cache *cachep;
	struct mmbox_page *page, *slab;
	u32 id;
	unsigned int idx;

	page = mmbox_virt_to_page(box, addr);
	id = page ? mmbox_glance(page->slab_cache) : 0;
	if (!id)
		return;
	cachep = mmbox_id_to_cache(box, id);
	if (!mmbox_slab_debugged(cachep))
		return;
	rcu_read_lock();
	slab = mmbox_virt_to_slab(cachep, addr);
	idx = mmbox_obj_to_index(cachep, slab, addr);
	if (mmbox_slab_shadow(box, slab) && idx < cachep->num)
		print_object(cachep, slab, mmbox_index_to_obj(cachep, slab, idx), idx);
	rcu_read_unlock();
}

/**
 * mmbox_report_bad_object() - count and tell a refused free of an object
 * @box: the box
 * @why: what is wrong with it
 * @cachep: the cache it was freed to, or NULL for kfree
 * @objp: the address
 *
 * Context: any, no lock of the box held but a list_lock.
 */
void mmbox_report_bad_object(struct mmbox *box, enum mmbox_bad why,
			     const struct mmbox_kmem_cache *cachep, const void *objp)
{
	if (!mmbox_report_count(box, why))
		return;
	pr_err("%s: refused to free %s to %s: %s\n", box->name, mmbox_shown(objp),
	       cachep ? cachep->name : "kfree", mmbox_bad_texts[why]);
	mmbox_slab_report_owner(box, objp);
	dump_stack();
}

/**
 * mmbox_report_cache_in_use() - tell why a cache is not destroyed
 * @cachep: the cache
 * @used: objects in use
 * @objs: the addresses of some of them
 * @nr: of how many
 *
 * Context: process.
 */
void mmbox_report_cache_in_use(const struct mmbox_kmem_cache *cachep, unsigned long used,
			       void **objs, unsigned int nr)
{
	const char *name = cachep->box->name;
	unsigned int i;

	pr_err("%s: cache %s still has %lu objects in use and stays\n", name,
	       cachep->name, used);
	for (i = 0; i < nr && i < used; i++) {
		pr_err("%s: cache %s: in use: %s\n", name, cachep->name,
		       mmbox_shown(objs[i]));
		mmbox_slab_report_user(cachep, objs[i]);
	}
	if (used > nr && nr)
		pr_err("%s: cache %s: in use: %lu more\n", name, cachep->name, used - nr);
}
