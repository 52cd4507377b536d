// SPDX-License-Identifier: GPL-2.0
/*
 * Memory hotplug: sections that go offline and come back, over each sparse
 * model and both generations of the buddy allocator.
 *
 * What a user would see go wrong: memory that is handed out though it is
 * offline, that is lost when it comes back, or figures that do not follow.
 */
#include <linux/string.h>

#include "pages/buddy.h"
#include "churn.h"
#include "box.h"

struct variant {
	enum mmbox_memory_model model;
	enum mmbox_buddy_type buddy;
};

static const struct variant variants[] = {
	{ MMBOX_SPARSE_STATIC, MMBOX_BUDDY_LIST },
	{ MMBOX_SPARSE_EXTREME, MMBOX_BUDDY_LIST },
	{ MMBOX_SPARSE_VMEMMAP, MMBOX_BUDDY_LIST },
	{ MMBOX_SPARSE_STATIC, MMBOX_BUDDY_BITMAP },
	{ MMBOX_SPARSE_EXTREME, MMBOX_BUDDY_BITMAP },
	{ MMBOX_SPARSE_VMEMMAP, MMBOX_BUDDY_BITMAP },
};

static void variant_desc(const struct variant *variant, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s %s", mmbox_model_names[variant->model],
		 mmbox_buddy_names[variant->buddy]);
}

KUNIT_ARRAY_PARAM(variants, variants, variant_desc);

#define SECTION_PAGES	PHYS_PFN(SZ_4M)
#define MAX_SECTIONS	16
#define MAX_PAGES	PHYS_PFN(SZ_64M)

/*
 * Two zones and two nodes, and a hole between:
 *
 *	section  0   1 | 2   3   4   5 |     | 8   9  10  11
 *		 DMA   | Normal        |     | Normal
 *		 node 0		       |     | node 1
 *
 * What the boot took is at the ends of the nodes, in sections 5 and 11.
 */
#define BANKS		"24M@0:0,16M@32M:1"
#define HOLE		7

static void hotplug_config(struct kunit *test, struct mmbox_config *cfg)
{
	const struct variant *variant = test->param_value;

	mmbox_config_init(cfg);
	cfg->name = "test";
	cfg->zone_dma = SZ_8M;
	cfg->zone_dma32 = 0;
	cfg->kswapd = false;
	cfg->pages_only = true;
	cfg->model = variant->model;
	cfg->buddy = variant->buddy;
	KUNIT_ASSERT_EQ(test, 0, mmbox_banks_parse(cfg, BANKS));
	cfg->size = mmbox_banks_sum(cfg);
}

static struct mmbox *hotplug_box(struct kunit *test)
{
	struct mmbox_config cfg;

	hotplug_config(test, &cfg);
	return test_box(test, &cfg);
}

static struct mmbox_zone *zone_of(struct mmbox *box, int nid, int idx)
{
	return &box->node[nid]->node_zones[idx];
}

/* ---- what must follow ---- */

struct zone_figures {
	unsigned long start, spanned, present, managed, free, isolated, highatomic;
};

struct figures {
	struct zone_figures zone[2][MMBOX_MAX_NR_ZONES];
	unsigned long node_start[2], node_spanned[2], node_present[2];
	u8 types[MAX_SECTIONS * 2];
};

static void get_figures(struct mmbox *box, struct figures *f)
{
	unsigned long pfn;
	int nid, i;

	*f = (struct figures){};
	mmbox_drain_all_pages(box);
	mmbox_for_each_online_node(box, nid) {
		mmbox_pg_data_t *pgdat = box->node[nid];

		f->node_start[nid] = pgdat->node_start_pfn;
		f->node_spanned[nid] = pgdat->node_spanned_pages;
		f->node_present[nid] = pgdat->node_present_pages;
		for (i = 0; i < MMBOX_MAX_NR_ZONES; i++) {
			const struct mmbox_zone *zone = &pgdat->node_zones[i];

			f->zone[nid][i] = (struct zone_figures){
				.start = zone->zone_start_pfn,
				.spanned = zone->spanned_pages,
				.present = zone->present_pages,
				.managed = zone->managed_pages,
				.free = zone->nr_free_pages,
				.isolated = zone->nr_isolate_pageblock,
				.highatomic = zone->nr_reserved_highatomic,
			};
		}
	}
	for (pfn = 0; pfn < box->memmap.max_pfn; pfn += 1UL << box->pages.pageblock_shift)
		f->types[pfn >> box->pages.pageblock_shift] = mmbox_pageblock_type(box, pfn);
}

static void expect_figures(struct kunit *test, struct mmbox *box, const struct figures *f,
			   const char *when)
{
	struct figures now;

	get_figures(box, &now);
	KUNIT_EXPECT_EQ_MSG(test, 0, memcmp(&now, f, sizeof(now)),
			    "%s: zones, nodes or pageblocks are not as before", when);
}

struct sum {
	unsigned long start, end, present;
};

static void add_pfn(struct sum *sum, unsigned long pfn)
{
	if (!sum->present++)
		sum->start = pfn;
	sum->end = pfn + 1;
}

/* Spans and sums of zones and nodes, from what each page says it is in. */
static void check_sums(struct kunit *test, struct mmbox *box)
{
	struct sum zones[MMBOX_NR_ZONE_LINKS] = {}, nodes[MMBOX_MAX_NUMNODES] = {};
	const struct sum *sum;
	struct mmbox_zone *zone;
	unsigned long pfn;
	int nid;

	for (pfn = 0; pfn < box->memmap.max_pfn; pfn++) {
		const struct mmbox_page *page = mmbox_pfn_to_online_page(box, pfn);

		if (!page)
			continue;
		add_pfn(&zones[mmbox_page_zone(box, page)->zone_pgdat->node_id * 4 +
			       mmbox_zone_idx(mmbox_page_zone(box, page))], pfn);
		add_pfn(&nodes[page->node_id], pfn);
	}
	mmbox_for_each_zone(box, zone) {
		sum = &zones[zone->zone_pgdat->node_id * 4 + mmbox_zone_idx(zone)];
		KUNIT_EXPECT_EQ_MSG(test, zone->present_pages, sum->present, "%s", zone->name);
		KUNIT_EXPECT_EQ_MSG(test, zone->zone_start_pfn, sum->start, "%s", zone->name);
		KUNIT_EXPECT_EQ_MSG(test, zone->spanned_pages, sum->end - sum->start, "%s",
				    zone->name);
	}
	mmbox_for_each_online_node(box, nid) {
		sum = &nodes[nid];
		KUNIT_EXPECT_EQ(test, box->node[nid]->node_present_pages, sum->present);
		KUNIT_EXPECT_EQ(test, box->node[nid]->node_start_pfn, sum->start);
		KUNIT_EXPECT_EQ(test, box->node[nid]->node_spanned_pages,
				sum->end - sum->start);
	}
}

