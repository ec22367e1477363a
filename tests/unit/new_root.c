/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * new_root - when a reader changes its root, when it flushes, and what the ghost TLB
 * finds when it does not.
 */
#include "tests/unit/cpus.h"
#include "inval/ghost.h"
#include "tests/host/cpu.h"
#include "tests/host/test.h"

#define ROOTS 4

static void set_up_roots(const struct inval_proto *proto)
{
	ghost_forget();
	set_up(proto, 4);
	inval_roots(&iv, ROOTS);
	inval_watch(&iv);
}

static void go_in(unsigned cpu)
{
	cpu_become(cpu);
	enter(cpu);
	ghost_enter(iv.reader[cpu].ghost, cpu);
}

static void come_out(unsigned cpu)
{
	cpu_become(cpu);
	ghost_exit(iv.reader[cpu].ghost, cpu);
	leave(cpu);
}

static void stay(unsigned cpu)
{
	go_in(cpu);
	come_out(cpu);
}

static void edit(void)
{
	struct gather g = duty();
	ticket_t t;

	cpu_become(0);
	t = inval_publish(&iv, &g);
	inval_retire(&iv, t, &g);
}

static u64 root_of(unsigned cpu)
{
	return load_relaxed(&iv.reader[cpu].root);
}

static u64 found(enum ghost_kind kind)
{
	struct ghost_tally t;

	ghost_tell(&t);
	return t.of_kind[kind];
}

static u64 found_all(void)
{
	struct ghost_tally t;

	ghost_tell(&t);
	return t.violations;
}

TEST(new_root_flushes_when_a_root_comes_again)
{
	set_up_roots(&new_root);
	stay(1);
	EXPECT_EQ(flush_count, 1); /* H17: no root is clean */
	for (unsigned round = 1; round < 100; round++) {
		u64 was = root_of(1);

		stay(1);
		EXPECT_EQ(root_of(1), was);
		edit();
		stay(1);
		EXPECT(root_of(1) != was);
		EXPECT_EQ(used_root, root_of(1));
		EXPECT(root_of(1) >= ROOT && root_of(1) < ROOT + ROOTS * PAGE_SIZE);
		EXPECT_EQ(flush_count, 1 + round / ROOTS);
	}
	EXPECT_EQ(found_all(), 0);
}

/* Whole turns that a reader was away for: the root is the one that it knows. */
TEST(new_root_flushes_after_a_turn_elsewhere)
{
	set_up_roots(&new_root);
	for (unsigned away = 1; away < 3 * ROOTS; away++) {
		unsigned had;
		u64 was;

		stay(1);
		had = flush_count;
		was = root_of(1);
		for (unsigned i = 0; i < away; i++)
			edit();
		stay(1);
		EXPECT_EQ(root_of(1) == was, away % ROOTS == 0);
		EXPECT(away % ROOTS || flush_count == had + 1);
	}
	EXPECT_EQ(found_all(), 0);
}

TEST(new_root_with_one_root_flushes_each_time)
{
	ghost_forget();
	set_up(&new_root, 4);
	for (unsigned i = 1; i < 10; i++) {
		stay(1);
		EXPECT_EQ(flush_count, i);
		EXPECT_EQ(root_of(1), ROOT);
		edit();
	}
}

/* M16: a root that comes again is taken as it is. */
static void enter_no_flush(struct inval_reader *r)
{
	u64 gen = load_acquire(&r->iv->gen);

	or_fence(r->active, r->bit);
	smr_enter(r->slot);
	inval_use_root(r, gen % ROOTS);
}

TEST(ghost_finds_a_root_that_comes_again_unflushed)
{
	struct inval_proto p = new_root;

	p.enter = enter_no_flush;
	set_up_roots(&p);
	for (unsigned i = 0; i < ROOTS; i++) {
		stay(1);
		edit();
		EXPECT_EQ(found_all(), 0);
	}
	stay(1);
	EXPECT_EQ(found(GHOST_STALE), 1);
	EXPECT_EQ(found_all(), 1);
}

/* The same root after an edit: which of its VM's roots it is does not matter. */
static void enter_no_switch(struct inval_reader *r)
{
	or_fence(r->active, r->bit);
	smr_enter(r->slot);
	inval_use_root(r, ROOTS - 1);
}

TEST(ghost_finds_a_root_that_is_kept)
{
	struct inval_proto p = new_root;

	p.enter = enter_no_switch;
	set_up_roots(&p);
	stay(1);
	edit();
	EXPECT_EQ(found_all(), 0);
	stay(1);
	EXPECT_EQ(found(GHOST_STALE), 1);
}

TEST(ghost_finds_that_nobody_waits_under_any_root)
{
	struct inval_proto p = new_root;

	p.done = inval_done_at_once;
	set_up_roots(&p);
	for (unsigned i = 1; i < 2 * ROOTS; i++) {
		go_in(1);
		edit();
		EXPECT_EQ(found(GHOST_IN_GUEST), i);
		come_out(1);
	}
	EXPECT_EQ(found_all(), 2 * ROOTS - 1);
}

/* H17, where the next VM has some of the dead one's roots, its counting one or not. */
TEST(ghost_remembers_all_roots_of_a_dead_vm)
{
	static const struct {
		unsigned dead, next;
		u64 at; /* the next VM's first root is the dead one's n-th */
		u64 found;
	} roots[] = { { ROOTS, 1, 0, 1 },
		      { 1, ROOTS, 0, 1 },
		      { ROOTS, ROOTS, 0, ROOTS },
		      { ROOTS, ROOTS, 1, ROOTS - 1 },
		      { ROOTS, 1, ROOTS - 1, 1 } };

	for (unsigned i = 0; i < ARRAY_LEN(roots); i++) {
		struct inval_proto p = new_root;

		ghost_forget();
		set_up(&p, 4);
		inval_roots(&iv, roots[i].dead);
		inval_watch(&iv);
		for (unsigned n = 0; n < 20; n++) {
			stay(1);
			stay(2);
			edit();
		}
		set_up(&p, 4);
		iv.root += roots[i].at * PAGE_SIZE;
		inval_roots(&iv, roots[i].next);
		inval_watch(&iv);
		stay(1);
		EXPECT_EQ(found_all(), 0);
		iv.reader[2].own = ~0ull; /* all clean, it thinks */
		for (unsigned n = 0; n < ROOTS; n++) {
			stay(2);
			edit();
		}
		EXPECT_EQ(found(GHOST_REUSED), roots[i].found);
	}
}
