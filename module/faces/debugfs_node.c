// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes of a box: the folder node/, in the format of /sys/devices/system/node of Linux
 * 6.1, for programs that read that; and the file `pgdat`, which shows every field.
 */
#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/wait.h>

#include "faces/faces.h"
#include "faces/debugfs.h"

/* ---- pgdat ---- */

static void show_zones(struct seq_file *m, mmbox_pg_data_t *pgdat)
{
	int i;

	seq_puts(m, "node_zones:");
	for (i = 0; i < MMBOX_MAX_NR_ZONES; i++) {
		const struct mmbox_zone *zone = &pgdat->node_zones[i];

		seq_printf(m, " %s %lu+%lu", zone->name, zone->zone_start_pfn,
			   zone->spanned_pages);
	}
	seq_putc(m, '\n');
}

static void show_zonelist(struct seq_file *m, const char *name,
			  const struct mmbox_zonelist *zonelist)
{
	const struct mmbox_zoneref *zref;

	seq_printf(m, "node_zonelists[%s]:", name);
	for (zref = zonelist->_zonerefs; zref->zone; zref++)
		seq_printf(m, " %d:%s", zref->zone->zone_pgdat->node_id,
			   zref->zone->name);
	seq_putc(m, '\n');
}

static unsigned int nr_sleepers(wait_queue_head_t *wait)
{
	struct list_head *pos;
	unsigned int nr = 0;
	unsigned long flags;

	spin_lock_irqsave(&wait->lock, flags);
	list_for_each(pos, &wait->head)
		nr++;
	spin_unlock_irqrestore(&wait->lock, flags);
	return nr;
}

static void show_kswapd(struct seq_file *m, mmbox_pg_data_t *pgdat)
{
	struct task_struct *task = READ_ONCE(pgdat->kswapd);
	int idx = READ_ONCE(pgdat->classzone_idx);

	if (task)
		seq_printf(m, "kswapd: %d %s\n", task_pid_nr(task), task->comm);
	else
		seq_puts(m, "kswapd: none\n");
	seq_printf(m, "kswapd_wait: %u\n", nr_sleepers(&pgdat->kswapd_wait));
	seq_printf(m, "kswapd_max_order: %d\n", READ_ONCE(pgdat->kswapd_max_order));
	seq_printf(m, "classzone_idx: %d %s\n", idx,
		   idx < MMBOX_MAX_NR_ZONES ? mmbox_zone_names[idx] : "none");
	seq_printf(m, "kswapd_failures: %d\n", READ_ONCE(pgdat->kswapd_failures));
	seq_printf(m, "pfmemalloc_wait: %u\n", nr_sleepers(&pgdat->pfmemalloc_wait));
}

static void pgdat_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	int nid;

	mmbox_for_each_online_node(box, nid) {
		mmbox_pg_data_t *pgdat = box->node[nid];

		seq_printf(m, "%snode_id: %d\n", nid ? "\n" : "", pgdat->node_id);
		show_zones(m, pgdat);
		show_zonelist(m, "fallback",
			      &pgdat->node_zonelists[MMBOX_ZONELIST_FALLBACK]);
		show_zonelist(m, "nofallback",
			      &pgdat->node_zonelists[MMBOX_ZONELIST_NOFALLBACK]);
		seq_printf(m, "nr_zones: %d\n", pgdat->nr_zones);
		/* Its physical address in the box, not its address in the host. */
		if (pgdat->node_mem_map)
			seq_printf(m, "node_mem_map: 0x%llx\n", (unsigned long long)
				   mmbox_virt_to_phys(box, pgdat->node_mem_map));
		else
			seq_puts(m, "node_mem_map: none\n");
		seq_printf(m, "bdata: %s\n", pgdat->bdata ? "in charge" : "none");
		seq_printf(m, "node_size_lock: %s\n",
			   spin_is_locked(&pgdat->node_size_lock) ? "held" : "free");
		seq_printf(m, "node_start_pfn: %lu\n", pgdat->node_start_pfn);
		seq_printf(m, "node_present_pages: %lu\n", pgdat->node_present_pages);
		seq_printf(m, "node_spanned_pages: %lu\n", pgdat->node_spanned_pages);
		show_kswapd(m, pgdat);
	}
}

const struct mmbox_face mmbox_pgdat_faces[] = {
	{ .name = "pgdat", .lock = MMBOX_FACE_MEMORY_LOCK, .show = pgdat_show },
	{}
};

/* ---- node/: lists of nodes ---- */

