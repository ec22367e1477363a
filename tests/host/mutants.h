/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutants - protocols with one step wrong each: what the threads must report.
 */
#ifndef TESTS_HOST_MUTANTS_H
#define TESTS_HOST_MUTANTS_H

#include "inval/inval.h"

/* A hook that is NULL is that of the protocol it is a mutant of. */
struct mutant {
	const char *name; /* NULL after the last one */
	const struct inval_proto *of;
	void (*enter)(struct inval_reader *);
	void (*exit)(struct inval_reader *);
	void (*kicked)(struct inval_reader *);
	void (*begin)(struct inval *);
	ticket_t (*publish)(struct inval *, const struct gather *);
	bool (*done)(struct inval *, ticket_t);
};

extern const struct mutant smr_mutants[], mark_mutants[], stop_mutants[], ack_mutants[],
	root_mutants[];

/* The protocol of that name, mutants included; NULL when there is none. */
const struct inval_proto *mutant_or_proto(const char *name);

#endif
