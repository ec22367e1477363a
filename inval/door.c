/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * door - keeps every CPU of a VM in the host while an edit is made
 *
 * For edits that no CPU may see half of and that cannot break before they make: a page
 * that changes its size while it stays present.  On some CPUs translations of one page
 * in two sizes are a machine check (AMD's erratum 383; on others a fetch raises it).
 *
 * Claim: from door_shut() to door_open() no CPU of the VM is in the guest, and each
 * flushes between that and its next guest instruction.  So whatever is stored there, no
 * CPU ever holds what was before and what is after.
 *
 * Origin: FreeBSD's workaround in pmap_update_pde(): smp_rendezvous() of all CPUs, and
 * the generation is bumped while all of them spin.  There every CPU must come, whatever
 * it does.  Here one that is in the host need not: it cannot get in.  It is a door
 * around whatever protocol the VM has, whose enter and exit hooks tell who is inside.
 *
 *      initiator                            reader
 *      ---------                            ------
 *  [B1] shut, a mutex: fence                enter hook: shows itself, fence
 *  [B2] kick who is inside              [B3] shut: exit hook, spin until it is open,
 *       wait until nobody is                 enter hook again
 *      EPT stores, one for each entry       VM entry, guest, VM exit
 *  [B4] publish: the generation moves       exit hook
 *       wait until done; judge
 *  [B5] open
 *
 * Why: B1 and the enter hook each have a full fence between their store and the other
 * side's load.  So either the reader sees the door shut and turns back, or B2 sees it
 * inside, kicks it and waits for its exit hook.  Who gets in after B5 has seen the door
 * open by an acquire, after which it runs no guest without another enter hook: that one
 * sees B4, and flushes.  The done() of B4 is true soon, as nobody is inside but for the
 * few steps to B3.
 *
 *   [B3] after the enter hook: a reader that looks first could be held up, and get in
 *        unseen.
 *   [B4] before B5: else a reader gets in with the generation, and the translations,
 *        that it had.
 *
 * A reader that passes B3 once the door is open may have run its enter hook before B4,
 * and stale, only if it was inside all the time, and then B2 waits for it.
 *
 * Four deadlocks of a rendezvous, in which whoever wants it waits for all CPUs to come
 * with interrupts off, and why there is none here:
 *   two initiators   each waits for the other to come.  Here a CPU that waits for B1 is
 *                    outside, and nobody waits for it.
 *   a lock           that the initiator holds, while another CPU spins for it with
 *                    interrupts off; or that the edit takes, from who was stopped while
 *                    he held it.  Here who spins is outside, and nobody is stopped but
 *                    at the door, where he holds nothing.
 *   itself           an initiator in the section waits for its own exit: a panic.
 *   a host wait      for what the initiator does afterwards, interrupts off.  As for a
 *                    lock.
 * Left to deadlock: a caller who waits for a CPU's guest, or for one to leave its run
 * loop, between B1 and B5.  A lost kick leaves B2 waiting, where no watchdog looks.
 *
 * Cost: a VM that no door is fitted to pays nothing.  With one: initiator a locked RMW
 * for B1, a kick for each CPU inside, and what its protocol's publish() costs when
 * nobody is; a reader a call and a load of the generation's line more at each entry,
 * and an enter and an exit hook when it is stopped.  All that time the guest stands
 * still on all CPUs, and initiators of the VM exclude each other.
 * Unsound when: a CPU enters without B3; or the protocol's enter hook has no full fence
 * after it shows the CPU inside, or does not flush after a publish() (`local-only`).
 * Checked by: tests/unit/door.c, tests/proto/resize.c on the machine, tests/host under
 * TSan with mutants, and the explorer, for the deadlocks as well.
 */
#include "inval/door.h"
#include "inval/hw.h"
#include "inval/step.h"

void door_fit(struct inval *iv)
{
	iv->fitted = true;
}

void door_enter(struct inval_reader *r)
{
	const struct inval *iv = r->iv;

	iv->proto->enter(r);
	STEP(B3);
	while (load_acquire(&iv->door)) { /* pairs with B1 and B5 */
		iv->proto->exit(r);
		while (load_acquire(&iv->door))
			relax();
		iv->proto->enter(r);
		STEP(B3);
	}
}

static void kick_inside(struct inval *iv)
{
	for (unsigned base = 0; base < iv->cpus; base += 64) {
		u64 which = 0;

		for (unsigned i = base; i < MIN(base + 64, iv->cpus); i++)
			which |= inval_active(iv, i) ? BIT(i % 64) : 0;
		if (which)
			hw_kick_many(base, which);
	}
}

void door_shut(struct inval *iv, struct gather *g)
{
	u64 self = hw_self() + 1ull;

	inval_not_a_reader(iv);
	if (!iv->fitted)
		panic("inval: readers of this VM do not come by a door");
	if (load_relaxed(&iv->begun) == self || load_relaxed(&iv->door) == self)
		panic("inval: CPU %u has stopped the readers already", hw_self());
	STEP(B1);
	while (!cas(&iv->door, 0ull, self))
		relax();
	STEP(B2);
	kick_inside(iv);
	for (unsigned i = 0; i < iv->cpus; i++)
		while (inval_active(iv, i)) /* pairs with the exit hook */
			relax();
	g->stopped = true;
}

ticket_t door_open(struct inval *iv, struct gather *g)
{
	ticket_t t;

	assert(load_relaxed(&iv->door) == hw_self() + 1ull && !g->tag);
	STEP(B4);
	t = inval_publish(iv, g);
	while (!inval_done(iv, t))
		relax();
	inval_complete(iv, g);
	g->stopped = false;
	STEP(B5);
	store_release(&iv->door, 0ull);
	return t;
}
