// SPDX-License-Identifier: GPL-2.0
/*
 * Debugging of slab caches: red zones, poison, who allocated and freed.
 *
 * slab_debug= says which caches are debugged and how, as for SLUB. A debugged cache is
 * diverted from the fast paths, which need no code for debugging. Each allocation and
 * each free comes through this file. Objects have the layout of CONFIG_DEBUG_SLAB of
 * Linux 6.1:
 *
 *	| red zone, 8 bytes | object | red zone, 8 bytes | last user, 8 bytes |
 *
 * Red zones and last user are there only if they are asked for, and as in 6.1: the
 * alignment is that of a word, and an object of a page or more does not grow to the
 * next power of two. Without a red zone, the padding behind an object is checked.
 *
 * The shadow of a slab says which objects are in use, and who has allocated and freed
 * them. It is in host memory, so users of the box cannot overwrite it, and a freelist
 * that was overwritten can be written anew from it.
 *
 * This file finds and mends, slab_freelist.c does the same for freelists, and
 * faces/slab_report.c tells.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/bitmap.h>
#include <linux/ctype.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/poison.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "slab/slab_object.h"

#define RED_ZONE_SIZE	sizeof(u64)
#define USER_SIZE	sizeof(u64)
#define PAD_BYTE	SLUB_RED_ACTIVE	/* padding between an object and its red zone */
#define STACK_DEPTH	16

/* ---- slab_debug= ---- */

/* A block of slab_debug=: letters, and possibly the caches that they are for. */
struct block {
	u8 letters;
	const char *names, *names_end;	/* separated by commas, or NULL */
};

static u8 letter_to_flag(char c)
{
	switch (tolower(c)) {
	case 'f': return MMBOX_DEBUG_CHECKS;
	case 'z': return MMBOX_DEBUG_RED_ZONE;
	case 'p': return MMBOX_DEBUG_POISON;
	case 'u': return MMBOX_DEBUG_USER;
	case 't': return MMBOX_DEBUG_TRACE;
	default: return 0;
	}
}

static const char *skip_blocks(const char *text)
{
	return text + strspn(text, ";");
}

/* Parse the block at @text. Returns the text behind it, or NULL if it is bad. */
static const char *next_block(const char *text, struct block *block)
{
	const char *p, *end;

	/* As in SLUB, empty blocks are skipped. */
	p = skip_blocks(text);
	end = strchrnul(p, ';');
	/* A block of caches without letters means all of the default letters. */
	block->letters = *p == ',' ? MMBOX_DEBUG_DEFAULT : 0;
	for (; p < end && *p != ','; p++) {
		if (*p == '-')
			block->letters = 0;
		else if (letter_to_flag(*p))
			block->letters |= letter_to_flag(*p);
		else
			return NULL;
	}
	block->names = p < end ? p + 1 : NULL;
	block->names_end = end;
	return skip_blocks(end);
}

/* Does @name match a pattern: a name, or the beginning of one and an asterisk? */
static bool name_matches(const char *pattern, size_t len, const char *name)
{
	const char *star = memchr(pattern, '*', len);

	if (star)
		return !strncmp(name, pattern, star - pattern);
	return strlen(name) == len && !strncmp(name, pattern, len);
}

static bool block_names(const struct block *block, const char *name)
{
	const char *p, *comma;

	for (p = block->names; p <= block->names_end; p = comma + 1) {
		comma = memchr(p, ',', block->names_end - p) ?: block->names_end;
		if (name_matches(p, comma - p, name))
			return true;
	}
	return false;
}

/* The letters for a cache: those of a block that names it, else of the last block for all. */
static u8 letters_of(const char *text, const char *name)
{
	struct block block;
	u8 letters = 0;

	if (!*text)
		return MMBOX_DEBUG_DEFAULT;
	while (*text) {
		text = next_block(text, &block);
		if (!text)
			return 0;
		if (!block.names)
			letters = block.letters;
		else if (block_names(&block, name))
			return block.letters;
	}
	return letters;
}

