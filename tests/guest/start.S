/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start - where a 64-bit payload begins; RDI = struct guest_page, RSI = the instruction
 * that calls the host, RSP set by the host.
 */
#include "tests/guest/abi.h"

	.section .text.start, "ax"
	.globl	_start
_start:
	movq	%rsi, guest_call_by(%rip)	/* each vCPU the same */
	call	guest_main
	movq	%rax, %rdi
	movl	$CALL_EXIT, %eax
	cmpq	$GUEST_VMMCALL, guest_call_by(%rip)
	je	1f
	vmcall
1:	vmmcall
2:	hlt
	jmp	2b

	.data
	.balign	8
	.globl	guest_call_by
guest_call_by:
	.quad	GUEST_VMCALL

	.section .note.GNU-stack, "", @progbits
