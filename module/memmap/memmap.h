/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Converts box physical addresses to kernel addresses, and page frame numbers to
 * page descriptors: banks, memblock, the memory models and their sections.
 */
#ifndef _MMBOX_MEMMAP_MEMMAP_H
#define _MMBOX_MEMMAP_MEMMAP_H

#include <linux/jump_label.h>

#include "host/host.h"

/* bootlog.c */
int mmbox_boot_log_init(struct mmbox *box);
void mmbox_boot_log_exit(struct mmbox *box);
void mmbox_boot_note(struct mmbox *box, enum mmbox_boot_what what, int nid,
		     unsigned long start, unsigned long end, u64 bytes);
void mmbox_boot_note_zone(struct mmbox *box, enum mmbox_boot_what what, int nid,
			  int idx, unsigned long start, unsigned long end, u64 bytes);

/* memblock.c */
int mmbox_memblock_add(struct mmbox_memblock *mb, phys_addr_t base,
		       phys_addr_t size, int nid);
int mmbox_memblock_reserve(struct mmbox_memblock *mb, phys_addr_t base,
			   phys_addr_t size, const char *name);
phys_addr_t mmbox_memblock_phys_alloc(struct mmbox_memblock *mb,
				      phys_addr_t size, phys_addr_t align,
				      int nid, const char *name);
bool mmbox_memblock_should_fail(struct mmbox_memblock *mb);
void mmbox_memblock_free(struct mmbox_memblock *mb, phys_addr_t base,
			 phys_addr_t size);
void mmbox_memblock_remove(struct mmbox_memblock *mb, phys_addr_t base,
			   phys_addr_t size);
bool mmbox_memblock_next_free(const struct mmbox_memblock *mb, phys_addr_t *base,
			      phys_addr_t *end, int *nid);
unsigned long mmbox_memblock_end_pfn(const struct mmbox_memblock *mb);
void mmbox_get_pfn_range_for_nid(const struct mmbox *box, int nid,
				 unsigned long *start_pfn, unsigned long *end_pfn);
unsigned long mmbox_memblock_pages(const struct mmbox_memblock *mb, int nid,
				   unsigned long start_pfn, unsigned long end_pfn);
void *mmbox_boot_alloc(struct mmbox *box, unsigned long size, unsigned long align,
		       int nid, const char *name);

/* banks.c */
int mmbox_banks_parse(struct mmbox_config *cfg, const char *text);
int mmbox_banks_check(const struct mmbox_config *cfg);
unsigned long mmbox_banks_sum(const struct mmbox_config *cfg);

/* memmap_*.c */
extern const struct mmbox_memmap_model mmbox_flat_model, mmbox_discontig_model,
				       mmbox_sparse_static_model,
				       mmbox_sparse_extreme_model,
				       mmbox_sparse_vmemmap_model;

/* memmap.c */
extern const char *const mmbox_model_names[MMBOX_NR_MODELS];
void mmbox_memmap_setup(struct mmbox *box);
int mmbox_memmap_init(struct mmbox *box);
void mmbox_memmap_exit(struct mmbox *box);
bool mmbox_page_valid(const struct mmbox *box, const struct mmbox_page *page);
void mmbox_memmap_usage(const struct mmbox *box, struct mmbox_memmap_usage *usage);
/*
 * Initialise @nr descriptors, starting at @page, as reserved pages of zone @idx of node
 * @nid. @idx is 0 while the zone is not known.
 */
static inline void mmbox_init_reserved(struct mmbox_page *page, unsigned long nr, int nid,
				       int idx)
{
	const struct mmbox_page proto = {
		.type = MMBOX_PAGE_RESERVED,
		.zone_id = idx,
		.node_id = nid,
	};

	while (nr--)
		*page++ = proto;
}

/* memmap_extreme.c, also used by sparse-vmemmap */
int mmbox_sparse_extreme_alloc(struct mmbox *box);
int mmbox_sparse_index_init(struct mmbox *box, unsigned long nr, int nid);

/* sparse.c */
int mmbox_sparse_init(struct mmbox *box);
struct mmbox_mem_section *mmbox_nr_to_section(const struct mmbox *box, unsigned long nr);
bool mmbox_sparse_pfn_valid(const struct mmbox *box, unsigned long pfn);
bool mmbox_sparse_page_valid(const struct mmbox *box, const struct mmbox_page *page);
void mmbox_sparse_usage(const struct mmbox *box, struct mmbox_memmap_usage *usage);
void mmbox_sparse_set_map(struct mmbox *box, unsigned long nr, struct mmbox_page *map);
unsigned long mmbox_section_usage_size(const struct mmbox *box);
unsigned long mmbox_section_map_size(const struct mmbox *box);

