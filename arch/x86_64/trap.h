/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trap - exceptions and interrupts that the host takes.
 */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#define TRAP_DB         1
#define TRAP_NMI        2
#define TRAP_UD         6
#define TRAP_DF         8
#define TRAP_PF         14
#define TRAP_AC         17
#define TRAP_MC         18
#define TRAP_EXCEPTIONS 32
#define TRAP_VECTORS    256
#define TRAP_STUB_SIZE  16

/* Vectors of our own. */
#define VECTOR_KICK     0xf0 /* leave the guest; nothing to do in the host */
#define VECTOR_TIMER    0xf1 /* the local APIC timer                       */
#define VECTOR_WATCH    0xf2 /* the same timer, of a CPU that is idle      */
#define VECTOR_SPURIOUS 0xff

#ifndef __ASSEMBLER__
#include "lib/types.h"

/* As the stubs push it; the CPU's part is last. */
struct trap_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rbp, rdi, rsi, rdx, rcx, rbx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

extern char trap_stubs[];

/* Handles an interrupt vector, whether it came by the IDT or by a VM exit. */
void irq_handle(unsigned vector);

/* Makes `fn` the handler of an interrupt vector; it runs with interrupts off. */
void irq_set(unsigned vector, void (*fn)(void));

/* Called by the stubs. */
void trap(struct trap_frame *f);

#endif
#endif
