// SPDX-License-Identifier: GPL-2.0
/*
 * Debugged caches: every mistake is found, is counted as what it is, names who
 * made it, and harms nobody else. In every layout that a slab may have.
 */
#include <linux/bitmap.h>
#include <linux/module.h>
#include <linux/poison.h>
#include <linux/seq_file.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "churn.h"
#include "faces/debugfs.h"
#include "slab/slab_private.h"
#include "box.h"

static struct mmbox *debug_box(struct kunit *test, const char *slab_debug)
{
	struct mmbox_config cfg;

	test_config(&cfg, "test", SZ_16M);
	cfg.zone_dma = SZ_4M;
	cfg.slab_debug = slab_debug;
	return test_box(test, &cfg);
}

static unsigned int constructed;

static void construct(void *objp)
{
	*(u32 *)objp = 0xc0ffee;
	constructed++;
}

/* Where a slab keeps its indices, and what of the layout there is room for. */
static const struct layout {
	const char *name;
	unsigned int size;
	slab_flags_t flags;
	void (*ctor)(void *objp);
	slab_flags_t where;	/* MMBOX_CFLGS_*, or 0: on the slab */
	slab_flags_t has;	/* with FZPU */
} layouts[] = {
	{ "in an object", 200, 0, NULL, MMBOX_CFLGS_OBJFREELIST_SLAB,
	  SLAB_RED_ZONE | SLAB_STORE_USER | SLAB_POISON },
	{ "odd size", 101, 0, NULL, MMBOX_CFLGS_OBJFREELIST_SLAB,
	  SLAB_RED_ZONE | SLAB_STORE_USER | SLAB_POISON },
	{ "on the slab", 24, 0, NULL, 0,
	  SLAB_RED_ZONE | SLAB_STORE_USER | SLAB_POISON },
	{ "one byte", 1, 0, NULL, 0,
	  SLAB_RED_ZONE | SLAB_STORE_USER | SLAB_POISON },
	{ "off the slab", 1000, 0, construct, MMBOX_CFLGS_OFF_SLAB,
	  SLAB_RED_ZONE | SLAB_STORE_USER | SLAB_POISON },
	{ "recycled under RCU", 120, SLAB_TYPESAFE_BY_RCU, NULL, 0,
	  SLAB_RED_ZONE | SLAB_STORE_USER },
	{ "aligned", 300, SLAB_HWCACHE_ALIGN, NULL, MMBOX_CFLGS_OBJFREELIST_SLAB,
	  SLAB_POISON },
	{ "large", 5000, 0, NULL, MMBOX_CFLGS_OBJFREELIST_SLAB,
	  SLAB_RED_ZONE | SLAB_STORE_USER | SLAB_POISON },
	{ "large, without room", 4096, 0, NULL, MMBOX_CFLGS_OBJFREELIST_SLAB,
	  SLAB_POISON },
};

static struct mmbox_kmem_cache *new_cache(struct kunit *test, struct mmbox *box,
					  const struct layout *l)
{
	struct mmbox_kmem_cache *cachep;

	cachep = mmbox_kmem_cache_create(box, "test", l->size, 0, l->flags, l->ctor);
	KUNIT_ASSERT_NOT_NULL_MSG(test, cachep, "no cache: %s", l->name);
	return cachep;
}

static void *alloc_one(struct kunit *test, struct mmbox_kmem_cache *cachep)
{
	void *objp = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, objp);
	return objp;
}

/* What was counted since this was asked last, and nothing else. */
static void expect_counts(struct kunit *test, struct mmbox *box, const char *name,
			  enum mmbox_bad why, long nr)
{
	int i;

	for (i = 0; i < MMBOX_NR_BAD; i++)
		KUNIT_EXPECT_EQ_MSG(test, atomic_long_xchg(&box->faces.bad[i], 0),
				    i == why ? nr : 0, "%s: counted as %s", name,
				    mmbox_bad_names[i]);
}

static void expect_found(struct kunit *test, struct mmbox *box, const char *name,
			 enum mmbox_bad why)
{
	expect_counts(test, box, name, why, 1);
}

static void expect_none(struct kunit *test, struct mmbox *box, const char *name)
{
	expect_counts(test, box, name, MMBOX_NR_BAD, 0);
}

/* The cache is as good as new: all its objects are whole, and it can go. */
static void expect_usable(struct kunit *test, struct mmbox_kmem_cache *cachep,
			  const char *name)
{
	struct mmbox *box = cachep->box;
	unsigned int nr = 2 * cachep->num + 3, i;
	void **objs = test_zalloc(test, nr * sizeof(*objs));

	for (i = 0; i < nr; i++) {
		objs[i] = alloc_one(test, cachep);
		memset(objs[i], i, cachep->object_size);
	}
	for (i = 0; i < nr; i++) {
		KUNIT_EXPECT_NULL_MSG(test, memchr_inv(objs[i], i, cachep->object_size),
				      "%s: object %u was written by another", name, i);
		mmbox_kmem_cache_free(cachep, objs[i]);
	}
	KUNIT_EXPECT_EQ_MSG(test, 0, mmbox_kmem_cache_destroy(cachep), "%s", name);
	expect_none(test, box, name);
	test_check_box(test, box);
}

/* With a new cache of each layout. */
static void on_each_layout(struct kunit *test, struct mmbox *box,
			   void (*fn)(struct kunit *test, struct mmbox_kmem_cache *cachep,
				      const struct layout *l))
{
	int i;

	for (i = 0; i < ARRAY_SIZE(layouts); i++)
		fn(test, new_cache(test, box, &layouts[i]), &layouts[i]);
}

/* The layout is that of CONFIG_DEBUG_SLAB, and using it finds nothing wrong. */
static void expect_layout(struct kunit *test, struct mmbox_kmem_cache *cachep,
			  const struct layout *l)
{
	const slab_flags_t letters = SLAB_RED_ZONE | SLAB_STORE_USER | SLAB_POISON;
	const slab_flags_t where = MMBOX_CFLGS_OBJFREELIST_SLAB | MMBOX_CFLGS_OFF_SLAB;
	unsigned int size = ALIGN(l->size, 8);

	if (l->has & SLAB_RED_ZONE)
		size += 16;
	if (l->has & SLAB_STORE_USER)
		size += 8;
	KUNIT_EXPECT_TRUE_MSG(test, (cachep->flags & letters) == l->has, "%s", l->name);
	KUNIT_EXPECT_TRUE_MSG(test, (cachep->flags & where) == l->where, "%s", l->name);
	KUNIT_EXPECT_EQ_MSG(test, cachep->size, ALIGN(size, cachep->align), "%s", l->name);
	KUNIT_EXPECT_LE_MSG(test, cachep->slab.limit, 32, "%s", l->name);
	expect_usable(test, cachep, l->name);
}

