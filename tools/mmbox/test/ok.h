/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the test programs share: a line a test, and the totals.
 */
#ifndef TEST_OK_H
#define TEST_OK_H

#include <stdbool.h>

/* ok.c: the result of one test; the totals, which give the exit status */
void ok(bool passed, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int ok_sum(void);

#endif /* TEST_OK_H */
