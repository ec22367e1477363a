/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loader_probe - a kernel that tells what its loader handed over
 *
 * It has a Multiboot and a Multiboot2 header, runs in the 32-bit state in which both
 * start it, and prints one line for each thing found, on port 0xe9 and on COM1:
 *
 *   probe: tsc HIGHLOW                     at the second instruction
 *   probe: multiboot 1|2|?
 *   probe: state CR0 EFLAGS LIMIT A20      LIMIT: of all segments, anded; A20 on: 1
 *   probe: data FIRST LAST ZERO            first word, last byte; 1: bss was zero
 *   probe: image START END SUM             of code and constants, 256 KiB of filler
 *   probe: flags FLAGS                     Multiboot 1 only
 *   probe: memory LOWER UPPER
 *   probe: cmdline [TEXT]
 *   probe: loader [TEXT]
 *   probe: map BASE LENGTH TYPE            one for each entry
 *   probe: module START END SUM [TEXT]     one for each module
 *   probe: reserved WORD                   the rest of its entry; Multiboot 1 only
 *   probe: end
 *
 * Numbers are 8 or 16 hexadecimal digits.  The sum starts at 0 and, for each 32-bit
 * word, and then for each byte that is left, turns left by 5 and adds.  At the end the
 * emulator is left: QEMU by isa-debug-exit at port 0xf4 (status 33), Bochs to its
 * debugger.  tests/machine/test_loader.py knows what the lines should be, and builds:
 *
 *   gcc -m64 -c loader_probe.S
 *   ld -z max-page-size=4096 -T loader_probe.ld
 */
#define MB1_MAGIC	0x1badb002
#define MB1_FLAGS	0x00010003	/* aligned modules, memory, address fields */
#define MB1_HANDED	0x2badb002
#define MB2_MAGIC	0xe85250d6
#define MB2_HANDED	0x36d76289

#define COM1		0x3f8
#define E9		0xe9
#define QEMU_EXIT	0xf4
#define BOCHS_DEBUGGER	0x8900

	.code32
	.section .header, "a"
	.balign	8
mb1:
	.long	MB1_MAGIC, MB1_FLAGS, -(MB1_MAGIC + MB1_FLAGS)
	.long	mb1, image_start, load_end, bss_end, entry
	.balign	8
mb2:
	.long	MB2_MAGIC, 0, mb2_end - mb2, -(MB2_MAGIC + mb2_end - mb2)
	.word	0, 0
	.long	8
mb2_end:

/* Something that differs everywhere, so that a sector in a wrong place shows. */
	.section .rodata
	.balign	4
	.set	i, 0
	.rept	65536
	.long	(i * i + i + 0x01000193) & 0xffffffff
	.set	i, i + 1
	.endr

/* The bss begins and ends at odd addresses. */
	.data
first:	.long	0x600dda7a
tsc:	.quad	0
magic:	.long	0
info:	.long	0
cr0:	.long	0
eflags:	.long	0
bss_ok:	.long	0
	.fill	4096, 1, 0
stack:
last:	.byte	0xee
	.bss
	.fill	200006, 1, 0

/* say - prints a constant text.  Keeps all registers. */
	.macro	say string
	.pushsection .rodata
77:	.asciz	"\string"
	.popsection
	pushl	%esi
	movl	$77b, %esi
	call	puts
	popl	%esi
	.endm

/* show - prints a space and a number */
	.macro	show number
	pushl	%eax
	movl	\number, %eax
	call	put_hex
	popl	%eax
	.endm

	.text
	.globl	entry