/**
 * mmbox_slab_debug_check() - does slab_debug= make sense?
 * @cfg: what is asked for
 *
 * If not, one line in the log says so.
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int mmbox_slab_debug_check(const struct mmbox_config *cfg)
{
	const char *p = cfg->slab_debug;
	struct block block;

	/* As in SLUB, an empty text means everything. Empty blocks alone are a mistake. */
	if (strlen(p) >= MMBOX_SLAB_DEBUG_LEN || (*p && !*skip_blocks(p)))
		p = NULL;
	while (p && *p)
		p = next_block(p, &block);
	if (p)
		return 0;
	return mmbox_bad_param(cfg, MMBOX_PARAM_slab_debug,
			       "must be letters out of FZPUT, or -, then possibly caches, separated by commas; blocks of these by semicolons; less than %d characters",
			       MMBOX_SLAB_DEBUG_LEN);
}

/* Does slab_debug= turn on any of these letters for any cache? */
static bool any_letter(const char *text, u8 letter)
{
	struct block block;
	bool any = !*text;

	while (*text && !any) {
		text = next_block(text, &block);
		any = block.letters & letter;
	}
	return any;
}

/**
 * mmbox_slab_debug_init() - make ready for debugged caches, if there may be any
 * @box: the box; its address range is known, and it has no cache yet
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int mmbox_slab_debug_init(struct mmbox *box)
{
	struct mmbox_slab_debug *d = &box->slab.debug;

	if (!any_letter(d->text, U8_MAX))
		return 0;
	d->nr_pfns = box->memmap.max_pfn;
	d->shadow = mmbox_host_zalloc(&box->host, d->nr_pfns * sizeof(*d->shadow),
				      "slab_debug=");
	if (!d->shadow) {
		pr_err("%s: the host has no memory for slab_debug=\n", box->name);
		return -ENOMEM;
	}
	d->on = true;
	if (!any_letter(d->text, MMBOX_DEBUG_USER))
		return 0;
	d->depot = mmbox_host_stacks_init(&box->host);
	if (!d->depot)
		pr_warn("%s: goes without the host's stack depot: slab_debug= keeps the caller of an allocation or free, not its stack\n",
			box->name);
	return 0;
}

static void free_shadow(struct mmbox *box, struct mmbox_slab_shadow *shadow)
{
	atomic_long_sub(shadow->bytes, &box->host.bytes);
	kfree_rcu(shadow, rcu);
}

/**
 * mmbox_slab_debug_exit() - give back what mmbox_slab_debug_init() took
 * @box: the box; nobody uses it any more, nor do slabs wait for RCU
 *
 * Context: process, may sleep.
 */
void mmbox_slab_debug_exit(struct mmbox *box)
{
	struct mmbox_slab_debug *d = &box->slab.debug;
	unsigned long pfn;

	if (!d->on)
		return;
	for (pfn = 0; pfn < d->nr_pfns; pfn++) {
		struct mmbox_slab_shadow *shadow;

		shadow = rcu_dereference_protected(d->shadow[pfn], true);
		if (shadow)
			free_shadow(box, shadow);
	}
	mmbox_host_free(&box->host, d->shadow, d->nr_pfns * sizeof(*d->shadow));
	d->on = false;
}

/**
 * mmbox_slab_debug_letters() - how slab_debug= wants a cache debugged
 * @box: the box
 * @name: the cache's name
 *
 * Context: any.
 * Return: MMBOX_DEBUG_*, 0 for nothing.
 */
u8 mmbox_slab_debug_letters(const struct mmbox *box, const char *name)
{
	return box->slab.debug.on ? letters_of(box->slab.debug.text, name) : 0;
}

static u8 flags_to_letters(slab_flags_t flags)
{
	return (flags & SLAB_CONSISTENCY_CHECKS ? MMBOX_DEBUG_CHECKS : 0) |
	       (flags & SLAB_RED_ZONE ? MMBOX_DEBUG_RED_ZONE : 0) |
	       (flags & SLAB_POISON ? MMBOX_DEBUG_POISON : 0) |
	       (flags & SLAB_STORE_USER ? MMBOX_DEBUG_USER : 0) |
	       (flags & SLAB_TRACE ? MMBOX_DEBUG_TRACE : 0);
}

