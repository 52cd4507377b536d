// SPDX-License-Identifier: GPL-2.0
/*
 * The parameters of mmbox.ko: declared to the kernel, and parsed.
 *
 * All are kept as text, so that messages show values as they were typed. params_table.h
 * says what each may be, and host/config.c checks that.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "box.h"

/* Parameters as typed, NULL: not given. Written while the module is being loaded. */
static char *texts[MMBOX_NR_PARAMS];

/* A switch without a value is on. The kernel makes sure that others have a value. */
static int set_text(const char *val, const struct kernel_param *kp)
{
	return param_set_charp(val ?: "1", kp);
}

/* For /sys/module/mmbox/parameters/: the text as typed, or the default. */
static int get_text(char *buffer, const struct kernel_param *kp)
{
	char **text = kp->arg;

	return scnprintf(buffer, PAGE_SIZE, "%s\n", *text ?: mmbox_params[text - texts].def);
}

static void free_text(void *arg)
{
	param_free_charp(arg);
}

static const struct kernel_param_ops value_ops = {
	.set = set_text,
	.get = get_text,
	.free = free_text,
};

static const struct kernel_param_ops switch_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = set_text,
	.get = get_text,
	.free = free_text,
};

/* A kind expands to the type that modinfo shows, the ops, and the allowed values. */
#define DECLARE(...)	DECLARE_PARAM(__VA_ARGS__)
#define DECLARE_PARAM(name, text, type, ops, may)				\
	module_param_cb(name, &ops, &texts[MMBOX_PARAM_##name], 0444);		\
	__MODULE_PARM_TYPE(name, type);						\
	MODULE_PARM_DESC(name, text " (" may ")");

#define PARAM(name, field, kind, text)	DECLARE(name, text, kind)
#define BYTES(def, least, most, rule)						\
	"bytes", value_ops, MMBOX_MUST_##rule "from " least " to " most "; default " def
#define NUMBER(def, least, most)						\
	"ulong", value_ops, "from " least " to " most "; default " def
#define SWITCH(def)		"bool", switch_ops, "0 or 1; default " def
#define CHOICE(def, names)	"charp", value_ops, names "; default " def
#define TEXT(def, form)		"charp", value_ops, form "; default " def
#define LIST(form)		"charp", value_ops, form
#include "types/params_table.h"

/**
 * mmbox_params_read() - parse parameters
 * @cfg: the configuration, overwritten; it keeps pointers into the texts
 * @typed: text of each parameter, by enum mmbox_param_id, NULL: the default
 *
 * Logs one line about the first bad parameter.
 *
 * Context: process.
 * Return: 0 or -EINVAL.
 */
int mmbox_params_read(struct mmbox_config *cfg, const char *const *typed)
{
	int id, err = 0;

	mmbox_config_init(cfg);
	cfg->typed = typed;
	for (id = 0; id < MMBOX_NR_PARAMS && !err; id++)
		if (typed[id])
			err = mmbox_param_read(cfg, id, typed[id]);
	if (!err)
		err = mmbox_banks_parse(cfg, cfg->banks_text);
	if (err)
		return err;
	if (cfg->nr_banks && !typed[MMBOX_PARAM_size])
		cfg->size = mmbox_banks_sum(cfg);
	if (!typed[MMBOX_PARAM_orders])
		cfg->orders = mmbox_buddy_orders(cfg);
	return typed[MMBOX_PARAM_nodes] ? mmbox_nodes_split(cfg, cfg->nodes) : 0;
}
MMBOX_EXPORT_INTERNAL(mmbox_params_read);

/**
 * mmbox_params_typed() - parse the parameters with which this module was loaded
 * @cfg: the configuration, overwritten
 *
 * See mmbox_params_read().
 *
 * Context: process.
 * Return: 0 or -EINVAL.
 */
int mmbox_params_typed(struct mmbox_config *cfg)
{
	return mmbox_params_read(cfg, (const char *const *)texts);
}
