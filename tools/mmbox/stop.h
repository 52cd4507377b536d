/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Delays signals that would end the program until it has cleaned up. Long loops must
 * check stop_signal() now and then.
 */
#ifndef MMBOX_STOP_H
#define MMBOX_STOP_H

#include <sys/types.h>

/* From now on SIGINT, SIGQUIT, SIGTERM and SIGHUP are only recorded. */
void stop_put_off(void);
/*
 * While a child runs, SIGTERM and SIGHUP are passed on to it. The terminal sends it
 * SIGINT and SIGQUIT itself. With 0 signals are recorded again.
 */
void stop_pass_on(pid_t child);
/* The signal that has come, or 0. */
int stop_signal(void);
/* As it was before stop_put_off(). */
void stop_restore(void);
/* The same. If a signal has come, it ends the program now. */
void stop_end(void);

#endif /* MMBOX_STOP_H */
