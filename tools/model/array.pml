/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The protocol of a CPU's array cache, for spin: docs/fast-paths.md says it in words.
 *
 * One CPU with a task, softirqs (SOFT) and hardirqs that come between any two
 * statements, a drain by a work item, and another CPU that takes from and gives
 * to the node, and replaces the array by one of another size. A statement is what
 * one instruction does to memory. What is done under list_lock with interrupts off is
 * one statement, as nobody can come in between or see half of it.
 *
 * Whatever the order: no object is handed out twice, no free one is lost, a work
 * item never finds the array busy, and nobody is inside an array that is drained
 * after a grace period.
 *
 * BROKEN=1 to 6 leave out one rule each. spin must find each of them.
 */
#ifndef BROKEN
#define BROKEN 0
#endif
#ifndef TASK_ROUNDS
#define TASK_ROUNDS 1
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif

#define NOBJ	3
#define LIMIT	2
#define IDLE	0		/* MMBOX_AC_IDLE is -1, and 0 is inside */
#define INSIDE	1

#define TASK	1
#define SOFTIRQ	2
#define HARDIRQ	3
#define OTHER	4

typedef array_cache {
	byte busy = IDLE;
	byte avail;
	byte entry[LIMIT];
};

array_cache ac[2];		/* an array, and the one that replaces it */
byte cpu_cache;			/* which of them it is: cachep->cpu_cache */
bool node[NOBJ] = true;		/* objects in the node's slabs; list_lock */
byte owner[NOBJ];		/* who has got the object, 0: it is free */

bool preempt_off;		/* the task, or the work item, must not be preempted */
bool drain, soft, hard;		/* who runs instead of the task */

/* ---- the node: one statement, under list_lock ---- */

inline node_take(o) {
	d_step {
		o = 0;
		do
		:: o < NOBJ && !node[o] -> o++
		:: else -> break
		od;
		if
		:: o < NOBJ -> node[o] = false
		:: else
		fi
	}
}

inline node_give(o) {
	d_step {
		assert(!node[o]);
		node[o] = true
	}
}

/* ---- objects ---- */

inline hand_out(o, who) {
	d_step {
		assert(!owner[o]);
		owner[o] = who
	}
}

inline take_back(o, who) {
	d_step {
		assert(owner[o] == who);
		owner[o] = 0
	}
}

/* ---- this CPU: mmbox_cache_alloc(), o is NOBJ if there is none ---- */

inline enter(a, ok) {
#if BROKEN == 1
	ok = ac[a].busy == IDLE;	/* looked at first, marked later, and left marked */
	ac[a].busy = INSIDE;
#else
	d_step {		/* incl, one instruction */
		ac[a].busy++;
		ok = ac[a].busy == INSIDE
	};
#endif
	if
	:: !ok -> ac[a].busy--	/* as it was; decl */
	:: else
	fi
}

inline leave(a) {
	ac[a].busy = IDLE
}

inline cache_alloc(who, o, a, ok, n) {
	a = cpu_cache;
	enter(a, ok);
	o = NOBJ;
	if
	:: ok ->
		n = ac[a].avail;
		if
		:: n > 0 ->
			n--;
			o = ac[a].entry[n];
#if BROKEN == 2
			leave(a);	/* before others may see avail */
			ac[a].avail = n
#else
			ac[a].avail = n;
			leave(a)
#endif
		:: else ->
			/* A refill of two, one of which is handed out at once. */
			node_take(o);
			if
			:: o < NOBJ ->
				node_take(n);
				if
				:: n < NOBJ ->
					ac[a].entry[0] = n;
					ac[a].avail = 1
				:: else
				fi
			:: else
			fi;
			leave(a)
		fi
	:: else ->
#if BROKEN == 3
		/* An interrupt that uses the array all the same. */
		n = ac[a].avail;
		if
		:: n > 0 -> n--; o = ac[a].entry[n]; ac[a].avail = n
		:: else
		fi
#else
		node_take(o)
#endif
	fi;
	if
	:: o < NOBJ -> hand_out(o, who)
	:: else
	fi
}

/* ---- mmbox_cache_free() ---- */

