// SPDX-License-Identifier: GPL-2.0
/*
 * caches/: one folder per cache, with all of its fields under the kernel's names.
 * Per-CPU fields are read without a lock while the CPU may change them. Any of their
 * values will do.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/mutex.h>
#include <linux/seq_file.h>

#include "faces/faces.h"
#include "faces/debugfs.h"

static struct mmbox_kmem_cache *id_to_cache(unsigned long id)
{
	return (struct mmbox_kmem_cache *)id;
}

static const struct {
	const char *name;
	slab_flags_t flag;
} flag_names[] = {
	{ "hwcache_align", SLAB_HWCACHE_ALIGN },
	{ "cache_dma", SLAB_CACHE_DMA },
	{ "cache_dma32", SLAB_CACHE_DMA32 },
	{ "reclaim_account", SLAB_RECLAIM_ACCOUNT },
	{ "typesafe_by_rcu", SLAB_TYPESAFE_BY_RCU },
	{ "noleaktrace", SLAB_NOLEAKTRACE },
	{ "account", SLAB_ACCOUNT },
	{ "consistency_checks", SLAB_CONSISTENCY_CHECKS },
	{ "red_zone", SLAB_RED_ZONE },
	{ "poison", SLAB_POISON },
	{ "store_user", SLAB_STORE_USER },
	{ "trace", SLAB_TRACE },
	{ "objfreelist_slab", MMBOX_CFLGS_OBJFREELIST_SLAB },
	{ "off_slab", MMBOX_CFLGS_OFF_SLAB },
};

static void show_flags(struct seq_file *m, slab_flags_t flags)
{
	int i;

	seq_printf(m, "flags: %#x", (__force unsigned int)flags);
	for (i = 0; i < ARRAY_SIZE(flag_names); i++)
		if (flags & flag_names[i].flag)
			seq_printf(m, " %s", flag_names[i].name);
	seq_putc(m, '\n');
}

/* A field of the design that belongs to the cache, not to a node. */
static void cache_field(void *arg, int nid, const char *name, unsigned long value)
{
	if (nid == NUMA_NO_NODE)
		seq_printf(arg, "%s: %lu\n", name, value);
}

static void cache_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	static const struct mmbox_slab_walker walker = { .field = cache_field };
	struct mmbox_kmem_cache *cachep = id_to_cache(id);
	struct mmbox_slabinfo sinfo;

	mmbox_get_slabinfo(cachep, &sinfo);
	seq_printf(m, "name: %s\n", cachep->name);
	seq_printf(m, "object_size: %u\n", cachep->object_size);
	seq_printf(m, "size: %u\n", cachep->size);
	seq_printf(m, "align: %u\n", cachep->align);
	show_flags(m, cachep->flags);
	seq_printf(m, "gfporder: %u\n", cachep->gfporder);
	seq_printf(m, "num: %u\n", cachep->num);
	seq_printf(m, "reciprocal_buffer_size: m=%#x sh1=%u sh2=%u\n",
		   cachep->reciprocal_buffer_size.m, cachep->reciprocal_buffer_size.sh1,
		   cachep->reciprocal_buffer_size.sh2);
	box->slab.ops->walk(cachep, &walker, m);
	seq_printf(m, "allocflags: %#x\n", (__force unsigned int)cachep->allocflags);
	seq_printf(m, "limit: %u\n", sinfo.limit);
	seq_printf(m, "batchcount: %u\n", sinfo.batchcount);
	seq_printf(m, "shared: %u\n", sinfo.shared);
	seq_printf(m, "useroffset: %u\n", cachep->useroffset);
	seq_printf(m, "usersize: %u\n", cachep->usersize);
	seq_printf(m, "ctor: %d\n", !!cachep->ctor);
	seq_printf(m, "refcount: %d\n", cachep->refcount);
}

static void cpu_stack(void *arg, const struct mmbox_object_stack *stack)
{
	seq_printf(arg, "%3d %4d %5u %5u %10u %7d\n", stack->nr, stack->nid, stack->avail,
		   stack->limit, stack->batchcount, stack->touched);
}

/* One line per CPU. slab.mutex keeps the arrays from being resized. */
static void cpu_cache_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	static const struct mmbox_slab_walker walker = { .stack = cpu_stack };

	seq_puts(m, "cpu node avail limit batchcount touched\n");
	box->slab.ops->peek_cpus(id_to_cache(id), &walker, m);
}

static void node_field(void *arg, int nid, const char *name, unsigned long value)
{
	if (nid != NUMA_NO_NODE)
		seq_printf(arg, "node %d %s: %lu\n", nid, name, value);
}

