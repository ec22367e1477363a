/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * atomic - lib/atomic.h in which each access goes to the explorer's model of memory
 *
 * First on the include path, it is what the sources get for "lib/atomic.h".  Orders
 * that x86-TSO gives for free are no operation here, as the model has no weaker one.
 */
#ifndef LIB_ATOMIC_H
#define LIB_ATOMIC_H

#include "tests/explore/memory.h"

typedef struct {
	u32 raw;
} atomic32_t;
typedef struct {
	u64 raw;
} atomic64_t;

/* The type of a word without its qualifiers. */
#define explored_type(p)  __typeof__((p)->raw + 0)
#define explored_word(p)  (uintptr_t) & (p)->raw, sizeof((p)->raw)
#define explored_value(x) (u64)(x)

#define explored_rmw(p, f, v) \
	((explored_type(p))memory_rmw(explored_word(p), f, explored_value(v)))

#define load_relaxed(p)     ((explored_type(p))memory_load(explored_word(p)))
#define load_acquire(p)     load_relaxed(p)
#define store_relaxed(p, v) memory_store(explored_word(p), explored_value(v))
#define store_release(p, v) store_relaxed(p, v)
#define store_fence(p, v)   ((void)swap(p, v))

#define fetch_add(p, v) explored_rmw(p, RMW_ADD, v)
#define fetch_or(p, v)  explored_rmw(p, RMW_OR, v)
#define fetch_and(p, v) explored_rmw(p, RMW_AND, v)
#define swap(p, v)      explored_rmw(p, RMW_SWAP, v)

#define add_fence(p, v) ((void)fetch_add(p, v))
#define or_fence(p, v)  ((void)fetch_or(p, v))
#define and_fence(p, v) ((void)fetch_and(p, v))

#define cas(p, old, want) \
	memory_cas(explored_word(p), (__typeof__((p)->raw))(old), explored_value(want))

static inline void relax(void)
{
	memory_relax();
}

static inline void fence_sc(void)
{
	memory_fence();
}

static inline void fence_acquire(void)
{
}

static inline void fence_release(void)
{
}

#endif