static unsigned long node_managed_pages(struct mmbox *box, int nid, int highest)
{
	unsigned long pages = 0;
	int i;

	for (i = 0; i <= highest; i++)
		pages += box->node[nid]->node_zones[i].managed_pages;
	return pages;
}

static bool node_is_there(struct mmbox *box, int nid)
{
	return true;
}

static bool node_has_memory(struct mmbox *box, int nid)
{
	return node_managed_pages(box, nid, MMBOX_MAX_NR_ZONES - 1);
}

static bool node_has_normal_memory(struct mmbox *box, int nid)
{
	return node_managed_pages(box, nid, MMBOX_ZONE_NORMAL);
}

static bool node_has_cpu(struct mmbox *box, int nid)
{
	int cpu;

	for_each_online_cpu(cpu)
		if (mmbox_cpu_to_node(box, cpu) == nid)
			return true;
	return false;
}

/* Print a list of nodes, e.g. 0-1,3 */
static void show_nodes(struct seq_file *m, struct mmbox *box,
		       bool (*is_so)(struct mmbox *box, int nid))
{
	DECLARE_BITMAP(nodes, MMBOX_MAX_NUMNODES);
	int nid;

	bitmap_zero(nodes, MMBOX_MAX_NUMNODES);
	mmbox_for_each_online_node(box, nid)
		if (is_so(box, nid))
			__set_bit(nid, nodes);
	seq_printf(m, "%*pbl\n", MMBOX_MAX_NUMNODES, nodes);
}

static void online_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	show_nodes(m, box, node_is_there);
}

static void has_memory_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	show_nodes(m, box, node_has_memory);
}

static void has_normal_memory_show(struct seq_file *m, struct mmbox *box,
				   unsigned long id)
{
	show_nodes(m, box, node_has_normal_memory);
}

static void has_cpu_show(struct seq_file *m, struct mmbox *box, unsigned long id)
{
	show_nodes(m, box, node_has_cpu);
}

static const struct mmbox_face node_faces[] = {
	{ .name = "possible", .show = online_show },
	{ .name = "online", .show = online_show },
	{ .name = "has_normal_memory", .show = has_normal_memory_show },
	{ .name = "has_memory", .show = has_memory_show },
	{ .name = "has_cpu", .show = has_cpu_show },
	{}
};

/* ---- node/nodeN/ ---- */

static unsigned long *node_stat(struct mmbox *box, int nid)
{
	unsigned long *stat = mmbox_stat_take(box);
	int i;

	if (!stat)
		return NULL;
	for (i = 0; i < MMBOX_MAX_NR_ZONES; i++)
		mmbox_zone_stat(&box->node[nid]->node_zones[i], stat);
	mmbox_node_stat(box, nid, stat);
	return stat;
}

static void meminfo_kb(struct seq_file *m, int nid, const char *name,
		       unsigned long pages)
{
	seq_printf(m, "Node %d %-15s %8lu kB\n", nid, name, pages << (PAGE_SHIFT - 10));
}

static void meminfo_none(struct seq_file *m, int nid, const char *const *names)
{
	for (; *names; names++)
		meminfo_kb(m, nid, *names, 0);
}

static const char *const meminfo_user[] = {
	"SwapCached:", "Active:", "Inactive:", "Active(anon):", "Inactive(anon):",
	"Active(file):", "Inactive(file):", "Unevictable:", "Mlocked:", "Dirty:",
	"Writeback:", "FilePages:", "Mapped:", "AnonPages:", "Shmem:",
	"KernelStack:", "PageTables:", "SecPageTables:", "NFS_Unstable:",
	"Bounce:", "WritebackTmp:",
	NULL
};

static const char *const meminfo_huge[] = {
	"AnonHugePages:", "ShmemHugePages:", "ShmemPmdMapped:",
	NULL
};

