// SPDX-License-Identifier: GPL-2.0
/*
 * Reclaim: free pages when a zone runs short.
 *
 *	below low	an allocation wakes its node's kswapd, which reclaims
 *			until a zone is above high, and then sleeps again
 *	below min	an allocation that may sleep reclaims pages itself (direct
 *			reclaim); while less than half of the reserves is free,
 *			it first waits for kswapd (pfmemalloc_wait)
 *
 * A box has no user pages. It can reclaim pages on per-CPU lists, objects in
 * per-CPU arrays, free slabs, and what users of the box free when their shrinkers
 * are called. The pressure on shrinkers, and when kswapd sleeps and gives up, are
 * as in mm/vmscan.c of Linux 6.1.
 *
 * A task that reclaims may need pages to do so. It may use all that are left,
 * reserves included. The host marks such tasks with PF_MEMALLOC. A box must not,
 * because that would open the host's reserves as well. It keeps a list of its own
 * reclaimers instead.
 */
#define pr_fmt(fmt) "mmbox: " fmt

#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/wait.h>

#include "pages/page_alloc.h"

#define DEF_PRIORITY		12	/* first scan 1/4096 of the freeable objects */
#define MAX_RECLAIM_RETRIES	16	/* runs that free nothing before kswapd gives up */
#define SHRINK_BATCH		128	/* objects to scan in one call */

static_assert(MMBOX_MAX_NUMNODES <= MMBOX_SHRINKER_NODES);

/* A task that is reclaiming from a box. */
struct mmbox_reclaimer {
	struct list_head list;		/* box->pages.reclaimers, reclaimers_lock */
	struct task_struct *task;
	unsigned long reclaimed;	/* slab pages it has freed in this pass */
};

struct scan_control {
	struct mmbox *box;
	struct mmbox_reclaimer *reclaimer;	/* the current task */
	gfp_t gfp;
	unsigned int order;
	int priority;			/* scan freeable objects >> priority */
	int reclaim_idx;		/* highest zone that the request may use */
	unsigned long nr_reclaimed;	/* pages freed so far */
};

/* ---- reclaimers ---- */

static struct mmbox_reclaimer *find_reclaimer(struct mmbox *box)
{
	struct mmbox_reclaimer *reclaimer, *found = NULL;
	unsigned long flags;

	/*
	 * data_race: only current adds or removes its own entry, so a stale view of
	 * other entries is harmless.
	 */
	if (likely(data_race(list_empty_careful(&box->pages.reclaimers))) || !in_task())
		return NULL;
	raw_spin_lock_irqsave(&box->pages.reclaimers_lock, flags);
	list_for_each_entry(reclaimer, &box->pages.reclaimers, list) {
		if (reclaimer->task == current) {
			found = reclaimer;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&box->pages.reclaimers_lock, flags);
	return found;
}

/**
 * mmbox_is_reclaimer() - is the current task reclaiming from this box?
 * @box: the box
 *
 * If so, its allocations ignore the watermarks and must not reclaim recursively, as
 * with PF_MEMALLOC on the host.
 *
 * Context: any; false in interrupts.
 * Return: true if it is.
 */
bool mmbox_is_reclaimer(struct mmbox *box)
{
	return find_reclaimer(box);
}
MMBOX_EXPORT_INTERNAL(mmbox_is_reclaimer);

/**
 * mmbox_account_reclaimed_pages() - account for slab pages that were freed
 * @box: the box
 * @pages: number of pages
 *
 * They count for the current task if it is reclaiming, else for nothing.
 *
 * Context: any.
 */
void mmbox_account_reclaimed_pages(struct mmbox *box, unsigned long pages)
{
	struct mmbox_reclaimer *reclaimer = find_reclaimer(box);

	if (reclaimer)
		reclaimer->reclaimed += pages;
}

static void reclaim_begin(struct mmbox *box, struct mmbox_reclaimer *reclaimer)
{
	unsigned long flags;

	reclaimer->task = current;
	reclaimer->reclaimed = 0;
	raw_spin_lock_irqsave(&box->pages.reclaimers_lock, flags);
	list_add(&reclaimer->list, &box->pages.reclaimers);
	raw_spin_unlock_irqrestore(&box->pages.reclaimers_lock, flags);
}

static void reclaim_end(struct mmbox *box, struct mmbox_reclaimer *reclaimer)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&box->pages.reclaimers_lock, flags);
	list_del(&reclaimer->list);
	raw_spin_unlock_irqrestore(&box->pages.reclaimers_lock, flags);
}

