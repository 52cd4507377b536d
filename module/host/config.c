// SPDX-License-Identifier: GPL-2.0
/*
 * Parameters of a box: values, bounds, and messages about bad values.
 *
 * params_table.h defines what each parameter may be. Numbers never wrap: the kernel's
 * own parsers would accept some that are too large, or refuse them without a message.
 * Octal numbers and booleans are parsed as the kernel parses them.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/string_helpers.h>

#include "host/host.h"

/* ---- the table ---- */

#define PARAM(name_, field, kind_, text)					\
	[MMBOX_PARAM_##name_] = {						\
		.name = #name_,							\
		.offset = offsetof(struct mmbox_config, field),			\
		.size = sizeof_field(struct mmbox_config, field),		\
		kind_								\
	},
#define BYTES(def_, least, most, rule_)						\
	.kind = MMBOX_BYTES, .rule = MMBOX_##rule_,				\
	.def = (def_), .min = (least), .max = (most),				\
	.may = MMBOX_MUST_##rule_ "from " least " to " most,
#define NUMBER(def_, least, most)						\
	.kind = MMBOX_NUMBER, .def = (def_), .min = (least), .max = (most),	\
	.may = "a number from " least " to " most,
#define SWITCH(def_)		.kind = MMBOX_SWITCH, .def = (def_), .may = "0 or 1",
#define CHOICE(def_, names)							\
	.kind = MMBOX_CHOICE, .def = (def_), .choices = (names), .may = "one of " names,
#define TEXT(def_, form)	.kind = MMBOX_TEXT, .def = (def_), .may = (form),
#define LIST(form)		TEXT("", form)

const struct mmbox_param mmbox_params[MMBOX_NR_PARAMS] = {
#include "types/params_table.h"
};
MMBOX_EXPORT_INTERNAL(mmbox_params);

/* ---- values ---- */

/**
 * mmbox_parse_bytes() - read a number of bytes, with K, M or G
 * @text: text that begins with the number
 * @value: set to the number
 *
 * Unlike memparse(), rejects signs, garbage and overflow.
 *
 * Context: any.
 * Return: end of the number, or NULL if there is none or it is too large.
 */
const char *mmbox_parse_bytes(const char *text, phys_addr_t *value)
{
	static const char units[] = "KMGTPE";
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned int shift = 0;
	char digits[24];
	const char *unit;
	size_t len;
	u64 bytes;

	len = hex ? 2 + strspn(text + 2, "0123456789abcdefABCDEF") : strspn(text, "0123456789");
	if (len >= sizeof(digits))
		return NULL;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (kstrtou64(digits, 0, &bytes))
		return NULL;
	text += len;
	unit = *text ? strchr(units, toupper(*text)) : NULL;
	if (unit) {
		shift = (unit - units + 1) * 10;
		text++;
	}
	if (bytes > U64_MAX >> shift)
		return NULL;
	*value = bytes << shift;
	return text;
}
MMBOX_EXPORT_INTERNAL(mmbox_parse_bytes);

static void put_value(struct mmbox_config *cfg, const struct mmbox_param *p, u64 value)
{
	void *field = (void *)cfg + p->offset;

	if (p->size == sizeof(u64))
		*(u64 *)field = value;
	else if (p->size == sizeof(u32))
		*(u32 *)field = value;
	else
		*(bool *)field = value;
}

static u64 value_of(const struct mmbox_config *cfg, const struct mmbox_param *p)
{
	const void *field = (const void *)cfg + p->offset;

	if (p->size == sizeof(u64))
		return *(const u64 *)field;
	if (p->size == sizeof(u32))
		return *(const u32 *)field;
	return *(const bool *)field;
}

static const char *text_of(const struct mmbox_config *cfg, const struct mmbox_param *p)
{
	return *(const char *const *)((const void *)cfg + p->offset) ?: "";
}

/* Index of @name in a list separated by ", ", or -1. */
static int find_name(const char *names, const char *name)
{
	size_t len;
	int i;

	for (i = 0;; i++) {
		len = strcspn(names, ",");
		if (strlen(name) == len && !strncmp(names, name, len))
			return i;
		if (!names[len])
			return -1;
		names += len + 2;
	}
}

