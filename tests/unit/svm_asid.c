/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svm_asid - no guest uses what was cached before a flush, whatever the TLB keeps
 */
#include "tests/unit/svm_tlb.h"

#define STEPS 100000

static struct asid *asid(unsigned vcpu)
{
	return &svm_vcpu[vcpu].asid;
}

static struct vmcb *vmcb(unsigned vcpu)
{
	return &svm_vcpu[vcpu].vmcb;
}

static bool is_loaded(unsigned vcpu)
{
	for (unsigned c = 0; c < SVM_CPUS; c++)
		if (svm_cpu[c].loaded == &svm_vcpu[vcpu])
			return true;
	return false;
}

/* Loads a vCPU that is nowhere else, runs, changes roots, flushes. */
static void step(struct rng *rng)
{
	unsigned cpu = (unsigned)rng_below(rng, SVM_CPUS);
	unsigned vcpu = (unsigned)rng_below(rng, SVM_VCPUS);
	unsigned root = 1 + (unsigned)rng_below(rng, SVM_ROOTS);
	struct svm_tlb_cpu *c = &svm_cpu[cpu];

	switch (rng_below(rng, 8)) {
	case 0:
		if (!is_loaded(vcpu))
			svm_load(cpu, vcpu, root);
		break;
	case 1:
		svm_put(cpu);
		break;
	case 2:
		if (c->loaded)
			asid_use(&c->asids, &c->loaded->asid, &c->loaded->vmcb,
				 svm_root(root));
		break;
	case 3:
		svm_flush(cpu, rng_below(rng, 8) ? root : 0);
		break;
	default:
		if (c->loaded && !EXPECT(svm_run(cpu)))
			panic("step");
	}
}

static void random_steps(bool by_asid)
{
	static const u32 counts[] = { 2, 3, 4, 16, 64, 0x8000 };
	struct rng rng = test_rng();

	for (unsigned i = 0; i < ARRAY_LEN(counts); i++) {
		svm_begin(counts[i], by_asid);
		for (unsigned n = 0; n < STEPS; n++)
			step(&rng);
		EXPECT(svm_cpu[0].asids.gen > 10);
		EXPECT_EQ(!svm_cpu[0].flushes_all, by_asid);
	}
}

TEST(asid_flushes_leave_nothing_to_use)
{
	random_steps(false);
}

TEST(asid_flushes_by_asid_leave_nothing_to_use)
{
	random_steps(true);
}

TEST(asid_is_kept_until_its_root_is_flushed)
{
	svm_begin(16, false);
	svm_load(0, 0, 1);
	EXPECT_EQ(vmcb(0)->tlb_control, TLB_FLUSH_ALL); /* whoever was here before */
	EXPECT(svm_run(0));
	svm_load(0, 1, 2);
	EXPECT_EQ(asid(1)->number, 2);
	EXPECT_EQ(vmcb(1)->tlb_control, TLB_NOTHING);
	EXPECT(svm_run(0));
	svm_load(0, 0, 1);
	EXPECT_EQ(vmcb(0)->asid, 1);
	EXPECT_EQ(vmcb(0)->tlb_control, TLB_NOTHING);
	svm_flush(0, 2);
	EXPECT_EQ(vmcb(0)->asid, 1);
	svm_flush(0, 1);
	EXPECT_EQ(vmcb(0)->asid, 3);
	EXPECT_EQ(vmcb(0)->tlb_control, TLB_NOTHING);
	EXPECT(svm_run(0));
	svm_load(0, 1, 2); /* its root was flushed while it was away */
	EXPECT_EQ(vmcb(1)->asid, 4);
}

TEST(asid_is_kept_by_a_flush_where_flush_by_asid_is_offered)
{
	svm_begin(16, true);
	svm_load(0, 0, 1);
	EXPECT_EQ(vmcb(0)->asid, 1);
	EXPECT_EQ(vmcb(0)->tlb_control, TLB_FLUSH_ASID);
	EXPECT(svm_run(0));
	svm_flush(0, 1);
	EXPECT_EQ(vmcb(0)->asid, 1);
	EXPECT_EQ(vmcb(0)->tlb_control, TLB_FLUSH_ASID);
	svm_flush(0, 1);
	EXPECT_EQ(svm_cpu[0].asids.used, 1);
	EXPECT(svm_run(0));
	EXPECT_EQ(vmcb(0)->tlb_control, TLB_NOTHING);
	svm_flush(0, 3);
	EXPECT_EQ(vmcb(0)->tlb_control, TLB_NOTHING);
	/* Another root needs another flush, and no other ASID. */
	asid_use(&svm_cpu[0].asids, asid(0), vmcb(0), svm_root(2));
	EXPECT_EQ(vmcb(0)->asid, 1);
	EXPECT_EQ(vmcb(0)->tlb_control, TLB_FLUSH_ASID);
	EXPECT(svm_run(0));
	EXPECT_EQ(svm_cpu[0].flushes_all, 0);
}