static void layout(struct kunit *test)
{
	on_each_layout(test, debug_box(test, "FZPU"), expect_layout);
}

/* kunit/reference/slab-debug-geometry.tsv: what 6.1's own arithmetic gives. */
static void geometry_row(struct kunit *test, struct mmbox *box, const char *line)
{
	unsigned int size, objsize, num, pages, limit;
	struct mmbox_kmem_cache *cachep;
	slab_flags_t flags = 0;
	char letter;
	int nr;

	nr = sscanf(line, "%u %c %u %u %u %u", &size, &letter, &objsize, &num, &pages,
		    &limit);
	KUNIT_ASSERT_EQ_MSG(test, 6, nr, "%s", line);
	flags |= letter == 'h' ? SLAB_HWCACHE_ALIGN : 0;
	flags |= letter == 'r' ? SLAB_RECLAIM_ACCOUNT : 0;
	flags |= letter == 't' ? SLAB_TYPESAFE_BY_RCU : 0;
	cachep = mmbox_kmem_cache_create(box, "test", size, 0, flags,
					 letter == 'c' ? construct : NULL);
	KUNIT_ASSERT_NOT_NULL_MSG(test, cachep, "%s", line);
	KUNIT_EXPECT_EQ_MSG(test, cachep->size, objsize, "%s", line);
	KUNIT_EXPECT_EQ_MSG(test, cachep->num, num, "%s", line);
	KUNIT_EXPECT_EQ_MSG(test, 1U << cachep->gfporder, pages, "%s", line);
	KUNIT_EXPECT_EQ_MSG(test, cachep->slab.limit, limit, "%s", line);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

static void geometry_rows(struct kunit *test)
{
	const struct mmbox_reference *ref;
	struct mmbox_config cfg;
	struct mmbox *box;
	int rows = 0;

	/* That kernel's sizes of kmalloc, from which freelists come. */
	mmbox_config_init(&cfg);
	cfg.name = "test";
	cfg.kmalloc_min = 32;
	cfg.kmalloc_max = SZ_8K;
	cfg.slab_debug = "FZPU";
	box = test_box(test, &cfg);
	for_each_reference(ref, "slab-debug-geometry") {
		const char *text = ref->text;
		char line[64];

		while (test_next_line(&text, line, sizeof(line))) {
			if (*line == '#')
				continue;
			geometry_row(test, box, line);
			rows++;
		}
	}
	KUNIT_EXPECT_GT(test, rows, 200);
}

/* Only what is asked for, where it is asked for. */
static void letters(struct kunit *test)
{
	static const struct {
		const char *text, *name;
		u8 letters;
	} cases[] = {
		{ "-", "a", 0 },
		{ "", "a", MMBOX_DEBUG_DEFAULT },
		{ "f", "a", MMBOX_DEBUG_CHECKS },
		{ "ZT", "a", MMBOX_DEBUG_RED_ZONE | MMBOX_DEBUG_TRACE },
		{ "FZ,kmalloc-64,dentry", "a", 0 },
		{ "FZ,kmalloc-64,dentry", "dentry", MMBOX_DEBUG_CHECKS | MMBOX_DEBUG_RED_ZONE },
		{ "FZ,kmalloc-64,dentry", "dentr", 0 },
		{ "FZ,kmalloc-64,dentry", "dentry2", 0 },
		{ "P,ext4*", "ext4_inode_cache", MMBOX_DEBUG_POISON },
		{ "P,ext4*", "ext3", 0 },
		{ ",a", "a", MMBOX_DEBUG_DEFAULT },
		{ ",a", "b", 0 },
		{ "F;P,a", "a", MMBOX_DEBUG_POISON },
		{ "F;P,a", "b", MMBOX_DEBUG_CHECKS },
		{ "P,a;F", "b", MMBOX_DEBUG_CHECKS },
		{ "FZPU;-,a,b", "b", 0 },
		{ "F,a;;P,b;", "b", MMBOX_DEBUG_POISON },
		{ "F;;P,b;", "a", MMBOX_DEBUG_CHECKS },
		{ ";F;", "a", MMBOX_DEBUG_CHECKS },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mmbox *box = debug_box(test, cases[i].text);
		struct mmbox_kmem_cache *cachep;

		cachep = mmbox_kmem_cache_create(box, cases[i].name, 64, 0, 0, NULL);
		KUNIT_ASSERT_NOT_NULL(test, cachep);
		KUNIT_EXPECT_EQ_MSG(test, cachep->debug, cases[i].letters,
				    "slab_debug=%s: cache %s", cases[i].text, cases[i].name);
		KUNIT_EXPECT_EQ_MSG(test, cachep->slab.idle == MMBOX_AC_DIVERTED, !!cachep->debug,
				    "slab_debug=%s: cache %s", cases[i].text, cases[i].name);
		test_box_end(test, box);
	}
}

/* A cache's own flags are as its letters, where any cache may be watched. */
static void letters_by_flags(struct kunit *test)
{
	struct mmbox *box = debug_box(test, "F,other");
	struct mmbox_kmem_cache *cachep;

	cachep = mmbox_kmem_cache_create(box, "a", 64, 0, SLAB_RED_ZONE | SLAB_POISON, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	KUNIT_EXPECT_EQ(test, cachep->debug, MMBOX_DEBUG_RED_ZONE | MMBOX_DEBUG_POISON);
	KUNIT_EXPECT_EQ(test, cachep->size, 80);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	cachep = mmbox_kmem_cache_create(box, "other", 64, 0, SLAB_STORE_USER, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	KUNIT_EXPECT_EQ(test, cachep->debug, MMBOX_DEBUG_CHECKS | MMBOX_DEBUG_USER);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	test_box_end(test, box);
}

static void bad_letters(struct kunit *test)
{
	static const char *const bad[] = { "X", "FZQ", "F Z", "F;x,a", "FZPU;FA", ";", ";;;" };
	char *text = test_zalloc(test, MMBOX_SLAB_DEBUG_LEN + 1);
	struct mmbox_config cfg;
	int i;

	mmbox_config_init(&cfg);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		cfg.slab_debug = bad[i];
		KUNIT_EXPECT_EQ_MSG(test, mmbox_config_check(&cfg), -EINVAL, "slab_debug=%s",
				    bad[i]);
	}
	memset(text, 'F', MMBOX_SLAB_DEBUG_LEN);
	cfg.slab_debug = text;
	KUNIT_EXPECT_EQ(test, mmbox_config_check(&cfg), -EINVAL);
	text[MMBOX_SLAB_DEBUG_LEN - 1] = 0;
	KUNIT_EXPECT_EQ(test, mmbox_config_check(&cfg), 0);
}

/* Bytes there are behind an object that are not the next one's. */
static unsigned int room_behind(const struct mmbox_kmem_cache *cachep)
{
	return cachep->size - cachep->obj_offset - cachep->object_size -
	       (cachep->flags & SLAB_STORE_USER ? 8 : 0);
}

/* One byte, the last byte, all of it: found when the object is freed. */
static void overflow_one(struct kunit *test, struct mmbox_kmem_cache *cachep,
			 const struct layout *l)
{
	struct mmbox *box = cachep->box;
	unsigned int room = room_behind(cachep);
	int how;

	for (how = 0; room && how < 3; how++) {
		u8 *objp = alloc_one(test, cachep);
		u8 *end = objp + l->size;

		memset(objp, 0x11, l->size);
		if (how == 0)
			*end ^= 0xff;
		else if (how == 1)
			end[room - 1] ^= 0xff;
		else
			memset(end, 0x41, room);
		mmbox_kmem_cache_free(cachep, objp);
		expect_found(test, box, l->name, MMBOX_BAD_OVERFLOW);
	}
	KUNIT_EXPECT_TRUE_MSG(test, room || !(l->has & SLAB_RED_ZONE), "%s", l->name);
	expect_usable(test, cachep, l->name);
}

static void overflow(struct kunit *test)
{
	on_each_layout(test, debug_box(test, "FZPU"), overflow_one);
}

/* Before an object, and past a whole slot: the next one's red zone tells. */
static void underflow_one(struct kunit *test, struct mmbox_kmem_cache *cachep,
			  const struct layout *l)
{
	struct mmbox *box = cachep->box;
	u8 *objp = alloc_one(test, cachep);

	if (l->has & SLAB_RED_ZONE) {
		objp[-1] ^= 1;
		mmbox_kmem_cache_free(cachep, objp);
		expect_found(test, box, l->name, MMBOX_BAD_OVERFLOW);
		objp = alloc_one(test, cachep);
		objp[-8] ^= 0x80;
	}
	mmbox_kfree(box, objp);
	expect_counts(test, box, l->name, MMBOX_BAD_OVERFLOW, !!(l->has & SLAB_RED_ZONE));
	expect_usable(test, cachep, l->name);
}

static void underflow(struct kunit *test)
{
	on_each_layout(test, debug_box(test, "FZPU"), underflow_one);
}

/* Written to while it is in an array: found when it is next allocated. */
static void use_after_free_one(struct kunit *test, struct mmbox_kmem_cache *cachep,
			       const struct layout *l)
{
	struct mmbox *box = cachep->box;
	int how;

	for (how = 0; how < 4; how++) {
		u8 *objp = alloc_one(test, cachep);
		enum mmbox_bad why = MMBOX_BAD_USE_AFTER_FREE;

		mmbox_kmem_cache_free(cachep, objp);
		if (how == 0)
			objp[0] ^= 1;
		else if (how == 1)
			objp[l->size - 1] ^= 1;
		else if (how == 2)
			memset(objp, 0, l->size);
		else if (!room_behind(cachep))
			continue;
		else
			objp[l->size] ^= 1;
		if (how == 3)
			why = MMBOX_BAD_OVERFLOW;
		KUNIT_EXPECT_PTR_EQ_MSG(test, objp, alloc_one(test, cachep), "%s", l->name);
		expect_counts(test, box, l->name, why,
			      why == MMBOX_BAD_OVERFLOW || l->has & SLAB_POISON);
		mmbox_kmem_cache_free(cachep, objp);
	}
	expect_usable(test, cachep, l->name);
}

static void use_after_free(struct kunit *test)
{
	test_pin(test, 0);
	on_each_layout(test, debug_box(test, "FZPU"), use_after_free_one);
}

/* Written to while its slab goes: found then, at the latest. */
static void use_after_free_at_end_one(struct kunit *test, struct mmbox_kmem_cache *cachep,
				      const struct layout *l)
{
	struct mmbox *box = cachep->box;
	u8 *first = alloc_one(test, cachep), *objp = alloc_one(test, cachep);
	unsigned int num = cachep->num;

	/* The one put back first has the freelist in it, so not that. */
	mmbox_kmem_cache_free(cachep, first);
	mmbox_kmem_cache_free(cachep, objp);
	objp[l->size / 2] ^= 1;
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	expect_counts(test, box, l->name, MMBOX_BAD_USE_AFTER_FREE,
		      l->has & SLAB_POISON && num > 1);
}

static void use_after_free_at_the_end(struct kunit *test)
{
	on_each_layout(test, debug_box(test, "P"), use_after_free_at_end_one);
}

/* Whatever it is that was found, and nothing of it is left for the next test. */
static long nr_found(struct mmbox *box)
{
	long nr = 0;
	int i;

	for (i = 0; i < MMBOX_NR_BAD; i++)
		nr += atomic_long_xchg(&box->faces.bad[i], 0);
	return nr;
}

/* At once, after others, in bulk, from the slab, by the other function. */
static void double_free_one(struct kunit *test, struct mmbox_kmem_cache *cachep,
			    const struct layout *l)
{
	struct mmbox *box = cachep->box;
	void *objs[3], *twice[3];

	KUNIT_ASSERT_EQ(test, 3, mmbox_kmem_cache_alloc_bulk(cachep, GFP_KERNEL, 3, objs));
	mmbox_kmem_cache_free(cachep, objs[0]);
	mmbox_kmem_cache_free(cachep, objs[0]);
	expect_found(test, box, l->name, MMBOX_BAD_DOUBLE);
	twice[0] = objs[0];
	twice[1] = objs[1];
	twice[2] = objs[1];
	mmbox_kmem_cache_free_bulk(cachep, 3, twice);
	expect_counts(test, box, l->name, MMBOX_BAD_DOUBLE, 2);
	/* Its slab may go here, if it has no room for three. */
	mmbox_kmem_cache_shrink(cachep);
	mmbox_kfree(box, objs[1]);
	KUNIT_EXPECT_EQ_MSG(test, 1, nr_found(box), "%s", l->name);
	mmbox_kmem_cache_free(cachep, objs[2]);
	expect_usable(test, cachep, l->name);
}

static void double_free(struct kunit *test)
{
	static const char *const how[] = { "F", "FZPU", "U" };
	int i;

	for (i = 0; i < ARRAY_SIZE(how); i++) {
		struct mmbox *box = debug_box(test, how[i]);

		on_each_layout(test, box, double_free_one);
		test_box_end(test, box);
	}
}

/* To another cache, debugged or not, and not the start of an object. */
static void wrong_free(struct kunit *test)
{
	struct mmbox *box = debug_box(test, "FZPU;-,plain");
	struct mmbox_kmem_cache *plain, *other;
	void *ours;
	int i;

	plain = mmbox_kmem_cache_create(box, "plain", 200, 0, 0, NULL);
	other = mmbox_kmem_cache_create(box, "other", 200, 0, 0, NULL);
	KUNIT_ASSERT_TRUE(test, plain && other);
	KUNIT_EXPECT_EQ(test, 0, plain->debug);
	ours = alloc_one(test, plain);
	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		const struct layout *l = &layouts[i];
		struct mmbox_kmem_cache *cachep = new_cache(test, box, l);
		void *objp = alloc_one(test, cachep);

		mmbox_kmem_cache_free(other, objp);
		expect_found(test, box, l->name, MMBOX_BAD_CACHE);
		mmbox_kmem_cache_free(plain, objp);
		expect_found(test, box, l->name, MMBOX_BAD_CACHE);
		mmbox_kmem_cache_free(cachep, ours);
		expect_found(test, box, l->name, MMBOX_BAD_CACHE);
		mmbox_kmem_cache_free(cachep, test);
		expect_found(test, box, l->name, MMBOX_BAD_FOREIGN);
		mmbox_kmem_cache_free(cachep, objp + 1);
		expect_found(test, box, l->name, MMBOX_BAD_OBJECT);
		mmbox_kfree(box, objp + 1);
		expect_found(test, box, l->name, MMBOX_BAD_OBJECT);
		mmbox_kfree(box, objp);
		expect_usable(test, cachep, l->name);
	}
	mmbox_kmem_cache_free(plain, ours);
	expect_none(test, box, "plain");
}

/*
 * The freelist is overwritten, wherever it lies: whatever is in it, nobody gets
 * what somebody else has.
 */
static void freelist(struct kunit *test)
{
	static const u8 rubbish[] = { 0x00, 0x01, 0x07, 0xff };
	struct mmbox *box = debug_box(test, "F");
	int i, j;

	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		const struct layout *l = &layouts[i];

		for (j = 0; j < ARRAY_SIZE(rubbish); j++) {
			struct mmbox_kmem_cache *cachep = new_cache(test, box, l);
			void *a = alloc_one(test, cachep), *b = alloc_one(test, cachep);
			struct mmbox_page *slab;
			unsigned int nr;

			mmbox_kmem_cache_free(cachep, b);
			mmbox_kmem_cache_shrink(cachep);
			slab = mmbox_virt_to_slab(cachep, a);
			nr = slab->active < cachep->num ? cachep->slab.freelist_size : 0;
			if (nr)
				memset(mmbox_slab_freelist(cachep, slab), rubbish[j], nr);
			b = alloc_one(test, cachep);
			KUNIT_EXPECT_PTR_NE_MSG(test, a, b, "%s", l->name);
			memset(a, 1, l->size);
			memset(b, 2, l->size);
			KUNIT_EXPECT_NULL_MSG(test, memchr_inv(a, 1, l->size), "%s", l->name);
			/* One index, repeated, is right if but one is free. */
			if (nr && (rubbish[j] >= cachep->num || cachep->num > 2))
				expect_found(test, box, l->name, MMBOX_BAD_FREELIST);
			else
				nr_found(box);
			mmbox_kmem_cache_free(cachep, a);
			mmbox_kmem_cache_free(cachep, b);
			expect_usable(test, cachep, l->name);
		}
	}
}

