/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * asid - a flush by never using a tag again
 *
 * SVM has no instruction that drops what a CPU has cached for one guest: TLB_CONTROL
 * asks the next VMRUN to (APM 15.16.2), and a CPU without FlushByAsid can only drop
 * everything, the host's translations too.  So each root has an ASID of its own on each
 * CPU, and a flush of the root takes it away: what is cached under it stays in the TLB
 * but no guest can use it.  The root's next entry gets a fresh ASID.
 *
 *   [A1] an ASID tags the translations of one root between two flushes of all ASIDs
 *   [A2] when all have been given out, all are taken back, and a flush of everything
 *        is owed: it comes with the next VMRUN, before its first guest instruction
 *
 *      ASID   0      1      2      3     ...    used   used + 1  ...  count - 1
 *             host   root   -      root         root   free
 *                           dropped, not to be used before the wrap
 *
 * A debt is the CPU's: whoever runs next on it pays, by TLB_CONTROL of his VMCB, which
 * entry.S clears after each VMRUN.  If he never ran, the debt goes back to the CPU.
 * The idea is Xen's and bhyve's, where each vCPU has the ASID and a generation tells
 * that it is old.  Checked by: tests/unit/svm_asid.c.
 */
#include "svm/asid.h"

void asids_init(struct asids *a, u32 count)
{
	*a = (struct asids){ .count = MIN(count, (u32)ASIDS_MAX),
			     .first = 1,
			     .owed = true };
}

static u32 take(struct asids *a, u64 root)
{
	if (a->used + 1 == a->count) { /* A2 */
		a->used = 0;
		a->first = 1;
		a->owed = true;
		a->wraps++;
	}
	a->root[++a->used] = root;
	return a->used;
}

static u32 asid_of(struct asids *a, u64 root)
{
	for (u32 i = a->first; i <= a->used; i++)
		if (a->root[i] == root)
			return i;
	return take(a, root);
}

static void pay(struct asids *a, struct vmcb *b)
{
	if (a->owed)
		b->tlb_control = TLB_FLUSH_ALL;
	a->owed = false;
}

void asid_use(struct asids *a, struct vmcb *b, u64 root)
{
	assert(root && a->count > 1);
	b->n_cr3 = root;
	b->asid = asid_of(a, root);
	pay(a, b);
}

void asid_renew(struct asids *a, struct vmcb *b)
{
	a->root[b->asid] = 0; /* A1 */
	b->asid = take(a, b->n_cr3);
	pay(a, b);
}

void asid_put(struct asids *a, const struct vmcb *b)
{
	a->owed |= b->tlb_control != TLB_NOTHING;
}

void asid_drop(struct asids *a, u64 root)
{
	if (!root)
		a->first = a->used + 1; /* A1 */
	for (u32 i = a->first; i <= a->used; i++)
		if (a->root[i] == root)
			a->root[i] = 0; /* A1 */
}
