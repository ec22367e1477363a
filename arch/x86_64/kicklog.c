/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kicklog - which kicks an interrupt answers, for the trace
 *
 * An interrupt carries no sender, and several kicks may become one.  So each pair of
 * CPUs has a count of kicks that only the sender writes, right before it sends, and a
 * count that only the target keeps: those that it has seen.  An interrupt answers all
 * that have been counted and not seen.  What a sender stored before the kick is older
 * than its count, so whoever sees the count sees that too: to answer a kick early, by
 * the interrupt of another, is to answer it.  Its own interrupt then finds nothing new.
 *
 *      sender s, target t           count[s][t]++   send
 *      target t                     interrupt       for each s: seen[t][s] :=
 * count[s][t]
 *
 * The count is a plain store: a locked one would be a fence before each kick, and hide
 * from the checked build a fence that a protocol lacks.  Where ICR writes do not wait
 * for older stores (x2APIC, SDM vol. 3, 11.12.3), an interrupt may come before its
 * count is seen; it then is one of nobody, and the next one answers for it.
 */
#include "arch/x86_64/kicklog.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/insn.h"
#include "lib/str.h"
#include "lib/trace.h"
#include "mm/mem.h"

static atomic32_t *count; /* [sender][target], NULL: kicks are not counted */
static u32 *seen;         /* [target][sender]                              */

static void *table(struct pool *pool, size_t size)
{
	hpa_t pa;

	if (pool_order(size) >= POOL_ORDERS || pool_alloc(pool, pool_order(size), &pa))
		return NULL;
	memset(mem_ptr(pa), 0, size);
	return mem_ptr(pa);
}

const char *kicklog_init(struct pool *pool)
{
	u64 pairs = (u64)cpu_count * cpu_count;

	seen = table(pool, pairs * sizeof(*seen));
	count = table(pool, pairs * sizeof(*count));
	return seen && count ? NULL
			     : "no memory to count the kicks of each CPU to each";
}

void kicklog_send(unsigned cpu, u64 flags)
{
	unsigned self = this_cpu()->id;
	u64 irqs, n = 0;

	if (!count) {
		trace2(self, TRACE_KICK, cpu | flags, 0);
		return;
	}
	irqs = irq_save(); /* the timer's interrupt sends as well */
	n = load_relaxed(&count[self * cpu_count + cpu]) + 1;
	trace2(self, TRACE_KICK, cpu | flags, n);
	store_release(&count[self * cpu_count + cpu], (u32)n);
	irq_restore(irqs);
}

void kicklog_take(void)
{
	unsigned self = this_cpu()->id;
	bool any = false;

	for (unsigned s = 0; count && s < cpu_count; s++) {
		u32 n = load_acquire(&count[s * cpu_count + self]);
		u32 news = n - seen[self * cpu_count + s];

		if (!news)
			continue;
		seen[self * cpu_count + s] = n;
		trace2(self, TRACE_KICKED, s, (u64)news << 32 | n);
		any = true;
	}
	if (!any)
		trace2(self, TRACE_KICKED, TRACE_NOBODY, 0);
}