/* An array of which somebody has made something else. */
static void bad_array(struct kunit *test)
{
	struct mmbox *box = debug_box(test, "F");
	struct mmbox_kmem_cache *cachep = new_cache(test, box, &layouts[0]);
	struct mmbox_array_cache *ac;
	void *a, *b, *c;

	test_pin(test, 0);
	a = alloc_one(test, cachep);
	ac = per_cpu_ptr(cachep->cpu_cache, test_nth_cpu(0));
	KUNIT_ASSERT_GT(test, ac->avail, 3);
	b = ac->entry[ac->avail - 1];
	c = ac->entry[ac->avail - 2];
	ac->entry[ac->avail - 1] = a;
	KUNIT_EXPECT_PTR_EQ(test, c, alloc_one(test, cachep));
	expect_found(test, box, "an object in use", MMBOX_BAD_FREELIST);
	ac->entry[ac->avail - 1] = b;
	KUNIT_EXPECT_PTR_EQ(test, b, alloc_one(test, cachep));
	ac->entry[ac->avail++] = test;
	KUNIT_EXPECT_NOT_NULL(test, alloc_one(test, cachep));
	expect_found(test, box, "a foreign address", MMBOX_BAD_FREELIST);
}

/* zalloc clears the object and no more; the constructor runs when it must. */
static void expect_contents(struct kunit *test, struct mmbox_kmem_cache *cachep,
			    const struct layout *l)
{
	void *objs[4];
	int i;

	constructed = 0;
	if (!l->ctor) {
		objs[0] = mmbox_kmem_cache_zalloc(cachep, GFP_KERNEL);
		KUNIT_EXPECT_NULL_MSG(test, memchr_inv(objs[0], 0, l->size), "%s", l->name);
		mmbox_kmem_cache_free(cachep, objs[0]);
		mmbox_kmem_cache_alloc_bulk(cachep, GFP_KERNEL | __GFP_ZERO, 4, objs);
	} else {
		mmbox_kmem_cache_alloc_bulk(cachep, GFP_KERNEL, 4, objs);
		KUNIT_EXPECT_EQ_MSG(test, constructed,
				    cachep->flags & SLAB_POISON ? 4 : cachep->num,
				    "%s", l->name);
	}
	for (i = 0; i < 4; i++) {
		if (l->ctor)
			KUNIT_EXPECT_EQ(test, *(u32 *)objs[i], 0xc0ffee);
		else
			KUNIT_EXPECT_NULL_MSG(test, memchr_inv(objs[i], 0, l->size),
					      "%s", l->name);
	}
	mmbox_kmem_cache_free_bulk(cachep, 4, objs);
	expect_usable(test, cachep, l->name);
}

