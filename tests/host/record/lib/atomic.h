/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * atomic - lib/atomic.h that shows each operation to a hook, before it takes effect.
 *
 * First on the include path, it is what the sources get for "lib/atomic.h".
 */
#ifndef LIB_ATOMIC_H
#define LIB_ATOMIC_H

#include "tests/host/record/record.h"

typedef struct {
	u32 raw;
} atomic32_t;
typedef struct {
	u64 raw;
} atomic64_t;

#define record_value(p) __typeof__((p)->raw + 0)
#define record_word(what, p, v) \
	record((struct op){ what, &(p)->raw, sizeof((p)->raw), (u64)(v) })

#define record_load(p, order) \
	(record_word(OP_LOAD, p, 0), __atomic_load_n(&(p)->raw, order))

/* The value is computed first: what it loads is recorded before. */
#define record_store(p, v, order)                             \
	__extension__({                                       \
		record_value(p) record_v = (v);               \
		record_word(OP_STORE, p, record_v);           \
		__atomic_store_n(&(p)->raw, record_v, order); \
		record_word(OP_DONE, p, record_v);            \
	})
#define record_rmw(p, v, f)                                            \
	__extension__({                                                \
		record_value(p) record_v = (v), record_old;            \
		record_word(OP_RMW, p, record_v);                      \
		record_old = f(&(p)->raw, record_v, __ATOMIC_SEQ_CST); \
		record_word(OP_DONE, p, record_v);                     \
		record_old;                                            \
	})

#define load_relaxed(p)     record_load(p, __ATOMIC_RELAXED)
#define load_acquire(p)     record_load(p, __ATOMIC_ACQUIRE)
#define store_relaxed(p, v) record_store(p, v, __ATOMIC_RELAXED)
#define store_release(p, v) record_store(p, v, __ATOMIC_RELEASE)
#define store_fence(p, v)   ((void)swap(p, v))

#define fetch_add(p, v) record_rmw(p, v, __atomic_fetch_add)
#define fetch_or(p, v)  record_rmw(p, v, __atomic_fetch_or)
#define fetch_and(p, v) record_rmw(p, v, __atomic_fetch_and)
#define swap(p, v)      record_rmw(p, v, __atomic_exchange_n)

#define add_fence(p, v) ((void)fetch_add(p, v))
#define or_fence(p, v)  ((void)fetch_or(p, v))
#define and_fence(p, v) ((void)fetch_and(p, v))

#define cas(p, old, want)                                                           \
	__extension__({                                                             \
		__typeof__((p)->raw) cas_old = (old);                               \
		bool cas_done;                                                      \
		record_word(OP_RMW, p, want);                                       \
		cas_done = __atomic_compare_exchange_n(&(p)->raw, &cas_old, (want), \
						       false, __ATOMIC_SEQ_CST,     \
						       __ATOMIC_RELAXED);           \
		if (cas_done)                                                       \
			record_word(OP_DONE, p, want);                              \
		cas_done;                                                           \
	})

static inline void relax(void)
{
	record((struct op){ .what = OP_RELAX });
}

static inline void fence_sc(void)
{
	record((struct op){ .what = OP_FENCE });
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void fence_acquire(void)
{
}

static inline void fence_release(void)
{
}

#endif
