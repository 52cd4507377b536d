// SPDX-License-Identifier: GPL-2.0
/*
 * mmbox_step.ko: the fast paths, interrupted between any two instructions.
 *
 * A thread uses boxes of its own with the trap flag set, so that the CPU traps
 * before each instruction. If interrupts are on, the trap raises one (irq_work),
 * which comes before that instruction is executed. The interrupt uses the same
 * box, or wakes a thread of higher priority that does, and so preempts the first
 * one if preemption is on. In another pass another CPU drains this one again and
 * again.
 *
 * All memory in use has a pattern, which is compared before it is freed. At the
 * end each box is checked, and nothing may be lost.
 *
 * All this runs while the module is inserted. Then /sys/kernel/debug/mmbox_step
 * has the counts, and the offset in mmbox.ko's text of each instruction that an
 * interrupt has hit. The text's address and size are parameters, since only user
 * space can read them. tools/e2e/steps has the expected results.
 */
#define pr_fmt(fmt) "mmbox_step: " fmt

#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/irq_work.h>
#include <linux/kdebug.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <asm/debugreg.h>
#include <asm/processor-flags.h>

#include <mmbox/mmbox.h>

#include "box.h"

static unsigned long text;
module_param(text, ulong, 0400);
MODULE_PARM_DESC(text, "where mmbox.ko's text lies");

static unsigned long text_size;
module_param(text_size, ulong, 0400);
MODULE_PARM_DESC(text_size, "and how long it is, in bytes");

static unsigned int rounds = 1;
module_param(rounds, uint, 0400);
MODULE_PARM_DESC(rounds, "rounds of each use of each box (default 1)");

#define NR_THINGS	12		/* most that a user holds */
#define NR_BULK		20
#define NR_CACHES	4
#define LEAST_DRAINS	20		/* of each use, by another CPU */
#define MOST_ROUNDS	100		/* give up: the other CPU does not drain */

/* ---- users and kinds of use ---- */

enum use {
	USE_OBJECT,
	USE_BULK,
	USE_KMALLOC,
	USE_PAGES,
	NR_USES,
};

struct thing {
	bool held;
	enum use use;
	struct mmbox_kmem_cache *cachep;
	struct mmbox_page *page;
	unsigned int order;		/* of pages */
	size_t size;			/* bytes that may be written */
	void *addr;
	void *bulk[NR_BULK];
};

struct holder {
	unsigned long pattern;
	u32 seed;
	gfp_t gfp;
	struct thing things[NR_THINGS];
	unsigned long nr_allocs;
	unsigned long nr_failed;	/* allocations that failed */
	unsigned long nr_spoiled;	/* things changed by others, or not cleared */
};

/* What comes between two instructions. */
enum pass {
	PASS_OBJECT,			/* an interrupt, which uses the same cache */
	PASS_BULK,
	PASS_KMALLOC,
	PASS_PAGES,
	PASS_ANY,			/* an interrupt, any of these, of any size */
	PASS_PREEMPT,			/* a thread that does these, and shrinks */
	PASS_DRAIN,			/* another CPU that shrinks */
	NR_PASSES,
};

static const char *const pass_names[NR_PASSES] = {
	"object", "bulk", "kmalloc", "pages", "any", "preempt", "drain",
};

struct stepper {
	struct notifier_block nb;
	struct irq_work work;
#ifdef CONFIG_PREEMPT_NOTIFIERS
	struct preempt_notifier preempt;
#endif
	struct task_struct *task;	/* the stepped thread */
	bool armed;			/* between step_on() and step_off() */
	bool trapping;			/* the flag was set when it called the scheduler */
	bool pending;			/* the interrupt for the last step has not come yet */
	bool preempted;			/* the other thread ran since the last step */
	unsigned long last;		/* offset of the last instruction, in the text */
	enum pass pass;
	struct mmbox *box;
	struct mmbox_kmem_cache *cachep;	/* that is being used */
	struct mmbox_kmem_cache *caches[NR_CACHES];
	struct holder stepped, nested, preempting;
	struct task_struct *preempter, *drainer;
	bool preempter_wanted;
	bool drains;
	unsigned long drains_before;	/* nr_nested of them when this use began */

