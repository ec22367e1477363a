/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool - blocks that are aligned, disjoint, merge back, and are not freed twice.
 *
 * One thread plays all CPUs.  Random steps beside a table of owners are in
 * pool_model.c; CPUs that meet are in tests/host/frames.c and
 * tests/host/record/twice.c.
 */
#include "mm/pool.h"
#include "mm/mem.h"
#include "tests/host/cpu.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"

#define CPUS 4

static struct pool pool;

/* CPU 0, and all frames in the buddy lists. */
static void set_up(u32 frames)
{
	cpu_become(0);
	ram_pool(&pool, frames);
}

static hpa_t take(unsigned order)
{
	hpa_t pa = HPA(0);

	EXPECT_EQ(pool_alloc(&pool, order, &pa), E_OK);
	return pa;
}

static hpa_t frame_at(u64 i)
{
	return HPA(RAM_BASE + i * PAGE_SIZE);
}

static u64 *words(hpa_t pa)
{
	return mem_ptr(pa);
}

static unsigned state_of(hpa_t pa)
{
	return pool.frame[(pa.v - RAM_BASE) >> PAGE_SHIFT].state;
}

/* Every frame that the present CPU can have. */
static unsigned take_all(struct pool *p)
{
	unsigned n = 0;

	while (!pool_alloc(p, 0, &(hpa_t){ 0 }))
		n++;
	return n;
}

/* How many blocks of an order can be had now?  They are given back. */
static unsigned count_blocks(unsigned order)
{
	static hpa_t pa[RAM_FRAMES];
	unsigned n = 0;

	while (!pool_alloc(&pool, order, &pa[n]))
		n++;
	for (unsigned i = 0; i < n; i++)
		pool_free(&pool, pa[i]);
	return n;
}

TEST(pool_blocks_are_aligned_inside_and_counted)
{
	set_up(RAM_FRAMES);
	EXPECT_EQ(pool_available(&pool), RAM_FRAMES);
	for (unsigned order = 0; order < POOL_ORDERS; order++) {
		u32 left = pool_available(&pool);
		hpa_t pa = take(order);

		EXPECT(IS_ALIGNED(pa.v, PAGE_SIZE << order));
		EXPECT(ram_holds(pa));
		EXPECT(ram_holds(HPA(pa.v + (PAGE_SIZE << order) - 1)));
		EXPECT_EQ(pool_available(&pool), left - (1u << order));
	}
}

TEST(pool_runs_out_with_an_error)
{
	hpa_t pa;

	set_up(RAM_FRAMES);
	for (unsigned order = 0; order < POOL_ORDERS; order++) {
		EXPECT_EQ(count_blocks(order), RAM_FRAMES >> order);
		EXPECT_EQ(pool_available(&pool), RAM_FRAMES);
	}
	EXPECT_EQ(pool_alloc(&pool, POOL_ORDERS, &pa), E_NOMEM);
	for (unsigned i = 0; i < RAM_FRAMES; i++)
		take(0);
	for (unsigned order = 0; order < POOL_ORDERS; order++)
		EXPECT_EQ(pool_alloc(&pool, order, &pa), E_NOMEM);
	EXPECT_EQ(pool_available(&pool), 0);
}

/* Frames freed in any order become the largest blocks again. */
TEST(pool_merges_back_to_the_largest_blocks)
{
	struct rng r = test_rng();

	for (unsigned round = 0; round < 20; round++) {
		hpa_t pa[RAM_FRAMES];

		set_up(RAM_FRAMES);
		for (unsigned i = 0; i < RAM_FRAMES; i++)
			pa[i] = take(0);
		for (unsigned i = RAM_FRAMES; i > 0; i--) {
			u64 j = rng_below(&r, i);
			hpa_t chosen = pa[j];

			pa[j] = pa[i - 1];
			pool_free(&pool, chosen);
		}
		EXPECT_EQ(count_blocks(POOL_ORDER_2M), RAM_FRAMES >> POOL_ORDER_2M);
	}
}

