/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_text - events for people.
 */
#include "lib/console.h"
#include "lib/trace.h"

static const char *const name[TRACE_EVENTS] = {
	[TRACE_NONE] = "none",       [TRACE_ENTER] = "enter",
	[TRACE_EXIT] = "exit",       [TRACE_REASON] = "reason",
	[TRACE_FLUSH] = "flush",     [TRACE_ASK] = "ask",
	[TRACE_KICK] = "kick",       [TRACE_KICKED] = "kicked",
	[TRACE_INVAL] = "inval",     [TRACE_PUBLISH] = "publish",
	[TRACE_WAIT] = "wait",       [TRACE_DONE] = "done",
	[TRACE_RETIRE] = "retire",   [TRACE_EDIT] = "edit",
	[TRACE_EDITED] = "edited",   [TRACE_TEST] = "test",
	[TRACE_TESTED] = "tested",   [TRACE_LOOP] = "loop",
	[TRACE_LEFT] = "left",       [TRACE_ENTERING] = "entering",
	[TRACE_LEAVING] = "leaving", [TRACE_OUT] = "out",
	[TRACE_STEP] = "step",
};

const char *trace_event_name(enum trace_event what)
{
	return what < TRACE_EVENTS ? name[what] : "unknown";
}

void trace_print(unsigned cpu, const struct trace_line from[static TRACE_LEN])
{
	for (u32 i = 0; i < TRACE_LEN; i++)
		if (from[i].what)
			print("# trace cpu %u %lu %s 0x%lx 0x%lx\n", cpu, from[i].tsc,
			      trace_event_name(from[i].what), from[i].a, from[i].b);
}

void trace_dump(unsigned cpus)
{
	struct trace_line line[TRACE_LEN];

	for (unsigned c = 0; c < cpus; c++) {
		trace_copy(c, line);
		trace_print(c, line);
	}
}
