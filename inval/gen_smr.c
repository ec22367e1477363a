/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gen-smr - generation, kick, and a wait for the guest-run loops by SMR
 *
 * Claim: when done() is true, every CPU that was in the guest at publish() has left
 * it, and flushes before it executes another guest instruction.
 *
 * Origin: FreeBSD's pmap_invalidate_ept() since review D26910.
 *
 *      initiator                            reader
 *      ---------                            ------
 *      EPT stores                      [R1] set own bit in active
 *  [G1] gen++                          [S1] smr_enter: slot := wr, fence
 *  [G2] goal := smr_advance            [R2] load gen
 *  [G3] load active, kick each         [R3] gen is not what I flushed for: flush
 *  [G4] wait until readers >= goal          VM entry, guest, VM exit
 *                                      [R4] smr_exit, then
 *                                      [R5] clear own bit
 *
 * Why: a reader either publishes its slot before the initiator's scan reads it, and
 * is waited for; or after it, and then its load of gen (R2, after the fence of S1)
 * sees G1, which came before G2.  The active set holds every reader whose slot is
 * set (R1 before S1, R4 before R5), so everybody who is waited for has
 * been kicked (G3 after G2), or enters with the new generation.
 *
 *   [G1] gen++ after the EPT stores and before G2: bumped earlier, a reader could walk
 *        the old entry under the new generation, and never flush again.
 *   [R2] gen after S1: loaded earlier, a reader could enter stale after the scan.
 *   [R3] interrupts stay off from R1 to VM entry, so that a kick that arrives between
 *        them stays pending and causes an exit at once.
 *
 * Cost: initiator 2 locked RMWs, a kick and a line transfer per active CPU; a reader
 * 3 locked RMWs per entry and exit, two of them on the line of the active set.
 * Unsound when: interrupts are enabled between R1 and VM entry and the wait is left
 * out; external-interrupt exiting is off (the kick never arrives); the initiator is
 * a reader itself (it waits for itself: inval_publish() panics).
 * Checked by: tests/proto on the machine, tests/host/threads.c under TSan.
 */
#include "inval/inval.h"
#include "inval/step.h"
#include "lib/catalog.h"

#define NAME "gen-smr"
#define WHAT "generation, kick and SMR wait: FreeBSD since D26910"
CATALOG(proto, "proto", NAME, WHAT);

static void enter(struct inval_reader *r)
{
	u64 gen;

	STEP(R1);
	or_fence(r->active, r->bit);
	STEP(S1);
	smr_enter(r->slot);
	STEP(R2);
	gen = load_acquire(&r->iv->gen); /* pairs with G1 */
	if (gen != r->flushed) {
		STEP(R3);
		inval_flush(r, gen);
	}
}

static void exit(struct inval_reader *r)
{
	STEP(R4);
	smr_exit(r->slot);
	STEP(R5);
	and_fence(r->active, r->others);
}

static ticket_t publish(struct inval *iv, const struct gather *g)
{
	smr_seq_t goal;

	(void)g;
	STEP(G1);
	add_fence(&iv->gen, 1ull);
	STEP(G2);
	goal = smr_advance(&iv->smr);
	STEP(G3);
	inval_kick_active(iv);
	return goal;
}

static bool done(struct inval *iv, ticket_t t)
{
	STEP(G4);
	return smr_poll(&iv->smr, (smr_seq_t)t);
}

static int laggard(struct inval *iv, ticket_t t)
{
	return smr_laggard(&iv->smr, (smr_seq_t)t);
}

const struct inval_proto gen_smr = {
	.name = NAME,
	.what = WHAT,
	.sound = true,
	.basic = true,
	.guarantee = G1,
	.enter = enter,
	.exit = exit,
	.publish = publish,
	.done = done,
	.laggard = laggard,
};
