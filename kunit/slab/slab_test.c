// SPDX-License-Identifier: GPL-2.0
/*
 * The slab layer: what users of a cache rely on, and how objects move between arrays and
 * slabs. Figures are compared with Linux 6.1's in slab_reference_test.c.
 */
#include <linux/preempt.h>
#include <linux/string.h>

#include "churn.h"
#include "slab/slab_private.h"

#define MAX_OBJECTS	4096

static struct mmbox_kmem_cache *new_cache(struct kunit *test, struct mmbox *box,
					  unsigned int size, slab_flags_t flags,
					  void (*ctor)(void *))
{
	struct mmbox_kmem_cache *cachep;

	cachep = mmbox_kmem_cache_create(box, "test", size, 0, flags, ctor);
	KUNIT_ASSERT_NOT_NULL_MSG(test, cachep, "no cache of %u bytes", size);
	return cachep;
}

static struct mmbox_array_cache *array_of(struct mmbox_kmem_cache *cachep, unsigned int nr)
{
	return per_cpu_ptr(cachep->cpu_cache, test_nth_cpu(nr));
}

/* Objects of some slabs are aligned and do not overlap. */
static void expect_layout(struct kunit *test, struct mmbox_kmem_cache *cachep,
			  unsigned int align, void **objs)
{
	unsigned int nr = min(3 * cachep->num + 1, 2000U), i;

	for (i = 0; i < nr; i++) {
		objs[i] = test_alloc_one(test, cachep);
		KUNIT_EXPECT_TRUE_MSG(test, IS_ALIGNED((unsigned long)objs[i] - cachep->va_base,
						       align),
				      "object of %u bytes, align %u", cachep->object_size, align);
		memset(objs[i], i, cachep->object_size);
	}
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_NULL_MSG(test, memchr_inv(objs[i], i, cachep->object_size),
				      "object %u of %u bytes was written by another",
				      i, cachep->object_size);
	/* Free half of them newest first, so that slabs are emptied in mixed order. */
	for (i = 1; i < nr; i += 2)
		mmbox_kmem_cache_free(cachep, objs[i]);
	for (i = nr; i--;)
		if (i % 2 == 0)
			mmbox_kmem_cache_free(cachep, objs[i]);
}

static void touch_nothing(void *objp)
{
}

/* All sizes and alignments, with each way to keep the freelist. */
static void objects_aligned_and_apart(struct kunit *test)
{
	static const unsigned int sizes[] = {
		1, 8, 9, 16, 17, 24, 32, 40, 63, 64, 65, 96, 100, 128, 192, 200, 256,
		257, 320, 500, 512, 513, 700, 1000, 1024, 1100, 1500, 2048, 2049, 3000,
		4096, 4097, 8192, 10000, 16384, 65536, 131072,
	};
	static const unsigned int aligns[] = { 0, 16, 64, 256, PAGE_SIZE };
	void **objs = test_zalloc(test, MAX_OBJECTS * sizeof(void *));
	struct mmbox *box = test_small_box(test);
	unsigned int i, j, off = 0, in_object = 0, at_end = 0;
	int with_ctor;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < ARRAY_SIZE(aligns); j++) {
			for (with_ctor = 0; with_ctor < 2; with_ctor++) {
				struct mmbox_kmem_cache *cachep;

				/* Three slabs of the largest objects do not fit into the box. */
				if (sizes[i] > 8192 && aligns[j] > 64)
					continue;
				cachep = mmbox_kmem_cache_create(box, "layout", sizes[i],
								 aligns[j], 0, with_ctor ?
								 touch_nothing : NULL);
				KUNIT_ASSERT_NOT_NULL(test, cachep);
				off += mmbox_off_slab(cachep);
				in_object += mmbox_objfreelist_slab(cachep);
				at_end += !mmbox_off_slab(cachep) &&
					  !mmbox_objfreelist_slab(cachep);
				expect_layout(test, cachep, max(aligns[j], 8U), objs);
				KUNIT_EXPECT_EQ_MSG(test, 0, mmbox_kmem_cache_destroy(cachep),
						    "size %u align %u", sizes[i], aligns[j]);
			}
		}
	}
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
	KUNIT_EXPECT_GT(test, off, 0);
	KUNIT_EXPECT_GT(test, in_object, 0);
	KUNIT_EXPECT_GT(test, at_end, 0);
}

