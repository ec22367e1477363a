/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run - runs the selected tests and reports them as KTAP and JSON records
 *
 * A record is a line that begins with '@'.  A test under an unsound protocol is a
 * negative control: it must be caught, and then is XFAIL; one that is not caught is a
 * FAIL, because then the test could not have caught anybody.  A mutant of the zoo may
 * be one that this machine cannot show: it is caught by any detector, and if by none,
 * that is no fault of the kernel but INCONCLUSIVE.
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/kick.h"
#include "arch/x86_64/watch.h"
#include "inval/zoo.h"
#include "lib/console.h"
#include "lib/str.h"
#include "lib/trace.h"
#include "tests/haunt.h"
#include "tests/operator.h"
#include "tests/select.h"
#include "tests/timeline.h"
#include "vm/vm.h"

static const char *const verdict_name[VERDICTS] = { "PASS", "FAIL", "XFAIL", "SKIP",
						    "INCONCLUSIVE" };

/* Keeps the first reason of the worst kind. */
static void record(struct run *t, enum verdict v, const char *f, va_list ap)
{
	if (t->verdict != PASS && !(v == FAIL && t->verdict != FAIL))
		return;
	t->verdict = v;
	fmt_str_va(t->why, sizeof(t->why), f, ap);
	for (char *c = t->why; *c; c++)
		if (*c == '"' || *c == '\\' || *c < ' ')
			*c = '\'';
}

void test_fail(struct run *t, const char *f, ...)
{
	va_list ap;

	if (t->stopped)
		return;
	t->caught = false;
	va_start(ap, f);
	record(t, FAIL, f, ap);
	va_end(ap);
}

void test_kill(struct run *t, enum detector by, const char *f, ...)
{
	bool clean = t->verdict != FAIL || t->caught;
	va_list ap;

	va_start(ap, f);
	record(t, FAIL, f, ap);
	va_end(ap);
	t->caught = clean;
	test_saw(t, by);
}

void test_saw(struct run *t, enum detector by)
{
	if (!t->tries[by])
		t->tries[by] = MAX(t->invalidations, 1ull);
}

void test_skip(struct run *t, const char *f, ...)
{
	va_list ap;

	va_start(ap, f);
	record(t, SKIP, f, ap);
	va_end(ap);
}

bool test_stopped(struct run *t)
{
	if (!t->stopped && operator_stops()) {
		test_skip(t, "stopped from the console");
		t->stopped = true;
	}
	return t->stopped;
}

void test_inconclusive(struct run *t, const char *f, ...)
{
	va_list ap;

	va_start(ap, f);
	record(t, INCONCLUSIVE, f, ap);
	va_end(ap);
}

void test_figure(struct run *t, const char *metric, u64 value, const char *unit)
{
	bool by = t->proto;

	print("# %s: %s %lu %s\n", t->test->name, metric, value, unit);
	print("@{\"type\":\"bench\",\"name\":\"%s\",%s%s%s\"metric\":\"%s\","
	      "\"value\":%lu,\"unit\":\"%s\"}\n",
	      t->test->name, by ? "\"protocol\":\"" : "", by ? t->proto->name : "",
	      by ? "\"," : "", metric, value, unit);
}

/* Two decimals; there is one for each of many cases, so no line for people. */
void test_measure(const struct run *t, const struct measure *m)
{
	u64 hundredths = (100 * m->total + m->n / 2) / m->n;

	print("@{\"type\":\"bench\",\"name\":\"%s\",\"protocol\":\"%s\",\"cpus\":%u,"
	      "\"responders\":%u,\"batch\":%u,\"initiators\":%u,\"metric\":\"%s\","
	      "\"value\":%lu.%02lu,\"unit\":\"%s\"}\n",
	      t->test->name, t->proto->name, cpu_count, m->responders, m->batch,
	      m->initiators, m->metric, hundredths / 100, hundredths % 100, m->unit);
}

static void full_name(const struct run *t, char *buf, size_t size)
{
	fmt_str(buf, size, "%s%s%s", t->test->name, t->proto ? "/" : "",
		t->proto ? t->proto->name : "");
}

/* A member of the record: how many invalidations each detector needed. */
static void kills(const struct run *t, char *buf, size_t size)
{
	static const char *const name[DETECTORS] = { "ground", "watchdog", "flush",
						     "ghost" };
	size_t n = 0;

	*buf = 0;
	for (unsigned i = 0; i < DETECTORS; i++)
		if (t->tries[i] && n < size)
			n += fmt_str(buf + n, size - n, "%s\"%s\":%lu",
				     n ? "," : "\"killed\":{", name[i], t->tries[i]);
	if (n && n < size)
		fmt_str(buf + n, size - n, "},");
}

