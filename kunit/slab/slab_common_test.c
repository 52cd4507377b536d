// SPDX-License-Identifier: GPL-2.0
/*
 * kmalloc: sizes and the caches behind them. Caches: merging, usercopy regions, mempools,
 * kfree_rcu, and the report of leaked objects.
 */
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>

#include "testing.h"

static struct mmbox *kmalloc_box(struct kunit *test, unsigned long min, unsigned long max)
{
	struct mmbox_config cfg;

	test_config(&cfg, "kmalloc", SZ_16M);
	cfg.zone_dma = SZ_4M;
	cfg.zone_dma32 = 0;
	cfg.kmalloc_min = min;
	cfg.kmalloc_max = max;
	return test_box(test, &cfg);
}

/* As in 6.1: the smallest cache that fits, 96 and 192 among them. */
static size_t expected_size(size_t size, unsigned long min, unsigned long max)
{
	if (size > max)
		return PAGE_SIZE << get_order(size);
	if (size > 64 && size <= 96 && min <= 32)
		return 96;
	if (size > 128 && size <= 192 && min <= 64)
		return 192;
	return max_t(size_t, roundup_pow_of_two(size), min);
}

static void expect_kmalloc(struct kunit *test, struct mmbox *box, size_t size)
{
	unsigned long min = box->cfg.kmalloc_min, max = box->cfg.kmalloc_max;
	size_t expected = expected_size(size, min, max);
	void *p = mmbox_kmalloc(box, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL_MSG(test, p, "size %zu", size);
	KUNIT_EXPECT_EQ_MSG(test, mmbox_ksize(box, p), expected, "size %zu min %lu max %lu",
			    size, min, max);
	if (is_power_of_2(size))
		KUNIT_EXPECT_TRUE_MSG(test, IS_ALIGNED((unsigned long)p - box->physmap.va_base,
						       min_t(size_t, size, PAGE_SIZE)),
				      "size %zu is not aligned to itself", size);
	memset(p, 0x5a, mmbox_ksize(box, p));
	mmbox_kfree(box, p);
}

/* Every size up to a few pages, then sizes around each power of two. */
static void smallest_cache_that_fits(struct kunit *test)
{
	static const unsigned long mins[] = { 8, 16, 32, 64, 128, 1024 };
	static const unsigned long maxs[] = { SZ_1K, SZ_8K, SZ_128K };
	unsigned int i, j, shift;
	size_t size;

	for (i = 0; i < ARRAY_SIZE(mins); i++) {
		for (j = 0; j < ARRAY_SIZE(maxs); j++) {
			struct mmbox *box = kmalloc_box(test, mins[i], maxs[j]);

			for (size = 1; size < 300; size++)
				expect_kmalloc(test, box, size);
			for (shift = 8; shift < 22; shift++)
				for (size = (1 << shift) - 1; size <= (1 << shift) + 1; size++)
					expect_kmalloc(test, box, size);
			KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
			test_box_end(test, box);
		}
	}
}

static unsigned int nr_kmalloc_caches(struct mmbox *box)
{
	struct mmbox_kmem_cache *cachep;
	unsigned int nr = 0;

	mutex_lock(&box->slab.mutex);
	list_for_each_entry(cachep, &box->slab.caches, list)
		nr += !!strstr(cachep->name, "kmalloc-");
	mutex_unlock(&box->slab.mutex);
	return nr;
}

/* The caches are exactly those between kmalloc_min= and kmalloc_max=. */
static void caches_by_bounds(struct kunit *test)
{
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);

	KUNIT_EXPECT_EQ_MSG(test, nr_kmalloc_caches(box), 3 * (15 + 2),
			    "three sets of 8 to 128K, 96 and 192");
	KUNIT_EXPECT_STREQ(test, mmbox_kmalloc_slab(box, 8, 0)->name, "kmalloc-8");
	KUNIT_EXPECT_STREQ(test, mmbox_kmalloc_slab(box, 96, 0)->name, "kmalloc-96");
	KUNIT_EXPECT_STREQ(test, mmbox_kmalloc_slab(box, 150, 0)->name, "kmalloc-192");
	KUNIT_EXPECT_STREQ(test, mmbox_kmalloc_slab(box, 1000, 0)->name, "kmalloc-1k");
	KUNIT_EXPECT_STREQ(test, mmbox_kmalloc_slab(box, SZ_128K, 0)->name, "kmalloc-128k");
	KUNIT_EXPECT_NULL(test, mmbox_kmalloc_slab(box, SZ_128K + 1, 0));
	KUNIT_EXPECT_STREQ(test, mmbox_kmalloc_slab(box, 65, GFP_DMA)->name, "dma-kmalloc-96");
	KUNIT_EXPECT_STREQ(test, mmbox_kmalloc_slab(box, 2048, __GFP_RECLAIMABLE)->name,
			   "kmalloc-rcl-2k");
	KUNIT_EXPECT_STREQ(test, mmbox_kmalloc_slab(box, 9, GFP_DMA | __GFP_RECLAIMABLE)->name,
			   "dma-kmalloc-16");
	test_box_end(test, box);

	box = kmalloc_box(test, 64, SZ_1K);
	KUNIT_EXPECT_EQ_MSG(test, nr_kmalloc_caches(box), 3 * (5 + 1),
			    "three sets of 64 to 1k, 192 and no 96");
	KUNIT_EXPECT_STREQ(test, mmbox_kmalloc_slab(box, 1, 0)->name, "kmalloc-64");
	KUNIT_EXPECT_STREQ(test, mmbox_kmalloc_slab(box, 96, 0)->name, "kmalloc-128");
}