	unsigned long *met;		/* bitmap of the text: instructions that were interrupted */
	unsigned long nr_steps;		/* instructions of the text with interrupts on */
	unsigned long nr_irqs_off;	/* and with interrupts off */
	unsigned long nr_outside;	/* instructions of the kernel, called by the text */
	unsigned long nr_late;		/* interrupts that came a step late, or never */
	unsigned long nr_nested[NR_PASSES];
	unsigned long nr_preempted;	/* steps before which the other thread ran */
	unsigned long nr_problems;
};

static u32 next(struct holder *user)
{
	/* G. Marsaglia's xorshift: requests in a row must not be correlated. */
	user->seed ^= user->seed << 13;
	user->seed ^= user->seed >> 17;
	user->seed ^= user->seed << 5;
	return user->seed;
}

/* ---- stepping ---- */

static __always_inline void trap_flag_on(void)
{
	asm volatile("pushfq; orq %0, (%%rsp); popfq" : : "i" (X86_EFLAGS_TF) : "memory", "cc");
}

static __always_inline void trap_flag_off(void)
{
	asm volatile("pushfq; andq %0, (%%rsp); popfq" : :
		     "i" (~(long)X86_EFLAGS_TF) : "memory", "cc");
}

static __always_inline void step_on(struct stepper *st)
{
	WRITE_ONCE(st->armed, true);
	trap_flag_on();
}

static __always_inline void step_off(struct stepper *st)
{
	trap_flag_off();
	WRITE_ONCE(st->armed, false);
}

/* Called before an instruction of the text that may be interrupted. */
static void step(struct stepper *st, unsigned long offset)
{
	st->nr_late += READ_ONCE(st->pending);
	st->nr_preempted += st->preempted;
	st->preempted = false;
	st->nr_steps++;
	st->last = offset;
	if (st->pass == PASS_DRAIN)
		return;
	WRITE_ONCE(st->pending, true);
	irq_work_queue(&st->work);
}

static int on_debug(struct notifier_block *nb, unsigned long what, void *data)
{
	struct stepper *st = container_of(nb, struct stepper, nb);
	struct die_args *args = data;
	struct pt_regs *regs = args->regs;
	unsigned long *dr6 = (unsigned long *)args->err;	/* as kprobes does */

	if (what != DIE_DEBUG || user_mode(regs) || !(*dr6 & DR_STEP))
		return NOTIFY_DONE;
	if (current != st->task || !READ_ONCE(st->armed)) {
		/* The flag came through the scheduler, or is about to be cleared. */
		if (current != st->task)
			regs->flags &= ~X86_EFLAGS_TF;
	} else if (regs->ip - text >= text_size) {
		st->nr_outside++;
	} else if (!(regs->flags & X86_EFLAGS_IF)) {
		st->nr_irqs_off++;
	} else {
		step(st, regs->ip - text);
	}
	*dr6 &= ~DR_STEP;
	return NOTIFY_STOP;
}

/*
 * If the thread calls the scheduler itself, the flag must be cleared and set again.
 * If an interrupt preempts it, the flag is saved with the interrupted registers.
 */
#ifdef CONFIG_PREEMPT_NOTIFIERS
static void sched_in(struct preempt_notifier *notifier, int cpu)
{
	if (container_of(notifier, struct stepper, preempt)->trapping)
		trap_flag_on();
}

static void sched_out(struct preempt_notifier *notifier, struct task_struct *next)
{
	container_of(notifier, struct stepper, preempt)->trapping =
		native_save_fl() & X86_EFLAGS_TF;
	trap_flag_off();
}

static struct preempt_ops preempt_ops = {
	.sched_in = sched_in,
	.sched_out = sched_out,
};

static void follow_preemption(struct stepper *st)
{
	preempt_notifier_inc();
	preempt_notifier_init(&st->preempt, &preempt_ops);
	preempt_notifier_register(&st->preempt);
}

