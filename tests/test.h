/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test - how a test on the machine is declared and what it may call
 *
 *	TEST(vmx, hello, "a 64-bit guest prints and exits", .vmx = true)
 *	{
 *		EXPECT_EQ(t, run_guest(t, "hello"), 0);
 *	}
 *
 * declares vmx/hello.  There is no central list: the record goes to a linker section,
 * and its name to the section .catalog, from where ./shootdown list reads it.
 *
 * The verdict comes from what the body records.  Nothing recorded is PASS; skip() and
 * inconclusive() give a reason; EXPECT_* that do not hold make it FAIL.
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include "boot/config.h"
#include "inval/ghost.h"
#include "inval/inval.h"
#include "lib/catalog.h"
#include "lib/rng.h"
#include "tests/steps.h"

enum verdict { PASS, FAIL, XFAIL, SKIP, INCONCLUSIVE, VERDICTS };

/* Who tells an unsound protocol from a sound one. */
enum detector {
	BY_GROUND,   /* guests used what was no longer theirs                  */
	BY_WATCHDOG, /* the initiator waits, and no kick is on its way         */
	BY_FLUSH,    /* a guest went on without a flush                        */
	BY_GHOST,    /* a CPU may hold what an edit took away: the ghost TLB   */
	DETECTORS
};

struct test;

/* A test that runs: its inputs, and what it has recorded so far. */
struct run {
	const struct test *test;
	const struct inval_proto *proto; /* NULL unless test->protocols */
	bool mutant;                     /* it is one of inval/zoo.h    */
	const struct config *config;
	struct pool *pool;
	struct rng rng;
	enum verdict verdict;
	bool stopped;         /* by the operator                            */
	bool caught;          /* detectors alone complain                   */
	u64 tries[DETECTORS]; /* invalidations before each complained; 0: never */
	u64 witnesses, violations, invalidations;
	u64 returns, leaks;       /* of invalidations, and those that came too early */
	struct ghost_tally ghost; /* what the ghost TLB found */
	char why[200];
	char schedule[STEPS_TEXT]; /* under which it went wrong first, or "" */
};

struct test {
	const char *name, *file;
	unsigned line;
	void (*fn)(struct run *);
	const void *arg; /* for bodies that several tests share         */
	bool vmx;        /* needs virtualization                        */
	bool ept;        /* needs it, and is about VMX and EPT alone    */
	bool protocols;  /* runs once under each protocol               */
	bool measures;   /* gives figures: passes under any protocol    */
	unsigned aps;    /* needs that many CPUs besides this one       */
	bool hidden;     /* runs only when it is asked for by its whole name */
};

/* All tests, in no order: the linker puts the section together. */
extern const struct test tests_start[], tests_end[];

#define TEST_RECORD(id, tname, tfn, what, ...)                              \
	CATALOG(id, "test", tname, what);                                   \
	static const struct test test_##id __attribute__((                  \
		section(".tests"), used, aligned(8))) = { .name = tname,    \
							  .file = __FILE__, \
							  .line = __LINE__, \
							  .fn = tfn,        \
							  __VA_ARGS__ }

#define TEST(group, id, what, ...)                                                  \
	static void group##_##id(struct run *t);                                    \
	TEST_RECORD(group##_##id, #group "/" #id, group##_##id, what, __VA_ARGS__); \
	static void group##_##id(struct run *t)

/* Records a failure with a message; the first one is kept as the reason. */
void test_fail(struct run *t, const char *f, ...) printf_like(2, 3);
/* A detector complains: a failure, and what a negative control is there for. */
void test_kill(struct run *t, enum detector by, const char *f, ...) printf_like(3, 4);
/* It will: notes when, and leaves the verdict to test_kill(). */
void test_saw(struct run *t, enum detector by);
void test_skip(struct run *t, const char *f, ...) printf_like(2, 3);
void test_inconclusive(struct run *t, const char *f, ...) printf_like(2, 3);

/*
 * Is the test to come to its end, because the operator wants no more?  Then it is a
 * SKIP, and what test_fail() says from here on does not count: half a test may lack
 * anything.  Detectors are believed, and every frame is to be returned.  For loops of
 * the CPU that runs the tests, between operations.
 */
bool test_stopped(struct run *t);

/* A measured figure: goes out as a record of its own. */
void test_figure(struct run *t, const char *metric, u64 value, const char *unit);

/* A figure of the test's protocol: what `n` operations took, for one of them. */
struct measure {
	const char *metric, *unit;
	unsigned responders, batch, initiators;
	u64 total, n;
};
void test_measure(const struct run *t, const struct measure *m);

#define EXPECT_EQ(t, expr, want)                                                 \
	do {                                                                     \
		u64 expect_is = (u64)(expr), expect_want = (u64)(want);          \
		if (expect_is != expect_want)                                    \
			test_fail(t, "%s:%d: %s is 0x%lx, want 0x%lx", __FILE__, \
				  __LINE__, #expr, expect_is, expect_want);      \
	} while (0)

#define EXPECT(t, cond)                                                             \
	do {                                                                        \
		if (!(cond))                                                        \
			test_fail(t, "%s:%d: %s does not hold", __FILE__, __LINE__, \
				  #cond);                                           \
	} while (0)

/*
 * Runs the tests that the configuration selects and prints KTAP and a record each.
 * `no_guests` is NULL, or why tests that need virtualization are skipped.
 */
enum status tests_run(const struct config *c, struct pool *pool, const char *no_guests);

#endif
