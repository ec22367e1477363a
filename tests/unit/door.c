/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * door - who is kicked, who waits, and what an edit behind the door leaves behind.
 */
#include "inval/door.h"
#include "mm/ept.h"
#include "mm/mem.h"
#include "tests/host/cpu.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"
#include "tests/unit/cpus.h"

static struct ept ept;

static void set_up_door(const struct inval_proto *proto, unsigned cpus)
{
	set_up(proto, cpus);
	door_fit(&iv);
}

/* Each CPU that is inside is kicked once, past the first word of a set, before B4. */
TEST(door_kicks_who_is_inside)
{
	static const unsigned cpus[] = { 0, 1, 63, 64, 127, 200, 511 };

	for (unsigned i = 0; i < inval_proto_count; i++) {
		struct gather g = gather_init();
		u64 gen;

		set_up_door(inval_protos[i], CPU_MAX);
		cpu_become(300);
		for (unsigned n = 0; n < ARRAY_LEN(cpus); n++)
			enter(cpus[n]);
		gen = load_relaxed(&iv.gen);
		door_shut(&iv, &g);
		EXPECT(g.stopped);
		EXPECT_EQ(load_relaxed(&iv.door), 301);
		if (!EXPECT_EQ(kick_count, ARRAY_LEN(cpus)))
			continue;
		for (unsigned n = 0; n < ARRAY_LEN(cpus); n++) {
			EXPECT_EQ(kicks[n].cpu, cpus[n]);
			EXPECT_EQ(kicks[n].gen, gen);
			EXPECT(!inval_active(&iv, cpus[n]));
		}
		inval_retire(&iv, door_open(&iv, &g), &g);
		EXPECT_EQ(load_relaxed(&iv.door), 0);
		EXPECT_EQ(kick_count, ARRAY_LEN(cpus)); /* nobody is left to kick */
	}
}

/* Done, and judged, before anybody can enter; who enters then flushes, and once. */
TEST(door_is_done_when_it_opens)
{
	for (unsigned i = 0; i < inval_proto_count; i++) {
		struct gather g;
		ticket_t t;
		u64 before;

		if (!inval_protos[i]->sound || inval_protos[i]->root_order)
			continue;
		set_up_door(inval_protos[i], 4);
		enter(2);
		g = duty();
		before = flush_count;
		door_shut(&iv, &g);
		t = door_open(&iv, &g);
		EXPECT_EQ(g.state, GATHER_PUBLISHED);
		EXPECT(!g.stopped && inval_done(&iv, t));
		EXPECT_EQ(flush_count, before);
		enter(2);
		EXPECT_EQ(flush_count, before + 1);
		leave(2);
		inval_retire(&iv, t, &g);
	}
}

/* A CPU that comes to the door shows itself no more, and goes in when it is open. */
TEST(door_turns_back_who_comes)
{
	struct inval_reader *r;
	struct gather g;
	ticket_t t;

	set_up_door(&gen_smr, 4);
	g = duty();
	r = &iv.reader[1];
	door_enter(r);
	EXPECT(inval_active(&iv, 1));
	door_shut(&iv, &g);
	EXPECT(!inval_active(&iv, 1));
	t = door_open(&iv, &g);
	r = &iv.reader[1];
	door_enter(r);
	EXPECT(inval_active(&iv, 1));
	leave(1);
	inval_retire(&iv, t, &g);
}

/* What would wait for itself is a bug, and says so. */
TEST(door_is_not_for_those_inside)
{
	static struct gather g;

	for (unsigned i = 0; i < inval_proto_count; i++) {
		set_up(inval_protos[i], 100);
		g = gather_init();
		cpu_become(70);
		EXPECT_PANIC(door_shut(&iv, &g)); /* there is no door */
		door_fit(&iv);
		enter(70);
		EXPECT_PANIC(door_shut(&iv, &g));
		leave(70);
		door_shut(&iv, &g);
		EXPECT_PANIC(door_shut(&iv, &g));
		cpu_become(71);
		EXPECT_PANIC(door_open(&iv, &g));
		cpu_become(70);
		inval_retire(&iv, door_open(&iv, &g), &g);
		if (!inval_protos[i]->begin)
			continue;
		inval_begin(&iv);
		EXPECT_PANIC(door_shut(&iv, &g));
	}
}

