/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry - into the guest and back: see entry.S.
 */
#ifndef SVM_ENTRY_H
#define SVM_ENTRY_H

#include "svm/vmcb.h"
#include "vm/backend.h"

_Static_assert(offsetof(struct vcpu, g) == 0, "entry.S knows struct vcpu");

void svm_enter(struct vcpu *v, struct vmcb *vmcb, u64 vmcb_pa, u64 host_pa);

#endif
