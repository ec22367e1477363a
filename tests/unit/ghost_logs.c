/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ghost_logs - logs of events whose verdict is known, and random ones against a model
 *
 * The model keeps no number for a CPU but the set of all it may hold: one fact for each
 * version of a root at which it was in the guest since the last flush.
 */
#include "tests/unit/ghosts.h"

#include <string.h>

#define OPEN 3 /* edits of one root under way */

static struct gather under_way[ROOTS][OPEN];

enum op {
	END,
	ENTER,
	EXIT,
	FLUSH,     /* this root */
	FLUSH_ALL, /* every one */
	EDIT,      /* `cpu` tells which of the edits under way */
	DONE,      /* likewise                                 */
	BEGIN,     /* another VM begins at this root           */
};

struct event {
	enum op op;
	unsigned cpu, root;
};

static void play(const struct event *e)
{
	struct gather *g = &under_way[e->root][e->cpu % OPEN];

	switch (e->op) {
	case ENTER:
		ghost_enter(ghost[e->root], e->cpu);
		break;
	case EXIT:
		ghost_exit(ghost[e->root], e->cpu);
		break;
	case FLUSH:
		ghost_flush(e->cpu, eptp[e->root]);
		break;
	case FLUSH_ALL:
		ghost_flush(e->cpu, 0);
		break;
	case EDIT:
		*g = duty(0, WHY_UNMAP);
		ghost_edit(ghost[e->root], g);
		break;
	case DONE:
		ghost_complete(ghost[e->root], g);
		break;
	case BEGIN:
		EXPECT(ghost_watch(eptp[e->root], CPUS, "p") == ghost[e->root]);
		break;
	case END:
		break;
	}
}

#define NONE GHOST_KINDS
#define SEEN GHOST_MIXED /* the kinds below: all that can be without tags */

/*
 * Each log's last event, and no other, is a violation of this kind; NONE: not even it.
 * An event is a letter, a CPU (for e and d: which edit), and a root if it is not 0:
 * in, out, flush, Flush all, edit, done, begin.
 */
static const struct log {
	const char *what;
	enum ghost_kind kind;
	const char *events;
} logs[] = {
	{ "nobody was ever in the guest", NONE, "e0 d0" },
	{ "complete while it is inside", GHOST_IN_GUEST, "i1 e0 d0" },
	{ "it left before", NONE, "i1 e0 o1 d0" },
	{ "it entered after the edit", NONE, "e0 i1 d0" },
	{ "back without a flush before it is complete", GHOST_IN_GUEST,
	  "i1 e0 o1 i1 d0" },
	{ "left, flushed, and back", NONE, "i1 e0 o1 f1 i1 d0" },
	{ "back after it is complete, without a flush", GHOST_STALE, "i1 e0 o1 d0 i1" },
	{ "back after it is complete, with a flush", NONE, "i1 e0 o1 d0 f1 i1" },
	{ "a flush before the edit is none", GHOST_STALE, "f1 i1 o1 e0 d0 i1" },
	{ "a flush, and not in the guest since", NONE, "i1 o1 f1 e0 d0 i1" },
	{ "a flush of another root is none", GHOST_STALE, "i1 e0 o1 d0 f11 i1" },
	{ "a flush of all roots is one", NONE, "i1 e0 o1 d0 F11 i1" },
	{ "a flush by another CPU is none", GHOST_STALE, "i1 e0 o1 d0 f2 i1" },
	{ "it is inside another root", NONE, "i11 e0 d0" },
	{ "an edit of another root", NONE, "i1 e01 o1 d01 i1" },
	{ "it has flushed for the one that is complete", NONE, "i1 e0 o1 f1 i1 e1 d0" },
	{ "it has not flushed for the one that is complete", GHOST_IN_GUEST,
	  "i1 e0 o1 f1 i1 e1 d1" },
	{ "the later edit is complete first", GHOST_STALE, "e0 i1 e1 o1 d1 i1" },
	{ "a VM begins where one has died", GHOST_REUSED, "i1 o1 b0 i1" },
	{ "the same, flushed", NONE, "i1 o1 b0 f1 i1" },
	{ "a VM begins where a CPU is inside", GHOST_IN_GUEST, "i1 b0" },
	{ "reused, and then an edit", GHOST_STALE, "b0 i1 e0 o1 d0 i1" },
};

/* Reads one event; the rest of the text, NULL at its end. */
static const char *next_event(const char *s, struct event *e)
{
	static const char letters[] = "?iofFedb";

	e->op = (enum op)(strchr(letters, *s++) - letters);
	e->cpu = (unsigned)(*s++ - '0');
	e->root = *s && *s != ' ' ? (unsigned)(*s++ - '0') : 0;
	return *s ? s + 1 : NULL;
}

TEST(ghost_logs)
{
	for (unsigned i = 0; i < ARRAY_LEN(logs); i++) {
		const char *at = logs[i].events;
		u64 want = logs[i].kind != NONE;
		struct event e;

		set_up();
		while (at) {
			if (!EXPECT_EQ(found_all(), 0))
				test_say("too early: %s", logs[i].what);
			at = next_event(at, &e);
			play(&e);
		}
		if (!EXPECT_EQ(found_all(), want) ||
		    (want && !EXPECT_EQ(found(logs[i].kind), 1)))
			test_say("%s", logs[i].what);
	}
}