/*
 * A CPU's array is first filled with few objects, then by the batch. When it is full, its
 * oldest batch goes to the shared array.
 */
static void array_refill_and_flush(struct kunit *test)
{
	void **objs = test_zalloc(test, MAX_OBJECTS * sizeof(void *));
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 256, 0, NULL);
	struct mmbox_kmem_cache_node *n = cachep->slab.node[0];
	struct mmbox_array_cache *ac;
	unsigned int i, held = 0;

	test_pin(test, 0);
	ac = array_of(cachep, 0);
	KUNIT_EXPECT_EQ(test, ac->limit, 120);
	KUNIT_EXPECT_EQ(test, ac->batchcount, 60);
	objs[held++] = test_alloc_one(test, cachep);
	KUNIT_EXPECT_EQ_MSG(test, ac->avail, 15, "the first refill is of 16, a slab");

	for (; held < 300; held++)
		objs[held] = test_alloc_one(test, cachep);
	KUNIT_EXPECT_LT(test, ac->avail, ac->batchcount);
	for (i = ac->avail; i < ac->limit; i++)
		mmbox_kmem_cache_free(cachep, objs[--held]);
	KUNIT_EXPECT_EQ(test, ac->avail, ac->limit);
	KUNIT_EXPECT_EQ(test, n->shared ? n->shared->avail : 0, 0);
	mmbox_kmem_cache_free(cachep, objs[--held]);
	KUNIT_EXPECT_EQ(test, ac->avail, ac->limit - ac->batchcount + 1);
	if (n->shared)
		KUNIT_EXPECT_EQ(test, n->shared->avail, ac->batchcount);
	/* The object freed last is allocated first. */
	KUNIT_EXPECT_PTR_EQ(test, test_alloc_one(test, cachep), objs[held]);
	test_check_box(test, box);

	mmbox_kmem_cache_free(cachep, objs[held]);
	while (held)
		mmbox_kmem_cache_free(cachep, objs[--held]);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_shrink(cachep));
	KUNIT_EXPECT_EQ(test, n->total_slabs, 0);
	KUNIT_EXPECT_EQ(test, ac->avail, 0);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

#define CTOR_WORD	0x600df00d

static atomic_t ctor_calls;

static void count_ctor(void *objp)
{
	u32 *words = objp;

	atomic_inc(&ctor_calls);
	words[0] = CTOR_WORD;
	words[24] = CTOR_WORD;
}

/* The constructor runs once for each object. Contents survive free and allocation. */
static void constructor_runs_once(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	u32 **objs = test_zalloc(test, 200 * sizeof(*objs));
	struct mmbox_kmem_cache *cachep;
	int i, round;

	atomic_set(&ctor_calls, 0);
	cachep = new_cache(test, box, 100, 0, count_ctor);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&ctor_calls));
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 200; i++) {
			objs[i] = test_alloc_one(test, cachep);
			KUNIT_EXPECT_EQ(test, objs[i][0], CTOR_WORD);
			KUNIT_EXPECT_EQ(test, objs[i][24], CTOR_WORD);
		}
		for (i = 0; i < 200; i++)
			mmbox_kmem_cache_free(cachep, objs[i]);
	}
	KUNIT_EXPECT_GE(test, atomic_read(&ctor_calls), 200);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&ctor_calls) % cachep->num);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

