/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * choice - what may happen next, one thing at a time.
 */
#ifndef TESTS_EXPLORE_CHOICE_H
#define TESTS_EXPLORE_CHOICE_H

#include "tests/explore/world.h"

enum choice_kind {
	CHOICE_RUN,    /* a CPU does its next operation              */
	CHOICE_DRAIN,  /* the oldest store of a CPU reaches memory   */
	CHOICE_ARRIVE, /* a kick in flight arrives                   */
	CHOICE_LEAVE,  /* a guest leaves by itself                   */
	CHOICE_FILL,   /* the guest's CPU caches a translation       */
	CHOICE_KINDS,
};

struct choice {
	u8 kind, cpu, page;
};

#define CHOICE_MAX (CPUS * (2 + PAGES) * 2)

/* What may happen in the present state; the number of choices. */
unsigned choice_list(struct choice out[CHOICE_MAX]);

/* Lets it happen.  False when it cannot. */
bool choice_apply(struct choice c);

/* "1r", "0d", "1a", "1l", "1f0": CPU, kind, page; at most 4 characters. */
void choice_print(struct choice c, char out[8]);

/* Reads one, after white space; the text behind it, or NULL. */
const char *choice_scan(const char *text, struct choice *c);

#endif
