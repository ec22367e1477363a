/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu - one modelled CPU: its coroutine, its store buffer, its interrupts.
 */
#ifndef TESTS_EXPLORE_CPU_H
#define TESTS_EXPLORE_CPU_H

#include "tests/explore/world.h"

/* For explored code: lets the scheduler decide who goes on, to do `op` when it is me.
 */
void cpu_pause(enum op op);
struct xcpu *cpu_self(void);

/* Does a CPU run?  Before the first state none does, and accesses are plain. */
bool cpu_inside(void);

/* For the scheduler. */
void cpu_start(unsigned cpu, void (*run)(void));
void cpu_run(unsigned cpu); /* up to its next pause */
bool cpu_can_run(unsigned cpu);
void cpu_drain(unsigned cpu);  /* the oldest store of its buffer reaches memory */
void cpu_settle(unsigned cpu); /* so does each oldest one that only it can notice */
void cpu_arrive(unsigned cpu); /* a kick does */
void cpu_leave(unsigned cpu);  /* VM exit     */

/* Takes the pending kick: the handler of its interrupt. */
void cpu_take(void);

/* Executes the guest until a VM exit. */
void cpu_guest(void);

/* A turn without a decision in between; endless ones are given one. */
void cpu_turn(void);

#endif
