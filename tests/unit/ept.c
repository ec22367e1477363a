/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept - an address space begins, is looked into, mapped, and ends
 *
 * The other edits have files of their own.  Random edits beside a flat map are in
 * ept_model.c; the order of stores is in tests/host/record/stores.c.
 */
#include "tests/unit/space.h"

TEST_BOTH(ept_begins_empty)
{
	set_up(2);
	EXPECT_EQ(ept.tables, 1);
	EXPECT_EQ(ept.spares, 0);
	EXPECT_EQ(at(0), 0);
	EXPECT_EQ(found(0), 0);
	EXPECT_EQ(at(EPT_GPA_MAX - PAGE), 0);
	EXPECT_EQ(at(EPT_GPA_MAX), 0);
	EXPECT_EQ(found(EPT_GPA_MAX), 0);
	EXPECT_EQ(at(~0ull & ~0xfffull), 0);
}

/* Above the last gpa there is nothing, though an index would find something. */
TEST_BOTH(ept_lookup_ends_at_the_last_gpa)
{
	set_up(2);
	given(0, SIZE_1G, PAGE, RWX);
	EXPECT(at(0));
	EXPECT_EQ(at(EPT_GPA_MAX), 0);
	EXPECT_EQ(found(EPT_GPA_MAX), 0);
	EXPECT_EQ(at(BIT(63)), 0);
}

TEST_BOTH(ept_map_takes_the_largest_leaf_that_fits)
{
	u64 base = SIZE_1G - SIZE_2M - PAGE;

	set_up(2);
	given(base, 3 * SIZE_1G + base, 2 * (SIZE_2M + PAGE) + SIZE_1G, RWX);
	EXPECT_EQ(level_at(base), 0);
	EXPECT_EQ(level_at(SIZE_1G - 1), 1);
	EXPECT_EQ(level_at(SIZE_1G), 2);
	EXPECT_EQ(level_at(2 * SIZE_1G), 1);
	EXPECT_EQ(level_at(2 * SIZE_1G + SIZE_2M), 0);
	EXPECT_EQ(level_at(2 * SIZE_1G + SIZE_2M + PAGE), -1);
	EXPECT_EQ(level_at(base - 1), -1);
	for (u64 off = 0; off < SIZE_1G + 2 * SIZE_2M; off += 509 * PAGE)
		EXPECT_EQ(at(base + off), (3 * SIZE_1G + base + off) | RWX);
	EXPECT_EQ(audit(0), 0);
}

TEST_BOTH(ept_map_obeys_max_leaf_and_alignment)
{
	for (unsigned max = 0; max < 3; max++) {
		set_up(max);
		given(SIZE_2M, SIZE_1G, SIZE_2M, RWX);
		EXPECT_EQ(level_at(SIZE_2M), MIN(max, 1u));
		given(SIZE_1G, SIZE_1G, 2 * SIZE_2M, RWX); /* too short for 1 GiB */
		EXPECT_EQ(level_at(SIZE_1G), MIN(max, 1u));
		given(2 * SIZE_1G, SIZE_1G + PAGE, SIZE_2M, RWX);
		EXPECT_EQ(level_at(2 * SIZE_1G), 0);
		given(3 * SIZE_1G, SIZE_2M, 2 * SIZE_2M, RWX);
		EXPECT_EQ(level_at(3 * SIZE_1G), MIN(max, 1u));
		EXPECT_EQ(audit(0), 0);
	}
}

/* Frames that are aligned to 2 MiB alone: no leaf of 1 GiB, whatever the range. */
TEST_BOTH(ept_map_of_a_gibibyte_at_2m_alignment)
{
	set_up(2);
	given(SIZE_1G, SIZE_2M, SIZE_1G, RWX);
	EXPECT_EQ(level_at(SIZE_1G), 1);
	EXPECT_EQ(level_at(2 * SIZE_1G - 1), 1);
	EXPECT_EQ(at(2 * SIZE_1G - PAGE), (SIZE_1G + SIZE_2M - PAGE) | RWX);
	EXPECT_EQ(ept.spares, 512);
	EXPECT_EQ(audit(0), 0);
}

