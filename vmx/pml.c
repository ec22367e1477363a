/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pml - page-modification logging: the CPU notes which pages a guest makes dirty
 *
 * A CPU that sets the dirty flag of an EPT leaf, from 0 to 1, stores the address of the
 * page that was written in entry `index` of the log and counts the index down (SDM vol.
 * 3, 29.3.6).  It is set to 511 to begin with, and 0 is followed by 0xffff.  Beyond the
 * log, an access that would set an accessed or dirty flag exits instead with reason 62,
 * nothing changed.
 *
 *      entry     0 ............ index | index + 1 ......... 510   511
 *                not written          | the last          second  first
 *
 * A page is logged when its flag changes and at no other time: whoever clears the flag
 * owes a flush before the next write is sure to be logged.  The log is drained after
 * each exit, before the policy and before a request to stop is looked at, and the guest
 * does not run in between, so a vCPU that has left the loop has an empty log.
 */
#include "vmx/pml.h"
#include "mm/mem.h"
#include "vmx/insn.h"

_Static_assert(PML_ENTRIES * sizeof(u64) == PAGE_SIZE, "the log is one frame");

void pml_init(const struct vcpu *v)
{
	assert(IS_ALIGNED(v->log.v, PAGE_SIZE));
	vmwrite(PML_ADDRESS, v->log.v);
	vmwrite(PML_INDEX, PML_FIRST);
}

void pml_drain(struct vcpu *v)
{
	u16 index = (u16)vmread(PML_INDEX);

	if (index == PML_FIRST)
		return;
	pml_walk(v, mem_ptr(v->log), index);
	vmwrite(PML_INDEX, PML_FIRST);
}