/**
 * mmbox_slab_debug_cache() - decide how a new cache is debugged
 * @cachep: the cache; name, object_size, align and flags are set, the layout
 *	is not yet
 *
 * Sets @cachep->debug, and of its flags those that the layout depends on. The
 * conditions are those of __kmem_cache_create(), mm/slab.c, Linux 6.1.
 *
 * Context: process, slab.mutex held.
 */
void mmbox_slab_debug_cache(struct mmbox_kmem_cache *cachep)
{
	const unsigned int last = cachep->object_size - 1;
	u8 letters = mmbox_slab_debug_letters(cachep->box, cachep->name);

	lockdep_assert_held(&cachep->box->slab.mutex);
	letters |= flags_to_letters(cachep->flags);
	cachep->flags &= ~MMBOX_SLAB_DEBUG_FLAGS;
	if (cachep->flags & SLAB_TYPESAFE_BY_RCU)
		letters &= ~MMBOX_DEBUG_POISON;
	cachep->debug = letters;

	if (letters & MMBOX_DEBUG_CHECKS)
		cachep->flags |= SLAB_CONSISTENCY_CHECKS;
	if (letters & MMBOX_DEBUG_POISON)
		cachep->flags |= SLAB_POISON;
	if (letters & MMBOX_DEBUG_TRACE)
		cachep->flags |= SLAB_TRACE;
	if (cachep->align > __alignof__(u64))
		return;
	if (last >= PAGE_SIZE - 1 &&
	    fls(last) != fls(last + 2 * RED_ZONE_SIZE + USER_SIZE))
		return;
	if (letters & MMBOX_DEBUG_RED_ZONE)
		cachep->flags |= SLAB_RED_ZONE;
	if (letters & MMBOX_DEBUG_USER)
		cachep->flags |= SLAB_STORE_USER;
}

/* ---- an object and what is around it ---- */

static u64 *red_zone_before(const struct mmbox_kmem_cache *cachep, const void *base)
{
	return (u64 *)(base + cachep->obj_offset) - 1;
}

static u64 *user_word(const struct mmbox_kmem_cache *cachep, const void *base)
{
	return (u64 *)(base + cachep->size - USER_SIZE);
}

/* The end of the padding behind an object. */
static void *pad_end(const struct mmbox_kmem_cache *cachep, const void *base)
{
	void *end = (void *)base + cachep->size;

	if (cachep->flags & SLAB_STORE_USER)
		end -= USER_SIZE;
	if (cachep->flags & SLAB_RED_ZONE)
		end -= RED_ZONE_SIZE;
	return end;
}

static u64 *red_zone_behind(const struct mmbox_kmem_cache *cachep, const void *base)
{
	return pad_end(cachep, base);
}

static void fill_red_zones(const struct mmbox_kmem_cache *cachep, void *base,
			   bool used)
{
	void *end = base + cachep->obj_offset + cachep->object_size;

	if (cachep->debug & MMBOX_DEBUG_RED_ZONE)
		memset(end, PAD_BYTE, pad_end(cachep, base) - end);
	if (cachep->flags & SLAB_RED_ZONE) {
		*red_zone_before(cachep, base) = used ? RED_ACTIVE : RED_INACTIVE;
		*red_zone_behind(cachep, base) = used ? RED_ACTIVE : RED_INACTIVE;
	}
}

static void fill_poison(const struct mmbox_kmem_cache *cachep, void *base, u8 byte)
{
	u8 *objp = base + cachep->obj_offset;

	if (!(cachep->flags & SLAB_POISON))
		return;
	memset(objp, byte, cachep->object_size);
	objp[cachep->object_size - 1] = POISON_END;
}

/**
 * mmbox_slab_debug_poison() - poison an object that held the freelist of its slab
 * @cachep: a debugged cache
 * @base: where the object begins, its red zone included
 *
 * Context: any; nobody else has the object.
 */
