// SPDX-License-Identifier: GPL-2.0
/*
 * Memory hotplug: sections that go offline and come back, over each sparse model and
 * both generations of the buddy allocator.
 *
 * What a user would see go wrong: memory that is handed out although it is offline, or
 * that is lost when it comes back; figures that do not follow.
 */
#include <linux/string.h>

#include "hotplug_box.h"
#include "pages/buddy.h"

#define MAX_PAGES	PHYS_PFN(SZ_64M)

/* Allocate all pages in blocks of @order. None may be of an offline section. */
static unsigned int take_all(struct kunit *test, struct mmbox *box, unsigned int order,
			     struct mmbox_page **pages)
{
	unsigned int nr = 0;
	int nid;

	mmbox_for_each_online_node(box, nid) {
		struct mmbox_page *page;

		while (nr < MAX_PAGES &&
		       (page = mmbox_alloc_pages_node(box, nid, GFP_HIGHUSER_MOVABLE |
						      __GFP_MEMALLOC | __GFP_NOWARN |
						      __GFP_NORETRY, order))) {
			if (!mmbox_pfn_to_online_page(box, mmbox_page_to_pfn(box, page)))
				KUNIT_FAIL(test, "pfn %lx is offline, but was handed out",
					   mmbox_page_to_pfn(box, page));
			pages[nr++] = page;
		}
	}
	return nr;
}

static void free_all(struct mmbox *box, struct mmbox_page **pages, unsigned int nr,
		     unsigned int order)
{
	while (nr--)
		__mmbox_free_pages(box, pages[nr], order);
	mmbox_drain_all_pages(box);
}

/* Does section @nr have boot memory? */
static bool has_reserved(struct mmbox *box, unsigned long nr)
{
	unsigned long pfn = nr * SECTION_PAGES, end = pfn + SECTION_PAGES;

	for (; pfn < end; pfn++)
		if (mmbox_pfn_to_page(box, pfn)->type == MMBOX_PAGE_RESERVED)
			return true;
	return false;
}

/* Each section goes offline and comes back. Then all that can go are offline at once. */
static void each_section_off_and_on(struct kunit *test)
{
	struct mmbox *box = hotplug_box(test);
	struct mmbox_page **pages = test_zalloc(test, MAX_PAGES * sizeof(*pages));
	bool off[MAX_SECTIONS] = {}, reserved;
	unsigned long nr, gone = 0, all;
	struct hotplug_figures before;

	hotplug_get_figures(box, &before);
	all = mmbox_nr_free_blocks(hotplug_zone(box, 0, MMBOX_ZONE_NORMAL), 10) +
	      mmbox_nr_free_blocks(hotplug_zone(box, 1, MMBOX_ZONE_NORMAL), 10) +
	      mmbox_nr_free_blocks(hotplug_zone(box, 0, MMBOX_ZONE_DMA), 10);
	for (nr = 0; nr < box->memmap.nr_sections; nr++) {
		int err;

		if (mmbox_section_state(box, nr) == MMBOX_SECTION_ABSENT)
			continue;
		KUNIT_EXPECT_EQ(test, mmbox_section_state(box, nr), MMBOX_SECTION_ONLINE);
		reserved = has_reserved(box, nr);
		err = mmbox_memory_offline(box, nr);
		KUNIT_EXPECT_EQ_MSG(test, err, reserved ? -EBUSY : 0, "section %lu", nr);
		if (!err) {
			gone++;
			KUNIT_EXPECT_EQ(test, mmbox_section_state(box, nr),
					MMBOX_SECTION_OFFLINE);
			KUNIT_EXPECT_TRUE(test, mmbox_pfn_valid(box, nr * SECTION_PAGES));
			KUNIT_EXPECT_NULL(test, mmbox_pfn_to_online_page(box,
									 nr * SECTION_PAGES));
			hotplug_check(test, box);
			KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, nr,
								     MMBOX_MMOP_ONLINE_KERNEL));
		}
		hotplug_expect_figures(test, box, &before, "one section");
		hotplug_check(test, box);
	}
	/* Exactly the sections that are one free block. */
	KUNIT_EXPECT_EQ(test, gone, all);
	KUNIT_EXPECT_EQ(test, gone, 8);

	for (nr = 0; nr < box->memmap.nr_sections; nr++)
		off[nr] = !mmbox_memory_offline(box, nr);
	hotplug_check(test, box);
	free_all(box, pages, take_all(test, box, 0, pages), 0);
	/* No section that is left has a free block of its size. */
	KUNIT_EXPECT_NULL(test, mmbox_alloc_pages(box, GFP_KERNEL | __GFP_NOWARN, 10));
	hotplug_check(test, box);
	for (nr = box->memmap.nr_sections; nr-- > 0;)
		if (off[nr])
			KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, nr,
								     MMBOX_MMOP_ONLINE_KERNEL));
	hotplug_expect_figures(test, box, &before, "all sections");
	nr = take_all(test, box, 10, pages);
	KUNIT_EXPECT_EQ(test, nr, all);
	free_all(box, pages, nr, 10);
	hotplug_check(test, box);
}

