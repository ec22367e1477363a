/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept_change - protect, remap, retype and clear: what changes, what stays, what must be
 * flushed and why.
 */
#include "tests/unit/space.h"

#define TYPE(t) field_put(EPTE_TYPE, t)
#define AD      (EPTE_A | EPTE_D)

static void protect(u64 gpa, u64 len, u64 rwx)
{
	EXPECT_EQ(ept_protect(&ept, GPA(gpa), len, rwx, &g), E_OK);
}

static void remap(u64 gpa, u64 hpa, u64 len)
{
	EXPECT_EQ(ept_remap(&ept, GPA(gpa), HPA(hpa), len, &g), E_OK);
}

/* Every pair of rights that can be: a flush exactly when one of them is lost. */
TEST_BOTH(ept_protect_flushes_for_a_lost_right_only)
{
	static const u64 rights[] = { 1, 3, 4, 5, 7 };

	for (unsigned from = 0; from < ARRAY_LEN(rights); from++) {
		for (unsigned to = 0; to < ARRAY_LEN(rights); to++) {
			u64 was = rights[from], is = rights[to];

			if (raw_format == NESTED_NPT && (!(was & 1) || !(is & 1)))
				continue;

			set_up(1);
			given(0, 0, 8 * PAGE, was | TYPE(EPT_WB));
			given(SIZE_2M, SIZE_2M, SIZE_2M, was | TYPE(EPT_WB));
			protect(5 * PAGE, PAGE, is);
			if (was & ~is)
				EXPECT_ONLY(5 * PAGE, PAGE, WHY_RIGHTS);
			else
				EXPECT_NO_DUTY();
			EXPECT_EQ(at(5 * PAGE), (5 * PAGE) | is | TYPE(EPT_WB));
			EXPECT_EQ(at(4 * PAGE), (4 * PAGE) | was | TYPE(EPT_WB));
			EXPECT_EQ(at(6 * PAGE), (6 * PAGE) | was | TYPE(EPT_WB));
			done();
			protect(SIZE_2M, SIZE_2M, is);
			if (was & ~is)
				EXPECT_ONLY(SIZE_2M, SIZE_2M, WHY_RIGHTS);
			else
				EXPECT_NO_DUTY();
			EXPECT_EQ(level_at(SIZE_2M), 1);
			done();
		}
	}
}

TEST_BOTH(ept_protect_keeps_all_but_rights)
{
	u64 attr = EPT_RWX | raw_extra(EPTE_IPAT | EPTE_SVE);

	set_up(1);
	given(0, SIZE_1G, SIZE_2M, attr);
	touch(0, AD);
	protect(0, SIZE_2M, EPTE_R);
	EXPECT_EQ(at(0), SIZE_1G | (attr & ~EPTE_RWX) | EPTE_R | AD);
	done();
	protect(0, SIZE_2M, EPTE_RWX);
	EXPECT_EQ(at(0), SIZE_1G | attr | AD);
	EXPECT_NO_DUTY();
}

/* Only the pages that lose something are gathered; holes are fine. */
TEST_BOTH(ept_protect_gathers_changed_pages_alone)
{
	set_up(0);
	given(0, 0, 4 * PAGE, RWX);
	given(4 * PAGE, 4 * PAGE, 4 * PAGE, EPTE_R | TYPE(EPT_WB));
	given(10 * PAGE, 0, PAGE, RWX);
	protect(2 * PAGE, SIZE_2M, EPTE_R);
	EXPECT_EQ(g.n, 2);
	EXPECT_RANGE(0u, 2 * PAGE, 2 * PAGE, WHY_RIGHTS);
	EXPECT_RANGE(1u, 10 * PAGE, PAGE, WHY_RIGHTS);
	EXPECT_EQ(at(8 * PAGE), 0);
	EXPECT_EQ(at(PAGE), PAGE | RWX);
	done();
}

/* The first page of an address space is gathered like any other. */
TEST_BOTH(ept_protect_of_page_0)
{
	set_up(0);
	given(0, 0, 3 * PAGE, RWX);
	protect(0, PAGE, EPTE_R);
	EXPECT_ONLY(0, PAGE, WHY_RIGHTS);
	g = gather_init();
	protect(2 * PAGE, PAGE, EPTE_R);
	EXPECT_ONLY(2 * PAGE, PAGE, WHY_RIGHTS);
}

