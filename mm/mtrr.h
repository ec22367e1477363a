/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mtrr - the memory type of each physical address, by the MTRRs; see mtrr.c.
 *
 * Types are numbers as in EPTE_TYPE: EPT_UC, EPT_WC, EPT_WT, EPT_WP, EPT_WB.
 */
#ifndef MM_MTRR_H
#define MM_MTRR_H

#include "lib/types.h"

#define MTRR_FIXED  11
#define MTRR_RANGES 40 /* pairs that fit between MSRs 0x200 and 0x250 */

/* IA32_MTRRCAP (SDM vol. 3, 12.11.1). */
#define MTRR_CAP_VCNT BITS(7, 0)
#define MTRR_CAP_FIX  BIT(8)

/* IA32_MTRR_DEF_TYPE (SDM vol. 3, 12.11.2.1). */
#define MTRR_DEF_TYPE BITS(7, 0)
#define MTRR_DEF_FE   BIT(10)
#define MTRR_DEF_E    BIT(11)

/* IA32_MTRR_PHYSBASEn and IA32_MTRR_PHYSMASKn (SDM vol. 3, 12.11.2.3). */
#define MTRR_BASE_TYPE BITS(7, 0)
#define MTRR_MASK_V    BIT(11)

/* One variable range.  A pair that is not valid reads as zeros. */
struct mtrr_range {
	u64 base, mask;
};

/* What the registers of one CPU hold. */
struct mtrrs {
	bool present;
	unsigned phys_bits; /* MAXPHYADDR */
	unsigned ranges;    /* pairs that the CPU has */
	u64 cap, def_type;
	u64 fixed[MTRR_FIXED];
	struct mtrr_range range[MTRR_RANGES];
};

/* What the snapshot asks of the CPU; a test answers for other CPUs. */
struct mtrr_cpu {
	bool present; /* CPUID.1:EDX.MTRR */
	unsigned phys_bits;
	u64 (*msr)(u32 msr);
};

/* Takes the snapshot.  Reads only registers that the CPU says it has. */
void mtrr_read(struct mtrrs *m, const struct mtrr_cpu *cpu);

/* The type of the byte at pa. */
u8 mtrr_type(const struct mtrrs *m, hpa_t pa);

/*
 * How many bytes of [pa, pa + len) have the type of the first one, before one has not.
 * pa and len are multiples of 4 KiB, and so is the answer; len is not 0.
 */
u64 mtrr_run(const struct mtrrs *m, hpa_t pa, u64 len, unsigned *type);

#endif
