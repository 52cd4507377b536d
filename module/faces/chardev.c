// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/mmbox/<box>: the device through which programs use a box.
 *
 * Opening it takes a reference to the box and creates a session. Its ioctls operate on
 * the session (session.c, batch.c). The last close destroys the session and frees
 * everything it holds, however the process ended.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/nospec.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "faces/batch.h"
#include "faces/faces.h"
#include "faces/target.h"

struct mmbox_chardev {
	struct miscdevice misc;
	struct mmbox *box;
	atomic_t nr_sessions;			/* created so far */
	char name[MMBOX_NAME_LEN + 8];		/* in sysfs: mmbox-box0 */
	char nodename[MMBOX_NAME_LEN + 8];	/* in /dev: mmbox/box0 */
};

static const struct mmbox_target_ops *const targets[] = {
	[MMBOX_TARGET_BOX] = &mmbox_target_box,
	[MMBOX_TARGET_HOST] = &mmbox_target_host,
};

static int chardev_open(struct inode *inode, struct file *file)
{
	struct mmbox_chardev *chardev =
		container_of(file->private_data, struct mmbox_chardev, misc);
	struct mmbox *box = mmbox_find(chardev->box->name);
	struct mmbox_session *session;
	int err = -ENODEV;

	if (!box)
		return err;
	if (box != chardev->box)
		goto put;
	err = -ENOMEM;
	session = mmbox_session_create(box, atomic_inc_return(&chardev->nr_sessions),
				       targets[MMBOX_TARGET_BOX]);
	if (!session)
		goto put;
	file->private_data = session;
	return 0;
put:
	mmbox_put(box);
	return err;
}

static int chardev_release(struct inode *inode, struct file *file)
{
	struct mmbox_session *session = file->private_data;
	struct mmbox *box = session->box;

	mmbox_batch_end(session);
	mmbox_session_destroy(session);
	mmbox_put(box);
	return 0;
}

static long ioctl_info(struct mmbox_session *session, void __user *arg)
{
	struct mmbox *box = session->box;
	struct mmbox_info info = {
		.version = MMBOX_UAPI_VERSION,
		.box_size = box->cfg.size,
		.page_size = PAGE_SIZE,
		.nr_nodes = box->nr_nodes,
		.nr_handles = MMBOX_NR_HANDLES,
		.nr_caches = MMBOX_NR_CACHE_HANDLES,
		.bulk_max = MMBOX_BULK_MAX,
		.kmalloc_min = box->cfg.kmalloc_min,
		.kmalloc_max = box->cfg.kmalloc_max,
		.nr_users = atomic_read(&box->faces.nr_users),
	};

	if (down_read_killable(&session->sem))
		return -EINTR;
	info.target = session->target->id;
	info.nr_orders = session->target->nr_orders(box);
	info.kmalloc_limit = session->target->kmalloc_limit(box);
	up_read(&session->sem);
	strscpy(info.name, box->name, sizeof(info.name));
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long ioctl_batch(struct mmbox_session *session, void __user *arg)
{
	struct mmbox_batch batch;
	long err;

	if (copy_from_user(&batch, arg, sizeof(batch)))
		return -EFAULT;
	err = mmbox_session_batch(session, &batch);
	return copy_to_user(arg, &batch, sizeof(batch)) ? -EFAULT : err;
}

static long ioctl_stat(struct mmbox_session *session, void __user *arg)
{
	struct mmbox_stat stat;
	int err = mmbox_session_stat(session, &stat);

	if (err)
		return err;
	return copy_to_user(arg, &stat, sizeof(stat)) ? -EFAULT : 0;
}

static long ioctl_checksum(struct mmbox_session *session, void __user *arg)
{
	struct mmbox_checksum checksum = { .crc = mmbox_checksum(session->box) };

	if (fatal_signal_pending(current))
		return -EINTR;
	return copy_to_user(arg, &checksum, sizeof(checksum)) ? -EFAULT : 0;
}

static long ioctl_target(struct mmbox_session *session, unsigned long target)
{
	if (target >= ARRAY_SIZE(targets))
		return -EINVAL;
	return mmbox_session_set_target(session,
					targets[array_index_nospec(target, ARRAY_SIZE(targets))]);
}

static long chardev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct mmbox_session *session = file->private_data;
	void __user *uarg = (void __user *)arg;

	/* These change something, so the file must be open for writing. */
	if ((cmd == MMBOX_IOC_BATCH || cmd == MMBOX_IOC_TARGET) &&
	    !(file->f_mode & FMODE_WRITE))
		return -EBADF;
	switch (cmd) {
	case MMBOX_IOC_INFO:
		return ioctl_info(session, uarg);
	case MMBOX_IOC_BATCH:
		return ioctl_batch(session, uarg);
	case MMBOX_IOC_STAT:
		return ioctl_stat(session, uarg);
	case MMBOX_IOC_CHECKSUM:
		return ioctl_checksum(session, uarg);
	case MMBOX_IOC_TARGET:
		return ioctl_target(session, arg);
	}
	return -ENOTTY;
}

/* .owner keeps the module loaded while the device is open: rmmod fails with EBUSY. */
static const struct file_operations chardev_fops = {
	.owner		= THIS_MODULE,
	.open		= chardev_open,
	.release	= chardev_release,
	.unlocked_ioctl	= chardev_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

/**
 * mmbox_chardev_add() - create the device of a box
 * @box: the box
 *
 * The box works without it. Logs a failure.
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int mmbox_chardev_add(struct mmbox *box)
{
	struct mmbox_chardev *chardev;
	int err = -ENOMEM;

	chardev = mmbox_host_zalloc(&box->host, sizeof(*chardev), "device");
	if (!chardev)
		goto missing;
	chardev->box = box;
	snprintf(chardev->name, sizeof(chardev->name), "mmbox-%s", box->name);
	snprintf(chardev->nodename, sizeof(chardev->nodename), "mmbox/%s", box->name);
	chardev->misc = (struct miscdevice){
		.minor = MISC_DYNAMIC_MINOR,
		.name = chardev->name,
		.nodename = chardev->nodename,
		.fops = &chardev_fops,
		.mode = 0600,
	};
	if (!mmbox_host_should_fail(&box->host, "misc device"))
		err = misc_register(&chardev->misc);
	if (err)
		goto free;
	box->faces.chardev = chardev;
	return 0;

free:
	mmbox_host_free(&box->host, chardev, sizeof(*chardev));
missing:
	pr_warn("%s: no /dev/mmbox/%s (error %d); the box works without it\n",
		box->name, box->name, err);
	return err;
}

/**
 * mmbox_chardev_remove() - remove the device of a box
 * @box: the box; the device is not open
 *
 * Context: process, may sleep.
 */
void mmbox_chardev_remove(struct mmbox *box)
{
	if (!box->faces.chardev)
		return;
	misc_deregister(&box->faces.chardev->misc);
	mmbox_host_free(&box->host, box->faces.chardev, sizeof(*box->faces.chardev));
	box->faces.chardev = NULL;
}
