/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept_promote - tables that become one larger leaf: which do, and what it says.
 */
#include "tests/unit/space.h"

#define AD   (EPTE_A | EPTE_D)
#define BASE SIZE_1G /* where the table under test begins */

static void promote(u64 gpa, u64 len)
{
	EXPECT_EQ(ept_promote(&ept, GPA(gpa), len, &g), E_OK);
}

/* 512 small leaves at BASE that fit together, and a neighbour on either side. */
static void small_leaves(u64 hpa, u64 attr)
{
	given(BASE, hpa, PAGE, attr); /* the first alone, so that none is large */
	given(BASE + PAGE, hpa + PAGE, SIZE_2M - PAGE, attr);
	given(BASE + SIZE_2M, 0, PAGE, attr);
	EXPECT_EQ(level_at(BASE), 0);
}

static void expect_refused(void)
{
	epte_t was = *slot_at(BASE);
	u32 tables = ept.tables, spares = ept.spares;

	promote(BASE, SIZE_2M);
	EXPECT_NO_DUTY();
	EXPECT_EQ(level_at(BASE), 0);
	EXPECT_EQ(slot_at(BASE)->raw, was.raw);
	EXPECT_EQ(ept.tables, tables);
	EXPECT_EQ(ept.spares, spares);
}

TEST_BOTH(ept_promote_makes_a_larger_leaf)
{
	u64 attr = EPT_RW | raw_extra(EPTE_IPAT | EPTE_SVE);
	epte_t *small;

	set_up(1);
	small_leaves(3 * SIZE_2M, attr);
	small = slot_at(BASE + 3 * PAGE);
	EXPECT_EQ(ept.tables, 5);
	promote(BASE, SIZE_2M);
	EXPECT_ONLY(BASE, SIZE_2M, WHY_SIZE);
	EXPECT_EQ(g.dead.count, 1);
	EXPECT_EQ(raw_words(small->raw), (3 * SIZE_2M + 3 * PAGE) | attr); /* E3 */
	EXPECT_EQ(at(BASE), 0);                                            /* E4 */
	EXPECT_EQ(level_at(BASE), 1);
	EXPECT_EQ(audit(1), 1);
	EXPECT_EQ(ept.tables, 4);
	EXPECT_EQ(ept.spares, 1);
	done();
	EXPECT_EQ(at(BASE), (3 * SIZE_2M) | attr | AD);
	EXPECT_EQ(at(BASE + SIZE_2M - PAGE), (4 * SIZE_2M - PAGE) | attr | AD);
	EXPECT_EQ(at(BASE + SIZE_2M), attr);
	promote(BASE, SIZE_2M);
	EXPECT_NO_DUTY();
	EXPECT_EQ(ept_unmap(&ept, GPA(BASE), SIZE_2M, &g), E_OK);
	done();
}

/* Flags may differ; the leaf has both, or none where the CPU has none. */
TEST_BOTH(ept_promote_takes_flags_together)
{
	for (unsigned ad = 0; ad < 2; ad++) {
		set_up_with((struct ept_features){ .max_leaf = 1, .ad = ad });
		small_leaves(0, EPT_RW);
		if (ept.can.ad) {
			touch(BASE + 9 * PAGE, EPTE_A);
			touch(BASE + 10 * PAGE, EPTE_D);
		}
		promote(BASE, SIZE_2M);
		done();
		EXPECT_EQ(level_at(BASE), 1);
		EXPECT_EQ(at(BASE), EPT_RW | (ept.can.ad ? AD : 0));
	}
}