void mmbox_slab_debug_poison(const struct mmbox_kmem_cache *cachep, void *base)
{
	fill_poison(cachep, base, POISON_FREE);
}

/* Are all of @bytes at @from @want? If not, @fault says which are not. */
static bool bytes_are(const void *from, size_t bytes, u8 want,
		      struct mmbox_slab_fault *fault)
{
	const u8 *end = from + bytes;

	fault->from = memchr_inv(from, want, bytes);
	if (!fault->from)
		return true;
	while (end[-1] == want)
		end--;
	fault->to = end - 1;
	fault->want = want;
	return false;
}

static bool red_zone_is(const u64 *red_zone, enum mmbox_object_state state,
			struct mmbox_slab_fault *fault)
{
	const u64 want = state == MMBOX_OBJECT_FREE ? RED_INACTIVE : RED_ACTIVE;
	u64 is = READ_ONCE(*red_zone), differs = is ^ want;

	if (!differs || (state == MMBOX_OBJECT_EITHER && is == RED_INACTIVE))
		return true;
	fault->from = (const u8 *)red_zone + __ffs64(differs) / 8;
	fault->to = (const u8 *)red_zone + (fls64(differs) - 1) / 8;
	fault->want = want >> __ffs64(differs) / 8 * 8;
	return false;
}

static bool found(struct mmbox_slab_fault *fault, enum mmbox_bad why,
		  const char *what)
{
	fault->why = why;
	fault->what = what;
	return true;
}

/**
 * mmbox_slab_debug_fault() - look for what a user has overwritten
 * @cachep: a debugged cache
 * @base: where an object of it begins, its red zone included
 * @state: what the object is
 * @fault: where the first thing found goes
 *
 * Context: any; nobody else changes @state meanwhile.
 * Return: true if there is something.
 */
bool mmbox_slab_debug_fault(const struct mmbox_kmem_cache *cachep,
			    const void *base, enum mmbox_object_state state,
			    struct mmbox_slab_fault *fault)
{
	const void *objp = base + cachep->obj_offset;
	const void *end = objp + cachep->object_size;

	if (cachep->debug & MMBOX_DEBUG_RED_ZONE &&
	    !bytes_are(end, pad_end(cachep, base) - end, PAD_BYTE, fault))
		return found(fault, MMBOX_BAD_OVERFLOW, "bytes behind the object were overwritten");
	if (cachep->flags & SLAB_RED_ZONE) {
		if (!red_zone_is(red_zone_behind(cachep, base), state, fault))
			return found(fault, MMBOX_BAD_OVERFLOW,
				     "red zone behind the object was overwritten");
		if (!red_zone_is(red_zone_before(cachep, base), state, fault))
			return found(fault, MMBOX_BAD_OVERFLOW,
				     "red zone before the object was overwritten");
	}
	if (state != MMBOX_OBJECT_FREE || !(cachep->flags & SLAB_POISON))
		return false;
	if (!bytes_are(objp, cachep->object_size - 1, POISON_FREE, fault) ||
	    !bytes_are(end - 1, 1, POISON_END, fault))
		return found(fault, MMBOX_BAD_USE_AFTER_FREE, "free object was written to");
	return false;
}

/* ---- the slab's shadow ---- */

/**
 * mmbox_slab_shadow() - the shadow of a slab
 * @box: the box
 * @slab: the first page of a slab, or any page
 *
 * Context: any; where the slab might go, in an RCU read-side section.
 * Return: it, or NULL if this is no slab of a debugged cache.
 */
struct mmbox_slab_shadow *mmbox_slab_shadow(const struct mmbox *box,
					    const struct mmbox_page *slab)
{
	const struct mmbox_slab_debug *d = &box->slab.debug;
	unsigned long pfn = __mmbox_page_to_pfn(box, slab);

	if (!d->on || pfn >= d->nr_pfns)
		return NULL;
	return rcu_dereference_raw(d->shadow[pfn]);
}
MMBOX_EXPORT_INTERNAL(mmbox_slab_shadow);

