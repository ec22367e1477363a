/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smr_flavours - goals that do not exist yet: when wr gets there, and who moves it.
 */
#include "smr/flavours.h"
#include "tests/host/test.h"

#define LIMIT 4

static struct smr s;

static u32 wr(void)
{
	return load_relaxed(&s.wr);
}

static u32 incr(void)
{
	return s.step.incr;
}

TEST(deferred_moves_wr_with_the_limit_th_call)
{
	u32 calls = 0;

	smr_init(&s, 2, NULL);
	for (unsigned round = 0; round < 10; round++) {
		u32 was = wr();

		for (unsigned i = 1; i < LIMIT; i++) {
			EXPECT_EQ(smr_deferred_advance(&s, &calls, LIMIT),
				  was + incr());
			EXPECT_EQ(wr(), was);
		}
		EXPECT_EQ(smr_deferred_advance(&s, &calls, LIMIT), was + incr());
		EXPECT_EQ(wr(), was + incr());
	}
}

TEST(deferred_poll_moves_wr_only_for_who_waits)
{
	u32 calls = 0, was;
	smr_seq_t goal;

	smr_init(&s, 2, NULL);
	was = wr();
	smr_enter(&s.slot[1]);
	goal = smr_deferred_advance(&s, &calls, LIMIT);
	EXPECT(!smr_deferred_poll(&s, goal, false));
	EXPECT_EQ(wr(), was);
	EXPECT(!smr_deferred_poll(&s, goal, true)); /* the reader */
	EXPECT_EQ(wr(), goal);
	EXPECT(!smr_deferred_poll(&s, goal, true));
	EXPECT_EQ(wr(), goal); /* once */
	smr_exit(&s.slot[1]);
	EXPECT(smr_deferred_poll(&s, goal, false));
}

/* H9: who enters before the waiting poll is waited for, though the ticket is older. */
TEST(deferred_waits_for_who_came_after_the_ticket)
{
	u32 calls = 0;
	smr_seq_t goal;

	smr_init(&s, 2, NULL);
	goal = smr_deferred_advance(&s, &calls, LIMIT);
	smr_enter(&s.slot[1]);
	EXPECT(!smr_deferred_poll(&s, goal, true));
	goal = smr_advance(&s);
	smr_exit(&s.slot[1]);
	smr_enter(&s.slot[1]);
	EXPECT(smr_poll(&s, goal)); /* the default flavour does not */
	smr_exit(&s.slot[1]);
}

TEST(lazy_goal_is_two_ticks_away)
{
	atomic64_t clock = { 0 };
	smr_seq_t goal;
	u32 was;

	smr_init(&s, 2, NULL);
	was = wr();
	goal = smr_lazy_advance(&s, &clock, 0);
	EXPECT_EQ(goal, was + 2 * incr());
	EXPECT_EQ(wr(), was);
	EXPECT(!smr_lazy_poll(&s, &clock, goal, 0));
	EXPECT(!smr_lazy_poll(&s, &clock, goal, 1));
	EXPECT_EQ(wr(), was + incr());
	EXPECT_EQ(smr_lazy_advance(&s, &clock, 1), goal + incr());
	EXPECT(smr_lazy_poll(&s, &clock, goal, 2));
	EXPECT_EQ(wr(), goal);
}

TEST(lazy_waits_for_who_is_inside)
{
	atomic64_t clock = { 0 };
	smr_seq_t goal;

	smr_init(&s, 2, NULL);
	smr_lazy_enter(&s.slot[1]);
	goal = smr_lazy_advance(&s, &clock, 0);
	for (u32 now = 0; now < 10; now++)
		EXPECT(!smr_lazy_poll(&s, &clock, goal, now));
	smr_exit(&s.slot[1]);
	EXPECT(smr_lazy_poll(&s, &clock, goal, 10));
}

/* A long time, or a clock that lags behind another CPU's, counts as the grace. */
TEST(lazy_moves_by_the_grace_at_most)
{
	static const u32 to[] = { 1000, BIT(31) + 1, 7 };
	atomic64_t clock = { 0 };

	smr_init(&s, 2, NULL);
	for (unsigned i = 0; i < ARRAY_LEN(to); i++) {
		u32 was = wr();

		smr_lazy_advance(&s, &clock, to[i]);
		EXPECT_EQ(wr(), was + 2 * incr());
		smr_lazy_advance(&s, &clock, to[i]);
		EXPECT_EQ(wr(), was + 2 * incr());
	}
}
