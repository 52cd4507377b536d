/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page descriptor of the box. There is one for each page frame, it comes
 * out of the box's own memory, and it is 32 bytes: all state of a free, a
 * per-CPU, an allocated and a slab page.
 *
 * Only the first page of a block carries the block's type and order; the
 * others are MMBOX_PAGE_TAIL. So whatever is passed to a free function that
 * is not the head of an allocated block can be told from its descriptor.
 */
#ifndef _MMBOX_TYPES_MM_TYPES_H
#define _MMBOX_TYPES_MM_TYPES_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/kcsan-checks.h>
#include <linux/list.h>
#include <linux/types.h>

enum mmbox_page_type {
	MMBOX_PAGE_TAIL,	/* inside a block whose head says more */
	MMBOX_PAGE_RESERVED,	/* never seen by the buddy allocator */
	MMBOX_PAGE_BUDDY,	/* head of a free block on a free_area list */
	MMBOX_PAGE_PCP,		/* head of a free block on a per-CPU list */
	MMBOX_PAGE_ALLOCATED,	/* head of a block handed out as pages */
	MMBOX_PAGE_KMALLOC,	/* head of a block handed out by kmalloc */
	MMBOX_PAGE_SLAB,	/* head of a slab */
	MMBOX_NR_PAGE_TYPES,
};

struct mmbox_page {
	union {
		struct {
			union {
				struct {
					u8 type;	/* enum mmbox_page_type */
					u8 order;	/* of the block this page heads */
				};
				u16 type_order;		/* both at once, for the fast paths */
			};
			union {
				struct {
					u8 zone_id : 2;	/* index in node_zones[] */
					u8 node_id : 6;	/* index in box->node[] */
				};
				u8 zone_link;	/* both at once, index in box->zone_table[] */
			};
			union {
				u8 migratetype;	/* on a per-CPU list: where it goes back to */
				u8 hinter;	/* slab: mmbox_hinter() of who may have a hint */
			};
		};
		u32 identity;		/* all of these at once: MMBOX_BUDDY_IDENTITY() */
	};
	u32 slab_cache;			/* every page of a slab: whose; else 0 */
	union {
		struct list_head buddy_list;	/* free_area[order], zone->lock */
		struct list_head pcp_list;	/* per-CPU list, its owner CPU */
		struct list_head slab_list;	/* slabs_*, list_lock */
	};
	u32 freelist;			/* slab: where its indices lie, list_lock */
	u16 active;			/* slab: objects not on the freelist, list_lock */
	u16 s_mem;			/* slab: first object, in 64 B from its start */
};

static_assert(sizeof(struct mmbox_page) == 32);

/*
 * list_add(), list_add_tail() and list_del() without CONFIG_DEBUG_LIST, which
 * distributions turn on: its two calls cost more than the rest of an
 * allocation. What it would find, the check of the descriptors at each free
 * finds earlier. Kernels built for debugging keep it.
 */
static __always_inline void __mmbox_raw_list_insert(struct list_head *new,
						struct list_head *prev,
						struct list_head *next)
{
#ifdef CONFIG_KASAN
	__list_add(new, prev, next);
#else
	next->prev = new;
	new->next = next;
	new->prev = prev;
	prev->next = new;
#endif
}

static __always_inline void mmbox_raw_list_add(struct list_head *new,
					   struct list_head *head)
{
	__mmbox_raw_list_insert(new, head, head->next);
}

static __always_inline void mmbox_raw_list_add_tail(struct list_head *new,
						struct list_head *head)
{
	__mmbox_raw_list_insert(new, head->prev, head);
}

static __always_inline void mmbox_raw_list_del(struct list_head *entry)
{
#ifdef CONFIG_KASAN
	__list_del_entry(entry);
#else
	__list_del(entry->prev, entry->next);
#endif
}

/*
 * A look at what another CPU may be writing just now, in its own time or under
 * a lock: old or new, either will do. To mark the writer instead would make a
 * fast path longer.
 */
#define mmbox_glance(x)	data_race(READ_ONCE(x))

/*
 * barrier(), between a CPU and the interrupts on it: they see what it does in
 * the order in which it does it. KCSAN, which has other CPUs in mind, is told.
 */
#define mmbox_cpu_barrier()	\
do {				\
	kcsan_mb();		\
	barrier();		\
} while (0)

/* Cut to neither 16 nor 32 bits: an order out of range matches no page. */
#define MMBOX_TYPE_ORDER(t, o)	((u64)(t) | (u64)(o) << 8)

/* What tells a free block of an order in a zone: all but the migrate type. */
#define MMBOX_BUDDY_IDENTITY(order, link)	\
	(MMBOX_PAGE_BUDDY | (u32)(order) << 8 | (u32)(link) << 16)
#define MMBOX_BUDDY_IDENTITY_MASK	0xffffffU
#define MMBOX_BUDDY_IDENTITY_ORDER	0x100U	/* from one order to the next */

#ifdef __BIG_ENDIAN
#error "mmbox: struct mmbox_page::type_order is laid out for little-endian CPUs"
#endif

#endif /* _MMBOX_TYPES_MM_TYPES_H */
