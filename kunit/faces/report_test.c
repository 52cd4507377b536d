// SPDX-License-Identifier: GPL-2.0
/*
 * Mistakes of a user: each is refused, is counted under the right name, and leaves the
 * box as it was.
 */
#include <linux/string.h>

#include "testing.h"

/* Exactly one mistake was counted since the last call, under @why. */
static void expect_bad(struct kunit *test, struct mmbox *box, enum mmbox_bad why)
{
	int i;

	for (i = 0; i < MMBOX_NR_BAD; i++)
		KUNIT_EXPECT_EQ_MSG(test, atomic_long_read(&box->faces.bad[i]), i == why,
				    "frees refused as %s", mmbox_bad_names[i]);
	for (i = 0; i < MMBOX_NR_BAD; i++)
		atomic_long_set(&box->faces.bad[i], 0);
	test_check_box(test, box);
}

static struct mmbox_kmem_cache *new_cache(struct kunit *test, struct mmbox *box,
					  const char *name, unsigned int size)
{
	struct mmbox_kmem_cache *cachep;

	cachep = mmbox_kmem_cache_create(box, name, size, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	return cachep;
}

/* An address outside the box: of the host, before the region, and behind it. */
static void foreign_address(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, "a", 64);
	void *addr[] = {
		test, (void *)box->physmap.va_base - 64,
		(void *)box->physmap.va_base + box->physmap.va_size,
		(void *)8, (void *)-64UL,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(addr); i++) {
		mmbox_kmem_cache_free(cachep, addr[i]);
		expect_bad(test, box, MMBOX_BAD_FOREIGN);
		if (!ZERO_OR_NULL_PTR(addr[i])) {
			mmbox_kfree(box, addr[i]);
			expect_bad(test, box, MMBOX_BAD_FOREIGN);
		}
		mmbox_free_pages(box, (unsigned long)addr[i], 0);
		expect_bad(test, box, MMBOX_BAD_FOREIGN);
		__mmbox_free_pages(box, addr[i], 0);
		expect_bad(test, box, MMBOX_BAD_FOREIGN);
	}
	/* In the middle of a page descriptor. */
	__mmbox_free_pages(box, (void *)box->memmap.map + 8, 0);
	expect_bad(test, box, MMBOX_BAD_FOREIGN);
}

static void wrong_cache(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *a = new_cache(test, box, "a", 64);
	struct mmbox_kmem_cache *b = new_cache(test, box, "b", 64);
	void *objp = mmbox_kmem_cache_alloc(a, GFP_KERNEL);
	void *page = (void *)__mmbox_get_free_page(box, GFP_KERNEL);
	void *large = mmbox_kmalloc(box, SZ_256K, GFP_KERNEL);

	memset(objp, 0x5a, 64);
	mmbox_kmem_cache_free(b, objp);
	expect_bad(test, box, MMBOX_BAD_CACHE);
	KUNIT_EXPECT_NULL_MSG(test, memchr_inv(objp, 0x5a, 64), "the object was written to");
	mmbox_kmem_cache_free(a, page);
	expect_bad(test, box, MMBOX_BAD_CACHE);
	mmbox_kmem_cache_free(a, large);
	expect_bad(test, box, MMBOX_BAD_CACHE);
	mmbox_kmem_cache_free(a, box->memmap.map);
	expect_bad(test, box, MMBOX_BAD_CACHE);
	/* These pages were not allocated by kmalloc. */
	mmbox_kfree(box, page);
	expect_bad(test, box, MMBOX_BAD_CACHE);

	mmbox_kmem_cache_free(a, objp);
	mmbox_kfree(box, large);
	mmbox_free_page(box, (unsigned long)page);
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(a));
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(b));
}

