/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guided - schedules that lead into the windows of the known hazards
 *
 * docs/protocols.md has the hazards.  Each row below brings the CPUs to the place where
 * a protocol with that hazard goes wrong; a sound one passes it.  Rows without a
 * protocol use steps that all have.  The guest only reads and the edit only takes W
 * away, so it never waits in the host for an entry: it is the ghost TLB that judges,
 * the watchdog, and trap() for kicks that the host eats.
 *
 * Every other edit is announced (scenarios.c), so each row is tried twice at least.  A
 * mutant goes through all rows: its steps may come in any order, or not at all.
 */
#include "lib/str.h"
#include "tests/guest/abi.h"
#include "tests/haunt.h"
#include "tests/proto/scenario.h"

#define TRIES 4

struct row {
	const char *hazard, *proto, *plan;
	bool prompt; /* goes wrong only if kicks arrive at once */
};

#define ROW(proto, hazard, plan)           \
	{                                  \
		hazard, proto, plan, false \
	}
#define ROW_PROMPT(proto, hazard, plan)   \
	{                                 \
		hazard, proto, plan, true \
	}
#define ANY        NULL
#define MUTANTS    "" /* no protocol has such steps */
#define IN_BETWEEN "0.made.1^1,0.made.1@1."

static const struct row rows[] = {
	ROW(ANY, "H10: a reader on its way out counts as out", "1.left.1@0.done.1"),
	ROW(ANY, "a reader before its entry counts as out",
	    IN_BETWEEN "entry.1,1.entry.1@0.done.1"),
	ROW(ANY, "a reader comes between edit and publish", IN_BETWEEN "entry.1"),
	ROW(ANY, "H7: a reader comes between announcement and edit",
	    "0.edit.1^1,0.edit.1@1.entry.1"),
	ROW(MUTANTS, "H12: the host takes the kick",
	    IN_BETWEEN "window.1,1.window.1@0.G4.1"),
	ROW("gen-smr", "H3: a reader slept before its section",
	    IN_BETWEEN "S1.1,1.S1.1@0.done.1"),
	ROW("gen-smr", "H5: a reader slept before it was seen",
	    IN_BETWEEN "R1.1,1.R1.1@0.G4.1"),
	ROW_PROMPT("gen-smr", "H6: a reader comes before the sequence moves",
		   "0.G2.1@1.entry.1"),
	ROW("gen-smr", "H8: a reader comes before the generation moves",
	    "0.G1.1^1,0.G1.1@1.entry.1"),
	ROW_PROMPT("gen-smr", "H9: a reader is back before the first poll",
		   "0.G4.1@1.entry.1"),
	ROW("gen-slot", "N2: a reader slept with an old generation",
	    IN_BETWEEN "K2.1,1.K2.1@0.done.1"),
	ROW("gen-slot", "N3: and is waited for, with no kick on its way",
	    IN_BETWEEN "K2.1,1.K2.1@0.K5.1"),
	ROW("gen-slot", "N4: a reader slept between its mark and its look",
	    IN_BETWEEN "N2.1,1.N2.1@0.K5.1"),
	ROW("smr-seq", "Q1: a reader slept between its mark and its look",
	    IN_BETWEEN "Q1.1,1.Q1.1@0.G3.1"),
	ROW("request", "Q2: a request comes before the reader looks",
	    IN_BETWEEN "Q2.1,1.Q2.1@0.K5.1"),
	ROW("stop-world", "W6: a reader wants in while the world stands",
	    "0.made.1^1,0.W4.1@1.W6.1"),
	ROW("rendezvous", "Z5: a reader wants in while the world stands",
	    "0.made.1^1,0.G1.1@1.Z5.1"),
	ROW("dirty-mask", "X6: a reader looked before the mask was set",
	    IN_BETWEEN "R1.1,1.R1.1@0.X3.1"),
	ROW("counter-wait", "N6: a reader looked before the mask was set",
	    IN_BETWEEN "R1.1,1.R1.1@0.N2.1"),
	ROW("handler-flush", "K4: a reader has flushed and not said so",
	    "1.K4.1@0.K2.1"),
	ROW("new-root", "V1: a reader slept before its section",
	    IN_BETWEEN "S1.1,1.S1.1@0.done.1"),
	ROW("new-root", "V2: a reader comes to its root, which changes once more",
	    IN_BETWEEN "V1.1,1.V1.1@0.G3.1"),
	ROW("always", "A1: a reader slept before its section",
	    IN_BETWEEN "S1.1,1.S1.1@0.done.1"),
};

static enum err take_w(struct stage *s, struct gather *g)
{
	return ept_protect(&s->vm->ept, GPA(GUEST_WINDOW), s->size, EPTE_R, g);
}

static enum err give_w(struct stage *s, struct gather *g)
{
	return ept_protect(&s->vm->ept, GPA(GUEST_WINDOW), s->size, EPTE_R | EPTE_W, g);
}

/* What W was taken from must not change. */
static u64 written(struct stage *s, struct gather *g, unsigned old)
{
	(void)s;
	(void)g;
	(void)old;
	stage_watch();
	return 0;
}

static bool bad(const struct run *t, const struct stage *s)
{
	return t->verdict != PASS || s->vm->watchdog.fired || haunt_found();
}

/* How often all of the row's places were come to. */
static unsigned follow(struct stage *s, const struct row *row)
{
	unsigned reached = 0;

	for (unsigned i = 0; i < TRIES && !bad(s->t, s); i++) {
		steps_parse(&s->plan, row->plan);
		s->prompt = row->prompt;
		if (!scenario_once(s) && s->t->verdict != PASS)
			break;
		reached += steps_reached(&s->plan);
	}
	return reached;
}

static void guided(struct run *t)
{
	static struct stage s;
	bool alive = stage_open(&s, t, t->test->arg, 1);

	for (unsigned i = 0; i < ARRAY_LEN(rows) && alive && !bad(t, &s); i++) {
		unsigned reached;

		if (!t->mutant && rows[i].proto &&
		    strcmp(rows[i].proto, t->proto->name))
			continue;
		reached = follow(&s, &rows[i]);
		t->witnesses += reached;
		if (!reached && !t->mutant && !bad(t, &s))
			test_inconclusive(t, "%s: replay=%s is not reached",
					  rows[i].hazard, rows[i].plan);
	}
	if (alive)
		stage_close(&s);
}

static void run(struct run *t)
{
	if (!CHECKED) {
		test_skip(t, "the fast build has no steps");
		return;
	}
	steps_begin();
	guided(t);
	steps_end();
	scenario_judge(t);
}

static const struct scenario unused_w = { .layout = ONE_PAGE,
					  .role = GUEST_READER,
					  .edit = take_w,
					  .restore = give_w,
					  .reuse = written,
					  .unseen = true };

TEST_RECORD(proto_guided, "proto/guided", run,
	    "schedules that lead into the hazards that are known", .arg = &unused_w,
	    .vmx = true, .protocols = true, .aps = 1);

/* For the soak: waits that nobody ends by a fault. */
TEST_RECORD(proto_protect_read_4k, "proto/protect_read_4k", scenario_run,
	    "take W from a 4K page that guests only read", .arg = &unused_w,
	    .vmx = true, .protocols = true, .aps = 1, .hidden = true);
