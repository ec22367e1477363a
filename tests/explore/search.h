/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * search - every state that `config` can reach, and what is wrong with them.
 */
#ifndef TESTS_EXPLORE_SEARCH_H
#define TESTS_EXPLORE_SEARCH_H

#include "tests/explore/choice.h"

#define SCHEDULE_MAX 500
#define STATES_MAX   20000000u

/* From the first state to the one that matters.  No other is shorter. */
struct schedule {
	unsigned length;
	struct choice step[SCHEDULE_MAX];
};

struct verdict {
	bool complete;     /* false: more than STATES_MAX states, or `panic` */
	bool unsafe;       /* a guest runs that can write to a reused page   */
	bool waits;        /* a reachable state that never becomes done, unless a guest
			    * leaves by itself */
	const char *panic; /* explored code said so; `to_unsafe` leads there */
	unsigned states, transitions, ms;
	struct schedule to_unsafe, to_wait;
};

/* Explores all of `config`. */
void search(struct verdict *v);

/* Learns who writes what in `config`, so that a schedule means what it meant. */
void search_learn(void);

/* Can the initiators finish from the world as it is, and no guest leave by itself? */
bool search_can_finish(void);

#endif
