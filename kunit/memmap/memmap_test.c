// SPDX-License-Identifier: GPL-2.0
/*
 * Memory models: each of them over each layout of banks and holes.
 *
 * A case runs once for every model and layout. In all of them a user would see the
 * same fault: a page that is missing, or a descriptor that stands for another page.
 */
#include <linux/string.h>

#include "testing.h"

struct layout {
	enum mmbox_memory_model model;
	const char *banks;
	unsigned long span;	/* bytes, up to the end of the last bank */
};

#define EVERY_MODEL(banks, span)				\
	{ MMBOX_FLAT, banks, span },				\
	{ MMBOX_DISCONTIG, banks, span },			\
	{ MMBOX_SPARSE_STATIC, banks, span },			\
	{ MMBOX_SPARSE_EXTREME, banks, span },			\
	{ MMBOX_SPARSE_VMEMMAP, banks, span }

#define MANY_BANKS	"4M@0,4M@32M,4M@64M,4M@96M,4M@128M,4M@160M,4M@192M,4M@252M"

static const struct layout layouts[] = {
	/*	####	*/
	EVERY_MODEL("16M@0", SZ_16M),
	/*	####    ####	*/
	EVERY_MODEL("8M@0,8M@24M", SZ_32M),
	/*	....####....####	*/
	EVERY_MODEL("8M@8M,8M@24M", SZ_32M),
	/*	0000....1111	*/
	EVERY_MODEL("8M@0:0,8M@16M:1", SZ_8M * 3),
	/*	0101....01	*/
	EVERY_MODEL("4M@0:0,4M@4M:1,4M@8M:0,4M@12M:1,4M@32M:0,4M@36M:1", SZ_8M * 5),
	/*	64 sections, 8 of which have memory */
	EVERY_MODEL(MANY_BANKS, SZ_256M),
};

static void layout_desc(const struct layout *layout, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s %s", mmbox_model_names[layout->model],
		 layout->banks);
}

KUNIT_ARRAY_PARAM(layouts, layouts, layout_desc);

static void layout_config(struct kunit *test, struct mmbox_config *cfg)
{
	const struct layout *layout = test->param_value;

	mmbox_config_init(cfg);
	cfg->name = "test";
	cfg->model = layout->model;
	cfg->zone_dma = SZ_4M;
	KUNIT_ASSERT_EQ(test, 0, mmbox_banks_parse(cfg, layout->banks));
	cfg->size = mmbox_banks_sum(cfg);
}

static struct mmbox *layout_box(struct kunit *test)
{
	struct mmbox_config cfg;

	layout_config(test, &cfg);
	return test_box(test, &cfg);
}

/* The node that the banks give a page frame, or -1 in a hole. */
static int nid_of(const struct mmbox_config *cfg, unsigned long pfn)
{
	unsigned int i;

	for (i = 0; i < cfg->nr_banks; i++)
		if (PFN_PHYS(pfn) >= cfg->banks[i].base &&
		    PFN_PHYS(pfn) < cfg->banks[i].base + cfg->banks[i].size)
			return cfg->banks[i].nid;
	return -1;
}

/* Each of pfn, descriptor and address of a page leads to the other two. */
static void pfn_page_address_agree(struct kunit *test)
{
	const struct layout *layout = test->param_value;
	struct mmbox *box = layout_box(test);
	struct mmbox_page *last = NULL;
	unsigned long pfn, valid = 0;

	KUNIT_EXPECT_EQ(test, box->memmap.max_pfn, PHYS_PFN(layout->span));
	for (pfn = 0; pfn < box->memmap.max_pfn + 4096; pfn++) {
		struct mmbox_page *page = mmbox_pfn_to_page(box, pfn);
		int nid = nid_of(&box->cfg, pfn);
		void *addr;

		if (nid < 0) {
			if (page || mmbox_pfn_valid(box, pfn))
				KUNIT_FAIL(test, "pfn %lx of a hole is valid", pfn);
			last = NULL;
			continue;
		}
		KUNIT_ASSERT_NOT_NULL_MSG(test, page, "pfn %lx has no descriptor", pfn);
		valid++;
		addr = mmbox_page_address(box, page);
		if (mmbox_page_to_pfn(box, page) != pfn || page->node_id != nid ||
		    !mmbox_page_valid(box, page) || mmbox_page_valid(box, (void *)page + 8) ||
		    mmbox_virt_to_page(box, addr + PAGE_SIZE - 1) != page)
			KUNIT_FAIL(test, "pfn %lx: descriptor and address disagree", pfn);
		/* Within a section, descriptors are an array. */
		if (pfn % PHYS_PFN(SZ_4M) && last && page != last + 1)
			KUNIT_FAIL(test, "pfn %lx: descriptor is not behind the last one", pfn);
		last = page;
	}
	KUNIT_EXPECT_EQ(test, valid, PHYS_PFN(box->cfg.size));
	KUNIT_EXPECT_FALSE(test, mmbox_pfn_valid(box, -1UL));
	KUNIT_EXPECT_FALSE(test, mmbox_page_valid(box, NULL));
	KUNIT_EXPECT_FALSE(test, mmbox_page_valid(box, (void *)box));
	KUNIT_EXPECT_NULL(test, mmbox_virt_to_page(box, test));
}

