/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool_model - random steps of several CPUs beside a table of who owns each frame
 *
 * The table says what is free, and so what must be had: everything but what other CPUs
 * have in their lists.
 */
#include "lib/str.h"
#include "mm/mem.h"
#include "mm/pool.h"
#include "tests/host/cpu.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"

#define CPUS   4
#define BLOCKS 256

static struct pool pool;

static u64 *words(hpa_t pa)
{
	return mem_ptr(pa);
}

/* 0 is free, else the block's number. */
struct owner {
	u32 of[RAM_FRAMES];
	struct {
		hpa_t pa;
		unsigned order;
		bool dead;
	} block[BLOCKS];
	u32 frames, free_frames;
	unsigned had[2], had_not[2]; /* single frames, and larger blocks */
};

static void own(struct owner *o, u32 n, u32 to)
{
	u64 first = (o->block[n].pa.v - RAM_BASE) >> PAGE_SHIFT;

	for (u64 i = first; i < first + (1u << o->block[n].order); i++) {
		EXPECT_EQ(o->of[i], to ? 0 : n);
		o->of[i] = to;
	}
}

/* Marks what is in the lists of other CPUs: free, each in one list, and so many. */
static void mark_lists(const struct owner *o, bool elsewhere[RAM_FRAMES])
{
	memset(elsewhere, 0, RAM_FRAMES);
	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		const struct cpulist *l = &pool.cpulist[cpu];

		for (u32 n = 0; cpu != hw_self() && n < cpulist_count(l); n++) {
			EXPECT_EQ(o->of[l->frame[n]], 0);
			EXPECT(!elsewhere[l->frame[n]]);
			elsewhere[l->frame[n]] = true;
		}
	}
}

/* Can this CPU have a block, by what the reference says is free? */
static bool has_room(const struct owner *o, unsigned order)
{
	bool elsewhere[RAM_FRAMES];

	mark_lists(o, elsewhere);
	for (u32 i = 0; i < o->frames; i += 1u << order) {
		u32 n = 0;

		while (n < 1u << order && !o->of[i + n] && !elsewhere[i + n])
			n++;
		if (n == 1u << order)
			return true;
	}
	return false;
}

static void random_take(struct owner *o, u32 n, unsigned order)
{
	bool room = has_room(o, order);
	hpa_t pa;
	enum err e = pool_alloc(&pool, order, &pa);

	EXPECT_EQ(e == E_OK, room);
	(e ? o->had_not : o->had)[order > 0]++;
	if (e)
		return;
	o->block[n].pa = pa;
	o->block[n].order = order;
	o->free_frames -= 1u << order;
	own(o, n, n);
	words(pa)[0] = n;
}

static void random_give(struct owner *o, u32 n, struct frame_list *dead, bool retire)
{
	EXPECT_EQ(words(o->block[n].pa)[0], n);
	if (retire) {
		pool_retire(&pool, dead, o->block[n].pa);
		o->block[n].dead = true;
		return;
	}
	own(o, n, 0);
	o->free_frames += 1u << o->block[n].order;
	pool_free(&pool, o->block[n].pa);
	o->block[n].pa.v = 0;
}

static void free_dead(struct owner *o, struct frame_list *dead)
{
	for (u32 n = 1; n < ARRAY_LEN(o->block); n++) {
		if (!o->block[n].dead)
			continue;
		own(o, n, 0);
		o->free_frames += 1u << o->block[n].order;
		o->block[n].pa.v = 0;
		o->block[n].dead = false;
	}
	pool_free_list(&pool, dead);
}

/* Single frames mostly, of which there are never enough. */
static unsigned random_order(struct rng *r)
{
	return rng_below(r, 4) ? 0 : (unsigned)rng_below(r, POOL_ORDERS);
}

static void drain_all(void)
{
	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		cpu_become(cpu);
		pool_drain(&pool);
	}
}

static void step(struct owner *o, struct rng *r, struct frame_list *dead)
{
	u32 n = (u32)rng_below(r, BLOCKS - 1) + 1;

	cpu_become((unsigned)rng_below(r, CPUS));
	if (rng_below(r, 64) == 0)
		free_dead(o, dead);
	else if (rng_below(r, 256) == 0)
		pool_drain(&pool);
	else if (!o->block[n].pa.v)
		random_take(o, n, random_order(r));
	else if (!o->block[n].dead)
		random_give(o, n, dead, rng_below(r, 2));
	EXPECT_EQ(pool_available(&pool), o->free_frames);
}

static void steps(struct owner *o, u32 frames, unsigned count)
{
	struct frame_list dead = frame_list_empty();
	struct rng r = test_rng();

	ram_pool(&pool, frames);
	o->frames = o->free_frames = frames;
	while (count--)
		step(o, &r, &dead);
	free_dead(o, &dead);
	for (u32 n = 1; n < BLOCKS; n++)
		if (o->block[n].pa.v)
			random_give(o, n, &dead, false);
	drain_all();
	for (u32 n = 0; n < frames >> POOL_ORDER_2M; n++)
		EXPECT_EQ(pool_alloc(&pool, POOL_ORDER_2M, &(hpa_t){ 0 }), E_OK);
}

TEST(pool_agrees_with_a_table_of_owners)
{
	static struct owner o;

	steps(&o, RAM_FRAMES, 100000);
	EXPECT(o.had[1] > 1000 && o.had_not[1] > 1000);
}

/* So few frames that what other CPUs have in their lists is missing. */
TEST(pool_agrees_with_a_table_of_owners_when_memory_is_short)
{
	static struct owner o;

	steps(&o, 100, 100000);
	EXPECT(o.had[0] > 1000 && o.had_not[0] > 1000);
	EXPECT(o.had[1] > 100 && o.had_not[1] > 1000);
}
