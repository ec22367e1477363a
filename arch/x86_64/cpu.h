/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu - what each CPU owns, and the part of it that others may touch
 *
 * this_cpu() is one load of a self pointer at %gs:0.  struct cpu is private to its
 * CPU once that CPU is up, but for `pub`, which has cache lines of its own.
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "lib/atomic.h"

/* Segment selectors in every CPU's GDT. */
#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_TSS  0x18

enum cpu_state {
	CPU_ABSENT,
	CPU_STARTING,
	CPU_UP,
	CPU_GIVEN_UP, /* did not answer in time; parks itself if it ever does */
};

/* SDM vol. 3, 8.7. */
struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3, iopb;
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "the TSS has 104 bytes");

struct cpu_public {
	_Alignas(CACHE_LINE) atomic32_t state; /* enum cpu_state                */
	atomic64_t work;                       /* a struct work to do, or 0      */
	_Alignas(CACHE_LINE) atomic32_t nmi; /* enum nmi_request: what the NMI is for */
	atomic32_t told;                     /* the answer, nmi.h, is here            */
	atomic64_t host_rip, host_rsp, guest_rip, flags;
	atomic32_t stopped;                    /* for good: a panic, or wedged */
	_Alignas(CACHE_LINE) atomic64_t kicks; /* taken                       */
	_Alignas(CACHE_LINE) atomic64_t posted, finished; /* pieces of work     */
};

struct cpu {
	struct cpu *self;
	unsigned id;
	u32 apic_id;
	u32 logical_id; /* x2APIC mode: its LDR; else 0 */
	u64 stack_top;
	bool reading; /* checked builds: between the enter hook and the exit hook */
	u64 kicks_asked, icr_writes; /* by this CPU, for the benches; kick_count() */
	u64 beats;     /* signs of life, while it waits: watch.c              */
	void *virt;    /* the virtualization backend's own                           */
	bool watching; /* idle, and its timer will look at CPU 0: watch.c    */
	u64 watch_life, watch_since;
	u64 gdt[5];
	struct tss tss;
	struct cpu_public pub;
};

extern struct cpu *cpus[CPU_MAX];
extern unsigned cpu_count; /* CPUs that are up, numbered 0 .. cpu_count - 1 */

static inline struct cpu *this_cpu(void)
{
	struct cpu *c;

	asm("mov %%gs:0, %0" : "=r"(c));
	return c;
}

#endif
