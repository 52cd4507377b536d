// SPDX-License-Identifier: GPL-2.0
/*
 * The slab layer against Linux 6.1's, figure for figure.
 *
 * The figures are those of kunit/reference/slab*: rows of /proc/slabinfo of a kernel with
 * CONFIG_SLAB. Any file of the same form that is added there is run as well. That kernel
 * had kmalloc caches from 32 bytes to 8 KiB, so the boxes here have the same.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "slab/slab_private.h"
#include "testing.h"

#define LINE_LEN	200
#define MAX_CACHES	16
#define MAX_LIVE	16384

static struct mmbox *reference_box(struct kunit *test, unsigned long size,
				   unsigned int nr_nodes, bool stats)
{
	struct mmbox_config cfg;

	test_config(&cfg, "reference", size);
	cfg.kmalloc_min = 32;
	cfg.kmalloc_max = SZ_8K;
	cfg.kswapd = false;
	cfg.slab_stats = stats;
	KUNIT_ASSERT_EQ(test, 0, mmbox_nodes_split(&cfg, nr_nodes));
	return test_box(test, &cfg);
}

/* The reference kernel had two possible CPUs, which its shared arrays depend on. */
static void need_two_possible_cpus(struct kunit *test)
{
	if (num_possible_cpus() < 2)
		kunit_skip(test, "the reference kernel had two possible CPUs");
}

/* A row of /proc/slabinfo, without the padding of the name. */
static void slabinfo_row(struct mmbox_kmem_cache *cachep, char *row, size_t size)
{
	struct mmbox_slabinfo s;

	mmbox_get_slabinfo(cachep, &s);
	snprintf(row, size,
		 "%-17s %6lu %6lu %6u %4u %4d : tunables %4u %4u %4u : slabdata %6lu %6lu %6lu",
		 cachep->name, s.active_objs, s.num_objs, cachep->size,
		 s.objects_per_slab, 1 << s.cache_order, s.limit, s.batchcount,
		 s.shared, s.active_slabs, s.num_slabs, s.shared_avail);
}

/* ---- geometry ---- */

struct geometry {
	unsigned int objsize, objperslab, pagesperslab, limit, batchcount, shared;
};

static void expect_geometry(struct kunit *test, const char *what,
			    struct mmbox_kmem_cache *cachep, const struct geometry *g)
{
	struct mmbox_slabinfo s;

	mmbox_get_slabinfo(cachep, &s);
	KUNIT_EXPECT_EQ_MSG(test, cachep->size, g->objsize, "objsize of %s", what);
	KUNIT_EXPECT_EQ_MSG(test, s.objects_per_slab, g->objperslab, "objperslab of %s", what);
	KUNIT_EXPECT_EQ_MSG(test, 1U << s.cache_order, g->pagesperslab,
			    "pagesperslab of %s", what);
	KUNIT_EXPECT_EQ_MSG(test, s.limit, g->limit, "limit of %s", what);
	KUNIT_EXPECT_EQ_MSG(test, s.batchcount, g->batchcount, "batchcount of %s", what);
	KUNIT_EXPECT_EQ_MSG(test, s.shared, g->shared, "sharedfactor of %s", what);
}

static void touch_nothing(void *objp)
{
}

static struct mmbox_kmem_cache *create_by_letters(struct kunit *test, struct mmbox *box,
						  const char *name, unsigned int size,
						  unsigned int align, const char *letters)
{
	struct mmbox_kmem_cache *cachep;
	void (*ctor)(void *) = NULL;
	slab_flags_t flags = 0;
	const char *p;

	for (p = letters; *p; p++) {
		KUNIT_ASSERT_NOT_NULL_MSG(test, strchr("hrtdnc-", *p), "flags %s", letters);
		flags |= *p == 'h' ? SLAB_HWCACHE_ALIGN : 0;
		flags |= *p == 'r' ? SLAB_RECLAIM_ACCOUNT : 0;
		flags |= *p == 't' ? SLAB_TYPESAFE_BY_RCU : 0;
		flags |= *p == 'd' ? SLAB_CACHE_DMA : 0;
		flags |= *p == 'n' ? SLAB_NOLEAKTRACE : 0;
		if (*p == 'c')
			ctor = touch_nothing;
	}
	cachep = mmbox_kmem_cache_try_create(box, name, size, align, flags, ctor);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(cachep), "size %u align %u flags %s", size, align,
			       letters);
	return cachep;
}

