/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * insn - VMX instructions that answer with flags (SDM vol. 3, 31.2)
 *
 * CF: VMfailInvalid, ZF: VMfailValid; "above" (both clear) means success.
 */
#ifndef VMX_INSN_H
#define VMX_INSN_H

#include "lib/types.h"
#include "vmx/vmcs.h"

static inline bool vmxon(u64 pa)
{
	bool ok;

	asm volatile("vmxon %1" : "=@cca"(ok) : "m"(pa) : "memory");
	return ok;
}

static inline bool vmclear(u64 pa)
{
	bool ok;

	asm volatile("vmclear %1" : "=@cca"(ok) : "m"(pa) : "memory");
	return ok;
}

static inline bool vmptrld(u64 pa)
{
	bool ok;

	asm volatile("vmptrld %1" : "=@cca"(ok) : "m"(pa) : "memory");
	return ok;
}

enum invept_type { INVEPT_SINGLE = 1, INVEPT_ALL = 2 };

static inline bool invept(enum invept_type type, u64 eptp)
{
	struct {
		u64 eptp, zero;
	} desc = { eptp, 0 };
	bool ok;

	asm volatile("invept %1, %2"
		     : "=@cca"(ok)
		     : "m"(desc), "r"((u64)type)
		     : "memory");
	return ok;
}

/* With the VMCS current and a field that exists these cannot fail. */
static inline void vmwrite(enum vmcs_field f, u64 v)
{
	asm volatile("vmwrite %1, %0" : : "r"((u64)f), "rm"(v) : "cc");
}

static inline u64 vmread(enum vmcs_field f)
{
	u64 v;

	asm volatile("vmread %1, %0" : "=r"(v) : "r"((u64)f) : "cc");
	return v;
}
#endif
