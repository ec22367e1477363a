/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dirty - no write is lost while a migration copies pages under running guests
 *
 * Guests sweep over the pages of the window; the host harvests, invalidates and copies,
 * round after round.  At any moment a page is equal to its copy, or its write has been
 * noticed and is in a later harvest.  A page that differs unnoticed, after the
 * invalidation has returned, is a lost write; before, it is a witness.
 */
#include "mm/dirty.h"
#include "arch/x86_64/kick.h"
#include "lib/str.h"
#include "tests/guest/abi.h"
#include "tests/proto/scenario.h"

/* What the destination of the migration knows. */
struct copies {
	struct dirty d;
	atomic64_t map;         /* the pages' bits                     */
	u64 value[STAGE_PAGES]; /* what the last copy of each page had */
};
_Static_assert(STAGE_PAGES <= 64, "one word of bits");

/* What the page's words come to: each only ever grows. */
static u64 value(const struct stage *s, unsigned page)
{
	u64 sum = 0;

	for (unsigned i = page; i < s->vm->vcpus || i == page; i += STAGE_PAGES)
		sum += load_acquire(stage_word(s, 0, i));
	return sum;
}

/* Will a later harvest have the page?  Asked after its value was read. */
static bool noticed(const struct stage *s, const struct copies *c, unsigned page)
{
	struct ept_leaf l;

	if (load_acquire(&c->map) & BIT(page))
		return true;
	return c->d.mode != DIRTY_FAULT &&
	       ept_lookup(&s->vm->ept, GPA(GUEST_WINDOW + page * PAGE_SIZE), &l) &&
	       ept_attr(&s->vm->ept, &l) & EPTE_D;
}

/* Pages that differ from their copies, and nobody will ever know. */
static u64 unnoticed(const struct stage *s, const void *copies)
{
	const struct copies *c = copies;
	u64 n = 0;

	for (unsigned i = 0; i < STAGE_PAGES; i++)
		n += value(s, i) != c->value[i] && !noticed(s, c, i);
	return n;
}

static void copy(const struct stage *s, struct copies *c, u64 map)
{
	for (unsigned i = 0; i < STAGE_PAGES; i++)
		if (map & BIT(i))
			c->value[i] = value(s, i);
}

/* What a CPU has logged it hands in at its next exit: asked for before each harvest. */
static void collect_logs(const struct stage *s, const struct copies *c)
{
	for (unsigned i = 0; i < s->vm->vcpus && c->d.mode == DIRTY_LOG; i++)
		kick_now(s->vm->vcpu[i]->cpu);
}

static bool harvest(struct stage *s, struct copies *c)
{
	struct gather g = gather_init();
	ticket_t ticket;
	u64 map = 0;

	collect_logs(s, c);
	if (!stage_progress(s))
		return false;
	scenario_delay(s->t);
	dirty_harvest(&c->d, &map, &g);
	stage_settle();
	copy(s, c, map); /* too early: what comes now is what the real copy is for */
	stage_settle();
	s->t->witnesses += stage_await(unnoticed, s, c);
	ticket = vm_invalidate(s->vm, &g);
	copy(s, c, map);
	s->t->violations += stage_watch_for(unnoticed, s, c);
	s->t->invalidations++;
	vm_retire(s->vm, ticket, &g);
	return !stage_over(s);
}

/* The guests have stopped: one more harvest, and the copy is the memory. */
static void last_round(struct stage *s, struct copies *c)
{
	struct gather g = gather_init();
	u64 map = 0;

	vm_stop(s->vm);
	dirty_harvest(&c->d, &map, &g);
	vm_finish(s->vm, &g);
	copy(s, c, map);
	for (unsigned i = 0; i < STAGE_PAGES; i++)
		s->t->violations += value(s, i) != c->value[i];
	dirty_stop(&c->d);
}

static bool begin(struct stage *s, struct copies *c, enum dirty_mode mode)
{
	struct gather g = gather_init();
	enum err e = mode == DIRTY_LOG ? vm_log_writes(s->vm) : E_OK;

	memset(c, 0, sizeof(*c));
	copy(s, c, ~0ull >> (64 - STAGE_PAGES)); /* of pages that nobody ever writes */
	if (!e)
		e = dirty_start(&c->d, &s->vm->ept, mode, GPA(GUEST_WINDOW), s->size,
				&c->map, &g);
	vm_finish(s->vm, &g);
	if (e)
		test_fail(s->t, "writes cannot be tracked: %s", err_name(e));
	else
		vm_start(s->vm);
	return !e;
}

static void run(struct run *t, enum dirty_mode mode)
{
	static struct stage s;
	static struct copies c;

	for (unsigned n = 1; n < cpu_count && t->verdict == PASS; n++) {
		u64 share = scenario_share(t), before = t->witnesses + t->violations;

		if (!stage_build(&s, t, t->test->arg, n))
			return;
		s.vm->fault = NULL; /* faults here are for mm/fault.c */
		if (begin(&s, &c, mode)) {
			while (share-- && harvest(&s, &c))
				;
			kick_delay(KICK_NOW);
			last_round(&s, &c);
		}
		stage_close(&s);
		if (t->witnesses + t->violations == before && t->verdict == PASS)
			test_inconclusive(
				t,
				"no witness with %u guests: no unnoticed write "
				"before the return either",
				n);
	}
	scenario_judge(t);
}

static void by_fault(struct run *t)
{
	run(t, DIRTY_FAULT);
}

static void by_flag(struct run *t)
{
	if (backend->has_ad())
		run(t, DIRTY_FLAG);
	else
		test_skip(t, "this CPU has no accessed and dirty flags for EPT");
}

static void by_log(struct run *t)
{
	if (backend->has_pml())
		run(t, DIRTY_LOG);
	else
		test_skip(t, "this CPU has no page-modification logging");
}

SCENARIO_TEST(dirty_wp, by_fault, "harvest dirty pages by write protection", PAGED,
	      GUEST_SWEEPER, .cost = 8, .flight = 4);
SCENARIO_TEST(dirty_d, by_flag, "harvest dirty pages by the D flags", PAGED,
	      GUEST_SWEEPER, .cost = 8, .flight = 4);
SCENARIO_TEST(dirty_pml, by_log, "harvest dirty pages by page-modification logging",
	      PAGED, GUEST_SWEEPER, .cost = 8, .flight = 4);
