/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nmi - asking a CPU where it is, whatever it does: an NMI gets through where
 * interrupts are off, and makes a guest leave.
 */
#ifndef ARCH_NMI_H
#define ARCH_NMI_H

#include "arch/x86_64/trap.h"

enum nmi_request {
	NMI_NOTHING,
	NMI_TELL, /* where are you?                          */
	NMI_PARK, /* tell, and then stop for good            */
	NMI_BAIL, /* panic, with a dump of where you are     */
};

/* Where a CPU was. */
struct where {
	u64 host_rip, host_rsp; /* 0: in the guest */
	u64 guest_rip; /* of the vCPU that is loaded, in the guest or not; 0: none */
	bool in_guest;
	bool irqs_off; /* in the host */
	bool kicked;   /* a kick waits in its local APIC and is not taken */
};

/* Sends the NMI and waits for the answer.  False when there is none. */
bool nmi_ask(unsigned cpu, enum nmi_request what, struct where *out);

/* Makes it panic where it is, and does not wait. */
void nmi_bail(unsigned cpu);

/* Who knows the guest's RIP, of the vCPU that is loaded on this CPU; 0: none.  Once. */
void nmi_guest_hook(u64 (*guest_rip)(void));

/* An NMI: in the host at `f`, or as an exit of the guest, which was at that RIP. */
void nmi_in_host(const struct trap_frame *f);
void nmi_in_guest(u64 guest_rip);

/* An NMI that came as a VM exit leaves NMIs blocked; an IRET unblocks them. */
void nmi_unblock(void);

#endif
