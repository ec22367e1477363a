/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main - runs native tests and prints KTAP
 *
 *	unit [--list] [--seed N] [--verbose] [GLOB ...]
 *
 * The last line is `N passed, N failed, N skipped`.  Exit status 0: nothing failed;
 * 1: something did; 2: an argument is wrong, or a glob matches nothing.  A sanitizer's
 * report, a panic that was not expected and a test that hangs end the run at once.
 */
#define _XOPEN_SOURCE 700

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/str.h"
#include "tests/host/test.h"

#define DEFAULT_SECS 60
#define COMPLAINTS   20 /* lines about one test; a loop may fail in each turn */

/* The linker gives these bounds to a section whose name is a C identifier. */
extern const struct test *const __start_native_tests[], *const __stop_native_tests[];

static const struct test *running;
static unsigned complaints; /* of the running test, from any thread */
static char skip_reason[200];
static u64 seed = 1;
static bool verbose;

static _Thread_local jmp_buf *panic_to;
static _Thread_local char panic_said[300];

void test_say(const char *f, ...)
{
	char line[1000];
	va_list ap;

	va_start(ap, f);
	vsnprintf(line, sizeof(line), f, ap);
	va_end(ap);
	printf("# %s\n", line);
}

/* Counts a failure; true while its text is worth printing. */
static bool complain(void)
{
	unsigned n = __atomic_fetch_add(&complaints, 1, __ATOMIC_SEQ_CST);

	if (n == COMPLAINTS)
		test_say("more of the same is left out");
	return n < COMPLAINTS;
}

bool test_true(bool ok, const char *file, int line, const char *expr)
{
	if (!ok && complain())
		test_say("%s:%d: %s is false", file, line, expr);
	return ok;
}

bool test_equal(u64 is, u64 want, const char *file, int line, const char *expr)
{
	if (is != want && complain())
		test_say("%s:%d: %s is 0x%lx, want 0x%lx", file, line, expr, is, want);
	return is == want;
}

static const char *quoted(const char *s, char *buf, size_t size)
{
	if (!s)
		return "NULL";
	snprintf(buf, size, "\"%s\"", s);
	return buf;
}

bool test_string(const char *is, const char *want, const char *file, int line,
		 const char *expr)
{
	bool same = is == want || (is && want && !strcmp(is, want));
	char a[200], b[200];

	if (!same && complain())
		test_say("%s:%d: %s is %s, want %s", file, line, expr,
			 quoted(is, a, sizeof(a)), quoted(want, b, sizeof(b)));
	return same;
}

void test_skip(const char *f, ...)
{
	va_list ap;

	va_start(ap, f);
	vsnprintf(skip_reason, sizeof(skip_reason), f, ap);
	va_end(ap);
}

struct rng test_rng(void)
{
	return rng_named(seed, running->name);
}

void test_arm_panic(jmp_buf *to)
{
	panic_to = to;
}

const char *test_panic_text(void)
{
	return panic_said;
}

_Noreturn void panic(const char *f, ...)
{
	jmp_buf *to = panic_to;
	va_list ap;

	va_start(ap, f);
	vsnprintf(panic_said, sizeof(panic_said), f, ap);
	va_end(ap);
	panic_to = NULL;
	if (to)
		longjmp(*to, 1);
	test_say("panic: %s", panic_said);
	printf("Bail out! panic in %s\n", running ? running->name : "the runner");
	fflush(stdout);
	abort();
}

void err_note(enum err e, const char *file, int line)
{
	if (verbose)
		test_say("%s:%d: error %d", file, line, (int)e);
}

/* Async-signal-safe: the hanging test may hold the lock of stdout. */
static void on_limit(int sig)
{
	static const char text[] = "Bail out! this test hangs: ";
	ssize_t n;

	(void)sig;
	n = write(STDOUT_FILENO, text, sizeof(text) - 1);
	n = write(STDOUT_FILENO, running->name, strlen(running->name));
	n = write(STDOUT_FILENO, "\n", 1);
	_exit(n == 1 ? 1 : 3);
}

