// SPDX-License-Identifier: GPL-2.0
/*
 * Random use of a box. Each allocation is filled with a pattern of its own, which is
 * compared when it is freed. So memory that is handed out twice is found.
 *
 * A churn runs in a thread, or is stepped from an interrupt. It only counts faults and
 * fails no test itself, so it may run in any context. A storm runs a churn in a thread
 * and another in interrupts, on each CPU, all on the same box at the same time.
 */
#include <linux/cpumask.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "churn.h"

enum { KIND_FREE, KIND_PAGES, KIND_CACHE, KIND_KMALLOC };

static unsigned long pattern(const struct churn *churn, const struct churn_item *item)
{
	return (unsigned long)item->addr * 31 + churn->seed_of_patterns;
}

/* Bytes from one written word to the next: all of an object, one word a page of a block. */
static size_t item_step(const struct churn_item *item)
{
	return item->kind == KIND_PAGES ? PAGE_SIZE : sizeof(unsigned long);
}

static void item_fill(struct churn *churn, struct churn_item *item)
{
	size_t at;

	for (at = 0; at + sizeof(unsigned long) <= item->size; at += item_step(item))
		*(unsigned long *)(item->addr + at) = pattern(churn, item) + at;
}

static void item_check(struct churn *churn, struct churn_item *item)
{
	size_t at;

	for (at = 0; at + sizeof(unsigned long) <= item->size; at += item_step(item)) {
		if (*(unsigned long *)(item->addr + at) != pattern(churn, item) + at) {
			churn->nr_spoiled++;
			return;
		}
	}
}

static void check_zeroed(struct churn *churn, const struct churn_item *item)
{
	if (churn->gfp & __GFP_ZERO && memchr_inv(item->addr, 0, item->size))
		churn->nr_not_zero++;
}

static void alloc_pages_item(struct churn *churn, struct churn_item *item)
{
	item->order = test_random(&churn->seed) % (churn->max_order + 1);
	item->page = mmbox_alloc_pages(churn->box, churn->gfp, item->order);
	if (!item->page)
		return;
	item->kind = KIND_PAGES;
	item->addr = mmbox_page_address(churn->box, item->page);
	item->size = PAGE_SIZE << item->order;
}

static void alloc_cache_item(struct churn *churn, struct churn_item *item)
{
	item->cachep = churn->caches[test_random(&churn->seed) % churn->nr_caches];
	item->addr = mmbox_kmem_cache_alloc(item->cachep, churn->gfp);
	if (!item->addr)
		return;
	item->kind = KIND_CACHE;
	item->size = mmbox_kmem_cache_size(item->cachep);
}

static void alloc_kmalloc_item(struct churn *churn, struct churn_item *item)
{
	/* Each size class is as likely as any other. */
	item->size = 1 + test_random(&churn->seed) %
		     (8U << (test_random(&churn->seed) % churn->kmalloc_classes));
	item->addr = mmbox_kmalloc(churn->box, item->size, churn->gfp);
	if (item->addr)
		item->kind = KIND_KMALLOC;
}

static void item_alloc(struct churn *churn, struct churn_item *item)
{
	unsigned int what = test_random(&churn->seed) % 8;

	if (churn->kmalloc_classes && (what < 3 || !churn->nr_caches))
		alloc_kmalloc_item(churn, item);
	else if (churn->nr_caches && what < 7)
		alloc_cache_item(churn, item);
	else
		alloc_pages_item(churn, item);
	if (item->kind == KIND_FREE) {
		churn->nr_failed++;
		return;
	}
	churn->nr_allocs++;
	check_zeroed(churn, item);
	item_fill(churn, item);
}

static void item_free(struct churn *churn, struct churn_item *item)
{
	item_check(churn, item);
	switch (item->kind) {
	case KIND_PAGES:
		__mmbox_free_pages(churn->box, item->page, item->order);
		break;
	case KIND_CACHE:
		mmbox_kmem_cache_free(item->cachep, item->addr);
		break;
	default:
		mmbox_kfree(churn->box, item->addr);
	}
	item->kind = KIND_FREE;
}

