/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a walk over a box has looked at.
 */
#ifndef _MMBOX_VERIFY_H
#define _MMBOX_VERIFY_H

struct mmbox;
struct seq_file;

struct mmbox_verify {
	unsigned long caches;
	unsigned long slabs;
	unsigned long objects;		/* in these slabs */
	unsigned long arrays;		/* of CPUs, and shared ones */
	unsigned long pages;
	unsigned long problems;
};

int mmbox_verify(struct mmbox *box, struct seq_file *m, struct mmbox_verify *sums);

#endif /* _MMBOX_VERIFY_H */
