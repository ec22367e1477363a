/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stop-world - each CPU of the VM is suspended by a word of its own, and told to flush
 * when it resumes
 *
 * Claim: from begin() to publish() no CPU is in the guest; each flushes before its next
 * guest instruction (G1, and the world is stopped).  done() is true at once.
 *
 * Origin: Jailhouse, which suspends a cell's CPUs, edits, sets their flush flags and
 * resumes them; it keeps the three flags under a lock per CPU, here they are one word.
 *
 *      initiator                            reader: its mark is IN | WANT | FLUSH
 *      ---------                            --------------------------------------
 *  [W1] take the mutex                      set own bit in active
 *  [W2] for each CPU: set WANT,        [W6] wait until WANT is clear, then set IN and
 *      kick it if it was IN                 clear FLUSH by one compare-and-swap
 *  [W3] wait until each is not IN      [W7] FLUSH was set, as it is at first:
 *      EPT stores                           flush
 *  [W4] for each CPU: mark := FLUSH         VM entry, guest, VM exit
 *  [W5] free the mutex                 [W8] clear IN: suspended
 *                                           clear own bit
 *
 * Why: IN and WANT are in one word, so they need no fence between them: W2 finds IN,
 * and W3 waits for W8; or it does not, and then W6 fails until W4.  All that happens to
 * a mark between W3 and W4 is failing W6s, so W4 is a plain store, which no other
 * initiator can overwrite before W5.  A CPU that runs has no FLUSH: W4 sets it while
 * the CPU is out, and W6 takes it away, so whether it is cleared before or after the
 * flush does not matter.
 *
 *   [W4] after the EPT stores, for all CPUs: one that is out holds translations too.
 *   [W5] after W4: else the next initiator's WANT would be lost in it.
 *   [W7] interrupts are off from W6 to VM entry, so that a kick is not lost in between.
 *
 * Cost: initiator 1 + N locked RMWs on lines of N CPUs, N stores, a kick per CPU in the
 * guest; a reader 4 locked RMWs per entry and exit, two of them on its own line.  The
 * guest stands still, on all CPUs, and initiators exclude each other.
 * Unsound when: a CPU enters without the hook.  Deadlock when: who has begun waits for
 * a CPU to leave its run loop (it may be in W6), or for another initiator (it may be in
 * W1).  An initiator in W1 is outside of the guest, so nobody waits for it.  A lost
 * kick leaves W3 waiting, where no watchdog looks.
 * Checked by: tests/proto on the machine; tests/host/threads.c and initiators.c under
 * TSan, with the mutants of tests/host/mutants_stop.c; tests/unit/inval.c.
 */
#include "inval/inval.h"
#include "inval/hw.h"
#include "inval/step.h"
#include "lib/catalog.h"

#define NAME "stop-world"
#define WHAT "suspend all CPUs of the VM, edit, resume with a flush flag: Jailhouse"
CATALOG(proto, "proto", NAME, WHAT);

/* Of inval_reader.mark. */
#define IN    1ull /* the CPU is in the guest, or enters it */
#define WANT  2ull /* it is asked to stay out               */
#define FLUSH 4ull /* it flushes before it enters           */

static atomic64_t *mutex(struct inval *iv)
{
	return &iv->shared[0].word;
}

/* Sets IN when nobody minds; what the mark was. */
static u64 resume(atomic64_t *mark)
{
	for (;;) {
		u64 was = load_acquire(mark); /* pairs with W4 */

		STEP(W6);
		if (!(was & WANT) && cas(mark, was, IN))
			return was;
		relax();
	}
}

static void enter(struct inval_reader *r)
{
	or_fence(r->active, r->bit);
	if (resume(&r->mark.word) & FLUSH) {
		STEP(W7);
		inval_flush(r, r->flushed + 1);
	}
}

static void exit(struct inval_reader *r)
{
	STEP(W8);
	and_fence(&r->mark.word, ~IN);
	and_fence(r->active, r->others);
}

static void begin(struct inval *iv)
{
	STEP(W1);
	while (!cas(mutex(iv), 0ull, 1ull))
		relax();
	STEP(W2);
	for (unsigned i = 0; i < iv->cpus; i++)
		if (fetch_or(&iv->reader[i].mark.word, WANT) & IN)
			hw_kick(i);
	STEP(W3);
	for (unsigned i = 0; i < iv->cpus; i++)
		while (load_acquire(&iv->reader[i].mark.word) & IN)
			relax();
}

static ticket_t publish(struct inval *iv, const struct gather *g)
{
	(void)g;
	STEP(W4);
	for (unsigned i = 0; i < iv->cpus; i++)
		store_release(&iv->reader[i].mark.word, FLUSH);
	STEP(W5);
	store_release(mutex(iv), 0ull);
	return 0;
}

const struct inval_proto stop_world = {
	.name = NAME,
	.what = WHAT,
	.sound = true,
	.guarantee = G1,
	.fresh = FLUSH, /* W7 */
	.enter = enter,
	.exit = exit,
	.begin = begin,
	.publish = publish,
	.done = inval_done_at_once,
	.laggard = inval_no_laggard,
};
