/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * caps - what this CPU's SVM can do, held against what is needed.
 */
#ifndef SVM_CAPS_H
#define SVM_CAPS_H

#include "lib/err.h"

/* CPUID Fn8000_000A EDX (APM vol. 3, appendix E). */
#define SVM_NP         BIT(0)
#define SVM_LOCK       BIT(2) /* SVM_LOCK can be undone by a key */
#define SVM_NRIP       BIT(3)
#define SVM_FLUSH_ASID BIT(6)

#define SVM_ASIDS_LEAST 3 /* the host's, one to use, one to go on to */

struct svm_caps {
	u8 revision;
	u32 asids;    /* how many, 0 included */
	u32 features; /* SVM_*              */
	bool gib_pages;
	char lack[96]; /* the first thing that is missing, or "" */
};

/* What is asked of the CPU; a test answers for other CPUs. */
struct svm_cpu_id {
	bool svm;            /* CPUID Fn8000_0001 ECX.SVM                    */
	bool gib_pages;      /* CPUID Fn8000_0001 EDX.Page1GB                */
	u32 eax, ebx, edx;   /* CPUID Fn8000_000A                            */
	u64 (*msr)(u32 msr); /* read only if `svm`                           */
};

/*
 * Fills *caps.  NULL, or a sentence on the first thing that is missing, in caps->lack,
 * after a line that begins with `# svm:` for each.
 */
must_check const char *svm_caps_negotiate(struct svm_caps *caps,
					  const struct svm_cpu_id *cpu);

#endif
