/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trap - exceptions and interrupts that the host takes
 *
 * An exception in the host is a bug of ours and ends in a dump, but for machine checks,
 * which are the machine's.  Interrupts have handlers; NMIs are nmi.c's.
 */
#include "arch/x86_64/trap.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/mcheck.h"
#include "arch/x86_64/nmi.h"
#include "arch/x86_64/panic.h"

static void (*handler[TRAP_VECTORS])(void);

void irq_set(unsigned vector, void (*fn)(void))
{
	handler[vector] = fn;
}

void irq_handle(unsigned vector)
{
	if (vector == VECTOR_SPURIOUS)
		return; /* is not acknowledged (SDM vol. 3, 11.9) */
	apic_eoi();
	if (handler[vector])
		handler[vector]();
}

void trap(struct trap_frame *f)
{
	if (f->vector == TRAP_NMI)
		nmi_in_host(f);
	else if (f->vector == TRAP_MC)
		mcheck_panic(f);
	else if (f->vector < TRAP_EXCEPTIONS)
		panic_trap(f);
	else if (CHECKED && this_cpu()->reading)
		panic("interrupt 0x%lx between the enter hook and VM entry", f->vector);
	else
		irq_handle((unsigned)f->vector);
}