/* Any bit of any entry that differs, flags apart, and it stays a table. */
TEST_BOTH(ept_promote_wants_the_same_attributes)
{
	static const u64 bits[] = { EPTE_W, EPTE_X,    BIT(3),   BIT(4),
				    BIT(5), EPTE_IPAT, EPTE_SVE, EPTE_HELD_W,
				    PAGE,   SIZE_2M,   BIT(51),  EPTE_HELD_X };
	static const u64 pages[] = { 0, 1, 255, 511 };

	set_up(1);
	small_leaves(0, RWX);
	for (unsigned i = 0; i < ARRAY_LEN(bits); i++) {
		if (bits[i] & raw_flags(AD))
			continue;
		for (unsigned p = 0; p < ARRAY_LEN(pages); p++) {
			slot_at(BASE + pages[p] * PAGE)->raw ^= bits[i];
			expect_refused();
			slot_at(BASE + pages[p] * PAGE)->raw ^= bits[i];
		}
	}
	promote(BASE, SIZE_2M);
	EXPECT_EQ(g.n, 1);
	done();
}

TEST_BOTH(ept_promote_wants_no_hole)
{
	static const u64 pages[] = { 0, 1, 511 };

	for (unsigned p = 0; p < ARRAY_LEN(pages); p++) {
		u64 gpa = BASE + pages[p] * PAGE;

		set_up(1);
		small_leaves(0, RWX);
		EXPECT_EQ(ept_unmap(&ept, GPA(gpa), PAGE, &g), E_OK);
		done();
		promote(BASE, SIZE_2M);
		EXPECT_NO_DUTY();
		EXPECT_EQ(audit(0), 0);
		EXPECT_EQ(at(gpa), 0);
	}
}

TEST_BOTH(ept_promote_wants_aligned_frames)
{
	set_up(1);
	small_leaves(PAGE, RWX);
	expect_refused();
	set_up(1);
	small_leaves(SIZE_2M - PAGE, RWX);
	expect_refused();
	set_up(2);
	given(0, SIZE_2M, SIZE_1G, RWX); /* 512 of 2 MiB, not aligned to 1 GiB */
	promote(0, SIZE_1G);
	EXPECT_NO_DUTY();
	EXPECT_EQ(level_at(0), 1);
}

/* Only tables that are in the range as a whole. */
TEST_BOTH(ept_promote_keeps_to_its_range)
{
	set_up(1);
	small_leaves(0, RWX);
	promote(BASE, SIZE_2M - PAGE);
	promote(BASE + PAGE, SIZE_2M - PAGE);
	EXPECT_NO_DUTY();
	promote(BASE - PAGE, SIZE_2M + 2 * PAGE);
	EXPECT_ONLY(BASE, SIZE_2M, WHY_SIZE);
	done();
}

TEST_BOTH(ept_promote_obeys_max_leaf)
{
	set_up(0);
	small_leaves(0, RWX);
	expect_refused();
	set_up(1);
	given(0, 0, SIZE_1G, RWX);
	promote(0, SIZE_1G);
	EXPECT_NO_DUTY();
	EXPECT_EQ(level_at(0), 1);
}

/* What is executable does not change its size where that is dangerous. */
TEST_BOTH(ept_promote_leaves_executable_tables)
{
	set_up_with((struct ept_features){ .max_leaf = 1, .ad = true });
	small_leaves(0, RWX);
	expect_refused();
	EXPECT_EQ(ept_protect(&ept, GPA(BASE), SIZE_2M, EPTE_R | EPTE_W, &g), E_OK);
	done();
	promote(BASE, SIZE_2M);
	EXPECT_EQ(g.n, 1);
	done();
	EXPECT_EQ(at(BASE), EPT_RW | AD);
}

/* Large leaves that hold X go on to hold it. */
TEST_BOTH(ept_promote_joins_held_x)
{
	set_up_with((struct ept_features){ .max_leaf = 2 });
	given(0, 0, SIZE_1G, RWX);
	EXPECT_EQ(ept_split(&ept, GPA(0), SIZE_1G, 1, &g), E_OK);
	done();
	EXPECT_EQ(level_at(0), 1);
	promote(0, SIZE_1G);
	EXPECT_ONLY(0, SIZE_1G, WHY_SIZE);
	done();
	EXPECT_EQ(level_at(0), 2);
	EXPECT_EQ(at(0), EPT_RW | EPTE_HELD_X | (ept.can.ad ? AD : 0));
}

