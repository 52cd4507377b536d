// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes: which CPUs they have, their distances, and where requests go.
 */
#include "testing.h"

static struct mmbox *nodes_box(struct kunit *test, unsigned int nodes, const char *distance,
			       const char *node_cpus)
{
	struct mmbox_config cfg;

	test_config(&cfg, "nodes", nodes * SZ_8M);
	cfg.zone_dma = 0;
	cfg.distance = distance;
	cfg.node_cpus = node_cpus;
	cfg.pages_only = true;
	KUNIT_ASSERT_EQ(test, 0, mmbox_nodes_split(&cfg, nodes));
	return test_box(test, &cfg);
}

static int nid_of(struct mmbox *box, struct mmbox_page *page)
{
	return mmbox_page_zone(box, page)->zone_pgdat->node_id;
}

/* Every call without a node uses the node of the current CPU. */
static void own_node_first(struct kunit *test)
{
	struct mmbox *box = nodes_box(test, 2, NULL, NULL);
	unsigned int cpu, order;

	for (cpu = 0; cpu < min(num_online_cpus(), 2U); cpu++) {
		int nid = mmbox_cpu_to_node(box, test_nth_cpu(cpu));

		test_pin(test, cpu);
		for (order = 0; order < 6; order++) {
			struct mmbox_page *page = mmbox_alloc_pages(box, GFP_KERNEL, order);

			KUNIT_ASSERT_NOT_NULL(test, page);
			KUNIT_EXPECT_EQ(test, nid_of(box, page), nid);
			__mmbox_free_pages(box, page, order);
			page = mmbox_alloc_pages(box, GFP_KERNEL | __GFP_THISNODE, order);
			KUNIT_ASSERT_NOT_NULL(test, page);
			KUNIT_EXPECT_EQ(test, nid_of(box, page), nid);
			__mmbox_free_pages(box, page, order);
			page = mmbox_alloc_pages_node(box, !nid, GFP_KERNEL, order);
			KUNIT_ASSERT_NOT_NULL(test, page);
			KUNIT_EXPECT_EQ(test, nid_of(box, page), !nid);
			__mmbox_free_pages(box, page, order);
		}
	}
	if (num_possible_cpus() == 2)
		KUNIT_EXPECT_NE(test, mmbox_cpu_to_node(box, 0), mmbox_cpu_to_node(box, 1));
}

/* Allocate pages of a node until there are none. Returns how many. */
static unsigned int exhaust(struct mmbox *box, struct mmbox_page **pages, unsigned int max,
			    int nid, gfp_t gfp)
{
	unsigned int nr;

	for (nr = 0; nr < max; nr++) {
		pages[nr] = mmbox_alloc_pages_node(box, nid, gfp | __GFP_NOWARN, 0);
		if (!pages[nr])
			break;
	}
	return nr;
}

/*
 * A node has no page left: __GFP_THISNODE fails, other requests get a page of the
 * nearest node, and the counters show it.
 */
static void nearest_node_next(struct kunit *test)
{
	struct mmbox *box = nodes_box(test, 3, "10,40,20/40,10,30/20,30,10", NULL);
	struct mmbox_page **pages = test_zalloc(test, 2048 * sizeof(*pages));
	unsigned long before[MMBOX_NR_STATS] = {}, after[MMBOX_NR_STATS] = {};
	unsigned int nr, i;
	struct mmbox_zone *zone;
	struct mmbox_page *page;

	box->pages.watermark_boost_factor = 0;
	nr = exhaust(box, pages, 2048, 0, GFP_KERNEL | __GFP_THISNODE);
	KUNIT_EXPECT_GT(test, nr, 1500);
	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, nid_of(box, pages[i]), 0);

	mmbox_for_each_zone(box, zone)
		mmbox_zone_stat(zone, before);
	page = mmbox_alloc_pages_node(box, 0, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ_MSG(test, nid_of(box, page), 2, "not the nearest node");
	mmbox_for_each_zone(box, zone)
		mmbox_zone_stat(zone, after);
	KUNIT_EXPECT_EQ(test, after[MMBOX_NUMA_MISS] - before[MMBOX_NUMA_MISS], 1);
	KUNIT_EXPECT_EQ(test, after[MMBOX_NUMA_FOREIGN] - before[MMBOX_NUMA_FOREIGN], 1);
	KUNIT_EXPECT_EQ(test, after[MMBOX_NUMA_HIT], before[MMBOX_NUMA_HIT]);
	KUNIT_EXPECT_EQ(test, after[MMBOX_NUMA_LOCAL] + after[MMBOX_NUMA_OTHER],
			before[MMBOX_NUMA_LOCAL] + before[MMBOX_NUMA_OTHER] + 1);
	__mmbox_free_pages(box, page, 0);
	while (nr)
		__mmbox_free_pages(box, pages[--nr], 0);
}

/* The last node in the zonelist of @nid. */
static int last_node(const struct mmbox *box, int nid)
{
	const struct mmbox_zoneref *zref;
	int last = nid;

	for (zref = box->node[nid]->node_zonelists[MMBOX_ZONELIST_FALLBACK]._zonerefs;
	     zref->zone; zref++)
		last = zref->zone->zone_pgdat->node_id;
	return last;
}

/*
 * Nodes at the same distance: which of them have CPUs counts only when zonelists are
 * built again, as Linux does not know the CPUs when it builds them at boot. Here node 0
 * has all CPUs.
 */
