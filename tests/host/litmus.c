/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * litmus - is the model of the store buffer x86-TSO, no less and no more?
 *
 *	litmus ROUNDS SEED
 *
 * Two threads each execute a few operations on x and y, over and over.  An outcome that
 * x86 allows for want of a fence must be seen: else the model finds no missing fence.
 * One that x86 forbids must not be: else it finds faults that are none.
 */
#include "tests/host/hw_threads.h"
#include "lib/str.h"

#include <pthread.h>
#include <stdio.h>

static atomic32_t x, y, z;
static u32 r0, r1, r2; /* r0 and r2 belong to thread 0, r1 to thread 1 */

static void sb_0(void)
{
	store_release(&x, 1u);
	r0 = load_acquire(&y);
}

static void sb_1(void)
{
	store_release(&y, 1u);
	r1 = load_acquire(&x);
}

static void sb_fence_0(void)
{
	store_fence(&x, 1u);
	r0 = load_acquire(&y);
}

static void sb_fence_1(void)
{
	store_relaxed(&y, 1u);
	fence_sc();
	r1 = load_acquire(&x);
}

static void sb_rmw_0(void)
{
	store_release(&x, 1u);
	add_fence(&z, 1u);
	r0 = load_acquire(&y);
}

/* The newest own store is seen at once, and yet by nobody else. */
static void sb_own_0(void)
{
	store_release(&x, 1u);
	store_release(&x, 2u);
	r2 = load_acquire(&x);
	r0 = load_acquire(&y);
}

static void mp_0(void)
{
	store_relaxed(&x, 1u);
	store_relaxed(&y, 1u);
}

static void mp_1(void)
{
	r0 = load_relaxed(&y);
	r1 = load_relaxed(&x);
}

static void ww_0(void)
{
	store_release(&x, 1u);
	store_release(&y, 2u);
}

static void ww_1(void)
{
	store_release(&y, 1u);
	store_release(&x, 2u);
}

static bool both_missed(void)
{
	return r0 == 0 && r1 == 0;
}

static bool missed_after_own(void)
{
	return r0 == 0 && r1 == 0 && r2 == 2;
}

static bool own_missed(void)
{
	return r2 != 2;
}

static bool out_of_order(void)
{
	return r0 == 1 && r1 == 0;
}

static bool first_ones_last(void)
{
	return load_relaxed(&x) == 1 && load_relaxed(&y) == 1;
}

static const struct litmus {
	const char *name;
	void (*thread[2])(void);
	bool (*outcome)(void);
	bool allowed;
} tests[] = {
	{ "a load overtakes a store", { sb_0, sb_1 }, both_missed, true },
	{ "also when one fence is missing", { sb_fence_0, sb_1 }, both_missed, true },
	{ "but not past two fences", { sb_fence_0, sb_fence_1 }, both_missed, false },
	{ "nor past an RMW of another word",
	  { sb_rmw_0, sb_fence_1 },
	  both_missed,
	  false },
	{ "also past a load of the own store",
	  { sb_own_0, sb_1 },
	  missed_after_own,
	  true },
	{ "the own store is seen", { sb_own_0, sb_1 }, own_missed, false },
	{ "stores and loads stay in order", { mp_0, mp_1 }, out_of_order, false },
	{ "stores of two threads make no cycle",
	  { ww_0, ww_1 },
	  first_ones_last,
	  false },
};

static u64 rounds, seed, end;
static u32 arrived;

/* Thread 0's, read by the other when both have met. */
static u64 done, seen[ARRAY_LEN(tests)];
static bool over;

/* Both threads are here; orders everything, as the end of a round may. */
static void meet(u32 *turn)
{
	fence_sc();
	__atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
	*turn += 2;
	while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < *turn)
		relax();
}

/* Thread 0, between two rounds: judges the last one, and prepares the next. */
static void judge(unsigned i)
{
	seen[i] += tests[i].outcome();
	store_relaxed(&x, 0u);
	store_relaxed(&y, 0u);
	r0 = r1 = r2 = 0;
	over = ++done == rounds * ARRAY_LEN(tests) || now_ms() > end;
}

static void *thread(void *arg)
{
	unsigned me = *(unsigned *)arg, i = 0;
	u32 turn = 0;

	cpu_start(me, seed);
	for (meet(&turn); !over; meet(&turn)) {
		tests[i].thread[me]();
		meet(&turn);
		if (me == 0)
			judge(i);
		i = (i + 1) % ARRAY_LEN(tests);
	}
	cpu_stop();
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned me[2] = { 0, 1 }, bad = 0;
	pthread_t other;

	if (argc != 3 || !str_u64(argv[1], &rounds) || !str_u64(argv[2], &seed)) {
		fprintf(stderr, "usage: litmus ROUNDS SEED\n");
		return 2;
	}
	end = now_ms() + RUN_MS;
	if (pthread_create(&other, NULL, thread, &me[1]))
		panic("litmus: no thread");
	thread(&me[0]);
	pthread_join(other, NULL);
	for (unsigned i = 0; i < ARRAY_LEN(tests); i++) {
		bool ok = tests[i].allowed == (seen[i] > 0);

		bad += !ok;
		printf("# %s%s: %lu of %lu\n", ok ? "" : "WRONG: ", tests[i].name,
		       seen[i], rounds);
	}
	printf("# %zu outcomes, %u of them wrong\n", ARRAY_LEN(tests), bad);
	return done < FEW(rounds) * ARRAY_LEN(tests) ? TOO_FEW : bad ? 1 : 0;
}
