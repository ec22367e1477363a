/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutants - gen-smr with one step wrong each: what the threads must report.
 */
#ifndef TESTS_HOST_MUTANTS_H
#define TESTS_HOST_MUTANTS_H

#include "inval/inval.h"

/* The protocol of that name, mutants included; NULL when there is none. */
const struct inval_proto *mutant_or_proto(const char *name);

#endif
