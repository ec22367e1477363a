/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts - the record that says on which machine the others were made.
 */
#ifndef BOOT_FACTS_H
#define BOOT_FACTS_H

#include "boot/info.h"

/* What the CPU calls itself, fit for a record; "unknown CPU" if it does not say. */
const char *facts_brand(void);

/* Prints the `machine` record.  Once, after vm_init(), whether guests can run or not.
 */
void facts_say(const struct boot_info *info);

#endif