static const char *freelist_place(const struct mmbox_kmem_cache *cachep)
{
	return mmbox_off_slab(cachep) ? "off" :
	       mmbox_objfreelist_slab(cachep) ? "object" : "end";
}

/*
 * A row has size, align and flags, then the columns of slabinfo. Some files go on with
 * what slabinfo does not show: where the freelist lies, its length, the number of
 * colours, and the bytes from one colour to the next.
 */
static void geometry_row(struct kunit *test, struct mmbox *box, const char *line)
{
	unsigned int size, align, colour, colour_off, freelist_size;
	struct mmbox_kmem_cache *cachep;
	char letters[8], place[8];
	struct geometry g;
	int nr;

	nr = sscanf(line, "%u %u %7s %u %u %u %u %u %u %7s %u %u %u", &size, &align, letters,
		    &g.objsize, &g.objperslab, &g.pagesperslab, &g.limit, &g.batchcount,
		    &g.shared, place, &colour, &colour_off, &freelist_size);
	KUNIT_ASSERT_TRUE_MSG(test, nr == 9 || nr == 13, "%s", line);
	cachep = create_by_letters(test, box, "geometry", size, align, letters);
	expect_geometry(test, line, cachep, &g);
	if (nr == 13) {
		KUNIT_EXPECT_STREQ_MSG(test, freelist_place(cachep), place, "%s", line);
		KUNIT_EXPECT_EQ_MSG(test, cachep->slab.colour, colour, "%s", line);
		KUNIT_EXPECT_EQ_MSG(test, cachep->slab.colour_off, colour_off, "%s", line);
		KUNIT_EXPECT_EQ_MSG(test, cachep->slab.freelist_size, freelist_size, "%s", line);
	}
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(cachep));
}

static void geometry_as_linux_6_1(struct kunit *test)
{
	const struct mmbox_reference *ref;
	char line[LINE_LEN];
	int rows = 0;

	need_two_possible_cpus(test);
	for_each_reference(ref, "slab-geometry") {
		struct mmbox *box = reference_box(test, SZ_128M, 1, false);
		const char *text = ref->text;

		while (test_next_line(&text, line, sizeof(line))) {
			if (*line < '0' || *line > '9')
				continue;
			geometry_row(test, box, line);
			rows++;
		}
		test_box_end(test, box);
	}
	KUNIT_EXPECT_GT(test, rows, 0);
	kunit_info(test, "%d rows", rows);
}

static struct mmbox_kmem_cache *find_cache(struct mmbox *box, const char *name)
{
	struct mmbox_kmem_cache *cachep, *found = NULL;

	mutex_lock(&box->slab.mutex);
	list_for_each_entry(cachep, &box->slab.caches, list)
		if (!strcmp(cachep->name, name))
			found = cachep;
	mutex_unlock(&box->slab.mutex);
	return found;
}

/* The kmalloc caches are those of the reference kernel. */
static void kmalloc_as_linux_6_1(struct kunit *test)
{
	const struct mmbox_reference *ref;
	char line[LINE_LEN], name[32];
	int rows = 0;

	need_two_possible_cpus(test);
	for_each_reference(ref, "slabinfo") {
		struct mmbox *box = reference_box(test, SZ_128M, 1, false);
		const char *text = ref->text;

		while (test_next_line(&text, line, sizeof(line))) {
			struct mmbox_kmem_cache *cachep;
			struct geometry g;

			if (sscanf(line, "%31s %*u %*u %u %u %u : tunables %u %u %u", name,
				   &g.objsize, &g.objperslab, &g.pagesperslab, &g.limit,
				   &g.batchcount, &g.shared) != 7 ||
			    strncmp(name, "kmalloc-", 8) || name[8] < '0' || name[8] > '9')
				continue;
			cachep = find_cache(box, name);
			KUNIT_EXPECT_NOT_NULL_MSG(test, cachep, "no %s", name);
			if (cachep)
				expect_geometry(test, name, cachep, &g);
			rows++;
		}
		test_box_end(test, box);
	}
	KUNIT_EXPECT_GT(test, rows, 0);
}

