/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmx_explain - each rule on guest state, broken alone, is the one that is named
 */
#include <string.h>

#include "arch/x86_64/msr.h"
#include "tests/host/test.h"
#include "vmx/vmx.h"

#define FIELDS 32

static struct {
	enum vmcs_field field;
	u64 value;
} state[FIELDS];
static unsigned fields;

static const struct vmx_caps caps = { .cr0_fixed0 = CR0_PE | CR0_NE | CR0_PG,
				      .cr0_fixed1 = 0xffffffff,
				      .cr4_fixed0 = CR4_VMXE,
				      .cr4_fixed1 = 0x3727ff };

static void set(enum vmcs_field f, u64 v)
{
	for (unsigned i = 0; i < fields; i++)
		if (state[i].field == f) {
			state[i].value = v;
			return;
		}
	state[fields].field = f;
	state[fields++].value = v;
}

static u64 get(enum vmcs_field f)
{
	for (unsigned i = 0; i < fields; i++)
		if (state[i].field == f)
			return state[i].value;
	panic("no such field: 0x%x", f);
}

/* A 64-bit guest that every rule lets through. */
static void good_state(void)
{
	fields = 0;
	set(ENTRY_CTL, ENTRY_CTL_LONG);
	set(GUEST_CR0, CR0_PE | CR0_NE | CR0_PG);
	set(GUEST_CR4, CR4_PAE | CR4_VMXE);
	set(GUEST_EFER, EFER_LME | EFER_LMA);
	set(GUEST_RFLAGS, 0x202);
	set(GUEST_RIP, 0x8000);
	set(GUEST_CS_RIGHTS, 0xa09b);
	set(GUEST_TR_RIGHTS, 0x8b);
	set(GUEST_ACTIVITY, 0);
	set(VMCS_LINK, ~0ull);
}

static bool says(const char *words)
{
	const char *why = vmx_explain_state(get, &caps);

	return why && strstr(why, words);
}

/* What the state says when one field is other than it should be. */
static bool broken(enum vmcs_field f, u64 v, const char *words)
{
	good_state();
	set(f, v);
	return says(words);
}

TEST(good_state_needs_no_explanation)
{
	good_state();
	EXPECT(!vmx_explain_state(get, &caps));
	set(ENTRY_CTL, 0); /* real mode */
	set(GUEST_CR0, CR0_NE);
	set(GUEST_CR4, CR4_VMXE);
	set(GUEST_EFER, 0);
	set(GUEST_CS_RIGHTS, 0x9b);
	set(GUEST_TR_RIGHTS, 0x83);
	EXPECT(!vmx_explain_state(get, &caps));
}

TEST(each_broken_rule_is_named)
{
	EXPECT(broken(GUEST_CR0, CR0_PE | CR0_PG, "CR0 breaks the bits"));
	EXPECT(broken(GUEST_CR0, CR0_NE | CR0_PG, "without CR0.PE"));
	EXPECT(broken(GUEST_CR4, CR4_PAE, "CR4 breaks the bits"));
	EXPECT(broken(GUEST_CR4, CR4_PAE | CR4_VMXE | BIT(40), "CR4 breaks the bits"));
	EXPECT(broken(GUEST_CR4, CR4_VMXE, "needs CR0.PG and CR4.PAE"));
	EXPECT(broken(GUEST_EFER, EFER_LME, "LMA differs from the IA-32e"));
	EXPECT(broken(GUEST_EFER, EFER_LMA, "LME differs from LMA"));
	EXPECT(broken(GUEST_RFLAGS, 0x200, "RFLAGS has a reserved bit"));
	EXPECT(broken(GUEST_RFLAGS, 0x20a, "RFLAGS has a reserved bit"));
	EXPECT(broken(GUEST_RFLAGS, 0x20202, "RFLAGS.VM"));
	EXPECT(broken(GUEST_CS_RIGHTS, 0xa092, "CS is no code segment"));
	EXPECT(broken(GUEST_CS_RIGHTS, 0xe09b, "both L and D/B"));
	EXPECT(broken(GUEST_CS_RIGHTS, 0xa01b, "CS is unusable or not present"));
	EXPECT(broken(GUEST_TR_RIGHTS, 0x89, "TR is unusable or no busy TSS"));
	EXPECT(broken(GUEST_TR_RIGHTS, 0x1008b, "TR is unusable or no busy TSS"));
	EXPECT(broken(GUEST_ACTIVITY, 4, "activity state"));
	EXPECT(broken(VMCS_LINK, 0x1001, "link pointer"));
}

TEST(high_rip_matters_outside_of_64_bit_code_only)
{
	EXPECT(!broken(GUEST_RIP, BIT(40), "RIP"));
	good_state();
	set(GUEST_CS_RIGHTS, 0xc09b); /* compatibility mode */
	set(GUEST_RIP, BIT(32));
	EXPECT(says("RIP has high bits"));
}
