/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * npt - what is different in nested tables of AMD: what edits store there, and what
 * they say when these tables cannot mean what is asked for
 *
 * Everything else about them is in the tests that run with the tables of either format.
 */
#include "mm/dirty.h"
#include "mm/fault.h"
#include "mm/npte.h"
#include "tests/unit/space.h"

#define F       (&epte_formats[NESTED_NPT])
#define TYPE(t) field_put(EPTE_TYPE, t)

/* Execute-only is asked for as well, and is not there. */
static void set_up_npt(unsigned max_leaf)
{
	raw_format = NESTED_NPT;
	set_up(max_leaf);
	raw_format = NESTED_EPT;
}

/* Whole entries, by rights and level: 5 is P and U, 2 is RW, bit 63 is NX. */
TEST(npt_leaves_say_rights)
{
	static const struct {
		u64 rwx, raw;
	} rights[] = {
		{ EPTE_RWX, 7 },
		{ EPTE_R | EPTE_W, 7 | BIT(63) },
		{ EPTE_R | EPTE_X, 5 },
		{ EPTE_R, 5 | BIT(63) },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rights); i++) {
		u64 attr = rights[i].rwx | TYPE(EPT_WB);

		set_up_npt(2);
		for (unsigned level = 0; level < 3; level++) {
			u64 at = level * SIZE_1G;

			given(at, 0, ept_span(level), attr);
			EXPECT_EQ(slot_at(at)->raw, rights[i].raw | (level ? 0x80 : 0));
		}
	}
}

/* Every entry above a leaf lets a user read, write and execute (15.25.5, 15.25.7). */
TEST(npt_links_give_everything)
{
	const u64 *t;

	set_up_npt(2);
	given(0, SIZE_1G, PAGE, EPTE_R | TYPE(EPT_WB));
	t = mem_ptr(ept.root);
	for (unsigned level = 3; level; level--) {
		EXPECT_EQ(t[0] & ~EPTE_ADDR, 7);
		t = mem_ptr(HPA(t[0] & EPTE_ADDR));
	}
	EXPECT_EQ(t[0], SIZE_1G | 5 | BIT(63));
	EXPECT_EQ(ept_top(&ept).v, ept.root.v);
}

/* A link that waits has lost P alone, and its U is there when it is settled. */
TEST(npt_parked_entries_are_not_present)
{
	const u64 *t;

	set_up_npt(1);
	given(0, SIZE_1G, 2 * SIZE_2M, EPTE_R | TYPE(EPT_WT));
	EXPECT_EQ(ept_split(&ept, GPA(0), PAGE, 0, &g), E_OK);
	EXPECT_EQ(ept_remap(&ept, GPA(SIZE_2M), HPA(0), SIZE_2M, &g), E_OK);
	t = mem_ptr(HPA(*(u64 *)mem_ptr(ept.root) & EPTE_ADDR));
	t = mem_ptr(HPA(t[0] & EPTE_ADDR));
	EXPECT_EQ(t[0] & (EPTE_PARKED | 7), EPTE_PARKED | 6);
	EXPECT_EQ(t[1] & (EPTE_PARKED | 7 | NPTE_NX), EPTE_PARKED | 4 | NPTE_NX);
	raw_format = NESTED_NPT;
	done();
	raw_format = NESTED_EPT;
	EXPECT_EQ(t[0] & ~EPTE_ADDR, 7);
	EXPECT_EQ(t[1], 0x80 | 0xd | BIT(63));
}

/* By the host's PAT after reset, 0 is WB, 1 is WT, 2 is UC-, 3 is UC (7.8.1, 15.25.8).
 */
TEST(npt_types_are_what_the_pat_has)
{
	static const struct {
		u64 memory;
		enum err want;
		u64 raw;
	} types[] = {
		{ TYPE(EPT_WB), E_OK, 0 },
		{ TYPE(EPT_WT), E_OK, 0x8 },
		{ TYPE(EPT_UC), E_OK, 0x18 },
		{ TYPE(EPT_WC), E_NOTSUP, 0 },
		{ TYPE(EPT_WP), E_NOTSUP, 0 },
		{ TYPE(EPT_WB) | EPTE_IPAT, E_NOTSUP, 0 },
		{ TYPE(EPT_WB) | EPTE_SVE, E_NOTSUP, 0 },
		{ TYPE(2), E_INVAL, 0 },
		{ TYPE(3), E_INVAL, 0 },
		{ TYPE(7), E_INVAL, 0 },
		{ TYPE(EPT_WB) | BIT(8), E_INVAL, 0 },
	};

	set_up_npt(1);
	for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
		gpa_t gpa = GPA((i + 1) * SIZE_2M);
		enum err want = types[i].want;
		u64 memory = types[i].memory;

		EXPECT_EQ(ept_map(&ept, gpa, HPA(0), SIZE_2M, EPTE_RWX | memory, &g),
			  want);
		EXPECT_EQ(slot_at(gpa.v)->raw, want ? 0 : 0x87 | types[i].raw);
		given(gpa.v + SIZE_1G, 0, PAGE, RWX);
		gpa.v += SIZE_1G;
		EXPECT_EQ(ept_retype(&ept, gpa, PAGE, memory, &g), want);
		EXPECT_EQ(slot_at(gpa.v)->raw, want ? 7 : 7 | types[i].raw);
		EXPECT_EQ(gather_needs_flush(&g), !want && types[i].raw);
		g = gather_init();
	}
}