/* A section with a page in use stays online, and nothing changes. */
static void page_in_use_keeps_section(struct kunit *test)
{
	struct mmbox *box = hotplug_box(test);
	struct mmbox_page **pages = test_zalloc(test, MAX_PAGES * sizeof(*pages));
	struct mmbox_page *page;
	struct hotplug_figures before;
	unsigned int nr, i;
	unsigned long pfn;
	u32 sum;

	nr = take_all(test, box, 0, pages);
	/* Keep the last page of section 9. */
	for (i = 0; i < nr; i++) {
		if (mmbox_page_to_pfn(box, pages[i]) == 10 * SECTION_PAGES - 1)
			swap(pages[i], pages[nr - 1]);
	}
	page = pages[--nr];
	pfn = mmbox_page_to_pfn(box, page);
	KUNIT_ASSERT_EQ(test, pfn, 10 * SECTION_PAGES - 1);
	free_all(box, pages, nr, 0);

	hotplug_get_figures(box, &before);
	sum = mmbox_checksum(box);
	KUNIT_EXPECT_EQ(test, -EBUSY, mmbox_memory_offline(box, 9));
	KUNIT_EXPECT_EQ_MSG(test, sum, mmbox_checksum(box), "something changed");
	/* A page that is just being handed out is noticed only after isolation. */
	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_TAIL, 0);
	KUNIT_EXPECT_EQ(test, -EBUSY, mmbox_memory_offline(box, 9));
	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_ALLOCATED, 0);
	hotplug_expect_figures(test, box, &before, "busy");
	hotplug_check(test, box);
	__mmbox_free_pages(box, page, 0);
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, 9));
	hotplug_check(test, box);
}

/* Leaves pages of node 1 on the lists of the CPU that it runs on. */
static void free_elsewhere(void *arg)
{
	struct mmbox *box = arg;
	struct mmbox_page *pages[8];
	int i;

	for (i = 0; i < ARRAY_SIZE(pages); i++)
		pages[i] = mmbox_alloc_pages_node(box, 1, GFP_KERNEL, 0);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		if (pages[i])
			__mmbox_free_pages(box, pages[i], 0);
}

static void pages_on_cpu_lists_go(struct kunit *test)
{
	struct mmbox *box = hotplug_box(test);
	struct mmbox_zone *zone = hotplug_zone(box, 1, MMBOX_ZONE_NORMAL);
	unsigned int cpu, gone = 0;
	unsigned long nr;

	for (cpu = 0; cpu < min(num_online_cpus(), 2U); cpu++)
		test_thread_wait(test_thread_start(test, cpu, free_elsewhere, box));
	if (box->pages.design->per_cpu_lists)
		KUNIT_EXPECT_GT(test, mmbox_nr_pcp_pages(zone), 0);
	for (nr = 8; nr < 12; nr++)
		gone += !mmbox_memory_offline(box, nr);
	KUNIT_EXPECT_EQ(test, gone, 3);
	hotplug_check(test, box);
}

