/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gprs - a guest's general-purpose registers, with the offsets that assembly needs.
 */
#ifndef VM_GPRS_H
#define VM_GPRS_H

#define G_RAX 0
#define G_RBX 8
#define G_RCX 16
#define G_RDX 24
#define G_RSI 32
#define G_RDI 40
#define G_RBP 48
#define G_R8  56
#define G_R9  64
#define G_R10 72
#define G_R11 80
#define G_R12 88
#define G_R13 96
#define G_R14 104
#define G_R15 112

#ifndef __ASSEMBLER__
#include "lib/types.h"

/* RSP and RIP are hardware's, and for some hardware RAX as well. */
struct gprs {
	u64 rax, rbx, rcx, rdx, rsi, rdi, rbp;
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
};

_Static_assert(offsetof(struct gprs, rbp) == G_RBP &&
		       offsetof(struct gprs, r8) == G_R8 &&
		       offsetof(struct gprs, r15) == G_R15,
	       "entry.S knows struct gprs");
#endif
#endif
