// SPDX-License-Identifier: GPL-2.0
/*
 * The page allocator against Linux 6.1's: the same page frames, and the same
 * watermarks.
 *
 * The figures are those of kunit/reference/buddy* and zones*. Any file of the same form
 * that is added there is run as well.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "testing.h"

#define LINE_LEN	512
#define SHOWN		40		/* most blocks whose pfns a step shows */

/* ---- sequences of allocations and frees ---- */

struct block {
	struct mmbox_page *page;
	unsigned int order;
};

struct blocks {
	struct mmbox *box;
	struct mmbox_zone *zone;
	struct block *live;		/* room for each page of the zone */
	unsigned int nr;
	unsigned int first_new;		/* index of the first block of this step */
	int nid;			/* node of requests; NUMA_NO_NODE uses the fast paths */
};

/*
 * A box whose ZONE_NORMAL is the zone of the reference, wholly free. Below it a ZONE_DMA
 * holds the boot memory, and serves requests that ZONE_NORMAL cannot.
 */
static void sequence_zone(struct kunit *test, struct blocks *b, const char *line)
{
	unsigned int spanned, present, managed, high, batch, min, low, wmark_high;
	struct mmbox_config cfg;
	int cpu, nr;

	nr = sscanf(line,
		    "ZONE base %*x spanned %u present %u managed %u pcp high %u batch %u min %u low %u high %u",
		    &spanned, &present, &managed, &high, &batch, &min, &low,
		    &wmark_high);
	KUNIT_ASSERT_EQ_MSG(test, 8, nr, "%s", line);
	KUNIT_ASSERT_EQ(test, spanned, managed);

	test_config(&cfg, "reference", SZ_32M + spanned * PAGE_SIZE);
	cfg.zone_dma = SZ_32M;
	cfg.zone_dma32 = 0;
	cfg.bottom_up = true;
	cfg.pages_only = true;
	cfg.kswapd = false;
	cfg.stat_drift = true;
	b->box = test_box(test, &cfg);
	b->live = test_zalloc(test, managed * sizeof(*b->live));
	b->nr = 0;
	b->zone = &mmbox_node_data(b->box, 0)->node_zones[MMBOX_ZONE_NORMAL];
	KUNIT_ASSERT_EQ(test, b->zone->nr_free_pages, managed);

	/* The reference kernel ran on one CPU. */
	b->zone->stat_threshold = mmbox_stat_threshold(b->zone, 1);
	b->zone->_watermark[MMBOX_WMARK_MIN] = min;
	b->zone->_watermark[MMBOX_WMARK_LOW] = low;
	b->zone->_watermark[MMBOX_WMARK_HIGH] = wmark_high;
	for_each_possible_cpu(cpu) {
		struct mmbox_per_cpu_pages *pcp = per_cpu_ptr(b->zone->per_cpu_pageset, cpu);

		pcp->high = high;
		pcp->batch = batch;
	}
}

static bool alloc_block(struct blocks *b, unsigned int order)
{
	const gfp_t gfp = GFP_HIGHUSER_MOVABLE | __GFP_NOWARN | __GFP_NORETRY |
			  (b->nid == NUMA_NO_NODE ? 0 : __GFP_THISNODE);
	struct mmbox_page *page = mmbox_alloc_pages_node(b->box, b->nid, gfp, order);

	if (!page)
		return false;
	if (mmbox_page_zone(b->box, page) != b->zone) {
		__mmbox_free_pages(b->box, page, order);
		return false;
	}
	b->live[b->nr++] = (struct block){ page, order };
	return true;
}

static void free_block(struct blocks *b, unsigned int nr)
{
	__mmbox_free_pages(b->box, b->live[nr].page, b->live[nr].order);
}

static void free_front(struct blocks *b, unsigned int nr)
{
	unsigned int i;

	nr = min(nr, b->nr);
	for (i = 0; i < nr; i++)
		free_block(b, i);
	b->nr -= nr;
	memmove(b->live, b->live + nr, b->nr * sizeof(*b->live));
}

