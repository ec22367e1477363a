/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * marks - what CPUs show of their stay in the guest, and who has come with a generation
 *
 * SMR with 64 bits, where sequences never wrap and nothing is to be clamped.  Each CPU
 * has one word on its own line, and `inval.gen` is odd for ever:
 *
 *      OUT      out of the guest: the highest mark there is
 *      odd g    in it, or about to be; has published this and then looked what is new
 *      g + 1    the same, and somebody has kicked it for this stay, or is about to
 *
 *      OUT -- entry --> g -- first who wants it out --> g + 1 -- exit --> OUT
 *                       '------------- exit, by itself ---------------'
 *
 * Only the CPU itself enters and leaves; others change odd to even and nothing else.
 * As tickets are odd too, m >= t says "came with t or later" of both kinds of m.
 *
 *   [K1] the edit is visible before gen moves             bump: RMW after the stores
 *   [K2] the mark is visible before the look at what is new entry: store, then fence
 *   [K3] the stay's accesses end before the mark goes out exit: release
 *   [K4] one kick for a stay: whoever makes the mark even sends it, and the others wait
 *        for the same exit                                kick: CAS
 *   [K5] t has passed when each CPU has been seen out, or with a mark of t or later;
 *        who comes after that look came with K1 done     passed: acquire loads
 *   [K6] what has passed has passed for good: a late publisher, who slept between its
 *        load of gen and its store, shows an old generation after all had been found to
 *        have passed; it looks after that (K2) and is harmless
 *                                                        passed: CAS, only upwards
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
 * `shared[0]` is the highest ticket that has passed, so all up to there are done in
 * O(1).
 *
 * Checked by: tests/unit/marks.c, tests/host/record, and what checks its users.
 */
#include "inval/marks.h"
#include "inval/hw.h"
#include "inval/step.h"

/*
 * Makes the mark of a stay that is older than t even, though others change it as well.
 * True when that was us.  K4
 */
static bool claim(atomic64_t *mark, ticket_t t)
{
	u64 m;

	do {
		m = load_acquire(mark);
		if (m % 2 == 0 || m >= t)
			return false;
	} while (!cas(mark, m, m + 1));
	return true;
}

void mark_kick(struct inval *iv, unsigned cpu, ticket_t t)
{
	if (!claim(&iv->reader[cpu].mark.word, t))
		return;
	STEP(K4);
	hw_kick(cpu);
}

/* What one look at each reader has found. */
struct look {
	u64 ours; /* to kick, from bit 0 on                           */
	u64 torn; /* changed just now: the stay is over, or another is
		   * to kick it                                       */
};

/* Most readers are out, or came with t: all that they cost is this look. */
static inline void look(struct inval_reader *r, ticket_t t, u64 bit, struct look *found)
{
	u64 m = load_acquire(&r->mark.word);

	if (m >= t || m % 2 == 0)
		return;
	if (cas(&r->mark.word, m, m + 1))
		found->ours |= bit;
	else
		found->torn |= bit;
}

static never_inline u64 look_again(struct inval_reader *r, ticket_t t,
				   struct look found)
{
	for (; found.torn; found.torn &= found.torn - 1) {
		unsigned i = (unsigned)__builtin_ctzll(found.torn);

		if (claim(&r[i].mark.word, t))
			found.ours |= BIT(i);
	}
	return found.ours;
}

/* Which of the n readers are ours to kick, from bit 0 on; n is 64 at most. */
static inline u64 claim_some(struct inval_reader *first, unsigned n, ticket_t t)
{
	struct inval_reader *r = first, *end = r + n;
	struct look found = { 0 };
	u64 bit = 1;

	for (; r + 4 <= end; r += 4, bit <<= 4) {
		look(r, t, bit, &found);
		look(r + 1, t, bit << 1, &found);
		look(r + 2, t, bit << 2, &found);
		look(r + 3, t, bit << 3, &found);
	}
	for (; r < end; r++, bit <<= 1)
		look(r, t, bit, &found);
	return found.torn ? look_again(first, t, found) : found.ours;
}

static inline void kick_word(struct inval *iv, unsigned base, unsigned n, ticket_t t)
{
	u64 which = claim_some(iv->reader + base, n, t);

	STEP(K4);
	if (which)
		hw_kick_many(base, which);
}

static never_inline void kick_words(struct inval *iv, ticket_t t)
{
	for (unsigned base = 0; base < iv->cpus; base += 64)
		kick_word(iv, base, MIN(iv->cpus - base, 64), t);
}

ticket_t marks_kick(struct inval *iv, ticket_t t)
{
	STEP(N1);
	if (iv->cpus > 64)
		kick_words(iv, t);
	else
		kick_word(iv, 0, iv->cpus, t);
	return t;
}

/* Is r in a stay that is older than t? */
static inline bool lags(const struct inval_reader *r, ticket_t t)
{
	return load_acquire(&r->mark.word) < t; /* pairs with K3 */
}

bool marks_passed(struct inval *iv, ticket_t t)
{
	const struct inval_reader *r = iv->reader, *end = r + iv->cpus;

	if (load_acquire(&iv->shared[0].word) >= t)
		return true;
	STEP(K5);
	for (; r < end; r++)
		if (lags(r, t))
			return false;
	STEP(K6);
	inval_raise(&iv->shared[0].word, t);
	return true;
}

int marks_laggard(struct inval *iv, ticket_t t)
{
	if (load_acquire(&iv->shared[0].word) >= t)
		return -1;
	for (unsigned i = 0; i < iv->cpus; i++)
		if (lags(&iv->reader[i], t))
			return (int)i;
	return -1;
}
