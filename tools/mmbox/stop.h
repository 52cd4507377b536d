/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Signals that would end the program, put off until it has removed what it
 * made. Whoever works for long asks stop_signal() now and then.
 */
#ifndef MMBOX_STOP_H
#define MMBOX_STOP_H

#include <sys/types.h>

/* From now on SIGINT, SIGQUIT, SIGTERM and SIGHUP are only noted. */
void stop_put_off(void);
/*
 * While a child runs, signals are meant for it: two are passed on, SIGINT and
 * SIGQUIT the terminal sends it as well. With 0 they are noted again.
 */
void stop_pass_on(pid_t child);
/* The signal that has come, or 0. */
int stop_signal(void);
/* As it was before stop_put_off(). */
void stop_restore(void);
/* The same; and if a signal has come, the program ends by it. */
void stop_end(void);

#endif /* MMBOX_STOP_H */
