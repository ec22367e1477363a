/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario - one edit under one protocol, judged by what guests do through the window
 *
 * All scenarios share a stage: k vCPUs hammer on the window at GUEST_WINDOW and never
 * exit by themselves; the window shows one of two blocks; each vCPU has a word of its
 * own in it.  A scenario is a row of functions; stage.c does the rest.
 */
#ifndef TESTS_PROTO_SCENARIO_H
#define TESTS_PROTO_SCENARIO_H

#include "tests/test.h"
#include "vm/vm.h"

struct stage;

/* Where the words of the vCPUs are, and how large the window is. */
enum layout {
	ONE_PAGE, /* a window of 4 KiB, words side by side                  */
	SPREAD,   /* a window of 2 MiB, words spread over its 4 KiB parts   */
	ONE_PART, /* a window of 2 MiB, words side by side in part PART     */
	PAGED,    /* a window of STAGE_PAGES pages, each of one vCPU or few */
};
#define STAGE_PAGES 16
#define PART        7

struct scenario {
	enum layout layout;
	u64 role; /* of the guests: GUEST_WRITER ... */
	/* Maps the window at first; NULL: it shows block 0. */
	enum err (*open)(struct stage *, struct gather *);
	/* The edit that is judged, and what brings the window back after it. */
	enum err (*edit)(struct stage *, struct gather *);
	enum err (*restore)(struct stage *, struct gather *);
	/* The block that the edit took away is used for something else: who minds? */
	u64 (*reuse)(struct stage *, struct gather *, unsigned old);
	bool unseen;     /* stale uses look like any others: only the ghost can tell */
	unsigned cost;   /* so many times fewer iterations; 0 is 1             */
	unsigned flight; /* so many times longer are kicks under way; 0 is 1 */
};

/* The stage for one number of vCPUs. */
struct stage {
	const struct scenario *scenario;
	struct run *t;
	struct vm *vm;
	hpa_t block[2];
	hpa_t tripwire;  /* a frame that nobody may touch */
	unsigned mapped; /* which block the window shows */
	u64 size;
	u64 edits;
	u64 caught;           /* violations before this stage */
	atomic64_t tripped;   /* software walks that ended at the tripwire */
	u64 flushes[CPU_MAX]; /* each reader's flushes when the last edit was made   */
	u64 root[CPU_MAX];    /* and the root that it entered by                     */
	u64 before[CPU_MAX];  /* what a guest's counter was at some moment */
	u64 elsewhere[CPU_MAX]; /* and that of the block which is not mapped */
	bool prompt; /* kicks arrive at once, whatever the configuration says */
	struct step_plan plan; /* of the next edit                           */
};

/* The body of a test whose arg is a struct scenario with all functions. */
void scenario_run(struct run *t);

#define SCENARIO_TEST(id, fn, what, ...)                                         \
	TEST_RECORD(proto_##id, "proto/" #id, fn, what,                          \
		    .arg = &(const struct scenario){ __VA_ARGS__ }, .vmx = true, \
		    .protocols = true, .aps = 1)
#define SCENARIO(id, what, ...) SCENARIO_TEST(id, scenario_run, what, __VA_ARGS__)

/* Makes the plan of the next edit, as the configuration says. */
void scenario_plan(struct stage *s);

/* One edit, judged, under s->plan.  False: there is no point in more. */
bool scenario_once(struct stage *s);

/* How many invalidations this test makes: `share` of them with each number of guests.
 */
u64 scenario_share(const struct run *t);

/* Turns violations into a verdict. */
void scenario_judge(struct run *t);

/* Gives kicks a random time of flight, as the configuration says. */
void scenario_delay(struct run *t);

/* Builds and starts a stage with `vcpus` guests, or records why not. */
bool stage_open(struct stage *s, struct run *t, const struct scenario *sc,
		unsigned vcpus);
void stage_close(struct stage *s);

/* As stage_open(), but for vm_start(): the caller has more to prepare. */
bool stage_build(struct stage *s, struct run *t, const struct scenario *sc,
		 unsigned vcpus);

/*
 * Is there no point in going on?  The initiator waited in vain, or guests were caught:
 * if nobody has kicked them, they will keep what they have.
 */
bool stage_over(struct stage *s);

/*
 * Waits until each guest has used the window since now; false: it does not, or the
 * operator wants no more.
 */
bool stage_progress(struct stage *s);

/*
 * An emulator may flush at each entry by itself, and so hide a flush that is missing.
 * Notes the flushes at an edit; each guest that has gone on since must have flushed, or
 * got another root.
 */
void stage_note_flushes(struct stage *s);
bool stage_all_flushed(struct stage *s);

/* The word of a vCPU in a block. */
atomic64_t *stage_word(const struct stage *s, unsigned block, unsigned vcpu);

/* Fills the words of a block: with its tag, or with poison. */
void stage_fill(struct stage *s, unsigned block, u64 tag);

/* The guest's count of uses of the window that show `block`. */
u64 stage_uses(const struct stage *s, unsigned vcpu, unsigned block);
void stage_snapshot(struct stage *s, unsigned block);
/*
 * How much is there to be seen?  Where a CPU may stand still at any moment, waits until
 * there is something, but not for ever.  The other: of stage_uses_since().
 */
u64 stage_await(u64 (*seen)(const struct stage *, const void *), const struct stage *s,
		const void *arg);
u64 stage_await_use(const struct stage *s, unsigned block);

/* Uses since the snapshot that certainly happened after it. */
u64 stage_uses_since(const struct stage *s, unsigned block);

/* How many guests used the poisoned block: words overwritten, poison seen. */
u64 stage_poison_used(const struct stage *s, unsigned block);

/*
 * Spins a moment after an edit, so that accesses that were translated before it have
 * been done, and what a snapshot misses from now on is stale.
 */
void stage_settle(void);

/* Spins until no kick is under way, and a moment more. */
void stage_watch(void);

/*
 * Asks again and again until no kick is under way; the first answer that is not 0, else
 * the last one.  For what is seen only while a CPU is stale.
 */
u64 stage_watch_for(u64 (*bad)(const struct stage *, const void *),
		    const struct stage *s, const void *arg);

#endif