/* No free block reaches into a hole. */
static void check_blocks(struct kunit *test, struct mmbox *box)
{
	unsigned long pfn, i;

	for (pfn = 0; pfn < box->memmap.max_pfn; pfn++) {
		struct mmbox_page *page = mmbox_pfn_to_page(box, pfn);

		if (!page || page->type != MMBOX_PAGE_BUDDY)
			continue;
		for (i = 0; i < 1UL << page->order; i++) {
			struct mmbox_page *tail = mmbox_pfn_to_page(box, pfn + i);

			if (tail && tail->zone_link == page->zone_link)
				continue;
			KUNIT_FAIL(test, "the free block at pfn %lx of order %u holds pfn %lx",
				   pfn, page->order, pfn + i);
			break;
		}
	}
}

/* Allocate and write all pages. When they are freed, the blocks are those of the boot. */
static void all_pages_usable(struct kunit *test)
{
	struct mmbox *box = layout_box(test);
	unsigned long nr = 0, i, managed = 0, nr_free[MMBOX_MAX_ORDERS] = {};
	struct mmbox_page *page, *next;
	struct mmbox_zone *zone;
	unsigned int order;
	LIST_HEAD(pages);
	int nid;

	mmbox_drain_all_pages(box);
	mmbox_for_each_zone(box, zone) {
		managed += zone->managed_pages;
		for (order = 0; order < MMBOX_MAX_ORDERS; order++)
			nr_free[order] += zone->free_area[order].nr_free;
	}
	check_blocks(test, box);
	for (nid = 0; nid < box->nr_nodes; nid++) {
		while ((page = mmbox_alloc_pages_node(box, nid,
						      GFP_ATOMIC | __GFP_MEMALLOC, 0))) {
			unsigned long *word = mmbox_page_address(box, page);

			if (!mmbox_page_valid(box, page)) {
				KUNIT_FAIL(test, "not a page of the box");
				break;
			}
			for (i = 0; i < PAGE_SIZE / sizeof(long); i += 64)
				word[i] = mmbox_page_to_pfn(box, page);
			list_add_tail(&page->buddy_list, &pages);
			nr++;
		}
	}
	KUNIT_EXPECT_GT(test, nr, managed * 8 / 10);
	list_for_each_entry_safe(page, next, &pages, buddy_list) {
		unsigned long *word = mmbox_page_address(box, page);

		for (i = 0; i < PAGE_SIZE / sizeof(long); i += 64)
			if (word[i] != mmbox_page_to_pfn(box, page)) {
				KUNIT_FAIL(test, "pfn %lx holds what was written to %lx",
					   mmbox_page_to_pfn(box, page), word[i]);
				break;
			}
		list_del(&page->buddy_list);
		__mmbox_free_page(box, page);
	}
	mmbox_drain_all_pages(box);
	mmbox_for_each_zone(box, zone)
		for (order = 0; order < MMBOX_MAX_ORDERS; order++)
			nr_free[order] -= zone->free_area[order].nr_free;
	for (order = 0; order < MMBOX_MAX_ORDERS; order++)
		KUNIT_EXPECT_EQ_MSG(test, nr_free[order], 0, "order %u", order);
	check_blocks(test, box);
	KUNIT_EXPECT_EQ(test, test_nr_bad(box), 0);
}