static unsigned int nr_names(const char *names)
{
	unsigned int nr = 1;

	for (; *names; names++)
		nr += *names == ',';
	return nr;
}

/* Parse the text of a parameter. Returns 0 or -EINVAL. */
static int read_value(const struct mmbox_param *p, const char *text, u64 *value)
{
	phys_addr_t bytes;
	const char *end;
	bool on;
	int i;

	switch (p->kind) {
	case MMBOX_BYTES:
		end = mmbox_parse_bytes(text, &bytes);
		if (!end || *end)
			return -EINVAL;
		*value = bytes;
		return 0;
	case MMBOX_NUMBER:
		return kstrtou64(text, 0, value) ? -EINVAL : 0;
	case MMBOX_SWITCH:
		if (kstrtobool(text, &on))
			return -EINVAL;
		*value = on;
		return 0;
	default:
		i = find_name(p->choices, text);
		if (i < 0)
			return -EINVAL;
		*value = i;
		return 0;
	}
}

static bool value_within(const struct mmbox_param *p, u64 value)
{
	u64 min, max;

	switch (p->kind) {
	case MMBOX_BYTES:
	case MMBOX_NUMBER:
		if (read_value(p, p->min, &min) || read_value(p, p->max, &max) ||
		    value < min || value > max)
			return false;
		return p->rule == MMBOX_PAGES ? PAGE_ALIGNED(value) :
		       p->rule == MMBOX_POWER_OF_2 ? is_power_of_2(value) : true;
	case MMBOX_CHOICE:
		return value < nr_names(p->choices);
	default:
		return true;
	}
}

/* ---- messages ---- */

/**
 * mmbox_bytes_text() - format a number of bytes as a user would type it
 * @bytes: the number
 * @text: buffer for the result
 *
 * Context: any.
 * Return: the text in @text: "64M" for 64 << 20, "5000" for 5000.
 */
const char *mmbox_bytes_text(unsigned long bytes, struct mmbox_param_text *text)
{
	unsigned int unit = bytes ? min(__ffs(bytes) / 10, 3UL) : 0;

	if (unit)
		snprintf(text->s, sizeof(text->s), "%lu%c", bytes >> (unit * 10), " KMG"[unit]);
	else
		snprintf(text->s, sizeof(text->s), "%lu", bytes);
	return text->s;
}
MMBOX_EXPORT_INTERNAL(mmbox_bytes_text);

/**
 * mmbox_escape() - make untrusted text safe to print
 * @from: the text
 * @len: its most bytes; a zero byte ends it earlier
 * @text: buffer for the result
 *
 * Escapes everything but printable ASCII characters, and truncates long text. %pE would
 * not escape bytes that are printable in Latin-1.
 *
 * Context: any.
 * Return: the text in @text.
 */
const char *mmbox_escape(const char *from, size_t len, struct mmbox_param_text *text)
{
	static const char cut[] = "...";
	const size_t room = sizeof(text->s) - sizeof(cut);
	size_t at = 0, i;

	len = strnlen(from, len);
	/* An escaped character is 4 bytes at most. */
	for (i = 0; i < len && at + 4 <= room; i++)
		at += string_escape_mem(&from[i], 1, text->s + at, 4, ESCAPE_ANY | ESCAPE_NAP,
					NULL);
	strscpy(text->s + at, i < len ? cut : "", sizeof(cut));
	return text->s;
}
MMBOX_EXPORT_INTERNAL(mmbox_escape);

/**
 * mmbox_param_text() - format a parameter's value for a message
 * @cfg: the configuration
 * @id: the parameter
 * @text: buffer for the result
 *
 * The text is what the user typed if that is known, else what a user would type.
 *
 * Context: any.
 * Return: the text in @text.
 */
const char *mmbox_param_text(const struct mmbox_config *cfg, enum mmbox_param_id id,
			     struct mmbox_param_text *text)
{
	const struct mmbox_param *p = &mmbox_params[id];

