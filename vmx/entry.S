/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry - into the guest and back, and around as long as vcpu_exit() says so
 *
 * bool vmx_enter(struct vcpu *v, bool launched);
 *
 *   in    rdi = v, sil = launched.  Interrupts off, v's VMCS current, HOST_RIP = vmx_exit.
 *   out   al = 1  vcpu_exit() said NULL after an exit; v->g has all guest registers
 *         al = 0  VMLAUNCH or VMRESUME itself failed: read INSTR_ERROR
 *
 *   HOST_RSP points here:   0 v   8 r15  16 r14  24 r13  32 r12  40 rbp  48 rbx  56 return
 *
 * On the way around, RBP and R12 to R15 hold the guest's values all the time: the ABI
 * obliges vcpu_exit() to preserve them.  They move to v->g when the loop is left.  RBX
 * is stored and loaded each time because CPUID writes it.  The host uses no vector or
 * x87 state, so the guest's stays in the registers; CR2 and the debug registers likewise.
 */
#include "vm/gprs.h"
#include "vmx/vmcs.h"

	.macro	load_guest			/* RDI, which points to them, last */
	movq	G_RAX(%rdi), %rax
	movq	G_RBX(%rdi), %rbx
	movq	G_RCX(%rdi), %rcx
	movq	G_RDX(%rdi), %rdx
	movq	G_RSI(%rdi), %rsi
	movq	G_R8(%rdi), %r8
	movq	G_R9(%rdi), %r9
	movq	G_R10(%rdi), %r10
	movq	G_R11(%rdi), %r11
	movq	G_RDI(%rdi), %rdi
	.endm

	.text
	.globl	vmx_enter, vmx_exit
vmx_enter:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rdi
	movl	$HOST_RSP_FIELD, %eax
	vmwrite	%rsp, %rax
	movq	G_RBP(%rdi), %rbp
	movq	G_R12(%rdi), %r12
	movq	G_R13(%rdi), %r13
	movq	G_R14(%rdi), %r14
	movq	G_R15(%rdi), %r15
	testb	%sil, %sil
	jnz	resume
	load_guest
	vmlaunch
	jmp	failed

resume:
	load_guest
	vmresume
	jmp	failed

	/* HOST_RIP.  The CPU has loaded RSP; all other registers are the guest's. */
	.balign	16
vmx_exit:
	pushq	%rdi
	movq	8(%rsp), %rdi
	movq	%rax, G_RAX(%rdi)
	movq	%rbx, G_RBX(%rdi)
	movq	%rcx, G_RCX(%rdi)
	movq	%rdx, G_RDX(%rdi)
	movq	%rsi, G_RSI(%rdi)
	popq	G_RDI(%rdi)
	movq	%r8, G_R8(%rdi)
	movq	%r9, G_R9(%rdi)
	movq	%r10, G_R10(%rdi)
	movq	%r11, G_R11(%rdi)
	call	vcpu_exit
	movq	%rax, %rdi
	testq	%rax, %rax
	jnz	resume

	movq	(%rsp), %rdi
	movb	$1, %al
leave_loop:
	movq	%rbp, G_RBP(%rdi)
	movq	%r12, G_R12(%rdi)
	movq	%r13, G_R13(%rdi)
	movq	%r14, G_R14(%rdi)
	movq	%r15, G_R15(%rdi)
	addq	$8, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

failed:
	movq	(%rsp), %rdi
	xorl	%eax, %eax
	jmp	leave_loop

	.section .note.GNU-stack, "", @progbits
