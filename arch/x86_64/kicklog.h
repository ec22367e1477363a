/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kicklog - which kicks an interrupt answers, for the trace
 */
#ifndef ARCH_KICKLOG_H
#define ARCH_KICKLOG_H

#include "mm/pool.h"

/*
 * Numbers kicks from now on; before that all have number 0.  When all CPUs are up,
 * while none is kicked.  NULL, or why not: a sentence.
 */
const char *kicklog_init(struct pool *pool);

/* Right before the executing CPU sends one to `cpu`.  flags: 0 or TRACE_ASKED. */
void kicklog_send(unsigned cpu, u64 flags);

/* First thing in the interrupt: notes the kicks that it answers. */
void kicklog_take(void);

#endif
