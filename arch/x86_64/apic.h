/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apic - the local APIC, by memory (xAPIC) or by MSR (x2APIC); SDM vol. 3, ch. 11
 */
#ifndef ARCH_APIC_H
#define ARCH_APIC_H

#include "lib/types.h"

enum apic_mode { APIC_AUTO, APIC_X, APIC_X2 };

/* ICR delivery modes and bits (11.6.1). */
#define ICR_FIXED   0x000
#define ICR_NMI     0x400
#define ICR_INIT    0x500
#define ICR_STARTUP 0x600
#define ICR_LOGICAL 0x800 /* the destination is a logical ID */
#define ICR_ASSERT  0x4000

/*
 * Chooses the mode for all CPUs and enables this CPU's APIC, at the address that
 * IA32_APIC_BASE names.  AUTO takes x2APIC where the CPU has it.  Returns NULL or a
 * sentence.
 */
const char *apic_init(enum apic_mode want);

/* Enables another CPU's APIC in the chosen mode.  Both note the CPU's logical ID. */
void apic_enable(void);

/* Has apic_init() been here?  Can an IPI be addressed to that ID in this mode? */
bool apic_ready(void);
bool apic_reaches(u32 id);

/* Have CPUs logical IDs that name a cluster and a CPU in it (11.12.10.2)? */
bool apic_clusters(void);

const char *apic_mode_name(void);
u32 apic_id(void);
void apic_eoi(void);

/* Sends what `icr` says to the APIC with id `dest`, physical unless it says logical. */
void apic_send(u32 dest, u32 icr);

/* Does an interrupt with that vector wait in this CPU's APIC? */
bool apic_pending(unsigned vector);

/*
 * Interrupts this CPU once after `count` bus clocks, 0 disarms: at VECTOR_TIMER, or at
 * the vector that was named last.
 */
void apic_timer(u32 count);
void apic_timer_vector(unsigned vector);

#endif
