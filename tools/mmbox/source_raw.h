/* SPDX-License-Identifier: GPL-2.0 */
/* Events from saved pages of the running kernel's ring buffers. */
#ifndef MMBOX_SOURCE_RAW_H
#define MMBOX_SOURCE_RAW_H

#include "source.h"

/*
 * Each of fds, one a CPU, is a file of buffer pages of subbuf_size bytes. The caller keeps
 * all of them. Returns NULL after a message.
 */
struct kmem_source *source_raw_open(struct tep_handle *tep, const int *fds,
				    unsigned int nr_cpus, unsigned int subbuf_size);

#endif /* MMBOX_SOURCE_RAW_H */
