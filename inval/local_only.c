/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * local-only - flushes the CPU that edits, and no other: a negative control
 *
 * Claim (G0): none.  When done() is true the initiator's own CPU has flushed.
 *
 * Origin: hypervisors that were written with one CPU in mind: INVEPT after the edit, on
 * the CPU that makes it.
 *
 *      initiator                            reader
 *      ---------                            ------
 *      EPT stores                      [L2] first entry: flush
 *  [L1] flush here                          VM entry, guest, VM exit
 *      return
 *
 * Why it fails: INVEPT acts on the CPU that executes it.  A guest on another CPU goes
 * on with what it has cached for as long as it likes, and after an exit as well:
 * nothing tells its CPU to flush.
 *
 * Cost: one INVEPT; nothing at entry and exit.
 * Checked by: every scenario of tests/proto must catch it.
 */
#include "inval/hw.h"
#include "inval/marks.h"
#include "inval/step.h"
#include "lib/catalog.h"

#define NAME "local-only"
#define WHAT "flushes the CPU that edits and no other: a negative control"
CATALOG(proto, "proto", NAME, WHAT);

static void enter(struct inval_reader *r)
{
	store_relaxed(&r->mark.word, 1ull);
	STEP(L2);
	if (!r->flushed)
		inval_flush(r, 1);
}

static void exit(struct inval_reader *r)
{
	store_relaxed(&r->mark.word, MARK_OUT);
}

static ticket_t publish(struct inval *iv, const struct gather *g)
{
	(void)g;
	STEP(L1);
	hw_flush(iv->root);
	return 0;
}

const struct inval_proto local_only = {
	.name = NAME,
	.what = WHAT,
	.sound = false,
	.guarantee = G0,
	.fresh = MARK_OUT,
	.enter = enter,
	.exit = exit,
	.publish = publish,
	.done = inval_done_at_once,
	.laggard = inval_no_laggard,
	.active = mark_in,
};
