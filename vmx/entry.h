/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry - offsets that entry.S and C share.
 */
#ifndef VMX_ENTRY_H
#define VMX_ENTRY_H

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
#include "vm/backend.h"

_Static_assert(offsetof(struct vcpu, g) == 0 && offsetof(struct gprs, rbp) == G_RBP &&
		       offsetof(struct gprs, r8) == G_R8 &&
		       offsetof(struct gprs, r15) == G_R15,
	       "entry.S knows struct gprs");

/* See entry.S. */
bool vmx_enter(struct vcpu *v, bool launched);
extern char vmx_exit[];
#endif
#endif