static void equal_distance_by_cpus(struct kunit *test)
{
	struct mmbox *box = nodes_box(test, 3, NULL, "0//");

	KUNIT_EXPECT_EQ(test, last_node(box, 0), 2);
	KUNIT_EXPECT_EQ(test, last_node(box, 1), 0);
	KUNIT_EXPECT_EQ(test, last_node(box, 2), 1);
	mutex_lock(&box->pages.memory_lock);
	mmbox_build_zonelists(box, true);
	mutex_unlock(&box->pages.memory_lock);
	KUNIT_EXPECT_EQ(test, last_node(box, 0), 2);
	KUNIT_EXPECT_EQ(test, last_node(box, 1), 0);
	KUNIT_EXPECT_EQ(test, last_node(box, 2), 0);
}

/* Every node in turn. Each page of the chosen node counts as interleave_hit. */
static void interleave_by_turns(struct kunit *test)
{
	struct mmbox *box = nodes_box(test, 4, NULL, NULL);
	unsigned long stat[MMBOX_NR_STATS] = {};
	struct mmbox_page *pages[16];
	struct mmbox_zone *zone;
	int i, seen[4] = {};

	for (i = 0; i < 16; i++) {
		pages[i] = mmbox_alloc_pages_interleave(box, GFP_KERNEL, 1);
		KUNIT_ASSERT_NOT_NULL(test, pages[i]);
		seen[nid_of(box, pages[i])]++;
	}
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ_MSG(test, seen[i], 4, "node %d", i);
	mmbox_for_each_zone(box, zone)
		mmbox_zone_stat(zone, stat);
	KUNIT_EXPECT_EQ(test, stat[MMBOX_NUMA_INTERLEAVE_HIT], 16);
	for (i = 0; i < 16; i++)
		__mmbox_free_pages(box, pages[i], 1);
}

/* node_cpus= assigns CPUs to nodes. CPUs that it does not name are of node 0. */
static void node_cpus_assigned(struct kunit *test)
{
	struct mmbox *box = nodes_box(test, 3, NULL, "//0");
	int cpu;

	for_each_possible_cpu(cpu)
		KUNIT_EXPECT_EQ(test, mmbox_cpu_to_node(box, cpu), cpu ? 0 : 2);
}

static void bad_nodes_refused(struct kunit *test)
{
	static const struct {
		const char *distance, *node_cpus;
	} bad[] = {
		{ "10" }, { "10,20" }, { "10,20/20,10/" }, { "10,20/20,11" }, { "10,10/20,10" },
		{ "10,9/20,10" }, { "10,256/20,10" }, { "10,20,20/10" }, { "10, 20/20,10" },
		{ "10,20/20,10x" }, { "a" }, { "/" },
		{ NULL, "0/0" }, { NULL, "0-/1" }, { NULL, "-1" }, { NULL, "//" }, { NULL, "x" },
		{ NULL, "0,,1" }, { NULL, "99999" }, { NULL, "0 1" }, { NULL, "1-0" },
	};
	struct mmbox_config cfg;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		mmbox_config_init(&cfg);
		cfg.size = SZ_16M;
		KUNIT_ASSERT_EQ(test, 0, mmbox_nodes_split(&cfg, 2));
		cfg.distance = bad[i].distance;
		cfg.node_cpus = bad[i].node_cpus;
		KUNIT_EXPECT_EQ_MSG(test, mmbox_numa_check(&cfg), -EINVAL, "case %u", i);
	}
	mmbox_config_init(&cfg);
	KUNIT_EXPECT_EQ(test, mmbox_nodes_split(&cfg, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, mmbox_nodes_split(&cfg, MMBOX_MAX_NUMNODES + 1), -EINVAL);
	cfg.size = SZ_8M;
	KUNIT_EXPECT_EQ(test, mmbox_nodes_split(&cfg, 3), -EINVAL);
}

/* nodes= splits in whole sections, for each size of section and largest block. */
static void nodes_in_whole_sections(struct kunit *test)
{
	static const struct {
		unsigned long size, section_size;
		unsigned int orders, nodes;
		unsigned long first, last;	/* bytes of these nodes, 0: refused */
	} splits[] = {
		{ SZ_32M, SZ_4M, 11, 8, SZ_4M, SZ_4M },
		{ SZ_32M + SZ_8M, SZ_4M, 10, 4, SZ_8M, SZ_16M },
		{ SZ_64M, SZ_16M, 11, 3, SZ_16M, SZ_32M },
		{ SZ_32M, SZ_8M, 11, 8, 0, 0 },
		{ SZ_32M + SZ_2M, SZ_4M, 10, 2, 0, 0 },
	};
	struct mmbox_config cfg;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(splits); i++) {
		mmbox_config_init(&cfg);
		cfg.size = splits[i].size;
		cfg.orders = splits[i].orders;
		cfg.section_size = splits[i].section_size;
		KUNIT_EXPECT_EQ_MSG(test, !mmbox_nodes_split(&cfg, splits[i].nodes),
				    !!splits[i].first, "case %u", i);
		if (!splits[i].first)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, mmbox_config_check(&cfg), 0, "case %u", i);
		KUNIT_EXPECT_EQ(test, cfg.banks[0].size, splits[i].first);
		KUNIT_EXPECT_EQ(test, cfg.banks[splits[i].nodes - 1].size, splits[i].last);
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(own_node_first),
	KUNIT_CASE(nearest_node_next),
	KUNIT_CASE(equal_distance_by_cpus),
	KUNIT_CASE(interleave_by_turns),
	KUNIT_CASE(node_cpus_assigned),
	KUNIT_CASE(nodes_in_whole_sections),
	KUNIT_CASE(bad_nodes_refused),
	{}
};

TEST_SUITE(numa_suite, "mmbox_numa", cases);
