/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pml - a vCPU's log of the pages that its guest makes dirty; see pml.c.
 */
#ifndef VMX_PML_H
#define VMX_PML_H

#include "vm/backend.h"

#define PML_ENTRIES 512
#define PML_FIRST   (PML_ENTRIES - 1)

/*
 * Hands over the entries that the CPU has written when its index is `index`.  Their
 * bits 11:0 are 0 on silicon; Bochs 2.7 stores the address of the access as it is.
 */
static inline void pml_walk(struct vcpu *v, const u64 *log, u16 index)
{
	unsigned last = (u16)(index + 1); /* 0xffff: all entries are written */

	assert(last <= PML_ENTRIES);
	for (unsigned i = PML_ENTRIES; i-- > last;)
		v->logged(v, GPA(ALIGN_DOWN(log[i], PAGE_SIZE)));
}

/* With v's VMCS current: v->log is the log from now on, and empty. */
void pml_init(const struct vcpu *v);

/* During an exit of v: hands over what is in the log, and empties it. */
void pml_drain(struct vcpu *v);

#endif