/* Fill many objects of mixed sizes, then compare. */
static void objects_never_overlap(struct kunit *test)
{
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	void **p = test_zalloc(test, 2000 * sizeof(void *));
	size_t *size = test_zalloc(test, 2000 * sizeof(size_t));
	u32 seed = 9;
	int i;

	for (i = 0; i < 2000; i++) {
		size[i] = 1 + test_random(&seed) % (8 << (test_random(&seed) % 9));
		p[i] = mmbox_kmalloc(box, size[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		memset(p[i], i, size[i]);
	}
	for (i = 0; i < 2000; i++) {
		KUNIT_EXPECT_NULL(test, memchr_inv(p[i], i, size[i]));
		mmbox_kfree(box, p[i]);
	}
}

static void zero_size_and_null(struct kunit *test)
{
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	void *p = mmbox_kmalloc(box, 0, GFP_KERNEL);

	KUNIT_EXPECT_PTR_EQ(test, p, ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, 0, mmbox_ksize(box, p));
	KUNIT_EXPECT_EQ(test, 0, mmbox_ksize(box, NULL));
	KUNIT_EXPECT_EQ(test, 0, mmbox_ksize(box, test));
	KUNIT_EXPECT_EQ(test, 0, mmbox_ksize(box, box->memmap.map));
	mmbox_kfree(box, p);
	mmbox_kfree(box, NULL);
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

static void kzalloc_clears(struct kunit *test)
{
	static const size_t size[] = { 1, 7, 64, 100, 1000, 5000, SZ_64K, SZ_128K + 1, SZ_256K };
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	int i;

	for (i = 0; i < ARRAY_SIZE(size); i++) {
		void *p = mmbox_kmalloc(box, size[i], GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, 0xa5, size[i]);
		mmbox_kfree(box, p);
		p = mmbox_kzalloc(box, size[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_NULL_MSG(test, memchr_inv(p, 0, size[i]), "size %zu", size[i]);
		mmbox_kfree(box, p);
	}
}

/* Larger than any block, or than the free memory: NULL, without a leak. */
static void too_large_is_null(struct kunit *test)
{
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	unsigned long pages = mmbox_nr_used_pages(box);
	void *p[4];
	int i;

	KUNIT_EXPECT_NULL(test, mmbox_kmalloc(box, SZ_4M + 1, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, mmbox_kmalloc(box, SZ_1G, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, mmbox_kmalloc(box, SIZE_MAX, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, mmbox_kmalloc(box, SIZE_MAX - PAGE_SIZE, GFP_KERNEL));
	for (i = 0; i < 4; i++)
		p[i] = mmbox_kmalloc(box, SZ_4M, GFP_KERNEL);
	KUNIT_EXPECT_NULL(test, p[3]);
	for (i = 0; i < 4; i++)
		mmbox_kfree(box, p[i]);
	KUNIT_EXPECT_EQ(test, pages, mmbox_nr_used_pages(box));
}

/* GFP_DMA gives memory of ZONE_DMA, which kfree() takes back. */
static void from_zone_dma(struct kunit *test)
{
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	size_t size;

	for (size = 8; size <= SZ_256K; size *= 4) {
		void *p = mmbox_kmalloc(box, size, GFP_KERNEL | GFP_DMA);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, (int)mmbox_virt_to_page(box, p)->zone_id,
				MMBOX_ZONE_DMA);
		KUNIT_EXPECT_GE(test, mmbox_ksize(box, p), size);
		mmbox_kfree(box, p);
	}
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

static void kmalloc_of_node(struct kunit *test)
{
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	void *p = mmbox_kmalloc_node(box, 100, GFP_KERNEL, 0);

	KUNIT_EXPECT_NOT_NULL(test, p);
	mmbox_kfree(box, p);
	p = mmbox_kmalloc_node(box, SZ_256K, GFP_KERNEL, NUMA_NO_NODE);
	KUNIT_EXPECT_NOT_NULL(test, p);
	mmbox_kfree(box, p);
}

/* In a box of one node NUMA_NO_NODE and node 0 give the same. */
static void any_node_with_one_node(struct kunit *test)
{
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	struct mmbox_kmem_cache *cachep;
	void *p[2];
	int i;

	cachep = mmbox_kmem_cache_create(box, "nowhere", 100, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	/* With the CPU's array empty, then with objects in it. */
	for (i = 0; i < 2; i++) {
		p[i] = mmbox_kmem_cache_alloc_node(cachep, GFP_KERNEL, 5);
		KUNIT_EXPECT_NOT_NULL(test, p[i]);
	}
	for (i = 0; i < 2; i++)
		if (p[i])
			mmbox_kmem_cache_free(cachep, p[i]);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

/* kmalloc() ignores __GFP_MOVABLE. */
static void never_movable(struct kunit *test)
{
	struct mmbox_config cfg;
	struct mmbox_zone *zone;
	struct mmbox *box;
	size_t size;
	void *p;

	test_config(&cfg, "test", SZ_32M);
	cfg.movablecore = SZ_8M;
	box = test_box(test, &cfg);
	for (size = 64; size <= SZ_1M; size *= 8) {
		p = mmbox_kmalloc(box, size, GFP_HIGHUSER_MOVABLE);
		KUNIT_ASSERT_NOT_NULL(test, p);
		zone = mmbox_page_zone(box, mmbox_virt_to_page(box, p));
		KUNIT_EXPECT_NE_MSG(test, zone->idx, MMBOX_ZONE_MOVABLE, "size %zu", size);
		mmbox_kfree(box, p);
	}
}

/* kfree() takes an object of any cache. ksize() gives the cache's object size. */
static void kfree_takes_any_cache(struct kunit *test)
{
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	struct mmbox_kmem_cache *cachep;
	void *objp;

	cachep = mmbox_kmem_cache_create(box, "named", 123, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	KUNIT_EXPECT_EQ(test, 123, mmbox_kmem_cache_size(cachep));
	objp = mmbox_kmem_cache_alloc_node(cachep, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, objp);
	KUNIT_EXPECT_EQ(test, 123, mmbox_ksize(box, objp));
	mmbox_kfree(box, objp);
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

/* Each set of kmalloc caches has the pages that its name says. */
static void kmalloc_sets_by_flags(struct kunit *test)
{
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	struct mmbox_kmem_cache *cachep;
	void *p;

	p = mmbox_kmalloc(box, 100, GFP_KERNEL | __GFP_RECLAIMABLE);
	KUNIT_ASSERT_NOT_NULL(test, p);
	cachep = mmbox_id_to_cache(box, mmbox_virt_to_page(box, p)->slab_cache);
	KUNIT_EXPECT_STREQ(test, cachep->name, "kmalloc-rcl-128");
	KUNIT_EXPECT_TRUE(test, cachep->flags & SLAB_RECLAIM_ACCOUNT);
	mmbox_kfree(box, p);
	p = mmbox_kmalloc_node(box, 5000, GFP_KERNEL | GFP_DMA, 0);
	KUNIT_ASSERT_NOT_NULL(test, p);
	cachep = mmbox_id_to_cache(box, mmbox_virt_to_page(box, p)->slab_cache);
	KUNIT_EXPECT_STREQ(test, cachep->name, "dma-kmalloc-8k");
	mmbox_kfree(box, p);
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

static void size_roundup(struct kunit *test)
{
	struct mmbox *box = kmalloc_box(test, 32, SZ_8K);

	KUNIT_EXPECT_EQ(test, 0, mmbox_kmalloc_size_roundup(box, 0));
	KUNIT_EXPECT_EQ(test, 32, mmbox_kmalloc_size_roundup(box, 1));
	KUNIT_EXPECT_EQ(test, 96, mmbox_kmalloc_size_roundup(box, 65));
	KUNIT_EXPECT_EQ(test, SZ_8K, mmbox_kmalloc_size_roundup(box, SZ_8K));
	KUNIT_EXPECT_EQ(test, SZ_16K, mmbox_kmalloc_size_roundup(box, SZ_8K + 1));
	KUNIT_EXPECT_EQ(test, SZ_4M, mmbox_kmalloc_size_roundup(box, SZ_4M));
	KUNIT_EXPECT_EQ(test, SIZE_MAX, mmbox_kmalloc_size_roundup(box, SIZE_MAX));
}

/* kmalloc_array() and kcalloc(): NULL if the product overflows. */
static void array_product_overflow(struct kunit *test)
{
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	void *p, *q;

	test_pin(test, 0);
	p = mmbox_kmalloc_array(box, 50, 10, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_GE(test, mmbox_ksize(box, p), (size_t)500);
	memset(p, 1, 500);
	mmbox_kfree(box, p);
	q = mmbox_kcalloc(box, 10, 50, GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ_MSG(test, p, q, "not the object freed last");
	KUNIT_EXPECT_NULL_MSG(test, memchr_inv(q, 0, 500), "not cleared");
	mmbox_kfree(box, q);
	KUNIT_EXPECT_NULL(test, mmbox_kmalloc_array(box, SIZE_MAX / 2, 4, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, mmbox_kcalloc(box, SIZE_MAX / 2, 4, GFP_KERNEL));
}

/* Growing and shrinking keeps the contents that fit. */
static void krealloc_keeps(struct kunit *test)
{
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	size_t size;
	void *p, *q;

	p = mmbox_krealloc(box, NULL, 10, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 0x3c, 10);
	KUNIT_EXPECT_PTR_EQ_MSG(test, p, mmbox_krealloc(box, p, 16, GFP_KERNEL),
				"the object had room");
	for (size = 20; size < SZ_512K; size *= 3) {
		q = mmbox_krealloc(box, p, size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, q);
		KUNIT_EXPECT_NULL_MSG(test, memchr_inv(q, 0x3c, 10), "size %zu", size);
		p = q;
	}
	KUNIT_EXPECT_PTR_EQ(test, p, mmbox_krealloc(box, p, 10, GFP_KERNEL | __GFP_ZERO));
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x3c, 10));
	KUNIT_EXPECT_NULL(test, memchr_inv(p + 10, 0, mmbox_ksize(box, p) - 10));
	KUNIT_EXPECT_NULL_MSG(test, mmbox_krealloc(box, p, SZ_1G, GFP_KERNEL),
			      "larger than the box");
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x3c, 10));
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR, mmbox_krealloc(box, p, 0, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
	KUNIT_EXPECT_NULL_MSG(test, mmbox_krealloc(box, test, 10, GFP_KERNEL),
			      "not the box's");
	KUNIT_EXPECT_EQ(test, 1, atomic_long_read(&box->faces.bad[MMBOX_BAD_FOREIGN]));
}

static void kfree_sensitive_clears(struct kunit *test)
{
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	char *p = mmbox_kmalloc(box, 200, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 0x55, 200);
	mmbox_kfree_sensitive(box, p);
	/* A free object has a random mark at its ends. */
	KUNIT_EXPECT_NULL_MSG(test, memchr(p + 50, 0x55, 100), "the contents were not cleared");
	mmbox_kfree_sensitive(box, NULL);
}

/* The copy fails here without user space. Refused means that it was not tried. */
static bool copy_refused(struct mmbox *box, void *addr, unsigned long n)
{
	long bad = atomic_long_read(&box->faces.bad[MMBOX_BAD_USERCOPY]);
	bool to, from;

	pagefault_disable();
	mmbox_copy_to_user(box, NULL, addr, n);
	to = atomic_long_read(&box->faces.bad[MMBOX_BAD_USERCOPY]) != bad;
	bad += to;
	mmbox_copy_from_user(box, addr, NULL, n);
	from = atomic_long_read(&box->faces.bad[MMBOX_BAD_USERCOPY]) != bad;
	pagefault_enable();
	return to && from;
}

/* Only the usercopy region of an object may be copied. */
static void usercopy_within_region(struct kunit *test)
{
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	struct mmbox_kmem_cache *cachep;
	unsigned long page;
	void *p;

	cachep = mmbox_kmem_cache_create_usercopy(box, "usercopy", 100, 0, 0, 40, 20, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	p = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_FALSE(test, copy_refused(box, p + 40, 20));
	KUNIT_EXPECT_FALSE(test, copy_refused(box, p + 45, 1));
	KUNIT_EXPECT_FALSE(test, copy_refused(box, p, 0));
	KUNIT_EXPECT_TRUE(test, copy_refused(box, p + 39, 1));
	KUNIT_EXPECT_TRUE(test, copy_refused(box, p + 40, 21));
	KUNIT_EXPECT_TRUE(test, copy_refused(box, p + 60, 1));
	KUNIT_EXPECT_TRUE(test, copy_refused(box, p + 45, ULONG_MAX));
	mmbox_kmem_cache_free(cachep, p);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));

	cachep = mmbox_kmem_cache_create(box, "nothing", 100, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	p = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, copy_refused(box, p, 1));
	mmbox_kmem_cache_free(cachep, p);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));

	p = mmbox_kmalloc(box, 100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_FALSE_MSG(test, copy_refused(box, p, 100), "kmalloc objects may be copied");
	KUNIT_EXPECT_TRUE_MSG(test, copy_refused(box, p, 129), "but not the next object");
	mmbox_kfree(box, p);
	p = mmbox_kmalloc(box, SZ_256K, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_FALSE(test, copy_refused(box, p, SZ_256K));
	KUNIT_EXPECT_FALSE(test, copy_refused(box, p + SZ_128K + 5, SZ_128K - 5));
	KUNIT_EXPECT_TRUE_MSG(test, copy_refused(box, p + SZ_128K + 5, SZ_128K - 4),
			      "but not the pages behind");
	mmbox_kfree(box, p);
	page = __mmbox_get_free_page(box, GFP_KERNEL);
	KUNIT_EXPECT_FALSE(test, copy_refused(box, (void *)page, PAGE_SIZE));
	mmbox_free_page(box, page);
	KUNIT_EXPECT_TRUE_MSG(test, copy_refused(box, test, 1), "not the box's");

	KUNIT_EXPECT_NULL(test, mmbox_kmem_cache_create_usercopy(box, "x", 100, 0, 0, 90, 11,
								 NULL));
	KUNIT_EXPECT_NULL(test, mmbox_kmem_cache_create_usercopy(box, "x", 100, 0, 0, 10, 0,
								 NULL));
	KUNIT_EXPECT_NULL(test, mmbox_kmem_cache_create_usercopy(box, "x", 100, 0, 0, UINT_MAX,
								 2, NULL));
}

/* slab_merge=1: one cache with several names. Destroying the last one destroys it. */
static void merged_caches(struct kunit *test)
{
	struct mmbox_kmem_cache *a, *b, *c;
	struct mmbox_config cfg;
	struct mmbox *box;
	void *p;

	mmbox_config_init(&cfg);
	cfg.size = SZ_16M;
	cfg.slab_merge = true;
	box = test_box(test, &cfg);
	a = mmbox_kmem_cache_create(box, "a", 100, 0, 0, NULL);
	b = mmbox_kmem_cache_create(box, "b", 104, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_EXPECT_PTR_EQ(test, a, b);
	KUNIT_EXPECT_EQ(test, 104, mmbox_kmem_cache_size(a));

	/* Not merged: another size, or flags that promise more. */
	c = mmbox_kmem_cache_create(box, "c", 88, 0, 0, NULL);
	KUNIT_EXPECT_PTR_NE(test, a, c);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(c));
	c = mmbox_kmem_cache_create(box, "c", 100, 0, SLAB_RECLAIM_ACCOUNT, NULL);
	KUNIT_EXPECT_PTR_NE(test, a, c);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(c));
	c = mmbox_kmem_cache_create(box, "c", 100, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	KUNIT_EXPECT_PTR_NE(test, a, c);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(c));
	c = mmbox_kmem_cache_create(box, "c", 100, 64, 0, NULL);
	KUNIT_EXPECT_PTR_NE(test, a, c);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(c));
	c = mmbox_kmem_cache_create_usercopy(box, "c", 100, 0, 0, 0, 100, NULL);
	KUNIT_EXPECT_PTR_NE(test, a, c);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(c));

	p = mmbox_kmem_cache_alloc(b, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ_MSG(test, 0, mmbox_kmem_cache_destroy(a), "the cache has another user");
	mmbox_kmem_cache_free(b, p);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(b));
}

struct deferred {
	unsigned long before;
	struct rcu_head rcu;
	unsigned long after;
};

/* The object is unchanged during rcu_read_lock(), and freed afterwards. */
static void kfree_rcu_waits(struct kunit *test)
{
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	struct mmbox_kmem_cache *cachep;
	struct deferred *d, *none = NULL;
	int i;

	cachep = mmbox_kmem_cache_create(box, "deferred", sizeof(*d), 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	d = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, d);
	*d = (struct deferred){ .before = 1, .after = 2 };
	rcu_read_lock();
	mmbox_kfree_rcu(box, d, rcu);
	KUNIT_EXPECT_EQ(test, d->before, 1);
	KUNIT_EXPECT_EQ(test, d->after, 2);
	rcu_read_unlock();
	mmbox_kfree_rcu_barrier(box);
	KUNIT_EXPECT_EQ_MSG(test, 0, mmbox_kmem_cache_shrink(cachep), "it was never freed");

	/* More than one batch. Destroying the cache waits for the last. */
	for (i = 0; i < 2000; i++) {
		d = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, d);
		mmbox_kfree_rcu(box, d, rcu);
		if (i % 500 == 0)
			synchronize_rcu();
	}
	mmbox_kfree_rcu(box, none, rcu);
	mmbox_kfree_rcu_mightsleep(box, mmbox_kmem_cache_alloc(cachep, GFP_KERNEL));
	mmbox_kfree_rcu_mightsleep(box, NULL);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

#if defined(CONFIG_LOCKDEP) && defined(CONFIG_TRACEPOINTS)
/* Counts the calls in which might_alloc() tells lockdep that they may reclaim. */
struct might_reclaim {
	const struct task_struct *task;
	struct tracepoint *tp;
	unsigned long nr;
};

static void find_lock_acquire(struct tracepoint *tp, void *data)
{
	struct might_reclaim *m = data;

	if (!strcmp(tp->name, "lock_acquire"))
		m->tp = tp;
}

static void on_lock_acquire(void *data, struct lockdep_map *lock, unsigned int subclass,
			    int trylock, int read, int check, struct lockdep_map *next,
			    unsigned long ip)
{
	struct might_reclaim *m = data;

	if (current == m->task && !in_interrupt() && lock->name &&
	    !strcmp(lock->name, "fs_reclaim"))
		m->nr++;
}

static unsigned long entries_told(struct might_reclaim *m)
{
	unsigned long nr = m->nr;

	m->nr = 0;
	return nr;
}

/*
 * GFP_KERNEL in atomic context is a mistake even if an object is free. So each call does
 * might_alloc() first, before it takes an object from an array.
 */
static void might_sleep_checked_first(struct kunit *test)
{
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	struct might_reclaim m = { .task = current };
	struct mmbox_kmem_cache *cachep;
	void *p[4], *objp;

	for_each_kernel_tracepoint(find_lock_acquire, &m);
	KUNIT_ASSERT_NOT_NULL(test, m.tp);
	cachep = mmbox_kmem_cache_create(box, "test", 100, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	/* Put objects into the arrays of these caches. */
	test_pin(test, 0);
	KUNIT_ASSERT_EQ(test, 4, mmbox_kmem_cache_alloc_bulk(cachep, GFP_KERNEL, 4, p));
	mmbox_kmem_cache_free_bulk(cachep, 4, p);
	mmbox_kfree(box, mmbox_kmalloc(box, 64, GFP_KERNEL));
	mmbox_kfree(box, mmbox_kmalloc(box, 128, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, 0, tracepoint_probe_register(m.tp, on_lock_acquire, &m));

#define EXPECT_TOLD(call)							\
do {										\
	entries_told(&m);							\
	objp = (call);								\
	KUNIT_EXPECT_GE_MSG(test, entries_told(&m), 1, "%s", #call);		\
	mmbox_kfree(box, objp);							\
} while (0)
	EXPECT_TOLD(mmbox_kmem_cache_alloc(cachep, GFP_KERNEL));
	EXPECT_TOLD(mmbox_kmem_cache_zalloc(cachep, GFP_KERNEL));
	EXPECT_TOLD(mmbox_kmem_cache_alloc_node(cachep, GFP_KERNEL, 0));
	EXPECT_TOLD(mmbox_kmalloc(box, 64, GFP_KERNEL));
	EXPECT_TOLD(mmbox_kmalloc_size(box, 64, GFP_KERNEL));
	EXPECT_TOLD(mmbox_kmalloc_node(box, 64, GFP_KERNEL, 0));
	EXPECT_TOLD(mmbox_krealloc(box, mmbox_kmalloc(box, 64, GFP_NOWAIT), 32, GFP_KERNEL));
#undef EXPECT_TOLD
	entries_told(&m);
	KUNIT_EXPECT_EQ(test, 4, mmbox_kmem_cache_alloc_bulk(cachep, GFP_KERNEL, 4, p));
	KUNIT_EXPECT_GE(test, entries_told(&m), 1);
	mmbox_kmem_cache_free_bulk(cachep, 4, p);
	KUNIT_EXPECT_EQ_MSG(test, entries_told(&m), 0, "a free does not sleep");
	objp = mmbox_kmalloc(box, 64, GFP_NOWAIT);
	KUNIT_EXPECT_EQ_MSG(test, entries_told(&m), 0, "GFP_NOWAIT does not sleep");
	mmbox_kfree(box, objp);
	tracepoint_probe_unregister(m.tp, on_lock_acquire, &m);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}
#endif

/* The pool gives objects of its reserve when the box is full. */
static void mempool_keeps_reserve(struct kunit *test)
{
	void **pages = test_zalloc(test, 8192 * sizeof(void *));
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	struct mmbox_kmem_cache *cachep;
	void *kept[4], *own;
	mempool_t *pool;
	int i, nr = 0;

	cachep = mmbox_kmem_cache_create(box, "pooled", 4096, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	pool = mmbox_mempool_create_slab_pool(ARRAY_SIZE(kept), cachep);
	KUNIT_ASSERT_NOT_NULL(test, pool);
	while (nr < 8192) {
		pages[nr] = mmbox_kmem_cache_alloc(cachep, GFP_NOWAIT);
		if (!pages[nr])
			break;
		nr++;
	}
	for (i = 0; i < ARRAY_SIZE(kept); i++) {
		kept[i] = mempool_alloc(pool, GFP_NOWAIT);
		KUNIT_EXPECT_NOT_NULL(test, kept[i]);
	}
	own = mempool_alloc(pool, GFP_NOWAIT);
	KUNIT_EXPECT_NULL_MSG(test, own, "the box was not full");
	for (i = 0; i < ARRAY_SIZE(kept); i++)
		if (kept[i])
			mempool_free(kept[i], pool);
	while (nr)
		mmbox_kmem_cache_free(cachep, pages[--nr]);
	mempool_destroy(pool);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

static void never_run(void *objp)
{
}

/* The cache has the values of struct mmbox_kmem_cache_args. NULL means all zero. */
static void create_args(struct kunit *test)
{
	static const struct mmbox_kmem_cache_args all = {
		.align = 256, .useroffset = 8, .usersize = 16, .ctor = never_run,
	};
	static const struct mmbox_kmem_cache_args bad[] = {
		{ .align = 3 },
		{ .align = 2 * PAGE_SIZE },
		{ .useroffset = 8 },
		{ .useroffset = 40, .usersize = 61 },
		{ .useroffset = U32_MAX, .usersize = 2 },
		{ .usersize = 101 },
	};
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	struct mmbox_kmem_cache *cachep;
	unsigned int i;

	cachep = __mmbox_kmem_cache_create_args(box, "all", 100, &all, SLAB_RECLAIM_ACCOUNT);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	KUNIT_EXPECT_EQ(test, cachep->object_size, 100);
	KUNIT_EXPECT_EQ(test, cachep->align, 256);
	KUNIT_EXPECT_EQ(test, cachep->useroffset, 8);
	KUNIT_EXPECT_EQ(test, cachep->usersize, 16);
	KUNIT_EXPECT_PTR_EQ(test, cachep->ctor, all.ctor);
	KUNIT_EXPECT_TRUE(test, cachep->flags & SLAB_RECLAIM_ACCOUNT);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));

	cachep = __mmbox_kmem_cache_create_args(box, "none", 100, NULL, 0);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	KUNIT_EXPECT_EQ(test, cachep->align, 8);
	KUNIT_EXPECT_EQ(test, cachep->usersize, 0);
	KUNIT_EXPECT_NULL(test, cachep->ctor);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		cachep = mmbox_kmem_cache_try_create_args(box, "bad", 100, &bad[i], 0);
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(cachep), -EINVAL, "bad %u", i);
	}
}

static unsigned long used_objects(struct mmbox_kmem_cache *cachep, void **objs, unsigned int nr)
{
	unsigned long used;

	mutex_lock(&cachep->box->slab.mutex);
	used = mmbox_used_objects(cachep, objs, nr);
	mutex_unlock(&cachep->box->slab.mutex);
	return used;
}

/* Destroying a cache in use is refused, and lists exactly the objects in use. */
static void destroy_lists_leaked_objects(struct kunit *test)
{
	static const unsigned int sizes[] = { 8, 24, 100, 600, 3000, 9000 };
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	void *p[100], *listed[4];
	unsigned int i, j;

	for (i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		struct mmbox_kmem_cache *cachep;
		bool found[3] = {};

		cachep = mmbox_kmem_cache_create(box, "leaky", sizes[i / 2], 0,
						 i & 1 ? SLAB_TYPESAFE_BY_RCU : 0, NULL);
		KUNIT_ASSERT_NOT_NULL(test, cachep);
		KUNIT_ASSERT_EQ(test, 100, mmbox_kmem_cache_alloc_bulk(cachep, GFP_KERNEL,
								       100, p));
		for (j = 3; j < 100; j++)
			mmbox_kmem_cache_free(cachep, p[j]);
		KUNIT_EXPECT_EQ(test, -EBUSY, mmbox_kmem_cache_destroy(cachep));
		memset(listed, 0, sizeof(listed));
		KUNIT_EXPECT_EQ(test, 3, used_objects(cachep, listed, 4));
		for (j = 0; j < 9; j++)
			found[j % 3] |= listed[j / 3] == p[j % 3];
		KUNIT_EXPECT_TRUE_MSG(test, found[0] && found[1] && found[2],
				      "size %u: not all are listed", sizes[i / 2]);
		KUNIT_EXPECT_NULL(test, listed[3]);
		KUNIT_EXPECT_EQ(test, 3, used_objects(cachep, listed, 1));
		for (j = 0; j < 3; j++)
			mmbox_kmem_cache_free(cachep, p[j]);
		KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	}
}

/* slabinfo and terminals must be able to show a name. Others are refused. */
static void names_must_be_printable(struct kunit *test)
{
	static const char *const good[] = { "a", "~!", "a/b", "%s", "..", "[x]{y}" };
	static const char *const bad[] = {
		"", "a b", "a\tb", "a\nb", "\x1b[2J", "\x7f", "a\x80", "\x9bJ", "\xa0", "\xa1",
		"\xff", "gr\xc3\xbcn", "\xc0\xaf", "\xe2\x80\xae", "\xf4\x90\x80\x80",
	};
	struct mmbox *box = kmalloc_box(test, 8, SZ_128K);
	struct mmbox_kmem_cache *cachep;
	int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		cachep = mmbox_kmem_cache_try_create(box, good[i], 64, 0, 0, NULL);
		KUNIT_EXPECT_FALSE_MSG(test, IS_ERR(cachep), "name %d is refused", i);
		if (!IS_ERR(cachep))
			KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		cachep = mmbox_kmem_cache_try_create(box, bad[i], 64, 0, 0, NULL);
		KUNIT_EXPECT_PTR_EQ_MSG(test, cachep, ERR_PTR(-EINVAL), "bad name %d", i);
		if (!IS_ERR(cachep))
			KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(smallest_cache_that_fits),
	KUNIT_CASE(caches_by_bounds),
	KUNIT_CASE(objects_never_overlap),
	KUNIT_CASE(zero_size_and_null),
	KUNIT_CASE(kzalloc_clears),
	KUNIT_CASE(too_large_is_null),
	KUNIT_CASE(from_zone_dma),
	KUNIT_CASE(kmalloc_of_node),
	KUNIT_CASE(any_node_with_one_node),
	KUNIT_CASE(never_movable),
	KUNIT_CASE(kfree_takes_any_cache),
	KUNIT_CASE(kmalloc_sets_by_flags),
	KUNIT_CASE(size_roundup),
	KUNIT_CASE(array_product_overflow),
	KUNIT_CASE(krealloc_keeps),
	KUNIT_CASE(kfree_sensitive_clears),
	KUNIT_CASE(usercopy_within_region),
	KUNIT_CASE(merged_caches),
	KUNIT_CASE(kfree_rcu_waits),
#if defined(CONFIG_LOCKDEP) && defined(CONFIG_TRACEPOINTS)
	KUNIT_CASE(might_sleep_checked_first),
#endif
	KUNIT_CASE(mempool_keeps_reserve),
	KUNIT_CASE(create_args),
	KUNIT_CASE(destroy_lists_leaked_objects),
	KUNIT_CASE(names_must_be_printable),
	{}
};

TEST_SUITE(slab_common_suite, "mmbox_slab_common", cases);
