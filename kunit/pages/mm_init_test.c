// SPDX-License-Identifier: GPL-2.0
/*
 * A box just booted: zones, page descriptors, watermarks, zonelists.
 */
#include <linux/math.h>

#include "testing.h"

static struct mmbox_zone *zone_of(struct mmbox *box, int idx)
{
	return &mmbox_node_data(box, 0)->node_zones[idx];
}

static struct mmbox *box_of(struct kunit *test, unsigned long size,
			    unsigned long zone_dma, unsigned int orders)
{
	struct mmbox_config cfg;

	test_config(&cfg, "test", size);
	cfg.zone_dma = zone_dma;
	cfg.zone_dma32 = 0;
	cfg.orders = orders;
	return test_box(test, &cfg);
}

/* Two zones fill the box without a gap. */
static void two_zones_fill_box(struct kunit *test)
{
	struct mmbox *box = box_of(test, SZ_32M, SZ_8M, 11);
	struct mmbox_zone *dma = zone_of(box, MMBOX_ZONE_DMA);
	struct mmbox_zone *normal = zone_of(box, MMBOX_ZONE_NORMAL);
	mmbox_pg_data_t *pgdat = mmbox_node_data(box, 0);

	KUNIT_EXPECT_STREQ(test, dma->name, "DMA");
	KUNIT_EXPECT_STREQ(test, normal->name, "Normal");
	KUNIT_EXPECT_EQ(test, dma->zone_start_pfn, 0);
	KUNIT_EXPECT_EQ(test, dma->spanned_pages, PHYS_PFN(SZ_8M));
	KUNIT_EXPECT_EQ(test, normal->zone_start_pfn, PHYS_PFN(SZ_8M));
	KUNIT_EXPECT_EQ(test, normal->spanned_pages, PHYS_PFN(SZ_32M - SZ_8M));
	KUNIT_EXPECT_EQ(test, dma->present_pages, dma->spanned_pages);
	KUNIT_EXPECT_EQ(test, normal->present_pages, normal->spanned_pages);
	KUNIT_EXPECT_EQ(test, pgdat->node_present_pages, PHYS_PFN(SZ_32M));
	KUNIT_EXPECT_EQ(test, pgdat->node_spanned_pages, PHYS_PFN(SZ_32M));
	KUNIT_EXPECT_EQ(test, pgdat->nr_zones, MMBOX_ZONE_NORMAL + 1);
	KUNIT_EXPECT_EQ(test, (int)pgdat->node_id, 0);
	KUNIT_EXPECT_NULL_MSG(test, pgdat->node_mem_map, "for flat and discontig alone");
	KUNIT_EXPECT_NULL_MSG(test, pgdat->bdata, "memblock is still in charge");
}

/*
 *	0        8M       16M       24M       32M
 *	| node 0 | node 1 | node 0  | node 1  |
 *	|   DMA  |          Normal            |
 *
 * Nodes alternate. Each zone spans from its first page to its last, and has only pages
 * of its own node.
 */