static epte_t entry(gpa_t gpa)
{
	struct ept_leaf l = { 0 };

	EXPECT(ept_lookup(&ept, gpa, &l));
	return l.entry;
}

static unsigned level(gpa_t gpa)
{
	struct ept_leaf l = { .level = 9 };

	EXPECT(ept_lookup(&ept, gpa, &l));
	return l.level;
}

static void finish(struct gather *g)
{
	EXPECT(!g->tag && gather_needs_flush(g));
	inval_retire(&iv, door_open(&iv, g), g);
}

/* Present before, in between and after, with what it said; every table comes back. */
TEST(door_lets_pages_change_their_size)
{
	const struct ept_features can = { .max_leaf = 1, .large_exec = true };
	gpa_t page = GPA(3 * SIZE_2M), part = GPA(page.v + 5 * PAGE_SIZE);
	struct gather g = gather_init();
	u32 left;

	set_up_door(&gen_smr, 4);
	EXPECT_EQ(ept_init(&ept, &pool, can), E_OK);
	EXPECT_EQ(ept_map(&ept, page, HPA(SIZE_2M), SIZE_2M, EPT_RW, &g), E_OK);
	left = pool_available(&pool);
	for (unsigned i = 0; i < 10; i++) {
		door_shut(&iv, &g);
		EXPECT_EQ(ept_split(&ept, page, SIZE_2M, 0, &g), E_OK);
		EXPECT_EQ(entry(part).raw, (SIZE_2M + 5 * PAGE_SIZE) | EPT_RW);
		EXPECT_EQ(level(part), 0);
		finish(&g);
		door_shut(&iv, &g);
		EXPECT_EQ(ept_remap(&ept, part, HPA(0), PAGE_SIZE, &g), E_OK);
		EXPECT_EQ(entry(part).raw, EPT_RW);
		finish(&g);
		door_shut(&iv, &g);
		EXPECT_EQ(ept_remap(&ept, page, HPA(SIZE_2M), SIZE_2M, &g), E_OK);
		EXPECT_EQ(ept_promote(&ept, page, SIZE_2M, &g), E_OK);
		EXPECT_EQ(entry(part).raw, SIZE_2M | EPT_RW | EPTE_LEAF);
		EXPECT_EQ(level(part), 1);
		EXPECT_EQ(g.dead.count, 1); /* the table: a walk may be in it */
		finish(&g);
		EXPECT_EQ(pool_available(&pool), left);
	}
}

/*
 * Every CPU flushes before it can see what is made behind the door: also what another
 * edit has parked, and still waits for, may become present there.
 */
TEST(door_settles_what_it_joins)
{
	struct gather g = gather_init(), h = gather_init();
	gpa_t page = GPA(SIZE_2M);
	ticket_t t;

	set_up_door(&gen_smr, 4);
	EXPECT_EQ(ept_init(&ept, &pool, (struct ept_features){ .max_leaf = 1 }), E_OK);
	EXPECT_EQ(ept_map(&ept, page, HPA(SIZE_2M), SIZE_2M, EPT_RW, &g), E_OK);
	EXPECT_EQ(ept_split(&ept, page, SIZE_2M, 0, &g), E_OK);
	EXPECT(!ept_lookup(&ept, page, &(struct ept_leaf){ 0 }));
	door_shut(&iv, &h);
	EXPECT_EQ(ept_promote(&ept, page, SIZE_2M, &h), E_OK);
	finish(&h);
	EXPECT_EQ(level(page), 1);
	t = inval_publish(&iv, &g);
	ept_settle(&ept, &g);
	inval_retire(&iv, t, &g);
	EXPECT_EQ(entry(page).raw, SIZE_2M | EPT_RW | EPTE_LEAF);
}
