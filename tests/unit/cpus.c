/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpus - CPUs that one thread plays, and a log of what protocols ask of them
 *
 * Kicks and flushes are written down with what everybody could see at that moment.
 */
#include "tests/unit/cpus.h"
#include "inval/ghost.h"
#include "lib/str.h"
#include "tests/host/cpu.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"

struct inval iv;
struct pool pool;
struct kick kicks[CPU_MAX];
unsigned kick_count, flush_count;
u64 taken[CPU_MAX];
void (*after_look)(unsigned cpu);
static const struct inval_reader *flusher; /* whose flush is under way */
u64 flusher_had;
u64 used_root;
u64 flusher_mark; /* its mark at that moment */

/* Whoever begins waits for the kicked, so they leave at once. */
void hw_kick(unsigned cpu)
{
	kicks[kick_count++ % CPU_MAX] =
		(struct kick){ .cpu = cpu,
			       .gen = load_relaxed(&iv.gen),
			       .mark = load_relaxed(&iv.reader[cpu].mark.word),
			       .mask = load_relaxed(&iv.mask[cpu / 64]),
			       .wr = load_relaxed(&iv.smr.wr) };
	/* NULL: the test has a struct inval of its own */
	if (iv.proto && (iv.proto->begin || load_relaxed(&iv.door)))
		iv.proto->exit(&iv.reader[cpu]);
}

u64 hw_kicks(unsigned cpu)
{
	void (*then)(unsigned) = after_look;
	u64 n = taken[cpu];

	if (!then || !inval_active(&iv, cpu))
		return n;
	after_look = NULL;
	then(cpu);
	return n;
}

void hw_flush(u64 root)
{
	EXPECT(!root || root == ROOT);
	if (!flusher)
		return; /* an initiator's own */
	flush_count++;
	flusher_had = flusher->flushed;
	flusher_mark = load_relaxed(&flusher->mark.word);
	ghost_flush(hw_self(), root);
}

void hw_use_root(u64 root)
{
	used_root = root;
}

void set_up(const struct inval_proto *proto, unsigned cpus)
{
	ram_pool(&pool, 512);
	inval_init(&iv, proto, &pool, ROOT, cpus);
	cpu_become(0);
	kick_count = flush_count = 0;
	after_look = NULL;
	memset(taken, 0, sizeof(taken));
}

struct inval_reader *enter(unsigned cpu)
{
	struct inval_reader *r = &iv.reader[cpu];

	flusher = r;
	iv.proto->enter(r);
	flusher = NULL;
	return r;
}

void leave(unsigned cpu)
{
	iv.proto->exit(&iv.reader[cpu]);
}

/* The kick's interrupt on a CPU that is out of the guest. */
void take_kick(unsigned cpu)
{
	flusher = &iv.reader[cpu];
	taken[cpu]++;
	inval_kicked(&iv.reader[cpu]);
}

/* A gather that holds one range and one block. */
struct gather duty(void)
{
	struct gather g = gather_init();
	hpa_t pa;

	EXPECT_EQ(pool_alloc(&pool, 0, &pa), E_OK);
	gather_range(&g, GPA(0), PAGE_SIZE, WHY_UNMAP);
	gather_block(&g, &pool, pa);
	return g;
}