TEST_BOTH(ept_map_reaches_both_ends)
{
	set_up(2);
	given(0, PAGE, PAGE, RWX);
	given(EPT_GPA_MAX - PAGE, BIT(52) - PAGE, PAGE, RWX);
	EXPECT_EQ(at(EPT_GPA_MAX - PAGE), (BIT(52) - PAGE) | RWX);
	EXPECT_EQ(ept_unmap(&ept, GPA(EPT_GPA_MAX - PAGE), PAGE, &g), E_OK);
	EXPECT_ONLY(EPT_GPA_MAX - PAGE, PAGE, WHY_UNMAP);
	EXPECT_EQ(at(EPT_GPA_MAX - PAGE), 0);
	EXPECT(at(0));
	done();
}

TEST_BOTH(ept_map_keeps_type_and_bits)
{
	static const u64 types[] = { EPT_UC, EPT_WC, EPT_WT, EPT_WP, EPT_WB };

	set_up(1);
	for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
		u64 attr = EPTE_R | field_put(EPTE_TYPE, types[i]) |
			   raw_extra(EPTE_IPAT | EPTE_SVE);

		if (raw_format == NESTED_NPT &&
		    (types[i] == EPT_WC || types[i] == EPT_WP))
			continue;
		given(i * SIZE_2M, SIZE_1G, SIZE_2M, attr);
		EXPECT_EQ(level_at(i * SIZE_2M), 1);
		EXPECT_EQ(at(i * SIZE_2M), SIZE_1G | attr);
	}
}

TEST_BOTH(ept_map_refuses_bad_attributes)
{
	set_up(1);
	for (u64 type = 0; type < 8; type++) {
		u64 attr = EPTE_RWX | field_put(EPTE_TYPE, type);
		enum err want = type < 2 || (type > 3 && type < 7) ? E_OK : E_INVAL;

		if (raw_format == NESTED_NPT && (type == EPT_WC || type == EPT_WP))
			want = E_NOTSUP;

		EXPECT_EQ(ept_map(&ept, GPA(type * PAGE), HPA(0), PAGE, attr, &g),
			  want);
		EXPECT_EQ(at(type * PAGE), want ? 0 : attr);
	}
	for (unsigned bit = 7; bit < 63; bit++)
		EXPECT_EQ(ept_map(&ept, GPA(SIZE_1G), HPA(0), PAGE, RWX | BIT(bit), &g),
			  E_INVAL);
	EXPECT_EQ(at(SIZE_1G), 0);
	EXPECT_NO_DUTY();
	EXPECT_EQ(audit(0), 0);
}

/* W needs R; X alone needs a CPU that can. */
TEST_BOTH(ept_rights_that_exist)
{
	for (unsigned can = 0; can < 2; can++) {
		set_up_with((struct ept_features){ .exec_only = can });
		given(0, 0, PAGE, RWX);
		for (u64 rwx = 0; rwx < 8; rwx++) {
			enum err want =
				rwx & EPTE_R || (rwx == EPTE_X && ept.can.exec_only)
					? E_OK
					: E_INVAL;
			gpa_t a = GPA(PAGE + rwx * PAGE);
			u64 attr = rwx | field_put(EPTE_TYPE, EPT_WB);

			EXPECT_EQ(ept_map(&ept, a, HPA(0), PAGE, attr, &g), want);
			EXPECT_EQ(at(a.v), want ? 0 : attr);
			EXPECT_EQ(ept_protect(&ept, GPA(0), PAGE, rwx, &g), want);
			EXPECT(want || at(0) == attr);
		}
		EXPECT_EQ(ept_protect(&ept, GPA(0), PAGE, EPTE_R | EPTE_D, &g),
			  E_INVAL);
		EXPECT_EQ(ept_protect(&ept, GPA(0), PAGE, EPTE_R | BIT(3), &g),
			  E_INVAL);
	}
}

/* Every edit, over a range of its choice. */
static enum err edit(unsigned which, u64 gpa, u64 len)
{
	gpa_t a = GPA(gpa);

	switch (which) {
	case 0:
		return ept_map(&ept, a, HPA(0), len, RWX, &g);
	case 1:
		return ept_unmap(&ept, a, len, &g);
	case 2:
		return ept_protect(&ept, a, len, EPTE_R, &g);
	case 3:
		return ept_remap(&ept, a, HPA(0), len, &g);
	case 4:
		return ept_retype(&ept, a, len, EPT_UC, &g);
	case 5:
		return ept_clear(&ept, a, len, EPTE_A, NULL, &g);
	case 6:
		return ept_split(&ept, a, len, 0, &g);
	default:
		return ept_promote(&ept, a, len, &g);
	}
}

