/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dirty - what a harvest has, what it gathers, and what stays as it was, in each mode.
 */
#include "tests/unit/writes.h"

TEST_BOTH(dirty_reports_written_pages_once)
{
	for (unsigned mode = 0; mode < 3; mode++) {
		begin(mode);
		EXPECT_EQ(round_trip(), 0);
		write(0, FROM);
		write(1, FROM);
		write(2, TO - 1);
		write(0, FROM + 62);
		write(0, FROM - 1); /* outside */
		write(0, TO);
		EXPECT_EQ(round_trip(), 3);
		EXPECT(harvested(FROM) && harvested(FROM + 62) && harvested(TO - 1));
		EXPECT_EQ(round_trip(), 0);
		write(1, FROM); /* the flush took it from this CPU's cache */
		EXPECT_EQ(round_trip(), 1);
		expect_nothing_lost();
		dirty_stop(&dirty);
	}
}

/* At the start all that is mapped: who took W or D before may not have flushed yet. */
TEST_BOTH(dirty_gathers_pages_of_the_harvest)
{
	for (unsigned mode = 0; mode < 3; mode++) {
		u32 why = mode == DIRTY_FAULT ? WHY_RIGHTS : WHY_DIRTY;

		prepare(true);
		given(0, 0, PAGE, RWX);
		given(FROM * PAGE, 0, 8 * PAGE, RWX);
		touch(FROM * PAGE + PAGE, EPTE_D);
		touch(FROM * PAGE + 2 * PAGE, EPTE_D);
		EXPECT_EQ(start(mode), E_OK);
		EXPECT_ONLY(FROM * PAGE, 8 * PAGE, why);
		EXPECT_EQ(g.tag, 0);
		complete(&g);
		write(0, FROM + 4);
		drain(0);
		EXPECT_EQ(reap(&g), 1);
		EXPECT_ONLY((FROM + 4) * PAGE, PAGE, why);
		complete(&g);
		EXPECT_EQ(reap(&g), 0);
		EXPECT_NO_DUTY();
		dirty_stop(&dirty);
	}
}

/* D3: between the harvest and its flush a CPU writes by what it has cached. */
TEST_BOTH(dirty_write_before_the_flush_is_in_the_copy)
{
	for (unsigned mode = 0; mode < 3; mode++) {
		begin(mode);
		write(0, 20);
		write(1, 20);
		drain(0);
		drain(1);
		EXPECT_EQ(reap(&g), 1);
		write(0, 20); /* cached */
		complete(&g);
		copy_pages();
		EXPECT_EQ(copy[20], 3);
		write(1, 20);
		EXPECT_EQ(round_trip(), 1);
		EXPECT_EQ(copy[20], 4);
		dirty_stop(&dirty);
	}
}

/* A write that is still in a CPU's log comes with a later harvest. */
TEST_BOTH(dirty_log_may_be_late)
{
	begin(DIRTY_LOG);
	write(0, 20);
	EXPECT_EQ(reap(&g), 0);
	EXPECT_NO_DUTY();
	EXPECT(at(20 * PAGE) & EPTE_D);
	write(0, 20);
	EXPECT_EQ(logged[0], 1);
	EXPECT_EQ(round_trip(), 1);
	EXPECT_EQ(copy[20], 2);
	EXPECT(!(at(20 * PAGE) & EPTE_D));
	dirty_stop(&dirty);
}

/* Large leaves are split in the range; those outside stay, and stay untracked. */
TEST_BOTH(dirty_start_splits)
{
	for (unsigned mode = 0; mode < 3; mode++) {
		prepare(true);
		given(0, 0, 2 * SIZE_2M, RWX);
		touch(0, EPTE_A | EPTE_D);
		EXPECT_EQ(start(mode), E_OK);
		EXPECT_ONLY(0, SIZE_2M,
			    WHY_SIZE | (mode == DIRTY_FAULT ? WHY_RIGHTS : WHY_DIRTY));
		complete(&g);
		EXPECT_EQ(level_at(0), 0);
		EXPECT_EQ(level_at(SIZE_2M), 1);
		for (u64 page = 0; page < 512; page++) {
			u64 in = page >= FROM && page < TO, was = at(page * PAGE);

			EXPECT_EQ(was & EPTE_W, in && mode == DIRTY_FAULT ? 0 : EPTE_W);
			EXPECT_EQ(was & EPTE_D, in && mode != DIRTY_FAULT ? 0 : EPTE_D);
		}
		/* No large leaf comes back while writes are tracked. */
		EXPECT_EQ(ept_promote(&ept, GPA(0), SIZE_2M, &g), E_OK);
		given(SIZE_1G, 0, SIZE_2M, RWX);
		EXPECT_EQ(level_at(SIZE_1G), 0);
		dirty_stop(&dirty);
		EXPECT_EQ(ept_promote(&ept, GPA(SIZE_1G), SIZE_2M, &g), E_OK);
		EXPECT_EQ(level_at(SIZE_1G), 1);
		complete(&g);
	}
}