/* R is P: neither X nor W nor both are rights of their own. */
TEST(npt_refuses_rights_without_r)
{
	set_up_npt(1);
	EXPECT(!ept.can.exec_only);
	given(0, 0, PAGE, RWX);
	for (u64 rwx = 0; rwx < 8; rwx++) {
		enum err want = rwx & EPTE_R ? E_OK : E_INVAL;
		gpa_t gpa = GPA((1 + rwx) * PAGE);

		EXPECT_EQ(ept_map(&ept, gpa, HPA(0), PAGE, rwx | TYPE(EPT_WB), &g),
			  want);
		EXPECT_EQ(ept_protect(&ept, GPA(0), PAGE, rwx, &g), want);
	}
}

/* A and D are on whatever is asked for, and nobody has to flush for that. */
TEST(npt_flags_are_always_on)
{
	static atomic64_t map[1];
	struct dirty d;
	u64 page = 0;

	raw_format = NESTED_NPT;
	set_up_with((struct ept_features){ .ad = false });
	raw_format = NESTED_EPT;
	EXPECT(ept.can.ad);
	ept_enable_ad(&ept, &g);
	EXPECT_NO_DUTY();
	given(0, 0, PAGE, RWX);
	slot_at(0)->raw |= 0x60;
	EXPECT_EQ(ept_clear(&ept, GPA(0), PAGE, EPTE_A, &page, &g), E_OK);
	EXPECT_EQ(slot_at(0)->raw, 0x47);
	EXPECT_EQ(page, 1);
	EXPECT_EQ(ept_clear(&ept, GPA(0), PAGE, EPTE_D, NULL, &g), E_OK);
	EXPECT_EQ(slot_at(0)->raw, 0x7);
	EXPECT_ONLY(0, PAGE, WHY_ACCESSED | WHY_DIRTY);
	g = gather_init();
	slot_at(0)->raw |= 0x60;
	EXPECT_EQ(dirty_start(&d, &ept, DIRTY_FLAG, GPA(0), PAGE, map, &g), E_OK);
	EXPECT_EQ(slot_at(0)->raw, 0x27);
	slot_at(0)->raw |= 0x40;
	EXPECT_EQ(dirty_harvest(&d, &page, &g), 1);
	EXPECT_EQ(slot_at(0)->raw, 0x27);
	dirty_stop(&d);
}

/* What a leaf tells hardware, told back: nothing while it waits. */
TEST(npt_attr_is_what_was_asked_for)
{
	static const u8 type[] = { EPT_WB, EPT_WT, EPT_UC };
	struct ept_leaf l;

	set_up_npt(0);
	for (u64 i = 0; i < 12; i++) {
		u64 attr = EPTE_R | (i & 1 ? EPTE_W : 0) | (i & 2 ? EPTE_X : 0) |
			   TYPE(type[i / 4]);

		given(i * PAGE, 0, PAGE, attr);
		EXPECT(ept_lookup(&ept, GPA(i * PAGE), &l));
		EXPECT_EQ(ept_attr(&ept, &l), attr);
		slot_at(i * PAGE)->raw |= i & 1 ? NPTE_A : NPTE_D;
		EXPECT(ept_lookup(&ept, GPA(i * PAGE), &l));
		EXPECT_EQ(ept_attr(&ept, &l), attr | (i & 1 ? EPTE_A : EPTE_D));
	}
	EXPECT_EQ(ept_remap(&ept, GPA(0), HPA(SIZE_1G), PAGE, &g), E_OK);
	EXPECT(ept_find(&ept, GPA(0), &l));
	EXPECT_EQ(ept_attr(&ept, &l), TYPE(EPT_WB) | EPTE_D);
	EXPECT_EQ(epte_rights(F, l.entry), EPTE_R);
}

/* X that a large leaf holds is NX to hardware, and comes back in its pages. */
TEST(npt_large_leaves_hold_x)
{
	raw_format = NESTED_NPT;
	set_up_with((struct ept_features){ .max_leaf = 1 });
	given(0, 0, SIZE_2M, RWX);
	EXPECT_EQ(slot_at(0)->raw, 0x87 | NPTE_NX | EPTE_HELD_X);
	EXPECT_EQ(ept_fault(&ept, GPA(0), EPTE_X), FAULT_SPLIT);
	EXPECT_EQ(ept_split(&ept, GPA(0), PAGE, 0, &g), E_OK);
	done();
	EXPECT_EQ(slot_at(0)->raw, 7);
	raw_format = NESTED_EPT;
}