/* Of the CPU's time: on a busy machine a test may take long and not hang. */
static void limit(unsigned secs)
{
	const struct itimerval t = { .it_value.tv_sec = secs };

	if (setitimer(ITIMER_PROF, &t, NULL))
		panic("no timer");
}

static int by_place(const void *a, const void *b)
{
	const struct test *x = *(const struct test *const *)a;
	const struct test *y = *(const struct test *const *)b;
	int files = strcmp(x->file, y->file);

	if (!files && x->line == y->line) /* one macro made both */
		return strcmp(x->name, y->name);
	return files ? files : (x->line > y->line) - (x->line < y->line);
}

/* True when the test passed or was skipped. */
static bool run(const struct test *t, unsigned number, unsigned tally[3])
{
	running = t;
	complaints = 0;
	skip_reason[0] = 0;
	limit(t->secs ? t->secs : DEFAULT_SECS);
	t->run();
	limit(0);
	if (__atomic_load_n(&complaints, __ATOMIC_SEQ_CST)) {
		printf("not ok %u %s\n", number, t->name);
		tally[1]++;
	} else if (skip_reason[0]) {
		printf("ok %u %s # SKIP %s\n", number, t->name, skip_reason);
		tally[2]++;
	} else {
		printf("ok %u %s\n", number, t->name);
		tally[0]++;
	}
	return !complaints;
}

/* Keeps of list[0 .. n) what a glob matches, in order; exits when one matches none. */
static size_t choose(const struct test **list, size_t n, char *const *globs, int nglobs)
{
	size_t kept = 0;

	for (int g = 0; g < nglobs; g++) {
		bool hit = false;

		for (size_t i = 0; i < n; i++)
			hit |= str_glob(globs[g], list[i]->name);
		if (!hit) {
			fprintf(stderr, "no test matches '%s'; --list shows all\n",
				globs[g]);
			exit(2);
		}
	}
	for (size_t i = 0; i < n; i++) {
		bool hit = !nglobs;

		for (int g = 0; g < nglobs; g++)
			hit |= str_glob(globs[g], list[i]->name);
		if (hit)
			list[kept++] = list[i];
	}
	return kept;
}

/* Reads the options; returns the index of the first glob.  *list_only: --list. */
static int options(int argc, char *const *argv, bool *list_only)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--list")) {
			*list_only = true;
		} else if (!strcmp(argv[i], "--verbose")) {
			verbose = true;
		} else if (strcmp(argv[i], "--seed") || ++i == argc ||
			   !str_u64(argv[i], &seed)) {
			fprintf(stderr,
				"usage: unit [--list] [--seed N] [--verbose] [GLOB]\n");
			exit(2);
		}
	}
	return i;
}

int main(int argc, char **argv)
{
	size_t n = (size_t)(__stop_native_tests - __start_native_tests);
	const struct test **list = malloc(n * sizeof(*list));
	bool list_only = false;
	unsigned tally[3] = { 0 };
	int first = options(argc, argv, &list_only);

	memcpy(list, __start_native_tests, n * sizeof(*list));
	qsort(list, n, sizeof(*list), by_place);
	n = choose(list, n, argv + first, argc - first);
	signal(SIGPROF, on_limit);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!list_only)
		printf("KTAP version 1\n1..%zu\n# seed %lu\n", n, seed);
	for (size_t i = 0; i < n; i++) {
		if (list_only)
			printf("%s\t%s:%d\n", list[i]->name, list[i]->file,
			       list[i]->line);
		else
			run(list[i], (unsigned)i + 1, tally);
	}
	free(list);
	if (!list_only)
		printf("%u passed, %u failed, %u skipped\n", tally[0], tally[1],
		       tally[2]);
	return tally[1] ? 1 : 0;
}
