/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request - a flag for each CPU that asks it to flush, a mode, and a shared kick
 *
 * Claim (G1): when done() is true, every CPU that was in the guest at publish() has
 * left it, and flushes before it executes another guest instruction.
 *
 * Origin: KVM's kvm_make_all_cpus_request() with KVM_REQUEST_WAIT.  KVM waits inside,
 * for the answers to its IPIs; here the wait can be polled.
 *
 *      initiator                            reader
 *      ---------                            ------
 *      EPT stores                      [Q1] mark := IN_GUEST, what I have served; fence
 *  [K1] t := gen += 2                  [Q2] load asked; is it set?
 *       for each CPU:                  [Q3]   mark := OUTSIDE, asked := 0, fence
 *  [Q5]   asked := 1, fence            [Q4]   load gen, flush: that is served; go to Q1
 *  [K4]   IN_GUEST, served < t:             VM entry, guest, VM exit
 *         EXITING; if it was me: kick  [K3] mark := OUTSIDE
 *  [K5] wait until marks are OUTSIDE,
 *       or have served t
 *
 * The mode is the kind of the mark (inval/marks.c): 0 is OUTSIDE, odd IN_GUEST, even
 * EXITING, and its value is the generation that has been served.  KVM's ticket is the
 * list of CPUs that it waits for; here it is a generation, and `served` says of each
 * stay whether it is one of those: no ticket needs memory.
 *
 * Why: Q1 and Q5 are a Dekker pair.  Either the reader sees the request, and serves it
 * before it enters; or the initiator sees the stay, kicks it and waits for it.  Served
 * means: Q4 loads gen after Q3 has taken the request back, and flushes after that, so
 * whoever asks later asks again; whoever asked before is among the generations loaded,
 * because K1 comes before Q5.
 *
 *   [Q1] a locked instruction, before Q2: else both sides may miss each other.
 *   [Q3] a locked instruction, before Q4: taken back later, a request that came
 *        meanwhile would be lost, and its initiator wait, with no kick on its way, for
 *        a stay that has not served it.
 *   [Q4] gen before the flush, so that what counts as served has been flushed for.
 *        The other order would do while nothing is cached between flush and VM entry.
 *   [Q5] after K1, before K4: the other way round, a reader could enter between the
 *        look at its mode and the request.
 *
 * A reader that nobody has asked yet and that has never flushed serves at once.
 * Many initiators: a request that finds the flag set is served together with it; one
 * kick for a stay (K4).
 *
 * Cost: initiator 1 locked RMW, and one for each CPU that may run the guest, in it or
 * not, with the transfer of its line; for one in the guest another, and a kick.  A
 * reader: 1 locked RMW per entry and exit, 2 more for each time that it serves.
 * Unsound when: interrupts are enabled between Q1 and VM entry (no end of the wait); a
 * kick is lost, for the same reason; the initiator is a reader itself.
 * Checked by: tests/proto on the machine; tests/host/threads.c under TSan with one and
 * with several initiators; tests/host/record; tests/unit/marks.c.
 */
#include "inval/marks.h"
#include "inval/step.h"
#include "lib/catalog.h"

#define NAME "request"
#define WHAT "a request flag and a mode for each CPU, a shared kick and a wait: KVM"
CATALOG(proto, "proto", NAME, WHAT);

/* Marks are odd; a CPU that has served nothing shows less than any ticket. */
static u64 in_guest(const struct inval_reader *r)
{
	return r->flushed | 1;
}

static bool asked(const struct inval_reader *r)
{
	STEP(Q2);
	return load_acquire(&r->mark.asked) || !r->flushed; /* pairs with Q5 */
}

static void serve(struct inval_reader *r)
{
	do {
		STEP(Q3);
		store_release(&r->mark.word, MARK_OUT);
		(void)swap(&r->mark.asked, 0ull); /* pairs with Q5 */
		STEP(Q4);
		inval_flush(r, load_acquire(&r->iv->gen)); /* pairs with K1 */
		STEP(Q1);
		store_fence(&r->mark.word, in_guest(r));
	} while (asked(r));
}

static void enter(struct inval_reader *r)
{
	STEP(Q1);
	store_fence(&r->mark.word, in_guest(r)); /* pairs with K4 */
	if (asked(r))
		serve(r);
}

static void exit(struct inval_reader *r)
{
	STEP(K3);
	store_release(&r->mark.word, MARK_OUT); /* pairs with K5 */
}

static ticket_t publish(struct inval *iv, const struct gather *g)
{
	ticket_t t;

	(void)g;
	STEP(K1);
	t = marks_bump(iv);
	for (unsigned i = 0; i < iv->cpus; i++) {
		STEP(Q5);
		or_fence(&iv->reader[i].mark.asked, 1ull); /* pairs with Q2 */
		mark_kick(iv, i, t);
	}
	return t;
}

const struct inval_proto request = {
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