	if (p->kind == MMBOX_TEXT)
		return mmbox_escape(text_of(cfg, p), SIZE_MAX, text);
	if (cfg->typed && cfg->typed[id])
		return mmbox_escape(cfg->typed[id], SIZE_MAX, text);
	if (p->kind == MMBOX_BYTES)
		return mmbox_bytes_text(value_of(cfg, p), text);
	snprintf(text->s, sizeof(text->s), "%llu", value_of(cfg, p));
	return text->s;
}
MMBOX_EXPORT_INTERNAL(mmbox_param_text);

/**
 * mmbox_bad_param() - log what is wrong with a parameter, in one line
 * @cfg: the configuration
 * @id: the parameter
 * @must: what it must be; a format without a newline
 *
 * Context: any.
 * Return: -EINVAL.
 */
int mmbox_bad_param(const struct mmbox_config *cfg, enum mmbox_param_id id,
		    const char *must, ...)
{
	struct mmbox_param_text text;
	struct va_format vaf;
	va_list args;

	va_start(args, must);
	vaf = (struct va_format){ .fmt = must, .va = &args };
	pr_err("%s=%s: %pV\n", mmbox_params[id].name, mmbox_param_text(cfg, id, &text), &vaf);
	va_end(args);
	return -EINVAL;
}

/* ---- parameters ---- */

/**
 * mmbox_param_check() - check that a parameter is within its bounds
 * @cfg: the configuration
 * @id: the parameter
 *
 * Logs one line if it is not.
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int mmbox_param_check(const struct mmbox_config *cfg, enum mmbox_param_id id)
{
	const struct mmbox_param *p = &mmbox_params[id];
	struct mmbox_param_text size;

	if (p->kind == MMBOX_TEXT || value_within(p, value_of(cfg, p)))
		return 0;
	/* The user typed no size: it is the sum of the banks. */
	if (id == MMBOX_PARAM_size && cfg->nr_banks && cfg->typed && !cfg->typed[id])
		return mmbox_bad_param(cfg, MMBOX_PARAM_banks, "must come to %s, not %s", p->may,
				       mmbox_param_text(cfg, id, &size));
	return mmbox_bad_param(cfg, id, "must be %s", p->may);
}

/**
 * mmbox_params_check() - check that all parameters are within their bounds
 * @cfg: the configuration
 *
 * Logs one line about the first that is not. mmbox_config_check() checks whether
 * parameters agree with each other.
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int mmbox_params_check(const struct mmbox_config *cfg)
{
	int id, err = 0;

	for (id = 0; id < MMBOX_NR_PARAMS && !err; id++)
		err = mmbox_param_check(cfg, id);
	return err;
}

/**
 * mmbox_param_read() - set a parameter from text
 * @cfg: the configuration; it keeps a pointer to @text if the parameter is a text
 * @id: the parameter
 * @text: what a user typed
 *
 * Logs one line if the text is malformed or out of bounds.
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int mmbox_param_read(struct mmbox_config *cfg, enum mmbox_param_id id, const char *text)
{
	const struct mmbox_param *p = &mmbox_params[id];
	u64 value;

	if (p->kind == MMBOX_TEXT) {
		*(const char **)((void *)cfg + p->offset) = text;
		return 0;
	}
	if (read_value(p, text, &value) || !value_within(p, value))
		return mmbox_bad_param(cfg, id, "must be %s", p->may);
	put_value(cfg, p, value);
	return 0;
}

/**
 * mmbox_config_init() - set all parameters to their defaults
 * @cfg: the configuration, overwritten
 *
 * Context: any.
 */
void mmbox_config_init(struct mmbox_config *cfg)
{
	int id;

	*cfg = (struct mmbox_config){ .name = "box0" };
	for (id = 0; id < MMBOX_NR_PARAMS; id++)
		WARN_ON_ONCE(mmbox_param_read(cfg, id, mmbox_params[id].def));
}
MMBOX_EXPORT_INTERNAL(mmbox_config_init);
