/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * modules - says what files the loader has brought.
 */
#ifndef BOOT_MODULES_H
#define BOOT_MODULES_H

#include "boot/info.h"

/*
 * Prints a line for each module: bytes, a sum over them, its string.  Called when all
 * CPUs are up, so that the sum tells whether a module has outlived that.
 */
void modules_say(const struct boot_info *info, const struct phys_view *view);

#endif
