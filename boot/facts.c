/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts - the record that says on which machine the others were made
 *
 * A word of 64 bits goes out as hexadecimal text: a reader of JSON may keep no more
 * than 53 bits of a number.
 */
#include "boot/facts.h"
#include "arch/x86_64/facts.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/platform.h"
#include "boot/cmdline.h"
#include "lib/console.h"
#include "lib/str.h"
#include "vm/vm.h"

static struct cpu_leaf leaf(u32 number)
{
	struct cpuid c = cpuid(number, 0);

	return (struct cpu_leaf){ c.eax, c.ebx, c.ecx, c.edx };
}

static const struct cpu_facts *this_one(void)
{
	/* An emulator has no microcode, and need not have the MSR. */
	struct cpu_source source = { leaf, rdmsr, wrmsr, !platform_emulator() };
	static struct cpu_facts cpu;

	if (!*cpu.vendor)
		cpu_facts(&cpu, &source);
	return &cpu;
}

const char *facts_brand(void)
{
	return *this_one()->brand ? this_one()->brand : "unknown CPU";
}

/* The members that are null where the CPU does not tell. */
static void optional(const struct cpu_facts *cpu, char *buf, size_t size)
{
	char microcode[16] = "null", hz[24] = "null";

	if (cpu->has_microcode)
		fmt_str(microcode, sizeof(microcode), "\"0x%x\"", cpu->microcode);
	if (cpu->tsc_hz)
		fmt_str(hz, sizeof(hz), "%lu", cpu->tsc_hz);
	fmt_str(buf, size, "\"microcode\":%s,\"tsc_hz\":%s,", microcode, hz);
}

void facts_say(const struct boot_info *info)
{
	static char words[6 * BOOT_CMDLINE_MAX + 1];
	const struct cpu_facts *cpu = this_one();
	struct backend_facts virt;
	char more[80];

	backend->facts(&virt);
	optional(cpu, more, sizeof(more));
	str_json(words, cmdline_start(info->cmdline), sizeof(words));
	print("@{\"type\":\"machine\",\"cpu\":\"%s\",\"vendor\":\"%s\",\"family\":%u,"
	      "\"model\":%u,\"stepping\":%u,%s\"physical_bits\":%u,"
	      "\"hypervisor\":\"%s\",\"emulator\":\"%s\",\"capability_of\":\"%s\","
	      "\"capability\":\"0x%lx\",\"capabilities\":\"%s\",\"asids\":%u,"
	      "\"loader\":\"%s\",\"cmdline\":\"%s\"}\n",
	      cpu->brand, cpu->vendor, cpu->family, cpu->model, cpu->stepping, more,
	      cpu->physical_bits, cpu->hypervisor,
	      platform_emulator() ? platform_emulator() : "", virt.word_of, virt.word,
	      virt.names, virt.asids, info->loader, words);
}