/* A region that neither begins nor ends at a large boundary is used in full. */
TEST(pool_add_takes_ragged_regions)
{
	static struct frame frame[RAM_FRAMES];
	unsigned n = 0;
	hpa_t pa;

	cpu_become(0);
	pool_init(&pool, HPA(RAM_BASE), RAM_FRAMES, frame);
	EXPECT_EQ(pool_alloc(&pool, 0, &pa), E_NOMEM);
	pool_add(&pool, frame_at(3), frame_at(700));
	pool_add(&pool, frame_at(701), frame_at(1301));
	EXPECT_EQ(pool_available(&pool), 697 + 600);
	while (!pool_alloc(&pool, 0, &pa)) {
		u64 i = (pa.v - RAM_BASE) >> PAGE_SHIFT;

		EXPECT(i >= 3 && i < 1301 && i != 700);
		n++;
	}
	EXPECT_EQ(n, 697 + 600);
}

/* The last block's buddy may lie past the end of the pool, where no bookkeeping is. */
TEST(pool_end_is_not_merged_past)
{
	static struct frame frame[513];

	cpu_become(0);
	pool_init(&pool, HPA(RAM_BASE), 513, frame);
	pool_add(&pool, frame_at(0), frame_at(513));
	EXPECT_EQ(count_blocks(0), 513);
	EXPECT_EQ(count_blocks(POOL_ORDER_2M), 1);
	EXPECT_EQ(pool_available(&pool), 513);
}

TEST(pool_double_free_panics)
{
	static hpa_t pa;

	set_up(512);
	pa = take(2);
	pool_free(&pool, pa);
	EXPECT_PANIC(pool_free(&pool, pa));
}

/* At once, by whichever CPU, in a list as well as in the buddy lists. */
TEST(pool_double_free_of_a_single_frame_panics)
{
	static hpa_t pa;

	for (unsigned cpu = 0; cpu < 2; cpu++) {
		set_up(512);
		pa = take(0);
		pool_free(&pool, pa);
		EXPECT_EQ(state_of(pa), FRAME_CACHED);
		cpu_become(cpu);
		EXPECT_PANIC(pool_free(&pool, pa));
		EXPECT_PANIC(
			pool_retire(&pool, &(struct frame_list){ POOL_NONE, 0 }, pa));
		cpu_become(0);
		pool_drain(&pool);
		EXPECT(state_of(pa) != FRAME_CACHED);
		cpu_become(cpu);
		EXPECT_PANIC(pool_free(&pool, pa));
	}
}

TEST(pool_wild_free_panics)
{
	static const u64 wild[] = { 0,
				    RAM_BASE - PAGE_SIZE,
				    RAM_BASE + 512 * PAGE_SIZE,
				    RAM_BASE + 8,
				    RAM_BASE + PAGE_SIZE,
				    ~0ull };

	for (unsigned i = 0; i < ARRAY_LEN(wild); i++) {
		set_up(512);
		take(1); /* frames 0 and 1: frame 1 is inside of a block */
		EXPECT_PANIC(pool_free(&pool, HPA(wild[i])));
		set_up(512);
		take(1);
		EXPECT_PANIC(pool_retire(&pool, &(struct frame_list){ POOL_NONE, 0 },
					 HPA(wild[i])));
	}
}

TEST(pool_free_of_a_retired_block_panics)
{
	static struct frame_list dead;
	static hpa_t pa;

	dead = frame_list_empty();
	set_up(512);
	pa = take(0);
	pool_retire(&pool, &dead, pa);
	EXPECT_PANIC(pool_free(&pool, pa));
	set_up(512);
	dead = frame_list_empty();
	pa = take(0);
	pool_retire(&pool, &dead, pa);
	EXPECT_PANIC(pool_retire(&pool, &dead, pa));
}

/* Whoever frees by an old copy of a list is told so. */
TEST(pool_free_of_a_list_twice_panics)
{
	static struct frame_list dead, copy;

	for (unsigned order = 0; order < 2; order++) {
		set_up(512);
		dead = frame_list_empty();
		pool_retire(&pool, &dead, take(order));
		copy = dead;
		pool_free_list(&pool, &dead);
		EXPECT_PANIC(pool_free_list(&pool, &copy));
	}
}

/* A store through a stale translation into a free frame is noticed. */
TEST(pool_write_to_a_free_frame_panics)
{
	for (unsigned i = 0; i < 8; i++) {
		hpa_t pa;

		set_up(512);
		pa = take(0);
		pool_free(&pool, pa);
		words(pa)[i]++;
		EXPECT_PANIC(take(0));
	}
}

