/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform - which emulator this is
 *
 * Bochs signs its ACPI tables, and CPUID there shows the model that it plays and no
 * hypervisor.  QEMU's tables bear the same name, but its CPUs do show a hypervisor; of
 * those that only translate, by a name of its own.
 */
#include "arch/x86_64/platform.h"
#include "arch/x86_64/insn.h"
#include "lib/str.h"

#define CPUID_1_ECX_HV BIT(31)
#define CPUID_HV       0x40000000
#define TCG_WORD       0x54474354 /* "TCGT", "CGTC", "GTCG" in EBX, ECX, EDX */

static const char *emulator;

static bool hypervisor(void)
{
	return cpuid(1, 0).ecx & CPUID_1_ECX_HV;
}

bool platform_is_tcg(void)
{
	return hypervisor() && cpuid(CPUID_HV, 0).ebx == TCG_WORD;
}

void platform_init(const char *oem)
{
	if (platform_is_tcg())
		emulator = "QEMU TCG";
	else if (!hypervisor() && !strcmp(oem, "BOCHS "))
		emulator = "Bochs";
}

const char *platform_emulator(void)
{
	return emulator;
}
