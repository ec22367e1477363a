/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem - port: how mm/ reaches the bytes of a frame.
 *
 * arch/x86_64 answers with the direct map, the native tests with a buffer.
 */
#ifndef MM_MEM_H
#define MM_MEM_H

#include "lib/types.h"

/* The host's pointer to the byte at `pa`, which lies in a frame of the pool. */
void *mem_ptr(hpa_t pa);

#endif