static void unfollow_preemption(struct stepper *st)
{
	preempt_notifier_unregister(&st->preempt);
	preempt_notifier_dec();
}
#else
static void follow_preemption(struct stepper *st)
{
}

static void unfollow_preemption(struct stepper *st)
{
}
#endif

/* Call the box, stepped if @st is not NULL. */
#define CALL(st, call)			\
do {					\
	if (st)				\
		step_on(st);		\
	call;				\
	if (st)				\
		step_off(st);		\
} while (0)

/* ---- use ---- */

static unsigned long pattern_of(const struct holder *user, const void *addr)
{
	return user->pattern ^ (unsigned long)addr * 31;
}

static void fill(struct holder *user, void *addr, size_t size)
{
	size_t at;

	if (user->gfp & __GFP_ZERO && memchr_inv(addr, 0, size))
		user->nr_spoiled++;
	for (at = 0; at + sizeof(long) <= size; at += sizeof(long))
		*(unsigned long *)(addr + at) = pattern_of(user, addr + at);
}

static void check(struct holder *user, void *addr, size_t size)
{
	size_t at;

	for (at = 0; at + sizeof(long) <= size; at += sizeof(long)) {
		if (*(unsigned long *)(addr + at) != pattern_of(user, addr + at)) {
			user->nr_spoiled++;
			return;
		}
	}
}

static void use_alloc(struct stepper *st, struct mmbox *box, struct holder *user,
		      struct thing *thing)
{
	gfp_t gfp = user->gfp;
	int nr = 0, i;

	thing->addr = NULL;
	switch (thing->use) {
	case USE_OBJECT:
		thing->size = thing->cachep->object_size;
		CALL(st, thing->addr = mmbox_kmem_cache_alloc(thing->cachep, gfp));
		break;
	case USE_BULK:
		thing->size = thing->cachep->object_size;
		CALL(st, nr = mmbox_kmem_cache_alloc_bulk(thing->cachep, gfp, NR_BULK,
							  thing->bulk));
		for (i = 0; i < nr; i++)
			fill(user, thing->bulk[i], thing->size);
		thing->held = nr;
		user->nr_allocs += nr;
		user->nr_failed += !nr;
		return;
	case USE_KMALLOC:
		/* A constant size, a variable size, and a node. */
		if (thing->size == 40)
			CALL(st, thing->addr = mmbox_kmalloc_small(box, gfp, (40 - 1) / 8));
		else if (thing->size < 256)
			CALL(st, thing->addr = mmbox_kmalloc_size(box, thing->size, gfp));
		else
			CALL(st, thing->addr = mmbox_kmalloc_node(box, thing->size, gfp,
								  NUMA_NO_NODE));
		break;
	default:
		thing->size = PAGE_SIZE << thing->order;
		CALL(st, thing->page = mmbox_alloc_pages(box, gfp, thing->order));
		thing->addr = thing->page ? mmbox_page_address(box, thing->page) : NULL;
	}
	thing->held = thing->addr;
	user->nr_allocs += thing->held;
	user->nr_failed += !thing->held;
	if (thing->held)
		fill(user, thing->addr, thing->size);
}

static void use_free(struct stepper *st, struct mmbox *box, struct holder *user,
		     struct thing *thing)
{
	int i;

	if (!thing->held)
		return;
	thing->held = false;
	if (thing->use == USE_BULK) {
		for (i = 0; i < NR_BULK; i++)
			check(user, thing->bulk[i], thing->size);
		CALL(st, mmbox_kmem_cache_free_bulk(thing->cachep, NR_BULK, thing->bulk));
		return;
	}
	check(user, thing->addr, thing->size);
	if (thing->use == USE_OBJECT)
		CALL(st, mmbox_kmem_cache_free(thing->cachep, thing->addr));
	else if (thing->use == USE_KMALLOC)
		CALL(st, mmbox_kfree(box, thing->addr));
	else
		CALL(st, __mmbox_free_pages(box, thing->page, thing->order));
}

static void choose(struct holder *user, struct thing *thing, enum use use,
		   struct mmbox_kmem_cache *cachep)
{
	static const u16 sizes[] = { 40, 40, 8, 100, 192, 700, 4096, 9000 };

