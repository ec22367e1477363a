/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * insn - VMX instructions that answer with flags (SDM vol. 3, 31.2)
 *
 * CF: VMfailInvalid, ZF: VMfailValid; "above" (both clear) means success.
 */
#ifndef VMX_INSN_H
#define VMX_INSN_H

#include "lib/err.h"
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

/* The VMCS is current and the field exists on this CPU: anything else is a bug. */
static inline void vmwrite(enum vmcs_field f, u64 v)
{
	bool ok;

	asm volatile("vmwrite %2, %1" : "=@cca"(ok) : "r"((u64)f), "rm"(v));
	assert(ok);
}

static inline u64 vmread(enum vmcs_field f)
{
	bool ok;
	u64 v;

	asm volatile("vmread %2, %1" : "=@cca"(ok), "=r"(v) : "r"((u64)f));
	assert(ok);
	return v;
}
#endif
