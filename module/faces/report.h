/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mistakes of a box's users: which there are, and who counts and tells them.
 */
#ifndef _MMBOX_REPORT_H
#define _MMBOX_REPORT_H

#include <linux/types.h>

struct mmbox;
struct mmbox_kmem_cache;
struct mmbox_page;

/*
 * Mistakes of users, which are counted and reported: what was refused, at a
 * free but for the last of these, and what was found by slab_debug=.
 */
enum mmbox_bad {
	MMBOX_BAD_FOREIGN,	/* not an address or a page of the box */
	MMBOX_BAD_CACHE,	/* an object of another cache, or of none */
	MMBOX_BAD_OBJECT,	/* not the start of an object */
	MMBOX_BAD_ORDER,	/* pages of another order */
	MMBOX_BAD_PAGE,		/* not the first page of an allocation */
	MMBOX_BAD_DOUBLE,	/* free already */
	MMBOX_BAD_USERCOPY,	/* copy of what is not an object's usercopy region */
	MMBOX_BAD_OVERFLOW,	/* bytes around an object were overwritten */
	MMBOX_BAD_USE_AFTER_FREE,	/* a free object was written to */
	MMBOX_BAD_FREELIST,	/* what says which objects are free was overwritten */
	MMBOX_NR_BAD,
};

/* report.c */
extern const char *const mmbox_bad_names[MMBOX_NR_BAD];
void mmbox_report_init(struct mmbox *box);
void mmbox_report_bad_object(struct mmbox *box, enum mmbox_bad why,
			     const struct mmbox_kmem_cache *cachep,
			     const void *objp);
void mmbox_report_kfree_rcu(struct mmbox *box, const struct rcu_head *head);
void mmbox_report_bad_usercopy(struct mmbox *box, const void *ptr, unsigned long n);
void mmbox_report_leaks(const struct mmbox_kmem_cache *cachep, unsigned long used,
			void **objs, unsigned int nr);
void mmbox_warn_alloc(struct mmbox *box, gfp_t gfp, unsigned int order);
void mmbox_report_bad_page(struct mmbox *box, enum mmbox_bad why,
			   const struct mmbox_page *page, unsigned int order);
bool mmbox_report_count(struct mmbox *box, enum mmbox_bad why);

#endif /* _MMBOX_REPORT_H */