static void interleaved_nodes(struct kunit *test)
{
	struct mmbox_zone *zone;
	struct mmbox_config cfg;
	struct mmbox *box;
	unsigned long pfn;

	mmbox_config_init(&cfg);
	cfg.size = SZ_32M;
	cfg.zone_dma = SZ_8M;
	cfg.zone_dma32 = 0;
	KUNIT_ASSERT_EQ(test, 0, mmbox_banks_parse(&cfg, "8M@0,8M@16M,8M@8M:1,8M@24M:1"));
	box = test_box(test, &cfg);
	KUNIT_EXPECT_EQ(test, box->nr_nodes, 2);
	KUNIT_EXPECT_EQ(test, box->node[1]->node_id, 1);
	KUNIT_EXPECT_EQ(test, box->node[0]->node_spanned_pages, PHYS_PFN(SZ_8M * 3));
	KUNIT_EXPECT_EQ(test, box->node[0]->node_present_pages, PHYS_PFN(SZ_16M));
	KUNIT_EXPECT_EQ(test, box->node[1]->node_start_pfn, PHYS_PFN(SZ_8M));
	KUNIT_EXPECT_EQ(test, box->node[1]->node_spanned_pages, PHYS_PFN(SZ_8M * 3));
	KUNIT_EXPECT_EQ(test, box->node[1]->node_present_pages, PHYS_PFN(SZ_16M));

	KUNIT_EXPECT_EQ(test, box->node[0]->node_zones[MMBOX_ZONE_DMA].present_pages,
			PHYS_PFN(SZ_8M));
	KUNIT_EXPECT_FALSE(test, mmbox_populated_zone(&box->node[1]->node_zones[MMBOX_ZONE_DMA]));
	zone = &box->node[0]->node_zones[MMBOX_ZONE_NORMAL];
	KUNIT_EXPECT_EQ(test, zone->zone_start_pfn, PHYS_PFN(SZ_8M));
	KUNIT_EXPECT_EQ(test, zone->spanned_pages, PHYS_PFN(SZ_16M));
	KUNIT_EXPECT_EQ(test, zone->present_pages, PHYS_PFN(SZ_8M));
	for (pfn = 0; pfn < box->memmap.max_pfn; pfn++)
		KUNIT_EXPECT_EQ_MSG(test, (int)__mmbox_pfn_to_page(box, pfn)->node_id,
				    PFN_PHYS(pfn) / SZ_8M % 2, "pfn %lx", pfn);
}

/* A request begins at the node it names. With __GFP_THISNODE it goes to no other. */
static void request_falls_back_to_other_node(struct kunit *test)
{
	struct mmbox_config cfg;
	struct mmbox_page *page, *next;
	struct mmbox *box;
	LIST_HEAD(pages);

	mmbox_config_init(&cfg);
	cfg.size = SZ_16M;
	cfg.zone_dma = 0;
	KUNIT_ASSERT_EQ(test, 0, mmbox_banks_parse(&cfg, "12M@0,4M@12M:1"));
	box = test_box(test, &cfg);
	KUNIT_EXPECT_NULL(test, mmbox_alloc_pages_node(box, 2, GFP_KERNEL, 0));
	while ((page = mmbox_alloc_pages_node(box, 1, GFP_KERNEL | __GFP_THISNODE, 0))) {
		KUNIT_EXPECT_EQ(test, (int)(int)page->node_id, 1);
		list_add(&page->buddy_list, &pages);
	}
	page = mmbox_alloc_pages_node(box, 1, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, (int)(int)page->node_id, 0);
	list_add(&page->buddy_list, &pages);
	list_for_each_entry_safe(page, next, &pages, buddy_list) {
		list_del(&page->buddy_list);
		__mmbox_free_page(box, page);
	}
}

/* Each list of banks has one fault. */
static void bad_banks_refused(struct kunit *test)
{
	static const char *const unreadable[] = {
		"8M", "8M@", "@0", "8M@0,", ",8M@0", "8M@0:", "8M@0:x", "8M@0;8M@8M",
		"-8M@0", "8M@0:0:0", "16M@17179869184G", "17179869185G@0",
		"18446744073709567616@0", "08M@0", "8M@0x",
	};
	static const char *const senseless[] = {
		"16M@0,4M@8M",		/* overlaps */
		"8M@0,8M@8M:9",		/* no such node */
		"8M@0,8M@8M:2",		/* no node 1 */
		"15M@0,1M@15M",		/* not whole blocks */
		"16M@1M",
		"8M@0",			/* less than size= */
		"0@0,16M@0",
		"16M@128G",
	};
	struct mmbox_config cfg;
	int i;

	mmbox_config_init(&cfg);
	cfg.size = SZ_16M;
	for (i = 0; i < ARRAY_SIZE(unreadable); i++)
		KUNIT_EXPECT_NE_MSG(test, 0, mmbox_banks_parse(&cfg, unreadable[i]),
				    "%s", unreadable[i]);
	for (i = 0; i < ARRAY_SIZE(senseless); i++) {
		KUNIT_EXPECT_EQ_MSG(test, 0, mmbox_banks_parse(&cfg, senseless[i]),
				    "%s", senseless[i]);
		KUNIT_EXPECT_NE_MSG(test, 0, mmbox_config_check(&cfg), "%s", senseless[i]);
	}
	KUNIT_EXPECT_EQ(test, 0, mmbox_banks_parse(&cfg, "8M@8M:1,8M@0"));
	KUNIT_EXPECT_EQ(test, 0, mmbox_config_check(&cfg));
}

