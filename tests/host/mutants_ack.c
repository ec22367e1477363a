/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutants_ack - dirty-mask, counter-wait and handler-flush with one step wrong each.
 */
#include "tests/host/mutants.h"
#include "tests/host/hw_threads.h"
#include "inval/hw.h"

static atomic64_t *mask_of(struct inval_reader *r)
{
	return &r->iv->mask[r->active - r->iv->active];
}

static void set_mask(struct inval *iv)
{
	for (unsigned i = 0; i * 64 < iv->cpus; i++)
		store_fence(&iv->mask[i], ~0ull);
}

static void flush_if_told(struct inval_reader *r, bool told)
{
	if (!told && r->flushed)
		return;
	and_fence(mask_of(r), r->others);
	inval_flush(r, r->flushed + 1);
}

static bool told(struct inval_reader *r)
{
	return load_acquire(mask_of(r)) & r->bit;
}

static void acknowledge(struct inval_reader *r)
{
	if (load_acquire(&r->mark.word))
		store_fence(&r->mark.word, 0ull);
}

static void call(atomic64_t *mark, u64 t)
{
	u64 was = load_relaxed(mark);

	while ((!was || was > t) && !cas(mark, was, t))
		was = load_relaxed(mark);
}

static void call_all(struct inval *iv, ticket_t t)
{
	for (unsigned i = 0; i < iv->cpus; i++)
		if (inval_active(iv, i)) {
			call(&iv->reader[i].mark.word, t);
			hw_kick(i);
		}
}

/* X1 after X3. */
static ticket_t dirty_publish_mask_late(struct inval *iv, const struct gather *g)
{
	ticket_t t = fetch_add(&iv->gen, 1ull);

	(void)g;
	call_all(iv, t);
	set_mask(iv);
	return t;
}

/* X1 for active CPUs alone. */
static ticket_t dirty_publish_active_only(struct inval *iv, const struct gather *g)
{
	ticket_t t;

	(void)g;
	for (unsigned i = 0; i * 64 < iv->cpus; i++)
		or_fence(&iv->mask[i], load_acquire(&iv->active[i]));
	t = fetch_add(&iv->gen, 1ull);
	call_all(iv, t);
	return t;
}

/* X3: the newest number stays. */
static ticket_t dirty_publish_newest(struct inval *iv, const struct gather *g)
{
	ticket_t t;

	(void)g;
	set_mask(iv);
	t = fetch_add(&iv->gen, 1ull);
	for (unsigned i = 0; i < iv->cpus; i++)
		if (inval_active(iv, i)) {
			store_fence(&iv->reader[i].mark.word, t);
			hw_kick(i);
		}
	return t;
}

/* X6 before R1: it joins late. */
static void dirty_enter_join_late(struct inval_reader *r)
{
	bool was_told;

	acknowledge(r);
	was_told = told(r);
	or_fence(r->active, r->bit);
	flush_if_told(r, was_told);
}

/* X5 after X6: what a plain store in X5 may come to. */
static void dirty_enter_ack_late(struct inval_reader *r)
{
	bool was_told;

	or_fence(r->active, r->bit);
	was_told = told(r);
	relax();
	acknowledge(r);
	flush_if_told(r, was_told);
}

/* X6: the bit is cleared, and no flush follows. */
static void dirty_enter_no_flush(struct inval_reader *r)
{
	or_fence(r->active, r->bit);
	acknowledge(r);
	and_fence(mask_of(r), r->others);
}

/* The call is acknowledged on the way in, last of all: before the guest has left. */
static void dirty_enter_early_ack(struct inval_reader *r)
{
	dirty_mask.enter(r);
	and_fence(r->active, r->others);
}

/* X4: one CPU is forgotten. */
static bool dirty_done_all_but_one(struct inval *iv, ticket_t t)
{
	for (unsigned i = 1; i < iv->cpus; i++) {
		u64 mark = load_acquire(&iv->reader[i].mark.word);

		if (mark && mark <= t && inval_active(iv, i))
			return false;
	}
	inval_raise(&iv->shared[0].word, t);
	return true;
}

/* Time for another initiator to overtake this one, and for its kick to be taken. */
static void slow_at_times(void)
{
	for (u64 n = rng_below(cpu_rng(), 4) ? 0 : 16; n; n--)
		relax();
}

/* N3 after N4. */
static ticket_t counter_publish_kick_first(struct inval *iv, const struct gather *g)
{
	ticket_t t;

	(void)g;
	set_mask(iv);
	t = fetch_add(&iv->gen, 1ull);
	for (unsigned i = 0; i < iv->cpus; i++)
		if (inval_active(iv, i)) {
			hw_kick(i);
			relax();
			inval_raise(&iv->reader[i].mark.word, hw_kicks(i) + 1);
		}
	return t;
}

