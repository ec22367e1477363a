/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool - blocks that are aligned, disjoint, merge back, and are not freed twice.
 */
#include "mm/pool.h"
#include "mm/mem.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"

static struct pool pool;

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
	ram_pool(&pool, RAM_FRAMES);
	EXPECT_EQ(pool.free_frames, RAM_FRAMES);
	for (unsigned order = 0; order < POOL_ORDERS; order++) {
		u32 left = pool.free_frames;
		hpa_t pa = take(order);

		EXPECT(IS_ALIGNED(pa.v, PAGE_SIZE << order));
		EXPECT(ram_holds(pa));
		EXPECT(ram_holds(HPA(pa.v + (PAGE_SIZE << order) - 1)));
		EXPECT_EQ(pool.free_frames, left - (1u << order));
	}
}

TEST(pool_runs_out_with_an_error)
{
	hpa_t pa;

	ram_pool(&pool, RAM_FRAMES);
	for (unsigned order = 0; order < POOL_ORDERS; order++) {
		EXPECT_EQ(count_blocks(order), RAM_FRAMES >> order);
		EXPECT_EQ(pool.free_frames, RAM_FRAMES);
	}
	EXPECT_EQ(pool_alloc(&pool, POOL_ORDERS, &pa), E_NOMEM);
	for (unsigned i = 0; i < RAM_FRAMES; i++)
		take(0);
	for (unsigned order = 0; order < POOL_ORDERS; order++)
		EXPECT_EQ(pool_alloc(&pool, order, &pa), E_NOMEM);
	EXPECT_EQ(pool.free_frames, 0);
}

/* Frames freed in any order become the largest blocks again. */
TEST(pool_merges_back_to_the_largest_blocks)
{
	struct rng r = test_rng();

	for (unsigned round = 0; round < 20; round++) {
		hpa_t pa[RAM_FRAMES];

		ram_pool(&pool, RAM_FRAMES);
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

	pool_init(&pool, HPA(RAM_BASE), RAM_FRAMES, frame);
	EXPECT_EQ(pool_alloc(&pool, 0, &pa), E_NOMEM);
	pool_add(&pool, frame_at(3), frame_at(700));
	pool_add(&pool, frame_at(701), frame_at(1301));
	EXPECT_EQ(pool.free_frames, 697 + 600);
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

	pool_init(&pool, HPA(RAM_BASE), 513, frame);
	pool_add(&pool, frame_at(0), frame_at(513));
	EXPECT_EQ(count_blocks(0), 513);
	EXPECT_EQ(count_blocks(POOL_ORDER_2M), 1);
	EXPECT_EQ(pool.free_frames, 513);
}

TEST(pool_double_free_panics)
{
	static hpa_t pa;

	ram_pool(&pool, 512);
	pa = take(2);
	pool_free(&pool, pa);
	EXPECT_PANIC(pool_free(&pool, pa));
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
		ram_pool(&pool, 512);
		take(1); /* frames 0 and 1: frame 1 is inside of a block */
		EXPECT_PANIC(pool_free(&pool, HPA(wild[i])));
		ram_pool(&pool, 512);
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
	ram_pool(&pool, 512);
	pa = take(0);
	pool_retire(&pool, &dead, pa);
	EXPECT_PANIC(pool_free(&pool, pa));
	ram_pool(&pool, 512);
	dead = frame_list_empty();
	pa = take(0);
	pool_retire(&pool, &dead, pa);
	EXPECT_PANIC(pool_retire(&pool, &dead, pa));
}

/* A store through a stale translation into a free frame is noticed. */
TEST(pool_write_to_a_free_frame_panics)
{
	for (unsigned i = 0; i < 8; i++) {
		hpa_t pa;

		ram_pool(&pool, 512);
		pa = take(0);
		pool_free(&pool, pa);
		words(pa)[i]++;
		EXPECT_PANIC(take(0));
	}
}

/* Also when the frame has become a part of a larger free block since. */
TEST(pool_write_to_a_merged_free_frame_panics)
{
	for (unsigned i = 0; i < 8; i++) {
		static hpa_t pa[8], big;

		ram_pool(&pool, 512);
		for (unsigned n = 0; n < 8; n++)
			pa[n] = take(0);
		for (unsigned n = 0; n < 8; n++)
			pool_free(&pool, pa[n]);
		words(pa[i])[3] = 1;
		EXPECT_PANIC(for (unsigned n = 0; n < 512; n++) take(0));
		ram_pool(&pool, 512);
		big = take(3);
		pool_free(&pool, big);
		words(HPA(big.v + i * PAGE_SIZE))[3] = 1;
		EXPECT_PANIC(take(3));
	}
}

/* Retired blocks are out of reach, but not a bit of them changes. */
TEST(pool_retired_blocks_stay_as_they_are)
{
	struct frame_list dead = frame_list_empty();
	hpa_t pa[100], other;

	ram_pool(&pool, 512);
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
	EXPECT_EQ(pool.free_frames, 34 + 33 * 2 + 33 * 4);
}

/* The reference: who owns each frame.  0 is free, else the block's number. */
struct owner {
	u32 of[RAM_FRAMES];
	struct {
		hpa_t pa;
		unsigned order;
		bool dead;
	} block[256];
	u32 free_frames;
};

static void own(struct owner *o, u32 n, u32 to)
{
	u64 first = (o->block[n].pa.v - RAM_BASE) >> PAGE_SHIFT;

	for (u64 i = first; i < first + (1u << o->block[n].order); i++) {
		EXPECT_EQ(o->of[i], to ? 0 : n);
		o->of[i] = to;
	}
}

/* Can a block be had, by what the reference says is free? */
static bool has_room(const struct owner *o, unsigned order)
{
	for (u32 i = 0; i < RAM_FRAMES; i += 1u << order) {
		u32 n = 0;

		while (n < 1u << order && !o->of[i + n])
			n++;
		if (n == 1u << order)
			return true;
	}
	return false;
}

static void random_take(struct owner *o, u32 n, unsigned order)
{
	hpa_t pa;
	enum err e = pool_alloc(&pool, order, &pa);

	EXPECT_EQ(e == E_OK, has_room(o, order));
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

TEST(pool_agrees_with_a_table_of_owners)
{
	static struct owner o;
	struct frame_list dead = frame_list_empty();
	struct rng r = test_rng();

	ram_pool(&pool, RAM_FRAMES);
	o.free_frames = RAM_FRAMES;
	for (unsigned i = 0; i < 100000; i++) {
		u32 n = (u32)rng_below(&r, ARRAY_LEN(o.block) - 1) + 1;

		if (rng_below(&r, 64) == 0)
			free_dead(&o, &dead);
		else if (!o.block[n].pa.v)
			random_take(&o, n, (unsigned)rng_below(&r, POOL_ORDERS));
		else if (!o.block[n].dead)
			random_give(&o, n, &dead, rng_below(&r, 2));
		EXPECT_EQ(pool.free_frames, o.free_frames);
	}
	free_dead(&o, &dead);
	for (u32 n = 1; n < ARRAY_LEN(o.block); n++)
		if (o.block[n].pa.v)
			random_give(&o, n, &dead, false);
	EXPECT_EQ(count_blocks(POOL_ORDER_2M), RAM_FRAMES >> POOL_ORDER_2M);
}
