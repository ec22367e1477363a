/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault - what a violation means, and who may fill a hole when.
 */
#include "mm/fault.h"
#include "tests/unit/space.h"

#define RW (EPTE_R | EPTE_W)

static enum ept_fault fault(u64 gpa, u64 access)
{
	return ept_fault(&ept, GPA(gpa), access);
}

TEST_BOTH(ept_fault_at_a_hole)
{
	set_up(2);
	EXPECT_EQ(fault(0, EPTE_R), FAULT_HOLE);
	given(0, 0, PAGE, RWX);
	given(SIZE_1G, 0, PAGE, RWX);
	EXPECT_EQ(fault(PAGE, EPTE_R), FAULT_HOLE);
	EXPECT_EQ(fault(SIZE_2M, EPTE_W), FAULT_HOLE);
	EXPECT_EQ(fault(SIZE_1G + SIZE_2M, EPTE_X), FAULT_HOLE);
	EXPECT_EQ(fault(EPT_GPA_MAX - PAGE, EPTE_R), FAULT_HOLE);
}

/* Page 0 is mapped, and the bits of these addresses below bit 48 are 0. */
TEST_BOTH(ept_fault_out_of_range)
{
	set_up(2);
	given(0, 0, PAGE, RWX);
	EXPECT_EQ(fault(EPT_GPA_MAX, EPTE_R), FAULT_HOLE);
	EXPECT_EQ(fault(BIT(63), EPTE_R), FAULT_HOLE);
	EXPECT_EQ(fault(0, EPTE_R), FAULT_OVER);
}

/* The entry allows it by now, at any level and anywhere in the page. */
TEST_BOTH(ept_fault_that_is_over)
{
	static const u64 places[] = { 0, 0xfff, SIZE_2M + 5 * PAGE, SIZE_1G + SIZE_2M };

	set_up(2);
	given(0, 0, PAGE, RWX);
	given(SIZE_2M, 0, SIZE_2M, RWX);
	given(SIZE_1G, 0, SIZE_1G, RWX);
	for (unsigned i = 0; i < ARRAY_LEN(places); i++)
		for (u64 access = 1; access < 8; access++)
			EXPECT_EQ(fault(places[i], access), FAULT_OVER);
	EXPECT_EQ(at(0), RWX);
}

TEST_BOTH(ept_fault_that_is_denied)
{
	set_up(1);
	given(0, 0, PAGE, EPTE_R);
	given(PAGE, 0, PAGE, EPTE_R | EPTE_X);
	if (ept.can.exec_only)
		given(2 * PAGE, 0, PAGE, EPTE_X);
	given(SIZE_2M, 0, SIZE_2M, EPTE_R);
	EXPECT_EQ(fault(0, EPTE_W), FAULT_DENIED);
	EXPECT_EQ(fault(0, EPTE_X), FAULT_DENIED);
	EXPECT_EQ(fault(0, RW), FAULT_DENIED);
	EXPECT_EQ(fault(0, EPTE_R), FAULT_OVER);
	EXPECT_EQ(fault(PAGE, EPTE_W), FAULT_DENIED);
	EXPECT_EQ(fault(PAGE, EPTE_X), FAULT_OVER);
	EXPECT_EQ(fault(2 * PAGE, EPTE_R),
		  ept.can.exec_only ? FAULT_DENIED : FAULT_HOLE);
	EXPECT_EQ(fault(SIZE_2M, EPTE_W), FAULT_DENIED);
	EXPECT_EQ(fault(SIZE_2M, EPTE_X), FAULT_DENIED);
}

/* A page, a large leaf, and a page below a link that waits. */
TEST_BOTH(ept_fault_waits_for_parked_entries)
{
	static const u64 places[] = { 0, SIZE_2M, 2 * SIZE_2M + PAGE };
	u64 rights = EPTE_R | EPTE_X | field_put(EPTE_TYPE, EPT_WB);

	set_up(1);
	given(0, 0, PAGE, rights);
	given(SIZE_2M, 0, 2 * SIZE_2M, rights);
	EXPECT_EQ(ept_remap(&ept, GPA(0), HPA(SIZE_1G), PAGE, &g), E_OK);
	EXPECT_EQ(ept_remap(&ept, GPA(SIZE_2M), HPA(SIZE_1G), SIZE_2M, &g), E_OK);
	EXPECT_EQ(ept_split(&ept, GPA(2 * SIZE_2M), PAGE, 0, &g), E_OK);
	for (unsigned i = 0; i < ARRAY_LEN(places); i++) {
		EXPECT_EQ(fault(places[i], EPTE_R), FAULT_WAIT);
		EXPECT_EQ(fault(places[i], EPTE_X), FAULT_WAIT);
		EXPECT_EQ(fault(places[i], EPTE_W), FAULT_DENIED);
	}
	EXPECT_EQ(ept_unmap(&ept, GPA(2 * SIZE_2M + 2 * PAGE), PAGE, &g), E_OK);
	EXPECT_EQ(fault(2 * SIZE_2M + 2 * PAGE, EPTE_R), FAULT_HOLE);
	done();
	for (unsigned i = 0; i < ARRAY_LEN(places); i++)
		EXPECT_EQ(fault(places[i], EPTE_R), FAULT_OVER);
}

