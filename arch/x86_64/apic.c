/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apic - the local APIC, by memory (xAPIC) or by MSR (x2APIC); SDM vol. 3, ch. 11
 *
 * Both modes have the same registers; only how a register is reached and the width of
 * the destination differ.
 */
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/layout.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/trap.h"
#include "arch/x86_64/x2apic.h"

/* Register offsets of the xAPIC; x2APIC numbers are these divided by 16. */
#define REG_ID        0x20
#define REG_TPR       0x80
#define REG_EOI       0xb0
#define REG_LDR       0xd0
#define REG_SVR       0xf0
#define REG_IRR       0x200 /* 8 of them */
#define REG_ICR       0x300
#define REG_ICR_HIGH  0x310
#define REG_LVT_TIMER 0x320
#define REG_INITIAL   0x380
#define REG_DIVIDE    0x3e0

#define SVR_ENABLE      BIT(8)
#define ICR_PENDING     BIT(12)
#define ICR_POLLS       1000000 /* then it is sent regardless: a crash has to get out */
#define DIVIDE_BY_1     0xb
#define CPUID_X2        BIT(21)
#define XAPIC_BROADCAST 0xff

static enum apic_mode mode;

static volatile u32 *reg(u32 offset)
{
	return (volatile u32 *)(APIC_VADDR + offset);
}

static u32 get(u32 offset)
{
	return mode == APIC_X2 ? (u32)rdmsr(MSR_X2APIC + offset / 16) : *reg(offset);
}

static void put(u32 offset, u32 v)
{
	if (mode == APIC_X2)
		wrmsr(MSR_X2APIC + offset / 16, v);
	else
		*reg(offset) = v;
}

void apic_enable(void)
{
	u64 base = rdmsr(MSR_APIC_BASE) | APIC_BASE_EN;

	wrmsr(MSR_APIC_BASE, base); /* EXTD may not be set in the same step (11.12.5) */
	if (mode == APIC_X2) {
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_EXTD);
		/* Bochs 2.7 has an LDR only after a write in x2APIC mode. */
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_EXTD);
		this_cpu()->logical_id = get(REG_LDR);
	}
	put(REG_TPR, 0);
	put(REG_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
	put(REG_DIVIDE, DIVIDE_BY_1);
	put(REG_LVT_TIMER, VECTOR_TIMER);
}

/*
 * Masks both 8259s, moved to vectors 0x20 .. 0x2f first: even a masked one may raise a
 * spurious interrupt, and at reset its vectors are those of exceptions.
 */
static void pic_off(void)
{
	static const u8 bytes[][2] = { { 0x20, 0x11 }, { 0xa0, 0x11 }, { 0x21, 0x20 },
				       { 0xa1, 0x28 }, { 0x21, 0x04 }, { 0xa1, 0x02 },
				       { 0x21, 0x01 }, { 0xa1, 0x01 }, { 0x21, 0xff },
				       { 0xa1, 0xff } };

	for (unsigned i = 0; i < ARRAY_LEN(bytes); i++)
		outb(bytes[i][0], bytes[i][1]);
}

const char *apic_init(enum apic_mode want)
{
	bool has_x2 = cpuid(1, 0).ecx & CPUID_X2;
	bool in_x2 = rdmsr(MSR_APIC_BASE) & APIC_BASE_EXTD;

	if (want == APIC_X2 && !has_x2)
		return "x2APIC was asked for, and this CPU has none";
	if (want == APIC_X && in_x2)
		return "xAPIC was asked for, and the firmware has switched to x2APIC";
	mode = want == APIC_AUTO ? (has_x2 ? APIC_X2 : APIC_X) : want;
	pic_off();
	if (mode == APIC_X)
		paging_map(APIC_VADDR, HPA(rdmsr(MSR_APIC_BASE) & PTE_ADDR), PAGE_SIZE,
			   PAGE_IO);
	apic_enable();
	return NULL;
}

bool apic_clusters(void)
{
	return mode == APIC_X2;
}

const char *apic_mode_name(void)
{
	return mode == APIC_X2 ? "x2APIC" : "xAPIC";
}

u32 apic_id(void)
{
	return mode == APIC_X2 ? get(REG_ID) : get(REG_ID) >> 24;
}

void apic_eoi(void)
{
	put(REG_EOI, 0);
}

void apic_send(u32 dest, u32 icr)
{
	u64 flags;

	if (mode == APIC_X2) {
		x2apic_send(dest, icr);
		return;
	}
	this_cpu()->icr_writes++;
	flags = irq_save(); /* the timer's handler sends as well */
	for (unsigned i = 0; i < ICR_POLLS && get(REG_ICR) & ICR_PENDING; i++)
		;
	put(REG_ICR_HIGH, dest << 24);
	put(REG_ICR, icr);
	irq_restore(flags);
}

bool apic_ready(void)
{
	return mode != APIC_AUTO;
}

bool apic_reaches(u32 id)
{
	return mode == APIC_X2 || id < XAPIC_BROADCAST;
}

bool apic_pending(unsigned vector)
{
	return get(REG_IRR + vector / 32 * 0x10) & BIT(vector % 32);
}

void apic_timer_vector(unsigned vector)
{
	put(REG_LVT_TIMER, vector);
}

void apic_timer(u32 count)
{
	put(REG_INITIAL, count);
}
