/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reports in the log. faces.c connects them to events of the memory manager.
 */
#ifndef _MMBOX_FACES_REPORT_H
#define _MMBOX_FACES_REPORT_H

#include "faces/faces.h"

/* report.c */
extern const char *const mmbox_bad_texts[MMBOX_NR_BAD];
bool mmbox_report_count(struct mmbox *box, enum mmbox_bad why);
void mmbox_report_bad_page(struct mmbox *box, enum mmbox_bad why, const struct mmbox_page *page,
			   unsigned int order);
void mmbox_report_bad_usercopy(struct mmbox *box, const void *ptr, unsigned long n);
void mmbox_report_bad_kfree_rcu(struct mmbox *box, const struct rcu_head *head);
void mmbox_report_alloc_failed(struct mmbox *box, gfp_t gfp, unsigned int order);

/* slab_report.c */
void mmbox_report_bad_object(struct mmbox *box, enum mmbox_bad why,
			     const struct mmbox_kmem_cache *cachep, const void *objp);
void mmbox_report_cache_in_use(const struct mmbox_kmem_cache *cachep, unsigned long used,
			       void **objs, unsigned int nr);
void mmbox_slab_report_fault(struct mmbox_kmem_cache *cachep, const void *base,
			     const struct mmbox_slab_fault *fault);
void mmbox_slab_report_freelist(struct mmbox_kmem_cache *cachep,
				const struct mmbox_page *slab);
void mmbox_slab_report_trace(struct mmbox_kmem_cache *cachep, const void *objp,
			     bool alloc);
void mmbox_slab_report_user(const struct mmbox_kmem_cache *cachep, const void *objp);
void mmbox_slab_report_owner(struct mmbox *box, const void *addr);

#endif /* _MMBOX_FACES_REPORT_H */
