/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event - injecting into the current VMCS; see vm/event.h and vm/backend.h
 */
#ifndef VMX_EVENT_H
#define VMX_EVENT_H

#include "vm/event.h"
#include "vmx/vmcs.h"

/*
 * The VM-entry interruption information of an event (SDM vol. 3, 25.8.3), for a guest
 * with CR0.PE as given: with an error code where there can be none, entry fails.
 */
static inline u32 vmx_event_encode(struct event e, bool protected)
{
	u64 type = e.kind == EVENT_IRQ ? INTR_TYPE_IRQ : INTR_TYPE_EXCEPTION;

	return (u32)(INTR_VALID | field_put(INTR_TYPE, type) | e.vector |
		     (e.has_error && protected ? INTR_ERROR : 0));
}

/*
 * The event of such information, or of the IDT-vectoring information of an exit.  False
 * if there is none, or none of ours: what INT n, INT3, INTO and INT1 raise is raised
 * again by the instruction, behind which RIP is not yet (28.2.4); NMIs are the host's.
 */
static inline bool vmx_event_decode(u64 info, u64 error, struct event *e)
{
	u64 type = field_get(INTR_TYPE, info);

	if (!(info & INTR_VALID) ||
	    (type != INTR_TYPE_IRQ && type != INTR_TYPE_EXCEPTION))
		return false;
	*e = (struct event){
		.kind = type == INTR_TYPE_IRQ ? EVENT_IRQ : EVENT_EXCEPTION,
		.vector = (u8)field_get(INTR_VECTOR, info),
		.has_error = info & INTR_ERROR,
		.error = info & INTR_ERROR ? (u32)error : 0,
	};
	return true;
}

/* struct backend. */
void vmx_event_inject(struct event e);
bool vmx_event_waiting(struct event *e);
bool vmx_event_irq_open(void);
void vmx_event_irq_window(bool on);

/* At an exit that may have interrupted the delivery of an event: it waits again. */
void vmx_event_again(void);

/* The instruction that the shadow of STI or MOV SS covered is done. */
void vmx_event_shadow_over(void);

#endif
