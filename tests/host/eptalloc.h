/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eptalloc - makes the n-th pool_alloc() from now fail; linked by --wrap=pool_alloc.
 */
#ifndef TESTS_HOST_EPTALLOC_H
#define TESTS_HOST_EPTALLOC_H

#include "lib/types.h"

/* n others succeed first; then one fails, or all do. */
void alloc_fail(u64 n, bool all);

/* No allocation fails any more; how many did? */
u64 alloc_end(void);

#endif
