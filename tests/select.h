/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * select - which tests run, in which order.
 */
#ifndef TESTS_SELECT_H
#define TESTS_SELECT_H

#include "tests/test.h"

#define SELECT_MAX 1024

struct selection {
	const struct test *test[SELECT_MAX]; /* by file and line */
	const struct inval_proto *proto[SELECT_MAX];
	bool mutant[SELECT_MAX];
	unsigned n;
};

/*
 * Applies run=, proto= and mutant=.  False when a glob matches nothing, after a line
 * that says so and lines that list what exists.
 */
bool select_tests(struct selection *s, const struct config *c);

#endif
