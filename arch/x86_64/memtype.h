/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memtype - the MTRRs of this machine
 *
 * All CPUs must have the same (SDM vol. 3, 12.11.8), and firmware sees to it; the test
 * boot/mtrrs checks.  So the boot CPU's, read once, hold for all.
 */
#ifndef ARCH_MEMTYPE_H
#define ARCH_MEMTYPE_H

#include "mm/mtrr.h"

/* Reads those of the executing CPU. */
void memtype_read(struct mtrrs *m);

/* Reads those of the boot CPU, on it, for memtype_host(), and prints a line. */
void memtype_init(void);
const struct mtrrs *memtype_host(void);

#endif