/* Each page of the 2 MiB is there, with the right rights and flags. */
TEST_BOTH(ept_protect_splits_for_a_part)
{
	u64 from = SIZE_2M + 3 * PAGE, len = 5 * PAGE, ipat = raw_extra(EPTE_IPAT);

	set_up(2);
	given(0, 0, SIZE_1G, RWX | ipat);
	touch(SIZE_2M, AD);
	protect(from, len, EPTE_R | EPTE_X);
	EXPECT_ONLY(0, SIZE_1G, WHY_SIZE | WHY_RIGHTS);
	EXPECT_EQ(at(0), 0); /* all of the leaf waits */
	EXPECT_EQ(at(SIZE_1G - PAGE), 0);
	done();
	for (u64 a = SIZE_2M; a < 2 * SIZE_2M; a += PAGE) {
		u64 w = a >= from && a - from < len ? 0 : EPTE_W;

		EXPECT_EQ(at(a), a | (RWX & ~EPTE_W) | w | ipat | AD);
	}
	EXPECT_EQ(level_at(0), 1);
	EXPECT_EQ(level_at(SIZE_2M), 0);
	EXPECT_EQ(level_at(2 * SIZE_2M), 1);
	EXPECT_EQ(at(SIZE_1G - PAGE), (SIZE_1G - PAGE) | RWX | ipat | AD);
}

/* E4: between the edit and its settling nobody can use the page. */
TEST_BOTH(ept_remap_breaks_before_it_makes)
{
	u64 attr = EPT_RW | raw_extra(EPTE_IPAT | EPTE_SVE);

	set_up(1);
	given(0, 0, 4 * PAGE, attr);
	given(SIZE_2M, 0, SIZE_2M, RWX);
	touch(PAGE, AD);
	remap(PAGE, SIZE_1G + PAGE, 2 * PAGE);
	EXPECT_ONLY(PAGE, 2 * PAGE, WHY_REMAP);
	EXPECT(g.tag);
	EXPECT_EQ(at(PAGE), 0);
	EXPECT_EQ(found(PAGE), (SIZE_1G + PAGE) | attr | AD);
	EXPECT_EQ(at(0), attr);
	EXPECT_EQ(at(3 * PAGE), (3 * PAGE) | attr);
	EXPECT_EQ(audit(0), 2);
	done();
	EXPECT_EQ(at(PAGE), (SIZE_1G + PAGE) | attr | AD);
	EXPECT_EQ(at(2 * PAGE), (SIZE_1G + 2 * PAGE) | attr);
	remap(SIZE_2M, SIZE_1G, SIZE_2M);
	EXPECT_ONLY(SIZE_2M, SIZE_2M, WHY_REMAP);
	EXPECT_EQ(at(SIZE_2M), 0);
	EXPECT_EQ(level_at(SIZE_2M), 1);
	done();
	EXPECT_EQ(at(SIZE_2M), SIZE_1G | RWX);
}

TEST_BOTH(ept_remap_to_the_same_frame_is_nothing)
{
	set_up(2);
	given(0, SIZE_1G, 8 * PAGE, RWX);
	given(SIZE_2M, SIZE_1G + SIZE_2M, SIZE_2M, RWX);
	given(SIZE_1G, SIZE_1G, SIZE_1G, RWX);
	touch(0, AD);
	remap(0, SIZE_1G, SIZE_1G); /* holes are fine */
	remap(SIZE_1G, SIZE_1G, SIZE_1G);
	EXPECT_NO_DUTY();
	EXPECT_EQ(at(0), SIZE_1G | RWX | AD);
	EXPECT_EQ(level_at(SIZE_2M), 1);
	EXPECT_EQ(level_at(SIZE_1G), 2);
	EXPECT_EQ(at(9 * PAGE), 0);
}

