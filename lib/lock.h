/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lock - a spin lock; holders keep it short and never wait for another CPU.
 *
 * It does not touch interrupts: what an interrupt handler needs is never locked.
 */
#ifndef LIB_LOCK_H
#define LIB_LOCK_H

#include "lib/atomic.h"

struct lock {
	atomic32_t held;
};

static inline void lock(struct lock *l)
{
	while (swap(&l->held, 1u))
		while (load_relaxed(&l->held))
			relax();
}

static inline void unlock(struct lock *l)
{
	store_release(&l->held, 0u);
}

#endif