/* zone_dma=0: no ZONE_DMA. zone_dma= beyond the box: all of it is ZONE_DMA. */
static void zone_dma_none_or_all(struct kunit *test)
{
	struct mmbox *box = box_of(test, SZ_8M, 0, 11);
	struct mmbox_page *page;

	KUNIT_EXPECT_FALSE(test, mmbox_populated_zone(zone_of(box, MMBOX_ZONE_DMA)));
	KUNIT_EXPECT_EQ(test, zone_of(box, MMBOX_ZONE_NORMAL)->spanned_pages,
			PHYS_PFN(SZ_8M));
	KUNIT_EXPECT_NULL_MSG(test, mmbox_alloc_pages(box, GFP_KERNEL | GFP_DMA, 0),
			      "a page of ZONE_DMA, which is empty");
	test_box_end(test, box);

	box = box_of(test, SZ_8M, SZ_64M, 11);
	KUNIT_EXPECT_EQ(test, zone_of(box, MMBOX_ZONE_DMA)->spanned_pages, PHYS_PFN(SZ_8M));
	KUNIT_EXPECT_FALSE(test, mmbox_populated_zone(zone_of(box, MMBOX_ZONE_NORMAL)));
	page = mmbox_alloc_pages(box, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, (int)(int)page->zone_id, MMBOX_ZONE_DMA);
	__mmbox_free_pages(box, page, 0);
}

/* Where each of four zones lies, and which zones each flag may use. */
static void each_flag_its_zones(struct kunit *test)
{
	static const struct {
		gfp_t gfp;
		int idx;
	} cases[] = {
		{ GFP_KERNEL, MMBOX_ZONE_NORMAL },
		{ GFP_KERNEL | __GFP_MOVABLE, MMBOX_ZONE_NORMAL },
		{ GFP_HIGHUSER, MMBOX_ZONE_NORMAL },
		{ GFP_HIGHUSER_MOVABLE, MMBOX_ZONE_MOVABLE },
		{ GFP_KERNEL | __GFP_DMA32, MMBOX_ZONE_DMA32 },
		{ GFP_KERNEL | __GFP_DMA, MMBOX_ZONE_DMA },
		{ GFP_KERNEL | __GFP_DMA | __GFP_MOVABLE, MMBOX_ZONE_DMA },
	};
	static const unsigned long ends[] = { SZ_8M, SZ_16M, SZ_32M, SZ_64M };
	struct mmbox_config cfg;
	struct mmbox *box;
	unsigned long start = 0;
	int i;

	mmbox_config_init(&cfg);
	cfg.size = SZ_64M;
	cfg.zone_dma = SZ_8M;
	cfg.zone_dma32 = SZ_16M;
	cfg.movablecore = SZ_32M;
	box = test_box(test, &cfg);
	for (i = 0; i < MMBOX_MAX_NR_ZONES; i++) {
		KUNIT_EXPECT_EQ(test, zone_of(box, i)->zone_start_pfn, PHYS_PFN(start));
		KUNIT_EXPECT_EQ(test, zone_of(box, i)->spanned_pages,
				PHYS_PFN(ends[i] - start));
		start = ends[i];
	}
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mmbox_page *page = mmbox_alloc_pages(box, cases[i].gfp, 0);

		KUNIT_ASSERT_NOT_NULL(test, page);
		KUNIT_EXPECT_EQ_MSG(test, (int)(int)page->zone_id, cases[i].idx, "case %d", i);
		__mmbox_free_pages(box, page, 0);
	}
}

