/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry - into the guest and back, and around as long as vcpu_exit() says so
 *
 * void svm_enter(struct vcpu *v, struct vmcb *vmcb, u64 vmcb_pa, u64 host_pa);
 *
 *   in    rdi = v, rsi = its VMCB, rdx = the VMCB's physical address, rcx = that of a
 *         VMCB into which the host's FS, GS, TR, LDTR have been saved.  Interrupts off.
 *   out   vcpu_exit() said NULL after an exit; v->g has all guest registers.  EXITCODE
 *         -1 means guest state was refused.
 *
 *   the stack:   0 v   8 vmcb  16 vmcb_pa  24 host_pa  32 pad  40 r15 ... 80 rbx  88 return
 *
 * VMRUN loads and saves RSP, RIP, RFLAGS, RAX; VMLOAD and VMSAVE do so with FS, GS, TR,
 * LDTR and the system-call MSRs (APM 15.5); all others are moved here.
 *
 * With V_INTR_MASKING it is the host's IF that lets interrupts end the guest, so IF is
 * set, behind CLGI, which keeps everything pending until VMRUN: an interrupt that came
 * in between ends the guest before its first instruction.  STI stands before VMLOAD, so
 * that its shadow is over by then.  #VMEXIT clears GIF: vcpu_exit() is entered with it
 * clear and IF clear, and the backend's dispatch sets GIF.
 *
 * VMRUN has done what TLB_CONTROL asked for, so it is cleared right after it, before
 * anybody can ask anew.
 *
 * RBP and R12 to R15 hold the guest's values all the way around: the ABI obliges
 * vcpu_exit() to preserve them.
 */
#include "svm/vmcb.h"
#include "vm/gprs.h"

	.text
	.globl	svm_enter
svm_enter:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	subq	$8, %rsp
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	movq	G_RBP(%rdi), %rbp
	movq	G_R12(%rdi), %r12
	movq	G_R13(%rdi), %r13
	movq	G_R14(%rdi), %r14
	movq	G_R15(%rdi), %r15

again:	/* RDI = v */
	movq	8(%rsp), %rsi
	movq	G_RAX(%rdi), %rax
	movq	%rax, VMCB_RAX(%rsi)
	movq	16(%rsp), %rax
	movq	G_RBX(%rdi), %rbx
	movq	G_RCX(%rdi), %rcx
	movq	G_RDX(%rdi), %rdx
	movq	G_RSI(%rdi), %rsi
	movq	G_R8(%rdi), %r8
	movq	G_R9(%rdi), %r9
	movq	G_R10(%rdi), %r10
	movq	G_R11(%rdi), %r11
	movq	G_RDI(%rdi), %rdi
	clgi
	sti
	vmload	%rax
	vmrun	%rax
	cli
	vmsave	%rax
	pushq	%rdi
	movq	8(%rsp), %rdi
	movq	%rbx, G_RBX(%rdi)
	movq	%rcx, G_RCX(%rdi)
	movq	%rdx, G_RDX(%rdi)
	movq	%rsi, G_RSI(%rdi)
	popq	G_RDI(%rdi)
	movq	%r8, G_R8(%rdi)
	movq	%r9, G_R9(%rdi)
	movq	%r10, G_R10(%rdi)
	movq	%r11, G_R11(%rdi)
	movq	24(%rsp), %rax
	vmload	%rax				/* from here on GS is the host's */
	movq	8(%rsp), %rsi
	movb	$0, VMCB_TLB_CONTROL(%rsi)
	movq	VMCB_RAX(%rsi), %rax
	movq	%rax, G_RAX(%rdi)
	call	vcpu_exit
	movq	%rax, %rdi
	testq	%rax, %rax
	jnz	again

	movq	(%rsp), %rdi
	movq	%rbp, G_RBP(%rdi)
	movq	%r12, G_R12(%rdi)
	movq	%r13, G_R13(%rdi)
	movq	%r14, G_R14(%rdi)
	movq	%r15, G_R15(%rdi)
	addq	$40, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

	.section .note.GNU-stack, "", @progbits
