// SPDX-License-Identifier: GPL-2.0
/* mmbox: record what a kernel allocates, and replay it in a box. */
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <uapi/mmbox.h>

#include "commands.h"
#include "util.h"

static const char help[] =
"usage: mmbox COMMAND [ARGUMENT...]\n"
"\n"
"  record -o FILE [-b KIB] -- PROGRAM [ARGUMENT...]\n"
"        record all that the running kernel allocates and frees while the\n"
"        program runs; ends with the program's exit status. Needs root.\n"
"          -o, --output FILE    the trace file to write\n"
"          -b, --buffer KIB     kernel trace buffer a CPU (default: by memory)\n"
"  import -o FILE TRACE.DAT\n"
"        the same from a file of `trace-cmd record -e kmem`\n"
"  replay [--on box|host] [--cpus N] [--json] [--strict] [--box NAME]\n"
"         [--unit WORD] [--then COMMAND] FILE\n"
"        drive a trace through a box, and print what it took. Needs root, and\n"
"        the module loaded.\n"
"          --on box|host        through the box (default), or the host's own\n"
"                               allocators, for comparison\n"
"          --cpus N             use N CPUs; recorded ones are folded onto them\n"
"                               (default: as many as were recorded, if there)\n"
"          --json               the summary as JSON\n"
"          --strict             status 1 unless all was carried out, nothing was\n"
"                               lost in recording, and the box was fresh\n"
"          --box NAME           which box (default: box0)\n"
"          --unit WORD          what the clock counts (default: ns; on a VM whose\n"
"                               clock counts instructions, say so here)\n"
"          --then COMMAND       run it by the shell at the end, while the box still\n"
"                               holds what the trace never freed\n"
"  info FILE     what a trace file holds, in short\n"
"  dump FILE     every event in it\n"
"  help          this\n"
"\n"
"Exit status: 0 if all went well, 1 if not, 2 if the command line makes no\n"
"sense; record: the program's, or 125 if mmbox itself failed, 126 if the\n"
"program cannot be run, 127 if it is not there.\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "record", cmd_record },
	{ "import", cmd_import },
	{ "replay", cmd_replay },
	{ "info", cmd_info },
	{ "dump", cmd_dump },
};

static bool asks_for_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	size_t i;

	if (!strcmp(command, "help") || asks_for_help(command) ||
	    (argc > 2 && asks_for_help(argv[2]))) {
		fputs(help, stdout);
		return EXIT_SUCCESS;
	}
	if (!strcmp(command, "--version") || !strcmp(command, "-V")) {
		printf("mmbox %s (trace format %d, device interface %d)\n",
		       MMBOX_VERSION, TRACE_VERSION, MMBOX_UAPI_VERSION);
		return EXIT_SUCCESS;
	}
	opterr = 0;	/* each command prints its own messages */
	if (!*command)
		usage_error("a command is needed");
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		int status;

		if (strcmp(command, commands[i].name))
			continue;
		status = commands[i].run(argc - 1, argv + 1);
		if (fflush(stdout) || ferror(stdout)) {
			warn_errno("cannot write the output");
			return EXIT_FAILURE;
		}
		return status;
	}
	usage_error("there is no command `%s': there are record, import, replay, info and dump",
		    command);
}