/* A zone leaves the zonelists with its last section, and is back with its first. */
static void zone_emptied_and_refilled(struct kunit *test)
{
	struct mmbox *box = hotplug_box(test);
	struct mmbox_zone *dma = hotplug_zone(box, 0, MMBOX_ZONE_DMA);
	struct mmbox_page *page;

	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, 0));
	KUNIT_EXPECT_EQ(test, dma->zone_start_pfn, SECTION_PAGES);
	KUNIT_EXPECT_EQ(test, dma->spanned_pages, SECTION_PAGES);
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, 1));
	KUNIT_EXPECT_EQ(test, dma->zone_start_pfn, 0);
	KUNIT_EXPECT_EQ(test, dma->spanned_pages, 0);
	KUNIT_EXPECT_FALSE(test, mmbox_populated_zone(dma));
	KUNIT_EXPECT_EQ(test, box->node[0]->node_start_pfn, 2 * SECTION_PAGES);
	hotplug_check(test, box);
	KUNIT_EXPECT_NULL(test, mmbox_alloc_pages(box, GFP_DMA | __GFP_NOWARN, 0));
	KUNIT_EXPECT_NULL(test, mmbox_alloc_pages(box, GFP_DMA | GFP_ATOMIC | __GFP_NOWARN, 3));

	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 1, MMBOX_MMOP_ONLINE));
	KUNIT_EXPECT_EQ(test, dma->zone_start_pfn, SECTION_PAGES);
	hotplug_check(test, box);
	page = mmbox_alloc_pages(box, GFP_DMA, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, mmbox_page_to_pfn(box, page) / SECTION_PAGES, 1);
	__mmbox_free_pages(box, page, 0);
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 0, MMBOX_MMOP_ONLINE));
	KUNIT_EXPECT_EQ(test, dma->spanned_pages, 2 * SECTION_PAGES);
	hotplug_check(test, box);
}

/* online_movable makes a ZONE_MOVABLE in the middle of another zone. */
static void online_movable(struct kunit *test)
{
	struct mmbox *box = hotplug_box(test);
	struct mmbox_zone *normal = hotplug_zone(box, 0, MMBOX_ZONE_NORMAL);
	struct mmbox_zone *zone = hotplug_zone(box, 0, MMBOX_ZONE_MOVABLE);
	struct mmbox_page **pages = test_zalloc(test, MAX_PAGES * sizeof(*pages));
	struct mmbox_page *page;
	struct hotplug_figures before, now;
	unsigned int nr;

	hotplug_get_figures(box, &before);
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, 3));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 3, MMBOX_MMOP_ONLINE_MOVABLE));
	KUNIT_EXPECT_PTR_EQ(test, zone, mmbox_section_zone(box, 3));
	KUNIT_EXPECT_EQ(test, zone->zone_start_pfn, 3 * SECTION_PAGES);
	KUNIT_EXPECT_EQ(test, zone->managed_pages, SECTION_PAGES);
	KUNIT_EXPECT_EQ(test, normal->spanned_pages, 4 * SECTION_PAGES);
	KUNIT_EXPECT_EQ(test, normal->present_pages, 3 * SECTION_PAGES);
	hotplug_check(test, box);

	page = mmbox_alloc_pages_node(box, 0, GFP_HIGHUSER_MOVABLE, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_PTR_EQ(test, mmbox_page_zone(box, page), zone);
	KUNIT_EXPECT_EQ(test, -EBUSY, mmbox_memory_offline(box, 3));
	__mmbox_free_pages(box, page, 0);
	/* GFP_KERNEL never uses ZONE_MOVABLE, and blocks do not merge across zones. */
	for (nr = 0; nr < MAX_PAGES; nr++) {
		pages[nr] = mmbox_alloc_pages_node(box, 0, GFP_KERNEL | __GFP_NORETRY |
						   __GFP_NOWARN, 0);
		if (!pages[nr])
			break;
		if (mmbox_page_zone(box, pages[nr]) == zone) {
			KUNIT_FAIL(test, "an unmovable page is in ZONE_MOVABLE");
			break;
		}
	}
	free_all(box, pages, nr, 0);
	hotplug_check(test, box);

	/* Both zones span the section: MMOP_ONLINE chooses the kernel zone. */
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, 3));
	KUNIT_EXPECT_FALSE(test, mmbox_populated_zone(zone));
	KUNIT_EXPECT_EQ(test, zone->spanned_pages, 0);
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 3, MMBOX_MMOP_ONLINE));
	/* Allocating unmovable pages has changed types of pageblocks. */
	hotplug_get_figures(box, &now);
	memcpy(before.types, now.types, sizeof(before.types));
	hotplug_expect_figures(test, box, &before, "after another zone");

	/* Only ZONE_MOVABLE spans the section: MMOP_ONLINE chooses that. */
	for (nr = 2; nr < 5; nr++)
		KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, nr));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 2, MMBOX_MMOP_ONLINE_MOVABLE));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 4, MMBOX_MMOP_ONLINE_MOVABLE));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 3, MMBOX_MMOP_ONLINE));
	KUNIT_EXPECT_PTR_EQ(test, zone, mmbox_section_zone(box, 3));
	hotplug_check(test, box);
}

