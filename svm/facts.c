/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts - CPUID Fn8000_000A in words (APM vol. 3, appendix E)
 */
#include "svm/facts.h"
#include "lib/flags.h"
#include "lib/str.h"

static const struct flag flags[] = {
	{ BIT(0), "NP" },
	{ BIT(1), "LbrVirt" },
	{ BIT(2), "SVML" },
	{ BIT(3), "NRIPS" },
	{ BIT(4), "TscRateMsr" },
	{ BIT(5), "VmcbClean" },
	{ BIT(6), "FlushByAsid" },
	{ BIT(7), "DecodeAssists" },
	{ BIT(10), "PauseFilter" },
	{ BIT(12), "PauseFilterThreshold" },
	{ BIT(13), "AVIC" },
	{ BIT(15), "VMSAVEvirt" },
	{ BIT(16), "VGIF" },
	{ BIT(17), "GMET" },
	{ BIT(18), "x2AVIC" },
	{ BIT(19), "SSSCheck" },
	{ BIT(20), "SpecCtrl" },
	{ BIT(21), "ROGPT" },
	{ BIT(23), "HOST_MCE_OVERRIDE" },
	{ BIT(24), "TlbiCtl" },
	{ BIT(25), "VNMI" },
	{ BIT(26), "IbsVirt" },
	{ BIT(28), "SvmeAddrChk" },
};

void svm_facts(struct backend_facts *out, u32 features, u32 asids)
{
	*out = (struct backend_facts){ .word_of = "CPUID Fn8000_000A EDX",
				       .word = features,
				       .asids = asids };
	flags_text(out->names, sizeof(out->names), flags, ARRAY_LEN(flags), features);
}
