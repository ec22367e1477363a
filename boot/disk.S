/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * disk - boots the kernel from a flat hard-disk image, in as few steps as a BIOS allows
 *
 * In an emulator every instruction before the kernel is waiting time, and GRUB executes
 * some 35 million of them.  Here the work is split so that little is left for the slow
 * side: tools/mkdisk.py writes into a descriptor, in its final form, all that is known
 * when the image is made - which sectors go where, and the Multiboot information with
 * its strings and its module list.  This code only reads sectors, copies them up, adds
 * the memory map, zeroes the bss and jumps.
 *
 *   sector 0       master boot record      this file, STAGE1
 *   sector 1..7    second stage            this file, STAGE2
 *   sector 8..     descriptor, 1 to 32 sectors, then the kernel, then the modules
 *
 *   0x00000   interrupt vectors, BIOS data
 *             stack, downwards from 0x7c00
 *   0x07c00   STAGE1
 *   0x07e00   STAGE2
 *   0x08c00   unused, so that an AP trampoline at 0x8000 or 0x9000 harms nothing
 *   0x0a000   DESC: descriptor; holds the Multiboot information   \ all that is handed
 *   0x0e000   MMAP: the memory map, in Multiboot's layout         / over lies here
 *   0x10000   BOUNCE: what int 13h reads, before it is copied up
 *  0x100000   kernel, its bss, then the modules, each from a page boundary
 *
 * The descriptor, in 32-bit words (D_ below; the info is Multiboot 0.6.96 section 3.3):
 *
 *   0x00  magic, sum, sectors, entry        sum makes all words of all sectors add to 0
 *   0x10  header, bss_end, top, 0           header: of Multiboot, in the kernel
 *   0x20  Multiboot information             only memory sizes and map are still missing
 *   0x80  row of the kernel                 row: first byte, end, string, sector
 *   0x90  rows of the modules, 0 to 8       Multiboot's list once the sector is 0
 *         strings
 *
 * It relies on: a BIOS with int 13h extensions, and a disk whose sectors are 512 bytes.
 * It says what is wrong on the screen, on port 0xe9 and on COM1, and halts; it never
 * tries again.  Checked by: tests/machine/test_loader.py.
 */
#define STAGE1		0x7c00
#define STAGE2		0x7e00
#define STAGE2_SECTORS	7
#define DESC		0xa000
#define DESC_SECTOR	8
#define DESC_MAX	32
#define MMAP		0xe000
#define MMAP_END	0xf000
#define BOUNCE		0x10000
#define BOUNCE_SIZE	(127 * 512)	/* the most that every BIOS reads */
#define HIGH		0x100000

#define D_MAGIC		(DESC + 0x00)
#define D_SECTORS	(DESC + 0x08)
#define D_ENTRY		(DESC + 0x0c)
#define D_HEADER	(DESC + 0x10)
#define D_BSS_END	(DESC + 0x14)
#define D_TOP		(DESC + 0x18)
#define D_INFO		(DESC + 0x20)
#define D_ROWS		(DESC + 0x80)
#define DESC_MAGIC	0x4b534453	/* "SDSK" */

#define ROW_START	0
#define ROW_END		4
#define ROW_SECTOR	12
#define ROW_SIZE	16

/* Multiboot information: fields, flags, magics (sections 3.1.1, 3.2, 3.3) */
#define I_FLAGS		(D_INFO + 0)
#define I_MEM_LOWER	(D_INFO + 4)
#define I_MEM_UPPER	(D_INFO + 8)
#define I_MODS_COUNT	(D_INFO + 20)
#define I_MMAP_LENGTH	(D_INFO + 44)
#define I_MMAP_ADDR	(D_INFO + 48)
#define INFO_MEMORY	0x01
#define INFO_MMAP	0x40
#define HEADER_MAGIC	0x1badb002
#define LOADER_MAGIC	0x2badb002
/* an entry of the map: its size without this word, base, length, type */
#define M_SIZE		0
#define M_BASE		4
#define M_LENGTH	12
#define M_TYPE		20
#define M_EXTENDED	24		/* ACPI 3; lies in the next entry's M_SIZE */
#define M_NEXT		24
#define M_USABLE	1
#define SMAP		0x534d4150

#define CODE32		0x08
#define DATA32		0x10
#define CR0_PE		1
#define COM1		0x3f8
#define E9		0xe9
#define FAST_A20	0x92

	.text
	.code16
	.globl	start

