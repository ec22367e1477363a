/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * npte - the 64-bit word of a nested page table: that of long mode (APM vol. 2,
 * 5.3.3 to 5.3.5)
 *
 * Nested tables are the host's own kind of table, walked for a guest (15.25).  What is
 * different from EPT:
 *
 *   - Every walk is a user access: U is set in all entries, tables included, or no
 *     guest gets anywhere (15.25.5, 15.25.7).
 *   - P is R, and there is no W and no X without it.  X is the absence of NX, which
 *     counts only while the host's EFER.NXE is set (15.25.7).
 *   - A is set in the entries of a walk and D in the leaf, always (5.4.2, 15.25.5); a
 *     walk of the guest's own tables is a write here, so it sets D as well.
 *   - PAT, PCD and PWT choose one of eight types from the *host's* PAT, MTRRs apply
 *     after that (15.25.8), and the guest's PAT always counts: there is no IPAT.
 *   - The host's CR0.WP, CR4.PGE and the G bit say nothing (15.25.7).
 *
 * Ours in a present entry are bits 11:9 and 58:52 (5.4.1); in one that is not, all but
 * P.  Bits 62:59 would be a protection key, so no present entry uses them.
 */
#ifndef MM_NPTE_H
#define MM_NPTE_H

#include "lib/types.h"

#define NPTE_P   BIT(0)
#define NPTE_RW  BIT(1)
#define NPTE_U   BIT(2)
#define NPTE_PWT BIT(3)
#define NPTE_PCD BIT(4)
#define NPTE_A   BIT(5)
#define NPTE_D   BIT(6)
#define NPTE_PS  BIT(7) /* 2 MiB or 1 GiB page; PAT in a leaf of 4 KiB, never set */
#define NPTE_NX  BIT(63)

#endif