/* SLAB_TYPESAFE_BY_RCU: a freed object keeps its contents for late readers. */
static void contents_survive_under_rcu(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 64, SLAB_TYPESAFE_BY_RCU, NULL);
	void *objp = test_alloc_one(test, cachep);

	memset(objp, 0x77, 64);
	mmbox_kmem_cache_free(cachep, objp);
	KUNIT_EXPECT_NULL(test, memchr_inv(objp, 0x77, 64));
	KUNIT_EXPECT_PTR_EQ(test, test_alloc_one(test, cachep), objp);
	KUNIT_EXPECT_NULL(test, memchr_inv(objp, 0x77, 64));
	mmbox_kmem_cache_free(cachep, objp);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

static void gfp_zero_clears(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 8, 100, 1000, 10000 };
	struct mmbox *box = test_small_box(test);
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct mmbox_kmem_cache *cachep = new_cache(test, box, sizes[i], 0, NULL);
		void *p[20];

		for (j = 0; j < 20; j++)
			memset(p[j] = test_alloc_one(test, cachep), 0xa5, sizes[i]);
		for (j = 0; j < 20; j++)
			mmbox_kmem_cache_free(cachep, p[j]);
		for (j = 0; j < 20; j++) {
			p[j] = mmbox_kmem_cache_zalloc(cachep, GFP_KERNEL);
			KUNIT_EXPECT_NULL_MSG(test, memchr_inv(p[j], 0, sizes[i]), "size %u",
					      sizes[i]);
			memset(p[j], 0xa5, sizes[i]);
		}
		mmbox_kmem_cache_free_bulk(cachep, 20, p);
		KUNIT_EXPECT_EQ(test, 20, mmbox_kmem_cache_alloc_bulk(cachep, GFP_KERNEL |
								      __GFP_ZERO, 20, p));
		for (j = 0; j < 20; j++)
			KUNIT_EXPECT_NULL(test, memchr_inv(p[j], 0, sizes[i]));
		mmbox_kmem_cache_free_bulk(cachep, 20, p);
		KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	}
}

static void bulk_alloc_and_free(struct kunit *test)
{
	void **p = test_zalloc(test, MAX_OBJECTS * sizeof(void *));
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 64, 0, NULL);
	unsigned int nr, i;

	for (nr = 0; nr <= 1000; nr = nr * 3 + 1) {
		KUNIT_EXPECT_EQ(test, (int)nr,
				mmbox_kmem_cache_alloc_bulk(cachep, GFP_KERNEL, nr, p));
		for (i = 0; i < nr; i++)
			memset(p[i], i, 64);
		for (i = 0; i < nr; i++)
			KUNIT_EXPECT_NULL(test, memchr_inv(p[i], i, 64));
		mmbox_kmem_cache_free_bulk(cachep, nr, p);
		test_check_box(test, box);
	}
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

/* A bulk larger than the box fails, and leaves no object allocated. */
static void bulk_is_all_or_none(struct kunit *test)
{
	void **p = test_zalloc(test, MAX_OBJECTS * sizeof(void *));
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 8192, 0, NULL);

	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_alloc_bulk(cachep, GFP_KERNEL,
							     MAX_OBJECTS, p));
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_shrink(cachep));
	KUNIT_EXPECT_EQ(test, 10, mmbox_kmem_cache_alloc_bulk(cachep, GFP_KERNEL, 10, p));
	mmbox_kmem_cache_free_bulk(cachep, 10, p);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

/* A cache with an object in use is not destroyed, and works. */
static void destroy_refused(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 100, 0, NULL);
	unsigned long pages = mmbox_nr_used_pages(box);
	void *objp = test_alloc_one(test, cachep), *other;

	KUNIT_EXPECT_EQ(test, -EBUSY, mmbox_kmem_cache_destroy(cachep));
	other = test_alloc_one(test, cachep);
	mmbox_kmem_cache_free(cachep, other);
	mmbox_kmem_cache_free(cachep, objp);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	KUNIT_EXPECT_LE(test, mmbox_nr_used_pages(box), pages);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(NULL));
	KUNIT_EXPECT_EQ_MSG(test, -EPERM,
			    mmbox_kmem_cache_destroy(mmbox_kmalloc_slab(box, 64, 0)),
			    "a kmalloc cache was destroyed");
}

