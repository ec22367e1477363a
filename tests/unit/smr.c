/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smr - the sequences: wrap, window, clamp, throttle
 *
 * One thread plays all CPUs, so every interleaving here is chosen.  What real
 * concurrency may do to the same source is for tests/host/threads.mk.
 */
#define _POSIX_C_SOURCE 200809L

#include "smr/smr.h"
#include "tests/host/test.h"
#include "tests/unit/smr_steps.h"

#include <pthread.h>
#include <time.h>

#define CPUS 5

static struct smr s;

static u32 wr_now(void)
{
	return load_relaxed(&s.wr);
}

static u32 rd_now(void)
{
	return load_relaxed(&s.rd);
}

/* The second half of smr_enter(): a value that was loaded some time ago. */
static void publish(unsigned cpu, u32 seen)
{
	store_fence(&s.slot[cpu].seen, seen);
}

static void advance(unsigned times)
{
	while (times--)
		smr_advance(&s);
}

TEST(smr_params_are_sane)
{
	for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
		const struct smr_params *p = steps[i];

		EXPECT_EQ(p->init % 2, 1);
		EXPECT_EQ(p->incr % 2, 0);
		EXPECT(p->max_advance <= p->max_delta);
		EXPECT(p->max_delta - p->max_advance >= p->incr ||
		       p->max_delta - p->max_advance >= 1024);
		EXPECT(p->max_delta + (u64)p->incr < BIT(31));
	}
	/* A checked run crosses the wrap with its first step. */
	EXPECT(smr_default.init + smr_default.incr < smr_default.init);
}

TEST(smr_even_init_or_odd_step_panics)
{
	static const struct smr_params even = { 2, 2, 100, 50 },
				       odd = { 1, 3, 100, 50 };

	EXPECT_PANIC(smr_init(&s, 1, &even));
	EXPECT_PANIC(smr_init(&s, 1, &odd));
	EXPECT_PANIC(smr_init(&s, CPU_MAX + 1, NULL));
}

TEST(smr_sequences_are_never_idle)
{
	for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
		smr_init(&s, 1, steps[i]);
		for (unsigned n = 0; n < 200000; n++) {
			u32 before = wr_now(), goal = smr_advance(&s);

			if (!EXPECT(goal != SMR_IDLE) || !EXPECT_EQ(wr_now(), goal) ||
			    !EXPECT_EQ(goal - before, steps[i]->incr))
				return;
		}
	}
}

TEST(smr_giant_steps_return_after_sixteen)
{
	smr_init(&s, 1, &giant);
	advance(16);
	EXPECT_EQ(wr_now(), giant.init);
}

TEST(smr_enter_publishes_wr_and_exit_goes_idle)
{
	smr_init(&s, 2, NULL);
	advance(3);
	EXPECT(!smr_active(&s.slot[1]));
	smr_enter(&s.slot[1]);
	EXPECT(smr_active(&s.slot[1]));
	EXPECT(!smr_active(&s.slot[0]));
	EXPECT_EQ(load_relaxed(&s.slot[1].seen), wr_now());
	smr_exit(&s.slot[1]);
	EXPECT_EQ(load_relaxed(&s.slot[1].seen), SMR_IDLE);
}

TEST(smr_nested_enter_panics)
{
	smr_init(&s, 1, NULL);
	smr_enter(&s.slot[0]);
	EXPECT_PANIC(smr_enter(&s.slot[0]));
	smr_exit(&s.slot[0]);
	smr_enter(&s.slot[0]);
}

TEST(smr_poll_waits_for_older_sections_only)
{
	for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
		u32 goal;

		smr_init(&s, CPUS, steps[i]);
		smr_enter(&s.slot[1]);
		goal = smr_advance(&s);
		smr_enter(&s.slot[2]);
		EXPECT(!smr_poll(&s, goal));
		EXPECT_EQ(smr_laggard(&s, goal), 1);
		smr_exit(&s.slot[1]);
		EXPECT(smr_poll(&s, goal)); /* cpu 2 has seen exactly `goal` */
		EXPECT_EQ(smr_laggard(&s, goal), -1);
		EXPECT_EQ(rd_now(), goal);
	}
}

TEST(smr_poll_needs_no_scan_up_to_rd)
{
	u32 goal;

	smr_init(&s, 1, NULL);
	EXPECT(smr_poll(&s, wr_now()));
	goal = smr_advance(&s);
	EXPECT(smr_poll(&s, goal));
	EXPECT_EQ(rd_now(), goal);
	publish(0,
		goal - s.step.incr); /* a scan would find it and, unclamped, say no */
	EXPECT(smr_poll(&s, goal));
	EXPECT(smr_poll(&s, goal - s.step.incr));
}

