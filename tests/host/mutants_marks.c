/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutants_marks - gen-slot, smr-seq, request and always with one step wrong each: what
 * the threads must report.
 */
#include "inval/hw.h"
#include "inval/marks.h"
#include "tests/host/mutants.h"

extern const struct inval_proto gen_slot, smr_seq, request, always;

/* H10: the section is over before the guest has left. */
static void enter_and_leave(struct inval_reader *r)
{
	always.enter(r);
	smr_exit(r->slot);
}

static void exit_active_only(struct inval_reader *r)
{
	and_fence(r->active, r->others);
}

/* N2: what was published is compared, not what is there after it. */
static void enter_trap(struct inval_reader *r)
{
	u64 came = load_acquire(&r->iv->gen), gen;

	store_fence(&r->mark.word, came);
	gen = load_acquire(&r->iv->gen);
	if (gen != came)
		(void)cas(&r->mark.word, came, gen);
	if (came != r->flushed)
		inval_flush(r, came);
}

/* Q1 of smr-seq: the same. */
static void enter_trap_active(struct inval_reader *r)
{
	u64 came;

	or_fence(r->active, r->bit);
	came = load_acquire(&r->iv->gen);
	store_fence(&r->mark.word, came);
	if (came != r->flushed)
		inval_flush(r, came);
}

/* N3: a late mark stays as old as it is. */
static void enter_no_catch_up(struct inval_reader *r)
{
	u64 gen;

	store_fence(&r->mark.word, load_relaxed(&r->iv->gen));
	gen = load_acquire(&r->iv->gen);
	if (gen != r->flushed)
		inval_flush(r, gen);
}

/* N4: the flush is remembered but not done. */
static void enter_slot_no_flush(struct inval_reader *r)
{
	store_fence(&r->mark.word, load_relaxed(&r->iv->gen));
	r->flushed = load_acquire(&r->iv->gen);
}

/* K3: the mark is out before the guest is. */
static void enter_slot_and_leave(struct inval_reader *r)
{
	gen_slot.enter(r);
	store_release(&r->mark.word, MARK_OUT);
}

static void exit_nothing(struct inval_reader *r)
{
	(void)r;
}

/* N1 before K1: who comes in between is older than the ticket, and not kicked. */
static ticket_t publish_scan_first(struct inval *iv, const struct gather *g)
{
	(void)g;
	for (unsigned i = 0; i < iv->cpus; i++)
		mark_kick(iv, i, load_acquire(&iv->gen) + MARK_STEP);
	return marks_bump(iv);
}

/* K4: stays are marked as kicked, and the kick is left to another. */
static ticket_t publish_nobody_sends(struct inval *iv, const struct gather *g)
{
	ticket_t t = marks_bump(iv);

	(void)g;
	for (unsigned i = 0; i < iv->cpus; i++) {
		atomic64_t *mark = &iv->reader[i].mark.word;
		u64 m = load_acquire(mark);

		if (m % 2 && m < t && !cas(mark, m, m + 1))
			hw_kick(i);
	}
	return t;
}

static ticket_t publish_bump_only(struct inval *iv, const struct gather *g)
{
	(void)g;
	return marks_bump(iv);
}

/* H6 of smr-seq. */
static ticket_t publish_seq_kick_first(struct inval *iv, const struct gather *g)
{
	(void)g;
	inval_kick_active(iv);
	return marks_bump(iv);
}

/* H5 of smr-seq. */
static void enter_seq_active_last(struct inval_reader *r)
{
	u64 seq;

	store_fence(&r->mark.word, load_relaxed(&r->iv->gen));
	or_fence(r->active, r->bit);
	seq = load_acquire(&r->iv->gen);
	if (seq != r->flushed)
		inval_flush(r, seq);
}

/* Q5 after K4: a reader may enter between the look at its mode and the request. */
static ticket_t publish_look_first(struct inval *iv, const struct gather *g)
{
	ticket_t t = marks_bump(iv);

	(void)g;
	for (unsigned i = 0; i < iv->cpus; i++) {
		mark_kick(iv, i, t);
		or_fence(&iv->reader[i].mark.asked, 1ull);
	}
	return t;
}

/* Nobody is asked, only kicked. */
static ticket_t publish_no_request(struct inval *iv, const struct gather *g)
{
	ticket_t t = marks_bump(iv);

	(void)g;
	for (unsigned i = 0; i < iv->cpus; i++)
		mark_kick(iv, i, t);
	return t;
}

/* Asked, but not kicked. */
static ticket_t publish_ask_only(struct inval *iv, const struct gather *g)
{
	ticket_t t = marks_bump(iv);

	(void)g;
	for (unsigned i = 0; i < iv->cpus; i++)
		or_fence(&iv->reader[i].mark.asked, 1ull);
	return t;
}

