/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trampoline - the page below 1 MiB where APs begin, and the table they look up.
 */
#ifndef ARCH_TRAMPOLINE_H
#define ARCH_TRAMPOLINE_H

#define SMP_ENTRY_SIZE  24
#define SMP_ENTRY_CPU   8
#define SMP_ENTRY_STACK 16

#ifndef __ASSEMBLER__
#include "lib/types.h"

struct smp_entry {
	u32 apic_id;
	u64 cpu;   /* struct cpu */
	u64 stack; /* its top    */
};
_Static_assert(sizeof(struct smp_entry) == SMP_ENTRY_SIZE &&
		       offsetof(struct smp_entry, cpu) == SMP_ENTRY_CPU &&
		       offsetof(struct smp_entry, stack) == SMP_ENTRY_STACK,
	       "trampoline.S reads struct smp_entry");

extern const char trampoline_start[], trampoline_end[];
extern struct smp_entry smp_table[];
extern u32 smp_table_n;
#endif
#endif
