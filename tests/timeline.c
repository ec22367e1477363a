/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timeline - the events of each test as records, for tools/timeline.py
 *
 *   timeline   how many events are kept, ticks in a millisecond, names of the letters
 *   clock      of each AP: offset to the BSP, and by how much that may be wrong
 *   ring       after a test, of each CPU: events in it, lost, torn
 *   trace      some events of a CPU in a row: the first one's number, a TSC, a string
 *
 * A serial line is slow, so an event in the string is a capital letter that says what
 * it is, the ticks since the one before, and its arguments, in hexadecimal, less zeros
 * at the end: A1f.3 is an entry 31 ticks later, for generation 3.  Rings are read when
 * no CPU runs a guest.
 */
#include "tests/timeline.h"
#include "arch/x86_64/clock.h"
#include "arch/x86_64/clocks.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/kicklog.h"
#include "inval/hw.h"
#include "inval/step.h"
#include "lib/console.h"
#include "lib/str.h"
#include "lib/trace.h"
#include "mm/mem.h"

#define LINE_MAX  900 /* characters of a record's string, about     */
#define EVENT_MAX 60  /* of one event: a letter, three words, two dots, a sign */

_Static_assert(TRACE_EVENTS <= 26, "an event is a capital letter");

static u64 start[CPU_MAX]; /* events of each CPU before the test */

/*
 * Up to 8 letters of the step's name, the first one lowest.  Those of the run loop and
 * of scenarios, in small letters, have events of their own nearby, and one of them lies
 * in the window of a protocol that does not wait, which is short.
 */
static void note_step(const char *step)
{
	unsigned cpu = hw_self();
	u64 name = 0;

	if (*step > 'Z')
		return;
	for (unsigned i = 0; step[i] && i < 8; i++)
		name |= (u64)(u8)step[i] << 8 * i;
	if (!trace_repeats(cpu, TRACE_STEP,
			   name)) /* polls come to one again and again */
		trace_detail(cpu, TRACE_STEP, name);
}

static bool grow(struct pool *pool, unsigned cpu, u32 events)
{
	u64 size = events * sizeof(struct trace_slot);
	hpa_t pa;

	if (pool_alloc(pool, pool_order(size), &pa))
		return false;
	memset(mem_ptr(pa), 0, size);
	trace_grow(cpu, mem_ptr(pa), events);
	return true;
}

static char letter(unsigned what)
{
	return (char)('A' + what - 1);
}

static void say_timeline(u64 events)
{
	print("@{\"type\":\"timeline\",\"cpus\":%u,\"room\":%lu,\"khz\":%lu,\"letters\":{",
	      cpu_count, events, clock_khz());
	for (unsigned i = 1; i < TRACE_EVENTS; i++)
		print("%s\"%c\":\"%s\"", i > 1 ? "," : "", letter(i),
		      trace_event_name((enum trace_event)i));
	print("}}\n");
}

static void say_clock(unsigned cpu)
{
	struct clock c = clock_compare(cpu);

	print("@{\"type\":\"clock\",\"cpu\":%u,\"offset\":%ld,\"slack\":%lu,"
	      "\"round_trip\":%lu,\"rounds\":%u,\"steady\":%s}\n",
	      cpu, c.offset, c.slack, c.round_trip, CLOCK_ROUNDS,
	      c.steady ? "true" : "false");
}

/* Rings and logs are made once: the shell may start many runs. */
const char *timeline_init(const struct config *c, struct pool *pool)
{
	const char *why;

	if (!CHECKED || !c->trace)
		return NULL;
	say_timeline(c->trace);
	for (unsigned cpu = 1; cpu < cpu_count; cpu++)
		say_clock(cpu);
	if (trace_fine)
		return NULL;
	why = kicklog_init(pool);
	for (unsigned cpu = 0; cpu < cpu_count && !why; cpu++)
		if (!grow(pool, cpu, (u32)c->trace))
			why = "no memory for the rings of all CPUs: fewer events, or pool=";
	trace_fine = !why;
	step_hook = why ? NULL : note_step;
	return why;
}

void timeline_begin(unsigned number)
{
	for (unsigned cpu = 0; trace_fine && cpu < cpu_count; cpu++)
		start[cpu] = trace_count(cpu);
	trace(hw_self(), TRACE_TEST, number);
}

static size_t hex(char *buf, size_t size, const struct trace_line *e, u64 before)
{
	i64 ticks = (i64)(e->tsc - before); /* after an interrupt it may be less */
	u64 way = (u64)(ticks < 0 ? -ticks : ticks);
	size_t n = fmt_str(buf, size, "%c%s%lx", letter(e->what), ticks < 0 ? "-" : "",
			   way);

	if (e->a || e->b)
		n += fmt_str(buf + n, size - n, ".%lx", e->a);
	if (e->b)
		n += fmt_str(buf + n, size - n, ".%lx", e->b);
	return n;
}

/* A record of events from the i-th on, up to one that is torn; how many it has. */
static u64 say_some(unsigned number, unsigned cpu, u64 i, u64 end)
{
	char text[LINE_MAX];
	struct trace_line e;
	u64 tsc = 0, before = 0, first = i;
	size_t n = 0;

	for (; i < end && n + EVENT_MAX < sizeof(text) && trace_get(cpu, i, &e); i++) {
		if (i == first)
			tsc = before = e.tsc;
		n += hex(text + n, sizeof(text) - n, &e, before);
		before = e.tsc;
	}
	if (i > first)
		print("@{\"type\":\"trace\",\"test\":%u,\"cpu\":%u,\"first\":%lu,"
		      "\"tsc\":%lu,\"events\":\"%s\"}\n",
		      number, cpu, first - start[cpu], tsc, text);
	return i - first;
}

static void say_ring(unsigned number, unsigned cpu)
{
	u64 end = trace_count(cpu), total = end - start[cpu];
	u64 lost = total - MIN(total, (u64)trace_room(cpu)), torn = 0;

	for (u64 i = start[cpu] + lost; i < end;) {
		u64 some = say_some(number, cpu, i, end);

		torn += !some;
		i += some ? some : 1;
	}
	print("@{\"type\":\"ring\",\"test\":%u,\"cpu\":%u,\"added\":%lu,\"lost\":%lu,"
	      "\"torn\":%lu}\n",
	      number, cpu, total, lost, torn);
}

void timeline_end(const struct run *t, unsigned number)
{
	trace2(hw_self(), TRACE_TESTED, number, t->verdict);
	for (unsigned cpu = 0; trace_fine && cpu < cpu_count; cpu++)
		say_ring(number, cpu);
}