/* ---- shrinkers ---- */

/**
 * mmbox_register_shrinker() - register a shrinker: reclaim calls it to free objects
 * @box: the box
 * @shrinker: count_objects, scan_objects, seeks, batch and name filled in; it
 *	stays until mmbox_unregister_shrinker()
 *
 * Context: process, may sleep.
 * Return: 0, or -EINVAL if a function or the name is missing.
 */
int mmbox_register_shrinker(struct mmbox *box, struct mmbox_shrinker *shrinker)
{
	int nid;

	if (!shrinker->count_objects || !shrinker->scan_objects || !shrinker->name)
		return -EINVAL;
	for (nid = 0; nid < MMBOX_SHRINKER_NODES; nid++)
		atomic_long_set(&shrinker->nr_deferred[nid], 0);
	down_write(&box->pages.shrinker_rwsem);
	list_add_tail(&shrinker->list, &box->pages.shrinkers);
	up_write(&box->pages.shrinker_rwsem);
	return 0;
}
EXPORT_SYMBOL_GPL(mmbox_register_shrinker);

/**
 * mmbox_unregister_shrinker() - unregister a shrinker
 * @box: the box
 * @shrinker: a shrinker that was registered
 *
 * Waits for calls that are under way.
 *
 * Context: process, may sleep; not from within a shrinker.
 */
void mmbox_unregister_shrinker(struct mmbox *box, struct mmbox_shrinker *shrinker)
{
	down_write(&box->pages.shrinker_rwsem);
	list_del(&shrinker->list);
	up_write(&box->pages.shrinker_rwsem);
}
EXPORT_SYMBOL_GPL(mmbox_unregister_shrinker);

/*
 * Have one shrinker scan its share: 1/2^priority of its freeable objects, weighted by
 * seeks (what it costs to make an object again), plus a part of what earlier calls
 * deferred because it was less than a batch. As do_shrink_slab().
 */
static unsigned long shrink_one(struct mmbox *box, struct mmbox_shrinker *shrinker,
				struct mmbox_shrink_control *sc, int priority)
{
	long batch_size = shrinker->batch ?: SHRINK_BATCH;
	unsigned long freed = 0;
	long freeable, deferred, delta, total_scan, scanned = 0;

	freeable = shrinker->count_objects(shrinker, sc);
	if (freeable <= 0)
		return 0;
	deferred = atomic_long_xchg(&shrinker->nr_deferred[sc->nid], 0);

	if (shrinker->seeks)
		delta = div_u64((u64)(freeable >> priority) * 4, shrinker->seeks);
	else
		delta = freeable / 2;
	total_scan = min((deferred >> priority) + delta, 2 * freeable);

	while (total_scan >= batch_size || total_scan >= freeable) {
		unsigned long ret;

		sc->nr_to_scan = min(batch_size, total_scan);
		sc->nr_scanned = sc->nr_to_scan;
		ret = shrinker->scan_objects(shrinker, sc);
		if (ret == SHRINK_STOP)
			break;
		freed += ret;
		mmbox_count_vm_events(box, MMBOX_SLABS_SCANNED, sc->nr_scanned);
		total_scan -= sc->nr_scanned;
		scanned += sc->nr_scanned;
		if (!sc->nr_scanned)
			break;
		cond_resched();
	}
	deferred = clamp(deferred + delta - scanned, 0L, 2 * freeable);
	atomic_long_add(deferred, &shrinker->nr_deferred[sc->nid]);
	return freed;
}

/* Call all shrinkers for a node. Returns the sum of what they report as freed. */
static unsigned long shrink_slab(struct mmbox *box, gfp_t gfp, int nid, int priority)
{
	struct mmbox_shrinker *shrinker;
	unsigned long freed = 0;

	/* A shrinker is being registered or unregistered: do not wait, it may take long. */
	if (!down_read_trylock(&box->pages.shrinker_rwsem))
		return 0;
	list_for_each_entry(shrinker, &box->pages.shrinkers, list) {
		struct mmbox_shrink_control sc = { .gfp_mask = gfp, .nid = nid };

		freed += shrink_one(box, shrinker, &sc, priority);
		if (rwsem_is_contended(&box->pages.shrinker_rwsem))
			break;
	}
	up_read(&box->pages.shrinker_rwsem);
	cond_resched();
	return freed;
}

