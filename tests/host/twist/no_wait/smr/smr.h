/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smr - a twist: every poll says yes at once, as if nobody waited.
 */
#include_next "smr/smr.h"

#undef smr_synchronize
#define smr_synchronize(s) ((void)smr_advance(s))
#undef smr_poll
#define smr_poll(s, goal) ((void)(s), (void)(goal), true)