static void wrong_state_refused(struct kunit *test)
{
	struct mmbox *box = hotplug_box(test);
	struct hotplug_figures before;

	hotplug_get_figures(box, &before);
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memory_online(box, 2, MMBOX_MMOP_ONLINE));
	KUNIT_EXPECT_EQ(test, -ENXIO, mmbox_memory_online(box, HOLE, MMBOX_MMOP_ONLINE));
	KUNIT_EXPECT_EQ(test, -ENXIO, mmbox_memory_offline(box, HOLE));
	KUNIT_EXPECT_EQ(test, -ENXIO, mmbox_memory_offline(box, box->memmap.nr_sections));
	KUNIT_EXPECT_EQ(test, -ENXIO, mmbox_memory_offline(box, -1UL));
	hotplug_expect_figures(test, box, &before, "refusals");
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, 2));
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memory_offline(box, 2));
}

/* Sections that can never go offline, and models without sections. */
static void sections_that_cannot_go(struct kunit *test)
{
	struct mmbox_config cfg;
	struct mmbox *box;
	int model;

	/* A section with two zones, and a section that is not full. */
	hotplug_config(test, &cfg);
	cfg.zone_dma = SZ_2M;
	box = test_box(test, &cfg);
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memory_offline(box, 0));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, 1));
	hotplug_check(test, box);
	test_box_end(test, box);
	hotplug_config(test, &cfg);
	cfg.nr_banks = 0;
	cfg.size = SZ_16M + SZ_64K;
	box = test_box(test, &cfg);
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memory_offline(box, 4));
	test_box_end(test, box);

	for (model = 0; !mmbox_model_is_sparse(model); model++) {
		hotplug_config(test, &cfg);
		cfg.model = model;
		box = test_box(test, &cfg);
		KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, mmbox_memory_offline(box, 2));
		KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
				mmbox_memory_online(box, 2, MMBOX_MMOP_ONLINE));
		test_box_end(test, box);
	}
}

