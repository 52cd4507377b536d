/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Child processes that a test kills while they hold something.
 */
#ifndef TEST_CHILD_H
#define TEST_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * child.c: a child calls @prepare, then @work again and again (NULL: it sleeps). It is
 * prepared when this returns; the program ends if it cannot be.
 */
pid_t child_start(bool (*prepare)(void *arg), void (*work)(void *arg), void *arg);

/* Kills the child and waits for its end. True if it was the signal that ended it. */
bool child_kill(pid_t pid);

#endif /* TEST_CHILD_H */