static void free_even(struct blocks *b)
{
	unsigned int i, left = 0;

	for (i = 0; i < b->nr; i++) {
		if (i % 2)
			b->live[left++] = b->live[i];
		else
			free_block(b, i);
	}
	b->nr = left;
}

static void run_random(struct blocks *b, u32 state, unsigned int nr)
{
	unsigned int x;

	for (; nr; nr--) {
		if (test_random(&state) & 1 || !b->nr) {
			alloc_block(b, test_random(&state) % 11);
		} else {
			x = test_random(&state) % b->nr;
			free_block(b, x);
			b->live[x] = b->live[--b->nr];
		}
	}
}

static void run_op(struct kunit *test, struct blocks *b, const char *op)
{
	unsigned int order, nr, seed;

	b->first_new = b->nr;
	if (sscanf(op, "alloc:%u:%u", &order, &nr) == 2) {
		while (nr-- && alloc_block(b, order))
			;
	} else if (sscanf(op, "freefront:%u", &nr) == 1) {
		free_front(b, nr);
	} else if (sscanf(op, "free:%u", &nr) == 1) {
		while (nr-- && b->nr)
			free_block(b, --b->nr);
	} else if (!strcmp(op, "freeeven")) {
		free_even(b);
	} else if (sscanf(op, "rand:%u:%u", &seed, &nr) == 2) {
		run_random(b, seed, nr);
	} else {
		KUNIT_ASSERT_TRUE_MSG(test, false, "unknown operation '%s'", op);
	}
}

static unsigned long relative_pfn(const struct blocks *b, unsigned int nr)
{
	return __mmbox_page_to_pfn(b->box, b->live[nr].page) - b->zone->zone_start_pfn;
}

/* crc32_le(), which a kernel may be built without, over one little-endian word. */
static u32 crc32_word(u32 crc, u32 word)
{
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		u32 low = (crc ^ word >> bit) & 1;

		crc = crc >> 1 ^ (low ? 0xedb88320 : 0);
	}
	return crc;
}

/* "PFN c00 c20 crc 5ec4f1f8": frame numbers where the line has them */
static void expect_pfns(struct kunit *test, struct blocks *b, const char *line,
			const char *op)
{
	bool shown = strncmp(line, "PFN crc", 7);
	char mine[LINE_LEN];
	unsigned int i;
	size_t len;
	u32 crc = 0;

	len = scnprintf(mine, sizeof(mine), "PFN");
	for (i = b->first_new; shown && i < b->nr; i++)
		len += scnprintf(mine + len, sizeof(mine) - len, " %lx", relative_pfn(b, i));
	for (i = 0; i < b->nr; i++) {
		crc = crc32_word(crc, relative_pfn(b, i));
		crc = crc32_word(crc, b->live[i].order);
	}
	scnprintf(mine + len, sizeof(mine) - len, " crc %08x", crc);
	KUNIT_EXPECT_STREQ_MSG(test, mine, line, "after %s", op);
}

/* "FREE 0 1 ... pcp 0 nr_free N held 3"; nr_free is inexact there, see above */
static void expect_free(struct kunit *test, struct blocks *b, const char *line,
			const char *op)
{
	char mine[LINE_LEN], theirs[LINE_LEN];
	unsigned int order, held;
	int nr = 0;
	char *nr_free;
	size_t len;

	len = scnprintf(mine, sizeof(mine), "FREE");
	for (order = 0; order < MMBOX_MAX_ORDERS; order++)
		len += scnprintf(mine + len, sizeof(mine) - len, " %lu",
				 b->zone->free_area[order].nr_free);
	scnprintf(mine + len, sizeof(mine) - len, " pcp %lu ", mmbox_nr_pcp_pages(b->zone));

	strscpy(theirs, line, sizeof(theirs));
	nr_free = strstr(theirs, "nr_free");
	if (nr_free)
		nr = sscanf(nr_free, "nr_free %*u held %u", &held);
	KUNIT_ASSERT_EQ_MSG(test, 1, nr, "%s", line);
	*nr_free = 0;
	KUNIT_EXPECT_STREQ_MSG(test, mine, theirs, "after %s", op);
	KUNIT_EXPECT_EQ_MSG(test, b->nr, held, "blocks held after %s", op);
}

