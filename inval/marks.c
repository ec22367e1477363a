/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * marks - what CPUs show of their stay in the guest, and who has come with a generation
 *
 * SMR with 64 bits, where sequences never wrap and nothing is to be clamped.  Each CPU
 * has one word on its own line, and `inval.gen` is odd for ever:
 *
 *      0        out of the guest
 *      odd g    in it, or about to be; has published this and then looked what is new
 *      g + 1    the same, and somebody has kicked it for this stay, or is about to
 *
 *      0 -- entry --> g -- first who wants it out --> g + 1 -- exit --> 0
 *                     '------------- exit, by itself ---------------'
 *
 * Only the CPU itself enters and leaves; others change odd to even and nothing else.
 * As tickets are odd too, m >= t says "came with t or later" of both kinds of m.
 *
 *   [K1] the edit is visible before gen moves             bump: RMW after the stores
 *   [K2] the mark is visible before the look at what is new entry: store, then fence
 *   [K3] the stay's accesses end before the mark goes out exit: release
 *   [K4] one kick for a stay: whoever makes the mark even sends it, and the others wait
 *        for the same exit                                kick: CAS
 *   [K5] gen is loaded before the marks, so that who is out now comes with it or later
 *        passed: acquire loads.  Where stays look at something that is set after K1, as
 *        in request, gen may be ahead of that: there the ticket itself is the bound,
 *        whose holder has set all of it
 *   [K6] `passed` only rises: a late publisher, who slept between its load of gen and
 *        its store, shows an old generation after all had been found to have passed; it
 *        looks after that (K2) and is harmless            passed: CAS
 *
 * K1 and K2 are a Dekker pair: either the look at the mark finds the stay, or the
 * stay's own look finds the generation.
 *
 * No kick is lost.  A kick is sent after the CAS, which is after the entry's store: the
 * CPU is at most at its last instructions before VM entry, with interrupts off, and the
 * kick stays pending and ends the stay at once.  If the stay ends by itself meanwhile,
 * the kick comes late and ends the next one, which costs an exit and is no harm; the
 * mark of that next stay is odd, so it can be kicked in its own right.
 *
 * marks_kick() makes the marks of up to 64 CPUs even before it kicks any of them, so
 * that one ICR write serves a cluster.  Each kick is still behind the CAS of its own
 * mark; others wait a little longer for it, never for ever.
 *
 * `shared[0]` is `passed`: every stay that goes on has come with it or later.  A scan
 * that finds a higher minimum raises it, so all tickets up to there are done in O(1).
 *
 * Checked by: tests/unit/marks.c, tests/host/record, and what checks its users.
 */
#include "inval/marks.h"
#include "inval/hw.h"
#include "inval/step.h"

/* The mark has changed since it was m: the stay is over, or another is to kick it. */
static never_inline bool claim_again(atomic64_t *mark, ticket_t t)
{
	u64 m;

	do {
		m = load_acquire(mark);
		if (m % 2 == 0 || m >= t)
			return false;
	} while (!cas(mark, m, m + 1));
	return true;
}

/* Makes the mark of a stay that is older than t even.  True when that was us.  K4 */
static inline bool claim(atomic64_t *mark, ticket_t t)
{
	u64 m = load_acquire(mark);

	if (m % 2 == 0 || m >= t)
		return false;
	return cas(mark, m, m + 1) || claim_again(mark, t);
}

void mark_kick(struct inval *iv, unsigned cpu, ticket_t t)
{
	if (!claim(&iv->reader[cpu].mark.word, t))
		return;
	STEP(K4);
	hw_kick(cpu);
}

/* Which of the n readers are ours to kick, from bit 0 on. */
static inline u64 claim_some(struct inval_reader *r, unsigned n, ticket_t t)
{
	u64 which = 0, bit = 1;

	for (const struct inval_reader *end = r + n; r < end; r++, bit <<= 1)
		if (claim(&r->mark.word, t))
			which |= bit;
	return which;
}

ticket_t marks_kick(struct inval *iv, ticket_t t)
{
	struct inval_reader *r = iv->reader;

	STEP(N1);
	for (unsigned base = 0; base < iv->cpus; base += 64, r += 64) {
		u64 which = claim_some(r, MIN(iv->cpus - base, 64), t);

		STEP(K4);
		if (which)
			hw_kick_many(base, which);
	}
	return t;
}

/*
 * The lowest generation that a stay shows; those that begin from now on: `newest`.
 * Less one, the mark of a CPU that is out is the highest of all.
 */
static u64 lowest(const struct inval *iv, u64 newest)
{
	const struct inval_reader *r = iv->reader, *end = r + iv->cpus;
	u64 min = newest - 1;

	_Static_assert(MARK_OUT - 1 == UINT64_MAX, "nobody lags less");
	for (; r < end; r++) {
		u64 m = load_acquire(&r->mark.word) - 1; /* pairs with K3 */

		min = MIN(min, m);
	}
	return min + 1;
}

static bool raise_passed(struct inval *iv, ticket_t t, u64 min)
{
	atomic64_t *passed = &iv->shared[0].word;
	u64 was = load_relaxed(passed);

	STEP(K6);
	while (min > was && !cas(passed, was, min))
		was = load_relaxed(passed);
	return min >= t;
}

bool marks_passed(struct inval *iv, ticket_t t)
{
	if (load_acquire(&iv->shared[0].word) >= t)
		return true;
	STEP(K5);
	return raise_passed(iv, t, lowest(iv, load_acquire(&iv->gen)));
}

bool marks_served(struct inval *iv, ticket_t t)
{
	if (load_acquire(&iv->shared[0].word) >= t)
		return true;
	STEP(K5);
	return raise_passed(iv, t, lowest(iv, t));
}

int marks_laggard(struct inval *iv, ticket_t t)
{
	if (load_acquire(&iv->shared[0].word) >= t)
		return -1;
	for (unsigned i = 0; i < iv->cpus; i++) {
		u64 m = load_acquire(&iv->reader[i].mark.word);

		if (m != MARK_OUT && m < t)
			return (int)i;
	}
	return -1;
}
