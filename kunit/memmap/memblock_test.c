// SPDX-License-Identifier: GPL-2.0
/*
 * The boot allocator alone: it needs no memory behind the addresses.
 *
 * Layouts are drawn with the lowest address left, 1 MiB a column. '#' is reserved, '.'
 * is free, ' ' is no memory. Letters are what the test adds, allocates or reserves.
 */
#include "testing.h"

#define MB(n)	((phys_addr_t)(n) << 20)

static struct mmbox_memblock *new_memblock(struct kunit *test)
{
	struct mmbox_memblock *mb = kunit_kzalloc(test, sizeof(*mb), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mb);
	return mb;
}

static void expect_region(struct kunit *test, const struct mmbox_memblock_type *type,
			  unsigned int nr, phys_addr_t base, phys_addr_t size)
{
	KUNIT_ASSERT_LT(test, nr, type->cnt);
	KUNIT_EXPECT_EQ_MSG(test, type->regions[nr].base, base, "region %u", nr);
	KUNIT_EXPECT_EQ_MSG(test, type->regions[nr].size, size, "region %u", nr);
}

static void expect_free(struct kunit *test, const struct mmbox_memblock *mb,
			phys_addr_t from, phys_addr_t base, phys_addr_t end)
{
	phys_addr_t found = from, found_end = 0;
	int nid = -1;

	KUNIT_ASSERT_TRUE_MSG(test, mmbox_memblock_next_free(mb, &found, &found_end, &nid),
			      "nothing free from %llx on", (u64)from);
	KUNIT_EXPECT_EQ(test, found, base);
	KUNIT_EXPECT_EQ(test, found_end, end);
	KUNIT_EXPECT_EQ(test, nid, 0);
}

/*
 *	0   4   8
 *	 BBB AAA	added in any order, they are sorted
 */
static void add_sorts(struct kunit *test)
{
	struct mmbox_memblock *mb = new_memblock(test);

	KUNIT_EXPECT_EQ(test, 0, mmbox_memblock_add(mb, MB(5), MB(3), 0));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memblock_add(mb, MB(1), MB(3), 0));
	KUNIT_EXPECT_EQ(test, 2, mb->memory.cnt);
	expect_region(test, &mb->memory, 0, MB(1), MB(3));
	expect_region(test, &mb->memory, 1, MB(5), MB(3));
}

/*
 *	0   4   8
 *	    AAAA
 *	BBBB    CCCC	adjoining ranges are accepted
 */
static void add_adjoining(struct kunit *test)
{
	struct mmbox_memblock *mb = new_memblock(test);

	KUNIT_EXPECT_EQ(test, 0, mmbox_memblock_add(mb, MB(4), MB(4), 0));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memblock_add(mb, MB(0), MB(4), 0));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memblock_add(mb, MB(8), MB(4), 0));
	KUNIT_EXPECT_EQ(test, 3, mb->memory.cnt);
	expect_region(test, &mb->memory, 1, MB(4), MB(4));
}

/*
 *	0   4   8
 *	    AAAA
 *	 BBBB		overlaps its begin
 *	      CCCC	overlaps its end
 *	     DD		inside
 *	  EEEEEEEE	around
 *	    FFFF	the same
 */
static void add_overlapping_refused(struct kunit *test)
{
	struct mmbox_memblock *mb = new_memblock(test);

	KUNIT_EXPECT_EQ(test, 0, mmbox_memblock_add(mb, MB(4), MB(4), 0));
	KUNIT_EXPECT_EQ(test, -EEXIST, mmbox_memblock_add(mb, MB(1), MB(4), 0));
	KUNIT_EXPECT_EQ(test, -EEXIST, mmbox_memblock_add(mb, MB(6), MB(4), 0));
	KUNIT_EXPECT_EQ(test, -EEXIST, mmbox_memblock_add(mb, MB(5), MB(2), 0));
	KUNIT_EXPECT_EQ(test, -EEXIST, mmbox_memblock_add(mb, MB(2), MB(8), 0));
	KUNIT_EXPECT_EQ(test, -EEXIST, mmbox_memblock_add(mb, MB(4), MB(4), 0));
	KUNIT_EXPECT_EQ(test, 1, mb->memory.cnt);
}

