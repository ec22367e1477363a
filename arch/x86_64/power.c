/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * power - how a run ends: an emulator is told the status, hardware halts or reboots
 *
 * Ports are written only when the command line names the machine: on hardware a
 * stray write to them may do anything.
 *
 * machine_last() is for who has already failed to end the machine in order.  It trusts
 * nothing but the way's number: no stack is needed, no pointer followed, and where a
 * write to a port does nothing the next one is tried.  The last, an empty IDT and an
 * exception, is a shutdown of the CPU, which chipsets turn into a reset.  Emulators end
 * by it as if all were well; the runner wants the end record too.
 */
#include "arch/x86_64/power.h"
#include "arch/x86_64/delay.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/uart.h"
#include "arch/x86_64/watch.h"
#include "lib/console.h"
#include "lib/str.h"
#include "mm/mem.h"

#define BOCHS_PORT  0x8900 /* "Shutdown" ends with 1; 'D' returns to the debugger */
#define QEMU_PORT   0xf4   /* isa-debug-exit: the process ends with v << 1 | 1    */
#define QEMU_OFFSET 0x10   /* keeps our codes apart from QEMU's own               */
#define RESET_PORT  0xcf9  /* bit 1: of the system too, bit 2: do it, when it rises */
#define KBC_COMMAND 0x64
#define KBC_RESET   0xfe /* pulses the line that resets the CPU */
#define KBC_FULL    BIT(1)
#define KBC_POLLS   100000
#define GRACE_US    50000 /* a reset takes its time */

static const char *const name[] = { "halt", "bochs", "qemu", "reboot" };
static enum { HALT, BOCHS, QEMU, REBOOT } way;
static struct reset_register reset;
static void (*before_end)(void);

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

static void reset_by_acpi(void)
{
	if (reset.space == RESET_IO)
		outb((u16)reset.address, reset.value);
	else if (reset.space == RESET_MEMORY)
		*(volatile u8 *)mem_ptr(HPA(reset.address)) = reset.value;
}

static void reset_by_chipset(void)
{
	outb(RESET_PORT, 0x02);
	outb(RESET_PORT, 0x06);
}

static void reset_by_keyboard(void)
{
	for (unsigned i = 0; i < KBC_POLLS && inb(KBC_COMMAND) & KBC_FULL; i++)
		;
	outb(KBC_COMMAND, KBC_RESET);
}

static _Noreturn void reset_by_fault(void)
{
	struct table_reg none = { 0, 0 };

	lidt(&none);
	for (;;)
		asm volatile("int3; cli; hlt" : : : "memory");
}

static const struct {
	const char *what;
	void (*fn)(void);
} resets[] = {
	{ "the ACPI reset register", reset_by_acpi },
	{ "port 0xcf9", reset_by_chipset },
	{ "the keyboard controller", reset_by_keyboard },
};

/* Says each, so that the last line tells which one worked. */
static _Noreturn void reboot(void)
{
	for (unsigned i = reset.space == RESET_NONE; i < ARRAY_LEN(resets); i++) {
		print("# reboot: by %s\n", resets[i].what);
		uart_drain();
		resets[i].fn();
		delay_us(GRACE_US);
	}
	print("# reboot: by a triple fault\n");
	uart_drain();
	reset_by_fault();
}

bool machine_end_by(const char *want)
{
	for (unsigned i = 0; i < ARRAY_LEN(name); i++)
		if (!strcmp(name[i], want)) {
			way = i;
			return true;
		}
	return false;
}

void machine_reset_by(const struct reset_register *r)
{
	reset = *r;
}

void machine_before_end(void (*fn)(void))
{
	before_end = fn;
}

void machine_end(enum status s)
{
	cli();
	if (before_end)
		before_end();
	uart_drain();
	switch (way) {
	case BOCHS:
		end_bochs(s);
		break;
	case QEMU:
		end_qemu(s);
		break;
	case REBOOT:
		reboot();
	case HALT:
		watch_end();
		break;
	}
	halt_forever();
}

void machine_last(void)
{
	cli();
	if (way == HALT)
		halt_forever();
	if (way == BOCHS)
		end_bochs(STATUS_CRASH);
	if (way == QEMU)
		end_qemu(STATUS_CRASH);
	reset_by_chipset();
	reset_by_keyboard();
	reset_by_fault();
}
