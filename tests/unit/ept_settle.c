/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept_settle - entries that wait for a flush: whose they are, and what edits of others
 * do with them
 *
 * `g` is the first gather, `h` a second one that is outstanding at the same time.
 */
#include "tests/unit/space.h"

#define TYPE_WB field_put(EPTE_TYPE, EPT_WB)

static struct gather h;

static void remap(struct gather *of, u64 gpa, u64 hpa, u64 len)
{
	EXPECT_EQ(ept_remap(&ept, GPA(gpa), HPA(hpa), len, of), E_OK);
}

static void two_gathers(unsigned max_leaf)
{
	set_up(max_leaf);
	h = gather_init();
}

static void both_done(void)
{
	finish(&h);
	done();
}

TEST_BOTH(ept_settle_is_for_own_entries_only)
{
	two_gathers(0);
	given(0, 0, 16 * PAGE, RWX);
	for (u64 i = 0; i < 16; i++)
		remap(i % 2 ? &h : &g, i * PAGE, SIZE_1G + i * PAGE, PAGE);
	EXPECT(g.tag != h.tag);
	EXPECT_EQ(g.n, 8);
	EXPECT_EQ(audit(0), 16);
	finish(&g); /* the ranges of both cover each other */
	for (u64 i = 0; i < 16; i++)
		EXPECT_EQ(at(i * PAGE), i % 2 ? 0 : (SIZE_1G + i * PAGE) | RWX);
	EXPECT_EQ(audit(0), 8);
	finish(&h);
	for (u64 i = 0; i < 16; i++)
		EXPECT_EQ(at(i * PAGE), (SIZE_1G + i * PAGE) | RWX);
	done();
}

/* At all levels: a page, a large leaf, a link that waits, and links below links. */
TEST_BOTH(ept_settle_reaches_all_levels)
{
	two_gathers(2);
	given(0, 0, PAGE, RWX);
	given(SIZE_2M, SIZE_2M, SIZE_2M, RWX);
	given(SIZE_1G, SIZE_1G, SIZE_1G, RWX);
	given(3 * SIZE_1G, 0, SIZE_1G, RWX);
	remap(&g, 0, SIZE_2M, PAGE);
	remap(&g, SIZE_2M, 2 * SIZE_2M, SIZE_2M);
	EXPECT_EQ(ept_split(&ept, GPA(SIZE_1G), SIZE_2M, 0, &g), E_OK);
	remap(&g, 3 * SIZE_1G, SIZE_1G, SIZE_1G);
	EXPECT_EQ(audit(0), 5);
	done();
	EXPECT_EQ(at(0), SIZE_2M | RWX);
	EXPECT_EQ(at(SIZE_2M), (2 * SIZE_2M) | RWX);
	EXPECT_EQ(at(SIZE_1G + PAGE), (SIZE_1G + PAGE) | RWX);
	EXPECT_EQ(at(2 * SIZE_1G - PAGE), (2 * SIZE_1G - PAGE) | RWX);
	EXPECT_EQ(at(3 * SIZE_1G), SIZE_1G | RWX);
}

TEST_BOTH(ept_settle_with_nothing_to_do)
{
	two_gathers(1);
	ept_settle(&ept, &g); /* open, but nothing is parked */
	given(0, 0, PAGE, RWX);
	EXPECT_EQ(ept_unmap(&ept, GPA(0), PAGE, &g), E_OK);
	EXPECT_EQ(g.tag, 0);
	g.state = GATHER_PUBLISHED;
	ept_settle(&ept, &g);
	done();
}

TEST_BOTH(ept_settle_before_publishing_panics)
{
	two_gathers(1);
	given(0, 0, PAGE, RWX);
	remap(&g, 0, SIZE_1G, PAGE);
	EXPECT_PANIC(ept_settle(&ept, &g));
	EXPECT_EQ(at(0), 0);
	done();
}

TEST_BOTH(ept_destroy_of_unsettled_panics)
{
	two_gathers(1);
	given(0, 0, PAGE, RWX);
	remap(&g, 0, SIZE_1G, PAGE);
	EXPECT_PANIC(ept_destroy(&ept, &h));
	done();
	ept_destroy(&ept, &h);
	EXPECT_EQ(ept.tables, 0);
}