TEST_BOTH(dirty_marks_what_is_mapped_and_remapped)
{
	for (unsigned mode = 0; mode < 3; mode++) {
		begin(mode);
		EXPECT_EQ(ept_unmap(&ept, GPA(8 * PAGE), 16 * PAGE, &g), E_OK);
		complete(&g);
		EXPECT_EQ(round_trip(), 0);
		given(12 * PAGE, 0, 8 * PAGE, RWX); /* half of it is in the range */
		EXPECT(marked(FROM) && marked(19) && !marked(20));
		EXPECT_EQ(round_trip(), 4);
		EXPECT_EQ(ept_remap(&ept, GPA((TO - 2) * PAGE), HPA(SIZE_1G), 4 * PAGE,
				    &g),
			  E_OK);
		EXPECT(marked(TO - 2) && marked(TO - 1));
		complete(&g);
		EXPECT_EQ(round_trip(), 2);
		write(0, 12);
		write(0, 18);
		write(0, TO - 2);
		write(0, TO + 1);
		EXPECT_EQ(round_trip(), 2);
		/* Outside of the range nothing is different. */
		for (u64 page = 0; page < PAGES; page++)
			if ((page < FROM || page >= TO) && at(page * PAGE))
				EXPECT(!(at(page * PAGE) & EPTE_HELD_W));
		expect_nothing_lost();
		dirty_stop(&dirty);
	}
}

/* A page that is unmapped takes its D along, one by one or with its whole table. */
TEST_BOTH(dirty_knows_of_pages_that_are_unmapped)
{
	for (unsigned mode = 0; mode < 6; mode++) {
		u64 from = mode < 3 ? FROM * PAGE : 0, len = mode < 3 ? PAGE : SIZE_2M;

		begin(mode % 3);
		write(0, FROM);
		EXPECT_EQ(ept_unmap(&ept, GPA(from), len, &g), E_OK);
		complete(&g);
		EXPECT_EQ(reap(&g), 1);
		EXPECT(harvested(FROM));
		complete(&g);
		dirty_stop(&dirty);
	}
}

TEST_BOTH(dirty_protect_and_back)
{
	for (unsigned mode = 0; mode < 3; mode++) {
		begin(mode);
		write(0, 20);
		round_trip();
		EXPECT_EQ(ept_protect(&ept, GPA(20 * PAGE), PAGE, EPTE_R, &g), E_OK);
		complete(&g);
		write(0, 20);
		EXPECT_EQ(version[20], 1);
		EXPECT_EQ(ept_fault(&ept, GPA(20 * PAGE), EPTE_W), FAULT_DENIED);
		EXPECT_EQ(ept_protect(&ept, GPA(20 * PAGE), PAGE, EPTE_RWX, &g), E_OK);
		EXPECT_NO_DUTY();
		EXPECT_EQ(at(20 * PAGE) & EPTE_W, mode == DIRTY_FAULT ? 0 : EPTE_W);
		EXPECT_EQ(round_trip(), 0);
		write(0, 20);
		EXPECT_EQ(version[20], 2);
		EXPECT_EQ(round_trip(), 1);
		/* A page that is marked already needs no second fault. */
		write(0, 30);
		EXPECT_EQ(ept_protect(&ept, GPA(30 * PAGE), PAGE, EPTE_R | EPTE_W, &g),
			  E_OK);
		EXPECT(at(30 * PAGE) & EPTE_W);
		complete(&g);
		expect_nothing_lost();
		dirty_stop(&dirty);
	}
}

/* W that a harvest has taken may be cached until its flush: a right that is lost. */
TEST_BOTH(dirty_protect_during_a_harvest)
{
	struct gather h = gather_init();

	begin(DIRTY_FAULT);
	write(0, 20);
	EXPECT_EQ(reap(&h), 1);
	EXPECT_EQ(ept_protect(&ept, GPA(20 * PAGE), PAGE, EPTE_R | EPTE_X, &g), E_OK);
	EXPECT_ONLY(20 * PAGE, PAGE, WHY_RIGHTS);
	complete(&g);
	write(0, 20);
	EXPECT_EQ(version[20], 1);
	complete(&h);
	dirty_stop(&dirty);
}

/* The same the other way round: the harvest's page is copied when *its* flush is done.
 */
TEST_BOTH(dirty_harvest_during_a_protect)
{
	struct gather h = gather_init();

	begin(DIRTY_FAULT);
	write(0, 20);
	EXPECT_EQ(ept_protect(&ept, GPA(20 * PAGE), PAGE, EPTE_R, &h), E_OK);
	EXPECT_EQ(reap(&g), 1);
	EXPECT_ONLY(20 * PAGE, PAGE, WHY_RIGHTS);
	complete(&g);
	copy_pages();
	write(0, 20);
	expect_nothing_lost();
	complete(&h);
	dirty_stop(&dirty);
}

