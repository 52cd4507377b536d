// SPDX-License-Identifier: GPL-2.0
/*
 * Files and folders of a box below /sys/kernel/debug/mmbox/.
 *
 * A file has a function that prints a snapshot of the box into a seq_file, and may
 * have one that handles writes. debugfs_*.c have tables of these functions; this file
 * creates the files.
 *
 * An open file pins the module, but neither its box nor the cache or section that its
 * folder shows. So each folder has a reference-counted struct mmbox_face_dir, which
 * stays until its last file is closed. Each read or write uses it to find the box, or
 * to learn that the box is gone.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/rwsem.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "faces/faces.h"
#include "faces/debugfs.h"

#define MAX_WRITE	128	/* bytes, as of slabinfo in Linux 6.1 */

struct mmbox_debugfs {
	struct kref ref;		/* one for the box and one per folder */
	struct rw_semaphore lock;	/* readers use @box, the writer clears it */
	struct mmbox *box;		/* NULL once the box is gone; @lock */
	struct mutex dirs_lock;		/* @dirs and the tables of each folder */
	struct list_head dirs;		/* all folders */
	struct mmbox_face_dir *top;	/* the box's own */
};

struct mmbox_face_dir {
	struct kref ref;		/* one for the folder and one per open file */
	struct mmbox_debugfs *debugfs;
	struct dentry *dentry;
	unsigned long id;		/* passed to the functions of its files */
	bool gone;			/* the folder was removed; set once */
	struct list_head list;		/* debugfs->dirs */
	struct list_head tables;	/* struct face_table */
};

struct face_table {
	struct list_head list;		/* dir->tables */
	unsigned int nr;
	struct face_file {
		struct mmbox_face_dir *dir;
		const struct mmbox_face *face;
	} files[];
};

static void debugfs_free(struct kref *ref)
{
	kfree(container_of(ref, struct mmbox_debugfs, ref));
}

static void dir_free(struct kref *ref)
{
	struct mmbox_face_dir *dir = container_of(ref, struct mmbox_face_dir, ref);
	struct face_table *table, *next;

	list_for_each_entry_safe(table, next, &dir->tables, list)
		kfree(table);
	kref_put(&dir->debugfs->ref, debugfs_free);
	kfree(dir);
}

/* ---- reading and writing ---- */

/*
 * Find the box of a folder and keep it until unlock_box(). Returns an ERR_PTR() on
 * failure: -ENODEV if the box or the folder is gone, -EINTR if the task was killed.
 */
static struct mmbox *lock_box(struct mmbox_face_dir *dir)
{
	if (down_read_killable(&dir->debugfs->lock))
		return ERR_PTR(-EINTR);
	if (!READ_ONCE(dir->gone) && dir->debugfs->box)
		return dir->debugfs->box;
	up_read(&dir->debugfs->lock);
	return ERR_PTR(-ENODEV);
}

static void unlock_box(struct mmbox_face_dir *dir)
{
	up_read(&dir->debugfs->lock);
}

static struct mutex *face_mutex(const struct mmbox_face *face, struct mmbox *box)
{
	switch (face->lock) {
	case MMBOX_FACE_MEMORY_LOCK:
		return &box->pages.memory_lock;
	case MMBOX_FACE_TUNABLES_LOCK:
		return &box->pages.tunables_lock;
	case MMBOX_FACE_SLAB_MUTEX:
		return &box->slab.mutex;
	default:
		return NULL;
	}
}

/* lock_box(), and the mutex that the file names. */
static struct mmbox *lock_face(struct face_file *file)
{
	struct mmbox *box = lock_box(file->dir);
	struct mutex *mutex = IS_ERR(box) ? NULL : face_mutex(file->face, box);

	if (!mutex || !mutex_lock_killable(mutex))
		return box;
	unlock_box(file->dir);
	return ERR_PTR(-EINTR);
}