/* Members of the record, if returns have been counted. */
static void leak_record(const struct run *t, char *buf, size_t size)
{
	*buf = 0;
	if (t->returns)
		fmt_str(buf, size, "\"returns\":%lu,\"leaks\":%lu,", t->returns,
			t->leaks);
}

static void report(const struct run *t, unsigned number, u64 ticks)
{
	bool ok = t->verdict != FAIL && t->verdict != XFAIL;
	const char *mark = t->verdict == XFAIL          ? " # XFAIL "
			   : t->verdict == SKIP         ? " # SKIP "
			   : t->verdict == INCONCLUSIVE ? " # SKIP inconclusive: "
							: "";
	char name[80], ghost[300], killed[120], leaks[80];

	full_name(t, name, sizeof(name));
	kills(t, killed, sizeof(killed));
	leak_record(t, leaks, sizeof(leaks));
	haunt_record(t, ghost, sizeof(ghost));
	if (t->verdict == FAIL)
		print("# %s: %s\n", name, t->why);
	if (*t->schedule)
		print("# %s: the schedule: replay=%s\n", name, t->schedule);
	print("%sok %u %s%s%s\n", ok ? "" : "not ", number, name, mark,
	      *mark ? t->why : "");
	print("@{\"type\":\"test\",\"name\":\"%s\",\"proto\":\"%s\",\"cpus\":%u,"
	      "\"verdict\":\"%s\",\"witnesses\":%lu,\"violations\":%lu,\"seed\":%lu,"
	      "\"ticks\":%lu,\"invalidations\":%lu,%s%s%s%s%s%s\"why\":\"%s\"}\n",
	      t->test->name, t->proto ? t->proto->name : "", cpu_count,
	      verdict_name[t->verdict], t->witnesses, t->violations, t->config->seed,
	      ticks, t->invalidations, ghost, killed, leaks,
	      *t->schedule ? "\"schedule\":\"" : "", t->schedule,
	      *t->schedule ? "\"," : "", t->why);
}

static unsigned left_out; /* CPUs that were wedged */

static const char *cannot_run(const struct test *test, const char *no_guests)
{
	if ((test->vmx || test->ept) && no_guests)
		return no_guests;
	if (test->ept && backend->format != NESTED_EPT)
		return "is about VMX and EPT, and this CPU has SVM";
	if (test->aps < cpu_count)
		return NULL;
	return left_out ? "needs more CPUs than are left" : "needs more CPUs";
}

/*
 * Is what was complained about what the control is there for?  Liveness and the flush
 * a control has to have right, unless it is a mutant.
 */
static bool caught(const struct run *t)
{
	return t->caught &&
	       (t->mutant || !(t->tries[BY_WATCHDOG] || t->tries[BY_FLUSH]));
}

/* Turns what a negative control recorded around. */
static void judge_control(struct run *t)
{
	if (!t->proto || t->proto->sound || t->test->measures || t->verdict == SKIP)
		return;
	if (t->verdict == FAIL && caught(t)) {
		t->verdict = XFAIL;
	} else if (t->verdict == PASS && t->mutant) {
		test_inconclusive(t,
				  "%s was not told apart: %lu invalidations, %lu "
				  "witnesses",
				  t->proto->name, t->invalidations, t->witnesses);
	} else if (t->verdict == PASS) {
		t->verdict = FAIL;
		str_copy(t->why, "the negative control was not caught", sizeof(t->why));
	}
}

/* The test's own body; it is given up when a CPU is wedged, and then comes back too. */
static void run_body(struct run *t)
{
	static struct checkpoint here;

	if (checkpoint_take(&here)) {
		t->verdict = PASS; /* whatever it complained about, this comes first */
		t->caught = false;
		if (!t->test->protocols)
			t->proto = NULL; /* it borrows one */
		sti();
	} else {
		watch_guard(&here, steps_abandon);
		t->test->fn(t);
	}
	watch_guard(NULL, NULL);
	if (watch_said())
		test_fail(t, "%s", watch_said());
}

/* The numbering has no holes: tests use CPUs 1, 2, ... */
static void go_on_without(u32 frames)
{
	unsigned n = smp_leave_out();

	if (!n)
		return;
	left_out += n;
	kick_clusters();
	print("# watchdog: %u CPUs are left, and %u page frames are lost\n", cpu_count,
	      frames);
}