/* Bad arguments are refused. */
static void create_refused(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	static const char longest[] = "12345678901234567890123456789012345678901234567";
	unsigned long pages = mmbox_nr_used_pages(box);
	long bytes = atomic_long_read(&box->host.bytes);
	struct mmbox_kmem_cache *cachep;

	KUNIT_EXPECT_NULL(test, mmbox_kmem_cache_create(box, "x", 0, 0, 0, NULL));
	KUNIT_EXPECT_NULL(test, mmbox_kmem_cache_create(box, "x", SZ_8M, 0, 0, NULL));
	KUNIT_EXPECT_NULL(test, mmbox_kmem_cache_create(box, "x", UINT_MAX, 0, 0, NULL));
	KUNIT_EXPECT_NULL(test, mmbox_kmem_cache_create(box, "x", 8, 3, 0, NULL));
	KUNIT_EXPECT_NULL(test, mmbox_kmem_cache_create(box, "x", 8, SZ_8K, 0, NULL));
	KUNIT_EXPECT_NULL(test, mmbox_kmem_cache_create(box, "x", 8, 0, SLAB_PANIC, NULL));
	KUNIT_EXPECT_NULL(test, mmbox_kmem_cache_create(box, NULL, 8, 0, 0, NULL));
	KUNIT_EXPECT_NULL(test, mmbox_kmem_cache_create(box, "", 8, 0, 0, NULL));
	KUNIT_EXPECT_NULL(test, mmbox_kmem_cache_create(box, "a b", 8, 0, 0, NULL));
	KUNIT_EXPECT_NULL(test, mmbox_kmem_cache_create(box, "a\n", 8, 0, 0, NULL));
	KUNIT_ASSERT_EQ(test, strlen(longest), MMBOX_SLAB_NAME_LEN - 1);
	cachep = mmbox_kmem_cache_create(box, longest, 8, 0, 0, NULL);
	KUNIT_EXPECT_NOT_NULL(test, cachep);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	KUNIT_EXPECT_EQ(test, bytes, atomic_long_read(&box->host.bytes));
	mmbox_kmem_cache_shrink(box->slab.kmem_cache);
	KUNIT_EXPECT_LE(test, mmbox_nr_used_pages(box), pages + 2);
}

/* All flags that 6.1 accepts are accepted, so that code can be ported unchanged. */
static void create_flags(struct kunit *test)
{
	static const slab_flags_t flags[] = {
		SLAB_ACCOUNT, MMBOX_SLAB_MEM_SPREAD, SLAB_DEBUG_OBJECTS, SLAB_NO_USER_FLAGS,
		SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE |
		SLAB_CONSISTENCY_CHECKS, SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
	};
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep;
	int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		cachep = mmbox_kmem_cache_create(box, "flags", 100, 0, flags[i], NULL);
		KUNIT_ASSERT_NOT_NULL_MSG(test, cachep, "flags %#x",
					  (__force unsigned int)flags[i]);
		KUNIT_EXPECT_EQ(test, cachep->size, 104);
		KUNIT_EXPECT_EQ(test, cachep->debug, 0);
		mmbox_kmem_cache_free(cachep, test_alloc_one(test, cachep));
		KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	}
}

/* Caches are created, used and destroyed many times, without a leak. */
static void create_destroy_no_drift(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	unsigned long pages = 0;
	long bytes = 0;
	int round, i;

	/* Stay on one CPU: the arrays of a second one would look like a leak. */
	test_pin(test, 0);
	for (round = 0; round < 100; round++) {
		struct mmbox_kmem_cache *cachep[8];

		for (i = 0; i < 8; i++) {
			cachep[i] = new_cache(test, box, 16 << i, 0, NULL);
			mmbox_kmem_cache_free(cachep[i], test_alloc_one(test, cachep[i]));
		}
		for (i = 0; i < 8; i++)
			KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep[i]));
		if (round == 10) {
			pages = mmbox_nr_used_pages(box);
			bytes = atomic_long_read(&box->host.bytes);
		}
	}
	KUNIT_EXPECT_EQ(test, bytes, atomic_long_read(&box->host.bytes));
	KUNIT_EXPECT_LE(test, mmbox_nr_used_pages(box), pages);
}

