/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parameters by name: what a user may type, and how a message shows it.
 */
#ifndef _MMBOX_TYPES_PARAMS_H
#define _MMBOX_TYPES_PARAMS_H

#include <linux/types.h>

/* MMBOX_PARAM_size and so on, in the order of the table. */
enum mmbox_param_id {
#define PARAM(name, field, kind, text)	MMBOX_PARAM_##name,
#include "types/params_table.h"
	MMBOX_NR_PARAMS
};

enum mmbox_param_kind {
	MMBOX_BYTES,
	MMBOX_NUMBER,
	MMBOX_SWITCH,
	MMBOX_CHOICE,
	MMBOX_TEXT,
};

enum mmbox_param_rule {
	MMBOX_ANY,
	MMBOX_PAGES,
	MMBOX_POWER_OF_2,
};

/* The rules as messages state them. */
#define MMBOX_MUST_ANY		""
#define MMBOX_MUST_PAGES	"a multiple of the page size, "
#define MMBOX_MUST_POWER_OF_2	"a power of two, "

/* A row of params_table.h. */
struct mmbox_param {
	const char *name;
	enum mmbox_param_kind kind;
	enum mmbox_param_rule rule;	/* numbers and bytes */
	const char *def;		/* default, as typed */
	const char *min, *max;		/* numbers and bytes: bounds, as typed */
	const char *choices;		/* names by value, ", " between them */
	const char *may;		/* what it may be, for messages */
	size_t offset;			/* bytes, of its field in struct mmbox_config */
	size_t size;			/* bytes, of that field */
};

/* A value as a message shows it. */
struct mmbox_param_text {
	char s[160];
};

#endif /* _MMBOX_TYPES_PARAMS_H */
