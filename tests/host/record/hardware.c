/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hardware - a CPU that sets D, or walks, in the middle of an edit
 *
 * D appears after the edit has loaded the entry and before it changes it.  No edit may
 * lose it.  And a link that was parked becomes present when all below it has.
 */
#include "mm/dirty.h"
#include "mm/fault.h"
#include "tests/host/record/record.h"
#include "tests/unit/space.h"

static epte_t *victim;
static unsigned times; /* that D has been set */
static struct dirty dirty;
static atomic64_t marks[8];

static void set_d(const struct op *op)
{
	if (op->what == OP_RMW && op->at == victim && !times) {
		victim->raw |= raw_flags(EPTE_D);
		times++;
	}
}

static void at_leaf(unsigned level, u64 attr)
{
	set_up(level);
	given(0, 0, ept_span(level), attr);
	victim = slot_at(0);
	times = 0;
}

/* The hook has fired, and page 0 is dirty when all is over. */
static void expect_d(void)
{
	record_hook = NULL;
	EXPECT_EQ(times, 1);
	EXPECT(found(0) & EPTE_D);
	done();
	EXPECT(at(0) & EPTE_D);
}

TEST_BOTH(ept_edits_lose_no_flag)
{
	for (unsigned level = 0; level < 2; level++) {
		u64 len = ept_span(level);

		at_leaf(level, RWX);
		record_hook = set_d;
		EXPECT_EQ(ept_protect(&ept, GPA(0), len, EPTE_R, &g), E_OK);
		expect_d();
		at_leaf(level, RWX);
		record_hook = set_d;
		EXPECT_EQ(ept_remap(&ept, GPA(0), HPA(SIZE_1G), len, &g), E_OK);
		expect_d();
		at_leaf(level, RWX);
		record_hook = set_d;
		EXPECT_EQ(ept_retype(&ept, GPA(0), len, 0, &g), E_OK);
		expect_d();
		at_leaf(level, RWX);
		victim->raw |= raw_flags(EPTE_A);
		record_hook = set_d;
		EXPECT_EQ(ept_clear(&ept, GPA(0), len, EPTE_A, NULL, &g), E_OK);
		expect_d();
	}
}

/* Each page of the new table has it: nobody knows which one was written. */
TEST_BOTH(ept_split_loses_no_flag)
{
	at_leaf(1, RWX);
	record_hook = set_d;
	EXPECT_EQ(ept_split(&ept, GPA(0), SIZE_2M, 0, &g), E_OK);
	expect_d();
	for (u64 a = 0; a < SIZE_2M; a += PAGE)
		EXPECT_EQ(at(a), a | RWX | EPTE_D);
}

TEST_BOTH(dirty_tracking_loses_no_flag)
{
	at_leaf(0, RWX);
	record_hook = set_d;
	EXPECT_EQ(dirty_start(&dirty, &ept, DIRTY_FAULT, GPA(0), PAGE, marks, &g),
		  E_OK);
	expect_d();
	victim->raw &= ~raw_flags(EPTE_D);
	times = 0;
	record_hook = set_d;
	EXPECT_EQ(ept_fault(&ept, GPA(0), EPTE_W), FAULT_OVER);
	expect_d();
	EXPECT_EQ(dirty_harvest(&dirty, (u64[1]){ 0 }, &g), 1);
	done();
	victim->raw &= ~raw_flags(EPTE_D);
	times = 0;
	record_hook = set_d;
	dirty_stop(&dirty);
	expect_d();
	EXPECT(at(0) & EPTE_W);
}

/* The table below the link is all present before the link is.  E2 */
static void no_child_waits(const struct op *op)
{
	const epte_t *child;

	if (op->what != OP_STORE || op->at != victim)
		return;
	times++;
	child = mem_ptr(epte_addr(*victim));
	for (unsigned i = 0; i < EPT_ENTRIES; i++)
		EXPECT(!epte_parked(child[i]));
}

TEST_BOTH(ept_settle_goes_from_below)
{
	at_leaf(1, RWX);
	EXPECT_EQ(ept_remap(&ept, GPA(0), HPA(SIZE_1G + PAGE), SIZE_2M, &g), E_OK);
	EXPECT_EQ(audit(0), 513);
	g.state = GATHER_PUBLISHED;
	record_hook = no_child_waits;
	ept_settle(&ept, &g);
	record_hook = NULL;
	EXPECT_EQ(times, 1);
	done();
}

/* A table is complete when it is linked, whatever fills it.  E2 */
static void table_is_full(const struct op *op)
{
	const epte_t *child;

	if ((op->what != OP_STORE && op->what != OP_RMW) || op->at != victim)
		return;
	times++;
	child = mem_ptr(HPA(op->value & EPTE_ADDR));
	for (unsigned i = 0; i < EPT_ENTRIES; i++)
		EXPECT_EQ(raw_words(child[i].raw), (SIZE_1G + i * PAGE) | RWX);
}

TEST_BOTH(ept_tables_are_full_when_they_are_linked)
{
	for (unsigned split = 0; split < 2; split++) {
		set_up(split);
		given(SIZE_2M, 0, PAGE, RWX);
		victim = (epte_t *)mem_ptr(epte_addr(
			*(epte_t *)mem_ptr(epte_addr(*(epte_t *)mem_ptr(ept.root)))));
		times = 0;
		if (split)
			given(0, SIZE_1G, SIZE_2M, RWX);
		record_hook = table_is_full;
		if (split)
			EXPECT_EQ(ept_split(&ept, GPA(0), PAGE, 0, &g), E_OK);
		else
			EXPECT_EQ(ept_map(&ept, GPA(0), HPA(SIZE_1G), SIZE_2M, RWX, &g),
				  E_OK);
		record_hook = NULL;
		EXPECT_EQ(times, 1);
		done();
	}
}
