/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * marks - stays and tickets of many initiators against a model, and kicks that are
 * shared
 *
 * One thread plays all CPUs, one step at a time; tests/host/record/between.c has what
 * happens between two steps, tests/host/threads.c what happens at once.
 */
#include "inval/marks.h"
#include "lib/str.h"
#include "tests/host/cpu.h"
#include "tests/host/test.h"
#include "tests/unit/kicks.h"

#define CPUS    6
#define TICKETS 32
#define ROUNDS  30000

static struct inval iv;
static struct pool pool;

static void set_up(const char *name)
{
	const struct inval_proto *p = NULL;

	for (unsigned i = 0; i < inval_proto_count; i++)
		if (!strcmp(inval_protos[i]->name, name))
			p = inval_protos[i];
	if (!p)
		panic("no protocol %s", name);
	inval_init(&iv, p, &pool, 0x123000, CPUS);
	kick_count = 0;
}

static ticket_t publish(unsigned cpu)
{
	struct gather g = gather_init();

	cpu_become(cpu);
	return inval_publish(&iv, &g);
}

static void enter(unsigned cpu)
{
	iv.proto->enter(&iv.reader[cpu]);
}

static void leave(unsigned cpu)
{
	iv.proto->exit(&iv.reader[cpu]);
}

/* What is true: who is in, since when, and whether that stay has been kicked. */
struct model {
	bool in[CPUS], kicked[CPUS];
	u64 since[CPUS]; /* in edits */
	u64 edits;
	ticket_t ticket[TICKETS]; /* of the last edits */
	unsigned kicks;
};

static bool over(const struct model *m, u64 edit)
{
	for (unsigned i = 0; i < CPUS; i++)
		if (m->in[i] && m->since[i] < edit)
			return false;
	return true;
}

static void move(struct model *m, unsigned cpu)
{
	if (m->in[cpu]) {
		leave(cpu);
	} else {
		enter(cpu);
		m->since[cpu] = m->edits;
		m->kicked[cpu] = false;
	}
	m->in[cpu] = !m->in[cpu];
}

static void edit(struct model *m, unsigned cpu, bool shared)
{
	if (m->in[cpu])
		move(m, cpu);
	m->ticket[++m->edits % TICKETS] = publish(cpu);
	for (unsigned i = 0; i < CPUS; i++) {
		m->kicks += m->in[i] && !(shared && m->kicked[i]);
		m->kicked[i] |= m->in[i];
	}
	EXPECT_EQ(kick_count, m->kicks);
}

static void poll(const struct model *m, u64 back)
{
	u64 n = m->edits - back;
	ticket_t t = m->ticket[n % TICKETS];

	if (back >= m->edits)
		return;
	EXPECT_EQ(iv.proto->laggard(&iv, t) < 0, over(m, n));
	EXPECT_EQ(inval_done(&iv, t), over(m, n));
}

static void against_model(const char *name, bool shared)
{
	struct rng rng = test_rng();
	struct model m = { 0 };

	set_up(name);
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned cpu = (unsigned)rng_below(&rng, CPUS);

		switch (rng_below(&rng, 6)) {
		case 0:
		case 1:
		case 2:
			move(&m, cpu);
			break;
		case 3:
			edit(&m, cpu, shared);
			break;
		default:
			poll(&m, rng_below(&rng, TICKETS));
		}
		EXPECT_EQ(inval_active(&iv, cpu), m.in[cpu]);
	}
}

TEST(gen_slot_is_its_model)
{
	against_model("gen-slot", true);
}

TEST(request_is_its_model)
{
	against_model("request", true);
}

TEST(smr_seq_is_its_model)
{
	against_model("smr-seq", false);
}

/* However many wait for it, an exit costs one kick; the next stay can be kicked again.
 */
static void one_kick_for_an_exit(const char *name)
{
	ticket_t t[4];

	set_up(name);
	for (unsigned round = 1; round < 10; round++) {
		enter(1);
		for (unsigned i = 0; i < ARRAY_LEN(t); i++)
			t[i] = publish(2 + i);
		EXPECT_EQ(kick_count, round);
		for (unsigned i = 0; i < ARRAY_LEN(t); i++)
			EXPECT(!inval_done(&iv, t[i]));
		leave(1);
		EXPECT(inval_done(&iv, t[3]));
		EXPECT(load_relaxed(&iv.shared[0].word) >= t[3]);
		for (unsigned i = 0; i < ARRAY_LEN(t); i++)
			EXPECT(inval_done(&iv, t[i]));
	}
}

TEST(initiators_share_an_exit)
{
	one_kick_for_an_exit("gen-slot");
	one_kick_for_an_exit("request");
}

/* A stay that has come with the generation is not kicked for it. */
TEST(gen_slot_kicks_nobody_who_is_out_or_has_come_since)
{
	ticket_t t;

	set_up("gen-slot");
	t = publish(0);
	EXPECT_EQ(kick_count, 0);
	EXPECT(inval_done(&iv, t));
	enter(1);
	mark_kick(&iv, 1, t);
	EXPECT_EQ(kick_count, 0);
	mark_kick(&iv, 1, t + MARK_STEP);
	EXPECT_EQ(kick_count, 1);
	mark_kick(&iv, 1, t + 2 * MARK_STEP);
	EXPECT_EQ(kick_count, 1);
	EXPECT_EQ(load_relaxed(&iv.reader[1].mark.word), t + 1);
	EXPECT_EQ(marks_laggard(&iv, t), -1);
	EXPECT_EQ(marks_laggard(&iv, t + MARK_STEP), 1);
}
