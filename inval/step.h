/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * step - the numbered steps of the protocols, for who wants to be there
 *
 * STEP(G1) stands before what the opening of its file calls [G1].  Somebody may delay
 * the executing CPU there, or hold it until another CPU has come to a step of its own:
 * tests/steps.h.  In the fast build nothing is left of it.
 */
#ifndef INVAL_STEP_H
#define INVAL_STEP_H

#include "build.h"

/* What each CPU calls at each step, with the step's name; NULL: nothing.  Changed while
 * no CPU is in a protocol. */
extern void (*step_hook)(const char *step);

#define STEP(name)                        \
	do {                              \
		if (CHECKED && step_hook) \
			step_hook(#name); \
	} while (0)

#endif
