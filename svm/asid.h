/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * asid - the tags of what one CPU has cached for guests; see asid.c
 */
#ifndef SVM_ASID_H
#define SVM_ASID_H

#include "svm/vmcb.h"
#include "vm/backend.h"

#define ASIDS_MAX 64 /* more are not used: a flush looks at each */

/* One CPU's.  Private to it, touched with interrupts off. */
struct asids {
	u32 cpu;
	u32 count;    /* how many there are, 0 included, which is the host's    */
	u32 used;     /* 1 .. used have been given out in this generation       */
	bool by_asid; /* FlushByAsid                                            */
	bool owed;    /* a flush of all ASIDs, before the next guest instruction */
	u64 gen;      /* from 1 on                                              */
	u64 root[ASIDS_MAX]; /* by number: whose translations it tags, 0: nobody's */
};

/*
 * Nobody on `cpu` has an ASID, and what its TLB holds is not known.  `count` is that of
 * CPUID Fn8000_000A EBX, 2 or more; by_asid: TLB_FLUSH_ASID is offered.
 */
void asids_init(struct asids *a, u32 cpu, u32 count, bool by_asid);

/*
 * The vCPU with this ASID and VMCB is the one that this CPU runs next, by that root,
 * which is not 0.  Sets the VMCB's ASID, N_CR3 and TLB_CONTROL.
 */
void asid_use(struct asids *a, struct asid *v, struct vmcb *b, u64 root);

/* Another vCPU may run next on this CPU: takes back what this one has not paid. */
void asid_put(struct asids *a, struct asid *v, const struct vmcb *b);

/*
 * Nobody enters any more by what was cached for the root, 0: for any root.  The vCPU
 * that runs next has to be given its root again.
 */
void asid_drop(struct asids *a, u64 root);

#endif