	thing->use = use;
	thing->cachep = cachep;
	thing->size = sizes[next(user) % ARRAY_SIZE(sizes)];
	thing->order = next(user) % 8 ? next(user) % 4 : 4;
	user->gfp &= ~__GFP_ZERO;
	if (next(user) % 8 == 0)
		user->gfp |= __GFP_ZERO;
}

static void free_all(struct stepper *st, struct mmbox *box, struct holder *user)
{
	unsigned int i;

	for (i = 0; i < NR_THINGS; i++)
		use_free(st, box, user, &user->things[i]);
}

/* Allocate all things, and free them oldest first, newest first, or mixed. */
static void use_stepped(struct stepper *st, enum use how, unsigned int round)
{
	struct holder *user = &st->stepped;
	unsigned int nr = how == USE_BULK ? 3 : NR_THINGS, i;

	for (i = 0; i < nr; i++) {
		choose(user, &user->things[i], how, st->cachep);
		use_alloc(st, st->box, user, &user->things[i]);
	}
	for (i = 0; i < nr && round % 3; i++)
		use_free(st, st->box, user,
			 &user->things[round % 3 == 1 ? nr - 1 - i : i * 5 % NR_THINGS]);
	free_all(st, st->box, user);
}

/*
 * What an interrupt does: free something that it has held for a while, and allocate
 * something that it keeps, which the stepped call must not get as well.
 */
static void use_nested(struct stepper *st, struct holder *user, enum pass pass)
{
	struct mmbox_kmem_cache *cachep = st->cachep;
	enum use what = (enum use)pass;
	struct thing *thing = &user->things[next(user) % 4];

	if (thing->held) {
		use_free(NULL, st->box, user, thing);
		if (next(user) % 2)
			return;
	}
	if (pass >= PASS_ANY) {
		what = next(user) % NR_USES;
		cachep = st->caches[next(user) % NR_CACHES];
	}
	choose(user, thing, what, cachep);
	use_alloc(NULL, st->box, user, thing);
	st->nr_nested[st->pass]++;
}

/* The interrupt between two steps. */
static void interrupt(struct irq_work *work)
{
	struct stepper *st = container_of(work, struct stepper, work);

	WRITE_ONCE(st->pending, false);
	set_bit(st->last, st->met);
	if (st->pass != PASS_PREEMPT) {
		use_nested(st, &st->nested, st->pass);
	} else if (!READ_ONCE(st->preempter_wanted)) {
		WRITE_ONCE(st->preempter_wanted, true);
		wake_up_process(st->preempter);
	}
}

/* Of higher priority, on the same CPU. */
static int preempt_thread(void *arg)
{
	struct stepper *st = arg;

	while (!kthread_should_stop()) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!READ_ONCE(st->preempter_wanted)) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		if (next(&st->preempting) % 16 == 0)
			mmbox_kmem_cache_shrink(st->cachep);
		else
			use_nested(st, &st->preempting, PASS_ANY);
		st->preempted = true;
		WRITE_ONCE(st->preempter_wanted, false);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* On another CPU: drains the stepped CPU. */
static int drain_thread(void *arg)
{
	struct stepper *st = arg;
	unsigned int i = 0;

	while (!kthread_should_stop()) {
		if (!READ_ONCE(st->drains)) {
			schedule_timeout_interruptible(1);
			continue;
		}
		mmbox_kmem_cache_shrink(st->caches[i++ % NR_CACHES]);
		mmbox_drain_all_pages(st->box);
		WRITE_ONCE(st->nr_nested[PASS_DRAIN], st->nr_nested[PASS_DRAIN] + 1);
		cond_resched();
	}
	return 0;
}

/* ---- boxes ---- */

static void construct(void *objp)
{
}

static const struct {
	const char *name;
	unsigned int size;
	slab_flags_t flags;
	void (*ctor)(void *objp);
	int limit, batchcount, shared;	/* 0: the defaults */
} cache_kinds[NR_CACHES] = {
	{ "straight", 64 },
	{ "short", 256, 0, NULL, 6, 3, 1 },
	{ "constructed", 100, 0, construct, 30, 15, 0 },
	{ "typesafe", 192, SLAB_TYPESAFE_BY_RCU, NULL, 6, 3, 0 },
};

