/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * window - a moment in which the host of the CPU has interrupts on; for mutants.
 */
#ifndef TESTS_EXPLORE_WINDOW_H
#define TESTS_EXPLORE_WINDOW_H

/* Takes the kick that is pending, if one is. */
void host_window(void);

#endif
