// SPDX-License-Identifier: GPL-2.0
/*
 * NUMA topology of a box: the number of nodes, their distances and their CPUs.
 *
 *	nodes=N					N nodes, one bank each, of about equal size
 *	distance=10,20/20,10			one row for each node, as in an ACPI SLIT
 *	node_cpus=0-1/2,3			one list of CPUs for each node
 *
 * Without distance=, the distance between two nodes is 20. Without node_cpus=, each
 * node gets an equal, consecutive part of the host's CPUs. A request goes to the
 * zones of its CPU's node, then to those of the other nodes, nearest first.
 */
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "pages/pages.h"

#define LOCAL_DISTANCE_OF_NODE	10
#define REMOTE_DISTANCE_DEFAULT	20

/* ---- parameters ---- */

/**
 * mmbox_nodes_split() - apply nodes=: make one bank for each node
 * @cfg: configuration; size and section_size are set, the banks are filled in
 * @nodes: number of nodes
 *
 * All banks have the same number of sections, but the last also gets the remainder.
 * One node needs no bank.
 *
 * Context: process.
 * Return: 0, or -EINVAL if the parameters do not fit together; one line in the log
 * says why.
 */
int mmbox_nodes_split(struct mmbox_config *cfg, unsigned int nodes)
{
	struct mmbox_param_text size, section_size;
	unsigned long each, nid;
	int err;

	cfg->nodes = nodes;
	err = mmbox_param_check(cfg, MMBOX_PARAM_nodes) ?:
	      mmbox_param_check(cfg, MMBOX_PARAM_section_size);
	if (err)
		return err;
	if (cfg->nr_banks)
		return mmbox_bad_param(cfg, MMBOX_PARAM_nodes,
				       "must be left out where banks= says which nodes there are");
	if (nodes == 1)
		return 0;
	each = rounddown(cfg->size / nodes, cfg->section_size);
	if (!each || cfg->size % cfg->section_size)
		return mmbox_bad_param(cfg, MMBOX_PARAM_nodes,
				       "size=%s must be a multiple of section_size=%s, and have one a node",
				       mmbox_param_text(cfg, MMBOX_PARAM_size, &size),
				       mmbox_param_text(cfg, MMBOX_PARAM_section_size,
							&section_size));
	for (nid = 0; nid < nodes; nid++)
		cfg->banks[nid] = (struct mmbox_bank){
			.base = nid * each,
			.size = nid == nodes - 1 ? cfg->size - nid * each : each,
			.nid = nid,
		};
	cfg->nr_banks = nodes;
	return 0;
}
MMBOX_EXPORT_INTERNAL(mmbox_nodes_split);

static unsigned int nr_nodes_of(const struct mmbox_config *cfg)
{
	unsigned int i, nr = 1;

	for (i = 0; i < cfg->nr_banks; i++)
		nr = max_t(unsigned int, nr, cfg->banks[i].nid + 1);
	return nr;
}

/* Parse a number of up to five digits. Returns where it ends, or NULL. */
static const char *parse_number(const char *text, unsigned int *value)
{
	const char *end = text;

	for (*value = 0; *end >= '0' && *end <= '9'; end++)
		*value = *value * 10 + *end - '0';
	return end > text && end - text <= 5 ? end : NULL;
}

/* Parse the @nr distances of one node. Returns where they end, or NULL. */
static const char *parse_row(const char *text, u8 *row, unsigned int nr)
{
	unsigned int i, value;

	for (i = 0; i < nr; i++) {
		if (i && *text++ != ',')
			return NULL;
		text = parse_number(text, &value);
		if (!text || value > U8_MAX)
			return NULL;
		row[i] = value;
	}
	return text;
}

static int parse_distance(const struct mmbox_config *cfg,
			  u8 distance[][MMBOX_MAX_NUMNODES])
{
	unsigned int nr = nr_nodes_of(cfg), i, j;
	const char *text = cfg->distance;

	for (i = 0; i < nr; i++)
		for (j = 0; j < nr; j++)
			distance[i][j] = i == j ? LOCAL_DISTANCE_OF_NODE :
						  REMOTE_DISTANCE_DEFAULT;
	if (!text || !*text)
		return 0;
	for (i = 0; i < nr; i++) {
		text = parse_row(text, distance[i], nr);
		if (!text || *text != (i < nr - 1 ? '/' : 0))
			goto bad;
		text++;
		for (j = 0; j < nr; j++)
			if (i == j ? distance[i][j] != LOCAL_DISTANCE_OF_NODE :
				     distance[i][j] <= LOCAL_DISTANCE_OF_NODE)
				goto bad;
	}
	return 0;
bad:
	if (nr == 1)
		return mmbox_bad_param(cfg, MMBOX_PARAM_distance,
				       "must be 10, or left out, as the box has one node; nodes= and banks= make more");
	return mmbox_bad_param(cfg, MMBOX_PARAM_distance,
			       "must be %u rows of %u numbers for %u nodes, 10 for the node itself and 11 to 255 for others, as 10,20/20,10 for two",
			       nr, nr, nr);
}

/* Parse "3" or "0-3", of possible CPU numbers. Returns where it ends, or NULL. */
static const char *parse_cpu_range(const char *text, unsigned int *first, unsigned int *last)
{
	text = parse_number(text, first);
	*last = *first;
	if (text && *text == '-')
		text = parse_number(text + 1, last);
	return text && *first <= *last && *last < nr_cpu_ids ? text : NULL;
}