/* ---- sequence ---- */

struct live {
	struct mmbox_kmem_cache *cachep;
	void **obj;		/* MAX_LIVE */
	unsigned int nr;
	int nid;		/* where to allocate, or NUMA_NO_NODE */
};

static void live_alloc(struct kunit *test, struct live *live)
{
	void *objp = mmbox_kmem_cache_alloc_node(live->cachep, GFP_KERNEL, live->nid);

	KUNIT_ASSERT_NOT_NULL(test, objp);
	KUNIT_ASSERT_LT(test, live->nr, MAX_LIVE);
	live->obj[live->nr++] = objp;
}

static void live_free_front(struct live *live, unsigned int nr)
{
	unsigned int i;

	nr = min(nr, live->nr);
	for (i = 0; i < nr; i++)
		mmbox_kmem_cache_free(live->cachep, live->obj[i]);
	live->nr -= nr;
	memmove(live->obj, live->obj + nr, live->nr * sizeof(void *));
}

static void live_free_even(struct live *live)
{
	unsigned int i, left = 0;

	for (i = 0; i < live->nr; i++) {
		if (i % 2)
			live->obj[left++] = live->obj[i];
		else
			mmbox_kmem_cache_free(live->cachep, live->obj[i]);
	}
	live->nr = left;
}

static void live_random(struct kunit *test, struct live *live, u32 state)
{
	unsigned int i, x;

	for (i = 0; i < 3000; i++) {
		if (test_random(&state) & 1) {
			live_alloc(test, live);
		} else if (live->nr) {
			x = test_random(&state) % live->nr;
			mmbox_kmem_cache_free(live->cachep, live->obj[x]);
			live->obj[x] = live->obj[--live->nr];
		}
	}
}

static void live_bulk(struct kunit *test, struct live *live, unsigned int nr)
{
	KUNIT_ASSERT_LE(test, live->nr + nr, MAX_LIVE);
	KUNIT_ASSERT_EQ(test, nr, mmbox_kmem_cache_alloc_bulk(live->cachep, GFP_KERNEL, nr,
							      live->obj + live->nr));
	live->nr += nr;
}

static void live_free_bulk(struct live *live, unsigned int nr)
{
	nr = min(nr, live->nr);
	live->nr -= nr;
	mmbox_kmem_cache_free_bulk(live->cachep, nr, live->obj + live->nr);
}

static void live_tune(struct kunit *test, struct live *live, int limit, int batchcount,
		      int shared)
{
	struct mmbox *box = live->cachep->box;

	mutex_lock(&box->slab.mutex);
	KUNIT_EXPECT_EQ(test, 0, mmbox_slab_tune(live->cachep, limit, batchcount,
						 shared));
	mutex_unlock(&box->slab.mutex);
}

static void live_step(struct kunit *test, struct live *live, const char *step)
{
	int limit, batchcount, shared;
	unsigned int nr;

	if (sscanf(step, "alloc %u", &nr) == 1) {
		while (nr--)
			live_alloc(test, live);
	} else if (sscanf(step, "freefront %u", &nr) == 1) {
		live_free_front(live, nr);
	} else if (sscanf(step, "free %u", &nr) == 1) {
		for (; nr && live->nr; nr--)
			mmbox_kmem_cache_free(live->cachep, live->obj[--live->nr]);
	} else if (sscanf(step, "bulk %u", &nr) == 1) {
		live_bulk(test, live, nr);
	} else if (sscanf(step, "freebulk %u", &nr) == 1) {
		live_free_bulk(live, nr);
	} else if (sscanf(step, "tune %d %d %d", &limit, &batchcount, &shared) == 3) {
		live_tune(test, live, limit, batchcount, shared);
	} else if (!strcmp(step, "freeeven")) {
		live_free_even(live);
	} else if (!strcmp(step, "shrink")) {
		mmbox_kmem_cache_shrink(live->cachep);
	} else if (sscanf(step, "rand %u", &nr) == 1) {
		live_random(test, live, nr);
	} else {
		KUNIT_ASSERT_TRUE_MSG(test, false, "unknown step '%s'", step);
	}
}

