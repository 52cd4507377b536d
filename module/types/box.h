/* SPDX-License-Identifier: GPL-2.0 */
/*
 * struct mmbox: one box, and all there is of it. The ground floor: types alone.
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

/* Memory at a place of the box's physical address space. */
struct mmbox_bank {
	phys_addr_t base;		/* first byte */
	phys_addr_t size;		/* bytes */
	int nid;			/* node it belongs to */
	bool hot;			/* a hole that may be filled later */
};

/*
 * What a box is made from; mmbox_config_init() gives the defaults. params_table.h
 * says which of it users may set, and how.
 */
struct mmbox_config {
	const char *name;
	unsigned long size;		/* bytes */
	struct mmbox_bank banks[MMBOX_MAX_BANKS];	/* where, by base */
	unsigned int nr_banks;		/* 0: one bank of @size at 0 on node 0 */
	const char *banks_text;		/* what the banks were read from, NULL: nothing */
	unsigned int nodes;		/* to split @size into, where there are no banks */
	const char *distance;		/* "10,20/20,10", NULL: 20 to other nodes */
	const char *node_cpus;		/* "0-1/2-3", NULL: shared out in equal parts */
	enum mmbox_memory_model model;
	unsigned long section_size;	/* bytes */
	unsigned long fail_boot_nth;	/* boot allocation to fail, 0: none */
	enum mmbox_region_type region;
	enum mmbox_buddy_type buddy;	/* which generation */
	unsigned int orders;		/* length of free_area[] in use */
	unsigned long kmalloc_min;	/* bytes */
	unsigned long kmalloc_max;	/* bytes */
	unsigned long zone_dma;		/* bytes from physical 0 in ZONE_DMA */
	unsigned long zone_dma32;	/* end of ZONE_DMA32, physical address */
	unsigned long kernelcore;	/* bytes that are not ZONE_MOVABLE, 0: all */
	unsigned long movablecore;	/* bytes that are ZONE_MOVABLE, at least */
	bool slab_reap;			/* idle caches are trimmed every few seconds */
	bool slab_stats;		/* slabinfo has statistics */
	bool slab_merge;		/* caches alike are one */
	bool pcp_thp;			/* order 9 on per-CPU lists and as pageblock */
	bool stat_drift;		/* CPUs keep a part of NR_FREE_PAGES to themselves */
	bool kswapd;			/* a thread a node that reclaims */
	const char *slab_debug;		/* what to watch in which caches, as SLUB's */
	bool bottom_up;			/* boot memory from the lowest address */
	unsigned long fail_nth;		/* host request to fail, 0: none */
	bool pages_only;		/* no slab layer, to test the one below alone */
	struct mmbox_account *account;	/* filled when the box is gone, or NULL */
	const char *const *typed;	/* by enum mmbox_param_id, NULL: by no user */
};

/* What a box leaves behind: the first must be 0, the next two alike. */
struct mmbox_account {
	long bytes;			/* of host memory not given back */
	unsigned long nr_taken;		/* pages of the region */
	unsigned long nr_returned;	/* pages of the region */
	long nr_requests;		/* made to the host */
};

/* struct mmbox_faces: what the files, the device and the reports keep for a box */
struct mmbox_faces {
	struct mmbox_debugfs *debugfs;	/* NULL: it has no files */
	struct mmbox_face_dir *memory_dir;	/* its folder memory/, or NULL */
	struct mmbox_face_dir **section_dirs;	/* memory/memoryN, or NULL; pages.memory_lock */
	struct mmbox_face_dir *caches_dir;	/* its folder caches/, or NULL; slab.mutex */
	struct mmbox_chardev *chardev;	/* NULL: it has no device */
	/* Of sessions that have the host as target, session.c: */
	atomic_long_t host_promised;	/* bytes that batches under way may yet take */
	atomic_t nr_host_caches;	/* of all of them together */
	atomic_t nr_users;	/* modules that got it, sessions that sent it a batch; ever */
	unsigned long whatis;		/* address that was asked about last, or 0 */
	atomic_long_t bad[MMBOX_NR_BAD];	/* mistakes of users, by kind */
	struct ratelimit_state bad_limit;	/* how often these are told */
	struct ratelimit_state alloc_limit;	/* how often a failed allocation is */
};

/*
 * One box, layer by layer. Each layer sets up and takes down its own part; what it
 * keeps there is described in its header of this folder.
 */
struct mmbox {
	struct mmbox_physmap physmap;
	struct mmbox_memmap memmap;
	mmbox_pg_data_t *node[MMBOX_MAX_NUMNODES];
	int nr_nodes;			/* nodes there are, from 0 on */
	struct mmbox_pages pages;
	struct mmbox_slab slab;
	struct mmbox_faces faces;
	const struct mmbox_observer *observer;	/* set by box.c before the box works */

	struct mmbox_config cfg;
	char name[MMBOX_NAME_LEN];
	struct mmbox_host host;
	struct mmbox_region region;
	struct mmbox_memblock memblock;
	u64 boot_ns;			/* time the box's own boot took */
	struct hlist_node cpu_prepare;	/* told before a CPU comes and after it went, cpu.c */
	struct hlist_node cpu_online;	/* told when one has come, or is about to go */
	struct list_head list;		/* boxes that mmbox_get() finds */
};

/* Nodes are numbered from 0 without a gap, and never go. */
#define mmbox_for_each_online_node(box, nid)				\
	for ((nid) = 0; (nid) < (box)->nr_nodes; (nid)++)

#endif /* _MMBOX_TYPES_BOX_H */
