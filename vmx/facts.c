/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts - IA32_VMX_EPT_VPID_CAP in words (SDM vol. 3, A.10)
 */
#include "vmx/facts.h"
#include "lib/flags.h"
#include "lib/str.h"

static const struct flag flags[] = {
	{ BIT(0), "execute-only" },
	{ BIT(6), "4-level" },
	{ BIT(7), "5-level" },
	{ BIT(8), "UC" },
	{ BIT(14), "WB" },
	{ BIT(16), "2M" },
	{ BIT(17), "1G" },
	{ BIT(20), "INVEPT" },
	{ BIT(21), "A/D" },
	{ BIT(22), "advanced-violations" },
	{ BIT(23), "supervisor-shadow-stack" },
	{ BIT(25), "INVEPT-single" },
	{ BIT(26), "INVEPT-all" },
	{ BIT(32), "INVVPID" },
	{ BIT(40), "INVVPID-address" },
	{ BIT(41), "INVVPID-single" },
	{ BIT(42), "INVVPID-all" },
	{ BIT(43), "INVVPID-single-but-globals" },
};

void vmx_facts(struct backend_facts *out, u64 ept_vpid_cap)
{
	*out = (struct backend_facts){ .word_of = "IA32_VMX_EPT_VPID_CAP",
				       .word = ept_vpid_cap };
	flags_text(out->names, sizeof(out->names), flags, ARRAY_LEN(flags),
		   ept_vpid_cap);
}