static void unlock_face(struct face_file *file, struct mmbox *box)
{
	struct mutex *mutex = face_mutex(file->face, box);

	if (mutex)
		mutex_unlock(mutex);
	unlock_box(file->dir);
}

static int face_show(struct seq_file *m, void *unused)
{
	struct face_file *file = m->private;
	struct mmbox *box = lock_face(file);

	if (IS_ERR(box))
		return PTR_ERR(box);
	file->face->show(m, box, file->dir->id);
	unlock_face(file, box);
	return 0;
}

static ssize_t face_write(struct file *filp, const char __user *buf, size_t count,
			  loff_t *ppos)
{
	struct seq_file *m = filp->private_data;
	struct face_file *file = m->private;
	char text[MAX_WRITE + 1];
	struct mmbox *box;
	int err;

	if (!file->face->write || count > MAX_WRITE)
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	text[count] = '\0';
	/* One NUL at the end is allowed, as in /proc. Text behind a NUL is not. */
	if (strlen(text) + 1 < count)
		return -EINVAL;

	box = lock_face(file);
	if (IS_ERR(box))
		return PTR_ERR(box);
	err = file->face->write(box, file->dir->id, strim(text));
	unlock_face(file, box);
	return err ?: count;
}

/* seq_lseek() prints the file up to the new position, so it needs a show(). */
static loff_t face_llseek(struct file *filp, loff_t offset, int whence)
{
	struct seq_file *m = filp->private_data;
	struct face_file *file = m->private;

	if (!file->face->show)
		return noop_llseek(filp, offset, whence);
	return seq_lseek(filp, offset, whence);
}

/* The mode of a file does not stop root, so check what the file can do. */
static int face_open(struct inode *inode, struct file *filp)
{
	struct face_file *file = inode->i_private;
	int err;

	if ((filp->f_mode & FMODE_READ && !file->face->show) ||
	    (filp->f_mode & FMODE_WRITE && !file->face->write))
		return -EACCES;
	err = single_open(filp, face_show, file);
	if (!err)
		kref_get(&file->dir->ref);
	return err;
}

static int face_release(struct inode *inode, struct file *filp)
{
	struct seq_file *m = filp->private_data;
	struct face_file *file = m->private;

	single_release(inode, filp);
	kref_put(&file->dir->ref, dir_free);
	return 0;
}

static const struct file_operations face_fops = {
	.owner = THIS_MODULE,
	.open = face_open,
	.read = seq_read,
	.write = face_write,
	.llseek = face_llseek,
	.release = face_release,
};

/**
 * mmbox_show_figures() - print a line "name: value" for each figure
 * @m: the file
 * @figures: the figures; an entry without a name ends them
 *
 * Context: any.
 */
void mmbox_show_figures(struct seq_file *m, const struct mmbox_figure *figures)
{
	for (; figures->name; figures++)
		seq_printf(m, "%s: %lu\n", figures->name, figures->value);
}

/* ---- folders ---- */

/* The folder of all boxes exists while a box has a folder in it. */
static DEFINE_MUTEX(root_lock);		/* root, root_users */
static struct dentry *root;
static unsigned int root_users;

static struct dentry *create_dir(struct mmbox *box, const char *name,
				 struct dentry *parent, bool ask)
{
	struct dentry *dir;

	if (ask && mmbox_host_should_fail(&box->host, "a debugfs folder"))
		return ERR_PTR(-ENOMEM);
	dir = debugfs_create_dir(name, parent);
	if (IS_ERR(dir))
		return dir;
	/* debugfs creates folders with mode 0755: only its root keeps users out. */
	inode_lock(d_inode(dir));
	d_inode(dir)->i_mode = S_IFDIR | 0700;
	inode_unlock(d_inode(dir));
	return dir;
}

static int root_get(struct mmbox *box)
{
	struct dentry *dir;
	int err = 0;

	mutex_lock(&root_lock);
	if (!root_users) {
		dir = create_dir(box, "mmbox", NULL, true);
		err = PTR_ERR_OR_ZERO(dir);
		if (!err)
			root = dir;
	}
	if (!err)
		root_users++;
	mutex_unlock(&root_lock);
	return err;
}

