// SPDX-License-Identifier: GPL-2.0
/*
 * The folder memory/ of a box, in the format of /sys/devices/system/memory of Linux
 * 6.1, so that lsmem and chmem work on it. Each section with memory has a folder.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "faces/faces.h"
#include "faces/debugfs.h"

/* More folders than this would cost the host too much memory. */
#define MAX_FOLDERS	4096

/* ---- memory/memoryN/ ---- */

static void state_show(struct seq_file *m, struct mmbox *box, unsigned long nr)
{
	static const char *const names[] = {
		[MMBOX_SECTION_ABSENT]		= "absent",
		[MMBOX_SECTION_OFFLINE]		= "offline",
		[MMBOX_SECTION_GOING_OFFLINE]	= "going-offline",
		[MMBOX_SECTION_ONLINE]		= "online",
	};

	seq_printf(m, "%s\n", names[mmbox_section_state(box, nr)]);
}

static int state_write(struct mmbox *box, unsigned long nr, char *text)
{
	int how = match_string(mmbox_mmop_names, MMBOX_NR_MMOPS, text);

	if (how < 0)
		return -EINVAL;
	if (how == MMBOX_MMOP_OFFLINE)
		return mmbox_memory_offline(box, nr);
	return mmbox_memory_online(box, nr, how);
}

static void phys_index_show(struct seq_file *m, struct mmbox *box, unsigned long nr)
{
	seq_printf(m, "%08lx\n", nr);
}

/* Can memory of this model be removed at all? Linux 6.1 shows the same. */
static void removable_show(struct seq_file *m, struct mmbox *box, unsigned long nr)
{
	seq_printf(m, "%d\n", mmbox_model_is_sparse(box->cfg.model));
}

static void phys_device_show(struct seq_file *m, struct mmbox *box, unsigned long nr)
{
	seq_puts(m, "0\n");
}

/* The zone of an online section, or the zones it may go to, the default first. */
static void valid_zones_show(struct seq_file *m, struct mmbox *box, unsigned long nr)
{
	struct mmbox_zone *zone, *first;
	int how;

	switch (mmbox_section_state(box, nr)) {
	case MMBOX_SECTION_ONLINE:
		zone = mmbox_section_zone(box, nr);
		seq_puts(m, zone ? zone->name : "none");
		break;
	case MMBOX_SECTION_OFFLINE:
		first = mmbox_zone_for_section(box, nr, MMBOX_MMOP_ONLINE);
		seq_puts(m, first->name);
		for (how = MMBOX_MMOP_ONLINE_KERNEL; how < MMBOX_NR_MMOPS; how++) {
			zone = mmbox_zone_for_section(box, nr, how);
			if (zone != first)
				seq_printf(m, " %s", zone->name);
		}
		break;
	default:
		seq_puts(m, "none");
	}
	seq_putc(m, '\n');
}

static const struct mmbox_face section_faces[] = {
	{ .name = "state", .show = state_show, .write = state_write },
	{ .name = "phys_index", .show = phys_index_show },
	{ .name = "removable", .show = removable_show },
	{ .name = "phys_device", .show = phys_device_show },
	{ .name = "valid_zones", .lock = MMBOX_FACE_MEMORY_LOCK, .show = valid_zones_show },
	{}
};

/* ---- memory/ ---- */

static void block_size_bytes_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	seq_printf(m, "%lx\n", box->cfg.section_size);
}

static void auto_online_blocks_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	seq_printf(m, "%s\n", mmbox_mmop_names[READ_ONCE(box->pages.auto_online)]);
}

static int auto_online_blocks_write(struct mmbox *box, unsigned long id, char *text)
{
	int how = match_string(mmbox_mmop_names, MMBOX_NR_MMOPS, text);

	if (how < 0)
		return -EINVAL;
	WRITE_ONCE(box->pages.auto_online, how);
	return 0;
}

static int probe_write(struct mmbox *box, unsigned long id, char *text)
{
	unsigned long long phys;
	int err = kstrtoull(text, 0, &phys);

	return err ?: mmbox_memory_probe(box, phys);
}

