/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rendezvous - every CPU of the VM is stopped in the host while the edit is made
 *
 * Claim: from begin() to publish() no CPU is in the guest, so the edit has no old
 * translation beside it; each CPU flushes before its next guest instruction (G1, and
 * the world is stopped).  done() is true at once.
 *
 * Origin: FreeBSD's workaround for AMD's erratum 383, a rendezvous in
 * pmap_update_pde().  There all CPUs must come; here one that is not in the guest need
 * not: it stops when it wants to enter.
 *
 *      initiator                            reader
 *      ---------                            ------
 *  [Z1] take stop, a mutex             [R1] set own bit in active
 *  [Z2] load active, kick each         [Z5] stop is taken: clear own bit, wait until
 *  [Z3] wait until active is empty          it is free, back to R1
 *      EPT stores                      [R2] load gen
 *  [G1] gen++                          [R3] gen is not what I flushed for: flush
 *  [Z4] free stop                           VM entry, guest, VM exit
 *                                      [R4] clear own bit: arrived
 *
 * Why: R1 and Z1 are both locked, each before the other side's load.  So either the
 * reader sees that stop is taken and stays out (Z5), or Z2 sees its bit, and Z3 waits
 * for it.  Who enters after Z4 has seen stop free by an acquire, and so sees G1 (R2).
 * Nobody is waited for in vain: a bit that Z2 misses was set after Z1, and Z5 clears
 * it.
 *
 *   [Z5] after R1: a reader that looks first could be held up, then enter unseen, and
 *        use its old translations until it leaves by itself.
 *   [G1] before Z4: else a reader could enter with the old generation, unkicked.
 *   [R3] interrupts are off from R1 to VM entry, so that a kick is not lost in between.
 *
 * Arriving is R4, the exit hook: what happens to the CPU after it is no matter, it is
 * in the host and stays there.  So the handler of the kick has nothing to do.
 *
 * Cost: initiator 2 locked RMWs, a kick and a line transfer per active CPU; a reader 2
 * locked RMWs per entry and exit, 2 more when it is stopped.  All that time the guest
 * stands still, on all CPUs, and initiators exclude each other.
 * Unsound when: a CPU enters without the hook.  Deadlock when: who holds stop waits
 * for a CPU to leave its run loop (it may be in Z5), or for another initiator (it may
 * be in Z1).  An initiator in Z1 is outside of the guest, with interrupts on or off,
 * so nobody waits for it.  A lost kick leaves Z3 waiting, where no watchdog looks.
 * Checked by: tests/proto on the machine; tests/host/threads.c and initiators.c under
 * TSan, with the mutants of tests/host/mutants_stop.c; tests/unit/inval.c.
 */
#include "inval/inval.h"
#include "inval/hw.h"
#include "inval/step.h"
#include "lib/catalog.h"

#define NAME "rendezvous"
#define WHAT "all CPUs of the VM wait in the host: FreeBSD's erratum 383 workaround"
CATALOG(proto, "proto", NAME, WHAT);

/* Who stops the world, as its number + 1; 0 while nobody does. */
static atomic64_t *stop(struct inval *iv)
{
	return &iv->shared[0].word;
}

static void stay_out(struct inval_reader *r)
{
	and_fence(r->active, r->others);
	while (load_acquire(stop(r->iv)))
		relax();
}

static void enter(struct inval_reader *r)
{
	u64 gen;

	STEP(R1);
	or_fence(r->active, r->bit);
	STEP(Z5);
	while (load_acquire(stop(r->iv))) { /* pairs with Z1 and Z4 */
		stay_out(r);
		STEP(R1);
		or_fence(r->active, r->bit);
	}
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

static void begin(struct inval *iv)
{
	STEP(Z1);
	while (!cas(stop(iv), 0ull, hw_self() + 1ull))
		relax();
	STEP(Z2);
	inval_kick_active(iv);
	STEP(Z3);
	for (unsigned i = 0; i * 64 < iv->cpus; i++)
		while (load_acquire(&iv->active[i])) /* pairs with R4 */
			relax();
}

static ticket_t publish(struct inval *iv, const struct gather *g)
{
	(void)g;
	STEP(G1);
	add_fence(&iv->gen, 1ull);
	STEP(Z4);
	store_release(stop(iv), 0ull);
	return 0;
}

const struct inval_proto rendezvous = {
	.name = NAME,
	.what = WHAT,
	.sound = true,
	.guarantee = G1,
	.enter = enter,
	.exit = exit,
	.begin = begin,
	.publish = publish,
	.done = inval_done_at_once,
	.laggard = inval_no_laggard,
};