struct elsewhere {
	struct mmbox_kmem_cache *cachep;
	void **objs;
	unsigned int nr;
};

static void free_elsewhere(void *arg)
{
	struct elsewhere *e = arg;

	while (e->nr)
		mmbox_kmem_cache_free(e->cachep, e->objs[--e->nr]);
}

/* Objects of one CPU are freed on the other. A shrink empties both arrays. */
static void free_on_other_cpu(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct elsewhere e = { .cachep = new_cache(test, box, 256, 0, NULL) };
	int round;

	test_needs_two_cpus(test);
	e.objs = test_zalloc(test, MAX_OBJECTS * sizeof(void *));
	for (round = 0; round < 6; round++) {
		test_pin(test, round % 2);
		for (e.nr = 0; e.nr < 1000; e.nr++)
			e.objs[e.nr] = test_alloc_one(test, e.cachep);
		test_thread_wait(test_thread_start(test, !(round % 2), free_elsewhere, &e));
		KUNIT_EXPECT_GT(test, array_of(e.cachep, !(round % 2))->avail, 0);
		test_check_box(test, box);
	}
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_shrink(e.cachep));
	KUNIT_EXPECT_EQ(test, 0, e.cachep->slab.node[0]->total_slabs);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(e.cachep));
}

/* An interrupt that finds the CPU's array busy goes to the node, and leaves it alone. */
static void interrupt_bypasses_busy_array(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 64, 0, NULL);
	struct mmbox_array_cache *ac;
	unsigned int avail, i;
	void *objs[10], *p[4];
	bool touched;
	int got;

	test_pin(test, 0);
	mmbox_kmem_cache_free(cachep, test_alloc_one(test, cachep));
	preempt_disable();
	ac = this_cpu_ptr(cachep->cpu_cache);
	avail = ac->avail;
	ac->busy++;
	for (i = 0; i < 10; i++)
		objs[i] = mmbox_kmem_cache_alloc(cachep, GFP_ATOMIC);
	got = mmbox_kmem_cache_alloc_bulk(cachep, GFP_ATOMIC, 4, p);
	if (got)
		mmbox_kmem_cache_free_bulk(cachep, 4, p);
	for (i = 0; i < 10; i++)
		if (objs[i])
			mmbox_kmem_cache_free(cachep, objs[i]);
	touched = ac->avail != avail || ac->busy == cachep->slab.idle;
	ac->busy--;
	preempt_enable();
	KUNIT_EXPECT_FALSE_MSG(test, touched, "the array was touched");
	KUNIT_EXPECT_EQ(test, got, 4);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_NOT_NULL(test, objs[i]);
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

/* No page for a slab, then one page more each time. */
static void slab_pages_refused(struct kunit *test)
{
	struct mmbox_page **pages = test_zalloc(test, MAX_OBJECTS * sizeof(*pages));
	void **objs = test_zalloc(test, MAX_OBJECTS * sizeof(void *));
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 1024, 0, NULL);
	unsigned int nr = 0, held = 0, round;

	while (nr < MAX_OBJECTS) {
		pages[nr] = mmbox_alloc_pages(box, GFP_KERNEL, 0);
		if (!pages[nr])
			break;
		nr++;
	}
	KUNIT_EXPECT_NULL(test, mmbox_kmem_cache_alloc(cachep, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, mmbox_kmem_cache_alloc(cachep, GFP_NOWAIT));
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_alloc_bulk(cachep, GFP_KERNEL, 4, objs));
	for (round = 0; round < 50; round++) {
		__mmbox_free_pages(box, pages[--nr], 0);
		while (held < MAX_OBJECTS) {
			objs[held] = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
			if (!objs[held])
				break;
			memset(objs[held], held, 1024);
			held++;
		}
	}
	KUNIT_EXPECT_GE(test, held, 4 * 45);
	test_check_box(test, box);
	while (nr)
		__mmbox_free_pages(box, pages[--nr], 0);
	while (held--) {
		KUNIT_EXPECT_NULL(test, memchr_inv(objs[held], held, 1024));
		mmbox_kmem_cache_free(cachep, objs[held]);
	}
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