static bool in_list(const struct mmbox_zonelist *list, const struct mmbox_zone *zone)
{
	const struct mmbox_zoneref *zref;

	for (zref = list->_zonerefs; zref->zone; zref++)
		if (zref->zone == zone)
			return true;
	return false;
}

/* Zonelists have just the populated zones; marks and reserves go by managed pages. */
static void check_rules(struct kunit *test, struct mmbox *box)
{
	unsigned long managed = 0, pages_min = box->pages.min_free_kbytes >> (PAGE_SHIFT - 10);
	struct mmbox_zone *zone;
	int nid, j;

	mmbox_for_each_zone(box, zone)
		managed += zone->managed_pages;
	mmbox_for_each_zone(box, zone) {
		const struct mmbox_zone *zones = zone->zone_pgdat->node_zones;
		int ratio = box->pages.lowmem_reserve_ratio[mmbox_zone_idx(zone)];
		unsigned long above = 0;

		mmbox_for_each_online_node(box, nid)
			KUNIT_EXPECT_EQ_MSG(test, in_list(&box->node[nid]->node_zonelists[0], zone),
					    mmbox_populated_zone(zone), "list of %d, %d:%s", nid,
					    zone->zone_pgdat->node_id, zone->name);
		KUNIT_EXPECT_EQ_MSG(test, zone->_watermark[MMBOX_WMARK_MIN],
				    pages_min * zone->managed_pages / managed, "%s",
				    zone->name);
		for (j = mmbox_zone_idx(zone) + 1; j < MMBOX_MAX_NR_ZONES; j++) {
			above += zones[j].managed_pages;
			KUNIT_EXPECT_EQ(test, zone->lowmem_reserve[j],
					(long)(ratio && zone->managed_pages ? above / ratio : 0));
		}
	}
}

static void check_verify(struct kunit *test, struct mmbox *box)
{
	struct mmbox_verify sums;

	KUNIT_EXPECT_EQ(test, 0, mmbox_verify(box, NULL, &sums));
	KUNIT_EXPECT_EQ(test, sums.problems, 0);
}

static void check_all(struct kunit *test, struct mmbox *box)
{
	check_sums(test, box);
	check_rules(test, box);
	check_verify(test, box);
	test_check_box(test, box);
}

/* Whatever there is, in blocks of @order; none may be of a section that is offline. */
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
				KUNIT_FAIL(test, "pfn %lx is offline, and was handed out",
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

/* Is there anything in it that a boot left there? */
static bool has_reserved(struct mmbox *box, unsigned long nr)
{
	unsigned long pfn = nr * SECTION_PAGES, end = pfn + SECTION_PAGES;

	for (; pfn < end; pfn++)
		if (mmbox_pfn_to_page(box, pfn)->type == MMBOX_PAGE_RESERVED)
			return true;
	return false;
}

/* ---- cases ---- */

/* Each section by itself, and back; then all that can go at once, and back. */
static void off_and_on(struct kunit *test)
{
	struct mmbox *box = hotplug_box(test);
	struct mmbox_page **pages = test_zalloc(test, MAX_PAGES * sizeof(*pages));
	bool off[MAX_SECTIONS] = {}, reserved;
	unsigned long nr, gone = 0, all;
	struct figures before;

	get_figures(box, &before);
	all = mmbox_nr_free_blocks(zone_of(box, 0, MMBOX_ZONE_NORMAL), 10) +
	      mmbox_nr_free_blocks(zone_of(box, 1, MMBOX_ZONE_NORMAL), 10) +
	      mmbox_nr_free_blocks(zone_of(box, 0, MMBOX_ZONE_DMA), 10);
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
			check_all(test, box);
			KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, nr,
								     MMBOX_MMOP_ONLINE_KERNEL));
		}
		expect_figures(test, box, &before, "one section");
		check_all(test, box);
	}
	/* All blocks that are free as a whole, and not a section more. */
	KUNIT_EXPECT_EQ(test, gone, all);
	KUNIT_EXPECT_EQ(test, gone, 8);

	for (nr = 0; nr < box->memmap.nr_sections; nr++)
		off[nr] = !mmbox_memory_offline(box, nr);
	check_all(test, box);
	free_all(box, pages, take_all(test, box, 0, pages), 0);
	/* What is left has no block as large as a section. */
	KUNIT_EXPECT_NULL(test, mmbox_alloc_pages(box, GFP_KERNEL | __GFP_NOWARN, 10));
	check_all(test, box);
	for (nr = box->memmap.nr_sections; nr-- > 0;)
		if (off[nr])
			KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, nr,
								     MMBOX_MMOP_ONLINE_KERNEL));
	expect_figures(test, box, &before, "all sections");
	nr = take_all(test, box, 10, pages);
	KUNIT_EXPECT_EQ(test, nr, all);
	free_all(box, pages, nr, 10);
	check_all(test, box);
}