/*
 * movablecore= is rounded up to the largest block. kernelcore= is the least that is not
 * ZONE_MOVABLE. Both take pages of the highest zone only.
 */
static void zone_movable_size(struct kunit *test)
{
	static const struct {
		unsigned long kernelcore, movablecore, start;	/* bytes, 0: none */
	} cases[] = {
		{ 0, SZ_4K, SZ_64M - SZ_4M },
		{ 0, SZ_16M + SZ_4K, SZ_64M - SZ_16M - SZ_4M },
		{ SZ_32M + SZ_4K, 0, SZ_32M + SZ_4M },
		{ SZ_32M, SZ_8M, SZ_64M - SZ_8M },
		{ SZ_4K, 0, SZ_16M },
		{ 0, SZ_64M, 0 },
		{ SZ_64M, 0, 0 },
		{ SZ_64M - SZ_4K, 0, 0 },
	};
	unsigned long spanned;
	struct mmbox_config cfg;
	struct mmbox *box;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mmbox_zone *zone;

		mmbox_config_init(&cfg);
		cfg.size = SZ_64M;
		cfg.kernelcore = cases[i].kernelcore;
		cfg.movablecore = cases[i].movablecore;
		box = test_box(test, &cfg);
		zone = zone_of(box, MMBOX_ZONE_MOVABLE);
		KUNIT_EXPECT_EQ_MSG(test, zone->zone_start_pfn, PHYS_PFN(cases[i].start),
				    "case %d", i);
		spanned = 0;
		if (cases[i].start)
			spanned = PHYS_PFN(SZ_64M - cases[i].start);
		KUNIT_EXPECT_EQ_MSG(test, zone->spanned_pages, spanned, "case %d", i);
		test_box_end(test, box);
	}
}

/* The descriptors are in memory of the box, which is not managed. */
static void memmap_in_the_box(struct kunit *test)
{
	struct mmbox *box = box_of(test, SZ_32M, SZ_8M, 11);
	unsigned long first = PHYS_PFN(mmbox_virt_to_phys(box, box->memmap.map));
	unsigned long nr = PFN_UP(box->memmap.map_size), pfn, reserved = 0;
	unsigned long managed = 0;
	int i;

	KUNIT_EXPECT_EQ(test, box->memmap.map_size, PHYS_PFN(SZ_32M) * sizeof(struct mmbox_page));
	KUNIT_EXPECT_TRUE(test, mmbox_virt_valid(box, box->memmap.map));
	KUNIT_EXPECT_TRUE(test, mmbox_virt_valid(box, (void *)box->memmap.map +
						 box->memmap.map_size - 1));
	for (pfn = first; pfn < first + nr; pfn++)
		KUNIT_EXPECT_EQ_MSG(test, __mmbox_pfn_to_page(box, pfn)->type,
				    MMBOX_PAGE_RESERVED, "pfn %lx of the memmap", pfn);
	for (pfn = 0; pfn < box->memmap.max_pfn; pfn++)
		reserved += __mmbox_pfn_to_page(box, pfn)->type == MMBOX_PAGE_RESERVED;
	for (i = 0; i < MMBOX_MAX_NR_ZONES; i++)
		managed += zone_of(box, i)->managed_pages;
	KUNIT_EXPECT_EQ(test, managed + reserved, PHYS_PFN(SZ_32M));
	KUNIT_EXPECT_GE(test, reserved, nr);
	KUNIT_EXPECT_LE_MSG(test, reserved, nr + 2, "more than memmap and boot caches");
}

