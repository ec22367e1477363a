/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exit - from exit reasons to kinds of exit (SDM vol. 3, 25.9, 28.2, appendix C)
 *
 * A table by basic exit reason; each function fills what its kind promises in v->exit
 * and goes on to the policy in vm/.  The path of a VMCALL is counted by the benches:
 * it stores nothing and falls from function to function by jumps.
 */
#include "vmx/vmx.h"
#include "arch/x86_64/mcheck.h"
#include "lib/trace.h"
#include "vmx/event.h"
#include "vmx/insn.h"
#include "vmx/pml.h"

#define REASONS   70
#define REASON_MC 41

static bool policy(struct vcpu *v, enum exit_kind kind)
{
	trace2(v->cpu, TRACE_REASON, kind,
	       kind == EXIT_FAULT ? v->exit.gpa.v : v->exit.vector);
	return vm_exit_table[kind](v);
}

void vmx_skip(void)
{
	vmwrite(GUEST_RIP, vmread(GUEST_RIP) + vmread(EXIT_INSTR_LEN));
}

static bool on_vmcall(struct vcpu *v)
{
	vmx_skip();
	return policy(v, EXIT_CALL);
}

static bool on_extint(struct vcpu *v)
{
	v->exit.vector = (u8)vmread(EXIT_INTR_INFO); /* acknowledged by the exit */
	return policy(v, EXIT_IRQ);
}

/*
 * An NMI that makes a guest leave was not delivered to it, so it blocks none there (SDM
 * vol. 3, 28.3.4).  Bochs says that it does, and would never let another one through.
 */
static bool on_nmi(struct vcpu *v)
{
	vmwrite(GUEST_INTERRUPTIBILITY, vmread(GUEST_INTERRUPTIBILITY) & ~NMI_BLOCKED);
	return policy(v, EXIT_NMI);
}

static bool on_event(struct vcpu *v)
{
	u64 info = vmread(EXIT_INTR_INFO);

	v->exit.vector = (u8)info;
	return field_get(INTR_TYPE, info) == INTR_TYPE_NMI ? on_nmi(v)
							   : policy(v, EXIT_EXCEPTION);
}

/* STI's shadow covered the HLT that is done now. */
static bool on_hlt(struct vcpu *v)
{
	vmx_skip();
	vmx_event_shadow_over();
	return policy(v, EXIT_HLT);
}

static bool on_cpuid(struct vcpu *v)
{
	return policy(v, EXIT_CPUID);
}

static bool on_rdmsr(struct vcpu *v)
{
	return policy(v, EXIT_RDMSR);
}

static bool on_wrmsr(struct vcpu *v)
{
	return policy(v, EXIT_WRMSR);
}

static bool on_io(struct vcpu *v)
{
	v->exit.qualification = vmread(EXIT_QUALIFICATION);
	v->exit.port = (u16)(v->exit.qualification >> 16);
	return policy(v, EXIT_IO);
}

static bool on_irq_window(struct vcpu *v)
{
	return policy(v, EXIT_IRQ_WINDOW);
}

static bool on_ept_violation(struct vcpu *v)
{
	vmx_event_again();
	v->exit.qualification = vmread(EXIT_QUALIFICATION);
	v->exit.access = v->exit.qualification & QUAL_ACCESS;
	v->exit.gpa = GPA(vmread(GUEST_PHYSICAL));
	v->exit.linear = vmread(GUEST_LINEAR);
	return policy(v, EXIT_FAULT);
}

static bool on_ept_misconfig(struct vcpu *v)
{
	v->exit.gpa = GPA(vmread(GUEST_PHYSICAL));
	return policy(v, EXIT_BAD_EPTE);
}

static bool on_triple_fault(struct vcpu *v)
{
	return policy(v, EXIT_SHUTDOWN);
}

static bool on_timer(struct vcpu *v)
{
	return policy(v, EXIT_BUDGET);
}

/*
 * The log has been drained already and the policy has no choice, so this is no kind of
 * exit.  Going on repeats the access.  Bit 12 of the qualification (NMI unblocking due
 * to IRET) is undefined with NMI exiting and no virtual NMIs, where an IRET of the
 * guest unblocks nothing (28.2.1).
 */
static bool on_log_full(struct vcpu *v)
{
	vmx_event_again();
	assert(vmread(PML_INDEX) == PML_FIRST); /* or it exits for ever */
	v->log_fulls++;
	return true;
}

/* What no guest here may do, and entries that hardware refused. */
static bool on_other(struct vcpu *v)
{
	v->exit.reason = (u32)vmread(EXIT_REASON);
	if ((v->exit.reason & REASON_BASIC) == REASON_MC)
		mcheck_panic_in_guest("during VM entry", vmread(GUEST_RIP));
	v->exit.why = vmx_reason_name(v->exit.reason);
	if (!(v->exit.reason & REASON_FAILED))
		return policy(v, EXIT_OTHER);
	v->exit.why = vmx_explain_state(vmread, &vmx_caps);
	return policy(v, EXIT_BAD_STATE);
}

static bool (*const on_reason[REASONS])(struct vcpu *) = {
	[0 ... REASONS - 1] = on_other,
	[0] = on_event,
	[1] = on_extint,
	[2] = on_triple_fault,
	[7] = on_irq_window,
	[10] = on_cpuid,
	[12] = on_hlt,
	[18] = on_vmcall,
	[30] = on_io,
	[31] = on_rdmsr,
	[32] = on_wrmsr,
	[48] = on_ept_violation,
	[49] = on_ept_misconfig,
	[52] = on_timer,
	[62] = on_log_full,
};

static const char *const reason_name[REASONS] = {
	[0] = "exception or NMI",
	[1] = "external interrupt",
	[2] = "triple fault",
	[3] = "INIT signal",
	[7] = "interrupt window",
	[10] = "CPUID",
	[12] = "HLT",
	[13] = "INVD",
	[14] = "INVLPG",
	[15] = "RDPMC",
	[16] = "RDTSC",
	[18] = "VMCALL",
	[19] = "VMCLEAR",
	[20] = "VMLAUNCH",
	[21] = "VMPTRLD",
	[22] = "VMPTRST",
	[23] = "VMREAD",
	[24] = "VMRESUME",
	[25] = "VMWRITE",
	[26] = "VMXOFF",
	[27] = "VMXON",
	[28] = "control-register access",
	[29] = "MOV DR",
	[30] = "I/O instruction",
	[31] = "RDMSR",
	[32] = "WRMSR",
	[33] = "invalid guest state",
	[34] = "MSR loading",
	[36] = "MWAIT",
	[39] = "MONITOR",
	[40] = "PAUSE",
	[REASON_MC] = "machine check during VM entry",
	[48] = "EPT violation",
	[49] = "EPT misconfiguration",
	[50] = "INVEPT",
	[52] = "preemption timer",
	[53] = "INVVPID",
	[54] = "WBINVD",
	[55] = "XSETBV",
	[62] = "page-modification log full",
};

const char *vmx_reason_name(u32 reason)
{
	u32 basic = reason & REASON_BASIC;

	return basic < REASONS && reason_name[basic] ? reason_name[basic] : "unknown";
}

bool vmx_dispatch(struct vcpu *v)
{
	u64 reason = vmread(EXIT_REASON);

	return reason < REASONS ? on_reason[reason](v) : on_other(v);
}

bool vmx_dispatch_logged(struct vcpu *v)
{
	pml_drain(v);
	return vmx_dispatch(v);
}
