/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inval - the states of a gather around a protocol, and the steps of each protocol
 *
 * The machine is a log: kicks and flushes are written down with what everybody could
 * see at that moment.  One thread plays all CPUs.
 */
#include "inval/inval.h"
#include "inval/ghost.h"
#include "lib/str.h"
#include "mm/ept.h"
#include "tests/host/cpu.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"
#include "tests/unit/kicks.h"

#define ROOT 0x123000ull

/* A kick, and what its receiver would find if it looked at once. */
struct kick {
	unsigned cpu;
	u64 gen, mark, mask;
	smr_seq_t wr;
};

static struct inval iv;
static struct pool pool;
static struct kick kicks[CPU_MAX];
static unsigned flush_count;
static u64 taken[CPU_MAX];                 /* kicks that each CPU has taken */
static const struct inval_reader *flusher; /* whose flush is under way */
static u64 flusher_had;
static u64 flusher_mark; /* its mark at that moment */

unsigned kick_count;

/* Whoever begins waits for the kicked, so they leave at once. */
void hw_kick(unsigned cpu)
{
	kicks[kick_count++ % CPU_MAX] =
		(struct kick){ .cpu = cpu,
			       .gen = load_relaxed(&iv.gen),
			       .mark = load_relaxed(&iv.reader[cpu].mark.word),
			       .mask = load_relaxed(&iv.mask[cpu / 64]),
			       .wr = load_relaxed(&iv.smr.wr) };
	if (iv.proto->begin)
		iv.proto->exit(&iv.reader[cpu]);
}

u64 hw_kicks(unsigned cpu)
{
	return taken[cpu];
}

void hw_flush(u64 root)
{
	EXPECT_EQ(root, ROOT);
	if (!flusher)
		return; /* an initiator's own */
	flush_count++;
	flusher_had = flusher->flushed;
	flusher_mark = load_relaxed(&flusher->mark.word);
	ghost_flush(hw_self(), root);
}

static void set_up(const struct inval_proto *proto, unsigned cpus)
{
	ram_pool(&pool, 512);
	inval_init(&iv, proto, &pool, ROOT, cpus);
	cpu_become(0);
	kick_count = flush_count = 0;
	memset(taken, 0, sizeof(taken));
}

static struct inval_reader *enter(unsigned cpu)
{
	struct inval_reader *r = &iv.reader[cpu];

	flusher = r;
	iv.proto->enter(r);
	flusher = NULL;
	return r;
}

static void leave(unsigned cpu)
{
	iv.proto->exit(&iv.reader[cpu]);
}

/* The kick's interrupt on a CPU that is out of the guest. */
static void take_kick(unsigned cpu)
{
	flusher = &iv.reader[cpu];
	taken[cpu]++;
	inval_kicked(&iv.reader[cpu]);
}

/* A gather that holds one range and one block. */
static struct gather duty(void)
{
	struct gather g = gather_init();
	hpa_t pa;

	EXPECT_EQ(pool_alloc(&pool, 0, &pa), E_OK);
	gather_range(&g, GPA(0), PAGE_SIZE, WHY_UNMAP);
	gather_block(&g, &pool, pa);
	return g;
}

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

/* The protocols that stop the world, and those that wait for each CPU after the edit.
 */
static const struct inval_proto *const stopping[] = { &rendezvous, &stop_world };
static const struct inval_proto *const waiting[] = { &dirty_mask, &counter_wait,
						     &handler_flush };

TEST(inval_begin_stops_all_and_publish_is_done)
{
	for (unsigned i = 0; i < ARRAY_LEN(stopping); i++) {
		static struct gather g;
		ticket_t t;

		set_up(stopping[i], 100);
		g = duty();
		enter(3);
		enter(70);
		inval_begin(&iv);
		EXPECT_EQ(kick_count, 2);
		EXPECT(!inval_active(&iv, 3) && !inval_active(&iv, 70));
		EXPECT(load_relaxed(&iv.shared[0].word));
		EXPECT_PANIC(inval_begin(&iv));
		t = inval_publish(&iv, &g);
		EXPECT_EQ(kick_count,
			  2); /* it was announced: nobody is stopped again */
		EXPECT_EQ(load_relaxed(&iv.shared[0].word), 0);
		EXPECT(inval_done(&iv, t));
		EXPECT_EQ(iv.proto->laggard(&iv, t), -1);
		flush_count = 0;
		enter(3);
		EXPECT_EQ(flush_count, 1);
		enter(5); /* for the first time */
		EXPECT_EQ(flush_count, 2);
		inval_retire(&iv, t, &g);
	}
}

TEST(inval_waits_for_each_reader_that_was_inside)
{
	for (unsigned i = 0; i < ARRAY_LEN(waiting); i++) {
		static struct gather g;
		static ticket_t t;

		set_up(waiting[i], 100);
		g = duty();
		enter(3);
		enter(70);
		t = inval_publish(&iv, &g);
		EXPECT_EQ(kick_count, 2);
		EXPECT_EQ(iv.proto->laggard(&iv, t), 3);
		leave(3);
		EXPECT_EQ(iv.proto->laggard(&iv, t), 70);
		EXPECT(!inval_done(&iv, t));
		EXPECT_PANIC(inval_retire(&iv, t, &g));
		leave(70);
		EXPECT(inval_done(&iv, t));
		enter(70); /* before it has taken its kick: done is done */
		EXPECT(inval_done(&iv, t));
		EXPECT_EQ(iv.proto->laggard(&iv, t), -1);
		inval_retire(&iv, t, &g);
	}
}

