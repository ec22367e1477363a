/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept_unmap - what unmapping gathers, and where tables and deposits go.
 */
#include "tests/unit/space.h"

static void unmap(u64 gpa, u64 len)
{
	EXPECT_EQ(ept_unmap(&ept, GPA(gpa), len, &g), E_OK);
}

/* Tables go to the gather, whole ones only, and to the pool not before it retires. */
TEST_BOTH(ept_unmap_gathers_ranges_and_tables)
{
	u32 left;

	set_up(0);
	given(SIZE_2M, SIZE_1G, 2 * SIZE_2M, RWX); /* two tables of level 0 */
	left = pool_available(&pool);
	EXPECT_EQ(ept.tables, 5);
	unmap(SIZE_2M, SIZE_2M + PAGE);
	EXPECT_ONLY(SIZE_2M, SIZE_2M + PAGE, WHY_UNMAP);
	EXPECT_EQ(g.dead.count, 1);
	EXPECT_EQ(ept.tables, 4);
	EXPECT_EQ(pool_available(&pool), left);
	EXPECT_EQ(at(2 * SIZE_2M), 0);
	EXPECT_EQ(at(2 * SIZE_2M + PAGE), (SIZE_1G + SIZE_2M + PAGE) | RWX);
	done();
	EXPECT_EQ(pool_available(&pool), left + 1);
	unmap(0, BIT(39));
	EXPECT_EQ(g.dead.count, 3);
	EXPECT_EQ(ept.tables, 1);
	done();
}

/* The gathered table is intact: a CPU may walk through it still.  E3 */
TEST_BOTH(ept_unmap_leaves_dead_tables_intact)
{
	epte_t *leaf;

	set_up(0);
	given(0, SIZE_1G, SIZE_2M, RWX);
	leaf = slot_at(5 * PAGE);
	unmap(0, SIZE_2M);
	EXPECT_EQ(raw_words(leaf->raw), (SIZE_1G + 5 * PAGE) | RWX);
	EXPECT_EQ(slot_at(0)->raw, 0);
	done();
}

/* A table that loses its last page is gone with it, and those above it too. */
TEST_BOTH(ept_unmap_reclaims_empty_tables_at_once)
{
	set_up(0);
	given(0, SIZE_1G, 3 * PAGE, RWX);
	given(SIZE_1G, SIZE_1G, PAGE, RWX);
	EXPECT_EQ(ept.tables, 6);
	unmap(0, PAGE);
	unmap(2 * PAGE, PAGE);
	EXPECT_EQ(g.dead.count, 0);
	EXPECT_EQ(g.n, 2);
	unmap(PAGE, PAGE);
	EXPECT_EQ(g.dead.count, 2); /* the root's other half is used */
	EXPECT_EQ(ept.tables, 4);
	done();
	unmap(SIZE_1G, PAGE);
	EXPECT_EQ(g.dead.count, 3);
	EXPECT_EQ(ept.tables, 1);
	done();
}

/* A table that comes out of the pool again counts from 0. */
TEST_BOTH(ept_tables_are_counted_anew)
{
	set_up(0);
	for (unsigned i = 0; i < 10; i++) {
		given(0, SIZE_1G, 2 * SIZE_2M, RWX);
		unmap(0, 2 * SIZE_2M);
		done();
		given(0, SIZE_1G, PAGE, RWX);
		EXPECT_EQ(audit(0), 0);
		unmap(0, PAGE);
		EXPECT_EQ(ept.tables, 1);
		done();
	}
}

TEST_BOTH(ept_unmap_of_nothing_needs_no_flush)
{
	set_up(2);
	given(SIZE_2M, 0, PAGE, RWX);
	unmap(SIZE_2M + PAGE, SIZE_2M - PAGE);
	unmap(SIZE_1G, SIZE_1G);
	unmap(0, SIZE_2M);
	EXPECT_NO_DUTY();
	EXPECT(at(SIZE_2M));
}

/* Holes inside of the range are not gathered where that needs no more ranges. */
TEST_BOTH(ept_unmap_gathers_what_was_mapped)
{
	set_up(1);
	given(PAGE, 0, 2 * PAGE, RWX);
	given(5 * PAGE, 0, PAGE, RWX);
	given(SIZE_2M, 0, SIZE_2M, RWX);
	given(9 * PAGE, 0, PAGE, RWX);
	unmap(0, 8 * PAGE);
	EXPECT_EQ(g.n, 2);
	EXPECT_RANGE(0u, PAGE, 2 * PAGE, WHY_UNMAP);
	EXPECT_RANGE(1u, 5 * PAGE, PAGE, WHY_UNMAP);
	done();
	unmap(9 * PAGE, 2 * SIZE_2M);
	EXPECT_EQ(g.n, 2);
	EXPECT_RANGE(0u, 9 * PAGE, PAGE, WHY_UNMAP);
	EXPECT_RANGE(1u, SIZE_2M, SIZE_2M, WHY_UNMAP);
	EXPECT_EQ(g.dead.count, 3);
	done();
	EXPECT_EQ(ept.tables, 1);
}

/* Adjacent leaves of different sizes are one range. */
TEST_BOTH(ept_unmap_joins_leaves_of_all_sizes)
{
	u64 from = SIZE_1G - SIZE_2M - PAGE, len = 2 * (SIZE_2M + PAGE) + SIZE_1G;

	set_up(2);
	given(from, from, len, RWX);
	unmap(from, len);
	EXPECT_ONLY(from, len, WHY_UNMAP);
	EXPECT_EQ(ept.spares, 0);
	EXPECT_EQ(ept.tables, 1);
	done();
}

