/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * desc - segment and interrupt descriptor tables (SDM vol. 3, 3.4.5, 6.14, 8.7)
 */
#ifndef ARCH_DESC_H
#define ARCH_DESC_H

#include "arch/x86_64/cpu.h"

/* Interrupt stack table slots, numbered from 1 as in the IDT. */
enum { IST_NONE, IST_NMI, IST_DF, IST_MC };

/*
 * Loads this CPU's GDT, TSS and the IDT, and points GS at `c`.  The IST stacks are
 * those of c's slot; they need not be mapped before the first NMI, #DF or #MC.
 */
void desc_load(struct cpu *c);

/* Top of the stack whose first page is `page` in c's slot, and has `pages`. */
u64 stack_top(unsigned cpu, unsigned page, unsigned pages);

u64 idt_address(void);

#endif
