/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ghost_tag - logs of entries by tags whose verdict is known, and random ones
 *
 * The model keeps no lo but the set of all that each CPU may hold under each tag: one
 * fact for each root and version at which it was in the guest under that tag since the
 * tag was last dropped.
 */
#include <string.h>

#include "inval/ghost.h"
#include "tests/host/cpu.h"
#include "tests/host/test.h"

#define ROOTS 3
#define CPUS  2
#define TAGS  4

static const u64 n_cr3[ROOTS] = { 0x123000, 0x456000, 0x4000123000 };
static struct ghost *ghost[ROOTS];

static u64 found(enum ghost_kind kind)
{
	struct ghost_tally t;

	ghost_tell(&t);
	return t.of_kind[kind];
}

static void set_up(void)
{
	ghost_forget();
	cpu_become(0);
	for (unsigned i = 0; i < ROOTS; i++)
		ghost[i] = ghost_watch(n_cr3[i], CPUS, "p");
}

static void enter(unsigned cpu, unsigned root, u32 tag, enum ghost_drop drop)
{
	ghost_enter_told(ghost[root], cpu,
			 (struct ghost_told){ n_cr3[root], tag, drop });
}

/* Of root 0 if nothing else is said: made, and complete at once or later. */
static struct gather under_way[ROOTS];

static void edit(unsigned root)
{
	under_way[root] = gather_init();
	gather_range(&under_way[root], GPA(0), PAGE_SIZE, WHY_UNMAP);
	ghost_edit(ghost[root], &under_way[root]);
}

static void done(unsigned root)
{
	ghost_complete(ghost[root], &under_way[root]);
}

#define NONE GHOST_KINDS

/*
 * Each log's last event, and no other, is a violation of this kind; NONE: not even it.
 * i: CPU 1 enters by a root under a tag (1 to 3), and drops nothing; t: the tag; a:
 * all. I: the same for CPU 0.  o, O: it leaves.  e, d: an edit of the root, complete.
 * b: a VM begins at the root.  f: what the backend says that CPU 1 flushed.
 */
static const struct log {
	const char *what;
	enum ghost_kind kind;
	const char *events;
} logs[] = {
	{ "the tag is the root's own", NONE, "i01 o0 i01" },
	{ "an edit, and nothing is dropped", GHOST_STALE, "i01 o0 e0 d0 i01" },
	{ "an edit, and the tag is dropped", NONE, "i01 o0 e0 d0 t01" },
	{ "an edit, and all is dropped", NONE, "i01 o0 e0 d0 a01" },
	{ "an edit, and a tag that is clean", NONE, "i01 o0 e0 d0 i02" },
	{ "back to the tag from before", GHOST_STALE, "i01 o0 e0 d0 i02 o0 i01" },
	{ "it was dropped with another", NONE, "i01 o0 e0 d0 a02 o0 i01" },
	{ "it was not: only another was", GHOST_STALE, "i01 o0 e0 d0 t02 o0 i01" },
	{ "the other CPU has dropped its own", GHOST_STALE,
	  "i01 o0 I01 O0 e0 d0 A01 O0 i01" },
	{ "what the backend says drops nothing", GHOST_STALE, "i01 o0 e0 d0 f0 i01" },
	{ "two roots under a tag", GHOST_MIXED, "i01 o0 i11" },
	{ "two roots under a tag, dropped between", NONE, "i01 o0 t11" },
	{ "the same tag on two CPUs", NONE, "i01 o0 I11" },
	{ "each root under its own", NONE, "i01 o0 i12 o1 i01 o0 i12" },
	{ "complete while it is inside", GHOST_IN_GUEST, "i01 e0 d0" },
	{ "inside, under a tag that was clean at the edit", NONE, "i01 o0 e0 i02 d0" },
	{ "inside, under a tag that has it", GHOST_IN_GUEST, "i01 o0 e0 i01 d0" },
	{ "inside another root", NONE, "i11 e0 d0" },
	{ "a VM begins where one has died", GHOST_REUSED, "i01 o0 b0 i01" },
	{ "the same, under a fresh tag", NONE, "i01 o0 b0 i02" },
	{ "the same, dropped", NONE, "i01 o0 b0 t01" },
	{ "the dead VM's edits, held by the tag alone", GHOST_REUSED,
	  "i01 o0 e0 d0 i02 o0 i02 o0 b0 i02" },
};

