/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * build - the checked build: asserts, trace ring, sequences that start near the wrap.
 *
 * Exactly one of lib/checked and lib/fast is on the include path.  Code says
 * `if (CHECKED)`, never `#if`, so both builds compile every line.
 */
#ifndef LIB_BUILD_H
#define LIB_BUILD_H

enum { CHECKED = 1 };
#define BUILD_NAME "checked"

#endif
