/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rows - what is known about protocols and mutants, to be found again.
 */
#ifndef TESTS_EXPLORE_ROWS_H
#define TESTS_EXPLORE_ROWS_H

#include "inval/inval.h"
#include "tests/explore/doors.h"

struct row {
	const char *id, *what;
	const struct inval_proto *proto;
	bool eats;      /* the host has interrupts on between enter() and VM entry */
	bool quarter;   /* four advances of SMR are once around the circle         */
	unsigned edits; /* of the initiator; 0: one                                */
	enum door door; /* edits are made behind it                                */
	enum burden burden;
	unsigned initiators; /* 0: one                                             */
	bool unsafe_flight, unsafe_instant;
	bool waits;
};
extern const struct row rows[];
extern const unsigned row_count;

extern const struct inval_proto seq_published, seq_reloaded, smr_seq, smr_deferred,
	smr_lazy;

#endif