/* A page in use keeps its section, and nothing at all changes. */
static void busy(struct kunit *test)
{
	struct mmbox *box = hotplug_box(test);
	struct mmbox_page **pages = test_zalloc(test, MAX_PAGES * sizeof(*pages));
	struct mmbox_page *page;
	struct figures before;
	unsigned int nr, i;
	unsigned long pfn;
	u32 sum;

	nr = take_all(test, box, 0, pages);
	/* The last page of section 9 stays. */
	for (i = 0; i < nr; i++) {
		if (mmbox_page_to_pfn(box, pages[i]) == 10 * SECTION_PAGES - 1)
			swap(pages[i], pages[nr - 1]);
	}
	page = pages[--nr];
	pfn = mmbox_page_to_pfn(box, page);
	KUNIT_ASSERT_EQ(test, pfn, 10 * SECTION_PAGES - 1);
	free_all(box, pages, nr, 0);

	get_figures(box, &before);
	sum = mmbox_checksum(box);
	KUNIT_EXPECT_EQ(test, -EBUSY, mmbox_memory_offline(box, 9));
	KUNIT_EXPECT_EQ_MSG(test, sum, mmbox_checksum(box), "something changed");
	/* One that is only seen when its pageblock is isolated: just being handed out. */
	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_TAIL, 0);
	KUNIT_EXPECT_EQ(test, -EBUSY, mmbox_memory_offline(box, 9));
	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_ALLOCATED, 0);
	expect_figures(test, box, &before, "busy");
	check_all(test, box);
	__mmbox_free_pages(box, page, 0);
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, 9));
	check_all(test, box);
}

/* A page on the lists of any CPU is not in use. */
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

static void on_lists_of_cpus(struct kunit *test)
{
	struct mmbox *box = hotplug_box(test);
	unsigned int cpu, gone = 0;
	unsigned long nr;

	for (cpu = 0; cpu < min(num_online_cpus(), 2U); cpu++)
		test_thread_wait(test_thread_start(test, cpu, free_elsewhere, box));
	if (box->pages.design->per_cpu_lists)
		KUNIT_EXPECT_GT(test, mmbox_nr_pcp_pages(zone_of(box, 1, MMBOX_ZONE_NORMAL)), 0);
	for (nr = 8; nr < 12; nr++)
		gone += !mmbox_memory_offline(box, nr);
	KUNIT_EXPECT_EQ(test, gone, 3);
	check_all(test, box);
}

/* The last section of a zone takes it off all lists; the first brings it back. */
static void empty_zone(struct kunit *test)
{
	struct mmbox *box = hotplug_box(test);
	struct mmbox_zone *dma = zone_of(box, 0, MMBOX_ZONE_DMA);
	struct mmbox_page *page;

	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, 0));
	KUNIT_EXPECT_EQ(test, dma->zone_start_pfn, SECTION_PAGES);
	KUNIT_EXPECT_EQ(test, dma->spanned_pages, SECTION_PAGES);
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, 1));
	KUNIT_EXPECT_EQ(test, dma->zone_start_pfn, 0);
	KUNIT_EXPECT_EQ(test, dma->spanned_pages, 0);
	KUNIT_EXPECT_FALSE(test, mmbox_populated_zone(dma));
	KUNIT_EXPECT_EQ(test, box->node[0]->node_start_pfn, 2 * SECTION_PAGES);
	check_all(test, box);
	KUNIT_EXPECT_NULL(test, mmbox_alloc_pages(box, GFP_DMA | __GFP_NOWARN, 0));
	KUNIT_EXPECT_NULL(test, mmbox_alloc_pages(box, GFP_DMA | GFP_ATOMIC | __GFP_NOWARN, 3));

	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 1, MMBOX_MMOP_ONLINE));
	KUNIT_EXPECT_EQ(test, dma->zone_start_pfn, SECTION_PAGES);
	check_all(test, box);
	page = mmbox_alloc_pages(box, GFP_DMA, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, mmbox_page_to_pfn(box, page) / SECTION_PAGES, 1);
	__mmbox_free_pages(box, page, 0);
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 0, MMBOX_MMOP_ONLINE));
	KUNIT_EXPECT_EQ(test, dma->spanned_pages, 2 * SECTION_PAGES);
	check_all(test, box);
}

/* online_movable makes a zone for what is movable, in the middle of another. */
static void movable(struct kunit *test)
{
	struct mmbox *box = hotplug_box(test);
	struct mmbox_zone *normal = zone_of(box, 0, MMBOX_ZONE_NORMAL);
	struct mmbox_zone *zone = zone_of(box, 0, MMBOX_ZONE_MOVABLE);
	struct mmbox_page **pages = test_zalloc(test, MAX_PAGES * sizeof(*pages));
	struct mmbox_page *page;
	struct figures before, now;
	unsigned int nr;

	get_figures(box, &before);
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, 3));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 3, MMBOX_MMOP_ONLINE_MOVABLE));
	KUNIT_EXPECT_PTR_EQ(test, zone, mmbox_section_zone(box, 3));
	KUNIT_EXPECT_EQ(test, zone->zone_start_pfn, 3 * SECTION_PAGES);
	KUNIT_EXPECT_EQ(test, zone->managed_pages, SECTION_PAGES);
	KUNIT_EXPECT_EQ(test, normal->spanned_pages, 4 * SECTION_PAGES);
	KUNIT_EXPECT_EQ(test, normal->present_pages, 3 * SECTION_PAGES);
	check_all(test, box);

	page = mmbox_alloc_pages_node(box, 0, GFP_HIGHUSER_MOVABLE, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_PTR_EQ(test, mmbox_page_zone(box, page), zone);
	KUNIT_EXPECT_EQ(test, -EBUSY, mmbox_memory_offline(box, 3));
	__mmbox_free_pages(box, page, 0);
	/* What cannot be moved does not go there, and blocks do not merge across. */
	for (nr = 0; nr < MAX_PAGES; nr++) {
		pages[nr] = mmbox_alloc_pages_node(box, 0, GFP_KERNEL | __GFP_NORETRY |
						   __GFP_NOWARN, 0);
		if (!pages[nr])
			break;
		if (mmbox_page_zone(box, pages[nr]) == zone) {
			KUNIT_FAIL(test, "what cannot be moved is in ZONE_MOVABLE");
			break;
		}
	}
	free_all(box, pages, nr, 0);
	check_all(test, box);

	/* In the span of both: the kernel's zone. */
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, 3));
	KUNIT_EXPECT_FALSE(test, mmbox_populated_zone(zone));
	KUNIT_EXPECT_EQ(test, zone->spanned_pages, 0);
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 3, MMBOX_MMOP_ONLINE));
	/* But for the pageblocks that the allocations of unmovable pages took over. */
	get_figures(box, &now);
	memcpy(before.types, now.types, sizeof(before.types));
	expect_figures(test, box, &before, "of another zone and back");

	/* Where only ZONE_MOVABLE spans it, it goes there. */
	for (nr = 2; nr < 5; nr++)
		KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, nr));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 2, MMBOX_MMOP_ONLINE_MOVABLE));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 4, MMBOX_MMOP_ONLINE_MOVABLE));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 3, MMBOX_MMOP_ONLINE));
	KUNIT_EXPECT_PTR_EQ(test, zone, mmbox_section_zone(box, 3));
	check_all(test, box);
}

