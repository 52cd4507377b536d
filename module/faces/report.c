// SPDX-License-Identifier: GPL-2.0
/*
 * Reports of refused frees and copies, of failed allocations, and counters of all
 * mistakes.
 *
 * The allocators detect and refuse; this file counts and reports, rate-limited, with
 * the stack of the caller. It decides nothing.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/security.h>

#include "faces/report.h"

const char *const mmbox_bad_names[MMBOX_NR_BAD] = {
	[MMBOX_BAD_FOREIGN]	= "foreign_address",
	[MMBOX_BAD_CACHE]	= "wrong_cache",
	[MMBOX_BAD_OBJECT]	= "not_an_object",
	[MMBOX_BAD_ORDER]	= "wrong_order",
	[MMBOX_BAD_PAGE]	= "not_allocated",
	[MMBOX_BAD_DOUBLE]	= "double_free",
	[MMBOX_BAD_USERCOPY]	= "usercopy",
	[MMBOX_BAD_OVERFLOW]	= "overflow",
	[MMBOX_BAD_USE_AFTER_FREE]	= "use_after_free",
	[MMBOX_BAD_FREELIST]	= "freelist",
};
MMBOX_EXPORT_INTERNAL(mmbox_bad_names);

const char *const mmbox_bad_texts[MMBOX_NR_BAD] = {
	[MMBOX_BAD_FOREIGN]	= "address is not in the box",
	[MMBOX_BAD_CACHE]	= "object is not of this cache",
	[MMBOX_BAD_OBJECT]	= "address is not the start of an object",
	[MMBOX_BAD_ORDER]	= "pages were allocated with another order",
	[MMBOX_BAD_PAGE]	= "page is not the first of an allocation",
	[MMBOX_BAD_DOUBLE]	= "is free already",
	[MMBOX_BAD_USERCOPY]	= "range is not within the usercopy region of an object",
};

/**
 * mmbox_addresses_hidden() - must host addresses be hidden from the current task?
 *
 * They are hidden as the kernel hides its own: according to kptr_restrict, and always
 * once the kernel is locked down.
 *
 * Context: any.
 * Return: true if they must be hidden.
 */
bool mmbox_addresses_hidden(void)
{
	char text[2 * sizeof(void *) + 1];

	/* %pK prints zeroes if hidden, or an error where it cannot check the reader. */
	snprintf(text, sizeof(text), "%pK", (void *)mmbox_addresses_hidden);
	return strspn(text, "0") == strlen(text) || !strncmp(text, "pK-error", 8) ||
	       security_locked_down(LOCKDOWN_DEBUGFS);
}

/**
 * mmbox_address_text() - format a host address
 * @to: buffer for the text
 * @addr: the address
 *
 * Hidden addresses are hashed, as %p does: equal addresses have equal texts, but the
 * text does not reveal the address.
 *
 * Context: any.
 * Return: the text.
 */
const char *mmbox_address_text(struct mmbox_address_text *to, const void *addr)
{
	if (mmbox_addresses_hidden())
		snprintf(to->text, sizeof(to->text), "%p", addr);
	else
		snprintf(to->text, sizeof(to->text), "%px", addr);
	return to->text;
}

/**
 * mmbox_symbol_text() - format a code address as a symbol
 * @to: buffer for the text
 * @addr: the address
 *
 * Without a symbol, e.g. in a module that was unloaded, it is shown as an address.
 *
 * Context: any.
 * Return: the text.
 */
const char *mmbox_symbol_text(struct mmbox_symbol_text *to, const void *addr)
{
	snprintf(to->text, sizeof(to->text), "%pS", addr);
	if (!strncmp(to->text, "0x", 2))
		snprintf(to->text, sizeof(to->text), "0x%s", mmbox_shown(addr));
	return to->text;
}

/**
 * mmbox_report_init() - initialize the rate limits of reports
 * @box: the box
 *
 * Context: any.
 */
void mmbox_report_init(struct mmbox *box)
{
	ratelimit_state_init(&box->faces.bad_limit, DEFAULT_RATELIMIT_INTERVAL,
			     DEFAULT_RATELIMIT_BURST);
	ratelimit_state_init(&box->faces.alloc_limit, 10 * HZ, 1);
}

/**
 * mmbox_report_count() - count a mistake
 * @box: the box
 * @why: which mistake
 *
 * Context: any.
 * Return: true if it should be reported as well: the rate limit allows it.
 */
bool mmbox_report_count(struct mmbox *box, enum mmbox_bad why)
{
	atomic_long_inc(&box->faces.bad[why]);
	return __ratelimit(&box->faces.bad_limit);
}

/**
 * mmbox_report_bad_kfree_rcu() - count and report a corrupted list of kfree_rcu()
 * @box: the box
 * @head: the bad next pointer
 *
 * Context: any.
 */
