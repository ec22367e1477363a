/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * caps - what this CPU's SVM can do, held against what is needed (APM 15.4, 15.30.1)
 */
#include "svm/caps.h"
#include "arch/x86_64/msr.h"
#include "lib/console.h"
#include "lib/str.h"

/* Says what is missing, and keeps the first such sentence. */
static void lacks(struct svm_caps *caps, const char *what)
{
	print("# svm: %s\n", what);
	if (!*caps->lack)
		str_copy(caps->lack, what, sizeof(caps->lack));
}

const char *svm_caps_negotiate(struct svm_caps *caps, const struct svm_cpu_id *cpu)
{
	*caps = (struct svm_caps){ 0 };
	if (!cpu->svm) {
		lacks(caps, "this CPU has no SVM");
		return caps->lack;
	}
	caps->revision = (u8)cpu->eax;
	caps->asids = cpu->ebx;
	caps->features = cpu->edx;
	caps->gib_pages = cpu->gib_pages;
	if (cpu->msr(MSR_VM_CR) & VM_CR_SVMDIS)
		lacks(caps,
		      cpu->edx & SVM_LOCK
			      ? "the firmware has locked SVM off, with a key "
				"(VM_CR.SVMDIS)"
			      : "the firmware has switched SVM off (VM_CR.SVMDIS)");
	if (!(cpu->edx & SVM_NP))
		lacks(caps, "this CPU's SVM lacks nested paging");
	if (cpu->ebx < SVM_ASIDS_LEAST)
		lacks(caps, "this CPU's SVM has too few ASIDs");
	return *caps->lack ? caps->lack : NULL;
}
