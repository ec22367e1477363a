/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * suite - everything that the explorer checks by itself
 *
 * The table of known verdicts; each protocol that ships; larger configurations; and
 * controls, in which a part of the model is taken away and a verdict must change.
 */
#include "tests/explore/suite.h"
#include "tests/explore/report.h"
#include "tests/explore/rows.h"

#include <stdio.h>
#include <string.h>

static unsigned passed, failed;
static struct verdict found;

/* A configuration, and what the search must find. */
struct expect {
	const char *name;
	bool unsafe, waits;
};

static const char *words(bool unsafe, bool waits)
{
	return unsafe  ? waits ? "UNSAFE, un-kicked wait" : "UNSAFE, live"
	       : waits ? "safe, un-kicked wait"
		       : "safe, live";
}

/* Tells a schedule of `found`, which must end in what it is said to end in. */
static bool tells(const struct schedule *s, enum report_end want, const char *what)
{
	bool ok;

	printf("#   %s, in %u steps:\n", what, s->length);
	ok = report_schedule(s, "#   ") == want;
	if (!ok)
		printf("#   this schedule does not show it\n");
	return ok;
}

static bool schedules(void)
{
	bool ok = true;

	if (found.unsafe)
		ok &= tells(&found.to_unsafe, END_UNSAFE, "UNSAFE");
	else if (found.panic)
		ok &= tells(&found.to_unsafe, END_PANIC, "panic");
	if (found.waits)
		ok &= tells(&found.to_wait, END_WAIT, "un-kicked wait");
	return ok;
}

static const char *result(void)
{
	if (found.complete)
		return words(found.unsafe, found.waits);
	return found.panic ? "panic" : "too many states";
}

static void check(struct expect want, bool show)
{
	bool ok;

	search(&found);
	ok = found.complete && found.unsafe == want.unsafe && found.waits == want.waits;
	printf("%-42s %-7s %u x %u x %u x %u  %-22s %8u %8u %6u  %s\n", want.name,
	       config.instant ? "instant" : "flight", config.initiators, config.edits,
	       config.readers, config.runs, result(), found.states, found.transitions,
	       found.ms, ok ? "ok" : "FAIL");
	if (!ok)
		printf("#   wanted: %s\n", words(want.unsafe, want.waits));
	if (show || !ok)
		ok &= schedules();
	*(ok ? &passed : &failed) += 1;
	fflush(stdout);
}

static struct config small(const struct inval_proto *proto)
{
	return (struct config){
		.proto = proto, .initiators = 1, .readers = 1, .runs = 2, .edits = 1
	};
}

static struct config of_row(const struct row *r)
{
	struct config c = small(r->proto);

	c.eats = r->eats;
	c.quarter = r->quarter;
	c.edits = r->edits ? r->edits : 1;
	c.door = r->door;
	c.burden = r->burden;
	c.initiators = r->initiators ? r->initiators : 1;
	return c;
}

static void check_row(const struct row *r)
{
	char name[60];

	snprintf(name, sizeof(name), "%s%s%s", r->id, r->what ? ": " : "",
		 r->what ? r->what : "");
	config = of_row(r);
	check((struct expect){ name, r->unsafe_flight, r->waits }, true);
	config.instant = true;
	check((struct expect){ name, r->unsafe_instant, r->waits }, false);
}

/* The same without what words.h saves: the verdict must not depend on it. */
static void check_full(const struct row *r)
{
	char name[60];

	snprintf(name, sizeof(name), "%s, each access a decision", r->id);
	config = of_row(r);
	config.full = true;
	check((struct expect){ name, r->unsafe_flight, r->waits }, false);
}

static const struct row *row(const char *id)
{
	for (unsigned i = 0; i < row_count; i++)
		if (!strcmp(rows[i].id, id))
			return &rows[i];
	return NULL;
}

/* A protocol that ships is safe and live exactly when it says that it is sound. */
static void check_shipping(const struct inval_proto *p)
{
	static const struct {
		unsigned initiators, edits, readers;
	} sizes[] = { { 1, 1, 1 }, { 1, 2, 1 }, { 1, 1, 2 }, { 2, 1, 1 } };

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
		config = small(p);
		config.initiators = sizes[i].initiators;
		config.edits = sizes[i].edits;
		config.readers = sizes[i].readers;
		check((struct expect){ p->name, !p->sound, false }, false);
	}
}

/* The door around each protocol that ships, which knows nothing of it. */
static void check_door(const struct inval_proto *p)
{
	char name[60];

	if (!p->sound)
		return;
	snprintf(name, sizeof(name), "%s, behind the door", p->name);
	config = small(p);
	config.door = DOOR;
	check((struct expect){ name, false, false }, false);
}

static void controls(void)
{
	config = small(row("H4")->proto);
	config.no_buffer = true;
	check((struct expect){ "control: H4, no store buffer", false, false }, false);
	config = small(row("lazy")->proto);
	config.no_buffer = true;
	check((struct expect){ "control: lazy, slots drained", false, true }, false);
	config = small(row("H1")->proto);
	config.instant = true;
	check((struct expect){ "control: H1, no flight", false, false }, false);
	config = small(row("H7")->proto);
	config.no_fill = true;
	check((struct expect){ "control: H7, no TLB fill", false, false }, false);
	config = small(row("H2")->proto);
	config.leaves = true;
	check((struct expect){ "control: H2, guests leave", false, false }, false);
	config = small(row("H3+H12")->proto);
	check((struct expect){ "control: H3+H12, flight only", true, false }, false);
	config = small(row("H3")->proto);
	config.eats = true;
	check((struct expect){ "H3, eaten after enter", true, true }, false);
}

int suite(void)
{
	printf("%-42s %-7s %-13s  %-22s %8s %8s %6s\n", "# what", "kicks",
	       "I x E x R x G", "verdict", "states", "steps", "ms");
	printf("# I initiators of E edits each, R readers of G guest runs each\n");
	for (unsigned i = 0; i < row_count; i++)
		check_row(&rows[i]);
	for (unsigned i = 0; i < row_count; i++)
		if (rows[i].edits < 4) /* or it takes many seconds each */
			check_full(&rows[i]);
	for (unsigned i = 0; i < inval_proto_count; i++)
		check_shipping(inval_protos[i]);
	for (unsigned i = 0; i < inval_proto_count; i++)
		check_door(inval_protos[i]);
	controls();
	printf("%u passed, %u failed, 0 skipped\n", passed, failed);
	return failed ? 1 : 0;
}
