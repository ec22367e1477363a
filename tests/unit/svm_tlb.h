/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svm_tlb - CPUs whose TLBs forget nothing by themselves, and vCPUs that run on them
 *
 * For each ASID a TLB notes which roots' translations it has and how old the oldest is.
 * VMRUN does what TLB_CONTROL asks for if the CPU offers it, as hardware does, and
 * clears it, as entry.S does.
 */
#ifndef TESTS_UNIT_SVM_TLB_H
#define TESTS_UNIT_SVM_TLB_H

#include <string.h>

#include "svm/asid.h"
#include "tests/host/test.h"

#define SVM_CPUS  2
#define SVM_VCPUS 6
#define SVM_ROOTS 8 /* and 0, which is none */

struct svm_vcpu {
	struct asid asid;
	struct vmcb vmcb;
	u64 root;
};

struct svm_tlb_cpu {
	struct asids asids;
	struct svm_vcpu *loaded;
	u64 oldest[ASIDS_MAX][SVM_ROOTS + 1]; /* when it was walked, 0: nothing */
	u64 dropped[SVM_ROOTS + 1];           /* when hw_flush() was last called */
	u64 flushes_all;
};

static struct svm_tlb_cpu svm_cpu[SVM_CPUS];
static struct svm_vcpu svm_vcpu[SVM_VCPUS];
static u64 svm_now;

static inline u64 svm_root(unsigned i)
{
	return i * PAGE_SIZE;
}

/* Somebody before us left something under every ASID. */
static inline void svm_begin(u32 count, bool by_asid)
{
	memset(svm_cpu, 0, sizeof(svm_cpu));
	memset(svm_vcpu, 0, sizeof(svm_vcpu));
	svm_now = 2;
	for (unsigned c = 0; c < SVM_CPUS; c++) {
		for (unsigned i = 0; i < ASIDS_MAX; i++)
			for (unsigned r = 1; r <= SVM_ROOTS; r++)
				svm_cpu[c].oldest[i][r] = 1;
		for (unsigned r = 1; r <= SVM_ROOTS; r++)
			svm_cpu[c].dropped[r] = 2;
		asids_init(&svm_cpu[c].asids, c, count, by_asid);
	}
}

/* As the backend's unload() and load(). */
static inline void svm_put(unsigned cpu)
{
	struct svm_tlb_cpu *c = &svm_cpu[cpu];

	if (c->loaded)
		asid_put(&c->asids, &c->loaded->asid, &c->loaded->vmcb);
	c->loaded = NULL;
}

static inline void svm_load(unsigned cpu, unsigned vcpu, unsigned root)
{
	struct svm_vcpu *v = &svm_vcpu[vcpu];

	svm_put(cpu);
	memset(&v->vmcb, 0, sizeof(v->vmcb));
	svm_cpu[cpu].loaded = v;
	asid_use(&svm_cpu[cpu].asids, &v->asid, &v->vmcb, svm_root(root));
}

/* As the backend's flush(); 0: of all roots. */
static inline void svm_flush(unsigned cpu, unsigned root)
{
	struct svm_tlb_cpu *c = &svm_cpu[cpu];

	svm_now++;
	for (unsigned r = 1; r <= SVM_ROOTS; r++)
		if (!root || root == r)
			c->dropped[r] = svm_now;
	asid_drop(&c->asids, svm_root(root));
	if (c->loaded)
		asid_use(&c->asids, &c->loaded->asid, &c->loaded->vmcb,
			 c->loaded->vmcb.n_cr3);
}

/* True if the guest can use nothing that it may not. */
static inline bool svm_run(unsigned cpu)
{
	struct svm_tlb_cpu *c = &svm_cpu[cpu];
	struct vmcb *b = &c->loaded->vmcb;
	u64(*has)[SVM_ROOTS + 1] = &c->oldest[b->asid];
	unsigned root = (unsigned)(b->n_cr3 / PAGE_SIZE);

	svm_now++;
	if (!b->asid || b->asid >= c->asids.count)
		return false;
	if (b->tlb_control == TLB_FLUSH_ALL) {
		memset(c->oldest, 0, sizeof(c->oldest));
		c->flushes_all++;
	} else if (b->tlb_control == TLB_FLUSH_ASID && c->asids.by_asid) {
		memset(*has, 0, sizeof(*has));
	} else if (b->tlb_control != TLB_NOTHING) {
		return false;
	}
	b->tlb_control = TLB_NOTHING;
	for (unsigned r = 1; r <= SVM_ROOTS; r++)
		if ((*has)[r] && (r != root || (*has)[r] < c->dropped[r]))
			return false;
	if (!(*has)[root])
		(*has)[root] = svm_now;
	return true;
}

#endif