static void contents(struct kunit *test)
{
	static const char *const how[] = { "Z", "P", "FZPU" };
	int i;

	for (i = 0; i < ARRAY_SIZE(how); i++) {
		struct mmbox *box = debug_box(test, how[i]);

		on_each_layout(test, box, expect_contents);
		test_box_end(test, box);
	}
}

static void poison(struct kunit *test)
{
	struct mmbox *box = debug_box(test, "P,test");
	struct mmbox_kmem_cache *cachep = new_cache(test, box, &layouts[0]);
	u8 *objp = alloc_one(test, cachep);
	unsigned int last = layouts[0].size - 1;

	KUNIT_EXPECT_NULL(test, memchr_inv(objp, POISON_INUSE, last));
	KUNIT_EXPECT_EQ(test, objp[last], POISON_END);
	mmbox_kmem_cache_free(cachep, objp);
	KUNIT_EXPECT_NULL(test, memchr_inv(objp, POISON_FREE, last));
	KUNIT_EXPECT_EQ(test, objp[last], POISON_END);
}

/* Is an address within this function, or one that it calls, in the stack? */
static bool tells_this_module(const struct mmbox_track *track)
{
	unsigned long *entries;
	unsigned int nr, i;

	if (!within_module(track->caller, THIS_MODULE))
		return false;
	nr = mmbox_stack_depot_fetch(track->stack, &entries);
	for (i = 0; i < nr; i++)
		if (within_module(entries[i], THIS_MODULE))
			return true;
	return false;
}

