/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flavours - SMR with fewer writes of shared lines, for tests alone; flavours.c says
 * why protocols here use neither.
 */
#ifndef SMR_FLAVOURS_H
#define SMR_FLAVOURS_H

#include "smr/smr.h"

/*
 * A ticket whose advance is put off: only the limit-th of a CPU's calls moves wr; the
 * others give the goal that the next advance will make.  `calls` is the CPU's own.
 */
smr_seq_t smr_deferred_advance(struct smr *s, u32 *calls, u32 limit);

/*
 * smr_poll() for such a goal: false while wr has not come to it; a caller that waits
 * makes the missing advance.
 */
bool smr_deferred_poll(struct smr *s, smr_seq_t goal, bool waits);

#define SMR_LAZY_GRACE 2 /* ticks: those of two CPUs may be one apart */

/*
 * wr follows a clock.  Each tick interrupts every CPU, which drains its store buffer;
 * so enter needs no fence, and a goal lies SMR_LAZY_GRACE ticks ahead.  `clock` is the
 * tick that wr has come to, at first that of smr_init(); `now` is the caller's.
 */
void smr_lazy_enter(struct smr_slot *r);
smr_seq_t smr_lazy_advance(struct smr *s, atomic64_t *clock, u32 now);

/* smr_poll() for such a goal.  Waiting for it means to call this again. */
bool smr_lazy_poll(struct smr *s, atomic64_t *clock, smr_seq_t goal, u32 now);

#endif
