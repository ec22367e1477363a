/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu - which CPU the calling thread stands for, behind the port inval/hw.h
 */
#ifndef TESTS_HOST_CPU_H
#define TESTS_HOST_CPU_H

#include "inval/hw.h"

/* From here on the calling thread is CPU `cpu`; each thread begins as CPU 0. */
void cpu_become(unsigned cpu);

#endif
