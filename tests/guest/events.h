/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events - what the payload of that name is told, and what it has taken
 */
#ifndef TESTS_GUEST_EVENTS_H
#define TESTS_GUEST_EVENTS_H

/* The exceptions and interrupts that it has handlers for. */
#define EVENTS_UD  6
#define EVENTS_DF  8
#define EVENTS_GP  13
#define EVENTS_PF  14
#define EVENTS_LOW 0x40
#define EVENTS_IRQ 0x55
#define EVENTS_TOP 0xe0

#define EVENTS_MAX 8

#ifndef __ASSEMBLER__
#include <stdint.h>

enum events_role {
	EVENTS_ASK,    /* asks once, with interrupts on                          */
	EVENTS_CLOSED, /* asks with interrupts off, goes on, and switches them on */
	EVENTS_SHADOW, /* asks by the instruction that STI's shadow covers       */
	EVENTS_HALT,   /* asks with interrupts off, then STI and HLT             */
	EVENTS_TOUCH,  /* reads the window under STI's shadow                    */
	EVENTS_SPIN,   /* waits for `stop`, with interrupts on                   */
	EVENTS_SLEEP,  /* the same, by HLT                                       */
};

struct events_taken {
	volatile uint64_t vector, error, rip, flags;
};

/* The vCPU's page begins with it; its stack grows down from the page's end. */
struct events_page {
	volatile uint64_t vcpu, role; /* as in struct guest_page              */
	volatile uint64_t idt;        /* where the guest puts its IDT: a page */
	volatile uint64_t ready;      /* it has an IDT                        */
	volatile uint64_t stop;
	volatile uint64_t early; /* how many had come before STI        */
	volatile uint64_t count; /* how many have come                  */
	struct events_taken taken[EVENTS_MAX];
	/*
	 * Addresses: behind the call; behind STI and one instruction; behind HLT;
	 * behind the read of the window.
	 */
	volatile uint64_t asked, opened, woken, touched;
	volatile uint64_t handler; /* of EVENTS_IRQ */
};
#endif
#endif
