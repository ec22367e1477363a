/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svm_explain - each rule on a VMCB, broken alone, is the one that is named
 */
#include <string.h>

#include "arch/x86_64/msr.h"
#include "svm/svm.h"
#include "tests/host/test.h"

static struct vmcb good(enum vcpu_mode mode)
{
	static struct vcpu v;
	struct vmcb b;

	v.mode = mode;
	svm_state_init(&v, &b);
	b.asid = 1;
	return b;
}

static bool named(const struct vmcb *b, const char *words)
{
	const char *why = svm_explain(b);

	return why && strstr(why, words);
}

TEST(svm_own_state_breaks_no_rule)
{
	struct vmcb b = good(VCPU_LONG);

	EXPECT(!svm_explain(&b));
	b = good(VCPU_REAL);
	EXPECT(!svm_explain(&b));
}

#define BROKEN(change, words)             \
	do {                              \
		b = good(VCPU_LONG);      \
		change;                   \
		EXPECT(named(&b, words)); \
	} while (0)

TEST(svm_each_broken_rule_is_named)
{
	struct vmcb b;

	BROKEN(b.efer &= ~EFER_SVME, "EFER.SVME");
	BROKEN(b.cr0 |= CR0_NW, "CR0.NW");
	BROKEN(b.cr0 |= BIT(32), "CR0 has high bits");
	BROKEN(b.dr7 |= BIT(32), "DR6 or DR7");
	BROKEN(b.cr4 &= ~CR4_PAE, "CR4.PAE");
	BROKEN(b.cr0 &= ~CR0_PE, "CR0.PE");
	BROKEN(b.cs.attributes |= BIT(10), "L and D");
	BROKEN(b.misc2 &= ~(u32)MISC2_VMRUN, "VMRUN");
	BROKEN(b.asid = 0, "ASID");
}

/* What is not asked to be denied is what a guest can do to the host. */
TEST(svm_denies_by_default)
{
	struct vmcb b = good(VCPU_LONG);
	const u8 *io = (const u8 *)b.iopm, *msr = (const u8 *)b.msrpm;

	EXPECT(IS_ALIGNED(b.iopm, PAGE_SIZE) && IS_ALIGNED(b.msrpm, PAGE_SIZE));
	for (unsigned i = 0; i < 3 * PAGE_SIZE; i++)
		if (!EXPECT_EQ(io[i], 0xff))
			return;
	for (unsigned i = 0; i < 2 * PAGE_SIZE; i++)
		if (!EXPECT_EQ(msr[i], 0xff))
			return;
	EXPECT(b.misc1 & MISC1_IOIO && b.misc1 & MISC1_MSR);
}