/* One random operation. */
void churn_step(void *arg)
{
	struct churn *churn = arg;
	struct churn_item *item;

	item = &churn->items[test_random(&churn->seed) % churn->nr_items];
	if (item->kind == KIND_FREE)
		item_alloc(churn, item);
	else
		item_free(churn, item);
	WRITE_ONCE(churn->nr_steps, churn->nr_steps + 1);
}

/* churn->ops operations. Then all items are freed. */
void churn_run(void *arg)
{
	struct churn *churn = arg;
	unsigned int i;

	for (i = 0; i < churn->ops; i++) {
		churn_step(churn);
		if (i % 256 == 0)
			cond_resched();
	}
	churn_free_all(churn);
}

void churn_free_all(struct churn *churn)
{
	unsigned int i;

	for (i = 0; i < churn->nr_items; i++)
		if (churn->items[i].kind != KIND_FREE)
			item_free(churn, &churn->items[i]);
}

/* Objects of @cachep that the churn holds. */
unsigned long churn_nr_held(const struct churn *churn, const struct mmbox_kmem_cache *cachep)
{
	unsigned long nr = 0;
	unsigned int i;

	for (i = 0; i < churn->nr_items; i++)
		nr += churn->items[i].kind == KIND_CACHE && churn->items[i].cachep == cachep;
	return nr;
}

/* A churn that holds up to @nr_items items. It uses single pages until told otherwise. */
struct churn *churn_new(struct kunit *test, struct mmbox *box, gfp_t gfp,
			unsigned int nr_items, u32 seed)
{
	struct churn *churn = test_zalloc(test, sizeof(*churn));

	churn->box = box;
	churn->gfp = gfp;
	churn->ops = test_ops;
	churn->seed = seed;
	churn->seed_of_patterns = seed * 0x9e3779b9UL;
	churn->nr_items = nr_items;
	churn->items = test_zalloc(test, nr_items * sizeof(*churn->items));
	return churn;
}

/* Allocate from caches too. */
void churn_use_caches(struct churn *churn, struct mmbox_kmem_cache *const *caches,
		      unsigned int nr)
{
	churn->nr_caches = nr;
	memcpy(churn->caches, caches, nr * sizeof(*caches));
}

/* It allocated something, and found no fault. */
void churn_expect_good(struct kunit *test, const struct churn *churn)
{
	KUNIT_EXPECT_GT_MSG(test, churn->nr_allocs, 0, "nothing was allocated");
	KUNIT_EXPECT_EQ_MSG(test, churn->nr_spoiled, 0,
			    "memory was changed while it was held");
	KUNIT_EXPECT_EQ_MSG(test, churn->nr_not_zero, 0, "__GFP_ZERO did not clear");
}

/* ---- storms ---- */

/* If its CPU went offline and is back, move the thread and the interrupts back there. */
static void storm_return(struct storm_cpu *cpu, struct test_interrupts *interrupts)
{
	if (raw_smp_processor_id() == cpu->cpu || !cpu_online(cpu->cpu) ||
	    set_cpus_allowed_ptr(current, cpumask_of(cpu->cpu)))
		return;
	test_interrupts_move(interrupts);
	cpu->nr_returns++;
}

static void storm_run(void *arg)
{
	struct storm_cpu *cpu = arg;
	struct test_interrupts *interrupts;
	unsigned int i;

	interrupts = test_interrupts_start(cpu->test, churn_step, cpu->interrupt);
	for (i = 0; i < cpu->thread->ops || !READ_ONCE(cpu->storm->stop); i++) {
		churn_step(cpu->thread);
		if (i % 256 == 0) {
			cond_resched();
			storm_return(cpu, interrupts);
		}
	}
	churn_free_all(cpu->thread);
	cpu->nr_interrupts = test_interrupts_stop(interrupts);
	churn_free_all(cpu->interrupt);
}