/* Whose it is, and whose it was. */
static void owners(struct kunit *test)
{
	struct mmbox *box = debug_box(test, "U");
	unsigned long entry;
	int i;

	if (!mmbox_stack_trace_save(&entry, 1, 0))
		kunit_skip(test, "this kernel saves no stacks");
	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		struct mmbox_kmem_cache *cachep = new_cache(test, box, &layouts[i]);
		void *objp = alloc_one(test, cachep);
		struct mmbox_track *tracks;
		struct mmbox_page *slab;
		unsigned int idx;

		slab = mmbox_slab_of_object(cachep, objp - cachep->obj_offset, &idx);
		KUNIT_ASSERT_NOT_NULL(test, slab);
		tracks = mmbox_slab_shadow(box, slab)->tracks[idx];
		KUNIT_EXPECT_TRUE(test, tells_this_module(&tracks[MMBOX_TRACK_ALLOC]));
		KUNIT_EXPECT_EQ(test, tracks[MMBOX_TRACK_ALLOC].pid, current->pid);
		KUNIT_EXPECT_EQ(test, 0, tracks[MMBOX_TRACK_FREE].caller);
		if (cachep->flags & SLAB_STORE_USER)
			KUNIT_EXPECT_EQ(test, tracks[MMBOX_TRACK_ALLOC].caller,
					*(unsigned long *)(objp - cachep->obj_offset +
							   cachep->size - 8));
		mmbox_kmem_cache_free(cachep, objp);
		KUNIT_EXPECT_TRUE(test, tells_this_module(&tracks[MMBOX_TRACK_FREE]));
	}
	expect_none(test, box, "U");
}

/* Without a stack depot there is still the caller. */
static void owners_without_depot(struct kunit *test)
{
	struct mmbox *box = debug_box(test, "U");
	struct mmbox_kmem_cache *cachep = new_cache(test, box, &layouts[0]);
	struct mmbox_track *tracks;
	struct mmbox_page *slab;
	unsigned int idx;
	void *objp;

	box->slab.debug.depot = false;
	objp = alloc_one(test, cachep);
	slab = mmbox_slab_of_object(cachep, objp - cachep->obj_offset, &idx);
	KUNIT_ASSERT_NOT_NULL(test, slab);
	tracks = mmbox_slab_shadow(box, slab)->tracks[idx];
	KUNIT_EXPECT_EQ(test, 0, tracks[MMBOX_TRACK_ALLOC].stack);
	KUNIT_EXPECT_NE(test, 0, tracks[MMBOX_TRACK_ALLOC].caller);
	mmbox_kmem_cache_free(cachep, objp);
	KUNIT_EXPECT_NE(test, 0, tracks[MMBOX_TRACK_FREE].caller);
}

/* ---- leaks, verify, whatis ---- */

#define TEXT_SIZE	SZ_64K

static const struct mmbox_face *face_of(struct kunit *test, const char *name)
{
	const struct mmbox_face *face = mmbox_debug_faces;

	while (face->name && strcmp(face->name, name))
		face++;
	KUNIT_ASSERT_NOT_NULL_MSG(test, face->name, "no file %s", name);
	return face;
}

/* What somebody reads from the file, until it is read again. */
static const char *read_face(struct kunit *test, struct mmbox *box, const char *name)
{
	static struct seq_file m;

	memset(&m, 0, sizeof(m));
	m.size = TEXT_SIZE;
	m.buf = test_zalloc(test, TEXT_SIZE);
	face_of(test, name)->show(&m, box, 0);
	KUNIT_ASSERT_FALSE_MSG(test, seq_has_overflowed(&m), "%s is too long", name);
	m.buf[m.count] = 0;
	return m.buf;
}