/**
 * mmbox_slab_debug_grow() - make the shadow of a new slab
 * @cachep: the cache
 * @slab: its new slab
 * @gfp: GFP flags of who needs it
 *
 * Context: as @gfp says.
 * Return: 0 or -ENOMEM.
 */
int mmbox_slab_debug_grow(struct mmbox_kmem_cache *cachep,
			  struct mmbox_page *slab, gfp_t gfp)
{
	struct mmbox *box = cachep->box;
	struct mmbox_slab_shadow *shadow;
	unsigned long *bits;
	size_t tracks = 0, longs = BITS_TO_LONGS(cachep->num);
	size_t bytes = sizeof(*shadow) + 3 * longs * sizeof(long);

	if (cachep->debug & MMBOX_DEBUG_USER)
		tracks = cachep->num * sizeof(*shadow->tracks);
	/* Never use the host's reserves. */
	gfp &= __GFP_RECLAIM | __GFP_IO | __GFP_FS;
	shadow = mmbox_host_kzalloc(&box->host, bytes + tracks, gfp, "a slab's shadow");
	if (!shadow)
		return -ENOMEM;
	bits = (unsigned long *)(shadow + 1);
	shadow->bytes = bytes + tracks;
	shadow->cachep = cachep;
	shadow->num = cachep->num;
	shadow->used = bits;
	shadow->out = bits + longs;
	shadow->known = bits + 2 * longs;
	if (tracks)
		shadow->tracks = (void *)shadow + bytes;
	rcu_assign_pointer(box->slab.debug.shadow[__mmbox_page_to_pfn(box, slab)],
			   shadow);
	return 0;
}

/**
 * mmbox_slab_debug_grown() - lay out the objects of a new slab
 * @cachep: the cache
 * @slab: its slab, of which nobody has an object yet; its freelist, which may
 *	lie in an object, is written afterwards
 *
 * Where objects are poisoned, the constructor has to run at each allocation.
 *
 * Context: any.
 */
void mmbox_slab_debug_grown(struct mmbox_kmem_cache *cachep,
			    struct mmbox_page *slab)
{
	struct mmbox_slab_fault fault;
	unsigned int i;

	for (i = 0; i < cachep->num; i++) {
		void *base = mmbox_index_to_obj(cachep, slab, i);

		fill_red_zones(cachep, base, false);
		if (cachep->flags & SLAB_STORE_USER)
			*user_word(cachep, base) = 0;
		if (cachep->ctor && !(cachep->flags & SLAB_POISON))
			cachep->ctor(base + cachep->obj_offset);
		fill_poison(cachep, base, POISON_FREE);
		if (cachep->ctor &&
		    mmbox_slab_debug_fault(cachep, base, MMBOX_OBJECT_FREE, &fault)) {
			cachep->box->observer->slab_fault(cachep, base, &fault);
			fill_red_zones(cachep, base, false);
		}
	}
}

/**
 * mmbox_slab_debug_destroy() - check a slab that ends, and free its shadow
 * @cachep: the cache
 * @slab: its slab, which is on no list any more and whose objects are free
 *
 * Context: any.
 */
void mmbox_slab_debug_destroy(struct mmbox_kmem_cache *cachep,
			      struct mmbox_page *slab)
{
	struct mmbox_slab_debug *d = &cachep->box->slab.debug;
	struct mmbox_slab_shadow *shadow = mmbox_slab_shadow(cachep->box, slab);
	struct mmbox_slab_fault fault;
	unsigned int i;

	for (i = 0; i < cachep->num; i++) {
		void *base = mmbox_index_to_obj(cachep, slab, i);

		if (mmbox_slab_ops(cachep)->holds_freelist(cachep, slab, i))
			fill_poison(cachep, base, POISON_FREE);
		if (mmbox_slab_debug_fault(cachep, base, MMBOX_OBJECT_FREE, &fault))
			cachep->box->observer->slab_fault(cachep, base, &fault);
	}
	RCU_INIT_POINTER(d->shadow[__mmbox_page_to_pfn(cachep->box, slab)], NULL);
	free_shadow(cachep->box, shadow);
}

/* ---- between arrays and users ---- */

