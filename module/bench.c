// SPDX-License-Identifier: GPL-2.0
/*
 * mmbox_bench.ko: compares the box with the host's own allocators.
 *
 * A row is one operation that both can do, as two loops of the same shape: one uses the
 * box, the other SLUB or the host's page allocator. A round runs the box's loop, the
 * host's loop, and an empty loop that calls nothing. The result is the median of all
 * rounds, minus the empty loop, for each side. The loops run as most callers do: in
 * process context with interrupts and preemption on, and they check for NULL.
 *
 * Times are nanoseconds of ktime_get(). In a VM where each instruction takes a
 * nanosecond they are instructions; tools/bench knows which.
 *
 * The benchmark runs while the module is being inserted. /sys/kernel/debug/mmbox_bench
 * then has one line per row; its first line names the columns.
 */
#define pr_fmt(fmt) "mmbox_bench: " fmt

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/genalloc.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include <mmbox/mmbox.h>

#include "box.h"

static char *rows = "";
module_param(rows, charp, 0444);
MODULE_PARM_DESC(rows, "rows to run, by name, separated by commas (default all)");

static unsigned int rounds = 15;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "rounds per row, of which the median counts, 1 to 999 (default 15)");

static unsigned int iterations = 2000;
module_param(iterations, uint, 0444);
MODULE_PARM_DESC(iterations, "loops per round of the fastest rows; slower ones run fewer (default 2000)");

#define MAX_ROUNDS	999
#define BULK		16
#define MANY_OBJECTS	1000
#define MANY_PAGES	4096
#define NR_LOOKUPS	1024		/* descriptor lookups, at most MANY_PAGES */
#define POOL_SIZE	SZ_1M

/* Never merge the cache, so that its layout is the same on every host. */
#ifdef SLAB_NO_MERGE
#define HOST_CACHE_FLAGS	SLAB_NO_MERGE
#else
#define HOST_CACHE_FLAGS	SLAB_NOLEAKTRACE	/* for kmemleak only; never merged */
#endif

enum { SIZE_64, SIZE_256, SIZE_CTOR, NR_SIZES };

static const unsigned int object_sizes[NR_SIZES] = { 64, 256, 64 };

/* Its run time does not matter, but a cache with a constructor is laid out differently. */
static void construct(void *objp)
{
	*(unsigned long *)objp = 0;
}

static void (* const constructors[NR_SIZES])(void *objp) = { [SIZE_CTOR] = construct };

/* What the loops work on. */
struct bench {
	struct mmbox *box;
	struct mmbox *bitmap;		/* another box, with buddy=bitmap */
	struct mmbox *nodes;		/* another box, with a node for each of two CPUs */
	struct mmbox *model;		/* with the memory model of the current row, or NULL */
	struct mmbox_kmem_cache *box_cache[NR_SIZES];
	struct kmem_cache *host_cache[NR_SIZES];
	struct gen_pool *pool;		/* NULL on hosts without gen_pool */
	void *pool_mem;
	void *host_page;		/* a page of the host, for lookups */
	void **ptrs;			/* MANY_PAGES of them */
	void **ptrs2;			/* the same for the second CPU */
	u64 *times;			/* 3 * rounds */
};

/* One side of a row: @n loops, in ns; NO_MEMORY if an allocation failed. */
typedef u64 (*loop_fn)(struct bench *b, void **ptrs, unsigned int n);

#define NO_MEMORY	U64_MAX

/* @body allocates, and jumps to no_memory if that fails. */
#define DEFINE_LOOP(name, body)						\
static noinline u64 name(struct bench *b, void **ptrs, unsigned int n)	\
{									\
	u64 start = ktime_get_ns();					\
									\
	for (; n; n--) {						\
		body;							\
		barrier();						\
	}								\
	return ktime_get_ns() - start;					\
no_memory:								\
	return NO_MEMORY;						\
}

/* A pair: @alloc, then @free at once. */
#define DEFINE_PAIR(name, type, alloc, free)				\
	DEFINE_LOOP(name, {						\
		type p = alloc;						\
									\
		if (unlikely(!p))					\
			goto no_memory;					\
		free;							\
	})

/* @count allocated, then freed in the same order. */
#define DEFINE_MANY(name, count, alloc, free)				\
	DEFINE_LOOP(name, {						\
		unsigned int i;						\
									\
		for (i = 0; i < (count); i++) {				\
			void *p = alloc;				\
									\
			if (unlikely(!p))				\
				goto no_memory;				\
			ptrs[i] = p;					\
		}							\
		for (i = 0; i < (count); i++) {				\
			void *p = ptrs[i];				\
									\
			free;						\
		}							\
	})