/*
 * The first box has all passes. The others are diverted, or take other paths: there
 * each step has another kind of interruption by turns.
 */
static const struct box_kind {
	const char *name;
	unsigned int nr_nodes;
	enum mmbox_memory_model model;
	enum mmbox_buddy_type buddy;
	bool stats;
	const char *debug;
} box_kinds[] = {
	{ "plain", 1, MMBOX_SPARSE_VMEMMAP },
	{ "nodes", 2, MMBOX_SPARSE_VMEMMAP },
	{ "extreme", 1, MMBOX_SPARSE_EXTREME },
	{ "bitmap", 1, MMBOX_FLAT, MMBOX_BUDDY_BITMAP },
	{ "stats", 1, MMBOX_FLAT, MMBOX_BUDDY_LIST, true },
	{ "debug", 1, MMBOX_FLAT, MMBOX_BUDDY_LIST, false, "FZP" },
};

static struct mmbox *make_box(const struct box_kind *kind)
{
	struct mmbox_config cfg;

	mmbox_config_init(&cfg);
	cfg.name = kind->name;
	cfg.size = SZ_16M;
	cfg.zone_dma = SZ_4M;
	cfg.zone_dma32 = 0;
	cfg.kswapd = false;
	cfg.slab_reap = false;
	cfg.model = kind->model;
	cfg.buddy = kind->buddy;
	if (kind->buddy == MMBOX_BUDDY_BITMAP)
		cfg.orders = MMBOX_MIN_ORDERS;
	cfg.slab_stats = kind->stats;
	if (kind->debug)
		cfg.slab_debug = kind->debug;
	if (kind->nr_nodes > 1 && mmbox_nodes_split(&cfg, kind->nr_nodes))
		return ERR_PTR(-EINVAL);
	return mmbox_create(&cfg);
}

static int make_caches(struct stepper *st)
{
	unsigned int i;
	int err;

	for (i = 0; i < NR_CACHES; i++) {
		st->caches[i] = mmbox_kmem_cache_create(st->box, cache_kinds[i].name,
							cache_kinds[i].size, 0,
							cache_kinds[i].flags,
							cache_kinds[i].ctor);
		if (!st->caches[i])
			return -ENOMEM;
		if (!cache_kinds[i].limit)
			continue;
		mutex_lock(&st->box->slab.mutex);
		err = mmbox_slab_tune(st->caches[i], cache_kinds[i].limit,
				      cache_kinds[i].batchcount, cache_kinds[i].shared);
		mutex_unlock(&st->box->slab.mutex);
		if (err)
			return err;
	}
	return 0;
}

static __printf(2, 3) void problem(struct stepper *st, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	st->nr_problems++;
	va_start(args, fmt);
	vaf.va = &args;
	pr_err("%s, %s, %s: %pV\n", st->box->name, st->cachep->name, pass_names[st->pass], &vaf);
	va_end(args);
}

static void expect_good(struct stepper *st, struct holder *user, const char *who)
{
	if (user->nr_spoiled)
		problem(st, "%s: %lu things were written to by others, or not cleared", who,
			user->nr_spoiled);
	if (user->nr_failed)
		problem(st, "%s: %lu of %lu allocations failed", who, user->nr_failed,
			user->nr_allocs + user->nr_failed);
	user->nr_spoiled = 0;
	user->nr_failed = 0;
}

/* Nothing runs any more: free everything, and check the box. */
static void settle(struct stepper *st)
{
	struct mmbox_verify sums;
	unsigned int i;
	long bad = 0;

	while (READ_ONCE(st->preempter_wanted))
		schedule_timeout_uninterruptible(1);
	irq_work_sync(&st->work);
	free_all(NULL, st->box, &st->nested);
	free_all(NULL, st->box, &st->preempting);
	expect_good(st, &st->stepped, "stepped");
	expect_good(st, &st->nested, "interrupts");
	expect_good(st, &st->preempting, "preempting thread");
	for (i = 0; i < MMBOX_NR_BAD; i++)
		bad += atomic_long_xchg(&st->box->faces.bad[i], 0);
	if (bad)
		problem(st, "%ld frees were refused", bad);
	if (mmbox_verify(st->box, NULL, &sums) || sums.problems)
		problem(st, "verify sees %lu problems", sums.problems);
}