static void refusals(struct kunit *test)
{
	struct mmbox *box = hotplug_box(test);
	struct figures before;

	get_figures(box, &before);
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memory_online(box, 2, MMBOX_MMOP_ONLINE));
	KUNIT_EXPECT_EQ(test, -ENXIO, mmbox_memory_online(box, HOLE, MMBOX_MMOP_ONLINE));
	KUNIT_EXPECT_EQ(test, -ENXIO, mmbox_memory_offline(box, HOLE));
	KUNIT_EXPECT_EQ(test, -ENXIO, mmbox_memory_offline(box, box->memmap.nr_sections));
	KUNIT_EXPECT_EQ(test, -ENXIO, mmbox_memory_offline(box, -1UL));
	expect_figures(test, box, &before, "refusals");
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, 2));
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memory_offline(box, 2));
}

/* Sections that can never go, and boxes that have none. */
static void refused_layouts(struct kunit *test)
{
	struct mmbox_config cfg;
	struct mmbox *box;
	int model;

	/* A section of two zones, and one that is not whole. */
	hotplug_config(test, &cfg);
	cfg.zone_dma = SZ_2M;
	box = test_box(test, &cfg);
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memory_offline(box, 0));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, 1));
	check_all(test, box);
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

/* What an isolated pageblock gets back stays there, unmerged with others. */
static void isolated(struct kunit *test)
{
	struct mmbox *box = hotplug_box(test);
	struct mmbox_zone *zone = zone_of(box, 1, MMBOX_ZONE_NORMAL);
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
	check_verify(test, box);
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
	check_all(test, box);
}

/* The reserve for atomic requests goes with its pageblock. */
static void highatomic(struct kunit *test)
{
	struct mmbox *box = hotplug_box(test);
	struct mmbox_page *page;
	struct mmbox_zone *zone;
	struct figures before;
	unsigned long nr;

	if (!box->pages.design->reserve)
		kunit_skip(test, "the bitmap generation has no such reserve");
	page = mmbox_alloc_pages_node(box, 1, GFP_ATOMIC, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	zone = mmbox_page_zone(box, page);
	box->pages.design->reserve(zone, page);
	nr = mmbox_page_to_pfn(box, page) / SECTION_PAGES;
	KUNIT_ASSERT_GT(test, zone->nr_reserved_highatomic, 0);
	get_figures(box, &before);
	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_TAIL, 0);
	KUNIT_EXPECT_EQ(test, -EBUSY, mmbox_memory_offline(box, nr));
	page->type_order = MMBOX_TYPE_ORDER(MMBOX_PAGE_ALLOCATED, 0);
	expect_figures(test, box, &before, "undone");
	__mmbox_free_pages(box, page, 0);
	mmbox_drain_all_pages(box);
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, nr));
	KUNIT_EXPECT_EQ(test, zone->nr_reserved_highatomic, 0);
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, nr, MMBOX_MMOP_ONLINE));
	KUNIT_EXPECT_EQ(test, mmbox_pageblock_type(box, nr * SECTION_PAGES),
			MMBOX_MIGRATE_MOVABLE);
	check_all(test, box);
}

/* Each request to the host refused once: it says no, and nothing has changed. */
static void failures(struct kunit *test)
{
	struct mmbox *box = hotplug_box(test);
	unsigned int refused = 0, i;
	struct figures before;

	KUNIT_ASSERT_EQ(test, 0, mmbox_memory_offline(box, 3));
	get_figures(box, &before);
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
		expect_figures(test, box, &before, "no memory");
	}
	/* The bitmap generation needs a map for the zone, the other nothing. */
	KUNIT_EXPECT_EQ(test, refused, box->cfg.buddy == MMBOX_BUDDY_BITMAP);
	KUNIT_EXPECT_EQ(test, mmbox_section_state(box, 3), MMBOX_SECTION_ONLINE);
	check_all(test, box);
}

/* ---- memory that comes from the host, and goes there ---- */

/* Section 6 of node 1, and 16 and 17 of node 0, may be filled later. */
#define HOT_BANKS	"24M@0:0,4M@24M:1:hot,16M@32M:1,8M@64M:hot"
#define HOT_SIZE	(SZ_8M + SZ_4M)

static void hot_config(struct kunit *test, struct mmbox_config *cfg)
{
	hotplug_config(test, cfg);
	KUNIT_ASSERT_EQ(test, 0, mmbox_banks_parse(cfg, HOT_BANKS));
	cfg->size = mmbox_banks_sum(cfg);
}

static phys_addr_t phys_of(unsigned long nr)
{
	return PFN_PHYS(nr * SECTION_PAGES);
}

/* Where the region is not contiguous, only what came later goes by itself. */
static bool can_remove(const struct mmbox *box, unsigned long nr)
{
	return box->region.type != MMBOX_REGION_VMALLOC || nr == 6 || nr >= 16;
}

static void expect_returned(struct kunit *test, const struct mmbox_account *account)
{
	KUNIT_EXPECT_EQ(test, account->bytes, 0);
	KUNIT_EXPECT_GT(test, account->nr_taken, 0);
	KUNIT_EXPECT_EQ(test, account->nr_taken, account->nr_returned);
}

