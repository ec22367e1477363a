/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kick_pending - a kick that arrives between the enter hook and VM entry is not lost
 *
 * The reader is held there: its enter hook waits, with interrupts off, until the
 * initiator has sent the kick.  The kick must stay pending and cause an exit at once;
 * were it taken by the host, nobody would wake the initiator, and trap() panics.
 */
#include "arch/x86_64/kick.h"
#include "lib/str.h"
#include "tests/guest/abi.h"
#include "tests/proto/scenario.h"

#define SPINS 1000000

static atomic32_t hold, held;

static void holding_enter(struct inval_reader *r)
{
	gen_smr.enter(r);
	if (!load_acquire(&hold))
		return;
	store_release(&held, 1u);
	while (load_acquire(&hold))
		relax();
}

static bool spin_until(const atomic32_t *flag)
{
	for (unsigned i = 0; i < SPINS && !load_acquire(flag); i++)
		relax();
	return load_acquire(flag);
}

static void kick_while_held(struct run *t, struct stage *s)
{
	struct gather g = gather_init();
	struct vcpu *v = s->vm->vcpu[0];
	ticket_t ticket;

	store_relaxed(&held, 0u);
	store_release(&hold, 1u);
	v->enter = holding_enter;
	kick_now(v->cpu); /* out of the guest, and into the hook */
	EXPECT(t, spin_until(&held));
	EXPECT_EQ(t,
		  ept_remap(&s->vm->ept, GPA(GUEST_WINDOW), s->block[1], s->size, &g),
		  E_OK);
	ticket = vm_publish(s->vm, &g);
	EXPECT(t, !inval_done(&s->vm->inval, ticket));
	store_release(&hold, 0u);
	for (unsigned i = 0; i < SPINS && !inval_done(&s->vm->inval, ticket); i++)
		relax();
	EXPECT(t, inval_done(&s->vm->inval, ticket));
	t->invalidations = 1;
	if (t->verdict != PASS)
		kick_now(v->cpu); /* so that the test ends */
	while (!inval_done(&s->vm->inval, ticket))
		relax();
	vm_retire(s->vm, ticket, &g);
}

TEST(proto, kick_pending, "a kick between the last check and VM entry is not lost",
     .vmx = true, .aps = 1)
{
	static const struct scenario sc = { .layout = ONE_PAGE, .role = GUEST_WRITER };
	static struct stage s;

	t->proto = &gen_smr;
	if (stage_open(&s, t, &sc, 1)) {
		if (stage_progress(&s))
			kick_while_held(t, &s);
		stage_close(&s);
	}
	t->proto = NULL;
}
