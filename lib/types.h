/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * types - the words that every layer speaks: fixed-width integers, bits, sizes.
 */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;

/* Guest-physical and host-physical addresses; structs so that they never mix. */
typedef struct {
	u64 v;
} gpa_t;
typedef struct {
	u64 v;
} hpa_t;

#define GPA(x) ((gpa_t){ (x) })
#define HPA(x) ((hpa_t){ (x) })

#define BIT(n)       (1ull << (n))
#define BITS(hi, lo) ((~0ull >> (63 - (hi))) & (~0ull << (lo)))

/* Read a field out of a word, and place a value into a field's position. */
#define field_get(mask, word) (((word) & (mask)) / ((mask) & -(mask)))
#define field_put(mask, v)    (((u64)(v) * ((mask) & -(mask))) & (mask))

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ull
#define SIZE_2M    (1ull << 21)
#define SIZE_1G    (1ull << 30)
#define CACHE_LINE 64

/* Upper bound of CPUs in one image: the xAPIC has 255, x2APIC machines more. */
#define CPU_MAX 512

#define ARRAY_LEN(a)                  (sizeof(a) / sizeof((a)[0]))
#define ALIGN_DOWN(x, a)              ((x) & ~((u64)(a)-1))
#define ALIGN_UP(x, a)                (((x) + ((u64)(a)-1)) & ~((u64)(a)-1))
#define IS_ALIGNED(x, a)              (((x) & ((u64)(a)-1)) == 0)
#define MIN(a, b)                     ((a) < (b) ? (a) : (b))
#define MAX(a, b)                     ((a) > (b) ? (a) : (b))
#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))

#define must_check        __attribute__((warn_unused_result))
#define always_inline     inline __attribute__((always_inline))
#define never_inline      __attribute__((noinline)) /* off the short way */
#define printf_like(f, a) __attribute__((format(printf, f, a)))

#endif
