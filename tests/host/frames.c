/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frames - CPUs that allocate, free, retire and hand over blocks of one small pool
 *
 *	frames CPUS STEPS SEED
 *
 * Every owner of a block writes its mark into each frame by plain stores, and finds it
 * there before it gives the block up: a frame with two owners is a race for TSan, and
 * another mark in the data.  Blocks go from CPU to CPU by a store and a load that order
 * just these two; else only the pool itself orders what one CPU does before what
 *another does.  There are too few frames for all, so lists run empty, fill up, and are
 *refilled.
 *
 * Exit status: 0 all is well; 66 TSan's report; 65 a block is not its owner's alone, or
 * frames are lost; 70 a panic, or nothing happened that is worth a test; 77 the machine
 * is too busy to say anything.
 */
#include "tests/host/hw_threads.h"
#include "tests/host/ram.h"
#include "inval/hw.h"
#include "lib/str.h"
#include "mm/mem.h"

#include <pthread.h>
#include <stdio.h>

#define FRAMES   512
#define CPUS_MAX 7
#define BLOCKS   160 /* that one CPU may own; a few CPUs want more than there is */
#define WORD     100 /* of a frame, where its mark is: behind the poison */

struct owned {
	hpa_t pa;
	unsigned order;
	u64 mark;
};

/* A CPU's own, and main()'s when that CPU is done. */
static struct cpu {
	struct owned block[BLOCKS];
	unsigned n, cpus;
	struct frame_list dead;
	u64 serial, steps, had, had_not, passed;
	/* For each sender: the block that waits here, if there is one. */
	struct letter {
		_Alignas(CACHE_LINE) atomic32_t full;
		struct owned block;
	} from[CPUS_MAX];
} cpu[CPUS_MAX];

static struct pool pool;
static u64 seed, steps;

static u64 *mark_of(const struct owned *b, unsigned frame)
{
	return (u64 *)mem_ptr(HPA(b->pa.v + frame * PAGE_SIZE)) + WORD;
}

static void sign(struct cpu *c, struct owned *b)
{
	b->mark = (u64)hw_self() << 48 | ++c->serial;
	for (unsigned i = 0; i < 1u << b->order; i++)
		*mark_of(b, i) = b->mark;
	*pool_count(&pool, b->pa) = (u16)b->mark;
}

static void verify(const struct owned *b)
{
	for (unsigned i = 0; i < 1u << b->order; i++)
		if (*mark_of(b, i) != b->mark)
			host_die(STALE,
				 "frame %u of a block of CPU %u has mark 0x%lx, "
				 "want 0x%lx",
				 i, hw_self(), *mark_of(b, i), b->mark);
	if (*pool_count(&pool, b->pa) != (u16)b->mark)
		host_die(STALE, "the count of a block of CPU %u is 0x%x, want 0x%x",
			 hw_self(), *pool_count(&pool, b->pa), (u16)b->mark);
}

static void take(struct cpu *c)
{
	struct owned *b = &c->block[c->n];
	u64 r = rng_below(cpu_rng(), 8);

	if (c->n == BLOCKS)
		return;
	b->order = r < 6 ? 0 : 1 + (unsigned)rng_below(cpu_rng(), 3);
	if (pool_alloc(&pool, b->order, &b->pa)) {
		c->had_not++;
		return;
	}
	if (*pool_count(&pool, b->pa))
		host_die(STALE, "a new block has count %u", *pool_count(&pool, b->pa));
	c->n++;
	c->had++;
	sign(c, b);
}

/* Takes one of the CPU's blocks out of its books. */
static struct owned pick(struct cpu *c)
{
	unsigned i = (unsigned)rng_below(cpu_rng(), c->n);
	struct owned b = c->block[i];

	c->block[i] = c->block[--c->n];
	verify(&b);
	return b;
}

static void give(struct cpu *c)
{
	struct owned b = pick(c);

	if (rng_below(cpu_rng(), 4) == 0)
		pool_retire(&pool, &c->dead, b.pa);
	else
		pool_free(&pool, b.pa);
}