/* ---- cached objects ---- */

static void reap_caches(struct mmbox *box)
{
	if (box->pages.reclaim)
		box->pages.reclaim->reap(box);
}

/**
 * mmbox_drop_slab() - call all shrinkers until they free next to nothing
 * @box: the box
 *
 * Context: process, may sleep.
 */
void mmbox_drop_slab(struct mmbox *box)
{
	unsigned long freed;
	int nid, shift = 0;

	do {
		freed = 0;
		mmbox_for_each_online_node(box, nid)
			freed += shrink_slab(box, GFP_KERNEL, nid, 0);
	} while (freed >> shift++ > 1 && !fatal_signal_pending(current));
	reap_caches(box);
	mmbox_count_vm_events(box, MMBOX_DROP_SLAB, 1);
}
MMBOX_EXPORT_INTERNAL(mmbox_drop_slab);

/* ---- reclaim from a node ---- */

/* Free pages of a node, those on per-CPU lists included. */
static unsigned long node_free_pages(mmbox_pg_data_t *pgdat)
{
	unsigned long pages = 0;
	int i;

	for (i = 0; i < pgdat->nr_zones; i++)
		pages += mmbox_nr_free_pages(&pgdat->node_zones[i]) +
			 mmbox_nr_pcp_pages(&pgdat->node_zones[i]);
	return pages;
}

/* Make one pass over a node. Add the pages that were freed to sc->nr_reclaimed. */
static void shrink_node(mmbox_pg_data_t *pgdat, struct scan_control *sc)
{
	struct mmbox *box = sc->box;
	unsigned long before, after, freed, reclaimed;

	before = node_free_pages(pgdat);
	freed = shrink_slab(box, sc->gfp, pgdat->node_id, sc->priority);
	/* The objects freed are in per-CPU arrays and in free slabs now. */
	if (freed)
		reap_caches(box);

	reclaimed = sc->reclaimer->reclaimed;
	sc->reclaimer->reclaimed = 0;
	/* Shrinkers may free pages directly. Others allocate meanwhile: this is an estimate. */
	if (freed && !reclaimed) {
		after = node_free_pages(pgdat);
		reclaimed = after > before ? after - before : 0;
	}
	sc->nr_reclaimed += reclaimed;
	/* Reclaim made progress here: kswapd may try again. */
	if (reclaimed)
		WRITE_ONCE(pgdat->kswapd_failures, 0);
}

/* ---- direct reclaim ---- */

/**
 * mmbox_kswapd_hopeless() - has a node's kswapd given up?
 * @pgdat: the node
 *
 * It runs again once direct reclaim has freed something.
 *
 * Context: any.
 * Return: true if it has.
 */
bool mmbox_kswapd_hopeless(const mmbox_pg_data_t *pgdat)
{
	return READ_ONCE(pgdat->kswapd_failures) >= MAX_RECLAIM_RETRIES;
}
MMBOX_EXPORT_INTERNAL(mmbox_kswapd_hopeless);

static bool allow_direct_reclaim(mmbox_pg_data_t *pgdat)
{
	unsigned long pfmemalloc_reserve = 0, free_pages = 0;
	bool wmark_ok;
	int i;

	/* Without a working kswapd, nobody would wake a waiter. */
	if (!READ_ONCE(pgdat->kswapd) || mmbox_kswapd_hopeless(pgdat))
		return true;
	for (i = 0; i <= MMBOX_ZONE_NORMAL; i++) {
		struct mmbox_zone *zone = &pgdat->node_zones[i];

		if (!mmbox_managed_zone(zone))
			continue;
		pfmemalloc_reserve += mmbox_wmark_pages(zone, MMBOX_WMARK_MIN);
		free_pages += READ_ONCE(zone->nr_free_pages);
	}
	if (!pfmemalloc_reserve)
		return true;

	wmark_ok = free_pages > pfmemalloc_reserve / 2;
	/* kswapd must not sleep while a task waits for it. */
	if (!wmark_ok && wq_has_sleeper(&pgdat->kswapd_wait)) {
		if (READ_ONCE(pgdat->classzone_idx) > MMBOX_ZONE_NORMAL)
			WRITE_ONCE(pgdat->classzone_idx, MMBOX_ZONE_NORMAL);
		wake_up_interruptible(&pgdat->kswapd_wait);
	}
	return wmark_ok;
}

