/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x2apic - IPIs by MSR, for those who know that the mode is x2APIC; SDM vol. 3, 11.12
 */
#ifndef ARCH_X2APIC_H
#define ARCH_X2APIC_H

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/msr.h"

/*
 * Sends what `icr` says to `dest`, as apic_send() does.  The WRMSR may pass earlier
 * stores (11.12.3): a sender that needs its stores seen first has executed a locked
 * instruction, and the LFENCE keeps the WRMSR behind that.  There is no MFENCE on
 * purpose: it would hide that a protocol lacks a fence of its own.
 */
static inline void x2apic_send(u32 dest, u32 icr)
{
	this_cpu()->icr_writes++;
	asm volatile("lfence" : : : "memory");
	wrmsr_halves(MSR_X2APIC_ICR, icr, dest);
}

#endif
