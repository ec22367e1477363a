/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory - memory as the explored sources see it: x86-TSO, one access at a time.
 *
 * Called by explored code alone, on the stack of its CPU.  An access that another CPU
 * could notice, or that could notice another CPU, is a point where the scheduler
 * decides.
 */
#ifndef TESTS_EXPLORE_MEMORY_H
#define TESTS_EXPLORE_MEMORY_H

#include "lib/types.h"

enum rmw { RMW_ADD, RMW_OR, RMW_AND, RMW_SWAP };

u64 memory_load(uintptr_t at, unsigned size);
void memory_store(uintptr_t at, unsigned size, u64 value);
u64 memory_rmw(uintptr_t at, unsigned size, enum rmw f, u64 value);
bool memory_cas(uintptr_t at, unsigned size, u64 old, u64 want);
void memory_fence(void);
void memory_relax(void);

#endif
