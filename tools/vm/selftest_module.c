// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the mistakes that a test VM must notice (tools/vm/selftest). Load it in test VMs
 * only.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *wrong = "nothing";
module_param(wrong, charp, 0400);
MODULE_PARM_DESC(wrong, "what to do wrong: nothing, warn, oops, hang, sleep, bounds, leak");

static DEFINE_SPINLOCK(lock);
static char *kept;

static int __init selftest_init(void)
{
	if (!strcmp(wrong, "warn")) {
		WARN(1, "as asked\n");
	} else if (!strcmp(wrong, "oops")) {
		WRITE_ONCE(*(int *)8, 1);
	} else if (!strcmp(wrong, "hang")) {
		pr_info("hanging\n");
		preempt_disable();
		for (;;)
			cpu_relax();
	} else if (!strcmp(wrong, "sleep")) {
		spin_lock(&lock);
		msleep(20);
		spin_unlock(&lock);
	} else if (!strcmp(wrong, "bounds")) {
		kept = kmalloc(40, GFP_KERNEL);
		if (kept)
			WRITE_ONCE(kept[40], 1);
		kfree(kept);
	} else if (!strcmp(wrong, "leak")) {
		int i;

		for (i = 0; i < 10; i++)
			WRITE_ONCE(kept, kmalloc(100, GFP_KERNEL));
		WRITE_ONCE(kept, NULL);
	}
	return 0;
}

static void __exit selftest_exit(void)
{
}

module_init(selftest_init);
module_exit(selftest_exit);
MODULE_DESCRIPTION("does wrong what a test VM must notice");
MODULE_LICENSE("GPL");
