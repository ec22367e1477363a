/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace - the last events of each CPU, for dumps and for timelines
 *
 *      reserve   i := next, next++      one instruction: an interrupt comes before or
 * after spoil     mark := 0              a reader that looks now sees no event fill
 * tsc, a, b seal      mark := i + 1, what
 *
 * A handler that interrupts this gets slots of its own.  If it goes all the way around,
 * it fills and seals this slot too; then the interrupted event seals it with a number
 * that is too old, and a reader who expects the new one holds it for torn.  Readers
 * look at the mark before and after they copy the rest.  That needs stores to be seen
 * in program order, as they are on x86; the compiler keeps it at barrier().
 *
 * The words are plain, and are none of the operations that natively recorded tests
 * count: what a CPU stores here means nothing to the others.
 */
#include "lib/trace.h"

#define WHAT BITS(7, 0)

static struct ring {
	_Alignas(CACHE_LINE) u64 next;
	u64 names;
	struct trace_slot *slot; /* NULL: few */
	u32 room;                /* of slot   */
	struct trace_slot few[TRACE_LEN];
} ring[CPU_MAX];

bool trace_fine;

static inline void barrier(void)
{
	__asm__ volatile("" : : : "memory");
}

/* What it was.  No lock prefix: it is whole for this CPU, which is all that writes. */
static inline u64 take(u64 *word)
{
	u64 was = 1;

	__asm__ volatile("xaddq %0, %1" : "+r"(was), "+m"(*word) : : "memory", "cc");
	return was;
}

/*
 * Not before the loads that come before it: LFENCE waits until they are done, and RDTSC
 * does not by itself (SDM vol. 2, RDTSC).
 */
static inline u64 now(void)
{
	u32 low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (u64)high << 32 | low;
}

static struct trace_slot *slot_of(struct ring *r, u64 i)
{
	return r->slot ? &r->slot[i & (r->room - 1)] : &r->few[i % TRACE_LEN];
}

void trace_add(unsigned cpu, enum trace_event what, u64 a, u64 b)
{
	struct ring *r = &ring[cpu];
	u64 i = take(&r->next);
	struct trace_slot *s = slot_of(r, i);

	s->mark = 0;
	barrier();
	s->tsc = now();
	s->a = a;
	s->b = b;
	barrier();
	s->mark = (i + 1) << 8 | what;
}

bool trace_repeats(unsigned cpu, enum trace_event what, u64 a)
{
	struct trace_line last;
	u64 n = trace_count(cpu);

	return n && trace_get(cpu, n - 1, &last) && last.what == what && last.a == a;
}

u64 trace_name(unsigned cpu)
{
	return (u64)cpu << 32 | (take(&ring[cpu].names) + 1);
}

void trace_grow(unsigned cpu, struct trace_slot *slot, u32 n)
{
	ring[cpu].room = n;
	ring[cpu].slot = slot;
}

u32 trace_room(unsigned cpu)
{
	return ring[cpu].slot ? ring[cpu].room : TRACE_LEN;
}

u64 trace_count(unsigned cpu)
{
	barrier();
	return ring[cpu].next;
}

bool trace_get(unsigned cpu, u64 i, struct trace_line *out)
{
	const struct trace_slot *s = slot_of(&ring[cpu], i);
	u64 mark = s->mark;

	barrier();
	*out = (struct trace_line){ s->tsc, s->a, s->b,
				    (enum trace_event)(mark & WHAT) };
	barrier();
	return mark >> 8 == i + 1 && s->mark == mark;
}

void trace_copy(unsigned cpu, struct trace_line to[static TRACE_LEN])
{
	u64 n = trace_count(cpu), first = n - MIN(n, (u64)TRACE_LEN);

	for (u64 i = 0; i < TRACE_LEN; i++)
		if (!trace_get(cpu, first + i, &to[i]))
			to[i].what = TRACE_NONE;
}
