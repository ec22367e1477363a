/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kicks - several CPUs are kicked at once: each of them takes one kick, and nobody else
 */
#include "arch/x86_64/apic.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/kick.h"
#include "arch/x86_64/smp.h"
#include "inval/hw.h"
#include "tests/test.h"

#define ROUNDS 100
#define SPINS  1000000

static u64 before[CPU_MAX];

static void before_all(void)
{
	for (unsigned i = 0; i < cpu_count; i++)
		before[i] = hw_kicks(i);
}

/* Waits until every CPU has taken what it was sent, and no more than that. */
static void expect_taken(struct run *t, u64 which)
{
	for (unsigned i = 0; i < cpu_count && i < 64; i++) {
		u64 want = before[i] + (which >> i & 1);

		for (unsigned n = 0; n < SPINS && hw_kicks(i) < want; n++)
			relax();
		EXPECT_EQ(t, hw_kicks(i), want);
	}
}

/* The clusters of those CPUs, which is how many writes their kicks may take. */
static unsigned clusters(u64 which)
{
	unsigned n = 0;

	for (unsigned i = 0; i < cpu_count && i < 64; i++) {
		bool first = which >> i & 1;

		for (unsigned j = 0; j < i; j++)
			if (which >> j & 1 &&
			    cpus[j]->logical_id >> 16 == cpus[i]->logical_id >> 16)
				first = false;
		n += first;
	}
	return n;
}

static unsigned bits(u64 x)
{
	unsigned n = 0;

	for (; x; x &= x - 1)
		n++;
	return n;
}

static void kick_some(struct run *t, u64 which)
{
	struct cpu *self = this_cpu();
	u64 asked = self->kicks_asked, sent = self->icr_writes;

	before_all();
	kick_count(true);
	hw_kick_many(0, which);
	kick_count(false);
	EXPECT_EQ(t, self->kicks_asked - asked, bits(which));
	EXPECT_EQ(t, self->icr_writes - sent,
		  self->logical_id ? clusters(which) : bits(which));
	expect_taken(t, which);
	before_all();
	hw_kick_many(0, which);
	expect_taken(t, which);
}

TEST(boot, kicks, "kicks of several CPUs reach each of them once, and nobody else",
     .aps = 1)
{
	u64 all = cpu_count < 64 ? BIT(cpu_count) - 1 : ~0ull;

	for (unsigned i = 0; i < cpu_count; i++)
		EXPECT_EQ(t, cpus[i]->logical_id != 0, apic_clusters());
	kick_some(t, all);
	for (unsigned i = 0; i < ROUNDS && t->verdict == PASS; i++)
		kick_some(t, (rng_next(&t->rng) & all) | BIT(i % cpu_count % 64));
}

/* A delayed kick is on its way until its timer has fired, and then one CPU's each. */
TEST(boot, kicks_delayed, "kicks of several CPUs, each delayed", .aps = 1)
{
	u64 all = cpu_count < 64 ? BIT(cpu_count) - 2 : ~1ull;
	u64 flags;

	kick_delay(10000);
	before_all();
	flags = irq_save(); /* the timer may fire, but sends nothing */
	hw_kick_many(0, all);
	EXPECT(t, kick_in_flight());
	EXPECT_EQ(t, hw_kicks(1), before[1]);
	irq_restore(flags);
	expect_taken(t, all);
	EXPECT(t, !kick_in_flight());
	kick_delay(KICK_LOST);
	hw_kick_many(0, all);
	kick_delay(KICK_NOW);
	expect_taken(t, all);
}
