/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crash - ways to end that must never look like a pass; hidden, for the runner's tests
 */
#include "arch/x86_64/insn.h"
#include "arch/x86_64/layout.h"
#include "tests/operator.h"
#include "tests/test.h"

TEST(selftest, panic, "panics", .hidden = true)
{
	(void)t;
	panic("asked to");
}

TEST(selftest, fault, "reads an address that nothing maps", .hidden = true)
{
	const volatile u64 *volatile nowhere = (u64 *)8;

	EXPECT_EQ(t, *nowhere, 0);
}

/* Overruns the stack: the guard page makes it a double fault, on its own stack. */
static u64 recurse(volatile u64 n)
{
	volatile u64 pad[64] = { n };

	return n ? recurse(n - 1) + pad[0] : 0;
}

TEST(selftest, overflow, "overruns the stack", .hidden = true)
{
	EXPECT_EQ(t, recurse(1000000), 0);
}

TEST(selftest, triple, "loads an empty IDT and traps", .hidden = true)
{
	struct table_reg none = { 0, 0 };

	(void)t;
	lidt(&none);
	asm volatile("ud2");
}

TEST(selftest, hang, "never ends", .hidden = true)
{
	(void)t;
	for (;;)
		asm volatile("" : : : "memory");
}

TEST(selftest, wait, "waits for ever, or until an operator asks twice", .hidden = true)
{
	u64 start = rdtsc();

	(void)t;
	for (;;)
		operator_wait(start, "selftest/wait waits for ever");
}

TEST(selftest, fail, "fails", .hidden = true)
{
	test_fail(t, "asked to");
}

TEST(selftest, inconclusive, "comes to no verdict", .hidden = true)
{
	test_inconclusive(t, "asked to");
}

TEST(selftest, leak, "keeps a frame", .hidden = true)
{
	hpa_t pa;

	EXPECT_EQ(t, pool_alloc(t->pool, 0, &pa), E_OK);
}
