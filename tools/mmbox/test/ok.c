// SPDX-License-Identifier: GPL-2.0
/*
 * Prints a line a test, and the totals.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ok.h"

static unsigned int nr_passed, nr_failed;

void ok(bool passed, const char *fmt, ...)
{
	va_list args;

	printf("%s - ", passed ? "ok" : "not ok");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	if (passed)
		nr_passed++;
	else
		nr_failed++;
}

/* Prints the totals. Returns the exit status. */
int ok_sum(void)
{
	printf("%u passed, %u failed\n", nr_passed, nr_failed);
	return nr_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