static void end_sequence(struct kunit *test, struct blocks *b)
{
	if (!b->box)
		return;
	free_front(b, b->nr);
	test_box_end(test, b->box);
	test_free(test, b->live);
	b->box = NULL;
}

static void run_sequence(struct kunit *test, const struct mmbox_reference *ref, int nid)
{
	char *line = test_zalloc(test, LINE_LEN), *op = test_zalloc(test, LINE_LEN);
	const char *text = ref->text;
	struct blocks b = { .nid = nid };
	unsigned int ops = 0;

	while (test_next_line(&text, line, LINE_LEN)) {
		if (*line == '#')
			continue;
		if (!strncmp(line, "ZONE ", 5)) {
			end_sequence(test, &b);
			sequence_zone(test, &b, line);
		}
		KUNIT_ASSERT_NOT_NULL_MSG(test, b.box, "%s does not begin with ZONE", ref->name);
		if (!strncmp(line, "OP ", 3)) {
			strscpy(op, line + 3, LINE_LEN);
			run_op(test, &b, op);
			ops++;
		} else if (!strncmp(line, "PFN ", 4)) {
			expect_pfns(test, &b, line, op);
		} else if (!strncmp(line, "FREE ", 5)) {
			expect_free(test, &b, line, op);
		}
	}
	kunit_info(test, "%s: %u operations", ref->name, ops);
	KUNIT_EXPECT_GT(test, ops, 0);
	end_sequence(test, &b);
	test_free(test, op);
	test_free(test, line);
}

static void pfns_as_linux_6_1(struct kunit *test)
{
	const struct mmbox_reference *ref;
	int files = 0;

	test_pin(test, 0);
	for_each_reference(ref, "buddy-sequence") {
		run_sequence(test, ref, 0);
		run_sequence(test, ref, NUMA_NO_NODE);
		files++;
	}
	KUNIT_EXPECT_GT(test, files, 0);
}

/* ---- watermarks and protection ---- */

#define NR_NAMES	4

static const char *const names[NR_NAMES] = { "DMA", "DMA32", "Normal", "Movable" };

/* The file's figures of one zone. */
struct boot_zone {
	unsigned long managed;
	unsigned long mark[MMBOX_NR_WMARK];
	long protection[NR_NAMES];
};

/* The file's figures of one boot. */
struct boot {
	char title[256];
	struct boot_zone zones[MMBOX_MAX_NUMNODES][NR_NAMES];
	unsigned long min_free_kbytes, scale;
	int ratio[NR_NAMES];
	struct boot_zone *zone;		/* the one being read */
	int nr_nodes;
	char order[MMBOX_MAX_NUMNODES][32];	/* "0 1 2", nodes by distance */
	struct mmbox *box;		/* with these nodes, NULL: not created yet */
};

/* "3G, three nodes, distances 0-1 20, 0-2 40": as distance= has them */
static void write_distances(const struct boot *boot, char *text, size_t size)
{
	const char *at = strstr(boot->title, "distances ");
	int distance[MMBOX_MAX_NUMNODES][MMBOX_MAX_NUMNODES] = {};
	int a, b, d, n, i, j;
	size_t len = 0;

	for (at = at ? at + strlen("distances ") : ""; *at; at += n) {
		if (sscanf(at, "%d-%d %d%n", &a, &b, &d, &n) < 3)
			break;
		if (max(a, b) < MMBOX_MAX_NUMNODES) {
			distance[a][b] = d;
			distance[b][a] = d;
		}
		n += strspn(at + n, ", ");
	}
	for (i = 0; i < boot->nr_nodes; i++)
		for (j = 0; j < boot->nr_nodes; j++)
			len += scnprintf(text + len, size - len, "%d%c",
					 i == j ? 10 : distance[i][j] ?: 20,
					 j < boot->nr_nodes - 1 ? ',' :
					 i < boot->nr_nodes - 1 ? '/' : 0);
}

