/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * accessed - a page that a guest uses does not pass for idle
 *
 * The host clears the A flags and invalidates.  When that has returned, the next use of
 * a page sets its flag again: a guest that has gone on while the flag of its page is
 * still clear is using what it had cached.
 */
#include "arch/x86_64/kick.h"
#include "tests/guest/abi.h"
#include "tests/proto/scenario.h"

static bool idle(const struct stage *s, unsigned vcpu)
{
	u64 at = GUEST_WINDOW + vcpu % STAGE_PAGES * PAGE_SIZE;
	struct ept_leaf l;

	return ept_lookup(&s->vm->ept, GPA(at), &l) &&
	       !(ept_attr(&s->vm->ept, &l) & EPTE_A);
}

/* Guests that have used their page since the snapshot, though it looks idle. */
static u64 falsely_idle(const struct stage *s, const void *arg)
{
	u64 n = 0;

	(void)arg;
	for (unsigned i = 0; i < s->vm->vcpus; i++)
		n += stage_uses(s, i, 0) - s->before[i] >= 2 && idle(s, i);
	return n;
}

static bool once(struct stage *s)
{
	struct gather g = gather_init();
	struct run *t = s->t;
	ticket_t ticket;
	enum err e;

	if (!stage_progress(s))
		return false;
	/* Where the watch after the last return missed it: used since, and yet idle. */
	t->violations += falsely_idle(s, NULL);
	if (stage_over(s) || (s->edits++ && !stage_all_flushed(s)))
		return false;
	stage_note_flushes(s);
	scenario_delay(t);
	e = ept_clear(&s->vm->ept, GPA(GUEST_WINDOW), s->size, EPTE_A, NULL, &g);
	if (e)
		test_fail(t, "the flags cannot be cleared: %s", err_name(e));
	EXPECT(t, gather_needs_flush(&g));
	stage_settle();
	stage_snapshot(s, 0);
	stage_settle();
	t->witnesses += stage_await(falsely_idle, s, NULL);
	ticket = vm_invalidate(s->vm, &g);
	stage_snapshot(s, 0);
	t->violations += stage_watch_for(falsely_idle, s, NULL);
	t->invalidations++;
	vm_retire(s->vm, ticket, &g);
	return !e && stage_progress(s) && !stage_over(s);
}

static void run(struct run *t)
{
	static struct stage s;

	if (!backend->has_ad()) {
		test_skip(t, "this CPU has no accessed and dirty flags for EPT");
		return;
	}
	for (unsigned n = 1; n < cpu_count && t->verdict == PASS; n++) {
		u64 share = scenario_share(t), before = t->witnesses + t->violations;

		if (!stage_open(&s, t, t->test->arg, n))
			return;
		while (share-- && once(&s))
			;
		stage_close(&s);
		if (t->witnesses + t->violations == before && t->verdict == PASS)
			test_inconclusive(
				t,
				"no witness with %u guests: no page looked idle "
				"before the return either",
				n);
	}
	scenario_judge(t);
}

SCENARIO_TEST(accessed, run, "clear A flags while guests use the pages", PAGED,
	      GUEST_WRITER, .cost = 8);
