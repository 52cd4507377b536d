// SPDX-License-Identifier: GPL-2.0
/*
 * Reclaim: pages are taken back from where they are not needed most.
 *
 *	below low	an allocation wakes its node's kswapd, which works until
 *			a zone is above high, and sleeps again
 *	below min	an allocation that may wait reclaims itself (direct
 *			reclaim), or waits for kswapd (pfmemalloc_wait) while
 *			even the reserves are half gone
 *
 * A box knows no user pages, so what can be taken back are pages that CPUs
 * keep on their lists, objects that CPUs keep in their arrays, slabs that are
 * free, and what users of the box give up when their shrinkers are called. The
 * pressure on shrinkers, when kswapd sleeps and when it gives up are as in
 * mm/vmscan.c of Linux 6.1.
 *
 * Who reclaims may need pages to do so, and may have the last ones. The host
 * marks such tasks with PF_MEMALLOC; a box must not, since that would open the
 * host's reserves as well. It keeps a list of its own reclaimers instead.
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

#define DEF_PRIORITY		12	/* 1/4096 of what can be freed at first */
#define MAX_RECLAIM_RETRIES	16	/* passes in vain until kswapd gives up */
#define SHRINK_BATCH		128	/* objects to scan at once */

static_assert(MMBOX_MAX_NUMNODES <= MMBOX_SHRINKER_NODES);

/* A task that reclaims from a box, for as long as it does. */
struct mmbox_reclaimer {
	struct list_head list;		/* box->pages.reclaimers, reclaimers_lock */
	struct task_struct *task;
	unsigned long reclaimed;	/* pages of slabs it has freed */
};

struct scan_control {
	struct mmbox *box;
	struct mmbox_reclaimer *reclaimer;	/* who does it */
	gfp_t gfp;
	unsigned int order;
	int priority;			/* log2 of the part of a shrinker's to scan */
	int reclaim_idx;		/* highest zone that must get better */
	unsigned long nr_reclaimed;	/* pages */
};

/* ---- who reclaims ---- */

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
 * mmbox_is_reclaimer() - does the running task reclaim from a box?
 * @box: the box
 *
 * If so it may have pages whatever the watermarks say, and must not reclaim
 * again to get them. What PF_MEMALLOC is to the host.
 *
 * Context: any; false in interrupts.
 * Return: true if it does.
 */
bool mmbox_is_reclaimer(struct mmbox *box)
{
	return find_reclaimer(box);
}
MMBOX_EXPORT_INTERNAL(mmbox_is_reclaimer);

/**
 * mmbox_account_reclaimed_pages() - pages that held objects have become free
 * @box: the box
 * @pages: how many
 *
 * Counts for the running task, if it reclaims.
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
 * mmbox_register_shrinker() - be asked to give up objects when memory is short
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
 * mmbox_unregister_shrinker() - not be asked any more
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
 * Ask one shrinker for its part: of what it could free, 1/2^priority, weighed
 * by how dear its objects are to make again, and what earlier calls left
 * undone as too little for a batch. do_shrink_slab().
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

/* Returns how many objects were given up. */
static unsigned long shrink_slab(struct mmbox *box, gfp_t gfp, int nid, int priority)
{
	struct mmbox_shrinker *shrinker;
	unsigned long freed = 0;

	/* Somebody registers: do not wait, there may be a lot to wait for. */
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

/* ---- what CPUs and caches keep ---- */

static void reap_caches(struct mmbox *box)
{
	if (box->pages.reclaim)
		box->pages.reclaim->reap(box);
}

/**
 * mmbox_drop_slab() - have users of the box give up all that they can
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

/* ---- a node ---- */

/* Pages that can be handed out, whoever keeps them. */
static unsigned long node_free_pages(mmbox_pg_data_t *pgdat)
{
	unsigned long pages = 0;
	int i;

	for (i = 0; i < pgdat->nr_zones; i++)
		pages += mmbox_nr_free_pages(&pgdat->node_zones[i]) +
			 mmbox_nr_pcp_pages(&pgdat->node_zones[i]);
	return pages;
}

/* One turn at a node. Adds up what has become free in sc->nr_reclaimed. */
static void shrink_node(mmbox_pg_data_t *pgdat, struct scan_control *sc)
{
	struct mmbox *box = sc->box;
	unsigned long before, after, freed, reclaimed;

	before = node_free_pages(pgdat);
	freed = shrink_slab(box, sc->gfp, pgdat->node_id, sc->priority);
	/* Objects given up lie in CPUs' arrays and in slabs that are free now. */
	if (freed)
		reap_caches(box);

	reclaimed = sc->reclaimer->reclaimed;
	sc->reclaimer->reclaimed = 0;
	/* Shrinkers may give up whole pages. Others allocate: take what is seen. */
	if (freed && !reclaimed) {
		after = node_free_pages(pgdat);
		reclaimed = after > before ? after - before : 0;
	}
	sc->nr_reclaimed += reclaimed;
	/* Where something can be had, kswapd may try again. */
	if (reclaimed)
		WRITE_ONCE(pgdat->kswapd_failures, 0);
}

/* ---- direct reclaim ---- */

/**
 * mmbox_kswapd_hopeless() - has a node's kswapd given up?
 * @pgdat: the node
 *
 * It begins anew once a direct reclaim has freed something.
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

	/* Nobody would wake those who wait. */
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
	/* While anybody waits, kswapd must not sleep. */
	if (!wmark_ok && wq_has_sleeper(&pgdat->kswapd_wait)) {
		if (READ_ONCE(pgdat->classzone_idx) > MMBOX_ZONE_NORMAL)
			WRITE_ONCE(pgdat->classzone_idx, MMBOX_ZONE_NORMAL);
		wake_up_interruptible(&pgdat->kswapd_wait);
	}
	return wmark_ok;
}