/*
 * start - the master boot record
 *
 *   in    real mode at physical 0x7c00, dl = drive.  Nothing else is certain.
 *   out   STAGE2 in memory, ds = es = ss = 0, interrupts on, direction up.
 */
start:
	jmp	stage1

	.org	4			/* mkdisk.py looks for this, and goes by it */
	.ascii	"SDL1"
	.long	DESC, DESC_SECTOR, DESC_MAX

stage1:
	cli
	xorw	%ax, %ax
	movw	%ax, %ss
	movw	$STAGE1, %sp
	movw	%ax, %ds
	movw	%ax, %es
	sti
	cld
	ljmp	$0, $1f			/* some BIOSes start us at 0x07c0:0 */
1:	movb	%dl, drive

	movw	$no_extensions, %si
	movb	$0x41, %ah
	movw	$0x55aa, %bx
	int	$0x13
	jc	fail
	cmpw	$0xaa55, %bx
	jne	fail
	testb	$1, %cl
	jz	fail

	movl	$1, %eax
	movw	$STAGE2_SECTORS, %cx
	movw	$(STAGE2 >> 4), %bx
	call	read
	jmp	stage2

/*
 * read - reads sectors through the BIOS
 *
 *   in    eax = first sector, cx = how many, bx = segment to read to
 *   out   all registers as they were; does not come back from an error.
 *         The BIOS may have put back 64 KiB segment limits.
 */
read:
	movl	%eax, packet_sector
	movw	%cx, packet_count
	movw	%bx, packet_segment
	pushal
	movw	$packet, %si
	movb	drive, %dl
	movb	$0x42, %ah
	int	$0x13
	popal
	jc	1f
	ret
1:	movw	$unreadable, %si

/* fail - prints "disk loader: ", the sentence at si, and halts.  Jumped to, in real
 * mode, with ds = es = 0. */
fail:
	cld
	pushw	%si
	movw	$uart, %si
	movw	$((uart_end - uart) / 2), %cx
1:	lodsw
	movw	$COM1, %dx
	addb	%al, %dl
	movb	%ah, %al
	outb	%al, %dx
	loop	1b
	movw	$who, %si
	call	puts
	popw	%si
	call	puts
2:	cli
	hlt
	jmp	2b

/* puts - prints the text at si, up to its NUL.  Keeps only ds, es and sp. */
puts:
	lodsb
	testb	%al, %al
	jz	3f
	outb	%al, $E9
	pushaw				/* some BIOSes lose bp when they scroll */
	movb	$0x0e, %ah
	movw	$7, %bx
	int	$0x10
	popaw
	movb	%al, %ah
	xorw	%cx, %cx		/* 64 Ki polls: no COM1 must not mean no end */
	movw	$(COM1 + 5), %dx
1:	inb	%dx, %al
	testb	$0x20, %al
	loopz	1b
	movw	$COM1, %dx
	movb	%ah, %al
	outb	%al, %dx
	jmp	puts
3:	ret

/* Register and value, one pair after the other: 115200 8N1, FIFO off, DTR and RTS. */
uart:
	.byte	3, 0x80,  0, 1,  1, 0,  3, 3,  1, 0,  2, 0,  4, 3
uart_end:

/* Disk address packet of int 13h, AH=42h. */
packet:
	.byte	16, 0
packet_count:	.word	0, 0
packet_segment:	.word	0
packet_sector:	.long	0, 0
drive:		.byte	0

who:		.asciz	"disk loader: "
no_extensions:	.asciz	"the BIOS has no int 13h extensions for this disk.\r\n"
unreadable:	.asciz	"the BIOS could not read the disk.\r\n"

	/* Above are at most 440 bytes: disk signature and partition table stay free. */
	.org	0x1b8
	.org	0x1fe
	.word	0xaa55

/* stage2 - what happens, in order.  In: as start leaves it.  Out: the kernel runs. */
stage2:
	call	a20_enable
	call	descriptor_read
	call	memory_collect
	movw	$D_ROWS, %bp
	call	row_load		/* the kernel */
	call	header_check
	movw	I_MODS_COUNT, %cx
	jcxz	2f
1:	addw	$ROW_SIZE, %bp
	call	row_load		/* a module */
	movl	$0, ROW_SECTOR(%bp)	/* Multiboot wants a zero here */
	loop	1b
2:	jmp	kernel_enter