TEST_BOTH(ept_edits_refuse_bad_ranges)
{
	static const struct {
		u64 gpa, len;
	} bad[] = {
		{ 0, 0 },
		{ 1, PAGE },
		{ 0, PAGE + 1 },
		{ EPT_GPA_MAX, PAGE },
		{ EPT_GPA_MAX - PAGE, 2 * PAGE },
		{ PAGE, ~0ull & ~0xfffull },
		{ ~0ull & ~0xfffull, 2 * PAGE },
	};

	set_up(2);
	given(0, SIZE_1G, SIZE_2M, RWX);
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		for (unsigned which = 0; which < 8; which++)
			EXPECT_EQ(edit(which, bad[i].gpa, bad[i].len), E_INVAL);
	EXPECT_NO_DUTY();
	EXPECT_EQ(at(0), SIZE_1G | RWX);
	EXPECT_EQ(level_at(0), 1);
	EXPECT_EQ(audit(0), 0);
}

/* Misaligned, or past the last: bit 52 is not part of an address. */
TEST_BOTH(ept_edits_refuse_bad_frames)
{
	static const u64 bad[] = { 1, BIT(52), BIT(63) };
	hpa_t last = HPA(BIT(52) - PAGE);

	set_up(2);
	given(0, 0, 4 * PAGE, RWX);
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		hpa_t h = HPA(bad[i]);

		EXPECT_EQ(ept_map(&ept, GPA(SIZE_2M), h, PAGE, RWX, &g), E_INVAL);
		EXPECT_EQ(ept_remap(&ept, GPA(0), h, PAGE, &g), E_INVAL);
	}
	EXPECT_EQ(ept_map(&ept, GPA(SIZE_2M), last, 2 * PAGE, RWX, &g), E_INVAL);
	EXPECT_EQ(ept_remap(&ept, GPA(0), last, 2 * PAGE, &g), E_INVAL);
	EXPECT_EQ(at(SIZE_2M), 0);
	EXPECT_EQ(at(0), RWX);
	EXPECT_NO_DUTY();
	EXPECT_EQ(ept_remap(&ept, GPA(0), last, PAGE, &g), E_OK);
	done();
	EXPECT_EQ(at(0), last.v | RWX);
}

TEST_BOTH(ept_map_over_something_changes_nothing)
{
	static const struct {
		u64 gpa, hpa, len;
	} over[] = {
		{ 0, 0, SIZE_1G },
		{ SIZE_2M, 0, PAGE },
		{ 0, PAGE, 4 * SIZE_2M },
		{ 2 * SIZE_2M, 0, 2 * SIZE_2M },
		{ SIZE_2M - PAGE, 0, 2 * PAGE },
	};

	set_up(2);
	given(SIZE_2M, SIZE_1G, SIZE_2M, RWX);
	given(3 * SIZE_2M + 5 * PAGE, 0, PAGE, RWX);
	for (unsigned i = 0; i < ARRAY_LEN(over); i++) {
		EXPECT_EQ(ept_map(&ept, GPA(over[i].gpa), HPA(over[i].hpa), over[i].len,
				  RWX, &g),
			  E_EXIST);
		EXPECT_EQ(at(0), 0);
		EXPECT_EQ(at(SIZE_2M - PAGE), 0);
		EXPECT_EQ(at(SIZE_2M), SIZE_1G | RWX);
		EXPECT_EQ(at(2 * SIZE_2M), 0);
		EXPECT_EQ(at(3 * SIZE_2M), 0);
		EXPECT_EQ(at(3 * SIZE_2M + 5 * PAGE), RWX);
		EXPECT_EQ(at(3 * SIZE_2M + 6 * PAGE), 0);
		done();
	}
}

/* What a failing map had stored was visible for a while: it must be flushed. */
TEST_BOTH(ept_map_that_fails_half_way_leaves_its_duty)
{
	set_up(0);
	given(8 * PAGE, 0, PAGE, RWX);
	EXPECT_EQ(ept_map(&ept, GPA(0), HPA(0), 16 * PAGE, RWX, &g), E_EXIST);
	EXPECT_ONLY(0, 8 * PAGE, WHY_UNMAP);
	EXPECT_EQ(at(0), 0);
	done();
	EXPECT_EQ(ept_map(&ept, GPA(8 * PAGE), HPA(0), 16 * PAGE, RWX, &g), E_EXIST);
	EXPECT_NO_DUTY();
}