static void root_put(void)
{
	mutex_lock(&root_lock);
	if (!--root_users)
		debugfs_remove(root);
	mutex_unlock(&root_lock);
}

static void create_file(struct mmbox *box, struct face_file *file)
{
	const struct mmbox_face *face = file->face;
	umode_t mode = (face->show ? 0400 : 0) | (face->write ? 0200 : 0);
	struct dentry *dentry;

	/*
	 * "Unsafe" because debugfs does not protect reads against removal. face_show()
	 * does so itself, and returns -ENODEV if the box is gone. debugfs_remove()
	 * still waits for opens.
	 */
	dentry = debugfs_create_file_unsafe(face->name, mode, file->dir->dentry,
					    file, &face_fops);
	if (IS_ERR(dentry))
		pr_warn_ratelimited("%s: goes without debugfs file %s: %pe\n", box->name,
				    face->name, dentry);
}

/* Create the files of a table. @ask: count a request to the host for them. */
static void add_files(struct mmbox *box, struct mmbox_face_dir *dir,
		      const struct mmbox_face *faces, bool ask)
{
	struct face_table *table = NULL;
	unsigned int i, nr = 0;

	while (faces[nr].name)
		nr++;
	/* Not mmbox_host_zalloc(): an open file keeps this longer than the box. */
	if (!ask || !mmbox_host_should_fail(&box->host, "debugfs files"))
		table = kzalloc(struct_size(table, files, nr), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!table) {
		pr_warn_ratelimited("%s: goes without debugfs file %s and %u more: %pe\n",
				    box->name, faces[0].name, nr - 1, ERR_PTR(-ENOMEM));
		return;
	}
	table->nr = nr;
	mutex_lock(&dir->debugfs->dirs_lock);
	list_add_tail(&table->list, &dir->tables);
	mutex_unlock(&dir->debugfs->dirs_lock);
	atomic_long_add(struct_size(table, files, nr), &box->host.bytes);

	for (i = 0; i < nr; i++) {
		table->files[i].dir = dir;
		table->files[i].face = &faces[i];
		create_file(box, &table->files[i]);
	}
}

/**
 * mmbox_face_dir_files() - create files in a folder
 * @box: the box
 * @dir: the folder; if NULL, nothing happens
 * @faces: the files; the table must stay valid
 *
 * All files are one request to the host. Files that cannot be created are missing,
 * and the log says so.
 *
 * Context: process, may sleep.
 */
void mmbox_face_dir_files(struct mmbox *box, struct mmbox_face_dir *dir,
			  const struct mmbox_face *faces)
{
	if (dir)
		add_files(box, dir, faces, true);
}

/**
 * mmbox_face_dir_link() - create a symbolic link in a folder
 * @box: the box
 * @dir: the folder
 * @name: its name
 * @target: path relative to the folder
 *
 * Not a request of its own to the host: the caller counted it with the folder.
 *
 * Context: process, may sleep.
 */
void mmbox_face_dir_link(struct mmbox *box, struct mmbox_face_dir *dir, const char *name,
			 const char *target)
{
	struct dentry *dentry = debugfs_create_symlink(name, dir->dentry, target);

	if (IS_ERR(dentry))
		pr_warn_ratelimited("%s: goes without debugfs link %s: %pe\n", box->name,
				    name, dentry);
}