static __always_inline void *nothing(void *p)
{
	OPTIMIZER_HIDE_VAR(p);
	return p;
}

/* ---- the loops ---- */

DEFINE_PAIR(empty_pair, void *, nothing(b), nothing(p))
DEFINE_MANY(empty_1000, MANY_OBJECTS, nothing(b), nothing(p))
DEFINE_MANY(empty_4096, MANY_PAGES, nothing(b), nothing(p))

DEFINE_PAIR(box_cache_64, void *,
	    mmbox_kmem_cache_alloc(b->box_cache[SIZE_64], GFP_KERNEL),
	    mmbox_kmem_cache_free(b->box_cache[SIZE_64], p))
DEFINE_PAIR(host_cache_64, void *,
	    kmem_cache_alloc(b->host_cache[SIZE_64], GFP_KERNEL),
	    kmem_cache_free(b->host_cache[SIZE_64], p))

DEFINE_PAIR(box_cache_256, void *,
	    mmbox_kmem_cache_alloc(b->box_cache[SIZE_256], GFP_KERNEL),
	    mmbox_kmem_cache_free(b->box_cache[SIZE_256], p))
DEFINE_PAIR(host_cache_256, void *,
	    kmem_cache_alloc(b->host_cache[SIZE_256], GFP_KERNEL),
	    kmem_cache_free(b->host_cache[SIZE_256], p))

DEFINE_PAIR(box_cache_ctor, void *,
	    mmbox_kmem_cache_alloc(b->box_cache[SIZE_CTOR], GFP_KERNEL),
	    mmbox_kmem_cache_free(b->box_cache[SIZE_CTOR], p))
DEFINE_PAIR(host_cache_ctor, void *,
	    kmem_cache_alloc(b->host_cache[SIZE_CTOR], GFP_KERNEL),
	    kmem_cache_free(b->host_cache[SIZE_CTOR], p))

/* The size is a compile-time constant, as for most callers. */
DEFINE_PAIR(box_kmalloc, void *,
	    mmbox_kmalloc(b->box, 64, GFP_KERNEL),
	    mmbox_kfree(b->box, p))
DEFINE_PAIR(host_kmalloc, void *,
	    kmalloc(64, GFP_KERNEL), kfree(p))

DEFINE_PAIR(box_bulk, int,
	    mmbox_kmem_cache_alloc_bulk(b->box_cache[SIZE_64], GFP_KERNEL, BULK, ptrs),
	    mmbox_kmem_cache_free_bulk(b->box_cache[SIZE_64], BULK, ptrs))
DEFINE_PAIR(host_bulk, int,
	    kmem_cache_alloc_bulk(b->host_cache[SIZE_64], GFP_KERNEL, BULK, ptrs),
	    kmem_cache_free_bulk(b->host_cache[SIZE_64], BULK, ptrs))

DEFINE_MANY(box_1000, MANY_OBJECTS,
	    mmbox_kmem_cache_alloc(b->box_cache[SIZE_256], GFP_KERNEL),
	    mmbox_kmem_cache_free(b->box_cache[SIZE_256], p))
DEFINE_MANY(host_1000, MANY_OBJECTS,
	    kmem_cache_alloc(b->host_cache[SIZE_256], GFP_KERNEL),
	    kmem_cache_free(b->host_cache[SIZE_256], p))

#define DEFINE_PAGES(order)						\
DEFINE_PAIR(box_pages_##order, struct mmbox_page *,			\
	    mmbox_alloc_pages(b->box, GFP_KERNEL, order),		\
	    __mmbox_free_pages(b->box, p, order))			\
DEFINE_PAIR(host_pages_##order, struct page *,				\
	    alloc_pages(GFP_KERNEL, order), __free_pages(p, order))

DEFINE_PAGES(0)
DEFINE_PAGES(3)
DEFINE_PAGES(5)
DEFINE_PAGES(9)

DEFINE_MANY(box_4096, MANY_PAGES, mmbox_alloc_page(b->box, GFP_KERNEL),
	    __mmbox_free_page(b->box, p))
DEFINE_MANY(host_4096, MANY_PAGES, alloc_page(GFP_KERNEL), __free_page(p))