/* There are pages for a slab, but no memory for its off-slab freelist. */
static void indices_refused(struct kunit *test)
{
	void **objs = test_zalloc(test, MAX_OBJECTS * sizeof(void *));
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = NULL;
	unsigned int size, nr = 0, i;
	struct mmbox_page *page;
	void **link, *last = NULL;

	for (size = 512; size < 4096; size += 64) {
		cachep = new_cache(test, box, size, 0, touch_nothing);
		if (mmbox_off_slab(cachep))
			break;
		KUNIT_ASSERT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	}
	KUNIT_ASSERT_TRUE(test, mmbox_off_slab(cachep));

	/* Leave the pages of one slab free, and no object for its freelist. */
	page = mmbox_alloc_pages(box, GFP_KERNEL, cachep->gfporder);
	KUNIT_ASSERT_NOT_NULL(test, page);
	while ((link = mmbox_kmalloc(box, PAGE_SIZE, GFP_KERNEL))) {
		*link = last;
		last = link;
	}
	while (nr < MAX_OBJECTS) {
		objs[nr] = mmbox_kmalloc(box, max(32U, cachep->slab.freelist_size), GFP_KERNEL);
		if (!objs[nr])
			break;
		nr++;
	}
	for (i = 0; i < 3; i++) {
		__mmbox_free_pages(box, page, cachep->gfporder);
		KUNIT_EXPECT_NULL(test, mmbox_kmem_cache_alloc(cachep, GFP_KERNEL));
		page = mmbox_alloc_pages(box, GFP_KERNEL, cachep->gfporder);
		KUNIT_ASSERT_NOT_NULL_MSG(test, page, "the slab's pages were not freed");
	}
	__mmbox_free_pages(box, page, cachep->gfporder);
	while (nr)
		mmbox_kfree(box, objs[--nr]);
	while ((link = last)) {
		last = *link;
		mmbox_kfree(box, link);
	}
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

/* An object of @cachep in the page of @old, the last object that this CPU freed. */
static void *object_in_page_of(struct kunit *test, struct mmbox_kmem_cache *cachep,
			       const void *old, void **objs, unsigned int *nr)
{
	unsigned long page = (unsigned long)old & PAGE_MASK;

	for (*nr = 0; *nr < 256;) {
		void *objp = test_alloc_one(test, cachep);

		objs[(*nr)++] = objp;
		if (((unsigned long)objp & PAGE_MASK) == page)
			return objp;
	}
	KUNIT_FAIL(test, "the page of the old slab was not used");
	return NULL;
}

/* The hint of a freed slab is removed, also if the last free was to that slab. */
static void hint_of_gone_slab_forgotten(struct kunit *test)
{
	void **objs = test_zalloc(test, 256 * sizeof(void *));
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 256, 0, NULL);
	struct mmbox_kmem_cache *other;
	unsigned int nr, round;
	void *old, *objp;

	test_pin(test, 0);
	for (round = 0; round < 2; round++) {
		other = mmbox_kmem_cache_create(box, "other", 256, 0, 0, NULL);
		KUNIT_ASSERT_NOT_NULL(test, other);
		old = test_alloc_one(test, cachep);
		if (round)
			mmbox_kfree(box, old);
		else
			mmbox_kmem_cache_free(cachep, old);
		KUNIT_ASSERT_EQ(test, 0, mmbox_kmem_cache_shrink(cachep));
		objp = object_in_page_of(test, other, old, objs, &nr);
		KUNIT_ASSERT_NOT_NULL(test, objp);
		if (round) {
			mmbox_kfree(box, objp);
			KUNIT_EXPECT_PTR_EQ(test, test_alloc_one(test, other), objp);
		} else {
			mmbox_kmem_cache_free(cachep, objp);
			KUNIT_EXPECT_EQ(test, 1, test_nr_bad(box));
		}
		while (nr)
			mmbox_kmem_cache_free(other, objs[--nr]);
		KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(other));
	}
	KUNIT_EXPECT_EQ(test, 1, test_nr_bad(box));
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

