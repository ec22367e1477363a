/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * power - how a run ends: an emulator is told the status, hardware halts or reboots.
 */
#ifndef ARCH_POWER_H
#define ARCH_POWER_H

#include "lib/types.h"

/* The exit statuses of a run; the runner gives them to its caller. */
enum status {
	STATUS_PASS = 0,
	STATUS_FAIL = 1,
	STATUS_USAGE = 2,
	STATUS_CRASH = 3,
	STATUS_SKIP = 5,
};

/* Chooses by name (bochs, qemu, halt, reboot); false when there is no such way. */
bool machine_end_by(const char *name);

/* What ACPI says resets the machine: one byte to write (ACPI 6.5, 4.8.3.6). */
struct reset_register {
	enum { RESET_NONE, RESET_IO, RESET_MEMORY } space;
	u64 address; /* memory: below 4 GiB */
	u8 value;
};

/* A reboot tries this register first.  Without it: port 0xcf9 and what comes after. */
void machine_reset_by(const struct reset_register *r);

/* Calls fn() first when the machine ends: tests make it crash there. */
void machine_before_end(void (*fn)(void));

/* Waits until all output has left, then ends the machine.  Default: halt. */
_Noreturn void machine_end(enum status s);

/* Ends it as after a crash, when machine_end() itself cannot be trusted any more. */
_Noreturn void machine_last(void);

#endif