static void run_one(struct run *t, unsigned number, const char *no_guests)
{
	const char *why = cannot_run(t->test, no_guests);
	u32 free_before = pool_available(t->pool);
	u64 start = rdtsc();
	char name[80];

	full_name(t, name, sizeof(name));
	t->rng = rng_named(t->config->seed, name);
	operator_test(name);
	timeline_begin(number);
	watch_test(name);
	haunt_begin();
	if (why)
		test_skip(t, "%s", why);
	else
		run_body(t);
	t->stopped = false; /* what follows is believed again */
	if (pool_available(t->pool) != free_before)
		test_fail(t, "%d frames were not returned",
			  (int)(free_before - pool_available(t->pool)));
	haunt_judge(t);
	judge_control(t);
	report(t, number, rdtsc() - start);
	timeline_end(t, number);
	if (t->verdict == FAIL)
		trace_dump(cpu_count);
	go_on_without(free_before - pool_available(t->pool));
}

struct tally {
	unsigned verdict[VERDICTS];
	unsigned scenarios, judged; /* tests of protocols */
	bool stopped;               /* not all have been run, to their end */
};

static void count(struct tally *n, const struct run *t)
{
	n->verdict[t->verdict]++;
	if (!t->test->protocols || t->test->measures)
		return;
	n->scenarios++;
	n->judged += t->verdict != SKIP && t->verdict != INCONCLUSIVE;
}

/* Where no protocol could be judged, though that was asked for, there is no pass. */
static enum status status_of(const struct tally *n)
{
	const unsigned *v = n->verdict;

	if (v[FAIL])
		return STATUS_FAIL;
	if (n->stopped || v[INCONCLUSIVE] || (n->scenarios && !n->judged))
		return STATUS_SKIP;
	return v[PASS] || v[XFAIL] ? STATUS_PASS : STATUS_SKIP;
}

static enum status summary(const struct tally *n, unsigned tests)
{
	enum status s = status_of(n);
	const unsigned *v = n->verdict;

	print("# end: %u tests, %u passed, %u failed, %u expected failures, %u skipped, "
	      "%u inconclusive\n",
	      tests, v[PASS], v[FAIL], v[XFAIL], v[SKIP], v[INCONCLUSIVE]);
	print("@{\"type\":\"end\",\"status\":%u,\"tests\":%u,\"pass\":%u,\"fail\":%u,"
	      "\"xfail\":%u,\"skip\":%u,\"inconclusive\":%u%s}\n",
	      s, tests, v[PASS], v[FAIL], v[XFAIL], v[SKIP], v[INCONCLUSIVE],
	      n->stopped ? ",\"stopped\":true" : "");
	return s;
}

static void on_long_wait(const struct vm *vm, u64 since)
{
	char where[120];

	fmt_str(where, sizeof(where), "%s waits for CPU %d", vm->inval.proto->name,
		vm->watchdog.fired ? vm->watchdog.cpu : -1);
	operator_wait(since, where);
}

/* All of the selection, or as much as the operator wants; how many have been run. */
static unsigned run_all(const struct selection *s, struct tally *tally,
			const struct config *c, struct pool *pool,
			const char *no_guests)
{
	unsigned i;

	for (i = 0; i < s->n && !operator_stops(); i++) {
		struct run t = { .test = s->test[i],
				 .proto = s->proto[i],
				 .mutant = s->mutant[i],
				 .config = c,
				 .pool = pool };

		run_one(&t, i + 1, no_guests);
		count(tally, &t);
	}
	tally->stopped = operator_stopped();
	return i;
}

enum status tests_run(const struct config *c, struct pool *pool, const char *no_guests)
{
	static struct selection s;
	struct tally tally = { 0 };
	const char *why = timeline_init(c, pool);
	unsigned n;

	if (why)
		print("# command line: trace=%lu: %s\n", c->trace, why);
	if (why || !select_tests(&s, c)) {
		print("@{\"type\":\"end\",\"status\":%u,\"tests\":0}\n", STATUS_USAGE);
		return STATUS_USAGE;
	}
	print("KTAP version 1\n1..%u\n", s.n);
	operator_begin();
	vm_long_wait = on_long_wait;
	n = run_all(&s, &tally, c, pool, no_guests);
	operator_end();
	return summary(&tally, n);
}