entry:
	movl	%eax, %esi
	rdtsc
	movl	%eax, tsc
	movl	%edx, tsc + 4
	movl	%esi, magic
	movl	%ebx, info
	movl	$stack, %esp
	pushfl
	popl	eflags
	movl	%cr0, %eax
	movl	%eax, cr0
	cld
	movl	$load_end, %edi
	movl	$bss_end, %ecx
	subl	%edi, %ecx
	xorl	%eax, %eax
	repe	scasb
	sete	bss_ok

	movw	$(COM1 + 3), %dx
	movb	$3, %al			/* 8N1; Bochs's BIOS leaves 5 bits */
	outb	%al, %dx
	say	"probe: tsc"
	show	tsc + 4
	movl	tsc, %eax
	call	put_digits
	say	"\nprobe: multiboot "
	movl	info, %ebx
	cmpl	$MB1_HANDED, magic
	je	1f
	cmpl	$MB2_HANDED, magic
	je	2f
	say	"?"
	jmp	3f
1:	say	"1"
	call	tell_state
	call	tell_mb1
	jmp	3f
2:	say	"2"
	call	tell_state
	call	tell_mb2
3:	say	"\nprobe: end\n"

	movw	$(COM1 + 5), %dx
4:	inb	%dx, %al		/* Bochs loses what is not yet on the line */
	testb	$0x40, %al
	jz	4b
	movb	$16, %al
	outb	%al, $QEMU_EXIT
	movw	$BOCHS_DEBUGGER, %dx
	movb	$'D', %al
	outb	%al, %dx
5:	cli
	hlt
	jmp	5b

tell_state:
	say	"\nprobe: state"
	show	cr0
	show	eflags
	call	limits
	call	put_hex
	call	a20
	call	put_hex
	say	"\nprobe: data"
	show	first
	movzbl	last, %eax
	call	put_hex
	show	bss_ok
	say	"\nprobe: image"
	movl	$image_start, %esi
	movl	$image_end, %edi
	jmp	put_range

/* limits - eax = and of the limits of all segments */
limits:
	movl	$-1, %eax
	.irp	segment, cs, ds, es, fs, gs, ss
	movw	%\segment, %cx
	xorl	%edx, %edx
	lsll	%ecx, %edx
	andl	%edx, %eax
	.endr
	ret

/* a20 - eax = 1 if a change of `magic` does not show 1 MiB below */
a20:
	movl	magic - 0x100000, %edx
	notl	magic
	xorl	%eax, %eax
	cmpl	magic - 0x100000, %edx
	sete	%al
	notl	magic
	ret

/* tell_mb1 - in: ebx = Multiboot information.  Loses all registers. */
tell_mb1:
	say	"\nprobe: flags"
	show	(%ebx)
	testl	$1 << 0, (%ebx)
	jz	1f
	leal	4(%ebx), %edi
	call	tell_memory
1:	testl	$1 << 2, (%ebx)
	jz	2f
	movl	16(%ebx), %esi
	call	tell_cmdline
2:	testl	$1 << 9, (%ebx)
	jz	3f
	movl	64(%ebx), %esi
	call	tell_loader
3:	testl	$1 << 6, (%ebx)
	jz	5f
	movl	48(%ebx), %edi
	movl	44(%ebx), %ebp
	addl	%edi, %ebp
4:	cmpl	%ebp, %edi
	jae	5f
	addl	$4, %edi
	call	tell_map
	addl	-4(%edi), %edi
	jmp	4b
5:	testl	$1 << 3, (%ebx)
	jz	7f
	movl	24(%ebx), %edi
	movl	20(%ebx), %ebp
6:	decl	%ebp
	js	7f
	movl	8(%edi), %esi
	call	tell_module
	say	"\nprobe: reserved"
	show	12(%edi)
	addl	$16, %edi
	jmp	6b
7:	ret

/* tell_mb2 - in: ebx = Multiboot2 information.  Loses all registers. */
tell_mb2:
	addl	$8, %ebx
1:	leal	8(%ebx), %edi
	movl	(%ebx), %eax
	testl	%eax, %eax
	jz	9f
	movl	%edi, %esi
	cmpl	$1, %eax
	je	2f
	cmpl	$2, %eax
	je	3f
	cmpl	$3, %eax
	je	4f
	cmpl	$4, %eax
	je	5f
	cmpl	$6, %eax
	je	6f
	jmp	8f
