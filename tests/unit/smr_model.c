/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smr_model - smr beside a reference whose sequences have 64 bits and never wrap
 *
 * The same random events go to both: entries in one go or with a pause between load
 * and store, exits, advances that would not block, polls of old and new tickets.
 */
#include "smr/smr.h"
#include "tests/host/test.h"
#include "tests/unit/smr_steps.h"

#define CPUS 5

static struct smr s;

/*
 * `began` is what wr really was when the section was published, whatever the slot
 * says: a poll that says yes is judged by that.
 */
struct model {
	u64 wr, rd, incr;
	struct {
		bool active, loaded;
		u64 seen, began, value;
	} cpu[CPUS];
	u64 goal[16];
	unsigned goals; /* taken so far */
};

static u64 model_lowest(const struct model *m)
{
	u64 min = m->wr;

	for (unsigned i = 0; i < CPUS; i++)
		if (m->cpu[i].active)
			min = MIN(min, MAX(m->cpu[i].seen, m->rd));
	return min;
}

/* Is the named laggard one, and is there one exactly when a poll says no? */
static void model_laggard(const struct model *m, u64 goal, bool done)
{
	int i = smr_laggard(&s, (u32)goal);

	if (EXPECT_EQ(i < 0, done) && i >= 0)
		EXPECT(m->cpu[i].active && MAX(m->cpu[i].seen, m->rd) < goal);
}

static void model_poll(struct model *m, u64 goal)
{
	bool want = goal <= m->rd, is = smr_poll(&s, (u32)goal);

	if (!want) {
		m->rd = model_lowest(m);
		want = goal <= m->rd;
	}
	EXPECT_EQ(is, want);
	model_laggard(m, goal, want);
	for (unsigned i = 0; is && i < CPUS; i++)
		EXPECT(!m->cpu[i].active || m->cpu[i].began >= goal);
}

/* Would smr_advance() block?  It is called only when it would not. */
static bool model_free(const struct model *m)
{
	return m->wr + m->incr - m->rd < s.step.max_delta ||
	       model_lowest(m) + s.step.max_advance >= m->wr + m->incr;
}

static void model_leave(struct model *m)
{
	for (unsigned i = 0; i < CPUS; i++) {
		if (m->cpu[i].active)
			smr_exit(&s.slot[i]);
		m->cpu[i].active = false;
	}
}

static void model_advance(struct model *m)
{
	u64 goal = m->wr + m->incr;
	bool scans = goal - m->rd >= s.step.max_delta;

	if (!model_free(m)) {
		model_leave(m);
		return;
	}
	EXPECT_EQ(smr_advance(&s), (u32)goal);
	m->wr = goal;
	m->goal[m->goals++ % ARRAY_LEN(m->goal)] = goal;
	if (scans && m->rd < goal - s.step.max_advance)
		m->rd = model_lowest(m);
}

/* An entry in one go, or its load now and its store later. */
static void model_enter(struct model *m, unsigned i, bool late)
{
	if (m->cpu[i].loaded) {
		store_fence(&s.slot[i].seen, (u32)m->cpu[i].value);
	} else if (late) {
		m->cpu[i].loaded = true;
		m->cpu[i].value = m->wr;
		return;
	} else {
		m->cpu[i].value = m->wr;
		smr_enter(&s.slot[i]);
	}
	m->cpu[i].active = true;
	m->cpu[i].loaded = false;
	m->cpu[i].seen = m->cpu[i].value;
	m->cpu[i].began = m->wr;
}

static void model_toggle(struct model *m, unsigned i, bool late)
{
	if (!m->cpu[i].active) {
		model_enter(m, i, late);
		return;
	}
	smr_exit(&s.slot[i]);
	m->cpu[i].active = false;
}

/* Who sleeps between load and store for half of the circle is another test's. */
static void model_wake(struct model *m)
{
	for (unsigned i = 0; i < CPUS; i++)
		if (m->cpu[i].loaded &&
		    m->wr + 2 * m->incr - m->cpu[i].value >= BIT(31))
			model_enter(m, i, false);
}

static u64 model_goal(const struct model *m, struct rng *r)
{
	u64 goal = m->goal[rng_below(r, ARRAY_LEN(m->goal))];

	return goal && m->wr - goal < BIT(31) ? goal : m->wr;
}

static void model_step(struct model *m, struct rng *r)
{
	u64 op = rng_below(r, 8), cpu = rng_below(r, CPUS), late = rng_below(r, 4);

	model_wake(m);
	if (op < 3)
		model_toggle(m, (unsigned)cpu, !late);
	else if (op < 5)
		model_advance(m);
	else
		model_poll(m, model_goal(m, r));
	EXPECT_EQ(load_relaxed(&s.wr), (u32)m->wr);
	EXPECT_EQ(load_relaxed(&s.rd), (u32)m->rd);
	EXPECT(load_relaxed(&s.wr) != SMR_IDLE);
}

TEST(smr_agrees_with_sequences_that_never_wrap)
{
	struct rng r = test_rng();

	for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
		struct model m = { .wr = steps[i]->init + BIT(32),
				   .rd = steps[i]->init + BIT(32),
				   .incr = steps[i]->incr };

		smr_init(&s, CPUS, steps[i]);
		for (unsigned n = 0; n < 250000; n++)
			model_step(&m, &r);
		test_say("%lu rounds of the circle", (m.wr >> 32) - 1);
	}
}
