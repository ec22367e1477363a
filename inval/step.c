/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * step - who is told of the protocols' steps.
 */
#include "inval/step.h"

void (*step_hook)(const char *step);
