/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inval - the states of a gather around a protocol, and the steps of those that wait
 * for a generation.
 */
#include "tests/unit/cpus.h"
#include "lib/str.h"
#include "mm/ept.h"
#include "tests/host/cpu.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"

static const struct inval_proto *proto(const char *name)
{
	for (unsigned i = 0; i < inval_proto_count; i++)
		if (!strcmp(inval_protos[i]->name, name))
			return inval_protos[i];
	panic("no protocol %s", name);
}

TEST(inval_protocols_are_complete)
{
	unsigned basic = 0, unsound = 0;

	EXPECT(inval_proto_count >= 7);
	for (unsigned i = 0; i < inval_proto_count; i++) {
		const struct inval_proto *p = inval_protos[i];

		EXPECT(p->name && p->what && p->enter && p->exit);
		EXPECT(p->publish && p->done && p->laggard);
		for (unsigned j = 0; j < i; j++)
			EXPECT(strcmp(p->name, inval_protos[j]->name));
		EXPECT_EQ(p->guarantee != G0, p->sound);
		basic += p->basic;
		unsound += p->basic && !p->sound;
	}
	EXPECT(gen_smr.sound);
	EXPECT(!gen_ipi.sound);
	EXPECT_EQ(gen_ipi.guarantee, G0);
	EXPECT(basic >= 2); /* of both kinds */
	EXPECT(unsound >= 1);
}

TEST(inval_gather_goes_open_published_open)
{
	struct gather g;
	ticket_t t;
	u32 left;

	set_up(&gen_smr, 2);
	g = duty();
	left = pool_available(&pool);
	t = inval_publish(&iv, &g);
	EXPECT_EQ(g.state, GATHER_PUBLISHED);
	EXPECT(inval_done(&iv, t));
	EXPECT_EQ(pool_available(&pool), left);
	inval_retire(&iv, t, &g);
	EXPECT_EQ(pool_available(&pool), left + 1);
	EXPECT_EQ(g.state, GATHER_OPEN);
	EXPECT(!gather_needs_flush(&g));
}

TEST(inval_misuse_panics)
{
	static struct gather g;
	static ticket_t t;

	for (unsigned i = 0; i < inval_proto_count; i++) {
		set_up(inval_protos[i], 2);
		g = duty();
		EXPECT_PANIC(inval_retire(&iv, 0, &g));
		t = inval_publish(&iv, &g);
		EXPECT_PANIC(inval_publish(&iv, &g));
		EXPECT_PANIC(gather_range(&g, GPA(0), PAGE_SIZE, WHY_UNMAP));
		inval_retire(&iv, t, &g);
		EXPECT_PANIC(inval_retire(&iv, t, &g));
	}
}

/* A gather's parked entries must be settled first: its tag would get lost. */
TEST(inval_retire_before_settling_panics)
{
	static struct gather g;
	static struct ept ept;
	static ticket_t t;

	for (unsigned i = 0; i < inval_proto_count; i++) {
		set_up(inval_protos[i], 2);
		g = gather_init();
		EXPECT_EQ(ept_init(&ept, &pool, (struct ept_features){ 0 }), E_OK);
		EXPECT_EQ(ept_map(&ept, GPA(0), HPA(0), PAGE_SIZE, EPT_RWX, &g), E_OK);
		EXPECT_EQ(ept_remap(&ept, GPA(0), HPA(SIZE_2M), PAGE_SIZE, &g), E_OK);
		EXPECT_PANIC(ept_settle(&ept, &g));
		t = inval_publish(&iv, &g);
		EXPECT_PANIC(inval_retire(&iv, t, &g));
		EXPECT_STR(test_panic_text(),
			   "inval: a gather is retired before its entries are settled");
		ept_settle(&ept, &g);
		inval_retire(&iv, t, &g);
		EXPECT_EQ(g.state, GATHER_OPEN);
	}
}

TEST(inval_too_many_cpus_panics)
{
	EXPECT_PANIC(inval_init(&iv, &gen_smr, &pool, ROOT, CPU_MAX + 1));
}

TEST(inval_initiator_in_the_guest_panics)
{
	static struct gather g;

	for (unsigned i = 0; i < inval_proto_count; i++) {
		set_up(inval_protos[i], 100);
		g = duty();
		cpu_become(70);
		enter(70);
		EXPECT_PANIC(inval_publish(&iv, &g));
		iv.proto->exit(&iv.reader[70]);
		inval_publish(&iv, &g);
	}
}

TEST(gen_smr_is_done_when_the_reader_has_left)
{
	static struct gather g;
	static ticket_t t;
	u32 left;

	set_up(&gen_smr, 4);
	g = duty();
	left = pool_available(&pool);
	enter(3);
	t = inval_publish(&iv, &g);
	EXPECT(!inval_done(&iv, t));
	EXPECT_EQ(iv.proto->laggard(&iv, t), 3);
	EXPECT_PANIC(inval_retire(&iv, t, &g));
	EXPECT_EQ(pool_available(&pool), left);
	iv.proto->exit(&iv.reader[3]);
	EXPECT(inval_done(&iv, t));
	EXPECT_EQ(iv.proto->laggard(&iv, t), -1);
	inval_retire(&iv, t, &g);
	EXPECT_EQ(pool_available(&pool), left + 1);
}

