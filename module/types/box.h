/* SPDX-License-Identifier: GPL-2.0 */
/*
 * struct mmbox: everything that belongs to one box. Types only, no functions.
 */
#ifndef _MMBOX_TYPES_BOX_H
#define _MMBOX_TYPES_BOX_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/ratelimit_types.h>
#include <linux/types.h>

#include <mmbox/mmbox.h>

#include "types/host.h"
#include "types/memblock.h"
#include "types/memmap.h"
#include "types/mmzone.h"
#include "types/observer.h"
#include "types/params.h"
#include "types/slab.h"

struct mmbox_account;
struct mmbox_debugfs;
struct mmbox_face_dir;
struct mmbox_chardev;

#define MMBOX_NAME_LEN		16
#define MMBOX_SIZE_MIN		(4UL << 20)	/* bytes */
/* Slab pages name a freelist by a 32-bit count of 32-byte units. */
#define MMBOX_SIZE_MAX		(128UL << 30)	/* bytes */

#define MMBOX_MAX_BANKS		32

/* A range of the box's physical address space that has memory, or may get some. */
struct mmbox_bank {
	phys_addr_t base;		/* first byte */
	phys_addr_t size;		/* bytes */
	int nid;			/* node it belongs to */
	bool hot;			/* empty at boot, memory may be added later */
};

/*
 * How a box is configured; mmbox_config_init() sets the defaults. params_table.h
 * says which fields users may set, and to what.
 */
struct mmbox_config {
	const char *name;
	unsigned long size;		/* bytes */
	struct mmbox_bank banks[MMBOX_MAX_BANKS];	/* sorted by base */
	unsigned int nr_banks;		/* 0: one bank of @size at 0 on node 0 */
	const char *banks_text;		/* text of banks=, NULL: not given */
	unsigned int nodes;		/* to split @size into if there are no banks */
	const char *distance;		/* "10,20/20,10", NULL: 20 to other nodes */
	const char *node_cpus;		/* "0-1/2-3", NULL: equal shares */
	enum mmbox_memory_model model;
	unsigned long section_size;	/* bytes */
	unsigned long fail_boot_nth;	/* boot allocation to fail, 0: none */
	enum mmbox_region_type region;
	enum mmbox_buddy_type buddy;	/* page design */
	const struct mmbox_page_design *page_design;	/* a test's own; NULL: by @buddy */
	unsigned int orders;		/* length of free_area[] in use */
	unsigned long kmalloc_min;	/* bytes */
	unsigned long kmalloc_max;	/* bytes */
	unsigned long zone_dma;		/* bytes from physical 0 in ZONE_DMA */
	unsigned long zone_dma32;	/* end of ZONE_DMA32, physical address */
	unsigned long kernelcore;	/* bytes outside ZONE_MOVABLE, 0: no limit */
	unsigned long movablecore;	/* least bytes in ZONE_MOVABLE */
	bool slab_reap;			/* trim idle caches every few seconds */
	bool slab_stats;		/* slabinfo has statistics */
	bool slab_merge;		/* merge caches of the same layout */
	bool pcp_thp;			/* order 9 on per-CPU lists and as pageblock */
	bool stat_drift;		/* CPUs batch their updates of NR_FREE_PAGES */
	bool kswapd;			/* one reclaim thread per node */
	const char *slab_debug;		/* checks and the caches they apply to, as SLUB's */
	bool bottom_up;			/* boot memory from the lowest address */
	unsigned long fail_nth;		/* host request to fail, 0: none */
	bool pages_only;		/* no slab layer, for tests of the page allocator */
	struct mmbox_account *account;	/* filled in by mmbox_destroy(), or NULL */
	const char *const *typed;	/* what a user typed, by enum mmbox_param_id, or NULL */
};

/* What a destroyed box leaves: @bytes must be 0, @nr_taken and @nr_returned equal. */
struct mmbox_account {
	long bytes;			/* of host memory not freed */
	unsigned long nr_taken;		/* pages of the region */
	unsigned long nr_returned;	/* pages of the region */
	long nr_requests;		/* made to the host */
};

/* struct mmbox_faces: what the files, the device and the reports keep for a box */
struct mmbox_faces {
	struct mmbox_debugfs *debugfs;	/* NULL: the box has no files */
	struct mmbox_face_dir *memory_dir;	/* its folder memory/, or NULL */
	struct mmbox_face_dir **section_dirs;	/* memory/memoryN, or NULL; pages.memory_lock */
	struct mmbox_face_dir *caches_dir;	/* its folder caches/, or NULL; slab.mutex */
	struct mmbox_chardev *chardev;	/* NULL: the box has no device */
	/* Of sessions that have the host as target, session.c: */
	atomic_long_t host_promised;	/* bytes reserved for batches under way */
	atomic_t nr_host_caches;	/* in all sessions together */
	atomic_t nr_users;	/* mmbox_get() calls and sessions that ran a batch, ever */
	unsigned long whatis;		/* address last written to whatis */
	bool whatis_asked;		/* an address was written; 0 is one, too */
	atomic_long_t bad[MMBOX_NR_BAD];	/* mistakes of users, by kind */
	struct ratelimit_state bad_limit;	/* limits reports of these */
	struct ratelimit_state alloc_limit;	/* limits reports of failed allocations */
};

/*
 * One box, layer by layer. Each layer sets up and tears down its own part, which is
 * described in the layer's header in this folder.
 */
struct mmbox {
	struct mmbox_physmap physmap;
	struct mmbox_memmap memmap;
	mmbox_pg_data_t *node[MMBOX_MAX_NUMNODES];
	int nr_nodes;			/* nodes 0 to nr_nodes - 1 exist */
	struct mmbox_pages pages;
	struct mmbox_slab slab;
	struct mmbox_faces faces;
	const struct mmbox_observer *observer;	/* set by box.c before the box works */

	struct mmbox_config cfg;
	char name[MMBOX_NAME_LEN];
	struct mmbox_host host;
	struct mmbox_region region;
	struct mmbox_memblock memblock;
	u64 boot_ns;			/* duration of the boot, without the region */
	struct hlist_node cpu_prepare;	/* called before a CPU comes and after it is gone, cpu.c */
	struct hlist_node cpu_online;	/* called when one has come, or is about to go */
	struct list_head list;		/* published boxes, registry.c */
};

/* Nodes are numbered from 0 without gaps and are never removed. */
#define mmbox_for_each_online_node(box, nid)				\
	for ((nid) = 0; (nid) < (box)->nr_nodes; (nid)++)

#endif /* _MMBOX_TYPES_BOX_H */
