/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dirty-mask - a mask of CPUs that must flush, and a synchronous call of nothing
 *
 * Claim: when done() is true, every CPU that was in the guest at publish() has left it,
 * and flushes before it executes another guest instruction (G1).
 *
 * Origin: Xen's ept_sync_domain().  Its call of an empty function on the dirty CPUs is
 * serialised by a lock, and wants interrupts on; here calls are numbered instead, so
 * that any number of initiators may wait at once, with interrupts off too.
 *
 *      initiator                            reader
 *      ---------                            ------
 *      EPT stores                      [R1] set own bit in active, the dirty set
 *  [X1] set all bits of mask           [X5] own mark is not 0: clear it
 *  [X2] t := gen++, the call's number  [X6] own bit in mask is set: clear it, flush
 *  [X3] for each active CPU: mark :=        VM entry, guest, VM exit
 *      min(mark, t), 0 being infinite  [R4] clear own bit in active
 *      kick it                         [X7] the kick's interrupt: mark := 0
 *  [X4] wait for each CPU until its
 *      mark is 0 or more than t, or
 *      it is not active
 *
 * A mark is the number of the oldest call that its CPU has not acknowledged.
 *
 * Why: R1 and X1 are locked, each before the other side's load.  So a reader that X3
 * does not find in the active set tests its bit after X1 (X6), and flushes.  One that
 * it finds acknowledges outside of the guest, by X7 or X5, after t was put in its mark;
 * or is seen inactive; and then tests its bit after X1 too.  Whoever is waited for has
 * a kick under way: X3 kicks each, and a mark whose kick the host took outside of the
 * run loop is cleared by X5.
 *
 *   [X1] before X3: a reader could acknowledge, enter, and never flush.
 *   [X2] after X1, so that done(t) settles all smaller numbers as well: their bits were
 *        set before.  shared[0] remembers the highest number that is done.
 *   [X3] the oldest number stays: were it replaced by a newer one, an older call would
 *        pass for acknowledged.
 *   [R1] before X6: a reader that tests first could join late, unkicked and unflushed.
 *        Nothing else would wait for it.
 *   [X5] by a locked exchange, before X6: a plain store could still be in the store
 *        buffer when X6 has seen a clear bit.  A second call would find the mark of the
 *        first, leave it there, and take the late store for its acknowledgement.
 *   [X6] clear and flush in either order: the bit is this CPU's own, and nothing is
 *        cached between the flush and VM entry, so a bit that was set in between, and
 * is lost, stands for an edit that the guest finds made.
 *
 * Cost: initiator 1 locked RMW, one per 64 CPUs, and one with a kick and two line
 * transfers per active CPU; a reader 2 locked RMWs per entry and exit, 1 more per flush
 * on the line of the mask.
 * Unsound when: interrupts are on between R1 and VM entry, for then X7 could
 * acknowledge what the entry does not flush for; the set that is kicked is that of
 * running CPUs with a late bit.  No deadlock: an initiator that waits is not active.
 * Checked by: tests/proto on the machine; tests/host/threads.c and initiators.c under
 * TSan, with the mutants of tests/host/mutants_ack.c; tests/unit/inval.c.
 */
#include "inval/inval.h"
#include "inval/hw.h"
#include "inval/step.h"
#include "lib/catalog.h"

#define NAME "dirty-mask"
#define WHAT "a mask of CPUs that must flush, and a synchronous empty IPI: Xen"
CATALOG(proto, "proto", NAME, WHAT);

static void enter(struct inval_reader *r)
{
	STEP(R1);
	or_fence(r->active, r->bit);
	STEP(X5);
	if (load_acquire(&r->mark.word))
		store_fence(&r->mark.word, 0ull);
	if (!(load_acquire(r->mask) & r->bit) && r->flushed)
		return;
	STEP(X6);
	and_fence(r->mask, r->others); /* pairs with X1 */
	inval_flush(r, r->flushed + 1);
}

static void exit(struct inval_reader *r)
{
	STEP(R4);
	and_fence(r->active, r->others);
}

static void kicked(struct inval_reader *r)
{
	STEP(X7);
	store_release(&r->mark.word, 0ull);
}

/* Makes the oldest number stay. */
static void call(atomic64_t *mark, u64 t)
{
	u64 was = load_relaxed(mark);

	while ((!was || was > t) && !cas(mark, was, t))
		was = load_relaxed(mark);
}

static ticket_t publish(struct inval *iv, const struct gather *g)
{
	ticket_t t;

	(void)g;
	STEP(X1);
	for (unsigned i = 0; i * 64 < iv->cpus; i++)
		store_fence(&iv->mask[i], ~0ull);
	STEP(X2);
	t = fetch_add(&iv->gen, 1ull);
	STEP(X3);
	for (unsigned i = 0; i < iv->cpus; i++)
		if (inval_active(iv, i)) {
			call(&iv->reader[i].mark.word, t);
			hw_kick(i);
		}
	return t;
}

static int laggard(struct inval *iv, ticket_t t)
{
	if (load_acquire(&iv->shared[0].word) >= t)
		return -1;
	STEP(X4);
	for (unsigned i = 0; i < iv->cpus; i++) {
		u64 mark = load_acquire(&iv->reader[i].mark.word);

		if (mark && mark <= t && inval_active(iv, i))
			return (int)i;
	}
	return -1;
}

const struct inval_proto dirty_mask = {
	.name = NAME,
	.what = WHAT,
	.sound = true,
	.guarantee = G1,
	.enter = enter,
	.exit = exit,
	.kicked = kicked,
	.publish = publish,
	.done = inval_done_for_good,
	.laggard = laggard,
};
