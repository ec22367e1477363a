/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu - which CPU the calling thread stands for, behind the port inval/hw.h
 *
 * Whatever links mm/pool.c needs this half of the port, and tests/host/ram.c.  The
 * other half, kicks and flushes, is different for each program that has any.
 */
#include "tests/host/cpu.h"

static _Thread_local unsigned self;

void cpu_become(unsigned cpu)
{
	self = cpu;
}

unsigned hw_self(void)
{
	return self;
}
