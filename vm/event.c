/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event - exceptions and interrupts that the host gives to a guest
 *
 * Hardware delivers one event with each entry, and forgets it when the guest exits.
 * What is to be delivered is written into the VMCS or VMCB when somebody asks for it,
 * during an exit, so an exit for which nobody asks costs nothing.
 *
 *      vm_raise_irq   any CPU   raised |= bit; REQUEST_IRQ; kick
 *      exit           v's CPU   the request is seen: vcpu_offer_irq()
 *        the guest can take it        inject; raised &= ~bit
 *        it cannot: IF, a shadow,     window: exit as soon as it can, EXIT_IRQ_WINDOW,
 *        or another event is first    and offer again
 *
 *   [I1] a vector is raised before the request is set, and the request is taken back
 *        before the vectors are read
 *   [I2] a vector is taken back when it is injected and not earlier
 *   [I3] an event whose delivery an exit interrupts waits again when the exit's policy
 *        is asked: the backend sees to that
 *
 * So no interrupt is lost, and none comes twice.  An exception that is asked for while
 * another event waits has come up in that one's delivery (I3): what follows is what a
 * CPU makes of it (SDM vol. 3, table 6-5; APM vol. 2, 8.2.9).  In one thing this is
 * kinder: an interrupt whose delivery ends in an exception is raised again.
 * Checked by: tests/unit/event.c, tests/vmx/events.c.
 */
#include "arch/x86_64/trap.h"
#include "vm/backend.h"

/* Those that may be injected, that push an error code, that are contributory. */
#define EXCEPTIONS   (BITS(1, 0) | BITS(8, 5) | BITS(14, 10) | BITS(17, 16) | BIT(19))
#define WITH_ERROR   (BIT(8) | BITS(14, 10) | BIT(17))
#define CONTRIBUTORY (BIT(0) | BITS(13, 10))

static bool in(u64 set, u8 vector)
{
	return vector < 32 && set & BIT(vector);
}

static bool is_double(u8 first, u8 second)
{
	if (first == TRAP_PF)
		return second == TRAP_PF || in(CONTRIBUTORY, second);
	return in(CONTRIBUTORY, first) && in(CONTRIBUTORY, second);
}

static bool is_triple(u8 first, u8 second)
{
	return first == TRAP_DF && (second == TRAP_PF || in(CONTRIBUTORY, second));
}

/* -1: there is none. */
static int highest(const struct irqs *q)
{
	for (int i = IRQ_WORDS; i-- > 0;) {
		u64 word = load_acquire(&q->raised[i]);

		if (word)
			return i * 64 + 63 - __builtin_clzll(word);
	}
	return -1;
}

static void raise(struct irqs *q, u8 vector)
{
	or_fence(&q->raised[vector / 64], BIT(vector % 64));
}

void vm_inject_exception(struct vcpu *v, u8 vector, u32 error)
{
	struct event e = { EVENT_EXCEPTION, vector, in(WITH_ERROR, vector), error };
	struct event first;
	bool waits = backend->waiting(&first);

	assert(in(EXCEPTIONS, vector));
	if (waits && first.kind == EVENT_IRQ) {
		raise(&v->irqs, first.vector);
		backend->irq_window(true);
	} else if (waits && is_triple(first.vector, vector)) {
		v->stopped = "triple fault";
		or_fence(&v->request, (u32)REQUEST_STOP);
	} else if (waits && is_double(first.vector, vector)) {
		e = (struct event){ EVENT_EXCEPTION, TRAP_DF, true, 0 };
	}
	backend->inject(e);
}

bool vcpu_offer_irq(struct vcpu *v)
{
	int vector = highest(&v->irqs);
	struct event first;
	bool take = vector >= 0 && backend->irq_open() && !backend->waiting(&first);

	if (take) {
		backend->inject((struct event){ EVENT_IRQ, (u8)vector, false, 0 });
		and_fence(&v->irqs.raised[vector / 64], ~BIT(vector % 64)); /* I2 */
	}
	backend->irq_window(highest(&v->irqs) >= 0);
	return take;
}

bool vcpu_answer_irq(struct vcpu *v)
{
	and_fence(&v->request, ~(u32)REQUEST_IRQ); /* I1 */
	return vcpu_offer_irq(v);
}

void vcpu_forget_irqs(struct vcpu *v)
{
	for (unsigned i = 0; i < IRQ_WORDS; i++)
		store_relaxed(&v->irqs.raised[i], 0ull);
}

void vcpu_note_irq(struct vcpu *v, u8 vector)
{
	assert(vector >= IRQ_FIRST);
	raise(&v->irqs, vector); /* I1 */
	or_fence(&v->request, (u32)REQUEST_IRQ);
}