/* The other CPU may be slow: go on until it has drained a few times. */
static bool drained(const struct stepper *st, unsigned int round)
{
	return st->pass != PASS_DRAIN || round >= MOST_ROUNDS ||
	       READ_ONCE(st->nr_nested[PASS_DRAIN]) - st->drains_before >= LEAST_DRAINS;
}

static void run_pass(struct stepper *st)
{
	unsigned int round, nr, i;
	enum use use;

	for (i = 0; i < NR_CACHES; i++) {
		st->cachep = st->caches[i];
		st->drains_before = st->nr_nested[PASS_DRAIN];
		if (st->pass == PASS_DRAIN)
			WRITE_ONCE(st->drains, true);
		for (use = 0; use < NR_USES; use++) {
			/* These uses do not depend on the cache. */
			if (i && (use == USE_KMALLOC || use == USE_PAGES))
				continue;
			/* Pages have the most paths. */
			nr = use == USE_PAGES ? 4 * rounds : rounds;
			for (round = 0; round < nr || !drained(st, round); round++)
				use_stepped(st, use, round);
		}
		WRITE_ONCE(st->drains, false);
		settle(st);
	}
}

static int step_box(struct stepper *st, const struct box_kind *kind)
{
	unsigned long pages, steps = st->nr_steps;
	unsigned int i;
	int err;

	st->box = make_box(kind);
	if (IS_ERR(st->box))
		return PTR_ERR(st->box);
	pages = mmbox_nr_used_pages(st->box);
	err = make_caches(st);
	for (st->pass = 0; !err && st->pass < NR_PASSES; st->pass++)
		if (kind == box_kinds || st->pass >= PASS_ANY)
			run_pass(st);
	st->pass = 0;
	for (i = 0; i < NR_CACHES && st->caches[i]; i++) {
		st->cachep = st->caches[i];
		if (mmbox_kmem_cache_destroy(st->caches[i]))
			problem(st, "objects of it are missing");
		st->caches[i] = NULL;
	}
	pr_info("%s: %lu steps\n", kind->name, st->nr_steps - steps);
	mmbox_drop_slab(st->box);
	mmbox_drain_all_pages(st->box);
	if (mmbox_nr_used_pages(st->box) > pages + 64) {
		pr_err("%s: %lu pages are used, and %lu were before\n", kind->name,
		       mmbox_nr_used_pages(st->box), pages);
		st->nr_problems++;
	}
	mmbox_destroy(st->box);
	return err;
}

struct run {
	struct stepper *st;
	struct completion done;
	int err;
};

static int step_thread(void *arg)
{
	struct run *run = arg;
	unsigned int i;

	run->st->task = current;
	follow_preemption(run->st);
	for (i = 0; i < ARRAY_SIZE(box_kinds) && !run->err; i++)
		run->err = step_box(run->st, &box_kinds[i]);
	unfollow_preemption(run->st);
	complete(&run->done);
	return 0;
}

static struct task_struct *thread_on(unsigned int cpu, int (*fn)(void *arg), void *arg,
				     const char *name)
{
	struct task_struct *task = kthread_create(fn, arg, "%s", name);

	if (IS_ERR(task))
		return task;
	kthread_bind(task, cpu);
	get_task_struct(task);
	return task;
}

static void stop_thread(struct task_struct *task)
{
	if (IS_ERR_OR_NULL(task))
		return;
	kthread_stop(task);
	put_task_struct(task);
}