/**
 * mmbox_throttle_node() - wait until more than half of the reserves is free
 * @pgdat: the node
 * @gfp: GFP flags; without __GFP_FS this waits for a second at most
 *
 * Context: process, may sleep.
 * Return: true if a fatal signal is pending.
 */
bool mmbox_throttle_node(mmbox_pg_data_t *pgdat, gfp_t gfp)
{
	struct mmbox *box = pgdat->node_zones[0].box;

	if (allow_direct_reclaim(pgdat))
		return false;
	mmbox_count_vm_events(box, MMBOX_PGSCAN_DIRECT_THROTTLE, 1);
	/* The caller may hold file system locks that a shrinker in kswapd needs. */
	if (!(gfp & __GFP_FS))
		wait_event_interruptible_timeout(pgdat->pfmemalloc_wait,
						 allow_direct_reclaim(pgdat), HZ);
	else
		wait_event_killable(pgdat->pfmemalloc_wait,
				    allow_direct_reclaim(pgdat));
	return fatal_signal_pending(current);
}
MMBOX_EXPORT_INTERNAL(mmbox_throttle_node);

static bool throttle_direct_reclaim(struct mmbox_zonelist *zonelist, int highest,
				    gfp_t gfp)
{
	struct mmbox_zoneref *zref;
	struct mmbox_zone *zone;

	/* Do not hold up kernel threads, which may be freeing memory, or dying tasks. */
	if (current->flags & PF_KTHREAD || fatal_signal_pending(current))
		return false;
	/* Only the nearest node decides. */
	mmbox_for_each_zoneref(zone, zref, zonelist, highest)
		if (mmbox_zone_idx(zone) <= MMBOX_ZONE_NORMAL)
			return mmbox_throttle_node(zone->zone_pgdat, gfp);
	return false;
}

/* Make one pass over each node of a zonelist. */
static void shrink_zones(struct mmbox_zonelist *zonelist, struct scan_control *sc)
{
	mmbox_pg_data_t *last = NULL;
	struct mmbox_zoneref *zref;
	struct mmbox_zone *zone;

	mmbox_for_each_zoneref(zone, zref, zonelist, sc->reclaim_idx) {
		mmbox_pg_data_t *pgdat = zone->zone_pgdat;

		if (pgdat == last)
			continue;
		last = pgdat;
		shrink_node(pgdat, sc);
	}
}

/**
 * mmbox_try_to_free_pages() - direct reclaim
 * @box: the box
 * @zonelist: the zonelist of the request
 * @highest: highest zone that the request may use
 * @order: order of the request
 * @gfp: GFP flags, with __GFP_DIRECT_RECLAIM
 *
 * Context: process, may sleep; the task must not be reclaiming already.
 * Return: number of pages freed, or 1 if a fatal signal ended the wait for kswapd.
 */
unsigned long mmbox_try_to_free_pages(struct mmbox *box,
				      struct mmbox_zonelist *zonelist, int highest,
				      unsigned int order, gfp_t gfp)
{
	struct mmbox_reclaimer reclaimer;
	struct scan_control sc = {
		.box = box,
		.reclaimer = &reclaimer,
		.gfp = gfp,
		.order = order,
		.priority = DEF_PRIORITY,
		.reclaim_idx = highest,
	};

	might_sleep();
	if (throttle_direct_reclaim(zonelist, highest, gfp))
		return 1;
	mmbox_count_vm_events(box, MMBOX_ALLOCSTALL + highest, 1);
	reclaim_begin(box, &reclaimer);
	reap_caches(box);
	do {
		shrink_zones(zonelist, &sc);
	} while (sc.nr_reclaimed < SWAP_CLUSTER_MAX && sc.priority--);
	reclaim_end(box, &reclaimer);
	return sc.nr_reclaimed;
}

/* ---- kswapd ---- */

static bool pgdat_watermark_boosted(mmbox_pg_data_t *pgdat, int highest)
{
	int i;

	for (i = highest; i >= 0; i--)
		if (mmbox_managed_zone(&pgdat->node_zones[i]) &&
		    READ_ONCE(pgdat->node_zones[i].watermark_boost))
			return true;
	return false;
}

