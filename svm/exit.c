/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exit - from EXITCODE to kinds of exit (APM appendix C)
 *
 * GIF is clear at an exit, which holds NMIs off as well as interrupts.  It is set
 * before anything is decoded: only the policy for an NMI comes earlier, for it tells
 * where the guest was, and the NMI itself, which is then taken by the IDT, has nothing
 * to add.
 *
 * An event whose delivery the exit interrupted waits for the next entry before the
 * policy is asked.  Such exits are nested page faults, and on some CPUs interrupts and
 * NMIs that arrived with the event.
 */
#include "lib/trace.h"
#include "svm/event.h"
#include "svm/insn.h"
#include "svm/svm.h"

static bool policy(struct vcpu *v, enum exit_kind kind)
{
	trace2(v->cpu, TRACE_REASON, kind,
	       kind == EXIT_FAULT ? v->exit.gpa.v : v->exit.vector);
	return vm_exit_table[kind](v);
}

/*
 * How long the instructions are that a guest goes on behind.  HOLE: without NRIP saving
 * one with a prefix would be taken for shorter than it is.
 */
static const u8 length[EXITCODES] = {
	[0x72] = 2, /* CPUID         */
	[0x78] = 1, /* HLT           */
	[0x7c] = 2, /* RDMSR, WRMSR  */
	[0x81] = 3, /* VMMCALL       */
};

static void skip(struct vmcb *b)
{
	u32 code = (u32)b->exitcode;

	assert(code < EXITCODES && length[code]);
	b->rip = svm_caps.features & SVM_NRIP ? b->nrip : b->rip + length[code];
	b->interrupt_shadow = 0; /* covered the instruction that is done now */
}

void svm_skip(void)
{
	skip(svm_this()->vmcb);
}

static bool on_vmmcall(struct vcpu *v, struct vmcb *b)
{
	skip(b);
	return policy(v, EXIT_CALL);
}

static bool on_hlt(struct vcpu *v, struct vmcb *b)
{
	skip(b);
	return policy(v, EXIT_HLT);
}

/* Unlike VMX, SVM leaves the interrupt in the local APIC. */
static bool on_intr(struct vcpu *v, struct vmcb *b)
{
	svm_event_again(b);
	take_interrupts();
	return policy(v, EXIT_IRQ_TAKEN);
}

static bool on_nmi(struct vcpu *v, struct vmcb *b)
{
	(void)v; /* the policy has been: svm_dispatch() */
	svm_event_again(b);
	return true;
}

static bool on_irq_window(struct vcpu *v, struct vmcb *b)
{
	(void)b;
	return policy(v, EXIT_IRQ_WINDOW);
}

static bool on_exception(struct vcpu *v, struct vmcb *b)
{
	v->exit.vector = (u8)(b->exitcode - EXITCODE_EXCP0);
	return policy(v, EXIT_EXCEPTION);
}

/* INT1, which raises #DB where it is not intercepted. */
static bool on_icebp(struct vcpu *v, struct vmcb *b)
{
	(void)b;
	v->exit.vector = 1;
	return policy(v, EXIT_EXCEPTION);
}

static bool on_cpuid(struct vcpu *v, struct vmcb *b)
{
	(void)b;
	return policy(v, EXIT_CPUID);
}

static bool on_msr(struct vcpu *v, struct vmcb *b)
{
	return policy(v, b->exitinfo1 & 1 ? EXIT_WRMSR : EXIT_RDMSR);
}

static bool on_io(struct vcpu *v, struct vmcb *b)
{
	v->exit.qualification = b->exitinfo1;
	v->exit.port = (u16)(v->exit.qualification >> 16);
	return policy(v, EXIT_IO);
}

static bool on_shutdown(struct vcpu *v, struct vmcb *b)
{
	(void)b;
	return policy(v, EXIT_SHUTDOWN);
}

/* A walk of the guest's tables asks for a write, whatever it is for (APM 15.25.5). */
static bool on_npf(struct vcpu *v, struct vmcb *b)
{
	u64 info = b->exitinfo1;

	svm_event_again(b);
	v->exit.qualification = info;
	v->exit.access = info & NPF_ID ? EPTE_X : info & NPF_W ? EPTE_W : EPTE_R;
	v->exit.gpa = GPA(b->exitinfo2);
	v->exit.linear = 0; /* hardware does not tell */
	return policy(v, info & NPF_RSV ? EXIT_BAD_EPTE : EXIT_FAULT);
}

static const char *const name[EXITCODES] = {
	[0x08] = "read of CR8",
	[0x10] = "write of CR0",
	[0x14] = "write of CR4",
	[0x18] = "write of CR8",
	[0x20 ... 0x2f] = "read of a debug register",
	[0x30 ... 0x3f] = "write of a debug register",
	[0x63] = "INIT signal",
	[0x6f] = "RDPMC",
	[0x73] = "RSM",
	[0x76] = "INVD",
	[0x7a] = "INVLPGA",
	[0x7d] = "task switch",
	[0x7e] = "FERR freeze",
	[0x80] = "VMRUN",
	[0x82] = "VMLOAD",
	[0x83] = "VMSAVE",
	[0x84] = "STGI",
	[0x85] = "CLGI",
	[0x86] = "SKINIT",
	[0x87] = "RDTSCP",
	[0x89] = "WBINVD",
	[0x8a] = "MONITOR",
	[0x8b] = "MWAIT",
	[0x8c] = "MWAIT, armed",
	[0x8d] = "XSETBV",
};

/* What no guest here may do. */
static bool on_other(struct vcpu *v, struct vmcb *b)
{
	v->exit.reason = (u32)b->exitcode;
	v->exit.why = v->exit.reason < EXITCODES && name[v->exit.reason]
			      ? name[v->exit.reason]
			      : "unknown";
	return policy(v, EXIT_OTHER);
}

/*
 * VMRUN refused.  Whether it has done by then what TLB_CONTROL asked for is not said,
 * so it is asked for again.
 */
static bool on_invalid(struct vcpu *v, struct vmcb *b)
{
	b->tlb_control = TLB_FLUSH_ALL;
	v->exit.reason = EXITCODE_INVALID;
	v->exit.why = svm_explain(b);
	return policy(v, EXIT_BAD_STATE);
}

static bool (*const on_code[EXITCODES])(struct vcpu *, struct vmcb *) = {
	[0 ... EXITCODES - 1] = on_other,
	[EXITCODE_EXCP0... EXITCODE_EXCP0 + 31] = on_exception,
	[0x60] = on_intr,
	[0x61] = on_nmi,
	[0x64] = on_irq_window,
	[0x72] = on_cpuid,
	[0x78] = on_hlt,
	[0x7b] = on_io,
	[0x7c] = on_msr,
	[0x7f] = on_shutdown,
	[0x81] = on_vmmcall,
	[0x88] = on_icebp,
};

bool svm_dispatch(struct vcpu *v)
{
	struct vmcb *b = svm_this()->vmcb;
	u32 code = (u32)b->exitcode;

	if (code == 0x61)
		policy(v, EXIT_NMI);
	stgi();
	if (code < EXITCODES)
		return on_code[code](v, b);
	if (code == EXITCODE_NPF)
		return on_npf(v, b);
	return code == EXITCODE_INVALID ? on_invalid(v, b) : on_other(v, b);
}
