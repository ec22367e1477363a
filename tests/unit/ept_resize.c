/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept_resize - splitting leaves: sizes, contents, and the right to execute that large
 * leaves may have to hold.
 */
#include "tests/unit/space.h"

#define AD (EPTE_A | EPTE_D)

static void split(u64 gpa, u64 len, unsigned level)
{
	EXPECT_EQ(ept_split(&ept, GPA(gpa), len, level, &g), E_OK);
}

TEST_BOTH(ept_split_down_the_levels)
{
	u64 attr = EPT_RWX | raw_extra(EPTE_IPAT | EPTE_SVE);

	set_up(2);
	given(SIZE_1G, 4 * SIZE_1G, SIZE_1G, attr);
	touch(SIZE_1G, AD);
	split(SIZE_1G, SIZE_1G, 2);
	EXPECT_NO_DUTY();
	split(SIZE_1G, SIZE_1G, 1);
	EXPECT_ONLY(SIZE_1G, SIZE_1G, WHY_SIZE);
	EXPECT_EQ(at(SIZE_1G), 0);
	EXPECT_EQ(audit(0), 1);
	done();
	EXPECT_EQ(ept.spares, 512);
	for (u64 a = 0; a < SIZE_1G; a += SIZE_2M) {
		EXPECT_EQ(at(SIZE_1G + a), (4 * SIZE_1G + a) | attr | AD);
		EXPECT_EQ(level_at(SIZE_1G + a), 1);
	}
	split(SIZE_1G, SIZE_1G, 1);
	EXPECT_NO_DUTY();
	split(SIZE_1G + SIZE_2M, 2 * SIZE_2M, 0);
	EXPECT_EQ(g.n, 1);
	EXPECT_RANGE(0u, SIZE_1G + SIZE_2M, 2 * SIZE_2M, WHY_SIZE);
	EXPECT_EQ(ept.spares, 510);
	done();
	for (u64 a = 0; a < 4 * SIZE_2M; a += PAGE) {
		EXPECT_EQ(at(SIZE_1G + a), (4 * SIZE_1G + a) | attr | AD);
		EXPECT_EQ(level_at(SIZE_1G + a),
			  a >= SIZE_2M && a < 3 * SIZE_2M ? 0 : 1);
	}
}

/* From 1 GiB to 4 KiB at once: nothing is present in between. */
TEST_BOTH(ept_split_two_levels_at_once)
{
	set_up(2);
	given(0, SIZE_1G, SIZE_1G, EPT_RW);
	split(0, SIZE_1G, 0);
	EXPECT_EQ(ept.spares, 0);
	EXPECT_EQ(ept.tables, 515);
	EXPECT_EQ(g.n, 1);
	EXPECT_EQ(g.range[0].start.v, 0);
	EXPECT_EQ(g.range[0].len, SIZE_1G);
	EXPECT_EQ(g.range[0].why, WHY_SIZE);
	for (u64 a = 0; a < SIZE_1G; a += 511 * PAGE)
		EXPECT_EQ(at(a), 0);
	done();
	for (u64 a = 0; a < SIZE_1G; a += 511 * PAGE) {
		EXPECT_EQ(at(a), (SIZE_1G + a) | EPT_RW);
		EXPECT_EQ(level_at(a), 0);
	}
}

TEST_BOTH(ept_split_of_holes_and_small_leaves_is_nothing)
{
	set_up(2);
	given(SIZE_2M, 0, 5 * PAGE, RWX);
	split(0, SIZE_1G, 0);
	split(SIZE_1G, SIZE_1G, 0);
	EXPECT_NO_DUTY();
	EXPECT_EQ(ept.tables, 4);
}

/* A leaf that reaches over an end of the range is split there, whatever the level. */
TEST_BOTH(ept_split_cuts_at_the_ends)
{
	set_up(2);
	given(0, 0, SIZE_1G, RWX);
	split(SIZE_2M, SIZE_2M, 1);
	done();
	EXPECT_EQ(level_at(SIZE_2M), 1);
	EXPECT_EQ(level_at(0), 1);
	split(SIZE_2M + PAGE, PAGE, 0);
	EXPECT_ONLY(SIZE_2M, SIZE_2M, WHY_SIZE);
	done();
	EXPECT_EQ(level_at(SIZE_2M), 0);
	EXPECT_EQ(level_at(0), 1);
}