TEST_BOTH(ept_parks_for_63_gathers)
{
	static struct gather many[64];

	two_gathers(0);
	given(0, 0, 64 * PAGE, RWX);
	for (unsigned round = 0; round < 3; round++) {
		u64 hpa = (1 + round) * SIZE_1G;

		for (u64 i = 0; i < 63; i++) {
			many[i] = gather_init();
			remap(&many[i], i * PAGE, hpa, PAGE);
			for (u64 k = 0; k < i; k++)
				EXPECT(many[k].tag != many[i].tag);
		}
		many[63] = gather_init();
		EXPECT_PANIC(remap(&many[63], 63 * PAGE, hpa, PAGE));
		ept.lock = (struct lock){ 0 }; /* the panic was under it */
		/* One that has a tag may go on. */
		remap(&many[62], 61 * PAGE, hpa + PAGE, 2 * PAGE);
		/* Any order; and a tag that is free again is enough. */
		finish(&many[20]);
		EXPECT_EQ(at(20 * PAGE), hpa | RWX);
		EXPECT_EQ(at(21 * PAGE), 0);
		many[20] = gather_init();
		remap(&many[20], 63 * PAGE, hpa, PAGE);
		for (u64 i = 0; i < 63; i++)
			finish(&many[62 - i]);
		EXPECT_EQ(audit(0), 0);
		EXPECT_EQ(at(61 * PAGE), (hpa + PAGE) | RWX);
	}
}

TEST_BOTH(ept_unmap_of_what_another_has_parked)
{
	two_gathers(1);
	given(0, 0, 4 * PAGE, RWX);
	given(SIZE_2M, 0, SIZE_2M, RWX);
	remap(&h, 0, SIZE_1G, 2 * PAGE);
	remap(&h, SIZE_2M, SIZE_1G, SIZE_2M);
	EXPECT_EQ(ept_unmap(&ept, GPA(0), PAGE, &g), E_OK);
	EXPECT_ONLY(0, PAGE, WHY_UNMAP);
	EXPECT_EQ(ept_unmap(&ept, GPA(SIZE_2M), SIZE_2M, &g), E_OK);
	EXPECT_RANGE(1u, SIZE_2M, SIZE_2M, WHY_UNMAP);
	EXPECT_EQ(g.tag, 0);
	EXPECT_EQ(audit(g.dead.count), 1);
	finish(&h);
	EXPECT_EQ(at(0), 0);
	EXPECT_EQ(at(SIZE_2M), 0);
	EXPECT_EQ(at(PAGE), (SIZE_1G + PAGE) | RWX);
	done();
}

TEST_BOTH(ept_map_finds_parked_entries_in_its_way)
{
	two_gathers(1);
	given(0, 0, PAGE, RWX);
	given(SIZE_2M, 0, SIZE_2M, RWX);
	remap(&h, 0, SIZE_1G, PAGE);
	EXPECT_EQ(ept_split(&ept, GPA(SIZE_2M), SIZE_2M, 0, &h), E_OK);
	EXPECT_EQ(ept_map(&ept, GPA(0), HPA(0), PAGE, RWX, &g), E_EXIST);
	EXPECT_EQ(ept_map(&ept, GPA(SIZE_2M), HPA(0), PAGE, RWX, &g), E_EXIST);
	EXPECT_NO_DUTY();
	both_done();
}

/*
 * A right that is lost while another gather's flush of the page is outstanding: CPUs
 * may still have the old one, so it is a duty of this edit too.
 */
TEST_BOTH(ept_protect_of_what_another_has_parked)
{
	two_gathers(1);
	given(0, 0, 4 * PAGE, RWX);
	remap(&h, 0, SIZE_1G, 3 * PAGE);
	EXPECT_EQ(ept_protect(&ept, GPA(PAGE), PAGE, EPTE_R, &g), E_OK);
	EXPECT_EQ(g.tag, 0);
	EXPECT_ONLY(PAGE, PAGE, WHY_RIGHTS);
	EXPECT_EQ(at(PAGE), 0); /* it still waits for h */
	EXPECT_EQ(ept_protect(&ept, GPA(2 * PAGE), PAGE, EPTE_RWX, &g), E_OK);
	EXPECT_EQ(g.n, 1);
	finish(&h);
	EXPECT_EQ(at(0), SIZE_1G | RWX);
	EXPECT_EQ(at(PAGE), (SIZE_1G + PAGE) | TYPE_WB | EPTE_R);
	done();
}

/* 512 pages whose table has just been joined: h's flush is outstanding. */
static void promoted_by_another(void)
{
	two_gathers(1);
	given(0, 0, PAGE, EPT_RW);
	given(PAGE, PAGE, SIZE_2M - PAGE, EPT_RW);
	EXPECT_EQ(ept_promote(&ept, GPA(0), SIZE_2M, &h), E_OK);
	EXPECT_EQ(level_at(0), 1);
}