TEST(smr_poll_of_an_expired_goal_is_true)
{
	u32 goal;

	smr_init(&s, 1, &medium);
	goal = smr_advance(&s);
	advance((1u << 10));
	smr_enter(&s.slot[0]);
	EXPECT(smr_poll(&s, goal));
	EXPECT(smr_poll(&s,
			wr_now() + s.step.incr)); /* beyond wr: from before a wrap */
	EXPECT(!smr_poll(&s, smr_advance(&s)));
}

/* What a scan learns moves rd, so that a later goal below it needs no scan. */
TEST(smr_rd_rises_to_the_lowest_reader)
{
	u32 low;

	smr_init(&s, 3, NULL);
	advance(2);
	low = wr_now();
	smr_enter(&s.slot[0]);
	advance(2);
	smr_enter(&s.slot[1]);
	EXPECT(!smr_poll(&s, smr_advance(&s)));
	EXPECT_EQ(rd_now(), low);
	smr_exit(&s.slot[0]);
	EXPECT(!smr_poll(&s, smr_advance(&s)));
	EXPECT_EQ(rd_now(), low + 2 * s.step.incr);
}

/* S5.  The slot names a time before rd; rd stays, and the reader is waited for. */
TEST(smr_late_publisher_counts_as_rd)
{
	for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
		u32 loaded, rd, goal;

		smr_init(&s, 2, steps[i]);
		loaded = wr_now();
		advance(2);
		EXPECT(smr_poll(&s, wr_now()));
		rd = rd_now();
		publish(1, loaded);
		EXPECT_EQ(smr_laggard(&s, rd), -1);
		goal = smr_advance(&s);
		EXPECT(!smr_poll(&s, goal));
		EXPECT_EQ(rd_now(), rd);
		EXPECT_EQ(smr_laggard(&s, goal), 1);
		smr_exit(&s.slot[1]);
		EXPECT(smr_poll(&s, goal));
	}
}

/*
 * S5 where it decides: the slot lies less than 2^31 below rd but more than that below
 * the goal, so that unclamped it would look like a reader from the future.
 */
TEST(smr_late_publisher_is_not_from_the_future)
{
	u32 loaded, rd, goal;

	smr_init(&s, 2, &giant);
	loaded = wr_now();
	for (unsigned n = 0; n < 7; n++)
		EXPECT(smr_poll(&s, smr_advance(&s)));
	rd = rd_now();
	publish(1, loaded);
	advance(1);
	goal = smr_advance(&s); /* nine steps, 9/16 of the circle, ahead of the slot */
	EXPECT(!smr_poll(&s, goal));
	EXPECT_EQ(rd_now(), rd);
}

TEST(smr_idle_readers_never_throttle)
{
	smr_init(&s, CPUS, NULL);
	advance(100000);
	EXPECT(smr_poll(&s, wr_now()));
}

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ 0, ms * 1000000 }, NULL);
}

static u32 returned;

static void *advance_once(void *arg)
{
	(void)arg;
	smr_advance(&s);
	__atomic_store_n(&returned, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static bool has_returned(void)
{
	return __atomic_load_n(&returned, __ATOMIC_SEQ_CST);
}

/* A reader max_delta behind holds the writer, until it is max_advance behind. */
static void throttle(const struct smr_params *p)
{
	unsigned free_steps = (p->max_delta - 1) / p->incr;
	pthread_t writer;

	smr_init(&s, 2, p);
	returned = 0;
	smr_enter(&s.slot[1]);
	advance(free_steps);
	if (!EXPECT_EQ(pthread_create(&writer, NULL, advance_once, NULL), 0))
		return;
	sleep_ms(20);
	EXPECT(!has_returned());
	smr_exit(&s.slot[1]);
	pthread_join(writer, NULL);
	EXPECT_EQ(wr_now() - p->init, (free_steps + 1) * p->incr);
}

TEST(smr_throttle_holds_a_writer_far_ahead, .secs = 10)
{
	throttle(&smr_default);
	throttle(&medium);
	throttle(&giant);
}

/* It is released by a reader that moves on, too, not only by one that is idle. */
TEST(smr_throttle_ends_at_max_advance, .secs = 10)
{
	pthread_t writer;

	smr_init(&s, 2, &giant); /* waits at 4 steps for 2 */
	returned = 0;
	smr_enter(&s.slot[1]);
	advance(2);
	smr_enter(&s.slot[0]);
	advance(1);
	if (!EXPECT_EQ(pthread_create(&writer, NULL, advance_once, NULL), 0))
		return;
	sleep_ms(20);
	EXPECT(!has_returned());
	smr_exit(&s.slot[1]);
	pthread_join(writer, NULL);
	EXPECT_EQ(rd_now(), giant.init + 2 * giant.incr);
}
