/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tso - a model of the x86 store buffer in front of real memory, which TSan understands
 *
 * x86-TSO: a store enters its CPU's FIFO and reaches memory some time later, in order;
 * a load sees the newest entry of the own FIFO, else memory; a locked RMW or a fence
 * drains the FIFO first.  So a load may overtake an earlier store, and nothing else
 * is reordered.
 *
 *      thread                       its drain (a TSan fiber)
 *      ------                       ------------------------
 *      store: release(entry) ---->  acquire(entry)
 *             access after          store to memory, with the order that was asked for
 *             fence, or chance -->  ... the next, in FIFO order
 *
 * TSan attaches to a store the clock of whoever executes it.  Executed late by the
 * thread itself, a store would also cover the accesses between issue and drain, and
 * an exit mark placed before the last access would go unnoticed.  The drain is
 * therefore a fiber with a clock of its own, which learns of the thread only what
 * happened before the issue.
 *
 * TSan sees no fences either: a fence and each RMW is an RMW on one word of the whole
 * program, so that they are totally ordered, as they are on x86.
 *
 * Plain stores do not pass through the buffer.  A word is atomic or plain between two
 * fences, never both; the sources keep to that because they free memory under a lock.
 *
 * This file is built without instrumentation and tells TSan by its interface alone.
 */
#include "tests/host/tsan/tso.h"
#include "lib/rng.h"

#include <sanitizer/tsan_interface.h>
#include <sched.h>

/* TSan's own entry points, for which gcc has no header; orders are __ATOMIC_*. */
u64 __tsan_atomic64_load(const volatile u64 *, int order);
u32 __tsan_atomic32_load(const volatile u32 *, int order);
void __tsan_atomic64_store(volatile u64 *, u64, int order);
void __tsan_atomic32_store(volatile u32 *, u32, int order);
u64 __tsan_atomic64_fetch_add(volatile u64 *, u64, int order);

#define TSO_DEPTH  8  /* entries; when it is full the oldest drains */
#define TSO_CHANCE 4  /* one in so many atomic operations drains one ...       */
#define TSO_PAUSE  32 /* ... and one in so many lets another thread go first    */

struct entry {
	volatile void *at;
	u64 value;
	unsigned size;
	bool release;
};

static _Thread_local struct buffer {
	struct entry entry[TSO_DEPTH];
	char issued[TSO_DEPTH], drained; /* what TSan synchronizes on */
	unsigned first, count;
	struct rng rng;
	void *thread, *drain;
} self;

static volatile u64 total_order;

static void commit(const struct entry *e)
{
	int order = e->release ? __ATOMIC_RELEASE : __ATOMIC_RELAXED;

	if (e->size == 8)
		__tsan_atomic64_store(e->at, e->value, order);
	else
		__tsan_atomic32_store(e->at, (u32)e->value, order);
}

static void drain_one(void)
{
	struct buffer *b = &self;
	unsigned i = b->first;

	b->first = (i + 1) % TSO_DEPTH;
	b->count--;
	__tsan_switch_to_fiber(b->drain, __tsan_switch_to_fiber_no_sync);
	__tsan_acquire(&b->issued[i]);
	commit(&b->entry[i]);
	__tsan_release(&b->drained);
	__tsan_switch_to_fiber(b->thread, __tsan_switch_to_fiber_no_sync);
	__tsan_acquire(&b->drained); /* the thread's own stores are no race with it */
}

static void drain(void)
{
	while (self.count)
		drain_one();
}

/* What may happen between any two operations. */
static void chance(void)
{
	u64 r = rng_next(&self.rng);

	if (self.count && r % TSO_CHANCE == 0)
		drain_one();
	if ((r >> 32) % TSO_PAUSE == 0)
		sched_yield();
}

void tso_start(u64 seed)
{
	self.rng = (struct rng){ seed };
	self.thread = __tsan_get_current_fiber();
	self.drain = __tsan_create_fiber(0);
}

void tso_stop(void)
{
	drain();
	__tsan_destroy_fiber(self.drain);
}

/* The newest entry of the own buffer for `at`, or NULL. */
static const struct entry *newest(const volatile void *at)
{
	for (unsigned n = self.count; n-- > 0;) {
		const struct entry *e = &self.entry[(self.first + n) % TSO_DEPTH];

		if (e->at == at)
			return e;
	}
	return NULL;
}

u64 tso_load(const volatile void *at, unsigned size, bool acquire)
{
	int order = acquire ? __ATOMIC_ACQUIRE : __ATOMIC_RELAXED;
	const struct entry *e;

	chance();
	e = newest(at);
	if (e)
		return e->value;
	return size == 8 ? __tsan_atomic64_load(at, order)
			 : __tsan_atomic32_load(at, order);
}

void tso_store(volatile void *at, unsigned size, u64 value, bool release)
{
	unsigned i;

	chance();
	if (self.count == TSO_DEPTH)
		drain_one();
	i = (self.first + self.count++) % TSO_DEPTH;
	self.entry[i] = (struct entry){ at, value, size, release };
	__tsan_release(&self.issued[i]);
}

void tso_fence(void)
{
	chance();
	drain();
	__tsan_atomic64_fetch_add(&total_order, 1, __ATOMIC_SEQ_CST);
}

void tso_relax(void)
{
	drain();
	sched_yield();
}
