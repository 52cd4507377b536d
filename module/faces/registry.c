// SPDX-License-Identifier: GPL-2.0
/*
 * Lets other modules and the device find boxes by name. A reference to a box keeps this
 * module loaded until mmbox_put().
 */
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "faces/faces.h"

static LIST_HEAD(boxes);		/* published boxes, boxes_mutex */
static DEFINE_MUTEX(boxes_mutex);

/**
 * mmbox_publish() - let mmbox_get() find a box
 * @box: the box
 *
 * Context: process, may sleep.
 */
void mmbox_publish(struct mmbox *box)
{
	mutex_lock(&boxes_mutex);
	list_add_tail(&box->list, &boxes);
	mutex_unlock(&boxes_mutex);
}

/**
 * mmbox_unpublish() - undo mmbox_publish()
 * @box: the box
 *
 * Context: process, may sleep.
 */
void mmbox_unpublish(struct mmbox *box)
{
	mutex_lock(&boxes_mutex);
	list_del_init(&box->list);
	mutex_unlock(&boxes_mutex);
}

/**
 * mmbox_find() - find a box, without counting it as used
 * @name: its name; the first is "box0"
 *
 * Context: process, may sleep.
 * Return: the box, for mmbox_put(), or NULL if there is none of this name.
 */
struct mmbox *mmbox_find(const char *name)
{
	struct mmbox *box, *found = NULL;

	mutex_lock(&boxes_mutex);
	list_for_each_entry(box, &boxes, list) {
		if (strcmp(box->name, name))
			continue;
		if (try_module_get(THIS_MODULE))
			found = box;
		break;
	}
	mutex_unlock(&boxes_mutex);
	return found;
}

/**
 * mmbox_get() - find a live box
 * @name: its name; the first is "box0"
 *
 * Context: process, may sleep.
 * Return: the box, for mmbox_put(), or NULL if there is none of this name.
 */
struct mmbox *mmbox_get(const char *name)
{
	struct mmbox *box = mmbox_find(name);

	if (box)
		atomic_inc(&box->faces.nr_users);
	return box;
}
EXPORT_SYMBOL_GPL(mmbox_get);

/**
 * mmbox_put() - drop a reference to a box
 * @box: from mmbox_get(), or NULL
 *
 * Context: any.
 */
void mmbox_put(struct mmbox *box)
{
	if (box)
		module_put(THIS_MODULE);
}
EXPORT_SYMBOL_GPL(mmbox_put);
