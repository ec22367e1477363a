/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * split_race - all vCPUs' CPUs invalidate at once, while CPU 0 does so too
 *
 * The guests' RAM, their code with it, is joined to a large page again and again.  That
 * is not executable, so that all of them fault at their next fetch.  The CPU of each
 * then protects a page of its own, which splits the large one, and leaves the rest to
 * vm/fault.c; all that with interrupts off.  Meanwhile CPU 0 moves the window.  Whoever
 * waits for somebody who waits for him is found: the guests make no progress.  Now and
 * then the CPUs meet before they begin; else chance decides who is where.
 */
#include "arch/x86_64/kick.h"
#include "tests/guest/abi.h"
#include "tests/proto/scenario.h"

#define HURRY_MOST 2048
#define MEET_SPINS 100000

struct crowd {
	struct stage s; /* first: the VM's owner is a stage */
	bool (*on_window)(struct vcpu *);
	atomic64_t joining;   /* the large page is being made: CPUs keep out */
	atomic64_t busy;      /* CPUs that are in */
	atomic64_t hold;      /* who is in begins when CPU 0 invalidates */
	bool inside[CPU_MAX]; /* each vCPU's CPU's own */
	u64 together;         /* edits of CPU 0 that met them */
};

/* W goes from the vCPU's own page of RAM and comes back: an edit that must flush. */
static bool edit_own(struct vcpu *v)
{
	gpa_t page = vm_page_gpa(v->vm, v->id);
	struct ept *e = &v->vm->ept;
	struct gather g = gather_init();
	enum err err = ept_protect(e, page, PAGE_SIZE, EPTE_R | EPTE_X, &g);

	vm_finish(v->vm, &g);
	if (!err)
		err = ept_protect(e, page, PAGE_SIZE, EPTE_RWX, &g);
	vm_finish(v->vm, &g);
	return !err;
}

/* CPUs that truly race would be past each other too often. */
static void wait_for_cpu0(const struct crowd *c, const struct vcpu *v)
{
	unsigned n = MEET_SPINS;

	while (n-- && load_acquire(&c->hold) && !load_acquire(&v->request))
		relax();
}

/* A fault in RAM: vm_fault() asks here once more, and is then on its own. */
static bool on_fault(struct vcpu *v)
{
	struct crowd *c = v->vm->owner;
	bool *inside = &c->inside[v->id];
	bool good = true;

	if (v->exit.gpa.v >= GUEST_WINDOW)
		return c->on_window(v);
	if (*inside)
		return false;
	add_fence(&c->busy, 1ull);
	if (!load_acquire(&c->joining)) {
		*inside = true;
		wait_for_cpu0(c, v);
		good = edit_own(v) && vm_fault(v);
		*inside = false;
	}
	add_fence(&c->busy, -1ull);
	while (load_acquire(&c->joining) && !load_acquire(&v->request))
		relax();
	return good;
}

static void finish(struct crowd *c, enum err e, struct gather *g)
{
	if (e)
		test_fail(c->s.t, "the RAM cannot be joined: %s", err_name(e));
	vm_finish(c->s.vm, g);
}

/* The RAM becomes one large page, whose X is held back. */
static void join(struct crowd *c)
{
	struct gather g = gather_init();
	struct ept *e = &c->s.vm->ept;

	store_fence(&c->joining, 1ull);
	while (load_acquire(&c->busy))
		relax();
	finish(c, ept_protect(e, GPA(0), SIZE_2M, EPTE_R | EPTE_W, &g), &g);
	finish(c, ept_promote(e, GPA(0), SIZE_2M, &g), &g);
	finish(c, ept_protect(e, GPA(0), SIZE_2M, EPTE_RWX, &g), &g);
	store_release(&c->joining, 0ull);
}

/* CPU 0's own edit, judged as in every scenario. */
static void move_window(struct crowd *c)
{
	struct stage *s = &c->s;
	struct gather g = gather_init();
	unsigned old = s->mapped;
	ticket_t ticket;
	enum err e;

	stage_fill(s, !old, old ? TAG_EVEN : TAG_ODD);
	scenario_delay(s->t);
	e = ept_remap(&s->vm->ept, GPA(GUEST_WINDOW), s->block[!old], s->size, &g);
	if (e)
		test_fail(s->t, "the window cannot be moved: %s", err_name(e));
	stage_settle();
	stage_snapshot(s, old);
	c->together += load_acquire(&c->busy) != 0;
	store_release(&c->hold, 0ull);
	ticket = vm_invalidate(s->vm, &g);
	s->t->witnesses += stage_uses_since(s, old);
	stage_fill(s, old, TAG_POISON);
	stage_watch();
	s->t->violations += stage_poison_used(s, old);
	s->t->invalidations++;
	vm_retire(s->vm, ticket, &g);
	s->mapped = !old;
}

/* Until somebody is in, who then waits for us. */
static void meet(const struct crowd *c)
{
	for (unsigned n = 0; n < MEET_SPINS && !load_acquire(&c->busy); n++)
		relax();
}

/* In turn into the midst of the splits, and at guests that are past them. */
static bool once(struct crowd *c)
{
	struct run *t = c->s.t;
	bool past = c->s.edits++ % 2, meets = !past && rng_below(&t->rng, 4);

	store_release(&c->hold, (u64)meets);
	join(c);
	if (past && !stage_progress(&c->s))
		return false;
	if (meets)
		meet(c);
	else
		for (u64 n = rng_below(&t->rng, HURRY_MOST); n; n--)
			relax();
	move_window(c);
	return t->verdict == PASS && !stage_over(&c->s) && stage_progress(&c->s);
}

static void with_guests(struct crowd *c, struct run *t, unsigned n)
{
	u64 share = scenario_share(t), witnesses = t->witnesses,
	    violations = t->violations;

	*c = (struct crowd){ 0 };
	if (!stage_build(&c->s, t, t->test->arg, n))
		return;
	c->on_window = c->s.vm->fault;
	c->s.vm->fault = on_fault;
	c->s.vm->ept.can.large_exec = false;
	vm_start(c->s.vm);
	while (share-- && once(c))
		;
	stage_close(&c->s);
	if (t->verdict == PASS && t->violations == violations &&
	    (t->witnesses == witnesses || !c->together))
		test_inconclusive(
			t,
			"with %u guests: %lu stale accesses before the return, "
			"%lu edits that met those of other CPUs",
			n, t->witnesses - witnesses, c->together);
}

static void run(struct run *t)
{
	static struct crowd c;

	if (backend->max_leaf() < 1) {
		test_skip(t, "this CPU has no 2 MiB EPT pages");
		return;
	}
	for (unsigned n = 1; n < cpu_count && t->verdict == PASS; n++)
		with_guests(&c, t, n);
	scenario_judge(t);
}

SCENARIO_TEST(split_race, run, "all CPUs split a large page of code while CPU 0 remaps",
	      ONE_PAGE, GUEST_WRITER, .cost = 4);
