/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table - the protocols that exist; a new one is its file and a line here.
 */
#include "inval/inval.h"

#define PROTOCOLS(X)     \
	X(gen_smr)       \
	X(gen_slot)      \
	X(smr_seq)       \
	X(request)       \
	X(always)        \
	X(new_root)      \
	X(rendezvous)    \
	X(stop_world)    \
	X(dirty_mask)    \
	X(counter_wait)  \
	X(handler_flush) \
	X(gen_ipi)       \
	X(local_only)

#define DECLARE(name) extern const struct inval_proto name;
PROTOCOLS(DECLARE)

#define ENTRY(name) &name,
const struct inval_proto *const inval_protos[] = { PROTOCOLS(ENTRY) };
const unsigned inval_proto_count = ARRAY_LEN(inval_protos);
