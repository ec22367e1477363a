/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * atomic - the only file that spells a memory order
 *
 * A word that CPUs share has a struct type, so plain access does not compile;
 * the order is in the name of the call.  Another implementation of this header
 * may be put first on the include path: tests/host has one for TSan that adds a
 * model of the x86 store buffer, and the explorer brings a scheduler's.
 *
 * On x86-TSO every load is an acquire and every store a release for free.  The
 * one order that costs is a store before a later load: store_fence() and
 * fence_sc() give it, by a locked instruction.
 */
#ifndef LIB_ATOMIC_H
#define LIB_ATOMIC_H

#include "lib/types.h"

typedef struct {
	u32 raw;
} atomic32_t;
typedef struct {
	u64 raw;
} atomic64_t;

#define load_relaxed(p)     __atomic_load_n(&(p)->raw, __ATOMIC_RELAXED)
#define load_acquire(p)     __atomic_load_n(&(p)->raw, __ATOMIC_ACQUIRE)
#define store_relaxed(p, v) __atomic_store_n(&(p)->raw, (v), __ATOMIC_RELAXED)
#define store_release(p, v) __atomic_store_n(&(p)->raw, (v), __ATOMIC_RELEASE)

/* Store, then a full fence: the store is visible before any later load (XCHG). */
#define store_fence(p, v) ((void)__atomic_exchange_n(&(p)->raw, (v), __ATOMIC_SEQ_CST))

/* Read-modify-write, each a full fence on x86. */
#define fetch_add(p, v) __atomic_fetch_add(&(p)->raw, (v), __ATOMIC_SEQ_CST)
#define fetch_or(p, v)  __atomic_fetch_or(&(p)->raw, (v), __ATOMIC_SEQ_CST)
#define fetch_and(p, v) __atomic_fetch_and(&(p)->raw, (v), __ATOMIC_SEQ_CST)
#define swap(p, v)      __atomic_exchange_n(&(p)->raw, (v), __ATOMIC_SEQ_CST)

/* As above where the old value is not wanted: one locked instruction. */
#define add_fence(p, v) ((void)__atomic_add_fetch(&(p)->raw, (v), __ATOMIC_SEQ_CST))
#define or_fence(p, v)  ((void)__atomic_or_fetch(&(p)->raw, (v), __ATOMIC_SEQ_CST))
#define and_fence(p, v) ((void)__atomic_and_fetch(&(p)->raw, (v), __ATOMIC_SEQ_CST))

/* True when *p was `old` and now is `want`; a full fence either way. */
#define cas(p, old, want)                                                        \
	__extension__({                                                          \
		__typeof__((p)->raw) cas_old = (old);                            \
		__atomic_compare_exchange_n(&(p)->raw, &cas_old, (want), false,  \
					    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED); \
	})

/* One turn of a spin loop: the place where a native or explored run may yield. */
static inline void relax(void)
{
	__builtin_ia32_pause();
}

static inline void fence_sc(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void fence_acquire(void)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

static inline void fence_release(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

#endif
