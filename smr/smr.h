/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smr - safe memory reclamation by global unbounded sequences; smr.c argues why.
 */
#ifndef SMR_SMR_H
#define SMR_SMR_H

#include "lib/atomic.h"
#include "lib/err.h"

#define SMR_IDLE 0u

/* A write sequence that readers must have reached, or be idle, before reuse. */
typedef u32 smr_seq_t;

/* Where sequences start, how they step, and how far they may run ahead. */
struct smr_params {
	u32 init;        /* odd                                                 */
	u32 incr;        /* even, so that a sequence is never SMR_IDLE          */
	u32 max_delta;   /* a writer this far ahead of the readers waits ...    */
	u32 max_advance; /* ... until it is only this far ahead; <= max_delta   */
};
extern const struct smr_params smr_default;

struct smr;

/* One CPU's mark, on a line of its own: only that CPU writes it. */
struct smr_slot {
	_Alignas(CACHE_LINE) atomic32_t seen; /* SMR_IDLE, or the wr at entry */
	const struct smr *smr;
};

struct smr {
	_Alignas(CACHE_LINE) atomic32_t wr; /* the newest ticket                   */
	_Alignas(CACHE_LINE) atomic32_t rd; /* every active reader has seen >= rd  */
	struct smr_params step;
	unsigned cpus;
	struct smr_slot slot[CPU_MAX];
};

/* Prepares a domain for CPUs 0 .. cpus - 1; `step` may be NULL for smr_default. */
void smr_init(struct smr *s, unsigned cpus, const struct smr_params *step);

/* Is what this CPU has published so old that it would soon pass for new?  [S5] */
static inline bool smr_overslept(const struct smr_slot *r)
{
	return load_relaxed(&r->smr->wr) - load_relaxed(&r->seen) >
	       r->smr->step.max_delta;
}

/* Begins a read section of this slot's CPU.  Not recursive.  [S1] */
static inline void smr_enter(struct smr_slot *r)
{
	if (CHECKED && load_relaxed(&r->seen) != SMR_IDLE)
		panic("smr_enter: the section is entered already");
	do {
		store_fence(&r->seen,
			    load_relaxed(&r->smr->wr)); /* S1, pairs with smr_poll() */
	} while (CHECKED && smr_overslept(r));          /* S5 */
}

/* Ends the section: nothing read inside it may be used after this.  [S2] */
static inline void smr_exit(struct smr_slot *r)
{
	store_release(&r->seen, SMR_IDLE); /* S2, pairs with smr_poll() */
}

static inline bool smr_active(const struct smr_slot *r)
{
	return load_relaxed(&r->seen) != SMR_IDLE;
}

/*
 * Takes a ticket: sections that begin after this have seen all that the caller
 * stored before it.  Blocks only when readers are max_delta behind.  The caller is
 * in no section of the domain.  [S3]
 */
smr_seq_t smr_advance(struct smr *s);

/* Is every section that began before smr_advance() gave `goal` over?  [S4] [S5] */
bool smr_poll(struct smr *s, smr_seq_t goal);

/* Spins until smr_poll() says yes.  The caller is in no section of the domain. */
void smr_wait(struct smr *s, smr_seq_t goal);

/* smr_advance(), then smr_wait(). */
void smr_synchronize(struct smr *s);

/* A CPU that keeps smr_poll(goal) from saying yes, or -1 when there is none. */
int smr_laggard(const struct smr *s, smr_seq_t goal);

#endif