/* With every possible number of frames left, a map works or changes nothing. */
static void map_with_little_memory(unsigned max_leaf, u64 gpa, u64 len, unsigned want)
{
	unsigned need = 0;

	for (unsigned left = 0; left < 16; left++) {
		hpa_t hoard[FRAMES];
		unsigned n = 0;
		enum err e;

		set_up(max_leaf);
		given(0, SIZE_1G, PAGE, RWX);
		while (pool_available(&pool) > left)
			EXPECT_EQ(pool_alloc(&pool, 0, &hoard[n++]), E_OK);
		e = ept_map(&ept, GPA(gpa), HPA(gpa), len, RWX, &g);
		EXPECT(e == E_OK || (e == E_NOMEM && need == left));
		need += e != E_OK;
		for (u64 off = 0; off < len; off += 129 * PAGE)
			EXPECT_EQ(at(gpa + off), e ? 0 : (gpa + off) | RWX);
		EXPECT_EQ(at(gpa + len), 0);
		EXPECT_EQ(at(0), SIZE_1G | RWX);
		finish(&g);
		EXPECT_EQ(audit(n), 0);
		ept_destroy(&ept, &g);
		pool_free_list(&pool, &g.dead);
		while (n)
			pool_free(&pool, hoard[--n]);
		EXPECT_EQ(pool_available(&pool), FRAMES);
	}
	EXPECT_EQ(need, want);
}

TEST_BOTH(ept_map_without_memory_changes_nothing)
{
	u64 gpa = SIZE_1G - 2 * SIZE_2M - PAGE;

	map_with_little_memory(0, gpa, 5 * SIZE_2M, 7); /* 6 of level 0, 1 of level 1 */
	/* The same two tables at the ends, a new one of level 1, 4 deposits. */
	map_with_little_memory(1, gpa, 5 * SIZE_2M, 7);
	/* Here frames are those of a table of level 1 and deposits alone. */
	map_with_little_memory(1, 5 * SIZE_1G, 3 * SIZE_2M, 4);
}

TEST_BOTH(ept_init_without_memory_fails)
{
	static struct ept e;

	ram_pool(&pool, 64);
	while (pool_available(&pool))
		EXPECT_EQ(pool_alloc(&pool, 0, &(hpa_t){ 0 }), E_OK);
	EXPECT_EQ(ept_init(&e, &pool, (struct ept_features){ .max_leaf = 2 }), E_NOMEM);
	EXPECT_PANIC(
		(void)!ept_init(&e, &pool, (struct ept_features){ .max_leaf = 3 }));
}

TEST_BOTH(ept_destroy_returns_every_frame)
{
	u32 tables;

	set_up(2);
	for (u64 i = 0; i < 12; i++)
		given(i * i * SIZE_1G + i * SIZE_2M, 0, PAGE, RWX);
	given(200 * SIZE_1G, 0, SIZE_1G + 3 * SIZE_2M, RWX);
	tables = ept.tables;
	EXPECT_EQ(ept.spares, 516);
	ept_destroy(&ept, &g);
	EXPECT_ONLY(0, EPT_GPA_MAX, WHY_ROOT);
	EXPECT_EQ(g.dead.count, tables);
	EXPECT_EQ(ept.tables, 0);
	EXPECT_EQ(pool_available(&pool), FRAMES - tables);
	pool_free_list(&pool, &g.dead);
	EXPECT_EQ(pool_available(&pool), FRAMES);
}

TEST(ept_pointer_says_whether_flags_are_on)
{
	set_up_with((struct ept_features){ 0 });
	EXPECT_EQ(ept_pointer(&ept), ept.root.v | 0x1e);
	ept_enable_ad(&ept, &g);
	EXPECT_ONLY(0, EPT_GPA_MAX, WHY_AD);
	EXPECT_EQ(ept_pointer(&ept), ept.root.v | 0x5e);
	g = gather_init();
	ept_enable_ad(&ept, &g); /* they are on */
	EXPECT_NO_DUTY();
}
