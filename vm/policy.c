/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy - what happens at each kind of exit; default deny
 *
 * A guest may compute, touch its memory, halt, ask CPUID, use two MSRs and the calls of
 * vm/calls.c.  Whatever else it does stops it, with a sentence; the host goes on.
 */
#include "arch/x86_64/insn.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/mcheck.h"
#include "arch/x86_64/nmi.h"
#include "arch/x86_64/trap.h"
#include "lib/console.h"
#include "vm/calls.h"
#include "vm/vm.h"

/* MONITOR, VMX, x2APIC, XSAVE, OSXSAVE, AVX: what the controls do not offer. */
#define CPUID_1_ECX_HIDDEN (BIT(3) | BIT(5) | BIT(21) | BIT(26) | BIT(27) | BIT(28))
#define CPUID_FEATURES_7   7          /* nothing of it is offered        */
#define CPUID_HV_FIRST     0x40000000 /* another hypervisor's, below us  */
#define CPUID_HV_LAST      0x4fffffff
#define CPUID_EXTENDED_1   0x80000001
#define CPUID_RDTSCP       BIT(27)
#define CPUID_SVM_ECX      (BIT(2) | BIT(12)) /* SVM, SKINIT */
#define CPUID_1_ECX_HV     BIT(31)

static bool stop(struct vcpu *v, const char *why)
{
	v->stopped = why;
	return false;
}

static bool on_irq(struct vcpu *v)
{
	irq_handle(v->exit.vector);
	return true;
}

static bool on_irq_taken(struct vcpu *v)
{
	(void)v;
	return true;
}

static bool on_nmi(struct vcpu *v)
{
	(void)v;
	nmi_in_guest(backend->guest_rip());
	nmi_unblock();
	return true;
}

static bool on_exception(struct vcpu *v)
{
	if (v->exit.vector == TRAP_MC)
		mcheck_panic_in_guest("in the guest", backend->guest_rip());
	print("# guest: exception %u at rip 0x%lx\n", v->exit.vector,
	      backend->guest_rip());
	return stop(v, "it raises an exception that it may not");
}

static bool on_irq_window(struct vcpu *v)
{
	vcpu_offer_irq(v);
	return true;
}

/*
 * Only an interrupt that the guest takes wakes it, so this lasts until there is one or
 * the vCPU is asked to leave.  One with a budget has nobody to ask it, and halting does
 * not use the budget up.
 */
static bool on_hlt(struct vcpu *v)
{
	while (!vcpu_answer_irq(v) && !(load_acquire(&v->request) & REQUEST_STOP)) {
		if (v->budget)
			return stop(v, "it halts for ever");
		sti_hlt_cli();
	}
	return true;
}

static bool on_cpuid(struct vcpu *v)
{
	u32 leaf = (u32)v->g.rax;
	struct cpuid c = cpuid(leaf, (u32)v->g.rcx);

	if (leaf == 1)
		c.ecx = (c.ecx & ~(u32)CPUID_1_ECX_HIDDEN) | (u32)CPUID_1_ECX_HV;
	if (leaf == CPUID_FEATURES_7 ||
	    (leaf >= CPUID_HV_FIRST && leaf <= CPUID_HV_LAST))
		c = (struct cpuid){ 0 };
	if (leaf == CPUID_EXTENDED_1) {
		c.ecx &= ~(u32)CPUID_SVM_ECX;
		c.edx &= ~(u32)CPUID_RDTSCP;
	}
	v->g.rax = c.eax;
	v->g.rbx = c.ebx;
	v->g.rcx = c.ecx;
	v->g.rdx = c.edx;
	backend->skip();
	return true;
}

/* The MSRs that a guest may use. */
static const struct {
	u32 msr;
	bool write;
} msrs[] = {
	{ MSR_FS_BASE, true },
	{ MSR_GS_BASE, true },
	{ MSR_EFER, false },
};

static bool msr_allowed(u32 msr, bool write)
{
	for (unsigned i = 0; i < ARRAY_LEN(msrs); i++)
		if (msrs[i].msr == msr)
			return msrs[i].write || !write;
	return false;
}

