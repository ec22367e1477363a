/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start - the headers that loaders look for, and the way from 32-bit to boot_main()
 *
 *   in    Multiboot 1 (0.6.96, 3.2) or 2 (2.0, 3.3): protected mode, paging off,
 *         EAX = the loader's magic, EBX = address of its information
 *         PVH (Xen's docs/misc/pvh): the same at pvh_start, with nothing in EAX
 *   out   boot_main(magic, information): long mode, NXE, interrupts off, on boot_stack;
 *         0 .. 4 GiB mapped one to one and again at DIRECT_BASE
 *
 * The page tables made here are writable and executable throughout.  They serve until
 * paging_init() has built the real ones, and once more for each AP's first steps.
 */
#include "arch/x86_64/layout.h"

#define MB1_MAGIC  0x1badb002
#define MB1_FLAGS  0x00010003		/* page-aligned modules, memory, addresses */
#define MB2_MAGIC  0xe85250d6
#define PVH_MAGIC  0x336ec578		/* of the information that EBX points to */
#define STACK_SIZE 16384

#define XEN_PHYS32_ENTRY 18		/* a note's type: xen/include/public/elfnote.h */

	.section .multiboot, "a"
	.balign	8
	.globl	mb1_header, mb2_header
mb1_header:
	.long	MB1_MAGIC
	.long	MB1_FLAGS
	.long	-(MB1_MAGIC + MB1_FLAGS)
	.long	mb1_header
	.long	image_start
	.long	load_end
	.long	image_end
	.long	start

	.balign	8
mb2_header:
	.long	MB2_MAGIC
	.long	0				/* i386 protected mode */
	.long	mb2_end - mb2_header
	.long	-(MB2_MAGIC + (mb2_end - mb2_header))
	.word	0, 0				/* end tag */
	.long	8
mb2_end:

	/* Where PVH enters.  Of 8 bytes: QEMU reads as many, whatever the size says. */
	.section .note.Xen, "a", @note
	.balign	4
	.long	2f - 1f, 4f - 3f, XEN_PHYS32_ENTRY
1:	.asciz	"Xen"
2:	.balign	4
3:	.quad	pvh_start
4:

	.text
	.code32
	.globl	start, pvh_start
pvh_start:
	movl	$PVH_MAGIC, %eax
start:
	cli
	cld
	movl	%eax, %esi			/* magic */
	movl	$boot_stack_top, %esp
	pushl	%ebx

	movl	$0x80000001, %eax		/* long mode and NX are must-haves */
	cpuid
	andl	$(1 << 29 | 1 << 20), %edx
	cmpl	$(1 << 29 | 1 << 20), %edx
	jne	no_long_mode

	/* 2048 leaves of 2 MiB in four page directories. */
	movl	$boot_pd, %edi
	movl	$0x83, %eax			/* present, writable, 2 MiB */
1:	movl	%eax, (%edi)
	movl	$0, 4(%edi)
	addl	$8, %edi
	addl	$0x200000, %eax
	jnc	1b
	movl	$(boot_pd + 0x0003), boot_pdpt
	movl	$(boot_pd + 0x1003), boot_pdpt + 8
	movl	$(boot_pd + 0x2003), boot_pdpt + 16
	movl	$(boot_pd + 0x3003), boot_pdpt + 24
	movl	$(boot_pdpt + 3), boot_pml4
	movl	$(boot_pdpt + 3), boot_pml4 + ((DIRECT_BASE >> 39) & 511) * 8

	movl	$0x60, %eax			/* CR4: PAE, MCE, and nothing inherited */
	movl	%eax, %cr4
	movl	$boot_pml4, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx		/* EFER: LME, NXE */
	rdmsr
	orl	$0x900, %eax
	wrmsr
	movl	$0x80010033, %eax		/* CR0: PG, WP, NE, ET, MP, PE */
	movl	%eax, %cr0
	popl	%ebx
	lgdt	boot_gdtr
	ljmp	$0x08, $2f

	.code64
2:	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%esi, %edi
	movl	%ebx, %esi
	movl	$boot_stack_top, %esp
	xorl	%ebp, %ebp
	call	boot_main
3:	cli
	hlt
	jmp	3b

	/*
	 * void stack_switch(u64 top, void (*fn)(void)): goes on in fn, on another
	 * stack, and does not come back.
	 */
	.globl	stack_switch
stack_switch:
	movq	%rdi, %rsp
	xorl	%ebp, %ebp
	call	*%rsi
	jmp	3b

	.code32
no_long_mode:
	movw	$0x3fb, %dx			/* LCR: 8N1, not what a BIOS may leave */
	movb	$0x03, %al
	outb	%al, %dx
	movl	$no_long_mode_text, %esi
1:	movb	(%esi), %al
	testb	%al, %al
	jz	3f
	movw	$0x3fd, %dx
	movl	$100000, %ecx
	movb	%al, %bl
2:	inb	%dx, %al
	testb	$0x20, %al
	loopz	2b
	movb	%bl, %al
	movw	$0x3f8, %dx
	outb	%al, %dx
	outb	%al, $0xe9
	incl	%esi
	jmp	1b
3:	cli
	hlt
	jmp	3b

	.section .rodata
no_long_mode_text:
	.asciz	"Bail out! this CPU has no long mode or no NX\n"
	.balign	8
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff
	.quad	0x00cf93000000ffff
boot_gdtr:
	.word	. - boot_gdt - 1
	.quad	boot_gdt

	.bss
	.balign	4096
	.globl	boot_pml4
boot_pml4:
	.skip	4096
boot_pdpt:
	.skip	4096
boot_pd:
	.skip	4 * 4096
boot_stack:
	.skip	STACK_SIZE
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
