/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * panic - the end of a run that found a bug of ours.
 */
#ifndef ARCH_PANIC_H
#define ARCH_PANIC_H

#include "arch/x86_64/trap.h"
#include "lib/err.h"

/* Has some CPU begun to panic? */
bool panicking(void);

/* Stops this CPU for good because another one panics; returns if it is this one. */
void panic_stop(void);

/* Dumps the frame of an exception and ends the machine. */
_Noreturn void panic_trap(const struct trap_frame *f);

/* panic() for who was interrupted at `f`: its dump is that of the frame. */
_Noreturn void panic_frame(const struct trap_frame *f, const char *fmt, ...)
	printf_like(2, 3);

#endif
