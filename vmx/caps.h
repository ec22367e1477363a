/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * caps - what this CPU's VMX can do, held against what is needed.
 */
#ifndef VMX_CAPS_H
#define VMX_CAPS_H

#include "lib/err.h"

/* IA32_VMX_EPT_VPID_CAP (SDM vol. 3, A.10). */
#define EPT_CAP_EXEC_ONLY BIT(0)
#define EPT_CAP_4_LEVEL   BIT(6)
#define EPT_CAP_WB        BIT(14)
#define EPT_CAP_2M        BIT(16)
#define EPT_CAP_1G        BIT(17)
#define EPT_CAP_INVEPT    BIT(20)
#define EPT_CAP_AD        BIT(21)
#define EPT_CAP_ADVANCED  BIT(22) /* more about violations: qualification bits 11:9 */
#define EPT_CAP_SINGLE    BIT(25)
#define EPT_CAP_ALL       BIT(26)

/* The agreed control fields; `ept` is the capability word itself. */
struct vmx_caps {
	u32 revision;
	u32 pin, proc, proc2, exit, entry;
	u32 proc2_extra; /* not in proc2: for the vCPUs that need it; PROC2_PML */
	u64 ept;
	bool multihit; /* a change of page size may raise a #MC: CVE-2018-12207 */
	char lack[80]; /* the first thing that is missing, or "" */
	u64 cr0_fixed1, cr0_fixed0, cr4_fixed1, cr4_fixed0;
};

/* What the negotiation asks of the CPU; a test answers for other CPUs. */
struct vmx_cpu {
	bool vmx;       /* CPUID.1:ECX.VMX */
	bool arch_caps; /* CPUID.(7,0):EDX[29]: IA32_ARCH_CAPABILITIES exists */
	u64 (*msr)(u32 msr);
};

/*
 * Holds the CPU against what is needed and fills *caps.  NULL, or a sentence on the
 * first thing that is missing, in caps->lack, after a line that begins with `# vmx:`
 * for each.  IA32_FEATURE_CONTROL may be unlocked still; cpu_on locks it.
 */
must_check const char *vmx_caps_negotiate(struct vmx_caps *caps,
					  const struct vmx_cpu *cpu);

/* Says each word of *caps. */
void vmx_caps_tell(const struct vmx_caps *caps,
		   void (*say)(const char *name, u64 value));

#endif
