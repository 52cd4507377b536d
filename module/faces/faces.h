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

/* debugfs.c, chardev.c: 0, or why this face is missing */
int mmbox_debugfs_add(struct mmbox *box);
void mmbox_debugfs_remove(struct mmbox *box);
void mmbox_debugfs_section_add(struct mmbox *box, unsigned long nr);
void mmbox_debugfs_section_del(struct mmbox *box, unsigned long nr);
int mmbox_chardev_add(struct mmbox *box);
void mmbox_chardev_remove(struct mmbox *box);

/* registry.c */
void mmbox_publish(struct mmbox *box);
struct mmbox *mmbox_find(const char *name);
void mmbox_unpublish(struct mmbox *box);

/* report.c */
extern const struct mmbox_observer mmbox_faces_observer;
extern const char *const mmbox_bad_names[MMBOX_NR_BAD];
void mmbox_report_init(struct mmbox *box);

/* verify.c: what a walk over a box has looked at */
struct mmbox_verify {
	unsigned long caches;
	unsigned long slabs;
	unsigned long objects;		/* in these slabs */
	unsigned long arrays;		/* of CPUs, and shared ones */
	unsigned long pages;
	unsigned long problems;
};

int mmbox_verify(struct mmbox *box, struct seq_file *m, struct mmbox_verify *sums);

#endif /* _MMBOX_FACES_FACES_H */