/* The caller of the box: the first address outside of this module, if there is one. */
static unsigned long first_caller(const unsigned long *entries, unsigned int nr,
				  unsigned long caller)
{
	unsigned int i;

	if (!within_module(caller, THIS_MODULE))
		return caller;
	for (i = 0; i < nr; i++)
		if (!within_module(entries[i], THIS_MODULE))
			return entries[i];
	return caller;
}

/* Note who allocates or frees an object. */
static noinline void set_track(struct mmbox_kmem_cache *cachep, void *base,
			       struct mmbox_slab_shadow *shadow, unsigned int idx,
			       enum mmbox_track_item item, unsigned long caller)
{
	struct mmbox_track *track = &shadow->tracks[idx][item];
	unsigned long entries[STACK_DEPTH];
	unsigned int nr = 0;
	depot_stack_handle_t stack = 0;

	if (cachep->box->slab.debug.depot)
		nr = mmbox_stack_trace_save(entries, STACK_DEPTH, 2);
	caller = first_caller(entries, nr, caller);
	if (nr)
		stack = mmbox_stack_depot_save(entries, nr);
	WRITE_ONCE(track->stack, stack);
	WRITE_ONCE(track->caller, caller);
	track->when = jiffies;
	track->cpu = raw_smp_processor_id();
	track->pid = current->pid;
	if (cachep->flags & SLAB_STORE_USER)
		*user_word(cachep, base) = caller;
}

static void report_bad_freelist(struct mmbox_kmem_cache *cachep)
{
	struct mmbox_slab_debug *d = &cachep->box->slab.debug;
	unsigned long pfn = READ_ONCE(d->bad_freelist);

	if (likely(!pfn) || !xchg(&d->bad_freelist, 0))
		return;
	cachep->box->observer->bad_freelist(cachep, __mmbox_pfn_to_page(cachep->box, pfn - 1));
}

/**
 * mmbox_slab_debug_alloc() - check an object and give it to a user
 * @cachep: a debugged cache
 * @gfp: GFP flags of the caller
 * @base: an object, as it came out of the arrays or of a slab
 * @caller: who asked for it
 *
 * Context: any but NMI.
 * Return: the object as the user gets it. NULL if @base cannot be given out, as it is
 * no object or is in use: take another one.
 */
void *mmbox_slab_debug_alloc(struct mmbox_kmem_cache *cachep, gfp_t gfp,
			     void *base, unsigned long caller)
{
	void *objp = base + cachep->obj_offset;
	struct mmbox_slab_shadow *shadow;
	struct mmbox_slab_fault fault;
	struct mmbox_page *slab;
	unsigned int idx;

	report_bad_freelist(cachep);
	slab = mmbox_slab_of_object(cachep, base, &idx);
	if (!slab) {
		cachep->box->observer->bad_freelist(cachep, NULL);
		return NULL;
	}
	shadow = mmbox_slab_shadow(cachep->box, slab);
	if (test_and_set_bit(idx, shadow->used)) {
		cachep->box->observer->bad_freelist(cachep, slab);
		return NULL;
	}
	clear_bit(idx, shadow->known);
	if (unlikely(mmbox_slab_debug_fault(cachep, base, MMBOX_OBJECT_FREE, &fault)))
		cachep->box->observer->slab_fault(cachep, base, &fault);
	fill_poison(cachep, base, POISON_INUSE);
	fill_red_zones(cachep, base, true);
	if (shadow->tracks)
		set_track(cachep, base, shadow, idx, MMBOX_TRACK_ALLOC, caller);
	if (cachep->debug & MMBOX_DEBUG_TRACE)
		cachep->box->observer->slab_trace(cachep, objp, true);
	if (cachep->ctor && cachep->flags & SLAB_POISON)
		cachep->ctor(objp);
	if (gfp & __GFP_ZERO)
		memset(objp, 0, cachep->object_size);
	return objp;
}