/*
 * Find the node whose list has @cpu; node 0 if none has. -EINVAL if the lists cannot be
 * parsed, if there are more lists than nodes, or if @cpu is listed twice.
 */
static int node_of_cpu(const char *text, int nr_nodes, unsigned int cpu)
{
	unsigned int first, last;
	int nid = 0, found = -1;

	for (;; text++) {
		/* A list may be empty. */
		if (*text != '/' && *text) {
			text = parse_cpu_range(text, &first, &last);
			if (!text || (cpu >= first && cpu <= last && found >= 0))
				return -EINVAL;
			if (cpu >= first && cpu <= last)
				found = nid;
		}
		if (!*text)
			return max(found, 0);
		if (*text == '/')
			nid++;
		if ((*text != '/' && *text != ',') || nid == nr_nodes)
			return -EINVAL;
	}
}

/**
 * mmbox_numa_check() - check distance= and node_cpus=
 * @cfg: configuration
 *
 * Context: any.
 * Return: 0, or -EINVAL if one is wrong; one line in the log says which and why.
 */
int mmbox_numa_check(const struct mmbox_config *cfg)
{
	u8 distance[MMBOX_MAX_NUMNODES][MMBOX_MAX_NUMNODES];
	unsigned int nr = nr_nodes_of(cfg);
	int cpu;

	if (cfg->node_cpus && *cfg->node_cpus) {
		for_each_possible_cpu(cpu) {
			if (node_of_cpu(cfg->node_cpus, nr, cpu) >= 0)
				continue;
			return mmbox_bad_param(cfg, MMBOX_PARAM_node_cpus,
					       "must be %u list%s of CPUs from 0 to %u, each CPU once, as 0-1/2,3 for two nodes",
					       nr, nr == 1 ? "" : "s, one a node,",
					       nr_cpu_ids - 1);
		}
	}
	return parse_distance(cfg, distance);
}
MMBOX_EXPORT_INTERNAL(mmbox_numa_check);

/**
 * mmbox_numa_init() - set the distances of a box, and the node of each CPU
 * @box: the box; its per-CPU data is allocated, and its parameters were checked
 *
 * Context: process.
 */
void mmbox_numa_init(struct mmbox *box)
{
	const char *node_cpus = box->cfg.node_cpus;
	unsigned int at = 0;
	int cpu;

	parse_distance(&box->cfg, box->pages.distance);
	for_each_possible_cpu(cpu) {
		int nid = at++ * box->nr_nodes / num_possible_cpus();

		if (node_cpus && *node_cpus)
			nid = node_of_cpu(node_cpus, box->nr_nodes, cpu);
		per_cpu_ptr(box->pages.cpu, cpu)->nid = nid;
	}
}

/* ---- fallback order of nodes ---- */

static bool node_has_cpus(const struct mmbox *box, int nid)
{
	int cpu;

	for_each_online_cpu(cpu)
		if (mmbox_cpu_to_node(box, cpu) == nid)
			return true;
	return false;
}

/*
 * Find the next node that requests of @node fall back to: the nearest one. A number
 * below @node counts as one more unit of distance, and so do CPUs, but only when
 * zonelists are rebuilt. The lowest node_load breaks ties. This is
 * find_next_best_node() of Linux 6.1, where no node has CPUs yet during boot.
 */
static int find_next_best_node(const struct mmbox *box, int node, bool booted,
			       const bool *used, const unsigned int *node_load)
{
	unsigned int min_val = UINT_MAX;
	int n, best_node = -1;

	if (!used[node])
		return node;
	for (n = 0; n < box->nr_nodes; n++) {
		unsigned int val = mmbox_node_distance(box, node, n);

		if (used[n] || !box->node[n]->node_present_pages)
			continue;
		val += n < node;
		val += booted && node_has_cpus(box, n);
		val = val * MMBOX_MAX_NUMNODES * MMBOX_MAX_NUMNODES + node_load[n];
		if (val < min_val) {
			min_val = val;
			best_node = n;
		}
	}
	return best_node;
}

/**
 * mmbox_node_order() - sort the nodes that requests of a node may use, best first
 * @box: the box; its nodes are laid out
 * @nid: the node
 * @booted: false when zonelists are built at boot, true when they are rebuilt
 * @order: out: the nodes, MMBOX_MAX_NUMNODES entries
 * @node_load: how often each node came first among equally near ones; all 0 before
 *	the first call, and passed on from one node to the next
 *
 * Context: process.
 * Return: number of nodes in @order.
 */
int mmbox_node_order(const struct mmbox *box, int nid, bool booted, int *order,
		     unsigned int *node_load)
{
	bool used[MMBOX_MAX_NUMNODES] = {};
	int node, prev = nid, nr = 0;

	while ((node = find_next_best_node(box, nid, booted, used, node_load)) >= 0) {
		/* Count the first node of each distance: other nodes then prefer another one. */
		if (mmbox_node_distance(box, nid, node) != mmbox_node_distance(box, nid, prev))
			node_load[node]++;
		used[node] = true;
		order[nr++] = node;
		prev = node;
	}
	return nr;
}
