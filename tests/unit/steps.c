/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steps - tests of tests/steps_text.c: schedules as words, and drawn ones
 */
#include "lib/str.h"
#include "tests/host/test.h"
#include "tests/steps.h"

static struct step_plan p;

static const char *again(const char *text)
{
	static char out[STEPS_TEXT];

	if (!steps_parse(&p, text))
		return "none";
	steps_text(out, sizeof(out), &p);
	return out;
}

TEST(a_schedule_reads_as_it_is_written)
{
	static const char *const texts[] = {
		"",
		"0.G1.1+0",
		"1.R2.3+500",
		"1.S1.1@0.done.1",
		"0.made.12^1",
		"0.made.1^1,0.made.1@1.S1.1,1.S1.1@0.done.1,13.entry.4+4096",
	};

	for (unsigned i = 0; i < ARRAY_LEN(texts); i++)
		EXPECT_STR(again(texts[i]), texts[i]);
}

TEST(a_schedule_means_what_it_says)
{
	EXPECT(steps_parse(&p, "3.S1.2@0.done.5,0.G1.1^4"));
	EXPECT_EQ(p.n, 2);
	EXPECT_EQ(p.item[0].action, STEP_HOLD);
	EXPECT_EQ(p.item[0].at.cpu, 3);
	EXPECT_STR(p.item[0].at.step, "S1");
	EXPECT_EQ(p.item[0].at.nth, 2);
	EXPECT_EQ(p.item[0].until.cpu, 0);
	EXPECT_STR(p.item[0].until.step, "done");
	EXPECT_EQ(p.item[0].until.nth, 5);
	EXPECT_EQ(p.item[1].action, STEP_KICK);
	EXPECT_EQ(p.item[1].arg, 4);
}

TEST(what_is_no_schedule_is_refused)
{
	static const char *const texts[] = {
		"1",
		"1.",
		"1.S1",
		"1.S1.",
		"1.S1.1",
		"1.S1.0+1",
		"1.S1.1+",
		"1.S1.1@",
		"1.S1.1@0.x",
		"1.S1.1^",
		"1.S1.1+1,",
		",1.S1.1+1",
		"1.S1.1+1 ",
		"1.S1.1^999999",
		"1.S1.1-1",
		"-1.S1.1+1",
		"1..1+1",
		"1.S-1.1+1",
		"x.S1.1+1",
		"999999.S1.1+1",
		"1.toolongs.1+1",
		"0.a.1+1,0.a.1+1,0.a.1+1,0.a.1+1,0.a.1+1,0.a.1+1,0.a.1+1,0.a.1+1,0.a.1+1",
	};

	for (unsigned i = 0; i < ARRAY_LEN(texts); i++)
		EXPECT_STR(again(texts[i]), "none");
}

TEST(a_short_buffer_is_not_overrun)
{
	char small[8] = "1234567";

	EXPECT(steps_parse(&p, "1.S1.1@0.done.1,1.S1.1+77"));
	for (size_t size = 1; size < sizeof(small); size++) {
		small[size] = '#';
		steps_text(small, size, &p);
		EXPECT(strlen(small) < size);
		EXPECT_EQ(small[size], '#');
	}
}

static void know(struct step_names *k, const char *name)
{
	u64 n = load_relaxed(&k->n);

	k->name[n] = name;
	store_relaxed(&k->n, n + 1);
}

TEST(drawn_schedules_are_schedules_of_known_steps)
{
	static struct step_names known[4];
	struct rng rng = test_rng();
	unsigned of_action[3] = { 0 }, meetings = 0;

	memset(known, 0, sizeof(known));
	know(&known[0], "G1");
	know(&known[1], "R1");
	know(&known[1], "R2");
	for (unsigned i = 0; i < 2000; i++) {
		char text[STEPS_TEXT];
		static struct step_plan drawn;

		steps_draw(&drawn, &rng, 3, known, 4);
		EXPECT(drawn.n <= 3);
		meetings += drawn.n == 3 && drawn.item[0].action != STEP_HOLD &&
			    drawn.item[1].action == STEP_HOLD &&
			    drawn.item[2].action == STEP_HOLD &&
			    !strcmp(drawn.item[1].until.step, drawn.item[2].at.step);
		for (unsigned j = 0; j < drawn.n; j++) {
			const struct step_item *it = &drawn.item[j];

			of_action[it->action]++;
			EXPECT(it->at.cpu < 2); /* the others know no step */
			EXPECT(it->action != STEP_HOLD || it->until.cpu < 2);
			EXPECT(it->action != STEP_HOLD || it->until.cpu != it->at.cpu);
			EXPECT(it->action != STEP_KICK || (it->arg && it->arg < 4));
		}
		steps_text(text, sizeof(text), &drawn);
		EXPECT_STR(again(text), text);
	}
	for (unsigned i = 0; i < ARRAY_LEN(of_action); i++)
		EXPECT(of_action[i] > 200);
	EXPECT(meetings > 200);
}
