/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state - a VMCS for a guest in 64-bit or in real mode (SDM vol. 3, ch. 25 to 27)
 *
 * A guest begins with interrupts enabled: an emulator that holds back
 * external-interrupt exits while RFLAGS.IF is 0 would lose kicks.
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/desc.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/trap.h"
#include "vmx/entry.h"
#include "vmx/insn.h"
#include "vmx/vmx.h"

#define RFLAGS_ONE BIT(1)
#define RFLAGS_IF  BIT(9)
#define DR7_RESET  0x400
#define NO_VMCS    ~0ull

/* Access rights of segments (25.4.1). */
#define RIGHTS_CODE16   0x9b
#define RIGHTS_CODE64   0xa09b
#define RIGHTS_DATA16   0x93
#define RIGHTS_DATA     0xc093
#define RIGHTS_TSS16    0x83
#define RIGHTS_TSS      0x8b
#define RIGHTS_UNUSABLE BIT(16)

static void controls(const struct vcpu *v)
{
	bool longmode = v->mode == VCPU_LONG;

	vmwrite(PIN_CTL, v->budget ? vmx_caps.pin : vmx_caps.pin & ~PIN_TIMER);
	if (v->budget)
		vmwrite(PREEMPTION_TIMER, v->budget);
	vmwrite(PROC_CTL, vmx_caps.proc);
	vmwrite(PROC2_CTL, v->log.v ? vmx_caps.proc2 | PROC2_PML : vmx_caps.proc2);
	/* The timer goes on where the last stay ended, so that the budget is the sum.
	 */
	vmwrite(EXIT_CTL,
		v->budget ? vmx_caps.exit : vmx_caps.exit & ~EXIT_CTL_SAVE_TIMER);
	vmwrite(ENTRY_CTL,
		longmode ? vmx_caps.entry : vmx_caps.entry & ~ENTRY_CTL_LONG);
	/*
	 * #AC and #DB can be delivered for ever without leaving the guest
	 * (CVE-2015-5307, CVE-2015-8104); a machine check is the host's.
	 */
	vmwrite(EXCEPTION_BITMAP, BIT(TRAP_DB) | BIT(TRAP_AC) | BIT(TRAP_MC));
	vmwrite(PF_ERROR_MASK, 0);
	vmwrite(PF_ERROR_MATCH, 0);
	vmwrite(CR3_TARGETS, 0);
	vmwrite(EXIT_MSR_STORES, 0);
	vmwrite(EXIT_MSR_LOADS, 0);
	vmwrite(ENTRY_MSR_LOADS, 0);
	vmwrite(ENTRY_INTR_INFO, 0);
	vmwrite(EPT_POINTER, load_relaxed(&v->reader->root));
	vmwrite(VMCS_LINK, NO_VMCS);
}

static void host_state(void)
{
	const struct cpu *c = this_cpu();

	vmwrite(HOST_CR0, read_cr0());
	vmwrite(HOST_CR3, read_cr3());
	vmwrite(HOST_CR4, read_cr4());
	vmwrite(HOST_EFER, rdmsr(MSR_EFER));
	vmwrite(HOST_CS, SEL_CODE);
	vmwrite(HOST_SS, SEL_DATA);
	vmwrite(HOST_DS, SEL_DATA);
	vmwrite(HOST_ES, SEL_DATA);
	vmwrite(HOST_FS, 0);
	vmwrite(HOST_GS, 0);
	vmwrite(HOST_TR, SEL_TSS);
	vmwrite(HOST_FS_BASE, 0);
	vmwrite(HOST_GS_BASE, (u64)c);
	vmwrite(HOST_TR_BASE, (u64)&c->tss);
	vmwrite(HOST_GDTR_BASE, (u64)c->gdt);
	vmwrite(HOST_IDTR_BASE, idt_address());
	vmwrite(HOST_SYSENTER_CS, 0); /* nobody executes SYSENTER */
	vmwrite(HOST_SYSENTER_ESP, 0);
	vmwrite(HOST_SYSENTER_EIP, 0);
	vmwrite(HOST_RIP, (u64)vmx_exit);
}

static void data_segment(enum vmcs_field sel, enum vmcs_field limit,
			 enum vmcs_field rights, enum vmcs_field base, bool longmode)
{
	vmwrite(sel, longmode ? SEL_DATA : 0);
	vmwrite(base, 0);
	vmwrite(limit, longmode ? 0xffffffff : 0xffff);
	vmwrite(rights, longmode ? RIGHTS_DATA : RIGHTS_DATA16);
}

