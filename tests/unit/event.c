/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event - which event a guest takes next, over a backend that is a model of hardware:
 * it delivers what was injected, takes an interrupt only when open, and exits for a
 * window that was asked for
 */
#include <pthread.h>
#include <string.h>

#include "tests/host/test.h"
#include "vm/backend.h"

#define STEPS  200000
#define RAISES 200000
#define LOST   200000000 /* turns in a row: more than any raise takes */

/* Those that may not be injected: reserved, or made in other ways. */
#define BARRED (BITS(4, 2) | BIT(9) | BIT(15) | BIT(18) | BITS(31, 20))

static struct {
	bool open, window, waits;
	struct event event;
} hw;

static struct vcpu v;
static atomic64_t injected;

static void inject(struct event e)
{
	EXPECT(e.kind == EVENT_EXCEPTION || hw.open);
	hw.waits = true;
	hw.event = e;
	add_fence(&injected, 1ull);
}

static bool waiting(struct event *e)
{
	*e = hw.event;
	return hw.waits;
}

static bool irq_open(void)
{
	return hw.open;
}

static void irq_window(bool on)
{
	hw.window = on;
}

static const struct backend model = { .inject = inject,
				      .waiting = waiting,
				      .irq_open = irq_open,
				      .irq_window = irq_window };
const struct backend *backend = &model;

static void begin(bool open)
{
	memset(&hw, 0, sizeof(hw));
	memset(&v, 0, sizeof(v));
	hw.open = open;
}

/* What the vCPU's loop does when it sees a request. */
static void answer(void)
{
	if (load_acquire(&v.request) & REQUEST_IRQ)
		vcpu_answer_irq(&v);
}

TEST(an_exception_has_an_error_code_by_its_vector)
{
	for (u8 vector = 0; vector < 20; vector++) {
		bool has = vector == 8 || (vector >= 10 && vector <= 14) ||
			   vector == 17;

		if (BARRED & BIT(vector))
			continue;
		begin(false);
		vm_inject_exception(&v, vector, 7);
		EXPECT(hw.waits && hw.event.kind == EVENT_EXCEPTION);
		EXPECT_EQ(hw.event.vector, vector);
		EXPECT_EQ(hw.event.has_error, has);
		EXPECT_EQ(hw.event.error, 7);
	}
}

TEST(what_is_no_exception_is_not_injected)
{
	begin(false);
	for (unsigned vector = 0; vector < 40; vector++)
		if (vector >= 32 || BARRED & BIT(vector))
			EXPECT_PANIC(vm_inject_exception(&v, (u8)vector, 0));
}

TEST(an_exceptions_vector_is_no_interrupt)
{
	begin(true);
	EXPECT_PANIC(vcpu_note_irq(&v, IRQ_FIRST - 1));
}

/* SDM vol. 3, table 6-5, as it is printed. */
enum class { BENIGN, CONTRIBUTORY, PAGE_FAULT, DOUBLE_FAULT };

static enum class class_of(u8 vector) {
	switch (vector){
		case 0 : case 10 : case 11 : case 12 : case 13 : return CONTRIBUTORY;
		case 14 : return PAGE_FAULT;
		case 8 : return DOUBLE_FAULT;
		default : return BENIGN;
	}
}

enum outcome { SERIAL, DOUBLE, SHUTDOWN };

static const enum outcome outcome[4][4] = {
	/*                  benign  contributory page fault  double fault */
	[BENIGN] = { SERIAL, SERIAL, SERIAL, SERIAL },
	[CONTRIBUTORY] = { SERIAL, DOUBLE, SERIAL, SERIAL },
	[PAGE_FAULT] = { SERIAL, DOUBLE, DOUBLE, SERIAL },
	[DOUBLE_FAULT] = { SERIAL, SHUTDOWN, SHUTDOWN, SERIAL },
};

static void two(u8 first, u8 second)
{
	enum outcome want = outcome[class_of(first)][class_of(second)];

	begin(false);
	vm_inject_exception(&v, first, 1);
	vm_inject_exception(&v, second, 2);
	EXPECT_EQ(v.stopped != NULL, want == SHUTDOWN);
	EXPECT_EQ(load_relaxed(&v.request), want == SHUTDOWN ? REQUEST_STOP : 0);
	if (want == SHUTDOWN)
		return;
	EXPECT_EQ(hw.event.vector, want == DOUBLE ? 8 : second);
	EXPECT_EQ(hw.event.error, want == DOUBLE ? 0 : 2);
}