/* N3: what one initiator waits for another makes less. */
static ticket_t counter_publish_no_max(struct inval *iv, const struct gather *g)
{
	ticket_t t;

	(void)g;
	set_mask(iv);
	t = fetch_add(&iv->gen, 1ull);
	for (unsigned i = 0; i < iv->cpus; i++)
		if (inval_active(iv, i)) {
			u64 want = hw_kicks(i) + 1;

			slow_at_times();
			store_fence(&iv->reader[i].mark.word, want);
			hw_kick(i);
		}
	return t;
}

/* N1 for active CPUs alone. */
static ticket_t counter_publish_active_only(struct inval *iv, const struct gather *g)
{
	ticket_t t;

	(void)g;
	for (unsigned i = 0; i * 64 < iv->cpus; i++)
		or_fence(&iv->mask[i], load_acquire(&iv->active[i]));
	t = fetch_add(&iv->gen, 1ull);
	for (unsigned i = 0; i < iv->cpus; i++)
		if (inval_active(iv, i)) {
			inval_raise(&iv->reader[i].mark.word, hw_kicks(i) + 1);
			hw_kick(i);
		}
	return t;
}

/* N6 before R1: it joins late. */
static void counter_enter_join_late(struct inval_reader *r)
{
	bool was_told = told(r);

	or_fence(r->active, r->bit);
	flush_if_told(r, was_told);
}

/* N5: one CPU is forgotten. */
static bool counter_done_all_but_one(struct inval *iv, ticket_t t)
{
	for (unsigned i = 1; i < iv->cpus; i++)
		if (hw_kicks(i) < load_acquire(&iv->reader[i].mark.word) &&
		    inval_active(iv, i))
			return false;
	inval_raise(&iv->shared[0].word, t);
	return true;
}

/* K3: who was out does not flush, but for the first entry. */
static void handler_enter_no_flush(struct inval_reader *r)
{
	or_fence(r->active, r->bit);
	if (!r->flushed)
		handler_flush.kicked(r);
	store_release(&r->mark.word, load_acquire(&r->iv->gen));
}

/* K4 says that it has flushed, and has not. */
static void handler_kicked_no_flush(struct inval_reader *r)
{
	r->flushed = load_acquire(&r->iv->gen);
	store_release(&r->mark.word, r->flushed);
}

/* G1 after K1. */
static ticket_t handler_publish_gen_late(struct inval *iv, const struct gather *g)
{
	(void)g;
	inval_kick_active(iv);
	return fetch_add(&iv->gen, 1ull) + 1;
}

/* K1: nobody is kicked. */
static ticket_t handler_publish_no_kick(struct inval *iv, const struct gather *g)
{
	(void)g;
	return fetch_add(&iv->gen, 1ull) + 1;
}

/* K2: one CPU is forgotten. */
static bool handler_done_all_but_one(struct inval *iv, ticket_t t)
{
	for (unsigned i = 1; i < iv->cpus; i++)
		if (load_acquire(&iv->reader[i].mark.word) < t && inval_active(iv, i))
			return false;
	inval_raise(&iv->shared[0].word, t);
	return true;
}

#define DIRTY(id, ...)                                                   \
	{                                                                \
		.name = "dirty-mask-" id, .of = &dirty_mask, __VA_ARGS__ \
	}
#define COUNTER(id, ...)                                                     \
	{                                                                    \
		.name = "counter-wait-" id, .of = &counter_wait, __VA_ARGS__ \
	}
#define HANDLER(id, ...)                                                       \
	{                                                                      \
		.name = "handler-flush-" id, .of = &handler_flush, __VA_ARGS__ \
	}

const struct mutant ack_mutants[] = {
	DIRTY("no-wait", .done = inval_done_at_once),
	DIRTY("all-but-one", .done = dirty_done_all_but_one),
	DIRTY("mask-late", .publish = dirty_publish_mask_late),
	DIRTY("active-only", .publish = dirty_publish_active_only),
	DIRTY("newest", .publish = dirty_publish_newest),
	DIRTY("join-late", .enter = dirty_enter_join_late),
	DIRTY("ack-late", .enter = dirty_enter_ack_late),
	DIRTY("no-flush", .enter = dirty_enter_no_flush),
	DIRTY("early-ack", .enter = dirty_enter_early_ack),
	COUNTER("no-wait", .done = inval_done_at_once),
	COUNTER("all-but-one", .done = counter_done_all_but_one),
	COUNTER("kick-first", .publish = counter_publish_kick_first),
	COUNTER("no-max", .publish = counter_publish_no_max),
	COUNTER("active-only", .publish = counter_publish_active_only),
	COUNTER("join-late", .enter = counter_enter_join_late),
	HANDLER("no-wait", .done = inval_done_at_once),
	HANDLER("all-but-one", .done = handler_done_all_but_one),
	HANDLER("entry", .enter = handler_enter_no_flush),
	HANDLER("no-flush", .kicked = handler_kicked_no_flush),
	HANDLER("gen-late", .publish = handler_publish_gen_late),
	HANDLER("no-kick", .publish = handler_publish_no_kick),
	{ 0 },
};