/**
 * mmbox_slab_debug_free() - check an object that a user gives back
 * @cachep: a debugged cache, to which it is to be freed
 * @objp: the object, as the user has it
 * @caller: who frees it
 *
 * A bad free is counted and reported. Bytes around the object that were overwritten are
 * reported and restored.
 *
 * Context: any but NMI.
 * Return: the object for the arrays, or NULL if it is refused.
 */
void *mmbox_slab_debug_free(struct mmbox_kmem_cache *cachep, void *objp,
			    unsigned long caller)
{
	void *base = objp - cachep->obj_offset;
	struct mmbox_slab_shadow *shadow;
	struct mmbox_slab_fault fault;
	struct mmbox_page *slab;
	unsigned int idx;
	bool ours;

	slab = mmbox_slab_of_object(cachep, base, &idx);
	if (!slab) {
		mmbox_bad_free(cachep, objp);
		return NULL;
	}
	/* If the object is free already, its slab may end at any time. */
	rcu_read_lock();
	shadow = mmbox_slab_shadow(cachep->box, slab);
	ours = shadow && idx < shadow->num && test_and_clear_bit(idx, shadow->used);
	rcu_read_unlock();
	if (!ours) {
		mmbox_tell_bad_free(cachep->box, MMBOX_BAD_DOUBLE, cachep, objp);
		return NULL;
	}
	if (unlikely(mmbox_slab_debug_fault(cachep, base, MMBOX_OBJECT_USED, &fault)))
		cachep->box->observer->slab_fault(cachep, base, &fault);
	if (shadow->tracks)
		set_track(cachep, base, shadow, idx, MMBOX_TRACK_FREE, caller);
	if (cachep->debug & MMBOX_DEBUG_TRACE)
		cachep->box->observer->slab_trace(cachep, objp, false);
	fill_poison(cachep, base, POISON_FREE);
	fill_red_zones(cachep, base, false);
	return base;
}

/**
 * mmbox_slab_debug_is_used() - has a user got this object?
 * @cachep: a debugged cache
 * @slab: its slab
 * @idx: index of the object
 *
 * Context: any.
 * Return: true if one has.
 */
bool mmbox_slab_debug_is_used(const struct mmbox_kmem_cache *cachep,
			      const struct mmbox_page *slab, unsigned int idx)
{
	const struct mmbox_slab_shadow *shadow;
	bool used;

	rcu_read_lock();
	shadow = mmbox_slab_shadow(cachep->box, slab);
	used = shadow && idx < shadow->num && test_bit(idx, shadow->used);
	rcu_read_unlock();
	return used;
}

/**
 * mmbox_slab_debug_own() - do not list an object of the box itself in `leaks`
 * @box: the box
 * @objp: from its kmalloc or one of its caches, or NULL
 *
 * Context: any but NMI.
 */
void mmbox_slab_debug_own(struct mmbox *box, const void *objp)
{
	struct mmbox_slab_shadow *shadow;
	struct mmbox_kmem_cache *cachep;
	struct mmbox_page *page;

	if (!box->slab.debug.on || !objp)
		return;
	page = __mmbox_virt_to_page(box, objp);
	if (!page->slab_cache)
		return;
	cachep = mmbox_id_to_cache(box, page->slab_cache);
	page = mmbox_virt_to_slab(cachep, objp);
	shadow = mmbox_slab_shadow(box, page);
	if (shadow)
		set_bit(mmbox_obj_to_index(cachep, page, objp), shadow->known);
}

/**
 * mmbox_slab_debug_forget() - do not list in `leaks` what is allocated now
 * @box: the box
 *
 * Context: process, may sleep.
 */
void mmbox_slab_debug_forget(struct mmbox *box)
{
	struct mmbox_slab_debug *d = &box->slab.debug;
	struct mmbox_slab_shadow *shadow;
	unsigned long pfn;

	if (!d->on)
		return;
	for (pfn = 0; pfn < d->nr_pfns; pfn++) {
		rcu_read_lock();
		shadow = rcu_dereference(d->shadow[pfn]);
		if (shadow)
			bitmap_copy(shadow->known, shadow->used, shadow->num);
		rcu_read_unlock();
		cond_resched();
	}
}