/* Frames that a large leaf cannot name, and a part of a large leaf. */
TEST_BOTH(ept_remap_splits_what_does_not_fit)
{
	set_up(1);
	given(0, 0, 3 * SIZE_2M, RWX);
	touch(0, EPTE_D);
	remap(0, SIZE_1G + PAGE, SIZE_2M);
	EXPECT_ONLY(0, SIZE_2M, WHY_SIZE | WHY_REMAP);
	EXPECT_EQ(found(0), (SIZE_1G + PAGE) | RWX | EPTE_D);
	EXPECT_EQ(audit(0), 513);
	done();
	for (u64 a = 0; a < SIZE_2M; a += PAGE)
		EXPECT_EQ(at(a), (SIZE_1G + PAGE + a) | RWX | EPTE_D);
	remap(2 * SIZE_2M + PAGE, SIZE_1G + PAGE, PAGE);
	EXPECT_ONLY(2 * SIZE_2M, SIZE_2M, WHY_SIZE | WHY_REMAP);
	done();
	EXPECT_EQ(at(2 * SIZE_2M), (2 * SIZE_2M) | RWX);
	EXPECT_EQ(at(2 * SIZE_2M + PAGE), (SIZE_1G + PAGE) | RWX);
	EXPECT_EQ(at(2 * SIZE_2M + 2 * PAGE), (2 * SIZE_2M + 2 * PAGE) | RWX);
	EXPECT_EQ(level_at(SIZE_2M), 1);
}

TEST_BOTH(ept_retype_sets_memory_bits_in_place)
{
	static const struct {
		u64 type, extra;
	} steps[] = { { EPT_WB, EPTE_IPAT | EPTE_SVE },
		      { EPT_UC, EPTE_IPAT },
		      { EPT_WT, 0 } };
	u64 uc = TYPE(EPT_UC) | raw_extra(EPTE_IPAT | EPTE_SVE);

	set_up(1);
	given(0, 0, 4 * PAGE, RWX);
	given(SIZE_2M, 0, 2 * SIZE_2M, EPT_RW);
	touch(PAGE, AD);
	EXPECT_EQ(ept_retype(&ept, GPA(PAGE), SIZE_2M + SIZE_2M - PAGE, uc, &g), E_OK);
	EXPECT_EQ(g.n, 2);
	EXPECT_RANGE(0u, PAGE, 3 * PAGE, WHY_TYPE);
	EXPECT_RANGE(1u, SIZE_2M, SIZE_2M, WHY_TYPE);
	EXPECT_EQ(at(0), RWX);
	EXPECT_EQ(at(PAGE), PAGE | EPTE_RWX | uc | AD);
	EXPECT_EQ(at(SIZE_2M), EPTE_R | EPTE_W | uc);
	EXPECT_EQ(at(2 * SIZE_2M), SIZE_2M | EPT_RW);
	EXPECT_EQ(level_at(SIZE_2M), 1);
	EXPECT_EQ(g.tag, 0);
	done();
	EXPECT_EQ(ept_retype(&ept, GPA(PAGE), PAGE, uc, &g), E_OK);
	EXPECT_NO_DUTY();
	/* Each bit by itself is a change. */
	for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
		u64 memory = TYPE(steps[i].type) | raw_extra(steps[i].extra);

		g = gather_init();
		EXPECT_EQ(ept_retype(&ept, GPA(PAGE), PAGE, memory, &g), E_OK);
		EXPECT_ONLY(PAGE, PAGE, WHY_TYPE);
		EXPECT_EQ(at(PAGE), PAGE | EPTE_RWX | memory | AD);
	}
}

TEST_BOTH(ept_retype_refuses_other_bits_and_types)
{
	set_up(1);
	given(0, 0, PAGE, RWX);
	for (u64 type = 0; type < 8; type++)
		if (type == 2 || type == 3 || type == 7)
			EXPECT_EQ(ept_retype(&ept, GPA(0), PAGE, TYPE(type), &g),
				  E_INVAL);
	for (unsigned bit = 0; bit < 63; bit++)
		if (bit < 3 || bit > 6)
			EXPECT_EQ(ept_retype(&ept, GPA(0), PAGE,
					     BIT(bit) | TYPE(EPT_WB), &g),
				  E_INVAL);
	EXPECT_EQ(at(0), RWX);
	EXPECT_NO_DUTY();
}

