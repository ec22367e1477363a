/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts - which CPU this is, so that a result can be told from those of others.
 */
#ifndef ARCH_FACTS_H
#define ARCH_FACTS_H

#include "lib/types.h"

struct cpu_facts {
	char vendor[13], brand[49]; /* brand: "" where CPUID has none          */
	char hypervisor[13];        /* CPUID 0x40000000; "" where none shows   */
	unsigned family, model, stepping;
	unsigned physical_bits; /* MAXPHYADDR */
	u64 tsc_hz;             /* 0: CPUID does not tell */
	bool has_microcode;     /* was the next one read? */
	u32 microcode;          /* revision */
};

/* What a leaf of CPUID says; a type of its own, as insn.h is for the machine alone. */
struct cpu_leaf {
	u32 eax, ebx, ecx, edx;
};

/* What is asked of the CPU; a test answers for other CPUs. */
struct cpu_source {
	struct cpu_leaf (*cpuid)(u32 leaf);
	u64 (*rdmsr)(u32 msr);
	void (*wrmsr)(u32 msr, u64 value);
	bool microcode; /* false: the MSR of the revision is left alone */
};

void cpu_facts(struct cpu_facts *out, const struct cpu_source *cpu);

#endif
