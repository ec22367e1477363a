/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epte - the words of entries, one by one, in either format.
 */
#include "mm/npte.h"
#include "tests/unit/space.h"

TEST(epte_words_are_those_of_the_manual)
{
	const struct epte_format *f = &epte_formats[NESTED_EPT];

	EXPECT_EQ(epte_leaf(f, HPA(0x1234000), EPT_RWX, 0).raw, 0x1234037);
	EXPECT_EQ(epte_leaf(f, HPA(0x40000000), EPT_RW, 2).raw, 0x400000b3);
	EXPECT_EQ(epte_table(f, HPA(0x5000)).raw, 0x5007);
	EXPECT(!epte_present(f, (epte_t){ EPTE_ADDR | EPTE_TYPE | EPTE_LEAF }));
	EXPECT(epte_present(f, (epte_t){ EPTE_X }));
	EXPECT_EQ(ept_index(0x0000ffffffffffff, 3), 511);
	EXPECT_EQ(ept_index(0x0000008000000000, 3), 1);
	EXPECT_EQ(ept_index(0x0000008000000000, 2), 0);
	EXPECT_EQ(ept_span(2), SIZE_1G);
	EXPECT_EQ(EPTE_SVE, 1ull << 63);
}

/* Hardware sees nothing of a parked entry, and it comes back bit for bit. */
TEST_BOTH(epte_parked_keeps_everything)
{
	const struct epte_format *f = &epte_formats[raw_format];
	struct rng r = test_rng();
	u64 kept = ~(EPTE_PARKED_BITS);

	for (unsigned i = 0; i < 1000; i++) {
		epte_t e = { rng_next(&r) & kept }, p;
		unsigned tag = 1 + (unsigned)rng_below(&r, 63);

		p = epte_park(f, e, tag);
		EXPECT(!epte_present(f, p));
		EXPECT(epte_used(p));
		EXPECT(epte_parked(p));
		EXPECT(!epte_parked(e));
		EXPECT_EQ(epte_tag(p), tag);
		EXPECT_EQ(epte_final(p).raw, e.raw);
		EXPECT_EQ(epte_final(e).raw, e.raw);
		EXPECT_EQ(epte_addr(p).v, epte_addr(e).v);
		EXPECT_EQ(p.raw & (EPTE_LEAF | EPTE_MEMORY),
			  e.raw & (EPTE_LEAF | EPTE_MEMORY));
		EXPECT_EQ(epte_rights(f, p), epte_rights(f, e));
	}
	for (u64 held = EPTE_HELD_W; held <= EPTE_HELD_X; held <<= 1)
		EXPECT_EQ(epte_rights(f, (epte_t){ (EPTE_R ^ f->inverted) | held }),
			  EPTE_R | (held == EPTE_HELD_W ? EPTE_W : EPTE_X));
}

/* APM vol. 2, 5.3.3 to 5.4.1: P 0, RW 1, U 2, PWT 3, PCD 4, A 5, D 6, PS 7, NX 63. */
TEST(npte_words_are_those_of_the_manual)
{
	const struct epte_format *f = &epte_formats[NESTED_NPT];

	EXPECT_EQ(NPTE_P | NPTE_RW | NPTE_U, 7);
	EXPECT_EQ(NPTE_PWT | NPTE_PCD, 0x18);
	EXPECT_EQ(NPTE_A | NPTE_D, 0x60);
	EXPECT_EQ(NPTE_PS, 0x80);
	EXPECT_EQ(NPTE_NX, 1ull << 63);
	EXPECT_EQ(epte_leaf(f, HPA(0x1234000), 3, 0).raw, 0x1234007);
	EXPECT_EQ(epte_leaf(f, HPA(0x40000000), 1, 2).raw, 0x40000085);
	EXPECT_EQ(epte_table(f, HPA(0x5000)).raw, 0x5007);
	EXPECT(!epte_present(f, (epte_t){ ~1ull }));
	EXPECT(epte_present(f, (epte_t){ 1 }));
	EXPECT(epte_executes(f, (epte_t){ 5 }));
	EXPECT(!epte_executes(f, (epte_t){ 5 | NPTE_NX }));
}
