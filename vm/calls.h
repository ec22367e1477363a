/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls - what a guest may ask for by VMCALL; numbers in tests/guest/abi.h.
 */
#ifndef VM_CALLS_H
#define VM_CALLS_H

#include "vm/backend.h"

/* The exit function of EXIT_CALL. */
bool calls_dispatch(struct vcpu *v);

#endif
