/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timeline - the events of each test as records, for tools/timeline.py.
 */
#ifndef TESTS_TIMELINE_H
#define TESTS_TIMELINE_H

#include "tests/test.h"

/*
 * Makes the rings as large as trace= says, compares the clocks, and prints records of
 * both.  NULL, or why not; nothing at all without trace=.  When all CPUs are up and
 * idle.
 */
const char *timeline_init(const struct config *c, struct pool *pool);

/* Before and after a test, the `number`th. */
void timeline_begin(unsigned number);
void timeline_end(const struct run *t, unsigned number);

#endif
