/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leaks - how often an invalidation returns before the guests have left
 *
 * Kicks go out at once and nothing is delayed, so this needs a machine whose CPUs truly
 * race.  Guests store in loops that are unrolled: an emulator looks for interrupts
 * between pieces of code without a jump, and so the longer the piece, the wider the
 * window.
 *
 *      remap        from here stale stores are witnesses
 *      return       snapshot of the old block
 *      progress     all guests store into the new block: none is stale any more
 *      compare      the old block has changed: this return has leaked
 */
#include "arch/x86_64/kick.h"
#include "arch/x86_64/platform.h"
#include "inval/hw.h"
#include "tests/guest/abi.h"
#include "tests/proto/scenario.h"

#define TRIES          300
#define TRIES_DEMANDED 60 /* under protocols that run on demand */
#define CONTROL_TIMES  30 /* so many times more of a control, if need be */
#define PATIENCE       20000

/* Who is never kicked stays stale for ever: ends that, when all has been seen. */
static void kick_stragglers(const struct stage *s)
{
	unsigned n = PATIENCE;

	for (unsigned i = 0; i < s->vm->vcpus; i++) {
		while (n && stage_uses(s, i, s->mapped) < 2) {
			relax();
			n--;
		}
		if (!n)
			hw_kick(s->vm->vcpu[i]->cpu);
	}
}

/*
 * What vm_invalidate() does; but nothing comes between the return and the look at the
 * old block, which splits its uses into those before and those after.
 */
static ticket_t invalidate(struct stage *s, struct gather *g, unsigned old)
{
	struct vm *vm = s->vm;
	ticket_t ticket = vm_publish(vm, g);

	vm_await(vm, ticket);
	for (unsigned i = 0; i < vm->vcpus; i++) {
		u64 now = stage_uses(s, i, old);

		s->t->witnesses += now - s->before[i];
		s->before[i] = now;
	}
	inval_complete(&vm->inval, g);
	return ticket;
}

/* One remap; false if there is no point in another. */
static bool try(struct stage *s)
{
	struct run *t = s->t;
	struct gather g = gather_init();
	unsigned old = s->mapped;
	u64 before = s->t->violations;
	ticket_t ticket;
	enum err e;

	stage_fill(s, !old, TAG_EVEN);
	e = ept_remap(&s->vm->ept, GPA(GUEST_WINDOW), s->block[!old], s->size, &g);
	if (e)
		test_fail(t, "the window cannot be moved: %s", err_name(e));
	stage_snapshot(s, old);
	(void)stage_await_use(s, old);
	ticket = invalidate(s, &g, old);
	vm_retire(s->vm, ticket, &g);
	s->mapped = !old;
	kick_stragglers(s);
	t->leaks += stage_uses_since(s, old) != 0;
	t->invalidations++;
	t->returns++;
	return t->verdict == PASS && stage_progress(s) && t->violations == before &&
	       !s->vm->watchdog.fired;
}

/*
 * Where each CPU has a core of its own the window is some nanoseconds wide: a control
 * goes on until it is caught, or there is no hope.
 */
static bool enough(const struct run *t, u64 n)
{
	if (t->invalidations < n)
		return false;
	return t->proto->sound || t->leaks || t->invalidations >= CONTROL_TIMES * n;
}

static u64 tries(const struct run *t)
{
	if (t->config->iters)
		return t->config->iters;
	return t->proto->basic ? TRIES : TRIES_DEMANDED;
}

static void run(struct run *t)
{
	static struct stage s;
	const char *emulator = platform_emulator();
	u64 n = tries(t);

	if (emulator && !platform_is_tcg()) {
		test_skip(t, "%s delivers a kick before the next instruction",
			  emulator);
		return;
	}
	kick_delay(KICK_NOW);
	if (!stage_open(&s, t, t->test->arg, cpu_count - 1))
		return;
	while (!enough(t, n) && try(&s))
		;
	stage_close(&s);
	t->violations += t->leaks;
	if (t->violations)
		test_kill(t, BY_GROUND, "%lu of %lu returns leak", t->leaks,
			  t->invalidations);
	else if (!t->witnesses)
		test_inconclusive(t, "no stale access before the return either");
}

SCENARIO_TEST(leaks, run, "how many returns come too early, with no delay", ONE_PAGE,
	      GUEST_UNROLLED, .cost = 1);
