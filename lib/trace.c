/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace - the last events of each CPU, for the dump after a crash or a violation.
 */
#include "lib/trace.h"
#include "lib/console.h"

static struct ring {
	_Alignas(CACHE_LINE) u32 next;
	struct trace_line event[TRACE_LEN];
} ring[CPU_MAX];

static const char *const name[TRACE_EVENTS] = {
	[TRACE_ENTER] = "enter",   [TRACE_EXIT] = "exit",
	[TRACE_FLUSH] = "flush",   [TRACE_KICK] = "kick",
	[TRACE_KICKED] = "kicked", [TRACE_PUBLISH] = "publish",
	[TRACE_RETIRE] = "retire", [TRACE_TEST] = "test",
};

void trace_add(unsigned cpu, enum trace_event what, u64 arg)
{
	struct ring *r = &ring[cpu];

	r->event[r->next++ % TRACE_LEN] =
		(struct trace_line){ __builtin_ia32_rdtsc(), arg, what };
}

void trace_copy(unsigned cpu, struct trace_line to[static TRACE_LEN])
{
	const struct ring *r = &ring[cpu];

	for (u32 i = 0; i < TRACE_LEN; i++)
		to[i] = r->event[(r->next + i) % TRACE_LEN];
}

void trace_print(unsigned cpu, const struct trace_line from[static TRACE_LEN])
{
	for (u32 i = 0; i < TRACE_LEN; i++)
		if (from[i].what)
			print("# trace cpu %u %lu %s 0x%lx\n", cpu, from[i].tsc,
			      name[from[i].what], from[i].arg);
}

void trace_dump(unsigned cpus)
{
	struct trace_line line[TRACE_LEN];

	for (unsigned c = 0; c < cpus; c++) {
		trace_copy(c, line);
		trace_print(c, line);
	}
}
