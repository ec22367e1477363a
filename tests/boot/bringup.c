/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bringup - what the boot leaves behind: CPUs that work, pages that are W^X, guards
 */
#include "arch/x86_64/desc.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/layout.h"
#include "arch/x86_64/nmi.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/watch.h"
#include "mm/mem.h"
#include "tests/test.h"

static void where_am_i(void *arg)
{
	u64 *out = arg;

	out[0] = this_cpu()->id;
	out[1] = (u64)__builtin_frame_address(0);
}

TEST(boot, cpus, "every CPU does work, on a stack of its own", .aps = 1)
{
	for (unsigned i = 1; i < cpu_count; i++) {
		u64 out[2] = { 0 };
		struct work w = { .fn = where_am_i, .arg = out };

		smp_post(i, &w);
		watch_work(i, &w);
		EXPECT_EQ(t, out[0], i);
		EXPECT(t, out[1] < cpus[i]->stack_top &&
				  out[1] >= cpus[i]->stack_top -
						    STACK_MAIN_PAGES * PAGE_SIZE);
	}
}

TEST(boot, nmi, "every idle CPU answers an NMI", .aps = 1)
{
	for (unsigned i = 1; i < cpu_count; i++) {
		struct where w;

		EXPECT(t, nmi_ask(i, NMI_TELL, &w));
		EXPECT(t, w.host_rip != 0);
		EXPECT_EQ(t, w.guest_rip, 0);
		EXPECT(t, !w.in_guest && !w.irqs_off && !w.kicked);
	}
}

TEST(boot, write_xor_execute, "no page is writable and executable")
{
	u64 va = 0;
	const char *why = paging_check(&va);

	if (why)
		test_fail(t, "0x%lx: %s", va, why);
}

TEST(boot, guards, "there are unmapped pages around every stack")
{
	static const u8 guards[] = { 0, 2, 4, 6, STACK_MAIN_PAGE + STACK_MAIN_PAGES };
	u64 entry, size;

	for (unsigned c = 0; c < cpu_count; c++) {
		u64 top = cpus[c]->stack_top;
		u64 slot = top - (STACK_MAIN_PAGE + STACK_MAIN_PAGES) * PAGE_SIZE;

		for (unsigned i = 0; i < ARRAY_LEN(guards); i++)
			EXPECT(t, !paging_lookup(slot + guards[i] * PAGE_SIZE, &entry,
						 &size));
		EXPECT(t, paging_lookup(top - 1, &entry, &size));
	}
	EXPECT(t, !paging_lookup(0, &entry, &size));
}

TEST(boot, memory, "blocks of every order can be had, written and returned")
{
	for (unsigned order = 0; order < POOL_ORDERS; order++) {
		hpa_t a, b;

		if (pool_alloc(t->pool, order, &a) || pool_alloc(t->pool, order, &b)) {
			test_fail(t, "no block of order %u", order);
			return;
		}
		EXPECT(t, IS_ALIGNED(a.v | b.v, PAGE_SIZE << order));
		*(u64 *)mem_ptr(a) = 1;
		*(u64 *)mem_ptr(b) = 2;
		EXPECT_EQ(t, *(u64 *)mem_ptr(a), 1);
		pool_free(t->pool, a);
		pool_free(t->pool, b);
	}
}