/* Ranges that are empty, or wrap around the end of the address space. */
static void add_empty_or_wrapping_refused(struct kunit *test)
{
	struct mmbox_memblock *mb = new_memblock(test);

	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memblock_add(mb, MB(1), 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			mmbox_memblock_add(mb, ~(phys_addr_t)0 - MB(1), MB(2), 0));
	KUNIT_EXPECT_EQ(test, 0, mb->memory.cnt);
}

/* One bank more than there is room for is refused, and the others stay. */
static void add_too_many_refused(struct kunit *test)
{
	struct mmbox_memblock *mb = new_memblock(test);
	int i;

	for (i = 0; i < MMBOX_MEMBLOCK_REGIONS; i++)
		KUNIT_EXPECT_EQ(test, 0, mmbox_memblock_add(mb, MB(2 * i), MB(1), 0));
	KUNIT_EXPECT_EQ(test, -ENOSPC, mmbox_memblock_add(mb, MB(2 * i), MB(1), 0));
	expect_region(test, &mb->memory, i - 1, MB(2 * i - 2), MB(1));
}

/*
 *	0   4   8   12
 *	....    ....
 *	   RR		beyond the end of a bank
 *	     R		in a hole
 *	 R      R	accepted
 */
static void reserve_only_memory(struct kunit *test)
{
	struct mmbox_memblock *mb = new_memblock(test);

	mmbox_memblock_add(mb, MB(0), MB(4), 0);
	mmbox_memblock_add(mb, MB(8), MB(4), 0);
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memblock_reserve(mb, MB(3), MB(2), "r"));
	KUNIT_EXPECT_EQ(test, -EINVAL, mmbox_memblock_reserve(mb, MB(5), MB(1), "r"));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memblock_reserve(mb, MB(8), MB(1), "r"));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memblock_reserve(mb, MB(1), MB(1), "r"));
	KUNIT_EXPECT_EQ(test, -EEXIST, mmbox_memblock_reserve(mb, MB(1), MB(1), "r"));
	expect_region(test, &mb->reserved, 0, MB(1), MB(1));
	expect_region(test, &mb->reserved, 1, MB(8), MB(1));
	KUNIT_EXPECT_STREQ(test, mb->reserved.regions[0].name, "r");
}

static void expect_alloc(struct kunit *test, struct mmbox_memblock *mb,
			 phys_addr_t size, phys_addr_t align, phys_addr_t where)
{
	KUNIT_EXPECT_EQ_MSG(test, mmbox_memblock_phys_alloc(mb, size, align, 0, "test"), where,
			    "%llx bytes aligned to %llx", (u64)size, (u64)align);
}

/* The memory of the next two tests: 16 MiB, of which two are reserved. */
static struct mmbox_memblock *memblock_with_hole(struct kunit *test)
{
	struct mmbox_memblock *mb = new_memblock(test);

	mmbox_memblock_add(mb, MB(0), MB(16), 0);
	mmbox_memblock_reserve(mb, MB(6), MB(2), "hole");
	return mb;
}

/*
 *	0   4   8   12  16
 *	......##........
 *	              AA	highest address first
 *	            BB		below it
 *	        CCCC		fills the gap exactly
 *	    DD			next gap
 *	EEEE			next bank end
 */
static void alloc_top_down(struct kunit *test)
{
	struct mmbox_memblock *mb = memblock_with_hole(test);

	expect_alloc(test, mb, MB(2), MB(1), MB(14));
	expect_alloc(test, mb, MB(2), MB(1), MB(12));
	expect_alloc(test, mb, MB(4), MB(1), MB(8));
	expect_alloc(test, mb, MB(2), MB(1), MB(4));
	expect_alloc(test, mb, MB(4), MB(1), MB(0));
	expect_alloc(test, mb, 1, 1, MMBOX_MEMBLOCK_NONE);
}