/* Boot memory is allocated from the top, or from the bottom with bottom_up. */
static void boot_memory_top_or_bottom(struct kunit *test)
{
	struct mmbox *box = box_of(test, SZ_32M, SZ_8M, 11);
	struct mmbox_config cfg;

	KUNIT_EXPECT_GE(test, mmbox_virt_to_phys(box, box->memmap.map),
			SZ_32M - box->memmap.map_size - SZ_64K);
	KUNIT_EXPECT_EQ(test, zone_of(box, MMBOX_ZONE_DMA)->managed_pages, PHYS_PFN(SZ_8M));
	test_box_end(test, box);

	mmbox_config_init(&cfg);
	cfg.size = SZ_32M;
	cfg.zone_dma = SZ_8M;
	cfg.zone_dma32 = 0;
	cfg.bottom_up = true;
	box = test_box(test, &cfg);
	KUNIT_EXPECT_LE(test, mmbox_virt_to_phys(box, box->memmap.map), SZ_64K);
	KUNIT_EXPECT_EQ(test, zone_of(box, MMBOX_ZONE_NORMAL)->managed_pages,
			PHYS_PFN(SZ_32M - SZ_8M));
}

/* Memory that is free after the boot is in the largest possible blocks. */
static void boot_blocks_are_largest(struct kunit *test)
{
	struct mmbox_config cfg;
	struct mmbox *box;
	unsigned int orders;

	for (orders = 10; orders <= 11; orders++) {
		struct mmbox_zone *zone;

		mmbox_config_init(&cfg);
		cfg.size = SZ_64M;
		cfg.orders = orders;
		cfg.pages_only = true;
		box = test_box(test, &cfg);
		zone = zone_of(box, MMBOX_ZONE_DMA);
		KUNIT_EXPECT_EQ(test, zone->free_area[orders - 1].nr_free,
				PHYS_PFN(SZ_16M) >> (orders - 1));
		KUNIT_EXPECT_EQ(test, zone->nr_free_pages, PHYS_PFN(SZ_16M));
		test_box_end(test, box);
	}
}

/*
 * Watermarks: min is the zone's share of min_free_kbytes. The gaps to low and high are
 * the larger of a quarter of min and a thousandth of the zone.
 */
static void watermarks_from_min_free(struct kunit *test)
{
	struct mmbox *box = box_of(test, SZ_64M, SZ_16M, 11);
	unsigned long managed = 0, pages_min;
	int i;

	for (i = 0; i < MMBOX_MAX_NR_ZONES; i++)
		managed += zone_of(box, i)->managed_pages;
	KUNIT_EXPECT_EQ(test, box->pages.min_free_kbytes,
			(unsigned long)int_sqrt(managed * (PAGE_SIZE / 1024) * 16));
	KUNIT_EXPECT_EQ(test, box->pages.watermark_scale_factor, 10);
	pages_min = box->pages.min_free_kbytes / (PAGE_SIZE / 1024);

	for (i = 0; i < MMBOX_MAX_NR_ZONES; i++) {
		struct mmbox_zone *zone = zone_of(box, i);
		unsigned long min = pages_min * zone->managed_pages / managed;
		unsigned long gap = max(min / 4, zone->managed_pages / 1000);

		KUNIT_EXPECT_EQ(test, zone->_watermark[MMBOX_WMARK_MIN], min);
		KUNIT_EXPECT_EQ(test, zone->_watermark[MMBOX_WMARK_LOW], min + gap);
		KUNIT_EXPECT_EQ(test, zone->_watermark[MMBOX_WMARK_HIGH], min + 2 * gap);
	}
	KUNIT_EXPECT_EQ(test, zone_of(box, MMBOX_ZONE_DMA)->lowmem_reserve[MMBOX_ZONE_NORMAL],
			(long)zone_of(box, MMBOX_ZONE_NORMAL)->managed_pages / 256);
	KUNIT_EXPECT_EQ(test, zone_of(box, MMBOX_ZONE_DMA)->lowmem_reserve[MMBOX_ZONE_DMA], 0);
	KUNIT_EXPECT_EQ(test, zone_of(box, MMBOX_ZONE_NORMAL)->lowmem_reserve[MMBOX_ZONE_NORMAL],
			0);
}

