/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random use of a box, from one place or from several at once: see churn.c.
 */
#ifndef _MMBOX_KUNIT_CHURN_H
#define _MMBOX_KUNIT_CHURN_H

#include "testing.h"

#define CHURN_MAX_CACHES	16

struct churn_item {
	int kind;			/* of item, or none */
	unsigned int order;		/* of pages */
	struct mmbox_page *page;
	struct mmbox_kmem_cache *cachep;
	void *addr;
	size_t size;			/* bytes that may be written */
};

struct churn {
	struct mmbox *box;
	gfp_t gfp;
	unsigned int ops;
	u32 seed;			/* of the random operations */
	unsigned long seed_of_patterns;
	unsigned int max_order;		/* of pages */
	unsigned int nr_caches;		/* 0: none are used */
	struct mmbox_kmem_cache *caches[CHURN_MAX_CACHES];
	unsigned int kmalloc_classes;	/* sizes up to 8 << this; 0: not used */
	unsigned int nr_items;
	struct churn_item *items;

	unsigned long nr_steps;		/* done so far */

	/* Results. */
	unsigned long nr_allocs;
	unsigned long nr_failed;	/* allocations that failed */
	unsigned long nr_spoiled;	/* items whose content had changed */
	unsigned long nr_not_zero;	/* items that were not cleared */
};

/*
 * On each CPU a churn in a thread, and one in interrupts. If a CPU goes offline, its
 * thread runs elsewhere, and moves back when the CPU is online again.
 */
#define STORM_MAX_CPUS		TEST_MAX_CROWD

struct storm {
	unsigned int nr_cpus;
	bool stop;			/* end when the operations are done */
	struct storm_cpu {
		struct storm *storm;
		struct kunit *test;
		unsigned int cpu;	/* where it belongs */
		struct churn *thread, *interrupt;
		struct test_thread *runs;	/* NULL: not started */
		unsigned long nr_interrupts;
		unsigned long nr_returns;	/* times it was moved back */
	} cpu[STORM_MAX_CPUS];
};

struct churn *churn_new(struct kunit *test, struct mmbox *box, gfp_t gfp,
			unsigned int nr_items, u32 seed);
void churn_use_caches(struct churn *churn, struct mmbox_kmem_cache *const *caches,
		      unsigned int nr);
void churn_step(void *arg);
void churn_run(void *arg);
void churn_free_all(struct churn *churn);
unsigned long churn_nr_held(const struct churn *churn, const struct mmbox_kmem_cache *cachep);
void churn_expect_good(struct kunit *test, const struct churn *churn);

struct storm *storm_new(struct kunit *test, struct mmbox *box, gfp_t flags,
			unsigned int nr_items, unsigned int nr_interrupt_items);
void storm_start(struct kunit *test, struct storm *storm);
void storm_meanwhile(struct kunit *test, struct storm *storm, struct test_meanwhile *meanwhile);
void storm_expect_good(struct kunit *test, struct storm *storm);
void storm_of_pages(struct kunit *test, struct mmbox *box, gfp_t flags);

#endif /* _MMBOX_KUNIT_CHURN_H */
