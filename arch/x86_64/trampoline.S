/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trampoline - an AP's way from the SIPI to smp_ap_entry()
 *
 *   in    real mode, CS = page of the trampoline << 8, IP = 0 (SDM vol. 3, 9.4.4)
 *   out   smp_ap_entry(struct cpu *): long mode, the kernel's address space, NXE,
 *         own stack, interrupts off.  An AP that is in no table halts.
 *
 * The first part is copied to any page below 1 MiB, so it uses no address of its own;
 * it switches to long mode through the page tables that the BSP booted with, which map
 * the low 4 GiB one to one.  The second part runs in the image.
 */
#include "arch/x86_64/trampoline.h"

	.section .rodata
	.globl	trampoline_start, trampoline_end
	.balign	16
	.code16
trampoline_start:
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	xorl	%ebx, %ebx
	movw	%cs, %bx
	shll	$4, %ebx			/* EBX: linear address of this page */
	leal	(1f - trampoline_start)(%ebx), %eax
	movl	%eax, (protected - trampoline_start)
	leal	(gdt - trampoline_start)(%ebx), %eax
	movl	%eax, (gdtr - trampoline_start + 2)
	lgdtl	(gdtr - trampoline_start)
	movl	$0x11, %eax			/* CR0.PE, ET */
	movl	%eax, %cr0
	ljmpl	*(protected - trampoline_start)

	.code32
1:	movw	$0x10, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$0x60, %eax			/* CR4: PAE, MCE */
	movl	%eax, %cr4
	movl	$boot_pml4, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx		/* EFER: LME, NXE */
	rdmsr
	orl	$0x900, %eax
	wrmsr
	movl	$0x80010033, %eax		/* CR0: PG, WP, NE, ET, MP, PE */
	movl	%eax, %cr0
	ljmpl	$0x18, $ap_long

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff		/* 0x08: 32-bit code */
	.quad	0x00cf93000000ffff		/* 0x10: data        */
	.quad	0x00af9b000000ffff		/* 0x18: 64-bit code */
gdtr:	.word	. - gdt - 1
	.long	0				/* filled in above   */
	.balign	4
protected:
	.long	0				/* filled in above   */
	.word	0x08
trampoline_end:

	.text
	.code64
ap_long:
	movl	$1, %eax			/* APIC ID: leaf 0xb if there is one, */
	cpuid					/* else leaf 1, EBX[31:24]            */
	shrl	$24, %ebx
	movl	%ebx, %esi
	xorl	%eax, %eax
	cpuid
	cmpl	$0xb, %eax
	jb	1f
	movl	$0xb, %eax
	xorl	%ecx, %ecx
	cpuid
	testl	%ebx, %ebx			/* zero: the leaf is not implemented */
	jz	1f
	movl	%edx, %esi
1:	movl	$smp_table, %edi
	movl	smp_table_n, %ecx
2:	testl	%ecx, %ecx
	jz	4f
	cmpl	%esi, (%rdi)
	je	3f
	addq	$SMP_ENTRY_SIZE, %rdi
	decl	%ecx
	jmp	2b
3:	movq	paging_root, %rax
	movq	%rax, %cr3
	movq	SMP_ENTRY_STACK(%rdi), %rsp
	movq	SMP_ENTRY_CPU(%rdi), %rdi
	xorl	%ebp, %ebp
	call	smp_ap_entry
4:	cli
	hlt
	jmp	4b

	.section .note.GNU-stack, "", @progbits
