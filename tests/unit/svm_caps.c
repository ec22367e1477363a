/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svm_caps - CPUs that lack something: each missing thing is named, none is overlooked
 *
 * The good CPU is QEMU 7.2's model `max`, translated.
 */
#include <string.h>

#include "arch/x86_64/msr.h"
#include "svm/caps.h"
#include "tests/host/test.h"

static u64 vm_cr;

static u64 read_msr(u32 msr)
{
	if (msr != MSR_VM_CR)
		panic("MSR 0x%x does not exist on this CPU", msr);
	return vm_cr;
}

static struct svm_cpu_id good_cpu(void)
{
	vm_cr = 0;
	return (struct svm_cpu_id){ .svm = true,
				    .gib_pages = true,
				    .eax = 1,
				    .ebx = 16,
				    .edx = 0x10010001,
				    .msr = read_msr };
}

static bool refused(const struct svm_cpu_id *cpu, const char *word)
{
	struct svm_caps caps;
	const char *why = svm_caps_negotiate(&caps, cpu);

	return why && strstr(why, word) && !strcmp(why, caps.lack);
}

TEST(svm_good_cpu_is_taken)
{
	struct svm_cpu_id cpu = good_cpu();
	struct svm_caps caps;

	EXPECT(!svm_caps_negotiate(&caps, &cpu));
	EXPECT_EQ(caps.asids, 16);
	EXPECT_EQ(caps.revision, 1);
	EXPECT(caps.features & SVM_NP && !(caps.features & SVM_NRIP));
}

TEST(svm_each_lack_is_named)
{
	struct svm_cpu_id cpu = good_cpu();

	cpu.edx &= ~(u32)SVM_NP;
	EXPECT(refused(&cpu, "nested paging"));
	cpu = good_cpu();
	cpu.ebx = SVM_ASIDS_LEAST - 1;
	EXPECT(refused(&cpu, "ASIDs"));
	cpu = good_cpu();
	vm_cr = VM_CR_SVMDIS;
	EXPECT(refused(&cpu, "switched SVM off"));
	cpu.edx |= SVM_LOCK;
	EXPECT(refused(&cpu, "locked SVM off"));
}

/* VM_CR does not exist there. */
TEST(svm_absent_reads_no_msr)
{
	struct svm_cpu_id cpu = { .svm = false };

	EXPECT(refused(&cpu, "no SVM"));
}
