// SPDX-License-Identifier: GPL-2.0
/*
 * Parameters: each accepts the values that its row of the table says, and no others.
 *
 * The cases walk over the table, so that a new parameter is tested as well.
 */
#include <linux/ctype.h>

#include "testing.h"

/* Read one parameter as it is typed. All others have their defaults. */
static int read_one(struct mmbox_config *cfg, enum mmbox_param_id id, const char *text)
{
	const char *typed[MMBOX_NR_PARAMS] = {};
	int err;

	typed[id] = text;
	err = mmbox_params_read(cfg, typed);
	cfg->typed = NULL;
	return err;
}

static void expect_read(struct kunit *test, enum mmbox_param_id id, const char *text, bool ok)
{
	struct mmbox_config cfg;

	KUNIT_EXPECT_EQ_MSG(test, read_one(&cfg, id, text), ok ? 0 : -EINVAL, "%s=%s",
			    mmbox_params[id].name, text);
}

static bool is_number(enum mmbox_param_id id)
{
	return mmbox_params[id].kind == MMBOX_BYTES || mmbox_params[id].kind == MMBOX_NUMBER;
}

/* A field of struct mmbox_config, whatever its size. */
static u64 field_of(const struct mmbox_config *cfg, enum mmbox_param_id id)
{
	const void *field = (const void *)cfg + mmbox_params[id].offset;

	switch (mmbox_params[id].size) {
	case 1:
		return *(const u8 *)field;
	case 4:
		return *(const u32 *)field;
	default:
		return *(const u64 *)field;
	}
}

static u64 number_of(struct kunit *test, const char *text)
{
	phys_addr_t bytes = 0;
	const char *end = mmbox_parse_bytes(text, &bytes);

	KUNIT_EXPECT_TRUE_MSG(test, end && !*end, "%s", text);
	return bytes;
}

/* The defaults are valid, and typing them gives the same configuration. */
static void defaults_make_a_box(struct kunit *test)
{
	struct mmbox_config cfg, typed;
	int id;

	mmbox_config_init(&cfg);
	KUNIT_EXPECT_EQ(test, mmbox_config_check(&cfg), 0);
	KUNIT_EXPECT_EQ(test, cfg.size, SZ_64M);
	KUNIT_EXPECT_EQ(test, cfg.orders, MMBOX_MAX_ORDERS);
	KUNIT_EXPECT_EQ(test, cfg.model, MMBOX_SPARSE_VMEMMAP);
	KUNIT_EXPECT_EQ(test, cfg.zone_dma32, SZ_4G);
	KUNIT_EXPECT_TRUE(test, cfg.kswapd);
	for (id = 0; id < MMBOX_NR_PARAMS; id++) {
		KUNIT_EXPECT_EQ_MSG(test, read_one(&typed, id, mmbox_params[id].def), 0, "%s=%s",
				    mmbox_params[id].name, mmbox_params[id].def);
		if (mmbox_params[id].kind != MMBOX_TEXT)
			KUNIT_EXPECT_EQ_MSG(test, field_of(&typed, id), field_of(&cfg, id), "%s",
					    mmbox_params[id].name);
	}
	/* The table's texts and the code's constants agree. */
	KUNIT_EXPECT_EQ(test, number_of(test, mmbox_params[MMBOX_PARAM_size].min), MMBOX_SIZE_MIN);
	KUNIT_EXPECT_EQ(test, number_of(test, mmbox_params[MMBOX_PARAM_size].max), MMBOX_SIZE_MAX);
	KUNIT_EXPECT_EQ(test, number_of(test, mmbox_params[MMBOX_PARAM_orders].min),
			MMBOX_MIN_ORDERS);
	KUNIT_EXPECT_EQ(test, number_of(test, mmbox_params[MMBOX_PARAM_orders].max),
			MMBOX_MAX_ORDERS);
	KUNIT_EXPECT_EQ(test, number_of(test, mmbox_params[MMBOX_PARAM_nodes].max),
			MMBOX_MAX_NUMNODES);
	KUNIT_EXPECT_EQ(test, number_of(test, mmbox_params[MMBOX_PARAM_kmalloc_max].max),
			1UL << MMBOX_KMALLOC_SHIFT_HIGH);
}

