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

/* Dumps the frame of an exception and ends the machine. */
_Noreturn void panic_trap(const struct trap_frame *f);

#endif
