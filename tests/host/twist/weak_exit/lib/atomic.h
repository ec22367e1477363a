/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * atomic - a twist: a release is a relaxed store, as if S2 were missing.
 */
#include "tests/host/tsan/lib/atomic.h"

#undef store_release
#define store_release(p, v) store_relaxed(p, v)