/* a20_enable - sees to it that address bit 20 reaches the memory.  Loses ax, es = 0. */
a20_enable:
	call	a20_test
	jne	1f
	inb	$FAST_A20, %al
	orb	$2, %al
	andb	$0xfe, %al		/* bit 0 would reset the machine */
	outb	%al, $FAST_A20
	call	a20_test
	movw	$no_a20, %si
	je	fail
1:	ret

/* a20_test - out: ZF is set if `alias` and the word 1 MiB above it are the same one. */
a20_test:
	movw	$0xffff, %ax
	movw	%ax, %es
	movw	%es:(alias + 0x10), %ax
	notw	%ax			/* differs from what is up there, ... */
	movw	%ax, alias
	cmpw	%ax, %es:(alias + 0x10)	/* ... unless that was up there */
	movw	$0, %ax			/* mov leaves the flags alone */
	movw	%ax, %es
	ret

/* descriptor_read - out: the whole descriptor is at DESC, and adds to 0 */
descriptor_read:
	movl	$DESC_SECTOR, %eax
	movw	$1, %cx
	movw	$(DESC >> 4), %bx
	call	read
	movw	$no_descriptor, %si
	cmpl	$DESC_MAGIC, D_MAGIC
	jne	fail
	movw	$bad_descriptor, %si
	movl	D_SECTORS, %ecx
	decl	%ecx			/* 0 becomes the largest */
	cmpl	$(DESC_MAX - 1), %ecx
	ja	fail
	jcxz	1f
	incl	%eax
	addw	$(512 >> 4), %bx
	call	read

1:	movw	D_SECTORS, %cx
	shlw	$7, %cx
	xorl	%edx, %edx
	movw	$DESC, %si
2:	lodsl
	addl	%eax, %edx
	loop	2b
	movw	$bad_descriptor, %si	/* lodsl has moved it */
	testl	%edx, %edx
	jnz	fail
	ret

/*
 * memory_collect - asks int 15h, E820 for the memory map
 *
 *   out   the map is at MMAP; it and the memory sizes are in the Multiboot information.
 *         All that will be loaded fits into the usable range that holds 1 MiB.
 *         With a BIOS that has no E820 none of this is done, and no flag is set.
 */
memory_collect:
	movw	$MMAP, %di
	xorl	%ebx, %ebx		/* the BIOS's place in its list */
1:	movl	$1, M_EXTENDED(%di)	/* for a BIOS that writes only 20 bytes */
	movl	$24, %ecx
	movl	$SMAP, %edx
	movl	$0xe820, %eax
	pushw	%di
	addw	$M_BASE, %di
	int	$0x15
	popw	%di
	jc	3f			/* not known, or past the end */
	cmpl	$SMAP, %eax
	jne	3f
	cmpl	$20, %ecx
	jb	2f
	testb	$1, M_EXTENDED(%di)	/* ACPI 3: a clear bit 0 means ignore it */
	jz	2f
	movl	$20, M_SIZE(%di)
	call	upper_note
	addw	$M_NEXT, %di
	movw	$long_map, %si
	cmpw	$(MMAP_END - M_NEXT - 4), %di
	ja	fail
2:	testl	%ebx, %ebx
	jnz	1b

3:	subw	$MMAP, %di
	jz	4f
	movw	%di, I_MMAP_LENGTH
	movl	$MMAP, I_MMAP_ADDR
	movl	D_TOP, %edx
	subl	$HIGH, %edx
	movl	upper, %eax
	movw	$no_memory, %si
	cmpl	%eax, %edx
	ja	fail
	shrl	$10, %eax
	movl	%eax, I_MEM_UPPER
	int	$0x12
	movw	%ax, I_MEM_LOWER
	orb	$(INFO_MEMORY | INFO_MMAP), I_FLAGS
4:	ret

/* upper_note - in: di = entry of the map.  If that is usable and holds 1 MiB, `upper`
 * becomes the number of its bytes from there on.  Loses eax, edx. */
upper_note:
	cmpl	$M_USABLE, M_TYPE(%di)
	jne	2f
	cmpl	$0, M_BASE + 4(%di)
	jne	2f
	movl	M_BASE(%di), %eax
	cmpl	$HIGH, %eax
	ja	2f
	movl	M_LENGTH + 4(%di), %edx
	addl	M_LENGTH(%di), %eax
	adcl	$0, %edx
	jz	1f
	movl	$0xffffffff, %eax	/* past 4 GiB is as good as all below */
1:	subl	$HIGH, %eax
	jbe	2f
	movl	%eax, upper
2:	ret

