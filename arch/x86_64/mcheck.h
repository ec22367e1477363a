/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mcheck - machine checks: the machine says that it is broken, and the run ends.
 */
#ifndef ARCH_MCHECK_H
#define ARCH_MCHECK_H

#include "arch/x86_64/trap.h"

/* Lets this CPU report errors; says and clears what it still knows of earlier ones. */
void mcheck_enable(void);

/* #MC in the host; and one that ended a guest, or its entry, at that RIP. */
_Noreturn void mcheck_panic(const struct trap_frame *f);
_Noreturn void mcheck_panic_in_guest(const char *when, u64 guest_rip);

/* For the panic path: all that any CPU has noted. */
void mcheck_say(void);

#endif
