// SPDX-License-Identifier: GPL-2.0
/*
 * The folder vm/ of a box: its tunables, as in /proc/sys/vm. Values are checked as
 * there, and take effect at once.
 */
#include <linux/kernel.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "faces/faces.h"
#include "faces/debugfs.h"

/* Parse a number from @min to @max in any base. Returns 0 or a negative errno. */
static int parse_number(const char *text, long min, long max, long *number)
{
	int err = kstrtol(text, 0, number);

	if (!err && (*number < min || *number > max))
		err = -EINVAL;
	return err;
}

static void min_free_kbytes_show(struct seq_file *m, struct mmbox *box,
				 unsigned long id)
{
	seq_printf(m, "%lu\n", box->pages.min_free_kbytes);
}

static int min_free_kbytes_write(struct mmbox *box, unsigned long id, char *text)
{
	long kbytes;
	int err = parse_number(text, 0, INT_MAX, &kbytes);

	if (err)
		return err;
	box->pages.min_free_kbytes = kbytes;
	box->pages.user_min_free_kbytes = kbytes;
	mmbox_setup_per_zone_wmarks(box);
	return 0;
}

static void watermark_scale_factor_show(struct seq_file *m, struct mmbox *box,
					unsigned long id)
{
	seq_printf(m, "%u\n", box->pages.watermark_scale_factor);
}

static int watermark_scale_factor_write(struct mmbox *box, unsigned long id,
					char *text)
{
	long factor;
	int err = parse_number(text, 1, 3000, &factor);

	if (err)
		return err;
	box->pages.watermark_scale_factor = factor;
	mmbox_setup_per_zone_wmarks(box);
	return 0;
}

static void watermark_boost_factor_show(struct seq_file *m, struct mmbox *box,
					unsigned long id)
{
	seq_printf(m, "%u\n", box->pages.watermark_boost_factor);
}

/* Takes effect at the next boost. */
static int watermark_boost_factor_write(struct mmbox *box, unsigned long id,
					char *text)
{
	long factor;
	int err = parse_number(text, 0, INT_MAX, &factor);

	if (!err)
		WRITE_ONCE(box->pages.watermark_boost_factor, factor);
	return err;
}

static void lowmem_reserve_ratio_show(struct seq_file *m, struct mmbox *box,
				      unsigned long id)
{
	int i;

	for (i = 0; i < MMBOX_MAX_NR_ZONES; i++)
		seq_printf(m, "%s%d", i ? "\t" : "", box->pages.lowmem_reserve_ratio[i]);
	seq_putc(m, '\n');
}

/* Sets as many zones as there are numbers, lowest zone first. Below 1 means 0: none. */
static int lowmem_reserve_ratio_write(struct mmbox *box, unsigned long id,
				      char *text)
{
	int ratio[MMBOX_MAX_NR_ZONES], nr = 0, i;
	char *word;

	while ((word = strsep(&text, " \t\n"))) {
		long number;
		int err;

		if (!*word)
			continue;
		if (nr == MMBOX_MAX_NR_ZONES)
			return -EINVAL;
		err = parse_number(word, INT_MIN, INT_MAX, &number);
		if (err)
			return err;
		ratio[nr++] = max(number, 0L);
	}
	for (i = 0; i < nr; i++)
		box->pages.lowmem_reserve_ratio[i] = ratio[i];
	mmbox_setup_per_zone_lowmem_reserve(box);
	return 0;
}

static void percpu_pagelist_high_fraction_show(struct seq_file *m,
					       struct mmbox *box, unsigned long id)
{
	seq_printf(m, "%d\n", box->pages.percpu_pagelist_high_fraction);
}

static int percpu_pagelist_high_fraction_write(struct mmbox *box,
					       unsigned long id, char *text)
{
	long fraction;
	int err = parse_number(text, 0, INT_MAX, &fraction);

	if (!err && fraction && fraction < MMBOX_MIN_PCP_HIGH_FRACTION)
		err = -EINVAL;
	if (err)
		return err;
	box->pages.percpu_pagelist_high_fraction = fraction;
	mmbox_zone_pcp_update(box);
	return 0;
}

/* As in the kernel: bit 0 drops the page cache, which is always empty; bit 1 slab objects. */
static int drop_caches_write(struct mmbox *box, unsigned long id, char *text)
{
	long what;
	int err = parse_number(text, 1, 4, &what);

	if (err)
		return err;
	if (what & 1)
		mmbox_count_vm_events(box, MMBOX_DROP_PAGECACHE, 1);
	if (what & 2)
		mmbox_drop_slab(box);
	return 0;
}

const struct mmbox_face mmbox_vm_faces[] = {
	{ .name = "min_free_kbytes",
	  .lock = MMBOX_FACE_TUNABLES_LOCK,
	  .show = min_free_kbytes_show,
	  .write = min_free_kbytes_write },
	{ .name = "watermark_scale_factor",
	  .lock = MMBOX_FACE_TUNABLES_LOCK,
	  .show = watermark_scale_factor_show,
	  .write = watermark_scale_factor_write },
	{ .name = "watermark_boost_factor",
	  .show = watermark_boost_factor_show,
	  .write = watermark_boost_factor_write },
	{ .name = "lowmem_reserve_ratio",
	  .lock = MMBOX_FACE_TUNABLES_LOCK,
	  .show = lowmem_reserve_ratio_show,
	  .write = lowmem_reserve_ratio_write },
	{ .name = "percpu_pagelist_high_fraction",
	  .lock = MMBOX_FACE_TUNABLES_LOCK,
	  .show = percpu_pagelist_high_fraction_show,
	  .write = percpu_pagelist_high_fraction_write },
	{ .name = "drop_caches", .write = drop_caches_write },
	{}
};
