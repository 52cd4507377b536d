/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entering and leaving the page lists of this CPU.
 *
 * The lists have no lock. Their CPU uses them with preemption off and pcp->busy set;
 * interrupts stay on. Code that finds busy set runs in an interrupt that came while the
 * lists were in use, and goes to the zone instead. docs/fast-paths.md has the rules.
 * slab_fast.h does the same for arrays of objects.
 */
#ifndef _MMBOX_PAGES_PCP_H
#define _MMBOX_PAGES_PCP_H

#include <linux/percpu.h>
#include <linux/preempt.h>

#include "pages/pages.h"

/*
 * Enter the lists; preemption is off. False if they are in use. The test and the store
 * need not be atomic: an interrupt in between has left the lists when it returns.
 */
static __always_inline bool mmbox_pcp_enter(struct mmbox_per_cpu_pages *pcp)
{
	if (unlikely(READ_ONCE(pcp->busy)))
		return false;
	WRITE_ONCE(pcp->busy, 1);
	mmbox_cpu_barrier();
	return true;
}

/* Leave the lists, after all writes to them. Preemption is still off. */
static __always_inline void mmbox_pcp_leave(struct mmbox_per_cpu_pages *pcp)
{
	mmbox_cpu_barrier();
	WRITE_ONCE(pcp->busy, 0);
}

/* Enter this CPU's lists of a zone and turn preemption off. NULL if they are in use. */
static __always_inline struct mmbox_per_cpu_pages *
mmbox_pcp_begin(const struct mmbox_zone *zone)
{
	struct mmbox_per_cpu_pages *pcp;

	preempt_disable();
	pcp = this_cpu_ptr(zone->per_cpu_pageset);
	if (likely(mmbox_pcp_enter(pcp)))
		return pcp;
	preempt_enable();
	return NULL;
}

/* Undo mmbox_pcp_begin(). */
static __always_inline void mmbox_pcp_end(struct mmbox_per_cpu_pages *pcp)
{
	mmbox_pcp_leave(pcp);
	mmbox_preempt_enable();
}

#endif /* _MMBOX_PAGES_PCP_H */
