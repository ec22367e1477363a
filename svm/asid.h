/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * asid - the tags of what one CPU has cached for guests; see asid.c
 */
#ifndef SVM_ASID_H
#define SVM_ASID_H

#include "lib/err.h"
#include "svm/vmcb.h"

#define ASIDS_MAX 256 /* more are not used */

/* One CPU's.  Private to it, touched with interrupts off. */
struct asids {
	u32 count; /* how many there are, 0 included, which is the host's */
	u32 used;  /* 1 .. used have been given out since the last wrap, */
	u32 first; /* those before this one have been dropped           */
	bool owed; /* a flush of all ASIDs, before the next guest instruction */
	u64 wraps; /* how often                                           */
	u64 root[ASIDS_MAX]; /* by ASID: whose translations it tags, 0: nobody's    */
};

/* No ASID is in use, and what the TLB holds is not known: a flush is owed. */
void asids_init(struct asids *a, u32 count);

/* The VMCB is the one that this CPU runs next, by that root, which is not 0. */
void asid_use(struct asids *a, struct vmcb *b, u64 root);

/* What was cached for the root of the VMCB in use is not used any more. */
void asid_renew(struct asids *a, struct vmcb *b);

/* Another VMCB may run next on this CPU: takes back what this one has not paid. */
void asid_put(struct asids *a, const struct vmcb *b);

/*
 * Nobody enters any more by what was cached for the root, 0: for any root.  A VMCB in
 * use has to be given its root again.
 */
void asid_drop(struct asids *a, u64 root);

#endif
