/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handler-flush - the kick's handler flushes, and says so
 *
 * Claim: when done() is true, every CPU that was in the guest at publish() and stayed
 * there until the kick has flushed (G2, for these).  One that was out, or left by
 * itself before the kick, flushes before its next guest instruction, so all in all it
 * is G1.
 *
 * Origin: OpenBSD's vmm, whose IPI handler executes INVEPT.  There is no wait for CPUs
 * that are out; without the check at entry they would go on with what they had.
 *
 *      initiator                            reader
 *      ---------                            ------
 *      EPT stores                      [R1] set own bit in active
 *  [G1] t := ++gen                     [K3] gen is not what I flushed for: flush,
 *  [K1] load active, kick each              then mark := gen
 *  [K2] wait for each CPU until its         VM entry, guest, VM exit
 *      mark >= t, or it is not active  [R4] clear own bit
 *                                      [K4] the kick's interrupt: as K3
 *
 * Why: a mark says up to which generation its CPU has flushed.  R1 and G1 are locked,
 * each before the other side's load.  So a reader that K1 does not find in the active
 * set loads gen after G1 (K3), and flushes.  One that it finds is waited for until it
 * has flushed, in the handler or at an entry, or is seen outside of the guest: then
 * its next entry finds the new generation.
 *
 *   [G1] after the EPT stores: else a handler could flush, and the guest walk the old
 *        entry under the new generation.  gen before K1: else the handler finds nothing
 *        to do, and nobody kicks again.
 *   [K3] the mark after the flush: it is what G2 means.  At entry too: a CPU that was
 *        out has had no kick.
 *   [K2] not active is enough: a CPU that has left its run loop, or that waits for an
 *        invalidation of its own with interrupts off, may never take this kick.
 *   [R1] interrupts are off from R1 to VM entry, so that a kick is not lost in between.
 *
 * shared[0] remembers the highest generation that is done: a CPU that enters again is
 * active before its mark says that it has flushed.
 *
 * Cost: initiator 1 locked RMW, a kick and two line transfers per active CPU, and the
 * wait is longer by an INVEPT; a reader 2 locked RMWs per entry and exit.  Two edits
 * are two flushes, where a flush at entry would serve both.
 * Unsound when: the check at entry is left out, for CPUs that were out; the handler
 * runs while the guest goes on (posted interrupts), which would cache what it still
 * finds. Interrupts between K3 and VM entry do no harm here: the handler flushes.  No
 * deadlock: an initiator that waits is not active. Checked by: tests/proto on the
 * machine; tests/host/threads.c and initiators.c under TSan, with the mutants of
 * tests/host/mutants_ack.c; tests/unit/inval.c.
 */
#include "inval/inval.h"
#include "inval/hw.h"
#include "inval/step.h"
#include "lib/catalog.h"

#define NAME "handler-flush"
#define WHAT "INVEPT inside the kick's handler: OpenBSD"
CATALOG(proto, "proto", NAME, WHAT);

static void catch_up(struct inval_reader *r)
{
	u64 gen = load_acquire(&r->iv->gen); /* pairs with G1 */

	if (gen == r->flushed)
		return;
	STEP(K3);
	inval_flush(r, gen);
	STEP(K4);
	store_release(&r->mark.word, gen); /* pairs with K2 */
}

static void enter(struct inval_reader *r)
{
	STEP(R1);
	or_fence(r->active, r->bit);
	catch_up(r);
}

static void exit(struct inval_reader *r)
{
	STEP(R4);
	and_fence(r->active, r->others);
}

static ticket_t publish(struct inval *iv, const struct gather *g)
{
	ticket_t t;

	(void)g;
	STEP(G1);
	t = fetch_add(&iv->gen, 1ull) + 1;
	STEP(K1);
	inval_kick_active(iv);
	return t;
}

static int laggard(struct inval *iv, ticket_t t)
{
	if (load_acquire(&iv->shared[0].word) >= t)
		return -1;
	STEP(K2);
	for (unsigned i = 0; i < iv->cpus; i++)
		if (load_acquire(&iv->reader[i].mark.word) < t && inval_active(iv, i))
			return (int)i;
	return -1;
}

const struct inval_proto handler_flush = {
	.name = NAME,
	.what = WHAT,
	.sound = true,
	.guarantee = G1,
	.enter = enter,
	.exit = exit,
	.kicked = catch_up,
	.publish = publish,
	.done = inval_done_for_good,
	.laggard = laggard,
};
