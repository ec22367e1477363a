/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * abi - what the host and a guest agree on
 *
 * A 64-bit guest starts at its ELF entry with memory from 0 mapped one to one, RDI =
 * its struct guest_page, RSP = the end of that page, RSI = GUEST_VMCALL or
 * GUEST_VMMCALL: the instruction by which it calls.  A guest in real mode starts with
 * that RSI as well.  A call: RAX = the number, RDI and RSI the arguments.
 */
#ifndef TESTS_GUEST_ABI_H
#define TESTS_GUEST_ABI_H

#define CALL_NULL  0 /* nothing                                          */
#define CALL_PRINT 1 /* RDI: address of text, RSI: its length in bytes   */
#define CALL_EXIT  2 /* RDI: status; does not return                     */
#define CALL_OWNER 3 /* RDI, RSI: what the VM's owner makes of them     */
#define CALL_COUNT 4

#define GUEST_VMCALL  0
#define GUEST_VMMCALL 1

/* The address of the window whose translation the tests edit. */
#define GUEST_WINDOW 0x40000000

/* A real-mode guest starts here, with CS = 0. */
#define GUEST_REAL_ENTRY 0x8000

/* What the word under a reader's eyes says. */
#define TAG_EVEN   0 /* frame A            */
#define TAG_ODD    1 /* frame B            */
#define TAG_POISON 2 /* reused: never seen */
#define TAG_OTHER  3
#define TAG_BITS   0x7a67000000000000 /* upper bits of every tag */

#ifndef __ASSEMBLER__
#include <stdint.h>

/* One page for each vCPU; its stack grows down from the page's end. */
struct guest_page {
	volatile uint64_t vcpu;    /* its number                                  */
	volatile uint64_t role;    /* GUEST_WRITER, GUEST_READER: see payloads    */
	volatile uint64_t slot;    /* address of its word in the window           */
	volatile uint64_t stride;  /* sweeper: bytes from one of its words on     */
	volatile uint64_t count;   /* sweeper: how many words it has              */
	volatile uint64_t seen[4]; /* reader: how often each tag was read         */
	volatile uint64_t loops;   /* bench: how often to go round                */
	volatile uint64_t result;  /* bench: TSC ticks that it took               */
	volatile uint64_t result2; /* bench: the same without the thing measured  */
	volatile uint64_t pages;   /* dirty: how many, from slot on               */
	volatile uint64_t step;    /* dirty: from one page to the next in turn    */
	volatile uint64_t gap;     /* gap: most TSC ticks between two looks       */
	volatile uint64_t turns;   /* gap: how often it has looked                */
};

enum { GUEST_WRITER, GUEST_READER, GUEST_SWEEPER, GUEST_UNROLLED };
#endif
#endif
