// SPDX-License-Identifier: GPL-2.0
/*
 * A box as a whole: created on every kind of region, refused if its configuration is
 * bad, created while each request to the host fails in turn, and destroyed without a leak.
 */
#include <linux/err.h>

#include "testing.h"

static void config_small(struct mmbox_config *cfg)
{
	test_config(cfg, "test", SZ_8M);
	cfg->zone_dma = SZ_2M;
	cfg->zone_dma32 = 0;
}

/* All memory that was taken from the host has been returned. */
static void expect_nothing_left(struct kunit *test, const struct mmbox_account *account,
				const char *what)
{
	KUNIT_EXPECT_EQ_MSG(test, account->bytes, 0L, "bytes left of the host's, %s", what);
	KUNIT_EXPECT_EQ_MSG(test, account->nr_taken, account->nr_returned,
			    "pages taken and returned, %s", what);
}

/* Use each layer. What is allocated here is freed only with the box. */
static void use_box(struct kunit *test, struct mmbox *box)
{
	struct mmbox_kmem_cache *cachep;
	int i;

	cachep = mmbox_kmem_cache_create(box, "used", 200, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	for (i = 0; i < 100; i++) {
		KUNIT_EXPECT_NOT_NULL(test, mmbox_kmem_cache_alloc(cachep, GFP_KERNEL));
		KUNIT_EXPECT_NOT_NULL(test, mmbox_kmalloc(box, 10 * i + 1, GFP_KERNEL));
		KUNIT_EXPECT_NOT_NULL(test, mmbox_alloc_page(box, GFP_KERNEL));
	}
}

static void made_of_each_region(struct kunit *test)
{
	struct mmbox_account account = {};
	struct mmbox_config cfg;
	struct mmbox *box;
	int type;

	for (type = 0; type < MMBOX_NR_REGION_TYPES; type++) {
		config_small(&cfg);
		cfg.region = type;
		cfg.account = &account;
		/* The host's page allocator may have no block above 4 MiB. */
		if (type == MMBOX_REGION_PAGES)
			cfg.size = MMBOX_SIZE_MIN;
		if (type == MMBOX_REGION_CONTIG && !IS_ENABLED(CONFIG_CONTIG_ALLOC))
			continue;
		box = test_box(test, &cfg);
		if (type != MMBOX_REGION_AUTO)
			KUNIT_EXPECT_EQ(test, box->region.type, type);
		KUNIT_EXPECT_NE(test, box->region.type, MMBOX_REGION_AUTO);
		KUNIT_EXPECT_EQ(test, box->region.size, cfg.size);
		KUNIT_EXPECT_EQ(test, box->region.nr_taken, PHYS_PFN(cfg.size));
		use_box(test, box);
		test_box_end(test, box);
		expect_nothing_left(test, &account, "region of some type");
		KUNIT_EXPECT_EQ(test, account.nr_taken, PHYS_PFN(cfg.size));
	}
}

/* Each configuration has one bad value. */
static void bad_config_refused(struct kunit *test)
{
	static const struct {
		const char *what;
		unsigned long offset, value;
	} bad[] = {
		{ "size 0", offsetof(struct mmbox_config, size), 0 },
		{ "size 1 page too small", offsetof(struct mmbox_config, size),
		  MMBOX_SIZE_MIN - PAGE_SIZE },
		{ "size of no whole pages", offsetof(struct mmbox_config, size),
		  SZ_8M + 1 },
		{ "size too large", offsetof(struct mmbox_config, size),
		  MMBOX_SIZE_MAX + PAGE_SIZE },
		{ "kmalloc_min 4", offsetof(struct mmbox_config, kmalloc_min), 4 },
		{ "kmalloc_min 48", offsetof(struct mmbox_config, kmalloc_min), 48 },
		{ "kmalloc_min 2048", offsetof(struct mmbox_config, kmalloc_min), 2048 },
		{ "kmalloc_max 512", offsetof(struct mmbox_config, kmalloc_max), 512 },
		{ "kmalloc_max 9000", offsetof(struct mmbox_config, kmalloc_max), 9000 },
		{ "kmalloc_max 256K", offsetof(struct mmbox_config, kmalloc_max),
		  SZ_256K },
		{ "zone_dma of no whole pages", offsetof(struct mmbox_config, zone_dma),
		  SZ_2M + 512 },
		{ "zone_dma32 of no whole pages", offsetof(struct mmbox_config, zone_dma32),
		  SZ_2M + 512 },
		{ "kernelcore of no whole pages", offsetof(struct mmbox_config, kernelcore),
		  1 },
		{ "movablecore of no whole pages", offsetof(struct mmbox_config, movablecore),
		  SZ_8M - 1 },
	};
	struct mmbox_config cfg;
	unsigned int orders, i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		config_small(&cfg);
		*(unsigned long *)((void *)&cfg + bad[i].offset) = bad[i].value;
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR(mmbox_create(&cfg)), -EINVAL, "%s",
				    bad[i].what);
	}
	for (orders = 0; orders < 20; orders++) {
		config_small(&cfg);
		cfg.orders = orders;
		if (orders != 10 && orders != 11)
			KUNIT_EXPECT_EQ_MSG(test, PTR_ERR(mmbox_create(&cfg)), -EINVAL,
					    "orders %u", orders);
	}
	config_small(&cfg);
	cfg.region = MMBOX_NR_REGION_TYPES;
	KUNIT_EXPECT_EQ(test, PTR_ERR(mmbox_create(&cfg)), -EINVAL);
	config_small(&cfg);
	cfg.name = "a name that is too long";
	KUNIT_EXPECT_EQ(test, PTR_ERR(mmbox_create(&cfg)), -EINVAL);
	cfg.name = "";
	KUNIT_EXPECT_EQ(test, PTR_ERR(mmbox_create(&cfg)), -EINVAL);
}