static struct mmbox_face_dir *add_dir(struct mmbox *box, struct mmbox_face_dir *parent,
				      const char *name, const struct mmbox_face *faces,
				      unsigned long id, bool ask)
{
	struct mmbox_debugfs *debugfs = box->faces.debugfs;
	struct mmbox_face_dir *dir = NULL;
	struct dentry *above;
	int err = -ENOMEM;

	if (!debugfs)
		return NULL;
	if (!parent)
		parent = debugfs->top;
	above = parent ? parent->dentry : root;

	if (!ask || !mmbox_host_should_fail(&box->host, "a debugfs folder's anchor"))
		dir = kzalloc(sizeof(*dir), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!dir)
		goto warn;
	dir->dentry = create_dir(box, name, above, ask);
	err = PTR_ERR_OR_ZERO(dir->dentry);
	if (err)
		goto free;
	kref_init(&dir->ref);
	kref_get(&debugfs->ref);
	dir->debugfs = debugfs;
	dir->id = id;
	INIT_LIST_HEAD(&dir->tables);
	mutex_lock(&debugfs->dirs_lock);
	list_add(&dir->list, &debugfs->dirs);
	mutex_unlock(&debugfs->dirs_lock);
	atomic_long_add(sizeof(*dir), &box->host.bytes);
	if (faces)
		add_files(box, dir, faces, ask);
	return dir;

free:
	kfree(dir);
warn:
	pr_warn_ratelimited("%s: goes without debugfs folder %s: %pe\n", box->name, name,
			    ERR_PTR(err));
	return NULL;
}

/**
 * mmbox_face_dir_has() - does a folder have a file or folder of this name?
 * @dir: the folder
 * @name: the name
 *
 * Context: process, may sleep.
 * Return: true if it has.
 */
bool mmbox_face_dir_has(struct mmbox_face_dir *dir, const char *name)
{
	struct dentry *dentry = debugfs_lookup(name, dir->dentry);

	dput(dentry);
	return dentry;
}

/**
 * mmbox_face_dir_add() - create a folder of a box
 * @box: the box
 * @parent: its parent folder, NULL: the box's own folder
 * @name: its name
 * @faces: its files, or NULL; the table must stay valid
 * @id: passed to the functions of its files
 *
 * Logs a failure.
 *
 * Context: process, may sleep.
 * Return: the folder, or NULL. It stays until mmbox_face_dir_remove() or until the box
 * is taken out of debugfs.
 */
struct mmbox_face_dir *mmbox_face_dir_add(struct mmbox *box,
					  struct mmbox_face_dir *parent,
					  const char *name,
					  const struct mmbox_face *faces,
					  unsigned long id)
{
	return add_dir(box, parent, name, faces, id, true);
}

/**
 * mmbox_face_dir_add_unasked() - create a folder without a request to the host
 * @box: the box
 * @parent: its parent folder, NULL: the box's own folder
 * @name: its name
 * @faces: its files, or NULL; the table must stay valid
 * @id: passed to the functions of its files
 *
 * For folders that come in numbers: the caller has counted one request for all of them
 * by mmbox_host_should_fail().
 *
 * Context: process, may sleep.
 * Return: as mmbox_face_dir_add().
 */
struct mmbox_face_dir *mmbox_face_dir_add_unasked(struct mmbox *box,
						  struct mmbox_face_dir *parent,
						  const char *name,
						  const struct mmbox_face *faces,
						  unsigned long id)
{
	return add_dir(box, parent, name, faces, id, false);
}

/* Drop the folder's own reference. Its dentry is being removed, its files are not read. */
static void dir_put(struct mmbox *box, struct mmbox_face_dir *dir)
{
	struct face_table *table;

	list_for_each_entry(table, &dir->tables, list)
		atomic_long_sub(struct_size(table, files, table->nr),
				&box->host.bytes);
	atomic_long_sub(sizeof(*dir), &box->host.bytes);
	kref_put(&dir->ref, dir_free);
}

/**
 * mmbox_face_dir_remove() - remove a folder
 * @box: the box
 * @dir: from mmbox_face_dir_add(), without folders in it; or NULL
 *
 * Waits for reads and writes under way. Files that are still open then return -ENODEV.
 *
 * Context: process, may sleep; holds no lock that a file's functions take.
 */