static bool on_rdmsr(struct vcpu *v)
{
	u64 value;

	if (!msr_allowed((u32)v->g.rcx, false) ||
	    !backend->msr_get((u32)v->g.rcx, &value)) {
		print("# guest: RDMSR 0x%x at rip 0x%lx\n", (u32)v->g.rcx,
		      backend->guest_rip());
		return stop(v, "it reads an MSR that it may not");
	}
	v->g.rax = (u32)value;
	v->g.rdx = value >> 32;
	backend->skip();
	return true;
}

static bool canonical(u64 va)
{
	return (u64)((i64)(va << 16) >> 16) == va;
}

static bool on_wrmsr(struct vcpu *v)
{
	u64 value = (u64)(u32)v->g.rdx << 32 | (u32)v->g.rax;

	if (!msr_allowed((u32)v->g.rcx, true) || !canonical(value) ||
	    !backend->msr_set((u32)v->g.rcx, value)) {
		print("# guest: WRMSR 0x%x at rip 0x%lx\n", (u32)v->g.rcx,
		      backend->guest_rip());
		return stop(v, "it writes an MSR that it may not");
	}
	backend->skip();
	return true;
}

static bool on_io(struct vcpu *v)
{
	print("# guest: I/O port 0x%x at rip 0x%lx\n", v->exit.port,
	      backend->guest_rip());
	return stop(v, "it uses an I/O port");
}

static bool on_fault(struct vcpu *v)
{
	if (vm_fault(v))
		return true;
	print("# guest: EPT violation, address 0x%lx, access %s%s%s, rip 0x%lx\n",
	      v->exit.gpa.v, v->exit.access & EPTE_R ? "r" : "",
	      v->exit.access & EPTE_W ? "w" : "", v->exit.access & EPTE_X ? "x" : "",
	      backend->guest_rip());
	return stop(v, "it touches memory that it does not have");
}

static bool on_bad_epte(struct vcpu *v)
{
	print("# guest: EPT misconfiguration, address 0x%lx, rip 0x%lx\n",
	      v->exit.gpa.v, backend->guest_rip());
	return stop(v, "its EPT has a misconfigured entry");
}

static bool on_shutdown(struct vcpu *v)
{
	print("# guest: triple fault, rip 0x%lx\n", backend->guest_rip());
	return stop(v, "triple fault");
}

static bool on_budget(struct vcpu *v)
{
	print("# guest: time is over, rip 0x%lx\n", backend->guest_rip());
	return stop(v, "it does not come to an end");
}

static bool on_bad_state(struct vcpu *v)
{
	v->refused = true;
	print("# guest: VM entry refused, exit reason 0x%x: %s\n", v->exit.reason,
	      v->exit.why ? v->exit.why : "no rule that is known here is broken");
	return stop(v, "hardware refuses its state");
}

static bool on_other(struct vcpu *v)
{
	print("# guest: exit reason %u (%s), rip 0x%lx\n", v->exit.reason, v->exit.why,
	      backend->guest_rip());
	return stop(v, "it does what no guest may");
}

exit_fn *const vm_exit_table[EXIT_KINDS] = {
	[EXIT_IRQ] = on_irq,
	[EXIT_IRQ_TAKEN] = on_irq_taken,
	[EXIT_IRQ_WINDOW] = on_irq_window,
	[EXIT_NMI] = on_nmi,
	[EXIT_EXCEPTION] = on_exception,
	[EXIT_CALL] = calls_dispatch,
	[EXIT_HLT] = on_hlt,
	[EXIT_CPUID] = on_cpuid,
	[EXIT_RDMSR] = on_rdmsr,
	[EXIT_WRMSR] = on_wrmsr,
	[EXIT_IO] = on_io,
	[EXIT_FAULT] = on_fault,
	[EXIT_BAD_EPTE] = on_bad_epte,
	[EXIT_SHUTDOWN] = on_shutdown,
	[EXIT_BUDGET] = on_budget,
	[EXIT_BAD_STATE] = on_bad_state,
	[EXIT_OTHER] = on_other,
};
