// SPDX-License-Identifier: GPL-2.0
/*
 * What the suites of memory hotplug share: a box of two nodes with a hole, and what must
 * hold in it whichever of its sections are online.
 */
#include <linux/string.h>

#include "faces/faces.h"
#include "hotplug_box.h"

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

/* The value of a parameter is the variant. */
MMBOX_KUNIT_GENERATOR(hotplug_variants)
{
	const struct variant *variant = prev ? (const struct variant *)prev + 1 : variants;

	if (variant == variants + ARRAY_SIZE(variants))
		return NULL;
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s %s", mmbox_model_names[variant->model],
		 mmbox_buddy_names[variant->buddy]);
	return variant;
}

void hotplug_config(struct kunit *test, struct mmbox_config *cfg)
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

struct mmbox *hotplug_box(struct kunit *test)
{
	struct mmbox_config cfg;

	hotplug_config(test, &cfg);
	return test_box(test, &cfg);
}

struct mmbox_zone *hotplug_zone(struct mmbox *box, int nid, int idx)
{
	return &box->node[nid]->node_zones[idx];
}

void hotplug_get_figures(struct mmbox *box, struct hotplug_figures *f)
{
	unsigned long pfn;
	int nid, i;

	*f = (struct hotplug_figures){};
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

void hotplug_expect_figures(struct kunit *test, struct mmbox *box, const struct hotplug_figures *f,
			    const char *when)
{
	struct hotplug_figures now;

	hotplug_get_figures(box, &now);
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

/* Spans and page counts of zones and nodes, compared with the zone and node of each page. */
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

/* Zonelists have the populated zones only. Watermarks and reserves go by managed pages. */
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

void hotplug_check_verify(struct kunit *test, struct mmbox *box)
{
	struct mmbox_verify sums;

	KUNIT_EXPECT_EQ(test, 0, mmbox_verify(box, NULL, &sums));
	KUNIT_EXPECT_EQ(test, sums.problems, 0);
}

void hotplug_check(struct kunit *test, struct mmbox *box)
{
	check_sums(test, box);
	check_rules(test, box);
	hotplug_check_verify(test, box);
	test_check_box(test, box);
}
