// SPDX-License-Identifier: GPL-2.0
/*
 * Child processes that a test kills while they hold something.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

static void run_child(bool (*prepare)(void *arg), void (*work)(void *arg), void *arg,
		      int ready_fd)
{
	if (!prepare(arg) || write(ready_fd, "", 1) != 1)
		_exit(EXIT_FAILURE);
	for (;;) {
		if (work)
			work(arg);
		else
			pause();
	}
}

pid_t child_start(bool (*prepare)(void *arg), void (*work)(void *arg), void *arg)
{
	int ready[2];
	pid_t pid;
	char byte;

	if (pipe(ready)) {
		perror("pipe");
		exit(EXIT_FAILURE);
	}
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(EXIT_FAILURE);
	}
	if (!pid) {
		close(ready[0]);
		run_child(prepare, work, arg, ready[1]);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1) {
		fprintf(stderr, "child: could not be prepared\n");
		exit(EXIT_FAILURE);
	}
	close(ready[0]);
	return pid;
}

bool child_kill(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status);
}
