/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * haunt - what the ghost TLB found during a test becomes part of its verdict.
 */
#ifndef TESTS_HAUNT_H
#define TESTS_HAUNT_H

#include "tests/test.h"

/* Before the test. */
void haunt_begin(void);

/* During it, after each invalidation: when did the ghost see something first? */
void haunt_look(struct run *t);

/*
 * After it, when no CPU runs a guest: violations fail it.  For an unsound protocol that
 * has not been caught otherwise this is how it is caught.
 */
void haunt_judge(struct run *t);

/* The member of the test's record, with a comma behind; empty in the fast build. */
void haunt_record(const struct run *t, char *buf, size_t size);

/* Has anything been found since haunt_begin()?  May be asked while guests run. */
bool haunt_found(void);

/* For a test that commits violations on purpose: what was found, which is forgotten. */
void haunt_take(struct ghost_tally *out);

#endif
