/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * new-root - each change gives the EPT a new root; a flush only when a root comes again
 *
 * Claim (G1): when done() is true, every CPU that was in the guest at publish() has
 * left it, and executes its next guest instruction under a root for which it holds no
 * translation from before.
 *
 * Origin: a baseline.  Xen and FreeBSD take a new ASID in place of a flush on AMD; here
 * the tag is an address.
 *
 * What a CPU caches with EPT on is tagged by EPTRTA, bits 51:12 of the EPTP, and a
 * translation is used under its own tag alone (SDM vol. 3C, 29.4.1, 29.4.2).  So a CPU
 * that goes to a root which it has not used since its last flush holds nothing.  The
 * roots are a ring of 2^ROOT_ORDER pages that mm/ keeps the same (ept_twin()): whoever
 * still walks by an old one finds what the others find, so a root can be taken again
 * without waiting for anybody, and SMR waits for who is behind, not for the page.
 *
 *      initiator                            reader
 *      ---------                            ------
 *      EPT stores, in all roots        [R1] set own bit in active
 *  [G1] gen++                          [S1] smr_enter: slot := wr, fence
 *  [G2] goal := smr_advance            [R2] load gen
 *  [G3] load active, kick each         [V1] gen is new: its root is gen % roots
 *  [G4] wait until readers >= goal     [V2] it was used since the last flush: flush all
 *                                      [V3] enter by that root
 *                                           VM entry, guest, VM exit
 *                                      [R4] smr_exit, then
 *                                      [R5] clear own bit
 *
 * Why: as gen-smr, with V1 to V3 in place of its flush.  Each CPU knows which roots are
 * clean to it; nobody else need know, as what is cached is its own.
 *
 *   [V1] a function of gen alone: an initiator chooses for all by G1, without a lock,
 *        and initiators at once get different ones.
 *   [V2] before V3, and of all roots: one flush serves for all turns of the ring.  A
 *        CPU that was away for a whole turn comes to a root that it knows, and flushes.
 *   [V3] interrupts stay off from R1 to VM entry, as in gen-smr (R3).
 *
 * Cost: initiator as gen-smr.  A reader as gen-smr, with a VMWRITE in place of each
 * flush but every 2^ROOT_ORDER-th, which drops what this CPU holds of other VMs too.
 * The cold misses are those of a flush; what old tags hold is dead and takes up room in
 * the TLB.  9 root pages for one.
 * Unsound when: as gen-smr; roots differ, or somebody else has a page of the ring (H17:
 * a reader begins with no clean root, so its first entry flushes).
 * With a single root (inval_roots() was not called) each new generation flushes.
 * Checked by: tests/proto on the machine; tests/host/threads.c under TSan, one and
 * several initiators, with TLBs that are tagged; the explorer with 2 roots;
 * tests/unit/new_root.c with the ghost TLB, tests/unit/ept_twin.c that roots are equal.
 */
#include "inval/inval.h"
#include "inval/step.h"
#include "lib/catalog.h"

#define NAME "new-root"
#define WHAT "a new root for each change, a flush when the ring has turned"
CATALOG(proto, "proto", NAME, WHAT);

#define ROOT_ORDER 3

/* The reader's own: the roots that it has not used since its last flush. */
#define CLEAN own

/* Not inline: an entry without news then has no register to save for it. */
static __attribute__((noinline)) void turn(struct inval_reader *r, u64 gen)
{
	u64 n = gen & (r->iv->roots - 1); /* V1 */

	if (!(r->CLEAN & BIT(n))) {
		STEP(V2);
		inval_flush_roots(r);
		r->CLEAN = ~0ull;
	}
	r->CLEAN &= ~BIT(n);
	STEP(V3);
	inval_use_root(r, n);
	r->flushed = gen;
}

static void enter(struct inval_reader *r)
{
	u64 gen;

	STEP(R1);
	or_fence(r->active, r->bit);
	STEP(S1);
	smr_enter(r->slot);
	STEP(R2);
	gen = load_acquire(&r->iv->gen); /* pairs with G1 */
	STEP(V1);
	if (gen != r->flushed)
		turn(r, gen);
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

const struct inval_proto new_root = {
	.name = NAME,
	.what = WHAT,
	.sound = true,
	.guarantee = G1,
	.root_order = ROOT_ORDER,
	.enter = enter,
	.exit = exit,
	.publish = publish,
	.done = done,
	.laggard = laggard,
};
