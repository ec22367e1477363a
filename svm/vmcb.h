/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmcb - the virtual machine control block, and the bits of its fields (AMD64
 * Architecture Programmer's Manual, vol. 2, appendix B and C; below: APM)
 *
 * Hardware reads and writes this page at VMRUN and #VMEXIT.  No clean bits are used, so
 * it reads all of it each time.
 */
#ifndef SVM_VMCB_H
#define SVM_VMCB_H

/* What entry.S knows. */
#define VMCB_TLB_CONTROL 0x5c
#define VMCB_RAX         0x5f8

#ifndef __ASSEMBLER__
#include "lib/types.h"

/* Intercepts, one word each (APM table B-1, offsets 00ch and 010h). */
#define MISC1_INTR     BIT(0)
#define MISC1_NMI      BIT(1)
#define MISC1_INIT     BIT(3)
#define MISC1_VINTR    BIT(4) /* V_IRQ, right before the guest takes it */
#define MISC1_RDPMC    BIT(15)
#define MISC1_CPUID    BIT(18)
#define MISC1_RSM      BIT(19)
#define MISC1_INVD     BIT(22)
#define MISC1_HLT      BIT(24)
#define MISC1_INVLPGA  BIT(26)
#define MISC1_IOIO     BIT(27)
#define MISC1_MSR      BIT(28)
#define MISC1_TASK     BIT(29)
#define MISC1_FERR     BIT(30)
#define MISC1_SHUTDOWN BIT(31)
#define MISC2_VMRUN    BIT(0) /* VMRUN fails without it */
#define MISC2_VMMCALL  BIT(1)
#define MISC2_VMLOAD   BIT(2)
#define MISC2_VMSAVE   BIT(3)
#define MISC2_STGI     BIT(4)
#define MISC2_CLGI     BIT(5)
#define MISC2_SKINIT   BIT(6)
#define MISC2_RDTSCP   BIT(7)
#define MISC2_ICEBP    BIT(8)
#define MISC2_WBINVD   BIT(9)
#define MISC2_MONITOR  BIT(10)
#define MISC2_MWAIT    BIT(11)
#define MISC2_MWAIT_IF BIT(12) /* when armed */
#define MISC2_XSETBV   BIT(13)

/* TLB_CONTROL (APM 15.16.2). */
#define TLB_NOTHING    0
#define TLB_FLUSH_ALL  1 /* of all ASIDs, the host's too       */
#define TLB_FLUSH_ASID 3 /* of this one; only with FlushByAsid */

/* Offset 060h (APM 15.21.1): EFLAGS.IF of the host masks what the guest does not. */
#define V_IRQ          BIT(8)
#define V_IGN_TPR      BIT(20)
#define V_INTR_MASKING BIT(24)
#define NP_ENABLE      BIT(0)

/* Offset 068h. */
#define INTERRUPT_SHADOW BIT(0)

/* EVENTINJ and EXITINTINFO (APM 15.20, 15.7.2). */
#define EVENT_VECTOR         BITS(7, 0)
#define EVENT_TYPE           BITS(10, 8)
#define EVENT_TYPE_IRQ       0
#define EVENT_TYPE_EXCEPTION 3
#define EVENT_HAS_ERROR      BIT(11)
#define EVENT_VALID          BIT(31)
#define EVENT_ERROR          BITS(63, 32)

/* EXITCODE (APM appendix C); -1 is 64 bits wide, but some emulators store 32. */
#define EXITCODE_EXCP0   0x40
#define EXITCODE_NPF     0x400
#define EXITCODE_INVALID 0xffffffff
#define EXITCODES        0xa4 /* below: the contiguous ones */

/* EXITINFO1 of a nested page fault (APM 15.25.6): a #PF error code, and where. */
#define NPF_P     BIT(0)
#define NPF_W     BIT(1)
#define NPF_US    BIT(2)
#define NPF_RSV   BIT(3)
#define NPF_ID    BIT(4)  /* an instruction fetch                 */
#define NPF_FINAL BIT(32) /* of the guest's final physical address */
#define NPF_WALK  BIT(33) /* of the guest's own tables             */

/* A segment register; `attributes` is the descriptor's bits 55:52 and 47:40. */
struct vmcb_segment {
	u16 selector, attributes;
	u32 limit;
	u64 base;
};

struct vmcb {
	u16 cr_reads, cr_writes, dr_reads, dr_writes;
	u32 exceptions, misc1, misc2, misc3;
	u8 reserved1[0x3c - 0x18];
	u16 pause_threshold, pause_count;
	u64 iopm, msrpm, tsc_offset;
	u32 asid;
	u8 tlb_control, reserved2[3];
	u64 v_intr, interrupt_shadow;
	u64 exitcode, exitinfo1, exitinfo2, exitintinfo;
	u64 np_enable;
	u8 reserved3[0xa8 - 0x98];
	u64 eventinj, n_cr3, virt_ext;
	u32 clean, reserved4;
	u64 nrip;
	u8 reserved5[0x400 - 0xd0];
	/* The state save area. */
	struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	u8 reserved6[0x4cb - 0x4a0];
	u8 cpl;
	u32 reserved7;
	u64 efer;
	u8 reserved8[0x548 - 0x4d8];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;
	u8 reserved9[0x5d8 - 0x580];
	u64 rsp;
	u8 reserved10[0x5f8 - 0x5e0];
	u64 rax, star, lstar, cstar, sfmask, kernel_gs_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip, cr2;
	u8 reserved11[0x668 - 0x648];
	u64 g_pat, dbgctl;
	u8 reserved12[0x1000 - 0x678];
};

#define AT(field, offset) \
	_Static_assert(offsetof(struct vmcb, field) == (offset), #field)
AT(iopm, 0x40);
AT(asid, 0x58);
AT(tlb_control, VMCB_TLB_CONTROL);
AT(v_intr, 0x60);
AT(interrupt_shadow, 0x68);
AT(exitcode, 0x70);
AT(exitintinfo, 0x88);
AT(np_enable, 0x90);
AT(eventinj, 0xa8);
AT(n_cr3, 0xb0);
AT(nrip, 0xc8);
AT(es, 0x400);
AT(tr, 0x490);
AT(cpl, 0x4cb);
AT(efer, 0x4d0);
AT(cr4, 0x548);
AT(rip, 0x578);
AT(rsp, 0x5d8);
AT(rax, VMCB_RAX);
AT(cr2, 0x640);
AT(g_pat, 0x668);
#undef AT
_Static_assert(sizeof(struct vmcb) == PAGE_SIZE, "a VMCB is one frame");
#endif
#endif
