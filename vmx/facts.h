/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts - IA32_VMX_EPT_VPID_CAP in words.
 */
#ifndef VMX_FACTS_H
#define VMX_FACTS_H

#include "vm/backend.h"

/* Fills *out from the capability word; 0 where the CPU has none. */
void vmx_facts(struct backend_facts *out, u64 ept_vpid_cap);

#endif