/* row_load - in: bp = a row of the descriptor.  Loses eax, bx, edx, esi, edi. */
row_load:
	pushw	%cx
	movl	ROW_SECTOR(%bp), %eax
	movl	ROW_START(%bp), %edi
1:	movl	ROW_END(%bp), %edx
	subl	%edi, %edx		/* still to come; then, how much of it now */
	jz	3f
	cmpl	$BOUNCE_SIZE, %edx
	jbe	2f
	movl	$BOUNCE_SIZE, %edx
2:	leal	511(%edx), %ecx
	shrl	$9, %ecx
	movw	$(BOUNCE >> 4), %bx
	call	read
	addl	%ecx, %eax
	call	copy_up
	jmp	1b
3:	popw	%cx
	ret

/* copy_up - copies edx bytes from BOUNCE to edi; edi goes along.  Loses ecx, esi. */
copy_up:
	cli				/* a handler of the BIOS may undo flat */
	call	flat
	movl	$BOUNCE, %esi
	movl	%edx, %ecx
	shrl	$2, %ecx
	rep	movsl	(%esi), %es:(%edi)
	movl	%edx, %ecx
	andl	$3, %ecx
	rep	movsb	(%esi), %es:(%edi)
	sti
	ret

/*
 * flat - makes all 4 GiB accessible through ds and es, in real mode
 *
 *   in    interrupts off
 *   out   ds = es = 0 as before.  Their hidden limits are 4 GiB: a load in protected
 *         mode sets them, and loads in real mode change only the base.
 */
flat:
	pushl	%eax
	lgdtl	gdtr
	movl	%cr0, %eax
	orb	$CR0_PE, %al
	movl	%eax, %cr0
	pushw	$DATA32
	popw	%ds
	pushw	$DATA32
	popw	%es
	andb	$~CR0_PE & 0xff, %al
	movl	%eax, %cr0
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	popl	%eax
	ret

/* header_check - is the kernel's Multiboot header where the descriptor has it?  That
 * shows that sectors went to the right place; a sum of all would cost far more. */
header_check:
	cli
	call	flat
	movl	D_HEADER, %esi
	movl	(%esi), %eax
	movl	%eax, %edx
	addl	4(%esi), %edx
	addl	8(%esi), %edx
	sti
	movw	$no_header, %si
	cmpl	$HEADER_MAGIC, %eax
	jne	fail
	testl	%edx, %edx
	jnz	fail
	ret

/*
 * kernel_enter - starts the kernel in the state of Multiboot's section 3.2
 *
 *   out   eax = LOADER_MAGIC, ebx = the information; 32-bit protected mode without
 *         paging, flat segments, interrupts off, A20 on.  GDT and stack are still ours
 *         and may be overwritten.
 */
kernel_enter:
	cli
	lgdtl	gdtr
	movl	%cr0, %eax
	orb	$CR0_PE, %al
	movl	%eax, %cr0
	ljmpl	$CODE32, $1f

	.code32
1:	movw	$DATA32, %ax
	.irp	segment, ds, es, fs, gs, ss
	movw	%ax, %\segment
	.endr
	movl	D_ROWS + ROW_END, %edi	/* the bss follows what was loaded */
	movl	D_BSS_END, %edx
	subl	%edi, %edx
	movl	%edx, %ecx
	shrl	$2, %ecx
	xorl	%eax, %eax
	rep	stosl
	movl	%edx, %ecx
	andl	$3, %ecx
	rep	stosb
	movl	$LOADER_MAGIC, %eax
	movl	$D_INFO, %ebx
	jmp	*D_ENTRY

	.balign	8, 0
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* CODE32: base 0, 4 GiB, execute and read */
	.quad	0x00cf93000000ffff	/* DATA32: base 0, 4 GiB, read and write */
gdtr:
	.word	gdtr - gdt - 1
	.long	gdt

upper:		.long	0
alias:		.word	0
no_a20:		.asciz	"address line A20 stays off.\r\n"
no_descriptor:	.asciz	"no descriptor follows the loader on this disk.\r\n"
bad_descriptor:	.asciz	"the descriptor is damaged.\r\n"
long_map:	.asciz	"the BIOS's memory map is too long.\r\n"
no_memory:	.asciz	"too little memory above 1 MiB for kernel and modules.\r\n"
no_header:	.asciz	"the kernel has no Multiboot header where it should.\r\n"

	.org	STAGE2 - STAGE1 + STAGE2_SECTORS * 512
	.section .note.GNU-stack, "", @progbits
