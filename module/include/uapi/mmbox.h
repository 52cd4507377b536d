/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/mmbox/<box>: using a box from user space.
 *
 * Each open file is a session. The program numbers its allocations: a handle is a
 * number of its choice below mmbox_info.nr_handles, a cache handle one below
 * mmbox_info.nr_caches. It never sees kernel addresses. Everything that a session holds
 * is freed when its last file descriptor is closed. Threads may share a session.
 *
 * MMBOX_IOC_TARGET sends the same operations to the host's own allocators instead of
 * the box, for comparison.
 *
 * Kernel memory of a session is limited, and charged to the memory cgroup of the calling
 * task. At the cgroup's limit calls fail with ENOMEM, without the OOM killer:
 *   the session itself		about 125 KiB
 *   its handles		64 KiB for each aligned group of 4,096, allocated
 *				when one of them is first used; at most 256 MiB
 *   a batch			65 KiB for each batch that runs
 *   caches of the box		at most nr_caches; a few KiB each
 *   caches of the host		at most nr_caches, and 4,096 in all sessions
 *				together; these are not charged
 *   memory of the host		until only an eighth of the machine's memory is
 *				available; then the result of an operation is
 *				ENOMEM
 *
 * Unused fields of a structure must be 0.
 */
#ifndef _UAPI_MMBOX_H
#define _UAPI_MMBOX_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define MMBOX_UAPI_VERSION	1
#define MMBOX_UAPI_NAME_LEN	32	/* of a box or cache, with the terminating zero */

enum mmbox_target {
	MMBOX_TARGET_BOX,
	MMBOX_TARGET_HOST,
};

struct mmbox_info {
	__u32 version;		/* MMBOX_UAPI_VERSION */
	__u32 target;		/* enum mmbox_target in use */
	__u64 box_size;		/* bytes */
	__u32 page_size;	/* bytes */
	__u32 nr_nodes;		/* of the box */
	__u32 nr_orders;	/* of the target: orders are below this */
	__u32 nr_handles;	/* handles are below this */
	__u32 nr_caches;	/* cache handles are below this */
	__u32 bulk_max;		/* most objects of a bulk operation */
	__u64 kmalloc_min;	/* bytes, smallest kmalloc cache of the box */
	__u64 kmalloc_max;	/* bytes, largest one; larger sizes get pages */
	__u64 kmalloc_limit;	/* bytes, the largest size that kmalloc can have */
	__u32 nr_users;		/* modules that got the box and sessions that ran a
				 * batch on it so far; 0: the box is unused
				 */
	__u32 reserved;
	char name[MMBOX_UAPI_NAME_LEN];
};

/*
 * GFP flags. The values are those of Linux 6.1; the kernel translates them to its own.
 */
#define MMBOX_GFP_DMA			0x00000001
#define MMBOX_GFP_HIGHMEM		0x00000002
#define MMBOX_GFP_DMA32			0x00000004
#define MMBOX_GFP_MOVABLE		0x00000008
#define MMBOX_GFP_RECLAIMABLE		0x00000010
#define MMBOX_GFP_HIGH			0x00000020
#define MMBOX_GFP_IO			0x00000040
#define MMBOX_GFP_FS			0x00000080
#define MMBOX_GFP_ZERO			0x00000100
#define MMBOX_GFP_DIRECT_RECLAIM	0x00000400
#define MMBOX_GFP_KSWAPD_RECLAIM	0x00000800
#define MMBOX_GFP_WRITE			0x00001000
#define MMBOX_GFP_NOWARN		0x00002000
#define MMBOX_GFP_RETRY_MAYFAIL		0x00004000
#define MMBOX_GFP_NORETRY		0x00010000
#define MMBOX_GFP_COMP			0x00040000
#define MMBOX_GFP_NOMEMALLOC		0x00080000
#define MMBOX_GFP_HARDWALL		0x00100000
#define MMBOX_GFP_THISNODE		0x00200000
#define MMBOX_GFP_ALL			0x003d7dff

#define MMBOX_GFP_KERNEL	(MMBOX_GFP_DIRECT_RECLAIM |		\
				 MMBOX_GFP_KSWAPD_RECLAIM |		\
				 MMBOX_GFP_IO | MMBOX_GFP_FS)
#define MMBOX_GFP_ATOMIC	(MMBOX_GFP_HIGH | MMBOX_GFP_KSWAPD_RECLAIM)

/* Cache flags */
#define MMBOX_CACHE_HWCACHE_ALIGN	0x00000001
#define MMBOX_CACHE_RECLAIM_ACCOUNT	0x00000002
#define MMBOX_CACHE_ALL			0x00000003

