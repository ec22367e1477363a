/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace - the last events of each CPU, for dumps and for timelines
 *
 * A ring per CPU that only its CPU writes.  An interrupt or NMI may come in the middle
 * of an event and add its own, so a slot is reserved by one instruction, and carries a
 * number by which a reader, on whatever CPU, knows a whole event from a torn one.  An
 * event costs plain stores to memory of its own CPU: it orders nothing.
 *
 * Rings have TRACE_LEN events until trace_grow().  In the fast build trace() compiles
 * to nothing.
 */
#ifndef LIB_TRACE_H
#define LIB_TRACE_H

#include "build.h"
#include "lib/types.h"

#define TRACE_LEN 16 /* events that are kept for each CPU for dumps */

/*
 * What an event means, and its arguments.  A time is taken before what others may see
 * of the event (a kick, an acknowledgement, the new generation), or after what it shows
 * of others (a kick received, a wait that is over): cause and effect never swap places.
 */
enum trace_event {
	TRACE_NONE,
	TRACE_ENTER,   /* before VM entry: generation flushed for, VM          */
	TRACE_EXIT,    /* after VM exit, before anything is acknowledged       */
	TRACE_REASON,  /* of that exit: enum exit_kind, address or vector      */
	TRACE_FLUSH,   /* before INVEPT, or what stands for it: root           */
	TRACE_KICK,    /* before it is sent: target CPU | TRACE_ASKED, number  */
	TRACE_KICKED,  /* received: sender, the last kick of how many << 32    */
	TRACE_INVAL,   /* an invalidation begins: its name, VM                 */
	TRACE_PUBLISH, /* before the protocol publishes it: generation         */
	TRACE_RETIRE,  /* before its blocks are returned: ticket, name         */
	TRACE_EDIT,    /* before the first store: address, length              */
	TRACE_EDITED,  /* after the last one: enum err                         */
	TRACE_TEST,    /* a test begins: its number                            */
	TRACE_TESTED,  /* and is judged: its number, enum verdict              */
	TRACE_LOOP,    /* a vCPU's loop begins: its number, VM                 */
	TRACE_LEFT,    /* and ends: its number                                 */
	/* What follows is kept by grown rings alone. */
	TRACE_ASK,      /* a kick that is sent later, or never: target CPU     */
	TRACE_WAIT,     /* after a first look in vain: ticket                  */
	TRACE_DONE,     /* it is complete, or said to be: ticket               */
	TRACE_ENTERING, /* before the enter hook                               */
	TRACE_LEAVING,  /* before the exit hook                                */
	TRACE_OUT,      /* after it                                            */
	TRACE_STEP,     /* before a numbered step of a protocol: its letters   */
	TRACE_EVENTS,
};

/* TRACE_KICK: one that TRACE_ASK has announced. */
#define TRACE_ASKED BIT(32)
/* TRACE_KICKED: an earlier interrupt has answered for all. */
#define TRACE_NOBODY UINT32_MAX

struct trace_line {
	u64 tsc, a, b;
	enum trace_event what;
};

/* One event in memory. */
struct trace_slot {
	u64 mark; /* number of the event + 1, and what it is; 0: being written */
	u64 tsc, a, b;
};

/* Are there grown rings?  Changed while no CPU runs a guest. */
extern bool trace_fine;

/* `cpu` is the executing one. */
void trace_add(unsigned cpu, enum trace_event what, u64 a, u64 b);

static inline void trace2(unsigned cpu, enum trace_event what, u64 a, u64 b)
{
	if (CHECKED)
		trace_add(cpu, what, a, b);
}

static inline void trace(unsigned cpu, enum trace_event what, u64 arg)
{
	trace2(cpu, what, arg, 0);
}

/* For what is told by grown rings alone. */
static inline void trace_detail(unsigned cpu, enum trace_event what, u64 arg)
{
	if (CHECKED && trace_fine)
		trace_add(cpu, what, arg, 0);
}

/* Is this what the executing CPU has added last? */
bool trace_repeats(unsigned cpu, enum trace_event what, u64 a);

/* A number that no other call on any CPU returns. */
u64 trace_name(unsigned cpu);

/*
 * From now on the ring of `cpu` keeps the last n events, a power of two, in `slot`,
 * which is zeroed.  While that CPU is idle.
 */
void trace_grow(unsigned cpu, struct trace_slot *slot, u32 n);

/* How many events of `cpu` are kept at most, and how many it has added so far. */
u32 trace_room(unsigned cpu);
u64 trace_count(unsigned cpu);

/* The i-th event that `cpu` has added; false when it is torn, or gone. */
bool trace_get(unsigned cpu, u64 i, struct trace_line *out);

/* The last TRACE_LEN events, oldest first; TRACE_NONE where there is none. */
void trace_copy(unsigned cpu, struct trace_line to[static TRACE_LEN]);

/* trace_text.c: for people. */
const char *trace_event_name(enum trace_event what);
void trace_print(unsigned cpu, const struct trace_line from[static TRACE_LEN]);

/* Prints the last events of CPUs 0 .. cpus - 1, oldest first. */
void trace_dump(unsigned cpus);

#endif
