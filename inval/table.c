/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table - the protocols that exist; a new one is its file and a line here.
 */
#include "inval/inval.h"

const struct inval_proto *const inval_protos[] = {
	&gen_smr,    &gen_ipi,      &rendezvous,    &stop_world,
	&dirty_mask, &counter_wait, &handler_flush,
};
const unsigned inval_proto_count = ARRAY_LEN(inval_protos);
