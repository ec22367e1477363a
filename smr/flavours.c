/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flavours - SMR with fewer writes of shared lines, for tests alone
 *
 * Origin: SMR_DEFERRED and SMR_LAZY of FreeBSD's subr_smr.c, which free memory in
 * batches and later.  An invalidation kicks readers once and then waits for them, and
 * neither fits that:
 *
 *   deferred  the goal does not exist yet when the kick is sent.  A reader that comes
 *             back after its kick publishes the old wr, the waiting poll then makes the
 *             goal, and nothing makes that reader leave (H9).
 *   lazy      the same; and a CPU in the guest takes no ticks here, so its slot may lie
 *             in its store buffer for as long as it stays: a poll finds it idle (S5).
 *
 * tests/explore shows both.  Here wr and its tick are two words, and who moves them
 * holds BUSY meanwhile; FreeBSD has them in one.
 *
 * Checked by: tests/unit/smr_flavours.c, tests/explore/flavours.c.
 */
#include "smr/flavours.h"

#define BUSY ~0ull

/* How far a goal lies ahead of wr; not above 0 once it exists. */
static i32 missing(const struct smr *s, smr_seq_t goal)
{
	return (i32)(goal - load_acquire(&s->wr));
}

smr_seq_t smr_deferred_advance(struct smr *s, u32 *calls, u32 limit)
{
	fence_release(); /* S3 */
	if (++*calls < limit)
		return load_relaxed(&s->wr) + s->step.incr;
	*calls = 0;
	return smr_advance(s);
}

bool smr_deferred_poll(struct smr *s, smr_seq_t goal, bool waits)
{
	i32 ahead = missing(s, goal);

	if (ahead > 0 && ahead <= (i32)s->step.incr) {
		if (!waits)
			return false;
		smr_advance(s);
	}
	return smr_poll(s, goal);
}

void smr_lazy_enter(struct smr_slot *r)
{
	store_relaxed(&r->seen, load_relaxed(&r->smr->wr)); /* S1 is the tick's */
}

/* Moves wr on by the ticks since the last time; who comes second need not. */
static void catch_up(struct smr *s, atomic64_t *clock, u32 now)
{
	u64 then = load_acquire(clock);
	i32 ticks = (i32)(now - (u32)then);

	if (then == BUSY || !ticks || !cas(clock, then, BUSY))
		return;
	if (ticks < 0 || ticks > SMR_LAZY_GRACE)
		ticks = SMR_LAZY_GRACE; /* long ago */
	add_fence(&s->wr, (u32)ticks * s->step.incr);
	store_release(clock, (u64)now);
}

smr_seq_t smr_lazy_advance(struct smr *s, atomic64_t *clock, u32 now)
{
	fence_release(); /* S3 */
	catch_up(s, clock, now);
	while (load_acquire(clock) == BUSY)
		relax();
	return load_acquire(&s->wr) + SMR_LAZY_GRACE * s->step.incr;
}

bool smr_lazy_poll(struct smr *s, atomic64_t *clock, smr_seq_t goal, u32 now)
{
	i32 ahead;

	catch_up(s, clock, now);
	ahead = missing(s, goal);
	if (ahead > 0 && ahead <= SMR_LAZY_GRACE * (i32)s->step.incr)
		return false;
	return smr_poll(s, goal);
}
