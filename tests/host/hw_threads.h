/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw_threads - threads that stand for CPUs: kicks with a time of flight, a TLB each.
 */
#ifndef TESTS_HOST_HW_THREADS_H
#define TESTS_HOST_HW_THREADS_H

#include "lib/rng.h"
#include "mm/ept.h"

/* Exit statuses of the programs; TSan's own is 66. */
enum { STALE = 65, HANGS = 67, PANICS = 70, HAUNTED = 71, TOO_FEW = 77 };

/* A run on a busy machine ends early, and says nothing when it has done too little. */
#define RUN_MS   3000
#define FEW(all) ((all) / 20)

/* Prints why and ends the process with `status`. */
_Noreturn void host_die(int status, const char *f, ...) printf_like(2, 3);

/* The calling thread is CPU `cpu` until cpu_stop(). */
void cpu_start(unsigned cpu, u64 seed);
void cpu_stop(void);

/* Milliseconds of a clock that only moves forward. */
u64 now_ms(void);

/* The calling thread's stream of random numbers. */
struct rng *cpu_rng(void);

/*
 * Has a kick arrived?  One that was sent may still be in flight; it arrives after a
 * few more of these calls.  Until it is taken, it stays.
 */
bool kick_arrived(void);
bool kick_take(void);

/*
 * The pointer to the frame that this CPU's TLB, or else a walk of `e`, gives for gpa;
 * NULL is an EPT violation, which also drops what the TLB had.
 */
u64 *tlb_translate(const struct ept *e, gpa_t gpa, bool write);

#endif
