// SPDX-License-Identifier: GPL-2.0
/* Delays signals that would end the program. */
#include <signal.h>
#include <stddef.h>

#include "stop.h"
#include "util.h"

static const int signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };

static struct sigaction old[ARRAY_SIZE(signals)];
static volatile sig_atomic_t noted;
static volatile pid_t meant_for;

static void on_signal(int sig)
{
	if (!meant_for)
		noted = sig;
	else if (sig == SIGTERM || sig == SIGHUP)
		kill(meant_for, sig);
}

void stop_put_off(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaction(signals[i], NULL, &old[i]);
		/* ignored before: by nohup(1), or in a shell's background */
		if (old[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

void stop_pass_on(pid_t child)
{
	meant_for = child;
}

int stop_signal(void)
{
	return noted;
}

void stop_restore(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &old[i], NULL);
}

void stop_end(void)
{
	stop_restore();
	if (noted)
		raise(noted);
}
