/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smr - a twist: the section ends when the object is found, before it is read.
 */
#include_next "smr/smr.h"

#undef look
#define look(slot, o)                     \
	__extension__({                   \
		const u64 *look_at = (o); \
		smr_exit(slot);           \
		(look)(slot, look_at);    \
	})
