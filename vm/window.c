/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * window - a moment in which the host has interrupts on, where it must not: for
 * mutants.
 *
 * In the section trap() panics over an interrupt.
 */
#include "arch/x86_64/insn.h"
#include "inval/step.h"
#include "inval/zoo.h"

void host_window(void)
{
	STEP(window);
	sti();
	relax(); /* STI takes effect behind the next instruction */
	cli();
}
