// SPDX-License-Identifier: GPL-2.0
/*
 * Banks: where the region lies in the box's physical address space.
 *
 *	banks=SIZE@ADDR[:NODE][:hot],...
 *
 * The banks, sorted by address, take the region's memory one after the other;
 * but those that are hot are holes, which memory may be put into later.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/printk.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "memmap/memmap.h"

/**
 * mmbox_parse_bytes() - read a number of bytes, with K, M or G
 * @text: what begins with it
 * @value: where it goes
 *
 * memparse(), but that takes a sign, any rubbish as 0, and of what is too large
 * the lower bits.
 *
 * Context: any.
 * Return: where the number ends, or NULL if there is none, or it is too large.
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

/* One bank, from @text to a comma or the end. Returns where it ends, or NULL. */
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
 * mmbox_banks_parse() - read banks=
 * @cfg: where they go, sorted by address
 * @text: the parameter; "" is one bank at 0
 *
 * Context: process.
 * Return: 0, or -EINVAL, having said in one line what cannot be read.
 */
int mmbox_banks_parse(struct mmbox_config *cfg, const char *text)
{
	const char *end = text;

	cfg->nr_banks = 0;
	if (!*text)
		return 0;
	for (;; text = end + 1) {
		if (cfg->nr_banks == MMBOX_MAX_BANKS) {
			pr_err("banks=: must be %d banks at most\n", MMBOX_MAX_BANKS);
			return -EINVAL;
		}
		end = parse_bank(text, &cfg->banks[cfg->nr_banks]);
		if (!end) {
			pr_err("banks=: bank %.*s: must be SIZE@ADDR, SIZE@ADDR:NODE, and may end in :hot\n",
			       (int)(strchrnul(text, ',') - text), text);
			return -EINVAL;
		}
		cfg->nr_banks++;
		if (!*end)
			break;
	}
	sort(cfg->banks, cfg->nr_banks, sizeof(*cfg->banks), compare_banks, NULL);
	return 0;
}
MMBOX_EXPORT_INTERNAL(mmbox_banks_parse);

/**
 * mmbox_banks_sum() - memory of all banks that are not hot
 * @cfg: what is asked for
 *
 * Context: any.
 * Return: bytes.
 */
unsigned long mmbox_banks_sum(const struct mmbox_config *cfg)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < cfg->nr_banks; i++)
		if (!cfg->banks[i].hot)
			sum += cfg->banks[i].size;
	return sum;
}
MMBOX_EXPORT_INTERNAL(mmbox_banks_sum);

static int bad_bank(const struct mmbox_bank *bank, const char *must)
{
	pr_err("banks=: bank %lluK@%lluK:%d: %s\n",
	       (unsigned long long)bank->size >> 10,
	       (unsigned long long)bank->base >> 10, bank->nid, must);
	return -EINVAL;
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
		return bad_bank(bank, "size and address must be multiples of section_size=");
	if (bank->base >= MMBOX_SIZE_MAX || bank->size > MMBOX_SIZE_MAX - bank->base)
		return bad_bank(bank, "must end at 128G or below");
	if (i && bank->base < bank[-1].base + bank[-1].size)
		return bad_bank(bank, "must not overlap the bank before it");
	if (bank->nid < 0 || bank->nid >= MMBOX_MAX_NUMNODES)
		return bad_bank(bank, "the node must be 0 to 7");
	if (bank->nid && !node_has_bank(cfg, bank->nid - 1))
		return bad_bank(bank, "nodes must be numbered from 0 without a gap");
	if (bank->hot && !mmbox_model_is_sparse(cfg->model))
		return bad_bank(bank, "hot banks need a sparse model, which has sections");
	if (bank->hot && !node_has_bank(cfg, bank->nid))
		return bad_bank(bank, "its node must have a bank that is not hot");
	return 0;
}

/**
 * mmbox_banks_check() - do the banks asked for make sense?
 * @cfg: what is asked for
 *
 * Says in one line of the log which bank does not.
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int mmbox_banks_check(const struct mmbox_config *cfg)
{
	unsigned int i;
	int err;

	if (cfg->nr_banks > MMBOX_MAX_BANKS)
		return -EINVAL;
	for (i = 0; i < cfg->nr_banks; i++) {
		err = check_bank(cfg, i);
		if (err)
			return err;
	}
	if (cfg->nr_banks && mmbox_banks_sum(cfg) != cfg->size) {
		pr_err("banks=: %lu bytes in %u banks: must be as much as size=%lu\n",
		       mmbox_banks_sum(cfg), cfg->nr_banks, cfg->size);
		return -EINVAL;
	}
	return 0;
}
