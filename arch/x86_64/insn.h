/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * insn - single instructions as functions; names are the mnemonics.
 */
#ifndef ARCH_INSN_H
#define ARCH_INSN_H

#include "lib/types.h"

static inline void outb(u16 port, u8 v)
{
	asm volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 v;

	asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static inline void wrmsr_halves(u32 msr, u32 low, u32 high)
{
	asm volatile("wrmsr" : : "c"(msr), "a"(low), "d"(high) : "memory");
}

static inline void wrmsr(u32 msr, u64 v)
{
	wrmsr_halves(msr, (u32)v, (u32)(v >> 32));
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

/* Not before the loads that come before it are done (SDM vol. 2, RDTSC). */
static inline u64 rdtsc_ordered(void)
{
	u32 lo, hi;

	asm volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (u64)hi << 32 | lo;
}

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(u32 leaf, u32 sub)
{
	struct cpuid c;

	asm volatile("cpuid"
		     : "=a"(c.eax), "=b"(c.ebx), "=c"(c.ecx), "=d"(c.edx)
		     : "a"(leaf), "c"(sub));
	return c;
}

#define CR_RW(name)                                                         \
	static inline u64 read_##name(void)                                 \
	{                                                                   \
		u64 v;                                                      \
		asm volatile("mov %%" #name ", %0" : "=r"(v) : : "memory"); \
		return v;                                                   \
	}                                                                   \
	static inline void write_##name(u64 v)                              \
	{                                                                   \
		asm volatile("mov %0, %%" #name : : "r"(v) : "memory");     \
	}
CR_RW(cr0)
CR_RW(cr3)
CR_RW(cr4)

static inline u64 read_cr2(void)
{
	u64 v;

	asm volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

struct table_reg {
	u16 limit;
	u64 base;
} __attribute__((packed));

static inline void lgdt(const struct table_reg *r)
{
	asm volatile("lgdt %0" : : "m"(*r));
}

static inline void lidt(const struct table_reg *r)
{
	asm volatile("lidt %0" : : "m"(*r));
}

static inline void ltr(u16 sel)
{
	asm volatile("ltr %0" : : "r"(sel));
}

static inline void cli(void)
{
	asm volatile("cli" : : : "memory");
}

static inline void sti(void)
{
	asm volatile("sti" : : : "memory");
}

/* Turns interrupts off and says how they were; for irq_restore(). */
static inline u64 irq_save(void)
{
	u64 flags;

	asm volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

static inline void irq_restore(u64 flags)
{
	asm volatile("pushq %0; popfq" : : "r"(flags) : "memory", "cc");
}

/* Sleeps until an interrupt: STI's shadow covers the HLT, so none is missed. */
static inline void sti_hlt_cli(void)
{
	asm volatile("sti; hlt; cli" : : : "memory");
}

/* Takes interrupts that wait: STI's shadow covers one instruction. */
static inline void sti_nop_cli(void)
{
	asm volatile("sti; nop; cli" : : : "memory");
}

static inline _Noreturn void halt_forever(void)
{
	for (;;)
		asm volatile("cli; hlt" : : : "memory");
}

#endif