static void play(const char *s)
{
	static const char drops[] = "ita";
	unsigned cpu = *s >= 'a', root = (unsigned)(s[1] - '0');
	char op = *s | 0x20;

	if (strchr(drops, op))
		enter(cpu, root, (u32)(s[2] - '0'),
		      (enum ghost_drop)(strchr(drops, op) - drops));
	else if (op == 'o')
		ghost_exit(ghost[root], cpu);
	else if (op == 'e')
		edit(root);
	else if (op == 'd')
		done(root);
	else if (op == 'b')
		ghost_watch(n_cr3[root], CPUS, "p");
}

TEST(ghost_tag_logs)
{
	for (unsigned i = 0; i < ARRAY_LEN(logs); i++) {
		const char *at = logs[i].events;
		u64 want = logs[i].kind != NONE;

		for (set_up(); at; at = strchr(at, ' '), at += !!at) {
			if (!EXPECT_EQ(ghost_violations(), 0))
				test_say("too early: %s", logs[i].what);
			play(at);
		}
		if (!EXPECT_EQ(ghost_violations(), want) ||
		    (want && !EXPECT_EQ(found(logs[i].kind), 1)))
			test_say("%s", logs[i].what);
	}
}

/* The model. */
#define STEPS    50
#define VERSIONS (STEPS + 2)

static struct {
	bool fact[CPUS][TAGS][VERSIONS];
	unsigned version, born, done, open; /* open: the edit under way, 0: none */
} model[ROOTS];

static struct {
	int root; /* -1: outside */
	u32 tag;
} inside[CPUS];

static u64 expected[GHOST_KINDS];

static unsigned oldest(unsigned root, unsigned cpu, u32 tag)
{
	unsigned v = 0;

	while (v < VERSIONS && !model[root].fact[cpu][tag][v])
		v++;
	return v;
}

static void forget(unsigned root, unsigned cpu, u32 tag)
{
	memset(model[root].fact[cpu][tag], 0, sizeof(model[root].fact[cpu][tag]));
}

static void model_move(unsigned root)
{
	unsigned v = ++model[root].version;

	for (unsigned c = 0; c < CPUS; c++)
		if (inside[c].root == (int)root)
			model[root].fact[c][inside[c].tag][v] = true;
}

static void model_done(unsigned root, unsigned k)
{
	for (unsigned c = 0; c < CPUS; c++)
		expected[GHOST_IN_GUEST] += inside[c].root == (int)root &&
					    oldest(root, c, inside[c].tag) < k;
	model[root].done = MAX(model[root].done, k);
}

static void model_enter(unsigned cpu, unsigned root, u32 tag, enum ghost_drop drop)
{
	bool mixed = false;
	unsigned was;

	for (unsigned r = 0; r < ROOTS; r++)
		for (u32 i = 0; i < TAGS; i++)
			if (drop == GHOST_DROP_ALL ||
			    (drop == GHOST_DROP_TAG && i == tag))
				forget(r, cpu, i);
	for (unsigned r = 0; r < ROOTS; r++)
		if (r != root && oldest(r, cpu, tag) < VERSIONS) {
			mixed = true;
			forget(r, cpu, tag);
		}
	expected[GHOST_MIXED] += mixed;
	inside[cpu].root = (int)root;
	inside[cpu].tag = tag;
	model[root].fact[cpu][tag][model[root].version] = true;
	was = oldest(root, cpu, tag);
	if (was >= model[root].done)
		return;
	expected[was < model[root].born ? GHOST_REUSED : GHOST_STALE]++;
	for (unsigned v = 0; v < model[root].done; v++)
		model[root].fact[cpu][tag][v] = false;
	model[root].fact[cpu][tag][model[root].done] = true;
}

static void random_entry(struct rng *r, unsigned cpu, unsigned root)
{
	static const enum ghost_drop drops[] = { GHOST_DROP_NONE, GHOST_DROP_NONE,
						 GHOST_DROP_TAG, GHOST_DROP_TAG,
						 GHOST_DROP_ALL };
	enum ghost_drop drop = drops[rng_below(r, ARRAY_LEN(drops))];
	/* Mostly a tag of this root's own. */
	u32 tag = rng_below(r, 8) ? 1 + root : 1 + (u32)rng_below(r, TAGS - 1);

	if (inside[cpu].root >= 0) {
		ghost_exit(ghost[inside[cpu].root], cpu);
		inside[cpu].root = -1;
		return;
	}
	model_enter(cpu, root, tag, drop);
	enter(cpu, root, tag, drop);
}

