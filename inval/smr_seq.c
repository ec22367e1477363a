/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smr-seq - the sequence of SMR is the generation too
 *
 * Claim (G1): when done() is true, every CPU that was in the guest at publish() has
 * left it, and flushes before it executes another guest instruction.
 *
 * Origin: kib's variant in FreeBSD's review D26910; one atomic less than gen-smr.
 *
 *      initiator                            reader
 *      ---------                            ------
 *      EPT stores                      [R1] set own bit in active
 *  [K1] t := seq += 2                  [K2] mark := seq, fence
 *  [G3] load active, kick each         [Q1] load seq again
 *  [K5] wait until marks OUT or >= t   [Q2] it is not what I flushed for: flush
 *                                           VM entry, guest, VM exit
 *                                      [K3] mark := OUT, then
 *                                      [R4] clear own bit
 *
 * Why: as gen-smr, with seq in both parts.  A reader shows its mark before the scan of
 * K5 reads it, and is waited for; or after it, and then Q1, behind the fence of K2,
 * sees K1. Everybody who is waited for has been kicked, because R1 comes before the
 * load in K2: who sets its bit after G3 loads the new sequence.
 *
 *   [Q1] loaded again, after the mark is visible.  The trap is to compare what was
 *        published: a reader loads S, which it has flushed for; an initiator advances
 *        to S + 2, finds its mark 0, returns; the reader publishes S, equal, and
 *        enters stale.
 *   [Q2] interrupts stay off from R1 to VM entry.
 *
 * The sequence has 64 bits, with its own marks (inval/marks.c), and not the 32 of smr/.
 * With 32 it is unsound, as markj objected: the throttle of SMR bounds how far readers
 * in a section fall behind, and a CPU that does not run this VM is in none.  After
 * exactly one period of advances (2^31 of them) it finds the sequence that it has
 * flushed for, and does not flush.  No comparison can tell a distance of 0 from one of
 * a full period; 64 bits at one advance per nanosecond last for 292 years.
 *
 * Many initiators: each has its own ticket, and kicks the whole active set.
 *
 * Cost: initiator 1 locked RMW, a kick and a line transfer per active CPU; a reader 3
 * locked RMWs per entry and exit, two of them on the line of the active set.
 * Unsound when: as gen-smr.
 * Checked by: tests/proto on the machine; tests/host/threads.c under TSan with one and
 * with several initiators; tests/host/record; tests/unit/marks.c; tests/unit/smr_seq.c
 * shows the ABA of the form with 32 bits.
 */
#include "inval/marks.h"
#include "inval/step.h"
#include "lib/catalog.h"

#define NAME "smr-seq"
#define WHAT "the SMR sequence is the generation: kib's variant of D26910"
CATALOG(proto, "proto", NAME, WHAT);

static void enter(struct inval_reader *r)
{
	const struct inval *iv = r->iv;
	u64 seq;

	STEP(R1);
	or_fence(r->active, r->bit);
	STEP(K2);
	store_fence(&r->mark.word, load_relaxed(&iv->gen)); /* pairs with K5 */
	STEP(Q1);
	seq = load_acquire(&iv->gen); /* pairs with K1 */
	if (seq != r->flushed) {
		STEP(Q2);
		inval_flush(r, seq);
	}
}

static void exit(struct inval_reader *r)
{
	STEP(K3);
	store_release(&r->mark.word, MARK_OUT); /* pairs with K5 */
	STEP(R4);
	and_fence(r->active, r->others);
}

static ticket_t publish(struct inval *iv, const struct gather *g)
{
	ticket_t t;

	(void)g;
	STEP(K1);
	t = marks_bump(iv);
	STEP(G3);
	inval_kick_active(iv);
	return t;
}

const struct inval_proto smr_seq = {
	.name = NAME,
	.what = WHAT,
	.sound = true,
	.guarantee = G1,
	.fresh = MARK_OUT,
	.enter = enter,
	.exit = exit,
	.publish = publish,
	.done = marks_passed, /* K5 */
	.laggard = marks_laggard,
};
