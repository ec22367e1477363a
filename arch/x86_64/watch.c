/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch - noticing CPUs that do not come back, and going on without them
 *
 * A CPU that may be in a guest is never interrupted to see whether it is alive: that
 * would hide lost kicks.  So suspicion comes from CPU 0's own waits, by its TSC, and
 * only a CPU that is suspected gets an NMI.  One that is wedged is parked: another NMI,
 * whose handler never returns.  Then the test is given up: guests are asked to leave,
 * all others come back to idle or are parked too, and CPU 0 returns to the runner's
 * checkpoint.  Nobody uses the test's memory any more, and nobody knows how much of it
 * there is: it is lost.
 *
 * CPU 0 is watched by CPUs that are idle, and so in no guest, by their APIC timers: it
 * shows life by beats, in its waits and at each test, and by the IPIs that it sends.
 */
#include "arch/x86_64/watch.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/desc.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/kick.h"
#include "arch/x86_64/layout.h"
#include "arch/x86_64/panic.h"
#include "arch/x86_64/platform.h"
#include "lib/console.h"
#include "lib/str.h"

/* Some 10 s of Bochs, with its CPUs busy, and half a minute of anything else. */
#define BOUND_BOCHS   200000000
#define BOUND         100000000000
#define TURNS         64 /* of a wait between two looks at the TSC */
#define BAIL_TURNS    5000000
#define BSP_PATIENCE  2 /* bounds: longer than it waits for others */
#define DRAIN_PORTION 4 /* of the bound, for the others of a test that is given up */

static u64 bound = BOUND;

/* CPU 0's own. */
static char test[80] = "the boot";
static char said[200];
static const struct checkpoint *back;
static void (*let_go)(void);
static void (*stop)(void), (*forget)(void);
static atomic32_t over;

static bool on_bsp(void)
{
	return this_cpu() == cpus[0];
}

void watch_test(const char *name)
{
	str_copy(test, name, sizeof(test));
	*said = 0;
	this_cpu()->beats++;
}

void watch_beat(void)
{
	this_cpu()->beats++;
}

void watch_end(void)
{
	store_relaxed(&over, 1u);
}

const char *watch_said(void)
{
	return *said ? said : NULL;
}

void watch_guard(const struct checkpoint *to, void (*release)(void))
{
	back = to;
	let_go = release;
}

void watch_guests(void (*stop_guests)(void), void (*forget_guests)(void))
{
	stop = stop_guests;
	forget = forget_guests;
}

void watch_start(struct watch *w, unsigned cpu)
{
	*w = (struct watch){ .cpu = cpu };
	wedge_begin(&w->wait, rdtsc(), bound);
}

/* From here on it executes nothing, and holds no console, whether it answers or not. */
static void park(unsigned cpu)
{
	struct cpu *c = cpus[cpu];
	struct where at;

	if (!load_acquire(&c->pub.stopped))
		nmi_ask(cpu, NMI_PARK, &at);
	store_release(&c->pub.stopped, 1u);
	if (console_forget(cpu_stack(c), cpu_stack(c) + STACK_SLOT_PAGES * PAGE_SIZE))
		print("\n"); /* behind its half of a line */
}

/* What does the CPU answer?  Says it, and parks it if it is to be given up. */
static bool examine(struct watch *w)
{
	struct where at;
	bool yes = nmi_ask(w->cpu, NMI_TELL, &at);
	struct wedge_finding f = wedge_answer(&w->wait, rdtsc(), yes, &at);
	char text[200], record[300];

	if (f.give_up)
		park(w->cpu);
	wedge_text(text, sizeof(text), w->cpu, test, &f);
	wedge_record(record, sizeof(record), w->cpu, test, &f);
	print("# watchdog: %s\n@%s\n", text, record);
	if (!*said)
		str_copy(said, text, sizeof(said));
	return f.give_up;
}

static bool gone(unsigned cpu)
{
	return load_acquire(&cpus[cpu]->pub.stopped);
}