void mmbox_report_bad_kfree_rcu(struct mmbox *box, const struct rcu_head *head)
{
	if (!mmbox_report_count(box, MMBOX_BAD_FREELIST))
		return;
	pr_err("%s: an object queued by mmbox_kfree_rcu() was overwritten or freed, its next pointer is %s; the objects behind it leak\n",
	       box->name, mmbox_shown(head));
	dump_stack();
}

/**
 * mmbox_report_bad_page() - count and report a refused free of pages
 * @box: the box
 * @why: what is wrong with it
 * @page: the descriptor; with MMBOX_BAD_FOREIGN an arbitrary pointer
 * @order: the order they were freed with
 *
 * Context: any, no lock of the box held.
 */
void mmbox_report_bad_page(struct mmbox *box, enum mmbox_bad why, const struct mmbox_page *page,
			   unsigned int order)
{
	if (!mmbox_report_count(box, why))
		return;
	if (why == MMBOX_BAD_FOREIGN)
		pr_err("%s: refused to free page %s, order %u: %s\n", box->name,
		       mmbox_shown(page), order, mmbox_bad_texts[why]);
	else
		pr_err("%s: refused to free pfn %#lx, order %u (type %u, order %u): %s\n",
		       box->name, __mmbox_page_to_pfn(box, page), order,
		       page->type, page->order, mmbox_bad_texts[why]);
	dump_stack();
}

/**
 * mmbox_report_bad_usercopy() - count and report a refused copy to or from user space
 * @box: the box
 * @ptr: the address in the box
 * @n: bytes from there
 *
 * Context: any, no lock of the box held.
 */
void mmbox_report_bad_usercopy(struct mmbox *box, const void *ptr, unsigned long n)
{
	if (!mmbox_report_count(box, MMBOX_BAD_USERCOPY))
		return;
	pr_err("%s: refused to copy %lu bytes at %s: %s\n", box->name, n, mmbox_shown(ptr),
	       mmbox_bad_texts[MMBOX_BAD_USERCOPY]);
	dump_stack();
}

/* ---- allocations that failed ---- */

static void show_zone(const struct mmbox_zone *zone)
{
	char blocks[128];
	unsigned int order;
	int len = 0;

	pr_warn("Node %d %s free:%lukB boost:%lukB min:%lukB low:%lukB high:%lukB reserved_highatomic:%luKB present:%lukB managed:%lukB free_pcp:%lukB\n",
		zone->zone_pgdat->node_id, zone->name,
		zone->nr_free_pages << (PAGE_SHIFT - 10),
		zone->watermark_boost << (PAGE_SHIFT - 10),
		mmbox_wmark_pages(zone, MMBOX_WMARK_MIN) << (PAGE_SHIFT - 10),
		mmbox_wmark_pages(zone, MMBOX_WMARK_LOW) << (PAGE_SHIFT - 10),
		mmbox_wmark_pages(zone, MMBOX_WMARK_HIGH) << (PAGE_SHIFT - 10),
		zone->nr_reserved_highatomic << (PAGE_SHIFT - 10),
		zone->present_pages << (PAGE_SHIFT - 10),
		zone->managed_pages << (PAGE_SHIFT - 10),
		mmbox_nr_pcp_pages(zone) << (PAGE_SHIFT - 10));
	for (order = 0; order < zone->box->pages.max_order; order++)
		len += scnprintf(blocks + len, sizeof(blocks) - len, "%lu*%lukB ",
				 mmbox_nr_free_blocks(zone, order),
				 PAGE_SIZE << order >> 10);
	pr_warn("Node %d %s: %s\n", zone->zone_pgdat->node_id, zone->name, blocks);
}

/**
 * mmbox_report_alloc_failed() - report a failed request for pages
 * @box: the box
 * @gfp: its flags; nothing is reported with __GFP_NOWARN
 * @order: its order
 *
 * Logs the task, the request, the stack and the state of all zones, at most once in ten
 * seconds.
 *
 * Context: any, no lock of the box held.
 */
void mmbox_report_alloc_failed(struct mmbox *box, gfp_t gfp, unsigned int order)
{
	struct mmbox_param_text comm;
	struct mmbox_zone *zone;

	if (gfp & __GFP_NOWARN || !__ratelimit(&box->faces.alloc_limit))
		return;
	pr_warn("%s: %s: page allocation failure: order:%u, mode:%#x(%pGg)\n", box->name,
		mmbox_escape(current->comm, TASK_COMM_LEN, &comm), order,
		(__force unsigned int)gfp, &gfp);
	dump_stack();
	mmbox_for_each_zone(box, zone)
		if (mmbox_populated_zone(zone))
			show_zone(zone);
}