/* The worst case of the bitmap: one page, allocated and freed in turn. */
DEFINE_PAIR(bitmap_pages_0, struct mmbox_page *,
	    mmbox_alloc_pages(b->bitmap, GFP_KERNEL, 0),
	    __mmbox_free_pages(b->bitmap, p, 0))

/* Not on per-CPU lists: each pair takes zone->lock twice. */
DEFINE_PAIR(nodes_pages_5, struct mmbox_page *,
	    mmbox_alloc_pages(b->nodes, GFP_KERNEL, 5),
	    __mmbox_free_pages(b->nodes, p, 5))

#ifdef CONFIG_GENERIC_ALLOCATOR
DEFINE_PAIR(host_gen_pool, unsigned long, gen_pool_alloc(b->pool, PAGE_SIZE),
	    gen_pool_free(b->pool, p, PAGE_SIZE))

static int make_pool(struct bench *b)
{
	b->pool = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
	b->pool_mem = (void *)__get_free_pages(GFP_KERNEL, get_order(POOL_SIZE));
	if (!b->pool || !b->pool_mem)
		return -ENOMEM;
	return gen_pool_add(b->pool, (unsigned long)b->pool_mem, POOL_SIZE,
			    NUMA_NO_NODE);
}

static void free_pool(struct bench *b)
{
	if (b->pool)
		gen_pool_destroy(b->pool);
	free_pages((unsigned long)b->pool_mem, get_order(POOL_SIZE));
}
#else
#define host_gen_pool	NULL

static int make_pool(struct bench *b)
{
	return 0;
}

static void free_pool(struct bench *b)
{
}
#endif

/* The least work of a per-CPU allocator: pop and push a stack. */
struct stack {
	unsigned int avail;
	void *entry[BULK];
};

static DEFINE_PER_CPU(struct stack, stacks);

static noinline void *stack_pop(void)
{
	struct stack *s = &get_cpu_var(stacks);
	void *p = NULL;

	if (likely(s->avail))
		p = s->entry[--s->avail];
	put_cpu_var(stacks);
	return p;
}

static noinline void stack_push(void *p)
{
	struct stack *s = &get_cpu_var(stacks);

	if (likely(s->avail < BULK))
		s->entry[s->avail++] = p;
	put_cpu_var(stacks);
}

DEFINE_PAIR(host_stack, void *, stack_pop(), stack_push(p))

/* Fill the stacks of all CPUs. The values do not matter. */
static void fill_stacks(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct stack *s = per_cpu_ptr(&stacks, cpu);

		for (s->avail = 0; s->avail < BULK / 2; s->avail++)
			s->entry[s->avail] = s;
	}
}

/* ---- work on two CPUs ---- */

DEFINE_LOOP(box_many_alloc, {
	unsigned int i;

	for (i = 0; i < MANY_OBJECTS; i++) {
		ptrs[i] = mmbox_kmem_cache_alloc(b->box_cache[SIZE_256], GFP_KERNEL);
		if (unlikely(!ptrs[i]))
			goto no_memory;
	}
})

DEFINE_LOOP(host_many_alloc, {
	unsigned int i;

	for (i = 0; i < MANY_OBJECTS; i++) {
		ptrs[i] = kmem_cache_alloc(b->host_cache[SIZE_256], GFP_KERNEL);
		if (unlikely(!ptrs[i]))
			goto no_memory;
	}
})

#define DEFINE_MANY_FREE(name, free)					\
static noinline u64 name(struct bench *b, void **ptrs, unsigned int n)	\
{									\
	u64 start = ktime_get_ns();					\
	unsigned int i;							\
									\
	for (i = 0; i < MANY_OBJECTS; i++)				\
		free;							\
	return ktime_get_ns() - start;					\
}

DEFINE_MANY_FREE(box_many_free,
		 mmbox_kmem_cache_free(b->box_cache[SIZE_256], ptrs[i]))
DEFINE_MANY_FREE(host_many_free,
		 kmem_cache_free(b->host_cache[SIZE_256], ptrs[i]))
DEFINE_MANY_FREE(empty_many_free, nothing(ptrs[i]))

struct remote {
	struct bench *b;
	loop_fn fn;
	u64 ns;
};

static long call_loop(void *arg)
{
	struct remote *r = arg;

	r->ns = r->fn(r->b, r->b->ptrs, 1);
	return 0;
}

