/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smr_steps - how sequences may step: as in a checked build, in a fast one, extremes.
 */
#ifndef TESTS_UNIT_SMR_STEPS_H
#define TESTS_UNIT_SMR_STEPS_H

#include "smr/smr.h"

static const struct smr_params small = { UINT32_MAX - 2000, 2, UINT32_MAX / 4,
					 UINT32_MAX / 4 - 1024 };
static const struct smr_params medium = { UINT32_MAX - 2000, 1u << 20, 1u << 26,
					  1u << 25 };
static const struct smr_params giant = { 1, 1u << 28, 1u << 30, 1u << 29 };
static const struct smr_params *const steps[] = { &smr_default, &small, &medium,
						  &giant };

#endif