static void segments(bool longmode)
{
	data_segment(GUEST_ES, GUEST_ES_LIMIT, GUEST_ES_RIGHTS, GUEST_ES_BASE,
		     longmode);
	data_segment(GUEST_SS, GUEST_SS_LIMIT, GUEST_SS_RIGHTS, GUEST_SS_BASE,
		     longmode);
	data_segment(GUEST_DS, GUEST_DS_LIMIT, GUEST_DS_RIGHTS, GUEST_DS_BASE,
		     longmode);
	data_segment(GUEST_FS, GUEST_FS_LIMIT, GUEST_FS_RIGHTS, GUEST_FS_BASE,
		     longmode);
	data_segment(GUEST_GS, GUEST_GS_LIMIT, GUEST_GS_RIGHTS, GUEST_GS_BASE,
		     longmode);
	vmwrite(GUEST_CS, longmode ? SEL_CODE : 0);
	vmwrite(GUEST_CS_BASE, 0);
	vmwrite(GUEST_CS_LIMIT, longmode ? 0xffffffff : 0xffff);
	vmwrite(GUEST_CS_RIGHTS, longmode ? RIGHTS_CODE64 : RIGHTS_CODE16);
	vmwrite(GUEST_LDTR, 0);
	vmwrite(GUEST_LDTR_BASE, 0);
	vmwrite(GUEST_LDTR_LIMIT, 0);
	vmwrite(GUEST_LDTR_RIGHTS, RIGHTS_UNUSABLE);
	vmwrite(GUEST_TR, 0);
	vmwrite(GUEST_TR_BASE, 0);
	vmwrite(GUEST_TR_LIMIT, 0xffff);
	vmwrite(GUEST_TR_RIGHTS, longmode ? RIGHTS_TSS : RIGHTS_TSS16);
	vmwrite(GUEST_GDTR_BASE, 0);
	vmwrite(GUEST_GDTR_LIMIT, 0);
	vmwrite(GUEST_IDTR_BASE, 0);
	/* Real mode begins with the vectors at 0; in 64-bit mode any event is fatal. */
	vmwrite(GUEST_IDTR_LIMIT, longmode ? 0 : 0xffff);
}

static void guest_state(const struct vcpu *v)
{
	bool longmode = v->mode == VCPU_LONG;
	/* Unrestricted guest lifts PE and PG from the fixed bits (27.3.1.1). */
	u64 cr0 = vmx_caps.cr0_fixed0 & ~(CR0_PE | CR0_PG);
	u64 cr4 = vmx_caps.cr4_fixed0;

	cr0 |= CR0_ET | (longmode ? CR0_PE | CR0_PG : 0);
	cr4 |= CR4_MCE | (longmode ? CR4_PAE : 0);
	segments(longmode);
	vmwrite(GUEST_CR0, cr0);
	vmwrite(GUEST_CR4, cr4);
	/*
	 * A guest that changes what VMX needs exits; so does one that touches what
	 * entries and exits leave alone (CD, NW) or what keeps machine checks from
	 * being a shutdown (MCE).
	 */
	vmwrite(CR0_MASK, (vmx_caps.cr0_fixed0 & ~(CR0_PE | CR0_PG)) | CR0_CD | CR0_NW);
	vmwrite(CR0_SHADOW, cr0);
	vmwrite(CR4_MASK, vmx_caps.cr4_fixed0 | CR4_MCE);
	vmwrite(CR4_SHADOW, cr4 & ~(CR4_VMXE | CR4_MCE));
	vmwrite(GUEST_CR3, v->tables.v);
	vmwrite(GUEST_EFER, longmode ? EFER_LME | EFER_LMA : 0);
	vmwrite(GUEST_DR7, DR7_RESET);
	vmwrite(GUEST_DEBUGCTL, 0);
	vmwrite(GUEST_PENDING_DEBUG, 0);
	vmwrite(GUEST_SYSENTER_CS, 0);
	vmwrite(GUEST_SYSENTER_ESP, 0);
	vmwrite(GUEST_SYSENTER_EIP, 0);
	vmwrite(GUEST_RSP, v->stack.v);
	vmwrite(GUEST_RIP, v->entry.v);
	vmwrite(GUEST_RFLAGS, RFLAGS_ONE | RFLAGS_IF);
	vmwrite(GUEST_INTERRUPTIBILITY, 0);
	vmwrite(GUEST_ACTIVITY, 0);
}

void vmx_state_init(const struct vcpu *v)
{
	controls(v);
	host_state();
	guest_state(v);
}