static void kfree_one(void *arg)
{
	struct mmbox_kmem_cache *cachep = arg;
	void *objp = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);

	if (objp)
		mmbox_kfree(cachep->box, objp);
}

/* The hint of a destroyed cache is removed, also on another CPU. */
static void hint_of_gone_cache_forgotten(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 256, 0, NULL);
	struct mmbox_kfree_hint *hint;

	test_needs_two_cpus(test);
	hint = per_cpu_ptr(box->slab.hints, test_nth_cpu(1));
	test_pin(test, 0);
	test_thread_wait(test_thread_start(test, 1, kfree_one, cachep));
	KUNIT_EXPECT_PTR_EQ(test, hint->cachep, cachep);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	KUNIT_EXPECT_PTR_NE(test, hint->cachep, cachep);
	KUNIT_EXPECT_PTR_EQ(test, hint->cachep, box->slab.kmem_cache);
}

/* ---- random use ---- */

static void add_caches(struct churn *churn, struct mmbox_kmem_cache **caches,
		       unsigned int nr)
{
	churn_use_caches(churn, caches, nr);
	churn->kmalloc_classes = 10;
	churn->max_order = 3;
}

static unsigned int make_caches(struct kunit *test, struct mmbox *box,
				struct mmbox_kmem_cache **caches)
{
	static const unsigned int sizes[] = { 16, 40, 100, 192, 500, 1100, 3000, 9000 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		caches[i] = new_cache(test, box, sizes[i], i & 1 ? SLAB_HWCACHE_ALIGN : 0, NULL);
	return i;
}

static void destroy_caches(struct kunit *test, struct mmbox_kmem_cache **caches,
			   unsigned int nr)
{
	while (nr--)
		KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(caches[nr]));
}

/* All is freed: the only pages in use are those that caches keep. */
static void random_use(struct kunit *test)
{
	struct mmbox_kmem_cache *caches[CHURN_MAX_CACHES];
	struct mmbox *box = test_small_box(test);
	unsigned int nr = make_caches(test, box, caches);
	struct churn *churn = churn_new(test, box, GFP_KERNEL, 1000, 1);

	add_caches(churn, caches, nr);
	churn_run(churn);
	churn_expect_good(test, churn);
	churn->gfp |= __GFP_ZERO;
	churn_run(churn);
	churn_expect_good(test, churn);
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
	destroy_caches(test, caches, nr);
}

/* The churn holds so much that the box is out of memory most of the time. */
static void random_use_without_memory(struct kunit *test)
{
	struct mmbox_kmem_cache *caches[CHURN_MAX_CACHES];
	struct mmbox *box = test_small_box(test);
	unsigned int nr = make_caches(test, box, caches);
	struct churn *churn = churn_new(test, box, GFP_KERNEL, 16000, 2);

	add_caches(churn, caches, nr);
	churn->kmalloc_classes = 13;
	churn_run(churn);
	churn_expect_good(test, churn);
	KUNIT_EXPECT_GT_MSG(test, churn->nr_failed, 50, "the box never ran out");
	kunit_info(test, "%lu allocations, %lu failed", churn->nr_allocs, churn->nr_failed);
	destroy_caches(test, caches, nr);
}