static int write_face(struct kunit *test, struct mmbox *box, const char *name,
		      const char *text)
{
	char copy[128];

	strscpy(copy, text, sizeof(copy));
	return face_of(test, name)->write(box, 0, copy);
}

static __printf(3, 4)
void expect_line(struct kunit *test, const char *text, const char *fmt, ...)
{
	char line[128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, line), "no `%s' in\n%s", line, text);
}

static noinline void *one_place(struct mmbox_kmem_cache *cachep)
{
	void *objp = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(objp);
	return objp;
}

static noinline void *another_place(struct mmbox_kmem_cache *cachep)
{
	void *objp = mmbox_kmem_cache_zalloc(cachep, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(objp);
	return objp;
}

static void leaks(struct kunit *test)
{
	struct mmbox *box = debug_box(test, "U");
	struct mmbox_kmem_cache *cachep = new_cache(test, box, &layouts[0]);
	void *objs[10];
	const char *text;
	int i;

	KUNIT_EXPECT_EQ(test, 0, write_face(test, box, "leaks", "clear"));
	KUNIT_EXPECT_STREQ(test, read_face(test, box, "leaks"), "places: 0\n");
	for (i = 0; i < 10; i++)
		objs[i] = i < 7 ? one_place(cachep) : another_place(cachep);
	mmbox_kmem_cache_free(cachep, objs[0]);
	text = read_face(test, box, "leaks");
	if (box->slab.debug.depot && strstr(text, "one_place")) {
		expect_line(test, text, "6 objects, %u bytes of cache test, by ",
			    6 * cachep->size);
		expect_line(test, text, "3 objects, %u bytes of cache test, by ",
			    3 * cachep->size);
		expect_line(test, text, "another_place");
		expect_line(test, text, "\nplaces: 2\n");
	} else {
		expect_line(test, text, "of cache test, by ");
	}
	KUNIT_EXPECT_EQ(test, -EINVAL, write_face(test, box, "leaks", "clean"));
	KUNIT_EXPECT_EQ(test, 0, write_face(test, box, "leaks", "clear"));
	KUNIT_EXPECT_STREQ(test, read_face(test, box, "leaks"), "places: 0\n");
	mmbox_kmem_cache_free(cachep, objs[1]);
	KUNIT_EXPECT_PTR_EQ(test, objs[1], one_place(cachep));
	expect_line(test, read_face(test, box, "leaks"), "1 object, ");
}

static void leaks_of_nobody(struct kunit *test)
{
	struct mmbox *box = debug_box(test, "F,test");
	struct mmbox_kmem_cache *cachep = new_cache(test, box, &layouts[0]);

	one_place(cachep);
	another_place(cachep);
	KUNIT_EXPECT_STREQ(test, read_face(test, box, "leaks"),
			   "2 objects, 400 bytes of cache test\nplaces: 1\n");
	box = test_small_box(test);
	expect_line(test, read_face(test, box, "leaks"), "slab_debug=U");
}

/* Each thing that can be wrong is a problem, and nothing else is. */
static void verify(struct kunit *test)
{
	static const char *const how[] = { "-", "FZPU" };
	struct mmbox_kmem_cache *cachep;
	struct mmbox_verify sums;
	struct mmbox_page *slab;
	struct mmbox *box;
	void *objs[10], *page, *foreign = test;
	struct mmbox_array_cache *ac;
	u8 *p, index = 0xff;
	int i, j;

	test_pin(test, 0);
	for (j = 0; j < ARRAY_SIZE(how); j++) {
		box = debug_box(test, how[j]);
		cachep = new_cache(test, box, &layouts[0]);
		for (i = 0; i < 10; i++)
			objs[i] = alloc_one(test, cachep);
		page = (void *)__mmbox_get_free_page(box, GFP_KERNEL);
		mmbox_kmem_cache_free(cachep, objs[0]);

		KUNIT_ASSERT_EQ(test, 0, mmbox_verify(box, NULL, &sums));
		KUNIT_EXPECT_EQ(test, 0, sums.problems);
		KUNIT_EXPECT_GT(test, sums.caches, 10);
		KUNIT_EXPECT_GE(test, sums.objects, 10);
		KUNIT_EXPECT_EQ(test, sums.pages, SZ_16M / PAGE_SIZE);

		slab = mmbox_virt_to_slab(cachep, objs[9]);
		KUNIT_ASSERT_GT(test, slab->active, 0);
		cachep->slab.node[0]->free_objects++;
		mmbox_verify(box, NULL, &sums);
		KUNIT_EXPECT_EQ(test, 1, sums.problems);
		cachep->slab.node[0]->free_objects--;

		mmbox_virt_to_page(box, page)->type = MMBOX_PAGE_TAIL;
		mmbox_verify(box, NULL, &sums);
		KUNIT_EXPECT_GE(test, sums.problems, 1);
		mmbox_virt_to_page(box, page)->type = MMBOX_PAGE_ALLOCATED;

		/* An index that is there twice, or that there cannot be. */
		p = mmbox_slab_freelist(cachep, slab);
		KUNIT_ASSERT_LT(test, slab->active, cachep->num);
		swap(p[slab->active], index);
		mmbox_verify(box, NULL, &sums);
		KUNIT_EXPECT_EQ(test, 1, sums.problems);
		swap(p[slab->active], index);

		/* An array that holds what its user has. */
		ac = per_cpu_ptr(cachep->cpu_cache, test_nth_cpu(0));
		swap(ac->entry[0], objs[1]);
		mmbox_verify(box, NULL, &sums);
		KUNIT_EXPECT_EQ(test, 1, sums.problems);
		swap(ac->entry[0], objs[1]);
		swap(ac->entry[0], foreign);
		mmbox_verify(box, NULL, &sums);
		KUNIT_EXPECT_EQ(test, 1, sums.problems);
		swap(ac->entry[0], foreign);

		if (cachep->debug) {
			((u8 *)objs[1])[200] ^= 1;
			((u8 *)objs[0])[100] ^= 1;
			mmbox_verify(box, NULL, &sums);
			KUNIT_EXPECT_EQ(test, 2, sums.problems);
			((u8 *)objs[1])[200] ^= 1;
			((u8 *)objs[0])[100] ^= 1;
		}
		mmbox_verify(box, NULL, &sums);
		KUNIT_EXPECT_EQ(test, 0, sums.problems);
		mmbox_free_page(box, (unsigned long)page);
		for (i = 1; i < 10; i++)
			mmbox_kmem_cache_free(cachep, objs[i]);
		test_box_end(test, box);
	}
}

#define NR_SPREAD	3000		/* objects, of many slabs */
#define MOST_AT_ONCE	64		/* slabs that a walk may show with interrupts off */

/* A cache of many slabs, full, partial and free ones. What is held is in @objs. */
static struct mmbox_kmem_cache *spread_cache(struct kunit *test, struct mmbox *box, void **objs)
{
	struct mmbox_kmem_cache *cachep;
	unsigned int i;

	cachep = mmbox_kmem_cache_create(box, "spread", 1000, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	/* Each free and each allocation is of a slab. */
	KUNIT_ASSERT_EQ(test, 0, test_tune(cachep, 1, 1, 0));
	for (i = 0; i < NR_SPREAD; i++) {
		objs[i] = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
	}
	for (i = 0; i < NR_SPREAD / 2; i += 3) {
		mmbox_kmem_cache_free(cachep, objs[i]);
		objs[i] = NULL;
	}
	KUNIT_ASSERT_GT(test, cachep->slab.node[0]->total_slabs, 10 * MOST_AT_ONCE);
	return cachep;
}

struct walk_looks {
	unsigned long nr;		/* slabs shown */
	unsigned long nr_yielded;	/* of these, after the CPU was given away */
};

/* Somebody needs the CPU whenever a slab is shown. */
static bool look_at_slab(void *arg, struct mmbox_page *slab, const struct mmbox_slab_list *list)
{
	struct walk_looks *looks = arg;

	looks->nr++;
	looks->nr_yielded += !test_tsk_need_resched(current);
	set_tsk_need_resched(current);
	set_preempt_need_resched();
	return true;
}

/* However many slabs there are: interrupts come after each few, and other tasks run. */
static void verify_many_slabs(struct kunit *test)
{
	void **objs = test_zalloc(test, NR_SPREAD * sizeof(*objs));
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = spread_cache(test, box, objs);
	struct mmbox_kmem_cache_node *n = cachep->slab.node[0];
	static const struct mmbox_slab_walker walker = { .slab = look_at_slab };
	struct walk_looks looks = {};
	struct mmbox_verify sums;
	unsigned int i;

	mutex_lock(&box->slab.mutex);
	mmbox_slab_ops(cachep)->walk(cachep, &walker, &looks);
	mutex_unlock(&box->slab.mutex);
	KUNIT_EXPECT_EQ(test, looks.nr, n->total_slabs);
	KUNIT_EXPECT_GE(test, looks.nr_yielded, looks.nr / MOST_AT_ONCE);
	KUNIT_ASSERT_EQ(test, 0, mmbox_verify(box, NULL, &sums));
	KUNIT_EXPECT_EQ(test, sums.problems, 0);
	KUNIT_EXPECT_EQ(test, sums.unsettled, 0);
	KUNIT_EXPECT_GE(test, sums.slabs, n->total_slabs);
	KUNIT_EXPECT_NULL(test, n->walk);
	n->total_slabs++;
	mmbox_verify(box, NULL, &sums);
	KUNIT_EXPECT_EQ(test, sums.problems, 1);
	n->total_slabs--;
	n->free_objects--;
	mmbox_verify(box, NULL, &sums);
	KUNIT_EXPECT_EQ(test, sums.problems, 1);
	n->free_objects++;
	for (i = 0; i < NR_SPREAD; i++)
		if (objs[i])
			mmbox_kmem_cache_free(cachep, objs[i]);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

struct mover {
	struct mmbox_kmem_cache *cachep;
	void **objs;
	unsigned long nr;		/* frees and allocations so far */
	bool stop;
	u32 seed;
};

/* Slabs go from list to list all the time. */
static void move_slabs(void *arg)
{
	struct mover *mover = arg;

	while (!READ_ONCE(mover->stop)) {
		void **objp = &mover->objs[test_random(&mover->seed) % NR_SPREAD];

		if (*objp) {
			mmbox_kmem_cache_free(mover->cachep, *objp);
			*objp = NULL;
		} else {
			*objp = mmbox_kmem_cache_alloc(mover->cachep, GFP_KERNEL | __GFP_NOWARN);
		}
		WRITE_ONCE(mover->nr, mover->nr + 1);
		if (mover->nr % 64 == 0)
			cond_resched();
	}
}

/* The walk ends, sees no problem where there is none, and says what it left out. */
static void verify_slabs_in_use(struct kunit *test)
{
	struct mover mover = { .objs = test_zalloc(test, NR_SPREAD * sizeof(void *)) };
	struct mmbox *box = test_small_box(test);
	unsigned long problems = 0, unsettled = 0;
	struct mmbox_verify sums;
	struct test_thread *thread;
	unsigned int rounds, i;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	test_pin(test, 0);
	mover.cachep = spread_cache(test, box, mover.objs);
	thread = test_thread_start(test, 1, move_slabs, &mover);
	while (!READ_ONCE(mover.nr))
		cond_resched();
	for (rounds = 0; rounds < 1000 && (rounds < 4 || unsettled < 2); rounds++) {
		mmbox_verify(box, NULL, &sums);
		problems += sums.problems;
		unsettled += sums.unsettled;
	}
	WRITE_ONCE(mover.stop, true);
	test_thread_wait(thread);
	kunit_info(test, "%u walks, %lu unsettled, %lu steps", rounds, unsettled, mover.nr);
	KUNIT_EXPECT_EQ(test, problems, 0);
	KUNIT_EXPECT_GE_MSG(test, unsettled, 2, "no slab moved between two looks");
	mmbox_verify(box, NULL, &sums);
	KUNIT_EXPECT_EQ(test, sums.problems, 0);
	KUNIT_EXPECT_EQ(test, sums.unsettled, 0);
	for (i = 0; i < NR_SPREAD; i++)
		if (mover.objs[i])
			mmbox_kmem_cache_free(mover.cachep, mover.objs[i]);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(mover.cachep));
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

/* What lies at an address, whoever's it is. */
static void whatis(struct kunit *test)
{
	static const char *const how[] = { "-", "FZPU" };
	int i, j;

	test_pin(test, 0);
	for (j = 0; j < ARRAY_SIZE(how); j++) {
		struct mmbox *box = debug_box(test, how[j]);
		struct mmbox_kmem_cache *cachep;
		void *objp, *other, *pages;
		char addr[24];

#define WHATIS(a) ({							\
	snprintf(addr, sizeof(addr), "%lx", (unsigned long)(a));	\
	KUNIT_EXPECT_EQ(test, 0, write_face(test, box, "whatis", addr));	\
	read_face(test, box, "whatis"); })

		expect_line(test, read_face(test, box, "whatis"), "write an address");
		for (i = 0; i < 2; i++) {
			cachep = new_cache(test, box, &layouts[i]);
			objp = alloc_one(test, cachep);
			other = alloc_one(test, cachep);
			expect_line(test, WHATIS(objp + 5), "cache: test\n");
			expect_line(test, WHATIS(objp + 5), "5 bytes from its start");
			expect_line(test, WHATIS(objp + 5), "page: slab");
			expect_line(test, WHATIS(objp + 5), "state: in use\n");
			expect_line(test, WHATIS(mmbox_virt_to_phys(box, objp)),
				    "0 bytes from its start");
			if (cachep->debug)
				expect_line(test, WHATIS(objp), "allocated: by ");
			mmbox_kmem_cache_free(cachep, objp);
			expect_line(test, WHATIS(objp), "state: free, in the array of CPU %u\n",
				    test_nth_cpu(0));
			if (cachep->debug)
				expect_line(test, WHATIS(objp), "freed: by ");
			mmbox_kmem_cache_shrink(cachep);
			expect_line(test, WHATIS(objp), "state: free, in its slab\n");
			mmbox_kmem_cache_free(cachep, other);
			KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
			expect_line(test, WHATIS(objp), "page: free");
		}
		pages = (void *)__mmbox_get_free_pages(box, GFP_KERNEL, 3);
		expect_line(test, WHATIS(pages + 5 * PAGE_SIZE),
			    "page: allocated as pages, order 3, the first of them is pfn %lu\n",
			    mmbox_page_to_pfn(box, mmbox_virt_to_page(box, pages)));
		mmbox_free_pages(box, (unsigned long)pages, 3);
		pages = mmbox_kmalloc(box, SZ_256K, GFP_KERNEL);
		expect_line(test, WHATIS(pages), "page: allocated by kmalloc, order 6");
		mmbox_kfree(box, pages);
		expect_line(test, WHATIS(test), "page: none");
		expect_line(test, WHATIS(box->memmap.map), "page: reserved");
		expect_line(test, WHATIS(SZ_16M), "page: none");
		KUNIT_EXPECT_EQ(test, -EINVAL, write_face(test, box, "whatis", "here"));
		test_box_end(test, box);
#undef WHATIS
	}
}

/* One of each layout; their contents are the test's own. */
static void make_caches(struct kunit *test, struct mmbox *box,
			struct mmbox_kmem_cache **caches)
{
	int i;

	BUILD_BUG_ON(ARRAY_SIZE(layouts) > CHURN_MAX_CACHES);
	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		caches[i] = new_cache(test, box, &layouts[i]);
		caches[i]->ctor = NULL;
	}
}

