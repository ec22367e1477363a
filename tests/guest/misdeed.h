/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * misdeed - what the payload of that name can be told to do.
 */
#ifndef TESTS_GUEST_MISDEED_H
#define TESTS_GUEST_MISDEED_H

enum deed {
	DEED_REGISTERS,
	DEED_CPUID,
	DEED_FS_BASE,
	DEED_RDMSR,
	DEED_WRMSR,
	DEED_WRITE_EFER,
	DEED_PORT,
	DEED_NO_MEMORY,
	DEED_TRIPLE,
	DEED_CR4,
	DEED_VMXON,
	DEED_BAD_CALL,
	DEED_BAD_PRINT,
	DEED_SPIN,
	DEED_HALT,
};

#endif
