/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept_model - a million random edits of an EPT or NPT beside a flat map of pages
 *
 * What holds after each edit is in tests/host/eptflat.c, the edits are in eptsteps.c;
 * tests/fuzz/ept.c makes the same from bytes.
 */
#include "tests/host/eptalloc.h"
#include "tests/host/eptsteps.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"

#define EDITS 1000000
#define RUN   4000 /* edits in one address space */

static struct rng rng;

static u64 pick(u64 n)
{
	return rng_below(&rng, n);
}

static void run(u32 frames, u64 edits)
{
	u64 end = tally.edits + edits, steps = 0;

	flat_begin(frames, steps_features(pick));
	while (tally.edits < end) {
		steps_one(pick);
		if (++steps % 256 == 0)
			flat_check_all();
	}
	flat_check_all();
	flat_end();
}

/* Each run in a format by chance: half of the edits are in either. */
TEST(ept_agrees_with_a_flat_map, .secs = 300)
{
	struct steps_tally was = tally;

	rng = test_rng();
	for (u64 n = 0; n < EDITS; n += RUN)
		run(RAM_FRAMES, RUN);
	test_say("%lu edits, %lu failures injected, %lu splits, %lu promotes",
		 tally.edits - was.edits, tally.failures - was.failures,
		 tally.splits - was.splits, tally.promotes - was.promotes);
	EXPECT(tally.failures - was.failures > EDITS / 20);
	EXPECT(tally.splits - was.splits > EDITS / 100);
	EXPECT(tally.promotes - was.promotes > EDITS / 1000);
}

/* The same with few table pages. */
TEST(ept_agrees_with_a_flat_map_when_memory_is_short)
{
	rng = test_rng();
	for (unsigned i = 0; i < 8; i++) {
		run(24, RUN);
		run(600, RUN);
	}
}

/* Takes all that the pool has. */
static u32 drain(hpa_t *taken)
{
	u32 n = 0;

	while (pool_available(&flat.pool))
		EXPECT_EQ(pool_alloc(&flat.pool, 0, &taken[n++]), E_OK);
	flat.frames -= n;
	return n;
}

static void give_back(const hpa_t *taken, u32 n)
{
	for (u32 i = 0; i < n; i++)
		pool_free(&flat.pool, taken[i]);
	flat.frames += n;
}

/* Whatever was mapped while there was memory: from then on each edit finds none. */
TEST(ept_edits_what_is_mapped_without_memory)
{
	static hpa_t taken[RAM_FRAMES];

	rng = test_rng();
	for (unsigned i = 0; i < 40; i++) {
		u32 n = 0;

		flat_begin(RAM_FRAMES, steps_features(pick));
		for (u64 end = tally.edits + 200; tally.edits < end;)
			steps_one(pick);
		for (u64 end = tally.edits + 200; tally.edits < end;) {
			n += drain(taken + n);
			steps_one(pick);
		}
		flat_check_all();
		give_back(taken, n);
		flat_end();
	}
}

/* Two leaves of 1 GiB, edited at odd places and then split altogether. */
TEST_BOTH(ept_splits_1g_without_memory)
{
	static hpa_t taken[RAM_FRAMES];
	struct flat_slot *s = &flat.slot[0];
	gpa_t odd = GPA(SIZE_1G + 5 * SIZE_2M + 7 * PAGE_SIZE);
	struct ept *e = &flat.ept;
	u32 n;

	flat_begin(RAM_FRAMES,
		   (struct ept_features){ 2, true, true, true, raw_format });
	EXPECT_EQ(ept_map(e, GPA(0), HPA(0), 2 * SIZE_1G, EPT_RWX, &s->g), E_OK);
	EXPECT_EQ(e->spares, 2 * 513);
	n = drain(taken);
	EXPECT_EQ(ept_unmap(e, odd, PAGE_SIZE, &s->g), E_OK);
	EXPECT_EQ(ept_protect(e, GPA(PAGE_SIZE), SIZE_1G, EPTE_R, &s->g), E_OK);
	EXPECT_EQ(ept_remap(e, GPA(3 * SIZE_2M), HPA(PAGE_SIZE), SIZE_2M, &s->g), E_OK);
	EXPECT_EQ(ept_split(e, GPA(0), 2 * SIZE_1G, 0, &s->g), E_OK);
	EXPECT_EQ(pool_available(&flat.pool), 0);
	EXPECT_EQ(e->spares, 0);
	EXPECT_EQ(e->tables, 2 + 2 * 513);
	raw_check(e, flat.frames, 0);
	flat_publish(s);
	ept_settle(e, &s->g);
	s->g = gather_init();
	for (u64 gpa = 0; gpa < 2 * SIZE_1G; gpa += 511 * PAGE_SIZE)
		EXPECT_EQ(raw_page(e->root, gpa).logical & EPTE_R, EPTE_R);
	EXPECT_EQ(ept_unmap(e, GPA(0), 2 * SIZE_1G, &s->g), E_OK);
	EXPECT_EQ(e->tables, 1);
	flat_publish(s);
	pool_free_list(&flat.pool, &s->g.dead);
	s->g = gather_init();
	give_back(taken, n);
	flat_end();
}