/* Pages that another gather has parked are watched too, and its flush is not enough. */
TEST_BOTH(dirty_harvest_of_what_another_has_parked)
{
	for (unsigned mode = 0; mode < 3; mode++) {
		struct gather h = gather_init();

		begin(mode);
		write(0, 20);
		drain(0);
		EXPECT_EQ(ept_remap(&ept, GPA(20 * PAGE), HPA(SIZE_1G), PAGE, &h),
			  E_OK);
		EXPECT_EQ(reap(&g), 1);
		EXPECT_ONLY(20 * PAGE, PAGE,
			    mode == DIRTY_FAULT ? WHY_RIGHTS : WHY_DIRTY);
		EXPECT_EQ(at(20 * PAGE), 0);
		complete(&g);
		EXPECT_EQ(at(20 * PAGE), 0);
		complete(&h);
		copy_pages();
		if (mode != DIRTY_FAULT)
			EXPECT_EQ(at(20 * PAGE) & EPTE_D, 0);
		write(0, 20);
		EXPECT_EQ(round_trip(), 1);
		expect_nothing_lost();
		dirty_stop(&dirty);
	}
}

TEST_BOTH(dirty_stop_gives_rights_back)
{
	for (unsigned mode = 0; mode < 3; mode++) {
		struct gather h = gather_init();

		prepare(true);
		given(0, 0, PAGES * PAGE, RWX);
		EXPECT_EQ(ept_protect(&ept, GPA(40 * PAGE), PAGE, EPTE_R, &g), E_OK);
		complete(&g);
		EXPECT_EQ(start(mode), E_OK);
		complete(&g);
		write(0, 20);
		EXPECT_EQ(ept_remap(&ept, GPA(50 * PAGE), HPA(0), PAGE, &h), E_OK);
		EXPECT_EQ(ept_fault(&ept, GPA(40 * PAGE), EPTE_W), FAULT_DENIED);
		dirty_stop(&dirty);
		EXPECT_EQ(at(50 * PAGE), 0);
		complete(&h);
		for (u64 page = 0; page < PAGES; page++) {
			u64 is = at(page * PAGE) & (EPTE_RWX | EPTE_HELD);

			EXPECT_EQ(is, page == 40 ? EPTE_R : EPTE_RWX);
		}
		EXPECT_EQ(start(mode), E_OK); /* and again */
		complete(&g);
		dirty_stop(&dirty);
	}
}

TEST_BOTH(dirty_start_refuses)
{
	static struct dirty second;
	u64 at_start, end;

	prepare(false);
	given(0, 0, PAGES * PAGE, RWX);
	for (unsigned mode = DIRTY_FLAG; mode <= DIRTY_LOG && !ept.can.ad; mode++)
		EXPECT_EQ(start((enum dirty_mode)mode), E_NOTSUP);
	EXPECT_EQ(dirty_start(&dirty, &ept, DIRTY_FAULT, GPA(0), 0, marks, &g),
		  E_INVAL);
	EXPECT_EQ(dirty_start(&dirty, &ept, DIRTY_FAULT, GPA(1), PAGE, marks, &g),
		  E_INVAL);
	EXPECT_NO_DUTY();
	EXPECT_EQ(at(20 * PAGE), (20 * PAGE) | RWX);
	EXPECT_EQ(start(DIRTY_FAULT), E_OK); /* needs no flags */
	complete(&g);
	EXPECT_EQ(dirty_start(&second, &ept, DIRTY_FAULT, GPA(0), PAGE, marks, &g),
		  E_EXIST);
	at_start = dirty.start;
	end = dirty.end;
	EXPECT_EQ(dirty_start(&dirty, &ept, DIRTY_FAULT, GPA(0), PAGE, marks, &g),
		  E_EXIST);
	EXPECT_EQ(dirty.start, at_start); /* what is in use goes on */
	EXPECT_EQ(dirty.end, end);
	EXPECT_NO_DUTY();
	write(0, 20);
	EXPECT_EQ(round_trip(), 1);
	dirty_stop(&dirty);
}

TEST_BOTH(dirty_mark_outside_is_ignored)
{
	begin(DIRTY_LOG);
	dirty_mark(&dirty, GPA((FROM - 1) * PAGE));
	dirty_mark(&dirty, GPA(TO * PAGE));
	dirty_mark(&dirty, GPA(0));
	dirty_mark(&dirty, GPA(EPT_GPA_MAX));
	dirty_mark_range(&dirty, GPA(0), FROM * PAGE);
	dirty_mark_range(&dirty, GPA(TO * PAGE), PAGE);
	EXPECT_EQ(reap(&g), 0);
	dirty_mark_range(&dirty, GPA((FROM - 2) * PAGE), 3 * PAGE);
	dirty_mark_range(&dirty, GPA((TO - 1) * PAGE), SIZE_1G);
	dirty_mark(&dirty, GPA(20 * PAGE + 123)); /* anywhere in the page */
	EXPECT_EQ(reap(&g), 3);
	EXPECT(harvested(FROM) && harvested(TO - 1) && harvested(20));
	dirty_stop(&dirty);
}