/* One level at a time: 262144 pages are 512 leaves, then one. */
TEST_BOTH(ept_promote_twice_to_a_gibibyte)
{
	set_up(2);
	given(0, 0, SIZE_1G, EPT_RW);
	EXPECT_EQ(ept_split(&ept, GPA(0), SIZE_1G, 0, &g), E_OK);
	done();
	EXPECT_EQ(ept.tables, 515);
	promote(0, SIZE_1G);
	EXPECT_ONLY(0, SIZE_1G, WHY_SIZE);
	EXPECT_EQ(g.dead.count, 512);
	done();
	EXPECT_EQ(level_at(0), 1);
	EXPECT_EQ(ept.spares, 512);
	promote(0, SIZE_1G);
	EXPECT_ONLY(0, SIZE_1G, WHY_SIZE);
	EXPECT_EQ(g.dead.count, 1);
	done();
	EXPECT_EQ(level_at(0), 2);
	EXPECT_EQ(ept.spares, 513);
	EXPECT_EQ(at(SIZE_1G - PAGE), (SIZE_1G - PAGE) | EPT_RW | AD);
}

/* What the same gather has parked counts as what it becomes. */
TEST_BOTH(ept_promote_of_own_parked_children)
{
	set_up(1);
	given(BASE, PAGE, SIZE_2M, RWX); /* at frames that do not fit */
	EXPECT_EQ(ept_remap(&ept, GPA(BASE), HPA(SIZE_2M), SIZE_2M, &g), E_OK);
	promote(BASE, SIZE_2M);
	EXPECT_ONLY(BASE, SIZE_2M, WHY_REMAP | WHY_SIZE);
	EXPECT_EQ(level_at(BASE), 1);
	EXPECT_EQ(at(BASE), 0);
	done();
	EXPECT_EQ(at(BASE), SIZE_2M | RWX | AD);
	/* One child is enough to be in the way of another gather. */
	set_up(1);
	given(BASE, SIZE_2M, PAGE, RWX);
	given(BASE + PAGE, 0, PAGE, RWX);
	given(BASE + 2 * PAGE, SIZE_2M + 2 * PAGE, SIZE_2M - 2 * PAGE, RWX);
	for (unsigned own = 0; own < 2; own++) {
		struct gather other = gather_init();

		if (!own)
			EXPECT_EQ(ept_remap(&ept, GPA(BASE + PAGE), HPA(SIZE_2M + PAGE),
					    PAGE, &other),
				  E_OK);
		promote(BASE, SIZE_2M);
		EXPECT_EQ(gather_needs_flush(&g), own);
		EXPECT_EQ(level_at(BASE), own ? 1 : 0);
		finish(&other);
	}
	done();
}

/* Without a page to set aside nothing changes; other tables may have been joined. */
TEST_BOTH(ept_promote_without_memory)
{
	static hpa_t hoard[FRAMES];
	unsigned n = 0;

	set_up(1);
	given(0, 0, 3 * SIZE_2M, EPT_RW);
	EXPECT_EQ(ept_split(&ept, GPA(0), 3 * SIZE_2M, 0, &g), E_OK);
	done();
	while (pool_available(&pool) > 1)
		EXPECT_EQ(pool_alloc(&pool, 0, &hoard[n++]), E_OK);
	EXPECT_EQ(ept_promote(&ept, GPA(0), 3 * SIZE_2M, &g), E_NOMEM);
	EXPECT_ONLY(0, SIZE_2M, WHY_SIZE);
	EXPECT_EQ(audit(n + 1), 1);
	EXPECT(at(SIZE_2M));
	EXPECT_EQ(found(0), EPT_RW | AD);
	finish(&g);
	EXPECT_EQ(audit(n), 0); /* its table is free: enough for one more */
	EXPECT_EQ(ept_promote(&ept, GPA(SIZE_2M), SIZE_2M, &g), E_OK);
	finish(&g);
	EXPECT_EQ(level_at(SIZE_2M), 1);
	EXPECT_EQ(level_at(2 * SIZE_2M), 0);
}