/* A box with the nodes of a boot. Its zones get their sizes from the figures. */
static struct mmbox *boot_box(struct kunit *test, const struct boot *boot)
{
	char *distance = test_zalloc(test, LINE_LEN);
	struct mmbox_config cfg;
	struct mmbox *box;

	write_distances(boot, distance, LINE_LEN);
	test_config(&cfg, "boot", SZ_16M * boot->nr_nodes);
	cfg.pages_only = true;
	cfg.distance = distance;
	KUNIT_ASSERT_EQ(test, 0, mmbox_nodes_split(&cfg, boot->nr_nodes));
	box = test_box(test, &cfg);
	test_free(test, distance);
	return box;
}

static void expect_zone(struct kunit *test, const struct boot *boot,
			const struct mmbox_zone *zone)
{
	int idx = mmbox_zone_idx(zone), nid = zone->zone_pgdat->node_id, i;
	const struct boot_zone *expected = &boot->zones[nid][idx];

	for (i = 0; i < MMBOX_NR_WMARK; i++)
		KUNIT_EXPECT_EQ_MSG(test, zone->_watermark[i], expected->mark[i],
				    "%s: watermark %d of node %d %s, min_free_kbytes %lu, scale %lu",
				    boot->title, i, nid, zone->name,
				    boot->min_free_kbytes, boot->scale);
	for (i = 0; i < NR_NAMES; i++)
		KUNIT_EXPECT_EQ_MSG(test, zone->lowmem_reserve[i], expected->protection[i],
				    "%s: protection of node %d %s from %s, ratio %d",
				    boot->title, nid, zone->name, names[i],
				    boot->ratio[idx]);
}

/* The nodes of a zonelist, each where it first appears. */
static void expect_order(struct kunit *test, const struct boot *boot, int nid)
{
	const struct mmbox_zonelist *lists = mmbox_node_data(boot->box, nid)->node_zonelists;
	const struct mmbox_zoneref *zref;
	char mine[32] = "";
	int last = -1;
	size_t len = 0;

	for (zref = lists[MMBOX_ZONELIST_FALLBACK]._zonerefs; zref->zone; zref++) {
		int node = zref->zone->zone_pgdat->node_id;

		if (node != last)
			len += scnprintf(mine + len, sizeof(mine) - len, "%d ", node);
		last = node;
	}
	KUNIT_EXPECT_STREQ_MSG(test, mine, boot->order[nid], "%s: node %d", boot->title, nid);
	for (zref = lists[MMBOX_ZONELIST_NOFALLBACK]._zonerefs; zref->zone; zref++)
		KUNIT_EXPECT_EQ(test, zref->zone->zone_pgdat->node_id, nid);
}

/* Compare the figures that were read so far with those of the box. */
static bool expect_boot(struct kunit *test, struct boot *boot)
{
	struct mmbox_zone *zone;
	struct mmbox *box;

	if (!boot->nr_nodes)
		return false;
	if (!boot->box)
		boot->box = boot_box(test, boot);
	box = boot->box;
	mmbox_for_each_zone(box, zone)
		zone->managed_pages = boot->zones[zone->zone_pgdat->node_id]
						 [mmbox_zone_idx(zone)].managed;
	box->pages.min_free_kbytes = boot->min_free_kbytes;
	box->pages.watermark_scale_factor = boot->scale;
	memcpy(box->pages.lowmem_reserve_ratio, boot->ratio, sizeof(boot->ratio));
	mmbox_setup_per_zone_wmarks(box);
	mmbox_setup_per_zone_lowmem_reserve(box);
	mmbox_for_each_zone(box, zone)
		expect_zone(test, boot, zone);
	return true;
}

/* The end of a boot: compare zonelists, check that the box is unchanged. */
static void end_boot(struct kunit *test, struct boot *boot)
{
	struct mmbox_zone *zone;
	int nid;

	if (!boot->box)
		return;
	mmbox_for_each_online_node(boot->box, nid)
		if (boot->order[nid][0])
			expect_order(test, boot, nid);
	/* All memory is free. */
	mmbox_for_each_zone(boot->box, zone)
		zone->managed_pages = zone->nr_free_pages;
	test_box_end(test, boot->box);
	boot->box = NULL;
}

