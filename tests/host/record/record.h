/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record - shows every atomic operation of the sources to the test that runs.
 *
 * The programs of tests/host/record are one thread; a hook that does something plays
 * another CPU at exactly that moment.
 */
#ifndef TESTS_HOST_RECORD_RECORD_H
#define TESTS_HOST_RECORD_RECORD_H

#include "lib/types.h"

enum op_what {
	OP_LOAD,
	OP_STORE, /* is about to happen                           */
	OP_RMW,   /* is about to happen, or to fail               */
	OP_DONE,  /* a store or an RMW has happened, and succeeded */
	OP_FENCE, /* a full fence on its own: `at` is NULL         */
	OP_RELAX, /* a turn of a spin loop: `at` is NULL           */
};

struct op {
	enum op_what what;
	const volatile void *at;
	unsigned size;
	u64 value; /* to be stored, or the operand of an RMW */
};

/* Called for each operation while it is set; not for those that it does itself. */
extern void (*record_hook)(const struct op *);

/* Kicks that were sent, and flushes that were done, so far. */
extern unsigned record_kicks, record_flushes;

static inline void record(struct op op)
{
	void (*hook)(const struct op *) = record_hook;

	if (!hook)
		return;
	record_hook = NULL;
	hook(&op);
	record_hook = hook;
}

#endif
