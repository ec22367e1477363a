/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * soak - any edit under any sound protocol with any number of guests, for secs= seconds
 *
 * Each round draws a scenario, a protocol, how many guests there are, how long kicks
 * fly (in one round of two they arrive at once: some hazards need that), and in one of
 * two schedules of steps; all from the seed.  It ends at the
 * first thing that goes wrong, and says under what.
 */
#include "arch/x86_64/rtc.h"
#include "lib/console.h"
#include "tests/haunt.h"
#include "tests/proto/scenario.h"
#include "tests/select.h"

#define ROUND_LEAST 16 /* edits */
#define ROUND_MORE  112
#define DELAY_MOST  1600
#define ITEMS_MOST  4
#define SAY_EVERY   2 /* seconds */
#define SECS        10

struct soak {
	struct run *t;
	const struct test *scenario[SELECT_MAX];
	unsigned scenarios;
	const struct inval_proto *proto[SELECT_MAX];
	unsigned protos;
	u64 rounds, secs, said;
	unsigned second;
};

static void find(struct soak *k)
{
	const char *wanted = k->t->config->proto;

	for (const struct test *s = tests_start; s < tests_end; s++)
		if (s->fn == scenario_run)
			k->scenario[k->scenarios++] = s;
	for (unsigned i = 0; i < inval_proto_count; i++) {
		const struct inval_proto *p = inval_protos[i];

		if (p->sound && (!*wanted || config_match(wanted, p->name)))
			k->proto[k->protos++] = p;
	}
}

/* Whole seconds gone by; asked more often than once a minute. */
static u64 elapsed(struct soak *k)
{
	unsigned now = rtc_second();

	k->secs += (now + 60 - k->second) % 60;
	k->second = now;
	return k->secs;
}

static void say(struct soak *k, const struct run *r, unsigned guests)
{
	const struct run *t = k->t;
	struct ghost_tally g;

	ghost_tell(&g);
	print("# soak: %lu s, %lu rounds, %lu invalidations (%lu per second), %lu judged by "
	      "the ghost, %lu violations; last %s, %s, %u guests\n",
	      k->secs, k->rounds, t->invalidations,
	      t->invalidations / MAX(k->secs, 1ul), g.checked,
	      t->violations + g.violations, r->test->name, r->proto->name, guests);
	k->said = k->secs;
}

static void edits(struct stage *s)
{
	u64 n = ROUND_LEAST + rng_below(&s->t->rng, ROUND_MORE);

	if (s->scenario->cost)
		n = MAX(n / s->scenario->cost, 2ul);
	do
		scenario_plan(s);
	while (scenario_once(s) && --n);
}

/* What went wrong in a round becomes the soak's. */
static void take(struct run *t, const struct run *r, unsigned guests)
{
	t->witnesses += r->witnesses;
	t->violations += r->violations;
	t->invalidations += r->invalidations;
	if ((r->verdict == PASS || r->stopped) && !r->violations && !haunt_found())
		return;
	memcpy(t->schedule, r->schedule, sizeof(t->schedule));
	print("# soak: it went wrong under run=%s proto=%s with %u guests\n",
	      r->test->name, r->proto->name, guests);
	if (r->verdict == SKIP)
		return;
	test_fail(t, "%s, %s, %u guests: %s", r->test->name, r->proto->name, guests,
		  r->verdict == PASS ? "found by the ghost" : r->why);
}

/* False: it ends here. */
static bool go_round(struct soak *k)
{
	static struct stage s;
	struct run *t = k->t;
	struct config c = *t->config;
	unsigned guests = 1 + (unsigned)rng_below(&t->rng, cpu_count - 1);
	struct run r = { .config = &c, .pool = t->pool };

	r.test = k->scenario[rng_below(&t->rng, k->scenarios)];
	r.proto = k->proto[rng_below(&t->rng, k->protos)];
	c.delay = rng_below(&t->rng, 2) ? rng_below(&t->rng, DELAY_MOST) : 0;
	c.steps = rng_below(&t->rng, 2) ? rng_below(&t->rng, ITEMS_MOST + 1) : 0;
	r.rng.state = rng_next(&t->rng);
	steps_begin(); /* what other protocols called their steps is no use here */
	if (stage_open(&s, &r, r.test->arg, guests)) {
		edits(&s);
		stage_close(&s);
	}
	scenario_judge(&r);
	take(t, &r, guests);
	k->rounds++;
	if (elapsed(k) >= k->said + SAY_EVERY)
		say(k, &r, guests);
	return !test_stopped(t) && t->verdict == PASS && !haunt_found();
}

static void soak(struct run *t)
{
	u64 secs = t->config->secs ? t->config->secs : SECS;
	static struct soak k;

	k = (struct soak){ .t = t, .second = rtc_second() };
	find(&k);
	if (!k.protos) {
		test_skip(t, "proto= leaves no sound protocol");
		return;
	}
	print("# soak: %u scenarios, %u protocols, up to %u guests, %lu s\n",
	      k.scenarios, k.protos, cpu_count - 1, secs);
	while (go_round(&k) && k.secs < secs)
		;
	steps_end();
	if (!t->witnesses)
		test_inconclusive(t, "no stale access before any return");
}

TEST_RECORD(proto_soak, "proto/soak", soak,
	    "random edits, protocols, guests and delays for secs= seconds", .vmx = true,
	    .aps = 1, .hidden = true);
