/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * order - the steps of each protocol in the order that its opening gives, and a reader
 * of smr that sleeps between two of them.
 */
#include "inval/ghost.h"
#include "inval/inval.h"
#include "inval/hw.h"
#include "lib/str.h"
#include "tests/host/ram.h"
#include "tests/host/record/record.h"
#include "tests/host/test.h"

void (*record_hook)(const struct op *);
unsigned record_kicks, record_flushes;

static struct inval iv;
static struct pool pool;

/* One letter for each operation on a word that matters, in order. */
static char steps[64];
static unsigned step_count;

static void step(char c)
{
	if (step_count < sizeof(steps) - 1)
		steps[step_count++] = c;
}

static struct gather *judged;

/* The words of a CPU are the ghost's own; a change is seen once it has happened. */
static void on_ghost(const struct op *op)
{
	static u64 was;
	static bool rmw;
	u64 is = ghost_word(iv.ghost, 1);

	if (op->what == OP_DONE && is != was)
		step(is & GHOST_INSIDE ? (rmw ? 'I' : 'i') : is ? 'o' : 'f');
	was = is;
	rmw = op->what == OP_RMW;
	if (op->what == OP_RMW && op->at == &iv.ghost->version)
		step('V');
	else if (op->what == OP_LOAD && op->at == &iv.ghost->version)
		step('v');
	else if (op->what == OP_RMW && op->at == &iv.ghost->retired)
		step('R');
	else if (op->what == OP_LOAD && op->at == &iv.ghost->retired && !judged)
		step('r');
}

/* Capitals are RMWs, small letters loads; a store is a point and its letter. */
static void on_op(const struct op *op)
{
	const struct {
		const void *at;
		char letter;
	} words[] = {
		{ &iv.active[0], 'A' },
		{ &iv.gen, 'G' },
		{ &iv.smr.wr, 'W' },
		{ &iv.smr.slot[1].seen, 'S' },
		{ &iv.reader[1].mark.word, 'M' },
		{ &iv.reader[1].mark.asked, 'Q' },
		{ &iv.shared[0].word, 'P' },
	};

	for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
		bool smr = words[i].letter == 'S' || words[i].letter == 'W';

		if (op->at != words[i].at || op->what == OP_DONE ||
		    (smr && op->what == OP_LOAD))
			continue;
		if (op->what == OP_STORE)
			step('.');
		step(op->what == OP_RMW ? words[i].letter
					: (char)(words[i].letter - 'A' + 'a'));
	}
	if (iv.ghost)
		on_ghost(op);
}

void hw_kick(unsigned cpu)
{
	EXPECT_EQ(cpu, 1);
	record_kicks++;
	step('K');
}

u64 hw_kicks(unsigned cpu)
{
	(void)cpu;
	return 0;
}

void hw_flush(u64 root)
{
	(void)root;
	record_flushes++;
	step('F');
}

void hw_use_root(u64 root)
{
	(void)root;
}

/* What was recorded since the last call. */
static const char *recorded(void)
{
	static char was[sizeof(steps)];

	for (unsigned i = 0; i < sizeof(steps); i++)
		was[i] = i < step_count ? steps[i] : 0;
	step_count = 0;
	return was;
}

/*
 * A is the active set, G the generation or sequence, W SMR's, S the slot, M the mark, Q
 * the request, P what has passed, K a kick, F a flush.  The first look of publish() is
 * about the initiator itself, where it is the active set that tells.  What smr loads is
 * tests/unit/smr.c's.
 */
static const struct drawing {
	const char *proto, *first, *exit, *enter, *publish, *wait, *over;
} drawings[] = {
	/* the first entry; exit; entry; publish; a poll in vain; one that says yes */
	{ "gen-smr", "ASgF", ".sA", "ASg", "aGWaK", "", "" },
	{ "gen-slot", "gMgF", ".m", "gMg", "GmMK", "pm", "pmpP" },
	{ "smr-seq", "AgMgF", ".mA", "AgMg", "aGaK", "pm", "pmpP" },
	{ "request", "Mq.mQgFMq", ".m", "Mq", "GQmMK", "pm", "pmpP" },
	{ "always", "ASF", ".sA", "ASF", "aWaK", "", "" },
};

static const struct inval_proto *proto(const char *name)
{
	for (unsigned i = 0; i < inval_proto_count; i++)
		if (!strcmp(inval_protos[i]->name, name))
			return inval_protos[i];
	panic("no protocol %s", name);
}

