/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * costs - the locked operations and foreign cache lines of each step of each protocol
 *
 * No machine counts these, so the sources run here with every atomic operation shown to
 * a hook (tests/host/record).  One thread plays all CPUs, and a kick is answered before
 * it returns: exit, interrupt, enter.  A protocol that needs two CPUs at once spins for
 * ever under that; it is named, and has no figures.
 *
 * A line is foreign to a reader if it is not in its own slot or its own struct; to an
 * initiator all are.  A touch is a line that a step accesses at all, however often.
 */
#include "inval/door.h"
#include "inval/hw.h"
#include "inval/inval.h"
#include "mm/mem.h"
#include "tests/host/cpu.h"
#include "tests/host/ram.h"
#include "tests/host/record/record.h"
#include "tests/host/test.h"

#include <setjmp.h>
#include <stdio.h>

#define LINES    400
#define PATIENCE 1000
#define MOST     8 /* readers */

struct tally {
	unsigned locked, lines, spins;
	u64 line[LINES];
};

/* What is counted; `answer` is that of reader 1 from its kick to its next entry. */
static struct tally enter, leave, publish, poll, answer, *now;

void (*record_hook)(const struct op *);
static struct inval iv;
static struct pool pool;
static unsigned kicks, flushes;
static jmp_buf spins_for_ever;

static bool within(const volatile void *at, const volatile void *from, size_t size)
{
	return (u64)at - (u64)from < size;
}

static bool own(const volatile void *at)
{
	unsigned cpu = hw_self();

	return cpu && (within(at, &iv.smr.slot[cpu], sizeof(iv.smr.slot[cpu])) ||
		       within(at, &iv.reader[cpu], sizeof(iv.reader[cpu])));
}

static void touch(struct tally *t, u64 line)
{
	for (unsigned i = 0; i < t->lines; i++)
		if (t->line[i] == line)
			return;
	if (t->lines < LINES)
		t->line[t->lines++] = line;
}

static void on_op(const struct op *op)
{
	if (op->what == OP_RELAX && ++now->spins > PATIENCE)
		longjmp(spins_for_ever, 1);
	now->locked += op->what == OP_RMW || op->what == OP_FENCE;
	if (op->what <= OP_RMW && within(op->at, &iv, sizeof(iv)) && !own(op->at))
		touch(now, (u64)op->at / CACHE_LINE);
}

static void count(struct tally *t)
{
	if (t && t != now)
		*t = (struct tally){ 0 };
	now = t;
	record_hook = t ? on_op : NULL;
}

void hw_kick(unsigned cpu)
{
	struct tally *before = now, rest;
	unsigned self = hw_self();
	struct inval_reader *r = &iv.reader[cpu];

	kicks++;
	now = &rest;
	rest = (struct tally){ 0 };
	if (cpu == 1) {
		answer = rest;
		now = &answer;
	}
	record_hook = on_op;
	cpu_become(cpu);
	iv.proto->exit(r);
	inval_kicked(r);
	if (!iv.door.raw) /* else it waits in the host */
		iv.proto->enter(r);
	cpu_become(self);
	now = before;
	record_hook = before ? on_op : NULL;
}

u64 hw_kicks(unsigned cpu)
{
	(void)cpu;
	return kicks;
}

void hw_use_root(u64 root)
{
	(void)root;
}

void hw_flush(u64 root)
{
	(void)root;
	flushes++;
}

/* A round trip of each reader when there is nothing to flush, then an invalidation. */
static void play(const struct inval_proto *proto, unsigned readers)
{
	struct gather g = gather_init();
	ticket_t t;

	ram_pool(&pool, 512);
	inval_init(&iv, proto, &pool, 0x123000, MOST + 1);
	for (unsigned i = 1; i <= readers; i++) {
		cpu_become(i);
		proto->enter(&iv.reader[i]);
		count(i == 1 ? &leave : NULL);
		proto->exit(&iv.reader[i]);
		count(i == 1 ? &enter : NULL);
		proto->enter(&iv.reader[i]);
		count(NULL);
	}
	cpu_become(0);
	kicks = flushes = 0;
	gather_range(&g, GPA(0), PAGE_SIZE, WHY_UNMAP);
	count(&publish);
	inval_begin(&iv);
	t = inval_publish(&iv, &g);
	count(&poll);
	for (unsigned i = 0; !inval_done(&iv, t); i++)
		if (i > PATIENCE)
			longjmp(spins_for_ever, 1);
	count(NULL);
}

static bool played(const struct inval_proto *proto, unsigned readers)
{
	enter = leave = publish = poll = answer = (struct tally){ 0 };
	if (setjmp(spins_for_ever) == 0) {
		play(proto, readers);
		return true;
	}
	count(NULL);
	cpu_become(0);
	printf("# %-16s needs CPUs that really run at once\n", proto->name);
	return false;
}

