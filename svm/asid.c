/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * asid - which tag a vCPU has, and what VMRUN drops
 *
 * SVM has no instruction that drops what a CPU has cached for one guest: TLB_CONTROL
 * asks the next VMRUN to (APM 15.16.2).  With FlushByAsid it drops what one ASID tags;
 * without, only everything, the host's translations too.  There a vCPU that owes a
 * flush goes to an ASID that nobody has used: what the old one tags stays in the TLB,
 * but no guest can use it.
 *
 * As in FreeBSD's bhyve, each vCPU keeps its ASID, and each CPU counts the generations
 * in which it has given them out.  One that comes to another CPU gets a fresh ASID.
 *
 *                         FlushByAsid              without
 *      none on this CPU   fresh, flush it          fresh
 *      flush, or another  the same, flush it       fresh
 *      root
 *      none is fresh      generation++, and from   generation++, from 1 again, flush
 *                         1 again, flush it        all
 *
 *   [I1] a root that is dropped is forgotten in root[], and who finds its ASID without
 *        its root renews it: what an ASID tags is of one root, and younger than the
 *        last drop of that root on this CPU
 *   [I2] an ASID is given out once in a generation, and what earlier ones left under
 *        it is dropped before its first use
 *   [I3] an ASID is the vCPU's own on the CPU and in the generation that it is from,
 *        and nowhere else
 *   [I4] a VMCB that asks for a flush and does not run has not paid: the debt goes back
 *        to the CPU, or the vCPU gives up its ASID
 *
 *      ASID    0      1      2      3     ...    used   used + 1  ...  count - 1
 *      root[]  host   root   0      root         root   of earlier generations
 *                            dropped: renewed before it is used
 *
 * TLB_CONTROL is set here and cleared by entry.S right after VMRUN, and nowhere else.
 * Checked by: tests/unit/svm_asid.c against a TLB that forgets nothing,
 * tests/unit/svm_ghost.c with the ghost TLB, and mutants I1 to I4 of inval/zoo.
 */
#include "svm/asid.h"

_Static_assert(ASIDS_MAX <= GHOST_TAGS, "the ghost knows each tag");

void asids_init(struct asids *a, u32 cpu, u32 count, bool by_asid)
{
	*a = (struct asids){ .cpu = cpu,
			     .count = MIN(count, (u32)ASIDS_MAX),
			     .by_asid = by_asid,
			     .owed = !by_asid,
			     .gen = 1 };
}

/* What was given out before is nobody's any more. */
static void next_generation(struct asids *a)
{
	a->gen++;
	a->used = 0;
	a->owed |= !a->by_asid; /* I2 */
}

static void fresh(struct asids *a, struct asid *v, struct vmcb *b)
{
	if (a->used + 1 == a->count)
		next_generation(a);
	*v = (struct asid){ .gen = a->gen, .cpu = a->cpu, .number = ++a->used };
	b->asid = v->number;
	b->tlb_control = a->by_asid ? TLB_FLUSH_ASID : TLB_NOTHING; /* I2 */
}

static void renew(struct asids *a, struct asid *v, struct vmcb *b)
{
	if (a->by_asid)
		b->tlb_control = TLB_FLUSH_ASID; /* I1 */
	else
		fresh(a, v, b);
}

static bool is_own(const struct asids *a, const struct asid *v)
{
	return v->cpu == a->cpu && v->gen == a->gen; /* I3 */
}

static void pay(struct asids *a, struct vmcb *b)
{
	if (a->owed)
		b->tlb_control = TLB_FLUSH_ALL;
	a->owed = false;
}

void asid_use(struct asids *a, struct asid *v, struct vmcb *b, u64 root)
{
	assert(root && a->count > 1);
	/* A VMCB that is used again without having run has its debt in it. */
	a->owed |= b->tlb_control == TLB_FLUSH_ALL;
	if (!is_own(a, v))
		fresh(a, v, b);
	else if (a->root[v->number] != root)
		renew(a, v, b);
	a->root[v->number] = root;
	b->asid = v->number;
	b->n_cr3 = root;
	pay(a, b);
}

void asid_put(struct asids *a, struct asid *v, const struct vmcb *b)
{
	a->owed |= b->tlb_control == TLB_FLUSH_ALL; /* I4 */
	if (b->tlb_control == TLB_FLUSH_ASID)
		v->gen = 0; /* I4 */
}

void asid_drop(struct asids *a, u64 root)
{
	for (u32 i = 1; i <= a->used; i++)
		if (!root || a->root[i] == root)
			a->root[i] = 0; /* I1 */
}
