/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steps - delays and holds at the numbered steps of protocols, by a plan
 *
 * A plan is a list of items, comma between.  CPU.STEP.N is the Nth time that the CPU
 * comes to the step since the plan was armed; there it does one of three things:
 *
 *      1.R2.3+500          spins 500 times
 *      1.S1.1@0.done.1     is held until CPU 0 has come to `done` for the first time
 *      0.made.1^1          sends CPU 1 a kick that nobody needs
 *
 * Steps are those of inval/ (their STEP() labels), and around each protocol:
 *
 *      initiator    edit, made, done     before the EPT changes, after, and when the
 *                                        invalidation is held for complete
 *      reader       enter, entry, left   before the enter hook, before VM entry, and
 *                                        after VM exit before the exit hook
 *
 * A hold ends by itself after STEPS_PATIENCE turns: a sound protocol may wait for who
 * is held, and then what the CPU is held for cannot come.  Checked build only.
 */
#ifndef TESTS_STEPS_H
#define TESTS_STEPS_H

#include "boot/config.h"
#include "lib/atomic.h"
#include "lib/rng.h"

#define STEPS_ITEMS    CONFIG_STEPS
#define STEPS_NAME     8
#define STEPS_TEXT     CONFIG_LIST
#define STEPS_PATIENCE 20000
#define STEPS_KNOWN    24 /* names of steps that are remembered for each CPU */

struct step_at {
	unsigned cpu;
	char step[STEPS_NAME];
	u64 nth;
};

struct step_item {
	struct step_at at;
	enum step_action { STEP_SPIN, STEP_HOLD, STEP_KICK } action;
	u64 arg;              /* turns, or whom to kick      */
	struct step_at until; /* of a hold                   */
	atomic64_t came;      /* how often, to `at`          */
	atomic64_t until_came;
	atomic64_t expired; /* the hold ended by itself    */
};

struct step_plan {
	unsigned n;
	struct step_item item[STEPS_ITEMS];
};

/* Reads a plan; false: it is none.  An empty text is an empty plan. */
bool steps_parse(struct step_plan *p, const char *text);

/* Writes it as steps_parse() reads it; what does not fit is cut. */
void steps_text(char *buf, size_t size, const struct step_plan *p);

/* Steps that a CPU has come to.  The names live for ever. */
struct step_names {
	const char *name[STEPS_KNOWN];
	atomic64_t n;
};

/*
 * Draws a plan of at most `items` items, for CPUs 0 .. cpus - 1, from the steps that
 * each of them knows.  CPU 0 is the initiator.
 */
void steps_draw(struct step_plan *p, struct rng *rng, unsigned items,
		const struct step_names *known, unsigned cpus);

/* From here to there CPUs tell their steps.  Call both while no CPU is in a protocol.
 */
void steps_begin(void);
void steps_end(void);

/* What each CPU has come to since steps_begin(); of CPU_MAX entries. */
const struct step_names *steps_known(void);

/*
 * The plan comes into force, its counts begin at 0; p stays until steps_disarm(), which
 * frees who is held, and returns when nobody looks at p any more.
 */
void steps_arm(struct step_plan *p);
void steps_disarm(void);

/* The same for a test that is given up: does not wait, the CPUs may never come. */
void steps_abandon(void);

/* Has every item been come to?  After steps_disarm(). */
bool steps_reached(const struct step_plan *p);

#endif
