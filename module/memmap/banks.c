// SPDX-License-Identifier: GPL-2.0
/*
 * Banks: where the region lies in the box's physical address space.
 *
 *	banks=SIZE@ADDR[:NODE][:hot],...
 *
 * The banks, sorted by address, divide the region's memory in that order. A hot
 * bank gets none: it is a hole that memory can be added to later.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "memmap/memmap.h"

/* Parse the bank at @text, up to a comma or the end. Returns where it ends, or NULL. */
static const char *parse_bank(const char *text, struct mmbox_bank *bank)
{
	*bank = (struct mmbox_bank){};
	text = mmbox_parse_bytes(text, &bank->size);
	if (!text || *text++ != '@')
		return NULL;
	text = mmbox_parse_bytes(text, &bank->base);
	if (!text)
		return NULL;
	if (text[0] == ':' && text[1] >= '0' && text[1] <= '9') {
		bank->nid = text[1] - '0';
		text += 2;
	}
	if (!strncmp(text, ":hot", 4)) {
		bank->hot = true;
		text += 4;
	}
	return *text && *text != ',' ? NULL : text;
}

static int compare_banks(const void *a, const void *b)
{
	const struct mmbox_bank *x = a, *y = b;

	return x->base < y->base ? -1 : x->base > y->base;
}

/**
 * mmbox_banks_parse() - parse banks=
 * @cfg: configuration; its banks are set, sorted by address
 * @text: the parameter; "" means one bank at address 0. @cfg keeps the pointer
 *
 * Context: process.
 * Return: 0, or -EINVAL if @text cannot be parsed; one line in the log says why.
 */
int mmbox_banks_parse(struct mmbox_config *cfg, const char *text)
{
	struct mmbox_param_text bank;
	const char *end = text;

	cfg->nr_banks = 0;
	cfg->banks_text = text;
	if (!*text)
		return 0;
	for (;; text = end + 1) {
		if (cfg->nr_banks == MMBOX_MAX_BANKS)
			return mmbox_bad_param(cfg, MMBOX_PARAM_banks, "must be %d banks at most",
					       MMBOX_MAX_BANKS);
		end = parse_bank(text, &cfg->banks[cfg->nr_banks]);
		if (!end)
			return mmbox_bad_param(cfg, MMBOX_PARAM_banks,
					       "bank %s must be SIZE@ADDR or SIZE@ADDR:NODE, and may end in :hot",
					       mmbox_escape(text, min(strcspn(text, ","), 40UL),
							    &bank));
		cfg->nr_banks++;
		if (!*end)
			break;
	}
	sort(cfg->banks, cfg->nr_banks, sizeof(*cfg->banks), compare_banks, NULL);
	return 0;
}
MMBOX_EXPORT_INTERNAL(mmbox_banks_parse);

/**
 * mmbox_banks_sum() - total size of all banks that are not hot
 * @cfg: configuration
 *
 * Context: any.
 * Return: bytes, or ULONG_MAX if the sum overflows.
 */
unsigned long mmbox_banks_sum(const struct mmbox_config *cfg)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < cfg->nr_banks; i++)
		if (!cfg->banks[i].hot && check_add_overflow(sum, cfg->banks[i].size, &sum))
			return ULONG_MAX;
	return sum;
}
MMBOX_EXPORT_INTERNAL(mmbox_banks_sum);

/* Refuse @bank. @must is the rest of the message, after the bank: "must ...". */
static int bad_bank(const struct mmbox_config *cfg, const struct mmbox_bank *bank,
		    const char *must)
{
	struct mmbox_param_text size, base;

	return mmbox_bad_param(cfg, MMBOX_PARAM_banks, "bank %s@%s:%d%s %s",
			       mmbox_bytes_text(bank->size, &size),
			       mmbox_bytes_text(bank->base, &base), bank->nid,
			       bank->hot ? ":hot" : "", must);
}

static bool node_has_bank(const struct mmbox_config *cfg, int nid)
{
	unsigned int i;

	for (i = 0; i < cfg->nr_banks; i++)
		if (cfg->banks[i].nid == nid && !cfg->banks[i].hot)
			return true;
	return false;
}

static int check_bank(const struct mmbox_config *cfg, unsigned int i)
{
	const struct mmbox_bank *bank = &cfg->banks[i];

	if (!bank->size || !IS_ALIGNED(bank->size, cfg->section_size) ||
	    !IS_ALIGNED(bank->base, cfg->section_size))
		return bad_bank(cfg, bank, "must have size and address in whole sections");
	if (bank->base >= MMBOX_SIZE_MAX || bank->size > MMBOX_SIZE_MAX - bank->base)
		return bad_bank(cfg, bank, "must end at 128G or below");
	if (i && bank->base < bank[-1].base + bank[-1].size)
		return bad_bank(cfg, bank, "must not overlap the bank before it");
	if (bank->nid < 0 || bank->nid >= MMBOX_MAX_NUMNODES)
		return bad_bank(cfg, bank, "must be of a node from 0 to 7");
	if (bank->nid && !node_has_bank(cfg, bank->nid - 1))
		return bad_bank(cfg, bank, "must not leave out a node: they are numbered from 0");
	if (bank->hot && !mmbox_model_is_sparse(cfg->model))
		return bad_bank(cfg, bank, "may only be hot with a sparse model");
	if (bank->hot && !node_has_bank(cfg, bank->nid))
		return bad_bank(cfg, bank, "must be of a node with a bank that is not hot");
	return 0;
}

/**
 * mmbox_banks_check() - check the banks of a configuration
 * @cfg: configuration
 *
 * Context: any.
 * Return: 0, or -EINVAL if a bank is wrong; one line in the log says which and why.
 */
int mmbox_banks_check(const struct mmbox_config *cfg)
{
	struct mmbox_param_text size, sum;
	unsigned int i;
	int err;

	if (cfg->nr_banks > MMBOX_MAX_BANKS)
		return -EINVAL;
	for (i = 0; i < cfg->nr_banks; i++) {
		err = check_bank(cfg, i);
		if (err)
			return err;
	}
	if (cfg->nr_banks && mmbox_banks_sum(cfg) != cfg->size)
		return mmbox_bad_param(cfg, MMBOX_PARAM_banks, "must come to size=%s, not %s",
				       mmbox_param_text(cfg, MMBOX_PARAM_size, &size),
				       mmbox_bytes_text(mmbox_banks_sum(cfg), &sum));
	return 0;
}
