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

/* Waits until all output has left, then ends the machine.  Default: halt. */
_Noreturn void machine_end(enum status s);

#endif
