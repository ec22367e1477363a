/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mtrr - the rules for memory types, each by itself.
 */
#include "tests/unit/mtrr_cpu.h"

TEST(mtrr_fixed_ranges_change_at_each_boundary)
{
	cpu(36, 1, E | FE | WB);
	range(0, 0, 16 * MIB, WT);
	for (unsigned i = 0; i < ARRAY_LEN(fixed_msr); i++)
		msr[fixed_msr[i]] = i % 2 ? 0x0605040100060504 : 0x0100060504010006;
	take();
	for (u64 pa = 0; pa < MIB; pa += 0x1000)
		page_as_model(pa);
	EXPECT(runs_as_model(0, 2 * MIB));
	EXPECT_EQ(type_at(0), WB); /* the lowest byte is the lowest range */
	EXPECT_EQ(type_at(0xffff), WB);
	EXPECT_EQ(type_at(0x10000), UC);
	EXPECT_EQ(type_at(0x80000), WT);
	EXPECT_EQ(type_at(0x83fff), WT);
	EXPECT_EQ(type_at(0x84000), WP);
	EXPECT_EQ(type_at(0xfffff), WC);
	EXPECT_EQ(type_at(MIB), WT); /* the variable range */
}

TEST(mtrr_fixed_ranges_win_only_when_they_are_on)
{
	cpu(36, 1, E | FE | WT);
	range(0, 0, 0x40000, WC);
	take();
	EXPECT_EQ(type_at(0), UC);
	EXPECT_EQ(type_at(0xa0000), UC);
	msr[0x2ff] = E | WT;
	take();
	EXPECT_EQ(type_at(0), WC);
	EXPECT_EQ(type_at(0xa0000), WT);
	EXPECT(runs_as_model(0, 2 * MIB));
	/* FE, of a CPU that has none: it is reserved, and the registers are not there.
	 */
	msr[0x2ff] = E | FE | WT;
	msr[0xfe] &= ~(u64)CAP_FIX;
	for (unsigned i = 0; i < ARRAY_LEN(fixed_msr); i++)
		has[fixed_msr[i]] = false;
	take();
	EXPECT_EQ(type_at(0), WC);
}

TEST(mtrr_off_is_uc_whatever_the_registers_say)
{
	unsigned type;

	cpu(39, 1, FE | WB);
	range(0, 0, BIT(39), WB);
	for (unsigned i = 0; i < ARRAY_LEN(fixed_msr); i++)
		msr[fixed_msr[i]] = 0x0606060606060606;
	take();
	EXPECT_EQ(type_at(0), UC);
	EXPECT_EQ(type_at(MIB), UC);
	EXPECT_EQ(mtrr_run(&m, HPA(0), BIT(52), &type), BIT(52));
	EXPECT_EQ(type, UC);
}

TEST(mtrr_none_leaves_memory_write_back)
{
	unsigned type;

	cpu(36, 0, 0);
	memset(has, 0, sizeof(has)); /* a read would panic, as it would #GP */
	present = false;
	take();
	EXPECT_EQ(type_at(0), WB);
	EXPECT_EQ(type_at(MIB), WB);
	EXPECT_EQ(mtrr_run(&m, HPA(0), BIT(40), &type), BIT(40));
	EXPECT_EQ(type, WB);
}

TEST(mtrr_default_is_for_what_no_range_has)
{
	static const u8 want[] = { UC, WC, UC, UC, WT, WP, WB, UC, UC };

	for (unsigned type = 0; type < ARRAY_LEN(want); type++) {
		cpu(36, 2, E | type);
		range(0, 16 * MIB, MIB, WB);
		msr[0x202] = WB; /* and this pair is not valid */
		take();
		EXPECT_EQ(type_at(15 * MIB), want[type]);
		EXPECT_EQ(type_at(17 * MIB), want[type]);
		EXPECT_EQ(type_at(16 * MIB), WB);
		EXPECT_EQ(m.range[1].base, 0); /* so that CPUs compare by it */
	}
}

TEST(mtrr_overlaps_by_the_table)
{
	static const u8 type[] = { UC, WC, WT, WP, WB, 2, 3, 7 };
	/* Only these meet in something: the same one twice, and WT with WB. */
	static const u8 want[8][8] = {
		{ UC, UC, UC, UC, UC, UC, UC, UC }, { UC, WC, UC, UC, UC, UC, UC, UC },
		{ UC, UC, WT, UC, WT, UC, UC, UC }, { UC, UC, UC, WP, UC, UC, UC, UC },
		{ UC, UC, WT, UC, WB, UC, UC, UC },
	};

	for (unsigned a = 0; a < 8; a++)
		for (unsigned b = 0; b < 8; b++) {
			cpu(36, 8, E | WB);
			range(2, 0, 2 * MIB, type[a]);
			range(5, MIB, MIB, type[b]);
			take();
			EXPECT_EQ(type_at(0), want[a][a]);
			EXPECT_EQ(type_at(MIB), want[a][b]);
			EXPECT_EQ(type_at(2 * MIB), WB);
		}
}

TEST(mtrr_three_ranges_meet_in_any_order)
{
	static const u8 type[] = { UC, WC, WT, WP, WB };

	for (unsigned i = 0; i < 125; i++) {
		cpu(36, 3, E | UC);
		range(0, 0, MIB, type[i % 5]);
		range(1, 0, MIB, type[i / 5 % 5]);
		range(2, 0, MIB, type[i / 25]);
		take();
		page_as_model(0x5000);
	}
}

