/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform - which emulator this is, for what an emulator is known to do wrongly.
 */
#ifndef ARCH_PLATFORM_H
#define ARCH_PLATFORM_H

#include "lib/types.h"

/* Looks at the CPU and at who made the ACPI tables; once, before any test. */
void platform_init(const char *oem);

/* The emulator's name, or NULL: the machine is taken to be as its manuals say. */
const char *platform_emulator(void);

/*
 * Is it QEMU's translator?  Each CPU is a thread of the host there, which may stand
 * still for milliseconds at any moment, so nothing about time can be asserted.  Can be
 * asked before platform_init().
 */
bool platform_is_tcg(void);

#endif
