/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checkpoint - a place on the stack to come back to
 *
 * bool checkpoint_take(struct checkpoint *c);
 *
 *   in    rdi = c
 *   out   al = 0; c has what the ABI obliges a function to keep, RSP as after the
 *         return, and RIP
 *
 * void checkpoint_return(const struct checkpoint *c);
 *
 *   in    rdi = c
 *   out   as from that checkpoint_take(), with al = 1.  RFLAGS stay as they are.
 */
#include "arch/x86_64/checkpoint.h"

	.text
	.globl	checkpoint_take, checkpoint_return
checkpoint_take:
	movq	(%rsp), %rax
	movq	%rax, CHECKPOINT_RIP(%rdi)
	leaq	8(%rsp), %rax
	movq	%rax, CHECKPOINT_RSP(%rdi)
	movq	%rbx, CHECKPOINT_RBX(%rdi)
	movq	%rbp, CHECKPOINT_RBP(%rdi)
	movq	%r12, CHECKPOINT_R12(%rdi)
	movq	%r13, CHECKPOINT_R13(%rdi)
	movq	%r14, CHECKPOINT_R14(%rdi)
	movq	%r15, CHECKPOINT_R15(%rdi)
	xorl	%eax, %eax
	ret

checkpoint_return:
	movq	CHECKPOINT_RBX(%rdi), %rbx
	movq	CHECKPOINT_RBP(%rdi), %rbp
	movq	CHECKPOINT_R12(%rdi), %r12
	movq	CHECKPOINT_R13(%rdi), %r13
	movq	CHECKPOINT_R14(%rdi), %r14
	movq	CHECKPOINT_R15(%rdi), %r15
	movq	CHECKPOINT_RSP(%rdi), %rsp
	movl	$1, %eax
	jmpq	*CHECKPOINT_RIP(%rdi)

	.section .note.GNU-stack, "", @progbits
