/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault_race - a fault that races an unmap does not bring the old frame back
 *
 * The window has a frame of the moment, or none.  A guest that faults asks for it, is
 * slow on purpose, and maps what it was told.  The host takes the frame away meanwhile:
 * a CPU that maps it after that gives its guest somebody else's memory.  Each answer
 * that was refused as out of date is a witness: there the race happened.
 */
#include "arch/x86_64/kick.h"
#include "mm/fault.h"
#include "tests/guest/abi.h"
#include "tests/proto/scenario.h"

/* Turns between the question and the map: during an unmap, or all through it. */
#define SLOW_MOST  256
#define LATE_MOST  4096
#define HURRY_MOST 512
#define TRIES      20 /* at least, with each number of guests: the race takes some */

struct race {
	struct stage s; /* first: the VM's owner is a stage */
	atomic64_t frame;
	atomic64_t slow; /* CPUs that know a frame and have not mapped it */
	atomic64_t refused;
	struct rng rng[CPU_MAX]; /* each vCPU's */
};

static void spin(u64 turns)
{
	while (turns--)
		relax();
}

/* One try to map the frame of the moment; E_AGAIN when there is none. */
static enum err fill(struct race *r, struct vcpu *v)
{
	struct ept *e = &v->vm->ept;
	struct rng *rng = &r->rng[v->id];
	struct gather g = gather_init();
	u64 ticket = ept_fill_begin(e), frame = load_acquire(&r->frame);
	enum err err;

	if (!frame)
		return E_AGAIN;
	add_fence(&r->slow, 1ull);
	spin(rng_below(rng, rng_below(rng, 4) ? SLOW_MOST : LATE_MOST));
	err = ept_fill(e, ticket, GPA(GUEST_WINDOW), HPA(frame), PAGE_SIZE, EPT_RW, &g);
	vm_finish(v->vm, &g);
	add_fence(&r->slow, -1ull);
	if (err == E_AGAIN)
		add_fence(&r->refused, 1ull);
	return err;
}

static bool on_fault(struct vcpu *v)
{
	struct race *r = v->vm->owner;

	if (v->exit.gpa.v < GUEST_WINDOW)
		return false;
	while (!load_acquire(&v->request) && fill(r, v) == E_AGAIN)
		relax();
	return true;
}

/* Takes the frame away for good, while some CPU may be about to map it. */
static void take_away(struct race *r, unsigned old)
{
	struct gather g = gather_init();
	struct stage *s = &r->s;
	struct ept *e = &s->vm->ept;
	gpa_t at = GPA(GUEST_WINDOW);
	ticket_t ticket;
	enum err err;

	ept_hold(e, at, s->size);
	store_release(&r->frame, 0ull);
	err = ept_unmap(e, at, s->size, &g);
	if (err)
		test_fail(s->t, "the window cannot be unmapped: %s", err_name(err));
	stage_settle();
	stage_snapshot(s, old);
	ticket = vm_invalidate(s->vm, &g);
	s->t->witnesses += stage_uses_since(s, old);
	stage_fill(s, old, TAG_POISON);
	stage_watch();
	s->t->violations += stage_poison_used(s, old);
	s->t->invalidations++;
	vm_retire(s->vm, ticket, &g);
	ept_release(e);
}

/* Whoever was told of the old frame has mapped it by now, or never will. */
static void wait_for_late_fills(struct race *r, unsigned old)
{
	while (load_acquire(&r->slow))
		relax();
	spin(SLOW_MOST);
	r->s.t->violations += stage_poison_used(&r->s, old);
}

static bool once(struct race *r)
{
	struct stage *s = &r->s;
	unsigned old = s->mapped;

	if (rng_below(&s->t->rng, 4))
		spin(rng_below(&s->t->rng, HURRY_MOST));
	else if (!stage_progress(s))
		return false;
	scenario_delay(s->t);
	take_away(r, old);
	wait_for_late_fills(r, old);
	s->mapped = !old;
	stage_fill(s, s->mapped, TAG_EVEN);
	store_release(&r->frame, s->block[s->mapped].v);
	return !stage_over(s);
}

static void with_guests(struct race *r, struct run *t, unsigned n)
{
	u64 share = MAX(scenario_share(t), TRIES), caught = t->violations;

	if (!stage_build(&r->s, t, t->test->arg, n))
		return;
	for (unsigned i = 0; i < n; i++)
		r->rng[i] = (struct rng){ rng_next(&t->rng) };
	store_relaxed(&r->refused, 0ull);
	store_release(&r->frame, r->s.block[0].v);
	r->s.vm->fault = on_fault;
	vm_start(r->s.vm);
	while (share-- && once(r))
		;
	stage_close(&r->s);
	t->witnesses += load_relaxed(&r->refused);
	if (!load_relaxed(&r->refused) && t->violations == caught && t->verdict == PASS)
		test_inconclusive(
			t, "with %u guests no fault was overtaken by an unmap", n);
}

static void run(struct run *t)
{
	static struct race r;

	for (unsigned n = 1; n < cpu_count && t->verdict == PASS; n++)
		with_guests(&r, t, n);
	scenario_judge(t);
}

SCENARIO_TEST(fault_race, run, "faults that fill the window race its unmap", ONE_PAGE,
	      GUEST_WRITER, .cost = 8);
