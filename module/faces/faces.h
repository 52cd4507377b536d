/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The user interfaces of a box: files, device, reports in the log, and checksum.
 */
#ifndef _MMBOX_FACES_FACES_H
#define _MMBOX_FACES_FACES_H

#include "slab/slab.h"

struct seq_file;

/* checksum.c */
u32 mmbox_checksum(struct mmbox *box);

/* faces.c */
void mmbox_faces_setup(struct mmbox *box);

/* faces.c, chardev.c: return 0 or why this interface is missing */
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

/* A host address, hashed if the kernel hides addresses. */
struct mmbox_address_text {
	char text[2 * sizeof(void *) + 1];
};

/* A code address by name. */
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

/* verify.c: what a walk over a box has checked */
struct mmbox_verify {
	unsigned long caches;
	unsigned long slabs;
	unsigned long objects;		/* in these slabs */
	unsigned long arrays;		/* of CPUs, and shared ones */
	unsigned long pages;
	unsigned long longest;		/* most page frames checked in one hold of a zone */
	unsigned long unsettled;	/* zones and cache nodes whose counts were not compared */
	unsigned long problems;
};

int mmbox_verify(struct mmbox *box, struct seq_file *m, struct mmbox_verify *sums);

#endif /* _MMBOX_FACES_FACES_H */
