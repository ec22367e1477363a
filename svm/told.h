/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * told - what a VMCB makes VMRUN do to the TLB; see told.c
 */
#ifndef SVM_TOLD_H
#define SVM_TOLD_H

#include "svm/vmcb.h"
#include "vm/backend.h"

/* For the next VMRUN of b; by_asid: the CPU has FlushByAsid. */
struct ghost_told svm_told(const struct vmcb *b, bool by_asid);

#endif
