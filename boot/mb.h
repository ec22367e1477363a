/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mb - what a loader's information is read by, and how that reaches boot/info.c.
 *
 * Everything here returns NULL or a sentence that says what is wrong.
 */
#ifndef BOOT_MB_H
#define BOOT_MB_H

#include "boot/info.h"

must_check const char *mb1_parse(struct boot_info *out, u64 addr,
				 const struct phys_view *view);
must_check const char *mb2_parse(struct boot_info *out, u64 addr,
				 const struct phys_view *view);

must_check const char *pvh_parse(struct boot_info *out, u64 addr,
				 const struct phys_view *view);

/* A range of the memory map, as told. */
must_check const char *boot_info_add_range(struct boot_info *b, u64 base, u64 len,
					   u32 type);

/* The map of a loader that knows two sizes in KiB: below 1 MiB and from 1 MiB on. */
must_check const char *boot_info_add_basic(struct boot_info *b, u32 lower, u32 upper);

/*
 * A module in [start, end); *out is its entry, for the caller to fill in the
 * name.  All of the module must be readable.
 */
must_check const char *boot_info_add_module(struct boot_info *b, u64 start, u64 end,
					    const struct phys_view *view,
					    struct boot_module **out);

#endif