static int step_all(struct stepper *st)
{
	unsigned int cpu = cpumask_first(cpu_online_mask);
	struct run run = { .st = st };
	struct task_struct *task;

	init_completion(&run.done);
	st->preempter = thread_on(cpu, preempt_thread, st, "mmbox_preempt");
	st->drainer = thread_on(cpumask_last(cpu_online_mask), drain_thread, st, "mmbox_drain");
	task = thread_on(cpu, step_thread, &run, "mmbox_step");
	if (IS_ERR(st->preempter) || IS_ERR(st->drainer) || IS_ERR(task)) {
		run.err = -ENOMEM;
	} else {
		sched_set_fifo(st->preempter);
		wake_up_process(st->drainer);
		wake_up_process(task);
		wait_for_completion(&run.done);
	}
	stop_thread(task);
	stop_thread(st->drainer);
	stop_thread(st->preempter);
	return run.err;
}

/* ---- the module ---- */

static struct stepper *the_stepper;
static struct dentry *step_file;

static int steps_show(struct seq_file *m, void *unused)
{
	const struct stepper *st = the_stepper;
	unsigned long offset;
	unsigned int i;

	seq_printf(m, "steps %lu\n", st->nr_steps);
	seq_printf(m, "irqs_off %lu\n", st->nr_irqs_off);
	seq_printf(m, "outside %lu\n", st->nr_outside);
	seq_printf(m, "late %lu\n", st->nr_late);
	seq_printf(m, "preempted %lu\n", st->nr_preempted);
	for (i = 0; i < NR_PASSES; i++)
		seq_printf(m, "nested_%s %lu\n", pass_names[i], st->nr_nested[i]);
	seq_printf(m, "problems %lu\n", st->nr_problems);
	for_each_set_bit(offset, st->met, text_size)
		seq_printf(m, "met %lx\n", offset);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(steps);

static struct stepper *make_stepper(void)
{
	struct stepper *st = kvzalloc(sizeof(*st), GFP_KERNEL);

	if (!st)
		return NULL;
	st->met = kvcalloc(BITS_TO_LONGS(text_size), sizeof(long), GFP_KERNEL);
	if (!st->met) {
		kvfree(st);
		return NULL;
	}
	st->nb.notifier_call = on_debug;
	st->work = IRQ_WORK_INIT_HARD(interrupt);
	st->stepped = (struct holder){ .pattern = 0x5717, .seed = 1, .gfp = GFP_KERNEL };
	st->nested = (struct holder){ .pattern = 0x4e57, .seed = 2, .gfp = GFP_ATOMIC };
	st->preempting = (struct holder){ .pattern = 0x9e3b, .seed = 3, .gfp = GFP_NOWAIT };
	return st;
}

static void free_stepper(struct stepper *st)
{
	kvfree(st->met);
	kvfree(st);
}

static int __init mmbox_step_init(void)
{
	unsigned long call = (unsigned long)mmbox_kmem_cache_alloc;
	struct stepper *st;
	int err;

	if (call - text >= text_size || text_size > SZ_16M) {
		pr_err("text=%#lx text_size=%lu: not where mmbox.ko's text lies\n", text,
		       text_size);
		return -EINVAL;
	}
	if (rounds < 1 || rounds > 1000) {
		pr_err("rounds=%u: must be 1 to 1000\n", rounds);
		return -EINVAL;
	}
	st = make_stepper();
	if (!st)
		return -ENOMEM;
	err = register_die_notifier(&st->nb);
	if (!err) {
		err = step_all(st);
		unregister_die_notifier(&st->nb);
	}
	if (err) {
		free_stepper(st);
		return err;
	}
	the_stepper = st;
	step_file = debugfs_create_file("mmbox_step", 0400, NULL, NULL, &steps_fops);
	return 0;
}

static void __exit mmbox_step_exit(void)
{
	debugfs_remove(step_file);
	free_stepper(the_stepper);
}

module_init(mmbox_step_init);
module_exit(mmbox_step_exit);

MODULE_AUTHOR("The mmbox authors");
MODULE_VERSION(MMBOX_VERSION);
MODULE_DESCRIPTION("mmbox's fast paths, interrupted between any two instructions");
MODULE_LICENSE("GPL");
MMBOX_IMPORT_INTERNAL();
