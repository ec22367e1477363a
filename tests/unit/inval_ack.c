/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inval_ack - the steps of protocols that stop each CPU, or wait for each one's answer.
 */
#include "tests/unit/cpus.h"
#include "lib/str.h"
#include "tests/host/cpu.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"

/* The protocols that stop the world, and those that wait for each CPU after the edit.
 */
static const struct inval_proto *const stopping[] = { &rendezvous, &stop_world };
static const struct inval_proto *const waiting[] = { &dirty_mask, &counter_wait,
						     &handler_flush };

TEST(inval_begin_stops_all_and_publish_is_done)
{
	for (unsigned i = 0; i < ARRAY_LEN(stopping); i++) {
		static struct gather g;
		ticket_t t;

		set_up(stopping[i], 100);
		g = duty();
		enter(3);
		enter(70);
		inval_begin(&iv);
		EXPECT_EQ(kick_count, 2);
		EXPECT(!inval_active(&iv, 3) && !inval_active(&iv, 70));
		EXPECT(load_relaxed(&iv.shared[0].word));
		EXPECT_PANIC(inval_begin(&iv));
		t = inval_publish(&iv, &g);
		EXPECT_EQ(kick_count,
			  2); /* it was announced: nobody is stopped again */
		EXPECT_EQ(load_relaxed(&iv.shared[0].word), 0);
		EXPECT(inval_done(&iv, t));
		EXPECT_EQ(iv.proto->laggard(&iv, t), -1);
		flush_count = 0;
		enter(3);
		EXPECT_EQ(flush_count, 1);
		enter(5); /* for the first time */
		EXPECT_EQ(flush_count, 2);
		inval_retire(&iv, t, &g);
	}
}

TEST(inval_waits_for_each_reader_that_was_inside)
{
	for (unsigned i = 0; i < ARRAY_LEN(waiting); i++) {
		static struct gather g;
		static ticket_t t;

		set_up(waiting[i], 100);
		g = duty();
		enter(3);
		enter(70);
		t = inval_publish(&iv, &g);
		EXPECT_EQ(kick_count, 2);
		EXPECT_EQ(iv.proto->laggard(&iv, t), 3);
		leave(3);
		EXPECT_EQ(iv.proto->laggard(&iv, t), 70);
		EXPECT(!inval_done(&iv, t));
		EXPECT_PANIC(inval_retire(&iv, t, &g));
		leave(70);
		EXPECT(inval_done(&iv, t));
		enter(70); /* before it has taken its kick: done is done */
		EXPECT(inval_done(&iv, t));
		EXPECT_EQ(iv.proto->laggard(&iv, t), -1);
		inval_retire(&iv, t, &g);
	}
}

/* Who comes back unseen, before anybody asks, has acknowledged by its kick. */
TEST(inval_kick_acknowledges)
{
	for (unsigned i = 0; i < ARRAY_LEN(waiting); i++) {
		struct gather g;
		ticket_t t;

		set_up(waiting[i], 4);
		g = duty();
		enter(3);
		t = inval_publish(&iv, &g);
		leave(3);
		take_kick(3);
		enter(3);
		EXPECT_EQ(flush_count, 2);
		EXPECT(inval_done(&iv, t));
		inval_retire(&iv, t, &g);
	}
}

/* It leaves the guest by the kick that is pending, and is back at once. */
static void out_and_in(unsigned cpu)
{
	leave(cpu);
	take_kick(cpu);
	enter(cpu);
}

/*
 * [N1] before the snapshot.  CPU 3 has flushed for another initiator's edit, whose kick
 * arrives between the snapshot and what follows it: it looks like an answer, so the
 * CPU must have been told by then.
 */
TEST(counter_wait_tells_before_it_looks)
{
	struct gather g, h;
	ticket_t t, u;

	set_up(&counter_wait, 4);
	g = duty();
	h = duty();
	enter(3);
	cpu_become(1);
	t = inval_publish(&iv, &h);
	leave(3);
	enter(3); /* before it has taken its kick */
	EXPECT_EQ(flush_count, 2);
	cpu_become(0);
	after_look = out_and_in;
	u = inval_publish(&iv, &g);
	EXPECT(!after_look);
	EXPECT_EQ(flush_count, 3);
	EXPECT(inval_done(&iv, u));
	inval_retire(&iv, u, &g);
	inval_retire(&iv, t, &h);
}