/*
 * On a CPU where an executable leaf must not change its size, X waits in large leaves
 * and is there again at 4 KiB.
 */
TEST_BOTH(ept_large_leaves_hold_x)
{
	set_up_with((struct ept_features){ .max_leaf = 2 });
	given(SIZE_2M, SIZE_2M, SIZE_2M, RWX);
	given(SIZE_1G, 0, SIZE_1G, RWX);
	given(0, 0, PAGE, RWX);
	EXPECT_EQ(at(0), RWX);
	EXPECT_EQ(at(SIZE_2M), SIZE_2M | EPT_RW | EPTE_HELD_X);
	EXPECT_EQ(at(SIZE_1G), EPT_RW | EPTE_HELD_X);
	split(SIZE_1G, SIZE_1G, 1);
	done();
	EXPECT_EQ(at(SIZE_1G + SIZE_2M), SIZE_2M | EPT_RW | EPTE_HELD_X);
	split(SIZE_1G + SIZE_2M, PAGE, 0);
	done();
	EXPECT_EQ(at(SIZE_1G + SIZE_2M), SIZE_2M | RWX);
	EXPECT_EQ(at(SIZE_1G), EPT_RW | EPTE_HELD_X);
}

TEST_BOTH(ept_protect_holds_and_gives_x)
{
	set_up_with((struct ept_features){ .max_leaf = 1 });
	given(0, 0, SIZE_2M, EPT_RW);
	EXPECT_EQ(at(0), EPT_RW);
	EXPECT_EQ(ept_protect(&ept, GPA(0), SIZE_2M, EPTE_RWX, &g), E_OK);
	EXPECT_EQ(at(0), EPT_RW | EPTE_HELD_X);
	EXPECT_NO_DUTY(); /* hardware sees no difference */
	EXPECT_EQ(ept_protect(&ept, GPA(0), SIZE_2M, EPTE_R | EPTE_W, &g), E_OK);
	EXPECT_EQ(at(0), EPT_RW);
	EXPECT_NO_DUTY();
	EXPECT_EQ(ept_protect(&ept, GPA(PAGE), PAGE, EPTE_RWX, &g), E_OK);
	EXPECT_ONLY(0, SIZE_2M, WHY_SIZE);
	done();
	EXPECT_EQ(at(0), EPT_RW);
	EXPECT_EQ(at(PAGE), PAGE | RWX);
}

TEST_BOTH(ept_large_exec_keeps_x)
{
	set_up(2);
	given(0, 0, SIZE_1G, RWX);
	EXPECT_EQ(at(0), RWX);
	split(0, SIZE_2M, 1);
	done();
	EXPECT_EQ(at(0), RWX);
	split(0, PAGE, 0);
	done();
	EXPECT_EQ(at(PAGE), PAGE | RWX);
}

/*
 * Execute-only in a large leaf that holds X: nothing is left for hardware to see, but
 * it is mapped, and moves like everything else.
 */
TEST(ept_execute_only_in_a_large_leaf)
{
	u64 x = EPTE_X | field_put(EPTE_TYPE, EPT_WB);

	set_up_with((struct ept_features){ .max_leaf = 1, .exec_only = true });
	given(0, 0, SIZE_2M, x);
	EXPECT_EQ(at(0), 0);
	EXPECT_EQ(found(0), (x ^ EPTE_X) | EPTE_HELD_X);
	EXPECT_EQ(ept_map(&ept, GPA(0), HPA(0), PAGE, RWX, &g), E_EXIST);
	EXPECT_NO_DUTY();
	EXPECT_EQ(ept_remap(&ept, GPA(0), HPA(SIZE_1G), SIZE_2M, &g), E_OK);
	EXPECT_EQ(g.tag != 0, gather_needs_flush(&g)); /* who parks must be settled */
	done();
	EXPECT_EQ(found(0), SIZE_1G | (x ^ EPTE_X) | EPTE_HELD_X);
	split(0, SIZE_2M, 0);
	done();
	EXPECT_EQ(at(5 * PAGE), (SIZE_1G + 5 * PAGE) | x);
	EXPECT_EQ(ept_unmap(&ept, GPA(0), SIZE_2M, &g), E_OK);
	done();
}
