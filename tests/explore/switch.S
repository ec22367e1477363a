/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void stack_switch(void **save, void *to);
 *
 *   in    rdi = where the stack pointer that is left goes, rsi = the one to go on with
 *   out   on the other stack, behind the call that left it
 *
 *   A stack that is left:   0 r15   8 r14  16 r13  24 r12  32 rbx  40 rbp  48 return
 *
 * Only what the ABI makes a callee keep: each switch is a call.
 */
	.text
	.globl	stack_switch
	.type	stack_switch, @function
stack_switch:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.size	stack_switch, . - stack_switch
	.section .note.GNU-stack, "", @progbits
