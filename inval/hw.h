/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw - port: the little that a protocol needs from the machine.
 *
 * The kernel implements it with APIC and INVEPT, the native tests with threads.
 */
#ifndef INVAL_HW_H
#define INVAL_HW_H

#include "lib/types.h"

/* The number of the CPU that executes this, 0 .. cpus - 1. */
unsigned hw_self(void);

/* Makes `cpu` leave guest mode soon, if it is in it.  Returns at once. */
void hw_kick(unsigned cpu);

/*
 * hw_kick() for each CPU base + i with bit i of `which`, in any order.  There is one;
 * base is a multiple of 64.  A machine may send them all at once.
 */
void hw_kick_many(unsigned base, u64 which);

/* How many kicks `cpu` has taken so far, each outside of the guest. */
u64 hw_kicks(unsigned cpu);

/*
 * Drops every guest-physical and combined mapping that this CPU holds for the root
 * (an EPTP), 0: for any root.  Guest execution on this CPU does not overlap it.
 */
void hw_flush(u64 root);

/* From its next entry on, this CPU translates by the tables at the root (an EPTP). */
void hw_use_root(u64 root);

#endif
