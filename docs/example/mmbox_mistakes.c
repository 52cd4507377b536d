// SPDX-License-Identifier: GPL-2.0
/*
 * A module that makes mistakes, one for each time it is loaded, to see what a
 * box with slab_debug= makes of them (docs/debugging.md):
 *
 *   insmod mmbox.ko slab_debug=FZPU && insmod mmbox_mistakes.ko mistake=overflow
 *   dmesg
 *   rmmod mmbox_mistakes
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/string.h>

#include <mmbox/mmbox.h>

#define SIZE	100		/* bytes an object */
#define LEAKED	12		/* objects */

static char *box_name = "box0";
module_param_named(box, box_name, charp, 0400);
MODULE_PARM_DESC(box, "name of the box to use (box0)");

static char *mistake = "overflow";
module_param(mistake, charp, 0400);
MODULE_PARM_DESC(mistake, "overflow, underflow, use_after_free, double_free, wrong_cache or leak (overflow)");

static struct mmbox *box;
static struct mmbox_kmem_cache *cache, *other;
static char *leaked[LEAKED];

static noinline char *get_object(void)
{
	return mmbox_kmem_cache_alloc(cache, GFP_KERNEL);
}

static noinline void put_object(char *object)
{
	mmbox_kmem_cache_free(cache, object);
}

/* The string is one byte too long: its end does not fit. */
static void overflow(char *object)
{
	memset(object, 'x', SIZE);
	object[SIZE] = '\0';
	put_object(object);
}

static void underflow(char *object)
{
	object[-1] = '\0';
	put_object(object);
}

static void use_after_free(char *object)
{
	put_object(object);
	object[SIZE / 2] = 'x';
	put_object(get_object());
}

static void double_free(char *object)
{
	put_object(object);
	put_object(object);
}

static void wrong_cache(char *object)
{
	mmbox_kmem_cache_free(other, object);
	put_object(object);
}

/* Kept until the module goes, as nobody would who had forgotten them. */
static void leak(char *object)
{
	int i;

	leaked[0] = object;
	for (i = 1; i < LEAKED; i++)
		leaked[i] = get_object();
}

static const struct {
	const char *name;
	void (*make)(char *object);
} mistakes[] = {
	{ "overflow", overflow },
	{ "underflow", underflow },
	{ "use_after_free", use_after_free },
	{ "double_free", double_free },
	{ "wrong_cache", wrong_cache },
	{ "leak", leak },
};

static noinline int make_mistake(void)
{
	char *object;
	int i;

	for (i = 0; i < ARRAY_SIZE(mistakes); i++)
		if (!strcmp(mistake, mistakes[i].name))
			break;
	if (i == ARRAY_SIZE(mistakes)) {
		pr_err("mistake=%s: there is no such mistake\n", mistake);
		return -EINVAL;
	}
	object = get_object();
	if (!object)
		return -ENOMEM;
	mistakes[i].make(object);
	return 0;
}

static void free_leaked(void)
{
	int i;

	for (i = 0; i < LEAKED; i++)
		if (leaked[i])
			put_object(leaked[i]);
}

static int __init mmbox_mistakes_init(void)
{
	int err = -ENOMEM;

	box = mmbox_get(box_name);
	if (!box) {
		pr_err("box=%s: there is no such box\n", box_name);
		return -ENODEV;
	}
	cache = mmbox_kmem_cache_create(box, "mistakes", SIZE, 0, 0, NULL);
	if (!cache)
		goto put_box;
	other = mmbox_kmem_cache_create(box, "other", SIZE, 0, 0, NULL);
	if (!other)
		goto destroy_cache;
	err = make_mistake();
	if (err)
		goto destroy_other;
	return 0;

destroy_other:
	mmbox_kmem_cache_destroy(other);
destroy_cache:
	mmbox_kmem_cache_destroy(cache);
put_box:
	mmbox_put(box);
	return err;
}

static void __exit mmbox_mistakes_exit(void)
{
	free_leaked();
	mmbox_kmem_cache_destroy(other);
	mmbox_kmem_cache_destroy(cache);
	mmbox_put(box);
}

module_init(mmbox_mistakes_init);
module_exit(mmbox_mistakes_exit);
MODULE_DESCRIPTION("Mistakes that an mmbox box finds");
MODULE_AUTHOR("The mmbox authors");
MODULE_VERSION(MMBOX_VERSION);
MODULE_LICENSE("GPL");