2:	call	tell_cmdline
	jmp	8f
3:	call	tell_loader
	jmp	8f
4:	addl	$8, %esi
	call	tell_module
	jmp	8f
5:	call	tell_memory
	jmp	8f
6:	movl	%ebx, %ebp
	addl	4(%ebx), %ebp
	movl	(%edi), %edx
	addl	$8, %edi
7:	cmpl	%ebp, %edi
	jae	8f
	call	tell_map
	addl	%edx, %edi
	jmp	7b
8:	movl	4(%ebx), %eax
	addl	$7, %eax
	andl	$~7, %eax
	addl	%eax, %ebx
	jmp	1b
9:	ret

/* tell_memory - in: edi = lower and upper memory */
tell_memory:
	say	"\nprobe: memory"
	show	(%edi)
	show	4(%edi)
	ret

/* tell_cmdline, tell_loader - in: esi = text */
tell_cmdline:
	say	"\nprobe: cmdline"
	jmp	put_text
tell_loader:
	say	"\nprobe: loader"
	jmp	put_text

/* tell_map - in: edi = base, length, type.  Loses eax. */
tell_map:
	say	"\nprobe: map"
	show	4(%edi)
	movl	(%edi), %eax
	call	put_digits
	show	12(%edi)
	movl	8(%edi), %eax
	call	put_digits
	show	16(%edi)
	ret

/* tell_module - in: edi = first byte, last byte + 1; esi = text.  Keeps ebx edi ebp. */
tell_module:
	pushl	%edi
	pushl	%esi
	movl	(%edi), %esi
	movl	4(%edi), %edi
	say	"\nprobe: module"
	call	put_range
	popl	%esi
	popl	%edi
	jmp	put_text

/* put_range - prints esi, edi and the sum of what is between.  Keeps ebx, edi, ebp. */
put_range:
	show	%esi
	show	%edi
	xorl	%eax, %eax
	movl	%edi, %ecx
	subl	%esi, %ecx
	shrl	$2, %ecx
	jz	2f
1:	roll	$5, %eax
	addl	(%esi), %eax
	addl	$4, %esi
	decl	%ecx
	jnz	1b
2:	cmpl	%edi, %esi
	je	put_hex
	roll	$5, %eax
	movzbl	(%esi), %edx
	addl	%edx, %eax
	incl	%esi
	jmp	2b

/* put_text - prints a space and the text at esi in brackets.  Loses eax, esi. */
put_text:
	say	" ["
	call	puts
	say	"]"
	ret

/* puts - prints the text at esi.  Loses eax, esi. */
puts:
	lodsb
	testb	%al, %al
	jz	1f
	call	putc
	jmp	puts
1:	ret

/* put_hex - prints a space and eax; put_digits - prints eax.  They keep all but eax. */
put_hex:
	pushl	%eax
	movb	$' ', %al
	call	putc
	popl	%eax
put_digits:
	pushl	%ecx
	pushl	%edx
	movl	%eax, %edx
	movl	$8, %ecx
1:	roll	$4, %edx
	movl	%edx, %eax
	andl	$15, %eax
	movb	digits(%eax), %al
	call	putc
	loop	1b
	popl	%edx
	popl	%ecx
	ret

/* putc - prints al.  Keeps all registers but the upper bytes of eax. */
putc:
	pushl	%edx
	outb	%al, $E9
	movb	%al, %ah
	movw	$(COM1 + 5), %dx
1:	inb	%dx, %al
	testb	$0x20, %al
	jz	1b
	movw	$COM1, %dx
	movb	%ah, %al
	outb	%al, %dx
	popl	%edx
	ret

	.section .rodata
digits:	.ascii	"0123456789abcdef"
	.section .note.GNU-stack, "", @progbits
