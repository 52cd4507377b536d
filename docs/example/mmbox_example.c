// SPDX-License-Identifier: GPL-2.0
/*
 * A module that uses a box: how another module finds one, makes a cache of its
 * own in it, allocates objects, sizes and pages, and leaves nothing behind.
 *
 * Load mmbox.ko first, then this one; it says what it did in the kernel log and
 * keeps its objects until it is removed, so that they can be looked at:
 *
 *   insmod mmbox.ko && insmod mmbox_example.ko
 *   grep example /sys/kernel/debug/mmbox/box0/slabinfo
 *   rmmod mmbox_example
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include <mmbox/mmbox.h>

static char *box_name = "box0";
module_param_named(box, box_name, charp, 0400);
MODULE_PARM_DESC(box, "name of the box to use (box0)");

static unsigned int objects = 100;
module_param(objects, uint, 0400);
MODULE_PARM_DESC(objects, "objects to hold while loaded, 1 to 10000 (100)");

struct example {
	struct list_head list;
	unsigned int number;
	char text[40];
};

static struct mmbox *box;
static struct mmbox_kmem_cache *cache;
static LIST_HEAD(examples);

static void free_examples(void)
{
	struct example *ex, *next;

	list_for_each_entry_safe(ex, next, &examples, list) {
		list_del(&ex->list);
		mmbox_kmem_cache_free(cache, ex);
	}
}

static int alloc_examples(void)
{
	struct example *ex;
	unsigned int i;

	for (i = 0; i < objects; i++) {
		ex = mmbox_kmem_cache_zalloc(cache, GFP_KERNEL);
		if (!ex)
			return -ENOMEM;
		ex->number = i;
		list_add_tail(&ex->list, &examples);
	}
	return 0;
}

/* Sizes and pages come from the box as from the kernel, and are soon returned. */
static int use_pages(void)
{
	struct mmbox_page *page;
	char *text;

	text = mmbox_kmalloc(box, 100, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	pr_info("100 bytes were asked for, %zu are usable\n", mmbox_ksize(box, text));
	mmbox_kfree(box, text);

	page = mmbox_alloc_pages(box, GFP_KERNEL | __GFP_ZERO, 2);
	if (!page)
		return -ENOMEM;
	pr_info("4 pages from page frame %lu of the box\n",
		mmbox_page_to_pfn(box, page));
	__mmbox_free_pages(box, page, 2);
	return 0;
}

static int __init mmbox_example_init(void)
{
	int err = -ENOMEM;

	if (objects < 1 || objects > 10000) {
		pr_err("objects=%u: it may be 1 to 10000\n", objects);
		return -EINVAL;
	}
	box = mmbox_get(box_name);
	if (!box) {
		pr_err("box=%s: there is no such box\n", box_name);
		return -ENODEV;
	}
	cache = mmbox_kmem_cache_create(box, "example", sizeof(struct example), 0,
					SLAB_HWCACHE_ALIGN, NULL);
	if (!cache)
		goto err_put;
	err = alloc_examples();
	if (err)
		goto err_free;
	err = use_pages();
	if (err)
		goto err_free;
	pr_info("%u objects of %u bytes are in %s\n", objects,
		mmbox_kmem_cache_size(cache), box_name);
	return 0;

err_free:
	free_examples();
	mmbox_kmem_cache_destroy(cache);
err_put:
	mmbox_put(box);
	pr_err("not loaded: %d\n", err);
	return err;
}

static void __exit mmbox_example_exit(void)
{
	free_examples();
	mmbox_kmem_cache_destroy(cache);
	mmbox_put(box);
}

module_init(mmbox_example_init);
module_exit(mmbox_example_exit);
MODULE_DESCRIPTION("How a module uses an mmbox box");
MODULE_AUTHOR("The mmbox authors");
MODULE_VERSION(MMBOX_VERSION);
MODULE_LICENSE("GPL");