/* Also when the frame has been in the buddy lists in between, or on another CPU. */
TEST(pool_write_to_a_cached_frame_panics)
{
	for (unsigned drains = 0; drains < 2; drains++)
		for (unsigned i = 0; i < 8; i++) {
			static hpa_t pa;

			set_up(512);
			pa = take(0);
			cpu_become(1);
			pool_free(&pool, pa);
			EXPECT_EQ(state_of(pa), FRAME_CACHED);
			words(pa)[i] ^= 1;
			if (drains)
				pool_drain(&pool);
			EXPECT_PANIC(take_all(&pool));
		}
}

/* Also when the frame has become a part of a larger free block since. */
TEST(pool_write_to_a_merged_free_frame_panics)
{
	for (unsigned i = 0; i < 8; i++) {
		static hpa_t pa[8], big;

		set_up(512);
		for (unsigned n = 0; n < 8; n++)
			pa[n] = take(0);
		for (unsigned n = 0; n < 8; n++)
			pool_free(&pool, pa[n]);
		pool_drain(&pool);
		words(pa[i])[3] = 1;
		EXPECT_PANIC(for (unsigned n = 0; n < 512; n++) take(0));
		set_up(512);
		big = take(3);
		pool_free(&pool, big);
		words(HPA(big.v + i * PAGE_SIZE))[3] = 1;
		EXPECT_PANIC(take(3));
	}
}

/* What others have at hand cannot be had, and is not lost. */
TEST(pool_list_of_another_cpu_is_out_of_reach)
{
	set_up(512);
	cpu_become(1);
	take(0);
	cpu_become(0);
	EXPECT_EQ(take_all(&pool), 512 - CPULIST_HALF);
	EXPECT_EQ(pool_available(&pool), CPULIST_HALF - 1);
	for (unsigned order = 0; order < POOL_ORDERS; order++)
		EXPECT_EQ(pool_alloc(&pool, order, &(hpa_t){ 0 }), E_NOMEM);
	cpu_become(1);
	EXPECT_EQ(take_all(&pool), CPULIST_HALF - 1);
	EXPECT_EQ(pool_available(&pool), 0);
}

/* No more than a list is out of reach for a CPU, however many frames others free. */
TEST(pool_list_is_bounded)
{
	hpa_t pa[256];

	set_up(512);
	for (unsigned i = 0; i < ARRAY_LEN(pa); i++)
		pa[i] = take(0);
	for (unsigned i = 0; i < ARRAY_LEN(pa); i++) {
		cpu_become(1 + i % 3);
		pool_free(&pool, pa[i]);
	}
	cpu_become(0);
	EXPECT(take_all(&pool) >= 512 - 3 * CPULIST_LEN);
	EXPECT(pool_available(&pool) > 0);
	EXPECT(pool_available(&pool) <= 3 * CPULIST_LEN);
}

/* The frame that was freed last is taken first; the oldest make room. */
TEST(pool_list_is_a_stack)
{
	hpa_t pa[2 * CPULIST_LEN];

	set_up(512);
	for (unsigned i = 0; i < ARRAY_LEN(pa); i++)
		pa[i] = take(0);
	pool_drain(&pool);
	for (unsigned i = 0; i <= CPULIST_LEN; i++)
		pool_free(&pool, pa[i]);
	for (unsigned i = 0; i <= CPULIST_LEN; i++)
		EXPECT_EQ(state_of(pa[i]) == FRAME_CACHED, i >= CPULIST_HALF);
	for (unsigned i = CPULIST_LEN + 1; i-- > CPULIST_HALF;)
		EXPECT_EQ(take(0).v, pa[i].v);
}

/* A frame in a list is free, and yet its buddy does not merge with it. */
TEST(pool_listed_frames_do_not_merge)
{
	static struct frame frame[2];
	hpa_t pa[2];

	cpu_become(0);
	pool_init(&pool, HPA(RAM_BASE), 2, frame);
	pool_add(&pool, frame_at(0), frame_at(2));
	for (unsigned i = 0; i < 2; i++)
		pa[i] = take(0);
	pool_free(&pool, pa[0]);
	cpu_become(1);
	pool_free(&pool, pa[1]);
	pool_drain(&pool);
	EXPECT_EQ(pool_alloc(&pool, 1, &(hpa_t){ 0 }), E_NOMEM);
	EXPECT_EQ(pool_available(&pool), 2);
	cpu_become(0);
	pool_drain(&pool);
	cpu_become(2);
	EXPECT_EQ(take(1).v, RAM_BASE);
}