/*
 * Each thread holds up to @nr_items, the interrupts of each CPU up to
 * @nr_interrupt_items. @flags are added to GFP_KERNEL and GFP_ATOMIC. They use single
 * pages; the caller may add caches and orders before the storm starts.
 */
struct storm *storm_new(struct kunit *test, struct mmbox *box, gfp_t flags,
			unsigned int nr_items, unsigned int nr_interrupt_items)
{
	struct storm *storm = test_zalloc(test, sizeof(*storm));
	unsigned int i;

	storm->nr_cpus = test_crowd_cpus(test, 1);
	storm->stop = true;
	for (i = 0; i < storm->nr_cpus; i++)
		storm->cpu[i] = (struct storm_cpu){
			.storm = storm,
			.test = test,
			.cpu = test_nth_cpu(i),
			.thread = churn_new(test, box, GFP_KERNEL | flags, nr_items, i),
			.interrupt = churn_new(test, box, GFP_ATOMIC | flags,
					       nr_interrupt_items, 10 + i),
		};
	return storm;
}

static unsigned long storm_nr_steps(const void *arg)
{
	const struct storm *storm = arg;
	unsigned long nr = 0;
	unsigned int i;

	for (i = 0; i < storm->nr_cpus; i++)
		nr += READ_ONCE(storm->cpu[i].thread->nr_steps) +
		      READ_ONCE(storm->cpu[i].interrupt->nr_steps);
	return nr;
}

static bool storm_ended(void *arg)
{
	struct storm *storm = arg;
	unsigned int i;

	for (i = 0; i < storm->nr_cpus; i++)
		if (!test_thread_done(storm->cpu[i].runs))
			return false;
	return true;
}

/* Start the storm and disturb it until it ends. Then call storm_expect_good(). */
void storm_meanwhile(struct kunit *test, struct storm *storm, struct test_meanwhile *meanwhile)
{
	storm->stop = false;
	storm_start(test, storm);
	test_meanwhile_run(test, meanwhile, storm_nr_steps, storm_ended, storm, &storm->stop);
	kunit_info(test, "%lu of %lu calls overlapped", meanwhile->nr_overlaps,
		   meanwhile->nr_calls);
}

/* The caller must wait for its end: storm_expect_good(). */
void storm_start(struct kunit *test, struct storm *storm)
{
	unsigned int i;

	for (i = 0; i < storm->nr_cpus; i++)
		storm->cpu[i].runs = test_thread_start(test, i, storm_run, &storm->cpu[i]);
}

/* Waits for the end. Each churn must have allocated, and found no fault. */
void storm_expect_good(struct kunit *test, struct storm *storm)
{
	unsigned int i;

	for (i = 0; i < storm->nr_cpus; i++)
		test_thread_wait(storm->cpu[i].runs);
	for (i = 0; i < storm->nr_cpus; i++) {
		const struct storm_cpu *cpu = &storm->cpu[i];

		churn_expect_good(test, cpu->thread);
		churn_expect_good(test, cpu->interrupt);
		KUNIT_EXPECT_GT(test, cpu->nr_interrupts, 0);
		kunit_info(test, "CPU %u: %lu interrupts", i, cpu->nr_interrupts);
	}
}

/* A storm of pages of several orders, from start to end. */
void storm_of_pages(struct kunit *test, struct mmbox *box, gfp_t flags)
{
	struct storm *storm = storm_new(test, box, flags, 200, 40);
	unsigned int i;

	for (i = 0; i < storm->nr_cpus; i++) {
		storm->cpu[i].thread->max_order = 6;
		storm->cpu[i].interrupt->max_order = 4;
	}
	storm_start(test, storm);
	storm_expect_good(test, storm);
	KUNIT_EXPECT_EQ(test, test_nr_bad(box), 0);
}
