/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gen-slot - one word is generation and sequence, one slot is mask and section
 *
 * Claim (G1): when done() is true, every CPU that was in the guest at publish() has
 * left it, and flushes before it executes another guest instruction.
 *
 * Origin: ours, out of gen-smr (FreeBSD D26910), with kib's remark in that review that
 * the sequence can serve as the generation, and KVM's way to share a kick.
 *
 *      initiator                            reader
 *      ---------                            ------
 *      EPT stores                      [K2] mark := gen, fence
 *  [K1] t := gen += 2                  [N2] load gen again
 *  [N1] for each mark below t:         [N3] gen is not what I published: mark := gen,
 *  [K4]   make it even; if that was         unless it is even
 *         me: kick                     [N4] gen is not what I flushed for: flush
 *  [K5] wait until marks are OUT or >= t     VM entry, guest, VM exit
 *                                      [K3] mark := OUT
 *
 * Why: a reader either shows its mark before N1 reads it, or after.  Before: it is
 * kicked, by this initiator or by one that came earlier, and waited for.  After: its
 * second load of gen (N2, behind the fence of K2) sees K1, and it flushes.  A mark at
 * or past t is a gen that was loaded after K1, so what N2 loads is no older, and it
 * flushes too.
 *
 * Nobody is waited for unkicked: what N1 does not find below t shows t or more when it
 * has looked again (N2, N3), or it has been kicked by somebody who found it in between.
 *
 *   [N1] after K1: the scan first, and a reader could come with the old generation,
 *        unkicked, in between.
 *   [N2] a second load, behind the fence: comparing what was published is the trap of
 *        smr-seq, a stale entry after the scan.
 *   [N3] a reader that slept between its load of gen and its store shows an old mark
 *        after N1 had found it out, and would be waited for with no kick on its way.
 *   [N4] interrupts stay off from K2 to VM entry, so that a kick that arrives between
 *        them stays pending and causes an exit at once.
 *
 * One comparison does for N3 and N4: loads of one word by one CPU never go back, so if
 * the second one is what was flushed for, the first one was too.
 *
 * Many initiators: each has a ticket of its own from K1, and kicks only stays that are
 * older than that and that nobody has kicked.  marks.c argues why no kick is lost.
 *
 * Cost: initiator 1 locked RMW, and for each reader that it kicks another one, the
 * kick, and 2 line transfers; a CPU out of the guest costs the read of its line.  A
 * reader: 1 locked RMW per entry and exit, 8 instructions, no store to others' lines.
 * Unsound when: the initiator is a reader itself; external-interrupt exiting is off.
 * A lost kick, or interrupts on between K2 and VM entry, make all initiators wait for
 * ever, as nobody kicks twice.
 * Checked by: tests/proto on the machine; tests/host/threads.c under TSan with one and
 * with several initiators; tests/host/record; tests/unit/marks.c.
 */
#include "inval/marks.h"
#include "inval/step.h"
#include "lib/catalog.h"

#define NAME "gen-slot"
#define WHAT "one word is generation and sequence, one slot mask and section: our best"
CATALOG(proto, "proto", NAME, WHAT);

/* Somebody has edited.  A mark that is even already has its kick on the way. */
static void catch_up(struct inval_reader *r, u64 came, u64 gen)
{
	STEP(N3);
	if (gen != came)
		(void)cas(&r->mark.word, came, gen);
	STEP(N4);
	inval_flush(r, gen);
}

static void enter(struct inval_reader *r)
{
	const struct inval *iv = r->iv;
	u64 came = load_relaxed(&iv->gen), gen;

	STEP(K2);
	store_fence(&r->mark.word, came); /* pairs with N1 */
	STEP(N2);
	gen = load_acquire(&iv->gen); /* pairs with K1 */
	if (gen != r->flushed)
		catch_up(r, came, gen);
}

static void exit(struct inval_reader *r)
{
	STEP(K3);
	store_release(&r->mark.word, MARK_OUT); /* pairs with K5 */
}

static ticket_t publish(struct inval *iv, const struct gather *g)
{
	(void)g;
	STEP(K1);
	return marks_kick(iv, marks_bump(iv)); /* K1, then N1, K4 */
}

const struct inval_proto gen_slot = {
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
	.active = mark_in,
};