static int name_index(const char *name)
{
	int i;

	for (i = 0; i < NR_NAMES; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

/* Returns true if the line begins another set of figures. */
static bool begins_figures(const char *line)
{
	return !strncmp(line, "#####", 5) || !strncmp(line, "min_free_kbytes", 15) ||
	       !strncmp(line, "lowmem_reserve_ratio", 20);
}

static bool read_ratio(struct boot *boot, const char *text)
{
	return sscanf(text, "lowmem_reserve_ratio %d %d %d", &boot->ratio[0],
		      &boot->ratio[1], &boot->ratio[2]) == 3;
}

/* One line of figures or of the settings that the next figures hold for. */
static void read_line(struct boot *boot, const char *line)
{
	struct boot_zone *zone = boot->zone ?: &boot->zones[0][0];
	long *p = zone->protection;
	unsigned long value;
	char name[16];
	int node, at;

	if (!strncmp(line, "##### ", 6)) {
		memset(boot, 0, sizeof(*boot));
		strscpy(boot->title, line + 6, sizeof(boot->title));
	} else if (sscanf(line, "min_free_kbytes %lu", &boot->min_free_kbytes) == 1) {
		const char *more;

		more = strstr(line, "lowmem_reserve_ratio");
		if (more)
			read_ratio(boot, more);
		more = strstr(line, "watermark_scale_factor");
		if (more && sscanf(more, "watermark_scale_factor %lu", &value) == 1)
			boot->scale = value;
	} else if (read_ratio(boot, line)) {
		return;
	} else if (sscanf(line, "Node %d, zone %15s", &node, name) == 2) {
		node = min(node, MMBOX_MAX_NUMNODES - 1);
		boot->zone = &boot->zones[node][max(name_index(name), 0)];
		boot->nr_nodes = max(boot->nr_nodes, node + 1);
	} else if (sscanf(line, "Fallback order for Node %d: %n", &node, &at) == 1) {
		node = min(node, MMBOX_MAX_NUMNODES - 1);
		strscpy(boot->order[node], line + at, sizeof(boot->order[node]));
	} else if (sscanf(line, " min %lu", &value) == 1) {
		zone->mark[MMBOX_WMARK_MIN] = value;
	} else if (sscanf(line, " low %lu", &value) == 1) {
		zone->mark[MMBOX_WMARK_LOW] = value;
	} else if (sscanf(line, " high %lu", &value) == 1) {
		zone->mark[MMBOX_WMARK_HIGH] = value;
	} else if (sscanf(line, " managed %lu", &value) == 1) {
		zone->managed = value;
	} else if (sscanf(line, " protection: (%ld, %ld, %ld, %ld)", &p[0], &p[1], &p[2],
			  &p[3]) == 4) {
		return;
	}
}

/*
 * Sets of figures have watermarks only, and the last set of a boot protection only. What
 * a set does not mention stays as in the set before.
 */
static void watermarks_as_linux_6_1(struct kunit *test)
{
	struct boot *boot = test_zalloc(test, sizeof(*boot));
	char *line = test_zalloc(test, LINE_LEN);
	const struct mmbox_reference *ref;
	int checked = 0;

	BUILD_BUG_ON(NR_NAMES != MMBOX_MAX_NR_ZONES);
	for_each_reference(ref, "zones") {
		const char *text = ref->text;

		while (test_next_line(&text, line, LINE_LEN)) {
			if (begins_figures(line))
				checked += expect_boot(test, boot);
			if (!strncmp(line, "#####", 5))
				end_boot(test, boot);
			read_line(boot, line);
		}
		checked += expect_boot(test, boot);
		end_boot(test, boot);
		memset(boot, 0, sizeof(*boot));
	}
	kunit_info(test, "%d sets of figures", checked);
	KUNIT_EXPECT_GT(test, checked, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(pfns_as_linux_6_1),
	KUNIT_CASE(watermarks_as_linux_6_1),
	{}
};

TEST_SUITE(page_reference_suite, "mmbox_page_reference", cases);