/* Bounds are accepted. Numbers beyond, negative, wrapping or followed by text are not. */
static void numbers_within_bounds(struct kunit *test)
{
	static const char *const never[] = {
		"", " ", "-", "-0", "-1", "-5", "+", "x", "0x", "64Q", "1 2", "64M ", "8.5", "1e3",
		"18446744073709551615",		/* -1 in 64 bits */
		"18446744073709551616",		/* 0 in 64 bits */
		"18446744073709551624",		/* 8 */
		"18446744073709555712",		/* a page */
		"18446744073776660480",		/* 64M */
		"4294967295",			/* -1 in 32 bits */
		"340282366920938463463374607431768211467",
	};
	char text[64];
	int id, i, nr = 0;

	for (id = 0; id < MMBOX_NR_PARAMS; id++) {
		const struct mmbox_param *p = &mmbox_params[id];
		u64 min, max;

		if (!is_number(id))
			continue;
		nr++;
		min = number_of(test, p->min);
		max = number_of(test, p->max);
		KUNIT_EXPECT_LT_MSG(test, min, max, "%s", p->name);
		expect_read(test, id, p->min, true);
		expect_read(test, id, p->max, true);
		snprintf(text, sizeof(text), "%llu", max + 1);
		expect_read(test, id, text, false);
		snprintf(text, sizeof(text), "%llu", 2 * max);
		expect_read(test, id, text, false);
		snprintf(text, sizeof(text), "%#llx", max);
		expect_read(test, id, text, true);
		if (min) {
			snprintf(text, sizeof(text), "%llu", min - 1);
			expect_read(test, id, text, false);
			expect_read(test, id, "0", false);
		}
		if (p->rule == MMBOX_PAGES) {
			snprintf(text, sizeof(text), "%llu", min + PAGE_SIZE);
			expect_read(test, id, text, true);
			snprintf(text, sizeof(text), "%llu", min + PAGE_SIZE / 2);
			expect_read(test, id, text, false);
		}
		if (p->rule == MMBOX_POWER_OF_2) {
			snprintf(text, sizeof(text), "%llu", 2 * min);
			expect_read(test, id, text, true);
			snprintf(text, sizeof(text), "%llu", 3 * min);
			expect_read(test, id, text, false);
		}
		for (i = 0; i < ARRAY_SIZE(never); i++)
			expect_read(test, id, never[i], false);
		/* As in the kernel: 0 means octal, 0x hexadecimal. */
		snprintf(text, sizeof(text), "0%llo", max);
		expect_read(test, id, text, true);
	}
	KUNIT_EXPECT_GE_MSG(test, nr, 11, "too few in the table");
}

/* The table's names of choices are those of the enums, in their order. */
static void choices_match_enums(struct kunit *test)
{
	static const struct {
		enum mmbox_param_id id;
		const char *const *names;
		unsigned int nr;
	} all[] = {
		{ MMBOX_PARAM_model, mmbox_model_names, MMBOX_NR_MODELS },
		{ MMBOX_PARAM_region, mmbox_region_names, MMBOX_NR_REGION_TYPES },
		{ MMBOX_PARAM_buddy, mmbox_buddy_names, MMBOX_NR_BUDDY_TYPES },
	};
	static const char *const never[] = { "", " ", ",", "0", "1", "-1", "none", "list, bitmap",
		"auto,", "sparse", "sparse-", "flat,discontig", "LIST", "list " };
	struct mmbox_config cfg;
	unsigned int i, value, nr = 0;
	int id;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		for (value = 0; value < all[i].nr; value++) {
			KUNIT_EXPECT_EQ_MSG(test, read_one(&cfg, all[i].id, all[i].names[value]),
					    0, "%s", all[i].names[value]);
			KUNIT_EXPECT_EQ_MSG(test, field_of(&cfg, all[i].id), value, "%s",
					    all[i].names[value]);
		}
		mmbox_config_init(&cfg);
		*(u32 *)((void *)&cfg + mmbox_params[all[i].id].offset) = all[i].nr;
		KUNIT_EXPECT_EQ_MSG(test, mmbox_config_check(&cfg), -EINVAL, "%s, one beyond",
				    mmbox_params[all[i].id].name);
	}
	for (id = 0; id < MMBOX_NR_PARAMS; id++) {
		if (mmbox_params[id].kind != MMBOX_CHOICE)
			continue;
		nr++;
		for (i = 0; i < ARRAY_SIZE(never); i++)
			expect_read(test, id, never[i], false);
	}
	KUNIT_EXPECT_EQ_MSG(test, nr, ARRAY_SIZE(all), "a parameter is not tested here");
}