/* Pages freed to an isolated pageblock stay there, are not counted and not handed out. */
static void isolated_pageblock_keeps_frees(struct kunit *test)
{
	struct mmbox *box = hotplug_box(test);
	struct mmbox_zone *zone = hotplug_zone(box, 1, MMBOX_ZONE_NORMAL);
	unsigned long free, left, taken = 0;
	struct mmbox_page **pages = test_zalloc(test, MAX_PAGES * sizeof(*pages));
	struct mmbox_page *page;
	unsigned int nr;
	u8 types[4];

	if (!box->pages.design->isolate)
		kunit_skip(test, "the bitmap generation isolates nothing");
	page = mmbox_alloc_pages_node(box, 1, GFP_KERNEL, 4);
	KUNIT_ASSERT_NOT_NULL(test, page);
	mmbox_drain_all_pages(box);
	free = zone->nr_free_pages;
	box->pages.design->isolate(zone, mmbox_page_to_pfn(box, page) & ~1023UL, types);
	left = zone->nr_free_pages;
	KUNIT_EXPECT_EQ(test, free - left, 1024 - 16);
	__mmbox_free_pages(box, page, 4);
	KUNIT_EXPECT_EQ_MSG(test, left, zone->nr_free_pages, "counts as free");
	hotplug_check_verify(test, box);
	nr = take_all(test, box, 0, pages);
	while (taken < nr && mmbox_page_to_pfn(box, pages[taken]) >> 10 !=
			     mmbox_page_to_pfn(box, page) >> 10)
		taken++;
	KUNIT_EXPECT_EQ_MSG(test, taken, nr, "a page of that pageblock was handed out");
	KUNIT_EXPECT_NULL(test, mmbox_alloc_pages(box, GFP_ATOMIC | __GFP_NOWARN, 3));
	free_all(box, pages, nr, 0);
	box->pages.design->unisolate(zone, mmbox_page_to_pfn(box, page) & ~1023UL, types);
	KUNIT_EXPECT_EQ(test, zone->nr_free_pages, free + 16);
	KUNIT_EXPECT_EQ(test, zone->nr_isolate_pageblock, 0);
	hotplug_check(test, box);
}

/* The highatomic reserve shrinks when its pageblock goes offline. */
static void highatomic_reserve_goes(struct kunit *test)
{
	struct mmbox *box = hotplug_box(test);
	struct mmbox_page *page;
	struct mmbox_zone *zone;
	struct hotplug_figures before;
	unsigned long nr;

	if (!box->pages.design->reserve)
		kunit_skip(test, "the bitmap generation has no such reserve");
	page = mmbox_alloc_pages_node(box, 1, GFP_ATOMIC, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	zone = mmbox_page_zone(box, page);
	box->pages.design->reserve(zone, page);
	nr = mmbox_page_to_pfn(box, page) / SECTION_PAGES;
	KUNIT_ASSERT_GT(test, zone->nr_reserved_highatomic, 0);
	hotplug_get_figures(box, &before);
	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_TAIL, 0);
	KUNIT_EXPECT_EQ(test, -EBUSY, mmbox_memory_offline(box, nr));
	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_ALLOCATED, 0);
	hotplug_expect_figures(test, box, &before, "undone");
	__mmbox_free_pages(box, page, 0);
	mmbox_drain_all_pages(box);
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, nr));
	KUNIT_EXPECT_EQ(test, zone->nr_reserved_highatomic, 0);
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, nr, MMBOX_MMOP_ONLINE));
	KUNIT_EXPECT_EQ(test, mmbox_pageblock_type(box, nr * SECTION_PAGES),
			MMBOX_MIGRATE_MOVABLE);
	hotplug_check(test, box);
}

/* Each request to the host is refused once: onlining fails, and nothing changes. */
static void online_without_memory(struct kunit *test)
{
	struct mmbox *box = hotplug_box(test);
	unsigned int refused = 0, i;
	struct hotplug_figures before;

	KUNIT_ASSERT_EQ(test, 0, mmbox_memory_offline(box, 3));
	hotplug_get_figures(box, &before);
	for (i = 1; i < 20; i++) {
		int err;

		box->host.fail_nth = atomic_long_read(&box->host.nr_requests) + i;
		err = mmbox_memory_online(box, 3, MMBOX_MMOP_ONLINE_MOVABLE);
		box->host.fail_nth = 0;
		if (!err)
			break;
		refused++;
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
		KUNIT_EXPECT_EQ(test, mmbox_section_state(box, 3), MMBOX_SECTION_OFFLINE);
		hotplug_expect_figures(test, box, &before, "no memory");
	}
	/* Only the bitmap generation needs memory: a map for the zone. */
	KUNIT_EXPECT_EQ(test, refused, box->cfg.buddy == MMBOX_BUDDY_BITMAP);
	KUNIT_EXPECT_EQ(test, mmbox_section_state(box, 3), MMBOX_SECTION_ONLINE);
	hotplug_check(test, box);
}