/* More than the host has is refused, and nothing stays allocated. */
static void larger_than_host_refused(struct kunit *test)
{
	struct mmbox_account account = {};
	struct mmbox_config cfg;

	config_small(&cfg);
	cfg.size = MMBOX_SIZE_MAX;
	cfg.account = &account;
	KUNIT_EXPECT_EQ(test, PTR_ERR(mmbox_create(&cfg)), -ENOMEM);
	expect_nothing_left(test, &account, "too large");
	KUNIT_EXPECT_EQ(test, account.nr_taken, 0);
}

#define MAX_REQUESTS	1000

/*
 * Refuse the first request to the host, then the second and so on, until a box is
 * created with fewer requests. Each time there is either no box and no leak, or a box
 * that works: there is a fallback if the first choice of region is refused.
 */
static void each_host_request_fails(struct kunit *test)
{
	struct mmbox_account account;
	unsigned long nth, failed = 0;
	struct mmbox_config cfg;
	struct mmbox *box;
	long requests = 0;

	for (nth = 1; nth < MAX_REQUESTS; nth++) {
		config_small(&cfg);
		cfg.fail_nth = nth;
		account = (struct mmbox_account){ .nr_requests = nth };
		cfg.account = &account;
		box = mmbox_create(&cfg);
		if (IS_ERR(box)) {
			KUNIT_EXPECT_EQ_MSG(test, PTR_ERR(box), -ENOMEM, "request %lu", nth);
			failed++;
		} else {
			requests = atomic_long_read(&box->host.nr_requests);
			box->host.fail_nth = 0;
			test_check_box(test, box);
			use_box(test, box);
			mmbox_destroy(box);
		}
		expect_nothing_left(test, &account, "after a failure");
		KUNIT_EXPECT_GE(test, account.nr_requests, nth < requests ? nth : 0);
		if (requests && nth > requests)
			break;
	}
	KUNIT_EXPECT_LT_MSG(test, nth, MAX_REQUESTS, "requests do not end");
	/* struct mmbox, pg_data_t, page lists (2), and two for every cache. */
	KUNIT_EXPECT_GT_MSG(test, failed, 20, "hardly any request was made to fail");
	kunit_info(test, "%lu requests failed, the last box made %ld", failed, requests);
}

/* Requests that fail while a cache is created: an error, and no leak. */
static void cache_creation_without_memory(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = NULL;
	unsigned long pages, nth;
	long bytes = atomic_long_read(&box->host.bytes);

	mmbox_kmem_cache_destroy(mmbox_kmem_cache_create(box, "warm", 100, 0, 0, NULL));
	pages = mmbox_nr_used_pages(box);
	for (nth = 1; nth < 10; nth++) {
		box->host.fail_nth = atomic_long_read(&box->host.nr_requests) + nth;
		cachep = mmbox_kmem_cache_try_create(box, "fails", 100, 0, 0, NULL);
		if (!IS_ERR(cachep))
			break;
		KUNIT_EXPECT_EQ(test, PTR_ERR(cachep), -ENOMEM);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&box->host.bytes), bytes);
		KUNIT_EXPECT_EQ(test, mmbox_nr_used_pages(box), pages);
	}
	box->host.fail_nth = 0;
	KUNIT_EXPECT_GT_MSG(test, nth, 1, "creating a cache asks nothing of the host");
	KUNIT_ASSERT_FALSE(test, IS_ERR(cachep));
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&box->host.bytes), bytes);
}