static void construct(void *objp)
{
	*(u64 *)objp = 1;
}

/* Objects of many sizes, with a constructor, in bulk, and larger than a slab. */
static void objects_usable(struct kunit *test)
{
	struct mmbox *box = layout_box(test);
	struct mmbox_kmem_cache *plain, *ctor;
	void **objs = test_zalloc(test, 512 * sizeof(*objs));
	void *bulk[32];
	u32 state = 1;
	int i, nr;

	plain = mmbox_kmem_cache_create(box, "plain", 700, 0, 0, NULL);
	ctor = mmbox_kmem_cache_create(box, "ctor", 96, 0, 0, construct);
	KUNIT_ASSERT_NOT_NULL(test, plain);
	KUNIT_ASSERT_NOT_NULL(test, ctor);
	for (nr = 0; nr < 6000; nr++) {
		i = test_random(&state) % 512;
		if (objs[i]) {
			KUNIT_EXPECT_NOT_NULL(test, mmbox_virt_to_page(box, objs[i]));
			mmbox_kfree(box, objs[i]);
			objs[i] = NULL;
		} else if (i % 8 == 0) {
			objs[i] = mmbox_kmem_cache_alloc(ctor, GFP_KERNEL);
			if (objs[i] && *(u64 *)objs[i] != 1)
				KUNIT_FAIL(test, "not constructed");
		} else {
			objs[i] = mmbox_kzalloc(box, 1 + test_random(&state) %
						     (i % 16 ? 512 : 16384), GFP_KERNEL);
		}
	}
	for (i = 0; i < 512; i++)
		mmbox_kfree(box, objs[i]);
	for (i = 0; i < 64; i++) {
		KUNIT_ASSERT_EQ(test, 32, mmbox_kmem_cache_alloc_bulk(plain, GFP_KERNEL,
								      32, bulk));
		memset(bulk[i % 32], 0xa5, 700);
		mmbox_kmem_cache_free_bulk(plain, 32, bulk);
	}
	KUNIT_EXPECT_EQ(test, test_nr_bad(box), 0);
	mmbox_kmem_cache_destroy(plain);
	mmbox_kmem_cache_destroy(ctor);
}

/* Bad frees are refused in every model. */
static void bad_frees_refused(struct kunit *test)
{
	struct mmbox *box = layout_box(test);
	struct mmbox_kmem_cache *cachep = mmbox_kmem_cache_create(box, "c", 64, 0, 0, NULL);
	struct mmbox_page *page = mmbox_alloc_pages(box, GFP_KERNEL, 1);
	void *objp = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
	void *other = mmbox_kmalloc(box, 64, GFP_KERNEL);
	long bad = 0;

	KUNIT_ASSERT_NOT_NULL(test, objp);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_ASSERT_NOT_NULL(test, page);
#define REFUSED(free)	do {						\
		free;							\
		KUNIT_EXPECT_EQ_MSG(test, ++bad, test_nr_bad(box), #free);	\
	} while (0)
	REFUSED(__mmbox_free_pages(box, page, 0));
	REFUSED(__mmbox_free_pages(box, page + 1, 0));
	REFUSED(__mmbox_free_pages(box, (void *)page + 8, 1));
	REFUSED(__mmbox_free_pages(box, (void *)box, 0));
	REFUSED(mmbox_free_pages(box, (unsigned long)box, 0));
	REFUSED(mmbox_kfree(box, test));
	REFUSED(mmbox_kfree(box, mmbox_page_address(box, page)));
	REFUSED(mmbox_kmem_cache_free(cachep, other));
	REFUSED(mmbox_kmem_cache_free(cachep, objp + 8));
	REFUSED(mmbox_kmem_cache_free(cachep, test));
	mmbox_kmem_cache_free(cachep, objp);
	REFUSED(mmbox_kmem_cache_free(cachep, objp));
	REFUSED(mmbox_kfree(box, objp));
#undef REFUSED
	mmbox_kfree(box, other);
	__mmbox_free_pages(box, page, 1);
	KUNIT_EXPECT_EQ(test, bad, test_nr_bad(box));
	mmbox_kmem_cache_destroy(cachep);
}

