/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files and folders of a box below /sys/kernel/debug/mmbox/. Each debugfs_*.c has
 * tables of files; debugfs.c creates the files in them.
 */
#ifndef _MMBOX_DEBUGFS_H
#define _MMBOX_DEBUGFS_H

#include <linux/types.h>

struct mmbox;
struct mmbox_face_dir;
struct mmbox_stat_name;
struct seq_file;

/* The mutex of the box that is held while a file is shown or written. */
enum mmbox_face_lock {
	MMBOX_FACE_NO_LOCK,
	MMBOX_FACE_MEMORY_LOCK,		/* pages.memory_lock */
	MMBOX_FACE_TUNABLES_LOCK,	/* pages.tunables_lock */
	MMBOX_FACE_SLAB_MUTEX,		/* slab.mutex */
};

/* A file of a box. An entry without a name ends a table. */
struct mmbox_face {
	const char *name;
	enum mmbox_face_lock lock;	/* taken for show() and for write() */
	/* Prints the whole file; NULL if it is write-only. */
	void (*show)(struct seq_file *m, struct mmbox *box, unsigned long id);
	/*
	 * Handles one write(). @text has no leading or trailing space. Returns 0 or
	 * a negative errno for the writer; NULL if the file is read-only.
	 */
	int (*write)(struct mmbox *box, unsigned long id, char *text);
};

/* A line "name: value" of a file. An entry without a name ends a table. */
struct mmbox_figure {
	const char *name;
	unsigned long value;
};

/* debugfs.c */
void mmbox_show_figures(struct seq_file *m, const struct mmbox_figure *figures);
struct mmbox_face_dir *mmbox_debugfs_begin(struct mmbox *box);
void mmbox_debugfs_hide(struct mmbox *box);
void mmbox_debugfs_end(struct mmbox *box);
struct mmbox_face_dir *mmbox_face_dir_add(struct mmbox *box,
					  struct mmbox_face_dir *parent,
					  const char *name,
					  const struct mmbox_face *faces,
					  unsigned long id);
struct mmbox_face_dir *mmbox_face_dir_add_unasked(struct mmbox *box,
						  struct mmbox_face_dir *parent,
						  const char *name,
						  const struct mmbox_face *faces,
						  unsigned long id);
bool mmbox_face_dir_has(struct mmbox_face_dir *dir, const char *name);
void mmbox_face_dir_files(struct mmbox *box, struct mmbox_face_dir *dir,
			  const struct mmbox_face *faces);
void mmbox_face_dir_link(struct mmbox *box, struct mmbox_face_dir *dir, const char *name,
			 const char *target);
void mmbox_face_dir_remove(struct mmbox *box, struct mmbox_face_dir *dir);
void mmbox_face_dir_drop(struct mmbox *box, struct mmbox_face_dir *dir);

/* debugfs_proc.c, debugfs_box.c: in the box's own folder */
extern const struct mmbox_face mmbox_proc_faces[];
extern const struct mmbox_face mmbox_box_faces[];
extern const struct mmbox_face mmbox_debug_faces[];	/* debugfs_debug.c */

/* debugfs_proc.c: an array of counters while a file is shown */
unsigned long *mmbox_stat_take(struct mmbox *box);
void mmbox_stat_give(struct mmbox *box, unsigned long *stat);
void mmbox_stat_lines(struct seq_file *m, const struct mmbox_stat_name *name,
		      const unsigned long *stat);

/* debugfs_node.c: `pgdat`, and the folder node/ */
extern const struct mmbox_face mmbox_pgdat_faces[];
void mmbox_debugfs_nodes_add(struct mmbox *box);

/* debugfs_memory.c: in the same folder */
extern const struct mmbox_face mmbox_memory_faces[];

/* debugfs_hotplug.c: the folder memory/ */
void mmbox_debugfs_sections_add(struct mmbox *box);
void mmbox_debugfs_forget_sections(struct mmbox *box);
void mmbox_debugfs_section_add(struct mmbox *box, unsigned long nr);
void mmbox_debugfs_section_del(struct mmbox *box, unsigned long nr);

/* debugfs_vm.c: in the folder vm/ */
extern const struct mmbox_face mmbox_vm_faces[];

/* debugfs_cache.c */
struct mmbox_kmem_cache;
void mmbox_debugfs_add_cache(struct mmbox *box, struct mmbox_kmem_cache *cachep);
void mmbox_debugfs_remove_cache(struct mmbox *box, struct mmbox_kmem_cache *cachep);
void mmbox_debugfs_add_caches(struct mmbox *box);
void mmbox_debugfs_forget_caches(struct mmbox *box);

#endif /* _MMBOX_DEBUGFS_H */
