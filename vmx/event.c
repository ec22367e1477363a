/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event - injecting into the current VMCS (SDM vol. 3, 25.8.3, 27.6)
 *
 * VM exits clear the valid bit of the VM-entry interruption information, so what is
 * valid there during an exit has been written during this exit.
 */
#include "vmx/event.h"
#include "arch/x86_64/msr.h"
#include "vmx/insn.h"
#include "vmx/vmx.h"

#define RFLAGS_IF BIT(9)
#define SHADOW    (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)

void vmx_event_inject(struct event e)
{
	vmwrite(ENTRY_INTR_INFO, vmx_event_encode(e, vmread(GUEST_CR0) & CR0_PE));
	vmwrite(ENTRY_INTR_ERROR, e.error);
}

bool vmx_event_waiting(struct event *e)
{
	return vmx_event_decode(vmread(ENTRY_INTR_INFO), vmread(ENTRY_INTR_ERROR), e);
}

void vmx_event_again(void)
{
	u64 info = vmread(IDT_INFO);
	struct event e;

	if (info & INTR_VALID && vmx_event_decode(info, vmread(IDT_ERROR), &e))
		vmx_event_inject(e);
}

void vmx_event_shadow_over(void)
{
	vmwrite(GUEST_INTERRUPTIBILITY, vmread(GUEST_INTERRUPTIBILITY) & ~SHADOW);
}

/*
 * RIP is behind a VMCALL already, so its shadow is over.  It is lifted here and not at
 * each VMCALL, whose path is short.
 */
bool vmx_event_irq_open(void)
{
	if (vmread(EXIT_REASON) == REASON_VMCALL)
		vmx_event_shadow_over();
	return vmread(GUEST_RFLAGS) & RFLAGS_IF &&
	       !(vmread(GUEST_INTERRUPTIBILITY) & SHADOW);
}

void vmx_event_irq_window(bool on)
{
	vmwrite(PROC_CTL, on ? vmx_caps.proc | PROC_IRQ_WINDOW : vmx_caps.proc);
}