/* Page frame, descriptor and address of each page lead to one another. */
static void check_section(struct kunit *test, struct mmbox *box, unsigned long nr)
{
	unsigned long pfn = nr * SECTION_PAGES, end = pfn + SECTION_PAGES;

	for (; pfn < end; pfn++) {
		struct mmbox_page *page = mmbox_pfn_to_page(box, pfn);
		void *addr;

		KUNIT_ASSERT_NOT_NULL_MSG(test, page, "pfn %lx", pfn);
		addr = mmbox_page_address(box, page);
		if (mmbox_page_to_pfn(box, page) != pfn || !mmbox_page_valid(box, page) ||
		    mmbox_virt_to_page(box, addr + PAGE_SIZE - 1) != page)
			KUNIT_FAIL(test, "pfn %lx: descriptor and address disagree", pfn);
		*(unsigned long *)addr = pfn;
	}
	for (pfn -= SECTION_PAGES; pfn < end; pfn++) {
		unsigned long *word = mmbox_page_address(box, mmbox_pfn_to_page(box, pfn));

		if (*word != pfn)
			KUNIT_FAIL(test, "pfn %lx is pfn %lx as well", pfn, *word);
	}
}

static void check_absent(struct kunit *test, struct mmbox *box, unsigned long nr)
{
	unsigned long pfn = nr * SECTION_PAGES, end = pfn + SECTION_PAGES;

	KUNIT_EXPECT_EQ(test, mmbox_section_state(box, nr), MMBOX_SECTION_ABSENT);
	for (; pfn < end; pfn++)
		if (mmbox_pfn_valid(box, pfn) || mmbox_pfn_to_page(box, pfn))
			KUNIT_FAIL(test, "pfn %lx of a hole is valid", pfn);
	KUNIT_EXPECT_EQ(test, -ENXIO, mmbox_memory_online(box, nr, MMBOX_MMOP_ONLINE));
	KUNIT_EXPECT_EQ(test, -ENXIO, mmbox_memory_offline(box, nr));
	KUNIT_EXPECT_EQ(test, -ENXIO, mmbox_memory_remove(box, phys_of(nr)));
}

static void come_and_go(struct kunit *test)
{
	struct mmbox_memmap_usage usage, now;
	struct mmbox_account account = {};
	struct mmbox_config cfg;
	unsigned long taken;
	struct mmbox *box;
	void *addr;

	hot_config(test, &cfg);
	cfg.account = &account;
	box = test_box(test, &cfg);
	taken = box->region.nr_taken;
	mmbox_memmap_usage(box, &usage);
	check_all(test, box);
	check_absent(test, box, 6);
	check_absent(test, box, 16);

	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_probe(box, phys_of(16)));
	KUNIT_EXPECT_EQ(test, mmbox_section_state(box, 16), MMBOX_SECTION_OFFLINE);
	KUNIT_EXPECT_EQ(test, mmbox_section_nid(box, 16), 0);
	KUNIT_EXPECT_EQ(test, box->region.nr_taken, taken + SECTION_PAGES);
	mmbox_memmap_usage(box, &now);
	KUNIT_EXPECT_EQ(test, now.descriptors, usage.descriptors);
	KUNIT_EXPECT_EQ(test, usage.holes - now.holes,
			SECTION_PAGES * sizeof(struct mmbox_page));
	check_section(test, box, 16);
	check_all(test, box);
	KUNIT_EXPECT_EQ(test, -EEXIST, mmbox_memory_probe(box, phys_of(16)));
	KUNIT_EXPECT_EQ(test, -EEXIST, mmbox_memory_probe(box, phys_of(2)));
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memory_probe(box, phys_of(HOLE)));
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memory_probe(box, phys_of(17) + PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memory_probe(box, phys_of(18)));
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memory_probe(box, -1ULL));
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memory_remove(box, phys_of(HOLE)));

	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 16, MMBOX_MMOP_ONLINE));
	KUNIT_EXPECT_PTR_EQ(test, zone_of(box, 0, MMBOX_ZONE_NORMAL),
			    mmbox_section_zone(box, 16));
	check_all(test, box);
	KUNIT_EXPECT_EQ(test, -EBUSY, mmbox_memory_remove(box, phys_of(16)));
	addr = mmbox_page_address(box, mmbox_pfn_to_page(box, 16 * SECTION_PAGES));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, 16));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_remove(box, phys_of(16)));
	KUNIT_EXPECT_NULL(test, mmbox_virt_to_page(box, addr));
	check_absent(test, box, 16);
	check_all(test, box);
	mmbox_memmap_usage(box, &now);
	KUNIT_EXPECT_EQ(test, now.holes, usage.holes);

	/* At once into use, and in a zone that there was not. */
	box->pages.auto_online = MMBOX_MMOP_ONLINE_MOVABLE;
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_probe(box, phys_of(6)));
	KUNIT_EXPECT_PTR_EQ(test, zone_of(box, 1, MMBOX_ZONE_MOVABLE),
			    mmbox_section_zone(box, 6));
	check_all(test, box);
	test_box_drop(test, box);
	expect_returned(test, &account);
}

static bool is_early(struct mmbox *box, unsigned long nr)
{
	return mmbox_early_section(mmbox_nr_to_section(box, nr));
}

/* As many as there are, one by one from the last: each is a stretch of memory of its own. */
static void many_stretches(struct kunit *test)
{
	struct mmbox_account account = {};
	struct mmbox_config cfg;
	unsigned long nr, probed = 0;
	struct mmbox *box;
	int err;

	mmbox_config_init(&cfg);
	cfg.name = "test";
	cfg.kswapd = false;
	cfg.pages_only = true;
	cfg.orders = 10;
	cfg.section_size = SZ_2M;
	cfg.account = &account;
	KUNIT_ASSERT_EQ(test, 0, mmbox_banks_parse(&cfg, "8M@0,280M@16M:hot"));
	cfg.size = mmbox_banks_sum(&cfg);
	box = test_box(test, &cfg);
	for (nr = box->memmap.nr_sections - 1; nr >= 8; nr -= 2) {
		err = mmbox_memory_probe(box, (phys_addr_t)nr * SZ_2M);
		if (err == -ENOMEM)
			break;		/* the host is small */
		KUNIT_ASSERT_EQ_MSG(test, 0, err, "after %lu", probed);
		KUNIT_EXPECT_FALSE(test, is_early(box, nr));
		probed++;
	}
	KUNIT_EXPECT_GT_MSG(test, probed, MMBOX_MEMBLOCK_REGIONS, "no test of what it is for");
	for (nr += 2; nr < box->memmap.nr_sections; nr += 2)
		KUNIT_EXPECT_EQ(test, 0, mmbox_memory_remove(box, (phys_addr_t)nr * SZ_2M));
	test_box_drop(test, box);
	expect_returned(test, &account);
}

