/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Small files as `trace-cmd record -e kmem` makes them, for tests: with the
 * formats of Linux 6.1's kmem events, or with a format that no kernel has.
 */
#ifndef TEST_DAT_H
#define TEST_DAT_H

#include <stddef.h>
#include <stdint.h>

#include "util.h"

#define DAT_RECORD_LEN	56	/* bytes of a record, whatever the event */

/* A change to the format of an event. */
struct dat_oddity {
	const char *event;
	const char *field;
	const char *offset;	/* replaces the right one */
	const char *size;	/* replaces the right one */
};

/* An event that was recorded. */
struct dat_record {
	const char *event;
	uint64_t ptr;
	uint64_t call_site;
	uint64_t bytes_req;
	uint64_t bytes_alloc;
	uint64_t gfp;		/* Linux 6.1's bits */
	uint64_t pfn;
	uint32_t order;
	const char *name;	/* of the cache, at most 15 bytes */
};

/* The format of an event, as tracefs shows it; NULL if there is none. */
char *dat_format(const char *event, const struct dat_oddity *oddity);
/* Its raw record, of DAT_RECORD_LEN bytes. */
void dat_raw(uint8_t *raw, const struct dat_record *record);
/* A whole file; all records are of one CPU. */
void dat_file(struct bytes *file, const struct dat_record *records, unsigned int nr,
	      const struct dat_oddity *oddity);

#endif /* TEST_DAT_H */