static void switches_take_booleans(struct kunit *test)
{
	static const struct {
		const char *text;
		int value;		/* -1: refused */
	} cases[] = {
		{ "1", 1 }, { "0", 0 }, { "y", 1 }, { "N", 0 }, { "on", 1 }, { "off", 0 },
		{ "yes", 1 }, { "2", -1 }, { "-1", -1 }, { "", -1 }, { " ", -1 }, { "maybe", -1 },
	};
	struct mmbox_config cfg;
	int id, i;

	for (id = 0; id < MMBOX_NR_PARAMS; id++) {
		if (mmbox_params[id].kind != MMBOX_SWITCH)
			continue;
		for (i = 0; i < ARRAY_SIZE(cases); i++) {
			expect_read(test, id, cases[i].text, cases[i].value >= 0);
			if (cases[i].value >= 0 && !read_one(&cfg, id, cases[i].text))
				KUNIT_EXPECT_EQ_MSG(test, field_of(&cfg, id), cases[i].value,
						    "%s=%s", mmbox_params[id].name, cases[i].text);
		}
	}
}

/* Each value is within its bounds, but they contradict each other. */
static void conflicting_values_refused(struct kunit *test)
{
	static const struct {
		enum mmbox_param_id id[2];
		const char *text[2];
		bool ok;
	} cases[] = {
		{ { MMBOX_PARAM_size, MMBOX_PARAM_movablecore }, { "64M", "64M" }, true },
		{ { MMBOX_PARAM_size, MMBOX_PARAM_movablecore }, { "64M", "65540K" } },
		{ { MMBOX_PARAM_size, MMBOX_PARAM_movablecore }, { "64M", "1G" } },
		{ { MMBOX_PARAM_size, MMBOX_PARAM_kernelcore }, { "64M", "1G" } },
		{ { MMBOX_PARAM_banks, MMBOX_PARAM_kernelcore }, { "8M@0,8M@64M", "17M" } },
		{ { MMBOX_PARAM_banks, MMBOX_PARAM_kernelcore }, { "8M@0,8M@64M", "16M" }, true },
		{ { MMBOX_PARAM_banks, MMBOX_PARAM_nodes }, { "8M@0,8M@64M", "1" } },
		{ { MMBOX_PARAM_size, MMBOX_PARAM_distance }, { "8M", "20" } },
		{ { MMBOX_PARAM_size, MMBOX_PARAM_distance }, { "8M", "10,20/20,10" } },
		{ { MMBOX_PARAM_size, MMBOX_PARAM_distance }, { "8M", "10" }, true },
		{ { MMBOX_PARAM_nodes, MMBOX_PARAM_distance }, { "2", "10,20/20,10" }, true },
		{ { MMBOX_PARAM_section_size, MMBOX_PARAM_orders }, { "2M", "11" } },
		{ { MMBOX_PARAM_section_size, MMBOX_PARAM_orders }, { "2M", "10" }, true },
		{ { MMBOX_PARAM_section_size, MMBOX_PARAM_buddy }, { "2M", "bitmap" }, true },
		{ { MMBOX_PARAM_buddy, MMBOX_PARAM_pcp_thp }, { "bitmap", "1" } },
		{ { MMBOX_PARAM_buddy, MMBOX_PARAM_stat_drift }, { "bitmap", "1" } },
		{ { MMBOX_PARAM_size, MMBOX_PARAM_slab_debug }, { "8M", ";;;" } },
		{ { MMBOX_PARAM_size, MMBOX_PARAM_slab_debug }, { "8M", ";" } },
		{ { MMBOX_PARAM_size, MMBOX_PARAM_slab_debug }, { "8M", "F;" }, true },
		{ { MMBOX_PARAM_size, MMBOX_PARAM_slab_debug }, { "8M", "" }, true },
	};
	struct mmbox_config cfg;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *typed[MMBOX_NR_PARAMS] = {};
		int err;

		typed[cases[i].id[0]] = cases[i].text[0];
		typed[cases[i].id[1]] = cases[i].text[1];
		err = mmbox_params_read(&cfg, typed);
		if (!err)
			err = mmbox_config_check(&cfg);
		KUNIT_EXPECT_EQ_MSG(test, !err, cases[i].ok, "case %d", i);
	}
}

