/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain - which rule for guest state is broken, in words (SDM vol. 3, 27.3.1)
 *
 * Hardware says only "invalid guest state".  Each rule here is a row; the list holds
 * those that a wrong set-up or a stray VMWRITE is likely to break, not all of them.
 */
#include "arch/x86_64/msr.h"
#include "vmx/vmx.h"

#define RFLAGS_RESERVED (BITS(63, 22) | BIT(15) | BIT(5) | BIT(3))
#define RFLAGS_ONE      BIT(1)
#define RFLAGS_VM       BIT(17)
#define RIGHTS_TYPE     BITS(3, 0)
#define RIGHTS_S        BIT(4)
#define RIGHTS_P        BIT(7)
#define RIGHTS_L        BIT(13)
#define RIGHTS_DB       BIT(14)
#define RIGHTS_UNUSABLE BIT(16)
#define ACTIVITY_MAX    3

struct look {
	u64 (*field)(enum vmcs_field);
	const struct vmx_caps *caps;
	bool longmode;
};

static bool cr0_fixed(const struct look *l)
{
	u64 cr0 = l->field(GUEST_CR0), must = l->caps->cr0_fixed0 & ~(CR0_PE | CR0_PG);

	return (cr0 & must) != must || cr0 & ~l->caps->cr0_fixed1;
}

static bool pg_without_pe(const struct look *l)
{
	u64 cr0 = l->field(GUEST_CR0);

	return cr0 & CR0_PG && !(cr0 & CR0_PE);
}

static bool cr4_fixed(const struct look *l)
{
	u64 cr4 = l->field(GUEST_CR4), must = l->caps->cr4_fixed0;

	return (cr4 & must) != must || cr4 & ~l->caps->cr4_fixed1;
}

static bool long_without_paging(const struct look *l)
{
	return l->longmode &&
	       (!(l->field(GUEST_CR0) & CR0_PG) || !(l->field(GUEST_CR4) & CR4_PAE));
}

static bool efer_lma(const struct look *l)
{
	return l->longmode != !!(l->field(GUEST_EFER) & EFER_LMA);
}

static bool efer_lme(const struct look *l)
{
	u64 efer = l->field(GUEST_EFER);

	return l->field(GUEST_CR0) & CR0_PG && !(efer & EFER_LMA) != !(efer & EFER_LME);
}

static bool rflags_reserved(const struct look *l)
{
	u64 f = l->field(GUEST_RFLAGS);

	return f & RFLAGS_RESERVED || !(f & RFLAGS_ONE);
}

static bool rflags_vm(const struct look *l)
{
	return l->longmode && l->field(GUEST_RFLAGS) & RFLAGS_VM;
}

static bool rip_high(const struct look *l)
{
	bool l_bit = l->field(GUEST_CS_RIGHTS) & RIGHTS_L;

	return !(l->longmode && l_bit) && l->field(GUEST_RIP) >> 32;
}

static bool cs_type(const struct look *l)
{
	u64 r = l->field(GUEST_CS_RIGHTS), type = r & RIGHTS_TYPE;
	bool code = type == 9 || type == 11 || type == 13 || type == 15;

	return !code && type != 3;
}

static bool cs_l_and_db(const struct look *l)
{
	u64 r = l->field(GUEST_CS_RIGHTS);

	return l->longmode && r & RIGHTS_L && r & RIGHTS_DB;
}

static bool cs_absent(const struct look *l)
{
	u64 r = l->field(GUEST_CS_RIGHTS);

	return !(r & RIGHTS_P) || !(r & RIGHTS_S) || r & RIGHTS_UNUSABLE;
}

static bool tr_type(const struct look *l)
{
	u64 r = l->field(GUEST_TR_RIGHTS), type = r & RIGHTS_TYPE;

	return r & (RIGHTS_UNUSABLE | RIGHTS_S) || !(r & RIGHTS_P) ||
	       !(type == 11 || (type == 3 && !l->longmode));
}

static bool activity(const struct look *l)
{
	return l->field(GUEST_ACTIVITY) > ACTIVITY_MAX;
}

static bool link_pointer(const struct look *l)
{
	u64 p = l->field(VMCS_LINK);

	return p != ~0ull && !IS_ALIGNED(p, PAGE_SIZE);
}

static const struct rule {
	bool (*broken)(const struct look *);
	const char *what;
} rules[] = {
	{ cr0_fixed, "CR0 breaks the bits that VMX operation fixes" },
	{ pg_without_pe, "CR0.PG is set without CR0.PE" },
	{ cr4_fixed, "CR4 breaks the bits that VMX operation fixes" },
	{ long_without_paging, "an IA-32e mode guest needs CR0.PG and CR4.PAE" },
	{ efer_lma, "IA32_EFER.LMA differs from the IA-32e mode guest control" },
	{ efer_lme, "IA32_EFER.LME differs from LMA while CR0.PG is set" },
	{ rflags_reserved, "RFLAGS has a reserved bit wrong" },
	{ rflags_vm, "RFLAGS.VM is set in IA-32e mode" },
	{ rip_high, "RIP has high bits outside of 64-bit mode" },
	{ cs_type, "CS is no code segment" },
	{ cs_l_and_db, "CS has both L and D/B set" },
	{ cs_absent, "CS is unusable or not present" },
	{ tr_type, "TR is unusable or no busy TSS" },
	{ activity, "the activity state does not exist" },
	{ link_pointer, "the VMCS link pointer is misaligned" },
};

const char *vmx_explain_state(u64 (*field)(enum vmcs_field),
			      const struct vmx_caps *caps)
{
	struct look l = { field, caps, field(ENTRY_CTL) & ENTRY_CTL_LONG };

	for (unsigned i = 0; i < ARRAY_LEN(rules); i++)
		if (rules[i].broken(&l))
			return rules[i].what;
	return NULL;
}
