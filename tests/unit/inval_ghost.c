/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inval_ghost - what the ghost TLB finds of protocols, fed as the machine feeds it.
 */
#include "tests/unit/cpus.h"
#include "inval/ghost.h"
#include "lib/str.h"
#include "tests/host/cpu.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"

static void set_up_watched(const struct inval_proto *proto, unsigned cpus)
{
	ghost_forget();
	set_up(proto, cpus);
	inval_watch(&iv);
}

/* CPU `cpu` goes into the guest and comes back, as vm/run.c does it. */
static void go_in(unsigned cpu)
{
	cpu_become(cpu);
	enter(cpu);
	ghost_enter(iv.ghost, cpu);
}

static void come_out(unsigned cpu)
{
	cpu_become(cpu);
	ghost_exit(iv.ghost, cpu);
	iv.proto->exit(&iv.reader[cpu]);
}

static ticket_t publish(struct gather *g)
{
	cpu_become(0);
	*g = duty();
	return inval_publish(&iv, g);
}

static struct ghost_tally tally(void)
{
	struct ghost_tally t;

	ghost_tell(&t);
	return t;
}

TEST(ghost_finds_nothing_under_sound_protocols)
{
	struct gather g;

	for (unsigned i = 0; i < inval_proto_count; i++) {
		/* Here nobody can be stopped by a kick and come out as well. */
		if (!inval_protos[i]->sound || inval_protos[i]->begin)
			continue;
		set_up_watched(inval_protos[i], 4);
		for (unsigned round = 0; round < 20; round++) {
			ticket_t t;

			go_in(1);
			if (round % 3)
				go_in(2);
			t = publish(&g);
			come_out(1);
			if (round % 3)
				come_out(2);
			EXPECT(inval_done(&iv, t));
			if (round % 2)
				inval_complete(&iv, &g);
			inval_retire(&iv, t, &g);
			go_in(3);
			come_out(3);
		}
		EXPECT_EQ(tally().checked, 20);
		EXPECT_EQ(tally().violations, 0);
	}
}

TEST(ghost_finds_that_gen_ipi_does_not_wait)
{
	struct gather g;
	ticket_t t;

	set_up_watched(&gen_ipi, 4);
	go_in(2);
	t = publish(&g);
	EXPECT(inval_done(&iv, t));
	EXPECT_EQ(tally().violations, 0);
	inval_retire(&iv, t, &g);
	EXPECT_EQ(tally().of_kind[GHOST_IN_GUEST], 1);
	EXPECT_EQ(tally().was.cpu, 2);
	EXPECT_EQ(tally().was.by, 0);
	EXPECT_EQ(tally().was.why, WHY_UNMAP);
	EXPECT_STR(tally().was.proto, "gen-ipi");
	come_out(2);
	go_in(2);
	EXPECT_EQ(tally().violations, 1);
	come_out(2);
}

/* Each is gen-smr with an enter hook that does not flush this root. */
static void enter_forgets(struct inval_reader *r)
{
	or_fence(r->active, r->bit);
	smr_enter(r->slot);
	r->flushed = load_acquire(&r->iv->gen);
}

static void enter_flushes_another(struct inval_reader *r)
{
	enter_forgets(r);
	ghost_flush(hw_self(), ROOT + PAGE_SIZE); /* what its hw_flush() would say */
}

TEST(ghost_finds_a_flush_that_is_missing)
{
	static void (*const enters[])(
		struct inval_reader *) = { enter_forgets, enter_flushes_another };
	struct gather g;
	ticket_t t;

	for (unsigned i = 0; i < ARRAY_LEN(enters); i++) {
		struct inval_proto p = gen_smr;

		p.enter = enters[i];
		set_up_watched(&p, 4);
		go_in(2);
		t = publish(&g);
		come_out(2);
		inval_retire(&iv, t, &g);
		EXPECT_EQ(tally().violations, 0);
		go_in(2);
		EXPECT_EQ(tally().of_kind[GHOST_STALE], 1);
		come_out(2);
		go_in(2);
		EXPECT_EQ(tally().violations, 1);
		come_out(2);
	}
}

/* H17: the next VM has the same root, and its first entry does not flush. */
TEST(ghost_remembers_a_dead_vm)
{
	for (unsigned forget = 0; forget < 2; forget++) {
		set_up_watched(&gen_smr, 4);
		go_in(1);
		come_out(1);
		set_up(&gen_smr, 4);
		inval_watch(&iv);
		if (forget)
			iv.reader[1].flushed = load_relaxed(&iv.gen);
		go_in(1);
		EXPECT_EQ(tally().of_kind[GHOST_REUSED], forget);
		EXPECT_EQ(tally().violations, forget);
		come_out(1);
	}
}

TEST(ghost_is_not_there_unless_it_is_asked_for)
{
	struct gather g;
	ticket_t t;

	ghost_forget();
	set_up(&gen_ipi, 4);
	EXPECT(!iv.ghost);
	go_in(2);
	t = publish(&g);
	EXPECT_EQ(g.edit, 0);
	inval_retire(&iv, t, &g);
	EXPECT_EQ(tally().checked + tally().violations, 0);
	come_out(2);
}
