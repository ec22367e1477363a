/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * format - the two formats of a nested entry, and how the words of the edits are said
 * in each
 *
 * They are data: an edit looks at them once for a run of leaves, or where it builds an
 * entry, so one walker serves both, and the loops over leaves have the masks in
 * registers.
 */
#include "mm/epte.h"
#include "mm/npte.h"

#define NONE EPTE_NO_TYPE

const struct epte_format epte_formats[] = {
	[NESTED_EPT] = { .present = EPTE_RWX,
			 .rights = EPTE_RWX,
			 .x = EPTE_X,
			 .a = EPTE_A,
			 .d = EPTE_D,
			 .link = EPTE_RWX,
			 .memory = EPTE_MEMORY,
			 .extra = EPTE_IPAT | EPTE_SVE,
			 .type = { EPT_UC << 3, EPT_WC << 3, NONE, NONE, EPT_WT << 3,
				   EPT_WP << 3, EPT_WB << 3, NONE },
			 .exec_only = true },
	/*
	 * Types as the PAT has them after reset (APM vol. 2, 7.8.1), and nobody changes
	 * the host's: 0 is WB, 1 is WT, 3 is UC.  There is no WC and no WP.
	 */
	[NESTED_NPT] = { .present = NPTE_P,
			 .rights = NPTE_P | NPTE_RW | NPTE_NX,
			 .x = NPTE_NX,
			 .inverted = NPTE_NX,
			 .a = NPTE_A,
			 .d = NPTE_D,
			 .link = NPTE_P | NPTE_RW | NPTE_U,
			 .leaf = NPTE_U,
			 .memory = NPTE_PWT | NPTE_PCD,
			 .type = { NPTE_PWT | NPTE_PCD, NONE, NONE, NONE, NPTE_PWT,
				   NONE, 0, NONE },
			 .ad = true,
			 .mtrrs = true },
};

_Static_assert(NPTE_P == EPTE_R && NPTE_RW == EPTE_W && NPTE_PS == EPTE_LEAF,
	       "what mm/ takes to be the same in both formats");

enum err epte_memory(const struct epte_format *f, u64 memory, u64 *bits)
{
	u64 type = field_get(EPTE_TYPE, memory);

	if (memory & ~EPTE_MEMORY || !ept_type_ok(type))
		return fail(E_INVAL);
	if (memory & ~(EPTE_TYPE | f->extra) || f->type[type] == NONE)
		return fail(E_NOTSUP);
	*bits = f->type[type] | (memory & f->extra);
	return E_OK;
}

u64 epte_attr(const struct epte_format *f, epte_t e)
{
	u64 type = 0, bits = e.raw & f->memory & ~f->extra;
	u64 rwx = (e.raw & (EPTE_R | EPTE_W)) | (epte_executes(f, e) ? EPTE_X : 0);

	while (type < 7 && f->type[type] != bits)
		type++;
	return (epte_present(f, e) ? rwx : 0) | field_put(EPTE_TYPE, type) |
	       (e.raw & f->extra) | (e.raw & f->a ? EPTE_A : 0) |
	       (e.raw & f->d ? EPTE_D : 0);
}
