/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between the kernel versions that mmbox builds for.
 */
#ifndef _MMBOX_COMPAT_H
#define _MMBOX_COMPAT_H

/*
 * Allocations and frees may happen with interrupts off. They then wake kswapd through
 * a wait queue and allocate host memory. On PREEMPT_RT both take sleeping locks.
 */
#ifdef CONFIG_PREEMPT_RT
#error "mmbox does not work on PREEMPT_RT kernels: build it for another, see KDIR= in make help"
#endif

#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/poison.h>
#include <linux/preempt.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/stackdepot.h>
#include <linux/stacktrace.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "mmbox needs Linux 6.1 or newer"
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(7, 4, 0)
#error "mmbox is not known to work on Linux newer than 7.3"
#endif

/* Moved in 6.12. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* Symbols that only mmbox's own test and benchmark modules use. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define MMBOX_EXPORT_INTERNAL(sym)	EXPORT_SYMBOL_NS_GPL(sym, "MMBOX_INTERNAL")
#define MMBOX_IMPORT_INTERNAL()		MODULE_IMPORT_NS("MMBOX_INTERNAL")
#else
#define MMBOX_EXPORT_INTERNAL(sym)	EXPORT_SYMBOL_NS_GPL(sym, MMBOX_INTERNAL)
#define MMBOX_IMPORT_INTERNAL()		MODULE_IMPORT_NS(MMBOX_INTERNAL)
#endif

/* Removed in 6.9, and without effect before. */
#ifdef SLAB_MEM_SPREAD
#define MMBOX_SLAB_MEM_SPREAD	SLAB_MEM_SPREAD
#else
#define MMBOX_SLAB_MEM_SPREAD	((slab_flags_t __force)0)
#endif

/* __GFP_ATOMIC until 6.3. */
static inline bool mmbox_gfp_atomic(gfp_t gfp)
{
	return (gfp & (__GFP_HIGH | __GFP_DIRECT_RECLAIM)) == __GFP_HIGH;
}

/* Largest order of the host's page allocator, inclusive since 6.4. */
#if defined(MAX_PAGE_ORDER)
#define MMBOX_HOST_MAX_ORDER	MAX_PAGE_ORDER
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define MMBOX_HOST_MAX_ORDER	MAX_ORDER
#else
#define MMBOX_HOST_MAX_ORDER	(MAX_ORDER - 1)
#endif

/* The default until 6.17, which wants it explicit. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
#define MMBOX_WQ_PERCPU		WQ_PERCPU
#else
#define MMBOX_WQ_PERCPU		0
#endif

/* alloc_contig_range() takes flags instead of a migrate type since 6.17. */
#if defined(ACR_FLAGS_NONE)
#define MMBOX_CONTIG_ORDINARY	ACR_FLAGS_NONE
#else
#define MMBOX_CONTIG_ORDINARY	MIGRATE_MOVABLE
#endif

/*
 * preempt_enable() that leaves the call into the scheduler to the caller. There it can
 * be a tail call; inline it would make every fast path set up a stack frame. Returns
 * true if the caller must call mmbox_resched().
 */
static __always_inline bool mmbox_preempt_enable_test(void)
{
#ifdef CONFIG_PREEMPTION
	barrier();
	return preempt_count_dec_and_test();
#else
	preempt_enable();
	return false;
#endif
}

/* percpu.c */
void mmbox_resched(void);

/*
 * might_alloc() on kernels that check anything there. On others it would cost the
 * fast paths a test of the flags, and a call with CONFIG_PREEMPT_DYNAMIC.
 */
static __always_inline void mmbox_might_alloc(gfp_t gfp)
{
	if (IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP) || IS_ENABLED(CONFIG_LOCKDEP))
		might_alloc(gfp);
}

static __always_inline void mmbox_preempt_enable(void)
{
	if (unlikely(mmbox_preempt_enable_test()))
		mmbox_resched();
}

/*
 * Stack traces need both the stack walker and the stack depot. Without them reports
 * have only the return address.
 */
#if IS_ENABLED(CONFIG_STACKDEPOT) && IS_ENABLED(CONFIG_STACKTRACE)
#define MMBOX_HAVE_STACKDEPOT	1
#else
#define MMBOX_HAVE_STACKDEPOT	0
#endif

static inline unsigned int mmbox_stack_trace_save(unsigned long *entries,
						  unsigned int nr, unsigned int skip)
{
#if MMBOX_HAVE_STACKDEPOT
	return stack_trace_save(entries, nr, skip);
#else
	return 0;
#endif
}

/* Returns 0 if the depot is full or cannot grow now. */
static inline depot_stack_handle_t mmbox_stack_depot_save(unsigned long *entries,
							  unsigned int nr)
{
#if MMBOX_HAVE_STACKDEPOT
	return stack_depot_save(entries, nr, GFP_NOWAIT | __GFP_NOWARN);
#else
	return 0;
#endif
}

static inline unsigned int mmbox_stack_depot_fetch(depot_stack_handle_t stack,
						   unsigned long **entries)
{
#if MMBOX_HAVE_STACKDEPOT
	return stack_depot_fetch(stack, entries);
#else
	return 0;
#endif
}

/* Values of SLAB's red zones, removed with SLAB. */
#ifndef RED_INACTIVE
#define RED_INACTIVE	0x09F911029D74E35BULL
#define RED_ACTIVE	0xD84156C5635688C0ULL
#endif

/* hrtimer_setup() is new in 6.13. */
static inline void mmbox_hrtimer_setup(struct hrtimer *timer,
				       enum hrtimer_restart (*fn)(struct hrtimer *),
				       clockid_t clock, enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, fn, clock, mode);
#else
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
#endif
}

/* Generators of KUnit parameters get the test since 6.18. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#define MMBOX_KUNIT_GENERATOR(name)						\
	const void *name(struct kunit *test, const void *prev, char *desc)
#else
#define MMBOX_KUNIT_GENERATOR(name)						\
	const void *name(const void *prev, char *desc)
#endif

#endif /* _MMBOX_COMPAT_H */
