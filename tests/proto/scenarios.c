/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenarios - what every scenario with a window does, over and over
 *
 *      guests use the window
 *      edit the EPT             from here stale uses are allowed, and are witnesses
 *      invalidate, return       from here they are violations
 *      reuse the old block      poison it, watch it: it must not change, nor be read
 *
 * Where the host of an emulator may stop a CPU at any moment, the invalidation begins
 * when a guest has been seen at it.
 *
 * Every other edit is announced to the protocols that want to know before.  Those that
 * stop the world are done at once: a stale use between such an edit and the return is a
 * violation too.  Edits that are not announced give the witnesses under them as well,
 * for then the world is stopped only after the edit; the tests that do not announce at
 * all rely on this.
 *
 * The number of guests goes from one to all APs.  A test that has no witness at one of
 * these numbers proves nothing and is INCONCLUSIVE.
 */
#include "arch/x86_64/kick.h"
#include "arch/x86_64/platform.h"
#include "inval/step.h"
#include "tests/guest/abi.h"
#include "tests/haunt.h"
#include "tests/proto/scenario.h"

#define ITERS_SOUND 1020
#define ITERS       160 /* of controls, and of protocols that run on demand */
#define ITERS_LEAST 8   /* with each number of guests: fewer may show nothing */
#define DELAY_MIN   60

/*
 * A control that the guests do not catch gets so many times more, as what is drawn for
 * a few tries may all be too short.  Not where nothing is delayed: there it may take
 * thousands, and the ghost has found it long ago.
 */
#define CONTROL_TIMES 8

static bool gets_more(const struct run *t)
{
	return !t->proto->sound && !t->mutant && !platform_is_tcg();
}

u64 scenario_share(const struct run *t)
{
	const struct scenario *sc = t->test->arg;
	u64 iters = t->config->iters                     ? t->config->iters
		    : t->proto->sound && t->proto->basic ? ITERS_SOUND
							 : ITERS;

	if (sc->cost)
		iters = (iters + sc->cost - 1) / sc->cost;
	iters = (iters + cpu_count - 2) / (cpu_count - 1);
	return MAX(iters, (u64)ITERS_LEAST) * (gets_more(t) ? CONTROL_TIMES : 1);
}

void scenario_delay(struct run *t)
{
	const struct scenario *sc = t->test->arg;
	u64 delay = t->config->delay;

	if (delay > DELAY_MIN)
		delay = DELAY_MIN + rng_below(&t->rng, delay - DELAY_MIN + 1);
	delay *= sc->flight ? sc->flight : 1;
	kick_delay((u32)MIN(delay, KICK_LOST - 1));
}

void scenario_judge(struct run *t)
{
	if (t->violations)
		test_kill(t, BY_GROUND,
			  "%lu stale accesses after the return of %lu invalidations",
			  t->violations, t->invalidations);
}

static bool restore(struct stage *s)
{
	struct gather g = gather_init();
	enum err e = s->scenario->restore(s, &g);

	vm_finish(s->vm, &g);
	if (e)
		test_fail(s->t, "the window cannot be restored: %s", err_name(e));
	return !e;
}

/* Edits, invalidates; what stale uses there are in between count for or against. */
static ticket_t edit(struct stage *s, struct gather *g, unsigned old)
{
	const struct inval_proto *proto = s->t->proto;
	bool announced = proto->begin && s->edits % 2;
	bool stopped = announced && proto->done == inval_done_at_once;
	enum err e;
	ticket_t ticket;

	if (announced)
		inval_begin(&s->vm->inval);
	STEP(edit);
	e = s->scenario->edit(s, g);
	stage_settle();
	stage_snapshot(s, old);
	if (e)
		test_fail(s->t, "the edit fails: %s", err_name(e));
	EXPECT(s->t, gather_needs_flush(g));
	if (announced)
		stage_watch();
	else
		(void)stage_await_use(s, old);
	STEP(made);
	ticket = vm_invalidate(s->vm, g);
	STEP(done);
	if (!s->scenario->unseen)
		*(stopped ? &s->t->violations : &s->t->witnesses) +=
			stage_uses_since(s, old);
	return ticket;
}

void scenario_plan(struct stage *s)
{
	const struct config *c = s->t->config;

	if (*c->replay)
		steps_parse(&s->plan, c->replay);
	else if (c->steps)
		steps_draw(&s->plan, &s->t->rng, (unsigned)c->steps, steps_known(),
			   s->vm->vcpus + 1);
}

/* The first schedule that ends badly is the one that people want to see again. */
static void note_schedule(const struct stage *s)
{
	struct run *t = s->t;

	if (s->plan.n && !*t->schedule &&
	    (t->verdict != PASS || t->violations || haunt_found() ||
	     s->vm->watchdog.fired))
		steps_text(t->schedule, sizeof(t->schedule), &s->plan);
}

bool scenario_once(struct stage *s)
{
	struct gather g = gather_init();
	unsigned old = s->mapped;
	struct run *t = s->t;
	ticket_t ticket;

	if (!stage_progress(s) ||
	    (s->edits++ && !s->scenario->unseen && !stage_all_flushed(s)))
		return false;
	stage_note_flushes(s);
	stage_fill(s, !old, old ? TAG_EVEN : TAG_ODD);
	if (s->prompt)
		kick_delay(KICK_NOW);
	else
		scenario_delay(t);
	steps_arm(&s->plan);
	ticket = edit(s, &g, old);
	t->violations += s->scenario->reuse(s, &g, old);
	steps_disarm();
	note_schedule(s);
	t->invalidations++;
	vm_retire(s->vm, ticket, &g);
	return t->verdict == PASS && restore(s) && !stage_over(s);
}

static void with_guests(struct run *t)
{
	static struct stage stage;

	for (unsigned n = 1; n < cpu_count && t->verdict == PASS; n++) {
		u64 share = scenario_share(t), before = t->witnesses + t->violations;

		if (!stage_open(&stage, t, t->test->arg, n))
			return;
		do
			scenario_plan(&stage);
		while (scenario_once(&stage) && --share);
		stage_close(&stage);
		if (t->witnesses + t->violations == before && t->verdict == PASS &&
		    !stage.scenario->unseen)
			test_inconclusive(t,
					  "no witness with %u guests: no stale access "
					  "before the return either",
					  n);
	}
}

void scenario_run(struct run *t)
{
	bool steps = t->config->steps || *t->config->replay;

	if (steps)
		steps_begin();
	with_guests(t);
	if (steps)
		steps_end();
	scenario_judge(t);
}