/* Messages show a value as it was typed, in printable characters, cut if it is long. */
static void values_in_messages(struct kunit *test)
{
	static const struct {
		unsigned long bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0" }, { 1, "1" }, { 1000, "1000" }, { 1024, "1K" }, { 5000, "5000" },
		{ SZ_64M, "64M" }, { SZ_4M - SZ_1K, "4095K" }, { SZ_1G, "1G" },
		{ 1UL << 40, "1024G" }, { ULONG_MAX, "18446744073709551615" },
	};
	const char *typed[MMBOX_NR_PARAMS] = {};
	struct mmbox_param_text text;
	char *hostile = test_zalloc(test, 1001);
	struct mmbox_config cfg;
	const char *p;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		KUNIT_EXPECT_STREQ(test, mmbox_bytes_text(sizes[i].bytes, &text), sizes[i].text);
	mmbox_config_init(&cfg);
	KUNIT_EXPECT_STREQ(test, mmbox_param_text(&cfg, MMBOX_PARAM_size, &text), "64M");
	typed[MMBOX_PARAM_size] = "0x10000K";
	KUNIT_EXPECT_EQ(test, mmbox_params_read(&cfg, typed), 0);
	KUNIT_EXPECT_STREQ(test, mmbox_param_text(&cfg, MMBOX_PARAM_size, &text), "0x10000K");
	for (i = 0; i < 1000; i++)
		hostile[i] = i % 255 + 1;
	typed[MMBOX_PARAM_size] = hostile;
	KUNIT_EXPECT_EQ(test, mmbox_params_read(&cfg, typed), -EINVAL);
	mmbox_param_text(&cfg, MMBOX_PARAM_size, &text);
	KUNIT_EXPECT_LT(test, strnlen(text.s, sizeof(text.s)), sizeof(text.s));
	for (p = text.s; *p; p++)
		KUNIT_EXPECT_TRUE_MSG(test, isascii(*p) && isprint(*p), "byte %d of '%s'",
				      (int)(p - text.s), text.s);
	cfg.slab_debug = hostile;
	mmbox_param_text(&cfg, MMBOX_PARAM_slab_debug, &text);
	KUNIT_EXPECT_LT(test, strnlen(text.s, sizeof(text.s)), sizeof(text.s));
	/* What is printable in Latin-1 is not so in a log. */
	for (i = 0; i < 255; i++) {
		cfg.slab_debug = hostile + i;
		mmbox_param_text(&cfg, MMBOX_PARAM_slab_debug, &text);
		for (p = text.s; *p; p++)
			KUNIT_ASSERT_TRUE_MSG(test, isascii(*p) && isprint(*p),
					      "byte %d of what begins with %d",
					      (int)(p - text.s), i + 1);
		KUNIT_EXPECT_STREQ(test, p - 3, "...");
	}
	mmbox_escape("a\xa1\n,b", 3, &text);
	KUNIT_EXPECT_STREQ(test, text.s, "a\\241\\n");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(defaults_make_a_box),
	KUNIT_CASE(numbers_within_bounds),
	KUNIT_CASE(choices_match_enums),
	KUNIT_CASE(switches_take_booleans),
	KUNIT_CASE(conflicting_values_refused),
	KUNIT_CASE(values_in_messages),
	{}
};

TEST_SUITE(params_suite, "mmbox_params", cases);
