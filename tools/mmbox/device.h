/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/mmbox/<box>, with failures told in words. */
#ifndef MMBOX_DEVICE_H
#define MMBOX_DEVICE_H

#include <uapi/mmbox.h>

/* Opens the box's device and compares versions; -1 having said why not. */
int device_open(const char *box, struct mmbox_info *info);

#endif /* MMBOX_DEVICE_H */
