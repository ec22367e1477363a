/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console - tests of lib/console.c: who holds the lock, and taking it back
 */
#include "lib/console.h"
#include "lib/str.h"
#include "tests/host/test.h"

#define NEAR 4096 /* bytes of stack between a test and the device that it calls */

static bool armed, taken;
static u64 from, to;
static char heard[100];
static size_t n;

/* A device: in the middle of a line, somebody asks for the lock of who prints. */
static void hear(char c)
{
	if (!armed || n + 1 >= sizeof(heard))
		return;
	heard[n++] = c;
	heard[n] = 0;
	if (c == '!')
		taken = console_forget(from, to);
}

static void say(u64 low, u64 high)
{
	static bool added;

	if (!added)
		console_add(hear);
	added = true;
	armed = true;
	from = low;
	to = high;
	taken = false;
	n = 0;
	print("a%cb\n", '!');
	armed = false;
	EXPECT_STR(heard, "a!b\n");
}

TEST(console_lock_is_taken_from_who_is_gone)
{
	u64 here = (u64)__builtin_frame_address(0);

	say(here - NEAR, here + NEAR);
	EXPECT(taken);
	print("# the lock is free: this does not hang\n");
}

TEST(console_lock_stays_with_who_is_not)
{
	u64 here = (u64)__builtin_frame_address(0);

	say(here + NEAR, here + 2 * NEAR);
	EXPECT(!taken);
	say(0, NEAR);
	EXPECT(!taken);
}

TEST(console_lock_that_nobody_has)
{
	EXPECT(!console_forget(0, ~0ull));
	EXPECT(console_count());
}
