/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace - rings whose writer is interrupted behind each of its instructions
 *
 * The trap flag makes a signal of each instruction of trace_add(); in one of them the
 * handler does what an interrupt or NMI of the same CPU would do: it adds events, up to
 * more than the ring has room for, or reads the ring as another CPU might.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "lib/trace.h"
#include "tests/host/test.h"

#define CPU       5
#define ROOM      4
#define TRAP_FLAG 0x100

static struct trace_slot slots[ROOM];
static unsigned step, when, nested;
static u64 first; /* events before */

static void add(u64 n)
{
	trace_add(CPU, TRACE_KICK, n, ~n);
}

/* What is read is whole: no event that nobody has added. */
static bool whole(u64 i, bool *there)
{
	struct trace_line e;

	*there = trace_get(CPU, i, &e);
	return !*there ||
	       (e.what == TRACE_EDIT && e.a == 0x11 && e.b == 0x22 && e.tsc) ||
	       (e.what == TRACE_KICK && e.a == ~e.b && e.tsc);
}

static void interrupt(int signal, siginfo_t *info, void *context)
{
	bool there;

	(void)signal;
	(void)info;
	(void)context;
	if (step++ != when)
		return;
	EXPECT(whole(first, &there));
	EXPECT(whole(first - ROOM, &there)); /* what was in its slot */
	for (u64 i = 0; i < nested; i++)
		add(i);
}

static void trap_on(void)
{
	__asm__ volatile("pushfq; orq %0, (%%rsp); popfq"
			 :
			 : "i"(TRAP_FLAG)
			 : "memory", "cc");
}

static void trap_off(void)
{
	__asm__ volatile("pushfq; andq %0, (%%rsp); popfq"
			 :
			 : "i"(~TRAP_FLAG)
			 : "memory", "cc");
}

/* One event, interrupted behind instruction `at`; false if it has fewer. */
static bool interrupted(unsigned at, unsigned events)
{
	trace_grow(CPU, slots, ROOM);
	for (u64 i = 0; i < ROOM; i++)
		add(i);
	first = trace_count(CPU);
	step = 0;
	when = at;
	nested = events;
	trap_on();
	trace_add(CPU, TRACE_EDIT, 0x11, 0x22);
	trap_off();
	return step > at;
}

static void trap(void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	sigaction(SIGTRAP, &a, NULL);
}

TEST(an_interrupted_event_is_whole)
{
	unsigned at = 0;

	trap(interrupt);
	while (interrupted(at, 2)) {
		EXPECT_EQ(trace_count(CPU), first + 3);
		for (u64 i = first; i < first + 3; i++) {
			bool there;

			EXPECT(whole(i, &there) && there);
		}
		at++;
	}
	EXPECT(at > 10);
}

/* The slot of an event that is overtaken by a whole ring is torn, or a newer one's. */
TEST(an_overtaken_event_is_torn)
{
	unsigned at = 0, torn = 0;

	trap(interrupt);
	for (; interrupted(at, ROOM + 1); at++) {
		unsigned kept = 0;

		for (u64 i = first + 2; i < first + 2 + ROOM; i++) {
			bool there;

			EXPECT(whole(i, &there));
			kept += there;
		}
		EXPECT(kept >= ROOM - 1);
		torn += kept < ROOM;
	}
	EXPECT(torn > 0 && torn < at);
}

TEST(a_ring_keeps_the_last_events)
{
	struct trace_line line[TRACE_LEN];

	memset(slots, 0, sizeof(slots));
	trace_grow(CPU, slots, ROOM);
	first = trace_count(CPU);
	for (u64 i = 0; i < 7; i++)
		add(i);
	EXPECT_EQ(trace_count(CPU) - first, 7);
	for (u64 i = 0; i < 7; i++) {
		struct trace_line e;

		EXPECT_EQ(trace_get(CPU, first + i, &e), i >= 3);
		if (i >= 3)
			EXPECT_EQ(e.a, i);
	}
	trace_copy(CPU, line);
	EXPECT_EQ(line[TRACE_LEN - 1].a, 6);
	EXPECT(trace_repeats(CPU, TRACE_KICK, 6));
	EXPECT(!trace_repeats(CPU, TRACE_KICK, 5));
}

TEST(names_differ)
{
	u64 a = trace_name(1), b = trace_name(2), c = trace_name(1);

	EXPECT(a != b && b != c && a != c && a && b);
}