/* Is any zone up to @highest above its high watermark? */
static bool pgdat_balanced(mmbox_pg_data_t *pgdat, unsigned int order, int highest)
{
	bool managed = false;
	int i;

	for (i = 0; i <= highest; i++) {
		struct mmbox_zone *zone = &pgdat->node_zones[i];

		if (!mmbox_managed_zone(zone))
			continue;
		managed = true;
		if (mmbox_watermark_ok(zone, order, mmbox_wmark_pages(zone, MMBOX_WMARK_HIGH),
				       highest, 0, mmbox_nr_free_pages(zone)))
			return true;
	}
	/* Without managed zones there is nothing to balance. */
	return !managed;
}

static bool prepare_kswapd_sleep(mmbox_pg_data_t *pgdat, unsigned int order, int highest)
{
	/* Wake throttled tasks: nobody wakes them while kswapd sleeps. */
	if (wq_has_sleeper(&pgdat->pfmemalloc_wait))
		wake_up_all(&pgdat->pfmemalloc_wait);
	return mmbox_kswapd_hopeless(pgdat) || pgdat_balanced(pgdat, order, highest);
}

static void update_reclaim_active(mmbox_pg_data_t *pgdat, int highest, bool active)
{
	int i;

	for (i = 0; i <= highest; i++)
		if (mmbox_managed_zone(&pgdat->node_zones[i]))
			mmbox_set_reclaim_active(&pgdat->node_zones[i], active);
}

/* Store the present boost of each zone in @boosts. Returns their sum. */
static unsigned long zone_boosts(mmbox_pg_data_t *pgdat, int highest,
				 unsigned long *boosts)
{
	unsigned long sum = 0;
	int i;

	for (i = 0; i <= highest; i++) {
		boosts[i] = READ_ONCE(pgdat->node_zones[i].watermark_boost);
		sum += boosts[i];
	}
	return sum;
}

/* Undo the boosts that zone_boosts() stored, whether or not reclaim made progress. */
static void end_boosts(mmbox_pg_data_t *pgdat, int highest, const unsigned long *boosts)
{
	int i;

	for (i = 0; i <= highest; i++)
		if (boosts[i])
			mmbox_unboost_watermark(&pgdat->node_zones[i], boosts[i]);
}

/*
 * Reclaim with rising pressure until a zone up to @highest is above its high
 * watermark. Once twice the pages of a high-order request have been freed, go on for
 * order 0 only. Returns the order that it reclaimed for at the end.
 */
static unsigned int balance_pgdat(mmbox_pg_data_t *pgdat, unsigned int order, int highest)
{
	struct mmbox_reclaimer reclaimer;
	struct scan_control sc = {
		.box = pgdat->node_zones[0].box,
		.reclaimer = &reclaimer,
		.gfp = GFP_KERNEL,
		.order = order,
		.reclaim_idx = highest,
	};
	unsigned long boosts[MMBOX_MAX_NR_ZONES], boost_reclaim;

	reclaim_begin(sc.box, &reclaimer);
	mmbox_count_vm_events(sc.box, MMBOX_PAGEOUTRUN, 1);
	boost_reclaim = zone_boosts(pgdat, highest, boosts);
	/* First free what is merely cached: that may be enough. */
	mmbox_drain_all_pages(sc.box);
	reap_caches(sc.box);
restart:
	update_reclaim_active(pgdat, highest, true);
	sc.priority = DEF_PRIORITY;
	do {
		unsigned long nr_reclaimed = sc.nr_reclaimed;
		bool balanced = pgdat_balanced(pgdat, sc.order, highest);
		bool raise_priority = true;

		/* Memory is short: ignore the boost and reclaim for the watermark. */
		if (!balanced && boost_reclaim) {
			boost_reclaim = 0;
			goto restart;
		}
		if (balanced && !boost_reclaim)
			goto out;
		if (boost_reclaim && sc.priority == DEF_PRIORITY - 2)
			raise_priority = false;

		shrink_node(pgdat, &sc);
		mmbox_drain_all_pages(sc.box);
		if (sc.order && sc.nr_reclaimed >= 2UL << sc.order)
			sc.order = 0;

		if (wq_has_sleeper(&pgdat->pfmemalloc_wait) &&
		    allow_direct_reclaim(pgdat))
			wake_up_all(&pgdat->pfmemalloc_wait);
		if (mmbox_host_thread_freeze() || mmbox_host_thread_should_stop())
			break;

		nr_reclaimed = sc.nr_reclaimed - nr_reclaimed;
		boost_reclaim -= min(boost_reclaim, nr_reclaimed);
		if (boost_reclaim && !nr_reclaimed)
			break;
		if (raise_priority || !nr_reclaimed)
			sc.priority--;
	} while (sc.priority >= 1);

	if (!sc.nr_reclaimed)
		WRITE_ONCE(pgdat->kswapd_failures, READ_ONCE(pgdat->kswapd_failures) + 1);
out:
	update_reclaim_active(pgdat, highest, false);
	end_boosts(pgdat, highest, boosts);
	reclaim_end(sc.box, &reclaimer);
	return sc.order;
}