static void meminfo_show(struct seq_file *m, struct mmbox *box, unsigned long nid)
{
	unsigned long total = node_managed_pages(box, nid, MMBOX_MAX_NR_ZONES - 1);
	unsigned long *stat = node_stat(box, nid);
	unsigned long reclaimable, unreclaimable;

	if (!stat)
		return;
	reclaimable = stat[MMBOX_NR_SLAB_RECLAIMABLE];
	unreclaimable = stat[MMBOX_NR_SLAB_UNRECLAIMABLE];
	meminfo_kb(m, nid, "MemTotal:", total);
	meminfo_kb(m, nid, "MemFree:", stat[MMBOX_NR_FREE_PAGES]);
	meminfo_kb(m, nid, "MemUsed:", total - stat[MMBOX_NR_FREE_PAGES]);
	meminfo_none(m, nid, meminfo_user);
	meminfo_kb(m, nid, "KReclaimable:", reclaimable);
	meminfo_kb(m, nid, "Slab:", reclaimable + unreclaimable);
	meminfo_kb(m, nid, "SReclaimable:", reclaimable);
	meminfo_kb(m, nid, "SUnreclaim:", unreclaimable);
	meminfo_none(m, nid, meminfo_huge);
	/* One column narrower, as in the kernel. */
	seq_printf(m, "Node %lu FileHugePages: %8d kB\n", nid, 0);
	seq_printf(m, "Node %lu FilePmdMapped: %8d kB\n", nid, 0);
	seq_printf(m, "Node %lu HugePages_Total: %5d\n", nid, 0);
	seq_printf(m, "Node %lu HugePages_Free:  %5d\n", nid, 0);
	seq_printf(m, "Node %lu HugePages_Surp:  %5d\n", nid, 0);
	mmbox_stat_give(box, stat);
}

static void numastat_show(struct seq_file *m, struct mmbox *box, unsigned long nid)
{
	unsigned long *stat = node_stat(box, nid);

	if (!stat)
		return;
	seq_printf(m, "numa_hit %lu\n", stat[MMBOX_NUMA_HIT]);
	seq_printf(m, "numa_miss %lu\n", stat[MMBOX_NUMA_MISS]);
	seq_printf(m, "numa_foreign %lu\n", stat[MMBOX_NUMA_FOREIGN]);
	seq_printf(m, "interleave_hit %lu\n", stat[MMBOX_NUMA_INTERLEAVE_HIT]);
	seq_printf(m, "local_node %lu\n", stat[MMBOX_NUMA_LOCAL]);
	seq_printf(m, "other_node %lu\n", stat[MMBOX_NUMA_OTHER]);
	mmbox_stat_give(box, stat);
}

static void vmstat_show(struct seq_file *m, struct mmbox *box, unsigned long nid)
{
	unsigned long *stat = node_stat(box, nid);

	if (!stat)
		return;
	mmbox_stat_lines(m, mmbox_zone_stats, stat);
	mmbox_stat_lines(m, mmbox_numa_stats, stat);
	mmbox_stat_lines(m, mmbox_node_stats, stat);
	mmbox_stat_give(box, stat);
}

static void distance_show(struct seq_file *m, struct mmbox *box, unsigned long nid)
{
	int other;

	mmbox_for_each_online_node(box, other)
		seq_printf(m, "%s%d", other ? " " : "",
			   mmbox_node_distance(box, nid, other));
	seq_putc(m, '\n');
}

/* The CPUs of a node, as a list or as a map. */
static void show_cpus(struct seq_file *m, struct mmbox *box, int nid,
		      const char *format)
{
	struct cpumask *cpus;
	int cpu;

	cpus = mmbox_host_zalloc(&box->host, cpumask_size(), "CPUs to show");
	if (!cpus)
		return;
	for_each_online_cpu(cpu)
		if (mmbox_cpu_to_node(box, cpu) == nid)
			cpumask_set_cpu(cpu, cpus);
	seq_printf(m, format, cpumask_pr_args(cpus));
	mmbox_host_free(&box->host, cpus, cpumask_size());
}

static void cpulist_show(struct seq_file *m, struct mmbox *box, unsigned long nid)
{
	show_cpus(m, box, nid, "%*pbl\n");
}

static void cpumap_show(struct seq_file *m, struct mmbox *box, unsigned long nid)
{
	show_cpus(m, box, nid, "%*pb\n");
}

static const struct mmbox_face one_node_faces[] = {
	{ .name = "meminfo", .show = meminfo_show },
	{ .name = "numastat", .show = numastat_show },
	{ .name = "vmstat", .show = vmstat_show },
	{ .name = "distance", .show = distance_show },
	{ .name = "cpulist", .show = cpulist_show },
	{ .name = "cpumap", .show = cpumap_show },
	{}
};

/**
 * mmbox_debugfs_nodes_add() - show the nodes of a box
 * @box: the box, which has its own folder
 *
 * Context: process, may sleep.
 */
void mmbox_debugfs_nodes_add(struct mmbox *box)
{
	struct mmbox_face_dir *dir;
	char name[16];
	int nid;

	dir = mmbox_face_dir_add(box, NULL, "node", node_faces, 0);
	if (!dir)
		return;
	mmbox_for_each_online_node(box, nid) {
		snprintf(name, sizeof(name), "node%d", nid);
		mmbox_face_dir_add(box, dir, name, one_node_faces, nid);
	}
}
