/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report - schedules in words, and schedules done again.
 */
#ifndef TESTS_EXPLORE_REPORT_H
#define TESTS_EXPLORE_REPORT_H

#include "tests/explore/search.h"

/* The violation that a schedule leads to. */
enum report_end { END_NOTHING, END_UNSAFE, END_WAIT, END_PANIC, END_IMPOSSIBLE };

/*
 * Does the schedule from the first state on and prints each step with `indent`; what it
 * ends in is said last, and returned.
 */
enum report_end report_schedule(const struct schedule *s, const char *indent);

/* "initiator 0", "reader 1". */
const char *report_cpu(unsigned cpu);

/* Reads "0r 1a ...", or what report_schedule() printed.  False, with a message. */
bool schedule_read(const char *text, struct schedule *s);

/* Does the schedule again, for a `config` that was not searched. */
enum report_end report_replay(const struct schedule *s);

#endif