/* Every address of a slab but the start of an object. */
static void not_an_object(struct kunit *test)
{
	static const unsigned int sizes[] = { 16, 24, 100, 200, 700, 2048, 5000 };
	struct mmbox *box = test_small_box(test);
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct mmbox_kmem_cache *cachep = new_cache(test, box, "a", sizes[i]);
		void *objp = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
		unsigned int at, step = max(sizes[i] / 16, 1U);

		memset(objp, 0x5a, sizes[i]);
		for (at = 1; at < sizes[i]; at += step) {
			mmbox_kmem_cache_free(cachep, objp + at);
			mmbox_kfree(box, objp + at);
		}
		KUNIT_EXPECT_EQ_MSG(test, test_nr_bad(box),
				    atomic_long_read(&box->faces.bad[MMBOX_BAD_OBJECT]),
				    "size %u", sizes[i]);
		KUNIT_EXPECT_EQ_MSG(test, test_nr_bad(box),
				    2L * DIV_ROUND_UP(sizes[i] - 1, step), "size %u", sizes[i]);
		KUNIT_EXPECT_NULL(test, memchr_inv(objp, 0x5a, sizes[i]));
		atomic_long_set(&box->faces.bad[MMBOX_BAD_OBJECT], 0);
		mmbox_kmem_cache_free(cachep, objp);
		KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	}
}

/* The parts of a slab without objects: colour and freelist. */
static void outside_objects(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, "a", 700);
	void *objp = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
	unsigned long slab = (unsigned long)objp & ~cachep->slab_mask;
	unsigned long end = slab + cachep->slab_mask + 1, at;
	long refused = 0;

	/* The slab's last bytes have no room for an object, nor its first, if it is coloured. */
	for (at = end - 8; at + 700 > end; at -= 8) {
		mmbox_kmem_cache_free(cachep, (void *)at);
		refused++;
	}
	KUNIT_EXPECT_EQ(test, refused, atomic_long_read(&box->faces.bad[MMBOX_BAD_OBJECT]));
	test_check_box(test, box);
}

static void double_free_object(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, "a", 64);
	void *objp[8];
	int i;

	for (i = 0; i < 8; i++)
		objp[i] = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
	for (i = 0; i < 8; i++) {
		memset(objp[i], 0x5a, 64);
		mmbox_kmem_cache_free(cachep, objp[i]);
		mmbox_kmem_cache_free(cachep, objp[i]);
		expect_bad(test, box, MMBOX_BAD_DOUBLE);
	}
	/* Not the object that was freed last, and by kfree. */
	mmbox_kmem_cache_free(cachep, objp[0]);
	expect_bad(test, box, MMBOX_BAD_DOUBLE);
	mmbox_kfree(box, objp[3]);
	expect_bad(test, box, MMBOX_BAD_DOUBLE);
	/* An object that has gone back to its slab. */
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_shrink(cachep));
	objp[0] = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
	objp[1] = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
	mmbox_kmem_cache_free(cachep, objp[1]);
	mmbox_kmem_cache_shrink(cachep);
	mmbox_kmem_cache_free(cachep, objp[1]);
	expect_bad(test, box, MMBOX_BAD_DOUBLE);
	mmbox_kmem_cache_free(cachep, objp[0]);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

/* One object several times in one bulk: it is freed once. */
static void double_free_in_bulk(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, "a", 64);
	void *p[4];

	KUNIT_ASSERT_EQ(test, 3, mmbox_kmem_cache_alloc_bulk(cachep, GFP_KERNEL, 3, p));
	p[3] = p[1];
	mmbox_kmem_cache_free_bulk(cachep, 4, p);
	expect_bad(test, box, MMBOX_BAD_DOUBLE);
	p[0] = test;
	mmbox_kmem_cache_free_bulk(cachep, 1, p);
	expect_bad(test, box, MMBOX_BAD_FOREIGN);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

static void touch_nothing(void *objp)
{
}

