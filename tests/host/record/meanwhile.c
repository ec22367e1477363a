/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * meanwhile - a poll of smr in the middle of which other CPUs enter, exit, advance,
 * poll
 *
 * A random one of the poll's operations is preceded by a few random steps of others.
 * Whatever they are: a poll that says yes leaves nobody in a section that began before
 * the ticket, and rd never falls.
 */
#include "smr/smr.h"
#include "tests/host/record/record.h"
#include "tests/host/test.h"

#define CPUS   4
#define ROUNDS 50000

static const struct smr_params steps = { UINT32_MAX - 2000, 1u << 16, 1u << 28,
					 1u << 27 };

static struct smr s;
static struct rng rng;
static unsigned countdown;    /* operations until the others' turn   */
static smr_seq_t rd_was;      /* the highest rd that was seen        */
static smr_seq_t began[CPUS]; /* wr when the running section began   */

static void check_rd(void)
{
	smr_seq_t rd = load_relaxed(&s.rd);

	EXPECT((i32)(rd - rd_was) >= 0);
	rd_was = rd;
}

static bool poll(smr_seq_t goal)
{
	bool is = smr_poll(&s, goal);

	check_rd();
	for (unsigned i = 0; is && i < CPUS; i++)
		EXPECT(!smr_active(&s.slot[i]) || (i32)(began[i] - goal) >= 0);
	return is;
}

static void toggle(unsigned i)
{
	if (smr_active(&s.slot[i])) {
		smr_exit(&s.slot[i]);
		return;
	}
	began[i] = load_relaxed(&s.wr);
	smr_enter(&s.slot[i]);
}

static void others(void)
{
	for (u64 n = 1 + rng_below(&rng, 4); n; n--) {
		switch (rng_below(&rng, 4)) {
		case 0:
			poll(load_relaxed(&s.wr));
			break;
		case 1:
			smr_advance(&s);
			break;
		default:
			toggle((unsigned)rng_below(&rng, CPUS));
		}
	}
}

static void on_op(const struct op *op)
{
	if (op->what != OP_DONE && countdown-- == 0)
		others();
}

/* Nobody stays for so long that an advance would wait. */
static void leave(void)
{
	for (unsigned i = 0; i < CPUS; i++)
		if (smr_active(&s.slot[i]) &&
		    (i32)(load_relaxed(&s.wr) - began[i]) > 1 << 24)
			smr_exit(&s.slot[i]);
}

TEST(smr_poll_is_right_whatever_happens_meanwhile)
{
	unsigned yes = 0;

	rng = test_rng();
	smr_init(&s, CPUS, &steps);
	rd_was = steps.init;
	for (unsigned n = 0; n < ROUNDS; n++) {
		smr_seq_t goal;

		leave();
		others();
		goal = rng_below(&rng, 2) ? smr_advance(&s) : load_relaxed(&s.wr);
		countdown = (unsigned)rng_below(&rng, 4 + CPUS);
		record_hook = on_op;
		yes += poll(goal);
		record_hook = NULL;
		poll(load_relaxed(&s.wr));
	}
	EXPECT(yes > ROUNDS / 10 && yes < ROUNDS - ROUNDS / 10);
}