enum mmbox_op_code {			/* fields used besides @code: */
	MMBOX_OP_KMALLOC	= 1,	/* handle size flags nid */
	MMBOX_OP_KFREE		= 2,	/* handle */
	MMBOX_OP_CACHE_ALLOC	= 3,	/* handle cache flags nid */
	MMBOX_OP_CACHE_FREE	= 4,	/* handle cache */
	MMBOX_OP_PAGES_ALLOC	= 5,	/* handle order flags nid */
	MMBOX_OP_PAGES_FREE	= 6,	/* handle order */
	MMBOX_OP_BULK_ALLOC	= 7,	/* handle (the first) cache flags nr */
	MMBOX_OP_BULK_FREE	= 8,	/* handle (the first) cache nr */
	MMBOX_OP_CACHE_CREATE	= 9,	/* cache name size align flags */
	MMBOX_OP_CACHE_DESTROY	= 10,	/* cache */
	MMBOX_OP_CACHE_SHRINK	= 11,	/* cache */
};

struct mmbox_op {
	__u8 code;		/* enum mmbox_op_code */
	__u8 order;		/* log2 of the number of pages */
	__u16 cache;		/* cache handle */
	__u32 handle;		/* must be empty for an alloc, filled for a free */
	__u32 flags;		/* MMBOX_GFP_*; for CACHE_CREATE MMBOX_CACHE_* */
	__s32 nid;		/* node, -1: any */
	__u32 size;		/* bytes; for CACHE_CREATE bytes per object */
	union {
		__u32 nr;	/* objects of a bulk operation */
		__u32 align;	/* bytes, 0: the default */
	};
	__u64 name;		/* address of the cache's name, zero-terminated */
};

/* Physical address of what an operation allocated; bulk: of the first object. */
#define MMBOX_PHYS_NONE		(~(__u64)0)	/* no allocation, or not in the box */

/* -ENOENT: a free of an empty handle with MMBOX_BATCH_ALLOW_EMPTY; bulk: all empty. */
struct mmbox_result {
	__s32 error;		/* 0, -ENOMEM, -ENOENT */
	__u32 ns;		/* MMBOX_BATCH_LATENCY: time taken */
	__u64 phys;		/* box physical address, or MMBOX_PHYS_NONE */
};

#define MMBOX_BATCH_LATENCY	0x1	/* time each operation; needs @results */
#define MMBOX_BATCH_ALLOW_EMPTY	0x2	/* ignore frees of empty handles */
#define MMBOX_BATCH_ALL		0x3

/*
 * Operations, carried out in order. The file must be open for writing, else the ioctl
 * fails with EBADF. A bad record (a field out of range, an unknown flag, a handle that
 * is in use, or that was allocated in another way than it is to be freed) ends the
 * batch with EINVAL; @nr_done is then its index, and the operations before it were
 * carried out. A failed allocation does not end the batch: its result is -ENOMEM, and
 * its handle stays empty. Records that cannot be read, or results that cannot be
 * written, end the batch with EFAULT. The output fields are written back whatever the
 * ioctl returns.
 */
struct mmbox_batch {
	__u64 ops;		/* in: address of struct mmbox_op[nr] */
	__u64 results;		/* in: address of struct mmbox_result[nr], or 0 */
	__u32 nr;		/* in */
	__u32 flags;		/* in: MMBOX_BATCH_* */
	__u32 nr_done;		/* out: operations carried out */
	__u32 nr_failed;	/* out: of those, failed allocations */
	__u32 first_failed;	/* out: index of the first failed one, if any */
	__u32 nr_empty;		/* out: ignored frees of empty handles */
	__u64 ns;		/* out: time of the operations alone */
};

/*
 * Statistics since the session was opened, or since its target was last set. Those of
 * the host are for the whole host, except @pages: the growth of its slabs, plus the
 * pages that the session holds. A peak is the largest value seen; values are sampled at
 * the start and after at most @sample operations.
 */
struct mmbox_stat {
	__u32 target;		/* enum mmbox_target */
	__u32 sample;		/* operations */
	__s64 slab_pages;	/* now */
	__s64 slab_pages_start;	/* at the start */
	__s64 slab_pages_peak;
	__s64 pages;		/* in use, including those in slabs */
	__s64 pages_start;
	__s64 pages_peak;
	__u64 nr_ops;		/* operations carried out */
	__u64 nr_failed;	/* of those, failed allocations */
	__u64 nr_empty;		/* ignored frees of empty handles */
	__u64 nr_refused;	/* mistakes of users that the box has counted */
	__u64 host_bytes;	/* host memory of the box beyond its region */
	__u64 reserved[3];
};

struct mmbox_checksum {
	__u32 crc;		/* hash of the state of the box */
	__u32 reserved;
};

#define MMBOX_IOC_MAGIC		0xBE
#define MMBOX_IOC_INFO		_IOR(MMBOX_IOC_MAGIC, 0, struct mmbox_info)
#define MMBOX_IOC_BATCH		_IOWR(MMBOX_IOC_MAGIC, 1, struct mmbox_batch)
#define MMBOX_IOC_STAT		_IOR(MMBOX_IOC_MAGIC, 2, struct mmbox_stat)
#define MMBOX_IOC_CHECKSUM	_IOR(MMBOX_IOC_MAGIC, 3, struct mmbox_checksum)
/*
 * Argument: enum mmbox_target. Fails with EBUSY while the session holds anything, and
 * with EBADF if the file is not open for writing.
 */
#define MMBOX_IOC_TARGET	_IO(MMBOX_IOC_MAGIC, 4)

#endif /* _UAPI_MMBOX_H */
