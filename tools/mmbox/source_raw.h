/* SPDX-License-Identifier: GPL-2.0 */
/* The running kernel's ring buffers, as they were saved in files. */
#ifndef MMBOX_SOURCE_RAW_H
#define MMBOX_SOURCE_RAW_H

#include "source.h"

/*
 * fds, one a CPU, hold buffer pages of subbuf_size bytes one behind the other;
 * all stays the caller's. NULL having said why not.
 */
struct kmem_source *source_raw_open(struct tep_handle *tep, const int *fds,
				    unsigned int nr_cpus, unsigned int subbuf_size);

#endif /* MMBOX_SOURCE_RAW_H */
