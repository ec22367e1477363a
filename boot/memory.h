/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory - from the loader's map to the pool of page frames.
 */
#ifndef BOOT_MEMORY_H
#define BOOT_MEMORY_H

#include "boot/info.h"
#include "mm/pool.h"

/* Physical memory as the kernel can read it: 4 .. DIRECT_SIZE through the direct map.
 */
extern const struct phys_view memory_view;

/*
 * Reserves the image in *info and gives the usable memory of the first `mib` MiB to
 * *pool, low memory excepted.  NULL, or a sentence.
 */
must_check const char *memory_init(struct pool *pool, struct boot_info *info, u64 mib);

#endif
