/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * access - what the payload of that name is told: one access to one word.
 */
#ifndef TESTS_GUEST_ACCESS_H
#define TESTS_GUEST_ACCESS_H

#include <stdint.h>

enum access {
	ACCESS_READ,
	ACCESS_WRITE,
	ACCESS_FETCH,
	ACCESS_MODIFY, /* by one instruction that reads and writes */
	ACCESSES,
};

/* The vCPU's page begins with it. */
struct access_order {
	volatile uint64_t access;
	volatile uint64_t tables;  /* CR3 from then on      */
	volatile uint64_t at;      /* the word              */
	volatile uint64_t operand; /* written, or added     */
	volatile uint64_t result;  /* what came back        */
};

/* A word that is data, and code as well: mov $value, %eax; ret; nop; nop. */
#define ACCESS_WORD(value) (0x9090c300000000b8 | (uint64_t)(uint32_t)(value) << 8)

#endif
