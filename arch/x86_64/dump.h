/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dump - what a crash leaves for the reader of the log: registers and a backtrace.
 */
#ifndef ARCH_DUMP_H
#define ARCH_DUMP_H

#include "arch/x86_64/trap.h"

/* "#PF page fault", or "reserved exception". */
const char *exception_name(u64 vector);

void dump_registers(const struct trap_frame *f);

/* Return addresses by frame pointers, as far as they climb within a mapped stack. */
void dump_backtrace(const struct trap_frame *f);

#endif
