/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch - noticing CPUs that do not come back, and going on without them
 */
#ifndef ARCH_WATCH_H
#define ARCH_WATCH_H

#include "arch/x86_64/checkpoint.h"
#include "arch/x86_64/smp.h"
#include "arch/x86_64/wedge.h"

/* Ticks of the TSC after which silence is suspicious; 0: this machine's own number. */
void watch_init(u64 ticks);

/* A wait of this CPU for another one. */
struct watch {
	unsigned cpu, turns;
	struct wedge_wait wait;
};

void watch_start(struct watch *w, unsigned cpu);

/*
 * One turn of the wait.  If CPU 0 has waited for too long, it gives the test up and
 * does not return, unless the other one was in a guest: then the test fails, and the
 * wait goes on.  Other CPUs just wait; CPU 0 will come to wait for them.
 */
void watch_turn(struct watch *w);

/* Waits for work that has been posted to `cpu`. */
void watch_work(unsigned cpu, const struct work *w);

/* The same, for waits that come here seldom: each time is a look at the clock. */
void watch_look(struct watch *w);
/* ... and do not know for which CPU they wait: for any that has work. */
void watch_look_around(struct watch *w);

/* CPU 0 begins with the test of that name; a sign of life, too. */
void watch_test(const char *name);

/*
 * Tests from here on come back to `to` when they are given up: every other CPU is then
 * idle, or parked.  NULL: they may not.  release() is called before, to let go of CPUs
 * that the test holds up.
 */
void watch_guard(const struct checkpoint *to, void (*release)(void));

/* What was said since watch_test(), first of all, or NULL. */
const char *watch_said(void);

/*
 * stop_guests() asks all guests to leave, and may be called again and again;
 * forget_guests() is told that none runs any more.  Once.
 */
void watch_guests(void (*stop_guests)(void), void (*forget_guests)(void));

/* A sign of life of CPU 0, where it waits for nobody: at a prompt. */
void watch_beat(void);

/* CPU 0 is done, and will never show any more of them. */
void watch_end(void);

/* How an idle CPU looks at CPU 0: before it halts, and before it does other things. */
void watch_idle(void);
void watch_busy(void);

#endif
