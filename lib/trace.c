/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace - the last events of each CPU, for the dump after a crash or a violation.
 */
#include "lib/trace.h"
#include "lib/console.h"

struct event {
	u64 tsc, arg;
	enum trace_event what;
};

static struct ring {
	_Alignas(CACHE_LINE) u32 next;
	struct event event[TRACE_LEN];
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
		(struct event){ __builtin_ia32_rdtsc(), arg, what };
}

void trace_dump(unsigned cpus)
{
	for (unsigned c = 0; c < cpus; c++) {
		const struct ring *r = &ring[c];

		for (u32 i = 0; i < TRACE_LEN; i++) {
			const struct event *e = &r->event[(r->next + i) % TRACE_LEN];

			if (e->what)
				print("# trace cpu %u %lu %s 0x%lx\n", c, e->tsc,
				      name[e->what], e->arg);
		}
	}
}
