/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest - the small library that 64-bit payloads stand on.
 */
#ifndef TESTS_GUEST_GUEST_H
#define TESTS_GUEST_GUEST_H

#include "tests/guest/abi.h"

/* A payload's body; what it returns becomes the exit status. */
uint64_t guest_main(struct guest_page *page);

/* GUEST_VMCALL or GUEST_VMMCALL: start.S. */
extern uint64_t guest_call_by;

/* Calls the host by the instruction that this CPU has; for inline assembly. */
#define GUEST_CALL                                                      \
	"cmpq $0, guest_call_by(%%rip)\n\tjne 1f\n\tvmcall\n\tjmp 2f\n" \
	"1:\tvmmcall\n2:\n\t"
_Static_assert(GUEST_VMCALL == 0, "GUEST_CALL knows");

static inline void guest_call(uint64_t number, uint64_t a, uint64_t b)
{
	asm volatile(GUEST_CALL : : "a"(number), "D"(a), "S"(b) : "memory", "cc");
}

static inline void guest_print(const char *s)
{
	uint64_t n = 0;

	while (s[n])
		n++;
	guest_call(CALL_PRINT, (uint64_t)s, n);
}

static inline uint64_t guest_tsc(void)
{
	uint32_t lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

#endif
