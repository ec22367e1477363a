/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * costs - what an invalidation costs, by protocol, responders, batch and initiators
 *
 *      CPU 0            1 .. active            the others
 *      edits, waits     run the guest          have left it, are idle; or edit as well
 *
 * All APs are in the guest at first; one after another leaves it.  Each figure is a
 * mean of a few operations, but for the gap, which is the largest.  Costs of the parts,
 * those of the whole and events come from operations of their own: looking at the clock
 * and counting take time.  What is found goes out when the guests have stopped, because
 * the serial line takes its time too.
 *
 * The floor of a wait is measured beside it: a kick to each responder, and the wait
 * until each has counted it.  `./shootdown bench` prints all this as tables.
 */
#include "tests/bench/costs.h"
#include "tests/bench/tsc.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/kick.h"
#include "inval/hw.h"

#define OPS       20
#define OPS_LARGE 5
#define LARGE     512
#define MEASURES  4000

static const unsigned batches[] = { 1, 8, 64, 512, BATCH_MAX };

static struct costs costs;
static struct measure found[MEASURES];
static unsigned found_n;

static void find(const struct costs *c, const char *metric, const char *unit, u64 total,
		 u64 n)
{
	if (found_n == MEASURES)
		panic("bench/costs: more than %u figures", MEASURES);
	found[found_n++] = (struct measure){ .metric = metric,
					     .unit = unit,
					     .responders = c->plan.responders,
					     .batch = c->plan.batch,
					     .initiators = c->plan.initiators,
					     .total = total,
					     .n = n };
}

/* Time between n pairs of looks at the clock, without the looks. */
static void find_ticks(const struct costs *c, const char *metric, u64 ticks, u64 n)
{
	u64 looks = n * c->clock / 100;

	find(c, metric, c->counts ? "instructions" : "TSC cycles",
	     ticks > looks ? ticks - looks : 0, n);
}

/* What a look at the clock takes itself, a hundred times. */
static u64 clock_cost(void)
{
	u64 sum = 0;

	for (unsigned i = 0; i < 100; i++) {
		u64 start;

		costs_dither(i);
		start = rdtsc();
		sum += rdtsc() - start;
	}
	return sum;
}

/* Events of all CPUs, of those in the guest and of the others. */
struct events {
	u64 ipis, flushes, idle_ipis, idle_flushes;
};

static struct events events(const struct costs *c)
{
	struct events e = { .idle_ipis = hw_kicks(0) };

	for (unsigned i = 0; i < c->aps; i++) {
		struct vcpu *v = c->vm->vcpu[i];
		u64 flushes = load_relaxed(&v->reader->flushes);

		*(i < c->active ? &e.ipis : &e.idle_ipis) += hw_kicks(v->cpu);
		*(i < c->active ? &e.flushes : &e.idle_flushes) += flushes;
	}
	return e;
}

/* Exits are counted by a leave hook around the protocol's, while that stands there. */
static atomic64_t exits[CPU_MAX];

static void counting_leave(struct inval_reader *r)
{
	atomic64_t *mine = &exits[this_cpu()->id];

	store_relaxed(mine, load_relaxed(mine) + 1);
	r->iv->proto->exit(r);
}

static void count_exits(struct costs *c, bool on)
{
	for (unsigned i = 0; i < c->aps; i++)
		c->vm->vcpu[i]->leave = on ? counting_leave : c->t->proto->exit;
}

static u64 all_exits(void)
{
	u64 sum = 0;

	for (unsigned i = 0; i < cpu_count; i++)
		sum += load_relaxed(&exits[i]);
	return sum;
}

/* Before all operations of one pass: calling the initiators takes IPIs of its own. */
static void prepare(struct costs *c, bool phases)
{
	c->plan.phases = phases;
	costs_call(c);
	costs_progress(c);
	costs_forget_gaps(c);
}

static void pass(struct costs *c)
{
	costs_operate(c);
	costs_progress(c);
}

static void measure_phases(struct costs *c)
{
	const struct spent *s = &c->initiator[0].spent;
	unsigned ops = c->plan.ops;

	prepare(c, true);
	pass(c);
	find_ticks(c, "edit", s->edit, ops);
	find_ticks(c, "publish", s->publish, ops);
	find_ticks(c, "poll", s->poll, ops);
	find_ticks(c, "retire", s->retire, ops);
}

/* The sums of all initiators. */
static struct spent spent(const struct costs *c)
{
	struct spent sum = { 0 };

	for (unsigned k = 0; k < c->plan.initiators; k++) {
		const struct spent *s = &c->initiator[k].spent;

		sum.done += s->done;
		sum.total += s->total;
		sum.polls += s->polls;
		sum.asked += s->asked;
		sum.sent += s->sent;
	}
	return sum;
}