/* A fetch from a large leaf that holds X: split it, and it is over. */
TEST_BOTH(ept_fault_asks_for_a_split)
{
	set_up_with((struct ept_features){ .max_leaf = 2 });
	given(0, 0, SIZE_1G, RWX);
	given(SIZE_1G, 0, SIZE_2M, EPT_RW);
	EXPECT_EQ(fault(PAGE, RW), FAULT_OVER);
	EXPECT_EQ(fault(SIZE_1G, EPTE_X), FAULT_DENIED);
	EXPECT_EQ(fault(PAGE, EPTE_X), FAULT_SPLIT);
	EXPECT_EQ(ept_split(&ept, GPA(PAGE), PAGE, 0, &g), E_OK);
	EXPECT_EQ(fault(PAGE, EPTE_X), FAULT_WAIT);
	EXPECT_EQ(fault(SIZE_2M, EPTE_X), FAULT_WAIT);
	done();
	EXPECT_EQ(fault(PAGE, EPTE_X), FAULT_OVER);
	EXPECT_EQ(fault(SIZE_2M, EPTE_X), FAULT_SPLIT);
}

/* A held W is given back, once, to that page alone; flags stay. */
TEST_BOTH(ept_fault_gives_held_w_back)
{
	set_up(0);
	given(0, 0, 4 * PAGE, RWX);
	slot_at(PAGE)->raw ^= EPTE_W | EPTE_HELD_W;
	slot_at(2 * PAGE)->raw ^= EPTE_W | EPTE_HELD_W;
	touch(PAGE, EPTE_A);
	EXPECT_EQ(fault(PAGE, EPTE_R), FAULT_OVER);
	EXPECT_EQ(fault(PAGE, EPTE_X), FAULT_OVER);
	EXPECT_EQ(at(PAGE), PAGE | (RWX ^ EPTE_W) | EPTE_HELD_W | EPTE_A);
	EXPECT_EQ(fault(PAGE + 8, EPTE_W), FAULT_OVER);
	EXPECT_EQ(at(PAGE), PAGE | RWX | EPTE_A);
	EXPECT_EQ(at(2 * PAGE), (2 * PAGE) | (RWX ^ EPTE_W) | EPTE_HELD_W);
	EXPECT_EQ(fault(PAGE, EPTE_W), FAULT_OVER);
	EXPECT_EQ(at(PAGE), PAGE | RWX | EPTE_A);
}

static enum err fill(u64 ticket, u64 gpa, u64 len)
{
	return ept_fill(&ept, ticket, GPA(gpa), HPA(gpa), len, RWX, &g);
}

TEST_BOTH(ept_fill_without_edits_is_map)
{
	u64 t;

	set_up(1);
	t = ept_fill_begin(&ept);
	EXPECT_EQ(fill(t, 0, PAGE), E_OK);
	EXPECT_EQ(at(0), RWX);
	EXPECT_EQ(fill(t, 0, PAGE), E_EXIST); /* somebody was faster */
	EXPECT_EQ(fill(t, 0, PAGE + 1), E_INVAL);
	EXPECT_EQ(fill(t, SIZE_2M, SIZE_2M), E_OK);
	EXPECT_EQ(level_at(SIZE_2M), 1);
	EXPECT_NO_DUTY();
}