/* A later call of another initiator is a wait of its own. */
TEST(inval_calls_overlap)
{
	for (unsigned i = 0; i < ARRAY_LEN(waiting); i++) {
		struct gather g, h;
		ticket_t t, u;

		set_up(waiting[i], 4);
		g = duty();
		h = duty();
		enter(3);
		t = inval_publish(&iv, &g);
		cpu_become(1);
		u = inval_publish(&iv, &h);
		EXPECT(!inval_done(&iv, t) && !inval_done(&iv, u));
		leave(3);
		take_kick(3); /* one interrupt for both kicks */
		enter(3);
		EXPECT(inval_done(&iv, t) && inval_done(&iv, u));
		inval_retire(&iv, t, &g);
		inval_retire(&iv, u, &h);
		h = duty();
		u = inval_publish(&iv, &h);
		EXPECT(!inval_done(&iv, u));
		EXPECT(inval_done(&iv, t));
		leave(3);
		EXPECT(inval_done(&iv, u));
		inval_retire(&iv, u, &h);
	}
}

/* A call that is numbered first and marked last must not pass for acknowledged. */
TEST(dirty_mask_keeps_the_oldest_call)
{
	atomic64_t *mark = &iv.reader[3].mark.word;
	struct gather g, h;
	ticket_t t, u;

	set_up(&dirty_mask, 4);
	g = duty();
	h = duty();
	enter(3);
	t = inval_publish(&iv, &g);
	EXPECT_EQ(load_relaxed(mark), t);
	u = inval_publish(&iv, &h);
	EXPECT_EQ(u, t + 1);
	EXPECT_EQ(load_relaxed(mark), t);
	store_relaxed(mark, u); /* as if u had been first to mark it ... */
	store_relaxed(&iv.gen, t);
	EXPECT_EQ(inval_publish(&iv, &(struct gather){ 0 }), t);
	EXPECT_EQ(load_relaxed(mark), t); /* ... and t second */
	leave(3);
	take_kick(3);
	EXPECT_EQ(load_relaxed(mark), 0);
}

/* A mark whose kick was taken where no hook runs must not be waited for again. */
TEST(dirty_mask_entry_acknowledges)
{
	struct gather g;
	ticket_t t;

	set_up(&dirty_mask, 4);
	g = duty();
	enter(3);
	t = inval_publish(&iv, &g);
	leave(3);
	enter(3);
	EXPECT_EQ(flush_count, 2);
	EXPECT(inval_done(&iv, t));
}

/* At the kick the bits are set, and the call is on the mark. */
TEST(dirty_mask_kicks_last)
{
	struct gather g;
	ticket_t t;

	set_up(&dirty_mask, 4);
	g = duty();
	enter(1);
	enter(3);
	EXPECT_EQ(load_relaxed(&iv.mask[0]), 0);
	t = inval_publish(&iv, &g);
	EXPECT_EQ(kicks[0].mask, ~0ull);
	EXPECT_EQ(kicks[0].mark, t);
	EXPECT_EQ(kicks[1].mask, ~0ull);
	EXPECT_EQ(kicks[1].mark, t);
	leave(3);
	enter(3);
	EXPECT_EQ(load_relaxed(&iv.mask[0]), ~BIT(3));
}

TEST(counter_wait_kicks_after_the_snapshot)
{
	struct gather g;
	ticket_t t;

	set_up(&counter_wait, 4);
	g = duty();
	taken[1] = 7;
	enter(1);
	t = inval_publish(&iv, &g);
	EXPECT_EQ(kicks[0].mask, ~0ull);
	EXPECT_EQ(kicks[0].mark, 8);
	EXPECT(!inval_done(&iv, t));
	taken[1] = 8;
	EXPECT(inval_done(&iv, t));
}

/* What a CPU must reach never becomes less. */
TEST(counter_wait_marks_only_grow)
{
	struct gather g, h;
	ticket_t t;

	set_up(&counter_wait, 4);
	g = duty();
	h = duty();
	taken[1] = 7;
	enter(1);
	t = inval_publish(&iv, &g);
	taken[1] = 3; /* as a slow initiator has seen it */
	inval_publish(&iv, &h);
	EXPECT_EQ(kicks[1].mark, 8);
	taken[1] = 7;
	EXPECT(!inval_done(&iv, t));
}

/* G2: the mark says what has been done. */
TEST(handler_flush_marks_after_the_flush)
{
	struct gather g;
	ticket_t t;

	set_up(&handler_flush, 4);
	g = duty();
	enter(3);
	t = inval_publish(&iv, &g);
	EXPECT_EQ(kicks[0].gen, t);
	leave(3);
	take_kick(3);
	EXPECT_EQ(flush_count, 2);
	EXPECT_EQ(flusher_mark, t - 1);
	EXPECT_EQ(load_relaxed(&iv.reader[3].mark.word), t);
	take_kick(3);
	enter(3);
	EXPECT_EQ(flush_count, 2);
	EXPECT(inval_done(&iv, t));
}
