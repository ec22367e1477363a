/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * insn - SVM instructions outside of entry.S (APM vol. 3, ch. 4)
 */
#ifndef SVM_INSN_H
#define SVM_INSN_H

#include "lib/types.h"

/* What VMRUN leaves alone: FS, GS, TR, LDTR, and the MSRs of SYSCALL and SYSENTER. */
static inline void vmsave(u64 pa)
{
	asm volatile("vmsave %0" : : "a"(pa) : "memory");
}

/* Interrupts and NMIs that #VMEXIT has kept off are taken from here on. */
static inline void stgi(void)
{
	asm volatile("stgi" : : : "memory");
}

/*
 * Lets the host take what is pending.  STI's shadow covers one instruction, so there is
 * one before the CLI.
 */
static inline void take_interrupts(void)
{
	asm volatile("sti; nop; cli" : : : "memory");
}

#endif