static void random_edit(struct rng *r, unsigned root)
{
	if (!rng_below(r, 12)) {
		model_move(root);
		model[root].born = model[root].version;
		model_done(root, model[root].version);
		EXPECT(ghost_watch(n_cr3[root], CPUS, "p") == ghost[root]);
	} else if (!model[root].open) {
		model_move(root);
		model[root].open = model[root].version;
		edit(root);
	} else {
		model_done(root, model[root].open);
		model[root].open = 0;
		done(root);
	}
}

static void model_set_up(void)
{
	set_up();
	memset(model, 0, sizeof(model));
	memset(expected, 0, sizeof(expected));
	for (unsigned i = 0; i < ROOTS; i++)
		model[i].version = model[i].born = model[i].done = 1;
	for (unsigned c = 0; c < CPUS; c++)
		inside[c].root = -1;
}

TEST(ghost_tag_random_logs_against_a_model_of_sets)
{
	struct rng r = test_rng();
	u64 seen[GHOST_KINDS] = { 0 }, clean = 0;

	for (unsigned run = 0; run < 10000; run++) {
		model_set_up();
		for (unsigned i = 0; i < STEPS; i++) {
			unsigned root = (unsigned)rng_below(&r, ROOTS);

			if (rng_below(&r, 3))
				random_entry(&r, (unsigned)rng_below(&r, CPUS), root);
			else
				random_edit(&r, root);
			for (unsigned k = 0; k < GHOST_KINDS; k++)
				if (!EXPECT_EQ(found(k), expected[k]))
					return;
		}
		for (unsigned k = 0; k < GHOST_KINDS; k++)
			seen[k] += expected[k];
		clean += !ghost_violations();
	}
	for (unsigned k = 0; k < GHOST_KINDS; k++)
		EXPECT(seen[k] > 1000);
	EXPECT(clean > 10);
}

/* What a VM that nobody watches leaves is somebody's; it is not judged itself. */
TEST(ghost_tag_of_a_vm_that_is_not_watched)
{
	struct ghost_told told = { 0x777000, 1, GHOST_DROP_NONE };

	set_up();
	enter(1, 0, 1, GHOST_DROP_NONE);
	ghost_exit(ghost[0], 1);
	ghost_enter_told(NULL, 1, told);
	EXPECT_EQ(ghost_violations(), 0);
	enter(1, 0, 1, GHOST_DROP_NONE);
	EXPECT_EQ(found(GHOST_MIXED), 1);
	ghost_exit(ghost[0], 1);
	told.drop = GHOST_DROP_TAG;
	ghost_enter_told(NULL, 1, told);
	enter(1, 0, 1, GHOST_DROP_TAG);
	EXPECT_EQ(ghost_violations(), 1);
}

/* The VM's loop says one root, its VMCB another. */
TEST(ghost_tag_with_the_wrong_root)
{
	struct ghost_tally t;
	char text[200];

	set_up();
	ghost_enter_told(ghost[0], 1,
			 (struct ghost_told){ n_cr3[1], 3, GHOST_DROP_ALL });
	EXPECT_EQ(found(GHOST_MIXED), 1);
	ghost_tell(&t);
	ghost_text(text, sizeof(text), &t.was);
	EXPECT_STR(text,
		   "ghost: CPU 1 enters by root 0x123000 under tag 3, which may have "
		   "translations of root 0x456000");
	EXPECT_PANIC(enter(0, 0, GHOST_TAGS, GHOST_DROP_NONE));
}

static void be_inside(struct ghost *g, u64 root, u32 tag)
{
	ghost_enter_told(g, 1, (struct ghost_told){ root, tag, GHOST_DROP_NONE });
	ghost_exit(g, 1);
}

/*
 * A VM with two roots dies, and another begins at the second one, whose versions were
 * counted at the first.  What a tag holds from late is from before it all the same,
 * though the CPU was there again under a tag from early.
 */
TEST(ghost_tag_of_a_root_that_was_joined)
{
	const u64 joined = 0x888000;
	struct ghost *second;

	set_up();
	ghost_join(ghost[0], joined);
	second = ghost_at(ghost[0], joined);
	be_inside(second, joined, 1);
	for (unsigned i = 0; i < 8; i++)
		edit(0); /* none is complete */
	be_inside(second, joined, 2);
	be_inside(second, joined, 1);
	EXPECT_EQ(ghost_violations(), 0);
	second = ghost_watch(joined, CPUS, "p");
	be_inside(second, joined, 2);
	EXPECT_EQ(found(GHOST_REUSED), 1);
}
