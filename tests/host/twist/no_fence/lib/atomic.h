/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * atomic - a twist: the store that fences is an ordinary one, as if S1 were missing.
 */
#include "tests/host/tsan/lib/atomic.h"

#undef store_fence
#define store_fence(p, v) store_release(p, v)