/* 1 page for 2 MiB, 513 for 1 GiB; T1. */
TEST_BOTH(ept_deposits_follow_large_leaves)
{
	set_up(2);
	given(0, 0, PAGE, RWX);
	EXPECT_EQ(ept.spares, 0);
	given(SIZE_2M, SIZE_2M, 3 * SIZE_2M, RWX);
	EXPECT_EQ(ept.spares, 3);
	given(SIZE_1G, SIZE_1G, SIZE_1G, RWX);
	EXPECT_EQ(ept.spares, 516);
	EXPECT_EQ(audit(0), 0);
	unmap(SIZE_2M, SIZE_2M); /* deposits were never seen by a walk: free at once */
	EXPECT_EQ(ept.spares, 515);
	unmap(SIZE_1G, SIZE_1G);
	EXPECT_EQ(ept.spares, 2);
	EXPECT_EQ(audit(g.dead.count), 0);
	unmap(0, SIZE_1G); /* with the table that they are in */
	EXPECT_EQ(ept.spares, 0);
	EXPECT_EQ(audit(g.dead.count), 0);
	done();
}

/* A split of 1 GiB never asks the pool: down to every single page. */
TEST_BOTH(ept_split_needs_no_memory)
{
	static hpa_t hoard[FRAMES];
	unsigned n = 0;

	set_up(2);
	given(SIZE_1G, SIZE_1G, SIZE_1G, RWX);
	while (pool_available(&pool))
		EXPECT_EQ(pool_alloc(&pool, 0, &hoard[n++]), E_OK);
	for (u64 gpa = SIZE_1G; gpa < 2 * SIZE_1G; gpa += SIZE_2M)
		EXPECT_EQ(ept_protect(&ept, GPA(gpa + PAGE), PAGE, EPTE_R, &g), E_OK);
	EXPECT_EQ(ept.spares, 0);
	EXPECT_EQ(ept.tables, 2 + 513);
	g.state = GATHER_PUBLISHED;
	ept_settle(&ept, &g);
	EXPECT_EQ(audit(n), 0);
	EXPECT_EQ(at(2 * SIZE_1G - PAGE), (2 * SIZE_1G - PAGE) | RWX);
	EXPECT_EQ(at(SIZE_1G + PAGE), (SIZE_1G + PAGE) | (RWX & ~EPTE_RWX) | EPTE_R);
	EXPECT_EQ(g.dead.count, 0);
}

/* A large leaf without memory for its deposit is not mapped, and small ones stay. */
TEST_BOTH(ept_map_reserves_all_or_nothing)
{
	static hpa_t hoard[FRAMES];

	for (unsigned left = 512; left < 514; left++) {
		unsigned n = 0;
		bool fits = left == 513;

		set_up(2);
		given(0, 0, PAGE, RWX);
		while (pool_available(&pool) > left)
			EXPECT_EQ(pool_alloc(&pool, 0, &hoard[n++]), E_OK);
		EXPECT_EQ(ept_map(&ept, GPA(SIZE_1G), HPA(0), SIZE_1G, RWX, &g),
			  fits ? E_OK : E_NOMEM);
		EXPECT_NO_DUTY();
		EXPECT_EQ(ept.spares, fits ? 513 : 0);
		EXPECT_EQ(pool_available(&pool), fits ? 0 : left);
		EXPECT_EQ(at(SIZE_1G), fits ? RWX : 0);
		EXPECT_EQ(audit(n), 0);
	}
}

/* The large leaf becomes a table: the rest of it waits, then is as it was. */
TEST_BOTH(ept_unmap_splits_a_large_leaf)
{
	u64 page = SIZE_2M + 7 * PAGE;

	set_up(1);
	given(0, 0, 4 * SIZE_2M, RWX);
	unmap(page, 2 * PAGE);
	EXPECT_ONLY(SIZE_2M, SIZE_2M, WHY_SIZE | WHY_UNMAP);
	EXPECT_EQ(g.dead.count, 0);
	EXPECT_EQ(at(SIZE_2M), 0);
	EXPECT_EQ(found(SIZE_2M), SIZE_2M | RWX);
	EXPECT_EQ(found(page), 0);
	EXPECT(at(0));
	EXPECT(at(2 * SIZE_2M));
	EXPECT_EQ(audit(0), 1);
	done();
	for (u64 a = SIZE_2M; a < 2 * SIZE_2M; a += PAGE)
		EXPECT_EQ(at(a), a == page || a == page + PAGE ? 0 : a | RWX);
	EXPECT_EQ(level_at(0), 1);
	EXPECT_EQ(level_at(SIZE_2M), 0);
	EXPECT_EQ(ept.spares, 3);
}

/* Over both ends of a range, and with whole leaves in between. */
TEST_BOTH(ept_unmap_splits_at_both_ends)
{
	u64 from = SIZE_2M - PAGE, len = PAGE + 2 * SIZE_2M + PAGE;

	set_up(1);
	given(0, SIZE_1G, 5 * SIZE_2M, RWX);
	unmap(from, len);
	EXPECT_EQ(g.n, 3);
	EXPECT_RANGE(0u, 0, SIZE_2M, WHY_SIZE);
	EXPECT_RANGE(1u, from, PAGE + 2 * SIZE_2M, WHY_UNMAP);
	EXPECT_RANGE(2u, 3 * SIZE_2M, SIZE_2M, WHY_SIZE | WHY_UNMAP);
	done();
	for (u64 a = 0; a < 5 * SIZE_2M; a += PAGE)
		EXPECT_EQ(at(a), a >= from && a - from < len ? 0 : (SIZE_1G + a) | RWX);
	EXPECT_EQ(level_at(4 * SIZE_2M), 1);
	EXPECT_EQ(ept.spares, 1);
}
