/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wedge - what the silence of a CPU means: from its answer to an NMI to a sentence
 *
 *      wait --bound--> ask --no answer------------------> DEAD    given up
 *                       |---in the host-----------------> HOST    given up
 *                       '---in the guest: the NMI gets it out of there
 *                            |  wait again --bound--> ask --> GUEST  given up
 *                            '--comes back--------------> GUEST, goes on
 *
 * No hardware in here: watch.c asks, and acts.
 */
#ifndef ARCH_WEDGE_H
#define ARCH_WEDGE_H

#include "arch/x86_64/nmi.h"

enum wedge { WEDGE_DEAD, WEDGE_HOST, WEDGE_GUEST, WEDGE_KINDS };

/* A wait for one CPU.  Times are ticks of the waiter's TSC. */
struct wedge_wait {
	u64 bound;
	u64 start, since; /* of the wait; of the last sign of life */
	bool pulled;      /* an NMI has got it out of a guest      */
};

void wedge_begin(struct wedge_wait *w, u64 now, u64 bound);

/* Has it been silent for too long, so that it is to be asked? */
bool wedge_due(const struct wedge_wait *w, u64 now);

struct wedge_finding {
	enum wedge kind;
	struct where at;
	u64 silent;   /* ticks since the wait began */
	bool give_up; /* it will not come back      */
};

/* Takes the answer of a CPU that was asked because it was due. */
struct wedge_finding wedge_answer(struct wedge_wait *w, u64 now, bool answered,
				  const struct where *at);

/* "CPU 2 wedged in TEST: rip 0x..., ..."; the length that it would have had. */
size_t wedge_text(char *buf, size_t size, unsigned cpu, const char *test,
		  const struct wedge_finding *f);

/* The record of tools/judge.py, without '@' and newline. */
size_t wedge_record(char *buf, size_t size, unsigned cpu, const char *test,
		    const struct wedge_finding *f);

#endif
