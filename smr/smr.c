/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smr - safe memory reclamation by global unbounded sequences
 *
 * Origin: FreeBSD's subr_smr.c, the default flavour.  It is not RCU (no callbacks,
 * no scheduler) and not epochs (there is no bound on how far a writer runs ahead).
 *
 * A writer that wants every reader to have moved on takes a ticket: smr_advance()
 * bumps `wr` and returns it.  smr_poll(goal) answers whether every reader now
 * running entered after that bump.  Readers write only their own slot: the `wr`
 * they saw, or SMR_IDLE.  `rd` remembers the lowest sequence that a scan found, so
 * that most polls need no scan.
 *
 *      rd <= every active slot (after the clamp) <= wr
 *      |----------------|------------------------|
 *      rd               goal                     wr      reader >= goal: passed
 *
 *   [S1] the slot is written before any protected load    enter: store, then fence
 *   [S2] protected accesses end before the slot goes idle exit: release
 *   [S3] the writer's update is visible before wr moves   advance: release + RMW
 *   [S4] rd is loaded before wr, wr before any slot       poll: acquire loads; a stale
 *        slot then refers to a time after that wr
 *   [S5] a slot below rd is a late publisher and counts as rd  poll: the clamp
 *
 * S1 is a store before loads, the one order that x86 does not give for free.
 * S5: a reader loads wr, sleeps while writers move rd past that value, and only
 * then publishes it.  Its later loads see the new data (S1), so it is harmless;
 * but taken at its word it would pull rd backwards, and the window with it.
 * That ends when it sleeps for half of the circle, and its value passes for a new one:
 * 2^30 advances, but 5,000 in a checked build, a few milliseconds for which a host may
 * well take a virtual CPU away.  So checked builds look again after the store.
 *
 * Sequences are compared by signed difference and wrap.  The window [rd, wr] is
 * kept below 2^30 by the throttle in smr_advance(); a goal outside of the window
 * has long expired.  A goal that is kept for more than 2^31 counts is misjudged:
 * tickets are for waiting, not for keeping.
 *
 * Checked builds start near the wrap and take huge steps, so every run crosses it.
 * Checked by: tests/unit/smr.c (wrap, throttle, clamp), tests/host/record/order.c (S5),
 * tests/host/threads.mk (TSan with a model of the store buffer: S1, S2, the wait).
 */
#include "smr/smr.h"

#define SMR_MAX_DELTA (UINT32_MAX / 4)

const struct smr_params smr_default = {
	.init = CHECKED ? UINT32_MAX - 100000 : 1,
	.incr = CHECKED ? UINT32_MAX / 10000 & ~1u : 2,
	.max_delta = CHECKED ? 32 * (UINT32_MAX / 10000 & ~1u) : SMR_MAX_DELTA,
	.max_advance = CHECKED ? 16 * (UINT32_MAX / 10000 & ~1u) : SMR_MAX_DELTA - 1024,
};

/* How far a lies ahead of b; negative when it lies behind. */
static i32 ahead(smr_seq_t a, smr_seq_t b)
{
	return (i32)(a - b);
}

void smr_init(struct smr *s, unsigned cpus, const struct smr_params *step)
{
	assert(cpus <= CPU_MAX);
	s->step = step ? *step : smr_default;
	assert(s->step.init % 2 == 1 && s->step.incr % 2 == 0);
	s->cpus = cpus;
	for (unsigned i = 0; i < cpus; i++) {
		store_relaxed(&s->slot[i].seen, SMR_IDLE);
		s->slot[i].smr = s;
	}
	store_relaxed(&s->rd, s->step.init);
	store_release(&s->wr, s->step.init);
}

smr_seq_t smr_advance(struct smr *s)
{
	smr_seq_t rd, goal;

	fence_release();           /* S3, pairs with the load of wr in smr_enter() */
	rd = load_acquire(&s->rd); /* before the bump, so that rd < goal */
	goal = fetch_add(&s->wr, s->step.incr) + s->step.incr; /* S3 */
	if (ahead(goal, rd) >= (i32)s->step.max_delta)
		smr_wait(s, goal - s->step.max_advance);
	return goal;
}

/* The lowest sequence that an active reader may have entered with, at most wr. */
static smr_seq_t scan(const struct smr *s, smr_seq_t rd, smr_seq_t wr)
{
	smr_seq_t min = wr;

	for (unsigned i = 0; i < s->cpus; i++) {
		smr_seq_t seen = load_acquire(&s->slot[i].seen); /* S2 */

		if (seen == SMR_IDLE)
			continue;
		if (ahead(seen, rd) < 0)
			seen = rd; /* S5 */
		if (ahead(seen, min) < 0)
			min = seen;
	}
	return min;
}

/* Moves rd up to `to`; another poller that moved it further wins. */
static void raise_rd(struct smr *s, smr_seq_t to)
{
	smr_seq_t rd = load_relaxed(&s->rd);

	while (ahead(to, rd) > 0 && !cas(&s->rd, rd, to))
		rd = load_relaxed(&s->rd);
}

bool smr_poll(struct smr *s, smr_seq_t goal)
{
	smr_seq_t rd = load_acquire(&s->rd); /* S4: before wr */
	smr_seq_t wr, min;

	if (ahead(rd, goal) >= 0)
		return true;
	wr = load_acquire(&s->wr); /* S4: before the slots */
	if (ahead(goal, wr) > 0)
		return true; /* outside of the window: expired before the wrap */
	min = scan(s, rd, wr);
	raise_rd(s, min);
	return ahead(min, goal) >= 0;
}

void smr_wait(struct smr *s, smr_seq_t goal)
{
	while (!smr_poll(s, goal))
		relax();
}

void smr_synchronize(struct smr *s)
{
	smr_wait(s, smr_advance(s));
}

int smr_laggard(const struct smr *s, smr_seq_t goal)
{
	smr_seq_t rd = load_acquire(&s->rd);

	if (ahead(rd, goal) >= 0 || ahead(goal, load_acquire(&s->wr)) > 0)
		return -1;
	for (unsigned i = 0; i < s->cpus; i++) {
		smr_seq_t seen = load_acquire(&s->slot[i].seen);

		if (seen != SMR_IDLE && (ahead(seen, rd) < 0 || ahead(seen, goal) < 0))
			return (int)i; /* below rd: S5 */
	}
	return -1;
}