/* The figures of docs/protocols.md, for protocols that stay as they are. */
static const struct known {
	const char *name;
	unsigned enter, leave, publish, enter_lines;
} known[] = {
	{ "gen-smr", 2, 1, 2, 3 },
	{ "gen-ipi", 1, 1, 1, 2 },
};

static void expect_known(const struct inval_proto *proto)
{
	for (unsigned i = 0; i < ARRAY_LEN(known); i++) {
		const struct known *k = &known[i];

		if (__builtin_strcmp(k->name, proto->name))
			continue;
		EXPECT_EQ(enter.locked, k->enter);
		EXPECT_EQ(leave.locked, k->leave);
		EXPECT_EQ(publish.locked, k->publish);
		EXPECT_EQ(enter.lines, k->enter_lines);
	}
}

TEST(smr_section_has_one_locked_operation)
{
	cpu_become(1);
	inval_init(&iv, inval_protos[0], &pool, 0, 2);
	count(&enter);
	smr_enter(&iv.smr.slot[1]);
	count(&leave);
	smr_exit(&iv.smr.slot[1]);
	count(NULL);
	cpu_become(0);
	EXPECT_EQ(enter.locked, 1);
	EXPECT_EQ(leave.locked, 0);
	EXPECT_EQ(enter.lines, 1); /* wr, read */
	EXPECT_EQ(leave.lines, 0);
}

TEST(costs_of_protocols)
{
	printf("# locked operations / foreign lines touched, kicks; `answer` is a kicked "
	       "reader's\n# %-16s readers  enter   exit  publish    poll  answer  kicks\n",
	       "protocol");
	for (unsigned i = 0; i < inval_proto_count; i++)
		for (unsigned readers = 1; readers <= MOST; readers *= MOST) {
			if (!played(inval_protos[i], readers))
				break;
			printf("# %-16s %7u  %u / %u  %u / %u  %3u / %u  %2u / %u  "
			       "%2u / %u  %5u\n",
			       inval_protos[i]->name, readers, enter.locked,
			       enter.lines, leave.locked, leave.lines, publish.locked,
			       publish.lines, poll.locked, poll.lines, answer.locked,
			       answer.lines, kicks);
			expect_known(inval_protos[i]);
			/* Who orders nothing cannot be sound. */
			EXPECT(!inval_protos[i]->sound ||
			       enter.locked + publish.locked);
			EXPECT(kicks <= 2 * MOST);
		}
}

/* With all readers inside: what is asked of them, and what is left for the publish. */
static void play_door(const struct inval_proto *proto)
{
	struct gather g = gather_init();

	ram_pool(&pool, 512);
	inval_init(&iv, proto, &pool, 0x123000, MOST + 1);
	door_fit(&iv);
	for (unsigned i = 1; i <= MOST; i++) {
		cpu_become(i);
		proto->enter(&iv.reader[i]);
		proto->exit(&iv.reader[i]);
		count(i == 1 ? &poll : NULL);
		proto->enter(&iv.reader[i]);
		count(NULL);
		proto->exit(&iv.reader[i]);
		count(i == 1 ? &enter : NULL);
		door_enter(&iv.reader[i]);
		count(NULL);
	}
	cpu_become(0);
	kicks = 0;
	gather_range(&g, GPA(0), PAGE_SIZE, WHY_SIZE);
	count(&leave);
	door_shut(&iv, &g);
	EXPECT_EQ(kicks, MOST);
	count(&publish);
	(void)door_open(&iv, &g);
	count(NULL);
	EXPECT_EQ(kicks, MOST);
}

TEST(costs_of_the_door)
{
	printf("# locked operations / foreign lines touched, %u readers inside\n"
	       "# %-16s enter   shut   open\n",
	       MOST, "door");
	for (unsigned i = 0; i < inval_proto_count; i++) {
		if (!inval_protos[i]->sound)
			continue;
		enter = leave = publish = poll = (struct tally){ 0 };
		if (setjmp(spins_for_ever) == 0)
			play_door(inval_protos[i]);
		else
			EXPECT(false); /* it needs nobody but those that it has kicked
					*/
		printf("# %-16s %u / %u  %u / %u  %2u / %u\n", inval_protos[i]->name,
		       enter.locked, enter.lines, leave.locked, leave.lines,
		       publish.locked, publish.lines);
		EXPECT_EQ(enter.locked, poll.locked); /* as without a door */
		EXPECT(enter.lines <= poll.lines + 1);
		EXPECT_EQ(leave.locked, 1);
	}
}