/* Objects with a constructor have no mark, as their contents must survive. */
static void double_free_constructed(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep;
	void *objp;

	cachep = mmbox_kmem_cache_create(box, "c", 64, 0, 0, touch_nothing);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	objp = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
	mmbox_kmem_cache_free(cachep, objp);
	mmbox_kmem_cache_free(cachep, objp);
	expect_bad(test, box, MMBOX_BAD_DOUBLE);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

/*
 * An object with a constructor is freed again after all of its slab is free. It has
 * no mark, and no object of the slab is in use.
 */
static void double_free_to_free_slab(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep;
	struct mmbox_slabinfo sinfo;
	void *p[3];
	int i;

	test_pin(test, 0);
	cachep = mmbox_kmem_cache_create(box, "c", 64, 0, 0, touch_nothing);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	KUNIT_ASSERT_EQ(test, 3, mmbox_kmem_cache_alloc_bulk(cachep, GFP_KERNEL, 3, p));
	mmbox_kmem_cache_free_bulk(cachep, 3, p);
	/* Resizing empties the arrays. The slab stays. */
	KUNIT_EXPECT_EQ(test, 0, test_tune(cachep, 120, 60, 0));
	mmbox_get_slabinfo(cachep, &sinfo);
	KUNIT_ASSERT_EQ(test, 1, sinfo.num_slabs - sinfo.active_slabs);
	mmbox_kmem_cache_free(cachep, p[0]);
	mmbox_kmem_cache_free(cachep, p[1]);
	KUNIT_EXPECT_EQ(test, 0, test_tune(cachep, 120, 60, 0));
	KUNIT_EXPECT_EQ(test, 2, atomic_long_read(&box->faces.bad[MMBOX_BAD_DOUBLE]));
	atomic_long_set(&box->faces.bad[MMBOX_BAD_DOUBLE], 0);
	test_check_box(test, box);
	for (i = 0; i < 3; i++) {
		p[i] = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
		KUNIT_EXPECT_NOT_NULL(test, p[i]);
	}
	KUNIT_EXPECT_PTR_NE(test, p[0], p[1]);
	mmbox_kmem_cache_free_bulk(cachep, 3, p);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

/* The pages are free, and no longer the head of a block. */
static void double_free_of_free_pages(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = new_cache(test, box, "a", 64);
	void *objp = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
	void *large = mmbox_kmalloc(box, SZ_256K, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, objp);
	KUNIT_ASSERT_NOT_NULL(test, large);
	mmbox_kfree(box, large + PAGE_SIZE);
	expect_bad(test, box, MMBOX_BAD_OBJECT);
	mmbox_kfree(box, large + SZ_128K);
	expect_bad(test, box, MMBOX_BAD_OBJECT);
	/* The block is merged with a free buddy. */
	mmbox_kfree(box, large);
	mmbox_kfree(box, large);
	expect_bad(test, box, MMBOX_BAD_DOUBLE);

	mmbox_kmem_cache_free(cachep, objp);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_shrink(cachep));
	mmbox_kmem_cache_free(cachep, objp);
	expect_bad(test, box, MMBOX_BAD_DOUBLE);
	mmbox_drain_all_pages(box);
	mmbox_kmem_cache_free(cachep, objp);
	expect_bad(test, box, MMBOX_BAD_DOUBLE);
	mmbox_kfree(box, objp);
	expect_bad(test, box, MMBOX_BAD_DOUBLE);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

/* kfree_sensitive() and krealloc() check an address before they write there. */
static void bad_address_not_written(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	u8 *p = mmbox_kmalloc(box, 64, GFP_KERNEL), *next = mmbox_kmalloc(box, 64, GFP_KERNEL);
	u8 *large = mmbox_kmalloc(box, SZ_256K, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, next);
	KUNIT_ASSERT_NOT_NULL(test, large);
	memset(p, 0x5a, 64);
	memset(next, 0x5a, 64);
	memset(large, 0x5a, SZ_256K);
	mmbox_kfree_sensitive(box, p + 8);
	expect_bad(test, box, MMBOX_BAD_OBJECT);
	mmbox_kfree_sensitive(box, large + 8);
	expect_bad(test, box, MMBOX_BAD_OBJECT);
	KUNIT_EXPECT_NULL(test, mmbox_krealloc(box, p + 8, 32, GFP_KERNEL | __GFP_ZERO));
	expect_bad(test, box, MMBOX_BAD_OBJECT);
	KUNIT_EXPECT_NULL(test, mmbox_krealloc(box, p + 8, 100, GFP_KERNEL));
	expect_bad(test, box, MMBOX_BAD_OBJECT);
	KUNIT_EXPECT_NULL(test, mmbox_krealloc(box, large + 8, SZ_512K, GFP_KERNEL));
	expect_bad(test, box, MMBOX_BAD_OBJECT);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x5a, 64));
	KUNIT_EXPECT_NULL(test, memchr_inv(next, 0x5a, 64));
	KUNIT_EXPECT_NULL(test, memchr_inv(large, 0x5a, SZ_256K));
	mmbox_kfree(box, large);

	mmbox_kfree_sensitive(box, p);
	mmbox_kfree_sensitive(box, p);
	expect_bad(test, box, MMBOX_BAD_DOUBLE);
	mmbox_kfree(box, p);
	expect_bad(test, box, MMBOX_BAD_DOUBLE);
	KUNIT_EXPECT_NULL(test, mmbox_krealloc(box, p, 32, GFP_KERNEL));
	expect_bad(test, box, MMBOX_BAD_DOUBLE);
	mmbox_kfree_sensitive(box, test);
	expect_bad(test, box, MMBOX_BAD_FOREIGN);
	mmbox_kfree(box, next);
}

