/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu - one modelled CPU: its coroutine, its store buffer, its interrupts
 *
 *      scheduler      cpu_run(c)            cpu_run(c)
 *      ---------          |   ^                 |   ^
 *      coroutine c        v   | cpu_pause(op)   v   | cpu_pause(op')
 *                     local steps           op, then local steps
 *
 * A CPU pauses before each operation that others can notice.  What lies below its stack
 * pointer is cleared then, so that equal states have equal bytes.
 */
#include "tests/explore/cpu.h"
#include "tests/explore/story.h"
#include "tests/explore/words.h"
#include "inval/hw.h"
#include "inval/zoo.h"
#include "lib/str.h"

#define TURNS 256 /* loads without a decision: the CPU spins on its own words */

void stack_switch(void **save, void *to);

const char *world_panic;

/* Of the scheduler; constant while it sleeps, so no part of a state. */
static void *scheduler;
static unsigned current;
static unsigned turns;
static bool inside;

struct xcpu *cpu_self(void)
{
	return &world.m.cpu[current];
}

bool cpu_inside(void)
{
	return inside;
}

unsigned hw_self(void)
{
	return current;
}

void cpu_pause(enum op op)
{
	struct xcpu *c = cpu_self();

	c->op = (u8)op;
	stack_switch(&c->sp, scheduler);
}

void cpu_run(unsigned cpu)
{
	struct xcpu *c = &world.m.cpu[cpu];

	current = cpu;
	turns = 0;
	inside = true;
	stack_switch(&scheduler, c->sp);
	inside = false;
	memset((u8 *)c->sp - CLEARED, 0, CLEARED);
}

void cpu_start(unsigned cpu, void (*run)(void))
{
	u64 *top = (u64 *)(world.stack[cpu] + STACK);

	memset(world.stack[cpu], 0, STACK);
	top[-2] = (u64)(uintptr_t)run; /* what stack_switch() returns to */
	world.m.cpu[cpu].sp = top - 8;
	cpu_run(cpu);
}

void cpu_turn(void)
{
	if (++turns > TURNS)
		cpu_pause(OP_RELAX);
}

bool cpu_can_run(unsigned cpu)
{
	const struct xcpu *c = &world.m.cpu[cpu];

	switch (c->op) {
	case OP_RMW:
	case OP_FENCE:
	case OP_FLUSH:
		return !c->count;
	case OP_STORE:
		return c->count < BUFFER;
	case OP_IDLE:
		return c->pending;
	case OP_GUEST:
	case OP_END:
		return false;
	default:
		return true;
	}
}

void cpu_drain(unsigned cpu)
{
	struct xcpu *c = &world.m.cpu[cpu];
	struct buffered b = c->buffer[0];

	c->count--;
	for (unsigned i = 0; i < c->count; i++)
		c->buffer[i] = c->buffer[i + 1];
	c->buffer[c->count] = (struct buffered){ 0 };
	words_use(b.at, (unsigned)b.size, cpu, true);
	memcpy((void *)b.at, &b.value, b.size);
	tell("the store %s := %s reaches memory", word_name(b.at),
	     word_value(b.at, b.value));
	cpu_settle(cpu);
}

void cpu_settle(unsigned cpu)
{
	struct xcpu *c = &world.m.cpu[cpu];

	if (c->count && words_private(c->buffer[0].at, cpu))
		cpu_drain(cpu);
}

void cpu_leave(unsigned cpu)
{
	struct xcpu *c = &world.m.cpu[cpu];

	c->guest = 0;
	c->resume = 1;
}

void cpu_arrive(unsigned cpu)
{
	struct xcpu *c = &world.m.cpu[cpu];

	c->pending = 1;
	tell("the kick arrives at CPU %u", cpu);
	if (!c->guest)
		return;
	tell("VM exit");
	cpu_leave(cpu);
}

/* Stands for the kicks of a CPU: nobody can notice when one that gets none looks. */
static uintptr_t kick_word(unsigned cpu)
{
	return (uintptr_t)&world.m.cpu[cpu].pending;
}

void hw_kick(unsigned cpu)
{
	cpu_pause(OP_KICK);
	words_use(kick_word(cpu), sizeof(u32), current, true);
	tell("kicks CPU %u", cpu);
	if (config.instant)
		cpu_arrive(cpu);
	else
		world.m.cpu[cpu].flight++;
}

u64 hw_kicks(unsigned cpu)
{
	return load_acquire(&world.m.kicks[cpu]);
}

void hw_flush(u64 root)
{
	if (cpu_self()->count)
		cpu_pause(OP_FLUSH);
	for (u64 i = 0; i < ROOTS; i++)
		if (!root || i == (root - ROOT) / PAGE_SIZE)
			memset(cpu_self()->tlb[i], TLB_EMPTY, PAGES);
	tell("flushes its TLB");
}

void hw_use_root(u64 root)
{
	cpu_self()->root = (u8)((root - ROOT) / PAGE_SIZE);
	tell("takes root %u", cpu_self()->root);
}

void cpu_take(void)
{
	atomic64_t *kicks = &world.m.kicks[current];

	cpu_self()->pending = 0;
	tell("the host takes the kick");
	store_release(kicks, load_relaxed(kicks) + 1);
	doors_kicked();
	if (current >= config.initiators)
		inval_kicked(&world.iv.reader[current]);
}

void host_window(void)
{
	if (!words_change(kick_word(current), current)) {
		cpu_turn();
		return;
	}
	cpu_pause(OP_WINDOW);
	if (cpu_self()->pending)
		cpu_take();
	else
		tell("interrupts are on for a moment, no kick is pending");
}

void cpu_guest(void)
{
	cpu_pause(OP_ENTER);
	tell("VM entry");
	if (cpu_self()->pending) {
		tell("VM exit at once, by the pending kick");
		return;
	}
	cpu_self()->guest = 1;
	cpu_pause(OP_GUEST);
}

void panic(const char *f, ...)
{
	world_panic = f;
	cpu_pause(OP_END);
	__builtin_unreachable();
}
