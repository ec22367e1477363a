/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svm - AMD's SVM as a backend; see vm/backend.h for what each part does.
 */
#ifndef SVM_SVM_H
#define SVM_SVM_H

#include "svm/asid.h"
#include "svm/caps.h"
#include "svm/vmcb.h"
#include "vm/backend.h"

extern const struct backend svm_backend;

/* What probe() has found. */
extern struct svm_caps svm_caps;

/* One CPU's, in the frames that it keeps: cpu_on(). */
struct svm_cpu {
	hpa_t host;        /* a VMCB with the host's FS, GS, TR, LDTR   */
	struct vmcb *vmcb; /* of the vCPU that is loaded, or NULL,      */
	struct asid *asid; /* and its ASID                              */
	struct asids asids;
};
struct svm_cpu *svm_this(void);

/* Fills v's VMCB but for its ASID and N_CR3. */
void svm_state_init(const struct vcpu *v, struct vmcb *b);

/*
 * Why would VMRUN refuse this?  NULL when no rule that is checked here is broken.
 * APM 15.5.1.
 */
const char *svm_explain(const struct vmcb *b);

/* Decodes an exit and calls the policy for it. */
bool svm_dispatch(struct vcpu *v);
void svm_skip(void);

#endif
