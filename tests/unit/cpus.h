/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpus - CPUs that one thread plays, and a log of what protocols ask of them; cpus.c.
 */
#ifndef TESTS_UNIT_CPUS_H
#define TESTS_UNIT_CPUS_H

#include "inval/inval.h"
#include "tests/unit/kicks.h"

#define ROOT 0x123000ull

/* A kick, and what its receiver would find if it looked at once. */
struct kick {
	unsigned cpu;
	u64 gen, mark, mask;
	smr_seq_t wr;
};

extern struct inval iv;
extern struct pool pool;
extern struct kick kicks[CPU_MAX];
extern unsigned flush_count;
extern u64 taken[CPU_MAX]; /* kicks that each CPU has taken */

/* Called once, after the next look at the count of kicks of a CPU that is active. */
extern void (*after_look)(unsigned cpu);

/* The root that was taken last, by whatever CPU. */
extern u64 used_root;

/* What a reader had when it flushed last. */
extern u64 flusher_had, flusher_mark;

/* A new VM under the protocol; nothing has been asked of anybody. */
void set_up(const struct inval_proto *proto, unsigned cpus);

/* CPU `cpu` enters the guest, or leaves it. */
struct inval_reader *enter(unsigned cpu);
void leave(unsigned cpu);

/* The kick's interrupt on a CPU that is out of the guest. */
void take_kick(unsigned cpu);

/* A gather that holds one range and one block. */
struct gather duty(void);

#endif
