/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zoo - protocols with one step wrong: the mutants that prove that tests have teeth
 *
 * inval/zoo/NAME.patch is the wrong step; tools/mutate.py makes the source and the list
 * of it.  The checked build links them, the fast build has an empty list.
 */
#ifndef INVAL_ZOO_H
#define INVAL_ZOO_H

#include "inval/inval.h"

#define MUTANT_PREFIX "mutant-" /* of inval_proto.name */

extern const struct inval_proto *const inval_mutants[];
extern const unsigned inval_mutant_count;

/* NAME of inval/zoo/NAME.patch. */
static inline const char *mutant_name(const struct inval_proto *mutant)
{
	return mutant->name + sizeof(MUTANT_PREFIX) - 1;
}

/*
 * For mutants: lets this CPU take the interrupts that are pending.  No reader may do so
 * between the enter hook and VM entry (H12).
 */
void host_window(void);

#endif