/* The figures of the file `memmap` are those that the layout gives. */
static void memmap_costs(struct kunit *test)
{
	const struct layout *layout = test->param_value;
	struct mmbox *box = layout_box(test);
	unsigned long hole_pages = PHYS_PFN(layout->span - box->cfg.size);
	struct mmbox_memmap_usage usage;

	mmbox_memmap_usage(box, &usage);
	KUNIT_EXPECT_EQ(test, usage.descriptors - usage.holes,
			PHYS_PFN(box->cfg.size) * sizeof(struct mmbox_page));
	switch (layout->model) {
	case MMBOX_FLAT:
		KUNIT_EXPECT_EQ(test, usage.holes, hole_pages * sizeof(struct mmbox_page));
		break;
	case MMBOX_SPARSE_STATIC:
		KUNIT_EXPECT_EQ(test, usage.sections, layout->span / SZ_4M *
				sizeof(struct mmbox_mem_section));
		fallthrough;
	case MMBOX_SPARSE_EXTREME:
		KUNIT_EXPECT_EQ(test, usage.holes, 0);
		break;
	case MMBOX_SPARSE_VMEMMAP:
		/* One page for all holes. */
		KUNIT_EXPECT_EQ(test, usage.holes, hole_pages ? PAGE_SIZE : 0);
		KUNIT_EXPECT_EQ(test, usage.tables, 0);
		break;
	default:
		break;
	}
	if (mmbox_model_is_sparse(layout->model))
		KUNIT_EXPECT_EQ(test, usage.usemaps, box->cfg.size / SZ_4M *
				mmbox_section_usage_size(box));
}

/*
 * Each allocation of the boot fails once. Either there is no box and no leak, or a
 * smaller box that works.
 */
static void boot_allocations_fail(struct kunit *test)
{
	struct mmbox_account account = {};
	struct mmbox_config cfg;
	unsigned long nth, missing = 0;
	struct mmbox_page *page;
	struct mmbox *box;

	layout_config(test, &cfg);
	cfg.account = &account;
	for (nth = 1; nth < 200; nth++) {
		struct mmbox_zone *zone;
		unsigned long present = 0, allocs;

		cfg.fail_boot_nth = nth;
		box = mmbox_create(&cfg);
		if (IS_ERR(box)) {
			KUNIT_EXPECT_EQ(test, account.bytes, 0);
			KUNIT_EXPECT_EQ(test, account.nr_taken, account.nr_returned);
			continue;
		}
		allocs = box->memblock.nr_allocs;
		mmbox_for_each_zone(box, zone)
			present += zone->present_pages;
		KUNIT_EXPECT_EQ(test, present + box->memmap.sparse.nr_missing * PHYS_PFN(SZ_4M),
				PHYS_PFN(cfg.size));
		missing += box->memmap.sparse.nr_missing;
		page = mmbox_alloc_pages(box, GFP_KERNEL, 3);
		KUNIT_EXPECT_NOT_NULL(test, page);
		if (page)
			__mmbox_free_pages(box, page, 3);
		test_check_box(test, box);
		mmbox_destroy(box);
		KUNIT_EXPECT_EQ(test, account.bytes, 0);
		KUNIT_EXPECT_EQ(test, account.nr_taken, account.nr_returned);
		if (nth > allocs)
			break;
	}
	KUNIT_EXPECT_LT_MSG(test, nth, 200, "allocations do not end");
	if (mmbox_model_is_sparse(cfg.model) && cfg.nr_banks > 1 && cfg.banks[1].nid)
		KUNIT_EXPECT_GT_MSG(test, missing, 0, "no section was ever left out");
}

