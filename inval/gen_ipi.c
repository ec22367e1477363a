/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gen-ipi - generation and kick, and no wait: a negative control
 *
 * Claim: none.  When done() is true the kick has been sent; the CPUs that it goes to
 * may be executing guest code through stale translations until it arrives.
 *
 * Origin: FreeBSD's pmap_invalidate_ept() before review D26910.
 *
 *      initiator                            reader
 *      ---------                            ------
 *      EPT stores                      [R1] set own bit in active
 *  [G1] gen++                          [R2] load gen
 *  [G3] load active, kick each         [R3] gen is not what I flushed for: flush
 *      return                               VM entry, guest, VM exit
 *                                      [R4] clear own bit
 *
 * What is missing is step G4 of gen-smr.  The window is as long as the kick is in
 * flight plus the exit; with interrupts on between R2 and VM entry it has no bound.
 *
 * Cost: initiator 1 locked RMW and a kick per active CPU; a reader 2 locked RMWs per
 * entry and exit.
 */
#include "inval/inval.h"
#include "inval/step.h"
#include "lib/catalog.h"

#define NAME "gen-ipi"
#define WHAT "generation and kick, no wait: FreeBSD before D26910, a negative control"
CATALOG(proto, "proto", NAME, WHAT);

static void enter(struct inval_reader *r)
{
	u64 gen;

	STEP(R1);
	or_fence(r->active, r->bit);
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
	and_fence(r->active, r->others);
}

static ticket_t publish(struct inval *iv, const struct gather *g)
{
	(void)g;
	STEP(G1);
	add_fence(&iv->gen, 1ull);
	STEP(G3);
	inval_kick_active(iv);
	return 0;
}

const struct inval_proto gen_ipi = {
	.name = NAME,
	.what = WHAT,
	.sound = false,
	.basic = true,
	.guarantee = G0,
	.enter = enter,
	.exit = exit,
	.publish = publish,
	.done = inval_done_at_once,
	.laggard = inval_no_laggard,
};
