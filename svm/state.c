/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state - a VMCB for a guest in 64-bit or in real mode (APM 15.5, appendix B)
 *
 * Every port and every MSR is intercepted.  What a guest may not touch in a control
 * register is told only by decoding the instruction, which a CPU without decode assists
 * leaves to us, so all writes of CR0, CR4 and CR8 stop the guest.
 */
#include "arch/x86_64/msr.h"
#include "arch/x86_64/trap.h"
#include "lib/str.h"
#include "svm/svm.h"

#define IOPM_SIZE    (3 * PAGE_SIZE) /* APM 15.10.1 */
#define MSRPM_SIZE   (2 * PAGE_SIZE) /* APM 15.11   */
#define CR0_NUMBER   0
#define CR4_NUMBER   4
#define CR8_NUMBER   8
#define RFLAGS_ONE   BIT(1)
#define RFLAGS_IF    BIT(9)
#define DR6_RESET    0xffff0ff0
#define DR7_RESET    0x400
#define PAT_RESET    0x0007040600070406
#define ATTR_CODE16  0x9b
#define ATTR_CODE64  0xa9b
#define ATTR_DATA16  0x93
#define ATTR_DATA    0xc93
#define ATTR_LDT     0x82
#define ATTR_TSS16   0x83
#define ATTR_TSS     0x8b
#define SEL_GUEST_CS 8
#define SEL_GUEST_SS 16

#define MISC1                                                                          \
	(MISC1_INTR | MISC1_NMI | MISC1_INIT | MISC1_RDPMC | MISC1_CPUID | MISC1_RSM | \
	 MISC1_INVD | MISC1_HLT | MISC1_INVLPGA | MISC1_IOIO | MISC1_MSR |             \
	 MISC1_TASK | MISC1_FERR | MISC1_SHUTDOWN)
#define MISC2                                                                     \
	(MISC2_VMRUN | MISC2_VMMCALL | MISC2_VMLOAD | MISC2_VMSAVE | MISC2_STGI | \
	 MISC2_CLGI | MISC2_SKINIT | MISC2_RDTSCP | MISC2_ICEBP | MISC2_WBINVD |  \
	 MISC2_MONITOR | MISC2_MWAIT | MISC2_MWAIT_IF | MISC2_XSETBV)

/* The image is mapped one to one, so these addresses are physical ones too. */
static _Alignas(4096) u8 iopm[IOPM_SIZE], msrpm[MSRPM_SIZE];

static void controls(struct vmcb *b)
{
	memset(iopm, 0xff, sizeof(iopm)); /* every CPU writes the same */
	memset(msrpm, 0xff, sizeof(msrpm));
	b->iopm = (u64)iopm;
	b->msrpm = (u64)msrpm;
	b->cr_reads = BIT(CR8_NUMBER);
	b->cr_writes = BIT(CR0_NUMBER) | BIT(CR4_NUMBER) | BIT(CR8_NUMBER);
	b->dr_reads = b->dr_writes = 0xffff;
	/*
	 * #AC and #DB can be delivered for ever without leaving the guest
	 * (CVE-2015-5307, CVE-2015-8104); a machine check is the host's.
	 */
	b->exceptions = BIT(TRAP_DB) | BIT(TRAP_AC) | BIT(TRAP_MC);
	b->misc1 = MISC1;
	b->misc2 = MISC2;
	b->v_intr = V_INTR_MASKING;
	b->np_enable = NP_ENABLE;
}

static void segments(struct vmcb *b, bool longmode)
{
	u32 limit = longmode ? 0xffffffff : 0xffff;
	struct vmcb_segment data = { .selector = longmode ? SEL_GUEST_SS : 0,
				     .attributes = longmode ? ATTR_DATA : ATTR_DATA16,
				     .limit = limit };

	b->es = b->ss = b->ds = b->fs = b->gs = data;
	b->cs = (struct vmcb_segment){ .selector = longmode ? SEL_GUEST_CS : 0,
				       .attributes = longmode ? ATTR_CODE64
							      : ATTR_CODE16,
				       .limit = limit };
	b->ldtr = (struct vmcb_segment){ .attributes = ATTR_LDT };
	b->tr = (struct vmcb_segment){ .attributes = longmode ? ATTR_TSS : ATTR_TSS16,
				       .limit = 0xffff };
	/* Real mode begins with the vectors at 0; in 64-bit mode any event is fatal. */
	b->idtr = (struct vmcb_segment){ .limit = longmode ? 0 : 0xffff };
	b->gdtr = (struct vmcb_segment){ 0 };
}

void svm_state_init(const struct vcpu *v, struct vmcb *b)
{
	bool longmode = v->mode == VCPU_LONG;

	memset(b, 0, sizeof(*b));
	controls(b);
	segments(b, longmode);
	b->cr0 = CR0_ET | CR0_NE | (longmode ? CR0_PE | CR0_PG : 0);
	b->cr4 = CR4_MCE | (longmode ? CR4_PAE : 0);
	b->cr3 = v->tables.v;
	b->efer = EFER_SVME | (longmode ? EFER_LME | EFER_LMA : 0);
	b->dr6 = DR6_RESET;
	b->dr7 = DR7_RESET;
	b->g_pat = PAT_RESET;
	b->rsp = v->stack.v;
	b->rip = v->entry.v;
	b->rflags = RFLAGS_ONE | RFLAGS_IF;
}