/* The shared array of a node, or its alien cache for another node. */
static void node_stack(void *arg, const struct mmbox_object_stack *stack)
{
	if (stack->nid == stack->nr)
		seq_printf(arg, "node %d shared: avail=%u limit=%u touched=%d\n", stack->nr,
			   stack->avail, stack->limit, stack->touched);
	else
		seq_printf(arg, "node %d alien %d: avail=%u limit=%u\n", stack->nr,
			   stack->nid, stack->avail, stack->limit);
}

static void nodes_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	static const struct mmbox_slab_walker walker = {
		.field = node_field,
		.stack = node_stack,
	};

	box->slab.ops->walk(id_to_cache(id), &walker, m);
}

static const struct mmbox_face cache_faces[] = {
	{ .name = "cache", .lock = MMBOX_FACE_SLAB_MUTEX, .show = cache_show },
	{ .name = "cpu_cache", .lock = MMBOX_FACE_SLAB_MUTEX, .show = cpu_cache_show },
	{ .name = "node", .lock = MMBOX_FACE_SLAB_MUTEX, .show = nodes_show },
	{}
};

/*
 * Name the folder of @cachep after the cache, with '!' for what a file name cannot
 * contain. If the name is taken, append the id of the cache, and then a number.
 */
static void folder_name(struct mmbox *box, const struct mmbox_kmem_cache *cachep,
			char *name, size_t size)
{
	size_t len = strlen(cachep->name);
	unsigned int nr;

	strscpy(name, cachep->name, size);
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		memset(name, '!', len);
	strreplace(name, '/', '!');
	for (nr = 0; mmbox_face_dir_has(box->faces.caches_dir, name); nr++) {
		if (!nr)
			snprintf(name + len, size - len, ":%u", cachep->id);
		else
			snprintf(name + len, size - len, ":%u:%u", cachep->id, nr);
	}
}

static void add_folder(struct mmbox *box, struct mmbox_kmem_cache *cachep)
{
	char name[MMBOX_SLAB_NAME_LEN + 24];

	folder_name(box, cachep, name, sizeof(name));
	cachep->dir = mmbox_face_dir_add_unasked(box, box->faces.caches_dir, name, cache_faces,
						 (unsigned long)cachep);
}

/**
 * mmbox_debugfs_add_cache() - create the folder of a new cache
 * @box: the box
 * @cachep: the cache, on the list already
 *
 * Context: process, may sleep, slab.mutex held.
 */
void mmbox_debugfs_add_cache(struct mmbox *box, struct mmbox_kmem_cache *cachep)
{
	if (!box->faces.caches_dir)
		return;
	if (mmbox_host_should_fail(&box->host, "the debugfs folder of a cache"))
		pr_warn_ratelimited("%s: goes without debugfs folder caches/%s\n", box->name,
				    cachep->name);
	else
		add_folder(box, cachep);
}

/**
 * mmbox_debugfs_remove_cache() - remove the folder of a cache
 * @box: the box
 * @cachep: the cache, no longer on the list
 *
 * Waits for reads of its files.
 *
 * Context: process, may sleep, slab.mutex not held.
 */
void mmbox_debugfs_remove_cache(struct mmbox *box, struct mmbox_kmem_cache *cachep)
{
	mmbox_face_dir_remove(box, cachep->dir);
}

/**
 * mmbox_debugfs_add_caches() - create caches/ and the folders of all caches
 * @box: the box, which has its own folder
 *
 * All folders are one request to the host.
 *
 * Context: process, may sleep.
 */
void mmbox_debugfs_add_caches(struct mmbox *box)
{
	struct mmbox_kmem_cache *cachep;

	if (mmbox_host_should_fail(&box->host, "the debugfs folders of caches")) {
		pr_warn("%s: goes without debugfs folder caches\n", box->name);
		return;
	}
	mutex_lock(&box->slab.mutex);
	box->faces.caches_dir = mmbox_face_dir_add_unasked(box, NULL, "caches", NULL, 0);
	if (box->faces.caches_dir)
		list_for_each_entry(cachep, &box->slab.caches, list)
			add_folder(box, cachep);
	mutex_unlock(&box->slab.mutex);
}

/**
 * mmbox_debugfs_forget_caches() - forget the folders before the box's own is removed
 * @box: the box
 *
 * Context: process, may sleep.
 */
void mmbox_debugfs_forget_caches(struct mmbox *box)
{
	struct mmbox_kmem_cache *cachep;

	mutex_lock(&box->slab.mutex);
	box->faces.caches_dir = NULL;
	list_for_each_entry(cachep, &box->slab.caches, list)
		cachep->dir = NULL;
	mutex_unlock(&box->slab.mutex);
}
