/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept_ram - leaves have the types of what they map, and are as large as types allow.
 */
#include "mm/ept_ram.h"
#include "tests/host/eptraw.h"
#include "tests/host/ram.h"
#include "tests/host/test.h"

#define FRAMES 16

static struct pool pool;
static struct ept ept;
static struct gather g;

/*
 * On, 36 bits wide: all is WB but for 64 KiB of WT at 16 MiB + 64 KiB, and 2 MiB of UC
 * at 18 MiB.
 */
static const struct mtrrs mtrrs = {
	.present = true,
	.phys_bits = 36,
	.ranges = 2,
	.def_type = MTRR_DEF_E | EPT_WB,
	.range = { { 0x1010000 | EPT_WT, 0xfffff0000 | MTRR_MASK_V },
		   { 0x1200000 | EPT_UC, 0xfffe00000 | MTRR_MASK_V } },
};

static void set_up(u32 frames)
{
	ram_pool(&pool, frames);
	g = gather_init();
	EXPECT_EQ(ept_init(&ept, &pool,
			   (struct ept_features){ .max_leaf = 1,
						  .large_exec = true,
						  .format = raw_format }),
		  E_OK);
}

static enum err map(u64 gpa, u64 hpa, u64 len)
{
	return ept_map_ram(&ept, &mtrrs, GPA(gpa), HPA(hpa), len, EPTE_RWX, &g);
}

static struct ept_leaf leaf(u64 gpa)
{
	struct ept_leaf l = { .level = ~0u };

	EXPECT(ept_lookup(&ept, GPA(gpa), &l));
	return l;
}

static unsigned type_of(u64 gpa)
{
	return (unsigned)field_get(EPTE_TYPE, raw_words(leaf(gpa).entry.raw));
}

/* MTRRs apply to a guest with NPT, whose leaves say WB. */
static unsigned in_leaf(unsigned type)
{
	return raw_format == NESTED_NPT ? EPT_WB : type;
}

TEST_BOTH(ept_ram_every_page_has_its_type)
{
	set_up(FRAMES);
	EXPECT_EQ(map(0, 0x1000000, 3 * SIZE_2M), E_OK);
	for (u64 gpa = 0; gpa < 3 * SIZE_2M; gpa += PAGE_SIZE) {
		struct ept_leaf l = leaf(gpa);

		EXPECT_EQ(epte_addr(l.entry).v - l.start.v, 0x1000000);
		EXPECT_EQ(raw_words(l.entry.raw) & EPTE_RWX, EPTE_RWX);
		EXPECT_EQ(type_of(gpa),
			  in_leaf(mtrr_type(&mtrrs, HPA(0x1000000 + gpa))));
	}
	EXPECT_EQ(type_of(0xffff), EPT_WB);
	EXPECT_EQ(type_of(0x10000), in_leaf(EPT_WT));
	EXPECT_EQ(type_of(0x20000), EPT_WB);
	EXPECT_EQ(type_of(SIZE_2M), in_leaf(EPT_UC));
	EXPECT(!gather_needs_flush(&g));
}

TEST_BOTH(ept_ram_leaves_are_as_large_as_types_allow)
{
	set_up(FRAMES);
	EXPECT_EQ(map(0, 0x1000000, 3 * SIZE_2M), E_OK);
	EXPECT_EQ(leaf(0).level, 0);
	EXPECT_EQ(leaf(0x100000).level, 0);
	EXPECT_EQ(leaf(SIZE_2M).level, 1);
	EXPECT_EQ(leaf(2 * SIZE_2M).level, 1);
}

TEST_BOTH(ept_ram_a_failure_in_the_second_run_undoes_the_first)
{
	struct ept_leaf l;

	set_up(FRAMES);
	EXPECT_EQ(map(0x18000, 0x2000000, PAGE_SIZE), E_OK);
	EXPECT_EQ(map(0, 0x1000000, SIZE_2M), E_EXIST);
	EXPECT(!ept_lookup(&ept, GPA(0), &l));
	EXPECT(!ept_lookup(&ept, GPA(0x10000), &l));
	EXPECT_EQ(epte_addr(leaf(0x18000).entry).v, 0x2000000);
	EXPECT(gather_needs_flush(&g));
}

TEST_BOTH(ept_ram_out_of_tables_leaves_nothing_mapped)
{
	struct ept_leaf l;

	set_up(3); /* the root and one table for each of two levels */
	EXPECT_EQ(map(0, 0x1000000, 2 * SIZE_2M), E_NOMEM);
	for (u64 gpa = 0; gpa < 2 * SIZE_2M; gpa += PAGE_SIZE)
		EXPECT(!ept_lookup(&ept, GPA(gpa), &l));
	pool_free_list(&pool, &g.dead);
	EXPECT_EQ(pool.frames - pool_available(&pool), ept.tables);
}

TEST_BOTH(ept_ram_refuses_what_ept_map_refuses)
{
	set_up(FRAMES);
	EXPECT_EQ(map(0, 0, 0), E_INVAL);
	EXPECT_EQ(map(0, 0x800, PAGE_SIZE), E_INVAL);
	EXPECT_EQ(map(0x800, 0, PAGE_SIZE), E_INVAL);
	EXPECT_EQ(map(0, 0, 0x800), E_INVAL);
	EXPECT_EQ(map(0, BIT(52), PAGE_SIZE), E_INVAL);
	EXPECT_EQ(map(0, BIT(52) - PAGE_SIZE, 2 * PAGE_SIZE), E_INVAL);
	EXPECT_EQ(map(BIT(48), 0, PAGE_SIZE), E_INVAL);
	EXPECT_EQ(ept.tables, 1);
}
