/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ghosts - some watched roots, edits that are a duty to flush, and what was found.
 */
#ifndef TESTS_UNIT_GHOSTS_H
#define TESTS_UNIT_GHOSTS_H

#include "inval/ghost.h"
#include "tests/host/cpu.h"
#include "tests/host/test.h"

#define ROOTS 3
#define CPUS  4

static const u64 eptp[ROOTS] = { 0x123000 | 0x1e, 0x456000 | 0x5e,
				 0x4000123000 | 0x1e };
static struct ghost *ghost[ROOTS];

static inline struct gather duty(u64 start, enum gather_why why)
{
	struct gather g = gather_init();

	gather_range(&g, GPA(start), PAGE_SIZE, why);
	return g;
}

static inline struct ghost_tally tally(void)
{
	struct ghost_tally t;

	ghost_tell(&t);
	return t;
}

static inline u64 found(enum ghost_kind kind)
{
	return tally().of_kind[kind];
}

static inline u64 found_all(void)
{
	return tally().violations;
}

static inline void set_up(void)
{
	ghost_forget();
	cpu_become(0);
	for (unsigned i = 0; i < ROOTS; i++)
		ghost[i] = ghost_watch(eptp[i], CPUS, "p");
}

#endif
