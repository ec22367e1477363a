/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts - CPUID Fn8000_000A in words.
 */
#ifndef SVM_FACTS_H
#define SVM_FACTS_H

#include "vm/backend.h"

/* Fills *out from EDX, the features, and EBX, the number of ASIDs. */
void svm_facts(struct backend_facts *out, u32 features, u32 asids);

#endif
