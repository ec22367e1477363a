/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * order - the steps of gen-smr in the order that its opening gives, and a reader that
 * sleeps between two of them.
 */
#include "inval/ghost.h"
#include "inval/inval.h"
#include "inval/hw.h"
#include "tests/host/ram.h"
#include "tests/host/record/record.h"
#include "tests/host/test.h"

void (*record_hook)(const struct op *);

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

static void on_op(const struct op *op)
{
	bool slot = op->at == &iv.smr.slot[1].seen;

	if (op->what == OP_RMW && op->at == &iv.active[0])
		step('A');
	else if (op->what == OP_RMW && op->at == &iv.gen)
		step('G');
	else if (op->what == OP_RMW && op->at == &iv.smr.wr)
		step('W');
	else if (op->what == OP_RMW && slot)
		step('S');
	else if (op->what == OP_STORE && slot)
		step('s');
	else if (op->what == OP_LOAD && op->at == &iv.gen)
		step('g');
	else if (op->what == OP_LOAD && op->at == &iv.active[0])
		step('a');
	else if (iv.ghost)
		on_ghost(op);
}

void hw_kick(unsigned cpu)
{
	EXPECT_EQ(cpu, 1);
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
	step('F');
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
 * A for active, S for the slot, g and G for the generation, W for the sequence, a for
 * the initiator's look at active, K for a kick, F for a flush; capitals are RMWs.
 */
TEST(gen_smr_takes_its_steps_in_order)
{
	struct gather g = gather_init();
	struct inval_reader *r = &iv.reader[1];

	ram_pool(&pool, 512);
	inval_init(&iv, &gen_smr, &pool, 0x1000, 2);
	record_hook = on_op;
	iv.proto->enter(r);
	EXPECT_STR(recorded(), "ASgF");
	iv.proto->exit(r);
	EXPECT_STR(recorded(), "sA");
	iv.proto->enter(r);
	EXPECT_STR(recorded(), "ASg");
	inval_publish(&iv, &g);
	EXPECT_STR(recorded(), "aGWaK"); /* the first look is about the initiator */
	record_hook = NULL;
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
	EXPECT_STR(recorded(), "osA");
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