/* The next line that is not a comment. */
static bool next_line(const char **text, char *line, size_t size)
{
	bool got;

	do {
		got = test_next_line(text, line, size);
	} while (got && *line == '#');
	return got;
}

/*
 * A box with room for twice the slab pages that the kernel had after any step. The rows
 * tell how many those are.
 */
static struct mmbox *sequence_box(struct kunit *test, const char *text)
{
	unsigned long pages = 0, most = 0, slabs;
	unsigned int pages_a_slab;
	const char *slabdata;
	char line[LINE_LEN];

	while (next_line(&text, line, sizeof(line))) {
		if (*line == '=')
			pages = 0;
		slabdata = strstr(line, "slabdata ");
		if (slabdata && sscanf(slabdata, "slabdata %*u %lu", &slabs) == 1 &&
		    sscanf(line, "%*s %*u %*u %*u %*u %u", &pages_a_slab) == 1)
			pages += slabs * pages_a_slab;
		most = max(most, pages);
	}
	return reference_box(test, max(SZ_128M, ALIGN(2 * most * PAGE_SIZE, SZ_16M)), 1, false);
}

/*
 * Create the caches whose rows follow the first step. The one created last comes first.
 * The reference kernel ran on one CPU, and free_limit depends on CPUs online.
 */
static unsigned int sequence_caches(struct kunit *test, struct mmbox *box,
				    const char *text, struct live *live)
{
	unsigned int sizes[MAX_CACHES], nr = 0, i;
	char line[LINE_LEN], name[32];

	while (next_line(&text, line, sizeof(line)) && (*line != '=' || !nr)) {
		bool is_row;

		if (*line == '=')
			continue;
		is_row = nr < MAX_CACHES && sscanf(line, "s-%u", &sizes[nr]) == 1;
		KUNIT_ASSERT_TRUE_MSG(test, is_row, "%s", line);
		nr++;
	}
	KUNIT_ASSERT_GT(test, nr, 0);
	for (i = 0; i < nr; i++) {
		struct mmbox_kmem_cache *cachep;

		snprintf(name, sizeof(name), "s-%u", sizes[nr - 1 - i]);
		cachep = mmbox_kmem_cache_try_create(box, name, sizes[nr - 1 - i], 0, 0, NULL);
		KUNIT_ASSERT_FALSE(test, IS_ERR(cachep));
		cachep->slab.node[0]->free_limit = 2 * cachep->slab.batchcount + cachep->num;
		live[i] = (struct live){
			.cachep = cachep,
			.nid = NUMA_NO_NODE,
			.obj = test_zalloc(test, MAX_LIVE * sizeof(void *)),
		};
	}
	return nr;
}

/* Free the rest of a cache's objects, and destroy it. */
static void live_end(struct kunit *test, struct live *live)
{
	live_free_front(live, live->nr);
	KUNIT_EXPECT_EQ(test, 0, mmbox_kmem_cache_destroy(live->cachep));
	test_free(test, live->obj);
}

