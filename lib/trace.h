/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace - the last events of each CPU, for the dump after a crash or a violation
 *
 * A ring per CPU that only its CPU writes; readers accept a torn last event.  In the
 * fast build trace() compiles to nothing.
 */
#ifndef LIB_TRACE_H
#define LIB_TRACE_H

#include "build.h"
#include "lib/types.h"

#define TRACE_LEN 16 /* events kept for each CPU */

/* An event's meaning and its one argument. */
enum trace_event {
	TRACE_NONE,
	TRACE_ENTER,   /* VM entry                  generation flushed for */
	TRACE_EXIT,    /* VM exit                   reason                 */
	TRACE_FLUSH,   /* INVEPT                    root                   */
	TRACE_KICK,    /* kick sent                 target CPU             */
	TRACE_KICKED,  /* kick received             0                      */
	TRACE_PUBLISH, /* an edit published         ticket                 */
	TRACE_RETIRE,  /* its blocks returned       ticket                 */
	TRACE_TEST,    /* a test begins             its number             */
	TRACE_EVENTS,
};

struct trace_line {
	u64 tsc, arg;
	enum trace_event what;
};

void trace_add(unsigned cpu, enum trace_event what, u64 arg);

static inline void trace(unsigned cpu, enum trace_event what, u64 arg)
{
	if (CHECKED)
		trace_add(cpu, what, arg);
}

/* The events of a CPU, oldest first; TRACE_NONE where there was none. */
void trace_copy(unsigned cpu, struct trace_line to[static TRACE_LEN]);
void trace_print(unsigned cpu, const struct trace_line from[static TRACE_LEN]);

/* Prints the rings of CPUs 0 .. cpus - 1 that have events, oldest first. */
void trace_dump(unsigned cpus);

#endif
