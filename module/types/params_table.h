/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parameters of mmbox.ko: one row each, from which everything else is made.
 *
 *	PARAM(name, field of struct mmbox_config, kind, text)
 *
 * Default and bounds are written as a user types them. Kinds:
 *
 *	BYTES(default, least, most, rule)	K, M, G, ... may follow the number
 *	AMOUNT(default)				BYTES up to the largest box, in whole pages
 *	NUMBER(default, least, most)
 *	NTH					a NUMBER: which request, 0 for none
 *	SWITCH(default)				a boolean
 *	CHOICE(default, names)			the names in the order of the enum
 *	TEXT(default, form)			parsed by the layer that uses it
 *	LIST(form)				the same, empty by default
 *
 * and rules: PAGES, whole pages; POWER_OF_2.
 *
 * This file is included several times, each time with other definitions of PARAM and of
 * the kinds, which it undefines at its end. types/params.h numbers the parameters;
 * host/config.c parses and checks them; params.c declares them to the kernel;
 * tools/parameters writes README's table and the output of `make help`.
 * mmbox_config_check() checks that parameters agree with each other.
 */
#define AMOUNT(def)	BYTES(def, "0", "128G", PAGES)
#define NTH		NUMBER("0", "0", "1000000000")

PARAM(size, size, BYTES("64M", "4M", "128G", PAGES),
	"memory to take from the host; if left out, as much as banks= come to")
PARAM(banks, banks_text, LIST("SIZE@ADDR[:NODE][:hot],..."),
	"where that memory lies in the box's physical address space, in whole sections: "
	"banks=32M@0,32M@128M or banks=16M@0:0,16M@64M:1; if left out, one bank at 0. "
	"Holes cost no memory. A bank with :hot is a hole that memory may be put into later "
	"(see docs/memory-models.md); it does not count for size=. "
	"Nodes are numbered from 0 to 7 without a gap")
PARAM(model, model,
	CHOICE("sparse-vmemmap", "flat, discontig, sparse-static, sparse-extreme, sparse-vmemmap"),
	"memory model; see docs/memory-models.md")
PARAM(section_size, section_size, BYTES("4M", "2M", "1G", POWER_OF_2),
	"bytes a memory section, not less than the largest block")
PARAM(fail_boot_nth, fail_boot_nth, NTH,
	"for tests: which allocation of the boot allocator fails, counted from 1; 0: none")
PARAM(region, region, CHOICE("auto", "auto, contig, pages, vmalloc"),
	"how to take the memory: contig is one range of physical memory, pages one block of the "
	"host's page allocator, vmalloc is contiguous in virtual addresses only, "
	"auto the first of these that works")
PARAM(buddy, buddy, CHOICE("list", "list, bitmap"),
	"generation of the buddy allocator: list is Linux 6.1's, bitmap Linux 2.4's, with one bit "
	"a pair of buddies, no migrate types and no per-CPU lists")
PARAM(orders, orders, NUMBER("11", "10", "11"),
	"block orders of the buddy allocator; if left out, 10 with buddy=bitmap")
PARAM(kmalloc_min, kmalloc_min, BYTES("8", "8", "1K", POWER_OF_2),
	"smallest kmalloc cache; Linux 6.1 has 32")
PARAM(kmalloc_max, kmalloc_max, BYTES("128K", "1K", "128K", POWER_OF_2),
	"largest kmalloc cache; Linux 6.1 has 8K")
PARAM(zone_dma, zone_dma, AMOUNT("16M"),
	"bytes of the box's memory, from its physical address 0, that are ZONE_DMA")
PARAM(zone_dma32, zone_dma32, AMOUNT("4G"),
	"physical address below which memory is ZONE_DMA32, as far as it is not ZONE_DMA; "
	"the rest is ZONE_NORMAL")
PARAM(movablecore, movablecore, AMOUNT("0"),
	"bytes at the end of the highest of these zones that are ZONE_MOVABLE, rounded up to the "
	"largest block; at most size=")
PARAM(kernelcore, kernelcore, AMOUNT("0"),
	"bytes that are not ZONE_MOVABLE; the rest is ZONE_MOVABLE; at most size=; 0: there is no "
	"ZONE_MOVABLE")
PARAM(slab_reap, slab_reap, SWITCH("1"),
	"trim idle slab caches every few seconds; with 0, a replay does not depend on time")
PARAM(slab_stats, slab_stats, SWITCH("0"),
	"slabinfo has the statistics that Linux 6.1 has with CONFIG_DEBUG_SLAB")
PARAM(slab_merge, slab_merge, SWITCH("0"),
	"use an existing cache for a new one that is like it, as Linux with slab_merge")
PARAM(nodes, nodes, NUMBER("1", "1", "8"),
	"nodes to split the memory into, if banks= is left out")
PARAM(distance, distance, LIST("ROW/ROW/..."),
	"distances of the nodes, a row a node, 10,20/20,10 for two; a node is 10 from itself, "
	"others are 11 to 255; if left out, 20")
PARAM(node_cpus, node_cpus, LIST("CPUS/CPUS/..."),
	"the host's CPUs of each node, a list a node, 0-1/2,3 for two; CPUs not named belong to "
	"node 0; if left out, they are shared out in order")
PARAM(pcp_thp, pcp_thp, SWITCH("0"),
	"per-CPU lists have blocks of order 9 as well, and pageblocks are of that order, as where "
	"Linux has transparent huge pages")
PARAM(stat_drift, stat_drift, SWITCH("0"),
	"each CPU keeps a few pages of a zone's nr_free_pages to itself, as in Linux, so a "
	"watermark is met a little early or late; with 0, the count is exact")
PARAM(kswapd, kswapd, SWITCH("1"),
	"a thread a node that reclaims when memory runs short, as in the kernel; with 0, the same "
	"operations give the same box even when memory runs short")
PARAM(slab_debug, slab_debug, TEXT("-", "LETTERS[,CACHE,...][;...]"),
	"what to check in slab caches, as SLUB's slub_debug: letters F Z P U T, then possibly the "
	"caches, as in FZ,kmalloc-64,dentry; see docs/debugging.md")
PARAM(fail_nth, fail_nth, NTH,
	"for tests: which request to the host is refused, counted from 1; 0: none")

#undef AMOUNT
#undef NTH
#undef PARAM
#undef BYTES
#undef NUMBER
#undef SWITCH
#undef CHOICE
#undef TEXT
#undef LIST