static void draw(const struct drawing *d)
{
	struct gather g = gather_init();
	struct inval_reader *r = &iv.reader[1];
	ticket_t t;

	ram_pool(&pool, 512);
	inval_init(&iv, proto(d->proto), &pool, 0x1000, 2);
	recorded();
	record_hook = on_op;
	iv.proto->enter(r);
	EXPECT_STR(recorded(), d->first);
	iv.proto->exit(r);
	EXPECT_STR(recorded(), d->exit);
	iv.proto->enter(r);
	EXPECT_STR(recorded(), d->enter);
	t = inval_publish(&iv, &g);
	EXPECT_STR(recorded(), d->publish);
	EXPECT(!inval_done(&iv, t));
	EXPECT_STR(recorded(), d->wait);
	iv.proto->exit(r);
	recorded();
	EXPECT(inval_done(&iv, t));
	EXPECT_STR(recorded(), d->over);
	EXPECT(inval_done(&iv, t));
	if (d->over[0] == 'p')
		EXPECT_STR(recorded(), "p"); /* O(1) from now on */
	record_hook = NULL;
	recorded();
}

TEST(protocols_take_their_steps_in_order)
{
	for (unsigned i = 0; i < ARRAY_LEN(drawings); i++)
		draw(&drawings[i]);
}

/*
 * The ghost TLB around the same: V, v its version (T1), I, o the CPU's word inside and
 * outside (T2, T3), R, r what is complete (T4), f a word that a flush has emptied.
 */
TEST(ghost_takes_its_steps_in_order)
{
	struct gather g = gather_init();
	struct inval_reader *r = &iv.reader[1];
	ticket_t t;

	ghost_forget();
	ram_pool(&pool, 512);
	inval_init(&iv, &gen_smr, &pool, 0x1000, 2);
	inval_watch(&iv);
	gather_range(&g, GPA(0), PAGE_SIZE, WHY_UNMAP);
	record_hook = on_op;
	iv.proto->enter(r);
	ghost_enter(iv.ghost, 1);
	EXPECT_STR(recorded(), "ASgFvIr");
	t = inval_publish(&iv, &g);
	EXPECT_STR(recorded(), "aVGWaK");
	ghost_exit(iv.ghost, 1);
	iv.proto->exit(r);
	EXPECT_STR(recorded(), "o.sA");
	iv.proto->enter(r);
	EXPECT_STR(recorded(), "ASgF");
	iv.proto->exit(r);
	recorded();
	judged = &g;
	inval_retire(&iv, t, &g);
	EXPECT_STR(recorded(), "R");
	judged = NULL;
	record_hook = NULL;
	iv.ghost = NULL;
}

static struct smr smr;
static u32 nap; /* how many invalidations happen while the reader sleeps */

/* The reader has loaded wr and is about to publish it: others go on without it. */
static void sleep_before_publish(const struct op *op)
{
	if (op->what != OP_RMW || op->at != &smr.slot[1].seen)
		return;
	for (; nap; nap--)
		EXPECT(smr_poll(&smr, smr_advance(&smr)));
}

/*
 * S5 for a sleep of any length, half of the circle and more: who is in a section is
 * waited for.  That is only 5,000 invalidations in a checked build, a few milliseconds
 * for which a host may well take a virtual CPU away.
 */
static void late_reader(const struct smr_params *p, u32 advances)
{
	smr_seq_t goal;

	smr_init(&smr, 2, p);
	nap = advances;
	record_hook = sleep_before_publish;
	smr_enter(&smr.slot[1]);
	record_hook = NULL;
	for (unsigned i = 0; i < 3; i++) {
		goal = smr_advance(&smr);
		EXPECT(!smr_poll(&smr, goal));
		EXPECT_EQ(smr_laggard(&smr, goal), 1);
	}
	smr_exit(&smr.slot[1]);
	EXPECT(smr_poll(&smr, goal));
}

TEST(smr_reader_may_sleep_before_it_publishes)
{
	static const struct smr_params giant = { 1, 1u << 28, 1u << 30, 1u << 29 };

	for (u32 n = 0; n < 40; n++)
		late_reader(&giant, n);
	for (u32 n = 0; n < 21000; n += 250)
		late_reader(&smr_default, n);
}