/* physmap.c */
int mmbox_physmap_init(struct mmbox *box);
void mmbox_physmap_exit(struct mmbox *box);
bool mmbox_physmap_virt_valid(const struct mmbox *box, const void *addr);
phys_addr_t mmbox_physmap_virt_to_phys(const struct mmbox *box, const void *addr);
void *mmbox_physmap_page_address(const struct mmbox *box, const struct mmbox_page *page);
void *mmbox_physmap_phys_to_virt(const struct mmbox *box, phys_addr_t phys);
bool mmbox_physmap_section_there(const struct mmbox *box, unsigned long nr);
int mmbox_physmap_add(struct mmbox *box, unsigned long nr, void *addr);
void mmbox_physmap_del(struct mmbox *box, unsigned long nr);
struct mmbox_page *mmbox_block_head(const struct mmbox *box, struct mmbox_page *page);

struct mmbox;
struct mmbox_page;

static inline bool mmbox_model_is_sparse(enum mmbox_memory_model model)
{
	return model >= MMBOX_SPARSE_STATIC;
}

static inline bool mmbox_present_section(const struct mmbox_mem_section *ms)
{
	return ms && READ_ONCE(ms->section_mem_map) & MMBOX_SECTION_MARKED_PRESENT;
}

static inline bool mmbox_valid_section(const struct mmbox_mem_section *ms)
{
	return ms && READ_ONCE(ms->section_mem_map) & MMBOX_SECTION_HAS_MEM_MAP;
}

static inline bool mmbox_online_section(const struct mmbox_mem_section *ms)
{
	return ms && READ_ONCE(ms->section_mem_map) & MMBOX_SECTION_IS_ONLINE;
}

static inline bool mmbox_early_section(const struct mmbox_mem_section *ms)
{
	return ms && READ_ONCE(ms->section_mem_map) & MMBOX_SECTION_IS_EARLY;
}

/* The section's map, less its first pfn: index it by any pfn of the section. */
static inline struct mmbox_page *
mmbox_section_mem_map_addr(const struct mmbox_mem_section *ms)
{
	return (struct mmbox_page *)(ms->section_mem_map & MMBOX_SECTION_MAP_MASK);
}

/*
 * The inline part of physmap and memmap. In most boxes the physical address space
 * is one range of kernel addresses, and one array holds all descriptors. For other
 * boxes these functions call physmap.c, or branch on the memory model.
 */
DECLARE_STATIC_KEY_FALSE(mmbox_nonlinear_key);
DECLARE_STATIC_KEY_FALSE(mmbox_scattered_key);

/* Does any box lack the one range or the one array? A static key: free while none does. */
static __always_inline bool mmbox_nonlinear(void)
{
	return static_branch_unlikely(&mmbox_nonlinear_key);
}

/* Does any box lack the one array? Boxes with holes have it in flat and sparse-vmemmap. */
static __always_inline bool mmbox_scattered(void)
{
	return static_branch_unlikely(&mmbox_scattered_key);
}

static inline void *mmbox_phys_to_virt(const struct mmbox *box, phys_addr_t phys)
{
	if (mmbox_nonlinear() && !box->physmap.va_size)
		return mmbox_physmap_phys_to_virt(box, phys);
	return (void *)(box->physmap.va_base + (unsigned long)phys);
}

static inline phys_addr_t mmbox_virt_to_phys(const struct mmbox *box,
					     const void *addr)
{
	if (mmbox_nonlinear() && !box->physmap.va_size)
		return mmbox_physmap_virt_to_phys(box, addr);
	return (unsigned long)addr - box->physmap.va_base;
}

static inline bool mmbox_virt_valid(const struct mmbox *box, const void *addr)
{
	return (unsigned long)addr - box->physmap.va_base < box->physmap.va_size ||
	       (mmbox_nonlinear() && mmbox_physmap_virt_valid(box, addr));
}

/*
 * DISCONTIGMEM: look up the node by section, then the page in the node's
 * node_mem_map.
 */
static inline struct mmbox_page *mmbox_discontig_pfn_to_page(const struct mmbox *box,
							     unsigned long pfn)
{
	const mmbox_pg_data_t *pgdat;

	pgdat = box->node[box->memmap.discontig_nid[pfn >> box->memmap.pfn_section_shift]];
	return pgdat->node_mem_map + (pfn - pgdat->node_start_pfn);
}

static inline unsigned long mmbox_discontig_page_to_pfn(const struct mmbox *box,
							const struct mmbox_page *page)
{
	const mmbox_pg_data_t *pgdat = box->node[page->node_id];

	return page - pgdat->node_mem_map + pgdat->node_start_pfn;
}

/* SPARSEMEM: look up the section, in one step or two, then the page in its map. */
static inline struct mmbox_page *mmbox_sparse_static_pfn_to_page(const struct mmbox *box,
								 unsigned long pfn)
{
	unsigned long nr = pfn >> box->memmap.pfn_section_shift;

	return mmbox_section_mem_map_addr(&box->memmap.sparse.sections[nr]) + pfn;
}

