/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * atomic - lib/atomic.h over a model of the x86 store buffer, for TSan; see tso.c.
 *
 * First on the include path, it is what the sources get for "lib/atomic.h".  Loads and
 * stores keep the order that their name says, so that TSan also reports a release that
 * is missing and that x86 would have forgiven.
 */
#ifndef LIB_ATOMIC_H
#define LIB_ATOMIC_H

#include "tests/host/tsan/tso.h"

typedef struct {
	u32 raw;
} atomic32_t;
typedef struct {
	u64 raw;
} atomic64_t;

#define tso_value(p)     __typeof__((p)->raw + 0)
#define tso_get(p, acq)  ((tso_value(p))tso_load(&(p)->raw, sizeof((p)->raw), acq))
#define tso_put(p, v, r) tso_store(&(p)->raw, sizeof((p)->raw), (v), r)

#define load_relaxed(p)     tso_get(p, false)
#define load_acquire(p)     tso_get(p, true)
#define store_relaxed(p, v) tso_put(p, v, false)
#define store_release(p, v) tso_put(p, v, true)

#define store_fence(p, v) ((void)swap(p, v))

/* The value is computed first: what it loads may be old when the fence is over. */
#define tso_rmw(p, v, f)                               \
	__extension__({                                \
		tso_value(p) tso_v = (v);              \
		tso_fence();                           \
		f(&(p)->raw, tso_v, __ATOMIC_SEQ_CST); \
	})
#define fetch_add(p, v) tso_rmw(p, v, __atomic_fetch_add)
#define fetch_or(p, v)  tso_rmw(p, v, __atomic_fetch_or)
#define fetch_and(p, v) tso_rmw(p, v, __atomic_fetch_and)
#define swap(p, v)      tso_rmw(p, v, __atomic_exchange_n)

#define add_fence(p, v) ((void)fetch_add(p, v))
#define or_fence(p, v)  ((void)fetch_or(p, v))
#define and_fence(p, v) ((void)fetch_and(p, v))

#define cas(p, old, want)                                                        \
	__extension__({                                                          \
		__typeof__((p)->raw) cas_old = (old);                            \
		tso_fence();                                                     \
		__atomic_compare_exchange_n(&(p)->raw, &cas_old, (want), false,  \
					    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED); \
	})

static inline void relax(void)
{
	tso_relax();
}

static inline void fence_sc(void)
{
	tso_fence();
}

/* Free on x86: nothing but a load overtakes a store. */
static inline void fence_acquire(void)
{
}

static inline void fence_release(void)
{
}

#endif