/**
 * mmbox_throttle_node() - wait until kswapd has refilled half of the reserves
 * @pgdat: the node
 * @gfp: GFP flags; without __GFP_FS a second is all that it takes
 *
 * Context: process, may sleep.
 * Return: true if a fatal signal came.
 */
bool mmbox_throttle_node(mmbox_pg_data_t *pgdat, gfp_t gfp)
{
	struct mmbox *box = pgdat->node_zones[0].box;

	if (allow_direct_reclaim(pgdat))
		return false;
	mmbox_count_vm_events(box, MMBOX_PGSCAN_DIRECT_THROTTLE, 1);
	/* Who holds locks of a file system may be who kswapd waits for. */
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

	/* Kernel threads may be those who free, the dying will in a moment. */
	if (current->flags & PF_KTHREAD || fatal_signal_pending(current))
		return false;
	/* The nearest node decides. */
	mmbox_for_each_zoneref(zone, zref, zonelist, highest)
		if (mmbox_zone_idx(zone) <= MMBOX_ZONE_NORMAL)
			return mmbox_throttle_node(zone->zone_pgdat, gfp);
	return false;
}

/* One turn at each node of a zonelist. */
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
 * @zonelist: where pages are needed
 * @highest: highest zone of it that may be used
 * @order: power of two of pages that are needed
 * @gfp: GFP flags, with __GFP_DIRECT_RECLAIM
 *
 * Context: process, may sleep; not by who reclaims already.
 * Return: pages that were freed, or 1 if it should not go on.
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

/* Is any zone that a request may have above its high watermark? */
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
	/* Where there are no zones there is nothing to balance. */
	return !managed;
}

static bool prepare_kswapd_sleep(mmbox_pg_data_t *pgdat, unsigned int order, int highest)
{
	/* Whoever still waits would do so for ever. */
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

/* What zones are raised by now, each of them in @boosts; returns the sum. */
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

/* The boost has had its run, whatever became of it. */
static void end_boosts(mmbox_pg_data_t *pgdat, int highest, const unsigned long *boosts)
{
	int i;

	for (i = 0; i <= highest; i++)
		if (boosts[i])
			mmbox_unboost_watermark(&pgdat->node_zones[i], boosts[i]);
}

/*
 * Reclaim with rising pressure until a zone that counts is above its high
 * watermark. Returns the order that this was for in the end: that of a large
 * request is given up once twice as much has been freed.
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
	/* What nobody uses first: that may do. */
	mmbox_drain_all_pages(sc.box);
	reap_caches(sc.box);
restart:
	update_reclaim_active(pgdat, highest, true);
	sc.priority = DEF_PRIORITY;
	do {
		unsigned long nr_reclaimed = sc.nr_reclaimed;
		bool balanced = pgdat_balanced(pgdat, sc.order, highest);
		bool raise_priority = true;

		/* A boost is for later if memory is really short. */
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

/* What was asked for since, or what was asked for last. */
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

		/* Thawing is no time for reclaim. */
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
 * mmbox_wakeup_kswapd() - a zone is low: wake its node's kswapd
 * @zone: the zone
 * @gfp: of the request
 * @order: power of two of pages that it is for
 * @highest: highest zone that the request may have
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
	/* It has given up, or somebody else was faster. */
	if (mmbox_kswapd_hopeless(pgdat))
		return;
	if (pgdat_balanced(pgdat, order, highest) &&
	    !pgdat_watermark_boosted(pgdat, highest))
		return;
	wake_up_interruptible(&pgdat->kswapd_wait);
}

/**
 * mmbox_kswapd_init() - make a node's part in reclaim, before it is used
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

/* A kswapd stays near the memory that it looks after. */
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
 * A node works without, and so does a box that was made with kswapd=0; then each
 * allocation reclaims for itself.
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
 * @pgdat: a node that has no memory any more, or of a box that nobody uses
 *
 * Context: process, may sleep; memory_lock held.
 */
void mmbox_kswapd_stop(mmbox_pg_data_t *pgdat)
{
	struct task_struct *task = pgdat->kswapd;

	lockdep_assert_held(&pgdat->node_zones[0].box->pages.memory_lock);
	if (!task)
		return;
	/* From here on nobody waits for it to free anything, and those who do go on. */
	WRITE_ONCE(pgdat->kswapd, NULL);
	wake_up_all(&pgdat->pfmemalloc_wait);
	mmbox_host_thread_stop(task);
}
MMBOX_EXPORT_INTERNAL(mmbox_kswapd_stop);
