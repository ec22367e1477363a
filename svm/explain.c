/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain - which rule for a VMCB is broken, in words (APM 15.5.1)
 *
 * Hardware says only VMEXIT_INVALID.  Each rule here is a row; the list holds those
 * that a wrong set-up or a stray write is likely to break, not all of them.
 */
#include "arch/x86_64/msr.h"
#include "svm/svm.h"

#define ATTR_L  BIT(9)
#define ATTR_DB BIT(10)

static bool paged_long(const struct vmcb *b)
{
	return b->efer & EFER_LME && b->cr0 & CR0_PG;
}

static bool no_svme(const struct vmcb *b)
{
	return !(b->efer & EFER_SVME);
}

static bool nw_without_cd(const struct vmcb *b)
{
	return b->cr0 & CR0_NW && !(b->cr0 & CR0_CD);
}

static bool cr0_high(const struct vmcb *b)
{
	return b->cr0 >> 32;
}

static bool dr_high(const struct vmcb *b)
{
	return b->dr6 >> 32 || b->dr7 >> 32;
}

static bool long_without_pae(const struct vmcb *b)
{
	return paged_long(b) && !(b->cr4 & CR4_PAE);
}

static bool long_without_pe(const struct vmcb *b)
{
	return paged_long(b) && !(b->cr0 & CR0_PE);
}

static bool cs_l_and_db(const struct vmcb *b)
{
	return paged_long(b) && b->cs.attributes & ATTR_L && b->cs.attributes & ATTR_DB;
}

static bool no_vmrun(const struct vmcb *b)
{
	return !(b->misc2 & MISC2_VMRUN);
}

static bool asid_0(const struct vmcb *b)
{
	return !b->asid;
}

static const struct rule {
	bool (*broken)(const struct vmcb *);
	const char *what;
} rules[] = {
	{ no_svme, "EFER.SVME is clear" },
	{ nw_without_cd, "CR0.NW is set without CR0.CD" },
	{ cr0_high, "CR0 has high bits" },
	{ dr_high, "DR6 or DR7 has high bits" },
	{ long_without_pae, "long mode with paging needs CR4.PAE" },
	{ long_without_pe, "long mode with paging needs CR0.PE" },
	{ cs_l_and_db, "CS has both L and D set" },
	{ no_vmrun, "VMRUN is not intercepted" },
	{ asid_0, "the ASID is 0" },
};

const char *svm_explain(const struct vmcb *b)
{
	for (unsigned i = 0; i < ARRAY_LEN(rules); i++)
		if (rules[i].broken(b))
			return rules[i].what;
	return NULL;
}