/* Allocate on one CPU, free on another. Times the frees. */
static u64 free_elsewhere(struct bench *b, loop_fn alloc, loop_fn free,
			  unsigned int n)
{
	unsigned int cpu = cpumask_first(cpu_online_mask);
	unsigned int other = cpumask_next(cpu, cpu_online_mask);
	u64 ns = 0;

	for (; n; n--) {
		struct remote r = { .b = b, .fn = alloc };

		if (alloc) {
			work_on_cpu(cpu, call_loop, &r);
			if (r.ns == NO_MEMORY)
				return NO_MEMORY;
		}
		r.fn = free;
		work_on_cpu(other, call_loop, &r);
		ns += r.ns;
	}
	return ns;
}

static u64 box_remote(struct bench *b, void **ptrs, unsigned int n)
{
	return free_elsewhere(b, box_many_alloc, box_many_free, n);
}

static u64 host_remote(struct bench *b, void **ptrs, unsigned int n)
{
	return free_elsewhere(b, host_many_alloc, host_many_free, n);
}

static u64 empty_remote(struct bench *b, void **ptrs, unsigned int n)
{
	return free_elsewhere(b, NULL, empty_many_free, n);
}

/* ---- page frame numbers and descriptors ---- */

/* Page frames of both banks, without the hole between them. */
static unsigned long model_pfn(const struct mmbox *box, unsigned int i)
{
	unsigned int half = i % 2;

	return PHYS_PFN(box->cfg.banks[half].base) + i / 2;
}

/* One lookup after the other. @fill sets their arguments before the clock starts. */
#define DEFINE_LOOKUP(name, type, fill, lookup)				\
static noinline u64 name(struct bench *b, void **ptrs, unsigned int n)	\
{									\
	struct mmbox *box __maybe_unused = b->model;			\
	unsigned int i;							\
	u64 start;							\
									\
	for (i = 0; i < NR_LOOKUPS; i++)				\
		ptrs[i] = (void *)(fill);				\
	start = ktime_get_ns();						\
	for (; n; n--) {						\
		for (i = 0; i < NR_LOOKUPS; i++) {			\
			void *p = ptrs[i];				\
			type result = lookup;				\
									\
			/* Compute it now, and keep nothing for later. */	\
			asm volatile("" : : "r" (result) : "memory");	\
		}							\
	}								\
	return ktime_get_ns() - start;					\
}

DEFINE_LOOKUP(empty_lookup, void *, b, p)
/* For boxes with one array, without, and for code that handles both. */
DEFINE_LOOKUP(linear_pfn_to_page, struct mmbox_page *, model_pfn(box, i),
	      mmbox_linear_pfn_to_page(box, (unsigned long)p))
DEFINE_LOOKUP(linear_page_to_pfn, unsigned long,
	      __mmbox_pfn_to_page(box, model_pfn(box, i)),
	      mmbox_linear_page_to_pfn(box, p))
DEFINE_LOOKUP(memmap_pfn_to_page, struct mmbox_page *, model_pfn(box, i),
	      mmbox_memmap_pfn_to_page(box, (unsigned long)p))
DEFINE_LOOKUP(memmap_page_to_pfn, unsigned long,
	      __mmbox_pfn_to_page(box, model_pfn(box, i)),
	      mmbox_memmap_page_to_pfn(box, p))
DEFINE_LOOKUP(any_pfn_to_page, struct mmbox_page *, model_pfn(box, i),
	      __mmbox_pfn_to_page(box, (unsigned long)p))
DEFINE_LOOKUP(any_page_to_pfn, unsigned long,
	      __mmbox_pfn_to_page(box, model_pfn(box, i)),
	      __mmbox_page_to_pfn(box, p))
DEFINE_LOOKUP(host_pfn_to_page, struct page *, page_to_pfn(virt_to_page(b->host_page)),
	      pfn_to_page((unsigned long)p))
DEFINE_LOOKUP(host_page_to_pfn, unsigned long, virt_to_page(b->host_page),
	      page_to_pfn((struct page *)p))

/* ---- rows ---- */

struct row {
	const char *name;
	const char *text;
	loop_fn box, host, empty;	/* box NULL: for comparison only */
	unsigned int ops;		/* operations per loop; results are per operation */
	unsigned int weight;		/* loops are iterations / weight */
	unsigned int goal;		/* box/host, in 1/100; 0: none */
	bool smp;			/* needs two CPUs */
	bool scale;			/* results are the throughput of two CPUs over one */
	const char *model;		/* run on a box with this memory model, or NULL */

