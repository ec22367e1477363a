/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trap - exceptions and interrupts that the host takes
 *
 * An exception in the host is a bug of ours and ends in a dump.  Interrupts have
 * handlers; NMIs ask a CPU where it is, or to stop because another one panics.
 */
#include "arch/x86_64/trap.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/panic.h"
#include "lib/console.h"

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

void nmi_handle(u64 host_rip, u64 guest_rip)
{
	struct cpu_public *pub = &this_cpu()->pub;

	if (panicking())
		halt_forever();
	if (!load_acquire(&pub->where_asked))
		return;
	store_relaxed(&pub->host_rip, host_rip);
	store_relaxed(&pub->guest_rip, guest_rip);
	store_relaxed(&pub->where_asked, 0u);
	store_release(&pub->where_told, 1u);
}

void nmi_unblock(void)
{
	asm volatile("int %0" : : "i"(TRAP_NMI) : "memory");
}

void trap(struct trap_frame *f)
{
	if (f->vector == TRAP_NMI)
		nmi_handle(f->rip, 0);
	else if (f->vector < TRAP_EXCEPTIONS)
		panic_trap(f);
	else if (CHECKED && this_cpu()->reading)
		panic("interrupt 0x%lx between the enter hook and VM entry", f->vector);
	else
		irq_handle((unsigned)f->vector);
}