/*
 * A node without memory needs no kswapd, and has one when it has some. As its
 * maps are in its own memory, it never loses the last; but it may never have had any.
 */
static void kswapd_of_nodes(struct kunit *test)
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
			       "waits for who is not there");
	KUNIT_ASSERT_EQ(test, 0, mmbox_memory_offline(box, 9));
	KUNIT_EXPECT_NULL(test, box->node[1]->kswapd);
	KUNIT_ASSERT_EQ(test, 0, mmbox_memory_online(box, 9, MMBOX_MMOP_ONLINE));
	KUNIT_EXPECT_NOT_NULL(test, box->node[1]->kswapd);
	check_all(test, box);
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

/* Memory of the region itself; back come other pages. */
static void boot_memory_goes(struct kunit *test)
{
	struct mmbox_account account = {};
	struct mmbox_config cfg;
	struct mmbox *box;
	int region, err;

	for (region = MMBOX_REGION_CONTIG; region < MMBOX_NR_REGION_TYPES; region++) {
		hot_config(test, &cfg);
		cfg.account = &account;
		cfg.region = region;
		/* A block of pages is not that large. */
		if (region == MMBOX_REGION_PAGES) {
			cfg.size = SZ_4M;
			cfg.orders = 10;
			cfg.section_size = SZ_2M;
			KUNIT_ASSERT_EQ(test, 0, mmbox_banks_parse(&cfg, "2M@0,2M@4M"));
		}
		box = test_box(test, &cfg);
		KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, 0));
		err = mmbox_memory_remove(box, 0);
		if (region == MMBOX_REGION_VMALLOC) {
			KUNIT_EXPECT_EQ(test, err, -EOPNOTSUPP);
			KUNIT_EXPECT_EQ(test, mmbox_section_state(box, 0),
					MMBOX_SECTION_OFFLINE);
			KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 0, MMBOX_MMOP_ONLINE));
		} else {
			KUNIT_EXPECT_EQ(test, err, 0);
			KUNIT_EXPECT_EQ(test, mmbox_section_state(box, 0), MMBOX_SECTION_ABSENT);
			check_verify(test, box);
			KUNIT_EXPECT_EQ(test, 0, mmbox_memory_probe(box, 0));
			KUNIT_EXPECT_FALSE(test, is_early(box, 0));
			KUNIT_EXPECT_TRUE(test, is_early(box, 2));
			KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 0, MMBOX_MMOP_ONLINE));
		}
		check_all(test, box);
		test_box_drop(test, box);
		expect_returned(test, &account);
	}
}

/* What went back to the host may be just what it gives for another section. */
static void same_place(struct kunit *test)
{
	struct mmbox_config cfg;
	struct mmbox *box;
	void *addr;
	int err;

	hot_config(test, &cfg);
	cfg.region = MMBOX_REGION_PAGES;
	cfg.size = SZ_4M;
	cfg.orders = 10;
	cfg.section_size = SZ_2M;
	KUNIT_ASSERT_EQ(test, 0, mmbox_banks_parse(&cfg, "2M@0,2M@4M,2M@8M:hot"));
	box = test_box(test, &cfg);
	addr = mmbox_phys_to_virt(box, 0);
	KUNIT_ASSERT_EQ(test, 0, mmbox_memory_offline(box, 0));
	KUNIT_ASSERT_EQ(test, 0, mmbox_memory_remove(box, 0));
	KUNIT_EXPECT_FALSE(test, mmbox_virt_valid(box, addr));

	mutex_lock(&box->pages.memory_lock);
	err = mmbox_physmap_add(box, 4, addr);
	mutex_unlock(&box->pages.memory_lock);
	KUNIT_ASSERT_EQ(test, 0, err);
	KUNIT_EXPECT_TRUE(test, mmbox_virt_valid(box, addr));
	KUNIT_EXPECT_EQ(test, mmbox_virt_to_phys(box, addr + PAGE_SIZE), SZ_8M + PAGE_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, mmbox_phys_to_virt(box, SZ_8M), addr);
	mutex_lock(&box->pages.memory_lock);
	mmbox_physmap_del(box, 4);
	mutex_unlock(&box->pages.memory_lock);
	KUNIT_EXPECT_FALSE(test, mmbox_virt_valid(box, addr));
	check_all(test, box);
}

/* In one piece: a part can go, but nothing takes its place. */
static void one_piece(struct kunit *test)
{
	struct mmbox_account account = {};
	struct mmbox_config cfg;
	struct mmbox *box;

	hotplug_config(test, &cfg);
	cfg.account = &account;
	cfg.nr_banks = 0;
	cfg.size = SZ_16M + SZ_64K;
	box = test_box(test, &cfg);
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, 1));
	if (box->region.type != MMBOX_REGION_VMALLOC) {
		KUNIT_EXPECT_EQ(test, 0, mmbox_memory_remove(box, phys_of(1)));
		check_absent(test, box, 1);
		KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, mmbox_memory_probe(box, phys_of(1)));
	}
	check_all(test, box);
	test_box_drop(test, box);
	expect_returned(test, &account);
}

static noinline_for_stack struct mmbox *hot_box(struct kunit *test,
						struct mmbox_account *account)
{
	struct mmbox_config cfg;

	hot_config(test, &cfg);
	cfg.account = account;
	return test_box(test, &cfg);
}

