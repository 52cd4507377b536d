// SPDX-License-Identifier: GPL-2.0
/*
 * Memory hotplug: sections get memory from the host (probe) and return it (remove), over
 * each sparse model and both generations of the buddy allocator.
 *
 * What a user would see go wrong: memory that the host does not get back, or that the
 * box still uses after it was returned.
 */
#include "churn.h"
#include "hotplug_box.h"

/* Sections 6 (node 1), 16 and 17 (node 0) are holes that may get memory later. */
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

/* A vmalloc region is returned as a whole; a section of it cannot be returned alone. */
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

/* Each of pfn, descriptor and address of a page leads to the other two. */
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
			KUNIT_FAIL(test, "pfn %lx and pfn %lx have the same memory", pfn, *word);
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

static void probe_and_remove(struct kunit *test)
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
	hotplug_check(test, box);
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
	hotplug_check(test, box);
	KUNIT_EXPECT_EQ(test, -EEXIST, mmbox_memory_probe(box, phys_of(16)));
	KUNIT_EXPECT_EQ(test, -EEXIST, mmbox_memory_probe(box, phys_of(2)));
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memory_probe(box, phys_of(HOLE)));
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memory_probe(box, phys_of(17) + PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memory_probe(box, phys_of(18)));
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memory_probe(box, -1ULL));
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memory_remove(box, phys_of(HOLE)));

	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 16, MMBOX_MMOP_ONLINE));
	KUNIT_EXPECT_PTR_EQ(test, hotplug_zone(box, 0, MMBOX_ZONE_NORMAL),
			    mmbox_section_zone(box, 16));
	hotplug_check(test, box);
	KUNIT_EXPECT_EQ(test, -EBUSY, mmbox_memory_remove(box, phys_of(16)));
	addr = mmbox_page_address(box, mmbox_pfn_to_page(box, 16 * SECTION_PAGES));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_offline(box, 16));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_remove(box, phys_of(16)));
	KUNIT_EXPECT_NULL(test, mmbox_virt_to_page(box, addr));
	check_absent(test, box, 16);
	hotplug_check(test, box);
	mmbox_memmap_usage(box, &now);
	KUNIT_EXPECT_EQ(test, now.holes, usage.holes);

	/* Online as soon as it is probed, in a zone that was empty. */
	box->pages.auto_online = MMBOX_MMOP_ONLINE_MOVABLE;
	KUNIT_EXPECT_EQ(test, 0, mmbox_memory_probe(box, phys_of(6)));
	KUNIT_EXPECT_PTR_EQ(test, hotplug_zone(box, 1, MMBOX_ZONE_MOVABLE),
			    mmbox_section_zone(box, 6));
	hotplug_check(test, box);
	test_box_drop(test, box);
	expect_returned(test, &account);
}

static bool is_early(struct mmbox *box, unsigned long nr)
{
	return mmbox_early_section(mmbox_nr_to_section(box, nr));
}

/* Every second section from the last down: each is a separate range of memory. */
static void many_separate_sections(struct kunit *test)
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
	KUNIT_EXPECT_GT_MSG(test, probed, MMBOX_MEMBLOCK_REGIONS,
			    "no more ranges than memblock can hold");
	for (nr += 2; nr < box->memmap.nr_sections; nr += 2)
		KUNIT_EXPECT_EQ(test, 0, mmbox_memory_remove(box, (phys_addr_t)nr * SZ_2M));
	test_box_drop(test, box);
	expect_returned(test, &account);
}

/* Memory of the region itself is removed. A probe gives the section other pages. */
static void boot_memory_removed(struct kunit *test)
{
	struct mmbox_account account = {};
	struct mmbox_config cfg;
	struct mmbox *box;
	int region, err;

	for (region = MMBOX_REGION_CONTIG; region < MMBOX_NR_REGION_TYPES; region++) {
		hot_config(test, &cfg);
		cfg.account = &account;
		cfg.region = region;
		/* The host has no block of pages that large. */
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
			hotplug_check_verify(test, box);
			KUNIT_EXPECT_EQ(test, 0, mmbox_memory_probe(box, 0));
			KUNIT_EXPECT_FALSE(test, is_early(box, 0));
			KUNIT_EXPECT_TRUE(test, is_early(box, 2));
			KUNIT_EXPECT_EQ(test, 0, mmbox_memory_online(box, 0, MMBOX_MMOP_ONLINE));
		}
		hotplug_check(test, box);
		test_box_drop(test, box);
		expect_returned(test, &account);
	}
}

/* The host may give memory that was one section's for another section. */
static void address_used_again(struct kunit *test)
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
	hotplug_check(test, box);
}

