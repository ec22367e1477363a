/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest - the small library that 64-bit payloads stand on.
 */
#ifndef TESTS_GUEST_GUEST_H
#define TESTS_GUEST_GUEST_H

#include "tests/guest/abi.h"

/* A payload's body; what it returns becomes the exit status. */
uint64_t guest_main(struct guest_page *page);

static inline void vmcall(uint64_t number, uint64_t a, uint64_t b)
{
	asm volatile("vmcall" : : "a"(number), "D"(a), "S"(b) : "memory");
}

static inline void guest_print(const char *s)
{
	uint64_t n = 0;

	while (s[n])
		n++;
	vmcall(CALL_PRINT, (uint64_t)s, n);
}

static inline uint64_t guest_tsc(void)
{
	uint32_t lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

#endif