	bool done;
	u64 box_ns, host_ns;		/* results in 1/100 ns; for @scale 1/100 */
};

static struct row table[] = {
	{ "cache-64", "kmem_cache pair, 64 B",
	  box_cache_64, host_cache_64, empty_pair, 1, 1, 25 },
	{ "cache-256", "kmem_cache pair, 256 B",
	  box_cache_256, host_cache_256, empty_pair, 1, 1, 25 },
	{ "cache-ctor", "kmem_cache pair with a constructor, 64 B",
	  box_cache_ctor, host_cache_ctor, empty_pair, 1, 1 },
	{ "kmalloc-64", "kmalloc pair, 64 B",
	  box_kmalloc, host_kmalloc, empty_pair, 1, 1, 25 },
	{ "bulk-16", "kmem_cache bulk of 16, 64 B",
	  box_bulk, host_bulk, empty_pair, 1, 10, 20 },
	{ "objects-1000", "1,000 objects of 256 B, then freed; each",
	  box_1000, host_1000, empty_1000, MANY_OBJECTS, 500, 30 },
	{ "pages-0", "alloc_pages pair, order 0",
	  box_pages_0, host_pages_0, empty_pair, 1, 4, 25 },
	{ "pages-3", "alloc_pages pair, order 3",
	  box_pages_3, host_pages_3, empty_pair, 1, 4, 25 },
	{ "pages-5", "alloc_pages pair, order 5",
	  box_pages_5, host_pages_5, empty_pair, 1, 8, 40 },
	{ "pages-9", "alloc_pages pair, order 9",
	  box_pages_9, host_pages_9, empty_pair, 1, 20, 40 },
	{ "pages-4096", "4,096 pages of order 0, then freed; each",
	  box_4096, host_4096, empty_4096, MANY_PAGES, 2000, 30 },
	{ "remote-free", "free on another CPU, 256 B",
	  box_remote, host_remote, empty_remote, MANY_OBJECTS, 200, 50, .smp = true },
	{ "two-cpus-cache", "two CPUs against one, kmem_cache pair, 64 B",
	  box_cache_64, host_cache_64, empty_pair, 1, 1, 190, .smp = true, .scale = true },
	{ "two-cpus-pages", "two CPUs against one, alloc_pages pair, order 0",
	  box_pages_0, host_pages_0, empty_pair, 1, 1, 190, .smp = true, .scale = true },
	{ "pages-bitmap", "one page in turn: lists against the bitmap generation",
	  box_pages_0, bitmap_pages_0, empty_pair, 1, 4 },
	{ "two-cpus-bitmap", "two CPUs against one: lists, bitmap generation, order 0",
	  box_pages_0, bitmap_pages_0, empty_pair, 1, 4, .smp = true, .scale = true },
	{ "two-cpus-nodes", "two CPUs against one: two nodes, one node, order 5",
	  nodes_pages_5, box_pages_5, empty_pair, 1, 8, .smp = true, .scale = true },
	{ "pfn-to-page-flat", "pfn to page, flat",
	  linear_pfn_to_page, host_pfn_to_page, empty_lookup, NR_LOOKUPS, 200, 100,
	  .model = "flat" },
	{ "page-to-pfn-flat", "page to pfn, flat",
	  linear_page_to_pfn, host_page_to_pfn, empty_lookup, NR_LOOKUPS, 200, 100,
	  .model = "flat" },
	{ "pfn-to-page-discontig", "pfn to page, discontig",
	  memmap_pfn_to_page, host_pfn_to_page, empty_lookup, NR_LOOKUPS, 200, 200,
	  .model = "discontig" },
	{ "page-to-pfn-discontig", "page to pfn, discontig",
	  memmap_page_to_pfn, host_page_to_pfn, empty_lookup, NR_LOOKUPS, 200, 200,
	  .model = "discontig" },
	{ "pfn-to-page-sparse-static", "pfn to page, sparse-static",
	  memmap_pfn_to_page, host_pfn_to_page, empty_lookup, NR_LOOKUPS, 200, 200,
	  .model = "sparse-static" },
	{ "page-to-pfn-sparse-static", "page to pfn, sparse-static",
	  memmap_page_to_pfn, host_page_to_pfn, empty_lookup, NR_LOOKUPS, 200, 200,
	  .model = "sparse-static" },
	{ "pfn-to-page-sparse-extreme", "pfn to page, sparse-extreme",
	  memmap_pfn_to_page, host_pfn_to_page, empty_lookup, NR_LOOKUPS, 200, 200,
	  .model = "sparse-extreme" },
	{ "page-to-pfn-sparse-extreme", "page to pfn, sparse-extreme",
	  memmap_page_to_pfn, host_page_to_pfn, empty_lookup, NR_LOOKUPS, 200, 200,
	  .model = "sparse-extreme" },
	{ "pfn-to-page-sparse-vmemmap", "pfn to page, sparse-vmemmap",
	  linear_pfn_to_page, host_pfn_to_page, empty_lookup, NR_LOOKUPS, 200, 100,
	  .model = "sparse-vmemmap" },
	{ "page-to-pfn-sparse-vmemmap", "page to pfn, sparse-vmemmap",
	  linear_page_to_pfn, host_page_to_pfn, empty_lookup, NR_LOOKUPS, 200, 100,
	  .model = "sparse-vmemmap" },
	{ "pfn-to-page-any", "pfn to page, the same where any model may be",
	  any_pfn_to_page, host_pfn_to_page, empty_lookup, NR_LOOKUPS, 200,
	  .model = "sparse-vmemmap" },
	{ "page-to-pfn-any", "page to pfn, the same where any model may be",
	  any_page_to_pfn, host_page_to_pfn, empty_lookup, NR_LOOKUPS, 200,
	  .model = "sparse-vmemmap" },
	{ "gen-pool", "for comparison: gen_pool page pair",
	  NULL, host_gen_pool, empty_pair, 1, 2 },
	{ "per-cpu-stack", "for comparison: bare per-CPU pop and push",
	  NULL, host_stack, empty_pair, 1, 1 },
};

