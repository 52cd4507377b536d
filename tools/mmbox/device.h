/* SPDX-License-Identifier: GPL-2.0 */
/* Opens /dev/mmbox/<box>, and says why if it cannot. */
#ifndef MMBOX_DEVICE_H
#define MMBOX_DEVICE_H

#include <uapi/mmbox.h>

/* Compares versions, too. Returns the file descriptor, or -1 after a message. */
int device_open(const char *box, struct mmbox_info *info);

#endif /* MMBOX_DEVICE_H */
