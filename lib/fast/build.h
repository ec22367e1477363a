/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * build - the fast build: no asserts, no trace ring; what the benches measure.
 *
 * Exactly one of lib/checked and lib/fast is on the include path.  Code says
 * `if (CHECKED)`, never `#if`, so both builds compile every line.
 */
#ifndef LIB_BUILD_H
#define LIB_BUILD_H

enum { CHECKED = 0 };
#define BUILD_NAME "fast"

#endif
