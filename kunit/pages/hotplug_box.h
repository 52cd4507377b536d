/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites of memory hotplug share: a box of two nodes with a hole, and what must
 * hold in it whichever of its sections are online.
 */
#ifndef _MMBOX_KUNIT_HOTPLUG_BOX_H
#define _MMBOX_KUNIT_HOTPLUG_BOX_H

#include "testing.h"

#define SECTION_PAGES	PHYS_PFN(SZ_4M)
#define MAX_SECTIONS	16

/*
 * Two nodes with a hole between them. The first node has two zones:
 *
 *	section  0   1 | 2   3   4   5 |     | 8   9  10  11
 *		 DMA   | Normal        |     | Normal
 *		 node 0		       |     | node 1
 *
 * Boot memory is at the end of each node, in sections 5 and 11.
 */
#define BANKS		"24M@0:0,16M@32M:1"
#define HOLE		7

/* hotplug_box.c: each sparse model with each generation of the buddy allocator */
MMBOX_KUNIT_GENERATOR(hotplug_variants);
void hotplug_config(struct kunit *test, struct mmbox_config *cfg);
struct mmbox *hotplug_box(struct kunit *test);
struct mmbox_zone *hotplug_zone(struct mmbox *box, int nid, int idx);

/* Must be as before when a section is online again, or could not go offline. */
struct zone_figures {
	unsigned long start, spanned, present, managed, free, isolated, highatomic;
};

struct hotplug_figures {
	struct zone_figures zone[2][MMBOX_MAX_NR_ZONES];
	unsigned long node_start[2], node_spanned[2], node_present[2];
	u8 types[MAX_SECTIONS * 2];
};

void hotplug_get_figures(struct mmbox *box, struct hotplug_figures *f);
void hotplug_expect_figures(struct kunit *test, struct mmbox *box,
			    const struct hotplug_figures *f, const char *when);
void hotplug_check_verify(struct kunit *test, struct mmbox *box);
void hotplug_check(struct kunit *test, struct mmbox *box);

#endif /* _MMBOX_KUNIT_HOTPLUG_BOX_H */
