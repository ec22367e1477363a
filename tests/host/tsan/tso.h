/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tso - a model of the x86 store buffer in front of real memory; tso.c argues why.
 */
#ifndef TESTS_HOST_TSAN_TSO_H
#define TESTS_HOST_TSAN_TSO_H

#include "lib/types.h"

/* Gives the calling thread a buffer whose drains follow from `seed`. */
void tso_start(u64 seed);

/* Drains the calling thread's buffer for good: the last call of each thread. */
void tso_stop(void);

/* `size` is 4 or 8. */
u64 tso_load(const volatile void *at, unsigned size, bool acquire);
void tso_store(volatile void *at, unsigned size, u64 value, bool release);

/* Drains, then takes a place in the one total order of fences and RMWs. */
void tso_fence(void);

/* Drains and lets another thread run. */
void tso_relax(void);

#endif
