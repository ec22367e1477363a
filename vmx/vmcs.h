/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmcs - field encodings, and the bits of control fields (SDM vol. 3, ch. 25, app. B)
 */
#ifndef VMX_VMCS_H
#define VMX_VMCS_H

#ifdef __ASSEMBLER__
#define HOST_RSP_FIELD 0x6c14
#else
#include "lib/types.h"

enum { W16, W64, W32, WNAT };  /* encoding bits 14:13 */
enum { CTL, RO, GUEST, HOST }; /* encoding bits 11:10 */

#define FIELD(w, k, name, enc) name = (enc),
enum vmcs_field {
#include "vmx/vmcs_fields.def"
};
#undef FIELD

#define FIELD(w, k, name, enc) \
	_Static_assert(((enc) >> 13 & 3) == (w) && ((enc) >> 10 & 3) == (k), #name);
#include "vmx/vmcs_fields.def"
#undef FIELD

/* Pin-based controls (25.6.1). */
#define PIN_EXTINT_EXIT     BIT(0)
#define PIN_NMI_EXIT        BIT(3)
#define PIN_TIMER           BIT(6)

/* Primary and secondary processor-based controls (25.6.2). */
#define PROC_IRQ_WINDOW     BIT(2)
#define PROC_HLT_EXIT       BIT(7)
#define PROC_INVLPG_EXIT    BIT(9)
#define PROC_MWAIT_EXIT     BIT(10)
#define PROC_RDPMC_EXIT     BIT(11)
#define PROC_CR3_LOAD       BIT(15)
#define PROC_CR3_STORE      BIT(16)
#define PROC_CR8_LOAD       BIT(19)
#define PROC_CR8_STORE      BIT(20)
#define PROC_DR_EXIT        BIT(23)
#define PROC_IO_EXIT        BIT(24)
#define PROC_MONITOR_EXIT   BIT(29)
#define PROC_SECONDARY      BIT(31)
#define PROC2_EPT           BIT(1)
#define PROC2_UNRESTRICTED  BIT(7)
#define PROC2_PML           BIT(17)

/* VM-exit and VM-entry controls (25.7.1, 25.8.1). */
#define EXIT_CTL_HOST64     BIT(9)
#define EXIT_CTL_ACK_INTR   BIT(15)
#define EXIT_CTL_SAVE_EFER  BIT(20)
#define EXIT_CTL_LOAD_EFER  BIT(21)
#define EXIT_CTL_SAVE_TIMER BIT(22)
#define ENTRY_CTL_LONG      BIT(9)
#define ENTRY_CTL_EFER      BIT(15)

/* VM-entry interruption information (25.8.3). */
#define INTR_VALID          BIT(31)
#define INTR_ERROR          BIT(11)
#define INTR_TYPE           BITS(10, 8)
#define INTR_TYPE_IRQ       0
#define INTR_TYPE_NMI       2
#define INTR_TYPE_EXCEPTION 3
#define INTR_VECTOR         BITS(7, 0)

/* Interruptibility state (25.4.2). */
#define BLOCKED_BY_STI      BIT(0)
#define BLOCKED_BY_MOV_SS   BIT(1)
#define NMI_BLOCKED         BIT(3)

/* EXIT_REASON (25.9.1, appendix C). */
#define REASON_BASIC        BITS(15, 0)
#define REASON_FAILED       BIT(31)
#define REASON_VMCALL       18

/* EPT-violation qualification (28.2.1): bits 2:0 and 5:3 as bits 2:0 of an entry. */
#define QUAL_ACCESS         BITS(2, 0)
#define QUAL_RIGHTS         BITS(5, 3) /* that all entries of the walk agree on  */
#define QUAL_USER_X         BIT(6)     /* undefined without mode-based execute   */
#define QUAL_LINEAR         BIT(7)     /* GUEST_LINEAR holds                     */
#define QUAL_FINAL          BIT(8)     /* the access itself; 0: a walk for it    */
#define QUAL_USER           BIT(9)     /* 11:9 if EPT_CAP_ADVANCED, else undefined */
#define QUAL_WRITABLE       BIT(10)
#define QUAL_NO_EXECUTE     BIT(11)
#endif
#endif