/* Who comes back unseen, before anybody asks, has acknowledged by its kick. */
TEST(inval_kick_acknowledges)
{
	for (unsigned i = 0; i < ARRAY_LEN(waiting); i++) {
		struct gather g;
		ticket_t t;

		set_up(waiting[i], 4);
		g = duty();
		enter(3);
		t = inval_publish(&iv, &g);
		leave(3);
		take_kick(3);
		enter(3);
		EXPECT_EQ(flush_count, 2);
		EXPECT(inval_done(&iv, t));
		inval_retire(&iv, t, &g);
	}
}

/* A later call of another initiator is a wait of its own. */
TEST(inval_calls_overlap)
{
	for (unsigned i = 0; i < ARRAY_LEN(waiting); i++) {
		struct gather g, h;
		ticket_t t, u;

		set_up(waiting[i], 4);
		g = duty();
		h = duty();
		enter(3);
		t = inval_publish(&iv, &g);
		cpu_become(1);
		u = inval_publish(&iv, &h);
		EXPECT(!inval_done(&iv, t) && !inval_done(&iv, u));
		leave(3);
		take_kick(3); /* one interrupt for both kicks */
		enter(3);
		EXPECT(inval_done(&iv, t) && inval_done(&iv, u));
		inval_retire(&iv, t, &g);
		inval_retire(&iv, u, &h);
		h = duty();
		u = inval_publish(&iv, &h);
		EXPECT(!inval_done(&iv, u));
		EXPECT(inval_done(&iv, t));
		leave(3);
		EXPECT(inval_done(&iv, u));
		inval_retire(&iv, u, &h);
	}
}

/* A call that is numbered first and marked last must not pass for acknowledged. */
TEST(dirty_mask_keeps_the_oldest_call)
{
	atomic64_t *mark = &iv.reader[3].mark.word;
	struct gather g, h;
	ticket_t t, u;

	set_up(&dirty_mask, 4);
	g = duty();
	h = duty();
	enter(3);
	t = inval_publish(&iv, &g);
	EXPECT_EQ(load_relaxed(mark), t);
	u = inval_publish(&iv, &h);
	EXPECT_EQ(u, t + 1);
	EXPECT_EQ(load_relaxed(mark), t);
	store_relaxed(mark, u); /* as if u had been first to mark it ... */
	store_relaxed(&iv.gen, t);
	EXPECT_EQ(inval_publish(&iv, &(struct gather){ 0 }), t);
	EXPECT_EQ(load_relaxed(mark), t); /* ... and t second */
	leave(3);
	take_kick(3);
	EXPECT_EQ(load_relaxed(mark), 0);
}

/* A mark whose kick was taken where no hook runs must not be waited for again. */
TEST(dirty_mask_entry_acknowledges)
{
	struct gather g;
	ticket_t t;

	set_up(&dirty_mask, 4);
	g = duty();
	enter(3);
	t = inval_publish(&iv, &g);
	leave(3);
	enter(3);
	EXPECT_EQ(flush_count, 2);
	EXPECT(inval_done(&iv, t));
}

/* At the kick the bits are set, and the call is on the mark. */
TEST(dirty_mask_kicks_last)
{
	struct gather g;
	ticket_t t;

	set_up(&dirty_mask, 4);
	g = duty();
	enter(1);
	enter(3);
	EXPECT_EQ(load_relaxed(&iv.mask[0]), 0);
	t = inval_publish(&iv, &g);
	EXPECT_EQ(kicks[0].mask, ~0ull);
	EXPECT_EQ(kicks[0].mark, t);
	EXPECT_EQ(kicks[1].mask, ~0ull);
	EXPECT_EQ(kicks[1].mark, t);
	leave(3);
	enter(3);
	EXPECT_EQ(load_relaxed(&iv.mask[0]), ~BIT(3));
}

TEST(counter_wait_kicks_after_the_snapshot)
{
	struct gather g;
	ticket_t t;

	set_up(&counter_wait, 4);
	g = duty();
	taken[1] = 7;
	enter(1);
	t = inval_publish(&iv, &g);
	EXPECT_EQ(kicks[0].mask, ~0ull);
	EXPECT_EQ(kicks[0].mark, 8);
	EXPECT(!inval_done(&iv, t));
	taken[1] = 8;
	EXPECT(inval_done(&iv, t));
}

/* What a CPU must reach never becomes less. */
TEST(counter_wait_marks_only_grow)
{
	struct gather g, h;
	ticket_t t;

	set_up(&counter_wait, 4);
	g = duty();
	h = duty();
	taken[1] = 7;
	enter(1);
	t = inval_publish(&iv, &g);
	taken[1] = 3; /* as a slow initiator has seen it */
	inval_publish(&iv, &h);
	EXPECT_EQ(kicks[1].mark, 8);
	taken[1] = 7;
	EXPECT(!inval_done(&iv, t));
}

/* G2: the mark says what has been done. */
TEST(handler_flush_marks_after_the_flush)
{
	struct gather g;
	ticket_t t;

	set_up(&handler_flush, 4);
	g = duty();
	enter(3);
	t = inval_publish(&iv, &g);
	EXPECT_EQ(kicks[0].gen, t);
	leave(3);
	take_kick(3);
	EXPECT_EQ(flush_count, 2);
	EXPECT_EQ(flusher_mark, t - 1);
	EXPECT_EQ(load_relaxed(&iv.reader[3].mark.word), t);
	take_kick(3);
	enter(3);
	EXPECT_EQ(flush_count, 2);
	EXPECT(inval_done(&iv, t));
}

/* From here on the ghost TLB looks. */

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
