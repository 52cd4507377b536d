/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What users of a box see: its files, its device, reports in the log, and its sums.
 */
#ifndef _MMBOX_FACES_FACES_H
#define _MMBOX_FACES_FACES_H

#include "slab/slab.h"

struct seq_file;

/* checksum.c */
u32 mmbox_checksum(struct mmbox *box);

/* faces.c */
void mmbox_faces_setup(struct mmbox *box);

/* faces.c, chardev.c: 0, or why this face is missing */
int mmbox_debugfs_add(struct mmbox *box);
void mmbox_debugfs_remove(struct mmbox *box);
int mmbox_chardev_add(struct mmbox *box);
void mmbox_chardev_remove(struct mmbox *box);

/* registry.c */
void mmbox_publish(struct mmbox *box);
struct mmbox *mmbox_find(const char *name);
void mmbox_unpublish(struct mmbox *box);

extern const struct mmbox_observer mmbox_faces_observer;

/* report.c */
extern const char *const mmbox_bad_names[MMBOX_NR_BAD];
void mmbox_report_init(struct mmbox *box);

/* An address of the host as it may be shown. */
struct mmbox_address_text {
	char text[2 * sizeof(void *) + 1];
};

/* A place in the kernel's text, by name. */
struct mmbox_symbol_text {
	char text[128];
};

bool mmbox_addresses_hidden(void);
const char *mmbox_symbol_text(struct mmbox_symbol_text *to, const void *addr);
#define mmbox_symbol(addr)						\
	mmbox_symbol_text(&(struct mmbox_symbol_text){}, addr)
const char *mmbox_address_text(struct mmbox_address_text *to, const void *addr);
#define mmbox_shown(addr)						\
	mmbox_address_text(&(struct mmbox_address_text){}, addr)

/* verify.c: what a walk over a box has looked at */
struct mmbox_verify {
	unsigned long caches;
	unsigned long slabs;
	unsigned long objects;		/* in these slabs */
	unsigned long arrays;		/* of CPUs, and shared ones */
	unsigned long pages;
	unsigned long longest;		/* most page frames looked at in one hold */
	unsigned long unsettled;	/* zones and nodes of caches: counts not compared */
	unsigned long problems;
};

int mmbox_verify(struct mmbox *box, struct seq_file *m, struct mmbox_verify *sums);

#endif /* _MMBOX_FACES_FACES_H */
