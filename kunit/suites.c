// SPDX-License-Identifier: GPL-2.0
/*
 * The suites of mmbox_kunit.ko, from the lowest layer up.
 */
#include "testing.h"

kunit_test_suites(&params_suite, &memblock_suite, &mm_init_suite, &numa_suite, &memmap_suite,
		  &percpu_suite, &isolation_suite, &memory_hotplug_suite, &memory_probe_suite,
		  &page_alloc_suite, &buddy_bitmap_suite, &page_design_suite, &page_model_suite,
		  &page_reference_suite,
		  &vmscan_suite, &vmstat_suite, &slab_suite, &slab_common_suite,
		  &slab_arrays_suite, &slab_reference_suite, &slab_debug_suite,
		  &slab_free_suite, &slab_rcu_suite, &slab_model_suite, &report_suite,
		  &debugfs_debug_suite,
		  &box_suite);