static void measure_whole(struct costs *c)
{
	u64 ops = c->plan.ops * c->plan.initiators;
	struct spent sum;

	prepare(c, false);
	pass(c);
	sum = spent(c);
	if (c->plan.initiators == 1) {
		find_ticks(c, "ticks", sum.done, ops);
		find_ticks(c, "total", sum.total, ops);
	} else {
		find_ticks(c, "together", sum.done, ops);
	}
	find(c, "polls", "polls", sum.polls, ops);
	if (c->active)
		find_ticks(c, "gap", costs_gap(c), 1);
}

static void measure_events(struct costs *c)
{
	u64 ops = c->plan.ops * c->plan.initiators, before;
	struct events was, is;
	struct spent sum;

	count_exits(c, true);
	kick_count(true);
	prepare(c, false);
	was = events(c);
	before = all_exits();
	pass(c);
	is = events(c);
	sum = spent(c);
	find(c, "exits", "events", all_exits() - before, ops);
	find(c, "kicks", "events", sum.asked, ops);
	find(c, "icr_writes", "events", sum.sent, ops);
	find(c, "ipis", "events", is.ipis - was.ipis, ops);
	find(c, "flushes", "events", is.flushes - was.flushes, ops);
	find(c, "idle_ipis", "events", is.idle_ipis - was.idle_ipis, ops);
	find(c, "idle_flushes", "events", is.idle_flushes - was.idle_flushes, ops);
	kick_count(false);
	count_exits(c, false);
}

static void measure(struct costs *c, unsigned batch, unsigned initiators)
{
	c->plan = (struct plan){ .responders = c->active,
				 .batch = batch,
				 .initiators = initiators,
				 .ops = batch < LARGE ? OPS : OPS_LARGE };
	if (initiators == 1) /* several wait for each other in any part */
		measure_phases(c);
	measure_whole(c);
	measure_events(c);
}

/* A kick for each responder, and the wait until each of them has taken it. */
static u64 bare_kicks(struct costs *c)
{
	u64 before[CPU_MAX], start;

	for (unsigned i = 0; i < c->active; i++)
		before[i] = hw_kicks(i + 1);
	start = rdtsc();
	for (unsigned i = 0; i < c->active; i++)
		kick_now(i + 1);
	for (unsigned i = 0; i < c->active; i++)
		while (hw_kicks(i + 1) == before[i])
			relax();
	return rdtsc() - start;
}

static void measure_floor(struct costs *c)
{
	u64 sum = 0;

	c->plan = (struct plan){ .responders = c->active, .initiators = 1, .batch = 1 };
	costs_progress(c);
	costs_forget_gaps(c);
	costs_progress(c);
	find_ticks(c, "gap_quiet", costs_gap(c), 1);
	costs_forget_gaps(c);
	for (unsigned i = 0; i < OPS && costs_progress(c); i++) {
		costs_dither(i);
		sum += bare_kicks(c);
	}
	costs_progress(c);
	find_ticks(c, "kick_ticks", sum, OPS);
	find_ticks(c, "kick_gap", costs_gap(c), 1);
}

/* CPUs that were not in the guest owe their flush when they come back. */
static void measure_return(struct costs *c)
{
	u64 before;

	c->plan = (struct plan){ .initiators = 1, .batch = 1 };
	before = events(c).idle_flushes;
	vm_stop(c->vm);
	vm_start(c->vm);
	c->active = c->aps;
	costs_progress(c);
	find(c, "return_flushes", "events", events(c).flushes - before, c->aps);
}

static bool may_go_on(const struct costs *c)
{
	return c->t->verdict != FAIL && !c->t->stopped;
}

static void measure_all(struct costs *c)
{
	for (;; costs_stop_one(c)) {
		unsigned initiators = c->aps - c->active + 1;

		if (c->active)
			measure_floor(c);
		for (unsigned i = 0; i < ARRAY_LEN(batches) && may_go_on(c); i++)
			measure(c, batches[i], 1);
		if (c->active && initiators > 1 && initiators <= INITIATORS)
			measure(c, 1, initiators);
		if (!c->active || !may_go_on(c))
			break;
	}
	if (!c->active && may_go_on(c))
		measure_return(c);
}

TEST(bench, costs, "costs of an invalidation; ./shootdown bench prints them",
     .vmx = true, .protocols = true, .measures = true, .aps = 1, .hidden = true)
{
	struct costs *c = &costs;
	const char *why;

	*c = (struct costs){ .t = t, .aps = cpu_count - 1 };
	found_n = 0;
	c->counts = tsc_counts_instructions();
	c->clock = clock_cost();
	why = costs_open(c);
	if (why) {
		test_fail(t, "%s", why);
		return;
	}
	measure_all(c);
	costs_close(c);
	for (unsigned i = 0; i < found_n && !t->stopped; i++)
		test_measure(t, &found[i]);
}