static void use_all_calls(struct churn *churn)
{
	churn->kmalloc_classes = 10;
	churn->max_order = 2;
}

/* Users who make no mistake see no difference, nor is any found. */
static void random_use(struct kunit *test)
{
	struct mmbox_kmem_cache *caches[ARRAY_SIZE(layouts)];
	struct mmbox *box = debug_box(test, "FZPU");
	struct churn *churn = churn_new(test, box, GFP_KERNEL, 1000, 1);

	make_caches(test, box, caches);
	churn_use_caches(churn, caches, ARRAY_SIZE(caches));
	use_all_calls(churn);
	churn_run(churn);
	churn_expect_good(test, churn);
	churn->gfp |= __GFP_ZERO;
	churn_run(churn);
	churn_expect_good(test, churn);
	churn_free_all(churn);
	expect_none(test, box, "random use");
}

/* The same on two CPUs, and from interrupts on both. */
static void storm(struct kunit *test)
{
	struct mmbox_kmem_cache *caches[ARRAY_SIZE(layouts)];
	struct mmbox *box = debug_box(test, "FZPU");
	struct storm *storm = storm_new(test, box, 0, 200, 40);
	unsigned int i;

	make_caches(test, box, caches);
	for (i = 0; i < storm->nr_cpus; i++) {
		churn_use_caches(storm->cpu[i].thread, caches, ARRAY_SIZE(caches));
		churn_use_caches(storm->cpu[i].interrupt, caches, ARRAY_SIZE(caches));
	}
	use_all_calls(storm->cpu[0].thread);
	storm_start(test, storm);
	storm_expect_good(test, storm);
	expect_none(test, box, "storm");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(layout),
	KUNIT_CASE(geometry_rows),
	KUNIT_CASE(letters),
	KUNIT_CASE(letters_by_flags),
	KUNIT_CASE(bad_letters),
	KUNIT_CASE(overflow),
	KUNIT_CASE(underflow),
	KUNIT_CASE(use_after_free),
	KUNIT_CASE(use_after_free_at_the_end),
	KUNIT_CASE(double_free),
	KUNIT_CASE(wrong_free),
	KUNIT_CASE(freelist),
	KUNIT_CASE(bad_array),
	KUNIT_CASE(contents),
	KUNIT_CASE(poison),
	KUNIT_CASE(owners),
	KUNIT_CASE(owners_without_depot),
	KUNIT_CASE(leaks),
	KUNIT_CASE(leaks_of_nobody),
	KUNIT_CASE(verify),
	KUNIT_CASE(verify_many_slabs),
	KUNIT_CASE(verify_slabs_in_use),
	KUNIT_CASE(whatis),
	KUNIT_CASE(random_use),
	KUNIT_CASE(storm),
	{}
};

struct kunit_suite slab_debug_suite = {
	.name = "mmbox_slab_debug",
	.init = test_init,
	.exit = test_exit,
	.test_cases = cases,
};
