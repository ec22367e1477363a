/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blobs - the payloads, built into the image so that it needs no modules
 *
 * Each guest makes a struct guest (vm/guest.h) in section .guests.  GUEST_DIR is where
 * the build put the executables.
 */
#define MODE_LONG 0
#define MODE_REAL 1

	.macro	guest name, mode
	.section .rodata
	.balign	16
blob_\name:
	.incbin	"\name\().guest"
blob_\name\()_end:
name_\name:
	.asciz	"\name"
	.section .guests, "a"
	.balign	8
	.quad	name_\name, blob_\name, blob_\name\()_end, \mode
	.endm

	guest	access, MODE_LONG
	guest	events, MODE_LONG
	guest	gap, MODE_LONG
	guest	hammer, MODE_LONG
	guest	hello, MODE_LONG
	guest	null_call, MODE_LONG
	guest	misdeed, MODE_LONG
	guest	dirty, MODE_LONG
	guest	real, MODE_REAL

	.section .note.GNU-stack, "", @progbits