struct shrink {
	struct mmbox_kmem_cache *caches[CHURN_MAX_CACHES];
	unsigned int nr, round;
};

static void shrink_next(void *arg)
{
	struct shrink *s = arg;
	struct mmbox_kmem_cache *cachep = s->caches[s->round++ % s->nr];

	mmbox_kmem_cache_shrink(cachep);
	mmbox_drain_all_pages(cachep->box);
}

/* Threads and interrupts on each CPU, while caches are shrunk. */
static void storm_on_all_cpus(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct shrink *s = test_zalloc(test, sizeof(*s));
	struct test_meanwhile meanwhile = {
		.fn = shrink_next, .arg = s, .least = TEST_LEAST_OVERLAPS,
	};
	struct storm *storm = storm_new(test, box, 0, 400, 60);
	unsigned int i;

	s->nr = make_caches(test, box, s->caches);
	for (i = 0; i < storm->nr_cpus; i++) {
		/* The instructions that an interrupt must hit are few, so take many steps. */
		storm->cpu[i].thread->ops = 3 * test_ops;
		add_caches(storm->cpu[i].thread, s->caches, s->nr);
		add_caches(storm->cpu[i].interrupt, s->caches, s->nr);
	}
	storm_meanwhile(test, storm, &meanwhile);
	storm_expect_good(test, storm);
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
	destroy_caches(test, s->caches, s->nr);
}

/* More objects than an array holds, so that some go back to their slabs. */
static void overflow_array(void *arg)
{
	struct mmbox_kmem_cache *cachep = arg;
	void *objs[6];
	int i, nr;

	for (nr = 0; nr < ARRAY_SIZE(objs); nr++) {
		objs[nr] = mmbox_kmem_cache_alloc(cachep, GFP_ATOMIC | __GFP_NOWARN);
		if (!objs[nr])
			break;
	}
	for (i = 0; i < nr; i++)
		mmbox_kmem_cache_free(cachep, objs[i]);
	/* The next objects come from new slabs. */
	if (in_task())
		mmbox_kmem_cache_shrink(cachep);
}

/*
 * A refill moves objects of a new slab into the array. Interrupts that allocate these and
 * free them to the slab must find the slab on a list.
 */
static void refill_interrupted(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 1024, 0, NULL);
	struct test_crowd crowd = {
		.nr_cpus = min(num_online_cpus(), 2U),
		.step = overflow_array,
		.thread = { cachep, cachep },
		.interrupt = { cachep, cachep },
	};

	KUNIT_ASSERT_EQ(test, 0, test_tune(cachep, 2, 2, 0));
	test_crowd_run(test, &crowd, min(test_ops, TEST_ROUND_OPS) / 20, NULL);
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
	test_check_box(test, box);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(objects_aligned_and_apart),
	KUNIT_CASE(array_refill_and_flush),
	KUNIT_CASE(constructor_runs_once),
	KUNIT_CASE(contents_survive_under_rcu),
	KUNIT_CASE(gfp_zero_clears),
	KUNIT_CASE(bulk_alloc_and_free),
	KUNIT_CASE(bulk_is_all_or_none),
	KUNIT_CASE(destroy_refused),
	KUNIT_CASE(create_refused),
	KUNIT_CASE(create_flags),
	KUNIT_CASE(create_destroy_no_drift),
	KUNIT_CASE(free_on_other_cpu),
	KUNIT_CASE(interrupt_bypasses_busy_array),
	KUNIT_CASE(slab_pages_refused),
	KUNIT_CASE(indices_refused),
	KUNIT_CASE(hint_of_gone_slab_forgotten),
	KUNIT_CASE(hint_of_gone_cache_forgotten),
	KUNIT_CASE(refill_interrupted),
	KUNIT_CASE(random_use),
	KUNIT_CASE(random_use_without_memory),
	KUNIT_CASE(storm_on_all_cpus),
	{}
};

TEST_SUITE(slab_suite, "mmbox_slab", cases);