/* The highest zone requested since kswapd last looked, else that of its last run. */
static int kswapd_classzone_idx(mmbox_pg_data_t *pgdat, int last)
{
	int idx = READ_ONCE(pgdat->classzone_idx);

	return idx == MMBOX_MAX_NR_ZONES ? last : idx;
}

static void kswapd_try_to_sleep(mmbox_pg_data_t *pgdat, unsigned int order, int highest)
{
	struct mmbox *box = pgdat->node_zones[0].box;
	long remaining = 0;
	DEFINE_WAIT(wait);

	if (mmbox_host_thread_freezing() || mmbox_host_thread_should_stop())
		return;
	prepare_to_wait(&pgdat->kswapd_wait, &wait, TASK_INTERRUPTIBLE);

	/* Sleep briefly first: an early wakeup means that sleeping was premature. */
	if (prepare_kswapd_sleep(pgdat, order, highest)) {
		if (!mmbox_host_thread_should_stop())
			remaining = schedule_timeout(HZ / 10);
		if (remaining) {
			WRITE_ONCE(pgdat->classzone_idx,
				   kswapd_classzone_idx(pgdat, highest));
			if (READ_ONCE(pgdat->kswapd_max_order) < order)
				WRITE_ONCE(pgdat->kswapd_max_order, order);
		}
		finish_wait(&pgdat->kswapd_wait, &wait);
		prepare_to_wait(&pgdat->kswapd_wait, &wait, TASK_INTERRUPTIBLE);
	}
	if (!remaining && prepare_kswapd_sleep(pgdat, order, highest)) {
		if (!mmbox_host_thread_should_stop())
			schedule();
	} else if (remaining) {
		mmbox_count_vm_events(box, MMBOX_KSWAPD_LOW_WMARK_HIT_QUICKLY, 1);
	} else {
		mmbox_count_vm_events(box, MMBOX_KSWAPD_HIGH_WMARK_HIT_QUICKLY, 1);
	}
	finish_wait(&pgdat->kswapd_wait, &wait);
}

static int kswapd(void *arg)
{
	mmbox_pg_data_t *pgdat = arg;
	unsigned int alloc_order, reclaim_order = 0;
	int highest = MMBOX_MAX_NR_ZONES - 1;

	mmbox_host_thread_may_freeze();
	while (!mmbox_host_thread_should_stop()) {
		kswapd_try_to_sleep(pgdat, reclaim_order, highest);

		alloc_order = READ_ONCE(pgdat->kswapd_max_order);
		highest = kswapd_classzone_idx(pgdat, highest);
		WRITE_ONCE(pgdat->kswapd_max_order, 0);
		WRITE_ONCE(pgdat->classzone_idx, MMBOX_MAX_NR_ZONES);

		/* After a freeze, look again at what is requested. */
		if (mmbox_host_thread_freeze() || mmbox_host_thread_should_stop())
			continue;
		reclaim_order = balance_pgdat(pgdat, alloc_order, highest);
		if (reclaim_order >= alloc_order) {
			reclaim_order = READ_ONCE(pgdat->kswapd_max_order);
			highest = kswapd_classzone_idx(pgdat, highest);
		}
	}
	return 0;
}

/**
 * mmbox_wakeup_kswapd() - wake a node's kswapd because a zone is low
 * @zone: the zone
 * @gfp: GFP flags of the request
 * @order: order of the request
 * @highest: highest zone that the request may use
 *
 * Context: any but NMI.
 */
