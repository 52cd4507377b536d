/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The layout of trace files (docs/trace-format.md), for trace_write.c and trace_read.c.
 */
#ifndef MMBOX_TRACE_FORMAT_H
#define MMBOX_TRACE_FORMAT_H

#include "trace.h"

#define FILE_MAGIC		"mmboxtrc"
#define FILE_MAGIC_LEN		8
#define FILE_HEADER_LEN		16	/* magic, version, checksum */

#define BLOCK_HEADER_LEN	16	/* type, length, count, checksum */
#define BLOCK_LEN_MAX		(1U << 20)	/* bytes of contents */
#define BLOCK_LEN_FULL		(1U << 16)	/* bytes at which one is written */

enum block_type {
	BLOCK_INFO	= 1,
	BLOCK_CACHES	= 2,
	BLOCK_EVENTS	= 3,
	BLOCK_END	= 4,
};

/* The first byte of an event: the operation and these. */
#define EVENT_OP		0x07
#define EVENT_SAME_CPU		0x08	/* as the event before */
#define EVENT_SAME_GFP		0x10	/* as the allocation before */
#define EVENT_NODE		0x20	/* a node is given */
#define EVENT_IMPLICIT		0x40

/* Events are encoded relative to this. Zeroed at the start of each block. */
struct event_base {
	uint64_t ts;
	uint32_t cpu;
	uint32_t gfp;
	uint32_t handle;
};

void put_le32(uint8_t *p, uint32_t value);
uint32_t get_le32(const uint8_t *p);

#endif /* MMBOX_TRACE_FORMAT_H */
