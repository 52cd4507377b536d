/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a box asks of the host kernel. Every request goes through here, is
 * counted, and can be made to fail: the @fail_nth-th since the box was begun.
 */
#ifndef _MMBOX_HOST_H
#define _MMBOX_HOST_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/types.h>

struct mmbox_host {
	atomic_long_t nr_requests;	/* made so far */
	atomic_long_t bytes;		/* held now, the region not included */
	unsigned long fail_nth;		/* which request fails, 0: none */
};

/*
 * A per-CPU allocation. The handle is host memory, so that kmemleak finds the
 * pointer even where its user lives in the box.
 */
struct mmbox_host_percpu {
	void __percpu *ptr;
	size_t bytes;			/* over all CPUs */
	struct list_head list;		/* the owner's, or empty */
};

bool mmbox_host_should_fail(struct mmbox_host *host, const char *what);
void *mmbox_host_zalloc(struct mmbox_host *host, size_t size, const char *what);
void *mmbox_host_kzalloc(struct mmbox_host *host, size_t size, gfp_t gfp,
			 const char *what);
void mmbox_host_free(struct mmbox_host *host, void *ptr, size_t size);
struct mmbox_host_percpu *mmbox_host_alloc_percpu(struct mmbox_host *host,
						  size_t size, size_t align,
						  const char *what);
void mmbox_host_free_percpu(struct mmbox_host *host,
			    struct mmbox_host_percpu *percpu);

#endif /* _MMBOX_HOST_H */
