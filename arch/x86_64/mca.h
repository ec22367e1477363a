/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mca - what the registers of the machine-check architecture say, in words
 *
 * SDM vol. 3B, "Machine-Check Architecture": IA32_MCG_CAP, IA32_MCG_STATUS and the
 * error reporting banks; "Interpreting the MCA Error Codes".  The low halves of AMD's
 * registers are the same (APM vol. 2, 9.3).  No hardware in here.
 */
#ifndef ARCH_MCA_H
#define ARCH_MCA_H

#include "lib/types.h"

#define MCG_CAP_COUNT   BITS(7, 0)
#define MCG_CAP_CTL_P   BIT(8)  /* there is an IA32_MCG_CTL           */
#define MCG_CAP_CMCI_P  BIT(10) /* corrected errors are counted       */
#define MCG_CAP_SER_P   BIT(24) /* S and AR of a bank's status hold   */
#define MCG_STATUS_RIPV BIT(0)
#define MCG_STATUS_EIPV BIT(1)
#define MCG_STATUS_MCIP BIT(2)
#define MCG_STATUS_LMCE BIT(3)
#define MC_STATUS_VAL   BIT(63)
#define MC_STATUS_OVER  BIT(62)
#define MC_STATUS_UC    BIT(61)
#define MC_STATUS_EN    BIT(60)
#define MC_STATUS_MISCV BIT(59)
#define MC_STATUS_ADDRV BIT(58)
#define MC_STATUS_PCC   BIT(57)
#define MC_STATUS_S     BIT(56)
#define MC_STATUS_AR    BIT(55)
#define MC_STATUS_COUNT BITS(52, 38)
#define MC_STATUS_MODEL BITS(31, 16)
#define MC_STATUS_CODE  BITS(15, 0)

struct mca_bank {
	unsigned number;
	u64 status, addr, misc; /* addr and misc: if the status says that they hold */
};

/* How bad a bank's error is: of several, the worst is the one to tell first. */
enum mca_grade {
	MCA_NOTHING,
	MCA_CORRECTED,
	MCA_NO_ACTION, /* uncorrected, and nobody has used it yet */
	MCA_OPTIONAL,
	MCA_REQUIRED,
	MCA_CORRUPT, /* the CPU's state cannot be trusted */
};
enum mca_grade mca_grade(u64 cap, u64 status);

/* "memory controller: read error, channel 2"; each returns the length it would have. */
size_t mca_code_text(char *buf, size_t size, u64 status);
size_t mca_bank_text(char *buf, size_t size, u64 cap, const struct mca_bank *b);
size_t mca_global_text(char *buf, size_t size, u64 mcg_status);

#endif
