/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smp - bringing up the other CPUs, and giving them work.
 */
#ifndef ARCH_SMP_H
#define ARCH_SMP_H

#include "arch/x86_64/cpu.h"
#include "mm/pool.h"

/* Something for a CPU to do; belongs to the poster until `done` is 1. */
struct work {
	void (*fn)(void *arg);
	void *arg;
	atomic32_t done;
};

/* What brings up the APs. */
struct smp_plan {
	const u32 *apic_id; /* of the APs */
	unsigned n;
	u64 trampoline; /* a free page below 1 MiB                         */
	u32 mute;       /* an APIC ID that is not woken, or ~0: for tests  */
};

/* Makes the executing CPU number 0.  Its stacks are not mapped yet. */
void smp_adopt_bsp(void);

/*
 * Starts every CPU of the plan: INIT, SIPI, SIPI (SDM vol. 3, 9.4.4).
 * Prints a line for each; one that does not answer is named and left out.
 */
void smp_start(const struct smp_plan *plan, struct pool *pool);

/* Gives `cpu`, which is idle and not this one, something to do, and wakes it. */
void smp_post(unsigned cpu, struct work *w);
static inline bool smp_done(const struct work *w)
{
	return load_acquire(&w->done);
}

/* Has it finished all work that was posted to it? */
bool smp_idle(unsigned cpu);

/*
 * Leaves out CPUs that have been stopped for good, and closes the numbering; all others
 * but this one, which is CPU 0, are idle.  Returns how many there were.
 */
unsigned smp_leave_out(void);

#endif
