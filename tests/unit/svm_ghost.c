/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svm_ghost - the ghost TLB over the ASIDs that svm/ gives out
 *
 * Each root is a VM's.  A CPU flushes a root before it enters by it if an edit of it is
 * newer than its last flush, as an enter hook does, and an edit is complete when nobody
 * is inside with what it kills.  The ghost hears only what the VMCBs say.
 */
#include "svm/told.h"
#include "tests/host/cpu.h"
#include "tests/unit/svm_tlb.h"

#define STEPS 20000

static struct ghost *ghost[SVM_ROOTS + 1];
static u64 edits[SVM_ROOTS + 1]; /* how many were made */
static u64 flushed[SVM_CPUS][SVM_ROOTS + 1];
static unsigned inside[SVM_CPUS]; /* by which root, 0: outside */

static void begin(u32 count, bool by_asid)
{
	svm_begin(count, by_asid);
	ghost_forget();
	cpu_become(0);
	memset(flushed, 0, sizeof(flushed));
	memset(inside, 0, sizeof(inside));
	for (unsigned r = 1; r <= SVM_ROOTS; r++) {
		edits[r] = 1;
		ghost[r] = ghost_watch(svm_root(r), SVM_CPUS, "p");
	}
}

static void leave(unsigned cpu)
{
	if (inside[cpu])
		ghost_exit(ghost[inside[cpu]], cpu);
	inside[cpu] = 0;
}

static void enter(unsigned cpu, bool flushes)
{
	struct vmcb *b = &svm_cpu[cpu].loaded->vmcb;
	unsigned root = (unsigned)(b->n_cr3 / PAGE_SIZE);

	if (flushes && flushed[cpu][root] != edits[root]) {
		svm_flush(cpu, root);
		flushed[cpu][root] = edits[root];
	}
	ghost_enter_told(ghost[root], cpu, svm_told(b, svm_cpu[cpu].asids.by_asid));
	inside[cpu] = root;
}

/* Whoever is inside the root is made to leave. */
static void edit(unsigned root)
{
	struct gather g = gather_init();

	gather_range(&g, GPA(0), PAGE_SIZE, WHY_UNMAP);
	ghost_edit(ghost[root], &g);
	edits[root]++;
	for (unsigned c = 0; c < SVM_CPUS; c++)
		if (inside[c] == root)
			leave(c);
	ghost_complete(ghost[root], &g);
}

static bool is_free(unsigned vcpu)
{
	for (unsigned c = 0; c < SVM_CPUS; c++)
		if (svm_cpu[c].loaded == &svm_vcpu[vcpu])
			return false;
	return true;
}

static void step(struct rng *rng)
{
	unsigned cpu = (unsigned)rng_below(rng, SVM_CPUS);
	unsigned vcpu = (unsigned)rng_below(rng, SVM_VCPUS);
	unsigned root = 1 + (unsigned)rng_below(rng, SVM_ROOTS);

	switch (rng_below(rng, 4)) {
	case 0:
		leave(cpu);
		if (is_free(vcpu))
			svm_load(cpu, vcpu, root);
		return;
	case 1:
		edit(root);
		return;
	default:
		if (inside[cpu])
			leave(cpu);
		else if (svm_cpu[cpu].loaded)
			enter(cpu, true);
		if (inside[cpu] && !EXPECT_EQ(ghost_violations(), 0))
			panic("the ghost has found something");
		if (inside[cpu] && !EXPECT(svm_run(cpu)))
			panic("the ghost has found nothing, but the TLB has something");
	}
}

TEST(asid_ghost_finds_nothing)
{
	static const u32 counts[] = { 2, 3, 16, 0x8000 };
	struct rng rng = test_rng();

	for (unsigned i = 0; i < 2 * ARRAY_LEN(counts); i++) {
		begin(counts[i / 2], i % 2);
		for (unsigned n = 0; n < STEPS; n++)
			step(&rng);
	}
}

/* The same, one flush left out or not obeyed. */
static u64 violation(bool by_asid, bool flushes, u8 control)
{
	begin(16, by_asid);
	svm_load(0, 0, 1);
	enter(0, true);
	svm_run(0);
	edit(1);
	if (flushes)
		svm_flush(0, 1);
	if (control)
		svm_vcpu[0].vmcb.tlb_control = control;
	enter(0, false);
	return ghost_violations();
}

TEST(asid_ghost_finds_what_the_vmcb_does_not_say)
{
	EXPECT_EQ(violation(false, true, 0), 0);
	EXPECT_EQ(violation(true, true, 0), 0);
	EXPECT_EQ(violation(false, false, 0), 1);
	EXPECT_EQ(violation(true, false, 0), 1);
	EXPECT_EQ(violation(false, false, TLB_FLUSH_ALL), 0);
	EXPECT_EQ(violation(true, false, TLB_FLUSH_ASID), 0);
	EXPECT_EQ(violation(false, false, TLB_FLUSH_ASID), 1); /* not offered */
	EXPECT_EQ(violation(true, false, 7), 1);               /* global pages stay */
}