/* The model. */
#define STEPS    60 /* of one log */
#define VERSIONS (STEPS + 2)

static struct {
	bool inside[CPUS];
	bool fact[CPUS][VERSIONS];
	unsigned version, born, done;
	unsigned number[OPEN]; /* of edits under way, 0: none */
} model[ROOTS];

static u64 expected[SEEN];

/* The lowest version of which the CPU may hold something; VERSIONS: nothing. */
static unsigned oldest(unsigned root, unsigned cpu)
{
	unsigned v = 0;

	while (v < VERSIONS && !model[root].fact[cpu][v])
		v++;
	return v;
}

static void model_move(unsigned root)
{
	unsigned v = ++model[root].version;

	for (unsigned c = 0; c < CPUS; c++)
		model[root].fact[c][v] = model[root].inside[c];
}

static void model_done(unsigned root, unsigned k)
{
	for (unsigned c = 0; c < CPUS; c++)
		expected[GHOST_IN_GUEST] += model[root].inside[c] &&
					    oldest(root, c) < k;
	model[root].done = MAX(model[root].done, k);
}

static void model_enter(unsigned root, unsigned cpu)
{
	unsigned was;

	model[root].inside[cpu] = true;
	model[root].fact[cpu][model[root].version] = true;
	was = oldest(root, cpu);
	if (was >= model[root].done)
		return;
	expected[was < model[root].born ? GHOST_REUSED : GHOST_STALE]++;
	for (unsigned v = 0; v < model[root].done; v++)
		model[root].fact[cpu][v] = false;
	model[root].fact[cpu][model[root].done] = true;
}

static void model_flush(unsigned root, unsigned cpu)
{
	for (unsigned v = 0; v < VERSIONS; v++)
		model[root].fact[cpu][v] = false;
}

static void model_begin(unsigned root)
{
	model_move(root);
	model[root].born = model[root].version;
	model_done(root, model[root].version);
}

/* Can this happen next?  If so the model does it. */
static bool model_play(const struct event *e)
{
	bool inside = model[e->root].inside[e->cpu], anywhere = false;
	unsigned *number = &model[e->root].number[e->cpu % OPEN];

	for (unsigned i = 0; i < ROOTS; i++)
		anywhere |= model[i].inside[e->cpu];
	switch (e->op) {
	case ENTER:
		if (!anywhere)
			model_enter(e->root, e->cpu);
		return !anywhere;
	case EXIT:
		model[e->root].inside[e->cpu] = false;
		return inside;
	case FLUSH:
		if (!anywhere)
			model_flush(e->root, e->cpu);
		return !anywhere;
	case FLUSH_ALL:
		for (unsigned i = 0; i < ROOTS && !anywhere; i++)
			model_flush(i, e->cpu);
		return !anywhere;
	case EDIT:
		if (*number)
			return false;
		model_move(e->root);
		*number = model[e->root].version;
		return true;
	case DONE:
		if (!*number)
			return false;
		model_done(e->root, *number);
		*number = 0;
		return true;
	case BEGIN:
		model_begin(e->root);
		return true;
	case END:
		break;
	}
	return false;
}

static void model_set_up(void)
{
	for (unsigned i = 0; i < ROOTS; i++) {
		memset(&model[i], 0, sizeof(model[i]));
		model[i].version = model[i].born = model[i].done = 1;
	}
	memset(expected, 0, sizeof(expected));
}

static struct event random_event(struct rng *r)
{
	static const enum op ops[] = { ENTER, ENTER, ENTER,     EXIT, EXIT,
				       FLUSH, FLUSH, FLUSH_ALL, EDIT, EDIT,
				       DONE,  DONE,  DONE };
	enum op op = ops[rng_below(r, ARRAY_LEN(ops))];

	if (!rng_below(r, 30))
		op = BEGIN;
	return (struct event){ op, (unsigned)rng_below(r, CPUS),
			       (unsigned)rng_below(r, ROOTS) };
}

TEST(ghost_random_logs_against_a_model_of_sets)
{
	struct rng r = test_rng();
	u64 seen[SEEN] = { 0 }, clean = 0;

	for (unsigned run = 0; run < 20000; run++) {
		set_up();
		model_set_up();
		for (unsigned i = 0; i < STEPS; i++) {
			struct event e = random_event(&r);

			if (!model_play(&e))
				continue;
			play(&e);
			for (unsigned k = 0; k < SEEN; k++)
				if (!EXPECT_EQ(found(k), expected[k]))
					return;
		}
		for (unsigned k = 0; k < SEEN; k++)
			seen[k] += expected[k];
		clean += !found_all();
	}
	for (unsigned k = 0; k < SEEN; k++)
		EXPECT(seen[k] > 1000);
	EXPECT(clean > 100);
}