static void run_sequence(struct kunit *test, const struct mmbox_reference *ref)
{
	struct live *live = test_zalloc(test, MAX_CACHES * sizeof(*live));
	struct mmbox *box = sequence_box(test, ref->text);
	char line[LINE_LEN], row[LINE_LEN], step[LINE_LEN] = "";
	const char *text = ref->text;
	unsigned int nr, at = 0, steps = 0, i;

	nr = sequence_caches(test, box, text, live);
	while (next_line(&text, line, sizeof(line))) {
		if (!strncmp(line, "==", 2)) {
			at = nr;
			/* The first block of rows shows the caches before all steps. */
			if (sscanf(line, "== %199[^\n]", step) != 1)
				continue;
			for (i = 0; i < nr; i++)
				live_step(test, &live[i], step);
			steps++;
			continue;
		}
		if (!at)
			at = nr;
		slabinfo_row(live[--at].cachep, row, sizeof(row));
		KUNIT_EXPECT_STREQ_MSG(test, row, line, "after step %u, '%s', of %s", steps,
				       step, ref->name);
	}
	kunit_info(test, "%s: %u caches, %u steps", ref->name, nr, steps);
	KUNIT_EXPECT_GT(test, steps, 0);

	for (i = 0; i < nr; i++)
		live_end(test, &live[i]);
	test_box_end(test, box);
	test_free(test, live);
}

static void slabinfo_as_linux_6_1(struct kunit *test)
{
	const struct mmbox_reference *ref;
	int files = 0;

	need_two_possible_cpus(test);
	test_pin(test, 0);
	for_each_reference(ref, "slab-sequence") {
		run_sequence(test, ref);
		files++;
	}
	KUNIT_EXPECT_GT(test, files, 0);
}

/* ---- statistics, on two CPUs, in one node or two ---- */

struct statistics {
	struct mmbox *box;
	struct live live[MAX_CACHES];
	unsigned int nr;
	int nid;		/* where to allocate, or NUMA_NO_NODE */
	int alien[2];		/* by CPU: the node whose alien array its reaper drains next */
	char row[2 * LINE_LEN];
	char line[2 * LINE_LEN];
	char step[LINE_LEN];
};

/* A row of slabinfo with statistics, figures only. */
static void statistics_row(struct mmbox_kmem_cache *cachep, char *row, size_t size)
{
	const struct mmbox_cache_stats *st = &cachep->slab.stats;
	const atomic_long_t *counters[] = {
		&st->num_allocations, &st->high_mark, &st->grown, &st->reaped, &st->errors,
		&st->max_freeable, &st->node_allocs, &st->node_frees, &st->node_overflow,
		&st->allochit, &st->allocmiss, &st->freehit, &st->freemiss,
	};
	struct mmbox_slabinfo s;
	int i, len;

	mmbox_get_slabinfo(cachep, &s);
	len = scnprintf(row, size, "%s %lu %lu %u %u %d %u %u %u %lu %lu %lu", cachep->name,
			s.active_objs, s.num_objs, cachep->size, s.objects_per_slab,
			1 << s.cache_order, s.limit, s.batchcount, s.shared, s.active_slabs,
			s.num_slabs, s.shared_avail);
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		len += scnprintf(row + len, size - len, " %lu",
				 (unsigned long)atomic_long_read(counters[i]));
}

/* A step for all caches at once. False if the step is not one of these. */
static bool common_step(struct kunit *test, struct statistics *s)
{
	struct mmbox_kmem_cache *cachep;
	int nid = mmbox_cpu_to_node(s->box, raw_smp_processor_id()), value;
	int *alien;
	bool due;

	if (sscanf(s->step, "cpu %d", &value) == 1) {
		test_pin(test, value);
		return true;
	}
	if (sscanf(s->step, "node %d", &s->nid) == 1)
		return true;
	due = !strcmp(s->step, "reap");
	if (!due && strcmp(s->step, "reapac"))
		return false;
	mutex_lock(&s->box->slab.mutex);
	list_for_each_entry(cachep, &s->box->slab.caches, list)
		cachep->slab.node[nid]->next_reap = due ? jiffies - 1 : jiffies + 1000 * HZ;
	mutex_unlock(&s->box->slab.mutex);
	alien = &s->alien[raw_smp_processor_id()];
	KUNIT_EXPECT_TRUE(test, mmbox_cache_reap(s->box, *alien));
	*alien = (*alien + 1) % s->box->nr_nodes;
	return true;
}

