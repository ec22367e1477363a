/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault - the other half of an edit: what an EPT violation means, and filling holes
 * while others unmap; see fault.c.
 */
#ifndef MM_FAULT_H
#define MM_FAULT_H

#include "mm/ept.h"

/* What has to happen before the guest can go on. */
enum ept_fault {
	FAULT_OVER,   /* nothing: the entry allows it by now                       */
	FAULT_WAIT,   /* wait: an edit has parked the entry                        */
	FAULT_SPLIT,  /* a fetch from a large leaf: ept_split() it to 4 KiB        */
	FAULT_HOLE,   /* nothing is mapped                                         */
	FAULT_DENIED, /* it is mapped without that right                           */
};

/*
 * What does an access (EPTE_R, EPTE_W, EPTE_X) to gpa that has faulted lack?  A first
 * write to a page whose writes are tracked is noted, and over.  Any CPU, outside of the
 * guest.
 */
enum ept_fault ept_fault(struct ept *e, gpa_t gpa, u64 access);

/*
 * Between these two, translations of [gpa, gpa + len) are being taken away for good:
 * nobody may fill them in.  The invalidation is done before ept_release().
 */
void ept_hold(struct ept *e, gpa_t gpa, u64 len);
void ept_release(struct ept *e);

/*
 * To fill a hole: take a ticket, find out which frame belongs there, then ept_fill().
 * E_AGAIN: the answer may be out of date, begin anew.  E_EXIST: another CPU was faster.
 * Else as ept_map().
 */
u64 ept_fill_begin(const struct ept *e);
enum err must_check ept_fill(struct ept *e, u64 ticket, gpa_t gpa, hpa_t hpa, u64 len,
			     u64 attr, struct gather *g);

#endif
