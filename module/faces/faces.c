// SPDX-License-Identifier: GPL-2.0
/*
 * Puts a box into debugfs, and connects events of the box to reports and files.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/err.h>
#include <linux/list.h>
#include <linux/printk.h>

#include "faces/debugfs.h"
#include "faces/report.h"

/* box.c installs it before the box boots. */
const struct mmbox_observer mmbox_faces_observer = {
	.bad_object = mmbox_report_bad_object,
	.bad_page = mmbox_report_bad_page,
	.bad_usercopy = mmbox_report_bad_usercopy,
	.bad_kfree_rcu = mmbox_report_bad_kfree_rcu,
	.bad_freelist = mmbox_slab_report_freelist,
	.slab_fault = mmbox_slab_report_fault,
	.slab_trace = mmbox_slab_report_trace,
	.cache_in_use = mmbox_report_cache_in_use,
	.alloc_failed = mmbox_report_alloc_failed,
	.cache_added = mmbox_debugfs_add_cache,
	.cache_removed = mmbox_debugfs_remove_cache,
	.section_added = mmbox_debugfs_section_add,
	.section_removed = mmbox_debugfs_section_del,
};

/**
 * mmbox_faces_setup() - initialize box->faces
 * @box: the box, new
 *
 * Allocates nothing, so there is nothing to undo.
 *
 * Context: any.
 */
void mmbox_faces_setup(struct mmbox *box)
{
	mmbox_report_init(box);
	INIT_LIST_HEAD(&box->list);
}

/**
 * mmbox_debugfs_add() - create the files and folders of a box
 * @box: the box, booted
 *
 * A file or folder that cannot be created is missing, and the log says so.
 *
 * Context: process, may sleep.
 * Return: 0, or a negative errno if there are no files at all, which is logged as well.
 */
int mmbox_debugfs_add(struct mmbox *box)
{
	struct mmbox_face_dir *top = mmbox_debugfs_begin(box);

	if (IS_ERR(top)) {
		pr_warn("%s: goes without debugfs files: %pe\n", box->name, top);
		return PTR_ERR(top);
	}
	mmbox_face_dir_files(box, top, mmbox_proc_faces);
	mmbox_face_dir_files(box, top, mmbox_box_faces);
	mmbox_face_dir_files(box, top, mmbox_debug_faces);
	mmbox_face_dir_files(box, top, mmbox_pgdat_faces);
	mmbox_face_dir_files(box, top, mmbox_memory_faces);
	mmbox_face_dir_add(box, NULL, "vm", mmbox_vm_faces, 0);
	mmbox_debugfs_nodes_add(box);
	mmbox_debugfs_sections_add(box);
	mmbox_debugfs_add_caches(box);
	return 0;
}

/**
 * mmbox_debugfs_remove() - take a box out of debugfs
 * @box: the box
 *
 * Waits for reads and writes under way. Files that are still open then return -ENODEV.
 *
 * Context: process, may sleep.
 */
void mmbox_debugfs_remove(struct mmbox *box)
{
	if (!box->faces.debugfs)
		return;
	mmbox_debugfs_forget_caches(box);
	mmbox_debugfs_hide(box);
	mmbox_debugfs_forget_sections(box);
	mmbox_debugfs_end(box);
}
