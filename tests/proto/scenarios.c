/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenarios - remap, unmap and reuse, write-protect: reads and writes, 4 KiB and 2 MiB
 *
 *      guests use the window
 *      edit the EPT             from here stale uses are allowed, and are witnesses
 *      invalidate, return       from here they are violations
 *      reuse the old block      poison it, watch it: it must not change, nor be read
 *
 * The number of guests goes from one to all APs.  A test that has no witness at one of
 * these numbers proves nothing and is INCONCLUSIVE.
 */
#include "arch/x86_64/kick.h"
#include "tests/guest/abi.h"
#include "tests/proto/scenario.h"

#define ITERS_SOUND   1020
#define ITERS_CONTROL 260
#define DELAY_MIN     60

static enum err edit(struct stage *s, struct gather *g)
{
	struct ept *e = &s->vm->ept;
	gpa_t at = GPA(GUEST_WINDOW);

	switch (s->scenario->kind) {
	case REMAP:
		return ept_remap(e, at, s->block[!s->mapped], s->size, g);
	case UNMAP_REUSE:
		return ept_unmap(e, at, s->size, g);
	case PROTECT_WRITE:
		return ept_protect(e, at, s->size, EPTE_R | EPTE_X, g);
	}
	return fail(E_INVAL);
}

/* Lets the guests use the window again, where the edit took it away. */
static enum err restore(struct stage *s)
{
	struct gather g = gather_init();
	struct ept *e = &s->vm->ept;
	gpa_t at = GPA(GUEST_WINDOW);
	enum err err = E_OK;

	if (s->scenario->kind == PROTECT_WRITE)
		return ept_protect(e, at, s->size, EPTE_RWX, &g);
	s->mapped = !s->mapped;
	if (s->scenario->kind == UNMAP_REUSE)
		err = ept_map(e, at, s->block[s->mapped], s->size, EPT_RWX, &g);
	if (gather_needs_flush(&g)) /* a map that failed half-way */
		vm_retire(s->vm, vm_invalidate(s->vm, &g), &g);
	return err;
}

/* After the return the old block has a new use; stale accesses spoil it. */
static u64 reuse_spoilt(struct stage *s, unsigned old)
{
	if (s->scenario->kind == PROTECT_WRITE) {
		stage_snapshot(s, old);
		stage_watch();
		return stage_uses_since(s, old);
	}
	stage_fill(s, old, TAG_POISON);
	stage_watch();
	return stage_poison_used(s, old);
}

static void set_delay(struct run *t)
{
	u64 most = t->config->delay;

	if (most <= DELAY_MIN)
		kick_delay((u32)most);
	else
		kick_delay((u32)(DELAY_MIN + rng_below(&t->rng, most - DELAY_MIN + 1)));
}

static bool once(struct stage *s)
{
	struct gather g = gather_init();
	unsigned old = s->mapped;
	struct run *t = s->t;
	enum err e;
	ticket_t ticket;

	if (!stage_progress(s) || (s->edits++ && !stage_all_flushed(s)))
		return false;
	stage_note_flushes(s);
	stage_fill(s, !old, old ? TAG_EVEN : TAG_ODD);
	set_delay(t);
	e = edit(s, &g);
	stage_settle();
	stage_snapshot(s, old);
	if (e) {
		test_fail(t, "the edit fails: %s", err_name(e));
		return false;
	}
	ticket = vm_invalidate(s->vm, &g);
	t->witnesses += stage_uses_since(s, old);
	t->violations += reuse_spoilt(s, old);
	t->invalidations++;
	vm_retire(s->vm, ticket, &g);
	e = restore(s);
	if (e)
		test_fail(t, "the window cannot be restored: %s", err_name(e));
	if (s->vm->watchdog.fired)
		test_fail(t,
			  "the initiator waits for CPU %d, and no kick is on its way",
			  s->vm->watchdog.cpu);
	return !e && !s->vm->watchdog.fired;
}

static void judge(struct run *t)
{
	bool clean = t->verdict == PASS;

	if (t->violations)
		test_fail(t, "%lu stale accesses after the return of %lu invalidations",
			  t->violations, t->invalidations);
	t->caught = t->violations && clean;
}

static void run_scenario(struct run *t)
{
	static struct stage stage;
	unsigned most = cpu_count - 1;
	u64 iters = t->config->iters  ? t->config->iters
		    : t->proto->sound ? ITERS_SOUND
				      : ITERS_CONTROL;

	for (unsigned n = 1; n <= most && t->verdict == PASS; n++) {
		u64 share = (iters + most - 1) / most, before = t->witnesses;

		if (!stage_open(&stage, t, t->test->arg, n))
			return;
		while (share-- && once(&stage))
			;
		stage_close(&stage);
		if (t->witnesses == before && t->verdict == PASS)
			test_inconclusive(t,
					  "no witness with %u guests: no stale access "
					  "before the return either",
					  n);
	}
	judge(t);
}

#define SCENARIO(id, what, ...)                                                  \
	TEST_RECORD(proto_##id, "proto/" #id, run_scenario, what,                \
		    .arg = &(const struct scenario){ __VA_ARGS__ }, .vmx = true, \
		    .protocols = true, .aps = 1)

SCENARIO(remap_write_4k, "remap a 4K page while guests write it", REMAP, false, false);
SCENARIO(remap_write_2m, "remap a 2M page while guests write it", REMAP, false, true);
SCENARIO(remap_read_4k, "remap a 4K page while guests read it", REMAP, true, false);
SCENARIO(remap_read_2m, "remap a 2M page while guests read it", REMAP, true, true);
SCENARIO(unmap_reuse_write_4k, "unmap a 4K page while guests write it, reuse its frame",
	 UNMAP_REUSE, false, false);
SCENARIO(unmap_reuse_write_2m, "unmap a 2M page while guests write it, reuse its frame",
	 UNMAP_REUSE, false, true);
SCENARIO(unmap_reuse_read_4k, "unmap a 4K page while guests read it, reuse its frame",
	 UNMAP_REUSE, true, false);
SCENARIO(unmap_reuse_read_2m, "unmap a 2M page while guests read it, reuse its frame",
	 UNMAP_REUSE, true, true);
SCENARIO(protect_write_4k, "write-protect a 4K page while guests write it",
	 PROTECT_WRITE, false, false);
SCENARIO(protect_write_2m, "write-protect a 2M page while guests write it",
	 PROTECT_WRITE, false, true);
