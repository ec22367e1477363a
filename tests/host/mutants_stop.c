/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutants_stop - rendezvous and stop-world with one step wrong each.
 */
#include "tests/host/mutants.h"
#include "inval/hw.h"

/* stop-world's mark. */
#define IN    1ull
#define WANT  2ull
#define FLUSH 4ull

static atomic64_t *stop(struct inval *iv)
{
	return &iv->shared[0].word;
}

static void take_stop(struct inval *iv)
{
	while (!cas(stop(iv), 0ull, 1ull))
		relax();
}

/* Z3: the kicks are sent, and nobody is waited for. */
static void rendezvous_begin_no_wait(struct inval *iv)
{
	take_stop(iv);
	inval_kick_active(iv);
}

/* Z3: the last CPU is forgotten. */
static void rendezvous_begin_all_but_one(struct inval *iv)
{
	take_stop(iv);
	inval_kick_active(iv);
	for (unsigned i = 1; i < iv->cpus; i++)
		while (inval_active(iv, i))
			relax();
}

/* Z2: nobody is kicked. */
static void rendezvous_begin_no_kick(struct inval *iv)
{
	take_stop(iv);
	for (unsigned i = 0; i < iv->cpus; i++)
		while (inval_active(iv, i))
			relax();
}

/* Z5 before R1: who looks first may enter unseen. */
static void rendezvous_enter_look_first(struct inval_reader *r)
{
	u64 gen;

	while (load_acquire(stop(r->iv)))
		relax();
	or_fence(r->active, r->bit);
	gen = load_acquire(&r->iv->gen);
	if (gen != r->flushed)
		inval_flush(r, gen);
}

/* R4 before the guest has left. */
static void rendezvous_enter_and_leave(struct inval_reader *r)
{
	rendezvous.enter(r);
	and_fence(r->active, r->others);
}

/* Z4 before G1. */
static ticket_t rendezvous_publish_free_first(struct inval *iv, const struct gather *g)
{
	(void)g;
	store_fence(stop(iv), 0ull);
	add_fence(&iv->gen, 1ull);
	return 0;
}

/* No G1: who was stopped goes on with what it had. */
static ticket_t rendezvous_publish_no_gen(struct inval *iv, const struct gather *g)
{
	(void)g;
	store_fence(stop(iv), 0ull);
	return 0;
}

static void want_all(struct inval *iv)
{
	for (unsigned i = 0; i < iv->cpus; i++)
		if (fetch_or(&iv->reader[i].mark.word, WANT) & IN)
			hw_kick(i);
}

/* W3: nobody is waited for. */
static void stop_begin_no_wait(struct inval *iv)
{
	take_stop(iv);
	want_all(iv);
}

/* W3: one CPU is forgotten. */
static void stop_begin_all_but_one(struct inval *iv)
{
	take_stop(iv);
	want_all(iv);
	for (unsigned i = 1; i < iv->cpus; i++)
		while (load_acquire(&iv->reader[i].mark.word) & IN)
			relax();
}

/* W2: nobody is kicked. */
static void stop_begin_no_kick(struct inval *iv)
{
	take_stop(iv);
	for (unsigned i = 0; i < iv->cpus; i++)
		or_fence(&iv->reader[i].mark.word, WANT);
	for (unsigned i = 0; i < iv->cpus; i++)
		while (load_acquire(&iv->reader[i].mark.word) & IN)
			relax();
}

/* W6 without a look at WANT: it comes in while the world is stopped. */
static void stop_enter_rushes(struct inval_reader *r)
{
	u64 was;

	or_fence(r->active, r->bit);
	was = fetch_or(&r->mark.word, IN);
	and_fence(&r->mark.word, ~FLUSH);
	if (was & FLUSH || !r->flushed)
		inval_flush(r, r->flushed + 1);
}

/* W8 before the guest has left. */
static void stop_enter_and_leave(struct inval_reader *r)
{
	stop_world.enter(r);
	and_fence(&r->mark.word, ~IN);
}

/* W7: the flag is taken away, and no flush follows. */
static void stop_enter_no_flush(struct inval_reader *r)
{
	u64 was;

	or_fence(r->active, r->bit);
	do {
		relax();
		was = load_acquire(&r->mark.word);
	} while (was & WANT || !cas(&r->mark.word, was, IN));
	r->flushed = 1;
}

/* W4: CPUs that are out, by the active set, are not told to flush. */
static ticket_t stop_publish_no_flag(struct inval *iv, const struct gather *g)
{
	(void)g;
	for (unsigned i = 0; i < iv->cpus; i++)
		store_release(&iv->reader[i].mark.word,
			      inval_active(iv, i) ? FLUSH : 0ull);
	store_release(stop(iv), 0ull);
	return 0;
}

/* W5 before W4: the next initiator's WANT is lost. */
static ticket_t stop_publish_free_first(struct inval *iv, const struct gather *g)
{
	(void)g;
	store_fence(stop(iv), 0ull);
	for (unsigned i = 0; i < iv->cpus; i++)
		store_release(&iv->reader[i].mark.word, FLUSH);
	return 0;
}

/* W2 for those who are in alone: who is out comes in. */
static void stop_begin_in_only(struct inval *iv)
{
	take_stop(iv);
	for (unsigned i = 0; i < iv->cpus; i++)
		if (load_acquire(&iv->reader[i].mark.word) & IN) {
			or_fence(&iv->reader[i].mark.word, WANT);
			hw_kick(i);
		}
	for (unsigned i = 0; i < iv->cpus; i++)
		while (load_acquire(&iv->reader[i].mark.word) & WANT &&
		       load_acquire(&iv->reader[i].mark.word) & IN)
			relax();
}

#define RENDEZVOUS(id, ...)                                              \
	{                                                                \
		.name = "rendezvous-" id, .of = &rendezvous, __VA_ARGS__ \
	}
#define STOP_WORLD(id, ...)                                              \
	{                                                                \
		.name = "stop-world-" id, .of = &stop_world, __VA_ARGS__ \
	}

const struct mutant stop_mutants[] = {
	RENDEZVOUS("no-wait", .begin = rendezvous_begin_no_wait),
	RENDEZVOUS("all-but-one", .begin = rendezvous_begin_all_but_one),
	RENDEZVOUS("no-kick", .begin = rendezvous_begin_no_kick),
	RENDEZVOUS("look-first", .enter = rendezvous_enter_look_first),
	RENDEZVOUS("early-exit", .enter = rendezvous_enter_and_leave),
	RENDEZVOUS("free-first", .publish = rendezvous_publish_free_first),
	RENDEZVOUS("no-gen", .publish = rendezvous_publish_no_gen),
	STOP_WORLD("no-wait", .begin = stop_begin_no_wait),
	STOP_WORLD("all-but-one", .begin = stop_begin_all_but_one),
	STOP_WORLD("no-kick", .begin = stop_begin_no_kick),
	STOP_WORLD("in-only", .begin = stop_begin_in_only),
	STOP_WORLD("rushes", .enter = stop_enter_rushes),
	STOP_WORLD("early-exit", .enter = stop_enter_and_leave),
	STOP_WORLD("no-flush", .enter = stop_enter_no_flush),
	STOP_WORLD("no-flag", .publish = stop_publish_no_flag),
	STOP_WORLD("free-first", .publish = stop_publish_free_first),
	{ 0 },
};