/* The vCPUs of one VM have one root, and ASIDs of their own: each pays for itself. */
TEST(asid_of_each_vcpu_is_flushed_with_the_root)
{
	for (unsigned by_asid = 0; by_asid < 2; by_asid++) {
		svm_begin(16, by_asid);
		for (unsigned i = 0; i < 3; i++) {
			svm_load(0, i, 1 + i / 2); /* 0 and 1 are of one VM */
			EXPECT(svm_run(0));
			EXPECT_EQ(asid(i)->number, i + 1);
		}
		svm_flush(0, 1);
		for (unsigned i = 0; i < 3; i++) {
			svm_load(0, i, 1 + i / 2);
			EXPECT_EQ(asid(i)->number, by_asid || i == 2 ? i + 1 : i + 4);
			EXPECT_EQ(vmcb(i)->tlb_control,
				  by_asid && i < 2 ? TLB_FLUSH_ASID : TLB_NOTHING);
			EXPECT(svm_run(0));
		}
	}
}

/* With N - 1 ASIDs to give out, each N-th flush is one of all, and every vCPU's dies.
 */
TEST(asid_exhaustion_begins_a_generation_and_flushes_all)
{
	static const u32 counts[] = { 2, 3, 16 };

	for (unsigned i = 0; i < ARRAY_LEN(counts); i++) {
		u32 n = counts[i] - 1;

		svm_begin(counts[i], false);
		svm_load(0, 0, 1);
		for (u32 k = 0; k < 5 * n; k++) {
			EXPECT_EQ(svm_cpu[0].asids.gen, 1 + k / n);
			EXPECT_EQ(vmcb(0)->asid, 1 + k % n);
			EXPECT_EQ(vmcb(0)->tlb_control,
				  k % n ? TLB_NOTHING : TLB_FLUSH_ALL);
			EXPECT(svm_run(0));
			svm_flush(0, 1);
		}
		EXPECT_EQ(svm_cpu[0].flushes_all, 5);
	}
}

TEST(asid_of_an_old_generation_is_not_used)
{
	svm_begin(3, false);
	svm_load(0, 0, 1);
	EXPECT(svm_run(0));
	svm_load(0, 1, 2);
	EXPECT(svm_run(0));
	svm_load(0, 2, 3); /* there are two */
	EXPECT_EQ(svm_cpu[0].asids.gen, 2);
	EXPECT_EQ(vmcb(2)->asid, 1);
	EXPECT_EQ(vmcb(2)->tlb_control, TLB_FLUSH_ALL);
	EXPECT(svm_run(0));
	svm_load(0, 0, 1);
	EXPECT_EQ(vmcb(0)->asid, 2);
	EXPECT_EQ(vmcb(0)->tlb_control, TLB_NOTHING);
	EXPECT(svm_run(0));
}

/* With FlushByAsid a generation ends without a flush of all: each first use flushes. */
TEST(asid_of_a_new_generation_is_flushed_when_it_is_given_out)
{
	svm_begin(2, true);
	for (unsigned k = 0; k < 6; k++) {
		svm_load(0, k % 3, 1 + k % 3);
		EXPECT_EQ(vmcb(k % 3)->asid, 1);
		EXPECT_EQ(svm_cpu[0].asids.gen, 1 + k);
		EXPECT_EQ(vmcb(k % 3)->tlb_control, TLB_FLUSH_ASID);
		EXPECT(svm_run(0));
	}
	EXPECT_EQ(svm_cpu[0].flushes_all, 0);
}

TEST(asid_is_fresh_on_another_cpu)
{
	for (unsigned by_asid = 0; by_asid < 2; by_asid++) {
		svm_begin(16, by_asid);
		svm_load(0, 0, 1);
		EXPECT(svm_run(0));
		svm_put(0);
		svm_load(1, 1, 1); /* number 1 is taken on this CPU */
		EXPECT(svm_run(1));
		svm_load(1, 0, 1);
		EXPECT_EQ(vmcb(0)->asid, 2);
		EXPECT(svm_run(1));
		svm_put(1);
		svm_flush(0, 1);
		svm_load(0, 0,
			 1); /* and back: what it had here is not taken up again */
		EXPECT_EQ(vmcb(0)->asid, 2);
		EXPECT_EQ(vmcb(0)->tlb_control, by_asid ? TLB_FLUSH_ASID : TLB_NOTHING);
		EXPECT(svm_run(0));
	}
}

TEST(asid_debt_goes_to_whoever_runs_next)
{
	svm_begin(3, false);
	svm_load(0, 0, 1);
	svm_load(0, 1, 1); /* the first has not run */
	EXPECT_EQ(vmcb(1)->tlb_control, TLB_FLUSH_ALL);
	EXPECT(svm_run(0));
	svm_load(0, 0, 1);
	EXPECT_EQ(vmcb(0)->tlb_control, TLB_NOTHING);
	EXPECT(svm_run(0));
	/* A VMRUN that was refused may have flushed or not: it asks for all again. */
	vmcb(0)->tlb_control = TLB_FLUSH_ALL;
	svm_put(0);
	svm_load(0, 1, 1);
	EXPECT_EQ(vmcb(1)->tlb_control, TLB_FLUSH_ALL);
}

TEST(asid_whose_flush_was_not_run_is_given_up)
{
	svm_begin(16, true);
	svm_load(0, 0, 1);
	EXPECT(svm_run(0));
	svm_flush(0, 1);
	svm_load(0, 1, 2);
	EXPECT_EQ(asid(0)->gen, 0);
	svm_load(0, 0, 1);
	EXPECT_EQ(vmcb(0)->asid, 3);
	EXPECT_EQ(vmcb(0)->tlb_control, TLB_FLUSH_ASID);
}
