/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event - exceptions and interrupts that the host gives to a guest; see event.c
 */
#ifndef VM_EVENT_H
#define VM_EVENT_H

#include "lib/atomic.h"
#include "lib/err.h"

enum event_kind { EVENT_IRQ, EVENT_EXCEPTION };

/* What a guest takes through its IDT.  Software interrupts and NMIs are none. */
struct event {
	enum event_kind kind;
	u8 vector;
	bool has_error; /* in protected mode; real mode knows no error codes */
	u32 error;
};

#define IRQ_FIRST 32 /* below are the exceptions */
#define IRQ_WORDS 4

/* The interrupts that a vCPU has not taken yet, a bit for each vector. */
struct irqs {
	atomic64_t raised[IRQ_WORDS]; /* set by any CPU, cleared by the vCPU's */
};

struct vcpu;

/*
 * v's guest takes an exception before its next instruction, if it goes on.  During an
 * exit of v, on its CPU.  `error` is for the vectors that push one.  RIP stays: an
 * exception of the instruction that exited is a fault as long as nobody has called
 * skip().  CR2 is the caller's business.  vector: none of #NMI, #BP, #OF, #MC, which
 * are made in other ways.  After three faults within each other v stops.
 */
void vm_inject_exception(struct vcpu *v, u8 vector, u32 error);

/*
 * v's guest takes an interrupt as soon as it can, once for all calls until then.  Any
 * CPU, between vm_start() and vm_stop().  Of several the highest vector goes first.
 * vector: IRQ_FIRST or higher.
 */
void vm_raise_irq(struct vcpu *v, u8 vector);

/* What vm_raise_irq() does but for waking the vCPU's CPU. */
void vcpu_note_irq(struct vcpu *v, u8 vector);

/*
 * For the run loop, during an exit of v, on its CPU.  Gives the guest the next of its
 * interrupts, or asks for an exit when the guest can take it.  True if it was given.
 */
bool vcpu_offer_irq(struct vcpu *v);

/* The same after REQUEST_IRQ, which it takes back. */
bool vcpu_answer_irq(struct vcpu *v);

/* Forgets all interrupts: v does not run. */
void vcpu_forget_irqs(struct vcpu *v);

#endif