/* The frames are the same before and after, so stale translations count. */
TEST_BOTH(ept_changes_of_a_leaf_that_another_has_promoted)
{
	u64 map[8] = { 0 };

	promoted_by_another();
	EXPECT_EQ(ept_protect(&ept, GPA(0), SIZE_2M, EPTE_R, &g), E_OK);
	EXPECT_ONLY(0, SIZE_2M, WHY_RIGHTS);
	both_done();
	promoted_by_another();
	EXPECT_EQ(ept_retype(&ept, GPA(0), SIZE_2M, EPT_UC, &g), E_OK);
	EXPECT_ONLY(0, SIZE_2M, WHY_TYPE);
	both_done();
	promoted_by_another();
	EXPECT_EQ(ept_clear(&ept, GPA(0), SIZE_2M, EPTE_D, map, &g), E_OK);
	EXPECT_EQ(map[7], ~0ull);
	EXPECT_ONLY(0, SIZE_2M, WHY_DIRTY);
	both_done();
	EXPECT_EQ(at(0), EPT_RW | EPTE_A);
	promoted_by_another();
	EXPECT_EQ(ept_protect(&ept, GPA(0), SIZE_2M, EPTE_RWX, &g), E_OK);
	EXPECT_NO_DUTY();
	both_done();
}

TEST_BOTH(ept_remap_of_what_another_has_parked)
{
	two_gathers(1);
	given(0, 0, 2 * PAGE, RWX);
	remap(&h, 0, SIZE_1G, 2 * PAGE);
	remap(&g, 0, 2 * SIZE_1G, PAGE);
	EXPECT_EQ(g.tag, 0); /* it is h's to make present */
	EXPECT_EQ(at(0), 0);
	finish(&g);
	EXPECT_EQ(at(0), 0);
	finish(&h);
	EXPECT_EQ(at(0), (2 * SIZE_1G) | RWX);
	EXPECT_EQ(at(PAGE), (SIZE_1G + PAGE) | RWX);
	done();
}

/* The link waits for the later gather, whose flush covers what the first one began. */
TEST_BOTH(ept_split_of_what_another_has_parked)
{
	for (unsigned first = 0; first < 2; first++) {
		two_gathers(1);
		given(0, 0, SIZE_2M, RWX);
		remap(&h, 0, SIZE_1G, SIZE_2M);
		EXPECT_EQ(ept_split(&ept, GPA(0), SIZE_2M, 0, &g), E_OK);
		EXPECT_ONLY(0, SIZE_2M, WHY_SIZE);
		EXPECT_EQ(audit(0), 1);
		finish(first ? &h : &g);
		EXPECT_EQ(at(PAGE), first ? 0 : (SIZE_1G + PAGE) | RWX);
		both_done();
		EXPECT_EQ(at(PAGE), (SIZE_1G + PAGE) | RWX);
		EXPECT_EQ(level_at(0), 0);
	}
}

/* Below a link that waits, pages change as they do elsewhere. */
TEST_BOTH(ept_edits_below_a_parked_link)
{
	two_gathers(1);
	given(0, 0, SIZE_2M, RWX);
	EXPECT_EQ(ept_split(&ept, GPA(0), SIZE_2M, 0, &h), E_OK);
	EXPECT_EQ(ept_protect(&ept, GPA(PAGE), PAGE, EPTE_R, &g), E_OK);
	EXPECT_ONLY(PAGE, PAGE, WHY_RIGHTS);
	remap(&g, 3 * PAGE, SIZE_1G, PAGE);
	EXPECT_EQ(ept_unmap(&ept, GPA(5 * PAGE), PAGE, &g), E_OK);
	EXPECT_EQ(g.n, 3);
	EXPECT_EQ(audit(0), 2);
	finish(&h);
	EXPECT_EQ(at(0), RWX);
	EXPECT_EQ(at(PAGE), PAGE | TYPE_WB | EPTE_R);
	EXPECT_EQ(at(3 * PAGE), 0);
	EXPECT_EQ(at(5 * PAGE), 0);
	done();
	EXPECT_EQ(at(3 * PAGE), SIZE_1G | RWX);
}

/* A whole table goes while its link waits for somebody else. */
TEST_BOTH(ept_unmap_below_a_parked_link)
{
	two_gathers(1);
	given(0, 0, SIZE_2M, RWX);
	EXPECT_EQ(ept_split(&ept, GPA(0), SIZE_2M, 0, &h), E_OK);
	EXPECT_EQ(ept_unmap(&ept, GPA(0), SIZE_2M, &g), E_OK);
	EXPECT_ONLY(0, SIZE_2M, WHY_UNMAP);
	EXPECT_EQ(g.dead.count, 3);
	finish(&g);
	EXPECT_EQ(ept.tables, 1);
	finish(&h);
	EXPECT_EQ(found(0), 0);
	done();
}
