/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry - into the guest and back: see entry.S.
 */
#ifndef VMX_ENTRY_H
#define VMX_ENTRY_H

#include "vm/backend.h"

_Static_assert(offsetof(struct vcpu, g) == 0, "entry.S knows struct vcpu");

bool vmx_enter(struct vcpu *v, bool launched);
extern char vmx_exit[];

#endif
