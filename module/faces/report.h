/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reports in the log, shared by report.c and slab_report.c.
 */
#ifndef _MMBOX_FACES_REPORT_H
#define _MMBOX_FACES_REPORT_H

#include "faces/faces.h"

/* report.c */
bool mmbox_report_count(struct mmbox *box, enum mmbox_bad why);

/* slab_report.c */
void mmbox_slab_report_fault(struct mmbox_kmem_cache *cachep, const void *base,
			     const struct mmbox_slab_fault *fault);
void mmbox_slab_report_freelist(struct mmbox_kmem_cache *cachep,
				const struct mmbox_page *slab);
void mmbox_slab_report_trace(struct mmbox_kmem_cache *cachep, const void *objp,
			     bool alloc);
void mmbox_slab_report_user(const struct mmbox_kmem_cache *cachep, const void *objp);
void mmbox_slab_report_owner(struct mmbox *box, const void *addr);

#endif /* _MMBOX_FACES_REPORT_H */
