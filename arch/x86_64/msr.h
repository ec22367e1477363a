/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msr - model-specific registers and control bits outside of VMX (SDM vol. 4, 2.1)
 */
#ifndef ARCH_MSR_H
#define ARCH_MSR_H

#include "lib/types.h"

#define MSR_APIC_BASE       0x1b
#define APIC_BASE_BSP       BIT(8)
#define APIC_BASE_EXTD      BIT(10)
#define APIC_BASE_EN        BIT(11)
#define MSR_FEATURE_CONTROL 0x3a
#define FEATURE_LOCK        BIT(0)
#define FEATURE_VMX_NO_SMX  BIT(2)
#define MSR_ARCH_CAPS       0x10a
#define ARCH_PSCHANGE_MC_NO BIT(6) /* no machine check by a change of page size */
#define MSR_PAT             0x277
#define MSR_X2APIC          0x800 /* + xAPIC register offset / 16 */
#define MSR_X2APIC_ICR      0x830
#define MSR_EFER            0xc0000080
#define EFER_SCE            BIT(0)
#define EFER_LME            BIT(8)
#define EFER_LMA            BIT(10)
#define EFER_NXE            BIT(11)
#define EFER_SVME           BIT(12)
#define MSR_FS_BASE         0xc0000100
#define MSR_GS_BASE         0xc0000101
#define MSR_VM_CR           0xc0010114 /* APM vol. 2, 15.30.1 */
#define VM_CR_SVMDIS        BIT(4)
#define MSR_VM_HSAVE_PA     0xc0010117

/* CR0 and CR4 (SDM vol. 3, 2.5). */
#define CR0_PE   BIT(0)
#define CR0_ET   BIT(4)
#define CR0_NE   BIT(5)
#define CR0_WP   BIT(16)
#define CR0_NW   BIT(29)
#define CR0_CD   BIT(30)
#define CR0_PG   BIT(31)
#define CR4_PAE  BIT(5)
#define CR4_MCE  BIT(6)
#define CR4_VMXE BIT(13)

#endif