/* Each request of probe refused once. */
static void probe_failures(struct kunit *test)
{
	struct mmbox_account account = {};
	struct mmbox *box = hot_box(test, &account);
	unsigned int refused = 0, i;
	struct figures before;

	get_figures(box, &before);
	for (i = 1; i < 20; i++) {
		long bytes = atomic_long_read(&box->host.bytes);
		long requests = atomic_long_read(&box->host.nr_requests);
		int err;

		box->host.fail_nth = requests + i;
		err = mmbox_memory_probe(box, phys_of(17));
		box->host.fail_nth = 0;
		requests = atomic_long_read(&box->host.nr_requests) - requests;
		if (err) {
			refused++;
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_EQ(test, bytes, atomic_long_read(&box->host.bytes));
			check_absent(test, box, 17);
		} else {
			/* What was refused could be had in another way. */
			check_section(test, box, 17);
			KUNIT_EXPECT_EQ(test, 0, mmbox_memory_remove(box, phys_of(17)));
		}
		KUNIT_EXPECT_EQ(test, box->region.nr_taken - box->region.nr_returned,
				PHYS_PFN(box->cfg.size));
		expect_figures(test, box, &before, "no memory");
		if (requests < i)
			break;
	}
	KUNIT_EXPECT_GE(test, refused, 2);
	test_box_drop(test, box);
	expect_returned(test, &account);
}

/* Each allocation of the boot refused once: what has no map cannot be filled later. */
static void boot_failures(struct kunit *test)
{
	struct mmbox_account account = {};
	unsigned long nth, allocs = 0, cannot = 0, nr;
	struct mmbox_config cfg;
	struct mmbox *box;

	hot_config(test, &cfg);
	cfg.account = &account;
	for (nth = 1; nth < 100 && nth <= allocs + 1; nth++) {
		cfg.fail_boot_nth = nth;
		box = mmbox_create(&cfg);
		allocs = max(allocs, nth);
		if (!IS_ERR(box)) {
			allocs = box->memblock.nr_allocs;
			for (nr = 0; nr < box->memmap.nr_sections; nr++) {
				if (mmbox_section_state(box, nr) != MMBOX_SECTION_ABSENT)
					continue;
				if (mmbox_present_section(mmbox_nr_to_section(box, nr))) {
					KUNIT_EXPECT_EQ(test, 0,
							mmbox_memory_probe(box, phys_of(nr)));
					check_section(test, box, nr);
				} else {
					KUNIT_EXPECT_EQ(test, -EINVAL,
							mmbox_memory_probe(box, phys_of(nr)));
					cannot += nr == 6 || nr >= 16;
				}
			}
			check_all(test, box);
			mmbox_destroy(box);
		}
		expect_returned(test, &account);
	}
	KUNIT_EXPECT_LT_MSG(test, nth, 100, "there is no end of allocations");
	KUNIT_EXPECT_GT_MSG(test, cannot, 0, "no hot section was ever left out");
}

static void bad_hot_banks(struct kunit *test)
{
	static const char *const senseless[] = {
		"24M@0,8M@16M:hot",		/* overlaps */
		"24M@0,8M@32M:1:hot",		/* a node that has nothing else */
		"24M@0,8M@31M:hot",		/* not aligned */
		"24M@0,8M@128G:hot",
	};
	static const char *const unreadable[] = {
		"24M@0,8M@32M:hotter", "24M@0,8M@32M:hot:0", "24M@0,8M@32M:", "24M@0,8M@32M:h",
		"24M@0,8M@32M:0hot",
	};
	struct mmbox_config cfg;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(senseless); i++) {
		mmbox_config_init(&cfg);
		KUNIT_ASSERT_EQ(test, 0, mmbox_banks_parse(&cfg, senseless[i]));
		cfg.size = mmbox_banks_sum(&cfg);
		KUNIT_EXPECT_EQ(test, cfg.size, SZ_8M * 3);
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL, mmbox_config_check(&cfg), "%s", senseless[i]);
	}
	for (i = 0; i < ARRAY_SIZE(unreadable); i++)
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL, mmbox_banks_parse(&cfg, unreadable[i]), "%s",
				    unreadable[i]);
	mmbox_config_init(&cfg);
	KUNIT_ASSERT_EQ(test, 0, mmbox_banks_parse(&cfg, "24M@0,8M@32M:hot"));
	cfg.size = mmbox_banks_sum(&cfg);
	KUNIT_EXPECT_EQ(test, 0, mmbox_config_check(&cfg));
	cfg.model = MMBOX_FLAT;
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_config_check(&cfg));
	cfg.model = MMBOX_DISCONTIG;
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_config_check(&cfg));
}

/* ---- while two CPUs allocate ---- */

/* Uses the box over and over, from nothing to a lot, so that what is used moves. */
struct load {
	struct kunit *test;
	struct churn *thread, *interrupt;
	struct test_thread *runs;
	unsigned long nr_rounds;
	bool stop;
};

static void load_run(void *arg)
{
	struct load *load = arg;
	struct test_interrupts *interrupts;

	interrupts = test_interrupts_start(load->test, churn_step, load->interrupt);
	do {
		churn_run(load->thread);
		WRITE_ONCE(load->nr_rounds, load->nr_rounds + 1);
		churn_free_all(load->thread);
		mmbox_drain_all_pages(load->thread->box);
	} while (!READ_ONCE(load->stop));
	test_interrupts_stop(interrupts);
	churn_free_all(load->interrupt);
}

static void load_start(struct kunit *test, struct mmbox *box, struct load *load,
		       unsigned int cpu)
{
	load->test = test;
	load->thread = churn_new(test, box, GFP_KERNEL | __GFP_NOWARN, 300, cpu);
	load->interrupt = churn_new(test, box, GFP_ATOMIC | __GFP_NOWARN, 20, 10 + cpu);
	load->thread->ops = 700;
	load->thread->max_order = 7;
	load->thread->kmalloc_classes = cpu * 10;	/* pages on the first CPU */
	load->interrupt->max_order = 3;
	load->interrupt->kmalloc_classes = 6;
	load->runs = test_thread_start(test, cpu, load_run, load);
}

struct plugger {
	struct mmbox *box;
	u32 seed;
	unsigned int ops;
	unsigned int nr_offline, nr_online, nr_busy, nr_probed, nr_removed, nr_other;
};

