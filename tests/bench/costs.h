/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * costs - what the parts of the bench of protocols share; costs.c has the plan.
 */
#ifndef TESTS_BENCH_COSTS_H
#define TESTS_BENCH_COSTS_H

#include "tests/guest/abi.h"
#include "tests/test.h"
#include "vm/vm.h"

#define INITIATORS 4
#define BATCH_MAX  4096

/* What the operations of one initiator took, summed up; ticks of the TSC. */
struct spent {
	u64 edit, publish, poll, retire; /* without the time of looking at the clock */
	u64 done, total; /* from the edit to the return, and to the end of retire; from
			  * the publish on where several begin it together */
	u64 polls;
	u64 asked, sent; /* kicks requested, ICR writes */
};

/* One case: how many CPUs are in the guest, and what is done to them. */
struct plan {
	unsigned responders, batch, initiators, ops;
	bool phases; /* look at the clock between the parts of an operation */
};

struct costs;

/* A CPU that edits; number 0 is CPU 0, and number k the k-th from the last one. */
struct initiator {
	struct costs *c;
	unsigned k;
	struct work work;
	atomic32_t ready, rounds; /* it has begun; operations that it has finished */
	struct spent spent;
};

/* The bench of one protocol. */
struct costs {
	struct run *t;
	struct vm *vm;
	hpa_t block;          /* 2 MiB that all pages of the windows are mapped to */
	unsigned aps, active; /* vCPUs 0 .. active - 1 are in the guest */
	u64 clock;            /* 100 looks at the TSC take that many ticks */
	bool counts;          /* the TSC counts instructions */
	struct plan plan;
	atomic32_t round;  /* operations that have been called for */
	atomic32_t over;   /* no more will be: 1                   */
	atomic32_t edited; /* edits that have been made, by all    */
	struct initiator initiator[INITIATORS];
};

/* A table of pages for each initiator, and vCPUs on all APs that spin; NULL or why. */
const char *costs_open(struct costs *c);
void costs_close(struct costs *c);

/* Lets vCPU `active - 1` leave the guest for good. */
void costs_stop_one(struct costs *c);

/*
 * Waits until each vCPU that should be in the guest is seen to run there; false if one
 * does not, or if the operator wants no more.
 */
bool costs_progress(struct costs *c);

/* The largest gap of those vCPUs since costs_forget_gaps(). */
u64 costs_gap(const struct costs *c);
void costs_forget_gaps(struct costs *c);

/* Where the pages of initiator k are, and mapping some of them. */
gpa_t costs_window(unsigned k);
enum err must_check costs_map(struct costs *c, gpa_t at, u64 pages, struct gather *g);

/* Calls the initiators of c->plan together; they wait. */
void costs_call(struct costs *c);

/* All operations of c->plan, by this CPU and those that have been called. */
void costs_operate(struct costs *c);

/* Executes i % 5 turns, so that a clock with steps of 5 is met in each of its phases.
 */
void costs_dither(unsigned i);

#endif
