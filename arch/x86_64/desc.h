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
 * those of c's slot, if c->stack_top says that they are mapped; else NMI, #DF and #MC
 * share one, until desc_use_stacks().
 */
void desc_load(struct cpu *c);
void desc_use_stacks(struct cpu *c);

/* Top of the stack whose first page is `page` in c's slot, and has `pages`. */
u64 stack_top(unsigned cpu, unsigned page, unsigned pages);

/* The first page of its slot, which has STACK_SLOT_PAGES. */
u64 cpu_stack(const struct cpu *c);

u64 idt_address(void);

#endif
