/* SPDX-License-Identifier: GPL-2.0 */
/* The subcommands. Each is given its own name as argv[0]. */
#ifndef MMBOX_COMMANDS_H
#define MMBOX_COMMANDS_H

#include "convert.h"

int cmd_record(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_dump(int argc, char **argv);

/* Adds the texts about the host that every trace has. */
void describe_host(struct trace_texts *info);
/* Prints a summary of the recording on stderr. */
void print_counts(const char *path, const struct convert_counts *counts);

#endif /* MMBOX_COMMANDS_H */
