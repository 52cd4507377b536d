/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sections that go offline and come back, after <linux/memory_hotplug.h>.
 */
#ifndef _MMBOX_MEMORY_HOTPLUG_H
#define _MMBOX_MEMORY_HOTPLUG_H

#include <linux/types.h>

struct mmbox;
struct mmbox_page;
struct mmbox_zone;

/* What becomes of a section: MMOP_* */
enum mmbox_mmop {
	MMBOX_MMOP_OFFLINE,
	MMBOX_MMOP_ONLINE,		/* in the zone that it fits best */
	MMBOX_MMOP_ONLINE_KERNEL,	/* for anybody: by its address */
	MMBOX_MMOP_ONLINE_MOVABLE,	/* in ZONE_MOVABLE */
	MMBOX_NR_MMOPS,
};

enum mmbox_section_state {
	MMBOX_SECTION_ABSENT,		/* a hole */
	MMBOX_SECTION_OFFLINE,
	MMBOX_SECTION_GOING_OFFLINE,
	MMBOX_SECTION_ONLINE,
};

extern const char *const mmbox_mmop_names[MMBOX_NR_MMOPS];

int mmbox_memory_offline(struct mmbox *box, unsigned long nr);
int mmbox_memory_online(struct mmbox *box, unsigned long nr, enum mmbox_mmop how);
int mmbox_memory_probe(struct mmbox *box, phys_addr_t phys);
int mmbox_memory_remove(struct mmbox *box, phys_addr_t phys);
void mmbox_memory_hotplug_exit(struct mmbox *box);
enum mmbox_section_state mmbox_section_state(const struct mmbox *box, unsigned long nr);
int mmbox_section_nid(const struct mmbox *box, unsigned long nr);
struct mmbox_zone *mmbox_section_zone(struct mmbox *box, unsigned long nr);
struct mmbox_zone *mmbox_zone_for_section(struct mmbox *box, unsigned long nr,
					  enum mmbox_mmop how);
struct mmbox_page *mmbox_pfn_to_online_page(struct mmbox *box, unsigned long pfn);

#endif /* _MMBOX_MEMORY_HOTPLUG_H */