/*
 *	0   4   8   12  16
 *	......##........
 *	AA			lowest address first
 *	  BBBB			fills the gap exactly
 *	        CC
 *	          DDDDDD
 */
static void alloc_bottom_up(struct kunit *test)
{
	struct mmbox_memblock *mb = memblock_with_hole(test);

	mb->bottom_up = true;
	expect_alloc(test, mb, MB(2), MB(1), MB(0));
	expect_alloc(test, mb, MB(4), MB(1), MB(2));
	expect_alloc(test, mb, MB(2), MB(1), MB(8));
	expect_alloc(test, mb, MB(6), MB(1), MB(10));
	expect_alloc(test, mb, 1, 1, MMBOX_MEMBLOCK_NONE);
}

/*
 *	0   4   8   12  16
 *	...............#
 *	            AA		aligned to 4: not at 13
 *	        B		aligned to 8
 *	              C		the rest of the top is still there
 */
static void alloc_aligned(struct kunit *test)
{
	struct mmbox_memblock *mb = new_memblock(test);

	mmbox_memblock_add(mb, MB(0), MB(16), 0);
	mmbox_memblock_reserve(mb, MB(15), MB(1), "top");
	expect_alloc(test, mb, MB(2), MB(4), MB(12));
	expect_alloc(test, mb, MB(1), MB(8), MB(8));
	expect_alloc(test, mb, MB(1), MB(1), MB(14));

	mb = new_memblock(test);
	mb->bottom_up = true;
	mmbox_memblock_add(mb, MB(1), MB(15), 0);
	expect_alloc(test, mb, MB(2), MB(4), MB(4));
	expect_alloc(test, mb, MB(1), MB(8), MB(8));
	expect_alloc(test, mb, MB(1), MB(1), MB(1));
}

/*
 *	0   4   8   12  16
 *	..##..##..##..##	no three free in a row
 *	        ....		freed: four in a row are found
 */
static void alloc_too_large(struct kunit *test)
{
	struct mmbox_memblock *mb = new_memblock(test);
	int i;

	mmbox_memblock_add(mb, MB(0), MB(16), 0);
	for (i = 2; i < 16; i += 4)
		mmbox_memblock_reserve(mb, MB(i), MB(2), "hole");
	expect_alloc(test, mb, MB(3), MB(1), MMBOX_MEMBLOCK_NONE);
	expect_alloc(test, mb, MB(17), MB(1), MMBOX_MEMBLOCK_NONE);
	mb->bottom_up = true;
	expect_alloc(test, mb, MB(3), MB(1), MMBOX_MEMBLOCK_NONE);
	expect_alloc(test, mb, 0, MB(1), MMBOX_MEMBLOCK_NONE);
	KUNIT_EXPECT_EQ(test, 4, mb->reserved.cnt);
}

/*
 *	0   4   8   12
 *	....    ....	two banks of node 0, one of node 1 between
 *	    1111
 */
static void alloc_of_node(struct kunit *test)
{
	struct mmbox_memblock *mb = new_memblock(test);

	mmbox_memblock_add(mb, MB(0), MB(4), 0);
	mmbox_memblock_add(mb, MB(4), MB(4), 1);
	mmbox_memblock_add(mb, MB(8), MB(4), 0);
	KUNIT_EXPECT_EQ(test, MB(7), mmbox_memblock_phys_alloc(mb, MB(1), MB(1), 1, "n"));
	KUNIT_EXPECT_EQ(test, MMBOX_MEMBLOCK_NONE,
			mmbox_memblock_phys_alloc(mb, MB(4), MB(1), 1, "n"));
	expect_alloc(test, mb, MB(4), MB(1), MB(8));
	expect_alloc(test, mb, MB(4), MB(1), MB(0));
	KUNIT_EXPECT_EQ(test, MMBOX_MEMBLOCK_NONE,
			mmbox_memblock_phys_alloc(mb, MB(1), MB(1), 2, "n"));
}

/*
 *	0   4   8   12
 *	.##.##  ....
 *	R  R    RRRR	the ranges found, from the lowest up
 */