/* Without banks= memory can be removed, but none can be probed. */
static void no_probe_without_banks(struct kunit *test)
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
	hotplug_check(test, box);
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

/* Each request of a probe to the host is refused once. */
static void probe_without_memory(struct kunit *test)
{
	struct mmbox_account account = {};
	struct mmbox *box = hot_box(test, &account);
	unsigned int refused = 0, i;
	struct hotplug_figures before;

	hotplug_get_figures(box, &before);
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
			/* There was a fallback for this request. */
			check_section(test, box, 17);
			KUNIT_EXPECT_EQ(test, 0, mmbox_memory_remove(box, phys_of(17)));
		}
		KUNIT_EXPECT_EQ(test, box->region.nr_taken - box->region.nr_returned,
				PHYS_PFN(box->cfg.size));
		hotplug_expect_figures(test, box, &before, "no memory");
		if (requests < i)
			break;
	}
	KUNIT_EXPECT_GE(test, refused, 2);
	test_box_drop(test, box);
	expect_returned(test, &account);
}

/* Each allocation of the boot fails once. A section without a map cannot be probed. */
static void boot_without_section_maps(struct kunit *test)
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
			hotplug_check(test, box);
			mmbox_destroy(box);
		}
		expect_returned(test, &account);
	}
	KUNIT_EXPECT_LT_MSG(test, nth, 100, "allocations do not end");
	KUNIT_EXPECT_GT_MSG(test, cannot, 0, "no hot section was ever left out");
}

static void bad_hot_banks_refused(struct kunit *test)
{
	static const char *const senseless[] = {
		"24M@0,8M@16M:hot",		/* overlaps */
		"24M@0,8M@32M:1:hot",		/* the node has no other memory */
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

/* Uses much of the box, frees all of it and begins again, so that pages in use move. */
struct load {
	struct kunit *test;
	struct churn *thread, *interrupt;
	struct test_interrupts *interrupts;
	struct test_loop *loop;
};

static void load_round(void *arg)
{
	struct load *load = arg;

	if (!load->interrupts)
		load->interrupts = test_interrupts_start(load->test, churn_step,
							 load->interrupt);
	churn_run(load->thread);
	churn_free_all(load->thread);
	mmbox_drain_all_pages(load->thread->box);
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
	load->loop = test_loop_start(test, cpu, load_round, load);
}

static void load_end(struct kunit *test, struct load *load, unsigned int cpu)
{
	unsigned long nr_rounds = test_loop_stop(load->loop);

	test_interrupts_stop(load->interrupts);
	churn_free_all(load->interrupt);
	churn_expect_good(test, load->thread);
	churn_expect_good(test, load->interrupt);
	kunit_info(test, "CPU %u: %lu rounds", cpu, nr_rounds);
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

/* Online it in any zone, or remove it if it can be removed. */
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

static void hotplug_under_load(struct kunit *test)
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
	while (plugger.ops--) {
		plug_step(&plugger);
		cond_resched();
	}
	for (i = 0; i < nr_cpus; i++)
		load_end(test, &loads[i], i);
	kunit_info(test, "%u offline, %u online, %u busy, %u probed, %u removed",
		   plugger.nr_offline, plugger.nr_online, plugger.nr_busy, plugger.nr_probed,
		   plugger.nr_removed);
	KUNIT_EXPECT_EQ(test, plugger.nr_other, 0);
	KUNIT_EXPECT_GT(test, plugger.nr_offline, 10);
	KUNIT_EXPECT_GT(test, plugger.nr_online, 10);
	KUNIT_EXPECT_GT(test, plugger.nr_probed, 4);
	KUNIT_EXPECT_GT(test, plugger.nr_removed, 4);
	KUNIT_EXPECT_EQ(test, test_nr_bad(box), 0);
	hotplug_check(test, box);

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
	hotplug_check(test, box);
	test_box_drop(test, box);
	expect_returned(test, &account);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(probe_and_remove, hotplug_variants),
	KUNIT_CASE_PARAM(boot_memory_removed, hotplug_variants),
	KUNIT_CASE_PARAM(address_used_again, hotplug_variants),
	KUNIT_CASE(many_separate_sections),
	KUNIT_CASE_PARAM(no_probe_without_banks, hotplug_variants),
	KUNIT_CASE_PARAM(probe_without_memory, hotplug_variants),
	KUNIT_CASE_PARAM(boot_without_section_maps, hotplug_variants),
	KUNIT_CASE(bad_hot_banks_refused),
	KUNIT_CASE_PARAM(hotplug_under_load, hotplug_variants),
	{}
};

TEST_SUITE(memory_probe_suite, "mmbox_memory_probe", cases);