static inline struct mmbox_mem_section *mmbox_extreme_section(const struct mmbox *box,
							      unsigned long nr)
{
	struct mmbox_mem_section *root = box->memmap.sparse.roots[nr / MMBOX_SECTIONS_PER_ROOT];

	return &root[nr % MMBOX_SECTIONS_PER_ROOT];
}

static inline struct mmbox_page *mmbox_sparse_extreme_pfn_to_page(const struct mmbox *box,
								  unsigned long pfn)
{
	return mmbox_section_mem_map_addr(mmbox_extreme_section(box,
						pfn >> box->memmap.pfn_section_shift)) + pfn;
}

/* Number of the section whose map holds @page, looked up by @page's offset in the region. */
static inline unsigned long mmbox_sparse_map_section(const struct mmbox *box,
						     const struct mmbox_page *page)
{
	unsigned long offset = (unsigned long)page - (unsigned long)box->region.addr;

	return box->memmap.sparse.map_section[offset >> box->memmap.sparse.map_shift] - 1UL;
}

static inline unsigned long mmbox_sparse_static_page_to_pfn(const struct mmbox *box,
							    const struct mmbox_page *page)
{
	unsigned long nr = mmbox_sparse_map_section(box, page);

	return page - mmbox_section_mem_map_addr(&box->memmap.sparse.sections[nr]);
}

static inline unsigned long mmbox_sparse_extreme_page_to_pfn(const struct mmbox *box,
							     const struct mmbox_page *page)
{
	unsigned long nr = mmbox_sparse_map_section(box, page);

	return page - mmbox_section_mem_map_addr(mmbox_extreme_section(box, nr));
}

/* Keep these inline: a possible call makes the fast paths spill registers. */
static inline struct mmbox_page *mmbox_memmap_pfn_to_page(const struct mmbox *box,
							  unsigned long pfn)
{
	switch (box->cfg.model) {
	case MMBOX_DISCONTIG:
		return mmbox_discontig_pfn_to_page(box, pfn);
	case MMBOX_SPARSE_STATIC:
		return mmbox_sparse_static_pfn_to_page(box, pfn);
	default:
		return mmbox_sparse_extreme_pfn_to_page(box, pfn);
	}
}

static inline unsigned long mmbox_memmap_page_to_pfn(const struct mmbox *box,
						     const struct mmbox_page *page)
{
	switch (box->cfg.model) {
	case MMBOX_DISCONTIG:
		return mmbox_discontig_page_to_pfn(box, page);
	case MMBOX_SPARSE_STATIC:
		return mmbox_sparse_static_page_to_pfn(box, page);
	default:
		return mmbox_sparse_extreme_page_to_pfn(box, page);
	}
}

/*
 * For callers that know that the box has one array. A free knows it once the page or
 * address has been found within the array's bounds.
 */
static inline struct mmbox_page *mmbox_linear_pfn_to_page(const struct mmbox *box,
							  unsigned long pfn)
{
	return box->memmap.map + pfn;
}

static inline unsigned long mmbox_linear_page_to_pfn(const struct mmbox *box,
						     const struct mmbox_page *page)
{
	return page - box->memmap.map;
}

static inline struct mmbox_page *mmbox_linear_virt_to_page(const struct mmbox *box,
							   const void *addr)
{
	unsigned long phys = (unsigned long)addr - box->physmap.va_base;

	return mmbox_linear_pfn_to_page(box, phys >> PAGE_SHIFT);
}

/* Is there no single memmap? Test the size: testing the pointer costs another load. */
static inline bool mmbox_no_memmap(const struct mmbox *box)
{
	return !box->memmap.map_size;
}

static inline struct mmbox_page *__mmbox_pfn_to_page(const struct mmbox *box,
						     unsigned long pfn)
{
	if (mmbox_scattered() && mmbox_no_memmap(box))
		return mmbox_memmap_pfn_to_page(box, pfn);
	return mmbox_linear_pfn_to_page(box, pfn);
}

static inline unsigned long __mmbox_page_to_pfn(const struct mmbox *box,
						const struct mmbox_page *page)
{
	if (mmbox_scattered() && mmbox_no_memmap(box))
		return mmbox_memmap_page_to_pfn(box, page);
	return mmbox_linear_page_to_pfn(box, page);
}

static inline struct mmbox_page *__mmbox_virt_to_page(const struct mmbox *box,
						      const void *addr)
{
	if (mmbox_nonlinear() && !box->physmap.linear_size)
		return __mmbox_pfn_to_page(box, PHYS_PFN(mmbox_virt_to_phys(box, addr)));
	return mmbox_linear_virt_to_page(box, addr);
}

static __always_inline void *__mmbox_page_address(const struct mmbox *box,
						  const struct mmbox_page *page)
{
	if (mmbox_nonlinear() && !box->physmap.linear_size)
		return mmbox_physmap_page_address(box, page);
	return (void *)(box->physmap.va_base + PFN_PHYS(mmbox_linear_page_to_pfn(box, page)));
}

#endif /* _MMBOX_MEMMAP_MEMMAP_H */
