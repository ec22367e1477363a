/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counter-wait - stale bits, a kick, and a wait until each CPU's count of kicks moves
 *
 * Claim: when done() is true, every CPU that was in the guest at publish() has left it,
 * and flushes before it executes another guest instruction (G1).
 *
 * Origin: NOVA and Hedron.  Their handler moves a counter per CPU; the initiator takes
 * a snapshot of each, sends all kicks, and waits until each counter is different.
 *
 *      initiator                            reader
 *      ---------                            ------
 *      EPT stores                      [R1] set own bit in active
 *  [N1] set all bits of mask, stale    [N6] own bit in mask is set: clear it, flush
 *  [N2] t := gen++                          VM entry, guest, VM exit
 *      for each active CPU:            [R4] clear own bit in active
 *  [N3]   mark := max(mark, kicks + 1) [N7] the kick's interrupt: kicks++
 *  [N4]   kick it
 *  [N5] wait for each CPU until its kicks
 *      >= mark, or it is not active
 *
 * A mark is the count of kicks that its CPU must reach.  It only ever grows, so that
 * all initiators share it: one waits for the snapshots of others at worst too long, and
 * each of those is followed by a kick.
 *
 * Why: kicks are counted outside of the guest.  When the count has passed a snapshot
 * that was taken after N1, the CPU has been in the host after N1, and tests its bit
 * (N6) after that; so does one that was seen inactive.  A reader that N3 does not find
 * in the active set sets its bit in it later (R1, N1: locked, each before the other
 * side's load), and finds that it is stale.  A kick that is merged with one that is
 * pending is counted once, after both snapshots, which are then equal.
 *
 *   [N1] before the snapshot: a kick of another call, counted between both, would pass
 *        for an answer to this one.
 *   [N2] after N1, so that done(t) settles all smaller tickets as well.  shared[0]
 *        remembers the highest one that is done.
 *   [N3] before N4: a kick that is counted before the snapshot is waited for in vain.
 *   [R1] before N6, and interrupts are off from R1 to VM entry: a kick between them is
 *        counted after the exit that it causes, not before the entry.
 *
 * Cost: initiator 1 locked RMW, one per 64 CPUs, and one with a kick and two line
 * transfers per active CPU; a reader 2 locked RMWs per entry and exit, 1 more per flush
 * on the line of the mask.  The handler writes its own line, for whatever VM it is.
 * Unsound when: a kick is counted in the guest, or before the guest has left (posted
 * interrupts); interrupts are on between R1 and VM entry.  Waits for ever when a CPU
 * cannot take the kick: Hedron has a flag for those.  No deadlock: an initiator that
 * waits is not active.
 * Checked by: tests/proto on the machine; tests/host/threads.c and initiators.c under
 * TSan, with the mutants of tests/host/mutants_ack.c; tests/unit/inval.c.
 */
#include "inval/inval.h"
#include "inval/hw.h"
#include "inval/step.h"
#include "lib/catalog.h"

#define NAME "counter-wait"
#define WHAT "stale bits, a kick, and a wait for the count of kicks: NOVA, Hedron"
CATALOG(proto, "proto", NAME, WHAT);

static void enter(struct inval_reader *r)
{
	atomic64_t *mask = &r->iv->mask[r->active - r->iv->active];

	STEP(R1);
	or_fence(r->active, r->bit);
	if (!(load_acquire(mask) & r->bit) && r->flushed)
		return;
	STEP(N6);
	and_fence(mask, r->others); /* pairs with N1 */
	inval_flush(r, r->flushed + 1);
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
	STEP(N1);
	for (unsigned i = 0; i * 64 < iv->cpus; i++)
		store_fence(&iv->mask[i], ~0ull);
	STEP(N2);
	t = fetch_add(&iv->gen, 1ull);
	for (unsigned i = 0; i < iv->cpus; i++)
		if (inval_active(iv, i)) {
			STEP(N3);
			inval_raise(&iv->reader[i].mark.word, hw_kicks(i) + 1);
			STEP(N4);
			hw_kick(i);
		}
	return t;
}

static int laggard(struct inval *iv, ticket_t t)
{
	if (load_acquire(&iv->shared[0].word) >= t)
		return -1;
	STEP(N5);
	for (unsigned i = 0; i < iv->cpus; i++) /* pairs with N7 and R4 */
		if (hw_kicks(i) < load_acquire(&iv->reader[i].mark.word) &&
		    inval_active(iv, i))
			return (int)i;
	return -1;
}

const struct inval_proto counter_wait = {
	.name = NAME,
	.what = WHAT,
	.sound = true,
	.guarantee = G1,
	.enter = enter,
	.exit = exit,
	.publish = publish,
	.done = inval_done_for_good,
	.laggard = laggard,
};