static void next_free_skips_reserved(struct kunit *test)
{
	struct mmbox_memblock *mb = new_memblock(test);
	phys_addr_t base = MB(12), end;
	int nid;

	mmbox_memblock_add(mb, MB(0), MB(6), 0);
	mmbox_memblock_add(mb, MB(8), MB(4), 0);
	mmbox_memblock_reserve(mb, MB(1), MB(2), "r");
	mmbox_memblock_reserve(mb, MB(4), MB(2), "r");
	expect_free(test, mb, MB(0), MB(0), MB(1));
	expect_free(test, mb, MB(1), MB(3), MB(4));
	expect_free(test, mb, MB(4), MB(8), MB(12));
	expect_free(test, mb, MB(9), MB(9), MB(12));
	KUNIT_EXPECT_FALSE(test, mmbox_memblock_next_free(mb, &base, &end, &nid));
}

/*
 *	0   4   8   12
 *	....  ......
 *	  ^^^^^^^	2 to 9: 5 of 7 are memory
 */
static void pages_counted(struct kunit *test)
{
	struct mmbox_memblock *mb = new_memblock(test);

	mmbox_memblock_add(mb, MB(0), MB(4), 0);
	mmbox_memblock_add(mb, MB(6), MB(6), 0);
	KUNIT_EXPECT_EQ(test, PHYS_PFN(MB(5)),
			mmbox_memblock_pages(mb, NUMA_NO_NODE, PHYS_PFN(MB(2)), PHYS_PFN(MB(9))));
	KUNIT_EXPECT_EQ(test, 0, mmbox_memblock_pages(mb, NUMA_NO_NODE, PHYS_PFN(MB(4)),
						      PHYS_PFN(MB(6))));
	KUNIT_EXPECT_EQ(test, PHYS_PFN(MB(10)),
			mmbox_memblock_pages(mb, NUMA_NO_NODE, 0, PHYS_PFN(MB(99))));
}

#define RANDOM_COLUMNS	512	/* pages */

/* Random allocations, compared with a bitmap of pages: none overlap. */
static void random_fill_never_overlaps(struct kunit *test)
{
	bool *taken = kunit_kzalloc(test, RANDOM_COLUMNS, GFP_KERNEL);
	unsigned int i, j, nr, free = RANDOM_COLUMNS;
	struct mmbox_memblock *mb = new_memblock(test);
	phys_addr_t base, end;
	u32 seed = 1;
	int nid;

	KUNIT_ASSERT_NOT_NULL(test, taken);
	mmbox_memblock_add(mb, 0, RANDOM_COLUMNS * PAGE_SIZE, 0);
	for (i = 0; i < MMBOX_MEMBLOCK_REGIONS; i++) {
		unsigned int align = 1 << (test_random(&seed) % 4);

		nr = 1 + test_random(&seed) % 8;
		mb->bottom_up = test_random(&seed) & 1;
		base = mmbox_memblock_phys_alloc(mb, nr * PAGE_SIZE, align * PAGE_SIZE, 0, "x");
		KUNIT_ASSERT_NE(test, base, MMBOX_MEMBLOCK_NONE);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED(base, align * PAGE_SIZE));
		for (j = 0; j < nr; j++) {
			KUNIT_EXPECT_FALSE_MSG(test, taken[PHYS_PFN(base) + j],
					       "page %lu handed out twice",
					       (unsigned long)PHYS_PFN(base) + j);
			taken[PHYS_PFN(base) + j] = true;
		}
		free -= nr;
	}
	for (base = 0; mmbox_memblock_next_free(mb, &base, &end, &nid); base = end) {
		for (j = PHYS_PFN(base); j < PHYS_PFN(end); j++)
			KUNIT_EXPECT_FALSE_MSG(test, taken[j], "page %u is not free", j);
		free -= PHYS_PFN(end - base);
	}
	KUNIT_EXPECT_EQ(test, free, 0);
}

