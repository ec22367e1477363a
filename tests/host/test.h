/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test - how a native test is declared, and what it may expect
 *
 *	TEST(poll_sees_the_writer)
 *	{
 *		EXPECT_EQ(smr_poll(&s, t), true);
 *	}
 *
 * There is no central list: each test puts a record in the section `native_tests`, and
 * the runner sorts by file and line.  Options go after the name: TEST(x, .secs = 5).
 *
 * EXPECT_* may be called from any thread that the test starts, and give the truth
 * of what they check, so that `if (!EXPECT(p)) return;` works.  EXPECT_PANIC and SKIP
 * are for the thread that runs the test.
 */
#ifndef TESTS_HOST_TEST_H
#define TESTS_HOST_TEST_H

#include <setjmp.h>

#include "lib/rng.h"
#include "lib/types.h"

struct test {
	const char *name, *file;
	int line;
	void (*run)(void);
	unsigned secs; /* of CPU time: one that takes more hangs; 0: 60 */
};

#define TEST(id, ...)                                                          \
	static void test_##id(void);                                           \
	static const struct test record_##id = { .name = #id,                  \
						 .file = __FILE__,             \
						 .line = __LINE__,             \
						 .run = test_##id,             \
						 __VA_ARGS__ };                \
	static const struct test *const entry_##id                             \
		__attribute__((section("native_tests"), used)) = &record_##id; \
	static void test_##id(void)

/* Random numbers that depend on the printed seed and the test's name alone. */
struct rng test_rng(void);

/* A line of diagnostics: "# " comes in front, the newline behind. */
void test_say(const char *f, ...) printf_like(1, 2);

bool test_true(bool ok, const char *file, int line, const char *expr);
bool test_equal(u64 is, u64 want, const char *file, int line, const char *expr);
bool test_string(const char *is, const char *want, const char *file, int line,
		 const char *expr);

/* The test fails, and goes on. */
#define EXPECT(cond) test_true((cond), __FILE__, __LINE__, #cond)
#define EXPECT_EQ(expr, want) \
	test_equal((u64)(expr), (u64)(want), __FILE__, __LINE__, #expr)
#define EXPECT_STR(expr, want) test_string((expr), (want), __FILE__, __LINE__, #expr)

/* `stmt` must end in panic().  What it allocated is lost; its locals are undefined. */
#define EXPECT_PANIC(stmt)                                                     \
	do {                                                                   \
		jmp_buf panic_jump;                                            \
		if (!setjmp(panic_jump)) {                                     \
			test_arm_panic(&panic_jump);                           \
			stmt;                                                  \
			test_arm_panic(NULL);                                  \
			test_true(false, __FILE__, __LINE__, #stmt " panics"); \
		}                                                              \
	} while (0)
void test_arm_panic(jmp_buf *to);

/* What the last panic() that was expected said. */
const char *test_panic_text(void);

/* Ends the test: it could not be run, for this reason. */
#define SKIP(...)                       \
	do {                            \
		test_skip(__VA_ARGS__); \
		return;                 \
	} while (0)
void test_skip(const char *f, ...) printf_like(1, 2);

#endif
