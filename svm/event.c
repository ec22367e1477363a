/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event - injecting through a VMCB (APM 15.20, 15.21)
 *
 * #VMEXIT clears EVENTINJ, so what is there during an exit has been written during this
 * exit.  An interrupt goes by EVENTINJ too.  V_IRQ only finds out when the guest can
 * take one: it is intercepted before it is taken, so its vector never counts, and it is
 * above any V_TPR.
 */
#include "svm/event.h"
#include "arch/x86_64/msr.h"

#define RFLAGS_IF BIT(9)
#define TRAP_BP   3
#define TRAP_OF   4

void svm_event_inject(struct vmcb *b, struct event e)
{
	u64 type = e.kind == EVENT_IRQ ? EVENT_TYPE_IRQ : EVENT_TYPE_EXCEPTION;
	bool error = e.has_error && b->cr0 & CR0_PE;

	b->eventinj = EVENT_VALID | field_put(EVENT_TYPE, type) | e.vector |
		      (error ? EVENT_HAS_ERROR | field_put(EVENT_ERROR, e.error) : 0);
}

/*
 * False if there is none, or none of ours: what INT n, INT3 and INTO raise is raised
 * again by the instruction, behind which RIP is not yet (15.7.2); NMIs are the host's.
 * Without the valid bit all the others mean nothing.
 */
static bool decode(u64 info, struct event *e)
{
	u64 type = field_get(EVENT_TYPE, info);
	u8 vector = (u8)field_get(EVENT_VECTOR, info);

	if (!(info & EVENT_VALID) ||
	    (type != EVENT_TYPE_IRQ && type != EVENT_TYPE_EXCEPTION))
		return false;
	if (type == EVENT_TYPE_EXCEPTION && (vector == TRAP_BP || vector == TRAP_OF))
		return false;
	*e = (struct event){
		.kind = type == EVENT_TYPE_IRQ ? EVENT_IRQ : EVENT_EXCEPTION,
		.vector = vector,
		.has_error = info & EVENT_HAS_ERROR,
		.error = info & EVENT_HAS_ERROR ? (u32)field_get(EVENT_ERROR, info) : 0,
	};
	return true;
}

bool svm_event_waiting(const struct vmcb *b, struct event *e)
{
	return decode(b->eventinj, e);
}

void svm_event_again(struct vmcb *b)
{
	struct event e;

	if (decode(b->exitintinfo, &e))
		svm_event_inject(b, e);
}

bool svm_event_irq_open(const struct vmcb *b)
{
	return b->rflags & RFLAGS_IF && !(b->interrupt_shadow & INTERRUPT_SHADOW);
}

void svm_event_irq_window(struct vmcb *b, bool on)
{
	b->v_intr = on ? V_INTR_MASKING | V_IRQ | V_IGN_TPR : V_INTR_MASKING;
	b->misc1 = on ? b->misc1 | MISC1_VINTR : b->misc1 & ~(u32)MISC1_VINTR;
}
