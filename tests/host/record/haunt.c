/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * haunt - one CPU enters stale, another completes the edit: the ghost misses neither
 * order
 *
 * Each runs as a whole between two operations of the other, at every place (T4).
 */
#include "inval/ghost.h"
#include "tests/host/record/record.h"
#include "tests/host/test.h"

static struct ghost *ghost;
static struct gather g;
static unsigned left; /* operations until the other one runs */
static void (*other)(void);

static void enter(void)
{
	ghost_enter(ghost, 1);
}

static void complete(void)
{
	ghost_complete(ghost, &g);
}

static void on_op(const struct op *op)
{
	void (*fn)(void) = other;

	(void)op;
	if (!fn || left--)
		return;
	other = NULL;
	fn();
}

/* CPU 1 holds what the edit kills, and is out; then both.  Did anything come between?
 */
static bool both(void (*first)(void), void (*second)(void), unsigned after)
{
	struct ghost_tally t;

	ghost_forget();
	ghost = ghost_watch(0x1000, 2, "p");
	g = gather_init();
	gather_range(&g, GPA(0), PAGE_SIZE, WHY_UNMAP);
	ghost_enter(ghost, 1);
	ghost_exit(ghost, 1);
	ghost_edit(ghost, &g);
	other = second;
	left = after;
	record_hook = on_op;
	first();
	record_hook = NULL;
	ghost_tell(&t);
	if (!other)
		EXPECT(t.violations >= 1);
	return !other;
}

TEST(ghost_misses_nothing_between_two_steps)
{
	unsigned n = 0, m = 0;

	while (both(enter, complete, n))
		n++;
	while (both(complete, enter, m))
		m++;
	EXPECT(n >= 4);
	EXPECT(m >= 4);
}