static void plug_offline(struct plugger *p, unsigned long nr)
{
	int err = mmbox_memory_offline(p->box, nr);

	p->nr_offline += !err;
	p->nr_busy += err == -EBUSY;
	p->nr_other += err && err != -EBUSY;
}

/* Back into use, in any zone; or away, what is not the region's more often. */
static void plug_online(struct plugger *p, unsigned long nr)
{
	enum mmbox_mmop how = MMBOX_MMOP_ONLINE + test_random(&p->seed) % 3;
	bool away = test_random(&p->seed) % 4 == 0;
	int err;

	if (away && can_remove(p->box, nr)) {
		err = mmbox_memory_remove(p->box, PFN_PHYS(nr * SECTION_PAGES));
		p->nr_removed += !err;
	} else {
		err = mmbox_memory_online(p->box, nr, how);
		p->nr_online += !err;
	}
	p->nr_other += !!err;
}

static void plug_probe(struct plugger *p, unsigned long nr)
{
	int err;

	if (!mmbox_present_section(mmbox_nr_to_section(p->box, nr)))
		return;
	err = mmbox_memory_probe(p->box, PFN_PHYS(nr * SECTION_PAGES));
	p->nr_probed += !err;
	p->nr_other += !!err;
}

static void plug_step(struct plugger *p)
{
	unsigned long nr = test_random(&p->seed) % p->box->memmap.nr_sections;

	switch (mmbox_section_state(p->box, nr)) {
	case MMBOX_SECTION_ONLINE:
		plug_offline(p, nr);
		break;
	case MMBOX_SECTION_OFFLINE:
		plug_online(p, nr);
		break;
	default:
		plug_probe(p, nr);
	}
}

static void torture(struct kunit *test)
{
	unsigned int nr_cpus = min(num_online_cpus(), 2U), i;
	struct plugger plugger = { .seed = 1, .ops = test_ops / 50 };
	struct mmbox_account account = {};
	unsigned long nr, pages = 0;
	struct load loads[2] = {};
	struct mmbox_config cfg;
	struct mmbox_zone *zone;
	struct mmbox *box;

	hot_config(test, &cfg);
	cfg.account = &account;
	cfg.pages_only = false;
	cfg.kswapd = true;
	box = test_box(test, &cfg);
	plugger.box = box;
	for (i = 0; i < nr_cpus; i++)
		load_start(test, box, &loads[i], i);
	for (i = 0; i < nr_cpus; i++)
		while (!READ_ONCE(loads[i].nr_rounds))
			cond_resched();
	while (plugger.ops--) {
		plug_step(&plugger);
		cond_resched();
	}
	for (i = 0; i < nr_cpus; i++) {
		WRITE_ONCE(loads[i].stop, true);
		test_thread_wait(loads[i].runs);
		churn_expect_good(test, loads[i].thread);
		churn_expect_good(test, loads[i].interrupt);
		kunit_info(test, "CPU %u: %lu rounds", i, loads[i].nr_rounds);
	}
	kunit_info(test, "%u offline, %u online, %u busy, %u probed, %u removed",
		   plugger.nr_offline, plugger.nr_online, plugger.nr_busy, plugger.nr_probed,
		   plugger.nr_removed);
	KUNIT_EXPECT_EQ(test, plugger.nr_other, 0);
	KUNIT_EXPECT_GT(test, plugger.nr_offline, 10);
	KUNIT_EXPECT_GT(test, plugger.nr_online, 10);
	KUNIT_EXPECT_GT(test, plugger.nr_probed, 4);
	KUNIT_EXPECT_GT(test, plugger.nr_removed, 4);
	KUNIT_EXPECT_EQ(test, test_nr_bad(box), 0);
	check_all(test, box);

	for (nr = 0; nr < box->memmap.nr_sections; nr++) {
		plug_probe(&plugger, mmbox_section_state(box, nr) == MMBOX_SECTION_ABSENT ? nr :
				     HOLE);
		if (mmbox_section_state(box, nr) == MMBOX_SECTION_OFFLINE)
			KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, nr,
								     MMBOX_MMOP_ONLINE_KERNEL));
	}
	mmbox_for_each_zone(box, zone)
		pages += zone->present_pages;
	KUNIT_EXPECT_EQ(test, pages, PHYS_PFN(box->cfg.size + HOT_SIZE));
	check_all(test, box);
	test_box_drop(test, box);
	expect_returned(test, &account);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(off_and_on, variants_gen_params),
	KUNIT_CASE_PARAM(busy, variants_gen_params),
	KUNIT_CASE_PARAM(on_lists_of_cpus, variants_gen_params),
	KUNIT_CASE_PARAM(empty_zone, variants_gen_params),
	KUNIT_CASE_PARAM(movable, variants_gen_params),
	KUNIT_CASE_PARAM(refusals, variants_gen_params),
	KUNIT_CASE_PARAM(refused_layouts, variants_gen_params),
	KUNIT_CASE_PARAM(isolated, variants_gen_params),
	KUNIT_CASE_PARAM(highatomic, variants_gen_params),
	KUNIT_CASE_PARAM(failures, variants_gen_params),
	KUNIT_CASE_PARAM(come_and_go, variants_gen_params),
	KUNIT_CASE_PARAM(boot_memory_goes, variants_gen_params),
	KUNIT_CASE_PARAM(same_place, variants_gen_params),
	KUNIT_CASE(many_stretches),
	KUNIT_CASE_PARAM(kswapd_of_nodes, variants_gen_params),
	KUNIT_CASE_PARAM(one_piece, variants_gen_params),
	KUNIT_CASE_PARAM(probe_failures, variants_gen_params),
	KUNIT_CASE_PARAM(boot_failures, variants_gen_params),
	KUNIT_CASE(bad_hot_banks),
	KUNIT_CASE_PARAM(torture, variants_gen_params),
	{}
};

struct kunit_suite memory_hotplug_suite = {
	.name = "mmbox_memory_hotplug",
	.init = test_init,
	.exit = test_exit,
	.test_cases = cases,
};
