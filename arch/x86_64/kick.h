/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kick - the IPI that makes a CPU leave the guest, and how a test may spoil it
 *
 * Where an emulator delivers IPIs at once, the window of a protocol that does not wait
 * never opens.  A delayed kick is an IPI with a longer flight: the request returns at
 * once, and the sender's one-shot timer sends it later.  A lost kick is never sent.
 * The faults sit below hw_kick(), so that they are the same for all protocols.
 */
#ifndef ARCH_KICK_H
#define ARCH_KICK_H

#include "lib/types.h"

#define KICK_NOW  0
#define KICK_LOST UINT32_MAX

/* Prepares the timer's vector.  Once, before the first delayed kick. */
void kick_init(void);

/* Lets one ICR write kick several CPUs where it can.  Once, when all CPUs are up. */
void kick_clusters(void);

/* Calls fn() on each CPU that has taken a kick, in its interrupt.  Once. */
void kick_hook(void (*fn)(void));

/*
 * From now on kicks from this CPU take `clocks` bus clocks more, or KICK_NOW or
 * KICK_LOST.  Kicks under way are sent first.  A delayed kick needs interrupts on.
 */
void kick_delay(u32 clocks);

/* Sends what is still under way. */
void kick_flush(void);

/* Is a delayed kick still under way? */
bool kick_in_flight(void);

/* From now on each CPU counts what it asks for, in kicks_asked; or no more. */
void kick_count(bool on);

/* Kicks `cpu` at once, whatever kick_delay() says: for what is not under test. */
void kick_now(unsigned cpu);

#endif
