/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * between - an initiator between any two steps of an entry, and an entry between any
 * two steps of an initiator or of a poll
 *
 * In each case: a reader that is not waited for has flushed since the edit, and one
 * that is waited for has been kicked.  Older tickets are polled at the same moments,
 * because what one poll finds out counts for all.
 */
#include "inval/inval.h"
#include "lib/str.h"
#include "tests/host/cpu.h"
#include "tests/host/ram.h"
#include "tests/host/record/record.h"
#include "tests/host/test.h"

#define READER 1
#define STEPS  40 /* more than any hook has */

static const char *const names[] = { "gen-smr", "gen-slot", "smr-seq",
				     "request", "always",   "new-root" };
static struct inval iv;
static struct pool pool;
static unsigned countdown; /* operations until the other one acts */
static void (*other)(void);
static bool inside; /* the reader is in the guest, or about to be */
static ticket_t old, ticket, later;
static unsigned flushes; /* when the edit was published */

static const struct inval_proto *proto(const char *name)
{
	for (unsigned i = 0; i < inval_proto_count; i++)
		if (!strcmp(inval_protos[i]->name, name))
			return inval_protos[i];
	panic("no protocol %s", name);
}

static ticket_t publish(void)
{
	struct gather g = gather_init();

	return inval_publish(&iv, &g);
}

static void enter(void)
{
	iv.proto->enter(&iv.reader[READER]);
	inside = true;
}

static void leave(void)
{
	iv.proto->exit(&iv.reader[READER]);
	inside = false;
}

/* A reader that has flushed before and is out, with or without an edit to hear of. */
static void set_up(const char *name, bool behind)
{
	ram_pool(&pool, 8);
	inval_init(&iv, proto(name), &pool, 0x1000, 3);
	cpu_become(0);
	enter();
	leave();
	old = publish();
	enter();
	leave();
	if (behind)
		old = publish();
	record_kicks = 0;
}

static void strike(const struct op *op)
{
	if (op->what != OP_DONE && other && !countdown--) {
		void (*f)(void) = other;

		other = NULL;
		f();
	}
}

/* Runs a, and b before the n-th operation of a; false when a has fewer. */
static bool run(void (*a)(void), void (*b)(void), unsigned n)
{
	other = b;
	countdown = n;
	record_hook = strike;
	a();
	record_hook = NULL;
	return !other;
}

static void judge(const char *name, unsigned n)
{
	bool done = inval_done(&iv, ticket), good;

	good = !inside || (done ? record_flushes > flushes : record_kicks > 0);
	if (!EXPECT(good))
		test_say("%s, before operation %u: %sdone, %u kicks, %u flushes", name,
			 n, done ? "" : "not ", record_kicks, record_flushes - flushes);
	EXPECT(record_kicks <= 1);
	if (inside)
		leave();
	EXPECT(inval_done(&iv, ticket));
	EXPECT(inval_done(&iv, old));
}

static void edit(void)
{
	flushes = record_flushes;
	ticket = publish();
}

/* A poll at once finds who is out, and remembers it. */
static void edit_and_poll(void)
{
	edit();
	inval_done(&iv, ticket);
}

static void during_entry(const char *name, bool behind, void (*f)(void))
{
	bool more = true;

	for (unsigned n = 0; more && EXPECT(n < STEPS); n++) {
		set_up(name, behind);
		more = run(enter, f, n);
		if (!more)
			f();
		judge(name, n);
	}
}

TEST(an_initiator_between_any_two_steps_of_an_entry)
{
	for (unsigned i = 0; i < 2 * ARRAY_LEN(names); i++) {
		during_entry(names[i / 2], i % 2, edit);
		during_entry(names[i / 2], i % 2, edit_and_poll);
	}
}

static void poll_and_enter(void)
{
	inval_done(&iv, old - 1); /* as another initiator might */
	inval_done(&iv, old);
	inval_done(&iv, load_relaxed(&iv.gen) - 2);
	enter();
}

static void during_edit(const char *name, bool behind, void (*f)(void))
{
	bool more = true;

	for (unsigned n = 0; more && EXPECT(n < STEPS); n++) {
		set_up(name, behind);
		later = 0;
		more = run(edit, f, n);
		judge(name, n);
		EXPECT(!later || inval_done(&iv, later));
	}
}

TEST(an_entry_between_any_two_steps_of_an_initiator)
{
	for (unsigned i = 0; i < 2 * ARRAY_LEN(names); i++)
		during_edit(names[i / 2], i % 2, poll_and_enter);
}

/* Two tickets under way: the later one is published and polled inside of the other. */
static void publish_later_and_enter(void)
{
	cpu_become(2);
	later = publish();
	inval_done(&iv, later);
	enter();
	inval_done(&iv, later);
	cpu_become(0);
}

TEST(two_initiators_and_an_entry_between_their_steps)
{
	for (unsigned i = 0; i < 2 * ARRAY_LEN(names); i++)
		during_edit(names[i / 2], i % 2, publish_later_and_enter);
}

static void poll_old(void)
{
	inval_done(&iv, old);
}

static void enter_and_edit(void)
{
	enter();
	flushes = record_flushes;
	ticket = publish();
}

/* What a poll has seen before an edit says nothing of that edit. */
TEST(an_entry_and_an_edit_between_any_two_steps_of_a_poll)
{
	for (unsigned i = 0; i < 2 * ARRAY_LEN(names); i++) {
		bool more = true;

		for (unsigned n = 0; more && EXPECT(n < STEPS); n++) {
			set_up(names[i / 2], i % 2);
			more = run(poll_old, enter_and_edit, n);
			if (!more)
				enter_and_edit();
			judge(names[i / 2], n);
		}
	}
}
