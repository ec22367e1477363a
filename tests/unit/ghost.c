/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ghost - its words, its count of edits, its table of roots and its sentences
 *
 * ghost_logs.c holds what it finds against a model.
 */
#include "tests/unit/ghosts.h"

TEST(ghost_word_holds_both_and_versions_end_before_it_is_full)
{
	static struct gather g;
	static u64 top;

	set_up();
	top = GHOST_LO - 2;
	EXPECT_EQ(GHOST_LO + 1, GHOST_INSIDE);
	EXPECT(!ghost_may_hold(0, GHOST_LO));
	EXPECT(!ghost_may_hold(GHOST_INSIDE, GHOST_LO));
	EXPECT(ghost_may_hold(GHOST_INSIDE | (GHOST_LO - 1), GHOST_LO));
	EXPECT(!ghost_may_hold(GHOST_INSIDE | GHOST_LO, GHOST_LO));
	store_relaxed(&ghost[0]->version, top);
	store_relaxed(&ghost[0]->retired, top);
	ghost_enter(ghost[0], 1);
	EXPECT_EQ(ghost_word(ghost[0], 1), GHOST_INSIDE | top);
	g = duty(0, WHY_UNMAP);
	ghost_edit(ghost[0], &g);
	EXPECT_EQ(g.edit, top + 1);
	ghost_exit(ghost[0], 1);
	EXPECT_EQ(ghost_word(ghost[0], 1), top);
	ghost_complete(ghost[0], &g);
	EXPECT_EQ(found_all(), 0);
	ghost_enter(ghost[0], 1);
	EXPECT_EQ(found(GHOST_STALE), 1);
	EXPECT_EQ(ghost_word(ghost[0], 1), GHOST_INSIDE | (top + 1));
	g = duty(0, WHY_UNMAP);
	EXPECT_PANIC(ghost_edit(ghost[0], &g));
}

TEST(ghost_counts_what_it_judges_and_each_edit_once)
{
	struct gather g = duty(0x1000, WHY_REMAP), none = gather_init();
	struct ghost_tally t;

	set_up();
	ghost_edit(ghost[0], &none);
	EXPECT_EQ(none.edit, 0);
	ghost_complete(ghost[0], &none);
	EXPECT_EQ(tally().checked, 0);
	ghost_enter(ghost[0], 1);
	ghost_edit(ghost[0], &g);
	ghost_complete(ghost[0], &g);
	ghost_complete(ghost[0], &g);
	EXPECT_EQ(tally().checked, 1);
	EXPECT_EQ(tally().violations, 1);
	ghost_reset();
	t = tally();
	EXPECT_EQ(t.checked + t.violations + t.of_kind[GHOST_IN_GUEST], 0);
	EXPECT_EQ(ghost_word(ghost[0], 1), GHOST_INSIDE | 1);
}

/* A VM without a ghost costs nothing and is not judged. */
TEST(ghost_that_is_not_there)
{
	struct gather g = duty(0, WHY_UNMAP);

	ghost_forget();
	ghost_enter(NULL, 1);
	ghost_edit(NULL, &g);
	EXPECT_EQ(g.edit, 0);
	ghost_complete(NULL, &g);
	ghost_exit(NULL, 1);
	ghost_flush(1, 0x999000);
	EXPECT_EQ(found_all(), 0);
}

/* The flags of an EPTP are no part of the tag. */
TEST(ghost_roots_are_told_apart_by_their_address)
{
	set_up();
	EXPECT(ghost_watch(eptp[0] ^ BIT(6), CPUS, "p") == ghost[0]);
	EXPECT(ghost[0] != ghost[1] && ghost[1] != ghost[2] && ghost[0] != ghost[2]);
	ghost_enter(ghost[0], 1);
	ghost_exit(ghost[0], 1);
	ghost_flush(1, eptp[0] ^ BIT(6));
	EXPECT_EQ(ghost_word(ghost[0], 1), 0);
}

TEST(ghost_table_that_is_full_says_so)
{
	struct ghost *g[GHOST_ROOTS];

	ghost_forget();
	for (unsigned i = 0; i < GHOST_ROOTS; i++) {
		g[i] = ghost_watch(0x1000ull * (i * 64 + 7), CPUS, "p");
		if (!EXPECT(g[i] != NULL))
			return;
		ghost_enter(g[i], i % CPUS);
		ghost_exit(g[i], i % CPUS);
	}
	EXPECT(!ghost_watch(0x999999000, CPUS, "p"));
	ghost_flush(0, 0x999999000);
	EXPECT_EQ(tally().unwatched, 1);
	for (unsigned i = 0; i < GHOST_ROOTS; i++) {
		EXPECT(ghost_watch(0x1000ull * (i * 64 + 7), CPUS, "p") == g[i]);
		EXPECT_EQ(ghost_word(g[i], i % CPUS), 1);
		ghost_enter(g[i], i % CPUS);
		EXPECT_EQ(found(GHOST_REUSED), i + 1);
		ghost_exit(g[i], i % CPUS);
	}
	ghost_forget();
}

static unsigned hooked;

static void on_violation(const struct ghost_violation *v)
{
	hooked += v->cpu == 2;
}

static void expect_text(const char *want)
{
	struct ghost_tally t = tally();
	char text[200];

	ghost_text(text, sizeof(text), &t.was);
	EXPECT_STR(text, want);
}

TEST(ghost_names_cpu_edit_and_place)
{
	struct gather g = duty(0x40000000, WHY_UNMAP);

	set_up();
	hooked = 0;
	ghost_hook(on_violation);
	gather_range(&g, GPA(0), PAGE_SIZE, WHY_RIGHTS);
	ghost_enter(ghost[0], 2);
	ghost_edit(ghost[0], &g);
	ghost_complete(ghost[0], &g);
	expect_text("ghost: CPU 2 is in the guest with a translation that edit 1 "
		    "(unmap+rights 0x40000000) killed and that is said to be done");
	ghost_exit(ghost[0], 2);
	ghost_reset();
	ghost_enter(ghost[0], 2);
	expect_text("ghost: CPU 2 enters with a translation that edit 1 (unmap+rights "
		    "0x40000000) killed");
	ghost_exit(ghost[0], 2);
	EXPECT_EQ(hooked, 2);
	ghost_watch(eptp[0], CPUS, "p");
	ghost_reset();
	ghost_enter(ghost[0], 2);
	expect_text(
		"ghost: CPU 2 enters with a translation of the dead VM that had root "
		"0x123000 before");
	ghost_exit(ghost[0], 2);
	ghost_hook(NULL);
}

/* Of an edit that many later ones have followed only the number is left. */
TEST(ghost_remembers_the_last_edits)
{
	struct gather g = duty(0x5000, WHY_DIRTY), later;

	set_up();
	ghost_enter(ghost[0], 1);
	ghost_edit(ghost[0], &g);
	for (unsigned i = 0; i < GHOST_EDITS; i++) {
		later = duty(0x6000, WHY_TYPE);
		ghost_edit(ghost[0], &later);
	}
	ghost_complete(ghost[0], &g);
	expect_text("ghost: CPU 1 is in the guest with a translation that edit 1 (?) "
		    "killed and that is said to be done");
}