void mmbox_face_dir_remove(struct mmbox *box, struct mmbox_face_dir *dir)
{
	struct mmbox_debugfs *debugfs;

	if (!dir)
		return;
	debugfs = dir->debugfs;
	debugfs_remove(dir->dentry);
	down_write(&debugfs->lock);
	WRITE_ONCE(dir->gone, true);
	up_write(&debugfs->lock);
	mutex_lock(&debugfs->dirs_lock);
	list_del(&dir->list);
	mutex_unlock(&debugfs->dirs_lock);
	dir_put(box, dir);
}

/**
 * mmbox_face_dir_drop() - remove a folder from within a file's function
 * @box: the box
 * @dir: from mmbox_face_dir_add(), without folders in it, and not of that file; or NULL
 *
 * Does not wait for reads and writes under way, so the functions of its files must cope
 * with an @id that is gone. Files that are still open then return -ENODEV.
 *
 * Context: process, may sleep.
 */
void mmbox_face_dir_drop(struct mmbox *box, struct mmbox_face_dir *dir)
{
	if (!dir)
		return;
	debugfs_remove(dir->dentry);
	WRITE_ONCE(dir->gone, true);
	mutex_lock(&dir->debugfs->dirs_lock);
	list_del(&dir->list);
	mutex_unlock(&dir->debugfs->dirs_lock);
	dir_put(box, dir);
}

/* ---- the folder of a box ---- */

/**
 * mmbox_debugfs_begin() - create a box's own folder in debugfs, without files
 * @box: the box, booted
 *
 * Context: process, may sleep.
 * Return: the folder, or an ERR_PTR().
 */
struct mmbox_face_dir *mmbox_debugfs_begin(struct mmbox *box)
{
	struct mmbox_debugfs *debugfs = NULL;
	int err = -ENOMEM;

	if (!mmbox_host_should_fail(&box->host, "the debugfs files' anchor"))
		debugfs = kzalloc(sizeof(*debugfs), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!debugfs)
		return ERR_PTR(err);
	kref_init(&debugfs->ref);
	init_rwsem(&debugfs->lock);
	mutex_init(&debugfs->dirs_lock);
	INIT_LIST_HEAD(&debugfs->dirs);
	debugfs->box = box;

	err = root_get(box);
	if (err)
		goto free;
	box->faces.debugfs = debugfs;
	debugfs->top = mmbox_face_dir_add(box, NULL, box->name, NULL, 0);
	if (!debugfs->top) {
		err = -ENOMEM;
		goto put_root;
	}
	atomic_long_add(sizeof(*debugfs), &box->host.bytes);
	return debugfs->top;

put_root:
	box->faces.debugfs = NULL;
	root_put();
free:
	kfree(debugfs);
	return ERR_PTR(err);
}

/**
 * mmbox_debugfs_hide() - take a box out of debugfs
 * @box: the box, which is in debugfs
 *
 * Waits for reads and writes under way. Files that are still open then return -ENODEV.
 *
 * Context: process, may sleep.
 */
void mmbox_debugfs_hide(struct mmbox *box)
{
	struct mmbox_debugfs *debugfs = box->faces.debugfs;

	/* Stop opens first, then wait for reads and writes, then hide the box from new ones. */
	debugfs_remove(debugfs->top->dentry);
	root_put();
	down_write(&debugfs->lock);
	debugfs->box = NULL;
	up_write(&debugfs->lock);
}

/**
 * mmbox_debugfs_end() - undo mmbox_debugfs_begin()
 * @box: the box, after mmbox_debugfs_hide()
 *
 * Context: process, may sleep.
 */
void mmbox_debugfs_end(struct mmbox *box)
{
	struct mmbox_debugfs *debugfs = box->faces.debugfs;
	struct mmbox_face_dir *dir, *next;

	/* Each folder has a reference to debugfs. The box's own is put last. */
	list_for_each_entry_safe(dir, next, &debugfs->dirs, list)
		dir_put(box, dir);
	atomic_long_sub(sizeof(*debugfs), &box->host.bytes);
	box->faces.debugfs = NULL;
	kref_put(&debugfs->ref, debugfs_free);
}