#define HISTORY	2000

/* The same operations each time, with an extra allocation at step @odd (-1: none). */
static u32 history(struct kunit *test, int odd)
{
	void **ptrs = kunit_kzalloc(test, 256 * sizeof(void *), GFP_KERNEL);
	struct mmbox *box = test_small_box(test);
	u32 seed = 5, sum;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, ptrs);
	for (i = 0; i < HISTORY; i++) {
		void **p = &ptrs[test_random(&seed) % 256];
		size_t size = 1 + test_random(&seed) % 3000;

		mmbox_kfree(box, *p);
		*p = NULL;
		if (size & 1)
			*p = mmbox_kmalloc(box, size, GFP_KERNEL);
		if (i == odd)
			mmbox_kmalloc(box, 8, GFP_KERNEL);
	}
	sum = mmbox_checksum(box);
	KUNIT_EXPECT_EQ_MSG(test, sum, mmbox_checksum(box), "taking the checksum changes it");
	test_box_end(test, box);
	kunit_kfree(test, ptrs);
	return sum;
}

/* Boxes have equal checksums if, and only if, they had the same operations. */
static void checksum_tells_histories_apart(struct kunit *test)
{
	u32 sum;

	test_pin(test, 0);
	sum = history(test, -1);
	KUNIT_EXPECT_EQ(test, sum, history(test, -1));
	KUNIT_EXPECT_NE(test, sum, history(test, 0));
	KUNIT_EXPECT_NE(test, sum, history(test, HISTORY - 1));
}

static void use_pages(void *arg)
{
	struct mmbox *box = arg;
	struct mmbox_page *pages[64];
	int i, nr;

	for (nr = 0; nr < ARRAY_SIZE(pages); nr++) {
		pages[nr] = mmbox_alloc_page(box, GFP_NOWAIT | __GFP_NOWARN);
		if (!pages[nr])
			break;
	}
	for (i = 0; i < nr; i++)
		__mmbox_free_page(box, pages[i]);
}

static void look(void *arg)
{
	mmbox_checksum(arg);
}

/* While the box is in use the checksum means nothing, but taking it ends. */
static void checksum_ends_in_use(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct test_meanwhile meanwhile = {
		.fn = look, .arg = box, .least = TEST_LEAST_OVERLAPS,
	};
	struct test_crowd crowd = {
		.nr_cpus = min(num_online_cpus(), 2U),
		.step = use_pages,
		.thread = { box, box },
		.interrupt = { box, box },
	};

	test_crowd_run(test, &crowd, 2000, &meanwhile);
	KUNIT_EXPECT_GT_MSG(test, crowd.nr_interrupts, 0, "there were no interrupts");
}

/* What is done in one box does not show in another. */
static void boxes_are_independent(struct kunit *test)
{
	struct mmbox *a = test_small_box(test), *b = test_small_box(test);
	u32 sum = mmbox_checksum(b);
	void *p;

	use_box(test, a);
	KUNIT_EXPECT_EQ(test, sum, mmbox_checksum(b));
	p = mmbox_kmalloc(a, 64, GFP_KERNEL);
	mmbox_kfree(b, p);
	KUNIT_EXPECT_EQ(test, 1, atomic_long_read(&b->faces.bad[MMBOX_BAD_FOREIGN]));
	KUNIT_EXPECT_EQ(test, sum, mmbox_checksum(b));
	mmbox_kfree(a, p);
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(a));
}

/* A published box is found by name; mmbox.ko has published one, box0. */
static void found_by_name(struct kunit *test)
{
	struct mmbox *box = mmbox_get("box0");

	KUNIT_ASSERT_NOT_NULL(test, box);
	KUNIT_EXPECT_STREQ(test, box->name, "box0");
	mmbox_put(box);
	KUNIT_EXPECT_NULL(test, mmbox_get("box"));
	KUNIT_EXPECT_NULL(test, mmbox_get("box00"));
	mmbox_put(NULL);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(made_of_each_region),
	KUNIT_CASE(bad_config_refused),
	KUNIT_CASE(larger_than_host_refused),
	KUNIT_CASE(each_host_request_fails),
	KUNIT_CASE(cache_creation_without_memory),
	KUNIT_CASE(checksum_tells_histories_apart),
	KUNIT_CASE(checksum_ends_in_use),
	KUNIT_CASE(boxes_are_independent),
	KUNIT_CASE(found_by_name),
	{}
};

TEST_SUITE(box_suite, "mmbox_box", cases);