/*
 *	0   4   8   12  16
 *	..AAAAAAAA......
 *	    bb			freed in the middle: one range becomes two
 *	 cc			its begin, and free memory before it
 *	         ddd		its end, and free memory behind it
 *	   eeee			the rest of one range, and the begin of the next
 *	            ff		nothing of this is reserved
 */
static void free_parts_of_reserved(struct kunit *test)
{
	struct mmbox_memblock *mb = new_memblock(test);

	KUNIT_ASSERT_EQ(test, 0, mmbox_memblock_add(mb, 0, MB(16), 0));
	KUNIT_ASSERT_EQ(test, 0, mmbox_memblock_reserve(mb, MB(2), MB(8), "A"));
	mmbox_memblock_free(mb, MB(4), MB(2));
	KUNIT_EXPECT_EQ(test, 2, mb->reserved.cnt);
	expect_region(test, &mb->reserved, 0, MB(2), MB(2));
	expect_region(test, &mb->reserved, 1, MB(6), MB(4));
	expect_free(test, mb, MB(3), MB(4), MB(6));

	mmbox_memblock_free(mb, MB(1), MB(2));
	expect_region(test, &mb->reserved, 0, MB(3), MB(1));
	mmbox_memblock_free(mb, MB(9), MB(3));
	expect_region(test, &mb->reserved, 1, MB(6), MB(3));
	KUNIT_EXPECT_EQ(test, 2, mb->reserved.cnt);

	mmbox_memblock_free(mb, MB(3), MB(4));
	KUNIT_EXPECT_EQ(test, 1, mb->reserved.cnt);
	expect_region(test, &mb->reserved, 0, MB(7), MB(2));
	mmbox_memblock_free(mb, MB(12), MB(2));
	KUNIT_EXPECT_EQ(test, 1, mb->reserved.cnt);
	mmbox_memblock_free(mb, 0, MB(16));
	KUNIT_EXPECT_EQ(test, 0, mb->reserved.cnt);
	expect_free(test, mb, 0, 0, MB(16));
}

/*
 *	0   4   8
 *	0000    1111
 *	  aaaaaaa	removed: the rest keeps its nodes
 */
static void remove_memory_keeps_nodes(struct kunit *test)
{
	struct mmbox_memblock *mb = new_memblock(test);

	KUNIT_ASSERT_EQ(test, 0, mmbox_memblock_add(mb, 0, MB(4), 0));
	KUNIT_ASSERT_EQ(test, 0, mmbox_memblock_add(mb, MB(8), MB(4), 1));
	mmbox_memblock_remove(mb, MB(2), MB(7));
	KUNIT_EXPECT_EQ(test, 2, mb->memory.cnt);
	expect_region(test, &mb->memory, 0, 0, MB(2));
	expect_region(test, &mb->memory, 1, MB(9), MB(3));
	KUNIT_EXPECT_EQ(test, 0, mb->memory.regions[0].nid);
	KUNIT_EXPECT_EQ(test, 1, mb->memory.regions[1].nid);
	KUNIT_EXPECT_EQ_MSG(test, -EINVAL, mmbox_memblock_reserve(mb, MB(2), MB(1), "a"),
			    "not memory any more");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(add_sorts),
	KUNIT_CASE(add_adjoining),
	KUNIT_CASE(add_overlapping_refused),
	KUNIT_CASE(add_empty_or_wrapping_refused),
	KUNIT_CASE(add_too_many_refused),
	KUNIT_CASE(reserve_only_memory),
	KUNIT_CASE(alloc_top_down),
	KUNIT_CASE(alloc_bottom_up),
	KUNIT_CASE(alloc_aligned),
	KUNIT_CASE(alloc_too_large),
	KUNIT_CASE(alloc_of_node),
	KUNIT_CASE(next_free_skips_reserved),
	KUNIT_CASE(free_parts_of_reserved),
	KUNIT_CASE(remove_memory_keeps_nodes),
	KUNIT_CASE(pages_counted),
	KUNIT_CASE(random_fill_never_overlaps),
	{}
};

TEST_SUITE(memblock_suite, "mmbox_memblock", cases);
