// SPDX-License-Identifier: GPL-2.0
/*
 * Watched caches (slab_debug=), in every layout of a slab: each mistake is found, counted
 * under the right name, and does no harm to other objects. Owners are recorded.
 */
#include <linux/module.h>
#include <linux/poison.h>
#include <linux/string.h>

#include "churn.h"
#include "slab/slab_private.h"

static unsigned int constructed;

static void construct(void *objp)
{
	*(u32 *)objp = 0xc0ffee;
	constructed++;
}

/* Where a slab keeps its freelist, and which letters its objects have room for. */
static const struct layout {
	const char *name;
	unsigned int size;
	slab_flags_t flags;
	void (*ctor)(void *objp);
	slab_flags_t where;	/* of the freelist: MMBOX_CFLGS_*, 0: on the slab */
	slab_flags_t has;	/* flags that FZPU sets */
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

/* Since the last call @nr mistakes were counted under @why, and no others. */
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

/* The cache works as before the mistake: objects do not overlap, and it can be destroyed. */
static void expect_usable(struct kunit *test, struct mmbox_kmem_cache *cachep,
			  const char *name)
{
	struct mmbox *box = cachep->box;
	unsigned int nr = 2 * cachep->num + 3, i;
	void **objs = test_zalloc(test, nr * sizeof(*objs));

	for (i = 0; i < nr; i++) {
		objs[i] = test_alloc_one(test, cachep);
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

/* Call @fn with a new cache of each layout. */
static void on_each_layout(struct kunit *test, struct mmbox *box,
			   void (*fn)(struct kunit *test, struct mmbox_kmem_cache *cachep,
				      const struct layout *l))
{
	int i;

	for (i = 0; i < ARRAY_SIZE(layouts); i++)
		fn(test, new_cache(test, box, &layouts[i]), &layouts[i]);
}

/* The layout is that of CONFIG_DEBUG_SLAB. Correct use finds no mistake. */
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

static void layout_with_all_letters(struct kunit *test)
{
	on_each_layout(test, test_debug_box(test, "FZPU"), expect_layout);
}

/* A row of kunit/reference/slab-debug-geometry.tsv, which 6.1's arithmetic gave. */
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

static void geometry_as_linux_6_1(struct kunit *test)
{
	const struct mmbox_reference *ref;
	struct mmbox_config cfg;
	struct mmbox *box;
	int rows = 0;

	/* The reference kernel's kmalloc sizes: freelists are allocated from these. */
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

/* A cache has the letters that slab_debug= gives it, and no others. */
static void letters_by_cache_name(struct kunit *test)
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
		struct mmbox *box = test_debug_box(test, cases[i].text);
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

/* If slab_debug= names any cache, the flags of each cache count as letters. */
static void letters_by_cache_flags(struct kunit *test)
{
	struct mmbox *box = test_debug_box(test, "F,other");
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

static void bad_letters_refused(struct kunit *test)
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

/* Bytes behind an object that are watched. */
static unsigned int room_behind(const struct mmbox_kmem_cache *cachep)
{
	return cachep->size - cachep->obj_offset - cachep->object_size -
	       (cachep->flags & SLAB_STORE_USER ? 8 : 0);
}

/* The first byte behind an object, the last, or all: found when the object is freed. */
static void overflow_one(struct kunit *test, struct mmbox_kmem_cache *cachep,
			 const struct layout *l)
{
	struct mmbox *box = cachep->box;
	unsigned int room = room_behind(cachep);
	int how;

	for (how = 0; room && how < 3; how++) {
		u8 *objp = test_alloc_one(test, cachep);
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
	on_each_layout(test, test_debug_box(test, "FZPU"), overflow_one);
}

/* The bytes before an object: its left red zone is checked when it is freed. */
static void underflow_one(struct kunit *test, struct mmbox_kmem_cache *cachep,
			  const struct layout *l)
{
	struct mmbox *box = cachep->box;
	u8 *objp = test_alloc_one(test, cachep);

	if (l->has & SLAB_RED_ZONE) {
		objp[-1] ^= 1;
		mmbox_kmem_cache_free(cachep, objp);
		expect_found(test, box, l->name, MMBOX_BAD_OVERFLOW);
		objp = test_alloc_one(test, cachep);
		objp[-8] ^= 0x80;
	}
	mmbox_kfree(box, objp);
	expect_counts(test, box, l->name, MMBOX_BAD_OVERFLOW, !!(l->has & SLAB_RED_ZONE));
	expect_usable(test, cachep, l->name);
}

static void underflow(struct kunit *test)
{
	on_each_layout(test, test_debug_box(test, "FZPU"), underflow_one);
}

/* A write to an object in an array is found when the object is allocated. */
static void use_after_free_one(struct kunit *test, struct mmbox_kmem_cache *cachep,
			       const struct layout *l)
{
	struct mmbox *box = cachep->box;
	int how;

	for (how = 0; how < 4; how++) {
		u8 *objp = test_alloc_one(test, cachep);
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
		KUNIT_EXPECT_PTR_EQ_MSG(test, objp, test_alloc_one(test, cachep), "%s", l->name);
		expect_counts(test, box, l->name, why,
			      why == MMBOX_BAD_OVERFLOW || l->has & SLAB_POISON);
		mmbox_kmem_cache_free(cachep, objp);
	}
	expect_usable(test, cachep, l->name);
}

static void use_after_free(struct kunit *test)
{
	test_pin(test, 0);
	on_each_layout(test, test_debug_box(test, "FZPU"), use_after_free_one);
}

/* A write to a free object is found at the latest when its slab is destroyed. */
static void use_after_free_at_end_one(struct kunit *test, struct mmbox_kmem_cache *cachep,
				      const struct layout *l)
{
	struct mmbox *box = cachep->box;
	u8 *first = test_alloc_one(test, cachep), *objp = test_alloc_one(test, cachep);
	unsigned int num = cachep->num;

	/* The object freed first holds the freelist, so use the other. */
	mmbox_kmem_cache_free(cachep, first);
	mmbox_kmem_cache_free(cachep, objp);
	objp[l->size / 2] ^= 1;
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
	expect_counts(test, box, l->name, MMBOX_BAD_USE_AFTER_FREE,
		      l->has & SLAB_POISON && num > 1);
}

static void use_after_free_found_at_destroy(struct kunit *test)
{
	on_each_layout(test, test_debug_box(test, "P"), use_after_free_at_end_one);
}

/* Number of mistakes of any kind. Resets the counts. */
static long nr_found(struct mmbox *box)
{
	long nr = 0;
	int i;

	for (i = 0; i < MMBOX_NR_BAD; i++)
		nr += atomic_long_xchg(&box->faces.bad[i], 0);
	return nr;
}

/* Freed again at once, in bulk, after a shrink, and by kfree. */
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
	/* If the slab has fewer than three objects, this may free it. */
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
		struct mmbox *box = test_debug_box(test, how[i]);

		on_each_layout(test, box, double_free_one);
		test_box_end(test, box);
	}
}

/* Freed to another cache, watched or not; and an address that is not an object's start. */
static void wrong_free(struct kunit *test)
{
	struct mmbox *box = test_debug_box(test, "FZPU;-,plain");
	struct mmbox_kmem_cache *plain, *other;
	void *ours;
	int i;

	plain = mmbox_kmem_cache_create(box, "plain", 200, 0, 0, NULL);
	other = mmbox_kmem_cache_create(box, "other", 200, 0, 0, NULL);
	KUNIT_ASSERT_TRUE(test, plain && other);
	KUNIT_EXPECT_EQ(test, 0, plain->debug);
	ours = test_alloc_one(test, plain);
	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		const struct layout *l = &layouts[i];
		struct mmbox_kmem_cache *cachep = new_cache(test, box, l);
		void *objp = test_alloc_one(test, cachep);

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
 * The freelist is overwritten, wherever it lies. Whatever it says, an object in use is
 * not handed out again.
 */
static void corrupt_freelist(struct kunit *test)
{
	static const u8 rubbish[] = { 0x00, 0x01, 0x07, 0xff };
	struct mmbox *box = test_debug_box(test, "F");
	int i, j;

	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		const struct layout *l = &layouts[i];

		for (j = 0; j < ARRAY_SIZE(rubbish); j++) {
			struct mmbox_kmem_cache *cachep = new_cache(test, box, l);
			void *a = test_alloc_one(test, cachep), *b = test_alloc_one(test, cachep);
			struct mmbox_page *slab;
			unsigned int nr;

			mmbox_kmem_cache_free(cachep, b);
			mmbox_kmem_cache_shrink(cachep);
			slab = mmbox_virt_to_slab(cachep, a);
			nr = slab->active < cachep->num ? cachep->slab.freelist_size : 0;
			if (nr)
				memset(mmbox_slab_freelist(cachep, slab), rubbish[j], nr);
			b = test_alloc_one(test, cachep);
			KUNIT_EXPECT_PTR_NE_MSG(test, a, b, "%s", l->name);
			memset(a, 1, l->size);
			memset(b, 2, l->size);
			KUNIT_EXPECT_NULL_MSG(test, memchr_inv(a, 1, l->size), "%s", l->name);
			/* A freelist of equal indices is right if only one object is free. */
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

/* Entries of an array are overwritten. */
static void corrupt_array(struct kunit *test)
{
	struct mmbox *box = test_debug_box(test, "F");
	struct mmbox_kmem_cache *cachep = new_cache(test, box, &layouts[0]);
	struct mmbox_array_cache *ac;
	void *a, *b, *c;

	test_pin(test, 0);
	a = test_alloc_one(test, cachep);
	ac = per_cpu_ptr(cachep->cpu_cache, test_nth_cpu(0));
	KUNIT_ASSERT_GT(test, ac->avail, 3);
	b = ac->entry[ac->avail - 1];
	c = ac->entry[ac->avail - 2];
	ac->entry[ac->avail - 1] = a;
	KUNIT_EXPECT_PTR_EQ(test, c, test_alloc_one(test, cachep));
	expect_found(test, box, "an object in use", MMBOX_BAD_FREELIST);
	ac->entry[ac->avail - 1] = b;
	KUNIT_EXPECT_PTR_EQ(test, b, test_alloc_one(test, cachep));
	ac->entry[ac->avail++] = test;
	KUNIT_EXPECT_NOT_NULL(test, test_alloc_one(test, cachep));
	expect_found(test, box, "a foreign address", MMBOX_BAD_FREELIST);
}

/* zalloc clears the object only. With poison the constructor runs at each allocation. */
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

static void zeroing_and_constructor(struct kunit *test)
{
	static const char *const how[] = { "Z", "P", "FZPU" };
	int i;

	for (i = 0; i < ARRAY_SIZE(how); i++) {
		struct mmbox *box = test_debug_box(test, how[i]);

		on_each_layout(test, box, expect_contents);
		test_box_end(test, box);
	}
}

static void poison_bytes(struct kunit *test)
{
	struct mmbox *box = test_debug_box(test, "P,test");
	struct mmbox_kmem_cache *cachep = new_cache(test, box, &layouts[0]);
	u8 *objp = test_alloc_one(test, cachep);
	unsigned int last = layouts[0].size - 1;

	KUNIT_EXPECT_NULL(test, memchr_inv(objp, POISON_INUSE, last));
	KUNIT_EXPECT_EQ(test, objp[last], POISON_END);
	mmbox_kmem_cache_free(cachep, objp);
	KUNIT_EXPECT_NULL(test, memchr_inv(objp, POISON_FREE, last));
	KUNIT_EXPECT_EQ(test, objp[last], POISON_END);
}

/* The caller is in this module, and so is part of the stack. */
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

/* Who allocated an object, and who freed it. */
static void owners_kept(struct kunit *test)
{
	struct mmbox *box = test_debug_box(test, "U");
	unsigned long entry;
	int i;

	if (!mmbox_stack_trace_save(&entry, 1, 0))
		kunit_skip(test, "this kernel saves no stacks");
	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		struct mmbox_kmem_cache *cachep = new_cache(test, box, &layouts[i]);
		void *objp = test_alloc_one(test, cachep);
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

/* Without a stack depot only the caller is recorded. */
static void owners_without_depot(struct kunit *test)
{
	struct mmbox *box = test_debug_box(test, "U");
	struct mmbox_kmem_cache *cachep = new_cache(test, box, &layouts[0]);
	struct mmbox_track *tracks;
	struct mmbox_page *slab;
	unsigned int idx;
	void *objp;

	box->slab.debug.depot = false;
	objp = test_alloc_one(test, cachep);
	slab = mmbox_slab_of_object(cachep, objp - cachep->obj_offset, &idx);
	KUNIT_ASSERT_NOT_NULL(test, slab);
	tracks = mmbox_slab_shadow(box, slab)->tracks[idx];
	KUNIT_EXPECT_EQ(test, 0, tracks[MMBOX_TRACK_ALLOC].stack);
	KUNIT_EXPECT_NE(test, 0, tracks[MMBOX_TRACK_ALLOC].caller);
	mmbox_kmem_cache_free(cachep, objp);
	KUNIT_EXPECT_NE(test, 0, tracks[MMBOX_TRACK_FREE].caller);
}

/* A cache of each layout. Their objects are used without a constructor. */
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

/* Correct use works as in unwatched caches, and no mistake is found. */
static void random_use(struct kunit *test)
{
	struct mmbox_kmem_cache *caches[ARRAY_SIZE(layouts)];
	struct mmbox *box = test_debug_box(test, "FZPU");
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

/* The same on each CPU, in threads and interrupts. */
static void storm_on_all_cpus(struct kunit *test)
{
	struct mmbox_kmem_cache *caches[ARRAY_SIZE(layouts)];
	struct mmbox *box = test_debug_box(test, "FZPU");
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
	KUNIT_CASE(layout_with_all_letters),
	KUNIT_CASE(geometry_as_linux_6_1),
	KUNIT_CASE(letters_by_cache_name),
	KUNIT_CASE(letters_by_cache_flags),
	KUNIT_CASE(bad_letters_refused),
	KUNIT_CASE(overflow),
	KUNIT_CASE(underflow),
	KUNIT_CASE(use_after_free),
	KUNIT_CASE(use_after_free_found_at_destroy),
	KUNIT_CASE(double_free),
	KUNIT_CASE(wrong_free),
	KUNIT_CASE(corrupt_freelist),
	KUNIT_CASE(corrupt_array),
	KUNIT_CASE(zeroing_and_constructor),
	KUNIT_CASE(poison_bytes),
	KUNIT_CASE(owners_kept),
	KUNIT_CASE(owners_without_depot),
	KUNIT_CASE(random_use),
	KUNIT_CASE(storm_on_all_cpus),
	{}
};

TEST_SUITE(slab_debug_suite, "mmbox_slab_debug", cases);
