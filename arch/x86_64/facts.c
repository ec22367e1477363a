/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts - which CPU this is (SDM vol. 2, CPUID; APM vol. 3, appendix E)
 *
 * Nothing is guessed: a CPU that leaves the crystal's frequency out of leaf 0x15 has a
 * TSC of unknown frequency, and a microcode revision is read only where the manual of
 * the CPU's vendor says how.
 */
#include "arch/x86_64/facts.h"
#include "lib/str.h"

#define CPUID_HV        0x40000000u
#define CPUID_EXT       0x80000000u
#define CPUID_BRAND     0x80000002u /* and the two after it */
#define CPUID_BRAND_END 0x80000004u
#define CPUID_WIDTHS    0x80000008u
#define CPUID_TSC       0x15u
#define CPUID_1_ECX_HV  BIT(31)
#define MSR_BIOS_SIGN   0x8b /* AMD: PATCH_LEVEL */
#define PHYSICAL_BITS   36   /* of a CPU that does not say (SDM vol. 3, 4.1.4) */

/* Four bytes, lowest first; what a JSON string cannot hold as it is, as '?'. */
static void put(char *to, u32 word)
{
	for (unsigned i = 0; i < 4; i++) {
		char c = (char)(word >> 8 * i);

		to[i] = c == 0 || (c >= ' ' && c <= '~' && c != '"' && c != '\\') ? c
										  : '?';
	}
}

static void names(struct cpu_facts *f, const struct cpu_source *cpu)
{
	struct cpu_leaf c = cpu->cpuid(0);

	put(f->vendor, c.ebx);
	put(f->vendor + 4, c.edx);
	put(f->vendor + 8, c.ecx);
	if (cpu->cpuid(CPUID_EXT).eax >= CPUID_BRAND_END)
		for (u32 i = 0; i < 3; i++) {
			c = cpu->cpuid(CPUID_BRAND + i);
			put(f->brand + 16 * i, c.eax);
			put(f->brand + 16 * i + 4, c.ebx);
			put(f->brand + 16 * i + 8, c.ecx);
			put(f->brand + 16 * i + 12, c.edx);
		}
	if (!(cpu->cpuid(1).ecx & CPUID_1_ECX_HV))
		return;
	c = cpu->cpuid(CPUID_HV);
	put(f->hypervisor, c.ebx);
	put(f->hypervisor + 4, c.ecx);
	put(f->hypervisor + 8, c.edx);
}

/* The extended fields count only with these families (SDM vol. 2, CPUID leaf 1). */
static void version(struct cpu_facts *f, u32 eax)
{
	f->stepping = eax & 0xf;
	f->model = eax >> 4 & 0xf;
	f->family = eax >> 8 & 0xf;
	if (f->family == 0x6 || f->family == 0xf)
		f->model |= eax >> 12 & 0xf0;
	if (f->family == 0xf)
		f->family += eax >> 20 & 0xff;
}

static u64 tsc_hz(const struct cpu_source *cpu)
{
	struct cpu_leaf c;

	if (cpu->cpuid(0).eax < CPUID_TSC)
		return 0;
	c = cpu->cpuid(CPUID_TSC);
	return c.eax ? (u64)c.ecx * c.ebx / c.eax : 0;
}

/*
 * Intel's CPUs show the revision in the high half, after a write of 0 and a CPUID (SDM
 * vol. 3, 10.11.7.1); AMD's in the low half, at any time.
 */
static void microcode(struct cpu_facts *f, const struct cpu_source *cpu)
{
	bool intel = !strcmp(f->vendor, "GenuineIntel");

	if (!cpu->microcode || !(intel || !strcmp(f->vendor, "AuthenticAMD")))
		return;
	if (intel) {
		cpu->wrmsr(MSR_BIOS_SIGN, 0);
		cpu->cpuid(1);
	}
	f->has_microcode = true;
	f->microcode = (u32)(cpu->rdmsr(MSR_BIOS_SIGN) >> (intel ? 32 : 0));
}

void cpu_facts(struct cpu_facts *out, const struct cpu_source *cpu)
{
	*out = (struct cpu_facts){ .physical_bits = PHYSICAL_BITS };
	names(out, cpu);
	version(out, cpu->cpuid(1).eax);
	if (cpu->cpuid(CPUID_EXT).eax >= CPUID_WIDTHS)
		out->physical_bits = cpu->cpuid(CPUID_WIDTHS).eax & 0xff;
	out->tsc_hz = tsc_hz(cpu);
	microcode(out, cpu);
}