/* Q2 before Q1. */
static void enter_look_first(struct inval_reader *r)
{
	u64 asked = load_acquire(&r->mark.asked);

	if (asked || !r->flushed) {
		(void)swap(&r->mark.asked, 0ull);
		inval_flush(r, load_acquire(&r->iv->gen));
	}
	store_fence(&r->mark.word, r->flushed | 1);
}

static void enter_served(struct inval_reader *r, void (*serve)(struct inval_reader *))
{
	store_fence(&r->mark.word, r->flushed | 1);
	while (load_acquire(&r->mark.asked) || !r->flushed) {
		store_release(&r->mark.word, MARK_OUT);
		serve(r);
		store_fence(&r->mark.word, r->flushed | 1);
	}
}

/* Q3 after Q4: a request that comes during the flush is taken back with the others. */
static void serve_take_late(struct inval_reader *r)
{
	inval_flush(r, load_acquire(&r->iv->gen));
	(void)swap(&r->mark.asked, 0ull);
}

static void enter_take_late(struct inval_reader *r)
{
	enter_served(r, serve_take_late);
}

/* Q3 without a fence: the store that takes back lands on a request that came later. */
static void serve_plain_take(struct inval_reader *r)
{
	store_release(&r->mark.asked, 0ull);
	inval_flush(r, load_acquire(&r->iv->gen));
}

static void enter_plain_take(struct inval_reader *r)
{
	enter_served(r, serve_plain_take);
}

/* H6 of always. */
static ticket_t publish_smr_kick_first(struct inval *iv, const struct gather *g)
{
	(void)g;
	inval_kick_active(iv);
	return smr_advance(&iv->smr);
}

static ticket_t publish_advance_only(struct inval *iv, const struct gather *g)
{
	(void)g;
	return smr_advance(&iv->smr);
}

/* H5 of always. */
static void enter_always_active_last(struct inval_reader *r)
{
	smr_enter(r->slot);
	or_fence(r->active, r->bit);
	inval_flush(r, r->flushed + 1);
}

const struct mutant mark_mutants[] = {
	{ .name = "gen-slot-trap", .of = &gen_slot, .enter = enter_trap },
	{ .name = "gen-slot-no-wait", .of = &gen_slot, .done = inval_done_at_once },
	{ .name = "gen-slot-no-flush", .of = &gen_slot, .enter = enter_slot_no_flush },
	{ .name = "gen-slot-early-exit",
	  .of = &gen_slot,
	  .enter = enter_slot_and_leave,
	  .exit = exit_nothing },
	{ .name = "gen-slot-no-kick", .of = &gen_slot, .publish = publish_bump_only },
	{ .name = "gen-slot-scan-first",
	  .of = &gen_slot,
	  .publish = publish_scan_first },
	{ .name = "gen-slot-no-catch-up", .of = &gen_slot, .enter = enter_no_catch_up },
	{ .name = "gen-slot-nobody-sends",
	  .of = &gen_slot,
	  .publish = publish_nobody_sends },
	{ .name = "smr-seq-trap", .of = &smr_seq, .enter = enter_trap_active },
	{ .name = "smr-seq-no-wait", .of = &smr_seq, .done = inval_done_at_once },
	{ .name = "smr-seq-no-kick", .of = &smr_seq, .publish = publish_bump_only },
	{ .name = "smr-seq-kick-first",
	  .of = &smr_seq,
	  .publish = publish_seq_kick_first },
	{ .name = "smr-seq-active-last",
	  .of = &smr_seq,
	  .enter = enter_seq_active_last },
	{ .name = "request-no-wait", .of = &request, .done = inval_done_at_once },
	{ .name = "request-no-request", .of = &request, .publish = publish_no_request },
	{ .name = "request-request-late",
	  .of = &request,
	  .publish = publish_look_first },
	{ .name = "request-look-first", .of = &request, .enter = enter_look_first },
	{ .name = "request-take-late", .of = &request, .enter = enter_take_late },
	{ .name = "request-plain-take", .of = &request, .enter = enter_plain_take },
	{ .name = "request-no-kick", .of = &request, .publish = publish_ask_only },
	{ .name = "always-no-wait", .of = &always, .done = inval_done_at_once },
	{ .name = "always-early-exit",
	  .of = &always,
	  .enter = enter_and_leave,
	  .exit = exit_active_only },
	{ .name = "always-no-kick", .of = &always, .publish = publish_advance_only },
	{ .name = "always-kick-first",
	  .of = &always,
	  .publish = publish_smr_kick_first },
	{ .name = "always-active-last",
	  .of = &always,
	  .enter = enter_always_active_last },
	{ 0 },
};
