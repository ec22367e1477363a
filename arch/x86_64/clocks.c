/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clocks - how far the CPUs' time-stamp counters are apart
 *
 *      BSP   t0 ---- ping              t1
 *                        \            /
 *      AP                 t ------ pong
 *
 * The AP read t between t0 and t1, so its clock is ahead by no less than t - t1 and no
 * more than t - t0.  Each round gives such an interval, and the offset lies in all of
 * them: what is left after some rounds is as narrow as the fastest way there and the
 * fastest way back.  (The usual way takes the middle of the one shortest round, which
 * is never narrower.)  If nothing is left, the clocks have drifted or jumped.
 *
 * Zero is reported when it is possible: TSCs start together and run at one rate (SDM
 * vol. 3, 18.17), and a guess out of noise would only make them worse.
 */
#include "arch/x86_64/clocks.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/smp.h"

static struct {
	_Alignas(CACHE_LINE) atomic64_t ping; /* number of the round     */
	_Alignas(CACHE_LINE) atomic64_t pong; /* the AP's TSC, 0: not yet */
} court;

static void answer(void *arg)
{
	(void)arg;
	for (u64 i = 1; i <= CLOCK_ROUNDS; i++) {
		while (load_acquire(&court.ping) != i)
			relax();
		store_release(&court.pong, rdtsc_ordered());
	}
}

struct clock clock_compare(unsigned cpu)
{
	struct work w = { .fn = answer };
	struct clock c = { .round_trip = ~0ull };
	i64 least = INT64_MIN, most = INT64_MAX;

	store_relaxed(&court.ping, 0ull);
	smp_post(cpu, &w);
	for (u64 i = 1; i <= CLOCK_ROUNDS; i++) {
		u64 before, after, t;

		store_relaxed(&court.pong, 0ull);
		before = rdtsc_ordered();
		store_release(&court.ping, i);
		while (!(t = load_acquire(&court.pong)))
			relax();
		after = rdtsc_ordered();
		least = MAX(least, (i64)(t - after));
		most = MIN(most, (i64)(t - before));
		c.round_trip = MIN(c.round_trip, after - before);
	}
	while (!smp_done(&w))
		relax();
	c.steady = least <= most;
	if (least > 0 || most < 0)
		c.offset = least + (most - least) / 2;
	c.slack = (u64)MAX(MAX(most, least) - c.offset, c.offset - MIN(most, least));
	return c;
}
