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

/* Ways through the door of inval/door.h: the shipping one, or with a step wrong. */
struct door_way {
	const char *name; /* NULL after the last one */
	void (*enter)(struct inval_reader *);
	void (*shut)(struct inval *, struct gather *);
	ticket_t (*open)(struct inval *, struct gather *);
};
extern const struct door_way door_ways[]; /* the shipping one is the first */

/* The one that is in force: the first, or what mutant_or_proto() was asked for. */
extern const struct door_way *door_way;

/*
 * The protocol of that name, mutants included, or gen-smr with that way through the
 * door; NULL when there is none.
 */
const struct inval_proto *mutant_or_proto(const char *name);

#endif
