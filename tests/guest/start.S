/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start - where a 64-bit payload begins; RDI = struct guest_page, RSP set by the host.
 */
#include "tests/guest/abi.h"

	.section .text.start, "ax"
	.globl	_start
_start:
	call	guest_main
	movq	%rax, %rdi
	movl	$CALL_EXIT, %eax
	vmcall
1:	hlt
	jmp	1b

	.section .note.GNU-stack, "", @progbits
