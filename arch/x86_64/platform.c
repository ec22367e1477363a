/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform - which emulator this is
 *
 * Bochs signs its ACPI tables, and CPUID there shows the model that it plays and no
 * hypervisor.  QEMU's tables bear the same name, but its CPUs do show a hypervisor.
 */
#include "arch/x86_64/platform.h"
#include "arch/x86_64/insn.h"
#include "lib/str.h"

#define CPUID_1_ECX_HV BIT(31)

static const char *emulator;

void platform_init(const char *oem)
{
	if (!strcmp(oem, "BOCHS ") && !(cpuid(1, 0).ecx & CPUID_1_ECX_HV))
		emulator = "Bochs";
}

const char *platform_emulator(void)
{
	return emulator;
}
