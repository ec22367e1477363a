/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checkpoint - a place on the stack to come back to, when a test has to be given up.
 */
#ifndef ARCH_CHECKPOINT_H
#define ARCH_CHECKPOINT_H

#define CHECKPOINT_RBX 0
#define CHECKPOINT_RBP 8
#define CHECKPOINT_R12 16
#define CHECKPOINT_R13 24
#define CHECKPOINT_R14 32
#define CHECKPOINT_R15 40
#define CHECKPOINT_RSP 48
#define CHECKPOINT_RIP 56

#ifndef __ASSEMBLER__
#include "lib/types.h"

struct checkpoint {
	u64 rbx, rbp, r12, r13, r14, r15, rsp, rip;
};
_Static_assert(offsetof(struct checkpoint, rip) == CHECKPOINT_RIP, "as in the .S file");

/*
 * False; and true when checkpoint_return() comes back here, which it may as long as the
 * function that called this has not returned.  Locals that have changed in between are
 * undefined, unless volatile.
 */
bool checkpoint_take(struct checkpoint *c) __attribute__((returns_twice));
_Noreturn void checkpoint_return(const struct checkpoint *c);

#endif
#endif