/*
 * A node has a kswapd only if it has memory. It cannot lose all its memory, as that
 * holds its maps. But if the boot finds no memory for the maps, it has none.
 */
static void kswapd_only_with_memory(struct kunit *test)
{
	unsigned long nth, allocs = 0, without = 0;
	struct mmbox_config cfg;
	struct mmbox *box;
	int nid;

	hotplug_config(test, &cfg);
	cfg.kswapd = true;
	cfg.pages_only = false;
	box = test_box(test, &cfg);
	KUNIT_ASSERT_NOT_NULL(test, box->node[1]->kswapd);
	mutex_lock(&box->pages.memory_lock);
	mmbox_kswapd_stop(box->node[1]);
	mutex_unlock(&box->pages.memory_lock);
	KUNIT_EXPECT_NULL(test, box->node[1]->kswapd);
	KUNIT_EXPECT_NOT_NULL(test, box->node[0]->kswapd);
	KUNIT_EXPECT_FALSE_MSG(test, mmbox_throttle_node(box->node[1], GFP_KERNEL),
			       "would wait for a kswapd that does not run");
	KUNIT_ASSERT_EQ(test, 0, mmbox_memory_offline(box, 9));
	KUNIT_EXPECT_NULL(test, box->node[1]->kswapd);
	KUNIT_ASSERT_EQ(test, 0, mmbox_memory_online(box, 9, MMBOX_MMOP_ONLINE));
	KUNIT_EXPECT_NOT_NULL(test, box->node[1]->kswapd);
	hotplug_check(test, box);
	test_box_drop(test, box);

	for (nth = 1; nth <= allocs + 1; nth++) {
		cfg.fail_boot_nth = nth;
		box = mmbox_create(&cfg);
		allocs = max(allocs, nth);
		if (IS_ERR(box))
			continue;
		allocs = box->memblock.nr_allocs;
		mmbox_for_each_online_node(box, nid) {
			KUNIT_EXPECT_EQ(test, !!box->node[nid]->kswapd,
					!!box->node[nid]->node_present_pages);
			without += !box->node[nid]->kswapd;
		}
		mmbox_destroy(box);
	}
	KUNIT_EXPECT_GT_MSG(test, without, 0, "every node had memory");
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(each_section_off_and_on, hotplug_variants),
	KUNIT_CASE_PARAM(page_in_use_keeps_section, hotplug_variants),
	KUNIT_CASE_PARAM(pages_on_cpu_lists_go, hotplug_variants),
	KUNIT_CASE_PARAM(zone_emptied_and_refilled, hotplug_variants),
	KUNIT_CASE_PARAM(online_movable, hotplug_variants),
	KUNIT_CASE_PARAM(wrong_state_refused, hotplug_variants),
	KUNIT_CASE_PARAM(sections_that_cannot_go, hotplug_variants),
	KUNIT_CASE_PARAM(isolated_pageblock_keeps_frees, hotplug_variants),
	KUNIT_CASE_PARAM(highatomic_reserve_goes, hotplug_variants),
	KUNIT_CASE_PARAM(online_without_memory, hotplug_variants),
	KUNIT_CASE_PARAM(kswapd_only_with_memory, hotplug_variants),
	{}
};

TEST_SUITE(memory_hotplug_suite, "mmbox_memory_hotplug", cases);
