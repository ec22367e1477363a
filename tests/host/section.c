/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * section - a read section on its own, whose instructions tests/host/costs.sh counts.
 */
#include "smr/smr.h"

void section(struct smr_slot *r);
void section(struct smr_slot *r)
{
	smr_enter(r);
	asm volatile("" : : : "memory"); /* what the section protects */
	smr_exit(r);
}
