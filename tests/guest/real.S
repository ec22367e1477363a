/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * real - an unrestricted guest in real mode: computes, asks CPUID, ends with a status
 *
 * Only real mode lets a byte of code at 0000:8000 run with segments of 64 KiB; the sum
 * of 1 .. 100 comes out as the status, with bit 16 set when CPUID came back.
 */
#include "tests/guest/abi.h"

	.code16
	.section .text.start, "ax"
	.globl	_start
_start:
	xorw	%ax, %ax
	movw	$100, %cx
1:	addw	%cx, %ax
	loop	1b
	movw	%ax, %di
	xorl	%eax, %eax
	cpuid
	movzwl	%di, %edi
	testl	%ebx, %ebx
	jz	2f
	orl	$0x10000, %edi
2:	movl	$CALL_EXIT, %eax
	cmpl	$GUEST_VMMCALL, %esi
	je	4f
	vmcall
4:	vmmcall
3:	hlt
	jmp	3b

	.section .note.GNU-stack, "", @progbits
