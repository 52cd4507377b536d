/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page descriptor of the box. There is one for each page frame. It lies in the
 * box's own memory and has 32 bytes, which hold all state of a page: free, on a
 * per-CPU list, allocated, or part of a slab.
 *
 * Only the first page of a block has the block's type and order; all others are
 * MMBOX_PAGE_TAIL. A free function can therefore tell from the descriptor whether
 * it was passed the head of an allocated block.
 */
#ifndef _MMBOX_TYPES_MM_TYPES_H
#define _MMBOX_TYPES_MM_TYPES_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/kcsan-checks.h>
#include <linux/list.h>
#include <linux/types.h>

enum mmbox_page_type {
	MMBOX_PAGE_TAIL,	/* not the first page of its block */
	MMBOX_PAGE_RESERVED,	/* not the buddy allocator's: boot memory, offline, or a hole */
	MMBOX_PAGE_BUDDY,	/* head of a free block on a free_area list */
	MMBOX_PAGE_PCP,		/* head of a free block on a per-CPU list */
	MMBOX_PAGE_ALLOCATED,	/* head of a block allocated as pages */
	MMBOX_PAGE_KMALLOC,	/* head of a block allocated by a large kmalloc */
	MMBOX_PAGE_SLAB,	/* head of a slab */
	MMBOX_NR_PAGE_TYPES,
};

struct mmbox_page {
	union {
		struct {
			union {
				struct {
					u8 type;	/* enum mmbox_page_type */
					u8 order;	/* of the block that starts here */
				};
				u16 type_order;		/* type and order in one access */
			};
			union {
				struct {
					u8 zone_id : 2;	/* index in node_zones[] */
					u8 node_id : 6;	/* index in box->node[] */
				};
				u8 zone_link;	/* both: index in box->pages.zone_table[] */
			};
			union {
				u8 migratetype;	/* on a per-CPU list: free list to return to */
				u8 hinter;	/* slab: mmbox_hinter() of the CPU with hints */
			};
		};
		u32 identity;		/* all fields above: MMBOX_BUDDY_IDENTITY() */
	};
	u32 slab_cache;			/* every page of a slab: its cache; else 0 */
	union {
		struct list_head buddy_list;	/* free_area[order].free_list, zone->lock */
		struct list_head pcp_list;	/* per-CPU list; only its CPU uses it */
		struct list_head slab_list;	/* slabs_*, list_lock */
	};
	u32 freelist;			/* slab: location of the freelist, list_lock */
	u16 active;			/* slab: objects not on the freelist, list_lock */
	u16 s_mem;			/* slab: offset of the first object, in units of 64 bytes */
};

static_assert(sizeof(struct mmbox_page) == 32);

/*
 * list_add(), list_add_tail() and list_del() without the checks of
 * CONFIG_DEBUG_LIST. Distributions set that option, and its two calls cost more
 * than the rest of an allocation. Checking the descriptor at each free finds the
 * same mistakes earlier. Kernels with KASAN keep the checks.
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
 * Read a value that another CPU may be writing at this moment. Use it only where
 * either the old or the new value will do. Marking the writes instead would make
 * fast paths longer.
 */
#define mmbox_glance(x)	data_race(READ_ONCE(x))

/*
 * A barrier() between a CPU and interrupts on that CPU: they see accesses in program
 * order. kcsan_mb() tells KCSAN, which otherwise assumes that other CPUs are meant.
 */
#define mmbox_cpu_barrier()	\
do {				\
	kcsan_mb();		\
	barrier();		\
} while (0)

/* Not truncated to 16 or 32 bits, so that an order out of range matches no page. */
#define MMBOX_TYPE_ORDER(t, o)	((u64)(t) | (u64)(o) << 8)

/* page->identity of a free block of @order in a zone, apart from the migrate type. */
#define MMBOX_BUDDY_IDENTITY(order, link)	\
	(MMBOX_PAGE_BUDDY | (u32)(order) << 8 | (u32)(link) << 16)
#define MMBOX_BUDDY_IDENTITY_MASK	0xffffffU
#define MMBOX_BUDDY_IDENTITY_ORDER	0x100U	/* add this for the next order */

#ifdef __BIG_ENDIAN
#error "mmbox: struct mmbox_page::type_order is laid out for little-endian CPUs"
#endif

#endif /* _MMBOX_TYPES_MM_TYPES_H */
