/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * caps - what this CPU's VMX can do, held against what is needed
 *
 * Each control field is a row: which MSR reports it, what must be 1, what must be 0,
 * what is taken if offered, what must be possible later.  The low half of such an MSR
 * has the bits that must be 1, the high half those that may be 1 (SDM vol. 3, A.2 to
 * A.5).
 */
#include "vmx/caps.h"
#include "arch/x86_64/msr.h"
#include "lib/console.h"
#include "lib/str.h"
#include "vmx/vmcs.h"

#define MSR_VMX_BASIC    0x480
#define MSR_VMX_CR0_FIX0 0x486
#define MSR_VMX_CR0_FIX1 0x487
#define MSR_VMX_CR4_FIX0 0x488
#define MSR_VMX_CR4_FIX1 0x489
#define MSR_VMX_PROC2    0x48b
#define MSR_VMX_EPT_VPID 0x48c
#define BASIC_TRUE       BIT(55)

static const struct ctl {
	const char *name;
	u32 msr, true_msr;
	u64 must, clear, nice, later; /* `later`: to be had, but not set yet */
	size_t value;                 /* offset in struct vmx_caps */
} ctls[] = {
	{ "pin-based", 0x481, 0x48d, PIN_EXTINT_EXIT | PIN_NMI_EXIT, 0, PIN_TIMER, 0,
	  offsetof(struct vmx_caps, pin) },
	{ "processor-based", 0x482, 0x48e,
	  PROC_HLT_EXIT | PROC_IO_EXIT | PROC_CR8_LOAD | PROC_CR8_STORE |
		  PROC_SECONDARY,
	  PROC_CR3_LOAD | PROC_CR3_STORE | PROC_INVLPG_EXIT,
	  PROC_DR_EXIT | PROC_MWAIT_EXIT | PROC_MONITOR_EXIT | PROC_RDPMC_EXIT,
	  PROC_IRQ_WINDOW, offsetof(struct vmx_caps, proc) },
	{ "secondary", MSR_VMX_PROC2, MSR_VMX_PROC2, PROC2_EPT | PROC2_UNRESTRICTED, 0,
	  0, 0, offsetof(struct vmx_caps, proc2) },
	{ "VM-exit", 0x483, 0x48f,
	  EXIT_CTL_HOST64 | EXIT_CTL_ACK_INTR | EXIT_CTL_SAVE_EFER | EXIT_CTL_LOAD_EFER,
	  0, EXIT_CTL_SAVE_TIMER, 0, offsetof(struct vmx_caps, exit) },
	{ "VM-entry", 0x484, 0x490, ENTRY_CTL_LONG | ENTRY_CTL_EFER, 0, 0, 0,
	  offsetof(struct vmx_caps, entry) },
};

static const struct bit_name {
	const char *field;
	u64 bit;
	const char *name;
} bit_names[] = {
	{ "pin-based", PIN_EXTINT_EXIT, "external-interrupt exiting" },
	{ "pin-based", PIN_NMI_EXIT, "NMI exiting" },
	{ "processor-based", PROC_IRQ_WINDOW, "interrupt-window exiting" },
	{ "processor-based", PROC_HLT_EXIT, "HLT exiting" },
	{ "processor-based", PROC_IO_EXIT, "unconditional I/O exiting" },
	{ "processor-based", PROC_SECONDARY, "activate secondary controls" },
	{ "processor-based", PROC_CR3_LOAD, "no CR3-load exiting" },
	{ "processor-based", PROC_CR3_STORE, "no CR3-store exiting" },
	{ "processor-based", PROC_INVLPG_EXIT, "no INVLPG exiting" },
	{ "processor-based", PROC_CR8_LOAD, "CR8-load exiting" },
	{ "processor-based", PROC_CR8_STORE, "CR8-store exiting" },
	{ "secondary", PROC2_EPT, "enable EPT" },
	{ "secondary", PROC2_UNRESTRICTED, "unrestricted guest" },
	{ "VM-exit", EXIT_CTL_HOST64, "host address-space size" },
	{ "VM-exit", EXIT_CTL_ACK_INTR, "acknowledge interrupt on exit" },
	{ "VM-exit", EXIT_CTL_SAVE_EFER, "save IA32_EFER" },
	{ "VM-exit", EXIT_CTL_LOAD_EFER, "load IA32_EFER" },
	{ "VM-entry", ENTRY_CTL_LONG, "IA-32e mode guest" },
	{ "VM-entry", ENTRY_CTL_EFER, "load IA32_EFER" },
	{ "EPT", EPT_CAP_4_LEVEL, "page-walk length 4" },
	{ "EPT", EPT_CAP_WB, "write-back paging structures" },
	{ "EPT", EPT_CAP_INVEPT, "INVEPT" },
};

