/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * desc - segment and interrupt descriptor tables (SDM vol. 3, 3.4.5, 6.14, 8.7)
 *
 * GDT and TSS are each CPU's own.  The IDT has nothing that differs between CPUs
 * (the stacks come from the TSS), so there is one, built by the first CPU.
 */
#include "arch/x86_64/desc.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/layout.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/trap.h"

#define GDT_CODE64 0x00af9b000000ffffull
#define GDT_DATA   0x00cf93000000ffffull

struct gate {
	u16 offset_low, sel;
	u8 ist, type;
	u16 offset_mid;
	u32 offset_high, reserved;
};
_Static_assert(sizeof(struct gate) == 16, "a 64-bit gate has 16 bytes");
#define GATE_INTERRUPT 0x8e

static struct gate idt[TRAP_VECTORS];

/* Of the first CPU's NMI, #DF and #MC, until the host has page tables of its own. */
static _Alignas(16) u8 early_stack[PAGE_SIZE];

u64 stack_top(unsigned cpu, unsigned page, unsigned pages)
{
	return STACK_BASE + ((u64)cpu * STACK_SLOT_PAGES + page + pages) * PAGE_SIZE;
}

u64 cpu_stack(const struct cpu *c)
{
	return c->stack_top - (STACK_MAIN_PAGE + STACK_MAIN_PAGES) * PAGE_SIZE;
}

static void idt_build(void)
{
	for (unsigned v = 0; v < TRAP_VECTORS; v++) {
		u64 at = (u64)trap_stubs + v * TRAP_STUB_SIZE;

		idt[v] = (struct gate){ .offset_low = (u16)at,
					.sel = SEL_CODE,
					.type = GATE_INTERRUPT,
					.offset_mid = (u16)(at >> 16),
					.offset_high = (u32)(at >> 32) };
	}
	idt[TRAP_NMI].ist = IST_NMI;
	idt[TRAP_DF].ist = IST_DF;
	idt[TRAP_MC].ist = IST_MC;
}

void desc_use_stacks(struct cpu *c)
{
	c->tss.ist[IST_NMI - 1] = stack_top(c->id, STACK_NMI_PAGE, 1);
	c->tss.ist[IST_DF - 1] = stack_top(c->id, STACK_DF_PAGE, 1);
	c->tss.ist[IST_MC - 1] = stack_top(c->id, STACK_MC_PAGE, 1);
}

static void tss_build(struct cpu *c)
{
	u64 base = (u64)&c->tss, limit = sizeof(c->tss) - 1;

	c->tss = (struct tss){ .iopb = sizeof(c->tss) };
	if (c->stack_top)
		desc_use_stacks(c);
	else
		c->tss.ist[IST_NMI - 1] = c->tss.ist[IST_DF - 1] =
			c->tss.ist[IST_MC - 1] = (u64)early_stack + sizeof(early_stack);
	c->gdt[SEL_TSS / 8] = limit | (base & 0xffffff) << 16 | 0x89ull << 40 |
			      (base >> 24 & 0xff) << 56;
	c->gdt[SEL_TSS / 8 + 1] = base >> 32;
}

static void reload_segments(void)
{
	asm volatile("pushq %0\n\t"
		     "leaq 1f(%%rip), %%rax\n\t"
		     "pushq %%rax\n\t"
		     "lretq\n"
		     "1:\n\t"
		     "movl %1, %%eax\n\t"
		     "movl %%eax, %%ds\n\t"
		     "movl %%eax, %%es\n\t"
		     "movl %%eax, %%ss\n\t"
		     "xorl %%eax, %%eax\n\t"
		     "movl %%eax, %%fs\n\t"
		     "movl %%eax, %%gs"
		     :
		     : "i"(SEL_CODE), "i"(SEL_DATA)
		     : "rax", "memory");
}

void desc_load(struct cpu *c)
{
	struct table_reg gdtr = { sizeof(c->gdt) - 1, (u64)c->gdt };
	struct table_reg idtr = { sizeof(idt) - 1, (u64)idt };

	if (!idt[0].type)
		idt_build();
	c->self = c;
	c->gdt[SEL_CODE / 8] = GDT_CODE64;
	c->gdt[SEL_DATA / 8] = GDT_DATA;
	tss_build(c);
	lgdt(&gdtr);
	reload_segments();
	wrmsr(MSR_GS_BASE, (u64)c);
	lidt(&idtr);
	ltr(SEL_TSS);
}

u64 idt_address(void)
{
	return (u64)idt;
}
