/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * suite - everything that the explorer checks by itself.
 */
#ifndef TESTS_EXPLORE_SUITE_H
#define TESTS_EXPLORE_SUITE_H

/* Prints a line for each check, and the counts last; the exit status. */
int suite(void);

#endif