/* Says what is missing, and keeps the first such sentence. */
static void printf_like(2, 3) lacks(struct vmx_caps *caps, const char *f, ...)
{
	char text[sizeof(caps->lack)];
	va_list ap;

	va_start(ap, f);
	fmt_str_va(text, sizeof(text), f, ap);
	va_end(ap);
	print("# vmx: %s\n", text);
	if (!*caps->lack)
		str_copy(caps->lack, text, sizeof(caps->lack));
}

/* Names each bit of `missing`. */
static void report(struct vmx_caps *caps, const char *field, u64 missing)
{
	for (unsigned i = 0; i < ARRAY_LEN(bit_names); i++)
		if (bit_names[i].bit & missing && !strcmp(bit_names[i].field, field))
			lacks(caps, "this CPU lacks %s (%s controls)",
			      bit_names[i].name, field);
}

static void negotiate(struct vmx_caps *caps, const struct vmx_cpu *cpu,
		      const struct ctl *c, bool true_msrs)
{
	u64 cap = cpu->msr(true_msrs ? c->true_msr : c->msr);
	u64 one = (u32)cap, may = cap >> 32;
	u32 *value = (u32 *)((char *)caps + c->value);

	*value = (u32)(((c->must | c->nice) & may) | one);
	report(caps, c->name,
	       ((c->must | c->later) & ~may) | ((c->clear | c->later) & one));
}

static bool locked_off(struct vmx_caps *caps, const struct vmx_cpu *cpu)
{
	u64 f = cpu->msr(MSR_FEATURE_CONTROL);

	if (!(f & FEATURE_LOCK) || f & FEATURE_VMX_NO_SMX)
		return false;
	lacks(caps, "the firmware has locked VMX off (IA32_FEATURE_CONTROL 0x%lx)", f);
	return true;
}

static void ept_caps(struct vmx_caps *caps, const struct vmx_cpu *cpu)
{
	u64 need = EPT_CAP_4_LEVEL | EPT_CAP_WB | EPT_CAP_INVEPT;

	caps->ept = cpu->msr(MSR_VMX_EPT_VPID);
	report(caps, "EPT", need & ~caps->ept);
	if (!*caps->lack && !(caps->ept & (EPT_CAP_SINGLE | EPT_CAP_ALL)))
		lacks(caps, "this CPU has INVEPT without single- and all-context");
}

/* A log of modified pages stays empty for ever without dirty flags (29.3.6). */
static void extras(struct vmx_caps *caps, const struct vmx_cpu *cpu)
{
	if (caps->ept & EPT_CAP_AD)
		caps->proc2_extra = cpu->msr(MSR_VMX_PROC2) >> 32 & PROC2_PML;
	/* A CPU that says nothing about it is taken to have it. */
	caps->multihit = !cpu->arch_caps ||
			 !(cpu->msr(MSR_ARCH_CAPS) & ARCH_PSCHANGE_MC_NO);
}

const char *vmx_caps_negotiate(struct vmx_caps *caps, const struct vmx_cpu *cpu)
{
	u64 basic;

	*caps = (struct vmx_caps){ 0 };
	if (!cpu->vmx)
		lacks(caps, "this CPU has no VMX");
	if (*caps->lack || locked_off(caps, cpu))
		return caps->lack;
	basic = cpu->msr(MSR_VMX_BASIC);
	caps->revision = (u32)(basic & BITS(30, 0));
	caps->cr0_fixed0 = cpu->msr(MSR_VMX_CR0_FIX0);
	caps->cr0_fixed1 = cpu->msr(MSR_VMX_CR0_FIX1);
	caps->cr4_fixed0 = cpu->msr(MSR_VMX_CR4_FIX0);
	caps->cr4_fixed1 = cpu->msr(MSR_VMX_CR4_FIX1);
	/* Stops at the first row that fails: later MSRs exist only with earlier bits.
	 */
	for (unsigned i = 0; i < ARRAY_LEN(ctls) && !*caps->lack; i++)
		negotiate(caps, cpu, &ctls[i], basic & BASIC_TRUE);
	if (!*caps->lack)
		ept_caps(caps, cpu);
	if (!*caps->lack)
		extras(caps, cpu);
	return *caps->lack ? caps->lack : NULL;
}

void vmx_caps_tell(const struct vmx_caps *caps,
		   void (*say)(const char *name, u64 value))
{
	say("revision", caps->revision);
	for (unsigned i = 0; i < ARRAY_LEN(ctls); i++)
		say(ctls[i].name, *(const u32 *)((const char *)caps + ctls[i].value));
	say("secondary, for some vCPUs", caps->proc2_extra);
	say("EPT and VPID", caps->ept);
	say("CR0 bits that must be 1", caps->cr0_fixed0);
	say("CR0 bits that may be 1", caps->cr0_fixed1);
	say("CR4 bits that must be 1", caps->cr4_fixed0);
	say("CR4 bits that may be 1", caps->cr4_fixed1);
}
