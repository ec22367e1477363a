/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * always - a flush at every entry: no generation, and the upper bound of the cost
 *
 * Claim (G1): when done() is true, every CPU that was in the guest at publish() has
 * left it; it flushes before it executes another guest instruction, as it always does.
 *
 * Origin: a baseline; what the first version of a hypervisor does.
 *
 *      initiator                            reader
 *      ---------                            ------
 *      EPT stores                      [R1] set own bit in active
 *  [G2] goal := smr_advance            [S1] smr_enter: slot := wr, fence
 *  [G3] load active, kick each         [A1] flush
 *  [G4] wait until readers >= goal          VM entry, guest, VM exit
 *                                      [R4] smr_exit, then
 *                                      [R5] clear own bit
 *
 * Why: gen-smr, whose reader always finds a new generation.  A flush at each entry does
 * nothing for the guest that is running: kick and wait are needed all the same, and
 * without the wait this would be a negative control.
 *
 *   [A1] after S1: a reader whose slot the scan has not seen begins with what the EPT
 *        holds after the edit.
 *
 * Many initiators: as gen-smr; smr_advance() gives each its own goal.
 *
 * Cost: initiator 1 locked RMW, a kick and a line transfer per active CPU; a reader 3
 * locked RMWs and an INVEPT per entry and exit, and then the misses of a cold TLB.
 * Unsound when: as gen-smr; and nothing is saved where nobody edits.
 * Checked by: tests/proto on the machine; tests/host/threads.c under TSan with one and
 * with several initiators; tests/host/record.
 */
#include "inval/inval.h"
#include "inval/step.h"
#include "lib/catalog.h"

#define NAME "always"
#define WHAT "a flush at every entry, kick and SMR wait: the upper bound of cost"
CATALOG(proto, "proto", NAME, WHAT);

static void enter(struct inval_reader *r)
{
	STEP(R1);
	or_fence(r->active, r->bit);
	STEP(S1);
	smr_enter(r->slot);
	STEP(A1);
	inval_flush(r, r->flushed + 1);
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

const struct inval_proto always = {
	.name = NAME,
	.what = WHAT,
	.sound = true,
	.guarantee = G1,
	.enter = enter,
	.exit = exit,
	.publish = publish,
	.done = done,
	.laggard = laggard,
};