static void send(struct cpu *c, struct cpu *to)
{
	struct letter *l = &to->from[c - cpu];

	if (to == c || load_acquire(&l->full))
		return;
	l->block = pick(c);
	store_release(&l->full, 1u);
	c->passed++;
}

static void receive(struct cpu *c)
{
	for (unsigned i = 0; i < c->cpus && c->n < BLOCKS; i++) {
		struct letter *l = &c->from[i];

		if (!load_acquire(&l->full))
			continue;
		c->block[c->n] = l->block;
		store_release(&l->full, 0u);
		verify(&c->block[c->n]);
		sign(c, &c->block[c->n++]);
	}
}

/* Phases of many allocations and of many frees: lists run empty and full. */
static void step(struct cpu *c)
{
	bool grow = c->steps / 128 % 2;
	u64 r = rng_below(cpu_rng(), 16);

	c->steps++;
	if (r == 0)
		receive(c);
	else if (r == 1)
		pool_free_list(&pool, &c->dead);
	else if (r == 2 && rng_below(cpu_rng(), 8) == 0)
		pool_drain(&pool);
	else if (!c->n || (grow ? r < 13 : r < 6))
		take(c);
	else if (rng_below(cpu_rng(), 4) == 0)
		send(c, &cpu[rng_below(cpu_rng(), c->cpus)]);
	else
		give(c);
}

static void *run(void *arg)
{
	struct cpu *c = arg;
	u64 end = now_ms() + RUN_MS;

	cpu_start((unsigned)(c - cpu), seed);
	while (c->steps < steps && now_ms() < end)
		step(c);
	while (c->n)
		give(c);
	pool_free_list(&pool, &c->dead);
	pool_drain(&pool);
	cpu_stop();
	return NULL;
}

/* All CPUs are done: what is in no letter is free, and whole again. */
static void settle(unsigned cpus)
{
	for (unsigned i = 0; i < cpus; i++) {
		receive(&cpu[i]);
		while (cpu[i].n)
			give(&cpu[i]);
		pool_free_list(&pool, &cpu[i].dead);
	}
	pool_drain(&pool);
	if (pool_available(&pool) != FRAMES)
		host_die(STALE, "%u frames are free at the end, want %u",
			 pool_available(&pool), FRAMES);
	if (pool_alloc(&pool, POOL_ORDER_2M, &(hpa_t){ 0 }))
		host_die(STALE, "the frames do not merge at the end");
}

static void add(struct cpu *sum, const struct cpu *c)
{
	sum->steps += c->steps;
	sum->had += c->had;
	sum->had_not += c->had_not;
	sum->passed += c->passed;
}

int main(int argc, char **argv)
{
	pthread_t thread[CPUS_MAX];
	static struct cpu all;
	u64 cpus;

	if (argc != 4 || !str_u64(argv[1], &cpus) || cpus < 2 || cpus > CPUS_MAX ||
	    !str_u64(argv[2], &steps) || !str_u64(argv[3], &seed)) {
		fprintf(stderr, "usage: frames CPUS STEPS SEED\n");
		return 2;
	}
	cpu_start((unsigned)cpus, seed);
	ram_pool(&pool, FRAMES);
	fence_sc();
	for (u64 i = 0; i < cpus; i++) {
		cpu[i].cpus = (unsigned)cpus;
		cpu[i].dead = frame_list_empty();
	}
	for (u64 i = 0; i < cpus; i++)
		if (pthread_create(&thread[i], NULL, run, &cpu[i]))
			panic("frames: no thread");
	for (u64 i = 0; i < cpus; i++) {
		pthread_join(thread[i], NULL);
		add(&all, &cpu[i]);
	}
	settle((unsigned)cpus);
	printf("# %lu blocks, %lu handed over, %lu not to be had\n", all.had,
	       all.passed, all.had_not);
	cpu_stop();
	if (all.steps < FEW(steps * cpus))
		return TOO_FEW;
	return all.had && all.passed && all.had_not ? 0 : PANICS;
}