/* A CPU that wants a large block gives what it has itself. */
TEST(pool_large_blocks_drain_the_own_list)
{
	hpa_t pa;

	set_up(512);
	pa = take(0);
	pool_free(&pool, pa);
	EXPECT(cpulist_count(&pool.cpulist[0]) > 0);
	EXPECT_EQ(take(POOL_ORDER_2M).v, RAM_BASE);
}

TEST(pool_drain_makes_large_blocks_whole)
{
	hpa_t pa[RAM_FRAMES];

	set_up(RAM_FRAMES);
	for (unsigned i = 0; i < RAM_FRAMES; i++)
		pa[i] = take(0);
	for (unsigned i = 0; i < RAM_FRAMES; i++) {
		cpu_become(i % CPUS);
		pool_free(&pool, pa[i]);
	}
	cpu_become(CPUS);
	EXPECT(count_blocks(POOL_ORDER_2M) < RAM_FRAMES >> POOL_ORDER_2M);
	for (unsigned i = 0; i < CPUS; i++) {
		cpu_become(i);
		EXPECT(cpulist_count(&pool.cpulist[i]) > 0);
		pool_drain(&pool);
		pool_drain(&pool); /* of nothing */
	}
	cpu_become(CPU_MAX - 1);
	EXPECT_EQ(pool_available(&pool), RAM_FRAMES);
	EXPECT_EQ(count_blocks(POOL_ORDER_2M), RAM_FRAMES >> POOL_ORDER_2M);
	pool_free(&pool, take(0));
	EXPECT_EQ(pool_available(&pool), RAM_FRAMES);
}

TEST(pool_count_belongs_to_the_owner)
{
	for (unsigned order = 0; order < 3; order++) {
		hpa_t pa;

		set_up(512);
		pa = take(order);
		EXPECT_EQ(*pool_count(&pool, pa), 0);
		*pool_count(&pool, pa) = 512;
		EXPECT_EQ(*pool_count(&pool, take(order)), 0);
		EXPECT_EQ(*pool_count(&pool, pa), 512);
		pool_free(&pool, pa);
		EXPECT_EQ(take(order).v, pa.v);
		EXPECT_EQ(*pool_count(&pool, pa), 0);
	}
}

TEST(pool_count_of_no_block_panics)
{
	static struct frame_list dead;
	static hpa_t pa;

	set_up(512);
	dead = frame_list_empty();
	EXPECT_PANIC(pool_count(&pool, frame_at(512)));
	EXPECT_PANIC(pool_count(&pool, frame_at(0))); /* in the buddy lists */
	pa = take(1);
	EXPECT_PANIC(pool_count(&pool, HPA(pa.v + PAGE_SIZE)));
	pool_retire(&pool, &dead, pa);
	EXPECT_PANIC(pool_count(&pool, pa));
	pa = take(0);
	pool_free(&pool, pa);
	EXPECT_PANIC(pool_count(&pool, pa));
}

/* Retired blocks are out of reach, but not a bit of them changes. */
TEST(pool_retired_blocks_stay_as_they_are)
{
	struct frame_list dead = frame_list_empty();
	hpa_t pa[100], other;

	set_up(512);
	for (unsigned i = 0; i < ARRAY_LEN(pa); i++) {
		pa[i] = take(i % 3);
		for (unsigned w = 0; w < 512; w++)
			words(pa[i])[w] = i;
	}
	for (unsigned i = 0; i < ARRAY_LEN(pa); i++)
		pool_retire(&pool, &dead, pa[i]);
	EXPECT_EQ(dead.count, ARRAY_LEN(pa));
	while (!pool_alloc(&pool, 0, &other))
		for (unsigned i = 0; i < ARRAY_LEN(pa); i++)
			EXPECT(other.v < pa[i].v ||
			       other.v >= pa[i].v + (PAGE_SIZE << i % 3));
	for (unsigned i = 0; i < ARRAY_LEN(pa); i++)
		for (unsigned w = 0; w < 512; w++)
			EXPECT_EQ(words(pa[i])[w], i);
	pool_free_list(&pool, &dead);
	EXPECT_EQ(dead.count, 0);
	EXPECT_EQ(dead.head, POOL_NONE);
	EXPECT_EQ(pool_available(&pool), 34 + 33 * 2 + 33 * 4);
}