TEST(mtrr_ranges_reach_the_end_of_memory)
{
	for (unsigned i = 0; i < ARRAY_LEN(widths); i++) {
		u64 top = BIT(widths[i]);
		unsigned type;

		cpu(widths[i], 2, E | WP);
		range(0, top / 2, top / 2, WB);
		range(1, top - 0x1000, 0x1000, WT);
		take();
		EXPECT_EQ(mtrr_run(&m, HPA(0), top, &type), top / 2);
		EXPECT_EQ(type, WP);
		EXPECT_EQ(mtrr_run(&m, HPA(top / 2), top / 2, &type), top / 2 - 0x1000);
		EXPECT_EQ(type, WB);
		EXPECT_EQ(mtrr_run(&m, HPA(top - 0x1000), 0x1000, &type), 0x1000);
		EXPECT_EQ(type, WT);
		EXPECT_EQ(mtrr_run(&m, HPA(top - 0x1000), MIB, &type), 0x1000);
		EXPECT_EQ(type_at(top), UC); /* there is nothing */
		EXPECT_EQ(mtrr_run(&m, HPA(top), MIB, &type), MIB);
	}
}

TEST(mtrr_bits_above_the_width_do_not_count)
{
	cpu(36, 1, E | UC);
	pair(0, BIT(40) | BIT(36), ~(MIB - 1), WB);
	take();
	EXPECT_EQ(type_at(0), WB);
	EXPECT_EQ(type_at(MIB - 1), WB);
	EXPECT_EQ(type_at(MIB), UC);
	EXPECT_EQ(type_at(BIT(36)), UC);
	EXPECT(runs_as_model(0, 2 * MIB));
}

TEST(mtrr_a_cpu_that_does_not_say_has_36_bits)
{
	cpu(36, 1, E | UC);
	range(0, 0, BIT(36), WB);
	phys_bits = 0;
	take();
	EXPECT_EQ(type_at(BIT(36) - 1), WB);
	EXPECT_EQ(type_at(BIT(36)), UC);
	phys_bits = 60; /* more than entries can name */
	take();
	EXPECT_EQ(type_at(BIT(52)), UC);
}

TEST(mtrr_an_empty_mask_is_all_of_memory)
{
	unsigned type;

	cpu(39, 1, E | UC);
	pair(0, 0x123000, 0, WT);
	take();
	EXPECT_EQ(mtrr_run(&m, HPA(0), BIT(40), &type), BIT(39));
	EXPECT_EQ(type, WT);
}

TEST(mtrr_a_mask_with_holes_is_a_comb)
{
	unsigned type;

	cpu(36, 1, E | UC);
	pair(0, 0x3000, 0xfffff7000, WB); /* bit 15 is free: 0x3000 and 0xb000 */
	take();
	EXPECT_EQ(mtrr_run(&m, HPA(0), MIB, &type), 0x3000);
	EXPECT_EQ(mtrr_run(&m, HPA(0x3000), MIB, &type), 0x1000);
	EXPECT_EQ(type, WB);
	EXPECT_EQ(mtrr_run(&m, HPA(0x4000), MIB, &type), 0x7000);
	EXPECT_EQ(type, UC);
	EXPECT_EQ(type_at(0xb000), WB);
	EXPECT_EQ(mtrr_run(&m, HPA(0xc000), BIT(36) - 0xc000, &type), BIT(36) - 0xc000);
	EXPECT_EQ(type, UC);
}

TEST(mtrr_every_pair_counts)
{
	for (unsigned i = 0; i < 40; i++) {
		cpu(36, 40, E | WB);
		range(i, 16 * MIB, MIB, UC);
		take();
		EXPECT_EQ(type_at(16 * MIB), UC);
		EXPECT_EQ(type_at(15 * MIB), WB);
	}
	msr[0xfe] |= 0xff; /* more than there are numbers for */
	take();
	EXPECT_EQ(m.ranges, 40);
}

TEST(mtrr_reads_no_register_that_is_not_there)
{
	cpu(36, 3, E | WB); /* the fourth would panic, as it would #GP */
	take();
	EXPECT_EQ(m.ranges, 3);
	cpu(36, 0, E | WB);
	take();
	EXPECT_EQ(type_at(0), WB);
}

TEST(mtrr_runs_are_of_whole_pages)
{
	unsigned type;

	cpu(36, 0, E | WB);
	take();
	EXPECT_PANIC(mtrr_run(&m, HPA(0x800), PAGE_SIZE, &type));
	EXPECT_PANIC(mtrr_run(&m, HPA(0), 0x800, &type));
	EXPECT_PANIC(mtrr_run(&m, HPA(0), 0, &type));
}

/* What the firmware of Bochs leaves behind, on a machine of 256 MiB. */
TEST(mtrr_of_bochs)
{
	unsigned type;

	cpu(40, 8, E | FE | WB);
	pair(0, 0xc0000000, 0xffc0000000, UC);
	for (unsigned i = 0; i < 2; i++)
		msr[fixed_msr[i]] = 0x0606060606060606;
	take();
	EXPECT_EQ(mtrr_run(&m, HPA(0), BIT(40), &type), 0xa0000);
	EXPECT_EQ(type, WB);
	EXPECT_EQ(mtrr_run(&m, HPA(0xa0000), BIT(32), &type), 0x60000);
	EXPECT_EQ(type, UC);
	EXPECT_EQ(mtrr_run(&m, HPA(MIB), BIT(32), &type), 0xc0000000 - MIB);
	EXPECT_EQ(type, WB);
	EXPECT_EQ(mtrr_run(&m, HPA(0xc0000000), BIT(32), &type), 0x40000000);
	EXPECT_EQ(type, UC);
}