static int compare_u64(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static u64 median(u64 *times)
{
	sort(times, rounds, sizeof(*times), compare_u64, NULL);
	return times[rounds / 2];
}

/* Nanoseconds per operation in 1/100, without the empty loop. */
static u64 per_op(u64 ns, u64 empty_ns, u64 ops)
{
	return ns > empty_ns ? div64_u64((ns - empty_ns) * 100 + ops / 2, ops) : 0;
}

/* Make a box for one row: two banks with a hole as large as both between them. */
static struct mmbox *make_model_box(const char *model)
{
	struct mmbox_config cfg;
	int which;

	mmbox_config_init(&cfg);
	cfg.name = model;
	cfg.pages_only = true;
	cfg.size = SZ_32M;
	cfg.banks[0] = (struct mmbox_bank){ .base = 0, .size = SZ_16M };
	cfg.banks[1] = (struct mmbox_bank){ .base = SZ_32M + SZ_16M, .size = SZ_16M };
	cfg.nr_banks = 2;
	which = match_string(mmbox_model_names, MMBOX_NR_MODELS, model);
	if (which < 0)
		return ERR_PTR(which);
	cfg.model = which;
	return mmbox_create(&cfg);
}

static int run_row(struct bench *b, struct row *row)
{
	unsigned int n = max(iterations / row->weight, 1U), i;
	u64 *box = b->times, *host = box + rounds, *empty = host + rounds;

	/* The first round warms up the caches and does not count. */
	for (i = 0; i <= rounds; i++) {
		unsigned int at = i ? i - 1 : 0;

		box[at] = row->box ? row->box(b, b->ptrs, n) : 0;
		cond_resched();
		host[at] = row->host(b, b->ptrs, n);
		cond_resched();
		empty[at] = row->empty(b, b->ptrs, n);
		cond_resched();
		if (box[at] == NO_MEMORY || host[at] == NO_MEMORY)
			return -ENOMEM;
	}
	median(empty);
	row->host_ns = per_op(median(host), empty[rounds / 2], (u64)n * row->ops);
	row->box_ns = per_op(median(box), empty[rounds / 2], (u64)n * row->ops);
	return 0;
}

/* ---- throughput: threads that start together ---- */

struct racer {
	struct bench *b;
	void **ptrs;
	loop_fn fn;
	unsigned int n;
	atomic_t *ready;	/* racers that are not ready yet */
	u64 ns;
	struct completion done;
};

static int race(void *arg)
{
	struct racer *r = arg;

	atomic_dec(r->ready);
	while (atomic_read(r->ready))
		cpu_relax();
	r->ns = r->fn(r->b, r->ptrs, r->n);
	complete(&r->done);
	return 0;
}

/* The time until all of @nr threads, one per CPU, have done @n loops. */
static u64 race_cpus(struct bench *b, loop_fn fn, unsigned int n, unsigned int nr)
{
	struct racer racers[2];
	struct task_struct *tasks[2];
	atomic_t ready = ATOMIC_INIT(nr);
	int cpu = cpumask_first(cpu_online_mask);
	unsigned int i;
	u64 ns = 0;

	for (i = 0; i < nr; i++) {
		racers[i] = (struct racer){
			.b = b, .ptrs = i ? b->ptrs2 : b->ptrs, .fn = fn, .n = n,
			.ready = &ready,
		};
		init_completion(&racers[i].done);
		tasks[i] = kthread_create(race, &racers[i], "mmbox_bench/%d", cpu);
		if (IS_ERR(tasks[i])) {
			while (i--)
				kthread_stop(tasks[i]);
			return NO_MEMORY;
		}
		kthread_bind(tasks[i], cpu);
		cpu = cpumask_next(cpu, cpu_online_mask);
	}
	for (i = 0; i < nr; i++)
		wake_up_process(tasks[i]);
	for (i = 0; i < nr; i++) {
		wait_for_completion(&racers[i].done);
		ns = max(ns, racers[i].ns);
	}
	return ns;
}

static int race_side(struct bench *b, loop_fn fn, unsigned int n, u64 *one, u64 *two)
{
	u64 ns = race_cpus(b, fn, n, 1);

	if (ns == NO_MEMORY)
		return -ENOMEM;
	*one = min(*one, ns);
	ns = race_cpus(b, fn, n, 2);
	if (ns == NO_MEMORY)
		return -ENOMEM;
	*two = min(*two, ns);
	return 0;
}

/* Take the best of many runs: disturbances only make them slower. */
static int run_scale(struct bench *b, struct row *row)
{
	u64 box[2] = { U64_MAX, U64_MAX }, host[2] = { U64_MAX, U64_MAX };
	unsigned int n = max(iterations / row->weight, 1U), i;

	for (i = 0; i < 4 * rounds; i++)
		if (race_side(b, row->box, n, &box[0], &box[1]) ||
		    race_side(b, row->host, n, &host[0], &host[1]))
			return -ENOMEM;
	row->box_ns = div64_u64(box[0] * 200, max(box[1], 1ULL));
	row->host_ns = div64_u64(host[0] * 200, max(host[1], 1ULL));
	return 0;
}

/* ---- set-up, results ---- */

static bool row_wanted(const struct row *row)
{
	size_t len = strlen(row->name);
	const char *p = rows;

	if (row->smp && num_online_cpus() < 2)
		return false;
	if (!row->host)
		return false;
	if (!*p)
		return true;
	while (p) {
		if (!strncmp(p, row->name, len) && (!p[len] || p[len] == ','))
			return true;
		p = strchr(p, ',');
		p = p ? p + 1 : NULL;
	}
	return false;
}

static int run_table(struct bench *b)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		struct row *row = &table[i];

		if (!row_wanted(row))
			continue;
		/* Only now: while such a box exists, lookups in other boxes are slower. */
		b->model = row->model ? make_model_box(row->model) : NULL;
		if (IS_ERR(b->model)) {
			pr_err("row %s: cannot make its box: %pe\n", row->name, b->model);
			return PTR_ERR(b->model);
		}
		err = row->scale ? run_scale(b, row) : run_row(b, row);
		if (b->model)
			mmbox_destroy(b->model);
		if (err) {
			pr_err("row %s: an allocation failed\n", row->name);
			return err;
		}
		row->done = true;
	}
	return 0;
}

