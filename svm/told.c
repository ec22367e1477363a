/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * told - what a VMCB makes VMRUN do to the TLB (APM 15.16.2)
 *
 * It is for the ghost TLB, so it knows nothing of how ASIDs are given out: asid.c is
 * what it is there to judge.  A value that hardware does not offer, or that keeps some
 * of what is cached (7: global pages), drops nothing.
 */
#include "svm/told.h"

static enum ghost_drop dropped(const struct vmcb *b, bool by_asid)
{
	if (b->tlb_control == TLB_FLUSH_ALL)
		return GHOST_DROP_ALL;
	if (b->tlb_control == TLB_FLUSH_ASID && by_asid)
		return GHOST_DROP_TAG;
	return GHOST_DROP_NONE;
}

struct ghost_told svm_told(const struct vmcb *b, bool by_asid)
{
	return (struct ghost_told){ .root = b->n_cr3,
				    .tag = b->asid,
				    .drop = dropped(b, by_asid) };
}
