/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * power - how a run ends: an emulator is told the status, hardware halts or reboots
 *
 * Ports are written only when the command line names the machine: on hardware a
 * stray write to them may do anything.
 */
#include "arch/x86_64/power.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/uart.h"
#include "lib/str.h"

#define BOCHS_PORT  0x8900 /* "Shutdown" ends with 1; 'D' returns to the debugger */
#define QEMU_PORT   0xf4   /* isa-debug-exit: the process ends with v << 1 | 1    */
#define QEMU_OFFSET 0x10   /* keeps our codes apart from QEMU's own               */
#define RESET_PORT  0xcf9

static void end_bochs(enum status s)
{
	if (s == STATUS_CRASH)
		for (const char *c = "Shutdown"; *c; c++)
			outb(BOCHS_PORT, (u8)*c);
	else
		outb(BOCHS_PORT, 'D');
}

static void end_qemu(enum status s)
{
	outb(QEMU_PORT, (u8)(s + QEMU_OFFSET));
}

static void end_halt(enum status s)
{
	(void)s;
}

static void end_reboot(enum status s)
{
	(void)s;
	outb(RESET_PORT, 0x02);
	outb(RESET_PORT, 0x06);
}

static const struct way {
	const char *name;
	void (*end)(enum status);
} ways[] = {
	{ "halt", end_halt },
	{ "bochs", end_bochs },
	{ "qemu", end_qemu },
	{ "reboot", end_reboot },
};
static const struct way *way = &ways[0];

bool machine_end_by(const char *name)
{
	for (unsigned i = 0; i < ARRAY_LEN(ways); i++)
		if (!strcmp(ways[i].name, name)) {
			way = &ways[i];
			return true;
		}
	return false;
}

void machine_end(enum status s)
{
	uart_drain();
	way->end(s);
	halt_forever();
}