/* The log of the boot has the documented steps in their order. */
static void boot_log_in_order(struct kunit *test)
{
	static const u8 steps[] = {
		MMBOX_BOOT_BANK, MMBOX_BOOT_SECTIONS, MMBOX_BOOT_MEMBLOCKS_PRESENT,
		MMBOX_BOOT_FIRST_PRESENT, MMBOX_BOOT_INIT_NID, MMBOX_BOOT_USEMAPS,
		MMBOX_BOOT_BUFFER_INIT, MMBOX_BOOT_POPULATE, MMBOX_BOOT_INIT_ONE,
		MMBOX_BOOT_BUFFER_FINI, MMBOX_BOOT_ZONE, MMBOX_BOOT_FREE,
	};
	struct mmbox *box = layout_box(test);
	unsigned long populated = 0;
	unsigned int i, next = 0;

	KUNIT_EXPECT_EQ(test, box->memmap.boot->nr_lost, 0);
	for (i = 0; i < box->memmap.boot->nr; i++) {
		const struct mmbox_boot_step *step = &box->memmap.boot->steps[i];

		if (next < ARRAY_SIZE(steps) && step->what == steps[next])
			next++;
		if (step->what == MMBOX_BOOT_POPULATE)
			populated += step->end - step->start;
	}
	if (!mmbox_model_is_sparse(box->cfg.model))
		return;
	KUNIT_EXPECT_EQ_MSG(test, next, ARRAY_SIZE(steps), "step %u did not happen",
			    steps[min_t(unsigned int, next, ARRAY_SIZE(steps) - 1)]);
	KUNIT_EXPECT_EQ(test, populated, box->cfg.size / SZ_4M);
}

/* A bank does not fill its last section. */
static void partial_last_section(struct kunit *test)
{
	struct mmbox_config cfg;
	int model;

	for (model = 0; model < MMBOX_NR_MODELS; model++) {
		struct mmbox *box;

		mmbox_config_init(&cfg);
		cfg.size = SZ_8M + SZ_64K;
		cfg.model = model;
		box = test_box(test, &cfg);
		KUNIT_EXPECT_TRUE(test, mmbox_pfn_valid(box, PHYS_PFN(cfg.size) - 1));
		KUNIT_EXPECT_FALSE(test, mmbox_pfn_valid(box, PHYS_PFN(cfg.size)));
		test_box_end(test, box);
	}
}

/* Sections of 16 MiB work. Bad sizes, banks and models are refused. */
static void section_size_bounds(struct kunit *test)
{
	struct mmbox_config cfg;
	struct mmbox *box;

	mmbox_config_init(&cfg);
	cfg.size = SZ_32M;
	cfg.section_size = SZ_16M;
	KUNIT_ASSERT_EQ(test, 0, mmbox_banks_parse(&cfg, "16M@0,16M@48M"));
	box = test_box(test, &cfg);
	KUNIT_EXPECT_EQ(test, box->memmap.nr_sections, 4);
	test_box_end(test, box);

	KUNIT_ASSERT_EQ(test, 0, mmbox_banks_parse(&cfg, "16M@0,16M@56M"));
	KUNIT_EXPECT_NE_MSG(test, 0, mmbox_config_check(&cfg), "not aligned to a section");
	mmbox_config_init(&cfg);
	cfg.section_size = SZ_2M;
	KUNIT_EXPECT_NE_MSG(test, 0, mmbox_config_check(&cfg), "less than the largest block");
	cfg.orders = 10;
	KUNIT_EXPECT_EQ(test, 0, mmbox_config_check(&cfg));
	cfg.section_size = SZ_4M + SZ_2M;
	KUNIT_EXPECT_NE_MSG(test, 0, mmbox_config_check(&cfg), "not a power of two");
	mmbox_config_init(&cfg);
	cfg.model = MMBOX_NR_MODELS;
	KUNIT_EXPECT_NE(test, 0, mmbox_config_check(&cfg));
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(pfn_page_address_agree, layouts_gen_params),
	KUNIT_CASE_PARAM(all_pages_usable, layouts_gen_params),
	KUNIT_CASE_PARAM(objects_usable, layouts_gen_params),
	KUNIT_CASE_PARAM(bad_frees_refused, layouts_gen_params),
	KUNIT_CASE_PARAM(memmap_costs, layouts_gen_params),
	KUNIT_CASE_PARAM(boot_allocations_fail, layouts_gen_params),
	KUNIT_CASE_PARAM(boot_log_in_order, layouts_gen_params),
	KUNIT_CASE(partial_last_section),
	KUNIT_CASE(section_size_bounds),
	{}
};

TEST_SUITE(memmap_suite, "mmbox_memmap", cases);