TEST(two_exceptions_are_what_the_table_says)
{
	for (u8 first = 0; first < 20; first++)
		for (u8 second = 0; second < 20; second++)
			if (!(BARRED & (BIT(first) | BIT(second))))
				two(first, second);
}

TEST(an_exception_puts_an_interrupt_back)
{
	begin(true);
	vcpu_note_irq(&v, 0x55);
	answer();
	EXPECT(hw.waits && hw.event.kind == EVENT_IRQ && !hw.window);
	vm_inject_exception(&v, 13, 5);
	EXPECT_EQ(hw.event.vector, 13);
	EXPECT(hw.window);
	hw.waits = false; /* delivered */
	EXPECT(vcpu_offer_irq(&v));
	EXPECT_EQ(hw.event.vector, 0x55);
	EXPECT(!hw.window);
}

TEST(an_interrupt_waits_for_an_exception)
{
	begin(true);
	vm_inject_exception(&v, 13, 5);
	vcpu_note_irq(&v, 0x55);
	answer();
	EXPECT_EQ(hw.event.vector, 13);
	EXPECT(hw.window);
	EXPECT_EQ(load_relaxed(&v.request), 0);
}

TEST(forgotten_interrupts_do_not_come)
{
	begin(true);
	vcpu_note_irq(&v, 0x20);
	vcpu_note_irq(&v, 0xff);
	vcpu_forget_irqs(&v);
	EXPECT(!vcpu_offer_irq(&v) && !hw.waits && !hw.window);
}

/* The highest that is raised, or 0. */
static unsigned top(const bool *raised)
{
	for (unsigned i = 256; i-- > IRQ_FIRST;)
		if (raised[i])
			return i;
	return 0;
}

/* The guest runs: it takes what waits, and exits if a window is open. */
static void enter(bool *raised, struct rng *r)
{
	if (hw.waits && hw.event.kind == EVENT_IRQ) {
		EXPECT_EQ(hw.event.vector, top(raised));
		EXPECT_EQ(hw.event.has_error, false);
		raised[hw.event.vector] = false;
	}
	hw.waits = false;
	EXPECT_EQ(hw.window, top(raised) != 0);
	hw.open = rng_below(r, 2);
	if (hw.open && hw.window)
		vcpu_offer_irq(&v);
}

TEST(each_interrupt_comes_once_and_the_highest_first)
{
	bool raised[256] = { false };
	struct rng r = test_rng();
	unsigned left = 0;

	begin(false);
	for (unsigned i = 0; i < STEPS; i++) {
		/* What waits has been given already, so a new one of it is another. */
		u8 vector = (u8)(IRQ_FIRST + rng_below(&r, 256 - IRQ_FIRST));

		if (!hw.waits && !rng_below(&r, 3)) {
			vcpu_note_irq(&v, vector);
			raised[vector] = true;
		}
		answer();
		enter(raised, &r);
	}
	for (hw.open = true; top(raised) && left < STEPS; left++) {
		vcpu_offer_irq(&v);
		enter(raised, &r);
	}
	EXPECT(left < STEPS);
}

static void *raiser(void *arg)
{
	(void)arg;
	for (u64 i = 1; i <= RAISES; i++) {
		vcpu_note_irq(&v, (u8)(IRQ_FIRST + i % 64));
		while (load_acquire(&injected) < i)
			relax();
	}
	return NULL;
}

/*
 * I1: with either order the other way round one is lost sooner or later.  The next one
 * is raised while the answer to the last is under way.
 */
TEST(no_interrupt_of_another_cpu_is_lost)
{
	pthread_t other;
	u64 turns = 0;

	begin(true);
	store_relaxed(&injected, 0ull);
	pthread_create(&other, NULL, raiser, NULL);
	while (load_relaxed(&injected) < RAISES && turns++ < LOST) {
		answer();
		if (!hw.waits)
			continue;
		hw.waits = false; /* delivered */
		if (hw.window)
			vcpu_offer_irq(&v);
		turns = 0;
	}
	EXPECT_EQ(load_relaxed(&injected), RAISES);
	store_release(&injected, (u64)RAISES); /* lets the other end */
	pthread_join(other, NULL);
}
