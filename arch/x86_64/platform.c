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

#define QEMU_TCG "QEMU TCG"

static const char *emulator;

void platform_init(const char *oem)
{
	bool hv = cpuid(1, 0).ecx & CPUID_1_ECX_HV;

	if (hv && cpuid(CPUID_HV, 0).ebx == TCG_WORD)
		emulator = QEMU_TCG;
	else if (!hv && !strcmp(oem, "BOCHS "))
		emulator = "Bochs";
}

const char *platform_emulator(void)
{
	return emulator;
}

bool platform_is_tcg(void)
{
	return emulator && !strcmp(emulator, QEMU_TCG);
}
