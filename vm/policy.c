/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy - what happens at each kind of exit; default deny
 *
 * A guest may compute, touch its memory, halt, ask CPUID, use two MSRs and the calls of
 * vm/calls.c.  Whatever else it does stops it, with a sentence; the host goes on.
 */
#include "arch/x86_64/insn.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/trap.h"
#include "lib/console.h"
#include "lib/trace.h"
#include "vm/calls.h"
#include "vm/vm.h"

#define CPUID_1_ECX_HIDDEN (BIT(3) | BIT(5) | BIT(21) | BIT(26) | BIT(27))
#define CPUID_1_ECX_HV     BIT(31)
#define SPURIOUS_MAX       1000

static bool stop(struct vcpu *v, const char *why)
{
	v->stopped = why;
	return false;
}

static bool on_irq(struct vcpu *v)
{
	trace(v->cpu, TRACE_EXIT, v->exit.vector);
	irq_handle(v->exit.vector);
	return true;
}

static bool on_nmi(struct vcpu *v)
{
	(void)v;
	nmi_handle(0, backend->guest_rip());
	nmi_unblock();
	return true;
}

/* Nothing ever wakes a guest, so this lasts until the vCPU is asked to leave. */
static bool on_hlt(struct vcpu *v)
{
	while (!load_acquire(&v->request))
		sti_hlt_cli();
	return true;
}

static bool on_cpuid(struct vcpu *v)
{
	u32 leaf = (u32)v->g.rax;
	struct cpuid c = cpuid(leaf, (u32)v->g.rcx);

	if (leaf == 1)
		c.ecx = (c.ecx & ~(u32)CPUID_1_ECX_HIDDEN) | (u32)CPUID_1_ECX_HV;
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

static bool on_wrmsr(struct vcpu *v)
{
	u64 value = (u64)(u32)v->g.rdx << 32 | (u32)v->g.rax;

	if (!msr_allowed((u32)v->g.rcx, true) ||
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

/* A fault that the EPT no longer justifies: an upgrade overtook it. */
static bool spurious(struct vcpu *v)
{
	struct ept_leaf l;

	return ept_lookup(&v->vm->ept, v->exit.gpa, &l) &&
	       !(v->exit.access & ~l.entry.raw & EPTE_RWX) &&
	       v->spurious++ < SPURIOUS_MAX;
}

static bool on_fault(struct vcpu *v)
{
	trace(v->cpu, TRACE_EXIT, v->exit.gpa.v);
	if (v->vm->fault && v->vm->fault(v)) {
		v->spurious = 0;
		return true;
	}
	if (spurious(v))
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
	[EXIT_NMI] = on_nmi,
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