void mmbox_wakeup_kswapd(struct mmbox_zone *zone, gfp_t gfp, unsigned int order,
			 int highest)
{
	mmbox_pg_data_t *pgdat = zone->zone_pgdat;
	int idx = READ_ONCE(pgdat->classzone_idx);

	if (!mmbox_managed_zone(zone))
		return;
	if (idx == MMBOX_MAX_NR_ZONES || idx < highest)
		WRITE_ONCE(pgdat->classzone_idx, highest);
	if (READ_ONCE(pgdat->kswapd_max_order) < order)
		WRITE_ONCE(pgdat->kswapd_max_order, order);

	if (!wq_has_sleeper(&pgdat->kswapd_wait))
		return;
	/* Do not wake it if it has given up, or if the node is balanced by now. */
	if (mmbox_kswapd_hopeless(pgdat))
		return;
	if (pgdat_balanced(pgdat, order, highest) &&
	    !pgdat_watermark_boosted(pgdat, highest))
		return;
	wake_up_interruptible(&pgdat->kswapd_wait);
}

/**
 * mmbox_kswapd_init() - initialise a node's reclaim state
 * @pgdat: the node
 *
 * Context: process.
 */
void mmbox_kswapd_init(mmbox_pg_data_t *pgdat)
{
	init_waitqueue_head(&pgdat->kswapd_wait);
	init_waitqueue_head(&pgdat->pfmemalloc_wait);
	pgdat->classzone_idx = MMBOX_MAX_NR_ZONES;
}

/* Start the kswapd of a node on the CPUs of that node. */
static struct task_struct *start_kswapd(struct mmbox *box, mmbox_pg_data_t *pgdat)
{
	char name[MMBOX_NAME_LEN + 16];
	struct task_struct *task;
	struct cpumask *cpus;
	int cpu;

	cpus = mmbox_host_zalloc(&box->host, cpumask_size(), "the CPUs of a kswapd");
	if (!cpus)
		return ERR_PTR(-ENOMEM);
	for_each_possible_cpu(cpu)
		if (mmbox_cpu_to_node(box, cpu) == pgdat->node_id)
			cpumask_set_cpu(cpu, cpus);

	snprintf(name, sizeof(name), "kswapd%d/%s", pgdat->node_id, box->name);
	task = mmbox_host_thread_create(&box->host, kswapd, pgdat, cpus, name);
	if (!IS_ERR(task)) {
		WRITE_ONCE(pgdat->kswapd, task);
		wake_up_process(task);
	}
	mmbox_host_free(&box->host, cpus, cpumask_size());
	return task;
}

/**
 * mmbox_kswapd_run() - start the kswapd of a node, unless it has one
 * @pgdat: a node that has memory
 *
 * A node works without a kswapd too, as with kswapd=0: each allocation then does
 * direct reclaim. If the thread cannot be started, this logs a warning.
 *
 * Context: process, may sleep; memory_lock held.
 */
void mmbox_kswapd_run(mmbox_pg_data_t *pgdat)
{
	struct mmbox *box = pgdat->node_zones[0].box;
	struct task_struct *task;

	lockdep_assert_held(&box->pages.memory_lock);
	if (!box->cfg.kswapd || pgdat->kswapd)
		return;
	task = start_kswapd(box, pgdat);
	if (IS_ERR(task))
		pr_warn("%s: goes without kswapd of node %d: %pe\n",
			box->name, pgdat->node_id, task);
}

/**
 * mmbox_kswapd_stop() - stop the kswapd of a node, if it has one
 * @pgdat: a node that has lost its memory, or a node of a box without users
 *
 * Context: process, may sleep; memory_lock held.
 */
void mmbox_kswapd_stop(mmbox_pg_data_t *pgdat)
{
	struct task_struct *task = pgdat->kswapd;

	lockdep_assert_held(&pgdat->node_zones[0].box->pages.memory_lock);
	if (!task)
		return;
	/* allow_direct_reclaim() is true from here on: wake the throttled tasks. */
	WRITE_ONCE(pgdat->kswapd, NULL);
	wake_up_all(&pgdat->pfmemalloc_wait);
	mmbox_host_thread_stop(task);
}
MMBOX_EXPORT_INTERNAL(mmbox_kswapd_stop);
