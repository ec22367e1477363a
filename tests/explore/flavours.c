/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flavours - gen-smr with the flavours of SMR that do not suit it
 */
#include "smr/flavours.h"
#include "inval/inval.h"
#include "tests/explore/rows.h"

/* H9: the goal does not exist yet when the kick is sent. */
static ticket_t publish_deferred(struct inval *iv, const struct gather *g)
{
	u32 calls = 0;
	smr_seq_t goal;

	(void)g;
	add_fence(&iv->gen, 1ull);
	goal = smr_deferred_advance(&iv->smr, &calls, 2);
	inval_kick_active(iv);
	return goal;
}

static bool done_deferred(struct inval *iv, ticket_t t)
{
	return smr_deferred_poll(&iv->smr, (smr_seq_t)t, true);
}

/* A tick goes by with each call; after the grace of all edits time may stand still. */
#define TICKS (2 * SMR_LAZY_GRACE)

static u32 tick(struct inval *iv)
{
	atomic64_t *now = &iv->shared[1].word;

	if (load_relaxed(now) < TICKS)
		add_fence(now, 1ull);
	return (u32)load_relaxed(now);
}

static atomic64_t *clock_of(struct inval *iv)
{
	return &iv->shared[2].word;
}

static void enter(struct inval_reader *r)
{
	gen_smr.enter(r);
}

/* S5: the guest takes no ticks, so nothing drains the slot from the store buffer. */
static void enter_lazy(struct inval_reader *r)
{
	u64 gen;

	or_fence(r->active, r->bit);
	smr_lazy_enter(r->slot);
	gen = load_acquire(&r->iv->gen);
	if (gen != r->flushed)
		inval_flush(r, gen);
}

static ticket_t publish_lazy(struct inval *iv, const struct gather *g)
{
	smr_seq_t goal;

	(void)g;
	add_fence(&iv->gen, 1ull);
	goal = smr_lazy_advance(&iv->smr, clock_of(iv), tick(iv));
	inval_kick_active(iv);
	return goal;
}

static bool done_lazy(struct inval *iv, ticket_t t)
{
	return smr_lazy_poll(&iv->smr, clock_of(iv), (smr_seq_t)t, tick(iv));
}

static void exit(struct inval_reader *r)
{
	gen_smr.exit(r);
}

const struct inval_proto smr_deferred = {
	.name = "smr-deferred",
	.enter = enter,
	.exit = exit,
	.publish = publish_deferred,
	.done = done_deferred,
};

const struct inval_proto smr_lazy = {
	.name = "smr-lazy",
	.enter = enter_lazy,
	.exit = exit,
	.publish = publish_lazy,
	.done = done_lazy,
};