static void statistics_step(struct kunit *test, struct statistics *s)
{
	unsigned int i;

	if (common_step(test, s))
		return;
	for (i = 0; i < s->nr; i++) {
		s->live[i].nid = s->nid;
		live_step(test, &s->live[i], s->step);
	}
}

/* The first rows name the caches, the last one created first: s-SIZE or s-SIZE-FLAGS */
static void statistics_caches(struct kunit *test, struct statistics *s, const char *text)
{
	char names[MAX_CACHES][32], letters[8];
	unsigned int size, i;
	int got;

	while (next_line(&text, s->line, sizeof(s->line)) && *s->line != '=') {
		KUNIT_ASSERT_LT(test, s->nr, MAX_CACHES);
		got = sscanf(s->line, "%31s", names[s->nr]);
		KUNIT_ASSERT_EQ(test, 1, got);
		s->nr++;
	}
	for (i = 0; i < s->nr; i++) {
		const char *name = names[s->nr - 1 - i];

		if (sscanf(name, "s-%u-%7s", &size, letters) != 2) {
			got = sscanf(name, "s-%u", &size);
			KUNIT_ASSERT_EQ(test, 1, got);
			strscpy(letters, "-", sizeof(letters));
		}
		s->live[i].cachep = create_by_letters(test, s->box, name, size, 0, letters);
		s->live[i].obj = test_zalloc(test, MAX_LIVE * sizeof(void *));
	}
}

static void run_statistics(struct kunit *test, const struct mmbox_reference *ref)
{
	struct statistics *s = test_zalloc(test, sizeof(*s));
	unsigned int at = 0, i, nr_nodes, steps = 0;
	const char *text = ref->text;
	int got;

	KUNIT_ASSERT_TRUE(test, test_next_line(&text, s->line, sizeof(s->line)));
	got = sscanf(s->line, "# cpus 2 nodes %u", &nr_nodes);
	KUNIT_ASSERT_EQ(test, 1, got);
	s->box = reference_box(test, SZ_128M, nr_nodes, true);
	s->nid = NUMA_NO_NODE;
	for (i = 0; i < 2; i++)
		s->alien[i] = (mmbox_cpu_to_node(s->box, i) + 1) % nr_nodes;
	test_pin(test, 0);
	/* Skip the line of the first step. */
	next_line(&text, s->line, sizeof(s->line));
	statistics_caches(test, s, text);
	KUNIT_ASSERT_GT(test, s->nr, 0);

	while (next_line(&text, s->line, sizeof(s->line))) {
		if (sscanf(s->line, "== %199[^\n]", s->step) == 1) {
			statistics_step(test, s);
			steps++;
			at = 0;
			continue;
		}
		at = at ?: s->nr;
		statistics_row(s->live[--at].cachep, s->row, sizeof(s->row));
		KUNIT_EXPECT_STREQ_MSG(test, s->row, s->line, "after step %u, '%s', of %s",
				       steps, s->step, ref->name);
	}
	kunit_info(test, "%s: %u caches, %u steps", ref->name, s->nr, steps);
	KUNIT_EXPECT_GT(test, steps, 0);
	for (i = 0; i < s->nr; i++)
		live_end(test, &s->live[i]);
	test_box_end(test, s->box);
	test_free(test, s);
}

static void statistics_as_linux_6_1(struct kunit *test)
{
	const struct mmbox_reference *ref;
	int files = 0;

	if (num_possible_cpus() != 2 || num_online_cpus() != 2)
		kunit_skip(test, "the reference kernel had two CPUs");
	for_each_reference(ref, "slab-statistics") {
		run_statistics(test, ref);
		files++;
	}
	KUNIT_EXPECT_GT(test, files, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(geometry_as_linux_6_1),
	KUNIT_CASE(kmalloc_as_linux_6_1),
	KUNIT_CASE(slabinfo_as_linux_6_1),
	KUNIT_CASE(statistics_as_linux_6_1),
	{}
};

TEST_SUITE(slab_reference_suite, "mmbox_slab_reference", cases);
