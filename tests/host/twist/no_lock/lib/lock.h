/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lock - a twist: nobody waits for the holder, as if F1 were missing.
 */
#include_next "lib/lock.h"

#define lock(l)   ((void)(l))
#define unlock(l) ((void)(l))