/* The kicked must find the new generation, and the sequence that is waited for. */
TEST(gen_smr_kicks_after_the_bump_and_the_advance)
{
	struct gather g;
	u64 gen;
	smr_seq_t wr;

	set_up(&gen_smr, 4);
	g = duty();
	enter(1);
	enter(3);
	gen = load_relaxed(&iv.gen);
	wr = load_relaxed(&iv.smr.wr);
	inval_publish(&iv, &g);
	EXPECT_EQ(kick_count, 2);
	EXPECT_EQ(kicks[0].cpu, 1);
	EXPECT_EQ(kicks[1].cpu, 3);
	for (unsigned i = 0; i < 2; i++) {
		EXPECT_EQ(kicks[i].gen, gen + 1);
		EXPECT_EQ(kicks[i].wr, wr + iv.smr.step.incr);
	}
}

TEST(gen_ipi_kicks_after_the_bump_and_waits_for_nobody)
{
	struct gather g;
	ticket_t t;
	u64 gen;

	set_up(&gen_ipi, 4);
	g = duty();
	enter(2);
	gen = load_relaxed(&iv.gen);
	t = inval_publish(&iv, &g);
	EXPECT_EQ(kick_count, 1);
	EXPECT_EQ(kicks[0].cpu, 2);
	EXPECT_EQ(kicks[0].gen, gen + 1);
	EXPECT(inval_done(&iv, t));
	EXPECT_EQ(iv.proto->laggard(&iv, t), -1);
	inval_retire(&iv, t, &g);
}

static bool is(const struct inval_proto *p, const char *name)
{
	return !strcmp(p->name, name);
}

/* A flush on the first entry, one for each change of generation, and no other. */
TEST(inval_flushes_once_for_each_generation)
{
	for (unsigned i = 0; i < inval_proto_count; i++) {
		struct inval_reader *r = &iv.reader[1];
		u64 had = 0;

		if (is(inval_protos[i], "always") || is(inval_protos[i], "local-only"))
			continue;
		set_up(inval_protos[i], 2);
		for (unsigned round = 1; round < 100; round++) {
			for (unsigned n = 0; n < 3; n++) {
				enter(1);
				EXPECT_EQ(flush_count, round);
				EXPECT_EQ(load_relaxed(&r->flushes), round);
				EXPECT_EQ(flusher_had, had);
				iv.proto->exit(r);
				EXPECT(!inval_active(&iv, 1));
				EXPECT(!smr_active(r->slot));
			}
			had = r->flushed;
			for (unsigned n = 0; n < round % 3 + 1; n++) {
				struct gather g = duty();

				inval_retire(&iv, inval_publish(&iv, &g), &g);
			}
		}
	}
}

TEST(always_flushes_at_each_entry)
{
	set_up(proto("always"), 2);
	for (unsigned n = 1; n < 10; n++) {
		enter(1);
		EXPECT_EQ(flush_count, n);
		iv.proto->exit(&iv.reader[1]);
	}
}

TEST(local_only_flushes_once_and_kicks_nobody)
{
	set_up(proto("local-only"), 2);
	for (unsigned n = 1; n < 10; n++) {
		struct gather g = duty();
		ticket_t t;

		enter(1);
		EXPECT_EQ(flush_count, 1);
		t = inval_publish(&iv, &g);
		EXPECT(inval_done(&iv, t));
		inval_retire(&iv, t, &g);
		EXPECT_EQ(kick_count, 0);
		iv.proto->exit(&iv.reader[1]);
	}
}

/* Who enters after publish() flushes, and is waited for by later tickets only. */
TEST(gen_smr_late_reader_flushes_and_delays_nobody)
{
	struct gather g, h;
	ticket_t t, u;

	set_up(&gen_smr, 4);
	g = duty();
	enter(1);
	t = inval_publish(&iv, &g);
	enter(2);
	EXPECT_EQ(iv.reader[2].flushed, load_relaxed(&iv.gen));
	EXPECT(!inval_done(&iv, t));
	h = duty();
	u = inval_publish(&iv, &h);
	iv.proto->exit(&iv.reader[1]);
	EXPECT(inval_done(&iv, t));
	EXPECT(!inval_done(&iv, u));
	EXPECT_EQ(iv.proto->laggard(&iv, u), 2);
	EXPECT_EQ(iv.proto->laggard(&iv, t), -1);
	iv.proto->exit(&iv.reader[2]);
	EXPECT(inval_done(&iv, u));
}

/* Who is in the guest is known of each CPU, past the first word of a set. */
TEST(inval_active_set_reaches_past_64_cpus)
{
	static const unsigned cpus[] = { 0, 1, 63, 64, 127, 128, 200, 447, 511 };

	for (unsigned i = 0; i < inval_proto_count; i++) {
		bool kicks_all = !is(inval_protos[i], "local-only");
		struct gather g;

		set_up(inval_protos[i], CPU_MAX);
		g = duty();
		cpu_become(300);
		for (unsigned n = 0; n < ARRAY_LEN(cpus); n++)
			enter(cpus[n]);
		inval_publish(&iv, &g);
		if (!EXPECT_EQ(kick_count, kicks_all ? ARRAY_LEN(cpus) : 0))
			continue;
		for (unsigned n = 0; n < ARRAY_LEN(cpus); n++) {
			if (kicks_all)
				EXPECT_EQ(kicks[n].cpu, cpus[n]);
			if (iv.proto->begin) { /* all have left */
				EXPECT(!inval_active(&iv, cpus[n]));
				continue;
			}
			leave(cpus[n]);
			for (unsigned k = 0; k < ARRAY_LEN(cpus); k++)
				EXPECT_EQ(inval_active(&iv, cpus[k]), k > n);
		}
	}
}
