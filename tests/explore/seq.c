/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seq - smr-seq: the SMR sequence is the generation; and the trap in it
 *
 * There is no gen: a reader flushes when the sequence is not the one it has last
 * flushed for.  It must load that again behind the fence of smr_enter().  The value
 * that it has published there may be older than an edit whose scan found the slot idle.
 */
#include "inval/inval.h"
#include "tests/explore/rows.h"

static void enter_reloads(struct inval_reader *r)
{
	u64 seq;

	or_fence(r->active, r->bit);
	smr_enter(r->slot);
	seq = load_acquire(&r->iv->smr.wr);
	if (seq != r->flushed)
		inval_flush(r, seq);
}

static void enter_compares_published(struct inval_reader *r)
{
	u64 seq;

	or_fence(r->active, r->bit);
	smr_enter(r->slot);
	seq = load_relaxed(&r->slot->seen);
	if (seq != r->flushed)
		inval_flush(r, seq);
}

static void exit(struct inval_reader *r)
{
	smr_exit(r->slot);
	and_fence(r->active, r->others);
}

static ticket_t publish(struct inval *iv, const struct gather *g)
{
	smr_seq_t goal = smr_advance(&iv->smr);

	(void)g;
	inval_kick_active(iv);
	return goal;
}

static bool done(struct inval *iv, ticket_t t)
{
	return smr_poll(&iv->smr, (smr_seq_t)t);
}

const struct inval_proto seq_published = {
	.name = "seq-published",
	.enter = enter_compares_published,
	.exit = exit,
	.publish = publish,
	.done = done,
};

const struct inval_proto seq_reloaded = {
	.name = "seq-reloaded",
	.enter = enter_reloads,
	.exit = exit,
	.publish = publish,
	.done = done,
};