/* Make boxes for the benchmark, which are not published. */
static int make_boxes(struct bench *b)
{
	struct mmbox_config cfg;

	mmbox_config_init(&cfg);
	cfg.name = "bitmap";
	cfg.buddy = MMBOX_BUDDY_BITMAP;
	cfg.orders = MMBOX_MIN_ORDERS;
	cfg.pages_only = true;
	b->bitmap = mmbox_create(&cfg);
	if (IS_ERR(b->bitmap))
		return PTR_ERR(b->bitmap);

	mmbox_config_init(&cfg);
	cfg.name = "nodes";
	cfg.zone_dma = 0;
	cfg.pages_only = true;
	mmbox_nodes_split(&cfg, 2);
	b->nodes = mmbox_create(&cfg);
	return PTR_ERR_OR_ZERO(b->nodes);
}

static void free_bench(struct bench *b)
{
	int i;

	if (!IS_ERR_OR_NULL(b->nodes))
		mmbox_destroy(b->nodes);
	if (!IS_ERR_OR_NULL(b->bitmap))
		mmbox_destroy(b->bitmap);

	for (i = 0; i < NR_SIZES; i++) {
		mmbox_kmem_cache_destroy(b->box_cache[i]);
		kmem_cache_destroy(b->host_cache[i]);
	}
	free_pool(b);
	free_page((unsigned long)b->host_page);
	kvfree(b->times);
	kvfree(b->ptrs2);
	kvfree(b->ptrs);
	mmbox_put(b->box);
}