/* The smallest box has min_free_kbytes=128, and still works. */
static void smallest_box_works(struct kunit *test)
{
	struct mmbox *box = box_of(test, MMBOX_SIZE_MIN, SZ_16M, 10);
	void *p;

	KUNIT_EXPECT_GE(test, box->pages.min_free_kbytes, 128);
	p = mmbox_kmalloc(box, 100, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	mmbox_kfree(box, p);
}

/* Highest zone first, without empty zones. The last entry is NULL. */
static void zonelists_highest_first(struct kunit *test)
{
	struct mmbox *box = box_of(test, SZ_32M, SZ_8M, 11);
	int list;

	for (list = 0; list < MMBOX_MAX_ZONELISTS; list++) {
		struct mmbox_zoneref *zref;

		zref = mmbox_node_data(box, 0)->node_zonelists[list]._zonerefs;
		KUNIT_EXPECT_PTR_EQ(test, zref[0].zone, zone_of(box, MMBOX_ZONE_NORMAL));
		KUNIT_EXPECT_EQ(test, zref[0].zone_idx, MMBOX_ZONE_NORMAL);
		KUNIT_EXPECT_PTR_EQ(test, zref[1].zone, zone_of(box, MMBOX_ZONE_DMA));
		KUNIT_EXPECT_NULL(test, zref[2].zone);
	}
	test_box_end(test, box);

	box = box_of(test, SZ_8M, SZ_64M, 11);
	KUNIT_EXPECT_PTR_EQ(test, zone_of(box, MMBOX_ZONE_DMA),
			    mmbox_node_data(box, 0)->node_zonelists[0]._zonerefs[0].zone);
	KUNIT_EXPECT_NULL(test, mmbox_node_data(box, 0)->node_zonelists[0]._zonerefs[1].zone);
}

/* Each of pfn, descriptor and address of a page leads to the other two. */
static void pfn_page_address_agree(struct kunit *test)
{
	struct mmbox *box = box_of(test, SZ_8M, SZ_4M, 11);
	unsigned long pfn;

	for (pfn = 0; pfn < box->memmap.max_pfn; pfn += 97) {
		struct mmbox_page *page = mmbox_pfn_to_page(box, pfn);
		void *addr = mmbox_page_address(box, page);

		KUNIT_ASSERT_NOT_NULL(test, page);
		KUNIT_EXPECT_EQ(test, mmbox_page_to_pfn(box, page), pfn);
		KUNIT_EXPECT_PTR_EQ(test, addr, (void *)(box->physmap.va_base + PFN_PHYS(pfn)));
		KUNIT_EXPECT_PTR_EQ(test, mmbox_virt_to_page(box, addr + PAGE_SIZE - 1), page);
	}
	KUNIT_EXPECT_FALSE(test, mmbox_pfn_valid(box, PHYS_PFN(SZ_8M)));
	KUNIT_EXPECT_NULL(test, mmbox_pfn_to_page(box, PHYS_PFN(SZ_8M)));
	KUNIT_EXPECT_NULL(test, mmbox_virt_to_page(box, test));
	KUNIT_EXPECT_NULL(test, mmbox_virt_to_page(box, (void *)box->physmap.va_base - 1));
	KUNIT_EXPECT_NULL(test, mmbox_virt_to_page(box, (void *)box->physmap.va_base + SZ_8M));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(two_zones_fill_box),
	KUNIT_CASE(interleaved_nodes),
	KUNIT_CASE(request_falls_back_to_other_node),
	KUNIT_CASE(bad_banks_refused),
	KUNIT_CASE(zone_dma_none_or_all),
	KUNIT_CASE(each_flag_its_zones),
	KUNIT_CASE(zone_movable_size),
	KUNIT_CASE(memmap_in_the_box),
	KUNIT_CASE(boot_memory_top_or_bottom),
	KUNIT_CASE(boot_blocks_are_largest),
	KUNIT_CASE(watermarks_from_min_free),
	KUNIT_CASE(smallest_box_works),
	KUNIT_CASE(zonelists_highest_first),
	KUNIT_CASE(pfn_page_address_agree),
	{}
};

TEST_SUITE(mm_init_suite, "mmbox_mm_init", cases);