/* Waits until the CPU is idle, or parks it. */
static void drain(unsigned cpu)
{
	struct watch w;

	watch_start(&w, cpu);
	w.wait.bound = bound / DRAIN_PORTION;
	while (!gone(cpu) && !smp_idle(cpu)) {
		if (++w.turns % TURNS == 0 && stop)
			stop();
		if (wedge_due(&w.wait, rdtsc()))
			examine(&w);
		this_cpu()->beats++;
		relax();
	}
}

/* A CPU is parked. */
static _Noreturn void give_up(void)
{
	const struct checkpoint *to = back;

	if (!to)
		panic("%s", said);
	back = NULL;
	print("# watchdog: %s is given up\n", test);
	kick_delay(KICK_NOW);
	kick_count(false);
	let_go();
	for (unsigned i = 1; i < cpu_count; i++)
		drain(i);
	if (forget)
		forget();
	checkpoint_return(to);
}

void watch_look(struct watch *w)
{
	if (!on_bsp())
		return;
	this_cpu()->beats++;
	if (wedge_due(&w->wait, rdtsc()) && examine(w))
		give_up();
}

void watch_turn(struct watch *w)
{
	relax();
	if (++w->turns % TURNS == 0)
		watch_look(w);
}

void watch_work(unsigned cpu, const struct work *work)
{
	struct watch w;

	watch_start(&w, cpu);
	while (!smp_done(work))
		watch_turn(&w);
}

/* One that is in its guest is pulled out of it each time: no reason to give it up. */
void watch_look_around(struct watch *w)
{
	if (!on_bsp())
		return;
	this_cpu()->beats++;
	if (!wedge_due(&w->wait, rdtsc()))
		return;
	for (unsigned i = 0; i < cpu_count; i++) {
		if (!i || smp_idle(i))
			continue;
		w->cpu = i;
		w->wait.pulled = false;
		if (examine(w))
			give_up();
	}
}

/* What CPU 0 has done so far, in no unit. */
static u64 life(void)
{
	return cpus[0]->beats + cpus[0]->icr_writes;
}

/* On an idle CPU: it stands up for CPU 0. */
static void accuse(u64 silent)
{
	nmi_bail(0);
	for (unsigned i = 0; i < BAIL_TURNS && !panicking(); i++)
		relax();
	panic("CPU 0 does not answer an NMI, silent for %lu ticks, in %s", silent,
	      test);
}

static u32 period(void)
{
	return (u32)MIN(bound, (u64)UINT32_MAX);
}

/* The timer of an idle CPU. */
static void look(void)
{
	struct cpu *c = this_cpu();
	u64 now = rdtsc(), is = life();

	if (!c->watching || load_relaxed(&over))
		return;
	if (is != c->watch_life) {
		c->watch_life = is;
		c->watch_since = now;
	} else if (now - c->watch_since >= BSP_PATIENCE * bound) {
		accuse(now - c->watch_since);
	}
	apic_timer(period());
}

void watch_init(u64 ticks)
{
	const char *emulator = platform_emulator();

	bound = ticks                                    ? ticks
		: emulator && !strcmp(emulator, "Bochs") ? BOUND_BOCHS
							 : BOUND;
	irq_set(VECTOR_WATCH, look);
}

void watch_idle(void)
{
	struct cpu *c = this_cpu();

	if (c->watching)
		return;
	c->watching = true;
	if (life() != c->watch_life) {
		c->watch_life = life();
		c->watch_since = rdtsc();
	}
	apic_timer_vector(VECTOR_WATCH);
	apic_timer(period());
}

/* No interrupt of this timer may still wait when a guest runs: it would make it leave.
 */
void watch_busy(void)
{
	struct cpu *c = this_cpu();

	if (!c->watching)
		return;
	c->watching = false;
	apic_timer(0);
	while (apic_pending(VECTOR_WATCH))
		sti_nop_cli();
	apic_timer_vector(VECTOR_TIMER);
}
