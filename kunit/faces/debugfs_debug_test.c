// SPDX-License-Identifier: GPL-2.0
/*
 * The debugfs files leaks, verify and whatis: what they show of watched caches and of
 * others.
 */
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "faces/debugfs.h"
#include "slab/slab_private.h"
#include "testing.h"

static struct mmbox_kmem_cache *new_cache(struct kunit *test, struct mmbox *box,
					  unsigned int size)
{
	struct mmbox_kmem_cache *cachep;

	cachep = mmbox_kmem_cache_create(box, "test", size, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	return cachep;
}

#define TEXT_SIZE	SZ_64K

static const struct mmbox_face *face_of(struct kunit *test, const char *name)
{
	const struct mmbox_face *face = mmbox_debug_faces;

	while (face->name && strcmp(face->name, name))
		face++;
	KUNIT_ASSERT_NOT_NULL_MSG(test, face->name, "no file %s", name);
	return face;
}

/* The contents of a file. The text is valid until the test ends. */
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

static void leaks_by_caller(struct kunit *test)
{
	struct mmbox *box = test_debug_box(test, "U");
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 200);
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

static void leaks_without_callers(struct kunit *test)
{
	struct mmbox *box = test_debug_box(test, "F,test");
	struct mmbox_kmem_cache *cachep = new_cache(test, box, 200);

	one_place(cachep);
	another_place(cachep);
	KUNIT_EXPECT_STREQ(test, read_face(test, box, "leaks"),
			   "2 objects, 400 bytes of cache test\nplaces: 1\n");
	box = test_small_box(test);
	expect_line(test, read_face(test, box, "leaks"), "slab_debug=U");
}

/* Each kind of fault is reported as one problem. Without a fault there is none. */
static void verify_finds_each_fault(struct kunit *test)
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
		box = test_debug_box(test, how[j]);
		cachep = new_cache(test, box, 200);
		for (i = 0; i < 10; i++)
			objs[i] = test_alloc_one(test, cachep);
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

		/* An index that is out of range. */
		p = mmbox_slab_freelist(cachep, slab);
		KUNIT_ASSERT_LT(test, slab->active, cachep->num);
		swap(p[slab->active], index);
		mmbox_verify(box, NULL, &sums);
		KUNIT_EXPECT_EQ(test, 1, sums.problems);
		swap(p[slab->active], index);

		/* An array has an object that is in use, then a foreign address. */
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

/* A cache with many full, partial and free slabs. @objs has the objects in use. */
static struct mmbox_kmem_cache *spread_cache(struct kunit *test, struct mmbox *box, void **objs)
{
	struct mmbox_kmem_cache *cachep;
	unsigned int i;

	cachep = mmbox_kmem_cache_create(box, "spread", 1000, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	/* With a limit of 1, objects go to and from their slab directly. */
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

/* Sets need_resched at each slab, and counts how often the CPU was given away since. */
static bool look_at_slab(void *arg, struct mmbox_page *slab, const struct mmbox_slab_list *list)
{
	struct walk_looks *looks = arg;

	looks->nr++;
	looks->nr_yielded += !test_tsk_need_resched(current);
	set_tsk_need_resched(current);
	set_preempt_need_resched();
	return true;
}

/* A walk over many slabs gives the CPU away after each few. */
static void verify_many_slabs_yields_cpu(struct kunit *test)
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

static unsigned long length_of(const struct list_head *head)
{
	const struct list_head *pos;
	unsigned long nr = 0;

	list_for_each(pos, head)
		nr++;
	return nr;
}

/* What a walk says of a node's lists, when somebody needs the CPU from its beginning on. */
struct field_looks {
	unsigned long partial, full, free;
	bool yielded;
};

static void look_at_field(void *arg, int nid, const char *name, unsigned long value)
{
	struct field_looks *looks = arg;

	if (nid == NUMA_NO_NODE) {
		set_tsk_need_resched(current);
		set_preempt_need_resched();
	} else if (!strcmp(name, "slabs_partial")) {
		looks->yielded = !test_tsk_need_resched(current);
		looks->partial = value;
	} else if (!strcmp(name, "slabs_full")) {
		looks->full = value;
	} else if (!strcmp(name, "slabs_free")) {
		looks->free = value;
	}
}

/* Nobody counts partial slabs before somebody asks: a few at a time, as they are shown. */
static void partial_slabs_yields_cpu(struct kunit *test)
{
	static const struct mmbox_slab_walker walker = { .field = look_at_field };
	void **objs = test_zalloc(test, NR_SPREAD * sizeof(*objs));
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep = spread_cache(test, box, objs);
	struct mmbox_kmem_cache_node *n = cachep->slab.node[0];
	struct field_looks looks = {};
	unsigned int i;

	mutex_lock(&box->slab.mutex);
	mmbox_slab_ops(cachep)->walk(cachep, &walker, &looks);
	mutex_unlock(&box->slab.mutex);
	KUNIT_EXPECT_GT(test, looks.partial, MOST_AT_ONCE);
	KUNIT_EXPECT_EQ(test, looks.partial, length_of(&n->slabs_partial));
	KUNIT_EXPECT_EQ(test, looks.full, length_of(&n->slabs_full));
	KUNIT_EXPECT_EQ(test, looks.free, length_of(&n->slabs_free));
	KUNIT_EXPECT_TRUE_MSG(test, looks.yielded, "interrupts were off for all of them");
	KUNIT_EXPECT_NULL(test, n->walk);
	for (i = 0; i < NR_SPREAD; i++)
		if (objs[i])
			mmbox_kmem_cache_free(cachep, objs[i]);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

struct mover {
	struct mmbox_kmem_cache *cachep;
	void **objs;
	u32 seed;
};

/* Each step moves a slab from one list to another, or changes it. */
static void move_slabs(void *arg)
{
	struct mover *mover = arg;
	unsigned int i;

	for (i = 0; i < 64; i++) {
		void **objp = &mover->objs[test_random(&mover->seed) % NR_SPREAD];

		if (*objp) {
			mmbox_kmem_cache_free(mover->cachep, *objp);
			*objp = NULL;
		} else {
			*objp = mmbox_kmem_cache_alloc(mover->cachep, GFP_KERNEL | __GFP_NOWARN);
		}
	}
}

/* While slabs change, verify ends, finds no problem, and reports what it could not check. */
static void verify_slabs_in_use_finds_nothing(struct kunit *test)
{
	struct mover mover = { .objs = test_zalloc(test, NR_SPREAD * sizeof(void *)) };
	struct mmbox *box = test_small_box(test);
	unsigned long problems = 0, unsettled = 0, nr_calls;
	struct test_loop *loop;
	struct mmbox_verify sums;
	unsigned int rounds, i;

	test_needs_two_cpus(test);
	test_pin(test, 0);
	mover.cachep = spread_cache(test, box, mover.objs);
	loop = test_loop_start(test, 1, move_slabs, &mover);
	for (rounds = 0; rounds < 1000 && (rounds < 4 || unsettled < 2); rounds++) {
		mmbox_verify(box, NULL, &sums);
		problems += sums.problems;
		unsettled += sums.unsettled;
	}
	nr_calls = test_loop_stop(loop);
	kunit_info(test, "%u walks, %lu unsettled, %lu steps", rounds, unsettled, 64 * nr_calls);
	KUNIT_EXPECT_EQ(test, problems, 0);
	KUNIT_EXPECT_GE_MSG(test, unsettled, 2, "no slab changed between two steps");
	mmbox_verify(box, NULL, &sums);
	KUNIT_EXPECT_EQ(test, sums.problems, 0);
	KUNIT_EXPECT_EQ(test, sums.unsettled, 0);
	for (i = 0; i < NR_SPREAD; i++)
		if (mover.objs[i])
			mmbox_kmem_cache_free(mover.cachep, mover.objs[i]);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(mover.cachep));
	KUNIT_EXPECT_EQ(test, 0, test_nr_bad(box));
}

#define NR_LONG		5000		/* objects: a full array of a CPU, and a shared one */

static unsigned long problems_with(struct kunit *test, struct mmbox_kmem_cache *cachep,
				   void **entry, void *value)
{
	struct mmbox_verify sums;

	swap(*entry, value);
	KUNIT_EXPECT_EQ(test, 0, mmbox_verify(cachep->box, NULL, &sums));
	swap(*entry, value);
	return sums.problems;
}

/* What an array holds twice is seen however far the two are from each other. */
static void verify_sees_twice_far_apart(struct kunit *test)
{
	void **objs = test_zalloc(test, NR_LONG * sizeof(*objs));
	struct mmbox *box = test_small_box(test);
	struct mmbox_kmem_cache *cachep;
	struct mmbox_array_cache *ac[2];
	unsigned int i;

	test_pin(test, 0);
	cachep = mmbox_kmem_cache_create(box, "long", 64, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cachep);
	KUNIT_ASSERT_EQ(test, 0, test_tune(cachep, MMBOX_MAX_LIMIT, MMBOX_MAX_LIMIT / 2, 2));
	for (i = 0; i < NR_LONG; i++) {
		objs[i] = mmbox_kmem_cache_alloc(cachep, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
	}
	for (i = 0; i < NR_LONG; i++)
		mmbox_kmem_cache_free(cachep, objs[i]);
	ac[0] = per_cpu_ptr(cachep->cpu_cache, test_nth_cpu(0));
	ac[1] = cachep->slab.node[0]->shared;
	for (i = 0; i < 2; i++) {
		unsigned int last = ac[i]->avail - 1;

		KUNIT_ASSERT_GT(test, last, 1024);
		KUNIT_EXPECT_EQ(test, 0, problems_with(test, cachep, &ac[i]->entry[last],
						       ac[i]->entry[last]));
		KUNIT_EXPECT_EQ(test, 1, problems_with(test, cachep, &ac[i]->entry[last],
						       ac[i]->entry[0]));
		KUNIT_EXPECT_EQ(test, 1, problems_with(test, cachep, &ac[i]->entry[last / 2],
						       ac[i]->entry[last]));
	}
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

#ifdef CONFIG_HOTPLUG_CPU
struct going_walk {
	struct mmbox *box;
	struct mmbox_verify sums;
	int err;
};

static void verify_box(void *arg)
{
	struct going_walk *walk = arg;

	walk->err = mmbox_verify(walk->box, NULL, &walk->sums);
}

/*
 * No array is left out because a CPU goes just then. The walk waits for the CPU: two
 * seconds are long enough for it to come to the arrays if it did not.
 */
static void verify_while_cpu_goes(struct kunit *test)
{
	struct mmbox *box = test_small_box(test);
	struct going_walk walk = { .box = box };
	struct mmbox_verify before;
	bool in_time;
	int err;

	test_needs_two_cpus(test);
	KUNIT_ASSERT_EQ(test, 0, mmbox_verify(box, NULL, &before));
	KUNIT_EXPECT_GE(test, before.arrays, before.caches * num_possible_cpus());
	err = test_call_while_cpu_goes(test, verify_box, &walk, 2 * HZ, &in_time);
	if (err)
		kunit_skip(test, "the CPU cannot go offline or come back: %d", err);
	KUNIT_EXPECT_EQ(test, 0, walk.err);
	KUNIT_EXPECT_EQ(test, 0, walk.sums.problems);
	KUNIT_EXPECT_EQ(test, 0, walk.sums.unsettled);
	KUNIT_EXPECT_EQ_MSG(test, walk.sums.arrays, before.arrays,
			    "arrays of CPUs were left out");
}
#endif

/* Addresses of objects in each state, of pages, of boot memory, and foreign ones. */
static void whatis_tells_state(struct kunit *test)
{
	static const char *const how[] = { "-", "FZPU" };
	int i, j;

	test_pin(test, 0);
	for (j = 0; j < ARRAY_SIZE(how); j++) {
		struct mmbox *box = test_debug_box(test, how[j]);
		struct mmbox_kmem_cache *cachep;
		void *objp, *other, *pages;
		char addr[24];

#define WHATIS(a) ({							\
	snprintf(addr, sizeof(addr), "%lx", (unsigned long)(a));	\
	KUNIT_EXPECT_EQ(test, 0, write_face(test, box, "whatis", addr));	\
	read_face(test, box, "whatis"); })

		expect_line(test, read_face(test, box, "whatis"), "write an address");
		for (i = 0; i < 2; i++) {
			cachep = new_cache(test, box, i ? 101 : 200);
			objp = test_alloc_one(test, cachep);
			other = test_alloc_one(test, cachep);
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
		expect_line(test, WHATIS(0), "pfn: 0, node 0, zone ");
		expect_line(test, WHATIS(test), "page: none");
		expect_line(test, WHATIS(box->memmap.map), "page: reserved");
		expect_line(test, WHATIS(SZ_16M), "page: none");
		KUNIT_EXPECT_EQ(test, -EINVAL, write_face(test, box, "whatis", "here"));
		test_box_end(test, box);
#undef WHATIS
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(leaks_by_caller),
	KUNIT_CASE(leaks_without_callers),
	KUNIT_CASE(verify_finds_each_fault),
	KUNIT_CASE(verify_many_slabs_yields_cpu),
	KUNIT_CASE(partial_slabs_yields_cpu),
	KUNIT_CASE(verify_slabs_in_use_finds_nothing),
	KUNIT_CASE(verify_sees_twice_far_apart),
#ifdef CONFIG_HOTPLUG_CPU
	KUNIT_CASE(verify_while_cpu_goes),
#endif
	KUNIT_CASE(whatis_tells_state),
	{}
};

TEST_SUITE(debugfs_debug_suite, "mmbox_debugfs_debug", cases);