struct late {
	unsigned long word;
	struct rcu_head rcu;
};

/* An object is given to kfree_rcu() twice, and a foreign address once. */
static void double_free_rcu(struct kunit *test)
{
	struct late *p, *next, *foreign = test_zalloc(test, sizeof(*foreign));
	struct mmbox *box = test_small_box(test);
	int i;

	for (i = 0; i < 3; i++) {
		p = mmbox_kmalloc(box, sizeof(*p), GFP_KERNEL);
		next = mmbox_kmalloc(box, sizeof(*p), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_NOT_NULL(test, next);
		/* The two alone, then with another object before or between them. */
		if (i == 1)
			mmbox_kfree_rcu(box, next, rcu);
		mmbox_kfree_rcu(box, p, rcu);
		if (i == 2)
			mmbox_kfree_rcu(box, next, rcu);
		mmbox_kfree_rcu(box, p, rcu);
		KUNIT_EXPECT_EQ(test, 1, atomic_long_read(&box->faces.bad[MMBOX_BAD_DOUBLE]));
		mmbox_kfree_rcu_barrier(box);
		expect_bad(test, box, MMBOX_BAD_DOUBLE);
		if (!i)
			mmbox_kfree(box, next);
	}
	mmbox_kfree_rcu(box, foreign, rcu);
	mmbox_kfree_rcu_barrier(box);
	expect_bad(test, box, MMBOX_BAD_FOREIGN);
	KUNIT_EXPECT_NULL_MSG(test, foreign->rcu.func, "it was written to");
}

static void wrong_order(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	unsigned int order, wrong;

	for (order = 0; order < 8; order++) {
		struct mmbox_page *page = mmbox_alloc_pages(box, GFP_KERNEL, order);

		KUNIT_ASSERT_NOT_NULL(test, page);
		for (wrong = 0; wrong < 11; wrong++) {
			if (wrong == order)
				continue;
			__mmbox_free_pages(box, page, wrong);
			expect_bad(test, box, MMBOX_BAD_ORDER);
		}
		/* Orders of which only the low bits are right. */
		__mmbox_free_pages(box, page, order + 256);
		expect_bad(test, box, MMBOX_BAD_ORDER);
		__mmbox_free_pages(box, page, order + 0x1000000);
		expect_bad(test, box, MMBOX_BAD_ORDER);
		__mmbox_free_pages(box, page, order);
	}
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

/* Pages inside a block, and pages that are not allocated as pages. */
static void pages_not_allocated(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_page *page = mmbox_alloc_pages(box, GFP_KERNEL, 3);
	void *objp = mmbox_kmalloc(box, 64, GFP_KERNEL);
	void *large = mmbox_kmalloc(box, SZ_256K, GFP_KERNEL);
	int i;

	for (i = 1; i < 8; i++) {
		__mmbox_free_pages(box, page + i, 0);
		expect_bad(test, box, MMBOX_BAD_PAGE);
	}
	mmbox_free_pages(box, (unsigned long)mmbox_page_address(box, page) + 8, 3);
	expect_bad(test, box, MMBOX_BAD_FOREIGN);
	__mmbox_free_pages(box, mmbox_virt_to_page(box, objp), 0);
	expect_bad(test, box, MMBOX_BAD_PAGE);
	__mmbox_free_pages(box, mmbox_virt_to_page(box, large), 6);
	expect_bad(test, box, MMBOX_BAD_PAGE);
	__mmbox_free_pages(box, mmbox_virt_to_page(box, box->memmap.map), 0);
	expect_bad(test, box, MMBOX_BAD_PAGE);
	mmbox_kfree(box, large + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, 1, test_nr_bad(box));
	mmbox_kfree(box, large);
	mmbox_kfree(box, objp);
	__mmbox_free_pages(box, page, 3);
	KUNIT_EXPECT_EQ(test, 1, test_nr_bad(box));
}

static void double_free_pages(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_page *page, *pages[64];
	unsigned int order;
	void *large;
	int i;

	test_pin(test, 0);
	for (order = 0; order < 8; order++) {
		/* Its buddy is in use, so that it is not merged. */
		page = mmbox_alloc_pages(box, GFP_KERNEL, order);
		pages[0] = mmbox_alloc_pages(box, GFP_KERNEL, order);
		__mmbox_free_pages(box, page, order);
		__mmbox_free_pages(box, page, order);
		expect_bad(test, box, MMBOX_BAD_DOUBLE);
		__mmbox_free_pages(box, pages[0], order);
	}
	/* A freed page is refused on a per-CPU list, in the zone, and merged. */
	for (i = 0; i < 64; i++)
		pages[i] = mmbox_alloc_pages(box, GFP_KERNEL, 0);
	for (i = 0; i < 64; i++)
		__mmbox_free_pages(box, pages[i], 0);
	mmbox_drain_all_pages(box);
	for (i = 0; i < 64; i++)
		__mmbox_free_pages(box, pages[i], 0);
	KUNIT_EXPECT_EQ(test, 64, test_nr_bad(box));
	atomic_long_set(&box->faces.bad[MMBOX_BAD_DOUBLE], 0);
	atomic_long_set(&box->faces.bad[MMBOX_BAD_PAGE], 0);
	test_check_box(test, box);

	large = mmbox_kmalloc(box, SZ_256K, GFP_KERNEL);
	mmbox_kfree(box, large);
	mmbox_kfree(box, large);
	KUNIT_EXPECT_EQ(test, 1, test_nr_bad(box));
	test_check_box(test, box);
}

/* Reports to the log are limited. The count is not. */
static void counted_when_not_logged(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	int i;

	for (i = 0; i < 1000; i++)
		mmbox_kfree(box, test);
	KUNIT_EXPECT_EQ(test, 1000, atomic_long_read(&box->faces.bad[MMBOX_BAD_FOREIGN]));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(foreign_address),
	KUNIT_CASE(wrong_cache),
	KUNIT_CASE(not_an_object),
	KUNIT_CASE(outside_objects),
	KUNIT_CASE(double_free_object),
	KUNIT_CASE(double_free_in_bulk),
	KUNIT_CASE(double_free_constructed),
	KUNIT_CASE(double_free_to_free_slab),
	KUNIT_CASE(double_free_of_free_pages),
	KUNIT_CASE(bad_address_not_written),
	KUNIT_CASE(double_free_rcu),
	KUNIT_CASE(wrong_order),
	KUNIT_CASE(pages_not_allocated),
	KUNIT_CASE(double_free_pages),
	KUNIT_CASE(counted_when_not_logged),
	{}
};

TEST_SUITE(report_suite, "mmbox_report", cases);
