/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ram - a buffer that stands for physical memory, behind the port mm/mem.h.
 */
#ifndef TESTS_HOST_RAM_H
#define TESTS_HOST_RAM_H

#include "mm/pool.h"

#define RAM_BASE   0x40000000ull
#define RAM_FRAMES 2048 /* 8 MiB: four largest blocks */

/* A pool over the first `frames` frames of the buffer, all of them free. */
void ram_pool(struct pool *p, u32 frames);

/* Is pa a byte of the buffer? */
bool ram_holds(hpa_t pa);

#endif