static int make_bench(struct bench *b)
{
	static const char *const names[] = {
		"mmbox_bench-64", "mmbox_bench-256", "mmbox_bench-ctor",
	};
	int i;

	fill_stacks();
	b->box = mmbox_get("box0");
	if (!b->box) {
		pr_err("there is no box0\n");
		return -ENODEV;
	}
	for (i = 0; i < NR_SIZES; i++) {
		b->box_cache[i] = mmbox_kmem_cache_create(b->box, names[i],
							  object_sizes[i], 0, 0,
							  constructors[i]);
		b->host_cache[i] = kmem_cache_create(names[i], object_sizes[i], 0,
						     HOST_CACHE_FLAGS, constructors[i]);
		if (!b->box_cache[i] || !b->host_cache[i])
			return -ENOMEM;
	}
	b->ptrs = kvcalloc(MANY_PAGES, sizeof(void *), GFP_KERNEL);
	b->ptrs2 = kvcalloc(MANY_PAGES, sizeof(void *), GFP_KERNEL);
	b->times = kvcalloc(3 * rounds, sizeof(u64), GFP_KERNEL);
	b->host_page = (void *)__get_free_page(GFP_KERNEL);
	if (!b->ptrs || !b->ptrs2 || !b->times || !b->host_page)
		return -ENOMEM;
	return make_boxes(b) ?: make_pool(b);
}

static int bench_show(struct seq_file *m, void *unused)
{
	unsigned int i;

	seq_puts(m, "row\tbox\thost\tratio\tgoal\tunit\ttext\n");
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		const struct row *row = &table[i];
		u64 ratio;

		if (!row->done)
			continue;
		/* For @scale the ratio is the box's own scaling. */
		ratio = row->scale ? row->box_ns * 10 :
			div64_u64(row->box_ns * 1000, max(row->host_ns, 1ULL));
		seq_printf(m, "%s\t", row->name);
		if (row->box)
			seq_printf(m, "%llu.%02llu\t", row->box_ns / 100, row->box_ns % 100);
		else
			seq_puts(m, "-\t");
		seq_printf(m, "%llu.%02llu\t", row->host_ns / 100, row->host_ns % 100);
		if (row->box)
			seq_printf(m, "%llu.%03llu\t", ratio / 1000, ratio % 1000);
		else
			seq_puts(m, "-\t");
		if (row->goal)
			seq_printf(m, "%s%u.%02u\t", row->scale ? ">=" : "<=",
				   row->goal / 100, row->goal % 100);
		else
			seq_puts(m, "-\t");
		seq_printf(m, "%s\t%s\n", row->scale ? "times" : "each", row->text);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(bench);

static struct dentry *bench_file;

static int __init mmbox_bench_init(void)
{
	struct bench b = {};
	int err;

	if (rounds < 1 || rounds > MAX_ROUNDS) {
		pr_err("rounds=%u: must be 1 to %u\n", rounds, MAX_ROUNDS);
		return -EINVAL;
	}
	if (iterations < 1) {
		pr_err("iterations=%u: must be 1 or more\n", iterations);
		return -EINVAL;
	}
	err = make_bench(&b);
	if (!err)
		err = run_table(&b);
	free_bench(&b);
	if (err)
		return err;
	bench_file = debugfs_create_file("mmbox_bench", 0400, NULL, NULL, &bench_fops);
	return 0;
}

static void __exit mmbox_bench_exit(void)
{
	debugfs_remove(bench_file);
}

module_init(mmbox_bench_init);
module_exit(mmbox_bench_exit);

MODULE_DESCRIPTION("Benchmark of mmbox beside the host's allocators");
MODULE_AUTHOR("The mmbox authors");
MODULE_VERSION(MMBOX_VERSION);
MODULE_LICENSE("GPL");
MMBOX_IMPORT_INTERNAL();