/* Undoes a write to probe. Linux has no such file. */
static int remove_write(struct mmbox *box, unsigned long id, char *text)
{
	unsigned long long phys;
	int err = kstrtoull(text, 0, &phys);

	return err ?: mmbox_memory_remove(box, phys);
}

static const struct mmbox_face memory_faces[] = {
	{ .name = "block_size_bytes", .show = block_size_bytes_show },
	{ .name = "auto_online_blocks",
	  .show = auto_online_blocks_show,
	  .write = auto_online_blocks_write },
	{ .name = "probe", .write = probe_write },
	{ .name = "remove", .write = remove_write },
	{}
};

static void add_folder(struct mmbox *box, unsigned long nr)
{
	struct mmbox_face_dir *dir;
	char name[32], target[32];
	int nid = mmbox_section_nid(box, nr);

	snprintf(name, sizeof(name), "memory%lu", nr);
	dir = mmbox_face_dir_add_unasked(box, box->faces.memory_dir, name, section_faces, nr);
	if (!dir)
		return;
	box->faces.section_dirs[nr] = dir;
	snprintf(name, sizeof(name), "node%d", nid);
	snprintf(target, sizeof(target), "../../node/node%d", nid);
	mmbox_face_dir_link(box, dir, name, target);
}

static size_t section_dirs_bytes(const struct mmbox *box)
{
	return box->memmap.nr_sections * sizeof(*box->faces.section_dirs);
}

/**
 * mmbox_debugfs_sections_add() - create memory/ and the folders of all sections
 * @box: the box, which has its own folder
 *
 * All folders are one request to the host.
 *
 * Context: process, may sleep.
 */
void mmbox_debugfs_sections_add(struct mmbox *box)
{
	unsigned long nr, there = 0;

	box->faces.memory_dir = mmbox_face_dir_add(box, NULL, "memory", memory_faces, 0);
	if (!box->faces.memory_dir)
		return;
	for (nr = 0; nr < box->memmap.nr_sections; nr++)
		there += mmbox_section_state(box, nr) != MMBOX_SECTION_ABSENT;
	if (there > MAX_FOLDERS) {
		pr_warn("%s: goes without debugfs folders memory/memory0 and so on: %lu sections, the limit is %d\n",
			box->name, there, MAX_FOLDERS);
		return;
	}
	box->faces.section_dirs = mmbox_host_zalloc(&box->host, section_dirs_bytes(box),
						    "debugfs folders of sections");
	if (!box->faces.section_dirs) {
		pr_warn("%s: goes without debugfs folders memory/memory0 and so on\n", box->name);
		return;
	}
	for (nr = 0; nr < box->memmap.nr_sections; nr++)
		if (mmbox_section_state(box, nr) != MMBOX_SECTION_ABSENT)
			add_folder(box, nr);
}

/**
 * mmbox_debugfs_section_add() - create the folder of a new section
 * @box: the box
 * @nr: number of the section
 *
 * Context: process, may sleep; memory_lock held.
 */
void mmbox_debugfs_section_add(struct mmbox *box, unsigned long nr)
{
	if (!box->faces.section_dirs)
		return;
	if (mmbox_host_should_fail(&box->host, "the debugfs folder of a section"))
		pr_warn("%s: goes without debugfs folder memory%lu\n", box->name, nr);
	else
		add_folder(box, nr);
}

/**
 * mmbox_debugfs_section_del() - remove the folder of a section
 * @box: the box
 * @nr: number of the section
 *
 * Context: process, may sleep; memory_lock held.
 */
void mmbox_debugfs_section_del(struct mmbox *box, unsigned long nr)
{
	if (!box->faces.section_dirs)
		return;
	mmbox_face_dir_drop(box, box->faces.section_dirs[nr]);
	box->faces.section_dirs[nr] = NULL;
}

/**
 * mmbox_debugfs_forget_sections() - forget the folders after the box's own is removed
 * @box: the box
 *
 * Context: process, may sleep; after mmbox_debugfs_hide().
 */
void mmbox_debugfs_forget_sections(struct mmbox *box)
{
	mmbox_host_free(&box->host, box->faces.section_dirs, section_dirs_bytes(box));
	box->faces.section_dirs = NULL;
	box->faces.memory_dir = NULL;
}