/* F4: who asked before the frame was forgotten meets the count, then another seq. */
TEST_BOTH(ept_fill_with_an_old_ticket)
{
	u64 t, during;

	set_up(0);
	given(0, 0, PAGE, RWX);
	t = ept_fill_begin(&ept);
	ept_hold(&ept, GPA(0), PAGE);
	EXPECT_EQ(ept_unmap(&ept, GPA(0), PAGE, &g), E_OK);
	EXPECT_EQ(fill(t, 0, PAGE), E_AGAIN);
	during = ept_fill_begin(&ept);
	EXPECT_EQ(fill(during, 0, PAGE), E_AGAIN);
	done();
	ept_release(&ept);
	EXPECT_EQ(fill(t, 0, PAGE), E_AGAIN);
	EXPECT_EQ(fill(during, 0, PAGE), E_AGAIN);
	EXPECT_EQ(fill(t, 9 * PAGE, PAGE), E_AGAIN); /* seq knows no ranges */
	EXPECT_EQ(at(0), 0);
	EXPECT_EQ(ept.tables, 1);
	EXPECT_EQ(fill(ept_fill_begin(&ept), 0, PAGE), E_OK);
	EXPECT_EQ(at(0), RWX);
}

/* Fills that touch the range by one page wait, its neighbours do not. */
TEST_BOTH(ept_fill_outside_of_the_hold_goes_on)
{
	static const struct {
		u64 gpa, len;
		enum err want;
	} fills[] = {
		{ 7, 1, E_OK },     { 12, 1, E_OK },    { 7, 2, E_AGAIN },
		{ 8, 1, E_AGAIN },  { 11, 1, E_AGAIN }, { 11, 2, E_AGAIN },
		{ 0, 30, E_AGAIN }, { 9, 1, E_AGAIN },
	};

	for (unsigned i = 0; i < ARRAY_LEN(fills); i++) {
		set_up(0);
		ept_hold(&ept, GPA(8 * PAGE), 4 * PAGE);
		EXPECT_EQ(fill(ept_fill_begin(&ept), fills[i].gpa * PAGE,
			       fills[i].len * PAGE),
			  fills[i].want);
		ept_release(&ept);
		EXPECT_EQ(fill(ept_fill_begin(&ept), 9 * PAGE, PAGE), E_OK);
	}
}

/* Several holds are one hull, until the last of them is released. */
TEST_BOTH(ept_holds_add_up)
{
	u64 t;

	set_up(0);
	ept_hold(&ept, GPA(8 * PAGE), PAGE);
	ept_hold(&ept, GPA(4 * PAGE), PAGE);
	ept_hold(&ept, GPA(12 * PAGE), PAGE);
	t = ept_fill_begin(&ept);
	EXPECT_EQ(fill(t, 4 * PAGE, PAGE), E_AGAIN);
	EXPECT_EQ(fill(t, 6 * PAGE, PAGE), E_AGAIN); /* in between: it may wait */
	EXPECT_EQ(fill(t, 12 * PAGE, PAGE), E_AGAIN);
	EXPECT_EQ(fill(t, 13 * PAGE, PAGE), E_OK);
	EXPECT_EQ(fill(t, 3 * PAGE, PAGE), E_OK);
	for (unsigned left = 2; left; left--) {
		ept_release(&ept);
		EXPECT_EQ(fill(t, 14 * PAGE, PAGE), E_AGAIN);
		t = ept_fill_begin(&ept);
		EXPECT_EQ(fill(t, 8 * PAGE, PAGE), E_AGAIN);
		EXPECT_EQ(fill(t, 4 * PAGE, PAGE), E_AGAIN);
		EXPECT_EQ(fill(t, 12 * PAGE, PAGE), E_AGAIN);
		EXPECT_EQ(fill(t, (20 + left) * PAGE, PAGE), E_OK);
	}
	ept_release(&ept);
	t = ept_fill_begin(&ept);
	EXPECT_EQ(fill(t, 4 * PAGE, PAGE), E_OK);
	EXPECT_EQ(fill(t, 8 * PAGE, PAGE), E_OK);
	/* The next hold begins a hull of its own. */
	ept_hold(&ept, GPA(30 * PAGE), PAGE);
	EXPECT_EQ(fill(t, 12 * PAGE, PAGE), E_OK);
	EXPECT_EQ(fill(t, 30 * PAGE, PAGE), E_AGAIN);
	EXPECT_EQ(fill(t, 31 * PAGE, PAGE), E_OK);
	ept_release(&ept);
	EXPECT_PANIC(ept_release(&ept));
}

/* Other edits go on while fills are held. */
TEST_BOTH(ept_hold_is_for_fills_alone)
{
	set_up(0);
	ept_hold(&ept, GPA(0), SIZE_2M);
	given(0, 0, PAGE, RWX);
	EXPECT_EQ(ept_protect(&ept, GPA(0), PAGE, EPTE_R, &g), E_OK);
	EXPECT_EQ(fault(0, EPTE_R), FAULT_OVER);
	ept_release(&ept);
}
