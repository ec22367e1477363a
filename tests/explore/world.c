/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world - the first state, what each CPU does from there on, and what must not happen
 *
 *      initiator                            reader, `runs` times
 *      ---------                            --------------------
 *      begin                                enter           interrupts off
 *      EPT word := new                      [a window, if the host eats kicks]
 *      publish                              VM entry ... guest ... VM exit
 *      until done: window                   exit
 *      the old frame is reused              window: the kick is taken, kicked
 *
 * Behind the door (doors.h) the frame is reused as soon as the word is stored: not even
 * then may a guest use the old entry.
 *
 * All roots have the same entries; a TLB entry is used under its own root alone.
 *
 * A guest may use each TLB entry at any time, so it is unsafe as soon as one runs that
 * has an old entry of a page whose frame is reused; its stores need no step.
 */
#include "tests/explore/world.h"
#include "tests/explore/cpu.h"
#include "tests/explore/story.h"
#include "inval/door.h"
#include "inval/zoo.h"
#include "lib/str.h"

#define WARM_STEPS 10000

struct world world;
struct config config;

/* A pool and frames belong to edits; no protocol of the explorer's retires any. */
void pool_free_list(struct pool *p, struct frame_list *list);
void pool_free_list(struct pool *p, struct frame_list *list)
{
	(void)p;
	(void)list;
}

/* The fewest steps of a circle that signed differences can tell apart. */
static const struct smr_params quarter = {
	.init = 1, .incr = BIT(30), .max_delta = BIT(30), .max_advance = BIT(30)
};

static void run_once(struct inval_reader *r)
{
	doors_enter(r);
	if (config.eats)
		host_window();
	cpu_guest();
	config.proto->exit(r);
	doors_burden();
	host_window();
}

/* Interrupts stay on for good. */
static _Noreturn void idle(void)
{
	for (;;) {
		cpu_pause(OP_IDLE);
		cpu_take();
	}
}

static void reader(void)
{
	struct inval_reader *r = &world.iv.reader[cpu_self() - world.m.cpu];

	run_once(r);
	cpu_pause(OP_READY);
	for (unsigned i = 0; i < config.runs; i++)
		run_once(r);
	idle();
}

/* Nobody holds what was before and what is after: already then is the frame reused. */
static void edit_behind_door(unsigned page, struct gather *g)
{
	cpu_self()->waits = 1;
	doors_shut(&world.iv, g);
	cpu_self()->waits = 0;
	store_relaxed(&world.m.ept[page], EPT_NEW);
	world.m.reused[page] = 1;
	tell("the door is shut: the old frame of page %u is reused", page);
	doors_open(&world.iv, g);
}

static void edit(unsigned page)
{
	struct gather g = {
		.n = 1, .range[0] = { GPA(page * PAGE_SIZE), PAGE_SIZE, WHY_REMAP }
	};
	ticket_t t;

	if (config.door) {
		edit_behind_door(page, &g);
		return;
	}
	inval_begin(&world.iv);
	store_relaxed(&world.m.ept[page], EPT_NEW);
	t = inval_publish(&world.iv, &g);
	cpu_self()->waits = 1;
	while (!inval_done(&world.iv, t))
		host_window();
	cpu_self()->waits = 0;
	world.m.reused[page] = 1;
	tell("it is done: the old frame of page %u is reused", page);
}

static void initiator(void)
{
	unsigned self = (unsigned)(cpu_self() - world.m.cpu);

	cpu_pause(OP_READY);
	for (unsigned i = 0; i < config.edits; i++)
		edit(self * config.edits + i);
	world.m.finished++;
	idle();
}

/* One run alone: flushes, fills the TLB from the old table, and leaves. */
static void warm(unsigned cpu)
{
	struct xcpu *c = &world.m.cpu[cpu];
	unsigned steps = 0;

	cpu_start(cpu, reader);
	world.m.over.raw = 1;
	while (c->op != OP_READY && steps++ < WARM_STEPS) {
		if (c->guest) {
			memset(c->tlb[c->root], TLB_OLD, page_total());
			cpu_leave(cpu);
			c->resume = 0;
		} else if (c->count) {
			cpu_drain(cpu);
			continue;
		}
		cpu_run(cpu);
	}
	while (c->count)
		cpu_drain(cpu);
	world.m.over.raw = 0;
	if (steps > WARM_STEPS)
		world_panic = "the first run of a reader does not end";
}

void world_init(void)
{
	bool tells = telling;

	telling = false;
	memset(&world, 0, sizeof(world));
	inval_init(&world.iv, config.proto, NULL, ROOT, cpu_total());
	door_fit(&world.iv);
	if (config.quarter)
		smr_init(&world.iv.smr, cpu_total(), &quarter);
	if (config.proto->root_order)
		inval_roots(&world.iv, ROOTS);
	for (unsigned p = 0; p < page_total(); p++)
		world.m.ept[p].raw = EPT_OLD;
	for (unsigned i = config.initiators; i < cpu_total(); i++)
		warm(i);
	for (unsigned i = 0; i < config.initiators; i++)
		cpu_start(i, initiator);
	telling = tells;
}

bool world_misuse(unsigned cpu, unsigned page)
{
	const struct xcpu *c = &world.m.cpu[cpu];

	return c->guest && world.m.reused[page] && c->tlb[c->root][page] == TLB_OLD;
}

bool world_unsafe(void)
{
	for (unsigned i = config.initiators; i < cpu_total(); i++)
		for (unsigned p = 0; p < page_total(); p++)
			if (world_misuse(i, p))
				return true;
	return false;
}

bool world_unkicked(void)
{
	bool waits = false, unkicked = false;

	for (unsigned i = 0; i < config.initiators; i++)
		waits |= world.m.cpu[i].waits;
	for (unsigned i = config.initiators; i < cpu_total(); i++)
		unkicked |= world.m.cpu[i].guest && !world.m.cpu[i].flight;
	return waits && unkicked;
}
