/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gather - what an edit leaves behind: ranges that join, reasons, overflow, states.
 */
#include "mm/gather.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"

static struct pool pool;

static void add_why(struct gather *g, u64 page, u64 pages, enum gather_why why)
{
	gather_range(g, GPA(page * PAGE_SIZE), pages * PAGE_SIZE, why);
}

static void add(struct gather *g, u64 page, u64 pages)
{
	add_why(g, page, pages, WHY_UNMAP);
}

static void expect_why(const struct gather *g, unsigned i, u64 page, u64 pages, u32 why)
{
	EXPECT_EQ(g->range[i].why, why);
	EXPECT_EQ(g->range[i].start.v, page * PAGE_SIZE);
	EXPECT_EQ(g->range[i].len, pages * PAGE_SIZE);
}

static void expect_range(const struct gather *g, unsigned i, u64 page, u64 pages)
{
	expect_why(g, i, page, pages, WHY_UNMAP);
}

TEST(gather_begins_open_and_empty)
{
	struct gather g = gather_init();

	EXPECT_EQ(g.state, GATHER_OPEN);
	EXPECT(!gather_needs_flush(&g));
	EXPECT_EQ(g.dead.count, 0);
	EXPECT_EQ(g.tag, 0);
}

TEST(gather_joins_adjacent_ranges)
{
	struct gather g = gather_init();

	for (u64 i = 0; i < 100; i++)
		add(&g, 7 + i, 1);
	EXPECT_EQ(g.n, 1);
	expect_range(&g, 0, 7, 100);
	add(&g, 200, 512); /* a hole in between */
	EXPECT_EQ(g.n, 2);
	expect_range(&g, 0, 7, 100);
	expect_range(&g, 1, 200, 512);
	add(&g, 712, 1);
	EXPECT_EQ(g.n, 2);
	expect_range(&g, 1, 200, 513);
	EXPECT(gather_needs_flush(&g));
	EXPECT(!g.all);
}

/* A range below the last one is a range of its own, even if they touch. */
TEST(gather_keeps_what_it_cannot_join)
{
	struct gather g = gather_init();

	add(&g, 10, 5);
	add(&g, 5, 5);
	EXPECT_EQ(g.n, 2);
	expect_range(&g, 0, 10, 5);
	expect_range(&g, 1, 5, 5);
}

/* Neighbours of different reasons stay apart. */
TEST(gather_joins_the_same_reason_only)
{
	struct gather g = gather_init();

	add_why(&g, 0, 2, WHY_RIGHTS);
	add_why(&g, 2, 2, WHY_REMAP);
	EXPECT_EQ(g.n, 2);
	add_why(&g, 4, 1, WHY_REMAP);
	EXPECT_EQ(g.n, 2);
	expect_why(&g, 0, 0, 2, WHY_RIGHTS);
	expect_why(&g, 1, 2, 3, WHY_REMAP);
}

/* What lies in the last range adds its reason to it, wherever in it; else it is new. */
TEST(gather_adds_the_reason_of_a_part)
{
	struct gather g = gather_init();

	add_why(&g, 512, 512, WHY_SIZE);
	add_why(&g, 512, 1, WHY_UNMAP);
	expect_why(&g, 0, 512, 512, WHY_SIZE | WHY_UNMAP);
	add_why(&g, 1023, 1, WHY_RIGHTS);
	expect_why(&g, 0, 512, 512, WHY_SIZE | WHY_UNMAP | WHY_RIGHTS);
	EXPECT_EQ(g.n, 1);
	add_why(&g, 1023, 2, WHY_SIZE); /* reaches over the end */
	EXPECT_EQ(g.n, 2);
	expect_why(&g, 1, 1023, 2, WHY_SIZE);
	add_why(&g, 600, 1, WHY_SIZE); /* in the first: only the last is looked at */
	EXPECT_EQ(g.n, 3);
	/* A range of two reasons goes on for none of them alone. */
	g = gather_init();
	add_why(&g, 0, 4, WHY_SIZE);
	add_why(&g, 1, 1, WHY_UNMAP);
	add_why(&g, 4, 1, WHY_UNMAP);
	EXPECT_EQ(g.n, 2);
	expect_why(&g, 0, 0, 4, WHY_SIZE | WHY_UNMAP);
	expect_why(&g, 1, 4, 1, WHY_UNMAP);
}

/* What is parked is between two bounds, which grow to both sides; 0 is a bound too. */
TEST(gather_parked_is_a_hull)
{
	struct gather g = gather_init();

	gather_parked(&g, 8 * PAGE_SIZE, 9 * PAGE_SIZE);
	EXPECT_EQ(g.parked_from, 8 * PAGE_SIZE);
	EXPECT_EQ(g.parked_to, 9 * PAGE_SIZE);
	gather_parked(&g, 20 * PAGE_SIZE, 21 * PAGE_SIZE);
	EXPECT_EQ(g.parked_from, 8 * PAGE_SIZE);
	EXPECT_EQ(g.parked_to, 21 * PAGE_SIZE);
	gather_parked(&g, 10 * PAGE_SIZE, 11 * PAGE_SIZE);
	EXPECT_EQ(g.parked_from, 8 * PAGE_SIZE);
	EXPECT_EQ(g.parked_to, 21 * PAGE_SIZE);
	gather_parked(&g, 0, PAGE_SIZE);
	EXPECT_EQ(g.parked_from, 0);
	EXPECT_EQ(g.parked_to, 21 * PAGE_SIZE);
	gather_parked(&g, 5 * PAGE_SIZE, 6 * PAGE_SIZE);
	EXPECT_EQ(g.parked_from, 0);
	EXPECT(!gather_needs_flush(&g)); /* that is for gather_range() to say */
}

TEST(gather_overflows_to_all)
{
	struct gather g = gather_init();

	for (u64 i = 0; i < GATHER_RANGES; i++) {
		add(&g, 10 * i, 1);
		EXPECT_EQ(g.n, i + 1);
		EXPECT(!g.all);
	}
	add(&g, 10 * (GATHER_RANGES - 1) + 1, 1); /* joins: still no overflow */
	EXPECT(!g.all);
	add(&g, 1000, 1);
	EXPECT(g.all);
	add(&g, 2000, 1);
	EXPECT(g.all);
	EXPECT_EQ(g.n, GATHER_RANGES);
	EXPECT(gather_needs_flush(&g));
}

TEST(gather_blocks_alone_need_a_flush)
{
	struct gather g = gather_init();
	hpa_t pa;

	ram_pool(&pool, 512);
	EXPECT_EQ(pool_alloc(&pool, 3, &pa), E_OK);
	gather_block(&g, &pool, pa);
	EXPECT(gather_needs_flush(&g));
	EXPECT_EQ(g.dead.count, 1);
	EXPECT_EQ(pool_available(&pool), 504);
	pool_free_list(&pool, &g.dead);
	EXPECT_EQ(pool_available(&pool), 512);
}

TEST(gather_published_must_not_be_edited)
{
	static struct gather g;
	static hpa_t pa;

	ram_pool(&pool, 512);
	EXPECT_EQ(pool_alloc(&pool, 0, &pa), E_OK);
	g = gather_init();
	g.state = GATHER_PUBLISHED;
	EXPECT_PANIC(add(&g, 0, 1));
	EXPECT_PANIC(gather_block(&g, &pool, pa));
	EXPECT_PANIC(gather_parked(&g, 0, PAGE_SIZE));
	EXPECT_EQ(g.dead.count, 0);
	pool_free(&pool, pa); /* still in use, not dead */
}
