/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steps - what happens when a CPU comes to a step
 *
 * A CPU that comes to a step while a plan is in force counts itself into `inside`
 * first, and disarm waits until nobody is left: so a plan may be on a stack.
 */
#include "tests/steps.h"
#include "arch/x86_64/kick.h"
#include "inval/hw.h"
#include "inval/step.h"
#include "lib/str.h"

static struct step_names known[CPU_MAX];
static void (*beneath)(const char *step); /* who looked at steps before us */
static atomic64_t armed, inside; /* a struct step_plan *, or 0; CPUs that look at it */

static void learn(struct step_names *k, const char *step)
{
	u64 n = load_relaxed(&k->n);

	for (u64 i = 0; i < n; i++)
		if (!strcmp(k->name[i], step))
			return;
	if (n == STEPS_KNOWN)
		return;
	k->name[n] = step;
	store_release(&k->n, n + 1);
}

static bool is(const struct step_at *at, unsigned cpu, const char *step)
{
	return at->cpu == cpu && !strcmp(at->step, step);
}

static void hold(struct step_item *it, u64 plan)
{
	u64 turns = 0;

	while (load_acquire(&it->until_came) < it->until.nth &&
	       load_acquire(&armed) == plan) {
		relax();
		if (++turns < STEPS_PATIENCE)
			continue;
		store_release(&it->expired, 1ull);
		return;
	}
}

static void act(struct step_item *it, u64 plan)
{
	switch (it->action) {
	case STEP_SPIN:
		for (u64 n = it->arg; n; n--)
			relax();
		return;
	case STEP_HOLD:
		hold(it, plan);
		return;
	case STEP_KICK:
		kick_now((unsigned)it->arg);
		return;
	}
}

/* Counts first: two CPUs may wait for each other at the same moment. */
static void follow(struct step_plan *p, unsigned cpu, const char *step)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->item[i].action == STEP_HOLD && is(&p->item[i].until, cpu, step))
			add_fence(&p->item[i].until_came, 1ull);
	for (unsigned i = 0; i < p->n; i++) {
		struct step_item *it = &p->item[i];

		if (is(&it->at, cpu, step) &&
		    fetch_add(&it->came, 1ull) + 1 == it->at.nth)
			act(it, (u64)p);
	}
}

static void come_to(const char *step)
{
	unsigned cpu = hw_self();
	u64 plan;

	if (beneath)
		beneath(step);
	learn(&known[cpu], step);
	if (!load_acquire(&armed))
		return;
	add_fence(&inside, 1ull);
	plan = load_acquire(&armed);
	if (plan)
		follow((struct step_plan *)plan, cpu, step);
	add_fence(&inside, -1ull);
}

void steps_begin(void)
{
	store_relaxed(&inside, 0ull); /* a CPU that is parked in there never leaves */
	memset(known, 0, sizeof(known));
	if (CHECKED && step_hook != come_to) {
		beneath = step_hook;
		step_hook = come_to;
	}
}

void steps_end(void)
{
	if (CHECKED)
		step_hook = beneath;
}

const struct step_names *steps_known(void)
{
	return known;
}

void steps_arm(struct step_plan *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		store_relaxed(&p->item[i].came, 0ull);
		store_relaxed(&p->item[i].until_came, 0ull);
		store_relaxed(&p->item[i].expired, 0ull);
	}
	store_fence(&armed, (u64)p);
}

void steps_disarm(void)
{
	store_fence(&armed, 0ull);
	while (load_acquire(&inside))
		relax();
}

void steps_abandon(void)
{
	steps_end();
	store_fence(&armed, 0ull);
}

bool steps_reached(const struct step_plan *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (load_relaxed(&p->item[i].came) < p->item[i].at.nth)
			return false;
	return true;
}