TEST_BOTH(ept_clear_reports_and_gathers_what_was_set)
{
	for (unsigned which = 0; which < 2; which++) {
		u64 flag = which ? EPTE_D : EPTE_A, other = which ? EPTE_A : EPTE_D;
		u32 why = which ? WHY_DIRTY : WHY_ACCESSED;
		u64 map[17] = { 0 };

		set_up(1);
		given(0, 0, 1024 * PAGE, RWX); /* two of 2 MiB */
		given(SIZE_1G, 0, 66 * PAGE, RWX);
		touch(SIZE_2M, AD);
		touch(SIZE_1G, other);
		touch(SIZE_1G + 2 * PAGE, AD);
		touch(SIZE_1G + 65 * PAGE, flag);
		EXPECT_EQ(ept_clear(&ept, GPA(0), 1024 * PAGE, flag, map, &g), E_OK);
		EXPECT_ONLY(SIZE_2M, SIZE_2M, why);
		EXPECT_EQ(level_at(SIZE_2M), 1);
		EXPECT_EQ(at(SIZE_2M), SIZE_2M | RWX | other);
		for (unsigned i = 0; i < 17; i++)
			EXPECT_EQ(map[i], i >= 8 && i < 16 ? ~0ull : 0);
		g = gather_init();
		map[0] = map[1] = 0;
		EXPECT_EQ(
			ept_clear(&ept, GPA(SIZE_1G + PAGE), 66 * PAGE, flag, map, &g),
			E_OK);
		EXPECT_EQ(map[0], BIT(1)); /* counted from gpa, and holes are fine */
		EXPECT_EQ(map[1], BIT(0));
		EXPECT_EQ(g.n, 2);
		EXPECT_RANGE(0u, SIZE_1G + 2 * PAGE, PAGE, why);
		EXPECT_RANGE(1u, SIZE_1G + 65 * PAGE, PAGE, why);
		EXPECT_EQ(at(SIZE_1G), RWX | other);
		EXPECT_EQ(at(SIZE_1G + 2 * PAGE), (2 * PAGE) | RWX | other);
		EXPECT_EQ(at(SIZE_1G + 65 * PAGE), (65 * PAGE) | RWX);
		g = gather_init();
		EXPECT_EQ(ept_clear(&ept, GPA(0), 2 * SIZE_1G, flag, NULL, &g), E_OK);
		EXPECT_NO_DUTY();
		touch(0, flag);
		EXPECT_EQ(ept_clear(&ept, GPA(0), SIZE_2M, flag, NULL, &g), E_OK);
		EXPECT_ONLY(0, SIZE_2M, why);
	}
}

/* D of a large leaf is D of each page: those outside of the range keep it. */
TEST_BOTH(ept_clear_of_a_part_splits)
{
	u64 map[8] = { 0 };

	set_up(1);
	given(0, 0, SIZE_2M, RWX);
	touch(0, AD);
	EXPECT_EQ(ept_clear(&ept, GPA(100 * PAGE), 3 * PAGE, EPTE_D, map, &g), E_OK);
	EXPECT_ONLY(0, SIZE_2M, WHY_SIZE | WHY_DIRTY);
	EXPECT_EQ(map[0], 7);
	EXPECT_EQ(map[1], 0);
	done();
	for (u64 i = 0; i < 512; i++)
		EXPECT_EQ(at(i * PAGE), (i * PAGE) | RWX | EPTE_A |
						(i >= 100 && i < 103 ? 0 : EPTE_D));
}

TEST_BOTH(ept_clear_wants_one_flag_and_a_cpu_that_has_it)
{
	set_up_with((struct ept_features){ 0 });
	given(0, 0, PAGE, RWX);
	if (!ept.can.ad) {
		EXPECT_EQ(ept_clear(&ept, GPA(0), PAGE, EPTE_A, NULL, &g), E_NOTSUP);
		EXPECT_EQ(ept_clear(&ept, GPA(0), PAGE, EPTE_D, NULL, &g), E_NOTSUP);
	}
	EXPECT_EQ(ept_clear(&ept, GPA(0), PAGE, AD, NULL, &g), E_INVAL);
	EXPECT_EQ(ept_clear(&ept, GPA(0), PAGE, EPTE_W, NULL, &g), E_INVAL);
	EXPECT_EQ(ept_clear(&ept, GPA(0), PAGE, 0, NULL, &g), E_INVAL);
	EXPECT_EQ(at(0), RWX);
	EXPECT_NO_DUTY();
}
