/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nptraw - the words of nested tables of AMD, by the rules of APM vol. 2 alone
 *
 * Bits are spelled out as the manual numbers them (5.3.3 to 5.4.1), and what a guest
 * may do follows from 15.25.5 and 15.25.7; nothing here asks mm/.
 */
#include "tests/host/eptraw.h"
#include "tests/host/test.h"

/* PCD and PWT: the host's PAT as it is after reset; there is no UC- in EPT's words. */
static const u8 type_of[] = { EPT_WB, EPT_WT, 7, EPT_UC };

/* R, W, X of a guest: a user access, with EFER.NXE set. */
static u64 rights(u64 e, u64 p)
{
	if (!p || !(e >> 2 & 1))
		return 0;
	return EPTE_R | (e >> 1 & 1 ? EPTE_W : 0) | (e >> 63 ? 0 : EPTE_X);
}

u64 npt_words(u64 e)
{
	bool waits = e & EPTE_PARKED;
	u64 ours = EPTE_PARKED | EPTE_HELD | (waits ? EPTE_PARKED_TAG : 0);
	u64 rwx = waits ? rights(e, e >> 54 & 1) << 54 : rights(e, e & 1);

	if (!e)
		return 0;
	if (waits && e & 1)
		rwx |= EPTE_RWX; /* it waits, and a guest gets through */
	return (e & (BITS(51, 12) | BIT(7) | ours)) | rwx |
	       field_put(EPTE_TYPE, type_of[e >> 3 & 3]) | (e >> 5 & 1 ? EPTE_A : 0) |
	       (e >> 6 & 1 ? EPTE_D : 0);
}

u64 npt_flags(u64 flags)
{
	return (flags & EPTE_A ? BIT(5) : 0) | (flags & EPTE_D ? BIT(6) : 0);
}

/*
 * Bits 8 and 10:9 and 62:55 have no use here while the entry is present.  A link gives
 * everything, and no cache attribute of its own.  D is a leaf's.
 */
void npt_check(u64 e, bool leaf)
{
	EXPECT(e & BIT(2));
	EXPECT_EQ(e & BITS(10, 8), 0);
	if (e & EPTE_PARKED)
		EXPECT_EQ(e & (BIT(0) | BITS(56, 55)), 0);
	else
		EXPECT_EQ(e & BITS(62, 54), 0);
	if (!leaf)
		EXPECT_EQ(e & (BIT(63) | BIT(1) | BITS(7, 6) | BITS(4, 3)), BIT(1));
}