inline cache_free(who, o, a, ok, n) {
	take_back(o, who);
	a = cpu_cache;
	enter(a, ok);
	if
	:: ok ->
		n = ac[a].avail;
		if
		:: n == LIMIT ->
			/* A flush of the oldest. */
			node_give(ac[a].entry[0]);
			ac[a].entry[0] = ac[a].entry[1];
			n--
		:: else
		fi;
		ac[a].entry[n] = o;
		ac[a].avail = n + 1;
		leave(a)
	:: else -> node_give(o)
	fi
}

/* ---- who is there ---- */

proctype task() provided (!drain && !soft && !hard) {
	byte o, a, n, round;
	bool ok;

	do
	:: round < TASK_ROUNDS ->
#if BROKEN != 4
		preempt_off = true;
#endif
		cache_alloc(TASK, o, a, ok, n);
		preempt_off = false;
		if
		:: o < NOBJ ->
#if BROKEN != 4
			preempt_off = true;
#endif
			cache_free(TASK, o, a, ok, n);
			preempt_off = false
		:: else
		fi;
		round++
	:: else -> break
	od
}

/* What an interrupt got it keeps, and frees it in the next one. */
proctype hardirq() {
	byte o = NOBJ, a, n, round;
	bool ok;

	do
	:: round < ROUNDS ->
		hard = true;
		if
		:: o == NOBJ -> cache_alloc(HARDIRQ, o, a, ok, n)
		:: else -> cache_free(HARDIRQ, o, a, ok, n); o = NOBJ
		fi;
		hard = false;
		round++
	:: else -> break
	od
}

#ifdef SOFT
proctype softirq() provided (!hard) {
	byte o = NOBJ, a, n, round;
	bool ok;

	do
	:: round < ROUNDS ->
		soft = true;
		if
		:: o == NOBJ -> cache_alloc(SOFTIRQ, o, a, ok, n)
		:: else -> cache_free(SOFTIRQ, o, a, ok, n); o = NOBJ
		fi;
		soft = false;
		round++
	:: else -> break
	od
}
#endif

/* drain_cpu(), in a work item of this CPU: it may preempt the task, if that is allowed. */
proctype work() provided (!soft && !hard) {
	byte a;

	atomic { !preempt_off && !soft && !hard -> drain = true; preempt_off = true };
	a = cpu_cache;
	assert(ac[a].busy == IDLE);
	ac[a].busy = INSIDE;
	do
	:: ac[a].avail > 0 ->
#if BROKEN == 5
		/* avail is written once all have gone, with the mark taken away before. */
		ac[a].busy = IDLE;
#endif
		node_give(ac[a].entry[ac[a].avail - 1]);
		ac[a].avail--
	:: else -> break
	od;
	leave(a);
	atomic { preempt_off = false; drain = false }
}

/* Another CPU: it has an array of its own, so of this one it sees the node alone. */
proctype other() {
	byte o;

	node_take(o);
	if
	:: o < NOBJ -> hand_out(o, OTHER); take_back(o, OTHER); node_give(o)
	:: else
	fi
}

/* replace_cpu_arrays(): publish, wait for a grace period, drain what was before. */
proctype resize() {
	cpu_cache = 1;
#if BROKEN != 6
	!preempt_off && !soft && !hard;
#endif
	do
	:: ac[0].avail > 0 ->
		assert(ac[0].busy == IDLE);
		ac[0].avail--;
		node_give(ac[0].entry[ac[0].avail])
	:: else -> break
	od
}

init {
	byte o, i, places;

	atomic {
		run task();
		run hardirq();
#ifdef SOFT
		run softirq();
#endif
		run work();
		run other();
		run resize()
	};
	_nr_pr == 1;
	d_step {
		assert(ac[0].busy == IDLE && ac[1].busy == IDLE);
		assert(ac[0].avail == 0);
		do
		:: o < NOBJ ->
			places = (owner[o] != 0) + node[o];
			i = 0;
			do
			:: i < ac[1].avail -> places = places + (ac[1].entry[i] == o); i++
			:: else -> break
			od;
			assert(places == 1);
			o++
		:: else -> break
		od
	}
}
