/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * operator - what a person, or a tool, at the serial line asks for while tests run
 *
 * The CPU that runs the tests looks now and then, where it has nothing else to do;
 * there is no interrupt, so nothing of this costs a CPU in the guest anything.
 */
#ifndef TESTS_OPERATOR_H
#define TESTS_OPERATOR_H

#include "lib/types.h"

/*
 * Somebody may be there: a console follows.  Else nothing is looked at, and a run is
 * what its seed says.
 */
void operator_listen(void);

/* For tools: tells about every second, and as each test begins, that the run lives. */
void operator_beats(bool on);

/* A run begins, and ends.  Ctrl-C that nobody asked about stop the next one. */
void operator_begin(void);
void operator_end(void);

/* The test that runs, for the beats. */
void operator_test(const char *name);

/* Looks: is the run to stop?  Once it is, the answer stays. */
bool operator_stops(void);

/* The answer of the last look; after operator_end(), has it been asked for at all? */
bool operator_stopped(void);

/* Looks at the line; true if it has printed a sentence about it. */
bool operator_pump(void);

/*
 * In a wait that has no end of its own, `since` that TSC time: panics with `where` if
 * the operator has asked twice.
 */
void operator_wait(u64 since, const char *where);

#endif
